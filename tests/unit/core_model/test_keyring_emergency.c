/* test_keyring_emergency.c -- nobody seals under emergency keys of before (ADR 0030): who lost the
 * right to break a glass opens nothing that is written after, and the others soon do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/model/keyring_except.h"
#include "core/model/keyring_group.h"
#include "core/model/keyring_pair.h"
#include "support_people.h"

/* WRITER may read and not break glasses; HOLDER may both; LEAVER is in no group. */
enum { WRITER, HOLDER, LEAVER, PEOPLE };

static const ml_compartment medical = ML_COMPARTMENT_MEDICAL;

static int setup(void **state)
{
    static struct people f;
    people_init(&f, 31, PEOPLE);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    return people_free(*state);
}

/* ---- what happens ---- */

static void entitle(struct people *f, ml_compartment compartment)
{
    const struct ml_group_member members[] = {{f->who[WRITER].pk, false},
                                              {f->who[HOLDER].pk, false}};
    const struct ml_group group = {
        .team = f->team, .compartment = compartment, .members = members, .count = 2};
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(ml_keyring_set_group(f->who[i].ring, &group), ML_OK);
    }
}

/* Governance lets these break glasses, as everybody is told. */
static void may_break(struct people *f, bool leaver)
{
    const struct ml_box_pk may[] = {f->who[HOLDER].pk, f->who[LEAVER].pk};
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(ml_keyring_set_breakers(f->who[i].ring, may, leaver ? 2 : 1), ML_OK);
    }
}

static void new_pair_unheard(struct people *f, bool leaver)
{
    const struct ml_box_pk to[] = {f->who[HOLDER].pk, f->who[LEAVER].pk};
    const struct ml_pair_args args = {
        .kind = ML_PAIR_EMERGENCY, .members = to, .count = leaver ? 2 : 1};
    assert_int_equal(ml_keyring_make_pair(f->who[HOLDER].ring, &args, key_log_add, &f->log), ML_OK);
}

static void new_pair(struct people *f, bool leaver)
{
    const size_t first = f->log.count;
    new_pair_unheard(f, leaver);
    people_hear(f, first);
}

static void next_unheard(struct people *f, size_t who, ml_compartment compartment)
{
    const struct ml_group_place place = {
        .team = f->team, .compartment = compartment, .recovery = &f->recovery_pk};
    assert_int_equal(ml_keyring_make_next(f->who[who].ring, &place, key_log_add, &f->log), ML_OK);
}

static void next(struct people *f, size_t who, ml_compartment compartment)
{
    const size_t first = f->log.count;
    next_unheard(f, who, compartment);
    people_hear(f, first);
}

static ml_group_state state_of(const struct people *f, size_t who)
{
    return ml_keyring_group_state(f->who[who].ring, &f->team, medical);
}

/* All are told; the pair is HOLDER's and LEAVER's; both groups have an epoch, and a patient is
 * open.
 */
static void begin(struct people *f)
{
    may_break(f, true);
    new_pair(f, true);
    entitle(f, ML_COMPARTMENT_ADMIN);
    entitle(f, medical);
    next(f, WRITER, ML_COMPARTMENT_ADMIN);
    next(f, WRITER, medical);
    const size_t first = f->log.count;
    assert_int_equal(
        ml_keyring_make_open(f->who[WRITER].ring, &f->patient, &f->team, key_log_add, &f->log),
        ML_OK);
    people_hear(f, first);
}

/* What WRITER's next entry is sealed with. */
static struct ml_seal_key written(struct people *f)
{
    struct ml_seal_key key;
    struct ml_keyring *k = f->who[WRITER].ring;
    ml_err err = ml_keyring_seal_key(k, &f->patient, medical, &key);
    if (err == ML_E_NO_KEY) {
        const size_t first = f->log.count;
        assert_int_equal(ml_keyring_make_dek(k, &f->patient, medical, key_log_add, &f->log), ML_OK);
        people_hear(f, first);
        err = ml_keyring_seal_key(k, &f->patient, medical, &key);
    }
    assert_int_equal(err, ML_OK);
    return key;
}

/* Does any break-glass wrap of it open by the emergency pairs that he holds? */
static bool breaks(struct people *f, size_t who, const struct ml_seal_key *key)
{
    const struct mem_store *m = &f->who[WRITER].store;
    uint8_t dek[ML_KEY_BYTES];
    bool opens = false;
    for (size_t i = 0; i < m->bg_count; i++) {
        opens = opens || (memcmp(&m->bgs[i].dek, &key->dek, sizeof(key->dek)) == 0 &&
                          ml_keyring_open_glass(f->who[who].ring, &m->bgs[i], dek) == ML_OK);
    }
    return opens;
}

/* ---- rules ---- */

static void while_nobody_too_many_has_the_pair_all_goes_on(void **state)
{
    struct people *f = *state;
    begin(f);
    assert_int_equal(state_of(f, WRITER), ML_GROUP_SEALS);
    assert_int_equal(state_of(f, HOLDER), ML_GROUP_SEALS);
    const struct ml_seal_key key = written(f);
    assert_true(breaks(f, HOLDER, &key));
    assert_true(breaks(f, LEAVER, &key));
    new_pair(f, true); /* the same people: what is sealed to the one of before waits for an epoch */
    assert_int_equal(state_of(f, WRITER), ML_GROUP_STALE);
}

/* Who writes next may not renew the pair: it is sealed for nobody's emergency until somebody has.
 */
