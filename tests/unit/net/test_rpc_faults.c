/* tests/unit/net/test_rpc_faults.c -- both ends of the local socket, with their 1st, 2nd, 3rd ...
 * allocation failing until none is left: a call that finds no memory says so or its connection
 * ends, nothing leaks, and the next client is served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support_driver.h"
#include "support_rpc.h"

enum { FAULTS_MAX = 300 };

/* The linker gives us every ml_env_system() of another file: the client has no other way to an
 * environment. On the threads that don't ask for it, it is the system's. */
const struct ml_env *__wrap_ml_env_system(void); // NOLINT(readability-identifier-naming)
const struct ml_env *__real_ml_env_system(void); // NOLINT(readability-identifier-naming)
static _Thread_local const struct ml_env *ours;

// NOLINTNEXTLINE(readability-identifier-naming)
const struct ml_env *__wrap_ml_env_system(void)
{
    return ours != NULL ? ours : __real_ml_env_system();
}

static struct driver_memory memory;

static int setup(void **state)
{
    ours = NULL;
    return rpc_fixture_start(state);
}

static int setup_server(void **state)
{
    memory.live = 0;
    ours = driver_memory_env(&memory); /* what the server is opened with */
    int rc = rpc_fixture_start(state);
    ours = NULL;
    return rc;
}

static int teardown(void **state)
{
    ours = NULL;
    return rpc_fixture_end(state);
}

static int teardown_server(void **state)
{
    int rc = teardown(state);
    assert_int_equal(memory.live, 0);
    return rc;
}

static void on_event(void *user, const char *name, const struct ml_value *params)
{
    (void)name;
    (void)params;
    ++*(unsigned *)user;
}

/* One client's day: what went wrong first. */
static ml_err session_run(const struct rpc_fixture *f)
{
    struct ml_client *c = NULL;
    struct ml_tree *answer = NULL;
    unsigned events = 0;
    const struct ml_client_options options = {.home = f->dir, .token_fd = -1};
    ml_err err = ml_client_open(&c, &options);
    if (err != ML_OK) {
        return err;
    }
    struct ml_args *params = ml_args_new();
    ml_args_map(params);
    ml_args_key(params, "n");
    ml_args_int(params, 42);
    ml_args_end(params);
    err = params == NULL ? ML_E_NOMEM : ml_client_present(c, "6a65746f6e", DRIVER_GUARD_MS);
    if (err == ML_OK) {
        err = ml_client_subscribe(c, "news", on_event, &events);
    }
    if (err == ML_OK) {
        err = ml_client_request(c, &answer, "tell", params, DRIVER_GUARD_MS);
    }
    if (err == ML_OK) {
        assert_int_equal(ml_value_int(ml_value_get(ml_tree_root(answer), "n"), 0), 42);
        assert_int_equal(events, 1); /* it was queued before the answer */
        err = ml_client_request(c, NULL, "who", NULL, DRIVER_GUARD_MS);
    }
    ml_tree_free(answer);
    ml_args_free(params);
    ml_client_close(c);
    return err;
}

static void each_allocation_of_a_client_fails_whole(void **state)
{
    long n = 0;
    bool failed = true;
    while (failed) {
        ours = driver_memory_env(&memory);
        memory.fail_org = ++n;
        ml_err err = session_run(*state);
        failed = atomic_exchange(&memory.fail_org, 0) <= 0;
        ours = NULL;
        assert_int_equal(memory.live, 0);
        assert_int_equal(err, failed ? ML_E_NOMEM : ML_OK);
        assert_true(n < FAULTS_MAX);
    }
    assert_true(n > 20);
    assert_int_equal(session_run(*state), ML_OK);
}

/* What gives a call up may find no memory to say so: the node hears it when the client goes. */
static void a_call_ends_at_its_time_with_or_without_memory(void **state)
{
    const struct rpc_fixture *f = *state;
    const struct ml_client_options options = {.home = f->dir, .token_fd = -1};
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct ml_client *c = NULL;
        ours = driver_memory_env(&memory);
        assert_int_equal(ml_client_open(&c, &options), ML_OK);
        memory.fail_org = n;
        ml_err err = ml_client_request(c, NULL, "hold", NULL, 1);
        failed = atomic_exchange(&memory.fail_org, 0) <= 0;
        assert_true(err == ML_E_TIMEOUT || (failed && err == ML_E_NOMEM));
        assert_int_equal(ml_client_request(c, NULL, "echo", NULL, DRIVER_GUARD_MS), ML_OK);
        ml_client_close(c);
        ours = NULL;
        assert_int_equal(memory.live, 0);
    }
}

static void each_allocation_of_the_server_fails_one_session(void **state)
{
    long n = 0;
    bool failed = true;
    while (failed) {
        memory.fail_org = ++n;
        ml_err err = session_run(*state);
        failed = atomic_exchange(&memory.fail_org, 0) <= 0;
        if (err != ML_E_NOMEM && err != ML_E_UNREACHABLE) {
            assert_int_equal(err, ML_OK); /* the bytes of a cancel, perhaps */
        }
        assert_true(failed || err == ML_OK);
        assert_true(n < FAULTS_MAX);
    }
    assert_true(n > 10);
    assert_int_equal(session_run(*state), ML_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_allocation_of_a_client_fails_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_ends_at_its_time_with_or_without_memory, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(each_allocation_of_the_server_fails_one_session,
                                        setup_server, teardown_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
