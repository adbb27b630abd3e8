/* test_log_prune.c -- traces whose time is over leave their headers alone (rules B23, ADR 0026): of
 * no other lane, none that is younger, and nobody gives the bodies back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support_world.h"

enum { CHIEF, NURSE, DAY_MS = 86400000 };

struct fixture {
    struct world w;
    struct ml_log *log;
    uint64_t middle_ms; /* between the old ones and the young ones */
    size_t first;       /* of the bundles that were made after the opening */
};

static void no_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

/* A trace and an entry of each, twice, a hundred days apart. */
static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    world_init(&f.w, 23);
    world_found(&f.w);
    f.log = world_log(&f.w);
    assert_int_equal(world_ingest(f.log, f.w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f.w, f.log, NURSE);
    f.first = f.w.made_count;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned by = CHIEF; by <= NURSE; by++) {
            (void)world_lane(&f.w, f.log, by, ML_LANE_TRACE);
            (void)world_record(&f.w, f.log, by, 2);
        }
        f.middle_ms = round == 0 ? f.w.fake.wall_ms + UINT64_C(50) * DAY_MS : f.middle_ms;
        f.w.fake.wall_ms += UINT64_C(100) * DAY_MS;
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->log);
    return world_free(&f->w);
}

static uint8_t absent(struct ml_log *log, const struct ml_dep *id)
{
    struct ml_log_entry e;
    assert_int_equal(ml_log_get(log, &id->hash, &e), ML_OK);
    return e.body.absent;
}

/* Of the bundles made since: the old traces alone. */
static void assert_pruned(struct fixture *f, struct ml_log *log)
{
    for (size_t i = f->first; i < f->w.made_count; i++) {
        const bool old = i < f->first + 4;
        const bool goes = old && f->w.made[i].id.lane == ML_LANE_TRACE;
        assert_int_equal(absent(log, &f->w.made[i].id), goes ? ML_ABSENT_PRUNED : 0);
    }
    assert_int_equal(ml_log_verify(log, no_problem, NULL), ML_OK);
}

static uint64_t missing(struct ml_log *log)
{
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(log, &counts), ML_OK);
    return counts.bodies_missing;
}

static void old_traces_go_and_their_headers_stay(void **state)
{
    struct fixture *f = *state;
    struct ml_hash before;
    struct ml_hash after;
    uint32_t pruned = 9;
    assert_int_equal(ml_log_trace_hash(f->log, &before), ML_OK);
    assert_int_equal(ml_log_prune_traces(f->log, &pruned, f->middle_ms, 1000), ML_OK);
    assert_int_equal(pruned, 2);
    assert_pruned(f, f->log);
    assert_int_equal(ml_log_trace_hash(f->log, &after), ML_OK);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(missing(f->log), 0); /* nobody misses them */
    assert_int_equal(ml_log_prune_traces(f->log, &pruned, f->middle_ms, 1000), ML_OK);
    assert_int_equal(pruned, 0);
    f->log = world_reopen(&f->w, f->log);
    assert_pruned(f, f->log);
}

static void so_many_at_a_time(void **state)
{
    struct fixture *f = *state;
    uint32_t pruned = 9;
    assert_int_equal(ml_log_prune_traces(f->log, &pruned, f->middle_ms, 0), ML_OK);
    assert_int_equal(pruned, 0);
    assert_int_equal(ml_log_prune_traces(f->log, &pruned, f->middle_ms, 1), ML_OK);
    assert_int_equal(pruned, 1);
    assert_int_equal(ml_log_prune_traces(f->log, &pruned, f->middle_ms, 1), ML_OK);
    assert_int_equal(pruned, 1);
    assert_pruned(f, f->log);
}

/* Who has them yet gives them again: they aren't taken. */
static void nobody_gives_them_back(void **state)
{
    struct fixture *f = *state;
    uint32_t pruned = 0;
    assert_int_equal(ml_log_prune_traces(f->log, &pruned, f->middle_ms, 1000), ML_OK);
    for (size_t i = 0; i < f->w.made_count; i++) {
        assert_int_equal(world_ingest(f->log, f->w.made[i].wire).result, ML_LOG_DUPLICATE);
    }
    assert_pruned(f, f->log);
}

/* Who never had a body misses it until its time is over, then no more. */
static void a_body_that_never_came_is_missed_no_longer(void **state)
{
    struct fixture *f = *state;
    struct ml_log_entry e = {.n = 0};
    uint32_t pruned = 0;
    struct ml_log *late = world_log(&f->w);
    assert_int_equal(ml_log_prune_traces(f->log, &pruned, f->middle_ms, 1000), ML_OK);
    while (ml_log_after(f->log, e.n, UINT32_MAX, &e) == ML_OK) {
        struct ml_buf wire;
        ml_buf_init(&wire, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
        assert_int_equal(ml_bundle_join(&wire, e.header_bytes, &e.sig, &e.body), ML_OK);
        assert_int_equal(world_ingest(late, ml_buf_slice(&wire)).result, ML_LOG_STORED);
        ml_buf_free(&wire);
    }
    assert_int_equal(missing(late), 2); /* a peer's reason is hearsay */
    assert_int_equal(ml_log_prune_traces(late, &pruned, f->middle_ms, 1000), ML_OK);
    assert_int_equal(pruned, 2);
    assert_int_equal(missing(late), 0);
    assert_pruned(f, late);
    assert_true(world_same_state(f->log, late));
    ml_log_close(late);
}

static void no_failed_alloc_prunes_by_half(void **state)
{
    struct fixture *f = *state;
    ml_err err = ML_E_NOMEM;
    uint32_t pruned = 77;
    for (long nth = 1; err != ML_OK; nth++) {
        f->w.fake.fail_alloc = nth;
        err = ml_log_prune_traces(f->log, &pruned, f->middle_ms, 1000);
        f->w.fake.fail_alloc = 0;
        assert_true(err == ML_OK || (err == ML_E_NOMEM && pruned == 77));
    }
    assert_int_equal(pruned, 2);
    assert_pruned(f, f->log);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(old_traces_go_and_their_headers_stay),
        T(so_many_at_a_time),
        T(nobody_gives_them_back),
        T(a_body_that_never_came_is_missed_no_longer),
        T(no_failed_alloc_prunes_by_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
