/* core/record/vault_glass.c -- see glass.h.
 *
 * Happy path: the new vault takes the groups' ops, the patient's streams of the compartments asked
 * for and their wraps from the member's vault; each break-glass wrap that the member's emergency
 * pair opens, or that holds his share where another lent his, gives the new vault's keyring a data
 * key. Then every bundle of the log whose clear
 * dictionary names one of the streams is projected; of others nothing is opened, and nothing of
 * what the patient masked or keeps emergencies out of: that waits behind the veil (vault_veil.c).
 *
 * Failures: an error closes the new vault. Invariant: its store knows the streams of this patient
 * and these compartments alone, so that nothing else can open in it.
 */
#include "core/record/glass.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/kdf.h"
#include "core/model/keyring_except.h"
#include "core/model/keyring_pair.h"
#include "core/record/vault_int.h"

enum { ROWS_BYTES_MAX = 1 << 22 };

struct copying {
    const struct ml_glass_args *args;
    struct ml_vault *from;
    struct ml_vault *to;
    struct ml_glass_found *found;
    struct ml_buf rows; /* what a walk found: it may not use the store */
};

static ml_err groups_copy(struct copying *c)
{
    struct ml_stmt *st = c->from->st[ST_GROUP_ALL];
    ml_err err = ML_OK;
    bool row = false;
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_keyop op;
        struct ml_keyring_news news;
        err = ml_keyop_decode(&op, ml_stmt_blob(st, 1), NULL) == ML_OK ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK) {
            err = ml_keyring_apply(c->to->keyring, &op, ml_stmt_int(st, 0) != 0, &news);
        }
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

static ml_err link_row(void *user, const struct ml_patient_link *link)
{
    struct ml_buf *rows = user;
    ml_buf_append(rows, link, sizeof(*link));
    return rows->err;
}

static ml_err wrap_row(void *user, const struct ml_stored_wrap *wrap)
{
    struct ml_buf *rows = user;
    ml_buf_append(rows, wrap, sizeof(*wrap));
    return rows->err;
}

static ml_err bg_row(void *user, const struct ml_bg_wrap *wrap)
{
    struct ml_buf *rows = user;
    ml_buf_append(rows, wrap, sizeof(*wrap));
    return rows->err;
}

static ml_err wraps_copy(struct copying *c, const struct ml_stream_id *stream)
{
    const struct ml_keyring_store *from = &c->from->key_store;
    ml_buf_clear(&c->rows);
    ml_err err = from->wrap_each(from->ctx, stream, wrap_row, &c->rows);
    for (size_t at = 0; err == ML_OK && at < c->rows.len; at += sizeof(struct ml_stored_wrap)) {
        struct ml_stored_wrap wrap;
        memcpy(&wrap, c->rows.data + at, sizeof(wrap));
        err = c->to->key_store.wrap_put(c->to, &wrap);
    }
    return err;
}

/* Of a sensitive key: the member's own share, with that of another who lent his. */
static ml_err shares_join(const struct copying *c, const struct ml_bg_wrap *wrap,
                          uint8_t dek[ML_KEY_BYTES])
{
    struct ml_share_point own = {.member = c->args->vault.member};
    ml_err err = ml_keyring_open_share(c->from->keyring, wrap, own.share);
    if (err != ML_OK) {
        return err;
    }
    err = ML_E_NO_KEY;
    for (size_t i = 0; i < c->args->lent_count && err != ML_OK; i++) {
        const struct ml_glass_lent *lent = &c->args->lent[i];
        if (memcmp(lent->dek.b, wrap->dek.b, sizeof(wrap->dek.b)) == 0) {
            err = ml_share_points_join(dek, &wrap->dek, &own, &lent->point);
        }
    }
    ml_wipe(&own, sizeof(own));
    return err == ML_OK ? ML_OK : ML_E_NO_KEY;
}

/* NO_KEY: none of the groups' keys gives it, and no glass did yet. */
static ml_err dek_held(const struct copying *c, const struct ml_bg_wrap *wrap)
{
    struct ml_stream_info info;
    const uint8_t *held = NULL;
    return ml_keyring_dek(c->to->keyring, &wrap->stream, &wrap->dek, &info, &held);
}

