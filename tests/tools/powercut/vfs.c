/* tests/tools/powercut/vfs.c -- the owner's disk as SQLite's base VFS. What it promises is
 * what the disk says (tests/fakes/fault_vfs.c). */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/store/vfs/vfs.h"
#include "powercut.h"

struct file {
    sqlite3_file sq;
    int64_t handle;
};

static int64_t handle_of(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->handle;
}

static int file_close(sqlite3_file *file)
{
    const struct wire_ask ask = {.op = WIRE_DB_CLOSE, .handle = handle_of(file)};
    return powercut_ask(&ask, NULL, NULL, 0).code;
}

static int file_read(sqlite3_file *file, void *out, int bytes, sqlite3_int64 offset)
{
    const struct wire_ask ask = {.op = WIRE_DB_READ,
                                 .handle = handle_of(file),
                                 .at = (uint64_t)offset,
                                 .arg = (uint64_t)bytes};
    return powercut_ask(&ask, NULL, out, (size_t)bytes).code;
}

static int file_write(sqlite3_file *file, const void *in, int bytes, sqlite3_int64 offset)
{
    const struct wire_ask ask = {.op = WIRE_DB_WRITE,
                                 .len = (uint32_t)bytes,
                                 .handle = handle_of(file),
                                 .at = (uint64_t)offset};
    return powercut_ask(&ask, in, NULL, 0).code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    const struct wire_ask ask = {
        .op = WIRE_DB_TRUNCATE, .handle = handle_of(file), .at = (uint64_t)size};
    return powercut_ask(&ask, NULL, NULL, 0).code;
}

static int file_sync(sqlite3_file *file, int flags)
{
    const struct wire_ask ask = {
        .op = WIRE_DB_SYNC, .handle = handle_of(file), .arg = (uint64_t)flags};
    return powercut_ask(&ask, NULL, NULL, 0).code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    const struct wire_ask ask = {.op = WIRE_DB_SIZE, .handle = handle_of(file)};
    struct wire_answer a = powercut_ask(&ask, NULL, NULL, 0);
    *out = a.number;
    return a.code;
}

/* Between connections the sealing VFS locks; between processes there is one. */
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

static int file_sector(sqlite3_file *file)
{
    (void)file;
    return 512;
}

static int file_traits(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods methods = {
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

static int vfs_open(sqlite3_vfs *sq, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)sq;
    struct wire_answer a = powercut_ask_path(WIRE_DB_OPEN, name, (uint64_t)flags);
    struct file *f = (struct file *)(void *)file;
    *f = (struct file){.sq.pMethods = a.code == SQLITE_OK ? &methods : NULL, .handle = a.number};
    if (out != NULL) {
        *out = (int)a.other;
    }
    return a.code;
}

static int vfs_delete(sqlite3_vfs *sq, const char *name, int sync_folder)
{
    (void)sq;
    return powercut_ask_path(WIRE_DB_DELETE, name, (uint64_t)sync_folder).code;
}

static int vfs_access(sqlite3_vfs *sq, const char *name, int flags, int *out)
{
    (void)sq;
    struct wire_answer a = powercut_ask_path(WIRE_DB_ACCESS, name, (uint64_t)flags);
    *out = (int)a.number;
    return a.code;
}

static int vfs_full_pathname(sqlite3_vfs *sq, const char *name, int bytes, char *out)
{
    (void)sq;
    int n = snprintf(out, (size_t)bytes, "%s", name);
    return n < bytes ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int host_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return powercut_ask_names(WIRE_HOST_RENAME, from, to).code;
}

static int host_sync_folder(void *ctx, const char *path)
{
    (void)ctx;
    return powercut_ask_path(WIRE_HOST_SYNC_FOLDER, path, 0).code;
}

static int host_lock(void *ctx, const char *path, int readonly, intptr_t *held)
{
    (void)ctx;
    struct wire_answer a = powercut_ask_path(WIRE_HOST_LOCK, path, (uint64_t)readonly);
    *held = a.code == 0 ? (intptr_t)a.number : *held;
    return a.code;
}

static void host_unlock(void *ctx, intptr_t held)
{
    const struct wire_ask ask = {.op = WIRE_HOST_UNLOCK, .handle = held};
    (void)ctx;
    (void)powercut_ask(&ask, NULL, NULL, 0);
}

static int host_identify(void *ctx, const char *path, uint64_t id[2])
{
    (void)ctx;
    struct wire_answer a = powercut_ask_path(WIRE_HOST_IDENTIFY, path, 0);
    id[0] = (uint64_t)a.number;
    id[1] = (uint64_t)a.other;
    return a.code;
}

static const struct ml_vfs_host *host_of(sqlite3_vfs *sq)
{
    static const struct ml_vfs_host host = {
        .rename = host_rename,
        .sync_folder = host_sync_folder,
        .lock = host_lock,
        .unlock = host_unlock,
        .identify = host_identify,
    };
    (void)sq;
    return &host;
}

static sqlite3_syscall_ptr vfs_syscall(sqlite3_vfs *sq, const char *name)
{
    (void)sq;
    return strcmp(name, "ml_vfs_host") == 0 ? (sqlite3_syscall_ptr)host_of : NULL;
}

void powercut_vfs_register(void)
{
    static sqlite3_vfs vfs;
    const sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    ML_ASSERT(real != NULL);
    vfs = *real; /* chance, time and the rest are the machine's */
    vfs.iVersion = 3;
    vfs.szOsFile = (int)sizeof(struct file);
    vfs.mxPathname = 1024;
    vfs.pNext = NULL;
    vfs.zName = "powercut";
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    vfs.xAccess = vfs_access;
    vfs.xFullPathname = vfs_full_pathname;
    vfs.xGetSystemCall = vfs_syscall;
    int rc = sqlite3_vfs_register(&vfs, 0);
    ML_ASSERT(rc == SQLITE_OK);
}
