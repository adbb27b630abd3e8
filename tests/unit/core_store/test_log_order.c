/* test_log_order.c -- I2: the state is a function of the set of bundles. Random histories, with and
 * without forks and denials, are given to empty logs in random orders with duplicates, in random
 * batches.
 *
 * Three logs stand for three nodes. Without forks each actor writes at one of them; with forks at
 * any, so that one key signs two histories, in lane 0 too: what a forked coordinator had stated
 * stops to count, and so do the writers whose opening hung on it. With denials people of all ranks
 * deny each other in every mode, with hands and cuts of all sorts, make checkpoints, adopt, reject;
 * roles change, and matrices say what roles may write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

#define NODES            3u
#define ACTORS           5u
#define STEPS            40u
#define ORDERS           8u
#define SEEDS            6u
#define AGAIN_SEEDS      6u
#define DENIAL_SEEDS     6u /* at least, each with and without forks; ML_ORDER_SEEDS: more */
#define DENIAL_SEEDS_MAX 60u

#define DISK   "order-disk" /* in memory: thousands of commits */
#define SEALED "order-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct history {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *node[NODES];
    bool had[NODES][WORLD_WIRES];
    bool forks;
    bool denials;
    bool again;      /* proposals are said again ... */
    bool is_again;   /* ... as the op made last was */
    unsigned stored; /* bundles that could be made */
};

static unsigned heard_again; /* of those */

struct results {
    unsigned stored;
    unsigned refused;
    unsigned stopped;
    unsigned quarantined;
};

static void count_result(void *user, const struct ml_log_outcome *o)
{
    struct results *r = user;
    r->stored += o->result == ML_LOG_STORED;
    r->refused += o->result == ML_LOG_REFUSED;
    r->stopped += o->result == ML_LOG_STOPPED;
    r->quarantined += o->result == ML_LOG_STORED && o->verdict == ML_VERDICT_QUARANTINED;
}

/* A node hears of everything that was made so far. */
static void history_meet(struct history *h, unsigned node)
{
    for (size_t i = 0; i < h->w.made_count; i++) {
        struct results r = {0};
        if (!h->had[node][i]) {
            assert_int_equal(ml_log_ingest(h->node[node], &h->w.made[i].wire, 1, count_result, &r),
                             ML_OK);
            assert_int_equal(r.refused, 0);
            h->had[node][i] = true;
        }
    }
}

static struct ml_slice deny_op(struct history *h, unsigned node)
{
    struct world *w = &h->w;
    const struct actor *subject = &w->actors[fake_below(&w->fake, ACTORS)];
    struct ml_govop op = {.type = ML_GOVOP_DENY};
    unsigned hands[2] = {(unsigned)fake_below(&w->fake, ACTORS), 0};
    hands[1] = (hands[0] + 1) % ACTORS;
    op.u.deny.member = subject->member;
    op.u.deny.mode = (uint8_t)(1 + fake_below(&w->fake, 3));
    if (fake_below(&w->fake, 4) == 0) {
        op.u.deny.node = subject->node;
    }
    if (op.u.deny.mode == ML_DENY_SUSPENSION) {
        op.u.deny.until_ms = w->fake.wall_ms + fake_below(&w->fake, 20);
    }
    if (fake_below(&w->fake, 4) != 0) {
        node = fake_below(&w->fake, 3) == 0 ? (unsigned)fake_below(&w->fake, NODES) : node;
        op.u.deny.cuts = world_heads(h->node[node], &subject->member);
    }
    if (fake_below(&w->fake, 3) == 0) {
        world_hands(w, &op, hands, 1 + (uint32_t)fake_below(&w->fake, 2),
                    fake_below(&w->fake, 6) == 0);
    }
    return world_op(w, &op, NULL);
}

/* What somebody said with hands, said again by whom it falls to, perhaps with one hand more, naming
 * where it was first: heard or not, by what he had seen. */
