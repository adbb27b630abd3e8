/* tests/bench/wire.c -- see wire.h. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/box.h"
#include "core/store/log.h"
#include "net/node/state.h"

enum { SEGMENT = 1400, STALL_PERCENT = 5, STALL_US = 300000, US = 1000 };

struct wire_event {
    struct wire_event *next;
    uint64_t at_us;
    unsigned side; /* who is concerned */
    uint64_t link;
    bool is_frame; /* it arrives there; else that end may send again */
    size_t len;
    uint8_t bytes[];
};

/* ---- time ---- */

static uint64_t clock_now(void *ctx)
{
    return ((struct wire *)ctx)->now_us / US;
}

static uint64_t clock_wall(void *ctx)
{
    const struct wire *w = ctx;
    return w->wall_start_ms + w->now_us / US;
}

static struct wire_event *event_push(struct wire *w, uint64_t at_us, unsigned side, size_t len)
{
    struct wire_event *e = calloc(1, sizeof(*e) + len);
    if (e == NULL) {
        abort();
    }
    struct wire_event **at = &w->queue;
    while (*at != NULL && (*at)->at_us <= at_us) {
        at = &(*at)->next;
    }
    *e =
        (struct wire_event){.next = *at, .at_us = at_us, .side = side, .link = w->link, .len = len};
    *at = e;
    return e;
}

/* ---- the link ---- */

/* When the last byte of a frame is heard. */
static uint64_t arrival(struct wire *w, struct wire_end *end, size_t len)
{
    const uint64_t start = end->busy_us > w->now_us ? end->busy_us : w->now_us;
    uint64_t left = start;
    for (size_t at = 0; at < len; at += SEGMENT) {
        const size_t to = at + SEGMENT < len ? at + SEGMENT : len;
        const bool stalls = w->kbit_s > 0 && bench_next(&w->rng) % 100 < STALL_PERCENT;
        left = w->kbit_s == 0 ? start : start + to * 8 * US / w->kbit_s;
        const uint64_t heard = left + (uint64_t)WIRE_LATENCY_MS * US + (stalls ? STALL_US : 0);
        end->last_us = heard > end->last_us ? heard : end->last_us;
    }
    end->busy_us = left;
    return end->last_us;
}

static void pump(struct wire *w, struct wire_end *end)
{
    while (w->link != 0 && ml_frame_waiting(&end->writer) > 0 && end->busy_us <= w->now_us &&
           !w->b->failed) {
        struct ml_buf frame;
        ml_buf_init(&frame, w->b->env, ML_FRAME_BYTES_MAX);
        if (bench_good(w->b, ml_frame_seal(&end->writer, &frame), "frame")) {
            const uint64_t at = arrival(w, end, frame.len);
            struct wire_event *e = event_push(w, at, 1 - end->side, frame.len);
            e->is_frame = true;
            memcpy(e->bytes, frame.data, frame.len);
            end->sent_bytes += frame.len;
        }
        ml_buf_free(&frame);
    }
    if (w->link != 0 && end->unsent > 0 && !end->pump_waits) {
        end->pump_waits = true;
        (void)event_push(w, end->busy_us > w->now_us ? end->busy_us : w->now_us, end->side, 0);
    }
}

/* What was being sent has left: tells so once nothing waits. */
static void pump_again(struct wire *w, struct wire_end *end)
{
    const size_t bytes = end->unsent;
    end->pump_waits = false;
    if (ml_frame_waiting(&end->writer) > 0 || end->busy_us > w->now_us) {
        pump(w, end);
        return;
    }
    end->unsent = 0;
    ml_node_link_sent(end->node.node, w->link, bytes);
}

static void world_send(void *ctx, struct ml_slice msg)
{
    struct wire_end *end = ctx;
    struct wire *w = end->wire;
    if (w->link != 0 && bench_good(w->b, ml_frame_put(&end->writer, msg), "send")) {
        end->unsent += msg.len;
        pump(w, end);
    }
}

