/* tests/unit/core_record/test_file_text.c -- how a file beside the record reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/manifest.h"
#include "core/record/values.h"
#include "fake_env.h"

static struct fake_env fake;

static void reads(const struct ml_attachment *file, const char *text)
{
    struct ml_buf b;
    ml_buf_init(&b, &fake.env, 4096);
    ml_file_text(&b, file);
    ml_buf_u8(&b, '\0');
    assert_int_equal(b.err, ML_OK);
    assert_string_equal((const char *)b.data, text);
    ml_buf_free(&b);
}

static void title_kind_and_size_are_said(void **state)
{
    (void)state;
    struct ml_attachment a = {.title = ml_slice_str("courrier.pdf"),
                              .content_type = ml_slice_str("application/pdf"),
                              .size = 1234567};
    reads(&a, "courrier.pdf (PDF, 1,2 Mo)");
    a.content_type = ml_slice_str("");
    reads(&a, "courrier.pdf (1,2 Mo)");
    a = (struct ml_attachment){.content_type = ml_slice_str("image/webp")};
    reads(&a, "pièce jointe (image)");
    a = (struct ml_attachment){.title = ml_slice_str("x")};
    reads(&a, "x");
    a = (struct ml_attachment){.content_type = ml_slice_str("application/x-truc")};
    reads(&a, "pièce jointe (application/x-truc)");
}

static void sizes_read_in_powers_of_a_thousand(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 octet"},         {1, "1 octet"},       {999, "999 octets"},
                {1000, "1,0 Ko"},       {9999, "9,9 Ko"},     {10000, "10 Ko"},
                {999999, "999 Ko"},     {1000000, "1,0 Mo"},  {33554432, "33 Mo"},
                {5000000000, "5,0 Go"}, {UINT64_MAX, "18 Eo"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_buf b;
        ml_buf_init(&b, &fake.env, 64);
        ml_size_text(&b, rows[i].bytes);
        ml_buf_u8(&b, '\0');
        assert_string_equal((const char *)b.data, rows[i].text);
        ml_buf_free(&b);
    }
}

static void what_would_steer_a_terminal_is_replaced(void **state)
{
    (void)state;
    struct ml_attachment a = {.title = ml_slice_str("a\033[2Jb\n\x7f\xc2\x9b"
                                                    "c\xc2\xa0é"),
                              .content_type = ml_slice_str("x/\007y")};
    reads(&a, "a?[2Jb???c\xc2\xa0é (x/?y)");
}

static void long_titles_and_types_are_cut_between_characters(void **state)
{
    char title[400] = "";
    char want[400];
    char type[300];
    (void)state;
    for (size_t i = 0; i < 199; i++) {
        memcpy(title + 1 + 2 * i, "é", 3);
    }
    title[0] = 'x'; /* the 120th byte is the middle of an é */
    memset(type, 't', sizeof(type));
    snprintf(want, sizeof(want), "%.119s… (%.40s…)", title, type);
    struct ml_attachment a = {.title = ml_slice_str(title),
                              .content_type = ml_slice(type, sizeof(type))};
    reads(&a, want);
}

static void a_media_type_has_two_parts_and_a_limit(void **state)
{
    static const char *const good[] = {"a/b", "application/vnd.x+json", "text/plain"};
    static const char *const bad[] = {"",     "/",          "a/",        "/b",   "ab",
                                      "a//b", "a/b/c",      "a/b;c=d",   "a /b", "a/b\n",
                                      "a/é",  "\x7f/plain", "text/\x1bx"};
    char longest[ML_MEDIA_TYPE_MAX + 2] = "a/";
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(ml_media_type_valid(ml_slice_str(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(ml_media_type_valid(ml_slice_str(bad[i])));
    }
    memset(longest + 2, 'x', ML_MEDIA_TYPE_MAX - 1);
    assert_true(ml_media_type_valid(ml_slice((const uint8_t *)longest, ML_MEDIA_TYPE_MAX)));
    assert_false(ml_media_type_valid(ml_slice((const uint8_t *)longest, ML_MEDIA_TYPE_MAX + 1)));
}

static int setup(void **state)
{
    (void)state;
    fake_env_init(&fake, 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(title_kind_and_size_are_said),
        cmocka_unit_test(sizes_read_in_powers_of_a_thousand),
        cmocka_unit_test(what_would_steer_a_terminal_is_replaced),
        cmocka_unit_test(long_titles_and_types_are_cut_between_characters),
        cmocka_unit_test(a_media_type_has_two_parts_and_a_limit),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
