/* core/codec/glass.h -- what a node says of emergency access, as the sealed part of a GLASS op of
 * lane 1 (rules A6, B23; docs/protocol/glass.md). Zero-copy; pure; any thread.
 *
 * Every member of the structure can read it: that a glass was broken is no secret inside the house.
 * It holds no clinical word; the reason in the opener's own words goes to the auditor (lane 2) and
 * to the patient's record.
 */
#ifndef ML_CODEC_GLASS_H
#define ML_CODEC_GLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_GLASS_TEXT_MAX 500u

typedef enum ml_glass_kind {
    ML_GLASS_OPENED = 1,
    ML_GLASS_CLOSED = 2, /* given back before its time */
    ML_GLASS_REVIEWED = 3,
    ML_GLASS_TOLD = 4,   /* the patient was told of it */
    ML_GLASS_ASKED = 5,  /* tier 3: for another's share of sensitive keys */
    ML_GLASS_ANSWER = 6, /* his shares, to who asked */
} ml_glass_kind;

/* X(NAME, number, text): why. The numbers are on the wire; later ones are kept. */
#define ML_GLASS_REASON_MAP(X)                                                                     \
    X(VITAL, 1, "vital")             /* his life is in danger */                                   \
    X(UNCONSCIOUS, 2, "unconscious") /* he can't say what he wants */                              \
    X(CONTINUITY, 3, "continuity")   /* care can't wait for who usually gives it */                \
    X(OTHER, 4, "other")

/* What the reviewer found. */
#define ML_GLASS_OUTCOME_MAP(X)                                                                    \
    X(JUSTIFIED, 1, "justified")                                                                   \
    X(UNJUSTIFIED, 2, "unjustified")                                                               \
    X(UNCLEAR, 3, "unclear")

/* How the patient was told. */
#define ML_GLASS_HOW_MAP(X)                                                                        \
    X(ORAL, 1, "oral")                                                                             \
    X(LETTER, 2, "letter")                                                                         \
    X(PHONE, 3, "phone")                                                                           \
    X(REPRESENTATIVE, 4, "representative") /* who decides for him was told */

typedef enum ml_glass_reason {
#define X(name, number, text) ML_GLASS_FOR_##name = (number),
    ML_GLASS_REASON_MAP(X)
#undef X
} ml_glass_reason;

typedef enum ml_glass_outcome {
#define X(name, number, text) ML_GLASS_##name = (number),
    ML_GLASS_OUTCOME_MAP(X)
#undef X
} ml_glass_outcome;

typedef enum ml_glass_how {
#define X(name, number, text) ML_GLASS_BY_##name = (number),
    ML_GLASS_HOW_MAP(X)
#undef X
} ml_glass_how;

struct ml_glass_id {
    uint8_t b[16]; /* random */
};

#define ML_GLASS_SHARES_MAX 64u /* of one answer; more in the next */

/** One share on its way to who asked for it (core/model/keyring_share.h). */
struct ml_glass_share {
    struct ml_key_id dek; /* of which key */
    uint8_t sealed[80];   /* 32 bytes, anonymously to the request's key */
};

struct ml_glass_say {
    uint8_t kind;                /* ml_glass_kind, or a later one */
    struct ml_glass_id glass;    /* which opening; a request and what it opens have one id */
    struct ml_object_id patient; /* OPENED, ASKED */
    uint8_t tier;                /* OPENED: 1 summary, 2 full, 3 sensitive; ASKED: 3 */
    uint8_t reason;              /* OPENED, ASKED: ml_glass_reason, or a later one */
    uint64_t wall_ms;            /* when, UTC by the node's clock */
    uint64_t until_ms;           /* OPENED: when it ends by itself; ASKED: till when it waits */
    uint8_t outcome;             /* REVIEWED: ml_glass_outcome, or a later one */
    struct ml_slice text;        /* REVIEWED, TOLD: what its author adds; empty: nothing */
    uint8_t how;                 /* TOLD: ml_glass_how, or a later one */
    struct ml_box_pk reply;      /* ASKED: X25519 public half, drawn for it */
    struct ml_list shares;       /* ANSWER: of ml_glass_share, sorted */
    struct ml_wire_extra extra;
};

extern const struct ml_wire_format ml_format_glass;
extern const struct ml_wire_format ml_format_glass_share;

/** False after the last. */
bool ml_glass_share_next(struct ml_list_walk *walk, struct ml_glass_share *out);

/** MALFORMED with the fault, which may be NULL; *out untouched. */
ml_err ml_glass_decode(struct ml_glass_say *out, struct ml_slice in,
                       struct ml_fault *fault) ML_MUST_CHECK;
/** Appends. NOMEM, LIMIT, INVALID. */
ml_err ml_glass_encode(struct ml_buf *out, const struct ml_glass_say *say) ML_MUST_CHECK;

/* Static words; "?" for a number that has none. 0: the word names none. */
const char *ml_glass_reason_name(uint8_t reason);
uint8_t ml_glass_reason_named(const char *name);
const char *ml_glass_outcome_name(uint8_t outcome);
uint8_t ml_glass_outcome_named(const char *name);
const char *ml_glass_how_name(uint8_t how);
uint8_t ml_glass_how_named(const char *name);

#endif
