/* tests/unit/core_model/test_keyring_hostile.c -- key ops that someone made to harm: what they
 * claim takes nothing from honest ones, in whatever order both come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "support_people.h"

enum { PEOPLE = 2 };

struct fixture {
    struct people w;
    struct key_log forged;
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    people_init(&f.w, 23, PEOPLE);
    key_log_init(&f.forged);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    key_log_free(&f->forged);
    return people_free(&f->w);
}

/* The founder's next epoch for `count` people; applied by him alone. */
static void epoch(struct fixture *f, size_t count)
{
    const struct ml_epoch_recipient who[PEOPLE] = {{f->w.who[0].pk, true}, {f->w.who[1].pk, true}};
    const struct ml_epoch_args args = {.team = f->w.team,
                                       .compartment = ML_COMPARTMENT_ADMIN,
                                       .recipients = who,
                                       .recipient_count = count};
    size_t first = f->w.log.count;
    assert_int_equal(ml_keyring_make_epoch(f->w.who[0].ring, &args, key_log_add, &f->w.log), ML_OK);
    key_log_apply_from(f->w.who[0].ring, &f->w.log, first);
}

static void forge(struct fixture *f, const struct ml_keyop *op)
{
    struct ml_buf buf;
    ml_buf_init(&buf, &f->w.fake.env, 65536);
    assert_int_equal(ml_keyop_encode(&buf, op), ML_OK);
    assert_int_equal(key_log_add(&f->forged, ml_buf_slice(&buf)), ML_OK);
    ml_buf_free(&buf);
}

static void open_and_wrap(struct fixture *f)
{
    size_t first = f->w.log.count;
    assert_int_equal(
        ml_keyring_make_open(f->w.who[0].ring, &f->w.patient, &f->w.team, key_log_add, &f->w.log),
        ML_OK);
    key_log_apply_from(f->w.who[0].ring, &f->w.log, first);
    first = f->w.log.count;
    assert_int_equal(ml_keyring_make_dek(f->w.who[0].ring, &f->w.patient, ML_COMPARTMENT_ADMIN,
                                         key_log_add, &f->w.log),
                     ML_OK);
    key_log_apply_from(f->w.who[0].ring, &f->w.log, first);
}

static void opens_and_seals(struct fixture *f, size_t i, ml_err sealing)
{
    struct ml_keyop op = key_log_op(&f->w.log, f->w.log.count - 1);
    struct ml_seal_key key;
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    assert_int_equal(op.type, ML_KEYOP_DEK_WRAP);
    const struct ml_dek_wrap *w = &op.u.dek_wrap;
    assert_int_equal(ml_keyring_dek(f->w.who[i].ring, &w->stream, &w->dek, &info, &dek), ML_OK);
    assert_int_equal(
        ml_keyring_seal_key(f->w.who[i].ring, &f->w.patient, ML_COMPARTMENT_ADMIN, &key), sealing);
}

/* Key ids are public: who claims one for another place, or with slots that don't open, must not
 * keep the honest op from opening, whichever comes first. */
static void a_claim_on_a_key_id_takes_nothing(void **state)
{
    struct fixture *f = *state;
    epoch(f, PEOPLE);
    open_and_wrap(f);
    for (int how = 0; how < 4; how++) {
        struct ml_keyop op = key_log_op(&f->w.log, 0);
        struct ml_kek_epoch *e = &op.u.kek_epoch;
        e->team.b[0] ^= how == 0;
        e->epoch += how == 1;
        e->ephemeral.b[0] ^= how == 2;
        e->hist.b[0] ^= how == 3;
        forge(f, &op);
    }
    key_log_apply_from(f->w.who[1].ring, &f->forged, 0);
    key_log_apply_from(f->w.who[1].ring, &f->w.log, 0);
    opens_and_seals(f, 1, ML_OK);
    key_log_apply_from(f->w.who[0].ring, &f->forged, 0);
    opens_and_seals(f, 0, ML_OK);
}

