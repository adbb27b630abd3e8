/* net/node/trace_inner.h -- opening and closing the traces of a structure (org.c). */
#ifndef ML_NODE_TRACE_INNER_H
#define ML_NODE_TRACE_INNER_H

#include "net/node/org.h"

/** The log is open. What a crash left in the journal waits for its member. */
ml_err ml_traces_open(struct ml_org *org) ML_MUST_CHECK;
void ml_traces_close(struct ml_org *org);

#endif
