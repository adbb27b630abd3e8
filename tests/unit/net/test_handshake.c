/* tests/unit/net/test_handshake.c -- the opening of a link as bytes: what is bound, what it costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "core/crypto/box.h"
#include "fake_env.h"
#include "net/link/handshake.h"

struct fixture {
    struct fake_env fake;
    struct ml_identities ids;
    struct ml_secret *keys[2], *psk, *mac;
    struct ml_secret *past; /* of epochs 2, 2 and 1 */
    struct ml_box_pk pks[2];
    struct ml_handshake answer, dial;
    struct ml_buf to_answer, to_dial;
    struct ml_link_identity identity;
};

static struct ml_secret *secret(uint8_t fill)
{
    struct ml_secret *s = NULL;
    uint8_t bytes[32];
    memset(bytes, fill, sizeof(bytes));
    assert_int_equal(ml_secret_from(&s, bytes, sizeof(bytes)), ML_OK);
    return s;
}

struct dialled {
    uint32_t epoch;
    const struct ml_secret *psk;
    const struct ml_secret *mac;
};

static void begin_by(struct fixture *f, const struct dialled *by)
{
    const struct ml_handshake_dial dial = {.kind = ML_LINK_KNOWN,
                                           .org = f->identity.org,
                                           .epoch = by->epoch,
                                           .noise_static = f->keys[1],
                                           .psk = by->psk,
                                           .mac = by->mac,
                                           .remote = f->pks[0]};
    ml_buf_clear(&f->to_answer);
    ml_buf_clear(&f->to_dial);
    ml_handshake_free(&f->answer);
    ml_handshake_free(&f->dial);
    ml_handshake_answer(&f->answer, &f->fake.env, &f->ids);
    assert_int_equal(ml_handshake_dial(&f->dial, &f->fake.env, &dial), ML_OK);
    assert_int_equal(ml_handshake_begin(&f->answer, &f->to_dial), ML_OK);
    assert_int_equal(ml_handshake_begin(&f->dial, &f->to_answer), ML_OK);
}

static void begin(struct fixture *f)
{
    const struct dialled latest = {3, f->psk, f->mac};
    begin_by(f, &latest);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 2);
    assert_int_equal(ml_crypto_init(), ML_OK);
    f.psk = secret(1);
    f.mac = secret(2);
    assert_int_equal(ml_secret_new(&f.past, 3 * (size_t)ML_NETWORK_PAST_KEYS), ML_OK);
    for (size_t i = 0; i < 6; i++) {
        memset(ml_secret_writable(f.past) + i * ML_KEY_BYTES, (int)(0x40 + i), ML_KEY_BYTES);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ml_box_keypair(&f.pks[i], &f.keys[i], &f.fake.env), ML_OK);
    }
    f.identity = (struct ml_link_identity){.org = {{0x11}},
                                           .noise_static = f.keys[0],
                                           .network_psk = f.psk,
                                           .network_mac = f.mac,
                                           .network_epoch = 3,
                                           .past_count = 3,
                                           .past_epochs = {2, 2, 1},
                                           .past_keys = f.past};
    assert_int_equal(ml_identities_set(&f.ids, &f.identity), ML_OK);
    ml_buf_init(&f.to_answer, &f.fake.env, 1024);
    ml_buf_init(&f.to_dial, &f.fake.env, 1024);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_handshake_free(&f->answer);
    ml_handshake_free(&f->dial);
    ml_identities_free(&f->ids);
    ml_buf_free(&f->to_answer);
    ml_buf_free(&f->to_dial);
    ml_secret_free(f->keys[0]);
    ml_secret_free(f->keys[1]);
    ml_secret_free(f->psk);
    ml_secret_free(f->mac);
    ml_secret_free(f->past);
    return f->fake.live == 0 ? 0 : -1;
}

/* Gives all of `in` to `h`, in pieces of `step` bytes; empties `in`. */
static ml_err give(struct ml_handshake *h, struct ml_buf *out, struct ml_buf *in, size_t step)
{
    ml_err err = ML_OK;
    for (size_t at = 0; at < in->len && err == ML_OK;) {
        size_t used = 0;
        size_t n = step < in->len - at ? step : in->len - at;
        err = ml_handshake_feed(h, out, &used, ml_slice(in->data + at, n));
        assert_true(err != ML_OK || used == n);
        at += n;
    }
    ml_buf_clear(in);
    return err;
}

