/* tests/unit/sync/support_world.h -- several engines, a store and links for each, in one process.
 *
 * The store is a model of its own: every bundle ever made lies in `bundles`; a node holds some of
 * them, in an order. It shares no code with the engine but the codecs, so that it can judge it:
 * after each event it checks what the engine offers, sends and believes (world_check). Time is
 * virtual. Journal, anchor and bases survive a crash; engines, questions and links don't.
 */
#ifndef ML_TESTS_SYNC_WORLD_H
#define ML_TESTS_SYNC_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_env.h"
#include "sync/status.h"
#include "sync/sync.h"

enum {
    WORLD_NODES_MAX = 8,
    WORLD_LINKS_MAX = 64,
    WORLD_DEPS_MAX = 4,
    WORLD_OWN_MAX = 64,
    WORLD_JOBS_MAX = 512,
    WORLD_SENT_MAX = 64,
    WORLD_CHUNKS_MAX = 700,
};

struct world_bundle {
    struct ml_sync_bundle info;
    struct ml_hash hash;
    uint32_t ops;
    size_t payload; /* sealed op bytes with tags (decisions 25) */
    int author;     /* node that wrote it here, or -1 */
    int prev;       /* index, or -1 */
    int deps[WORLD_DEPS_MAX];
    unsigned dep_count;
    uint8_t *wire; /* NULL: of the common past, never sent */
    uint8_t *bare; /* the same without its body */
    size_t bare_len;
};

struct world_chunk {
    struct ml_hash hash;
    uint8_t *data;
    size_t len;
};

typedef enum world_chunk_at { CHUNK_UNKNOWN, CHUNK_MISSING, CHUNK_HERE } world_chunk_at;

typedef enum world_hold { HOLD_NONE, HOLD_PENDING, HOLD_STORED } world_hold;

struct world_own {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t anchored;
};

struct world_node {
    struct fake_env fake;
    struct ml_node_id id;
    struct ml_sync *engine; /* NULL: down */
    world_hold *hold;       /* by bundle */
    uint32_t *order;        /* of ingest, by bundle */
    bool *no_body;          /* by bundle */
    uint32_t next_order;
    struct world_own own[WORLD_OWN_MAX];
    unsigned own_count;
    uint8_t *base[WORLD_NODES_MAX]; /* with each peer */
    size_t base_len[WORLD_NODES_MAX];
    uint64_t timer_ms;  /* asked for; 0: none */
    ml_err ingest_err;  /* the next batch fails with it */
    bool refuse_next;   /* the next bundle is refused */
    unsigned ingests;   /* transactions */
    unsigned ingesting; /* at the store now */
    size_t ingest_most; /* bytes of the largest transaction */
    size_t known_most;  /* heads of the largest KNOWN */
    unsigned changes;   /* CHANGED seen */
    unsigned closes;    /* CLOSE seen */
    ml_err last_close;  /* its reason */
    uint8_t last_bye;   /* reason of the last BYE it sent */
    bool no_anchor;     /* the anti-rollback record can't be written */
    unsigned no_lanes;  /* bits: nor for these lanes */
    bool slow_link;     /* SEND is not reported as sent */
    size_t unsent;      /* and how much of it */
    bool deaf;          /* what is sent to it is lost */
    bool slow_store;    /* answers wait for world_answer */
    world_chunk_at chunk[WORLD_CHUNKS_MAX];
    ml_err chunk_err;       /* the next batch of chunks fails with it */
    unsigned chunk_batches; /* transactions */
    unsigned chunk_asks;    /* WANTED_CHUNKS */
    unsigned chunks_stored;
};

struct world_msg {
    struct world_msg *next;
    uint64_t due_ms;
    size_t len;
    uint8_t data[];
};

/** Bytes that leave a slow link's queue at `at_ms`. */
struct world_sent {
    uint64_t at_ms;
    size_t bytes;
};

/** One direction of a link. */
struct world_pipe {
    struct world_msg *first;
    struct world_msg *last;
    bool closed; /* by its writer, after what is in it */
    /* seen by the wire */
    unsigned messages;
    uint64_t bytes;   /* of messages */
    uint64_t framed;  /* padded to 64, length and tag counted */
    uint64_t payload; /* op bytes of the bundles sent */
    uint64_t bundles;
    uint64_t trace_bundles;
    size_t window_bytes; /* that the reader gave */
    size_t window_bundles;
    size_t open_bytes;
    size_t open_bundles;
    uint64_t sent_number;
    uint64_t acked_number;
    size_t *sizes; /* of each BUNDLES, by number */
    size_t *counts;
    uint8_t last_lane_stage;
    unsigned by_kind[256];
    /* of a slow link (decisions 26) */
    uint64_t busy_ms; /* sending until then */
    uint64_t last_ms; /* nothing arrives before */
    struct world_sent sent[WORLD_SENT_MAX];
    unsigned sent_count;
};

