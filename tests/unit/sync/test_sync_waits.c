/* tests/unit/sync/test_sync_waits.c -- time, links, the store: what a session waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_session.h"
#include "support_store.h"

/* ---- time ---- */

static void a_silent_peer_times_out(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    int link = live_link();
    (void)append_as(A, a, ML_LANE_RECORD, 10); /* its COMMIT is due, and never comes */
    world_run(&w, 2 * LATENCY);
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_BUNDLES], 1);
    world_run(&w, ML_SYNC_SILENT_MS - 2 * LATENCY - 1);
    assert_int_equal(w.node[A].closes, 0);
    world_run(&w, 1);
    assert_int_equal(w.node[A].last_close, ML_E_TIMEOUT);
    assert_int_equal(w.node[A].last_bye, ML_BYE_TIMEOUT);
}

static void a_peer_that_talks_without_progress_times_out(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    const struct ml_msg plan = {.kind = ML_MSG_PLAN};
    int link = live_link();
    (void)append_as(A, a, ML_LANE_RECORD, 10);
    uint64_t start = w.now_ms;
    while (w.node[A].closes == 0 && w.now_ms < start + 2 * (uint64_t)ML_SYNC_STALL_MS) {
        to_a(link, &plan);
        world_run(&w, ML_SYNC_SILENT_MS / 3);
    }
    assert_int_equal(w.node[A].last_close, ML_E_TIMEOUT);
    assert_in_range(w.now_ms - start, ML_SYNC_STALL_MS, ML_SYNC_STALL_MS + ML_SYNC_SILENT_MS);
}

static void a_quiet_live_link_stays(void **state)
{
    (void)state;
    int link = live_link();
    world_run(&w, 10 * (uint64_t)ML_SYNC_STALL_MS);
    assert_int_equal(w.node[A].closes + w.node[B].closes, 0);
    assert_int_equal(w.link[link].out[0].messages, 1);
}

static void a_feeder_that_gives_nothing_makes_room(void **state)
{
    (void)state;
    struct ml_writer_id b = world_writer(&w);
    struct ml_writer_id c = world_writer(&w);
    (void)append_as(B, b, ML_LANE_RECORD, 10);
    int wanted = append_as(C, c, ML_LANE_RECORD, 10);
    world_start(&w, A);
    world_start(&w, B);
    world_start(&w, C);
    (void)world_connect(&w, A, B);
    while (w.link[0].out[0].by_kind[ML_MSG_FRONTIER] == 0) {
        (void)world_step(&w, w.now_ms + LATENCY);
    }
    w.node[B].slow_store = true; /* it has our frontier, and sits on it */
    int second = world_connect(&w, A, C);
    world_run(&w, ML_SYNC_FEED_MS / 2);
    assert_false(world_has(&w, A, wanted));
    assert_int_equal(w.link[second].out[0].by_kind[ML_MSG_FRONTIER], 0);
    world_run(&w, ML_SYNC_FEED_MS);
    assert_true(world_has(&w, A, wanted));
}

static void a_held_back_frontier_gives_signs_of_life(void **state)
{
    (void)state;
    struct ml_writer_id b = world_writer(&w);
    struct ml_writer_id c = world_writer(&w);
    for (int i = 0; i < 40; i++) {
        (void)append_as(B, b, ML_LANE_RECORD, 40000);
    }
    (void)append_as(C, c, ML_LANE_RECORD, 10);
    world_start(&w, A);
    world_start(&w, B);
    world_start(&w, C);
    int first = world_connect(&w, A, B);
    while (w.link[first].out[1].by_kind[ML_MSG_PLAN] == 0) {
        (void)world_step(&w, w.now_ms + LATENCY);
    }
    w.node[B].slow_store = true; /* it feeds us three bundles each four seconds */
    int second = world_connect(&w, A, C);
    for (int i = 0; i < 11; i++) {
        world_run(&w, 4000);
        world_answer(&w, B);
    }
    assert_false(world_equal(&w, false));
    assert_in_range(w.link[second].out[0].by_kind[ML_MSG_FRONTIER], 3, 5);
    assert_int_equal(world_status(&w, A, C).state, ML_SYNC_STATE_FRONTIER);
    w.node[B].slow_store = false;
    world_run(&w, 200000);
    assert_true(world_equal(&w, false));
    assert_int_equal(w.node[A].closes + w.node[C].closes, 0);
}

