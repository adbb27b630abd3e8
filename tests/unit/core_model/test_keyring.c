/* tests/unit/core_model/test_keyring.c -- one rule of model/keyring.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_group.h"
#include "support_people.h"

enum { PEOPLE = 3 };

static const struct ml_object_id structure;

static int setup(void **state)
{
    static struct people f;
    people_init(&f, 11, PEOPLE);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    return people_free(*state);
}

static void epoch_for(struct people *f, ml_compartment compartment,
                      const struct ml_epoch_recipient *who, size_t count)
{
    size_t first = f->log.count;
    const struct ml_epoch_args args = {.team = f->team,
                                       .compartment = compartment,
                                       .recipients = who,
                                       .recipient_count = count,
                                       .recovery = &f->recovery_pk};
    assert_int_equal(ml_keyring_make_epoch(f->who[0].ring, &args, key_log_add, &f->log), ML_OK);
    key_log_apply_from(f->who[0].ring, &f->log, first);
}

/* An epoch for the first `count` people; the log's new ops are applied to the first one. */
static void epoch(struct people *f, ml_compartment compartment, size_t count, bool history)
{
    struct ml_epoch_recipient who[PEOPLE];
    for (size_t i = 0; i < count; i++) {
        who[i] = (struct ml_epoch_recipient){f->who[i].pk, history};
    }
    epoch_for(f, compartment, who, count);
}

static void found(struct people *f)
{
    struct ml_keyring *k = f->who[0].ring;
    for (int c = 1; c <= (int)ML_COMPARTMENT_LAST; c++) {
        epoch(f, (ml_compartment)c, 1, true);
    }
    size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_structure(k, key_log_add, &f->log), ML_OK);
    assert_int_equal(ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    key_log_apply_from(k, &f->log, first);
}

static struct ml_seal_key new_dek(struct people *f, ml_compartment compartment)
{
    struct ml_keyring *k = f->who[0].ring;
    struct ml_seal_key key;
    size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_dek(k, &f->patient, compartment, key_log_add, &f->log), ML_OK);
    key_log_apply_from(k, &f->log, first);
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, compartment, &key), ML_OK);
    return key;
}

static ml_err opens(struct ml_keyring *k, const struct ml_seal_key *key)
{
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    ml_err err = ml_keyring_dek(k, &key->stream, &key->dek, &info, &dek);
    if (err == ML_OK) {
        struct ml_key_id id = ml_key_id_of_bytes(dek);
        assert_memory_equal(id.b, key->dek.b, sizeof(id.b));
    }
    return err;
}

static void the_founder_writes_for_a_patient_and_for_the_structure(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    struct ml_seal_key key;
    found(f);
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &key), ML_E_NO_KEY);
    key = new_dek(f, ML_COMPARTMENT_CARE);
    assert_int_equal(opens(k, &key), ML_OK);
    assert_int_equal(opens(k, &key), ML_OK); /* from the cache */
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    assert_int_equal(ml_keyring_dek(k, &key.stream, &key.dek, &info, &dek), ML_OK);
    assert_memory_equal(&info.patient, &f->patient, sizeof(f->patient));
    assert_int_equal(info.compartment, ML_COMPARTMENT_CARE);
    assert_int_equal(
        ml_keyring_make_dek(k, &structure, ML_COMPARTMENT_ANNUAIRE, key_log_add, &f->log), ML_OK);
    key_log_apply(k, &f->log, f->log.count - 2);
    assert_int_equal(ml_keyring_seal_key(k, &structure, ML_COMPARTMENT_ANNUAIRE, &key), ML_OK);
    assert_true(ml_keyring_can_seal(k, &f->team, ML_COMPARTMENT_CARE));
}

static void an_unknown_patient_or_stream_is_not_found(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    struct ml_seal_key key = {{{0}}, {{0}}};
    struct ml_secret *secret = NULL;
    assert_int_equal(ml_keyring_import_key(k, &secret), ML_E_NOT_FOUND);
    assert_int_equal(ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, &f->log),
                     ML_E_NO_KEY);
    found(f);
    struct ml_object_id other = ml_object_id_new(&f->fake.env);
    assert_int_equal(ml_keyring_seal_key(k, &other, ML_COMPARTMENT_CARE, &key), ML_E_NOT_FOUND);
    assert_int_equal(ml_keyring_make_dek(k, &other, ML_COMPARTMENT_CARE, key_log_add, &f->log),
                     ML_E_NOT_FOUND);
    assert_int_equal(opens(k, &key), ML_E_NOT_FOUND);
    assert_int_equal(ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, &f->log),
                     ML_E_EXISTS);
}

