/* core/store/log_shred.c -- wraps that an exclusion replaced are destroyed (rules A5, B11).
 *
 * Happy path: a SHRED is stored -> a row for each wrap that it names -> the wrap, what stands in
 * its place and the epoch of its group are here and fit -> the op is replaced by its leaf, in the
 * transaction that stored what was awaited last -> after the commit the file is rewritten, so that
 * no page and no frame holds it. All of it by clear bytes: a node without keys obeys alike.
 *
 * Failures: a row whose conditions don't hold waits, for ever if need be, and destroys nothing. An
 * error undoes the transaction. A body that comes with leaves stands beside its hole until a SHRED
 * accounts for each of them: no relay blanks an op.
 * Invariant: of a DEK whose wraps were destroyed here an op that replaced them is here; or two
 * members, one of them of rank 2 or better, each named the wrap as what replaces itself: the
 * record's time is over (ADR 0024).
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/keyop.h"
#include "core/store/log_impl.h"

#define CHAIN_MAX 64u /* replacements of replacements */

struct shred {
    int64_t id;
    uint64_t by;   /* number of the bundle with the SHRED */
    uint8_t place; /* its op there */
    struct ml_stream_id stream;
    struct ml_version_id wrap;
    struct ml_version_id cover;
    struct ml_version_id epoch;
    struct ml_key_id dek;
};

/* What the rows of one SHRED are judged by. */
struct judged {
    const struct shred *row;
    bool came;  /* of a leaf that came: who gave it obeyed before a fork was known */
    bool leads; /* of what ends: its author had rank 2 or better */
    struct ml_writer_id writer;
    const struct ml_fact *author; /* the opening of its writer */
    struct ml_kek_epoch group;    /* team, compartment, kek, break_glass alone */
};

#define SAME(a, b)    (memcmp(&(a), &(b), sizeof(a)) == 0)
#define BIND(s, i, x) ml_stmt_bind_blob((s), (i), (x).b, sizeof((x).b))

static void bind_version(struct ml_stmt *s, int at, const struct ml_version_id *v)
{
    BIND(s, at, v->bundle);
    ml_stmt_bind_int(s, at + 1, v->index);
}

static bool take(struct ml_stmt *s, int column, void *out, size_t len)
{
    const struct ml_slice blob = ml_stmt_blob(s, column);
    if (blob.len == len) {
        memcpy(out, blob.data, len);
    }
    return blob.len == len;
}

static bool take_version(struct ml_stmt *s, int column, struct ml_version_id *out)
{
    out->index = (uint8_t)ml_stmt_int(s, column + 1);
    return take(s, column, out->bundle.b, sizeof(out->bundle.b));
}

/* The statement's parameters are bound. *found false: there is none. */
static ml_err row_read(struct ml_log *log, struct shred *out, bool *found, enum ml_log_sql sql)
{
    struct ml_stmt *s = log->st[sql];
    bool whole = true;
    ml_err err = ml_log_row(log, sql, found);
    if (err == ML_OK && *found) {
        out->id = ml_stmt_int(s, 0);
        out->by = (uint64_t)ml_stmt_int(s, 1);
        out->place = (uint8_t)ml_stmt_int(s, 2);
        whole = take(s, 3, out->stream.b, sizeof(out->stream.b)) &&
                take_version(s, 4, &out->wrap) && take_version(s, 6, &out->cover) &&
                take_version(s, 8, &out->epoch) && take(s, 10, out->dek.b, sizeof(out->dek.b));
    }
    ml_stmt_reset(s);
    return whole ? err : ml_log_corrupt(log);
}

/* ---- noting ---- */

static struct ml_version_id named(const struct ml_version_ref *ref, const struct ml_hash16 *own)
{
    struct ml_version_id id = ref->id;
    if (ref->same_bundle) {
        id.bundle = *own;
    }
    return id;
}