static bool again_op(struct history *h, struct ml_slice *out)
{
    struct world *w = &h->w;
    struct ml_bundle bundle;
    struct ml_body_walk walk;
    struct ml_body_op body_op;
    struct ml_govop op;
    const unsigned hands[1] = {(unsigned)fake_below(&w->fake, ACTORS)};
    const size_t from = (size_t)fake_below(&w->fake, w->made_count);
    for (size_t i = from; i < w->made_count; i++) {
        assert_int_equal(ml_bundle_decode(&bundle, w->made[i].wire, NULL), ML_OK);
        ml_body_walk(&walk, bundle.body.bytes);
        if (bundle.header.lane != ML_LANE_GOVERNANCE || !ml_body_next(&walk, &body_op) ||
            ml_govop_decode(&op, body_op.sealed, NULL) != ML_OK || ml_govop_hands(&op) == NULL ||
            ml_govop_hands(&op)->second.count == 0) {
            continue;
        }
        struct ml_hands said = *ml_govop_hands(&op);
        said.first = ml_govop_first(&op, &bundle.header);
        if (fake_below(&w->fake, 2) == 0) {
            world_hands(w, &op, hands, 1, false);
            said.second = ml_govop_hands(&op)->second;
        }
        ml_govop_set_hands(&op, &said);
        *out = world_op(w, &op, NULL);
        h->is_again = true;
        return true;
    }
    return false;
}

static struct ml_slice judge_op(struct world *w)
{
    static const uint8_t first = 0;
    struct ml_bundle bundle;
    struct ml_govop op = {.type = ML_GOVOP_JUDGE};
    const struct made *made = &w->made[fake_below(&w->fake, w->made_count)];
    assert_int_equal(ml_bundle_decode(&bundle, made->wire, NULL), ML_OK);
    op.u.judge.bundle = ml_bundle_hash(&bundle, &w->org);
    op.u.judge.reject = fake_below(&w->fake, 4) == 0;
    if (fake_below(&w->fake, 2) == 0) {
        op.u.judge.ops = (struct ml_list){.items = &first, .count = 1};
    }
    return world_op(w, &op, NULL);
}

/* What the two roles may do with the one class that records here are of. */
static struct ml_slice matrix_op(struct world *w)
{
    struct ml_matrix m = {
        .version = 1 + (uint32_t)fake_below(&w->fake, 9), .count = 2, .roles = {10, 60}};
    const unsigned hand = (unsigned)fake_below(&w->fake, ACTORS);
    m.cells[0][ML_CLASS_ALERTS] = (uint16_t)fake_below(&w->fake, 8);
    m.cells[1][ML_CLASS_ALERTS] = (uint16_t)fake_below(&w->fake, 8);
    struct ml_govop op = world_matrix(w, &m);
    if (fake_below(&w->fake, 2) == 0) {
        world_hands(w, &op, &hand, 1, fake_below(&w->fake, 4) == 0);
    }
    return world_op(w, &op, NULL);
}

static struct ml_slice role_op(struct world *w)
{
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT};
    const unsigned to = (unsigned)fake_below(&w->fake, ACTORS);
    const unsigned hand = (to + 1) % ACTORS;
    op.u.role_grant.member = w->actors[to].member;
    op.u.role_grant.from_ms = w->fake.wall_ms - 5 + fake_below(&w->fake, 10);
    op.u.role_grant.until_ms = op.u.role_grant.from_ms + 1 + fake_below(&w->fake, 60);
    if (fake_below(&w->fake, 3) == 0) {
        op.u.role_grant.replaces = w->actors[(to + 1) % ACTORS].member;
    } else {
        op.u.role_grant.role = fake_below(&w->fake, 2) == 0 ? 10 : 60;
    }
    if (fake_below(&w->fake, 3) == 0) {
        world_hands(w, &op, &hand, 1, fake_below(&w->fake, 4) == 0);
    }
    return world_op(w, &op, NULL);
}

static struct ml_slice denial_op(struct history *h, unsigned node)
{
    struct ml_govop op = {.type = ML_GOVOP_CHECKPOINT};
    const uint64_t what = fake_below(&h->w.fake, 8);
    struct ml_slice again;
    if (h->again && fake_below(&h->w.fake, 3) == 0 && again_op(h, &again)) {
        return again;
    }
    if (what > 5) {
        return what < 7 ? matrix_op(&h->w) : role_op(&h->w);
    }
    if (what < 3) {
        return deny_op(h, node);
    }
    if (what < 5) {
        return judge_op(&h->w);
    }
    op.u.checkpoint.heads = world_heads(h->node[node], NULL);
    return world_op(&h->w, &op, NULL);
}

