/* tests/unit/core_interop/test_fhir_import.c -- real bundles become objects, and nothing is lost
 * without being counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/values.h"
#include "support_interop.h"

static const char *smallest(void)
{
    return ML_TEST_DATA "/fhir-r4/bundle-33.json.gz";
}

static ml_err import_text(struct import_fixture *f, const char *text)
{
    return ml_fhir_import(&f->args, ml_slice_str(text), &f->fault);
}

/* All bundles of the project, and the larger set where it is at hand. */
static void bundle_files(glob_t *files)
{
    char pattern[512];
    const char *shared = getenv("MAILLE_SHARED");
    assert_int_equal(glob(ML_TEST_DATA "/fhir-r4/*.json.gz", 0, NULL, files), 0);
    if (shared != NULL) {
        snprintf(pattern, sizeof(pattern), "%s/data/fhir-r4/*.json.gz", shared);
        assert_int_equal(glob(pattern, GLOB_APPEND, NULL, files), 0);
    }
}

static void import_all(struct import_fixture *f)
{
    glob_t files;
    bundle_files(&files);
    assert_true(files.gl_pathc >= 20);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        ml_err err = ml_fhir_import_file(&f->args, files.gl_pathv[i], &f->fault);
        assert_int_equal(err, ML_OK);
    }
    globfree(&files);
}

static void every_path_is_kept_or_left_out_with_a_reason(void **state)
{
    struct import_fixture *f = *state;
    struct ml_fhir_path_row row;
    uint64_t left_out = 0;
    size_t without_reason = 0;
    import_all(f);
    for (size_t i = 0; ml_fhir_report_path(f->report, i, &row); i++) {
        left_out += row.count;
        if (row.reason == NULL) {
            print_error("neither kept nor reviewed: %s (%" PRIu64 ")\n", row.path, row.count);
            without_reason++;
        }
    }
    struct ml_fhir_totals totals = ml_fhir_report_totals(f->report);
    assert_int_equal(without_reason, 0);
    assert_int_equal(totals.leaves_kept + left_out, totals.leaves);
    assert_true(totals.leaves_kept * 100 > totals.leaves * 85);
    assert_int_equal(totals.refs_unresolved, 0);
}

static void every_resource_is_mapped_or_counted_by_type(void **state)
{
    struct import_fixture *f = *state;
    struct ml_fhir_type_row row;
    uint64_t mapped = 0;
    uint64_t all = 0;
    import_all(f);
    for (size_t i = 0; ml_fhir_report_type(f->report, i, &row); i++) {
        bool left_out =
            strcmp(row.type, "Claim") == 0 || strcmp(row.type, "ExplanationOfBenefit") == 0;
        assert_int_equal(row.entity == NULL, left_out);
        mapped += row.entity != NULL ? row.count : 0;
        all += row.count;
    }
    struct ml_fhir_totals totals = ml_fhir_report_totals(f->report);
    assert_int_equal(all, totals.resources);
    assert_int_equal(mapped, totals.objects);
    assert_int_equal(f->sink.count, totals.objects);
}

static void values_are_canonical_and_fields_are_of_the_entity(void **state)
{
    struct import_fixture *f = *state;
    import_all(f);
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct seen_object *o = &f->sink.objects[i];
        struct ml_fields_walk walk;
        struct ml_slice values = ml_slice(o->values, o->values_len);
        struct ml_slice value;
        uint16_t id = 0;
        assert_int_equal(ml_mp_check(values, ML_MP_CANONICAL, NULL), ML_OK);
        assert_int_equal(ml_fields_walk(&walk, values), ML_OK);
        while (ml_fields_next(&walk, &id, &value)) {
            const struct ml_field *field = ml_entity_field(o->entity, id);
            assert_true(field != NULL && ml_value_fits(field, value));
        }
    }
}

/* The create of a change, as a node will write it. */
static void each_object_fits_one_change(void **state)
{
    struct import_fixture *f = *state;
    struct ml_buf out;
    import_all(f);
    ml_buf_init(&out, &f->fake.env, ML_CHANGE_BYTES_MAX);
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct seen_object *o = &f->sink.objects[i];
        struct ml_change change = {.schema = ML_SCHEMA_VERSION,
                                   .type = ML_CHANGE_CREATE,
                                   .entity = o->entity->id,
                                   .object = o->id,
                                   .value = ml_slice(o->values, o->values_len),
                                   .effective = o->effective,
                                   .author = o->author,
                                   .origin = ml_slice_str(o->origin)};
        ml_buf_clear(&out);
        assert_int_equal(ml_change_encode(&out, &change), ML_OK);
    }
    ml_buf_free(&out);
}

