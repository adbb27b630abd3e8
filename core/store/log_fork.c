/* core/store/log_fork.c -- forks among stored bundles, and judging anew what one touches.
 *
 * A new bundle is compared with those in its own place, and with the first of each other lane of
 * its writer that it hasn't in its closure: later ones prove nothing more (core/model/fork.h). A
 * fork changes verdicts: of the writer's bundles beyond it, of what its lane 0 had stated there,
 * and of writers whose opening hung on that. Governance is replayed from the stored lane 0.
 */
#include <string.h>

#include "core/store/log_impl.h"

static ml_err compare_row(struct ml_log_one *one, const struct ml_own_at *self, uint8_t lane,
                          struct ml_stmt *s)
{
    struct ml_own_at other = {.lane = lane};
    struct ml_slice hash = ml_stmt_blob(s, 1);
    struct ml_slice own = ml_stmt_blob(s, 3);
    if (hash.len != 32 || own.len != ML_LOG_OWN_BYTES) {
        return ML_E_CORRUPT;
    }
    memcpy(other.hash.b, hash.data, sizeof(other.hash.b));
    for (size_t i = 0; i < ML_LANES; i++) {
        other.own.seq[i] = ml_get_u32be(own.data + 4 * i);
    }
    other.seq = other.own.seq[lane];
    (void)ml_fork_between(&one->freeze, self, &other);
    return ML_OK;
}

