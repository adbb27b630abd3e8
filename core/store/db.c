/* core/store/db.c -- see db.h.
 *
 * Open: file -> limits and switches of the connection -> PRAGMAs, each read back -> migrations.
 * Failures: SQLite's codes are translated in err_from_sqlite() and nowhere else. A failed open
 * leaves no connection and no half-made schema: each migration step commits with its number.
 */
#include "core/store/db.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/file.h"
#include "core/store/vfs/vfs.h"

#define CACHE_KIB_DEFAULT        8192u
#define CHECKPOINT_PAGES_DEFAULT 1000u

struct ml_db {
    const struct ml_env *env; /* borrowed */
    const char *vfs;          /* borrowed from the caller: a registered name, or NULL */
    sqlite3 *conn;
    bool damaged;
};

struct ml_stmt {
    struct ml_db *db; /* borrowed */
    sqlite3_stmt *stmt;
    int bind_rc; /* first failed bind since the last reset */
};

static ml_err err_from_primary(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return ML_E_NOMEM;
    case SQLITE_FULL:
        return ML_E_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ML_E_READONLY;
    case SQLITE_CORRUPT:
        return ML_E_CORRUPT;
    case SQLITE_NOTADB: /* stock: no database; ours: the keyed check of page 1 failed */
    case SQLITE_AUTH:
        return ML_E_WRONG_KEY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return ML_E_BUSY;
    case SQLITE_TOOBIG:
        return ML_E_LIMIT;
    case SQLITE_INTERRUPT:
        return ML_E_CANCELED;
    case SQLITE_IOERR:
        return ML_E_IO;
    default:
        return ML_E_INVALID;
    }
}

/* The one translation of SQLite's codes, but for OK. `conn` may be NULL. */
static ml_err err_from_sqlite(sqlite3 *conn, int rc)
{
    switch (rc) {
    case SQLITE_IOERR_NOMEM:
        return ML_E_NOMEM;
    case SQLITE_IOERR_DATA: /* our VFS: a block that doesn't open */
    case SQLITE_IOERR_CORRUPTFS:
        return ML_E_CORRUPT;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return ML_E_EXISTS;
    default:
        break;
    }
    if ((rc & 0xff) == SQLITE_CANTOPEN) {
        int number = conn != NULL ? sqlite3_system_errno(conn) : 0;
        return number != 0 ? ml_file_err(number) : ML_E_IO;
    }
    return err_from_primary(rc);
}

/* Where SQLite's code says less than our VFS knows: NOTADB is a torn page 1 as well as a wrong key,
 * IOERR alone has lost what it was, CANTOPEN says nothing. */
static ml_err err_refined(const struct ml_db *db, int rc, ml_err err)
{
    ml_err ours = db->vfs == NULL ? ML_E_NOT_FOUND : ml_vfs_last_error(db->vfs, NULL, 0);
    if ((rc & 0xff) == SQLITE_NOTADB || rc == SQLITE_IOERR) {
        return ours == ML_E_CORRUPT ? ours : err;
    }
    if ((rc & 0xff) == SQLITE_CANTOPEN && err == ML_E_IO && db->vfs != NULL && ours != ML_OK) {
        return ours;
    }
    return err;
}

static ml_err db_fail(struct ml_db *db, int rc, const char *what)
{
    if (rc == SQLITE_OK) {
        return ML_OK;
    }
    ml_err err = err_from_sqlite(db->conn, rc);
    err = err_refined(db, rc, err);
    ML_ASSERT(err != ML_OK);
    db->damaged = db->damaged || err == ML_E_CORRUPT || err == ML_E_WRONG_KEY;
    if (err != ML_E_EXISTS) {
        ml_logf(db->env, ML_LOG_DEBUG, "db", "%s: %s (sqlite %d)", what, ml_err_name(err), rc);
    }
    return err;
}

/* Sets one PRAGMA and asks it back: some are refused without an error. */
static ml_err db_pragma(struct ml_db *db, const char *name, const char *value, const char *expect)
{
    char sql[96];
    snprintf(sql, sizeof(sql), "PRAGMA %s=%s", name, value);
    ml_err err = ml_db_exec(db, sql);
    if (err != ML_OK) {
        return err;
    }
    snprintf(sql, sizeof(sql), "PRAGMA %s", name);
    struct ml_stmt *s = NULL;
    err = ml_stmt_prepare(&s, db, sql);
    if (err != ML_OK) {
        return err;
    }
    bool row = false;
    err = ml_stmt_step(s, &row);
    if (err == ML_OK && (!row || !ml_slice_equal(ml_stmt_text(s, 0), ml_slice_str(expect)))) {
        ml_logf(db->env, ML_LOG_ERROR, "db", "PRAGMA %s=%s was not obeyed", name, value);
        err = ML_E_UNSUPPORTED;
    }
    ml_stmt_free(s);
    return err;
}

