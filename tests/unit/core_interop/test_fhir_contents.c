/* tests/unit/core_interop/test_fhir_contents.c -- contents of attachments: in place, as large
 * values, or left out and counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/value.h"
#include "core/crypto/hash.h"
#include "support_interop.h"

/* A document with one attachment of so many bytes, all zero; `more`: other members. */
static const struct seen_object *contents_of(struct import_fixture *f, size_t bytes,
                                             const char *more)
{
    const size_t digits = (bytes * 8 + 5) / 6;
    char *text = calloc(1, digits + 4096);
    int head = snprintf(text, 4000,
                        "{\"resourceType\":\"Bundle\",\"entry\":[" PATIENT ",{\"resource\":{"
                        "\"resourceType\":\"DocumentReference\",\"id\":\"d\"," SUBJECT ","
                        "\"content\":[{\"attachment\":{%s,\"data\":\"",
                        more);
    memset(text + head, 'A', digits);
    memset(text + (size_t)head + digits, '=', (3 - bytes % 3) % 3);
    memcpy(text + strlen(text), "\"}}]}}]}", 9);
    sink_clear(&f->sink);
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
    free(text);
    return sink_find(&f->sink, "document", 0);
}

/* The only attachment of an object. */
static struct ml_attachment attachment_of(const struct seen_object *o)
{
    struct ml_attachment a;
    struct ml_slice files = seen_value(o, "files");
    assert_int_equal(files.data[0], 0x91); /* a list of one */
    assert_int_equal(ml_attachment_decode(&a, ml_slice(files.data + 1, files.len - 1)), ML_OK);
    return a;
}

static struct ml_hash hash_of(struct ml_slice bytes)
{
    struct ml_hash hash;
    ml_hash_parts(hash.b, sizeof(hash.b), ml_slice(NULL, 0), &bytes, 1);
    return hash;
}

static void large_contents_are_handed_out_beside_the_values(void **state)
{
    struct import_fixture *f = *state;
    const struct seen_object *o =
        contents_of(f, 100000, "\"contentType\":\"application/pdf\",\"title\":\"scan\"");
    const struct seen_blob *blob = &o->blobs[0];
    const struct ml_attachment a = attachment_of(o);
    assert_string_equal(seen_text(o, "title"), "'scan'");
    assert_int_equal(o->blob_count, 1);
    assert_int_equal(blob->len, 100000);
    assert_int_equal(blob->slot, ml_entity_field_named(o->entity, "files")->id);
    assert_string_equal(blob->media_type, "application/pdf");
    assert_int_equal(a.bytes.len, 0);
    assert_int_equal(a.size, 100000);
    const struct ml_hash hash = hash_of(ml_slice(blob->bytes, blob->len));
    assert_memory_equal(&a.hash, &hash, sizeof(hash));
    assert_memory_equal(&a.manifest, (const uint8_t *)o->values + blob->manifest_at, 17);
    assert_int_equal(a.manifest.bundle.b[0], 0xff); /* to be written over */
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.data"), 0);
}

static void contents_stand_in_place_up_to_a_limit(void **state)
{
    struct import_fixture *f = *state;
    const struct seen_object *o = contents_of(f, ML_FHIR_INLINE_MAX, "\"title\":\"petit\"");
    assert_int_equal(o->blob_count, 0);
    assert_int_equal(attachment_of(o).bytes.len, ML_FHIR_INLINE_MAX);
    assert_int_equal(attachment_of(o).size, ML_FHIR_INLINE_MAX);
    o = contents_of(f, ML_FHIR_INLINE_MAX + 1, "\"title\":\"grand\"");
    assert_int_equal(o->blob_count, 1);
    assert_int_equal(attachment_of(o).bytes.len, 0);
}

static void contents_beyond_the_limit_are_left_out_and_counted(void **state)
{
    struct import_fixture *f = *state;
    const struct seen_object *o = contents_of(f, ML_FHIR_CONTENT_MAX, "\"title\":\"juste\"");
    assert_int_equal(o->blob_count, 1);
    assert_int_equal(o->blobs[0].len, ML_FHIR_CONTENT_MAX);
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.data"), 0);
    o = contents_of(f, ML_FHIR_CONTENT_MAX + 1, "\"title\":\"trop\",\"size\":7");
    assert_int_equal(o->blob_count, 0);
    assert_int_equal(attachment_of(o).size, 7); /* what is said of it stays */
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.data"), 1);
}