/* A data key that the groups' keys give too counts as nobody's. */
static ml_err glass_open(struct copying *c, const struct ml_bg_wrap *wrap)
{
    uint8_t dek[ML_KEY_BYTES];
    ml_err err = dek_held(c, wrap);
    if (err != ML_E_NO_KEY) {
        return err;
    }
    err = ml_keyring_open_glass(c->from->keyring, wrap, dek);
    if (err == ML_E_NO_KEY) {
        err = shares_join(c, wrap, dek);
    }
    if (err == ML_OK) {
        err = ml_keyring_take_dek(c->to->keyring, &wrap->stream, &wrap->dek, dek);
        c->found->deks_opened += err == ML_OK;
    }
    ml_wipe(dek, sizeof(dek));
    return err == ML_E_NO_KEY || err == ML_E_FORGED ? ML_OK : err;
}

static struct ml_bg_wrap row_at(const struct copying *c, size_t i)
{
    struct ml_bg_wrap wrap;
    memcpy(&wrap, c->rows.data + i * sizeof(wrap), sizeof(wrap));
    return wrap;
}

/* Is it the first row of its DEK? Each counts once, in however many wraps it is. */
static bool is_first_row(const struct copying *c, size_t i)
{
    const struct ml_bg_wrap wrap = row_at(c, i);
    size_t first = 0;
    while (first < i) {
        const struct ml_bg_wrap other = row_at(c, first);
        if (memcmp(other.dek.b, wrap.dek.b, sizeof(wrap.dek.b)) == 0) {
            break;
        }
        first++;
    }
    return first == i;
}

static ml_err closed_count(struct copying *c, size_t i)
{
    const struct ml_bg_wrap wrap = row_at(c, i);
    const ml_err err = is_first_row(c, i) ? dek_held(c, &wrap) : ML_OK;
    c->found->deks_closed += err == ML_E_NO_KEY;
    return err == ML_E_NO_KEY ? ML_OK : err;
}

static ml_err glasses_open(struct copying *c, const struct ml_stream_id *stream)
{
    const struct ml_keyring_store *from = &c->from->key_store;
    ml_buf_clear(&c->rows);
    ml_err err = from->bg_each(from->ctx, stream, bg_row, &c->rows);
    const size_t count = c->rows.len / sizeof(struct ml_bg_wrap);
    for (size_t i = 0; err == ML_OK && i < count; i++) {
        const struct ml_bg_wrap wrap = row_at(c, i);
        err = glass_open(c, &wrap);
    }
    for (size_t i = 0; err == ML_OK && i < count; i++) {
        err = closed_count(c, i);
    }
    return err;
}

static ml_err stream_copy(struct copying *c, const struct ml_object_id *patient,
                          const struct ml_stream_id *stream)
{
    struct ml_stream_info info;
    const struct ml_keyring_store *from = &c->from->key_store;
    ml_err err = from->stream_get(from->ctx, stream, &info);
    if (err != ML_OK || !ml_object_id_equal(&info.patient, patient)) {
        return err == ML_E_NOT_FOUND ? ML_OK : err; /* another patient has it */
    }
    err = c->to->key_store.stream_put(c->to, stream, &info);
    if (err == ML_OK) {
        err = wraps_copy(c, stream);
    }
    if (err == ML_OK) {
        err = glasses_open(c, stream);
    }
    c->found->streams += err == ML_OK;
    return err;
}

static ml_err link_copy(struct copying *c, const struct ml_glass_args *args,
                        const struct ml_patient_link *link)
{
    struct ml_secret *secret = NULL;
    ml_err err = ml_secret_from(&secret, link->secret, ML_LINK_BYTES);
    for (unsigned i = 1; i <= ML_COMPARTMENT_LAST && err == ML_OK; i++) {
        if ((args->compartments >> i & 1u) != 0) {
            const struct ml_stream_id stream = ml_stream_id_derive(secret, (ml_compartment)i);
            err = stream_copy(c, &args->patient, &stream);
        }
    }
    ml_secret_free(secret);
    return err;
}