static void frontiers_that_differ_when_both_are_done_are_compared_again(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    int one = append_as(A, a, ML_LANE_RECORD, 10);
    world_run(&w, 50 * LATENCY);
    assert_true(world_has(&w, B, one));
    w.checks_off = true;
    /* A gains something behind its engine's back, of which it hears without knowing who lacks it */
    int two = foreign(ML_LANE_RECORD, 1, 10);
    store_keep(&w, A, two);
    store_keep(&w, B, two);
    ml_sync_on_stored(w.node[A].engine, &w.bundles[two].info);
    world_run(&w, 50 * LATENCY);
    unsigned before = w.link[link].out[0].by_kind[ML_MSG_FRONTIER];
    ml_sync_on_stored(w.node[B].engine, &w.bundles[two].info);
    world_run(&w, 60000);
    assert_true(world_synced(&w, A, B) && world_synced(&w, B, A));
    assert_in_range(w.link[link].out[0].by_kind[ML_MSG_FRONTIER] - before, 0, 2);
}

/* ---- links ---- */

static void sessions_are_bounded(void **state)
{
    (void)state;
    world_start(&w, A);
    uint32_t session = 0;
    for (unsigned i = 0; i <= ML_SYNC_SESSIONS_MAX; i++) {
        struct ml_sync_open open = {.peer = {{0xaa, (uint8_t)i}}, .initiator = true};
        ml_err expect = i < ML_SYNC_SESSIONS_MAX ? ML_OK : ML_E_LIMIT;
        assert_int_equal(ml_sync_on_open(w.node[A].engine, &open, &session), expect);
    }
    assert_int_equal(session, ML_SYNC_SESSIONS_MAX);
}

static void forgotten_peers_make_room(void **state)
{
    (void)state;
    struct ml_sync_status status;
    world_start(&w, A);
    for (unsigned i = 0; i <= ML_SYNC_PEERS_MAX; i++) {
        uint32_t session = 0;
        struct ml_sync_open open = {.peer = {{0xaa, (uint8_t)i, (uint8_t)(i >> 8)}}};
        assert_int_equal(ml_sync_on_open(w.node[A].engine, &open, &session), ML_OK);
        ml_sync_on_closed(w.node[A].engine, session);
    }
    assert_int_equal(ml_sync_peer_count(w.node[A].engine), ML_SYNC_PEERS_MAX);
    const struct ml_node_id last = {{0xaa, 0, 1}};
    assert_int_equal(ml_sync_peer(w.node[A].engine, &last, &status), ML_OK);
    assert_int_equal(status.state, ML_SYNC_STATE_OFFLINE);
    const struct ml_node_id never = {{0xbb}};
    assert_int_equal(ml_sync_peer(w.node[A].engine, &never, &status), ML_E_NOT_FOUND);
}

/* Both ends must keep the same link, whoever hears of which first. */
static void of_two_crossed_links_both_keep_that_of_the_smaller_id(void **state)
{
    (void)state;
    world_start(&w, A);
    world_start(&w, B);
    int from_b = world_connect(&w, B, A);
    world_run(&w, LATENCY);
    int from_a = world_connect(&w, A, B); /* A is the smaller */
    assert_true(from_b >= 0 && from_a >= 0);
    world_run(&w, 20 * LATENCY);
    assert_true(w.link[from_a].used && !w.link[from_b].used);
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_LIVE);
    assert_int_equal(world_status(&w, B, A).state, ML_SYNC_STATE_LIVE);
    assert_int_equal(world_connect(&w, B, A), -1); /* and the other way round: refused */
    assert_true(w.link[from_a].used);
}

static void a_newer_link_of_the_same_opener_replaces_the_older(void **state)
{
    (void)state;
    world_start(&w, A);
    world_start(&w, B);
    int old = world_connect(&w, B, A);
    world_run(&w, 20 * LATENCY);
    int fresh = world_connect(&w, B, A);
    assert_true(fresh >= 0);
    world_run(&w, 20 * LATENCY);
    assert_true(w.link[fresh].used && !w.link[old].used);
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_LIVE);
}

