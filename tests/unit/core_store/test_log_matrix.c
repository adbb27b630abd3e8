/* test_log_matrix.c -- what a role may not write doesn't count, alike at every log (rules A1;
 * docs/habilitation.md). Records are of one class here: alerts, in the compartment `vital`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

enum { CHIEF, DEPUTY, NURSE, REFERENT }; /* two coordinators; ranks 3 and 2 */
enum { DOCTOR = 10, NURSING = 60, CREATES = 3 };

#define DISK   "matrix-disk"
#define SEALED "matrix-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *one;
    struct ml_log *two;
};

static void hear(struct world *w, struct ml_log *log)
{
    for (size_t i = 0; i < w->made_count; i++) {
        assert_int_not_equal(world_ingest(log, w->made[i].wire).result, ML_LOG_REFUSED);
    }
}

static struct ml_log_outcome say(struct fixture *f, struct ml_log *log, unsigned by,
                                 struct ml_govop *op)
{
    struct ml_slice bytes = world_op(&f->w, op, NULL);
    const struct draft d = {.by = &f->w.actors[by], .ops = &bytes, .op_count = 1};
    return world_ingest(log, world_build(&f->w, log, &d));
}

static void grant(struct fixture *f, unsigned i, uint8_t rank, uint16_t role)
{
    const struct actor *a = &f->w.actors[i];
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD,
                          .u.member_add = {.member = a->member, .rank = rank, .role = role}};
    if (rank == ML_RANK_COORDINATOR) {
        world_hands(&f->w, &op, NULL, 0, true);
    }
    assert_int_equal(say(f, f->one, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
}

static void admit(struct fixture *f, unsigned i, uint8_t rank, uint16_t role)
{
    const struct actor *a = &f->w.actors[i];
    struct ml_govop op = {
        .type = ML_GOVOP_NODE_ENROL,
        .u.node_enrol = {.member = a->member, .node = a->node, .mon_sign = a->mon_pk}};
    memcpy(op.u.node_enrol.noise.b, a->mon_pk.b, sizeof(op.u.node_enrol.noise.b));
    grant(f, i, rank, role);
    if (rank == ML_RANK_COORDINATOR) {
        world_hands(&f->w, &op, NULL, 0, true);
    }
    assert_int_equal(say(f, f->one, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    struct ml_slice bytes = world_opening(&f->w, a);
    (void)world_append(&f->w, f->one, &(struct draft){.by = a, .ops = &bytes, .op_count = 1});
}

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 31);
    f.disk = fault_disk_new(DISK, 31);
    assert_non_null(f.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f.w.vfs = SEALED;
    world_found(&f.w);
    f.one = world_log(&f.w);
    f.two = world_log(&f.w);
    assert_int_equal(world_ingest(f.one, f.w.made[0].wire).result, ML_LOG_STORED);
    admit(&f, DEPUTY, 1, DOCTOR);
    admit(&f, NURSE, 3, NURSING);
    admit(&f, REFERENT, 2, NURSING);
    hear(&f.w, f.two);
    *state = &f;
    return 0;
}

static void no_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

/* All hear of all, one more log backwards: the state is the same, and verify finds it. */
static int teardown(void **state)
{
    struct fixture *f = *state;
    struct ml_log *backwards = world_log(&f->w);
    for (size_t i = f->w.made_count; i > 0; i--) {
        assert_int_not_equal(world_ingest(backwards, f->w.made[i - 1].wire).result, ML_LOG_REFUSED);
    }
    struct ml_log *logs[] = {f->one, f->two, world_reopen(&f->w, backwards)};
    for (size_t i = 0; i < 3; i++) {
        hear(&f->w, logs[i]);
        assert_int_equal(ml_log_verify(logs[i], no_problem, NULL), ML_OK);
        assert_true(world_same_state(logs[0], logs[i]));
    }
    for (size_t i = 0; i < 3; i++) {
        ml_log_close(logs[i]);
    }
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    return world_free(&f->w);
}

/* Doctors and nurses: what each may do with alerts. */
static struct ml_govop matrix(struct fixture *f, uint16_t doctor, uint16_t nurse)
{
    struct ml_matrix m = {.version = 1, .count = 2, .roles = {DOCTOR, NURSING}};
    m.cells[0][ML_CLASS_ALERTS] = doctor;
    m.cells[1][ML_CLASS_ALERTS] = nurse;
    return world_matrix(&f->w, &m);
}

static struct ml_log_outcome set(struct fixture *f, struct ml_log *log, unsigned by,
                                 uint16_t doctor, uint16_t nurse)
{
    struct ml_govop op = matrix(f, doctor, nurse);
    return say(f, log, by, &op);
}

static void set_well(struct fixture *f, uint16_t doctor, uint16_t nurse)
{
    assert_int_equal(set(f, f->one, CHIEF, doctor, nurse).verdict, ML_VERDICT_ACCEPTED);
}

static struct made write(struct fixture *f, struct ml_log *log, unsigned by, uint8_t lane)
{
    const struct ml_slice op = world_sealed(lane);
    const struct draft d = {.by = &f->w.actors[by], .lane = lane, .ops = &op, .op_count = 1};
    assert_int_equal(world_ingest(log, world_build(&f->w, log, &d)).result, ML_LOG_STORED);
    return f->w.made[f->w.made_count - 1];
}

static struct ml_slice wire_of(const struct fixture *f, const struct made *m)
{
    size_t i = 0;
    while (ml_dep_compare(&f->w.made[i].id, &m->id) != 0) {
        i++;
    }
    return f->w.made[i].wire;
}

static void ruled(struct ml_log *log, const struct made *m, ml_reason reason)
{
    const struct ml_ruling r = world_ruling(log, &m->id);
    const bool counts = reason == ML_REASON_NONE || reason == ML_REASON_ADOPTED;
    assert_int_equal(r.reason, reason);
    assert_int_equal(r.verdict, counts ? ML_VERDICT_ACCEPTED : ML_VERDICT_QUARANTINED);
}

struct told {
    unsigned steps[32]; /* by kind */
    struct ml_dep last; /* of the last one that has an act */
};

static void take_step(void *user, const struct ml_step *step)
{
    struct told *t = user;
    t->steps[step->kind]++;
    if (step->fact != NULL) {
        t->last = step->fact->at;
    }
    assert_string_not_equal(ml_step_name(step->kind), "?");
}

static ml_scope explain(struct fixture *f, struct ml_log *log, unsigned who, struct told *told)
{
    const struct ml_right_question q = {.member = f->w.actors[who].member,
                                        .class = ML_CLASS_ALERTS,
                                        .right = ML_RIGHT_CREATE,
                                        .ms = f->w.fake.wall_ms};
    memset(told, 0, sizeof(*told));
    return ml_right_explain(ml_log_gov(log), &q, take_step, told);
}

/* What is told is what is done: whoever writes here has seen what the log has. */
static void records(struct fixture *f, struct ml_log *log, unsigned by, ml_reason reason)
{
    struct told told;
    const bool may = explain(f, log, by, &told) != ML_SCOPE_NONE;
    assert_int_equal(may, reason == ML_REASON_NONE);
    const struct made m = write(f, log, by, ML_LANE_RECORD);
    ruled(log, &m, reason);
}

static void without_a_matrix_members_write_all(void **state)
{
    struct fixture *f = *state;
    struct ml_matrix m;
    records(f, f->one, NURSE, ML_REASON_NONE);
    assert_false(ml_gov_matrix(ml_log_gov(f->one), &m));
}

static void what_a_role_may_not_write_does_not_count(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    records(f, f->one, REFERENT, ML_REASON_NO_RIGHT); /* a rank is no role */
    records(f, f->one, DEPUTY, ML_REASON_NONE);
    const struct made file = write(f, f->one, NURSE, ML_LANE_BLOB);
    ruled(f->one, &file, ML_REASON_NO_RIGHT);
    const struct made key = write(f, f->one, NURSE, ML_LANE_KEYS);
    ruled(f->one, &key, ML_REASON_NONE); /* lanes 1 and 2 aren't asked */
    const struct made trace = write(f, f->one, NURSE, ML_LANE_TRACE);
    ruled(f->one, &trace, ML_REASON_NONE);
}

/* It is the action that counts, not the cell: who may read only writes nothing. */
static void to_read_is_not_to_write(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 3u << 8); /* reads all */
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
}

static void a_bundle_is_judged_by_the_matrix_that_it_saw(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    const struct made before = write(f, f->two, NURSE, ML_LANE_RECORD); /* hasn't heard */
    ruled(f->two, &before, ML_REASON_NONE);
    hear(&f->w, f->two);
    ruled(f->two, &before, ML_REASON_NONE);
    const struct made after = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &after, ML_REASON_NO_RIGHT);
    set_well(f, CREATES, CREATES);
    hear(&f->w, f->two);
    ruled(f->two, &after, ML_REASON_NO_RIGHT); /* for ever */
    hear(&f->w, f->one);
    ruled(f->one, &before, ML_REASON_NONE);
    ruled(f->one, &after, ML_REASON_NO_RIGHT);
    records(f, f->two, NURSE, ML_REASON_NONE);
}