static ml_err db_set_pragmas(struct ml_db *db, const struct ml_db_args *args)
{
    static const char *const sync_names[] = {"FULL", "NORMAL", "OFF"};
    static const char *const sync_answers[] = {"2", "1", "0"};
    char cache[16];
    char pages[16];
    snprintf(cache, sizeof(cache), "-%u", args->cache_kib ? args->cache_kib : CACHE_KIB_DEFAULT);
    snprintf(pages, sizeof(pages), "%u",
             args->checkpoint_pages ? args->checkpoint_pages : CHECKPOINT_PAGES_DEFAULT);
    bool exclusive = (args->flags & ML_DB_EXCLUSIVE) != 0;
    const char *locking = exclusive ? "exclusive" : "normal";
    const struct {
        const char *name, *value, *expect;
    } wanted[] = {
        {"locking_mode", locking, locking},
        {"journal_mode", "wal", "wal"},
        {"synchronous", sync_names[args->sync], sync_answers[args->sync]},
        {"foreign_keys", "1", "1"},
        {"cache_spill", "0", "0"},
        {"cache_size", cache, cache},
        {"trusted_schema", "0", "0"},
        {"temp_store", "2", "2"},
        {"secure_delete", "1", "1"}, /* what is deleted is overwritten (rules C12) */
        {"wal_autocheckpoint", pages, pages},
        {"cell_size_check", "1", "1"},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        ml_err err = db_pragma(db, wanted[i].name, wanted[i].value, wanted[i].expect);
        if (err != ML_OK) {
            return err;
        }
    }
    return ML_OK;
}

static ml_err db_configure(struct ml_db *db, const struct ml_db_args *args)
{
    static const struct {
        int option, value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    sqlite3_extended_result_codes(db->conn, 1);
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        int is = -1;
        int rc = sqlite3_db_config(db->conn, switches[i].option, switches[i].value, &is);
        if (rc != SQLITE_OK || is != switches[i].value) {
            return rc == SQLITE_OK ? ML_E_UNSUPPORTED : db_fail(db, rc, "configure");
        }
    }
    sqlite3_busy_timeout(db->conn, (int)(args->busy_ms <= INT_MAX ? args->busy_ms : INT_MAX));
    return db_set_pragmas(db, args);
}

static ml_err db_read_int(struct ml_db *db, int64_t *out, const char *sql)
{
    struct ml_stmt *s = NULL;
    ml_err err = ml_stmt_prepare(&s, db, sql);
    if (err != ML_OK) {
        return err;
    }
    bool row = false;
    err = ml_stmt_step(s, &row);
    if (err == ML_OK && row) {
        *out = ml_stmt_int(s, 0);
    }
    ml_stmt_free(s);
    return err;
}

static ml_err db_migrate_step(struct ml_db *db, const struct ml_db_schema *schema, uint32_t from)
{
    const struct ml_db_step *step = &schema->steps[from];
    ml_err err = ml_db_begin(db);
    if (err != ML_OK) {
        return err;
    }
    if (step->sql != NULL) {
        err = ml_db_exec(db, step->sql);
    }
    if (err == ML_OK && step->run != NULL) {
        err = step->run(db, schema->user);
    }
    if (err == ML_OK) {
        char sql[80];
        snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%u",
                 schema->application_id, from + 1);
        err = ml_db_exec(db, sql);
    }
    if (err == ML_OK) {
        err = ml_db_commit(db);
    }
    if (err != ML_OK) {
        ml_db_rollback(db);
    }
    return err;
}

