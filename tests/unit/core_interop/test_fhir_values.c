/* tests/unit/core_interop/test_fhir_values.c -- FHIR data types, references and dates become the
 * values that the record knows; and no allocation that fails leaves anything behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/interop/base64.h"
#include "core/interop/decimal.h"
#include "core/record/values.h"
#include "support_interop.h"

/* One resource about one patient; its object. Every value of it must fit its field. */
static const struct seen_object *one(struct import_fixture *f, const char *entity,
                                     const char *resource)
{
    char text[4096];
    snprintf(text, sizeof(text),
             "{\"resourceType\":\"Bundle\",\"entry\":[" PATIENT ",{\"resource\":%s}]}", resource);
    sink_clear(&f->sink);
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
    const struct seen_object *o = sink_find(&f->sink, entity, 0);
    assert_non_null(o);
    for (size_t i = 0; i < o->entity->field_count; i++) {
        struct ml_slice value = seen_value(o, o->entity->fields[i].name);
        assert_true(value.len == 0 || ml_value_fits(&o->entity->fields[i], value));
    }
    return o;
}

static void a_value_is_of_any_of_its_types(void **state)
{
    static const struct {
        const char *json;
        const char *text;
    } cases[] = {
        {"\"valueQuantity\":{\"value\":36.60,\"unit\":\"degrés\","
         "\"system\":\"http://unitsofmeasure.org\",\"code\":\"Cel\"}",
         "['36.60','Cel']"},
        {"\"valueQuantity\":{\"value\":2,\"unit\":\"comprimés\",\"system\":\"http://snomed.info/"
         "sct\","
         "\"code\":\"732936001\"}",
         "['2','comprimés']"},
        {"\"valueQuantity\":{\"value\":7}", "['7','']"},
        {"\"valueQuantity\":{\"value\":1e2,\"code\":\"mg\"}", "['100','mg']"},
        {"\"valueQuantity\":{\"value\":5,\"comparator\":\">=\",\"code\":\"mg\"}", "'>=5 mg'"},
        {"\"valueString\":\"positif\"", "'positif'"},
        {"\"valueBoolean\":false", "false"},
        {"\"valueInteger\":-3", "-3"},
        {"\"valueTime\":\"08:30:00\"", "'08:30:00'"},
        {"\"valueDateTime\":\"2026-02\"", "[1769904000000,0,2]"},
        {"\"valueCodeableConcept\":{\"text\":\"ancien fumeur\",\"coding\":["
         "{\"system\":\"http://snomed.info/sct\",\"code\":\"8517006\",\"display\":\"Ex-smoker\"}]}",
         "['ancien fumeur',[[3,'8517006','Ex-smoker']]]"},
        {"\"valueRange\":{\"low\":{\"value\":1}}", ""},
    };
    struct import_fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
                 "{\"resourceType\":\"Observation\",\"id\":\"o\",%s,"
                 "\"code\":{\"text\":\"x\"}," SUBJECT "}",
                 cases[i].json);
        const struct seen_object *o = one(f, "observation", text);
        assert_string_equal(seen_text(o, "value"), cases[i].text);
    }
    assert_int_equal(paths_left_out(f->report, "Observation.valueRange.low.value"), 1);
    assert_int_equal(paths_left_out(f->report, "Observation.valueQuantity.unit"), 1);
}