static void what_had_no_right_may_be_adopted(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    const struct made m = write(f, f->one, NURSE, ML_LANE_RECORD);
    struct ml_log_entry entry;
    struct ml_govop op = {.type = ML_GOVOP_JUDGE};
    for (uint64_t n = 0; ml_log_after(f->one, n, UINT32_MAX, &entry) == ML_OK; n = entry.n) {
        op.u.judge.bundle = entry.hash;
    }
    assert_int_equal(say(f, f->one, DEPUTY, &op).verdict, ML_VERDICT_ACCEPTED);
    ruled(f->one, &m, ML_REASON_ADOPTED);
}

static void a_new_role_counts_from_where_it_was_seen(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    grant(f, NURSE, 3, DOCTOR);
    records(f, f->two, NURSE, ML_REASON_NONE); /* knows neither */
    records(f, f->one, NURSE, ML_REASON_NONE);
    grant(f, NURSE, 3, 12345); /* a role that the matrix doesn't name */
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
}

/* Two who didn't know of each other gave him two roles: both must allow it. */
static void of_two_roles_both_must_allow(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    grant(f, NURSE, 3, DOCTOR);
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add =
        (struct ml_member_add){.member = f->w.actors[NURSE].member, .rank = 3, .role = NURSING};
    assert_int_equal(say(f, f->two, DEPUTY, &op).verdict, ML_VERDICT_ACCEPTED);
    records(f, f->one, NURSE, ML_REASON_NONE);
    hear(&f->w, f->one);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    set_well(f, CREATES, CREATES);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

/* ---- who may set it, and which one stands ---- */

static void only_a_coordinator_sets_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(set(f, f->one, REFERENT, 0, 0).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(set(f, f->one, NURSE, 0, 0).reason, ML_REASON_NO_AUTHORITY);
    records(f, f->one, NURSE, ML_REASON_NONE);
    assert_int_equal(set(f, f->one, DEPUTY, 0, 0).verdict, ML_VERDICT_ACCEPTED);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
}

static void a_table_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = matrix(f, 1, 1);
    op.u.matrix.table.len--;
    assert_int_equal(say(f, f->one, CHIEF, &op).result, ML_LOG_REFUSED);
    world_forget_last(&f->w);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

/* Rule (b) of domain 7.2. */
static void nobody_gives_his_own_role_more(void **state)
{
    struct fixture *f = *state;
    const unsigned self = CHIEF;
    const unsigned nurse = NURSE;
    const unsigned referent = REFERENT;
    set_well(f, 1, 1);
    assert_int_equal(set(f, f->one, CHIEF, CREATES, 1).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(set(f, f->one, DEPUTY, CREATES, 1).reason, ML_REASON_NO_AUTHORITY);
    set_well(f, 1, CREATES); /* others' */
    struct ml_govop op = matrix(f, CREATES, CREATES);
    world_hands(&f->w, &op, &self, 1, false);
    assert_int_equal(say(f, f->one, CHIEF, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &nurse, 1, false);
    assert_int_equal(say(f, f->one, CHIEF, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &referent, 1, false);
    assert_int_equal(say(f, f->one, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    op = matrix(f, 0xf, 0);
    world_hands(&f->w, &op, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED); /* Root's hand */
}

static void of_concurrent_ones_the_stricter_cell_stands(void **state)
{
    struct fixture *f = *state;
    struct ml_matrix m;
    assert_int_equal(set(f, f->one, CHIEF, 3, 1 | 2u << 8).verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(set(f, f->two, DEPUTY, 1, 3u << 8).verdict, ML_VERDICT_ACCEPTED);
    const struct made knows_one = write(f, f->one, NURSE, ML_LANE_RECORD);
    ruled(f->one, &knows_one, ML_REASON_NONE);
    hear(&f->w, f->one);
    hear(&f->w, f->two);
    ruled(f->two, &knows_one, ML_REASON_NONE);
    assert_true(ml_gov_matrix(ml_log_gov(f->one), &m));
    assert_int_equal(ml_matrix_cell(&m, DOCTOR, ML_CLASS_ALERTS), 1);
    assert_int_equal(ml_matrix_cell(&m, NURSING, ML_CLASS_ALERTS), 2u << 8);
    assert_true(ml_gov_matrix(ml_log_gov(f->two), &m));
    assert_int_equal(ml_matrix_cell(&m, NURSING, ML_CLASS_ALERTS), 2u << 8);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    assert_int_equal(set(f, f->two, DEPUTY, 1, CREATES).verdict, ML_VERDICT_ACCEPTED);
    records(f, f->two, REFERENT, ML_REASON_NONE); /* who sets it anew saw both */
}

/* A matrix by somebody who is being removed: what it allowed falls, what it took away comes back
 * for those who write from then on. */
static void the_matrix_of_who_is_removed_falls(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    grant(f, REFERENT, 2, DOCTOR);
    hear(&f->w, f->two);
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[DEPUTY].member,
                                   .mode = ML_DENY_COMPROMISE,
                                   .cuts = world_heads(f->one, &f->w.actors[DEPUTY].member)};
    assert_int_equal(set(f, f->two, DEPUTY, CREATES, CREATES).verdict, ML_VERDICT_ACCEPTED);
    const struct made record = write(f, f->two, NURSE, ML_LANE_RECORD);
    const struct made fine = write(f, f->two, REFERENT, ML_LANE_RECORD);
    ruled(f->two, &record, ML_REASON_NONE);
    world_hands(&f->w, &deny, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &deny).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->two);
    hear(&f->w, f->one);
    ruled(f->two, &record, ML_REASON_GRANT_FELL);
    ruled(f->one, &record, ML_REASON_GRANT_FELL);
    ruled(f->one, &fine, ML_REASON_NONE); /* the one before allows it */
    struct ml_matrix m;
    assert_true(ml_gov_matrix(ml_log_gov(f->one), &m));
    assert_int_equal(ml_matrix_cell(&m, NURSING, ML_CLASS_ALERTS), 0);
}

/* The same of a role that he gave: an older grant still counts, but not for what it didn't allow.
 */
static void the_role_of_who_is_removed_falls(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[DEPUTY].member,
                                   .mode = ML_DENY_COMPROMISE,
                                   .cuts = world_heads(f->one, &f->w.actors[DEPUTY].member)};
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add =
        (struct ml_member_add){.member = f->w.actors[NURSE].member, .rank = 3, .role = DOCTOR};
    assert_int_equal(say(f, f->two, DEPUTY, &op).verdict, ML_VERDICT_ACCEPTED);
    const struct made record = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &record, ML_REASON_NONE);
    world_hands(&f->w, &deny, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &deny).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->two);
    ruled(f->two, &record, ML_REASON_GRANT_FELL);
}

/* ---- dated roles ---- */

static struct ml_govop role_grant(const struct fixture *f, unsigned i, uint16_t role, int64_t from,
                                  int64_t until)
{
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT};
    op.u.role_grant.member = f->w.actors[i].member;
    op.u.role_grant.role = role;
    op.u.role_grant.from_ms = from == 0 ? 0 : f->w.fake.wall_ms + (uint64_t)from;
    op.u.role_grant.until_ms = until == 0 ? 0 : f->w.fake.wall_ms + (uint64_t)until;
    return op;
}

static void give(struct fixture *f, struct ml_log *log, unsigned by, struct ml_govop op)
{
    assert_int_equal(say(f, log, by, &op).verdict, ML_VERDICT_ACCEPTED);
}

static void a_dated_role_begins_and_ends(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 100, 200));
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED); /* not yet */
    f->w.fake.wall_ms = now + 100;
    records(f, f->one, NURSE, ML_REASON_NONE);
    f->w.fake.wall_ms = now + 200;
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

