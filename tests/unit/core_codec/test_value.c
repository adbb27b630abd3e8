/* tests/unit/core_codec/test_value.c -- values of record fields, one encoding a type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "fake_env.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

struct fixture {
    struct fake_env fake;
    struct ml_buf b;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 1);
    ml_buf_init(&f.b, &f.fake.env, 1u << 16);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->b);
    return f->fake.live == 0 ? 0 : -1;
}

static bool text_is(struct ml_slice s, const char *text)
{
    return ml_slice_equal(s, TEXT(text));
}

static void decimals_keep_their_text(void **state)
{
    static const char *const good[] = {"0",   "-0",  "5",      "12.50", "-3.1",
                                       "100", "1e3", "1.5E-7", "0.0",   "0e+2"};
    static const char *const bad[] = {"",    "-",  "01", ".5",  "5.",  "+5",  "1e",    "1e+",
                                      "1,5", " 1", "1 ", "0x1", "NaN", "--1", "1.2.3", "1e1.5"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(ml_decimal_valid(TEXT(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(ml_decimal_valid(TEXT(bad[i])));
    }
    assert_true(ml_decimal_valid(TEXT("1234567890123456789012345678901234567890")));
    assert_false(ml_decimal_valid(TEXT("12345678901234567890123456789012345678901")));
}

static void dates_may_be_partial_and_exist(void **state)
{
    static const char *const good[] = {"1979",       "0001",       "9999",       "1979-03",
                                       "1979-12",    "1979-03-28", "2000-02-29", "2024-02-29",
                                       "1979-01-31", "1979-04-30"};
    static const char *const bad[] = {"",           "0000",       "979",        "19790",
                                      "1979-",      "1979-3",     "1979-00",    "1979-13",
                                      "1979-03-",   "1979-03-00", "1979-03-32", "1900-02-29",
                                      "2023-02-29", "1979-04-31", "1979/03/28", "1979-03-28T",
                                      "1979-03-2",  "28-03-1979", "19a9",       "1979-0a"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(ml_date_valid(TEXT(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(ml_date_valid(TEXT(bad[i])));
    }
}

static void quantities_and_codes_read_back(void **state)
{
    struct fixture *f = *state;
    const struct ml_quantity quantity = {TEXT("12.50"), TEXT("mg")};
    struct ml_quantity q;
    assert_int_equal(ml_quantity_encode(&f->b, &quantity), ML_OK);
    assert_string_equal(hex_of(ml_buf_slice(&f->b)), "92a531322e3530a26d67");
    assert_int_equal(ml_quantity_decode(&q, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(q.number, "12.50") && text_is(q.unit, "mg"));
    const struct ml_quantity bad = {TEXT("douze"), TEXT("mg")};
    assert_int_equal(ml_quantity_encode(&f->b, &bad), ML_E_INVALID);
    assert_int_equal(ml_quantity_decode(&q, bytes_of("92 a1 78 a0")), ML_E_MALFORMED);
}

static void known_code_systems_are_numbers(void **state)
{
    struct fixture *f = *state;
    struct ml_code code = {TEXT("http://loinc.org"), TEXT("8480-6"), TEXT("Systolique")};
    struct ml_code back;
    assert_int_equal(ml_code_encode(&f->b, &code), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&f->b),
                               bytes_of("93 01 a6 383438302d36 aa 53797374 6f6c69717565")));
    assert_int_equal(ml_code_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(back.scheme, "http://loinc.org"));
    assert_true(text_is(back.code, "8480-6") && text_is(back.display, "Systolique"));
    /* never as text, never a number that is none */
    ml_buf_clear(&f->b);
    ml_mp_put_array(&f->b, 3);
    ml_mp_put_str(&f->b, TEXT("http://loinc.org"));
    ml_mp_put_str(&f->b, TEXT("x"));
    ml_mp_put_str(&f->b, TEXT(""));
    assert_int_equal(ml_code_decode(&back, ml_buf_slice(&f->b)), ML_E_MALFORMED);
    assert_int_equal(ml_code_decode(&back, bytes_of("93 00 a178 a0")), ML_E_MALFORMED);
    assert_int_equal(ml_code_decode(&back, bytes_of("93 18 a178 a0")), ML_OK);
    assert_int_equal(ml_code_decode(&back, bytes_of("93 19 a178 a0")), ML_E_MALFORMED);
    /* others as they are, or absent */
    code.scheme = TEXT("urn:oid:1.2.3");
    ml_buf_clear(&f->b);
    assert_int_equal(ml_code_encode(&f->b, &code), ML_OK);
    assert_int_equal(ml_code_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(back.scheme, "urn:oid:1.2.3"));
    code.scheme = ml_slice(NULL, 0);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_code_encode(&f->b, &code), ML_OK);
    assert_int_equal(ml_code_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_int_equal(back.scheme.len, 0);
    for (unsigned n = 1; n <= 24; n++) {
        struct ml_slice uri = ml_code_system_uri(n);
        assert_true(uri.len > 0);
        assert_int_equal(ml_code_system_number(uri), n);
    }
    assert_int_equal(ml_code_system_uri(0).len + ml_code_system_uri(25).len, 0);
}

