/* net/node/root_act.h -- what Root says once enough sheets are joined (rules B16): somebody is a
 * coordinator, and the one who is gone is denied. Org thread. */
#ifndef ML_NODE_ROOT_ACT_H
#define ML_NODE_ROOT_ACT_H

#include "core/crypto/secret.h"
#include "net/node/call.h"

/** Does the call ask for an act of Root: params.promote? */
bool ml_root_act_wanted(const struct ml_call *call);

/**
 * Writes the act into the session's lane 0: params.member (or the session's own) becomes a
 * coordinator; params.gone, when given, is denied from what is here of him on, as `mode` says. One
 * bundle, each op signed by Root for that bundle alone. `structure` is the secret that the sheets
 * made. Answers "coordinator" and "gone". Errors: INVALID, NOT_FOUND and EXISTS with the text,
 * those of writing.
 */
ml_err ml_root_act(struct ml_call *call, const struct ml_secret *structure) ML_MUST_CHECK;

#endif
