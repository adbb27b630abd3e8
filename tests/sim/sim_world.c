/* tests/sim/sim_world.c -- virtual time: what happens next, and the environments of the nodes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "sim.h"

enum { START_WALL_S = 1772438400 }; /* 2 March 2026, 08:00 UTC */

static uint64_t next_of(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t sim_below(struct sim *s, uint64_t bound)
{
    return next_of(&s->rng) % bound;
}

bool sim_chance(struct sim *s, unsigned of_1000)
{
    return sim_below(s, 1000) < of_1000;
}

/* ---- a node's environment ---- */

static void *env_alloc(void *ctx, size_t size)
{
    void *ptr = calloc(1, size);
    ML_ASSERT(ptr != NULL);
    ((struct sim_node *)ctx)->live++;
    return ptr;
}

static void *env_resize(void *ctx, void *ptr, size_t size)
{
    void *moved = realloc(ptr, size);
    ML_ASSERT(moved != NULL);
    ((struct sim_node *)ctx)->live += ptr == NULL;
    return moved;
}

static void env_release(void *ctx, void *ptr)
{
    ((struct sim_node *)ctx)->live -= ptr != NULL;
    free(ptr);
}

static uint64_t env_now(void *ctx)
{
    return sim_node_now(ctx);
}

static uint64_t env_wall(void *ctx)
{
    const struct sim_node *n = ctx;
    return (uint64_t)((int64_t)START_WALL_S * 1000 + (int64_t)sim_node_now(n) + n->wall_offset_ms);
}

static void env_random(void *ctx, void *buf, size_t len)
{
    struct sim_node *n = ctx;
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)buf)[i] = (uint8_t)next_of(&n->rng);
    }
}

static void env_log(void *ctx, ml_log_level level, const char *module, const char *line)
{
    const struct sim_node *n = ctx;
    if (n->sim->options.story && level <= ML_LOG_INFO) {
        fprintf(stderr, "%10llu      node %u  %s: %s\n", (unsigned long long)n->sim->now_ms,
                n->index, module, line);
    }
}

static void node_init(struct sim *s, struct sim_node *n, unsigned i)
{
    n->sim = s;
    n->index = i;
    n->rng = next_of(&s->rng);
    snprintf(n->disk_name, sizeof(n->disk_name), "sim-disk-%u", i);
    n->disk = fault_disk_new(n->disk_name, next_of(&s->rng));
    ML_ASSERT(n->disk != NULL);
    fault_disk_fs(n->disk, &n->fs);
    n->wake_at_ms = UINT64_MAX;
    n->env = (struct ml_env){.alloc = env_alloc,
                             .resize = env_resize,
                             .release = env_release,
                             .now_ms = env_now,
                             .wall_ms = env_wall,
                             .random = env_random,
                             .log = env_log,
                             .fs = &n->fs,
                             .ctx = n};
}

/* ---- the world ---- */

void sim_init(struct sim *s, const struct sim_options *options)
{
    memset(s, 0, sizeof(*s));
    s->options = *options;
    s->rng = options->seed;
    ml_buf_init(&s->answer.document, ml_env_system(), 64u << 20);
    for (unsigned i = 0; i < SIM_NODES; i++) {
        node_init(s, &s->nodes[i], i);
        for (unsigned k = 0; k < SIM_NODES; k++) {
            s->paths[i][k].delay_ms = 1 + (uint32_t)sim_below(s, 40);
        }
    }
    node_init(s, &s->scratch, SIM_NODES);
}

void sim_free(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        sim_node_stop(s, i);
        if (s->nodes[i].live != 0) {
            sim_fail(s, "node %u left %ld blocks of memory", i, s->nodes[i].live);
        }
        fault_image_free(s->nodes[i].backup);
        fault_disk_free(s->nodes[i].disk);
    }
    while (s->queue != NULL) {
        struct sim_event *next = s->queue->next;
        free(s->queue);
        s->queue = next;
    }
    fault_disk_free(s->scratch.disk);
    sim_witness_free(s);
    sim_model_free(&s->model);
    free(s->rogue.wire);
    ml_buf_free(&s->answer.document);
}

