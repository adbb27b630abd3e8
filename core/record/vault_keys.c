/* core/record/vault_keys.c -- what a keyring keeps, in the vault's tables; and lane 1 as it comes.
 *
 * Group ops (epochs, grants) are kept whole and applied again when the vault opens: KEKs are never
 * written in clear. Links and wraps are rows; a link secret only links pseudonyms of a patient
 * whose whole record stands in the same file.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/model/keyring_except.h"
#include "core/record/consents.h"
#include "core/record/vault_int.h"

#define BIND(st, i, x) ml_stmt_bind_blob((st), (i), (x).b, sizeof((x).b))

static ml_err mark_ready(struct ml_vault *v, const uint8_t key[16])
{
    if (!v->wait_any) {
        return ML_OK;
    }
    struct ml_stmt *st = v->st[ST_WAIT_READY];
    ml_stmt_bind_blob(st, 1, key, 16);
    v->retry = true;
    return ml_stmt_run(st);
}

/* The end of a patient's id, which is drawn by chance. */
static int64_t owner_of(const struct ml_object_id *patient)
{
    return (int64_t)ml_get_u64be(patient->b + sizeof(patient->b) - sizeof(uint64_t));
}

static ml_err not_his(struct ml_vault *v)
{
    v->damaged = true;
    return ML_E_CORRUPT;
}

static ml_err stream_get(void *ctx, const struct ml_stream_id *stream, struct ml_stream_info *info)
{
    struct ml_vault *v = ctx;
    struct ml_stmt *st = v->st[ST_STREAM_GET];
    bool row = false;
    BIND(st, 1, *stream);
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK && row) {
        struct ml_slice oid = ml_stmt_blob(st, 2);
        info->local = (uint64_t)ml_stmt_int(st, 0);
        info->compartment = (uint8_t)ml_stmt_int(st, 1);
        if (oid.len == sizeof(info->patient.b)) {
            memcpy(info->patient.b, oid.data, oid.len);
        }
        const bool his =
            oid.len == sizeof(info->patient.b) && ml_stmt_int(st, 3) == owner_of(&info->patient);
        ml_stmt_reset(st);
        return his ? ML_OK : not_his(v);
    }
    return err == ML_OK ? ML_E_NOT_FOUND : err;
}

ml_err ml_vault_stream(struct ml_vault *v, const struct ml_stream_id *stream,
                       struct ml_stream_info *info)
{
    return stream_get(v, stream, info);
}

static ml_err stream_put(void *ctx, const struct ml_stream_id *stream,
                         const struct ml_stream_info *info)
{
    struct ml_vault *v = ctx;
    struct ml_stream_info old;
    int64_t patient = 0;
    ml_err err = ml_vault_patient(v, &info->patient, true, &patient);
    if (err != ML_OK) {
        return err;
    }
    struct ml_stmt *st = v->st[ST_STREAM_PUT];
    BIND(st, 1, *stream);
    ml_stmt_bind_int(st, 2, patient);
    ml_stmt_bind_int(st, 3, info->compartment);
    ml_stmt_bind_int(st, 4, owner_of(&info->patient));
    err = ml_stmt_run(st);
    if (err != ML_OK || ml_db_changes(v->db) > 0) {
        return err == ML_OK ? mark_ready(v, stream->b) : err;
    }
    err = stream_get(v, stream, &old);
    if (err == ML_OK && ml_object_id_compare(&info->patient, &old.patient) < 0) {
        st = v->st[ST_STREAM_MOVE]; /* two patients claim one link: the smaller id has it */
        BIND(st, 1, *stream);
        ml_stmt_bind_int(st, 2, patient);
        ml_stmt_bind_int(st, 3, owner_of(&info->patient));
        v->remap = true;
        err = ml_stmt_run(st);
    }
    return err;
}

