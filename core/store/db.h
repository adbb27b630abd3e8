/* core/store/db.h -- a thin wrapper of SQLite: one connection, its statements, its migrations.
 *
 * The only door to SQLite outside core/store/vfs: no header of SQLite is included by users. A
 * connection and its statements belong to one thread at a time. Every PRAGMA is set and its answer
 * checked (SQLite ignores some silently). SQLite's own memory doesn't come from the env: its
 * failures arrive as NOMEM all the same.
 *
 * Errors of every call: NOMEM, FULL, IO, READONLY, CORRUPT, WRONG_KEY, BUSY, EXISTS (a UNIQUE or
 * PRIMARY KEY constraint), INVALID (another constraint, or SQL that doesn't compile: our bug),
 * LIMIT, CANCELED.
 */
#ifndef ML_STORE_DB_H
#define ML_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "maille/err.h"

struct ml_db;   /* a connection; owned by who opened it */
struct ml_stmt; /* a prepared statement; owned by who prepared it, freed before its ml_db */

#define ML_DB_CREATE    1u /* make the file when it is absent; else NOT_FOUND */
#define ML_DB_READONLY  2u
#define ML_DB_EXCLUSIVE 4u /* this connection alone, in any process; others get BUSY */

typedef enum ml_db_sync {
    ML_DB_SYNC_FULL,   /* a commit is durable when it returns: one fsync of the WAL */
    ML_DB_SYNC_NORMAL, /* a power cut may lose the last commits, never tear one */
    ML_DB_SYNC_OFF,    /* for what can be rebuilt and for tests */
} ml_db_sync;

/** Brings a schema from one version to the next, in one transaction with the version number. */
struct ml_db_step {
    const char *sql;                             /* may be NULL */
    ml_err (*run)(struct ml_db *db, void *user); /* after sql; may be NULL */
};

/** steps[i] leads from version i to i + 1. Append only. Static. */
struct ml_db_schema {
    int32_t application_id; /* told apart from other databases; not 0 */
    const struct ml_db_step *steps;
    uint32_t step_count;
    void *user; /* for the steps' run */
};

struct ml_db_args {
    const struct ml_env *env; /* borrowed; outlives the connection */
    const char *path;
    const char *vfs; /* name of a registered VFS (borrowed, as env), NULL: the default one */
    unsigned flags;  /* ML_DB_* */
    ml_db_sync sync;
    uint32_t cache_kib;                /* page cache; 0: 8 MiB */
    uint32_t busy_ms;                  /* wait for another connection's lock; 0: not at all */
    uint32_t checkpoint_pages;         /* WAL length that starts a checkpoint; 0: 1000 */
    const struct ml_db_schema *schema; /* NULL: none is checked or made */
};

/**
 * Opens and migrates. NOT_FOUND: absent, without ML_DB_CREATE. UNSUPPORTED: made by a newer
 * program (nothing is changed). INVALID: a database of another kind. An interrupted migration goes
 * on where it stopped.
 */
ml_err ml_db_open(struct ml_db **out, const struct ml_db_args *args) ML_MUST_CHECK;

/** Every statement of it must be freed before. NULL is allowed. */
void ml_db_close(struct ml_db *db);

/** Runs one or more statements that return nothing worth reading. */
ml_err ml_db_exec(struct ml_db *db, const char *sql) ML_MUST_CHECK;

/* Transactions don't nest. A failed commit leaves the transaction open: roll it back. */
ml_err ml_db_begin(struct ml_db *db) ML_MUST_CHECK; /* IMMEDIATE: BUSY comes here, not later */
ml_err ml_db_commit(struct ml_db *db) ML_MUST_CHECK;
void ml_db_rollback(struct ml_db *db); /* nothing open: does nothing (SQLite may have done it) */
bool ml_db_in_transaction(const struct ml_db *db);

int64_t ml_db_last_rowid(const struct ml_db *db);
int64_t ml_db_changes(const struct ml_db *db); /* rows of the last statement */

/** The whole WAL into the main file, then truncated to nothing. BUSY: a reader holds it. */
ml_err ml_db_checkpoint(struct ml_db *db) ML_MUST_CHECK;

/** Called for each problem; `text` is SQLite's, it names pages and tables, never contents. */
typedef void ml_db_problem_cb(void *user, const char *text);

/** Reads every page. ML_OK also with problems: count the calls. An error: it couldn't be told. */
ml_err ml_db_integrity(struct ml_db *db, ml_db_problem_cb *problem, void *user) ML_MUST_CHECK;

/** A call of this connection met a block that doesn't open or doesn't fit: the file is to be made
 * anew from what can be read, or from elsewhere. Stays true until it is closed. */
bool ml_db_damaged(const struct ml_db *db);

/* Statements, kept by their user for the life of the connection. */
ml_err ml_stmt_prepare(struct ml_stmt **out, struct ml_db *db, const char *sql) ML_MUST_CHECK;
void ml_stmt_free(struct ml_stmt *s); /* NULL is allowed */

/** All or none of `count`. */
ml_err ml_stmt_prepare_all(struct ml_stmt **out, struct ml_db *db, const char *const *sql,
                           size_t count) ML_MUST_CHECK;
/** NULL entries are allowed; the array is set to NULLs. */
void ml_stmt_free_all(struct ml_stmt **s, size_t count);

/* Parameters count from 1. Blobs and texts are borrowed until the statement is reset. A failed
 * bind is reported by the next step. */
void ml_stmt_bind_int(struct ml_stmt *s, int index, int64_t value);
void ml_stmt_bind_blob(struct ml_stmt *s, int index, const void *data,
                       size_t len); /* NULL: empty */
void ml_stmt_bind_text(struct ml_stmt *s, int index, const char *text, size_t len); /* UTF-8 */
void ml_stmt_bind_null(struct ml_stmt *s, int index);

/** *row: whether there is a row to read. After the last one, or an error, the statement is reset.
 */
ml_err ml_stmt_step(struct ml_stmt *s, bool *row) ML_MUST_CHECK;
/** Steps to the end, ignoring rows. */
ml_err ml_stmt_run(struct ml_stmt *s) ML_MUST_CHECK;
/** Before the last row: makes it ready for new parameters, which are all NULL again. */
void ml_stmt_reset(struct ml_stmt *s);

/* Columns count from 0; valid after a step gave a row. Slices are borrowed until the next step or
 * reset. NULL reads as 0 and as an empty slice. */
int64_t ml_stmt_int(struct ml_stmt *s, int column);
struct ml_slice ml_stmt_blob(struct ml_stmt *s, int column);
struct ml_slice ml_stmt_text(struct ml_stmt *s, int column);
bool ml_stmt_is_null(struct ml_stmt *s, int column);

#endif
