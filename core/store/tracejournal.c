/* core/store/tracejournal.c -- see tracejournal.h.
 *
 * Happy path: open reads the header and every record -> appends go to the end -> a cut replaces the
 * file by an empty one whose first index goes on. Failures: a record that doesn't open is looked
 * past: the next place where a record opens with a higher index goes on; what lies between is
 * damaged, and counted. Bytes after the last record that opens are torn: truncated.
 * Invariant: `end` is the offset behind the last record that opens, and where the next is written.
 */
#include "core/store/tracejournal.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/file.h"
#include "core/base/fs.h"
#include "core/crypto/aead.h"

#define ID_BYTES     16u
#define HEADER_CLEAR 28u /* magic, file id, first index */
#define HEADER_BYTES (HEADER_CLEAR + ML_AEAD_NONCE_BYTES + ML_AEAD_TAG_BYTES)
#define RECORD_CLEAR 36u /* index, length, nonce */
#define RECORD_EXTRA (RECORD_CLEAR + ML_AEAD_TAG_BYTES)
#define AD_BYTES     28u

static const uint8_t magic[4] = {'M', 'L', 'J', '1'};

struct ml_tracejournal {
    const struct ml_env *env;
    const struct ml_secret *key;
    char *path;    /* owned */
    intptr_t file; /* where is_open */
    bool is_open;
    uint8_t id[ID_BYTES];
    uint64_t last;
    uint64_t end;
};

/* One record as it lies in the file. */
struct record {
    uint64_t index;
    struct ml_slice sealed;
    const uint8_t *nonce;
    size_t len; /* of the whole */
};

static void record_ad(const struct ml_tracejournal *j, uint8_t ad[AD_BYTES], uint64_t index)
{
    memcpy(ad, magic, sizeof(magic));
    memcpy(ad + 4, j->id, ID_BYTES);
    ml_put_u64be(ad + 20, index);
}

/* ---- header ---- */

static void header_make(struct ml_tracejournal *j, uint8_t out[HEADER_BYTES], uint64_t first)
{
    j->env->random(j->env->ctx, j->id, sizeof(j->id));
    memcpy(out, magic, sizeof(magic));
    memcpy(out + 4, j->id, ID_BYTES);
    ml_put_u64be(out + 20, first);
    uint8_t *nonce = out + HEADER_CLEAR;
    j->env->random(j->env->ctx, nonce, ML_AEAD_NONCE_BYTES);
    ml_aead_seal(nonce + ML_AEAD_NONCE_BYTES, ml_slice(NULL, 0), ml_slice(out, HEADER_CLEAR), nonce,
                 ml_secret_bytes(j->key));
}

static ml_err header_read(struct ml_tracejournal *j, struct ml_slice file)
{
    uint8_t nothing[1];
    if (file.len < HEADER_BYTES || memcmp(file.data, magic, sizeof(magic)) != 0) {
        return ML_E_CORRUPT;
    }
    const uint8_t *nonce = file.data + HEADER_CLEAR;
    if (ml_aead_open(nothing, ml_slice(nonce + ML_AEAD_NONCE_BYTES, ML_AEAD_TAG_BYTES),
                     ml_slice(file.data, HEADER_CLEAR), nonce, ml_secret_bytes(j->key)) != ML_OK) {
        return ML_E_WRONG_KEY;
    }
    memcpy(j->id, file.data + 4, ID_BYTES);
    const uint64_t first = ml_get_u64be(file.data + 20);
    j->last = first > 0 ? first - 1 : 0;
    j->end = HEADER_BYTES;
    return ML_OK;
}

/* Whether the file at the path begins with `header`; *file is opened for it. */
static ml_err is_file(const struct ml_tracejournal *j, intptr_t *file, bool *is,
                      const uint8_t header[HEADER_BYTES])
{
    uint8_t there[HEADER_BYTES];
    const struct ml_fs *fs = j->env->fs;
    size_t got = 0;
    int rc = fs->open(fs->ctx, j->path, ML_FS_WRITE, file);
    if (rc != 0) {
        return ml_file_err(rc);
    }
    rc = fs->read(fs->ctx, *file, 0, there, sizeof(there), &got);
    if (rc != 0) {
        fs->close(fs->ctx, *file);
        return ml_file_err(rc);
    }
    *is = got == sizeof(there) && memcmp(there, header, sizeof(there)) == 0;
    return ML_OK;
}

