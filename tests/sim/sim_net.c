/* tests/sim/sim_net.c -- links between nodes, as the driver gives them after Noise: messages in
 * order. What the network loses, doubles or reorders breaks the numbering that Noise checks: the
 * driver drops the link, at once when a wrong message comes, else when the next sign of life does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/box.h"
#include "fake_epochs.h"
#include "sim.h"

enum { ALIVE_MS = 30000, IDLE_MS = 90000 }; /* net/link/link.h */

struct sim_event *sim_event_new(sim_event_kind kind, unsigned node, size_t len)
{
    struct sim_event *e = calloc(1, sizeof(*e) + len);
    ML_ASSERT(e != NULL);
    e->kind = kind;
    e->node = node;
    e->len = len;
    return e;
}

void sim_event_push(struct sim *s, struct sim_event *e, uint64_t at_ms)
{
    struct sim_event **at = &s->queue;
    e->at_ms = at_ms;
    e->boot = s->nodes[e->node].boot;
    while (*at != NULL && (*at)->at_ms <= at_ms) {
        at = &(*at)->next;
    }
    e->next = *at;
    *at = e;
}

/* ---- links ---- */

void sim_link_drop(struct sim *s, uint64_t link, ml_err reason)
{
    struct sim_link *l = &s->links[link - 1];
    if (!l->up) {
        return;
    }
    l->up = false;
    for (unsigned i = 0; i < 2; i++) {
        struct sim_event *e = sim_event_new(SIM_LINK_DOWN, l->end[i], 0);
        e->link = link;
        e->reason = reason;
        sim_event_push(s, e, s->now_ms > l->last_at_ms[i] ? s->now_ms : l->last_at_ms[i]);
    }
}

void sim_links_drop(struct sim *s, unsigned node)
{
    for (unsigned i = 0; i < s->link_count; i++) {
        if (s->links[i].end[0] == node || s->links[i].end[1] == node) {
            sim_link_drop(s, i + 1, ML_E_UNREACHABLE);
        }
    }
}

/* Whether both ends hold what Noise would ask of them. */
static bool dial_agrees(const struct ml_dial_request *r, const struct sim_node *to)
{
    if (to->node == NULL || !to->has_identity) {
        return false;
    }
    if (r->kind == ML_LINK_ENROL) {
        return to->identity.enrolment_psk != NULL &&
               ml_secret_equal(r->psk, to->identity.enrolment_psk);
    }
    struct ml_box_pk pk;
    ml_box_pk_of(&pk, to->identity.noise_static);
    return memcmp(&pk, &r->remote_static, sizeof(pk)) == 0;
}

static void dial_fail(struct sim_node *from, uint64_t dial, ml_err reason)
{
    struct sim_event *e = sim_event_new(SIM_DIAL_FAILED, from->index, 0);
    e->link = dial;
    e->reason = reason;
    sim_event_push(from->sim, e, from->sim->now_ms + 200);
}

static void link_up(struct sim_node *from, struct sim_node *to, const struct ml_dial_request *r)
{
    static const uint8_t handshake_hash[64] = {0x68};
    struct sim *s = from->sim;
    struct sim_node *const ends[2] = {from, to};
    struct ml_box_pk pks[2];
    ml_box_pk_of(&pks[0], r->kind == ML_LINK_ENROL ? r->static_key : from->identity.noise_static);
    ml_box_pk_of(&pks[1], to->identity.noise_static);
    if (s->link_count == SIM_LINKS) {
        sim_fail(s, "more than %d links: nodes dial each other without end", SIM_LINKS);
        dial_fail(from, r->dial, ML_E_UNREACHABLE);
        return;
    }
    uint32_t epoch = 0;
    if (r->kind == ML_LINK_KNOWN &&
        !fake_epochs_agree(&from->identity, r->past, &to->identity, &epoch)) {
        dial_fail(from, r->dial, ML_E_WRONG_KEY);
        return;
    }
    struct sim_link *l = &s->links[s->link_count++];
    *l = (struct sim_link){.up = true, .end = {from->index, to->index}, .kind = r->kind};
    for (unsigned i = 0; i < 2; i++) {
        struct sim_event *e = sim_event_new(SIM_LINK_UP, ends[i]->index, 0);
        e->link = s->link_count;
        e->peer = (struct ml_link_peer){
            .dial = i == 0 ? r->dial : 0,
            .kind = r->kind,
            .epoch = epoch,
            .org = i == 0 && r->kind == ML_LINK_ENROL ? r->org : to->identity.org,
            .remote_static = pks[1 - i],
            .handshake_hash = ml_slice(handshake_hash, sizeof(handshake_hash)),
            .address = "sim",
            .initiator = i == 0};
        l->last_at_ms[i] = s->now_ms + (uint64_t)3 * s->paths[from->index][to->index].delay_ms;
        sim_event_push(s, e, l->last_at_ms[i]);
    }
}

static void port_dial(void *ctx, const struct ml_dial_request *r)
{
    struct sim_node *from = ctx;
    struct sim *s = from->sim;
    const bool named = strncmp(r->address, "node:", 5) == 0;
    const unsigned to = named ? (unsigned)strtoul(r->address + 5, NULL, 10) : SIM_NODES;
    if (to >= SIM_NODES || to == from->index || s->paths[from->index][to].cut ||
        s->paths[to][from->index].cut || !dial_agrees(r, &s->nodes[to])) {
        dial_fail(from, r->dial, ML_E_UNREACHABLE);
        return;
    }
    link_up(from, &s->nodes[to], r);
}

