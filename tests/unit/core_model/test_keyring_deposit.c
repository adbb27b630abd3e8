/* tests/unit/core_model/test_keyring_deposit.c -- one rule of model/keyring_deposit.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/model/keyring_deposit.h"
#include "support_people.h"

enum { READER, NEWCOMER, SECRETARY, PEOPLE };

static const ml_compartment letters = ML_COMPARTMENT_DOCUMENT;

static void epoch(struct people *f, ml_compartment compartment, size_t count)
{
    struct ml_epoch_recipient to[PEOPLE];
    const size_t first = f->log.count;
    for (size_t i = 0; i < count; i++) {
        to[i] = (struct ml_epoch_recipient){f->who[i].pk, true};
    }
    const struct ml_epoch_args args = {.team = f->team,
                                       .compartment = compartment,
                                       .recipients = to,
                                       .recipient_count = count,
                                       .recovery = &f->who[READER].pk};
    assert_int_equal(ml_keyring_make_epoch(f->who[READER].ring, &args, key_log_add, &f->log),
                     ML_OK);
    people_hear(f, first);
}

/* All know the patient; one reads his letters. */
static int setup(void **state)
{
    static struct people f;
    people_init(&f, 21, PEOPLE);
    epoch(&f, ML_COMPARTMENT_ADMIN, PEOPLE);
    const size_t first = f.log.count;
    assert_int_equal(
        ml_keyring_make_open(f.who[READER].ring, &f.patient, &f.team, key_log_add, &f.log), ML_OK);
    people_hear(&f, first);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    return people_free(*state);
}

static ml_err opens(struct people *f, size_t person, const struct ml_seal_key *key)
{
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    return ml_keyring_dek(f->who[person].ring, &key->stream, &key->dek, &info, &dek);
}

static struct ml_exception everybody(const struct people *f)
{
    return (struct ml_exception){.patient = f->patient, .compartment = letters};
}

static void who_files_a_letter_cannot_read_it(void **state)
{
    struct people *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_keyring *k = f->who[SECRETARY].ring;
    struct ml_seal_key key;
    struct ml_seal_key other;
    assert_int_equal(ml_keyring_make_deposit(k, &who, &key, key_log_add, &f->log), ML_E_NO_KEY);
    epoch(f, letters, 1);
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_deposit(k, &who, &key, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, first + 2);          /* for the group, and for break-glass */
    assert_int_equal(opens(f, SECRETARY, &key), ML_OK); /* until it is sealed */
    people_hear(f, first);
    people_hear(f, first); /* a repeat changes nothing */
    ml_keyring_drop(k, &key);
    assert_int_equal(opens(f, SECRETARY, &key), ML_E_NO_KEY);
    assert_int_equal(opens(f, READER, &key), ML_OK);
    assert_int_equal(f->who[READER].store.wrap_count, 1);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_E_NO_KEY);
    assert_int_equal(ml_keyring_make_deposit(k, &who, &other, key_log_add, &f->log), ML_OK);
    assert_memory_not_equal(&key.dek, &other.dek, sizeof(key.dek)); /* one for each act */
    ml_keyring_drop(k, &other);
    /* Whoever made it knew it: nobody seals with it. */
    assert_int_equal(ml_keyring_seal_key(f->who[READER].ring, &f->patient, letters, &other),
                     ML_E_NO_KEY);
    struct ml_object_id nobody = ml_object_id_new(&f->fake.env);
    const struct ml_exception unknown = {.patient = nobody, .compartment = letters};
    assert_int_equal(ml_keyring_make_deposit(k, &unknown, &other, key_log_add, &f->log),
                     ML_E_NOT_FOUND);
}

static void a_deposit_waits_for_the_groups_key(void **state)
{
    struct people *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_seal_key key;
    epoch(f, letters, 1);
    size_t first = f->log.count;
    assert_int_equal(
        ml_keyring_make_deposit(f->who[SECRETARY].ring, &who, &key, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_E_NO_KEY);
    first = f->log.count;
    assert_int_equal(ml_keyring_make_grant(f->who[READER].ring, &f->who[NEWCOMER].pk, false,
                                           key_log_add, &f->log),
                     ML_OK);
    people_hear(f, first);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_OK);
}

/* Where somebody is left out: to each of the others, and not to the group. */
static void who_is_left_out_reads_no_deposit(void **state)
{
    struct people *f = *state;
    const struct ml_exception who = {
        .patient = f->patient, .compartment = letters, .to = &f->who[READER].pk, .count = 1};
    struct ml_seal_key key;
    epoch(f, letters, 2);
    const size_t first = f->log.count;
    assert_int_equal(
        ml_keyring_make_deposit(f->who[SECRETARY].ring, &who, &key, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
    assert_int_equal(opens(f, READER, &key), ML_OK);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_E_NO_KEY);
}

static void a_damaged_deposit_is_ignored_and_reported(void **state)
{
    struct people *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_seal_key key;
    epoch(f, letters, 1);
    const size_t first = f->log.count;
    assert_int_equal(
        ml_keyring_make_deposit(f->who[SECRETARY].ring, &who, &key, key_log_add, &f->log), ML_OK);
    f->log.op[first].data[f->log.op[first].len - 1] ^= 1;
    assert_true(key_log_apply(f->who[READER].ring, &f->log, first).faulty);
    assert_int_equal(opens(f, READER, &key), ML_E_NO_KEY);
    f->log.op[first].data[f->log.op[first].len - 1] ^= 1;
    assert_false(key_log_apply(f->who[READER].ring, &f->log, first).faulty);
    assert_int_equal(opens(f, READER, &key), ML_OK);
}

static void no_failed_alloc_breaks_or_leaks(void **state)
{
    struct people *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_seal_key key;
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    epoch(f, letters, 1);
    const size_t first = f->log.count;
    while (err == ML_E_NOMEM) {
        f->fake.fail_alloc = ++nth;
        err = ml_keyring_make_deposit(f->who[SECRETARY].ring, &who, &key, key_log_add, &f->log);
        f->fake.fail_alloc = 0;
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 3);
    people_hear(f, first);
    assert_int_equal(opens(f, READER, &key), ML_OK);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_files_a_letter_cannot_read_it), TEST(a_deposit_waits_for_the_groups_key),
        TEST(who_is_left_out_reads_no_deposit),  TEST(a_damaged_deposit_is_ignored_and_reported),
        TEST(no_failed_alloc_breaks_or_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
