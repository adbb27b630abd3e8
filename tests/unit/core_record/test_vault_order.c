/* tests/unit/core_record/test_vault_order.c -- the view is a function of the set of bundles.
 *
 * A random history of two people on a few patients: creations, concurrent sets, archives, restores,
 * amendments, entries in error, quarantined bundles, ops that lie about their class, a newcomer who
 * gets his keys last. It is projected in random orders and batch sizes; the hash must be one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/vault_int.h"
#include "support_vault.h"

enum { OBJECTS = 12, VERSIONS = 12, STEPS = 150 };

struct made {
    struct ml_object_id id;
    size_t patient;
    bool event;
    struct ml_version_id versions[VERSIONS];
    uint32_t count;
};

struct history {
    struct made object[OBJECTS];
    uint32_t count;
};

static int setup(void **state)
{
    struct place *p = malloc(sizeof(*p));
    assert_non_null(p);
    place_init(p, 77);
    place_found(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    int rc = place_free(*state);
    free(*state);
    return rc;
}

static struct ml_slice content(struct place *p, bool event)
{
    char number[8];
    snprintf(number, sizeof(number), "%u", (unsigned)fake_below(&p->fake, 4));
    const char *const set_names[] = {"drug", "dose"};
    const char *const event_names[] = {"code", "value"};
    const struct ml_slice values[] = {val_concept(p, "x"), val_quantity(p, number, "mg")};
    return event ? val_map(p, "observation", event_names, values, 2)
                 : val_map(p, "treatment", set_names, values, 2);
}

static void step(struct place *p, struct history *h)
{
    struct made *m = NULL;
    struct ml_version_id seen[3];
    struct put what = {.by = (unsigned)fake_below(&p->fake, PEOPLE)};
    if (h->count < OBJECTS && fake_below(&p->fake, 4) == 0) {
        m = &h->object[h->count++];
        p->fake.wall_ms += 10;
        m->id = ml_object_id_new(&p->fake.env);
        m->patient = (size_t)fake_below(&p->fake, p->patient_count);
        m->event = fake_below(&p->fake, 2) != 0;
        what.type = ML_CHANGE_CREATE;
    } else if (h->count > 0) {
        static const uint8_t set_types[] = {0,
                                            0,
                                            0,
                                            ML_CHANGE_ARCHIVE,
                                            ML_CHANGE_RESTORE,
                                            ML_CHANGE_VOID,
                                            ML_CHANGE_AMEND,
                                            ML_CHANGE_CREATE};
        static const uint8_t event_types[] = {ML_CHANGE_AMEND, ML_CHANGE_AMEND, ML_CHANGE_VOID,
                                              ML_CHANGE_RESTORE, 0 /* not allowed: greyed */};
        m = &h->object[fake_below(&p->fake, h->count)];
        what.type =
            m->event ? event_types[fake_below(&p->fake, 5)] : set_types[fake_below(&p->fake, 8)];
    } else {
        return;
    }
    what.patient = m->patient;
    what.entity = m->event ? "observation" : "treatment";
    what.object = &m->id;
    bool valued = what.type == 0 || what.type == ML_CHANGE_AMEND || what.type == ML_CHANGE_CREATE;
    what.field = what.type == 0 ? (m->event ? "code" : "dose") : NULL;
    what.value = valued ? content(p, m->event) : ml_slice(NULL, 0);
    for (uint32_t i = 0; i < m->count && what.seen_count < 3; i++) {
        if (fake_below(&p->fake, 2) == 0) {
            seen[what.seen_count++] = m->versions[i];
        }
    }
    what.seen = seen;
    if (m->count < VERSIONS) {
        m->versions[m->count++] = put(p, &what);
    }
    if (fake_below(&p->fake, 6) == 0) {
        p->log.entry[p->log.count - 1].verdict = ML_VERDICT_QUARANTINED;
    }
}

static void tell_story(struct place *p)
{
    struct history *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    for (int i = 0; i < 3; i++) {
        size_t patient = place_open(p);
        put_patient(p, patient, &(struct identity){"Noël", "Noël", "Léa", "2001-02"});
    }
    for (int i = 0; i < STEPS; i++) {
        step(p, h);
    }
    free(h);
}

static bool is_key(const struct log_entry *e)
{
    struct ml_bundle b;
    assert_int_equal(ml_bundle_decode(&b, ml_slice(e->wire, e->len), NULL), ML_OK);
    return b.header.lane == ML_LANE_KEYS;
}

