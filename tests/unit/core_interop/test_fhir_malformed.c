/* tests/unit/core_interop/test_fhir_malformed.c -- what is malformed is refused with its name, its
 * place and the reason, in bounded memory, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/interop/fhir.h"
#include "core/interop/json.h"
#include "core/interop/source.h"
#include "fake_env.h"
#include "support_interop.h"

#define MEMORY_MAX 201326592u /* 192 MiB: the text while it doubles */

/* An env over the fake one that knows how much memory is held. */
enum { HEAD_BYTES = sizeof(max_align_t) };

struct meter {
    struct ml_env env;
    size_t held;
    size_t peak;
};

static void *meter_alloc(void *ctx, size_t size)
{
    struct meter *m = ctx;
    size_t *block = calloc(1, size + HEAD_BYTES);
    if (block != NULL) {
        *block = size;
        m->held += size;
        m->peak = m->held > m->peak ? m->held : m->peak;
    }
    return block == NULL ? NULL : (char *)block + HEAD_BYTES;
}

static void meter_release(void *ctx, void *ptr)
{
    struct meter *m = ctx;
    if (ptr != NULL) {
        size_t *block = (size_t *)(void *)((char *)ptr - HEAD_BYTES);
        m->held -= *block;
        free(block);
    }
}

static void *meter_resize(void *ctx, void *ptr, size_t size)
{
    void *moved = meter_alloc(ctx, size);
    if (ptr != NULL && moved != NULL) {
        size_t old = *(size_t *)(void *)((char *)ptr - HEAD_BYTES);
        memcpy(moved, ptr, old < size ? old : size);
        meter_release(ctx, ptr);
    }
    return moved;
}

struct fixture {
    struct meter meter;
    struct sink sink;
    struct ml_fhir_args args;
    struct ml_import_fault fault;
};

static const uint8_t org_key[ML_IMPORT_KEY_BYTES] = {7};

static int setup(void **state)
{
    static struct fixture f;
    static struct fake_env fake;
    f = (struct fixture){0};
    fake_env_init(&fake, 1);
    f.meter.env = fake.env;
    f.meter.env.alloc = meter_alloc;
    f.meter.env.resize = meter_resize;
    f.meter.env.release = meter_release;
    f.meter.env.ctx = &f.meter;
    f.args = (struct ml_fhir_args){.env = &f.meter.env,
                                   .schema = ml_schema_builtin(),
                                   .id_key = org_key,
                                   .create = sink_create,
                                   .user = &f.sink};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sink_clear(&f->sink);
    return f->meter.held == 0 ? 0 : -1;
}

struct expected {
    const char *file;
    ml_err err;
    ml_import_fault_kind kind;
    uint32_t line;
    const char *place;
};

static const struct expected files[] = {
    {"cut.json", ML_E_MALFORMED, ML_IMPORT_FAULT_CUT, 3, "$.entry[0].resource"},
    {"empty.json", ML_E_MALFORMED, ML_IMPORT_FAULT_CUT, 1, ""},
    {"two-values.json", ML_E_MALFORMED, ML_IMPORT_FAULT_TRAILING, 6, ""},
    {"not-json.txt", ML_E_MALFORMED, ML_IMPORT_FAULT_SYNTAX, 1, ""},
    {"not-fhir.json", ML_E_MALFORMED, ML_IMPORT_FAULT_NOT_FHIR, 1, "$"},
    {"wrong-type.json", ML_E_MALFORMED, ML_IMPORT_FAULT_TYPE, 4, "$.entry[0].resource.birthDate"},
    {"wrong-shape.json", ML_E_MALFORMED, ML_IMPORT_FAULT_TYPE, 4, "$.entry[0].resource.name"},
    {"wrong-date.json", ML_E_MALFORMED, ML_IMPORT_FAULT_DATE, 4, "$.entry[0].resource.birthDate"},
    {"wrong-code.json", ML_E_MALFORMED, ML_IMPORT_FAULT_CODE, 4, "$.entry[0].resource.gender"},
    {"duplicate-key.json", ML_E_MALFORMED, ML_IMPORT_FAULT_DUPLICATE_KEY, 4, "$.entry[0].resource"},
    {"latin1.json", ML_E_MALFORMED, ML_IMPORT_FAULT_UTF8, 4, ""},
    {"utf16.json", ML_E_MALFORMED, ML_IMPORT_FAULT_UTF16, 1, ""},
    {"deep-10000.json.gz", ML_E_LIMIT, ML_IMPORT_FAULT_TOO_DEEP, 1, NULL},
    {"spaces-200mb.json.gz", ML_E_LIMIT, ML_IMPORT_FAULT_TOO_BIG, 0, ""},
    {"bomb.json.gz", ML_E_LIMIT, ML_IMPORT_FAULT_TOO_BIG, 0, ""},
    {"truncated.json.gz", ML_E_MALFORMED, ML_IMPORT_FAULT_GZIP_CUT, 0, ""},
    {"damaged.json.gz", ML_E_MALFORMED, ML_IMPORT_FAULT_GZIP, 0, ""},
};

