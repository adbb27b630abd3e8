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

/** What sheets of one set give. */
struct ml_joined {
    ml_share_kind kind;
    struct ml_secret *secret;   /* the caller's */
    const struct ml_fact *root; /* whose keys hang on it, in force or not; NULL: nobody's yet */
};
/** Each set among params.shares, at most `max`: more is INVALID with the reason, as of a sheet that
 * is none, of another structure, or of a set that isn't whole. *count is set also after an error.
 */
ml_err ml_recover_sets(struct ml_call *call, struct ml_joined *out, size_t max,
                       size_t *count) ML_MUST_CHECK;

/** The auditor's key, of sheets of it or of the structure's, in force or not: what was written
 * before other keys came is read with the old ones. INVALID with the reason (a share,
 * or none of this structure's), UNSUPPORTED, CORRUPT, NOMEM. */
ml_err ml_recover_auditor(struct ml_call *call, struct ml_secret **secret) ML_MUST_CHECK;

ml_err ml_method_org_recover(struct ml_call *call);

#endif
