/* core/crypto/kdf.c -- see kdf.h. */
#include "core/crypto/kdf.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

enum { KDF_IN_MAX = 64 }; /* what BLAKE2b takes as a key */

static const struct {
    const char *label;
    uint8_t in_min;
    uint8_t in_max;
    uint8_t out_bytes;
    uint8_t context_bytes;
} table[] = {
#define X(NAME, label, input, min, max, out, context_bytes, ...)                                   \
    [ML_KDF_##NAME] = {"maille/kdf/" label "/1", (min), (max), (out), (context_bytes)},
    ML_KDF_MAP(X)
#undef X
};

#define X(NAME, label, input, min, max, out, ...)                                                  \
    _Static_assert((min) >= 10 && (max) <= KDF_IN_MAX && (out) <= 64, #NAME);
ML_KDF_MAP(X)
#undef X

ml_err ml_kdf(ml_kdf_id id, struct ml_secret **out, const struct ml_secret *in,
              struct ml_slice context)
{
    ML_ASSERT((size_t)id < ML_KDF_COUNT);
    size_t len = ml_secret_len(in);
    if (len < table[id].in_min || len > table[id].in_max ||
        context.len != table[id].context_bytes) {
        return ML_E_INVALID;
    }
    struct ml_secret *made = NULL;
    ml_err err = ml_secret_new(&made, table[id].out_bytes);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_slice parts[] = {ml_slice_str(table[id].label), context};
    ml_hash_parts(ml_secret_writable(made), table[id].out_bytes, ml_slice(ml_secret_bytes(in), len),
                  parts, 2);
    *out = made;
    return ML_OK;
}

struct ml_stream_id ml_stream_id_derive(const struct ml_secret *link, ml_compartment compartment)
{
    ML_ASSERT(ml_secret_len(link) == ML_KEY_BYTES);
    struct ml_stream_id id = {{0}};
    const uint8_t byte = (uint8_t)compartment;
    const struct ml_slice part = ml_slice(&byte, 1);
    ml_hash_parts(id.b, sizeof(id.b), ml_slice(ml_secret_bytes(link), ML_KEY_BYTES), &part, 1);
    return id;
}

void ml_chunk_key(uint8_t out[ML_KEY_BYTES], const uint8_t dek[ML_KEY_BYTES], struct ml_slice plain)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/chunk/1"), plain};
    ml_hash_parts(out, ML_KEY_BYTES, ml_slice(dek, ML_KEY_BYTES), parts, 2);
}
