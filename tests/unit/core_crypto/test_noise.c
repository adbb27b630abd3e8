/* tests/unit/core_crypto/test_noise.c -- every pattern, both ends, and every way to break one. The
 * bytes themselves are checked by noise_vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/box.h"
#include "core/crypto/noise.h"
#include "support_crypto.h"

enum { MESSAGES = 3 };

/* What the two ends of a handshake are given; a test spoils some of it before pair_open. */
struct pair {
    ml_noise_pattern pattern;
    struct ml_secret *local[2]; /* [0] initiator, [1] responder */
    struct ml_box_pk pk[2];
    struct ml_box_pk remote; /* what the initiator believes of the responder */
    struct ml_secret *psk[2];
    struct ml_slice prologue[2];
    struct ml_noise *end[2];
    struct ml_buf msg;
    struct ml_buf payload;
};

static bool has_psk(ml_noise_pattern pattern)
{
    return strstr(ml_noise_name(pattern), "psk") != NULL;
}

static bool is_xk(ml_noise_pattern pattern)
{
    return strstr(ml_noise_name(pattern), "XK") != NULL;
}

static void pair_init(struct pair *p, struct crypto_fixture *f, ml_noise_pattern pattern)
{
    memset(p, 0, sizeof(*p));
    p->pattern = pattern;
    ml_buf_init(&p->msg, f->env, (size_t)2 * ML_NOISE_MSG_MAX);
    ml_buf_init(&p->payload, f->env, (size_t)2 * ML_NOISE_MSG_MAX);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ml_box_keypair(&p->pk[i], &p->local[i], f->env), ML_OK);
        assert_int_equal(ml_secret_from(&p->psk[i], "0123456789abcdef0123456789abcdef", 32), ML_OK);
        p->prologue[i] = ml_slice_str("prologue");
    }
    p->remote = p->pk[1];
}

static struct ml_noise_args pair_args(const struct pair *p, size_t i)
{
    return (struct ml_noise_args){.pattern = p->pattern,
                                  .initiator = i == 0,
                                  .prologue = p->prologue[i],
                                  .local = p->local[i],
                                  .remote = i == 0 && is_xk(p->pattern) ? &p->remote : NULL,
                                  .psk = has_psk(p->pattern) ? p->psk[i] : NULL};
}

static void pair_open(struct pair *p, struct crypto_fixture *f)
{
    for (size_t i = 0; i < 2; i++) {
        const struct ml_noise_args args = pair_args(p, i);
        assert_int_equal(ml_noise_new(&p->end[i], f->env, &args), ML_OK);
    }
}

static void pair_close(struct pair *p)
{
    for (size_t i = 0; i < 2; i++) {
        ml_noise_free(p->end[i]);
        ml_secret_free(p->local[i]);
        ml_secret_free(p->psk[i]);
    }
    ml_buf_free(&p->msg);
    ml_buf_free(&p->payload);
}

/* Message `number` (from 0) is written into p->msg. */
static ml_err pair_write(struct pair *p, size_t number, struct ml_slice payload)
{
    ml_buf_clear(&p->msg);
    return ml_noise_write(p->end[number % 2], &p->msg, payload);
}

static ml_err pair_read(struct pair *p, size_t number)
{
    ml_buf_clear(&p->payload);
    return ml_noise_read(p->end[1 - number % 2], &p->payload, ml_buf_slice(&p->msg));
}

/* Runs messages from `first` on; the first error of either end, or OK when all passed. */
static ml_err pair_run(struct pair *p, size_t first)
{
    for (size_t i = first; i < MESSAGES; i++) {
        ml_err err = pair_write(p, i, ml_slice_str("payload"));
        err = err == ML_OK ? pair_read(p, i) : err;
        if (err != ML_OK) {
            return err;
        }
        assert_true(ml_slice_equal(ml_buf_slice(&p->payload), ml_slice_str("payload")));
    }
    return ML_OK;
}

