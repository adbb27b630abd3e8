/* core/store/log_ingest.c -- what enters the log.
 *
 * Happy path of one bundle: decode -> not here yet -> its writer's key -> signature -> predecessor
 * and citations are here -> shape -> fork check -> ruling -> rows -> those that waited for it.
 * Failures: bytes that no honest node sends are REFUSED and leave nothing; what waits is kept in
 * the queue. An error of the store or of memory undoes the whole batch.
 * Invariant: a bundle gets its ingest number after all that it waited for has one.
 */
#include <string.h>

#include "core/store/log_impl.h"

struct ingest {
    struct ml_log *log;
    struct ml_log_one *one;          /* owned; the bundle in hand */
    struct ml_log_outcome *outcomes; /* owned */
    size_t count;
    size_t cap;
    struct ml_dep *settled; /* owned: stored places whose waiters are due */
    size_t settled_count;
    size_t settled_cap;
    struct ml_buf wire; /* of one that waited */
};

static void one_clear(struct ml_log *log, struct ml_log_one *one)
{
    ml_log_known_free(&one->prev);
    ml_log_known_free(&one->self);
    for (size_t i = 0; i < one->dep_count; i++) {
        ml_log_known_free(&one->known[i]);
    }
    ml_log_vec_free(log->env, &one->cites);
    *one = (struct ml_log_one){0};
}

static ml_err grow(const struct ml_env *env, void **items, size_t *cap, size_t count, size_t size)
{
    if (count < *cap) {
        return ML_OK;
    }
    size_t want = *cap == 0 ? 64 : *cap * 2;
    void *grown = ml_resize(env, *items, want * size);
    if (grown == NULL) {
        return ML_E_NOMEM;
    }
    *items = grown;
    *cap = want;
    return ML_OK;
}

static struct ml_dep place_of(const struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    return (struct ml_dep){
        .writer = h->writer, .lane = h->lane, .seq = h->seq, .hash = ml_hash16_of(&one->hash)};
}

static void refuse(struct ml_log_outcome *o, ml_err err, ml_reason reason)
{
    o->result = ML_LOG_REFUSED;
    o->err = err;
    o->reason = reason;
}

/* ---- is it here already? ---- */

/* Of a bundle whose body is a hole. */
static ml_err leaves_keep(struct ml_log *log, bool *filled, uint64_t n,
                          const struct ml_log_one *one)
{
    struct ml_log_entry e;
    int64_t flags = 0;
    ml_err err = ml_log_header_of(log, &e, &flags, n);
    ml_log_entry_done(log);
    return err == ML_OK && (flags & ML_LOG_HOLE) != 0 ? ml_log_leaves_keep(log, filled, n, one)
                                                      : err;
}

static ml_err same_stored(struct ml_log *log, struct ml_log_outcome *o,
                          const struct ml_log_one *one)
{
    struct ml_log_known known = {0};
    bool found = false;
    const struct ml_dep place = place_of(one);
    ml_err err = ml_log_known_find(log, &known, &found, &place);
    uint64_t n = known.n;
    ml_log_known_free(&known);
    if (err != ML_OK || !found) {
        return err;
    }
    o->result = ML_LOG_DUPLICATE;
    o->n = n;
    if (one->bundle.body.absent != 0 && one->leaves.len == 0) {
        return ML_OK;
    }
    bool filled = false;
    err = one->leaves.len == 0 ? ml_log_body_fill(log, &filled, n, one)
                               : leaves_keep(log, &filled, n, one);
    if (filled) {
        o->result = ML_LOG_BODY;
    }
    return err;
}

/* DUPLICATE (stored, or waiting already), BODY, or untouched. */
static ml_err find_same(struct ml_log *log, struct ml_log_outcome *o, const struct ml_log_one *one)
{
    bool waits = false;
    ml_err err = same_stored(log, o, one);
    if (err != ML_OK || o->result != ML_LOG_PENDING || log->tally.pending == 0) {
        return err;
    }
    err = ml_log_pending_has(log, &waits, &one->hash);
    if (waits) {
        o->result = ML_LOG_DUPLICATE;
    }
    return err;
}

/* ---- whose is it? ---- */

static bool opens(const struct ml_header *h)
{
    return h->lane == ML_LANE_GOVERNANCE && h->seq == 1;
}

/* The key that its signature is checked with. *has false: its writer's opening isn't here. */
static ml_err find_key(struct ml_log_one *one, bool *has, ml_reason *why)
{
    *has = true;
    if (one->writer != NULL && one->writer->has_pk) {
        one->pk = one->writer->pk;
        return ML_OK;
    }
    if (opens(&one->bundle.header)) {
        return ml_gov_opening_key(&one->pk, why, &one->bundle);
    }
    *has = false;
    return ML_OK;
}

