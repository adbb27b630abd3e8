/* tests/unit/net/test_driver_faults.c -- what crosses between the node and its sockets when memory
 * fails: nothing is lost in silence. Each dial is answered once, each link that was up is told
 * down, a link has no gap, a call has its answer. The fixture counts what leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support_driver.h"

enum { FAULTS_MAX = 200, LOST = 3 };

/* --- orders: org thread to loop thread --- */

static void up_loses_one_message(struct ml_node *node)
{
    node->memory->fail_org = 1;
    driver_ping(node);
    assert_int_equal(node->memory->fail_org, 0);
    driver_ping(node); /* memory is back: it must not follow the gap */
    assert_int_equal(node->downs, 0);
}

static void a_lost_message_ends_its_link_and_leaves_no_gap(void **state)
{
    struct driver_fixture *f = *state;
    f->sides[1].node.own_up = up_loses_one_message;
    driver_start(f);
    assert_int_equal(driver_ask(f, 1, "dial"), ML_OK);
    driver_wait(f, 1, 2); /* up, down */
    driver_wait(f, 0, 2);
    driver_stop(f);
    assert_int_equal(f->sides[1].node.reason, ML_E_NOMEM);
    assert_int_equal(f->sides[1].node.downs, 1);
    assert_int_equal(f->sides[0].node.messages, 0);
}

static void lose_dials(struct ml_node *node)
{
    unsigned fails = node->fails;
    node->memory->fail_org = 1;
    for (unsigned i = 0; i < LOST; i++) {
        driver_dial(node);
        assert_int_equal(node->memory->fail_org, 0);
    }
    assert_int_equal(node->fails, fails); /* a port doesn't call back */
}

static bool call_loses_dials(struct ml_node *node, uint64_t call, struct ml_slice method)
{
    if (!ml_slice_equal(method, ml_slice_str("lose"))) {
        return false;
    }
    lose_dials(node);
    node->ports->reply(node->ports->ctx, call, ML_OK, ml_slice(NULL, 0));
    return true;
}

static void lost_dials_are_told_once_each_and_the_next_one_goes(void **state)
{
    struct driver_fixture *f = *state;
    struct ml_node *node = &f->sides[1].node;
    node->own_call = call_loses_dials;
    driver_start(f);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(driver_ask(f, 1, "lose"), ML_OK);
        driver_wait(f, 1, LOST);
        assert_int_equal(node->fails, i * LOST);
        assert_int_equal(node->last_failed, i * LOST);
        assert_int_equal(node->dial_reason, ML_E_NOMEM);
    }
    assert_int_equal(node->first_failed, 1);
    assert_int_equal(driver_ask(f, 1, "dial"), ML_OK);
    driver_wait(f, 1, 2); /* up, and the last ping */
    driver_stop(f);
    assert_int_equal(node->ups, 1);
    assert_int_equal(node->fails, 2 * LOST);
}

/* Lost by a timer's work, when no letter is there to wake the thread again. */
static void a_dial_that_a_timer_lost_is_told_too(void **state)
{
    struct driver_fixture *f = *state;
    f->sides[1].node.own_tick = lose_dials;
    driver_start(f);
    assert_int_equal(driver_ask(f, 1, "wake"), ML_OK);
    driver_wait(f, 1, LOST);
    driver_stop(f);
    assert_int_equal(f->sides[1].node.fails, LOST);
}

static bool call_loses_answer(struct ml_node *node, uint64_t call, struct ml_slice method)
{
    static const uint8_t empty_map[] = {0x80};
    if (!ml_slice_equal(method, ml_slice_str("lose"))) {
        return false;
    }
    node->memory->fail_org = 1;
    node->ports->reply(node->ports->ctx, call, ML_OK, ml_slice(empty_map, sizeof(empty_map)));
    assert_int_equal(node->memory->fail_org, 0);
    node->ports->reply(node->ports->ctx, call, ML_OK, ml_slice(NULL, 0)); /* once is enough */
    return true;
}

static void an_answer_without_memory_is_nomem(void **state)
{
    struct driver_fixture *f = *state;
    f->sides[0].node.own_call = call_loses_answer;
    driver_start(f);
    assert_int_equal(driver_ask(f, 0, "lose"), ML_E_NOMEM);
    assert_int_equal(driver_ask(f, 0, "echo"), ML_OK);
    driver_stop(f);
}

