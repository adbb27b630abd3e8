/* tests/unit/core_base/test_sm.c -- one rule of core/base/sm.c per test. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/sm.h"

enum { CLOSED, OPENING, OPEN, STATES };

static const struct ml_sm_state door_states[STATES] = {
    [CLOSED] = {"CLOSED", ML_SM_TO(OPENING), ML_SM_INITIAL | ML_SM_FINAL},
    [OPENING] = {"OPENING", ML_SM_TO(OPEN) | ML_SM_TO(CLOSED), 0},
    [OPEN] = {"OPEN", ML_SM_TO(CLOSED), 0},
};

struct door {
    struct ml_sm sm; /* first: the invariant finds the door by it */
    bool locked;
};

static bool door_invariant(const struct ml_sm *sm, unsigned from)
{
    const struct door *door = (const void *)sm;
    return (from < STATES) && (ml_sm_at(sm) == CLOSED || !door->locked);
}

static void door_init(struct door *door)
{
    *door = (struct door){.locked = false};
    ml_sm_init(&door->sm, door_states, STATES, door_invariant, CLOSED);
}

/* An assertion ends the process: look at it in a child. */
static bool aborts(void (*act)(struct door *door))
{
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(1);
        }
        signal(SIGABRT, SIG_DFL);
        struct door door;
        door_init(&door);
        act(&door);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void moves_only_where_the_table_allows(void **state)
{
    (void)state;
    struct door door;
    door_init(&door);
    assert_true(ml_sm_allows(&door.sm, OPENING));
    assert_false(ml_sm_allows(&door.sm, OPEN));
    assert_false(ml_sm_allows(&door.sm, CLOSED));
    assert_false(ml_sm_allows(&door.sm, STATES));
    ml_sm_move(&door.sm, OPENING);
    assert_string_equal(ml_sm_name(&door.sm), "OPENING");
    ml_sm_move(&door.sm, OPEN);
    assert_int_equal(ml_sm_at(&door.sm), OPEN);
    ml_sm_move(&door.sm, CLOSED);
    ml_sm_fini(&door.sm);
}

static void skip_a_state(struct door *door)
{
    ml_sm_move(&door->sm, OPEN);
}

static void leave_the_table(struct door *door)
{
    ml_sm_move(&door->sm, STATES);
}

static void break_the_invariant(struct door *door)
{
    door->locked = true;
    ml_sm_move(&door->sm, OPENING);
}

static void drop_it_half_way(struct door *door)
{
    ml_sm_move(&door->sm, OPENING);
    ml_sm_fini(&door->sm);
}

static void begin_half_way(struct door *door)
{
    ml_sm_init(&door->sm, door_states, STATES, NULL, OPENING);
}

static void allowed_moves(struct door *door)
{
    ml_sm_move(&door->sm, OPENING);
    ml_sm_move(&door->sm, CLOSED);
    ml_sm_fini(&door->sm);
}

static void aborts_on_what_only_a_bug_does(void **state)
{
    (void)state;
    assert_true(aborts(skip_a_state));
    assert_true(aborts(leave_the_table));
    assert_true(aborts(break_the_invariant));
    assert_true(aborts(drop_it_half_way));
    assert_true(aborts(begin_half_way));
    assert_false(aborts(allowed_moves));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_only_where_the_table_allows),
        cmocka_unit_test(aborts_on_what_only_a_bug_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
