/* core/codec/keyop.c -- see keyop.h. */
#include "core/codec/keyop.h"

#include <string.h>

#include "core/codec/op_table.h"
#include "core/crypto/hash.h"

#define OP struct ml_keyop

static const char *epoch_slot_check(const void *object)
{
    const struct ml_epoch_slot *slot = object;
    return slot->hist.len == 0 || slot->hist.len == ML_SLOT_WIRE_BYTES ? NULL : "hist";
}

static const struct ml_wire_field epoch_slot_fields[] = {
    ML_WF_FIXED(struct ml_epoch_slot, 0, recipient, "BLAKE2b-16 of the recipient's box key"),
    ML_WF_FIXED(struct ml_epoch_slot, 1, kek, "slot of the KEK"),
    ML_WF_BIN(struct ml_epoch_slot, 2, hist, 0, ML_SLOT_WIRE_BYTES,
              "slot of HIST (48 bytes), or empty"),
};

const struct ml_wire_format ml_format_epoch_slot =
    ML_WIRE_FORMAT("epoch slot", ARRAY, struct ml_epoch_slot, ML_WIRE_CLOSED, epoch_slot_fields,
                   epoch_slot_check, "One recipient of an epoch.");

static const struct ml_wire_field grant_slot_fields[] = {
    ML_WF_FIXED(struct ml_grant_slot, 0, key, "id of the key in the slot"),
    ML_WF_UINT(struct ml_grant_slot, 1, kind, 1, UINT8_MAX,
               "1 KEK, 2 HIST, 9 consent key; others are later"),
    ML_WF_FIXED(struct ml_grant_slot, 2, slot, "the slot"),
};

const struct ml_wire_format ml_format_grant_slot =
    ML_WIRE_FORMAT("grant slot", ARRAY, struct ml_grant_slot, ML_WIRE_CLOSED, grant_slot_fields,
                   NULL, "One key for a newcomer.");

static const struct ml_wire_field older_key_fields[] = {
    ML_WF_FIXED(struct ml_older_key, 0, wrapped, "id of the older key"),
    ML_WF_FIXED(struct ml_older_key, 1, nonce, "24-byte nonce"),
    ML_WF_FIXED(struct ml_older_key, 2, ct, "the key under HIST, and the tag"),
};

const struct ml_wire_format ml_format_older_key =
    ML_WIRE_FORMAT("older key", ARRAY, struct ml_older_key, ML_WIRE_CLOSED, older_key_fields, NULL,
                   "KEK or HIST of the epoch before, under this epoch's HIST.");

static const struct ml_wire_field pair_slot_fields[] = {
    ML_WF_FIXED(struct ml_pair_slot, 0, recipient, "BLAKE2b-16 of the recipient's box key"),
    ML_WF_FIXED(struct ml_pair_slot, 1, slot, "the slot"),
};

const struct ml_wire_format ml_format_pair_slot =
    ML_WIRE_FORMAT("pair slot", ARRAY, struct ml_pair_slot, ML_WIRE_CLOSED, pair_slot_fields, NULL,
                   "One recipient of a pair's secret half.");

static const struct ml_wire_field dek_slot_fields[] = {
    ML_WF_FIXED(struct ml_dek_slot, 0, recipient, "BLAKE2b-16 of the recipient's box key"),
    ML_WF_FIXED(struct ml_dek_slot, 1, slot, "slot of the DEK"),
};

const struct ml_wire_format ml_format_dek_slot =
    ML_WIRE_FORMAT("dek slot", ARRAY, struct ml_dek_slot, ML_WIRE_CLOSED, dek_slot_fields, NULL,
                   "One recipient of a data key.");

static const struct ml_wire_field shred_wrap_fields[] = {
    ML_WF_REF(struct ml_shred_wrap, 0, wrap, "the wrap that is destroyed"),
    ML_WF_REF(struct ml_shred_wrap, 1, by, "DEK_SLOTS of the same DEK that stands in its place"),
    ML_WF_REF(struct ml_shred_wrap, 2, epoch, "KEK_EPOCH of the wrap's group"),
    ML_WF_FIXED(struct ml_shred_wrap, 3, dek, "id of the DEK, which never seals again"),
};