static void a_size_that_lies_is_left_out_and_the_true_one_kept(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(attachment_of(contents_of(f, 30, "\"size\":30")).size, 30);
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.size"), 0);
    assert_int_equal(attachment_of(contents_of(f, 9000, "\"size\":5000000000")).size, 9000);
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.size"), 1);
}

static void what_is_no_media_type_names_no_contents(void **state)
{
    static const char *const bad[] = {"pdf",    "a/b/c", "text/plain; charset=utf-8",
                                      "a\\n/b", "/",     "application/\u00e9"};
    struct import_fixture *f = *state;
    char more[512] = "\"contentType\":\"application/";
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "\"contentType\":\"%s\"", bad[i]);
        const struct seen_object *o = contents_of(f, 9000, text);
        assert_int_equal(o->blob_count, 1);
        assert_string_equal(o->blobs[0].media_type, "");
        assert_true(attachment_of(o).content_type.len > 0); /* as it was said */
    }
    size_t head = strlen(more);
    memset(more + head, 'x', 300);
    memcpy(more + head + 300, "\"", 2);
    assert_string_equal(contents_of(f, 9000, more)->blobs[0].media_type, "");
    more[head + ML_MEDIA_TYPE_MAX - strlen("application/")] = '\0';
    memcpy(more + strlen(more), "\"", 2);
    assert_int_equal(strlen(contents_of(f, 9000, more)->blobs[0].media_type), ML_MEDIA_TYPE_MAX);
}

static void an_attachment_that_is_left_out_takes_its_contents_along(void **state)
{
    struct import_fixture *f = *state;
    char more[2000] = "\"title\":\"";
    size_t head = strlen(more);
    memset(more + head, 'x', 1500); /* longer than a title may be */
    more[head + 1500] = '"';
    const struct seen_object *o = contents_of(f, 9000, more);
    assert_int_equal(o->blob_count, 0);
    assert_int_equal(seen_value(o, "files").len, 0);
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.data"), 1);
}

/* A document whose attachments have titles of these lengths, and 8,000 digits of contents each. */
static const struct seen_object *titled(struct import_fixture *f, const size_t *titles,
                                        size_t count)
{
    const size_t size = count * 20000 + 1000;
    char *text = calloc(1, size);
    size_t len = (size_t)snprintf(text, size,
                                  "{\"resourceType\":\"Bundle\",\"entry\":[" PATIENT
                                  ",{\"resource\":{\"resourceType\":\"DocumentReference\","
                                  "\"id\":\"d\"," SUBJECT ",\"content\":[");
    char title[2000] = {0};
    char data[8001] = {0};
    memset(data, 'A', sizeof(data) - 1);
    for (size_t i = 0; i < count; i++) {
        memset(title, 0, sizeof(title));
        memset(title, 'x', titles[i]);
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"attachment\":{\"title\":\"%s\",\"data\":\"%s\"}}",
                                i == 0 ? "" : ",", title, data);
    }
    snprintf(text + len, size - len, "]}}]}");
    sink_clear(&f->sink);
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(text), &f->fault), ML_OK);
    free(text);
    return sink_find(&f->sink, "document", 0);
}

static void the_contents_of_another_attachment_stay(void **state)
{
    struct import_fixture *f = *state;
    const size_t titles[] = {10, 1500, 10}; /* the second is longer than a title may be */
    const struct seen_object *o = titled(f, titles, 3);
    assert_int_equal(o->blob_count, 1); /* of the last: the first stands in place */
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.data"), 1);
}

