/* tests/unit/core_model/test_keyring_except.c -- data keys while somebody is left out, one rule of
 * model/keyring_except.h per test, and random stories against an oracle that knows no keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/model/keyring_except.h"
#include "support_people.h"

enum { PEOPLE = 4, ITEMS = 64 };

static const ml_compartment care = ML_COMPARTMENT_CARE;

struct fixture {
    struct people w;
    bool out[PEOPLE]; /* whom the patient leaves out */
    bool emergency;
    struct ml_seal_key item[ITEMS];
    bool reads[PEOPLE][ITEMS]; /* the oracle */
    size_t items;
};

static uint64_t seed = 3;

/* Every member holds the group's keys, and the patient is open. */
static void found(struct fixture *f)
{
    struct ml_epoch_recipient all[PEOPLE];
    struct ml_epoch_args args = {.team = f->w.team,
                                 .recipients = all,
                                 .recipient_count = PEOPLE,
                                 .recovery = &f->w.who[0].pk};
    struct ml_keyring *k = f->w.who[0].ring;
    for (size_t i = 0; i < PEOPLE; i++) {
        all[i] = (struct ml_epoch_recipient){f->w.who[i].pk, true};
    }
    args.compartment = ML_COMPARTMENT_ADMIN;
    assert_int_equal(ml_keyring_make_epoch(k, &args, key_log_add, &f->w.log), ML_OK);
    args.compartment = care;
    assert_int_equal(ml_keyring_make_epoch(k, &args, key_log_add, &f->w.log), ML_OK);
    people_hear(&f->w, 0);
    assert_int_equal(ml_keyring_make_open(k, &f->w.patient, &f->w.team, key_log_add, &f->w.log),
                     ML_OK);
    people_hear(&f->w, 2);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    people_init(&f.w, seed, PEOPLE);
    found(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    return people_free(&f->w);
}

/* ---- what happens ---- */

static bool any_out(const struct fixture *f)
{
    bool any = false;
    for (size_t i = 0; i < PEOPLE; i++) {
        any = any || f->out[i];
    }
    return any;
}

static struct ml_exception now(const struct fixture *f, struct ml_box_pk to[PEOPLE])
{
    struct ml_exception who = {
        .patient = f->w.patient, .compartment = care, .to = to, .emergency = f->emergency};
    for (size_t i = 0; i < PEOPLE; i++) {
        if (!f->out[i]) {
            to[who.count++] = f->w.who[i].pk;
        }
    }
    return who;
}

/* What a node does after a decision: *made: some key lacked. */
static ml_err in_step(struct fixture *f, size_t person)
{
    struct ml_box_pk to[PEOPLE];
    const struct ml_exception who = now(f, to);
    const size_t first = f->w.log.count;
    struct ml_keyring *k = f->w.who[person].ring;
    ml_err err = any_out(f)
                     ? ml_keyring_make_exception(k, &who, key_log_add, &f->w.log)
                     : ml_keyring_make_missing(k, &f->w.patient, care, key_log_add, &f->w.log);
    people_hear(&f->w, first);
    for (size_t i = 0; i < f->items && err == ML_OK; i++) {
        for (size_t p = 0; p < PEOPLE && f->reads[person][i]; p++) {
            f->reads[p][i] |= !f->out[p];
        }
    }
    return err;
}

static ml_err key_of(struct fixture *f, size_t person, struct ml_seal_key *key)
{
    struct ml_box_pk to[PEOPLE];
    const struct ml_exception who = now(f, to);
    struct ml_keyring *k = f->w.who[person].ring;
    return any_out(f) ? ml_keyring_exception_key(k, &who, key)
                      : ml_keyring_seal_key(k, &f->w.patient, care, key);
}

static ml_err write_one(struct fixture *f, size_t person)
{
    struct ml_seal_key *key = &f->item[f->items];
    ml_err err = in_step(f, person);
    if (err == ML_OK) {
        err = key_of(f, person, key);
    }
    if (err == ML_E_NO_KEY && !any_out(f)) {
        const size_t first = f->w.log.count;
        assert_int_equal(
            ml_keyring_make_dek(f->w.who[person].ring, &f->w.patient, care, key_log_add, &f->w.log),
            ML_OK);
        people_hear(&f->w, first);
        err = key_of(f, person, key);
    }
    for (size_t p = 0; p < PEOPLE && err == ML_OK; p++) {
        f->reads[p][f->items] = !f->out[p];
    }
    f->items += err == ML_OK;
    return err;
}

static bool reads(const struct fixture *f, size_t person, size_t item)
{
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    const struct ml_seal_key *key = &f->item[item];
    return ml_keyring_dek(f->w.who[person].ring, &key->stream, &key->dek, &info, &dek) == ML_OK;
}

static void lose_wraps(struct mem_store *m, const struct ml_stream_id *stream)
{
    for (size_t i = m->wrap_count; i > 0; i--) {
        if (memcmp(&m->wraps[i - 1].wrap.stream, stream, sizeof(*stream)) == 0) {
            m->wraps[i - 1] = m->wraps[--m->wrap_count];
        }
    }
}

static void hear_all_but_wraps(struct fixture *f, struct person *p)
{
    for (size_t i = 0; i < f->w.log.count; i++) {
        struct ml_keyop op;
        const struct ml_slice bytes = ml_slice(f->w.log.op[i].data, f->w.log.op[i].len);
        assert_int_equal(ml_keyop_decode(&op, bytes, NULL), ML_OK);
        if (op.type != ML_KEYOP_DEK_WRAP) {
            key_log_apply(p->ring, &f->w.log, i);
        }
    }
}

/* What the shredder does to wraps under groups' keys, and a vault that is opened again. */
static void shred(struct fixture *f)
{
    for (size_t p = 0; p < PEOPLE; p++) {
        lose_wraps(&f->w.who[p].store, &f->item[0].stream);
        person_again(&f->w, &f->w.who[p]);
        hear_all_but_wraps(f, &f->w.who[p]);
    }
}

/* ---- rules ---- */

static void who_is_left_out_reads_nothing_new(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write_one(f, 0), ML_OK);
    f->out[2] = true;
    assert_int_equal(write_one(f, 1), ML_OK);
    assert_int_equal(write_one(f, 0), ML_OK);
    assert_memory_equal(&f->item[1], &f->item[2], sizeof(f->item[1])); /* one key for both */
    assert_memory_not_equal(f->item[0].dek.b, f->item[1].dek.b, 16);
    for (size_t p = 0; p < PEOPLE; p++) {
        assert_int_equal(reads(f, p, 1), p != 2);
    }
    assert_int_equal(write_one(f, 2), ML_E_NO_KEY);
    const size_t count = f->w.log.count;
    assert_int_equal(in_step(f, 0), ML_OK);
    assert_int_equal(f->w.log.count, count); /* nothing lacks */
}