/* What isn't ours to change keeps every byte: closing writes no WAL back either. */
static ml_err db_refuse(struct ml_db *db, ml_err err)
{
    int rc = sqlite3_db_config(db->conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return rc == SQLITE_OK ? err : db_fail(db, rc, "refuse");
}

static ml_err db_read_version(struct ml_db *db, int64_t *version, const struct ml_db_schema *schema)
{
    int64_t application = 0;
    ml_err err = db_read_int(db, version, "PRAGMA user_version");
    if (err == ML_OK) {
        err = db_read_int(db, &application, "PRAGMA application_id");
    }
    if (err != ML_OK) {
        return err;
    }
    if (application != (*version == 0 ? 0 : schema->application_id)) {
        return db_refuse(db, ML_E_INVALID);
    }
    if (*version < 0 || *version > (int64_t)schema->step_count) {
        ml_logf(db->env, ML_LOG_ERROR, "db", "schema version %lld, this program knows %u",
                (long long)*version, schema->step_count);
        return db_refuse(db, ML_E_UNSUPPORTED);
    }
    return ML_OK;
}

static ml_err db_migrate(struct ml_db *db, const struct ml_db_args *args)
{
    const struct ml_db_schema *schema = args->schema;
    int64_t version = 0;
    ml_err err = db_read_version(db, &version, schema);
    for (uint32_t v = (uint32_t)version; v < schema->step_count && err == ML_OK; v++) {
        err = args->flags & ML_DB_READONLY ? ML_E_READONLY : db_migrate_step(db, schema, v);
    }
    return err;
}

ml_err ml_db_open(struct ml_db **out, const struct ml_db_args *args)
{
    ML_ASSERT(out != NULL && args->env != NULL && args->path != NULL);
    struct ml_db *db = ml_alloc(args->env, sizeof(*db));
    if (db == NULL) {
        return ML_E_NOMEM;
    }
    db->env = args->env;
    db->vfs = args->vfs;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    flags |= args->flags & ML_DB_READONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= args->flags & ML_DB_CREATE ? SQLITE_OPEN_CREATE : 0;
    int rc = sqlite3_open_v2(args->path, &db->conn, flags, args->vfs);
    ml_err err = ML_OK;
    if (rc != SQLITE_OK) {
        err = db_fail(db, rc, "open");
    }
    if (err == ML_OK) {
        err = db_configure(db, args);
    }
    if (err == ML_OK && args->schema != NULL) {
        err = db_migrate(db, args);
    }
    if (err != ML_OK) {
        ml_db_close(db);
        return err;
    }
    *out = db;
    return ML_OK;
}

void ml_db_close(struct ml_db *db)
{
    if (db == NULL) {
        return;
    }
    int rc = sqlite3_close(db->conn);
    ML_ASSERT(rc == SQLITE_OK); /* else a statement outlives its connection */
    ml_release(db->env, db);
}

ml_err ml_db_exec(struct ml_db *db, const char *sql)
{
    int rc = sqlite3_exec(db->conn, sql, NULL, NULL, NULL);
    return db_fail(db, rc, "exec");
}

ml_err ml_db_begin(struct ml_db *db)
{
    return ml_db_exec(db, "BEGIN IMMEDIATE");
}

ml_err ml_db_commit(struct ml_db *db)
{
    return ml_db_exec(db, "COMMIT");
}

void ml_db_rollback(struct ml_db *db)
{
    if (!ml_db_in_transaction(db)) {
        return;
    }
    /* A rollback undoes even when it reports the I/O error that made it necessary. */
    (void)sqlite3_exec(db->conn, "ROLLBACK", NULL, NULL, NULL);
}

bool ml_db_in_transaction(const struct ml_db *db)
{
    return sqlite3_get_autocommit(db->conn) == 0;
}

int64_t ml_db_last_rowid(const struct ml_db *db)
{
    return sqlite3_last_insert_rowid(db->conn);
}

int64_t ml_db_changes(const struct ml_db *db)
{
    return sqlite3_changes64(db->conn);
}

ml_err ml_db_checkpoint(struct ml_db *db)
{
    int rc = sqlite3_wal_checkpoint_v2(db->conn, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return db_fail(db, rc, "checkpoint");
}

ml_err ml_db_integrity(struct ml_db *db, ml_db_problem_cb *problem, void *user)
{
    struct ml_stmt *s = NULL;
    ml_err err = ml_stmt_prepare(&s, db, "PRAGMA integrity_check");
    if (err != ML_OK) {
        return err;
    }
    for (;;) {
        bool row = false;
        err = ml_stmt_step(s, &row);
        if (err != ML_OK || !row) {
            break;
        }
        struct ml_slice text = ml_stmt_text(s, 0);
        if (!ml_slice_equal(text, ml_slice_str("ok"))) {
            db->damaged = true;
            problem(user, text.data != NULL ? (const char *)text.data : "");
        }
    }
    ml_stmt_free(s);
    return err;
}

bool ml_db_damaged(const struct ml_db *db)
{
    return db->damaged;
}

ml_err ml_stmt_prepare(struct ml_stmt **out, struct ml_db *db, const char *sql)
{
    struct ml_stmt *s = ml_alloc(db->env, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    s->db = db;
    int rc = sqlite3_prepare_v3(db->conn, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
    ml_err err = rc == SQLITE_OK ? ML_OK : db_fail(db, rc, "prepare");
    if (err != ML_OK) {
        ml_release(db->env, s);
        return err;
    }
    *out = s;
    return ML_OK;
}

void ml_stmt_free(struct ml_stmt *s)
{
    if (s != NULL) {
        sqlite3_finalize(s->stmt);
        ml_release(s->db->env, s);
    }
}

ml_err ml_stmt_prepare_all(struct ml_stmt **out, struct ml_db *db, const char *const *sql,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = NULL;
    }
    for (size_t i = 0; i < count; i++) {
        ml_err err = ml_stmt_prepare(&out[i], db, sql[i]);
        if (err != ML_OK) {
            ml_stmt_free_all(out, i);
            return err;
        }
    }
    return ML_OK;
}

void ml_stmt_free_all(struct ml_stmt **s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ml_stmt_free(s[i]);
        s[i] = NULL;
    }
}

static void stmt_note_bind(struct ml_stmt *s, int rc)
{
    if (s->bind_rc == SQLITE_OK) {
        s->bind_rc = rc;
    }
}

void ml_stmt_bind_int(struct ml_stmt *s, int index, int64_t value)
{
    stmt_note_bind(s, sqlite3_bind_int64(s->stmt, index, value));
}

void ml_stmt_bind_blob(struct ml_stmt *s, int index, const void *data, size_t len)
{
    /* A NULL pointer would bind NULL; an empty blob is a value. */
    const void *bytes = data != NULL ? data : "";
    stmt_note_bind(s, sqlite3_bind_blob64(s->stmt, index, bytes, len, SQLITE_STATIC));
}

void ml_stmt_bind_text(struct ml_stmt *s, int index, const char *text, size_t len)
{
    const char *bytes = text != NULL ? text : "";
    stmt_note_bind(s, sqlite3_bind_text64(s->stmt, index, bytes, len, SQLITE_STATIC, SQLITE_UTF8));
}

void ml_stmt_bind_null(struct ml_stmt *s, int index)
{
    stmt_note_bind(s, sqlite3_bind_null(s->stmt, index));
}

ml_err ml_stmt_step(struct ml_stmt *s, bool *row)
{
    *row = false;
    int rc = s->bind_rc;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(s->stmt);
    }
    if (rc == SQLITE_ROW) {
        *row = true;
        return ML_OK;
    }
    ml_err err = rc == SQLITE_DONE ? ML_OK : db_fail(s->db, rc, "step");
    ml_stmt_reset(s);
    return err;
}

ml_err ml_stmt_run(struct ml_stmt *s)
{
    bool row = true;
    ml_err err = ML_OK;
    while (row && err == ML_OK) {
        err = ml_stmt_step(s, &row);
    }
    return err;
}

void ml_stmt_reset(struct ml_stmt *s)
{
    (void)sqlite3_reset(s->stmt); /* repeats the error that the step gave */
    (void)sqlite3_clear_bindings(s->stmt);
    s->bind_rc = SQLITE_OK;
}

int64_t ml_stmt_int(struct ml_stmt *s, int column)
{
    return sqlite3_column_int64(s->stmt, column);
}

struct ml_slice ml_stmt_blob(struct ml_stmt *s, int column)
{
    const void *data = sqlite3_column_blob(s->stmt, column); /* before _bytes, as SQLite asks */
    return ml_slice(data, (size_t)sqlite3_column_bytes(s->stmt, column));
}

struct ml_slice ml_stmt_text(struct ml_stmt *s, int column)
{
    const void *data = sqlite3_column_text(s->stmt, column);
    return ml_slice(data, (size_t)sqlite3_column_bytes(s->stmt, column));
}

bool ml_stmt_is_null(struct ml_stmt *s, int column)
{
    return sqlite3_column_type(s->stmt, column) == SQLITE_NULL;
}
