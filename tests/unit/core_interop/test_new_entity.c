/* tests/unit/core_interop/test_new_entity.c -- adding an entity is one schema entry and no other
 * file: one that this program has never heard of is imported, checked, sealed, projected, shown
 * and searched through its entry alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core_record/support_vault.h"
#include "core/base/ids.h"
#include "core/interop/fhir.h"
#include "core/record/values.h"
#include "maille/value.h"
#include "support_interop.h"

/* ---- the entry: all that a new entity is ---- */

static const struct ml_field device_fields[] = {
    {.id = 1,
     .name = "kind",
     .type = ML_TYPE_CONCEPT,
     .merge = ML_MERGE_REGISTER,
     .required = true,
     .search = ML_SEARCH_TEXT,
     .form_order = 1,
     .label_fr = "Dispositif",
     .label_en = "Kind",
     .fhir = "type"},
    {.id = 2,
     .name = "serial",
     .type = ML_TYPE_TEXT,
     .merge = ML_MERGE_REGISTER,
     .form_order = 2,
     .label_fr = "Numéro de série",
     .label_en = "Serial number",
     .fhir = "serialNumber"},
    {.id = 3,
     .name = "made_at",
     .type = ML_TYPE_INSTANT,
     .merge = ML_MERGE_REGISTER,
     .form_order = 3,
     .label_fr = "Fabriqué le",
     .label_en = "Made at",
     .fhir = "manufactureDate"},
    {.id = 4,
     .name = "state",
     .type = ML_TYPE_CODE,
     .merge = ML_MERGE_REGISTER,
     .value_set = "device_state",
     .form_order = 4,
     .label_fr = "État",
     .label_en = "State",
     .fhir = "status"},
};

static const struct ml_fhir_drop device_drops[] = {{"manufacturer", "sans usage ici"}};

static const struct ml_entity device = {
    .id = 200,
    .name = "device",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_CARE,
    .data_class = 10,
    .in_timeline = true,
    .effective_field = "made_at",
    .title_field = "kind",
    .say_fr = "[{state~active}][, fabriqué {made_at@le}][, numéro {serial}]",
    .label_fr = "Dispositif médical",
    .label_en = "Device",
    .plural_fr = "Dispositifs médicaux",
    .fhir_type = "Device",
    .fhir_patient = "patient",
    .fhir_drops = device_drops,
    .fhir_drop_count = 1,
    .fields = device_fields,
    .field_count = sizeof(device_fields) / sizeof(device_fields[0]),
};

static const struct ml_value_set_item state_items[] = {
    {"active", "en service", NULL, false},
    {"inactive", "hors service", NULL, false},
};
static const struct ml_value_set device_state = {.name = "device_state",
                                                 .system_uri = "http://hl7.org/fhir/device-status",
                                                 .items = state_items,
                                                 .item_count = 2};

/* ---- a schema of all there was, and the new one ---- */

struct fixture {
    struct place place;
    const struct ml_entity *entities[256];
    const struct ml_value_set *value_sets[256];
    struct ml_schema schema;
    struct sink sink;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct ml_schema *builtin = ml_schema_builtin();
    memcpy(f->entities, builtin->entities, builtin->entity_count * sizeof(void *));
    memcpy(f->value_sets, builtin->value_sets, builtin->value_set_count * sizeof(void *));
    f->entities[builtin->entity_count] = &device; /* its number is the highest */
    f->value_sets[builtin->value_set_count] = &device_state;
    f->schema = (struct ml_schema){.entities = f->entities,
                                   .entity_count = builtin->entity_count + 1,
                                   .value_sets = f->value_sets,
                                   .value_set_count = builtin->value_set_count + 1};
    place_init(&f->place, 1);
    place_found(&f->place);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sink_clear(&f->sink);
    int rc = place_free(&f->place);
    free(f);
    return rc;
}

