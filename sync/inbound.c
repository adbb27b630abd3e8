/* sync/inbound.c -- received bundles, from the link to the store.
 *
 * Happy path: BUNDLES is taken apart into one queue for all sessions; when nothing more is at hand,
 * or 250 ms or 16,384 ops or the byte limit are reached (decisions 12), the queue's front goes to
 * the store as one batch, one transaction; its outcomes extend our frontier, and each session's
 * COMMIT says up to which of its messages all is settled.
 *
 * Failures: bytes that aren't bundles, messages out of number and more than the window are the
 * peer's fault. A batch that fails ends the sessions it came from, and nothing of it is
 * acknowledged. A bundle that the store refuses ends its session, alone.
 *
 * Invariants: one batch at the store at a time; messages settle in their order; in_open_* are the
 * sums over this session's messages that no COMMIT names, and within the window we gave.
 */
#include <string.h>

#include "sync/internal.h"

static void item_free(struct ml_sync *e, struct ml_item *item)
{
    e->queue_bytes -= item->len;
    ml_release(e->env, item);
}

static void items_free(struct ml_sync *e, struct ml_item *item)
{
    while (item != NULL) {
        struct ml_item *next = item->next;
        item_free(e, item);
        item = next;
    }
}

void ml_queue_free(struct ml_sync *e)
{
    items_free(e, e->queue_first);
    e->queue_first = e->queue_last = NULL;
    e->queue_ops = 0;
}

void ml_batch_free(struct ml_sync *e)
{
    items_free(e, e->batch.items);
    ml_release(e->env, e->batch.by_index);
    ml_release(e->env, e->batch.slices);
    e->batch = (struct ml_batch){0};
}

/* ---- from the link ---- */

static ml_err item_new(struct ml_sess *s, struct ml_slice wire, uint64_t number,
                       struct ml_item **out)
{
    struct ml_bundle bundle;
    ml_err err = ml_bundle_decode(&bundle, wire, NULL);
    if (err != ML_OK) {
        return err;
    }
    if ((s->lanes & ML_LANE_BIT(bundle.header.lane)) == 0) {
        return ML_E_PROTOCOL; /* lanes 0 and 1 only, on this link */
    }
    struct ml_item *item = ml_alloc(s->e->env, sizeof(*item) + wire.len);
    if (item == NULL) {
        return ML_E_NOMEM;
    }
    item->session = s->id;
    item->number = number;
    item->at_ms = s->e->now_ms;
    item->ops = bundle.header.n_ops;
    item->len = wire.len;
    memcpy(item->data, wire.data, wire.len);
    *out = item;
    return ML_OK;
}

static void queue_append(struct ml_sync *e, struct ml_item *first, struct ml_item *last)
{
    if (e->queue_last == NULL) {
        e->queue_first = first;
    } else {
        e->queue_last->next = first;
    }
    e->queue_last = last;
    for (struct ml_item *i = first; i != NULL; i = i->next) {
        e->queue_ops += i->ops;
    }
}

static ml_err message_fits(const struct ml_sess *s, const struct ml_msg_bundles *msg)
{
    size_t bytes = msg->items.raw.len; /* a little more than the wire forms: refined below */
    if (msg->number != s->in_number + 1) {
        return ML_E_PROTOCOL;
    }
    if (s->in_open_bundles + msg->items.count > s->in_window_bundles) {
        return ML_E_LIMIT;
    }
    return s->e->queue_bytes + bytes > ML_SYNC_QUEUE_BYTES_MAX ? ML_E_BUSY : ML_OK;
}

ml_err ml_sess_on_bundles(struct ml_sess *s, const struct ml_msg_bundles *msg)
{
    struct ml_sync *e = s->e;
    struct ml_item *first = NULL;
    struct ml_item *last = NULL;
    struct ml_list_walk walk;
    struct ml_slice wire;
    size_t bytes = 0;
    ml_err err = s->front_ever ? message_fits(s, msg) : ML_E_PROTOCOL;
    ml_list_walk(&walk, &msg->items);
    while (err == ML_OK && ml_list_next(&walk, &ml_format_wire_bundle, &wire)) {
        struct ml_item *item = NULL;
        err = item_new(s, wire, msg->number, &item);
        if (err != ML_OK) {
            break;
        }
        if (last == NULL) {
            first = item;
        } else {
            last->next = item;
        }
        last = item;
        bytes += wire.len;
        e->queue_bytes += wire.len;
    }
    if (err == ML_OK && s->in_open_bytes + bytes > s->in_window_bytes) {
        err = ML_E_LIMIT;
    }
    if (err != ML_OK || last == NULL) { /* a list holds one at least */
        items_free(e, first);
        return err;
    }
    last->msg_bundles = msg->items.count;
    last->msg_bytes = (uint32_t)bytes;
    s->in_number = msg->number;
    s->in_open_bundles += msg->items.count;
    s->in_open_bytes += bytes;
    s->feed_ms = e->now_ms;
    ml_sess_progress(s);
    queue_append(e, first, last);
    return ML_OK;
}

/* ---- to the store ---- */

bool ml_batch_due(const struct ml_sync *e)
{
    if (e->queue_first == NULL || e->batch.number != 0) {
        return false;
    }
    return e->drained || e->queue_ops >= ML_SYNC_BATCH_OPS ||
           e->queue_bytes >= ML_SYNC_BATCH_BYTES ||
           e->now_ms - e->queue_first->at_ms >= ML_SYNC_BATCH_MS;
}

