/* core/store/log_verify.c -- proves the log again from its bytes.
 *
 * Happy path: SQLite reads every page -> each bundle by ingest number: header hashed, signature
 * checked, predecessor and citations found, body compared with its root, verdict compared with the
 * one derived -> counts compared -> each chunk hashed. Failures don't end the walk: each is named,
 * and what can be fetched again is marked: a body that isn't its header's becomes a hole (not
 * received), so that the next exchange asks for it. An error means that it could not be told.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/manifest.h"
#include "core/store/log_impl.h"

struct verify {
    struct ml_log *log;
    ml_log_problem_cb *problem;
    void *user;
    uint64_t n;
    bool unlisted; /* it names chunks that aren't listed */
    struct ml_log_tally found;
    uint64_t rolled; /* numbers of which found.past is the past: all up to one that can't be read */
};

static void tell(struct verify *v, const struct ml_header *h, const char *what)
{
    char text[200];
    if (h != NULL) {
        char writer[ML_ID_HEX_SIZE];
        ml_hex_encode(writer, h->writer.b, sizeof(h->writer.b));
        snprintf(text, sizeof(text), "bundle %llu (writer %s, lane %u, seq %u): %s",
                 (unsigned long long)v->n, writer, h->lane, h->seq, what);
    } else {
        snprintf(text, sizeof(text), "bundle %llu: %s", (unsigned long long)v->n, what);
    }
    v->problem(v->user, text);
}

/* What damage of the file looks like; anything else could not be told. A sector that can't be read
 * counts too: the rebuild reads it once more before it is lost. */
static bool is_damage(ml_err err)
{
    return err == ML_E_CORRUPT || err == ML_E_IO || err == ML_E_MALFORMED;
}

static void check_signature(struct verify *v, const struct ml_bundle *b, const struct ml_hash *hash)
{
    const struct ml_log_writer *w = ml_log_writer_find(v->log, &b->header.writer);
    struct ml_hash real = ml_bundle_hash(b, &v->log->org);
    if (memcmp(real.b, hash->b, sizeof(real.b)) != 0) {
        tell(v, &b->header, "its header is not what was signed");
    } else if (w == NULL || !w->has_pk ||
               ml_bundle_verify_header(b, &v->log->org, &w->pk, &real) != ML_OK) {
        tell(v, &b->header, "its signature is wrong");
    }
}

static ml_err check_known(struct verify *v, const struct ml_header *h, const struct ml_dep *dep,
                          const char *what)
{
    struct ml_log_known known = {0};
    bool found = false;
    ml_err err = ml_log_known_find(v->log, &known, &found, dep);
    bool before = found && known.n < v->n;
    ml_log_known_free(&known);
    if (is_damage(err) || (err == ML_OK && !before)) {
        tell(v, h, what);
        return ML_OK;
    }
    return err;
}

static ml_err check_cited(struct verify *v, const struct ml_header *h)
{
    struct ml_list_walk walk;
    struct ml_dep dep = {.writer = h->writer, .lane = h->lane, .seq = h->seq - 1};
    dep.hash = ml_hash16_of(&h->prev);
    ml_err err = ML_OK;
    if (h->seq > 1) {
        err = check_known(v, h, &dep, "the bundle before it is missing");
    }
    ml_list_walk(&walk, &h->deps);
    while (err == ML_OK && ml_dep_next(&walk, &dep)) {
        if (ml_judge_waits(h->lane, dep.lane)) {
            err = check_known(v, h, &dep, "a bundle that it cites is missing");
        }
    }
    return err;
}

static ml_err check_body(struct verify *v, const struct ml_header *h, int64_t flags)
{
    enum ml_log_sql sql = flags & ML_LOG_FILLED ? ML_SQL_FILL : ML_SQL_BODY;
    struct ml_stmt *s = v->log->st[sql];
    bool found = false;
    if (flags & ML_LOG_HOLE) {
        return ML_OK;
    }
    ml_stmt_bind_int(s, 1, (int64_t)v->n);
    ml_err err = ml_log_row(v->log, sql, &found);
    struct ml_slice body = err == ML_OK && found ? ml_stmt_blob(s, 0) : ml_slice(NULL, 0);
    bool good = err == ML_OK && found && ml_body_check(h, body, NULL) == ML_OK;
    if (good) {
        struct ml_hash root = ml_body_root(body);
        good = memcmp(root.b, h->body_root.b, sizeof(root.b)) == 0;
    }
    bool listed = true;
    if (good && h->lane == ML_LANE_BLOB) {
        err = ml_log_chunks_listed(v->log, body, &listed);
    }
    ml_stmt_reset(s);
    if (err != ML_OK && !is_damage(err)) {
        return err;
    }
    if (!listed) {
        v->unlisted = true;
        tell(v, h, "chunks that it names are not listed; they will be fetched");
    }
    if (!good) {
        v->log->damaged = true;
        tell(v, h, "its body is destroyed; it will be fetched again");
    }
    return ML_OK;
}

