/* core/model/blob.c -- see blob.h.
 *
 * Happy path of sealing: as many values as fit one body are taken -> each is cut, each piece sealed
 * under its content key, named by its hash and given away -> the sealed parts of the manifests,
 * under the streams' DEKs -> the bundle. Failures: nothing is placed, `out` is as it was but for
 * its err; chunks that were given away belong to no manifest, and their owner drops them.
 *
 * Invariant: a manifest of the most chunks fits a body of its own.
 */
#include "core/model/blob.h"

#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/model/seal_int.h"

enum {
    /* What an op takes beside its chunk hashes and keys: heads, hash, object, slot, tags. */
    OP_EXTRA_BYTES = 160,
    HASH_BYTES = sizeof(struct ml_hash) + 2,
    BODY_HEAD_BYTES = 3,
    OP_BYTES_MAX = ML_MANIFEST_CHUNKS_MAX * (HASH_BYTES + ML_MANIFEST_KEY_BYTES) +
                   ML_MEDIA_TYPE_MAX + OP_EXTRA_BYTES,
};
_Static_assert(BODY_HEAD_BYTES + OP_BYTES_MAX <= ML_BODY_BYTES_MAX, "it fits");

/* Content keys are used for one message each. */
static const uint8_t chunk_nonce[ML_AEAD_NONCE_BYTES];

struct sealing {
    const struct ml_seal_blobs_args *args;
    struct ml_seal_dict dict;
    uint32_t taken;
    struct ml_op_draft ops[ML_BUNDLE_OPS_MAX];
    size_t plain_end[ML_BUNDLE_OPS_MAX];
    struct ml_hash whole[ML_BUNDLE_OPS_MAX];
    struct ml_buf plain;  /* sealed parts' plaintexts, one after the other */
    struct ml_buf hashes; /* of all chunks, value by value */
    struct ml_buf sealed; /* manifests, one after the other */
    uint8_t keys[ML_MANIFEST_CHUNKS_MAX * ML_MANIFEST_KEY_BYTES];
    uint8_t chunk[ML_CHUNK_SEALED_MAX];
};

static uint32_t chunk_count(const struct ml_blob *blob)
{
    return (uint32_t)((blob->plain.len + ML_CHUNK_BYTES - 1) / ML_CHUNK_BYTES);
}

static size_t op_bytes(const struct ml_blob *blob)
{
    return chunk_count(blob) * (size_t)(HASH_BYTES + ML_MANIFEST_KEY_BYTES) + blob->media_type.len +
           OP_EXTRA_BYTES;
}

/* How many fit, and the dictionary that they need. */
static ml_err sealing_take(struct sealing *s)
{
    const struct ml_seal_blobs_args *args = s->args;
    size_t bytes = BODY_HEAD_BYTES;
    while (s->taken < ML_BUNDLE_OPS_MAX && args->from + s->taken < args->count) {
        const struct ml_blob *blob = &args->blobs[args->from + s->taken];
        const struct ml_dict_entry want = {.stream = blob->key.stream,
                                           .key = blob->key.dek,
                                           .compartment = blob->compartment,
                                           .action = blob->deposit ? ML_ACTION_DEPOSIT
                                                                   : ML_ACTION_CREATE};
        if (blob->plain.len == 0) {
            return ML_E_INVALID;
        }
        if (blob->plain.len > (size_t)ML_BLOB_BYTES_MAX ||
            blob->media_type.len > ML_MEDIA_TYPE_MAX) {
            return ML_E_LIMIT;
        }
        if (bytes + op_bytes(blob) > ML_BODY_BYTES_MAX ||
            !ml_seal_dict_index(&s->dict, &want, &s->ops[s->taken].dict)) {
            break;
        }
        bytes += op_bytes(blob);
        s->taken++;
    }
    return ML_OK;
}

/* ---- chunks ---- */

static ml_err chunk_seal(struct sealing *s, struct ml_slice plain, const uint8_t *dek, uint8_t *key)
{
    ml_chunk_key(key, dek, plain);
    ml_aead_seal(s->chunk, plain, ml_slice(NULL, 0), chunk_nonce, key);
    const struct ml_slice sealed = ml_slice(s->chunk, plain.len + ML_AEAD_TAG_BYTES);
    const struct ml_hash hash = ml_chunk_hash(sealed);
    ml_buf_append(&s->hashes, &hash, sizeof(hash));
    return s->hashes.err == ML_OK ? s->args->each(s->args->user, &hash, sealed) : s->hashes.err;
}

static ml_err find_dek(const struct sealing *s, const struct ml_blob *blob, const uint8_t **dek)
{
    struct ml_stream_info info;
    ml_err err =
        ml_keyring_dek(s->args->sealer->keyring, &blob->key.stream, &blob->key.dek, &info, dek);
    return err == ML_E_NOT_FOUND ? ML_E_NO_KEY : err;
}

