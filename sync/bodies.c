/* sync/bodies.c -- bodies that are absent on one side (I4).
 *
 * Happy path: once live, a node that misses bodies it may still get asks the peer for some of them
 * by hash; what the peer has comes as BUNDLES, what it can't give is named by ABSENT with the
 * reason. When all are answered the next ones are asked, until our store names no more.
 *
 * Failures: more than one request at a time, or too many in one, is the peer's fault. A peer that
 * never answers runs into the session's timeout.
 */
#include <string.h>

#include "sync/internal.h"

/* ---- ours ---- */

void ml_sess_bodies_hello(struct ml_sess *s)
{
    size_t half = sizeof(s->peer_digest);
    s->wants.finished = memcmp(s->hello.digest + half, s->hello_digest + half, half) == 0;
    s->wants.finished_ms = s->e->now_ms;
}

static void wants_finish(struct ml_sess *s)
{
    s->wants.finished = true;
    s->wants.finished_ms = s->e->now_ms;
    s->wants.after = (struct ml_hash16){{0}};
}

static void wants_ask_store(struct ml_sess *s)
{
    struct ml_body_wants *w = &s->wants;
    bool idle = w->count == 0 && !w->question.due && w->question.query == 0;
    if (w->finished && s->e->now_ms - w->finished_ms >= ML_SYNC_BODIES_MS) {
        w->finished = false; /* the peer may have received some meanwhile */
    }
    if (idle && !w->finished && s->e->holes.wanted > 0 && ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE) {
        w->question.due = true;
    }
}

static ml_err wants_send(struct ml_sess *s)
{
    struct ml_msg msg = {.kind = ML_MSG_BODY_REQUEST};
    msg.u.body_request.hashes =
        (struct ml_list){.count = (uint32_t)s->wants.count, .items = s->wants.hashes};
    return ml_sess_send(s, &msg);
}

static ml_err wants_take(struct ml_sess *s, const struct ml_hash16 *hashes, size_t count)
{
    struct ml_body_wants *w = &s->wants;
    w->question.query = 0;
    s->pump_due = true;
    if (count == 0 || count > ML_SYNC_BODIES_MAX) {
        wants_finish(s);
        return ML_OK;
    }
    if (w->hashes == NULL) {
        w->hashes = ml_alloc_array(s->e->env, ML_SYNC_BODIES_MAX, sizeof(*w->hashes));
        if (w->hashes == NULL) {
            return ML_E_NOMEM;
        }
    }
    memcpy(w->hashes, hashes, count * sizeof(*hashes));
    w->count = count;
    w->after = hashes[count - 1];
    w->last = count < ML_SYNC_BODIES_MAX;
    return wants_send(s);
}

void ml_sync_on_wanted(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_hash16 *hashes, size_t count)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s == NULL || !ml_sess_is_open(s) || query == 0 || s->wants.question.query != query) {
        return;
    }
    ml_err err = wants_take(s, hashes, count);
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}

static void wants_answered(struct ml_sess *s)
{
    struct ml_body_wants *w = &s->wants;
    if (w->last) {
        wants_finish(s);
    }
    s->pump_due = true;
}

void ml_sess_body_came(struct ml_sess *s, const struct ml_hash16 *hash)
{
    struct ml_body_wants *w = &s->wants;
    size_t i = 0;
    while (i < w->count && memcmp(&w->hashes[i], hash, sizeof(*hash)) != 0) {
        i++;
    }
    if (i == w->count) {
        return; /* nobody asked: an ordinary bundle */
    }
    w->hashes[i] = w->hashes[--w->count];
    ml_sess_progress(s);
    if (w->count == 0) {
        wants_answered(s);
    }
}

ml_err ml_sess_on_absent(struct ml_sess *s, const struct ml_msg_absent *msg)
{
    struct ml_list_walk walk;
    struct ml_absent_body absent;
    ml_list_walk(&walk, &msg->items);
    while (ml_list_next(&walk, &ml_format_absent_body, &absent)) {
        ml_sess_body_came(s, &absent.hash);
    }
    return ML_OK;
}

