/* core/store/vfs/open.c -- xOpen: what kind of file, whether it may be opened, and the creation of
 * a database (rules C4, C6, C8, C10).
 *
 * A database comes to be by one rename of a synced file that holds its sealed page 1: at any cut
 * there is none, or a good one. No journal is ever needed, so none is ever opened.
 */
#include <string.h>

#include "core/store/vfs/internal.h"

#define HEAP_KINDS                                                                                 \
    (SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB | SQLITE_OPEN_TEMP_JOURNAL |                   \
     SQLITE_OPEN_SUBJOURNAL)

static sqlite3_file *base_file_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((uint8_t *)file + sizeof(union ml_vfs_any));
}

static int heap_open(struct ml_vfs *vfs, sqlite3_file *file)
{
    struct ml_vfs_heap *h = (struct ml_vfs_heap *)(void *)file;
    memset(h, 0, sizeof(*h));
    h->vfs = vfs;
    h->sq.pMethods = &ml_vfs_heap_methods;
    ml_vfs_registry_lock();
    vfs->open_files++;
    ml_vfs_registry_unlock();
    return SQLITE_OK;
}

/* psow=0 would split frames, nolock and immutable would skip what keeps two writers apart. */
static int uri_check(struct ml_vfs *vfs, const char *name)
{
    static const char *const refused[] = {"nolock", "immutable", "psow"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (sqlite3_uri_parameter(name, refused[i]) != NULL) {
            return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_DENIED, "URI parameter %s is refused",
                               refused[i]);
        }
    }
    return SQLITE_OK;
}

static int exists(struct ml_vfs *vfs, const char *path, const char *suffix, int *out)
{
    char *full = ml_vfs_path_with(vfs, path, suffix);
    if (full == NULL) {
        return ml_vfs_fail(vfs, SQLITE_NOMEM, ML_E_NOMEM, "main file: out of memory");
    }
    int rc = vfs->base->xAccess(vfs->base, full, SQLITE_ACCESS_EXISTS, out);
    ml_release(vfs->env, full);
    return ml_vfs_fail_base(vfs, rc, "main file, looking for it", 0);
}

static int host_failed(struct ml_vfs *vfs, int err, const char *what)
{
    int rc = err == 0 ? SQLITE_OK : SQLITE_CANTOPEN;
    return ml_vfs_fail_base(vfs, rc, what, 0);
}

/* Writes and syncs one page to `path`, truncating what a crash may have left there. */
static int page_file_write(struct ml_vfs *vfs, sqlite3_file *file, const char *path,
                           const uint8_t *page)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    int rc = vfs->base->xOpen(vfs->base, path, file, flags, NULL);
    if (rc != SQLITE_OK) {
        if (file->pMethods != NULL) {
            file->pMethods->xClose(file);
        }
        return ml_vfs_fail_base(vfs, rc, "new main file", 0);
    }
    rc = file->pMethods->xTruncate(file, 0);
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xWrite(file, page, (int)VFS_PAGE_BYTES, 0);
    }
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
        atomic_fetch_add_explicit(&vfs->syncs, 1, memory_order_relaxed);
    }
    int closed = file->pMethods->xClose(file);
    return ml_vfs_fail_base(vfs, rc == SQLITE_OK ? closed : rc, "new main file, writing it", 0);
}

/* The base opens by a name in SQLite's own form (parameters may follow it), hence the builder. */
static int new_file_place(struct ml_vfs_main *m, const char *path, const uint8_t *page)
{
    struct ml_vfs *vfs = m->db->vfs;
    char *fresh = ml_vfs_path_with(vfs, path, "-new");
    const char *name = fresh == NULL ? NULL : sqlite3_create_filename(fresh, "", "", 0, NULL);
    int rc = SQLITE_OK;
    if (name == NULL) {
        rc = ml_vfs_fail(vfs, SQLITE_NOMEM, ML_E_NOMEM, "new main file: out of memory");
        goto out;
    }
    rc = page_file_write(vfs, m->base, name, page);
    if (rc == SQLITE_OK) {
        rc = host_failed(vfs, vfs->host->rename(vfs->host->ctx, fresh, path),
                         "new main file, renaming it");
    }
    if (rc != SQLITE_OK) {
        vfs->base->xDelete(vfs->base, fresh, 0); /* a leftover is overwritten next time */
        goto out;
    }
    atomic_fetch_add_explicit(&vfs->folder_syncs, 1, memory_order_relaxed);
    rc = host_failed(vfs, vfs->host->sync_folder(vfs->host->ctx, path),
                     "new main file, syncing its folder");
out:
    sqlite3_free_filename(name);
    ml_release(vfs->env, fresh);
    return rc;
}

