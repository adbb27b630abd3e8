/* core/record/views_object.c -- one object with its history, and the worklist of conflicts. */
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/views_int.h"

static const char *rank_name(ml_version_rank rank)
{
    static const char *const names[] = {"", "head", "replaced", "greyed"};
    return names[rank];
}

/* Who said it, when, and why: into an open map. */
static ml_err put_version(struct ml_vault *v, const struct ml_obj_version *version,
                          struct ml_args *out)
{
    ml_view_put_version(out, &version->id);
    ml_err err = ml_view_put_author(v, out, version->n);
    ml_view_put_recorded(out, version->hlc);
    if (version->change.effective.precision != 0) {
        ml_view_put_effective(out, &version->change.effective);
    }
    ml_args_key(out, "op");
    ml_args_text(out, ml_change_type_name(version->change.type));
    if (version->change.reason.len > 0) {
        ml_view_put_text(out, "reason", version->change.reason);
    }
    if (version->change.origin.len > 0) {
        ml_view_put_text(out, "origin", version->change.origin);
    }
    if (!ml_object_id_is_zero(&version->change.author)) {
        ml_view_put_id(out, "on_behalf_of",
                       ml_slice(version->change.author.b, sizeof(version->change.author.b)));
    }
    if (version->grey != 0) {
        ml_args_key(out, "greyed");
        ml_args_text(out, ml_grey_text(version->grey));
    }
    return err;
}

static bool later(const struct ml_obj_version *a, const struct ml_obj_version *b)
{
    return a->hlc > b->hlc || (a->hlc == b->hlc && ml_version_id_compare(&a->id, &b->id) < 0);
}