static void a_line_of_treatment_is_one_register(void **state)
{
    struct import_fixture *f = *state;
    const struct seen_object *o = one(
        f, "treatment",
        "{\"resourceType\":\"MedicationRequest\",\"id\":\"m\"," SUBJECT ",\"status\":\"active\","
        "\"medicationCodeableConcept\":{\"text\":\"ramipril\"},\"dosageInstruction\":["
        "{\"sequence\":1,\"text\":\"1 le matin\",\"asNeededBoolean\":false,"
        "\"route\":{\"coding\":[{\"system\":\"http://standardterms.edqm.eu\","
        "\"code\":\"20053000\"}]},"
        "\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1.0,\"periodUnit\":\"d\","
        "\"when\":[\"MORN\"]}},\"doseAndRate\":[{\"doseQuantity\":{\"value\":2.5,"
        "\"unit\":\"mg\",\"code\":\"mg\"}}]},"
        "{\"sequence\":2,\"asNeededBoolean\":true,\"text\":\"puis 1 si besoin\","
        "\"route\":{\"coding\":[{\"code\":\"oral\"}]},\"timing\":{\"repeat\":{"
        "\"frequency\":0,\"when\":[\"EVE\",\"HS\"]}},\"doseAndRate\":[{\"doseRange\":{"
        "\"low\":{\"value\":1},\"high\":{\"value\":2}}}]}]}");
    assert_string_equal(seen_text(o, "drug"), "['ramipril',[]]");
    assert_string_equal(seen_text(o, "dose"), "['2.5','mg']");
    assert_string_equal(seen_text(o, "route"), "[19,'20053000','']");
    assert_string_equal(seen_text(o, "frequency"), "1");
    assert_string_equal(seen_text(o, "period"), "'1.0'");
    assert_string_equal(seen_text(o, "moments"),
                        "[['http://hl7.org/fhir/event-timing','MORN','']]");
    assert_string_equal(seen_text(o, "as_needed"), "false");
    assert_string_equal(seen_text(o, "other_dosages"), "[map]");
    assert_int_equal(paths_left_out(f->report, "MedicationRequest.dosageInstruction[].sequence"),
                     1);
}

static void a_drug_named_by_reference_is_fetched(void **state)
{
    struct import_fixture *f = *state;
    const struct seen_object *o =
        one(f, "treatment",
            "{\"resourceType\":\"MedicationRequest\",\"id\":\"m\"," SUBJECT ","
            "\"contained\":[{\"resourceType\":\"Medication\",\"id\":\"x\"},"
            "{\"resourceType\":\"Medication\",\"id\":\"med\",\"code\":{\"text\":\"bisoprolol\"}}],"
            "\"medicationReference\":{\"reference\":\"#med\",\"display\":\"un autre nom\"}}");
    assert_string_equal(seen_text(o, "drug"), "['bisoprolol',[]]");
    o = one(f, "treatment",
            "{\"resourceType\":\"MedicationRequest\",\"id\":\"m\"," SUBJECT ","
            "\"medicationReference\":{\"reference\":\"#absent\",\"display\":\"aspirine\"}}");
    assert_string_equal(seen_text(o, "drug"), "['aspirine',[]]");
    o = one(f, "treatment",
            "{\"resourceType\":\"MedicationRequest\",\"id\":\"m\"," SUBJECT ","
            "\"medicationReference\":{\"reference\":\"Medication/1\"}}},"
            "{\"resource\":{\"resourceType\":\"Medication\",\"id\":\"1\","
            "\"code\":{\"text\":\"insuline\"}}");
    assert_string_equal(seen_text(o, "drug"), "['insuline',[]]");
}

static void attachments_are_kept_in_place_when_small(void **state)
{
    struct import_fixture *f = *state;
    const struct seen_object *o = one(
        f, "document",
        "{\"resourceType\":\"DocumentReference\",\"id\":\"d\"," SUBJECT ",\"status\":\"current\","
        "\"description\":\"Courrier\",\"date\":\"2026-01-05T10:00:00Z\",\"content\":["
        "{\"attachment\":{\"contentType\":\"text/plain\",\"title\":\"c.txt\",\"size\":5,"
        "\"data\":\"Ym9u\\nag==\",\"hash\":\"AAAA\",\"url\":\"http://x/y\","
        "\"language\":\"fr\",\"creation\":\"2026-01-05\"}}]}");
    assert_string_equal(seen_text(o, "files"), "[map]");
    struct ml_slice files = seen_value(o, "files");
    assert_non_null(memmem(files.data, files.len, "bonj", 4));
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.hash"), 1);
}

static void a_text_longer_than_a_value_may_be_is_left_out_and_counted(void **state)
{
    struct import_fixture *f = *state;
    size_t size = 1025;
    char *text = calloc(1, size + 400);
    int head =
        snprintf(text, 300,
                 "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"use\":\"official\","
                 "\"family\":\"Orme\",\"prefix\":[\"");
    memset(text + head, 'A', size);
    snprintf(text + (size_t)head + size, 100, "\"]}]}");
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
    assert_string_equal(seen_text(&f->sink.objects[0], "birth_name"), "'Orme'");
    assert_string_equal(seen_text(&f->sink.objects[0], "names"), "");
    assert_int_equal(paths_left_out(f->report, "Patient.name[].prefix[]"), 1);
    free(text);
}

