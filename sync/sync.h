/* sync/sync.h -- exchanges with the other nodes of one org: (event -> actions), nothing else.
 *
 * docs/sync.md tells the protocol. The engine knows bundles by (writer, lane, seq, hash16) and by
 * their bytes; it never sees a socket, a database or a clock. The driver (net/node) reports what
 * happened with the calls below and then takes actions with ml_sync_next until there is none. Time
 * is the driver's, monotonic, in milliseconds, as given by the last ml_sync_tick: tick first, then
 * report.
 *
 * Events never fail: one that lacks memory ends its session (the peers meet again later), or, when
 * it was about our own store, makes the engine ask for a new snapshot. One thread at a time.
 */
#ifndef ML_SYNC_SYNC_H
#define ML_SYNC_SYNC_H

#include "sync/action.h"

/* Limits, each tested on both sides. */
#define ML_SYNC_SESSIONS_MAX       32u
#define ML_SYNC_PEERS_MAX          256u   /* whose last exchange is remembered in memory */
#define ML_SYNC_HEADS_MAX          65536u /* of one frontier, ours or a peer's */
#define ML_SYNC_OWN_MAX            ML_SYNC_HEADS_MAX /* chains that this node writes */
#define ML_SYNC_WINDOW_BYTES       262144u /* sent and not committed, before CREDIT grants more */
#define ML_SYNC_WINDOW_BUNDLES     256u
#define ML_SYNC_BULK_BYTES         8388608u /* our CREDIT raises a peer's to this, with our FRONTIER */
#define ML_SYNC_BULK_BUNDLES       8192u
#define ML_SYNC_WINDOW_BYTES_MAX   67108864u /* that a peer's CREDIT may raise ours to */
#define ML_SYNC_WINDOW_BUNDLES_MAX 65536u
#define ML_SYNC_QUEUE_BYTES_MAX    33554432u /* received from all and not committed: BUSY */
#define ML_SYNC_BATCH_OPS          16384u    /* decisions 12 */
#define ML_SYNC_BATCH_BYTES        8388608u
#define ML_SYNC_BATCH_MS           250u
#define ML_SYNC_MESSAGE_BYTES      49152u   /* a BUNDLES of several bundles is cut here */
#define ML_SYNC_UNSENT_BYTES       131072u  /* waiting in the link: no more bundles are loaded */
#define ML_SYNC_UNSENT_BYTES_MAX   4194304u /* the same: the session ends, LIMIT */
#define ML_SYNC_QUERY_HEADS_MAX    1024u    /* looked up by one KNOWN */
#define ML_SYNC_FORKS_MAX          8u       /* searched at once, a session, each way */
#define ML_SYNC_FORK_PLACES        32u      /* hashes asked by one FORK_QUERY of ours */
#define ML_SYNC_FORK_PLACES_MAX    64u      /* of a peer's: beyond it LIMIT */
#define ML_SYNC_BODIES_MAX         256u     /* asked at once, a session, each way */
#define ML_SYNC_CHUNKS_ASKED       32u      /* at once, a session; a peer's: ML_MSG_CHUNKS_MAX */
#define ML_SYNC_CHUNKS_WANTED      256u     /* of all sessions, and of the store: 16 MiB at most */
#define ML_SYNC_CHUNK_BATCH_BYTES  2097152u /* go to the store without waiting */
#define ML_SYNC_RETRY_MS           1000u /* until the store is asked again for what it failed to do */
#define ML_SYNC_BODIES_MS          60000u  /* until absent bodies are asked for again */
#define ML_SYNC_SILENT_MS          30000u  /* without a message while one is due: TIMEOUT */
#define ML_SYNC_STALL_MS           120000u /* without progress while some is due: TIMEOUT */
#define ML_SYNC_FEED_MS            10000u /* a peer that feeds us and gives nothing makes room for another */
#define ML_SYNC_QUIET_MS           2000u /* then the base is remembered anew */
#define ML_SYNC_RESYNC_MS          5000u /* quiet and not equal: a new round; doubles up to */
#define ML_SYNC_RESYNC_MS_MAX      300000u
#define ML_SYNC_ROUNDS_MAX         16u /* new rounds that a peer may begin at once: beyond it LIMIT */
#define ML_SYNC_DUPLICATE_MS       10000u /* links opened within by both: the same one stays on both */
#define ML_SYNC_PROGRESS_MS        200u /* between two CHANGED about counts alone */

struct ml_sync;

typedef enum ml_sync_order {
    ML_SYNC_ORDER_LANES,  /* 0 and 1 to completion, then 3, 4, then 2 (architecture 9, ADR 0008) */
    ML_SYNC_ORDER_CAUSAL, /* as ingested, lane 2 last: for a store that waits for all citations */
} ml_sync_order;

struct ml_sync_config {
    const struct ml_env *env; /* borrowed: memory and log */
    struct ml_node_id self;
    ml_sync_order order;
};

/** NOMEM, and *out untouched. */
ml_err ml_sync_new(struct ml_sync **out, const struct ml_sync_config *config) ML_MUST_CHECK;
/** NULL is allowed. Sessions end without a word. */
void ml_sync_free(struct ml_sync *e);

/** The next thing to do, or false. */
bool ml_sync_next(struct ml_sync *e, struct ml_sync_action *out);

/* ---- time, input ---- */

