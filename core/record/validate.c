/* core/record/validate.c -- see validate.h. */
#include "core/record/validate.h"

#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/value.h"
#include "core/record/values.h"

struct check {
    const struct ml_schema *schema;
    struct ml_validate_fault *fault;
};

static bool fail(const struct check *c, const struct ml_field *field, ml_validate_reason reason)
{
    c->fault->field = field;
    c->fault->reason = reason;
    return false;
}

/* ---- one item of a field ---- */

static bool blank(struct ml_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] > ' ') {
            return false;
        }
    }
    return true;
}

static bool text_ok(const struct check *c, const struct ml_field *field, struct ml_slice item)
{
    struct ml_slice text;
    if (ml_text_decode(&text, item) != ML_OK) {
        return fail(c, field, ML_VALIDATE_TOO_LONG);
    }
    if (blank(text)) {
        return fail(c, field, ML_VALIDATE_EMPTY);
    }
    return true;
}

static bool decimal_ok(const struct check *c, const struct ml_field *field, struct ml_slice item)
{
    struct ml_slice text;
    bool ok = ml_text_decode(&text, item) == ML_OK && ml_decimal_valid(text);
    return ok || fail(c, field, ML_VALIDATE_NUMBER);
}

static bool quantity_ok(const struct check *c, const struct ml_field *field, struct ml_slice item)
{
    struct ml_quantity quantity;
    if (ml_quantity_decode(&quantity, item) != ML_OK || !ml_decimal_valid(quantity.number)) {
        return fail(c, field, ML_VALIDATE_NUMBER);
    }
    if (field->unit != NULL && !ml_slice_equal(quantity.unit, ml_slice_str(field->unit))) {
        return fail(c, field, ML_VALIDATE_UNIT);
    }
    return true;
}

static bool code_listed(const struct ml_value_set *set, struct ml_slice code)
{
    for (size_t i = 0; i < set->item_count; i++) {
        if (ml_slice_equal(ml_slice_str(set->items[i].code), code)) {
            return true;
        }
    }
    return false;
}

static bool code_ok(const struct check *c, const struct ml_field *field, struct ml_slice item)
{
    const struct ml_value_set *set =
        field->value_set == NULL ? NULL : ml_schema_value_set(c->schema, field->value_set);
    struct ml_code code;
    if (ml_code_decode(&code, item) != ML_OK) {
        return fail(c, field, ML_VALIDATE_TYPE);
    }
    if (set != NULL && !set->open && !code_listed(set, code.code)) {
        return fail(c, field, ML_VALIDATE_CODE);
    }
    return true;
}

static bool concept_ok(const struct check *c, const struct ml_field *field, struct ml_slice item)
{
    struct ml_concept concept;
    if (ml_concept_decode(&concept, item) != ML_OK) {
        return fail(c, field, ML_VALIDATE_TYPE);
    }
    if (blank(concept.text) && concept.codes.count == 0) {
        return fail(c, field, ML_VALIDATE_EMPTY);
    }
    return true;
}

static bool period_ok(const struct check *c, const struct ml_field *field, struct ml_slice item)
{
    struct ml_period period;
    if (ml_period_decode(&period, item) != ML_OK) {
        return fail(c, field, ML_VALIDATE_TYPE);
    }
    bool both = period.start.precision != 0 && period.end.precision != 0;
    if (both && period.end.utc_ms < period.start.utc_ms) {
        return fail(c, field, ML_VALIDATE_PERIOD);
    }
    return true;
}

static bool item_ok(const struct check *c, const struct ml_field *field, struct ml_slice item)
{
    switch (field->type) {
    case ML_TYPE_TEXT:
        return text_ok(c, field, item);
    case ML_TYPE_DECIMAL:
        return decimal_ok(c, field, item);
    case ML_TYPE_QUANTITY:
        return quantity_ok(c, field, item);
    case ML_TYPE_CODE:
        return code_ok(c, field, item);
    case ML_TYPE_CONCEPT:
        return concept_ok(c, field, item);
    case ML_TYPE_PERIOD:
        return period_ok(c, field, item);
    case ML_TYPE_BOOL:
    case ML_TYPE_INT:
    case ML_TYPE_DATE:
    case ML_TYPE_INSTANT:
    case ML_TYPE_REF:
    case ML_TYPE_IDENTIFIER:
    case ML_TYPE_NAME:
    case ML_TYPE_ADDRESS:
    case ML_TYPE_CONTACT:
    case ML_TYPE_DOSAGE:
    case ML_TYPE_COMPONENT:
    case ML_TYPE_VALUE:
    case ML_TYPE_ATTACHMENT:
        return true; /* their shape is all there is to check */
    }
    return true;
}

