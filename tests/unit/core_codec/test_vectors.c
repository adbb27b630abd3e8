/* tests/unit/core_codec/test_vectors.c -- the golden vectors of tests/vectors.
 *
 * `test_vectors --regenerate` writes them anew, and the fuzzers' first inputs with them: only with
 * a change of format, in the same commit as docs/protocol.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support_codec.h"
#include "support_vectors.h"

enum { FILE_MAX = 1 << 22, SEED_MAX = 4096 };

static char *file_read(const char *name)
{
    static char text[FILE_MAX];
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.txt", ML_TEST_VECTORS, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("no %s", path);
    }
    size_t len = fread(text, 1, sizeof(text) - 1, f);
    text[len] = '\0';
    fclose(f);
    return text;
}

/* The samples say what the files say: a change of format is seen here first. */
static void vectors_are_what_the_code_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i <= vector_file_count; i++) {
        struct ml_buf text;
        ml_buf_init(&text, ml_env_system(), FILE_MAX);
        if (i < vector_file_count) {
            vector_file_text(&text, &vector_files[i]);
        } else {
            vector_derived_text(&text);
        }
        ml_buf_u8(&text, 0);
        assert_int_equal(text.err, ML_OK);
        assert_string_equal(file_read(i < vector_file_count ? vector_files[i].name : "derived"),
                            (const char *)text.data);
        ml_buf_free(&text);
    }
}

/* One line "name | verdict | hex": cut in place. False for a comment. */
static bool line_split(char *line, char **verdict, char **hex)
{
    if (line[0] == '#' || line[0] == '\0') {
        return false;
    }
    char *first = strstr(line, " | ");
    char *second = first == NULL ? NULL : strstr(first + 3, " | ");
    if (second == NULL) {
        fail_msg("not a vector: %s", line);
        return false;
    }
    *first = '\0';
    *second = '\0';
    *verdict = first + 3;
    *hex = second + 3;
    return true;
}

static unsigned lines_check(const struct vector_file *file, unsigned counts[2])
{
    unsigned lines = 0;
    char *next = file_read(file->name);
    while (next != NULL && *next != '\0') {
        char *line = next;
        char *verdict = NULL;
        char *hex = NULL;
        char found[160];
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (!line_split(line, &verdict, &hex)) {
            continue;
        }
        struct ml_slice in = bytes_of(hex);
        vector_verdict(found, sizeof(found), file, in);
        assert_string_equal(found, verdict);
        bool good = strcmp(verdict, "ok") == 0;
        if (file->roundtrip != NULL) {
            assert_int_equal(file->roundtrip(in), good); /* good ones encode to themselves */
        }
        counts[good]++;
        lines++;
    }
    return lines;
}

static void every_vector_has_its_verdict(void **state)
{
    unsigned counts[2] = {0, 0};
    (void)state;
    for (size_t i = 0; i < vector_file_count; i++) {
        assert_true(lines_check(&vector_files[i], counts) >= 9);
    }
    print_message("vectors: %u accepted, %u refused\n", counts[1], counts[0]);
    assert_true(counts[0] > 400 && counts[1] > 80);
}

/* ---- --regenerate ---- */

static void file_write(const char *path, struct ml_slice bytes)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes.data, 1, bytes.len, f) != bytes.len || fclose(f) != 0) {
        fprintf(stderr, "can't write %s\n", path);
    }
}

/* The fuzzer of ops takes a byte that picks the format. */
static void seed_write(const struct vector_file *file, unsigned number, struct ml_slice in)
{
    char path[512];
    uint8_t seed[SEED_MAX];
    size_t prefix = strcmp(file->fuzzer, "fuzz_op") == 0;
    const char *const picks[] = {"govop",    "keyop",          "trace",   "deposit",
                                 "manifest", "manifest_inner", "consent", "glass"};
    if (in.len + 1 > sizeof(seed)) {
        return;
    }
    for (size_t i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
        if (strcmp(file->name, picks[i]) == 0) {
            seed[0] = (uint8_t)i;
        }
    }
    if (in.len > 0) {
        memcpy(seed + prefix, in.data, in.len);
    }
    snprintf(path, sizeof(path), "%s/../fuzz/corpus/%s/%s-%02u", ML_TEST_VECTORS, file->fuzzer,
             file->name, number);
    file_write(path, ml_slice(seed, in.len + prefix));
}

static void seeds_write(const struct vector_file *file)
{
    unsigned number = 0;
    char *next = file_read(file->name);
    while (next != NULL && *next != '\0') {
        char *line = next;
        char *verdict = NULL;
        char *hex = NULL;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (line_split(line, &verdict, &hex) && strcmp(verdict, "ok") == 0) {
            seed_write(file, number++, bytes_of(hex));
        }
    }
}

static int regenerate(void)
{
    for (size_t i = 0; i <= vector_file_count; i++) {
        char path[512];
        struct ml_buf text;
        const char *name = i < vector_file_count ? vector_files[i].name : "derived";
        ml_buf_init(&text, ml_env_system(), FILE_MAX);
        if (i < vector_file_count) {
            vector_file_text(&text, &vector_files[i]);
        } else {
            vector_derived_text(&text);
        }
        snprintf(path, sizeof(path), "%s/%s.txt", ML_TEST_VECTORS, name);
        file_write(path, ml_buf_slice(&text));
        ml_buf_free(&text);
        if (i < vector_file_count && vector_files[i].fuzzer != NULL) {
            seeds_write(&vector_files[i]);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_what_the_code_writes),
        cmocka_unit_test(every_vector_has_its_verdict),
    };
    if (argc == 2 && strcmp(argv[1], "--regenerate") == 0) {
        return regenerate();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
