/* core/store/log_range.c -- what exchanges ask: heads, digests, ranges, holes.
 *
 * A chain without branches is asked by numbers. One with branches is read whole (place and
 * predecessor of each bundle), and what lies on or below `after` is marked by walking down.
 */
#include <string.h>

#include "core/store/log_impl.h"

#define HEADS_MAX 65536u

/* ---- heads and digests ---- */

static ml_err heads_collect(struct ml_log *log, struct ml_dep **out, size_t *count)
{
    size_t total = 0;
    for (size_t i = 0; i < log->writer_count; i++) {
        for (size_t lane = 0; lane < ML_LANES; lane++) {
            total += log->writers[i]->chains[lane].count;
        }
    }
    struct ml_dep *heads = ml_alloc_array(log->env, total + 1, sizeof(*heads));
    if (heads == NULL) {
        return ML_E_NOMEM;
    }
    *count = 0;
    for (size_t at = 0; at < log->writer_count * ML_LANES; at++) {
        const struct ml_log_writer *w = log->writers[at / ML_LANES];
        const uint8_t lane = (uint8_t)(at % ML_LANES);
        for (size_t i = 0; i < w->chains[lane].count; i++) {
            const struct ml_judged *j = &w->chains[lane].heads[i]->known.j;
            heads[(*count)++] = (struct ml_dep){.writer = w->id,
                                                .lane = lane,
                                                .seq = j->own.seq[lane],
                                                .hash = ml_hash16_of(&j->hash)};
        }
    }
    ml_frontier_sort(heads, *count);
    *out = heads;
    return ML_OK;
}

ml_err ml_log_heads(struct ml_log *log, ml_log_head_cb *each, void *user)
{
    struct ml_dep *heads = NULL;
    size_t count = 0;
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) {
        err = heads_collect(log, &heads, &count);
    }
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = each(user, &heads[i]);
    }
    ml_release(log->env, heads);
    return err;
}

ml_err ml_log_holes(struct ml_log *log, ml_log_hole_cb *each, void *user)
{
    struct ml_stmt *s = log->st[ML_SQL_HOLES];
    ml_err err = ml_log_fresh(log);
    ml_stmt_reset(s);
    for (bool row = true; row && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_HOLES, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        struct ml_hole hole = {.reason = (uint8_t)ml_stmt_int(s, 4)};
        struct ml_slice wid = ml_stmt_blob(s, 0);
        struct ml_slice hash = ml_stmt_blob(s, 3);
        if (wid.len != 16 || hash.len != 32) {
            err = ml_log_corrupt(log);
            continue;
        }
        memcpy(hole.bundle.writer.b, wid.data, 16);
        memcpy(hole.bundle.hash.b, hash.data, 16);
        hole.bundle.lane = (uint8_t)ml_stmt_int(s, 1);
        hole.bundle.seq = (uint32_t)ml_stmt_int(s, 2);
        err = each(user, &hole);
    }
    ml_stmt_reset(s);
    return err;
}

static ml_err hole_append(void *user, const struct ml_hole *hole)
{
    struct ml_buf *holes = user;
    if (hole->bundle.lane != ML_LANE_TRACE) {
        ml_buf_append(holes, hole, sizeof(*hole));
    }
    return holes->err;
}

ml_err ml_log_digest(struct ml_log *log, struct ml_frontier_digest *out)
{
    struct ml_dep *heads = NULL;
    struct ml_buf holes;
    size_t count = 0;
    size_t kept = 0;
    ml_buf_init(&holes, log->env, SIZE_MAX / 2);
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) {
        err = heads_collect(log, &heads, &count);
    }
    if (err == ML_OK) {
        err = ml_log_holes(log, hole_append, &holes);
    }
    for (size_t i = 0; i < count; i++) {
        if (heads[i].lane != ML_LANE_TRACE) {
            heads[kept++] = heads[i];
        }
    }
    if (err == ML_OK) {
        *out = ml_frontier_digest(heads, kept, (const void *)holes.data,
                                  holes.len / sizeof(struct ml_hole));
    }
    ml_buf_free(&holes);
    ml_release(log->env, heads);
    return err;
}

/* ---- ranges ---- */

struct row {
    uint64_t n;
    uint64_t prev;
    struct ml_hash16 hash;
    uint32_t bytes;
    bool skip;
};