const struct ml_wire_format ml_format_shred_wrap =
    ML_WIRE_FORMAT("shredded wrap", ARRAY, struct ml_shred_wrap, ML_WIRE_CLOSED, shred_wrap_fields,
                   NULL, "One wrap that an exclusion replaced.");

static const struct ml_wire_field op_ref_fields[] = {
    ML_WF_REF(struct ml_op_ref, 0, op, "a SHRED"),
};

const struct ml_wire_format ml_format_op_ref =
    ML_WIRE_FORMAT("shred reference", ARRAY, struct ml_op_ref, ML_WIRE_CLOSED, op_ref_fields, NULL,
                   "One SHRED that is done.");

static const struct ml_wire_field key_ref_fields[] = {
    {.key = 0,
     .type = ML_WIRE_FIXED,
     .size = sizeof(struct ml_key_id),
     .min = sizeof(struct ml_key_id),
     .max = sizeof(struct ml_key_id),
     .name = "key",
     .meaning = "id of a KEK"},
};

const struct ml_wire_format ml_format_key_ref = {.name = "faulty key",
                                                 .kind = ML_WIRE_SCALAR,
                                                 .size = sizeof(struct ml_key_id),
                                                 .extra_offset = ML_WIRE_CLOSED,
                                                 .field_count = 1,
                                                 .fields = key_ref_fields,
                                                 .meaning = "One key that doesn't open."};

static const struct ml_wire_field kek_epoch_fields[] = {
    HEAD_FIELDS(ML_KEYOP_KEK_EPOCH, "1"),
    SUB(3, FIXED, ML_WIRE_OPTIONAL, 16, 16, kek_epoch.team, "team", NULL,
        "team id; left out: an org-wide group"),
    SUB_UINT(4, kek_epoch.compartment, "compartment", 1, ML_COMPARTMENT_LAST, "compartment"),
    SUB_UINT(5, kek_epoch.epoch, "epoch", 1, UINT32_MAX, "epoch of the group"),
    SUB_FIXED(6, kek_epoch.kek, "kek", "id of the KEK"),
    SUB_FIXED(7, kek_epoch.hist, "hist", "id of HIST"),
    SUB(8, FIXED, ML_WIRE_OPTIONAL, 32, 32, kek_epoch.break_glass, "break_glass", NULL,
        "X25519 public half for emergency access"),
    SUB(9, BIN, ML_WIRE_OPTIONAL, ML_ANON_KEY_BYTES, ML_ANON_KEY_BYTES,
        kek_epoch.break_glass_recovery, "break_glass_recovery", NULL,
        "its secret half sealed to the recovery key"),
    SUB_FIXED(10, kek_epoch.ephemeral, "ephemeral", "X25519 public key of the slots"),
    SUB(11, LIST, ML_WIRE_SORTED, 1, ML_KEYOP_SLOTS_MAX, kek_epoch.slots, "slots",
        &ml_format_epoch_slot, "recipients, ids ascending"),
    SUB(12, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, ML_KEYOP_OLDER_MAX, kek_epoch.older,
        "older", &ml_format_older_key, "KEKs and HISTs of the epoch before"),
    SUB(13, BIN, ML_WIRE_OPTIONAL, ML_ANON_KEY_BYTES, ML_ANON_KEY_BYTES,
        kek_epoch.break_glass_holders, "break_glass_holders", NULL,
        "the secret half of 8 sealed to the emergency pair"),
    SUB(14, FIXED, ML_WIRE_OPTIONAL, 32, 32, kek_epoch.deposit, "deposit", NULL,
        "X25519 public half for deposits"),
};

static const struct ml_wire_field kek_grant_fields[] = {
    HEAD_FIELDS(ML_KEYOP_KEK_GRANT, "2"),
    SUB_FIXED(3, kek_grant.recipient, "recipient", "box key of the newcomer's member-on-node"),
    SUB_FIXED(4, kek_grant.ephemeral, "ephemeral", "X25519 public key of the slots"),
    SUB(5, LIST, ML_WIRE_SORTED, 1, ML_KEYOP_GRANTS_MAX, kek_grant.slots, "slots",
        &ml_format_grant_slot, "one a key, key ids ascending"),
};

