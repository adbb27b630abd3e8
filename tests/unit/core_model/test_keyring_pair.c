/* test_keyring_pair.c -- pairs that are handed to members, and what the emergency pair opens: one
 * rule of keyring_pair.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/key_id.h"
#include "core/crypto/secret.h"
#include "core/model/keyring_pair.h"
#include "support_people.h"

enum { PEOPLE = 3 };

static int setup(void **state)
{
    static struct people f;
    people_init(&f, 12, PEOPLE);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    return people_free(*state);
}

/* To the first `count` people: a new pair, or that of `secret`. */
static ml_err hand(struct people *f, size_t count, const struct ml_secret *secret)
{
    struct ml_box_pk to[PEOPLE];
    const size_t first = f->log.count;
    for (size_t i = 0; i < count; i++) {
        to[i] = f->who[i].pk;
    }
    const struct ml_pair_args args = {.kind = ML_PAIR_EMERGENCY,
                                      .members = to,
                                      .count = count,
                                      .secret = secret,
                                      .recovery = &f->recovery_pk};
    const ml_err err = ml_keyring_make_pair(f->who[0].ring, &args, key_log_add, &f->log);
    people_hear(f, first);
    return err;
}

static const struct ml_secret *held(const struct people *f, size_t who)
{
    const struct ml_keyring *k = f->who[who].ring;
    const struct ml_box_pk *pair = ml_keyring_pair(k, ML_PAIR_EMERGENCY);
    return pair == NULL ? NULL : ml_keyring_pair_secret(k, ML_PAIR_EMERGENCY, pair);
}

static void epoch(struct people *f, ml_compartment compartment)
{
    const struct ml_epoch_recipient me = {f->who[0].pk, true};
    const struct ml_epoch_args args = {.team = f->team,
                                       .compartment = compartment,
                                       .recipients = &me,
                                       .recipient_count = 1,
                                       .recovery = &f->recovery_pk};
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_epoch(f->who[0].ring, &args, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
}

/* A data key of the patient; the last break-glass wrap of it. */
static struct ml_bg_wrap new_dek(struct people *f, ml_compartment compartment)
{
    struct ml_keyring *k = f->who[0].ring;
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_dek(k, &f->patient, compartment, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
    assert_true(f->who[0].store.bg_count > 0);
    return f->who[0].store.bgs[f->who[0].store.bg_count - 1];
}

static void found(struct people *f)
{
    epoch(f, ML_COMPARTMENT_ADMIN);
    const size_t first = f->log.count;
    assert_int_equal(
        ml_keyring_make_open(f->who[0].ring, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
}

static void whom_a_pair_is_handed_holds_it(void **state)
{
    struct people *f = *state;
    assert_null(ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY));
    assert_int_equal(hand(f, 2, NULL), ML_OK);
    assert_non_null(held(f, 0));
    assert_non_null(held(f, 1));
    assert_null(held(f, 2));
    const struct ml_keyring *k = f->who[2].ring; /* anybody sees who has it */
    const struct ml_box_pk *pair = ml_keyring_pair(k, ML_PAIR_EMERGENCY);
    assert_true(ml_keyring_pair_has(k, pair, &f->who[1].pk));
    assert_false(ml_keyring_pair_has(k, pair, &f->who[2].pk));
    assert_null(ml_keyring_pair(k, ML_PAIR_AUDIT));
}

static void one_more_hand_changes_nothing_else(void **state)
{
    struct people *f = *state;
    assert_int_equal(hand(f, 2, NULL), ML_OK);
    const struct ml_box_pk pair = *ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY);
    assert_int_equal(hand(f, 3, held(f, 0)), ML_OK);
    assert_non_null(held(f, 2));
    assert_memory_equal(ml_keyring_pair(f->who[2].ring, ML_PAIR_EMERGENCY), &pair, sizeof(pair));
}

static void a_later_pair_replaces_it(void **state)
{
    struct people *f = *state;
    assert_int_equal(hand(f, 3, NULL), ML_OK);
    const struct ml_box_pk before = *ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY);
    assert_true(ml_keyring_pair_strays(f->who[0].ring, &before, &f->who[0].pk, 1));
    assert_false(ml_keyring_pair_strays(
        f->who[0].ring, &before,
        (const struct ml_box_pk[]){f->who[2].pk, f->who[0].pk, f->who[1].pk}, 3));
    assert_int_equal(hand(f, 2, NULL), ML_OK);
    const struct ml_box_pk *now = ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY);
    assert_memory_not_equal(now, &before, sizeof(before));
    assert_null(held(f, 2));
    assert_non_null(ml_keyring_pair_secret(f->who[2].ring, ML_PAIR_EMERGENCY, &before));
}

