/* core/store/log_rebuild.c -- see log_rebuild.h.
 *
 * Happy path: each number up to the last is read on its own, joined to its wire form and ingested,
 * in batches; then what waited, chunks, settings and peers. A page that doesn't open costs the rows
 * on it and nothing else. The rows of an index aren't used but to find a number's row, and to name
 * those that are lost.
 */
#include "core/store/log_rebuild.h"

#include <stdio.h>
#include <string.h>

#include "core/store/log_impl.h"

#define BATCH          256u
#define CHUNK_BATCH    64u
#define LOST_NAMED_MAX 65536u /* of more, the places aren't looked for */

struct rebuild {
    const struct ml_log_rebuild *how;
    struct ml_log *old; /* NULL: it doesn't open */
    struct ml_log *fresh;
    uint64_t in_batch;
    struct ml_log_rebuilt found;
    struct ml_buf lost; /* numbers (uint64_t) of those that can't be read, ascending */
    uint64_t named;     /* of found.lost, already told */
    bool waiting;       /* what is given now had waited: it was never in the log */
};

static bool is_damage(ml_err err)
{
    return err == ML_E_CORRUPT || err == ML_E_IO || err == ML_E_NOT_FOUND;
}

static void tell(struct rebuild *r, uint64_t n, const char *what)
{
    char text[120];
    snprintf(text, sizeof(text), "bundle %llu: %s", (unsigned long long)n, what);
    r->how->problem(r->how->user, text);
}

/* One that was read and isn't taken any more is lost too: governance without its body. */
static void take_refused(void *user, const struct ml_log_outcome *o)
{
    struct rebuild *r = user;
    if (o->result != ML_LOG_REFUSED && o->result != ML_LOG_STOPPED) {
        return;
    }
    r->how->problem(r->how->user, ml_reason_text(o->reason));
    if (!r->waiting) {
        r->found.kept--;
        r->found.lost++;
        r->named++;
        r->how->lost(r->how->user, &o->id);
    }
}

/* A commit now and then: a log of a million bundles is no single transaction. */
static ml_err give(struct rebuild *r, struct ml_slice wire)
{
    ml_err err = r->in_batch == 0 ? ml_log_begin(r->fresh) : ML_OK;
    if (err == ML_OK) {
        err = ml_log_ingest(r->fresh, &wire, 1, take_refused, r);
    }
    r->in_batch++;
    if (err == ML_OK && r->in_batch == BATCH) {
        r->in_batch = 0;
        err = ml_log_commit(r->fresh);
    }
    return err;
}

static bool body_is(const struct ml_header *h, struct ml_slice body)
{
    struct ml_hash root = ml_body_root(body);
    return ml_body_check(h, body, NULL) == ML_OK &&
           memcmp(root.b, h->body_root.b, sizeof(root.b)) == 0;
}

static ml_err copy_bundle(struct rebuild *r, struct ml_buf *wire, uint64_t n)
{
    struct ml_log_entry e;
    int64_t flags = 0;
    ml_err err = ml_log_header_of(r->old, &e, &flags, n);
    if (is_damage(err)) {
        tell(r, n, "it cannot be read");
        r->found.lost++;
        if (r->lost.len < LOST_NAMED_MAX * sizeof(n)) {
            ml_buf_append(&r->lost, &n, sizeof(n));
        }
        return r->lost.err;
    }
    if (err == ML_OK) {
        err = ml_log_body_read(r->old, &e, flags);
    }
    if (is_damage(err) ||
        (err == ML_OK && e.body.absent == 0 && !body_is(&e.header, e.body.bytes))) {
        r->found.bodies_lost += e.header.lane != ML_LANE_GOVERNANCE; /* it is lost as a whole */
        tell(r, n, "its body is destroyed; it will be fetched again");
        e.body = (struct ml_wire_body){.absent = ML_ABSENT_NOT_RECEIVED};
        err = ML_OK;
    }
    ml_buf_clear(wire);
    if (err == ML_OK) {
        err = ml_bundle_join(wire, e.header_bytes, &e.sig, &e.body);
    }
    ml_log_entry_done(r->old);
    r->found.kept += err == ML_OK;
    return err == ML_OK ? give(r, ml_buf_slice(wire)) : err;
}

/* The highest number that any table or index still names: the last page of one of them may be what
 * is destroyed. */
static ml_err last_number(struct rebuild *r, uint64_t *last)
{
    static const char *const sql[] = {
        "SELECT max(n) FROM bundle",
        "SELECT max(n) FROM bundle INDEXED BY bundle_key",
        "SELECT max(n) FROM bundle INDEXED BY bundle_place",
        "SELECT max(n) FROM body",
        "SELECT max(n) FROM head",
    };
    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
        struct ml_stmt *s = NULL;
        bool row = false;
        ml_err err = ml_stmt_prepare(&s, r->old->db, sql[i]);
        if (err == ML_OK) {
            err = ml_stmt_step(s, &row);
        }
        const uint64_t n = err == ML_OK && row ? (uint64_t)ml_stmt_int(s, 0) : 0;
        *last = n > *last ? n : *last;
        ml_stmt_free(s);
        if (err != ML_OK && !is_damage(err)) {
            return err;
        }
    }
    return ML_OK;
}

