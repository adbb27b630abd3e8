/* core/interop/fhir.c -- see fhir_internal.h: the resources of a file and the objects they become.
 */
#include "core/interop/fhir.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/crypto/hash.h"
#include "core/interop/fhir_internal.h"

#define NO_NODE ML_JSON_NO_NODE

bool ml_fhir_fail(struct fhir *f, ml_err err, ml_import_fault_kind kind, uint32_t node)
{
    if (f->err == ML_OK) {
        f->err = err;
        *f->fault = (struct ml_import_fault){.kind = kind};
        ml_json_place(f->doc, node, f->fault);
    }
    return false;
}

bool ml_fhir_buf_ok(struct fhir *f, const struct ml_buf *buf, uint32_t node)
{
    if (buf->err == ML_OK) {
        return true;
    }
    return ml_fhir_fail(
        f, buf->err, buf->err == ML_E_NOMEM ? ML_IMPORT_FAULT_NOMEM : ML_IMPORT_FAULT_VALUE_TOO_BIG,
        node);
}

/* ---- entities ---- */

static const struct ml_entity *choose_entity(struct fhir *f, uint32_t node, struct ml_slice type)
{
    const struct ml_schema *schema = f->args->schema;
    const struct ml_entity *plain = NULL;
    for (size_t i = 0; i < schema->entity_count && f->err == ML_OK; i++) {
        const struct ml_entity *e = schema->entities[i];
        if (e->fhir_type == NULL || !ml_slice_equal(ml_slice_str(e->fhir_type), type)) {
            continue;
        }
        if (e->fhir_when == NULL) {
            plain = plain != NULL ? plain : e;
        } else if (ml_fhir_when(f, node, e->fhir_when)) {
            return e;
        }
    }
    return plain;
}

static bool add_entry(struct fhir *f, uint32_t node, struct ml_slice full_url)
{
    struct ml_slice type = ml_json_str(f->doc, node, "resourceType");
    if (type.len == 0) {
        return ml_fhir_fail(f, ML_E_MALFORMED, ML_IMPORT_FAULT_NOT_FHIR, node);
    }
    struct fhir_entry *entry = &f->entries[f->entry_count];
    entry->node = node;
    entry->order = f->entry_count;
    entry->entity = choose_entity(f, node, type);
    ml_fhir_identify(f, entry, full_url);
    f->by_key[f->entry_count] = f->entry_count;
    f->entry_count++;
    return f->err == ML_OK;
}

static bool alloc_entries(struct fhir *f, uint32_t count, uint32_t node)
{
    if (count > ML_FHIR_ENTRIES_MAX) {
        return ml_fhir_fail(f, ML_E_LIMIT, ML_IMPORT_FAULT_TOO_MANY, node);
    }
    const struct ml_env *env = f->args->env;
    size_t bits = ((size_t)ml_json_count(f->doc) + 7) / 8;
    f->entries = ml_alloc_array(env, (size_t)count + 1, sizeof(*f->entries));
    f->by_key = ml_alloc_array(env, (size_t)count + 1, sizeof(*f->by_key));
    f->kept = ml_alloc(env, bits);
    if (f->entries == NULL || f->by_key == NULL || f->kept == NULL) {
        return ml_fhir_fail(f, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM, node);
    }
    return true;
}

static uint32_t children_of(const struct fhir *f, uint32_t node)
{
    uint32_t count = 0;
    uint32_t at = node == NO_NODE ? NO_NODE : ml_json_child(f->doc, node);
    for (; at != NO_NODE; at = ml_json_node(f->doc, at)->next) {
        count++;
    }
    return count;
}

static bool list_bundle(struct fhir *f)
{
    uint32_t array = ml_json_get(f->doc, 0, ml_slice_str("entry"));
    if (array != NO_NODE && ml_json_node(f->doc, array)->type != ML_JSON_ARRAY) {
        return ml_fhir_fail(f, ML_E_MALFORMED, ML_IMPORT_FAULT_TYPE, array);
    }
    if (!alloc_entries(f, children_of(f, array), 0)) {
        return false;
    }
    uint32_t at = array == NO_NODE ? NO_NODE : ml_json_child(f->doc, array);
    for (; at != NO_NODE; at = ml_json_node(f->doc, at)->next) {
        uint32_t resource = ml_json_get(f->doc, at, ml_slice_str("resource"));
        if (resource == NO_NODE) {
            continue; /* an entry that only says what was done (history, response) */
        }
        if (!add_entry(f, resource, ml_json_str(f->doc, at, "fullUrl"))) {
            return false;
        }
    }
    return true;
}