static int create(struct ml_vfs_main *m, const char *path)
{
    struct ml_vfs_db *db = m->db;
    const struct ml_vfs_block block = {.kind = VFS_BLOCK_PAGE, .number = 1};
    ml_vfs_new_head(db->vfs, db->head);
    ml_vfs_file_id(db->vfs, db->file_id, db->head);
    ml_vfs_page1_new(m->page);
    ml_vfs_seal(db, &block, m->page, m->page);
    return new_file_place(m, path, m->page);
}

/* The base calls an empty file absent (as os_unix does): it's created over. SQLite would delete
 * the WAL of a database that seems empty, hence the refusal. */
static int create_if_absent(struct ml_vfs_main *m, const char *path, int flags)
{
    struct ml_vfs *vfs = m->db->vfs;
    int here = 0;
    int wal = 0;
    int rc = exists(vfs, path, "", &here);
    if (rc != SQLITE_OK || here) {
        return rc;
    }
    rc = exists(vfs, path, "-wal", &wal);
    if (rc != SQLITE_OK) {
        return rc;
    }
    if (wal) {
        return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_CORRUPT,
                           "main file: missing or empty beside a WAL that may hold its data");
    }
    if ((flags & SQLITE_OPEN_CREATE) == 0) {
        return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_NOT_FOUND, "main file: there is none");
    }
    if (m->db->refs > 1) {
        return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_CORRUPT,
                           "main file: removed while it is open");
    }
    return create(m, path);
}

/* Is it ours, whole enough, and sealed with this key? (rules C10) */
static int identify(struct ml_vfs_main *m)
{
    struct ml_vfs_db *db = m->db;
    uint8_t head[VFS_HEAD_BYTES];
    sqlite3_int64 size = 0;
    int rc = m->base->pMethods->xFileSize(m->base, &size);
    if (rc == SQLITE_OK && size < (sqlite3_int64)VFS_PAGE_BYTES) {
        return ml_vfs_fail(db->vfs, SQLITE_NOTADB, ML_E_CORRUPT,
                           "main file: shorter than its first page");
    }
    if (rc == SQLITE_OK) {
        rc = m->base->pMethods->xRead(m->base, head, (int)sizeof(head), 0);
    }
    if (rc != SQLITE_OK) {
        return ml_vfs_fail_base(db->vfs, rc, "main file, reading its head", 0);
    }
    if (!ml_vfs_head_ok(db->vfs, head)) {
        bool plain = memcmp(head, "SQLite format 3", VFS_HEAD_BYTES) == 0;
        return ml_vfs_fail(db->vfs, SQLITE_NOTADB, ML_E_WRONG_KEY,
                           plain ? "main file: a plain SQLite database, not a sealed one"
                                 : "main file: not sealed with this key, or no database of ours");
    }
    if (db->refs > 1 && memcmp(head, db->head, sizeof(head)) != 0) {
        return ml_vfs_fail(db->vfs, SQLITE_CANTOPEN, ML_E_DENIED,
                           "main file: replaced while it is open");
    }
    if (db->refs == 1) { /* later handles share them, and others may be reading by now */
        memcpy(db->head, head, sizeof(head));
        ml_vfs_file_id(db->vfs, db->file_id, head);
    }
    return SQLITE_OK;
}

static int base_open(struct ml_vfs_main *m, const char *name, int flags, int *out_flags)
{
    struct ml_vfs *vfs = m->db->vfs;
    int got = flags;
    int rc = vfs->base->xOpen(vfs->base, name, m->base, flags & ~SQLITE_OPEN_CREATE, &got);
    if (rc != SQLITE_OK) {
        if (m->base->pMethods != NULL) {
            m->base->pMethods->xClose(m->base);
        }
        return ml_vfs_fail_base(vfs, rc, "main file", 0);
    }
    m->readonly = (got & SQLITE_OPEN_READONLY) != 0;
    rc = identify(m);
    if (rc != SQLITE_OK) {
        m->base->pMethods->xClose(m->base);
        return rc;
    }
    if (out_flags != NULL) {
        *out_flags = got;
    }
    return SQLITE_OK;
}

/* The registry is locked: of two threads that open a new database, one creates it. */
static int main_open_locked(struct ml_vfs_main *m, const char *name, int flags, int *out_flags)
{
    struct ml_vfs_db *db = m->db;
    const struct ml_vfs_host *host = db->vfs->host;
    int rc = create_if_absent(m, name, flags);
    if (rc == SQLITE_OK) {
        rc = base_open(m, name, flags, out_flags);
    }
    if (rc == SQLITE_OK && !db->id_known) {
        db->id_known = host->identify(host->ctx, name, db->id) == 0;
    }
    return rc;
}

