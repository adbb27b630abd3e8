/* core/crypto/box.h -- X25519 (RFC 7748) and what is sealed to a public key with it: slots of one
 * 32-byte key each (rules D9) and anonymous boxes for small payloads. Neither says who sealed: the
 * signed bundle around them does. Any thread. */
#ifndef ML_CRYPTO_BOX_H
#define ML_CRYPTO_BOX_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_BOX_SECRET_BYTES 32u
#define ML_SLOT_BYTES       48u    /* key 32, tag 16 */
#define ML_ANON_EXTRA_BYTES 48u    /* ephemeral public key 32, tag 16 */
#define ML_ANON_PLAIN_MAX   65536u /* deposits' content keys, trace entries */

/** A fresh key; *secret (32 bytes) is the caller's to free. Errors: NOMEM (outputs untouched). */
ml_err ml_box_keypair(struct ml_box_pk *pk, struct ml_secret **secret,
                      const struct ml_env *env) ML_MUST_CHECK;
/** The public key of 32 secret bytes (any value is a key: X25519 clamps). */
void ml_box_pk_of(struct ml_box_pk *pk, const struct ml_secret *secret);

/** Raw X25519: input to a key derivation, never a key. Errors: FORGED (a point of small order:
 * the result would be all zero), NOMEM. */
ml_err ml_box_dh(struct ml_secret **out, const struct ml_secret *secret,
                 const struct ml_box_pk *peer) ML_MUST_CHECK;

/* What the key in a slot is; the numbers enter the slot's key derivation. */
typedef enum ml_slot_kind {
    ML_SLOT_KEK = 1,         /* KEK of a group's epoch */
    ML_SLOT_HIST = 2,        /* HIST of a group's epoch (history grant) */
    ML_SLOT_DEK = 3,         /* exception wrap of a patient's DEK (rules A5) */
    ML_SLOT_BREAK_GLASS = 4, /* secret of a group's break-glass pair, or a DEK under it (A6) */
    ML_SLOT_LINK = 5,        /* link secret of a patient (A8) */
    ML_SLOT_NETWORK = 6,     /* network secret of an epoch */
    ML_SLOT_AUDIT = 7,       /* secret of the audit pair (A2) */
    ML_SLOT_EMERGENCY = 8,   /* secret of the emergency pair, which opens break-glass pairs (A6) */
    ML_SLOT_CONSENT = 9,     /* key of what was decided in an admin group's epoch (ADR 0025) */
} ml_slot_kind;

/** Where a slot stands: all of it is bound, so that a slot opens in its own place only. */
struct ml_slot_at {
    ml_slot_kind kind;
    struct ml_org_id org;
    struct ml_team_id team; /* 16 zero bytes for an org-wide group */
    uint32_t epoch;
    uint16_t index;      /* place among the op's slots, from 0 */
    uint8_t compartment; /* ml_compartment; 0 where there is none */
    struct ml_box_pk ephemeral;
    struct ml_box_pk recipient;
};

/**
 * The one ephemeral key of an op's slots. Hedged: it is BLAKE2b of env's randomness and of the
 * 32-byte `sealed` key, so that a machine image resumed twice, which draws the same randomness,
 * seals another key under another ephemeral. Free *secret once the slots are made. Errors: NOMEM.
 */
ml_err ml_slot_ephemeral(struct ml_box_pk *pk, struct ml_secret **secret, const struct ml_env *env,
                         const struct ml_secret *sealed) ML_MUST_CHECK;

/** `secret` belongs to at->ephemeral; `key` is 32 bytes. One slot per (ephemeral, kind, index).
 * Errors: FORGED (the recipient's public key is of small order). */
ml_err ml_slot_seal(uint8_t slot[ML_SLOT_BYTES], const struct ml_slot_at *at,
                    const struct ml_secret *secret, const struct ml_secret *key) ML_MUST_CHECK;

/** `secret` belongs to at->recipient. The key's id must then be compared with the one the op
 * states: the AEAD alone commits to no key. Errors: FORGED, NOMEM. */
ml_err ml_slot_open(struct ml_secret **key, const uint8_t slot[ML_SLOT_BYTES],
                    const struct ml_slot_at *at, const struct ml_secret *secret) ML_MUST_CHECK;

/** out: plain.len + 48 bytes: ephemeral public key, ciphertext, tag; apart from `plain`. `context`
 * (a label and the place, not secret) is bound. Errors: LIMIT (plain over 64 KiB), FORGED. */
ml_err ml_seal_anon(uint8_t *out, struct ml_slice plain, const struct ml_box_pk *recipient,
                    struct ml_slice context, const struct ml_env *env) ML_MUST_CHECK;

/** out: sealed.len - 48 bytes, apart from `sealed`; zeroed when it doesn't open. Errors: FORGED. */
ml_err ml_open_anon(uint8_t *out, struct ml_slice sealed, const struct ml_secret *secret,
                    struct ml_slice context) ML_MUST_CHECK;

#endif
