/* net/node/enrol_here.h -- a member on a node that is in the structure already: a shared computer's
 * second one, or one who forgot what opens his slot. Org thread.
 */
#ifndef ML_NODE_ENROL_HERE_H
#define ML_NODE_ENROL_HERE_H

#include "net/node/org.h"

/** Of a slot that is made here. All borrowed. */
struct ml_new_slot {
    struct ml_member_id member;
    struct ml_slice passphrase;
    const struct ml_member_secrets *secrets;
};

/** A slot and a section of his own, saved; the node is open. One that he had is deleted unopened,
 * with his vault and drafts, which nothing opens any more; his session ends. NOMEM, LIMIT, IO, FULL
 * ...: nothing has changed. */
ml_err ml_slot_put(struct ml_org *org, const struct ml_new_slot *slot) ML_MUST_CHECK;

/** Does governance say that he has no place on this node any more: revoked, not suspended? */
bool ml_org_is_gone(const struct ml_org *org, const struct ml_member_id *member);
/** Deletes what those who are gone had here, unopened (rules C12): vault, drafts and slot, but for
 * who is unlocked now, until he locks. The slot of the last one stays: it alone opens the log that
 * has to be drained; but it opens no session. What can't be deleted is tried again at the next
 * unlock. */
void ml_org_drop_gone(struct ml_org *org);
/** The same, if governance has said something since. */
void ml_org_tick_gone(struct ml_org *org);
/** Has governance said something since the last time? */
bool ml_org_gone_waits(const struct ml_org *org);

/** "enrol.here": with a code of a coordinator, who is here too or at params.address. */
ml_err ml_method_enrol_here(struct ml_call *call) ML_MUST_CHECK;

#endif
