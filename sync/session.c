/* sync/session.c -- one link's exchange: its states, messages and ends.
 *
 *   START ----> HELLO ----> FRONTIER ----> EXCHANGE ----> LIVE
 *                 |            ^              |            |
 *                 +-> LIVE     +--------------+------------+   (a new comparison)
 *   each of them ----> CLOSING
 *
 *   START     our frontier isn't ready; a HELLO of the peer may be kept. Nothing was said.
 *   HELLO     ours is sent.
 *   FRONTIER  both HELLOs are known and differ, or one side wants to compare again. Ours, theirs,
 * or both frontiers are still due; whoever has the other's may send already. EXCHANGE  both
 * frontiers are known in this round; one DONE at least is due. LIVE      both were DONE: each new
 * bundle goes at once. CLOSING   nothing is read any more; BYE, then CLOSE, then the driver's
 * ml_sync_on_closed.
 *
 * Happy path: docs/sync.md. Failures: whatever goes wrong ends this session with an error of its
 * class; what was committed stays, and the next session resumes from the frontiers.
 */
#include <string.h>

#include "sync/internal.h"

#define TO(state) ML_SM_TO(ML_SYNC_STATE_##state)

static const struct ml_sm_state sess_states[] = {
    [ML_SYNC_STATE_START] = {"START", TO(HELLO) | TO(CLOSING), ML_SM_INITIAL | ML_SM_FINAL},
    [ML_SYNC_STATE_HELLO] = {"HELLO", TO(FRONTIER) | TO(LIVE) | TO(CLOSING), ML_SM_FINAL},
    [ML_SYNC_STATE_FRONTIER] = {"FRONTIER", TO(EXCHANGE) | TO(CLOSING), ML_SM_FINAL},
    [ML_SYNC_STATE_EXCHANGE] = {"EXCHANGE", TO(LIVE) | TO(FRONTIER) | TO(CLOSING), ML_SM_FINAL},
    [ML_SYNC_STATE_LIVE] = {"LIVE", TO(FRONTIER) | TO(CLOSING), ML_SM_FINAL},
    [ML_SYNC_STATE_CLOSING] = {"CLOSING", 0, ML_SM_FINAL},
};

static const struct ml_sess *sess_of(const struct ml_sm *sm)
{
    return (const void *)((const char *)sm - offsetof(struct ml_sess, sm));
}

static bool sess_invariant(const struct ml_sm *sm, unsigned from)
{
    const struct ml_sess *s = sess_of(sm);
    (void)from;
    switch (ml_sm_at(sm)) {
    case ML_SYNC_STATE_START:
        return s->sent_number == 0;
    case ML_SYNC_STATE_HELLO:
        return s->e->ready && s->sent_number == 0;
    case ML_SYNC_STATE_FRONTIER:
        return s->hello_got && !(s->front_sent && s->front_got);
    case ML_SYNC_STATE_EXCHANGE:
        return s->front_sent && s->front_got && !(s->done_sent && s->done_got);
    case ML_SYNC_STATE_LIVE:
        return s->front_sent && s->front_got && s->done_sent && s->done_got && s->planned;
    case ML_SYNC_STATE_CLOSING:
        return true;
    default:
        return false;
    }
}

/* There is one: sessions are fewer than slots. */
static uint8_t slot_free(const struct ml_sync *e)
{
    uint32_t used = 0;
    for (size_t i = 0; i < e->session_count; i++) {
        used |= 1u << e->sessions[i]->slot;
    }
    uint8_t slot = 0;
    while (slot + 1u < ML_SYNC_SESSIONS_MAX && (used >> slot & 1u) != 0) {
        slot++;
    }
    return slot;
}

