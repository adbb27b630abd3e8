/* core/store/vfs/wal_file.c -- the WAL: SQLite's own offsets, one seal a frame with its header
 * (rules C1), so that no checksum of plaintext reaches the disk.
 *
 *   0            32                                   32 + 4120
 *   | WAL header | frame 1                            | frame 2 ...
 *     (clear)      0                  4072   4096  4112   4116
 *                  | sealed: header 24, page 4048 | nonce | tag | epoch | format |
 *
 * SQLite writes a frame as header, then page: the header of a slot above `highest` waits here for
 * its page and both go in one write. A slot at or below `highest` holds a frame of this handle
 * that SQLite changes in place, half by half: open, change, seal, at once (C7).
 *
 * Invariants: `highest` never exceeds what this handle has fully written since the last WAL header
 * or truncation by anyone; after any failed write or sync it is 0, because the transaction is then
 * dead and its slots will be written anew.
 */
#include <string.h>

#include "core/base/buf.h"
#include "core/store/vfs/internal.h"

static struct ml_vfs_wal *wal_of(sqlite3_file *file)
{
    return (struct ml_vfs_wal *)(void *)file;
}

static sqlite3_int64 frame_offset(uint32_t slot)
{
    return (sqlite3_int64)VFS_WAL_HEADER_BYTES + (sqlite3_int64)(slot - 1) * VFS_FRAME_BYTES;
}

static int xclose(sqlite3_file *file)
{
    struct ml_vfs_wal *w = wal_of(file);
    struct ml_vfs *vfs = w->db->vfs;
    int rc = w->base->pMethods->xClose(w->base);
    ml_wipe(w->frame, VFS_FRAME_BYTES);
    ml_release(vfs->env, w->frame);
    ml_wipe(w->kept, sizeof(w->kept));
    ml_vfs_registry_lock();
    vfs->open_files--;
    ml_vfs_registry_unlock();
    return rc;
}

/* A place in the WAL: the header (slot 0), or a range inside one frame. */
struct place {
    uint32_t slot;
    size_t within;
};

static bool place_of(struct place *out, sqlite3_int64 offset, int bytes)
{
    if (offset < 0 || bytes <= 0) {
        return false;
    }
    if (offset < (sqlite3_int64)VFS_WAL_HEADER_BYTES) {
        *out = (struct place){0, (size_t)offset};
        return (size_t)offset + (size_t)bytes <= VFS_WAL_HEADER_BYTES;
    }
    sqlite3_int64 past = offset - (sqlite3_int64)VFS_WAL_HEADER_BYTES;
    sqlite3_int64 slot = past / VFS_FRAME_BYTES + 1;
    *out = (struct place){(uint32_t)slot, (size_t)(past % VFS_FRAME_BYTES)};
    return slot <= UINT32_MAX && out->within + (size_t)bytes <= VFS_FRAME_BYTES;
}

static int frame_failed(struct ml_vfs_wal *w, uint32_t slot, const char *how)
{
    return ml_vfs_fail(w->db->vfs, SQLITE_IOERR_DATA, ML_E_CORRUPT, "WAL, frame %u: %s",
                       (unsigned)slot, how);
}

/* The salts of the header as it stands in the file. */
static int salts_get(struct ml_vfs_wal *w, uint8_t out[VFS_SALTS_BYTES])
{
    struct ml_vfs_db *db = w->db;
    uint8_t header[VFS_WAL_HEADER_BYTES];
    pthread_mutex_lock(&db->mutex);
    bool known = db->salts_known;
    memcpy(out, db->salts, VFS_SALTS_BYTES);
    pthread_mutex_unlock(&db->mutex);
    if (known) {
        return SQLITE_OK;
    }
    int rc = w->base->pMethods->xRead(w->base, header, (int)sizeof(header), 0);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
        return ml_vfs_fail_base(db->vfs, rc, "WAL, reading the header", 0);
    }
    if (rc == SQLITE_IOERR_SHORT_READ || !ml_vfs_wal_header_ok(header)) {
        return ml_vfs_fail(db->vfs, SQLITE_IOERR_DATA, ML_E_CORRUPT, "WAL, header: damaged");
    }
    memcpy(out, header + 16, VFS_SALTS_BYTES);
    pthread_mutex_lock(&db->mutex);
    memcpy(db->salts, out, VFS_SALTS_BYTES);
    db->salts_known = true;
    pthread_mutex_unlock(&db->mutex);
    return SQLITE_OK;
}

