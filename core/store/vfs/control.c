/* core/store/vfs/control.c -- file controls of the main file. What isn't named here is NOTFOUND:
 * a control that reached the base would speak of sealed bytes (batch atomic writes, memory maps,
 * chunks), or of locks and a wal-index that the base doesn't hold (rules C5, C8).
 */
#include <string.h>

#include "core/store/vfs/internal.h"

static int refuse(struct ml_vfs_main *m, char **words, const char *why)
{
    words[0] = sqlite3_mprintf("maille: %s", why);
    return ml_vfs_fail(m->db->vfs, SQLITE_ERROR, ML_E_DENIED, "%s", why);
}

/* words: the answer, the pragma's name, its argument or NULL. NOTFOUND lets SQLite go on. The
 * gate gives the clear message; what passes beside it (an attached database) is stopped by xOpen
 * and xWrite. */
static int pragma(struct ml_vfs_main *m, char **words)
{
    const char *name = words[1];
    const char *value = words[2];
    if (value == NULL) {
        return SQLITE_NOTFOUND;
    }
    if (sqlite3_stricmp(name, "journal_mode") == 0 && sqlite3_stricmp(value, "wal") != 0) {
        return refuse(m, words, "only journal_mode=WAL: a journal would hold plaintext pages");
    }
    if (sqlite3_stricmp(name, "page_size") == 0 && strcmp(value, "4096") != 0) {
        return refuse(m, words, "only page_size=4096: the seal of a page is made for it");
    }
    return SQLITE_NOTFOUND;
}

static int checkpoint_begin(struct ml_vfs_main *m)
{
    m->in_checkpoint = true;
    m->may_truncate = false;
    m->size_known = false;
    return SQLITE_OK;
}

static int checkpoint_end(struct ml_vfs_main *m)
{
    m->in_checkpoint = false;
    m->may_truncate = true;
    m->size_known = false;
    return SQLITE_OK;
}

static int persist_wal(struct ml_vfs_main *m, int *value)
{
    if (*value >= 0) {
        m->persist_wal = *value != 0;
    }
    *value = m->persist_wal;
    return SQLITE_OK;
}

static int vfs_name(struct ml_vfs_main *m, char **out)
{
    *out = sqlite3_mprintf("%s/%s", m->db->vfs->name, m->db->vfs->base->zName);
    return *out == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

int ml_vfs_xcontrol(sqlite3_file *file, int op, void *arg)
{
    struct ml_vfs_main *m = (struct ml_vfs_main *)(void *)file;
    switch (op) {
    case SQLITE_FCNTL_PRAGMA:
        return pragma(m, arg);
    case SQLITE_FCNTL_CKPT_START:
        return checkpoint_begin(m);
    case SQLITE_FCNTL_CKPT_DONE:
        return checkpoint_end(m);
    case SQLITE_FCNTL_PERSIST_WAL:
        return persist_wal(m, arg);
    case SQLITE_FCNTL_VFSNAME:
        return vfs_name(m, arg);
    case SQLITE_FCNTL_LOCKSTATE:
        *(int *)arg = m->level;
        return SQLITE_OK;
    case SQLITE_FCNTL_MMAP_SIZE:
        *(sqlite3_int64 *)arg = 0;
        return SQLITE_OK;
    case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
        *(int *)arg = 1;
        return SQLITE_OK;
    case SQLITE_FCNTL_CHUNK_SIZE:
    case SQLITE_FCNTL_SIZE_HINT:
        return SQLITE_OK;
    case SQLITE_FCNTL_HAS_MOVED:
    case SQLITE_FCNTL_LAST_ERRNO:
        return m->base->pMethods->xFileControl(m->base, op, arg);
    default:
        return SQLITE_NOTFOUND;
    }
}

/* ---- of files that nothing locks or asks ---- */

int ml_vfs_no_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

int ml_vfs_no_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

int ml_vfs_no_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

int ml_vfs_sector_size(sqlite3_file *file)
{
    (void)file;
    return (int)VFS_PAGE_BYTES;
}
