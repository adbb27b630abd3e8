/* tests/unit/sync/support_store.c -- a log store in memory, without cleverness. */
#include "support_store.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

int store_find(const struct world *w, const struct ml_dep *id)
{
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (ml_dep_compare(&w->bundles[i].info.id, id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int store_find_hash(const struct world *w, const struct ml_hash16 *hash)
{
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (memcmp(&w->bundles[i].info.id.hash, hash, sizeof(*hash)) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int store_find_wire(const struct world *w, struct ml_slice wire)
{
    static const struct ml_org_id org;
    struct ml_bundle bundle;
    if (ml_bundle_decode(&bundle, wire, NULL) != ML_OK) {
        return -1;
    }
    struct ml_hash hash = ml_bundle_hash(&bundle, &org);
    struct ml_hash16 name = ml_hash16_of(&hash);
    return store_find_hash(w, &name);
}

bool store_is_ready(const struct world *w, unsigned node, int bundle)
{
    const struct world_bundle *b = &w->bundles[bundle];
    const struct world_node *n = &w->node[node];
    if (b->prev >= 0 && n->hold[b->prev] != HOLD_STORED) {
        return false;
    }
    for (unsigned i = 0; i < b->dep_count; i++) {
        if (n->hold[b->deps[i]] != HOLD_STORED) {
            return false;
        }
    }
    return true;
}

void store_keep(struct world *w, unsigned node, int bundle)
{
    struct world_node *n = &w->node[node];
    n->hold[bundle] = HOLD_STORED;
    n->order[bundle] = ++n->next_order;
}

static int dep_order(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

struct ml_dep *store_heads(const struct world *w, unsigned node, size_t *count)
{
    const struct world_node *n = &w->node[node];
    bool *covered = calloc(w->bundle_count + 1, sizeof(*covered));
    struct ml_dep *heads = calloc(w->bundle_count + 1, sizeof(*heads));
    ML_ASSERT(covered != NULL && heads != NULL);
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (n->hold[i] == HOLD_STORED && w->bundles[i].prev >= 0) {
            covered[w->bundles[i].prev] = true;
        }
    }
    *count = 0;
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (n->hold[i] == HOLD_STORED && !covered[i]) {
            heads[(*count)++] = w->bundles[i].info.id;
        }
    }
    qsort(heads, *count, sizeof(*heads), dep_order);
    free(covered);
    return heads;
}

struct world_own *store_own(struct world *w, unsigned node, const struct ml_writer_id *writer,
                            uint8_t lane)
{
    struct world_node *n = &w->node[node];
    for (unsigned i = 0; i < n->own_count; i++) {
        if (n->own[i].lane == lane && memcmp(&n->own[i].writer, writer, sizeof(*writer)) == 0) {
            return &n->own[i];
        }
    }
    return NULL;
}

static void holes_add(struct ml_sync_holes *holes, const struct ml_hash16 *hash)
{
    holes->wanted++;
    for (size_t k = 0; k < sizeof(holes->digest); k++) { /* any function of the set will do */
        holes->digest[k] ^= hash->b[k];
    }
}

struct ml_sync_holes store_holes(const struct world *w, unsigned node)
{
    const struct world_node *n = &w->node[node];
    struct ml_sync_holes holes = {.wanted = 0};
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (n->hold[i] == HOLD_STORED && n->no_body[i]) {
            holes_add(&holes, &w->bundles[i].info.id.hash);
        }
    }
    return holes;
}

static void *grown(void *old, size_t count, size_t cap, size_t size)
{
    uint8_t *bytes = realloc(old, cap * size);
    ML_ASSERT(bytes != NULL);
    memset(bytes + count * size, 0, (cap - count) * size);
    return bytes;
}

void store_grow(struct world *w)
{
    size_t had = w->bundle_cap;
    size_t cap = had == 0 ? 256 : had * 2;
    if (w->bundle_count < had) {
        return;
    }
    w->bundles = grown(w->bundles, had, cap, sizeof(*w->bundles));
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++) {
        struct world_node *n = &w->node[i];
        n->hold = grown(n->hold, had, cap, sizeof(*n->hold));
        n->order = grown(n->order, had, cap, sizeof(*n->order));
        n->no_body = grown(n->no_body, had, cap, sizeof(*n->no_body));
    }
    w->bundle_cap = cap;
}

int store_add(struct world *w, const struct world_bundle *bundle)
{
    store_grow(w);
    w->bundles[w->bundle_count] = *bundle;
    return (int)w->bundle_count++;
}

/* ---- answers ---- */

/* The bundles of a node that the ranges ask for, in its order of ingest. */
struct selection {
    int *index;
    size_t count;
};

static void range_select(const struct world *w, const struct world_node *n,
                         const struct ml_sync_range *r, bool *wanted)
{
    bool *had = calloc(w->bundle_count + 1, sizeof(*had));
    ML_ASSERT(had != NULL);
    for (size_t i = 0; i < r->after_count; i++) {
        for (int k = store_find(w, &r->after[i]); k >= 0 && !had[k]; k = w->bundles[k].prev) {
            had[k] = true;
        }
    }
    for (size_t i = 0; i < w->bundle_count; i++) {
        const struct ml_dep *id = &w->bundles[i].info.id;
        bool in_chain = id->lane == r->lane && id->seq >= r->from && id->seq <= r->to &&
                        memcmp(&id->writer, &r->writer, sizeof(id->writer)) == 0;
        wanted[i] = wanted[i] || (in_chain && !had[i] && n->hold[i] == HOLD_STORED &&
                                  w->bundles[i].wire != NULL);
    }
    free(had);
}

static struct selection ranges_select(const struct world *w, const struct world_job *job)
{
    const struct world_node *n = &w->node[job->node];
    bool *wanted = calloc(w->bundle_count + 1, sizeof(*wanted));
    int *by_order = calloc(n->next_order + 1, sizeof(*by_order));
    struct selection sel = {.index = calloc(w->bundle_count + 1, sizeof(int))};
    ML_ASSERT(wanted != NULL && by_order != NULL && sel.index != NULL);
    for (size_t i = 0; i < job->action.u.ranges.count; i++) {
        range_select(w, n, &job->action.u.ranges.ranges[i], wanted);
    }
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (wanted[i]) {
            by_order[n->order[i]] = (int)i + 1;
        }
    }
    for (uint32_t i = 0; i <= n->next_order; i++) {
        if (by_order[i] > 0) {
            sel.index[sel.count++] = by_order[i] - 1;
        }
    }
    free(by_order);
    free(wanted);
    return sel;
}

static void answer_measure(struct world *w, struct world_job *job)
{
    struct ml_sync_count lanes[ML_LANES] = {{0}};
    struct selection sel = ranges_select(w, job);
    for (size_t i = 0; i < sel.count; i++) {
        const struct world_bundle *b = &w->bundles[sel.index[i]];
        struct ml_sync_count *c = &lanes[b->info.id.lane];
        c->bundles++;
        c->bytes += b->info.bytes;
        c->ops += b->ops;
    }
    free(sel.index);
    ml_sync_on_measured(w->node[job->node].engine, job->action.session, job->action.query, lanes);
}

static void answer_load(struct world *w, struct world_job *job)
{
    struct selection sel = ranges_select(w, job);
    struct ml_sync_loaded *out = calloc(sel.count + 1, sizeof(*out));
    ML_ASSERT(out != NULL);
    struct ml_sync_load load = {.bundles = out};
    size_t bytes = 0;
    for (size_t i = 0; i < sel.count; i++) {
        const struct world_bundle *b = &w->bundles[sel.index[i]];
        bool bare = w->node[job->node].no_body[sel.index[i]];
        struct ml_slice wire =
            bare ? ml_slice(b->bare, b->bare_len) : ml_slice(b->wire, b->info.bytes);
        bytes += wire.len;
        if (bytes > job->action.u.ranges.bytes_max || i == job->action.u.ranges.bundles_max) {
            load.more = true;
            break;
        }
        out[load.count++] = (struct ml_sync_loaded){.bundle = b->info, .wire = wire};
    }
    ml_sync_on_loaded(w->node[job->node].engine, job->action.session, job->action.query, &load);
    free(out);
    free(sel.index);
}

static void answer_known(struct world *w, struct world_job *job)
{
    size_t count = job->action.u.known.count;
    bool *known = calloc(count + 1, sizeof(*known));
    ML_ASSERT(known != NULL);
    for (size_t i = 0; i < count; i++) {
        int at = store_find(w, &job->action.u.known.heads[i]);
        known[i] = at >= 0 && w->node[job->node].hold[at] == HOLD_STORED;
    }
    ml_sync_on_known(w->node[job->node].engine, job->action.session, job->action.query, known);
    free(known);
}

static int below(const struct world *w, int head, uint32_t seq)
{
    while (head >= 0 && w->bundles[head].info.id.seq > seq) {
        head = w->bundles[head].prev;
    }
    return head;
}

static void answer_places(struct world *w, struct world_job *job)
{
    const struct ml_sync_action *a = &job->action;
    struct ml_hash16 hashes[ML_SYNC_FORK_PLACES_MAX];
    size_t count = 0;
    int head = store_find(w, &a->u.places.head);
    bool here = head >= 0 && w->node[job->node].hold[head] == HOLD_STORED;
    ML_ASSERT((a->u.places.last - a->u.places.first) / a->u.places.step < ML_SYNC_FORK_PLACES_MAX);
    for (uint32_t seq = a->u.places.first; here && seq <= a->u.places.last;
         seq += a->u.places.step) {
        hashes[count++] = w->bundles[below(w, head, seq)].info.id.hash;
    }
    ml_sync_on_places(w->node[job->node].engine, a->session, a->query, hashes, count);
}

static int hash_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_hash16));
}