#define FILE_COUNT (sizeof(files) / sizeof(files[0]))

static bool is_as_expected(const struct expected *e, ml_err err,
                           const struct ml_import_fault *fault)
{
    bool placed = e->place == NULL || strcmp(fault->place, e->place) == 0;
    return err == e->err && fault->kind == e->kind && fault->line == e->line && placed;
}

static void each_malformed_file_is_refused_with_place_and_reason(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/malformed/%s", ML_TEST_DATA, files[i].file);
        ml_err err = ml_fhir_import_file(&f->args, path, &f->fault);
        if (!is_as_expected(&files[i], err, &f->fault)) {
            print_error("%s: %s, %s, line %u, place %s\n", files[i].file, ml_err_name(err),
                        ml_import_fault_name(f->fault.kind), f->fault.line, f->fault.place);
        }
        assert_true(is_as_expected(&files[i], err, &f->fault));
        assert_int_equal(f->sink.count, 0);
    }
}

static void all_files_kept_as_malformed_are_tried(void **state)
{
    glob_t found;
    (void)state;
    assert_int_equal(glob(ML_TEST_DATA "/malformed/*", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, FILE_COUNT + 1); /* and their README */
    globfree(&found);
}

static void a_bomb_costs_no_more_than_the_limit(void **state)
{
    struct fixture *f = *state;
    const char *path = ML_TEST_DATA "/malformed/spaces-200mb.json.gz";
    assert_int_equal(ml_fhir_import_file(&f->args, path, &f->fault), ML_E_LIMIT);
    assert_true(f->meter.peak > 1000000);
    assert_true(f->meter.peak < MEMORY_MAX);
}

static void a_file_that_is_not_there_is_an_io_error(void **state)
{
    struct fixture *f = *state;
    ml_err err = ml_fhir_import_file(&f->args, ML_TEST_DATA "/malformed/absent", &f->fault);
    assert_int_equal(err, ML_E_IO);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_OPEN);
    assert_int_equal(ml_fhir_import_file(&f->args, ML_TEST_DATA, &f->fault), ML_E_IO);
}

static ml_err import_text(struct fixture *f, const char *text)
{
    return ml_fhir_import(&f->args, ml_slice_str(text), &f->fault);
}

static void nothing_is_handed_out_before_all_was_read(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(import_text(f, "{\"resourceType\":\"Bundle\",\"entry\":["
                                    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"}},"
                                    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"b\","
                                    "\"birthDate\":\"hier\"}}]}"),
                     ML_E_MALFORMED);
    assert_string_equal(f->fault.place, "$.entry[1].resource.birthDate");
    assert_int_equal(f->sink.count, 0);
}

static void a_datum_of_nobody_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(import_text(f, "{\"resourceType\":\"Observation\",\"id\":\"o\","
                                    "\"code\":{\"text\":\"x\"}}"),
                     ML_E_MALFORMED);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_NO_PATIENT);
}

static void one_identity_for_two_resources_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(import_text(f, "{\"resourceType\":\"Bundle\",\"entry\":["
                                    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"}},"
                                    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"}}]}"),
                     ML_E_MALFORMED);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_TWO_RESOURCES);
    assert_string_equal(f->fault.place, "$.entry[1].resource");
}