static ml_err streams_copy(struct copying *c, const struct ml_glass_args *args)
{
    const struct ml_keyring_store *from = &c->from->key_store;
    struct ml_buf links;
    ml_buf_init_wiped(&links, c->to->env, ML_KEYRING_LINKS_MAX * sizeof(struct ml_patient_link));
    ml_err err = from->link_each(from->ctx, &args->patient, link_row, &links);
    if (err == ML_OK && links.len == 0) {
        err = ML_E_NOT_FOUND;
    }
    for (size_t at = 0; err == ML_OK && at < links.len; at += sizeof(struct ml_patient_link)) {
        struct ml_patient_link link;
        memcpy(&link, links.data + at, sizeof(link));
        err = link_copy(c, args, &link);
        ml_wipe(&link, sizeof(link));
    }
    ml_buf_free(&links);
    return err;
}

ml_err ml_vault_glass(struct ml_vault **out, struct ml_glass_found *found,
                      const struct ml_glass_args *args)
{
    struct ml_glass_found counted = {0};
    struct copying c = {.args = args, .from = args->from, .found = &counted};
    ml_err err = ml_vault_open(&c.to, &args->vault);
    if (err != ML_OK) {
        return err;
    }
    ml_buf_init(&c.rows, c.to->env, ROWS_BYTES_MAX);
    err = groups_copy(&c);
    if (err == ML_OK) {
        err = ml_db_begin(c.to->db);
    }
    if (err == ML_OK) {
        err = streams_copy(&c, args);
        err = err == ML_OK ? ml_db_commit(c.to->db) : err;
    }
    ml_buf_free(&c.rows);
    if (err != ML_OK) {
        ml_vault_close(c.to); /* what was begun goes with it */
        return err;
    }
    *out = c.to;
    *found = counted;
    return ML_OK;
}

/* ---- shares ---- */

struct own_shares {
    struct ml_vault *v;
    ml_own_share_cb *each;
    void *user;
    struct ml_buf rows; /* of struct ml_bg_wrap */
};

static ml_err share_tell(const struct own_shares *o, const struct ml_bg_wrap *wrap)
{
    uint8_t share[ML_KEY_BYTES];
    ml_err err = ml_keyring_open_share(o->v->keyring, wrap, share);
    if (err == ML_OK) {
        err = o->each(o->user, &wrap->dek, share);
    }
    ml_wipe(share, sizeof(share));
    return err == ML_E_NO_KEY || err == ML_E_FORGED ? ML_OK : err; /* another's, or nobody's */
}

ml_err ml_vault_each_share(struct ml_vault *v, const struct ml_object_id *patient,
                           ml_own_share_cb *each, void *user)
{
    struct own_shares o = {.v = v, .each = each, .user = user};
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    ml_buf_init(&o.rows, v->env, ROWS_BYTES_MAX);
    ml_err err = ml_keyring_streams(v->keyring, patient, ML_COMPARTMENT_SENSITIVE, streams, &count);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = v->key_store.bg_each(v, &streams[i], bg_row, &o.rows);
    }
    for (size_t at = 0; err == ML_OK && at < o.rows.len; at += sizeof(struct ml_bg_wrap)) {
        struct ml_bg_wrap wrap;
        memcpy(&wrap, o.rows.data + at, sizeof(wrap));
        err = share_tell(&o, &wrap);
    }
    ml_buf_free(&o.rows);
    return err;
}

ml_err ml_vault_sensitive(struct ml_vault *v, struct ml_buf *patients)
{
    struct ml_stmt *st = v->st[ST_BG_OF];
    bool row = false;
    ml_err err = ML_OK;
    ml_stmt_bind_int(st, 1, ML_COMPARTMENT_SENSITIVE);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        const struct ml_slice oid = ml_stmt_blob(st, 0);
        err = oid.len == sizeof(struct ml_object_id) ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK) {
            ml_buf_append(patients, oid.data, oid.len);
            err = patients->err;
        }
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

/* ---- following the log ---- */