/* It is opened at founding: whoever lacks it then waits for it. */
static void what_is_written_never_opens_the_structure(void **state)
{
    struct people *f = *state;
    found(f);
    assert_int_equal(
        ml_keyring_make_open(f->who[0].ring, &structure, &f->team, key_log_add, &f->log),
        ML_E_NO_KEY);
    assert_int_equal(ml_keyring_make_structure(f->who[0].ring, key_log_add, &f->log), ML_E_EXISTS);
}

static void every_member_derives_the_same_import_key(void **state)
{
    struct people *f = *state;
    struct ml_secret *a = NULL, *b = NULL;
    found(f);
    assert_int_equal(
        ml_keyring_make_grant(f->who[0].ring, &f->who[1].pk, false, key_log_add, &f->log), ML_OK);
    key_log_apply_from(f->who[1].ring, &f->log, 0);
    assert_int_equal(ml_keyring_import_key(f->who[0].ring, &a), ML_OK);
    assert_int_equal(ml_keyring_import_key(f->who[1].ring, &b), ML_OK);
    assert_true(ml_secret_equal(a, b));
    ml_secret_free(a);
    ml_secret_free(b);
}

/* A newcomer's log holds all that came before the grant: it waits, then opens. */
static void a_grant_opens_what_came_before_it(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[1].ring;
    found(f);
    struct ml_seal_key key = new_dek(f, ML_COMPARTMENT_VITAL);
    key_log_apply_from(k, &f->log, 0);
    assert_int_equal(opens(k, &key), ML_E_NOT_FOUND);
    assert_false(ml_keyring_can_seal(k, &f->team, ML_COMPARTMENT_VITAL));
    assert_int_equal(
        ml_keyring_make_grant(f->who[0].ring, &f->who[1].pk, false, key_log_add, &f->log), ML_OK);
    struct ml_keyring_news news = key_log_apply(k, &f->log, f->log.count - 1);
    assert_true(news.keks && news.streams && !news.faulty);
    assert_int_equal(opens(k, &key), ML_OK);
    assert_int_equal(f->who[1].store.later_count, 0);
    news = key_log_apply(f->who[2].ring, &f->log, f->log.count - 1); /* not hers */
    assert_false(news.keks || news.faulty);
}

/* Ops of lane 1 in any order that keeps epochs before grants give one answer. */
static void the_order_of_key_ops_is_no_matter(void **state)
{
    struct people *f = *state;
    found(f);
    struct ml_seal_key first = new_dek(f, ML_COMPARTMENT_CARE);
    new_dek(f, ML_COMPARTMENT_CARE); /* a concurrent one: not chosen unless smaller */
    new_dek(f, ML_COMPARTMENT_CARE);
    struct ml_seal_key want;
    assert_int_equal(ml_keyring_seal_key(f->who[0].ring, &f->patient, ML_COMPARTMENT_CARE, &want),
                     ML_OK);
    assert_true(memcmp(want.dek.b, first.dek.b, sizeof(first.dek.b)) <= 0);
    for (int round = 0; round < 40; round++) {
        size_t order[MEM_OPS];
        struct ml_seal_key got;
        person_reset(f, &f->who[0]);
        struct ml_keyring *k = f->who[0].ring;
        for (size_t i = 0; i < f->log.count; i++) {
            size_t j = (size_t)fake_below(&f->fake, i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (size_t i = 0; i < f->log.count; i++) {
            key_log_apply(k, &f->log, order[i]);
            key_log_apply(k, &f->log, order[0]); /* and repeats */
        }
        assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &got), ML_OK);
        assert_memory_equal(&got, &want, sizeof(got));
        assert_int_equal(opens(k, &first), ML_OK);
    }
}

static void a_new_epoch_asks_a_new_dek_before_the_next_seal(void **state)
{
    struct people *f = *state;
    struct ml_seal_key after;
    found(f);
    struct ml_seal_key before = new_dek(f, ML_COMPARTMENT_CARE);
    epoch(f, ML_COMPARTMENT_CARE, 2, false);
    assert_int_equal(ml_keyring_seal_key(f->who[0].ring, &f->patient, ML_COMPARTMENT_CARE, &after),
                     ML_E_NO_KEY);
    assert_int_equal(opens(f->who[0].ring, &before), ML_OK);
    after = new_dek(f, ML_COMPARTMENT_CARE);
    assert_memory_not_equal(after.dek.b, before.dek.b, sizeof(after.dek.b));
    /* Nothing is carried from the old epoch into the new one. */
    size_t count = f->log.count;
    assert_int_equal(ml_keyring_make_missing(f->who[0].ring, &f->patient, ML_COMPARTMENT_CARE,
                                             key_log_add, &f->log),
                     ML_OK);
    for (size_t i = count; i < f->log.count; i++) {
        struct ml_keyop op;
        assert_int_equal(ml_keyop_decode(&op, ml_slice(f->log.op[i].data, f->log.op[i].len), NULL),
                         ML_OK);
        assert_int_equal(op.type, ML_KEYOP_BG_WRAP); /* for the new break-glass pair only */
    }
}