static ml_err rows_put(struct ml_log *log, const struct ml_log_entry *e, uint8_t place,
                       const struct ml_shred *op)
{
    struct ml_stmt *s = log->st[ML_SQL_SHRED_PUT];
    const struct ml_hash16 own = ml_hash16_of(&e->hash);
    struct ml_list_walk walk;
    struct ml_shred_wrap one;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &op->wraps);
    while (err == ML_OK && ml_shred_wrap_next(&walk, &one)) {
        const struct ml_version_id wrap = named(&one.wrap, &own);
        const struct ml_version_id cover = named(&one.by, &own);
        const struct ml_version_id epoch = named(&one.epoch, &own);
        ml_stmt_bind_int(s, 1, (int64_t)e->n);
        ml_stmt_bind_int(s, 2, place);
        BIND(s, 3, op->stream);
        bind_version(s, 4, &wrap);
        bind_version(s, 6, &cover);
        bind_version(s, 8, &epoch);
        BIND(s, 10, one.dek);
        err = ml_stmt_run(s);
        log->tally.shred_rows++;
    }
    return err;
}

/* Each SHRED of a stored bundle. */
static ml_err ops_note(struct ml_log *log, uint64_t n)
{
    struct ml_log_entry e;
    struct ml_body_walk walk;
    struct ml_body_op body;
    ml_err err = ml_log_entry_of(log, &e, n);
    if (err != ML_OK || e.body.absent != 0) {
        return err;
    }
    ml_body_walk(&walk, e.body.bytes);
    while (err == ML_OK && ml_body_next(&walk, &body)) {
        struct ml_keyop op;
        if (!body.shredded && ml_keyop_type_of(body.sealed) == ML_KEYOP_SHRED &&
            ml_keyop_decode(&op, body.sealed, NULL) == ML_OK) {
            err = rows_put(log, &e, (uint8_t)walk.index, &op.u.shred);
        }
    }
    ml_log_entry_done(log);
    return err;
}

/* ---- may it be? ---- */

/* Nothing stands in its place: the wrap names itself. */
static bool is_end(const struct shred *row)
{
    return ml_version_id_compare(&row->wrap, &row->cover) == 0;
}

/* A stored op of lane 1. *found false: not here, or a leaf now, which *leaf tells. Its slices live
 * with the entry. */
struct found {
    struct ml_log_entry entry;
    int64_t flags;
    struct ml_keyop op;
    bool here;
    bool leaf;
    bool hole;
};

static ml_err op_find(struct ml_log *log, struct found *out, const struct ml_version_id *id)
{
    struct ml_body_walk walk;
    struct ml_body_op body = {.shredded = false};
    uint64_t n = 0;
    *out = (struct found){.here = false};
    ml_err err = ml_log_find_hash(log, &n, &id->bundle);
    if (err == ML_OK && n != 0) {
        err = ml_log_header_of(log, &out->entry, &out->flags, n);
    }
    if (err != ML_OK || n == 0 || out->entry.header.lane != ML_LANE_KEYS) {
        return err;
    }
    out->hole = (out->flags & ML_LOG_HOLE) != 0;
    if (out->hole) {
        return ML_OK;
    }
    err = ml_log_body_read(log, &out->entry, out->flags);
    if (err != ML_OK) {
        return err;
    }
    ml_body_walk(&walk, out->entry.body.bytes);
    while (ml_body_next(&walk, &body) && walk.index != id->index) {
    }
    if (walk.index == id->index && walk.started) {
        out->leaf = body.shredded;
        out->here = !body.shredded && ml_keyop_decode(&out->op, body.sealed, NULL) == ML_OK &&
                    out->op.known;
    }
    return ML_OK;
}

/* What a fork set aside later may have been obeyed: a leaf that came by it is as good as one that
 * was made here. Of who was denied it isn't: only who may destroy it accounts for it. */
static bool counts(const struct ml_log *log, const struct judged *j, const struct ml_log_entry *e,
                   uint8_t place)
{
    return ml_log_op_counts(log, e, place) || (j->came && e->reason == ML_REASON_FORK);
}

/* Was the author entitled in the group of this epoch, which may seal? */
static ml_err epoch_check(struct ml_log *log, struct judged *j, bool *good, struct ml_gvec *gvec,
                          uint64_t hlc)
{
    struct found f;
    *good = false;
    ml_err err = op_find(log, &f, &j->row->epoch);
    if (err != ML_OK || !f.here || f.op.type != ML_KEYOP_KEK_EPOCH) {
        return err;
    }
    j->group = f.op.u.kek_epoch;
    err = ml_log_epoch_fits(log, &f.entry, &f.op.u.kek_epoch, good);
    if (err == ML_OK && *good) {
        const struct ml_gov_author_in in = {.gvec = gvec,
                                            .writer = j->writer,
                                            .hlc = hlc,
                                            .team = j->group.team,
                                            .compartment = j->group.compartment};
        err = ml_gov_author_reads(log->gov, good, &in);
    }
    return err;
}

