/* sync/fork.c -- where two copies of one chain part.
 *
 * A head of the peer's that is neither here nor above ours lies on another branch. We ask for
 * hashes below it, look them up in our store, and narrow down: `lo` is here (0 always is), `hi`
 * isn't. The first question takes the places just below the head, where a writer that was restored
 * has usually parted; the next ones divide what is left. When hi = lo + 1, we know what to give (of
 * all our branches what isn't at lo or below it) and ask for the peer's (BUNDLE_REQUEST). Both
 * branches replicate; the log freezes the writer (I1).
 *
 * Failures: an answer that doesn't fit its question is the peer's fault. A peer may lie about
 * hashes: every answered place still narrows, so the search ends, and what it then sends is judged
 * by the store as anything else.
 */
#include <string.h>

#include "sync/internal.h"

size_t ml_sess_forks(const struct ml_sess *s)
{
    size_t count = 0;
    for (size_t i = 0; i < ML_SYNC_FORKS_MAX; i++) {
        count += s->forks[i].step != ML_FORK_FREE;
    }
    return count;
}

static bool same_chain(const struct ml_dep *a, const struct ml_writer_id *writer, uint8_t lane)
{
    return a->lane == lane && memcmp(&a->writer, writer, sizeof(*writer)) == 0;
}

/* One search a chain at a time: an answer names the chain alone. */
static struct ml_fork *fork_of(struct ml_sess *s, const struct ml_writer_id *writer, uint8_t lane)
{
    for (size_t i = 0; i < ML_SYNC_FORKS_MAX; i++) {
        struct ml_fork *f = &s->forks[i];
        if (f->step != ML_FORK_FREE && same_chain(&f->head, writer, lane)) {
            return f;
        }
    }
    return NULL;
}

static struct ml_fork *fork_free_slot(struct ml_sess *s)
{
    for (size_t i = 0; i < ML_SYNC_FORKS_MAX; i++) {
        if (s->forks[i].step == ML_FORK_FREE) {
            return &s->forks[i];
        }
    }
    return NULL;
}

static ml_err fork_finish(struct ml_sess *s, struct ml_fork *f)
{
    struct ml_head *head = ml_sync_frontier_find(&s->theirs, &f->head);
    struct ml_chain_range range = {
        .writer = f->head.writer, .lane = f->head.lane, .first = f->lo + 1, .last = f->head.seq};
    f->step = ML_FORK_FREE;
    s->scan_due = s->pump_due = true;
    ml_sess_progress(s);
    if (head == NULL || head->flags & ML_HEAD_KNOWN) {
        return ML_OK; /* it has come meanwhile, from another peer */
    }
    head->flags = ML_HEAD_FORKED;
    head->from = 1; /* another branch of ours may part further down than where this one does */
    head->shared = f->lo;
    head->common = f->lo_hash;
    struct ml_msg msg = {.kind = ML_MSG_BUNDLE_REQUEST};
    msg.u.bundle_request.ranges = (struct ml_list){.count = 1, .items = &range};
    return ml_sess_send(s, &msg);
}

static ml_err fork_ask(struct ml_sess *s, struct ml_fork *f)
{
    if (f->hi == f->lo + 1) {
        return fork_finish(s, f);
    }
    uint32_t places = f->hi - f->lo - 1;
    uint32_t most = ML_SYNC_FORK_PLACES;
    if (places <= most) {
        f->first = f->lo + 1;
        f->stride = 1;
    } else if (f->hi == f->head.seq) {
        f->first = f->hi - most;
        f->stride = 1;
    } else {
        f->stride = places / most + 1;
        f->first = f->lo + f->stride;
    }
    f->count = (f->hi - 1 - f->first) / f->stride + 1;
    f->step = ML_FORK_PEER;
    struct ml_msg msg = {.kind = ML_MSG_FORK_QUERY};
    msg.u.fork_query = (struct ml_msg_fork_query){.writer = f->head.writer,
                                                  .lane = f->head.lane,
                                                  .first = f->first,
                                                  .last = f->first + (f->count - 1) * f->stride,
                                                  .step = f->stride,
                                                  .head_seq = f->head.seq,
                                                  .head = f->head.hash};
    return ml_sess_send(s, &msg);
}

static ml_err fork_begin(struct ml_sess *s, const struct ml_dep *head)
{
    struct ml_fork *f = fork_free_slot(s);
    if (f == NULL || fork_of(s, &head->writer, head->lane) != NULL) {
        return ML_OK; /* later */
    }
    *f = (struct ml_fork){.step = ML_FORK_PEER, .head = *head, .lo = 0, .hi = head->seq};
    ml_peer_changed(s->peer);
    return fork_ask(s, f);
}

