/* core/store/log_count.c -- counts, and the hashes by which two nodes show that they agree. */
#include "core/crypto/hash.h"
#include "core/store/log_impl.h"

static ml_err count_rows(struct ml_log *log, uint64_t *count, enum ml_log_sql sql)
{
    bool row = false;
    ml_err err = ml_log_row(log, sql, &row);
    *count = err == ML_OK && row ? (uint64_t)ml_stmt_int(log->st[sql], 0) : 0;
    ml_stmt_reset(log->st[sql]);
    return err;
}

ml_err ml_log_counts(struct ml_log *log, struct ml_log_counts *out)
{
    uint64_t holes = 0;
    uint64_t newer = 0;
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) {
        err = count_rows(log, &holes, ML_SQL_HOLE_COUNT);
    }
    if (err == ML_OK && log->tally.pending > 0) {
        ml_stmt_bind_int(log->st[ML_SQL_PENDING_COUNT], 1, ML_REASON_WAITS_VERSION);
        err = count_rows(log, &newer, ML_SQL_PENDING_COUNT);
    }
    if (err != ML_OK) {
        return err;
    }
    *out = (struct ml_log_counts){.bundles = log->tally.bundles,
                                  .ops = log->tally.ops,
                                  .bodies_missing = holes,
                                  .pending = log->tally.pending,
                                  .waits_version = newer,
                                  .quarantined = log->tally.quarantined,
                                  .chunks = log->tally.chunks,
                                  .chunks_missing = log->tally.chunks_missing};
    for (size_t i = 0; i < log->writer_count; i++) {
        out->forks += log->writers[i]->frozen;
    }
    return ML_OK;
}

struct ml_log_again ml_log_judged_again(const struct ml_log *log)
{
    return log->again;
}

/* Of rows (hash [, verdict]) in the order of hashes. */
static ml_err hash_rows(struct ml_log *log, struct ml_hash *out, enum ml_log_sql sql,
                        bool with_verdict)
{
    struct ml_stmt *s = log->st[sql];
    struct ml_hash_state st;
    ml_err err = ml_log_fresh(log);
    ml_hash_init(&st, sizeof(out->b), NULL, 0);
    for (bool row = true; row && err == ML_OK;) {
        err = ml_log_row(log, sql, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        struct ml_slice hash = ml_stmt_blob(s, 0);
        ml_hash_update(&st, hash.data, hash.len);
        if (with_verdict) {
            const uint8_t verdict = (uint8_t)ml_stmt_int(s, 1);
            ml_hash_update(&st, &verdict, sizeof(verdict));
        }
    }
    ml_stmt_reset(s);
    struct ml_hash hash;
    ml_hash_final(&st, hash.b, sizeof(hash.b));
    if (err == ML_OK) {
        *out = hash;
    }
    return err;
}

ml_err ml_log_state_hash(struct ml_log *log, struct ml_hash *out)
{
    return hash_rows(log, out, ML_SQL_STATE, true);
}

ml_err ml_log_trace_hash(struct ml_log *log, struct ml_hash *out)
{
    return hash_rows(log, out, ML_SQL_TRACE, false);
}
