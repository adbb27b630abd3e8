/* core/model/fork.h -- one key, two histories (invariant I1, rules B10, B18).
 *
 * Every header cites its writer's other lane heads, so the bundles of an honest writer form one
 * line: of any two, one is in the closure of the other. Two that aren't are a proof of a fork,
 * whatever their lanes. Every node then freezes the writer at what both histories share; what lies
 * beyond stays, replicates and is quarantined. Pure; any thread.
 */
#ifndef ML_MODEL_FORK_H
#define ML_MODEL_FORK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/codec/bundle.h"
#include "maille/types.h"

/** Per lane the highest number of one writer's own bundles in a closure; 0: none. */
struct ml_own_vec {
    uint32_t seq[ML_LANES];
};

/** A bundle's place in its writer's history. own.seq[lane] is its own number. */
struct ml_own_at {
    uint8_t lane;
    uint32_t seq;
    struct ml_hash16 hash;
    struct ml_own_vec own;
};

/** Nothing is frozen: every number is accepted. */
struct ml_own_vec ml_own_vec_top(void);
void ml_own_vec_meet(struct ml_own_vec *a, const struct ml_own_vec *b); /* pointwise minimum */
bool ml_own_vec_equal(const struct ml_own_vec *a, const struct ml_own_vec *b);

/**
 * Are `a` and `b`, of one writer, a proof of a fork? Then *freeze sinks to what they share: per
 * lane the lower of both, below the number where one lane parted. The meet of all proofs doesn't
 * depend on their order, so that all nodes freeze at the same place.
 */
bool ml_fork_between(struct ml_own_vec *freeze, const struct ml_own_at *a,
                     const struct ml_own_at *b);

/** The number, in another lane, of the first bundle that `at` hasn't in its closure: if that one
 * hasn't `at` in its own, they are a proof, and no later one of the lane says more. */
static inline uint32_t ml_fork_first_unseen(const struct ml_own_at *at, uint8_t lane)
{
    return at->own.seq[lane] + 1;
}

static inline bool ml_fork_is_beyond(const struct ml_own_vec *freeze, uint8_t lane, uint32_t seq)
{
    return seq > freeze->seq[lane];
}

#endif
