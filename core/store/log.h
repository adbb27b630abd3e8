/* core/store/log.h -- the log store: bundles, frontier and verdicts of one structure on one node.
 *
 * Everything that enters goes through ml_log_ingest: decoded whole, signature verified with the
 * writer's key from governance, judged, stored; one transaction, one fsync (rules B12). Bodies stay
 * as received. One thread; slices are borrowed until the next call on the log.
 *
 * Errors of every call, beside its own: NOMEM, FULL, IO, READONLY, CORRUPT. After an error nothing
 * of the call is stored.
 */
#ifndef ML_STORE_LOG_H
#define ML_STORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/codec/bundle.h"
#include "core/model/frontier.h"
#include "core/model/gov.h"
#include "core/model/verdict.h"
#include "maille/err.h"
#include "maille/types.h"

struct ml_log; /* opaque; owned by who opened it */

struct ml_log_args {
    const struct ml_env *env; /* borrowed */
    const char *path;
    const char *vfs; /* registered name; NULL: stock SQLite (tests) */
    struct ml_org_id org;
    bool create;
};

/** NOT_FOUND, WRONG_KEY, UNSUPPORTED (a newer program's), INVALID (another structure's). */
ml_err ml_log_open(struct ml_log **out, const struct ml_log_args *args) ML_MUST_CHECK;
void ml_log_close(struct ml_log *log); /* NULL is allowed */

/** Governance as known now. Borrowed until the next call that writes. After a write that failed it
 * may be behind or know nothing, until any fallible call of the log is OK again: ml_log_refresh. */
const struct ml_gov *ml_log_gov(const struct ml_log *log);
/** What is kept in memory is what is stored, or NOMEM, IO, CORRUPT. */
ml_err ml_log_refresh(struct ml_log *log) ML_MUST_CHECK;

/* Several writes, one commit and one fsync (an import's batch). What one of them stored is seen by
 * the next, by ml_log_next_own too, but is durable only after the commit. An error of any call
 * ends it all: what follows is STALE until ml_log_abort. Without it each call commits by itself. */
ml_err ml_log_begin(struct ml_log *log) ML_MUST_CHECK;
ml_err ml_log_commit(struct ml_log *log) ML_MUST_CHECK;
void ml_log_abort(struct ml_log *log); /* nothing open: does nothing */

/** All that is committed stands in the one file of `path`, without its WAL: it may be renamed once
 * it is closed. */
ml_err ml_log_settle(struct ml_log *log) ML_MUST_CHECK;

/* ---- what enters ---- */

typedef enum ml_log_result {
    ML_LOG_STORED,    /* judged and stored: accepted or quarantined */
    ML_LOG_DUPLICATE, /* stored before */
    ML_LOG_BODY,      /* stored before without its body, now with it */
    ML_LOG_PENDING,   /* kept until what it waits for is here */
    ML_LOG_STOPPED,   /* not kept: too much of its writer is pending (rules B24) */
    ML_LOG_REFUSED,   /* no honest peer sends it */
} ml_log_result;

#define ML_LOG_NO_INDEX UINT32_MAX

/** One for each bundle of a batch, and one (STORED, ML_LOG_NO_INDEX) for each that had been pending
 * and no longer is. A STORED comes after the bundle before it in its chain. */
struct ml_log_outcome {
    ml_log_result result;
    uint32_t index;        /* in the batch */
    ml_err err;            /* of REFUSED: MALFORMED, FORGED, VERSION */
    ml_reason reason;      /* of REFUSED, PENDING, STOPPED, and of a quarantine */
    ml_verdict verdict;    /* of STORED */
    struct ml_dep id;      /* not for REFUSED bytes that don't parse */
    struct ml_hash16 prev; /* of the bundle before it; zero when seq is 1 */
    uint32_t bytes;        /* of its wire form */
    uint64_t n;            /* ingest number; 0 unless STORED */
    uint32_t looked_at;    /* of STORED: stored bundles that it made judge anew (R10) ... */
    uint32_t changed;      /* ... and of these whose verdict or reason is another now */
};

typedef void ml_log_outcome_cb(void *user, const struct ml_log_outcome *outcome);

/** `wires`: whole wire forms, at most ML_LOG_BATCH_MAX. `each` is called after the commit. Our own
 * bundles too come this way: durable when it returns (I11). */
