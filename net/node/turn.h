/* net/node/turn.h -- what a node does by itself: timers, idle locks, deferred calls. Org thread. */
#ifndef ML_NODE_TURN_H
#define ML_NODE_TURN_H

#include "net/node/state.h"

/** Tells the driver when the next turn is due. */
void ml_node_wake(struct ml_node *node);
/** Something changed in a structure: calls that wait for it look again. */
void ml_node_changed(struct ml_node *node);

#endif
