/* tests/unit/core_record/test_schema.c -- the tables are sound, whatever entries they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/record/schema.h"

static void entities_are_found_by_number_and_by_name(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    assert_true(schema->entity_count >= 4);
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *entity = schema->entities[i];
        assert_ptr_equal(ml_schema_entity(schema, entity->id), entity);
        assert_ptr_equal(ml_schema_entity_named(schema, entity->name), entity);
    }
    assert_null(ml_schema_entity(schema, 0));
    assert_null(ml_schema_entity(schema, 4095));
    assert_null(ml_schema_entity_named(schema, "licorne"));
}

static void fields_are_found_by_number_and_by_name(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *entity = schema->entities[i];
        for (size_t j = 0; j < entity->field_count; j++) {
            const struct ml_field *field = &entity->fields[j];
            assert_true(field->id >= 1 && field->id <= 199);
            assert_ptr_equal(ml_entity_field(entity, field->id), field);
            assert_ptr_equal(ml_entity_field_named(entity, field->name), field);
        }
        assert_null(ml_entity_field(entity, 0));
        assert_null(ml_entity_field_named(entity, "licorne"));
    }
}

/* An EVENT is immutable, so its fields are FIXED; a SET's never are. */
static void merge_kinds_fit_their_entity(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *entity = schema->entities[i];
        assert_true(entity->merge == ML_MERGE_EVENT || entity->merge == ML_MERGE_SET);
        for (size_t j = 0; j < entity->field_count; j++) {
            bool fixed = entity->fields[j].merge == ML_MERGE_FIXED;
            assert_int_equal(fixed, entity->merge == ML_MERGE_EVENT);
        }
    }
}

/* The group of an atomic field is a field of the same entity, atomic too, and in its own group. */
static void check_slot(const struct ml_entity *entity, const struct ml_field *field)
{
    const struct ml_field *first = ml_entity_field(entity, ml_field_slot(field));
    if (field->merge == ML_MERGE_FIXED) {
        assert_int_equal(ml_field_slot(field), 0);
        return;
    }
    assert_non_null(first);
    assert_int_equal(first->merge, field->merge);
    assert_int_equal(ml_field_slot(first), first->id);
}

static void atomic_groups_have_one_first_field(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *entity = schema->entities[i];
        for (size_t j = 0; j < entity->field_count; j++) {
            check_slot(entity, &entity->fields[j]);
        }
    }
}

static void named_references_resolve(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *entity = schema->entities[i];
        assert_non_null(entity->label_fr);
        assert_non_null(entity->plural_fr);
        assert_true(entity->compartment >= 1 && entity->compartment <= ML_COMPARTMENT_LAST);
        if (entity->title_field != NULL) {
            assert_non_null(ml_entity_field_named(entity, entity->title_field));
        }
        if (entity->effective_field != NULL) {
            assert_non_null(ml_entity_field_named(entity, entity->effective_field));
        }
        for (size_t j = 0; j < entity->field_count; j++) {
            const char *set = entity->fields[j].value_set;
            assert_non_null(entity->fields[j].label_fr);
            assert_true(set == NULL || ml_schema_value_set(schema, set) != NULL);
        }
    }
    assert_null(ml_schema_value_set(schema, "licorne"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_are_found_by_number_and_by_name),
        cmocka_unit_test(fields_are_found_by_number_and_by_name),
        cmocka_unit_test(merge_kinds_fit_their_entity),
        cmocka_unit_test(atomic_groups_have_one_first_field),
        cmocka_unit_test(named_references_resolve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
