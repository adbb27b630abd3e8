/* tests/unit/core_base/test_ids.c -- one rule of core/base/ids.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "fake_env.h"

static void a_new_id_starts_with_the_clock(void **state)
{
    struct fake_env fake;
    (void)state;
    fake_env_init(&fake, 7);
    struct ml_object_id a = ml_object_id_new(&fake.env);
    struct ml_object_id b = ml_object_id_new(&fake.env);
    assert_int_equal(ml_object_id_ms(&a), fake.wall_ms);
    assert_false(ml_object_id_equal(&a, &b)); /* same millisecond, other chance */
}

static void ids_sort_by_time(void **state)
{
    static const uint8_t high[ML_OBJECT_ID_TAIL] = {255, 255, 255};
    static const uint8_t low[ML_OBJECT_ID_TAIL] = {0};
    (void)state;
    struct ml_object_id early = ml_object_id_at(255, high);
    struct ml_object_id late = ml_object_id_at(256, low);
    assert_true(ml_object_id_compare(&early, &late) < 0);
    assert_true(ml_object_id_compare(&late, &early) > 0);
    assert_int_equal(ml_object_id_compare(&late, &late), 0);
}

static void times_outside_48_bits_are_clamped(void **state)
{
    static const uint8_t tail[ML_OBJECT_ID_TAIL] = {1};
    const struct {
        int64_t in;
        uint64_t out;
    } cases[] = {{-1, 0},
                 {0, 0},
                 {1, 1},
                 {(int64_t)ML_OBJECT_ID_MS_MAX, ML_OBJECT_ID_MS_MAX},
                 {(int64_t)ML_OBJECT_ID_MS_MAX + 1, ML_OBJECT_ID_MS_MAX}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ml_object_id id = ml_object_id_at(cases[i].in, tail);
        assert_int_equal(ml_object_id_ms(&id), cases[i].out);
        assert_int_equal(id.b[6], 1);
    }
}

static void only_the_zero_id_is_zero(void **state)
{
    struct ml_object_id id = {{0}};
    (void)state;
    assert_true(ml_object_id_is_zero(&id));
    id.b[15] = 1;
    assert_false(ml_object_id_is_zero(&id));
}

static void versions_sort_by_bundle_then_index(void **state)
{
    struct ml_version_id a = {{{1}}, 9};
    struct ml_version_id b = {{{2}}, 0};
    struct ml_version_id c = {{{2}}, 1};
    (void)state;
    assert_true(ml_version_id_compare(&a, &b) < 0);
    assert_true(ml_version_id_compare(&c, &b) > 0);
    assert_int_equal(ml_version_id_compare(&c, &c), 0);
}

static void hex_goes_both_ways(void **state)
{
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[ML_HEX_SIZE(sizeof(bytes))];
    uint8_t back[sizeof(bytes)];
    (void)state;
    ml_hex_encode(text, bytes, sizeof(bytes));
    assert_string_equal(text, "000fa5ff");
    assert_int_equal(ml_hex_decode(back, sizeof(back), text, 8), ML_OK);
    assert_memory_equal(back, bytes, sizeof(bytes));
    assert_int_equal(ml_hex_decode(back, sizeof(back), "000FA5FF", 8), ML_OK);
    assert_memory_equal(back, bytes, sizeof(bytes));
}

static void bad_hex_leaves_the_output_alone(void **state)
{
    static const char *const bad[] = {"000fa5f",  "000fa5ff0", "",         "000fa5fg",
                                      "000fa5f/", "000fa5f:",  "000fa5f`", "000fa5f@"};
    uint8_t out[4] = {9, 9, 9, 9};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ml_hex_decode(out, sizeof(out), bad[i], strlen(bad[i])), ML_E_INVALID);
        assert_int_equal(out[0], 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_id_starts_with_the_clock),
        cmocka_unit_test(ids_sort_by_time),
        cmocka_unit_test(times_outside_48_bits_are_clamped),
        cmocka_unit_test(only_the_zero_id_is_zero),
        cmocka_unit_test(versions_sort_by_bundle_then_index),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(bad_hex_leaves_the_output_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
