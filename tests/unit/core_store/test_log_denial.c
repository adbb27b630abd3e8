/* test_log_denial.c -- revocations among stored bundles (architecture 7, docs/governance.md): what
 * is cut, what a witness excuses, what comes late, and what is judged anew for it.
 *
 * Three logs stand for three nodes: the coordinator's, the laptop of who is denied, a colleague's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/key_id.h"
#include "core/crypto/sign.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

enum { CHIEF, NURSE, COLLEAGUE, REFERENT, OTHER }; /* actors */

#define DISK   "denial-disk" /* in memory: hundreds of commits a test */
#define SEALED "denial-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *chief;
    struct ml_log *laptop;
    struct ml_log *colleague;
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

/* Takes a person in with a rank; `root`: Root makes a coordinator. */
static void admit(struct fixture *f, unsigned i, uint8_t rank)
{
    const struct actor *a = &f->w.actors[i];
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD,
                          .u.member_add = {.member = a->member, .rank = rank, .role = 60}};
    if (rank == ML_RANK_COORDINATOR) {
        world_hands(&f->w, &op, NULL, 0, true);
    }
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    op = (struct ml_govop){
        .type = ML_GOVOP_NODE_ENROL,
        .u.node_enrol = {.member = a->member, .node = a->node, .mon_sign = a->mon_pk}};
    memcpy(op.u.node_enrol.noise.b, a->mon_pk.b, sizeof(op.u.node_enrol.noise.b));
    if (rank == ML_RANK_COORDINATOR) {
        world_hands(&f->w, &op, NULL, 0, true);
    }
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    struct ml_slice bytes = world_opening(&f->w, a);
    (void)world_append(&f->w, f->chief, &(struct draft){.by = a, .ops = &bytes, .op_count = 1});
}

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 77);
    f.disk = fault_disk_new(DISK, 77);
    assert_non_null(f.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f.w.vfs = SEALED;
    world_found(&f.w);
    f.chief = world_log(&f.w);
    f.laptop = world_log(&f.w);
    f.colleague = world_log(&f.w);
    assert_int_equal(world_ingest(f.chief, f.w.made[0].wire).result, ML_LOG_STORED);
    admit(&f, NURSE, 3);
    admit(&f, COLLEAGUE, 3);
    admit(&f, REFERENT, 2);
    (void)world_record(&f.w, f.chief, NURSE, 1);
    (void)world_record(&f.w, f.chief, COLLEAGUE, 1);
    hear(&f.w, f.laptop);
    hear(&f.w, f.colleague);
    *state = &f;
    return 0;
}

static void no_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

/* All hear of all, in their own order; one more log hears of it backwards. What follows from the
 * bundles alone is the same. */
static void assert_all_agree(struct fixture *f)
{
    struct ml_log *backwards = world_log(&f->w);
    for (size_t i = f->w.made_count; i > 0; i--) {
        assert_int_not_equal(world_ingest(backwards, f->w.made[i - 1].wire).result, ML_LOG_REFUSED);
    }
    struct ml_log *logs[] = {f->chief, f->laptop, f->colleague, backwards};
    struct ml_log_counts first;
    struct ml_log_counts counts;
    for (size_t i = 0; i < 4; i++) {
        hear(&f->w, logs[i]);
        assert_int_equal(ml_log_verify(logs[i], no_problem, NULL), ML_OK);
        assert_int_equal(ml_log_counts(logs[i], i == 0 ? &first : &counts), ML_OK);
        assert_true(world_same_state(logs[0], logs[i]));
        if (i > 0) {
            assert_memory_equal(&first, &counts, sizeof(first));
        }
    }
    ml_log_close(backwards);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_all_agree(f);
    ml_log_close(f->chief);
    ml_log_close(f->laptop);
    ml_log_close(f->colleague);
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    return world_free(&f->w);
}

/* The nurse, everywhere, up to what `log` holds. */
static struct ml_govop denial(struct fixture *f, struct ml_log *log, uint8_t mode)
{
    struct ml_govop op = {.type = ML_GOVOP_DENY};
    op.u.deny.member = f->w.actors[NURSE].member;
    op.u.deny.mode = mode;
    op.u.deny.cuts = world_heads(log, &f->w.actors[NURSE].member);
    if (mode == ML_DENY_SUSPENSION) {
        op.u.deny.until_ms = f->w.fake.wall_ms + 3600000u;
    }
    return op;
}