/* HIST alone gives ten years; a plain slot gives from now on (rules A4). */
static void history_opens_older_epochs_and_nothing_else_does(void **state)
{
    struct people *f = *state;
    found(f);
    struct ml_seal_key first = new_dek(f, ML_COMPARTMENT_ADMIN);
    epoch(f, ML_COMPARTMENT_ADMIN, 1, true);
    struct ml_seal_key second = new_dek(f, ML_COMPARTMENT_ADMIN);
    epoch(f, ML_COMPARTMENT_ADMIN, 1, true);
    struct ml_seal_key third = new_dek(f, ML_COMPARTMENT_ADMIN);
    struct ml_keyring *giver = f->who[0].ring;
    assert_int_equal(ml_keyring_make_grant(giver, &f->who[1].pk, false, key_log_add, &f->log),
                     ML_OK);
    assert_int_equal(ml_keyring_make_grant(giver, &f->who[2].pk, true, key_log_add, &f->log),
                     ML_OK);
    key_log_apply_from(f->who[1].ring, &f->log, 0);
    key_log_apply_from(f->who[2].ring, &f->log, 0);
    /* The patient was opened under epoch 1: without history his streams are unknown. */
    assert_int_equal(opens(f->who[1].ring, &first), ML_E_NOT_FOUND);
    assert_true(ml_keyring_can_seal(f->who[1].ring, &f->team, ML_COMPARTMENT_ADMIN));
    assert_int_equal(opens(f->who[2].ring, &first), ML_OK);
    assert_int_equal(opens(f->who[2].ring, &second), ML_OK);
    assert_int_equal(opens(f->who[2].ring, &third), ML_OK);
}

