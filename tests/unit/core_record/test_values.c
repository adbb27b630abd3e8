/* tests/unit/core_record/test_values.c -- how values read in French, and what has which shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/record/date.h"
#include "core/record/values.h"
#include "support_vault.h"

static struct fake_env fake;
static struct place place; /* val_* need one; nothing else of it is used */

static void name_of(void *user, const struct ml_object_id *object, struct ml_buf *out)
{
    (void)user;
    if (object->b[0] == 7) {
        ml_buf_append(out, "Dr Noir", 7);
    }
}

static void reads(const struct ml_field *field, struct ml_slice value, const char *want)
{
    const struct ml_text_args args = {.schema = ml_schema_builtin(), .ref = name_of};
    struct ml_buf out;
    ml_buf_init(&out, &fake.env, 10000);
    ml_value_text_fr(&out, &args, field, value);
    ml_buf_u8(&out, 0);
    assert_string_equal((const char *)out.data, want);
    ml_buf_free(&out);
}

static struct ml_field field_of(ml_field_type type)
{
    return (struct ml_field){.id = 1, .name = "x", .type = type, .merge = ML_MERGE_REGISTER};
}

static void decimal(const char *text, bool keep, const char *want)
{
    struct ml_buf out;
    ml_buf_init(&out, &fake.env, 100);
    ml_decimal_text(&out, ml_slice_str(text), keep);
    ml_buf_u8(&out, 0);
    assert_string_equal((const char *)out.data, want);
    ml_buf_free(&out);
}

static void a_dose_has_a_comma_a_leading_and_no_trailing_zero(void **state)
{
    (void)state;
    decimal("0.5", false, "0,5");
    decimal("0.50", false, "0,5");
    decimal("5.0", false, "5");
    decimal("5.00", false, "5");
    decimal("50", false, "50"); /* not a fraction: its zeros are its value */
    decimal("500", false, "500");
    decimal(".5", false, "0,5");
    decimal("-.5", false, "-0,5");
    decimal("10.10", false, "10,1");
    decimal("7.40", true, "7,40"); /* a measure keeps its precision */
    decimal("1.5e10", false, "1,5e10");
    decimal("", false, "");
}

static void quantities_have_their_unit(void **state)
{
    struct ml_field measure = field_of(ML_TYPE_QUANTITY);
    struct ml_field dose = field_of(ML_TYPE_QUANTITY);
    (void)state;
    dose.merge = ML_MERGE_ATOMIC;
    reads(&measure, val_quantity(&place, "7.40", "mmol/L"), "7,40 mmol/L");
    reads(&dose, val_quantity(&place, "7.40", "mg"), "7,4 mg");
    reads(&measure, val_quantity(&place, "37.5", "Cel"), "37,5 °C");
    reads(&measure, val_quantity(&place, "72", "/min"), "72/min");
    reads(&measure, val_quantity(&place, "135", "mm[Hg]"), "135 mmHg");
    reads(&measure, val_quantity(&place, "3", ""), "3");
    reads(&measure, val_quantity(&place, "12", "1"), "12");
}

static void codes_read_by_their_label(void **state)
{
    struct ml_field code = field_of(ML_TYPE_CODE);
    (void)state;
    code.value_set = "allergy_assertion";
    reads(&code, val_code(&place, "none-known"), "aucune allergie connue");
    reads(&code, val_code(&place, "zz"), "zz");
    struct ml_field concept = field_of(ML_TYPE_CONCEPT);
    reads(&concept, val_concept(&place, "Asthme"), "Asthme");
}

static struct ml_slice encoded(struct ml_buf *b)
{
    assert_int_equal(b->err, ML_OK);
    return ml_buf_slice(b);
}

