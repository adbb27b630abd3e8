/* sync/action.c -- what is to be done next, read off the engine's state.
 *
 * Order: leave-taking first, then the store's commits, then questions and messages, one session
 * after the other in turn; news for people last.
 */
#include <string.h>

#include "sync/internal.h"

static struct ml_sync_action action_of(const struct ml_sess *s, ml_sync_action_kind kind)
{
    return (struct ml_sync_action){.kind = kind, .session = s->id};
}

static bool next_close(struct ml_sync *e, struct ml_sync_action *out)
{
    for (size_t i = 0; i < e->session_count; i++) {
        struct ml_sess *s = e->sessions[i];
        if (ml_sess_is_open(s) || s->close_told) {
            continue;
        }
        if (s->bye_len > 0) {
            *out = action_of(s, ML_SYNC_SEND);
            out->u.send = ml_slice(s->bye, s->bye_len);
            s->bye_len = 0;
            return true;
        }
        *out = action_of(s, ML_SYNC_CLOSE);
        out->u.close = s->close_err;
        s->close_told = true;
        return true;
    }
    return false;
}

/* Of the chains that wait the lowest lane: keys may be named before what is sealed under them. One
 * that was asked about and isn't covered yet keeps those of higher lanes waiting. */
static struct ml_own *anchor_due(struct ml_sync *e)
{
    struct ml_own *due = NULL;
    for (size_t i = 0; i < e->own_count; i++) {
        struct ml_own *own = &e->own[i];
        if (own->waits && (due == NULL || own->lane < due->lane ||
                           (own->lane == due->lane && due->asked && !own->asked))) {
            due = own;
        }
    }
    return due == NULL || due->asked ? NULL : due;
}

static bool next_anchor(struct ml_sync *e, struct ml_sync_action *out)
{
    struct ml_own *own = e->session_count == 0 ? NULL : anchor_due(e); /* else nobody to offer to */
    if (own == NULL) {
        return false;
    }
    own->asked = true;
    own->asked_head = own->head;
    *out = (struct ml_sync_action){.kind = ML_SYNC_ANCHOR};
    out->u.anchor = (struct ml_sync_own){own->writer, own->lane, own->head.seq};
    return true;
}

static bool next_of_chunks(struct ml_sync *e, struct ml_sync_action *out)
{
    if (ml_chunk_batch_due(e) && ml_chunk_batch_take(e)) {
        *out =
            (struct ml_sync_action){.kind = ML_SYNC_STORE_CHUNKS, .query = e->chunks.batch.number};
        out->u.store_chunks.chunks = e->chunks.batch.chunks;
        out->u.store_chunks.count = e->chunks.batch.count;
        return true;
    }
    if (!ml_chunks_due(e)) {
        return false;
    }
    e->chunks.query = ml_sync_query(e);
    *out = (struct ml_sync_action){.kind = ML_SYNC_WANTED_CHUNKS, .query = e->chunks.query};
    out->u.wanted_chunks.after = e->chunks.after;
    out->u.wanted_chunks.max = ML_SYNC_CHUNKS_WANTED;
    return true;
}

static bool next_of_store(struct ml_sync *e, struct ml_sync_action *out)
{
    if (!e->ready && !e->snapshot_asked) {
        e->snapshot_asked = true;
        *out = (struct ml_sync_action){.kind = ML_SYNC_SNAPSHOT};
        return true;
    }
    if (e->ready && next_anchor(e, out)) {
        return true;
    }
    if (ml_batch_due(e) && ml_batch_take(e)) {
        *out = (struct ml_sync_action){.kind = ML_SYNC_INGEST, .query = e->batch.number};
        out->u.ingest.bundles = e->batch.slices;
        out->u.ingest.count = e->batch.count;
        return true;
    }
    return next_of_chunks(e, out);
}

static bool question_taken(struct ml_sess *s, struct ml_question *q, ml_sync_action_kind kind,
                           struct ml_sync_action *out)
{
    if (!q->due) {
        return false;
    }
    q->due = false;
    q->query = ml_sync_query(s->e);
    *out = action_of(s, kind);
    out->query = q->query;
    return true;
}

static bool next_question(struct ml_sess *s, struct ml_sync_action *out)
{
    if (question_taken(s, &s->known, ML_SYNC_KNOWN, out)) {
        out->u.known.heads = s->asked;
        out->u.known.count = s->asked_count;
        return true;
    }
    if (s->places.due) {
        ml_sess_places_action(s, out);
        return true;
    }
    if (question_taken(s, &s->load, s->measuring ? ML_SYNC_MEASURE : ML_SYNC_LOAD, out)) {
        out->u.ranges.ranges = s->ranges;
        out->u.ranges.count = s->range_count;
        out->u.ranges.bytes_max = s->load_bytes;
        out->u.ranges.bundles_max = s->load_bundles;
        return true;
    }
    if (question_taken(s, &s->wants.question, ML_SYNC_WANTED, out)) {
        out->u.wanted.after = s->wants.after;
        out->u.wanted.max = ML_SYNC_BODIES_MAX;
        return true;
    }
    if (question_taken(s, &s->gifts.question, ML_SYNC_LOAD_BODIES, out)) {
        out->u.bodies.hashes = s->gifts.hashes + s->gifts.next;
        out->u.bodies.count = s->gifts.count - s->gifts.next;
        out->u.bodies.bytes_max = ml_sess_room(s);
        return true;
    }
    if (question_taken(s, &s->chunk_gifts.question, ML_SYNC_LOAD_CHUNK, out)) {
        out->u.load_chunk = s->chunk_gifts.hashes[0];
        return true;
    }
    return false;
}

