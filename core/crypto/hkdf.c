/* core/crypto/hkdf.c -- see hkdf.h. */
#include "core/crypto/hkdf.h"

#include <sodium.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"

enum { BLOCK_BYTES = 128, INNER_PAD = 0x36, OUTER_PAD = 0x5c };

static void pad_key(uint8_t block[BLOCK_BYTES], struct ml_slice key, uint8_t pad)
{
    memset(block, pad, BLOCK_BYTES);
    for (size_t i = 0; i < key.len; i++) {
        block[i] ^= key.data[i];
    }
}

void ml_hmac(uint8_t out[ML_HKDF_BYTES], struct ml_slice key, struct ml_slice a, struct ml_slice b)
{
    ML_ASSERT(key.len <= BLOCK_BYTES); /* longer keys would have to be hashed first */
    uint8_t block[BLOCK_BYTES];
    uint8_t inner[ML_HKDF_BYTES];
    pad_key(block, key, INNER_PAD);
    const struct ml_slice first[] = {ml_slice(block, sizeof(block)), a, b};
    ml_hash_parts(inner, sizeof(inner), ml_slice(NULL, 0), first, 3);
    pad_key(block, key, OUTER_PAD);
    const struct ml_slice second[] = {ml_slice(block, sizeof(block)),
                                      ml_slice(inner, sizeof(inner))};
    ml_hash_parts(out, ML_HKDF_BYTES, ml_slice(NULL, 0), second, 2);
    sodium_memzero(block, sizeof(block));
    sodium_memzero(inner, sizeof(inner));
}

void ml_hkdf(uint8_t *out, size_t count, const uint8_t chaining_key[ML_HKDF_BYTES],
             struct ml_slice input)
{
    ML_ASSERT(count >= 1 && count <= ML_HKDF_OUT_MAX);
    uint8_t temp[ML_HKDF_BYTES];
    struct ml_slice previous = {NULL, 0};
    ml_hmac(temp, ml_slice(chaining_key, ML_HKDF_BYTES), input, previous);
    for (size_t i = 0; i < count; i++) {
        const uint8_t number = (uint8_t)(i + 1);
        uint8_t *at = out + i * ML_HKDF_BYTES;
        ml_hmac(at, ml_slice(temp, sizeof(temp)), previous, ml_slice(&number, 1));
        previous = ml_slice(at, ML_HKDF_BYTES);
    }
    sodium_memzero(temp, sizeof(temp));
}