static void up_locks(struct ml_node *node)
{
    node->memory->fail_org = 1;
    node->ports->link_close(node->ports->ctx, node->link, ML_E_CANCELED);
    node->ports->link_close(node->ports->ctx, node->link, ML_E_CANCELED);
    node->ports->identity_clear(node->ports->ctx, &node->f->org);
    assert_int_equal(node->memory->fail_org, 1);
    node->memory->fail_org = 0;
}

static void locking_needs_no_memory(void **state)
{
    struct driver_fixture *f = *state;
    f->sides[1].node.own_up = up_locks;
    driver_start(f);
    assert_int_equal(driver_ask(f, 1, "dial"), ML_OK);
    driver_wait(f, 1, 2); /* up, down */
    assert_int_equal(driver_ask(f, 1, "dial"), ML_OK);
    driver_wait(f, 1, 1);
    driver_stop(f);
    assert_int_equal(f->sides[1].node.dial_reason, ML_E_LOCKED);
    assert_int_equal(f->sides[1].node.ups, 1);
}

/* --- each allocation of a whole link, one after the other --- */

struct round {
    unsigned side;
    bool loop;
    long n;
};

static struct round round_now; /* set before a call, read while it runs */

static atomic_long *round_counter(struct driver_fixture *f)
{
    struct driver_memory *m = &f->sides[round_now.side].memory;
    return round_now.loop ? &m->fail_loop : &m->fail_org;
}

static bool call_begins_round(struct ml_node *node, uint64_t call, struct ml_slice method)
{
    (void)method;
    *round_counter(node->f) = round_now.n;
    driver_dial(node);
    node->ports->reply(node->ports->ctx, call, ML_OK, ml_slice(NULL, 0));
    return true;
}

/* It was answered: the other side has come as far. */
static void message_parts(struct ml_node *node)
{
    node->ports->link_close(node->ports->ctx, node->link, ML_OK);
}

/* False when there was no nth allocation to fail. */
static bool round_run(struct driver_fixture *f)
{
    struct ml_node *node = &f->sides[1].node;
    unsigned ups = node->ups;
    unsigned fails = node->fails;
    ml_err err = driver_ask(f, 1, "round");
    if (err != ML_OK && err != ML_E_NOMEM) {
        assert_int_equal(err, ML_E_UNREACHABLE); /* its answer found no memory to be sent */
    }
    driver_wait(f, 1, 1);
    if (node->fails == fails) {
        assert_int_equal(node->ups, ups + 1);
        driver_wait(f, 1, 1);
        assert_int_equal(node->downs, node->ups);
    } else {
        assert_int_equal(node->ups, ups);
        /* Whoever finds no memory to answer hangs up, as on a wrong key. */
        assert_true(node->dial_reason == ML_E_NOMEM || node->dial_reason == ML_E_UNREACHABLE ||
                    node->dial_reason == ML_E_WRONG_KEY);
    }
    return atomic_exchange(round_counter(f), 0) <= 0;
}

static void each_failed_allocation_is_told_and_the_next_link_is_made(void **state)
{
    static const struct round rounds[] = {
        {.side = 1, .loop = true},
        {.side = 1, .loop = false},
        {.side = 0, .loop = true},
        {.side = 0, .loop = false},
    };
    struct driver_fixture *f = *state;
    f->sides[1].node.own_call = call_begins_round;
    f->sides[1].node.own_message = message_parts;
    driver_start(f);
    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        round_now = rounds[i];
        do {
            round_now.n++;
            assert_true(round_now.n < FAULTS_MAX);
        } while (round_run(f));
        assert_true(round_now.n > 1); /* something did fail */
    }
    round_now.n = 0;
    unsigned fails = f->sides[1].node.fails;
    round_run(f);
    driver_stop(f);
    assert_int_equal(f->sides[1].node.fails, fails);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, driver_setup, driver_teardown)
    const struct CMUnitTest tests[] = {
        T(a_lost_message_ends_its_link_and_leaves_no_gap),
        T(lost_dials_are_told_once_each_and_the_next_one_goes),
        T(a_dial_that_a_timer_lost_is_told_too),
        T(an_answer_without_memory_is_nomem),
        T(locking_needs_no_memory),
        T(each_failed_allocation_is_told_and_the_next_link_is_made),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
