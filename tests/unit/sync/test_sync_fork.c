/* tests/unit/sync/test_sync_fork.c -- branches of one chain, and absent bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"
#include "support_world.h"

#define LATENCY ((uint64_t)10)

enum { A, B, C };

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_init(&w, 3, 3);
    w.latency_ms = LATENCY;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

static int append_to(unsigned node, struct ml_writer_id writer)
{
    const struct world_write write = {
        .writer = writer, .lane = ML_LANE_RECORD, .ops = 1, .op_bytes = 50, .lone = true};
    return world_append(&w, node, &write);
}

/* `common` bundles that both have, then a branch on each side. */
static struct ml_writer_id forked(int common, int branch_a, int branch_b)
{
    struct ml_writer_id writer = world_writer(&w);
    for (int i = 0; i < common; i++) {
        store_keep(&w, B, append_to(A, writer));
    }
    for (int i = 0; i < branch_a; i++) {
        (void)append_to(A, writer);
    }
    for (int i = 0; i < branch_b; i++) {
        (void)append_to(B, writer);
    }
    return writer;
}

static unsigned heads_of(unsigned node)
{
    size_t count = 0;
    struct ml_dep *heads = store_heads(&w, node, &count);
    free(heads);
    return (unsigned)count;
}

static int meet(uint64_t ms)
{
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    world_run(&w, ms);
    return link;
}

static void assert_both_branches(int link)
{
    assert_true(world_equal(&w, false));
    assert_int_equal(heads_of(A), 2);
    assert_int_equal(heads_of(B), 2);
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_LIVE);
    assert_int_equal(world_status(&w, A, B).forks, 0);
    assert_true(link >= 0);
}

static void both_branches_replicate(void **state)
{
    (void)state;
    (void)forked(20, 5, 3);
    int link = meet(100 * LATENCY);
    assert_both_branches(link);
    /* the common part is not sent again */
    assert_int_equal(w.link[link].out[0].bundles, 5);
    assert_int_equal(w.link[link].out[1].bundles, 3);
}

static void branches_of_one_length_replicate(void **state)
{
    (void)state;
    (void)forked(3, 4, 4);
    assert_both_branches(meet(100 * LATENCY));
}

static void a_fork_at_the_second_bundle_sends_no_first(void **state)
{
    (void)state;
    (void)forked(1, 1, 1);
    int link = meet(100 * LATENCY);
    assert_both_branches(link);
    assert_int_equal(w.link[link].out[0].bundles, 1);
    assert_int_equal(w.link[link].out[1].bundles, 1);
}

static void chains_that_share_nothing_replicate(void **state)
{
    (void)state;
    (void)forked(0, 2, 7);
    assert_both_branches(meet(100 * LATENCY));
}

static void a_fork_far_below_is_found_in_few_questions(void **state)
{
    (void)state;
    (void)forked(40, 1500, 1400);
    int link = meet(1000 * LATENCY);
    assert_both_branches(link);
    assert_int_equal(w.link[link].out[0].bundles, 1500);
    assert_int_equal(w.link[link].out[1].bundles, 1400);
    unsigned questions = w.link[link].out[0].by_kind[ML_MSG_FORK_QUERY] +
                         w.link[link].out[1].by_kind[ML_MSG_FORK_QUERY];
    assert_in_range(questions, 1, 5);
}

static void more_forks_than_slots_are_all_found(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * (int)ML_SYNC_FORKS_MAX; i++) {
        (void)forked(4, 2, 1);
    }
    (void)meet(200 * LATENCY);
    assert_true(world_equal(&w, false));
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
}

static void a_third_branch_joins_two(void **state)
{
    (void)state;
    struct ml_writer_id writer = forked(6, 3, 2);
    for (size_t i = 0; i < 6; i++) {
        store_keep(&w, C, (int)i);
    }
    for (int i = 0; i < 4; i++) {
        (void)append_to(C, writer);
    }
    (void)meet(100 * LATENCY);
    world_start(&w, C);
    (void)world_connect(&w, C, B);
    world_run(&w, 200 * LATENCY);
    assert_true(world_equal(&w, false));
    assert_int_equal(heads_of(C), 3);
    assert_true(world_synced(&w, C, B) && world_synced(&w, A, B));
}

/* B has the first bundle of A's branch too, so that its other branch parts from A's head's further
 * down than what B and A share of it. */
static void a_branch_that_parts_below_what_is_shared_goes_whole(void **state)
{
    (void)state;
    (void)forked(3, 2, 6);
    store_keep(&w, B, 3);
    int link = meet(100 * LATENCY);
    assert_both_branches(link);
    assert_int_equal(w.link[link].out[1].bundles, 6);
}

