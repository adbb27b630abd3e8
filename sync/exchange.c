/* sync/exchange.c -- HELLO, FRONTIER, PLAN, DONE, and the base that both keep.
 *
 * Happy path: HELLOs differ; each sends its frontier as a delta to the base of their last exchange,
 * with CREDIT for bulk; whoever has the other's frontier compares, announces a PLAN and sends; both
 * end with DONE. Equal HELLOs end at once, live.
 *
 * One session feeds us at a time: while a copy is coming from one peer, our frontier is held back
 * from the others, so that they don't send the same; what we have for them goes meanwhile. They get
 * a sign of life, an empty FRONTIER with others to follow.
 *
 * Failures: a base that the other doesn't have costs one more round trip (`unknown_base`, then all
 * heads). Frontiers that still differ when both are done lead to a new round after a while.
 */
#include <string.h>

#include "sync/internal.h"

ml_err ml_sess_hello(struct ml_sess *s)
{
    struct ml_sync *e = s->e;
    struct ml_hash16 heads = ml_sync_heads_digest(e);
    struct ml_msg msg = {.kind = ML_MSG_HELLO};
    struct ml_msg_hello *hello = &msg.u.hello;
    hello->version = ML_MSG_VERSION;
    hello->flags = ML_HELLO_LIVE;
    if (s->lanes != ML_LANES_ALL) {
        hello->flags |= ML_HELLO_KEYS;
    }
    hello->hlc = s->hlc;
    memcpy(hello->digest, heads.b, sizeof(heads.b));
    memcpy(hello->digest + sizeof(heads.b), e->holes.digest, sizeof(e->holes.digest));
    memcpy(s->hello_digest, hello->digest, sizeof(s->hello_digest));
    s->hello_version = e->version;
    ml_err err = ml_sess_send(s, &msg);
    if (err == ML_OK) {
        ml_sess_move(s, ML_SYNC_STATE_HELLO);
    }
    return err;
}

void ml_sess_begin_round(struct ml_sess *s, bool ask)
{
    s->front_sent = s->front_got = s->base_refused = s->front_whole = false;
    s->front_ask = ask;
    s->done_sent = s->done_got = s->planned = false;
    s->ride = true;
    s->incoming.count = 0;
    s->keep_ms = s->e->now_ms;
    s->pump_due = true;
    ml_sess_move(s, ML_SYNC_STATE_FRONTIER);
}

/* Nothing new: the peer has what we have, but for lane 2, of which nothing was said. */
static ml_err sess_live_at_once(struct ml_sess *s)
{
    ml_err err = ml_sync_frontier_copy(&s->theirs, &s->e->mine, ML_HEAD_KNOWN);
    if (err != ML_OK) {
        return err;
    }
    ml_sync_frontier_drop_lane(&s->theirs, ML_LANE_TRACE);
    s->lanes = ML_LANES_ALL;
    s->front_sent = s->front_got = s->planned = s->done_sent = s->done_got = true;
    s->front_whole = true; /* no delta was sent that the peer could fail to read */
    s->scan_due = true;
    s->ride = s->ride || s->e->forked;
    ml_sess_move(s, ML_SYNC_STATE_LIVE);
    ml_sess_remember(s);
    return ML_OK;
}

ml_err ml_sess_compare_hello(struct ml_sess *s)
{
    ml_sess_bodies_hello(s);
    if (memcmp(s->hello_digest, s->hello.digest, sizeof(s->peer_digest)) != 0) {
        ml_sess_begin_round(s, false);
        return ML_OK;
    }
    s->front_ever = true; /* the peer is live, and may push */
    if (s->e->version != s->hello_version) {
        ml_sess_begin_round(s, true); /* ours has moved since: the digests are no picture of now */
        return ML_OK;
    }
    return sess_live_at_once(s);
}

/* ---- our frontier ---- */

/* The heads to be told into `out`, which has room for all of ours. False: a chain of the base has
 * gone here, which no delta can say. */
static bool delta_list(const struct ml_sess *s, struct ml_dep *out, size_t *count)
{
    struct ml_chain_walk walk;
    struct ml_chain_pair pair;
    *count = 0;
    ml_chain_walk(&walk, &s->e->mine, &s->base);
    while (ml_chain_next(&walk, &pair)) {
        if (pair.a.count == 0) {
            return false;
        }
        if (ml_chain_same(&pair.a, &pair.b)) {
            continue;
        }
        for (size_t i = 0; i < pair.a.count; i++) {
            out[(*count)++] = pair.a.heads[i].id;
        }
    }
    return true;
}

