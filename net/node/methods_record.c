/* net/node/methods_record.c -- writing: add, amend, set, void, archive, restore, resolve.
 *
 * A write names its patient and is refused when the object isn't that patient's: what was opened
 * for one never lands in another (H01). What it replaces is named in `seen`: by the caller as he
 * saw it (`seen`), else what stands in the vault now. The trace of a record op is the op itself
 * (rules B23).
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/record/consents.h"
#include "core/record/validate.h"
#include "core/record/values.h"
#include "core/record/vault.h"
#include "core/record/views.h"
#include "net/node/card.h"
#include "net/node/fields.h"
#include "net/node/files.h"
#include "net/node/methods.h"
#include "net/node/session.h"
#include "net/node/team.h"
#include "net/node/write.h"

enum { VALUE_BYTES_MAX = 48 << 10, HEADS_MAX = ML_CHANGE_SEEN_MAX };

struct writing {
    struct ml_call *call;
    struct ml_object_id patient;
    const struct ml_entity *entity;
    struct ml_buf value;
    struct ml_version_ref seen[HEADS_MAX];
    struct ml_seal_item item;
    struct ml_files files;
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX]; /* of the patient, or where he is to be */
    size_t team_count;
};

static void writing_init(struct writing *w, struct ml_call *call, ml_change_type type)
{
    *w = (struct writing){.call = call};
    w->item.change.type = (uint8_t)type;
    ml_buf_init(&w->value, call->node->env, VALUE_BYTES_MAX);
    ml_files_init(&w->files, call->node->env);
}

static void writing_end(struct writing *w)
{
    ml_files_free(&w->files);
    ml_buf_free(&w->value);
}

/* The value with its files, when there are any. */
static struct ml_slice writing_value(const struct writing *w)
{
    return ml_buf_slice(w->files.value.len > 0 ? &w->files.value : &w->value);
}

static ml_err writing_circumstances(struct writing *w)
{
    struct ml_call *call = w->call;
    const struct ml_env *env = call->node->env;
    const char *effective = ml_call_text_or(call, "effective", NULL);
    struct ml_change *change = &w->item.change;
    change->schema = ML_SCHEMA_VERSION;
    change->reason = ml_slice_str(ml_call_text_or(call, "reason", ""));
    if (effective != NULL) {
        return ml_call_instant(call, effective, &change->effective);
    }
    change->effective = (struct ml_instant){.utc_ms = (int64_t)env->wall_ms(env->ctx),
                                            .precision = ML_PRECISION_SECOND};
    return ML_OK;
}

static ml_err param_entity(struct ml_call *call, const struct ml_entity **out)
{
    const char *name = NULL;
    ml_err err = ml_call_text(call, &name, "entity");
    if (err != ML_OK) {
        return err;
    }
    *out = ml_schema_entity_named(call->node->schema, name);
    return *out != NULL ? ML_OK
                        : ml_call_fail(call, ML_E_INVALID, "entity.unknown", "entity", name);
}

/* A reason is asked of what takes something out of sight. */
static ml_err param_reason(struct ml_call *call)
{
    const char *reason = NULL;
    ml_err err = ml_call_text(call, &reason, "reason");
    return err == ML_OK ? ML_OK : ml_call_fail(call, ML_E_INVALID, "reason.missing", NULL, NULL);
}

/* The object is this patient's, and of a type that this program knows. */
static ml_err writing_object(struct writing *w)
{
    struct ml_call *call = w->call;
    struct ml_object_id *object = &w->item.change.object;
    uint16_t entity = 0;
    ml_err err = ml_call_patient(call, &w->patient);
    if (err == ML_OK) {
        err = ml_call_id(call, object->b, sizeof(object->b), "object");
    }
    if (err != ML_OK) {
        return err;
    }
    err = ml_vault_has(call->session->vault, &w->patient, object, &entity);
    if (err == ML_E_NOT_FOUND) {
        return ml_call_object_unknown(call, "object.not_of_patient", &w->patient);
    }
    w->entity = err == ML_OK ? ml_schema_entity(call->node->schema, entity) : NULL;
    w->item.change.entity = entity;
    return err == ML_OK && w->entity == NULL ? ML_E_UNSUPPORTED : err;
}