/* Where one range stands: by numbers, or along the marked rows of a forked chain. */
struct cursor {
    const struct ml_log_range *range;
    const struct ml_log_writer *writer; /* NULL: nothing is stored of it */
    struct row *rows;                   /* owned; of a forked chain */
    size_t row_count;
    size_t row_at;
    uint32_t seq; /* the last one given */
    uint64_t n;   /* the next one; 0: none left */
};

static ml_err rows_load(struct ml_log *log, struct cursor *cur)
{
    struct ml_stmt *s = log->st[ML_SQL_CHAIN_ROWS];
    struct ml_buf rows;
    ml_err err = ML_OK;
    ml_buf_init(&rows, log->env, SIZE_MAX / 2);
    ml_stmt_bind_int(s, 1, cur->writer->index + 1);
    ml_stmt_bind_int(s, 2, cur->range->lane);
    ml_stmt_bind_int(s, 3, cur->range->to);
    for (bool more = true; more && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_CHAIN_ROWS, &more);
        if (err != ML_OK || !more) {
            continue;
        }
        struct row r = {.n = (uint64_t)ml_stmt_int(s, 0),
                        .prev = (uint64_t)ml_stmt_int(s, 1),
                        .bytes = (uint32_t)ml_stmt_int(s, 2)};
        struct ml_slice hash = ml_stmt_blob(s, 3);
        if (hash.len == 32) {
            memcpy(r.hash.b, hash.data, sizeof(r.hash.b));
        }
        ml_buf_append(&rows, &r, sizeof(r));
        err = rows.err;
    }
    ml_stmt_reset(s);
    cur->rows = (void *)rows.data;
    cur->row_count = rows.len / sizeof(struct row);
    return err;
}

static bool row_is_after(const struct cursor *cur, const struct row *r)
{
    for (size_t k = 0; k < cur->range->after_count; k++) {
        if (memcmp(r->hash.b, cur->range->after[k].hash.b, sizeof(r->hash.b)) == 0) {
            return true;
        }
    }
    return false;
}

static void row_skip(struct cursor *cur, uint64_t n, size_t below)
{
    for (size_t k = below; k > 0; k--) {
        if (cur->rows[k - 1].n == n) {
            cur->rows[k - 1].skip = true;
            return;
        }
    }
}

/* Rows ascend by n, and a predecessor has a smaller one: one pass down marks all that is below. */
static void rows_mark(struct cursor *cur)
{
    for (size_t i = cur->row_count; i > 0; i--) {
        struct row *r = &cur->rows[i - 1];
        r->skip = r->skip || row_is_after(cur, r);
        if (r->skip) {
            row_skip(cur, r->prev, i - 1);
        }
    }
}

/* The highest of `after` that is stored: all up to it is known to whoever asks. */
static ml_err numbers_start(struct ml_log *log, struct cursor *cur)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < cur->range->after_count && err == ML_OK; i++) {
        struct ml_log_known known = {0};
        const struct ml_dep *dep = &cur->range->after[i];
        bool found = false;
        if (dep->seq > cur->seq) {
            err = ml_log_known_find(log, &known, &found, dep);
            cur->seq = found ? dep->seq : cur->seq;
            ml_log_known_free(&known);
        }
    }
    return err;
}

static ml_err numbers_next(struct ml_log *log, struct cursor *cur)
{
    struct ml_stmt *s = log->st[ML_SQL_PLACE];
    bool found = false;
    cur->n = 0;
    if (cur->seq >= cur->range->to) {
        return ML_OK;
    }
    cur->seq++;
    ml_stmt_bind_int(s, 1, cur->writer->index + 1);
    ml_stmt_bind_int(s, 2, cur->range->lane);
    ml_stmt_bind_int(s, 3, cur->seq);
    ml_err err = ml_log_row(log, ML_SQL_PLACE, &found);
    if (err == ML_OK && found) {
        cur->n = (uint64_t)ml_stmt_int(s, 0);
    }
    ml_stmt_reset(s);
    return err;
}

static ml_err cursor_next(struct ml_log *log, struct cursor *cur)
{
    if (cur->writer == NULL) {
        return ML_OK;
    }
    if (cur->rows == NULL) {
        return numbers_next(log, cur);
    }
    while (cur->row_at < cur->row_count && cur->rows[cur->row_at].skip) {
        cur->row_at++;
    }
    cur->n = cur->row_at < cur->row_count ? cur->rows[cur->row_at++].n : 0;
    return ML_OK;
}

