/* tests/unit/core_model/test_keyring_group.c -- whom groups' keys are for, one rule of
 * model/keyring_group.h per test, and random stories against an oracle that knows no keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_group.h"
#include "support_people.h"

enum { PEOPLE = 5, EPOCHS = 64, ITEMS = 64 };

static const ml_compartment care = ML_COMPARTMENT_CARE;

/* What the oracle knows: ids, and who was given what. */
struct oracle {
    struct ml_key_id kek[EPOCHS];
    size_t epochs;
    bool has[PEOPLE][EPOCHS];
    struct ml_seal_key item[ITEMS];
    size_t item_epoch[ITEMS];
    size_t items;
};

struct fixture {
    struct people w;
    bool in[PEOPLE]; /* whom governance entitles */
    bool keeper[PEOPLE];
    struct oracle oracle;
};

static uint64_t seed = 5;

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    people_init(&f.w, seed, PEOPLE);
    for (size_t i = 0; i < PEOPLE; i++) {
        f.keeper[i] = true;
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    return people_free(&f->w);
}

/* ---- what happens ---- */

static void tell(struct fixture *f)
{
    struct ml_group_member members[PEOPLE];
    struct ml_group group = {.team = f->w.team, .compartment = care, .members = members};
    for (size_t i = 0; i < PEOPLE; i++) {
        if (f->in[i]) {
            members[group.count++] = (struct ml_group_member){f->w.who[i].pk, f->keeper[i]};
        }
    }
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(ml_keyring_set_group(f->w.who[i].ring, &group), ML_OK);
    }
}

static void entitle(struct fixture *f, size_t person, bool in)
{
    f->in[person] = in;
    tell(f);
}

static ml_group_state state_of(const struct fixture *f, size_t person)
{
    return ml_keyring_group_state(f->w.who[person].ring, &f->w.team, care);
}

static void oracle_epoch(struct fixture *f, const struct ml_kek_epoch *epoch)
{
    struct oracle *o = &f->oracle;
    assert_true(o->epochs < EPOCHS);
    o->kek[o->epochs] = epoch->kek;
    for (size_t p = 0; p < PEOPLE; p++) {
        o->has[p][o->epochs] = f->in[p];
    }
    o->epochs++;
}

static void oracle_epochs(struct fixture *f, size_t first)
{
    for (size_t i = first; i < f->w.log.count; i++) {
        const struct ml_keyop op = key_log_op(&f->w.log, i);
        if (op.type == ML_KEYOP_KEK_EPOCH && op.u.kek_epoch.compartment == (uint8_t)care) {
            oracle_epoch(f, &op.u.kek_epoch);
        }
    }
}

static ml_err next_unheard(struct fixture *f, size_t person)
{
    const struct ml_group_place place = {.team = f->w.team, .compartment = care};
    const size_t first = f->w.log.count;
    ml_err err = ml_keyring_make_next(f->w.who[person].ring, &place, key_log_add, &f->w.log);
    oracle_epochs(f, first);
    return err;
}

static ml_err next(struct fixture *f, size_t person)
{
    const size_t first = f->w.log.count;
    ml_err err = next_unheard(f, person);
    people_hear(&f->w, first);
    return err;
}

static void oracle_give(struct fixture *f, const struct ml_box_pk *to, const struct ml_key_id *kek)
{
    size_t p = 0;
    while (memcmp(&f->w.who[p].pk, to, sizeof(*to)) != 0) {
        p++;
    }
    for (size_t e = 0; e < f->oracle.epochs; e++) {
        f->oracle.has[p][e] |= memcmp(&f->oracle.kek[e], kek, sizeof(*kek)) == 0;
    }
}

