/* test_log_pending.c -- what waits, what is refused, what damage costs: one rule per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/db.h"
#include "core/store/log_impl.h"
#include "core/store/log_rebuild.h"
#include "support_dir.h"
#include "support_world.h"

struct fixture {
    struct world w;
    struct ml_log *a;
};

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 41);
    world_found(&f.w);
    f.a = world_log(&f.w);
    assert_int_equal(world_ingest(f.a, f.w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f.w, f.a, 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->a);
    return world_free(&f->w);
}

/* A second log with the first `count` bundles. */
static struct ml_log *log_with(struct fixture *f, size_t count)
{
    struct ml_log *log = world_log(&f->w);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(world_ingest(log, f->w.made[i].wire).result, ML_LOG_STORED);
    }
    return log;
}

struct outcomes {
    struct ml_log_outcome o[32];
    size_t count;
};

static void collect(void *user, const struct ml_log_outcome *o)
{
    struct outcomes *all = user;
    all->o[all->count++] = *o;
}

static void what_comes_early_waits_and_is_told(void **state)
{
    struct fixture *f = *state;
    struct outcomes all = {0};
    struct ml_log_counts counts;
    const size_t before = f->w.made_count;
    (void)world_record(&f->w, f->a, 1, 1);
    (void)world_record(&f->w, f->a, 1, 1);
    struct ml_log *b = log_with(f, before);
    struct ml_log_outcome o = world_ingest(b, f->w.made[before + 1].wire);
    assert_int_equal(o.result, ML_LOG_PENDING);
    assert_int_equal(o.reason, ML_REASON_WAITS_PREV);
    assert_int_equal(world_ingest(b, f->w.made[before + 1].wire).result, ML_LOG_DUPLICATE);
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.pending, 1);
    b = world_reopen(&f->w, b); /* it waits on disk */
    assert_int_equal(ml_log_ingest(b, &f->w.made[before].wire, 1, collect, &all), ML_OK);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.o[0].result, ML_LOG_STORED);
    assert_int_equal(all.o[0].index, 0);
    assert_int_equal(all.o[1].result, ML_LOG_STORED);
    assert_int_equal(all.o[1].index, ML_LOG_NO_INDEX);
    assert_int_equal(all.o[1].n, all.o[0].n + 1);
    assert_true(world_same_state(f->a, b));
    ml_log_close(b);
}

static void a_stranger_waits_for_his_opening_unverified(void **state)
{
    struct fixture *f = *state;
    const size_t before = f->w.made_count;
    world_enrol(&f->w, f->a, 2);
    (void)world_record(&f->w, f->a, 2, 1);
    const size_t record = f->w.made_count - 1;
    struct ml_log *b = log_with(f, before);
    struct ml_slice wire = f->w.made[record].wire;
    uint8_t *forged = ml_copy(&f->w.fake.env, wire.data, wire.len);
    forged[wire.len - 1] ^= 1;
    struct ml_log_outcome o = world_ingest(b, ml_slice(forged, wire.len));
    assert_int_equal(o.result, ML_LOG_PENDING); /* nobody can tell yet */
    assert_int_equal(o.reason, ML_REASON_WAITS_WRITER);
    ml_release(&f->w.fake.env, forged);
    for (size_t i = before; i < record; i++) {
        assert_int_equal(world_ingest(b, f->w.made[i].wire).result, ML_LOG_STORED);
    }
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.pending, 0); /* refused as soon as it could be */
    assert_int_equal(counts.bundles, record);
    assert_int_equal(world_ingest(b, wire).result, ML_LOG_STORED);
    assert_true(world_same_state(f->a, b));
    ml_log_close(b);
}

