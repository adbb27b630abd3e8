/* tests/unit/core_base/test_buf.c -- a buffer grows to its limit and not beyond, and remembers the
 * first error; slices compare as their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "fake_env.h"

struct fixture {
    struct fake_env fake;
    struct ml_buf buf;
};

enum { MAX = 100 };

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 3);
    ml_buf_init(&f.buf, &f.fake.env, MAX);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->buf);
    return f->fake.live == 0 ? 0 : -1;
}

static void a_buffer_takes_its_maximum_and_no_more(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[MAX + 1] = {7};
    ml_buf_append(&f->buf, bytes, MAX);
    assert_int_equal(f->buf.err, ML_OK);
    ml_buf_u8(&f->buf, 1);
    assert_int_equal(f->buf.err, ML_E_LIMIT);
    assert_int_equal(f->buf.len, MAX);
    ml_buf_clear(&f->buf);
    ml_buf_append(&f->buf, bytes, MAX + 1);
    assert_int_equal(f->buf.err, ML_E_LIMIT);
    assert_int_equal(f->buf.len, 0);
}

static void a_size_that_overflows_is_over_the_limit(void **state)
{
    struct fixture *f = *state;
    f->buf.max = SIZE_MAX;
    ml_buf_u8(&f->buf, 1);
    assert_null(ml_buf_extend(&f->buf, SIZE_MAX));
    assert_int_equal(f->buf.err, ML_E_LIMIT);
    assert_int_equal(f->buf.len, 1);
}

static void what_follows_the_first_error_does_nothing(void **state)
{
    struct fixture *f = *state;
    ml_buf_u8(&f->buf, 1);
    f->buf.max = 1;
    ml_buf_u32be(&f->buf, 2);
    f->buf.max = MAX;
    ml_buf_u8(&f->buf, 3);
    assert_null(ml_buf_extend(&f->buf, 0));
    assert_int_equal(f->buf.len, 1);
    assert_int_equal(f->buf.err, ML_E_LIMIT);
    ml_buf_clear(&f->buf);
    ml_buf_u8(&f->buf, 4);
    assert_int_equal(f->buf.err, ML_OK);
    assert_int_equal(f->buf.data[0], 4);
}

static void a_failed_allocation_keeps_what_is_there(void **state)
{
    struct fixture *f = *state;
    f->fake.fail_alloc = 1;
    ml_buf_u8(&f->buf, 1);
    assert_int_equal(f->buf.err, ML_E_NOMEM);
    ml_buf_clear(&f->buf);
    ml_buf_u8(&f->buf, 9);
    f->fake.fail_alloc = 1;
    assert_null(ml_buf_extend(&f->buf, 80)); /* has to grow */
    assert_int_equal(f->buf.err, ML_E_NOMEM);
    assert_int_equal(f->buf.len, 1);
    assert_int_equal(f->buf.data[0], 9);
}

static void numbers_are_big_endian(void **state)
{
    struct fixture *f = *state;
    static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    ml_buf_u8(&f->buf, 0x01);
    ml_buf_u16be(&f->buf, 0x0203);
    ml_buf_u32be(&f->buf, 0x04050607);
    ml_buf_u64be(&f->buf, UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(f->buf.len, sizeof(want));
    assert_memory_equal(f->buf.data, want, sizeof(want));
    assert_int_equal(ml_get_u16be(want + 1), 0x0203);
    assert_int_equal(ml_get_u32be(want + 3), 0x04050607);
    assert_true(ml_get_u64be(want + 7) == UINT64_C(0x08090a0b0c0d0e0f));
}

static void slices_have_the_order_of_their_bytes(void **state)
{
    (void)state;
    assert_true(ml_slice_compare(ml_slice_str("ab"), ml_slice_str("b")) < 0);
    assert_true(ml_slice_compare(ml_slice_str("a"), ml_slice_str("ab")) < 0);
    assert_true(ml_slice_compare(ml_slice_str("ab"), ml_slice_str("a")) > 0);
    assert_true(ml_slice_compare(ml_slice("\xff", 1), ml_slice("\x01", 1)) > 0);
    assert_int_equal(ml_slice_compare(ml_slice_str(""), ml_slice(NULL, 0)), 0);
    assert_true(ml_slice_equal(ml_slice(NULL, 0), ml_slice_str("")));
    assert_false(ml_slice_equal(ml_slice_str("a"), ml_slice_str("ab")));
    assert_true(ml_is_zero("\0\0", 2));
    assert_false(ml_is_zero("\0\1", 2));
}

static void checked_arithmetic_says_no_and_leaves_the_result(void **state)
{
    (void)state;
    size_t r = 5;
    assert_false(ml_add_size(&r, SIZE_MAX, 1));
    assert_false(ml_mul_size(&r, SIZE_MAX / 2, 3));
    assert_int_equal(r, 5);
    assert_true(ml_add_size(&r, SIZE_MAX - 1, 1) && r == SIZE_MAX);
    assert_true(ml_mul_size(&r, 6, 7) && r == 42);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_buffer_takes_its_maximum_and_no_more),
        TEST(a_size_that_overflows_is_over_the_limit),
        TEST(what_follows_the_first_error_does_nothing),
        TEST(a_failed_allocation_keeps_what_is_there),
        TEST(numbers_are_big_endian),
        TEST(slices_have_the_order_of_their_bytes),
        TEST(checked_arithmetic_says_no_and_leaves_the_result),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
