/* core/record/views_chart.c -- the patient's summary and timeline.
 *
 * Happy path: one range of the patient's rows gives what is sorted and counted; only the objects
 * that are shown are decoded. With search words every candidate is decoded and folded: a record is
 * small, and nothing of it needs to stand in an index.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/value.h"
#include "core/record/consents.h"
#include "core/record/fold.h"
#include "core/record/views_int.h"

enum { TIMELINE_DEFAULT = 50, TEXT_MAX = 1u << 20 };

struct row {
    int64_t id;
    int64_t eff;
    uint64_t hlc;
    const struct ml_entity *entity;
    uint8_t life;
    uint8_t flags;
};

struct rows {
    const struct ml_env *env;
    struct row *row; /* owned */
    size_t count;
    size_t cap;
};

static ml_err rows_add(struct rows *rows, const struct row *row)
{
    if (rows->count == rows->cap) {
        size_t cap = rows->cap == 0 ? 64 : rows->cap * 2;
        struct row *grown = ml_resize(rows->env, rows->row, cap * sizeof(*grown));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        rows->row = grown;
        rows->cap = cap;
    }
    rows->row[rows->count++] = *row;
    return ML_OK;
}

static ml_err rows_load(struct ml_vault *v, int64_t patient, struct rows *rows)
{
    struct ml_stmt *st = v->st[ST_OBJECT_OF_PATIENT];
    ml_err err = ML_OK;
    bool more = false;
    ml_stmt_bind_int(st, 1, patient);
    while ((err = ml_stmt_step(st, &more)) == ML_OK && more) {
        const struct row row = {.id = ml_stmt_int(st, 0),
                                .entity = ml_schema_entity(v->schema, (uint16_t)ml_stmt_int(st, 1)),
                                .life = (uint8_t)ml_stmt_int(st, 2),
                                .flags = (uint8_t)ml_stmt_int(st, 3),
                                .eff = ml_stmt_int(st, 4),
                                .hlc = (uint64_t)ml_stmt_int(st, 5)};
        err = row.entity == NULL ? ML_OK : rows_add(rows, &row);
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

static int latest_first(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    if (x->eff != y->eff) {
        return x->eff > y->eff ? -1 : 1;
    }
    if (x->hlc != y->hlc) {
        return x->hlc > y->hlc ? -1 : 1;
    }
    return x->id > y->id ? -1 : x->id < y->id;
}

/* ---- items ---- */

static const char *life_name(uint8_t life)
{
    static const char *const names[] = {"present", "archived", "voided", "greyed"};
    return life < sizeof(names) / sizeof(names[0]) ? names[life] : "present";
}

static uint64_t first_bundle(const struct ml_object *o)
{
    const struct ml_obj_version *first = &o->versions[0];
    for (uint32_t i = 1; i < o->count; i++) {
        first = o->versions[i].hlc < first->hlc ? &o->versions[i] : first;
    }
    return first->n;
}

static ml_err item_texts(struct ml_vault *v, struct ml_object *o, struct ml_args *out)
{
    struct ml_buf text;
    ml_buf_init(&text, v->env, TEXT_MAX);
    ml_err err = ml_view_title(v, o, &text);
    ml_view_put_text(out, "title", ml_buf_slice(&text));
    ml_buf_clear(&text);
    if (err == ML_OK) {
        err = ml_view_summary(v, o, &text);
    }
    ml_view_put_text(out, "text", ml_buf_slice(&text));
    ml_buf_free(&text);
    return err;
}

static const char *grey_of(const struct ml_object *o)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (o->versions[i].grey != 0) {
            return ml_grey_text(o->versions[i].grey);
        }
    }
    return "";
}