static bool is_lost(const struct rebuild *r, uint64_t n)
{
    const uint8_t *at = r->lost.data;
    size_t low = 0;
    size_t high = r->lost.len / sizeof(n);
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        uint64_t here = 0;
        memcpy(&here, at + mid * sizeof(n), sizeof(n));
        if (here == n) {
            return true;
        }
        low = here < n ? mid + 1 : low;
        high = here < n ? high : mid;
    }
    return false;
}

/* Names what is lost from the index of places, as far as that can be read; then the rest. */
static ml_err name_lost(struct rebuild *r)
{
    struct ml_stmt *s = NULL;
    ml_err err = ml_stmt_prepare(&s, r->old->db,
                                 "SELECT b.n, w.wid, b.lane, b.seq FROM bundle b INDEXED BY "
                                 "bundle_place CROSS JOIN writer w ON w.id = b.writer");
    for (bool row = true; row && err == ML_OK;) {
        err = ml_stmt_step(s, &row);
        struct ml_dep place = {.seq = 0};
        if (err != ML_OK || !row || !is_lost(r, (uint64_t)ml_stmt_int(s, 0))) {
            continue;
        }
        const struct ml_slice wid = ml_stmt_blob(s, 1);
        memcpy(place.writer.b, wid.data, wid.len == sizeof(place.writer.b) ? wid.len : 0);
        place.lane = (uint8_t)ml_stmt_int(s, 2);
        place.seq = (uint32_t)ml_stmt_int(s, 3);
        r->how->lost(r->how->user, &place);
        r->named++;
    }
    ml_stmt_free(s);
    const struct ml_dep nowhere = {.seq = 0};
    for (; r->named < r->found.lost && (err == ML_OK || is_damage(err)); r->named++) {
        r->how->lost(r->how->user, &nowhere);
    }
    return is_damage(err) ? ML_OK : err;
}

static ml_err copy_bundles(struct rebuild *r, struct ml_buf *wire)
{
    uint64_t last = 0;
    ml_err err = last_number(r, &last);
    for (uint64_t n = 1; n <= last && err == ML_OK; n++) {
        err = copy_bundle(r, wire, n);
    }
    return err == ML_OK && r->found.lost > 0 ? name_lost(r) : err;
}

