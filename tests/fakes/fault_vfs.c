/* tests/fakes/fault_vfs.c -- a fault_disk as SQLite's VFS and as the sealing VFS's host. */
#include "fault_vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "fault_disk.h"

struct handle {
    sqlite3_file sq;
    struct fault_disk *disk;
    struct fault_inode *inode;
};

/* ---- faults ---- */

static size_t op_index(enum fault_op op)
{
    return (size_t)__builtin_ctz((unsigned)op);
}

enum fault_verdict fault_disk_enter(struct fault_disk *d, enum fault_op op)
{
    if (d->held) {
        return d->dead ? FAULT_FAIL : FAULT_GO;
    }
    d->calls[op_index(op)]++;
    if (d->dead) {
        return FAULT_FAIL;
    }
    d->spent_ms += (op & FAULT_CHANGES) != 0 ? d->change_ms : 0;
    if ((op & FAULT_CHANGES) != 0 && d->cut_at > 0 && ++d->changes >= d->cut_at) {
        d->dead = true;
        return FAULT_LAST;
    }
    if (d->plan.nth == 0 || (d->plan.ops & op) == 0) {
        return FAULT_GO;
    }
    d->counted++;
    if (d->counted == d->plan.nth || (d->plan.forever && d->counted > d->plan.nth)) {
        d->fired = true;
        return FAULT_FAIL;
    }
    return FAULT_GO;
}

static int disk_code(const struct fault_disk *d, int code)
{
    return d->plan.full && !d->dead ? SQLITE_FULL : code;
}

uint64_t fault_disk_used(const struct fault_disk *d)
{
    uint64_t sum = 0;
    for (const struct fault_inode *i = d->inodes; i != NULL; i = i->next) {
        sum += i->now_len;
    }
    return sum;
}

bool fault_disk_over_quota(const struct fault_disk *d, const struct fault_inode *grown,
                           uint64_t end)
{
    uint64_t sum = end > grown->now_len ? end - grown->now_len : 0;
    return d->quota != 0 && sum != 0 && sum + fault_disk_used(d) > d->quota;
}

/* ---- files ---- */

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)(void *)file;
}

