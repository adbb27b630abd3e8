/* core/store/log_prune.c -- traces whose time is over: their bodies go, all of a time at once, and
 * their headers stay (rules B23, D6; ADR 0026).
 *
 * Happy path: the next bundle of lane 2 that is old enough and not pruned -> its body is deleted,
 * or the hole that it is asked to be filled -> the hole says pruned, and no peer is asked for it.
 * After the commit the WAL is written back, as for what is shredded. An error undoes the
 * transaction.
 */
#include "core/base/hlc.h"
#include "core/store/log_impl.h"

/* *n is where the search goes on; 0 when there is none. */
static ml_err next_old(struct ml_log *log, uint64_t *n, uint64_t before_hlc)
{
    struct ml_stmt *s = log->st[ML_SQL_PRUNE_NEXT];
    bool found = false;
    ml_stmt_bind_int(s, 1, (int64_t)before_hlc);
    ml_stmt_bind_int(s, 2, (int64_t)*n);
    ml_err err = ml_log_row(log, ML_SQL_PRUNE_NEXT, &found);
    *n = err == ML_OK && found ? (uint64_t)ml_stmt_int(s, 0) : 0;
    ml_stmt_reset(s);
    return err;
}

static ml_err delete_row(struct ml_log *log, enum ml_log_sql sql, uint64_t n)
{
    ml_stmt_bind_int(log->st[sql], 1, (int64_t)n);
    return ml_stmt_run(log->st[sql]);
}

static ml_err body_prune(struct ml_log *log, uint64_t n)
{
    struct ml_log_entry e;
    struct ml_stmt *flags_set = log->st[ML_SQL_FLAGS_SET];
    int64_t flags = 0;
    ml_err err = ml_log_header_of(log, &e, &flags, n);
    const uint32_t bytes = err == ML_OK ? ml_log_wire_len(e.header_bytes.len, 0, true) : 0;
    ml_log_entry_done(log);
    err = err == ML_OK ? delete_row(log, ML_SQL_BODY_DELETE, n) : err;
    err = err == ML_OK ? delete_row(log, ML_SQL_FILL_DELETE, n) : err;
    if (err == ML_OK) {
        ml_stmt_bind_int(log->st[ML_SQL_HOLE_PUT], 1, (int64_t)n);
        ml_stmt_bind_int(log->st[ML_SQL_HOLE_PUT], 2, ML_ABSENT_PRUNED);
        err = ml_stmt_run(log->st[ML_SQL_HOLE_PUT]);
    }
    if (err == ML_OK) {
        ml_stmt_bind_int(flags_set, 1, (int64_t)n);
        ml_stmt_bind_int(flags_set, 2, (flags & ~(int64_t)ML_LOG_FILLED) | ML_LOG_HOLE);
        ml_stmt_bind_int(flags_set, 3, bytes);
        err = ml_stmt_run(flags_set);
    }
    log->erase = true;
    return err;
}

ml_err ml_log_prune_traces(struct ml_log *log, uint32_t *pruned, uint64_t before_ms, uint32_t max)
{
    const uint64_t before_hlc = ml_hlc_make(before_ms, 0);
    uint32_t count = 0;
    uint64_t n = 0;
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) { /* nothing is written where there is nothing to do */
        err = next_old(log, &n, before_hlc);
    }
    if (err != ML_OK || n == 0 || max == 0) {
        *pruned = err == ML_OK ? 0 : *pruned;
        return err;
    }
    err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    while (err == ML_OK && n != 0 && count < max) {
        err = body_prune(log, n);
        count++;
        err = err == ML_OK ? next_old(log, &n, before_hlc) : err;
    }
    err = ml_log_done(log, err);
    *pruned = err == ML_OK ? count : *pruned;
    return err;
}
