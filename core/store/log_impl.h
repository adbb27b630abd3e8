/* core/store/log_impl.h -- what the files of the log store share. Not for others.
 *
 * The database holds the truth; memory holds the writers, the heads of their chains and some
 * lane-0 vectors, so that a bundle that comes in order costs two inserts and no lookup. After a
 * failed write memory may be ahead of the database: `stale` makes the next call load it anew.
 */
#ifndef ML_STORE_LOG_IMPL_H
#define ML_STORE_LOG_IMPL_H

#include "core/crypto/short_hash.h"
#include "core/model/fork.h"
#include "core/model/gvec.h"
#include "core/model/judge.h"
#include "core/store/db.h"
#include "core/store/log.h"

#define ML_LOG_APPLICATION_ID       0x4d4c4c31 /* "MLL1" */
#define ML_LOG_WRITERS_MAX          65536u
#define ML_LOG_PENDING_WRITER_MAX   1024u /* bundles of one writer that wait (rules B24) */
#define ML_LOG_PENDING_WRITER_BYTES INT64_C(8388608)
#define ML_LOG_PENDING_BYTES        INT64_C(67108864) /* of all writers */
#define ML_LOG_STRANGERS_MAX        256u              /* writers kept without a valid opening */
#define ML_LOG_BRANCHES_MAX         16u   /* heads of one chain, but for what lowers its freeze */
#define ML_LOG_BRANCHES_ALL_MAX     4096u /* heads beyond the first of their chains, of all */
#define ML_LOG_PLACE_WRITERS_MAX    128u  /* writers that count of one member on one node */
#define ML_LOG_LANE0_MAX            64u   /* lane-0 bundles of a writer without rank 1 or 2 ... */
#define ML_LOG_LANE0_OPS_MAX        16u   /* ... and ops in each */
#define ML_LOG_LANE0_STRANGER_MAX   16u   /* of one whose opening doesn't count */
#define ML_LOG_PENDING_STRANGE      INT64_C(8388608) /* of ML_LOG_PENDING_BYTES, of unknown keys */
#define ML_LOG_GVECS_MAX            256u             /* lane-0 vectors kept in memory */
#define ML_LOG_OWN_BYTES            20u              /* own numbers of five lanes, on disk */

/* Flags of a stored bundle. */
#define ML_LOG_AHEAD  1 /* its clock was more than a day ahead (rules B15) */
#define ML_LOG_HOLE   2 /* its body is absent: table hole says why */
#define ML_LOG_FILLED 4 /* its body came later: table fill has it */

/* States of a chunk, on disk. */
#define ML_LOG_CHUNK_MISSING 0 /* a manifest names it */
#define ML_LOG_CHUNK_HERE    1
#define ML_LOG_CHUNK_LOST    2 /* its bytes were destroyed: another row takes its place */

/** Highest number by chain: index = writer index * ML_LANES + lane; beyond `count`: 0. */
struct ml_log_vec {
    uint32_t *seq; /* owned */
    size_t count;
};

/** A stored bundle, as far as later ones are judged against it. */
struct ml_log_known {
    struct ml_judged j; /* j.gvec: a reference of its own */
    int64_t gvec_row;   /* 0: the empty vector */
    uint64_t n;
};

struct ml_log_head {
    struct ml_log_known known;
    uint64_t row;              /* number under which it is on disk; 0: not yet */
    struct ml_log_vec cites;   /* what the headers of its chain cite: exact */
    struct ml_log_vec closure; /* what lies below it: at least this */
    bool dirty;                /* its row must be written at the commit */
};

struct ml_log_chain {
    struct ml_log_head **heads; /* owned; one, or several after a fork */
    size_t count;
};

struct ml_log_writer {
    struct ml_writer_id id;
    uint32_t index; /* row - 1 */
    bool has_pk;
    bool frozen;
    struct ml_sign_pk pk;
    struct ml_own_vec freeze; /* top unless `frozen` */
    struct ml_log_chain chains[ML_LANES];
    uint64_t hlc_ms; /* of its last bundle that isn't flagged */
};

struct ml_log_gvec {
    int64_t row;
    struct ml_hash16 digest;
    struct ml_gvec *gvec;
};

