/* support_attack.h -- a thief who has every byte of every disk, and somebody's keystore with its
 * passphrase: tries every key that he comes to on everything that is sealed, whatever it says of
 * whom it is for. Beside the layouts (core/codec, docs/storage, docs/crypto.md) it shares nothing
 * with the code that keeps keys: derivations, pages and journals are read here from the documents.
 *
 * What opens what is found once for all thieves together; what one of them comes to is then a walk
 * from the keys that he begins with. */
#ifndef ML_TESTS_ATTACK_H
#define ML_TESTS_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/assert.h"
#include "core/codec/bundle.h"
#include "core/crypto/box.h"
#include "support_cluster.h"

enum {
    ATTACK_KEYS = 4096,
    ATTACK_TARGETS = 16384,
    ATTACK_BUNDLES = 8192,
    ATTACK_EPOCHS = 1024,
    ATTACK_STREAMS = 1024,
    ATTACK_FILES = 128,
    ATTACK_STARTS = 16,
};

/* X(NAME, text): what is sealed. */
#define ATTACK_KINDS(X)                                                                            \
    X(EPOCH, "group keys")                                                                         \
    X(HISTORY, "history keys")                                                                     \
    X(GRANT, "grants")                                                                             \
    X(OLDER, "older keys")                                                                         \
    X(PAIR, "pairs")                                                                               \
    X(OPENING, "openings of patients")                                                             \
    X(DATA_WRAP, "data keys of groups")                                                            \
    X(DATA_SLOT, "data keys of members")                                                           \
    X(DEPOSIT, "deposits")                                                                         \
    X(GLASS_WRAP, "break-glass wraps")                                                             \
    X(GLASS_SHARE, "shares")                                                                       \
    X(GLASS_SECRET, "break-glass pairs")                                                           \
    X(FOR_ROOT, "what is Root's")                                                                  \
    X(CONSENT, "decisions")                                                                        \
    X(GLASS, "openings of glasses")                                                                \
    X(ANSWER, "shares on their way")                                                               \
    X(CARD, "names")                                                                               \
    X(TRACE_KEY, "keys of traces")                                                                 \
    X(TRACE, "traces")                                                                             \
    X(RECORD, "records")                                                                           \
    X(MANIFEST, "manifests")                                                                       \
    X(CHUNK, "chunks")                                                                             \
    X(SLOT, "keystore slots")                                                                      \
    X(NODE_WRAP, "keystore node keys")                                                             \
    X(MEMBER_SECTION, "keystore member sections")                                                  \
    X(NODE_SECTION, "keystore node sections")                                                      \
    X(JOURNAL, "journal entries")

enum attack_kind {
#define X(name, text) ATTACK_##name,
    ATTACK_KINDS(X)
#undef X
        ATTACK_KIND_COUNT,
};
extern const char *const attack_kind_names[ATTACK_KIND_COUNT];

enum attack_form { ATTACK_IN_SLOT, ATTACK_ANONYMOUS, ATTACK_UNDER_KEY };

/* What its clear bytes say of whom it is for. */
enum attack_for { ATTACK_NOT_SAID, ATTACK_FOR_KEY, ATTACK_FOR_BOX, ATTACK_FOR_NOBODY };

enum { ATTACK_OPENERS = 16 };

struct attack_target {
    enum attack_kind kind;
    enum attack_form form;
    unsigned where; /* bits: on which nodes' disks */
    unsigned node;  /* of a file: whose */
    uint64_t order; /* when it came to the log that was read first */
    struct ml_hash16 bundle;
    struct ml_writer_id writer;
    uint8_t index;
    uint32_t number;      /* a pair's */
    uint8_t pair_kind;    /* ml_pair_kind */
    struct ml_key_id dek; /* of a share */
    enum attack_for names;
    uint8_t who[16]; /* key id, or recipient id */
    struct ml_slot_at at;
    uint8_t nonce[24];
    uint8_t *bytes; /* owned: sealed, then ad */
    size_t sealed_len;
    size_t ad_len;
    uint8_t *plain; /* owned; of the last that opened it */
    size_t plain_len;
    unsigned by[ATTACK_OPENERS]; /* keys */
    unsigned by_count;
    unsigned *gives; /* owned: keys */
    unsigned gives_count;
};

