/* sync/internal.h -- the engine's own shape; nothing outside sync/ includes it.
 *
 *   sync.c      events, the store's frontier, what is offered, pause       (struct ml_sync)
 *   session.c   a session's states, messages in and out, ends, timers      (struct ml_sess)
 *   timing.c    what a session waits for, and whether both are the same
 *   exchange.c  HELLO, FRONTIER, comparison, PLAN, DONE, the kept base
 *   outbound.c  what the peer lacks, ranges, BUNDLES, windows
 *   inbound.c   the queue of received bundles, batches, COMMIT
 *   fork.c      where two copies of a chain part
 *   bodies.c    absent bodies, asked and given
 *   chunks.c    chunks of large values, asked and given
 *   action.c    ml_sync_next
 *   status.c    peers, sync/status.h
 *
 * A handler changes state and may append messages to its session's outbox; what has to be done at
 * the store follows from state alone, in ml_sess_pump and ml_sync_next. So nothing is queued
 * without a bound: one INGEST at a time, one question of each kind a session, an outbox of limited
 * bytes.
 */
#ifndef ML_SYNC_INTERNAL_H
#define ML_SYNC_INTERNAL_H

#include "core/base/assert.h"
#include "core/base/sm.h"
#include "sync/frontier.h"
#include "sync/status.h"
#include "sync/sync.h"

#define ML_LANES_KEYS     ((uint8_t)(1u << ML_LANE_GOVERNANCE | 1u << ML_LANE_KEYS))
#define ML_LANES_ALL      ((uint8_t)((1u << ML_LANES) - 1u))
#define ML_LANE_BIT(lane) ((uint8_t)(1u << (lane)))
#define ML_FRONTIER_PART  1024u /* heads of one FRONTIER of ours */

/** A message on its way to the link. */
struct ml_outgoing {
    struct ml_outgoing *next;
    size_t len;
    uint8_t data[];
};

/** A received bundle on its way to the store. */
struct ml_item {
    struct ml_item *next;
    uint32_t session;
    uint64_t number;      /* of its message */
    uint32_t msg_bundles; /* of the message's last bundle: how many came, else 0 */
    uint32_t msg_bytes;
    uint64_t at_ms;
    uint32_t ops;
    size_t len;
    uint8_t data[];
};

/** A BUNDLES message that the peer hasn't committed. */
struct ml_flight {
    uint32_t bundles;
    uint32_t bytes;
};

/** A question to our store: `due` until ml_sync_next has told it, then waiting under its number. */
struct ml_question {
    bool due;
    uint32_t query; /* 0: not waiting */
};

typedef enum ml_fork_step {
    ML_FORK_FREE,
    ML_FORK_PEER,  /* FORK_QUERY sent */
    ML_FORK_STORE, /* answered: our store is to be asked, or is being asked */
} ml_fork_step;

/** The search for the last bundle below a peer's head that we have too: lo is (or 0), hi isn't. */
struct ml_fork {
    ml_fork_step step;
    struct ml_dep head;
    uint32_t lo;
    struct ml_hash16 lo_hash; /* lo > 0 */
    uint32_t hi;
    uint32_t first; /* places asked */
    uint32_t stride;
    uint32_t count;
    struct ml_hash16 hashes[ML_SYNC_FORK_PLACES];
};

/** Bodies that we want from a peer. */
struct ml_body_wants {
    struct ml_question question;
    uint64_t finished_ms;
    bool finished;            /* asked for all that are wanted at present */
    bool last;                /* the present ones are the last */
    struct ml_hash16 after;   /* asked up to this one */
    struct ml_hash16 *hashes; /* asked and not answered */
    size_t count;
};

/** Bodies that a peer wants from us. */
struct ml_body_gifts {
    struct ml_question question;
    struct ml_hash16 *hashes;
    size_t count;
    size_t next;                   /* not answered from here on */
    struct ml_absent_body *absent; /* as long as `hashes` */
    size_t absent_count;
};

/** A chunk that our store lacks. */
struct ml_chunk_want {
    struct ml_hash hash;
    uint32_t session; /* it is asked of this one; 0: of none */
    uint32_t absent;  /* slots of the sessions that lack it too */
    bool came;        /* it waits for our store */
};