static ml_err copy_pending(struct rebuild *r, struct ml_buf *wire)
{
    struct ml_stmt *s = r->old->st[ML_SQL_PENDING_WIRES];
    int64_t id = 0;
    ml_err err = ML_OK;
    r->waiting = true;
    for (bool row = true; row && err == ML_OK;) {
        ml_stmt_bind_int(s, 1, id);
        err = ml_log_row(r->old, ML_SQL_PENDING_WIRES, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        struct ml_slice bytes = ml_stmt_blob(s, 1);
        id = ml_stmt_int(s, 0);
        ml_buf_clear(wire);
        ml_buf_append(wire, bytes.data, bytes.len);
        ml_stmt_reset(s);
        err = wire->err != ML_OK ? wire->err : give(r, ml_buf_slice(wire));
    }
    if (is_damage(err)) {
        r->how->problem(r->how->user, "what had waited cannot be read; it will be sent again");
        err = ML_OK;
    }
    ml_stmt_reset(s);
    return err;
}

/* What no longer hangs on a manifest is left behind. */
static ml_err give_chunk(struct rebuild *r, const struct ml_log_chunk *chunk,
                         struct ml_slice sealed)
{
    bool stored = false;
    ml_err err = r->in_batch == 0 ? ml_log_begin(r->fresh) : ML_OK;
    r->in_batch++;
    if (err == ML_OK) {
        err = ml_log_put_chunk(r->fresh, &chunk->hash, sealed, ML_CHUNK_PEER, &stored);
    }
    if (err == ML_E_FORGED || err == ML_E_LIMIT) {
        r->how->problem(r->how->user, "a chunk is destroyed; it will be fetched again");
        err = ML_OK;
    }
    err = err == ML_E_NOT_FOUND ? ML_OK : err;
    if (err == ML_OK && r->in_batch == CHUNK_BATCH) {
        r->in_batch = 0;
        err = ml_log_commit(r->fresh);
    }
    return err;
}

static ml_err copy_chunk(struct rebuild *r, const struct ml_log_chunk *chunk)
{
    struct ml_slice sealed;
    ml_err err = ml_log_chunk_read(r->old, chunk->id, &sealed);
    if (err == ML_OK) {
        err = give_chunk(r, chunk, sealed);
    } else if (is_damage(err)) {
        r->how->problem(r->how->user, "a chunk cannot be read; it will be fetched again");
        err = ML_OK;
    }
    ml_log_entry_done(r->old);
    return err;
}

static ml_err copy_chunks(struct rebuild *r)
{
    struct ml_log_chunk chunk = {.id = 0};
    ml_err err = ml_log_chunk_after(r->old, 0, &chunk);
    while (err == ML_OK) {
        err = chunk.here ? copy_chunk(r, &chunk) : ML_OK;
        if (err == ML_OK) {
            err = ml_log_chunk_after(r->old, chunk.id, &chunk);
        }
    }
    if (is_damage(err) && err != ML_E_NOT_FOUND) {
        r->how->problem(r->how->user, "chunks cannot be read; they will be fetched again");
    }
    return is_damage(err) ? ML_OK : err;
}

static ml_err put_peer(void *user, const struct ml_log_peer *peer)
{
    struct rebuild *r = user;
    return ml_log_peer_put(r->fresh, peer);
}

static ml_err copy_settings(struct rebuild *r)
{
    struct ml_stmt *s = r->old->st[ML_SQL_SETTINGS];
    ml_err err = ML_OK;
    for (bool row = true; row && err == ML_OK;) {
        char key[128];
        err = ml_log_row(r->old, ML_SQL_SETTINGS, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        struct ml_slice name = ml_stmt_text(s, 0);
        snprintf(key, sizeof(key), "%.*s", (int)name.len, (const char *)name.data);
        err = ml_log_setting_put(r->fresh, key, ml_stmt_blob(s, 1));
    }
    ml_stmt_reset(s);
    if (err == ML_OK) {
        err = ml_log_peers(r->old, put_peer, r);
    }
    if (is_damage(err)) {
        r->how->problem(r->how->user, "settings or peers cannot be read");
        err = ML_OK;
    }
    return err;
}

static ml_err rebuild_all(struct rebuild *r, const struct ml_env *env)
{
    struct ml_buf wire;
    ml_buf_init(&wire, env, ML_BUNDLE_BYTES_MAX);
    ml_buf_init(&r->lost, env, LOST_NAMED_MAX * sizeof(uint64_t));
    ml_err err = copy_bundles(r, &wire);
    if (err == ML_OK) {
        err = copy_pending(r, &wire);
    }
    if (err == ML_OK && r->in_batch > 0) {
        r->in_batch = 0;
        err = ml_log_commit(r->fresh);
    }
    if (err == ML_OK) {
        err = copy_chunks(r);
    }
    if (err == ML_OK && r->in_batch > 0) {
        err = ml_log_commit(r->fresh);
    }
    ml_buf_free(&r->lost);
    ml_buf_free(&wire);
    return err == ML_OK ? copy_settings(r) : err;
}

/* Vaults that followed the old numbers see another epoch than theirs, and project again. */
static ml_err epoch_draw(struct ml_log *fresh)
{
    ml_err err = ml_log_write(fresh);
    if (err == ML_OK) {
        fresh->env->random(fresh->env->ctx, &fresh->tally.epoch, sizeof(fresh->tally.epoch));
        fresh->tally.epoch >>= 8; /* it is counted up from there, in a signed column */
        err = ml_log_done(fresh, ML_OK);
    }
    return err;
}

/* Absent, or not even its schema can be read: nothing is copied. */
static ml_err old_open(struct rebuild *r)
{
    struct ml_log_args args = r->how->log;
    args.create = false;
    ml_err err = ml_log_open_raw(&r->old, &args);
    if (err == ML_E_NOT_FOUND || err == ML_E_CORRUPT || err == ML_E_WRONG_KEY) {
        r->how->problem(r->how->user, "nothing of the log can be read");
        r->found.unreadable = true;
        return ML_OK;
    }
    return err;
}

ml_err ml_log_rebuild(struct ml_log_rebuilt *out, const struct ml_log_rebuild *how)
{
    struct rebuild r = {.how = how};
    struct ml_log_args fresh_args = how->log;
    fresh_args.path = how->fresh;
    fresh_args.create = false;
    ml_err err = ml_log_open(&r.fresh, &fresh_args);
    if (err != ML_E_NOT_FOUND) {
        ml_log_close(r.fresh);
        return err == ML_OK ? ML_E_EXISTS : err;
    }
    err = old_open(&r);
    if (err != ML_OK) {
        return err;
    }
    fresh_args.create = true;
    err = ml_log_open(&r.fresh, &fresh_args);
    if (err == ML_OK) {
        err = epoch_draw(r.fresh);
    }
    if (err == ML_OK && r.old != NULL) {
        r.fresh->unbounded = true;
        err = rebuild_all(&r, how->log.env);
    }
    if (err == ML_OK) {
        err = ml_log_settle(r.fresh); /* what is put in the old one's place is one file */
    }
    ml_log_close(r.fresh);
    ml_log_close(r.old);
    r.found.unreadable = r.found.unreadable || (r.found.kept == 0 && r.found.lost == 0);
    *out = r.found;
    return err;
}