static void world_close(void *ctx, ml_err reason)
{
    struct wire *w = ((struct wire_end *)ctx)->wire;
    if (w->link != 0) { /* else the node is being closed */
        bench_fail(w->b, "a node closed the link", reason);
    }
}

static void link_start(struct wire *w, const struct ml_dial_request *r, unsigned dialler)
{
    static const uint8_t hash[64] = {1};
    w->link = ++w->links;
    for (unsigned i = 0; i < 2; i++) {
        struct wire_end *end = &w->ends[i];
        const uint8_t key[2][ML_KEY_BYTES] = {{1}, {2}};
        struct ml_noise_cipher *seal = NULL;
        struct ml_noise_cipher *open = NULL;
        bench_good(w->b, ml_noise_cipher_new(&seal, w->b->env, key[i], 0), "cipher");
        bench_good(w->b, ml_noise_cipher_new(&open, w->b->env, key[1 - i], 0), "cipher");
        ml_frame_writer_init(&end->writer, w->b->env, seal, SIZE_MAX);
        ml_frame_reader_init(&end->reader, w->b->env, open);
        end->busy_us = w->now_us;
        end->last_us = w->now_us;
        end->sent_bytes = 0;
        end->unsent = 0;
        end->pump_waits = false;
    }
    for (unsigned i = 0; i < 2 && !w->b->failed; i++) {
        struct ml_link_peer peer = {.dial = i == dialler ? r->dial : 0,
                                    .kind = ML_LINK_KNOWN,
                                    .org = r->org,
                                    .handshake_hash = ml_slice(hash, sizeof(hash)),
                                    .address = "wire",
                                    .initiator = i == dialler};
        ml_box_pk_of(&peer.remote_static, w->ends[1 - i].node.identity.noise_static);
        ml_node_link_up(w->ends[i].node.node, w->link, &peer);
    }
}

/* The dial of a timer, while there is a link already, is left unanswered. */
static void world_dial(void *ctx, const struct ml_dial_request *r)
{
    struct wire_end *end = ctx;
    struct wire *w = end->wire;
    if (w->link == 0 && end->side == 1 && w->ends[0].node.identity.noise_static != NULL) {
        struct wire_event *e = event_push(w, w->now_us, 1, sizeof(*r));
        memcpy(e->bytes, r, sizeof(*r));
    }
}

/* ---- running ---- */

static ml_err message_give(void *user, struct ml_slice msg)
{
    struct wire_end *end = user;
    ml_node_link_message(end->node.node, end->wire->link, msg);
    return ML_OK;
}

static void event_run(struct wire *w, struct wire_event *e)
{
    struct wire_end *end = &w->ends[e->side];
    if (e->link == 0 && w->link == 0) {
        struct ml_dial_request r;
        memcpy(&r, e->bytes, sizeof(r));
        link_start(w, &r, e->side);
    } else if (e->link == w->link && e->is_frame) {
        bench_good(w->b, ml_frame_open(&end->reader, e->bytes, e->len, message_give, end), "open");
    } else if (e->link == w->link) {
        pump_again(w, end);
    }
}

/* The next thing that happens, no later than `end_us`. */
static void step(struct wire *w, uint64_t end_us)
{
    uint64_t at = w->queue != NULL && w->queue->at_us < end_us ? w->queue->at_us : end_us;
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t wake = w->ends[i].node.wake_at_ms;
        at = wake < at / US ? wake * US : at;
    }
    w->now_us = at > w->now_us ? at : w->now_us;
    for (unsigned i = 0; i < 2; i++) {
        struct bench_node *n = &w->ends[i].node;
        if (n->wake_at_ms <= w->now_us / US) {
            n->wake_at_ms = UINT64_MAX;
            ml_node_tick(n->node);
        }
    }
    if (w->queue != NULL && w->queue->at_us <= w->now_us) {
        struct wire_event *e = w->queue;
        w->queue = e->next;
        event_run(w, e);
        free(e);
    }
}