static ml_reason check_signature(const struct ml_log *log, const struct ml_log_one *one)
{
    struct ml_hash hash;
    if (ml_bundle_verify_header(&one->bundle, &log->org, &one->pk, &hash) != ML_OK) {
        return ML_REASON_SIGNATURE;
    }
    if (one->bundle.body.absent == 0) {
        struct ml_hash root = ml_body_root(one->bundle.body.bytes);
        bool same = memcmp(root.b, one->bundle.header.body_root.b, sizeof(root.b)) == 0;
        return same ? ML_REASON_NONE : ML_REASON_BODY;
    }
    return ML_REASON_NONE;
}

/* ---- is what it waits for here? ---- */

static ml_err find_prev(struct ml_log *log, struct ml_log_one *one, struct ml_log_wait *wait)
{
    const struct ml_header *h = &one->bundle.header;
    struct ml_dep prev = {.writer = h->writer, .lane = h->lane, .seq = h->seq - 1};
    prev.hash = ml_hash16_of(&h->prev);
    bool found = false;
    if (h->seq == 1) {
        return ML_OK;
    }
    ml_err err = ml_log_known_find(log, &one->prev, &found, &prev);
    if (err == ML_OK && !found) {
        *wait = (struct ml_log_wait){prev, ML_REASON_WAITS_PREV};
    }
    return err;
}

static ml_err find_dep(struct ml_log *log, struct ml_log_one *one, size_t i,
                       struct ml_log_wait *wait)
{
    const struct ml_dep *dep = &one->deps[i].dep;
    bool found = false;
    ml_err err = ml_log_known_find(log, &one->known[i], &found, dep);
    if (err == ML_OK && !found) {
        *wait = (struct ml_log_wait){*dep, ML_REASON_WAITS_CITED};
    }
    if (err == ML_OK && found) {
        one->deps[i].known = &one->known[i].j;
    }
    return err;
}

/* Fills deps; `wait` names the first thing that is missing, in a fixed order. */
static ml_err find_cited(struct ml_log *log, struct ml_log_one *one, struct ml_log_wait *wait)
{
    struct ml_list_walk walk;
    ml_err err = find_prev(log, one, wait);
    ml_list_walk(&walk, &one->bundle.header.deps);
    while (err == ML_OK && wait->reason == ML_REASON_NONE) {
        struct ml_judge_dep *d = &one->deps[one->dep_count];
        if (one->dep_count >= ML_BUNDLE_DEPS_MAX || !ml_dep_next(&walk, &d->dep)) {
            break;
        }
        one->dep_count++;
        if (ml_judge_waits(one->bundle.header.lane, d->dep.lane)) {
            err = find_dep(log, one, one->dep_count - 1, wait);
        }
    }
    return err;
}

/* What the chain cited before, when it doesn't go on from a head: from its headers. */
static ml_err cites_rebuild(struct ml_log *log, struct ml_log_vec *cites, uint64_t n)
{
    struct ml_stmt *s = log->st[ML_SQL_LINK];
    ml_err err = ML_OK;
    while (err == ML_OK && n != 0) {
        struct ml_header header;
        bool found = false;
        ml_stmt_bind_int(s, 1, (int64_t)n);
        err = ml_log_row(log, ML_SQL_LINK, &found);
        if (err == ML_OK) {
            err = found ? ml_header_decode(&header, ml_stmt_blob(s, 1), NULL) : ML_E_CORRUPT;
        }
        if (err == ML_OK) {
            n = (uint64_t)ml_stmt_int(s, 0);
            err = ml_log_cites_add(log, cites, &header);
        }
        ml_stmt_reset(s);
    }
    return err;
}

static ml_err find_before(struct ml_log *log, struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    ml_err err = ML_OK;
    if (h->seq > 1) {
        const struct ml_hash16 prev = ml_hash16_of(&h->prev);
        one->head = ml_log_head_find(one->writer, h->lane, &prev);
        if (one->head == NULL) {
            err = cites_rebuild(log, &one->cites, one->prev.n);
        }
    }
    const struct ml_log_vec *before = one->head != NULL ? &one->head->cites : &one->cites;
    for (size_t i = 0; err == ML_OK && i < one->dep_count; i++) {
        const struct ml_dep *dep = &one->deps[i].dep;
        const struct ml_log_writer *w = ml_log_writer_find(log, &dep->writer);
        if (w != NULL && ml_log_is_tracked(h, dep)) {
            one->deps[i].before = ml_log_vec_get(before, ml_log_chain_index(w, dep->lane));
        }
    }
    return err;
}

