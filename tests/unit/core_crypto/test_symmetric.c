/* tests/unit/core_crypto/test_symmetric.c -- BLAKE2b, HMAC, HKDF, XChaCha20-Poly1305 and Argon2id
 * against vectors, and what makes each refuse. Expected bytes without a source named are from
 * another implementation (Python's hashlib, hmac and cryptography). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/aead.h"
#include "core/crypto/hash.h"
#include "core/crypto/hkdf.h"
#include "core/crypto/pwhash.h"
#include "core/crypto/short_hash.h"
#include "support_crypto.h"

static void expect_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    uint8_t expect[256];
    assert_int_equal(unhex(expect, sizeof(expect), hex), len);
    assert_memory_equal(bytes, expect, len);
}

static void blake2b_is_rfc7693(void **state)
{
    (void)state;
    uint8_t out[64];
    struct ml_hash_state st;
    const struct ml_slice parts[] = {ml_slice_str("a"), ml_slice(NULL, 0), ml_slice_str("bc")};
    ml_hash_parts(out, 64, ml_slice(NULL, 0), parts, 3); /* RFC 7693, appendix A */
    expect_hex(out, 64,
               "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
               "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    uint8_t key[64];
    memset(key, 'k', sizeof(key));
    ml_hash_parts(out, 16, ml_slice(key, sizeof(key)), parts, 3);
    expect_hex(out, 16, "402d1d330dde5f7d1d9bbbe4e636aaf6");
    ml_hash_init(&st, 64, NULL, 0);
    for (size_t i = 0; i < 1000; i++) { /* across blocks */
        ml_hash_update(&st, "0123456789", 10);
    }
    ml_hash_final(&st, out, 64);
    expect_hex(out, 64,
               "4d762fbeb92a06e4f7b7702795076e952fd4bdce3b7f26567009768f5684fadb"
               "1637d647f494ecd2bd212b5cd1c4f4ff957272222e8b150d3592028464a34c24");
}

static void a_finished_hash_is_wiped(void **state)
{
    (void)state;
    static const uint8_t zeros[ML_HASH_STATE_BYTES];
    struct ml_hash_state st;
    uint8_t out[16];
    memset(&st, 1, sizeof(st));
    ml_hash_init(&st, 16, "key", 3);
    ml_hash_final(&st, out, 16);
    assert_memory_equal(st.opaque, zeros, sizeof(zeros));
}

static void short_hash_is_siphash_2_4(void **state)
{
    (void)state;
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    /* The paper's appendix A, key 00 01 .. 0f: of 15 bytes, and of none. */
    assert_true(ml_short_hash(bytes, bytes, 15) == UINT64_C(0xe545be4961ca29a1));
    assert_true(ml_short_hash(bytes, bytes, 0) == UINT64_C(0x310e0edd47db6f72));
}

static void hmac_pads_keys_up_to_a_block(void **state)
{
    (void)state;
    uint8_t out[64];
    uint8_t key[128];
    memset(key, 'k', sizeof(key));
    ml_hmac(out, ml_slice_str("key"), ml_slice_str("part one"), ml_slice_str("part two"));
    expect_hex(out, 64,
               "e3793775900158425665774d575407ddd071ccee93c8f615a4e0b33e986c0099"
               "59c9aa3a2cd996db944db9644e748f24a3c0cff8f748352e8b96c368aa33c7e6");
    ml_hmac(out, ml_slice(key, sizeof(key)), ml_slice(NULL, 0), ml_slice(NULL, 0));
    expect_hex(out, 64,
               "9360b930801a03afbd058728e63e1c999891d75ddc673979d5856d14ab82e3d6"
               "c419d5b89b3c5afbc319aab7fa7b7fd34e1e51faa74b14d6db6bfa0f5ce9fbb4");
}