static void a_field_that_is_no_list_takes_the_first_and_counts_the_rest(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(
        ml_fhir_import(&f->args,
                       ml_slice_str("{\"resourceType\":\"Practitioner\",\"id\":\"p\","
                                    "\"name\":[{\"family\":\"Orme\"}],\"qualification\":["
                                    "{\"identifier\":[{\"value\":\"1\"}],"
                                    "\"code\":{\"coding\":[{\"code\":\"10\"},{\"code\":\"60\"}]}},"
                                    "{\"code\":{\"coding\":[{\"code\":\"70\"}]}}]}"),
                       &f->fault),
        ML_OK);
    const struct seen_object *o = &f->sink.objects[0];
    assert_string_equal(seen_text(o, "profession"), "[24,'10','']");
    assert_string_equal(seen_text(o, "specialties"),
                        "[['',[['','10',''],['','60','']]],['',[['','70','']]]]");
    sink_clear(&f->sink);
    assert_int_equal(
        ml_fhir_import(
            &f->args,
            ml_slice_str("{\"resourceType\":\"Patient\",\"id\":\"p\",\"identifier\":["
                         "{\"system\":\"urn:oid:1.2.250.1.213.1.4.8\",\"value\":\"1\"},"
                         "{\"system\":\"urn:oid:1.2.250.1.213.1.4.9\",\"value\":\"2\"}]}"),
            &f->fault),
        ML_OK);
    assert_string_equal(seen_text(&f->sink.objects[0], "ins"), "'1'");
}

static void what_stands_out_of_order_is_handed_out_by_date(void **state)
{
    static const char text[] =
        "{\"resourceType\":\"Bundle\",\"entry\":["
        "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"b\"," SUBJECT
        ",\"code\":{\"text\":\"x\"},\"effectiveDateTime\":\"2026-02-01\"}},"
        "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"o\"}},"
        "{\"resource\":{\"resourceType\":\"Encounter\",\"id\":\"a\"," SUBJECT
        ",\"class\":{\"code\":\"HH\"},\"period\":{\"end\":\"2026-01-01\"}}}," PATIENT "]}";
    struct import_fixture *f = *state;
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
    assert_int_equal(f->sink.count, 4);
    assert_string_equal(f->sink.objects[0].entity->name, "patient");
    assert_string_equal(f->sink.objects[1].entity->name, "organisation");
    assert_string_equal(f->sink.objects[2].entity->name, "visit");
    assert_string_equal(f->sink.objects[3].entity->name, "observation");
}

/* ---- references ---- */

/* Says that the patient has what is asked for, and that it is an encounter. */
static bool found(void *user, const struct ml_object_id *patient, const uint8_t tail[10],
                  struct ml_object_id *out, uint16_t *entity)
{
    const struct sink *sink = user;
    const struct seen_object *o = sink_find(sink, "patient", 0);
    memset(out->b, 7, sizeof(out->b));
    *entity = ml_schema_entity_named(ml_schema_builtin(), "encounter")->id;
    return tail != NULL && o != NULL && ml_object_id_equal(&o->id, patient);
}

static void a_reference_out_of_the_file_is_asked_for(void **state)
{
    static const char resource[] =
        "{\"resourceType\":\"Observation\",\"id\":\"o\"," SUBJECT ",\"code\":{\"text\":\"x\"},"
        "\"encounter\":{\"reference\":\"Encounter/ailleurs\",\"display\":\"séjour\"},"
        "\"performer\":[{\"reference\":\"Practitioner/9\"},{\"display\":\"Dr Orme\"}]}";
    struct import_fixture *f = *state;
    const struct seen_object *o = one(f, "observation", resource);
    assert_string_equal(seen_text(o, "encounter"), "");
    assert_int_equal(ml_fhir_report_totals(f->report).refs_unresolved, 2);
    assert_int_equal(paths_left_out(f->report, "Observation.encounter.reference"), 1);
    f->args.source = "ailleurs";
    f->args.find = found;
    o = one(f, "observation", resource);
    assert_string_equal(seen_text(o, "encounter"), "bin");
    assert_string_equal(seen_text(o, "performers"), "[bin]");
}

