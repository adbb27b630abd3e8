/* sync/sync.c -- the engine: what the driver reports, and the frontier that we offer.
 *
 * Happy path: SNAPSHOT is answered, own heads are covered by the anti-rollback record, sessions
 * open and pump themselves; what the store commits extends `mine`, and each session looks again at
 * what its peer lacks.
 *
 * Failures: a session that fails is closed, alone. When `mine` itself can't be kept (no memory), it
 * is dropped with all sessions and asked for again: the store is the truth.
 *
 * Invariants: (1) `mine` lists only committed bundles; (2) of own chains, beyond the snapshot's,
 * only what the anti-rollback record covers (I11, rules B18): nothing else is ever named or sent;
 * (3) session numbers are never used twice.
 */
#include "sync/sync.h"

#include <string.h>

#include "sync/internal.h"

ml_err ml_sync_new(struct ml_sync **out, const struct ml_sync_config *config)
{
    struct ml_sync *e = ml_alloc(config->env, sizeof(*e));
    if (e == NULL) {
        return ML_E_NOMEM;
    }
    e->env = config->env;
    e->self = config->self;
    e->order = config->order;
    ml_sync_frontier_init(&e->mine, e->env);
    ml_buf_init(&e->told_base, e->env, SIZE_MAX);
    e->digest_version = UINT64_MAX;
    *out = e;
    return ML_OK;
}

void ml_sync_free(struct ml_sync *e)
{
    if (e == NULL) {
        return;
    }
    while (e->session_count > 0) {
        ml_sync_on_closed(e, e->sessions[0]->id);
    }
    ml_queue_free(e);
    ml_batch_free(e);
    ml_chunks_free(e);
    ml_peers_free(e);
    ml_sync_frontier_free(&e->mine);
    ml_buf_free(&e->told_base);
    ml_release(e->env, e->told_msg);
    ml_release(e->env, e->own);
    ml_release(e->env, e);
}

struct ml_sess *ml_sync_session(const struct ml_sync *e, uint32_t session)
{
    for (size_t i = 0; i < e->session_count; i++) {
        if (e->sessions[i]->id == session) {
            return e->sessions[i];
        }
    }
    return NULL;
}

uint32_t ml_sync_query(struct ml_sync *e)
{
    if (++e->last_query == 0) {
        e->last_query = 1; /* 0 means none; four milliards later no old one is waiting */
    }
    return e->last_query;
}

struct ml_hash16 ml_sync_heads_digest(struct ml_sync *e)
{
    if (e->digest_version != e->version) {
        e->digest = ml_sync_frontier_digest(&e->mine, false);
        e->digest_version = e->version;
    }
    return e->digest;
}

void ml_sync_pump_all(struct ml_sync *e)
{
    for (size_t i = 0; i < e->session_count; i++) {
        e->sessions[i]->pump_due = true;
    }
}

static void sync_close_all(struct ml_sync *e, ml_err err, ml_bye reason)
{
    for (size_t i = 0; i < e->session_count; i++) {
        ml_sess_close_as(e->sessions[i], err, reason);
    }
}

void ml_sync_lost_track(struct ml_sync *e)
{
    e->ready = false;
    e->snapshot_asked = false;
    sync_close_all(e, ML_E_NOMEM, ML_BYE_BUSY);
}

/* ---- our frontier ---- */

bool ml_sync_is_ready(const struct ml_sync *e, uint64_t append_mark)
{
    for (size_t i = 0; e->ready && i < e->own_count; i++) {
        if (e->own[i].waits && e->own[i].stamp <= append_mark) {
            return false;
        }
    }
    return e->ready;
}

static struct ml_own *own_find(struct ml_sync *e, const struct ml_writer_id *writer, uint8_t lane)
{
    for (size_t i = 0; i < e->own_count; i++) {
        struct ml_own *own = &e->own[i];
        if (own->lane == lane && memcmp(&own->writer, writer, sizeof(*writer)) == 0) {
            return own;
        }
    }
    return NULL;
}

static struct ml_own *own_add(struct ml_sync *e, const struct ml_sync_own *from)
{
    if (e->own_count == ML_SYNC_OWN_MAX) {
        return NULL;
    }
    if (e->own_count == e->own_cap) {
        size_t cap = e->own_cap == 0 ? 8 : e->own_cap * 2;
        struct ml_own *own = ml_resize(e->env, e->own, cap * sizeof(*own));
        if (own == NULL) {
            return NULL;
        }
        e->own = own;
        e->own_cap = cap;
    }
    struct ml_own *own = &e->own[e->own_count++];
    *own = (struct ml_own){.writer = from->writer, .lane = from->lane, .anchored = from->anchored};
    return own;
}

static bool own_from_snapshot(struct ml_sync *e, const struct ml_sync_own *from)
{
    if (own_find(e, &from->writer, from->lane) != NULL) {
        return true; /* a chain that forked is one chain with several heads */
    }
    struct ml_own *own = own_add(e, from);
    struct ml_chain chain = ml_sync_frontier_chain(&e->mine, &from->writer, from->lane);
    if (own == NULL) {
        return false;
    }
    if (ml_chain_top(&chain) > from->anchored) {
        own->waits = own->listed = true;
        own->head = chain.heads[chain.count - 1].id;
    }
    return true;
}