/* The plain way: what seals, to who lacks it. */
static size_t grants(struct fixture *f, size_t person)
{
    const size_t first = f->w.log.count;
    assert_int_equal(ml_keyring_make_grants(f->w.who[person].ring, key_log_add, &f->w.log), ML_OK);
    people_hear(&f->w, first);
    for (size_t i = first; i < f->w.log.count; i++) {
        const struct ml_keyop op = key_log_op(&f->w.log, i);
        struct ml_list_walk walk;
        struct ml_grant_slot slot;
        assert_int_equal(op.type, ML_KEYOP_KEK_GRANT);
        ml_list_walk(&walk, &op.u.kek_grant.slots);
        while (ml_grant_slot_next(&walk, &slot)) {
            assert_int_equal(slot.kind, ML_SLOT_KEK);
            oracle_give(f, &op.u.kek_grant.recipient, &slot.key);
        }
    }
    return f->w.log.count - first;
}

static ml_err history(struct fixture *f, size_t giver, size_t to)
{
    const size_t first = f->w.log.count;
    ml_err err =
        ml_keyring_make_grant(f->w.who[giver].ring, &f->w.who[to].pk, true, key_log_add, &f->w.log);
    people_hear(&f->w, first);
    for (size_t e = 0; e < f->oracle.epochs && err == ML_OK; e++) {
        f->oracle.has[to][e] |= f->oracle.has[giver][e];
    }
    return err;
}

/* A new data key, as at the first write of an epoch; its item is whatever it would seal. */
static ml_err item(struct fixture *f, size_t person)
{
    const size_t first = f->w.log.count;
    struct oracle *o = &f->oracle;
    ml_err err =
        ml_keyring_make_dek(f->w.who[person].ring, &f->w.patient, care, key_log_add, &f->w.log);
    people_hear(&f->w, first);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_keyop op = key_log_op(&f->w.log, first);
    assert_int_equal(op.type, ML_KEYOP_DEK_WRAP);
    o->item[o->items] = (struct ml_seal_key){op.u.dek_wrap.stream, op.u.dek_wrap.dek};
    for (o->item_epoch[o->items] = 0;
         memcmp(&o->kek[o->item_epoch[o->items]], &op.u.dek_wrap.kek, 16) != 0;) {
        o->item_epoch[o->items]++;
        assert_true(o->item_epoch[o->items] < o->epochs);
    }
    o->items++;
    return ML_OK;
}

static bool reads(const struct fixture *f, size_t person, size_t i)
{
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    const struct ml_seal_key *key = &f->oracle.item[i];
    return ml_keyring_dek(f->w.who[person].ring, &key->stream, &key->dek, &info, &dek) == ML_OK;
}

static void as_the_oracle_says(const struct fixture *f)
{
    for (size_t p = 0; p < PEOPLE; p++) {
        for (size_t i = 0; i < f->oracle.items; i++) {
            assert_int_equal(reads(f, p, i), f->oracle.has[p][f->oracle.item_epoch[i]]);
        }
    }
}

/* Identity is everybody's, so that streams are known to all; care is the first one's. */
static void found(struct fixture *f)
{
    struct ml_epoch_recipient all[PEOPLE];
    for (size_t i = 0; i < PEOPLE; i++) {
        all[i] = (struct ml_epoch_recipient){f->w.who[i].pk, true};
    }
    const struct ml_epoch_args admin = {.team = f->w.team,
                                        .compartment = ML_COMPARTMENT_ADMIN,
                                        .recipients = all,
                                        .recipient_count = PEOPLE};
    struct ml_keyring *k = f->w.who[0].ring;
    assert_int_equal(ml_keyring_make_epoch(k, &admin, key_log_add, &f->w.log), ML_OK);
    people_hear(&f->w, 0);
    assert_int_equal(ml_keyring_make_open(k, &f->w.patient, &f->w.team, key_log_add, &f->w.log),
                     ML_OK);
    people_hear(&f->w, 1);
    entitle(f, 0, true);
    assert_int_equal(state_of(f, 0), ML_GROUP_STALE);
    assert_int_equal(next(f, 0), ML_OK);
    assert_int_equal(state_of(f, 0), ML_GROUP_SEALS);
}

/* ---- rules ---- */