static ml_err author_check(struct ml_log *log, struct judged *j, bool *good)
{
    struct ml_log_entry e;
    struct ml_log_known known = {0};
    struct ml_stmt *s = log->st[ML_SQL_KNOWN];
    int64_t flags = 0;
    bool found = false;
    *good = false;
    ml_err err = ml_log_header_of(log, &e, &flags, j->row->by);
    if (err != ML_OK || !counts(log, j, &e, j->row->place)) {
        return err;
    }
    const uint64_t hlc = e.header.hlc;
    j->writer = e.header.writer;
    j->author = ml_gov_opening(log->gov, &j->writer);
    ml_stmt_bind_int(s, 1, (int64_t)j->row->by);
    err = ml_log_row(log, ML_SQL_KNOWN, &found);
    if (err == ML_OK) {
        err = found ? ml_log_known_read(log, &known, s) : ml_log_corrupt(log);
    }
    ml_stmt_reset(s);
    if (err == ML_OK && j->author != NULL) {
        err = epoch_check(log, j, good, known.j.gvec, hlc);
    }
    if (err == ML_OK && *good && is_end(j->row)) {
        err = ml_gov_leads_at(log->gov, &j->leads, &j->writer, known.j.gvec);
    }
    ml_log_known_free(&known);
    return err;
}

/* What was destroyed by another SHRED: what replaced it; *ended: nothing, the key's record is over,
 * and what it replaced goes too. */
static ml_err cover_of(struct ml_log *log, const struct judged *j, struct ml_version_id *at,
                       bool *found, bool *ended)
{
    struct shred next;
    bind_version(log->st[ML_SQL_SHRED_COVER], 1, at);
    ml_err err = row_read(log, &next, found, ML_SQL_SHRED_COVER);
    if (err == ML_OK && *found) {
        *at = next.cover;
        *found = !is_end(&next);
        *ended = !*found && SAME(next.stream, j->row->stream) && SAME(next.dek, j->row->dek);
    }
    return err;
}

/* Who destroys answers for what replaces it: both are of one member. */
static bool is_same_member(const struct ml_log *log, const struct judged *j, const struct found *f)
{
    const struct ml_fact *by =
        f->here || f->leaf ? ml_gov_opening(log->gov, &f->entry.header.writer) : NULL;
    return by != NULL && SAME(by->member, j->author->member);
}

static bool is_named(const struct ml_dek_slots *slots, const struct ml_box_pk *key)
{
    const struct ml_recipient_id id = ml_recipient_id_of(key);
    struct ml_list_walk walk;
    struct ml_dek_slot slot;
    bool found = false;
    ml_list_walk(&walk, &slots->slots);
    while (!found && ml_dek_slot_next(&walk, &slot)) {
        found = SAME(slot.recipient, id);
    }
    return found;
}

/* Is one of the author's keys among those that this op is for? */
static bool is_recipient(const struct ml_log *log, const struct judged *j,
                         const struct ml_dek_slots *slots)
{
    const struct ml_fact *mon = ml_gov_next(log->gov, ML_FACT_MON, NULL);
    while (mon != NULL &&
           (!SAME(mon->member, j->author->member) || !is_named(slots, &mon->box_pk))) {
        mon = ml_gov_next(log->gov, ML_FACT_MON, mon);
    }
    return mon != NULL;
}