static ml_err seen_take(void *user, const struct ml_version_id *version)
{
    struct writing *w = user;
    struct ml_list *seen = &w->item.change.seen;
    if (seen->count == HEADS_MAX) {
        return ML_E_LIMIT;
    }
    w->seen[seen->count++] = (struct ml_version_ref){.id = *version};
    seen->items = w->seen;
    return ML_OK;
}

/* 34 hex digits as views give versions, or "<32 hex digits>:<index>" as writes answer them. */
static bool version_parse(const char *text, struct ml_version_id *out)
{
    const size_t hex_len = 2 * sizeof(out->bundle.b);
    const size_t len = strlen(text);
    char *end = NULL;
    if (len == hex_len + 2 && text[hex_len] != ':') {
        return ml_hex_decode(out->bundle.b, sizeof(out->bundle.b), text, hex_len) == ML_OK &&
               ml_hex_decode(&out->index, 1, text + hex_len, 2) == ML_OK;
    }
    if (len <= hex_len + 1 || text[hex_len] != ':' ||
        ml_hex_decode(out->bundle.b, sizeof(out->bundle.b), text, hex_len) != ML_OK) {
        return false;
    }
    unsigned long index = strtoul(text + hex_len + 1, &end, 10);
    out->index = (uint8_t)index;
    return *end == '\0' && index <= UINT8_MAX;
}

static int seen_compare(const void *a, const void *b)
{
    const struct ml_version_ref *x = a;
    const struct ml_version_ref *y = b;
    return ml_version_id_compare(&x->id, &y->id);
}

/* What the writer had before him: as he says, else what stands now. */
static ml_err writing_seen(struct writing *w, uint16_t slot)
{
    struct ml_call *call = w->call;
    const struct ml_value *given = ml_value_get(call->params, "seen");
    ml_err err = ML_OK;
    if (given == NULL) {
        err = ml_vault_heads(call->session->vault, &w->patient, &w->item.change.object, slot,
                             seen_take, w);
    }
    for (const struct ml_value *v = ml_value_at(given, 0); v != NULL && err == ML_OK;
         v = ml_value_next(v)) {
        struct ml_version_id version;
        err = version_parse(ml_value_text(v, ""), &version)
                  ? seen_take(w, &version)
                  : ml_call_fail(call, ML_E_INVALID, "param.version", NULL, NULL);
    }
    qsort(w->seen, w->item.change.seen.count, sizeof(w->seen[0]), seen_compare);
    return err;
}

/* Finer than what the log can tell of the bundle: by the class of data. */
static ml_err writing_may(const struct writing *w)
{
    const bool shared = w->entity->compartment == ML_COMPARTMENT_ANNUAIRE;
    const unsigned class = shared ? ML_CLASS_DIRECTORY : w->entity->data_class;
    bool hidden = false;
    ml_err err = ml_vault_hides(w->call->session->vault, &w->patient, w->entity,
                                &w->item.change.object, &hidden);
    if (err == ML_OK && hidden) { /* who writes must see what he wrote */
        err = ml_call_fail(w->call, ML_E_DENIED, "consent.refused", "class", ml_class_name(class));
    }
    const struct ml_team_act act = {.class = class,
                                    .right = (ml_right)ml_action_of(w->item.change.type),
                                    .teams = w->teams,
                                    .count = shared ? 0 : w->team_count};
    return err != ML_OK ? err : ml_call_may_in(w->call, &act);
}

/* Whose patient it is, or is to be. */
static ml_err writing_teams(struct writing *w)
{
    const bool creates = w->entity->is_patient && w->item.change.type == ML_CHANGE_CREATE;
    if (!creates && w->item.change.type == ML_CHANGE_CREATE &&
        ml_value_get(w->call->params, "team") != NULL) {
        return ml_call_fail(w->call, ML_E_INVALID, "team.of_patient", NULL, NULL);
    }
    if (!creates) {
        return ml_team_of_patient(w->call->org, &w->patient, w->teams, &w->team_count);
    }
    w->team_count = 1;
    return ml_call_new_patient_team(w->call, &w->teams[0]);
}

