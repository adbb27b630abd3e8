/* tests/unit/sync/test_sync_chunks.c -- chunks of large values between nodes (rules D3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/manifest.h"
#include "support_world.h"

enum { A, B, C };

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_init(&w, 1, 3);
    w.latency_ms = 20;
    for (unsigned i = 0; i < 3; i++) {
        world_start(&w, i);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

/* `count` chunks of `len` bytes that `with` has and all others lack. */
static void chunks_make(unsigned count, size_t len, unsigned with)
{
    for (unsigned i = 0; i < count; i++) {
        const int at = world_chunk(&w, len);
        for (unsigned n = 0; n < 3; n++) {
            world_chunk_put(&w, n, at, n == with ? CHUNK_HERE : CHUNK_MISSING);
        }
    }
}

static unsigned sent(int link, unsigned side, ml_msg_kind kind)
{
    return w.link[link].out[side].by_kind[kind];
}

static void run_until_here(unsigned node, uint64_t ms)
{
    const uint64_t end = w.now_ms + ms;
    while (world_chunks_at(&w, node, CHUNK_MISSING) > 0 && world_step(&w, end)) {
    }
    assert_int_equal(world_chunks_at(&w, node, CHUNK_MISSING), 0);
}

static void all_that_is_missing_comes_each_once(void **state)
{
    (void)state;
    chunks_make(2 * ML_SYNC_CHUNKS_WANTED + 7, 100, A);
    int link = world_connect(&w, A, B);
    run_until_here(B, 20000);
    assert_int_equal(sent(link, 0, ML_MSG_CHUNK), w.chunk_count);
    assert_int_equal(w.node[B].chunks_stored, w.chunk_count);
    assert_true(world_status(&w, B, A).in.chunks == w.chunk_count);
    assert_true(world_status(&w, A, B).out.chunk_bytes == 100 * w.chunk_count);
    world_run(&w, 200000); /* and nothing more is asked */
    assert_int_equal(sent(link, 0, ML_MSG_CHUNK), w.chunk_count);
}

static void nothing_missing_costs_nothing(void **state)
{
    (void)state;
    int link = world_connect(&w, A, B);
    world_run(&w, 100000);
    assert_int_equal(w.link[link].out[0].messages, 1);
    assert_int_equal(w.node[A].chunk_asks + w.node[B].chunk_asks, 0);
}

/* One megabyte; the link goes at any time. What is stored isn't sent again. */
static void a_cut_loses_what_was_on_its_way_alone(void **state)
{
    (void)state;
    unsigned total = 0;
    chunks_make(16, ML_CHUNK_SEALED_MAX, A);
    w.kbit_s = 4000;
    for (unsigned cut = 0; cut < 5; cut++) {
        const unsigned before = w.node[B].chunks_stored;
        int link = world_connect(&w, A, B);
        while (w.node[B].chunks_stored < before + 2 && world_step(&w, w.now_ms + 1000)) {
        }
        assert_true(w.node[B].chunks_stored >= before + 2);
        total += sent(link, 0, ML_MSG_CHUNK);
        world_cut(&w, link);
        world_run(&w, 1);
    }
    const unsigned stored = w.node[B].chunks_stored;
    assert_true(stored >= 10 && stored < 16);
    int link = world_connect(&w, A, B);
    run_until_here(B, 20000);
    assert_int_equal(sent(link, 0, ML_MSG_CHUNK), 16 - stored);
    assert_int_equal(w.node[B].chunks_stored, 16);
    assert_true(total >= stored);
}

static void what_one_asks_the_others_need_not_give(void **state)
{
    (void)state;
    chunks_make(100, 1000, A);
    for (int i = 0; i < 100; i++) {
        world_chunk_put(&w, C, i, CHUNK_HERE);
    }
    int from_a = world_connect(&w, A, B);
    int from_c = world_connect(&w, C, B);
    run_until_here(B, 20000);
    assert_int_equal(sent(from_a, 0, ML_MSG_CHUNK) + sent(from_c, 0, ML_MSG_CHUNK), 100);
    assert_true(sent(from_a, 0, ML_MSG_CHUNK) > 10 && sent(from_c, 0, ML_MSG_CHUNK) > 10);
}

/* B lacks them too at first: C hears of it, and then that B got some. */
static void what_comes_to_a_neighbour_goes_on_at_once(void **state)
{
    (void)state;
    chunks_make(300, 200, A);
    int to_c = world_connect(&w, B, C);
    world_run(&w, 5000);
    assert_int_equal(world_chunks_at(&w, C, CHUNK_MISSING), 300);
    assert_int_equal(sent(to_c, 0, ML_MSG_CHUNK), 0);
    assert_true(sent(to_c, 0, ML_MSG_CHUNK_ABSENT) > 0);
    (void)world_connect(&w, A, B);
    run_until_here(C, 10000); /* not after a minute */
    assert_int_equal(sent(to_c, 0, ML_MSG_CHUNK), 300);
    assert_true(sent(to_c, 0, ML_MSG_CHUNK_HAVE) > 0);
}