/* The end is the first moment outside, the beginning the first inside. */
static void its_bounds_are_exact(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = role_grant(f, NURSE, DOCTOR, 10, 12);
    const uint64_t from = op.u.role_grant.from_ms;
    give(f, f->one, CHIEF, op);
    static const ml_reason at[] = {ML_REASON_ROLE_ENDED, ML_REASON_NONE, ML_REASON_NONE,
                                   ML_REASON_ROLE_ENDED};
    for (unsigned i = 0; i < 4; i++) {
        f->w.fake.wall_ms = from - 1 + i;
        records(f, f->one, NURSE, at[i]); /* without a matrix too */
    }
}

static void given_roles_take_the_place_of_the_first(void **state)
{
    struct fixture *f = *state;
    set_well(f, 0, CREATES);
    records(f, f->one, NURSE, ML_REASON_NONE);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 0));
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    give(f, f->one, CHIEF, role_grant(f, NURSE, NURSING, 0, 0)); /* any of them is enough */
    records(f, f->one, NURSE, ML_REASON_NONE);
    struct ml_govop op = role_grant(f, NURSE, NURSING, 0, 1); /* the same anew replaces it */
    f->w.fake.wall_ms += 10;
    give(f, f->one, CHIEF, op);
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
    give(f, f->one, CHIEF, role_grant(f, NURSE, NURSING, 0, 100)); /* the older doesn't matter */
    records(f, f->one, NURSE, ML_REASON_NONE);
}