/* By numbers, or by rows: those of a forked chain are never NULL, there are at least two heads. */
static ml_err cursor_open(struct ml_log *log, struct cursor *cur, const struct ml_log_range *range)
{
    *cur = (struct cursor){.range = range};
    if (range->lane >= ML_LANES) {
        return ML_E_INVALID;
    }
    cur->writer = ml_log_writer_find(log, &range->writer);
    if (cur->writer == NULL) {
        return ML_OK;
    }
    if (cur->writer->chains[range->lane].count <= 1) {
        return numbers_start(log, cur);
    }
    ml_err err = rows_load(log, cur);
    rows_mark(cur);
    return err;
}

static void cursor_close(struct ml_log *log, struct cursor *cur)
{
    ml_release(log->env, cur->rows);
    cur->rows = NULL;
}

static ml_err measure_numbers(struct ml_log *log, const struct cursor *cur,
                              struct ml_log_measure *sum)
{
    struct ml_stmt *s = log->st[ML_SQL_MEASURE];
    bool row = false;
    ml_stmt_bind_int(s, 1, cur->writer->index + 1);
    ml_stmt_bind_int(s, 2, cur->range->lane);
    ml_stmt_bind_int(s, 3, cur->seq);
    ml_stmt_bind_int(s, 4, cur->range->to);
    ml_err err = ml_log_row(log, ML_SQL_MEASURE, &row);
    if (err == ML_OK && row) {
        sum->bundles += (uint32_t)ml_stmt_int(s, 0);
        sum->bytes += (uint64_t)ml_stmt_int(s, 1);
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_measure(struct ml_log *log, const struct ml_log_range *ranges, size_t count,
                      struct ml_log_measure lanes[ML_LANES])
{
    ml_err err = ml_log_fresh(log);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        struct cursor cur;
        err = cursor_open(log, &cur, &ranges[i]);
        if (err == ML_OK && cur.writer != NULL && cur.rows == NULL) {
            err = measure_numbers(log, &cur, &lanes[ranges[i].lane]);
        }
        for (size_t k = 0; cur.rows != NULL && k < cur.row_count && err == ML_OK; k++) {
            lanes[ranges[i].lane].bundles += !cur.rows[k].skip;
            lanes[ranges[i].lane].bytes += cur.rows[k].skip ? 0 : cur.rows[k].bytes;
        }
        cursor_close(log, &cur);
    }
    return err;
}

static struct cursor *cursor_first(struct cursor *cursors, size_t count)
{
    struct cursor *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (cursors[i].n != 0 && (first == NULL || cursors[i].n < first->n)) {
            first = &cursors[i];
        }
    }
    return first;
}

static ml_err load_merged(struct ml_log *log, struct cursor *cursors, size_t count,
                          ml_log_entry_cb *each, void *user)
{
    ml_err err = ML_OK;
    for (;;) {
        struct cursor *cur = cursor_first(cursors, count);
        struct ml_log_entry entry;
        if (cur == NULL || err != ML_OK) {
            break;
        }
        err = ml_log_entry_of(log, &entry, cur->n);
        if (err == ML_OK) {
            err = each(user, &entry);
        }
        if (err == ML_OK) {
            err = cursor_next(log, cur);
        }
    }
    ml_log_entry_done(log);
    return err == ML_E_CANCELED ? ML_OK : err;
}

ml_err ml_log_load(struct ml_log *log, const struct ml_log_range *ranges, size_t count,
                   ml_log_entry_cb *each, void *user)
{
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK || count == 0) {
        return err;
    }
    struct cursor *cursors = ml_alloc_array(log->env, count, sizeof(*cursors));
    if (cursors == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = cursor_open(log, &cursors[i], &ranges[i]);
        if (err == ML_OK) {
            err = cursor_next(log, &cursors[i]);
        }
    }
    if (err == ML_OK) {
        err = load_merged(log, cursors, count, each, user);
    }
    for (size_t i = 0; i < count; i++) {
        cursor_close(log, &cursors[i]);
    }
    ml_release(log->env, cursors);
    return err;
}