static struct ml_log_outcome deny(struct fixture *f, uint8_t mode)
{
    struct ml_govop op = denial(f, f->chief, mode);
    struct ml_log_outcome o = say(f, f->chief, CHIEF, &op);
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
    return o;
}

static struct made last_made(const struct fixture *f)
{
    return f->w.made[f->w.made_count - 1];
}

static void assert_ruled(struct ml_log *log, const struct ml_dep *id, ml_reason reason)
{
    struct ml_ruling r = world_ruling(log, id);
    const bool counts = reason == ML_REASON_NONE || reason == ML_REASON_ADOPTED;
    assert_int_equal(r.reason, reason);
    assert_int_equal(r.verdict, counts ? ML_VERDICT_ACCEPTED : ML_VERDICT_QUARANTINED);
}

/* A record of somebody who may have no right to it. */
static struct made write(struct fixture *f, struct ml_log *log, unsigned by, uint8_t lane)
{
    const struct ml_slice op = world_sealed(lane);
    const struct draft d = {.by = &f->w.actors[by], .lane = lane, .ops = &op, .op_count = 1};
    assert_int_equal(world_ingest(log, world_build(&f->w, log, &d)).result, ML_LOG_STORED);
    return last_made(f);
}

/* ---- compromise ---- */

static void a_stolen_laptop_writes_no_more(void **state)
{
    struct fixture *f = *state;
    const struct made before = f->w.made[f->w.made_count - 2]; /* the nurse's first record */
    struct ml_log_outcome denied = deny(f, ML_DENY_COMPROMISE);
    const struct made act = last_made(f);
    assert_int_equal(denied.looked_at, 0); /* nothing here lies beyond */
    const struct made stolen = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    const struct made key = write(f, f->laptop, NURSE, ML_LANE_KEYS);
    /* Cited by one who doesn't know, it stays out all the same. */
    assert_int_equal(world_ingest(f->colleague, stolen.wire).verdict, ML_VERDICT_ACCEPTED);
    (void)world_record(&f->w, f->colleague, COLLEAGUE, 1);
    assert_int_equal(world_ingest(f->chief, stolen.wire).reason, ML_REASON_REVOKED);
    assert_int_equal(world_ingest(f->chief, key.wire).reason, ML_REASON_REVOKED);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &stolen.id, ML_REASON_REVOKED);
    assert_ruled(f->chief, &before.id, ML_REASON_NONE);
    /* What it writes knowing of it has no right of its own. */
    const uint64_t epoch = ml_log_epoch(f->laptop);
    struct ml_log_outcome late = world_ingest(f->laptop, act.wire);
    assert_int_equal(late.looked_at, 2);
    assert_int_equal(late.changed, 2);
    assert_true(ml_log_epoch(f->laptop) != epoch);
    const struct made after = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    assert_ruled(f->laptop, &after.id, ML_REASON_NOT_ENROLLED);
    assert_ruled(f->laptop, &before.id, ML_REASON_NONE);
}

static void an_idle_lane_is_no_way_back(void **state)
{
    struct fixture *f = *state;
    (void)deny(f, ML_DENY_COMPROMISE);
    hear(&f->w, f->colleague);
    const struct made idle = write(f, f->laptop, NURSE, ML_LANE_BLOB); /* its first there */
    assert_int_equal(world_ingest(f->colleague, idle.wire).reason, ML_REASON_REVOKED);
    assert_int_equal(world_ingest(f->chief, idle.wire).reason, ML_REASON_REVOKED);
}

/* His own bundles up to the cut say that they were there: who leaves them out forked. */
static void a_history_without_its_middle_is_a_fork(void **state)
{
    struct fixture *f = *state;
    struct ml_log *image = world_log(&f->w);
    hear(&f->w, image);
    const struct made real = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->chief);
    (void)deny(f, ML_DENY_COMPROMISE);
    const struct made forged = write(f, image, NURSE, ML_LANE_KEYS);
    assert_int_equal(world_ingest(f->chief, forged.wire).reason, ML_REASON_FORK);
    assert_ruled(f->chief, &real.id, ML_REASON_FORK); /* kept, and adopted by who knows him */
    ml_log_close(image);
}

