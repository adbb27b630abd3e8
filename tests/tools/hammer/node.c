/* tests/tools/hammer/node.c -- one mailled process, and the client that speaks to it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../powercut/wire.h"
#include "hammer.h"

const char node_passphrase[] = "agrafe cheval correcte pile";

enum { CHILD_FAILED = 127 };

static bool node_fail(struct node *n, const char *what)
{
    snprintf(n->error, sizeof(n->error), "%s: %s", n->name, what);
    return false;
}

struct ml_args *params_new(void)
{
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    return a;
}

void param_text(struct ml_args *a, const char *key, const char *value)
{
    ml_args_key(a, key);
    ml_args_text(a, value);
}

void param_int(struct ml_args *a, const char *key, int64_t value)
{
    ml_args_key(a, key);
    ml_args_int(a, value);
}

/* ---- the process ---- */

static void inherit(const char *name, int fd)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", fd);
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, 0);
        setenv(name, text, 1); // NOLINT(concurrency-mt-unsafe): a child of one thread
    }
}

static _Noreturn void child_run(const struct node *n, int out, int disk)
{
    char listen[32];
    char log_path[PATH_BYTES + 8];
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", n->port);
    snprintf(log_path, sizeof(log_path), "%s.log", n->home);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (dup2(out, STDOUT_FILENO) < 0 || log < 0 || dup2(log, STDERR_FILENO) < 0) {
        _exit(CHILD_FAILED);
    }
    setenv("XDG_STATE_HOME", n->state, 1); // NOLINT(concurrency-mt-unsafe)
    unsetenv("XDG_RUNTIME_DIR");           // NOLINT(concurrency-mt-unsafe)
    inherit(WIRE_DISK_ENV, disk);
    inherit(WIRE_CLOCK_ENV, n->clock_fd);
    execl(n->daemon, n->daemon, "--foreground", "--home", n->home, "--listen", listen,
          "--test-keys", (char *)NULL);
    _exit(CHILD_FAILED);
}

bool node_spawn(struct node *n, int *ready)
{
    int ends[2];
    int disk = n->disk == NULL ? -1 : disk_plug(n->disk);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return node_fail(n, "no pipe");
    }
    fflush(NULL);
    n->pid = fork();
    if (n->pid == 0) {
        child_run(n, ends[1], disk);
    }
    close(ends[1]);
    if (n->pid < 0) {
        n->pid = 0;
        close(ends[0]);
        return node_fail(n, "no process");
    }
    if (n->disk != NULL) {
        disk_serve(n->disk, n->pid);
    }
    *ready = ends[0];
    return true;
}

/* The line that mailled writes once it answers: {"listen": "127.0.0.1:PORT", "pid": N}; 0 when it
 * ended before. */
static unsigned port_read(int in)
{
    char line[512] = "";
    size_t have = 0;
    struct pollfd wait = {.fd = in, .events = POLLIN};
    while (strchr(line, '\n') == NULL && have < sizeof(line) - 1) {
        ssize_t got =
            poll(&wait, 1, GUARD_MS) == 1 ? read(in, line + have, sizeof(line) - 1 - have) : 0;
        if (got <= 0) {
            return 0;
        }
        have += (size_t)got;
        line[have] = '\0';
    }
    const char *at = strstr(line, "127.0.0.1:");
    return at == NULL ? 0 : (unsigned)strtoul(at + strlen("127.0.0.1:"), NULL, 10);
}

bool node_connect(struct node *n, int ready)
{
    const struct ml_client_options options = {
        .home = n->home, .daemon = n->daemon, .timeout_ms = GUARD_MS, .token_fd = -1};
    unsigned port = port_read(ready);
    close(ready);
    if (port == 0) {
        return node_fail(n, "mailled does not start");
    }
    n->port = port;
    n->open_calls = 0;
    ml_err err = ml_client_open(&n->client, &options);
    return err == ML_OK || node_fail(n, ml_err_text(err));
}

bool node_start(struct node *n)
{
    int ready = -1;
    return node_spawn(n, &ready) && node_connect(n, ready);
}

static void node_forget(struct node *n)
{
    ml_tree_free(n->answer);
    n->answer = NULL;
    ml_client_close(n->client);
    n->client = NULL;
}

static int node_reap(struct node *n)
{
    int status = 0;
    while (waitpid(n->pid, &status, 0) < 0 && errno == EINTR) {
    }
    n->pid = 0;
    return status;
}

void node_end(struct node *n)
{
    if (n->pid > 0) {
        kill(n->pid, SIGKILL);
        (void)node_reap(n);
    }
}

void node_kill(struct node *n)
{
    node_end(n);
    node_forget(n);
}

bool node_stop(struct node *n)
{
    if (n->pid <= 0) {
        return true;
    }
    kill(n->pid, SIGTERM);
    int status = node_reap(n);
    node_forget(n);
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || node_fail(n, "ends badly");
}

/* ---- calls ---- */

const struct ml_value *node_call(struct node *n, const char *method, struct ml_args *params)
{
    char text[400];
    ml_args_end(params);
    ml_tree_free(n->answer);
    n->answer = NULL;
    ml_err err = n->client == NULL
                     ? ML_E_UNREACHABLE
                     : ml_client_request(n->client, &n->answer, method, params, GUARD_MS);
    ml_args_free(params);
    if (err == ML_OK) {
        return ml_tree_root(n->answer);
    }
    ml_text_error(text, sizeof(text), err, ml_tree_root(n->answer));
    snprintf(n->error, sizeof(n->error), "%s: %s: %s", n->name, method, text);
    return NULL;
}

const struct ml_value *node_enter(struct node *n, const char *method, struct ml_args *params)
{
    const struct ml_value *v = node_call(n, method, params);
    if (v == NULL) {
        return NULL;
    }
    snprintf(n->id, sizeof(n->id), "%s", ml_value_text(ml_value_get(v, "node"), ""));
    ml_err err =
        ml_client_present(n->client, ml_value_text(ml_value_get(v, "token"), ""), GUARD_MS);
    return err == ML_OK || node_fail(n, ml_err_text(err)) ? v : NULL;
}

bool node_unlock(struct node *n)
{
    struct ml_args *a = params_new();
    param_text(a, "passphrase", node_passphrase);
    const struct ml_value *v = node_enter(n, "session.unlock", a);
    if (v == NULL) {
        return false;
    }
    return ml_value_bool(ml_value_get(v, "may_write"), false) ||
           node_fail(n, "unlocked, but may not write");
}