static void a_concept_without_text_reads_by_its_first_code(void **state)
{
    struct ml_field concept = field_of(ML_TYPE_CONCEPT);
    const struct ml_code codes[] = {
        {.code = {(const uint8_t *)"8867-4", 6}, .display = {(const uint8_t *)"Heart rate", 10}},
        {.code = ml_slice_str("2")}};
    const struct ml_concept value = {.codes = {.items = codes, .count = 2}};
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, &fake.env, 1000);
    assert_int_equal(ml_concept_encode(&b, &value), ML_OK);
    reads(&concept, encoded(&b), "Heart rate");
    ml_buf_free(&b);
}

static void dates_read_as_far_as_they_go(void **state)
{
    struct ml_field date = field_of(ML_TYPE_DATE);
    struct ml_field instant = field_of(ML_TYPE_INSTANT);
    struct ml_instant at = {1790000000000, 120, ML_PRECISION_MINUTE};
    static const char *const want[] = {"",
                                       "2026",
                                       "09/2026",
                                       "21/09/2026",
                                       "21/09/2026 à 16 h",
                                       "21/09/2026 à 16:13",
                                       "21/09/2026 à 16:13"};
    (void)state;
    reads(&date, val_text(&place, "1979-03-28"), "28/03/1979");
    reads(&date, val_text(&place, "1979-03"), "03/1979");
    reads(&date, val_text(&place, "1979"), "1979");
    reads(&date, val_text(&place, "1979-02-29"), "(illisible)");
    for (unsigned p = ML_PRECISION_YEAR; p <= (unsigned)ML_PRECISION_SECOND; p++) {
        struct ml_buf b;
        at.precision = (uint8_t)p;
        ml_buf_init(&b, &fake.env, 100);
        assert_int_equal(ml_instant_encode(&b, &at), ML_OK);
        reads(&instant, encoded(&b), want[p]);
        ml_buf_free(&b);
    }
}

static void a_period_reads_by_its_ends(void **state)
{
    struct ml_field field = field_of(ML_TYPE_PERIOD);
    static const struct {
        struct ml_period period;
        const char *want;
    } cases[] = {
        {{{0, 0, ML_PRECISION_DAY}, {86400000, 0, ML_PRECISION_DAY}},
         "du 01/01/1970 au 02/01/1970"},
        {{{0, 0, ML_PRECISION_DAY}, {0, 0, 0}}, "depuis le 01/01/1970"},
        {{{0, 0, 0}, {0, 0, ML_PRECISION_DAY}}, "jusqu'au 01/01/1970"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ml_buf b;
        ml_buf_init(&b, &fake.env, 100);
        assert_int_equal(ml_period_encode(&b, &cases[i].period), ML_OK);
        reads(&field, encoded(&b), cases[i].want);
        ml_buf_free(&b);
    }
}

static void people_places_and_numbers_read_plainly(void **state)
{
    const struct ml_slice given[] = {ml_slice_str("Marie"), ml_slice_str("Ange")};
    const struct ml_slice lines[] = {ml_slice_str("3 rue du Puits")};
    const struct ml_person_name name = {.family = ml_slice_str("Durand"),
                                        .given = {.items = given, .count = 2}};
    const struct ml_address address = {.lines = {.items = lines, .count = 1},
                                       .postal_code = ml_slice_str("51100"),
                                       .city = ml_slice_str("Reims"),
                                       .country = ml_slice_str("FR")};
    const struct ml_contact contact = {.medium = ml_slice_str("phone"),
                                       .value = ml_slice_str("06 12")};
    struct ml_field field = field_of(ML_TYPE_NAME);
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, &fake.env, 1000);
    assert_int_equal(ml_person_name_encode(&b, &name), ML_OK);
    reads(&field, encoded(&b), "Durand Marie Ange");
    ml_buf_clear(&b);
    assert_int_equal(ml_address_encode(&b, &address), ML_OK);
    field.type = ML_TYPE_ADDRESS;
    reads(&field, encoded(&b), "3 rue du Puits, 51100 Reims");
    ml_buf_clear(&b);
    assert_int_equal(ml_contact_encode(&b, &contact), ML_OK);
    field.type = ML_TYPE_CONTACT;
    reads(&field, encoded(&b), "06 12");
    ml_buf_clear(&b);
    ml_mp_put_int(&b, -3);
    field.type = ML_TYPE_INT;
    reads(&field, encoded(&b), "-3");
    ml_buf_clear(&b);
    ml_mp_put_bool(&b, true);
    field.type = ML_TYPE_BOOL;
    reads(&field, encoded(&b), "oui");
    ml_buf_free(&b);
}

