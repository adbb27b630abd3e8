/* core/codec/keyop.h -- ops of lane 1 (keys). Structure signed and clear, wraps opaque (rules
 * A2-A8).
 *
 * Maps as in lane 0: key 1 type, key 2 must-understand, then the type's own. Zero-copy; pure.
 */
#ifndef ML_CODEC_KEYOP_H
#define ML_CODEC_KEYOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/glass.h"
#include "core/codec/govop.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_KEYOP_SLOTS_MAX  400u /* recipients of one epoch op: they fit one body */
#define ML_KEYOP_GRANTS_MAX 400u
#define ML_KEYOP_OLDER_MAX  32u  /* wraps of the epoch before; concurrent epochs add up */
#define ML_KEYOP_PAIR_MAX   400u /* recipients of one pair */
#define ML_KEYOP_SHRED_MAX  256u /* wraps that one op destroys */
#define ML_KEYOP_DONE_MAX   128u /* shreds that one receipt names */
#define ML_KEYOP_FAULTS_MAX 256u /* keys that one op says don't open */
#define ML_SLOT_WIRE_BYTES  48u
#define ML_ANON_KEY_BYTES   80u /* a 32-byte key sealed to a public key */
#define ML_WRAP_KEY_BYTES   48u /* a 32-byte key under an AEAD */

/* X(NAME, number, text): lane 1. The numbers are on the wire. */
#define ML_KEYOP_MAP(X)                                                                            \
    X(KEK_EPOCH, 1, "kek epoch")                                                                   \
    X(KEK_GRANT, 2, "kek grant")                                                                   \
    X(PATIENT_OPEN, 3, "patient open")                                                             \
    X(DEK_WRAP, 4, "dek wrap")                                                                     \
    X(BG_WRAP, 5, "break-glass wrap")                                                              \
    X(CONSENT, 6, "consent")                                                                       \
    X(PAIR_GRANT, 7, "pair grant")                                                                 \
    X(GLASS, 8, "glass")                                                                           \
    X(DEK_SLOTS, 9, "dek slots")                                                                   \
    X(DEPOSIT_WRAP, 10, "deposit wrap")                                                            \
    X(SHRED, 11, "shred")                                                                          \
    X(SHRED_DONE, 12, "shred receipt")                                                             \
    X(KEY_FAULT, 13, "key fault")

typedef enum ml_keyop_type {
#define X(name, number, text) ML_KEYOP_##name = (number),
    ML_KEYOP_MAP(X)
#undef X
} ml_keyop_type;

/** BLAKE2b-16 of a box public key: names a recipient of slots. */
struct ml_recipient_id {
    uint8_t b[16];
};
struct ml_recipient_id ml_recipient_id_of(const struct ml_box_pk *pk);

struct ml_slot_bytes {
    uint8_t b[ML_SLOT_WIRE_BYTES];
};

/** One recipient of an epoch; ephemeral, team, compartment and epoch are the op's, the slot index
 * is its place in the list. */
struct ml_epoch_slot {
    struct ml_recipient_id recipient;
    struct ml_slot_bytes kek;
    struct ml_slice hist; /* 48 bytes: HIST of the epoch too; or empty */
};

/** One key granted to a newcomer. */
struct ml_grant_slot {
    struct ml_key_id key; /* a KEK's, or a HIST's; of SLOT_CONSENT its epoch's KEK's */
    uint8_t kind;         /* ml_slot_kind */
    struct ml_slot_bytes slot;
};

/** KEK or HIST of the epoch before, under this epoch's HIST (rules A4). */
struct ml_older_key {
    struct ml_key_id wrapped;
    uint8_t nonce[24];
    uint8_t ct[ML_WRAP_KEY_BYTES];
};

/** A new epoch of a group. Recipients in canonical order: recipient ids ascend (rules D9). */
struct ml_kek_epoch {
    struct ml_team_id team; /* zero: org-wide */
    uint8_t compartment;
    uint32_t epoch; /* from 1 */
    struct ml_key_id kek;
    struct ml_key_id hist;
    struct ml_box_pk break_glass;         /* public half (A6); zero where there is none */
    struct ml_slice break_glass_recovery; /* its secret half sealed to the recovery key, 80 bytes */
    struct ml_box_pk ephemeral;
    struct ml_list slots;                /* of ml_epoch_slot, sorted */
    struct ml_list older;                /* of ml_older_key, sorted */
    struct ml_slice break_glass_holders; /* the same half sealed to the emergency pair, 80 bytes */
    struct ml_box_pk deposit; /* public half that the KEK gives the secret of (A7); zero: none */
};

/** Keys for one newcomer's member-on-node: the slot index is the place in the list. */
struct ml_kek_grant {
    struct ml_box_pk recipient;
    struct ml_box_pk ephemeral;
    struct ml_list slots; /* of ml_grant_slot, sorted */
};