static bool list_resources(struct fhir *f)
{
    struct ml_slice type = ml_json_str(f->doc, 0, "resourceType");
    if (type.len == 0) {
        return ml_fhir_fail(f, ML_E_MALFORMED, ML_IMPORT_FAULT_NOT_FHIR, 0);
    }
    if (ml_slice_equal(type, ml_slice_str("Bundle"))) {
        return list_bundle(f);
    }
    return alloc_entries(f, 1, 0) && add_entry(f, 0, ml_slice_str(""));
}

/* ---- ids ---- */

static void entry_date(struct fhir *f, struct fhir_entry *entry)
{
    const struct ml_entity *e = entry->entity;
    const struct ml_field *field =
        e->effective_field != NULL ? ml_entity_field_named(e, e->effective_field) : NULL;
    const uint32_t *nodes = NULL;
    size_t count = 0;
    if (field != NULL && field->fhir != NULL &&
        ml_fhir_walk(f, entry, field->fhir, &nodes, &count) && count > 0) {
        ml_fhir_value_instant(f, nodes[0], &entry->effective);
    }
    ml_fhir_marks_undo(f); /* the field itself will keep it */
    entry->id = ml_fhir_object_id(f, entry->key, entry->effective.utc_ms);
}

static void date_entries(struct fhir *f)
{
    for (uint32_t i = 0; i < f->entry_count && f->err == ML_OK; i++) {
        if (f->entries[i].entity != NULL) {
            entry_date(f, &f->entries[i]);
        }
    }
}

/* ---- one object ---- */

/* Converts the nodes of one field into f->item, as a list or alone. Returns whether there is a
 * value; on false the marks are undone. */
static bool field_value(struct fhir *f, const struct fhir_entry *entry,
                        const struct ml_field *field)
{
    const uint32_t *nodes = NULL;
    size_t count = 0;
    uint32_t values = 0;
    ml_buf_clear(&f->item);
    ml_buf_clear(&f->list);
    if (!ml_fhir_walk(f, entry, field->fhir, &nodes, &count)) {
        return false;
    }
    for (size_t i = 0; i < count && f->err == ML_OK && (field->list || values == 0); i++) {
        size_t contents = ml_fhir_contents_count(f);
        size_t marks = f->marks.len;
        if (f->item.len > ML_FHIR_FIELD_BYTES_MAX) {
            break;
        }
        if (ml_fhir_value(f, entry, field, nodes[i], &f->item)) {
            values++;
        } else {
            ml_fhir_marks_cut(f, marks);
            ml_fhir_contents_cut(f, contents);
        }
    }
    if (field->list && values > 0) {
        ml_mp_put_array(&f->list, values);
    }
    bool fits = f->item.len + f->list.len <= ML_FHIR_FIELD_BYTES_MAX;
    return values > 0 && fits && ml_fhir_buf_ok(f, &f->list, entry->node);
}

static bool convert_field(struct fhir *f, const struct fhir_entry *entry,
                          const struct ml_field *field)
{
    size_t contents = ml_fhir_contents_count(f);
    if (field->fhir == NULL || !field_value(f, entry, field)) {
        ml_fhir_marks_undo(f);
        ml_fhir_contents_cut(f, contents);
        return false;
    }
    ml_fhir_marks_commit(f);
    ml_mp_put_uint(&f->values, field->id);
    ml_mp_put_raw(&f->values, ml_buf_slice(&f->list)); /* the head of a list, or nothing */
    ml_fhir_contents_place(f, contents, field->id, f->values.len);
    ml_mp_put_raw(&f->values, ml_buf_slice(&f->item));
    return ml_fhir_buf_ok(f, &f->values, entry->node);
}