static ml_err put_item(struct ml_vault *v, const struct row *row, struct ml_object *o,
                       struct ml_args *out)
{
    struct ml_instant effective;
    struct ml_view_unsigned unsig;
    const struct ml_object_id *id = &o->versions[0].change.object;
    ml_err err = ml_object_effective(o, &effective);
    err = err == ML_OK ? ml_view_weigh_unsigned(v, o, &unsig) : err;
    ml_args_map(out);
    ml_view_put_id(out, "object", ml_slice(id->b, sizeof(id->b)));
    ml_args_key(out, "entity");
    ml_args_text(out, row->entity->name);
    ml_args_key(out, "label");
    ml_args_text(out, row->entity->label_fr);
    if (err == ML_OK) {
        err = item_texts(v, o, out);
        ml_view_put_effective(out, &effective);
    }
    ml_view_put_recorded(out, row->hlc);
    if (err == ML_OK) {
        err = ml_view_put_author(v, out, first_bundle(o));
    }
    ml_args_key(out, "life");
    ml_args_text(out, life_name(row->life));
    ml_args_key(out, "conflict");
    ml_args_bool(out, (row->flags & FLAG_CONFLICT) != 0);
    ml_args_key(out, "greyed");
    ml_args_text(out, grey_of(o));
    ml_args_key(out, "awaits");
    ml_args_bool(out, err == ML_OK && unsig.waits);
    ml_args_key(out, "versions");
    ml_args_int(out, o->count);
    ml_args_end(out);
    return err;
}

static ml_err put_row(struct ml_vault *v, const struct row *row, struct ml_args *out)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_view_load(v, row->id, &o, &packed);
    if (err == ML_OK) {
        err = put_item(v, row, o, out);
    }
    ml_object_free(o);
    ml_buf_free(&packed);
    return err;
}

ml_err ml_view_item(struct ml_vault *v, const struct ml_object_id *patient,
                    const struct ml_object_id *object, struct ml_args *out)
{
    struct row row = {.id = 0};
    struct ml_stmt *st = v->st[ST_OBJECT_BY_ID];
    int64_t patient_row = 0;
    uint16_t entity = 0;
    bool found = false;
    ml_err err = ml_vault_find_object(v, patient, object, &row.id, &entity);
    if (err != ML_OK) {
        return err;
    }
    ml_stmt_bind_int(st, 1, row.id);
    err = ml_stmt_step(st, &found);
    row.entity = ml_schema_entity(v->schema, entity);
    if (err == ML_OK && found) {
        patient_row = ml_stmt_int(st, 0);
        row.life = (uint8_t)ml_stmt_int(st, 4);
        row.flags = (uint8_t)ml_stmt_int(st, 5);
        row.eff = ml_stmt_int(st, 6);
        row.hlc = (uint64_t)ml_stmt_int(st, 7);
    }
    ml_stmt_reset(st);
    if (err == ML_OK && (!found || row.entity == NULL)) {
        err = ML_E_NOT_FOUND;
    }
    if (err != ML_OK) {
        return err;
    }
    ml_args_map(out);
    err = ml_view_put_patient(v, patient_row, out);
    ml_args_key(out, "item");
    err = err == ML_OK ? put_row(v, &row, out) : err;
    ml_args_end(out);
    return err;
}

/* ---- timeline ---- */