/* Any order in which key ops keep theirs. */
static void shuffle(struct place *p)
{
    for (uint64_t i = p->log.count; i > 1; i--) {
        uint64_t j = fake_below(&p->fake, i);
        struct log_entry t = p->log.entry[i - 1];
        p->log.entry[i - 1] = p->log.entry[j];
        p->log.entry[j] = t;
    }
}

static void keys_in_order(struct place *p, const struct log_entry *keys)
{
    size_t next = 0;
    for (uint64_t i = 0; i < p->log.count; i++) {
        if (is_key(&p->log.entry[i])) {
            p->log.entry[i] = keys[next++];
        }
    }
}

static struct ml_hash hash_of(struct ml_vault *v)
{
    struct ml_hash hash;
    assert_int_equal(ml_vault_view_hash(v, &hash), ML_OK);
    return hash;
}

static void every_order_and_batch_gives_one_view(void **state)
{
    struct place *p = *state;
    static struct log_entry keys[LOG_MAX];
    size_t key_count = 0;
    tell_story(p);
    place_grant(p, 1);
    for (uint64_t i = 0; i < p->log.count; i++) {
        if (is_key(&p->log.entry[i])) {
            keys[key_count++] = p->log.entry[i];
        }
    }
    struct ml_vault *v = place_vault(p, 0, NULL);
    place_catch_up(p, v, 100000);
    const struct ml_hash want = hash_of(v);
    struct ml_vault_counts counts, other;
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_true(counts.conflicts > 2 && counts.ops_greyed > 5 && counts.objects > 8);
    ml_vault_close(v);
    for (int round = 0; round < 16; round++) {
        shuffle(p);
        keys_in_order(p, keys);
        v = place_vault(p, (unsigned)(round % 2), NULL);
        place_catch_up(p, v, 1 + (uint32_t)fake_below(&p->fake, 40));
        const struct ml_hash got = hash_of(v);
        assert_memory_equal(&got, &want, sizeof(got));
        assert_int_equal(ml_vault_counts(v, &other), ML_OK);
        assert_int_equal(other.conflicts, counts.conflicts);
        assert_int_equal(other.ops, counts.ops);
        assert_int_equal(other.ops_greyed, counts.ops_greyed);
        ml_vault_close(v);
    }
}

/* The newcomer projects all before his grant comes: nothing opens, nothing is lost. */
static void what_waited_for_a_key_is_projected_when_it_comes(void **state)
{
    struct place *p = *state;
    struct ml_vault_counts counts;
    tell_story(p);
    struct ml_vault *late = place_vault(p, 1, NULL);
    place_catch_up(p, late, 7);
    assert_int_equal(ml_vault_counts(late, &counts), ML_OK);
    assert_int_equal(counts.ops, 0);
    assert_true(counts.bundles_no_key > 20);
    place_grant(p, 1);
    place_catch_up(p, late, 7);
    assert_int_equal(ml_vault_counts(late, &counts), ML_OK);
    assert_int_equal(counts.bundles_no_key, 0);
    const struct ml_hash got = hash_of(late);
    place_catch_up(p, p->vault, 1000);
    const struct ml_hash want = hash_of(p->vault);
    assert_memory_equal(&got, &want, sizeof(got));
    ml_vault_close(late);
}

static void a_vault_goes_on_where_it_stopped(void **state)
{
    struct place *p = *state;
    const char *path = NULL;
    bool done = false;
    char file[320];
    tell_story(p);
    struct ml_vault *v = place_vault(p, 0, &path);
    snprintf(file, sizeof(file), "%s", path);
    while (!done) {
        assert_int_equal(ml_vault_catch_up(v, &p->log, 11, &done), ML_OK);
        ml_vault_close(v);
        v = place_reopen(p, 0, file);
    }
    place_catch_up(p, p->vault, 1000);
    const struct ml_hash got = hash_of(v);
    const struct ml_hash want = hash_of(p->vault);
    assert_memory_equal(&got, &want, sizeof(got));
    ml_vault_close(v);
}

/* Its log lost its end from place `lost` on and got it back in another order, and more, before
 * anybody opened it again: a bundle that the vault never saw stands there, and the one that stood
 * there is the last, or the last but one with `swapped`, where the vault knew the same bundle. */