static ml_err concerns(struct ml_vault *v, const struct ml_log_entry *entry, bool *does)
{
    struct ml_list_walk walk;
    struct ml_dict_entry dict;
    struct ml_stream_info info;
    ml_err err = ML_E_NOT_FOUND;
    ml_list_walk(&walk, &entry->header.dictionary);
    while (err == ML_E_NOT_FOUND && ml_dict_next(&walk, &dict)) {
        err = v->key_store.stream_get(v, &dict.stream, &info);
    }
    *does = err == ML_OK;
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err follow(struct ml_vault *v, struct ml_log *log)
{
    struct ml_log_entry entry;
    ml_err err = ML_OK;
    while (err == ML_OK) {
        bool does = false;
        err = ml_log_after(log, v->state.record_cursor, ML_LOG_LANE(ML_LANE_RECORD), &entry);
        if (err != ML_OK) {
            break;
        }
        v->state.record_cursor = entry.n;
        err = concerns(v, &entry, &does);
        if (err == ML_OK && does) {
            err = ml_vault_project(v, log, &entry);
        }
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

ml_err ml_vault_glass_follow(struct ml_vault *glass, struct ml_log *log,
                             const struct ml_glass_args *args)
{
    const uint64_t epoch = ml_log_epoch(log);
    if (glass->state.record_cursor > 0 && glass->state.log_epoch != epoch) {
        return ML_E_STALE;
    }
    ml_err err = ml_db_begin(glass->db);
    if (err != ML_OK) {
        return err;
    }
    glass->state.log_epoch = epoch;
    err = ml_vault_veil_glass(glass, args->from, log, &args->patient);
    if (err == ML_OK) {
        err = follow(glass, log);
    }
    if (err == ML_OK) {
        err = ml_db_commit(glass->db);
    }
    if (err != ML_OK) {
        ml_db_rollback(glass->db);
        glass->state.record_cursor = UINT64_MAX; /* it is of no use any more */
        return err;
    }
    glass->state.complete = 1;
    return ML_OK;
}

/* ---- what is said ---- */

ml_err ml_vault_put_glass(struct ml_vault *v, const struct ml_log_entry *entry, struct ml_slice op)
{
    struct ml_stmt *st = v->st[ST_GLASS_PUT];
    ml_stmt_bind_blob(st, 1, entry->header.writer.b, sizeof(entry->header.writer.b));
    ml_stmt_bind_int(st, 2, entry->verdict == ML_VERDICT_ACCEPTED);
    ml_stmt_bind_blob(st, 3, op.data, op.len);
    return ml_stmt_run(st);
}

/* False: it doesn't open here, or isn't what it should be. */
static bool note_open(struct ml_vault *v, struct ml_slice bytes, struct ml_buf *plain,
                      struct ml_glass_say *say, ml_err *err)
{
    struct ml_keyop op;
    if (ml_keyop_decode(&op, bytes, NULL) != ML_OK || op.type != ML_KEYOP_GLASS) {
        return false;
    }
    ml_buf_clear(plain);
    const ml_err opened = ml_keyring_open_said(v->keyring, &op.u.glass, plain);
    *err = opened == ML_E_NOMEM ? opened : ML_OK;
    return opened == ML_OK && ml_glass_decode(say, ml_buf_slice(plain), NULL) == ML_OK;
}

ml_err ml_vault_each_glass(struct ml_vault *v, ml_glass_note_cb *each, void *user, uint32_t *closed)
{
    struct ml_stmt *st = v->st[ST_GLASS_ALL];
    struct ml_buf plain;
    ml_err err = ML_OK;
    bool row = false;
    *closed = 0;
    ml_buf_init(&plain, v->env, ML_SEALED_BYTES_MAX);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_glass_note note;
        const struct ml_slice writer = ml_stmt_blob(st, 0);
        err = writer.len == sizeof(note.writer.b) ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK && note_open(v, ml_stmt_blob(st, 1), &plain, &note.say, &err)) {
            memcpy(note.writer.b, writer.data, writer.len);
            err = each(user, &note);
        } else if (err == ML_OK) {
            (*closed)++;
        }
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    ml_buf_free(&plain);
    return err;
}
