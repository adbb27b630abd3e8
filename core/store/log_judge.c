/* core/store/log_judge.c -- what a stored bundle is worth, and judging anew what governance changed
 * (architecture R10, docs/storage/log.md).
 *
 * Happy path: an act of lane 0 comes that denies somebody -> acts whose worth it changed get their
 * new verdict -> of each chain the rows beyond what is settled are ruled on again, first of those
 * whom nobody denies, who may be witnesses, then of the others -> what was adopted. All of it in
 * the transaction that stores the act. Where nothing changed, no row is read.
 *
 * Invariant: a verdict is a function of what is stored: of the row, of governance, and of the
 * citations of others, whose own verdicts don't hang on witnesses.
 */
#include <string.h>

#include "core/store/log_impl.h"

/* ---- one bundle ---- */

static struct ml_gov_lane lane_of(const struct ml_log_ruled *of, uint32_t witnessed)
{
    return (struct ml_gov_lane){.writer = of->writer->id,
                                .lane = of->lane,
                                .seq = of->seq,
                                .witnessed = witnessed,
                                .gvec = of->gvec,
                                .writes = of->writes,
                                .hlc = of->hlc};
}

static ml_err base_ruling(struct ml_log *log, struct ml_ruling *out, const struct ml_log_ruled *of,
                          uint32_t witnessed)
{
    const struct ml_gov_lane in = lane_of(of, witnessed);
    if (ml_fork_is_beyond(of->freeze, of->lane, of->seq)) {
        *out = (struct ml_ruling){ML_VERDICT_QUARANTINED, ML_REASON_FORK};
        return ML_OK;
    }
    return ml_gov_rule_lane(log->gov, out, &in);
}

static void adopt(const struct ml_log *log, struct ml_ruling *ruling, const struct ml_log_ruled *of)
{
    const struct ml_gov_judged judged = {
        .hash = of->hash, .writer = of->writer->id, .forked = ruling->reason == ML_REASON_FORK};
    bool all = ruling->verdict == ML_VERDICT_QUARANTINED;
    for (uint32_t i = 0; i < of->ops && all; i++) {
        all = ml_gov_is_adopted(log->gov, &judged, (uint8_t)i);
    }
    if (all) {
        *ruling = (struct ml_ruling){ML_VERDICT_ACCEPTED, ML_REASON_ADOPTED};
    }
}

ml_err ml_log_rule(struct ml_log *log, struct ml_ruling *out, const struct ml_log_ruled *of)
{
    ml_err err = base_ruling(log, out, of, 0);
    if (err == ML_OK) {
        adopt(log, out, of);
    }
    return err;
}

bool ml_log_op_counts(const struct ml_log *log, const struct ml_log_entry *entry, uint8_t index)
{
    const struct ml_gov_judged judged = {.hash = entry->hash,
                                         .writer = entry->header.writer,
                                         .forked = entry->reason == ML_REASON_FORK};
    return entry->verdict == ML_VERDICT_ACCEPTED ||
           ml_gov_is_adopted(ml_log_gov(log), &judged, index);
}

/* ---- witnesses ---- */

/* Of what bundle is asked, and by which: those that had seen as much of what ends its right. */
struct witness {
    const struct ml_log_writer *of;
    struct ml_gov_lane bundle;
    uint8_t lane;
    size_t unseen;
    bool known;
    uint32_t seq;
};

static uint32_t cited_in(const struct ml_header *header, const struct witness *of)
{
    struct ml_list_walk walk;
    struct ml_dep dep;
    ml_list_walk(&walk, &header->deps);
    while (ml_dep_next(&walk, &dep)) {
        if (dep.lane == of->lane && memcmp(&dep.writer, &of->of->id, sizeof(dep.writer)) == 0) {
            return dep.seq;
        }
    }
    return 0;
}

/* A row of ML_SQL_CITERS. *done: it answers; a chain never cites backwards, so that of those that
 * count its last citation is the highest. */