static void answer_wanted(struct world *w, struct world_job *job)
{
    const struct world_node *n = &w->node[job->node];
    struct ml_hash16 *all = calloc(w->bundle_count + 1, sizeof(*all));
    size_t count = 0;
    ML_ASSERT(all != NULL);
    for (size_t i = 0; i < w->bundle_count; i++) {
        const struct ml_hash16 *hash = &w->bundles[i].info.id.hash;
        if (n->hold[i] == HOLD_STORED && n->no_body[i] &&
            memcmp(hash, &job->action.u.wanted.after, sizeof(*hash)) > 0) {
            all[count++] = *hash;
        }
    }
    qsort(all, count, sizeof(*all), hash_order);
    count = count < job->action.u.wanted.max ? count : job->action.u.wanted.max;
    ml_sync_on_wanted(n->engine, job->action.session, job->action.query, all, count);
    free(all);
}

static void answer_bodies(struct world *w, struct world_job *job)
{
    const struct world_node *n = &w->node[job->node];
    struct ml_sync_body bodies[ML_SYNC_BODIES_MAX];
    size_t bytes = 0;
    size_t count = 0;
    for (size_t i = 0; i < job->action.u.bodies.count; i++) {
        int at = store_find_hash(w, &job->action.u.bodies.hashes[i]);
        struct ml_sync_body body = {.reason = ML_ABSENT_NOT_RECEIVED};
        if (at >= 0 && n->hold[at] == HOLD_STORED && !n->no_body[at] &&
            w->bundles[at].wire != NULL) {
            body.wire = ml_slice(w->bundles[at].wire, w->bundles[at].info.bytes);
        }
        bytes += body.wire.len;
        if (count > 0 && bytes > job->action.u.bodies.bytes_max) {
            break;
        }
        bodies[count++] = body;
    }
    ml_sync_on_bodies(n->engine, job->action.session, job->action.query, bodies, count);
}