ml_err ml_sess_new(struct ml_sess **out, struct ml_sync *e, const struct ml_sync_open *open)
{
    struct ml_sess *s = ml_alloc(e->env, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    s->e = e;
    s->id = ++e->last_session;
    s->initiator = open->initiator;
    s->slot = slot_free(e);
    s->lanes = open->restricted ? ML_LANES_KEYS : ML_LANES_ALL;
    s->given = open->drains ? 1u << ML_LANE_GOVERNANCE : ML_LANES_ALL;
    s->given = open->unknown ? 0 : s->given;
    s->hlc = open->hlc;
    s->append_mark = e->appends;
    s->opened_ms = s->rx_ms = s->progress_ms = s->keep_ms = e->now_ms;
    s->resync_wait_ms = ML_SYNC_RESYNC_MS;
    s->window_bytes = s->in_window_bytes = ML_SYNC_WINDOW_BYTES;
    s->window_bundles = s->in_window_bundles = ML_SYNC_WINDOW_BUNDLES;
    s->pump_due = true;
    ml_sync_frontier_init(&s->base, e->env);
    ml_sync_frontier_init(&s->trace_sent, e->env);
    ml_sync_frontier_init(&s->trace_got, e->env);
    ml_sync_frontier_init(&s->trace_ref, e->env);
    ml_sync_frontier_init(&s->incoming, e->env);
    ml_sync_frontier_init(&s->theirs, e->env);
    ml_sm_init(&s->sm, sess_states, sizeof(sess_states) / sizeof(sess_states[0]), sess_invariant,
               ML_SYNC_STATE_START);
    ml_err err = open->base.len > 0 ? ml_base_decode(&s->base, open->base) : ML_OK;
    if (open->base.len > 0 && err == ML_OK) { /* one that can't be read is as good as none */
        s->base_valid = true;
        s->base_heads = ml_sync_frontier_digest(&s->base, false);
        s->base_trace = ml_sync_frontier_digest(&s->base, true);
        err = ml_sync_frontier_copy_lane(&s->trace_ref, &s->base, ML_LANE_TRACE);
    }
    if (err == ML_E_NOMEM) {
        ml_sess_free(s);
        return err;
    }
    *out = s;
    return ML_OK;
}

static void outbox_free(struct ml_sess *s)
{
    while (s->out_first != NULL) {
        struct ml_outgoing *next = s->out_first->next;
        ml_release(s->e->env, s->out_first);
        s->out_first = next;
    }
    s->out_last = NULL;
}

/* What a session leaves in its peer's record. */
static void sess_leave(struct ml_sess *s)
{
    struct ml_peer *peer = s->peer;
    if (peer == NULL || peer->session != s) {
        return;
    }
    if (ml_sess_is_synced(s)) {
        ml_sess_remember(s);
    }
    peer->last.last_err = s->close_err;
    peer->session = NULL;
    ml_peer_changed(peer);
}

void ml_sess_free(struct ml_sess *s)
{
    struct ml_sync *e = s->e;
    ml_sess_chunks_end(s);
    sess_leave(s);
    if (e->feeder == s->id) {
        e->feeder = 0;
        ml_sync_pump_all(e);
    }
    ml_sm_fini(&s->sm);
    outbox_free(s);
    ml_sess_drop_ranges(s);
    ml_sync_frontier_free(&s->base);
    ml_sync_frontier_free(&s->trace_sent);
    ml_sync_frontier_free(&s->trace_got);
    ml_sync_frontier_free(&s->trace_ref);
    ml_sync_frontier_free(&s->incoming);
    ml_sync_frontier_free(&s->theirs);
    ml_release(e->env, s->asked);
    ml_release(e->env, s->flights);
    ml_release(e->env, s->wants.hashes);
    ml_release(e->env, s->gifts.hashes);
    ml_release(e->env, s->gifts.absent);
    ml_release(e->env, s);
}

bool ml_sess_is_open(const struct ml_sess *s)
{
    return ml_sm_at(&s->sm) != ML_SYNC_STATE_CLOSING;
}

void ml_sess_move(struct ml_sess *s, ml_sync_state to)
{
    ml_sm_move(&s->sm, (unsigned)to);
    if (to == ML_SYNC_STATE_LIVE) {
        ml_sess_chunks_live(s);
    }
    ml_sess_progress(s);
    ml_peer_changed(s->peer);
}

void ml_sess_progress(struct ml_sess *s)
{
    s->progress_ms = s->e->now_ms;
}

/* ---- the end ---- */

struct farewell {
    ml_err err;
    ml_bye reason;
};

/* The first row with the error tells what we say, the first with the reason what we understand. */
static const struct farewell farewells[] = {
    {ML_OK, ML_BYE_DONE},           {ML_E_CANCELED, ML_BYE_STOPPING},
    {ML_E_CANCELED, ML_BYE_PAUSED}, {ML_E_EXISTS, ML_BYE_DUPLICATE},
    {ML_E_VERSION, ML_BYE_VERSION}, {ML_E_TIMEOUT, ML_BYE_TIMEOUT},
    {ML_E_LIMIT, ML_BYE_LIMIT},     {ML_E_FULL, ML_BYE_FULL},
    {ML_E_DENIED, ML_BYE_REVOKED},  {ML_E_PROTOCOL, ML_BYE_PROTOCOL},
    {ML_E_BUSY, ML_BYE_BUSY},
};
#define FAREWELLS (sizeof(farewells) / sizeof(farewells[0]))

static ml_bye bye_of(ml_err err)
{
    for (size_t i = 0; i < FAREWELLS; i++) {
        if (farewells[i].err == err) {
            return farewells[i].reason;
        }
    }
    return ml_err_class_of(err) == ML_CLASS_PEER ? ML_BYE_PROTOCOL : ML_BYE_BUSY;
}

static ml_err err_of_bye(uint8_t reason)
{
    for (size_t i = 0; i < FAREWELLS; i++) {
        if (farewells[i].reason == reason) {
            return farewells[i].err;
        }
    }
    return ML_E_BUSY; /* of a newer version: it will have its reason */
}

/* Written by hand, into the session itself: a BYE must not need memory. */
static void bye_write(struct ml_sess *s, ml_bye reason)
{
    const uint8_t bye[] = {ML_MSG_BYE, 0x81, 0x01, (uint8_t)reason};
    memcpy(s->bye, bye, sizeof(bye));
    s->bye_len = sizeof(bye);
}

static void sess_end(struct ml_sess *s, ml_err err)
{
    bool synced = ml_sess_is_synced(s);
    s->close_err = err;
    if (synced) {
        ml_sess_remember(s);
    }
    outbox_free(s);
    ml_sess_chunks_end(s);
    if (s->e->feeder == s->id) {
        s->e->feeder = 0;
        ml_sync_pump_all(s->e);
    }
    ml_sess_move(s, ML_SYNC_STATE_CLOSING);
}

void ml_sess_close_as(struct ml_sess *s, ml_err err, ml_bye reason)
{
    if (!ml_sess_is_open(s)) {
        return;
    }
    if (ml_sm_at(&s->sm) != ML_SYNC_STATE_START) {
        bye_write(s, reason);
    }
    sess_end(s, err);
}

void ml_sess_close(struct ml_sess *s, ml_err err)
{
    ml_sess_close_as(s, err, bye_of(err));
}

/* ---- messages ---- */

ml_err ml_sess_send(struct ml_sess *s, const struct ml_msg *msg)
{
    const struct ml_env *env = s->e->env;
    struct ml_buf buf;
    ml_buf_init(&buf, env, ML_MSG_BYTES_MAX);
    ml_err err = ml_msg_encode(&buf, msg);
    struct ml_outgoing *out = NULL;
    if (err == ML_OK && s->unsent + buf.len > ML_SYNC_UNSENT_BYTES_MAX) {
        err = ML_E_LIMIT;
    }
    if (err == ML_OK) {
        out = ml_alloc(env, sizeof(*out) + buf.len);
        err = out == NULL ? ML_E_NOMEM : ML_OK;
    }
    if (err == ML_OK) {
        out->len = buf.len;
        memcpy(out->data, buf.data, buf.len);
        s->unsent += buf.len;
        if (s->out_last == NULL) {
            s->out_first = out;
        } else {
            s->out_last->next = out;
        }
        s->out_last = out;
    }
    ml_buf_free(&buf);
    return err;
}

static ml_err sess_on_hello(struct ml_sess *s, const struct ml_msg_hello *hello)
{
    if (s->hello_got) {
        return ML_E_PROTOCOL;
    }
    s->hello_got = true;
    s->hello = *hello;
    s->peer->last.peer_hlc = hello->hlc;
    memcpy(s->peer_digest, hello->digest, sizeof(s->peer_digest));
    if (hello->flags & ML_HELLO_KEYS) {
        s->lanes = ML_LANES_KEYS;
    }
    return ML_OK;
}

static ml_err sess_on_exchange(struct ml_sess *s, const struct ml_msg *msg)
{
    switch (msg->kind) {
    case ML_MSG_FRONTIER:
        return ml_sess_on_frontier(s, &msg->u.frontier);
    case ML_MSG_PLAN:
        return ml_sess_on_plan(s, &msg->u.plan);
    case ML_MSG_BUNDLES:
        return ml_sess_on_bundles(s, &msg->u.bundles);
    case ML_MSG_CREDIT:
        return ml_sess_on_credit(s, &msg->u.credit);
    case ML_MSG_COMMIT:
        return ml_sess_on_commit(s, &msg->u.commit);
    case ML_MSG_FORK_QUERY:
        return ml_sess_on_fork_query(s, &msg->u.fork_query);
    case ML_MSG_FORK_ANSWER:
        return ml_sess_on_fork_answer(s, &msg->u.fork_answer);
    case ML_MSG_BUNDLE_REQUEST:
        return ml_sess_on_bundle_request(s, &msg->u.bundle_request);
    case ML_MSG_BODY_REQUEST:
        return ml_sess_on_body_request(s, &msg->u.body_request);
    case ML_MSG_ABSENT:
        return ml_sess_on_absent(s, &msg->u.absent);
    case ML_MSG_DONE:
        return ml_sess_on_done(s, &msg->u.done);
    case ML_MSG_CHUNK_WANT:
        return ml_sess_on_chunk_want(s, &msg->u.chunk_list);
    case ML_MSG_CHUNK:
        return ml_sess_on_chunk(s, &msg->u.chunk);
    case ML_MSG_CHUNK_ABSENT:
        return ml_sess_on_chunk_absent(s, &msg->u.chunk_list);
    case ML_MSG_CHUNK_HAVE:
        return ml_sess_on_chunk_have(s);
    case ML_MSG_HELLO:
    case ML_MSG_BYE:
    case ML_MSG_HEADERS:
    case ML_MSG_ENROL_REQUEST:
    case ML_MSG_ENROL_GRANT:
    case ML_MSG_ENROL_REFUSE:
    case ML_MSG_ENROL_READY:
        break;
    }
    return ML_E_PROTOCOL; /* of another conversation, or out of place */
}

void ml_sess_receive(struct ml_sess *s, struct ml_slice in)
{
    struct ml_msg msg;
    struct ml_fault fault;
    s->rx_ms = s->e->now_ms;
    s->pump_due = true;
    ml_err err = ml_msg_decode(&msg, in, &fault);
    if (err != ML_OK) {
        ml_sess_close(s, err);
        return;
    }
    if (msg.kind == ML_MSG_BYE) {
        sess_end(s, err_of_bye(msg.u.bye.reason));
        return;
    }
    if (ml_sm_at(&s->sm) <= ML_SYNC_STATE_HELLO) {
        err = msg.kind == ML_MSG_HELLO ? sess_on_hello(s, &msg.u.hello) : ML_E_PROTOCOL;
    } else {
        err = sess_on_exchange(s, &msg);
    }
    if (err != ML_OK) {
        ml_logf(s->e->env, ML_LOG_INFO, "sync", "session %u: %s in %s: %s", s->id,
                ml_msg_name(msg.kind), ml_sm_name(&s->sm), ml_err_name(err));
        ml_sess_close(s, err);
    }
}

/* ---- steps ---- */

typedef ml_err session_step(struct ml_sess *s);

static ml_err sess_step(struct ml_sess *s)
{
    ml_err err = ML_OK;
    if (ml_sm_at(&s->sm) == ML_SYNC_STATE_START && ml_sync_is_ready(s->e, s->append_mark)) {
        err = ml_sess_hello(s);
    }
    if (err == ML_OK && ml_sm_at(&s->sm) == ML_SYNC_STATE_HELLO && s->hello_got) {
        err = ml_sess_compare_hello(s);
    }
    if (err != ML_OK || ml_sm_at(&s->sm) < ML_SYNC_STATE_FRONTIER) {
        return err;
    }
    static session_step *const steps[] = {
        ml_sess_frontier_step, ml_sess_scan,      ml_sess_fork_step,   ml_sess_bodies_step,
        ml_sess_outbound_step, ml_sess_done_step, ml_sess_chunks_step,
    };
    for (size_t i = 0; err == ML_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
        err = steps[i](s);
    }
    return err;
}

void ml_sess_pump(struct ml_sess *s)
{
    s->pump_due = false;
    if (!ml_sess_is_open(s)) {
        return;
    }
    ml_err err = sess_step(s);
    if (err != ML_OK) {
        ml_sess_close(s, err);
        return;
    }
    ml_sess_watch(s);
}
