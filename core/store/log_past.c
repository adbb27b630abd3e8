/* core/store/log_past.c -- which bundles came, and in which order (docs/storage/log.md, "Past").
 *
 * The past of number n is a hash over the past of n - 1 and the hash of bundle n: one past, the
 * same bundles at every number up to it. That of the last number stands in the tally, that of each
 * 256th in a row of its own; any other is that of the row below it, rolled on over at most 255
 * bundles. Rows and tally are written in the transaction that stores the bundle, so that a log
 * which loses its end loses their end as well.
 *
 * Failures: a log that lacks a row or a bundle on the way is damaged, and says so.
 */
#include <string.h>

#include "core/crypto/hash.h"
#include "core/store/log_impl.h"

void ml_log_past_roll(struct ml_hash *past, const struct ml_hash *bundle)
{
    const struct ml_slice parts[] = {ml_slice(past->b, sizeof(past->b)),
                                     ml_slice(bundle->b, sizeof(bundle->b))};
    struct ml_hash next = {{0}};
    ml_hash_parts(next.b, sizeof(next.b), ml_slice(NULL, 0), parts, 2);
    *past = next;
}

ml_err ml_log_past_add(struct ml_log *log, uint64_t n, const struct ml_hash *bundle)
{
    struct ml_stmt *s = log->st[ML_SQL_PAST_PUT];
    ml_log_past_roll(&log->tally.past, bundle);
    if (n % ML_LOG_PAST_STEP != 0) {
        return ML_OK;
    }
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_stmt_bind_blob(s, 2, log->tally.past.b, sizeof(log->tally.past.b));
    return ml_stmt_run(s);
}

ml_err ml_log_past_row(struct ml_log *log, struct ml_hash *out, uint64_t n)
{
    struct ml_stmt *s = log->st[ML_SQL_PAST];
    bool row = false;
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_PAST, &row);
    if (err == ML_OK) {
        const struct ml_slice bytes = row ? ml_stmt_blob(s, 0) : ml_slice(NULL, 0);
        if (bytes.len == sizeof(out->b)) {
            memcpy(out->b, bytes.data, bytes.len);
        } else {
            err = ml_log_corrupt(log);
        }
    }
    ml_stmt_reset(s);
    return err;
}

/* Each bundle above `after` up to `to`, in order of their numbers, which have no gaps. */
static ml_err each_hash(struct ml_log *log, uint64_t after, uint64_t to,
                        ml_err (*each)(void *user, uint64_t n, const struct ml_hash *hash),
                        void *user)
{
    struct ml_stmt *s = log->st[ML_SQL_HASHES];
    ml_err err = ML_OK;
    ml_stmt_bind_int(s, 1, (int64_t)after);
    ml_stmt_bind_int(s, 2, (int64_t)to);
    for (uint64_t n = after + 1; n <= to && err == ML_OK; n++) {
        struct ml_hash hash;
        bool row = false;
        err = ml_log_row(log, ML_SQL_HASHES, &row);
        if (err != ML_OK) {
            break;
        }
        const struct ml_slice bytes = row ? ml_stmt_blob(s, 1) : ml_slice(NULL, 0);
        if (!row || (uint64_t)ml_stmt_int(s, 0) != n || bytes.len != sizeof(hash.b)) {
            err = ml_log_corrupt(log);
            break;
        }
        memcpy(hash.b, bytes.data, bytes.len);
        err = each(user, n, &hash);
    }
    ml_stmt_reset(s);
    return err;
}

static ml_err roll_on(void *user, uint64_t n, const struct ml_hash *hash)
{
    (void)n;
    ml_log_past_roll(user, hash);
    return ML_OK;
}

ml_err ml_log_past(struct ml_log *log, uint64_t n, struct ml_hash *out)
{
    struct ml_hash past = {{0}};
    const uint64_t row = n - n % ML_LOG_PAST_STEP;
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK || n >= log->tally.last_n) {
        *out = err == ML_OK && n == log->tally.last_n ? log->tally.past : *out;
        return err == ML_OK && n > log->tally.last_n ? ML_E_NOT_FOUND : err;
    }
    err = row == 0 ? ML_OK : ml_log_past_row(log, &past, row);
    if (err == ML_OK) {
        err = each_hash(log, row, n, roll_on, &past);
    }
    *out = err == ML_OK ? past : *out;
    return err;
}

static ml_err add_one(void *user, uint64_t n, const struct ml_hash *hash)
{
    return ml_log_past_add(user, n, hash);
}

ml_err ml_log_past_upgrade(struct ml_log *log)
{
    if (log->has_past) {
        return ML_OK;
    }
    ml_err err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    err = each_hash(log, 0, log->tally.last_n, add_one, log);
    err = ml_log_done(log, err);
    log->has_past = err == ML_OK;
    return err;
}

/* What changed rests on all that came before: bundles, and verdicts and bodies that had changed
 * then. A number that a log comes to again says the same again. */
void ml_log_epoch_turn(struct ml_log *log, uint64_t n, struct ml_slice body)
{
    uint8_t words[2 * sizeof(uint64_t)];
    uint8_t out[sizeof(uint64_t)];
    ml_put_u64be(words, log->tally.epoch);
    ml_put_u64be(words + sizeof(uint64_t), n);
    const struct ml_slice parts[] = {ml_slice(words, sizeof(words)),
                                     ml_slice(log->tally.past.b, sizeof(log->tally.past.b)), body};
    ml_hash_parts(out, sizeof(out), ml_slice(NULL, 0), parts, 3);
    log->tally.epoch = ml_get_u64be(out) >> 1; /* a signed column */
}