static ml_err writing_finish(struct writing *w)
{
    struct ml_call *call = w->call;
    ml_err err = writing_teams(w);
    err = err == ML_OK ? writing_may(w) : err;
    if (err != ML_OK) {
        return err;
    }
    w->item.compartment = (uint8_t)w->entity->compartment;
    w->item.change.value = writing_value(w);
    for (uint32_t i = 0; i < w->files.blob_count; i++) {
        w->files.blobs[i].object = w->item.change.object;
        w->files.blobs[i].compartment = w->item.compartment;
    }
    const struct ml_write what = {.items = &w->item,
                                  .count = 1,
                                  .blobs = w->files.blobs,
                                  .blob_count = w->files.blob_count,
                                  .placed = ml_files_placed,
                                  .user = &w->files,
                                  .team = w->team_count > 0 ? &w->teams[0] : NULL};
    err = ml_org_write_all(call->org, &w->patient, &what);
    if (err == ML_E_DENIED) {
        return ml_call_no_writer(call);
    }
    if (err != ML_OK) {
        return err;
    }
    char version[ML_HEX_SIZE(16) + 4];
    ml_hex_encode(version, w->item.version.bundle.b, sizeof(w->item.version.bundle.b));
    snprintf(version + 32, sizeof(version) - 32, ":%u", w->item.version.index);
    ml_result_hex(call->result, "patient", w->patient.b, sizeof(w->patient.b));
    ml_result_hex(call->result, "object", w->item.change.object.b, sizeof(w->patient.b));
    ml_result_text(call->result, "entity", w->entity->name);
    ml_result_text(call->result, "version", version);
    return ML_OK;
}

static ml_err writing_fields(struct writing *w)
{
    struct ml_call *call = w->call;
    return ml_fields_of(call, w->entity, ml_value_get(call->params, "fields"), &w->value);
}

/* What was given is what the schema lets a form say; the first field that isn't is named. */
static ml_err writing_check(struct writing *w)
{
    struct ml_call *call = w->call;
    struct ml_validate_fault fault;
    char why[256];
    w->item.change.value = writing_value(w);
    if (ml_validate_change(call->node->schema, &w->item.change, &fault) == ML_OK) {
        return ML_OK;
    }
    bool missing = fault.reason == ML_VALIDATE_MISSING;
    ml_validate_text(why, sizeof(why), &fault);
    ml_call_detail(call, "reason", why);
    return ml_call_fail(call, ML_E_INVALID, missing ? "field.required" : "field.value", "label",
                        fault.field != NULL ? fault.field->label_fr : w->entity->label_fr);
}

static ml_err add_run(struct writing *w)
{
    struct ml_call *call = w->call;
    struct ml_change *change = &w->item.change;
    uint16_t patient_entity = 0;
    ml_err err = param_entity(call, &w->entity);
    if (err != ML_OK) {
        return err;
    }
    change->entity = w->entity->id;
    change->object = ml_object_id_new(call->node->env);
    if (w->entity->is_patient) {
        w->patient = change->object;
    } else if (!w->entity->is_shared) {
        err = ml_call_patient(call, &w->patient);
        if (err == ML_OK) {
            err = ml_vault_has(call->session->vault, &w->patient, &w->patient, &patient_entity);
        }
        if (err == ML_E_NOT_FOUND) {
            return ml_call_fail(call, err, "patient.unknown", NULL, NULL);
        }
    }
    if (err == ML_OK) {
        err = writing_circumstances(w);
    }
    if (err == ML_OK) {
        err = writing_fields(w);
    }
    if (err == ML_OK) {
        err = ml_files_take(call, &w->files, w->entity, ml_buf_slice(&w->value), ml_slice(NULL, 0));
    }
    if (err == ML_OK) {
        err = writing_check(w);
    }
    return err == ML_OK ? writing_finish(w) : err;
}

static ml_err record_add(struct ml_call *call)
{
    struct writing w;
    writing_init(&w, call, ML_CHANGE_CREATE);
    ml_err err = add_run(&w);
    writing_end(&w);
    return err;
}