/* Versions of a register, latest first; of equals the smaller id. */
static void order_versions(const struct ml_object *o, uint32_t *order)
{
    for (uint32_t i = 0; i < o->count; i++) {
        uint32_t at = i;
        for (; at > 0 && !later(&o->versions[order[at - 1]], &o->versions[i]); at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

struct detail {
    struct ml_vault *v;
    struct ml_object *o;
    struct ml_args *out;
    uint32_t *order;
};

static ml_err put_history(const struct detail *d, const struct ml_register *r,
                          const struct ml_field *field)
{
    ml_err err = ML_OK;
    ml_args_key(d->out, "history");
    ml_args_list(d->out);
    for (uint32_t i = 0; i < d->o->count && err == ML_OK; i++) {
        uint32_t at = d->order[i];
        struct ml_slice value;
        if (r->ranks[at] == ML_RANK_APART || !ml_object_value(d->o, at, field, &value)) {
            continue;
        }
        ml_args_map(d->out);
        err = ml_view_put_value(d->v, d->out, d->o, field, value);
        ml_args_key(d->out, "rank");
        ml_args_text(d->out, rank_name(r->ranks[at]));
        if (err == ML_OK) {
            err = put_version(d->v, &d->o->versions[at], d->out);
        }
        ml_args_end(d->out);
    }
    ml_args_end(d->out);
    return err;
}

static ml_err put_heads(const struct detail *d, const struct ml_register *r,
                        const struct ml_field *field)
{
    ml_err err = ML_OK;
    ml_args_key(d->out, "heads");
    ml_args_list(d->out);
    for (uint32_t h = 0; h < r->head_count && err == ML_OK; h++) {
        struct ml_slice value;
        if (ml_object_value(d->o, r->head_versions[h], field, &value)) {
            ml_args_map(d->out);
            ml_view_put_version(d->out, &r->heads[h].id);
            err = ml_view_put_value(d->v, d->out, d->o, field, value);
            ml_args_end(d->out);
        }
    }
    ml_args_end(d->out);
    return err;
}

/* Does any version say anything of this field? */
static bool said(const struct ml_object *o, const struct ml_field *field)
{
    struct ml_slice value;
    bool any = false;
    for (uint32_t i = 0; i < o->count && !any; i++) {
        any = ml_object_value(o, i, field, &value);
    }
    return any;
}

static ml_err put_field(const struct detail *d, const struct ml_field *field)
{
    struct ml_register r;
    struct ml_shown shown;
    ml_err err = ml_object_register(d->o, ml_field_slot(field), &r);
    if (err != ML_OK) {
        return err;
    }
    ml_args_map(d->out);
    ml_args_key(d->out, "field");
    ml_args_text(d->out, field->name);
    ml_args_key(d->out, "label");
    ml_args_text(d->out, field->label_fr);
    ml_args_key(d->out, "slot");
    ml_args_int(d->out, r.slot);
    ml_args_key(d->out, "conflict");
    ml_args_bool(d->out, r.outcome.conflict);
    err = ml_object_shown(d->o, field, &shown);
    if (err == ML_OK && shown.found) {
        err = ml_view_put_value(d->v, d->out, d->o, field, shown.value);
    }
    if (err == ML_OK) {
        err = put_heads(d, &r, field);
    }
    if (err == ML_OK) {
        err = put_history(d, &r, field);
    }
    ml_args_end(d->out);
    ml_register_free(d->o, &r);
    return err;
}

static ml_err put_life(const struct detail *d)
{
    static const char *const names[] = {"present", "archived", "voided", "greyed"};
    ml_err err = ML_OK;
    ml_args_key(d->out, "life");
    ml_args_text(d->out, names[d->o->life.life]);
    ml_args_key(d->out, "life_conflict");
    ml_args_bool(d->out, d->o->life.conflict);
    ml_args_key(d->out, "life_history");
    ml_args_list(d->out);
    for (uint32_t i = 0; i < d->o->count && err == ML_OK; i++) {
        uint32_t at = d->order[i];
        if (d->o->lives[at] == ML_RANK_APART) {
            continue;
        }
        ml_args_map(d->out);
        ml_args_key(d->out, "rank");
        ml_args_text(d->out, rank_name(d->o->lives[at]));
        err = put_version(d->v, &d->o->versions[at], d->out);
        ml_args_end(d->out);
    }
    ml_args_end(d->out);
    return err;
}

static ml_err put_object(const struct detail *d, const struct ml_object_id *id)
{
    struct ml_buf title;
    struct ml_view_unsigned unsig;
    ml_buf_init(&title, d->v->env, 1u << 16);
    ml_err err = ml_view_title(d->v, d->o, &title);
    err = err == ML_OK ? ml_view_weigh_unsigned(d->v, d->o, &unsig) : err;
    ml_args_map(d->out);
    ml_args_key(d->out, "complete");
    ml_args_bool(d->out, ml_vault_complete(d->v));
    ml_view_put_id(d->out, "object", ml_slice(id->b, sizeof(id->b)));
    ml_args_key(d->out, "entity");
    ml_args_text(d->out, d->o->entity->name);
    ml_args_key(d->out, "label");
    ml_args_text(d->out, d->o->entity->label_fr);
    ml_view_put_text(d->out, "title", ml_buf_slice(&title));
    ml_args_key(d->out, "awaits");
    ml_args_bool(d->out, err == ML_OK && unsig.waits);
    if (err == ML_OK) {
        err = put_life(d);
    }
    ml_args_key(d->out, "fields");
    ml_args_list(d->out);
    for (size_t f = 0; f < d->o->entity->field_count && err == ML_OK; f++) {
        if (said(d->o, &d->o->entity->fields[f])) {
            err = put_field(d, &d->o->entity->fields[f]);
        }
    }
    ml_args_end(d->out);
    ml_args_end(d->out);
    ml_buf_free(&title);
    return err;
}

/* The row of an object of this patient. NOT_FOUND. */
ml_err ml_vault_find_object(struct ml_vault *v, const struct ml_object_id *patient,
                            const struct ml_object_id *object, int64_t *row, uint16_t *entity)
{
    struct ml_stmt *st = v->st[ST_OBJECT_SEEK];
    int64_t patient_row = 0;
    bool found = false;
    ml_err err = ml_vault_patient(v, patient, false, &patient_row);
    if (err != ML_OK) {
        return err;
    }
    ml_stmt_bind_int(st, 1, patient_row);
    ml_stmt_bind_blob(st, 2, object->b, sizeof(object->b));
    err = ml_stmt_step(st, &found);
    if (err == ML_OK && found) {
        *row = ml_stmt_int(st, 0);
        *entity = (uint16_t)ml_stmt_int(st, 2);
        ml_stmt_reset(st);
        return ML_OK;
    }
    return err == ML_OK ? ML_E_NOT_FOUND : err;
}

ml_err ml_view_object(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_object_id *object, struct ml_args *out)
{
    struct detail d = {.v = v, .out = out};
    struct ml_buf packed;
    int64_t row = 0;
    uint16_t entity = 0;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = out == NULL ? ML_E_NOMEM : ml_vault_find_object(v, patient, object, &row, &entity);
    if (err == ML_OK) {
        err = ml_view_load(v, row, &d.o, &packed);
    }
    if (err == ML_OK) {
        d.order = ml_alloc_array(v->env, d.o->count + 1u, sizeof(*d.order));
        err = d.order == NULL ? ML_E_NOMEM : ML_OK;
    }
    if (err == ML_OK) {
        order_versions(d.o, d.order);
        err = put_object(&d, object);
    }
    ml_release(v->env, d.order);
    ml_object_free(d.o);
    ml_buf_free(&packed);
    return err;
}

/* ---- conflicts ---- */

struct conflict {
    int64_t object;
    int64_t patient;
    uint16_t slot;
    uint8_t severity;
};

/* What one head says: a plain register its value, a group or an event all its fields. */
static ml_err head_text(const struct detail *d, uint16_t slot, uint32_t version,
                        struct ml_buf *text)
{
    const struct ml_field *field = ml_entity_field(d->o->entity, slot);
    struct ml_slice value;
    if (slot == 0 || (field != NULL && field->merge == ML_MERGE_ATOMIC)) {
        return ml_view_register(d->v, d->o, slot, version, text);
    }
    if (field == NULL || !ml_object_value(d->o, version, field, &value)) {
        return ML_OK;
    }
    return ml_view_value_text(d->v, d->o, field, value, text);
}

static ml_err put_conflict_head(const struct detail *d, uint16_t slot, uint32_t version)
{
    struct ml_buf text;
    ml_buf_init(&text, d->v->env, 1u << 20);
    ml_err err = head_text(d, slot, version, &text);
    ml_args_map(d->out);
    ml_view_put_text(d->out, "text", ml_buf_slice(&text));
    if (err == ML_OK) {
        err = put_version(d->v, &d->o->versions[version], d->out);
    }
    ml_args_end(d->out);
    ml_buf_free(&text);
    return err;
}

static ml_err put_conflict_heads(const struct detail *d, uint16_t slot)
{
    struct ml_register r;
    ml_err err = ml_object_register(d->o, slot, &r);
    if (err != ML_OK) {
        return err;
    }
    ml_args_key(d->out, "heads");
    ml_args_list(d->out);
    for (uint32_t i = 0; i < d->o->count && err == ML_OK; i++) {
        uint32_t at = d->order[i];
        bool life_head = slot == 0 && d->o->life.conflict && d->o->lives[at] == ML_RANK_HEAD;
        if (r.ranks[at] == ML_RANK_HEAD || life_head) {
            err = put_conflict_head(d, slot, at);
        }
    }
    ml_args_end(d->out);
    ml_register_free(d->o, &r);
    return err;
}

ml_err ml_view_put_patient(struct ml_vault *v, int64_t patient, struct ml_args *out)
{
    struct ml_stmt *st = v->st[ST_PATIENT_GET];
    bool row = false;
    ml_stmt_bind_int(st, 1, patient);
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK && row) {
        ml_view_put_id(out, "patient", ml_stmt_blob(st, 0));
        ml_view_put_card(out, ml_stmt_blob(st, 1));
    }
    ml_stmt_reset(st);
    return err;
}

static ml_err put_conflict_body(const struct detail *d, const struct conflict *c)
{
    const struct ml_field *field = ml_entity_field(d->o->entity, c->slot);
    const struct ml_object_id *id = &d->o->versions[0].change.object;
    struct ml_buf title;
    ml_buf_init(&title, d->v->env, 1u << 16);
    ml_err err = ml_view_title(d->v, d->o, &title);
    ml_view_put_id(d->out, "object", ml_slice(id->b, sizeof(id->b)));
    ml_args_key(d->out, "entity");
    ml_args_text(d->out, d->o->entity->name);
    ml_args_key(d->out, "slot");
    ml_args_int(d->out, c->slot);
    ml_args_key(d->out, "field");
    ml_args_text(d->out, field == NULL ? "" : field->name);
    ml_args_key(d->out, "label");
    ml_args_text(d->out, field == NULL ? d->o->entity->label_fr : field->label_fr);
    ml_args_key(d->out, "severity");
    ml_args_text(d->out, ml_severity_name((ml_severity)c->severity));
    ml_view_put_text(d->out, "title", ml_buf_slice(&title));
    ml_buf_free(&title);
    return err == ML_OK ? put_conflict_heads(d, c->slot) : err;
}

static ml_err put_conflict(struct ml_vault *v, const struct conflict *c, struct ml_args *out)
{
    struct detail d = {.v = v, .out = out};
    struct ml_buf packed;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_view_load(v, c->object, &d.o, &packed);
    if (err == ML_OK) {
        d.order = ml_alloc_array(v->env, d.o->count + 1u, sizeof(*d.order));
        err = d.order == NULL ? ML_E_NOMEM : ML_OK;
    }
    if (err == ML_OK) {
        order_versions(d.o, d.order);
        ml_args_map(out);
        err = ml_view_put_patient(v, c->patient, out);
        if (err == ML_OK) {
            err = put_conflict_body(&d, c);
        }
        ml_args_end(out);
    }
    ml_release(v->env, d.order);
    ml_object_free(d.o);
    ml_buf_free(&packed);
    return err;
}

enum { CONFLICTS_DEFAULT = 100, CONFLICTS_MAX = 1000 };

static ml_err load_conflicts(struct ml_vault *v, int64_t patient, struct conflict *out,
                             uint32_t limit, uint32_t *total)
{
    struct ml_stmt *st = v->st[ST_CONFLICT_ALL];
    ml_err err = ML_OK;
    bool row = false;
    *total = 0;
    ml_stmt_bind_int(st, 1, patient);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        if (*total < limit) {
            out[*total] = (struct conflict){.object = ml_stmt_int(st, 0),
                                            .slot = (uint16_t)ml_stmt_int(st, 1),
                                            .severity = (uint8_t)ml_stmt_int(st, 2),
                                            .patient = ml_stmt_int(st, 3)};
        }
        (*total)++;
    }
    return err;
}

ml_err ml_view_conflicts(struct ml_vault *v, const struct ml_object_id *patient, uint32_t limit,
                         struct ml_args *out)
{
    uint32_t total = 0;
    int64_t row = -1;
    uint32_t most = limit == 0 ? CONFLICTS_DEFAULT : limit;
    most = most > CONFLICTS_MAX ? CONFLICTS_MAX : most;
    struct conflict *list = ml_alloc_array(v->env, most, sizeof(*list));
    ml_err err = list == NULL || out == NULL ? ML_E_NOMEM : ML_OK;
    if (err == ML_OK && patient != NULL) {
        err = ml_vault_patient(v, patient, false, &row);
    }
    if (err == ML_OK) {
        err = load_conflicts(v, row, list, most, &total);
    }
    if (err == ML_OK) {
        ml_args_map(out);
        ml_args_key(out, "complete");
        ml_args_bool(out, ml_vault_complete(v));
        err = ml_view_put_hidden(v, out, patient);
        ml_args_key(out, "total");
        ml_args_int(out, total);
        ml_args_key(out, "items");
        ml_args_list(out);
        for (uint32_t i = 0; i < total && i < most && err == ML_OK; i++) {
            err = put_conflict(v, &list[i], out);
        }
        ml_args_end(out);
        ml_args_end(out);
    }
    ml_release(v->env, list);
    return err;
}