#define ML_LOG_BATCH_MAX 16384u
ml_err ml_log_ingest(struct ml_log *log, const struct ml_slice *wires, size_t count,
                     ml_log_outcome_cb *each, void *user) ML_MUST_CHECK;

/* ---- writing: what the next own bundle of a chain must say ---- */

struct ml_log_next {
    uint32_t seq;
    struct ml_hash prev;
    struct ml_hash16 gctx;
    const struct ml_dep *deps; /* borrowed until the next call on the log */
    size_t dep_count;
    uint64_t hlc_min;             /* the header's hlc must not be below */
    const struct ml_gvec *covers; /* its lane-0 vector; borrowed as the deps are */
};

/** Its key signed two branches: what it signs from now on is quarantined everywhere. */
bool ml_log_is_frozen(struct ml_log *log, const struct ml_writer_id *writer);

/** Cites every judged head that this chain hasn't cited, but those covered by another. */
ml_err ml_log_next_own(struct ml_log *log, const struct ml_writer_id *writer, uint8_t lane,
                       struct ml_log_next *out) ML_MUST_CHECK;
/** Highest hlc stored, but for those too far ahead (rules B15): moves the clock. */
uint64_t ml_log_hlc_last(const struct ml_log *log);

/* ---- reading ---- */

/** A stored bundle. Not PENDING ones. */
struct ml_log_entry {
    uint64_t n; /* ingest number, from 1, never used again */
    struct ml_hash hash;
    ml_verdict verdict;
    ml_reason reason;
    uint32_t bytes; /* of its wire form */
    struct ml_slice header_bytes;
    struct ml_signature sig;
    struct ml_header header;
    struct ml_wire_body body; /* bytes, or why absent */
};

#define ML_LOG_LANE(lane) (1u << (lane))

/** The first bundle after ingest number `after` in one of `lanes` (bits). NOT_FOUND: none. */
ml_err ml_log_after(struct ml_log *log, uint64_t after, unsigned lanes,
                    struct ml_log_entry *out) ML_MUST_CHECK;
/** The first quarantined bundle of a lane after ingest number `after`. NOT_FOUND: none. */
ml_err ml_log_left_out(struct ml_log *log, uint64_t after, uint8_t lane,
                       struct ml_log_entry *out) ML_MUST_CHECK;
/** By the start of its hash. NOT_FOUND. */
ml_err ml_log_get(struct ml_log *log, const struct ml_hash16 *hash,
                  struct ml_log_entry *out) ML_MUST_CHECK;
/** Does op `index` of a stored bundle of lanes 1 to 4 count: is the bundle accepted, or this op of
 * it adopted (rules B20)? */
bool ml_log_op_counts(const struct ml_log *log, const struct ml_log_entry *entry, uint8_t index);
struct ml_kek_epoch;
/** *fits: the epoch that `entry`, a stored bundle of lane 1, states may seal: the bundle is
 * accepted and its own governance agrees (ml_gov_epoch_fits). Keeps the entry's slices. NOMEM, IO,
 * CORRUPT. */
ml_err ml_log_epoch_fits(struct ml_log *log, const struct ml_log_entry *entry,
                         const struct ml_kek_epoch *epoch, bool *fits) ML_MUST_CHECK;
/** *leads: `entry`, a stored bundle of lane 1, is accepted and of somebody who had rank 2 or better
 * where he wrote it (ml_gov_leads_at). As above. */
ml_err ml_log_leads(struct ml_log *log, const struct ml_log_entry *entry,
                    bool *leads) ML_MUST_CHECK;
/** Highest ingest number. */
uint64_t ml_log_last(const struct ml_log *log);
/** Another each time a stored verdict or body changed (a fork, an adoption, a body that came), and
 * never one again that meant something else, also where the log lost its end in between: a vault
 * that saw another looks again. */
uint64_t ml_log_epoch(const struct ml_log *log);
/** Of bundles 1 to `n`, by the order in which they came here: where two logs have one past they
 * have the same bundle at each number up to it. NOT_FOUND: `n` is above ml_log_last. CORRUPT, IO,
 * NOMEM. */
ml_err ml_log_past(struct ml_log *log, uint64_t n, struct ml_hash *out) ML_MUST_CHECK;

/* ---- what an exchange asks ---- */