void sim_say(struct sim *s, const char *format, ...)
{
    if (!s->options.story) {
        return;
    }
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%10llu  ", (unsigned long long)s->now_ms);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void sim_fail(struct sim *s, const char *format, ...)
{
    char text[sizeof(s->failure)];
    va_list args;
    va_start(args, format);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sim_say(s, "FAILED: %s", text);
    if (s->failure[0] == '\0') {
        memcpy(s->failure, text, sizeof(text));
    }
}

/* ---- time ---- */

static void event_deliver(struct sim *s, const struct sim_event *e)
{
    struct sim_node *n = &s->nodes[e->node];
    if (n->node == NULL || n->boot != e->boot) {
        return;
    }
    switch (e->kind) {
    case SIM_LINK_UP:
        ml_node_link_up(n->node, e->link, &e->peer);
        break;
    case SIM_LINK_MESSAGE:
        s->count.of[SIM_NET_DELIVERED]++;
        ml_node_link_message(n->node, e->link, ml_slice(e->bytes, e->len));
        break;
    case SIM_LINK_DOWN:
        ml_node_link_down(n->node, e->link, e->reason);
        break;
    case SIM_DIAL_FAILED:
        ml_node_dial_failed(n->node, e->link, e->reason);
        break;
    case SIM_LINK_BROKEN:
        sim_link_drop(s, e->link, ML_E_FORGED);
        break;
    case SIM_LINK_SENT:
        ml_node_link_sent(n->node, e->link, e->len);
        break;
    }
    sim_node_spent(n);
}

static uint64_t node_at(const struct sim_node *n)
{
    if (n->node == NULL) {
        return n->start_at_ms != 0 ? n->start_at_ms : UINT64_MAX;
    }
    return n->wake_at_ms > n->busy_until_ms ? n->wake_at_ms : n->busy_until_ms;
}

/* The node whose own time comes first, if before `until_ms`. */
static struct sim_node *node_due(struct sim *s, uint64_t until_ms)
{
    struct sim_node *due = NULL;
    for (unsigned i = 0; i < SIM_NODES; i++) {
        struct sim_node *n = &s->nodes[i];
        uint64_t at = node_at(n);
        if (at <= until_ms) {
            due = n;
            until_ms = at == 0 ? 0 : at - 1;
        }
        if (at == 0) {
            break;
        }
    }
    return due;
}

static void node_turn(struct sim *s, struct sim_node *n)
{
    uint64_t at = node_at(n);
    s->now_ms = at > s->now_ms ? at : s->now_ms;
    if (n->node == NULL) {
        sim_node_start(s, n->index);
        return;
    }
    n->wake_at_ms = UINT64_MAX;
    ml_node_tick(n->node);
    sim_node_spent(n);
}

/* What is next for a node that has time for it: a busy one leaves its own in order. */
static struct sim_event **event_next(struct sim *s, uint64_t *at_ms)
{
    struct sim_event **best = NULL;
    *at_ms = UINT64_MAX;
    for (struct sim_event **at = &s->queue; *at != NULL && (*at)->at_ms < *at_ms;
         at = &(*at)->next) {
        const uint64_t busy = s->nodes[(*at)->node].busy_until_ms;
        const uint64_t when = (*at)->at_ms > busy ? (*at)->at_ms : busy;
        if (when < *at_ms) {
            best = at;
            *at_ms = when;
        }
    }
    return best;
}

void sim_step(struct sim *s, uint64_t until_ms)
{
    uint64_t at_ms = 0;
    struct sim_event **next = event_next(s, &at_ms);
    uint64_t before = at_ms < until_ms ? at_ms : until_ms;
    struct sim_node *due = node_due(s, before);
    if (due != NULL) {
        node_turn(s, due);
    } else if (next != NULL && at_ms <= until_ms) {
        struct sim_event *e = *next;
        *next = e->next;
        s->now_ms = at_ms > s->now_ms ? at_ms : s->now_ms;
        event_deliver(s, e);
        free(e);
    } else {
        s->now_ms = until_ms > s->now_ms ? until_ms : s->now_ms;
    }
    sim_nodes_reap(s);
}

void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now_ms + ms;
    while (s->now_ms < end) {
        sim_step(s, end);
    }
}