static void exchange(struct ml_noise_cipher *from, struct ml_noise_cipher *to, const char *text)
{
    uint8_t bytes[64];
    const struct ml_slice plain = ml_slice_str(text);
    assert_int_equal(ml_noise_seal(from, bytes, plain, ml_slice_str("ad")), ML_OK);
    const struct ml_slice sealed = ml_slice(bytes, plain.len + ML_NOISE_TAG_BYTES);
    assert_int_equal(ml_noise_open(to, bytes, sealed, ml_slice_str("ad")), ML_OK);
    assert_memory_equal(bytes, text, plain.len);
}

static void every_pattern_ends_with_two_agreeing_ends(void **state)
{
    for (size_t pattern = 0; pattern < ML_NOISE_COUNT; pattern++) {
        struct pair p;
        struct ml_noise_cipher *c[2][2];
        uint8_t hash[2][ML_NOISE_HASH_BYTES];
        pair_init(&p, *state, (ml_noise_pattern)pattern);
        pair_open(&p, *state);
        assert_int_equal(pair_run(&p, 0), ML_OK);
        for (size_t i = 0; i < 2; i++) {
            assert_true(ml_noise_done(p.end[i]));
            assert_false(ml_noise_writes(p.end[i]));
            assert_int_equal(ml_noise_overhead(p.end[i]), 0);
            assert_memory_equal(ml_noise_remote(p.end[i])->b, p.pk[1 - i].b, 32);
            ml_noise_hash(p.end[i], hash[i]);
            assert_int_equal(ml_noise_split(p.end[i], &c[i][0], &c[i][1]), ML_OK);
            assert_true(ml_noise_done(p.end[i]));
            assert_int_equal(ml_noise_split(p.end[i], &c[i][0], &c[i][1]), ML_E_INVALID);
        }
        assert_memory_equal(hash[0], hash[1], sizeof(hash[0]));
        for (int round = 0; round < 3; round++) {
            exchange(c[0][0], c[1][1], "from the initiator");
            exchange(c[1][0], c[0][1], "from the responder");
        }
        for (size_t i = 0; i < 4; i++) {
            ml_noise_cipher_free(c[i / 2][i % 2]);
        }
        pair_close(&p);
    }
}

static void remote_key_is_told_only_once_proven(void **state)
{
    struct pair p;
    pair_init(&p, *state, ML_NOISE_XX);
    pair_open(&p, *state);
    for (size_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(pair_write(&p, i, ml_slice(NULL, 0)), ML_OK);
        assert_int_equal(ml_noise_remote(p.end[0]) != NULL, i > 1);
        assert_null(ml_noise_remote(p.end[1]));
        if (i == 2) { /* the key itself opens, the payload's tag doesn't */
            p.msg.data[p.msg.len - 1] ^= 1;
            assert_int_equal(pair_read(&p, i), ML_E_FORGED);
            assert_null(ml_noise_remote(p.end[1]));
        } else {
            assert_int_equal(pair_read(&p, i), ML_OK);
        }
    }
    pair_close(&p);
}

/* Changes byte `at` of a message; its length comes back in *len. */
static ml_err run_changed(struct crypto_fixture *f, ml_noise_pattern pattern, size_t number,
                          size_t at, size_t *len)
{
    struct pair p;
    pair_init(&p, f, pattern);
    pair_open(&p, f);
    for (size_t i = 0; i < number; i++) {
        assert_int_equal(pair_write(&p, i, ml_slice_str("payload")), ML_OK);
        assert_int_equal(pair_read(&p, i), ML_OK);
    }
    assert_int_equal(pair_write(&p, number, ml_slice_str("payload")), ML_OK);
    *len = p.msg.len;
    p.msg.data[at] ^= 0x10;
    ml_err err = pair_read(&p, number);
    err = err == ML_OK ? pair_run(&p, number + 1) : err;
    pair_close(&p);
    return err;
}