static bool wanted_entity(const struct ml_timeline_query *q, const struct ml_entity *entity)
{
    if (q->entities == NULL) {
        return entity->in_timeline;
    }
    for (size_t i = 0; i < q->entity_count; i++) {
        if (strcmp(q->entities[i], entity->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool wanted_row(const struct ml_timeline_query *q, const struct row *row)
{
    bool in_period =
        (q->from_ms == 0 || row->eff >= q->from_ms) && (q->to_ms == 0 || row->eff <= q->to_ms);
    bool alive = row->life == ML_LIFE_PRESENT || row->life == ML_LIFE_GREYED || q->voided;
    return in_period && alive && wanted_entity(q, row->entity);
}

/* Has the object's text every word of the query, each as the beginning of a word? */
static bool words_match(struct ml_slice folded, struct ml_slice words)
{
    struct ml_slice word;
    struct ml_slice have;
    size_t at = 0;
    bool all = true;
    while (all && ml_fold_word(words, &at, &word)) {
        size_t place = 0;
        all = false;
        while (!all && ml_fold_word(folded, &place, &have)) {
            all = have.len >= word.len && memcmp(have.data, word.data, word.len) == 0;
        }
    }
    return all;
}

static ml_err fold_field(struct ml_vault *v, struct ml_object *o, const struct ml_field *field,
                         struct ml_buf *folded)
{
    struct ml_shown shown;
    struct ml_buf text;
    ml_err err = ml_object_shown(o, field, &shown);
    if (err != ML_OK || !shown.found) {
        return err;
    }
    ml_buf_init(&text, v->env, TEXT_MAX);
    err = ml_view_value_text(v, o, field, shown.value, &text);
    ml_buf_u8(folded, ' ');
    ml_fold(folded, ml_buf_slice(&text));
    ml_buf_free(&text);
    return err == ML_OK ? folded->err : err;
}

static ml_err row_matches(struct ml_vault *v, const struct row *row, struct ml_slice words,
                          bool *matches)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    struct ml_buf folded;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_buf_init(&folded, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_view_load(v, row->id, &o, &packed);
    ml_fold(&folded, ml_slice_str(row->entity->label_fr));
    err = err == ML_OK ? folded.err : err;
    for (size_t f = 0; f < row->entity->field_count && err == ML_OK; f++) {
        if (row->entity->fields[f].search == ML_SEARCH_TEXT) {
            err = fold_field(v, o, &row->entity->fields[f], &folded);
        }
    }
    *matches = words_match(ml_buf_slice(&folded), words);
    ml_object_free(o);
    ml_buf_free(&packed);
    ml_buf_free(&folded);
    return err;
}

static ml_err filter_rows(struct ml_vault *v, const struct ml_timeline_query *q, struct rows *rows)
{
    struct ml_buf words;
    size_t kept = 0;
    ml_err err = ML_OK;
    ml_buf_init(&words, v->env, 4096);
    if (q->text != NULL) {
        ml_fold(&words, ml_slice_str(q->text));
        err = words.err;
    }
    for (size_t i = 0; i < rows->count && err == ML_OK; i++) {
        bool keep = wanted_row(q, &rows->row[i]);
        if (keep && words.len > 0) {
            err = row_matches(v, &rows->row[i], ml_buf_slice(&words), &keep);
        }
        if (keep) {
            rows->row[kept++] = rows->row[i];
        }
    }
    rows->count = kept;
    ml_buf_free(&words);
    return err;
}

/* What a later program wrote of this patient, and this one doesn't show, or not all of. */
static ml_err put_unknown(struct ml_vault *v, int64_t patient, struct ml_args *out)
{
    struct ml_stmt *st = v->st[ST_SKIP_OF];
    bool row = false;
    ml_stmt_bind_int(st, 1, patient);
    ml_err err = ml_stmt_step(st, &row);
    ml_args_key(out, "unknown");
    ml_args_int(out, err == ML_OK && row ? ml_stmt_int(st, 0) : 0);
    ml_stmt_reset(st);
    return err;
}

static ml_err put_timeline(struct ml_vault *v, const struct ml_timeline_query *q, int64_t patient,
                           const struct rows *rows, struct ml_args *out)
{
    size_t limit = q->limit == 0 ? TIMELINE_DEFAULT : q->limit;
    size_t from = q->offset < rows->count ? q->offset : rows->count;
    size_t to = rows->count - from < limit ? rows->count : from + limit;
    ml_args_map(out);
    ml_args_key(out, "complete");
    ml_args_bool(out, ml_vault_complete(v));
    ml_err err = put_unknown(v, patient, out);
    if (err == ML_OK) {
        err = ml_view_put_hidden(v, out, &q->patient);
    }
    if (err == ML_OK) {
        err = ml_view_put_by_role(v, out, &q->patient, patient);
    }
    ml_args_key(out, "total");
    ml_args_int(out, (int64_t)rows->count);
    ml_args_key(out, "more");
    ml_args_bool(out, to < rows->count);
    ml_args_key(out, "items");
    ml_args_list(out);
    for (size_t i = from; i < to && err == ML_OK; i++) {
        err = put_row(v, &rows->row[i], out);
    }
    ml_args_end(out);
    ml_args_end(out);
    return err;
}

ml_err ml_view_timeline(struct ml_vault *v, const struct ml_timeline_query *query,
                        struct ml_args *out)
{
    struct rows rows = {.env = v->env};
    int64_t patient = 0;
    ml_err err = out == NULL ? ML_E_NOMEM : ml_vault_patient(v, &query->patient, false, &patient);
    if (err == ML_OK) {
        err = rows_load(v, patient, &rows);
    }
    if (err == ML_OK) {
        err = filter_rows(v, query, &rows);
    }
    if (err == ML_OK) {
        if (rows.count > 1) {
            qsort(rows.row, rows.count, sizeof(*rows.row), latest_first);
        }
        err = put_timeline(v, query, patient, &rows, out);
    }
    ml_release(v->env, rows.row);
    return err;
}

/* ---- summary ---- */

/* Is any key here for this part of the patient's data? Else what is absent isn't known. */
struct may_read {
    struct ml_vault *v;
    ml_compartment compartment;
    struct ml_team_id team[ML_KEYRING_LINKS_MAX];
    size_t count;
};

static ml_err collect_team(void *user, const struct ml_patient_link *link)
{
    struct may_read *may = user;
    if (may->count < ML_KEYRING_LINKS_MAX) {
        may->team[may->count++] = link->team;
    }
    return ML_OK;
}

static ml_err may_read(struct ml_vault *v, const struct ml_object_id *patient,
                       ml_compartment compartment, bool *may)
{
    struct may_read m = {.v = v, .compartment = compartment};
    ml_err err = v->key_store.link_each(v, patient, collect_team, &m);
    *may = false;
    for (size_t i = 0; i < m.count && err == ML_OK; i++) {
        *may = *may || ml_keyring_can_seal(v->keyring, &m.team[i], compartment);
    }
    return err;
}

static ml_err shown_code(struct ml_object *o, const char *name, struct ml_buf *out)
{
    const struct ml_field *field = ml_entity_field_named(o->entity, name);
    struct ml_shown shown = {.found = false};
    struct ml_code code;
    ml_err err = field == NULL ? ML_OK : ml_object_shown(o, field, &shown);
    ml_buf_clear(out);
    if (err == ML_OK && shown.found && ml_code_decode(&code, shown.value) == ML_OK) {
        ml_buf_append(out, code.code.data, code.code.len);
        err = out->err;
    }
    return err;
}

static bool is_text(const struct ml_buf *buf, const char *text)
{
    return ml_slice_equal(ml_buf_slice(buf), ml_slice_str(text));
}

/* The four states of allergies (peers 4.1): never mixed, never empty. */
struct allergies {
    bool known;
    bool none_known;
    bool asked_in_vain;
};

static ml_err allergy_row(struct ml_vault *v, const struct row *row, struct allergies *state,
                          struct ml_args *out)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    struct ml_buf code;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_buf_init(&code, v->env, 4096);
    ml_err err = ml_view_load(v, row->id, &o, &packed);
    if (err == ML_OK) {
        err = shown_code(o, "assertion", &code);
    }
    if (err == ML_OK) {
        bool none = is_text(&code, "none-known") || is_text(&code, "none_known");
        bool unknown =
            is_text(&code, "not-asked") || is_text(&code, "not_asked") || is_text(&code, "unable");
        bool refuted = is_text(&code, "refuted");
        state->none_known |= none;
        state->asked_in_vain |= unknown;
        state->known |= !none && !unknown && !refuted;
        err = put_item(v, row, o, out);
    }
    ml_object_free(o);
    ml_buf_free(&code);
    ml_buf_free(&packed);
    return err;
}

static const char *allergy_state(const struct allergies *state, bool complete)
{
    if (state->known) {
        return "known";
    }
    if (!complete) {
        return "unavailable";
    }
    return state->none_known ? "none_known" : "not_recorded";
}

/* Could all that others noted of them be here? Else « none known » isn't known either. */
static ml_err sees_allergies(struct ml_vault *v, const struct ml_object_id *patient, int64_t row,
                             bool *sees)
{
    struct vault_reads reads = {.all = 0};
    bool may = false;
    bool hidden = false;
    ml_err err = may_read(v, patient, ML_COMPARTMENT_VITAL, &may);
    if (err == ML_OK) {
        err = ml_vault_hides_any(v, patient, &hidden);
    }
    if (err == ML_OK) {
        err = ml_vault_reads_of(v, row, patient, &reads);
    }
    *sees = may && !hidden && (reads.all >> ML_CLASS_ALERTS & 1u) != 0 && ml_vault_complete(v);
    return err;
}

static ml_err put_allergies(struct ml_vault *v, const struct ml_object_id *patient, int64_t row,
                            const struct rows *rows, struct ml_args *out)
{
    struct allergies state = {.known = false};
    bool sees = false;
    ml_err err = sees_allergies(v, patient, row, &sees);
    ml_args_key(out, "allergies");
    ml_args_map(out);
    ml_args_key(out, "items");
    ml_args_list(out);
    for (size_t i = 0; i < rows->count && err == ML_OK; i++) {
        if (strcmp(rows->row[i].entity->name, "allergy") == 0 &&
            rows->row[i].life == ML_LIFE_PRESENT) {
            err = allergy_row(v, &rows->row[i], &state, out);
        }
    }
    ml_args_end(out);
    ml_args_key(out, "state");
    ml_args_text(out, allergy_state(&state, sees));
    ml_args_end(out);
    return err;
}

/* Present rows of one entity, into an open map. */
static ml_err put_list(struct ml_vault *v, const struct rows *rows, const char *entity,
                       const char *key, struct ml_args *out)
{
    ml_err err = ML_OK;
    ml_args_key(out, key);
    ml_args_list(out);
    for (size_t i = 0; i < rows->count && err == ML_OK; i++) {
        if (strcmp(rows->row[i].entity->name, entity) == 0 && rows->row[i].life != ML_LIFE_VOIDED &&
            rows->row[i].life != ML_LIFE_ARCHIVED) {
            err = put_row(v, &rows->row[i], out);
        }
    }
    ml_args_end(out);
    return err;
}

/* Current and past are never mixed in one list (peers 4.3). */
static ml_err is_current(struct ml_vault *v, const struct row *row, bool *current)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    struct ml_buf code;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_buf_init(&code, v->env, 4096);
    ml_err err = ml_view_load(v, row->id, &o, &packed);
    if (err == ML_OK) {
        err = shown_code(o, "status", &code);
    }
    *current = !is_text(&code, "stopped") && !is_text(&code, "completed") &&
               !is_text(&code, "cancelled") && !is_text(&code, "entered-in-error") &&
               row->life == ML_LIFE_PRESENT;
    ml_object_free(o);
    ml_buf_free(&code);
    ml_buf_free(&packed);
    return err;
}

static ml_err put_treatments_half(struct ml_vault *v, const struct rows *rows, bool current,
                                  struct ml_args *out)
{
    ml_err err = ML_OK;
    ml_args_key(out, current ? "current" : "past");
    ml_args_list(out);
    for (size_t i = 0; i < rows->count && err == ML_OK; i++) {
        bool now = false;
        if (strcmp(rows->row[i].entity->name, "treatment") != 0 ||
            rows->row[i].life == ML_LIFE_VOIDED) {
            continue;
        }
        err = is_current(v, &rows->row[i], &now);
        if (err == ML_OK && now == current) {
            err = put_row(v, &rows->row[i], out);
        }
    }
    ml_args_end(out);
    return err;
}

static ml_err put_treatments(struct ml_vault *v, const struct rows *rows, struct ml_args *out)
{
    ml_args_key(out, "treatments");
    ml_args_map(out);
    ml_err err = put_treatments_half(v, rows, true, out);
    if (err == ML_OK) {
        err = put_treatments_half(v, rows, false, out);
    }
    ml_args_end(out);
    return err;
}

static void put_counts(struct ml_vault *v, const struct rows *rows, struct ml_args *out)
{
    ml_args_key(out, "counts");
    ml_args_map(out);
    for (size_t e = 0; e < v->schema->entity_count; e++) {
        int64_t count = 0;
        for (size_t i = 0; i < rows->count; i++) {
            count += rows->row[i].entity == v->schema->entities[e] &&
                     rows->row[i].life == ML_LIFE_PRESENT;
        }
        if (count > 0) {
            ml_args_key(out, v->schema->entities[e]->name);
            ml_args_int(out, count);
        }
    }
    ml_args_end(out);
}

static ml_err put_banner(struct ml_vault *v, int64_t patient, struct ml_args *out)
{
    struct ml_stmt *st = v->st[ST_PATIENT_GET];
    bool row = false;
    ml_stmt_bind_int(st, 1, patient);
    ml_err err = ml_stmt_step(st, &row);
    ml_args_key(out, "banner");
    ml_args_map(out);
    if (err == ML_OK && row) {
        ml_view_put_card(out, ml_stmt_blob(st, 1));
    }
    ml_args_end(out);
    ml_stmt_reset(st);
    return err;
}

static ml_err put_conflict_count(struct ml_vault *v, int64_t patient, struct ml_args *out)
{
    struct ml_stmt *st = v->st[ST_CONFLICT_COUNT];
    bool row = false;
    ml_stmt_bind_int(st, 1, patient);
    ml_err err = ml_stmt_step(st, &row);
    ml_args_key(out, "conflicts");
    ml_args_map(out);
    ml_args_key(out, "open");
    ml_args_int(out, err == ML_OK && row ? ml_stmt_int(st, 0) : 0);
    ml_args_key(out, "worst");
    ml_args_int(out, err == ML_OK && row ? ml_stmt_int(st, 1) : 0);
    ml_args_end(out);
    ml_stmt_reset(st);
    return err;
}

static ml_err put_summary(struct ml_vault *v, const struct ml_object_id *oid, int64_t patient,
                          const struct rows *rows, struct ml_args *out)
{
    ml_args_map(out);
    ml_args_key(out, "complete");
    ml_args_bool(out, ml_vault_complete(v));
    ml_view_put_id(out, "patient", ml_slice(oid->b, sizeof(oid->b)));
    ml_err err = put_banner(v, patient, out);
    if (err == ML_OK) {
        err = put_unknown(v, patient, out);
    }
    if (err == ML_OK) {
        err = ml_view_put_hidden(v, out, oid);
    }
    if (err == ML_OK) {
        err = ml_view_put_by_role(v, out, oid, patient);
    }
    if (err == ML_OK) {
        err = put_conflict_count(v, patient, out);
    }
    if (err == ML_OK) {
        err = put_allergies(v, oid, patient, rows, out);
    }
    if (err == ML_OK) {
        err = put_list(v, rows, "problem", "problems", out);
    }
    if (err == ML_OK) {
        err = put_treatments(v, rows, out);
    }
    put_counts(v, rows, out);
    ml_args_key(out, "last");
    ml_args_int(out, rows->count > 0 ? rows->row[0].eff : 0);
    ml_args_end(out);
    return err;
}

ml_err ml_view_patient(struct ml_vault *v, const struct ml_object_id *patient, struct ml_args *out)
{
    struct rows rows = {.env = v->env};
    int64_t row = 0;
    ml_err err = out == NULL ? ML_E_NOMEM : ml_vault_patient(v, patient, false, &row);
    if (err == ML_OK) {
        err = rows_load(v, row, &rows);
    }
    if (err == ML_OK) {
        if (rows.count > 1) {
            qsort(rows.row, rows.count, sizeof(*rows.row), latest_first);
        }
        err = put_summary(v, patient, row, &rows, out);
    }
    ml_release(v->env, rows.row);
    return err;
}