static void a_pause_ends_all_and_takes_none(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    (void)live_link();
    w.node[B].deaf = false;
    ml_sync_pause(w.node[A].engine);
    world_run(&w, 5 * LATENCY);
    assert_int_equal(w.node[A].last_bye, ML_BYE_PAUSED);
    assert_int_equal(world_status(&w, B, A).state, ML_SYNC_STATE_OFFLINE);
    assert_int_equal(world_status(&w, B, A).last_err, ML_E_CANCELED);
    assert_true(ml_sync_is_paused(w.node[A].engine));
    assert_int_equal(world_connect(&w, A, B), -1);
    int one = append_as(A, a, ML_LANE_RECORD, 10);
    ml_sync_resume(w.node[A].engine);
    assert_true(world_connect(&w, A, B) >= 0);
    world_run(&w, 20 * LATENCY);
    assert_true(world_has(&w, B, one));
}

static void a_canceled_exchange_says_so(void **state)
{
    (void)state;
    int link = live_link();
    ml_sync_cancel(w.node[A].engine, w.link[link].session[0]);
    ml_sync_cancel(w.node[A].engine, 999);
    world_run(&w, 5 * LATENCY);
    assert_int_equal(w.node[A].last_close, ML_E_CANCELED);
    assert_int_equal(w.node[A].last_bye, ML_BYE_STOPPING);
}

static void a_slow_link_is_not_flooded(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    world_run(&w, 30 * LATENCY);
    (void)append_as(A, a, ML_LANE_KEYS, 10000);
    size_t around = w.bundles[append_as(A, a, ML_LANE_KEYS, 10000)].info.bytes - 10000;
    world_run(&w, 30 * LATENCY);
    w.node[A].slow_link = true;
    for (int i = 0; i < 100; i++) { /* eight of them fill the backlog to the byte, and beyond */
        (void)append_as(A, a, ML_LANE_KEYS, ML_SYNC_UNSENT_BYTES / 8 - around);
    }
    world_run(&w, 30 * LATENCY);
    assert_in_range(w.node[A].unsent, ML_SYNC_UNSENT_BYTES, ML_SYNC_UNSENT_BYTES + 1000);
    w.node[A].slow_link = false;
    ml_sync_on_sent(w.node[A].engine, w.link[link].session[0], w.node[A].unsent);
    world_run(&w, 100 * LATENCY);
    assert_true(world_equal(&w, false));
}

/* It asks and asks, and reads nothing. */
static void a_peer_that_reads_nothing_is_left(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    int head = -1;
    for (unsigned i = 0; i <= ML_SYNC_FORK_PLACES_MAX; i++) {
        head = append_as(A, a, ML_LANE_RECORD, 10);
    }
    int link = live_link();
    const struct ml_dep *id = &w.bundles[head].info.id;
    const struct ml_msg msg = {.kind = ML_MSG_FORK_QUERY,
                               .u.fork_query = {.writer = id->writer,
                                                .lane = id->lane,
                                                .first = 1,
                                                .last = ML_SYNC_FORK_PLACES_MAX,
                                                .step = 1,
                                                .head_seq = id->seq,
                                                .head = id->hash}};
    w.node[A].slow_link = true;
    for (unsigned i = 0; i < 5000 && w.node[A].closes == 0; i++) {
        to_a(link, &msg);
        while (world_step(&w, w.now_ms + LATENCY)) {
        }
    }
    assert_int_equal(w.node[A].last_close, ML_E_LIMIT);
    assert_in_range(w.node[A].unsent, ML_SYNC_UNSENT_BYTES_MAX - 4096,
                    ML_SYNC_UNSENT_BYTES_MAX + 4);
}

static void what_waits_for_the_store_is_bounded(void **state)
{
    enum { PEERS = 5, EACH = 230 };
    session_teardown(state);
    world_init(&w, 5, PEERS + 1);
    w.latency_ms = LATENCY;
    for (unsigned n = 1; n <= PEERS; n++) { /* a window's worth each, and more */
        struct ml_writer_id writer = world_writer(&w);
        for (int i = 0; i < EACH; i++) {
            (void)append_as(n, writer, ML_LANE_RECORD, 40000);
        }
    }
    world_start(&w, A);
    world_run(&w, LATENCY);
    for (unsigned n = 1; n <= PEERS; n++) {
        world_start(&w, n);
        (void)world_connect(&w, A, n);
        if (n == 1) {
            world_run(&w, LATENCY / 2);
            w.node[A].slow_store = true; /* and nothing is committed any more */
        }
        world_run(&w, 2 * (uint64_t)ML_SYNC_FEED_MS);
        assert_int_equal(world_status(&w, A, n).last_err, n == PEERS ? ML_E_BUSY : ML_OK);
    }
    assert_int_equal(w.node[A].ingests, 0);
    w.node[A].slow_store = false;
    world_cut_all(&w);
    for (unsigned n = 1; n <= PEERS; n++) {
        (void)world_connect(&w, A, n);
    }
    world_run(&w, 100000);
    assert_true(world_equal(&w, false));
}