static void a_departure_asks_for_the_next_epoch(void **state)
{
    struct fixture *f = *state;
    found(f);
    entitle(f, 1, true);
    assert_int_equal(state_of(f, 0), ML_GROUP_SEALS); /* somebody missing stops nothing */
    assert_int_equal(state_of(f, 1), ML_GROUP_AWAITS);
    assert_int_equal(next(f, 1), ML_E_NO_KEY);
    assert_int_equal(grants(f, 0), 1);
    assert_int_equal(grants(f, 0), 0);
    assert_int_equal(state_of(f, 1), ML_GROUP_SEALS);
    assert_int_equal(item(f, 1), ML_OK);
    entitle(f, 1, false);
    assert_int_equal(state_of(f, 0), ML_GROUP_STALE);
    assert_int_equal(state_of(f, 1), ML_GROUP_CLOSED);
    assert_int_equal(next(f, 1), ML_E_DENIED);
    assert_int_equal(item(f, 0), ML_E_NO_KEY); /* not under a key that he holds */
    assert_int_equal(next(f, 0), ML_OK);
    assert_int_equal(item(f, 0), ML_OK);
    assert_true(reads(f, 1, 0));
    assert_false(reads(f, 1, 1));
    assert_true(reads(f, 0, 0) && reads(f, 0, 1));
    as_the_oracle_says(f);
}

/* Rules A4: ten years by one grant, and only by that grant. */
static void history_is_given_by_a_grant_alone(void **state)
{
    struct fixture *f = *state;
    found(f);
    for (size_t i = 0; i < 3; i++) {
        entitle(f, 4, true);
        grants(f, 0);
        assert_int_equal(item(f, 0), ML_OK);
        entitle(f, 4, false);
        assert_int_equal(next(f, 0), ML_OK);
    }
    entitle(f, 1, true);
    entitle(f, 2, true);
    assert_int_equal(history(f, 0, 1), ML_OK);
    assert_int_equal(grants(f, 0), 1);
    assert_int_equal(item(f, 1), ML_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_true(reads(f, 1, i));
        assert_false(reads(f, 2, i));
    }
    assert_true(reads(f, 1, 3) && reads(f, 2, 3));
    assert_false(reads(f, 4, 3));
    as_the_oracle_says(f);
    /* A plain newcomer who makes the next epoch is no way to more, for him or for who comes. */
    entitle(f, 0, false);
    assert_int_equal(next(f, 2), ML_OK);
    entitle(f, 3, true);
    assert_int_equal(history(f, 2, 3), ML_OK);
    assert_int_equal(item(f, 2), ML_OK);
    as_the_oracle_says(f);
    assert_false(reads(f, 3, 0));
    /* And breaks nothing: whoever has it all gives it all, by a grant or by the next epoch. */
    assert_int_equal(history(f, 1, 3), ML_OK);
    assert_true(reads(f, 3, 0));
    as_the_oracle_says(f);
    entitle(f, 2, false);
    assert_int_equal(next(f, 1), ML_OK);
    const struct ml_keyop last = key_log_op(&f->w.log, f->w.log.count - 1);
    assert_int_equal(last.u.kek_epoch.older.count, 3); /* KEK and HIST before, and a HIST older */
}

/* An epoch that its only unentitled holder makes sound by coming back, but which somebody opens who
 * was given a later one's HIST and left. */
static void what_a_history_opened_never_seals_again(void **state)
{
    struct fixture *f = *state;
    found(f);
    entitle(f, 1, true);
    grants(f, 0);
    entitle(f, 1, false);
    assert_int_equal(next(f, 0), ML_OK);
    entitle(f, 3, true);
    assert_int_equal(history(f, 0, 3), ML_OK);
    entitle(f, 1, true);
    assert_int_equal(state_of(f, 0), ML_GROUP_SEALS);
    entitle(f, 3, false); /* the first epoch fits again: its holders are 0 and 1 */
    assert_int_equal(state_of(f, 0), ML_GROUP_STALE);
    assert_int_equal(item(f, 0), ML_E_NO_KEY);
    assert_int_equal(next(f, 0), ML_OK);
    assert_int_equal(item(f, 0), ML_OK);
    assert_true(reads(f, 1, 0));
    assert_false(reads(f, 3, 0));
    as_the_oracle_says(f);
}