/* Who comes after an epoch knows of a patient from the next write on, and reads nothing older. */
static void an_opening_is_sealed_again_under_a_later_epoch(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    found(f);
    struct ml_seal_key first = new_dek(f, ML_COMPARTMENT_ADMIN);
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_reopen(k, &f->patient, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, from); /* it is open under the one that seals */
    epoch(f, ML_COMPARTMENT_ADMIN, 1, true);
    from = f->log.count;
    assert_int_equal(ml_keyring_make_reopen(k, &f->patient, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, from + 1);
    key_log_apply_from(k, &f->log, from);
    assert_int_equal(ml_keyring_make_reopen(k, &f->patient, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, from + 1);
    struct ml_seal_key second = new_dek(f, ML_COMPARTMENT_ADMIN);
    assert_int_equal(ml_keyring_make_grant(k, &f->who[1].pk, false, key_log_add, &f->log), ML_OK);
    key_log_apply_from(f->who[1].ring, &f->log, 0);
    assert_int_equal(opens(f->who[1].ring, &first), ML_E_NO_KEY);
    assert_int_equal(opens(f->who[1].ring, &second), ML_OK);
    struct ml_object_id other = ml_object_id_new(&f->fake.env);
    assert_int_equal(ml_keyring_make_reopen(k, &other, key_log_add, &f->log), ML_E_NOT_FOUND);
}

/* The first one and another one are those who may know the team's patients. */
static void with(struct people *f, size_t other)
{
    const struct ml_group_member members[] = {{f->who[0].pk, true}, {f->who[other].pk, false}};
    const struct ml_group group = {
        .team = f->team, .compartment = ML_COMPARTMENT_ADMIN, .members = members, .count = 2};
    assert_int_equal(ml_keyring_set_group(f->who[0].ring, &group), ML_OK);
}

/* Who left comes back when who came meanwhile has left: the first epoch seals again, and he hasn't
 * the key of the second, under which the patient was opened. */
static void an_opening_is_sealed_again_under_an_epoch_that_seals_again(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    for (size_t other = 1; other < PEOPLE; other++) {
        const struct ml_epoch_recipient who[] = {{f->who[0].pk, true}, {f->who[other].pk, false}};
        epoch_for(f, ML_COMPARTMENT_ADMIN, who, 2);
    }
    with(f, 2);
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    key_log_apply_from(k, &f->log, from);
    with(f, 1);
    from = f->log.count;
    assert_int_equal(ml_keyring_make_reopen(k, &f->patient, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, from + 1);
    key_log_apply_from(k, &f->log, from);
    struct ml_seal_key key = new_dek(f, ML_COMPARTMENT_ADMIN);
    key_log_apply_from(f->who[1].ring, &f->log, 0);
    assert_int_equal(opens(f->who[1].ring, &key), ML_OK);
}

static void what_quarantined_ops_bring_opens_but_never_seals(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    struct ml_seal_key key;
    found(f);
    f->log.accepted = false;
    size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_dek(k, &f->patient, ML_COMPARTMENT_CARE, key_log_add, &f->log),
                     ML_OK);
    key_log_apply_from(k, &f->log, first);
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &key), ML_E_NO_KEY);
    struct ml_keyop op;
    assert_int_equal(
        ml_keyop_decode(&op, ml_slice(f->log.op[first].data, f->log.op[first].len), NULL), ML_OK);
    key = (struct ml_seal_key){op.u.dek_wrap.stream, op.u.dek_wrap.dek};
    assert_int_equal(opens(k, &key), ML_OK);
    epoch(f, ML_COMPARTMENT_CARE, 1, true); /* quarantined: the old epoch goes on sealing */
    f->log.accepted = true;
    key = new_dek(f, ML_COMPARTMENT_CARE);
    assert_int_equal(
        ml_keyop_decode(
            &op, ml_slice(f->log.op[f->log.count - 2].data, f->log.op[f->log.count - 2].len), NULL),
        ML_OK);
    assert_int_equal(op.type, ML_KEYOP_DEK_WRAP);
    struct ml_keyop epoch_op;
    struct ml_slice care =
        ml_slice(f->log.op[ML_COMPARTMENT_CARE - 1].data, f->log.op[ML_COMPARTMENT_CARE - 1].len);
    assert_int_equal(ml_keyop_decode(&epoch_op, care, NULL), ML_OK);
    assert_memory_equal(&op.u.dek_wrap.kek, &epoch_op.u.kek_epoch.kek, sizeof(struct ml_key_id));
    f->log.op[first].accepted = true; /* adopted */
    key_log_apply(k, &f->log, first);
    struct ml_seal_key chosen;
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &chosen), ML_OK);
}

static void a_second_team_gets_the_same_streams_and_the_missing_wraps(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    found(f);
    struct ml_seal_key key = new_dek(f, ML_COMPARTMENT_CARE);
    struct ml_team_id first_team = f->team;
    memset(f->team.b, 0x88, sizeof(f->team.b));
    epoch(f, ML_COMPARTMENT_ADMIN, 2, true);
    epoch(f, ML_COMPARTMENT_CARE, 2, true);
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    key_log_apply_from(k, &f->log, from);
    struct ml_seal_key wide;
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &wide), ML_E_NO_KEY);
    from = f->log.count;
    assert_int_equal(
        ml_keyring_make_missing(k, &f->patient, ML_COMPARTMENT_CARE, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, from + 2); /* the team's wrap and its break-glass wrap */
    key_log_apply_from(k, &f->log, from);
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &wide), ML_OK);
    assert_memory_equal(&wide, &key, sizeof(key));
    from = f->log.count;
    assert_int_equal(
        ml_keyring_make_missing(k, &f->patient, ML_COMPARTMENT_CARE, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, from); /* idempotent */
    key_log_apply_from(f->who[1].ring, &f->log, 0);
    assert_int_equal(opens(f->who[1].ring, &key), ML_OK);
    assert_false(ml_keyring_can_seal(f->who[1].ring, &first_team, ML_COMPARTMENT_CARE));
}

/* Each knows of both, and who has one team's key alone writes for both: as a deposit for the other,
 * which seals again for him, and for nobody of theirs. */