/* The keys of before too, once their wraps are destroyed; those who stay lose nothing. */
static void what_was_before_is_closed_by_the_shredder(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write_one(f, 0), ML_OK);
    f->out[2] = true;
    assert_int_equal(write_one(f, 1), ML_OK);
    assert_true(reads(f, 2, 0)); /* a copy of the wrap is all it takes */
    shred(f);
    for (size_t p = 0; p < PEOPLE; p++) {
        assert_int_equal(reads(f, p, 0), p != 2);
        assert_int_equal(reads(f, p, 1), p != 2);
    }
    f->out[2] = false; /* and taken in again he reads it all */
    assert_int_equal(in_step(f, 3), ML_OK);
    assert_true(reads(f, 2, 0) && reads(f, 2, 1));
}

static void hear_shred(struct fixture *f, size_t person, const struct ml_seal_key *key,
                       bool accepted)
{
    struct ml_keyring_news news;
    struct ml_keyop op = {.type = ML_KEYOP_SHRED, .u.shred = {.stream = key->stream}};
    const struct ml_shred_wrap one = {.dek = key->dek};
    struct ml_buf b;
    op.u.shred.wraps = (struct ml_list){.items = &one, .count = 1};
    ml_buf_init(&b, &f->w.fake.env, 1000);
    assert_int_equal(ml_keyop_encode(&b, &op), ML_OK);
    assert_int_equal(ml_keyop_decode(&op, ml_buf_slice(&b), NULL), ML_OK);
    assert_int_equal(ml_keyring_apply(f->w.who[person].ring, &op, accepted, &news), ML_OK);
    ml_buf_free(&b);
}

/* Who was left out may have it yet, though nothing in the log gives it to him. */
static void a_key_that_was_shredded_never_seals_again(void **state)
{
    struct fixture *f = *state;
    struct ml_seal_key key;
    f->out[2] = true;
    assert_int_equal(write_one(f, 0), ML_OK);
    hear_shred(f, 0, &f->item[0], false); /* of a bundle that doesn't count */
    assert_int_equal(key_of(f, 0, &key), ML_OK);
    assert_memory_equal(&key, &f->item[0], sizeof(key));
    hear_shred(f, 0, &f->item[0], true);
    hear_shred(f, 0, &f->item[0], true);
    assert_int_equal(key_of(f, 0, &key), ML_E_NO_KEY);
    assert_true(reads(f, 0, 0));
    assert_int_equal(write_one(f, 0), ML_OK);
    assert_memory_not_equal(&f->item[1], &f->item[0], sizeof(key));
    assert_true(reads(f, 3, 1) && !reads(f, 2, 1));
    ml_keyring_forget_stream(f->w.who[0].ring, &f->item[0].stream);
    assert_false(reads(f, 0, 0) || reads(f, 0, 1)); /* until the ops that are left come again */
    key_log_apply_from(f->w.who[0].ring, &f->w.log, 0);
    assert_true(reads(f, 0, 0) && reads(f, 0, 1));
}