static void what_nobody_has_is_asked_again_later(void **state)
{
    (void)state;
    chunks_make(3, 200, A);
    for (int i = 0; i < 3; i++) {
        world_chunk_put(&w, A, i, CHUNK_UNKNOWN);
    }
    int link = world_connect(&w, A, B);
    world_run(&w, 5000);
    const unsigned asks = w.node[B].chunk_asks;
    assert_int_equal(sent(link, 1, ML_MSG_CHUNK_WANT), 1);
    world_run(&w, 40000);
    assert_int_equal(w.node[B].chunk_asks, asks);
    w.node[A].chunk[1] = CHUNK_HERE; /* A's engine hears nothing of it */
    world_run(&w, 2 * (uint64_t)ML_SYNC_BODIES_MS);
    assert_int_equal(world_chunks_at(&w, B, CHUNK_HERE), 1);
    world_chunk_put(&w, C, 0, CHUNK_HERE);
    world_chunk_put(&w, C, 2, CHUNK_HERE);
    (void)world_connect(&w, C, B); /* a third node has them */
    run_until_here(B, 1000);
}

static void an_altered_chunk_ends_the_link_and_is_not_kept(void **state)
{
    (void)state;
    chunks_make(2, 200, A);
    w.chunks[0].data[150] ^= 1;
    w.checks_off = true; /* A is blamed, and rightly */
    (void)world_connect(&w, A, B);
    world_run(&w, 1000);
    assert_int_equal(w.node[B].last_close, ML_E_FORGED);
    assert_int_equal(w.node[B].chunks_stored, 0);
    assert_int_equal(w.node[B].chunk[0], CHUNK_MISSING);
    w.chunks[0].data[150] ^= 1;
    (void)world_connect(&w, A, B);
    run_until_here(B, 1000);
}

static void a_chunk_that_was_not_asked_ends_the_link(void **state)
{
    (void)state;
    uint8_t bytes[100] = {1};
    struct ml_msg msg = {.kind = ML_MSG_CHUNK, .u.chunk.bytes = {bytes, sizeof(bytes)}};
    struct ml_buf b;
    int link = world_connect(&w, A, B);
    world_run(&w, 1000);
    ml_buf_init(&b, &w.fake.env, ML_MSG_BYTES_MAX);
    assert_int_equal(ml_msg_encode(&b, &msg), ML_OK);
    w.checks_off = true;
    world_inject(&w, link, 1, ml_buf_slice(&b));
    ml_buf_free(&b);
    world_run(&w, 1000);
    assert_int_equal(w.node[B].last_close, ML_E_FORGED);
}

/* So many may wait for an answer, and not one more. */
static void more_wants_than_agreed_end_the_link(void **state)
{
    (void)state;
    static struct ml_hash hashes[ML_MSG_CHUNKS_MAX];
    struct ml_msg msg = {.kind = ML_MSG_CHUNK_WANT};
    struct ml_buf b;
    int link = world_connect(&w, A, B);
    world_run(&w, 1000);
    ml_buf_init(&b, &w.fake.env, ML_MSG_BYTES_MAX);
    msg.u.chunk_list.hashes = (struct ml_list){.items = hashes, .count = ML_MSG_CHUNKS_MAX};
    assert_int_equal(ml_msg_encode(&b, &msg), ML_OK);
    w.node[A].slow_link = true; /* it can't answer */
    w.node[A].unsent = 0;
    world_inject(&w, link, 0, ml_buf_slice(&b));
    world_run(&w, 1000);
    const unsigned closes = w.node[A].closes;
    assert_int_equal(closes, 0);
    ml_buf_clear(&b);
    msg.u.chunk_list.hashes.count = 1;
    assert_int_equal(ml_msg_encode(&b, &msg), ML_OK);
    for (unsigned i = 0; i < ML_MSG_CHUNKS_MAX + 1; i++) {
        world_inject(&w, link, 0, ml_buf_slice(&b));
    }
    ml_buf_free(&b);
    w.checks_off = true;
    world_run(&w, 1000);
    assert_int_equal(w.node[A].last_close, ML_E_LIMIT);
}

/* Bundles overtake them: those that are written while chunks go are there long before the last. */
static void bundles_go_before_chunks(void **state)
{
    (void)state;
    chunks_make(64, ML_CHUNK_SEALED_MAX, A);
    w.kbit_s = 2000;
    (void)world_connect(&w, A, B);
    while (world_chunks_at(&w, B, CHUNK_HERE) < 4 && world_step(&w, w.now_ms + 60000)) {
    }
    const struct world_write write = {
        .writer = world_writer(&w), .lane = ML_LANE_RECORD, .ops = 4, .op_bytes = 200};
    const int at = world_append(&w, A, &write);
    const unsigned before = world_chunks_at(&w, B, CHUNK_HERE);
    while (!world_has(&w, B, at) && world_step(&w, w.now_ms + 60000)) {
    }
    assert_true(world_has(&w, B, at));
    assert_true(world_chunks_at(&w, B, CHUNK_HERE) <= before + 3);
    run_until_here(B, 300000);
}

