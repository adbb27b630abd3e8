/* core/store/log_put.c -- a judged bundle becomes rows, and moves the heads. See log_ingest.c. */
#include <string.h>

#include "core/base/hlc.h"
#include "core/store/log_impl.h"

static size_t bin_len(size_t len)
{
    if (len > UINT16_MAX) {
        return len + 5;
    }
    return len > UINT8_MAX ? len + 3 : len + 2;
}

uint32_t ml_log_wire_len(size_t header_len, size_t body_len, bool absent)
{
    size_t len = 1 + bin_len(header_len) + bin_len(ML_SIGN_BYTES);
    return (uint32_t)(len + (absent ? 1 : bin_len(body_len)));
}

bool ml_log_is_tracked(const struct ml_header *header, const struct ml_dep *dep)
{
    return ml_judge_waits(header->lane, dep->lane) ||
           memcmp(header->writer.b, dep->writer.b, sizeof(dep->writer.b)) == 0;
}

ml_err ml_log_cites_add(struct ml_log *log, struct ml_log_vec *cites,
                        const struct ml_header *header)
{
    struct ml_list_walk walk;
    struct ml_dep dep;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &header->deps);
    while (err == ML_OK && ml_dep_next(&walk, &dep)) {
        const struct ml_log_writer *w = ml_log_writer_find(log, &dep.writer);
        if (w != NULL && ml_log_is_tracked(header, &dep)) {
            err = ml_log_vec_raise(log->env, cites, ml_log_chain_index(w, dep.lane), dep.seq);
        }
    }
    return err;
}

/* ---- rows ---- */

/* Most bundles are near the median as it was computed last; only what isn't is looked at closer. */
static bool is_ahead(struct ml_log *log, const struct ml_log_one *one)
{
    if (one->self.j.hlc <= log->tally.hlc || !ml_hlc_is_ahead(one->self.j.hlc, log->median_ms)) {
        return false;
    }
    log->median_ms = ml_log_median_ms(log);
    return ml_hlc_is_ahead(one->self.j.hlc, log->median_ms);
}

static int note_clock(struct ml_log *log, const struct ml_log_one *one)
{
    uint64_t hlc = one->self.j.hlc;
    uint64_t ms = ml_hlc_ms(hlc);
    if (is_ahead(log, one)) {
        return ML_LOG_AHEAD;
    }
    log->tally.hlc = hlc > log->tally.hlc ? hlc : log->tally.hlc;
    one->writer->hlc_ms = ms > one->writer->hlc_ms ? ms : one->writer->hlc_ms;
    return 0;
}

static ml_err put_row(struct ml_log *log, const struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    struct ml_stmt *s = log->st[ML_SQL_BUNDLE_PUT];
    uint8_t own[ML_LOG_OWN_BYTES];
    int flags = note_clock(log, one) | (one->bundle.body.absent != 0 ? ML_LOG_HOLE : 0);
    ml_log_own_encode(own, &one->self.j.own);
    const int64_t numbers[] = {(int64_t)one->self.n,
                               one->writer->index + 1,
                               h->lane,
                               h->seq,
                               (int64_t)one->prev.n,
                               one->ruling.verdict,
                               one->ruling.reason,
                               flags,
                               h->n_ops,
                               one->wire_len,
                               (int64_t)h->hlc,
                               (int64_t)ml_get_u64be(one->hash.b),
                               one->self.gvec_row};
    const int count = (int)(sizeof(numbers) / sizeof(numbers[0]));
    for (int i = 0; i < count; i++) {
        ml_stmt_bind_int(s, i + 1, numbers[i]);
    }
    ml_stmt_bind_blob(s, count + 1, one->hash.b, sizeof(one->hash.b));
    ml_stmt_bind_blob(s, count + 2, own, sizeof(own));
    ml_stmt_bind_blob(s, count + 3, one->bundle.sig.b, sizeof(one->bundle.sig.b));
    ml_stmt_bind_blob(s, count + 4, one->bundle.header_bytes.data, one->bundle.header_bytes.len);
    return ml_stmt_run(s);
}

