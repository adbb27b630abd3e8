/* core/record/vault_retention.c -- see retention.h: what a vault knows of a patient's last contact,
 * birth, death, and of what holds his record.
 *
 * Happy path: his objects' rows -> each that may be later than the latest so far is loaded, and
 * each of its versions that counts asked for its date of care.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/codec/value.h"
#include "core/record/retention.h"
#include "core/record/views_int.h"

enum { PARTIAL_MS_DAYS = 367, MS_PER_MINUTE = 60000 };
static const int64_t partial_ms = (int64_t)PARTIAL_MS_DAYS * 86400000;

struct row {
    int64_t id;
    const struct ml_entity *entity;
    int64_t last_ms; /* of its shown date and of when it was recorded last */
    uint64_t hlc;
    bool counts;
};

struct walk {
    struct ml_vault *v;
    struct ml_retention_facts facts;
    struct ml_buf rows; /* of struct row */
    int64_t contact_ms; /* end of the contact's last day; INT64_MIN: none yet */
    ml_hold_cb *each;   /* of holds; NULL: counted only */
    void *user;
};

static int64_t day_end_ms(const struct ml_date *date)
{
    const struct ml_date day = ml_retention_after(date, 0, 0);
    return ml_date_ms(&day);
}

/* The day of an instant at its own offset, as far as it is known. */
static struct ml_date date_of(const struct ml_instant *at)
{
    struct ml_date date = ml_date_of_ms(at->utc_ms + (int64_t)at->offset_min * MS_PER_MINUTE);
    if (at->precision < ML_PRECISION_DAY) {
        date.day = 0;
        date.month = at->precision < ML_PRECISION_MONTH ? 0 : date.month;
        date.precision =
            at->precision < ML_PRECISION_MONTH ? ML_PRECISION_YEAR : ML_PRECISION_MONTH;
    }
    return date;
}

static void contact_take(struct walk *w, const struct ml_instant *at)
{
    const struct ml_date date = date_of(at);
    const int64_t ms = day_end_ms(&date);
    if (ms > w->contact_ms) {
        w->contact_ms = ms;
        w->facts.contact = ml_retention_after(&date, 0, 0);
    }
}

/* ---- one object ---- */

static ml_err field_shown(struct ml_object *o, const char *name, struct ml_shown *shown)
{
    const struct ml_field *field = ml_entity_field_named(o->entity, name);
    *shown = (struct ml_shown){.found = false};
    return field == NULL ? ML_E_UNSUPPORTED : ml_object_shown(o, field, shown);
}

static ml_err patient_take(struct walk *w, struct ml_object *o)
{
    struct ml_shown shown;
    struct ml_slice text;
    struct ml_instant at;
    ml_err err = field_shown(o, "birth_date", &shown);
    if (err == ML_OK && shown.found && ml_text_decode(&text, shown.value) == ML_OK &&
        !ml_date_parse(text, &w->facts.birth)) {
        w->facts.birth = (struct ml_date){.year = 0};
    }
    w->facts.doubtful = w->facts.doubtful || shown.conflict;
    err = err == ML_OK ? field_shown(o, "deceased_at", &shown) : err;
    if (err == ML_OK && shown.found && ml_instant_decode(&at, shown.value) == ML_OK) {
        w->facts.death = date_of(&at);
    }
    w->facts.doubtful = w->facts.doubtful || shown.conflict;
    return err;
}

static ml_err hold_take(struct walk *w, struct ml_object *o, const struct ml_object_id *object,
                        uint64_t hlc)
{
    struct ml_shown shown;
    struct ml_slice reason = {.len = 0};
    ml_err err = field_shown(o, "released", &shown);
    if (err != ML_OK || shown.found) {
        return err;
    }
    w->facts.held++;
    err = field_shown(o, "reason", &shown);
    if (err != ML_OK || w->each == NULL) {
        return err;
    }
    if (!shown.found || ml_text_decode(&reason, shown.value) != ML_OK) {
        reason = ml_slice(NULL, 0);
    }
    return w->each(w->user, object, reason, ml_hlc_ms(hlc));
}

static void versions_take(struct walk *w, const struct ml_object *o)
{
    for (uint32_t i = 0; i < o->count; i++) {
        const struct ml_obj_version *version = &o->versions[i];
        if (version->grey == ML_GREY_NONE && version->change.effective.precision != 0) {
            contact_take(w, &version->change.effective);
        }
    }
}

