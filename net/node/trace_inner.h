/* net/node/trace_inner.h -- what the files of a structure's traces share: trace.c (entries),
 * trace_cut.c (bundles of lane 2), knock.c (unlocks that failed while all was closed). */
#ifndef ML_NODE_TRACE_INNER_H
#define ML_NODE_TRACE_INNER_H

#include "core/store/tracejournal.h"
#include "net/node/org.h"
#include "net/node/trace.h"

struct ml_trace_pending {
    struct ml_trace_pending *next;
    uint64_t index;            /* in the journal */
    struct ml_member_id actor; /* zero: the node itself */
    size_t len;
    uint8_t plain[];
};

struct ml_traces {
    struct ml_tracejournal *journal;
    struct ml_secret *key;
    struct ml_trace_pending *first; /* oldest first */
    struct ml_trace_pending **last;
    size_t count;
    uint64_t cut_at_ms; /* 0: nothing waits */
};

/** The log is open. What a crash left in the journal waits for its member. */
ml_err ml_traces_open(struct ml_org *org) ML_MUST_CHECK;
void ml_traces_close(struct ml_org *org);

/** Journal index up to which this actor's entries are in bundles, and its note. */
uint64_t ml_trace_noted(struct ml_org *org, const struct ml_member_id *actor);
ml_err ml_trace_note_cut(struct ml_org *org, const struct ml_member_id *actor,
                         uint64_t index) ML_MUST_CHECK;

/** An unlock failed while the structure is closed, and with it the journal: kept in a file of its
 * own, in clear (who is claimed, how often, when last), durable when it returns. */
ml_err ml_knock_add(struct ml_org *org, const struct ml_member_id *claimed) ML_MUST_CHECK;
/** The structure is open: each becomes an entry of the journal, then the file goes. */
ml_err ml_knock_tell(struct ml_org *org) ML_MUST_CHECK;

#endif
