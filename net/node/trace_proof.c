/* net/node/trace_proof.c -- trace.verify: are all traces here, and what they were?
 *
 * Happy path: every bundle of lane 2 is proved from its bytes -> those that open are read, and the
 * place of each entry in its node's journal is noted -> sorted, a place that nobody filled is a
 * gap. A gap isn't yet a crime: entries of a member who is away wait in his node's journal. What
 * stays missing once he was there was taken away.
 */
#include "net/node/trace_proof.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "net/node/card.h"
#include "net/node/methods.h"
#include "net/node/retention.h"
#include "net/node/right.h"
#include "net/node/session.h"
#include "net/node/trace.h"
#include "net/node/trace_read.h"

enum { PROBLEMS_SHOWN = 100, GAPS_SHOWN = 100 };

struct place {
    struct ml_node_id node;
    uint64_t seq;
    uint64_t wall_ms;
};
#define PLACES_BYTES_MAX (sizeof(struct place) << 21)

struct proof {
    struct ml_call *call;
    struct ml_buf places;
    uint64_t bundles;
    uint64_t entries;
    uint64_t doubtful;
    uint64_t missing; /* bodies not received */
    uint64_t dropped; /* bodies that the structure's rule dropped */
    uint64_t problems;
    uint64_t gaps;
    uint64_t kept_from_ms; /* what is older may be gone; 0: all is kept */
};

static void problem_take(void *user, const char *what)
{
    struct proof *p = user;
    if (p->problems++ < PROBLEMS_SHOWN) {
        ml_args_text(p->call->result, what);
    }
}

static ml_err entry_take(void *user, const struct ml_trace_found *found)
{
    struct proof *p = user;
    const struct place place = {
        .node = found->entry.node, .seq = found->entry.seq, .wall_ms = found->entry.wall_ms};
    p->entries++;
    p->doubtful += found->doubtful;
    if (place.seq != 0 && !found->doubtful) {
        ml_buf_append(&p->places, &place, sizeof(place));
    }
    return p->places.err;
}

static ml_err read_all(struct proof *p, struct ml_trace_reading *r)
{
    struct ml_log_entry bundle;
    uint64_t n = 0;
    ml_err err = ML_OK;
    while (err == ML_OK) {
        err = ml_log_after(r->org->log, n, ML_LOG_LANE(ML_LANE_TRACE), &bundle);
        if (err != ML_OK) {
            break;
        }
        n = bundle.n;
        p->bundles++;
        p->missing += bundle.body.absent == ML_ABSENT_NOT_RECEIVED;
        p->dropped += bundle.body.absent == ML_ABSENT_PRUNED;
        err = ml_trace_read(r, &bundle);
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

/* ---- gaps ---- */

static int place_order(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    const int node = memcmp(x->node.b, y->node.b, sizeof(x->node.b));
    if (node != 0) {
        return node;
    }
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static void gap_put(struct proof *p, const struct ml_node_id *node, uint64_t from, uint64_t to)
{
    struct ml_args *out = p->call->result;
    struct ml_card_place of = {.kind = ML_CARD_NODE};
    if (p->gaps++ >= GAPS_SHOWN) {
        return;
    }
    memcpy(of.id, node->b, sizeof(of.id));
    ml_args_map(out);
    ml_result_hex(out, "node", node->b, sizeof(node->b));
    ml_card_describe(p->call->org, out, &of);
    ml_result_int(out, "from", (int64_t)from);
    ml_result_int(out, "to", (int64_t)to);
    ml_args_end(out);
}

/* What stood here was written after the entry before it: was that still within the time that ended?
 */
static bool is_over(const struct proof *p, const struct place *before)
{
    return p->dropped > 0 && (before == NULL || before->wall_ms < p->kept_from_ms);
}

/* A node's first entry has place 1; what is gone since its time is over is none's loss. */
static void gaps_put(struct proof *p)
{
    struct place *all = (struct place *)(void *)p->places.data;
    const size_t count = p->places.len / sizeof(*all);
    if (count > 0) {
        qsort(all, count, sizeof(*all), place_order);
    }
    for (size_t i = 0; i < count; i++) {
        const bool first =
            i == 0 || memcmp(all[i].node.b, all[i - 1].node.b, sizeof(all[i].node.b)) != 0;
        const uint64_t before = first ? 0 : all[i - 1].seq;
        if (all[i].seq > before + 1 && !is_over(p, first ? NULL : &all[i - 1])) {
            gap_put(p, &all[i].node, before + 1, all[i].seq - 1);
        }
    }
}

static void counts_put(const struct proof *p, const struct ml_trace_reading *r)
{
    struct ml_args *out = p->call->result;
    ml_result_int(out, "bundles", (int64_t)p->bundles);
    ml_result_int(out, "entries", (int64_t)p->entries);
    ml_result_int(out, "closed", r->closed);
    ml_result_int(out, "damaged", r->damaged);
    ml_result_int(out, "doubtful", (int64_t)p->doubtful);
    ml_result_int(out, "bodies_missing", (int64_t)p->missing);
    ml_result_int(out, "bodies_dropped", (int64_t)p->dropped);
    if (p->kept_from_ms != 0) {
        ml_result_int(out, "kept_from_ms", (int64_t)p->kept_from_ms);
    }
    ml_result_int(out, "gap_count", (int64_t)p->gaps);
    ml_result_bool(out, "all", r->audit != NULL);
    ml_result_bool(out, "intact",
                   p->problems + p->missing + p->doubtful + r->damaged + p->gaps == 0);
}

static ml_err prove(struct proof *p, struct ml_trace_reading *r)
{
    struct ml_args *out = p->call->result;
    ml_args_key(out, "problems");
    ml_args_list(out);
    ml_err err = ml_log_verify_lane(r->org->log, ML_LANE_TRACE, problem_take, p);
    ml_args_end(out);
    if (err == ML_OK) {
        err = read_all(p, r);
    }
    ml_args_key(out, "gaps");
    ml_args_list(out);
    if (err == ML_OK && r->audit != NULL) {
        gaps_put(p);
    }
    ml_args_end(out);
    return err;
}

ml_err ml_trace_verify(struct ml_call *call)
{
    struct proof p = {.call = call};
    struct ml_trace_reading r = {.org = call->org, .each = entry_take, .user = &p};
    ml_err err = ml_call_note(call, ML_TRACE_AUDIT, NULL);
    if (err == ML_OK) {
        err = ml_trace_cut(call->org);
    }
    if (err != ML_OK) {
        return err;
    }
    if (ml_right_now(call->org, ML_CLASS_TRACES, ML_RIGHT_READ) == ML_SCOPE_ALL) {
        r.audit = ml_trace_audit_key(call->org);
    }
    err = ml_retention_kept_from(call->org, &p.kept_from_ms);
    if (err != ML_OK) {
        return err;
    }
    ml_buf_init(&p.places, call->node->env, PLACES_BYTES_MAX);
    err = prove(&p, &r);
    ml_buf_free(&p.places);
    counts_put(&p, &r);
    return err;
}
