/* net/node/trace_proof.h -- the proof of the traces: trace.verify. Org thread. */
#ifndef ML_NODE_TRACE_PROOF_H
#define ML_NODE_TRACE_PROOF_H

#include "net/node/call.h"

/** Chains, signatures and bodies of lane 2; for who reads all: each entry, and of each node's
 * journal which places are missing. */
ml_err ml_trace_verify(struct ml_call *call) ML_MUST_CHECK;

#endif