static void only_rows_beyond_the_cut_are_looked_at(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 20; i++) {
        (void)world_record(&f->w, f->laptop, NURSE, 1);
        (void)world_record(&f->w, f->colleague, COLLEAGUE, 1);
    }
    hear(&f->w, f->chief);
    struct ml_govop op = denial(f, f->chief, ML_DENY_COMPROMISE);
    for (unsigned i = 0; i < 3; i++) {
        (void)world_record(&f->w, f->laptop, NURSE, 1);
    }
    hear(&f->w, f->chief); /* after the cut was taken */
    struct ml_log_outcome o = say(f, f->chief, CHIEF, &op);
    assert_int_equal(o.looked_at, 3);
    assert_int_equal(o.changed, 3);
    assert_int_equal(ml_log_judged_again(f->chief).judged, 3);
    assert_int_equal(ml_log_judged_again(f->chief).changed, 3);
}

/* ---- departure ---- */

static void a_witness_excuses_what_it_cited_in_time(void **state)
{
    struct fixture *f = *state;
    const struct made seen = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    const struct made witness = write(f, f->colleague, COLLEAGUE, ML_LANE_RECORD);
    const struct made unseen = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    (void)deny(f, ML_DENY_DEPARTURE);
    const struct made act = last_made(f);
    /* At the chief's: first the entries, then who vouches for one. */
    assert_int_equal(world_ingest(f->chief, seen.wire).reason, ML_REASON_DEPARTED);
    assert_int_equal(world_ingest(f->chief, unseen.wire).reason, ML_REASON_DEPARTED);
    struct ml_log_outcome o = world_ingest(f->chief, witness.wire);
    assert_int_equal(o.changed, 1);
    assert_ruled(f->chief, &seen.id, ML_REASON_NONE);
    assert_ruled(f->chief, &unseen.id, ML_REASON_DEPARTED);
    /* At the laptop: all is there, and the revocation comes last. */
    hear(&f->w, f->laptop);
    assert_ruled(f->laptop, &seen.id, ML_REASON_NONE);
    assert_ruled(f->laptop, &unseen.id, ML_REASON_DEPARTED);
    /* Who cites it knowing better is no witness. */
    assert_int_equal(world_ingest(f->colleague, act.wire).verdict, ML_VERDICT_ACCEPTED);
    (void)world_ingest(f->colleague, unseen.wire);
    (void)write(f, f->colleague, COLLEAGUE, ML_LANE_RECORD);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &unseen.id, ML_REASON_DEPARTED);
}

static void who_is_denied_is_no_witness(void **state)
{
    struct fixture *f = *state;
    const struct made seen = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    (void)write(f, f->colleague, COLLEAGUE, ML_LANE_RECORD);
    (void)deny(f, ML_DENY_DEPARTURE);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &seen.id, ML_REASON_NONE);
    struct ml_govop op = denial(f, f->chief, ML_DENY_COMPROMISE);
    op.u.deny.member = f->w.actors[COLLEAGUE].member;
    op.u.deny.cuts = world_heads(f->chief, &f->w.actors[COLLEAGUE].member);
    struct ml_log_outcome o = say(f, f->chief, CHIEF, &op); /* whose citation lies within the cut */
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(o.changed, 1);
    assert_ruled(f->chief, &seen.id, ML_REASON_DEPARTED);
}

static void a_forked_witness_is_heard_up_to_its_fork(void **state)
{
    struct fixture *f = *state;
    struct ml_log *image = world_log(&f->w);
    hear(&f->w, image);
    const struct made first = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    hear(&f->w, image);
    (void)world_record(&f->w, f->colleague, COLLEAGUE, 1);
    (void)world_ingest(image, last_made(f).wire);
    const struct made second = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    const struct made beyond = write(f, f->colleague, COLLEAGUE, ML_LANE_RECORD);
    (void)deny(f, ML_DENY_DEPARTURE);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &second.id, ML_REASON_NONE);
    const struct made other = write(f, image, COLLEAGUE, ML_LANE_RECORD);
    assert_int_equal(world_ingest(f->chief, other.wire).reason, ML_REASON_FORK);
    assert_ruled(f->chief, &beyond.id, ML_REASON_FORK);
    assert_ruled(f->chief, &second.id, ML_REASON_DEPARTED);
    assert_ruled(f->chief, &first.id, ML_REASON_NONE);
    ml_log_close(image);
}

