/* core/crypto/pwhash.h -- a passphrase becomes a key: Argon2id (RFC 9106, version 1.3, one lane).
 * Any thread; it takes half a second and 64 MiB by intent, so never the loop's. */
#ifndef ML_CRYPTO_PWHASH_H
#define ML_CRYPTO_PWHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/secret.h"
#include "maille/err.h"

#define ML_PWHASH_SALT_BYTES     16u
#define ML_PWHASH_MEMORY_KIB     65536u   /* what real keystores use */
#define ML_PWHASH_MEMORY_KIB_MIN 8u       /* Argon2's own least; tests */
#define ML_PWHASH_MEMORY_KIB_MAX 1048576u /* a file that asks for more is damaged */
#define ML_PWHASH_PASSES         3u       /* the least that a real keystore uses */
#define ML_PWHASH_PASSES_MAX     255u

#define ML_PASSPHRASE_CHARS_MIN 12u
#define ML_PASSPHRASE_BYTES_MAX 1024u

struct ml_pwhash_cost {
    uint32_t passes; /* Argon2's t */
    uint32_t memory_kib;
};

/** 32 bytes, of the passphrase's NFC with U+0020 for any space (RFC 8265, OpaqueString): how a
 * keyboard sends accents doesn't count. Errors: NOMEM; INVALID (a cost outside the limits, a
 * passphrase over 1,024 bytes). */
ml_err ml_pwhash(struct ml_secret **out, struct ml_slice passphrase,
                 const uint8_t salt[ML_PWHASH_SALT_BYTES],
                 const struct ml_pwhash_cost *cost) ML_MUST_CHECK;

/** The number of passes over 64 MiB that takes about 0.5 s here, at least ML_PWHASH_PASSES,
 * measured by env's clock. Errors: NOMEM. */
ml_err ml_pwhash_calibrate(struct ml_pwhash_cost *cost, const struct ml_env *env) ML_MUST_CHECK;

/** True below what real keystores use: « clé d'essai ». */
bool ml_pwhash_is_test(const struct ml_pwhash_cost *cost);
/** True within the limits above. */
bool ml_pwhash_cost_fits(const struct ml_pwhash_cost *cost);

typedef enum ml_passphrase_verdict {
    ML_PASSPHRASE_GOOD,
    ML_PASSPHRASE_SHORT,    /* under 12 characters */
    ML_PASSPHRASE_LONG,     /* over 1,024 bytes */
    ML_PASSPHRASE_NOT_TEXT, /* not UTF-8, or control characters */
    ML_PASSPHRASE_REPEATS,  /* fewer than 5 different characters */
} ml_passphrase_verdict;

/** The floor for a new passphrase. It measures no strength: that is what the advice on the screen
 * and Argon2id's cost are for. */
ml_passphrase_verdict ml_passphrase_check(struct ml_slice utf8);

#endif