struct attack_key {
    uint8_t b[32];
    enum attack_kind origin;
    struct ml_key_id id;
    struct ml_secret *box; /* NULL: not drawn or derived as an X25519 secret */
    struct ml_box_pk pk;
    uint8_t recipient[16];
    bool wide; /* its box is tried on slots too: a member's, a node's, a pair's */
};

struct attack_epoch {
    struct ml_team_id team;
    uint8_t compartment;
    uint32_t epoch;
    struct ml_key_id kek, hist;
    struct ml_box_pk glass;
    struct ml_box_pk deposit;
};

struct attack_stream {
    struct ml_stream_id stream;
    uint8_t compartment;
};

struct attack_file {
    char path[512]; /* from the cluster's folder on */
    unsigned node;
    uint8_t *bytes; /* owned */
    size_t len;
};

struct attack_bundle {
    struct ml_hash16 hash;
    unsigned first, end; /* targets */
};

/* What one thief begins with: all that the keystore of node `node` gives for one member. */
struct attack_start {
    unsigned node;
    struct ml_member_id member;
    struct ml_writer_id writer;
    unsigned keys[8];
    unsigned count;
    uint8_t file_keys[3][32]; /* of log.db, vault, drafts */
};

struct attack {
    struct cluster *c;
    struct ml_org_id org;
    struct attack_key *keys;
    unsigned key_count;
    struct attack_target *targets;
    unsigned target_count;
    struct attack_bundle *bundles;
    unsigned bundle_count;
    struct attack_epoch *epochs;
    unsigned epoch_count;
    struct attack_stream *streams;
    unsigned stream_count;
    struct attack_file *files;
    unsigned file_count;
    struct attack_start starts[ATTACK_STARTS];
    unsigned start_count;
    uint8_t *room; /* for what opens */
    unsigned long tried;
};

/* What one thief came to. */
struct attack_loot {
    bool *keys;    /* owned, by key */
    bool *targets; /* owned, by target */
};

/** Ends the test when it isn't so. */
static inline void attack_must(bool is)
{
    ML_ASSERT(is);
}

void attack_init(struct attack *a, struct cluster *c);
void attack_free(struct attack *a);

/** Adds a key that somebody has; its number. */
unsigned attack_key(struct attack *a, const uint8_t b[32], enum attack_kind origin);
/** Adds what is sealed; to be filled in. `sealed` and `ad` are copied. */
struct attack_target *attack_target(struct attack *a, enum attack_kind kind, struct ml_slice sealed,
                                    struct ml_slice ad);

/** Every sealed part of every op that these nodes' logs hold (support_attack_log.c). */
void attack_read_logs(struct attack *a);
/** The shares in an opened answer to a request for sensitive data. */
void attack_read_answer(struct attack *a, const struct attack_target *t);
/** Every file of every node, and what is sealed in keystores and journals
 * (support_attack_files.c). */
void attack_read_files(struct attack *a);
/** A thief more: `member`'s slot of node `node`'s keystore opens with the passphrase; else false.
 */
bool attack_begin(struct attack *a, unsigned node, const char *member, const char *passphrase);

/** How many keystores' slots of this member open with this passphrase, or (not NULL) these words.
 */
unsigned attack_unlocks(const struct attack *a, const char *member, const char *passphrase,
                        const struct ml_secret *words);

/** Every key on everything, until nothing new opens. */
void attack_run(struct attack *a);
/** `disks`: bits; only what stands on these. */
void attack_walk(const struct attack *a, unsigned start, unsigned disks, struct attack_loot *loot);
/** Says on stderr by which keys it opens for him. */
void attack_explain(const struct attack *a, const struct attack_loot *loot,
                    const struct attack_target *t);
void attack_loot_free(struct attack_loot *loot);

/** Of all targets, those whose openers aren't exactly the keys that their clear bytes name. */
unsigned attack_misnamed(const struct attack *a);

/* ---- files (support_attack_files.c) ---- */

/** The key `label` of docs/crypto.md gives from `in`. */
void attack_kdf(uint8_t out[32], const char *label, const uint8_t in[32], struct ml_slice context);

/** How many pages and frames of this database or WAL open under this VFS key; *of: how many there
 * are. `all`: else page 1 or frame 1 alone. */
unsigned attack_pages(struct attack *a, const struct attack_file *f, const uint8_t key[32],
                      bool all, unsigned *of);
bool attack_is_database(const struct attack_file *f);
/** Places in files where 32 bytes of a key of the attack stand in clear. */
unsigned attack_keys_in_clear(const struct attack *a);

#endif