static void a_seal_ends_what_witnesses_may_say(void **state)
{
    struct fixture *f = *state;
    const struct made seen = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    const struct made witness = write(f, f->colleague, COLLEAGUE, ML_LANE_RECORD);
    (void)deny(f, ML_DENY_DEPARTURE);
    struct ml_govop op = {.type = ML_GOVOP_CHECKPOINT};
    op.u.checkpoint.heads = world_heads(f->chief, NULL);
    const struct ml_log_outcome sealed = say(f, f->chief, CHIEF, &op);
    assert_int_equal(sealed.verdict, ML_VERDICT_ACCEPTED);
    (void)world_ingest(f->chief, seen.wire);
    (void)world_ingest(f->chief, witness.wire);
    assert_ruled(f->chief, &seen.id, ML_REASON_DEPARTED);
    /* Where the witness came first, the seal takes it back. */
    hear(&f->w, f->laptop);
    assert_ruled(f->laptop, &seen.id, ML_REASON_DEPARTED);
}

/* ---- suspension ---- */

static void a_suspension_ends_by_itself(void **state)
{
    struct fixture *f = *state;
    (void)deny(f, ML_DENY_SUSPENSION);
    hear(&f->w, f->laptop);
    const struct made during = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    assert_ruled(f->laptop, &during.id, ML_REASON_NOT_ENROLLED);
    f->w.fake.wall_ms += UINT64_C(7200000);
    struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD, .u.team_add = {.team = {{1}}}};
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->laptop);
    const struct made early = write(f, f->laptop, NURSE, ML_LANE_RECORD); /* one clock is none */
    assert_ruled(f->laptop, &early.id, ML_REASON_NOT_ENROLLED);
    op = (struct ml_govop){.type = ML_GOVOP_CHECKPOINT};
    op.u.checkpoint.heads = world_heads(f->chief, NULL);
    assert_int_equal(say(f, f->chief, REFERENT, &op).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->laptop);
    const struct made after = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    assert_ruled(f->laptop, &after.id, ML_REASON_NONE);
    assert_ruled(f->laptop, &during.id, ML_REASON_NOT_ENROLLED);
}

/* ---- who may ---- */

static void two_coordinators_who_revoke_each_other_are_both_out(void **state)
{
    struct fixture *f = *state;
    admit(f, OTHER, ML_RANK_COORDINATOR);
    hear(&f->w, f->colleague);
    struct ml_govop op = denial(f, f->chief, ML_DENY_COMPROMISE);
    const unsigned second[] = {REFERENT};
    op.u.deny.member = f->w.actors[OTHER].member;
    op.u.deny.cuts = world_heads(f->chief, &f->w.actors[OTHER].member);
    world_hands(&f->w, &op, second, 1, false);
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    op.u.deny.member = f->w.actors[CHIEF].member;
    op.u.deny.cuts = world_heads(f->colleague, &f->w.actors[CHIEF].member);
    world_hands(&f->w, &op, second, 1, false);
    assert_int_equal(say(f, f->colleague, OTHER, &op).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->chief);
    hear(&f->w, f->colleague);
    const struct ml_gov *gov = ml_log_gov(f->chief);
    assert_null(ml_gov_member(gov, &f->w.actors[CHIEF].member));
    assert_null(ml_gov_member(gov, &f->w.actors[OTHER].member));
    assert_non_null(ml_gov_member(gov, &f->w.actors[NURSE].member));    /* grants of old stay */
    const struct ml_fact *one = ml_gov_next(gov, ML_FACT_DENIAL, NULL); /* who did it is told */
    assert_non_null(one);
    assert_non_null(ml_gov_next(gov, ML_FACT_DENIAL, one));
    const struct made late = write(f, f->chief, CHIEF, ML_LANE_RECORD);
    assert_ruled(f->chief, &late.id, ML_REASON_NOT_ENROLLED);
}

static void nobody_revokes_his_equal_or_better_alone(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = denial(f, f->chief, ML_DENY_COMPROMISE);
    op.u.deny.member = f->w.actors[CHIEF].member;
    struct ml_log_outcome o = say(f, f->chief, REFERENT, &op);
    assert_int_equal(o.reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(o.looked_at, 0);
    op = denial(f, f->chief, ML_DENY_COMPROMISE);
    assert_int_equal(say(f, f->chief, COLLEAGUE, &op).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(say(f, f->chief, REFERENT, &op).verdict, ML_VERDICT_ACCEPTED);
}

/* Rules B14: never below a checkpointed frontier, whoever signs. */
static void no_cut_goes_below_a_checkpoint(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = {.type = ML_GOVOP_CHECKPOINT};
    const struct made held = f->w.made[f->w.made_count - 2];
    op.u.checkpoint.heads = world_heads(f->chief, NULL);
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->laptop);
    const struct made fresh = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->chief);
    op = denial(f, f->chief, ML_DENY_COMPROMISE);
    op.u.deny.cuts = (struct ml_list){.count = 0};
    struct ml_log_outcome o = say(f, f->chief, CHIEF, &op);
    assert_int_equal(o.changed, 1);
    assert_ruled(f->chief, &held.id, ML_REASON_NONE);
    assert_ruled(f->chief, &fresh.id, ML_REASON_REVOKED);
    const unsigned second[] = {REFERENT};
    world_hands(&f->w, &op, second, 1, false);
    o = say(f, f->chief, CHIEF, &op);
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
    assert_ruled(f->chief, &held.id, ML_REASON_NONE);
    world_hands(&f->w, &op, NULL, 0, true);
    o = say(f, f->chief, CHIEF, &op);
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
    assert_ruled(f->chief, &held.id, ML_REASON_NONE);
}

