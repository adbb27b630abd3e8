/* tests/unit/sync/test_sync_session.c -- what a session refuses, bounds, and offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_session.h"
#include "support_store.h"

static void assert_refused(ml_err err, uint8_t bye)
{
    world_run(&w, 5 * LATENCY);
    assert_int_equal(w.node[A].closes, 1);
    assert_int_equal(w.node[A].last_close, err);
    assert_int_equal(w.node[A].last_bye, bye);
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_OFFLINE);
    assert_int_equal(world_status(&w, A, B).last_err, err);
}

static struct ml_msg bundles_msg(uint64_t number, const struct ml_slice *wires, uint32_t count)
{
    struct ml_msg msg = {.kind = ML_MSG_BUNDLES};
    msg.u.bundles.number = number;
    msg.u.bundles.items = (struct ml_list){.count = count, .items = wires};
    return msg;
}

static struct ml_slice wire_of(int bundle)
{
    return ml_slice(w.bundles[bundle].wire, w.bundles[bundle].info.bytes);
}

/* ---- bytes ---- */

static void bytes_that_are_no_message_end_the_session(void **state)
{
    (void)state;
    static const uint8_t junk[] = {0xff, 0x80};
    int link = live_link();
    world_inject(&w, link, 0, ml_slice(junk, sizeof(junk)));
    assert_refused(ML_E_MALFORMED, ML_BYE_PROTOCOL);
}

/* A later program says the highest version that it speaks, and perhaps more behind what we know:
 * the exchange has ours, and it brings what we lack. */
static void a_later_program_is_talked_to_in_our_version(void **state)
{
    (void)state;
    (void)append_as(B, world_writer(&w), ML_LANE_RECORD, 100);
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    world_run(&w, LATENCY / 2); /* both HELLOs are on their way */
    struct world_msg *said = w.link[link].out[1].first;
    uint8_t hello[ML_HELLO_BYTES + 8] = {0};
    assert_true(said != NULL && said->len == ML_HELLO_BYTES);
    memcpy(hello, said->data, said->len);
    hello[0] = ML_MSG_VERSION + 1;
    hello[1] |= 0x80; /* flags and capabilities of later versions */
    hello[13] |= 0x80;
    free(said); /* B's own HELLO never came */
    w.link[link].out[1].first = w.link[link].out[1].last = NULL;
    world_inject(&w, link, 0, ml_slice(hello, sizeof(hello)));
    world_run(&w, 100 * LATENCY);
    assert_int_equal(w.node[A].closes, 0);
    assert_true(world_status(&w, A, B).synced);
    assert_true(world_status(&w, A, B).in.bundles > 0);
}

static void a_bundle_of_a_later_version_ends_it_and_is_told(void **state)
{
    (void)state;
    const int made = foreign(ML_LANE_RECORD, 1, 100);
    int link = live_link();
    uint8_t later[ML_BUNDLE_BYTES_MAX];
    const struct ml_slice wire = wire_of(made);
    struct ml_bundle bundle;
    assert_int_equal(ml_bundle_decode(&bundle, wire, NULL), ML_OK);
    memcpy(later, wire.data, wire.len);
    later[bundle.header_bytes.data - wire.data + 2] = ML_BUNDLE_VERSION + 1; /* map, key, value */
    const struct ml_slice one = ml_slice(later, wire.len);
    const struct ml_msg msg = bundles_msg(1, &one, 1);
    to_a(link, &msg);
    assert_refused(ML_E_VERSION, ML_BYE_VERSION);
}

static void anything_before_hello_ends_it(void **state)
{
    (void)state;
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    w.checks_off = true;
    const struct ml_msg plan = {.kind = ML_MSG_PLAN};
    to_a(link, &plan);
    assert_refused(ML_E_PROTOCOL, ML_BYE_PROTOCOL);
}

