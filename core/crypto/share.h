/* core/crypto/share.h -- a 32-byte secret cut into n shares, any k of which give it back and fewer
 * tell nothing of it (Shamir over GF(256)); a share as 32 French words, or as a line for a QR code.
 *
 * A share is a secret of ML_SHARE_BYTES in the form that docs/crypto.md draws; it says of which
 * structure, of which cutting and which number it is, and holds a check of 32 bits over all of it.
 * The check finds what a hand or a scanner did wrong. It authenticates nothing: compare what comes
 * out of a join with a public key that is known. Any thread.
 */
#ifndef ML_CRYPTO_SHARE_H
#define ML_CRYPTO_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_SHARE_BYTES       44u
#define ML_SHARE_WORDS       32u
#define ML_SHARE_SECRET      32u /* bytes of what is shared */
#define ML_SHARE_NEED_MIN    2u
#define ML_SHARE_MAX         15u /* shares of a cutting */
#define ML_SHARE_ORG_BYTES   3u
#define ML_SHARE_SET_BYTES   3u
#define ML_SHARE_LINE_PREFIX "MAILLE:"
#define ML_SHARE_LINE_SIZE   (sizeof(ML_SHARE_LINE_PREFIX) + (size_t)2 * ML_SHARE_BYTES)

/* What was cut; the numbers are in the share. */
typedef enum ml_share_kind {
    ML_SHARE_STRUCTURE = 1, /* the structure's secret: Root's keys and the auditor's hang on it */
    ML_SHARE_AUDITOR = 2,   /* the auditor's box secret alone: opens traces, nothing else */
} ml_share_kind;

/** What a share says of itself; no secret. */
struct ml_share_head {
    ml_share_kind kind;
    uint8_t org[ML_SHARE_ORG_BYTES]; /* the first bytes of the structure's id */
    uint8_t set[ML_SHARE_SET_BYTES]; /* random: of one cutting */
    uint8_t need;                    /* how many give the secret back */
    uint8_t index;                   /* from 1 */
};

/* What a person must be told of a share that isn't taken. */
typedef enum ml_share_fault {
    ML_SHARE_WORD_UNKNOWN, /* `word` is not in the list */
    ML_SHARE_WORD_COUNT,   /* `word`: how many there are, 32 expected */
    ML_SHARE_WORD_WRONG,   /* all are words, not those of a share; another word at `word` (from 1)
                              would make one, 0: more than one word is wrong, or the line is */
    ML_SHARE_WORD_SWAPPED, /* `word` and the next one stand in each other's place */
    ML_SHARE_LATER,        /* the share of a later version of Maille */
    ML_SHARE_OTHER_ORG,    /* `share` is of another structure than the first */
    ML_SHARE_OTHER_SET,    /* ... of another cutting, or of another secret */
    ML_SHARE_TWICE,        /* `share` was given before */
    ML_SHARE_TOO_FEW,      /* `need` are needed */
    ML_SHARE_DISAGREE,     /* more than needed, and `share` doesn't fit the first ones: one lies */
} ml_share_fault;

struct ml_share_error {
    ml_share_fault fault;
    size_t share; /* its place in what was given, from 1 */
    size_t word;
    size_t need;
};

struct ml_share_plan {
    ml_share_kind kind;
    const struct ml_org_id *org; /* borrowed */
    uint8_t need;                /* 2..count */
    uint8_t count;               /* ..15 */
};

/** shares[0..count-1] are the caller's; none on error. `secret` has 32 bytes. env's randomness must
 * be fit for keys. Errors: INVALID (the plan, the secret's length), NOMEM. */
ml_err ml_share_cut(struct ml_secret **shares, const struct ml_env *env,
                    const struct ml_share_plan *plan, const struct ml_secret *secret) ML_MUST_CHECK;

/** *secret is the caller's, *head (may be NULL) says what it is of. All that is given must agree,
 * what is beyond need. Errors: INVALID (*error is set; a share that is no share is WORD_WRONG with
 * word 0), UNSUPPORTED (LATER), NOMEM. */
ml_err ml_share_join(struct ml_secret **secret, struct ml_share_head *head,
                     const struct ml_secret *const *shares, size_t count,
                     struct ml_share_error *error) ML_MUST_CHECK;

/** Errors: INVALID, UNSUPPORTED (of a later version, its check holds). */
ml_err ml_share_head(struct ml_share_head *head, const struct ml_secret *share) ML_MUST_CHECK;

/** 32 words with one space between; or "MAILLE:" and 88 capital hexadecimal digits, which QR codes
 * hold in few modules. NUL-terminated, in guarded memory. `share` was cut or read. NOMEM. */
ml_err ml_share_words(struct ml_secret **text, const struct ml_secret *share) ML_MUST_CHECK;
ml_err ml_share_line(struct ml_secret **text, const struct ml_secret *share) ML_MUST_CHECK;

/** Either of the two, as typed or scanned (words.h says what is forgiven). Errors: INVALID and
 * UNSUPPORTED (*error is set, share 1), LIMIT (text over 1,024 bytes), NOMEM. */
ml_err ml_share_read(struct ml_secret **share, struct ml_slice text,
                     struct ml_share_error *error) ML_MUST_CHECK;

#endif
