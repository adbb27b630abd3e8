/* core/store/vfs/purge.c -- making deleted rows leave the disk (rules C12). */
#include <string.h>

#include "core/store/vfs/internal.h"

static ml_err purge_failed(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ML_E_BUSY;
    case SQLITE_FULL:
        return ML_E_FULL;
    case SQLITE_NOMEM:
        return ML_E_NOMEM;
    case SQLITE_READONLY:
        return ML_E_READONLY;
    case SQLITE_CORRUPT:
        return ML_E_CORRUPT;
    case SQLITE_ERROR:
        return ML_E_INVALID;
    default:
        return rc == SQLITE_IOERR_DATA ? ML_E_CORRUPT : ML_E_IO;
    }
}

/* One segment is left, without the deleted terms. */
static int optimize(sqlite3 *db, const char *table)
{
    char *sql = sqlite3_mprintf("INSERT INTO \"%w\"(\"%w\") VALUES('optimize')", table, table);
    if (sql == NULL) {
        return SQLITE_NOMEM;
    }
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return rc;
}

ml_err ml_vfs_purge(sqlite3 *db, const char *const *fts_tables)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; fts_tables != NULL && fts_tables[i] != NULL && rc == SQLITE_OK; i++) {
        rc = optimize(db, fts_tables[i]);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    return rc == SQLITE_OK ? ML_OK : purge_failed(rc);
}
