/* sync/action.h -- what the exchange engine asks of its driver, and the words both use.
 *
 * The driver takes actions with ml_sync_next until there is none, after each event. A pointer
 * inside an action is borrowed: it stays valid until the next call of ml_sync_next, but for INGEST,
 * STORE_CHUNKS and those with a `query`, whose bytes stay until they are answered or their session
 * is gone.
 */
#ifndef ML_SYNC_ACTION_H
#define ML_SYNC_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/bundle.h"
#include "core/codec/msg.h"
#include "maille/err.h"
#include "maille/types.h"

/** A stored bundle, as the store names it. */
struct ml_sync_bundle {
    struct ml_dep id;
    struct ml_hash16 prev; /* of the bundle before it; zero when seq is 1 */
    uint32_t bytes;        /* of its wire form */
};

/** What is asked of one chain: its bundles in from..to that are neither one of `after` nor below
 * one of them. Without forks: those above the highest of `after`, from `from` on, up to `to`. */
struct ml_sync_range {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t from; /* at least 1 */
    uint32_t to;
    const struct ml_dep *after; /* all of this chain, and all known to the store */
    size_t after_count;
};

/** Per lane. */
struct ml_sync_count {
    uint64_t bytes; /* of wire forms */
    uint32_t bundles;
    uint32_t ops;
};

/** Bodies that are absent here. */
struct ml_sync_holes {
    uint8_t digest[16]; /* of (bundle, reason) of each, sorted (rules B22); zero: none */
    uint32_t wanted;    /* those that a peer may give: not received, or destroyed by a fault */
};

/** A chain that this node writes. Its bundles may be offered up to `anchored` (I11, rules B18). */
struct ml_sync_own {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t anchored;
};

/** A chunk that came; its hash is that of the bytes. */
struct ml_sync_chunk {
    struct ml_hash hash;
    struct ml_slice sealed;
};

/** A chunk that our store lacks. */
struct ml_sync_chunk_want {
    uint64_t id; /* the store's, ascending */
    struct ml_hash hash;
};

#define ML_SYNC_ACTION_MAP(X)                                                                      \
    X(SNAPSHOT, "answer with ml_sync_on_snapshot: all heads as committed")                         \
    X(SEND, "give these bytes to the session's link, as one message, in this order")               \
    X(CLOSE, "flush what was sent, close the link, then ml_sync_on_closed")                        \
    X(ANCHOR, "make the anti-rollback record durable, then ml_sync_on_anchored")                   \
    X(INGEST, "judge and commit as one transaction, then ml_sync_on_ingested")                     \
    X(KNOWN, "is each of these bundles stored? then ml_sync_on_known")                             \
    X(PLACES, "which bundles lie below this head, at these places? then ml_sync_on_places")        \
    X(MEASURE, "count these ranges, then ml_sync_on_measured")                                     \
    X(LOAD, "load from these ranges in the order of ingest, then ml_sync_on_loaded")               \
    X(LOAD_BODIES, "load these bundles with their bodies, then ml_sync_on_bodies")                 \
    X(WANTED, "which bodies are wanted? then ml_sync_on_wanted")                                   \
    X(STORE_CHUNKS, "keep as one transaction, then ml_sync_on_chunks_stored, ml_sync_on_chunks")   \
    X(WANTED_CHUNKS, "which chunks are missing? then ml_sync_on_wanted_chunks")                    \
    X(LOAD_CHUNK, "load this chunk, then ml_sync_on_chunk")                                        \
    X(REMEMBER, "keep this base for the next exchange with the peer; need not be durable")         \
    X(CHANGED, "the status of this peer changed")                                                  \
    X(TIMER, "call ml_sync_tick at this time, or before")

typedef enum ml_sync_action_kind {
#define X(name, text) ML_SYNC_##name,
    ML_SYNC_ACTION_MAP(X)
#undef X
} ml_sync_action_kind;

struct ml_sync_action {
    ml_sync_action_kind kind;
    uint32_t session; /* 0 when the action is not about one */
    uint32_t query;   /* to be given back with the answer */
    union {
        struct ml_slice send;
        ml_err close; /* why; ML_OK when the peer took leave */
        struct ml_sync_own anchor;
        struct {
            const struct ml_slice *bundles; /* wire forms, structure checked */
            size_t count;
        } ingest; /* `query` is the batch's number */
        struct {
            const struct ml_dep *heads;
            size_t count;
        } known;
        struct {
            struct ml_dep head; /* a bundle of this store, or not */
            uint32_t first;
            uint32_t last; /* below the head */
            uint32_t step;
        } places;
        struct {
            const struct ml_sync_range *ranges;
            size_t count;
            size_t bytes_max;   /* LOAD */
            size_t bundles_max; /* LOAD */
        } ranges;               /* MEASURE, LOAD */
        struct {
            const struct ml_hash16 *hashes;
            size_t count;
            size_t bytes_max; /* but one body at least */
        } bodies;
        struct {
            struct ml_hash16 after; /* zero: from the first */
            size_t max;
        } wanted;
        struct {
            const struct ml_sync_chunk *chunks;
            size_t count;
        } store_chunks; /* `query` is the batch's number */
        struct {
            uint64_t after; /* 0: from the first */
            size_t max;
        } wanted_chunks;
        struct ml_hash load_chunk;
        struct {
            struct ml_node_id peer;
            struct ml_slice base;
        } remember;
        struct ml_node_id changed;
        uint64_t timer_ms;
    } u;
};

/* X(NAME, text): what became of a bundle. */
#define ML_SYNC_RESULT_MAP(X)                                                                      \
    X(STORED, "judged and stored")                                                                 \
    X(DUPLICATE, "stored before")                                                                  \
    X(BODY, "stored before without its body, now with it")                                         \
    X(PENDING, "kept until what it waits for is here")                                             \
    X(STOPPED, "not kept: its writer has too much pending (rules B24)")                            \
    X(REFUSED, "no honest peer sends it")

typedef enum ml_sync_result {
#define X(name, text) ML_SYNC_##name,
    ML_SYNC_RESULT_MAP(X)
#undef X
} ml_sync_result;

#define ML_SYNC_NO_INDEX UINT32_MAX

/** One for each bundle of the batch, and one (STORED, ML_SYNC_NO_INDEX) for each that had been
 * pending and no longer is; each STORED comes after the bundle before it in its chain. */
struct ml_sync_outcome {
    ml_sync_result result;
    uint32_t index;               /* in the batch */
    ml_err err;                   /* of REFUSED, of class PEER: what the peer is told */
    struct ml_sync_bundle bundle; /* not for REFUSED */
};

struct ml_sync_loaded {
    struct ml_sync_bundle bundle;
    struct ml_slice wire; /* copied by the engine */
};

/** Answer to LOAD. */
struct ml_sync_load {
    const struct ml_sync_loaded *bundles;
    size_t count;
    bool more;
};

/** Answer about one body. */
struct ml_sync_body {
    struct ml_slice wire; /* the whole bundle; empty: it can't be given, and `reason` says why */
    uint8_t reason;       /* ml_absent; NOT_RECEIVED too when the bundle itself isn't here */
};

#endif