static void of_concurrent_dates_both_must_hold(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 0));
    give(f, f->two, DEPUTY, role_grant(f, NURSE, DOCTOR, 0, 5));
    f->w.fake.wall_ms += 10;
    records(f, f->one, NURSE, ML_REASON_NONE);
    hear(&f->w, f->one);
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

/* A clock set back doesn't help whoever has heard that the end has passed: of two members, by a
 * référent or a coordinator. */
static void an_end_that_was_seen_has_passed(void **state)
{
    struct fixture *f = *state;
    const struct ml_govop check = {.type = ML_GOVOP_CHECKPOINT};
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    const uint64_t before = f->w.fake.wall_ms;
    f->w.fake.wall_ms = before + 60;
    give(f, f->one, CHIEF, check);
    f->w.fake.wall_ms = before;
    records(f, f->one, NURSE, ML_REASON_NONE); /* a single clock ends nothing */
    f->w.fake.wall_ms = before + 60;
    give(f, f->one, REFERENT, check);
    f->w.fake.wall_ms = before + 5;
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

/* Two clocks past the end, seen by who may say so. */
static void pass(struct fixture *f, struct ml_log *log, uint64_t ms)
{
    const struct ml_govop check = {.type = ML_GOVOP_CHECKPOINT};
    f->w.fake.wall_ms = ms;
    give(f, log, CHIEF, check);
    give(f, log, REFERENT, check);
}

/* Rules B15: what comes from before the end by its own clock, and nobody saw in time, isn't
 * believed: the clock may have been set back. */
static void the_end_of_a_role_is_a_departure(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    hear(&f->w, f->two);
    const struct made named = write(f, f->two, NURSE, ML_LANE_RECORD);
    (void)write(f, f->two, DEPUTY, ML_LANE_RECORD); /* who has heard of no end */
    const struct made alone = write(f, f->two, NURSE, ML_LANE_RECORD);
    pass(f, f->one, now + 60);
    hear(&f->w, f->one);
    ruled(f->one, &named, ML_REASON_NONE);
    ruled(f->one, &alone, ML_REASON_ROLE_ENDED);
    ruled(f->two, &alone, ML_REASON_NONE);
    hear(&f->w, f->two);
    ruled(f->two, &named, ML_REASON_NONE);
    ruled(f->two, &alone, ML_REASON_ROLE_ENDED);
}

static void who_has_seen_the_end_is_no_witness(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    struct ml_log *late = world_log(&f->w);
    hear(&f->w, late);
    hear(&f->w, f->two);
    const struct made alone = write(f, late, NURSE, ML_LANE_RECORD);
    pass(f, f->one, now + 60);
    hear(&f->w, f->one);
    (void)write(f, f->one, DEPUTY, ML_LANE_RECORD); /* names it, and knows */
    ruled(f->one, &alone, ML_REASON_ROLE_ENDED);
    f->w.fake.wall_ms = now;
    assert_int_equal(world_ingest(f->two, wire_of(f, &alone)).result, ML_LOG_STORED);
    const struct made word = write(f, f->two, REFERENT, ML_LANE_RECORD);
    assert_int_equal(world_ingest(f->one, wire_of(f, &word)).result, ML_LOG_STORED);
    ruled(f->one, &alone, ML_REASON_NONE); /* REFERENT's comes late, and hadn't seen the end */
    ml_log_close(late);
}

/* Who had seen that a role goes on doesn't lose by its first date. */
static void a_role_renewed_in_time_has_not_ended(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    hear(&f->w, f->two);
    const struct made m = write(f, f->two, NURSE, ML_LANE_RECORD);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 500));
    pass(f, f->one, now + 60);
    hear(&f->w, f->one);
    ruled(f->one, &m, ML_REASON_NONE);
    pass(f, f->one, now + 600);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 1000)); /* too late for that one */
    ruled(f->one, &m, ML_REASON_ROLE_ENDED);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