static void what_is_not_accepted_is_never_used(void **state)
{
    struct people *f = *state;
    assert_int_equal(hand(f, 2, NULL), ML_OK);
    const struct ml_box_pk before = *ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY);
    f->log.accepted = false;
    assert_int_equal(hand(f, 3, NULL), ML_OK);
    assert_memory_equal(ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY), &before,
                        sizeof(before));
    assert_false(ml_keyring_pair_has(f->who[0].ring, &before, &f->who[2].pk));
}

static void a_slot_that_gives_another_key_is_faulty(void **state)
{
    struct people *f = *state;
    assert_int_equal(hand(f, 1, NULL), ML_OK);
    struct ml_keyop op;
    struct ml_buf b;
    ml_buf_init(&b, &f->fake.env, 4096);
    assert_int_equal(ml_keyop_decode(&op, ml_slice(f->log.op[0].data, f->log.op[0].len), NULL),
                     ML_OK);
    op.u.pair_grant.pair.b[3] ^= 1;
    op.u.pair_grant.number = 9;
    assert_int_equal(ml_keyop_encode(&b, &op), ML_OK);
    const size_t at = f->log.count;
    assert_int_equal(key_log_add(&f->log, ml_buf_slice(&b)), ML_OK);
    const struct ml_keyring_news news = key_log_apply(f->who[0].ring, &f->log, at);
    assert_true(news.faulty);
    assert_null(ml_keyring_pair_secret(f->who[0].ring, ML_PAIR_EMERGENCY, &op.u.pair_grant.pair));
    ml_buf_free(&b);
}

/* Rules D1: kept in the log, and no pair of this version's. */
static void a_pair_of_a_later_kind_changes_nothing(void **state)
{
    struct people *f = *state;
    assert_int_equal(hand(f, 1, NULL), ML_OK);
    const struct ml_box_pk before = *ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY);
    struct ml_keyop op;
    struct ml_buf b;
    ml_buf_init(&b, &f->fake.env, 4096);
    assert_int_equal(ml_keyop_decode(&op, ml_slice(f->log.op[0].data, f->log.op[0].len), NULL),
                     ML_OK);
    op.u.pair_grant.kind = ML_PAIR_NETWORK + 1;
    op.u.pair_grant.number = 9;
    assert_int_equal(ml_keyop_encode(&b, &op), ML_OK);
    const size_t at = f->log.count;
    assert_int_equal(key_log_add(&f->log, ml_buf_slice(&b)), ML_OK);
    assert_false(key_log_apply(f->who[0].ring, &f->log, at).faulty);
    assert_null(ml_keyring_pair(f->who[0].ring, ML_PAIR_NETWORK + 1));
    assert_memory_equal(ml_keyring_pair(f->who[0].ring, ML_PAIR_EMERGENCY), &before,
                        sizeof(before));
    ml_buf_free(&b);
}

static void nobody_and_twice_the_same_are_refused(void **state)
{
    struct people *f = *state;
    const struct ml_box_pk twice[] = {f->who[0].pk, f->who[0].pk};
    struct ml_pair_args args = {.kind = ML_PAIR_EMERGENCY, .members = twice, .count = 0};
    assert_int_equal(ml_keyring_make_pair(f->who[0].ring, &args, key_log_add, &f->log),
                     ML_E_INVALID);
    args.count = 2;
    assert_int_equal(ml_keyring_make_pair(f->who[0].ring, &args, key_log_add, &f->log),
                     ML_E_INVALID);
    args.count = ML_KEYOP_PAIR_MAX + 1;
    assert_int_equal(ml_keyring_make_pair(f->who[0].ring, &args, key_log_add, &f->log), ML_E_LIMIT);
    assert_int_equal(f->log.count, 0);
}

