/* core/store/vfs/main_file.c -- the main file: one seal a page (rules C1), read at any time,
 * written by checkpoints only (C5).
 *
 *   page N at (N-1)*4096:   0                        4048    4072   4088  4092
 *                           | sealed body            | nonce | tag  | epoch | format |
 *   page 1:                 0      8       16
 *                           | salt | check | sealed body ...
 *
 * Invariant: every page of the file is sealed, the lock page apart; a place that a checkpoint would
 * leave unwritten is filled with sealed zeros, so that an all-zero page always means damage (C10).
 */
#include <string.h>

#include "core/base/buf.h"
#include "core/store/vfs/internal.h"

#define HEADER_PROBE_BYTES 100 /* SQLite's first read, before it opens the WAL */

static struct ml_vfs_main *main_of(sqlite3_file *file)
{
    return (struct ml_vfs_main *)(void *)file;
}

static int xclose(sqlite3_file *file)
{
    struct ml_vfs_main *m = main_of(file);
    struct ml_vfs *vfs = m->db->vfs;
    ml_vfs_xunlock(file, SQLITE_LOCK_NONE);
    ml_vfs_xshm_unmap(file, 0);
    int rc = m->base->pMethods->xClose(m->base);
    ml_wipe(m->page, VFS_PAGE_BYTES);
    ml_release(vfs->env, m->page);
    ml_vfs_registry_lock();
    ml_vfs_db_detach(m->db);
    vfs->open_files--;
    ml_vfs_registry_unlock();
    return rc;
}

static int page_damaged(struct ml_vfs_main *m, uint32_t number, const char *how)
{
    return ml_vfs_fail(m->db->vfs, SQLITE_IOERR_DATA, ML_E_CORRUPT, "main file, page %u: %s",
                       (unsigned)number, how);
}

/* `out` of one page. Anything but a page that opens is an error, never zeros. */
static int page_read(struct ml_vfs_main *m, uint8_t *out, uint32_t number)
{
    const struct ml_vfs_block block = {.kind = VFS_BLOCK_PAGE, .number = number};
    sqlite3_int64 offset = (sqlite3_int64)(number - 1) * VFS_PAGE_BYTES;
    int rc = m->base->pMethods->xRead(m->base, out, (int)VFS_PAGE_BYTES, offset);
    if (rc == SQLITE_IOERR_SHORT_READ) {
        memset(out, 0, VFS_PAGE_BYTES);
        return page_damaged(m, number, "missing, the file is too short");
    }
    if (rc != SQLITE_OK) {
        return ml_vfs_fail_base(m->db->vfs, rc, "main file, reading page", number);
    }
    uint32_t epoch = ml_get_u32be(out + VFS_PAGE_BYTES - 8);
    uint32_t format = ml_get_u32be(out + VFS_PAGE_BYTES - 4);
    if (ml_vfs_open(m->db, &block, out, out)) {
        atomic_fetch_add_explicit(&m->db->vfs->page_reads, 1, memory_order_relaxed);
        return SQLITE_OK;
    }
    bool blank = epoch == 0 && format == 0;
    memset(out, 0, VFS_PAGE_BYTES);
    return page_damaged(m, number,
                        blank ? "was never sealed (all zeros, or not ours)"
                              : "does not open: torn or damaged");
}

/* What SQLite must believe of the file before it has opened the WAL, whose page 1 may be newer,
 * and while page 1 may be torn by a checkpoint that the WAL will repeat (rules C3). */
static void header_probe(uint8_t *out)
{
    uint8_t page[VFS_PAGE_BYTES];
    ml_vfs_page1_new(page);
    memcpy(out, page, HEADER_PROBE_BYTES);
}

static int xread(sqlite3_file *file, void *out, int bytes, sqlite3_int64 offset)
{
    struct ml_vfs_main *m = main_of(file);
    uint32_t number = (uint32_t)(offset / VFS_PAGE_BYTES) + 1;
    size_t within = (size_t)(offset % VFS_PAGE_BYTES);
    if (offset == 0 && bytes == HEADER_PROBE_BYTES) {
        header_probe(out);
        return SQLITE_OK;
    }
    if (within + (size_t)bytes > VFS_PAGE_BYTES) {
        return ml_vfs_fail(m->db->vfs, SQLITE_IOERR_READ, ML_E_INVALID,
                           "main file, page %u: read across pages", (unsigned)number);
    }
    if (number == VFS_LOCK_PAGE) {
        memset(out, 0, (size_t)bytes);
        return SQLITE_OK;
    }
    if (bytes == (int)VFS_PAGE_BYTES) {
        return page_read(m, out, number);
    }
    int rc = page_read(m, m->page, number);
    if (rc == SQLITE_OK) {
        memcpy(out, m->page + within, (size_t)bytes);
    }
    ml_wipe(m->page, VFS_PAGE_BYTES);
    return rc;
}

static int page_write(struct ml_vfs_main *m, const uint8_t *plain, uint32_t number)
{
    const struct ml_vfs_block block = {.kind = VFS_BLOCK_PAGE, .number = number};
    ml_vfs_seal(m->db, &block, m->page, plain);
    int rc = m->base->pMethods->xWrite(m->base, m->page, (int)VFS_PAGE_BYTES,
                                       (sqlite3_int64)(number - 1) * VFS_PAGE_BYTES);
    atomic_fetch_add_explicit(&m->db->vfs->page_writes, 1, memory_order_relaxed);
    return ml_vfs_fail_base(m->db->vfs, rc, "main file, writing page", number);
}