static void assert_same_objects(const struct sink *a, const struct sink *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct seen_object *x = &a->objects[i];
        const struct seen_object *y = &b->objects[i];
        assert_true(ml_object_id_equal(&x->id, &y->id));
        assert_true(ml_object_id_equal(&x->patient, &y->patient));
        assert_int_equal(x->values_len, y->values_len);
        assert_memory_equal(x->values, y->values, x->values_len);
    }
}

static void importing_twice_says_the_same_objects(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    f->args.user = &f->other;
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    assert_true(f->sink.count > 50);
    assert_same_objects(&f->sink, &f->other);
}

static void another_org_makes_other_ids_at_the_same_dates(void **state)
{
    struct import_fixture *f = *state;
    uint8_t other_key[ML_IMPORT_KEY_BYTES] = {9};
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    f->args.user = &f->other;
    f->args.id_key = other_key;
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct ml_object_id *a = &f->sink.objects[i].id;
        const struct ml_object_id *b = &f->other.objects[i].id;
        assert_false(ml_object_id_equal(a, b));
        assert_int_equal(ml_object_id_ms(a), ml_object_id_ms(b));
    }
}

static void ids_are_unique_within_a_bundle(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    for (size_t i = 0; i < f->sink.count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(ml_object_id_equal(&f->sink.objects[i].id, &f->sink.objects[j].id));
        }
    }
}

static void the_patient_comes_first_then_the_structures_own_then_by_date(void **state)
{
    struct import_fixture *f = *state;
    int stage = 0;
    int64_t last = INT64_MIN;
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct seen_object *o = &f->sink.objects[i];
        int rank = o->entity->is_patient ? 0 : o->entity->is_shared ? 1 : 2;
        assert_true(rank >= stage);
        stage = rank;
        if (rank == 2) {
            assert_true(o->effective.utc_ms >= last);
            last = o->effective.utc_ms;
        }
    }
    assert_int_equal(stage, 2);
}

static void objects_belong_to_the_patient_and_the_shared_to_nobody(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    const struct ml_object_id *patient = &f->sink.objects[0].id;
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct seen_object *o = &f->sink.objects[i];
        if (o->entity->is_shared) {
            assert_true(ml_object_id_is_zero(&o->patient));
        } else {
            assert_true(ml_object_id_equal(&o->patient, patient));
        }
    }
}

static void a_consultation_is_its_practitioners(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(ml_fhir_import_file(&f->args, smallest(), &f->fault), ML_OK);
    const struct seen_object *doctor = sink_find(&f->sink, "professional", 0);
    size_t signed_count = 0;
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct seen_object *o = &f->sink.objects[i];
        if (strcmp(o->entity->name, "encounter") == 0) {
            signed_count += ml_object_id_equal(&o->author, &doctor->id);
        }
    }
    assert_true(signed_count > 0);
}