static void hkdf_gives_1_to_3_outputs(void **state)
{
    (void)state;
    uint8_t ck[64];
    uint8_t out[192];
    for (size_t i = 0; i < sizeof(ck); i++) {
        ck[i] = (uint8_t)i;
    }
    ml_hkdf(out, 3, ck, ml_slice_str("input"));
    expect_hex(out, 192,
               "854ff4e7e6074bfe92f1a96cf706260641f9ba6fca788196587193a2664aed71"
               "dba5f8f8c078f3eedf196c3af46e417d0a8c8c43f79ead81c8714d03e501eded"
               "ce5595eb115a20218998812f1f84dad889b56b766edaad0fd39d8268762d3e9f"
               "56b6507ac77dc73ca13b4c2f0e4b704ef3c3c40d98920e63df5c70239610d8ab"
               "beb822d32dd50dffe84d52733d99602527506d06113800adb0420f3a909756ef"
               "18c4ce35880d93af067921ceeca8fe90a2a6f9dcd32d831d5b69467105193f19");
    uint8_t fewer[128];
    ml_hkdf(fewer, 2, ck, ml_slice_str("input"));
    assert_memory_equal(fewer, out, 128);
    ml_hkdf(ck, 1, ck, ml_slice_str("input")); /* over the chaining key itself */
    assert_memory_equal(ck, out, 64);
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static const char plain[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one "
    "tip for the future, sunscreen would be it.";
enum { PLAIN = sizeof(plain) - 1, SEALED = PLAIN + ML_AEAD_TAG_BYTES };
static const char sealed_hex[] =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e"
    "39"
    "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3ff"
    "f9"
    "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

struct aead_case {
    uint8_t key[32];
    uint8_t nonce[24];
    uint8_t ad[12];
    uint8_t sealed[SEALED];
};

static void aead_case_make(struct aead_case *c)
{
    for (size_t i = 0; i < 32; i++) {
        c->key[i] = (uint8_t)(0x80 + i);
    }
    for (size_t i = 0; i < 24; i++) {
        c->nonce[i] = (uint8_t)(0x40 + i);
    }
    unhex(c->ad, sizeof(c->ad), "50515253c0c1c2c3c4c5c6c7");
    assert_int_equal(unhex(c->sealed, SEALED, sealed_hex), SEALED);
}

static void aead_is_xchacha20_poly1305(void **state)
{
    (void)state;
    struct aead_case c;
    uint8_t out[SEALED];
    uint8_t tag[ML_AEAD_TAG_BYTES];
    aead_case_make(&c);
    const uint8_t *nonce_and_key[2] = {c.nonce, c.key};
    const struct ml_slice ad = {c.ad, sizeof(c.ad)};
    ml_aead_seal(out, ml_slice(plain, PLAIN), ad, c.nonce, c.key);
    assert_memory_equal(out, c.sealed, SEALED);
    memcpy(out, plain, PLAIN);
    ml_aead_seal(out, ml_slice(out, PLAIN), ad, c.nonce, c.key); /* in place */
    assert_memory_equal(out, c.sealed, SEALED);
    assert_int_equal(ml_aead_open(out, ml_slice(out, SEALED), ad, c.nonce, c.key), ML_OK);
    assert_memory_equal(out, plain, PLAIN);
    ml_aead_seal_detached(out, tag, ml_slice(out, PLAIN), ad, nonce_and_key);
    assert_memory_equal(out, c.sealed, PLAIN);
    assert_memory_equal(tag, c.sealed + PLAIN, sizeof(tag));
    assert_int_equal(ml_aead_open_detached(out, tag, ml_slice(out, PLAIN), ad, nonce_and_key),
                     ML_OK);
    assert_memory_equal(out, plain, PLAIN);
}

static ml_err open_case(const struct aead_case *c, size_t sealed_len, size_t ad_len)
{
    uint8_t out[SEALED];
    static const uint8_t zeros[SEALED];
    memset(out, 1, sizeof(out));
    ml_err err = ml_aead_open(out, ml_slice(c->sealed, sealed_len), ml_slice(c->ad, ad_len),
                              c->nonce, c->key);
    if (err != ML_OK && sealed_len > ML_AEAD_TAG_BYTES) {
        assert_memory_equal(out, zeros, sealed_len - ML_AEAD_TAG_BYTES); /* nothing to read */
    }
    return err;
}

static void any_flipped_bit_is_forged(void **state)
{
    (void)state;
    struct aead_case c;
    uint8_t *bytes = (uint8_t *)&c; /* key, nonce, associated data, ciphertext and tag in turn */
    _Static_assert(sizeof(c) == 32 + 24 + 12 + SEALED, "no padding");
    aead_case_make(&c);
    for (size_t bit = 0; bit < sizeof(c) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(open_case(&c, SEALED, sizeof(c.ad)), ML_E_FORGED);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t len = 0; len < SEALED; len++) {
        assert_int_equal(open_case(&c, len, sizeof(c.ad)), ML_E_FORGED);
    }
    assert_int_equal(open_case(&c, SEALED, sizeof(c.ad) - 1), ML_E_FORGED);
    assert_int_equal(open_case(&c, SEALED, sizeof(c.ad)), ML_OK);
    const uint8_t *nonce_and_key[2] = {c.nonce, c.key};
    uint8_t out[SEALED];
    c.sealed[PLAIN] ^= 1;
    assert_int_equal(ml_aead_open_detached(out, c.sealed + PLAIN, ml_slice(c.sealed, PLAIN),
                                           ml_slice(c.ad, sizeof(c.ad)), nonce_and_key),
                     ML_E_FORGED);
}

/* The draws of a resumed machine image: nothing may differ but what is named. */
static void a_drawn_nonce_is_hedged(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        const char *ad;
        uint8_t key;
    } cases[] = {{"p", "a", 1}, {"q", "a", 1}, {"p", "b", 1}, {"p", "a", 2},
                 {"", "pa", 1}, {"ap", "", 1}, {"p", "a", 1}};
    uint8_t nonce[7][ML_AEAD_NONCE_BYTES];
    for (size_t i = 0; i < 7; i++) {
        struct fake_env image;
        uint8_t key[ML_AEAD_KEY_BYTES] = {cases[i].key};
        fake_env_init(&image, i == 6 ? 6 : 5);
        ml_aead_nonce(nonce[i], &image.env, ml_slice_str(cases[i].plain), ml_slice_str(cases[i].ad),
                      key);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(nonce[i], nonce[j], sizeof(nonce[i]));
        }
    }
}