/* The values of one object into `out`, which is cleared. */
static bool convert_entry(struct fhir *f, const struct fhir_entry *entry, struct ml_buf *out)
{
    const struct ml_entity *e = entry->entity;
    uint32_t fields = 0;
    ml_buf_clear(&f->values);
    ml_buf_clear(&f->contents);
    ml_buf_clear(&f->content_list);
    for (size_t i = 0; i < e->field_count && f->err == ML_OK; i++) {
        fields += convert_field(f, entry, &e->fields[i]);
    }
    ml_buf_clear(out);
    ml_mp_put_map(out, fields);
    ml_mp_put_raw(out, ml_buf_slice(&f->values));
    return f->err == ML_OK && ml_fhir_buf_ok(f, out, entry->node);
}

static bool resolve_at(struct fhir *f, const struct fhir_entry *entry, const char *path,
                       const char *entities, struct ml_object_id *out)
{
    const uint32_t *nodes = NULL;
    size_t count = 0;
    bool found = false;
    if (path == NULL || !ml_fhir_walk(f, entry, path, &nodes, &count)) {
        return false;
    }
    for (size_t i = 0; i < count && !found && f->err == ML_OK; i++) {
        found = ml_fhir_resolve(f, entry, nodes[i], entities, out);
    }
    ml_fhir_marks_commit(f);
    return found;
}

/* The patient of an entry; a patient's is itself, the structure's own is all zeros. */
static bool entry_patient(struct fhir *f, const struct fhir_entry *entry, struct ml_object_id *out)
{
    const struct ml_entity *e = entry->entity;
    if (e->is_patient) {
        *out = entry->id;
        return true;
    }
    if (e->is_shared) {
        *out = (struct ml_object_id){{0}};
        return true;
    }
    return resolve_at(f, entry, e->fhir_patient, "patient", out) ||
           ml_fhir_fail(f, ML_E_MALFORMED, ML_IMPORT_FAULT_NO_PATIENT, entry->node);
}

static void keep_identity(struct fhir *f, const struct fhir_entry *entry)
{
    uint32_t type = ml_json_get(f->doc, entry->node, ml_slice_str("resourceType"));
    uint32_t id = ml_json_get(f->doc, entry->node, ml_slice_str("id"));
    ml_fhir_keep(f, type);
    if (id != NO_NODE) {
        ml_fhir_keep(f, id);
    }
    ml_fhir_marks_commit(f);
}

/* Appends a part of the origin; what doesn't fit is cut, and UTF-8 with it cleanly. */
static size_t origin_add(char *out, size_t len, size_t size, struct ml_slice part)
{
    size_t n = part.len < size - 1 - len ? part.len : size - 1 - len;
    while (n < part.len && n > 0 && (part.data[n] & 0xc0) == 0x80) {
        n--;
    }
    if (n > 0) {
        memcpy(out + len, part.data, n);
    }
    out[len + n] = '\0';
    return len + n;
}

/* "FHIR R4 Observation/8a3c… (bundle-01.json)" */
static void entry_origin(const struct fhir *f, const struct fhir_entry *entry, char *out,
                         size_t size)
{
    struct ml_slice id = ml_json_str(f->doc, entry->node, "id");
    size_t len = origin_add(out, 0, size, ml_slice_str("FHIR R4 "));
    len = origin_add(out, len, size, ml_json_str(f->doc, entry->node, "resourceType"));
    len = origin_add(out, len, size, ml_slice_str(id.len > 0 ? "/" : ""));
    len = origin_add(out, len, size, id);
    if (f->args->label != NULL) {
        len = origin_add(out, len, size, ml_slice_str(" ("));
        len = origin_add(out, len, size, ml_slice_str(f->args->label));
        origin_add(out, len, size, ml_slice_str(")"));
    }
}

/* ---- the two passes ---- */