/* The ephemeral of a first message isn't authenticated by it: then a later message fails.  */
static void any_changed_byte_ends_in_forged(void **state)
{
    for (size_t i = 0; i < (size_t)ML_NOISE_COUNT * MESSAGES; i++) {
        size_t len = 1;
        for (size_t at = 0; at < len; at++) {
            assert_int_equal(
                run_changed(*state, (ml_noise_pattern)(i / MESSAGES), i % MESSAGES, at, &len),
                ML_E_FORGED);
        }
    }
}

static void any_shortened_message_is_refused(void **state)
{
    for (size_t pattern = 0; pattern < ML_NOISE_COUNT; pattern++) {
        for (size_t cut = 1; cut <= 200; cut++) {
            struct pair p;
            pair_init(&p, *state, (ml_noise_pattern)pattern);
            pair_open(&p, *state);
            assert_int_equal(pair_write(&p, 0, ml_slice(NULL, 0)), ML_OK);
            bool whole = cut > p.msg.len;
            p.msg.len -= whole ? 0 : cut;
            assert_int_equal(pair_read(&p, 0), whole ? ML_OK : ML_E_MALFORMED);
            assert_int_equal(pair_read(&p, 0), ML_E_INVALID);
            pair_close(&p);
        }
    }
}

enum spoil { PSK, PROLOGUE, REMOTE, PATTERN };

static ml_err run_spoilt(struct crypto_fixture *f, ml_noise_pattern pattern, enum spoil what)
{
    struct pair p;
    pair_init(&p, f, pattern);
    ml_secret_writable(p.psk[1])[31] ^= what == PSK;
    p.prologue[1].len -= what == PROLOGUE;
    p.remote = what == REMOTE ? p.pk[0] : p.remote;
    pair_open(&p, f);
    ml_err err = pair_run(&p, 0);
    pair_close(&p);
    return err;
}

static void ends_that_disagree_do_not_meet(void **state)
{
    for (size_t i = 0; i < ML_NOISE_COUNT; i++) {
        ml_noise_pattern pattern = (ml_noise_pattern)i;
        assert_int_equal(run_spoilt(*state, pattern, PROLOGUE), ML_E_FORGED);
        assert_int_equal(run_spoilt(*state, pattern, PSK), has_psk(pattern) ? ML_E_FORGED : ML_OK);
        assert_int_equal(run_spoilt(*state, pattern, REMOTE), is_xk(pattern) ? ML_E_FORGED : ML_OK);
    }
}

static void keys_must_fit_the_pattern(void **state)
{
    struct crypto_fixture *f = *state;
    struct pair p;
    struct ml_secret *odd = NULL;
    struct ml_noise *n = NULL;
    pair_init(&p, f, ML_NOISE_XKPSK3);
    assert_int_equal(ml_secret_new(&odd, 31), ML_OK);
    struct ml_noise_args bad[8];
    for (size_t i = 0; i < 8; i++) {
        bad[i] = pair_args(&p, i == 5 ? 1 : 0);
    }
    bad[0].psk = NULL;
    bad[1].psk = odd;
    bad[2].local = NULL;
    bad[3].local = odd;
    bad[4].remote = NULL;
    bad[5].remote = &p.remote;    /* the responder knows nobody beforehand */
    bad[6].pattern = ML_NOISE_XK; /* takes no psk */
    bad[7].pattern = ML_NOISE_COUNT;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(ml_noise_new(&n, f->env, &bad[i]), ML_E_INVALID);
        assert_null(n);
    }
    ml_secret_free(odd);
    pair_close(&p);
}

static void names_are_found_exactly(void **state)
{
    (void)state;
    ml_noise_pattern found = ML_NOISE_COUNT;
    for (size_t i = 0; i < ML_NOISE_COUNT; i++) {
        assert_true(ml_noise_find(&found, ml_noise_name((ml_noise_pattern)i)));
        assert_int_equal(found, i);
    }
    assert_string_equal(ml_noise_name(ML_NOISE_XKPSK3), "Noise_XKpsk3_25519_ChaChaPoly_BLAKE2b");
    assert_false(ml_noise_find(&found, "Noise_XX_25519_ChaChaPoly_SHA256"));
    assert_false(ml_noise_find(&found, "Noise_XX_25519_ChaChaPoly_BLAKE2bX"));
    assert_false(ml_noise_find(&found, ""));
}

