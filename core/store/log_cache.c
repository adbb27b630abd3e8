/* core/store/log_cache.c -- what the log keeps in memory: writers, heads, lane-0 vectors.
 *
 * All of it can be loaded again from the database (ml_log_recall); nothing here is a truth of its
 * own. Writers are never removed: a row is a writer for ever, and row - 1 its index.
 */
#include <string.h>

#include "core/base/hlc.h"
#include "core/store/log_impl.h"

/* ---- writers ---- */

/* A writer's id is a hash of a key that he drew, as often as he liked: keyed, so that he can't
 * choose his place and make all searches long. */
static size_t slot_of(const struct ml_log *log, const struct ml_writer_id *id)
{
    size_t at = (size_t)ml_short_hash(log->slot_key, id->b, sizeof(id->b)) & (log->slot_count - 1);
    while (log->slots[at] != 0) {
        const struct ml_log_writer *w = log->writers[log->slots[at] - 1];
        if (memcmp(w->id.b, id->b, sizeof(id->b)) == 0) {
            break;
        }
        at = (at + 1) & (log->slot_count - 1);
    }
    return at;
}

struct ml_log_writer *ml_log_writer_find(const struct ml_log *log, const struct ml_writer_id *id)
{
    if (log->slot_count == 0) {
        return NULL;
    }
    uint32_t slot = log->slots[slot_of(log, id)];
    return slot == 0 ? NULL : log->writers[slot - 1];
}

/* The table stays at most half full, so that a search ends. */
static ml_err slots_grow(struct ml_log *log)
{
    if (log->slot_count > 2 * log->writer_count) {
        return ML_OK;
    }
    size_t count = log->slot_count == 0 ? 64 : log->slot_count * 2;
    uint32_t *slots = ml_alloc_array(log->env, count, sizeof(*slots));
    if (slots == NULL) {
        return ML_E_NOMEM;
    }
    ml_release(log->env, log->slots);
    log->slots = slots;
    log->slot_count = count;
    for (size_t i = 0; i < log->writer_count; i++) {
        log->slots[slot_of(log, &log->writers[i]->id)] = (uint32_t)i + 1;
    }
    return ML_OK;
}

static ml_err writers_grow(struct ml_log *log)
{
    if (log->writer_count < log->writer_cap) {
        return ML_OK;
    }
    size_t cap = log->writer_cap == 0 ? 16 : log->writer_cap * 2;
    struct ml_log_writer **writers =
        ml_resize(log->env, log->writers, cap * sizeof(struct ml_log_writer *));
    if (writers == NULL) {
        return ML_E_NOMEM;
    }
    log->writers = writers;
    log->writer_cap = cap;
    return ML_OK;
}