static size_t whole_list(const struct ml_sess *s, struct ml_dep *out)
{
    for (size_t i = 0; i < s->e->mine.count; i++) {
        out[i] = s->e->mine.heads[i].id;
    }
    return s->e->mine.count;
}

static ml_err send_parts(struct ml_sess *s, const struct ml_dep *heads, size_t count, bool whole)
{
    ml_err err = ML_OK;
    size_t at = 0;
    do {
        size_t n = count - at < ML_FRONTIER_PART ? count - at : ML_FRONTIER_PART;
        struct ml_msg msg = {.kind = ML_MSG_FRONTIER};
        struct ml_msg_frontier *f = &msg.u.frontier;
        f->heads = (struct ml_list){.count = (uint32_t)n, .items = heads + at};
        if (!whole) {
            f->base = s->base_heads;
            f->trace = s->base_trace;
        }
        at += n;
        f->more = at < count;
        f->reply = s->front_ask;
        err = ml_sess_send(s, &msg);
    } while (err == ML_OK && at < count);
    return err;
}

static ml_err send_bulk_credit(struct ml_sess *s)
{
    struct ml_msg msg = {.kind = ML_MSG_CREDIT};
    if (s->in_window_bytes >= ML_SYNC_BULK_BYTES) {
        return ML_OK;
    }
    msg.u.credit.bytes = (uint32_t)(ML_SYNC_BULK_BYTES - s->in_window_bytes);
    msg.u.credit.bundles = (uint32_t)(ML_SYNC_BULK_BUNDLES - s->in_window_bundles);
    s->in_window_bytes = ML_SYNC_BULK_BYTES;
    s->in_window_bundles = ML_SYNC_BULK_BUNDLES;
    return ml_sess_send(s, &msg);
}

static ml_err send_frontier(struct ml_sess *s)
{
    struct ml_sync *e = s->e;
    size_t count = 0;
    struct ml_dep *heads = ml_alloc_array(e->env, e->mine.count + 1, sizeof(*heads));
    if (heads == NULL) {
        return ML_E_NOMEM;
    }
    bool whole = s->front_whole || !s->base_valid || !delta_list(s, heads, &count);
    if (whole) {
        count = whole_list(s, heads);
    }
    ml_err err = send_parts(s, heads, count, whole);
    ml_release(e->env, heads);
    if (err == ML_OK) {
        err = ml_sync_frontier_copy_lane(&s->trace_sent, &e->mine, ML_LANE_TRACE);
    }
    if (err == ML_OK) {
        err = send_bulk_credit(s);
    }
    s->front_sent = s->front_ever = true;
    s->front_whole = whole;
    e->feeder = s->id;
    s->feed_ms = e->now_ms;
    return err;
}

static bool may_feed_us(const struct ml_sess *s)
{
    const struct ml_sess *feeder = ml_sync_session(s->e, s->e->feeder);
    return feeder == NULL || feeder == s || feeder->done_got ||
           s->e->now_ms - feeder->feed_ms >= ML_SYNC_FEED_MS;
}

static ml_err sign_of_life(struct ml_sess *s)
{
    const struct ml_msg msg = {.kind = ML_MSG_FRONTIER, .u.frontier = {.more = true}};
    if (s->e->now_ms - s->keep_ms < ML_SYNC_FEED_MS) {
        return ML_OK;
    }
    s->keep_ms = s->e->now_ms;
    return ml_sess_send(s, &msg);
}

/* All lane-2 heads that either has told, the same list on both sides. */
static ml_err trace_agree(struct ml_sess *s)
{
    ml_err err = ml_sync_frontier_copy(&s->trace_ref, &s->trace_sent, 0);
    for (size_t i = 0; err == ML_OK && i < s->trace_got.count; i++) {
        err = ml_sync_frontier_put(&s->trace_ref, &s->trace_got.heads[i].id, 0);
    }
    return err;
}

ml_err ml_sess_frontier_step(struct ml_sess *s)
{
    ml_err err = ML_OK;
    if (ml_sm_at(&s->sm) != ML_SYNC_STATE_FRONTIER) {
        return ML_OK;
    }
    if (!s->front_sent) {
        err = may_feed_us(s) ? send_frontier(s) : sign_of_life(s);
    }
    if (err == ML_OK && s->front_sent && s->front_got) {
        err = trace_agree(s);
        ml_sess_move(s, ML_SYNC_STATE_EXCHANGE);
    }
    return err;
}

/* ---- the peer's frontier ---- */

static bool base_is_ours(const struct ml_sess *s, const struct ml_msg_frontier *msg)
{
    return s->base_valid && memcmp(&s->base_heads, &msg->base, sizeof(msg->base)) == 0 &&
           memcmp(&s->base_trace, &msg->trace, sizeof(msg->trace)) == 0;
}

