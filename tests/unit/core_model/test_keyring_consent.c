/* test_keyring_consent.c -- what patients decided, and who came later (ADR 0025): the keys of
 * statements are granted, and open statements alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/box.h"
#include "core/model/keyring_except.h"
#include "core/model/keyring_group.h"
#include "core/model/keyring_int.h"
#include "support_people.h"

enum { FOUNDER, LEAVER, NEWCOMER, STRANGER, PEOPLE };

static const char said[] = "an opposition, as bytes";

static int setup(void **state)
{
    static struct people f;
    people_init(&f, 77, PEOPLE);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    return people_free(*state);
}

/* Governance entitles these to both groups, as everybody's keyring is told. */
static void entitle(struct people *f, const size_t *who, size_t count)
{
    static const ml_compartment both[] = {ML_COMPARTMENT_ADMIN, ML_COMPARTMENT_CARE};
    struct ml_group_member members[PEOPLE];
    for (size_t i = 0; i < count; i++) {
        members[i] = (struct ml_group_member){.pk = f->who[who[i]].pk};
    }
    for (size_t i = 0; i < 2 * (size_t)PEOPLE; i++) {
        const struct ml_group group = {
            .team = f->team, .compartment = both[i % 2], .members = members, .count = count};
        assert_int_equal(ml_keyring_set_group(f->who[i / 2].ring, &group), ML_OK);
    }
}

/* The next epoch of both groups, which everybody hears. */
static void rotate(struct people *f)
{
    static const ml_compartment both[] = {ML_COMPARTMENT_ADMIN, ML_COMPARTMENT_CARE};
    const size_t first = f->log.count;
    for (size_t i = 0; i < 2; i++) {
        const struct ml_group_place place = {.team = f->team, .compartment = both[i]};
        assert_int_equal(ml_keyring_make_next(f->who[FOUNDER].ring, &place, key_log_add, &f->log),
                         ML_OK);
    }
    people_hear(f, first);
}

static size_t grant(struct people *f, size_t by)
{
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_grants(f->who[by].ring, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
    return f->log.count - first;
}

/* Takes one down; its place in the log. */
static size_t state_one(struct people *f)
{
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_consent(f->who[FOUNDER].ring, &f->patient, ml_slice_str(said),
                                             key_log_add, &f->log),
                     ML_OK);
    assert_int_equal(f->log.count, first + 1);
    people_hear(f, first);
    return first;
}

static ml_err hears(struct people *f, size_t who, size_t statement)
{
    struct ml_buf plain;
    const struct ml_keyop op = key_log_op(&f->log, statement);
    ml_buf_init(&plain, &f->fake.env, ML_SEALED_BYTES_MAX);
    ml_err err = ml_keyring_open_consent(f->who[who].ring, &op.u.consent, &plain);
    assert_int_equal(plain.len, err == ML_OK ? strlen(said) : 0);
    assert_memory_equal(err == ML_OK ? plain.data : (const void *)said, said, plain.len);
    ml_buf_free(&plain);
    return err;
}

/* A patient of two members, one of whom leaves after he has spoken; somebody else comes. */
static size_t begin(struct people *f)
{
    entitle(f, (const size_t[]){FOUNDER, LEAVER}, 2);
    rotate(f);
    const size_t first = f->log.count;
    assert_int_equal(
        ml_keyring_make_open(f->who[FOUNDER].ring, &f->patient, &f->team, key_log_add, &f->log),
        ML_OK);
    people_hear(f, first);
    const size_t statement = state_one(f);
    entitle(f, (const size_t[]){FOUNDER}, 1);
    rotate(f);
    entitle(f, (const size_t[]){FOUNDER, NEWCOMER}, 2);
    return statement;
}

