/* core/model/keyring_group.h -- whom a group's keys are for, and keeping them so (rules A3, A4).
 *
 * Governance entitles; a keyring is told whom, and compares with what lane 1 says in clear of who
 * was given what: the slots of an epoch, and grants. Somebody too many: the epoch doesn't seal any
 * more, and the next one is made before the next seal. Somebody missing: whoever holds the key
 * grants it. Pure, as keyring.h.
 */
#ifndef ML_MODEL_KEYRING_GROUP_H
#define ML_MODEL_KEYRING_GROUP_H

#include "core/model/keyring.h"

struct ml_group_member {
    struct ml_box_pk pk;
    bool keeper; /* may be given HIST, to grant what came before: if he held all that it leads to */
};

struct ml_group {
    struct ml_team_id team; /* ignored for org-wide groups */
    ml_compartment compartment;
    const struct ml_group_member *members;
    size_t count;
};

/** Whom governance entitles to a group from now on; copied. A group that was never told of takes
 * every accepted epoch. INVALID: one key twice. NOMEM: as it was. */
ml_err ml_keyring_set_group(struct ml_keyring *k, const struct ml_group *group) ML_MUST_CHECK;

typedef enum ml_group_state {
    ML_GROUP_SEALS = 1,  /* its key is held, by nobody who isn't entitled */
    ML_GROUP_STALE = 2,  /* the next epoch is to be made first: ml_keyring_make_next */
    ML_GROUP_AWAITS = 3, /* entitled, but somebody else holds the key and is to grant it */
    ML_GROUP_CLOSED = 4, /* not entitled, or not told of */
} ml_group_state;
ml_group_state ml_keyring_group_state(const struct ml_keyring *k, const struct ml_team_id *team,
                                      ml_compartment compartment);

struct ml_group_place {
    struct ml_team_id team;
    ml_compartment compartment;
    const struct ml_box_pk *recovery; /* of break-glass; NULL: the group has none */
};
/** The next epoch of a group, for those who are entitled, holding what is held of the epochs
 * before. NO_KEY: AWAITS; DENIED: CLOSED; LIMIT, NOMEM. */
ml_err ml_keyring_make_next(struct ml_keyring *k, const struct ml_group_place *place,
                            ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/** What entitled members lack of the keys that seal: a plain grant each; and of what was decided
 * under the admin groups' earlier ones, which they hear and no more (ADR 0025). Nobody: emits
 * nothing. */
ml_err ml_keyring_make_grants(struct ml_keyring *k, ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/* The canary (keyring_fault.c): what was sealed here and doesn't open is said, so that who holds it
 * gives it again, before anybody needs it. */

#define ML_KEYRING_FAULTS_MAX 3u /* times that one key is asked for */

/** KEY_FAULTs of the KEKs that this keyring's owner is entitled to, was given and can't open. None,
 * or each was said and waits, or was said too often: emits nothing. */
ml_err ml_keyring_make_faults(struct ml_keyring *k, ml_keyop_cb *emit, void *user) ML_MUST_CHECK;
/** Differs when something didn't open since, here or for another who says so. */
uint64_t ml_keyring_faults(const struct ml_keyring *k);
/** How many of the owner's KEKs don't open; *given_up: of these, asked for so often that a person
 * has to look. */
size_t ml_keyring_faulty(const struct ml_keyring *k, size_t *given_up);

/** The KEK that seals for a group, if it is held. */
bool ml_keyring_group_kek(const struct ml_keyring *k, const struct ml_team_id *team,
                          ml_compartment compartment, struct ml_key_id *kek);
/** Whom slots of this keyring's owner name. */
struct ml_recipient_id ml_keyring_self(const struct ml_keyring *k);

#endif