/* 1 is made by Root, if at all. */
static uint8_t draw_rank(struct history *h, struct ml_govop *op)
{
    if (!h->denials) {
        return 3;
    }
    op->u.member_add.rank = (uint8_t)(1 + fake_below(&h->w.fake, 3));
    op->u.member_add.role = fake_below(&h->w.fake, 2) == 0 ? 10 : 60;
    if (op->u.member_add.rank == 1) {
        world_hands(&h->w, op, NULL, 0, fake_below(&h->w.fake, 2) == 0);
    }
    return op->u.member_add.rank;
}

/* The coordinator takes people in, whatever he did before elsewhere; others may only try. */
static uint32_t governance_ops(struct history *h, unsigned actor, unsigned node,
                               struct ml_slice ops[2])
{
    static uint8_t kept[2][512];
    struct world *w = &h->w;
    const unsigned i = 1 + (unsigned)fake_below(&w->fake, ACTORS - 1);
    struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD};
    if (h->denials && fake_below(&w->fake, 2) == 0) {
        ops[0] = denial_op(h, node);
        return 1;
    }
    w->fake.env.random(w->fake.env.ctx, op.u.team_add.team.b, 16);
    if (actor != 0 || fake_below(&w->fake, 3) == 0) {
        ops[0] = world_op(w, &op, NULL);
        return 1;
    }
    op = (struct ml_govop){.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add = (struct ml_member_add){.member = w->actors[i].member, .rank = 3, .role = 60};
    op.u.member_add.rank = draw_rank(h, &op);
    ops[0] = world_op(w, &op, NULL);
    memcpy(kept[0], ops[0].data, ops[0].len);
    ops[0].data = kept[0];
    op = (struct ml_govop){.type = ML_GOVOP_NODE_ENROL};
    op.u.node_enrol = (struct ml_node_enrol){
        .member = w->actors[i].member, .node = w->actors[i].node, .mon_sign = w->actors[i].mon_pk};
    ops[1] = world_op(w, &op, NULL);
    memcpy(kept[1], ops[1].data, ops[1].len);
    ops[1].data = kept[1];
    return 2;
}

static struct ml_slice opening_op(struct history *h, unsigned actor)
{
    const struct actor *a = &h->w.actors[actor];
    struct ml_govop op = {.type = ML_GOVOP_WRITER_OPEN,
                          .u.writer_open = {.writer = a->pk, .member = a->member, .node = a->node}};
    return world_op(&h->w, &op, a->mon);
}

/* One actor writes one bundle at one node, if his chain lets him. */
static void history_write(struct history *h)
{
    struct world *w = &h->w;
    const unsigned actor = (unsigned)fake_below(&w->fake, ACTORS);
    const unsigned node = h->forks && fake_below(&w->fake, 6) == 0
                              ? (unsigned)fake_below(&w->fake, NODES)
                              : actor % NODES;
    uint8_t lane = (uint8_t)fake_below(&w->fake, ML_LANES);
    struct ml_log_next next;
    if (fake_below(&w->fake, 3) == 0) {
        lane = 0;
    }
    ml_err err = ml_log_next_own(h->node[node], &w->actors[actor].id, lane, &next);
    if (err == ML_E_DENIED) { /* not open yet at this node */
        lane = 0;
        err = ml_log_next_own(h->node[node], &w->actors[actor].id, lane, &next);
    }
    if (err != ML_OK) {
        assert_int_equal(err, ML_E_ROLLED_BACK);
        assert_true(h->forks);
        return;
    }
    struct ml_slice ops[2] = {world_sealed(lane), world_sealed(lane)};
    uint32_t op_count = 1;
    h->is_again = false;
    if (lane == 0 && next.seq == 1) {
        ops[0] = opening_op(h, actor);
    } else if (lane == 0) {
        op_count = governance_ops(h, actor, node, ops);
    }
    const struct draft d = {
        .by = &w->actors[actor], .lane = lane, .ops = ops, .op_count = op_count, .next = &next};
    struct ml_slice wire = world_build(w, h->node[node], &d);
    struct ml_log_outcome o = world_ingest(h->node[node], wire);
    if (o.result == ML_LOG_STOPPED && h->denials) {
        world_forget_last(w); /* of a stranger, beyond his limit: no node keeps it */
        return;
    }
    if (o.result != ML_LOG_STORED) {
        fail_msg("actor %u lane %u: %s", actor, lane, ml_reason_text(o.reason));
    }
    h->had[node][w->made_count - 1] = true;
    heard_again += h->is_again && o.verdict == ML_VERDICT_ACCEPTED;
    h->stored++;
}

