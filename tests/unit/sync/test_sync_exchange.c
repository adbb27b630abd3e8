/* tests/unit/sync/test_sync_exchange.c -- one exchange between two nodes, counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support_world.h"

#define LATENCY ((uint64_t)150)

enum { A, B, C };

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_init(&w, 1, 3);
    w.latency_ms = LATENCY;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

static int write_as(unsigned node, struct ml_writer_id writer, uint8_t lane)
{
    const struct world_write write = {.writer = writer, .lane = lane, .ops = 4, .op_bytes = 200};
    return world_append(&w, node, &write);
}

static void start_both(void)
{
    world_start(&w, A);
    world_start(&w, B);
}

/* When B has it all, and when both know: in round trips, from the moment the link is up. */
static void run_counted(uint64_t *have_ms, uint64_t *know_ms)
{
    uint64_t start = w.now_ms;
    *have_ms = *know_ms = 0;
    for (int i = 0; i < 200000 && *know_ms == 0; i++) {
        (void)world_step(&w, w.now_ms + 60000);
        if (*have_ms == 0 && world_equal(&w, false)) {
            *have_ms = w.now_ms - start;
        }
        if (world_synced(&w, A, B) && world_synced(&w, B, A)) {
            *know_ms = w.now_ms - start;
        }
    }
}

static void idle_costs_one_frame_each_way(void **state)
{
    (void)state;
    struct ml_writer_id writer = world_writer(&w);
    (void)world_past(&w, &writer, ML_LANE_RECORD, 1000);
    start_both();
    int link = world_connect(&w, A, B);
    world_run(&w, 10 * LATENCY);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(w.link[link].out[side].messages, 1);
        assert_int_equal(w.link[link].out[side].bytes, ML_HELLO_BYTES);
        assert_int_equal(w.link[link].out[side].framed, 64);
    }
    assert_true(world_synced(&w, A, B));
    assert_true(world_synced(&w, B, A));
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_LIVE);
}

/* The day set's shape over a million operations: 6,000 ops at 16 a bundle, of 40 writers. The link
 * is up; both kept their base from an exchange with nothing new. */
static int day_begins(uint32_t ops_per_bundle)
{
    struct ml_writer_id writers[40];
    for (int i = 0; i < 40; i++) {
        writers[i] = world_writer(&w);
        for (uint8_t lane = 0; lane < 4; lane++) {
            (void)world_past(&w, &writers[i], lane, 1500);
        }
    }
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 10 * LATENCY);
    world_cut_all(&w);
    for (uint32_t i = 0; i < 6000 / ops_per_bundle; i++) {
        const struct world_write write = {.writer = writers[i % 40],
                                          .lane = ML_LANE_RECORD,
                                          .ops = ops_per_bundle,
                                          .op_bytes = 220};
        (void)world_append(&w, A, &write);
    }
    return world_connect(&w, A, B);
}

static void day(uint32_t ops_per_bundle, uint64_t *framed, uint64_t *payload)
{
    uint64_t have_ms = 0;
    uint64_t know_ms = 0;
    int link = day_begins(ops_per_bundle);
    run_counted(&have_ms, &know_ms);
    assert_true(have_ms > 0 && have_ms <= 4 * LATENCY);
    assert_true(know_ms > 0 && know_ms <= 4 * LATENCY);
    *framed = w.link[link].out[0].framed + w.link[link].out[1].framed;
    *payload = w.link[link].out[0].payload;
    assert_int_equal(*payload, (uint64_t)6000 * 220);
    print_message("[ ops a bundle %u: have %llu ms, know %llu ms of RTT %d ms, ratio %.3f ]\n",
                  ops_per_bundle, (unsigned long long)have_ms, (unsigned long long)know_ms,
                  (int)(2 * LATENCY), (double)*framed / (double)*payload);
}

static void a_day_costs_two_round_trips_and_a_quarter_more_bytes(void **state)
{
    (void)state;
    uint64_t framed = 0;
    uint64_t payload = 0;
    day(16, &framed, &payload);
    assert_true(framed * 100 <= payload * 125);
    assert_int_equal(w.pended, 0);
}

static void single_ops_keep_to_two_round_trips(void **state)
{
    (void)state;
    uint64_t framed = 0;
    uint64_t payload = 0;
    day(1, &framed, &payload);
}