/* The same for a newcomer: a grant opens where the honest epoch is. */
static void a_claim_on_a_key_id_stops_no_grant(void **state)
{
    struct fixture *f = *state;
    epoch(f, 1);
    open_and_wrap(f);
    struct ml_keyop op = key_log_op(&f->w.log, 0);
    op.u.kek_epoch.team.b[0] ^= 1;
    forge(f, &op);
    key_log_apply_from(f->w.who[1].ring, &f->forged, 0);
    key_log_apply_from(f->w.who[1].ring, &f->w.log, 0);
    size_t first = f->w.log.count;
    assert_int_equal(
        ml_keyring_make_grant(f->w.who[0].ring, &f->w.who[1].pk, true, key_log_add, &f->w.log),
        ML_OK);
    struct ml_keyring_news news = key_log_apply(f->w.who[1].ring, &f->w.log, first);
    assert_true(news.keks && !news.faulty);
    f->w.log.count--; /* the wrap is the last again */
    opens_and_seals(f, 1, ML_OK);
    f->w.log.count++;
}

/* A number out of the air, and slots for nobody: the group goes on with the epoch that opens. */
static void an_epoch_that_opens_for_nobody_stops_nobody(void **state)
{
    struct fixture *f = *state;
    epoch(f, PEOPLE);
    open_and_wrap(f);
    for (uint32_t number = 2; number != 0; number = number == 2 ? UINT32_MAX : 0) {
        struct ml_keyop op = key_log_op(&f->w.log, 0);
        op.u.kek_epoch.epoch = number;
        op.u.kek_epoch.kek.b[0] ^= 1;
        op.u.kek_epoch.hist.b[0] ^= 1;
        forge(f, &op);
    }
    key_log_apply_from(f->w.who[0].ring, &f->forged, 0);
    opens_and_seals(f, 0, ML_OK);
    assert_true(ml_keyring_can_seal(f->w.who[0].ring, &f->w.team, ML_COMPARTMENT_ADMIN));
    epoch(f, PEOPLE); /* and the next has a number that follows */
    struct ml_keyop op = key_log_op(&f->w.log, f->w.log.count - 1);
    assert_int_equal(op.u.kek_epoch.epoch, 2);
}

static void an_epoch_without_the_one_before_it_never_seals(void **state)
{
    struct fixture *f = *state;
    epoch(f, PEOPLE);
    epoch(f, PEOPLE);
    epoch(f, PEOPLE);
    key_log_apply(f->w.who[1].ring, &f->w.log, 0);
    key_log_apply(f->w.who[1].ring, &f->w.log, 2);
    struct ml_keyop op;
    assert_int_equal(
        ml_keyring_make_open(f->w.who[1].ring, &f->w.patient, &f->w.team, key_log_add, &f->forged),
        ML_OK);
    op = key_log_op(&f->forged, 0);
    struct ml_keyop one = key_log_op(&f->w.log, 0);
    assert_memory_equal(&op.u.patient_open.sealed.key, &one.u.kek_epoch.kek, 16);
    key_log_apply(f->w.who[1].ring, &f->w.log, 1); /* now three follow */
    assert_int_equal(
        ml_keyring_make_open(f->w.who[1].ring, &f->w.patient, &f->w.team, key_log_add, &f->forged),
        ML_OK);
    op = key_log_op(&f->forged, 1);
    one = key_log_op(&f->w.log, 2);
    assert_memory_equal(&op.u.patient_open.sealed.key, &one.u.kek_epoch.kek, 16);
}

/* Anyone can write wraps of a stream that open for nobody: as many as he likes. */
static void wraps_that_open_for_nobody_stop_nobody(void **state)
{
    struct fixture *f = *state;
    epoch(f, PEOPLE);
    open_and_wrap(f);
    for (uint32_t i = 0; i < ML_KEYRING_WRAPS_MAX + 20; i++) {
        struct ml_keyop op = key_log_op(&f->w.log, f->w.log.count - 1);
        ml_put_u32be(op.u.dek_wrap.ct, i);
        ml_put_u32be(op.u.dek_wrap.dek.b, i % 2 ? i : ml_get_u32be(op.u.dek_wrap.dek.b));
        op.u.dek_wrap.kek.b[0] ^= i % 3 == 0; /* of no epoch */
        op.known = true;
        struct ml_keyring_news news;
        assert_int_equal(ml_keyring_apply(f->w.who[0].ring, &op, true, &news), ML_OK);
        assert_int_equal(ml_keyring_apply(f->w.who[1].ring, &op, true, &news), ML_OK);
    }
    opens_and_seals(f, 0, ML_OK);
    key_log_apply_from(f->w.who[1].ring, &f->w.log, 0); /* had no key when the forged ones came */
    opens_and_seals(f, 1, ML_OK);
}

