/* core/record/vault.c -- a vault's life: open, catch up with the log, reset, prove (see vault.h).
 *
 * Happy path: catch_up runs in one transaction: lane 1 first (keys open what follows), then bundles
 * that waited for a key, then lane 3, then the cursors. An error rolls all of it back; the cursors
 * say where to go on.
 *
 * Failures: a vault that is ahead of its log (another home's, a restored log), that was made with
 * another schema, or whose log judged anew, forgets its projection and starts again: it is derived.
 *
 * Invariant: what is committed is the projection of exactly the bundles up to the cursors.
 */
#include "core/record/vault.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/hash.h"
#include "core/record/vault_int.h"

enum {
    STATE_WORDS = sizeof(struct vault_state) / sizeof(uint64_t),
    BATCH_CACHE_KIB = 16384,
    BATCH_OPS = 16384, /* decisions 12 */
    BATCH_MS = 250,
    SHRINK_BUNDLES = 64
};

static const char layout_sql[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE author(id INTEGER PRIMARY KEY, writer BLOB, member BLOB, node BLOB,"
    " role INTEGER);"
    "CREATE TABLE bundle(n INTEGER PRIMARY KEY, author INTEGER, seq INTEGER, reason INTEGER);"
    "CREATE TABLE patient(id INTEGER PRIMARY KEY, oid BLOB NOT NULL UNIQUE, hkey INTEGER,"
    " card BLOB, tokens BLOB);"
    "CREATE INDEX patient_hkey ON patient(hkey) WHERE hkey IS NOT NULL;"
    "CREATE TABLE token(token BLOB, rank INTEGER, patient INTEGER,"
    " PRIMARY KEY(token, rank, patient)) WITHOUT ROWID;"
    "CREATE TABLE object(id INTEGER PRIMARY KEY, patient INTEGER NOT NULL,"
    " entity INTEGER NOT NULL, oid BLOB NOT NULL, life INTEGER, flags INTEGER, eff INTEGER,"
    " hlc INTEGER, versions BLOB);"
    "CREATE UNIQUE INDEX object_oid ON object(patient, oid, entity);"
    "CREATE TABLE conflict(object INTEGER, slot INTEGER, severity INTEGER, patient INTEGER,"
    " PRIMARY KEY(object, slot)) WITHOUT ROWID;"
    "CREATE TABLE waiting(key BLOB, n INTEGER, ready INTEGER, PRIMARY KEY(key, n)) WITHOUT ROWID;"
    "CREATE INDEX waiting_n ON waiting(n);"
    "CREATE INDEX waiting_ready ON waiting(n) WHERE ready = 1;"
    "CREATE TABLE skipped(n INTEGER, idx INTEGER, why INTEGER, PRIMARY KEY(n, idx))"
    " WITHOUT ROWID;"
    "CREATE TABLE groupop(id INTEGER PRIMARY KEY, accepted INTEGER, op BLOB);"
    "CREATE TABLE stream(id BLOB PRIMARY KEY, patient INTEGER, compartment INTEGER)"
    " WITHOUT ROWID;"
    "CREATE TABLE link(patient INTEGER, team BLOB, secret BLOB,"
    " PRIMARY KEY(patient, team, secret)) WITHOUT ROWID;"
    "CREATE TABLE wrap(stream BLOB, dek BLOB, kek BLOB, nonce BLOB, ct BLOB, seals INTEGER,"
    " PRIMARY KEY(stream, dek, nonce)) WITHOUT ROWID;"
    "CREATE TABLE bg(stream BLOB, dek BLOB, pk BLOB, PRIMARY KEY(stream, dek, pk)) WITHOUT ROWID;"
    "CREATE TABLE later(id INTEGER PRIMARY KEY, kek BLOB, op BLOB);"
    "CREATE INDEX later_kek ON later(kek);";

/* Everything but meta. */
static const char reset_sql[] =
    "DELETE FROM author; DELETE FROM bundle; DELETE FROM patient; DELETE FROM token;"
    "DELETE FROM object; DELETE FROM conflict; DELETE FROM waiting; DELETE FROM skipped;"
    "DELETE FROM groupop; DELETE FROM stream; DELETE FROM link; DELETE FROM wrap;"
    "DELETE FROM bg; DELETE FROM later; DELETE FROM glass; DELETE FROM consent;"
    "DELETE FROM veil; DELETE FROM veil_object; DELETE FROM kept;";

/* A wrap is what it is by all of its bytes: one that shares some with another displaces nothing. */
static const char wrap_sql[] =
    "DROP TABLE wrap;"
    "CREATE TABLE wrap(stream BLOB, dek BLOB, kek BLOB, nonce BLOB, ct BLOB, seals INTEGER,"
    " PRIMARY KEY(stream, dek, kek, nonce, ct)) WITHOUT ROWID;";

/* Whose chart lacks what was passed over: 0 where that isn't known. */
static const char skipped_sql[] =
    "ALTER TABLE skipped ADD COLUMN patient INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX skipped_patient ON skipped(patient);";

/* A disk that loses a write leaves an old page, sealed as it should be (docs/storage/vault.md): a
 * number is never a second patient's, and what opens a record says whose it is. */
static const char owner_sql[] =
    "DROP TABLE patient;"
    "CREATE TABLE patient(id INTEGER PRIMARY KEY AUTOINCREMENT, oid BLOB NOT NULL UNIQUE,"
    " hkey INTEGER, card BLOB, tokens BLOB);"
    "CREATE INDEX patient_hkey ON patient(hkey) WHERE hkey IS NOT NULL;"
    "ALTER TABLE stream ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE link ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;";

/* What break-glass wraps hold, for who may break a glass; and what is said of each opening. */
static const char glass_sql[] =
    "DROP TABLE bg;"
    "CREATE TABLE bg(stream BLOB, dek BLOB, pk BLOB, sealed BLOB,"
    " PRIMARY KEY(stream, dek, pk, sealed)) WITHOUT ROWID;"
    "CREATE TABLE glass(id INTEGER PRIMARY KEY, writer BLOB, counts INTEGER, op BLOB);";

/* What patients decided, and what of it hides from this member. `op`: it doesn't open yet. */
static const char consent_sql[] =
    "CREATE TABLE consent(bundle BLOB, idx INTEGER, writer BLOB, hlc INTEGER, counts INTEGER,"
    " op BLOB, plain BLOB, patient INTEGER, PRIMARY KEY(bundle, idx)) WITHOUT ROWID;"
    "CREATE INDEX consent_patient ON consent(patient);"
    "CREATE TABLE veil(patient INTEGER PRIMARY KEY, oid BLOB NOT NULL, dirty INTEGER NOT NULL,"
    " classes INTEGER NOT NULL DEFAULT 0, any INTEGER NOT NULL DEFAULT 0, next_ms INTEGER,"
    " told INTEGER NOT NULL DEFAULT 1);"
    "CREATE INDEX veil_dirty ON veil(patient) WHERE dirty = 1;"
    "CREATE INDEX veil_untold ON veil(oid) WHERE told = 0;"
    "CREATE TABLE veil_object(patient INTEGER, oid BLOB, classes INTEGER,"
    " PRIMARY KEY(patient, oid)) WITHOUT ROWID;";

/* What the matrix doesn't let this member read: where it is in the log, nothing of what it says. */
static const char kept_sql[] =
    "CREATE TABLE kept(patient INTEGER, entity INTEGER, oid BLOB, n INTEGER,"
    " PRIMARY KEY(patient, entity, oid, n)) WITHOUT ROWID;";

/* For the members of which team a statement was sealed. */
static const char team_sql[] = "ALTER TABLE consent ADD COLUMN team BLOB;";

static const struct ml_db_step layout_steps[] = {
    {.sql = layout_sql}, {.sql = wrap_sql},    {.sql = skipped_sql}, {.sql = owner_sql},
    {.sql = glass_sql},  {.sql = consent_sql}, {.sql = kept_sql},    {.sql = team_sql}};
static const struct ml_db_schema layout = {
    .application_id = 0x4d6c5661, /* "MlVa" */
    .steps = layout_steps,
    .step_count = sizeof(layout_steps) / sizeof(layout_steps[0]),
};

static const char *const stmt_sql[] = {
#define X(NAME, sql) [ST_##NAME] = (sql),
    VAULT_STMT_MAP(X)
#undef X
};

/* ---- small things ---- */

ml_err ml_vault_row(struct ml_vault *v, enum vault_stmt st, bool *row)
{
    return ml_stmt_step(v->st[st], row);
}

ml_err ml_vault_meta_put(struct ml_vault *v, const char *key, const void *value, size_t len)
{
    struct ml_stmt *st = v->st[ST_META_PUT];
    ml_stmt_bind_text(st, 1, key, strlen(key));
    ml_stmt_bind_blob(st, 2, value, len);
    return ml_stmt_run(st);
}

ml_err ml_vault_meta_get(struct ml_vault *v, const char *key, void *value, size_t len)
{
    struct ml_stmt *st = v->st[ST_META_GET];
    bool row = false;
    ml_stmt_bind_text(st, 1, key, strlen(key));
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK && row) {
        struct ml_slice blob = ml_stmt_blob(st, 0);
        err = blob.len == len ? ML_OK : ML_E_NOT_FOUND;
        if (err == ML_OK) {
            memcpy(value, blob.data, len);
        }
        ml_stmt_reset(st);
        return err;
    }
    return err == ML_OK ? ML_E_NOT_FOUND : err;
}

ml_err ml_vault_patient(struct ml_vault *v, const struct ml_object_id *oid, bool make, int64_t *row)
{
    if (v->last_patient_row != 0 && ml_object_id_equal(&v->last_patient, oid)) {
        *row = v->last_patient_row;
        return ML_OK;
    }
    struct ml_stmt *st = v->st[ST_PATIENT_FIND];
    bool found = false;
    ml_stmt_bind_blob(st, 1, oid->b, sizeof(oid->b));
    ml_err err = ml_stmt_step(st, &found);
    if (err != ML_OK || (!found && !make)) {
        return err == ML_OK ? ML_E_NOT_FOUND : err;
    }
    if (found) {
        *row = ml_stmt_int(st, 0);
        ml_stmt_reset(st);
    } else {
        st = v->st[ST_PATIENT_PUT];
        ml_stmt_bind_blob(st, 1, oid->b, sizeof(oid->b));
        err = ml_stmt_run(st);
        *row = ml_db_last_rowid(v->db);
    }
    if (err == ML_OK) {
        v->last_patient = *oid;
        v->last_patient_row = *row;
    }
    return err;
}

/* ---- authors ---- */

static ml_err author_keep(struct ml_vault *v, const struct vault_author *author)
{
    if (v->author_count == v->author_cap) {
        size_t cap = v->author_cap == 0 ? 32 : v->author_cap * 2;
        struct vault_author *grown = ml_resize(v->env, v->authors, cap * sizeof(*grown));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        v->authors = grown;
        v->author_cap = cap;
    }
    v->authors[v->author_count++] = *author;
    return ML_OK;
}

const struct vault_author *ml_vault_author_of(const struct ml_vault *v, int64_t id)
{
    for (size_t i = 0; i < v->author_count; i++) {
        if (v->authors[i].id == id) {
            return &v->authors[i];
        }
    }
    return NULL;
}

ml_err ml_vault_author(struct ml_vault *v, struct ml_log *log, const struct ml_writer_id *writer,
                       int64_t *id)
{
    for (size_t i = 0; i < v->author_count; i++) {
        if (memcmp(v->authors[i].writer.b, writer->b, sizeof(writer->b)) == 0) {
            *id = v->authors[i].id;
            return ML_OK;
        }
    }
    struct vault_author author = {.writer = *writer};
    const struct ml_gov *gov = ml_log_gov(log);
    const struct ml_fact *opening = gov == NULL ? NULL : ml_gov_opening(gov, writer);
    if (opening != NULL) {
        const struct ml_fact *member = ml_gov_member(gov, &opening->member);
        member = member == NULL ? ml_gov_ever_member(gov, &opening->member) : member;
        author.member = opening->member;
        author.node = opening->node;
        author.role = member == NULL ? 0 : member->role;
    }
    struct ml_stmt *st = v->st[ST_AUTHOR_PUT];
    ml_stmt_bind_blob(st, 1, author.writer.b, sizeof(author.writer.b));
    ml_stmt_bind_blob(st, 2, author.member.b, sizeof(author.member.b));
    ml_stmt_bind_blob(st, 3, author.node.b, sizeof(author.node.b));
    ml_stmt_bind_int(st, 4, author.role);
    ml_err err = ml_stmt_run(st);
    author.id = ml_db_last_rowid(v->db);
    *id = author.id;
    return err == ML_OK ? author_keep(v, &author) : err;
}

static ml_err authors_load(struct ml_vault *v)
{
    struct ml_stmt *st = v->st[ST_AUTHOR_ALL];
    ml_err err = ML_OK;
    bool row = false;
    v->author_count = 0;
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct vault_author author = {.id = ml_stmt_int(st, 0), .role = ml_stmt_int(st, 4)};
        struct ml_slice writer = ml_stmt_blob(st, 1);
        struct ml_slice member = ml_stmt_blob(st, 2);
        struct ml_slice node = ml_stmt_blob(st, 3);
        err = writer.len == 16 && member.len == 16 && node.len == 16 ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK) {
            memcpy(author.writer.b, writer.data, 16);
            memcpy(author.member.b, member.data, 16);
            memcpy(author.node.b, node.data, 16);
            err = author_keep(v, &author);
        }
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

/* ---- state ---- */

static ml_err state_save(struct ml_vault *v)
{
    const uint64_t words[STATE_WORDS] = {v->state.key_cursor, v->state.record_cursor,
                                         v->state.log_epoch,  v->state.ops,
                                         v->state.greyed,     v->state.complete};
    uint8_t bytes[STATE_WORDS * 8];
    for (size_t i = 0; i < STATE_WORDS; i++) {
        ml_put_u64be(bytes + 8 * i, words[i]);
    }
    return ml_vault_meta_put(v, "state", bytes, sizeof(bytes));
}

/* What the tables say now: after opening, and after a rollback. Not whether that is all there is.
 */
static ml_err state_load(struct ml_vault *v)
{
    uint8_t bytes[STATE_WORDS * 8] = {0};
    ml_err err = ml_vault_meta_get(v, "state", bytes, sizeof(bytes));
    if (err != ML_OK && err != ML_E_NOT_FOUND) {
        return err;
    }
    v->state = (struct vault_state){.key_cursor = ml_get_u64be(bytes),
                                    .record_cursor = ml_get_u64be(bytes + 8),
                                    .log_epoch = ml_get_u64be(bytes + 16),
                                    .ops = ml_get_u64be(bytes + 24),
                                    .greyed = ml_get_u64be(bytes + 32),
                                    .complete = 0}; /* the log may have gone on: catch_up says */
    v->last_patient_row = 0;
    v->wait_any = true;
    v->retry = false;
    v->veils = true;
    v->marked = false;
    v->mark_checked = false;
    ml_keyring_forget(v->keyring); /* it may know what was rolled back */
    err = authors_load(v);
    if (err == ML_OK) {
        err = ml_vault_load_groups(v);
    }
    v->unloaded = err != ML_OK;
    return err;
}

/* Within a transaction. */
static ml_err forget(struct ml_vault *v)
{
    ml_err err = ml_db_exec(v->db, reset_sql);
    if (err == ML_OK) {
        v->state = (struct vault_state){0};
        v->author_count = 0;
        v->last_patient_row = 0;
        ml_keyring_forget(v->keyring); /* it names rows by numbers that will be given again */
        v->remap = false;
        v->wait_any = false;
        v->retry = false;
        err = state_save(v);
    }
    return err;
}

static void hash_text(struct ml_hash_state *st, const char *text)
{
    const char *s = text == NULL ? "" : text;
    ml_hash_update(st, s, strlen(s) + 1);
}

static void hash_field(struct ml_hash_state *st, const struct ml_schema *schema,
                       const struct ml_field *field)
{
    const uint16_t numbers[] = {field->id,
                                field->group,
                                (uint16_t)field->type,
                                (uint16_t)field->merge,
                                (uint16_t)field->search,
                                (uint16_t)field->severity,
                                field->list};
    const struct ml_value_set *set =
        field->value_set == NULL ? NULL : ml_schema_value_set(schema, field->value_set);
    ml_hash_update(st, numbers, sizeof(numbers));
    hash_text(st, field->name);
    for (size_t i = 0; set != NULL && i < set->item_count; i++) {
        hash_text(st, set->items[i].refutes ? set->items[i].code : "");
    }
}

/* Of all that decides how ops are projected: another one projects again. */
static void fingerprint(const struct ml_schema *schema, uint8_t out[32])
{
    struct ml_hash_state st;
    const uint32_t version = VAULT_LAYOUT;
    ml_hash_init(&st, 32, NULL, 0);
    ml_hash_update(&st, &version, sizeof(version));
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *e = schema->entities[i];
        const uint16_t numbers[] = {
            e->id,         (uint16_t)e->merge, (uint16_t)e->compartment, (uint16_t)e->severity,
            e->is_patient, e->is_shared};
        ml_hash_update(&st, numbers, sizeof(numbers));
        hash_text(&st, e->effective_field);
        for (size_t f = 0; f < e->field_count; f++) {
            hash_field(&st, schema, &e->fields[f]);
        }
    }
    ml_hash_final(&st, out, 32);
}