static void messages_out_of_place_end_it(void **state)
{
    (void)state;
    const struct ml_dep head = {.lane = 3, .seq = 4};
    const struct ml_hash16 hash = {{1}};
    const struct ml_msg messages[] = {
        {.kind = ML_MSG_HELLO},
        {.kind = ML_MSG_FRONTIER}, /* nobody asked for a new round */
        {.kind = ML_MSG_FRONTIER, .u.frontier = {.unknown_base = true}},
        {.kind = ML_MSG_COMMIT, .u.commit = {.number = 1}},
        {.kind = ML_MSG_DONE},
        {.kind = ML_MSG_FORK_ANSWER,
         .u.fork_answer = {.lane = 3, .first = 1, .step = 1, .hashes = {{NULL, 0}, 1, &hash}}},
        {.kind = ML_MSG_ENROL_READY},
        {.kind = ML_MSG_FORK_QUERY,
         .u.fork_query = {.lane = 3,
                          .first = 1,
                          .last = ML_SYNC_FORK_PLACES_MAX + 1,
                          .step = 1,
                          .head_seq = 1000,
                          .head = {{1}}}},
    };
    (void)head;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        int link = live_link();
        to_a(link, &messages[i]);
        bool limit = messages[i].kind == ML_MSG_FORK_QUERY;
        assert_refused(limit ? ML_E_LIMIT : ML_E_PROTOCOL, limit ? ML_BYE_LIMIT : ML_BYE_PROTOCOL);
        session_teardown(state);
        session_setup(state);
    }
}

static void a_place_query_up_to_the_limit_is_answered(void **state)
{
    (void)state;
    int link = live_link();
    const struct ml_msg msg = {.kind = ML_MSG_FORK_QUERY,
                               .u.fork_query = {.lane = 3,
                                                .first = 1,
                                                .last = ML_SYNC_FORK_PLACES_MAX,
                                                .step = 1,
                                                .head_seq = 1000,
                                                .head = {{1}}}};
    to_a(link, &msg);
    assert_taken();
    assert_int_equal(w.link[link].out[0].by_kind[ML_MSG_FORK_ANSWER], 1);
}

static void place_queries_are_bounded(void **state)
{
    (void)state;
    struct ml_msg msg = {
        .kind = ML_MSG_FORK_QUERY,
        .u.fork_query = {
            .lane = 3, .first = 1, .last = 1, .step = 1, .head_seq = 2, .head = {{1}}}};
    int link = live_link();
    w.node[A].slow_store = true;
    for (unsigned i = 0; i < ML_SYNC_FORKS_MAX; i++) {
        to_a(link, &msg);
    }
    assert_taken();
    to_a(link, &msg);
    assert_refused(ML_E_LIMIT, ML_BYE_LIMIT);
}

static void body_requests_come_one_at_a_time_and_bounded(void **state)
{
    static struct ml_hash16 hashes[ML_SYNC_BODIES_MAX + 1];
    struct ml_msg msg = {.kind = ML_MSG_BODY_REQUEST};
    int link = live_link();
    w.node[A].slow_store = true;
    msg.u.body_request.hashes = (struct ml_list){.count = ML_SYNC_BODIES_MAX, .items = hashes};
    to_a(link, &msg);
    assert_taken();
    to_a(link, &msg);
    assert_refused(ML_E_PROTOCOL, ML_BYE_PROTOCOL);
    session_teardown(state);
    session_setup(state);
    link = live_link();
    msg.u.body_request.hashes.count = ML_SYNC_BODIES_MAX + 1;
    to_a(link, &msg);
    assert_refused(ML_E_LIMIT, ML_BYE_LIMIT);
}

static void bodies_nobody_asked_for_are_no_harm(void **state)
{
    (void)state;
    const struct ml_absent_body absent = {.hash = {{9}}, .reason = 1};
    struct ml_msg msg = {.kind = ML_MSG_ABSENT};
    msg.u.absent.items = (struct ml_list){.count = 1, .items = &absent};
    int link = live_link();
    to_a(link, &msg);
    assert_taken();
}