static bool is_hold(const struct ml_entity *entity)
{
    return strcmp(entity->name, "retention_hold") == 0;
}

static ml_err object_take(struct walk *w, const struct row *row)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    struct ml_instant at;
    ml_buf_init(&packed, w->v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_view_load(w->v, row->id, &o, &packed);
    if (err == ML_OK && row->entity->is_patient) {
        err = patient_take(w, o);
    } else if (err == ML_OK && is_hold(row->entity)) {
        err =
            o->count == 0 ? ML_E_CORRUPT : hold_take(w, o, &o->versions[0].change.object, row->hlc);
    } else if (err == ML_OK) {
        versions_take(w, o);
        err = ml_object_effective(o, &at);
        if (err == ML_OK) {
            contact_take(w, &at);
        }
    }
    ml_object_free(o);
    ml_wipe(packed.data, packed.len);
    ml_buf_free(&packed);
    return err;
}

/* ---- all of them ---- */

static ml_err rows_read(struct walk *w, int64_t patient)
{
    struct ml_stmt *st = w->v->st[ST_OBJECT_OF_PATIENT];
    ml_err err = ML_OK;
    bool more = false;
    ml_stmt_bind_int(st, 1, patient);
    while ((err = ml_stmt_step(st, &more)) == ML_OK && more) {
        const int64_t life = ml_stmt_int(st, 2);
        struct row row = {.id = ml_stmt_int(st, 0),
                          .entity = ml_schema_entity(w->v->schema, (uint16_t)ml_stmt_int(st, 1)),
                          .last_ms = ml_stmt_int(st, 4),
                          .hlc = (uint64_t)ml_stmt_int(st, 5),
                          .counts = life == ML_LIFE_PRESENT || life == ML_LIFE_ARCHIVED};
        const int64_t recorded = (int64_t)ml_hlc_ms(row.hlc);
        row.last_ms = recorded > row.last_ms ? recorded : row.last_ms;
        if (row.entity != NULL && row.counts) {
            ml_buf_append(&w->rows, &row, sizeof(row));
        }
        if (w->rows.err != ML_OK) {
            ml_stmt_reset(st);
            return w->rows.err;
        }
    }
    return err;
}

static bool is_wanted(const struct walk *w, const struct row *row)
{
    if (row->entity->is_patient || is_hold(row->entity)) {
        return true;
    }
    return w->each == NULL && row->entity->in_timeline &&
           (w->contact_ms == INT64_MIN || row->last_ms + partial_ms > w->contact_ms);
}

static ml_err rows_take(struct walk *w, int64_t enough_ms)
{
    const struct row *rows = (const void *)w->rows.data;
    const size_t count = w->rows.len / sizeof(*rows);
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && err == ML_OK && !w->facts.recent; i++) {
        if (is_wanted(w, &rows[i])) {
            err = object_take(w, &rows[i]);
        }
        w->facts.recent = w->contact_ms >= enough_ms;
    }
    for (size_t i = 0; i < count && w->contact_ms == INT64_MIN; i++) { /* nothing was ever dated */
        if (rows[i].entity->is_patient) {
            w->facts.contact = ml_date_of_ms((int64_t)ml_hlc_ms(rows[i].hlc));
        }
    }
    return err;
}

static ml_err walk_run(struct walk *w, const struct ml_object_id *patient, int64_t enough_ms)
{
    int64_t row = 0;
    ml_buf_init(&w->rows, w->v->env, ML_OBJECT_BYTES_MAX);
    w->contact_ms = INT64_MIN;
    ml_err err = ml_vault_patient(w->v, patient, false, &row);
    if (err == ML_OK) {
        err = rows_read(w, row);
    }
    if (err == ML_OK && w->rows.len == 0) {
        err = ML_E_NOT_FOUND;
    }
    if (err == ML_OK) {
        err = rows_take(w, enough_ms);
    }
    ml_buf_free(&w->rows);
    return err;
}

ml_err ml_vault_retention(struct ml_vault *v, const struct ml_object_id *patient, int64_t enough_ms,
                          struct ml_retention_facts *out)
{
    struct walk w = {.v = v};
    ml_err err = walk_run(&w, patient, enough_ms);
    if (err == ML_OK) {
        *out = w.facts;
    }
    return err;
}

ml_err ml_vault_each_hold(struct ml_vault *v, const struct ml_object_id *patient, ml_hold_cb *each,
                          void *user)
{
    struct walk w = {.v = v, .each = each, .user = user};
    return walk_run(&w, patient, INT64_MAX);
}