static void a_call_out_of_turn_changes_nothing(void **state)
{
    struct pair p;
    struct ml_noise_cipher *c[2] = {NULL, NULL};
    pair_init(&p, *state, ML_NOISE_XK);
    pair_open(&p, *state);
    for (size_t i = 0; i < MESSAGES; i++) {
        struct ml_noise *writer = p.end[i % 2];
        struct ml_noise *reader = p.end[1 - i % 2];
        assert_int_equal(ml_noise_split(writer, &c[0], &c[1]), ML_E_INVALID);
        assert_int_equal(ml_noise_write(reader, &p.msg, ml_slice(NULL, 0)), ML_E_INVALID);
        assert_int_equal(ml_noise_read(writer, &p.msg, ml_slice("x", 1)), ML_E_INVALID);
        assert_int_equal(pair_write(&p, i, ml_slice_str("payload")), ML_OK);
        assert_int_equal(pair_read(&p, i), ML_OK);
    }
    assert_int_equal(ml_noise_write(p.end[1], &p.msg, ml_slice(NULL, 0)), ML_E_INVALID);
    assert_int_equal(ml_noise_read(p.end[0], &p.msg, ml_slice("x", 1)), ML_E_INVALID);
    assert_null(c[0]);
    pair_close(&p);
}

static void messages_hold_65535_bytes_and_no_more(void **state)
{
    static uint8_t big[ML_NOISE_MSG_MAX + 1];
    struct pair p;
    pair_init(&p, *state, ML_NOISE_XKPSK3);
    pair_open(&p, *state);
    for (size_t i = 0; i < MESSAGES; i++) {
        size_t fits = ML_NOISE_MSG_MAX - ml_noise_overhead(p.end[i % 2]);
        assert_int_equal(pair_write(&p, i, ml_slice(big, fits + 1)), ML_E_LIMIT);
        assert_int_equal(pair_write(&p, i, ml_slice(big, fits)), ML_OK);
        assert_int_equal(p.msg.len, ML_NOISE_MSG_MAX);
        assert_int_equal(pair_read(&p, i), ML_OK);
        assert_int_equal(p.payload.len, fits);
    }
    pair_close(&p);

    pair_init(&p, *state, ML_NOISE_XX);
    pair_open(&p, *state);
    assert_int_equal(ml_noise_read(p.end[1], &p.payload, ml_slice(big, sizeof(big))),
                     ML_E_MALFORMED);
    assert_int_equal(ml_noise_read(p.end[1], &p.payload, ml_slice(big, 32)), ML_E_INVALID);
    pair_close(&p);
}

static void small_order_ephemerals_are_forged(void **state)
{
    struct pair p;
    pair_init(&p, *state, ML_NOISE_XK); /* message 1 has e, es: the responder mixes it at once */
    pair_open(&p, *state);
    assert_int_equal(pair_write(&p, 0, ml_slice(NULL, 0)), ML_OK);
    memset(p.msg.data, 0, 32);
    assert_int_equal(pair_read(&p, 0), ML_E_FORGED);
    pair_close(&p);

    pair_init(&p, *state, ML_NOISE_XK);
    memset(&p.remote, 0, sizeof(p.remote)); /* the initiator was told a bad key */
    pair_open(&p, *state);
    assert_int_equal(pair_write(&p, 0, ml_slice(NULL, 0)), ML_E_FORGED);
    assert_int_equal(p.msg.len, 0);
    assert_int_equal(pair_write(&p, 0, ml_slice(NULL, 0)), ML_E_INVALID);
    pair_close(&p);
}