static void a_field_beyond_its_limit_is_left_out_whole(void **state)
{
    struct import_fixture *f = *state;
    enum { COUNT = 20 };
    size_t titles[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        titles[i] = 1000;
    }
    const struct seen_object *o = titled(f, titles, COUNT);
    assert_int_equal(seen_value(o, "files").len, 0);
    assert_int_equal(o->blob_count, 0);
    assert_int_equal(paths_left_out(f->report, "DocumentReference.content[].attachment.data"),
                     COUNT);
    assert_true(seen_value(titled(f, titles, 3), "files").len > 3000);
}

static void several_contents_keep_their_own_places(void **state)
{
    struct import_fixture *f = *state;
    char text[40000];
    int len =
        snprintf(text, sizeof(text),
                 "{\"resourceType\":\"DocumentReference\",\"id\":\"d\"," SUBJECT ",\"content\":[");
    for (int i = 0; i < 3; i++) {
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s{\"attachment\":{\"data\":\"",
                        i == 0 ? "" : ",");
        memset(text + len, 'A' + i, 8000);
        len += 8000;
        len += snprintf(text + len, sizeof(text) - (size_t)len, "\"}}");
    }
    snprintf(text + len, sizeof(text) - (size_t)len, "]}");
    char *bundle = calloc(1, sizeof(text) + 1000);
    snprintf(bundle, sizeof(text) + 1000,
             "{\"resourceType\":\"Bundle\",\"entry\":[" PATIENT ",{\"resource\":%s}]}", text);
    assert_int_equal(ml_fhir_import(&f->args, ml_slice_str(bundle), &f->fault), ML_OK);
    free(bundle);
    const struct seen_object *o = sink_find(&f->sink, "document", 0);
    assert_int_equal(o->blob_count, 2); /* the first one had room in place */
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *place = (const uint8_t *)o->values + o->blobs[i].manifest_at;
        const uint8_t *hash = place - 2 - 1 - 32; /* bin head, key 9, and the hash before it */
        const struct ml_hash want = hash_of(ml_slice(o->blobs[i].bytes, o->blobs[i].len));
        assert_int_equal(o->blobs[i].len, 6000);
        assert_int_equal(place[0], 0xff);
        assert_int_equal(place[16], 0xff);
        assert_memory_equal(hash, &want, sizeof(want));
    }
}

static void an_import_with_contents_survives_any_failed_alloc(void **state)
{
    struct import_fixture *f = *state;
    char *text = calloc(1, 20000);
    int head = snprintf(text, 1000,
                        "{\"resourceType\":\"Bundle\",\"entry\":[" PATIENT ",{\"resource\":{"
                        "\"resourceType\":\"DocumentReference\",\"id\":\"d\"," SUBJECT ","
                        "\"content\":[{\"attachment\":{\"contentType\":\"a/b\",\"data\":\"");
    memset(text + head, 'A', 12000);
    memcpy(text + head + 12000, "\"}}]}}]}", 9);
    const long live = f->fake.live;
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    while (err == ML_E_NOMEM) {
        struct ml_fhir_report *report = NULL;
        f->fake.fail_alloc = ++nth;
        err = ml_fhir_report_new(&report, &f->fake.env);
        f->args.report = report;
        sink_clear(&f->sink);
        err = err != ML_OK ? err : ml_fhir_import(&f->args, ml_slice_str(text), &f->fault);
        assert_int_equal(fake_spared(&f->fake), err == ML_OK);
        ml_fhir_report_free(report);
        assert_int_equal(f->fake.live, live);
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 20);
    assert_int_equal(sink_find(&f->sink, "document", 0)->blob_count, 1);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, import_setup, import_teardown)
    const struct CMUnitTest tests[] = {
        TEST(large_contents_are_handed_out_beside_the_values),
        TEST(contents_stand_in_place_up_to_a_limit),
        TEST(contents_beyond_the_limit_are_left_out_and_counted),
        TEST(a_size_that_lies_is_left_out_and_the_true_one_kept),
        TEST(what_is_no_media_type_names_no_contents),
        TEST(an_attachment_that_is_left_out_takes_its_contents_along),
        TEST(the_contents_of_another_attachment_stay),
        TEST(a_field_beyond_its_limit_is_left_out_whole),
        TEST(several_contents_keep_their_own_places),
        TEST(an_import_with_contents_survives_any_failed_alloc),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
