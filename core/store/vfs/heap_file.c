/* core/store/vfs/heap_file.c -- temporary files (rules C6): plaintext, so heap memory only, wiped
 * when released. Chunks, so that growing copies nothing.
 */
#include <string.h>

#include "core/store/vfs/internal.h"

#define CHUNK_BYTES    65536u
#define HEAP_CHUNK_MAX 262144u /* 16 GiB: SQLITE_FULL beyond */

static struct ml_vfs_heap *heap_of(sqlite3_file *file)
{
    return (struct ml_vfs_heap *)(void *)file;
}

static void chunks_free(struct ml_vfs_heap *h, size_t keep)
{
    while (h->chunk_count > keep) {
        uint8_t *chunk = h->chunks[--h->chunk_count];
        ml_wipe(chunk, CHUNK_BYTES);
        ml_release(h->vfs->env, chunk);
    }
    if (keep == 0) {
        ml_release(h->vfs->env, (void *)h->chunks);
        h->chunks = NULL;
    }
}

/* The table doubles at 0, 1, 2, 4... chunks, so that it's seldom moved. */
static int chunk_add(struct ml_vfs_heap *h)
{
    const struct ml_env *env = h->vfs->env;
    size_t n = h->chunk_count;
    if ((n & (n - 1)) == 0) {
        size_t room = n == 0 ? 1 : 2 * n;
        uint8_t **grown = ml_resize(env, (void *)h->chunks, room * sizeof(*grown));
        if (grown == NULL) {
            return SQLITE_IOERR_NOMEM;
        }
        h->chunks = grown;
    }
    h->chunks[n] = ml_alloc(env, CHUNK_BYTES);
    if (h->chunks[n] == NULL) {
        return SQLITE_IOERR_NOMEM;
    }
    h->chunk_count++;
    return SQLITE_OK;
}

static int chunks_grow(struct ml_vfs_heap *h, size_t need)
{
    int rc = need > HEAP_CHUNK_MAX ? SQLITE_FULL : SQLITE_OK;
    while (rc == SQLITE_OK && h->chunk_count < need) {
        rc = chunk_add(h);
    }
    return rc;
}

static int xclose(sqlite3_file *file)
{
    struct ml_vfs_heap *h = heap_of(file);
    chunks_free(h, 0);
    ml_vfs_registry_lock();
    h->vfs->open_files--;
    ml_vfs_registry_unlock();
    return SQLITE_OK;
}

static size_t span_of(sqlite3_int64 offset, size_t left)
{
    size_t room = CHUNK_BYTES - (size_t)(offset % CHUNK_BYTES);
    return left < room ? left : room;
}

static int xread(sqlite3_file *file, void *out, int bytes, sqlite3_int64 offset)
{
    struct ml_vfs_heap *h = heap_of(file);
    uint8_t *to = out;
    size_t left = (size_t)bytes;
    bool is_short = offset + bytes > h->size;
    if (is_short) {
        left = offset < h->size ? (size_t)(h->size - offset) : 0;
        memset(to + left, 0, (size_t)bytes - left);
    }
    while (left > 0) {
        size_t span = span_of(offset, left);
        memcpy(to, h->chunks[offset / CHUNK_BYTES] + offset % CHUNK_BYTES, span);
        to += span;
        left -= span;
        offset += (sqlite3_int64)span;
    }
    return is_short ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int xwrite(sqlite3_file *file, const void *in, int bytes, sqlite3_int64 offset)
{
    struct ml_vfs_heap *h = heap_of(file);
    const uint8_t *from = in;
    size_t left = (size_t)bytes;
    sqlite3_int64 end = offset + bytes;
    int rc = chunks_grow(h, (size_t)((end + CHUNK_BYTES - 1) / CHUNK_BYTES));
    if (rc != SQLITE_OK) {
        return ml_vfs_fail_base(h->vfs, rc, "temporary file in memory", 0);
    }
    while (left > 0) {
        size_t span = span_of(offset, left);
        memcpy(h->chunks[offset / CHUNK_BYTES] + offset % CHUNK_BYTES, from, span);
        from += span;
        left -= span;
        offset += (sqlite3_int64)span;
    }
    h->size = end > h->size ? end : h->size;
    return SQLITE_OK;
}

static int xtruncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct ml_vfs_heap *h = heap_of(file);
    if (size >= h->size) {
        return SQLITE_OK;
    }
    if (size % CHUNK_BYTES != 0) { /* what a later write leaves between must read as zeros */
        memset(h->chunks[size / CHUNK_BYTES] + size % CHUNK_BYTES, 0,
               CHUNK_BYTES - (size_t)(size % CHUNK_BYTES));
    }
    for (size_t i = (size_t)((size + CHUNK_BYTES - 1) / CHUNK_BYTES); i < h->chunk_count; i++) {
        ml_wipe(h->chunks[i], CHUNK_BYTES);
    }
    h->size = size;
    return SQLITE_OK;
}

static int xsync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int xfile_size(sqlite3_file *file, sqlite3_int64 *out)
{
    *out = heap_of(file)->size;
    return SQLITE_OK;
}

static int xcharacteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL;
}

const sqlite3_io_methods ml_vfs_heap_methods = {
    .iVersion = 1,
    .xClose = xclose,
    .xRead = xread,
    .xWrite = xwrite,
    .xTruncate = xtruncate,
    .xSync = xsync,
    .xFileSize = xfile_size,
    .xLock = ml_vfs_no_lock,
    .xUnlock = ml_vfs_no_lock,
    .xCheckReservedLock = ml_vfs_no_reserved,
    .xFileControl = ml_vfs_no_control,
    .xSectorSize = ml_vfs_sector_size,
    .xDeviceCharacteristics = xcharacteristics,
};