void wire_run(struct wire *w, uint64_t ms)
{
    const uint64_t end_us = w->now_us + ms * US;
    while (w->now_us < end_us && !w->b->failed) {
        step(w, end_us);
    }
}

static bool is_same(struct wire *w)
{
    struct ml_frontier_digest digest[2];
    for (unsigned i = 0; i < 2; i++) {
        struct ml_org *org = bench_node_org(&w->ends[i].node);
        if (!bench_good(w->b, ml_log_digest(org->log, &digest[i]), "digest") || org->behind) {
            return false;
        }
    }
    return memcmp(digest[0].frontier, digest[1].frontier, sizeof(digest[0].frontier)) == 0;
}

bool wire_run_same(struct wire *w, double *ms)
{
    const uint64_t start_us = w->now_us;
    const uint64_t end_us = start_us + UINT64_C(3600) * 1000 * US;
    while (!is_same(w) && !w->b->failed) {
        if (w->now_us >= end_us) {
            return bench_fail(w->b, "exchange", ML_E_TIMEOUT);
        }
        step(w, end_us);
    }
    *ms = (double)(w->now_us - start_us) / US;
    return !w->b->failed;
}

bool wire_open(struct wire *w, struct bench *b, const char *first, const char *second)
{
    memset(w, 0, sizeof(*w));
    w->b = b;
    w->env = *b->env;
    w->env.ctx = w;
    w->env.now_ms = clock_now;
    w->env.wall_ms = clock_wall;
    w->wall_start_ms = b->env->wall_ms(b->env->ctx);
    w->rng = BENCH_SEED;
    w->now_us = US;
    for (unsigned i = 0; i < 2; i++) {
        struct wire_end *end = &w->ends[i];
        const struct bench_world world = {.env = &w->env,
                                          .ctx = end,
                                          .dial = world_dial,
                                          .send = world_send,
                                          .close = world_close};
        end->wire = w;
        end->side = i;
        if (!bench_node_open_in(&end->node, b, i == 0 ? first : second, &world) ||
            !bench_node_unlock(&end->node)) {
            wire_close(w);
            return false;
        }
    }
    return true;
}

static void frames_free(struct wire *w)
{
    for (unsigned i = 0; i < 2 && w->link != 0; i++) {
        ml_frame_writer_free(&w->ends[i].writer);
        ml_frame_reader_free(&w->ends[i].reader);
    }
    w->link = 0;
    while (w->queue != NULL) {
        struct wire_event *next = w->queue->next;
        free(w->queue);
        w->queue = next;
    }
}

void wire_disconnect(struct wire *w)
{
    const uint64_t link = w->link;
    frames_free(w);
    for (unsigned i = 0; i < 2 && link != 0; i++) {
        ml_node_link_down(w->ends[i].node.node, link, ML_E_UNREACHABLE);
    }
}

void wire_close(struct wire *w)
{
    frames_free(w);
    for (unsigned i = 0; i < 2; i++) {
        if (w->ends[i].node.bench != NULL) {
            bench_node_close(&w->ends[i].node);
        }
    }
}

bool wire_connect(struct wire *w)
{
    char node[40];
    const struct ml_org *first = bench_node_org(&w->ends[0].node);
    ml_hex_encode(node, first->secrets.node.b, sizeof(first->secrets.node.b));
    struct ml_args *a = bench_params();
    bench_text(a, "node", node);
    bench_text(a, "address", "wire:1");
    if (bench_node_call(&w->ends[1].node, "peer.add", a) == NULL) {
        return false;
    }
    for (int i = 0; i < 100 && w->link == 0 && !w->b->failed; i++) {
        step(w, w->now_us + US);
    }
    return w->link != 0 || bench_fail(w->b, "no link", ML_E_UNREACHABLE);
}
