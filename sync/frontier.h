/* sync/frontier.h -- a sorted set of heads: ours, or what we believe of a peer.
 *
 * Sorted by ml_dep_compare; the heads of one chain (writer, lane) lie side by side, several of them
 * when it is forked. Bounded by ML_SYNC_HEADS_MAX. Owns its array.
 */
#ifndef ML_SYNC_FRONTIER_H
#define ML_SYNC_FRONTIER_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/codec/bundle.h"

/* What we know of a peer's head; none of them in our own frontier. */
#define ML_HEAD_KNOWN  1u  /* it is in our store */
#define ML_HEAD_AHEAD  2u  /* not here, and above all we have of its chain */
#define ML_HEAD_ASKED  4u  /* our store is being asked */
#define ML_HEAD_OPEN   8u  /* not here, and not above: where do we part? */
#define ML_HEAD_FORKED 16u /* not here, and we know where we part: `from`, `common` */

struct ml_head {
    struct ml_dep id;
    uint32_t from;   /* FORKED: first place in the chain that differs, whatever the branch */
    uint32_t shared; /* FORKED: the highest place below it that is here; 0: not known */
    struct ml_hash16 common; /* `shared` > 0: what stands there */
    uint8_t flags;
};

struct ml_frontier {
    const struct ml_env *env; /* borrowed */
    struct ml_head *heads;
    size_t count;
    size_t cap;
};

/** The heads of one chain, borrowed until the frontier changes. */
struct ml_chain {
    struct ml_head *heads;
    size_t count;
};

void ml_sync_frontier_init(struct ml_frontier *f, const struct ml_env *env);
void ml_sync_frontier_free(struct ml_frontier *f);
/** Room for `extra` more heads; after it that many puts cannot fail. NOMEM, LIMIT. */
ml_err ml_sync_frontier_reserve(struct ml_frontier *f, size_t extra) ML_MUST_CHECK;
/** Replaces all. NOMEM, LIMIT; INVALID when not sorted. */
ml_err ml_sync_frontier_assign(struct ml_frontier *f, const struct ml_dep *heads,
                               size_t count) ML_MUST_CHECK;
ml_err ml_sync_frontier_copy(struct ml_frontier *f, const struct ml_frontier *from,
                             uint8_t flags) ML_MUST_CHECK;

/** Replaces all by the heads of one lane. NOMEM, LIMIT. */
ml_err ml_sync_frontier_copy_lane(struct ml_frontier *f, const struct ml_frontier *from,
                                  uint8_t lane) ML_MUST_CHECK;

struct ml_head *ml_sync_frontier_find(const struct ml_frontier *f, const struct ml_dep *id);
struct ml_chain ml_sync_frontier_chain(const struct ml_frontier *f,
                                       const struct ml_writer_id *writer, uint8_t lane);
/** Adds the head, or sets the flags of the one that is there. NOMEM, LIMIT. */
ml_err ml_sync_frontier_put(struct ml_frontier *f, const struct ml_dep *id,
                            uint8_t flags) ML_MUST_CHECK;
/** A bundle was added to its chain: it takes the place of `prev` when that is a head, and stands
 * beside the others when not. NOMEM, LIMIT. */
ml_err ml_sync_frontier_extend(struct ml_frontier *f, const struct ml_dep *id,
                               const struct ml_hash16 *prev, uint8_t flags) ML_MUST_CHECK;
/** As _extend, for several bundles at once: `old` is the one before the first of them. */
ml_err ml_sync_frontier_replace(struct ml_frontier *f, const struct ml_dep *old,
                                const struct ml_dep *id, uint8_t flags) ML_MUST_CHECK;
void ml_sync_frontier_drop_lane(struct ml_frontier *f, uint8_t lane);
/** Every chain of `over` takes the place of the same chain here. NOMEM, LIMIT: nothing changed. */
ml_err ml_sync_frontier_overlay(struct ml_frontier *f,
                                const struct ml_frontier *over) ML_MUST_CHECK;

/** Rules B22: of lanes 0, 1, 3, 4, or (`trace`) of lane 2 alone. */
struct ml_hash16 ml_sync_frontier_digest(const struct ml_frontier *f, bool trace);

/** Walks the chains of two frontiers side by side. */
struct ml_chain_walk {
    const struct ml_frontier *a;
    const struct ml_frontier *b;
    size_t i;
    size_t j;
};

struct ml_chain_pair {
    struct ml_writer_id writer;
    uint8_t lane;
    struct ml_chain a; /* either may be empty, not both */
    struct ml_chain b;
};

void ml_chain_walk(struct ml_chain_walk *w, const struct ml_frontier *a,
                   const struct ml_frontier *b);
bool ml_chain_next(struct ml_chain_walk *w, struct ml_chain_pair *out);
bool ml_chain_same(const struct ml_chain *a, const struct ml_chain *b);
bool ml_chain_holds(const struct ml_chain *c, const struct ml_dep *id);
/** Highest seq; 0 for none. */
uint32_t ml_chain_top(const struct ml_chain *c);

/** A base as it is kept between two exchanges. NOMEM. */
ml_err ml_base_encode(struct ml_buf *out, const struct ml_frontier *f) ML_MUST_CHECK;
/** MALFORMED, NOMEM, LIMIT: `f` is as it was. */
ml_err ml_base_decode(struct ml_frontier *f, struct ml_slice base) ML_MUST_CHECK;

#endif
