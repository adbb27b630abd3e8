/* net/node/exclude.h -- the keys of a patient's data while he leaves somebody out (rules A5): whom
 * consent excludes (core/model/exclusion.h) and whom governance entitles, put together. Org thread,
 * within a session. */
#ifndef ML_NODE_EXCLUDE_H
#define ML_NODE_EXCLUDE_H

#include "net/node/keys.h"

/** After a decision that is durable and in the session's vault: brings the keys of these
 * compartments (bit c: compartment c) in step with it, whether it left somebody out or took him in
 * again. Idempotent. What this member can't do another writer does: ML_OK. */
ml_err ml_exclude_apply(struct ml_org *org, const struct ml_object_id *patient,
                        unsigned compartments) ML_MUST_CHECK;

/** Seals to who came since, or got another computer, what is sealed to members one by one: who
 * brings the groups' keys in step does this too. Idempotent. */
ml_err ml_exclude_keep(struct ml_org *org) ML_MUST_CHECK;

/** One stream, for whoever writes. */
struct ml_exclude_at {
    const struct ml_object_id *patient;
    ml_compartment compartment;
};
/** Is anybody left out there? */
ml_err ml_exclude_any(struct ml_org *org, const struct ml_exclude_at *at, bool *any) ML_MUST_CHECK;
/** The key for a new op where somebody is. NOT_FOUND, NO_KEY. */
ml_err ml_exclude_key(struct ml_org *org, const struct ml_exclude_at *at,
                      struct ml_seal_key *key) ML_MUST_CHECK;
/** What keys lack there. NOT_FOUND; NO_KEY: this member is left out, or not entitled. */
ml_err ml_exclude_emit(struct ml_org *org, const struct ml_exclude_at *at,
                       struct ml_keys *keys) ML_MUST_CHECK;

/** Destroys what gives older keys there to whom is left out, once all others have them (shred.h).
 */
ml_err ml_exclude_shred(struct ml_org *org, const struct ml_exclude_at *at) ML_MUST_CHECK;

/** A key for one act of somebody who can't read what he files (rules A7); his until
 * ml_keyring_drop. NOT_FOUND, NO_KEY. */
struct ml_deposit {
    struct ml_keys *keys;   /* its ops go there */
    struct ml_seal_key key; /* filled */
};
ml_err ml_exclude_deposit(struct ml_org *org, const struct ml_exclude_at *at,
                          struct ml_deposit *deposit) ML_MUST_CHECK;

#endif
