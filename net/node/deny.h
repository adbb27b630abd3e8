/* net/node/deny.h -- where a denial cuts: at what is here of its subject. Org thread. */
#ifndef ML_NODE_DENY_H
#define ML_NODE_DENY_H

#include "core/codec/govop.h"
#include "net/node/org.h"

struct ml_deny_cuts {
    struct ml_dep *list; /* owned; NULL: none yet */
};

/** deny->cuts: the heads of the subject's writers, of all or of one node, so that what is here of
 * his counts. They borrow *cuts, which the caller frees. LIMIT, NOMEM. */
ml_err ml_deny_cut(struct ml_org *org, struct ml_deny_cuts *cuts,
                   struct ml_deny *deny) ML_MUST_CHECK;
void ml_deny_cuts_free(struct ml_org *org, struct ml_deny_cuts *cuts);

#endif
