/* tests/unit/net/test_daemon_faults.c -- mailled begins with its 1st, 2nd, 3rd ... allocation
 * failing until none is left: it serves, or ends with a sentence and code 1; nothing leaks, and the
 * next start is served. Each start is a process of its own; this one only watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_driver.h"

int mailled_main(int argc, char **argv); /* net/daemon/main.c, renamed by CMake */

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    LINE_BYTES = 512,
    FAULTS_MAX = 300,
    UNTOUCHED = 0x10,
    LEAKED = 0x20
};

/* The linker gives us every ml_env_system() of another file. */
const struct ml_env *__wrap_ml_env_system(void); // NOLINT(readability-identifier-naming)
const struct ml_env *__real_ml_env_system(void); // NOLINT(readability-identifier-naming)
static const struct ml_env *ours;

// NOLINTNEXTLINE(readability-identifier-naming)
const struct ml_env *__wrap_ml_env_system(void)
{
    return ours != NULL ? ours : __real_ml_env_system();
}

struct fixture {
    char folder[64];
    char home[96];
    pid_t pid;
    int out; /* its stdout */
    int err; /* its stderr */
};

/* In the child: its exit code with what only it knows. */
static _Noreturn void child_run(const struct fixture *f, long n)
{
    static struct driver_memory memory;
    char name[] = "mailled";
    char home[] = "--home";
    char folder[sizeof(f->home)];
    char foreground[] = "--foreground";
    char test_keys[] = "--test-keys";
    char *args[] = {name, home, folder, foreground, test_keys, NULL};
    memcpy(folder, f->home, sizeof(folder));
    ours = driver_memory_env(&memory);
    memory.fail_org = n;
    int code = mailled_main(5, args);
    code |= memory.fail_org > 0 ? UNTOUCHED : 0;
    code |= memory.live != 0 ? LEAKED : 0;
    fflush(NULL);
    _exit(code);
}

static void start(struct fixture *f, long n)
{
    int out[2];
    int err[2];
    assert_int_equal(pipe(out) | pipe(err), 0);
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (f->pid == 0) {
        if (dup2(out[1], STDOUT_FILENO) >= 0 && dup2(err[1], STDERR_FILENO) >= 0) {
            close(out[0]);
            close(err[0]);
            child_run(f, n);
        }
        _exit(LEAKED);
    }
    close(out[1]);
    close(err[1]);
    f->out = out[0];
    f->err = err[0];
}

/* True when it serves, false when it ended. */
static bool ready(const struct fixture *f)
{
    char line[LINE_BYTES];
    return read(f->out, line, sizeof(line)) > 0;
}

static int end(struct fixture *f, char said[LINE_BYTES])
{
    int status = 0;
    size_t len = 0;
    ssize_t n = 1;
    (void)kill(f->pid, SIGTERM);
    while (n > 0 && len < LINE_BYTES - 1) {
        n = read(f->err, said + len, LINE_BYTES - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    said[len] = '\0';
    assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
    close(f->out);
    close(f->err);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static ml_err found(const struct fixture *f)
{
    static const char *const texts[][2] = {{"name", "Maison de santé d'essai"},
                                           {"member_name", "Dr Anne Morel"},
                                           {"node_name", "bureau 1"},
                                           {"passphrase", "une phrase de passe d'essai"}};
    struct ml_client *c = NULL;
    const struct ml_client_options options = {.home = f->home, .token_fd = -1};
    ml_err err = ml_client_open(&c, &options);
    struct ml_args *params = ml_args_new();
    ml_args_map(params);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ml_args_key(params, texts[i][0]);
        ml_args_text(params, texts[i][1]);
    }
    ml_args_end(params);
    if (err == ML_OK) {
        err = ml_client_request(c, NULL, "org.found", params, DRIVER_GUARD_MS);
    }
    ml_args_free(params);
    ml_client_close(c);
    return err;
}

static int setup(void **state)
{
    static struct fixture f;
    snprintf(f.folder, sizeof(f.folder), "/tmp/maille-start-XXXXXX");
    assert_non_null(mkdtemp(f.folder));
    snprintf(f.home, sizeof(f.home), "%s/home", f.folder);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread
    assert_int_equal(setenv("XDG_STATE_HOME", f.folder, 1) | unsetenv("XDG_RUNTIME_DIR"), 0);
    *state = &f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    return nftw(((struct fixture *)*state)->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void each_allocation_of_a_start_fails_with_a_sentence(void **state)
{
    struct fixture *f = *state;
    char said[LINE_BYTES];
    int code = 0;
    long n = 0;
    start(f, 0);
    assert_true(ready(f));
    assert_int_equal(found(f), ML_OK);
    assert_int_equal(end(f, said), EXIT_DONE);
    while ((code & UNTOUCHED) == 0) {
        assert_true(++n < FAULTS_MAX);
        start(f, n);
        bool serves = ready(f);
        code = end(f, said);
        assert_int_equal(code & ~UNTOUCHED, serves ? EXIT_DONE : EXIT_FAILED);
        assert_true(serves || strncmp(said, "mailled : ", 10) == 0);
        assert_true(serves || strstr(said, ml_err_name(ML_E_NOMEM)) != NULL);
        assert_true(serves || (code & UNTOUCHED) == 0);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_allocation_of_a_start_fails_with_a_sentence, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
