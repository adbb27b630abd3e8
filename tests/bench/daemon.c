/* tests/bench/daemon.c -- see daemon.h. */
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node.h"

enum { SYNC_MS_MAX = 3600000 };

static bool failed(struct bench_daemon *d)
{
    fprintf(stderr, "maille-bench: %s\n", d->node.error);
    return bench_fail(d->bench, d->node.home, ML_E_IO);
}

/* The mailled of the same build. */
static bool daemon_path(struct bench_daemon *d)
{
    ssize_t len = readlink("/proc/self/exe", d->node.daemon, sizeof(d->node.daemon) - 16);
    char *slash = NULL;
    if (len > 0) {
        d->node.daemon[len] = '\0';
        slash = strrchr(d->node.daemon, '/');
    }
    if (slash != NULL) {
        memcpy(slash, "/mailled", sizeof("/mailled"));
    }
    return slash != NULL || bench_fail(d->bench, "mailled", ML_E_NOT_FOUND);
}

bool bench_daemon_start(struct bench_daemon *d, struct bench *b, const char *folder, double *ms)
{
    char state[BENCH_PATH];
    memset(d, 0, sizeof(*d));
    d->bench = b;
    d->node.name = "banc";
    (void)mkdir(folder, 0700);
    snprintf(d->node.home, sizeof(d->node.home), "%.400s/home", folder);
    snprintf(state, sizeof(state), "%.400s/state", folder);
    setenv("XDG_STATE_HOME", state, 1); // NOLINT(concurrency-mt-unsafe): one thread
    if (!daemon_path(d)) {
        return false;
    }
    double start = bench_now_ms();
    if (!demo_start(&d->node)) {
        return failed(d);
    }
    if (bench_daemon_call(d, "node.status", bench_params()) == NULL) {
        bench_daemon_stop(d);
        return false;
    }
    if (ms != NULL) {
        *ms = bench_now_ms() - start;
    }
    return true;
}

void bench_daemon_stop(struct bench_daemon *d)
{
    if (d->bench != NULL && !demo_stop(&d->node)) {
        failed(d);
    }
}

const struct ml_value *bench_daemon_call(struct bench_daemon *d, const char *method,
                                         struct ml_args *params)
{
    const struct ml_value *v = demo_call(&d->node, method, params);
    if (v == NULL) {
        failed(d);
    }
    return v;
}

bool bench_daemon_unlock(struct bench_daemon *d, double *ms)
{
    struct ml_args *a = bench_params();
    bench_text(a, "passphrase", bench_passphrase);
    double start = bench_now_ms();
    if (demo_enter(&d->node, "session.unlock", a) == NULL) {
        return failed(d);
    }
    a = bench_params();
    bench_text(a, "query", "m");
    if (bench_daemon_call(d, "patient.find", a) == NULL) {
        return false;
    }
    if (ms != NULL) {
        *ms = bench_now_ms() - start;
    }
    return true;
}

double bench_daemon_mb(const struct bench_daemon *d, const char *line)
{
    char path[64];
    char text[256];
    double kb = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)d->node.pid);
    FILE *in = fopen(path, "r");
    while (in != NULL && fgets(text, sizeof(text), in) != NULL) {
        if (strncmp(text, line, strlen(line)) == 0) {
            kb = strtod(text + strlen(line) + 1, NULL);
        }
    }
    if (in != NULL) {
        fclose(in);
    }
    return kb / 1024;
}

/* ---- two of them ---- */

static void address_of(const struct bench_daemon *d, char out[32])
{
    snprintf(out, 32, "127.0.0.1:%u", d->node.port);
}

bool bench_daemon_enrol(struct bench_daemon *a, struct bench_daemon *b)
{
    char member[DEMO_ID];
    char code[256];
    char address[32];
    struct ml_args *p = bench_params();
    bench_text(p, "name", "Dr Paul Vasseur");
    bench_int(p, "role", 10);
    const struct ml_value *v = bench_daemon_call(a, "member.add", p);
    snprintf(member, sizeof(member), "%s", ml_value_text(ml_value_get(v, "member"), ""));
    p = bench_params();
    bench_text(p, "member", member);
    v = v == NULL ? NULL : bench_daemon_call(a, "enrol.code", p);
    snprintf(code, sizeof(code), "%s", ml_value_text(ml_value_get(v, "code"), ""));
    if (v == NULL) {
        return false;
    }
    address_of(a, address);
    p = bench_params();
    bench_text(p, "code", code);
    bench_text(p, "address", address);
    bench_text(p, "node_name", "banc 2");
    bench_text(p, "passphrase", bench_passphrase);
    return demo_enter(&b->node, "enrol.join", p) != NULL || failed(b);
}

/* "frontier=" and every head of the node, as sync.wait takes them. malloc's. */
static char *frontier_of(struct bench_daemon *d)
{
    enum { HEAD_BYTES = 64 };
    const struct ml_value *v = bench_daemon_call(d, "sync.status", bench_params());
    const struct ml_value *heads = ml_value_get(v, "frontier");
    char *text = v == NULL ? NULL : calloc(ml_value_count(heads) + 1, HEAD_BYTES);
    size_t at = text == NULL ? 0 : (size_t)snprintf(text, HEAD_BYTES, "frontier=");
    for (const struct ml_value *h = ml_value_at(heads, 0); at > 0 && h != NULL;
         h = ml_value_next(h)) {
        const char *comma = text[at - 1] == '=' ? "" : ",";
        at += (size_t)snprintf(text + at, HEAD_BYTES, "%s%s", comma, ml_value_text(h, ""));
    }
    return text;
}

static bool node_of(struct bench_daemon *d, char out[DEMO_ID])
{
    const struct ml_value *v = bench_daemon_call(d, "node.status", bench_params());
    const struct ml_value *org = ml_value_at(ml_value_get(v, "orgs"), 0);
    snprintf(out, DEMO_ID, "%s", ml_value_text(ml_value_get(org, "node"), ""));
    return v != NULL;
}

bool bench_daemon_sync(struct bench_daemon *b, struct bench_daemon *a, double *ms)
{
    char address[32];
    char node[DEMO_ID];
    char *frontier = frontier_of(a);
    if (frontier == NULL || !node_of(a, node)) {
        free(frontier);
        return false;
    }
    address_of(a, address);
    double start = bench_now_ms();
    struct ml_args *p = bench_params();
    bench_text(p, "node", node);
    bench_text(p, "address", address);
    bool ok = bench_daemon_call(b, "peer.add", p) != NULL;
    p = bench_params();
    bench_text(p, "until", frontier);
    bench_int(p, "timeout_ms", SYNC_MS_MAX);
    ok = ok && bench_daemon_call(b, "sync.wait", p) != NULL;
    *ms = bench_now_ms() - start;
    free(frontier);
    return ok;
}