/** Chunks that a peer wants from us. */
struct ml_chunk_gifts {
    struct ml_question question; /* about the first */
    uint32_t count;
    uint32_t absent_count;
    bool owes_have; /* it was told that some are absent: to be told when we get any */
    struct ml_hash hashes[ML_MSG_CHUNKS_MAX];
    struct ml_hash absent[ML_MSG_CHUNKS_MAX];
};

/** A received chunk on its way to the store. */
struct ml_chunk_item {
    struct ml_chunk_item *next;
    struct ml_hash hash;
    uint64_t at_ms;
    size_t len;
    uint8_t data[];
};

struct ml_chunk_batch {
    uint32_t number; /* 0: none at the store */
    struct ml_chunk_item *items;
    struct ml_sync_chunk *chunks;
    size_t count;
};

struct ml_chunks {
    uint64_t missing;            /* as our store says */
    struct ml_chunk_want *wants; /* some of them */
    size_t want_count;
    uint64_t after; /* the next ones come after this one */
    uint32_t query; /* WANTED_CHUNKS; 0: not waiting */
    bool finished;  /* all were asked of all */
    uint64_t finished_ms;
    uint64_t hold_ms; /* the store failed: nothing is asked before */
    struct ml_chunk_item *first;
    struct ml_chunk_item *last;
    size_t queue_bytes; /* with the batch at the store */
    struct ml_chunk_batch batch;
};

struct ml_peer {
    struct ml_node_id node;
    struct ml_sess *session; /* the live one, or NULL */
    struct ml_sync_status last;
    bool changed;
    uint64_t told_ms;
    struct ml_sync_status told;
    struct ml_buf remember; /* a base to be told, when not empty */
};

struct ml_sess {
    struct ml_sync *e;
    uint32_t id;
    struct ml_peer *peer;
    struct ml_sm sm;

    uint64_t opened_ms;
    uint64_t rx_ms;       /* last message */
    uint64_t progress_ms; /* last thing that brought the exchange forward */
    uint64_t keep_ms;     /* while our FRONTIER is held back: last sign of life */
    uint64_t resync_ms;   /* since when all is quiet and not equal; 0: it isn't so */
    uint64_t resync_wait_ms;
    uint64_t rounds_ms; /* rounds that the peer began count until then, ML_SYNC_RESYNC_MS each */

    /* the end */
    ml_err close_err;
    uint8_t bye[8];

    /* messages out */
    struct ml_outgoing *out_first;
    struct ml_outgoing *out_last;
    size_t unsent; /* bytes in the outbox and in the link's queue */

    /* HELLO */
    uint64_t hlc;
    uint64_t append_mark;   /* HELLO waits for what was appended before the link was there */
    uint64_t hello_version; /* of our frontier */
    uint8_t hello_digest[32];
    struct ml_msg_hello hello;

    /* what the peer has */
    struct ml_frontier base;
    struct ml_hash16 base_heads;
    struct ml_hash16 base_trace;
    /* Lane 2 is never quite the same on both sides, so a base can't hold what both have of it. It
     * holds what both told each other: all heads of both last FRONTIERs, a mere reference. */
    struct ml_frontier trace_sent; /* of our last FRONTIER */
    struct ml_frontier trace_got;  /* of the peer's */
    struct ml_frontier trace_ref;  /* of the base to come */
    struct ml_frontier incoming;   /* parts of a FRONTIER */
    struct ml_frontier theirs;
    uint8_t peer_digest[16];

    /* comparison (ml_sess_scan) */
    size_t unknown; /* heads of theirs that aren't here */
    size_t asking;  /* of them, whose answer our store owes */
    struct ml_question known;
    struct ml_dep *asked;
    size_t asked_count;
    struct ml_fork *known_fork; /* whose places are being asked, or NULL: heads of theirs */
    struct ml_fork forks[ML_SYNC_FORKS_MAX];
    struct ml_msg_fork_query place_queries[ML_SYNC_FORKS_MAX]; /* the peer's; first come first */
    size_t place_query_count;
    struct ml_question places;
    struct ml_chain_range requests[ML_SYNC_FORKS_MAX]; /* BUNDLE_REQUEST, until compared */
    size_t request_count;