/* Made in two places at once: both open for all, and one of them seals everywhere. */
static void of_concurrent_epochs_the_smallest_key_seals(void **state)
{
    struct fixture *f = *state;
    found(f);
    entitle(f, 1, true);
    entitle(f, 2, true);
    grants(f, 0);
    entitle(f, 2, false);
    const size_t first = f->w.log.count;
    assert_int_equal(next_unheard(f, 0), ML_OK);
    assert_int_equal(next_unheard(f, 1), ML_OK);
    people_hear(&f->w, first);
    assert_int_equal(key_log_op(&f->w.log, first).u.kek_epoch.epoch, 2);
    assert_int_equal(key_log_op(&f->w.log, first + 1).u.kek_epoch.epoch, 2);
    assert_int_equal(item(f, 0), ML_OK);
    assert_int_equal(item(f, 1), ML_OK);
    assert_int_equal(f->oracle.item_epoch[0], f->oracle.item_epoch[1]);
    const bool smaller = memcmp(&f->oracle.kek[1], &f->oracle.kek[2], 16) < 0;
    assert_int_equal(f->oracle.item_epoch[0], smaller ? 1 : 2);
    as_the_oracle_says(f);
    /* Who comes later gets both, whichever was used. */
    entitle(f, 3, true);
    assert_int_equal(grants(f, 1), 1);
    assert_true(f->oracle.has[3][1] && f->oracle.has[3][2]);
    entitle(f, 1, false);
    assert_int_equal(next(f, 0), ML_OK);
    assert_int_equal(key_log_op(&f->w.log, f->w.log.count - 1).u.kek_epoch.epoch, 3);
    assert_int_equal(key_log_op(&f->w.log, f->w.log.count - 1).u.kek_epoch.older.count, 4);
}

/* Slots that don't open for somebody, and a group whose holders are all gone, stop nobody. */
static void nobody_waits_for_who_cannot_come(void **state)
{
    struct fixture *f = *state;
    found(f);
    entitle(f, 1, true);
    assert_int_equal(state_of(f, 1), ML_GROUP_AWAITS);
    entitle(f, 0, false);
    assert_int_equal(state_of(f, 1), ML_GROUP_STALE);
    assert_int_equal(next(f, 1), ML_OK);
    assert_int_equal(state_of(f, 1), ML_GROUP_SEALS);
    assert_int_equal(item(f, 1), ML_OK);
    assert_false(reads(f, 0, 0));
    assert_int_equal(key_log_op(&f->w.log, f->w.log.count - 2).u.kek_epoch.older.count, 0);
    as_the_oracle_says(f);
    /* But who holds nothing waits while somebody is there who does. */
    entitle(f, 2, true);
    grants(f, 1);
    entitle(f, 3, true);
    entitle(f, 2, false);
    assert_int_equal(state_of(f, 1), ML_GROUP_STALE);
    assert_int_equal(state_of(f, 3), ML_GROUP_AWAITS);
    assert_int_equal(next(f, 1), ML_OK);
    assert_int_equal(state_of(f, 3), ML_GROUP_SEALS);
}

static void a_group_names_nobody_twice(void **state)
{
    struct fixture *f = *state;
    struct ml_group_member twice[2] = {{f->w.who[0].pk, true}, {f->w.who[0].pk, false}};
    const struct ml_group group = {f->w.team, care, twice, 2};
    found(f);
    assert_int_equal(ml_keyring_set_group(f->w.who[0].ring, &group), ML_E_INVALID);
    assert_int_equal(state_of(f, 0), ML_GROUP_SEALS);
    const struct ml_group_place other = {.team = {{9}}, .compartment = care};
    assert_int_equal(ml_keyring_group_state(f->w.who[0].ring, &other.team, care), ML_GROUP_CLOSED);
    assert_int_equal(ml_keyring_make_next(f->w.who[0].ring, &other, key_log_add, &f->w.log),
                     ML_E_DENIED);
}

