/* test_log_fork.c -- I1: a key that signed two histories is frozen where they part; both stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support_world.h"

struct fixture {
    struct world w;
    struct ml_log *a; /* two nodes that hold the same start */
    struct ml_log *b;
};

static void ingest_all(struct world *w, struct ml_log *log)
{
    for (size_t i = 0; i < w->made_count; i++) {
        assert_int_not_equal(world_ingest(log, w->made[i].wire).result, ML_LOG_REFUSED);
    }
}

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 21);
    world_found(&f.w);
    f.a = world_log(&f.w);
    f.b = world_log(&f.w);
    assert_int_equal(world_ingest(f.a, f.w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f.w, f.a, 1);
    (void)world_record(&f.w, f.a, 1, 1);
    ingest_all(&f.w, f.b);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->a);
    ml_log_close(f->b);
    return world_free(&f->w);
}

static struct ml_ruling ruling_of(struct ml_log *log, const struct ml_hash16 *hash)
{
    struct ml_log_entry e;
    assert_int_equal(ml_log_get(log, hash, &e), ML_OK);
    return (struct ml_ruling){e.verdict, e.reason};
}

static void assert_ruling(struct ml_log *log, const struct ml_log_outcome *o, ml_verdict verdict,
                          ml_reason reason)
{
    struct ml_ruling r = ruling_of(log, &o->id.hash);
    assert_int_equal(r.verdict, verdict);
    assert_int_equal(r.reason, reason);
}

static void assert_forked(struct fixture *f, const struct ml_log_outcome *o)
{
    assert_ruling(f->a, o, ML_VERDICT_QUARANTINED, ML_REASON_FORK);
    assert_ruling(f->b, o, ML_VERDICT_QUARANTINED, ML_REASON_FORK);
}

static void two_bundles_in_one_place_freeze_their_writer(void **state)
{
    struct fixture *f = *state;
    struct ml_log_counts counts;
    struct ml_log_next next;
    const struct made shared = f->w.made[f->w.made_count - 1];
    const uint64_t epoch = ml_log_epoch(f->a);
    struct ml_log_outcome on_a = world_record(&f->w, f->a, 1, 1);
    struct ml_log_outcome after = world_record(&f->w, f->a, 1, 1);
    struct ml_log_outcome on_b = world_record(&f->w, f->b, 1, 2);
    ingest_all(&f->w, f->a);
    ingest_all(&f->w, f->b);
    assert_forked(f, &on_a);
    assert_forked(f, &after);
    assert_forked(f, &on_b);
    assert_int_equal(ruling_of(f->a, &shared.id.hash).verdict, ML_VERDICT_ACCEPTED);
    assert_true(world_same_state(f->a, f->b));
    assert_true(ml_log_epoch(f->a) != epoch);
    assert_int_equal(ml_log_counts(f->a, &counts), ML_OK);
    assert_int_equal(counts.forks, 1);
    assert_int_equal(counts.quarantined, 3);
    /* Its key signs nothing more, whatever the lane, nor after a restart. */
    for (uint8_t lane = 0; lane < 2 * ML_LANES; lane++) {
        f->b = lane == ML_LANES ? world_reopen(&f->w, f->b) : f->b;
        assert_int_equal(ml_log_next_own(f->b, &f->w.actors[1].id, lane % ML_LANES, &next),
                         ML_E_ROLLED_BACK);
    }
}

static void histories_in_two_lanes_are_a_fork_too(void **state)
{
    struct fixture *f = *state;
    struct ml_log_outcome on_a = world_record(&f->w, f->a, 1, 1);
    struct ml_log_outcome on_b = world_lane(&f->w, f->b, 1, ML_LANE_KEYS);
    ingest_all(&f->w, f->a);
    ingest_all(&f->w, f->b);
    assert_forked(f, &on_a);
    assert_forked(f, &on_b);
    assert_true(world_same_state(f->a, f->b));
}

