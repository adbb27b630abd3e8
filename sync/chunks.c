/* sync/chunks.c -- chunks of large values, asked for by name (rules D3).
 *
 * Happy path: our store names some that it lacks -> each live session is asked for a part of them,
 * never two for the same one -> CHUNK by CHUNK they come, each is compared with the names that this
 * session was asked -> batches go to the store -> the next ones, until none is missing. A cut loses
 * what is on its way: what is stored isn't asked again. What one peer lacks is asked of the others,
 * and of it again when it says that it got some, or after a while.
 *
 * Given are chunks last: when there are no bundles to send and the link's queue is empty, one at a
 * time, so that whatever is written meanwhile overtakes them.
 *
 * Failures: a chunk that wasn't asked, or was altered, is the peer's fault and isn't kept. A store
 * that can't take them (full disk) is left alone for a minute; bundles go on.
 *
 * Invariants: what is asked of a session, and what it owes, are those of `wants` with its number;
 * all that is on its way or waits for the store is in `wants`, which bounds it.
 */
#include <string.h>

#include "sync/internal.h"

_Static_assert(ML_SYNC_SESSIONS_MAX <= 32, "a bit each");
_Static_assert(ML_SYNC_CHUNKS_ASKED <= ML_MSG_CHUNKS_MAX,
               "it fits a message, and what a peer takes");

/* ---- what we lack ---- */

static uint32_t slot_bit(const struct ml_sess *s)
{
    return 1u << s->slot;
}

static bool may_ask(const struct ml_sess *s)
{
    return ml_sess_is_open(s) && ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE && s->lanes == ML_LANES_ALL;
}

/* Sessions that may be asked, by slot. */
static uint32_t live_slots(const struct ml_sync *e)
{
    uint32_t slots = 0;
    for (size_t i = 0; i < e->session_count; i++) {
        slots |= may_ask(e->sessions[i]) ? slot_bit(e->sessions[i]) : 0;
    }
    return slots;
}

/* Nobody is left to be asked for it. */
static bool is_exhausted(const struct ml_chunk_want *w, uint32_t live)
{
    return w->session == 0 && !w->came && (live & ~w->absent) == 0;
}

static void chunks_restart(struct ml_sync *e)
{
    e->chunks.finished = false;
    e->chunks.after = 0;
}

static void chunks_finish(struct ml_sync *e)
{
    e->chunks.finished = true;
    e->chunks.finished_ms = e->now_ms;
    e->chunks.after = 0;
}

/* The present ones are all asked for, answered or stored: the next ones are due. */
static bool window_is_spent(const struct ml_sync *e, uint32_t live)
{
    for (size_t i = 0; i < e->chunks.want_count; i++) {
        if (!is_exhausted(&e->chunks.wants[i], live)) {
            return false;
        }
    }
    return true;
}

bool ml_chunks_due(struct ml_sync *e)
{
    struct ml_chunks *c = &e->chunks;
    const uint32_t live = live_slots(e);
    if (c->missing == 0 || c->query != 0 || c->finished || live == 0 || e->now_ms < c->hold_ms) {
        return false;
    }
    if (!window_is_spent(e, live)) {
        return false;
    }
    c->want_count = 0;
    if (c->wants == NULL) {
        c->wants = ml_alloc_array(e->env, ML_SYNC_CHUNKS_WANTED, sizeof(*c->wants));
    }
    return c->wants != NULL; /* without memory: at the next event */
}

void ml_sync_on_wanted_chunks(struct ml_sync *e, uint32_t query,
                              const struct ml_sync_chunk_want *wants, size_t count)
{
    struct ml_chunks *c = &e->chunks;
    if (query == 0 || c->query != query) {
        return;
    }
    c->query = 0;
    if (count == 0 || count > ML_SYNC_CHUNKS_WANTED) {
        chunks_finish(e);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        c->wants[i] = (struct ml_chunk_want){.hash = wants[i].hash};
    }
    c->want_count = count;
    c->after = wants[count - 1].id;
    ml_sync_pump_all(e);
}

bool ml_chunks_failed(struct ml_sync *e, uint32_t query)
{
    if (query == 0 || e->chunks.query != query) {
        return false;
    }
    e->chunks.query = 0;
    e->chunks.hold_ms = e->now_ms + ML_SYNC_BODIES_MS;
    return true;
}