static void a_slow_link_is_kept_busy(void **state)
{
    (void)state;
    uint64_t have_ms = 0;
    uint64_t know_ms = 0;
    w.kbit_s = 256;
    int link = day_begins(16);
    run_counted(&have_ms, &know_ms);
    uint64_t least_ms = w.link[link].out[0].payload * 8 / w.kbit_s;
    print_message("[ 256 kbit/s with stalls: have %llu ms, %.3f of payload / bandwidth ]\n",
                  (unsigned long long)have_ms, (double)have_ms / (double)least_ms);
    assert_true(have_ms > 0 && have_ms * 10 <= least_ms * 13);
    assert_true(know_ms > 0 && know_ms * 10 <= least_ms * 13);
}

static void both_directions_at_once(void **state)
{
    (void)state;
    uint64_t have_ms = 0;
    uint64_t know_ms = 0;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id b = world_writer(&w);
    for (int i = 0; i < 30; i++) {
        (void)write_as(A, a, ML_LANE_RECORD);
        (void)write_as(B, b, ML_LANE_RECORD);
    }
    start_both();
    (void)world_connect(&w, A, B);
    run_counted(&have_ms, &know_ms);
    assert_in_range(have_ms, 1, 4 * LATENCY);
    assert_in_range(know_ms, 1, 4 * LATENCY);
    world_run(&w, 20 * LATENCY);
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_LIVE);
    assert_int_equal(world_status(&w, B, A).state, ML_SYNC_STATE_LIVE);
    assert_int_equal(world_status(&w, A, B).in.bundles, 30);
    assert_int_equal(world_status(&w, A, B).in.bundles_planned, 30);
    assert_int_equal(world_status(&w, A, B).out.bundles, 30);
    assert_int_equal(world_status(&w, A, B).out.ops_planned, 120);
}

static void governance_and_keys_go_to_completion_first(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    int last_key = -1;
    int first_record = -1;
    for (int i = 0; i < 60; i++) {
        for (uint8_t lane = 0; lane < ML_LANES; lane++) {
            const struct world_write write = {
                .writer = a, .lane = lane, .ops = 2, .op_bytes = 3000, .lone = true};
            int at = world_append(&w, A, &write);
            last_key = lane == ML_LANE_KEYS ? at : last_key;
            first_record = lane == ML_LANE_RECORD && first_record < 0 ? at : first_record;
        }
    }
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 200 * LATENCY);
    assert_true(world_equal(&w, true));
    const uint32_t *order = w.node[B].order;
    uint32_t low[ML_LANES];
    uint32_t high[ML_LANES] = {0};
    memset(low, 0xff, sizeof(low));
    for (size_t i = 0; i < w.bundle_count; i++) {
        uint8_t lane = w.bundles[i].info.id.lane;
        low[lane] = order[i] < low[lane] ? order[i] : low[lane];
        high[lane] = order[i] > high[lane] ? order[i] : high[lane];
    }
    assert_true(high[ML_LANE_GOVERNANCE] < low[ML_LANE_RECORD]);
    assert_true(high[ML_LANE_KEYS] < low[ML_LANE_RECORD]);
    assert_true(high[ML_LANE_RECORD] < low[ML_LANE_BLOB]);
    assert_true(high[ML_LANE_BLOB] < low[ML_LANE_TRACE]);
}

static void causal_order_keeps_the_order_of_ingest(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    w.order = ML_SYNC_ORDER_CAUSAL;
    for (int i = 0; i < 40; i++) {
        (void)write_as(A, a, (uint8_t)(i % 2 == 0 ? ML_LANE_RECORD : ML_LANE_KEYS));
    }
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 100 * LATENCY);
    assert_true(world_equal(&w, true));
    for (size_t i = 1; i < w.bundle_count; i++) {
        assert_true(w.node[B].order[i - 1] < w.node[B].order[i]);
    }
}

static void a_batch_is_one_transaction(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    for (int i = 0; i < 100; i++) {
        (void)write_as(A, a, ML_LANE_RECORD);
    }
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 100 * LATENCY);
    assert_true(world_equal(&w, true));
    assert_int_equal(w.node[B].ingests, 1);
}