static int file_close(sqlite3_file *file)
{
    struct handle *h = handle_of(file);
    h->inode->handles--;
    h->disk->handles--;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int bytes, sqlite3_int64 offset)
{
    struct handle *h = handle_of(file);
    const struct fault_inode *i = h->inode;
    size_t want = (size_t)bytes;
    size_t got = (size_t)offset < i->now_len ? i->now_len - (size_t)offset : 0;
    got = got < want ? got : want;
    bool flip = false;
    if (fault_disk_enter(h->disk, FAULT_READ) != FAULT_GO) {
        flip = h->disk->plan.flip && !h->disk->dead;
        if (!flip) {
            return SQLITE_IOERR_READ;
        }
    }
    memset((uint8_t *)out + got, 0, want - got);
    if (got > 0) {
        memcpy(out, i->now + offset, got);
    }
    if (flip && got > 0) {
        ((uint8_t *)out)[fault_random(h->disk, got)] ^= (uint8_t)(1u << fault_random(h->disk, 8));
    }
    return got < want ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *in, int bytes, sqlite3_int64 offset)
{
    struct handle *h = handle_of(file);
    struct fault_disk *d = h->disk;
    enum fault_verdict v = fault_disk_enter(d, FAULT_WRITE);
    if (v == FAULT_FAIL) {
        return fault_disk_spoil(d, h->inode, (uint64_t)offset, in, (size_t)bytes)
                   ? SQLITE_OK
                   : disk_code(d, SQLITE_IOERR_WRITE);
    }
    if (fault_disk_over_quota(d, h->inode, (uint64_t)offset + (uint64_t)bytes)) {
        return SQLITE_FULL;
    }
    fault_inode_change(h->inode, (uint64_t)offset, in, (size_t)bytes);
    return v == FAULT_LAST ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = handle_of(file);
    enum fault_verdict v = fault_disk_enter(h->disk, FAULT_TRUNCATE);
    if (v == FAULT_FAIL) {
        return SQLITE_IOERR_TRUNCATE;
    }
    fault_inode_change(h->inode, (uint64_t)size, NULL, 0);
    return v == FAULT_LAST ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct handle *h = handle_of(file);
    (void)flags;
    if (fault_disk_enter(h->disk, FAULT_SYNC) != FAULT_GO) {
        return disk_code(h->disk, SQLITE_IOERR_FSYNC);
    }
    fault_inode_sync(h->inode);
    if (h->inode->sync_folder) {
        h->inode->sync_folder = false;
        fault_folder_sync(h->disk);
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    struct handle *h = handle_of(file);
    *out = (sqlite3_int64)h->inode->now_len;
    return fault_disk_enter(h->disk, FAULT_SIZE) == FAULT_GO ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

static int file_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

/* A base that promises what a sealing VFS must not pass on (rules C8). */
static int file_sector(sqlite3_file *file)
{
    (void)file;
    return (int)FAULT_SECTOR;
}

static int file_traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_ATOMIC4K | SQLITE_IOCAP_BATCH_ATOMIC |
           SQLITE_IOCAP_SEQUENTIAL | SQLITE_IOCAP_SAFE_APPEND;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
};

/* ---- the VFS ---- */

static struct fault_disk *disk_of(sqlite3_vfs *sq)
{
    return (struct fault_disk *)sq->pAppData;
}

static int vfs_open(sqlite3_vfs *sq, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct fault_disk *d = disk_of(sq);
    struct handle *h = handle_of(file);
    file->pMethods = NULL;
    if (fault_disk_enter(d, FAULT_OPEN) != FAULT_GO) {
        return disk_code(d, SQLITE_CANTOPEN);
    }
    struct fault_inode *i = fault_inode_find(d, name);
    if (i == NULL && (flags & SQLITE_OPEN_CREATE) == 0) {
        return SQLITE_CANTOPEN;
    }
    if (i == NULL) {
        i = fault_inode_new(d);
        i->sync_folder = (flags & SQLITE_OPEN_WAL) != 0;
        fault_folder_link(fault_folder_change(d), name, i);
    }
    *h = (struct handle){.sq.pMethods = &file_methods, .disk = d, .inode = i};
    i->handles++;
    d->handles++;
    if (out != NULL) {
        *out = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *sq, const char *name, int sync_folder)
{
    struct fault_disk *d = disk_of(sq);
    if (fault_disk_enter(d, FAULT_DELETE) != FAULT_GO) {
        return SQLITE_IOERR_DELETE;
    }
    if (fault_inode_find(d, name) == NULL) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    fault_folder_unlink(fault_folder_change(d), name);
    if (sync_folder) {
        fault_folder_sync(d);
    }
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *sq, const char *name, int flags, int *out)
{
    struct fault_disk *d = disk_of(sq);
    const struct fault_inode *i = fault_inode_find(d, name);
    (void)flags;
    *out = i != NULL && i->now_len > 0; /* os_unix: an empty file isn't there */
    return fault_disk_enter(d, FAULT_ACCESS) == FAULT_GO ? SQLITE_OK : SQLITE_IOERR_ACCESS;
}

static int vfs_full_pathname(sqlite3_vfs *sq, const char *name, int bytes, char *out)
{
    (void)sq;
    snprintf(out, (size_t)bytes, "%s", name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *sq, int bytes, char *out)
{
    for (int i = 0; i < bytes; i++) {
        out[i] = (char)fault_random(disk_of(sq), 256);
    }
    return bytes;
}

static int vfs_sleep(sqlite3_vfs *sq, int microseconds)
{
    (void)sq;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *sq, double *out)
{
    (void)sq;
    *out = 2461000.5;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *sq, int bytes, char *text)
{
    (void)sq;
    if (bytes > 0) {
        text[0] = '\0';
    }
    return 0;
}

/* ---- what the encrypting VFS asks of a host ---- */

int fault_disk_rename(struct fault_disk *d, const char *from, const char *to)
{
    struct fault_inode *i = fault_inode_find(d, from);
    enum fault_verdict v = fault_disk_enter(d, FAULT_RENAME);
    if (v == FAULT_FAIL || i == NULL) {
        return i == NULL ? ENOENT : EIO;
    }
    struct fault_folder *f = fault_folder_change(d);
    fault_folder_unlink(f, from);
    fault_folder_link(f, to, i);
    return v == FAULT_LAST ? EIO : 0;
}

static int host_rename(void *ctx, const char *from, const char *to)
{
    return fault_disk_rename(ctx, from, to);
}

static int host_sync_folder(void *ctx, const char *path)
{
    (void)path;
    if (fault_disk_enter(ctx, FAULT_FOLDER) != FAULT_GO) {
        return EIO;
    }
    fault_folder_sync(ctx);
    return 0;
}

static int host_lock(void *ctx, const char *path, int readonly, intptr_t *held)
{
    struct fault_disk *d = ctx;
    (void)readonly;
    if (fault_disk_enter(d, FAULT_LOCK) != FAULT_GO) {
        return d->plan.full ? ENOSPC : EIO;
    }
    if (fault_folder_find(&d->locked, path) != NULL) {
        return EBUSY;
    }
    struct fault_inode *token = fault_inode_new(d); /* swept at the next restart */
    fault_folder_link(&d->locked, path, token);
    *held = (intptr_t)token->number;
    return 0;
}

static void host_unlock(void *ctx, intptr_t held)
{
    struct fault_disk *d = ctx;
    for (size_t i = 0; i < d->locked.count; i++) {
        if ((intptr_t)d->locked.names[i].inode->number == held) {
            fault_folder_unlink(&d->locked, d->locked.names[i].text);
            return;
        }
    }
}

static int host_identify(void *ctx, const char *path, uint64_t id[2])
{
    const struct fault_inode *i = fault_inode_find(ctx, path);
    if (i == NULL) {
        return ENOENT;
    }
    id[0] = 0;
    id[1] = i->number;
    return 0;
}

static const struct ml_vfs_host *disk_host(sqlite3_vfs *sq)
{
    return &disk_of(sq)->host;
}

static sqlite3_syscall_ptr vfs_syscall(sqlite3_vfs *sq, const char *name)
{
    (void)sq;
    return strcmp(name, "ml_vfs_host") == 0 ? (sqlite3_syscall_ptr)disk_host : NULL;
}

/* ---- public ---- */

static void disk_fill(struct fault_disk *d, const char *name)
{
    d->sq = (sqlite3_vfs){
        .iVersion = 3,
        .szOsFile = (int)sizeof(struct handle),
        .mxPathname = 512,
        .zName = name,
        .pAppData = d,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
        .xGetSystemCall = vfs_syscall,
    };
    d->host = (struct ml_vfs_host){
        .rename = host_rename,
        .sync_folder = host_sync_folder,
        .lock = host_lock,
        .unlock = host_unlock,
        .identify = host_identify,
        .ctx = d,
    };
}

struct fault_disk *fault_disk_new(const char *name, uint64_t seed)
{
    struct fault_disk *d = calloc(1, sizeof(*d));
    struct fault_folder *history = calloc(1, sizeof(*history));
    if (d == NULL || history == NULL) {
        free(d);
        free(history);
        return NULL;
    }
    d->rng = seed;
    d->history = history;
    d->history_count = 1;
    disk_fill(d, name);
    if (sqlite3_vfs_register(&d->sq, 0) != SQLITE_OK) {
        free(history);
        free(d);
        return NULL;
    }
    return d;
}

void fault_disk_free(struct fault_disk *d)
{
    if (d == NULL) {
        return;
    }
    ML_ASSERT(d->handles == 0);
    sqlite3_vfs_unregister(&d->sq);
    while (d->inodes != NULL) {
        struct fault_inode *i = d->inodes;
        d->inodes = i->next;
        fault_inode_free(i);
    }
    free(d->history);
    free(d);
}

void fault_disk_plan(struct fault_disk *d, const struct fault_plan *plan)
{
    d->plan = plan == NULL ? (struct fault_plan){0} : *plan;
    d->counted = 0;
    d->fired = false;
}

bool fault_disk_fired(const struct fault_disk *d)
{
    return d->fired;
}

void fault_disk_quota(struct fault_disk *d, uint64_t bytes)
{
    d->quota = bytes;
}

void fault_disk_cut_at(struct fault_disk *d, long nth)
{
    d->cut_at = nth;
    d->changes = 0;
}

bool fault_disk_is_dead(const struct fault_disk *d)
{
    return d->dead;
}

uint64_t fault_disk_calls(const struct fault_disk *d, enum fault_op op)
{
    return d->calls[op_index(op)];
}