static void a_frontier_in_parts_is_one_list(void **state)
{
    (void)state;
    struct ml_dep heads[2] = {{.writer = {{2}}, .lane = 3, .seq = 1},
                              {.writer = {{1}}, .lane = 3, .seq = 1}};
    struct ml_msg msg = {.kind = ML_MSG_FRONTIER, .u.frontier = {.more = true, .reply = true}};
    int link = live_link();
    msg.u.frontier.heads = (struct ml_list){.count = 1, .items = &heads[0]};
    to_a(link, &msg);
    assert_taken();
    msg.u.frontier.heads.items = &heads[1];
    to_a(link, &msg);
    assert_refused(ML_E_PROTOCOL, ML_BYE_PROTOCOL);
}

static void rounds_that_a_peer_begins_are_bounded(void **state)
{
    (void)state;
    const struct ml_msg msg = {.kind = ML_MSG_FRONTIER, .u.frontier = {.reply = true}};
    int link = live_link();
    for (unsigned i = 0; i < ML_SYNC_ROUNDS_MAX; i++) {
        to_a(link, &msg);
    }
    assert_taken();
    to_a(link, &msg);
    assert_refused(ML_E_LIMIT, ML_BYE_LIMIT);
}

/* ---- windows ---- */

static void bundles_come_in_number(void **state)
{
    (void)state;
    int link = live_link();
    struct ml_slice wire = wire_of(foreign(ML_LANE_RECORD, 1, 10));
    struct ml_msg msg = bundles_msg(1, &wire, 1);
    to_a(link, &msg);
    assert_taken();
    msg = bundles_msg(3, &wire, 1);
    to_a(link, &msg);
    assert_refused(ML_E_PROTOCOL, ML_BYE_PROTOCOL);
}

static void no_more_bundles_than_the_window(void **state)
{
    (void)state;
    static struct ml_slice wires[ML_SYNC_WINDOW_BUNDLES];
    int link = live_link();
    w.node[A].slow_store = true;
    for (unsigned i = 0; i < ML_SYNC_WINDOW_BUNDLES; i++) {
        wires[i] = wire_of(foreign(ML_LANE_RECORD, 1, 10));
    }
    struct ml_msg msg = bundles_msg(1, wires, ML_SYNC_WINDOW_BUNDLES);
    to_a(link, &msg);
    assert_taken();
    msg = bundles_msg(2, wires, 1);
    to_a(link, &msg);
    assert_refused(ML_E_LIMIT, ML_BYE_LIMIT);
}

static void no_more_bytes_than_the_window(void **state)
{
    (void)state;
    int link = live_link();
    uint64_t number = 0;
    size_t bytes = 0;
    w.node[A].slow_store = true;
    for (;;) {
        struct ml_slice wire = wire_of(foreign(ML_LANE_RECORD, 1, 40000));
        bytes += wire.len;
        struct ml_msg msg = bundles_msg(++number, &wire, 1);
        to_a(link, &msg);
        if (bytes > ML_SYNC_WINDOW_BYTES) {
            break;
        }
        assert_taken();
    }
    assert_refused(ML_E_LIMIT, ML_BYE_LIMIT);
}

static void what_is_inside_is_checked_before_it_is_kept(void **state)
{
    (void)state;
    static const uint8_t junk[] = {0x93, 0x01, 0x02, 0x03};
    int link = live_link();
    struct ml_slice wires[2] = {wire_of(foreign(ML_LANE_RECORD, 1, 10)),
                                ml_slice(junk, sizeof(junk))};
    struct ml_msg msg = bundles_msg(1, wires, 2);
    to_a(link, &msg);
    assert_refused(ML_E_MALFORMED, ML_BYE_PROTOCOL);
    assert_int_equal(w.node[A].ingests, 0);
}

static void only_keys_pass_a_restricted_link(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    (void)append_as(A, a, ML_LANE_KEYS, 10);
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect_as(&w, A, B, WORLD_RESTRICTED);
    w.checks_off = true;
    for (int i = 0; i < 100 && !w.link[link].out[0].by_kind[ML_MSG_FRONTIER]; i++) {
        (void)world_step(&w, w.now_ms + LATENCY);
    }
    struct ml_slice wire = wire_of(foreign(ML_LANE_RECORD, 1, 10));
    struct ml_msg msg = bundles_msg(1, &wire, 1);
    to_a(link, &msg);
    world_run(&w, 10 * LATENCY);
    assert_int_equal(w.node[A].last_close, ML_E_PROTOCOL);
}