static void one_line_over_all_lanes_is_no_fork(void **state)
{
    struct fixture *f = *state;
    struct ml_log_counts counts;
    for (unsigned i = 0; i < 12; i++) {
        (void)world_lane(&f->w, f->a, 1, (uint8_t)(1 + (i * 7) % 4));
    }
    for (size_t i = f->w.made_count; i > 0; i--) { /* backwards: each waits for the one before */
        assert_int_not_equal(world_ingest(f->b, f->w.made[i - 1].wire).result, ML_LOG_REFUSED);
    }
    assert_int_equal(ml_log_counts(f->b, &counts), ML_OK);
    assert_int_equal(counts.forks, 0);
    assert_int_equal(counts.quarantined, 0);
    assert_true(world_same_state(f->a, f->b));
}

static void what_a_forked_coordinator_stated_stops_to_count(void **state)
{
    struct fixture *f = *state;
    struct ml_log_counts counts;
    world_enrol(&f->w, f->a, 2);
    struct ml_log_outcome opened = {.id = f->w.made[f->w.made_count - 1].id};
    struct ml_log_outcome record = world_record(&f->w, f->a, 2, 1);
    struct ml_log_outcome innocent = world_record(&f->w, f->a, 1, 1);
    struct ml_govop team = {.type = ML_GOVOP_TEAM_ADD};
    struct ml_slice op = world_op(&f->w, &team, NULL);
    (void)world_append(&f->w, f->b,
                       &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1});
    ingest_all(&f->w, f->a); /* hears of the fork last */
    ingest_all(&f->w, f->b); /* hears of it before what hung on it */
    for (int i = 0; i < 2; i++) {
        struct ml_log *log = i == 0 ? f->a : f->b;
        assert_ruling(log, &opened, ML_VERDICT_QUARANTINED, ML_REASON_NOT_ENROLLED);
        assert_ruling(log, &record, ML_VERDICT_QUARANTINED, ML_REASON_NOT_ENROLLED);
        assert_ruling(log, &innocent, ML_VERDICT_ACCEPTED, ML_REASON_NONE);
        assert_null(ml_gov_member(ml_log_gov(log), &f->w.actors[2].member));
        assert_non_null(ml_gov_member(ml_log_gov(log), &f->w.actors[1].member));
        assert_null(ml_gov_next(ml_log_gov(log), ML_FACT_TEAM, NULL));
    }
    assert_true(world_same_state(f->a, f->b));
    /* Who was enrolled before goes on, and what he writes covers what he cites. */
    (void)world_record(&f->w, f->b, 1, 1);
    (void)world_lane(&f->w, f->b, 1, ML_LANE_GOVERNANCE + 1);
    assert_int_equal(ml_log_counts(f->b, &counts), ML_OK);
    f->b = world_reopen(&f->w, f->b);
    struct ml_log_counts again;
    assert_int_equal(ml_log_counts(f->b, &again), ML_OK);
    assert_memory_equal(&counts, &again, sizeof(counts));
}

/* ---- what exchanges ask of a forked chain ---- */

struct got {
    struct ml_dep ids[16];
    uint64_t last_n;
    size_t count;
};

static ml_err get_entry(void *user, const struct ml_log_entry *e)
{
    struct got *g = user;
    assert_true(e->n > g->last_n);
    g->last_n = e->n;
    g->ids[g->count++] = (struct ml_dep){.writer = e->header.writer,
                                         .lane = e->header.lane,
                                         .seq = e->header.seq,
                                         .hash = ml_hash16_of(&e->hash)};
    return ML_OK;
}

static ml_err get_head(void *user, const struct ml_dep *head)
{
    struct got *g = user;
    if (head->lane == ML_LANE_RECORD) {
        g->ids[g->count++] = *head;
    }
    return ML_OK;
}

