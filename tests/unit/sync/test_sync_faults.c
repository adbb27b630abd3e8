/* tests/unit/sync/test_sync_faults.c -- the 1st, 2nd, 3rd ... allocation fails in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"
#include "support_world.h"

#define LATENCY ((uint64_t)10)

enum { A, B };

static struct world w;

static int append_as(unsigned node, struct ml_writer_id writer, uint8_t lane)
{
    const struct world_write write = {
        .writer = writer, .lane = lane, .ops = 1, .op_bytes = 60, .lone = true};
    return world_append(&w, node, &write);
}

/* Records both ways, a fork, a trace, lost bodies: every part of an exchange has to be. */
static void two_nodes_with_everything(void)
{
    world_init(&w, 11, 2);
    w.latency_ms = LATENCY;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id b = world_writer(&w);
    struct ml_writer_id shared = world_writer(&w);
    for (int i = 0; i < 5; i++) {
        store_keep(&w, B, append_as(A, shared, ML_LANE_RECORD));
    }
    w.node[B].no_body[1] = w.node[B].no_body[2] = true;
    for (int i = 0; i < 3; i++) {
        (void)append_as(A, shared, ML_LANE_RECORD);
        (void)append_as(B, shared, ML_LANE_RECORD);
        (void)append_as(A, a, ML_LANE_KEYS);
        (void)append_as(B, b, ML_LANE_RECORD);
        (void)append_as(A, a, ML_LANE_TRACE);
    }
}

static void meet(unsigned victim, long nth)
{
    if (w.node[A].engine == NULL) {
        world_start(&w, A);
    }
    if (w.node[B].engine == NULL) {
        world_start(&w, B);
    }
    w.node[victim].fake.fail_alloc = nth;
    (void)world_connect(&w, A, B);
    world_run(&w, 100 * LATENCY);
}

/* True when the failure was still to come: the exchange needs fewer allocations than `nth`. */
static bool one_fault(unsigned victim, long nth)
{
    two_nodes_with_everything();
    meet(victim, nth);
    bool spared = w.node[victim].fake.fail_alloc > 0;
    w.node[victim].fake.fail_alloc = 0;
    world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
    if (!world_synced(&w, A, B) || !world_synced(&w, B, A)) {
        world_cut_all(&w);
        meet(victim, 0); /* as a dialler would, a little later */
        world_run(&w, 2 * (uint64_t)ML_SYNC_BODIES_MS);
    }
    assert_true(world_equal(&w, false));
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
    world_free(&w); /* and nothing leaks */
    return spared;
}

static void an_exchange_survives_any_failed_alloc(void **state)
{
    (void)state;
    for (unsigned victim = A; victim <= B; victim++) {
        long nth = 1;
        while (!one_fault(victim, nth)) {
            nth++;
        }
        print_message("[ node %u: %ld allocations failed in turn ]\n", victim, nth - 1);
        assert_true(nth > 40);
    }
}

static void an_engine_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    struct fake_env fake;
    struct ml_sync *e = NULL;
    fake_env_init(&fake, 1);
    const struct ml_sync_config config = {.env = &fake.env};
    for (long nth = 1;; nth++) {
        fake.fail_alloc = nth;
        ml_err err = ml_sync_new(&e, &config);
        const bool spared = fake_spared(&fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_null(e);
        assert_int_equal(fake.live, 0);
    }
    ml_sync_free(e);
    ml_sync_free(NULL);
    assert_int_equal(fake.live, 0);
}

static void an_open_that_fails_leaves_no_session(void **state)
{
    (void)state;
    uint32_t session = 0;
    two_nodes_with_everything();
    meet(A, 0);
    assert_true(w.node[A].base_len[B] > 0);
    world_cut_all(&w);
    const struct ml_sync_open open = {.peer = {{0xcc}},
                                      .base = {w.node[A].base[B], w.node[A].base_len[B]}};
    for (long nth = 1;; nth++) {
        size_t peers = ml_sync_peer_count(w.node[A].engine);
        w.node[A].fake.fail_alloc = nth;
        ml_err err = ml_sync_on_open(w.node[A].engine, &open, &session);
        const bool spared = fake_spared(&w.node[A].fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(session, 0);
        assert_in_range(ml_sync_peer_count(w.node[A].engine), peers, peers + 1);
    }
    ml_sync_on_closed(w.node[A].engine, session);
    world_free(&w);
}

static void a_frontier_that_is_lost_is_asked_for_again(void **state)
{
    (void)state;
    two_nodes_with_everything();
    meet(A, 0);
    struct ml_writer_id fresh = world_writer(&w);
    for (long nth = 1; nth < 4; nth++) {
        w.node[A].fake.fail_alloc = nth;
        int at = append_as(A, world_writer(&w), ML_LANE_RECORD);
        world_run(&w, 20 * LATENCY);
        w.node[A].fake.fail_alloc = 0;
        world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
        world_cut_all(&w);
        meet(A, 0);
        assert_true(world_has(&w, B, at));
    }
    (void)append_as(A, fresh, ML_LANE_RECORD);
    world_run(&w, 20 * LATENCY);
    assert_true(world_equal(&w, false));
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_survives_any_failed_alloc),
        cmocka_unit_test(an_engine_is_made_whole_or_not_at_all),
        cmocka_unit_test(an_open_that_fails_leaves_no_session),
        cmocka_unit_test(a_frontier_that_is_lost_is_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
