/* core/crypto/secret.h -- keys in guarded memory (sodium_malloc): locked where the system lets us,
 * out of core dumps, between guard pages, wiped on free. A key lives nowhere else for longer than
 * one call. Any thread; one thread at a time per secret.
 *
 * Cost: four pages and about 20 us each. Fit for a node's long-lived keys, not for one object per
 * patient: a keyring packs many keys into one secret (ML_SECRET_MAX / 32 of them).
 */
#ifndef ML_CRYPTO_SECRET_H
#define ML_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "maille/err.h"

#define ML_SECRET_MAX 4096u /* bytes in one secret */
#define ML_KEY_BYTES  32u   /* every symmetric key of Maille */

struct ml_secret; /* opaque; owned by who made it */

/** Idempotent; call once before anything else of core/crypto. Errors: IO if sodium can't start. */
ml_err ml_crypto_init(void) ML_MUST_CHECK;

/** A secret of `len` zero bytes. Errors: NOMEM, LIMIT. */
ml_err ml_secret_new(struct ml_secret **out, size_t len) ML_MUST_CHECK;
/** A copy of `bytes`; the caller wipes its own. Errors: NOMEM, LIMIT. */
ml_err ml_secret_from(struct ml_secret **out, const void *bytes, size_t len) ML_MUST_CHECK;
/** `len` bytes of env's randomness, which must be fit for keys. Errors: NOMEM, LIMIT. */
ml_err ml_secret_random(struct ml_secret **out, const struct ml_env *env, size_t len) ML_MUST_CHECK;
/** Wipes and frees; NULL is allowed. */
void ml_secret_free(struct ml_secret *s);

const uint8_t *ml_secret_bytes(const struct ml_secret *s); /* borrowed; never copied elsewhere */
uint8_t *ml_secret_writable(struct ml_secret *s);
size_t ml_secret_len(const struct ml_secret *s);

/** Constant time in the contents; false when the lengths differ. */
bool ml_secret_equal(const struct ml_secret *a, const struct ml_secret *b);

/** For stack copies that can't be avoided (inside one call). */
void ml_wipe(void *bytes, size_t len);
/** Constant time. */
bool ml_equal_ct(const void *a, const void *b, size_t len);

#endif