/* Statements, in the order of their texts in log_sql.c. */
enum ml_log_sql {
    ML_SQL_WRITERS,
    ML_SQL_WRITER_PUT,
    ML_SQL_WRITER_SET,
    ML_SQL_GVEC_BY_DIGEST,
    ML_SQL_GVEC_BY_ROW,
    ML_SQL_GVEC_PUT,
    ML_SQL_HEADS,
    ML_SQL_HEAD_PUT,
    ML_SQL_HEAD_DELETE,
    ML_SQL_BUNDLE_PUT,
    ML_SQL_BODY_PUT,
    ML_SQL_HOLE_PUT,
    ML_SQL_HOLE_DELETE,
    ML_SQL_FILL_PUT,
    ML_SQL_FLAGS_SET,
    ML_SQL_PLACE,
    ML_SQL_KNOWN,
    ML_SQL_LINK,
    ML_SQL_ENTRY,
    ML_SQL_ENTRY_AFTER,
    ML_SQL_ENTRY_LEFT_OUT,
    ML_SQL_BY_KEY,
    ML_SQL_BODY,
    ML_SQL_FILL,
    ML_SQL_HOLE,
    ML_SQL_HOLES,
    ML_SQL_PENDING_PUT,
    ML_SQL_PENDING_FIND,
    ML_SQL_PENDING_WAITING,
    ML_SQL_PENDING_READ,
    ML_SQL_PENDING_DELETE,
    ML_SQL_PENDING_OF_WRITER,
    ML_SQL_PENDING_ALL,
    ML_SQL_PENDING_COUNT,
    ML_SQL_PENDING_NEWER,
    ML_SQL_TALLY,
    ML_SQL_TALLY_SET,
    ML_SQL_LANE0,
    ML_SQL_JUDGE_ROWS,
    ML_SQL_JUDGE_ONE,
    ML_SQL_RULING,
    ML_SQL_CITERS,
    ML_SQL_STATE,
    ML_SQL_TRACE,
    ML_SQL_MEASURE,
    ML_SQL_CHAIN_ROWS,
    ML_SQL_HOLE_COUNT,
    ML_SQL_LAST,
    ML_SQL_PENDING_WIRES,
    ML_SQL_SETTINGS,
    ML_SQL_SETTING_GET,
    ML_SQL_SETTING_PUT,
    ML_SQL_SETTING_DELETE,
    ML_SQL_PEERS,
    ML_SQL_PEER_PUT,
    ML_SQL_BASE_GET,
    ML_SQL_BASE_PUT,
    ML_SQL_CHUNK_FIND,
    ML_SQL_CHUNK_PUT,
    ML_SQL_CHUNK_SET,
    ML_SQL_CHUNK_AFTER,
    ML_SQL_CHUNK_MISSING,
    ML_SQL_CHUNK_BODY,
    ML_SQL_CHUNK_BODY_PUT,
    ML_SQL_PRUNE_NEXT,
    ML_SQL_BODY_DELETE,
    ML_SQL_FILL_DELETE,
    ML_SQL_SHRED_PUT,
    ML_SQL_SHRED_NEXT,
    ML_SQL_SHRED_NAMING,
    ML_SQL_SHRED_OF,
    ML_SQL_SHRED_COVER,
    ML_SQL_SHRED_DONE,
    ML_SQL_SHRED_COUNT,
    ML_SQL_SHRED_AFTER,
    ML_SQL_KEYS_WITH,
    ML_SQL_BODY_SET,
    ML_SQL_PAST,
    ML_SQL_PAST_PUT,
    ML_SQL_HASHES,
    ML_SQL_COUNT,
};
extern const char *const ml_log_sql[ML_SQL_COUNT];
extern const struct ml_db_schema ml_log_schema;

struct ml_log_tally {
    uint64_t bundles;
    uint64_t ops; /* of lane 3 */
    uint64_t quarantined;
    uint64_t epoch;
    uint64_t hlc; /* highest that isn't flagged */
    uint64_t last_n;
    struct ml_hash past; /* of last_n (log_past.c) */
    uint64_t pending;
    int64_t pending_bytes;
    uint64_t chunks;
    uint64_t chunks_missing;
    uint64_t shred_rows;     /* wraps that SHREDs name ... */
    uint64_t shreds;         /* ... and how many of these were destroyed */
    int64_t pending_strange; /* bytes of these whose writer's key isn't known: unverified */
};

