/* net/node/shred.h -- wraps of older keys are destroyed once somebody is left out (rules A5), and
 * each vault on each node signs that it holds them no more. Org thread, within a session. */
#ifndef ML_NODE_SHRED_H
#define ML_NODE_SHRED_H

#include "core/model/keyring_except.h"
#include "net/node/org.h"

/** Of every DEK of patient x compartment that opens here: seals it to all of `who` in an op of this
 * member's own, then shreds what gives it to anybody else, and its break-glass wraps where
 * emergency access is left out. Idempotent; what this member can't open or may not destroy is left
 * to another writer. */
ml_err ml_shred_run(struct ml_org *org, const struct ml_exception *who) ML_MUST_CHECK;

/** Signs for what this session's vault and this node's log destroyed by now. A failure is logged,
 * and tried again later. */
void ml_shred_receipts(struct ml_org *org);

#define ML_SHRED_SIGNERS_MAX 8u

/** How far a record's end has come (ADR 0024): all wraps of all of the patient's keys. */
struct ml_shred_end {
    uint32_t standing; /* wraps that the log still holds */
    uint32_t closed;   /* of these: that this member may not name, another has to */
    uint32_t signer_count;
    struct ml_member_id signers[ML_SHRED_SIGNERS_MAX]; /* members who named any of them */
};
/** Looks. NOT_FOUND: the patient isn't known here. */
ml_err ml_shred_end_look(struct ml_org *org, const struct ml_object_id *patient,
                         struct ml_shred_end *out) ML_MUST_CHECK;
/** Names each wrap that stands as what nothing replaces, for this member; then looks. They go once
 * another member has done so too and one of both has rank 2 or better. Idempotent. */
ml_err ml_shred_end(struct ml_org *org, const struct ml_object_id *patient,
                    struct ml_shred_end *out) ML_MUST_CHECK;

struct ml_call;
/** Puts each SHRED about this patient into an answer, with every member on a node and whether he
 * signed; and how many haven't. */
ml_err ml_shred_describe(struct ml_call *call, const struct ml_object_id *patient) ML_MUST_CHECK;

#endif
