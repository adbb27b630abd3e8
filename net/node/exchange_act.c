/* net/node/ml_exchange_act.c -- what the engine asks, done on the log store and the links.
 *
 * Each query is answered before the next action is taken; one that fails ends its session
 * (ml_sync_on_failed), never the node.
 */
#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "net/node/anchors.h"
#include "net/node/exchange_inner.h"
#include "net/node/ingest.h"
#include "net/node/session.h"
#include "net/node/turn.h"

struct collect {
    struct ml_exchange *x;
    struct ml_buf items;               /* of the type that is collected */
    struct ml_buf bytes;               /* wire forms, one after the other */
    const struct ml_sync_range *asked; /* borrowed; of LOAD */
    size_t asked_count;
    size_t max;
    size_t bytes_max;
    bool more;
};

static void collect_init(struct collect *c, struct ml_exchange *x)
{
    *c = (struct collect){.x = x};
    ml_buf_init(&c->items, x->org->node->env, SIZE_MAX);
    ml_buf_init(&c->bytes, x->org->node->env, SIZE_MAX);
}

static void collect_free(struct collect *c)
{
    ml_buf_free(&c->items);
    ml_buf_free(&c->bytes);
}

static ml_err collect_head(void *user, const struct ml_dep *head)
{
    struct collect *c = user;
    ml_buf_append(&c->items, head, sizeof(*head));
    return c->items.err;
}

/* Own chains: those of the writers whose seeds this keystore holds. */
static ml_err own_chains(struct ml_exchange *x, const struct collect *heads, struct collect *own)
{
    const struct ml_dep *at = (const void *)heads->items.data;
    size_t count = heads->items.len / sizeof(*at);
    for (size_t i = 0; i < count; i++) {
        if (!ml_org_is_own_writer(x->org, &at[i].writer)) {
            continue;
        }
        const struct ml_sync_own chain = {.writer = at[i].writer,
                                          .lane = at[i].lane,
                                          .anchored =
                                              ml_anchors_get(x->org, &at[i].writer, at[i].lane)};
        ml_buf_append(&own->items, &chain, sizeof(chain));
    }
    return own->items.err;
}

static ml_err hole_count(void *user, const struct ml_hole *hole)
{
    *(uint32_t *)user += hole->reason == ML_ABSENT_NOT_RECEIVED;
    return ML_OK;
}

static ml_err holes_of(struct ml_exchange *x, struct ml_sync_holes *out, bool *forked)
{
    struct ml_frontier_digest digest;
    uint32_t wanted = 0;
    struct ml_log_counts counts;
    ml_err err = ml_log_counts(x->org->log, &counts);
    *out = (struct ml_sync_holes){0};
    *forked = err == ML_OK && counts.forks > 0;
    if (err != ML_OK) {
        return err;
    }
    x->holes = counts.bodies_missing;
    if (x->holes == 0) {
        return ML_OK;
    }
    err = ml_log_holes(x->org->log, hole_count, &wanted);
    if (err == ML_OK) {
        err = ml_log_digest(x->org->log, &digest);
    }
    if (err == ML_OK) {
        memcpy(out->digest, digest.holes, sizeof(out->digest));
        out->wanted = wanted;
    }
    return err;
}

void ml_exchange_holes(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    struct ml_log_counts counts;
    struct ml_sync_holes holes;
    bool forked = false;
    if (ml_log_counts(org->log, &counts) == ML_OK && counts.bodies_missing != x->holes &&
        holes_of(x, &holes, &forked) == ML_OK) {
        ml_sync_on_holes(x->sync, &holes);
        ml_exchange_wake(x);
    }
}

/* Tells the engine all heads, own chains and holes as committed. */
static void act_snapshot(struct ml_exchange *x)
{
    struct collect heads;
    struct collect own;
    struct ml_sync_snapshot snapshot = {0};
    bool forked = false;
    collect_init(&heads, x);
    collect_init(&own, x);
    ml_err err = ml_log_heads(x->org->log, collect_head, &heads);
    if (err == ML_OK) {
        err = own_chains(x, &heads, &own);
    }
    if (err == ML_OK) {
        err = holes_of(x, &snapshot.holes, &forked);
    }
    if (err == ML_OK) {
        snapshot.heads = (const void *)heads.items.data;
        snapshot.head_count = heads.items.len / sizeof(struct ml_dep);
        snapshot.own = (const void *)own.items.data;
        snapshot.own_count = own.items.len / sizeof(struct ml_sync_own);
        snapshot.chunks_missing = ml_log_chunks_missing(x->org->log);
        ml_sync_on_snapshot(x->sync, &snapshot);
        if (forked) {
            ml_sync_on_fork(x->sync);
        }
    } else {
        ml_logf(x->org->node->env, ML_LOG_ERROR, "exchange", "no snapshot of the log: %s",
                ml_err_name(err));
    }
    collect_free(&own);
    collect_free(&heads);
}