/* ---- opening ---- */

static ml_err check_owner(struct ml_vault *v, const struct ml_vault_args *args)
{
    uint8_t want[sizeof(args->org.b) + sizeof(args->member.b)];
    uint8_t have[sizeof(want)];
    memcpy(want, args->org.b, sizeof(args->org.b));
    memcpy(want + sizeof(args->org.b), args->member.b, sizeof(args->member.b));
    ml_err err = ml_vault_meta_get(v, "owner", have, sizeof(have));
    if (err == ML_E_NOT_FOUND) {
        return ml_vault_meta_put(v, "owner", want, sizeof(want));
    }
    if (err == ML_OK && memcmp(want, have, sizeof(want)) != 0) {
        return ML_E_INVALID;
    }
    return err;
}

static ml_err check_fingerprint(struct ml_vault *v)
{
    uint8_t want[32];
    uint8_t have[32];
    fingerprint(v->schema, want);
    ml_err err = ml_vault_meta_get(v, "schema", have, sizeof(have));
    if ((err == ML_OK && memcmp(want, have, sizeof(want)) == 0) ||
        (err != ML_OK && err != ML_E_NOT_FOUND)) {
        return err;
    }
    err = forget(v);
    return err == ML_OK ? ml_vault_meta_put(v, "schema", want, sizeof(want)) : err;
}

