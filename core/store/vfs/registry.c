/* core/store/vfs/registry.c -- the VFSes of this process by name, their errors and counters.
 *
 * The registry mutex guards every list. After a fork the child closes its copies of the lock
 * files and counts one fork more: databases opened before are the parent's, and answer nothing.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/store/vfs/internal.h"

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static struct ml_vfs *registry;
static atomic_uint registry_forks;

void ml_vfs_registry_lock(void)
{
    pthread_mutex_lock(&registry_mutex);
}

void ml_vfs_registry_unlock(void)
{
    pthread_mutex_unlock(&registry_mutex);
}

unsigned ml_vfs_forks(void)
{
    return atomic_load_explicit(&registry_forks, memory_order_relaxed);
}

static void locks_forget(struct ml_vfs *vfs)
{
    for (struct ml_vfs_db *db = vfs->dbs; db != NULL; db = db->next) {
        vfs->host->unlock(vfs->host->ctx, db->held);
        db->held = -1;
    }
}

static void fork_child(void)
{
    for (struct ml_vfs *vfs = registry; vfs != NULL; vfs = vfs->next) {
        locks_forget(vfs);
    }
    atomic_fetch_add(&registry_forks, 1);
    pthread_mutex_unlock(&registry_mutex);
}

static void registry_start(void)
{
    pthread_atfork(ml_vfs_registry_lock, ml_vfs_registry_unlock, fork_child);
}

static struct ml_vfs *registry_find(const char *name)
{
    struct ml_vfs *vfs = registry;
    while (vfs != NULL && strcmp(vfs->name, name) != 0) {
        vfs = vfs->next;
    }
    return vfs;
}

int ml_vfs_fail(struct ml_vfs *vfs, int rc, ml_err err, const char *fmt, ...)
{
    char text[VFS_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    sqlite3_vsnprintf((int)sizeof(text), text, fmt, args);
    va_end(args);
    pthread_mutex_lock(&vfs->error_mutex);
    vfs->error = err;
    memcpy(vfs->text, text, sizeof(text));
    pthread_mutex_unlock(&vfs->error_mutex);
    sqlite3_log(rc, "%s: %s", vfs->name, text);
    return rc;
}

/* The one place that turns a foreign code into ours. */
static ml_err err_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ML_E_FULL;
    case SQLITE_NOMEM:
        return ML_E_NOMEM;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ML_E_READONLY;
    case SQLITE_BUSY:
        return ML_E_BUSY;
    default:
        return ML_E_IO;
    }
}

int ml_vfs_fail_base(struct ml_vfs *vfs, int rc, const char *what, uint32_t number)
{
    if (rc == SQLITE_OK) {
        return rc;
    }
    ml_err err = rc == SQLITE_IOERR_NOMEM ? ML_E_NOMEM : err_of(rc);
    if (number == 0) {
        return ml_vfs_fail(vfs, rc, err, "%s: %s", what, sqlite3_errstr(rc));
    }
    return ml_vfs_fail(vfs, rc, err, "%s %u: %s", what, (unsigned)number, sqlite3_errstr(rc));
}

static sqlite3_vfs *base_of(sqlite3_vfs *sq)
{
    return ((struct ml_vfs *)(void *)sq)->base;
}

static bool is_journal(const char *name)
{
    static const char suffix[] = "-journal";
    size_t len = strlen(name);
    return len >= sizeof(suffix) - 1 && strcmp(name + len - (sizeof(suffix) - 1), suffix) == 0;
}

/* No journal is ever written here (rules C4, C5): there is none to delete, or to find. */
static int xdelete(sqlite3_vfs *sq, const char *name, int sync_folder)
{
    if (is_journal(name)) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    int rc = base_of(sq)->xDelete(base_of(sq), name, sync_folder);
    return rc == SQLITE_IOERR_DELETE_NOENT
               ? rc
               : ml_vfs_fail_base((struct ml_vfs *)(void *)sq, rc, "WAL, deletion", 0);
}

static int xaccess(sqlite3_vfs *sq, const char *name, int flags, int *out)
{
    if (is_journal(name)) {
        *out = 0;
        return SQLITE_OK;
    }
    int rc = base_of(sq)->xAccess(base_of(sq), name, flags, out);
    return ml_vfs_fail_base((struct ml_vfs *)(void *)sq, rc, "looking for a file", 0);
}

