/* test_gf128.c -- the field that shares of sensitive keys are cut in: its axioms, and two products
 * that the polynomial fixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/crypto/gf128.h"

static const struct ml_gf128 one = {1, 0};

/* Elements that differ in every bit now and then; the first are small. */
static struct ml_gf128 element(uint64_t i)
{
    const uint64_t mixed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return i < 4 ? (struct ml_gf128){i, 0}
                 : (struct ml_gf128){mixed ^ mixed >> 31, mixed * mixed + i};
}

static void assert_same(struct ml_gf128 a, struct ml_gf128 b)
{
    assert_true(a.lo == b.lo && a.hi == b.hi);
}

static void bytes_are_little_endian(void **state)
{
    (void)state;
    uint8_t bytes[ML_GF128_BYTES] = {[0] = 1, [7] = 0x80, [8] = 2, [15] = 0x40};
    uint8_t again[ML_GF128_BYTES];
    const struct ml_gf128 a = ml_gf128_of(bytes);
    assert_same(a, (struct ml_gf128){UINT64_C(0x8000000000000001), UINT64_C(0x4000000000000002)});
    ml_gf128_put(again, a);
    assert_memory_equal(again, bytes, sizeof(bytes));
}

/* x * x^127 = x^128 = x^7 + x^2 + x + 1; (x^127)^2 = x^254, worked out by hand. */
static void the_polynomial_is_that_of_gcm(void **state)
{
    (void)state;
    const struct ml_gf128 x = {2, 0};
    const struct ml_gf128 high = {0, UINT64_C(1) << 63};
    assert_same(ml_gf128_mul(x, high), (struct ml_gf128){0x87, 0});
    struct ml_gf128 power = high;
    for (unsigned i = 0; i < 127; i++) {
        power = ml_gf128_mul(power, x);
    }
    assert_same(ml_gf128_mul(high, high), power);
    assert_same(ml_gf128_mul((struct ml_gf128){0, 1}, (struct ml_gf128){0, 1}),
                (struct ml_gf128){0x87, 0}); /* x^64 twice */
}

static void it_is_a_field(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 40; i++) {
        const struct ml_gf128 a = element(i);
        const struct ml_gf128 b = element(i + 7);
        const struct ml_gf128 c = element(i * 3 + 11);
        assert_same(ml_gf128_mul(a, one), a);
        assert_same(ml_gf128_mul(a, b), ml_gf128_mul(b, a));
        assert_same(ml_gf128_mul(ml_gf128_mul(a, b), c), ml_gf128_mul(a, ml_gf128_mul(b, c)));
        assert_same(ml_gf128_mul(a, ml_gf128_add(b, c)),
                    ml_gf128_add(ml_gf128_mul(a, b), ml_gf128_mul(a, c)));
        assert_same(ml_gf128_mul(a, ml_gf128_inv(a)), i == 0 ? (struct ml_gf128){0, 0} : one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_little_endian),
        cmocka_unit_test(the_polynomial_is_that_of_gcm),
        cmocka_unit_test(it_is_a_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