/* At the colleague's, which hasn't heard of anything: the référent takes in a friend. Then, at the
 * chief's, he is denied with a cut before that. Returns the friend's membership. */
static struct ml_dep admit_friend(struct fixture *f)
{
    const struct actor *friend = &f->w.actors[OTHER];
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD,
                          .u.member_add = {.member = friend->member, .rank = 3, .role = 60}};
    const struct ml_log_outcome added = say(f, f->colleague, REFERENT, &op);
    assert_int_equal(added.verdict, ML_VERDICT_ACCEPTED);
    op = (struct ml_govop){.type = ML_GOVOP_NODE_ENROL,
                           .u.node_enrol = {.member = friend->member,
                                            .node = friend->node,
                                            .mon_sign = friend->mon_pk}};
    assert_int_equal(say(f, f->colleague, REFERENT, &op).verdict, ML_VERDICT_ACCEPTED);
    struct ml_slice bytes = world_opening(&f->w, friend);
    (void)world_append(&f->w, f->colleague,
                       &(struct draft){.by = friend, .ops = &bytes, .op_count = 1});
    return added.id;
}

static void deny_referent(struct fixture *f)
{
    struct ml_govop op = denial(f, f->chief, ML_DENY_COMPROMISE);
    op.u.deny.member = f->w.actors[REFERENT].member;
    op.u.deny.cuts = world_heads(f->chief, &f->w.actors[REFERENT].member);
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
}

/* Who was removed while he took somebody in took nobody in. */
static void a_grant_by_who_is_removed_falls(void **state)
{
    struct fixture *f = *state;
    const struct ml_dep added = admit_friend(f);
    const struct made record = write(f, f->colleague, OTHER, ML_LANE_RECORD);
    assert_ruled(f->colleague, &record.id, ML_REASON_NONE);
    deny_referent(f);
    hear(&f->w, f->colleague);
    hear(&f->w, f->chief);
    assert_ruled(f->colleague, &added, ML_REASON_REVOKED);
    assert_ruled(f->colleague, &record.id, ML_REASON_GRANT_FELL);
    assert_ruled(f->chief, &record.id, ML_REASON_GRANT_FELL);
}

/* And what he vouched for is vouched for by nobody. */
static void a_witness_who_falls_takes_his_word_back(void **state)
{
    struct fixture *f = *state;
    const struct made seen = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    (void)admit_friend(f);
    (void)write(f, f->colleague, OTHER, ML_LANE_RECORD);
    (void)deny(f, ML_DENY_DEPARTURE);
    (void)world_ingest(f->colleague, last_made(f).wire);
    assert_ruled(f->colleague, &seen.id, ML_REASON_NONE);
    deny_referent(f);
    const struct ml_log_outcome o = world_ingest(f->colleague, last_made(f).wire);
    assert_true(o.changed > 0);
    assert_ruled(f->colleague, &seen.id, ML_REASON_DEPARTED);
}

/* ---- adoption ---- */

static struct ml_log_outcome judge(struct fixture *f, struct ml_log *log, unsigned by,
                                   const struct ml_dep *id, bool reject)
{
    struct ml_log_entry e;
    struct ml_govop op = {.type = ML_GOVOP_JUDGE};
    assert_int_equal(ml_log_get(log, &id->hash, &e), ML_OK);
    op.u.judge.bundle = e.hash;
    op.u.judge.reject = reject;
    return say(f, log, by, &op);
}

static struct made revoked_record(struct fixture *f)
{
    (void)deny(f, ML_DENY_COMPROMISE);
    const struct made record = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &record.id, ML_REASON_REVOKED);
    return record;
}