/* An empty file in the place of whatever is there. A failure may come after it took that place:
 * then it is the journal, lest entries go to a file that has no name any more. Where that can't be
 * told, the next append begins with this again. */
static ml_err file_start(struct ml_tracejournal *j, uint64_t first)
{
    uint8_t header[HEADER_BYTES];
    uint8_t id_before[ID_BYTES];
    const struct ml_fs *fs = j->env->fs;
    intptr_t file = 0;
    bool replaced = false;
    memcpy(id_before, j->id, sizeof(j->id));
    header_make(j, header, first);
    ml_err err = ml_file_replace(j->env, j->path, ml_slice(header, sizeof(header)));
    ml_err told = is_file(j, &file, &replaced, header);
    if (told == ML_OK && !replaced) {
        memcpy(j->id, id_before, sizeof(j->id));
        fs->close(fs->ctx, file); /* it was only read */
        return err != ML_OK ? err : ML_E_IO;
    }
    if (j->is_open) {
        fs->close(fs->ctx, j->file); /* its contents were synced, or are in bundles */
    }
    j->file = file;
    j->is_open = told == ML_OK;
    j->end = HEADER_BYTES;
    return err != ML_OK ? err : told;
}

/* ---- records ---- */

/* A record may stand at `at`: its lengths fit the file. */
static bool record_at(struct record *out, struct ml_slice file, size_t at)
{
    if (file.len - at < RECORD_EXTRA) {
        return false;
    }
    const uint8_t *p = file.data + at;
    const uint32_t len = ml_get_u32be(p + 8);
    if (len > ML_TRACEJOURNAL_ENTRY_MAX + ML_AEAD_TAG_BYTES || len < ML_AEAD_TAG_BYTES ||
        file.len - at - RECORD_CLEAR < len) {
        return false;
    }
    *out = (struct record){.index = ml_get_u64be(p),
                           .sealed = ml_slice(p + RECORD_CLEAR, len),
                           .nonce = p + 12,
                           .len = RECORD_CLEAR + len};
    return true;
}

static bool record_open(const struct ml_tracejournal *j, uint8_t *plain, const struct record *r)
{
    uint8_t ad[AD_BYTES];
    record_ad(j, ad, r->index);
    return r->index > j->last && ml_aead_open(plain, r->sealed, ml_slice(ad, sizeof(ad)), r->nonce,
                                              ml_secret_bytes(j->key)) == ML_OK;
}

/* The next record at or after *at that opens; *at moves to it. */
static bool record_find(const struct ml_tracejournal *j, struct record *r, uint8_t *plain,
                        struct ml_slice file, size_t *at)
{
    for (; *at + RECORD_EXTRA <= file.len; (*at)++) {
        if (record_at(r, file, *at) && record_open(j, plain, r)) {
            return true;
        }
    }
    return false;
}

static ml_err records_read(struct ml_tracejournal *j, uint32_t *damaged, struct ml_slice file,
                           const struct ml_tracejournal_args *args)
{
    struct record r;
    ml_err err = ML_OK;
    uint8_t *plain = ml_alloc(j->env, ML_TRACEJOURNAL_ENTRY_MAX + 1u);
    if (plain == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t at = HEADER_BYTES; err == ML_OK && record_find(j, &r, plain, file, &at);) {
        *damaged += (uint32_t)(r.index - j->last - 1);
        j->last = r.index;
        at += r.len;
        j->end = at;
        err = args->each(args->user, r.index, ml_slice(plain, r.sealed.len - ML_AEAD_TAG_BYTES));
    }
    ml_wipe(plain, ML_TRACEJOURNAL_ENTRY_MAX);
    ml_release(j->env, plain);
    return err;
}