/* ---- the canary ---- */

/* The slot that the last op, an epoch or a grant, has for somebody, or its first, is spoilt. */
static void spoil(struct fixture *f, size_t person)
{
    const size_t last = f->w.log.count - 1;
    const struct ml_keyop op = key_log_op(&f->w.log, last);
    const struct ml_recipient_id id = ml_recipient_id_of(&f->w.who[person].pk);
    const struct ml_list *slots =
        op.type == ML_KEYOP_KEK_EPOCH ? &op.u.kek_epoch.slots : &op.u.kek_grant.slots;
    struct ml_slot_bytes slot = {{0}};
    struct ml_epoch_slot of_epoch;
    struct ml_grant_slot of_grant;
    struct ml_list_walk walk;
    ml_list_walk(&walk, slots);
    if (op.type == ML_KEYOP_KEK_GRANT) {
        assert_true(ml_grant_slot_next(&walk, &of_grant));
        slot = of_grant.slot;
    }
    while (op.type == ML_KEYOP_KEK_EPOCH && ml_epoch_slot_next(&walk, &of_epoch)) {
        slot = memcmp(&of_epoch.recipient, &id, sizeof(id)) == 0 ? of_epoch.kek : slot;
    }
    uint8_t *at = memmem(f->w.log.op[last].data, f->w.log.op[last].len, &slot, sizeof(slot));
    assert_non_null(at);
    at[0] ^= 1;
}

static size_t faults(struct fixture *f, size_t person)
{
    const size_t first = f->w.log.count;
    assert_int_equal(ml_keyring_make_faults(f->w.who[person].ring, key_log_add, &f->w.log), ML_OK);
    people_hear(&f->w, first);
    return f->w.log.count - first;
}

static size_t faulty_of(const struct fixture *f, size_t person, size_t *given_up)
{
    return ml_keyring_faulty(f->w.who[person].ring, given_up);
}

/* A second epoch, for 0 and 1, whose slot for 1 doesn't open. */
static void lied_to(struct fixture *f)
{
    found(f);
    entitle(f, 1, true);
    entitle(f, 2, true);
    grants(f, 0);
    entitle(f, 2, false);
    const size_t first = f->w.log.count;
    assert_int_equal(next_unheard(f, 0), ML_OK);
    spoil(f, 1);
    people_hear(&f->w, first);
}

/* Rules A3: before he needs it, and without anybody's asking. */
static void a_key_that_does_not_open_is_said_and_given_again(void **state)
{
    struct fixture *f = *state;
    size_t given_up = 9;
    lied_to(f);
    assert_int_equal(item(f, 0), ML_OK);
    assert_false(reads(f, 1, 0));
    assert_int_equal(faulty_of(f, 1, &given_up), 1);
    assert_int_equal(given_up, 0);
    assert_int_equal(grants(f, 0), 0); /* by all that the others see he has it */
    const uint64_t before = ml_keyring_faults(f->w.who[0].ring);
    assert_int_equal(faults(f, 1), 1);
    assert_true(ml_keyring_faults(f->w.who[0].ring) != before);
    assert_int_equal(key_log_op(&f->w.log, f->w.log.count - 1).type, ML_KEYOP_KEY_FAULT);
    assert_int_equal(faults(f, 1), 0); /* once */
    assert_int_equal(grants(f, 3), 0); /* who holds nothing gives nothing */
    assert_int_equal(grants(f, 0), 1);
    assert_true(reads(f, 1, 0));
    assert_int_equal(faulty_of(f, 1, &given_up), 0);
    assert_int_equal(faults(f, 1), 0);
    assert_int_equal(grants(f, 0), 0);
    assert_int_equal(state_of(f, 1), ML_GROUP_SEALS);
    as_the_oracle_says(f);
}