static void went_back(struct place *p, uint64_t lost, bool swapped)
{
    const char *path = NULL;
    char file[320];
    const uint64_t all = p->log.count;
    static struct log_entry kept[LOG_MAX];
    memcpy(kept, p->log.entry, sizeof(kept));
    p->log.entry[lost] = p->log.entry[all - 1];
    p->log.count = all - 1;
    struct ml_vault *v = place_vault(p, 0, &path);
    snprintf(file, sizeof(file), "%s", path);
    place_catch_up(p, v, 1000);
    ml_vault_close(v);
    p->log.entry[all - 1] = swapped ? p->log.entry[all - 2] : p->log.entry[lost];
    p->log.entry[all - 2] = swapped ? p->log.entry[lost] : p->log.entry[all - 2];
    p->log.entry[lost] = kept[lost];
    p->log.count = all;
    v = place_reopen(p, 0, file);
    place_catch_up(p, v, 1000);
    const struct ml_hash got = hash_of(v);
    ml_vault_close(v);
    memcpy(p->log.entry, kept, sizeof(kept));
    v = place_vault(p, 0, NULL);
    place_catch_up(p, v, 1000);
    const struct ml_hash want = hash_of(v);
    ml_vault_close(v);
    assert_memory_equal(&got, &want, sizeof(got));
}

static void a_log_that_went_back_and_on_is_projected_again(void **state)
{
    struct place *p = *state;
    tell_story(p);
    went_back(p, p->log.count - 4, true);
}

/* What lies between all other places, and after it, is the same by chance. */
static void one_that_differs_in_a_single_place_is_too(void **state)
{
    struct place *p = *state;
    size_t tried = 0;
    tell_story(p);
    const uint64_t all = p->log.count;
    for (uint64_t lost = all - 2; tried<24; lost -= lost> all - 16 ? 1 : 9) {
        if (!is_key(&p->log.entry[lost])) {
            went_back(p, lost, false);
            tried++;
        }
    }
}

/* A vault of a program that kept no such mark, or another. */
static void a_vault_that_cannot_say_what_it_followed_is_too(void **state)
{
    static const char *const others[] = {"DELETE FROM meta WHERE key = 'mark'",
                                         "UPDATE meta SET value = x'00' WHERE key = 'mark'"};
    struct place *p = *state;
    char file[320];
    tell_story(p);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const char *path = NULL;
        struct ml_vault *v = place_vault(p, 0, &path);
        snprintf(file, sizeof(file), "%s", path);
        place_catch_up(p, v, 1000);
        ml_vault_close(v);
        v = place_reopen(p, 0, file);
        place_catch_up(p, v, 1000);
        assert_int_equal(v->work, 0); /* it goes on where it was */
        assert_int_equal(ml_db_exec(v->db, others[i]), ML_OK);
        ml_vault_close(v);
        v = place_reopen(p, 0, file);
        place_catch_up(p, v, 1000);
        assert_true(v->work > STEPS / 2);
        ml_vault_close(v);
    }
}

/* Nobody can say whether it went back: what is there stays, and what was followed is remembered. */
static void a_log_too_damaged_to_tell_is_asked_again(void **state)
{
    struct place *p = *state;
    const char *path = NULL;
    char file[320];
    tell_story(p);
    const uint64_t all = p->log.count;
    struct ml_vault *v = place_vault(p, 0, &path);
    snprintf(file, sizeof(file), "%s", path);
    p->log.count = all - 1;
    place_catch_up(p, v, 1000);
    ml_vault_close(v);
    p->log.count = all;
    const struct log_entry was = p->log.entry[all - 9];
    p->log.entry[all - 9] = p->log.entry[all - 8];
    p->log.entry[all - 8] = was;
    p->log.past_fail = ML_E_CORRUPT;
    v = place_reopen(p, 0, file);
    place_catch_up(p, v, 1000);
    assert_in_range(v->work, 0, 1);
    ml_vault_close(v);
    p->log.past_fail = ML_OK;
    v = place_reopen(p, 0, file);
    place_catch_up(p, v, 1000);
    assert_true(v->work > STEPS / 2);
    ml_vault_close(v);
}

static void another_verdict_projects_again(void **state)
{
    struct place *p = *state;
    struct ml_vault_counts before, after;
    tell_story(p);
    place_catch_up(p, p->vault, 1000);
    assert_int_equal(ml_vault_counts(p->vault, &before), ML_OK);
    const struct ml_hash old = hash_of(p->vault);
    for (uint64_t i = 0; i < p->log.count; i++) {
        p->log.entry[i].verdict = ML_VERDICT_ACCEPTED;
    }
    p->log.epoch++;
    place_catch_up(p, p->vault, 13);
    assert_int_equal(ml_vault_counts(p->vault, &after), ML_OK);
    assert_int_equal(after.ops, before.ops);
    assert_true(after.ops_greyed < before.ops_greyed);
    const struct ml_hash now = hash_of(p->vault);
    assert_memory_not_equal(&now, &old, sizeof(now));
}