/* The fields of one register: an atomic group as a map, a field alone as its value. */
static ml_err set_value(struct writing *w, uint16_t *slot)
{
    struct ml_call *call = w->call;
    const struct ml_value *fields = ml_value_get(call->params, "fields");
    const struct ml_field *field = NULL;
    for (const struct ml_value *v = ml_value_at(fields, 0); v != NULL; v = ml_value_next(v)) {
        const struct ml_field *f = ml_entity_field_named(w->entity, ml_value_key(v));
        if (f == NULL) {
            return ml_call_fail(call, ML_E_INVALID, "field.unknown", "field", ml_value_key(v));
        }
        if (field != NULL && ml_field_slot(f) != ml_field_slot(field)) {
            return ml_call_fail(call, ML_E_INVALID, "field.one_at_a_time", "label", f->label_fr);
        }
        field = f;
    }
    if (field == NULL) {
        return ml_call_fail(call, ML_E_INVALID, "field.none", NULL, NULL);
    }
    *slot = ml_field_slot(field);
    if (field->merge == ML_MERGE_ATOMIC) {
        return writing_fields(w);
    }
    return ml_field_of(call, field, ml_value_get(fields, field->name), &w->value);
}

/* The fields of `value` that live in this register, into `out` (NULL: only counted). */
static uint32_t group_fields(const struct ml_entity *entity, uint16_t slot, struct ml_slice value,
                             struct ml_buf *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < entity->field_count; i++) {
        const struct ml_field *field = &entity->fields[i];
        struct ml_slice one;
        if (ml_field_slot(field) != slot || !ml_fields_find(value, field->id, &one)) {
            continue;
        }
        count++;
        if (out != NULL) {
            ml_mp_put_uint(out, field->id);
            ml_mp_put_raw(out, one);
        }
    }
    return count;
}

/* What the kept version wrote into this register: an atomic group as a map. */
static void keep_group(struct writing *w, uint16_t slot, struct ml_slice value)
{
    ml_mp_put_map(&w->value, group_fields(w->entity, slot, value, NULL));
    (void)group_fields(w->entity, slot, value, &w->value);
}

struct keeping {
    struct writing *w;
    const struct ml_field *field; /* NULL: a whole event */
};

static ml_err keep_take(void *user, const struct ml_change *change)
{
    struct keeping *k = user;
    struct ml_slice one = change->value;
    bool whole = k->field == NULL || change->type == ML_CHANGE_SET;
    if (!whole && k->field->merge == ML_MERGE_ATOMIC) {
        keep_group(k->w, ml_field_slot(k->field), change->value);
        return k->w->value.err;
    }
    if (!whole && !ml_fields_find(change->value, k->field->id, &one)) {
        return ML_E_NOT_FOUND;
    }
    ml_mp_put_raw(&k->w->value, one);
    return k->w->value.err;
}

/* conflicts.resolve {keep: version, field}: writes again what that version wrote. */
static ml_err keep_value(struct writing *w, const char *keep, uint16_t *slot)
{
    struct ml_call *call = w->call;
    struct keeping k = {.w = w};
    struct ml_version_id version;
    const char *name = ml_call_text_or(call, "field", "");
    if (!version_parse(keep, &version)) {
        return ml_call_fail(call, ML_E_INVALID, "param.version", NULL, NULL);
    }
    if (w->entity->merge != ML_MERGE_EVENT) {
        k.field = ml_entity_field_named(w->entity, name);
        if (k.field == NULL) {
            return ml_call_fail(call, ML_E_INVALID, "field.unknown", "field", name);
        }
        *slot = ml_field_slot(k.field);
    }
    return ml_vault_version(call->session->vault, &w->patient, &w->item.change.object, &version,
                            keep_take, &k);
}

struct completing {
    struct writing *w;
    struct ml_slice old; /* the group as it stands */
    struct ml_buf whole;
};

/* A field of the group: as given (nil: emptied), else as it stands. */
static bool completed(const struct completing *c, const struct ml_field *field,
                      struct ml_slice *out)
{
    const struct writing *w = c->w;
    const struct ml_value *fields = ml_value_get(w->call->params, "fields");
    if (ml_value_get(fields, field->name) != NULL) {
        return ml_fields_find(ml_buf_slice(&w->value), field->id, out);
    }
    return ml_fields_find(c->old, field->id, out);
}