/* A frame of the wrong number comes at that time: what was sent before it still counts. */
static void link_break(struct sim *s, uint64_t link, unsigned to, uint64_t at_ms)
{
    struct sim_link *l = &s->links[link - 1];
    struct sim_event *e = sim_event_new(SIM_LINK_BROKEN, to, 0);
    e->link = link;
    l->broken[l->end[1] == to ? 1 : 0] = true;
    sim_event_push(s, e, at_ms);
}

static uint64_t arrival(struct sim *s, struct sim_link *l, unsigned side, const struct sim_path *p)
{
    uint64_t at = sim_node_now(&s->nodes[l->end[1 - side]]) + p->delay_ms;
    at = at > p->stalled_until_ms ? at : p->stalled_until_ms;
    l->last_at_ms[side] = at > l->last_at_ms[side] ? at : l->last_at_ms[side];
    return l->last_at_ms[side];
}

static void message_push(struct sim *s, uint64_t link, struct ml_slice msg, uint64_t at,
                         unsigned to)
{
    struct sim_event *e = sim_event_new(SIM_LINK_MESSAGE, to, msg.len);
    e->link = link;
    memcpy(e->bytes, msg.data, msg.len);
    sim_event_push(s, e, at);
}

/* As it is, or as a rogue changes it. */
static void message_give(struct sim_node *from, uint64_t link, struct ml_slice msg, uint64_t at,
                         unsigned to)
{
    struct ml_buf changed;
    ml_buf_init(&changed, ml_env_system(), SIZE_MAX);
    const unsigned ends[2] = {from->index, to};
    const bool other = sim_rogue_changes(from->sim, from->index, to, msg, &changed) ||
                       sim_adversary_changes(from->sim, ends, msg, &changed);
    if (!other || changed.len > 0) { /* else all of it is kept back */
        message_push(from->sim, link, other ? ml_buf_slice(&changed) : msg, at, to);
    }
    ml_buf_free(&changed);
}

static void port_link_send(void *ctx, uint64_t link, const uint8_t *msg, size_t len)
{
    struct sim_node *from = ctx;
    struct sim *s = from->sim;
    struct sim_link *l = &s->links[link - 1];
    unsigned side = l->end[0] == from->index ? 1 : 0;
    unsigned to = l->end[side];
    const struct sim_path *p = &s->paths[from->index][to];
    if (!l->up) {
        return;
    }
    sim_store_offered(s, from->index, ml_slice(msg, len));
    struct sim_event *sent = sim_event_new(SIM_LINK_SENT, from->index, 0);
    sent->link = link;
    sent->len = len;
    sim_event_push(s, sent, s->now_ms + 1);
    if (l->broken[side]) { /* its number doesn't follow: at most it breaks the link sooner */
        link_break(s, link, to, arrival(s, l, side, p));
        return;
    }
    if (p->cut) {
        s->count.of[SIM_NET_LOST]++;
        link_break(s, link, to, s->now_ms + IDLE_MS);
        return;
    }
    uint64_t at = arrival(s, l, side, p);
    if (sim_chance(s, p->lost)) {
        s->count.of[SIM_NET_LOST]++;
        link_break(s, link, to, at + ALIVE_MS);
        return;
    }
    if (sim_chance(s, p->reordered)) { /* another one, of later, comes before it */
        s->count.of[SIM_NET_REORDERED]++;
        link_break(s, link, to, at);
        return;
    }
    message_give(from, link, ml_slice(msg, len), at, to);
    if (sim_chance(s, p->doubled)) {
        s->count.of[SIM_NET_DOUBLED]++;
        link_break(s, link, to, at);
    }
}

static void port_link_close(void *ctx, uint64_t link, ml_err reason)
{
    sim_link_drop(((struct sim_node *)ctx)->sim, link, reason);
}

/* ---- the other ports ---- */

static void port_identity_set(void *ctx, const struct ml_link_identity *identity)
{
    struct sim_node *n = ctx;
    n->identity = *identity;
    n->has_identity = true;
}

static void port_identity_clear(void *ctx, const struct ml_org_id *org)
{
    (void)org;
    ((struct sim_node *)ctx)->has_identity = false;
}

static void port_reply(void *ctx, uint64_t call, ml_err err, struct ml_slice document)
{
    struct sim *s = ((struct sim_node *)ctx)->sim;
    if (call != s->next_call || s->answer.done) {
        return; /* of a call that nobody waits for any more */
    }
    s->answer.done = true;
    s->answer.err = err;
    ml_buf_clear(&s->answer.document);
    ml_buf_append(&s->answer.document, document.data, document.len);
}

/* Whoever looks on hears of a repair at once. */
static void port_event(void *ctx, const char *name, struct ml_slice document)
{
    struct sim_node *n = ctx;
    struct ml_tree *tree = NULL;
    if (strcmp(name, "store.damaged") != 0 ||
        ml_tree_parse(&tree, document.data, document.len) != ML_OK) {
        return;
    }
    if (strcmp(ml_value_text(ml_value_get(ml_tree_root(tree), "file"), ""), "log") == 0) {
        n->ledger.told_event = n->sim->witness.event;
    }
    ml_tree_free(tree);
}

static void port_wake_at(void *ctx, uint64_t at_ms)
{
    ((struct sim_node *)ctx)->wake_at_ms = at_ms;
}

void sim_net_ports(struct sim_node *n, struct ml_node_ports *ports)
{
    *ports = (struct ml_node_ports){.ctx = n,
                                    .identity_set = port_identity_set,
                                    .identity_clear = port_identity_clear,
                                    .dial = port_dial,
                                    .link_send = port_link_send,
                                    .link_close = port_link_close,
                                    .reply = port_reply,
                                    .event = port_event,
                                    .wake_at = port_wake_at};
}