static void wrong_types_are_named_where_they_stand(void **state)
{
    static const struct {
        const char *text;
        const char *place;
    } cases[] = {
        {"{\"resourceType\":\"Bundle\",\"entry\":{}}", "$.entry"},
        {"{\"resourceType\":7}", "$"},
        {"{\"resourceType\":\"Patient\",\"name\":[{\"family\":[]}]}", "$.name[0].family"},
        {"{\"resourceType\":\"Patient\",\"name\":[{\"given\":\"Ada\"}]}", "$.name[0].given"},
        {"{\"resourceType\":\"Patient\",\"deceasedBoolean\":\"non\"}", "$.deceasedBoolean"},
        {"{\"resourceType\":\"Patient\",\"multipleBirthInteger\":1.5}", "$.multipleBirthInteger"},
        {"{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":4}]}",
         "$.identifier[0].system"},
        {"{\"resourceType\":\"Patient\",\"identifier\":[\"x\"]}", "$.identifier[0]"},
        {"{\"resourceType\":\"Patient\",\"telecom\":[4]}", "$.telecom[0]"},
        {"{\"resourceType\":\"Patient\",\"address\":[true]}", "$.address[0]"},
        {"{\"resourceType\":\"Patient\",\"maritalStatus\":{\"coding\":[3]}}",
         "$.maritalStatus.coding[0]"},
        {"{\"resourceType\":\"Patient\",\"generalPractitioner\":[{\"reference\":1}]}",
         "$.generalPractitioner[0].reference"},
        {"{\"resourceType\":\"Patient\",\"gender\":1}", "$.gender"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(import_text(f, cases[i].text), ML_E_MALFORMED);
        assert_string_equal(f->fault.place, cases[i].place);
        assert_int_equal(f->sink.count, 0);
    }
}

static void a_fault_is_described_in_french_without_contents(void **state)
{
    struct fixture *f = *state;
    char text[400];
    assert_int_equal(import_text(f, "{\"resourceType\":\"Patient\",\n \"birthDate\":\"SECRET\"}"),
                     ML_E_MALFORMED);
    ml_import_fault_describe(text, sizeof(text), &f->fault);
    assert_string_equal(text, "ligne 2, colonne 14, $.birthDate : une date n'est pas lisible");
    f->fault = (struct ml_import_fault){.kind = ML_IMPORT_FAULT_GZIP};
    ml_import_fault_describe(text, sizeof(text), &f->fault);
    assert_string_equal(text, "la compression gzip est abîmée");
    assert_string_equal(ml_import_fault_name(ML_IMPORT_FAULT_GZIP), "GZIP");
    assert_string_equal(ml_import_fault_text((ml_import_fault_kind)99), "aucune erreur");
}

/* ---- sources ---- */

static void gzip_members_follow_each_other(void **state)
{
    /* gzip of "a" and gzip of "b" */
    static const uint8_t two[] = {
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0,
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x4b, 2, 0, 0xf9, 0xef, 0xbe, 0x71, 1, 0, 0, 0};
    struct fixture *f = *state;
    struct ml_buf out;
    ml_buf_init(&out, &f->meter.env, 100);
    assert_int_equal(ml_source_read_bytes(&out, ml_slice(two, sizeof(two)), &f->fault), ML_OK);
    assert_int_equal(out.len, 2);
    assert_memory_equal(out.data, "ab", 2);
    ml_buf_clear(&out);
    assert_int_equal(ml_source_read_bytes(&out, ml_slice(two, sizeof(two) - 1), &f->fault),
                     ML_E_MALFORMED);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_GZIP_CUT);
    ml_buf_free(&out);
}

static void plain_text_stops_at_the_limit_too(void **state)
{
    struct fixture *f = *state;
    struct ml_buf out;
    ml_buf_init(&out, &f->meter.env, 4);
    assert_int_equal(ml_source_read_bytes(&out, ml_slice_str("abcd"), &f->fault), ML_OK);
    ml_buf_clear(&out);
    assert_int_equal(ml_source_read_bytes(&out, ml_slice_str("abcde"), &f->fault), ML_E_LIMIT);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_TOO_BIG);
    ml_buf_free(&out);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_malformed_file_is_refused_with_place_and_reason),
        TEST(all_files_kept_as_malformed_are_tried),
        TEST(a_bomb_costs_no_more_than_the_limit),
        TEST(a_file_that_is_not_there_is_an_io_error),
        TEST(nothing_is_handed_out_before_all_was_read),
        TEST(a_datum_of_nobody_is_refused),
        TEST(one_identity_for_two_resources_is_refused),
        TEST(wrong_types_are_named_where_they_stand),
        TEST(a_fault_is_described_in_french_without_contents),
        TEST(gzip_members_follow_each_other),
        TEST(plain_text_stops_at_the_limit_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