/* By the founder and, for a coordinator, Root. */
static void history_admit(struct history *h, unsigned actor, uint8_t rank)
{
    struct world *w = &h->w;
    const struct actor *a = &w->actors[actor];
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD,
                          .u.member_add = {.member = a->member, .rank = rank, .role = 60}};
    world_hands(w, &op, NULL, 0, rank == 1);
    struct ml_slice bytes = world_op(w, &op, NULL);
    struct draft d = {.by = &w->actors[0], .ops = &bytes, .op_count = 1};
    (void)world_append(w, h->node[0], &d);
    op = (struct ml_govop){
        .type = ML_GOVOP_NODE_ENROL,
        .u.node_enrol = {.member = a->member, .node = a->node, .mon_sign = a->mon_pk}};
    world_hands(w, &op, NULL, 0, rank == 1);
    bytes = world_op(w, &op, NULL);
    (void)world_append(w, h->node[0], &d);
    d.by = a;
    bytes = world_opening(w, a);
    (void)world_append(w, h->node[0], &d);
}

static void history_make(struct history *h, uint64_t seed, bool forks, bool denials, bool again)
{
    memset(h, 0, sizeof(*h));
    world_init(&h->w, seed);
    h->disk = fault_disk_new(DISK, seed);
    assert_non_null(h->disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    h->w.vfs = SEALED;
    h->forks = forks;
    h->denials = denials;
    h->again = again;
    world_found(&h->w);
    for (unsigned i = 0; i < NODES; i++) {
        h->node[i] = world_log(&h->w);
        history_meet(h, i);
    }
    if (denials) {
        history_admit(h, 1, 1);
        history_admit(h, 2, 2);
        history_admit(h, 3, 2);
    } else {
        world_enrol(&h->w, h->node[0], 1); /* one is enrolled before it all begins */
    }
    memset(h->had[0], 1, h->w.made_count);
    for (unsigned i = 0; i < NODES; i++) {
        history_meet(h, i);
    }
    for (unsigned step = 0; step < (denials ? 2 * STEPS : STEPS); step++) {
        if (fake_below(&h->w.fake, 4) == 0) {
            history_meet(h, (unsigned)fake_below(&h->w.fake, NODES));
        }
        history_write(h);
    }
}

/* Random order, a tenth of them twice. */
static size_t shuffle(struct world *w, struct ml_slice *out)
{
    size_t count = 0;
    for (size_t i = 0; i < w->made_count; i++) {
        out[count++] = w->made[i].wire;
        if (fake_below(&w->fake, 10) == 0) {
            out[count++] = w->made[i].wire;
        }
    }
    for (size_t i = count; i > 1; i--) {
        size_t k = (size_t)fake_below(&w->fake, i);
        struct ml_slice swap = out[i - 1];
        out[i - 1] = out[k];
        out[k] = swap;
    }
    return count;
}

static struct ml_log *log_of_order(struct world *w, const struct ml_slice *wires, size_t count)
{
    struct ml_log *log = world_log(w);
    struct results r = {0};
    for (size_t at = 0; at < count;) {
        size_t batch = 1 + (size_t)fake_below(&w->fake, 16);
        batch = batch < count - at ? batch : count - at;
        assert_int_equal(ml_log_ingest(log, wires + at, batch, count_result, &r), ML_OK);
        at += batch;
        if (fake_below(&w->fake, 8) == 0) {
            log = world_reopen(w, log); /* what is in memory makes no difference */
        }
    }
    assert_int_equal(r.refused, 0);
    assert_int_equal(r.stopped, 0);
    assert_int_equal(r.stored, w->made_count);
    return log;
}

static void no_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

static void check_same(struct ml_log *reference, struct ml_log *log)
{
    struct ml_log_counts a;
    struct ml_log_counts b;
    struct ml_hash ta;
    struct ml_hash tb;
    assert_int_equal(ml_log_counts(reference, &a), ML_OK);
    assert_int_equal(ml_log_counts(log, &b), ML_OK);
    assert_int_equal(b.pending, 0);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_int_equal(ml_log_trace_hash(reference, &ta), ML_OK);
    assert_int_equal(ml_log_trace_hash(log, &tb), ML_OK);
    assert_memory_equal(ta.b, tb.b, sizeof(ta.b));
    assert_true(world_same_state(reference, log));
    assert_int_equal(ml_log_verify(log, no_problem, NULL), ML_OK);
}

/* How many bundles have a verdict for this reason. */
static unsigned count_reason(struct ml_log *log, ml_reason reason)
{
    struct ml_log_entry e;
    unsigned count = 0;
    for (uint64_t n = 0; ml_log_after(log, n, UINT32_MAX, &e) == ML_OK; n = e.n) {
        count += e.reason == reason;
    }
    return count;
}

static unsigned seen[32]; /* by reason */

static unsigned check_orders(uint64_t seed, bool forks, bool denials, bool again)
{
    static struct history h;
    static struct ml_slice wires[2 * WORLD_WIRES];
    history_make(&h, seed, forks, denials, again);
    for (unsigned i = 0; i < NODES; i++) {
        history_meet(&h, i);
    }
    check_same(h.node[0], h.node[1]);
    check_same(h.node[0], h.node[2]);
    for (unsigned order = 0; order < ORDERS; order++) {
        struct ml_log *log = log_of_order(&h.w, wires, shuffle(&h.w, wires));
        check_same(h.node[0], log);
        ml_log_close(log);
    }
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(h.node[0], &counts), ML_OK);
    assert_true(forks || counts.forks == 0);
    for (unsigned reason = 0; reason < 32; reason++) {
        seen[reason] += count_reason(h.node[0], (ml_reason)reason);
    }
    for (unsigned i = 0; i < NODES; i++) {
        ml_log_close(h.node[i]);
    }
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(h.disk);
    assert_int_equal(world_free(&h.w), 0);
    return (unsigned)counts.forks;
}