static void a_reference_reads_by_its_name(void **state)
{
    struct ml_field field = field_of(ML_TYPE_REF);
    struct ml_object_id known = {{7}}, unknown = {{8}};
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, &fake.env, 100);
    ml_ref_put(&b, &known);
    reads(&field, encoded(&b), "Dr Noir");
    ml_buf_clear(&b);
    ml_ref_put(&b, &unknown);
    reads(&field, encoded(&b), "(élément non disponible ici)");
    field.ref = "organisation|professional";
    reads(&field, encoded(&b), "(structure non disponible ici)");
    ml_buf_free(&b);
}

static void a_free_value_reads_by_its_shape(void **state)
{
    struct ml_field field = field_of(ML_TYPE_VALUE);
    struct ml_buf b;
    (void)state;
    reads(&field, val_quantity(&place, "7.40", "mg"), "7,40 mg");
    reads(&field, val_concept(&place, "positif"), "positif");
    reads(&field, val_text(&place, "clair"), "clair");
    reads(&field, val_instant(&place, 1790000000000), "21/09/2026 à 15:13");
    reads(&field, val_code(&place, "POS"), "POS");
    ml_buf_init(&b, &fake.env, 100);
    ml_mp_put_array(&b, 1);
    ml_mp_put_nil(&b);
    reads(&field, encoded(&b), "(illisible)");
    ml_buf_free(&b);
}

static void a_component_reads_name_then_value(void **state)
{
    struct ml_field field = field_of(ML_TYPE_COMPONENT);
    const struct ml_component part = {.concept = val_concept(&place, "Systolique"),
                                      .value = val_quantity(&place, "135", "mm[Hg]")};
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, &fake.env, 1000);
    assert_int_equal(ml_component_encode(&b, &part), ML_OK);
    reads(&field, encoded(&b), "Systolique : 135 mmHg");
    ml_buf_free(&b);
}

static void structured_maps_read_by_their_text(void **state)
{
    struct ml_field field = field_of(ML_TYPE_DOSAGE);
    struct ml_dosage dosage = {.text = ml_slice_str("1 matin et soir")};
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, &fake.env, 1000);
    assert_int_equal(ml_dosage_encode(&b, &dosage), ML_OK);
    reads(&field, encoded(&b), "1 matin et soir");
    ml_buf_clear(&b);
    dosage = (struct ml_dosage){.frequency = 2};
    assert_int_equal(ml_dosage_encode(&b, &dosage), ML_OK);
    reads(&field, encoded(&b), "2 fois");
    ml_buf_clear(&b);
    dosage = (struct ml_dosage){.sequence = 1};
    assert_int_equal(ml_dosage_encode(&b, &dosage), ML_OK);
    reads(&field, encoded(&b), "(posologie non précisée)");
    field.type = ML_TYPE_ATTACHMENT;
    reads(&field, encoded(&b), "(illisible)"); /* it isn't one */
    ml_buf_clear(&b);
    const struct ml_attachment file = {.content_type = ml_slice_str("application/pdf"),
                                       .title = ml_slice_str("Courrier"),
                                       .size = 1200};
    assert_int_equal(ml_attachment_encode(&b, &file), ML_OK);
    reads(&field, encoded(&b), "Courrier (PDF, 1,2 Ko)");
    ml_buf_free(&b);
}