static void a_patient_out_of_the_file_is_the_one_imported_before(void **state)
{
    struct import_fixture *f = *state;
    f->args.source = "cabinet du port";
    assert_int_equal(ml_fhir_import(&f->args,
                                    ml_slice_str("{\"resourceType\":\"Patient\",\"id\":\"12\"}"),
                                    &f->fault),
                     ML_OK);
    f->args.user = &f->other;
    const char *later = "{\"resourceType\":\"Observation\",\"id\":\"1\",\"code\":{\"text\":\"x\"},"
                        "\"subject\":{\"reference\":\"Patient/12/_history/3\"}}";
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(later), &f->fault), ML_OK);
    assert_true(ml_object_id_equal(&f->other.objects[0].patient, &f->sink.objects[0].id));
    sink_clear(&f->other);
    f->args.source = "cabinet de la gare";
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(later), &f->fault), ML_OK);
    assert_false(ml_object_id_equal(&f->other.objects[0].patient, &f->sink.objects[0].id));
}

static void a_local_id_out_of_the_file_is_of_nobody(void **state)
{
    struct import_fixture *f = *state;
    const char *text = "{\"resourceType\":\"Observation\",\"id\":\"1\",\"code\":{\"text\":\"x\"},"
                       "\"subject\":{\"reference\":\"Patient/12\"}}";
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_E_MALFORMED);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_NO_PATIENT);
    assert_int_equal(f->sink.count, 0);
}

static struct ml_object_id id_of(struct import_fixture *f, const char *text)
{
    sink_clear(&f->sink);
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
    return f->sink.objects[0].id;
}

static void local_ids_of_two_files_are_never_one_patient(void **state)
{
    struct import_fixture *f = *state;
    struct ml_object_id a =
        id_of(f, "{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\"male\"}");
    struct ml_object_id b =
        id_of(f, "{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\"female\"}");
    assert_false(ml_object_id_equal(&a, &b));
}

#define UUID "0b8a0f3e-54cf-4b5e-9d3c-3a4a2c9a0001"
#define ENTRY(url, id)                                                                             \
    "{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"" url                                  \
    "\",\"resource\":{\"resourceType\":\"Patient\"" id "}}]}"

static void one_identity_however_it_is_written_is_one_object(void **state)
{
    struct import_fixture *f = *state;
    struct ml_object_id uuid = id_of(f, "{\"resourceType\":\"Patient\",\"id\":\"" UUID "\"}");
    struct ml_object_id urn = id_of(f, ENTRY("urn:uuid:" UUID, ""));
    struct ml_object_id both =
        id_of(f, ENTRY("http://h/fhir/Patient/" UUID, ",\"id\":\"" UUID "\""));
    assert_true(ml_object_id_equal(&uuid, &urn));
    assert_true(ml_object_id_equal(&uuid, &both));
    struct ml_object_id url = id_of(f, ENTRY("http://h/fhir/Patient/1", ",\"id\":\"1\""));
    struct ml_object_id version =
        id_of(f, ENTRY("http://h/fhir/Patient/1/_history/4", ",\"id\":\"1\""));
    struct ml_object_id host = id_of(f, ENTRY("http://k/fhir/Patient/1", ",\"id\":\"1\""));
    assert_true(ml_object_id_equal(&url, &version));
    assert_false(ml_object_id_equal(&url, &host));
}

static void a_resource_without_a_name_is_known_by_its_bytes(void **state)
{
    struct import_fixture *f = *state;
    struct ml_object_id a = id_of(f, "{\"resourceType\":\"Patient\",\"gender\":\"male\"}");
    struct ml_object_id b = id_of(f, "{\"resourceType\":\"Patient\",\"gender\":\"female\"}");
    struct ml_object_id again = id_of(f, "{\"resourceType\":\"Patient\",\"gender\":\"male\"}");
    assert_false(ml_object_id_equal(&a, &b));
    assert_true(ml_object_id_equal(&a, &again));
}