/* B24: a lane stops, others go on. */
static void too_much_of_one_writer_stops_him_alone(void **state)
{
    struct fixture *f = *state;
    static uint8_t big[40000];
    const struct ml_slice op = {big, sizeof(big)};
    const size_t before = f->w.made_count;
    for (unsigned i = 0; i < 230; i++) {
        (void)world_append(
            &f->w, f->a,
            &(struct draft){.by = &f->w.actors[1], .lane = 3, .ops = &op, .op_count = 1});
    }
    (void)world_record(&f->w, f->a, 0, 1);
    struct ml_log *b = log_with(f, before);
    unsigned stopped = 0;
    for (size_t i = before + 1; i < before + 230; i++) { /* all but the first of the chain */
        struct ml_log_outcome o = world_ingest(b, f->w.made[i].wire);
        assert_true(o.result == ML_LOG_PENDING || o.result == ML_LOG_STOPPED);
        if (o.result == ML_LOG_STOPPED) {
            assert_int_equal(o.reason, ML_REASON_LANE_FULL);
            stopped++;
        }
    }
    /* 8 MiB of 40 kB bundles: about 209 fit. */
    assert_in_range(stopped, 15, 25);
    struct ml_log_outcome other = world_ingest(b, f->w.made[before + 230].wire);
    assert_int_equal(other.result, ML_LOG_PENDING);
    for (size_t i = before; i < f->w.made_count; i++) { /* an exchange brings them again */
        assert_int_not_equal(world_ingest(b, f->w.made[i].wire).result, ML_LOG_REFUSED);
    }
    assert_true(world_same_state(f->a, b));
    ml_log_close(b);
}

static void small_ones_of_one_writer_end_at_their_number(void **state)
{
    struct fixture *f = *state;
    static const struct ml_slice op = {(const uint8_t *)"sealed bytes", 12};
    struct ml_log_next ahead = {.seq = 9, .prev = {{7}}}; /* of a chain that nobody has */
    const struct draft d = {
        .by = &f->w.actors[1], .lane = ML_LANE_RECORD, .ops = &op, .op_count = 1, .next = &ahead};
    for (unsigned i = 0; i < ML_LOG_PENDING_WRITER_MAX; i++) {
        assert_int_equal(world_ingest(f->a, world_build(&f->w, f->a, &d)).result, ML_LOG_PENDING);
        ahead.seq++;
    }
    struct ml_log_outcome o = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_int_equal(o.result, ML_LOG_STOPPED);
    assert_int_equal(o.reason, ML_REASON_LANE_FULL);
}

static void an_unknown_op_that_must_be_understood_waits_for_a_version(void **state)
{
    struct fixture *f = *state;
    /* {1: 99, 2: true}: an op type of a later version. */
    static const uint8_t later[] = {0x82, 0x01, 0x63, 0x02, 0xc3};
    static const uint8_t harmless[] = {0x81, 0x01, 0x63};
    struct ml_slice op = {harmless, sizeof(harmless)};
    (void)world_append(&f->w, f->a,
                       &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1});
    op = ml_slice(later, sizeof(later));
    struct ml_log_outcome o = world_ingest(
        f->a, world_build(&f->w, f->a,
                          &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1}));
    assert_int_equal(o.result, ML_LOG_PENDING);
    assert_int_equal(o.reason, ML_REASON_WAITS_VERSION);
    f->a = world_reopen(&f->w, f->a); /* asked again by each start, and still not known */
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(f->a, &counts), ML_OK);
    assert_int_equal(counts.pending, 1);
    assert_int_equal(counts.waits_version, 1);
}

static void two_that_wait_for_a_version_are_asked_once_by_each_start(void **state)
{
    struct fixture *f = *state;
    uint8_t later[] = {0x82, 0x01, 0x62, 0x02, 0xc3};
    const struct ml_slice op = {later, sizeof(later)};
    struct ml_log_counts counts;
    for (uint8_t i = 0; i < 2; i++) {
        later[2] = (uint8_t)(0x62 + i); /* of another type, at the same place */
        struct ml_log_outcome o = world_ingest(
            f->a, world_build(&f->w, f->a,
                              &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1}));
        assert_int_equal(o.reason, ML_REASON_WAITS_VERSION);
    }
    f->a = world_reopen(&f->w, f->a); /* it opens */
    assert_int_equal(ml_log_counts(f->a, &counts), ML_OK);
    assert_int_equal(counts.waits_version, 2);
}