static void argon2id_is_version_13_with_one_lane(void **state)
{
    (void)state;
    struct ml_secret *out = NULL;
    uint8_t salt[ML_PWHASH_SALT_BYTES];
    const struct ml_pwhash_cost cost = {2, 64};
    for (size_t i = 0; i < sizeof(salt); i++) {
        salt[i] = (uint8_t)i;
    }
    assert_int_equal(ml_pwhash(&out, ml_slice_str("correct horse"), salt, &cost), ML_OK);
    expect_hex(ml_secret_bytes(out), 32,
               "9c87c06898bc18516669b54a8b95d36e622946494d7a55c26f391a0406068c19");
    ml_secret_free(out);
    assert_int_equal(ml_pwhash(&out, ml_slice(NULL, 0), salt, &cost), ML_OK);
    ml_secret_free(out);
}

/* Whether both hash to the same key. */
static bool same_key(struct ml_slice a, struct ml_slice b)
{
    static const uint8_t salt[ML_PWHASH_SALT_BYTES];
    const struct ml_pwhash_cost cheap = {1, 8};
    struct ml_secret *x = NULL;
    struct ml_secret *y = NULL;
    assert_int_equal(ml_pwhash(&x, a, salt, &cheap), ML_OK);
    assert_int_equal(ml_pwhash(&y, b, salt, &cheap), ML_OK);
    bool same = ml_secret_equal(x, y);
    ml_secret_free(x);
    ml_secret_free(y);
    return same;
}