/* Architecture R6: a role that ends at nine, work offline until six: nothing is lost. */
static void a_role_ended_at_once_leaves_out_what_was_not_seen(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    set_well(f, CREATES, 0);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 0));
    hear(&f->w, f->two);
    const struct made morning = write(f, f->two, NURSE, ML_LANE_RECORD);
    f->w.fake.wall_ms = now + 10;
    struct ml_govop op = role_grant(f, NURSE, DOCTOR, 0, 0);
    op.u.role_grant.until_ms = now + 9;
    give(f, f->one, CHIEF, op);
    records(f, f->one, DEPUTY, ML_REASON_NONE);
    const struct made evening = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &evening, ML_REASON_NONE);
    hear(&f->w, f->one);
    ruled(f->one, &morning, ML_REASON_ROLE_ENDED);
    ruled(f->one, &evening, ML_REASON_ROLE_ENDED);
    f->w.fake.wall_ms = now + 5; /* whoever has seen it can't set his clock back */
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

static void a_substitute_has_the_roles_of_whom_he_replaces(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    struct ml_govop op = role_grant(f, NURSE, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[DEPUTY].member;
    const uint64_t until = op.u.role_grant.until_ms;
    give(f, f->one, CHIEF, op);
    records(f, f->one, NURSE, ML_REASON_NONE);
    op = role_grant(f, REFERENT, 0, 0, 100); /* not those whom that one replaces */
    op.u.role_grant.replaces = f->w.actors[NURSE].member;
    give(f, f->one, CHIEF, op);
    records(f, f->one, REFERENT, ML_REASON_NO_RIGHT);
    set_well(f, 0, CREATES);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT); /* what he may not, his substitute may not */
    const unsigned hand = DEPUTY;
    op = matrix(f, CREATES, 0);
    world_hands(&f->w, &op, &hand, 1, false);
    give(f, f->one, CHIEF, op);
    f->w.fake.wall_ms = until;
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED); /* by itself */
}

