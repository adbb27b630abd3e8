/* net/node/promote.h -- a new coordinator by those of rank 2 or better, without Root (rules B16,
 * docs/governance.md): what a proposal of one lacks. Org thread. */
#ifndef ML_NODE_PROMOTE_H
#define ML_NODE_PROMOTE_H

#include <stdbool.h>

#include "core/codec/govop.h"
#include "net/node/call.h"
#include "net/node/govern.h"
#include "net/node/org.h"

/** Does the op make a coordinator? */
bool ml_promotes(const struct ml_govop *op);
/** The role that this one has as a coordinator; a garant had none: an administrator's. */
uint16_t ml_promoted_role(const struct ml_fact *member);
/** Does it take a majority: a coordinator's, or other keys for Root? */
bool ml_takes_majority(const struct ml_govop *op);
/** How many make one here, and how many could sign; of a promotion `subject` couldn't (NULL: of
 * other keys for Root). */
unsigned ml_majority_needed(const struct ml_org *org);
unsigned ml_majority_able(const struct ml_org *org, const struct ml_member_id *subject);
/** ml_call_detail of the three numbers: needed, whole, able. */
void ml_majority_detail(struct ml_call *call, const struct ml_member_id *subject);
struct ml_promotion {
    const struct ml_govop *op;
    const struct ml_proposal *signed_in; /* NULL: nobody signed yet */
    const struct ml_member_id *with;     /* who signs beside; NULL: nobody */
};
/** Of an op that does: how many hands are `missing` of a majority of `whole`, and whose are
 * `awaited`, into the open map; nothing of another op. */
void ml_promote_put(struct ml_org *org, struct ml_args *out, const struct ml_promotion *p);
/** Proposes it, as the session's member. */
ml_err ml_method_member_promote(struct ml_call *call);
/** Makes a member a référent (2), or a référent a member (3), by a coordinator alone. */
ml_err ml_method_member_rank(struct ml_call *call);

#endif