/* Somebody is owed news: what it asked for in vain may be here now. */
static void have_tell(struct ml_sync *e)
{
    for (size_t i = 0; i < e->session_count; i++) {
        struct ml_sess *s = e->sessions[i];
        if (!ml_sess_is_open(s) || !s->chunk_gifts.owes_have) {
            continue;
        }
        struct ml_msg msg = {.kind = ML_MSG_CHUNK_HAVE};
        msg.u.chunk_have.missing = e->chunks.missing;
        s->chunk_gifts.owes_have = false;
        s->pump_due = true;
        ml_err err = ml_sess_send_absent(s);
        if (err == ML_OK) {
            err = ml_sess_send(s, &msg);
        }
        if (err != ML_OK) {
            ml_sess_close(s, err);
        }
    }
}

void ml_sync_on_chunks(struct ml_sync *e, uint64_t missing)
{
    const uint64_t before = e->chunks.missing;
    e->chunks.missing = missing;
    if (missing > before) {
        chunks_restart(e);
        ml_sync_pump_all(e);
    } else if (missing < before) {
        have_tell(e);
    }
}

void ml_chunks_tick(struct ml_sync *e)
{
    struct ml_chunks *c = &e->chunks;
    if (c->finished && e->now_ms - c->finished_ms >= ML_SYNC_BODIES_MS) {
        chunks_restart(e);
    }
    if (c->hold_ms != 0 && e->now_ms >= c->hold_ms) {
        c->hold_ms = 0;
        ml_sync_pump_all(e);
    }
}

uint64_t ml_chunks_deadline(const struct ml_sync *e)
{
    const struct ml_chunks *c = &e->chunks;
    uint64_t at = UINT64_MAX;
    if (c->first != NULL && c->batch.number == 0) {
        at = c->first->at_ms + ML_SYNC_BATCH_MS;
    }
    if (c->missing == 0 || live_slots(e) == 0) {
        return at;
    }
    if (c->hold_ms != 0 && c->hold_ms < at) {
        at = c->hold_ms;
    }
    if (c->finished && c->finished_ms + ML_SYNC_BODIES_MS < at) {
        at = c->finished_ms + ML_SYNC_BODIES_MS;
    }
    return at;
}

/* ---- asked of one peer ---- */

void ml_sess_chunks_live(struct ml_sess *s)
{
    if (s->e->chunks.missing > 0) {
        chunks_restart(s->e);
    }
}

/* What it owes is asked of others; its slot will be another's. */
void ml_sess_chunks_end(struct ml_sess *s)
{
    struct ml_chunks *c = &s->e->chunks;
    for (size_t i = 0; i < c->want_count; i++) {
        c->wants[i].absent &= ~slot_bit(s);
        if (c->wants[i].session == s->id && !c->wants[i].came) {
            c->wants[i].session = 0;
        }
    }
    s->chunks_asked = 0;
    s->chunk_gifts = (struct ml_chunk_gifts){.count = 0};
    ml_sync_pump_all(s->e);
}

static ml_err ask(struct ml_sess *s)
{
    struct ml_chunks *c = &s->e->chunks;
    struct ml_hash hashes[ML_SYNC_CHUNKS_ASKED];
    uint32_t count = 0;
    if (!may_ask(s) || s->e->now_ms < c->hold_ms ||
        s->chunks_asked > ML_SYNC_CHUNKS_ASKED / 2) { /* several at a time */
        return ML_OK;
    }
    for (size_t i = 0; i < c->want_count && s->chunks_asked < ML_SYNC_CHUNKS_ASKED; i++) {
        struct ml_chunk_want *w = &c->wants[i];
        if (w->session != 0 || w->came || (w->absent & slot_bit(s)) != 0) {
            continue;
        }
        w->session = s->id;
        s->chunks_asked++;
        hashes[count++] = w->hash;
    }
    if (count == 0) {
        return ML_OK;
    }
    struct ml_msg msg = {.kind = ML_MSG_CHUNK_WANT};
    msg.u.chunk_list.hashes = (struct ml_list){.items = hashes, .count = count};
    return ml_sess_send(s, &msg);
}

/* What this session was asked and hasn't answered. */
static struct ml_chunk_want *asked_find(struct ml_sess *s, const struct ml_hash *hash)
{
    struct ml_chunks *c = &s->e->chunks;
    for (size_t i = 0; i < c->want_count; i++) {
        struct ml_chunk_want *w = &c->wants[i];
        if (w->session == s->id && !w->came && memcmp(&w->hash, hash, sizeof(*hash)) == 0) {
            return w;
        }
    }
    return NULL;
}