void ml_sync_on_snapshot(struct ml_sync *e, const struct ml_sync_snapshot *snapshot)
{
    if (e->ready) {
        return;
    }
    bool ok = ml_sync_frontier_assign(&e->mine, snapshot->heads, snapshot->head_count) == ML_OK;
    e->version++;
    e->changed_ms = e->now_ms;
    e->holes = snapshot->holes;
    ml_sync_on_chunks(e, snapshot->chunks_missing);
    e->own_count = 0;
    for (size_t i = 0; ok && i < snapshot->own_count; i++) {
        ok = own_from_snapshot(e, &snapshot->own[i]);
    }
    if (!ok) {
        ml_logf(e->env, ML_LOG_ERROR, "sync", "the frontier does not fit in memory");
        return; /* asked again at the next tick */
    }
    e->ready = true;
    ml_sync_pump_all(e);
}

/* A new head of ours, in every session's eyes. */
static void sync_look_again(struct ml_sync *e)
{
    e->version++;
    e->changed_ms = e->now_ms;
    for (size_t i = 0; i < e->session_count; i++) {
        e->sessions[i]->scan_due = true;
        e->sessions[i]->pump_due = true;
    }
}

void ml_sync_gained(struct ml_sync *e, const struct ml_sync_bundle *bundle)
{
    if (!e->ready) {
        return; /* the snapshot that is asked for will have it */
    }
    if (ml_sync_frontier_extend(&e->mine, &bundle->id, &bundle->prev, 0) != ML_OK) {
        ml_sync_lost_track(e);
        return;
    }
    for (size_t i = 0; i < e->session_count; i++) {
        struct ml_head *head = ml_sync_frontier_find(&e->sessions[i]->theirs, &bundle->id);
        if (head != NULL) {
            head->flags = ML_HEAD_KNOWN;
        }
    }
    sync_look_again(e);
}

bool ml_sync_is_held_back(const struct ml_sync *e, const struct ml_writer_id *writer, uint8_t lane,
                          uint32_t top)
{
    for (size_t i = 0; i < e->own_count; i++) {
        const struct ml_own *own = &e->own[i];
        if (own->waits && own->first_seq <= top && own->lane == lane &&
            memcmp(&own->writer, writer, sizeof(*writer)) == 0) {
            return true;
        }
    }
    return false;
}

void ml_sync_on_stored(struct ml_sync *e, const struct ml_sync_bundle *bundle)
{
    ml_sync_gained(e, bundle);
}

void ml_sync_on_append(struct ml_sync *e, const struct ml_sync_bundle *bundle, bool urgent)
{
    if (!e->ready) {
        return;
    }
    struct ml_own *own = own_find(e, &bundle->id.writer, bundle->id.lane);
    if (own == NULL) {
        const struct ml_sync_own fresh = {.writer = bundle->id.writer, .lane = bundle->id.lane};
        own = own_add(e, &fresh);
    }
    if (own == NULL) {
        ml_sync_lost_track(e);
        return;
    }
    if (!own->waits && bundle->id.seq <= own->anchored) {
        ml_sync_gained(e, bundle); /* a branch below what was offered already */
        return;
    }
    if (own->waits && memcmp(&own->head.hash, &bundle->prev, sizeof(bundle->prev)) != 0) {
        ml_sync_lost_track(e); /* two branches wait: the snapshot has both */
        return;
    }
    e->appends++;
    if (own->first_seq == 0) {
        own->first_seq = bundle->id.seq;
        own->first_prev = bundle->prev;
    }
    if (!own->waits) {
        own->stamp = e->appends;
    }
    own->waits = true;
    own->urgent = own->urgent || urgent;
    own->head = bundle->id;
}

/* What was appended while the record was being written waits for the next one. */
static void own_still_waits(struct ml_sync *e, struct ml_own *own, const struct ml_dep *offered)
{
    own->waits = offered->seq < own->head.seq;
    own->first_seq = own->waits ? offered->seq + 1 : 0;
    own->first_prev = offered->hash;
    own->stamp = e->appends;
    own->listed = false;
}

/* The anti-rollback record covers `head`: now it may be named. */
static void own_offer(struct ml_sync *e, struct ml_own *own, const struct ml_dep *head)
{
    struct ml_dep before = {.writer = own->writer, .lane = own->lane, .hash = own->first_prev};
    if (own->first_seq > 0 && head->seq >= own->first_seq) {
        before.seq = own->first_seq - 1;
        if (ml_sync_frontier_replace(&e->mine, &before, head, 0) != ML_OK) {
            ml_sync_lost_track(e);
            return;
        }
    }
    for (size_t i = 0; own->urgent && i < e->session_count; i++) {
        e->sessions[i]->ride = true;
    }
    own_still_waits(e, own, head);
    own->urgent = own->urgent && own->waits;
    sync_look_again(e);
}