/* What one bundle made judge anew. */
struct ml_log_anew {
    uint32_t looked_at;
    uint32_t changed; /* verdicts or reasons */
    bool adopted;     /* ops of one that is left out were judged, perhaps single ones */
};

struct ml_log {
    const struct ml_env *env; /* borrowed */
    struct ml_org_id org;
    struct ml_db *db;
    struct ml_stmt *st[ML_SQL_COUNT];
    struct ml_gov *gov;
    struct ml_log_writer **writers; /* by index */
    size_t writer_count;
    size_t writer_cap;
    uint32_t *slots; /* hash table of writer16: index + 1, 0 empty; a power of two */
    size_t slot_count;
    uint8_t slot_key[ML_SHORT_HASH_KEY_BYTES]; /* drawn at opening, for this process only */
    struct ml_log_gvec gvecs[ML_LOG_GVECS_MAX];
    size_t gvec_count;
    size_t gvec_turn; /* next to make room */
    struct ml_log_tally tally;
    struct ml_log_anew anew;          /* of the bundle in hand */
    struct ml_log_again again;        /* of all since it was opened */
    struct ml_log_tally tally_before; /* of the transaction: what an undone one goes back to */
    bool stale;                       /* memory isn't what the database holds */
    bool explicit;                    /* between ml_log_begin and its end */
    bool broken;                      /* an explicit transaction failed: only its end is allowed */
    bool writing;                     /* the database has a transaction open */
    bool damaged;       /* a row was found that no call of ours wrote, or none where one must be */
    bool shreds_again;  /* something was destroyed or came that another SHRED may wait for */
    bool erase;         /* something was destroyed that the file may hold yet (rules C12) */
    bool has_past;      /* its row says the past: not yet in a log of an earlier program */
    bool unbounded;     /* while it is rebuilt: what waits is kept whatever it takes */
    uint64_t median_ms; /* of the writers' clocks, as last computed */
    struct ml_dep next_deps[ML_BUNDLE_DEPS_MAX];
    struct ml_gvec *next_covers; /* owned: of ml_log_next_own */
    struct ml_buf scratch;       /* of entries: header, body */
};

/* log.c: transactions. */
/** CORRUPT, remembered. */
static inline ml_err ml_log_corrupt(struct ml_log *log)
{
    log->damaged = true;
    return ML_E_CORRUPT;
}
/** The database and its statements, nothing read yet. */
ml_err ml_log_open_raw(struct ml_log **out, const struct ml_log_args *args) ML_MUST_CHECK;
ml_err ml_log_fresh(struct ml_log *log) ML_MUST_CHECK; /* before any read */
ml_err ml_log_write(struct ml_log *log) ML_MUST_CHECK; /* before any write */
/** Commits unless explicit; undoes all when `err` isn't OK or the commit fails. */
ml_err ml_log_done(struct ml_log *log, ml_err err) ML_MUST_CHECK;
/** Resets every statement: rows that are being read hold a snapshot, which a checkpoint waits for.
 */
void ml_log_quiet(struct ml_log *log);
/** Steps a statement that gives at most one row; the caller resets it. */
ml_err ml_log_row(struct ml_log *log, enum ml_log_sql sql, bool *row) ML_MUST_CHECK;

/* log_cache.c */
void ml_log_forget(struct ml_log *log); /* frees what is in memory */
ml_err ml_log_recall(struct ml_log *log) ML_MUST_CHECK;
ml_err ml_log_flush(struct ml_log *log) ML_MUST_CHECK; /* dirty heads and the tally */
struct ml_log_writer *ml_log_writer_find(const struct ml_log *log, const struct ml_writer_id *id);
ml_err ml_log_writer_add(struct ml_log *log, struct ml_log_writer **out,
                         const struct ml_writer_id *id) ML_MUST_CHECK;
ml_err ml_log_writer_save(struct ml_log *log, const struct ml_log_writer *w) ML_MUST_CHECK;
uint64_t ml_log_median_ms(struct ml_log *log);
void ml_log_known_free(struct ml_log_known *known);
/** Looks among the heads, then on disk. *found false: not stored. A reference for the caller. */
ml_err ml_log_known_find(struct ml_log *log, struct ml_log_known *out, bool *found,
                         const struct ml_dep *id) ML_MUST_CHECK;
