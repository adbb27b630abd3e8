/* tests/unit/core_store/support_matrix.h -- two logs of a structure of four, whose roles a matrix
 * allows this or that. Records are of one class here: alerts, in the compartment `vital`. */
#ifndef ML_TESTS_SUPPORT_MATRIX_H
#define ML_TESTS_SUPPORT_MATRIX_H

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

static inline void hear(struct world *w, struct ml_log *log)
{
    for (size_t i = 0; i < w->made_count; i++) {
        assert_int_not_equal(world_ingest(log, w->made[i].wire).result, ML_LOG_REFUSED);
    }
}

static inline struct ml_log_outcome say(struct fixture *f, struct ml_log *log, unsigned by,
                                        struct ml_govop *op)
{
    struct ml_slice bytes = world_op(&f->w, op, NULL);
    const struct draft d = {.by = &f->w.actors[by], .ops = &bytes, .op_count = 1};
    return world_ingest(log, world_build(&f->w, log, &d));
}

static inline void grant(struct fixture *f, unsigned i, uint8_t rank, uint16_t role)
{
    const struct actor *a = &f->w.actors[i];
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD,
                          .u.member_add = {.member = a->member, .rank = rank, .role = role}};
    if (rank == ML_RANK_COORDINATOR) {
        world_hands(&f->w, &op, NULL, 0, true);
    }
    assert_int_equal(say(f, f->one, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
}

static inline void admit(struct fixture *f, unsigned i, uint8_t rank, uint16_t role)
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

static inline int setup(void **state)
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

static inline void no_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

/* All hear of all, one more log backwards: the state is the same, and verify finds it. */
static inline int teardown(void **state)
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
static inline struct ml_govop matrix(struct fixture *f, uint16_t doctor, uint16_t nurse)
{
    struct ml_matrix m = {.version = 1, .count = 2, .roles = {DOCTOR, NURSING}};
    m.cells[0][ML_CLASS_ALERTS] = doctor;
    m.cells[1][ML_CLASS_ALERTS] = nurse;
    return world_matrix(&f->w, &m);
}

static inline struct ml_log_outcome set(struct fixture *f, struct ml_log *log, unsigned by,
                                        uint16_t doctor, uint16_t nurse)
{
    struct ml_govop op = matrix(f, doctor, nurse);
    return say(f, log, by, &op);
}

static inline void set_well(struct fixture *f, uint16_t doctor, uint16_t nurse)
{
    assert_int_equal(set(f, f->one, CHIEF, doctor, nurse).verdict, ML_VERDICT_ACCEPTED);
}

static inline struct made write(struct fixture *f, struct ml_log *log, unsigned by, uint8_t lane)
{
    const struct ml_slice op = world_sealed(lane);
    const struct draft d = {.by = &f->w.actors[by], .lane = lane, .ops = &op, .op_count = 1};
    assert_int_equal(world_ingest(log, world_build(&f->w, log, &d)).result, ML_LOG_STORED);
    return f->w.made[f->w.made_count - 1];
}

static inline struct ml_slice wire_of(const struct fixture *f, const struct made *m)
{
    size_t i = 0;
    while (ml_dep_compare(&f->w.made[i].id, &m->id) != 0) {
        i++;
    }
    return f->w.made[i].wire;
}

static inline void ruled(struct ml_log *log, const struct made *m, ml_reason reason)
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

static inline void take_step(void *user, const struct ml_step *step)
{
    struct told *t = user;
    t->steps[step->kind]++;
    if (step->fact != NULL) {
        t->last = step->fact->at;
    }
    assert_string_not_equal(ml_step_name(step->kind), "?");
}

static inline ml_scope explain(struct fixture *f, struct ml_log *log, unsigned who,
                               struct told *told)
{
    const struct ml_right_question q = {.member = f->w.actors[who].member,
                                        .class = ML_CLASS_ALERTS,
                                        .right = ML_RIGHT_CREATE,
                                        .ms = f->w.fake.wall_ms};
    memset(told, 0, sizeof(*told));
    return ml_right_explain(ml_log_gov(log), &q, take_step, told);
}

/* What is told is what is done: whoever writes here has seen what the log has. */
static inline void records(struct fixture *f, struct ml_log *log, unsigned by, ml_reason reason)
{
    struct told told;
    const bool may = explain(f, log, by, &told) != ML_SCOPE_NONE;
    assert_int_equal(may, reason == ML_REASON_NONE);
    const struct made m = write(f, log, by, ML_LANE_RECORD);
    ruled(log, &m, reason);
}

static inline struct ml_govop role_grant(const struct fixture *f, unsigned i, uint16_t role,
                                         int64_t from, int64_t until)
{
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT};
    op.u.role_grant.member = f->w.actors[i].member;
    op.u.role_grant.role = role;
    op.u.role_grant.from_ms = from == 0 ? 0 : f->w.fake.wall_ms + (uint64_t)from;
    op.u.role_grant.until_ms = until == 0 ? 0 : f->w.fake.wall_ms + (uint64_t)until;
    return op;
}

static inline void give(struct fixture *f, struct ml_log *log, unsigned by, struct ml_govop op)
{
    assert_int_equal(say(f, log, by, &op).verdict, ML_VERDICT_ACCEPTED);
}

#endif