static void what_is_left_out_can_be_adopted(void **state)
{
    struct fixture *f = *state;
    const struct made record = revoked_record(f);
    const uint64_t epoch = ml_log_epoch(f->chief);
    struct ml_log_outcome o = judge(f, f->chief, REFERENT, &record.id, false);
    assert_int_equal(o.looked_at, 1);
    assert_int_equal(o.changed, 1);
    assert_true(ml_log_epoch(f->chief) != epoch);
    assert_ruled(f->chief, &record.id, ML_REASON_ADOPTED);
    /* Where the judgement comes before what it is about. */
    for (size_t i = 0; i < f->w.made_count; i++) {
        if (memcmp(&f->w.made[i].id.hash, &record.id.hash, sizeof(record.id.hash)) != 0) {
            (void)world_ingest(f->colleague, f->w.made[i].wire);
        }
    }
    o = world_ingest(f->colleague, record.wire);
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(o.reason, ML_REASON_ADOPTED);
}

static void not_by_its_author_nor_by_who_has_no_rank(void **state)
{
    struct fixture *f = *state;
    const struct made record = revoked_record(f);
    struct ml_log_outcome o = judge(f, f->chief, COLLEAGUE, &record.id, false);
    assert_int_equal(o.changed, 0);
    assert_ruled(f->chief, &record.id, ML_REASON_REVOKED);
    struct ml_govop op = denial(f, f->chief, ML_DENY_COMPROMISE);
    op.u.deny.member = f->w.actors[REFERENT].member;
    op.u.deny.cuts = world_heads(f->chief, &f->w.actors[REFERENT].member);
    const struct made own = write(f, f->colleague, REFERENT, ML_LANE_RECORD);
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    (void)judge(f, f->colleague, REFERENT, &own.id, false);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &own.id, ML_REASON_REVOKED);
}

/* Not even when he may write again. */
static void who_is_back_adopts_nothing_of_his_own(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = denial(f, f->chief, ML_DENY_SUSPENSION);
    op.u.deny.member = f->w.actors[REFERENT].member;
    op.u.deny.cuts = world_heads(f->chief, &f->w.actors[REFERENT].member);
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    const struct made own = write(f, f->laptop, REFERENT, ML_LANE_RECORD);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &own.id, ML_REASON_SUSPENDED);
    f->w.fake.wall_ms += UINT64_C(7200000);
    op = (struct ml_govop){.type = ML_GOVOP_CARD_SET, .u.card_set = {.kind = ML_CARD_MEMBER}};
    op.u.card_set.card.ct = ml_slice_str("a card, sealed or so it seems");
    memcpy(op.u.card_set.id, f->w.actors[COLLEAGUE].member.b, sizeof(op.u.card_set.id));
    assert_int_equal(say(f, f->chief, COLLEAGUE, &op).verdict, ML_VERDICT_ACCEPTED);
    op = (struct ml_govop){.type = ML_GOVOP_TEAM_ADD, .u.team_add = {.team = {{1}}}};
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    const struct ml_log_outcome o = judge(f, f->chief, REFERENT, &own.id, false);
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED); /* he is back */
    assert_ruled(f->chief, &own.id, ML_REASON_SUSPENDED);
    (void)judge(f, f->chief, CHIEF, &own.id, false);
    assert_ruled(f->chief, &own.id, ML_REASON_ADOPTED);
}

/* Both branches stay, and who forked, on whatever machine it was, takes them in himself. */
static void a_member_adopts_the_branches_of_his_own_fork(void **state)
{
    struct fixture *f = *state;
    struct actor *nurse = &f->w.actors[NURSE];
    struct ml_log *image = world_log(&f->w);
    hear(&f->w, image);
    const struct made one = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    const struct made two = write(f, image, NURSE, ML_LANE_KEYS);
    hear(&f->w, f->chief);
    assert_ruled(f->chief, &one.id, ML_REASON_FORK);
    assert_ruled(f->chief, &two.id, ML_REASON_FORK);
    ml_log_close(image);
    /* His new writer names the heads of the one before, up to where it parted. */
    const struct actor before = *nurse;
    struct ml_dep opening = {.seq = 0};
    struct ml_log_entry e;
    for (uint64_t n = 0; ml_log_after(f->chief, n, 1u, &e) == ML_OK; n = e.n) {
        if (memcmp(&e.header.writer, &before.id, sizeof(before.id)) == 0) {
            opening = (struct ml_dep){
                .writer = before.id, .seq = e.header.seq, .hash = ml_hash16_of(&e.hash)};
        }
    }
    nurse->seed = NULL;
    assert_int_equal(ml_sign_keypair(&nurse->pk, &nurse->seed, &f->w.fake.env), ML_OK);
    nurse->id = ml_writer_id_of(&nurse->pk);
    struct ml_govop op = {.type = ML_GOVOP_WRITER_OPEN,
                          .u.writer_open = {.writer = nurse->pk,
                                            .member = nurse->member,
                                            .node = nurse->node,
                                            .heads = {.items = &opening, .count = 1}}};
    struct ml_slice bytes = world_op(&f->w, &op, nurse->mon);
    (void)world_append(&f->w, f->chief, &(struct draft){.by = nurse, .ops = &bytes, .op_count = 1});
    (void)judge(f, f->chief, NURSE, &one.id, false);
    (void)judge(f, f->chief, NURSE, &two.id, false);
    assert_ruled(f->chief, &one.id, ML_REASON_ADOPTED);
    assert_ruled(f->chief, &two.id, ML_REASON_ADOPTED);
    ml_secret_free(before.seed);
}