/* What stands in its place is here, or what replaced that, and so on; never the wrap itself. */
static ml_err cover_check(struct ml_log *log, struct judged *j, bool *good)
{
    struct ml_version_id at = j->row->cover;
    struct found f;
    bool more = true;
    ml_err err = ML_OK;
    *good = false;
    for (unsigned i = 0; more && err == ML_OK && i < CHAIN_MAX; i++) {
        more = false;
        if (ml_version_id_compare(&at, &j->row->wrap) == 0) {
            return ML_OK;
        }
        err = op_find(log, &f, &at);
        if (err != ML_OK || (i == 0 && !is_same_member(log, j, &f))) {
            return err;
        }
        if (f.leaf) {
            err = cover_of(log, j, &at, &more, good);
        } else {
            *good = f.here && counts(log, j, &f.entry, at.index) &&
                    f.op.type == ML_KEYOP_DEK_SLOTS &&
                    SAME(f.op.u.dek_slots.stream, j->row->stream) &&
                    SAME(f.op.u.dek_slots.dek, j->row->dek) &&
                    (i > 0 || is_recipient(log, j, &f.op.u.dek_slots));
        }
    }
    return err;
}

static bool is_wrap_of(const struct ml_log *log, const struct judged *j, const struct ml_keyop *op)
{
    const struct ml_stream_id *stream = &j->row->stream;
    switch (op->type) {
    case ML_KEYOP_DEK_WRAP:
        return SAME(op->u.dek_wrap.stream, *stream) && SAME(op->u.dek_wrap.dek, j->row->dek) &&
               SAME(op->u.dek_wrap.kek, j->group.kek);
    case ML_KEYOP_DEPOSIT_WRAP:
        return SAME(op->u.deposit_wrap.stream, *stream) &&
               SAME(op->u.deposit_wrap.dek, j->row->dek) &&
               SAME(op->u.deposit_wrap.kek, j->group.kek);
    case ML_KEYOP_BG_WRAP:
        return SAME(op->u.bg_wrap.stream, *stream) && SAME(op->u.bg_wrap.dek, j->row->dek) &&
               (SAME(op->u.bg_wrap.break_glass, j->group.break_glass) ||
                j->group.compartment == ML_COMPARTMENT_SENSITIVE); /* a member's share */
    case ML_KEYOP_DEK_SLOTS:
        return SAME(op->u.dek_slots.stream, *stream) && SAME(op->u.dek_slots.dek, j->row->dek) &&
               is_recipient(log, j, &op->u.dek_slots);
    default:
        return false;
    }
}

/* Another member says the same of this wrap, and one of the two leads. */
static ml_err second_check(struct ml_log *log, const struct judged *j, bool *good)
{
    struct shred row = {.id = 0};
    bool found = true;
    ml_err err = ML_OK;
    *good = false;
    while (err == ML_OK && found && !*good) {
        struct judged other = {.row = &row, .came = j->came};
        bool entitled = false;
        ml_stmt_bind_int(log->st[ML_SQL_SHRED_OF], 1, row.id);
        bind_version(log->st[ML_SQL_SHRED_OF], 2, &j->row->wrap);
        err = row_read(log, &row, &found, ML_SQL_SHRED_OF);
        if (err == ML_OK && found && is_end(&row) && SAME(row.stream, j->row->stream) &&
            SAME(row.dek, j->row->dek)) {
            err = author_check(log, &other, &entitled);
        }
        *good = err == ML_OK && entitled && !SAME(other.author->member, j->author->member) &&
                (j->leads || other.leads);
    }
    return err;
}

/* All but the wrap itself. */
static ml_err conditions(struct ml_log *log, struct judged *j, bool *good)
{
    ml_err err = author_check(log, j, good);
    if (err == ML_OK && *good) {
        err = is_end(j->row) ? second_check(log, j, good) : cover_check(log, j, good);
    }
    return err;
}

/* ---- doing it ---- */

static ml_err row_done(struct ml_log *log, const struct shred *row)
{
    struct ml_stmt *s = log->st[ML_SQL_SHRED_DONE];
    ml_stmt_bind_int(s, 1, row->id);
    ml_stmt_bind_int(s, 2, (int64_t)++log->tally.shreds);
    log->shreds_again = true;
    return ml_stmt_run(s);
}

static ml_err body_replace(struct ml_log *log, const struct found *f, uint8_t index)
{
    struct ml_buf body;
    ml_buf_init(&body, log->env, ML_BODY_SHREDDED_MAX);
    ml_err err = ml_body_shred(&body, f->entry.body.bytes, index);
    if (err == ML_OK) {
        const uint64_t n = f->entry.n;
        const uint32_t bytes = ml_log_wire_len(f->entry.header_bytes.len, body.len, false);
        ml_log_entry_done(log);
        err = ml_log_body_set(log, n, f->flags, ml_buf_slice(&body), bytes);
        log->erase = true;
    }
    ml_buf_free(&body);
    return err;
}