/** Opens a patient's streams in a team, or the structure's own (object id of zeros inside). */
struct ml_patient_open {
    struct ml_team_id team;
    struct ml_sealed sealed; /* under the team's admin KEK: object id 16, link secret 32 */
};

struct ml_dek_wrap {
    struct ml_stream_id stream;
    struct ml_key_id dek;
    struct ml_key_id kek;
    uint8_t nonce[24];
    uint8_t ct[ML_WRAP_KEY_BYTES];
};

struct ml_bg_wrap {
    struct ml_stream_id stream;
    struct ml_key_id dek;
    struct ml_box_pk break_glass;
    uint8_t sealed[ML_ANON_KEY_BYTES];
};

/** A data key from somebody who can't read what it seals (A7): to a group's deposit key. */
struct ml_deposit_wrap {
    struct ml_stream_id stream;
    struct ml_key_id dek;
    struct ml_key_id kek; /* whose deposit key */
    uint8_t sealed[ML_ANON_KEY_BYTES];
};

/** One recipient of a data key. */
struct ml_dek_slot {
    struct ml_recipient_id recipient;
    struct ml_slot_bytes slot;
};

/** A data key sealed to each member who isn't left out (rules A5): an exception wrap. The slot
 * index is the place in the list; the slot's team is the stream id (ml_dek_slot_at). */
struct ml_dek_slots {
    struct ml_stream_id stream;
    struct ml_key_id dek;
    struct ml_box_pk ephemeral;
    struct ml_list slots; /* of ml_dek_slot, sorted */
};

/** What a patient decided, for the members of a team of his (consent.h). */
struct ml_consent_op {
    struct ml_team_id team;
    struct ml_sealed sealed; /* under the team's admin KEK: struct ml_consent */
};

/* What a pair that is handed to members is for. The numbers are on the wire; later ones are kept.
 */
typedef enum ml_pair_kind {
    ML_PAIR_EMERGENCY = 1, /* opens the groups' break-glass pairs (rules A6) */
    ML_PAIR_AUDIT = 2,     /* opens traces (rules A2) */
    ML_PAIR_NETWORK = 3,   /* its secret is the network secret of the epoch `number` (rules B17) */
} ml_pair_kind;

struct ml_pair_slot {
    struct ml_recipient_id recipient;
    struct ml_slot_bytes slot;
};

/** Hands the secret half of an X25519 pair to members on nodes: a new pair, or one more hand. The
 * slot index is the place in the list. */
struct ml_pair_grant {
    uint8_t kind;             /* ml_pair_kind */
    uint32_t number;          /* a later pair of a kind replaces those below; from 1 */
    struct ml_box_pk pair;    /* public half */
    struct ml_slice recovery; /* the secret half sealed to the recovery key, 80 bytes; or empty */
    struct ml_box_pk ephemeral;
    struct ml_list slots; /* of ml_pair_slot, sorted */
};

/** That emergency access was taken, given back, or reviewed (glass.h). */
struct ml_glass_op {
    struct ml_sealed sealed; /* under the `annuaire` KEK: struct ml_glass_say */
};

/** A wrap to be destroyed, what stands in its place, and whose group it was (rules A5). */
struct ml_shred_wrap {
    struct ml_version_ref wrap;  /* DEK_WRAP, BG_WRAP, DEK_SLOTS or DEPOSIT_WRAP */
    struct ml_version_ref by;    /* DEK_SLOTS of the same DEK, by the same member */
    struct ml_version_ref epoch; /* KEK_EPOCH of a group that its author is entitled in */
    struct ml_key_id dek;        /* what they wrap: it never seals again */
};

/** Wraps of one stream that an exclusion replaced: every node destroys them. */
struct ml_shred {
    struct ml_stream_id stream;
    struct ml_list wraps; /* of ml_shred_wrap, sorted */
};

/** One op of another bundle, or of this one. */
struct ml_op_ref {
    struct ml_version_ref op;
};

/** Receipt: the vault and the log of its author's node hold nothing of these any more. */
struct ml_shred_done {
    struct ml_list shreds; /* of ml_op_ref, sorted: SHRED ops */
};

/** The canary: keys of epochs that its author was sealed and that don't open with his box key. */
struct ml_key_fault {
    struct ml_recipient_id recipient; /* his */
    struct ml_list keys;              /* of ml_key_id, sorted: KEKs */
};

struct ml_keyop {
    uint16_t type;
    bool must_understand;
    bool known; /* filled by decoding */
    union {
        struct ml_kek_epoch kek_epoch;
        struct ml_kek_grant kek_grant;
        struct ml_patient_open patient_open;
        struct ml_dek_wrap dek_wrap;
        struct ml_bg_wrap bg_wrap;
        struct ml_consent_op consent;
        struct ml_pair_grant pair_grant;
        struct ml_glass_op glass;
        struct ml_dek_slots dek_slots;
        struct ml_deposit_wrap deposit_wrap;
        struct ml_shred shred;
        struct ml_shred_done shred_done;
        struct ml_key_fault key_fault;
    } u;
    struct ml_wire_extra extra;
    struct ml_slice raw;
};