static const char french[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
    "{\"fullUrl\":\"urn:uuid:0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0001\",\"resource\":{"
    "\"resourceType\":\"Patient\",\"id\":\"0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0001\","
    "\"identifier\":[{\"system\":\"urn:oid:1.2.250.1.213.1.4.10\","
    "\"value\":\"279035121518989\"}],"
    "\"name\":[{\"use\":\"official\",\"family\":\"PAT-TROIS\",\"given\":[\"DOMINIQUE\","
    "\"Aime\\u0301e\"]},{\"use\":\"usual\",\"family\":\"D'ORME\",\"given\":[\"Dominique\"]}],"
    "\"gender\":\"female\",\"birthDate\":\"1979-03\"}},"
    "{\"fullUrl\":\"urn:uuid:0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0002\",\"resource\":{"
    "\"resourceType\":\"Observation\",\"id\":\"0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0002\","
    "\"status\":\"final\",\"category\":[{\"coding\":[{\"code\":\"laboratory\"}]}],"
    "\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"1988-5\"}]},"
    "\"subject\":{\"reference\":\"urn:uuid:0B8A0F3E-54CF-4B5E-9D3C-3A4A2C9A0001\"},"
    "\"effectiveDateTime\":\"2026-02-03T09:30:00+01:00\","
    "\"valueQuantity\":{\"value\":0.50,\"comparator\":\"<\",\"unit\":\"mg par litre\","
    "\"system\":\"http://unitsofmeasure.org\",\"code\":\"mg/L\"}}},"
    "{\"fullUrl\":\"urn:uuid:0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0003\",\"resource\":{"
    "\"resourceType\":\"AllergyIntolerance\",\"id\":\"0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0003\","
    "\"code\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"716186003\"}],"
    "\"text\":\"Aucune allergie connue\"},"
    "\"verificationStatus\":{\"coding\":[{\"code\":\"confirmed\"}]},"
    "\"patient\":{\"reference\":\"Patient/0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0001\"}}}]}";

static void french_traits_go_where_the_rniv_wants_them(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_text(f, french), ML_OK);
    const struct seen_object *p = sink_find(&f->sink, "patient", 0);
    assert_string_equal(seen_text(p, "birth_name"), "'PAT-TROIS'");
    assert_string_equal(seen_text(p, "birth_given_names"), "['DOMINIQUE','Aimée']");
    assert_string_equal(seen_text(p, "first_birth_given_name"), "'DOMINIQUE'");
    assert_string_equal(seen_text(p, "used_name"), "'D'ORME'");
    assert_string_equal(seen_text(p, "sex"), "['urn:oid:1.2.250.1.213.1.1.5.1','F','']");
    assert_string_equal(seen_text(p, "birth_date"), "'1979-03'");
    assert_string_equal(seen_text(p, "ins"), "'279035121518989'");
    assert_string_equal(seen_text(p, "ins_oid"),
                        "['urn:ietf:rfc:3986','urn:oid:1.2.250.1.213.1.4.10','']");
}

static void a_number_keeps_its_precision_and_its_comparator(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_text(f, french), ML_OK);
    const struct seen_object *o = sink_find(&f->sink, "lab_result", 0);
    assert_string_equal(seen_text(o, "value"), "'<0.50 mg par litre'");
    assert_string_equal(seen_text(o, "code"), "['',[[1,'1988-5','']]]");
    assert_string_equal(seen_text(o, "taken_at"), "[1770107400000,60,6]");
    assert_int_equal(o->effective.utc_ms, 1770107400000);
    assert_int_equal(o->effective.offset_min, 60);
}

/* The file writes the patient's UUID in capitals there. */
static void a_uuid_is_the_same_in_capitals(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_text(f, french), ML_OK);
    const struct seen_object *o = sink_find(&f->sink, "lab_result", 0);
    assert_true(ml_object_id_equal(&o->patient, &sink_find(&f->sink, "patient", 0)->id));
}

static void no_known_allergy_is_an_assertion_of_its_own(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_text(f, french), ML_OK);
    const struct seen_object *o = sink_find(&f->sink, "allergy", 0);
    assert_string_equal(seen_text(o, "assertion"),
                        "['urn:maille:allergy-assertion','none-known','']");
    assert_string_equal(seen_text(o, "verification"), "[9,'confirmed','']");
    assert_int_equal(o->effective.precision, 0);
}

static void the_origin_names_the_resource_and_the_file(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_text(f, french), ML_OK);
    assert_string_equal(sink_find(&f->sink, "patient", 0)->origin,
                        "FHIR R4 Patient/0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0001 (essai.json)");
}

static void a_refusal_by_the_record_stops_and_keeps_what_came_before(void **state)
{
    struct import_fixture *f = *state;
    f->sink.stop_after = 2;
    assert_int_equal(import_text(f, french), ML_E_DENIED);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_REFUSED);
    assert_int_equal(f->sink.count, 2);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, import_setup, import_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_path_is_kept_or_left_out_with_a_reason),
        TEST(every_resource_is_mapped_or_counted_by_type),
        TEST(values_are_canonical_and_fields_are_of_the_entity),
        TEST(each_object_fits_one_change),
        TEST(importing_twice_says_the_same_objects),
        TEST(another_org_makes_other_ids_at_the_same_dates),
        TEST(ids_are_unique_within_a_bundle),
        TEST(the_patient_comes_first_then_the_structures_own_then_by_date),
        TEST(objects_belong_to_the_patient_and_the_shared_to_nobody),
        TEST(a_consultation_is_its_practitioners),
        TEST(french_traits_go_where_the_rniv_wants_them),
        TEST(a_number_keeps_its_precision_and_its_comparator),
        TEST(a_uuid_is_the_same_in_capitals),
        TEST(no_known_allergy_is_an_assertion_of_its_own),
        TEST(the_origin_names_the_resource_and_the_file),
        TEST(a_refusal_by_the_record_stops_and_keeps_what_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