/* What is made up by somebody who may not can't take the room of what counts. */
static void so_many_pairs_are_known(void **state)
{
    struct people *f = *state;
    f->log.accepted = false;
    for (size_t i = 0; i <= ML_KEYRING_PAIRS_MAX / 2; i++) {
        assert_int_equal(hand(f, 2, NULL), ML_OK);
    }
    struct ml_keyring_news news = key_log_apply(f->who[0].ring, &f->log, f->log.count - 1);
    assert_true(news.faulty);
    f->log.accepted = true;
    assert_int_equal(hand(f, 2, NULL), ML_OK);
    assert_non_null(held(f, 1));
}

/* ---- network epochs ---- */

/* To the first `count` people, as epoch `number` (0: as the maker counts). */
static ml_err network(struct people *f, size_t count, const struct ml_secret *secret,
                      uint32_t number)
{
    struct ml_box_pk to[PEOPLE];
    const size_t first = f->log.count;
    for (size_t i = 0; i < count; i++) {
        to[i] = f->who[i].pk;
    }
    const struct ml_pair_args args = {
        .kind = ML_PAIR_NETWORK, .members = to, .count = count, .secret = secret, .number = number};
    const ml_err err = ml_keyring_make_pair(f->who[0].ring, &args, key_log_add, &f->log);
    people_hear(f, first);
    return err;
}

/* The founder's comes from outside of lane 1 and is the first; the next ones count from it. */
static void network_epochs_are_held_latest_first(void **state)
{
    struct people *f = *state;
    struct ml_held_pair held[4];
    struct ml_secret *founders = NULL;
    assert_int_equal(ml_secret_random(&founders, &f->fake.env, ML_KEY_BYTES), ML_OK);
    assert_int_equal(hand(f, 3, NULL), ML_OK); /* another kind: neither counts nor is held */
    assert_int_equal(network(f, 3, founders, 1), ML_OK);
    assert_int_equal(network(f, 2, NULL, 0), ML_OK);
    assert_int_equal(network(f, 1, NULL, 0), ML_OK);
    assert_int_equal(ml_keyring_pairs_held(f->who[0].ring, ML_PAIR_NETWORK, held, 4), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(held[i].number, 3 - i);
    }
    assert_true(ml_secret_equal(held[2].secret, founders));
    assert_int_equal(ml_keyring_pairs_held(f->who[0].ring, ML_PAIR_NETWORK, held, 2), 2);
    assert_int_equal(held[0].number, 3);
    assert_int_equal(held[1].number, 2);
    assert_int_equal(ml_keyring_pairs_held(f->who[1].ring, ML_PAIR_NETWORK, held, 4), 2);
    assert_int_equal(ml_keyring_pairs_held(f->who[2].ring, ML_PAIR_NETWORK, held, 4), 1);
    f->log.accepted = false; /* held, and never used */
    assert_int_equal(network(f, 3, NULL, 0), ML_OK);
    assert_int_equal(ml_keyring_pairs_held(f->who[0].ring, ML_PAIR_NETWORK, held, 4), 3);
    ml_secret_free(founders);
}

