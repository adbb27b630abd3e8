/* core/crypto/noise_cipher.h -- one direction of a Noise link: the CipherState of rev. 34 with
 * ChaChaPoly. Messages must be opened in the order in which they were sealed. One thread at a time
 * per cipher. */
#ifndef ML_CRYPTO_NOISE_CIPHER_H
#define ML_CRYPTO_NOISE_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/secret.h"
#include "maille/err.h"

#define ML_NOISE_MSG_MAX   65535u /* bytes in any Noise message, tag included */
#define ML_NOISE_TAG_BYTES 16u
#define ML_NOISE_PLAIN_MAX (ML_NOISE_MSG_MAX - ML_NOISE_TAG_BYTES)

struct ml_noise_cipher; /* opaque */

/** A cipher of 32 key bytes (copied) whose next message has number `count`. Links get theirs from
 * ml_noise_split. Errors: NOMEM. */
ml_err ml_noise_cipher_new(struct ml_noise_cipher **out, const struct ml_env *env,
                           const uint8_t key[ML_KEY_BYTES], uint64_t count) ML_MUST_CHECK;
/** Wipes the key; NULL is allowed. */
void ml_noise_cipher_free(struct ml_noise_cipher *c);

/** Number of the next message; 2^64 - 1 is never used for one. */
uint64_t ml_noise_cipher_count(const struct ml_noise_cipher *c);

/** out: plain.len + 16 bytes; may be plain.data itself. Errors, with nothing changed: LIMIT (plain
 * over 65,519 bytes, or no numbers left). */
ml_err ml_noise_seal(struct ml_noise_cipher *c, uint8_t *out, struct ml_slice plain,
                     struct ml_slice ad) ML_MUST_CHECK;

/** out: sealed.len - 16 bytes; may be sealed.data itself. Errors, with the count unchanged: FORGED
 * (out is zeroed); MALFORMED (shorter than a tag or longer than a message); LIMIT (no numbers
 * left). A link ends on each. */
ml_err ml_noise_open(struct ml_noise_cipher *c, uint8_t *out, struct ml_slice sealed,
                     struct ml_slice ad) ML_MUST_CHECK;

/** REKEY of section 4.2: the old key is gone, the count goes on. Both ends rekey at the same one.
 */
void ml_noise_rekey(struct ml_noise_cipher *c);

#endif
