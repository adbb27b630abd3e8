/* core/store/log.c -- see log.h: opening, transactions.
 *
 * Happy path of a write: ml_log_write opens a transaction -> rows are written as bundles are
 * judged, memory along with them -> ml_log_done writes the heads that moved and the tally, and
 * commits: one fsync. Failure: the database rolls back, and memory, which may be ahead of it, is
 * marked stale and loaded again by the next call. Invariant: between two calls, memory that isn't
 * stale says what the database says.
 */
#include "core/store/log.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/store/log_impl.h"

#define CACHE_KIB        16384u
#define CHECKPOINT_PAGES 4000u
#define BUSY_MS          5000u
#define SCRATCH_MAX      (1u << 20)

bool ml_log_damaged(const struct ml_log *log)
{
    return log->damaged || ml_db_damaged(log->db);
}

ml_err ml_log_row(struct ml_log *log, enum ml_log_sql sql, bool *row)
{
    return ml_stmt_step(log->st[sql], row);
}

void ml_log_quiet(struct ml_log *log)
{
    for (size_t i = 0; i < ML_SQL_COUNT; i++) {
        ml_stmt_reset(log->st[i]);
    }
}

ml_err ml_log_fresh(struct ml_log *log)
{
    if (log->broken) {
        return ML_E_STALE;
    }
    if (!log->stale) {
        return ML_OK;
    }
    /* While the disk doesn't answer, readers keep what was known: what is stale writes nothing. */
    struct ml_gov *gov = log->gov;
    const struct ml_log_tally tally = log->tally;
    log->gov = NULL;
    ml_log_forget(log);
    ml_err err = ml_log_recall(log);
    log->stale = err != ML_OK;
    log->damaged = log->damaged || err == ML_E_CORRUPT;
    if (log->stale) {
        ml_log_forget(log);
        log->gov = gov;
        log->tally = tally;
    } else {
        ml_gov_free(gov);
    }
    ml_log_quiet(log);
    return err;
}

static void log_undo(struct ml_log *log)
{
    ml_log_quiet(log);
    ml_db_rollback(log->db);
    log->writing = false;
    log->stale = true;
    log->tally = log->tally_before;
}

ml_err ml_log_write(struct ml_log *log)
{
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK || log->writing) {
        return err;
    }
    ml_log_quiet(log);
    log->tally_before = log->tally;
    err = ml_db_begin(log->db);
    log->writing = err == ML_OK;
    return err;
}

ml_err ml_log_done(struct ml_log *log, ml_err err)
{
    ML_ASSERT(log->writing);
    if (err == ML_OK && log->explicit) {
        return ML_OK;
    }
    if (err == ML_OK) {
        err = ml_log_flush(log);
    }
    if (err == ML_OK) {
        ml_log_quiet(log);
        err = ml_db_commit(log->db);
    }
    if (err != ML_OK) {
        log->damaged = log->damaged || err == ML_E_CORRUPT;
        log_undo(log);
        log->broken = log->explicit;
        return err;
    }
    log->writing = false;
    if (log->erase && ml_log_shreds_wiped(log) != ML_OK) {
        ml_logf(log->env, ML_LOG_DEBUG, "log", "what was destroyed is erased later");
    }
    return ML_OK;
}

ml_err ml_log_begin(struct ml_log *log)
{
    ML_ASSERT(!log->explicit); /* they don't nest */
    ml_err err = ml_log_write(log);
    log->explicit = err == ML_OK;
    return err;
}

ml_err ml_log_commit(struct ml_log *log)
{
    ML_ASSERT(log->explicit);
    if (log->broken) {
        return ML_E_STALE;
    }
    log->explicit = false;
    return ml_log_done(log, ML_OK);
}

void ml_log_abort(struct ml_log *log)
{
    if (log->writing) {
        log_undo(log);
    }
    log->explicit = false;
    log->broken = false;
}

ml_err ml_log_settle(struct ml_log *log)
{
    ml_log_abort(log);
    ml_log_quiet(log);
    return ml_db_checkpoint(log->db);
}