static bool value_ok(const struct check *c, const struct ml_field *field, struct ml_slice value)
{
    struct ml_values_walk walk;
    struct ml_slice item;
    if (!ml_value_fits(field, value)) {
        bool number = field->type == ML_TYPE_QUANTITY || field->type == ML_TYPE_DECIMAL;
        return fail(c, field, number ? ML_VALIDATE_NUMBER : ML_VALIDATE_TYPE);
    }
    if (value.len == 1 && value.data[0] == 0xc0) { /* nil: emptied */
        return true;
    }
    if (!field->list) {
        return item_ok(c, field, value);
    }
    if (ml_values_walk(&walk, value) != ML_OK) {
        return fail(c, field, ML_VALIDATE_TYPE);
    }
    while (ml_values_next(&walk, &item)) {
        if (!item_ok(c, field, item)) {
            return false;
        }
    }
    return true;
}

/* ---- a change ---- */

static bool map_ok(const struct check *c, const struct ml_entity *entity, struct ml_slice map)
{
    struct ml_fields_walk walk;
    struct ml_slice value;
    uint16_t id = 0;
    if (ml_fields_walk(&walk, map) != ML_OK) {
        return fail(c, NULL, ML_VALIDATE_TYPE);
    }
    while (ml_fields_next(&walk, &id, &value)) {
        const struct ml_field *field = ml_entity_field(entity, id);
        c->fault->field_id = id;
        if (field == NULL) {
            return fail(c, NULL, ML_VALIDATE_FIELD);
        }
        if (!value_ok(c, field, value)) {
            return false;
        }
    }
    return true;
}

static bool required_ok(const struct check *c, const struct ml_entity *entity, struct ml_slice map)
{
    struct ml_slice value;
    for (size_t f = 0; f < entity->field_count; f++) {
        const struct ml_field *field = &entity->fields[f];
        if (field->required && !ml_fields_find(map, field->id, &value)) {
            return fail(c, field, ML_VALIDATE_MISSING);
        }
    }
    return true;
}

static bool create_ok(const struct check *c, const struct ml_entity *entity,
                      const struct ml_change *change)
{
    bool all = change->type == ML_CHANGE_CREATE || entity->merge == ML_MERGE_EVENT;
    return map_ok(c, entity, change->value) && (!all || required_ok(c, entity, change->value));
}

static bool set_ok(const struct check *c, const struct ml_entity *entity,
                   const struct ml_change *change)
{
    const struct ml_field *field = ml_entity_field(entity, change->slot);
    c->fault->field_id = change->slot;
    if (entity->merge == ML_MERGE_EVENT) {
        return fail(c, field, ML_VALIDATE_OPERATION);
    }
    if (field == NULL || ml_field_slot(field) != change->slot) {
        return fail(c, field, ML_VALIDATE_FIELD);
    }
    if (field->merge == ML_MERGE_ATOMIC) {
        return map_ok(c, entity, change->value);
    }
    return value_ok(c, field, change->value);
}

static bool change_ok(const struct check *c, const struct ml_entity *entity,
                      const struct ml_change *change)
{
    bool replaces = change->type != ML_CHANGE_CREATE && change->type != ML_CHANGE_SET &&
                    change->type != ML_CHANGE_MOVE;
    if (replaces && change->seen.count == 0) {
        return fail(c, NULL, ML_VALIDATE_SEEN);
    }
    switch (change->type) {
    case ML_CHANGE_CREATE:
    case ML_CHANGE_AMEND:
        return create_ok(c, entity, change);
    case ML_CHANGE_SET:
    case ML_CHANGE_MOVE:
        return set_ok(c, entity, change);
    case ML_CHANGE_VOID:
    case ML_CHANGE_ARCHIVE:
    case ML_CHANGE_RESTORE:
    case ML_CHANGE_COSIGN:
        return change->value.len == 0 || fail(c, NULL, ML_VALIDATE_OPERATION);
    default:
        return fail(c, NULL, ML_VALIDATE_OPERATION);
    }
}

ml_err ml_validate_change(const struct ml_schema *schema, const struct ml_change *change,
                          struct ml_validate_fault *fault)
{
    const struct check c = {.schema = schema, .fault = fault};
    *fault = (struct ml_validate_fault){.entity = ml_schema_entity(schema, change->entity)};
    if (fault->entity == NULL) {
        fault->reason = ML_VALIDATE_ENTITY;
        return ML_E_INVALID;
    }
    return change_ok(&c, fault->entity, change) ? ML_OK : ML_E_INVALID;
}

void ml_validate_text(char *out, size_t size, const struct ml_validate_fault *fault)
{
    static const char *const texts[] = {
#define X(NAME, text) text,
        ML_VALIDATE_MAP(X)
#undef X
    };
    const char *entity = fault->entity == NULL ? "?" : fault->entity->name;
    if (fault->field != NULL) {
        snprintf(out, size, "%s.%s : %s", entity, fault->field->name, texts[fault->reason]);
    } else if (fault->reason == ML_VALIDATE_FIELD) {
        snprintf(out, size, "%s.%u : %s", entity, fault->field_id, texts[fault->reason]);
    } else {
        snprintf(out, size, "%s : %s", entity, texts[fault->reason]);
    }
}
