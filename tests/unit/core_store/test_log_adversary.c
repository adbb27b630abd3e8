/* test_log_adversary.c -- what an entitled member does with others' words (docs/threat-model.md):
 * he says them again, carries them to another structure, cites what there isn't.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

enum { CHIEF, NURSE, REFERENT, OTHER, THIRD }; /* actors */

#define DISK   "adversary-disk" /* in memory */
#define SEALED "adversary-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *log;
};

static struct ml_log_outcome say(struct fixture *f, unsigned by, struct ml_slice op)
{
    const struct draft d = {.by = &f->w.actors[by], .ops = &op, .op_count = 1};
    return world_ingest(f->log, world_build(&f->w, f->log, &d));
}

static struct ml_govop membership(struct fixture *f, unsigned who, uint8_t rank)
{
    return (struct ml_govop){
        .type = ML_GOVOP_MEMBER_ADD,
        .u.member_add = {.member = f->w.actors[who].member, .rank = rank, .role = 60}};
}

/* `hand`: who signs beside the author; Root does in CHIEF's place. */
static struct ml_slice signed_by(struct fixture *f, struct ml_govop *op, unsigned hand)
{
    world_hands(&f->w, op, &hand, hand != CHIEF, hand == CHIEF);
    return world_op(&f->w, op, NULL);
}

static struct ml_slice denial(struct fixture *f, unsigned who, unsigned hand)
{
    struct ml_govop op = {.type = ML_GOVOP_DENY};
    op.u.deny.member = f->w.actors[who].member;
    op.u.deny.mode = ML_DENY_DEPARTURE;
    op.u.deny.cuts = world_heads(f->log, &f->w.actors[who].member);
    return signed_by(f, &op, hand);
}

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 79);
    f.disk = fault_disk_new(DISK, 79);
    assert_non_null(f.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f.w.vfs = SEALED;
    world_found(&f.w);
    f.log = world_log(&f.w);
    assert_int_equal(world_ingest(f.log, f.w.made[0].wire).result, ML_LOG_STORED);
    for (unsigned i = NURSE; i <= THIRD; i++) {
        world_enrol(&f.w, f.log, i);
    }
    struct ml_govop op = membership(&f, REFERENT, 2);
    assert_int_equal(say(&f, CHIEF, world_op(&f.w, &op, NULL)).reason, ML_REASON_NONE);
    for (unsigned i = OTHER; i <= THIRD; i++) {
        op = membership(&f, i, 1);
        assert_int_equal(say(&f, CHIEF, signed_by(&f, &op, CHIEF)).reason, ML_REASON_NONE);
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->log);
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    return world_free(&f->w);
}

static bool is_member(const struct fixture *f, unsigned who)
{
    return ml_gov_member(ml_log_gov(f->log), &f->w.actors[who].member) != NULL;
}

/* ---- second signatures ---- */

/* An op of the bundle that was made last, as it was signed, kept until the next call. */
static struct ml_slice last_op(struct fixture *f)
{
    static uint8_t room[4096];
    struct ml_bundle bundle;
    struct ml_body_walk walk;
    struct ml_body_op op;
    assert_int_equal(ml_bundle_decode(&bundle, f->w.made[f->w.made_count - 1].wire, NULL), ML_OK);
    ml_body_walk(&walk, bundle.body.bytes);
    assert_true(ml_body_next(&walk, &op));
    assert_true(op.sealed.len <= sizeof(room));
    memcpy(room, op.sealed.data, op.sealed.len);
    return ml_slice(room, op.sealed.len);
}

static struct ml_act_place last_place(const struct fixture *f)
{
    const struct ml_dep *id = &f->w.made[f->w.made_count - 1].id;
    return (struct ml_act_place){.writer = id->writer, .seq = id->seq};
}

/* The same, hands and all, naming where it was said first. */
static struct ml_slice again(struct fixture *f, struct ml_slice raw, struct ml_act_place first)
{
    struct ml_govop op;
    assert_int_equal(ml_govop_decode(&op, raw, NULL), ML_OK);
    struct ml_hands hands = *ml_govop_hands(&op);
    hands.first = first;
    ml_govop_set_hands(&op, &hands);
    return world_op(&f->w, &op, NULL);
}