    /* out */
    struct ml_question load;
    struct ml_sync_range *ranges;
    size_t range_count;
    struct ml_dep *after;
    size_t load_bytes;
    size_t load_bundles;
    size_t starved; /* the next bundle is larger than this */
    uint64_t sent_number;
    uint64_t acked_number;
    struct ml_flight *flights; /* of acked_number + 1 .. sent_number, from flight_first on */
    size_t flight_first;
    size_t flight_cap;
    size_t open_bytes;
    size_t open_bundles;
    size_t window_bytes;
    size_t window_bundles;

    /* in */
    uint64_t in_number; /* last received */
    uint64_t settled_number;
    uint64_t commit_number; /* last told */
    size_t in_open_bytes;
    size_t in_open_bundles;
    size_t in_window_bytes;
    size_t in_window_bundles;
    uint64_t feed_ms; /* last bundle, or our FRONTIER */

    struct ml_body_wants wants;
    struct ml_body_gifts gifts;
    struct ml_chunk_gifts chunk_gifts;
    size_t chunks_asked; /* and not answered */

    /* small things, together so that nothing is padding */
    bool initiator;
    bool owing;    /* something is due from the peer, and the clocks run */
    uint8_t lanes; /* that may pass at present */
    uint8_t given; /* lanes whose bundles the peer may have; not all: no body, no chunk */
    uint8_t slot;  /* below ML_SYNC_SESSIONS_MAX; no other session has it */
    bool pump_due;
    uint8_t bye_len; /* to be sent before the close */
    bool close_told;
    bool hello_got;
    bool base_valid;
    bool front_sent;   /* ours, in this round */
    bool front_ever;   /* the peer may send: ours in any round, or equal HELLOs */
    bool front_whole;  /* ours needs no base, or the peer lacks it */
    bool front_ask;    /* ours asks for the peer's again */
    bool front_got;    /* the peer's, in this round */
    bool base_refused; /* we lack the peer's base, and said so */
    bool trace_known;
    bool peer_moved; /* the peer gave us bundles after it said peer_digest */
    bool scan_due;
    uint8_t lacking; /* lanes of which the peer lacks something, as far as known */
    bool equal;      /* lanes 0, 1, 3, 4 */
    bool planned;
    bool measuring;
    bool done_sent;
    bool done_got;
    bool ride; /* lane 2 may go: something else did */
};

struct ml_own {
    struct ml_writer_id writer;
    uint8_t lane;
    bool waits;  /* `head` is durable and not offered yet */
    bool listed; /* it is in `mine` nevertheless: from a snapshot */
    bool asked;  /* the anti-rollback record is being written, up to `asked_head` */
    bool failed; /* it could not: asked again at the next tick */
    bool urgent;
    uint32_t anchored;
    uint32_t first_seq; /* first bundle that isn't offered; 0: it is `listed`, or none waits */
    struct ml_hash16 first_prev; /* and the one before it */
    struct ml_dep head;
    struct ml_dep asked_head;
    uint64_t stamp; /* when it began to wait, in appends; 0: before all sessions */
};

struct ml_batch {
    uint32_t number; /* 0: none at the store */
    struct ml_item *items;
    struct ml_item **by_index;
    struct ml_slice *slices;
    size_t count;
};

struct ml_sync {
    const struct ml_env *env;
    struct ml_node_id self;
    ml_sync_order order;
    uint64_t now_ms;
    bool paused;
    bool drained;
    bool ready; /* the snapshot is here */
    bool snapshot_asked;
    bool forked; /* the log has a frozen writer: lane 2 is compared with every peer */

    struct ml_frontier mine; /* what is offered: own bundles once anchored */
    uint64_t version;        /* of `mine` */
    uint64_t changed_ms;
    uint64_t digest_version;
    struct ml_hash16 digest;
    struct ml_sync_holes holes;
    struct ml_own *own;
    size_t own_count;
    size_t own_cap;
    uint64_t appends; /* heard of */