void ml_sync_on_anchored(struct ml_sync *e, const struct ml_sync_own *told)
{
    struct ml_own *own = own_find(e, &told->writer, told->lane);
    if (!e->ready || own == NULL || !own->asked) {
        return;
    }
    if (told->anchored > own->anchored) {
        own->anchored = told->anchored;
    }
    own->failed = own->anchored < own->asked_head.seq;
    own->asked = own->failed;
    if (own->waits && !own->failed) {
        const struct ml_dep head = own->asked_head;
        own_offer(e, own, &head);
    }
}

void ml_sync_on_fork(struct ml_sync *e)
{
    e->forked = true;
    for (size_t i = 0; i < e->session_count; i++) {
        e->sessions[i]->ride = e->sessions[i]->scan_due = true;
        e->sessions[i]->pump_due = true;
    }
}

void ml_sync_on_holes(struct ml_sync *e, const struct ml_sync_holes *holes)
{
    bool more = holes->wanted > e->holes.wanted;
    e->holes = *holes;
    for (size_t i = 0; more && i < e->session_count; i++) {
        e->sessions[i]->wants.finished = false;
        e->sessions[i]->pump_due = true;
    }
}

/* ---- links ---- */

/* Two links with one peer: both ends keep the same one. Opened at the same time by both, it is that
 * of the smaller id; else the newer one, since the older may be dead without our knowing. */
static bool old_link_stays(const struct ml_sync *e, const struct ml_sess *old,
                           const struct ml_sync_open *open)
{
    bool crossed =
        old->initiator != open->initiator && e->now_ms - old->opened_ms < ML_SYNC_DUPLICATE_MS;
    bool we_are_smaller = memcmp(&e->self, &open->peer, sizeof(e->self)) < 0;
    return crossed && old->initiator == we_are_smaller;
}

ml_err ml_sync_on_open(struct ml_sync *e, const struct ml_sync_open *open, uint32_t *session)
{
    if (e->paused) {
        return ML_E_CANCELED;
    }
    if (e->session_count == ML_SYNC_SESSIONS_MAX) {
        return ML_E_LIMIT;
    }
    struct ml_peer *peer = ml_peer_of(e, &open->peer);
    if (peer == NULL) {
        return ML_E_NOMEM;
    }
    struct ml_sess *old = peer->session;
    if (old != NULL && ml_sess_is_open(old) && old_link_stays(e, old, open)) {
        return ML_E_EXISTS;
    }
    struct ml_sess *s = NULL;
    ml_err err = ml_sess_new(&s, e, open);
    if (err != ML_OK) {
        return err;
    }
    if (old != NULL && ml_sess_is_open(old)) {
        ml_sess_close_as(old, ML_E_EXISTS, ML_BYE_DUPLICATE);
    }
    s->peer = peer;
    peer->session = s;
    peer->last.unknown = open->unknown;
    peer->last.drains = open->drains;
    e->sessions[e->session_count++] = s;
    *session = s->id;
    ml_peer_changed(peer);
    return ML_OK;
}

void ml_sync_on_closed(struct ml_sync *e, uint32_t session)
{
    for (size_t i = 0; i < e->session_count; i++) {
        struct ml_sess *s = e->sessions[i];
        if (s->id != session) {
            continue;
        }
        e->sessions[i] = e->sessions[--e->session_count];
        ml_sess_free(s);
        return;
    }
}

void ml_sync_on_message(struct ml_sync *e, uint32_t session, struct ml_slice msg)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s != NULL && ml_sess_is_open(s)) {
        e->drained = false;
        ml_sess_receive(s, msg);
    }
}

void ml_sync_on_sent(struct ml_sync *e, uint32_t session, size_t bytes)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s != NULL) {
        s->unsent -= bytes < s->unsent ? bytes : s->unsent;
        s->pump_due = true;
    }
}

/* ---- time and the user ---- */

void ml_sync_tick(struct ml_sync *e, uint64_t now_ms)
{
    if (now_ms > e->now_ms) {
        e->now_ms = now_ms;
    }
    if (!e->ready) {
        e->snapshot_asked = false;
    }
    for (size_t i = 0; i < e->own_count; i++) {
        e->own[i].asked = e->own[i].asked && !e->own[i].failed;
        e->own[i].failed = false;
    }
    for (size_t i = 0; i < e->session_count; i++) {
        ml_sess_tick(e->sessions[i]);
    }
    ml_chunks_tick(e);
    e->told_timer_ms = 0;
}

void ml_sync_drained(struct ml_sync *e)
{
    e->drained = true;
}

void ml_sync_pause(struct ml_sync *e)
{
    e->paused = true;
    sync_close_all(e, ML_E_CANCELED, ML_BYE_PAUSED);
}

void ml_sync_resume(struct ml_sync *e)
{
    e->paused = false;
}

bool ml_sync_is_paused(const struct ml_sync *e)
{
    return e->paused;
}

void ml_sync_cancel(struct ml_sync *e, uint32_t session)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s != NULL) {
        ml_sess_close(s, ML_E_CANCELED);
    }
}