/* ---- what is it worth? ---- */

static ml_err rule(struct ml_log *log, struct ml_log_one *one, ml_reason *why)
{
    const struct ml_header *h = &one->bundle.header;
    if (h->lane == ML_LANE_GOVERNANCE) {
        const struct ml_gov_in in = {.bundle = &one->bundle,
                                     .hash = one->hash,
                                     .n = log->tally.last_n + 1,
                                     .gvec = one->self.j.gvec,
                                     .frozen = ml_fork_is_beyond(&one->freeze, h->lane, h->seq)};
        return ml_gov_apply(log->gov, &one->ruling, why, &in);
    }
    const struct ml_log_ruled of = {.writer = one->writer,
                                    .freeze = &one->freeze,
                                    .gvec = one->self.j.gvec,
                                    .hash = one->hash,
                                    .seq = h->seq,
                                    .ops = h->n_ops,
                                    .lane = h->lane,
                                    .writes = ml_writes_of(h),
                                    .hlc = h->hlc};
    return ml_log_rule(log, &one->ruling, &of);
}

static ml_err shape(struct ml_log *log, struct ml_log_one *one, ml_reason *why)
{
    const struct ml_judge_in in = {.env = log->env,
                                   .org = &log->org,
                                   .header = &one->bundle.header,
                                   .prev = one->prev.n == 0 ? NULL : &one->prev.j,
                                   .deps = one->deps,
                                   .dep_count = one->dep_count};
    ml_err err = ml_judge_shape(&one->self.j, why, &in);
    if (err != ML_OK) {
        return err;
    }
    one->self.j.hash = one->hash;
    one->self.j.hlc = one->bundle.header.hlc;
    return ml_log_gvec_intern(log, &one->self.j.gvec, &one->self.gvec_row);
}

/* Before rows are written: nothing of the bundle is in memory or on disk but its vector and what
 * governance kept. */
static ml_err judge(struct ml_log *log, struct ml_log_one *one, ml_reason *why)
{
    ml_err err = find_before(log, one);
    if (err == ML_OK) {
        err = shape(log, one, why);
    }
    if (err == ML_OK) {
        err = ml_log_fork_check(log, one);
    }
    if (err == ML_OK) {
        err = rule(log, one, why);
    }
    return err;
}

static bool is_refusal(ml_err err)
{
    return err == ML_E_MALFORMED || err == ML_E_FORGED;
}

static void outcome_stored(struct ml_log *log, struct ml_log_outcome *o,
                           const struct ml_log_one *one)
{
    o->result = ML_LOG_STORED;
    o->verdict = one->ruling.verdict;
    o->reason = one->ruling.reason;
    o->n = one->self.n;
    o->looked_at = log->anew.looked_at;
    o->changed = log->anew.changed;
    log->again.judged += o->looked_at;
    log->again.changed += o->changed;
}

static ml_err queue(struct ml_log *log, struct ml_log_outcome *o, const struct ml_log_one *one,
                    const struct ml_log_wait *wait)
{
    bool stopped = false;
    ml_err err = ml_log_pending_put(log, &stopped, one, wait);
    o->result = stopped ? ML_LOG_STOPPED : ML_LOG_PENDING;
    o->reason = wait->reason;
    if (stopped) {
        o->err = ML_E_LIMIT;
        o->reason = one->writer == NULL ? ML_REASON_STORE_FULL : ML_REASON_LANE_FULL;
    }
    return err;
}

static void stop(struct ml_log_outcome *o)
{
    o->result = ML_LOG_STOPPED;
    o->err = ML_E_LIMIT;
    o->reason = ML_REASON_STORE_FULL;
}

/* What it brings for what is to be destroyed: a SHRED, what one waited for, another verdict. */
static ml_err shreds(struct ml_log *log, const struct ml_log_one *one)
{
    ml_err err = ML_OK;
    bool adopted = false;
    if (one->bundle.header.lane == ML_LANE_KEYS) {
        err = one->leaves.len > 0 ? ml_log_leaves_keep(log, &adopted, one->self.n, one)
                                  : ml_log_shreds_note(log, one->self.n, &one->hash);
    }
    return err == ML_OK && log->anew.changed > 0 ? ml_log_shreds_retry(log) : err;
}