static ml_err citer_read(struct ml_log *log, struct witness *w, bool *done)
{
    struct ml_stmt *s = log->st[ML_SQL_CITERS];
    struct ml_header header;
    struct ml_gvec *gvec = NULL;
    if (ml_stmt_int(s, 2) != ML_VERDICT_ACCEPTED || ml_stmt_int(s, 3) != ML_REASON_NONE) {
        return ML_OK;
    }
    if (ml_header_decode(&header, ml_stmt_blob(s, 0), NULL) != ML_OK) {
        return ml_log_corrupt(log);
    }
    const uint32_t seq = cited_in(&header, w);
    *done = seq != 0 && seq <= w->seq;
    if (seq <= w->seq) {
        return ML_OK;
    }
    ml_err err = ml_log_gvec_load(log, &gvec, ml_stmt_int(s, 1));
    const struct ml_gov_lane citer = {
        .writer = header.writer, .lane = w->lane, .gvec = gvec, .hlc = header.hlc};
    /* It doesn't hang on a witness itself, and had seen no more than the bundle. */
    if (err == ML_OK && ml_gov_unseen(log->gov, &citer, gvec) == 0 &&
        ml_gov_unseen(log->gov, &w->bundle, gvec) == w->unseen) {
        w->seq = seq;
        *done = true;
    }
    ml_gvec_unref(gvec);
    return err;
}

static ml_err ask_writer(struct ml_log *log, struct witness *w, const struct ml_log_writer *citer)
{
    struct ml_stmt *s = log->st[ML_SQL_CITERS];
    bool done = false;
    ml_err err = ML_OK;
    ml_stmt_bind_int(s, 1, citer->index + 1);
    ml_stmt_bind_int(s, 2, w->lane);
    ml_stmt_bind_int(s, 3, citer->freeze.seq[w->lane]);
    for (bool row = true; row && !done && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_CITERS, &row);
        if (err == ML_OK && row) {
            err = citer_read(log, w, &done);
        }
    }
    ml_stmt_reset(s);
    return err;
}

/* The most that any of his heads cites: what isn't more than is known needn't be asked. */
static uint32_t cited_at_most(const struct ml_log_writer *citer, const struct witness *w)
{
    const struct ml_log_chain *chain = &citer->chains[w->lane];
    uint32_t most = 0;
    for (size_t i = 0; i < chain->count; i++) {
        uint32_t seq = ml_log_vec_get(&chain->heads[i]->cites, ml_log_chain_index(w->of, w->lane));
        most = seq > most ? seq : most;
    }
    return most;
}

/* Only citations that were waited for: what is named before it exists proves nothing. */
static ml_err find_witness(struct ml_log *log, struct witness *w)
{
    ml_err err = ML_OK;
    w->seq = 0;
    for (size_t i = 0; i < log->writer_count && err == ML_OK; i++) {
        const struct ml_log_writer *citer = log->writers[i];
        if (citer != w->of && cited_at_most(citer, w) > w->seq &&
            !ml_gov_is_denied(log->gov, &citer->id)) {
            err = ask_writer(log, w, citer);
        }
    }
    w->known = err == ML_OK;
    return err;
}

/* ---- rows ---- */

struct judging {
    struct ml_log *log;
    const struct ml_log_writer *writer;
    uint8_t lane;
    uint32_t after; /* rows beyond this number ... */
    uint32_t up_to;
    bool left_out_only; /* those that count by themselves go on doing so */
    struct witness witness;
    int64_t gvec_row; /* of `gvec` */
    struct ml_gvec *gvec;
    const struct ml_log_check *check; /* not NULL: nothing is written */
};

static bool is_same(struct ml_ruling a, struct ml_ruling b)
{
    return a.verdict == b.verdict && a.reason == b.reason;
}

static ml_err row_set(struct ml_log *log, uint64_t n, struct ml_ruling stored, struct ml_ruling now)
{
    struct ml_stmt *s = log->st[ML_SQL_JUDGE_ONE];
    if (is_same(stored, now)) {
        return ML_OK;
    }
    log->tally.quarantined += now.verdict == ML_VERDICT_QUARANTINED;
    log->tally.quarantined -= stored.verdict == ML_VERDICT_QUARANTINED;
    log->anew.changed++;
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_stmt_bind_int(s, 2, now.verdict);
    ml_stmt_bind_int(s, 3, now.reason);
    return ml_stmt_run(s);
}

static bool may_be_witnessed(ml_reason reason)
{
    return reason == ML_REASON_DEPARTED || reason == ML_REASON_SUSPENDED ||
           reason == ML_REASON_ROLE_ENDED;
}

