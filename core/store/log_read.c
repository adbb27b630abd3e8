/* core/store/log_read.c -- reading bundles back. Slices of an entry live in SQLite's row, which is
 * given back by the next call on the log. */
#include <string.h>

#include "core/store/log_impl.h"

void ml_log_entry_done(struct ml_log *log)
{
    ml_stmt_reset(log->st[ML_SQL_ENTRY]);
    ml_stmt_reset(log->st[ML_SQL_ENTRY_AFTER]);
    ml_stmt_reset(log->st[ML_SQL_ENTRY_LEFT_OUT]);
    ml_stmt_reset(log->st[ML_SQL_BODY]);
    ml_stmt_reset(log->st[ML_SQL_FILL]);
    ml_stmt_reset(log->st[ML_SQL_HOLE]);
    ml_stmt_reset(log->st[ML_SQL_CHUNK_BODY]);
}

ml_err ml_log_body_read(struct ml_log *log, struct ml_log_entry *out, int64_t flags)
{
    enum ml_log_sql sql = flags & ML_LOG_FILLED ? ML_SQL_FILL : ML_SQL_BODY;
    bool found = false;
    if (flags & ML_LOG_HOLE) {
        sql = ML_SQL_HOLE;
    }
    struct ml_stmt *s = log->st[sql];
    ml_stmt_bind_int(s, 1, (int64_t)out->n);
    ml_err err = ml_log_row(log, sql, &found);
    if (err != ML_OK || !found) {
        return err != ML_OK ? err : ml_log_corrupt(log);
    }
    if (sql == ML_SQL_HOLE) {
        out->body = (struct ml_wire_body){.absent = (uint8_t)ml_stmt_int(s, 0)};
    } else {
        out->body = (struct ml_wire_body){.bytes = ml_stmt_blob(s, 0)};
    }
    return ML_OK;
}

ml_err ml_log_header_read(struct ml_log *log, struct ml_log_entry *out, int64_t *flags,
                          enum ml_log_sql sql)
{
    struct ml_stmt *s = log->st[sql];
    struct ml_log_entry e = {.n = (uint64_t)ml_stmt_int(s, 0),
                             .verdict = (ml_verdict)ml_stmt_int(s, 2),
                             .reason = (ml_reason)ml_stmt_int(s, 3),
                             .bytes = (uint32_t)ml_stmt_int(s, 4),
                             .header_bytes = ml_stmt_blob(s, 6)};
    struct ml_slice hash = ml_stmt_blob(s, 1);
    struct ml_slice sig = ml_stmt_blob(s, 7);
    if (hash.len != sizeof(e.hash.b) || sig.len != sizeof(e.sig.b) ||
        ml_header_decode(&e.header, e.header_bytes, NULL) != ML_OK) {
        return ml_log_corrupt(log);
    }
    memcpy(e.hash.b, hash.data, hash.len);
    memcpy(e.sig.b, sig.data, sig.len);
    *flags = ml_stmt_int(s, 5);
    *out = e;
    return ML_OK;
}

ml_err ml_log_header_of(struct ml_log *log, struct ml_log_entry *out, int64_t *flags, uint64_t n)
{
    bool found = false;
    ml_log_entry_done(log);
    ml_stmt_bind_int(log->st[ML_SQL_ENTRY], 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_ENTRY, &found);
    if (err != ML_OK || !found) {
        return err != ML_OK ? err : ML_E_NOT_FOUND;
    }
    return ml_log_header_read(log, out, flags, ML_SQL_ENTRY);
}

ml_err ml_log_entry_read(struct ml_log *log, struct ml_log_entry *out, enum ml_log_sql sql)
{
    struct ml_log_entry e;
    int64_t flags = 0;
    ml_err err = ml_log_header_read(log, &e, &flags, sql);
    if (err == ML_OK) {
        err = ml_log_body_read(log, &e, flags);
    }
    if (err == ML_OK) {
        *out = e;
    }
    return err;
}