/* Network epoch `number` to the pair of another one. */
static void lead(struct people *f, const struct ml_box_pk *by, const struct ml_secret *secret,
                 uint32_t number)
{
    const size_t first = f->log.count;
    const struct ml_pair_args args = {
        .kind = ML_PAIR_NETWORK, .members = by, .count = 1, .secret = secret, .number = number};
    assert_int_equal(ml_keyring_make_pair(f->who[0].ring, &args, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
}

static size_t epochs_held(const struct people *f, size_t who)
{
    struct ml_held_pair held[4];
    return ml_keyring_pairs_held(f->who[who].ring, ML_PAIR_NETWORK, held, 4);
}

/* Sealed to the pair of the second: whoever has the second has the first, also who gets it later.
 */
static void an_epoch_handed_to_a_later_one_comes_with_it(void **state)
{
    struct people *f = *state;
    struct ml_held_pair held[4];
    struct ml_secret *first = NULL;
    struct ml_secret *second = NULL;
    struct ml_box_pk pk;
    assert_int_equal(ml_secret_random(&first, &f->fake.env, ML_KEY_BYTES), ML_OK);
    assert_int_equal(ml_box_keypair(&pk, &second, &f->fake.env), ML_OK);
    assert_int_equal(network(f, 2, second, 2), ML_OK);
    lead(f, &pk, first, 1);
    assert_int_equal(epochs_held(f, 0), 2);
    assert_int_equal(epochs_held(f, 1), 2);
    assert_int_equal(epochs_held(f, 2), 0);
    assert_int_equal(network(f, 3, second, 2), ML_OK);
    assert_int_equal(ml_keyring_pairs_held(f->who[2].ring, ML_PAIR_NETWORK, held, 4), 2);
    assert_int_equal(held[1].number, 1);
    assert_true(ml_secret_equal(held[1].secret, first));
    assert_true(ml_keyring_pair_has(f->who[2].ring, &held[1].pk, &pk));
    assert_false(ml_keyring_pair_has(f->who[2].ring, &held[1].pk, &f->who[2].pk));
    ml_secret_free(first);
    ml_secret_free(second);
}

/* Never the other way; and who isn't believed fills no place that somebody else needs. */
static void an_epoch_opens_no_later_one_and_waits_only_when_it_counts(void **state)
{
    struct people *f = *state;
    struct ml_secret *secret[3] = {NULL, NULL, NULL};
    struct ml_box_pk pk[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ml_box_keypair(&pk[i], &secret[i], &f->fake.env), ML_OK);
    }
    assert_int_equal(network(f, 2, secret[0], 2), ML_OK);
    lead(f, &pk[0], secret[1], 3);
    assert_int_equal(epochs_held(f, 1), 1);
    f->log.accepted = false;
    for (size_t i = 0; i <= ML_KEYRING_LEADS_MAX; i++) {
        lead(f, &pk[0], secret[2], 1);
        assert_false(key_log_apply(f->who[2].ring, &f->log, f->log.count - 1).faulty);
    }
    f->log.accepted = true;
    assert_int_equal(network(f, 3, secret[0], 2), ML_OK);
    assert_int_equal(epochs_held(f, 2), 1);
    for (size_t i = 0; i < 3; i++) {
        ml_secret_free(secret[i]);
    }
}

/* So many wait at once; the next one opens nothing, and says so. */
static void so_many_epochs_wait_for_a_later_one(void **state)
{
    struct people *f = *state;
    struct ml_secret *later = NULL;
    struct ml_box_pk pk;
    assert_int_equal(ml_box_keypair(&pk, &later, &f->fake.env), ML_OK);
    assert_int_equal(network(f, 2, later, 99), ML_OK);
    for (uint32_t i = 1; i <= ML_KEYRING_LEADS_MAX + 1; i++) {
        struct ml_secret *secret = NULL;
        assert_int_equal(ml_secret_random(&secret, &f->fake.env, ML_KEY_BYTES), ML_OK);
        lead(f, &pk, secret, i);
        ml_secret_free(secret);
    }
    assert_true(key_log_apply(f->who[2].ring, &f->log, f->log.count - 1).faulty);
    assert_int_equal(network(f, 3, later, 99), ML_OK);
    static struct ml_held_pair held[ML_KEYRING_LEADS_MAX + 4];
    assert_int_equal(
        ml_keyring_pairs_held(f->who[2].ring, ML_PAIR_NETWORK, held, ML_KEYRING_LEADS_MAX + 4),
        ML_KEYRING_LEADS_MAX + 1);
    assert_int_equal(held[1].number, ML_KEYRING_LEADS_MAX);
    ml_secret_free(later);
}

/* Two made at once: the same one is first for everybody, in whatever order they came. */
static void of_one_number_the_smallest_is_first(void **state)
{
    struct people *f = *state;
    struct ml_held_pair held[8];
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(network(f, 2, NULL, 7), ML_OK);
    }
    assert_int_equal(network(f, 2, NULL, 3), ML_OK);
    assert_int_equal(ml_keyring_pairs_held(f->who[1].ring, ML_PAIR_NETWORK, held, 8), 7);
    for (size_t i = 1; i < 6; i++) {
        assert_true(memcmp(held[i - 1].pk.b, held[i].pk.b, sizeof(held[i].pk.b)) < 0);
    }
    assert_int_equal(held[6].number, 3);
    assert_memory_equal(ml_keyring_pair(f->who[1].ring, ML_PAIR_NETWORK), &held[0].pk,
                        sizeof(held[0].pk));
}