void ml_sync_tick(struct ml_sync *e, uint64_t now_ms);
/** No more input is at hand: what was received goes to the store now. Without it a batch waits for
 * ML_SYNC_BATCH_MS, and so does every entry on its way. */
void ml_sync_drained(struct ml_sync *e);

/* ---- links ---- */

struct ml_sync_open {
    struct ml_node_id peer;
    bool initiator;       /* this node opened the link */
    bool restricted;      /* lanes 0 and 1 only until caught up (rules B17) */
    bool drains;          /* it was revoked: it gets lane 0, and what it has is taken (rules B17) */
    bool unknown;         /* nobody let it in, as far as is known: it gets nothing, and what it has
                           * is taken: it may say who did (rules B17) */
    uint64_t hlc;         /* our clock, for HELLO */
    struct ml_slice base; /* from the last REMEMBER with this peer; empty: none. Copied */
};

/** A link whose handshake is done. *session (never 0, never used again) names it from now on.
 * LIMIT, CANCELED (paused), EXISTS (the link with this peer that was there stays), NOMEM: the
 * driver closes it. */
ml_err ml_sync_on_open(struct ml_sync *e, const struct ml_sync_open *open,
                       uint32_t *session) ML_MUST_CHECK;
/** The link is gone, asked for or not. An unknown session is ignored, here and below. */
void ml_sync_on_closed(struct ml_sync *e, uint32_t session);
/** One message, decrypted. The bytes are copied where needed. */
void ml_sync_on_message(struct ml_sync *e, uint32_t session, struct ml_slice msg);
/** So many bytes of SEND have left the link's queue. */
void ml_sync_on_sent(struct ml_sync *e, uint32_t session, size_t bytes);

/* ---- our store: what happened ---- */

struct ml_sync_snapshot {
    const struct ml_dep *heads; /* sorted by ml_dep_compare, lane 2 too */
    size_t head_count;
    const struct ml_sync_own *own; /* any order */
    size_t own_count;
    struct ml_sync_holes holes;
    uint64_t chunks_missing;
};

void ml_sync_on_snapshot(struct ml_sync *e, const struct ml_sync_snapshot *snapshot);
/** An own bundle is durable. `urgent`: of lane 2, and not to wait for company (rules B23). */
void ml_sync_on_append(struct ml_sync *e, const struct ml_sync_bundle *bundle, bool urgent);
/** Another's bundle became part of the log outside of a batch: it had waited for one of ours. */
void ml_sync_on_stored(struct ml_sync *e, const struct ml_sync_bundle *bundle);
/** Up to where the record is durable now; below what was asked: it failed, and is asked for again
 * later. */
void ml_sync_on_anchored(struct ml_sync *e, const struct ml_sync_own *own);
/** `err` of the whole batch: nothing of it is stored; else the outcomes. */
void ml_sync_on_ingested(struct ml_sync *e, uint32_t batch, ml_err err,
                         const struct ml_sync_outcome *outcomes, size_t count);
/** The log froze a writer, or froze it lower: at each such ingest, and after a snapshot of a log
 * that has one. The proof may lie in lane 2, which starts no exchange by itself; verdicts in other
 * lanes hang on it, so it goes to every peer. */
void ml_sync_on_fork(struct ml_sync *e);
void ml_sync_on_holes(struct ml_sync *e, const struct ml_sync_holes *holes);
/** So many chunks are missing now: after each ingest, own value and batch of chunks. */
void ml_sync_on_chunks(struct ml_sync *e, uint64_t missing);
/** `err`: nothing of the batch is stored. */
void ml_sync_on_chunks_stored(struct ml_sync *e, uint32_t batch, ml_err err);

/* ---- our store: answers. A query that is not waited for (any more) is ignored ---- */

/** `known` as many as were asked. */
void ml_sync_on_known(struct ml_sync *e, uint32_t session, uint32_t query, const bool *known);
/** Of the branch below the head: the hashes at first, first + step ...; none: it isn't stored. */
void ml_sync_on_places(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_hash16 *hashes, size_t count);
void ml_sync_on_measured(struct ml_sync *e, uint32_t session, uint32_t query,
                         const struct ml_sync_count lanes[ML_LANES]);
/** The first of the ranges in order of ingest, within the limits. `more`: there are others; with
 * none given at all, the first is larger than the limit in bytes. */
void ml_sync_on_loaded(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_sync_load *load);
/** For the first `count` of those asked, in that order; fewer than all: the limit was reached. */
void ml_sync_on_bodies(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_sync_body *bodies, size_t count);
/** In ascending order; fewer than the maximum asked: there are no more. */
void ml_sync_on_wanted(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_hash16 *hashes, size_t count);
/** In ascending order; none: there are no more. */
void ml_sync_on_wanted_chunks(struct ml_sync *e, uint32_t query,
                              const struct ml_sync_chunk_want *wants, size_t count);
/** The bytes; empty: it isn't here. */
void ml_sync_on_chunk(struct ml_sync *e, uint32_t session, uint32_t query, struct ml_slice sealed);
/** Any query: the store could not answer. Its session ends. */
void ml_sync_on_failed(struct ml_sync *e, uint32_t session, uint32_t query, ml_err err);

/* ---- the user ---- */

/** Ends all sessions and takes no new one until resumed. */
void ml_sync_pause(struct ml_sync *e);
void ml_sync_resume(struct ml_sync *e);
bool ml_sync_is_paused(const struct ml_sync *e);
void ml_sync_cancel(struct ml_sync *e, uint32_t session);

#endif