static const char bundle[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
    "{\"resource\":{\"resourceType\":\"Device\",\"id\":\"aaaaaaaa-0000-4000-8000-000000000002\","
    "\"status\":\"active\",\"manufacturer\":\"Fabrique\",\"serialNumber\":\"SN-42\","
    "\"manufactureDate\":\"2025-11-03T10:00:00+01:00\","
    "\"type\":{\"text\":\"Lecteur de glycémie\"},"
    "\"patient\":{\"reference\":\"Patient/aaaaaaaa-0000-4000-8000-000000000001\"}}},"
    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"aaaaaaaa-0000-4000-8000-000000000001\","
    "\"name\":[{\"use\":\"official\",\"family\":\"Orme\",\"given\":[\"Ada\"]}]}}]}";

static ml_err import_bundle(struct fixture *f, const struct ml_schema *schema,
                            struct ml_fhir_report *report)
{
    static const uint8_t key[ML_IMPORT_KEY_BYTES] = {5};
    struct ml_import_fault fault;
    const struct ml_fhir_args args = {.env = &f->place.fake.env,
                                      .schema = schema,
                                      .id_key = key,
                                      .create = sink_create,
                                      .user = &f->sink,
                                      .report = report};
    return ml_fhir_import(&args, ml_slice_str(bundle), &fault);
}

static void it_is_imported_and_accounted_by_its_entry_alone(void **state)
{
    struct fixture *f = *state;
    struct ml_fhir_report *report = NULL;
    struct ml_fhir_path_row row;
    assert_int_equal(ml_fhir_report_new(&report, &f->place.fake.env), ML_OK);
    assert_int_equal(import_bundle(f, &f->schema, report), ML_OK);
    const struct seen_object *o = sink_find(&f->sink, "device", 0);
    assert_non_null(o);
    assert_string_equal(seen_text(o, "kind"), "['Lecteur de glycémie',[]]");
    assert_string_equal(seen_text(o, "serial"), "'SN-42'");
    assert_string_equal(seen_text(o, "state"), "['http://hl7.org/fhir/device-status','active','']");
    assert_true(ml_object_id_equal(&o->patient, &f->sink.objects[0].id));
    assert_true(ml_fhir_report_path(report, 0, &row));
    assert_string_equal(row.path, "Device.manufacturer");
    assert_string_equal(row.reason, "sans usage ici");
    assert_false(ml_fhir_report_path(report, 1, &row));
    ml_fhir_report_free(report);
}

static void without_its_entry_it_is_counted_as_not_mapped(void **state)
{
    struct fixture *f = *state;
    struct ml_fhir_report *report = NULL;
    struct ml_fhir_type_row row;
    assert_int_equal(ml_fhir_report_new(&report, &f->place.fake.env), ML_OK);
    assert_int_equal(import_bundle(f, ml_schema_builtin(), report), ML_OK);
    assert_int_equal(f->sink.count, 1);
    assert_true(ml_fhir_report_type(report, 0, &row));
    assert_string_equal(row.type, "Device");
    assert_null(row.entity);
    ml_fhir_report_free(report);
}

static void its_values_are_checked_and_read_by_its_entry_alone(void **state)
{
    struct fixture *f = *state;
    struct ml_text_args args = {.schema = &f->schema};
    struct ml_buf out;
    assert_int_equal(import_bundle(f, &f->schema, NULL), ML_OK);
    const struct seen_object *o = sink_find(&f->sink, "device", 0);
    for (size_t i = 0; i < device.field_count; i++) {
        assert_true(ml_value_fits(&device_fields[i], seen_value(o, device_fields[i].name)));
    }
    assert_false(ml_value_fits(&device_fields[2], seen_value(o, "serial")));
    ml_buf_init(&out, &f->place.fake.env, 1000);
    ml_value_text_fr(&out, &args, &device_fields[3], seen_value(o, "state"));
    assert_true(ml_slice_equal(ml_buf_slice(&out), ml_slice_str("en service")));
    ml_buf_free(&out);
}

/* Sealed as any object of its compartment, under a patient of the structure. */
static void write_device(struct fixture *f, size_t patient, const struct seen_object *o)
{
    struct ml_seal_item item =
        place_item(&f->place, patient, "observation", ML_CHANGE_CREATE, &o->id);
    item.change.entity = device.id;
    item.compartment = (uint8_t)device.compartment;
    item.change.value = ml_slice(o->values, o->values_len);
    item.change.effective = o->effective;
    place_write(&f->place, 0, &item, 1);
}

static struct ml_vault *vault_with(struct fixture *f, const struct ml_schema *schema,
                                   const char *name)
{
    char path[400];
    struct ml_vault *v = NULL;
    struct place *p = &f->place;
    snprintf(path, sizeof(path), "%s/v%u%s.db", p->dir, p->files++, name);
    const struct ml_vault_args args = {.env = &p->fake.env,
                                       .path = path,
                                       .org = p->org,
                                       .member = p->who[0].member,
                                       .mon_box = p->who[0].box,
                                       .schema = schema,
                                       .create = true};
    assert_int_equal(ml_vault_open(&v, &args), ML_OK);
    place_catch_up(p, v, 1000);
    return v;
}

static bool timeline_holds(struct fixture *f, struct ml_vault *v, size_t patient, const char *text,
                           const char *search)
{
    struct ml_args *out = ml_args_new();
    const struct ml_timeline_query query = {.patient = f->place.patient[patient], .text = search};
    const uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(ml_view_timeline(v, &query, out), ML_OK);
    assert_int_equal(ml_args_encoded(out, &bytes, &len), ML_OK);
    bool holds = memmem(bytes, len, text, strlen(text)) != NULL;
    ml_args_free(out);
    return holds;
}

static void it_is_projected_shown_and_searched_by_its_entry_alone(void **state)
{
    struct fixture *f = *state;
    size_t patient = place_open(&f->place);
    const struct identity who = {"Orme", "Orme", "Ada", "1979-03-28"};
    put_patient(&f->place, patient, &who);
    assert_int_equal(import_bundle(f, &f->schema, NULL), ML_OK);
    write_device(f, patient, sink_find(&f->sink, "device", 0));
    struct ml_vault *v = vault_with(f, &f->schema, "");
    assert_true(timeline_holds(f, v, patient, "Lecteur de glyc", NULL));
    assert_true(timeline_holds(f, v, patient, "Dispositif m", NULL));
    assert_true(timeline_holds(f, v, patient, "fabriqué le 3 novembre 2025, numéro SN-42", NULL));
    assert_true(timeline_holds(f, v, patient, "Lecteur de glyc", "glycemie"));
    assert_false(timeline_holds(f, v, patient, "Lecteur de glyc", "insuline"));
    ml_vault_close(v);
}

static void a_vault_that_lacks_its_entry_keeps_and_counts_it(void **state)
{
    struct fixture *f = *state;
    struct ml_vault_counts counts;
    size_t patient = place_open(&f->place);
    assert_int_equal(import_bundle(f, &f->schema, NULL), ML_OK);
    write_device(f, patient, sink_find(&f->sink, "device", 0));
    struct ml_vault *v = vault_with(f, ml_schema_builtin(), "old");
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_int_equal(counts.ops_unknown, 1);
    ml_vault_close(v);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_imported_and_accounted_by_its_entry_alone),
        TEST(without_its_entry_it_is_counted_as_not_mapped),
        TEST(its_values_are_checked_and_read_by_its_entry_alone),
        TEST(it_is_projected_shown_and_searched_by_its_entry_alone),
        TEST(a_vault_that_lacks_its_entry_keeps_and_counts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
