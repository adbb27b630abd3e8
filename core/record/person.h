/* core/record/person.h -- the patient index: what a patient is found by, and what was typed.
 *
 * Tokens are bytes: a kind letter, then folded text:
 *   n<word>      of a name: each word but particles, and the words run together
 *   d<YYYYMMDD>  birth date, as far as it is known     f<DDMMYYYY> the same as it is said
 *   i<text>      identifiers and phones, without spaces
 * A query is a list of terms; a patient is found when each term is the beginning of one of its
 * tokens. Pure.
 */
#ifndef ML_RECORD_PERSON_H
#define ML_RECORD_PERSON_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

#define ML_TOKEN_MAX       48u
#define ML_QUERY_TERMS_MAX 8u
#define ML_QUERY_ALTS_MAX  4u
#define ML_QUERY_BYTES_MAX 256u

/* What a token comes from: the smaller the better a match. */
#define ML_RANK_BIRTH_NAME 0u
#define ML_RANK_USED_NAME  1u
#define ML_RANK_GIVEN      2u
#define ML_RANK_OTHER      3u

struct ml_query_alt {
    uint8_t len;
    uint8_t token[ML_TOKEN_MAX]; /* the beginning of a token */
};

struct ml_query_term {
    uint8_t alt_count;
    struct ml_query_alt alt[ML_QUERY_ALTS_MAX]; /* any of them */
};

struct ml_query {
    uint8_t count; /* 0: everybody */
    struct ml_query_term term[ML_QUERY_TERMS_MAX];
};

/** Names, birth dates ("28/03/1979", "28 mars 1979", "28031979", "03/1979", "1979-03-28", "1979",
 * also cut short while typing), identifiers, in any order. What is beyond the limits is left out.
 */
void ml_query_parse(struct ml_query *out, const char *text);

/** Packed tokens of a patient: | rank 1 | len 1 | token | ... Repetitions are left out. */
void ml_tokens_name(struct ml_buf *tokens, uint8_t rank, struct ml_slice name);
void ml_tokens_date(struct ml_buf *tokens, struct ml_slice iso_date);
void ml_tokens_identifier(struct ml_buf *tokens, struct ml_slice text);

bool ml_tokens_next(struct ml_slice tokens, size_t *at, uint8_t *rank, struct ml_slice *token);

/** Does the patient with these tokens match? *score: smaller is better. */
bool ml_query_match(const struct ml_query *query, struct ml_slice tokens, uint32_t *score);

#endif
