/* net/demo_nodes.c -- see demo_nodes.h. */
#include "net/demo_nodes.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char demo_passphrase[] = "phrase de passe de la démonstration";

enum { CONNECT_MS = 30000 };

static bool fail(struct demo_node *n, const char *what)
{
    snprintf(n->error, sizeof(n->error), "%s : %s", n->name, what);
    return false;
}

struct ml_args *demo_params(void)
{
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    return a;
}

void demo_text(struct ml_args *a, const char *key, const char *value)
{
    ml_args_key(a, key);
    ml_args_text(a, value);
}

static void child_run(const struct demo_node *n, int out)
{
    char listen[32];
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", n->port);
    dup2(out, STDOUT_FILENO);
    execl(n->daemon, n->daemon, "--foreground", "--home", n->home, "--listen", listen,
          (char *)NULL);
    _exit(127);
}

/* The line that mailled writes when it is ready: {"listen": "127.0.0.1:PORT", "pid": N}; 0 when it
 * ended before. */
static unsigned port_read(FILE *in)
{
    char line[512];
    unsigned port = 0;
    while (port == 0 && fgets(line, sizeof(line), in) != NULL) {
        const char *at = strstr(line, "127.0.0.1");
        at = at == NULL ? NULL : strchr(at, ':');
        port = at == NULL ? 0 : (unsigned)strtoul(at + 1, NULL, 10);
    }
    return port;
}

static bool connect_to(struct demo_node *n)
{
    const struct ml_client_options options = {
        .home = n->home, .daemon = n->daemon, .timeout_ms = CONNECT_MS, .token_fd = -1};
    ml_err err = ml_client_open(&n->client, &options);
    return err == ML_OK || fail(n, ml_err_text(err));
}

bool demo_start(struct demo_node *n)
{
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) {
        return fail(n, "pas de tube");
    }
    fflush(NULL);
    n->pid = fork();
    if (n->pid == 0) {
        close(pipe_ends[0]);
        child_run(n, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    FILE *in = fdopen(pipe_ends[0], "r");
    unsigned port = in == NULL ? 0 : port_read(in);
    if (in != NULL) {
        fclose(in);
    }
    if (port == 0) {
        demo_kill(n);
        return fail(n, "mailled ne démarre pas");
    }
    n->port = port;
    return connect_to(n);
}

void demo_forget(struct demo_node *n)
{
    ml_tree_free(n->answer);
    n->answer = NULL;
    ml_client_close(n->client);
    n->client = NULL;
}

void demo_kill(struct demo_node *n)
{
    demo_forget(n);
    if (n->pid > 0) {
        kill(n->pid, SIGKILL);
        while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        n->pid = 0;
    }
}

bool demo_stop(struct demo_node *n)
{
    int status = 0;
    demo_forget(n);
    if (n->pid <= 0) {
        return true;
    }
    kill(n->pid, SIGTERM);
    while (waitpid(n->pid, &status, 0) < 0 && errno == EINTR) {
    }
    n->pid = 0;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || fail(n, "mailled s'arrête mal");
}

const struct ml_value *demo_call(struct demo_node *n, const char *method, struct ml_args *params)
{
    char text[400];
    ml_args_end(params);
    ml_tree_free(n->answer);
    n->answer = NULL;
    ml_err err = ml_client_request(n->client, &n->answer, method, params, 0);
    ml_args_free(params);
    if (err == ML_OK) {
        return ml_tree_root(n->answer);
    }
    ml_text_error(text, sizeof(text), err, ml_tree_root(n->answer));
    snprintf(n->error, sizeof(n->error), "%s : %s : %s", n->name, method, text);
    return NULL;
}

const struct ml_value *demo_enter(struct demo_node *n, const char *method, struct ml_args *params)
{
    const struct ml_value *v = demo_call(n, method, params);
    if (v == NULL) {
        return NULL;
    }
    ml_err err =
        ml_client_present(n->client, ml_value_text(ml_value_get(v, "token"), ""), CONNECT_MS);
    return err == ML_OK || fail(n, ml_err_text(err)) ? v : NULL;
}

bool demo_unlock(struct demo_node *n)
{
    struct ml_args *a = demo_params();
    demo_text(a, "passphrase", demo_passphrase);
    return demo_enter(n, "session.unlock", a) != NULL;
}
