/* core/store/log_pending.c -- bundles that wait (I3), bounded on disk by writer (rules B24).
 *
 * Each waits for one place at a time: the first that it lacks. When that is stored the bundle is
 * taken out and goes through the whole ingest again; it may come back for its next lack. What a
 * writer has too much of is not kept, and said: a later exchange brings it again.
 */
#include <string.h>

#include "core/store/log_impl.h"

static ml_err is_full(struct ml_log *log, bool *full, const struct ml_log_one *one)
{
    struct ml_stmt *s = log->st[ML_SQL_PENDING_OF_WRITER];
    const struct ml_writer_id *id = &one->bundle.header.writer;
    bool row = false;
    if (log->unbounded) {
        *full = false;
        return ML_OK;
    }
    *full = log->tally.pending_bytes + (int64_t)one->wire.len > ML_LOG_PENDING_BYTES ||
            (one->writer == NULL &&
             log->tally.pending_strange + (int64_t)one->wire.len > ML_LOG_PENDING_STRANGE);
    if (*full) {
        return ML_OK;
    }
    ml_stmt_bind_blob(s, 1, id->b, sizeof(id->b));
    ml_err err = ml_log_row(log, ML_SQL_PENDING_OF_WRITER, &row);
    if (err == ML_OK && row) {
        *full = ml_stmt_int(s, 0) >= (int64_t)ML_LOG_PENDING_WRITER_MAX ||
                ml_stmt_int(s, 1) + (int64_t)one->wire.len > ML_LOG_PENDING_WRITER_BYTES;
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_pending_put(struct ml_log *log, bool *stopped, const struct ml_log_one *one,
                          const struct ml_log_wait *wait)
{
    ml_err err = is_full(log, stopped, one);
    if (err != ML_OK || *stopped) {
        return err;
    }
    struct ml_stmt *s = log->st[ML_SQL_PENDING_PUT];
    const struct ml_writer_id *id = &one->bundle.header.writer;
    ml_stmt_bind_blob(s, 1, one->hash.b, sizeof(one->hash.b));
    ml_stmt_bind_blob(s, 2, id->b, sizeof(id->b));
    ml_stmt_bind_int(s, 3, wait->reason);
    ml_stmt_bind_blob(s, 4, wait->place.writer.b, sizeof(wait->place.writer.b));
    ml_stmt_bind_int(s, 5, wait->place.lane);
    ml_stmt_bind_int(s, 6, wait->place.seq);
    ml_stmt_bind_blob(s, 7, wait->place.hash.b, sizeof(wait->place.hash.b));
    ml_stmt_bind_blob(s, 8, one->wire.data, one->wire.len);
    err = ml_stmt_run(s);
    if (err == ML_OK) {
        log->tally.pending++;
        log->tally.pending_bytes += (int64_t)one->wire.len;
        if (wait->reason == ML_REASON_WAITS_WRITER) {
            log->tally.pending_strange += (int64_t)one->wire.len;
        }
    }
    return err;
}

ml_err ml_log_pending_has(struct ml_log *log, bool *has, const struct ml_hash *hash)
{
    struct ml_stmt *s = log->st[ML_SQL_PENDING_FIND];
    ml_stmt_bind_blob(s, 1, hash->b, sizeof(hash->b));
    ml_err err = ml_log_row(log, ML_SQL_PENDING_FIND, has);
    ml_stmt_reset(s);
    return err;
}

/* The statement's row: id, wire, reason. Copies the bundle, then deletes the row. */
static ml_err take_row(struct ml_log *log, struct ml_buf *wire, int64_t *id, enum ml_log_sql sql)
{
    struct ml_slice bytes = ml_stmt_blob(log->st[sql], 1);
    *id = ml_stmt_int(log->st[sql], 0);
    const bool strange = ml_stmt_int(log->st[sql], 2) == ML_REASON_WAITS_WRITER;
    ml_buf_clear(wire);
    ml_buf_append(wire, bytes.data, bytes.len);
    ml_stmt_reset(log->st[sql]);
    if (wire->err != ML_OK) {
        return wire->err;
    }
    ml_stmt_bind_int(log->st[ML_SQL_PENDING_DELETE], 1, *id);
    ml_err err = ml_stmt_run(log->st[ML_SQL_PENDING_DELETE]);
    if (err == ML_OK) {
        log->tally.pending--;
        log->tally.pending_bytes -= (int64_t)wire->len;
        log->tally.pending_strange -= strange ? (int64_t)wire->len : 0;
    }
    return err;
}

ml_err ml_log_pending_take(struct ml_log *log, bool *found, struct ml_buf *wire,
                           const struct ml_dep *place)
{
    struct ml_stmt *s = log->st[ML_SQL_PENDING_WAITING];
    int64_t id = 0;
    ml_stmt_bind_blob(s, 1, place->writer.b, sizeof(place->writer.b));
    ml_stmt_bind_int(s, 2, place->lane);
    ml_stmt_bind_int(s, 3, place->seq);
    ml_stmt_bind_blob(s, 4, place->hash.b, sizeof(place->hash.b));
    ml_err err = ml_log_row(log, ML_SQL_PENDING_WAITING, found);
    if (err == ML_OK && *found) {
        return take_row(log, wire, &id, ML_SQL_PENDING_WAITING);
    }
    return err;
}

ml_err ml_log_pending_newer(struct ml_log *log, bool *found, struct ml_buf *wire, int64_t *after)
{
    struct ml_stmt *s = log->st[ML_SQL_PENDING_NEWER];
    ml_stmt_bind_int(s, 1, ML_REASON_WAITS_VERSION);
    ml_stmt_bind_int(s, 2, *after);
    ml_err err = ml_log_row(log, ML_SQL_PENDING_NEWER, found);
    if (err == ML_OK && *found) {
        return take_row(log, wire, after, ML_SQL_PENDING_NEWER);
    }
    return err;
}