static void tell_verdict(void *user, uint64_t n, const struct ml_dep *place)
{
    struct verify *v = user;
    v->n = n;
    if (place != NULL) {
        const struct ml_header h = {
            .writer = place->writer, .lane = place->lane, .seq = place->seq};
        tell(v, &h, "its verdict is not the derived one");
    } else {
        tell(v, NULL, "its verdict is not the derived one");
    }
}

/* What can't be read was told row by row. */
static ml_err check_verdicts(struct verify *v)
{
    const struct ml_log_check check = {tell_verdict, v};
    ml_err err = ml_log_judge_check(v->log, &check);
    return is_damage(err) ? ML_OK : err;
}

/* Vaults compare it with what they followed. */
static ml_err check_past(struct verify *v, const struct ml_hash *hash)
{
    struct ml_hash stored;
    if (v->rolled + 1 != v->n) {
        return ML_OK;
    }
    ml_log_past_roll(&v->found.past, hash);
    v->rolled = v->n;
    if (v->n % ML_LOG_PAST_STEP != 0) {
        return ML_OK;
    }
    ml_err err = ml_log_past_row(v->log, &stored, v->n);
    if (is_damage(err) ||
        (err == ML_OK && memcmp(stored.b, v->found.past.b, sizeof(stored.b)) != 0)) {
        v->log->damaged = true;
        tell(v, NULL, "the past that is stored beside it is not its own");
        return ML_OK;
    }
    return err;
}

/* One row: everything but its body is read before anything is checked. */
static ml_err verify_row(struct verify *v)
{
    struct ml_stmt *s = v->log->st[ML_SQL_ENTRY];
    struct ml_bundle b = {.header_bytes = ml_stmt_blob(s, 6)};
    struct ml_hash hash;
    struct ml_slice stored = ml_stmt_blob(s, 1);
    struct ml_slice sig = ml_stmt_blob(s, 7);
    const int64_t flags = ml_stmt_int(s, 5);
    const struct ml_ruling ruling = {(ml_verdict)ml_stmt_int(s, 2), (ml_reason)ml_stmt_int(s, 3)};
    if (stored.len != sizeof(hash.b) || sig.len != sizeof(b.sig.b) ||
        ml_header_decode(&b.header, b.header_bytes, NULL) != ML_OK) {
        tell(v, NULL, "its header is destroyed");
        v->log->damaged = true;
        return ML_OK;
    }
    memcpy(hash.b, stored.data, sizeof(hash.b));
    memcpy(b.sig.b, sig.data, sizeof(b.sig.b));
    v->found.bundles++;
    v->found.ops += b.header.lane == ML_LANE_RECORD ? b.header.n_ops : 0;
    v->found.quarantined += ruling.verdict == ML_VERDICT_QUARANTINED;
    check_signature(v, &b, &hash);
    ml_err err = check_past(v, &hash);
    if (err == ML_OK) {
        err = check_cited(v, &b.header);
    }
    return err == ML_OK ? check_body(v, &b.header, flags) : err;
}

/* Where the tables themselves are damaged, what is lost can't even be noted. */
static ml_err mended(struct verify *v, ml_err err)
{
    if (is_damage(err)) {
        v->problem(v->user, "its loss cannot be noted: the log must be rebuilt");
        err = ML_OK;
    }
    return err == ML_OK ? ml_log_fresh(v->log) : err;
}

/* What can be fetched again is asked for by the next exchange. */
static ml_err list_chunks(struct verify *v)
{
    struct ml_log_entry e = {.n = v->n};
    int64_t flags = 0;
    ml_err err = ml_log_write(v->log);
    if (err != ML_OK) {
        return err;
    }
    err = ml_log_header_of(v->log, &e, &flags, v->n);
    if (err == ML_OK) {
        err = ml_log_body_read(v->log, &e, flags);
    }
    if (err == ML_OK) {
        err = ml_log_chunks_note(v->log, e.body.bytes);
    }
    return mended(v, ml_log_done(v->log, err));
}

static ml_err verify_one(struct verify *v)
{
    bool found = false;
    v->unlisted = false;
    ml_log_entry_done(v->log);
    ml_stmt_bind_int(v->log->st[ML_SQL_ENTRY], 1, (int64_t)v->n);
    ml_err err = ml_log_row(v->log, ML_SQL_ENTRY, &found);
    if (is_damage(err) || (err == ML_OK && !found)) {
        tell(v, NULL, "it cannot be read");
        v->log->damaged = true;
        return ML_OK;
    }
    if (err == ML_OK) {
        err = verify_row(v);
    }
    ml_log_entry_done(v->log);
    return err == ML_OK && v->unlisted ? list_chunks(v) : err;
}