static void a_new_entry_on_a_is_on_c_through_b(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    start_both();
    world_start(&w, C);
    int ab = world_connect(&w, A, B);
    int bc = world_connect(&w, B, C);
    world_run(&w, 10 * LATENCY);
    int entry = write_as(A, a, ML_LANE_RECORD);
    uint64_t start = w.now_ms;
    while (!world_has(&w, C, entry) && world_step(&w, start + 60000)) {
    }
    assert_true(world_has(&w, C, entry));
    assert_int_equal(w.now_ms - start, 2 * LATENCY);
    world_run(&w, 20 * LATENCY);
    assert_int_equal(w.link[ab].out[1].bundles, 0); /* no echo */
    assert_int_equal(w.link[bc].out[1].bundles, 0);
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
    assert_true(world_synced(&w, B, C) && world_synced(&w, C, B));
}

static void traces_start_no_exchange_but_ride_along(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id t = world_writer(&w);
    (void)write_as(A, a, ML_LANE_RECORD);
    start_both();
    int link = world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    unsigned before = w.link[link].out[0].messages;
    int trace = write_as(A, t, ML_LANE_TRACE);
    world_run(&w, 20 * LATENCY);
    assert_int_equal(w.link[link].out[0].messages, before);
    assert_false(world_has(&w, B, trace));
    assert_true(world_synced(&w, A, B)); /* lane 2 is outside of the digest */
    (void)write_as(A, a, ML_LANE_RECORD);
    world_run(&w, 20 * LATENCY);
    assert_true(world_has(&w, B, trace));
}

static void traces_alone_keep_hellos_equal(void **state)
{
    (void)state;
    struct ml_writer_id t = world_writer(&w);
    (void)write_as(A, t, ML_LANE_TRACE);
    start_both();
    int link = world_connect(&w, A, B);
    world_run(&w, 100 * LATENCY);
    assert_int_equal(w.link[link].out[0].messages, 1);
    assert_int_equal(w.link[link].out[1].messages, 1);
}

static void an_urgent_trace_goes_at_once(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id t = world_writer(&w);
    (void)write_as(A, a, ML_LANE_RECORD);
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    const struct world_write write = {
        .writer = t, .lane = ML_LANE_TRACE, .ops = 1, .op_bytes = 100, .urgent = true};
    int trace = world_append(&w, A, &write);
    world_run(&w, 3 * LATENCY);
    assert_true(world_has(&w, B, trace));
}

/* After an equal HELLO nothing is known of lane 2: the first push leads to a comparison. */
static void traces_ride_along_after_an_equal_hello(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id t = world_writer(&w);
    int trace = write_as(A, t, ML_LANE_TRACE);
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    (void)write_as(A, a, ML_LANE_RECORD);
    world_run(&w, (uint64_t)3 * ML_SYNC_RESYNC_MS);
    assert_true(world_has(&w, B, trace));
    assert_true(world_equal(&w, true));
}

/* Verdicts of other lanes hang on a fork's proof, which may lie in lane 2: it waits for nothing. */
static void a_fork_takes_traces_along(void **state)
{
    (void)state;
    struct ml_writer_id t = world_writer(&w);
    int trace = write_as(A, t, ML_LANE_TRACE);
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, (uint64_t)3 * ML_SYNC_RESYNC_MS);
    assert_false(world_has(&w, B, trace));
    ml_sync_on_fork(w.node[A].engine);
    world_run(&w, (uint64_t)3 * ML_SYNC_RESYNC_MS);
    assert_true(world_has(&w, B, trace));
}

static void a_fork_known_before_takes_traces_along(void **state)
{
    (void)state;
    struct ml_writer_id t = world_writer(&w);
    int trace = write_as(A, t, ML_LANE_TRACE);
    start_both();
    ml_sync_on_fork(w.node[B].engine); /* the peer that lacks it may be the one that knows */
    (void)world_connect(&w, A, B);
    world_run(&w, (uint64_t)3 * ML_SYNC_RESYNC_MS);
    assert_true(world_has(&w, B, trace));
}

static void a_delta_names_only_chains_that_moved(void **state)
{
    (void)state;
    struct ml_writer_id writers[200];
    for (int i = 0; i < 200; i++) {
        writers[i] = world_writer(&w);
        (void)world_past(&w, &writers[i], ML_LANE_RECORD, 10);
    }
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    world_cut_all(&w);
    (void)write_as(A, writers[0], ML_LANE_RECORD);
    int link = world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    assert_true(world_equal(&w, true));
    /* 200 heads would be 8.6 KB each way */
    assert_true(w.link[link].out[0].bytes - w.link[link].out[0].payload < 1200);
    assert_true(w.link[link].out[1].bytes < 600);
}