static bool next_message(struct ml_sess *s, struct ml_sync_action *out)
{
    struct ml_outgoing *msg = s->out_first;
    if (msg == NULL) {
        return false;
    }
    s->out_first = msg->next;
    s->out_last = msg->next == NULL ? NULL : s->out_last;
    s->e->told_msg = msg;
    *out = action_of(s, ML_SYNC_SEND);
    out->u.send = ml_slice(msg->data, msg->len);
    return true;
}

static bool next_of_sessions(struct ml_sync *e, struct ml_sync_action *out)
{
    for (size_t i = 0; i < e->session_count; i++) {
        struct ml_sess *s = e->sessions[(e->turn + i) % e->session_count];
        if (ml_sess_is_open(s) && (next_question(s, out) || next_message(s, out))) {
            e->turn = (e->turn + i + 1) % e->session_count;
            return true;
        }
    }
    return false;
}

static bool next_news(struct ml_sync *e, struct ml_sync_action *out)
{
    for (size_t i = 0; i < e->peer_count; i++) {
        struct ml_peer *p = e->peers[i];
        if (p->remember.len == 0) {
            continue;
        }
        ml_buf_free(&e->told_base);
        e->told_base = p->remember;
        ml_buf_init(&p->remember, e->env, SIZE_MAX);
        *out = (struct ml_sync_action){.kind = ML_SYNC_REMEMBER};
        out->u.remember.peer = p->node;
        out->u.remember.base = ml_buf_slice(&e->told_base);
        return true;
    }
    struct ml_peer *changed = ml_peer_told(e);
    if (changed != NULL) {
        *out = (struct ml_sync_action){.kind = ML_SYNC_CHANGED};
        out->u.changed = changed->node;
        return true;
    }
    return false;
}

static bool next_timer(struct ml_sync *e, struct ml_sync_action *out)
{
    uint64_t at = UINT64_MAX;
    for (size_t i = 0; i < e->session_count; i++) {
        uint64_t due = ml_sess_deadline(e->sessions[i]);
        at = due < at ? due : at;
    }
    if (e->queue_first != NULL && e->batch.number == 0 &&
        e->queue_first->at_ms + ML_SYNC_BATCH_MS < at) {
        at = e->queue_first->at_ms + ML_SYNC_BATCH_MS;
    }
    for (size_t i = 0; i < e->peer_count; i++) {
        if (e->peers[i]->changed && e->peers[i]->told_ms + ML_SYNC_PROGRESS_MS < at) {
            at = e->peers[i]->told_ms + ML_SYNC_PROGRESS_MS;
        }
    }
    for (size_t i = 0; i < e->own_count; i++) {
        if (e->own[i].failed && e->now_ms + ML_SYNC_RETRY_MS < at) {
            at = e->now_ms + ML_SYNC_RETRY_MS;
        }
    }
    const uint64_t chunks = ml_chunks_deadline(e);
    at = chunks < at ? chunks : at;
    if (!e->ready && e->now_ms + ML_SYNC_RETRY_MS < at) {
        at = e->now_ms + ML_SYNC_RETRY_MS;
    }
    if (at <= e->now_ms) {
        at = e->now_ms + ML_SYNC_RETRY_MS; /* it was tried just now, and memory lacked */
    }
    if (at == UINT64_MAX || at == e->told_timer_ms) {
        return false;
    }
    e->told_timer_ms = at;
    *out = (struct ml_sync_action){.kind = ML_SYNC_TIMER};
    out->u.timer_ms = at;
    return true;
}

bool ml_sync_next(struct ml_sync *e, struct ml_sync_action *out)
{
    ml_release(e->env, e->told_msg);
    e->told_msg = NULL;
    for (size_t i = 0; i < e->session_count; i++) {
        if (e->sessions[i]->pump_due) {
            ml_sess_pump(e->sessions[i]);
        }
    }
    return next_close(e, out) || next_of_store(e, out) || next_of_sessions(e, out) ||
           next_news(e, out) || next_timer(e, out);
}

void ml_sync_on_failed(struct ml_sync *e, uint32_t session, uint32_t query, ml_err err)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (ml_chunks_failed(e, query) || s == NULL || query == 0) {
        return;
    }
    const struct ml_question *const questions[] = {&s->known,          &s->places,
                                                   &s->load,           &s->wants.question,
                                                   &s->gifts.question, &s->chunk_gifts.question};
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (questions[i]->query == query) {
            ml_sess_close(s, err);
            return;
        }
    }
}
