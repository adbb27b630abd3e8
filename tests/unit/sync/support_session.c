/* tests/unit/sync/support_session.c -- see support_session.h. */
#include "support_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct world w;

int session_setup(void **state)
{
    (void)state;
    world_init(&w, 5, 3);
    w.latency_ms = LATENCY;
    return 0;
}

int session_teardown(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

int append_as(unsigned node, struct ml_writer_id writer, uint8_t lane, size_t op_bytes)
{
    const struct world_write write = {
        .writer = writer, .lane = lane, .ops = 1, .op_bytes = op_bytes, .lone = true};
    return world_append(&w, node, &write);
}

int foreign(uint8_t lane, uint32_t ops, size_t op_bytes)
{
    const struct world_write write = {
        .writer = world_writer(&w), .lane = lane, .ops = ops, .op_bytes = op_bytes, .lone = true};
    return world_make(&w, C, &write);
}

int live_link(void)
{
    world_start(&w, A);
    world_start(&w, B);
    int link = world_connect(&w, A, B);
    world_run(&w, 100 * LATENCY);
    assert_int_equal(world_status(&w, A, B).state, ML_SYNC_STATE_LIVE);
    w.checks_off = true; /* from here on B may be anybody */
    w.node[B].deaf = true;
    return link;
}

void to_a(int link, const struct ml_msg *msg)
{
    struct ml_buf buf;
    ml_buf_init(&buf, &w.fake.env, ML_MSG_BYTES_MAX);
    assert_int_equal(ml_msg_encode(&buf, msg), ML_OK);
    world_inject(&w, link, 0, ml_buf_slice(&buf));
    ml_buf_free(&buf);
}

void assert_taken(void)
{
    world_run(&w, 2 * LATENCY);
    assert_int_equal(w.node[A].closes, 0);
}