static void a_forked_chain_is_asked_by_branches(void **state)
{
    struct fixture *f = *state;
    (void)world_record(&f->w, f->a, 1, 1);
    struct ml_log_outcome tip = world_record(&f->w, f->a, 1, 1);
    struct ml_log_outcome other = world_record(&f->w, f->b, 1, 2);
    ingest_all(&f->w, f->a);
    struct got heads = {0};
    assert_int_equal(ml_log_heads(f->a, get_head, &heads), ML_OK);
    assert_int_equal(heads.count, 2); /* of actor 1; nobody else has records */
    struct ml_log_range range = {.writer = f->w.actors[1].id,
                                 .lane = ML_LANE_RECORD,
                                 .to = 9,
                                 .after = &other.id,
                                 .after_count = 1};
    struct got got = {0};
    struct ml_log_measure lanes[ML_LANES] = {{0}};
    assert_int_equal(ml_log_load(f->a, &range, 1, get_entry, &got), ML_OK);
    assert_int_equal(got.count, 2); /* seq 2 and 3 of the branch that `other` isn't on */
    assert_int_equal(got.ids[1].seq, 3);
    assert_int_equal(ml_dep_compare(&got.ids[1], &tip.id), 0);
    assert_int_equal(ml_log_measure(f->a, &range, 1, lanes), ML_OK);
    assert_int_equal(lanes[ML_LANE_RECORD].bundles, 2);
    range.after_count = 0;
    got = (struct got){0};
    assert_int_equal(ml_log_load(f->a, &range, 1, get_entry, &got), ML_OK);
    assert_int_equal(got.count, 4);
    struct ml_hash16 below;
    assert_int_equal(ml_log_below(f->a, &tip.id, 2, &below), ML_OK);
    assert_memory_not_equal(below.b, other.id.hash.b, sizeof(below.b));
    assert_int_equal(ml_log_below(f->a, &other.id, 2, &below), ML_E_NOT_FOUND);
    assert_int_equal(ml_log_below(f->a, &other.id, 1, &below), ML_OK);
}

static ml_err stop_after_two(void *user, const struct ml_log_entry *e)
{
    struct got *g = user;
    ml_err err = get_entry(user, e);
    return err == ML_OK && g->count == 2 ? ML_E_CANCELED : err;
}

static void ranges_are_given_in_order_of_ingest(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++) {
        (void)world_record(&f->w, f->a, 1, 1);
        (void)world_record(&f->w, f->a, 0, 1);
    }
    struct ml_dep one = {.writer = f->w.actors[0].id, .lane = 3, .seq = 1};
    struct ml_log_range ranges[] = {
        {.writer = f->w.actors[1].id, .lane = 3, .to = 3},
        {.writer = f->w.actors[0].id, .lane = 3, .to = 3, .after = &one, .after_count = 1},
        {.writer = f->w.actors[5].id, .lane = 3, .to = 3}, /* unknown: nothing */
    };
    assert_int_equal(ml_log_below(f->a, &(struct ml_dep){.writer = one.writer}, 1, &one.hash),
                     ML_E_NOT_FOUND);
    struct got got = {0};
    struct ml_log_measure lanes[ML_LANES] = {{0}};
    assert_int_equal(ml_log_load(f->a, ranges, 3, get_entry, &got), ML_OK);
    assert_int_equal(got.count, 6); /* `one` isn't stored (its hash is wrong): ignored */
    assert_int_equal(ml_log_measure(f->a, ranges, 3, lanes), ML_OK);
    assert_int_equal(lanes[3].bundles, 6);
    assert_true(lanes[3].bytes > 600);
    got = (struct got){0};
    assert_int_equal(ml_log_load(f->a, ranges, 3, stop_after_two, &got), ML_OK);
    assert_int_equal(got.count, 2);
    ranges[1].after = &got.ids[1];
    assert_int_equal(got.ids[1].seq, 2);
    ranges[0].lane = 9;
    assert_int_equal(ml_log_load(f->a, ranges, 3, get_entry, &got), ML_E_INVALID);
}

/* ---- memory ---- */

static struct ml_log_range forked_range(const struct fixture *f, const struct ml_dep *after)
{
    return (struct ml_log_range){.writer = f->w.actors[1].id,
                                 .lane = ML_LANE_RECORD,
                                 .to = 9,
                                 .after = after,
                                 .after_count = 1};
}

static ml_err count_entry(void *user, const struct ml_log_entry *e)
{
    unsigned *count = user;
    *count += e->n > 0;
    return ML_OK;
}

