/* net/node/blob.c -- see blob.h. */
#include "net/node/blob.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "core/model/blob.h"
#include "net/node/session.h"

/* The entry of a bundle of lane 4 whose body is here. */
static ml_err entry_find(struct ml_org *org, const struct ml_version_id *manifest,
                         struct ml_log_entry *entry)
{
    ml_err err = ml_log_get(org->log, &manifest->bundle, entry);
    if (err == ML_OK && (entry->header.lane != ML_LANE_BLOB || entry->body.absent != 0)) {
        err = ML_E_NOT_FOUND;
    }
    return err;
}

/* Hashes of chunks are copied: what a manifest borrows from the log ends with its next call. */
static ml_err hashes_take(struct ml_buf *out, const struct ml_manifest *m)
{
    struct ml_list_walk walk;
    struct ml_hash hash;
    ml_list_walk(&walk, &m->chunks);
    while (ml_chunk_next(&walk, &hash)) {
        ml_buf_append(out, &hash, sizeof(hash));
    }
    return out->err;
}

static ml_err stat_take(struct ml_org *org, const struct ml_version_id *manifest,
                        struct ml_buf *hashes, struct ml_blob_stat *out)
{
    struct ml_log_entry entry;
    struct ml_body_walk walk;
    struct ml_body_op op;
    struct ml_manifest m;
    ml_err err = entry_find(org, manifest, &entry);
    bool found = false;
    if (err != ML_OK) {
        return err;
    }
    ml_body_walk(&walk, entry.body.bytes);
    while (!found && ml_body_next(&walk, &op)) {
        found = walk.index == manifest->index && !op.shredded;
    }
    if (!found || ml_manifest_decode(&m, op.sealed, NULL) != ML_OK) {
        return ML_E_NOT_FOUND;
    }
    out->chunks = m.chunks.count;
    out->bytes = m.bytes - m.chunks.count * ML_CHUNK_TAG_BYTES;
    return hashes_take(hashes, &m);
}

ml_err ml_blob_stat(struct ml_org *org, const struct ml_version_id *manifest,
                    struct ml_blob_stat *out)
{
    struct ml_blob_stat stat = {0};
    struct ml_buf hashes;
    ml_buf_init(&hashes, org->node->env, ML_BODY_BYTES_MAX);
    ml_err err = stat_take(org, manifest, &hashes, &stat);
    const struct ml_hash *hash = (const void *)hashes.data;
    for (uint32_t i = 0; err == ML_OK && i < stat.chunks; i++) {
        struct ml_slice sealed;
        err = ml_log_get_chunk(org->log, &hash[i], &sealed);
        stat.chunks_missing += err == ML_E_NOT_FOUND;
        err = err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    ml_buf_free(&hashes);
    if (err == ML_OK) {
        *out = stat;
    }
    return err;
}

/* ---- reading ---- */

struct reading {
    uint8_t index;
    ml_err err; /* NOT_FOUND until its op was met */
    struct ml_hash whole;
    struct ml_buf hashes;
    struct ml_buf keys; /* wiped */
};

static ml_err reading_take(void *user, const struct ml_opened_manifest *opened)
{
    struct reading *r = user;
    if (opened->index != r->index) {
        return ML_OK;
    }
    switch (opened->result) {
    case ML_OPEN_OK:
        r->whole = opened->inner.hash;
        ml_buf_append(&r->keys, opened->inner.keys.data, opened->inner.keys.len);
        r->err = hashes_take(&r->hashes, &opened->manifest);
        r->err = r->err == ML_OK ? r->keys.err : r->err;
        break;
    case ML_OPEN_SHREDDED:
        r->err = ML_E_NOT_FOUND;
        break;
    case ML_OPEN_NO_STREAM:
    case ML_OPEN_NO_KEY:
        r->err = ML_E_NO_KEY;
        break;
    case ML_OPEN_FORGED:
    case ML_OPEN_MALFORMED:
        r->err = ML_E_FORGED;
        break;
    }
    return ML_OK;
}

static ml_err chunks_read(struct ml_org *org, const struct reading *r, struct ml_buf *out)
{
    const struct ml_hash *hash = (const void *)r->hashes.data;
    const size_t count = r->hashes.len / sizeof(*hash);
    const size_t start = out->len;
    struct ml_hash whole;
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        struct ml_slice sealed;
        err = ml_log_get_chunk(org->log, &hash[i], &sealed);
        err = err == ML_E_NOT_FOUND ? ML_E_PENDING : err;
        if (err == ML_OK) {
            err = ml_chunk_open(out, sealed, &hash[i], r->keys.data + i * ML_MANIFEST_KEY_BYTES);
        }
    }
    if (err == ML_OK) {
        const struct ml_slice plain = ml_slice(out->data + start, out->len - start);
        ml_hash_parts(whole.b, sizeof(whole.b), ml_slice(NULL, 0), &plain, 1);
        err = memcmp(&whole, &r->whole, sizeof(whole)) == 0 ? ML_OK : ML_E_FORGED;
    }
    if (err != ML_OK && out->data != NULL) {
        ml_wipe(out->data + start, out->len - start);
        out->len = start;
    }
    return err;
}

ml_err ml_blob_read(struct ml_org *org, const struct ml_version_id *manifest, struct ml_buf *out)
{
    struct reading r = {.index = manifest->index, .err = ML_E_NOT_FOUND};
    struct ml_log_entry entry;
    ml_buf_init(&r.hashes, org->node->env, ML_BODY_BYTES_MAX);
    ml_buf_init(&r.keys, org->node->env, ML_BODY_BYTES_MAX);
    ml_err err = entry_find(org, manifest, &entry);
    if (err == ML_OK) {
        const struct ml_open_args args = {.env = org->node->env,
                                          .org = org->id,
                                          .keyring = ml_session_keyring(org),
                                          .header = &entry.header,
                                          .body = entry.body.bytes};
        err = ml_open_manifests(&args, reading_take, &r);
    }
    err = err == ML_OK ? r.err : err;
    if (err == ML_OK) {
        err = chunks_read(org, &r, out);
    }
    if (r.keys.data != NULL) {
        ml_wipe(r.keys.data, r.keys.cap);
    }
    ml_buf_free(&r.keys);
    ml_buf_free(&r.hashes);
    return err;
}