static void bases_that_differ_cost_one_more_round_trip(void **state)
{
    (void)state;
    uint64_t have_ms = 0;
    uint64_t know_ms = 0;
    struct ml_writer_id a = world_writer(&w);
    (void)world_past(&w, &a, ML_LANE_KEYS, 10);
    start_both();
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    world_cut_all(&w);
    w.node[B].base_len[A] = 0; /* B never got to write it down */
    (void)write_as(A, a, ML_LANE_RECORD);
    (void)world_connect(&w, A, B);
    run_counted(&have_ms, &know_ms);
    assert_in_range(have_ms, 1, 6 * LATENCY);
    assert_true(world_equal(&w, true));
    world_cut_all(&w);
    memset(w.node[B].base[A], 0xff, w.node[B].base_len[A]); /* one that can't be read is none */
    (void)write_as(A, a, ML_LANE_RECORD);
    (void)world_connect(&w, A, B);
    run_counted(&have_ms, &know_ms);
    assert_true(know_ms > 0);
    assert_true(world_equal(&w, true));
}

/* B's disk went back to an older base: both have one, and they are not the same. */
static void bases_of_two_days_are_told_apart(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id b = world_writer(&w);
    uint8_t old[4096];
    start_both();
    for (int i = 0; i < 5; i++) {
        (void)write_as(A, world_writer(&w), ML_LANE_RECORD);
    }
    (void)write_as(A, a, ML_LANE_RECORD);
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    world_cut_all(&w);
    size_t len = w.node[B].base_len[A];
    assert_in_range(len, 1, sizeof(old));
    memcpy(old, w.node[B].base[A], len);
    (void)write_as(A, a, ML_LANE_RECORD);
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    world_cut_all(&w);
    assert_true(w.node[B].base_len[A] >= len);
    memcpy(w.node[B].base[A], old, len);
    w.node[B].base_len[A] = len;
    (void)write_as(B, b, ML_LANE_RECORD);
    int link = world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    assert_true(world_equal(&w, false));
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_FRONTIER], 3); /* delta, refusal, whole */
    assert_int_equal(w.link[link].out[0].bundles, 0);
    assert_int_equal(w.link[link].out[1].bundles, 1);
}

static void a_frontier_of_many_parts_arrives_whole(void **state)
{
    (void)state;
    for (int i = 0; i < 2500; i++) {
        struct ml_writer_id one = world_writer(&w);
        (void)world_past(&w, &one, ML_LANE_RECORD, 3);
    }
    struct ml_writer_id a = world_writer(&w);
    (void)write_as(A, a, ML_LANE_RECORD);
    start_both();
    int link = world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_FRONTIER], 3);
    assert_true(world_equal(&w, true));
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
}

static void what_moves_between_hello_and_its_answer_is_not_lost(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id b = world_writer(&w);
    start_both();
    (void)world_connect(&w, A, B);
    world_pump(&w); /* HELLOs are on their way */
    (void)world_step(&w, w.now_ms);
    (void)world_step(&w, w.now_ms);
    int one = write_as(A, a, ML_LANE_RECORD);
    int two = write_as(B, b, ML_LANE_RECORD);
    world_run(&w, 30 * LATENCY);
    assert_true(world_has(&w, B, one) && world_has(&w, A, two));
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
}

static void an_old_epoch_gets_keys_first_and_then_the_rest(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id b = world_writer(&w);
    for (int i = 0; i < 10; i++) {
        (void)write_as(A, a, (uint8_t)(i % 2 == 0 ? ML_LANE_RECORD : ML_LANE_KEYS));
        (void)write_as(B, b, (uint8_t)(i % 2 == 0 ? ML_LANE_RECORD : ML_LANE_GOVERNANCE));
    }
    start_both();
    int link = world_connect_as(&w, A, B, WORLD_RESTRICTED);
    world_run(&w, 30 * LATENCY);
    assert_true(world_equal(&w, true));
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_DONE], 2);
    assert_int_equal(w.link[link].out[1].by_kind[ML_MSG_DONE], 2);
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
}