static void who_lost_the_right_opens_nothing_more(void **state)
{
    struct people *f = *state;
    begin(f);
    const struct ml_seal_key before = written(f);
    may_break(f, false);
    assert_int_equal(state_of(f, WRITER), ML_GROUP_STALE);
    next(f, WRITER, medical);
    assert_int_equal(state_of(f, WRITER), ML_GROUP_SEALS); /* no epoch after the other */
    const struct ml_seal_key meanwhile = written(f);
    assert_memory_not_equal(&meanwhile.dek, &before.dek, sizeof(before.dek));
    assert_false(breaks(f, LEAVER, &meanwhile));
    assert_false(breaks(f, HOLDER, &meanwhile));
    new_pair(f, false);
    assert_int_equal(state_of(f, WRITER), ML_GROUP_STALE);
    next(f, WRITER, medical);
    assert_int_equal(state_of(f, WRITER), ML_GROUP_SEALS);
    assert_int_equal(state_of(f, HOLDER), ML_GROUP_SEALS);
    const struct ml_seal_key after = written(f);
    assert_true(breaks(f, HOLDER, &after));
    assert_false(breaks(f, LEAVER, &after));
    /* What was written meanwhile opens in an emergency once somebody writes on that patient. */
    const size_t first = f->log.count;
    assert_int_equal(
        ml_keyring_make_missing(f->who[WRITER].ring, &f->patient, medical, key_log_add, &f->log),
        ML_OK);
    people_hear(f, first);
    assert_true(breaks(f, HOLDER, &meanwhile));
    assert_false(breaks(f, LEAVER, &meanwhile));
}

static void who_may_renew_it_does_and_makes_the_next(void **state)
{
    struct people *f = *state;
    begin(f);
    (void)written(f);
    may_break(f, false);
    new_pair(f, false);
    assert_int_equal(state_of(f, HOLDER), ML_GROUP_STALE);
    next(f, HOLDER, medical);
    assert_int_equal(state_of(f, HOLDER), ML_GROUP_SEALS);
    assert_int_equal(state_of(f, WRITER), ML_GROUP_SEALS);
    const struct ml_seal_key key = written(f);
    assert_true(breaks(f, HOLDER, &key));
    assert_false(breaks(f, LEAVER, &key));
}

/* Made by who hadn't heard of the new pair: it came before that to some, to its holders after. */
static void an_epoch_for_the_pair_of_before_seals_for_nobody(void **state)
{
    struct people *f = *state;
    begin(f);
    entitle(f, medical);
    new_pair_unheard(f, false);
    next_unheard(f, WRITER, medical);
    const size_t epoch = f->log.count - 1;
    may_break(f, false);
    key_log_apply(f->who[WRITER].ring, &f->log, epoch);
    key_log_apply(f->who[WRITER].ring, &f->log, epoch - 1);
    key_log_apply(f->who[HOLDER].ring, &f->log, epoch - 1);
    key_log_apply(f->who[HOLDER].ring, &f->log, epoch);
    assert_int_equal(state_of(f, WRITER), ML_GROUP_STALE);
    assert_int_equal(state_of(f, HOLDER), ML_GROUP_STALE);
    next(f, HOLDER, medical);
    assert_int_equal(state_of(f, HOLDER), ML_GROUP_SEALS);
}

/* A data key that is sealed to members one by one has break-glass wraps of its day. */
static void a_key_of_an_exception_is_renewed_too(void **state)
{
    struct people *f = *state;
    begin(f);
    const struct ml_box_pk to[] = {f->who[WRITER].pk, f->who[HOLDER].pk};
    const struct ml_exception who = {
        .patient = f->patient, .compartment = medical, .to = to, .count = 2};
    struct ml_keyring *k = f->who[WRITER].ring;
    struct ml_seal_key key;
    size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_exception(k, &who, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
    assert_int_equal(ml_keyring_exception_key(k, &who, &key), ML_OK);
    assert_true(breaks(f, LEAVER, &key));
    may_break(f, false);
    assert_int_equal(ml_keyring_exception_key(k, &who, &key), ML_E_NO_KEY);
    new_pair(f, false);
    next(f, WRITER, medical);
    first = f->log.count;
    assert_int_equal(ml_keyring_make_exception(k, &who, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
    assert_int_equal(ml_keyring_exception_key(k, &who, &key), ML_OK);
    assert_true(breaks(f, HOLDER, &key));
    assert_false(breaks(f, LEAVER, &key));
}

/* Sensitive data has no emergency pair: it goes on. */
static void what_no_pair_opens_is_not_asked(void **state)
{
    struct people *f = *state;
    begin(f);
    entitle(f, ML_COMPARTMENT_SENSITIVE);
    next(f, WRITER, ML_COMPARTMENT_SENSITIVE);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            ml_keyring_group_state(f->who[WRITER].ring, &f->team, ML_COMPARTMENT_SENSITIVE),
            ML_GROUP_SEALS);
        may_break(f, false);
    }
}

static void no_failed_alloc_changes_who_may(void **state)
{
    struct people *f = *state;
    begin(f);
    f->fake.fail_alloc = 1;
    assert_int_equal(ml_keyring_set_breakers(f->who[WRITER].ring, &f->who[HOLDER].pk, 1),
                     ML_E_NOMEM);
    f->fake.fail_alloc = 0;
    assert_int_equal(state_of(f, WRITER), ML_GROUP_SEALS);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(while_nobody_too_many_has_the_pair_all_goes_on),
        TEST(who_lost_the_right_opens_nothing_more),
        TEST(who_may_renew_it_does_and_makes_the_next),
        TEST(an_epoch_for_the_pair_of_before_seals_for_nobody),
        TEST(a_key_of_an_exception_is_renewed_too),
        TEST(what_no_pair_opens_is_not_asked),
        TEST(no_failed_alloc_changes_who_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
