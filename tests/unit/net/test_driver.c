/* tests/unit/net/test_driver.c -- a node on its thread, its sockets on the loop: two such pairs
 * meet, a client is served, and a stop loses no last word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "support_driver.h"

static void nodes_meet_talk_and_part(void **state)
{
    struct driver_fixture *f = *state;
    driver_start(f);
    assert_int_equal(driver_ask(f, 1, "dial"), ML_OK);
    driver_wait(f, 0, 2); /* up, and the last ping */
    driver_wait(f, 1, 2);
    driver_stop(f);
    assert_true(f->sides[0].node.messages >= DRIVER_PINGS);
    assert_true(f->sides[1].node.messages >= DRIVER_PINGS);
    assert_int_equal(strncmp(f->sides[1].node.address, "127.0.0.1:", 10), 0);
}

static void a_dial_to_nobody_is_told(void **state)
{
    struct driver_fixture *f = *state;
    driver_start(f);
    snprintf(f->dialled, sizeof(f->dialled), "127.0.0.1:1");
    assert_int_equal(driver_ask(f, 1, "dial"), ML_OK);
    driver_wait(f, 1, 1);
    driver_stop(f);
    assert_int_equal(f->sides[1].node.dial_reason, ML_E_UNREACHABLE);
}

static void on_event(void *user, const char *name, const struct ml_value *params)
{
    (void)params;
    *(bool *)user = strcmp(name, "called") == 0;
}

static void on_answer(void *user, uint64_t ticket, const struct ml_answer *answer)
{
    (void)ticket;
    *(ml_err *)user = answer->err;
}

static void a_client_is_served_by_the_node(void **state)
{
    struct driver_fixture *f = *state;
    driver_start(f);
    struct ml_client *c = driver_client(f, 0);
    bool heard = false;
    ml_err held = ML_OK;
    assert_int_equal(ml_client_subscribe(c, "called", on_event, &heard), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, DRIVER_GUARD_MS), ML_OK);
    assert_true(heard);
    assert_int_equal(ml_client_request(c, NULL, "wake", NULL, DRIVER_GUARD_MS), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "hold", NULL, 1), ML_E_TIMEOUT);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, DRIVER_GUARD_MS), ML_OK);
    const struct ml_ask ask = {.method = "hold", .done = on_answer, .user = &held};
    assert_int_equal(ml_client_call(c, NULL, &ask), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, DRIVER_GUARD_MS), ML_OK);
    driver_stop(f);
    while (held == ML_OK) { /* its answer was the node's last word */
        ml_err err = ml_client_work(c, DRIVER_GUARD_MS);
        assert_true(err == ML_OK || held != ML_OK);
    }
    assert_int_equal(held, ML_E_CANCELED);
    ml_client_close(c);
    assert_int_equal(f->sides[0].node.ticks, 1);
    assert_int_equal(f->sides[0].node.cancels, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, driver_setup, driver_teardown)
    const struct CMUnitTest tests[] = {
        T(nodes_meet_talk_and_part),
        T(a_dial_to_nobody_is_told),
        T(a_client_is_served_by_the_node),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