static void act_send(struct ml_exchange *x, const struct ml_sync_action *a)
{
    const struct ml_node_ports *ports = &x->org->node->ports;
    const struct exchange_link *l = ml_exchange_link_of(x, a->session);
    if (l != NULL) {
        ports->link_send(ports->ctx, l->link, a->u.send.data, a->u.send.len);
    }
}

static void act_close(struct ml_exchange *x, const struct ml_sync_action *a)
{
    const struct ml_node_ports *ports = &x->org->node->ports;
    const struct exchange_link *l = ml_exchange_link_of(x, a->session);
    if (l == NULL) {
        ml_sync_on_closed(x->sync, a->session);
        return;
    }
    ports->link_close(ports->ctx, l->link, a->u.close);
}

static void act_anchor(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct ml_sync_own told = a->u.anchor;
    ml_err err = ml_anchors_raise(x->org, &a->u.anchor);
    if (err != ML_OK) {
        const ml_log_level level = err == x->unanchored ? ML_LOG_DEBUG : ML_LOG_ERROR;
        told.anchored = ml_anchors_get(x->org, &told.writer, told.lane); /* so it asks again */
        ml_logf(x->org->node->env, level, "exchange",
                "own entries are not offered: the anti-rollback record can't be written: %s",
                ml_err_name(err));
    }
    x->unanchored = err;
    ml_sync_on_anchored(x->sync, &told);
}

static void act_known(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct collect c;
    ml_err err = ML_OK;
    collect_init(&c, x);
    for (size_t i = 0; i < a->u.known.count && err == ML_OK; i++) {
        struct ml_log_entry entry;
        err = ml_log_get(x->org->log, &a->u.known.heads[i].hash, &entry);
        const bool known = err == ML_OK;
        err = err == ML_E_NOT_FOUND ? ML_OK : err;
        ml_buf_append(&c.items, &known, sizeof(known));
    }
    err = err == ML_OK ? c.items.err : err;
    if (err == ML_OK) {
        ml_sync_on_known(x->sync, a->session, a->query, (const void *)c.items.data);
    } else {
        ml_sync_on_failed(x->sync, a->session, a->query, err);
    }
    collect_free(&c);
}

static void act_places(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct collect c;
    ml_err err = ML_OK;
    const uint32_t step = a->u.places.step == 0 ? 1 : a->u.places.step;
    collect_init(&c, x);
    for (uint64_t seq = a->u.places.first; seq <= a->u.places.last && err == ML_OK; seq += step) {
        struct ml_hash16 hash;
        err = ml_log_below(x->org->log, &a->u.places.head, (uint32_t)seq, &hash);
        if (err == ML_OK) {
            ml_buf_append(&c.items, &hash, sizeof(hash));
        }
    }
    if (err == ML_E_NOT_FOUND) { /* the head isn't stored: no places */
        ml_buf_clear(&c.items);
        err = ML_OK;
    }
    err = err == ML_OK ? c.items.err : err;
    if (err == ML_OK) {
        ml_sync_on_places(x->sync, a->session, a->query, (const void *)c.items.data,
                          c.items.len / sizeof(struct ml_hash16));
    } else {
        ml_sync_on_failed(x->sync, a->session, a->query, err);
    }
    collect_free(&c);
}

/* The log's ranges are the engine's, field by field: core doesn't know sync's types. */
static ml_err ranges_copy(struct collect *c, const struct ml_sync_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ml_log_range r = {.writer = ranges[i].writer,
                                       .lane = ranges[i].lane,
                                       .to = ranges[i].to,
                                       .after = ranges[i].after,
                                       .after_count = ranges[i].after_count};
        ml_buf_append(&c->items, &r, sizeof(r));
    }
    return c->items.err;
}

