/* net/node/methods_schema.c -- the record's schema, for whoever makes forms of it. It says what a
 * record may hold and nothing of any patient: no session is asked for, and no trace is left. */
#include <string.h>

#include "core/record/schema.h"
#include "net/node/methods.h"

static void names_put(struct ml_args *out, const char *key, const char *names)
{
    ml_args_key(out, key);
    ml_args_list(out);
    for (const char *p = names; p != NULL && *p != '\0';) {
        char name[64];
        size_t len = strcspn(p, "|");
        size_t kept = len < sizeof(name) ? len : sizeof(name) - 1;
        memcpy(name, p, kept);
        name[kept] = '\0';
        ml_args_text(out, name);
        p += len + (p[len] == '|');
    }
    ml_args_end(out);
}

static void value_set_put(struct ml_args *out, const struct ml_value_set *set)
{
    ml_args_key(out, "value_set");
    ml_args_map(out);
    ml_result_text(out, "name", set->name);
    ml_result_text(out, "system", set->system_uri);
    ml_result_bool(out, "open", set->open);
    ml_args_key(out, "items");
    ml_args_list(out);
    for (size_t i = 0; i < set->item_count; i++) {
        ml_args_map(out);
        ml_result_text(out, "code", set->items[i].code);
        ml_result_text(out, "label", set->items[i].label_fr);
        ml_result_bool(out, "refutes", set->items[i].refutes);
        ml_args_end(out);
    }
    ml_args_end(out);
    ml_args_end(out);
}

/* Keys that hold nothing are left out, but for what a form always asks. */
static void text_put(struct ml_args *out, const char *key, const char *text)
{
    if (text != NULL) {
        ml_result_text(out, key, text);
    }
}

static void field_put(struct ml_args *out, const struct ml_schema *schema,
                      const struct ml_field *field)
{
    ml_args_map(out);
    ml_result_int(out, "id", field->id);
    ml_result_text(out, "name", field->name);
    ml_result_text(out, "type", ml_field_type_name(field->type));
    ml_result_bool(out, "list", field->list);
    ml_result_bool(out, "required", field->required);
    ml_result_text(out, "label", field->label_fr);
    text_put(out, "label_en", field->label_en);
    text_put(out, "help", field->help_fr);
    text_put(out, "unit", field->unit);
    ml_result_text(out, "merge", ml_merge_name(field->merge));
    ml_result_int(out, "register", ml_field_slot(field));
    ml_result_text(out, "severity", ml_severity_name(field->severity));
    ml_result_text(out, "search", ml_search_name(field->search));
    ml_result_int(out, "form_order", field->form_order);
    if (field->ref != NULL) {
        names_put(out, "refers", field->ref);
    }
    if (field->value_set != NULL) {
        value_set_put(out, ml_schema_value_set(schema, field->value_set));
    }
    ml_args_end(out);
}

static void entity_put(struct ml_args *out, const struct ml_entity *entity)
{
    ml_result_int(out, "id", entity->id);
    ml_result_text(out, "name", entity->name);
    ml_result_text(out, "label", entity->label_fr);
    ml_result_text(out, "label_en", entity->label_en);
    ml_result_text(out, "plural", entity->plural_fr);
    ml_result_text(out, "merge", ml_merge_name(entity->merge));
    ml_result_text(out, "compartment", ml_compartment_name(entity->compartment));
    ml_result_int(out, "data_class", entity->data_class);
    ml_result_text(out, "severity", ml_severity_name(entity->severity));
    ml_result_bool(out, "timeline", entity->in_timeline);
    ml_result_bool(out, "patient", entity->is_patient);
    ml_result_bool(out, "shared", entity->is_shared);
    text_put(out, "effective_field", entity->effective_field);
    text_put(out, "title_field", entity->title_field);
}

static ml_err schema_list(struct ml_call *call)
{
    const struct ml_schema *schema = call->node->schema;
    struct ml_args *out = call->result;
    ml_result_int(out, "version", ML_SCHEMA_VERSION);
    ml_args_key(out, "entities");
    ml_args_list(out);
    for (size_t i = 0; i < schema->entity_count; i++) {
        ml_args_map(out);
        entity_put(out, schema->entities[i]);
        ml_result_int(out, "fields", (int64_t)schema->entities[i]->field_count);
        ml_args_end(out);
    }
    ml_args_end(out);
    return ML_OK;
}

static ml_err schema_show(struct ml_call *call)
{
    const struct ml_schema *schema = call->node->schema;
    const char *name = NULL;
    ml_err err = ml_call_text(call, &name, "entity");
    if (err != ML_OK) {
        return err;
    }
    const struct ml_entity *entity = ml_schema_entity_named(schema, name);
    if (entity == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "entity.unknown", "entity", name);
    }
    entity_put(call->result, entity);
    ml_args_key(call->result, "fields");
    ml_args_list(call->result);
    for (size_t i = 0; i < entity->field_count; i++) {
        field_put(call->result, schema, &entity->fields[i]);
    }
    ml_args_end(call->result);
    return ML_OK;
}

const struct ml_method ml_methods_schema[] = {
    {"schema.list", 0, schema_list},
    {"schema.show", 0, schema_show},
    {NULL, 0, NULL},
};
