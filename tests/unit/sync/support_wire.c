/* tests/unit/sync/support_wire.c -- what passes the links, judged as it is sent: numbers, windows,
 * and that nothing is named or given which isn't durable and anchored (I11, rules B18). */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "support_store.h"

bool store_may_offer(const struct world *w, unsigned node, int bundle)
{
    const struct world_bundle *b = w->bundles + bundle;
    ML_ASSERT(bundle >= 0 && b != NULL);
    const struct world_node *n = &w->node[node];
    if (b->author != (int)node) {
        return true;
    }
    for (unsigned i = 0; i < n->own_count; i++) {
        if (n->own[i].lane == b->info.id.lane &&
            memcmp(&n->own[i].writer, &b->info.id.writer, sizeof(n->own[i].writer)) == 0) {
            return n->own[i].anchored >= b->info.id.seq;
        }
    }
    return false;
}

static void check_bundle_sent(struct world *w, unsigned node, struct world_pipe *p, int at)
{
    store_require(w, at >= 0 && w->node[node].hold[at] == HOLD_STORED, "sent what is not durable");
    store_require(w, store_may_offer(w, node, at), "offered before the anchor");
    const struct world_bundle *b = w->bundles + at;
    ML_ASSERT(b != NULL);
    p->bundles++;
    p->payload += b->payload;
    p->trace_bundles += b->info.id.lane == ML_LANE_TRACE;
}

static void pipe_sent(struct world *w, unsigned node, struct world_pipe *p,
                      const struct ml_msg_bundles *msg)
{
    struct ml_list_walk walk;
    struct ml_slice wire;
    size_t bytes = 0;
    store_require(w, msg->number == ++p->sent_number, "BUNDLES out of number");
    ml_list_walk(&walk, &msg->items);
    while (ml_list_next(&walk, &ml_format_wire_bundle, &wire)) {
        bytes += wire.len;
        check_bundle_sent(w, node, p, store_find_wire(w, wire));
    }
    p->sizes = realloc(p->sizes, (p->sent_number + 1) * sizeof(*p->sizes));
    p->counts = realloc(p->counts, (p->sent_number + 1) * sizeof(*p->counts));
    ML_ASSERT(p->sizes != NULL && p->counts != NULL);
    p->sizes[p->sent_number] = bytes;
    p->counts[p->sent_number] = msg->items.count;
    p->open_bytes += bytes;
    p->open_bundles += msg->items.count;
    store_require(w, p->open_bytes <= p->window_bytes && p->open_bundles <= p->window_bundles,
                  "more than the window");
}

/* The peer's pipe, as the COMMIT or CREDIT that `node` sends sees it. */
static void pipe_acked(struct world *w, struct world_pipe *theirs, const struct ml_msg_commit *msg)
{
    store_require(w, msg->number > theirs->acked_number && msg->number <= theirs->sent_number,
                  "COMMIT of what was not sent");
    while (theirs->acked_number < msg->number) {
        theirs->acked_number++;
        theirs->open_bytes -= theirs->sizes[theirs->acked_number];
        theirs->open_bundles -= theirs->counts[theirs->acked_number];
    }
}

static void check_heads(struct world *w, unsigned node, const struct ml_list *heads)
{
    struct ml_list_walk walk;
    struct ml_dep id;
    ml_list_walk(&walk, heads);
    while (ml_list_next(&walk, &ml_format_dep, &id)) {
        int at = store_find(w, &id);
        store_require(w, at >= 0 && w->node[node].hold[at] == HOLD_STORED,
                      "named what is not durable");
        store_require(w, store_may_offer(w, node, at), "named before the anchor");
    }
}

void store_tap(struct world *w, unsigned node, struct world_link *l, struct ml_slice bytes)
{
    struct world_pipe *mine = &l->out[store_side(l, node)];
    struct world_pipe *theirs = &l->out[1 - store_side(l, node)];
    struct ml_msg msg;
    store_require(w, ml_msg_decode(&msg, bytes, NULL) == ML_OK,
                  "an engine wrote what it can't read");
    mine->by_kind[msg.kind]++;
    mine->messages++;
    mine->bytes += bytes.len;
    mine->framed += (bytes.len + 18 + 63) / 64 * 64;
    if (msg.kind == ML_MSG_BYE) {
        w->node[node].last_bye = msg.u.bye.reason;
    }
    if (w->checks_off) {
        return;
    }
    if (msg.kind == ML_MSG_BUNDLES) {
        pipe_sent(w, node, mine, &msg.u.bundles);
    } else if (msg.kind == ML_MSG_COMMIT) {
        pipe_acked(w, theirs, &msg.u.commit);
    } else if (msg.kind == ML_MSG_CREDIT) {
        theirs->window_bytes += msg.u.credit.bytes;
        theirs->window_bundles += msg.u.credit.bundles;
    } else if (msg.kind == ML_MSG_FRONTIER) {
        check_heads(w, node, &msg.u.frontier.heads);
    }
}

/* ---- the slow link: 256 kbit/s, each 1,400-byte segment may stall (decisions 26) ---- */

uint64_t store_arrival(struct world *w, struct world_pipe *p, size_t len)
{
    size_t framed = (len + 18 + 63) / 64 * 64;
    if (w->kbit_s == 0) {
        return w->now_ms + w->latency_ms;
    }
    uint64_t start = p->busy_ms > w->now_ms ? p->busy_ms : w->now_ms;
    for (size_t at = 0; at < framed; at += 1400) {
        size_t end = at + 1400 < framed ? at + 1400 : framed;
        uint64_t stall = fake_below(&w->fake, 100) < 5 ? 300 : 0;
        uint64_t arrives = start + end * 8 / w->kbit_s + w->latency_ms + stall;
        p->last_ms = arrives > p->last_ms ? arrives : p->last_ms;
    }
    p->busy_ms = start + framed * 8 / w->kbit_s;
    ML_ASSERT(p->sent_count < WORLD_SENT_MAX);
    p->sent[p->sent_count++] = (struct world_sent){p->busy_ms, len};
    return p->last_ms;
}

uint64_t store_sent_ms(const struct world_pipe *p)
{
    return p->sent_count > 0 ? p->sent[0].at_ms : UINT64_MAX;
}

void store_sent_report(struct world *w, struct world_link *l, unsigned from)
{
    struct world_pipe *p = &l->out[from];
    size_t bytes = p->sent[0].bytes;
    p->sent_count--;
    memmove(p->sent, p->sent + 1, p->sent_count * sizeof(p->sent[0]));
    if (!l->gone[from]) {
        ml_sync_on_sent(w->node[l->node[from]].engine, l->session[from], bytes);
    }
}