typedef ml_err ml_log_head_cb(void *user, const struct ml_dep *head);
/** Every head, lane 2 too, sorted by ml_dep_compare; an error of `each` ends the walk. */
ml_err ml_log_heads(struct ml_log *log, ml_log_head_cb *each, void *user) ML_MUST_CHECK;
ml_err ml_log_digest(struct ml_log *log, struct ml_frontier_digest *out) ML_MUST_CHECK;
/** Of `chain` of `head` (or of no stored bundle: none), hash at `seq` below the head. NOT_FOUND. */
ml_err ml_log_below(struct ml_log *log, const struct ml_dep *head, uint32_t seq,
                    struct ml_hash16 *hash) ML_MUST_CHECK;

/** Bundles of one chain up to `to` that are neither one of `after` nor below one of them. */
struct ml_log_range {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t to;
    const struct ml_dep *after;
    size_t after_count;
};
struct ml_log_measure {
    uint32_t bundles;
    uint64_t bytes;
};
/** Adds each range to its lane's place. */
ml_err ml_log_measure(struct ml_log *log, const struct ml_log_range *ranges, size_t count,
                      struct ml_log_measure lanes[ML_LANES]) ML_MUST_CHECK;
typedef ml_err ml_log_entry_cb(void *user, const struct ml_log_entry *entry);
/** In order of ingest over all ranges; CANCELED from `each` ends the walk well. */
ml_err ml_log_load(struct ml_log *log, const struct ml_log_range *ranges, size_t count,
                   ml_log_entry_cb *each, void *user) ML_MUST_CHECK;
typedef ml_err ml_log_hole_cb(void *user, const struct ml_hole *hole);
/** Sorted. */
ml_err ml_log_holes(struct ml_log *log, ml_log_hole_cb *each, void *user) ML_MUST_CHECK;

/* ---- chunks of large values (rules D3) ---- */

/* Named by the manifests of lane 4, stored by the hash of their bytes, each once. A chunk that a
 * stored manifest names and that isn't here is missing: said, and asked of every peer. */

typedef enum ml_chunk_from {
    ML_CHUNK_OWN,  /* of this node: its manifest comes in the same transaction */
    ML_CHUNK_PEER, /* kept only if a manifest here names it; else NOT_FOUND */
} ml_chunk_from;

/** Verified by its hash first: FORGED. *stored false: it was here. LIMIT: larger than a chunk. */
ml_err ml_log_put_chunk(struct ml_log *log, const struct ml_hash *hash, struct ml_slice sealed,
                        ml_chunk_from from, bool *stored) ML_MUST_CHECK;
/** NOT_FOUND: not here. */
ml_err ml_log_get_chunk(struct ml_log *log, const struct ml_hash *hash,
                        struct ml_slice *sealed) ML_MUST_CHECK;

struct ml_missing_chunk {
    uint64_t id; /* of this store; ascends in the order in which manifests came */
    struct ml_hash hash;
    uint32_t bytes; /* as its manifest says */
};
/** The first one after the id `after` (0: from the first). NOT_FOUND: there is none. */
ml_err ml_log_next_missing_chunk(struct ml_log *log, uint64_t after,
                                 struct ml_missing_chunk *out) ML_MUST_CHECK;

uint64_t ml_log_chunks_missing(const struct ml_log *log);

/* ---- wraps that were destroyed (rules A5; log_shred.c) ---- */

/** One wrap that was destroyed here: in what order, of which stream, by which SHRED (its bundle's
 * number too), and how many of those that it names are left. */
struct ml_log_shredded {
    uint64_t number; /* from 1 */
    uint64_t by;
    struct ml_version_id shred;
    struct ml_stream_id stream;
    uint32_t left;
    bool ended; /* nothing stands in its place: the record's time is over (ADR 0024) */
};
uint64_t ml_log_shreds(const struct ml_log *log); /* the highest number */
/** NOT_FOUND: none after it. */
ml_err ml_log_shredded_after(struct ml_log *log, uint64_t after,
                             struct ml_log_shredded *out) ML_MUST_CHECK;
/** ML_OK: no page and no frame of its file holds what was destroyed. BUSY: not yet. */
ml_err ml_log_shreds_wiped(struct ml_log *log) ML_MUST_CHECK;

/** Traces whose time is over (ADR 0026): the bodies of bundles of lane 2 that were signed before
 * this moment are destroyed, oldest stored first, at most `max` of them in one transaction;
 * headers, chains and signatures stay. *pruned: how many; below `max`: none is left. Whatever body
 * of these comes later isn't taken. Of a single one nobody can ask. */