static const struct ml_wire_field patient_open_fields[] = {
    HEAD_FIELDS(ML_KEYOP_PATIENT_OPEN, "3"),
    SUB(3, FIXED, ML_WIRE_OPTIONAL, 16, 16, patient_open.team, "team", NULL,
        "team id; left out: the structure's own streams"),
    SUB(4, TUPLE, 0, 0, 0, patient_open.sealed, "sealed", &ml_format_sealed,
        "object id 16, link secret 32"),
};

static const struct ml_wire_field dek_wrap_fields[] = {
    HEAD_FIELDS(ML_KEYOP_DEK_WRAP, "4"),
    SUB_FIXED(3, dek_wrap.stream, "stream", "stream id"),
    SUB_FIXED(4, dek_wrap.dek, "dek", "id of the DEK"),
    SUB_FIXED(5, dek_wrap.kek, "kek", "id of the KEK that wraps it"),
    SUB_FIXED(6, dek_wrap.nonce, "nonce", "24-byte nonce"),
    SUB_FIXED(7, dek_wrap.ct, "ct", "the DEK and the tag"),
};

static const struct ml_wire_field bg_wrap_fields[] = {
    HEAD_FIELDS(ML_KEYOP_BG_WRAP, "5"),
    SUB_FIXED(3, bg_wrap.stream, "stream", "stream id"),
    SUB_FIXED(4, bg_wrap.dek, "dek", "id of the DEK"),
    SUB_FIXED(5, bg_wrap.break_glass, "break_glass", "public half that it is sealed to"),
    SUB_FIXED(6, bg_wrap.sealed, "sealed", "the DEK, sealed anonymously"),
};

static const struct ml_wire_field consent_fields[] = {
    HEAD_FIELDS(ML_KEYOP_CONSENT, "6"),
    SUB_FIXED(3, consent.team, "team", "team whose members may know it"),
    SUB(4, TUPLE, 0, 0, 0, consent.sealed, "sealed", &ml_format_sealed,
        "the statement, under the team's admin KEK"),
};

static const struct ml_wire_field pair_grant_fields[] = {
    HEAD_FIELDS(ML_KEYOP_PAIR_GRANT, "7"),
    SUB_UINT(3, pair_grant.kind, "kind", 1, UINT8_MAX,
             "1 emergency, 2 audit, 3 network; others are later"),
    SUB_UINT(4, pair_grant.number, "number", 1, UINT32_MAX, "a higher one replaces those below"),
    SUB_FIXED(5, pair_grant.pair, "pair", "X25519 public half"),
    SUB(6, BIN, ML_WIRE_OPTIONAL, ML_ANON_KEY_BYTES, ML_ANON_KEY_BYTES, pair_grant.recovery,
        "recovery", NULL, "its secret half sealed to the recovery key"),
    SUB_FIXED(7, pair_grant.ephemeral, "ephemeral", "X25519 public key of the slots"),
    SUB(8, LIST, ML_WIRE_SORTED, 1, ML_KEYOP_PAIR_MAX, pair_grant.slots, "slots",
        &ml_format_pair_slot, "recipients, ids ascending"),
};

static const struct ml_wire_field glass_fields[] = {
    HEAD_FIELDS(ML_KEYOP_GLASS, "8"),
    SUB(3, TUPLE, 0, 0, 0, glass.sealed, "sealed", &ml_format_sealed,
        "what is said, under the annuaire KEK"),
};

static const struct ml_wire_field dek_slots_fields[] = {
    HEAD_FIELDS(ML_KEYOP_DEK_SLOTS, "9"),
    SUB_FIXED(3, dek_slots.stream, "stream", "stream id"),
    SUB_FIXED(4, dek_slots.dek, "dek", "id of the DEK"),
    SUB_FIXED(5, dek_slots.ephemeral, "ephemeral", "X25519 public key of the slots"),
    SUB(6, LIST, ML_WIRE_SORTED, 1, ML_KEYOP_SLOTS_MAX, dek_slots.slots, "slots",
        &ml_format_dek_slot, "recipients, ids ascending"),
};

static const struct ml_wire_field deposit_wrap_fields[] = {
    HEAD_FIELDS(ML_KEYOP_DEPOSIT_WRAP, "10"),
    SUB_FIXED(3, deposit_wrap.stream, "stream", "stream id"),
    SUB_FIXED(4, deposit_wrap.dek, "dek", "id of the DEK"),
    SUB_FIXED(5, deposit_wrap.kek, "kek", "id of the KEK whose deposit key it is sealed to"),
    SUB_FIXED(6, deposit_wrap.sealed, "sealed", "the DEK, sealed anonymously"),
};

