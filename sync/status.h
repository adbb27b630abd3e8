/* sync/status.h -- what a person or a script may ask about exchanges. Same thread as sync.h. */
#ifndef ML_SYNC_STATUS_H
#define ML_SYNC_STATUS_H

#include "sync/sync.h"

#define ML_SYNC_STATE_MAP(X)                                                                       \
    X(START, "waiting for our own store")                                                          \
    X(HELLO, "waiting for the peer's digest")                                                      \
    X(FRONTIER, "comparing what both have")                                                        \
    X(EXCHANGE, "sending and receiving")                                                           \
    X(LIVE, "caught up, each new entry goes at once")                                              \
    X(CLOSING, "ending")                                                                           \
    X(OFFLINE, "no link")

typedef enum ml_sync_state {
#define X(name, text) ML_SYNC_STATE_##name,
    ML_SYNC_STATE_MAP(X)
#undef X
} ml_sync_state;
#define ML_SYNC_STATES ((unsigned)ML_SYNC_STATE_OFFLINE + 1u)

struct ml_sync_flow {
    uint32_t bundles_planned; /* announced by PLAN */
    uint64_t bytes_planned;
    uint32_t ops_planned;
    uint32_t bundles; /* in: durable here; out: durable at the peer. Live ones are counted too */
    uint64_t bytes;
    uint64_t chunks; /* received or sent; not part of the plan */
    uint64_t chunk_bytes;
};

struct ml_sync_status {
    struct ml_node_id peer;
    bool unknown; /* as it was opened: nobody's node, as far as is known */
    bool drains;  /* ... or one that was revoked: it never gets the same as we */
    ml_sync_state state;
    bool synced;     /* both have the same lanes 0, 1, 3, 4, as far as both have said */
    ml_err last_err; /* how the last session ended; ML_OK while there is one or it went well */
    uint64_t last_exchange_ms; /* when both were last the same, on the driver's clock; 0: never */
    uint64_t peer_hlc;         /* of its last HELLO */
    uint32_t forks;            /* chains whose branches are being looked for */
    struct ml_sync_flow in;    /* of the present session, or of the last */
    struct ml_sync_flow out;
};

/** English, static, for logs; the client library has the French. */
const char *ml_sync_state_name(ml_sync_state state);

size_t ml_sync_peer_count(const struct ml_sync *e);
/** `i` below the count; the order is stable while no peer is added. */
void ml_sync_peer_at(const struct ml_sync *e, size_t i, struct ml_sync_status *out);
/** NOT_FOUND. */
ml_err ml_sync_peer(const struct ml_sync *e, const struct ml_node_id *peer,
                    struct ml_sync_status *out) ML_MUST_CHECK;
bool ml_sync_is_synced(const struct ml_sync *e, const struct ml_node_id *peer);

/** False while SNAPSHOT isn't answered: nothing is known of our own store, and nobody is served. */
bool ml_sync_knows_store(const struct ml_sync *e);
/** Everything listed is committed here, or a bundle above it in its chain. */
bool ml_sync_reached(const struct ml_sync *e, const struct ml_dep *heads, size_t count);
/** What HELLO says of us now (rules B22, lane 2 left out as B23 wants). */
void ml_sync_digest(const struct ml_sync *e, uint8_t out[32]);

#endif