/* support_wire.c counts what is open. */
static void pushes_keep_to_the_window(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B); /* equal HELLOs: no CREDIT raises the window */
    world_run(&w, 20 * LATENCY);
    w.node[B].slow_store = true;
    for (unsigned i = 0; i < ML_SYNC_WINDOW_BUNDLES + 40; i++) {
        (void)append_as(A, a, ML_LANE_RECORD, 20);
        if (i % 100 == 99) {
            world_run(&w, LATENCY);
        }
    }
    world_run(&w, LATENCY);
    assert_int_equal(w.link[link].out[0].open_bundles, ML_SYNC_WINDOW_BUNDLES);
    w.node[B].slow_store = false;
    world_run(&w, 100 * LATENCY);
    assert_true(world_equal(&w, false));
    w.node[B].slow_store = true;
    for (unsigned i = 0; i < 20; i++) {
        (void)append_as(A, a, ML_LANE_RECORD, 20000);
    }
    world_run(&w, 10 * LATENCY);
    assert_in_range(w.link[link].out[0].open_bytes, ML_SYNC_WINDOW_BYTES - 21000,
                    ML_SYNC_WINDOW_BYTES);
    w.node[B].slow_store = false;
    world_run(&w, 100 * LATENCY);
    assert_true(world_equal(&w, false));
}

static void a_revocation_overtakes_yesterdays_records(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    struct ml_writer_id g = world_writer(&w);
    for (int i = 0; i < 100; i++) {
        (void)append_as(A, a, ML_LANE_RECORD, 20000);
    }
    world_start(&w, A);
    world_start(&w, B);
    w.node[A].slow_link = true;
    int link = world_connect(&w, A, B);
    world_run(&w, 30 * LATENCY);
    int revocation = append_as(A, g, ML_LANE_GOVERNANCE, 100);
    world_run(&w, LATENCY); /* anchored */
    w.node[A].slow_link = false;
    ml_sync_on_sent(w.node[A].engine, w.link[link].session[0], w.node[A].unsent);
    world_run(&w, 100 * LATENCY);
    assert_true(world_has(&w, B, revocation));
    assert_true(w.node[B].order[revocation] < w.node[B].order[50]);
}

/* ---- the store ---- */

static void a_store_that_cannot_answer_ends_the_session(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    int link = live_link();
    uint32_t session = w.link[link].session[0];
    w.node[A].slow_store = true;
    (void)append_as(A, a, ML_LANE_RECORD, 10);
    world_run(&w, LATENCY);
    world_answer(&w, A); /* the anchor; then LOAD is asked */
    uint32_t query = 0;
    for (unsigned i = 0; i < WORLD_JOBS_MAX; i++) {
        if (w.job[i].used && w.job[i].action.kind == ML_SYNC_LOAD) {
            query = w.job[i].action.query;
        }
    }
    assert_true(query != 0);
    ml_sync_on_failed(w.node[A].engine, session, query + 1000, ML_E_IO); /* nobody waits for it */
    ml_sync_on_failed(w.node[A].engine, session + 1000, query, ML_E_IO);
    world_run(&w, LATENCY);
    assert_int_equal(w.node[A].closes, 0);
    ml_sync_on_failed(w.node[A].engine, session, query, ML_E_IO);
    world_run(&w, LATENCY);
    assert_int_equal(w.node[A].last_close, ML_E_IO);
    assert_int_equal(w.node[A].last_bye, ML_BYE_BUSY);
}

static void answers_nobody_waits_for_change_nothing(void **state)
{
    (void)state;
    static const bool known[1] = {true};
    static const struct ml_sync_count lanes[ML_LANES];
    const struct ml_sync_load load = {.count = 0};
    int link = live_link();
    struct ml_sync *e = w.node[A].engine;
    uint32_t session = w.link[link].session[0];
    for (uint32_t query = 0; query < 30; query++) {
        ml_sync_on_known(e, session, query, known);
        ml_sync_on_places(e, session, query, NULL, 0);
        ml_sync_on_measured(e, session, query, lanes);
        ml_sync_on_loaded(e, session, query, &load);
        ml_sync_on_bodies(e, session, query, NULL, 0);
        ml_sync_on_wanted(e, session, query, NULL, 0);
        ml_sync_on_failed(e, session, query, ML_E_IO);
        ml_sync_on_ingested(e, query, ML_E_IO, NULL, 0);
    }
    ml_sync_on_closed(e, 999);
    ml_sync_on_sent(e, 999, 1);
    ml_sync_on_message(e, 999, ml_slice("x", 1));
    assert_taken();
}