static ml_err rule_row(struct judging *j, struct ml_ruling *now, const struct ml_log_ruled *of)
{
    struct ml_log *log = j->log;
    ml_err err = base_ruling(log, now, of, 0);
    if (err == ML_OK && may_be_witnessed(now->reason)) {
        const struct ml_gov_lane in = lane_of(of, 0);
        const size_t unseen = ml_gov_unseen(log->gov, &in, of->gvec);
        if (unseen > 0 && (!j->witness.known || unseen != j->witness.unseen)) {
            j->witness = (struct witness){
                .of = of->writer, .bundle = in, .lane = of->lane, .unseen = unseen};
            err = find_witness(log, &j->witness);
        }
        if (unseen == 0) {
            j->witness = (struct witness){0}; /* it knew, and nobody's word helps */
        }
        if (err == ML_OK && j->witness.seq >= of->seq) {
            err = base_ruling(log, now, of, j->witness.seq);
        }
    }
    if (err == ML_OK) {
        adopt(log, now, of);
    }
    return err;
}

static ml_err row_gvec(struct judging *j, int64_t row)
{
    if (j->gvec != NULL && row == j->gvec_row) {
        return ML_OK;
    }
    struct ml_gvec *gvec = NULL;
    ml_err err = ml_log_gvec_load(j->log, &gvec, row);
    if (err == ML_OK) {
        ml_gvec_unref(j->gvec);
        j->gvec = gvec;
        j->gvec_row = row;
    }
    return err;
}

static ml_err row_writes(struct judging *j, struct ml_log_ruled *of, struct ml_slice bytes)
{
    struct ml_header header;
    if (ml_header_decode(&header, bytes, NULL) != ML_OK) {
        return ml_log_corrupt(j->log);
    }
    of->writes = ml_writes_of(&header);
    of->hlc = header.hlc;
    return ML_OK;
}

/* Columns n, seq, gvec, verdict, reason, ops, hash, header. */
static ml_err judge_row(struct judging *j, struct ml_stmt *s)
{
    struct ml_log *log = j->log;
    struct ml_log_ruled of = {.writer = j->writer,
                              .freeze = &j->writer->freeze,
                              .lane = j->lane,
                              .seq = (uint32_t)ml_stmt_int(s, 1),
                              .ops = (uint32_t)ml_stmt_int(s, 5)};
    const struct ml_ruling stored = {(ml_verdict)ml_stmt_int(s, 3), (ml_reason)ml_stmt_int(s, 4)};
    const uint64_t n = (uint64_t)ml_stmt_int(s, 0);
    struct ml_slice hash = ml_stmt_blob(s, 6);
    struct ml_ruling now;
    if (hash.len != sizeof(of.hash.b)) {
        return ml_log_corrupt(log);
    }
    if (j->left_out_only && stored.reason == ML_REASON_NONE) {
        return ML_OK;
    }
    memcpy(of.hash.b, hash.data, hash.len);
    ml_err err = row_gvec(j, ml_stmt_int(s, 2));
    of.gvec = j->gvec;
    if (err == ML_OK && ml_gov_wants_writes(log->gov, j->lane)) {
        err = row_writes(j, &of, ml_stmt_blob(s, 7));
    }
    if (err == ML_OK) {
        err = rule_row(j, &now, &of);
    }
    if (err != ML_OK) {
        return err;
    }
    if (j->check != NULL) {
        if (!is_same(now, stored)) {
            const struct ml_dep place = {.writer = j->writer->id, .lane = j->lane, .seq = of.seq};
            j->check->differs(j->check->user, n, &place);
        }
        return ML_OK;
    }
    log->anew.looked_at++;
    return row_set(log, n, stored, now);
}

static ml_err judge_chain(struct judging *j)
{
    struct ml_log *log = j->log;
    struct ml_stmt *s = log->st[ML_SQL_JUDGE_ROWS];
    ml_err err = ML_OK;
    if (j->after >= ml_log_highest(j->writer, j->lane)) {
        return ML_OK;
    }
    ml_stmt_bind_int(s, 1, j->writer->index + 1);
    ml_stmt_bind_int(s, 2, j->lane);
    ml_stmt_bind_int(s, 3, j->after);
    ml_stmt_bind_int(s, 4, j->up_to);
    for (bool row = true; row && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_JUDGE_ROWS, &row);
        if (err == ML_OK && row) {
            err = judge_row(j, s);
        }
    }
    ml_stmt_reset(s);
    ml_gvec_unref(j->gvec);
    j->gvec = NULL;
    return err;
}