static void who_is_of_one_team_writes_for_the_other_too(void **state)
{
    struct people *f = *state;
    const ml_compartment care = ML_COMPARTMENT_CARE;
    const struct ml_team_id first = f->team;
    struct ml_seal_key key;
    found(f);
    memset(f->team.b, 0x88, sizeof(f->team.b));
    epoch(f, ML_COMPARTMENT_ADMIN, 2, true); /* the second: of person 1 too */
    epoch(f, care, 2, true);
    f->team = first;
    key_log_apply_from(f->who[1].ring, &f->log, 0);
    key_log_apply_from(f->who[2].ring, &f->log, 0);
    size_t from = f->log.count;
    memset(f->team.b, 0x88, sizeof(f->team.b));
    assert_int_equal(
        ml_keyring_make_open(f->who[0].ring, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    key_log_apply_from(f->who[0].ring, &f->log, from);
    assert_int_equal(ml_keyring_make_reopen(f->who[0].ring, &f->patient, key_log_add, &f->log),
                     ML_OK);
    assert_int_equal(f->log.count, from + 3); /* each team's for the other */
    key_log_apply_from(f->who[0].ring, &f->log, from);
    assert_int_equal(ml_keyring_make_reopen(f->who[0].ring, &f->patient, key_log_add, &f->log),
                     ML_OK);
    assert_int_equal(f->log.count, from + 3);
    key_log_apply_from(f->who[1].ring, &f->log, from);
    from = f->log.count;
    struct ml_keyring *k = f->who[1].ring;
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, care, &key), ML_E_NO_KEY);
    assert_int_equal(ml_keyring_make_dek(k, &f->patient, care, key_log_add, &f->log), ML_OK);
    key_log_apply_from(k, &f->log, from);
    key_log_apply_from(f->who[0].ring, &f->log, from);
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, care, &key), ML_OK);
    assert_int_equal(opens(f->who[0].ring, &key), ML_OK);
    assert_int_equal(ml_keyring_seal_key(f->who[0].ring, &f->patient, care, &key), ML_E_NO_KEY);
}

/* Two nodes that import one file open one patient twice, with two link secrets. */
static void a_patient_opened_twice_has_one_stream_to_write_and_all_to_read(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    found(f);
    struct ml_seal_key first = new_dek(f, ML_COMPARTMENT_CARE);
    struct mem_store kept = f->who[0].store;
    f->who[0].store.link_count = 1; /* a node that hasn't heard of the patient opens him */
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    key_log_apply(k, &f->log, from);
    struct ml_seal_key second = new_dek(f, ML_COMPARTMENT_CARE);
    assert_memory_not_equal(second.stream.b, first.stream.b, sizeof(first.stream.b));
    f->who[0].store.links[f->who[0].store.link_count++] = kept.links[1];
    struct ml_seal_key both;
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &both), ML_OK);
    const struct ml_seal_key *small =
        memcmp(first.stream.b, second.stream.b, sizeof(first.stream.b)) < 0 ? &first : &second;
    assert_memory_equal(&both, small, sizeof(both));
    assert_int_equal(opens(k, &first), ML_OK);
    assert_int_equal(opens(k, &second), ML_OK);
}