/* As an earlier program leaves it, that doesn't know what this one does. */
static void what_waited_for_this_version_is_judged_when_it_opens(void **state)
{
    struct fixture *f = *state;
    struct ml_db *db = NULL;
    struct ml_stmt *st = NULL;
    struct ml_log_counts counts;
    struct ml_log_entry e;
    char path[300];
    struct ml_log_outcome o = world_record(&f->w, f->a, 1, 2);
    const struct ml_slice wire = f->w.made[f->w.made_count - 1].wire;
    struct ml_log *b = log_with(f, f->w.made_count - 1);
    ml_log_close(b);
    world_path(&f->w, path, sizeof(path));
    const struct ml_db_args args = {.env = &f->w.fake.env, .path = path};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    assert_int_equal(ml_stmt_prepare(&st, db,
                                     "INSERT INTO pending(hash, writer, reason, wait_writer,"
                                     " wait_lane, wait_seq, wait_hash, wire) VALUES(?1, ?2, ?3,"
                                     " zeroblob(16), 0, 0, zeroblob(16), ?4)"),
                     ML_OK);
    ml_stmt_bind_blob(st, 1, o.id.hash.b, sizeof(o.id.hash.b));
    ml_stmt_bind_blob(st, 2, o.id.writer.b, sizeof(o.id.writer.b));
    ml_stmt_bind_int(st, 3, ML_REASON_WAITS_VERSION);
    ml_stmt_bind_blob(st, 4, wire.data, wire.len);
    assert_int_equal(ml_stmt_run(st), ML_OK);
    ml_stmt_free(st);
    ml_db_close(db);
    assert_int_equal(world_try_open(&f->w, &b), ML_OK);
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.pending + counts.waits_version, 0);
    assert_int_equal(ml_log_get(b, &o.id.hash, &e), ML_OK);
    assert_true(world_same_state(f->a, b));
    ml_log_close(b);
}

/* A known op with a field of a later version says something else than we know. */
static void an_unknown_field_of_what_must_be_understood_waits_too(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[512];
    struct ml_govop team = {.type = ML_GOVOP_TEAM_ADD, .must_understand = true};
    for (int must = 0; must < 2; must++) {
        team.must_understand = must != 0;
        const struct ml_slice plain = world_op(&f->w, &team, NULL);
        assert_true(plain.len + 2 <= sizeof(bytes) && (plain.data[0] & 0xf0u) == 0x80u);
        memcpy(bytes, plain.data, plain.len);
        bytes[0]++;                  /* one pair more in the map */
        bytes[plain.len] = 0x7f;     /* its key */
        bytes[plain.len + 1] = 0x01; /* and value */
        const struct ml_slice op = ml_slice(bytes, plain.len + 2);
        struct ml_log_outcome o = world_ingest(
            f->a, world_build(&f->w, f->a,
                              &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1}));
        assert_int_equal(o.result, must ? ML_LOG_PENDING : ML_LOG_STORED);
        assert_int_equal(o.reason, must ? ML_REASON_WAITS_VERSION : ML_REASON_NONE);
    }
}

/* Nothing of a log verdict hangs on lane 1 (rules B21): what is unknown there stops nobody. */
static void of_lane_1_an_unknown_op_is_kept_whatever_its_bit(void **state)
{
    struct fixture *f = *state;
    static const uint8_t later[] = {0x82, 0x01, 0x63, 0x02, 0xc3};
    const struct ml_slice op = {later, sizeof(later)};
    const struct draft d = {.by = &f->w.actors[0], .lane = ML_LANE_KEYS, .ops = &op, .op_count = 1};
    struct ml_log_outcome o = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(o.reason, ML_REASON_NONE);
    o = world_ingest(f->a, world_build(&f->w, f->a, &d)); /* and what comes after it */
    assert_int_equal(o.result, ML_LOG_STORED);
}

/* The program was replaced by one that knows what was missing: what had waited for what had waited
 * is judged as well. The bundle of a later version is one that this program knows, in its row. */