static void a_passphrase_is_the_same_however_its_accents_are_typed(void **state)
{
    (void)state;
    const struct ml_slice composed = ml_slice_str("\xc3\xa9t\xc3\xa9 \xc3\xa0 No\xc3\xabl");
    const struct ml_slice combining = ml_slice_str("e\xcc\x81te\xcc\x81 a\xcc\x80 Noe\xcc\x88l");
    const struct ml_slice no_break =
        ml_slice_str("\xc3\xa9t\xc3\xa9\xc2\xa0\xc3\xa0\xe2\x80\xafNo\xc3\xabl");
    assert_true(same_key(composed, combining));
    assert_true(same_key(composed, no_break));
    assert_false(same_key(composed, ml_slice_str("ete a Noel")));
    assert_false(same_key(composed, ml_slice_str("\xc3\xa8t\xc3\xa9 \xc3\xa0 No\xc3\xabl")));
    assert_false(same_key(ml_slice_str("\xff\xfe"), ml_slice_str("\xff\xfd"))); /* no UTF-8 */
}

static void a_letter_of_three_points_has_room_in_a_long_passphrase(void **state)
{
    static const char letter[] = "\xce\x90"; /* iota with dialytika and tonos */
    static const char no_break[] = "\xc2\xa0";
    enum { LETTERS_BYTES = ML_PASSPHRASE_BYTES_MAX - 2 };
    char typed[LETTERS_BYTES + 2];
    char spaced[LETTERS_BYTES + 1];
    (void)state;
    for (size_t i = 0; i < LETTERS_BYTES; i++) {
        typed[i] = letter[i % 2];
        spaced[i] = letter[i % 2];
    }
    typed[LETTERS_BYTES] = no_break[0];
    typed[LETTERS_BYTES + 1] = no_break[1];
    spaced[LETTERS_BYTES] = ' ';
    assert_true(same_key(ml_slice(typed, sizeof(typed)), ml_slice(spaced, sizeof(spaced))));
}

static void costs_have_limits_on_both_sides(void **state)
{
    struct crypto_fixture *f = *state;
    static const struct {
        struct ml_pwhash_cost cost;
        bool fits;
        bool test;
    } cases[] = {
        {{0, 65536}, false, true},   {{1, 65536}, true, true},     {{2, 65536}, true, true},
        {{3, 65536}, true, false},   {{255, 65536}, true, false},  {{256, 65536}, false, false},
        {{3, 7}, false, true},       {{3, 8}, true, true},         {{3, 65535}, true, true},
        {{3, 1048576}, true, false}, {{3, 1048577}, false, false},
    };
    static const uint8_t salt[ML_PWHASH_SALT_BYTES];
    static const char words[ML_PASSPHRASE_BYTES_MAX + 1];
    struct ml_secret *out = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ml_pwhash_cost_fits(&cases[i].cost), cases[i].fits);
        assert_int_equal(ml_pwhash_is_test(&cases[i].cost), cases[i].test);
        if (!cases[i].fits) {
            assert_int_equal(ml_pwhash(&out, ml_slice_str("x"), salt, &cases[i].cost),
                             ML_E_INVALID);
        }
    }
    const struct ml_pwhash_cost cheap = {1, 8};
    assert_int_equal(ml_pwhash(&out, ml_slice(words, sizeof(words)), salt, &cheap), ML_E_INVALID);
    fail_nth(f, 1);
    assert_int_equal(ml_pwhash(&out, ml_slice_str("x"), salt, &cheap), ML_E_NOMEM);
    assert_null(out);
    assert_int_equal(ml_pwhash(&out, ml_slice(words, sizeof(words) - 1), salt, &cheap), ML_OK);
    ml_secret_free(out);
}

/* A clock that says how long the trial of eight passes took. */
static uint64_t trial_ms;
static unsigned ticks;

static uint64_t ticking(void *ctx)
{
    struct fake_env *f = ctx;
    uint64_t now = f->now_ms;
    f->now_ms += ticks++ == 0 ? 3 * trial_ms : trial_ms; /* the first trial is slower */
    return now;
}