/* The earliest makes room for a later one, never the other way; of other kinds none does. */
static void so_many_network_epochs_are_known(void **state)
{
    struct people *f = *state;
    static struct ml_held_pair held[ML_KEYRING_NETS_MAX + 1];
    for (uint32_t i = 2; i < ML_KEYRING_NETS_MAX + 5; i++) {
        assert_int_equal(network(f, 2, NULL, i), ML_OK);
    }
    assert_int_equal(network(f, 2, NULL, 1), ML_OK);
    struct ml_keyring_news news = key_log_apply(f->who[0].ring, &f->log, f->log.count - 1);
    assert_true(news.faulty);
    assert_int_equal(
        ml_keyring_pairs_held(f->who[0].ring, ML_PAIR_NETWORK, held, ML_KEYRING_NETS_MAX + 1),
        ML_KEYRING_NETS_MAX);
    assert_int_equal(held[0].number, ML_KEYRING_NETS_MAX + 4);
    assert_int_equal(held[ML_KEYRING_NETS_MAX - 1].number, 5);
    assert_int_equal(hand(f, 2, NULL), ML_OK); /* the other kinds have room of their own */
    assert_non_null(ml_keyring_pair_secret(f->who[1].ring, ML_PAIR_EMERGENCY,
                                           ml_keyring_pair(f->who[1].ring, ML_PAIR_EMERGENCY)));
    assert_int_equal(network(f, 2, NULL, UINT32_MAX), ML_OK);
    assert_int_equal(network(f, 2, NULL, 0), ML_E_LIMIT);
}

/* ---- break-glass ---- */

static void a_holder_opens_what_no_group_key_gives_him(void **state)
{
    struct people *f = *state;
    uint8_t dek[ML_KEY_BYTES];
    assert_int_equal(hand(f, 2, NULL), ML_OK);
    found(f);
    epoch(f, ML_COMPARTMENT_MEDICAL);
    const struct ml_bg_wrap wrap = new_dek(f, ML_COMPARTMENT_MEDICAL);
    assert_int_equal(ml_keyring_open_glass(f->who[1].ring, &wrap, dek), ML_OK);
    const struct ml_key_id id = ml_key_id_of_bytes(dek);
    assert_memory_equal(id.b, wrap.dek.b, sizeof(id.b));
    assert_int_equal(ml_keyring_open_glass(f->who[2].ring, &wrap, dek), ML_E_NO_KEY);
    struct ml_bg_wrap moved = wrap;
    moved.stream.b[0] ^= 1;
    assert_int_equal(ml_keyring_open_glass(f->who[1].ring, &moved, dek), ML_E_FORGED);
    moved = wrap;
    moved.break_glass.b[0] ^= 1;
    assert_int_equal(ml_keyring_open_glass(f->who[1].ring, &moved, dek), ML_E_NO_KEY);
}

static void a_new_pair_keeps_older_wraps_open(void **state)
{
    struct people *f = *state;
    uint8_t dek[ML_KEY_BYTES];
    assert_int_equal(hand(f, 3, NULL), ML_OK);
    found(f);
    epoch(f, ML_COMPARTMENT_CARE);
    const struct ml_bg_wrap old = new_dek(f, ML_COMPARTMENT_CARE);
    assert_int_equal(hand(f, 2, NULL), ML_OK); /* the third may no longer */
    epoch(f, ML_COMPARTMENT_CARE);
    const struct ml_bg_wrap fresh = new_dek(f, ML_COMPARTMENT_CARE);
    assert_int_equal(ml_keyring_open_glass(f->who[1].ring, &old, dek), ML_OK);
    assert_int_equal(ml_keyring_open_glass(f->who[1].ring, &fresh, dek), ML_OK);
    assert_int_equal(ml_keyring_open_glass(f->who[2].ring, &fresh, dek), ML_E_NO_KEY);
}

