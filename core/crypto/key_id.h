/* core/crypto/key_id.h -- short names that commit to keys. Any thread. */
#ifndef ML_CRYPTO_KEY_ID_H
#define ML_CRYPTO_KEY_ID_H

#include "core/crypto/secret.h"
#include "maille/types.h"

/** BLAKE2b-16("maille/key-id/1" || key). Finding two keys of one id takes about 2^64 hashes. */
struct ml_key_id ml_key_id_of(const struct ml_secret *key);
/** The same of a 32-byte key that stands in a larger secret (a keyring's). */
struct ml_key_id ml_key_id_of_bytes(const uint8_t key[ML_KEY_BYTES]);

/** BLAKE2b-16(public key), the log's writer16 (rules B11: without a label). */
struct ml_writer_id ml_writer_id_of(const struct ml_sign_pk *pk);

#endif