static void calibration_aims_at_half_a_second(void **state)
{
    struct crypto_fixture *f = *state;
    static const struct {
        uint64_t trial_ms;
        uint32_t passes;
    } cases[] = {{250, 16}, {400, 10}, {800, 5}, {1333, 3}, {9000, 3}, {0, 255}, {1, 255}};
    f->fake.env.now_ms = ticking;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ml_pwhash_cost cost = {0, 0};
        trial_ms = cases[i].trial_ms;
        ticks = 0;
        assert_int_equal(ml_pwhash_calibrate(&cost, f->env), ML_OK);
        assert_int_equal(cost.passes, cases[i].passes);
        assert_int_equal(cost.memory_kib, ML_PWHASH_MEMORY_KIB);
        assert_false(ml_pwhash_is_test(&cost));
    }
    struct ml_pwhash_cost cost = {7, 7};
    fail_nth(f, 1);
    assert_int_equal(ml_pwhash_calibrate(&cost, f->env), ML_E_NOMEM);
    assert_int_equal(cost.passes, 7);
}

static void passphrases_have_a_floor(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ml_passphrase_verdict expect;
    } cases[] = {
        {"", ML_PASSPHRASE_SHORT},
        {"abcdefghijk", ML_PASSPHRASE_SHORT},
        {"abcdefghijkl", ML_PASSPHRASE_GOOD},
        {"\xc3\xa9t\xc3\xa9 \xc3\xa0 h\xc3\xb4tel", ML_PASSPHRASE_SHORT}, /* 11 characters */
        {"\xc3\xa9t\xc3\xa9 \xc3\xa0 h\xc3\xb4tels", ML_PASSPHRASE_GOOD},
        {"aaaaaaaaaaaaaaaaaaaa", ML_PASSPHRASE_REPEATS},
        {"abcdabcdabcd", ML_PASSPHRASE_REPEATS},
        {"abcdeabcdeab", ML_PASSPHRASE_GOOD},
        {"tab\there and on", ML_PASSPHRASE_NOT_TEXT},
        {"delete\x7fhere and on", ML_PASSPHRASE_NOT_TEXT},
        {"latin1 \xe9 text here", ML_PASSPHRASE_NOT_TEXT},
        {"cut in a character \xc3", ML_PASSPHRASE_NOT_TEXT},
        {"overlong \xc0\xaf here", ML_PASSPHRASE_NOT_TEXT},
        {"surrogate \xed\xa0\x80 here", ML_PASSPHRASE_NOT_TEXT},
        {"beyond \xf4\x90\x80\x80 here", ML_PASSPHRASE_NOT_TEXT},
        {"emoji \xf0\x9f\x98\x80 here", ML_PASSPHRASE_GOOD},
        {"third byte \xe2\x82\x28 here", ML_PASSPHRASE_NOT_TEXT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ml_passphrase_check(ml_slice_str(cases[i].text)), cases[i].expect);
    }
    char words[ML_PASSPHRASE_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof(words); i++) {
        words[i] = (char)('a' + i % 26);
    }
    assert_int_equal(ml_passphrase_check(ml_slice(words, sizeof(words))), ML_PASSPHRASE_LONG);
    assert_int_equal(ml_passphrase_check(ml_slice(words, sizeof(words) - 1)), ML_PASSPHRASE_GOOD);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_passphrase_is_the_same_however_its_accents_are_typed),
        TEST(a_letter_of_three_points_has_room_in_a_long_passphrase),
        TEST(blake2b_is_rfc7693),
        TEST(a_finished_hash_is_wiped),
        TEST(short_hash_is_siphash_2_4),
        TEST(hmac_pads_keys_up_to_a_block),
        TEST(hkdf_gives_1_to_3_outputs),
        TEST(aead_is_xchacha20_poly1305),
        TEST(any_flipped_bit_is_forged),
        TEST(a_drawn_nonce_is_hedged),
        TEST(argon2id_is_version_13_with_one_lane),
        TEST(costs_have_limits_on_both_sides),
        TEST(calibration_aims_at_half_a_second),
        TEST(passphrases_have_a_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