static void an_upgrade_wakes_all_that_hung_on_it(void **state)
{
    struct fixture *f = *state;
    static const uint8_t later[] = {0x82, 0x01, 0x63, 0x02, 0xc3};
    struct ml_log_counts counts;
    struct ml_stmt *s = NULL;
    struct ml_slice op = {later, sizeof(later)};
    struct ml_log *b = world_log(&f->w);
    for (size_t i = 0; i < f->w.made_count; i++) {
        assert_int_equal(world_ingest(b, f->w.made[i].wire).result, ML_LOG_STORED);
    }
    struct ml_slice unknown =
        world_build(&f->w, b, &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1});
    assert_int_equal(world_ingest(b, unknown).reason, ML_REASON_WAITS_VERSION);
    (void)world_lane(&f->w, f->a, 0, ML_LANE_KEYS);
    const struct made known = f->w.made[f->w.made_count - 1];
    (void)world_lane(&f->w, f->a, 0, ML_LANE_KEYS);
    assert_int_equal(world_ingest(b, f->w.made[f->w.made_count - 1].wire).result, ML_LOG_PENDING);
    assert_int_equal(ml_stmt_prepare(&s, b->db, "UPDATE pending SET wire = ?1 WHERE reason = ?2"),
                     ML_OK);
    ml_stmt_bind_blob(s, 1, known.wire.data, known.wire.len);
    ml_stmt_bind_int(s, 2, ML_REASON_WAITS_VERSION);
    assert_int_equal(ml_stmt_run(s), ML_OK);
    ml_stmt_free(s);
    b = world_reopen(&f->w, b);
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.pending, 0);
    assert_true(world_same_state(f->a, b));
    ml_log_close(b);
}

static void without_authority_governance_is_kept_and_does_not_count(void **state)
{
    struct fixture *f = *state;
    struct ml_govop add = {
        .type = ML_GOVOP_MEMBER_ADD,
        .u.member_add = {.member = f->w.actors[3].member, .rank = 3, .role = 60}};
    struct ml_slice op = world_op(&f->w, &add, NULL);
    struct ml_log_outcome o = world_ingest(
        f->a, world_build(&f->w, f->a,
                          &(struct draft){.by = &f->w.actors[1], .ops = &op, .op_count = 1}));
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(o.verdict, ML_VERDICT_QUARANTINED);
    assert_int_equal(o.reason, ML_REASON_NO_AUTHORITY);
    assert_null(ml_gov_member(ml_log_gov(f->a), &f->w.actors[3].member));
    /* Nobody gives a coordinator's rank alone. */
    add.u.member_add.rank = 1;
    op = world_op(&f->w, &add, NULL);
    o = world_ingest(
        f->a, world_build(&f->w, f->a,
                          &(struct draft){.by = &f->w.actors[0], .ops = &op, .op_count = 1}));
    assert_int_equal(o.reason, ML_REASON_NO_AUTHORITY);
}

/* His opening is quarantined, and all that he writes: kept, in case it is adopted one day. */
static void who_was_not_enrolled_does_not_count(void **state)
{
    struct fixture *f = *state;
    const struct actor *a = &f->w.actors[4];
    struct ml_govop open = {
        .type = ML_GOVOP_WRITER_OPEN,
        .u.writer_open = {.writer = a->pk, .member = a->member, .node = a->node}};
    struct ml_slice op = world_op(&f->w, &open, a->mon);
    struct ml_log_outcome o = world_ingest(
        f->a, world_build(&f->w, f->a, &(struct draft){.by = a, .ops = &op, .op_count = 1}));
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(o.reason, ML_REASON_NOT_ENROLLED);
    static const struct ml_slice sealed = {(const uint8_t *)"sealed bytes, sealed bytes", 26};
    o = world_ingest(
        f->a, world_build(&f->w, f->a,
                          &(struct draft){.by = a, .lane = 3, .ops = &sealed, .op_count = 1}));
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(o.verdict, ML_VERDICT_QUARANTINED);
    assert_int_equal(o.reason, ML_REASON_NOT_ENROLLED);
}

/* ---- the shape of what others send ---- */

static struct ml_log_outcome send(struct fixture *f, const struct ml_log_next *next, uint8_t lane,
                                  uint64_t hlc)
{
    const struct ml_slice sealed = world_sealed(lane);
    return world_ingest(f->a, world_build(&f->w, f->a,
                                          &(struct draft){.by = &f->w.actors[1],
                                                          .lane = lane,
                                                          .ops = &sealed,
                                                          .op_count = 1,
                                                          .next = next,
                                                          .hlc = hlc}));
}