/* ---- lane 0 ---- */

static ml_err stored_ruling(struct ml_log *log, uint64_t n, struct ml_ruling *out)
{
    struct ml_stmt *s = log->st[ML_SQL_RULING];
    bool row = false;
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_RULING, &row);
    if (err == ML_OK && row) {
        *out = (struct ml_ruling){(ml_verdict)ml_stmt_int(s, 0), (ml_reason)ml_stmt_int(s, 1)};
    }
    ml_stmt_reset(s);
    return err == ML_OK && !row ? ml_log_corrupt(log) : err;
}

static ml_err judge_acts(struct ml_log *log, const struct ml_view *before)
{
    const struct ml_gov *gov = log->gov;
    ml_err err = ML_OK;
    for (size_t i = 0; i < ml_gov_acts(gov) && err == ML_OK; i++) {
        const struct ml_ruling now = ml_gov_act_ruling(gov, i);
        struct ml_ruling stored = now;
        if (before != NULL && i < ml_view_acts(before) && is_same(ml_view_act(before, i), now)) {
            continue;
        }
        err = stored_ruling(log, ml_gov_act_n(gov, i), &stored);
        if (err == ML_OK) {
            log->anew.looked_at += before == NULL || i < ml_view_acts(before);
            err = row_set(log, ml_gov_act_n(gov, i), stored, now);
        }
    }
    return err;
}

/* ---- adoptions ---- */

/* A bundle that a judgement names, if it is here. Single ops of it may count otherwise now, though
 * its verdict stays. */
static ml_err judge_named(struct ml_log *log, const struct ml_hash *hash)
{
    struct ml_log_entry entry;
    int64_t flags = 0;
    uint64_t n = 0;
    const struct ml_hash16 start = ml_hash16_of(hash);
    ml_err err = ml_log_find_hash(log, &n, &start);
    if (err != ML_OK || n == 0) {
        return err;
    }
    err = ml_log_header_of(log, &entry, &flags, n);
    if (err != ML_OK || memcmp(entry.hash.b, hash->b, sizeof(hash->b)) != 0 ||
        entry.header.lane == ML_LANE_GOVERNANCE) {
        ml_log_entry_done(log);
        return err;
    }
    struct judging j = {.log = log,
                        .writer = ml_log_writer_find(log, &entry.header.writer),
                        .lane = entry.header.lane,
                        .after = entry.header.seq - 1,
                        .up_to = entry.header.seq};
    log->anew.adopted = log->anew.adopted || entry.reason != ML_REASON_NONE;
    ml_log_entry_done(log);
    return j.writer == NULL ? ml_log_corrupt(log) : judge_chain(&j);
}

/* What act `from` and later ones judge. */
static ml_err judge_adopted(struct ml_log *log, size_t from)
{
    const struct ml_fact *f = NULL;
    ml_err err = ML_OK;
    while (err == ML_OK && (f = ml_gov_next_judgement(log->gov, f)) != NULL) {
        if (f->act >= from) {
            err = judge_named(log, &f->bundle);
        }
    }
    return err;
}

/* ---- the whole ---- */

static ml_err judge_writer(struct ml_log *log, const struct ml_log_writer *w,
                           const struct ml_log_since *since)
{
    ml_err err = ML_OK;
    for (uint8_t lane = 1; lane < ML_LANES && err == ML_OK; lane++) {
        struct judging j = {.log = log, .writer = w, .lane = lane, .up_to = UINT32_MAX};
        if (since->before != NULL) {
            j.after = ml_gov_settled(log->gov, since->before, &w->id, lane);
        }
        if (since->forked != NULL && w == since->forked && w->freeze.seq[lane] < j.after) {
            j.after = w->freeze.seq[lane];
        }
        err = judge_chain(&j);
    }
    return err;
}

/* Who isn't denied may be a witness for who is; and of whom only a role has ended, what he wrote
 * otherwise. */
typedef enum standing { PLAIN, ENDED, DENIED } standing;

static standing standing_of(const struct ml_log *log, const struct ml_writer_id *writer)
{
    if (ml_gov_is_denied(log->gov, writer)) {
        return DENIED;
    }
    return ml_gov_has_ends(log->gov, ml_gov_view(log->gov), writer) ? ENDED : PLAIN;
}