static ml_err run(struct fixture *f, size_t step)
{
    ml_err err = ML_OK;
    for (unsigned i = 0; i < 3 && err == ML_OK; i++) {
        err = give(&f->dial, &f->to_answer, &f->to_dial, step);
        err = err == ML_OK ? give(&f->answer, &f->to_dial, &f->to_answer, step) : err;
    }
    return err;
}

static void both_ends_agree_however_the_bytes_are_cut(void **state)
{
    struct fixture *f = *state;
    for (size_t step = 1; step <= 200; step += 7) {
        uint8_t hashes[2][ML_NOISE_HASH_BYTES];
        begin(f);
        assert_int_equal(run(f, step), ML_OK);
        assert_true(ml_handshake_done(&f->answer) && ml_handshake_done(&f->dial));
        ml_noise_hash(f->answer.noise, hashes[0]);
        ml_noise_hash(f->dial.noise, hashes[1]);
        assert_memory_equal(hashes[0], hashes[1], sizeof(hashes[0]));
        assert_memory_equal(ml_noise_remote(f->answer.noise), &f->pks[1], sizeof(f->pks[1]));
    }
}

static void no_byte_of_the_preamble_can_be_changed_on_the_way(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 1; i < 1 + 1 + 4 + 16 + 2 + 48; i++) { /* byte 0: see the next test */
        begin(f);
        assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_OK);
        f->to_answer.data[i] ^= 1;
        ml_err err = give(&f->answer, &f->to_dial, &f->to_answer, 99);
        assert_true(err == ML_E_FORGED || err == ML_E_MALFORMED);
        assert_null(f->answer.noise);
    }
}

static void a_version_changed_on_the_way_fails_the_mac(void **state)
{
    struct fixture *f = *state;
    begin(f);
    f->to_dial.data[0] = ML_LINK_VERSION + 1; /* the dialler believes in a newer answerer */
    assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_OK);
    assert_int_equal(give(&f->answer, &f->to_dial, &f->to_answer, 99), ML_E_FORGED);
    begin(f);
    f->to_answer.data[0] = ML_LINK_VERSION + 1; /* and the answerer in a newer dialler */
    assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_OK);
    assert_int_equal(give(&f->answer, &f->to_dial, &f->to_answer, 99), ML_E_FORGED);
    begin(f);
    f->to_dial.data[0] = ML_LINK_VERSION_LEAST - 1;
    assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_E_VERSION);
}

/* Each says its highest version; both are bound, neither is a reason not to talk. */
static void a_later_program_and_this_one_link_whoever_dials(void **state)
{
    struct fixture *f = *state;
    for (unsigned later = 0; later < 2; later++) {
        begin(f);
        struct ml_handshake *h = later == 0 ? &f->dial : &f->answer;
        struct ml_buf *said = later == 0 ? &f->to_answer : &f->to_dial;
        ml_buf_clear(said);
        h->own_version = ML_LINK_VERSION + 1;
        assert_int_equal(ml_handshake_begin(h, said), ML_OK);
        assert_int_equal(run(f, 99), ML_OK);
        assert_true(ml_handshake_done(&f->answer) && ml_handshake_done(&f->dial));
    }
}

static void nothing_is_allocated_before_the_mac_is_right(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_OK);
    f->to_answer.data[10] ^= 1;
    long live = f->fake.live;
    f->fake.fail_alloc = 1; /* the first would be seen */
    assert_int_equal(give(&f->answer, &f->to_dial, &f->to_answer, 99), ML_E_FORGED);
    assert_int_equal(f->fake.fail_alloc, 1);
    assert_int_equal(f->fake.live, live);
    f->fake.fail_alloc = 0;
}

static void another_epoch_is_refused(void **state)
{
    struct fixture *f = *state;
    f->identity.network_epoch = 4;
    assert_int_equal(ml_identities_set(&f->ids, &f->identity), ML_OK);
    begin(f);
    assert_int_equal(run(f, 99), ML_E_FORGED);
}

/* Each by the keys of its own, also where two have one number; both ends say which it was. */
static void every_epoch_of_the_past_is_answered(void **state)
{
    static const uint32_t epochs[] = {2, 2, 1};
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        struct ml_secret *psk = secret((uint8_t)(0x40 + 2 * i));
        struct ml_secret *mac = secret((uint8_t)(0x41 + 2 * i));
        const struct dialled by = {epochs[i], psk, mac};
        begin_by(f, &by);
        assert_int_equal(run(f, 99), ML_OK);
        assert_true(ml_handshake_done(&f->answer) && ml_handshake_done(&f->dial));
        assert_int_equal(f->answer.epoch, epochs[i]);
        assert_int_equal(f->dial.epoch, epochs[i]);
        ml_secret_free(psk);
        ml_secret_free(mac);
    }
}