struct world_link {
    bool used;
    unsigned node[2];
    uint32_t session[2];
    bool gone[2];             /* that side's engine has been told */
    struct world_pipe out[2]; /* written by node[i] */
};

struct world_job {
    bool used;
    unsigned node;
    uint64_t due_ms;
    struct ml_sync_action action;
    void *copy; /* of what the action pointed to, when it may go before the answer */
};

struct world {
    struct fake_env fake; /* of the world itself: chance and its own memory */
    uint64_t seed;
    uint64_t now_ms;
    uint64_t latency_ms;
    uint64_t kbit_s; /* of each direction; 0: no limit, and no stalls */
    ml_sync_order order;
    unsigned node_count;
    struct world_node node[WORLD_NODES_MAX];
    struct world_link link[WORLD_LINKS_MAX];
    struct world_job job[WORLD_JOBS_MAX];
    struct world_bundle *bundles;
    size_t bundle_count;
    size_t bundle_cap;
    struct ml_secret *seed_key;
    struct world_chunk chunks[WORLD_CHUNKS_MAX];
    size_t chunk_count;
    unsigned pended;
    unsigned resets; /* of sessions by an engine that lacked memory */
    bool checks_off; /* world_check is skipped: hostile bytes are played */
};

void world_init(struct world *w, uint64_t seed, unsigned nodes);
/** Fails the test when anything is still allocated. */
void world_free(struct world *w);
void world_fail(const struct world *w, const char *what);

struct ml_writer_id world_writer(struct world *w);
/** A head that all nodes hold from the start: (writer, lane, seq) with nothing below it to send. */
int world_past(struct world *w, const struct ml_writer_id *writer, uint8_t lane, uint32_t seq);

struct world_write {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t ops;
    size_t op_bytes;
    bool urgent;
    bool lone; /* cites nothing of others */
};

/** An own bundle of that node, durable; its index. */
int world_append(struct world *w, unsigned node, const struct world_write *write);
/** The same into the store alone, as if from elsewhere: no engine hears of it. */
int world_make(struct world *w, unsigned node, const struct world_write *write);

/** A chunk of `len` bytes that is nowhere yet; its index. */
int world_chunk(struct world *w, size_t len);
/** The node names it (missing), or has it. */
void world_chunk_put(struct world *w, unsigned node, int chunk, world_chunk_at at);
unsigned world_chunks_at(const struct world *w, unsigned node, world_chunk_at at);

void world_start(struct world *w, unsigned node);
/** Engine and links vanish; what is committed stays. */
void world_crash(struct world *w, unsigned node);
/** A link opened by `a`; its index, or -1 when one of the engines refused. */
int world_connect(struct world *w, unsigned a, unsigned b);
typedef enum world_kind {
    WORLD_WHOLE,
    WORLD_RESTRICTED, /* lanes 0 and 1 until caught up */
    WORLD_DRAINED,    /* `b` was revoked, as `a` knows */
    WORLD_UNKNOWN     /* `a` knows nothing of `b` */
} world_kind;
int world_connect_as(struct world *w, unsigned a, unsigned b, world_kind kind);
/** Both directions vanish with what is in them. */
void world_cut(struct world *w, int link);
void world_cut_all(struct world *w);

/** Takes all actions of all engines. */
void world_pump(struct world *w);
/** The next event in time: a message, an answer, a timer. False: none up to `until_ms`. */
bool world_step(struct world *w, uint64_t until_ms);
void world_run(struct world *w, uint64_t ms);
/** Any message or answer, by chance, whatever its time. False: there is none. */
bool world_chance(struct world *w);
/** Answers what a slow store was asked. */
void world_answer(struct world *w, unsigned node);
void world_check(struct world *w);

/** Bytes from outside, as if node[side]'s peer had sent them. */
void world_inject(struct world *w, int link, unsigned to_side, struct ml_slice bytes);

bool world_has(const struct world *w, unsigned node, int bundle);
/** All running nodes hold the same bundles (`trace`: of lane 2 too). */
bool world_equal(const struct world *w, bool trace);
bool world_synced(const struct world *w, unsigned node, unsigned peer);
struct ml_sync_status world_status(const struct world *w, unsigned node, unsigned peer);
/** By the model alone: what HELLO must say. */
void world_digest(const struct world *w, unsigned node, uint8_t out[16]);

#endif