static ml_err link_put(void *ctx, const struct ml_patient_link *link)
{
    struct ml_vault *v = ctx;
    int64_t patient = 0;
    ml_err err = ml_vault_patient(v, &link->patient, true, &patient);
    if (err != ML_OK) {
        return err;
    }
    struct ml_stmt *st = v->st[ST_LINK_PUT];
    ml_stmt_bind_int(st, 1, patient);
    BIND(st, 2, link->team);
    ml_stmt_bind_blob(st, 3, link->secret, sizeof(link->secret));
    ml_stmt_bind_int(st, 4, owner_of(&link->patient));
    err = ml_stmt_run(st);
    if (err == ML_OK && v->rights->count > 0) { /* another team: perhaps another right */
        v->rights_row = PATIENT_NOBODY;
        err = ml_vault_kept_release(v, patient, NULL);
    }
    return err == ML_OK && !v->self->all_teams ? ml_vault_veil_dirty(v, patient) : err;
}

static ml_err link_each(void *ctx, const struct ml_object_id *patient, ml_link_cb *cb, void *user)
{
    struct ml_vault *v = ctx;
    int64_t row_id = 0;
    ml_err err = ml_vault_patient(v, patient, false, &row_id);
    if (err != ML_OK) {
        return err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    struct ml_stmt *st = v->st[ST_LINK_ALL];
    bool row = false;
    ml_stmt_bind_int(st, 1, row_id);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_patient_link link = {.patient = *patient};
        struct ml_slice team = ml_stmt_blob(st, 0);
        struct ml_slice secret = ml_stmt_blob(st, 1);
        const bool his = team.len == sizeof(link.team.b) && secret.len == sizeof(link.secret) &&
                         ml_stmt_int(st, 2) == owner_of(patient);
        err = his ? ML_OK : not_his(v);
        if (err == ML_OK) {
            memcpy(link.team.b, team.data, team.len);
            memcpy(link.secret, secret.data, secret.len);
            err = cb(user, &link);
            ml_wipe(&link, sizeof(link));
        }
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

static ml_err wrap_put(void *ctx, const struct ml_stored_wrap *wrap)
{
    struct ml_vault *v = ctx;
    struct ml_stmt *st = v->st[ST_WRAP_PUT];
    BIND(st, 1, wrap->wrap.stream);
    BIND(st, 2, wrap->wrap.dek);
    BIND(st, 3, wrap->wrap.kek);
    ml_stmt_bind_blob(st, 4, wrap->wrap.nonce, sizeof(wrap->wrap.nonce));
    ml_stmt_bind_blob(st, 5, wrap->wrap.ct, sizeof(wrap->wrap.ct));
    ml_stmt_bind_int(st, 6, wrap->seals);
    ml_err err = ml_stmt_run(st);
    return err == ML_OK ? mark_ready(v, wrap->wrap.dek.b) : err;
}

static bool take(struct ml_stmt *st, int column, void *out, size_t len)
{
    struct ml_slice blob = ml_stmt_blob(st, column);
    if (blob.len != len) {
        return false;
    }
    memcpy(out, blob.data, len);
    return true;
}

static ml_err wrap_each(void *ctx, const struct ml_stream_id *stream, ml_wrap_cb *cb, void *user)
{
    struct ml_vault *v = ctx;
    struct ml_stmt *st = v->st[ST_WRAP_ALL];
    ml_err err = ML_OK;
    bool row = false;
    BIND(st, 1, *stream);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_stored_wrap w = {.wrap.stream = *stream, .seals = ml_stmt_int(st, 4) != 0};
        bool whole = take(st, 0, w.wrap.dek.b, sizeof(w.wrap.dek.b)) &&
                     take(st, 1, w.wrap.kek.b, sizeof(w.wrap.kek.b)) &&
                     take(st, 2, w.wrap.nonce, sizeof(w.wrap.nonce)) &&
                     take(st, 3, w.wrap.ct, sizeof(w.wrap.ct));
        err = whole ? cb(user, &w) : ML_E_CORRUPT;
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

static void bind_bg(struct ml_stmt *st, const struct ml_bg_wrap *wrap)
{
    BIND(st, 1, wrap->stream);
    BIND(st, 2, wrap->dek);
    BIND(st, 3, wrap->break_glass);
}

static ml_err bg_put(void *ctx, const struct ml_bg_wrap *wrap)
{
    struct ml_vault *v = ctx;
    bind_bg(v->st[ST_BG_PUT], wrap);
    ml_stmt_bind_blob(v->st[ST_BG_PUT], 4, wrap->sealed, sizeof(wrap->sealed));
    return ml_stmt_run(v->st[ST_BG_PUT]);
}

static ml_err bg_has(void *ctx, const struct ml_bg_wrap *wrap, bool *has)
{
    struct ml_vault *v = ctx;
    bind_bg(v->st[ST_BG_HAS], wrap);
    ml_err err = ml_stmt_step(v->st[ST_BG_HAS], has);
    ml_stmt_reset(v->st[ST_BG_HAS]);
    return err;
}

static ml_err bg_each(void *ctx, const struct ml_stream_id *stream, ml_bg_cb *cb, void *user)
{
    struct ml_vault *v = ctx;
    struct ml_stmt *st = v->st[ST_BG_ALL];
    ml_err err = ML_OK;
    bool row = false;
    BIND(st, 1, *stream);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_bg_wrap w = {.stream = *stream};
        const bool whole = take(st, 0, w.dek.b, sizeof(w.dek.b)) &&
                           take(st, 1, w.break_glass.b, sizeof(w.break_glass.b)) &&
                           take(st, 2, w.sealed, sizeof(w.sealed));
        err = whole ? cb(user, &w) : ML_E_CORRUPT;
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

/* What has opened a statement: named by its KEK, the key's own id beside it. */
static const char *heard_name(char name[sizeof("heard.") + 32], const struct ml_key_id *kek)
{
    memcpy(name, "heard.", sizeof("heard.") - 1);
    ml_hex_encode(name + sizeof("heard.") - 1, kek->b, sizeof(kek->b));
    return name;
}

static ml_err heard_put(void *ctx, const struct ml_key_id *kek, const struct ml_key_id *key)
{
    char name[sizeof("heard.") + 32];
    return ml_vault_meta_put(ctx, heard_name(name, kek), key->b, sizeof(key->b));
}

static ml_err heard_has(void *ctx, const struct ml_key_id *kek, const struct ml_key_id *key,
                        bool *has)
{
    char name[sizeof("heard.") + 32];
    struct ml_key_id kept;
    ml_err err = ml_vault_meta_get(ctx, heard_name(name, kek), kept.b, sizeof(kept.b));
    *has = err == ML_OK && memcmp(kept.b, key->b, sizeof(kept.b)) == 0;
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err later_put(void *ctx, const struct ml_key_id *kek, struct ml_slice op)
{
    struct ml_vault *v = ctx;
    struct ml_stmt *st = v->st[ST_LATER_PUT];
    BIND(st, 1, *kek);
    ml_stmt_bind_blob(st, 2, op.data, op.len);
    return ml_stmt_run(st);
}

static ml_err later_take(void *ctx, const struct ml_key_id *kek, ml_keyop_cb *cb, void *user)
{
    struct ml_vault *v = ctx;
    struct ml_stmt *st = v->st[ST_LATER_ALL];
    ml_err err = ML_OK;
    bool row = false;
    BIND(st, 1, *kek);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        err = cb(user, ml_stmt_blob(st, 0));
        if (err != ML_OK) {
            ml_stmt_reset(st);
            return err;
        }
    }
    if (err == ML_OK) {
        BIND(v->st[ST_LATER_DONE], 1, *kek);
        err = ml_stmt_run(v->st[ST_LATER_DONE]);
    }
    return err;
}

void ml_vault_key_store(struct ml_vault *v)
{
    v->key_store = (struct ml_keyring_store){.ctx = v,
                                             .stream_put = stream_put,
                                             .stream_get = stream_get,
                                             .link_put = link_put,
                                             .link_each = link_each,
                                             .wrap_put = wrap_put,
                                             .wrap_each = wrap_each,
                                             .bg_put = bg_put,
                                             .bg_has = bg_has,
                                             .bg_each = bg_each,
                                             .heard_put = heard_put,
                                             .heard_has = heard_has,
                                             .later_put = later_put,
                                             .later_take = later_take};
}

ml_err ml_vault_load_groups(struct ml_vault *v)
{
    struct ml_stmt *st = v->st[ST_GROUP_ALL];
    ml_err err = ML_OK;
    bool row = false;
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_keyop op;
        struct ml_keyring_news news;
        err = ml_keyop_decode(&op, ml_stmt_blob(st, 1), NULL) == ML_OK ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK) {
            err = ml_keyring_apply(v->keyring, &op, ml_stmt_int(st, 0) != 0, &news);
        }
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

/* Only who can't open a key says so. */
static bool is_own_fault(const struct ml_log *log, const struct ml_log_entry *entry,
                         const struct ml_key_fault *fault)
{
    const struct ml_gov *gov = ml_log_gov(log);
    const struct ml_fact *by = ml_gov_opening(gov, &entry->header.writer);
    const struct ml_fact *f = NULL;
    bool own = false;
    while (by != NULL && !own && (f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        const struct ml_recipient_id id = ml_recipient_id_of(&f->box_pk);
        own = memcmp(&f->member, &by->member, sizeof(f->member)) == 0 &&
              memcmp(&f->node, &by->node, sizeof(f->node)) == 0 &&
              memcmp(&id, &fault->recipient, sizeof(id)) == 0;
    }
    return own;
}

/* May what this op brings seal? An epoch also has to name the right recipients (rules A3); a
 * network epoch comes from somebody of rank 2 or better (B17). */
static ml_err may_seal(struct ml_log *log, const struct ml_log_entry *entry,
                       const struct ml_keyop *op, bool *seals)
{
    if (op->type == ML_KEYOP_KEK_EPOCH) {
        return ml_log_epoch_fits(log, entry, &op->u.kek_epoch, seals);
    }
    if (op->type == ML_KEYOP_PAIR_GRANT && op->u.pair_grant.kind == ML_PAIR_NETWORK) {
        return ml_log_leads(log, entry, seals);
    }
    *seals = entry->verdict == ML_VERDICT_ACCEPTED &&
             (op->type != ML_KEYOP_KEY_FAULT || is_own_fault(log, entry, &op->u.key_fault));
    return ML_OK;
}

/* What is few is kept as it came, and applied again when the vault opens. */
static bool is_kept_whole(const struct ml_keyop *op)
{
    return op->type == ML_KEYOP_KEK_EPOCH || op->type == ML_KEYOP_KEK_GRANT ||
           op->type == ML_KEYOP_DEK_SLOTS || op->type == ML_KEYOP_PAIR_GRANT ||
           op->type == ML_KEYOP_SHRED || op->type == ML_KEYOP_KEY_FAULT;
}

static ml_err apply_op(struct ml_vault *v, struct ml_log *log, const struct ml_log_entry *entry,
                       struct ml_slice bytes, uint8_t index)
{
    struct ml_keyop op;
    struct ml_keyring_news news;
    bool seals = false;
    if (ml_keyop_decode(&op, bytes, NULL) != ML_OK || !op.known) {
        return ML_OK; /* of a later version, or nobody's: it opens nothing here */
    }
    if (op.type == ML_KEYOP_CONSENT) {
        return ml_vault_consent_put(v, log, entry, index, &op);
    }
    ml_err err = may_seal(log, entry, &op, &seals);
    if (err == ML_OK && op.type == ML_KEYOP_GLASS) {
        return ml_vault_put_glass(v, entry, bytes);
    }
    if (err == ML_OK && is_kept_whole(&op)) {
        struct ml_stmt *st = v->st[ST_GROUP_PUT];
        ml_stmt_bind_int(st, 1, seals);
        ml_stmt_bind_blob(st, 2, bytes.data, bytes.len);
        err = ml_stmt_run(st);
    }
    if (err == ML_OK) {
        err = ml_keyring_apply(v->keyring, &op, seals, &news);
    }
    if (err == ML_OK && op.type == ML_KEYOP_DEK_SLOTS && news.dek) {
        err = mark_ready(v, news.dek_id.b);
    }
    if (err == ML_OK && news.keks && v->wait_any) {
        v->retry = true;
        err = ml_stmt_run(v->st[ST_WAIT_ALL_READY]);
    }
    if (err == ML_OK && news.keks) {
        err = ml_vault_consent_retry(v);
    }
    return err;
}

ml_err ml_vault_apply_keys(struct ml_vault *v, struct ml_log *log, const struct ml_log_entry *entry)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_err err = ML_OK;
    if (entry->body.bytes.data == NULL) {
        return ML_OK;
    }
    ml_body_walk(&walk, entry->body.bytes);
    while (err == ML_OK && ml_body_next(&walk, &op)) {
        if (!op.shredded) {
            err = apply_op(v, log, entry, op.sealed, (uint8_t)walk.index);
        }
    }
    return err;
}

/* ---- what was destroyed (rules A5) ---- */

static const char shreds_key[] = "shreds";
static const char told_key[] = "shreds.told";

static ml_err number_get(struct ml_vault *v, const char *key, uint64_t *number)
{
    uint8_t bytes[sizeof(*number)];
    ml_err err = ml_vault_meta_get(v, key, bytes, sizeof(bytes));
    *number = err == ML_OK ? ml_get_u64be(bytes) : 0;
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err number_put(struct ml_vault *v, const char *key, uint64_t number)
{
    uint8_t bytes[sizeof(number)];
    ml_put_u64be(bytes, number);
    return ml_vault_meta_put(v, key, bytes, sizeof(bytes));
}

ml_err ml_vault_shreds_told(struct ml_vault *v, uint64_t *number)
{
    return number_get(v, told_key, number);
}

ml_err ml_vault_shreds_tell(struct ml_vault *v, uint64_t number)
{
    return number_put(v, told_key, number);
}

struct again {
    struct ml_vault *v;
    struct ml_log *log;
};

static ml_err apply_again(void *user, const struct ml_log_entry *entry, uint8_t index,
                          const struct ml_keyop *op)
{
    const struct again *a = user;
    return entry->n <= a->v->state.key_cursor ? apply_op(a->v, a->log, entry, op->raw, index)
                                              : ML_OK; /* its turn comes */
}

/* All that was kept of a stream's keys goes; what is left of them in the log is taken again. */
static ml_err stream_again(struct ml_vault *v, struct ml_log *log,
                           const struct ml_stream_id *stream)
{
    static const enum vault_stmt all[] = {ST_WRAP_SHRED, ST_BG_SHRED, ST_GROUP_SHRED,
                                          ST_LATER_SHRED};
    struct again again = {v, log};
    ml_err err = ML_OK;
    for (size_t i = 0; err == ML_OK && i < sizeof(all) / sizeof(all[0]); i++) {
        BIND(v->st[all[i]], 1, *stream);
        err = ml_stmt_run(v->st[all[i]]);
    }
    v->erase = true;
    ml_keyring_forget_stream(v->keyring, stream);
    return err == ML_OK ? ml_log_wraps(log, stream, apply_again, &again) : err;
}

ml_err ml_vault_catch_shreds(struct ml_vault *v, struct ml_log *log, bool first)
{
    const uint64_t last = ml_log_shreds(log);
    struct ml_log_shredded one = {.number = 0};
    struct ml_stream_id stream = {{0}};
    uint64_t before = 0;
    bool ended = false;
    if (last == 0) {
        return ML_OK;
    }
    ml_err err = number_get(v, shreds_key, &before);
    if (err != ML_OK || before == last) {
        return err;
    }
    one.number = first ? last : before; /* what is followed from the start was destroyed already */
    one.number = one.number > last ? 0 : one.number; /* another log's */
    while (err == ML_OK && one.number < last) {
        err = ml_log_shredded_after(log, one.number, &one);
        if (err == ML_OK && memcmp(&one.stream, &stream, sizeof(stream)) != 0) {
            stream = one.stream;
            err = stream_again(v, log, &stream);
        }
        ended = ended || (err == ML_OK && one.ended);
    }
    if (err == ML_OK && ended) { /* what it showed goes with its keys; durable, for the number isn't
                                    noted before */
        v->remap = true;
        return ML_OK;
    }
    return err == ML_OK ? number_put(v, shreds_key, last) : err;
}

ml_err ml_vault_wiped(struct ml_vault *v, const struct ml_log *log)
{
    uint64_t followed = 0;
    ml_err err = number_get(v, shreds_key, &followed);
    if (err == ML_OK && followed != ml_log_shreds(log)) {
        return ML_E_BUSY;
    }
    if (err == ML_OK && v->erase) {
        err = ml_db_checkpoint(v->db);
        v->erase = err != ML_OK;
    }
    return err;
}