struct ml_log_head *ml_log_head_find(const struct ml_log_writer *w, uint8_t lane,
                                     const struct ml_hash16 *hash);
ml_err ml_log_head_add(struct ml_log *log, struct ml_log_head **out,
                       struct ml_log_chain *chain) ML_MUST_CHECK;
uint32_t ml_log_highest(const struct ml_log_writer *w, uint8_t lane); /* 0: empty chain */
/** Columns n, hash, hlc, own, gvec of the statement's row. A reference for the caller. */
ml_err ml_log_known_read(struct ml_log *log, struct ml_log_known *out,
                         struct ml_stmt *s) ML_MUST_CHECK;
void ml_log_own_encode(uint8_t out[ML_LOG_OWN_BYTES], const struct ml_own_vec *v);
/** Replaces what is equal by what is shared, and gives it a row. Takes the reference over. */
ml_err ml_log_gvec_intern(struct ml_log *log, struct ml_gvec **gvec, int64_t *row) ML_MUST_CHECK;
/** A new reference. */
ml_err ml_log_gvec_load(struct ml_log *log, struct ml_gvec **out, int64_t row) ML_MUST_CHECK;

/* log_vec.c */
uint32_t ml_log_vec_get(const struct ml_log_vec *v, size_t chain);
/** The maximum of what is there and `seq`. */
ml_err ml_log_vec_raise(const struct ml_env *env, struct ml_log_vec *v, size_t chain,
                        uint32_t seq) ML_MUST_CHECK;
ml_err ml_log_vec_join(const struct ml_env *env, struct ml_log_vec *v,
                       const struct ml_log_vec *other) ML_MUST_CHECK;
void ml_log_vec_free(const struct ml_env *env, struct ml_log_vec *v);
ml_err ml_log_vec_encode(struct ml_buf *out, const struct ml_log_vec *v) ML_MUST_CHECK;
ml_err ml_log_vec_decode(const struct ml_env *env, struct ml_log_vec *out,
                         struct ml_slice bytes) ML_MUST_CHECK;
static inline size_t ml_log_chain_index(const struct ml_log_writer *w, uint8_t lane)
{
    return (size_t)w->index * ML_LANES + lane;
}

/** A bundle on its way into the store; see log_ingest.c. */
struct ml_log_one {
    struct ml_slice wire;   /* as it came: what waits is kept so */
    uint32_t wire_len;      /* of what is stored of it */
    struct ml_slice leaves; /* its body, where ops of it are leaves: hearsay */
    struct ml_bundle bundle;
    struct ml_hash hash;
    struct ml_log_writer *writer; /* NULL: unknown yet */
    struct ml_sign_pk pk;
    struct ml_log_known prev; /* n 0: none */
    size_t dep_count;
    struct ml_judge_dep deps[ML_BUNDLE_DEPS_MAX];
    struct ml_log_known known[ML_BUNDLE_DEPS_MAX];
    bool is_known[ML_BUNDLE_DEPS_MAX];
    struct ml_log_head *head; /* it goes on from; NULL: first of its chain, or a branch */
    struct ml_log_vec cites;  /* of a branch's chain, without it */
    struct ml_own_vec freeze; /* of its writer, once it is stored */
    struct ml_log_known self;
    struct ml_ruling ruling;
    struct ml_own_vec freeze_before;
    bool refrozen; /* it proves a fork that wasn't known, or a lower one */
};

/* log_ingest.c */
ml_err ml_log_retry_newer(struct ml_log *log) ML_MUST_CHECK; /* after an upgrade */

/* log_limit.c: what this node doesn't keep, whoever signed it. Limits, not verdicts. */
/** A further branch of a chain that has enough of them: asked before it costs anything. */
bool ml_log_is_branch_too_many(const struct ml_log *log, const struct ml_log_one *one);
/** One more writer, or word of governance, than its author may make this node keep: asked when it
 * is ruled on, and governance has its facts. */
bool ml_log_is_voice_too_many(const struct ml_log *log, const struct ml_log_one *one);

/* log_pending.c */
struct ml_log_wait {
    struct ml_dep place; /* hash zero: any bundle in this place; seq 0: nothing that can come */
    ml_reason reason;
};
/** *stopped: not kept, there is too much. */
ml_err ml_log_pending_put(struct ml_log *log, bool *stopped, const struct ml_log_one *one,
                          const struct ml_log_wait *wait) ML_MUST_CHECK;