/* All is here: judge and store. */
static ml_err settle(struct ml_log *log, struct ml_log_outcome *o, struct ml_log_one *one)
{
    static const struct ml_log_wait newer = {.reason = ML_REASON_WAITS_VERSION};
    ml_reason why = ML_REASON_NONE;
    if (ml_log_is_branch_too_many(log, one)) {
        stop(o);
        return ML_OK;
    }
    ml_err err = judge(log, one, &why);
    if (is_refusal(err)) {
        refuse(o, err, why);
        return ML_OK;
    }
    if (err != ML_OK) {
        return err;
    }
    if (one->ruling.verdict == ML_VERDICT_PENDING) {
        return queue(log, o, one, &newer);
    }
    if (ml_log_is_voice_too_many(log, one)) {
        ml_gov_undo(log->gov);
        stop(o);
        return ML_OK;
    }
    err = ml_log_put(log, one);
    if (err == ML_OK) {
        outcome_stored(log, o, one);
        err = shreds(log, one);
    }
    return err;
}

/* Decoded, and not here yet. */
static ml_err take(struct ml_log *log, struct ml_log_outcome *o, struct ml_log_one *one)
{
    struct ml_log_wait wait = {.reason = ML_REASON_NONE};
    ml_reason why = ML_REASON_NONE;
    bool has_key = false;
    if (one->bundle.header.lane == ML_LANE_GOVERNANCE && one->bundle.body.absent != 0) {
        o->result = ML_LOG_STOPPED; /* an honest peer may have lost it: another has it */
        o->err = ML_E_PENDING;
        o->reason = ML_REASON_NO_BODY;
        return ML_OK;
    }
    ml_err err = find_key(one, &has_key, &why);
    if (err == ML_OK && has_key) {
        why = check_signature(log, one);
        err = why == ML_REASON_NONE ? ML_OK : ML_E_FORGED;
    }
    if (err != ML_OK) {
        refuse(o, err, why);
        return ML_OK;
    }
    if (!has_key) {
        wait = (struct ml_log_wait){{.writer = one->bundle.header.writer, .seq = 1},
                                    ML_REASON_WAITS_WRITER};
        return queue(log, o, one, &wait);
    }
    err = find_cited(log, one, &wait);
    if (err != ML_OK) {
        return err;
    }
    return wait.reason == ML_REASON_NONE ? settle(log, o, one) : queue(log, o, one, &wait);
}

static bool is_strange_genesis(const struct ml_log *log, const struct ml_log_one *one)
{
    return (one->bundle.header.flags & ML_BUNDLE_FLAG_GENESIS) != 0 &&
           memcmp(one->hash.b, log->org.b, sizeof(log->org.b)) != 0;
}

/* Neither a peer's reason for an absent body nor a leaf in an op's place is evidence: both leave
 * root and signature as they were. Such a body is one that has not come, and is asked for until it
 * comes whole, or until a SHRED accounts for its leaves; else a relay could blank what it likes. */
static void doubt_body(struct ml_log_outcome *o, struct ml_log_one *one)
{
    struct ml_wire_body *body = &one->bundle.body;
    if (body->absent == 0 && ml_body_is_whole(body->bytes)) {
        return;
    }
    one->leaves = body->absent == 0 ? body->bytes : ml_slice(NULL, 0);
    *body = (struct ml_wire_body){.absent = ML_ABSENT_NOT_RECEIVED};
    one->wire_len = ml_log_wire_len(one->bundle.header_bytes.len, 0, true);
    o->bytes = one->wire_len;
}

static ml_err ingest_decoded(struct ml_log *log, struct ml_log_outcome *o, struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    doubt_body(o, one);
    one->hash = ml_bundle_hash(&one->bundle, &log->org);
    one->writer = ml_log_writer_find(log, &h->writer);
    o->id = place_of(one);
    o->prev = ml_hash16_of(&h->prev);
    if (is_strange_genesis(log, one)) {
        refuse(o, ML_E_FORGED, ML_REASON_GENESIS);
        return ML_OK;
    }
    ml_err err = find_same(log, o, one);
    if (err != ML_OK || o->result != ML_LOG_PENDING) {
        return err;
    }
    return take(log, o, one);
}

