/* core/model/keyring_share.h -- data keys of sensitive compartments, in shares of which two members
 * have to put theirs together: the third tier of emergency access (rules A6; ADR 0021).
 *
 * A member's share is the value at his member id of a polynomial of degree 1 whose value at 0 is
 * the data key, over GF(2^128), in two halves of 16 bytes; its slope is derived from the key. So
 * whoever holds a key makes the share of anybody, the same as any other maker, now or years later;
 * all computers of one member have the same one, which is worth nothing without another member's.
 * A share is a BG_WRAP to the box key of a member on a node. Pure, as keyring.h.
 */
#ifndef ML_MODEL_KEYRING_SHARE_H
#define ML_MODEL_KEYRING_SHARE_H

#include "core/codec/glass.h"
#include "core/model/keyring.h"

/** Somebody who may break a glass, on one node. */
struct ml_share_holder {
    struct ml_member_id member;
    struct ml_box_pk pk;
};

struct ml_sharing {
    struct ml_object_id patient;
    ml_compartment compartment;
    const struct ml_share_holder *to; /* borrowed */
    size_t count;
};

/** Their shares of every DEK of the patient x compartment that opens here, where one lacks his.
 * Nothing lacking: emits nothing. NOT_FOUND: the patient isn't open here; NOMEM, LIMIT. */
ml_err ml_keyring_make_shares(struct ml_keyring *k, const struct ml_sharing *who, ml_keyop_cb *emit,
                              void *user) ML_MUST_CHECK;

/** The share in a wrap to this keyring's own box key. NO_KEY: it is another's; FORGED. */
ml_err ml_keyring_open_share(const struct ml_keyring *k, const struct ml_bg_wrap *wrap,
                             uint8_t share[ML_KEY_BYTES]) ML_MUST_CHECK;

struct ml_share_point {
    struct ml_member_id member;
    uint8_t share[ML_KEY_BYTES]; /* to be wiped by who holds it */
};
/** The key of which these are two shares. INVALID: they are one member's; FORGED: not of this key.
 */
ml_err ml_share_points_join(uint8_t dek[ML_KEY_BYTES], const struct ml_key_id *id,
                            const struct ml_share_point *a,
                            const struct ml_share_point *b) ML_MUST_CHECK;

/* ---- a share on its way to who asked ---- */

/** Where it goes: what is bound to it. */
struct ml_share_place {
    struct ml_org_id org;
    struct ml_glass_id glass;
    struct ml_key_id dek;
};
/** A share, sealed to the key that a request drew. */
ml_err ml_share_answer_seal(uint8_t out[ML_ANON_KEY_BYTES], const struct ml_share_place *at,
                            const struct ml_box_pk *reply, const uint8_t share[ML_KEY_BYTES],
                            const struct ml_env *env) ML_MUST_CHECK;
/** FORGED. */
ml_err ml_share_answer_open(uint8_t share[ML_KEY_BYTES], const struct ml_share_place *at,
                            const struct ml_secret *reply,
                            const uint8_t sealed[ML_ANON_KEY_BYTES]) ML_MUST_CHECK;

#endif