static void a_peer_cannot_raise_our_window_without_end(void **state)
{
    (void)state;
    int link = live_link();
    const struct ml_msg credit = {.kind = ML_MSG_CREDIT,
                                  .u.credit = {.bytes = UINT32_MAX, .bundles = UINT32_MAX}};
    for (int i = 0; i < 5; i++) {
        to_a(link, &credit);
    }
    assert_taken();
}

/* ---- batches ---- */

static void a_batch_waits_for_more_input_up_to_250_ms(void **state)
{
    (void)state;
    int link = live_link();
    struct ml_slice wire = wire_of(foreign(ML_LANE_RECORD, 1, 10));
    struct ml_buf buf;
    struct ml_msg msg = bundles_msg(1, &wire, 1);
    ml_buf_init(&buf, &w.fake.env, ML_MSG_BYTES_MAX);
    assert_int_equal(ml_msg_encode(&buf, &msg), ML_OK);
    ml_sync_on_message(w.node[A].engine, w.link[link].session[0], ml_buf_slice(&buf));
    ml_buf_free(&buf);
    world_pump(&w);
    assert_int_equal(w.node[A].ingesting, 0); /* nobody said that it was all */
    ml_sync_tick(w.node[A].engine, w.now_ms + ML_SYNC_BATCH_MS - 1);
    world_pump(&w);
    assert_int_equal(w.node[A].ingesting, 0);
    ml_sync_tick(w.node[A].engine, w.now_ms + ML_SYNC_BATCH_MS);
    world_pump(&w);
    assert_int_equal(w.node[A].ingesting, 1);
}

static void a_batch_ends_at_16384_ops(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    for (int i = 0; i < 100; i++) {
        const struct world_write write = {
            .writer = a, .lane = ML_LANE_RECORD, .ops = 256, .op_bytes = 17, .lone = true};
        (void)world_append(&w, A, &write);
    }
    world_start(&w, A);
    world_start(&w, B);
    (void)world_connect(&w, A, B);
    w.node[B].slow_store = true;
    for (int i = 0; i < 12; i++) { /* all is received while the first batch is at the store */
        world_run(&w, 20 * LATENCY);
        if (w.node[B].ingesting == 0) {
            world_answer(&w, B);
        }
    }
    unsigned before = w.node[B].ingests;
    w.node[B].slow_store = false;
    world_run(&w, 50 * LATENCY);
    assert_true(world_equal(&w, false));
    /* 25,600 ops: two batches at least, whatever came first */
    assert_in_range(w.node[B].ingests - before, 2, 4);
}

static void a_full_disk_ends_the_sessions_and_loses_nothing(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    int one = append_as(A, a, ML_LANE_RECORD, 10);
    world_start(&w, A);
    world_start(&w, B);
    (void)world_connect(&w, A, B);
    w.node[B].ingest_err = ML_E_FULL;
    world_run(&w, 20 * LATENCY);
    assert_int_equal(w.node[B].last_close, ML_E_FULL);
    assert_int_equal(w.node[B].last_bye, ML_BYE_FULL);
    assert_false(world_has(&w, B, one));
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    assert_true(world_has(&w, B, one));
    assert_true(world_synced(&w, A, B));
}

static void a_forged_bundle_ends_its_session_alone(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    world_start(&w, A);
    world_start(&w, B);
    world_start(&w, C);
    (void)world_connect(&w, A, B);
    (void)world_connect(&w, C, B);
    world_run(&w, 20 * LATENCY);
    w.checks_off = true;
    w.node[B].refuse_next = true;
    (void)append_as(A, a, ML_LANE_RECORD, 10);
    world_run(&w, 20 * LATENCY);
    assert_int_equal(w.node[B].last_close, ML_E_FORGED);
    assert_int_equal(w.node[B].last_bye, ML_BYE_PROTOCOL);
    assert_int_equal(world_status(&w, B, A).state, ML_SYNC_STATE_OFFLINE);
    assert_int_equal(world_status(&w, B, C).state, ML_SYNC_STATE_LIVE);
}