ml_err ml_log_entry_of(struct ml_log *log, struct ml_log_entry *out, uint64_t n)
{
    struct ml_log_entry e;
    int64_t flags = 0;
    ml_err err = ml_log_header_of(log, &e, &flags, n);
    if (err == ML_OK) {
        err = ml_log_body_read(log, &e, flags);
    }
    if (err == ML_OK) {
        *out = e;
    }
    return err;
}

ml_err ml_log_after(struct ml_log *log, uint64_t after, unsigned lanes, struct ml_log_entry *out)
{
    struct ml_stmt *s = log->st[ML_SQL_ENTRY_AFTER];
    bool found = false;
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK) {
        return err;
    }
    ml_log_entry_done(log);
    if (after >= log->tally.last_n) {
        return ML_E_NOT_FOUND;
    }
    ml_stmt_bind_int(s, 1, (int64_t)after);
    ml_stmt_bind_int(s, 2, lanes);
    err = ml_log_row(log, ML_SQL_ENTRY_AFTER, &found);
    if (err != ML_OK || !found) {
        return err != ML_OK ? err : ML_E_NOT_FOUND;
    }
    return ml_log_entry_read(log, out, ML_SQL_ENTRY_AFTER);
}

ml_err ml_log_left_out(struct ml_log *log, uint64_t after, uint8_t lane, struct ml_log_entry *out)
{
    struct ml_stmt *s = log->st[ML_SQL_ENTRY_LEFT_OUT];
    bool found = false;
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK) {
        return err;
    }
    ml_log_entry_done(log);
    ml_stmt_bind_int(s, 1, (int64_t)after);
    ml_stmt_bind_int(s, 2, lane);
    err = ml_log_row(log, ML_SQL_ENTRY_LEFT_OUT, &found);
    if (err != ML_OK || !found) {
        return err != ML_OK ? err : ML_E_NOT_FOUND;
    }
    return ml_log_entry_read(log, out, ML_SQL_ENTRY_LEFT_OUT);
}