static void nobody_gives_himself_a_role(void **state)
{
    struct fixture *f = *state;
    const unsigned self = REFERENT;
    const unsigned other = DEPUTY;
    struct ml_govop op = role_grant(f, REFERENT, DOCTOR, 0, 0);
    assert_int_equal(say(f, f->one, REFERENT, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &self, 1, false);
    assert_int_equal(say(f, f->one, REFERENT, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &other, 1, false);
    assert_int_equal(say(f, f->one, REFERENT, &op).verdict, ML_VERDICT_ACCEPTED);
    op = role_grant(f, CHIEF, NURSING, 0, 0); /* nor his better, nor his equal */
    assert_int_equal(say(f, f->one, REFERENT, &op).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(say(f, f->one, DEPUTY, &op).reason, ML_REASON_NO_AUTHORITY);
    op = role_grant(f, REFERENT, NURSING, 0, 0);
    assert_int_equal(say(f, f->one, NURSE, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &other, 1, false);
    assert_int_equal(say(f, f->one, NURSE, &op).reason, ML_REASON_NO_AUTHORITY);
    give(f, f->one, REFERENT, role_grant(f, NURSE, DOCTOR, 0, 0));
}

/* Who may write is asked of all that was said about his roles, also by who had no right to. */
static void what_had_no_right_replaces_no_role(void **state)
{
    struct fixture *f = *state;
    set_well(f, 0, CREATES);
    give(f, f->one, CHIEF, role_grant(f, NURSE, NURSING, 0, 100));
    struct ml_govop op = role_grant(f, NURSE, NURSING, 0, 0);
    assert_int_equal(say(f, f->one, NURSE, &op).reason, ML_REASON_NO_AUTHORITY);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

static void a_dated_role_by_who_is_removed_falls(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[DEPUTY].member,
                                   .mode = ML_DENY_COMPROMISE,
                                   .cuts = world_heads(f->one, &f->w.actors[DEPUTY].member)};
    give(f, f->two, DEPUTY, role_grant(f, NURSE, DOCTOR, 0, 0));
    const struct made record = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &record, ML_REASON_NONE);
    world_hands(&f->w, &deny, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &deny).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->two);
    ruled(f->two, &record, ML_REASON_GRANT_FELL);
}

/* More for a role that one was given, or of whom one replaces, is more for oneself. */
static void nobody_gives_a_role_that_he_was_given_more(void **state)
{
    struct fixture *f = *state;
    set_well(f, 1, 1);
    struct ml_govop op = role_grant(f, DEPUTY, NURSING, 0, 0);
    world_hands(&f->w, &op, NULL, 0, true);
    give(f, f->one, CHIEF, op);
    assert_int_equal(set(f, f->one, DEPUTY, 1, CREATES).reason, ML_REASON_NO_AUTHORITY);
    op = role_grant(f, CHIEF, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[NURSE].member;
    world_hands(&f->w, &op, NULL, 0, true);
    give(f, f->one, DEPUTY, op);
    assert_int_equal(set(f, f->one, CHIEF, 1, CREATES).reason, ML_REASON_NO_AUTHORITY);
}

/* ---- why ---- */

static void each_fact_is_told(void **state)
{
    struct fixture *f = *state;
    struct told t;
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_NO_MATRIX], 1);
    assert_int_equal(t.steps[ML_STEP_MEMBER], 1);
    set_well(f, CREATES, 1);
    const struct made set_by = f->w.made[f->w.made_count - 1];
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_OWN);
    assert_int_equal(t.steps[ML_STEP_MATRIX], 1);
    assert_int_equal(t.steps[ML_STEP_NO_MATRIX], 0);
    assert_int_equal(t.steps[ML_STEP_ALLOWS], 1);
    assert_int_equal(t.steps[ML_STEP_OWN], 1);
    assert_true(ml_dep_compare(&t.last, &set_by.id) != 0); /* how he was taken in */
    struct ml_govop op = role_grant(f, NURSE, DOCTOR, 0, 10);
    op.u.role_grant.supervisor = f->w.actors[CHIEF].member;
    give(f, f->one, CHIEF, op);
    const struct made given = f->w.made[f->w.made_count - 1];
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_GIVEN], 1);
    assert_int_equal(t.steps[ML_STEP_MEMBER], 0);
    assert_int_equal(t.steps[ML_STEP_COSIGN], 1);
    assert_int_equal(ml_dep_compare(&t.last, &given.id), 0);
    f->w.fake.wall_ms += 10;
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_ENDED], 1);
    assert_int_equal(t.steps[ML_STEP_COSIGN], 0);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 10, 20));
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_NOT_YET], 1);
    assert_int_equal(t.steps[ML_STEP_ENDED], 0); /* that one was replaced */
}