ml_err ml_sess_on_chunk(struct ml_sess *s, const struct ml_msg_chunk *msg)
{
    struct ml_chunks *c = &s->e->chunks;
    const struct ml_hash hash = ml_chunk_hash(msg->bytes);
    struct ml_chunk_want *w = asked_find(s, &hash);
    if (w == NULL) {
        return ML_E_FORGED; /* altered, or never asked for */
    }
    struct ml_chunk_item *item = ml_alloc(s->e->env, sizeof(*item) + msg->bytes.len);
    if (item == NULL) {
        return ML_E_NOMEM;
    }
    item->hash = hash;
    item->at_ms = s->e->now_ms;
    item->len = msg->bytes.len;
    memcpy(item->data, msg->bytes.data, item->len);
    if (c->last == NULL) {
        c->first = item;
    } else {
        c->last->next = item;
    }
    c->last = item;
    c->queue_bytes += item->len;
    w->came = true;
    s->chunks_asked--;
    s->peer->last.in.chunks++;
    s->peer->last.in.chunk_bytes += item->len;
    ml_sess_progress(s);
    ml_peer_changed(s->peer);
    return ML_OK;
}

ml_err ml_sess_on_chunk_absent(struct ml_sess *s, const struct ml_msg_chunk_list *msg)
{
    struct ml_list_walk walk;
    struct ml_hash hash;
    ml_list_walk(&walk, &msg->hashes);
    while (ml_chunk_next(&walk, &hash)) {
        struct ml_chunk_want *w = asked_find(s, &hash);
        if (w != NULL) {
            w->session = 0;
            w->absent |= slot_bit(s);
            s->chunks_asked--;
            ml_sess_progress(s);
        }
    }
    ml_sync_pump_all(s->e); /* the others may have them */
    return ML_OK;
}

ml_err ml_sess_on_chunk_have(struct ml_sess *s)
{
    struct ml_chunks *c = &s->e->chunks;
    for (size_t i = 0; i < c->want_count; i++) {
        c->wants[i].absent &= ~slot_bit(s);
    }
    if (c->missing > 0) {
        chunks_restart(s->e);
    }
    return ML_OK;
}

/* ---- given to one peer ---- */

ml_err ml_sess_send_absent(struct ml_sess *s)
{
    struct ml_chunk_gifts *g = &s->chunk_gifts;
    struct ml_msg msg = {.kind = ML_MSG_CHUNK_ABSENT};
    msg.u.chunk_list.hashes = (struct ml_list){.items = g->absent, .count = g->absent_count};
    ml_err err = g->absent_count > 0 ? ml_sess_send(s, &msg) : ML_OK;
    g->absent_count = 0;
    return err;
}

ml_err ml_sess_on_chunk_want(struct ml_sess *s, const struct ml_msg_chunk_list *msg)
{
    struct ml_chunk_gifts *g = &s->chunk_gifts;
    struct ml_list_walk walk;
    struct ml_hash hash;
    if (g->count + msg->hashes.count > ML_MSG_CHUNKS_MAX) {
        return ML_E_LIMIT;
    }
    ml_list_walk(&walk, &msg->hashes);
    ml_err err = ML_OK;
    while (err == ML_OK && ml_chunk_next(&walk, &hash)) {
        if (s->given == ML_LANES_ALL) {
            g->hashes[g->count++] = hash;
            continue;
        }
        g->absent[g->absent_count++] = hash;
        err = g->absent_count == ML_MSG_CHUNKS_MAX ? ml_sess_send_absent(s) : ML_OK;
    }
    return err;
}

ml_err ml_sess_chunks_step(struct ml_sess *s)
{
    struct ml_chunk_gifts *g = &s->chunk_gifts;
    ml_err err = ask(s);
    if (err == ML_OK && g->count == 0) {
        err = ml_sess_send_absent(s);
    }
    const bool idle = g->count > 0 && !g->question.due && g->question.query == 0;
    if (idle && s->unsent == 0 && s->lanes == ML_LANES_ALL && !ml_sess_has_bundles(s)) {
        g->question.due = true;
    }
    return err;
}

