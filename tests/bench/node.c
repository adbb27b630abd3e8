/* tests/bench/node.c -- see node.h. */
#include "node.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/node/session.h"
#include "net/node/state.h"

const char bench_passphrase[] = "phrase de passe du banc";

static void port_identity_set(void *ctx, const struct ml_link_identity *identity)
{
    ((struct bench_node *)ctx)->identity = *identity;
}

static void port_identity_clear(void *ctx, const struct ml_org_id *org)
{
    struct bench_node *n = ctx;
    (void)org;
    memset(&n->identity, 0, sizeof(n->identity));
}

static void port_dial(void *ctx, const struct ml_dial_request *request)
{
    const struct bench_node *n = ctx;
    if (n->world.dial != NULL) {
        n->world.dial(n->world.ctx, request);
    }
}

static void port_link_send(void *ctx, uint64_t link, const uint8_t *msg, size_t len)
{
    const struct bench_node *n = ctx;
    (void)link;
    if (n->world.send != NULL) {
        n->world.send(n->world.ctx, ml_slice(msg, len));
    }
}

static void port_link_close(void *ctx, uint64_t link, ml_err reason)
{
    const struct bench_node *n = ctx;
    (void)link;
    if (n->world.close != NULL) {
        n->world.close(n->world.ctx, reason);
    }
}

static void port_reply(void *ctx, uint64_t call, ml_err err, struct ml_slice document)
{
    struct bench_node *n = ctx;
    (void)call;
    n->answered = true;
    n->err = err;
    ml_buf_clear(&n->document);
    ml_buf_append(&n->document, document.data, document.len);
}

static void port_event(void *ctx, const char *name, struct ml_slice document)
{
    (void)ctx;
    (void)name;
    (void)document;
}

static void port_wake_at(void *ctx, uint64_t at_ms)
{
    ((struct bench_node *)ctx)->wake_at_ms = at_ms;
}

bool bench_node_open(struct bench_node *n, struct bench *b, const char *folder)
{
    const struct bench_world alone = {.env = NULL};
    return bench_node_open_in(n, b, folder, &alone);
}

bool bench_node_open_in(struct bench_node *n, struct bench *b, const char *folder,
                        const struct bench_world *world)
{
    const struct ml_node_ports ports = {.ctx = n,
                                        .identity_set = port_identity_set,
                                        .identity_clear = port_identity_clear,
                                        .dial = port_dial,
                                        .link_send = port_link_send,
                                        .link_close = port_link_close,
                                        .reply = port_reply,
                                        .event = port_event,
                                        .wake_at = port_wake_at};
    memset(n, 0, sizeof(*n));
    n->bench = b;
    n->world = *world;
    n->wake_at_ms = UINT64_MAX;
    (void)mkdir(folder, 0700);
    snprintf(n->home, sizeof(n->home), "%.400s/home", folder);
    snprintf(n->state, sizeof(n->state), "%.400s/state", folder);
    (void)mkdir(n->state, 0700);
    snprintf(n->state, sizeof(n->state), "%.400s/state/maille", folder); /* mailled's place */
    ml_buf_init(&n->document, b->env, 64u << 20);
    const struct ml_node_args args = {.env = world->env == NULL ? b->env : world->env,
                                      .home = n->home,
                                      .state_home = n->state,
                                      .ports = &ports,
                                      .test_keys = b->quick};
    return bench_good(b, ml_node_open(&n->node, &args), folder);
}

void bench_node_close(struct bench_node *n)
{
    ml_tree_free(n->answer);
    n->answer = NULL;
    ml_node_close(n->node);
    n->node = NULL;
    ml_buf_free(&n->document);
}

struct ml_args *bench_params(void)
{
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    return a;
}

void bench_text(struct ml_args *a, const char *key, const char *value)
{
    ml_args_key(a, key);
    ml_args_text(a, value);
}

void bench_int(struct ml_args *a, const char *key, int64_t value)
{
    ml_args_key(a, key);
    ml_args_int(a, value);
}

void bench_entry(struct ml_args *a, const char *patient, unsigned number)
{
    char value[32];
    snprintf(value, sizeof(value), "%u /min", 60 + number % 40);
    bench_text(a, "entity", "observation");
    bench_text(a, "patient", patient);
    ml_args_key(a, "fields");
    ml_args_map(a);
    bench_text(a, "code", "8867-4");
    bench_text(a, "value", value);
    bench_text(a, "taken_at", "2026-03-02T10:00");
    ml_args_end(a);
}

struct bench_took bench_node_time(struct bench_node *n, const char *method, struct ml_args *params)
{
    struct bench *b = n->bench;
    const struct ml_node_caller caller = {.uid = (uint32_t)getuid(), .session_id = 1};
    const uint8_t *bytes = NULL;
    size_t len = 0;
    ml_args_end(params);
    if (b->failed || !bench_good(b, ml_args_encoded(params, &bytes, &len), method)) {
        ml_args_free(params);
        return (struct bench_took){0, 0};
    }
    n->answered = false;
    double start = bench_now_ms();
    double cpu = bench_cpu_ms();
    ml_node_call(n->node, ++n->call, &caller, ml_slice_str(method), ml_slice(bytes, len));
    while (!n->answered) {
        ml_node_tick(n->node);
    }
    const struct bench_took took = {bench_now_ms() - start, bench_cpu_ms() - cpu};
    ml_args_free(params);
    bench_good(b, n->err, method);
    return took;
}

const struct ml_value *bench_node_call(struct bench_node *n, const char *method,
                                       struct ml_args *params)
{
    (void)bench_node_time(n, method, params);
    ml_tree_free(n->answer);
    n->answer = NULL;
    if (n->bench->failed ||
        !bench_good(n->bench, ml_tree_parse(&n->answer, n->document.data, n->document.len),
                    method)) {
        return NULL;
    }
    return ml_tree_root(n->answer);
}

bool bench_node_unlock(struct bench_node *n)
{
    struct ml_args *a = bench_params();
    bench_text(a, "passphrase", bench_passphrase);
    if (bench_node_call(n, "session.unlock", a) == NULL) {
        return false;
    }
    return bench_good(n->bench, ml_session_catch_up_all(bench_node_org(n)), "catch up");
}

struct ml_org *bench_node_org(const struct bench_node *n)
{
    return n->node->orgs;
}