    struct ml_sess *sessions[ML_SYNC_SESSIONS_MAX];
    size_t session_count;
    size_t turn; /* whose message goes next */
    uint32_t last_session;
    uint32_t last_query;
    uint32_t feeder; /* the session that we take a large copy from; 0: none */

    struct ml_item *queue_first;
    struct ml_item *queue_last;
    size_t queue_bytes; /* with the batch at the store */
    uint64_t queue_ops; /* without */
    struct ml_batch batch;
    struct ml_chunks chunks;

    struct ml_peer *peers[ML_SYNC_PEERS_MAX];
    size_t peer_count;

    /* what the last action borrowed */
    struct ml_outgoing *told_msg;
    struct ml_buf told_base;
    uint64_t told_timer_ms;
};

/* ---- sync.c ---- */

struct ml_sess *ml_sync_session(const struct ml_sync *e, uint32_t session);
uint32_t ml_sync_query(struct ml_sync *e);
/** Ours now; cached. */
struct ml_hash16 ml_sync_heads_digest(struct ml_sync *e);
/** A bundle is in the store and may be offered: our frontier and what we know of the peers'. */
void ml_sync_gained(struct ml_sync *e, const struct ml_sync_bundle *bundle);
void ml_sync_pump_all(struct ml_sync *e);
/** Our frontier isn't what the store has any more: ask again. */
void ml_sync_lost_track(struct ml_sync *e);
/** A session may begin: the snapshot is here, and all that was own then may be offered. */
bool ml_sync_is_ready(const struct ml_sync *e, uint64_t append_mark);

/** An own branch that isn't offered yet lies beside one of this chain that is: a range of the chain
 * would give both. It waits for the anti-rollback record. */
bool ml_sync_is_held_back(const struct ml_sync *e, const struct ml_writer_id *writer, uint8_t lane,
                          uint32_t top);

/* ---- session.c ---- */

ml_err ml_sess_new(struct ml_sess **out, struct ml_sync *e, const struct ml_sync_open *open);
void ml_sess_free(struct ml_sess *s);
bool ml_sess_is_open(const struct ml_sess *s);
void ml_sess_move(struct ml_sess *s, ml_sync_state to);
/** Says BYE unless the peer did, and closes. */
void ml_sess_close(struct ml_sess *s, ml_err err);
void ml_sess_close_as(struct ml_sess *s, ml_err err, ml_bye reason);
void ml_sess_pump(struct ml_sess *s);
ml_err ml_sess_send(struct ml_sess *s, const struct ml_msg *msg) ML_MUST_CHECK;
void ml_sess_receive(struct ml_sess *s, struct ml_slice in);
/** Progress was made: the stall timer starts again. */
void ml_sess_progress(struct ml_sess *s);

/* ---- timing.c ---- */

void ml_sess_tick(struct ml_sess *s);
/** Starts the clocks when something is due from the peer that wasn't; keeps the base when quiet. */
void ml_sess_watch(struct ml_sess *s);
/** When ml_sess_tick has something to do next; UINT64_MAX: never. */
uint64_t ml_sess_deadline(const struct ml_sess *s);
bool ml_sess_is_synced(const struct ml_sess *s);

/* ---- exchange.c ---- */

ml_err ml_sess_hello(struct ml_sess *s);
ml_err ml_sess_compare_hello(struct ml_sess *s);
ml_err ml_sess_frontier_step(struct ml_sess *s);
ml_err ml_sess_on_frontier(struct ml_sess *s, const struct ml_msg_frontier *msg);
ml_err ml_sess_on_plan(struct ml_sess *s, const struct ml_msg_plan *msg);
ml_err ml_sess_on_done(struct ml_sess *s, const struct ml_msg_done *msg);
ml_err ml_sess_done_step(struct ml_sess *s);
void ml_sess_begin_round(struct ml_sess *s, bool ask);
/** Keeps our frontier as the base with this peer, when both have the same. */
void ml_sess_remember(struct ml_sess *s);

/* ---- outbound.c ---- */

