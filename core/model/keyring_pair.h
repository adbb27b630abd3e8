/* core/model/keyring_pair.h -- pairs handed to members: the emergency pair, which opens the groups'
 * break-glass pairs (rules A6), the audit pair, which opens traces (A2), and the network's, whose
 * secret half is the network secret of an epoch (B17): its number is the epoch.
 *
 * A pair is its public half. Who was handed it stands in clear in lane 1 (PAIR_GRANT), so that any
 * holder sees who lacks it, and that somebody has it who shouldn't: then the next number is made.
 * A network epoch may be handed to the pair of a later one, by an op of this one slot: whoever
 * holds the later one, or is handed it once, holds both. Pure, as keyring.h.
 */
#ifndef ML_MODEL_KEYRING_PAIR_H
#define ML_MODEL_KEYRING_PAIR_H

#include "core/model/keyring.h"

#define ML_KEYRING_PAIRS_MAX 64u /* known, of each kind; half of them for those that count */
#define ML_KEYRING_NETS_MAX  64u /* the latest network epochs that count; as many that don't */

#define ML_KEYRING_LEADS_MAX 8u /* network epochs sealed to a later one that isn't held yet */

/** The pair of a kind that is used now: of the accepted ones the highest number, then one that is
 * held, then the smallest public half. NULL: there is none. Borrowed until the next call on `k`. */
const struct ml_box_pk *ml_keyring_pair(const struct ml_keyring *k, ml_pair_kind kind);
/** Its secret half, 32 bytes, borrowed until `k` forgets. NULL: not held. */
const struct ml_secret *ml_keyring_pair_secret(const struct ml_keyring *k, ml_pair_kind kind,
                                               const struct ml_box_pk *pair);
/** Was it handed to this key by an accepted bundle? */
bool ml_keyring_pair_has(const struct ml_keyring *k, const struct ml_box_pk *pair,
                         const struct ml_box_pk *member);
/** To how many keys; and whether one of them isn't among `members`. */
bool ml_keyring_pair_strays(const struct ml_keyring *k, const struct ml_box_pk *pair,
                            const struct ml_box_pk *members, size_t count);

/** Who may break a glass, from now on; copied. Until it is told, every epoch goes on sealing,
 * whoever was handed the emergency pair (ADR 0030). NOMEM: as it was. */
ml_err ml_keyring_set_breakers(struct ml_keyring *k, const struct ml_box_pk *members,
                               size_t count) ML_MUST_CHECK;

struct ml_held_pair {
    uint32_t number;
    struct ml_box_pk pk;
    const struct ml_secret *secret; /* 32 bytes, borrowed until the keyring forgets */
};
/** The accepted pairs of a kind whose secret is held: the highest number first, then the smallest
 * public half. Returns how many, at most `max`. */
size_t ml_keyring_pairs_held(const struct ml_keyring *k, ml_pair_kind kind,
                             struct ml_held_pair *out, size_t max);
/** The same of those that don't count, or no more: who handed them was removed. */
size_t ml_keyring_pairs_uncounted(const struct ml_keyring *k, ml_pair_kind kind,
                                  struct ml_held_pair *out, size_t max);

struct ml_pair_args {
    ml_pair_kind kind;
    const struct ml_box_pk *members; /* to whom */
    size_t count;
    const struct ml_secret *secret;   /* NULL: a new pair */
    uint32_t number;                  /* 0: the pair's, if it is known, else the next one */
    const struct ml_box_pk *recovery; /* of a new pair; NULL: nobody else opens it */
};
/** Hands a pair to members: a new one, or one whose secret is given. INVALID: nobody, or one twice;
 * LIMIT (also of numbers); FORGED (a member's key is no key); NOMEM. */
ml_err ml_keyring_make_pair(struct ml_keyring *k, const struct ml_pair_args *args,
                            ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/* ---- break-glass ---- */

/** Opens one break-glass wrap into 32 bytes, with the emergency pairs that are held. NO_KEY: none
 * of them leads to it. FORGED: it isn't what it says. */
ml_err ml_keyring_open_glass(const struct ml_keyring *k, const struct ml_bg_wrap *wrap,
                             uint8_t dek[ML_KEY_BYTES]) ML_MUST_CHECK;

#define ML_KEYRING_GLASS_MAX 64u /* data keys of one opening */
/** Takes a data key in that no wrap gave, for streams that the store knows: until the keyring
 * forgets. LIMIT, NOMEM. */
ml_err ml_keyring_take_dek(struct ml_keyring *k, const struct ml_stream_id *stream,
                           const struct ml_key_id *dek_id,
                           const uint8_t dek[ML_KEY_BYTES]) ML_MUST_CHECK;

#endif
