/* net/node/tally.h -- the exchanges of a day, summed up once into one entry of lane 2 (rules B23).
 *
 * Exchanges are traced on this node alone: counted as they go, kept in a setting of the log store,
 * and told to the auditor once a day (UTC) as the node's own entry. A day without any has no entry.
 * A day that ended while the node was off is told when it opens again. Org thread.
 */
#ifndef ML_NODE_TALLY_H
#define ML_NODE_TALLY_H

#include <stdint.h>

#include "core/base/buf.h"
#include "maille/err.h"
#include "maille/types.h"

struct ml_org;

/** What passed over a link. */
struct ml_tally_flow {
    uint64_t bundles_in;
    uint64_t bytes_in;
    uint64_t bundles_out;
    uint64_t bytes_out;
};

/** The journal is open. NOMEM, the store's. */
ml_err ml_tally_open(struct ml_org *org) ML_MUST_CHECK;
/** Keeps what was counted; not there: does nothing. */
void ml_tally_close(struct ml_org *org);

void ml_tally_began(struct ml_org *org, const struct ml_node_id *peer);
/** A link's totals went from `before` to `now`; of a new session `now` is all of it. */
void ml_tally_moved(struct ml_org *org, const struct ml_tally_flow *before,
                    const struct ml_tally_flow *now);
/** Keeps the tally too: a cut of power costs the count of what is going on, no more. */
void ml_tally_ended(struct ml_org *org, ml_err reason);

/** When to look whether the day is over. */
uint64_t ml_tally_next_ms(const struct ml_org *org);
void ml_tally_tick(struct ml_org *org);

#endif