static void relative_references_follow_their_servers_address(void **state)
{
    struct import_fixture *f = *state;
    const char *text =
        "{\"resourceType\":\"Bundle\",\"entry\":["
        "{\"fullUrl\":\"https://h/fhir/Patient/1\",\"resource\":{\"resourceType\":\"Patient\","
        "\"id\":\"1\"}},{\"fullUrl\":\"https://h/fhir/Goal/1\",\"resource\":{"
        "\"resourceType\":\"Goal\",\"id\":\"1\",\"lifecycleStatus\":\"active\","
        "\"description\":{\"text\":\"marcher\"},\"subject\":{\"reference\":\"Patient/1\"},"
        "\"expressedBy\":{\"reference\":\"https://h/fhir/Patient/1\"}}}]}";
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
    const struct seen_object *goal = sink_find(&f->sink, "goal", 0);
    assert_true(ml_object_id_equal(&goal->patient, &f->sink.objects[0].id));
    assert_string_equal(seen_text(goal, "expressed_by"), "bin");
}

/* ---- dates ---- */

static void dates_keep_the_precision_they_were_given_with(void **state)
{
    static const struct {
        const char *json;
        const char *text; /* NULL: refused */
    } cases[] = {
        {"2026", "[1767225600000,0,1]"},
        {"2026-03", "[1772323200000,0,2]"},
        {"2026-03-02", "[1772409600000,0,3]"},
        {"2024-02-29", "[1709164800000,0,3]"},
        {"1969-12-31T23:59:59Z", "[-1000,0,6]"},
        {"2026-03-02T10:00:00+01:00", "[1772442000000,60,6]"},
        {"2026-03-02T10:00:00-03:30", "[1772458200000,-210,6]"},
        {"2026-03-02T10:00Z", "[1772445600000,0,5]"},
        {"2026-03-02T10:00:00.1239Z", "[1772445600123,0,7]"},
        {"2026-03-02T10:00:00", "[1772445600000,0,6]"},
        {"", NULL},
        {"26-03-02", NULL},
        {"2026-3", NULL},
        {"2026-13", NULL},
        {"2026-02-29", NULL},
        {"2026-04-31", NULL},
        {"2026-03-02T", NULL},
        {"2026-03-02T24:00:00Z", NULL},
        {"2026-03-02T10:60:00Z", NULL},
        {"2026-03-02T10:00:00.Z", NULL},
        {"2026-03-02T10:00:00+1:00", NULL},
        {"2026-03-02T10:00:00+15:00", NULL},
        {"2026-03-02T10:00:00Zz", NULL},
        {"0000-01-01", NULL},
    };
    struct import_fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text),
                 "{\"resourceType\":\"Patient\",\"id\":\"p\",\"deceasedDateTime\":\"%s\"}",
                 cases[i].json);
        sink_clear(&f->sink);
        ml_err err = ml_fhir_import(&f->args, ml_slice_str(text), &f->fault);
        assert_int_equal(err, cases[i].text != NULL ? ML_OK : ML_E_MALFORMED);
        if (err == ML_OK) {
            assert_string_equal(seen_text(&f->sink.objects[0], "deceased_at"), cases[i].text);
        }
    }
}