static void each_broken_rule_has_its_reason(void **state)
{
    struct fixture *f = *state;
    struct ml_log_next good;
    struct ml_log_next bad;
    struct ml_dep deps[8];
    (void)world_record(&f->w, f->a, 1, 1);
    (void)world_lane(&f->w, f->a, 0, ML_LANE_KEYS);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[1].id, 3, &good), ML_OK);
    assert_int_equal(good.dep_count, 1);
    memcpy(deps, good.deps, good.dep_count * sizeof(deps[0]));
    bad = good;
    bad.gctx.b[0] ^= 1;
    assert_int_equal(send(f, &bad, 3, 0).reason, ML_REASON_GCTX);
    assert_int_equal(send(f, &good, 3, 1).reason, ML_REASON_CLOCK);
    bad = good; /* a first bundle of a lane that doesn't cite its writer's opening */
    bad.seq = 1;
    memset(bad.prev.b, 0, sizeof(bad.prev.b));
    assert_int_equal(send(f, &bad, 4, 0).reason, ML_REASON_NO_OPENING);
    bad = good; /* its own chain */
    deps[0] = (struct ml_dep){.writer = f->w.actors[1].id, .lane = 3, .seq = 1};
    deps[0].hash = ml_hash16_of(&good.prev);
    bad.deps = deps;
    assert_int_equal(send(f, &bad, 3, 0).reason, ML_REASON_CITES);
    /* A lane-1 head that has seen more than this chain: its vector comes with it, or the digest is
     * another one. */
    world_enrol(&f->w, f->a, 2);
    (void)world_lane(&f->w, f->a, 0, ML_LANE_KEYS);
    struct ml_log_next full;
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[1].id, 3, &full), ML_OK);
    bad = good;
    for (size_t i = 0; i < full.dep_count; i++) {
        if (full.deps[i].lane == ML_LANE_KEYS) {
            deps[0] = full.deps[i];
        }
    }
    bad.deps = deps;
    bad.dep_count = 1;
    assert_int_equal(send(f, &bad, 3, 0).reason, ML_REASON_GCTX);
    /* What is well formed goes through, and then can't be cited again. */
    assert_int_equal(send(f, &full, 3, 0).result, ML_LOG_STORED);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[1].id, 3, &good), ML_OK);
    bad = good;
    bad.deps = deps;
    bad.dep_count = 1;
    assert_int_equal(send(f, &bad, 3, 0).reason, ML_REASON_BACKWARDS);
    assert_int_equal(send(f, &good, 3, 0).result, ML_LOG_STORED);
}

static void a_clock_far_ahead_is_flagged_and_moves_nothing(void **state)
{
    struct fixture *f = *state;
    const uint64_t before = ml_log_hlc_last(f->a);
    struct ml_log_next next;
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[1].id, 3, &next), ML_OK);
    const uint64_t far = ml_hlc_make(f->w.fake.wall_ms + ML_HLC_AHEAD_MAX_MS + 60000, 0);
    struct ml_log_outcome o = send(f, &next, 3, far);
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED); /* no clock enters a verdict (I2) */
    assert_int_equal(ml_log_hlc_last(f->a), before);
    (void)world_record(&f->w, f->a, 0, 1);
    assert_true(ml_log_hlc_last(f->a) > before);
    assert_true(ml_log_hlc_last(f->a) < far);
}

/* ---- damage ---- */

struct told {
    unsigned count;
    char first[200];
};

static void tell(void *user, const char *what)
{
    struct told *t = user;
    if (t->count++ == 0) {
        snprintf(t->first, sizeof(t->first), "%s", what);
    }
}

static void damage_sql(struct fixture *f, const char *sql)
{
    char path[300];
    struct ml_db *db = NULL;
    world_path(&f->w, path, sizeof(path));
    const struct ml_db_args args = {.env = &f->w.fake.env, .path = path};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    assert_int_equal(ml_db_exec(db, sql), ML_OK);
    ml_db_close(db);
}

struct made_anew {
    struct told told;
    struct ml_log_rebuilt found;
    struct ml_dep lost; /* the last one */
};