static void honest_histories_agree_in_any_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        assert_int_equal(check_orders(seed, false, false, false), 0);
    }
}

static void forked_histories_agree_in_any_order(void **state)
{
    unsigned forks = 0;
    (void)state;
    for (uint64_t seed = 101; seed <= 100 + SEEDS; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        forks += check_orders(seed, true, false, false);
    }
    assert_true(forks >= SEEDS); /* the histories do what they are for */
}

/* The histories do what they are for. */
static bool all_seen(void)
{
    static const ml_reason reasons[] = {
        ML_REASON_REVOKED, ML_REASON_DEPARTED, ML_REASON_SUSPENDED, ML_REASON_GRANT_FELL,
        ML_REASON_ADOPTED, ML_REASON_NO_RIGHT, ML_REASON_ROLE_ENDED};
    bool all = true;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        all = all && seen[reasons[i]] > 0;
    }
    return all;
}

/* What a seed draws hangs on the compiler's order of evaluation: on until each reason was given. */
static void denied_histories_agree_in_any_order(void **state)
{
    const char *more = getenv("ML_ORDER_SEEDS");
    const uint64_t seeds = more != NULL ? strtoull(more, NULL, 10) : DENIAL_SEEDS;
    (void)state;
    memset(seen, 0, sizeof(seen));
    const uint64_t first = 201;
    uint64_t seed = first;
    for (; seed < first + seeds || (!all_seen() && seed < first + DENIAL_SEEDS_MAX); seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        (void)check_orders(seed, false, true, false);
        (void)check_orders(seed, true, true, false);
    }
    assert_true(all_seen());
}

/* What takes two hands is proposed, said again and copied, by who knew that it was heard or not. */
static void proposals_said_again_agree_in_any_order(void **state)
{
    const char *more = getenv("ML_ORDER_SEEDS");
    const uint64_t seeds = more != NULL ? strtoull(more, NULL, 10) : AGAIN_SEEDS;
    (void)state;
    heard_again = 0;
    for (uint64_t seed = 301; seed <= 300 + seeds; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        (void)check_orders(seed, seed % 4 == 0, true, true);
    }
    print_message("heard: %u\n", heard_again);
    assert_true(heard_again > 0); /* the histories do what they are for */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_histories_agree_in_any_order),
        cmocka_unit_test(forked_histories_agree_in_any_order),
        cmocka_unit_test(denied_histories_agree_in_any_order),
        cmocka_unit_test(proposals_said_again_agree_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