/* Nobody answers a key that no grant can mend for ever. */
static void a_key_is_asked_for_three_times(void **state)
{
    struct fixture *f = *state;
    size_t given_up = 9;
    lied_to(f);
    for (unsigned i = 0; i < ML_KEYRING_FAULTS_MAX; i++) {
        assert_int_equal(faults(f, 1), 1);
        const size_t first = f->w.log.count;
        assert_int_equal(ml_keyring_make_grants(f->w.who[0].ring, key_log_add, &f->w.log), ML_OK);
        assert_int_equal(f->w.log.count, first + 1);
        spoil(f, 1);
        people_hear(&f->w, first);
        assert_int_equal(faulty_of(f, 1, &given_up), 1);
        assert_int_equal(given_up, i + 1 == ML_KEYRING_FAULTS_MAX);
    }
    assert_int_equal(faults(f, 1), 0);
    /* Whoever says it once more is heard no more. */
    const size_t first = f->w.log.count;
    struct ml_keyop op = {.type = ML_KEYOP_KEY_FAULT};
    op.u.key_fault.recipient = ml_recipient_id_of(&f->w.who[1].pk);
    op.u.key_fault.keys = (struct ml_list){.items = &f->oracle.kek[1], .count = 1};
    struct ml_buf bytes;
    ml_buf_init(&bytes, &f->w.fake.env, 4096);
    assert_int_equal(ml_keyop_encode(&bytes, &op), ML_OK);
    assert_int_equal(key_log_add(&f->w.log, ml_buf_slice(&bytes)), ML_OK);
    ml_buf_free(&bytes);
    people_hear(&f->w, first);
    assert_int_equal(grants(f, 0), 0);
    /* He isn't stopped: the next epoch is his to make. */
    assert_int_equal(state_of(f, 1), ML_GROUP_STALE);
    assert_int_equal(next(f, 1), ML_OK);
    assert_int_equal(state_of(f, 1), ML_GROUP_SEALS);
    assert_int_equal(state_of(f, 0), ML_GROUP_SEALS);
}

/* Rules A4, R8: saying so is no way to what one wasn't given, nor to stay. */
static void nothing_is_got_by_saying_that_it_does_not_open(void **state)
{
    struct fixture *f = *state;
    found(f);
    assert_int_equal(item(f, 0), ML_OK);
    entitle(f, 1, true);
    grants(f, 0);
    entitle(f, 2, true);
    grants(f, 0);
    assert_int_equal(faults(f, 2), 0);
    struct ml_keyop op = {.type = ML_KEYOP_KEY_FAULT};
    op.u.key_fault.recipient = ml_recipient_id_of(&f->w.who[2].pk);
    op.u.key_fault.keys = (struct ml_list){.items = &f->oracle.kek[0], .count = 1};
    struct ml_buf bytes;
    ml_buf_init(&bytes, &f->w.fake.env, 4096);
    assert_int_equal(ml_keyop_encode(&bytes, &op), ML_OK);
    const size_t first = f->w.log.count;
    assert_int_equal(key_log_add(&f->w.log, ml_buf_slice(&bytes)), ML_OK);
    people_hear(&f->w, first);
    entitle(f, 2, false); /* he says that he lacks the key; it is closed to him all the same */
    assert_int_equal(grants(f, 0), 0);
    assert_int_equal(state_of(f, 0), ML_GROUP_STALE);
    assert_int_equal(next(f, 0), ML_OK);
    entitle(f, 3, true); /* he came after the first epoch, and says that it doesn't open */
    grants(f, 0);
    op.u.key_fault.recipient = ml_recipient_id_of(&f->w.who[3].pk);
    ml_buf_free(&bytes);
    ml_buf_init(&bytes, &f->w.fake.env, 4096);
    assert_int_equal(ml_keyop_encode(&bytes, &op), ML_OK);
    const size_t then = f->w.log.count;
    assert_int_equal(key_log_add(&f->w.log, ml_buf_slice(&bytes)), ML_OK);
    f->w.log.op[then].accepted = true;
    people_hear(&f->w, then);
    assert_int_equal(grants(f, 0), 0);
    assert_false(reads(f, 3, 0));
    ml_buf_free(&bytes);
    as_the_oracle_says(f);
}

