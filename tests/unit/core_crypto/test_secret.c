/* tests/unit/core_crypto/test_secret.c -- guarded memory: sizes, copies, comparison, wiping, and
 * that an overrun dies instead of reading on. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/crypto/random.h"
#include "core/crypto/secret.h"
#include "support_crypto.h"

static void holds_1_to_4096_bytes_zeroed(void **state)
{
    (void)state;
    static const uint8_t zeros[ML_SECRET_MAX];
    static const size_t good[] = {1, 31, 32, 33, ML_SECRET_MAX};
    struct ml_secret *s = NULL;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(ml_secret_new(&s, good[i]), ML_OK);
        assert_int_equal(ml_secret_len(s), good[i]);
        assert_memory_equal(ml_secret_bytes(s), zeros, good[i]);
        memset(ml_secret_writable(s), 0xff, good[i]); /* all of it is ours */
        ml_secret_free(s);
    }
    s = NULL;
    assert_int_equal(ml_secret_new(&s, 0), ML_E_LIMIT);
    assert_int_equal(ml_secret_new(&s, ML_SECRET_MAX + 1), ML_E_LIMIT);
    assert_null(s);
    ml_secret_free(NULL);
}

static void copies_and_compares(void **state)
{
    (void)state;
    struct ml_secret *a = NULL;
    struct ml_secret *b = NULL;
    struct ml_secret *c = NULL;
    assert_int_equal(ml_secret_from(&a, "secret", 6), ML_OK);
    assert_int_equal(ml_secret_from(&b, "secret", 6), ML_OK);
    assert_int_equal(ml_secret_from(&c, "secre", 5), ML_OK);
    assert_memory_equal(ml_secret_bytes(a), "secret", 6);
    assert_true(ml_secret_equal(a, b));
    assert_false(ml_secret_equal(a, c));
    assert_false(ml_secret_equal(c, a));
    ml_secret_writable(b)[5] ^= 1;
    assert_false(ml_secret_equal(a, b));
    assert_true(ml_equal_ct("abc", "abd", 2));
    assert_false(ml_equal_ct("abc", "abd", 3));
    ml_secret_free(a);
    ml_secret_free(b);
    ml_secret_free(c);
}

static void randomness_is_envs(void **state)
{
    struct crypto_fixture *f = *state;
    struct fake_env same;
    struct ml_secret *a = NULL;
    uint8_t expect[40];
    fake_env_init(&same, f->fake.rng);
    same.env.random(same.env.ctx, expect, sizeof(expect));
    assert_int_equal(ml_secret_random(&a, f->env, sizeof(expect)), ML_OK);
    assert_memory_equal(ml_secret_bytes(a), expect, sizeof(expect));
    ml_secret_free(a);
    uint8_t drawn[2][32];
    ml_random(drawn[0], 32);
    ml_random(drawn[1], 32);
    assert_memory_not_equal(drawn[0], drawn[1], 32);
}

static void wiping_leaves_zeros(void **state)
{
    (void)state;
    uint8_t bytes[16];
    static const uint8_t zeros[16];
    memset(bytes, 1, sizeof(bytes));
    ml_wipe(bytes, 15);
    assert_memory_equal(bytes, zeros, 15);
    assert_int_equal(bytes[15], 1);
}

/* Runs in a child: one byte beyond the secret is a guard page, whatever its length. */
static int death_of_overrun(size_t len)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct ml_secret *s = NULL;
        signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would turn it into an exit */
        if (ml_secret_new(&s, len) != ML_OK) {
            _exit(1);
        }
        volatile const uint8_t *beyond = ml_secret_bytes(s) + len;
        _exit(*beyond == 0 ? 2 : 3);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void an_overrun_dies(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 32, 33, 4000};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        assert_int_equal(death_of_overrun(lens[i]), SIGSEGV);
    }
}

static void each_survives_a_failed_alloc(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_secret *s = NULL;
    fail_nth(f, 1);
    assert_int_equal(ml_secret_new(&s, 32), ML_E_NOMEM);
    fail_nth(f, 1);
    assert_int_equal(ml_secret_from(&s, "abc", 3), ML_E_NOMEM);
    fail_nth(f, 1);
    assert_int_equal(ml_secret_random(&s, f->env, 3), ML_E_NOMEM);
    assert_null(s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(holds_1_to_4096_bytes_zeroed),
        TEST(copies_and_compares),
        TEST(randomness_is_envs),
        TEST(wiping_leaves_zeros),
        TEST(an_overrun_dies),
        TEST(each_survives_a_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