static ml_err put_body(struct ml_log *log, const struct ml_log_one *one)
{
    const struct ml_wire_body *body = &one->bundle.body;
    struct ml_stmt *s = log->st[body->absent == 0 ? ML_SQL_BODY_PUT : ML_SQL_HOLE_PUT];
    ml_stmt_bind_int(s, 1, (int64_t)one->self.n);
    if (body->absent == 0) {
        ml_stmt_bind_blob(s, 2, body->bytes.data, body->bytes.len);
    } else {
        ml_stmt_bind_int(s, 2, body->absent);
    }
    ml_err err = ml_stmt_run(s);
    bool names = body->absent == 0 && one->bundle.header.lane == ML_LANE_BLOB;
    return err == ML_OK && names ? ml_log_chunks_note(log, body->bytes) : err;
}

/* ---- heads ---- */

static ml_err closure_add(struct ml_log *log, struct ml_log_vec *closure,
                          const struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    ml_err err =
        ml_log_vec_raise(log->env, closure, ml_log_chain_index(one->writer, h->lane), h->seq);
    for (size_t i = 0; err == ML_OK && i < one->dep_count; i++) {
        const struct ml_dep *dep = &one->deps[i].dep;
        if (one->deps[i].known == NULL) {
            continue; /* not waited for: whoever has this bundle may lack that one */
        }
        const struct ml_log_writer *w = ml_log_writer_find(log, &dep->writer);
        const struct ml_log_head *head = ml_log_head_find(w, dep->lane, &dep->hash);
        err = ml_log_vec_raise(log->env, closure, ml_log_chain_index(w, dep->lane), dep->seq);
        if (err == ML_OK && head != NULL) {
            err = ml_log_vec_join(log->env, closure, &head->closure);
        }
    }
    return err;
}

static ml_err move_head(struct ml_log *log, struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    struct ml_log_head *head = one->head;
    ml_err err = ML_OK;
    if (head == NULL) {
        err = ml_log_head_add(log, &head, &one->writer->chains[h->lane]);
        if (err != ML_OK) {
            return err;
        }
        head->cites = one->cites;
        one->cites = (struct ml_log_vec){0};
        err = ml_log_vec_join(log->env, &head->closure, &head->cites);
    }
    if (err == ML_OK) {
        err = ml_log_cites_add(log, &head->cites, h);
    }
    if (err == ML_OK) {
        err = closure_add(log, &head->closure, one);
    }
    ml_log_known_free(&head->known);
    head->known = one->self;
    (void)ml_gvec_ref(head->known.j.gvec);
    head->dirty = true;
    return err;
}

/* ---- the whole ---- */

static ml_err put_writer(struct ml_log *log, struct ml_log_one *one)
{
    struct ml_log_writer *w = one->writer;
    if (w == NULL) {
        ml_err err = ml_log_writer_add(log, &w, &one->bundle.header.writer);
        if (err != ML_OK) {
            return err;
        }
        one->writer = w;
    }
    if (w->has_pk && !one->refrozen) {
        return ML_OK;
    }
    w->pk = one->pk;
    w->has_pk = true;
    w->freeze = one->freeze;
    w->frozen = w->frozen || one->refrozen;
    return ml_log_writer_save(log, w);
}

static void count_in(struct ml_log *log, const struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    log->tally.bundles++;
    log->tally.ops += h->lane == ML_LANE_RECORD ? h->n_ops : 0;
    log->tally.quarantined += one->ruling.verdict == ML_VERDICT_QUARANTINED;
}

ml_err ml_log_put(struct ml_log *log, struct ml_log_one *one)
{
    ml_err err = put_writer(log, one);
    one->self.n = log->tally.last_n + 1;
    if (err == ML_OK) {
        err = put_row(log, one);
    }
    if (err == ML_OK) {
        err = put_body(log, one);
    }
    if (err == ML_OK) {
        err = ml_log_past_add(log, one->self.n, &one->hash);
    }
    if (err == ML_OK) {
        err = move_head(log, one);
    }
    if (err != ML_OK) {
        return err;
    }
    log->tally.last_n = one->self.n;
    count_in(log, one);
    return ml_log_judge_others(log, one);
}

/* ---- bodies that come later, or go ---- */

