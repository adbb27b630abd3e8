/* core/model/frontier.h -- the heads a node holds, and the digest that two nodes compare first
 * (rules B22). A head is a struct ml_dep; a forked chain has several. Pure; any thread.
 */
#ifndef ML_MODEL_FRONTIER_H
#define ML_MODEL_FRONTIER_H

#include <stddef.h>
#include <stdint.h>

#include "core/codec/bundle.h"
#include "core/codec/msg.h"

/** A bundle whose body isn't here. */
struct ml_hole {
    struct ml_dep bundle;
    uint8_t reason; /* ml_absent, never NONE */
};

/** In place, by writer, lane, seq, hash. */
void ml_frontier_sort(struct ml_dep *heads, size_t count);
void ml_holes_sort(struct ml_hole *holes, size_t count);

/** BLAKE2b-16 of the sorted heads: writer16, lane u8, seq u32be, hash16. Of lanes 0, 1, 3, 4 it is
 * the first half of an ml_digest, of both kinds of lanes an ml_base_id. */
void ml_frontier_hash(uint8_t out[16], const struct ml_dep *heads, size_t count);

/** The digest of two sorted lists without lane 2. Equal digests: the same bundles, and the same
 * bodies. No holes: the second half is zero. */
struct ml_digest ml_frontier_digest(const struct ml_dep *heads, size_t head_count,
                                    const struct ml_hole *holes, size_t hole_count);

#endif
