/* support_world.h -- a structure with real keys: people, nodes, writers, bundles signed by them. */
#ifndef ML_TESTS_SUPPORT_WORLD_H
#define ML_TESTS_SUPPORT_WORLD_H

#include "core/base/hlc.h"
#include "core/codec/govop.h"
#include "core/crypto/secret.h"
#include "core/store/log.h"
#include "fake_env.h"

#define WORLD_ACTORS 8u
#define WORLD_WIRES  4096u

/** One writer and the member-on-node key beside it. */
struct actor {
    struct ml_secret *seed;
    struct ml_secret *mon;
    struct ml_sign_pk pk;
    struct ml_sign_pk mon_pk;
    struct ml_writer_id id;
    struct ml_member_id member;
    struct ml_node_id node;
};

/** A bundle that was made, in order. */
struct made {
    struct ml_slice wire; /* owned by the world */
    struct ml_dep id;
};

struct world {
    struct fake_env fake;
    struct ml_org_id org;
    struct ml_secret *root;
    struct ml_sign_pk root_pk;
    struct actor actors[WORLD_ACTORS];
    struct made made[WORLD_WIRES];
    size_t made_count;
    char dir[256];
    const char *vfs; /* NULL: the stock one */
    unsigned files;
};

void world_init(struct world *w, uint64_t seed);
/** -1 when something leaked. */
int world_free(struct world *w);

/** A new, empty log in the world's folder. */
struct ml_log *world_log(struct world *w);
struct ml_log *world_reopen(struct world *w, struct ml_log *log); /* the last one made */
/** The last one made, which is closed. */
ml_err world_try_open(struct world *w, struct ml_log **log);
void world_path(const struct world *w, char *out, size_t size); /* of the last one made */

/** What next_own says for an actor, turned into a bundle of `ops` (plaintext in lanes 0 and 1). */
struct draft {
    const struct actor *by;
    uint8_t lane;
    const struct ml_slice *ops;
    uint32_t op_count;
    uint64_t hlc;                   /* 0: as the log asks, or now */
    const struct ml_log_next *next; /* NULL: the log is asked */
};
/** Builds, signs and remembers; not ingested. */
struct ml_slice world_build(struct world *w, struct ml_log *log, const struct draft *d);
/** Nobody gets what was made last. */
void world_forget_last(struct world *w);
/** Builds and ingests into `log`; asserts STORED. Returns the outcome. */
struct ml_log_outcome world_append(struct world *w, struct ml_log *log, const struct draft *d);
struct ml_log_outcome world_ingest(struct ml_log *log, struct ml_slice wire);

/** Genesis of actor 0. */
void world_found(struct world *w);
/** Actor 0 adds and enrols actor `i`, who opens his writer. */
void world_enrol(struct world *w, struct ml_log *log, unsigned i);
/** The same in two steps, of an actor that isn't one of the world's. */
void world_admit(struct world *w, struct ml_log *log, const struct actor *a);
struct ml_slice world_opening(struct world *w, const struct actor *a); /* its op */
/** A record bundle of n small ops. */
struct ml_log_outcome world_record(struct world *w, struct ml_log *log, unsigned i, uint32_t ops);
struct ml_log_outcome world_lane(struct world *w, struct ml_log *log, unsigned i, uint8_t lane);
/** An op of lane 4 that names these chunks. Borrowed until the next call. */
struct ml_slice world_manifest(const struct ml_hash *chunks, uint32_t count, uint32_t bytes);
/** An op as a body of this lane holds it, sealed for nobody. */
struct ml_slice world_sealed(uint8_t lane);
/** One governance op, encoded. Borrowed until the next call. */
struct ml_slice world_op(struct world *w, struct ml_govop *op, const struct ml_secret *cosigner);

/** An op that sets this matrix. Its table is borrowed until the next call. */
struct ml_govop world_matrix(struct world *w, const struct ml_matrix *matrix);
/** Further hands for an op that takes them (DENY, MEMBER_ADD, NODE_ENROL, MATRIX, ROLE_GRANT):
 * actors of this number, up to eight, and Root, who all sign when the bundle is built. Borrowed
 * until the next call. */
void world_hands(struct world *w, struct ml_govop *op, const unsigned *actors, uint32_t count,
                 bool root);
/** Heads that `log` holds of this member's writers, NULL: of all, as cuts or as a checkpoint wants
 * them. Borrowed until the next call. */
struct ml_list world_heads(struct ml_log *log, const struct ml_member_id *member);
/** The ruling of a stored bundle. */
struct ml_ruling world_ruling(struct ml_log *log, const struct ml_dep *id);

bool world_same_state(struct ml_log *a, struct ml_log *b);

#endif