static void answer_snapshot(struct world *w, struct world_job *job)
{
    struct world_node *n = &w->node[job->node];
    struct ml_sync_own own[WORLD_OWN_MAX];
    struct ml_sync_snapshot snap = {.own = own, .own_count = n->own_count};
    struct ml_dep *heads = store_heads(w, job->node, &snap.head_count);
    for (unsigned i = 0; i < n->own_count; i++) {
        own[i] = (struct ml_sync_own){n->own[i].writer, n->own[i].lane, n->own[i].anchored};
    }
    snap.heads = heads;
    snap.holes = store_holes(w, job->node);
    snap.chunks_missing = world_chunks_at(w, job->node, CHUNK_MISSING);
    ml_sync_on_snapshot(n->engine, &snap);
    free(heads);
}

static void answer_anchor(struct world *w, struct world_job *job)
{
    const struct ml_sync_own *asked = &job->action.u.anchor;
    struct world_own *own = store_own(w, job->node, &asked->writer, asked->lane);
    ML_ASSERT(own != NULL);
    const struct world_node *n = &w->node[job->node];
    const bool writes = !n->no_anchor && (n->no_lanes >> asked->lane & 1u) == 0;
    if (own->anchored < asked->anchored && writes) {
        own->anchored = asked->anchored;
    }
    const struct ml_sync_own told = {own->writer, own->lane, own->anchored};
    ml_sync_on_anchored(n->engine, &told);
}

