/* net/node/keep.h -- keys in step with who is there, by whom nobody asked: a member who came, or
 * has another computer, is sealed what he lacks by the first entitled node that can (rules A3, A5).
 * Org thread.
 *
 * At an unlock at once. When others' acts or keys come in later, or a dated role begins or ends (a
 * substitute's), each node waits for a time of its own, so that most find that one of them has done
 * it. What a date changes for the session's own member is done at that date: his vault opens, or
 * is purged, though nothing came and nobody asked.
 */
#ifndef ML_NODE_KEEP_H
#define ML_NODE_KEEP_H

#include "net/node/org.h"

/** The session's vault has taken in all that the log has. The first time it seals at once, and
 * what fails is an error; later it notices what changed. */
ml_err ml_keep_followed(struct ml_org *org) ML_MUST_CHECK;
/** A patient decided here, which is durable: his keys follow at the node's next turn, or are tried
 * again within a minute; of more than ML_KEEP_DECIDED_MAX at once with the next entry on them. */
void ml_keep_decided(struct ml_org *org, const struct ml_object_id *patient);
/** When to look again, monotonic: to seal, or because a date comes; UINT64_MAX: nothing changed. */
uint64_t ml_keep_next_ms(const struct ml_org *org);
void ml_keep_tick(struct ml_org *org);

#endif