/* Seals zero pages from `from` up to before `to` (gaps that SQLite leaves). */
static int main_fill(struct ml_vfs_main *m, uint32_t from, uint32_t to)
{
    static const uint8_t zeros[VFS_PAGE_BYTES];
    int rc = SQLITE_OK;
    for (uint32_t number = from; number < to && rc == SQLITE_OK; number++) {
        if (number != VFS_LOCK_PAGE) {
            rc = page_write(m, zeros, number);
        }
    }
    return rc;
}

/* The whole pages in the file; a torn last one counts as not there. */
static int size_learn(struct ml_vfs_main *m)
{
    sqlite3_int64 bytes = 0;
    if (m->size_known) {
        return SQLITE_OK;
    }
    int rc = m->base->pMethods->xFileSize(m->base, &bytes);
    if (rc != SQLITE_OK) {
        return ml_vfs_fail_base(m->db->vfs, rc, "main file, size", 0);
    }
    m->pages = (uint32_t)(bytes / VFS_PAGE_BYTES);
    m->size_known = true;
    return SQLITE_OK;
}

static int write_refused(struct ml_vfs_main *m, const char *why)
{
    return ml_vfs_fail(m->db->vfs, SQLITE_IOERR_WRITE, ML_E_DENIED, "main file: %s", why);
}

static int xwrite(sqlite3_file *file, const void *in, int bytes, sqlite3_int64 offset)
{
    struct ml_vfs_main *m = main_of(file);
    if (ml_vfs_orphan(m->db)) {
        return write_refused(m, "opened before a fork, it belongs to the parent");
    }
    if (!m->in_checkpoint) {
        return write_refused(m, "write outside a checkpoint: only journal_mode=WAL is allowed");
    }
    if (bytes != (int)VFS_PAGE_BYTES || offset % VFS_PAGE_BYTES != 0) {
        return write_refused(m, "write that is not one page of 4096 bytes");
    }
    uint32_t number = (uint32_t)(offset / VFS_PAGE_BYTES) + 1;
    const uint8_t *plain = in;
    if (number == 1 && !ml_vfs_page1_ok(plain)) {
        return write_refused(m, "page 1 must say WAL, 4096-byte pages, 48 reserved bytes");
    }
    if (!ml_is_zero(plain + VFS_BODY_BYTES, VFS_RESERVE_BYTES)) {
        return write_refused(m, "data in the reserved bytes");
    }
    int rc = size_learn(m);
    if (rc == SQLITE_OK && number > m->pages + 1) {
        rc = main_fill(m, m->pages + 1, number);
    }
    if (rc == SQLITE_OK) {
        rc = page_write(m, plain, number);
    }
    if (rc != SQLITE_OK) {
        m->size_known = false;
    } else if (number > m->pages) {
        m->pages = number;
    }
    return rc;
}

/* Only what ends a checkpoint: to the size that the WAL's last commit gave. */
static int xtruncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct ml_vfs_main *m = main_of(file);
    if (ml_vfs_orphan(m->db)) {
        return write_refused(m, "opened before a fork, it belongs to the parent");
    }
    if (!m->may_truncate || size < (sqlite3_int64)VFS_PAGE_BYTES || size % VFS_PAGE_BYTES != 0) {
        return ml_vfs_fail(m->db->vfs, SQLITE_IOERR_TRUNCATE, ML_E_DENIED,
                           "main file: truncation outside a checkpoint");
    }
    m->may_truncate = false;
    m->size_known = false;
    uint32_t pages = (uint32_t)(size / VFS_PAGE_BYTES);
    int rc = size_learn(m);
    if (rc == SQLITE_OK && pages > m->pages) {
        rc = main_fill(m, m->pages + 1, pages + 1);
    }
    m->size_known = false;
    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = m->base->pMethods->xTruncate(m->base, size);
    return ml_vfs_fail_base(m->db->vfs, rc, "main file, truncation", 0);
}

static int xsync(sqlite3_file *file, int flags)
{
    struct ml_vfs_main *m = main_of(file);
    m->may_truncate = false;
    atomic_fetch_add_explicit(&m->db->vfs->syncs, 1, memory_order_relaxed);
    return ml_vfs_fail_base(m->db->vfs, m->base->pMethods->xSync(m->base, flags), "main file, sync",
                            0);
}

static int xfile_size(sqlite3_file *file, sqlite3_int64 *out)
{
    struct ml_vfs_main *m = main_of(file);
    return ml_vfs_fail_base(m->db->vfs, m->base->pMethods->xFileSize(m->base, out),
                            "main file, size", 0);
}

/* Named one by one, so that a base's new promise never passes through: ATOMIC*, BATCH_ATOMIC,
 * SEQUENTIAL and SUBPAGE_READ would be lies about sealed pages. Without POWERSAFE_OVERWRITE a
 * frame would be split around an fsync (rules C8). */
static int xcharacteristics(sqlite3_file *file)
{
    struct ml_vfs_main *m = main_of(file);
    int base = m->base->pMethods->xDeviceCharacteristics(m->base);
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE | (base & SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN);
}

const sqlite3_io_methods ml_vfs_main_methods = {
    .iVersion = 2,
    .xClose = xclose,
    .xRead = xread,
    .xWrite = xwrite,
    .xTruncate = xtruncate,
    .xSync = xsync,
    .xFileSize = xfile_size,
    .xLock = ml_vfs_xlock,
    .xUnlock = ml_vfs_xunlock,
    .xCheckReservedLock = ml_vfs_xcheck_reserved,
    .xFileControl = ml_vfs_xcontrol,
    .xSectorSize = ml_vfs_sector_size,
    .xDeviceCharacteristics = xcharacteristics,
    .xShmMap = ml_vfs_xshm_map,
    .xShmLock = ml_vfs_xshm_lock,
    .xShmBarrier = ml_vfs_xshm_barrier,
    .xShmUnmap = ml_vfs_xshm_unmap,
};
