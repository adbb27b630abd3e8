/* core/model/frontier.h -- the heads a node holds, and the digest that two nodes compare first
 * (rules B22). A head is a struct ml_dep; a forked chain has several. Pure; any thread.
 */
#ifndef ML_MODEL_FRONTIER_H
#define ML_MODEL_FRONTIER_H

#include <stddef.h>
#include <stdint.h>

#include "core/codec/bundle.h"

/** A bundle whose body isn't here. */
struct ml_hole {
    struct ml_dep bundle;
    uint8_t reason; /* ml_absent, never NONE */
};

/** What two nodes compare first. Lane 2 is outside: it never starts an exchange (rules B23). */
struct ml_frontier_digest {
    uint8_t frontier[16];
    uint8_t holes[16]; /* zero: none */
};

/** In place, by writer, lane, seq, hash. */
void ml_frontier_sort(struct ml_dep *heads, size_t count);
void ml_holes_sort(struct ml_hole *holes, size_t count);

/** The digest of two sorted lists without lane 2. Equal digests: the same bundles, and the same
 * bodies. No holes: the second half is zero. */
struct ml_frontier_digest ml_frontier_digest(const struct ml_dep *heads, size_t head_count,
                                             const struct ml_hole *holes, size_t hole_count);

#endif