static ml_err judge_writers(struct ml_log *log, const struct ml_log_since *since, standing of)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < log->writer_count && err == ML_OK; i++) {
        if (standing_of(log, &log->writers[i]->id) == of) {
            err = judge_writer(log, log->writers[i], since);
        }
    }
    return err;
}

ml_err ml_log_judge_anew(struct ml_log *log, const struct ml_log_since *since)
{
    ml_err err = judge_acts(log, since->before);
    /* Twice those of whom a role has ended: what of theirs stands by itself is settled first. */
    static const standing turns[] = {PLAIN, ENDED, ENDED, DENIED};
    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]) && err == ML_OK; i++) {
        err = judge_writers(log, since, turns[i]);
    }
    return err == ML_OK ? judge_adopted(log, 0) : err;
}

/* Could this bundle witness anything of the writer's: had it not seen all that ended his right? */
static bool may_witness(const struct ml_log *log, const struct ml_log_one *one,
                        const struct ml_log_writer *w)
{
    const struct ml_gov_lane any = {.writer = w->id, .lane = one->bundle.header.lane};
    return ml_gov_unseen(log->gov, &any, one->self.j.gvec) > 0;
}

/* A citation by somebody whom nobody denies excuses what he cites. */
static ml_err judge_witnessed(struct ml_log *log, const struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    ml_err err = ML_OK;
    for (size_t i = 0; i < one->dep_count && err == ML_OK; i++) {
        const struct ml_dep *dep = &one->deps[i].dep;
        const struct ml_log_writer *w = ml_log_writer_find(log, &dep->writer);
        if (dep->lane != h->lane || w == NULL || !may_witness(log, one, w)) {
            continue;
        }
        struct judging j = {
            .log = log, .writer = w, .lane = h->lane, .up_to = dep->seq, .left_out_only = true};
        j.after = ml_gov_settled(log->gov, ml_gov_view(log->gov), &w->id, h->lane);
        err = judge_chain(&j);
    }
    return err;
}

static ml_err judge_for(struct ml_log *log, const struct ml_log_one *one)
{
    const struct ml_gov *gov = log->gov;
    if (one->refrozen) {
        return ml_log_refreeze(log, one);
    }
    if (one->bundle.header.lane != ML_LANE_GOVERNANCE) {
        return one->ruling.verdict == ML_VERDICT_ACCEPTED ? judge_witnessed(log, one) : ML_OK;
    }
    if (ml_gov_changed(gov)) {
        const struct ml_log_since since = {.before = ml_gov_view_before(gov)};
        return ml_log_judge_anew(log, &since);
    }
    return judge_adopted(log, ml_gov_acts(gov) - 1);
}

ml_err ml_log_judge_others(struct ml_log *log, const struct ml_log_one *one)
{
    ml_err err = judge_for(log, one);
    if (one->refrozen || log->anew.changed > 0 || log->anew.adopted) {
        ml_log_epoch_turn(log, log->tally.last_n, ml_slice(NULL, 0));
    }
    return err;
}

/* ---- proof ---- */

static ml_err check_acts(struct ml_log *log, const struct ml_log_check *check)
{
    const struct ml_gov *gov = log->gov;
    ml_err err = ML_OK;
    for (size_t i = 0; i < ml_gov_acts(gov) && err == ML_OK; i++) {
        const uint64_t n = ml_gov_act_n(gov, i);
        struct ml_ruling stored = {ML_VERDICT_PENDING, ML_REASON_NONE};
        err = stored_ruling(log, n, &stored);
        if (err == ML_OK && !is_same(stored, ml_gov_act_ruling(gov, i))) {
            check->differs(check->user, n, NULL);
        }
    }
    return err;
}

ml_err ml_log_judge_check(struct ml_log *log, const struct ml_log_check *check)
{
    ml_err err = check_acts(log, check);
    for (size_t i = 0; i < log->writer_count && err == ML_OK; i++) {
        for (uint8_t lane = 1; lane < ML_LANES && err == ML_OK; lane++) {
            struct judging j = {.log = log,
                                .writer = log->writers[i],
                                .lane = lane,
                                .up_to = UINT32_MAX,
                                .check = check};
            err = judge_chain(&j);
        }
    }
    return err;
}
