/* net/node/ingest.h -- bundles of others into the log, and what follows from it. Org thread. */
#ifndef ML_NODE_INGEST_H
#define ML_NODE_INGEST_H

#include "net/node/org.h"
#include "sync/action.h"

/** An INGEST action: judged, committed, told to the engine; the session's vault follows. */
void ml_org_ingest(struct ml_org *org, const struct ml_sync_action *action);

/** The vault failed to follow (memory, a full disk): what it shows isn't all; tried again soon. */
void ml_org_follow_later(struct ml_org *org, ml_err err);
/** A turn of a vault that is behind; does nothing when none is. */
void ml_org_follow(struct ml_org *org);

#endif