static void decimals_are_written_plainly(void **state)
{
    static const struct {
        const char *in;
        const char *out; /* NULL: too long */
    } cases[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.0", "0.0"},
        {"1.50", "1.50"},
        {"-12.5", "-12.5"},
        {"1.5e2", "150"},
        {"1.5E+1", "15"},
        {"15e-1", "1.5"},
        {"2e-3", "0.002"},
        {"0.5e1", "5"},
        {"0.05e1", "0.5"},
        {"1e40", NULL},
        {"1e-40", NULL},
        {"1e999", NULL},
        {"12345678901234567890", "12345678901234567890"},
        {"123456789012345678901234567890123456789", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[ML_DECIMAL_SIZE] = "";
        bool good = ml_decimal_plain(ml_slice_str(cases[i].in), out);
        assert_int_equal(good, cases[i].out != NULL);
        if (good) {
            assert_string_equal(out, cases[i].out);
        }
    }
    int64_t n = 0;
    assert_true(ml_decimal_int(ml_slice_str("-9223372036854775808"), &n));
    assert_true(n == INT64_MIN);
    assert_true(ml_decimal_int(ml_slice_str("9223372036854775807"), &n));
    assert_false(ml_decimal_int(ml_slice_str("9223372036854775808"), &n));
    assert_false(ml_decimal_int(ml_slice_str("1.0"), &n));
    assert_false(ml_decimal_int(ml_slice_str("-"), &n));
}

static void base64_is_read_strictly(void **state)
{
    static const struct {
        const char *in;
        const char *out; /* NULL: refused */
    } cases[] = {
        {"", ""},          {"YQ==", "a"},        {"YWI=", "ab"},           {"YWJj", "abc"},
        {"YW\nJj", "abc"}, {"YWJjZA==", "abcd"}, {"+/+/", "\xfb\xff\xbf"}, {"YQ=", NULL},
        {"YQ", NULL},      {"Y", NULL},          {"YQ==YQ==", NULL},       {"Y*==", NULL},
        {"====", NULL},
    };
    struct import_fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ml_buf out;
        ml_buf_init(&out, &f->fake.env, 100);
        bool good = ml_base64_decode(&out, ml_slice_str(cases[i].in));
        assert_int_equal(good, cases[i].out != NULL);
        assert_true(!good || ml_slice_equal(ml_buf_slice(&out), ml_slice_str(cases[i].out)));
        ml_buf_free(&out);
    }
}

/* A path that doesn't parse stops the program: it is a fault of ours. Each entity is imported once
 * with all its alternatives empty, so that every step of every path is read. */
static void every_path_of_the_schema_is_well_formed(void **state)
{
    struct import_fixture *f = *state;
    const struct ml_schema *schema = ml_schema_builtin();
    size_t imported = 0;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *e = schema->entities[i];
        char text[512];
        if (e->fhir_type == NULL || e->fhir_when != NULL) {
            continue;
        }
        snprintf(text, sizeof(text),
                 "{\"resourceType\":\"Bundle\",\"entry\":[" PATIENT ",{\"resource\":{"
                 "\"resourceType\":\"%s\",\"id\":\"x\"," SUBJECT
                 ",\"patient\":{\"reference\":\"Patient/p\"}}}]}",
                 e->fhir_type);
        sink_clear(&f->sink);
        assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
        assert_non_null(sink_find(&f->sink, e->name, 0));
        imported++;
    }
    assert_true(imported >= 15);
}

/* ---- the report ---- */

static void a_path_that_nobody_reviewed_shows_without_a_reason(void **state)
{
    struct import_fixture *f = *state;
    struct ml_fhir_path_row row;
    one(f, "observation",
        "{\"resourceType\":\"Observation\",\"id\":\"o\",\"inconnu\":[{\"x\":1},{\"x\":2}]," SUBJECT
        ",\"code\":{\"text\":\"x\"},\"extension\":[{\"url\":\"u\",\"valueCode\":\"c\"}]}");
    assert_true(ml_fhir_report_path(f->report, 0, &row));
    assert_string_equal(row.path, "Observation.extension[url=u].url");
    assert_true(ml_fhir_report_path(f->report, 2, &row));
    assert_string_equal(row.path, "Observation.inconnu[].x");
    assert_int_equal(row.count, 2);
    assert_null(row.reason);
    assert_false(ml_fhir_report_path(f->report, 3, &row));
}

