/* tests/unit/core_record/test_validate.c -- what a form may enter, and how a refusal reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/record/validate.h"
#include "support_vault.h"

static struct fake_env fake;
static struct place place; /* val_* need one; nothing else of it is used */

static struct ml_change change_of(const char *entity, uint8_t type, struct ml_slice value)
{
    return (struct ml_change){.schema = ML_SCHEMA_VERSION,
                              .type = type,
                              .entity = ml_schema_entity_named(ml_schema_builtin(), entity)->id,
                              .value = value};
}

static void check(const struct ml_change *change, const char *want)
{
    struct ml_validate_fault fault;
    char text[200] = "";
    ml_err err = ml_validate_change(ml_schema_builtin(), change, &fault);
    assert_int_equal(err, *want == '\0' ? ML_OK : ML_E_INVALID);
    if (err != ML_OK) {
        ml_validate_text(text, sizeof(text), &fault);
    }
    assert_string_equal(text, want);
}

static struct ml_slice treatment(const char *number, const char *unit)
{
    const char *const names[] = {"drug", "dose"};
    const struct ml_slice values[] = {val_concept(&place, "x"), val_quantity(&place, number, unit)};
    return val_map(&place, "treatment", names, values, 2);
}

static void a_sound_change_passes(void **state)
{
    (void)state;
    struct ml_change change = change_of("treatment", ML_CHANGE_CREATE, treatment("0.5", "mg"));
    check(&change, "");
    change.type = ML_CHANGE_SET;
    change.slot = 1;
    check(&change, "");
}

static void an_unknown_entity_or_field_is_named(void **state)
{
    (void)state;
    struct ml_buf b;
    const struct ml_field_value unknown = {198, val_text(&place, "x")};
    struct ml_change change = change_of("treatment", ML_CHANGE_CREATE, ml_slice(NULL, 0));
    ml_buf_init(&b, &fake.env, 100);
    assert_int_equal(ml_fields_encode(&b, &unknown, 1), ML_OK);
    change.value = ml_buf_slice(&b);
    check(&change, "treatment.198 : ce champ n'existe pas");
    change.entity = 4000;
    check(&change, "? : ce type d'élément n'existe pas");
    ml_buf_free(&b);
}

static void the_required_is_asked_for(void **state)
{
    (void)state;
    const char *const names[] = {"dose"};
    const struct ml_slice dose = val_quantity(&place, "1", "mg");
    struct ml_change change =
        change_of("treatment", ML_CHANGE_CREATE, val_map(&place, "treatment", names, &dose, 1));
    check(&change, "treatment.drug : la valeur est obligatoire");
}

static void numbers_are_numbers(void **state)
{
    static const char *const bad[] = {"1,5", ".5", "05", "1.", "", "1 000", "--1"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ml_buf b;
        ml_buf_init(&b, &fake.env, 100);
        ml_mp_put_array(&b, 2);
        ml_mp_put_str(&b, ml_slice_str(bad[i]));
        ml_mp_put_str(&b, ml_slice_str("mg"));
        const char *const names[] = {"drug", "dose"};
        const struct ml_slice values[] = {val_concept(&place, "x"), ml_buf_slice(&b)};
        struct ml_change change = change_of("treatment", ML_CHANGE_CREATE,
                                            val_map(&place, "treatment", names, values, 2));
        check(&change, "treatment.dose : le nombre n'est pas lisible");
        ml_buf_free(&b);
    }
}

static void a_closed_list_takes_its_codes_only(void **state)
{
    (void)state;
    const char *const names[] = {"agent", "assertion"};
    struct ml_slice values[] = {val_concept(&place, "pénicilline"), val_code(&place, "known")};
    struct ml_change change =
        change_of("allergy", ML_CHANGE_CREATE, val_map(&place, "allergy", names, values, 2));
    check(&change, "");
    values[1] = val_code(&place, "perhaps");
    change.value = val_map(&place, "allergy", names, values, 2);
    check(&change, "allergy.assertion : ce code n'est pas dans la liste");
}

static void texts_have_something_in_them(void **state)
{
    (void)state;
    const char *const names[] = {"drug", "posology"};
    struct ml_slice values[] = {val_concept(&place, "x"), val_text(&place, " \t ")};
    struct ml_change change =
        change_of("treatment", ML_CHANGE_CREATE, val_map(&place, "treatment", names, values, 2));
    check(&change, "treatment.posology : le texte est vide");
    values[0] = val_concept(&place, " ");
    change.value = val_map(&place, "treatment", names, values, 1);
    check(&change, "treatment.drug : le texte est vide");
}

static void an_event_is_amended_never_set(void **state)
{
    (void)state;
    struct ml_change change = change_of("observation", ML_CHANGE_SET, val_concept(&place, "x"));
    change.slot = 1;
    check(&change, "observation.code : cette opération ne s'applique pas à cet élément");
}

static void what_replaces_names_what_it_replaces(void **state)
{
    static const uint8_t types[] = {ML_CHANGE_VOID, ML_CHANGE_ARCHIVE, ML_CHANGE_RESTORE,
                                    ML_CHANGE_AMEND};
    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        struct ml_change change = change_of("treatment", types[i], ml_slice(NULL, 0));
        check(&change, "treatment : ce qui est remplacé n'est pas nommé");
    }
    struct ml_change change = change_of("treatment", ML_CHANGE_VOID, ml_slice(NULL, 0));
    change.seen.count = 1;
    check(&change, "");
    change.value = val_text(&place, "x");
    check(&change, "treatment : cette opération ne s'applique pas à cet élément");
    change.type = 99;
    check(&change, "treatment : cette opération ne s'applique pas à cet élément");
}

static void a_period_ends_after_it_begins(void **state)
{
    (void)state;
    struct ml_period period = {.start = {2000, 0, ML_PRECISION_DAY},
                               .end = {1000, 0, ML_PRECISION_DAY}};
    struct ml_buf b;
    ml_buf_init(&b, &fake.env, 100);
    assert_int_equal(ml_period_encode(&b, &period), ML_OK);
    struct ml_change change = change_of("treatment", ML_CHANGE_SET, ml_buf_slice(&b));
    change.slot = 23; /* valid */
    check(&change, "treatment.valid : la fin est avant le début");
    ml_buf_free(&b);
}

static void a_value_of_another_type_is_refused(void **state)
{
    (void)state;
    struct ml_change change = change_of("treatment", ML_CHANGE_SET, val_text(&place, "x"));
    change.slot = 31; /* a bool */
    check(&change, "treatment.long_term_illness : la valeur n'est pas du bon type");
    change.slot = 2; /* not the first of its group */
    check(&change, "treatment.dose : ce champ n'existe pas");
}

static int group_setup(void **state)
{
    (void)state;
    fake_env_init(&fake, 1);
    fake_env_init(&place.fake, 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_change_passes),
        cmocka_unit_test(an_unknown_entity_or_field_is_named),
        cmocka_unit_test(the_required_is_asked_for),
        cmocka_unit_test(numbers_are_numbers),
        cmocka_unit_test(a_closed_list_takes_its_codes_only),
        cmocka_unit_test(texts_have_something_in_them),
        cmocka_unit_test(an_event_is_amended_never_set),
        cmocka_unit_test(what_replaces_names_what_it_replaces),
        cmocka_unit_test(a_period_ends_after_it_begins),
        cmocka_unit_test(a_value_of_another_type_is_refused),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