static void sensitive_data_are_not_the_pairs(void **state)
{
    struct people *f = *state;
    uint8_t dek[ML_KEY_BYTES];
    assert_int_equal(hand(f, 2, NULL), ML_OK);
    found(f);
    epoch(f, ML_COMPARTMENT_SENSITIVE);
    const struct ml_bg_wrap wrap = new_dek(f, ML_COMPARTMENT_SENSITIVE);
    assert_int_equal(ml_keyring_open_glass(f->who[1].ring, &wrap, dek), ML_E_NO_KEY);
}

static void a_taken_key_opens_until_it_is_forgotten(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[2].ring;
    struct ml_stream_id stream = {.b = {7}};
    const struct ml_stream_info info = {.patient = f->patient, .compartment = 3};
    uint8_t dek[ML_KEY_BYTES] = {0};
    struct ml_stream_info found_info;
    const uint8_t *out = NULL;
    assert_int_equal(f->who[2].store.store.stream_put(&f->who[2].store, &stream, &info), ML_OK);
    for (unsigned i = 0; i < ML_KEYRING_GLASS_MAX; i++) {
        dek[0] = (uint8_t)i;
        const struct ml_key_id id = ml_key_id_of_bytes(dek);
        assert_int_equal(ml_keyring_take_dek(k, &stream, &id, dek), ML_OK);
        assert_int_equal(ml_keyring_take_dek(k, &stream, &id, dek), ML_OK);
        assert_int_equal(ml_keyring_dek(k, &stream, &id, &found_info, &out), ML_OK);
        assert_memory_equal(out, dek, sizeof(dek));
    }
    const struct ml_key_id last = ml_key_id_of_bytes(dek);
    dek[1] = 1;
    const struct ml_key_id more = ml_key_id_of_bytes(dek);
    assert_int_equal(ml_keyring_take_dek(k, &stream, &more, dek), ML_E_LIMIT);
    ml_keyring_forget(k);
    assert_int_equal(ml_keyring_dek(k, &stream, &last, &found_info, &out), ML_E_NO_KEY);
}

static void no_failed_allocation_leaks_or_half_hands(void **state)
{
    struct people *f = *state;
    bool spared = false;
    long n = 0;
    assert_int_equal(hand(f, 1, NULL), ML_OK);
    while (!spared) {
        const struct ml_box_pk to[] = {f->who[0].pk, f->who[1].pk};
        const struct ml_pair_args args = {
            .kind = ML_PAIR_EMERGENCY, .members = to, .count = 2, .recovery = &f->recovery_pk};
        const size_t count = f->log.count;
        f->fake.fail_alloc = ++n;
        const ml_err err = ml_keyring_make_pair(f->who[0].ring, &args, key_log_add, &f->log);
        spared = fake_spared(&f->fake);
        assert_int_equal(err, spared ? ML_OK : ML_E_NOMEM);
        assert_int_equal(f->log.count, count + spared);
        assert_true(spared || n < 100);
    }
    assert_true(n > 3);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(whom_a_pair_is_handed_holds_it),
        T(one_more_hand_changes_nothing_else),
        T(a_later_pair_replaces_it),
        T(what_is_not_accepted_is_never_used),
        T(a_slot_that_gives_another_key_is_faulty),
        T(a_pair_of_a_later_kind_changes_nothing),
        T(nobody_and_twice_the_same_are_refused),
        T(so_many_pairs_are_known),
        T(network_epochs_are_held_latest_first),
        T(of_one_number_the_smallest_is_first),
        T(so_many_network_epochs_are_known),
        T(an_epoch_handed_to_a_later_one_comes_with_it),
        T(an_epoch_opens_no_later_one_and_waits_only_when_it_counts),
        T(so_many_epochs_wait_for_a_later_one),
        T(a_holder_opens_what_no_group_key_gives_him),
        T(a_new_pair_keeps_older_wraps_open),
        T(sensitive_data_are_not_the_pairs),
        T(a_taken_key_opens_until_it_is_forgotten),
        T(no_failed_allocation_leaks_or_half_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