/* Rules B20: an adopted op counts where it stands, as if its bundle were accepted. */
static void an_adopted_op_counts_in_its_place(void **state)
{
    struct place *p = *state;
    struct ml_vault_counts counts;
    tell_story(p);
    p->log.adopted = UINT32_MAX;
    p->log.epoch++;
    place_catch_up(p, p->vault, 1000);
    const struct ml_hash adopted = hash_of(p->vault);
    assert_int_equal(ml_vault_counts(p->vault, &counts), ML_OK);
    const uint64_t greyed = counts.ops_greyed;
    p->log.adopted = 0;
    p->log.epoch++;
    place_catch_up(p, p->vault, 1000);
    assert_int_equal(ml_vault_counts(p->vault, &counts), ML_OK);
    assert_true(counts.ops_greyed > greyed);
    for (uint64_t i = 0; i < p->log.count; i++) {
        p->log.entry[i].verdict = ML_VERDICT_ACCEPTED;
    }
    p->log.epoch++;
    place_catch_up(p, p->vault, 1000);
    const struct ml_hash accepted = hash_of(p->vault);
    assert_memory_equal(&adopted, &accepted, sizeof(adopted));
}

/* The newcomer's grant fails half-way, at every place: what waited for it opens all the same. */
static void a_grant_that_fails_halfway_is_finished(void **state)
{
    struct place *p = *state;
    ml_err err = ML_E_NOMEM;
    size_t failures = 0;
    tell_story(p);
    place_catch_up(p, p->vault, 100000);
    const struct ml_hash want = hash_of(p->vault);
    place_grant(p, 1); /* the last entry of the log */
    for (long nth = 1; err != ML_OK; nth += 1 + nth / 8) {
        struct ml_vault *v = place_vault(p, 1, NULL);
        bool done = false;
        p->log.count--;
        place_catch_up(p, v, 100000);
        p->log.count++;
        p->fake.fail_alloc = nth;
        err = ml_vault_catch_up(v, &p->log, 100000, &done);
        p->fake.fail_alloc = 0;
        failures += err != ML_OK;
        place_catch_up(p, v, 100000);
        const struct ml_hash got = hash_of(v);
        assert_memory_equal(&got, &want, sizeof(got));
        ml_vault_close(v);
    }
    assert_true(failures > 20);
}

/* A failed allocation anywhere leaves the vault as it was, and the next call goes on. */
static void no_failed_alloc_in_catching_up_is_felt(void **state)
{
    struct place *p = *state;
    struct ml_vault_counts counts;
    size_t failures = 0;
    tell_story(p);
    place_catch_up(p, p->vault, 100000);
    const struct ml_hash want = hash_of(p->vault);
    struct ml_vault *v = place_vault(p, 0, NULL);
    bool done = false;
    for (long nth = 1; !done; nth += 1 + nth / 16) {
        uint64_t ops = 0;
        long live = p->fake.live;
        assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
        ops = counts.ops;
        p->fake.fail_alloc = nth;
        ml_err err = ml_vault_catch_up(v, &p->log, 100000, &done);
        p->fake.fail_alloc = 0;
        if (err != ML_OK) {
            assert_int_equal(err, ML_E_NOMEM);
            assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
            assert_int_equal(counts.ops, ops);
            assert_true(p->fake.live - live < 64); /* authors and epochs it has learnt */
            failures++;
        }
    }
    assert_true(failures > 20);
    const struct ml_hash got = hash_of(v);
    assert_memory_equal(&got, &want, sizeof(got));
    ml_vault_close(v);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_order_and_batch_gives_one_view),
        TEST(what_waited_for_a_key_is_projected_when_it_comes),
        TEST(a_vault_goes_on_where_it_stopped),
        TEST(a_log_that_went_back_and_on_is_projected_again),
        TEST(one_that_differs_in_a_single_place_is_too),
        TEST(a_vault_that_cannot_say_what_it_followed_is_too),
        TEST(a_log_too_damaged_to_tell_is_asked_again),
        TEST(another_verdict_projects_again),
        TEST(an_adopted_op_counts_in_its_place),
        TEST(a_grant_that_fails_halfway_is_finished),
        TEST(no_failed_alloc_in_catching_up_is_felt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
