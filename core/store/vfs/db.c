/* core/store/vfs/db.c -- the databases open in this process: one ml_vfs_db per file, whatever the
 * number of connections and names (rules C9). The first connection takes the lock file, the last
 * gives it back; the wal-index lives in our heap, so that two processes can't share a database.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/store/vfs/internal.h"

char *ml_vfs_path_with(const struct ml_vfs *vfs, const char *path, const char *suffix)
{
    size_t bytes = strlen(path) + strlen(suffix) + 1;
    char *joined = ml_alloc(vfs->env, bytes);
    if (joined != NULL) {
        snprintf(joined, bytes, "%s%s", path, suffix);
    }
    return joined;
}

static int lock_take(struct ml_vfs *vfs, struct ml_vfs_db *db, bool readonly)
{
    char *path = ml_vfs_path_with(vfs, db->path, "-lock");
    if (path == NULL) {
        return ml_vfs_fail(vfs, SQLITE_NOMEM, ML_E_NOMEM, "lock file: out of memory");
    }
    int err = vfs->host->lock(vfs->host->ctx, path, readonly, &db->held);
    ml_release(vfs->env, path);
    switch (err) {
    case 0:
        return SQLITE_OK;
    case EBUSY:
        return ml_vfs_fail(vfs, SQLITE_BUSY, ML_E_BUSY,
                           "lock file: another process has the database open");
    case EACCES:
    case EPERM:
    case EROFS:
        return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_READONLY, "lock file: %s", strerror(err));
    case ENOSPC:
    case EDQUOT:
        return ml_vfs_fail(vfs, SQLITE_FULL, ML_E_FULL, "lock file: %s", strerror(err));
    default:
        return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_IO, "lock file: %s", strerror(err));
    }
}

static void db_free(struct ml_vfs_db *db)
{
    for (size_t i = 0; i < db->region_count; i++) {
        ml_release(db->vfs->env, db->regions[i]);
    }
    ml_release(db->vfs->env, (void *)db->regions);
    pthread_mutex_destroy(&db->mutex);
    ml_release(db->vfs->env, db->path);
    ml_release(db->vfs->env, db);
}

/* A file already open here. CANTOPEN when one name now means another file, or one file is open
 * under another name: its WAL would be a second one beside the first. */
static int db_find(struct ml_vfs *vfs, struct ml_vfs_db **out, const char *path)
{
    uint64_t id[2] = {0, 0};
    bool known = vfs->host->identify(vfs->host->ctx, path, id) == 0;
    for (struct ml_vfs_db *db = vfs->dbs; db != NULL; db = db->next) {
        bool same_path = strcmp(db->path, path) == 0;
        bool same_file = known && db->id_known && memcmp(db->id, id, sizeof(id)) == 0;
        if (db->forks != ml_vfs_forks() || (!same_path && !same_file)) {
            continue;
        }
        if (!same_path || (!same_file && db->id_known)) {
            return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_DENIED,
                               same_path ? "main file: replaced or removed while it is open"
                                         : "main file: open already under another name");
        }
        *out = db;
        return SQLITE_OK;
    }
    *out = NULL;
    return SQLITE_OK;
}

int ml_vfs_db_attach(struct ml_vfs *vfs, struct ml_vfs_db **out, const char *path, bool readonly)
{
    struct ml_vfs_db *db = NULL;
    int rc = db_find(vfs, &db, path);
    if (rc != SQLITE_OK) {
        return rc;
    }
    if (db != NULL) {
        db->refs++;
        *out = db;
        return SQLITE_OK;
    }
    db = ml_alloc(vfs->env, sizeof(*db));
    char *copy = ml_vfs_path_with(vfs, path, "");
    if (db == NULL || copy == NULL) {
        ml_release(vfs->env, db);
        ml_release(vfs->env, copy);
        return ml_vfs_fail(vfs, SQLITE_NOMEM, ML_E_NOMEM, "main file: out of memory");
    }
    db->vfs = vfs;
    db->path = copy;
    db->refs = 1;
    db->forks = ml_vfs_forks();
    db->held = -1;
    pthread_mutex_init(&db->mutex, NULL);
    rc = lock_take(vfs, db, readonly);
    if (rc != SQLITE_OK) {
        db_free(db);
        return rc;
    }
    db->next = vfs->dbs;
    vfs->dbs = db;
    *out = db;
    return SQLITE_OK;
}

void ml_vfs_db_detach(struct ml_vfs_db *db)
{
    if (--db->refs > 0) {
        return;
    }
    struct ml_vfs_db **at = &db->vfs->dbs;
    while (*at != db) {
        at = &(*at)->next;
    }
    *at = db->next;
    db->vfs->host->unlock(db->vfs->host->ctx, db->held);
    db_free(db);
}

bool ml_vfs_orphan(const struct ml_vfs_db *db)
{
    return db->forks != ml_vfs_forks();
}
