/* tests/unit/core_record/test_schema_entries.c -- the built-in entries are complete: what a form,
 * a timeline, an import and a merge ask of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/record/schema.h"

typedef void field_check(const struct ml_entity *entity, const struct ml_field *field);

static void each_field(field_check *check)
{
    const struct ml_schema *schema = ml_schema_builtin();
    for (size_t i = 0; i < schema->entity_count; i++) {
        for (size_t j = 0; j < schema->entities[i]->field_count; j++) {
            check(schema->entities[i], &schema->entities[i]->fields[j]);
        }
    }
}

/* Numbers are in ops for ever: this list only grows. */
static void numbers_of_entities_never_change(void **state)
{
    static const char *const names[] = {
        "patient",    "professional", "organisation",   "encounter", "problem", "allergy",
        "treatment",  "immunisation", "observation",    "procedure", "report",  "care_plan",
        "goal",       "document",     "imaging_study",  "contact",   "note",    "care_note",
        "lab_result", "visit",        "sensitive_note",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct ml_entity *entity = ml_schema_entity(ml_schema_builtin(), (uint16_t)(i + 1));
        assert_non_null(entity);
        assert_string_equal(entity->name, names[i]);
    }
}

/* Domain 7.2 and decisions 22: the compartment is that of the class. */
static void compartments_are_those_of_their_data_class(void **state)
{
    static const uint8_t of_class[24] = {
        [1] = ML_COMPARTMENT_ADMIN,     [2] = ML_COMPARTMENT_ADMIN,
        [3] = ML_COMPARTMENT_ADMIN,     [4] = ML_COMPARTMENT_VITAL,
        [5] = ML_COMPARTMENT_MEDICAL,   [6] = ML_COMPARTMENT_SENSITIVE,
        [7] = ML_COMPARTMENT_MEDICAL,   [8] = ML_COMPARTMENT_MEDICAL,
        [9] = ML_COMPARTMENT_MEDICAL,   [10] = ML_COMPARTMENT_CARE,
        [11] = ML_COMPARTMENT_CARE,     [12] = ML_COMPARTMENT_MEDICAL,
        [13] = ML_COMPARTMENT_DOCUMENT, [14] = ML_COMPARTMENT_SOCIAL,
        [15] = ML_COMPARTMENT_RCP,      [16] = ML_COMPARTMENT_AGENDA,
        [17] = ML_COMPARTMENT_AGENDA,   [18] = ML_COMPARTMENT_BILLING,
        [21] = ML_COMPARTMENT_ANNUAIRE, [22] = ML_COMPARTMENT_AUDIT,
    };
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *e = schema->entities[i];
        assert_true(e->data_class >= 1 && e->data_class <= 23);
        assert_int_equal(e->compartment, of_class[e->data_class]);
        assert_int_equal(e->is_shared, e->compartment == ML_COMPARTMENT_ANNUAIRE);
    }
}

static void check_ref(const struct ml_entity *entity, const struct ml_field *field)
{
    char name[64];
    (void)entity;
    assert_int_equal(field->type == ML_TYPE_REF, field->ref != NULL);
    for (const char *p = field->ref; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, "|");
        assert_true(len < sizeof(name));
        memcpy(name, p, len);
        name[len] = '\0';
        assert_non_null(ml_schema_entity_named(ml_schema_builtin(), name));
        p += len + (p[len] == '|');
    }
}

static void references_name_entities_that_exist(void **state)
{
    (void)state;
    each_field(check_ref);
}

static void check_form(const struct ml_entity *entity, const struct ml_field *field)
{
    assert_true(field->label_fr[0] != '\0' && field->label_en[0] != '\0');
    assert_true(!field->required || field->form_order > 0);
    for (size_t i = 0; i < entity->field_count; i++) {
        const struct ml_field *other = &entity->fields[i];
        assert_true(other == field || field->form_order == 0 ||
                    other->form_order != field->form_order);
        assert_true(other == field || strcmp(other->label_fr, field->label_fr) != 0);
    }
}

static void forms_have_one_place_and_one_label_a_field(void **state)
{
    (void)state;
    each_field(check_form);
}

static void check_order(const struct ml_entity *entity, const struct ml_field *field)
{
    assert_true(field == entity->fields || field[-1].id < field->id);
}

static void fields_stand_in_the_order_of_their_numbers(void **state)
{
    (void)state;
    each_field(check_order);
}

static void check_codes(const struct ml_entity *entity, const struct ml_field *field)
{
    (void)entity;
    bool coded = field->type == ML_TYPE_CODE && field->form_order > 0;
    assert_true(!coded || field->value_set != NULL || field->fhir != NULL);
    if (field->merge != ML_MERGE_ASSERT) {
        return;
    }
    const struct ml_value_set *set = ml_schema_value_set(ml_schema_builtin(), field->value_set);
    size_t refuting = 0;
    assert_non_null(set);
    for (size_t i = 0; i < set->item_count; i++) {
        refuting += set->items[i].refutes;
    }
    assert_true(refuting > 0 && refuting < set->item_count);
}

static void what_asserts_can_be_refuted_by_its_list(void **state)
{
    (void)state;
    each_field(check_codes);
}

static void check_item(const struct ml_value_set *set, size_t item)
{
    assert_true(set->items[item].label_fr[0] != '\0');
    for (size_t i = 0; i < item; i++) {
        assert_string_not_equal(set->items[i].code, set->items[item].code);
    }
}

static void codes_of_a_list_are_unique_and_labelled(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t i = 0; i < schema->value_set_count; i++) {
        const struct ml_value_set *set = schema->value_sets[i];
        assert_true(set->item_count > 0 && set->system_uri != NULL);
        for (size_t j = 0; j < set->item_count; j++) {
            check_item(set, j);
        }
    }
}

/* Who acts on it must know how to find it: entities of FHIR name their patient. */
static void what_comes_from_fhir_says_whose_it_is(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *e = schema->entities[i];
        bool own = e->is_patient || e->is_shared || e->fhir_type == NULL;
        assert_int_equal(own, e->fhir_patient == NULL);
        for (size_t j = 0; j < e->fhir_drop_count; j++) {
            assert_true(e->fhir_drops[j].reason[0] != '\0');
        }
    }
}

/* A dose nobody prescribed is never made of two that somebody did (architecture 6). */
static void a_line_of_treatment_is_one_register(void **state)
{
    static const char *const line[] = {"drug",        "dose",    "route",     "frequency", "period",
                                       "period_unit", "moments", "as_needed", "posology"};
    const struct ml_entity *e = ml_schema_entity_named(ml_schema_builtin(), "treatment");
    (void)state;
    for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
        const struct ml_field *field = ml_entity_field_named(e, line[i]);
        assert_non_null(field);
        assert_int_equal(ml_field_slot(field), 1);
        assert_int_equal(field->severity, ML_SEVERITY_CRITICAL);
    }
    assert_int_not_equal(ml_field_slot(ml_entity_field_named(e, "status")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_entities_never_change),
        cmocka_unit_test(compartments_are_those_of_their_data_class),
        cmocka_unit_test(references_name_entities_that_exist),
        cmocka_unit_test(forms_have_one_place_and_one_label_a_field),
        cmocka_unit_test(fields_stand_in_the_order_of_their_numbers),
        cmocka_unit_test(what_asserts_can_be_refuted_by_its_list),
        cmocka_unit_test(codes_of_a_list_are_unique_and_labelled),
        cmocka_unit_test(what_comes_from_fhir_says_whose_it_is),
        cmocka_unit_test(a_line_of_treatment_is_one_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
