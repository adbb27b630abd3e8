/* core/store/log_chunk.c -- chunks of large values, by the hash of their bytes (rules D3).
 *
 * Happy path: a manifest is stored, or the body that holds it comes -> each chunk that it names and
 * that isn't listed gets a row, missing -> its bytes come, from a peer or from this node in the
 * same transaction -> the row says that they are here. A chunk has one row, however many manifests
 * name it. Failure: bytes that aren't what was named, or that nothing names, leave nothing.
 *
 * Invariant: the tally counts the rows that aren't lost, and those of them that are missing.
 */
#include <string.h>

#include "core/codec/manifest.h"
#include "core/store/log_impl.h"

/* The index holds the hash's first 8 bytes; what shares them is told apart here. Lost rows are
 * never found again: what was in them may be unreadable, and comes anew under another id. */
static ml_err chunk_find(struct ml_log *log, struct ml_log_chunk *out, bool *found,
                         const struct ml_hash *hash)
{
    struct ml_stmt *s = log->st[ML_SQL_CHUNK_FIND];
    ml_err err = ML_OK;
    *found = false;
    ml_stmt_bind_int(s, 1, (int64_t)ml_get_u64be(hash->b));
    for (bool row = true; row && !*found && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_CHUNK_FIND, &row);
        struct ml_slice full = err == ML_OK && row ? ml_stmt_blob(s, 1) : ml_slice(NULL, 0);
        if (full.len == sizeof(hash->b) && memcmp(full.data, hash->b, full.len) == 0) {
            *out = (struct ml_log_chunk){.id = (uint64_t)ml_stmt_int(s, 0),
                                         .hash = *hash,
                                         .bytes = (uint32_t)ml_stmt_int(s, 2),
                                         .here = ml_stmt_int(s, 3) == ML_LOG_CHUNK_HERE};
            *found = true;
        }
    }
    ml_stmt_reset(s);
    return err;
}

static ml_err chunk_insert(struct ml_log *log, uint64_t *id, const struct ml_hash *hash,
                           uint32_t bytes, int64_t state)
{
    struct ml_stmt *s = log->st[ML_SQL_CHUNK_PUT];
    ml_stmt_bind_int(s, 1, (int64_t)ml_get_u64be(hash->b));
    ml_stmt_bind_blob(s, 2, hash->b, sizeof(hash->b));
    ml_stmt_bind_int(s, 3, bytes);
    ml_stmt_bind_int(s, 4, state);
    ml_err err = ml_stmt_run(s);
    if (err == ML_OK) {
        *id = (uint64_t)ml_db_last_rowid(log->db);
        log->tally.chunks++;
        log->tally.chunks_missing += state == ML_LOG_CHUNK_MISSING;
    }
    return err;
}

static ml_err chunk_set(struct ml_log *log, uint64_t id, uint32_t bytes, int64_t state)
{
    struct ml_stmt *s = log->st[ML_SQL_CHUNK_SET];
    ml_stmt_bind_int(s, 1, (int64_t)id);
    ml_stmt_bind_int(s, 2, bytes);
    ml_stmt_bind_int(s, 3, state);
    return ml_stmt_run(s);
}

static ml_err chunk_body_put(struct ml_log *log, uint64_t id, struct ml_slice sealed)
{
    struct ml_stmt *s = log->st[ML_SQL_CHUNK_BODY_PUT];
    ml_stmt_bind_int(s, 1, (int64_t)id);
    ml_stmt_bind_blob(s, 2, sealed.data, sealed.len);
    return ml_stmt_run(s);
}

/* ---- what manifests name ---- */

typedef ml_err named_cb(struct ml_log *log, const struct ml_hash *hash, uint32_t bytes, void *user);

static ml_err manifest_each(struct ml_log *log, const struct ml_manifest *m, named_cb *each,
                            void *user)
{
    struct ml_list_walk walk;
    struct ml_hash hash;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &m->chunks);
    for (uint32_t i = 0; err == ML_OK && ml_chunk_next(&walk, &hash); i++) {
        err = each(log, &hash, ml_manifest_chunk_bytes(m, i), user);
    }
    return err;
}

/* Each chunk of a body of lane 4; shredded ops name nothing any more. */
static ml_err named_each(struct ml_log *log, struct ml_slice body, named_cb *each, void *user)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_err err = ML_OK;
    ml_body_walk(&walk, body);
    while (err == ML_OK && ml_body_next(&walk, &op)) {
        struct ml_manifest m;
        if (!op.shredded && ml_manifest_decode(&m, op.sealed, NULL) == ML_OK) {
            err = manifest_each(log, &m, each, user);
        }
    }
    return err;
}

static ml_err named_note(struct ml_log *log, const struct ml_hash *hash, uint32_t bytes, void *user)
{
    struct ml_log_chunk chunk;
    bool found = false;
    (void)user;
    ml_err err = chunk_find(log, &chunk, &found, hash);
    if (err == ML_OK && !found) {
        err = chunk_insert(log, &chunk.id, hash, bytes, ML_LOG_CHUNK_MISSING);
    }
    return err;
}

ml_err ml_log_chunks_note(struct ml_log *log, struct ml_slice body)
{
    return named_each(log, body, named_note, NULL);
}

static ml_err named_check(struct ml_log *log, const struct ml_hash *hash, uint32_t bytes,
                          void *user)
{
    struct ml_log_chunk chunk;
    bool found = false;
    bool *listed = user;
    (void)bytes;
    ml_err err = chunk_find(log, &chunk, &found, hash);
    *listed = *listed && found;
    return err;
}

