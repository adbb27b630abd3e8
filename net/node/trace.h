/* net/node/trace.h -- who did what to whose record (SEC.4): written before the answer. Org thread.
 *
 * An entry goes to the sealed journal of this node (write, no fsync; fsynced when it refuses or
 * breaks a glass); every 30 s, or 64 entries, and at the next unlock, the journal is cut into a
 * lane-2 bundle sealed to the auditor and to the author (decisions 16). */
#ifndef ML_NODE_TRACE_H
#define ML_NODE_TRACE_H

#include "core/codec/trace.h"
#include "net/node/call.h"
#include "net/node/org.h"

#define ML_TRACE_CUT_MS      30000u
#define ML_TRACE_CUT_ENTRIES 64u

struct ml_trace_note {
    ml_trace_action action;
    ml_trace_result result;
    struct ml_object_id patient; /* zero: none */
    struct ml_object_id object;
    uint16_t entity;
    uint32_t count; /* of a list: how many were shown */
};

/** Of the call's session; its purpose and method name go along. An error: the call must not be
 * answered with data. */
ml_err ml_trace_note(struct ml_call *call, const struct ml_trace_note *note) ML_MUST_CHECK;

uint64_t ml_trace_next_ms(const struct ml_org *org);
void ml_trace_tick(struct ml_org *org);
/** Cuts what is in the journal, if its author is unlocked. */
ml_err ml_trace_cut(struct ml_org *org) ML_MUST_CHECK;

#endif