ml_err ml_log_pending_has(struct ml_log *log, bool *has, const struct ml_hash *hash) ML_MUST_CHECK;
/** Takes one bundle that waits for `place` out of the queue; *found false: there is none. */
ml_err ml_log_pending_take(struct ml_log *log, bool *found, struct ml_buf *wire,
                           const struct ml_dep *place) ML_MUST_CHECK;
/** Takes one that a newer version of the program may understand; `after` moves on. */
ml_err ml_log_pending_newer(struct ml_log *log, bool *found, struct ml_buf *wire,
                            int64_t *after) ML_MUST_CHECK;

/* log_read.c */
/** The same without the body (absent: 0, no bytes); *flags of the row. */
ml_err ml_log_header_read(struct ml_log *log, struct ml_log_entry *out, int64_t *flags,
                          enum ml_log_sql sql) ML_MUST_CHECK;
/** NOT_FOUND. */
ml_err ml_log_header_of(struct ml_log *log, struct ml_log_entry *out, int64_t *flags,
                        uint64_t n) ML_MUST_CHECK;
ml_err ml_log_body_read(struct ml_log *log, struct ml_log_entry *out, int64_t flags) ML_MUST_CHECK;
/** Fills the entry of a row of ML_SQL_ENTRY or ML_SQL_ENTRY_AFTER; its slices live with the row. */
ml_err ml_log_entry_read(struct ml_log *log, struct ml_log_entry *out,
                         enum ml_log_sql sql) ML_MUST_CHECK;
/** NOT_FOUND. */
ml_err ml_log_entry_of(struct ml_log *log, struct ml_log_entry *out, uint64_t n) ML_MUST_CHECK;
void ml_log_entry_done(struct ml_log *log); /* gives the row back */

/* log_put.c */
ml_err ml_log_put(struct ml_log *log, struct ml_log_one *one) ML_MUST_CHECK;
/** *filled: its body was absent and wanted, and is here now. */
ml_err ml_log_body_fill(struct ml_log *log, bool *filled, uint64_t n,
                        const struct ml_log_one *one) ML_MUST_CHECK;
/** Does the chain keep count of this citation? Of what it waits for, and of its own writer's. */
bool ml_log_is_tracked(const struct ml_header *header, const struct ml_dep *dep);
/** Raises `cites` by the tracked citations of a header. */
ml_err ml_log_cites_add(struct ml_log *log, struct ml_log_vec *cites,
                        const struct ml_header *header) ML_MUST_CHECK;
uint32_t ml_log_wire_len(size_t header_len, size_t body_len, bool absent);

/** Another body in the place of the one that is stored, and its length on the wire. */
ml_err ml_log_body_set(struct ml_log *log, uint64_t n, int64_t flags, struct ml_slice body,
                       uint32_t bytes) ML_MUST_CHECK;
/** A body that was absent is here: the hole goes, ml_log_epoch is another. */
ml_err ml_log_body_come(struct ml_log *log, uint64_t n, int64_t flags, struct ml_slice body,
                        uint32_t bytes) ML_MUST_CHECK;

/* log_past.c */
#define ML_LOG_PAST_STEP 256u /* numbers from one stored past to the next */
void ml_log_past_roll(struct ml_hash *past, const struct ml_hash *bundle);
/** Bundle `n` is stored above all others: the tally's past is its own. */
ml_err ml_log_past_add(struct ml_log *log, uint64_t n, const struct ml_hash *bundle) ML_MUST_CHECK;
/** The stored one of a multiple of ML_LOG_PAST_STEP. CORRUPT: there is none. */
ml_err ml_log_past_row(struct ml_log *log, struct ml_hash *out, uint64_t n) ML_MUST_CHECK;
ml_err ml_log_past_upgrade(struct ml_log *log) ML_MUST_CHECK; /* before anything is written */
/** A stored verdict changed, or this `body` of bundle `n` came: another ml_log_epoch. */
void ml_log_epoch_turn(struct ml_log *log, uint64_t n, struct ml_slice body);

