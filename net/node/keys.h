/* net/node/keys.h -- appending the key ops that the keyring makes, as bundles of lane 1; keeping
 * the groups' keys for whom governance entitles (rules A3). Org thread. */
#ifndef ML_NODE_KEYS_H
#define ML_NODE_KEYS_H

#include "core/model/keyring.h"
#include "net/node/org.h"

/** Gathers what a ml_keyring_make_* emits: pass ml_keys_emit and the gatherer. */
struct ml_keys {
    struct ml_buf bytes; /* the ops, one after the other */
    struct ml_buf sizes; /* of size_t */
};

void ml_keys_init(struct ml_keys *keys, const struct ml_env *env);
void ml_keys_free(struct ml_keys *keys);
ml_err ml_keys_emit(void *user, struct ml_slice op);

/** Appends all in as few bundles as hold them, then lets the session's keyring take them in. */
ml_err ml_keys_append(struct ml_org *org, struct ml_keys *keys) ML_MUST_CHECK;

/* ---- groups ---- */

#define ML_KEYS_ALL ((1u << (ML_COMPARTMENT_LAST + 1)) - 2) /* every compartment */

/** UTC, never before what is stored: by which dated roles are in force for a write. */
uint64_t ml_keys_utc_ms(const struct ml_org *org);
/** Tells the session's keyring whom governance entitles to each group, if that has changed. */
ml_err ml_keys_tell(struct ml_org *org) ML_MUST_CHECK;
/** How long what was told holds: until a dated role begins or ends. 0: it doesn't any more, as
 * after an act of governance; UINT64_MAX: no date will change it, or nothing was told yet. */
uint64_t ml_keys_hold_ms(const struct ml_org *org);
/** Before anything is sealed in these compartments (bit c: compartment c): the next epoch of each
 * group that somebody holds who isn't entitled any more, then what the entitled lack. A group that
 * isn't this member's, or whose key he awaits, is left as it is. */
ml_err ml_keys_ready(struct ml_org *org, unsigned compartments) ML_MUST_CHECK;
/** The next epoch of every group that is this member's, whoever holds its present key: what is
 * sealed to Root with it is sealed to the one in force. */
ml_err ml_keys_renew(struct ml_org *org) ML_MUST_CHECK;
/** Which of these compartments are in none of the teams this member's to read; `annuaire` is
 * org-wide, and needs no team. */
struct ml_keys_place {
    const struct ml_team_id *teams;
    size_t count;
    unsigned compartments; /* bit c: ml_compartment c */
};
unsigned ml_keys_closed(const struct ml_org *org, const struct ml_keys_place *at);
/** Grants to members what they lack, when governance has changed since the last look; the network's
 * next epoch, or the present one, goes the same way (ml_network_tend). */
ml_err ml_keys_grant(struct ml_org *org) ML_MUST_CHECK;
/** Says which keys of this member's were sealed to him and don't open: the canary. */
ml_err ml_keys_ask(struct ml_org *org) ML_MUST_CHECK;

#endif
