/* core/crypto/short_hash.c -- see short_hash.h. */
#include "core/crypto/short_hash.h"

#include <sodium.h>

#include "core/base/buf.h"

_Static_assert(ML_SHORT_HASH_KEY_BYTES == crypto_shorthash_KEYBYTES, "key size");

uint64_t ml_short_hash(const uint8_t key[ML_SHORT_HASH_KEY_BYTES], const void *data, size_t len)
{
    uint8_t out[crypto_shorthash_BYTES];
    crypto_shorthash(out, data, len, key);
    return ml_get_u64be(out);
}