static void the_recovery_key_opens_break_glass_wraps(void **state)
{
    struct people *f = *state;
    static const char label[] = "maille/break-glass/1";
    uint8_t context[20 + 64], secret[32], dek[32], ad[ML_KEYOP_AD_MAX];
    struct ml_keyop op, wrap;
    struct ml_secret *bg = NULL;
    epoch(f, ML_COMPARTMENT_ADMIN, 1, false);
    epoch(f, ML_COMPARTMENT_CARE, 1, false);
    size_t from = f->log.count;
    assert_int_equal(
        ml_keyring_make_open(f->who[0].ring, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    key_log_apply_from(f->who[0].ring, &f->log, from);
    struct ml_seal_key key = new_dek(f, ML_COMPARTMENT_CARE);
    assert_int_equal(ml_keyop_decode(&op, ml_slice(f->log.op[1].data, f->log.op[1].len), NULL),
                     ML_OK);
    size_t last = f->log.count - 1;
    assert_int_equal(
        ml_keyop_decode(&wrap, ml_slice(f->log.op[last].data, f->log.op[last].len), NULL), ML_OK);
    assert_int_equal(wrap.type, ML_KEYOP_BG_WRAP);
    memcpy(context, label, sizeof(label) - 1); /* NOLINT(bugprone-not-null-terminated-result) */
    memcpy(context + 20, f->org.b, 32);
    memcpy(context + 52, op.u.kek_epoch.break_glass.b, 32);
    assert_int_equal(ml_open_anon(secret, op.u.kek_epoch.break_glass_recovery, f->recovery,
                                  ml_slice(context, sizeof(context))),
                     ML_OK);
    assert_int_equal(ml_secret_from(&bg, secret, sizeof(secret)), ML_OK);
    size_t ad_len = ml_bg_wrap_ad(ad, &f->org, &wrap.u.bg_wrap);
    assert_int_equal(ml_open_anon(dek,
                                  ml_slice(wrap.u.bg_wrap.sealed, sizeof(wrap.u.bg_wrap.sealed)),
                                  bg, ml_slice(ad, ad_len)),
                     ML_OK);
    struct ml_key_id id = ml_key_id_of_bytes(dek);
    assert_memory_equal(id.b, key.dek.b, sizeof(id.b));
    ml_secret_free(bg);
}

static void damaged_ops_are_ignored_and_reported(void **state)
{
    struct people *f = *state;
    found(f);
    struct ml_seal_key key = new_dek(f, ML_COMPARTMENT_CARE);
    /* A slot that isn't for us in truth, an opening and a wrap whose bytes were changed. */
    for (size_t i = 0; i < f->log.count; i++) {
        f->log.op[i].data[f->log.op[i].len - 60] ^= 1;
    }
    person_reset(f, &f->who[0]);
    struct ml_keyring *k = f->who[0].ring;
    size_t faulty = 0;
    for (size_t i = 0; i < f->log.count; i++) {
        struct ml_keyop op;
        struct ml_keyring_news news;
        if (ml_keyop_decode(&op, ml_slice(f->log.op[i].data, f->log.op[i].len), NULL) == ML_OK) {
            assert_int_equal(ml_keyring_apply(k, &op, true, &news), ML_OK);
            faulty += news.faulty;
        }
    }
    assert_true(faulty > 0);
    assert_int_equal(opens(k, &key), ML_E_NOT_FOUND);
}

/* A slot commits to nothing by itself: the key that comes out must have the id that was said. */
static void a_key_of_another_id_is_not_held(void **state)
{
    struct people *f = *state;
    struct ml_keyop op;
    struct ml_keyring_news news;
    struct ml_buf buf;
    epoch(f, ML_COMPARTMENT_CARE, 1, false);
    assert_int_equal(ml_keyop_decode(&op, ml_slice(f->log.op[0].data, f->log.op[0].len), NULL),
                     ML_OK);
    op.u.kek_epoch.kek.b[0] ^= 1;
    op.raw = (struct ml_slice){NULL, 0};
    ml_buf_init(&buf, &f->fake.env, 10000);
    assert_int_equal(ml_keyop_encode(&buf, &op), ML_OK);
    assert_int_equal(ml_keyop_decode(&op, ml_buf_slice(&buf), NULL), ML_OK);
    person_reset(f, &f->who[0]);
    assert_int_equal(ml_keyring_apply(f->who[0].ring, &op, true, &news), ML_OK);
    assert_true(news.faulty);
    assert_false(ml_keyring_can_seal(f->who[0].ring, &f->team, ML_COMPARTMENT_CARE));
    ml_buf_free(&buf);
}

static void a_wrap_of_another_key_does_not_pass_for_it(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    found(f);
    struct ml_seal_key key = new_dek(f, ML_COMPARTMENT_CARE);
    struct ml_stored_wrap *w = &f->who[0].store.wraps[0];
    person_reset(f, &f->who[1]);
    w->wrap.ct[0] ^= 1; /* the AEAD */
    struct mem_store *m = &f->who[0].store;
    struct ml_stored_wrap good = *w;
    good.wrap.ct[0] ^= 1;
    good.wrap.dek.b[0] ^= 1; /* the place: another id in the associated data */
    m->wraps[m->wrap_count++] = good;
    struct ml_seal_key other = key;
    other.dek.b[0] ^= 1;
    for (int i = 0; i < 20; i++) { /* out of the cache */
        new_dek(f, ML_COMPARTMENT_VITAL);
    }
    assert_int_equal(opens(k, &other), ML_E_NO_KEY);
}

static void a_full_cache_drops_the_oldest_and_opens_again(void **state)
{
    struct people *f = *state;
    struct ml_seal_key keys[200];
    found(f);
    for (size_t i = 0; i < 200; i++) {
        size_t from = f->log.count;
        if (from > MEM_OPS - 4) { /* the store remembers; the log may forget */
            key_log_free(&f->log);
            from = 0;
        }
        struct ml_keyop op;
        assert_int_equal(ml_keyring_make_dek(f->who[0].ring, &f->patient,
                                             (ml_compartment)(1 + i % 10), key_log_add, &f->log),
                         ML_OK);
        key_log_apply_from(f->who[0].ring, &f->log, from);
        assert_int_equal(
            ml_keyop_decode(&op, ml_slice(f->log.op[from].data, f->log.op[from].len), NULL), ML_OK);
        keys[i] = (struct ml_seal_key){op.u.dek_wrap.stream, op.u.dek_wrap.dek};
    }
    struct mem_store *m = &f->who[0].store;
    for (size_t i = 0; i < 100; i++) { /* wraps that open to nothing, of ids all over the cache */
        struct ml_stored_wrap bad = m->wraps[i];
        f->fake.env.random(f->fake.env.ctx, bad.wrap.dek.b, sizeof(bad.wrap.dek.b));
        m->wraps[m->wrap_count++] = bad;
    }
    for (size_t round = 0; round < 3000; round++) {
        const struct ml_dek_wrap *bad = &m->wraps[m->wrap_count - 1 - round % 100].wrap;
        const struct ml_seal_key none = {bad->stream, bad->dek};
        assert_int_equal(opens(f->who[0].ring, &keys[fake_below(&f->fake, 200)]), ML_OK);
        assert_int_equal(opens(f->who[0].ring, &none), ML_E_NO_KEY);
    }
}

static void a_card_opens_in_its_place_only(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    struct ml_card_place at = {.kind = ML_CARD_MEMBER, .id = {7}};
    struct ml_card_place other = {.kind = ML_CARD_MEMBER, .id = {8}};
    struct ml_sealed sealed = {.ct = {NULL, 0}};
    struct ml_buf buf, out;
    ml_buf_init(&buf, &f->fake.env, 1000);
    ml_buf_init(&out, &f->fake.env, 1000);
    assert_int_equal(ml_keyring_open_card(k, &at, &sealed, &out), ML_E_NOT_FOUND);
    assert_int_equal(ml_keyring_seal_card(k, &at, ml_slice_str("Dr Zoé"), &buf, &sealed),
                     ML_E_NO_KEY);
    found(f);
    assert_int_equal(ml_keyring_seal_card(k, &at, ml_slice_str("Dr Zoé"), &buf, &sealed), ML_OK);
    assert_int_equal(ml_keyring_open_card(k, &other, &sealed, &out), ML_E_FORGED);
    assert_int_equal(out.len, 0);
    assert_int_equal(ml_keyring_open_card(k, &at, &sealed, &out), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&out), ml_slice_str("Dr Zoé")));
    assert_int_equal(ml_keyring_open_card(f->who[1].ring, &at, &sealed, &out), ML_E_NO_KEY);
    ml_buf_free(&buf);
    ml_buf_free(&out);
}

