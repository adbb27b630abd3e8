/* net/node/govern.h -- acts of governance that take more than one hand (rules B16). Org thread.
 *
 * A proposal is the act itself, said by who may not say it alone, with his own hand in it: every
 * node keeps it, and it doesn't count. Whoever signs it says the same again with all hands that
 * were given so far, and names the place where it was said first, which all hands sign; the first
 * who may say it with these is heard, and nobody who knows that.
 */
#ifndef ML_NODE_GOVERN_H
#define ML_NODE_GOVERN_H

#include <stdbool.h>

#include "core/codec/govop.h"
#include "net/node/org.h"

/** Says it as the session's member. *counts: it does; without `propose` what wouldn't is DENIED. */
ml_err ml_govern_say(struct ml_org *org, struct ml_govop *op, bool propose,
                     bool *counts) ML_MUST_CHECK;

/** A checkpoint of all that the log holds. *chains: of how many, at most ML_CUTS_MAX, else LIMIT.
 */
ml_err ml_govern_checkpoint(struct ml_org *org, uint32_t *chains) ML_MUST_CHECK;

enum { ML_PROPOSALS_MAX = 64 };

/** Of what was proposed and isn't done, as said last. */
struct ml_proposal {
    struct ml_hash bundle;
    struct ml_hash asked;                    /* what its hands sign: the same of all who said it */
    uint64_t n;                              /* of its bundle */
    struct ml_writer_id hands[ML_HANDS_MAX]; /* whose signature is right, of all who said it */
    uint32_t hand_count;
};
struct ml_proposals {
    struct ml_proposal at[ML_PROPOSALS_MAX];
    unsigned count;
};
/** The last ones. NOMEM, IO, CORRUPT. */
ml_err ml_govern_proposals(struct ml_org *org, struct ml_proposals *out) ML_MUST_CHECK;
/** The one op of a stored act; its slices live until the log is read again. NOT_FOUND: it has more,
 * or takes no hands. */
ml_err ml_govern_op_of(struct ml_org *org, uint64_t n, struct ml_govop *op,
                       struct ml_log_entry *entry) ML_MUST_CHECK;
/** Signs it, and says it again. *counts: that was enough. */
ml_err ml_govern_cosign(struct ml_org *org, const struct ml_proposal *proposal,
                        bool *counts) ML_MUST_CHECK;

#endif