/* How many bundles from the queue's front make one batch. */
static size_t batch_count(const struct ml_sync *e)
{
    size_t count = 0;
    uint64_t ops = 0;
    size_t bytes = 0;
    for (const struct ml_item *i = e->queue_first; i != NULL; i = i->next) {
        ops += i->ops;
        bytes += i->len;
        if (count > 0 && (ops > ML_SYNC_BATCH_OPS || bytes > ML_SYNC_BATCH_BYTES)) {
            break;
        }
        count++;
    }
    return count;
}

bool ml_batch_take(struct ml_sync *e)
{
    struct ml_batch *b = &e->batch;
    size_t count = batch_count(e);
    b->by_index = ml_alloc_array(e->env, count, sizeof(struct ml_item *));
    b->slices = ml_alloc_array(e->env, count, sizeof(*b->slices));
    if (b->by_index == NULL || b->slices == NULL) {
        ml_batch_free(e);
        return false;
    }
    b->items = e->queue_first;
    struct ml_item *item = e->queue_first;
    for (size_t i = 0; i < count; i++) {
        b->by_index[i] = item;
        b->slices[i] = ml_slice(item->data, item->len);
        e->queue_ops -= item->ops;
        item = item->next;
    }
    b->by_index[count - 1]->next = NULL;
    e->queue_first = item;
    e->queue_last = item == NULL ? NULL : e->queue_last;
    b->count = count;
    b->number = ml_sync_query(e);
    return true;
}

/* ---- from the store ---- */

static ml_err outcome_of_peer(struct ml_sess *s, const struct ml_sync_outcome *o)
{
    ml_err err = ML_OK;
    switch (o->result) {
    case ML_SYNC_STORED:
    case ML_SYNC_DUPLICATE:
    case ML_SYNC_BODY:
        err = ml_sess_peer_has(s, &o->bundle, true);
        s->peer_moved = s->peer_moved || o->result == ML_SYNC_STORED;
        break;
    case ML_SYNC_PENDING:
    case ML_SYNC_STOPPED:
        err = ml_sess_peer_has(s, &o->bundle, false);
        break;
    case ML_SYNC_REFUSED:
        return ml_err_class_of(o->err) == ML_CLASS_PEER ? o->err : ML_E_PROTOCOL;
    }
    ml_sess_body_came(s, &o->bundle.id.hash);
    return err;
}

static void outcome_take(struct ml_sync *e, const struct ml_sync_outcome *o)
{
    if (o->result == ML_SYNC_STORED) {
        ml_sync_gained(e, &o->bundle);
    }
    if (o->index >= e->batch.count) {
        return; /* it had been pending */
    }
    struct ml_sess *s = ml_sync_session(e, e->batch.by_index[o->index]->session);
    if (s == NULL || !ml_sess_is_open(s)) {
        return;
    }
    ml_err err = outcome_of_peer(s, o);
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}

static void item_settle(struct ml_sync *e, const struct ml_item *item)
{
    struct ml_sess *s = ml_sync_session(e, item->session);
    if (s == NULL || !ml_sess_is_open(s) || item->msg_bundles == 0) {
        return;
    }
    struct ml_sync_flow *in = &s->peer->last.in;
    in->bundles += item->msg_bundles;
    in->bytes += item->msg_bytes;
    s->in_open_bundles -= item->msg_bundles;
    s->in_open_bytes -= item->msg_bytes;
    s->settled_number = item->number;
    ml_sess_progress(s);
    ml_peer_changed(s->peer);
}

static void commits_tell(struct ml_sync *e)
{
    for (size_t i = 0; i < e->session_count; i++) {
        struct ml_sess *s = e->sessions[i];
        if (!ml_sess_is_open(s) || s->commit_number == s->settled_number) {
            continue;
        }
        struct ml_msg msg = {.kind = ML_MSG_COMMIT};
        msg.u.commit.number = s->settled_number;
        msg.u.commit.frontier = ml_sync_heads_digest(e);
        s->commit_number = s->settled_number;
        s->pump_due = true;
        ml_err err = ml_sess_send(s, &msg);
        if (err != ML_OK) {
            ml_sess_close(s, err);
        }
    }
}

static void batch_failed(struct ml_sync *e, ml_err err)
{
    for (size_t i = 0; i < e->batch.count; i++) {
        struct ml_sess *s = ml_sync_session(e, e->batch.by_index[i]->session);
        if (s != NULL) {
            ml_sess_close(s, err);
        }
    }
}

void ml_sync_on_ingested(struct ml_sync *e, uint32_t batch, ml_err err,
                         const struct ml_sync_outcome *outcomes, size_t count)
{
    if (batch == 0 || batch != e->batch.number) {
        return;
    }
    if (err != ML_OK) {
        batch_failed(e, err);
    }
    for (size_t i = 0; err == ML_OK && i < count; i++) {
        outcome_take(e, &outcomes[i]);
    }
    for (size_t i = 0; err == ML_OK && i < e->batch.count; i++) {
        item_settle(e, e->batch.by_index[i]);
    }
    ml_batch_free(e);
    commits_tell(e);
}