static int xfull_pathname(sqlite3_vfs *sq, const char *name, int out_bytes, char *out)
{
    return base_of(sq)->xFullPathname(base_of(sq), name, out_bytes, out);
}

static void *xdl_open(sqlite3_vfs *sq, const char *name)
{
    return base_of(sq)->xDlOpen(base_of(sq), name);
}

static void xdl_error(sqlite3_vfs *sq, int bytes, char *text)
{
    base_of(sq)->xDlError(base_of(sq), bytes, text);
}

static void (*xdl_sym(sqlite3_vfs *sq, void *handle, const char *symbol))(void)
{
    return base_of(sq)->xDlSym(base_of(sq), handle, symbol);
}

static void xdl_close(sqlite3_vfs *sq, void *handle)
{
    base_of(sq)->xDlClose(base_of(sq), handle);
}

static int xrandomness(sqlite3_vfs *sq, int bytes, char *out)
{
    return base_of(sq)->xRandomness(base_of(sq), bytes, out);
}

static int xsleep(sqlite3_vfs *sq, int microseconds)
{
    return base_of(sq)->xSleep(base_of(sq), microseconds);
}

static int xcurrent_time(sqlite3_vfs *sq, double *out)
{
    return base_of(sq)->xCurrentTime(base_of(sq), out);
}

static int xlast_error(sqlite3_vfs *sq, int bytes, char *text)
{
    return base_of(sq)->xGetLastError(base_of(sq), bytes, text);
}

static int xcurrent_time64(sqlite3_vfs *sq, sqlite3_int64 *out)
{
    double days = 0;
    if (base_of(sq)->iVersion >= 2 && base_of(sq)->xCurrentTimeInt64 != NULL) {
        return base_of(sq)->xCurrentTimeInt64(base_of(sq), out);
    }
    int rc = base_of(sq)->xCurrentTime(base_of(sq), &days);
    *out = (sqlite3_int64)(days * 86400000.0);
    return rc;
}

static const struct ml_vfs_host *host_of(sqlite3_vfs *base)
{
    if (base->iVersion < 3 || base->xGetSystemCall == NULL) {
        return ml_vfs_host_system();
    }
    ml_vfs_host_of of = (ml_vfs_host_of)base->xGetSystemCall(base, "ml_vfs_host");
    return of == NULL ? ml_vfs_host_system() : of(base);
}

static void vfs_fill(struct ml_vfs *vfs)
{
    vfs->sq = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(union ml_vfs_any) + vfs->base->szOsFile,
        .mxPathname = vfs->base->mxPathname,
        .zName = vfs->name,
        .xOpen = ml_vfs_xopen,
        .xDelete = xdelete,
        .xAccess = xaccess,
        .xFullPathname = xfull_pathname,
        .xDlOpen = xdl_open,
        .xDlError = xdl_error,
        .xDlSym = xdl_sym,
        .xDlClose = xdl_close,
        .xRandomness = xrandomness,
        .xSleep = xsleep,
        .xCurrentTime = xcurrent_time,
        .xGetLastError = xlast_error,
        .xCurrentTimeInt64 = xcurrent_time64,
    };
}

static void vfs_free(struct ml_vfs *vfs)
{
    if (vfs != NULL) {
        ml_secret_free(vfs->keys);
        pthread_mutex_destroy(&vfs->error_mutex);
        ml_release(vfs->env, vfs);
    }
}

static ml_err vfs_new(struct ml_vfs **out, const struct ml_vfs_setup *setup, sqlite3_vfs *base)
{
    const struct ml_env *env = setup->env == NULL ? ml_env_system() : setup->env;
    size_t name_bytes = strlen(setup->name) + 1;
    struct ml_vfs *vfs = ml_alloc(env, sizeof(*vfs) + name_bytes);
    if (vfs == NULL) {
        return ML_E_NOMEM;
    }
    vfs->env = env;
    vfs->base = base;
    vfs->host = host_of(base);
    memcpy(vfs->name, setup->name, name_bytes);
    pthread_mutex_init(&vfs->error_mutex, NULL);
    vfs_fill(vfs);
    ml_err err = ml_vfs_derive_keys(&vfs->keys, setup->key);
    if (err != ML_OK) {
        vfs_free(vfs);
        return err;
    }
    *out = vfs;
    return ML_OK;
}

