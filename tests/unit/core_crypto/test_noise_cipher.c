/* tests/unit/core_crypto/test_noise_cipher.c -- one direction of a link: order, limits, rekeying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/noise_cipher.h"
#include "support_crypto.h"

static const struct ml_slice none = {NULL, 0};

struct link {
    struct ml_noise_cipher *from;
    struct ml_noise_cipher *to;
};

static void link_open(struct link *l, struct crypto_fixture *f, uint64_t count)
{
    static const uint8_t key[ML_KEY_BYTES] = {1, 2, 3};
    assert_int_equal(ml_noise_cipher_new(&l->from, f->env, key, count), ML_OK);
    assert_int_equal(ml_noise_cipher_new(&l->to, f->env, key, count), ML_OK);
}

static void link_close(struct link *l)
{
    ml_noise_cipher_free(l->from);
    ml_noise_cipher_free(l->to);
}

/* The expected bytes were made with another implementation (Python's cryptography). */
static void nonce_is_four_zero_bytes_then_little_endian(void **state)
{
    struct link l;
    uint8_t key[32];
    uint8_t out[32];
    uint8_t expect[32];
    for (size_t i = 0; i < 32; i++) {
        key[i] = (uint8_t)(0x80 + i);
    }
    assert_int_equal(ml_noise_cipher_new(&l.from, ((struct crypto_fixture *)*state)->env, key,
                                         0x4746454443424140u),
                     ML_OK);
    assert_int_equal(ml_noise_seal(l.from, out, ml_slice("maille", 6), ml_slice("ad", 2)), ML_OK);
    unhex(expect, sizeof(expect), "8579c6516b9fef4968a14671877a02ccd25f3abc3049");
    assert_memory_equal(out, expect, 22);
    ml_noise_cipher_free(l.from);
}

static void replayed_reordered_and_lost_messages_are_forged(void **state)
{
    struct link l;
    uint8_t msg[3][17];
    uint8_t out[17];
    link_open(&l, *state, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ml_noise_seal(l.from, msg[i], ml_slice("a", 1), none), ML_OK);
    }
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg[1], 17), none), ML_E_FORGED);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg[0], 17), none), ML_OK);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg[0], 17), none), ML_E_FORGED);
    assert_int_equal(ml_noise_cipher_count(l.to), 1);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg[1], 17), none), ML_OK);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg[2], 17), ml_slice("x", 1)), ML_E_FORGED);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg[2], 17), none), ML_OK);
    link_close(&l);
}

static void sizes_are_limited_on_both_sides(void **state)
{
    static uint8_t bytes[ML_NOISE_MSG_MAX + 1];
    struct link l;
    link_open(&l, *state, 0);
    assert_int_equal(ml_noise_seal(l.from, bytes, ml_slice(bytes, ML_NOISE_PLAIN_MAX + 1), none),
                     ML_E_LIMIT);
    assert_int_equal(ml_noise_cipher_count(l.from), 0);
    assert_int_equal(ml_noise_open(l.to, bytes, ml_slice(bytes, sizeof(bytes)), none),
                     ML_E_MALFORMED);
    assert_int_equal(ml_noise_open(l.to, bytes, ml_slice(bytes, 15), none), ML_E_MALFORMED);
    assert_int_equal(ml_noise_seal(l.from, bytes, ml_slice(bytes, ML_NOISE_PLAIN_MAX), none),
                     ML_OK);
    assert_int_equal(ml_noise_open(l.to, bytes, ml_slice(bytes, ML_NOISE_MSG_MAX), none), ML_OK);
    assert_int_equal(ml_noise_seal(l.from, bytes, none, none), ML_OK);
    assert_int_equal(ml_noise_open(l.to, bytes, ml_slice(bytes, 16), none), ML_OK);
    link_close(&l);
}

static void the_last_number_is_never_used(void **state)
{
    struct link l;
    uint8_t msg[17];
    uint8_t out[17];
    link_open(&l, *state, UINT64_MAX - 1);
    assert_int_equal(ml_noise_seal(l.from, msg, ml_slice("a", 1), none), ML_OK);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg, 17), none), ML_OK);
    assert_int_equal(ml_noise_seal(l.from, msg, ml_slice("a", 1), none), ML_E_LIMIT);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg, 17), none), ML_E_LIMIT);
    assert_true(ml_noise_cipher_count(l.from) == UINT64_MAX);
    link_close(&l);
}

static void rekey_is_section_4_2_and_keeps_the_count(void **state)
{
    struct link l;
    struct ml_noise_cipher *made = NULL;
    uint8_t key[32];
    uint8_t msg[17];
    uint8_t out[17];
    link_open(&l, *state, 7);
    ml_noise_rekey(l.from);
    assert_int_equal(ml_noise_cipher_count(l.from), 7);
    assert_int_equal(ml_noise_seal(l.from, msg, ml_slice("a", 1), none), ML_OK);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg, 17), none), ML_E_FORGED);
    ml_noise_rekey(l.to);
    assert_int_equal(ml_noise_open(l.to, out, ml_slice(msg, 17), none), ML_OK);
    /* ENCRYPT(k, 2^64 - 1, "", zeros), from another implementation */
    unhex(key, 32, "f4ac93b3ff32a020a1b31ce69fa8cab7d6262ab854d17332fe7b9e3d0569aff1");
    assert_int_equal(ml_noise_cipher_new(&made, ((struct crypto_fixture *)*state)->env, key, 7),
                     ML_OK);
    assert_int_equal(ml_noise_open(made, out, ml_slice(msg, 17), none), ML_OK);
    ml_noise_cipher_free(made);
    link_close(&l);
}

static void a_cipher_survives_a_failed_allocation(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_noise_cipher *c = NULL;
    static const uint8_t key[ML_KEY_BYTES];
    for (long nth = 1; nth <= 2; nth++) {
        fail_nth(f, nth);
        assert_int_equal(ml_noise_cipher_new(&c, f->env, key, 0), ML_E_NOMEM);
        assert_null(c);
    }
    ml_noise_cipher_free(NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nonce_is_four_zero_bytes_then_little_endian),
        TEST(replayed_reordered_and_lost_messages_are_forged),
        TEST(sizes_are_limited_on_both_sides),
        TEST(the_last_number_is_never_used),
        TEST(rekey_is_section_4_2_and_keeps_the_count),
        TEST(a_cipher_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