/* The slots that a shredder answers for: to all, whoever sealed it to them before. */
static void one_op_gives_it_to_all(void **state)
{
    struct fixture *f = *state;
    struct ml_box_pk to[PEOPLE];
    bool shared = false;
    f->out[2] = true;
    assert_int_equal(write_one(f, 0), ML_OK);
    struct ml_exception who = now(f, to);
    struct ml_keyring *k = f->w.who[1].ring;
    assert_int_equal(ml_keyring_is_shared(k, &who, &f->item[0].stream, &shared), ML_OK);
    assert_false(shared);
    const size_t count = f->w.log.count;
    assert_int_equal(ml_keyring_make_slots(k, &who, &f->item[0], key_log_add, &f->w.log), ML_OK);
    assert_int_equal(f->w.log.count, count + 1);
    struct ml_keyop op;
    const struct ml_slice bytes = ml_slice(f->w.log.op[count].data, f->w.log.op[count].len);
    assert_int_equal(ml_keyop_decode(&op, bytes, NULL), ML_OK);
    assert_int_equal(op.u.dek_slots.slots.count, PEOPLE - 1);
    f->out[3] = true;
    who = now(f, to);
    assert_int_equal(ml_keyring_is_shared(k, &who, &f->item[0].stream, &shared), ML_OK);
    assert_true(shared);
    assert_int_equal(
        ml_keyring_make_slots(f->w.who[2].ring, &who, &f->item[0], key_log_add, &f->w.log),
        ML_E_NO_KEY);
    for (long nth = 1; nth < 100; nth++) {
        const size_t before = f->w.log.count;
        f->w.fake.fail_alloc = nth;
        ml_err err = ml_keyring_make_slots(k, &who, &f->item[0], key_log_add, &f->w.log);
        const bool spared = fake_spared(&f->w.fake);
        assert_true(err == ML_OK || (err == ML_E_NOMEM && f->w.log.count == before));
        if (spared) {
            assert_int_equal(err, ML_OK);
            break;
        }
    }
}

static size_t count_ops(const struct fixture *f, size_t first, ml_keyop_type type)
{
    size_t count = 0;
    for (size_t i = first; i < f->w.log.count; i++) {
        struct ml_keyop op;
        assert_int_equal(
            ml_keyop_decode(&op, ml_slice(f->w.log.op[i].data, f->w.log.op[i].len), NULL), ML_OK);
        count += op.type == (uint16_t)type;
    }
    return count;
}

static void emergency_access_stays_unless_it_is_left_out_too(void **state)
{
    struct fixture *f = *state;
    f->out[2] = true;
    assert_int_equal(write_one(f, 1), ML_OK);
    assert_int_equal(count_ops(f, 3, ML_KEYOP_BG_WRAP), 1);
    assert_int_equal(count_ops(f, 3, ML_KEYOP_DEK_WRAP), 0);
    const size_t first = f->w.log.count;
    f->out[3] = true;
    f->emergency = true;
    assert_int_equal(write_one(f, 1), ML_OK);
    assert_int_equal(count_ops(f, first, ML_KEYOP_BG_WRAP), 0);
    assert_memory_not_equal(f->item[0].dek.b, f->item[1].dek.b, 16); /* 3 has the first one */
    assert_false(reads(f, 3, 1));
}

/* Whoever leaks a key of these, to a group or to a stranger, makes it one that never seals. */
static void a_key_that_others_have_does_not_seal(void **state)
{
    struct fixture *f = *state;
    struct ml_seal_key key;
    f->out[2] = true;
    assert_int_equal(write_one(f, 1), ML_OK);
    const size_t first = f->w.log.count;
    assert_int_equal(
        ml_keyring_make_missing(f->w.who[3].ring, &f->w.patient, care, key_log_add, &f->w.log),
        ML_OK);
    people_hear(&f->w, first);
    assert_int_equal(key_of(f, 0, &key), ML_E_NO_KEY);
    assert_int_equal(write_one(f, 0), ML_OK);
    assert_false(reads(f, 2, 1));
    f->w.log.accepted = false; /* of a bundle that doesn't count: it opens and never seals */
    f->out[1] = true;
    assert_int_equal(in_step(f, 0), ML_OK);
    assert_int_equal(key_of(f, 0, &key), ML_E_NO_KEY);
}

