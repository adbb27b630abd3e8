/* core/record/drafts.c -- see drafts.h. One table; each call is one transaction. */
#include "core/record/drafts.h"

#include <string.h>

#include "core/store/db.h"

enum { ST_PUT, ST_GET, ST_DELETE, ST_COUNT_OTHERS, ST_LIST, ST_COUNT };

struct ml_drafts {
    const struct ml_env *env;
    struct ml_db *db;
    struct ml_stmt *st[ST_COUNT];
};

static const struct ml_db_step layout_steps[] = {
    {.sql = "CREATE TABLE draft(patient BLOB NOT NULL, form TEXT NOT NULL, saved INTEGER NOT NULL,"
            " bytes BLOB NOT NULL, PRIMARY KEY(patient, form)) WITHOUT ROWID;"}};
static const struct ml_db_schema layout = {
    .application_id = 0x4d6c4472, /* "MlDr" */
    .steps = layout_steps,
    .step_count = 1,
};

static const char *const stmt_sql[] = {
    [ST_PUT] = "INSERT INTO draft(patient, form, saved, bytes) VALUES(?1, ?2, ?3, ?4) "
               "ON CONFLICT DO UPDATE SET saved = excluded.saved, bytes = excluded.bytes",
    [ST_GET] = "SELECT saved, bytes FROM draft WHERE patient = ?1 AND form = ?2",
    [ST_DELETE] = "DELETE FROM draft WHERE patient = ?1 AND form = ?2",
    [ST_COUNT_OTHERS] = "SELECT count(*) FROM draft WHERE NOT (patient = ?1 AND form = ?2)",
    [ST_LIST] = "SELECT patient, form, saved, length(bytes) FROM draft "
                "WHERE ?1 IS NULL OR patient = ?1 ORDER BY saved DESC, patient, form",
};

ml_err ml_drafts_open(struct ml_drafts **out, const struct ml_drafts_args *args)
{
    struct ml_drafts *d = ml_alloc(args->env, sizeof(*d));
    if (d == NULL) {
        return ML_E_NOMEM;
    }
    d->env = args->env;
    const struct ml_db_args db_args = {.env = args->env,
                                       .path = args->path,
                                       .vfs = args->vfs,
                                       .flags = args->create ? ML_DB_CREATE : 0,
                                       .sync = ML_DB_SYNC_FULL,
                                       .cache_kib = 512,
                                       .schema = &layout};
    ml_err err = ml_db_open(&d->db, &db_args);
    if (err == ML_OK) {
        err = ml_stmt_prepare_all(d->st, d->db, stmt_sql, ST_COUNT);
    }
    if (err != ML_OK) {
        ml_drafts_close(d);
        return err;
    }
    *out = d;
    return ML_OK;
}

void ml_drafts_close(struct ml_drafts *d)
{
    if (d != NULL) {
        ml_stmt_free_all(d->st, ST_COUNT);
        ml_db_close(d->db);
        ml_release(d->env, d);
    }
}

bool ml_drafts_damaged(const struct ml_drafts *d)
{
    return ml_db_damaged(d->db);
}

static void bind_key(struct ml_stmt *st, const struct ml_draft_key *key)
{
    ml_stmt_bind_blob(st, 1, key->patient.b, sizeof(key->patient.b));
    ml_stmt_bind_text(st, 2, key->form, strlen(key->form));
}

/* Whoever is at the limit can still save again what he writes. */
static ml_err draft_count_others(struct ml_drafts *d, const struct ml_draft_key *key,
                                 int64_t *count)
{
    struct ml_stmt *st = d->st[ST_COUNT_OTHERS];
    bool row = false;
    bind_key(st, key);
    ml_err err = ml_stmt_step(st, &row);
    *count = err == ML_OK && row ? ml_stmt_int(st, 0) : 0;
    ml_stmt_reset(st);
    return err;
}

static ml_err draft_write(struct ml_drafts *d, const struct ml_draft_key *key, uint64_t saved_ms,
                          struct ml_slice bytes)
{
    struct ml_stmt *st = d->st[ST_PUT];
    bind_key(st, key);
    ml_stmt_bind_int(st, 3, (int64_t)saved_ms);
    ml_stmt_bind_blob(st, 4, bytes.data, bytes.len);
    return ml_stmt_run(st);
}

