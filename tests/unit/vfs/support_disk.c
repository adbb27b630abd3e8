/* support_disk.c -- see support_disk.h. */
#include "support_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fault_disk *support_disk_new(uint64_t seed)
{
    struct fault_disk *disk = fault_disk_new(SUPPORT_DISK, seed);
    assert_non_null(disk);
    assert_int_equal(ml_vfs_register_over(SUPPORT_VFS, support_key, SUPPORT_DISK, 0), ML_OK);
    return disk;
}

void support_disk_free(struct fault_disk *disk)
{
    assert_int_equal(ml_vfs_unregister(SUPPORT_VFS), ML_OK);
    fault_disk_free(disk);
}

sqlite3 *support_disk_open(void)
{
    sqlite3 *db = NULL;
    support_open(&db, SUPPORT_DB, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    return db;
}

sqlite3 *support_disk_open_ok(void)
{
    return support_open_ok(SUPPORT_DB);
}

static bool work_exec(struct support_work *w, sqlite3 *db, const char *sql)
{
    int rc = support_exec(db, sql);
    if (rc != SQLITE_OK) {
        w->failed++;
        w->last_code = rc;
    }
    return rc == SQLITE_OK;
}

/* One transaction. Its row in "done" and its rows in "t" stand or fall together. */
static bool work_step(struct support_work *w, sqlite3 *db, int step)
{
    char *sql = sqlite3_mprintf(
        "BEGIN IMMEDIATE;"
        "CREATE TABLE IF NOT EXISTS done(step INTEGER PRIMARY KEY, rows INT);"
        "CREATE TABLE IF NOT EXISTS t(step INT, n INT, text TEXT, PRIMARY KEY(step, n));"
        "INSERT INTO done VALUES(%d, %d);"
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<%d)"
        " INSERT INTO t SELECT %d, x, '" SUPPORT_CANARY "' || hex(randomblob(150)) FROM c;"
        "SAVEPOINT s; DELETE FROM t WHERE step = %d; ROLLBACK TO s; RELEASE s;"
        "UPDATE t SET text = text || 'u' WHERE step >= %d;"
        "DELETE FROM t WHERE step = %d - 4;"
        "COMMIT",
        step, w->step_size, w->step_size, step, step - 1, step - 1, step);
    bool ok = work_exec(w, db, sql);
    sqlite3_free(sql);
    if (!ok && !sqlite3_get_autocommit(db)) {
        support_exec(db, "ROLLBACK");
    }
    return ok;
}

static void work_upkeep(struct support_work *w, sqlite3 *db, int step)
{
    if (step % 5 == 2) {
        work_exec(w, db, "PRAGMA wal_checkpoint(PASSIVE)");
    } else if (step % 5 == 4) {
        work_exec(w, db, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    if (step % 7 == 6) {
        work_exec(w, db, "VACUUM");
    }
}

static sqlite3 *work_open(struct support_work *w)
{
    sqlite3 *db = support_disk_open();
    if (db == NULL) {
        w->failed++;
        return NULL;
    }
    work_exec(w, db, "PRAGMA synchronous=FULL; PRAGMA cache_size=6; PRAGMA wal_autocheckpoint=40");
    return db;
}

void support_work_run(struct support_work *w, struct fault_disk *disk)
{
    sqlite3 *db = NULL;
    for (int i = 0; i < w->steps && !fault_disk_is_dead(disk); i++) {
        db = db == NULL ? work_open(w) : db;
        if (db == NULL) {
            continue;
        }
        int step = ++w->started;
        if (work_step(w, db, step)) {
            w->acked |= (uint64_t)1 << step;
        }
        work_upkeep(w, db, step);
        if (w->reopen && step % 6 == 5) {
            sqlite3_close(db);
            db = NULL;
        }
    }
    sqlite3_close(db);
}

void support_work_check(const struct support_work *w)
{
    sqlite3 *db = support_disk_open_ok();
    if (!support_is_sound(db)) {
        char text[300] = "";
        ml_vfs_last_error(SUPPORT_VFS, text, sizeof(text));
        fail_msg("not sound after step %d: %s [%s]", w->started, sqlite3_errmsg(db), text);
    }
    for (int step = 1; step <= w->started; step++) {
        if ((w->acked & (uint64_t)1 << step) != 0) {
            char *sql = sqlite3_mprintf("SELECT count(*) FROM done WHERE step = %d", step);
            assert_int_equal(support_int(db, sql), 1);
            sqlite3_free(sql);
        }
    }
    if (w->acked != 0) {
        assert_true(support_int(db, "SELECT max(step) FROM done") <= w->started);
        assert_int_equal(support_int(db, "SELECT count(*) FROM done d WHERE step > "
                                         "(SELECT max(step) FROM done) - 4 AND rows <> "
                                         "(SELECT count(*) FROM t WHERE t.step = d.step)"),
                         0);
    }
    support_close_ok(db);
}
