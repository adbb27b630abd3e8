/* core/codec/manifest.h -- an op of lane 4: which chunks make up one large value (rules D3).
 *
 * A value above 16 KiB is cut into chunks of 64 KiB, each sealed under a key of its own and stored
 * by the hash of its ciphertext, outside of bundles. The op names them in clear, so that a node
 * without keys knows what to fetch and keep; what opens them stands in its sealed part, under the
 * data key of the stream, as an op of lane 3 is. Decoding is zero-copy. Pure; any thread.
 */
#ifndef ML_CODEC_MANIFEST_H
#define ML_CODEC_MANIFEST_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/bundle.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_CHUNK_BYTES         65536u /* of plaintext: every chunk of a value but its last */
#define ML_CHUNK_TAG_BYTES     16u
#define ML_CHUNK_SEALED_MAX    (ML_CHUNK_BYTES + ML_CHUNK_TAG_BYTES)
#define ML_MANIFEST_CHUNKS_MAX 512u
#define ML_BLOB_BYTES_MAX      (ML_MANIFEST_CHUNKS_MAX * ML_CHUNK_BYTES) /* 32 MiB */
#define ML_MANIFEST_KEY_BYTES  32u
#define ML_MEDIA_TYPE_MAX      128u
#define ML_MANIFEST_AD_BYTES   (ML_OP_AD_BYTES + 32u)

/** What stands in the place of an op's ciphertext in lane 4. */
struct ml_manifest {
    struct ml_list chunks;  /* of ml_hash, in the order of the content; one may occur twice */
    uint32_t bytes;         /* of all ciphertexts together */
    struct ml_slice sealed; /* struct ml_manifest_inner, with its tag */
    struct ml_wire_extra extra;
};

/** The sealed part. */
struct ml_manifest_inner {
    struct ml_hash hash;        /* BLAKE2b-256 of the whole plaintext */
    struct ml_slice keys;       /* content keys, 32 bytes each, as many as there are chunks */
    struct ml_slice media_type; /* text; empty: not said */
    struct ml_object_id object; /* it was written for; zero: not said */
    uint16_t slot;              /* field id there */
    struct ml_wire_extra extra;
};

extern const struct ml_wire_format ml_format_chunk_hash; /* item: struct ml_hash */
extern const struct ml_wire_format ml_format_manifest;
extern const struct ml_wire_format ml_format_manifest_inner;

/** MALFORMED with the fault, which may be NULL; *out untouched. */
ml_err ml_manifest_decode(struct ml_manifest *out, struct ml_slice in,
                          struct ml_fault *fault) ML_MUST_CHECK;
/** Appends. NOMEM, LIMIT, INVALID. */
ml_err ml_manifest_encode(struct ml_buf *out, const struct ml_manifest *manifest) ML_MUST_CHECK;
ml_err ml_manifest_inner_decode(struct ml_manifest_inner *out, struct ml_slice in,
                                struct ml_fault *fault) ML_MUST_CHECK;
ml_err ml_manifest_inner_encode(struct ml_buf *out,
                                const struct ml_manifest_inner *inner) ML_MUST_CHECK;

static inline bool ml_chunk_next(struct ml_list_walk *walk, struct ml_hash *out)
{
    return ml_list_next(walk, &ml_format_chunk_hash, out);
}

/** Bytes of the ciphertext of chunk `i`, below chunks.count. */
uint32_t ml_manifest_chunk_bytes(const struct ml_manifest *manifest, uint32_t i);

/** A chunk's name: BLAKE2b-256("maille/chunk-id/1" || ciphertext). */
struct ml_hash ml_chunk_hash(struct ml_slice sealed);

/** Associated data of the sealed part: `op` (ml_op_ad), then BLAKE2b-256("maille/manifest/1" ||
 * bytes u32be || chunk hashes): it opens beside its own chunks only. */
void ml_manifest_ad(uint8_t out[ML_MANIFEST_AD_BYTES], const uint8_t op[ML_OP_AD_BYTES],
                    const struct ml_manifest *manifest);

#endif