static void a_rejection_wins_unless_who_adopts_knew_it(void **state)
{
    struct fixture *f = *state;
    const struct made record = revoked_record(f);
    hear(&f->w, f->colleague);
    (void)judge(f, f->chief, CHIEF, &record.id, false);
    (void)judge(f, f->colleague, REFERENT, &record.id, true);
    hear(&f->w, f->chief);
    hear(&f->w, f->colleague); /* where the rejection came first */
    assert_ruled(f->chief, &record.id, ML_REASON_REVOKED);
    assert_ruled(f->colleague, &record.id, ML_REASON_REVOKED);
    (void)judge(f, f->chief, CHIEF, &record.id, false);
    assert_ruled(f->chief, &record.id, ML_REASON_ADOPTED);
    (void)judge(f, f->chief, CHIEF, &record.id, true);
    assert_ruled(f->chief, &record.id, ML_REASON_REVOKED);
}

static void an_adoption_by_who_had_no_right_falls(void **state)
{
    struct fixture *f = *state;
    const struct made record = revoked_record(f);
    hear(&f->w, f->colleague);
    (void)judge(f, f->colleague, REFERENT, &record.id, false);
    struct ml_govop op = denial(f, f->chief, ML_DENY_COMPROMISE);
    op.u.deny.member = f->w.actors[REFERENT].member;
    op.u.deny.cuts = world_heads(f->chief, &f->w.actors[REFERENT].member);
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    assert_ruled(f->colleague, &record.id, ML_REASON_ADOPTED);
    hear(&f->w, f->colleague);
    assert_ruled(f->colleague, &record.id, ML_REASON_REVOKED);
}

/* It counts by itself then: the same whichever came first. */
static void what_was_adopted_may_still_find_its_witness(void **state)
{
    struct fixture *f = *state;
    const struct made seen = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    const struct made witness = write(f, f->colleague, COLLEAGUE, ML_LANE_RECORD);
    (void)deny(f, ML_DENY_DEPARTURE);
    (void)world_ingest(f->chief, seen.wire);
    (void)judge(f, f->chief, CHIEF, &seen.id, false);
    assert_ruled(f->chief, &seen.id, ML_REASON_ADOPTED);
    assert_int_equal(world_ingest(f->chief, witness.wire).changed, 1);
    assert_ruled(f->chief, &seen.id, ML_REASON_NONE);
}

/* Also where nothing else of the chain is looked at: its writer isn't denied. */
static void an_adopted_branch_falls_with_who_adopted_it(void **state)
{
    struct fixture *f = *state;
    struct ml_log *image = world_log(&f->w);
    hear(&f->w, image);
    const struct made one = write(f, f->laptop, NURSE, ML_LANE_RECORD);
    (void)write(f, image, NURSE, ML_LANE_KEYS);
    ml_log_close(image);
    hear(&f->w, f->colleague);
    (void)judge(f, f->colleague, REFERENT, &one.id, false);
    assert_ruled(f->colleague, &one.id, ML_REASON_ADOPTED);
    deny_referent(f);
    hear(&f->w, f->colleague);
    assert_ruled(f->colleague, &one.id, ML_REASON_FORK);
}