static void a_store_that_is_full_holds_chunks_alone(void **state)
{
    (void)state;
    chunks_make(40, 2000, A);
    w.node[B].chunk_err = ML_E_FULL;
    int link = world_connect(&w, A, B);
    world_run(&w, 5000);
    assert_int_equal(world_chunks_at(&w, B, CHUNK_HERE) + 40 - w.node[B].chunks_stored, 40);
    assert_true(world_chunks_at(&w, B, CHUNK_MISSING) > 0);
    const unsigned asked = sent(link, 1, ML_MSG_CHUNK_WANT);
    world_run(&w, 30000);
    assert_int_equal(sent(link, 1, ML_MSG_CHUNK_WANT), asked);
    const struct world_write write = {
        .writer = world_writer(&w), .lane = ML_LANE_RECORD, .ops = 4, .op_bytes = 200};
    const int at = world_append(&w, A, &write);
    world_run(&w, 1000);
    assert_true(world_has(&w, B, at));
    run_until_here(B, 2 * (uint64_t)ML_SYNC_BODIES_MS);
}

/* A chunk that never comes: the clocks run, and the link ends. */
static void a_peer_that_owes_chunks_for_ever_is_left(void **state)
{
    (void)state;
    chunks_make(3, 200, A);
    int link = world_connect(&w, A, B);
    while (sent(link, 1, ML_MSG_CHUNK_WANT) == 0 && world_step(&w, w.now_ms + 1000)) {
    }
    w.node[A].deaf = true;
    world_run(&w, ML_SYNC_SILENT_MS + 1000);
    assert_int_equal(w.node[B].last_close, ML_E_TIMEOUT);
}

/* Each allocation of the exchange fails in turn, on the side that asks and on the one that gives.
 */
static void exchange_with_a_failure(unsigned side, long nth)
{
    const int at = world_chunk(&w, 100);
    world_chunk_put(&w, A, at, CHUNK_HERE);
    world_chunk_put(&w, B, at, CHUNK_MISSING);
    w.node[side].fake.fail_alloc = nth;
    int link = world_connect(&w, A, B);
    world_run(&w, 3000);
    w.node[side].fake.fail_alloc = 0;
    if (link >= 0) {
        world_cut(&w, link);
        world_run(&w, 1);
    }
    (void)world_connect(&w, A, B);
    run_until_here(B, 70000);
    world_cut_all(&w);
    world_run(&w, 1);
}

static void each_failed_allocation_ends_a_session_at_most(void **state)
{
    (void)state;
    for (long nth = 1; nth < 60; nth++) {
        exchange_with_a_failure(A, nth);
        exchange_with_a_failure(B, nth);
    }
}

/* Who was revoked gives what others lack, and is told that we have nothing for him. */
static void who_drains_gets_no_chunk(void **state)
{
    (void)state;
    chunks_make(ML_SYNC_CHUNKS_WANTED + 7, 100, A);
    const int his = world_chunk(&w, 100);
    world_chunk_put(&w, A, his, CHUNK_MISSING);
    world_chunk_put(&w, B, his, CHUNK_HERE);
    int link = world_connect_as(&w, A, B, WORLD_DRAINED);
    world_run(&w, 20000);
    assert_int_equal(sent(link, 0, ML_MSG_CHUNK), 0);
    assert_true(sent(link, 0, ML_MSG_CHUNK_ABSENT) > 0);
    assert_int_equal(w.node[B].chunks_stored, 0);
    assert_int_equal(world_chunks_at(&w, A, CHUNK_MISSING), 0);
    assert_int_equal(w.node[A].closes + w.node[B].closes, 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(all_that_is_missing_comes_each_once),
        T(nothing_missing_costs_nothing),
        T(a_cut_loses_what_was_on_its_way_alone),
        T(what_one_asks_the_others_need_not_give),
        T(what_comes_to_a_neighbour_goes_on_at_once),
        T(what_nobody_has_is_asked_again_later),
        T(an_altered_chunk_ends_the_link_and_is_not_kept),
        T(a_chunk_that_was_not_asked_ends_the_link),
        T(more_wants_than_agreed_end_the_link),
        T(bundles_go_before_chunks),
        T(a_store_that_is_full_holds_chunks_alone),
        T(a_peer_that_owes_chunks_for_ever_is_left),
        T(who_drains_gets_no_chunk),
        T(each_failed_allocation_ends_a_session_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