/* What only quarantined ops say is no word. */
static void only_what_counts_asks(void **state)
{
    struct fixture *f = *state;
    lied_to(f);
    f->w.log.accepted = false;
    assert_int_equal(faults(f, 1), 1);
    f->w.log.accepted = true;
    assert_int_equal(grants(f, 0), 0);
    assert_int_equal(faults(f, 1), 1);
    assert_int_equal(grants(f, 0), 1);
}

/* ---- stories ---- */

static void two_at_once(struct fixture *f, size_t p, size_t q)
{
    const size_t first = f->w.log.count;
    if (state_of(f, p) != ML_GROUP_STALE || state_of(f, q) != ML_GROUP_STALE) {
        return;
    }
    assert_int_equal(next_unheard(f, p), ML_OK);
    if (p != q) {
        assert_int_equal(next_unheard(f, q), ML_OK);
    }
    people_hear(&f->w, first);
}

static void write_one(struct fixture *f, size_t p)
{
    if (state_of(f, p) == ML_GROUP_STALE) {
        assert_int_equal(next(f, p), ML_OK);
    }
    if (state_of(f, p) != ML_GROUP_SEALS) {
        assert_int_equal(item(f, p), ML_E_NO_KEY);
        return;
    }
    assert_int_equal(item(f, p), ML_OK);
    for (size_t i = 0; i < PEOPLE; i++) { /* at once nobody else's */
        assert_true(f->in[i] || !reads(f, i, f->oracle.items - 1));
    }
}

static void story_step(struct fixture *f)
{
    const size_t p = (size_t)fake_below(&f->w.fake, PEOPLE);
    const size_t q = (size_t)fake_below(&f->w.fake, PEOPLE);
    const uint64_t what = fake_below(&f->w.fake, 10);
    if (what <= 1) {
        f->keeper[p] = what == 0;
        entitle(f, p, true);
    } else if (what == 2) {
        entitle(f, p, false);
    } else if (what == 3) {
        two_at_once(f, p, q);
    } else if (what == 4) {
        grants(f, p);
    } else if (what == 5 && f->in[q] && state_of(f, p) == ML_GROUP_SEALS) {
        assert_int_equal(history(f, p, q), ML_OK);
    } else if (what > 5) {
        write_one(f, p);
    }
}

static void any_story_opens_what_the_oracle_says(void **state)
{
    struct fixture *f = NULL;
    size_t items = 0;
    size_t epochs = 0;
    for (seed = 5001; seed <= 5200; seed++) {
        assert_int_equal(teardown(state), 0);
        setup(state);
        f = *state;
        found(f);
        for (unsigned step = 0; step < 60; step++) {
            story_step(f);
        }
        as_the_oracle_says(f);
        items += f->oracle.items;
        epochs += f->oracle.epochs;
    }
    print_message("%zu items, %zu epochs\n", items, epochs);
    assert_true(items > 1400 && epochs > 350);
}

enum { CROWD = 100, TEAMS = 3, CLASSES = 10 };

/* Every group of three teams, for the founder and the first `count` of a crowd. */
static size_t crowd_epochs(struct fixture *f, const struct ml_group_member *crowd, size_t count)
{
    const size_t first = f->w.log.count;
    size_t bytes = 0;
    for (unsigned i = 0; i < TEAMS * CLASSES; i++) {
        const struct ml_group_place place = {.team = {{(uint8_t)(1 + i / CLASSES)}},
                                             .compartment = (ml_compartment)(1 + i % CLASSES),
                                             .recovery = &f->w.who[0].pk};
        const struct ml_group group = {place.team, place.compartment, crowd, count};
        assert_int_equal(ml_keyring_set_group(f->w.who[0].ring, &group), ML_OK);
        assert_int_equal(ml_keyring_make_next(f->w.who[0].ring, &place, key_log_add, &f->w.log),
                         ML_OK);
    }
    key_log_apply_from(f->w.who[0].ring, &f->w.log, first);
    for (size_t i = first; i < f->w.log.count; i++) {
        bytes += f->w.log.op[i].len;
    }
    return bytes;
}

