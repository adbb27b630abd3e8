/* net/node/retention.h -- what time it is for what is destroyed when a time is over (ADR 0024).
 * Org thread. */
#ifndef ML_NODE_RETENTION_H
#define ML_NODE_RETENTION_H

#include "net/node/org.h"

/** UTC milliseconds that this node's clock and bundles of two members or more have all reached: a
 * clock that one person set forward ends nothing (as rules B15). 0: fewer than two have written. */
ml_err ml_retention_ms(struct ml_org *org, uint64_t *ms) ML_MUST_CHECK;

/** Traces older than the structure keeps them go from this node's log: looked at at each unlock and
 * every hour of a session. */
void ml_retention_tick(struct ml_org *org);
/** Traces before this moment may have been destroyed here, UTC milliseconds; 0: none was. */
ml_err ml_retention_kept_from(struct ml_org *org, uint64_t *ms) ML_MUST_CHECK;

#endif
