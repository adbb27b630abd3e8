/* tests/unit/core_model/test_keyring_deposit.c -- one rule of model/keyring_deposit.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/model/keyring_deposit.h"
#include "support_keystore.h"

enum { READER, NEWCOMER, SECRETARY, PEOPLE };

static const ml_compartment letters = ML_COMPARTMENT_DOCUMENT;

struct fixture {
    struct fake_env fake;
    struct ml_org_id org;
    struct ml_team_id team;
    struct ml_object_id patient;
    struct ml_secret *box[PEOPLE];
    struct ml_box_pk pk[PEOPLE];
    struct mem_store store[PEOPLE];
    struct ml_keyring *ring[PEOPLE];
    struct key_log log;
};

static void all_hear(struct fixture *f, size_t first)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        key_log_apply_from(f->ring[i], &f->log, first);
    }
}

static void epoch(struct fixture *f, ml_compartment compartment, size_t count)
{
    struct ml_epoch_recipient to[PEOPLE];
    const size_t first = f->log.count;
    for (size_t i = 0; i < count; i++) {
        to[i] = (struct ml_epoch_recipient){f->pk[i], true};
    }
    const struct ml_epoch_args args = {.team = f->team,
                                       .compartment = compartment,
                                       .recipients = to,
                                       .recipient_count = count,
                                       .recovery = &f->pk[READER]};
    assert_int_equal(ml_keyring_make_epoch(f->ring[READER], &args, key_log_add, &f->log), ML_OK);
    all_hear(f, first);
}

/* All know the patient; one reads his letters. */
static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 21);
    assert_int_equal(ml_crypto_init(), ML_OK);
    memset(f.org.b, 0xA1, sizeof(f.org.b));
    memset(f.team.b, 0x77, sizeof(f.team.b));
    f.patient = ml_object_id_new(&f.fake.env);
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(ml_box_keypair(&f.pk[i], &f.box[i], &f.fake.env), ML_OK);
        mem_store_init(&f.store[i]);
        const struct ml_keyring_args args = {.env = &f.fake.env,
                                             .org = f.org,
                                             .mon_box = f.box[i],
                                             .store = &f.store[i].store,
                                             .cache_deks = 8};
        assert_int_equal(ml_keyring_new(&f.ring[i], &args), ML_OK);
    }
    key_log_init(&f.log);
    epoch(&f, ML_COMPARTMENT_ADMIN, PEOPLE);
    const size_t first = f.log.count;
    assert_int_equal(ml_keyring_make_open(f.ring[READER], &f.patient, &f.team, key_log_add, &f.log),
                     ML_OK);
    all_hear(&f, first);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < PEOPLE; i++) {
        ml_keyring_free(f->ring[i]);
        ml_secret_free(f->box[i]);
    }
    key_log_free(&f->log);
    return f->fake.live == 0 ? 0 : -1;
}

static ml_err opens(struct fixture *f, size_t person, const struct ml_seal_key *key)
{
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    return ml_keyring_dek(f->ring[person], &key->stream, &key->dek, &info, &dek);
}

static struct ml_exception everybody(const struct fixture *f)
{
    return (struct ml_exception){.patient = f->patient, .compartment = letters};
}

static void who_files_a_letter_cannot_read_it(void **state)
{
    struct fixture *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_keyring *k = f->ring[SECRETARY];
    struct ml_seal_key key;
    struct ml_seal_key other;
    assert_int_equal(ml_keyring_make_deposit(k, &who, &key, key_log_add, &f->log), ML_E_NO_KEY);
    epoch(f, letters, 1);
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_deposit(k, &who, &key, key_log_add, &f->log), ML_OK);
    assert_int_equal(f->log.count, first + 2);          /* for the group, and for break-glass */
    assert_int_equal(opens(f, SECRETARY, &key), ML_OK); /* until it is sealed */
    all_hear(f, first);
    all_hear(f, first); /* a repeat changes nothing */
    ml_keyring_drop(k, &key);
    assert_int_equal(opens(f, SECRETARY, &key), ML_E_NO_KEY);
    assert_int_equal(opens(f, READER, &key), ML_OK);
    assert_int_equal(f->store[READER].wrap_count, 1);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_E_NO_KEY);
    assert_int_equal(ml_keyring_make_deposit(k, &who, &other, key_log_add, &f->log), ML_OK);
    assert_memory_not_equal(&key.dek, &other.dek, sizeof(key.dek)); /* one for each act */
    ml_keyring_drop(k, &other);
    /* Whoever made it knew it: nobody seals with it. */
    assert_int_equal(ml_keyring_seal_key(f->ring[READER], &f->patient, letters, &other),
                     ML_E_NO_KEY);
    struct ml_object_id nobody = ml_object_id_new(&f->fake.env);
    const struct ml_exception unknown = {.patient = nobody, .compartment = letters};
    assert_int_equal(ml_keyring_make_deposit(k, &unknown, &other, key_log_add, &f->log),
                     ML_E_NOT_FOUND);
}

static void a_deposit_waits_for_the_groups_key(void **state)
{
    struct fixture *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_seal_key key;
    epoch(f, letters, 1);
    size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_deposit(f->ring[SECRETARY], &who, &key, key_log_add, &f->log),
                     ML_OK);
    all_hear(f, first);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_E_NO_KEY);
    first = f->log.count;
    assert_int_equal(
        ml_keyring_make_grant(f->ring[READER], &f->pk[NEWCOMER], false, key_log_add, &f->log),
        ML_OK);
    all_hear(f, first);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_OK);
}

/* Where somebody is left out: to each of the others, and not to the group. */
static void who_is_left_out_reads_no_deposit(void **state)
{
    struct fixture *f = *state;
    const struct ml_exception who = {
        .patient = f->patient, .compartment = letters, .to = &f->pk[READER], .count = 1};
    struct ml_seal_key key;
    epoch(f, letters, 2);
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_deposit(f->ring[SECRETARY], &who, &key, key_log_add, &f->log),
                     ML_OK);
    all_hear(f, first);
    assert_int_equal(opens(f, READER, &key), ML_OK);
    assert_int_equal(opens(f, NEWCOMER, &key), ML_E_NO_KEY);
}

static void a_damaged_deposit_is_ignored_and_reported(void **state)
{
    struct fixture *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_seal_key key;
    epoch(f, letters, 1);
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_deposit(f->ring[SECRETARY], &who, &key, key_log_add, &f->log),
                     ML_OK);
    f->log.op[first].data[f->log.op[first].len - 1] ^= 1;
    assert_true(key_log_apply(f->ring[READER], &f->log, first).faulty);
    assert_int_equal(opens(f, READER, &key), ML_E_NO_KEY);
    f->log.op[first].data[f->log.op[first].len - 1] ^= 1;
    assert_false(key_log_apply(f->ring[READER], &f->log, first).faulty);
    assert_int_equal(opens(f, READER, &key), ML_OK);
}

static void no_failed_alloc_breaks_or_leaks(void **state)
{
    struct fixture *f = *state;
    const struct ml_exception who = everybody(f);
    struct ml_seal_key key;
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    epoch(f, letters, 1);
    const size_t first = f->log.count;
    while (err == ML_E_NOMEM) {
        f->fake.fail_alloc = ++nth;
        err = ml_keyring_make_deposit(f->ring[SECRETARY], &who, &key, key_log_add, &f->log);
        f->fake.fail_alloc = 0;
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 3);
    all_hear(f, first);
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