static void lists_read_in_order(void **state)
{
    struct ml_field field = field_of(ML_TYPE_TEXT);
    const struct ml_slice items[] = {val_text(&place, "un"), val_text(&place, "deux")};
    (void)state;
    field.list = true;
    reads(&field, val_list(&place, items, 2), "un, deux");
    reads(&field, val_list(&place, items, 0), "");
    reads(&field, val_text(&place, "un"), "(illisible)"); /* a list is asked */
}

/* Every type takes its own shape and no text's, and no value breaks the reader. */
static void what_does_not_fit_is_never_guessed(void **state)
{
    (void)state;
    for (int type = ML_TYPE_BOOL; type <= (int)ML_TYPE_ATTACHMENT; type++) {
        struct ml_field field = field_of((ml_field_type)type);
        if (type != (int)ML_TYPE_VALUE && type != (int)ML_TYPE_DECIMAL) {
            assert_false(ml_value_fits(&field, val_text(&place, "texte")));
            reads(&field, val_text(&place, "texte"), "(illisible)");
        }
    }
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[24];
        struct ml_field field =
            field_of((ml_field_type)fake_below(&fake, (uint64_t)ML_TYPE_ATTACHMENT + 1));
        const struct ml_text_args args = {.schema = ml_schema_builtin()};
        struct ml_buf out;
        size_t len = (size_t)fake_below(&fake, sizeof(bytes));
        field.list = fake_below(&fake, 4) == 0;
        for (size_t i = 0; i < len; i++) {
            static const uint8_t heads[] = {0x90, 0x92, 0x93, 0x95, 0xa1, 0xa0, 0xc0, 0xc2,
                                            0x81, 0xc4, 1,    2,    'x',  0xff, 0xdc};
            bytes[i] = heads[fake_below(&fake, sizeof(heads))];
        }
        ml_buf_init(&out, &fake.env, 10000);
        ml_value_text_fr(&out, &args, &field, ml_slice(bytes, len));
        ml_buf_free(&out);
    }
    assert_int_equal(fake.live, 0);
}

static void days_go_both_ways(void **state)
{
    (void)state;
    for (int64_t day = -719162; day < 2000000; day += 37) {
        struct ml_date date = ml_date_of_ms(day * 86400000 + 12345);
        assert_int_equal(ml_date_ms(&date), day * 86400000);
    }
    assert_true(ml_date_exists(2000, 2, 29));
    assert_false(ml_date_exists(1900, 2, 29));
    assert_false(ml_date_exists(2024, 4, 31));
    assert_false(ml_date_exists(2024, 13, 1));
    assert_false(ml_date_exists(0, 1, 1));
}

static void emptied_reads_as_nothing(void **state)
{
    struct ml_field field = field_of(ML_TYPE_QUANTITY);
    const uint8_t nil = 0xc0;
    (void)state;
    assert_true(ml_value_fits(&field, ml_slice(&nil, 1)));
    reads(&field, ml_slice(&nil, 1), "");
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
        cmocka_unit_test(a_dose_has_a_comma_a_leading_and_no_trailing_zero),
        cmocka_unit_test(quantities_have_their_unit),
        cmocka_unit_test(codes_read_by_their_label),
        cmocka_unit_test(a_concept_without_text_reads_by_its_first_code),
        cmocka_unit_test(dates_read_as_far_as_they_go),
        cmocka_unit_test(a_period_reads_by_its_ends),
        cmocka_unit_test(people_places_and_numbers_read_plainly),
        cmocka_unit_test(a_reference_reads_by_its_name),
        cmocka_unit_test(a_free_value_reads_by_its_shape),
        cmocka_unit_test(a_component_reads_name_then_value),
        cmocka_unit_test(structured_maps_read_by_their_text),
        cmocka_unit_test(lists_read_in_order),
        cmocka_unit_test(what_does_not_fit_is_never_guessed),
        cmocka_unit_test(days_go_both_ways),
        cmocka_unit_test(emptied_reads_as_nothing),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