ml_err ml_log_chunks_listed(struct ml_log *log, struct ml_slice body, bool *listed)
{
    *listed = true;
    return named_each(log, body, named_check, listed);
}

/* ---- in and out ---- */

static ml_err chunk_store(struct ml_log *log, struct ml_log_chunk *chunk, bool listed,
                          const struct ml_hash *hash, struct ml_slice sealed)
{
    const uint32_t bytes = (uint32_t)sealed.len;
    ml_err err = ML_OK;
    if (!listed) {
        err = chunk_insert(log, &chunk->id, hash, bytes, ML_LOG_CHUNK_HERE);
    } else {
        err = chunk_set(log, chunk->id, bytes, ML_LOG_CHUNK_HERE);
        log->tally.chunks_missing--;
    }
    return err == ML_OK ? chunk_body_put(log, chunk->id, sealed) : err;
}

ml_err ml_log_put_chunk(struct ml_log *log, const struct ml_hash *hash, struct ml_slice sealed,
                        ml_chunk_from from, bool *stored)
{
    struct ml_log_chunk chunk;
    bool listed = false;
    if (sealed.len <= ML_CHUNK_TAG_BYTES || sealed.len > ML_CHUNK_SEALED_MAX) {
        return ML_E_LIMIT;
    }
    const struct ml_hash real = ml_chunk_hash(sealed);
    if (memcmp(real.b, hash->b, sizeof(real.b)) != 0) {
        return ML_E_FORGED;
    }
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) {
        err = chunk_find(log, &chunk, &listed, hash);
    }
    if (err != ML_OK) {
        return err;
    }
    if (!listed && from == ML_CHUNK_PEER) {
        return ML_E_NOT_FOUND;
    }
    if (listed && chunk.here) {
        *stored = false;
        return ML_OK;
    }
    err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    err = ml_log_done(log, chunk_store(log, &chunk, listed, hash, sealed));
    *stored = err == ML_OK ? true : *stored;
    return err;
}

ml_err ml_log_chunk_read(struct ml_log *log, uint64_t id, struct ml_slice *sealed)
{
    struct ml_stmt *s = log->st[ML_SQL_CHUNK_BODY];
    bool found = false;
    ml_stmt_bind_int(s, 1, (int64_t)id);
    ml_err err = ml_log_row(log, ML_SQL_CHUNK_BODY, &found);
    if (err != ML_OK || !found) {
        return err != ML_OK ? err : ML_E_CORRUPT;
    }
    *sealed = ml_stmt_blob(s, 0);
    return ML_OK;
}

ml_err ml_log_get_chunk(struct ml_log *log, const struct ml_hash *hash, struct ml_slice *sealed)
{
    struct ml_log_chunk chunk = {.here = false};
    bool found = false;
    ml_err err = ml_log_fresh(log);
    ml_log_entry_done(log);
    if (err == ML_OK) {
        err = chunk_find(log, &chunk, &found, hash);
    }
    if (err != ML_OK || !found || !chunk.here) {
        return err != ML_OK ? err : ML_E_NOT_FOUND;
    }
    return ml_log_chunk_read(log, chunk.id, sealed);
}

static ml_err chunk_next(struct ml_log *log, enum ml_log_sql sql, uint64_t after,
                         struct ml_log_chunk *out)
{
    struct ml_stmt *s = log->st[sql];
    bool row = false;
    ml_stmt_bind_int(s, 1, (int64_t)after);
    ml_err err = ml_log_row(log, sql, &row);
    struct ml_slice hash = err == ML_OK && row ? ml_stmt_blob(s, 1) : ml_slice(NULL, 0);
    if (hash.len == sizeof(out->hash.b)) {
        *out = (struct ml_log_chunk){.id = (uint64_t)ml_stmt_int(s, 0),
                                     .bytes = (uint32_t)ml_stmt_int(s, 2),
                                     .here = ml_stmt_int(s, 3) == ML_LOG_CHUNK_HERE};
        memcpy(out->hash.b, hash.data, hash.len);
    } else if (err == ML_OK) {
        err = row ? ML_E_CORRUPT : ML_E_NOT_FOUND;
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_chunk_after(struct ml_log *log, uint64_t after, struct ml_log_chunk *out)
{
    return chunk_next(log, ML_SQL_CHUNK_AFTER, after, out);
}

ml_err ml_log_next_missing_chunk(struct ml_log *log, uint64_t after, struct ml_missing_chunk *out)
{
    struct ml_log_chunk chunk;
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK && log->tally.chunks_missing == 0) {
        err = ML_E_NOT_FOUND;
    }
    if (err == ML_OK) {
        err = chunk_next(log, ML_SQL_CHUNK_MISSING, after, &chunk);
    }
    if (err == ML_OK) {
        *out = (struct ml_missing_chunk){.id = chunk.id, .hash = chunk.hash, .bytes = chunk.bytes};
    }
    return err;
}

ml_err ml_log_chunk_lose(struct ml_log *log, const struct ml_log_chunk *chunk)
{
    uint64_t id = 0;
    ml_err err = chunk_set(log, chunk->id, chunk->bytes, ML_LOG_CHUNK_LOST);
    log->tally.chunks--;
    if (err == ML_OK) {
        err = chunk_insert(log, &id, &chunk->hash, chunk->bytes, ML_LOG_CHUNK_MISSING);
    }
    return err;
}