static ml_err refuse_base(struct ml_sess *s)
{
    const struct ml_msg msg = {.kind = ML_MSG_FRONTIER, .u.frontier = {.unknown_base = true}};
    if (s->base_refused) {
        return ML_OK; /* the rest of the parts */
    }
    s->base_refused = true;
    return ml_sess_send(s, &msg);
}

/* Our own picture of what is on its way to them stays true beside their list. */
static ml_err keep_sent(const struct ml_sess *s, struct ml_frontier *fresh)
{
    ml_err err = ML_OK;
    for (size_t i = 0; err == ML_OK && s->open_bundles > 0 && i < s->theirs.count; i++) {
        const struct ml_head *old = &s->theirs.heads[i];
        if (old->flags & ML_HEAD_KNOWN) {
            err = ml_sync_frontier_put(fresh, &old->id, ML_HEAD_KNOWN);
        }
    }
    return err;
}

static ml_err theirs_replace(struct ml_sess *s, bool whole)
{
    struct ml_frontier fresh;
    ml_sync_frontier_init(&fresh, s->e->env);
    ml_err err = whole ? ML_OK : ml_sync_frontier_copy(&fresh, &s->base, 0);
    if (err == ML_OK) {
        err = ml_sync_frontier_overlay(&fresh, &s->incoming);
    }
    if (err == ML_OK) {
        err = ml_sync_frontier_copy_lane(&s->trace_got, &fresh, ML_LANE_TRACE);
    }
    struct ml_hash16 digest = ml_sync_frontier_digest(&fresh, false);
    if (err == ML_OK) {
        err = keep_sent(s, &fresh);
    }
    if (err != ML_OK) {
        ml_sync_frontier_free(&fresh);
        return err;
    }
    ml_sync_frontier_free(&s->theirs);
    s->theirs = fresh;
    ml_sync_frontier_free(&s->incoming);
    memcpy(s->peer_digest, digest.b, sizeof(s->peer_digest));
    s->peer_moved = false;
    s->trace_known = true;
    s->known = (struct ml_question){0};
    memset(s->forks, 0, sizeof(s->forks));
    ml_sess_drop_ranges(s);
    s->scan_due = true;
    s->planned = false;
    s->front_got = true;
    return ML_OK;
}

static ml_err incoming_add(struct ml_sess *s, const struct ml_list *heads)
{
    struct ml_list_walk walk;
    struct ml_dep id;
    ml_list_walk(&walk, heads);
    ml_err err = ml_sync_frontier_reserve(&s->incoming, heads->count);
    while (err == ML_OK && ml_list_next(&walk, &ml_format_dep, &id)) {
        size_t n = s->incoming.count;
        if (n > 0 && ml_dep_compare(&s->incoming.heads[n - 1].id, &id) >= 0) {
            return ML_E_PROTOCOL; /* the parts are one list */
        }
        err = ml_sync_frontier_put(&s->incoming, &id, 0);
    }
    return err;
}

/* The peer couldn't read ours: once more, with all heads. */
static ml_err resend_whole(struct ml_sess *s)
{
    if (!s->front_sent || s->front_whole) {
        return ML_E_PROTOCOL;
    }
    s->front_whole = true;
    return send_frontier(s);
}

/* An honest peer waits ML_SYNC_RESYNC_MS at least between two rounds; a link that stood still may
 * deliver some at once. Each costs us a frontier. */
static ml_err round_begun_by_peer(struct ml_sess *s)
{
    uint64_t now = s->e->now_ms;
    if (s->rounds_ms < now) {
        s->rounds_ms = now;
    }
    s->rounds_ms += ML_SYNC_RESYNC_MS;
    if (s->rounds_ms - now > (uint64_t)ML_SYNC_ROUNDS_MAX * ML_SYNC_RESYNC_MS) {
        return ML_E_LIMIT;
    }
    ml_sess_progress(s);
    if (ml_sm_at(&s->sm) == ML_SYNC_STATE_FRONTIER) {
        s->front_got = false; /* asked twice before we answered */
    } else {
        ml_sess_begin_round(s, false);
    }
    return ML_OK;
}

ml_err ml_sess_on_frontier(struct ml_sess *s, const struct ml_msg_frontier *msg)
{
    if (msg->unknown_base) {
        return resend_whole(s);
    }
    if (msg->heads.count == 0 && msg->more) {
        return ML_OK; /* a sign of life */
    }
    ml_err err = ML_OK;
    if (s->front_got) {
        err = msg->reply ? round_begun_by_peer(s) : ML_E_PROTOCOL;
    }
    if (err != ML_OK) {
        return err;
    }
    bool whole = ml_is_zero(&msg->base, sizeof(msg->base));
    if (!whole && !base_is_ours(s, msg)) {
        return refuse_base(s);
    }
    err = incoming_add(s, &msg->heads);
    if (err == ML_OK && !msg->more) {
        ml_sess_progress(s);
        err = theirs_replace(s, whole);
    }
    return err;
}