static void act_measure(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct collect ranges;
    struct ml_log_measure lanes[ML_LANES] = {{0}};
    struct ml_sync_count counts[ML_LANES] = {{0}};
    collect_init(&ranges, x);
    ml_err err = ranges_copy(&ranges, a->u.ranges.ranges, a->u.ranges.count);
    if (err == ML_OK) {
        err =
            ml_log_measure(x->org->log, (const void *)ranges.items.data, a->u.ranges.count, lanes);
    }
    for (size_t i = 0; i < ML_LANES; i++) {
        counts[i] = (struct ml_sync_count){.bundles = lanes[i].bundles, .bytes = lanes[i].bytes};
    }
    if (err == ML_OK) {
        ml_sync_on_measured(x->sync, a->session, a->query, counts);
    } else {
        ml_sync_on_failed(x->sync, a->session, a->query, err);
    }
    collect_free(&ranges);
}

static struct ml_dep entry_id(const struct ml_log_entry *e)
{
    return (struct ml_dep){.writer = e->header.writer,
                           .lane = e->header.lane,
                           .seq = e->header.seq,
                           .hash = ml_hash16_of(&e->hash)};
}

/* Of a forked chain the peer has the lower part, whatever head it names. */
static bool is_below_fork(const struct collect *c, const struct ml_header *header)
{
    for (size_t i = 0; i < c->asked_count; i++) {
        const struct ml_sync_range *r = &c->asked[i];
        if (r->from > header->seq && r->lane == header->lane &&
            memcmp(&r->writer, &header->writer, sizeof(r->writer)) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes an entry into the answer; CANCELED when a limit is reached. */
static ml_err collect_entry(void *user, const struct ml_log_entry *e)
{
    struct collect *c = user;
    if (is_below_fork(c, &e->header)) {
        return ML_OK;
    }
    size_t taken = c->items.len / sizeof(struct ml_sync_loaded);
    if (taken == c->max || c->bytes.len + e->bytes > c->bytes_max) {
        c->more = true;
        return ML_E_CANCELED;
    }
    struct ml_sync_loaded loaded = {.bundle = {.id = entry_id(e), .bytes = e->bytes}};
    loaded.bundle.prev = ml_hash16_of(&e->header.prev);
    size_t at = c->bytes.len;
    ml_err err = ml_bundle_join(&c->bytes, e->header_bytes, &e->sig, &e->body);
    loaded.wire = ml_slice(NULL, c->bytes.len - at); /* the buffer may still move */
    ml_buf_append(&c->items, &loaded, sizeof(loaded));
    return err == ML_OK ? c->items.err : err;
}

static void collect_answer(struct collect *c, const struct ml_sync_action *a, ml_err err)
{
    struct ml_sync_loaded *loaded = (void *)c->items.data;
    size_t count = c->items.len / sizeof(*loaded);
    const uint8_t *at = c->bytes.data;
    if (err != ML_OK) {
        ml_sync_on_failed(c->x->sync, a->session, a->query, err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        loaded[i].wire.data = at;
        at += loaded[i].wire.len;
    }
    const struct ml_sync_load load = {.bundles = loaded, .count = count, .more = c->more};
    ml_sync_on_loaded(c->x->sync, a->session, a->query, &load);
}

static void act_load(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct collect ranges;
    struct collect c;
    collect_init(&ranges, x);
    collect_init(&c, x);
    c.asked = a->u.ranges.ranges;
    c.asked_count = a->u.ranges.count;
    c.max = a->u.ranges.bundles_max;
    c.bytes_max = a->u.ranges.bytes_max;
    ml_err err = ranges_copy(&ranges, a->u.ranges.ranges, a->u.ranges.count);
    if (err == ML_OK) {
        err = ml_log_load(x->org->log, (const void *)ranges.items.data, a->u.ranges.count,
                          collect_entry, &c);
    }
    collect_answer(&c, a, err);
    collect_free(&c);
    collect_free(&ranges);
}

/* One body: the whole bundle, or why it can't be given. *full: it doesn't fit any more. */
static ml_err body_take(struct collect *c, const struct ml_hash16 *hash, bool *full)
{
    struct ml_log_entry entry;
    struct ml_sync_body body = {.reason = ML_ABSENT_NOT_RECEIVED};
    ml_err err = ml_log_get(c->x->org->log, hash, &entry);
    if (err == ML_OK && entry.body.absent == ML_ABSENT_NONE) {
        size_t at = c->bytes.len;
        *full = at > 0 && at + entry.bytes > c->bytes_max;
        if (*full) {
            return ML_OK;
        }
        err = ml_bundle_join(&c->bytes, entry.header_bytes, &entry.sig, &entry.body);
        body.wire = ml_slice(NULL, c->bytes.len - at); /* the buffer may still move */
        body.reason = ML_ABSENT_NONE;
    } else if (err == ML_OK) {
        body.reason = entry.body.absent;
    }
    err = err == ML_E_NOT_FOUND ? ML_OK : err;
    ml_buf_append(&c->items, &body, sizeof(body));
    return err == ML_OK ? c->items.err : err;
}

static void act_load_bodies(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct collect c;
    ml_err err = ML_OK;
    bool full = false;
    collect_init(&c, x);
    c.bytes_max = a->u.bodies.bytes_max;
    for (size_t i = 0; i < a->u.bodies.count && err == ML_OK && !full; i++) {
        err = body_take(&c, &a->u.bodies.hashes[i], &full);
    }
    struct ml_sync_body *bodies = (void *)c.items.data;
    size_t count = c.items.len / sizeof(*bodies);
    const uint8_t *at = c.bytes.data;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        if (bodies[i].wire.len > 0) { /* of none at all there are no bytes to walk over */
            bodies[i].wire.data = at;
            at += bodies[i].wire.len;
        }
    }
    if (err == ML_OK) {
        ml_sync_on_bodies(x->sync, a->session, a->query, bodies, count);
    } else {
        ml_sync_on_failed(x->sync, a->session, a->query, err);
    }
    collect_free(&c);
}

static ml_err collect_hole(void *user, const struct ml_hole *hole)
{
    struct collect *c = user;
    if (hole->reason == ML_ABSENT_NOT_RECEIVED) {
        ml_buf_append(&c->items, &hole->bundle.hash, sizeof(hole->bundle.hash));
    }
    return c->items.err;
}

static int hash_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_hash16));
}