/* ---- shown ---- */

/* The next one whose identity is known here. NOT_FOUND: none. */
static ml_err next_patient(struct ml_vault *v, struct ml_object_id *patient)
{
    struct ml_stmt *st = v->st[ST_PATIENT_NEXT];
    bool row = false;
    ml_stmt_bind_blob(st, 1, patient->b, sizeof(patient->b));
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK && row) {
        const struct ml_slice oid = ml_stmt_blob(st, 0);
        err = oid.len == sizeof(patient->b) ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK) {
            memcpy(patient->b, oid.data, oid.len);
        }
    }
    ml_stmt_reset(st);
    return err == ML_OK && !row ? ML_E_NOT_FOUND : err;
}

static void date_put(struct ml_args *out, const char *key, const struct ml_date *date)
{
    char iso[16];
    const int len =
        snprintf(iso, sizeof(iso), "%04u-%02u-%02u", date->year, date->month, date->day);
    ml_view_put_text(out, key, ml_slice((const uint8_t *)iso, (size_t)len));
}

static void name_put(struct ml_args *out, const char *key, const char *text)
{
    ml_view_put_text(out, key, ml_slice_str(text));
}

static ml_err item_put(struct ml_vault *v, const struct ml_view_retention *what,
                       const struct ml_object_id *patient, const struct ml_retention_facts *facts)
{
    const struct ml_retention r = ml_retention_of(facts, &what->rule);
    const ml_retention_state state = ml_retention_state_on(&r, &what->on);
    struct ml_buf text;
    int64_t row = 0;
    ml_err err = ml_vault_patient(v, patient, false, &row);
    ml_buf_init(&text, v->env, 256);
    ml_retention_text(&text, &r, facts, &what->rule);
    err = err == ML_OK ? text.err : err;
    if (err == ML_OK) {
        err = ml_view_put_patient(v, row, what->out);
    }
    if (err == ML_OK) {
        date_put(what->out, "contact", &facts->contact);
        date_put(what->out, "active_end", &r.active_end);
        date_put(what->out, "end", &r.end);
        name_put(what->out, "state", ml_retention_state_name(state));
        name_put(what->out, "rule", ml_retention_why_name(r.why));
        ml_view_put_text(what->out, "text", ml_buf_slice(&text));
        ml_args_key(what->out, "held");
        ml_args_int(what->out, facts->held);
        ml_args_key(what->out, "doubtful");
        ml_args_bool(what->out, facts->doubtful);
    }
    ml_buf_free(&text);
    return err;
}

ml_err ml_view_retention_of(struct ml_vault *v, const struct ml_view_retention *what,
                            const struct ml_object_id *patient, struct ml_retention_facts *facts)
{
    ml_err err = ml_vault_retention(v, patient, INT64_MAX, facts);
    return err == ML_OK ? item_put(v, what, patient, facts) : err;
}

static ml_err listed(struct ml_vault *v, const struct ml_view_retention *what,
                     const struct ml_object_id *patient)
{
    struct ml_retention_facts facts;
    const unsigned years = what->rule.active_years;
    struct ml_date from = what->on;
    from.year = (uint16_t)(from.year > years ? from.year - years : 1);
    from.day = from.day > 28 ? 28 : from.day; /* a day that every month has; a later one is looked
                                                 at in full */
    ml_err err = ml_vault_retention(v, patient, ml_date_ms(&from) + partial_ms, &facts);
    if (err != ML_OK || facts.recent) {
        return err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    const struct ml_retention r = ml_retention_of(&facts, &what->rule);
    if (ml_retention_state_on(&r, &what->on) == ML_RETENTION_ACTIVE) {
        return ML_OK;
    }
    ml_args_map(what->out);
    err = item_put(v, what, patient, &facts);
    ml_args_end(what->out);
    return err;
}

ml_err ml_view_retention(struct ml_vault *v, const struct ml_view_retention *what)
{
    struct ml_object_id patient = {{0}};
    ml_err err = ML_OK;
    ml_args_key(what->out, "items");
    ml_args_list(what->out);
    while (err == ML_OK && (err = next_patient(v, &patient)) == ML_OK) {
        err = listed(v, what, &patient);
    }
    ml_args_end(what->out);
    ml_args_key(what->out, "complete");
    ml_args_bool(what->out, ml_vault_complete(v));
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}