/* Against all that is stored in one place of its writer. */
static ml_err compare_place(struct ml_log *log, struct ml_log_one *one,
                            const struct ml_own_at *self, struct ml_dep place)
{
    struct ml_stmt *s = log->st[ML_SQL_PLACE];
    if (place.seq > ml_log_highest(one->writer, place.lane)) {
        return ML_OK; /* the usual case costs no lookup */
    }
    ml_stmt_bind_int(s, 1, one->writer->index + 1);
    ml_stmt_bind_int(s, 2, place.lane);
    ml_stmt_bind_int(s, 3, place.seq);
    ml_err err = ML_OK;
    for (bool row = true; row && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_PLACE, &row);
        if (err == ML_OK && row) {
            err = compare_row(one, self, place.lane, s);
        }
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_fork_check(struct ml_log *log, struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    const struct ml_own_at self = {
        .lane = h->lane, .seq = h->seq, .hash = ml_hash16_of(&one->hash), .own = one->self.j.own};
    if (one->writer == NULL) {
        one->freeze = ml_own_vec_top();
        return ML_OK;
    }
    one->freeze = one->writer->freeze;
    ml_err err = ML_OK;
    for (uint8_t lane = 0; lane < ML_LANES && err == ML_OK; lane++) {
        uint32_t seq = lane == h->lane ? h->seq : ml_fork_first_unseen(&self, lane);
        err = compare_place(log, one, &self, (struct ml_dep){.lane = lane, .seq = seq});
    }
    one->refrozen = !ml_own_vec_equal(&one->freeze, &one->writer->freeze);
    return err;
}

/* ---- judging anew ---- */

static ml_err judge_rows(struct ml_log *log, enum ml_log_sql sql, const struct ml_log_writer *w,
                         uint8_t lane, struct ml_ruling ruling)
{
    struct ml_stmt *s = log->st[sql];
    ml_stmt_bind_int(s, 1, w->index + 1);
    ml_stmt_bind_int(s, 2, lane);
    ml_stmt_bind_int(s, 3, w->freeze.seq[lane]);
    ml_stmt_bind_int(s, 4, ruling.verdict);
    ml_stmt_bind_int(s, 5, ruling.reason);
    return ml_stmt_run(s);
}

static bool same_ruling(struct ml_ruling a, struct ml_ruling b)
{
    return a.verdict == b.verdict && a.reason == b.reason;
}

/* What this writer may do by the governance that was just replayed; `correct`: in its rows too. */
static ml_err rule_writer(struct ml_log *log, struct ml_log_writer *w, bool correct)
{
    ml_err err = ML_OK;
    for (uint8_t lane = 1; lane < ML_LANES && err == ML_OK; lane++) {
        struct ml_ruling now = ml_gov_rule_lane(log->gov, &w->id, lane);
        if (correct && !same_ruling(now, w->rules[lane])) {
            err = judge_rows(log, ML_SQL_JUDGE_WITHIN, w, lane, now);
        }
        w->rules[lane] = now;
    }
    log->strangers += w->rules[ML_LANE_KEYS].reason == ML_REASON_NOT_ENROLLED;
    return err;
}

struct replay {
    struct ml_log *log;
    struct ml_gov *gov;
    bool correct;
};

static ml_err replay_apply(const struct replay *r, struct ml_ruling *ruling, uint64_t n,
                           const struct ml_gvec *gvec)
{
    struct ml_log_entry entry;
    ml_reason why = ML_REASON_NONE;
    ml_err err = ml_log_entry_of(r->log, &entry, n);
    if (err != ML_OK || entry.body.absent != 0) {
        return err; /* destroyed: what it said is unknown until a peer gives it again */
    }
    const struct ml_log_writer *w = ml_log_writer_find(r->log, &entry.header.writer);
    const struct ml_bundle bundle = {.header_bytes = entry.header_bytes,
                                     .sig = entry.sig,
                                     .body = entry.body,
                                     .header = entry.header};
    const struct ml_gov_in in = {.bundle = &bundle,
                                 .hash = entry.hash,
                                 .gvec = gvec,
                                 .frozen = w != NULL &&
                                           ml_fork_is_beyond(&w->freeze, 0, entry.header.seq)};
    err = ml_gov_apply(r->gov, ruling, &why, &in);
    return err == ML_E_MALFORMED || err == ML_E_FORGED ? ML_E_CORRUPT : err;
}

static ml_err replay_one(const struct replay *r, uint64_t n, struct ml_ruling stored)
{
    struct ml_log *log = r->log;
    struct ml_log_known known = {0};
    struct ml_ruling ruling = stored;
    bool found = false;
    ml_stmt_bind_int(log->st[ML_SQL_KNOWN], 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_KNOWN, &found);
    if (err == ML_OK) {
        err = found ? ml_log_known_read(log, &known, log->st[ML_SQL_KNOWN]) : ML_E_CORRUPT;
    }
    ml_stmt_reset(log->st[ML_SQL_KNOWN]);
    if (err == ML_OK) {
        err = replay_apply(r, &ruling, n, known.j.gvec);
    }
    ml_log_entry_done(log);
    ml_log_known_free(&known);
    if (err == ML_OK && r->correct && !same_ruling(ruling, stored)) {
        struct ml_stmt *s = log->st[ML_SQL_JUDGE_ONE];
        ml_stmt_bind_int(s, 1, (int64_t)n);
        ml_stmt_bind_int(s, 2, ruling.verdict);
        ml_stmt_bind_int(s, 3, ruling.reason);
        err = ml_stmt_run(s);
    }
    return err;
}

static ml_err replay_all(const struct replay *r)
{
    struct ml_log *log = r->log;
    struct ml_stmt *s = log->st[ML_SQL_LANE0];
    uint64_t n = 0;
    ml_err err = ML_OK;
    for (bool row = true; row && err == ML_OK;) {
        ml_stmt_bind_int(s, 1, (int64_t)n);
        err = ml_log_row(log, ML_SQL_LANE0, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        n = (uint64_t)ml_stmt_int(s, 0);
        struct ml_ruling stored = {(ml_verdict)ml_stmt_int(s, 1), (ml_reason)ml_stmt_int(s, 2)};
        ml_stmt_reset(s);
        err = replay_one(r, n, stored);
    }
    return err;
}

static ml_err count_quarantined(struct ml_log *log)
{
    struct ml_stmt *s = log->st[ML_SQL_QUARANTINED];
    bool row = false;
    ml_err err = ml_log_row(log, ML_SQL_QUARANTINED, &row);
    if (err == ML_OK && row) {
        log->tally.quarantined = (uint64_t)ml_stmt_int(s, 0);
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_gov_replay(struct ml_log *log, bool correct)
{
    struct replay r = {.log = log, .correct = correct};
    ml_err err = ml_gov_new(&r.gov, log->env, &log->org);
    if (err == ML_OK) {
        err = replay_all(&r);
    }
    if (err != ML_OK) {
        ml_gov_free(r.gov);
        return err;
    }
    ml_gov_free(log->gov);
    log->gov = r.gov;
    log->strangers = 0;
    for (size_t i = 0; i < log->writer_count && err == ML_OK; i++) {
        err = rule_writer(log, log->writers[i], correct);
    }
    return err == ML_OK && correct ? count_quarantined(log) : err;
}

ml_err ml_log_rejudge(struct ml_log *log, struct ml_log_writer *w)
{
    const struct ml_ruling fork = {ML_VERDICT_QUARANTINED, ML_REASON_FORK};
    ml_err err = ML_OK;
    ml_logf(log->env, ML_LOG_WARN, "log", "a writer signed two histories: frozen");
    for (uint8_t lane = 0; lane < ML_LANES && err == ML_OK; lane++) {
        err = judge_rows(log, ML_SQL_JUDGE_BEYOND, w, lane, fork);
    }
    if (err == ML_OK) {
        err = ml_log_gov_replay(log, true);
    }
    log->tally.epoch++;
    return err;
}