/* One bundle; *o says what became of it. */
static ml_err ingest_one(struct ingest *in, struct ml_log_outcome *o, struct ml_slice wire)
{
    struct ml_log_one *one = in->one;
    in->log->anew = (struct ml_log_anew){0};
    one->wire = wire;
    one->wire_len = (uint32_t)wire.len;
    o->result = ML_LOG_PENDING; /* until something else is known */
    o->bytes = (uint32_t)wire.len;
    ml_err err = ml_bundle_decode(&one->bundle, wire, NULL);
    if (err == ML_E_MALFORMED || err == ML_E_VERSION) {
        refuse(o, err, ML_REASON_FORMAT);
        err = ML_OK;
    } else if (err == ML_OK) {
        err = ingest_decoded(in->log, o, one);
    }
    if (err == ML_OK && o->result == ML_LOG_STORED) {
        err = grow(in->log->env, (void **)&in->settled, &in->settled_cap, in->settled_count,
                   sizeof(*in->settled));
        if (err == ML_OK) {
            in->settled[in->settled_count++] = o->id;
        }
    }
    one_clear(in->log, one);
    return err;
}

static ml_err outcome_add(struct ingest *in, const struct ml_log_outcome *o)
{
    ml_err err =
        grow(in->log->env, (void **)&in->outcomes, &in->cap, in->count, sizeof(*in->outcomes));
    if (err == ML_OK) {
        in->outcomes[in->count++] = *o;
    }
    return err;
}

/* One that had waited; only what settles is told. */
static ml_err ingest_again(struct ingest *in)
{
    struct ml_log_outcome o = {.index = ML_LOG_NO_INDEX};
    ml_err err = ingest_one(in, &o, ml_buf_slice(&in->wire));
    if (err == ML_OK && o.result == ML_LOG_REFUSED) {
        ml_logf(in->log->env, ML_LOG_WARN, "log", "a bundle that had waited is refused: %s",
                ml_reason_text(o.reason));
    }
    return err == ML_OK && o.result == ML_LOG_STORED ? outcome_add(in, &o) : err;
}

static ml_err wake_waiting(struct ingest *in)
{
    struct ml_log *log = in->log;
    ml_err err = ML_OK;
    while (err == ML_OK && in->settled_count > 0 && log->tally.pending > 0) {
        bool found = false;
        err = ml_log_pending_take(log, &found, &in->wire, &in->settled[in->settled_count - 1]);
        if (err == ML_OK && found) {
            err = ingest_again(in);
        } else {
            in->settled_count--;
        }
    }
    in->settled_count = 0;
    return err;
}

static ml_err ingest_init(struct ingest *in, struct ml_log *log)
{
    *in = (struct ingest){.log = log, .one = ml_alloc(log->env, sizeof(*in->one))};
    ml_buf_init(&in->wire, log->env, ML_BUNDLE_BYTES_MAX);
    return in->one != NULL ? ML_OK : ML_E_NOMEM;
}

static void ingest_free(struct ingest *in)
{
    const struct ml_env *env = in->log->env;
    ml_buf_free(&in->wire);
    ml_release(env, in->one);
    ml_release(env, in->outcomes);
    ml_release(env, in->settled);
}

static ml_err ingest_batch(struct ingest *in, const struct ml_slice *wires, size_t count)
{
    ml_err err = ML_OK;
    for (size_t i = 0; err == ML_OK && i < count; i++) {
        struct ml_log_outcome o = {.index = (uint32_t)i};
        err = ingest_one(in, &o, wires[i]);
        if (err == ML_OK) {
            err = outcome_add(in, &o);
        }
        if (err == ML_OK) {
            err = wake_waiting(in);
        }
    }
    return err;
}

ml_err ml_log_ingest(struct ml_log *log, const struct ml_slice *wires, size_t count,
                     ml_log_outcome_cb *each, void *user)
{
    struct ingest in;
    if (count > ML_LOG_BATCH_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    err = ingest_init(&in, log);
    if (err == ML_OK) {
        err = ingest_batch(&in, wires, count);
    }
    err = ml_log_done(log, err);
    for (size_t i = 0; err == ML_OK && i < in.count; i++) {
        each(user, &in.outcomes[i]);
    }
    ingest_free(&in);
    return err;
}

/* Each once: one that still waits is put back behind the others, and would come again for ever. */
ml_err ml_log_retry_newer(struct ml_log *log)
{
    struct ingest in;
    struct ml_log_counts counts;
    int64_t after = 0;
    bool found = true;
    ml_err err = ml_log_counts(log, &counts);
    if (err != ML_OK || counts.waits_version == 0) {
        return err;
    }
    err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    err = ingest_init(&in, log);
    for (uint64_t i = 0; err == ML_OK && found && i < counts.waits_version; i++) {
        err = ml_log_pending_newer(log, &found, &in.wire, &after);
        if (err == ML_OK && found) {
            err = ingest_again(&in);
        }
        if (err == ML_OK) {
            err = wake_waiting(&in);
        }
    }
    err = ml_log_done(log, err);
    ingest_free(&in);
    return err;
}