static void who_comes_later_hears_what_was_decided_and_no_more(void **state)
{
    struct people *f = *state;
    const size_t statement = begin(f);
    assert_int_equal(hears(f, NEWCOMER, statement), ML_E_NO_KEY);
    assert_int_equal(grant(f, FOUNDER), 2); /* what seals, then what was decided */
    assert_int_equal(hears(f, NEWCOMER, statement), ML_OK);
    assert_int_equal(hears(f, STRANGER, statement), ML_E_NO_KEY);
    assert_int_equal(grant(f, FOUNDER), 0);
    assert_int_equal(grant(f, NEWCOMER), 0);
    /* The patient was opened under the older key: he doesn't know who he is. */
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    assert_int_equal(ml_keyring_teams(f->who[NEWCOMER].ring, &f->patient, teams, &count),
                     ML_E_NOT_FOUND);
    const struct ml_keyop op = key_log_op(&f->log, f->log.count - 1);
    struct ml_list_walk walk;
    struct ml_grant_slot slot;
    ml_list_walk(&walk, &op.u.kek_grant.slots);
    assert_int_equal(op.u.kek_grant.slots.count, 1); /* of the admin group alone */
    assert_true(ml_grant_slot_next(&walk, &slot));
    assert_int_equal(slot.kind, ML_SLOT_CONSENT);
}

/* The founder is gone; NEWCOMER makes the next epoch, for himself and STRANGER. */
static void stranger_comes(struct people *f)
{
    const struct ml_group_place place = {.team = f->team, .compartment = ML_COMPARTMENT_ADMIN};
    entitle(f, (const size_t[]){NEWCOMER, STRANGER}, 2);
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_next(f->who[NEWCOMER].ring, &place, key_log_add, &f->log),
                     ML_OK);
    people_hear(f, first);
}

/* Whoever heard hands it on, when nobody of then is left. */
static void who_heard_lets_others_hear(void **state)
{
    struct people *f = *state;
    const size_t statement = begin(f);
    (void)grant(f, FOUNDER);
    assert_int_equal(hears(f, NEWCOMER, statement), ML_OK);
    person_again(f, &f->who[NEWCOMER]);
    key_log_apply_from(f->who[NEWCOMER].ring, &f->log, 0);
    stranger_comes(f);
    assert_int_equal(hears(f, STRANGER, statement), ML_E_NO_KEY);
    assert_int_equal(grant(f, NEWCOMER), 1);
    assert_int_equal(hears(f, STRANGER, statement), ML_OK);
}

/* Who hears isn't held to have the KEK: when an earlier epoch seals again, because who had left is
 * back and who is left out has only the later one, he is given it. */
static void to_hear_is_not_to_have_the_key(void **state)
{
    struct people *f = *state;
    (void)begin(f);
    (void)grant(f, FOUNDER);
    entitle(f, (const size_t[]){FOUNDER, NEWCOMER, STRANGER}, 3);
    (void)grant(f, FOUNDER);
    entitle(f, (const size_t[]){FOUNDER, NEWCOMER, LEAVER}, 3);
    const struct ml_keyring *newcomer = f->who[NEWCOMER].ring;
    assert_int_equal(ml_keyring_group_state(newcomer, &f->team, ML_COMPARTMENT_ADMIN),
                     ML_GROUP_AWAITS);
    assert_int_equal(grant(f, FOUNDER), 2); /* that, and what LEAVER hasn't heard */
    assert_int_equal(ml_keyring_group_state(newcomer, &f->team, ML_COMPARTMENT_ADMIN),
                     ML_GROUP_SEALS);
}

/* What a colleague seals in its place opens nothing, and stops nothing else. */
static void garbage_in_its_place_is_no_statement(void **state)
{
    struct people *f = *state;
    const size_t statement = begin(f);
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_grants(f->who[FOUNDER].ring, key_log_add, &f->log), ML_OK);
    const size_t last = f->log.count - 1;
    uint8_t *slot_end = &f->log.op[last].data[f->log.op[last].len - 1];
    *slot_end ^= 1;
    const struct ml_keyring_news news = key_log_apply(f->who[NEWCOMER].ring, &f->log, last);
    *slot_end ^= 1;
    assert_true(news.faulty);
    assert_int_equal(hears(f, NEWCOMER, statement), ML_E_NO_KEY);
    people_hear(f, first);
    assert_int_equal(hears(f, NEWCOMER, statement), ML_OK);
}