static ml_err registry_add(const struct ml_vfs_setup *setup, sqlite3_vfs *base)
{
    struct ml_vfs *vfs = NULL;
    if (sqlite3_vfs_find(setup->name) != NULL) {
        return ML_E_EXISTS;
    }
    ml_err err = vfs_new(&vfs, setup, base);
    if (err != ML_OK) {
        return err;
    }
    if (sqlite3_vfs_register(&vfs->sq, setup->make_default) != SQLITE_OK) {
        vfs_free(vfs);
        return ML_E_NOMEM;
    }
    vfs->next = registry;
    registry = vfs;
    return ML_OK;
}

int ml_vfs_register_with(const struct ml_vfs_setup *setup)
{
    if (setup->name == NULL || setup->name[0] == '\0' || setup->key == NULL) {
        return ML_E_INVALID;
    }
    if (sqlite3_initialize() != SQLITE_OK) {
        return ML_E_NOMEM;
    }
    ml_err err = ml_crypto_init();
    if (err != ML_OK) {
        return (int)err;
    }
    sqlite3_vfs *base = sqlite3_vfs_find(setup->base);
    if (base == NULL) {
        return ML_E_NOT_FOUND;
    }
    pthread_once(&registry_once, registry_start);
    ml_vfs_registry_lock();
    if (setup->base == NULL && base->xOpen == ml_vfs_xopen) {
        base = base_of(base); /* a default of ours: one layer of sealing is meant, not two */
    }
    err = registry_add(setup, base);
    ml_vfs_registry_unlock();
    return (int)err;
}

int ml_vfs_register_over(const char *name, const uint8_t key[ML_VFS_KEY_BYTES], const char *base,
                         int make_default)
{
    const struct ml_vfs_setup setup = {
        .name = name, .key = key, .base = base, .make_default = make_default};
    return ml_vfs_register_with(&setup);
}

int ml_vfs_register(const char *name, const uint8_t key[32], int make_default)
{
    return ml_vfs_register_over(name, key, NULL, make_default);
}

static ml_err registry_remove(const char *name)
{
    struct ml_vfs **at = &registry;
    while (*at != NULL && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    struct ml_vfs *vfs = *at;
    if (vfs == NULL) {
        return ML_E_NOT_FOUND;
    }
    if (vfs->open_files > 0) {
        return ML_E_BUSY;
    }
    if (sqlite3_vfs_unregister(&vfs->sq) != SQLITE_OK) {
        return ML_E_NOMEM;
    }
    *at = vfs->next;
    vfs_free(vfs);
    return ML_OK;
}

int ml_vfs_unregister(const char *name)
{
    if (name == NULL) {
        return ML_E_NOT_FOUND;
    }
    ml_vfs_registry_lock();
    ml_err err = registry_remove(name);
    ml_vfs_registry_unlock();
    return (int)err;
}

ml_err ml_vfs_last_error(const char *name, char *text, size_t text_bytes)
{
    ml_vfs_registry_lock();
    struct ml_vfs *vfs = registry_find(name);
    ml_err err = ML_E_NOT_FOUND;
    if (vfs != NULL) {
        pthread_mutex_lock(&vfs->error_mutex);
        err = vfs->error;
        if (text != NULL && text_bytes > 0) {
            snprintf(text, text_bytes, "%s", vfs->text);
        }
        pthread_mutex_unlock(&vfs->error_mutex);
    }
    ml_vfs_registry_unlock();
    return err;
}

ml_err ml_vfs_counters(const char *name, struct ml_vfs_counters *out)
{
    ml_vfs_registry_lock();
    struct ml_vfs *vfs = registry_find(name);
    if (vfs != NULL) {
        *out = (struct ml_vfs_counters){
            .syncs = atomic_load(&vfs->syncs),
            .folder_syncs = atomic_load(&vfs->folder_syncs),
            .page_reads = atomic_load(&vfs->page_reads),
            .page_writes = atomic_load(&vfs->page_writes),
            .frame_reads = atomic_load(&vfs->frame_reads),
            .frame_writes = atomic_load(&vfs->frame_writes),
        };
    }
    ml_vfs_registry_unlock();
    return vfs == NULL ? ML_E_NOT_FOUND : ML_OK;
}