static void anew_tell(void *user, const char *what)
{
    struct made_anew *m = user;
    tell(&m->told, what);
}

static void anew_lost(void *user, const struct ml_dep *place)
{
    struct made_anew *m = user;
    m->lost = *place;
}

/* The log is made anew, as the node does it, and takes the old one's place. */
static struct made_anew rebuild(struct fixture *f)
{
    struct made_anew m = {.lost = {.seq = 0}};
    char path[300];
    char fresh[300];
    world_path(&f->w, path, sizeof(path));
    f->w.files++;
    world_path(&f->w, fresh, sizeof(fresh));
    const struct ml_log_rebuild how = {
        .log = {.env = &f->w.fake.env, .path = path, .org = f->w.org},
        .fresh = fresh,
        .problem = anew_tell,
        .lost = anew_lost,
        .user = &m};
    ml_log_close(f->a);
    f->a = NULL;
    assert_int_equal(ml_log_rebuild(&m.found, &how), ML_OK);
    assert_int_equal(world_try_open(&f->w, &f->a), ML_OK);
    return m;
}

static uint64_t bodies_missing(struct fixture *f)
{
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(f->a, &counts), ML_OK);
    return counts.bodies_missing;
}

/* What verify finds is left as it is: the rebuild says how much is lost. */
static void assert_body_is_lost_and_fetched_again(struct fixture *f, const char *sql)
{
    struct told told = {0};
    struct ml_hash before;
    struct ml_hash after;
    assert_int_equal(ml_log_state_hash(f->a, &before), ML_OK);
    damage_sql(f, sql);
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_verify(f->a, tell, &told), ML_OK);
    assert_int_equal(told.count, 1);
    assert_non_null(strstr(told.first, "lane 3, seq 1): its body is destroyed"));
    assert_true(ml_log_damaged(f->a));
    assert_int_equal(bodies_missing(f), 0);
    const struct made_anew m = rebuild(f);
    assert_int_equal(m.found.bodies_lost, 1);
    assert_int_equal(m.found.lost, 0);
    assert_int_equal(m.told.count, 1);
    assert_int_equal(bodies_missing(f), 1);
    assert_int_equal(world_ingest(f->a, f->w.made[f->w.made_count - 1].wire).result, ML_LOG_BODY);
    told = (struct told){0};
    assert_int_equal(ml_log_verify(f->a, tell, &told), ML_OK);
    assert_int_equal(told.count, 0);
    assert_false(ml_log_damaged(f->a));
    assert_int_equal(ml_log_state_hash(f->a, &after), ML_OK);
    assert_memory_equal(before.b, after.b, sizeof(before.b));
}

static void a_destroyed_body_is_named_and_fetched_again(void **state)
{
    struct fixture *f = *state;
    struct ml_log_entry e;
    struct ml_log_outcome o = world_record(&f->w, f->a, 1, 2);
    assert_body_is_lost_and_fetched_again(f, "UPDATE body SET bytes = zeroblob(40) WHERE n = 5");
    assert_int_equal(ml_log_get(f->a, &o.id.hash, &e), ML_OK);
    assert_int_equal(e.body.absent, 0);
}

/* Well formed, and not what its header says. */
static void a_body_of_another_bundle_is_a_destroyed_one(void **state)
{
    struct fixture *f = *state;
    (void)world_record(&f->w, f->a, 1, 2);
    damage_sql(f, "UPDATE body SET bytes = substr(bytes, 1, length(bytes) - 1) || x'00' "
                  "WHERE n = 5");
    f->a = world_reopen(&f->w, f->a);
    const struct made_anew m = rebuild(f);
    assert_int_equal(m.found.kept, 5);
    assert_int_equal(m.found.bodies_lost, 1);
    assert_int_equal(bodies_missing(f), 1);
}