static ml_err complete_take(void *user, const struct ml_change *old)
{
    struct completing *c = user;
    const struct ml_entity *entity = c->w->entity;
    const uint16_t slot = c->w->item.change.slot;
    struct ml_slice value;
    uint32_t count = 0;
    c->old = old->value;
    for (size_t i = 0; i < entity->field_count; i++) {
        const struct ml_field *field = &entity->fields[i];
        count += ml_field_slot(field) == slot && completed(c, field, &value);
    }
    ml_mp_put_map(&c->whole, count);
    for (size_t i = 0; i < entity->field_count; i++) {
        const struct ml_field *field = &entity->fields[i];
        if (ml_field_slot(field) == slot && completed(c, field, &value)) {
            ml_mp_put_uint(&c->whole, field->id);
            ml_mp_put_raw(&c->whole, value);
        }
    }
    return c->whole.err;
}

static ml_err group_check(const struct writing *w)
{
    struct ml_slice value;
    for (size_t i = 0; i < w->entity->field_count; i++) {
        const struct ml_field *field = &w->entity->fields[i];
        if (field->required && ml_field_slot(field) == w->item.change.slot &&
            !ml_fields_find(ml_buf_slice(&w->value), field->id, &value)) {
            return ml_call_fail(w->call, ML_E_INVALID, "field.required", "label", field->label_fr);
        }
    }
    return ML_OK;
}

/* An atomic group is one value, but a form may change a part of it: the rest stays as in the one
 * version that is replaced. Of several none is the one to complete. */
static ml_err group_complete(struct writing *w)
{
    struct ml_call *call = w->call;
    struct completing c = {.w = w};
    ml_err err = ML_OK;
    if (w->item.change.seen.count == 1) {
        ml_buf_init(&c.whole, call->node->env, VALUE_BYTES_MAX);
        err = ml_vault_version(call->session->vault, &w->patient, &w->item.change.object,
                               &w->seen[0].id, complete_take, &c);
        if (err == ML_OK) {
            ml_buf_free(&w->value);
            w->value = c.whole;
        } else {
            ml_buf_free(&c.whole);
        }
    }
    return err == ML_OK ? group_check(w) : err;
}

static ml_err files_keep(void *user, const struct ml_change *old)
{
    struct writing *w = user;
    return ml_files_take(w->call, &w->files, w->entity, ml_buf_slice(&w->value), old->value);
}

/* An event is amended whole; but its files, which no form gives again, stay unless others are
 * given. Of several versions none is the one whose files stay. */
static ml_err amend_files(struct writing *w)
{
    if (w->item.change.type != ML_CHANGE_AMEND) {
        return ML_OK;
    }
    if (w->item.change.seen.count == 1) {
        return ml_vault_version(w->call->session->vault, &w->patient, &w->item.change.object,
                                &w->seen[0].id, files_keep, w);
    }
    return ml_files_take(w->call, &w->files, w->entity, ml_buf_slice(&w->value), ml_slice(NULL, 0));
}

/* What a form says: checked as given, then completed where it is a part of a group. */
static ml_err amend_fields(struct writing *w)
{
    const struct ml_field *field = ml_entity_field(w->entity, w->item.change.slot);
    bool group =
        w->item.change.type == ML_CHANGE_SET && field != NULL && field->merge == ML_MERGE_ATOMIC;
    ml_err err = writing_check(w);
    return err == ML_OK && group ? group_complete(w) : err;
}

static ml_err amend_run(struct writing *w)
{
    uint16_t slot = ML_SLOT_LIFE;
    ml_err err = writing_object(w);
    if (err == ML_OK) {
        err = writing_circumstances(w);
    }
    const char *keep = ml_call_text_or(w->call, "keep", NULL);
    if (err == ML_OK) {
        const bool event = w->entity->merge == ML_MERGE_EVENT;
        w->item.change.type = event ? ML_CHANGE_AMEND : ML_CHANGE_SET;
        err = keep != NULL ? keep_value(w, keep, &slot)
              : event      ? writing_fields(w)
                           : set_value(w, &slot);
    }
    w->item.change.slot = slot;
    if (err == ML_OK) {
        err = writing_seen(w, slot);
    }
    if (err == ML_OK && keep == NULL) {
        err = amend_files(w);
    }
    if (err == ML_OK && keep == NULL) {
        err = amend_fields(w);
    }
    return err == ML_OK ? writing_finish(w) : err;
}