/** Compares ours with theirs again, when due. */
ml_err ml_sess_scan(struct ml_sess *s);
/** The peer has this bundle (`known`: so have we). */
ml_err ml_sess_peer_has(struct ml_sess *s, const struct ml_sync_bundle *bundle, bool known);
ml_err ml_sess_outbound_step(struct ml_sess *s);
ml_err ml_sess_on_commit(struct ml_sess *s, const struct ml_msg_commit *msg);
ml_err ml_sess_on_credit(struct ml_sess *s, const struct ml_msg_credit *msg);
ml_err ml_sess_on_bundle_request(struct ml_sess *s, const struct ml_msg_bundle_request *msg);
/** Room for bundles in the window and in the link, in bytes; 0: none. */
size_t ml_sess_room(const struct ml_sess *s);
/** Are there bundles to be sent before anything else? */
bool ml_sess_has_bundles(const struct ml_sess *s);
/** One BUNDLES after the other, in order. */
ml_err ml_sess_send_bundles(struct ml_sess *s, const struct ml_slice *wires, size_t count);
void ml_sess_drop_ranges(struct ml_sess *s);

/* ---- inbound.c ---- */

ml_err ml_sess_on_bundles(struct ml_sess *s, const struct ml_msg_bundles *msg);
bool ml_batch_due(const struct ml_sync *e);
/** False when memory lacks: tried again at the next tick. */
bool ml_batch_take(struct ml_sync *e);
void ml_batch_free(struct ml_sync *e);
void ml_queue_free(struct ml_sync *e);

/* ---- fork.c ---- */

ml_err ml_sess_fork_step(struct ml_sess *s);
ml_err ml_sess_on_fork_query(struct ml_sess *s, const struct ml_msg_fork_query *msg);
ml_err ml_sess_on_fork_answer(struct ml_sess *s, const struct ml_msg_fork_answer *msg);
ml_err ml_fork_known(struct ml_sess *s, struct ml_fork *fork, const bool *known);
size_t ml_sess_forks(const struct ml_sess *s);
void ml_sess_places_action(struct ml_sess *s, struct ml_sync_action *out);

/* ---- bodies.c ---- */

/** Both HELLOs are known. */
void ml_sess_bodies_hello(struct ml_sess *s);
ml_err ml_sess_bodies_step(struct ml_sess *s);
ml_err ml_sess_on_body_request(struct ml_sess *s, const struct ml_msg_body_request *msg);
ml_err ml_sess_on_absent(struct ml_sess *s, const struct ml_msg_absent *msg);
/** This body came from the peer, or its answer that it can't. */
void ml_sess_body_came(struct ml_sess *s, const struct ml_hash16 *hash);

/* ---- chunks.c ---- */

ml_err ml_sess_chunks_step(struct ml_sess *s);
void ml_sess_chunks_live(struct ml_sess *s);
void ml_sess_chunks_end(struct ml_sess *s);
ml_err ml_sess_on_chunk_want(struct ml_sess *s, const struct ml_msg_chunk_list *msg);
ml_err ml_sess_on_chunk(struct ml_sess *s, const struct ml_msg_chunk *msg);
ml_err ml_sess_on_chunk_absent(struct ml_sess *s, const struct ml_msg_chunk_list *msg);
ml_err ml_sess_on_chunk_have(struct ml_sess *s);
/** Those that were asked and aren't here, when there are any. */
ml_err ml_sess_send_absent(struct ml_sess *s);
/** Should our store name more of those that it lacks? */
bool ml_chunks_due(struct ml_sync *e);
/** Was it this question that failed? */
bool ml_chunks_failed(struct ml_sync *e, uint32_t query);
void ml_chunks_tick(struct ml_sync *e);
uint64_t ml_chunks_deadline(const struct ml_sync *e);
bool ml_chunk_batch_due(const struct ml_sync *e);
/** False when memory lacks: tried again at the next tick. */
bool ml_chunk_batch_take(struct ml_sync *e);
void ml_chunks_free(struct ml_sync *e);

/* ---- status.c ---- */

/** The peer's record, made when there is none. NULL: no memory, or all are in use. */
struct ml_peer *ml_peer_of(struct ml_sync *e, const struct ml_node_id *node);
void ml_peer_changed(struct ml_peer *p);
void ml_peers_free(struct ml_sync *e);
/** A peer whose change is to be told now. */
struct ml_peer *ml_peer_told(struct ml_sync *e);

#endif