int ml_vfs_frame_load(struct ml_vfs_wal *w, uint32_t slot)
{
    struct ml_vfs_block block = {.kind = VFS_BLOCK_FRAME, .number = slot};
    int rc = salts_get(w, block.salts);
    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = w->base->pMethods->xRead(w->base, w->frame, (int)VFS_FRAME_BYTES, frame_offset(slot));
    if (rc == SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    if (rc != SQLITE_OK) {
        return ml_vfs_fail_base(w->db->vfs, rc, "WAL, reading frame", slot);
    }
    atomic_fetch_add_explicit(&w->db->vfs->frame_reads, 1, memory_order_relaxed);
    return ml_vfs_open(w->db, &block, w->frame, w->frame) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* A frame that must be there: any other outcome is an error that names it. */
static int frame_need(struct ml_vfs_wal *w, uint32_t slot)
{
    int rc = ml_vfs_frame_load(w, slot);
    if (rc == SQLITE_IOERR_SHORT_READ) {
        return frame_failed(w, slot, "missing, the file is too short");
    }
    return rc == SQLITE_IOERR_DATA ? frame_failed(w, slot, "does not open: torn or damaged") : rc;
}

/* Seals w->frame in place and writes it. */
static int frame_store(struct ml_vfs_wal *w, uint32_t slot)
{
    struct ml_vfs_block block = {.kind = VFS_BLOCK_FRAME, .number = slot};
    int rc = salts_get(w, block.salts);
    if (rc == SQLITE_OK) {
        ml_vfs_seal(w->db, &block, w->frame, w->frame);
        rc = w->base->pMethods->xWrite(w->base, w->frame, (int)VFS_FRAME_BYTES, frame_offset(slot));
        atomic_fetch_add_explicit(&w->db->vfs->frame_writes, 1, memory_order_relaxed);
        rc = ml_vfs_fail_base(w->db->vfs, rc, "WAL, writing frame", slot);
    }
    if (rc != SQLITE_OK) {
        w->highest = 0;
    } else if (slot > w->highest) {
        w->highest = slot;
    }
    return rc;
}

/* Forgets `highest` once anyone has written a new header or truncated the WAL. */
static void generation_follow(struct ml_vfs_wal *w)
{
    pthread_mutex_lock(&w->db->mutex);
    uint64_t now = w->db->wal_generation;
    pthread_mutex_unlock(&w->db->mutex);
    if (w->generation != now) {
        w->generation = now;
        w->highest = 0;
        w->kept_slot = 0;
    }
}

/* A full-frame read is SQLite's recovery, or its rewriting of checksums: the second only meets
 * frames of this handle. In recovery zeros (page number 0) end the log (rules C2). */
static int full_read(struct ml_vfs_wal *w, uint8_t *out, uint32_t slot)
{
    bool damage = w->highest >= slot;
    int rc = ml_vfs_frame_load(w, slot);
    if (rc == SQLITE_OK) {
        memcpy(out, w->frame, VFS_FRAME_BYTES);
        return rc;
    }
    memset(out, 0, VFS_FRAME_BYTES);
    if (rc == SQLITE_IOERR_SHORT_READ && !damage) {
        return rc;
    }
    if (rc != SQLITE_IOERR_DATA && rc != SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    rc = damage ? SQLITE_OK : ml_vfs_wal_damage_at(w, slot, &damage);
    if (rc == SQLITE_OK && damage) {
        return frame_failed(w, slot, "does not open, and commits that were durable follow it");
    }
    return rc;
}

/* Recovery reads the header first. One that isn't valid would make SQLite drop the whole log in
 * silence; it is synced before its first frame is written, so with a frame behind it it's damaged,
 * not torn. */
static int header_read(struct ml_vfs_wal *w, uint8_t *out, int bytes, size_t within)
{
    struct ml_vfs *vfs = w->db->vfs;
    sqlite3_int64 size = 0;
    int rc = w->base->pMethods->xRead(w->base, out, bytes, (sqlite3_int64)within);
    if (rc == SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    if (rc != SQLITE_OK) {
        return ml_vfs_fail_base(vfs, rc, "WAL, reading the header", 0);
    }
    if (bytes != (int)VFS_WAL_HEADER_BYTES || ml_vfs_wal_header_ok(out)) {
        return SQLITE_OK;
    }
    rc = w->base->pMethods->xFileSize(w->base, &size);
    if (rc == SQLITE_OK && size >= frame_offset(2)) {
        return ml_vfs_fail(vfs, SQLITE_IOERR_DATA, ML_E_CORRUPT, "WAL, header: damaged");
    }
    return ml_vfs_fail_base(vfs, rc, "WAL, size", 0);
}

static int xread(sqlite3_file *file, void *out, int bytes, sqlite3_int64 offset)
{
    struct ml_vfs_wal *w = wal_of(file);
    struct place p;
    generation_follow(w);
    if (!place_of(&p, offset, bytes)) {
        return ml_vfs_fail(w->db->vfs, SQLITE_IOERR_READ, ML_E_INVALID, "WAL: read across frames");
    }
    if (p.slot == 0) {
        return header_read(w, out, bytes, p.within);
    }
    if (bytes == (int)VFS_FRAME_BYTES) {
        return full_read(w, out, p.slot);
    }
    int rc = frame_need(w, p.slot);
    if (rc != SQLITE_OK) {
        memset(out, 0, (size_t)bytes);
        return rc;
    }
    memcpy(out, w->frame + p.within, (size_t)bytes);
    return SQLITE_OK;
}

static int write_refused(struct ml_vfs_wal *w, const char *why)
{
    w->kept_slot = 0;
    return ml_vfs_fail(w->db->vfs, SQLITE_IOERR_WRITE, ML_E_DENIED, "WAL: %s", why);
}

/* From here on the old frames don't open any more: their salts are gone. */
static int header_write(struct ml_vfs_wal *w, const uint8_t *header)
{
    struct ml_vfs_db *db = w->db;
    if (!ml_vfs_wal_header_ok(header)) {
        return write_refused(w, "header that is not of 4096-byte pages");
    }
    int rc = w->base->pMethods->xWrite(w->base, header, (int)VFS_WAL_HEADER_BYTES, 0);
    pthread_mutex_lock(&db->mutex);
    db->salts_known = rc == SQLITE_OK;
    memcpy(db->salts, header + 16, VFS_SALTS_BYTES);
    db->wal_generation++;
    pthread_mutex_unlock(&db->mutex);
    generation_follow(w);
    return ml_vfs_fail_base(db->vfs, rc, "WAL, writing the header", 0);
}

static int frame_header_write(struct ml_vfs_wal *w, const uint8_t *header, uint32_t slot)
{
    if (slot > w->highest) {
        w->kept_slot = slot;
        memcpy(w->kept, header, VFS_FRAME_HEADER_BYTES);
        return SQLITE_OK;
    }
    w->kept_slot = 0;
    int rc = frame_need(w, slot);
    if (rc != SQLITE_OK) {
        return rc;
    }
    memcpy(w->frame, header, VFS_FRAME_HEADER_BYTES);
    return frame_store(w, slot);
}

static int frame_page_write(struct ml_vfs_wal *w, const uint8_t *page, uint32_t slot)
{
    if (w->kept_slot == slot) {
        memcpy(w->frame, w->kept, VFS_FRAME_HEADER_BYTES);
        w->kept_slot = 0;
    } else {
        w->kept_slot = 0;
        int rc = frame_need(w, slot);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }
    if (ml_get_u32be(w->frame) == 1 && !ml_vfs_page1_ok(page)) {
        w->highest = 0;
        return write_refused(w, "page 1 must say WAL, 4096-byte pages, 48 reserved bytes");
    }
    if (!ml_is_zero(page + VFS_BODY_BYTES, VFS_RESERVE_BYTES)) {
        w->highest = 0;
        return write_refused(w, "data in the reserved bytes");
    }
    memcpy(w->frame + VFS_FRAME_HEADER_BYTES, page, VFS_BODY_BYTES);
    return frame_store(w, slot);
}

static int xwrite(sqlite3_file *file, const void *in, int bytes, sqlite3_int64 offset)
{
    struct ml_vfs_wal *w = wal_of(file);
    struct place p;
    if (ml_vfs_orphan(w->db)) {
        return write_refused(w, "opened before a fork, it belongs to the parent");
    }
    generation_follow(w);
    if (!place_of(&p, offset, bytes)) {
        return write_refused(w, "write across frames");
    }
    if (p.slot == 0 && p.within == 0 && bytes == (int)VFS_WAL_HEADER_BYTES) {
        return header_write(w, in);
    }
    if (p.slot > 0 && p.within == 0 && bytes == (int)VFS_FRAME_HEADER_BYTES) {
        return frame_header_write(w, in, p.slot);
    }
    if (p.slot > 0 && p.within == VFS_FRAME_HEADER_BYTES && bytes == (int)VFS_PAGE_BYTES) {
        return frame_page_write(w, in, p.slot);
    }
    return write_refused(w, "write that is neither a header nor a page");
}

/* PRAGMA journal_size_limit names any number: a frame is never cut (rules C8). */
static int xtruncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct ml_vfs_wal *w = wal_of(file);
    struct ml_vfs_db *db = w->db;
    if (ml_vfs_orphan(db)) {
        return write_refused(w, "opened before a fork, it belongs to the parent");
    }
    sqlite3_int64 header = (sqlite3_int64)VFS_WAL_HEADER_BYTES;
    size = size < header ? 0 : size - (size - header) % (sqlite3_int64)VFS_FRAME_BYTES;
    int rc = w->base->pMethods->xTruncate(w->base, size);
    pthread_mutex_lock(&db->mutex);
    db->wal_generation++;
    if (size == 0) {
        db->salts_known = false;
    }
    pthread_mutex_unlock(&db->mutex);
    return ml_vfs_fail_base(db->vfs, rc, "WAL, truncation", 0);
}

static int xsync(sqlite3_file *file, int flags)
{
    struct ml_vfs_wal *w = wal_of(file);
    if (w->kept_slot != 0) { /* a header would be acknowledged that is not in the file */
        w->kept_slot = 0;
        return ml_vfs_fail(w->db->vfs, SQLITE_IOERR_FSYNC, ML_E_IO, "WAL: header without page");
    }
    atomic_fetch_add_explicit(&w->db->vfs->syncs, 1, memory_order_relaxed);
    int rc = w->base->pMethods->xSync(w->base, flags);
    if (rc != SQLITE_OK) {
        w->highest = 0;
    }
    return ml_vfs_fail_base(w->db->vfs, rc, "WAL, sync", 0);
}

static int xfile_size(sqlite3_file *file, sqlite3_int64 *out)
{
    struct ml_vfs_wal *w = wal_of(file);
    return ml_vfs_fail_base(w->db->vfs, w->base->pMethods->xFileSize(w->base, out), "WAL, size", 0);
}

static int xcharacteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const sqlite3_io_methods ml_vfs_wal_methods = {
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