/* One of them may be entitled no more, whom no group's next epoch shuts out of it. */
static void a_key_of_some_never_seals_for_all(void **state)
{
    struct fixture *f = *state;
    struct ml_seal_key key;
    f->out[2] = true;
    assert_int_equal(write_one(f, 1), ML_OK);
    f->out[2] = false;
    assert_int_equal(in_step(f, 3), ML_OK);
    assert_true(reads(f, 2, 0));
    assert_int_equal(key_of(f, 0, &key), ML_E_NO_KEY);
    assert_int_equal(write_one(f, 0), ML_OK);
    assert_memory_not_equal(&f->item[1].dek, &f->item[0].dek, sizeof(key.dek));
}

static void story(struct fixture *f)
{
    for (unsigned step = 0; step < 20; step++) {
        const size_t p = (size_t)fake_below(&f->w.fake, PEOPLE);
        f->out[p] = fake_below(&f->w.fake, 3) == 0;
        const size_t author = (size_t)fake_below(&f->w.fake, PEOPLE);
        const ml_err want = f->out[author] ? ML_E_NO_KEY : ML_OK;
        assert_int_equal(write_one(f, author), want);
    }
    for (size_t i = 0; i < f->items * PEOPLE; i++) {
        assert_int_equal(reads(f, i % PEOPLE, i / PEOPLE), f->reads[i % PEOPLE][i / PEOPLE]);
    }
}

static void any_story_opens_what_the_oracle_says(void **state)
{
    size_t items = 0;
    for (seed = 9001; seed <= 9040; seed++) {
        assert_int_equal(teardown(state), 0);
        setup(state);
        story(*state);
        items += ((struct fixture *)*state)->items;
    }
    print_message("%zu items\n", items);
    assert_true(items > 400);
}

/* Those of bundles that don't count take no room from those that do. */
static void slots_beyond_the_limit_are_left_out_and_no_error(void **state)
{
    struct fixture *f = *state;
    struct ml_dek_slot slot = {.recipient = ml_recipient_id_of(&f->w.who[1].pk)};
    struct ml_keyop op = {.type = ML_KEYOP_DEK_SLOTS};
    struct ml_keyring *k = f->w.who[0].ring;
    struct ml_keyring_news news;
    struct ml_buf buf;
    op.u.dek_slots.slots = (struct ml_list){.items = &slot, .count = 1};
    ml_buf_init(&buf, &f->w.fake.env, 1000);
    for (uint32_t i = 0; i <= ML_KEYRING_EXCEPTIONS_MAX / 2 + 1; i++) {
        struct ml_keyop read;
        ml_buf_clear(&buf);
        ml_put_u32be(op.u.dek_slots.dek.b, i);
        assert_int_equal(ml_keyop_encode(&buf, &op), ML_OK);
        assert_int_equal(ml_keyop_decode(&read, ml_buf_slice(&buf), NULL), ML_OK);
        const bool counts = i > ML_KEYRING_EXCEPTIONS_MAX / 2;
        assert_int_equal(ml_keyring_apply(k, &read, counts, &news), ML_OK);
        assert_int_equal(news.faulty, i == ML_KEYRING_EXCEPTIONS_MAX / 2);
    }
    ml_buf_free(&buf);
}

static void no_failed_alloc_breaks_or_leaks(void **state)
{
    struct fixture *f = *state;
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    assert_int_equal(write_one(f, 0), ML_OK);
    f->out[2] = true;
    while (err == ML_E_NOMEM) {
        struct ml_box_pk to[PEOPLE];
        struct ml_seal_key key;
        const struct ml_exception who = now(f, to);
        const size_t count = f->w.log.count;
        const long live = f->w.fake.live;
        f->w.fake.fail_alloc = ++nth;
        err = ml_keyring_make_exception(f->w.who[0].ring, &who, key_log_add, &f->w.log);
        for (size_t i = count; i < f->w.log.count && err == ML_OK; i++) {
            struct ml_keyop op;
            struct ml_keyring_news news;
            assert_int_equal(
                ml_keyop_decode(&op, ml_slice(f->w.log.op[i].data, f->w.log.op[i].len), NULL),
                ML_OK);
            err = ml_keyring_apply(f->w.who[0].ring, &op, true, &news);
        }
        err = err == ML_OK ? ml_keyring_exception_key(f->w.who[0].ring, &who, &key) : err;
        f->w.fake.fail_alloc = 0;
        assert_true(err == ML_OK || f->w.fake.live >= live);
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 5);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_is_left_out_reads_nothing_new),
        TEST(what_was_before_is_closed_by_the_shredder),
        TEST(a_key_that_was_shredded_never_seals_again),
        TEST(one_op_gives_it_to_all),
        TEST(emergency_access_stays_unless_it_is_left_out_too),
        TEST(a_key_that_others_have_does_not_seal),
        TEST(a_key_of_some_never_seals_for_all),
        TEST(any_story_opens_what_the_oracle_says),
        TEST(slots_beyond_the_limit_are_left_out_and_no_error),
        TEST(no_failed_alloc_breaks_or_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
