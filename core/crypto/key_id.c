/* core/crypto/key_id.c -- see key_id.h. */
#include "core/crypto/key_id.h"

#include "core/crypto/hash.h"

static struct ml_key_id id_of(const uint8_t *key, size_t len)
{
    struct ml_key_id id = {{0}};
    const struct ml_slice parts[] = {ml_slice_str("maille/key-id/1"), ml_slice(key, len)};
    ml_hash_parts(id.b, sizeof(id.b), ml_slice(NULL, 0), parts, 2);
    return id;
}

struct ml_key_id ml_key_id_of(const struct ml_secret *key)
{
    return id_of(ml_secret_bytes(key), ml_secret_len(key));
}

struct ml_key_id ml_key_id_of_bytes(const uint8_t key[ML_KEY_BYTES])
{
    return id_of(key, ML_KEY_BYTES);
}

struct ml_writer_id ml_writer_id_of(const struct ml_sign_pk *pk)
{
    struct ml_writer_id id = {{0}};
    const struct ml_slice part = ml_slice(pk->b, sizeof(pk->b));
    ml_hash_parts(id.b, sizeof(id.b), ml_slice(NULL, 0), &part, 1);
    return id;
}