/* ---- the peer's ---- */

static ml_err gifts_finish(struct ml_sess *s)
{
    struct ml_body_gifts *g = &s->gifts;
    struct ml_msg msg = {.kind = ML_MSG_ABSENT};
    msg.u.absent.items = (struct ml_list){.count = (uint32_t)g->absent_count, .items = g->absent};
    ml_err err = g->absent_count > 0 ? ml_sess_send(s, &msg) : ML_OK;
    g->count = g->next = g->absent_count = 0;
    return err;
}

ml_err ml_sess_on_body_request(struct ml_sess *s, const struct ml_msg_body_request *msg)
{
    struct ml_body_gifts *g = &s->gifts;
    const struct ml_env *env = s->e->env;
    if (g->count > 0) {
        return ML_E_PROTOCOL;
    }
    if (msg->hashes.count > ML_SYNC_BODIES_MAX) {
        return ML_E_LIMIT;
    }
    if (g->hashes == NULL) {
        g->hashes = ml_alloc_array(env, ML_SYNC_BODIES_MAX, sizeof(*g->hashes));
    }
    if (g->absent == NULL) {
        g->absent = ml_alloc_array(env, ML_SYNC_BODIES_MAX, sizeof(*g->absent));
    }
    if (g->hashes == NULL || g->absent == NULL) {
        return ML_E_NOMEM;
    }
    struct ml_list_walk walk;
    ml_list_walk(&walk, &msg->hashes);
    while (g->count < msg->hashes.count &&
           ml_list_next(&walk, &ml_format_hash16, &g->hashes[g->count])) {
        g->count++;
    }
    g->next = g->absent_count = 0;
    if (s->given == ML_LANES_ALL) {
        return ML_OK;
    }
    for (size_t i = 0; i < g->count; i++) {
        g->absent[g->absent_count++] =
            (struct ml_absent_body){g->hashes[i], ML_ABSENT_NOT_RECEIVED};
    }
    return gifts_finish(s);
}

ml_err ml_sess_bodies_step(struct ml_sess *s)
{
    struct ml_body_gifts *g = &s->gifts;
    wants_ask_store(s);
    bool idle = g->count > 0 && !g->question.due && g->question.query == 0;
    if (idle && g->next == g->count) {
        return gifts_finish(s);
    }
    /* Room for the largest bundle: one at least must fit (LOAD_BODIES). */
    g->question.due = g->question.due || (idle && ml_sess_room(s) >= ML_BUNDLE_BYTES_MAX);
    return ML_OK;
}

static ml_err gifts_send(struct ml_sess *s, const struct ml_sync_body *bodies, size_t count)
{
    struct ml_body_gifts *g = &s->gifts;
    struct ml_slice *wires = ml_alloc_array(s->e->env, count + 1, sizeof(*wires));
    if (wires == NULL) {
        return ML_E_NOMEM;
    }
    size_t given = 0;
    for (size_t i = 0; i < count; i++) {
        if (bodies[i].wire.len > 0) {
            wires[given++] = bodies[i].wire;
        } else {
            uint8_t reason = bodies[i].reason == 0 ? ML_ABSENT_NOT_RECEIVED : bodies[i].reason;
            g->absent[g->absent_count++] = (struct ml_absent_body){g->hashes[g->next + i], reason};
        }
    }
    g->next += count;
    ml_err err = ml_sess_send_bundles(s, wires, given);
    ml_release(s->e->env, wires);
    return err;
}

void ml_sync_on_bodies(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_sync_body *bodies, size_t count)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s == NULL || !ml_sess_is_open(s) || query == 0 || s->gifts.question.query != query) {
        return;
    }
    s->gifts.question.query = 0;
    s->pump_due = true;
    ml_err err = ML_E_INVALID; /* none, or more than asked: no answer */
    if (count > 0 && count <= s->gifts.count - s->gifts.next) {
        err = gifts_send(s, bodies, count);
    }
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}