/* The right number with another's mac key, an unknown number, the right mac key with another's psk:
 * before the mac is right nothing is allocated. */
static void an_epoch_is_its_number_its_mac_and_its_psk(void **state)
{
    struct fixture *f = *state;
    struct ml_secret *psk = secret(0x40);
    struct ml_secret *mac = secret(0x41);
    const struct dialled no_mac[] = {{2, psk, f->mac}, {1, psk, mac}, {9, psk, mac}, {0, psk, mac}};
    for (size_t i = 0; i < sizeof(no_mac) / sizeof(no_mac[0]); i++) {
        begin_by(f, &no_mac[i]);
        assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_OK);
        assert_true(ml_handshake_knocks(&f->dial));
        f->fake.fail_alloc = 1;
        assert_int_equal(give(&f->answer, &f->to_dial, &f->to_answer, 99), ML_E_FORGED);
        assert_int_equal(f->fake.fail_alloc, 1);
        f->fake.fail_alloc = 0;
        assert_null(f->answer.noise);
    }
    const struct dialled no_psk = {2, f->psk, mac};
    begin_by(f, &no_psk);
    assert_int_equal(run(f, 99), ML_E_FORGED);
    assert_false(ml_handshake_done(&f->answer));
    ml_secret_free(psk);
    ml_secret_free(mac);
}

static void bytes_behind_the_last_message_are_left(void **state)
{
    struct fixture *f = *state;
    size_t used = 0;
    begin(f);
    assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_OK);
    assert_int_equal(give(&f->answer, &f->to_dial, &f->to_answer, 99), ML_OK);
    assert_int_equal(give(&f->dial, &f->to_answer, &f->to_dial, 99), ML_OK);
    size_t third = f->to_answer.len;
    ml_buf_append(&f->to_answer, "a frame", 7);
    assert_int_equal(ml_handshake_feed(&f->answer, &f->to_dial, &used, ml_buf_slice(&f->to_answer)),
                     ML_OK);
    assert_int_equal(used, third);
    assert_true(ml_handshake_done(&f->answer));
}

static void identities_end_at_their_limit(void **state)
{
    struct fixture *f = *state;
    for (uint8_t i = 1; i < ML_IDENTITIES_MAX; i++) {
        f->identity.org.b[1] = i;
        assert_int_equal(ml_identities_set(&f->ids, &f->identity), ML_OK);
    }
    f->identity.org.b[1] = ML_IDENTITIES_MAX;
    assert_int_equal(ml_identities_set(&f->ids, &f->identity), ML_E_LIMIT);
    f->identity.org.b[1] = 1;
    assert_int_equal(ml_identities_set(&f->ids, &f->identity), ML_OK); /* replaced */
    ml_identities_clear(&f->ids, &f->identity.org);
    assert_null(ml_identities_find(&f->ids, &f->identity.org));
    f->identity.org.b[1] = ML_IDENTITIES_MAX;
    assert_int_equal(ml_identities_set(&f->ids, &f->identity), ML_OK);
}

static void each_failed_allocation_leaks_nothing(void **state)
{
    struct fixture *f = *state;
    for (long n = 1;; n++) {
        begin(f);
        f->fake.fail_alloc = n;
        ml_err err = run(f, 99);
        bool left = f->fake.fail_alloc > 0;
        f->fake.fail_alloc = 0;
        if (left) {
            assert_int_equal(err, ML_OK);
            return;
        }
        assert_int_equal(err, ML_E_NOMEM);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(both_ends_agree_however_the_bytes_are_cut),
        T(no_byte_of_the_preamble_can_be_changed_on_the_way),
        T(a_version_changed_on_the_way_fails_the_mac),
        T(a_later_program_and_this_one_link_whoever_dials),
        T(nothing_is_allocated_before_the_mac_is_right),
        T(another_epoch_is_refused),
        T(every_epoch_of_the_past_is_answered),
        T(an_epoch_is_its_number_its_mac_and_its_psk),
        T(bytes_behind_the_last_message_are_left),
        T(identities_end_at_their_limit),
        T(each_failed_allocation_leaks_nothing),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
