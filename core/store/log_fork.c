/* core/store/log_fork.c -- forks among stored bundles, and what one takes from governance.
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
        one->freeze = one->freeze_before = ml_own_vec_top();
        return ML_OK;
    }
    one->freeze = one->freeze_before = one->writer->freeze;
    ml_err err = ML_OK;
    for (uint8_t lane = 0; lane < ML_LANES && err == ML_OK; lane++) {
        uint32_t seq = lane == h->lane ? h->seq : ml_fork_first_unseen(&self, lane);
        err = compare_place(log, one, &self, (struct ml_dep){.lane = lane, .seq = seq});
    }
    one->refrozen = !ml_own_vec_equal(&one->freeze, &one->writer->freeze);
    return err;
}

/* ---- governance from what is stored ---- */

static ml_err replay_apply(struct ml_log *log, struct ml_gov *gov, struct ml_gvec *gvec, uint64_t n)
{
    struct ml_log_entry entry;
    struct ml_ruling ruling;
    ml_reason why = ML_REASON_NONE;
    ml_err err = ml_log_entry_of(log, &entry, n);
    if (err != ML_OK || entry.body.absent != 0) {
        return err; /* destroyed: what it said is unknown until a peer gives it again */
    }
    const struct ml_log_writer *w = ml_log_writer_find(log, &entry.header.writer);
    const struct ml_bundle bundle = {.header_bytes = entry.header_bytes,
                                     .sig = entry.sig,
                                     .body = entry.body,
                                     .header = entry.header};
    const struct ml_gov_in in = {.bundle = &bundle,
                                 .hash = entry.hash,
                                 .n = n,
                                 .gvec = gvec,
                                 .frozen = w != NULL &&
                                           ml_fork_is_beyond(&w->freeze, 0, entry.header.seq)};
    err = ml_gov_apply(gov, &ruling, &why, &in);
    return err == ML_E_MALFORMED || err == ML_E_FORGED ? ML_E_CORRUPT : err;
}

static ml_err replay_one(struct ml_log *log, struct ml_gov *gov, uint64_t n)
{
    struct ml_log_known known = {0};
    bool found = false;
    ml_stmt_bind_int(log->st[ML_SQL_KNOWN], 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_KNOWN, &found);
    if (err == ML_OK) {
        err = found ? ml_log_known_read(log, &known, log->st[ML_SQL_KNOWN]) : ML_E_CORRUPT;
    }
    ml_stmt_reset(log->st[ML_SQL_KNOWN]);
    if (err == ML_OK) {
        err = replay_apply(log, gov, known.j.gvec, n);
    }
    ml_log_entry_done(log);
    ml_log_known_free(&known);
    return err;
}

static ml_err replay_all(struct ml_log *log, struct ml_gov *gov)
{
    struct ml_stmt *s = log->st[ML_SQL_LANE0];
    uint64_t n = 0;
    ml_err err = ML_OK;
    for (bool row = true; row && err == ML_OK;) {
        ml_stmt_bind_int(s, 1, (int64_t)n);
        err = ml_log_row(log, ML_SQL_LANE0, &row);
        n = err == ML_OK && row ? (uint64_t)ml_stmt_int(s, 0) : n;
        ml_stmt_reset(s);
        if (err == ML_OK && row) {
            err = replay_one(log, gov, n);
        }
    }
    return err;
}

static ml_err replay(struct ml_log *log, struct ml_gov **out)
{
    struct ml_gov *gov = NULL;
    ml_err err = ml_gov_new(&gov, log->env, &log->org);
    if (err == ML_OK) {
        err = replay_all(log, gov);
    }
    if (err != ML_OK) {
        ml_gov_free(gov);
        return err;
    }
    *out = gov;
    return ML_OK;
}

ml_err ml_log_gov_replay(struct ml_log *log)
{
    struct ml_gov *gov = NULL;
    ml_err err = replay(log, &gov);
    if (err == ML_OK) {
        ml_gov_free(log->gov);
        log->gov = gov;
    }
    return err;
}

/* ---- a new freeze ---- */

/* Does it take away acts that were judged as not frozen? */
static bool touches_governance(const struct ml_log_one *one)
{
    const uint32_t before = one->freeze_before.seq[ML_LANE_GOVERNANCE];
    const uint32_t now = one->freeze.seq[ML_LANE_GOVERNANCE];
    return now < before && now < ml_log_highest(one->writer, ML_LANE_GOVERNANCE);
}

static bool has_same_acts(const struct ml_gov *a, const struct ml_gov *b)
{
    bool same = ml_gov_acts(a) == ml_gov_acts(b);
    for (size_t i = 0; same && i < ml_gov_acts(a); i++) {
        same = ml_gov_act_n(a, i) == ml_gov_act_n(b, i);
    }
    return same;
}

/* What acts were worth at their own vectors may be otherwise: where nobody is denied that shows in
 * the view of all; where somebody is, all is looked at. */
static ml_err refreeze_governance(struct ml_log *log, const struct ml_log_one *one)
{
    struct ml_gov *old = log->gov;
    struct ml_gov *gov = NULL;
    struct ml_log_since since = {.forked = one->writer};
    ml_err err = replay(log, &gov);
    if (err != ML_OK) {
        return err;
    }
    if (has_same_acts(old, gov) && !ml_gov_has_denials(gov)) {
        bool own = one->bundle.header.lane == ML_LANE_GOVERNANCE;
        since.before = own ? ml_gov_view_before(old) : ml_gov_view(old);
    }
    log->gov = gov;
    err = ml_log_judge_anew(log, &since);
    ml_gov_free(old);
    return err;
}

ml_err ml_log_refreeze(struct ml_log *log, const struct ml_log_one *one)
{
    ml_logf(log->env, ML_LOG_WARN, "log", "a writer signed two histories: frozen");
    if (touches_governance(one)) {
        return refreeze_governance(log, one);
    }
    const struct ml_log_since since = {.before = ml_gov_view(log->gov), .forked = one->writer};
    return ml_log_judge_anew(log, &since);
}