static void an_epoch_asks_for_distinct_recipients(void **state)
{
    struct people *f = *state;
    struct ml_epoch_recipient twice[2] = {{f->who[0].pk, true}, {f->who[0].pk, false}};
    struct ml_epoch_args args = {.team = f->team,
                                 .compartment = ML_COMPARTMENT_CARE,
                                 .recipients = twice,
                                 .recipient_count = 2};
    struct ml_keyring *k = f->who[0].ring;
    assert_int_equal(ml_keyring_make_epoch(k, &args, key_log_add, &f->log), ML_E_INVALID);
    args.recipient_count = 0;
    assert_int_equal(ml_keyring_make_epoch(k, &args, key_log_add, &f->log), ML_E_INVALID);
    args.recipient_count = ML_KEYOP_SLOTS_MAX + 1;
    assert_int_equal(ml_keyring_make_epoch(k, &args, key_log_add, &f->log), ML_E_LIMIT);
    assert_int_equal(ml_keyring_make_grant(k, &f->who[1].pk, true, key_log_add, &f->log),
                     ML_E_NO_KEY);
    assert_int_equal(f->log.count, 0);
}

static void a_failing_store_is_reported(void **state)
{
    struct people *f = *state;
    struct ml_keyring *k = f->who[0].ring;
    struct ml_seal_key key;
    found(f);
    key = new_dek(f, ML_COMPARTMENT_CARE);
    f->who[0].store.fail = ML_E_IO;
    struct ml_seal_key unused;
    assert_int_equal(ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_CARE, &unused), ML_E_IO);
    assert_int_equal(
        ml_keyring_make_missing(k, &f->patient, ML_COMPARTMENT_CARE, key_log_add, &f->log),
        ML_E_IO);
    key.dek.b[5] ^= 1;
    assert_int_equal(opens(k, &key), ML_E_IO);
    person_reset(f, &f->who[0]);
    f->who[0].store.fail = ML_E_FULL;
    size_t failed = 0;
    for (size_t i = 0; i < f->log.count; i++) {
        struct ml_keyop op;
        struct ml_keyring_news news;
        assert_int_equal(ml_keyop_decode(&op, ml_slice(f->log.op[i].data, f->log.op[i].len), NULL),
                         ML_OK);
        failed += ml_keyring_apply(f->who[0].ring, &op, true, &news) == ML_E_FULL;
    }
    assert_int_equal(failed, f->log.count);
}

