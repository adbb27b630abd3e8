/* net/node/consent.h -- what patients decided, on a node: said, obeyed, told to keys. Org thread; a
 * session is there. */
#ifndef ML_NODE_CONSENT_H
#define ML_NODE_CONSENT_H

#include "core/record/consents.h"
#include "net/node/org.h"

/** Says it: `said` but for `unique` and `seen`, which are filled in; durable when it returns. *id:
 * its name. NOT_FOUND: no such patient here; DENIED: the member isn't enrolled; NO_KEY; LIMIT. */
ml_err ml_consent_say(struct ml_org *org, struct ml_consent *said,
                      struct ml_consent_id *id) ML_MUST_CHECK;

/** Writes the receipts of what this session's vault obeys by now. A failure is logged, and tried
 * again later. */
void ml_consent_receipts(struct ml_org *org);

/** ml_exclusions.ask of a session; ctx: its org. */
ml_err ml_consent_ask(void *ctx, struct ml_exclusion *out, const struct ml_object_id *patient,
                      ml_compartment compartment, const struct ml_member_id *member) ML_MUST_CHECK;

/** By now, and by all that governance knows. */
void ml_consent_person_now(const struct ml_org *org, struct ml_consent_person *out,
                           const struct ml_member_id *member);

/** Is this receipt of the vault of this member on this node? */
bool ml_consent_is_receipt(const struct ml_org *org, const struct ml_consents *c, size_t fact,
                           const struct ml_member_id *member, const struct ml_node_id *node);

#endif
