/* net/node/trace_read.h -- bundles of lane 2, read again: by the auditor all, by a member his own.
 * Org thread; needs a session. */
#ifndef ML_NODE_TRACE_READ_H
#define ML_NODE_TRACE_READ_H

#include "core/codec/trace.h"
#include "net/node/org.h"

/** The audit pair's secret half, where the session's member was handed it; else NULL. Borrowed
 * until the keyring forgets. */
const struct ml_secret *ml_trace_audit_key(const struct ml_org *org);

struct ml_trace_found {
    const struct ml_log_entry *bundle;
    uint32_t index;                /* the op's place in it */
    struct ml_trace_entry entry;   /* texts borrowed for the call */
    const struct ml_fact *opening; /* of the writer that signed it; NULL: unknown */
    bool doubtful; /* it says that somebody acted, or a node, that its writer isn't of */
};
typedef ml_err ml_trace_found_cb(void *user, const struct ml_trace_found *found);

struct ml_trace_reading {
    struct ml_org *org;
    const struct ml_secret *audit; /* NULL: only what is sealed to the session's member here */
    ml_trace_found_cb *each;
    void *user;
    uint32_t closed;  /* counts bundles whose key isn't held */
    uint32_t damaged; /* counts entries that don't open or aren't entries */
};
/** Each entry of a stored bundle of lane 2 whose body is here; an error of `each` ends it. NOMEM.
 */
ml_err ml_trace_read(struct ml_trace_reading *r, const struct ml_log_entry *bundle) ML_MUST_CHECK;

#endif