/* In memory only. */
static ml_err writer_remember(struct ml_log *log, struct ml_log_writer **out,
                              const struct ml_writer_id *id)
{
    if (log->writer_count >= ML_LOG_WRITERS_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = slots_grow(log);
    if (err == ML_OK) {
        err = writers_grow(log);
    }
    struct ml_log_writer *w = err == ML_OK ? ml_alloc(log->env, sizeof(*w)) : NULL;
    if (w == NULL) {
        return err != ML_OK ? err : ML_E_NOMEM;
    }
    w->id = *id;
    w->index = (uint32_t)log->writer_count;
    w->freeze = ml_own_vec_top();
    log->slots[slot_of(log, id)] = w->index + 1;
    log->writers[log->writer_count++] = w;
    *out = w;
    return ML_OK;
}

ml_err ml_log_writer_add(struct ml_log *log, struct ml_log_writer **out,
                         const struct ml_writer_id *id)
{
    ml_err err = writer_remember(log, out, id);
    if (err != ML_OK) {
        return err;
    }
    struct ml_stmt *s = log->st[ML_SQL_WRITER_PUT];
    ml_stmt_bind_int(s, 1, (*out)->index + 1);
    ml_stmt_bind_blob(s, 2, id->b, sizeof(id->b));
    return ml_stmt_run(s);
}

void ml_log_own_encode(uint8_t out[ML_LOG_OWN_BYTES], const struct ml_own_vec *v)
{
    for (size_t lane = 0; lane < ML_LANES; lane++) {
        ml_put_u32be(out + 4 * lane, v->seq[lane]);
    }
}

static bool own_decode(struct ml_own_vec *out, struct ml_slice bytes)
{
    for (size_t lane = 0; bytes.len == ML_LOG_OWN_BYTES && lane < ML_LANES; lane++) {
        out->seq[lane] = ml_get_u32be(bytes.data + 4 * lane);
    }
    return bytes.len == ML_LOG_OWN_BYTES;
}

ml_err ml_log_writer_save(struct ml_log *log, const struct ml_log_writer *w)
{
    uint8_t freeze[ML_LOG_OWN_BYTES];
    struct ml_stmt *s = log->st[ML_SQL_WRITER_SET];
    ml_log_own_encode(freeze, &w->freeze);
    ml_stmt_bind_int(s, 1, w->index + 1);
    if (w->has_pk) {
        ml_stmt_bind_blob(s, 2, w->pk.b, sizeof(w->pk.b));
    }
    if (w->frozen) {
        ml_stmt_bind_blob(s, 3, freeze, sizeof(freeze));
    }
    return ml_stmt_run(s);
}

static ml_err writer_recall(struct ml_log *log, struct ml_stmt *s)
{
    struct ml_writer_id id;
    struct ml_log_writer *w = NULL;
    struct ml_slice wid = ml_stmt_blob(s, 1);
    if (wid.len != sizeof(id.b) || ml_stmt_int(s, 0) != (int64_t)log->writer_count + 1) {
        return ML_E_CORRUPT;
    }
    memcpy(id.b, wid.data, sizeof(id.b));
    ml_err err = writer_remember(log, &w, &id);
    if (err != ML_OK) {
        return err;
    }
    struct ml_slice pk = ml_stmt_blob(s, 2);
    w->has_pk = pk.len == sizeof(w->pk.b);
    if (w->has_pk) {
        memcpy(w->pk.b, pk.data, pk.len);
    }
    w->frozen = !ml_stmt_is_null(s, 3);
    return !w->frozen || own_decode(&w->freeze, ml_stmt_blob(s, 3)) ? ML_OK : ML_E_CORRUPT;
}

static ml_err writers_recall(struct ml_log *log)
{
    bool row = true;
    ml_err err = ML_OK;
    while (err == ML_OK && row) {
        err = ml_log_row(log, ML_SQL_WRITERS, &row);
        if (err == ML_OK && row) {
            err = writer_recall(log, log->st[ML_SQL_WRITERS]);
        }
    }
    return err;
}

/* Half of the writers may have clocks ahead without moving it; ours counts as one. */
uint64_t ml_log_median_ms(struct ml_log *log)
{
    uint64_t *ms = ml_alloc_array(log->env, log->writer_count + 1, sizeof(*ms));
    uint64_t wall = log->env->wall_ms(log->env->ctx);
    if (ms == NULL) {
        return wall;
    }
    size_t count = 0;
    ms[count++] = wall;
    for (size_t i = 0; i < log->writer_count; i++) {
        if (log->writers[i]->hlc_ms != 0) {
            ms[count++] = log->writers[i]->hlc_ms;
        }
    }
    uint64_t median = ml_hlc_median(ms, count);
    ml_release(log->env, ms);
    return median;
}

/* ---- lane-0 vectors ---- */

static void gvec_remember(struct ml_log *log, struct ml_gvec *v, const struct ml_hash16 *digest,
                          int64_t row)
{
    size_t at = log->gvec_count;
    if (at < ML_LOG_GVECS_MAX) {
        log->gvec_count++;
    } else {
        at = log->gvec_turn;
        log->gvec_turn = (log->gvec_turn + 1) % ML_LOG_GVECS_MAX;
        ml_gvec_unref(log->gvecs[at].gvec);
    }
    log->gvecs[at] = (struct ml_log_gvec){row, *digest, ml_gvec_ref(v)};
}

ml_err ml_log_gvec_load(struct ml_log *log, struct ml_gvec **out, int64_t row)
{
    struct ml_stmt *s = log->st[ML_SQL_GVEC_BY_ROW];
    struct ml_gvec *v = NULL;
    bool found = false;
    for (size_t i = 0; i < log->gvec_count; i++) {
        if (log->gvecs[i].row == row) {
            *out = ml_gvec_ref(log->gvecs[i].gvec);
            return ML_OK;
        }
    }
    if (row == 0) {
        *out = NULL;
        return ML_OK;
    }
    ml_stmt_bind_int(s, 1, row);
    ml_err err = ml_log_row(log, ML_SQL_GVEC_BY_ROW, &found);
    if (err == ML_OK) {
        err = found ? ml_gvec_decode(&v, log->env, ml_stmt_blob(s, 0)) : ML_E_CORRUPT;
    }
    ml_stmt_reset(s);
    if (err == ML_OK) {
        struct ml_hash16 digest = ml_gvec_digest(v, &log->org);
        gvec_remember(log, v, &digest, row);
        *out = v;
    }
    return err;
}

static ml_err gvec_put(struct ml_log *log, int64_t *row, const struct ml_gvec *v,
                       const struct ml_hash16 *digest)
{
    struct ml_buf bytes;
    struct ml_stmt *s = log->st[ML_SQL_GVEC_PUT];
    ml_buf_init(&bytes, log->env, (size_t)ML_GVEC_WRITERS_MAX * ML_GVEC_ENTRY_BYTES);
    ml_err err = ml_gvec_encode(&bytes, v);
    if (err == ML_OK) {
        ml_stmt_bind_blob(s, 1, digest->b, sizeof(digest->b));
        ml_stmt_bind_blob(s, 2, bytes.data, bytes.len);
        err = ml_stmt_run(s);
        *row = ml_db_last_rowid(log->db);
    }
    ml_buf_free(&bytes);
    return err;
}

ml_err ml_log_gvec_intern(struct ml_log *log, struct ml_gvec **gvec, int64_t *row)
{
    if (*gvec == NULL) {
        *row = 0;
        return ML_OK;
    }
    struct ml_hash16 digest = ml_gvec_digest(*gvec, &log->org);
    for (size_t i = 0; i < log->gvec_count; i++) {
        if (memcmp(log->gvecs[i].digest.b, digest.b, sizeof(digest.b)) == 0) {
            ml_gvec_unref(*gvec);
            *gvec = ml_gvec_ref(log->gvecs[i].gvec);
            *row = log->gvecs[i].row;
            return ML_OK;
        }
    }
    struct ml_stmt *s = log->st[ML_SQL_GVEC_BY_DIGEST];
    bool found = false;
    ml_stmt_bind_blob(s, 1, digest.b, sizeof(digest.b));
    ml_err err = ml_log_row(log, ML_SQL_GVEC_BY_DIGEST, &found);
    if (err == ML_OK && found) {
        *row = ml_stmt_int(s, 0);
    }
    ml_stmt_reset(s);
    if (err == ML_OK && !found) {
        err = gvec_put(log, row, *gvec, &digest);
    }
    if (err == ML_OK) {
        gvec_remember(log, *gvec, &digest, *row);
    }
    return err;
}

/* ---- heads, and what is known of any bundle ---- */

void ml_log_known_free(struct ml_log_known *known)
{
    ml_gvec_unref(known->j.gvec);
    *known = (struct ml_log_known){0};
}

static void known_copy(struct ml_log_known *out, const struct ml_log_known *from)
{
    *out = *from;
    (void)ml_gvec_ref(out->j.gvec);
}

/* Columns n, hash, hlc, own, gvec of a row. */
ml_err ml_log_known_read(struct ml_log *log, struct ml_log_known *out, struct ml_stmt *s)
{
    struct ml_log_known k = {.n = (uint64_t)ml_stmt_int(s, 0), .gvec_row = ml_stmt_int(s, 4)};
    struct ml_slice hash = ml_stmt_blob(s, 1);
    if (hash.len != sizeof(k.j.hash.b) || !own_decode(&k.j.own, ml_stmt_blob(s, 3))) {
        return ML_E_CORRUPT;
    }
    memcpy(k.j.hash.b, hash.data, hash.len);
    k.j.hlc = (uint64_t)ml_stmt_int(s, 2);
    ml_err err = ml_log_gvec_load(log, &k.j.gvec, k.gvec_row);
    if (err == ML_OK) {
        *out = k;
    }
    return err;
}

struct ml_log_head *ml_log_head_find(const struct ml_log_writer *w, uint8_t lane,
                                     const struct ml_hash16 *hash)
{
    const struct ml_log_chain *chain = &w->chains[lane];
    for (size_t i = 0; i < chain->count; i++) {
        if (memcmp(chain->heads[i]->known.j.hash.b, hash->b, sizeof(hash->b)) == 0) {
            return chain->heads[i];
        }
    }
    return NULL;
}

uint32_t ml_log_highest(const struct ml_log_writer *w, uint8_t lane)
{
    uint32_t highest = 0;
    for (size_t i = 0; i < w->chains[lane].count; i++) {
        uint32_t seq = w->chains[lane].heads[i]->known.j.own.seq[lane];
        highest = seq > highest ? seq : highest;
    }
    return highest;
}

ml_err ml_log_known_find(struct ml_log *log, struct ml_log_known *out, bool *found,
                         const struct ml_dep *id)
{
    const struct ml_log_writer *w = ml_log_writer_find(log, &id->writer);
    *found = false;
    if (w == NULL || id->seq > ml_log_highest(w, id->lane)) {
        return ML_OK;
    }
    const struct ml_log_head *head = ml_log_head_find(w, id->lane, &id->hash);
    if (head != NULL) {
        *found = head->known.j.own.seq[id->lane] == id->seq;
        if (*found) {
            known_copy(out, &head->known);
        }
        return ML_OK;
    }
    struct ml_stmt *s = log->st[ML_SQL_PLACE];
    ml_stmt_bind_int(s, 1, w->index + 1);
    ml_stmt_bind_int(s, 2, id->lane);
    ml_stmt_bind_int(s, 3, id->seq);
    ml_err err = ML_OK;
    for (bool row = true; row && !*found && err == ML_OK;) {
        err = ml_log_row(log, ML_SQL_PLACE, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        struct ml_slice hash = ml_stmt_blob(s, 1);
        if (hash.len == 32 && memcmp(hash.data, id->hash.b, sizeof(id->hash.b)) == 0) {
            *found = true;
            err = ml_log_known_read(log, out, s);
        }
    }
    ml_stmt_reset(s);
    return err;
}

/* ---- all of it ---- */

static void head_free(struct ml_log *log, struct ml_log_head *head)
{
    ml_log_known_free(&head->known);
    ml_log_vec_free(log->env, &head->cites);
    ml_log_vec_free(log->env, &head->closure);
    ml_release(log->env, head);
}

ml_err ml_log_head_add(struct ml_log *log, struct ml_log_head **out, struct ml_log_chain *chain)
{
    struct ml_log_head *head = ml_alloc(log->env, sizeof(*head));
    struct ml_log_head **heads =
        head == NULL
            ? NULL
            : ml_resize(log->env, chain->heads, (chain->count + 1) * sizeof(struct ml_log_head *));
    if (heads == NULL) {
        ml_release(log->env, head);
        return ML_E_NOMEM;
    }
    chain->heads = heads;
    chain->heads[chain->count++] = head;
    *out = head;
    return ML_OK;
}

static void writer_free(struct ml_log *log, struct ml_log_writer *w)
{
    for (size_t lane = 0; lane < ML_LANES; lane++) {
        while (w->chains[lane].count > 0) {
            head_free(log, w->chains[lane].heads[--w->chains[lane].count]);
        }
        ml_release(log->env, w->chains[lane].heads);
    }
    ml_release(log->env, w);
}

void ml_log_forget(struct ml_log *log)
{
    for (size_t i = 0; i < log->writer_count; i++) {
        writer_free(log, log->writers[i]);
    }
    ml_release(log->env, log->writers);
    ml_release(log->env, log->slots);
    log->writers = NULL;
    log->slots = NULL;
    log->writer_count = log->writer_cap = log->slot_count = 0;
    while (log->gvec_count > 0) {
        ml_gvec_unref(log->gvecs[--log->gvec_count].gvec);
    }
    log->gvec_turn = 0;
    ml_gov_free(log->gov);
    log->gov = NULL;
    log->tally = (struct ml_log_tally){0};
}

static ml_err head_recall(struct ml_log *log, struct ml_stmt *s)
{
    int64_t row = ml_stmt_int(s, 5);
    int64_t lane = ml_stmt_int(s, 6);
    struct ml_log_head *head = NULL;
    if (row < 1 || row > (int64_t)log->writer_count || lane < 0 || lane >= (int64_t)ML_LANES) {
        return ML_E_CORRUPT;
    }
    struct ml_log_writer *w = log->writers[row - 1];
    ml_err err = ml_log_head_add(log, &head, &w->chains[lane]);
    if (err == ML_OK) {
        err = ml_log_known_read(log, &head->known, s);
    }
    if (err == ML_OK) {
        err = ml_log_vec_decode(log->env, &head->cites, ml_stmt_blob(s, 7));
    }
    if (err == ML_OK) {
        head->row = head->known.n;
        err = ml_log_vec_join(log->env, &head->closure, &head->cites);
        uint64_t ms = ml_hlc_ms(head->known.j.hlc);
        bool ahead = head->known.j.hlc > log->tally.hlc;
        w->hlc_ms = !ahead && ms > w->hlc_ms ? ms : w->hlc_ms;
    }
    return err;
}

static ml_err heads_recall(struct ml_log *log)
{
    bool row = true;
    ml_err err = ML_OK;
    while (err == ML_OK && row) {
        err = ml_log_row(log, ML_SQL_HEADS, &row);
        if (err == ML_OK && row) {
            err = head_recall(log, log->st[ML_SQL_HEADS]);
        }
    }
    return err;
}

static ml_err shreds_recall(struct ml_log *log)
{
    struct ml_stmt *s = log->st[ML_SQL_SHRED_COUNT];
    bool row = false;
    ml_err err = ml_log_row(log, ML_SQL_SHRED_COUNT, &row);
    if (err == ML_OK && row) {
        log->tally.shred_rows = (uint64_t)ml_stmt_int(s, 0);
        log->tally.shreds = (uint64_t)ml_stmt_int(s, 1);
    }
    ml_stmt_reset(s);
    return err;
}

static ml_err tally_recall(struct ml_log *log)
{
    struct ml_stmt *s = log->st[ML_SQL_TALLY];
    struct ml_log_tally *t = &log->tally;
    bool row = false;
    ml_err err = ml_log_row(log, ML_SQL_TALLY, &row);
    if (err != ML_OK || !row) {
        return err != ML_OK ? err : ML_E_CORRUPT;
    }
    t->bundles = (uint64_t)ml_stmt_int(s, 1);
    t->ops = (uint64_t)ml_stmt_int(s, 2);
    t->quarantined = (uint64_t)ml_stmt_int(s, 3);
    t->epoch = (uint64_t)ml_stmt_int(s, 4);
    t->hlc = (uint64_t)ml_stmt_int(s, 5);
    t->chunks = (uint64_t)ml_stmt_int(s, 6);
    t->chunks_missing = (uint64_t)ml_stmt_int(s, 7);
    t->last_n = t->bundles; /* ingest numbers have no gaps */
    const struct ml_slice past = ml_stmt_blob(s, 8);
    log->has_past = past.len == sizeof(t->past.b);
    if (log->has_past) {
        memcpy(t->past.b, past.data, past.len);
    }
    ml_stmt_reset(s);
    s = log->st[ML_SQL_PENDING_ALL];
    ml_stmt_bind_int(s, 1, ML_REASON_WAITS_WRITER);
    err = ml_log_row(log, ML_SQL_PENDING_ALL, &row);
    if (err == ML_OK && row) {
        t->pending = (uint64_t)ml_stmt_int(s, 0);
        t->pending_bytes = ml_stmt_int(s, 1);
        t->pending_strange = ml_stmt_int(s, 2);
    }
    ml_stmt_reset(s);
    return err == ML_OK ? shreds_recall(log) : err;
}

ml_err ml_log_recall(struct ml_log *log)
{
    ml_err err = tally_recall(log);
    if (err == ML_OK) {
        err = writers_recall(log);
    }
    if (err == ML_OK) {
        err = heads_recall(log);
    }
    if (err == ML_OK) {
        err = ml_log_gov_replay(log);
    }
    return err;
}

static ml_err head_flush(struct ml_log *log, struct ml_log_head *head)
{
    struct ml_stmt *s = log->st[ML_SQL_HEAD_PUT];
    ml_buf_clear(&log->scratch);
    ml_err err = ml_log_vec_encode(&log->scratch, &head->cites);
    if (err == ML_OK && head->row != 0 && head->row != head->known.n) {
        ml_stmt_bind_int(log->st[ML_SQL_HEAD_DELETE], 1, (int64_t)head->row);
        err = ml_stmt_run(log->st[ML_SQL_HEAD_DELETE]);
    }
    if (err == ML_OK) {
        ml_stmt_bind_int(s, 1, (int64_t)head->known.n);
        ml_stmt_bind_blob(s, 2, log->scratch.data, log->scratch.len);
        err = ml_stmt_run(s);
    }
    if (err == ML_OK) {
        head->row = head->known.n;
        head->dirty = false;
    }
    return err;
}

static ml_err heads_flush(struct ml_log *log, const struct ml_log_writer *w)
{
    ml_err err = ML_OK;
    for (size_t lane = 0; lane < ML_LANES; lane++) {
        for (size_t i = 0; err == ML_OK && i < w->chains[lane].count; i++) {
            struct ml_log_head *head = w->chains[lane].heads[i];
            err = head->dirty ? head_flush(log, head) : ML_OK;
        }
    }
    return err;
}

ml_err ml_log_flush(struct ml_log *log)
{
    struct ml_stmt *s = log->st[ML_SQL_TALLY_SET];
    ml_err err = ML_OK;
    for (size_t i = 0; err == ML_OK && i < log->writer_count; i++) {
        err = heads_flush(log, log->writers[i]);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_stmt_bind_blob(s, 1, log->org.b, sizeof(log->org.b));
    ml_stmt_bind_int(s, 2, (int64_t)log->tally.bundles);
    ml_stmt_bind_int(s, 3, (int64_t)log->tally.ops);
    ml_stmt_bind_int(s, 4, (int64_t)log->tally.quarantined);
    ml_stmt_bind_int(s, 5, (int64_t)log->tally.epoch);
    ml_stmt_bind_int(s, 6, (int64_t)log->tally.hlc);
    ml_stmt_bind_int(s, 7, (int64_t)log->tally.chunks);
    ml_stmt_bind_int(s, 8, (int64_t)log->tally.chunks_missing);
    ml_stmt_bind_blob(s, 9, log->tally.past.b, sizeof(log->tally.past.b));
    return ml_stmt_run(s);
}
