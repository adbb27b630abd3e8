/* net/node/recover.h -- the structure's secret in shares (rules B16): cut at founding, joined again
 * by people who hold enough of them. Org thread.
 */
#ifndef ML_NODE_RECOVER_H
#define ML_NODE_RECOVER_H

#include "core/crypto/share.h"
#include "net/node/call.h"

#define ML_SHARES_NEED  3u /* when nobody says otherwise: 3 of 5 */
#define ML_SHARES_COUNT 5u
#define ML_ALONE_NEED   2u /* a structure of one person: 2 of 3 */
#define ML_ALONE_COUNT  3u

/** params.need and params.count, or params.alone, or the default. INVALID with the reason. */
ml_err ml_shares_plan(struct ml_call *call, struct ml_share_plan *plan) ML_MUST_CHECK;
/** Cuts, and writes "shares" into the result: [{index, need, words, line}]. NOMEM. */
ml_err ml_shares_answer(struct ml_call *call, const struct ml_share_plan *plan,
                        const struct ml_secret *secret) ML_MUST_CHECK;

/** The auditor's key, of sheets of it or of the structure's. INVALID with the reason (a share,
 * or none of this structure's), UNSUPPORTED, CORRUPT, NOMEM. */
ml_err ml_recover_auditor(struct ml_call *call, struct ml_secret **secret) ML_MUST_CHECK;

ml_err ml_method_org_recover(struct ml_call *call);

#endif
