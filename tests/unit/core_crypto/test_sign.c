/* tests/unit/core_crypto/test_sign.c -- Ed25519 as RFC 8032, and what verification refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/sign.h"
#include "support_crypto.h"

static const char seed_hex[] = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
static const char pk_hex[] = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
static const char sig_hex[] = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

static struct ml_secret *seed_of(const char *hex)
{
    struct ml_secret *seed = NULL;
    uint8_t bytes[32];
    unhex(bytes, sizeof(bytes), hex);
    assert_int_equal(ml_secret_from(&seed, bytes, sizeof(bytes)), ML_OK);
    return seed;
}

static void signs_as_rfc8032_test_2(void **state)
{
    (void)state;
    struct ml_secret *seed = seed_of(seed_hex);
    struct ml_sign_pk pk;
    uint8_t expect[64];
    uint8_t sig[64];
    ml_sign_pk_of(&pk, seed);
    unhex(expect, 32, pk_hex);
    assert_memory_equal(pk.b, expect, 32);
    ml_sign(sig, ml_slice("\x72", 1), seed);
    unhex(expect, 64, sig_hex);
    assert_memory_equal(sig, expect, 64);
    assert_int_equal(ml_sign_verify(&pk, ml_slice("\x72", 1), sig), ML_OK);
    ml_secret_free(seed);
}

static void any_flipped_bit_is_forged(void **state)
{
    (void)state;
    struct ml_sign_pk pk;
    uint8_t sig[64];
    uint8_t msg = 0x72;
    unhex(pk.b, 32, pk_hex);
    unhex(sig, 64, sig_hex);
    for (size_t bit = 0; bit < sizeof(sig) * 8; bit++) {
        sig[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(ml_sign_verify(&pk, ml_slice(&msg, 1), sig), ML_E_FORGED);
        sig[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t bit = 0; bit < sizeof(pk.b) * 8; bit++) {
        pk.b[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(ml_sign_verify(&pk, ml_slice(&msg, 1), sig), ML_E_FORGED);
        pk.b[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    msg ^= 1;
    assert_int_equal(ml_sign_verify(&pk, ml_slice(&msg, 1), sig), ML_E_FORGED);
}

/* S + L is the same scalar: accepting it would make signatures malleable. */
static void refuses_a_non_canonical_s(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    struct ml_sign_pk pk;
    uint8_t sig[64];
    unsigned carry = 0;
    unhex(pk.b, 32, pk_hex);
    unhex(sig, 64, sig_hex);
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)sig[32 + i] + order[i];
        sig[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(ml_sign_verify(&pk, ml_slice("\x72", 1), sig), ML_E_FORGED);
}

/* With a small-order key and R = S * B, some signature holds for every message. */
static void refuses_small_order_and_non_canonical_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", /* identity */
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* identity + p */
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
    };
    uint8_t sig[64] = {1}; /* R = identity, S = 0: valid for the identity key if it were allowed */
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct ml_sign_pk pk;
        unhex(pk.b, 32, keys[i]);
        assert_int_equal(ml_sign_verify(&pk, ml_slice("\x72", 1), sig), ML_E_FORGED);
    }
}

static void keypair_is_drawn_from_env_and_signs(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_sign_pk pk[2];
    struct ml_secret *seed[2] = {NULL, NULL};
    uint8_t sig[64];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ml_sign_keypair(&pk[i], &seed[i], f->env), ML_OK);
    }
    assert_memory_not_equal(pk[0].b, pk[1].b, 32);
    ml_sign(sig, ml_slice_str("msg"), seed[0]);
    assert_int_equal(ml_sign_verify(&pk[0], ml_slice_str("msg"), sig), ML_OK);
    assert_int_equal(ml_sign_verify(&pk[1], ml_slice_str("msg"), sig), ML_E_FORGED);
    ml_secret_free(seed[0]);
    ml_secret_free(seed[1]);
}

static void keypair_survives_a_failed_alloc(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_sign_pk pk = {{7}};
    struct ml_secret *seed = NULL;
    fail_nth(f, 1);
    assert_int_equal(ml_sign_keypair(&pk, &seed, f->env), ML_E_NOMEM);
    assert_null(seed);
    assert_int_equal(pk.b[0], 7);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(signs_as_rfc8032_test_2),
        TEST(any_flipped_bit_is_forged),
        TEST(refuses_a_non_canonical_s),
        TEST(refuses_small_order_and_non_canonical_keys),
        TEST(keypair_is_drawn_from_env_and_signs),
        TEST(keypair_survives_a_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