/* A new file gets its org; another structure's is refused. */
static ml_err log_check_org(struct ml_log *log)
{
    bool row = false;
    ml_err err = ml_log_row(log, ML_SQL_TALLY, &row);
    if (err != ML_OK) {
        return err;
    }
    if (row) {
        struct ml_slice org = ml_stmt_blob(log->st[ML_SQL_TALLY], 0);
        bool same = ml_slice_equal(org, ml_slice(log->org.b, sizeof(log->org.b)));
        ml_stmt_reset(log->st[ML_SQL_TALLY]);
        return same ? ML_OK : ML_E_INVALID;
    }
    err = ml_db_begin(log->db);
    if (err == ML_OK) {
        err = ml_log_flush(log);
    }
    if (err == ML_OK) {
        err = ml_db_commit(log->db);
    }
    if (err != ML_OK) {
        ml_db_rollback(log->db);
    }
    return err;
}

static ml_err log_open_db(struct ml_log *log, const struct ml_log_args *args)
{
    const struct ml_db_args db_args = {
        .env = args->env,
        .path = args->path,
        .vfs = args->vfs,
        .flags = args->create ? ML_DB_CREATE : 0,
        .sync = ML_DB_SYNC_FULL,
        .cache_kib = CACHE_KIB,
        .busy_ms = BUSY_MS,
        .checkpoint_pages = CHECKPOINT_PAGES,
        .schema = &ml_log_schema,
    };
    ml_err err = ml_db_open(&log->db, &db_args);
    if (err == ML_OK) {
        err = ml_stmt_prepare_all(log->st, log->db, ml_log_sql, ML_SQL_COUNT);
    }
    return err;
}

ml_err ml_log_open_raw(struct ml_log **out, const struct ml_log_args *args)
{
    struct ml_log *log = ml_alloc(args->env, sizeof(*log));
    if (log == NULL) {
        return ML_E_NOMEM;
    }
    log->env = args->env;
    log->org = args->org;
    args->env->random(args->env->ctx, log->slot_key, sizeof(log->slot_key));
    ml_buf_init(&log->scratch, args->env, SCRATCH_MAX);
    ml_err err = log_open_db(log, args);
    if (err != ML_OK) {
        ml_log_close(log);
        return err;
    }
    *out = log;
    return ML_OK;
}

ml_err ml_log_open(struct ml_log **out, const struct ml_log_args *args)
{
    struct ml_log *log = NULL;
    ml_err err = ml_log_open_raw(&log, args);
    if (err != ML_OK) {
        return err;
    }
    err = log_check_org(log);
    if (err == ML_OK) {
        err = ml_log_recall(log);
        ml_log_quiet(log);
        log->erase = log->tally.shreds > 0; /* of one that was cut before its checkpoint */
    }
    if (err == ML_OK) {
        err = ml_log_past_upgrade(log);
    }
    if (err == ML_OK) {
        err = ml_log_retry_newer(log);
    }
    if (err == ML_OK) {
        err = ml_log_shreds_upgrade(log);
    }
    if (err != ML_OK) {
        ml_log_close(log);
        return err;
    }
    *out = log;
    return ML_OK;
}

void ml_log_close(struct ml_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->db != NULL) {
        ml_log_abort(log);
        ml_stmt_free_all(log->st, ML_SQL_COUNT);
    }
    ml_log_forget(log);
    ml_gvec_unref(log->next_covers);
    ml_db_close(log->db);
    ml_buf_free(&log->scratch);
    ml_release(log->env, log);
}

ml_err ml_log_refresh(struct ml_log *log)
{
    return ml_log_fresh(log);
}

const struct ml_gov *ml_log_gov(const struct ml_log *log)
{
    return log->gov != NULL ? log->gov : ml_gov_nothing();
}

uint64_t ml_log_hlc_last(const struct ml_log *log)
{
    return log->tally.hlc;
}

uint64_t ml_log_last(const struct ml_log *log)
{
    return log->tally.last_n;
}

uint64_t ml_log_epoch(const struct ml_log *log)
{
    return log->tally.epoch;
}

uint64_t ml_log_chunks_missing(const struct ml_log *log)
{
    return log->tally.chunks_missing;
}
