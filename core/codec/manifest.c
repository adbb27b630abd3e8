/* core/codec/manifest.c -- see manifest.h. */
#include "core/codec/manifest.h"

#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/hash.h"

_Static_assert(ML_CHUNK_TAG_BYTES == ML_AEAD_TAG_BYTES, "one tag a chunk");
_Static_assert(ML_MANIFEST_KEY_BYTES == ML_AEAD_KEY_BYTES, "one key a chunk");

enum {
    SEALED_MAX =
        40000, /* a manifest of the most chunks fits a body: keys, texts, what comes later */
};

static const struct ml_wire_field chunk_hash_fields[] = {{
    .type = ML_WIRE_FIXED,
    .size = sizeof(struct ml_hash),
    .min = sizeof(struct ml_hash),
    .max = sizeof(struct ml_hash),
    .name = "chunk",
    .meaning = "hash of its ciphertext with the tag",
}};

const struct ml_wire_format ml_format_chunk_hash =
    ML_WIRE_FORMAT("chunk hash", SCALAR, struct ml_hash, ML_WIRE_CLOSED, chunk_hash_fields, NULL,
                   "A chunk's name.");

/* All chunks but the last are full, and the last one holds a byte at least. */
static const char *manifest_check(const void *object)
{
    const struct ml_manifest *m = object;
    const uint32_t full = (m->chunks.count - 1) * ML_CHUNK_SEALED_MAX;
    const bool fits =
        m->bytes > full + ML_CHUNK_TAG_BYTES && m->bytes <= full + ML_CHUNK_SEALED_MAX;
    return fits ? NULL : "bytes";
}

#define M struct ml_manifest
static const struct ml_wire_field manifest_fields[] = {
    ML_WF_LIST(M, 1, chunks, 1, ML_MANIFEST_CHUNKS_MAX, &ml_format_chunk_hash,
               "chunks, in the order of the content"),
    ML_WF_UINT(M, 2, bytes, ML_CHUNK_TAG_BYTES + 1,
               (uint64_t)ML_MANIFEST_CHUNKS_MAX *ML_CHUNK_SEALED_MAX,
               "of all ciphertexts: 65,552 each, the last one what is left"),
    ML_WF_BIN(M, 3, sealed, ML_AEAD_TAG_BYTES, SEALED_MAX, "the sealed part, with its tag"),
};
#undef M
const struct ml_wire_format ml_format_manifest = ML_WIRE_FORMAT(
    "manifest", MAP, struct ml_manifest, offsetof(struct ml_manifest, extra), manifest_fields,
    manifest_check, "An op of lane 4, in the place of the ciphertext; later keys are kept.");

static const char *inner_check(const void *object)
{
    const struct ml_manifest_inner *i = object;
    return i->keys.len % ML_MANIFEST_KEY_BYTES == 0 ? NULL : "keys";
}

#define I struct ml_manifest_inner
static const struct ml_wire_field inner_fields[] = {
    ML_WF_FIXED(I, 1, hash, "BLAKE2b-256 of the whole plaintext"),
    ML_WF_BIN(I, 2, keys, ML_MANIFEST_KEY_BYTES,
              (uint64_t)ML_MANIFEST_CHUNKS_MAX *ML_MANIFEST_KEY_BYTES,
              "content keys, 32 bytes each, one for each chunk"),
    ML_WF_OPT_TEXT(I, 3, media_type, ML_MEDIA_TYPE_MAX, "media type"),
    ML_WF_OPT_FIXED(I, 4, object, "object that it was written for"),
    ML_WF_OPT_UINT(I, 5, slot, UINT16_MAX, "field of that object"),
};
#undef I
const struct ml_wire_format ml_format_manifest_inner = ML_WIRE_FORMAT(
    "manifest inner", MAP, struct ml_manifest_inner, offsetof(struct ml_manifest_inner, extra),
    inner_fields, inner_check, "Plaintext of a manifest's sealed part; later keys are kept.");

ml_err ml_manifest_decode(struct ml_manifest *out, struct ml_slice in, struct ml_fault *fault)
{
    return ml_wire_decode(&ml_format_manifest, out, in, fault);
}

ml_err ml_manifest_encode(struct ml_buf *out, const struct ml_manifest *manifest)
{
    return ml_wire_encode(&ml_format_manifest, out, manifest);
}

ml_err ml_manifest_inner_decode(struct ml_manifest_inner *out, struct ml_slice in,
                                struct ml_fault *fault)
{
    return ml_wire_decode(&ml_format_manifest_inner, out, in, fault);
}

ml_err ml_manifest_inner_encode(struct ml_buf *out, const struct ml_manifest_inner *inner)
{
    return ml_wire_encode(&ml_format_manifest_inner, out, inner);
}

uint32_t ml_manifest_chunk_bytes(const struct ml_manifest *manifest, uint32_t i)
{
    const uint32_t last = manifest->chunks.count - 1;
    return i < last ? ML_CHUNK_SEALED_MAX : manifest->bytes - last * ML_CHUNK_SEALED_MAX;
}

struct ml_hash ml_chunk_hash(struct ml_slice sealed)
{
    struct ml_hash out;
    const struct ml_slice parts[] = {ml_slice_str("maille/chunk-id/1"), sealed};
    ml_hash_parts(out.b, sizeof(out.b), ml_slice(NULL, 0), parts, 2);
    return out;
}

static void chunks_hash(struct ml_hash_state *st, const struct ml_list *chunks)
{
    const struct ml_hash *items = chunks->items;
    struct ml_list_walk walk;
    struct ml_hash chunk;
    if (items != NULL) {
        ml_hash_update(st, items, chunks->count * sizeof(*items));
        return;
    }
    ml_list_walk(&walk, chunks);
    while (ml_chunk_next(&walk, &chunk)) {
        ml_hash_update(st, chunk.b, sizeof(chunk.b));
    }
}

void ml_manifest_ad(uint8_t out[ML_MANIFEST_AD_BYTES], const uint8_t op[ML_OP_AD_BYTES],
                    const struct ml_manifest *manifest)
{
    static const char label[] = "maille/manifest/1";
    struct ml_hash_state st;
    uint8_t bytes[4];
    ml_put_u32be(bytes, manifest->bytes);
    ml_hash_init(&st, ML_MANIFEST_AD_BYTES - ML_OP_AD_BYTES, NULL, 0);
    ml_hash_update(&st, label, sizeof(label) - 1);
    ml_hash_update(&st, bytes, sizeof(bytes));
    chunks_hash(&st, &manifest->chunks);
    memcpy(out, op, ML_OP_AD_BYTES);
    ml_hash_final(&st, out + ML_OP_AD_BYTES, ML_MANIFEST_AD_BYTES - ML_OP_AD_BYTES);
}
