/* core/model/blob.h -- large values: from plaintexts to sealed chunks and a bundle of lane 4 that
 * names them, and back (rules D3).
 *
 *   content key = BLAKE2b-256(key = DEK, "maille/chunk/1" || plaintext)
 *   chunk       = XChaCha20-Poly1305(content key, nonce 0, no associated data, plaintext) with tag
 *
 * A content key seals one plaintext only, so that its nonce may be zero; and within one patient and
 * compartment the same plaintext gives the same chunk, which is stored once. Pure; one thread.
 */
#ifndef ML_MODEL_BLOB_H
#define ML_MODEL_BLOB_H

#include "core/codec/manifest.h"
#include "core/model/seal.h"

/** One value to be sealed. */
struct ml_blob {
    struct ml_slice plain;      /* 1 .. ML_BLOB_BYTES_MAX bytes */
    struct ml_slice media_type; /* text, or empty */
    struct ml_object_id object; /* it is written for; may be zero */
    uint16_t slot;
    uint8_t compartment;    /* ml_compartment */
    bool deposit;           /* as of a ml_seal_item */
    struct ml_seal_key key; /* of ml_keyring_seal_key */
    /* Filled when its bundle is built. */
    bool placed;
    struct ml_version_id version; /* of the manifest */
    struct ml_hash hash;          /* BLAKE2b-256 of `plain` */
};

/** One sealed chunk, borrowed for the call; the same one may come twice. An error ends the work and
 * is returned. */
typedef ml_err ml_chunk_cb(void *user, const struct ml_hash *hash, struct ml_slice sealed);

struct ml_seal_blobs_args {
    const struct ml_sealer *sealer;
    const struct ml_seal_place *place; /* of lane 4 */
    struct ml_blob *blobs;
    uint32_t count;
    uint32_t from;
    ml_chunk_cb *each;
    void *user;
};

/**
 * Builds the bundle of lane 4 of blobs[from ..], taking as many manifests as fit: *taken (at least
 * 1); their chunks go to `each` first. Appends the wire form to `out`; *hash is its identity. Call
 * again with from + taken and the next place. LIMIT: a value that is too long. NO_KEY, INVALID (an
 * empty one), NOMEM, `each`'s: nothing is placed then.
 */
ml_err ml_seal_blobs(const struct ml_seal_blobs_args *args, struct ml_buf *out, uint32_t *taken,
                     struct ml_hash *hash) ML_MUST_CHECK;

/** What came of one op of lane 4. */
struct ml_opened_manifest {
    ml_open_result result;
    uint8_t index;
    uint64_t hlc;
    struct ml_dict_entry entry;
    struct ml_stream_info stream;   /* unless SHREDDED, NO_STREAM, NO_KEY */
    struct ml_manifest manifest;    /* unless SHREDDED or MALFORMED */
    struct ml_manifest_inner inner; /* only when OK */
};

/** Borrowed for the call: `inner` holds keys. An error ends the walk and is returned. */
typedef ml_err ml_opened_manifest_cb(void *user, const struct ml_opened_manifest *opened);

/** Each op of a bundle of lane 4, in order. Errors: NOMEM, the store's, `each`'s. */
ml_err ml_open_manifests(const struct ml_open_args *args, ml_opened_manifest_cb *each,
                         void *user) ML_MUST_CHECK;

/** Appends the plaintext of one chunk: `sealed` must have this hash and open under this key (32
 * bytes), else FORGED and nothing is appended. NOMEM, LIMIT. */
ml_err ml_chunk_open(struct ml_buf *out, struct ml_slice sealed, const struct ml_hash *hash,
                     const uint8_t *key) ML_MUST_CHECK;

#endif
