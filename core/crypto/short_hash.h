/* core/crypto/short_hash.h -- SipHash-2-4: places in hash tables whose keys strangers choose.
 *
 * Whoever doesn't know the key can't make many keys fall in one place. Not a MAC, never stored and
 * never sent: a table lives in one process. Any thread.
 */
#ifndef ML_CRYPTO_SHORT_HASH_H
#define ML_CRYPTO_SHORT_HASH_H

#include <stddef.h>
#include <stdint.h>

#define ML_SHORT_HASH_KEY_BYTES 16u

uint64_t ml_short_hash(const uint8_t key[ML_SHORT_HASH_KEY_BYTES], const void *data, size_t len);

#endif