extern const struct ml_wire_format ml_format_epoch_slot;
extern const struct ml_wire_format ml_format_grant_slot;
extern const struct ml_wire_format ml_format_older_key;
extern const struct ml_wire_format ml_format_pair_slot;
extern const struct ml_wire_format ml_format_dek_slot;
extern const struct ml_wire_format ml_format_shred_wrap;
extern const struct ml_wire_format ml_format_op_ref;
extern const struct ml_wire_format ml_format_key_ref;

const struct ml_wire_format *ml_keyop_format(uint16_t type);
const char *ml_keyop_name(uint16_t type);

/** Of an encoded op, without reading further; 0: it is none. */
uint16_t ml_keyop_type_of(struct ml_slice in);
ml_err ml_keyop_decode(struct ml_keyop *out, struct ml_slice in,
                       struct ml_fault *fault) ML_MUST_CHECK;
ml_err ml_keyop_encode(struct ml_buf *out, const struct ml_keyop *op) ML_MUST_CHECK;

static inline bool ml_epoch_slot_next(struct ml_list_walk *walk, struct ml_epoch_slot *out)
{
    return ml_list_next(walk, &ml_format_epoch_slot, out);
}

static inline bool ml_grant_slot_next(struct ml_list_walk *walk, struct ml_grant_slot *out)
{
    return ml_list_next(walk, &ml_format_grant_slot, out);
}

static inline bool ml_older_key_next(struct ml_list_walk *walk, struct ml_older_key *out)
{
    return ml_list_next(walk, &ml_format_older_key, out);
}

static inline bool ml_pair_slot_next(struct ml_list_walk *walk, struct ml_pair_slot *out)
{
    return ml_list_next(walk, &ml_format_pair_slot, out);
}

static inline bool ml_dek_slot_next(struct ml_list_walk *walk, struct ml_dek_slot *out)
{
    return ml_list_next(walk, &ml_format_dek_slot, out);
}

static inline bool ml_shred_wrap_next(struct ml_list_walk *walk, struct ml_shred_wrap *out)
{
    return ml_list_next(walk, &ml_format_shred_wrap, out);
}

static inline bool ml_op_ref_next(struct ml_list_walk *walk, struct ml_op_ref *out)
{
    return ml_list_next(walk, &ml_format_op_ref, out);
}

static inline bool ml_key_ref_next(struct ml_list_walk *walk, struct ml_key_id *out)
{
    return ml_list_next(walk, &ml_format_key_ref, out);
}

/* Associated data: a label, the org and the clear fields, so that a wrap opens in its place only.
 */

#define ML_KEYOP_AD_MAX 128u

/** "maille/dek-wrap/1" || org || stream || dek id || kek id. Returns the length. */
size_t ml_dek_wrap_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                      const struct ml_dek_wrap *wrap);
/** "maille/patient-open/1" || org || team || kek id. */
size_t ml_patient_open_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                          const struct ml_patient_open *open);
/** "maille/consent-op/1" || org || team || kek id. */
size_t ml_consent_op_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                        const struct ml_consent_op *op);
/** "maille/bg-wrap/1" || org || stream || dek id: the context of the anonymous box. */
size_t ml_bg_wrap_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                     const struct ml_bg_wrap *wrap);
/** "maille/deposit-wrap/1" || org || stream || dek id || kek id: the context of the anonymous box.
 */
size_t ml_deposit_wrap_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                          const struct ml_deposit_wrap *wrap);
/** "maille/break-glass/1" || org || public half: of a pair's secret half, to whomever it is sealed.
 */
size_t ml_break_glass_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                         const struct ml_box_pk *pair);
/** "maille/glass-share/1" || org || stream || DEK id: of a BG_WRAP that holds a member's share. */
size_t ml_glass_share_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                         const struct ml_bg_wrap *wrap);
/** "maille/glass-answer/1" || org || glass id || DEK id: of a share on its way to who asked. */
size_t ml_glass_answer_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                          const struct ml_glass_id *glass, const struct ml_key_id *dek);
/** "maille/glass/1" || org || kek id. */
size_t ml_glass_op_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                      const struct ml_glass_op *op);
/** "maille/older-key/1" || org || team || compartment || epoch u32be || id of the wrapped key. */
size_t ml_older_key_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                       const struct ml_kek_epoch *epoch, const struct ml_key_id *wrapped);
/** "maille/annuaire/1" || org || kind (ml_card_kind) || id 16: a name, label or card of lane 0.
 * For the org the id is zero; in ORG_FOUND the org too: its id is not known before it is hashed. */
size_t ml_card_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org, ml_card_kind kind,
                  const uint8_t id[16]);

#endif