static ml_err known_of(struct ml_log *log, const struct ml_log_entry *entry,
                       struct ml_log_known *known)
{
    struct ml_stmt *s = log->st[ML_SQL_KNOWN];
    bool found = false;
    ml_stmt_bind_int(s, 1, (int64_t)entry->n);
    ml_err err = ml_log_row(log, ML_SQL_KNOWN, &found);
    if (err == ML_OK) {
        err = found ? ml_log_known_read(log, known, s) : ML_E_CORRUPT;
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_leads(struct ml_log *log, const struct ml_log_entry *entry, bool *leads)
{
    struct ml_log_known known = {0};
    *leads = false;
    if (entry->verdict != ML_VERDICT_ACCEPTED) {
        return ML_OK;
    }
    ml_err err = known_of(log, entry, &known);
    if (err == ML_OK) {
        err = ml_gov_leads_at(log->gov, leads, &entry->header.writer, known.j.gvec);
    }
    ml_log_known_free(&known);
    return err;
}

ml_err ml_log_epoch_fits(struct ml_log *log, const struct ml_log_entry *entry,
                         const struct ml_kek_epoch *epoch, bool *fits)
{
    struct ml_log_known known = {0};
    *fits = false;
    if (entry->verdict != ML_VERDICT_ACCEPTED) {
        return ML_OK;
    }
    ml_err err = known_of(log, entry, &known);
    if (err == ML_OK) {
        const struct ml_gov_epoch_in in = {.gvec = known.j.gvec,
                                           .writer = entry->header.writer,
                                           .hlc = entry->header.hlc,
                                           .epoch = epoch};
        err = ml_gov_epoch_fits(log->gov, fits, &in);
    }
    ml_log_known_free(&known);
    return err;
}

/* The index holds the hash's first 8 bytes; what shares them is told apart here. */
ml_err ml_log_find_hash(struct ml_log *log, uint64_t *n, const struct ml_hash16 *hash)
{
    struct ml_stmt *s = log->st[ML_SQL_BY_KEY];
    ml_err err = ML_OK;
    *n = 0;
    ml_stmt_bind_int(s, 1, (int64_t)ml_get_u64be(hash->b));
    for (bool row = true; row && *n == 0 && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_BY_KEY, &row);
        struct ml_slice full = err == ML_OK && row ? ml_stmt_blob(s, 1) : ml_slice(NULL, 0);
        if (full.len == 32 && memcmp(full.data, hash->b, sizeof(hash->b)) == 0) {
            *n = (uint64_t)ml_stmt_int(s, 0);
        }
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_get(struct ml_log *log, const struct ml_hash16 *hash, struct ml_log_entry *out)
{
    uint64_t n = 0;
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) {
        err = ml_log_find_hash(log, &n, hash);
    }
    if (err != ML_OK || n == 0) {
        return err != ML_OK ? err : ML_E_NOT_FOUND;
    }
    return ml_log_entry_of(log, out, n);
}

/* One step down a branch. */
static ml_err link_read(struct ml_log *log, uint64_t n, uint64_t *prev, uint32_t *seq,
                        struct ml_hash16 *hash)
{
    struct ml_stmt *s = log->st[ML_SQL_LINK];
    bool found = false;
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_LINK, &found);
    struct ml_slice full = err == ML_OK && found ? ml_stmt_blob(s, 3) : ml_slice(NULL, 0);
    if (err == ML_OK && full.len == 32) {
        *prev = (uint64_t)ml_stmt_int(s, 0);
        *seq = (uint32_t)ml_stmt_int(s, 2);
        memcpy(hash->b, full.data, sizeof(hash->b));
    }
    ml_stmt_reset(s);
    return err == ML_OK && full.len != 32 ? ml_log_corrupt(log) : err;
}

/* A chain without branches has one bundle in each place. */
static ml_err below_unforked(struct ml_log *log, const struct ml_log_writer *w,
                             const struct ml_dep *head, uint32_t seq, struct ml_hash16 *hash)
{
    struct ml_stmt *s = log->st[ML_SQL_PLACE];
    bool found = false;
    ml_stmt_bind_int(s, 1, w->index + 1);
    ml_stmt_bind_int(s, 2, head->lane);
    ml_stmt_bind_int(s, 3, seq);
    ml_err err = ml_log_row(log, ML_SQL_PLACE, &found);
    struct ml_slice full = err == ML_OK && found ? ml_stmt_blob(s, 1) : ml_slice(NULL, 0);
    if (full.len == 32) {
        memcpy(hash->b, full.data, sizeof(hash->b));
    }
    ml_stmt_reset(s);
    return err == ML_OK && full.len != 32 ? ml_log_corrupt(log) : err;
}

ml_err ml_log_below(struct ml_log *log, const struct ml_dep *head, uint32_t seq,
                    struct ml_hash16 *hash)
{
    struct ml_log_known known = {0};
    bool found = false;
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) {
        err = ml_log_known_find(log, &known, &found, head);
    }
    uint64_t n = known.n;
    ml_log_known_free(&known);
    if (err != ML_OK || !found || seq == 0 || seq >= head->seq) {
        return err != ML_OK ? err : ML_E_NOT_FOUND;
    }
    const struct ml_log_writer *w = ml_log_writer_find(log, &head->writer);
    if (w->chains[head->lane].count == 1) {
        return below_unforked(log, w, head, seq, hash);
    }
    struct ml_hash16 at_hash = {{0}};
    uint32_t at = head->seq;
    while (err == ML_OK && n != 0 && at != seq) {
        uint64_t prev = 0;
        err = link_read(log, n, &prev, &at, &at_hash);
        n = prev;
    }
    if (err == ML_OK && at != seq) {
        err = ml_log_corrupt(log);
    }
    if (err == ML_OK) {
        *hash = at_hash;
    }
    return err;
}