static void act_wanted(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct collect c;
    collect_init(&c, x);
    ml_err err = ml_log_holes(x->org->log, collect_hole, &c);
    struct ml_hash16 *hashes = (void *)c.items.data;
    size_t count = c.items.len / sizeof(*hashes);
    size_t from = 0;
    if (count > 0) {
        qsort(hashes, count, sizeof(*hashes), hash_compare);
    }
    while (from < count && hash_compare(&hashes[from], &a->u.wanted.after) <= 0) {
        from++;
    }
    size_t left = count - from;
    if (err == ML_OK) {
        ml_sync_on_wanted(x->sync, a->session, a->query, hashes == NULL ? NULL : hashes + from,
                          left < a->u.wanted.max ? left : a->u.wanted.max);
    } else {
        ml_sync_on_failed(x->sync, a->session, a->query, err);
    }
    collect_free(&c);
}

/* ---- chunks ---- */

/* All or none; what no manifest names any more is as good as stored. */
static ml_err chunks_store(struct ml_log *log, const struct ml_sync_action *a)
{
    ml_err err = ml_log_begin(log);
    for (size_t i = 0; i < a->u.store_chunks.count && err == ML_OK; i++) {
        const struct ml_sync_chunk *c = &a->u.store_chunks.chunks[i];
        bool stored = false;
        err = ml_log_put_chunk(log, &c->hash, c->sealed, ML_CHUNK_PEER, &stored);
        err = err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    if (err == ML_OK) {
        err = ml_log_commit(log);
    }
    if (err != ML_OK) {
        ml_log_abort(log);
    }
    return err;
}

static void act_store_chunks(struct ml_exchange *x, const struct ml_sync_action *a)
{
    ml_err err = chunks_store(x->org->log, a);
    ml_sync_on_chunks_stored(x->sync, a->query, err);
    ml_exchange_chunks(x->org);
    if (err == ML_OK) {
        ml_node_changed(x->org->node);
    }
}

static void act_wanted_chunks(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct collect c;
    struct ml_missing_chunk missing = {.id = a->u.wanted_chunks.after};
    ml_err err = ML_OK;
    collect_init(&c, x);
    for (size_t i = 0; i < a->u.wanted_chunks.max && err == ML_OK; i++) {
        err = ml_log_next_missing_chunk(x->org->log, missing.id, &missing);
        if (err == ML_OK) {
            const struct ml_sync_chunk_want want = {.id = missing.id, .hash = missing.hash};
            ml_buf_append(&c.items, &want, sizeof(want));
            err = c.items.err;
        }
    }
    if (err == ML_OK || err == ML_E_NOT_FOUND) {
        ml_sync_on_wanted_chunks(x->sync, a->query, (const void *)c.items.data,
                                 c.items.len / sizeof(struct ml_sync_chunk_want));
    } else {
        ml_sync_on_failed(x->sync, 0, a->query, err);
    }
    collect_free(&c);
}

/* One that can't be read from a damaged page is absent here: verify finds it, others may have it.
 */
static void act_load_chunk(struct ml_exchange *x, const struct ml_sync_action *a)
{
    struct ml_slice sealed = {NULL, 0};
    ml_err err = ml_log_get_chunk(x->org->log, &a->u.load_chunk, &sealed);
    if (err == ML_OK || err == ML_E_NOT_FOUND || err == ML_E_CORRUPT) {
        ml_sync_on_chunk(x->sync, a->session, a->query, sealed);
    } else {
        ml_sync_on_failed(x->sync, a->session, a->query, err);
    }
}

void ml_exchange_chunks(struct ml_org *org)
{
    if (org->exchange != NULL) {
        ml_sync_on_chunks(org->exchange->sync, ml_log_chunks_missing(org->log));
    }
}

static void act_remember(struct ml_exchange *x, const struct ml_sync_action *a)
{
    ml_err err = ml_log_base_put(x->org->log, &a->u.remember.peer, a->u.remember.base);
    if (err != ML_OK) { /* the next exchange starts from the whole frontier: nothing is lost */
        ml_logf(x->org->node->env, ML_LOG_WARN, "exchange", "base not kept: %s", ml_err_name(err));
    }
}

static void act_changed(struct ml_exchange *x, const struct ml_sync_action *a)
{
    const struct ml_node_ports *ports = &x->org->node->ports;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_args *doc = ml_args_new();
    ml_args_map(doc);
    ml_result_hex(doc, "org", x->org->id.b, sizeof(x->org->id.b));
    ml_result_hex(doc, "node", a->u.changed.b, sizeof(a->u.changed.b));
    ml_args_end(doc);
    if (ml_args_encoded(doc, &bytes, &len) == ML_OK) {
        ports->event(ports->ctx, "sync.changed", ml_slice(bytes, len));
    }
    ml_args_free(doc);
    ml_node_changed(x->org->node);
}

void ml_exchange_act(struct ml_exchange *x, const struct ml_sync_action *a)
{
    switch (a->kind) {
    case ML_SYNC_SNAPSHOT:
        act_snapshot(x);
        break;
    case ML_SYNC_SEND:
        act_send(x, a);
        break;
    case ML_SYNC_CLOSE:
        act_close(x, a);
        break;
    case ML_SYNC_ANCHOR:
        act_anchor(x, a);
        break;
    case ML_SYNC_INGEST:
        ml_org_ingest(x->org, a);
        break;
    case ML_SYNC_KNOWN:
        act_known(x, a);
        break;
    case ML_SYNC_PLACES:
        act_places(x, a);
        break;
    case ML_SYNC_MEASURE:
        act_measure(x, a);
        break;
    case ML_SYNC_LOAD:
        act_load(x, a);
        break;
    case ML_SYNC_LOAD_BODIES:
        act_load_bodies(x, a);
        break;
    case ML_SYNC_WANTED:
        act_wanted(x, a);
        break;
    case ML_SYNC_STORE_CHUNKS:
        act_store_chunks(x, a);
        break;
    case ML_SYNC_WANTED_CHUNKS:
        act_wanted_chunks(x, a);
        break;
    case ML_SYNC_LOAD_CHUNK:
        act_load_chunk(x, a);
        break;
    case ML_SYNC_REMEMBER:
        act_remember(x, a);
        break;
    case ML_SYNC_CHANGED:
        act_changed(x, a);
        break;
    case ML_SYNC_TIMER:
        x->sync_wake_ms = a->u.timer_ms;
        ml_exchange_wake(x);
        break;
    }
}