static void a_substitute_is_told_by_whom_he_replaces(void **state)
{
    struct fixture *f = *state;
    struct told t;
    set_well(f, CREATES | ML_CELL_COSIGN, 0);
    struct ml_govop op = role_grant(f, NURSE, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[DEPUTY].member;
    give(f, f->one, CHIEF, op);
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_REPLACES], 1);
    assert_int_equal(t.steps[ML_STEP_MEMBER], 1); /* that one's */
    assert_int_equal(t.steps[ML_STEP_COSIGN], 1);
    assert_int_equal(explain(f, f->one, REFERENT, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_DENIES], 1);
    f->w.fake.wall_ms += 100;
    op = role_grant(f, NURSE, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[DEPUTY].member;
    give(f, f->one, CHIEF, op);
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_ENDED], 0); /* the one before was replaced */
}

static void who_is_denied_is_told_by_which_act(void **state)
{
    struct fixture *f = *state;
    struct told t;
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[NURSE].member,
                                   .mode = ML_DENY_DEPARTURE,
                                   .cuts = world_heads(f->one, &f->w.actors[NURSE].member)};
    give(f, f->one, CHIEF, deny);
    const struct made denial = f->w.made[f->w.made_count - 1];
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_DENIED], 1);
    assert_int_equal(t.steps[ML_STEP_NOT_MEMBER], 1);
    assert_int_equal(ml_dep_compare(&t.last, &denial.id), 0);
    assert_int_equal(explain(f, f->one, 7, &t), ML_SCOPE_NONE); /* a stranger */
    assert_int_equal(t.steps[ML_STEP_DENIED], 0);
    assert_int_equal(t.steps[ML_STEP_NOT_MEMBER], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_matrix_members_write_all),
        TEST(what_a_role_may_not_write_does_not_count),
        TEST(to_read_is_not_to_write),
        TEST(a_bundle_is_judged_by_the_matrix_that_it_saw),
        TEST(what_had_no_right_may_be_adopted),
        TEST(a_new_role_counts_from_where_it_was_seen),
        TEST(of_two_roles_both_must_allow),
        TEST(only_a_coordinator_sets_it),
        TEST(a_table_that_is_none_is_refused),
        TEST(nobody_gives_his_own_role_more),
        TEST(of_concurrent_ones_the_stricter_cell_stands),
        TEST(the_matrix_of_who_is_removed_falls),
        TEST(the_role_of_who_is_removed_falls),
        TEST(a_dated_role_begins_and_ends),
        TEST(its_bounds_are_exact),
        TEST(given_roles_take_the_place_of_the_first),
        TEST(of_concurrent_dates_both_must_hold),
        TEST(an_end_that_was_seen_has_passed),
        TEST(the_end_of_a_role_is_a_departure),
        TEST(who_has_seen_the_end_is_no_witness),
        TEST(a_role_renewed_in_time_has_not_ended),
        TEST(a_role_ended_at_once_leaves_out_what_was_not_seen),
        TEST(a_substitute_has_the_roles_of_whom_he_replaces),
        TEST(nobody_gives_himself_a_role),
        TEST(a_dated_role_by_who_is_removed_falls),
        TEST(what_had_no_right_replaces_no_role),
        TEST(nobody_gives_a_role_that_he_was_given_more),
        TEST(each_fact_is_told),
        TEST(a_substitute_is_told_by_whom_he_replaces),
        TEST(who_is_denied_is_told_by_which_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