static void single_ops_are_adopted_in_place(void **state)
{
    struct fixture *f = *state;
    const struct ml_slice two[] = {world_sealed(ML_LANE_RECORD), world_sealed(ML_LANE_RECORD)};
    (void)deny(f, ML_DENY_COMPROMISE);
    const struct draft d = {
        .by = &f->w.actors[NURSE], .lane = ML_LANE_RECORD, .ops = two, .op_count = 2};
    assert_int_equal(world_ingest(f->laptop, world_build(&f->w, f->laptop, &d)).result,
                     ML_LOG_STORED);
    const struct made record = last_made(f);
    hear(&f->w, f->chief);
    struct ml_log_entry e;
    assert_int_equal(ml_log_get(f->chief, &record.id.hash, &e), ML_OK);
    static const uint8_t second = 1;
    struct ml_govop op = {.type = ML_GOVOP_JUDGE};
    op.u.judge.bundle = e.hash;
    op.u.judge.ops = (struct ml_list){.items = &second, .count = 1};
    const uint64_t epoch = ml_log_epoch(f->chief);
    assert_int_equal(say(f, f->chief, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    assert_true(ml_log_epoch(f->chief) != epoch);
    assert_ruled(f->chief, &record.id, ML_REASON_REVOKED); /* the bundle as a whole */
    assert_int_equal(ml_log_get(f->chief, &record.id.hash, &e), ML_OK);
    assert_false(ml_log_op_counts(f->chief, &e, 0));
    assert_true(ml_log_op_counts(f->chief, &e, 1));
    static const uint8_t first = 0;
    op.u.judge.bundle = e.hash;
    op.u.judge.ops = (struct ml_list){.items = &first, .count = 1};
    (void)say(f, f->chief, CHIEF, &op);
    assert_ruled(f->chief, &record.id, ML_REASON_ADOPTED);
}

/* ---- failures ---- */

static void ignore(void *user, const struct ml_log_outcome *o)
{
    (void)user;
    (void)o;
}

static void a_revocation_that_fails_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    (void)write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->colleague);
    (void)write(f, f->colleague, COLLEAGUE, ML_LANE_RECORD);
    (void)write(f, f->laptop, NURSE, ML_LANE_RECORD);
    hear(&f->w, f->laptop);
    (void)deny(f, ML_DENY_DEPARTURE);
    const struct made act = last_made(f);
    struct ml_hash before;
    struct ml_hash after;
    struct ml_log_counts counts;
    assert_int_equal(ml_log_state_hash(f->laptop, &before), ML_OK);
    bool done = false;
    for (long nth = 1; !done; nth++) {
        f->w.fake.fail_alloc = nth;
        ml_err err = ml_log_ingest(f->laptop, &act.wire, 1, ignore, NULL);
        f->w.fake.fail_alloc = 0;
        assert_int_equal(ml_log_state_hash(f->laptop, &after), ML_OK);
        if (err != ML_OK) {
            assert_int_equal(err, ML_E_NOMEM);
            assert_memory_equal(&before, &after, sizeof(before));
        }
        done = err == ML_OK;
    }
    assert_int_equal(ml_log_counts(f->laptop, &counts), ML_OK);
    assert_int_equal(counts.quarantined, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_stolen_laptop_writes_no_more),
        TEST(an_idle_lane_is_no_way_back),
        TEST(a_history_without_its_middle_is_a_fork),
        TEST(only_rows_beyond_the_cut_are_looked_at),
        TEST(a_witness_excuses_what_it_cited_in_time),
        TEST(who_is_denied_is_no_witness),
        TEST(a_forked_witness_is_heard_up_to_its_fork),
        TEST(a_seal_ends_what_witnesses_may_say),
        TEST(a_suspension_ends_by_itself),
        TEST(two_coordinators_who_revoke_each_other_are_both_out),
        TEST(nobody_revokes_his_equal_or_better_alone),
        TEST(no_cut_goes_below_a_checkpoint),
        TEST(a_grant_by_who_is_removed_falls),
        TEST(a_witness_who_falls_takes_his_word_back),
        TEST(what_is_left_out_can_be_adopted),
        TEST(not_by_its_author_nor_by_who_has_no_rank),
        TEST(who_is_back_adopts_nothing_of_his_own),
        TEST(a_member_adopts_the_branches_of_his_own_fork),
        TEST(a_rejection_wins_unless_who_adopts_knew_it),
        TEST(an_adoption_by_who_had_no_right_falls),
        TEST(what_was_adopted_may_still_find_its_witness),
        TEST(an_adopted_branch_falls_with_who_adopted_it),
        TEST(single_ops_are_adopted_in_place),
        TEST(a_revocation_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