static ml_err open_state(struct ml_vault *v, const struct ml_vault_args *args)
{
    ml_err err = ml_db_begin(v->db);
    if (err != ML_OK) {
        return err;
    }
    err = check_owner(v, args);
    if (err == ML_OK) {
        err = check_fingerprint(v);
    }
    if (err == ML_OK) {
        err = ml_db_commit(v->db);
    }
    if (err != ML_OK) {
        ml_db_rollback(v->db);
        return err;
    }
    return state_load(v);
}

static ml_err open_db(struct ml_vault *v, const struct ml_vault_args *args)
{
    const struct ml_db_args db_args = {.env = args->env,
                                       .path = args->path,
                                       .vfs = args->vfs,
                                       .flags = args->create ? ML_DB_CREATE : 0,
                                       .sync = ML_DB_SYNC_NORMAL,
                                       .cache_kib = BATCH_CACHE_KIB,
                                       .checkpoint_pages = 4000,
                                       .schema = &layout};
    ml_err err = ml_db_open(&v->db, &db_args);
    return err == ML_OK ? ml_stmt_prepare_all(v->st, v->db, stmt_sql, ST_COUNT) : err;
}

ml_err ml_vault_open(struct ml_vault **out, const struct ml_vault_args *args)
{
    struct ml_vault *v = ml_alloc(args->env, sizeof(*v));
    if (v == NULL) {
        return ML_E_NOMEM;
    }
    v->env = args->env;
    v->schema = args->schema;
    v->org = args->org;
    v->member = args->member;
    v->erase = true; /* of a purge that was cut before its checkpoint */
    ml_buf_init(&v->packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_vault_key_store(v);
    const struct ml_keyring_args key_args = {
        .env = args->env, .org = args->org, .mon_box = args->mon_box, .store = &v->key_store};
    v->self = ml_alloc(v->env, sizeof(*v->self));
    v->rights = ml_alloc(v->env, sizeof(*v->rights));
    ml_err err = v->self == NULL || v->rights == NULL ? ML_E_NOMEM : ML_OK;
    if (err == ML_OK) { /* until governance was asked, which of a glass it never is */
        v->rights->anywhere = (struct vault_reads){.all = UINT64_MAX, .see = UINT64_MAX};
        err = open_db(v, args);
    }
    if (err == ML_OK) {
        err = ml_keyring_new(&v->keyring, &key_args);
    }
    if (err == ML_OK) {
        err = open_state(v, args);
    }
    if (err != ML_OK) {
        ml_vault_close(v);
        return err;
    }
    *out = v;
    return ML_OK;
}

void ml_vault_close(struct ml_vault *v)
{
    if (v == NULL) {
        return;
    }
    ml_keyring_free(v->keyring);
    ml_stmt_free_all(v->st, ST_COUNT);
    ml_db_close(v->db);
    ml_buf_free(&v->packed);
    ml_release(v->env, v->authors);
    ml_release(v->env, v->self);
    ml_release(v->env, v->rights);
    ml_release(v->env, v);
}

struct ml_keyring *ml_vault_keyring(struct ml_vault *v)
{
    return v->keyring;
}

bool ml_vault_complete(const struct ml_vault *v)
{
    return v->state.complete != 0;
}

void ml_vault_set_names(struct ml_vault *v, const struct ml_view_names *names)
{
    v->names = names;
}

bool ml_vault_damaged(const struct ml_vault *v)
{
    return v->damaged || ml_db_damaged(v->db);
}

/* ---- catching up ---- */

struct catching {
    struct ml_log *log;
    uint64_t last; /* ingest number of the log's end */
    uint32_t left; /* bundles that may still be taken */
    uint64_t ops;  /* of those taken */
    uint64_t until_ms;
    bool more;
};

/* May another bundle be taken? If not, there is more. */
static bool catching_goes_on(const struct ml_vault *v, struct catching *c,
                             const struct ml_log_entry *next)
{
    const bool late = c->ops > 0 && v->env->now_ms(v->env->ctx) >= c->until_ms;
    if (c->left == 0 || c->ops >= BATCH_OPS || late) {
        c->more = true;
        return false;
    }
    c->left--;
    c->ops += next->header.n_ops;
    return true;
}

static ml_err catch_keys(struct ml_vault *v, struct catching *c)
{
    ml_err err = ML_OK;
    while (err == ML_OK) {
        struct ml_log_entry entry;
        err = ml_log_after(c->log, v->state.key_cursor, ML_LOG_LANE(ML_LANE_KEYS), &entry);
        if (err == ML_E_NOT_FOUND) {
            v->state.key_cursor = c->last; /* or each call would look through all that came since */
            return ML_OK;
        }
        if (err != ML_OK) {
            break;
        }
        if (!catching_goes_on(v, c, &entry)) {
            return ML_OK;
        }
        err = ml_vault_apply_keys(v, c->log, &entry);
        v->state.key_cursor = entry.n;
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err next_ready(struct ml_vault *v, uint64_t *n)
{
    bool row = false;
    ml_err err = ml_vault_row(v, ST_WAIT_NEXT, &row);
    *n = err == ML_OK && row ? (uint64_t)ml_stmt_int(v->st[ST_WAIT_NEXT], 0) : 0;
    ml_stmt_reset(v->st[ST_WAIT_NEXT]);
    return err;
}

/* Bundles that waited for a key that has come: they lie at or below the cursor. */
static ml_err catch_waiting(struct ml_vault *v, struct catching *c)
{
    ml_err err = ML_OK;
    while (v->retry && err == ML_OK) {
        struct ml_log_entry entry;
        uint64_t n = 0;
        err = next_ready(v, &n);
        if (err != ML_OK || n == 0) {
            v->retry = err != ML_OK;
            break;
        }
        err = ml_log_after(c->log, n - 1, ML_LOG_LANE(ML_LANE_RECORD), &entry);
        bool there = err == ML_OK && entry.n == n;
        if (there && !catching_goes_on(v, c, &entry)) {
            return ML_OK;
        }
        if (err == ML_OK || err == ML_E_NOT_FOUND) {
            ml_stmt_bind_int(v->st[ST_WAIT_DONE], 1, (int64_t)n);
            err = ml_stmt_run(v->st[ST_WAIT_DONE]);
        }
        if (err == ML_OK && there) {
            err = ml_vault_project(v, c->log, &entry);
        }
    }
    return err;
}

static ml_err catch_record(struct ml_vault *v, struct catching *c)
{
    ml_err err = ML_OK;
    while (err == ML_OK) {
        struct ml_log_entry entry;
        err = ml_log_after(c->log, v->state.record_cursor, ML_LOG_LANE(ML_LANE_RECORD), &entry);
        if (err == ML_E_NOT_FOUND) {
            v->state.record_cursor = c->last;
            return ML_OK;
        }
        if (err != ML_OK) {
            break;
        }
        if (!catching_goes_on(v, c, &entry)) {
            return ML_OK;
        }
        err = ml_vault_project(v, c->log, &entry);
        v->state.record_cursor = entry.n;
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

/* ---- is it the log that was followed? ---- */

/* How far the log went when the vault followed it last, and its past there. One that fell behind a
 * crash, a lost WAL or a backup is shorter than that or, if it went on since, has another past. Not
 * of the cursors: verdicts rest on all that the log holds. */
struct mark {
    uint8_t n[sizeof(uint64_t)];
    struct ml_hash past;
};

static const char mark_key[] = "mark";

static ml_err mark_save(struct ml_vault *v, struct ml_log *log)
{
    const uint64_t n = ml_log_last(log);
    struct mark m;
    if (!v->mark_checked || (v->marked && n == v->mark_n)) {
        return ML_OK;
    }
    ml_put_u64be(m.n, n);
    ml_err err = ml_log_past(log, n, &m.past);
    if (err == ML_OK) {
        err = ml_vault_meta_put(v, mark_key, &m, sizeof(m));
    }
    v->marked = err == ML_OK;
    v->mark_n = n;
    return err;
}

/* Once after the vault was opened: while it is open nobody else writes the log. Another past, or
 * none that can be compared (an earlier program's vault): all is projected again. Where the log is
 * too damaged to tell, the mark stays: what mends the log draws another epoch. */
static ml_err mark_check(struct ml_vault *v, struct ml_log *log)
{
    struct ml_hash past;
    struct mark m;
    if (v->mark_checked) {
        return ML_OK;
    }
    ml_err err = ml_vault_meta_get(v, mark_key, &m, sizeof(m));
    const bool marked = err == ML_OK;
    if (marked) {
        err = ml_log_past(log, ml_get_u64be(m.n), &past);
    }
    const bool same = marked && err == ML_OK && memcmp(past.b, m.past.b, sizeof(past.b)) == 0;
    const bool known = err == ML_OK || err == ML_E_NOT_FOUND;
    v->remap = v->remap || (known && !same);
    v->mark_checked = known;
    return known || err == ML_E_CORRUPT ? ML_OK : err;
}

static ml_err catch_all(struct ml_vault *v, struct catching *c)
{
    uint64_t last = ml_log_last(c->log);
    uint64_t epoch = ml_log_epoch(c->log);
    ml_err err = ml_vault_reads_look(v, c->log);
    if (err == ML_OK && (v->remap || v->state.record_cursor > last || v->state.key_cursor > last ||
                         (epoch != v->state.log_epoch &&
                          (v->state.record_cursor > 0 || v->state.key_cursor > 0)))) {
        err = forget(v);
    }
    v->state.log_epoch = epoch;
    c->last = last;
    const bool first = v->state.key_cursor == 0;
    err = err == ML_OK ? ml_vault_veil_look(v, c->log) : err;
    err = err == ML_OK ? catch_keys(v, c) : err;
    err = err == ML_OK ? ml_vault_catch_shreds(v, c->log, first) : err;
    if (err == ML_OK && !c->more) {
        err = ml_vault_veil_renew(v, c->log);
    }
    if (err == ML_OK && !c->more) {
        err = catch_waiting(v, c);
    }
    if (err == ML_OK && !c->more) {
        err = catch_record(v, c);
    }
    if (err == ML_OK && !c->more) { /* of a line of his own what others wrote before it */
        err = catch_waiting(v, c);
    }
    v->state.complete = !c->more && !v->remap;
    return err == ML_OK ? state_save(v) : err;
}

ml_err ml_vault_catch_up(struct ml_vault *v, struct ml_log *log, uint32_t max_bundles, bool *done)
{
    struct catching c = {
        .log = log, .left = max_bundles, .until_ms = v->env->now_ms(v->env->ctx) + BATCH_MS};
    ml_err err = v->unloaded ? state_load(v) : ML_OK;
    if (err == ML_OK) {
        err = ml_db_begin(v->db);
    }
    if (err != ML_OK) {
        return err;
    }
    err = mark_check(v, log);
    if (err == ML_OK) {
        err = catch_all(v, &c);
    }
    if (err == ML_OK) {
        err = mark_save(v, log);
    }
    if (err == ML_OK) {
        err = ml_db_commit(v->db);
    }
    if (err != ML_OK) {
        ml_db_rollback(v->db);
        v->unloaded = state_load(v) != ML_OK; /* then the next call begins with it */
        return err;
    }
    *done = !c.more && !v->remap;
    bool long_one = max_bundles - c.left >= SHRINK_BUNDLES;
    if (*done && long_one && ml_db_exec(v->db, "PRAGMA shrink_memory") != ML_OK) {
        ml_logf(v->env, ML_LOG_DEBUG, "vault", "the page cache was not given back");
    }
    return ML_OK;
}

ml_err ml_vault_reset(struct ml_vault *v)
{
    ml_err err = ml_db_begin(v->db);
    if (err != ML_OK) {
        return err;
    }
    err = forget(v);
    if (err == ML_OK) {
        err = ml_db_commit(v->db);
    }
    if (err != ML_OK) {
        ml_db_rollback(v->db);
        v->unloaded = state_load(v) != ML_OK; /* then the next call begins with it */
        return err;
    }
    return ML_OK;
}