/* Without its body governance says nothing: it is lost, and named, until it is back. */
static void governance_without_its_body_is_lost_and_comes_back(void **state)
{
    struct fixture *f = *state;
    struct told told = {0};
    damage_sql(f, "DELETE FROM body WHERE n = 3"); /* NODE_ENROL of actor 1 */
    assert_int_equal(ml_log_verify(f->a, tell, &told), ML_OK);
    assert_true(told.count >= 1);
    const struct made_anew m = rebuild(f);
    assert_int_equal(m.found.bodies_lost, 0);
    assert_int_equal(m.found.lost, 1);
    assert_int_equal(m.found.kept, f->w.made_count - 1);
    assert_int_equal(m.lost.lane, ML_LANE_GOVERNANCE);
    assert_int_equal(m.lost.seq, f->w.made[2].id.seq);
    assert_memory_equal(&m.lost.writer, &f->w.made[2].id.writer, sizeof(m.lost.writer));
    assert_null(ml_gov_next(ml_log_gov(f->a), ML_FACT_MON,
                            ml_gov_next(ml_log_gov(f->a), ML_FACT_MON, NULL)));
    assert_int_equal(world_ingest(f->a, f->w.made[2].wire).result, ML_LOG_STORED);
    assert_non_null(ml_gov_next(ml_log_gov(f->a), ML_FACT_MON,
                                ml_gov_next(ml_log_gov(f->a), ML_FACT_MON, NULL)));
    (void)world_record(&f->w, f->a, 1, 1);
}

static void assert_damage_is_told(struct fixture *f, const char *sql, const char *text)
{
    struct told told = {0};
    damage_sql(f, sql);
    assert_int_equal(world_try_open(&f->w, &f->a), ML_OK);
    assert_int_equal(ml_log_verify(f->a, tell, &told), ML_OK);
    assert_true(told.count >= 1);
    if (strstr(told.first, text) == NULL) {
        fail_msg("%s: told %s", sql, told.first);
    }
    ml_log_close(f->a);
}

static void any_changed_row_is_named(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"UPDATE bundle SET sig = zeroblob(64) WHERE n = 5", "its signature is wrong"},
        {"UPDATE bundle SET header = zeroblob(90) WHERE n = 6", "its header is destroyed"},
        {"UPDATE bundle SET hash = zeroblob(32) WHERE n = 5", "its header is not what was signed"},
        {"UPDATE bundle SET verdict = 2 WHERE n = 5", "its verdict is not the derived one"},
        {"UPDATE tally SET ops = ops + 1", "the counts are not those of the bundles"},
        {"DELETE FROM bundle WHERE n = 5", "it cannot be read"},
    };
    (void)world_record(&f->w, f->a, 1, 2);
    (void)world_record(&f->w, f->a, 1, 2);
    (void)world_record(&f->w, f->a, 0, 2);
    ml_log_close(f->a);
    char path[300];
    char kept[320];
    world_path(&f->w, path, sizeof(path));
    snprintf(kept, sizeof(kept), "%s.kept", path);
    support_copy_file(path, kept);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        support_copy_file(kept, path);
        assert_damage_is_told(f, cases[i][0], cases[i][1]);
    }
    support_copy_file(kept, path);
    assert_int_equal(world_try_open(&f->w, &f->a), ML_OK);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_comes_early_waits_and_is_told),
        TEST(a_stranger_waits_for_his_opening_unverified),
        TEST(too_much_of_one_writer_stops_him_alone),
        TEST(small_ones_of_one_writer_end_at_their_number),
        TEST(an_unknown_op_that_must_be_understood_waits_for_a_version),
        TEST(two_that_wait_for_a_version_are_asked_once_by_each_start),
        TEST(what_waited_for_this_version_is_judged_when_it_opens),
        TEST(an_unknown_field_of_what_must_be_understood_waits_too),
        TEST(of_lane_1_an_unknown_op_is_kept_whatever_its_bit),
        TEST(an_upgrade_wakes_all_that_hung_on_it),
        TEST(without_authority_governance_is_kept_and_does_not_count),
        TEST(who_was_not_enrolled_does_not_count),
        TEST(each_broken_rule_has_its_reason),
        TEST(a_clock_far_ahead_is_flagged_and_moves_nothing),
        TEST(a_destroyed_body_is_named_and_fetched_again),
        TEST(a_body_of_another_bundle_is_a_destroyed_one),
        TEST(governance_without_its_body_is_lost_and_comes_back),
        TEST(any_changed_row_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