static void concepts_hold_text_and_codes(void **state)
{
    struct fixture *f = *state;
    const struct ml_code codes[] = {
        {TEXT("http://snomed.info/sct"), TEXT("44054006"), TEXT("DT2")},
        {TEXT("http://hl7.org/fhir/sid/icd-10"), TEXT("E11"), TEXT("")}};
    const struct ml_concept concept = {TEXT("Diabète de type 2"), {.count = 2, .items = codes}};
    struct ml_concept back;
    struct ml_list_walk walk;
    struct ml_code code;
    assert_int_equal(ml_concept_encode(&f->b, &concept), ML_OK);
    assert_int_equal(ml_concept_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(back.text, "Diabète de type 2"));
    ml_list_walk(&walk, &back.codes);
    assert_true(ml_code_next(&walk, &code) && text_is(code.code, "44054006"));
    assert_true(ml_code_next(&walk, &code) && text_is(code.code, "E11"));
    assert_false(ml_code_next(&walk, &code));
    must_encode_to(&ml_format_concept, &back, ml_buf_slice(&f->b));
}

static void periods_may_be_open(void **state)
{
    struct fixture *f = *state;
    struct ml_period p = {.start = {INT64_C(1790000000000), 60, ML_PRECISION_DAY}};
    struct ml_period back;
    assert_int_equal(ml_period_encode(&f->b, &p), ML_OK);
    assert_int_equal(ml_period_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_true(back.start.utc_ms == p.start.utc_ms && back.start.offset_min == 60);
    assert_int_equal(back.end.precision, 0);
    p.end = (struct ml_instant){INT64_C(1790000001000), 0, ML_PRECISION_SECOND};
    ml_buf_clear(&f->b);
    assert_int_equal(ml_period_encode(&f->b, &p), ML_OK);
    assert_int_equal(ml_period_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_int_equal(back.end.precision, ML_PRECISION_SECOND);
    p.end.precision = 9;
    ml_buf_clear(&f->b);
    assert_int_equal(ml_period_encode(&f->b, &p), ML_E_INVALID);
    assert_int_equal(f->b.len, 0);
    assert_int_equal(ml_period_decode(&back, bytes_of("92 c0 01")), ML_E_MALFORMED);
    assert_int_equal(ml_period_decode(&back, bytes_of("92 01 c0")), ML_E_MALFORMED);
    assert_int_equal(ml_period_decode(&back, bytes_of("92 c0 c0")), ML_OK);
}

static void persons_and_places_read_back(void **state)
{
    struct fixture *f = *state;
    const struct ml_slice given[] = {TEXT("Zoé"), TEXT("Anne-Marie")};
    const struct ml_slice lines[] = {TEXT("12 rue de l'Église")};
    const struct ml_person_name name = {.use = TEXT("official"),
                                        .family = TEXT("de La Tour"),
                                        .given = {.count = 2, .items = given}};
    const struct ml_address address = {.use = TEXT("home"),
                                       .lines = {.count = 1, .items = lines},
                                       .postal_code = TEXT("26120"),
                                       .city = TEXT("Chabeuil"),
                                       .country = TEXT("FR")};
    const struct ml_contact contact = {TEXT("phone"), TEXT("+33612345678"), TEXT("mobile"), 1};
    const struct ml_identifier id = {TEXT("urn:oid:1.2.250.1.213.1.4.8"), TEXT("279032612000143"),
                                     TEXT("INS-NIR"), TEXT("official")};
    struct ml_person_name n;
    struct ml_address a;
    struct ml_contact c;
    struct ml_identifier i;
    struct ml_list_walk walk;
    struct ml_slice line;
    assert_int_equal(ml_person_name_encode(&f->b, &name), ML_OK);
    assert_int_equal(ml_person_name_decode(&n, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(n.family, "de La Tour") && n.given.count == 2 && n.suffix.count == 0);
    ml_list_walk(&walk, &n.given);
    assert_true(ml_line_next(&walk, &line) && text_is(line, "Zoé"));
    assert_true(ml_line_next(&walk, &line) && text_is(line, "Anne-Marie"));
    must_encode_to(&ml_format_person_name, &n, ml_buf_slice(&f->b));
    ml_buf_clear(&f->b);
    assert_int_equal(ml_address_encode(&f->b, &address), ML_OK);
    assert_int_equal(ml_address_decode(&a, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(a.city, "Chabeuil") && a.district.len == 0 && text_is(a.country, "FR"));
    ml_buf_clear(&f->b);
    assert_int_equal(ml_contact_encode(&f->b, &contact), ML_OK);
    assert_int_equal(ml_contact_decode(&c, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(c.medium, "phone") && c.rank == 1);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_identifier_encode(&f->b, &id), ML_OK);
    assert_int_equal(ml_identifier_decode(&i, ml_buf_slice(&f->b)), ML_OK);
    assert_true(text_is(i.value, "279032612000143") && text_is(i.type, "INS-NIR"));
    assert_true(text_is(i.scheme, "urn:oid:1.2.250.1.213.1.4.8"));
}

static void dosages_and_attachments_keep_later_keys(void **state)
{
    struct fixture *f = *state;
    const struct ml_slice when[] = {TEXT("MORN"), TEXT("EVE")};
    struct ml_dosage dosage = {
        .sequence = 1,
        .text = TEXT("1 matin et soir"),
        .dose = {TEXT("1"), TEXT("{cp}")},
        .frequency = 2,
        .period = TEXT("1"),
        .unit = TEXT("d"),
        .as_needed = true,
        .when = {.count = 2, .items = when},
        .route = {TEXT("http://standardterms.edqm.eu"), TEXT("20053000"), TEXT("Voie orale")}};
    struct ml_dosage back;
    assert_int_equal(ml_dosage_encode(&f->b, &dosage), ML_OK);
    assert_int_equal(ml_dosage_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_true(back.frequency == 2 && back.as_needed && text_is(back.dose.unit, "{cp}"));
    assert_true(text_is(back.route.code, "20053000") && back.dose_high.number.len == 0);
    must_encode_to(&ml_format_dosage, &back, ml_buf_slice(&f->b));
    dosage.period = TEXT("un");
    assert_int_equal(ml_dosage_encode(&f->b, &dosage), ML_E_INVALID);
    assert_int_equal(ml_dosage_decode(&back, bytes_of("82 02 a161 0f 92 01 02")), ML_OK);
    assert_int_equal(back.extra.pairs, 1);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_dosage_encode(&f->b, &back), ML_OK);
    assert_string_equal(hex_of(ml_buf_slice(&f->b)), "8202a1610f920102");
    struct ml_attachment attachment = {.content_type = TEXT("application/pdf"),
                                       .title = TEXT("Compte rendu"),
                                       .size = 70000,
                                       .created = {5, 0, ML_PRECISION_DAY}};
    struct ml_attachment a;
    fill(&attachment.hash, 32, 1);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_attachment_encode(&f->b, &attachment), ML_OK);
    assert_int_equal(ml_attachment_decode(&a, ml_buf_slice(&f->b)), ML_OK);
    assert_true(a.size == 70000 && a.created.precision == ML_PRECISION_DAY && a.bytes.len == 0);
    assert_memory_equal(&a.hash, &attachment.hash, 32);
}

static void small_contents_are_16_kib_at_most(void **state)
{
    static uint8_t bytes[ML_ATTACHMENT_INLINE + 1];
    struct fixture *f = *state;
    struct ml_attachment a = {.bytes = {bytes, ML_ATTACHMENT_INLINE}};
    assert_int_equal(ml_attachment_encode(&f->b, &a), ML_OK);
    a.bytes.len++;
    assert_int_equal(ml_attachment_encode(&f->b, &a), ML_E_INVALID);
}

static void components_hold_a_concept_and_any_value(void **state)
{
    struct fixture *f = *state;
    struct ml_component c = {bytes_of("92 a3 746173 90"), bytes_of("92 a3313230 a0")};
    struct ml_component back;
    assert_int_equal(ml_component_encode(&f->b, &c), ML_OK);
    assert_int_equal(ml_component_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_true(ml_slice_equal(back.value, c.value));
    assert_int_equal(ml_value_shape(back.concept), ML_SHAPE_CONCEPT);
    assert_int_equal(ml_value_shape(back.value), ML_SHAPE_QUANTITY);
    c.concept = bytes_of("01");
    assert_int_equal(ml_component_encode(&f->b, &c), ML_E_INVALID);
}

static void plain_values_are_exactly_one(void **state)
{
    struct ml_slice text;
    bool b = false;
    int64_t i = 0;
    struct ml_object_id id;
    struct fixture *f = *state;
    assert_int_equal(ml_text_decode(&text, bytes_of("a3446f65")), ML_OK);
    assert_true(text_is(text, "Doe"));
    assert_int_equal(ml_text_decode(&text, bytes_of("a3446f65 00")), ML_E_MALFORMED);
    assert_int_equal(ml_text_decode(&text, bytes_of("01")), ML_E_MALFORMED);
    assert_int_equal(ml_bool_decode(&b, bytes_of("c3")), ML_OK);
    assert_true(b);
    assert_int_equal(ml_bool_decode(&b, bytes_of("01")), ML_E_MALFORMED);
    assert_int_equal(ml_int_decode(&i, bytes_of("d080")), ML_OK);
    assert_int_equal(i, -128);
    assert_int_equal(ml_int_decode(&i, bytes_of("c3")), ML_E_MALFORMED);
    fill(&id, sizeof(id), 7);
    ml_ref_put(&f->b, &id);
    struct ml_object_id back;
    assert_int_equal(ml_ref_decode(&back, ml_buf_slice(&f->b)), ML_OK);
    assert_memory_equal(&back, &id, sizeof(id));
    assert_int_equal(ml_ref_decode(&back, bytes_of("c40105")), ML_E_MALFORMED);
}

static void lists_of_values_are_walked(void **state)
{
    struct ml_values_walk walk;
    struct ml_slice item;
    (void)state;
    assert_int_equal(ml_values_walk(&walk, bytes_of("93 01 a161 90")), ML_OK);
    assert_true(ml_values_next(&walk, &item) && item.len == 1);
    assert_true(ml_values_next(&walk, &item) && item.len == 2);
    assert_true(ml_values_next(&walk, &item) && item.len == 1);
    assert_false(ml_values_next(&walk, &item));
    assert_int_equal(ml_values_walk(&walk, bytes_of("01")), ML_E_MALFORMED);
    assert_int_equal(ml_values_walk(&walk, bytes_of("91 cc01")), ML_E_MALFORMED);
    assert_int_equal(ml_values_walk(&walk, bytes_of("91 01 01")), ML_E_MALFORMED);
}

static void a_value_tells_its_type_by_its_shape(void **state)
{
    static const struct {
        const char *hex;
        ml_shape shape;
    } rows[] = {
        {"c2", ML_SHAPE_BOOL},
        {"05", ML_SHAPE_INT},
        {"ff", ML_SHAPE_INT},
        {"a3446f65", ML_SHAPE_TEXT},
        {"92 a135 a26d67", ML_SHAPE_QUANTITY},
        {"92 a178 a26d67", ML_SHAPE_NONE}, /* no decimal */
        {"92 a135 90", ML_SHAPE_CONCEPT},
        {"93 01 a178 a0", ML_SHAPE_CODE},
        {"93 a0 a178 a0", ML_SHAPE_CODE},
        {"93 01 02 03", ML_SHAPE_INSTANT},
        {"93 ff 00 03", ML_SHAPE_INSTANT},
        {"93 01 02 00", ML_SHAPE_NONE},
        {"92 c0 c0", ML_SHAPE_PERIOD},
        {"92 93 01 02 03 c0", ML_SHAPE_PERIOD},
        {"92 01 02", ML_SHAPE_NONE},
        {"c410 000102030405060708090a0b0c0d0e0f", ML_SHAPE_REF},
        {"c401 00", ML_SHAPE_NONE},
        {"c0", ML_SHAPE_NONE},
        {"80", ML_SHAPE_NONE},
        {"90", ML_SHAPE_NONE},
        {"94 01 02 03 04", ML_SHAPE_NONE},
        {"", ML_SHAPE_NONE},
        {"cb3ff0000000000000", ML_SHAPE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (ml_value_shape(bytes_of(rows[i].hex)) != rows[i].shape) {
            print_error("%s\n", rows[i].hex);
        }
        assert_int_equal(ml_value_shape(bytes_of(rows[i].hex)), rows[i].shape);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(decimals_keep_their_text),
        T(dates_may_be_partial_and_exist),
        T(quantities_and_codes_read_back),
        T(known_code_systems_are_numbers),
        T(concepts_hold_text_and_codes),
        T(periods_may_be_open),
        T(persons_and_places_read_back),
        T(dosages_and_attachments_keep_later_keys),
        T(small_contents_are_16_kib_at_most),
        T(components_hold_a_concept_and_any_value),
        T(plain_values_are_exactly_one),
        T(lists_of_values_are_walked),
        T(a_value_tells_its_type_by_its_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
