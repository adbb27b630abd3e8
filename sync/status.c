/* sync/status.c -- see status.h. A peer's record outlives its sessions, up to ML_SYNC_PEERS_MAX. */
#include "sync/status.h"

#include <string.h>

#include "sync/internal.h"

/* The record that nobody misses: without a session or news to tell, oldest exchange first. */
static size_t peer_to_forget(const struct ml_sync *e)
{
    size_t found = e->peer_count;
    for (size_t i = 0; i < e->peer_count; i++) {
        const struct ml_peer *p = e->peers[i];
        if (p->session != NULL || p->remember.len > 0) {
            continue;
        }
        if (found == e->peer_count ||
            p->last.last_exchange_ms < e->peers[found]->last.last_exchange_ms) {
            found = i;
        }
    }
    return found;
}

static struct ml_peer *peer_find(const struct ml_sync *e, const struct ml_node_id *node)
{
    for (size_t i = 0; i < e->peer_count; i++) {
        if (memcmp(&e->peers[i]->node, node, sizeof(*node)) == 0) {
            return e->peers[i];
        }
    }
    return NULL;
}

static void peer_reset(struct ml_peer *p, struct ml_sync *e, const struct ml_node_id *node)
{
    ml_buf_free(&p->remember);
    *p = (struct ml_peer){.node = *node, .last = {.peer = *node}};
    ml_buf_init(&p->remember, e->env, SIZE_MAX);
}

struct ml_peer *ml_peer_of(struct ml_sync *e, const struct ml_node_id *node)
{
    struct ml_peer *p = peer_find(e, node);
    if (p != NULL) {
        return p;
    }
    if (e->peer_count == ML_SYNC_PEERS_MAX) {
        size_t i = peer_to_forget(e);
        if (i == e->peer_count) {
            return NULL;
        }
        peer_reset(e->peers[i], e, node);
        return e->peers[i];
    }
    p = ml_alloc(e->env, sizeof(*p));
    if (p == NULL) {
        return NULL;
    }
    ml_buf_init(&p->remember, e->env, SIZE_MAX);
    peer_reset(p, e, node);
    e->peers[e->peer_count++] = p;
    return p;
}

void ml_peer_changed(struct ml_peer *p)
{
    p->changed = true;
}

struct ml_peer *ml_peer_told(struct ml_sync *e)
{
    for (size_t i = 0; i < e->peer_count; i++) {
        struct ml_peer *p = e->peers[i];
        struct ml_sync_status now;
        if (!p->changed) {
            continue;
        }
        ml_sync_peer_at(e, i, &now);
        bool state = now.state != p->told.state || now.synced != p->told.synced ||
                     now.last_err != p->told.last_err;
        if (state || p->told_ms == 0 || e->now_ms - p->told_ms >= ML_SYNC_PROGRESS_MS) {
            p->changed = false;
            p->told = now;
            p->told_ms = e->now_ms;
            return p;
        }
    }
    return NULL;
}

void ml_peers_free(struct ml_sync *e)
{
    for (size_t i = 0; i < e->peer_count; i++) {
        ml_buf_free(&e->peers[i]->remember);
        ml_release(e->env, e->peers[i]);
    }
    e->peer_count = 0;
}

/* ---- asked from outside ---- */

const char *ml_sync_state_name(ml_sync_state state)
{
    static const char *const names[ML_SYNC_STATES] = {
#define X(name, text) #name,
        ML_SYNC_STATE_MAP(X)
#undef X
    };
    return (unsigned)state < ML_SYNC_STATES ? names[state] : "?";
}

size_t ml_sync_peer_count(const struct ml_sync *e)
{
    return e->peer_count;
}

void ml_sync_peer_at(const struct ml_sync *e, size_t i, struct ml_sync_status *out)
{
    const struct ml_peer *p = e->peers[i];
    const struct ml_sess *s = p->session;
    *out = p->last;
    out->state = ML_SYNC_STATE_OFFLINE;
    if (s != NULL) {
        out->state = (ml_sync_state)ml_sm_at(&s->sm);
        out->synced = ml_sess_is_synced(s);
        out->forks = (uint32_t)ml_sess_forks(s);
        out->last_err = s->close_err;
    }
}

ml_err ml_sync_peer(const struct ml_sync *e, const struct ml_node_id *peer,
                    struct ml_sync_status *out)
{
    for (size_t i = 0; i < e->peer_count; i++) {
        if (memcmp(&e->peers[i]->node, peer, sizeof(*peer)) == 0) {
            ml_sync_peer_at(e, i, out);
            return ML_OK;
        }
    }
    return ML_E_NOT_FOUND;
}

bool ml_sync_is_synced(const struct ml_sync *e, const struct ml_node_id *peer)
{
    struct ml_sync_status status;
    return ml_sync_peer(e, peer, &status) == ML_OK && status.synced;
}

bool ml_sync_knows_store(const struct ml_sync *e)
{
    return e->ready;
}

bool ml_sync_reached(const struct ml_sync *e, const struct ml_dep *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ml_chain chain = ml_sync_frontier_chain(&e->mine, &heads[i].writer, heads[i].lane);
        bool here =
            e->ready && (ml_chain_holds(&chain, &heads[i]) || ml_chain_top(&chain) > heads[i].seq);
        if (!here) {
            return false;
        }
    }
    return true;
}

void ml_sync_digest(const struct ml_sync *e, uint8_t out[32])
{
    struct ml_hash16 heads = ml_sync_frontier_digest(&e->mine, false);
    memcpy(out, heads.b, sizeof(heads.b));
    memcpy(out + sizeof(heads.b), e->holes.digest, sizeof(e->holes.digest));
}