static ml_err set_flags(struct ml_log *log, uint64_t n, int64_t flags, uint32_t bytes)
{
    struct ml_stmt *s = log->st[ML_SQL_FLAGS_SET];
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_stmt_bind_int(s, 2, flags);
    ml_stmt_bind_int(s, 3, bytes);
    return ml_stmt_run(s);
}

/* Flags of a bundle, and the length of its header. */
static ml_err read_flags(struct ml_log *log, uint64_t n, int64_t *flags, size_t *header_len)
{
    struct ml_stmt *s = log->st[ML_SQL_ENTRY];
    bool found = false;
    ml_log_entry_done(log);
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_ENTRY, &found);
    if (err == ML_OK && !found) {
        err = ML_E_NOT_FOUND;
    }
    if (err == ML_OK) {
        *flags = ml_stmt_int(s, 5);
        *header_len = ml_stmt_blob(s, 6).len;
    }
    ml_stmt_reset(s);
    return err;
}

static ml_err hole_reason(struct ml_log *log, uint64_t n, int64_t *reason)
{
    bool found = false;
    ml_stmt_bind_int(log->st[ML_SQL_HOLE], 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_HOLE, &found);
    *reason = err == ML_OK && found ? ml_stmt_int(log->st[ML_SQL_HOLE], 0) : 0;
    ml_stmt_reset(log->st[ML_SQL_HOLE]);
    return err;
}

ml_err ml_log_body_set(struct ml_log *log, uint64_t n, int64_t flags, struct ml_slice body,
                       uint32_t bytes)
{
    struct ml_stmt *s = log->st[flags & ML_LOG_FILLED ? ML_SQL_FILL_PUT : ML_SQL_BODY_SET];
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_stmt_bind_blob(s, 2, body.data, body.len);
    ml_err err = ml_stmt_run(s);
    return err == ML_OK ? set_flags(log, n, flags, bytes) : err;
}

ml_err ml_log_body_come(struct ml_log *log, uint64_t n, int64_t flags, struct ml_slice body,
                        uint32_t bytes)
{
    const int64_t now = (flags & ~(int64_t)ML_LOG_HOLE) | ML_LOG_FILLED;
    ml_err err = ml_log_body_set(log, n, now, body, bytes);
    if (err == ML_OK) {
        ml_stmt_bind_int(log->st[ML_SQL_HOLE_DELETE], 1, (int64_t)n);
        err = ml_stmt_run(log->st[ML_SQL_HOLE_DELETE]);
    }
    ml_log_epoch_turn(log, n, body);
    return err;
}

static ml_err fill(struct ml_log *log, uint64_t n, int64_t flags, const struct ml_log_one *one)
{
    const uint8_t lane = one->bundle.header.lane;
    const struct ml_slice body = one->bundle.body.bytes;
    ml_err err = ml_log_body_come(log, n, flags, body, one->wire_len);
    if (err == ML_OK && lane == ML_LANE_GOVERNANCE) {
        const struct ml_log_since since = {.before = NULL};
        err = ml_log_gov_replay(log);
        err = err == ML_OK ? ml_log_judge_anew(log, &since) : err;
    }
    if (err == ML_OK && lane == ML_LANE_BLOB) {
        err = ml_log_chunks_note(log, body);
    }
    return err == ML_OK && lane == ML_LANE_KEYS ? ml_log_shreds_note(log, n, &one->hash) : err;
}

ml_err ml_log_body_fill(struct ml_log *log, bool *filled, uint64_t n, const struct ml_log_one *one)
{
    int64_t flags = 0;
    int64_t reason = 0;
    size_t header_len = 0;
    ml_err err = read_flags(log, n, &flags, &header_len);
    if (err != ML_OK || (flags & ML_LOG_HOLE) == 0) {
        return err;
    }
    err = hole_reason(log, n, &reason);
    bool wanted = reason == ML_ABSENT_NOT_RECEIVED || reason == ML_ABSENT_NO_KEY;
    if (err != ML_OK || !wanted) {
        return err;
    }
    struct ml_hash root = ml_body_root(one->bundle.body.bytes);
    if (memcmp(root.b, one->bundle.header.body_root.b, sizeof(root.b)) != 0) {
        return ML_OK; /* some other body: the hole stays */
    }
    err = fill(log, n, flags, one);
    *filled = err == ML_OK;
    return err;
}