static void epochs_beyond_the_limit_are_left_out_and_no_error(void **state)
{
    struct fixture *f = *state;
    struct ml_keyring_news news = {0};
    epoch(f, PEOPLE);
    open_and_wrap(f);
    struct ml_keyop op = key_log_op(&f->w.log, 0);
    uint8_t raw[8];
    op.raw = ml_slice(raw, sizeof(raw)); /* what tells them apart */
    op.u.kek_epoch.kek.b[0] ^= 1;
    op.u.kek_epoch.hist.b[0] ^= 1;
    op.u.kek_epoch.slots.count = 0;
    for (uint64_t i = 0; i <= ML_KEYRING_EPOCHS_MAX / 2; i++) {
        ml_put_u64be(raw, i);
        assert_int_equal(ml_keyring_apply(f->w.who[1].ring, &op, false, &news), ML_OK);
    }
    assert_true(news.faulty);
    key_log_apply_from(f->w.who[1].ring, &f->w.log, 0);
    opens_and_seals(f, 1, ML_OK);
}

/* One key given to two groups by its holder: the next newcomer still gets a grant. */
static void a_key_of_two_groups_stops_no_enrolment(void **state)
{
    struct fixture *f = *state;
    struct ml_keyring *k = f->w.who[0].ring;
    epoch(f, 1);
    struct ml_keyop op = key_log_op(&f->w.log, 0);
    struct ml_slot_at at = {.kind = ML_SLOT_KEK,
                            .org = f->w.org,
                            .team = f->w.team,
                            .epoch = 1,
                            .compartment = ML_COMPARTMENT_ADMIN,
                            .ephemeral = op.u.kek_epoch.ephemeral,
                            .recipient = f->w.who[0].pk};
    struct ml_list_walk walk;
    struct ml_epoch_slot slot;
    struct ml_secret *kek = NULL;
    struct ml_secret *ephemeral = NULL;
    ml_list_walk(&walk, &op.u.kek_epoch.slots);
    assert_true(ml_epoch_slot_next(&walk, &slot));
    assert_int_equal(ml_slot_open(&kek, slot.kek.b, &at, f->w.who[0].box), ML_OK);
    assert_int_equal(ml_slot_ephemeral(&op.u.kek_epoch.ephemeral, &ephemeral, &f->w.fake.env, kek),
                     ML_OK);
    at.ephemeral = op.u.kek_epoch.ephemeral;
    at.compartment = op.u.kek_epoch.compartment = ML_COMPARTMENT_CARE;
    assert_int_equal(ml_slot_seal(slot.kek.b, &at, ephemeral, kek), ML_OK);
    op.u.kek_epoch.slots = (struct ml_list){.items = &slot, .count = 1};
    forge(f, &op);
    struct ml_keyring_news news = key_log_apply(k, &f->forged, 0);
    assert_true(news.keks);
    assert_true(ml_keyring_can_seal(k, &f->w.team, ML_COMPARTMENT_CARE));
    assert_int_equal(ml_keyring_make_grant(k, &f->w.who[1].pk, true, key_log_add, &f->w.log),
                     ML_OK);
    ml_secret_free(kek);
    ml_secret_free(ephemeral);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_claim_on_a_key_id_takes_nothing),
        TEST(a_claim_on_a_key_id_stops_no_grant),
        TEST(an_epoch_that_opens_for_nobody_stops_nobody),
        TEST(an_epoch_without_the_one_before_it_never_seals),
        TEST(wraps_that_open_for_nobody_stop_nobody),
        TEST(epochs_beyond_the_limit_are_left_out_and_no_error),
        TEST(a_key_of_two_groups_stops_no_enrolment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