static const struct ml_wire_field shred_fields[] = {
    HEAD_FIELDS(ML_KEYOP_SHRED, "11"),
    SUB_FIXED(3, shred.stream, "stream", "stream id"),
    SUB(4, LIST, ML_WIRE_SORTED, 1, ML_KEYOP_SHRED_MAX, shred.wraps, "wraps", &ml_format_shred_wrap,
        "what is destroyed"),
};

static const struct ml_wire_field shred_done_fields[] = {
    HEAD_FIELDS(ML_KEYOP_SHRED_DONE, "12"),
    SUB(3, LIST, ML_WIRE_SORTED, 1, ML_KEYOP_DONE_MAX, shred_done.shreds, "shreds",
        &ml_format_op_ref, "what is done"),
};

static const struct ml_wire_field key_fault_fields[] = {
    HEAD_FIELDS(ML_KEYOP_KEY_FAULT, "13"),
    SUB_FIXED(3, key_fault.recipient, "recipient", "BLAKE2b-16 of the author's box key"),
    SUB(4, LIST, ML_WIRE_SORTED, 1, ML_KEYOP_FAULTS_MAX, key_fault.keys, "keys", &ml_format_key_ref,
        "what he was sealed that doesn't open"),
};

static const struct ml_wire_field any_fields[] = {ANY_FIELDS};

#define TABLE(id, nm, fields, text) [ML_KEYOP_##id - 1] = OP_FORMAT(nm, fields, text)

static const struct ml_wire_format formats[] = {
    TABLE(KEK_EPOCH, "KEK_EPOCH", kek_epoch_fields, "A new epoch of a group's keys."),
    TABLE(KEK_GRANT, "KEK_GRANT", kek_grant_fields, "Keys for a newcomer."),
    TABLE(PATIENT_OPEN, "PATIENT_OPEN", patient_open_fields, "Opens a patient's streams."),
    TABLE(DEK_WRAP, "DEK_WRAP", dek_wrap_fields, "A stream's data key under a group's key."),
    TABLE(BG_WRAP, "BG_WRAP", bg_wrap_fields, "The same for emergency access."),
    TABLE(CONSENT, "CONSENT", consent_fields, "What a patient decided about who sees what."),
    TABLE(PAIR_GRANT, "PAIR_GRANT", pair_grant_fields,
          "Hands the secret half of a pair to members."),
    TABLE(GLASS, "GLASS", glass_fields, "Emergency access was taken, given back or reviewed."),
    TABLE(DEK_SLOTS, "DEK_SLOTS", dek_slots_fields,
          "A stream's data key, to each member who isn't left out."),
    TABLE(DEPOSIT_WRAP, "DEPOSIT_WRAP", deposit_wrap_fields,
          "A data key from somebody who can't read what it seals."),
    TABLE(SHRED, "SHRED", shred_fields, "Destroys wraps that an exclusion replaced."),
    TABLE(SHRED_DONE, "SHRED_DONE", shred_done_fields,
          "Receipt of a node and a vault that hold them no more."),
    TABLE(KEY_FAULT, "KEY_FAULT", key_fault_fields,
          "Groups' keys that its author was sealed and that don't open."),
};

static const struct ml_wire_format any_format =
    OP_FORMAT("key op", any_fields, "What every op begins with.");

static const struct ml_wire_family family = OP_FAMILY(any_format, formats);

const struct ml_wire_format *ml_keyop_format(uint16_t type)
{
    return ml_wire_family_of(&family, type);
}

const char *ml_keyop_name(uint16_t type)
{
    switch (type) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_KEYOP_MAP(X)
#undef X
    default:
        return "?";
    }
}

uint16_t ml_keyop_type_of(struct ml_slice in)
{
    struct ml_mp c;
    ml_mp_init(&c, in, ML_MP_CANONICAL);
    (void)ml_mp_map(&c, 1, UINT16_MAX);
    const uint64_t key = ml_mp_key(&c);
    const uint64_t type = ml_mp_uint(&c, 1, UINT16_MAX);
    return ml_mp_ok(&c) && key == 1 ? (uint16_t)type : 0;
}

