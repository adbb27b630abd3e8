/* core/crypto/hash.h -- BLAKE2b (RFC 7693) with digests of 1..64 bytes, plain or keyed. */
#ifndef ML_CRYPTO_HASH_H
#define ML_CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

#define ML_HASH_STATE_BYTES 448u /* sodium's 384, and room to align them at 64 */

/** Opaque, caller-allocated; not to be copied or moved between _init and _final, which wipes it. It
 * is aligned inside, since not every stack keeps 64 bytes (gcc's sanitizer's doesn't). */
struct ml_hash_state {
    uint8_t opaque[ML_HASH_STATE_BYTES];
};

/** `key` may be NULL with key_len 0; key_len <= 64; out_len 1..64. Never fails on valid sizes. */
void ml_hash_init(struct ml_hash_state *st, size_t out_len, const void *key, size_t key_len);
void ml_hash_update(struct ml_hash_state *st, const void *data, size_t len);
/** `out_len` as given to _init. */
void ml_hash_final(struct ml_hash_state *st, uint8_t *out, size_t out_len);

/** BLAKE2b of the concatenation of `count` parts. */
void ml_hash_parts(uint8_t *out, size_t out_len, struct ml_slice key, const struct ml_slice *parts,
                   size_t count);

#endif