static void branches_that_grow_live_go_at_once(void **state)
{
    (void)state;
    struct ml_writer_id writer = forked(5, 1, 1);
    (void)meet(100 * LATENCY);
    int at = append_to(A, writer);
    int bt = append_to(B, writer);
    world_run(&w, 3 * LATENCY);
    assert_true(world_has(&w, B, at) && world_has(&w, A, bt));
}

static void a_fork_made_while_live_replicates(void **state)
{
    (void)state;
    struct ml_writer_id writer = forked(5, 0, 0);
    (void)meet(100 * LATENCY);
    int at = append_to(A, writer); /* before either has heard of the other's */
    int bt = append_to(B, writer);
    world_run(&w, 20 * LATENCY);
    assert_true(world_has(&w, B, at) && world_has(&w, A, bt));
    world_run(&w, 100 * LATENCY);
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
}

/* ---- bodies ---- */

static void lose_bodies(unsigned node, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        w.node[node].no_body[i] = true;
    }
}

static void absent_bodies_are_fetched(void **state)
{
    (void)state;
    struct ml_writer_id writer = forked(600, 0, 0);
    (void)writer;
    lose_bodies(B, 10, 500); /* more than one request */
    int link = meet(100 * LATENCY);
    assert_int_equal(store_holes(&w, B).wanted, 0);
    assert_int_equal(w.link[link].out[1].by_kind[ML_MSG_BODY_REQUEST], 2);
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_ABSENT], 0);
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_FRONTIER], 0); /* frontiers are equal */
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_LIVE);
}

static void bodies_that_the_peer_lacks_too_are_named_and_asked_again_later(void **state)
{
    (void)state;
    (void)forked(20, 0, 0);
    lose_bodies(B, 0, 20);
    lose_bodies(A, 5, 3);
    int link = meet(100 * LATENCY);
    assert_int_equal(store_holes(&w, B).wanted, 3);
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_ABSENT], 1);
    w.node[A].no_body[5] = false; /* A found one in a copy */
    world_run(&w, ML_SYNC_BODIES_MS / 2);
    assert_int_equal(store_holes(&w, B).wanted, 3);
    world_run(&w, 2 * (uint64_t)ML_SYNC_BODIES_MS);
    assert_int_equal(store_holes(&w, B).wanted, 2);
}

static void who_drains_gets_no_body(void **state)
{
    (void)state;
    (void)forked(20, 0, 0);
    lose_bodies(B, 3, 5);
    lose_bodies(A, 10, 5);
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect_as(&w, A, B, WORLD_DRAINED);
    world_run(&w, 100 * LATENCY);
    assert_int_equal(store_holes(&w, B).wanted, 5);
    assert_int_equal(store_holes(&w, A).wanted, 0); /* he gives */
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_ABSENT], 1);
}

static void holes_that_both_have_ask_nothing(void **state)
{
    (void)state;
    (void)forked(20, 0, 0);
    lose_bodies(A, 5, 3);
    lose_bodies(B, 5, 3);
    int link = meet(100 * LATENCY);
    assert_int_equal(w.link[link].out[0].messages, 1);
    assert_int_equal(w.link[link].out[1].messages, 1);
}

static void a_chain_replicates_though_a_body_is_absent(void **state)
{
    (void)state;
    (void)forked(2, 8, 0);
    lose_bodies(A, 4, 2);
    (void)meet(100 * LATENCY);
    assert_true(world_equal(&w, false));
    assert_int_equal(store_holes(&w, B).wanted, 2);
    assert_true(world_synced(&w, A, B));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_branches_replicate),
        TEST(branches_of_one_length_replicate),
        TEST(a_fork_at_the_second_bundle_sends_no_first),
        TEST(chains_that_share_nothing_replicate),
        TEST(a_fork_far_below_is_found_in_few_questions),
        TEST(more_forks_than_slots_are_all_found),
        TEST(a_third_branch_joins_two),
        TEST(a_branch_that_parts_below_what_is_shared_goes_whole),
        TEST(branches_that_grow_live_go_at_once),
        TEST(a_fork_made_while_live_replicates),
        TEST(absent_bodies_are_fetched),
        TEST(bodies_that_the_peer_lacks_too_are_named_and_asked_again_later),
        TEST(who_drains_gets_no_body),
        TEST(holes_that_both_have_ask_nothing),
        TEST(a_chain_replicates_though_a_body_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