static ml_err file_open(struct ml_tracejournal *j, uint32_t *damaged,
                        const struct ml_tracejournal_args *args)
{
    struct ml_buf file;
    ml_buf_init(&file, j->env, (size_t)ML_TRACEJOURNAL_FILE_MAX * 2);
    const struct ml_fs *fs = j->env->fs;
    ml_err err = ml_file_read(&file, j->env, j->path);
    if (err == ML_OK) {
        err = header_read(j, ml_buf_slice(&file));
    }
    if (err == ML_OK) {
        err = records_read(j, damaged, ml_buf_slice(&file), args);
    }
    if (err == ML_OK) {
        err = ml_file_err(fs->open(fs->ctx, j->path, ML_FS_WRITE, &j->file));
        j->is_open = err == ML_OK;
    }
    if (err == ML_OK && file.len > j->end) {
        err = ml_file_err(fs->truncate(fs->ctx, j->file, j->end));
    }
    ml_buf_free(&file);
    if (err != ML_E_NOT_FOUND) {
        return err;
    }
    j->last = args->first > 0 ? args->first - 1 : 0;
    return file_start(j, j->last + 1);
}

ml_err ml_tracejournal_open(struct ml_tracejournal **out, uint32_t *damaged,
                            const struct ml_tracejournal_args *args)
{
    struct ml_tracejournal *j = ml_alloc(args->env, sizeof(*j));
    if (j == NULL) {
        return ML_E_NOMEM;
    }
    j->env = args->env;
    j->key = args->key;
    *damaged = 0;
    j->path = ml_copy(args->env, args->path, strlen(args->path));
    ml_err err = j->path == NULL ? ML_E_NOMEM : file_open(j, damaged, args);
    if (err != ML_OK) {
        ml_tracejournal_close(j);
        return err;
    }
    *out = j;
    return ML_OK;
}

void ml_tracejournal_close(struct ml_tracejournal *j)
{
    if (j == NULL) {
        return;
    }
    if (j->is_open) {
        j->env->fs->close(j->env->fs->ctx, j->file);
    }
    ml_release(j->env, j->path);
    ml_release(j->env, j);
}

static ml_err record_write(struct ml_tracejournal *j, struct ml_slice bytes, bool sync)
{
    const struct ml_fs *fs = j->env->fs;
    int rc = fs->write(fs->ctx, j->file, j->end, bytes.data, bytes.len);
    if (rc == 0 && sync) {
        rc = fs->sync(fs->ctx, j->file);
    }
    if (rc != 0 && fs->truncate(fs->ctx, j->file, j->end) != 0) {
        ml_logf(j->env, ML_LOG_WARN, "trace", "a torn entry stays: the next one overwrites it");
    }
    return ml_file_err(rc);
}

ml_err ml_tracejournal_append(struct ml_tracejournal *j, uint64_t *index, struct ml_slice plain,
                              bool sync)
{
    uint8_t ad[AD_BYTES];
    struct ml_buf bytes;
    if (plain.len > ML_TRACEJOURNAL_ENTRY_MAX ||
        j->end + plain.len + RECORD_EXTRA > ML_TRACEJOURNAL_FILE_MAX) {
        return ML_E_LIMIT;
    }
    const uint64_t next = j->last + 1;
    if (!j->is_open) { /* a cut was left half done: what the file held is in bundles */
        ml_err begun = file_start(j, next);
        if (begun != ML_OK) {
            return begun;
        }
    }
    ml_buf_init(&bytes, j->env, plain.len + RECORD_EXTRA);
    uint8_t *p = ml_buf_extend(&bytes, plain.len + RECORD_EXTRA);
    if (p == NULL) {
        return bytes.err;
    }
    ml_put_u64be(p, next);
    ml_put_u32be(p + 8, (uint32_t)(plain.len + ML_AEAD_TAG_BYTES));
    j->env->random(j->env->ctx, p + 12, ML_AEAD_NONCE_BYTES);
    record_ad(j, ad, next);
    ml_aead_seal(p + RECORD_CLEAR, plain, ml_slice(ad, sizeof(ad)), p + 12,
                 ml_secret_bytes(j->key));
    ml_err err = record_write(j, ml_buf_slice(&bytes), sync);
    if (err == ML_OK) {
        j->end += bytes.len;
        j->last = next;
        *index = next;
    }
    ml_buf_free(&bytes);
    return err;
}

uint64_t ml_tracejournal_last(const struct ml_tracejournal *j)
{
    return j->last;
}

ml_err ml_tracejournal_cut(struct ml_tracejournal *j, uint64_t last)
{
    if (last != j->last || j->end == HEADER_BYTES) {
        return ML_OK;
    }
    return file_start(j, j->last + 1);
}