/* ---- bodies that come with leaves ---- */

/* Does a SHRED that may be account for this leaf? */
static ml_err leaf_check(struct ml_log *log, const struct ml_version_id *leaf, bool *good)
{
    struct shred row = {.id = 0};
    bool found = true;
    ml_err err = ML_OK;
    *good = false;
    while (err == ML_OK && found && !*good) {
        struct judged j = {.row = &row, .came = true};
        ml_stmt_bind_int(log->st[ML_SQL_SHRED_OF], 1, row.id);
        bind_version(log->st[ML_SQL_SHRED_OF], 2, leaf);
        err = row_read(log, &row, &found, ML_SQL_SHRED_OF);
        if (err == ML_OK && found) {
            err = conditions(log, &j, good);
        }
    }
    return err;
}

static ml_err leaves_check(struct ml_log *log, const struct ml_hash16 *hash, struct ml_slice body,
                           bool *good)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_err err = ML_OK;
    *good = body.len > 0;
    ml_body_walk(&walk, body);
    while (err == ML_OK && *good && ml_body_next(&walk, &op)) {
        const struct ml_version_id id = {.bundle = *hash, .index = (uint8_t)walk.index};
        err = op.shredded ? leaf_check(log, &id, good) : ML_OK;
    }
    return err;
}

static ml_err kept_read(struct ml_log *log, uint64_t n, struct ml_buf *out)
{
    struct ml_stmt *s = log->st[ML_SQL_FILL];
    bool found = false;
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_err err = ml_log_row(log, ML_SQL_FILL, &found);
    if (err == ML_OK && found) {
        const struct ml_slice bytes = ml_stmt_blob(s, 0);
        ml_buf_append(out, bytes.data, bytes.len);
        err = out->err;
    }
    ml_stmt_reset(s);
    return err;
}

/* What was kept beside the hole is the body, once each leaf of it is accounted for. */
static ml_err adopt(struct ml_log *log, uint64_t n, bool *adopted)
{
    struct ml_log_entry e;
    struct ml_buf body;
    int64_t flags = 0;
    bool good = false;
    ml_err err = ml_log_header_of(log, &e, &flags, n);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_hash16 hash = ml_hash16_of(&e.hash);
    const size_t header_len = e.header_bytes.len;
    ml_log_entry_done(log);
    ml_buf_init(&body, log->env, ML_BODY_SHREDDED_MAX);
    err = kept_read(log, n, &body);
    if (err == ML_OK) {
        err = leaves_check(log, &hash, ml_buf_slice(&body), &good);
    }
    ml_log_entry_done(log);
    if (err == ML_OK && good) {
        const uint32_t bytes = ml_log_wire_len(header_len, body.len, false);
        err = ml_log_body_come(log, n, flags, ml_buf_slice(&body), bytes);
        err = err == ML_OK ? ops_note(log, n) : err;
        log->shreds_again = true;
        *adopted = err == ML_OK;
    }
    ml_buf_free(&body);
    return err;
}

/* ---- obeying ---- */

static ml_err obey(struct ml_log *log, const struct shred *row)
{
    struct judged j = {.row = row};
    struct found f;
    bool good = false;
    bool adopted = false;
    ml_err err = conditions(log, &j, &good);
    if (err == ML_OK && good) {
        err = op_find(log, &f, &row->wrap);
    }
    if (err != ML_OK || !good) {
        return err;
    }
    if (f.hole) {
        return adopt(log, f.entry.n, &adopted);
    }
    if (f.leaf) {
        return row_done(log, row);
    }
    if (!f.here || !is_wrap_of(log, &j, &f.op)) {
        return ML_OK;
    }
    err = body_replace(log, &f, row->wrap.index);
    return err == ML_OK ? row_done(log, row) : err;
}

