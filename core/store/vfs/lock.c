/* core/store/vfs/lock.c -- SQLite's five lock levels on the main file, among the connections of
 * this process. Other processes are kept out by the lock file, so nothing here is a system call,
 * and no closed descriptor can drop anything (rules C9). In WAL mode SHARED is held as long as the
 * database is open; EXCLUSIVE is asked for by the last connection as it closes.
 */
#include "core/store/vfs/internal.h"

static struct ml_vfs_main *main_of(sqlite3_file *file)
{
    return (struct ml_vfs_main *)(void *)file;
}

/* What the others hold forbids it. */
static bool blocked(const struct ml_vfs_db *db, const struct ml_vfs_main *m, int level)
{
    if (db->owner == NULL || db->owner == m) {
        return false;
    }
    return level > SQLITE_LOCK_SHARED || db->owner->level >= SQLITE_LOCK_PENDING;
}

static int lock_raise(struct ml_vfs_db *db, struct ml_vfs_main *m, int level)
{
    if (blocked(db, m, level)) {
        return SQLITE_BUSY;
    }
    if (m->level == SQLITE_LOCK_NONE) {
        db->shared++;
        m->level = SQLITE_LOCK_SHARED;
    }
    if (level == SQLITE_LOCK_SHARED) {
        return SQLITE_OK;
    }
    db->owner = m;
    if (level == SQLITE_LOCK_EXCLUSIVE && db->shared > 1) {
        m->level = SQLITE_LOCK_PENDING; /* no new readers; the caller tries again or gives up */
        return SQLITE_BUSY;
    }
    m->level = level;
    return SQLITE_OK;
}

int ml_vfs_xlock(sqlite3_file *file, int level)
{
    struct ml_vfs_main *m = main_of(file);
    if (ml_vfs_orphan(m->db)) {
        return ml_vfs_fail(m->db->vfs, SQLITE_IOERR_LOCK, ML_E_DENIED,
                           "main file: opened before a fork, it belongs to the parent");
    }
    int rc = SQLITE_OK;
    pthread_mutex_lock(&m->db->mutex);
    if (m->level < level) {
        rc = lock_raise(m->db, m, level);
    }
    pthread_mutex_unlock(&m->db->mutex);
    return rc;
}

int ml_vfs_xunlock(sqlite3_file *file, int level)
{
    struct ml_vfs_main *m = main_of(file);
    pthread_mutex_lock(&m->db->mutex);
    if (m->level > level) {
        if (m->db->owner == m && level <= SQLITE_LOCK_SHARED) {
            m->db->owner = NULL;
        }
        if (level == SQLITE_LOCK_NONE) {
            m->db->shared--;
        }
        m->level = level;
    }
    m->may_truncate = false;
    pthread_mutex_unlock(&m->db->mutex);
    return SQLITE_OK;
}

int ml_vfs_xcheck_reserved(sqlite3_file *file, int *out)
{
    struct ml_vfs_main *m = main_of(file);
    pthread_mutex_lock(&m->db->mutex);
    *out = m->db->owner != NULL;
    pthread_mutex_unlock(&m->db->mutex);
    return SQLITE_OK;
}
