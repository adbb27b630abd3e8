/* test_log_root.c -- Root's word among stored bundles (rules B14, B16): the only coordinator is
 * gone, enough sheets were typed in at somebody else's node, and he carries what Root signs.
 *
 * Three logs stand for three nodes; at the end of each test all of them, and one that hears
 * everything backwards, say the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/key_id.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

enum { CHIEF, NURSE, COLLEAGUE, NEWCOMER }; /* actors */

#define DISK   "root-disk" /* in memory */
#define SEALED "root-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *chief;
    struct ml_log *nurse;
    struct ml_log *colleague;
};

static void hear(struct world *w, struct ml_log *log)
{
    for (size_t i = 0; i < w->made_count; i++) {
        assert_int_not_equal(world_ingest(log, w->made[i].wire).result, ML_LOG_REFUSED);
    }
}

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 78);
    f.disk = fault_disk_new(DISK, 78);
    assert_non_null(f.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f.w.vfs = SEALED;
    world_found(&f.w);
    f.chief = world_log(&f.w);
    f.nurse = world_log(&f.w);
    f.colleague = world_log(&f.w);
    assert_int_equal(world_ingest(f.chief, f.w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f.w, f.chief, NURSE);
    world_enrol(&f.w, f.chief, COLLEAGUE);
    hear(&f.w, f.nurse);
    hear(&f.w, f.colleague);
    *state = &f;
    return 0;
}

static void no_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

static uint8_t rank_of(struct ml_log *log, const struct fixture *f, unsigned i)
{
    const struct ml_fact *fact = ml_gov_member(ml_log_gov(log), &f->w.actors[i].member);
    return fact == NULL ? ML_RANK_NODE : fact->rank;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct ml_log *backwards = world_log(&f->w);
    for (size_t i = f->w.made_count; i > 0; i--) {
        assert_int_not_equal(world_ingest(backwards, f->w.made[i - 1].wire).result, ML_LOG_REFUSED);
    }
    struct ml_log *logs[] = {f->chief, f->nurse, f->colleague, backwards};
    for (size_t i = 0; i < 4; i++) {
        hear(&f->w, logs[i]);
        assert_int_equal(ml_log_verify(logs[i], no_problem, NULL), ML_OK);
        assert_true(world_same_state(logs[0], logs[i]));
        for (unsigned who = 0; who < NEWCOMER; who++) {
            assert_int_equal(rank_of(logs[i], f, who), rank_of(logs[0], f, who));
        }
    }
    for (size_t i = 0; i < 4; i++) {
        ml_log_close(logs[i]);
    }
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    return world_free(&f->w);
}

static struct ml_ruling say(struct fixture *f, struct ml_log *log, unsigned by,
                            struct ml_slice bytes)
{
    const struct draft d = {.by = &f->w.actors[by], .ops = &bytes, .op_count = 1};
    struct ml_log_outcome o = world_ingest(log, world_build(&f->w, log, &d));
    assert_int_equal(o.result, ML_LOG_STORED);
    return (struct ml_ruling){o.verdict, o.reason};
}

static struct made last_made(const struct fixture *f)
{
    return f->w.made[f->w.made_count - 1];
}

/* Rank 1 for `whom`, signed by Root in the bundle that it will stand in. */
static struct ml_slice promotion(struct fixture *f, unsigned whom)
{
    struct ml_govop op = {
        .type = ML_GOVOP_MEMBER_ADD,
        .u.member_add = {.member = f->w.actors[whom].member, .rank = 1, .role = 60}};
    world_hands(&f->w, &op, NULL, 0, true);
    return world_op(&f->w, &op, NULL);
}

static struct ml_slice denial(struct fixture *f, struct ml_log *log, unsigned whom, bool root)
{
    struct ml_govop op = {.type = ML_GOVOP_DENY};
    op.u.deny.member = f->w.actors[whom].member;
    op.u.deny.mode = ML_DENY_COMPROMISE;
    op.u.deny.cuts = world_heads(log, &f->w.actors[whom].member);
    if (root) {
        world_hands(&f->w, &op, NULL, 0, true);
    }
    return world_op(&f->w, &op, NULL);
}

static void assert_accepted(struct ml_ruling r)
{
    assert_int_equal(r.reason, ML_REASON_NONE);
    assert_int_equal(r.verdict, ML_VERDICT_ACCEPTED);
}

static void assert_refused(struct ml_ruling r)
{
    assert_int_equal(r.reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(r.verdict, ML_VERDICT_QUARANTINED);
}

/* The op that stands first in a bundle, as it was sent. */
static struct ml_slice op_of(struct ml_log *log, const struct made *made, uint8_t *room,
                             size_t size)
{
    struct ml_log_entry e;
    struct ml_body_walk walk;
    struct ml_body_op op;
    assert_int_equal(ml_log_get(log, &made->id.hash, &e), ML_OK);
    ml_body_walk(&walk, e.body.bytes);
    assert_true(ml_body_next(&walk, &op));
    assert_true(op.sealed.len <= size);
    memcpy(room, op.sealed.data, op.sealed.len);
    return ml_slice(room, op.sealed.len);
}

/* ---- B16: the only coordinator is gone ---- */

static void root_makes_who_carries_its_word_a_coordinator(void **state)
{
    struct fixture *f = *state;
    assert_accepted(say(f, f->nurse, NURSE, promotion(f, NURSE)));
    assert_int_equal(rank_of(f->nurse, f, NURSE), ML_RANK_COORDINATOR);
    hear(&f->w, f->colleague);
    assert_int_equal(rank_of(f->colleague, f, NURSE), ML_RANK_COORDINATOR);
    world_enrol(&f->w, f->chief, NEWCOMER); /* the old one knows nothing of it, and still may */
    struct ml_govop op = {
        .type = ML_GOVOP_MEMBER_ADD,
        .u.member_add = {.member = f->w.actors[COLLEAGUE].member, .rank = 2, .role = 60}};
    assert_accepted(say(f, f->nurse, NURSE, world_op(&f->w, &op, NULL)));
    hear(&f->w, f->colleague);
    assert_int_equal(rank_of(f->colleague, f, COLLEAGUE), ML_RANK_REFERENT);
}

static void without_root_nobody_makes_himself_one(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = {
        .type = ML_GOVOP_MEMBER_ADD,
        .u.member_add = {.member = f->w.actors[NURSE].member, .rank = 1, .role = 60}};
    assert_refused(say(f, f->nurse, NURSE, world_op(&f->w, &op, NULL)));
    const unsigned colleague = COLLEAGUE;
    world_hands(&f->w, &op, &colleague, 1, false);
    assert_refused(say(f, f->nurse, NURSE, world_op(&f->w, &op, NULL)));
    assert_int_equal(rank_of(f->nurse, f, NURSE), ML_RANK_MEMBER);
}

static void a_stranger_carries_nothing(void **state)
{
    struct fixture *f = *state;
    struct ml_slice opening = world_opening(&f->w, &f->w.actors[NEWCOMER]);
    assert_int_equal(say(f, f->nurse, NEWCOMER, opening).reason, ML_REASON_NOT_ENROLLED);
    assert_int_equal(say(f, f->nurse, NEWCOMER, promotion(f, NEWCOMER)).reason,
                     ML_REASON_NOT_ENROLLED);
}

/* ---- forged, copied, said again ---- */

static void what_root_did_not_sign_makes_nobody(void **state)
{
    struct fixture *f = *state;
    static uint8_t room[512];
    assert_accepted(say(f, f->nurse, NURSE, promotion(f, NURSE)));
    const struct made made = last_made(f);
    struct ml_slice op = op_of(f->nurse, &made, room, sizeof(room));
    room[op.len - 1] ^= 1; /* its signature's last byte */
    assert_refused(say(f, f->nurse, COLLEAGUE, op));
    room[op.len - 1] ^= 1;
    const uint8_t *mine = f->w.actors[NURSE].member.b;
    for (size_t i = 0; i + 16 <= op.len; i++) { /* another's name in it */
        if (memcmp(room + i, mine, 16) == 0) {
            memcpy(room + i, f->w.actors[COLLEAGUE].member.b, 16);
        }
    }
    hear(&f->w, f->colleague);
    assert_refused(say(f, f->colleague, COLLEAGUE, op));
    assert_int_equal(rank_of(f->colleague, f, COLLEAGUE), ML_RANK_MEMBER);
}

/* Who was a coordinator by Root's word and was revoked doesn't say it again, nor does his friend.
 */
static void a_word_of_root_is_not_said_twice(void **state)
{
    struct fixture *f = *state;
    static uint8_t room[512];
    assert_accepted(say(f, f->nurse, NURSE, promotion(f, NURSE)));
    const struct made made = last_made(f);
    const struct ml_slice op = op_of(f->nurse, &made, room, sizeof(room));
    hear(&f->w, f->chief);
    assert_accepted(say(f, f->chief, CHIEF, denial(f, f->chief, NURSE, true)));
    hear(&f->w, f->colleague);
    assert_int_equal(rank_of(f->colleague, f, NURSE), ML_RANK_NODE);
    assert_refused(say(f, f->colleague, COLLEAGUE, op));
    assert_int_equal(rank_of(f->colleague, f, NURSE), ML_RANK_NODE);
    hear(&f->w, f->nurse);
    assert_int_equal(say(f, f->nurse, NURSE, op).reason, ML_REASON_NOT_ENROLLED);
    assert_int_equal(rank_of(f->nurse, f, NURSE), ML_RANK_NODE);
    /* By Root again, he is back. */
    assert_accepted(say(f, f->colleague, COLLEAGUE, promotion(f, NURSE)));
    assert_int_equal(rank_of(f->colleague, f, NURSE), ML_RANK_COORDINATOR);
}

/* In a bundle of the same number that saw something else, Root's signature isn't hers. */
static void a_word_of_root_holds_where_it_was_said(void **state)
{
    struct fixture *f = *state;
    static uint8_t room[512];
    assert_accepted(say(f, f->colleague, COLLEAGUE, promotion(f, COLLEAGUE)));
    const struct made made = last_made(f);
    const struct ml_slice op = op_of(f->colleague, &made, room, sizeof(room));
    world_forget_last(&f->w); /* kept back; her node is restored from a backup */
    ml_log_close(f->colleague);
    f->colleague = world_log(&f->w);
    world_enrol(&f->w, f->chief, NEWCOMER);
    hear(&f->w, f->colleague);
    assert_refused(say(f, f->colleague, COLLEAGUE, op));
    assert_int_equal(last_made(f).id.seq, made.id.seq);
    assert_int_equal(rank_of(f->colleague, f, COLLEAGUE), ML_RANK_MEMBER);
}

/* ---- B14: the highest stratum ---- */

static void who_stole_the_coordinators_laptop_does_not_stop_root(void **state)
{
    struct fixture *f = *state;
    static uint8_t room[512];
    struct ml_slice ops[2];
    /* The thief denies the nurse, who doesn't know yet. */
    struct ml_govop cut = {.type = ML_GOVOP_DENY};
    cut.u.deny.member = f->w.actors[NURSE].member;
    cut.u.deny.mode = ML_DENY_COMPROMISE;
    cut.u.deny.cuts = world_heads(f->chief, &f->w.actors[NURSE].member);
    assert_accepted(say(f, f->chief, CHIEF, world_op(&f->w, &cut, NULL)));
    ops[0] = promotion(f, NURSE);
    memcpy(room, ops[0].data, ops[0].len);
    ops[0].data = room;
    ops[1] = denial(f, f->nurse, CHIEF, true);
    const struct draft d = {.by = &f->w.actors[NURSE], .ops = ops, .op_count = 2};
    const struct ml_log_outcome o = world_ingest(f->nurse, world_build(&f->w, f->nurse, &d));
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->colleague);
    assert_int_equal(rank_of(f->colleague, f, NURSE), ML_RANK_COORDINATOR);
    assert_int_equal(rank_of(f->colleague, f, CHIEF), ML_RANK_NODE);
}

/* Without it, what the thief said before he was denied holds: deny beats allow (I6). */
static void a_promotion_alone_does_not_outdo_a_denial(void **state)
{
    struct fixture *f = *state;
    assert_accepted(say(f, f->chief, CHIEF, denial(f, f->chief, NURSE, false)));
    assert_accepted(say(f, f->nurse, NURSE, promotion(f, NURSE)));
    hear(&f->w, f->colleague);
    assert_int_equal(rank_of(f->colleague, f, NURSE), ML_RANK_NODE);
    assert_int_equal(rank_of(f->colleague, f, CHIEF), ML_RANK_COORDINATOR);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(root_makes_who_carries_its_word_a_coordinator),
        TEST(without_root_nobody_makes_himself_one),
        TEST(a_stranger_carries_nothing),
        TEST(what_root_did_not_sign_makes_nobody),
        TEST(a_word_of_root_is_not_said_twice),
        TEST(a_word_of_root_holds_where_it_was_said),
        TEST(who_stole_the_coordinators_laptop_does_not_stop_root),
        TEST(a_promotion_alone_does_not_outdo_a_denial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