/* Rules B17: what says that he was revoked, and nothing else; what he has is taken. */
static void who_drains_gives_all_and_gets_governance(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id b = world_writer(&w);
    int of_a[ML_LANES];
    int of_b[ML_LANES];
    for (uint8_t lane = 0; lane < ML_LANES; lane++) {
        of_a[lane] = write_as(A, a, lane);
        of_b[lane] = write_as(B, b, lane);
    }
    start_both();
    (void)world_connect_as(&w, A, B, WORLD_DRAINED);
    world_run(&w, 30 * LATENCY);
    const int live[] = {write_as(A, a, ML_LANE_GOVERNANCE), write_as(A, a, ML_LANE_RECORD),
                        write_as(B, b, ML_LANE_RECORD)};
    world_run(&w, 30 * LATENCY);
    for (uint8_t lane = 0; lane < ML_LANES; lane++) {
        assert_true(lane == ML_LANE_TRACE || world_has(&w, A, of_b[lane]));
        assert_int_equal(world_has(&w, B, of_a[lane]), lane == ML_LANE_GOVERNANCE);
    }
    assert_true(world_has(&w, B, live[0]));
    assert_false(world_has(&w, B, live[1]));
    assert_true(world_has(&w, A, live[2]));
}

/* Rules B17: whoever knows the network's secret may say who let him in; he learns nothing before
 * that is known. */
static void who_is_unknown_gives_all_and_gets_nothing(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id b = world_writer(&w);
    int of_a[ML_LANES];
    int of_b[ML_LANES];
    for (uint8_t lane = 0; lane < ML_LANES; lane++) {
        of_a[lane] = write_as(A, a, lane);
        of_b[lane] = write_as(B, b, lane);
    }
    start_both();
    (void)world_connect_as(&w, A, B, WORLD_UNKNOWN);
    world_run(&w, 30 * LATENCY);
    const int live[] = {write_as(A, a, ML_LANE_GOVERNANCE), write_as(B, b, ML_LANE_GOVERNANCE)};
    world_run(&w, 30 * LATENCY);
    for (uint8_t lane = 0; lane < ML_LANES; lane++) {
        assert_true(lane == ML_LANE_TRACE || world_has(&w, A, of_b[lane]));
        assert_false(world_has(&w, B, of_a[lane]));
    }
    assert_false(world_has(&w, B, live[0]));
    assert_true(world_has(&w, A, live[1]));
}

static void one_peer_feeds_at_a_time(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    for (int i = 0; i < 200; i++) {
        (void)write_as(A, a, ML_LANE_RECORD);
    }
    start_both();
    world_start(&w, C);
    (void)world_connect(&w, A, B);
    world_run(&w, 30 * LATENCY);
    assert_true(world_has(&w, B, 199));
    int ca = world_connect(&w, C, A);
    int cb = world_connect(&w, C, B);
    world_run(&w, 60 * LATENCY);
    assert_true(world_equal(&w, true));
    uint64_t twice = w.link[ca].out[1].bundles + w.link[cb].out[1].bundles;
    assert_int_equal(twice, 200);
    assert_true(world_synced(&w, C, A) && world_synced(&w, C, B));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(idle_costs_one_frame_each_way),
        TEST(a_day_costs_two_round_trips_and_a_quarter_more_bytes),
        TEST(single_ops_keep_to_two_round_trips),
        TEST(a_slow_link_is_kept_busy),
        TEST(both_directions_at_once),
        TEST(governance_and_keys_go_to_completion_first),
        TEST(causal_order_keeps_the_order_of_ingest),
        TEST(a_batch_is_one_transaction),
        TEST(a_new_entry_on_a_is_on_c_through_b),
        TEST(traces_start_no_exchange_but_ride_along),
        TEST(traces_alone_keep_hellos_equal),
        TEST(an_urgent_trace_goes_at_once),
        TEST(traces_ride_along_after_an_equal_hello),
        TEST(a_fork_takes_traces_along),
        TEST(a_fork_known_before_takes_traces_along),
        TEST(a_delta_names_only_chains_that_moved),
        TEST(bases_that_differ_cost_one_more_round_trip),
        TEST(bases_of_two_days_are_told_apart),
        TEST(a_frontier_of_many_parts_arrives_whole),
        TEST(what_moves_between_hello_and_its_answer_is_not_lost),
        TEST(an_old_epoch_gets_keys_first_and_then_the_rest),
        TEST(who_drains_gives_all_and_gets_governance),
        TEST(who_is_unknown_gives_all_and_gets_nothing),
        TEST(one_peer_feeds_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