ml_err ml_drafts_put(struct ml_drafts *d, const struct ml_draft_key *key, struct ml_slice bytes)
{
    int64_t count = 0;
    size_t form_len = strlen(key->form);
    if (bytes.len > ML_DRAFT_BYTES_MAX || form_len == 0 || form_len > ML_DRAFT_FORM_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = draft_count_others(d, key, &count);
    if (err != ML_OK) {
        return err;
    }
    if (count >= (int64_t)ML_DRAFTS_MAX) {
        return ML_E_LIMIT;
    }
    return draft_write(d, key, d->env->wall_ms(d->env->ctx), bytes);
}

ml_err ml_drafts_get(struct ml_drafts *d, const struct ml_draft_key *key, struct ml_buf *out,
                     uint64_t *saved_ms)
{
    struct ml_stmt *st = d->st[ST_GET];
    bool row = false;
    bind_key(st, key);
    ml_err err = ml_stmt_step(st, &row);
    if (err != ML_OK || !row) {
        return err == ML_OK ? ML_E_NOT_FOUND : err;
    }
    struct ml_slice bytes = ml_stmt_blob(st, 1);
    ml_buf_append(out, bytes.data, bytes.len);
    if (saved_ms != NULL && out->err == ML_OK) {
        *saved_ms = (uint64_t)ml_stmt_int(st, 0);
    }
    ml_stmt_reset(st);
    return out->err;
}

ml_err ml_drafts_delete(struct ml_drafts *d, const struct ml_draft_key *key)
{
    bind_key(d->st[ST_DELETE], key);
    ml_err err = ml_stmt_run(d->st[ST_DELETE]);
    return err == ML_OK && ml_db_changes(d->db) == 0 ? ML_E_NOT_FOUND : err;
}

static ml_err list_row(struct ml_stmt *st, ml_draft_cb *each, void *user)
{
    char form[ML_DRAFT_FORM_MAX + 1];
    struct ml_draft_key key = {.form = form};
    struct ml_slice patient = ml_stmt_blob(st, 0);
    struct ml_slice name = ml_stmt_text(st, 1);
    if (patient.len != sizeof(key.patient.b) || name.len > ML_DRAFT_FORM_MAX) {
        return ML_E_CORRUPT;
    }
    memcpy(key.patient.b, patient.data, patient.len);
    memcpy(form, name.data, name.len);
    form[name.len] = '\0';
    return each(user, &key, (uint64_t)ml_stmt_int(st, 2), (size_t)ml_stmt_int(st, 3));
}

ml_err ml_drafts_list(struct ml_drafts *d, const struct ml_object_id *patient, ml_draft_cb *each,
                      void *user)
{
    struct ml_stmt *st = d->st[ST_LIST];
    ml_err err = ML_OK;
    bool row = false;
    if (patient != NULL) {
        ml_stmt_bind_blob(st, 1, patient->b, sizeof(patient->b));
    } else {
        ml_stmt_bind_null(st, 1);
    }
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        err = list_row(st, each, user);
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

/* ---- out of a damaged file ---- */

struct named {
    struct ml_object_id patient;
    char form[ML_DRAFT_FORM_MAX + 1];
};

static bool is_damage(ml_err err)
{
    return err == ML_E_CORRUPT || err == ML_E_IO;
}

static bool same_name(const struct named *a, const struct named *b)
{
    return memcmp(&a->patient, &b->patient, sizeof(a->patient)) == 0 &&
           strcmp(a->form, b->form) == 0;
}

/* Adds the keys that `sql` gives, up to `stop` or to the first page that can't be read. */
static ml_err names_read(struct ml_drafts *from, struct ml_buf *names, const char *sql,
                         const struct named *stop)
{
    struct ml_stmt *s = NULL;
    ml_err err = ml_stmt_prepare(&s, from->db, sql);
    for (bool row = true; row && err == ML_OK;) {
        struct named n = {.form = ""};
        err = ml_stmt_step(s, &row);
        const struct ml_slice patient =
            err == ML_OK && row ? ml_stmt_blob(s, 0) : ml_slice(NULL, 0);
        const struct ml_slice form = err == ML_OK && row ? ml_stmt_text(s, 1) : ml_slice(NULL, 0);
        if (patient.len != sizeof(n.patient) || form.len > ML_DRAFT_FORM_MAX) {
            continue;
        }
        memcpy(n.patient.b, patient.data, patient.len);
        memcpy(n.form, form.data, form.len);
        row = stop == NULL || !same_name(&n, stop);
        if (row) {
            ml_buf_append(names, &n, sizeof(n));
            err = names->err;
        }
    }
    ml_stmt_free(s);
    return is_damage(err) ? ML_OK : err;
}

/* Copies rows in the order of `sql` up to the first page that can't be read: a search for a key
 * compares with whole records on its way, so that one bad record hides good ones from it. */
static ml_err rows_copy(struct ml_drafts *d, struct ml_drafts *from, const char *sql)
{
    struct ml_stmt *s = NULL;
    ml_err damage = ml_stmt_prepare(&s, from->db, sql);
    ml_err err = ML_OK;
    for (bool row = true; row && err == ML_OK && damage == ML_OK;) {
        char form[ML_DRAFT_FORM_MAX + 1];
        struct ml_draft_key key = {.form = form};
        damage = ml_stmt_step(s, &row);
        if (damage != ML_OK || !row) {
            continue;
        }
        const struct ml_slice patient = ml_stmt_blob(s, 0);
        const struct ml_slice name = ml_stmt_text(s, 1);
        if (patient.len == sizeof(key.patient) && name.len <= ML_DRAFT_FORM_MAX) {
            memcpy(key.patient.b, patient.data, patient.len);
            memcpy(form, name.data, name.len);
            form[name.len] = '\0';
            err = draft_write(d, &key, (uint64_t)ml_stmt_int(s, 2), ml_stmt_blob(s, 3));
        }
    }
    ml_stmt_free(s);
    return err != ML_OK || is_damage(damage) ? err : damage;
}

static bool has(struct ml_drafts *d, const struct ml_draft_key *key)
{
    struct ml_stmt *st = d->st[ST_GET];
    bool row = false;
    bind_key(st, key);
    const bool there = ml_stmt_step(st, &row) == ML_OK && row;
    ml_stmt_reset(st);
    return there;
}

static ml_err salvage_one(struct ml_drafts *d, struct ml_drafts *damaged, const struct named *n,
                          uint32_t *lost)
{
    const struct ml_draft_key key = {.patient = n->patient, .form = n->form};
    struct ml_buf bytes;
    uint64_t saved_ms = 0;
    if (has(d, &key)) {
        return ML_OK;
    }
    ml_buf_init(&bytes, d->env, ML_DRAFT_BYTES_MAX);
    ml_err err = ml_drafts_get(damaged, &key, &bytes, &saved_ms);
    if (err == ML_OK) {
        err = draft_write(d, &key, saved_ms, ml_buf_slice(&bytes));
    } else if (is_damage(err)) {
        (*lost)++;
        err = ML_OK;
    }
    ml_buf_free(&bytes);
    return err;
}

ml_err ml_drafts_salvage(struct ml_drafts *d, struct ml_drafts *damaged, uint32_t *lost)
{
    struct ml_buf names;
    struct named last;
    *lost = 0;
    ml_buf_init(&names, d->env, ML_DRAFTS_MAX * sizeof(struct named) * 2);
    ml_err err = rows_copy(d, damaged,
                           "SELECT patient, form, saved, bytes FROM draft ORDER BY patient, form");
    if (err == ML_OK) {
        err = rows_copy(d, damaged,
                        "SELECT patient, form, saved, bytes FROM draft "
                        "ORDER BY patient DESC, form DESC");
    }
    if (err == ML_OK) {
        err = names_read(damaged, &names, "SELECT patient, form FROM draft ORDER BY patient, form",
                         NULL);
    }
    if (names.len > 0) {
        memcpy(&last, names.data + names.len - sizeof(last), sizeof(last));
    }
    if (err == ML_OK) { /* and from the other end: one page between them costs itself alone */
        err = names_read(damaged, &names,
                         "SELECT patient, form FROM draft ORDER BY patient DESC, form DESC",
                         names.len > 0 ? &last : NULL);
    }
    const size_t count = names.len / sizeof(struct named);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        struct named n;
        memcpy(&n, names.data + i * sizeof(n), sizeof(n));
        err = salvage_one(d, damaged, &n, lost);
    }
    ml_buf_free(&names);
    return err;
}