/* The chunks of one value, and what its manifest will seal. */
static ml_err blob_cut(struct sealing *s, const struct ml_blob *blob, size_t at)
{
    const uint8_t *dek = NULL;
    struct ml_manifest_inner inner = {
        .media_type = blob->media_type, .object = blob->object, .slot = blob->slot};
    ml_err err = find_dek(s, blob, &dek);
    for (uint32_t i = 0; err == ML_OK && i < chunk_count(blob); i++) {
        const size_t start = (size_t)i * ML_CHUNK_BYTES;
        const size_t left = blob->plain.len - start;
        const struct ml_slice plain =
            ml_slice(blob->plain.data + start, left < ML_CHUNK_BYTES ? left : ML_CHUNK_BYTES);
        err = chunk_seal(s, plain, dek, s->keys + (size_t)i * ML_MANIFEST_KEY_BYTES);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_hash_parts(inner.hash.b, sizeof(inner.hash.b), ml_slice(NULL, 0), &blob->plain, 1);
    inner.keys = ml_slice(s->keys, chunk_count(blob) * (size_t)ML_MANIFEST_KEY_BYTES);
    s->whole[at] = inner.hash;
    err = ml_manifest_inner_encode(&s->plain, &inner);
    s->plain_end[at] = s->plain.len;
    return err;
}

/* ---- manifests ---- */

static ml_err manifest_seal(struct sealing *s, const struct ml_header *header, uint32_t at,
                            const struct ml_hash *hashes)
{
    const struct ml_blob *blob = &s->args->blobs[s->args->from + at];
    const size_t start = at == 0 ? 0 : s->plain_end[at - 1];
    const struct ml_slice plain = ml_slice(s->plain.data + start, s->plain_end[at] - start);
    uint8_t op_ad[ML_OP_AD_BYTES];
    uint8_t ad[ML_MANIFEST_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    const uint8_t *dek = NULL;
    struct ml_manifest manifest = {.chunks = {.items = hashes, .count = chunk_count(blob)}};
    manifest.bytes = (uint32_t)(blob->plain.len + chunk_count(blob) * (size_t)ML_AEAD_TAG_BYTES);
    manifest.sealed = ml_slice(s->chunk, plain.len + ML_AEAD_TAG_BYTES);
    ml_err err = find_dek(s, blob, &dek);
    if (err != ML_OK) {
        return err;
    }
    ml_op_ad(op_ad, &s->args->sealer->org, header, (uint8_t)at, &s->dict.entries[s->ops[at].dict]);
    ml_manifest_ad(ad, op_ad, &manifest);
    ml_op_nonce(nonce, &header->salt, (uint8_t)at);
    ml_aead_seal(s->chunk, plain, ml_slice(ad, sizeof(ad)), nonce, dek);
    const size_t before = s->sealed.len;
    err = ml_manifest_encode(&s->sealed, &manifest);
    s->ops[at].sealed.len = s->sealed.len - before;
    return err;
}

static ml_err manifests_seal(struct sealing *s, const struct ml_header *header)
{
    const struct ml_hash *hashes = (const void *)s->hashes.data;
    ml_err err = ML_OK;
    for (uint32_t i = 0; err == ML_OK && i < s->taken; i++) {
        err = manifest_seal(s, header, i, hashes);
        hashes += chunk_count(&s->args->blobs[s->args->from + i]);
    }
    const uint8_t *at = s->sealed.data; /* the buffer stays where it is from here on */
    for (uint32_t i = 0; err == ML_OK && i < s->taken; i++) {
        s->ops[i].sealed.data = at;
        at += s->ops[i].sealed.len;
    }
    return err;
}

static ml_err sealing_run(struct sealing *s, struct ml_buf *out, struct ml_hash *hash)
{
    const struct ml_seal_blobs_args *args = s->args;
    ml_err err = sealing_take(s);
    for (uint32_t i = 0; err == ML_OK && i < s->taken; i++) {
        err = blob_cut(s, &args->blobs[args->from + i], i);
    }
    if (err != ML_OK) {
        return err;
    }
    struct ml_bundle_draft draft = {.ops = s->ops, .op_count = s->taken};
    draft.header =
        ml_seal_header(args->sealer, args->place, ML_LANE_BLOB, &s->dict, ml_buf_slice(&s->plain));
    err = manifests_seal(s, &draft.header);
    if (err == ML_OK) {
        err = ml_bundle_build(out, hash, &draft, &args->sealer->org, args->sealer->seed);
    }
    return err;
}

static void sealing_free(struct sealing *s, const struct ml_env *env)
{
    if (s->plain.data != NULL) {
        ml_wipe(s->plain.data, s->plain.cap);
    }
    ml_wipe(s->keys, sizeof(s->keys));
    ml_buf_free(&s->plain);
    ml_buf_free(&s->hashes);
    ml_buf_free(&s->sealed);
    ml_release(env, s);
}

ml_err ml_seal_blobs(const struct ml_seal_blobs_args *args, struct ml_buf *out, uint32_t *taken,
                     struct ml_hash *hash)
{
    const struct ml_env *env = args->sealer->env;
    if (args->from >= args->count) {
        return ML_E_INVALID;
    }
    struct sealing *s = ml_alloc(env, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    s->args = args;
    ml_buf_init(&s->plain, env, ML_BODY_BYTES_MAX);
    ml_buf_init(&s->hashes, env, ML_BODY_BYTES_MAX);
    ml_buf_init(&s->sealed, env, ML_BODY_BYTES_MAX);
    ml_err err = sealing_run(s, out, hash);
    for (uint32_t i = 0; err == ML_OK && i < s->taken; i++) {
        struct ml_blob *blob = &args->blobs[args->from + i];
        blob->hash = s->whole[i];
        blob->version = (struct ml_version_id){ml_hash16_of(hash), (uint8_t)i};
        blob->placed = true;
    }
    if (err == ML_OK) {
        *taken = s->taken;
    }
    sealing_free(s, env);
    return err;
}

/* ---- opening ---- */

struct opening {
    const struct ml_open_args *args;
    struct ml_dict_entry dict[ML_BUNDLE_STREAMS_MAX];
    uint32_t dict_count;
    uint8_t plain[ML_BODY_BYTES_MAX];
};

static bool inner_open(struct opening *o, struct ml_opened_manifest *out, const uint8_t *dek)
{
    const struct ml_slice sealed = out->manifest.sealed;
    uint8_t op_ad[ML_OP_AD_BYTES];
    uint8_t ad[ML_MANIFEST_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    ml_op_ad(op_ad, &o->args->org, o->args->header, out->index, &out->entry);
    ml_manifest_ad(ad, op_ad, &out->manifest);
    ml_op_nonce(nonce, &o->args->header->salt, out->index);
    return sealed.len <= sizeof(o->plain) &&
           ml_aead_open(o->plain, sealed, ml_slice(ad, sizeof(ad)), nonce, dek) == ML_OK;
}

static ml_err manifest_open(struct opening *o, const struct ml_body_op *op,
                            struct ml_opened_manifest *out)
{
    const uint8_t *dek = NULL;
    if (op->shredded) {
        out->result = ML_OPEN_SHREDDED;
        return ML_OK;
    }
    if (ml_manifest_decode(&out->manifest, op->sealed, NULL) != ML_OK) {
        out->result = ML_OPEN_MALFORMED;
        return ML_OK;
    }
    ml_err err =
        ml_keyring_dek(o->args->keyring, &out->entry.stream, &out->entry.key, &out->stream, &dek);
    if (err == ML_E_NOT_FOUND || err == ML_E_NO_KEY) {
        out->result = err == ML_E_NO_KEY ? ML_OPEN_NO_KEY : ML_OPEN_NO_STREAM;
        return ML_OK;
    }
    if (err != ML_OK) {
        return err;
    }
    if (!inner_open(o, out, dek)) {
        out->result = ML_OPEN_FORGED;
        return ML_OK;
    }
    const struct ml_slice plain = ml_slice(o->plain, out->manifest.sealed.len - ML_AEAD_TAG_BYTES);
    const bool whole =
        ml_manifest_inner_decode(&out->inner, plain, NULL) == ML_OK &&
        out->inner.keys.len == (size_t)out->manifest.chunks.count * ML_MANIFEST_KEY_BYTES;
    out->result = whole ? ML_OPEN_OK : ML_OPEN_MALFORMED;
    return ML_OK;
}

static void opening_dict(struct opening *o)
{
    struct ml_list_walk dict;
    ml_list_walk(&dict, &o->args->header->dictionary);
    while (o->dict_count < ML_BUNDLE_STREAMS_MAX && ml_dict_next(&dict, &o->dict[o->dict_count])) {
        o->dict_count++;
    }
}

ml_err ml_open_manifests(const struct ml_open_args *args, ml_opened_manifest_cb *each, void *user)
{
    struct opening *o = ml_alloc(args->env, sizeof(*o));
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_err err = ML_OK;
    if (o == NULL) {
        return ML_E_NOMEM;
    }
    o->args = args;
    opening_dict(o);
    ml_body_walk(&walk, args->body);
    while (err == ML_OK && ml_body_next(&walk, &op)) {
        struct ml_opened_manifest out = {.index = (uint8_t)walk.index,
                                         .hlc = args->header->hlc + op.hlc_delta};
        if (!op.shredded && op.dict < o->dict_count) {
            out.entry = o->dict[op.dict];
        }
        err = manifest_open(o, &op, &out);
        if (err == ML_OK) {
            err = each(user, &out);
        }
    }
    ml_wipe(o->plain, sizeof(o->plain));
    ml_release(args->env, o);
    return err;
}

ml_err ml_chunk_open(struct ml_buf *out, struct ml_slice sealed, const struct ml_hash *hash,
                     const uint8_t *key)
{
    const struct ml_hash real = ml_chunk_hash(sealed);
    if (sealed.len < ML_AEAD_TAG_BYTES || memcmp(real.b, hash->b, sizeof(real.b)) != 0) {
        return ML_E_FORGED;
    }
    const size_t before = out->len;
    uint8_t *plain = ml_buf_extend(out, sealed.len - ML_AEAD_TAG_BYTES);
    if (plain == NULL) {
        return out->err;
    }
    ml_err err = ml_aead_open(plain, sealed, ml_slice(NULL, 0), chunk_nonce, key);
    if (err != ML_OK) {
        out->len = before;
    }
    return err;
}