/* What FOUNDER grants NEWCOMER, but with a key of his own in place of what was decided's. */
static void garbage_grant(struct people *f)
{
    const size_t first = f->log.count;
    struct ml_list_walk walk;
    struct ml_grant_slot slot;
    struct ml_secret *ephemeral = NULL;
    struct ml_secret *garbage = NULL;
    assert_int_equal(ml_keyring_make_grants(f->who[FOUNDER].ring, key_log_add, &f->log), ML_OK);
    struct ml_keyop op = key_log_op(&f->log, --f->log.count);
    struct ml_kek_grant *grant = &op.u.kek_grant;
    ml_list_walk(&walk, &grant->slots);
    assert_true(ml_grant_slot_next(&walk, &slot) && slot.kind == ML_SLOT_CONSENT);
    assert_int_equal(ml_secret_from(&garbage, (const uint8_t[32]){7}, 32), ML_OK);
    assert_int_equal(ml_slot_ephemeral(&grant->ephemeral, &ephemeral, &f->fake.env, garbage),
                     ML_OK);
    const struct ml_slot_at at = {.kind = ML_SLOT_CONSENT,
                                  .org = f->org,
                                  .team = f->team,
                                  .epoch = 1,
                                  .compartment = ML_COMPARTMENT_ADMIN,
                                  .ephemeral = grant->ephemeral,
                                  .recipient = grant->recipient};
    assert_int_equal(ml_slot_seal(slot.slot.b, &at, ephemeral, garbage), ML_OK);
    grant->slots = (struct ml_list){.items = &slot, .count = 1};
    uint8_t *sound = f->log.op[f->log.count].data;
    assert_int_equal(ml_keyring_emit(f->who[FOUNDER].ring, &op, key_log_add, &f->log), ML_OK);
    free(sound);
    ml_secret_free(ephemeral);
    ml_secret_free(garbage);
    people_hear(f, first);
}

/* What has opened nothing isn't handed on: somebody else may have the true one. */
static void garbage_is_not_handed_on(void **state)
{
    struct people *f = *state;
    const size_t statement = begin(f);
    garbage_grant(f);
    assert_int_equal(hears(f, NEWCOMER, statement), ML_E_FORGED);
    stranger_comes(f);
    assert_int_equal(grant(f, NEWCOMER), 1); /* of the epoch that he had whole */
    assert_int_equal(hears(f, STRANGER, statement), ML_E_NO_KEY);
    entitle(f, (const size_t[]){NEWCOMER, STRANGER, LEAVER}, 3);
    assert_int_equal(grant(f, LEAVER), 1); /* who was there */
    assert_int_equal(hears(f, STRANGER, statement), ML_OK);
}

/* A key that hasn't been tried yet is no better; once it has opened something it is given. */
static void what_was_not_tried_is_not_handed_on(void **state)
{
    struct people *f = *state;
    const size_t statement = begin(f);
    (void)grant(f, FOUNDER);
    stranger_comes(f);
    assert_int_equal(grant(f, NEWCOMER), 1); /* of the epoch that he had whole */
    assert_int_equal(hears(f, STRANGER, statement), ML_E_NO_KEY);
    assert_int_equal(hears(f, NEWCOMER, statement), ML_OK);
    assert_int_equal(grant(f, NEWCOMER), 1);
    assert_int_equal(hears(f, STRANGER, statement), ML_OK);
}

static void no_failed_alloc_breaks_or_leaks(void **state)
{
    struct people *f = *state;
    const size_t statement = begin(f);
    ml_err err = ML_E_NOMEM;
    for (long nth = 1; err == ML_E_NOMEM; nth++) {
        const size_t first = f->log.count;
        f->fake.fail_alloc = nth;
        err = ml_keyring_make_grants(f->who[FOUNDER].ring, key_log_add, &f->log);
        f->fake.fail_alloc = 0;
        assert_true(err == ML_OK || f->log.count <= first + 1);
    }
    assert_int_equal(err, ML_OK);
    const struct ml_keyop op = key_log_op(&f->log, f->log.count - 1);
    err = ML_E_NOMEM;
    for (long nth = 1; err == ML_E_NOMEM; nth++) {
        struct ml_keyring_news news;
        f->fake.fail_alloc = nth;
        err = ml_keyring_apply(f->who[NEWCOMER].ring, &op, true, &news);
        f->fake.fail_alloc = 0;
    }
    assert_int_equal(err, ML_OK);
    assert_int_equal(hears(f, NEWCOMER, statement), ML_OK);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_comes_later_hears_what_was_decided_and_no_more),
        TEST(who_heard_lets_others_hear),
        TEST(to_hear_is_not_to_have_the_key),
        TEST(garbage_in_its_place_is_no_statement),
        TEST(garbage_is_not_handed_on),
        TEST(what_was_not_tried_is_not_handed_on),
        TEST(no_failed_alloc_breaks_or_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