/* The answered places go to our store, one search at a time. */
static void fork_lookup(struct ml_sess *s)
{
    for (size_t i = 0; i < ML_SYNC_FORKS_MAX; i++) {
        struct ml_fork *f = &s->forks[i];
        if (f->step != ML_FORK_STORE || s->known.due || s->known.query != 0) {
            continue;
        }
        for (uint32_t k = 0; k < f->count; k++) {
            s->asked[k] = (struct ml_dep){.writer = f->head.writer,
                                          .lane = f->head.lane,
                                          .seq = f->first + k * f->stride,
                                          .hash = f->hashes[k]};
        }
        s->asked_count = f->count;
        s->known_fork = f;
        s->known.due = true;
    }
}

ml_err ml_sess_fork_step(struct ml_sess *s)
{
    ml_err err = ML_OK;
    if (!s->front_got || !s->front_sent) {
        return ML_OK;
    }
    for (size_t i = 0; err == ML_OK && s->unknown > 0 && i < s->theirs.count; i++) {
        if (s->theirs.heads[i].flags & ML_HEAD_OPEN) {
            err = fork_begin(s, &s->theirs.heads[i].id);
        }
    }
    if (err == ML_OK) {
        fork_lookup(s);
    }
    return err;
}

ml_err ml_sess_on_fork_answer(struct ml_sess *s, const struct ml_msg_fork_answer *msg)
{
    struct ml_fork *f = fork_of(s, &msg->writer, msg->lane);
    if (f == NULL || f->step != ML_FORK_PEER || msg->first != f->first || msg->step != f->stride ||
        msg->hashes.count > f->count) {
        return ML_E_PROTOCOL;
    }
    ml_sess_progress(s);
    if (msg->hashes.count == 0) { /* its head isn't there any more: give all above what is common */
        return fork_finish(s, f);
    }
    struct ml_list_walk walk;
    ml_list_walk(&walk, &msg->hashes);
    f->count = 0;
    while (ml_list_next(&walk, &ml_format_hash16, &f->hashes[f->count])) {
        f->count++;
    }
    f->step = ML_FORK_STORE;
    return ML_OK;
}

ml_err ml_fork_known(struct ml_sess *s, struct ml_fork *f, const bool *known)
{
    if (f->step != ML_FORK_STORE) {
        return ML_OK;
    }
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t seq = f->first + i * f->stride;
        if (known[i]) {
            f->lo = seq;
            f->lo_hash = f->hashes[i];
        } else {
            f->hi = seq;
            break;
        }
    }
    return fork_ask(s, f);
}

/* ---- the other side ---- */

ml_err ml_sess_on_fork_query(struct ml_sess *s, const struct ml_msg_fork_query *msg)
{
    if (s->place_query_count == ML_SYNC_FORKS_MAX ||
        (msg->last - msg->first) / msg->step >= ML_SYNC_FORK_PLACES_MAX) {
        return ML_E_LIMIT;
    }
    s->place_queries[s->place_query_count++] = *msg;
    s->places.due = s->places.query == 0;
    return ML_OK;
}

void ml_sess_places_action(struct ml_sess *s, struct ml_sync_action *out)
{
    const struct ml_msg_fork_query *q = &s->place_queries[0];
    s->places.due = false;
    s->places.query = ml_sync_query(s->e);
    *out =
        (struct ml_sync_action){.kind = ML_SYNC_PLACES, .session = s->id, .query = s->places.query};
    out->u.places.head =
        (struct ml_dep){.writer = q->writer, .lane = q->lane, .seq = q->head_seq, .hash = q->head};
    out->u.places.first = q->first;
    out->u.places.last = q->last;
    out->u.places.step = q->step;
}

void ml_sync_on_places(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_hash16 *hashes, size_t count)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s == NULL || !ml_sess_is_open(s) || query == 0 || s->places.query != query) {
        return;
    }
    const struct ml_msg_fork_query *q = &s->place_queries[0];
    struct ml_msg msg = {.kind = ML_MSG_FORK_ANSWER};
    msg.u.fork_answer = (struct ml_msg_fork_answer){
        .writer = q->writer, .lane = q->lane, .first = q->first, .step = q->step};
    size_t most = (q->last - q->first) / q->step + 1;
    msg.u.fork_answer.hashes =
        (struct ml_list){.count = (uint32_t)(count < most ? count : most), .items = hashes};
    s->place_query_count--;
    memmove(s->place_queries, s->place_queries + 1,
            s->place_query_count * sizeof(s->place_queries[0]));
    s->places.query = 0;
    s->places.due = s->place_query_count > 0;
    s->pump_due = true;
    ml_err err = ml_sess_send(s, &msg);
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}