/* ---- chunks ---- */

static ml_err chunk_lost(struct verify *v, const struct ml_log_chunk *chunk)
{
    char text[ML_HEX_SIZE(sizeof(chunk->hash.b)) + 64];
    char hash[ML_HEX_SIZE(sizeof(chunk->hash.b))];
    ml_hex_encode(hash, chunk->hash.b, sizeof(chunk->hash.b));
    snprintf(text, sizeof(text), "chunk %s: it is destroyed; it will be fetched again", hash);
    v->problem(v->user, text);
    ml_err err = ml_log_write(v->log);
    if (err == ML_OK) {
        err = ml_log_done(v->log, ml_log_chunk_lose(v->log, chunk));
    }
    return mended(v, err);
}

static ml_err verify_chunk(struct verify *v, const struct ml_log_chunk *chunk)
{
    struct ml_slice sealed = {NULL, 0};
    if (!chunk->here) {
        return ML_OK;
    }
    ml_err err = ml_log_chunk_read(v->log, chunk->id, &sealed);
    struct ml_hash hash = ml_chunk_hash(sealed);
    bool good = err == ML_OK && memcmp(hash.b, chunk->hash.b, sizeof(hash.b)) == 0;
    ml_log_entry_done(v->log);
    if (err != ML_OK && !is_damage(err)) {
        return err;
    }
    return good ? ML_OK : chunk_lost(v, chunk);
}

/* Those that are lost on the way come under ids above: the walk ends before them. */
static ml_err verify_chunks(struct verify *v)
{
    struct ml_log_chunk chunk = {.id = 0};
    uint64_t chunks = 0;
    uint64_t missing = 0;
    ml_err err = ml_log_chunk_after(v->log, 0, &chunk);
    while (err == ML_OK) {
        const uint64_t before = v->log->tally.chunks_missing;
        err = verify_chunk(v, &chunk);
        chunks++;
        missing += !chunk.here;
        if (err == ML_OK && v->log->tally.chunks_missing != before) {
            chunks--; /* it is met again, as a missing one */
        }
        if (err == ML_OK) {
            err = ml_log_chunk_after(v->log, chunk.id, &chunk);
        }
    }
    if (is_damage(err)) {
        v->problem(v->user, "the list of chunks cannot be read");
        return ML_OK;
    }
    if (err == ML_E_NOT_FOUND &&
        (chunks != v->log->tally.chunks || missing != v->log->tally.chunks_missing)) {
        v->problem(v->user, "the counts are not those of the chunks");
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static void compare_counts(struct verify *v)
{
    const struct ml_log_tally *t = &v->log->tally;
    if (v->found.bundles != t->bundles || v->found.ops != t->ops ||
        v->found.quarantined != t->quarantined) {
        v->problem(v->user, "the counts are not those of the bundles");
    }
    if (v->rolled == t->last_n && memcmp(v->found.past.b, t->past.b, sizeof(t->past.b)) != 0) {
        v->log->damaged = true;
        v->problem(v->user, "the past is not that of the bundles");
    }
}

ml_err ml_log_verify(struct ml_log *log, ml_log_problem_cb *problem, void *user)
{
    struct verify v = {.log = log, .problem = problem, .user = user};
    ml_err err = ml_log_fresh(log);
    if (err == ML_OK) {
        err = ml_db_integrity(log->db, problem, user);
    }
    if (is_damage(err)) {
        problem(user, "pages of the database cannot be read");
        err = ML_OK;
    }
    const uint64_t last = log->tally.last_n;
    for (v.n = 1; v.n <= last && err == ML_OK; v.n++) {
        err = verify_one(&v);
    }
    if (err == ML_OK) {
        err = check_verdicts(&v);
    }
    if (err == ML_OK) {
        compare_counts(&v);
        err = verify_chunks(&v);
    }
    return err;
}

ml_err ml_log_verify_lane(struct ml_log *log, uint8_t lane, ml_log_problem_cb *problem, void *user)
{
    struct verify v = {.log = log, .problem = problem, .user = user};
    struct ml_log_entry entry;
    ml_err err = ml_log_fresh(log);
    while (err == ML_OK) {
        err = ml_log_after(log, v.n, ML_LOG_LANE(lane), &entry);
        if (err == ML_OK) {
            v.n = entry.n;
            err = verify_one(&v);
        }
    }
    if (is_damage(err)) {
        problem(user, "a part of the lane cannot be read");
        return ML_OK;
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}