static bool hand_out_object(struct fhir *f, const struct fhir_entry *entry,
                            struct ml_import_object *object)
{
    char origin[ML_CHANGE_ORIGIN_MAX];
    entry_origin(f, entry, origin, sizeof(origin));
    object->origin = origin;
    ml_err err = f->args->create(f->args->user, object);
    if (err != ML_OK) {
        return ml_fhir_fail(f, err, ML_IMPORT_FAULT_REFUSED, entry->node);
    }
    err = ml_fhir_report_add_leaves(f->args->report, f, entry);
    return err == ML_OK || ml_fhir_fail(f, err, ML_IMPORT_FAULT_NOMEM, entry->node);
}

bool ml_fhir_pass_entry(struct fhir *f, uint32_t index, bool hand_out)
{
    const struct fhir_entry *entry = &f->entries[f->order[index]];
    struct ml_import_object object = {.entity = entry->entity,
                                      .id = entry->id,
                                      .effective = entry->effective,
                                      .index = index,
                                      .count = f->mapped_count};
    keep_identity(f, entry);
    if (!entry_patient(f, entry, &object.patient)) {
        return false;
    }
    f->patient = object.patient;
    if (!convert_entry(f, entry, &f->object_values)) {
        return false;
    }
    uint64_t unresolved = f->refs_unresolved; /* the author's field has counted it */
    resolve_at(f, entry, entry->entity->fhir_author, "professional", &object.author);
    f->refs_unresolved = unresolved;
    if (!ml_fhir_buf_ok(f, &f->marks, entry->node) || f->err != ML_OK) {
        return false;
    }
    object.values = ml_buf_slice(&f->object_values);
    if (!ml_fhir_contents_give(f, &object, f->object_values.len - f->values.len)) {
        return false;
    }
    return !hand_out || hand_out_object(f, entry, &object);
}

void ml_fhir_pass_begin(struct fhir *f)
{
    f->refs_unresolved = 0;
    memset(f->kept, 0, ((size_t)ml_json_count(f->doc) + 7) / 8);
}

/* Patients, then the structure's own, then by date, then as in the file. */
static int rank_of(const struct fhir_entry *e)
{
    if (e->entity == NULL) {
        return 3;
    }
    return e->entity->is_patient ? 0 : e->entity->is_shared ? 1 : 2;
}

static int hand_out_order(const void *a, const void *b, void *entries)
{
    const uint32_t *ia = a;
    const uint32_t *ib = b;
    const struct fhir_entry *x = (const struct fhir_entry *)entries + *ia;
    const struct fhir_entry *y = (const struct fhir_entry *)entries + *ib;
    int rank = rank_of(x) - rank_of(y);
    if (rank != 0) {
        return rank;
    }
    if (rank_of(x) == 2 && x->effective.utc_ms != y->effective.utc_ms) {
        return x->effective.utc_ms < y->effective.utc_ms ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static ml_err report_types(struct fhir *f)
{
    ml_err err = ML_OK;
    for (uint32_t i = 0; i < f->entry_count && err == ML_OK; i++) {
        const struct fhir_entry *e = &f->entries[i];
        err = ml_fhir_report_add_type(f->args->report, ml_json_str(f->doc, e->node, "resourceType"),
                                      e->entity != NULL ? e->entity->name : NULL);
    }
    return err;
}

bool ml_fhir_report_file(struct fhir *f)
{
    ml_err err = report_types(f);
    if (err != ML_OK) {
        return ml_fhir_fail(f, err, ML_IMPORT_FAULT_NOMEM, 0);
    }
    ml_fhir_report_add_file(f->args->report, f->mapped_count, f->refs_unresolved);
    return true;
}

static bool order_entries(struct fhir *f)
{
    f->order = ml_alloc_array(f->args->env, (size_t)f->entry_count + 1, sizeof(*f->order));
    if (f->order == NULL) {
        return ml_fhir_fail(f, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM, 0);
    }
    for (uint32_t i = 0; i < f->entry_count; i++) {
        f->order[i] = i;
        f->mapped_count += f->entries[i].entity != NULL;
    }
    qsort_r(f->order, f->entry_count, sizeof(*f->order), hand_out_order, f->entries);
    return true;
}

bool ml_fhir_list(struct fhir *f)
{
    if (!list_resources(f) || !ml_fhir_index(f)) {
        return false;
    }
    date_entries(f);
    return f->err == ML_OK && order_entries(f);
}
