/* net/node/garant.h -- those whom a founder names to sign beside others (rules B16). Org thread. */
#ifndef ML_NODE_GARANT_H
#define ML_NODE_GARANT_H

#include "core/crypto/secret.h"
#include "core/model/gov.h"
#include "net/node/call.h"

#define ML_GARANTS_MAX 8u

/** Why somebody of no better rank may not, who must have rank 2 or better: the text. NULL: nobody.
 */
static inline const char *ml_rank_wanted(const struct ml_fact *actor)
{
    return actor != NULL && actor->rank == ML_RANK_GARANT ? "rank.garant" : "rank.referent";
}

/** params.garants: names, none of them empty. INVALID, LIMIT with the text. */
ml_err ml_garants_check(struct ml_call *call) ML_MUST_CHECK;

/**
 * Names each of params.garants in the session's lane 0, signed by Root, and answers "garants":
 * before there is any other member. `structure` is Root's secret. Errors: those of writing.
 */
ml_err ml_garants_name(struct ml_call *call, struct ml_org *org,
                       const struct ml_secret *structure) ML_MUST_CHECK;

#endif
