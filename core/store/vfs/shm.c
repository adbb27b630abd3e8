/* core/store/vfs/shm.c -- the wal-index in heap memory, shared by the connections of this process
 * (rules C9). Nothing of it reaches the disk: it holds page numbers and checksums of plaintext.
 * It dies with the last connection, and the next one recovers it from the WAL.
 */
#include <string.h>

#include "core/store/vfs/internal.h"

static struct ml_vfs_main *main_of(sqlite3_file *file)
{
    return (struct ml_vfs_main *)(void *)file;
}

/* m: makes regions up to `region`; what is there already stays where it is. */
static int regions_grow(struct ml_vfs_db *db, size_t region, size_t bytes)
{
    const struct ml_env *env = db->vfs->env;
    if (region >= VFS_SHM_REGIONS_MAX) {
        return SQLITE_FULL;
    }
    void **grown = ml_resize(env, (void *)db->regions, (region + 1) * sizeof(*grown));
    if (grown == NULL) {
        return SQLITE_IOERR_NOMEM;
    }
    db->regions = grown;
    while (db->region_count <= region) {
        void *block = ml_alloc(env, bytes);
        if (block == NULL) {
            return SQLITE_IOERR_NOMEM;
        }
        db->regions[db->region_count++] = block;
    }
    return SQLITE_OK;
}

int ml_vfs_xshm_map(sqlite3_file *file, int region, int bytes, int extend, void volatile **out)
{
    struct ml_vfs_main *m = main_of(file);
    struct ml_vfs_db *db = m->db;
    int rc = SQLITE_OK;
    *out = NULL;
    if (ml_vfs_orphan(db)) {
        return SQLITE_IOERR_SHMMAP;
    }
    pthread_mutex_lock(&db->mutex);
    if (!m->shm_attached) {
        m->shm_attached = true;
        db->shm_users++;
    }
    if ((size_t)region >= db->region_count && extend) {
        rc = regions_grow(db, (size_t)region, (size_t)bytes);
    }
    if (rc == SQLITE_OK && (size_t)region < db->region_count) {
        *out = db->regions[region];
    }
    pthread_mutex_unlock(&db->mutex);
    return rc == SQLITE_OK ? rc : ml_vfs_fail_base(db->vfs, rc, "wal-index", 0);
}

/* m */
static void shm_release(struct ml_vfs_db *db, struct ml_vfs_main *m, unsigned mask)
{
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        unsigned bit = 1u << i;
        if ((mask & bit) == 0) {
            continue;
        }
        if ((m->shm_exclusive & bit) != 0) {
            db->shm_lock[i] = 0;
        } else if ((m->shm_shared & bit) != 0) {
            db->shm_lock[i]--;
        }
    }
    m->shm_exclusive &= ~mask;
    m->shm_shared &= ~mask;
}

/* m */
static int shm_share(struct ml_vfs_db *db, struct ml_vfs_main *m, int first)
{
    unsigned bit = 1u << first;
    if ((m->shm_shared & bit) != 0) {
        return SQLITE_OK;
    }
    if (db->shm_lock[first] < 0) {
        return SQLITE_BUSY;
    }
    db->shm_lock[first]++;
    m->shm_shared |= bit;
    return SQLITE_OK;
}

/* m: all of them or none */
static int shm_exclude(struct ml_vfs_db *db, struct ml_vfs_main *m, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        if (db->shm_lock[i] != 0 && (m->shm_exclusive & 1u << i) == 0) {
            return SQLITE_BUSY;
        }
    }
    for (int i = first; i < first + count; i++) {
        db->shm_lock[i] = -1;
        m->shm_exclusive |= 1u << i;
    }
    return SQLITE_OK;
}

int ml_vfs_xshm_lock(sqlite3_file *file, int first, int count, int flags)
{
    struct ml_vfs_main *m = main_of(file);
    struct ml_vfs_db *db = m->db;
    unsigned mask = ((1u << count) - 1u) << first;
    int rc = SQLITE_OK;
    if (ml_vfs_orphan(db)) {
        return ml_vfs_fail(db->vfs, SQLITE_IOERR_SHMLOCK, ML_E_DENIED,
                           "wal-index: opened before a fork, it belongs to the parent");
    }
    pthread_mutex_lock(&db->mutex);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        shm_release(db, m, mask);
    } else if ((flags & SQLITE_SHM_SHARED) != 0) {
        rc = shm_share(db, m, first);
    } else {
        rc = shm_exclude(db, m, first, count);
    }
    pthread_mutex_unlock(&db->mutex);
    return rc;
}

/* The mutex orders the salts and the regions between threads, as os_unix's own barrier does. */
void ml_vfs_xshm_barrier(sqlite3_file *file)
{
    struct ml_vfs_db *db = main_of(file)->db;
    atomic_thread_fence(memory_order_seq_cst);
    pthread_mutex_lock(&db->mutex);
    pthread_mutex_unlock(&db->mutex);
}

int ml_vfs_xshm_unmap(sqlite3_file *file, int delete_it)
{
    struct ml_vfs_main *m = main_of(file);
    struct ml_vfs_db *db = m->db;
    (void)delete_it; /* heap memory: it always goes with its last user */
    pthread_mutex_lock(&db->mutex);
    shm_release(db, m, ~0u);
    if (m->shm_attached) {
        m->shm_attached = false;
        db->shm_users--;
    }
    if (db->shm_users == 0) {
        for (size_t i = 0; i < db->region_count; i++) {
            ml_release(db->vfs->env, db->regions[i]);
        }
        ml_release(db->vfs->env, (void *)db->regions);
        db->regions = NULL;
        db->region_count = 0;
    }
    pthread_mutex_unlock(&db->mutex);
    return SQLITE_OK;
}