/* Those that wait and are of this bundle or name it; 0: all that wait. */
static ml_err obey_all(struct ml_log *log, uint64_t n, const struct ml_hash16 *hash)
{
    const enum ml_log_sql sql = n == 0 ? ML_SQL_SHRED_NEXT : ML_SQL_SHRED_NAMING;
    struct shred row = {.id = 0};
    bool found = log->tally.shred_rows > 0;
    ml_err err = ML_OK;
    log->shreds_again = false;
    while (err == ML_OK && found) {
        ml_stmt_bind_int(log->st[sql], 1, row.id);
        if (n != 0) {
            BIND(log->st[sql], 2, *hash);
            ml_stmt_bind_int(log->st[sql], 3, (int64_t)n);
        }
        err = row_read(log, &row, &found, sql);
        if (err == ML_OK && found) {
            err = obey(log, &row);
        }
    }
    return err;
}

/* One that is obeyed may be what another waits for. */
ml_err ml_log_shreds_retry(struct ml_log *log)
{
    ml_err err = obey_all(log, 0, NULL);
    while (err == ML_OK && log->shreds_again) {
        err = obey_all(log, 0, NULL);
    }
    return err;
}

ml_err ml_log_shreds_note(struct ml_log *log, uint64_t n, const struct ml_hash *hash)
{
    const struct ml_hash16 own = ml_hash16_of(hash);
    ml_err err = ops_note(log, n);
    if (err == ML_OK) {
        err = obey_all(log, n, &own);
    }
    return err == ML_OK && log->shreds_again ? ml_log_shreds_retry(log) : err;
}

ml_err ml_log_leaves_keep(struct ml_log *log, bool *adopted, uint64_t n,
                          const struct ml_log_one *one)
{
    struct ml_stmt *s = log->st[ML_SQL_FILL_PUT];
    const struct ml_hash root = ml_body_root(one->leaves);
    if (one->bundle.header.lane != ML_LANE_KEYS ||
        memcmp(root.b, one->bundle.header.body_root.b, sizeof(root.b)) != 0) {
        return ML_OK;
    }
    ml_stmt_bind_int(s, 1, (int64_t)n);
    ml_stmt_bind_blob(s, 2, one->leaves.data, one->leaves.len);
    ml_err err = ml_stmt_run(s);
    if (err == ML_OK) {
        err = adopt(log, n, adopted);
    }
    return err == ML_OK && *adopted ? ml_log_shreds_retry(log) : err;
}

/* ---- what an earlier program stored ---- */

static const char unread[] = "shreds.unread";

static ml_err is_unread(struct ml_log *log, bool *is)
{
    struct ml_stmt *s = log->st[ML_SQL_SETTING_GET];
    ml_stmt_bind_text(s, 1, unread, sizeof(unread) - 1);
    ml_err err = ml_log_row(log, ML_SQL_SETTING_GET, is);
    ml_stmt_reset(s);
    return err;
}

/* Rows that are here are of a log that was made anew meanwhile, which read them all. */
static ml_err read_all(struct ml_log *log)
{
    struct ml_log_entry e = {.n = 0};
    ml_err err = log->tally.shred_rows > 0 ? ML_E_NOT_FOUND : ML_OK;
    while (err == ML_OK) {
        const uint64_t n = e.n;
        err = ml_log_after(log, n, ML_LOG_LANE(ML_LANE_KEYS), &e);
        err = err == ML_OK ? ops_note(log, e.n) : err;
    }
    ml_log_entry_done(log);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

ml_err ml_log_shreds_upgrade(struct ml_log *log)
{
    struct ml_stmt *s = log->st[ML_SQL_SETTING_DELETE];
    bool is = false;
    ml_err err = is_unread(log, &is);
    if (err != ML_OK || !is) {
        return err;
    }
    err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    err = read_all(log);
    if (err == ML_OK) {
        err = ml_log_shreds_retry(log);
    }
    if (err == ML_OK) {
        ml_stmt_bind_text(s, 1, unread, sizeof(unread) - 1);
        err = ml_stmt_run(s);
    }
    return ml_log_done(log, err);
}

/* ---- told ---- */

uint64_t ml_log_shreds(const struct ml_log *log)
{
    return log->tally.shreds;
}

ml_err ml_log_shredded_after(struct ml_log *log, uint64_t after, struct ml_log_shredded *out)
{
    struct ml_stmt *s = log->st[ML_SQL_SHRED_AFTER];
    bool found = false;
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK) {
        return err;
    }
    ml_stmt_bind_int(s, 1, (int64_t)after);
    err = ml_log_row(log, ML_SQL_SHRED_AFTER, &found);
    if (err == ML_OK && found) {
        out->number = (uint64_t)ml_stmt_int(s, 0);
        out->by = (uint64_t)ml_stmt_int(s, 1);
        out->left = (uint32_t)ml_stmt_int(s, 5);
        const bool whole =
            take(s, 2, out->stream.b, sizeof(out->stream.b)) && take_version(s, 3, &out->shred);
        out->ended = ml_stmt_int(s, 6) != 0;
        err = whole ? ML_OK : ml_log_corrupt(log);
    }
    ml_stmt_reset(s);
    return err == ML_OK && !found ? ML_E_NOT_FOUND : err;
}