static void a_second_snapshot_is_ignored(void **state)
{
    (void)state;
    const struct ml_sync_snapshot none = {.head_count = 0};
    uint8_t before[32];
    uint8_t after[32];
    struct ml_writer_id a = world_writer(&w);
    (void)append_as(A, a, ML_LANE_RECORD, 10);
    (void)live_link();
    ml_sync_digest(w.node[A].engine, before);
    ml_sync_on_snapshot(w.node[A].engine, &none);
    ml_sync_digest(w.node[A].engine, after);
    assert_memory_equal(before, after, sizeof(before));
}

static void a_snapshot_out_of_order_is_asked_for_again(void **state)
{
    (void)state;
    struct ml_dep heads[2] = {{.writer = {{2}}, .lane = 3, .seq = 1},
                              {.writer = {{1}}, .lane = 3, .seq = 1}};
    struct ml_sync_snapshot snap = {.heads = heads, .head_count = 2};
    world_start(&w, A);
    ml_sync_on_snapshot(w.node[A].engine, &snap);
    assert_false(ml_sync_knows_store(w.node[A].engine));
    world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_true(ml_sync_knows_store(w.node[A].engine));
}

/* ---- status ---- */

static void progress_is_told_and_waiting_ends(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    int last = -1;
    for (int i = 0; i < 50; i++) {
        last = append_as(A, a, ML_LANE_RECORD, 8000);
    }
    world_start(&w, A);
    world_start(&w, B);
    (void)world_connect(&w, A, B);
    const struct ml_dep *goal = &w.bundles[last].info.id;
    assert_false(ml_sync_reached(w.node[B].engine, goal, 1));
    assert_false(world_synced(&w, B, A));
    world_run(&w, 100 * LATENCY);
    assert_true(ml_sync_reached(w.node[B].engine, goal, 1));
    assert_true(ml_sync_reached(w.node[B].engine, &w.bundles[0].info.id, 1));
    assert_true(world_synced(&w, B, A));
    struct ml_sync_status status = world_status(&w, B, A);
    assert_int_equal(status.in.bundles, 50);
    assert_int_equal(status.in.bytes, status.in.bytes_planned);
    assert_int_equal(status.in.ops_planned, 50);
    assert_true(status.last_exchange_ms > 0);
    assert_true(w.node[B].changes >= 3);
    assert_string_equal(ml_sync_state_name(status.state), "LIVE");
    assert_string_equal(ml_sync_state_name((ml_sync_state)99), "?");
    struct ml_dep other = *goal;
    other.hash.b[0] ^= 1; /* the same place on another branch */
    assert_false(ml_sync_reached(w.node[B].engine, &other, 1));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, session_setup, session_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_silent_peer_times_out),
        TEST(a_peer_that_talks_without_progress_times_out),
        TEST(a_quiet_live_link_stays),
        TEST(a_feeder_that_gives_nothing_makes_room),
        TEST(a_held_back_frontier_gives_signs_of_life),
        TEST(frontiers_that_differ_when_both_are_done_are_compared_again),
        TEST(sessions_are_bounded),
        TEST(forgotten_peers_make_room),
        TEST(of_two_crossed_links_both_keep_that_of_the_smaller_id),
        TEST(a_newer_link_of_the_same_opener_replaces_the_older),
        TEST(a_pause_ends_all_and_takes_none),
        TEST(a_canceled_exchange_says_so),
        TEST(a_slow_link_is_not_flooded),
        TEST(pushes_keep_to_the_window),
        TEST(a_peer_that_reads_nothing_is_left),
        TEST(what_waits_for_the_store_is_bounded),
        TEST(a_revocation_overtakes_yesterdays_records),
        TEST(a_store_that_cannot_answer_ends_the_session),
        TEST(answers_nobody_waits_for_change_nothing),
        TEST(a_second_snapshot_is_ignored),
        TEST(a_snapshot_out_of_order_is_asked_for_again),
        TEST(progress_is_told_and_waiting_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
