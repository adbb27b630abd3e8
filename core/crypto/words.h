/* core/crypto/words.h -- secrets and fingerprints as French words that can be copied by hand and
 * read out (BIP-39, French list). Any thread.
 *
 *   bytes  words  check   used for
 *   10     8      8 bits  enrolment codes (ours: BIP-39 has no such length)
 *   16     12     4 bits  BIP-39
 *   32     24     8 bits  recovery secrets, BIP-39
 *   44     32     none    shares, which hold a check of their own (share.h)
 */
#ifndef ML_CRYPTO_WORDS_H
#define ML_CRYPTO_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/secret.h"
#include "maille/err.h"

#define ML_WORDS_LIST        2048u
#define ML_WORDS_MAX         32u
#define ML_WORD_BYTES_MAX    10u   /* of the list's longest in UTF-8 */
#define ML_WORDS_TEXT_MAX    1024u /* bytes of a text to decode: numbering and spaces included */
#define ML_ENROL_CODE_BYTES  10u
#define ML_FINGERPRINT_WORDS 6u
#define ML_FINGERPRINT_TEXT  (ML_FINGERPRINT_WORDS * (ML_WORD_BYTES_MAX + 1u))

/** The list, in NFC; static. */
extern const char *const ml_words_french[ML_WORDS_LIST];

/** What a person must be told about a text that isn't right. */
typedef enum ml_words_fault {
    ML_WORDS_UNKNOWN, /* this word is not in the list */
    ML_WORDS_COUNT,   /* not 8, 12, 24 or 32 words, whichever was expected */
    ML_WORDS_CHECK,   /* all are words, together they are wrong: one is another, or two swapped */
} ml_words_fault;

struct ml_words_error {
    ml_words_fault fault;
    size_t word; /* of UNKNOWN: its number, from 1; of COUNT: how many there are */
};

/** *text: the words in lower case, one space between, NUL-terminated, in guarded memory. `entropy`
 * has 10, 16, 32 or 44 bytes. Errors: INVALID (another length), NOMEM. */
ml_err ml_words_encode(struct ml_secret **text, const struct ml_secret *entropy) ML_MUST_CHECK;

/** Case, accents (composed or not), numbering, punctuation and kinds of spaces don't matter; whole
 * words do. `bytes` is what the caller expects: 10, 16, 32 or 44. Errors: INVALID (*error is set;
 * another number of words than `bytes` has is COUNT), LIMIT (text over 1,024 bytes), NOMEM. */
ml_err ml_words_decode(struct ml_secret **entropy, size_t bytes, struct ml_slice text,
                       struct ml_words_error *error) ML_MUST_CHECK;

/** Six words, 66 bits of BLAKE2b("maille/fingerprint/1" || what), NUL-terminated: for two people
 * who compare two screens. `what` starts with its own label. */
void ml_words_fingerprint(char text[ML_FINGERPRINT_TEXT], struct ml_slice what);

#endif
