/* net/node/trace.h -- who did what to whose record (SEC.4): written before the answer. Org thread.
 *
 * An entry goes to the sealed journal of this node (write, no fsync; fsynced when it refuses or
 * breaks a glass); every 30 s, or 64 entries, and at the next unlock, the journal is cut into a
 * lane-2 bundle sealed to the auditor and to the author (decisions 16). What no proven member did,
 * a failed unlock, a stranger's call, the day's exchanges, is the node's own: the next bundle of
 * whoever is unlocked carries it, sealed to the auditor alone. */
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
    uint32_t count;      /* of a list: how many were shown */
    const char *purpose; /* NULL: what the caller says, else care */
};

/** Of the call's session; its purpose and method name go along. An error: the call must not be
 * answered with data. */
ml_err ml_trace_note(struct ml_call *call, const struct ml_trace_note *note) ML_MUST_CHECK;

/** What the node itself has to say; fsynced. */
struct ml_trace_of_node {
    ml_trace_action action;
    ml_trace_result result;
    struct ml_slice context;     /* text */
    uint32_t count;              /* so many alike; 0: one */
    uint64_t wall_ms;            /* when; 0: now */
    struct ml_member_id claimed; /* who someone says to be, as the entry's object; zero: nobody */
};
/** *index: its place in the journal. The structure is open. */
ml_err ml_trace_of_node(struct ml_org *org, const struct ml_trace_of_node *what,
                        uint64_t *index) ML_MUST_CHECK;

/** A call ends with DENIED, or with LOCKED in another's open session: traced at once, fsynced.
 * Other errors, and a closed structure: nothing. A trace that fails is logged. */
void ml_trace_refused(struct ml_call *call, ml_err why);
/** The same of an unlock by a wrong passphrase or wrong words, also while the structure is closed.
 */
void ml_trace_unlock_failed(struct ml_call *call, const struct ml_member_id *claimed);

uint64_t ml_trace_next_ms(const struct ml_org *org);
void ml_trace_tick(struct ml_org *org);
/** Is somebody here whose entries wait? */
bool ml_trace_may_cut(const struct ml_org *org);
/** Cuts what is in the journal, as far as its authors are here. */
ml_err ml_trace_cut(struct ml_org *org) ML_MUST_CHECK;

#endif