static ml_err count_head(void *user, const struct ml_dep *head)
{
    unsigned *count = user;
    *count += head->seq > 0;
    return ML_OK;
}

static void tell_nothing(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

/* Everything that reads; the first error ends it. */
static ml_err read_all(struct fixture *f)
{
    const struct ml_dep after = f->w.made[f->w.made_count - 1].id;
    const struct ml_log_range range = forked_range(f, &after);
    struct ml_log_measure lanes[ML_LANES] = {{0}};
    struct ml_frontier_digest digest;
    struct ml_hash16 below;
    struct ml_log_next next;
    unsigned count = 0;
    ml_err err = ml_log_heads(f->a, count_head, &count);
    if (err == ML_OK) {
        err = ml_log_digest(f->a, &digest);
    }
    if (err == ML_OK) {
        err = ml_log_measure(f->a, &range, 1, lanes);
    }
    if (err == ML_OK) {
        err = ml_log_load(f->a, &range, 1, count_entry, &count);
    }
    if (err == ML_OK) {
        err = ml_log_below(f->a, &after, 1, &below);
    }
    if (err == ML_OK) {
        err = ml_log_next_own(f->a, &f->w.actors[0].id, 3, &next);
    }
    return err == ML_OK ? ml_log_verify(f->a, tell_nothing, NULL) : err;
}

static void reading_survives_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    (void)world_record(&f->w, f->a, 1, 1);
    (void)world_record(&f->w, f->a, 1, 1);
    (void)world_record(&f->w, f->b, 1, 2);
    ingest_all(&f->w, f->a);
    assert_int_equal(read_all(f), ML_OK); /* vectors are in memory from here on */
    for (long nth = 1;; nth++) {
        const long live = f->w.fake.live;
        f->w.fake.fail_alloc = nth;
        ml_err err = read_all(f);
        const bool spared = fake_spared(&f->w.fake);
        assert_int_equal(f->w.fake.live, live);
        if (err == ML_OK) {
            assert_true(spared);
            assert_true(nth > 5);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
    }
}

static void count_settled(void *user, const struct ml_log_outcome *o)
{
    unsigned *count = user;
    *count += o->result == ML_LOG_STORED;
}

/* Finding a fork rewrites verdicts and governance: all of it, or nothing. */
static void judging_anew_survives_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    struct ml_govop team = {.type = ML_GOVOP_TEAM_ADD};
    world_enrol(&f->w, f->a, 2);
    (void)world_record(&f->w, f->a, 2, 1);
    struct ml_slice op = world_op(&f->w, &team, NULL);
    (void)world_append(&f->w, f->b,
                       &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1});
    struct ml_slice proof = f->w.made[f->w.made_count - 1].wire;
    struct ml_hash before;
    struct ml_hash after;
    assert_int_equal(ml_log_state_hash(f->a, &before), ML_OK);
    for (long nth = 1;; nth++) {
        unsigned settled = 0;
        f->w.fake.fail_alloc = nth;
        ml_err err = ml_log_ingest(f->a, &proof, 1, count_settled, &settled);
        const bool spared = fake_spared(&f->w.fake);
        if (err == ML_OK) {
            assert_true(spared);
            assert_true(nth > 10);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(settled, 0);
        assert_int_equal(ml_log_state_hash(f->a, &after), ML_OK);
        assert_memory_equal(before.b, after.b, sizeof(before.b));
    }
    ingest_all(&f->w, f->b);
    assert_true(world_same_state(f->a, f->b));
    assert_int_equal(ml_log_verify(f->a, tell_nothing, NULL), ML_OK);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_bundles_in_one_place_freeze_their_writer),
        TEST(histories_in_two_lanes_are_a_fork_too),
        TEST(one_line_over_all_lanes_is_no_fork),
        TEST(what_a_forked_coordinator_stated_stops_to_count),
        TEST(a_forked_chain_is_asked_by_branches),
        TEST(ranges_are_given_in_order_of_ingest),
        TEST(reading_survives_any_failed_alloc),
        TEST(judging_anew_survives_any_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
