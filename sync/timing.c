/* sync/timing.c -- what a session waits for, how long, and whether both are the same.
 *
 * Two clocks run while something is due from the peer: since its last message, and since the last
 * one that brought the exchange forward. When nothing is due they stand still: a live link may be
 * silent for days, and whether it is alive is the link's own business.
 */
#include <string.h>

#include "sync/internal.h"

/* Something is due from the peer, whatever it is busy with. */
static bool peer_owes(const struct ml_sess *s)
{
    switch (ml_sm_at(&s->sm)) {
    case ML_SYNC_STATE_HELLO:
        return true;
    case ML_SYNC_STATE_FRONTIER:
        if (!s->front_got) {
            return true;
        }
        break;
    case ML_SYNC_STATE_EXCHANGE:
        if (!s->done_got && s->in_open_bundles == 0 && s->place_query_count == 0) {
            return true;
        }
        break;
    default:
        break;
    }
    return s->open_bundles > 0 || ml_sess_forks(s) > 0 || s->wants.count > 0 || s->chunks_asked > 0;
}

/* Both sides are done and the frontiers still differ: something waits for what neither has, or our
 * picture of the peer is wrong. */
static bool sess_is_stuck(const struct ml_sess *s)
{
    return ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE && s->open_bundles == 0 &&
           s->in_open_bundles == 0 && s->lacking == 0 && !ml_sess_is_synced(s);
}

static void resync_tick(struct ml_sess *s)
{
    uint64_t now = s->e->now_ms;
    bool trace = s->ride && !s->trace_known && ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE;
    if (!sess_is_stuck(s) && !trace) {
        s->resync_ms = 0;
        if (ml_sess_is_synced(s)) {
            s->resync_wait_ms = ML_SYNC_RESYNC_MS;
        }
        return;
    }
    if (s->resync_ms == 0) {
        s->resync_ms = now;
    }
    if (now - s->resync_ms >= s->resync_wait_ms) {
        s->resync_ms = 0;
        s->resync_wait_ms *= 2;
        if (s->resync_wait_ms > ML_SYNC_RESYNC_MS_MAX) {
            s->resync_wait_ms = ML_SYNC_RESYNC_MS_MAX;
        }
        ml_sess_begin_round(s, true);
    }
}

/* Both have moved on together since the base was kept. */
static bool base_is_old(const struct ml_sess *s)
{
    struct ml_hash16 heads = ml_sync_heads_digest(s->e);
    return ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE &&
           memcmp(&s->base_heads, &heads, sizeof(heads)) != 0 && ml_sess_is_synced(s);
}

void ml_sess_watch(struct ml_sess *s)
{
    bool owing = peer_owes(s);
    if (owing && !s->owing) {
        s->rx_ms = s->progress_ms = s->e->now_ms; /* the clocks start */
    }
    s->owing = owing;
    if (base_is_old(s) && s->e->now_ms - s->e->changed_ms >= ML_SYNC_QUIET_MS) {
        ml_sess_remember(s);
    }
}

void ml_sess_tick(struct ml_sess *s)
{
    uint64_t now = s->e->now_ms;
    if (!ml_sess_is_open(s)) {
        return;
    }
    ml_sess_watch(s);
    bool silent = now - s->rx_ms >= ML_SYNC_SILENT_MS;
    if (s->owing && (silent || now - s->progress_ms >= ML_SYNC_STALL_MS)) {
        ml_sess_close(s, ML_E_TIMEOUT);
        return;
    }
    resync_tick(s);
    s->pump_due = true;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t ml_sess_deadline(const struct ml_sess *s)
{
    uint64_t at = UINT64_MAX;
    if (!ml_sess_is_open(s)) {
        return at;
    }
    if (s->owing) {
        at = sooner(s->rx_ms + ML_SYNC_SILENT_MS, s->progress_ms + ML_SYNC_STALL_MS);
    }
    if (base_is_old(s)) {
        at = sooner(at, s->e->changed_ms + ML_SYNC_QUIET_MS);
    }
    if (s->resync_ms != 0) {
        at = sooner(at, s->resync_ms + s->resync_wait_ms);
    } else if (sess_is_stuck(s) || (s->ride && !s->trace_known)) {
        at = sooner(at, s->e->now_ms + ML_SYNC_RESYNC_MS);
    }
    if (ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE && s->wants.finished && s->e->holes.wanted > 0) {
        at = sooner(at, s->wants.finished_ms + ML_SYNC_BODIES_MS);
    }
    if (ml_sm_at(&s->sm) == ML_SYNC_STATE_FRONTIER && !s->front_sent) {
        at = sooner(at, s->keep_ms + ML_SYNC_FEED_MS);
    }
    return at;
}

bool ml_sess_is_synced(const struct ml_sess *s)
{
    unsigned at = ml_sm_at(&s->sm);
    if (at != ML_SYNC_STATE_EXCHANGE && at != ML_SYNC_STATE_LIVE) {
        return false;
    }
    struct ml_hash16 mine = ml_sync_heads_digest(s->e);
    if (memcmp(mine.b, s->peer_digest, sizeof(mine.b)) == 0) {
        return true;
    }
    return s->equal && !s->scan_due && s->peer_moved && s->open_bundles == 0;
}