ml_err ml_method_record_amend(struct ml_call *call)
{
    struct writing w;
    writing_init(&w, call, ML_CHANGE_SET);
    ml_err err = amend_run(&w);
    writing_end(&w);
    return err;
}

/* void, archive, restore: the whole object, with a reason. */
static ml_err life_change(struct ml_call *call, ml_change_type type)
{
    struct writing w;
    writing_init(&w, call, type);
    ml_err err = param_reason(call);
    if (err == ML_OK) {
        err = writing_object(&w);
    }
    if (err == ML_OK) {
        err = writing_circumstances(&w);
    }
    if (err == ML_OK) {
        err = writing_seen(&w, ML_SLOT_ALL);
    }
    if (err == ML_OK) {
        err = writing_finish(&w);
    }
    writing_end(&w);
    return err;
}

static ml_err record_void(struct ml_call *call)
{
    return life_change(call, ML_CHANGE_VOID);
}

static ml_err record_archive(struct ml_call *call)
{
    return life_change(call, ML_CHANGE_ARCHIVE);
}

static ml_err record_restore(struct ml_call *call)
{
    return life_change(call, ML_CHANGE_RESTORE);
}

/* What waits there, and may he sign it? */
static ml_err cosign_check(struct writing *w)
{
    enum { NAME_MAX_BYTES = 512 };
    struct ml_call *call = w->call;
    struct ml_view_unsigned what;
    struct ml_buf name;
    const struct ml_member_id *self = &call->session->member;
    ml_err err = ml_view_unsigned(call->session->vault, &w->patient, &w->item.change.object, &what);
    if (err != ML_OK) {
        return err;
    }
    if (!what.waits) {
        return ml_call_fail(call, ML_E_INVALID, "cosign.none", NULL, NULL);
    }
    if (ml_view_may_cosign(call->session->vault, w->entity, &what, self)) {
        return ML_OK;
    }
    const bool named = !ml_is_zero(what.supervisor.b, sizeof(what.supervisor.b));
    const bool own = memcmp(&what.author, self, sizeof(what.author)) == 0;
    ml_buf_init(&name, call->node->env, NAME_MAX_BYTES);
    ml_card_member_name(call->org, named ? &what.supervisor : &what.author, &name);
    ml_buf_append(&name, "", 1);
    ml_call_detail(call, "class", ml_class_name(w->entity->data_class));
    err = name.err != ML_OK ? name.err
                            : ml_call_fail(call, ML_E_DENIED,
                                           named ? "cosign.supervisor"
                                           : own ? "cosign.own"
                                                 : "cosign.right",
                                           "by", (const char *)name.data);
    ml_buf_free(&name);
    return err;
}

/* Beside a student's signature: of all that stands there now. */
static ml_err record_cosign(struct ml_call *call)
{
    struct writing w;
    writing_init(&w, call, ML_CHANGE_COSIGN);
    ml_err err = writing_object(&w);
    if (err == ML_OK) {
        err = cosign_check(&w);
    }
    if (err == ML_OK) {
        err = writing_circumstances(&w);
    }
    if (err == ML_OK) {
        err = writing_seen(&w, ML_SLOT_ALL);
    }
    if (err == ML_OK) {
        err = writing_finish(&w);
    }
    writing_end(&w);
    return err;
}

const struct ml_method ml_methods_record[] = {
    {"record.add", ML_NEEDS_SESSION, record_add},
    {"record.amend", ML_NEEDS_SESSION, ml_method_record_amend},
    {"record.void", ML_NEEDS_SESSION, record_void},
    {"record.archive", ML_NEEDS_SESSION, record_archive},
    {"record.restore", ML_NEEDS_SESSION, record_restore},
    {"record.cosign", ML_NEEDS_SESSION, record_cosign},
    {"record.to_cosign", ML_NEEDS_SESSION, ml_method_to_cosign},
    {NULL, 0, NULL},
};