/* ---- ingest ---- */

static struct ml_sync_outcome outcome_one(struct world *w, unsigned node, struct ml_slice wire)
{
    struct world_node *n = &w->node[node];
    struct ml_sync_outcome o = {.result = ML_SYNC_REFUSED, .err = ML_E_FORGED};
    int at = store_find_wire(w, wire);
    if (at < 0 || n->refuse_next) {
        n->refuse_next = false;
        return o;
    }
    bool bare = wire.len == w->bundles[at].bare_len;
    o.err = ML_OK;
    o.bundle = w->bundles[at].info;
    if (n->hold[at] == HOLD_STORED) {
        o.result = n->no_body[at] && !bare ? ML_SYNC_BODY : ML_SYNC_DUPLICATE;
        n->no_body[at] = n->no_body[at] && bare;
    } else if (store_is_ready(w, node, at)) {
        o.result = ML_SYNC_STORED;
        store_keep(w, node, at);
    } else {
        o.result = ML_SYNC_PENDING;
        w->pended++;
        n->no_body[at] = n->hold[at] == HOLD_PENDING ? n->no_body[at] && bare : bare;
        n->hold[at] = HOLD_PENDING;
        return o;
    }
    if (o.result == ML_SYNC_STORED) {
        n->no_body[at] = bare;
    }
    return o;
}

/* One that can be kept now, or -1. */
static int pending_ready(const struct world *w, unsigned node)
{
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (w->node[node].hold[i] == HOLD_PENDING && store_is_ready(w, node, (int)i)) {
            return (int)i;
        }
    }
    return -1;
}

static size_t unpend(struct world *w, unsigned node, struct ml_sync_outcome *out)
{
    size_t count = 0;
    for (int at = pending_ready(w, node); at >= 0; at = pending_ready(w, node)) {
        store_keep(w, node, at);
        out[count++] = (struct ml_sync_outcome){
            .result = ML_SYNC_STORED, .index = ML_SYNC_NO_INDEX, .bundle = w->bundles[at].info};
    }
    return count;
}

static void answer_ingest(struct world *w, struct world_job *job)
{
    struct world_node *n = &w->node[job->node];
    size_t count = job->action.u.ingest.count;
    struct ml_sync_outcome *out = calloc(count + w->bundle_count + 1, sizeof(*out));
    ml_err err = n->ingest_err;
    ML_ASSERT(out != NULL);
    uint32_t holes_before = store_holes(w, job->node).wanted;
    n->ingest_err = ML_OK;
    n->ingesting--;
    n->ingests++;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += job->action.u.ingest.bundles[i].len;
    }
    n->ingest_most = bytes > n->ingest_most ? bytes : n->ingest_most;
    for (size_t i = 0; err == ML_OK && i < count; i++) {
        out[i] = outcome_one(w, job->node, job->action.u.ingest.bundles[i]);
        out[i].index = (uint32_t)i;
    }
    if (err == ML_OK) {
        count += unpend(w, job->node, out + count);
    }
    ml_sync_on_ingested(n->engine, job->action.query, err, out, err == ML_OK ? count : 0);
    struct ml_sync_holes holes = store_holes(w, job->node);
    if (holes.wanted != holes_before) {
        ml_sync_on_holes(n->engine, &holes);
    }
    free(out);
}

void store_answer(struct world *w, struct world_job *job)
{
    static void (*const answers[])(struct world *, struct world_job *) = {
        [ML_SYNC_SNAPSHOT] = answer_snapshot, [ML_SYNC_ANCHOR] = answer_anchor,
        [ML_SYNC_INGEST] = answer_ingest,     [ML_SYNC_KNOWN] = answer_known,
        [ML_SYNC_PLACES] = answer_places,     [ML_SYNC_MEASURE] = answer_measure,
        [ML_SYNC_LOAD] = answer_load,         [ML_SYNC_LOAD_BODIES] = answer_bodies,
        [ML_SYNC_WANTED] = answer_wanted,
    };
    ML_ASSERT((size_t)job->action.kind < sizeof(answers) / sizeof(answers[0]));
    ML_ASSERT(answers[job->action.kind] != NULL);
    answers[job->action.kind](w, job);
}