/* ---- PLAN, DONE ---- */

ml_err ml_sess_on_plan(struct ml_sess *s, const struct ml_msg_plan *msg)
{
    struct ml_sync_flow *in = &s->peer->last.in;
    struct ml_list_walk walk;
    struct ml_plan_lane lane;
    in->bundles_planned = in->bundles;
    in->bytes_planned = in->bytes;
    in->ops_planned = 0;
    ml_list_walk(&walk, &msg->lanes);
    while (ml_list_next(&walk, &ml_format_plan_lane, &lane)) {
        in->bundles_planned += lane.bundles;
        in->bytes_planned += lane.bytes;
        in->ops_planned += lane.ops;
    }
    ml_peer_changed(s->peer);
    return ML_OK;
}

ml_err ml_sess_on_done(struct ml_sess *s, const struct ml_msg_done *msg)
{
    if (s->done_got || !s->front_sent || msg->number != s->in_number) {
        return ML_E_PROTOCOL;
    }
    s->done_got = true;
    memcpy(s->peer_digest, msg->frontier.b, sizeof(s->peer_digest));
    s->peer_moved = false;
    ml_sess_progress(s);
    if (s->e->feeder == s->id) {
        s->e->feeder = 0;
        ml_sync_pump_all(s->e);
    }
    return ML_OK;
}

static bool all_is_given(const struct ml_sess *s)
{
    return s->planned && !s->scan_due && s->asking == 0 && (s->lacking & s->lanes) == 0 &&
           !s->load.due && s->load.query == 0 && s->open_bundles == 0 && ml_sess_forks(s) == 0;
}

ml_err ml_sess_done_step(struct ml_sess *s)
{
    ml_err err = ML_OK;
    if (ml_sm_at(&s->sm) != ML_SYNC_STATE_EXCHANGE) {
        return ML_OK;
    }
    if (!s->done_sent && all_is_given(s)) {
        struct ml_msg msg = {.kind = ML_MSG_DONE};
        msg.u.done.frontier = ml_sync_heads_digest(s->e);
        msg.u.done.number = s->sent_number;
        err = ml_sess_send(s, &msg);
        s->done_sent = true;
    }
    if (err != ML_OK || !s->done_sent || !s->done_got) {
        return err;
    }
    if (s->lanes != ML_LANES_ALL) { /* caught up on lanes 0 and 1 (rules B17): now the rest */
        s->lanes = ML_LANES_ALL;
        s->done_sent = s->done_got = s->planned = false;
        s->scan_due = s->pump_due = true;
        return ML_OK;
    }
    ml_sess_move(s, ML_SYNC_STATE_LIVE);
    if (ml_sess_is_synced(s)) {
        ml_sess_remember(s);
    }
    return ML_OK;
}

/* ---- the base ---- */

void ml_sess_remember(struct ml_sess *s)
{
    struct ml_frontier fresh;
    struct ml_hash16 heads = ml_sync_heads_digest(s->e);
    struct ml_hash16 trace = ml_sync_frontier_digest(&s->trace_ref, true);
    s->peer->last.last_exchange_ms = s->e->now_ms;
    if (s->given == 0) { /* it comes back under its own name */
        return;
    }
    if (s->base_valid && memcmp(&heads, &s->base_heads, sizeof(heads)) == 0 &&
        memcmp(&trace, &s->base_trace, sizeof(trace)) == 0) {
        return;
    }
    ml_sync_frontier_init(&fresh, s->e->env);
    ml_err err = ml_sync_frontier_copy(&fresh, &s->e->mine, 0);
    if (err == ML_OK) {
        ml_sync_frontier_drop_lane(&fresh, ML_LANE_TRACE);
        err = ml_sync_frontier_overlay(&fresh, &s->trace_ref);
    }
    struct ml_buf blob;
    ml_buf_init(&blob, s->e->env, SIZE_MAX);
    if (err == ML_OK) {
        err = ml_base_encode(&blob, &fresh);
    }
    if (err != ML_OK) { /* only a hint: the next exchange costs some bytes more */
        ml_sync_frontier_free(&fresh);
        ml_buf_free(&blob);
        return;
    }
    ml_buf_free(&s->peer->remember);
    s->peer->remember = blob;
    ml_sync_frontier_free(&s->base);
    s->base = fresh;
    s->base_valid = true;
    s->base_heads = heads;
    s->base_trace = trace;
}