/* All of a founding, a write and a grant with the nth allocation failing. */
static ml_err whole_story(struct people *f, struct ml_keyring *k, struct key_log *log)
{
    const struct ml_epoch_recipient me = {f->who[0].pk, true};
    struct ml_epoch_args args = {.team = f->team,
                                 .compartment = ML_COMPARTMENT_ADMIN,
                                 .recipients = &me,
                                 .recipient_count = 1,
                                 .recovery = &f->recovery_pk};
    ml_err err = ml_keyring_make_epoch(k, &args, key_log_add, log);
    for (size_t i = 0; err == ML_OK && i < 6; i++) {
        struct ml_keyop op;
        struct ml_keyring_news news;
        struct ml_seal_key key;
        size_t from = log->count - 1;
        if (i == 1) {
            err = ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, log);
        } else if (i == 2) {
            err = ml_keyring_make_dek(k, &f->patient, ML_COMPARTMENT_ADMIN, key_log_add, log);
        } else if (i == 3) {
            err = ml_keyring_make_grant(k, &f->who[1].pk, true, key_log_add, log);
        } else if (i == 4) {
            err = ml_keyring_make_epoch(k, &args, key_log_add, log);
        } else if (i == 5) {
            return ml_keyring_seal_key(k, &f->patient, ML_COMPARTMENT_ADMIN, &key);
        }
        from += i > 0;
        for (; from < log->count && err == ML_OK; from++) {
            struct ml_slice bytes = ml_slice(log->op[from].data, log->op[from].len);
            assert_int_equal(ml_keyop_decode(&op, bytes, NULL), ML_OK);
            err = ml_keyring_apply(k, &op, true, &news);
        }
    }
    return err;
}

static void no_failed_alloc_breaks_or_leaks(void **state)
{
    struct people *f = *state;
    for (long nth = 1;; nth++) {
        long live = f->fake.live;
        struct ml_keyring *k = NULL;
        mem_store_init(&f->who[0].store);
        const struct ml_keyring_args args = {.env = &f->fake.env,
                                             .org = f->org,
                                             .mon_box = f->who[0].box,
                                             .store = &f->who[0].store.store,
                                             .cache_deks = 8};
        f->fake.fail_alloc = nth;
        ml_err err = ml_keyring_new(&k, &args);
        if (err == ML_OK) {
            err = whole_story(f, k, &f->log);
        }
        bool over = f->fake.fail_alloc > 0; /* it wasn't reached */
        f->fake.fail_alloc = 0;
        ml_keyring_free(k);
        key_log_free(&f->log);
        assert_int_equal(f->fake.live, live);
        if (over) {
            assert_int_equal(err, ML_E_NO_KEY); /* the new epoch wants a new DEK */
            assert_true(nth > 20);
            return;
        }
        assert_int_equal(err, ML_E_NOMEM);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_founder_writes_for_a_patient_and_for_the_structure),
        TEST(an_unknown_patient_or_stream_is_not_found),
        TEST(what_is_written_never_opens_the_structure),
        TEST(every_member_derives_the_same_import_key),
        TEST(a_grant_opens_what_came_before_it),
        TEST(the_order_of_key_ops_is_no_matter),
        TEST(a_new_epoch_asks_a_new_dek_before_the_next_seal),
        TEST(history_opens_older_epochs_and_nothing_else_does),
        TEST(an_opening_is_sealed_again_under_a_later_epoch),
        TEST(an_opening_is_sealed_again_under_an_epoch_that_seals_again),
        TEST(what_quarantined_ops_bring_opens_but_never_seals),
        TEST(a_second_team_gets_the_same_streams_and_the_missing_wraps),
        TEST(who_is_of_one_team_writes_for_the_other_too),
        TEST(a_patient_opened_twice_has_one_stream_to_write_and_all_to_read),
        TEST(the_recovery_key_opens_break_glass_wraps),
        TEST(damaged_ops_are_ignored_and_reported),
        TEST(a_key_of_another_id_is_not_held),
        TEST(a_wrap_of_another_key_does_not_pass_for_it),
        TEST(a_full_cache_drops_the_oldest_and_opens_again),
        TEST(a_card_opens_in_its_place_only),
        TEST(an_epoch_asks_for_distinct_recipients),
        TEST(a_failing_store_is_reported),
        TEST(no_failed_alloc_breaks_or_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
