/* core/codec/consent.h -- what a patient decided about who sees what of his record, as the sealed
 * part of a CONSENT op of lane 1 (rules B21; docs/protocol/consent.md).
 *
 * A statement is named for ever by the hash of its bytes, so that copies of it, sealed for several
 * teams, are one, and nobody can write two under one name. It names in `seen` those that its author
 * knew, and in `ends` those that no longer hold by it. Zero-copy; pure; any thread.
 */
#ifndef ML_CODEC_CONSENT_H
#define ML_CODEC_CONSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_CONSENT_MEMBERS_MAX 64u
#define ML_CONSENT_NAMES_MAX   128u /* statements that one names */
#define ML_CONSENT_TEXT_MAX    500u

/* X(NAME, number, text). The numbers are on the wire; later ones are kept and say nothing here. */
#define ML_CONSENT_KIND_MAP(X)                                                                     \
    X(INFORMED, 1, "informed")         /* he was told that his record is shared, and may refuse */ \
    X(OPPOSED, 2, "opposed")           /* `audience` isn't to see `item` */                        \
    X(AGREED, 3, "agreed")             /* `audience` may: explicit consent */                      \
    X(SECRET, 4, "secret")             /* a minor's, towards his representatives */                \
    X(NO_EMERGENCY, 5, "no emergency") /* emergency access opens nothing of `item` */              \
    X(WITHDRAWN, 6, "withdrawn")       /* `ends`, and nothing in their place */                    \
    X(RECEIPT, 7, "receipt")           /* its author's vault, on its author's node, obeys `seen` */

typedef enum ml_consent_kind {
#define X(name, number, text) ML_CONSENT_##name = (number),
    ML_CONSENT_KIND_MAP(X)
#undef X
} ml_consent_kind;

/** Who said it. */
typedef enum ml_consent_source {
    ML_CONSENT_BY_PATIENT = 1,
    ML_CONSENT_BY_REPRESENTATIVE = 2,
} ml_consent_source;

typedef enum ml_audience_kind {
    ML_AUDIENCE_ALL = 0,
    ML_AUDIENCE_ALL_EXCEPT = 1, /* `members` */
    ML_AUDIENCE_PROFESSION = 2, /* `role` */
    ML_AUDIENCE_TEAM = 3,       /* `id` */
    ML_AUDIENCE_PERSON = 4,     /* `id` */
} ml_audience_kind;
#define ML_AUDIENCE_LAST 4u

typedef enum ml_item_kind {
    ML_ITEM_ALL = 0,         /* every clinical class */
    ML_ITEM_COMPARTMENT = 1, /* `number` */
    ML_ITEM_CLASS = 2,       /* `number` */
    ML_ITEM_OBJECT = 3,      /* `object`: one document, one entry */
} ml_item_kind;
#define ML_ITEM_LAST 3u

/** BLAKE2b-16("maille/consent/1" || the statement's bytes). */
struct ml_consent_id {
    uint8_t b[16];
};

struct ml_consent {
    uint8_t kind;
    struct ml_object_id patient;
    uint8_t unique[16]; /* random: the same said twice is two statements */
    uint8_t source;     /* ml_consent_source */
    uint8_t audience;   /* ml_audience_kind */
    uint16_t role;      /* PROFESSION: number as in the matrix */
    uint8_t audience_id[16];
    struct ml_list members; /* ALL_EXCEPT: of ml_member_id, sorted */
    uint8_t item;           /* ml_item_kind */
    uint8_t number;         /* COMPARTMENT, CLASS */
    struct ml_object_id object;
    uint64_t said_ms;       /* when the patient said so, UTC; 0: when it was recorded */
    uint64_t until_ms;      /* 0: until it is ended */
    struct ml_list seen;    /* of ml_consent_id, sorted */
    struct ml_list ends;    /* of ml_consent_id, sorted */
    struct ml_slice means;  /* text: by word of mouth, on paper ...; empty: not said */
    struct ml_slice reason; /* text; empty: none */
    struct ml_wire_extra extra;
};

extern const struct ml_wire_format ml_format_consent;
extern const struct ml_wire_format ml_format_consent_member; /* item: struct ml_member_id */
extern const struct ml_wire_format ml_format_consent_id;     /* item: struct ml_consent_id */

/** MALFORMED with the fault, which may be NULL; *out untouched. */
ml_err ml_consent_decode(struct ml_consent *out, struct ml_slice in,
                         struct ml_fault *fault) ML_MUST_CHECK;
/** Appends. NOMEM, LIMIT, INVALID. */
ml_err ml_consent_encode(struct ml_buf *out, const struct ml_consent *consent) ML_MUST_CHECK;
struct ml_consent_id ml_consent_id_of(struct ml_slice bytes);

const char *ml_consent_kind_name(uint8_t kind); /* static: "opposed"; "?" for one that is none */

#endif