/* Architecture 8: all the epochs that one revocation causes, for 100 members on nodes and 30
 * groups. */
static void a_revocation_among_a_hundred_takes_little_room(void **state)
{
    struct fixture *f = *state;
    struct ml_group_member crowd[CROWD] = {{f->w.who[0].pk, true}};
    for (size_t i = 1; i < CROWD; i++) {
        struct ml_secret *secret = NULL;
        assert_int_equal(ml_box_keypair(&crowd[i].pk, &secret, &f->w.fake.env), ML_OK);
        crowd[i].keeper = i < 5;
        ml_secret_free(secret);
    }
    crowd_epochs(f, crowd, CROWD);
    const size_t bytes = crowd_epochs(f, crowd, CROWD - 1);
    print_message("%zu bytes\n", bytes);
    assert_true(bytes <= 250000);
    assert_int_equal(key_log_op(&f->w.log, f->w.log.count - 1).u.kek_epoch.epoch, 2);
}

/* ---- failures ---- */

static ml_err all_of_it(struct fixture *f, struct ml_keyring *k, struct key_log *log)
{
    const struct ml_group_member members[2] = {{f->w.who[0].pk, true}, {f->w.who[1].pk, true}};
    const struct ml_group alone = {f->w.team, care, members, 1};
    const struct ml_group both = {f->w.team, care, members, 2};
    const struct ml_group_place place = {.team = f->w.team, .compartment = care};
    ml_err err = ml_keyring_set_group(k, &both);
    for (size_t i = 0; err == ML_OK && i < 3; i++) {
        const size_t from = log->count;
        err = i == 2 ? ml_keyring_make_grants(k, key_log_add, log)
                     : ml_keyring_make_next(k, &place, key_log_add, log);
        for (size_t o = from; o < log->count && err == ML_OK; o++) {
            struct ml_keyop op;
            struct ml_keyring_news news;
            struct ml_slice bytes = ml_slice(log->op[o].data, log->op[o].len);
            assert_int_equal(ml_keyop_decode(&op, bytes, NULL), ML_OK);
            err = ml_keyring_apply(k, &op, true, &news);
        }
        if (err == ML_OK && i < 2) {
            err = ml_keyring_set_group(k, i == 0 ? &alone : &both);
        }
    }
    return err;
}

static void no_failed_alloc_breaks_or_leaks(void **state)
{
    struct fixture *f = *state;
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    for (; err == ML_E_NOMEM; nth++) {
        const long live = f->w.fake.live;
        struct ml_keyring *k = NULL;
        mem_store_init(&f->w.who[0].store);
        const struct ml_keyring_args args = {.env = &f->w.fake.env,
                                             .org = f->w.org,
                                             .mon_box = f->w.who[0].box,
                                             .store = &f->w.who[0].store.store,
                                             .cache_deks = 8};
        f->w.fake.fail_alloc = nth + 1;
        err = ml_keyring_new(&k, &args);
        err = err == ML_OK ? all_of_it(f, k, &f->w.log) : err;
        f->w.fake.fail_alloc = 0;
        ml_keyring_free(k);
        key_log_free(&f->w.log);
        assert_int_equal(f->w.fake.live, live);
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 25);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_departure_asks_for_the_next_epoch),
        TEST(history_is_given_by_a_grant_alone),
        TEST(what_a_history_opened_never_seals_again),
        TEST(of_concurrent_epochs_the_smallest_key_seals),
        TEST(nobody_waits_for_who_cannot_come),
        TEST(a_group_names_nobody_twice),
        TEST(a_key_that_does_not_open_is_said_and_given_again),
        TEST(a_key_is_asked_for_three_times),
        TEST(nothing_is_got_by_saying_that_it_does_not_open),
        TEST(only_what_counts_asks),
        TEST(any_story_opens_what_the_oracle_says),
        TEST(a_revocation_among_a_hundred_takes_little_room),
        TEST(no_failed_alloc_breaks_or_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
