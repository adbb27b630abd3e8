/* tests/unit/sync/test_sync_limits.c -- limits whose other side needs many chains or much time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"
#include "support_world.h"
#include "sync/internal.h"

#define LATENCY ((uint64_t)10)

enum { A, B };

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_init(&w, 7, 2);
    w.latency_ms = LATENCY;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

/* ---- own chains ---- */

static struct ml_writer_id writer_no(uint32_t n)
{
    return (struct ml_writer_id){{(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 1}};
}

/* Whether the engine takes a snapshot with so many own chains, which nobody has written to yet. */
static bool takes_own(struct ml_sync *e, size_t count)
{
    struct ml_sync_own *own = calloc(count, sizeof(*own));
    assert_non_null(own);
    for (uint32_t i = 0; i < count; i++) {
        own[i] = (struct ml_sync_own){.writer = writer_no(i), .lane = ML_LANE_RECORD};
    }
    const struct ml_sync_snapshot snapshot = {.own = own, .own_count = count};
    ml_sync_on_snapshot(e, &snapshot);
    free(own);
    return e->ready;
}

static void own_chains_end_at_their_limit(void **state)
{
    (void)state;
    struct fake_env fake;
    struct ml_sync *e = NULL;
    fake_env_init(&fake, 1);
    const struct ml_sync_config config = {.env = &fake.env};
    assert_int_equal(ml_sync_new(&e, &config), ML_OK);
    assert_false(takes_own(e, (size_t)ML_SYNC_OWN_MAX + 1));
    assert_true(takes_own(e, ML_SYNC_OWN_MAX));
    const struct ml_sync_bundle known = {
        .id = {.writer = writer_no(5), .lane = ML_LANE_RECORD, .seq = 1}};
    ml_sync_on_append(e, &known, false);
    assert_true(e->ready);
    const struct ml_sync_bundle fresh = {
        .id = {.writer = writer_no(ML_SYNC_OWN_MAX), .lane = ML_LANE_RECORD, .seq = 1}};
    ml_sync_on_append(e, &fresh, false); /* one more: the store is asked anew, nothing is lost */
    assert_false(e->ready);
    ml_sync_free(e);
    assert_int_equal(fake.live, 0);
}

/* ---- windows ---- */

static void credit_raises_a_window_up_to_its_limit(void **state)
{
    (void)state;
    struct ml_sess s = {.window_bytes = ML_SYNC_WINDOW_BYTES,
                        .window_bundles = ML_SYNC_WINDOW_BUNDLES};
    struct ml_msg_credit credit = {.bytes = ML_SYNC_WINDOW_BYTES_MAX - ML_SYNC_WINDOW_BYTES,
                                   .bundles =
                                       ML_SYNC_WINDOW_BUNDLES_MAX - ML_SYNC_WINDOW_BUNDLES - 1};
    assert_int_equal(ml_sess_on_credit(&s, &credit), ML_OK);
    assert_int_equal(s.window_bytes, ML_SYNC_WINDOW_BYTES_MAX);
    assert_int_equal(s.window_bundles, ML_SYNC_WINDOW_BUNDLES_MAX - 1);
    credit = (struct ml_msg_credit){.bytes = 1, .bundles = 1};
    assert_int_equal(ml_sess_on_credit(&s, &credit), ML_OK);
    assert_int_equal(s.window_bytes, ML_SYNC_WINDOW_BYTES_MAX);
    assert_int_equal(s.window_bundles, ML_SYNC_WINDOW_BUNDLES_MAX);
    credit = (struct ml_msg_credit){.bytes = UINT32_MAX, .bundles = UINT32_MAX};
    assert_int_equal(ml_sess_on_credit(&s, &credit), ML_OK);
    assert_int_equal(s.window_bytes, ML_SYNC_WINDOW_BYTES_MAX);
    assert_int_equal(s.window_bundles, ML_SYNC_WINDOW_BUNDLES_MAX);
}

/* ---- batches ---- */

static void a_batch_ends_at_8_mib(void **state)
{
    enum { EACH = 40000 };
    (void)state;
    struct ml_writer_id a = world_writer(&w);
    for (int i = 0; i < 420; i++) { /* 16.8 MB */
        const struct world_write write = {
            .writer = a, .lane = ML_LANE_RECORD, .ops = 1, .op_bytes = EACH, .lone = true};
        (void)world_append(&w, A, &write);
    }
    world_start(&w, A);
    world_start(&w, B);
    (void)world_connect(&w, A, B);
    w.node[B].slow_store = true;
    for (int i = 0; i < 40 && w.node[B].ingests < 5; i++) { /* what comes meanwhile waits */
        world_run(&w, 20 * LATENCY);
        if (w.node[B].ingesting == 0 || w.node[B].ingests > 0) {
            world_answer(&w, B);
        }
    }
    w.node[B].slow_store = false;
    world_run(&w, 50 * LATENCY);
    assert_true(world_equal(&w, false));
    /* As large as the next bundle allows, and never larger. */
    assert_in_range(w.node[B].ingest_most, ML_SYNC_BATCH_BYTES - 2 * EACH, ML_SYNC_BATCH_BYTES);
}

/* ---- questions ---- */

static void a_known_question_names_1024_heads_at_most(void **state)
{
    enum { CHAINS = ML_SYNC_QUERY_HEADS_MAX + 6 };
    (void)state;
    for (unsigned i = 0; i < CHAINS; i++) { /* A is one bundle ahead in each chain */
        struct ml_writer_id writer = world_writer(&w);
        const struct world_write write = {
            .writer = writer, .lane = ML_LANE_RECORD, .ops = 1, .op_bytes = 20, .lone = true};
        store_keep(&w, B, world_make(&w, A, &write));
        (void)world_make(&w, A, &write);
    }
    world_start(&w, A);
    world_start(&w, B);
    (void)world_connect(&w, A, B);
    world_run(&w, 1000 * LATENCY);
    assert_true(world_equal(&w, false));
    assert_int_equal(w.node[A].known_most, ML_SYNC_QUERY_HEADS_MAX);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(own_chains_end_at_their_limit),
        TEST(credit_raises_a_window_up_to_its_limit),
        TEST(a_batch_ends_at_8_mib),
        TEST(a_known_question_names_1024_heads_at_most),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