/* log_shred.c */
/** A bundle of lane 1 is stored, or its body came: notes its SHREDs, obeys what waited for it. */
ml_err ml_log_shreds_note(struct ml_log *log, uint64_t n, const struct ml_hash *hash) ML_MUST_CHECK;
/** Verdicts changed: what waits is looked at again. */
ml_err ml_log_shreds_retry(struct ml_log *log) ML_MUST_CHECK;
/* After an upgrade, once: the SHREDs that a program stored which didn't know them. */
ml_err ml_log_shreds_upgrade(struct ml_log *log) ML_MUST_CHECK;
/** The body of stored bundle `n`, a hole, came with leaves: kept beside it. *adopted: SHREDs
 * account for each of them, and it is the body now. */
ml_err ml_log_leaves_keep(struct ml_log *log, bool *adopted, uint64_t n,
                          const struct ml_log_one *one) ML_MUST_CHECK;

/* log_chunk.c */
struct ml_log_chunk {
    uint64_t id;
    struct ml_hash hash;
    uint32_t bytes;
    bool here;
};
/** A body of lane 4 is stored: what it names and isn't listed is missing. */
ml_err ml_log_chunks_note(struct ml_log *log, struct ml_slice body) ML_MUST_CHECK;
/** Is all that it names listed? */
ml_err ml_log_chunks_listed(struct ml_log *log, struct ml_slice body, bool *listed) ML_MUST_CHECK;
/** The first one after the id. NOT_FOUND: there is none. */
ml_err ml_log_chunk_after(struct ml_log *log, uint64_t after,
                          struct ml_log_chunk *out) ML_MUST_CHECK;
/** Bytes of a row, borrowed until the next call. CORRUPT: it has none. */
ml_err ml_log_chunk_read(struct ml_log *log, uint64_t id, struct ml_slice *sealed) ML_MUST_CHECK;
/** Its bytes are destroyed: missing from now on, under another id. */
ml_err ml_log_chunk_lose(struct ml_log *log, const struct ml_log_chunk *chunk) ML_MUST_CHECK;

/** The first bundle whose hash starts so; *n 0: none. */
ml_err ml_log_find_hash(struct ml_log *log, uint64_t *n,
                        const struct ml_hash16 *hash) ML_MUST_CHECK;

/* log_fork.c */
/** Compares with what is stored of the writer: one->freeze, one->refrozen. */
ml_err ml_log_fork_check(struct ml_log *log, struct ml_log_one *one) ML_MUST_CHECK;
/** Judges anew what a new freeze of its writer touches. */
ml_err ml_log_refreeze(struct ml_log *log, const struct ml_log_one *one) ML_MUST_CHECK;
/** Governance from the stored lane 0. */
ml_err ml_log_gov_replay(struct ml_log *log) ML_MUST_CHECK;

/* log_judge.c */
/** A bundle of lanes 1 to 4 to be ruled on. */
struct ml_log_ruled {
    const struct ml_log_writer *writer;
    const struct ml_own_vec *freeze;
    struct ml_gvec *gvec;
    struct ml_hash hash;
    uint32_t seq;
    uint32_t ops;
    uint8_t lane;
    uint64_t writes; /* ml_writes_of its header, and its hlc, where governance wants them */
    uint64_t hlc;
};
/** What one is worth that comes now: nobody here has cited it. */
ml_err ml_log_rule(struct ml_log *log, struct ml_ruling *out,
                   const struct ml_log_ruled *of) ML_MUST_CHECK;
/** Judges anew what a bundle that was just stored changes: counted in log->anew. */
ml_err ml_log_judge_others(struct ml_log *log, const struct ml_log_one *one) ML_MUST_CHECK;
struct ml_log_since {
    const struct ml_view *before;       /* what stored verdicts rest on; NULL: all is looked at */
    const struct ml_log_writer *forked; /* frozen since, or NULL */
};
ml_err ml_log_judge_anew(struct ml_log *log, const struct ml_log_since *since) ML_MUST_CHECK;
/** Tells each bundle whose verdict isn't the derived one. */
struct ml_log_check {
    void (*differs)(void *user, uint64_t n, const struct ml_dep *place); /* place NULL: lane 0 */
    void *user;
};
ml_err ml_log_judge_check(struct ml_log *log, const struct ml_log_check *check) ML_MUST_CHECK;

#endif