ml_err ml_log_shreds_wiped(struct ml_log *log)
{
    if (!log->erase) {
        return ML_OK;
    }
    if (log->writing || log->explicit) {
        return ML_E_BUSY;
    }
    ml_log_quiet(log);
    ml_err err = ml_db_checkpoint(log->db);
    log->erase = err != ML_OK;
    return err;
}

/* ---- key ops by what they name ---- */

static bool is_of_stream(const struct ml_keyop *op, const struct ml_stream_id *stream)
{
    switch (op->type) {
    case ML_KEYOP_DEK_WRAP:
        return SAME(op->u.dek_wrap.stream, *stream);
    case ML_KEYOP_BG_WRAP:
        return SAME(op->u.bg_wrap.stream, *stream);
    case ML_KEYOP_DEK_SLOTS:
        return SAME(op->u.dek_slots.stream, *stream);
    case ML_KEYOP_DEPOSIT_WRAP:
        return SAME(op->u.deposit_wrap.stream, *stream);
    case ML_KEYOP_SHRED:
        return SAME(op->u.shred.stream, *stream);
    default:
        return false;
    }
}

static ml_err ops_tell(const struct ml_log_entry *e, ml_log_keyop_cb *each, void *user)
{
    struct ml_body_walk walk;
    struct ml_body_op body;
    ml_err err = ML_OK;
    if (e->body.absent != 0) {
        return ML_OK;
    }
    ml_body_walk(&walk, e->body.bytes);
    while (err == ML_OK && ml_body_next(&walk, &body)) {
        struct ml_keyop op;
        if (!body.shredded && ml_keyop_decode(&op, body.sealed, NULL) == ML_OK && op.known) {
            err = each(user, e, (uint8_t)walk.index, &op);
        }
    }
    return err;
}

ml_err ml_log_keyops(struct ml_log *log, struct ml_slice naming, ml_log_keyop_cb *each, void *user)
{
    struct ml_stmt *s = log->st[ML_SQL_KEYS_WITH];
    uint64_t n = 0;
    bool found = true;
    ml_err err = ml_log_fresh(log);
    while (err == ML_OK && found) {
        struct ml_log_entry e;
        ml_stmt_bind_int(s, 1, (int64_t)n);
        ml_stmt_bind_blob(s, 2, naming.data, naming.len);
        err = ml_log_row(log, ML_SQL_KEYS_WITH, &found);
        n = err == ML_OK && found ? (uint64_t)ml_stmt_int(s, 0) : n;
        ml_stmt_reset(s);
        if (err == ML_OK && found) {
            err = ml_log_entry_of(log, &e, n);
        }
        if (err == ML_OK && found) {
            err = ops_tell(&e, each, user);
        }
    }
    ml_log_entry_done(log);
    return err;
}

struct of_stream {
    const struct ml_stream_id *stream;
    ml_log_keyop_cb *each;
    void *user;
};

static ml_err of_stream_take(void *user, const struct ml_log_entry *entry, uint8_t index,
                             const struct ml_keyop *op)
{
    const struct of_stream *of = user;
    return is_of_stream(op, of->stream) ? of->each(of->user, entry, index, op) : ML_OK;
}

ml_err ml_log_wraps(struct ml_log *log, const struct ml_stream_id *stream, ml_log_keyop_cb *each,
                    void *user)
{
    struct of_stream of = {stream, each, user};
    return ml_log_keyops(log, ml_slice(stream->b, sizeof(stream->b)), of_stream_take, &of);
}