static ml_err gift_send(struct ml_sess *s, struct ml_slice sealed)
{
    struct ml_chunk_gifts *g = &s->chunk_gifts;
    const struct ml_hash hash = g->hashes[0];
    memmove(g->hashes, g->hashes + 1, (--g->count) * sizeof(g->hashes[0]));
    if (sealed.len == 0) {
        g->absent[g->absent_count++] = hash;
        g->owes_have = true;
        return g->absent_count == ML_MSG_CHUNKS_MAX ? ml_sess_send_absent(s) : ML_OK;
    }
    struct ml_msg msg = {.kind = ML_MSG_CHUNK};
    msg.u.chunk.bytes = sealed;
    s->peer->last.out.chunks++;
    s->peer->last.out.chunk_bytes += sealed.len;
    ml_sess_progress(s);
    ml_peer_changed(s->peer);
    return ml_sess_send(s, &msg);
}

void ml_sync_on_chunk(struct ml_sync *e, uint32_t session, uint32_t query, struct ml_slice sealed)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s == NULL || !ml_sess_is_open(s) || query == 0 || s->chunk_gifts.question.query != query) {
        return;
    }
    s->chunk_gifts.question.query = 0;
    s->pump_due = true;
    ml_err err = gift_send(s, sealed);
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}

/* ---- to the store ---- */

static void items_free(struct ml_sync *e, struct ml_chunk_item *item)
{
    while (item != NULL) {
        struct ml_chunk_item *next = item->next;
        e->chunks.queue_bytes -= item->len;
        ml_release(e->env, item);
        item = next;
    }
}

static void batch_free(struct ml_sync *e)
{
    struct ml_chunk_batch *b = &e->chunks.batch;
    items_free(e, b->items);
    ml_release(e->env, b->chunks);
    *b = (struct ml_chunk_batch){0};
}

void ml_chunks_free(struct ml_sync *e)
{
    batch_free(e);
    items_free(e, e->chunks.first);
    ml_release(e->env, e->chunks.wants);
    e->chunks = (struct ml_chunks){0};
}

bool ml_chunk_batch_due(const struct ml_sync *e)
{
    const struct ml_chunks *c = &e->chunks;
    if (c->first == NULL || c->batch.number != 0) {
        return false;
    }
    return e->drained || c->queue_bytes >= ML_SYNC_CHUNK_BATCH_BYTES ||
           e->now_ms - c->first->at_ms >= ML_SYNC_BATCH_MS;
}

bool ml_chunk_batch_take(struct ml_sync *e)
{
    struct ml_chunks *c = &e->chunks;
    struct ml_chunk_batch *b = &c->batch;
    size_t count = 0;
    for (const struct ml_chunk_item *i = c->first; i != NULL; i = i->next) {
        count++;
    }
    b->chunks = ml_alloc_array(e->env, count, sizeof(*b->chunks));
    if (b->chunks == NULL) {
        return false;
    }
    for (struct ml_chunk_item *i = c->first; i != NULL; i = i->next) {
        b->chunks[b->count++] =
            (struct ml_sync_chunk){.hash = i->hash, .sealed = ml_slice(i->data, i->len)};
    }
    b->items = c->first;
    c->first = c->last = NULL;
    b->number = ml_sync_query(e);
    return true;
}

/* Stored: wanted no more. Else it is asked again, of anyone. */
static void want_settle(struct ml_sync *e, const struct ml_hash *hash, bool stored)
{
    struct ml_chunks *c = &e->chunks;
    size_t i = 0;
    while (i < c->want_count &&
           !(c->wants[i].came && memcmp(&c->wants[i].hash, hash, sizeof(*hash)) == 0)) {
        i++;
    }
    if (i == c->want_count) {
        return;
    }
    c->wants[i].came = false;
    c->wants[i].session = 0;
    if (stored) {
        c->wants[i] = c->wants[--c->want_count];
    }
}

void ml_sync_on_chunks_stored(struct ml_sync *e, uint32_t batch, ml_err err)
{
    struct ml_chunks *c = &e->chunks;
    if (batch == 0 || batch != c->batch.number) {
        return;
    }
    for (size_t i = 0; i < c->batch.count; i++) {
        want_settle(e, &c->batch.chunks[i].hash, err == ML_OK);
    }
    if (err != ML_OK) {
        ml_logf(e->env, ML_LOG_WARN, "sync", "%zu chunks are not stored: %s", c->batch.count,
                ml_err_name(err));
        c->hold_ms = e->now_ms + ML_SYNC_BODIES_MS;
    }
    batch_free(e);
    ml_sync_pump_all(e);
}