static void paths_and_types_of_the_report_have_a_limit(void **state)
{
    struct import_fixture *f = *state;
    char *text = calloc(1, 65536);
    size_t len = 0;
    struct ml_fhir_path_row row;
    for (unsigned part = 0; part < 3; part++) {
        len = (size_t)snprintf(text, 200, "{\"resourceType\":\"Patient\",\"id\":\"p%u\"", part);
        for (unsigned i = 0; i < 200; i++) {
            len += (size_t)snprintf(text + len, 40, ",\"x%u_%u\":1", part, i);
        }
        len += (size_t)snprintf(text + len, 4, "}");
        assert_int_equal(ml_fhir_import(&f->args, ml_slice(text, len), &f->fault), ML_OK);
    }
    assert_true(ml_fhir_report_path(f->report, ML_FHIR_REPORT_PATHS_MAX, &row));
    assert_string_equal(row.path, "(autres chemins)");
    assert_int_equal(row.count, 600 - ML_FHIR_REPORT_PATHS_MAX);
    assert_false(ml_fhir_report_path(f->report, ML_FHIR_REPORT_PATHS_MAX + 1, &row));
    for (unsigned i = 0; i < ML_FHIR_REPORT_TYPES_MAX + 5; i++) {
        len = (size_t)snprintf(text, 200, "{\"resourceType\":\"Inconnu%u\"}", i);
        assert_int_equal(ml_fhir_import(&f->args, ml_slice(text, len), &f->fault), ML_OK);
    }
    struct ml_fhir_type_row type;
    assert_true(ml_fhir_report_type(f->report, ML_FHIR_REPORT_TYPES_MAX - 1, &type));
    assert_int_equal(type.count, 7);
    assert_false(ml_fhir_report_type(f->report, ML_FHIR_REPORT_TYPES_MAX, &type));
    free(text);
}

/* ---- faults ---- */

static void importing_survives_any_failed_alloc(void **state)
{
    static const char text[] =
        "{\"resourceType\":\"Bundle\",\"entry\":[" PATIENT ",{\"resource\":{"
        "\"resourceType\":\"DocumentReference\",\"id\":\"d\"," SUBJECT ",\"meta\":{\"x\":\"\\n\"},"
        "\"description\":\"é\",\"content\":[{\"attachment\":{\"data\":\"YQ==\"}}]}}]}";
    struct import_fixture *f = *state;
    long live = f->fake.live;
    long nth = 1;
    for (;; nth++) {
        struct ml_fhir_report *report = NULL;
        f->fake.fail_alloc = nth;
        ml_err err = ml_fhir_report_new(&report, &f->fake.env);
        f->args.report = report;
        err = err != ML_OK ? err : ml_fhir_import(&f->args, ml_slice_str(text), &f->fault);
        ml_fhir_report_free(report);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(f->fake.live, live);
    }
    assert_true(nth > 20);
}

static void reading_a_file_survives_any_failed_alloc(void **state)
{
    struct import_fixture *f = *state;
    long live = f->fake.live;
    f->args.report = NULL;
    for (long nth = 1;; nth++) {
        f->fake.fail_alloc = nth;
        ml_err err =
            ml_fhir_import_file(&f->args, ML_TEST_DATA "/malformed/deep-10000.json.gz", &f->fault);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_E_LIMIT) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_NOMEM);
        assert_int_equal(f->fake.live, live);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, import_setup, import_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_of_any_of_its_types),
        TEST(a_line_of_treatment_is_one_register),
        TEST(a_drug_named_by_reference_is_fetched),
        TEST(attachments_are_kept_in_place_when_small),
        TEST(a_text_longer_than_a_value_may_be_is_left_out_and_counted),
        TEST(a_field_that_is_no_list_takes_the_first_and_counts_the_rest),
        TEST(what_stands_out_of_order_is_handed_out_by_date),
        TEST(a_reference_out_of_the_file_is_asked_for),
        TEST(a_patient_out_of_the_file_is_the_one_imported_before),
        TEST(a_local_id_out_of_the_file_is_of_nobody),
        TEST(local_ids_of_two_files_are_never_one_patient),
        TEST(one_identity_however_it_is_written_is_one_object),
        TEST(a_resource_without_a_name_is_known_by_its_bytes),
        TEST(relative_references_follow_their_servers_address),
        TEST(dates_keep_the_precision_they_were_given_with),
        TEST(decimals_are_written_plainly),
        TEST(base64_is_read_strictly),
        TEST(every_path_of_the_schema_is_well_formed),
        TEST(a_path_that_nobody_reviewed_shows_without_a_reason),
        TEST(paths_and_types_of_the_report_have_a_limit),
        TEST(importing_survives_any_failed_alloc),
        TEST(reading_a_file_survives_any_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
