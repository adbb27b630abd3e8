/* core/crypto/aead.h -- XChaCha20-Poly1305-IETF (draft-irtf-cfrg-xchacha-03). Every caller states
 * what its associated data binds. Tags are detached or appended as each format wants. */
#ifndef ML_CRYPTO_AEAD_H
#define ML_CRYPTO_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "maille/err.h"

#define ML_AEAD_KEY_BYTES   32u
#define ML_AEAD_NONCE_BYTES 24u
#define ML_AEAD_TAG_BYTES   16u

/**
 * A nonce for formats that store theirs: BLAKE2b-24(key, label || 32 random bytes || length of ad
 * || ad || plain). Random, and hedged: a machine image resumed twice draws the same random bytes,
 * and still two different messages get two nonces.
 */
void ml_aead_nonce(uint8_t nonce[ML_AEAD_NONCE_BYTES], const struct ml_env *env,
                   struct ml_slice plain, struct ml_slice ad, const uint8_t key[ML_AEAD_KEY_BYTES]);

/** out: plain.len + 16 bytes (tag appended); may be plain.data itself. */
void ml_aead_seal(uint8_t *out, struct ml_slice plain, struct ml_slice ad,
                  const uint8_t nonce[ML_AEAD_NONCE_BYTES], const uint8_t key[ML_AEAD_KEY_BYTES]);

/** out: sealed.len - 16 bytes; may be sealed.data itself. FORGED: out is zeroed, so that an
 * in-place open loses the sealed bytes. */
ml_err ml_aead_open(uint8_t *out, struct ml_slice sealed, struct ml_slice ad,
                    const uint8_t nonce[ML_AEAD_NONCE_BYTES],
                    const uint8_t key[ML_AEAD_KEY_BYTES]) ML_MUST_CHECK;

/** Detached tag; `out` of plain.len bytes, may be plain.data itself. */
void ml_aead_seal_detached(uint8_t *out, uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice plain,
                           struct ml_slice ad, const uint8_t *nonce_and_key[2]);
ml_err ml_aead_open_detached(uint8_t *out, const uint8_t tag[ML_AEAD_TAG_BYTES],
                             struct ml_slice sealed, struct ml_slice ad,
                             const uint8_t *nonce_and_key[2]) ML_MUST_CHECK;

#endif