static int main_open(struct ml_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *out_flags)
{
    struct ml_vfs_main *m = (struct ml_vfs_main *)(void *)file;
    int rc = uri_check(vfs, name);
    if (rc != SQLITE_OK) {
        return rc;
    }
    memset(m, 0, sizeof(*m));
    m->base = base_file_of(file);
    m->page = ml_alloc(vfs->env, VFS_PAGE_BYTES);
    if (m->page == NULL) {
        return ml_vfs_fail(vfs, SQLITE_NOMEM, ML_E_NOMEM, "main file: out of memory");
    }
    ml_vfs_registry_lock();
    rc = ml_vfs_db_attach(vfs, &m->db, name, (flags & SQLITE_OPEN_READONLY) != 0);
    if (rc == SQLITE_OK) {
        rc = main_open_locked(m, name, flags, out_flags);
        if (rc == SQLITE_OK) {
            vfs->open_files++;
            m->sq.pMethods = &ml_vfs_main_methods;
        } else {
            ml_vfs_db_detach(m->db);
        }
    }
    ml_vfs_registry_unlock();
    if (rc != SQLITE_OK) {
        ml_release(vfs->env, m->page);
    }
    return rc;
}

/* A read-only connection must not create a WAL, nor checkpoint one; without a WAL it sees an empty
 * one, so that a database on a read-only medium can be read. */
static int wal_base_open(struct ml_vfs_wal *w, const char *name, int flags, int *out_flags)
{
    struct ml_vfs *vfs = w->db->vfs;
    int rc = vfs->base->xOpen(vfs->base, name, w->base, flags, out_flags);
    if (rc != SQLITE_OK && w->base->pMethods != NULL) {
        w->base->pMethods->xClose(w->base);
    }
    return ml_vfs_fail_base(vfs, rc, "WAL", 0);
}

/* SQLite keeps WAL and main file of one connection together: the name leads to the main file's
 * handle, and that to the key, the file id and the salts (rules C9). */
static struct ml_vfs_main *main_of_wal(const char *name)
{
    sqlite3_file *file = sqlite3_database_file_object(name);
    bool ours = file != NULL && file->pMethods == &ml_vfs_main_methods;
    return ours ? (struct ml_vfs_main *)(void *)file : NULL;
}

static int wal_open(struct ml_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *out_flags)
{
    struct ml_vfs_wal *w = (struct ml_vfs_wal *)(void *)file;
    const struct ml_vfs_main *m = main_of_wal(name);
    int here = 1;
    if (m == NULL || m->db->vfs != vfs ||
        strcmp(sqlite3_filename_database(name), m->db->path) != 0) {
        return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_INVALID, "WAL: its main file isn't open");
    }
    memset(w, 0, sizeof(*w));
    w->db = m->db;
    w->base = base_file_of(file);
    if (m->readonly) {
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
        int rc = exists(vfs, name, "", &here);
        if (rc != SQLITE_OK) {
            return rc;
        }
        if (!here) {
            *out_flags = flags;
            return heap_open(vfs, file);
        }
    }
    w->frame = ml_alloc(vfs->env, VFS_FRAME_BYTES);
    if (w->frame == NULL) {
        return ml_vfs_fail(vfs, SQLITE_NOMEM, ML_E_NOMEM, "WAL: out of memory");
    }
    int rc = wal_base_open(w, name, flags, out_flags);
    if (rc != SQLITE_OK) {
        ml_release(vfs->env, w->frame);
        return rc;
    }
    ml_vfs_registry_lock();
    vfs->open_files++;
    ml_vfs_registry_unlock();
    w->sq.pMethods = &ml_vfs_wal_methods;
    return SQLITE_OK;
}

int ml_vfs_xopen(sqlite3_vfs *sq, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct ml_vfs *vfs = (struct ml_vfs *)(void *)sq;
    int ignored = 0;
    file->pMethods = NULL; /* SQLite doesn't close what failed to open */
    if (name == NULL || (flags & HEAP_KINDS) != 0) {
        if (out_flags != NULL) {
            *out_flags = flags;
        }
        return heap_open(vfs, file);
    }
    if ((flags & SQLITE_OPEN_WAL) != 0) {
        return wal_open(vfs, name, file, flags, out_flags == NULL ? &ignored : out_flags);
    }
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        return main_open(vfs, name, file, flags, out_flags);
    }
    return ml_vfs_fail(vfs, SQLITE_CANTOPEN, ML_E_DENIED,
                       "journal: refused, it would hold plaintext pages; only journal_mode=WAL");
}