/* The block that ml_noise_new asked for last is its keys'. */
static void a_failed_and_a_split_handshake_keep_no_secret(void **state)
{
    static const uint8_t zeros[32];
    for (int fails = 0; fails < 2; fails++) {
        struct pair p;
        struct ml_noise_cipher *c[2] = {NULL, NULL};
        pair_init(&p, *state, ML_NOISE_XXPSK3);
        pair_open(&p, *state);
        const uint8_t *block = guard_last;
        size_t len = guard_last_len;
        assert_non_null(memmem(block, len, ml_secret_bytes(p.local[1]), 32));
        assert_non_null(memmem(block, len, ml_secret_bytes(p.psk[1]), 32));
        assert_int_equal(pair_write(&p, 0, ml_slice(NULL, 0)), ML_OK);
        p.msg.data[p.msg.len - 1] ^= fails != 0;
        ml_err err = pair_read(&p, 0);
        err = err == ML_OK ? pair_run(&p, 1) : err;
        assert_int_equal(err, fails ? ML_E_FORGED : ML_OK);
        if (!fails) {
            assert_int_equal(ml_noise_split(p.end[1], &c[0], &c[1]), ML_OK);
        }
        for (size_t at = 4; at + 32 <= len; at += 32) { /* beyond the length field: all zero */
            assert_memory_equal(block + at, zeros, 32);
        }
        ml_noise_cipher_free(c[0]);
        ml_noise_cipher_free(c[1]);
        pair_close(&p);
    }
}

/* Each call is failed at its 1st, 2nd ... allocation, then made again: nothing may have moved. */
static void a_failed_allocation_changes_nothing(void **state)
{
    struct crypto_fixture *f = *state;
    struct pair p;
    struct ml_noise_cipher *c[2] = {NULL, NULL};
    long nth = 1;
    pair_init(&p, f, ML_NOISE_XXPSK3);
    for (size_t i = 0; i < 2; i++) {
        const struct ml_noise_args args = pair_args(&p, i);
        for (nth = 1, fail_nth(f, nth); ml_noise_new(&p.end[i], f->env, &args) != ML_OK;) {
            assert_null(p.end[i]);
            fail_nth(f, ++nth);
        }
        assert_true(fake_spared(&f->fake));
        assert_int_equal(nth, 3);
    }
    for (size_t i = 0; i < MESSAGES; i++) {
        fail_nth(f, 1);
        ml_buf_free(&p.msg);
        assert_int_equal(pair_write(&p, i, ml_slice_str("payload")), ML_E_NOMEM);
        assert_int_equal(pair_write(&p, i, ml_slice_str("payload")), ML_OK);
        fail_nth(f, 1);
        ml_buf_free(&p.payload);
        assert_int_equal(pair_read(&p, i), ML_E_NOMEM);
        assert_int_equal(pair_read(&p, i), ML_OK);
    }
    for (nth = 1, fail_nth(f, nth); ml_noise_split(p.end[0], &c[0], &c[1]) != ML_OK;) {
        assert_null(c[0]);
        fail_nth(f, ++nth);
    }
    assert_true(fake_spared(&f->fake));
    assert_int_equal(nth, 5);
    ml_noise_cipher_free(c[0]);
    ml_noise_cipher_free(c[1]);
    fail_nth(f, 0);
    pair_close(&p);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_pattern_ends_with_two_agreeing_ends),
        TEST(remote_key_is_told_only_once_proven),
        TEST(any_changed_byte_ends_in_forged),
        TEST(any_shortened_message_is_refused),
        TEST(ends_that_disagree_do_not_meet),
        TEST(keys_must_fit_the_pattern),
        TEST(names_are_found_exactly),
        TEST(a_call_out_of_turn_changes_nothing),
        TEST(messages_hold_65535_bytes_and_no_more),
        TEST(small_order_ephemerals_are_forged),
        TEST(a_failed_and_a_split_handshake_keep_no_secret),
        TEST(a_failed_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
