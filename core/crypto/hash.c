/* core/crypto/hash.c -- see hash.h. */
#include "core/crypto/hash.h"

#include <sodium.h>

#include "core/base/assert.h"

enum { ALIGN = 64 };

_Static_assert(sizeof(crypto_generichash_state) + ALIGN <= ML_HASH_STATE_BYTES, "state fits");
_Static_assert(_Alignof(crypto_generichash_state) <= ALIGN, "aligned enough");

static crypto_generichash_state *state_of(struct ml_hash_state *st)
{
    /* cppcheck-suppress ctuuninitvar -- its address is taken, not its bytes */
    size_t past = (uintptr_t)st % ALIGN;
    return (crypto_generichash_state *)(void *)(st->opaque + (ALIGN - past) % ALIGN);
}

void ml_hash_init(struct ml_hash_state *st, size_t out_len, const void *key, size_t key_len)
{
    int rc = crypto_generichash_blake2b_init(state_of(st), key, key_len, out_len);
    ML_ASSERT(rc == 0); /* it only refuses sizes, which are constants of ours */
}

void ml_hash_update(struct ml_hash_state *st, const void *data, size_t len)
{
    crypto_generichash_blake2b_update(state_of(st), data, len);
}

void ml_hash_final(struct ml_hash_state *st, uint8_t *out, size_t out_len)
{
    int rc = crypto_generichash_blake2b_final(state_of(st), out, out_len);
    ML_ASSERT(rc == 0);
    sodium_memzero(st->opaque, sizeof(st->opaque));
}

void ml_hash_parts(uint8_t *out, size_t out_len, struct ml_slice key, const struct ml_slice *parts,
                   size_t count)
{
    struct ml_hash_state st;
    ml_hash_init(&st, out_len, key.data, key.len);
    for (size_t i = 0; i < count; i++) {
        ml_hash_update(&st, parts[i].data, parts[i].len);
    }
    ml_hash_final(&st, out, out_len);
}
