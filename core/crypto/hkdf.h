/* core/crypto/hkdf.h -- HMAC (RFC 2104) over unkeyed BLAKE2b-512 and the HKDF of the Noise Protocol
 * Framework, rev. 34, section 4.3. For Noise only: every other derivation stands in kdf.h. */
#ifndef ML_CRYPTO_HKDF_H
#define ML_CRYPTO_HKDF_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

#define ML_HKDF_BYTES   64u /* HASHLEN */
#define ML_HKDF_OUT_MAX 3u

/** `key` of at most 128 bytes (BLOCKLEN); out may lie inside neither input. */
void ml_hmac(uint8_t out[ML_HKDF_BYTES], struct ml_slice key, struct ml_slice a, struct ml_slice b);

/** count outputs (1 to 3) of 64 bytes each; out may be the chaining key's own memory. */
void ml_hkdf(uint8_t *out, size_t count, const uint8_t chaining_key[ML_HKDF_BYTES],
             struct ml_slice input);

#endif