static void bring_back(struct fixture *f, unsigned who)
{
    struct ml_govop back = membership(f, who, 1);
    assert_int_equal(say(f, CHIEF, signed_by(f, &back, CHIEF)).reason, ML_REASON_NONE);
    assert_true(is_member(f, who));
}

/* Rules B16: the référent stood beside the chief once. Copied, bare or with the place that he
 * signed for, his signature is nobody's. */
static void a_second_signature_is_not_said_twice(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(say(f, CHIEF, denial(f, OTHER, REFERENT)).reason, ML_REASON_NONE);
    const struct ml_slice op = last_op(f);
    const struct ml_act_place first = last_place(f);
    assert_false(is_member(f, OTHER));
    bring_back(f, OTHER);
    for (unsigned i = 0; i < 2; i++) {
        const unsigned by = i == 0 ? CHIEF : THIRD;
        assert_int_equal(say(f, by, op).reason, ML_REASON_NO_AUTHORITY);
        assert_int_equal(say(f, by, again(f, op, first)).reason, ML_REASON_NO_AUTHORITY);
        assert_true(is_member(f, OTHER));
    }
}

/* It is said again until somebody is heard who may say it; then it is done. */
static void a_proposal_is_heard_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(say(f, REFERENT, denial(f, OTHER, REFERENT)).reason, ML_REASON_NO_AUTHORITY);
    const struct ml_slice op = last_op(f);
    const struct ml_act_place first = last_place(f);
    assert_int_equal(say(f, NURSE, again(f, op, first)).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(say(f, THIRD, again(f, op, first)).reason, ML_REASON_NONE);
    assert_false(is_member(f, OTHER));
    bring_back(f, OTHER);
    assert_int_equal(say(f, CHIEF, again(f, op, first)).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(say(f, THIRD, again(f, op, first)).reason, ML_REASON_NO_AUTHORITY);
    assert_true(is_member(f, OTHER));
    assert_int_equal(say(f, REFERENT, denial(f, OTHER, REFERENT)).reason, ML_REASON_NO_AUTHORITY);
    const struct ml_slice anew = last_op(f);
    assert_int_equal(say(f, CHIEF, again(f, anew, last_place(f))).reason, ML_REASON_NONE);
    assert_false(is_member(f, OTHER)); /* the same, decided a second time */
}

static struct ml_govop role_of(struct fixture *f, unsigned who)
{
    return (struct ml_govop){.type = ML_GOVOP_ROLE_GRANT,
                             .u.role_grant = {.member = f->w.actors[who].member, .role = 70}};
}

/* Of two proposals of one thing one was heard, and he is back since: by who knew the other, which
 * so is answered too. */
static void a_proposal_is_overtaken_by_who_knew_it(void **state)
{
    struct fixture *f = *state;
    static uint8_t kept[4096];
    assert_int_equal(say(f, REFERENT, denial(f, OTHER, REFERENT)).reason, ML_REASON_NO_AUTHORITY);
    struct ml_slice out = last_op(f);
    memcpy(kept, out.data, out.len);
    out.data = kept;
    const struct ml_act_place out_first = last_place(f);
    struct ml_govop role = role_of(f, OTHER);
    assert_int_equal(say(f, REFERENT, signed_by(f, &role, REFERENT)).reason,
                     ML_REASON_NO_AUTHORITY);
    const struct ml_slice gives = last_op(f);
    const struct ml_act_place gives_first = last_place(f);
    assert_int_equal(say(f, CHIEF, denial(f, OTHER, REFERENT)).reason, ML_REASON_NONE);
    bring_back(f, OTHER);
    assert_int_equal(say(f, THIRD, again(f, out, out_first)).reason, ML_REASON_NO_AUTHORITY);
    assert_true(is_member(f, OTHER));
    assert_int_equal(say(f, THIRD, again(f, gives, gives_first)).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(say(f, THIRD, denial(f, OTHER, REFERENT)).reason, ML_REASON_NONE);
}

/* What was decided about another, or by who didn't know it, answers nothing. */
static void a_proposal_outlives_what_is_not_its_answer(void **state)
{
    struct fixture *f = *state;
    struct ml_govop role = role_of(f, OTHER);
    assert_int_equal(say(f, REFERENT, signed_by(f, &role, REFERENT)).reason,
                     ML_REASON_NO_AUTHORITY);
    const struct ml_slice gives = last_op(f);
    const struct ml_act_place first = last_place(f);
    struct ml_govop other = role_of(f, NURSE);
    assert_int_equal(say(f, CHIEF, world_op(&f->w, &other, NULL)).reason, ML_REASON_NONE);
    assert_int_equal(say(f, CHIEF, denial(f, THIRD, REFERENT)).reason, ML_REASON_NONE);
    assert_int_equal(say(f, CHIEF, again(f, gives, first)).reason, ML_REASON_NONE);
}

/* The hand of somebody for an act that isn't there, or wasn't seen, is none. */
static void a_place_must_have_been_seen(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = {.type = ML_GOVOP_DENY};
    const unsigned hand = REFERENT;
    op.u.deny.member = f->w.actors[OTHER].member;
    op.u.deny.mode = ML_DENY_DEPARTURE;
    world_hands(&f->w, &op, &hand, 1, false);
    op.u.deny.hands.first.writer = f->w.actors[REFERENT].id;
    op.u.deny.hands.first.seq = 2;
    assert_int_equal(say(f, CHIEF, world_op(&f->w, &op, NULL)).reason, ML_REASON_NO_AUTHORITY);
    op.u.deny.hands.first = last_place(f); /* he never signed for it, but it was seen */
    assert_int_equal(say(f, CHIEF, world_op(&f->w, &op, NULL)).reason, ML_REASON_NONE);
}

/* A store that knows what was made so far, and nothing of what comes. */
static struct ml_log *elsewhere(struct fixture *f)
{
    struct ml_log *log = world_log(&f->w);
    for (size_t i = 0; i < f->w.made_count; i++) {
        (void)world_ingest(log, f->w.made[i].wire);
    }
    return log;
}

/* Two say one proposal without knowing of each other, or one pretends not to: who knew of either
 * knew the decision, so that who was brought back since stays, with all that he wrote. */
static void said_twice_at_once_is_one_decision(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(say(f, REFERENT, denial(f, OTHER, REFERENT)).reason, ML_REASON_NO_AUTHORITY);
    const struct ml_slice op = last_op(f);
    const struct ml_act_place first = last_place(f);
    struct ml_log *there = elsewhere(f);
    assert_int_equal(say(f, CHIEF, again(f, op, first)).reason, ML_REASON_NONE);
    bring_back(f, OTHER);
    const struct ml_dep written = world_record(&f->w, f->log, OTHER, 1).id;
    const struct ml_slice late = again(f, op, first);
    const struct draft d = {.by = &f->w.actors[THIRD], .ops = &late, .op_count = 1};
    const struct ml_slice wire = world_build(&f->w, there, &d);
    assert_int_equal(world_ingest(there, wire).reason, ML_REASON_NONE);
    assert_int_equal(world_ingest(f->log, wire).reason, ML_REASON_NONE);
    assert_true(is_member(f, OTHER));
    assert_int_equal(world_ruling(f->log, &written).reason, ML_REASON_NONE);
    (void)world_record(&f->w, f->log, OTHER, 1);
    for (size_t i = 0; i < f->w.made_count; i++) { /* in the other order */
        (void)world_ingest(there, f->w.made[i].wire);
    }
    assert_true(world_same_state(f->log, there));
    ml_log_close(there);
}

/* A saying that Root took away binds nobody, and excuses nobody either from one that stands. */
static void a_saying_that_fell_frees_nobody(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(say(f, REFERENT, denial(f, OTHER, REFERENT)).reason, ML_REASON_NO_AUTHORITY);
    const struct ml_slice op = last_op(f);
    const struct ml_act_place first = last_place(f);
    struct ml_govop gone = {.type = ML_GOVOP_DENY};
    gone.u.deny.member = f->w.actors[THIRD].member;
    gone.u.deny.mode = ML_DENY_COMPROMISE;
    gone.u.deny.cuts = world_heads(f->log, &f->w.actors[THIRD].member);
    struct ml_log *there = elsewhere(f);
    struct ml_slice bytes = again(f, op, first);
    struct draft d = {.by = &f->w.actors[THIRD], .ops = &bytes, .op_count = 1};
    assert_int_equal(world_ingest(there, world_build(&f->w, there, &d)).reason, ML_REASON_NONE);
    bytes = signed_by(f, &gone, CHIEF);
    d.by = &f->w.actors[NURSE];
    assert_int_equal(world_ingest(there, world_build(&f->w, there, &d)).reason, ML_REASON_NONE);
    const struct ml_dep written = world_record(&f->w, there, OTHER, 1).id;
    assert_int_equal(say(f, CHIEF, again(f, op, first)).reason, ML_REASON_NONE);
    for (size_t i = 0; i < f->w.made_count; i++) {
        (void)world_ingest(f->log, f->w.made[i].wire);
        (void)world_ingest(there, f->w.made[i].wire);
    }
    assert_int_equal(world_ruling(f->log, &written).reason, ML_REASON_DEPARTED);
    assert_true(world_same_state(f->log, there));
    ml_log_close(there);
}

/* Nor does one that had no right, for what stood beside it in its bundle. */
static void a_saying_that_was_not_heard_frees_nobody(void **state)
{
    struct fixture *f = *state;
    static uint8_t kept[4096];
    assert_int_equal(say(f, REFERENT, denial(f, OTHER, REFERENT)).reason, ML_REASON_NO_AUTHORITY);
    const struct ml_slice op = last_op(f);
    const struct ml_act_place first = last_place(f);
    struct ml_log *there = elsewhere(f);
    struct ml_slice both[2] = {again(f, op, first)};
    assert_non_null(both[0].data);
    for (size_t i = 0; i < both[0].len && i < sizeof(kept); i++) {
        kept[i] = both[0].data[i];
    }
    both[0].data = kept;
    struct ml_govop alone = membership(f, NURSE, 1);
    both[1] = world_op(&f->w, &alone, NULL);
    const struct draft d = {.by = &f->w.actors[THIRD], .ops = both, .op_count = 2};
    assert_int_equal(world_ingest(there, world_build(&f->w, there, &d)).reason,
                     ML_REASON_NO_AUTHORITY);
    const struct ml_dep written = world_record(&f->w, there, OTHER, 1).id;
    assert_int_equal(say(f, CHIEF, again(f, op, first)).reason, ML_REASON_NONE);
    for (size_t i = 0; i < f->w.made_count; i++) {
        (void)world_ingest(f->log, f->w.made[i].wire);
    }
    assert_int_equal(world_ruling(f->log, &written).reason, ML_REASON_DEPARTED);
    ml_log_close(there);
}

/* What one may say alone was heard from one: two who say it after him say more, and take away what
 * one can't, of what he had seen. */
static void two_add_to_what_one_said(void **state)
{
    struct fixture *f = *state;
    const unsigned hand = CHIEF;
    struct ml_govop op = {.type = ML_GOVOP_DENY};
    op.u.deny.member = f->w.actors[NURSE].member;
    op.u.deny.mode = ML_DENY_COMPROMISE;
    world_hands(&f->w, &op, &hand, 1, false);
    struct ml_dep opening = {.seq = 0};
    for (size_t i = 0; i < f->w.made_count && opening.seq == 0; i++) {
        const struct ml_dep *id = &f->w.made[i].id;
        opening = memcmp(&id->writer, &f->w.actors[NURSE].id, 16) == 0 ? *id : opening;
    }
    assert_int_equal(say(f, CHIEF, world_op(&f->w, &op, NULL)).reason, ML_REASON_NONE);
    assert_int_equal(world_ruling(f->log, &opening).reason, ML_REASON_NONE);
    const struct ml_slice said = last_op(f);
    assert_int_equal(say(f, REFERENT, again(f, said, last_place(f))).reason, ML_REASON_NONE);
    assert_int_equal(world_ruling(f->log, &opening).reason, ML_REASON_REVOKED);
}

/* ---- other structures, other places ---- */

/* Rules B11: the same people, the same keys, another founding. */
static void what_was_said_in_another_structure_is_refused(void **state)
{
    struct fixture *f = *state;
    static struct world there;
    world_init(&there, 79);
    there.vfs = SEALED;
    there.fake.wall_ms += 1;
    world_found(&there);
    assert_memory_equal(&there.actors[CHIEF].id, &f->w.actors[CHIEF].id,
                        sizeof(there.actors[0].id));
    assert_memory_not_equal(&there.org, &f->w.org, sizeof(there.org));
    struct ml_log *log = world_log(&there);
    assert_int_equal(world_ingest(log, there.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&there, log, NURSE);
    (void)world_record(&there, log, NURSE, 1);
    struct ml_log_counts before;
    struct ml_log_counts after;
    assert_int_equal(ml_log_counts(f->log, &before), ML_OK);
    for (size_t i = 0; i < there.made_count; i++) {
        const struct ml_log_outcome o = world_ingest(f->log, there.made[i].wire);
        assert_int_not_equal(o.result, ML_LOG_STORED);
        assert_int_not_equal(o.result, ML_LOG_PENDING);
    }
    assert_int_equal(ml_log_counts(f->log, &after), ML_OK);
    assert_memory_equal(&before, &after, sizeof(before));
    ml_log_close(log);
    assert_int_equal(world_free(&there), 0);
}

/* Rules B10, B24: it waits for what never comes, and nobody else does; not even whom it names. */
static void a_citation_of_what_there_is_not_stops_its_author_alone(void **state)
{
    struct fixture *f = *state;
    struct ml_dep deps[16];
    struct ml_log_next next;
    assert_int_equal(ml_log_next_own(f->log, &f->w.actors[NURSE].id, ML_LANE_RECORD, &next), ML_OK);
    assert_true(next.dep_count < 16);
    memcpy(deps, next.deps, next.dep_count * sizeof(deps[0]));
    struct ml_dep none = {.writer = f->w.actors[OTHER].id, .lane = ML_LANE_RECORD, .seq = 1};
    memset(none.hash.b, 0x5a, sizeof(none.hash.b));
    size_t at = next.dep_count;
    for (; at > 0 && ml_dep_compare(&deps[at - 1], &none) > 0; at--) {
        deps[at] = deps[at - 1];
    }
    deps[at] = none;
    next.deps = deps;
    next.dep_count++;
    const struct ml_slice op = world_sealed(ML_LANE_RECORD);
    const struct draft d = {.by = &f->w.actors[NURSE],
                            .lane = ML_LANE_RECORD,
                            .ops = &op,
                            .op_count = 1,
                            .next = &next};
    assert_int_equal(world_ingest(f->log, world_build(&f->w, f->log, &d)).result, ML_LOG_PENDING);
    (void)world_record(&f->w, f->log, OTHER, 1); /* another bundle in the place that it names */
    (void)world_record(&f->w, f->log, REFERENT, 1);
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
    assert_int_equal(counts.pending, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_second_signature_is_not_said_twice),
        TEST(a_proposal_is_heard_once),
        TEST(a_proposal_is_overtaken_by_who_knew_it),
        TEST(a_proposal_outlives_what_is_not_its_answer),
        TEST(a_place_must_have_been_seen),
        TEST(said_twice_at_once_is_one_decision),
        TEST(a_saying_that_fell_frees_nobody),
        TEST(a_saying_that_was_not_heard_frees_nobody),
        TEST(two_add_to_what_one_said),
        TEST(what_was_said_in_another_structure_is_refused),
        TEST(a_citation_of_what_there_is_not_stops_its_author_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