/* ---- offering ---- */

static void nothing_own_is_offered_before_the_anchor(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    w.node[A].no_anchor = true;
    int one = append_as(A, a, ML_LANE_RECORD, 10);
    world_run(&w, 5 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_int_equal(w.link[link].out[0].bundles, 0);
    w.node[A].no_anchor = false; /* there is room again: it is tried again */
    world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_true(world_has(&w, B, one));
}

/* The record takes its time, and somebody writes meanwhile: it covers what it was asked for. */
static void what_is_written_meanwhile_waits_for_its_own_record(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    world_start(&w, A);
    world_start(&w, B);
    (void)world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    w.node[A].slow_store = true;
    int one = append_as(A, a, ML_LANE_RECORD, 10);
    world_run(&w, LATENCY);
    int two = append_as(A, a, ML_LANE_RECORD, 10);
    world_answer(&w, A);
    w.node[A].no_anchor = true;
    w.node[A].slow_store = false;
    world_run(&w, 5 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_true(world_has(&w, B, one));
    assert_false(world_has(&w, B, two));
    w.node[A].no_anchor = false;
    world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_true(world_has(&w, B, two));
}

/* What is sealed is of no use without its keys, and waits where they don't come. */
static void records_are_not_offered_before_their_keys_may_be(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    (void)append_as(A, a, ML_LANE_RECORD, 10); /* its chain was there first */
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    world_run(&w, 20 * LATENCY);
    const uint64_t before = w.link[link].out[0].bundles;
    w.node[A].no_lanes = 1u << ML_LANE_KEYS;
    int key = append_as(A, a, ML_LANE_KEYS, 10);
    int record = append_as(A, a, ML_LANE_RECORD, 10);
    world_run(&w, 5 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_int_equal(w.link[link].out[0].bundles, before);
    w.node[A].no_lanes = 0;
    world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_true(world_has(&w, B, key));
    assert_true(world_has(&w, B, record));
}

static void hello_waits_for_the_anchor_of_what_was_written_alone(void **state)
{
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    (void)append_as(A, a, ML_LANE_RECORD, 10);
    world_start(&w, A);
    world_start(&w, B);
    w.node[A].no_anchor = true;
    int link = world_connect(&w, A, B);
    world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_int_equal(w.link[link].out[0].messages, 0);
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_START);
    w.node[A].no_anchor = false;
    world_run(&w, 2 * (uint64_t)ML_SYNC_RETRY_MS);
    assert_true(world_equal(&w, false));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, session_setup, session_teardown)
    const struct CMUnitTest tests[] = {
        TEST(bytes_that_are_no_message_end_the_session),
        TEST(a_later_program_is_talked_to_in_our_version),
        TEST(a_bundle_of_a_later_version_ends_it_and_is_told),
        TEST(anything_before_hello_ends_it),
        TEST(messages_out_of_place_end_it),
        TEST(a_place_query_up_to_the_limit_is_answered),
        TEST(place_queries_are_bounded),
        TEST(body_requests_come_one_at_a_time_and_bounded),
        TEST(bodies_nobody_asked_for_are_no_harm),
        TEST(a_frontier_in_parts_is_one_list),
        TEST(rounds_that_a_peer_begins_are_bounded),
        TEST(bundles_come_in_number),
        TEST(no_more_bundles_than_the_window),
        TEST(no_more_bytes_than_the_window),
        TEST(what_is_inside_is_checked_before_it_is_kept),
        TEST(only_keys_pass_a_restricted_link),
        TEST(a_peer_cannot_raise_our_window_without_end),
        TEST(a_batch_waits_for_more_input_up_to_250_ms),
        TEST(a_batch_ends_at_16384_ops),
        TEST(a_full_disk_ends_the_sessions_and_loses_nothing),
        TEST(a_forged_bundle_ends_its_session_alone),
        TEST(nothing_own_is_offered_before_the_anchor),
        TEST(what_is_written_meanwhile_waits_for_its_own_record),
        TEST(records_are_not_offered_before_their_keys_may_be),
        TEST(hello_waits_for_the_anchor_of_what_was_written_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