ml_err ml_log_prune_traces(struct ml_log *log, uint32_t *pruned, uint64_t before_ms,
                           uint32_t max) ML_MUST_CHECK;

struct ml_keyop;
/** Calls nothing of the log. */
typedef ml_err ml_log_keyop_cb(void *user, const struct ml_log_entry *entry, uint8_t index,
                               const struct ml_keyop *op);
/** Each op of lane 1 in a bundle whose body holds these bytes, in order of ingest. Reads all of
 * lane 1. */
ml_err ml_log_keyops(struct ml_log *log, struct ml_slice naming, ml_log_keyop_cb *each,
                     void *user) ML_MUST_CHECK;
/** Each that is about this stream's keys: wraps, slots, SHREDs. */
ml_err ml_log_wraps(struct ml_log *log, const struct ml_stream_id *stream, ml_log_keyop_cb *each,
                    void *user) ML_MUST_CHECK;

/* ---- counts and proofs ---- */

struct ml_log_counts {
    uint64_t bundles; /* judged */
    uint64_t ops;     /* of lane 3 */
    uint64_t bodies_missing;
    uint64_t pending;
    uint64_t waits_version; /* of these: until this program is replaced by a later one */
    uint64_t quarantined;   /* bundles */
    uint64_t forks;         /* writers frozen */
    uint64_t chunks;        /* named by manifests, each once */
    uint64_t chunks_missing;
};
ml_err ml_log_counts(struct ml_log *log, struct ml_log_counts *out) ML_MUST_CHECK;
/** Work done since it was opened: how often a bundle made judge a stored one again (R10), and how
 * often verdict or reason became another. */
struct ml_log_again {
    uint64_t judged;
    uint64_t changed;
};
struct ml_log_again ml_log_judged_again(const struct ml_log *log);
/** Decisions 15: lanes 0, 1, 3, 4: header_hash and verdict of each, sorted. */
ml_err ml_log_state_hash(struct ml_log *log, struct ml_hash *out) ML_MUST_CHECK;
ml_err ml_log_trace_hash(struct ml_log *log, struct ml_hash *out) ML_MUST_CHECK;

typedef void ml_log_problem_cb(void *user, const char *what);
/** Verifies all again from the bytes: SQLite, chains, signatures, bodies. What is destroyed is
 * named, and the log damaged from then on: it must be rebuilt. A chunk that is destroyed is marked,
 * so that a peer gives it again. */
ml_err ml_log_verify(struct ml_log *log, ml_log_problem_cb *problem, void *user) ML_MUST_CHECK;

/** The same of one lane's bundles alone: chains, signatures, bodies. */
ml_err ml_log_verify_lane(struct ml_log *log, uint8_t lane, ml_log_problem_cb *problem,
                          void *user) ML_MUST_CHECK;

/** A call met a part of the store that can't be read: what is left is to be put into a new one
 * (log_rebuild.h). Stays true until the log is closed. */
bool ml_log_damaged(const struct ml_log *log);

/* ---- settings, peers ---- */

/** NOT_FOUND; appends to `out`. */
ml_err ml_log_setting_get(struct ml_log *log, const char *key, struct ml_buf *out) ML_MUST_CHECK;
ml_err ml_log_setting_put(struct ml_log *log, const char *key, struct ml_slice value) ML_MUST_CHECK;

#define ML_PEER_ADDRESS_MAX 256u
struct ml_log_peer {
    struct ml_node_id node;
    char address[ML_PEER_ADDRESS_MAX]; /* "" when only heard of */
    uint64_t last_seen_ms;             /* wall clock; 0: never */
    ml_err last_err;
};
typedef ml_err ml_log_peer_cb(void *user, const struct ml_log_peer *peer);
ml_err ml_log_peer_put(struct ml_log *log, const struct ml_log_peer *peer) ML_MUST_CHECK;
ml_err ml_log_peers(struct ml_log *log, ml_log_peer_cb *each, void *user) ML_MUST_CHECK;
#define ML_LOG_BASE_MAX (8u << 20) /* bytes; LIMIT beyond */
/** What sync remembers of the last exchange with a peer; opaque here. NOT_FOUND. */
ml_err ml_log_base_get(struct ml_log *log, const struct ml_node_id *peer,
                       struct ml_buf *out) ML_MUST_CHECK;
ml_err ml_log_base_put(struct ml_log *log, const struct ml_node_id *peer,
                       struct ml_slice base) ML_MUST_CHECK;

#endif
