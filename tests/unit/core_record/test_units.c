/* tests/unit/core_record/test_units.c -- units and coded notions read as they are said in French.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/record/units.h"
#include "core/record/values.h"
#include "fake_env.h"

static void units_are_said_in_french(void **state)
{
    static const struct {
        const char *ucum;
        const char *fr;
        bool several;
    } cases[] = {
        {"{comprimé}", "comprimés", true},
        {"comprimé", "comprimés", true},
        {"comprimé", "comprimé", false},
        {"{tablet}", "comprimés", true},
        {"mo", "mois", true},
        {"d", "jour", false},
        {"wk", "semaines", true},
        {"U", "unités", true}, /* never the letter, which reads as a zero */
        {"mg", "mg", true},
        {"mm[Hg]", "mmHg", false},
        {"Cel", "°C", false},
        {"10*9/L", "G/L", false},
        {"{comprimé}", "comprimé", false},
        {"{beats}/min", "/min", false},
        {"mg/dL", "mg/dL", false},
        {"", "", false},
        {"{}", "{}", false},
        {"mL/min/{1.73_m2}", "mL/min/1,73 m²", false},
        {"{a}/{b}", "{a}/{b}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(ml_slice_equal(ml_unit_fr(ml_slice_str(cases[i].ucum), cases[i].several),
                                   ml_slice_str(cases[i].fr)));
    }
}

struct case_ {
    const char *text;
    const char *scheme;
    const char *code;
    const char *display;
    const char *shown;
};

static void put_concept(struct ml_buf *out, const struct case_ *c)
{
    uint16_t number = ml_code_system_number(ml_slice_str(c->scheme));
    ml_mp_put_array(out, 2);
    ml_mp_put_str(out, ml_slice_str(c->text));
    ml_mp_put_array(out, 1);
    ml_mp_put_array(out, 3);
    if (number != 0) {
        ml_mp_put_uint(out, number);
    } else {
        ml_mp_put_str(out, ml_slice_str(c->scheme));
    }
    ml_mp_put_str(out, ml_slice_str(c->code));
    ml_mp_put_str(out, ml_slice_str(c->display));
}

static void a_code_of_the_list_reads_in_french_and_a_persons_words_stay(void **state)
{
    static const struct case_ cases[] = {
        {"Body Height", "http://loinc.org", "8302-2", "Body Height", "Taille"},
        {"", "http://loinc.org", "8302-2", "", "Taille"},
        {"", "http://loinc.org", "55284-4", "Blood pressure", "Pression artérielle"},
        {"taille au lever", "http://loinc.org", "8302-2", "Body Height", "taille au lever"},
        {"Body Height", "http://snomed.info/sct", "8302-2", "Body Height", "Body Height"},
        {"", "http://loinc.org", "0-0", "", "0-0"},
        {"", "http://loinc.org", "0-0", "Other", "Other"},
    };
    const struct ml_schema *schema = ml_schema_builtin();
    const struct ml_entity *entity = ml_schema_entity_named(schema, "observation");
    const struct ml_field *field = ml_entity_field_named(entity, "code");
    const struct ml_text_args args = {.schema = schema};
    struct fake_env fake;
    struct ml_buf value;
    struct ml_buf out;
    (void)state;
    fake_env_init(&fake, 1);
    ml_buf_init(&value, &fake.env, 1000);
    ml_buf_init(&out, &fake.env, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ml_buf_clear(&value);
        ml_buf_clear(&out);
        put_concept(&value, &cases[i]);
        ml_value_text_fr(&out, &args, field, ml_buf_slice(&value));
        assert_true(ml_slice_equal(ml_buf_slice(&out), ml_slice_str(cases[i].shown)));
    }
    ml_buf_free(&out);
    ml_buf_free(&value);
    assert_int_equal(fake.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_said_in_french),
        cmocka_unit_test(a_code_of_the_list_reads_in_french_and_a_persons_words_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