ml_err ml_keyop_decode(struct ml_keyop *out, struct ml_slice in, struct ml_fault *fault)
{
    return ml_wire_decode_op(&family, out, in, fault);
}

ml_err ml_keyop_encode(struct ml_buf *out, const struct ml_keyop *op)
{
    const struct ml_wire_format *format = ml_keyop_format(op->type);
    return format == NULL ? ML_E_INVALID : ml_wire_encode(format, out, op);
}

struct ml_recipient_id ml_recipient_id_of(const struct ml_box_pk *pk)
{
    struct ml_recipient_id out;
    const struct ml_slice part = ml_slice(pk->b, sizeof(pk->b));
    ml_hash_parts(out.b, sizeof(out.b), ml_slice(NULL, 0), &part, 1);
    return out;
}

/* ---- associated data ---- */

static size_t ad_join(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_slice *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(out + len, parts[i].data, parts[i].len); /* labels and ids: 112 bytes at most */
        len += parts[i].len;
    }
    return len;
}

#define BYTES(x) ml_slice((x).b, sizeof((x).b))

size_t ml_dek_wrap_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                      const struct ml_dek_wrap *wrap)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/dek-wrap/1"), BYTES(*org),
                                     BYTES(wrap->stream), BYTES(wrap->dek), BYTES(wrap->kek)};
    return ad_join(out, parts, 5);
}

size_t ml_patient_open_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                          const struct ml_patient_open *open)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/patient-open/1"), BYTES(*org),
                                     BYTES(open->team), BYTES(open->sealed.key)};
    return ad_join(out, parts, 4);
}

size_t ml_consent_op_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                        const struct ml_consent_op *op)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/consent-op/1"), BYTES(*org),
                                     BYTES(op->team), BYTES(op->sealed.key)};
    return ad_join(out, parts, 4);
}

size_t ml_break_glass_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                         const struct ml_box_pk *pair)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/break-glass/1"), BYTES(*org),
                                     BYTES(*pair)};
    return ad_join(out, parts, 3);
}

size_t ml_glass_op_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                      const struct ml_glass_op *op)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/glass/1"), BYTES(*org),
                                     BYTES(op->sealed.key)};
    return ad_join(out, parts, 3);
}

size_t ml_bg_wrap_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                     const struct ml_bg_wrap *wrap)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/bg-wrap/1"), BYTES(*org),
                                     BYTES(wrap->stream), BYTES(wrap->dek)};
    return ad_join(out, parts, 4);
}

size_t ml_glass_share_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                         const struct ml_bg_wrap *wrap)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/glass-share/1"), BYTES(*org),
                                     BYTES(wrap->stream), BYTES(wrap->dek)};
    return ad_join(out, parts, 4);
}

size_t ml_glass_answer_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                          const struct ml_glass_id *glass, const struct ml_key_id *dek)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/glass-answer/1"), BYTES(*org),
                                     BYTES(*glass), BYTES(*dek)};
    return ad_join(out, parts, 4);
}

size_t ml_deposit_wrap_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                          const struct ml_deposit_wrap *wrap)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/deposit-wrap/1"), BYTES(*org),
                                     BYTES(wrap->stream), BYTES(wrap->dek), BYTES(wrap->kek)};
    return ad_join(out, parts, 5);
}

size_t ml_older_key_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org,
                       const struct ml_kek_epoch *epoch, const struct ml_key_id *wrapped)
{
    uint8_t place[5] = {epoch->compartment};
    ml_put_u32be(place + 1, epoch->epoch);
    const struct ml_slice parts[] = {ml_slice_str("maille/older-key/1"), BYTES(*org),
                                     BYTES(epoch->team), ml_slice(place, sizeof(place)),
                                     BYTES(*wrapped)};
    return ad_join(out, parts, 5);
}

size_t ml_card_ad(uint8_t out[ML_KEYOP_AD_MAX], const struct ml_org_id *org, ml_card_kind kind,
                  const uint8_t id[16])
{
    const uint8_t kind_byte = (uint8_t)kind;
    const struct ml_slice parts[] = {ml_slice_str("maille/annuaire/1"), BYTES(*org),
                                     ml_slice(&kind_byte, 1), ml_slice(id, 16)};
    return ad_join(out, parts, 4);
}
