/* tests/unit/net_node/test_node_document.c -- files of the record through whole nodes: added by
 * path or by an import, listed, read in slices, and said to be absent while they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net/node/files.h"
#include "support_story.h"

enum { LARGE = 300000, SMALL = 4000, SLICE = 100000, CHUNK = 65536 };

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 17);
    story_found(&c, 0);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 31 + i / 251);
}

static void file_make(const struct cluster *c, const char *name, size_t bytes, char path[256])
{
    snprintf(path, 256, "%s/%s", c->folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++) {
        fputc(byte_at(i), file);
    }
    assert_int_equal(fclose(file), 0);
}

/* Asks for a document of the patient with the same file `count` times. */
static void ask_to_add(struct story_request *r, const char *patient, const char *path,
                       const char *type, unsigned count)
{
    story_ask(r);
    story_put(r, "entity", "document");
    story_put(r, "patient", patient);
    ml_args_key(r->args, "fields");
    ml_args_map(r->args);
    story_put(r, "title", "Courrier");
    story_put(r, "written_at", "2026-03-02");
    ml_args_end(r->args);
    ml_args_key(r->args, "files");
    ml_args_list(r->args);
    for (unsigned i = 0; i < count; i++) {
        ml_args_map(r->args);
        story_put(r, "path", path);
        story_put(r, "media_type", type);
        ml_args_end(r->args);
    }
    ml_args_end(r->args);
}

/* A document of the patient with one file; what record.add said. */
static ml_err add(struct cluster *c, const char *patient, const char *path, const char *type,
                  char object[40])
{
    struct story_request r;
    ask_to_add(&r, patient, path, type, 1);
    ml_err err = story_send(&r, c, 0, "record.add");
    snprintf(object, 40, "%s", ml_value_text(story_get(&r, "object"), ""));
    story_end(&r);
    return err;
}

static void of_object(struct story_request *r, const char *patient, const char *object)
{
    story_ask(r);
    story_put(r, "patient", patient);
    story_put(r, "object", object);
}

/* The first file of an object as document.show says it; the request is the caller's to end. */
static const struct ml_value *first_file(struct story_request *r, struct cluster *c, unsigned n,
                                         const char *patient, const char *object)
{
    of_object(r, patient, object);
    story_must(r, story_send(r, c, n, "document.show"), "document.show");
    return ml_value_at(story_get(r, "files"), 0);
}

static void state_is(struct cluster *c, unsigned n, const char *patient, const char *object,
                     const char *state)
{
    struct story_request r;
    const struct ml_value *file = first_file(&r, c, n, patient, object);
    assert_string_equal(ml_value_text(ml_value_get(file, "state"), ""), state);
    story_end(&r);
}

/* Reads the whole first file in slices, comparing each byte; its length. */
static size_t read_back(struct cluster *c, unsigned n, const char *patient, const char *object)
{
    size_t at = 0;
    bool end = false;
    while (!end) {
        struct story_request r;
        size_t len = 0;
        of_object(&r, patient, object);
        ml_args_key(r.args, "offset");
        ml_args_int(r.args, (int64_t)at);
        ml_args_key(r.args, "length");
        ml_args_int(r.args, SLICE);
        story_must(&r, story_send(&r, c, n, "document.get"), "document.get");
        const uint8_t *bytes = ml_value_bytes(story_get(&r, "bytes"), &len);
        end = ml_value_bool(story_get(&r, "end"), false);
        assert_true(len == SLICE || end);
        for (size_t i = 0; i < len; i++) {
            assert_int_equal(bytes[i], byte_at(at + i));
        }
        at += len;
        story_end(&r);
    }
    return at;
}

static ml_err get_error(struct cluster *c, unsigned n, const char *patient, const char *object,
                        char text[48])
{
    struct story_request r;
    of_object(&r, patient, object);
    ml_err err = story_send(&r, c, n, "document.get");
    snprintf(text, 48, "%s", ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

static void a_file_is_added_listed_and_read_in_slices(void **state)
{
    static const size_t sizes[] = {1, SMALL, 6144, 6145, CHUNK, CHUNK + 1, LARGE};
    struct cluster *c = *state;
    char patient[40];
    story_patient(c, 0, patient);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct story_request r;
        char path[256];
        char object[40];
        file_make(c, "scan.pdf", sizes[i], path);
        assert_int_equal(add(c, patient, path, "application/pdf", object), ML_OK);
        const struct ml_value *file = first_file(&r, c, 0, patient, object);
        assert_int_equal(ml_value_int(ml_value_get(file, "size"), -1), (int64_t)sizes[i]);
        assert_string_equal(ml_value_text(ml_value_get(file, "title"), ""), "scan.pdf");
        assert_string_equal(ml_value_text(ml_value_get(file, "state"), ""),
                            sizes[i] <= 6144 ? "stored" : "here");
        story_end(&r);
        assert_int_equal(read_back(c, 0, patient, object), sizes[i]);
    }
}

static void a_timeline_says_size_and_kind(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    char object[40];
    char path[256];
    story_patient(c, 0, patient);
    file_make(c, "scan.pdf", LARGE, path);
    assert_int_equal(add(c, patient, path, "application/pdf", object), ML_OK);
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_must(&r, story_send(&r, c, 0, "timeline.list"), "timeline.list");
    const struct ml_value *item = ml_value_at(story_get(&r, "items"), 0);
    assert_non_null(strstr(ml_value_text(ml_value_get(item, "text"), ""), "(PDF, 300 Ko)"));
    story_end(&r);
}

static void what_is_no_file_to_keep_is_refused(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char object[40];
    char path[256];
    story_patient(c, 0, patient);
    assert_int_equal(add(c, patient, "relatif.pdf", "application/pdf", object), ML_E_INVALID);
    assert_int_equal(add(c, patient, "/n'existe/pas", "application/pdf", object), ML_E_NOT_FOUND);
    assert_int_equal(add(c, patient, c->folder, "application/pdf", object), ML_E_INVALID);
    file_make(c, "vide", 0, path);
    assert_int_equal(add(c, patient, path, "application/pdf", object), ML_E_INVALID);
    file_make(c, "bon", 10, path);
    assert_int_equal(add(c, patient, path, "pdf", object), ML_E_INVALID);
    snprintf(path, sizeof(path), "%s/fifo", c->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(add(c, patient, path, "application/pdf", object), ML_E_INVALID);
    file_make(c, "grand", (32u << 20) + 1, path);
    assert_int_equal(add(c, patient, path, "application/pdf", object), ML_E_LIMIT);
    struct story_proof proof;
    story_verify(c, 0, &proof);
    assert_int_equal(proof.ops, 1); /* the patient */
}

static void an_entry_takes_files_up_to_its_limit(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char path[256];
    file_make(c, "petit.txt", 40, path);
    story_patient(c, 0, patient);
    for (unsigned more = 0; more < 2; more++) {
        struct story_request r;
        ask_to_add(&r, patient, path, "text/plain", ML_FILES_MAX + more);
        assert_int_equal(story_send(&r, c, 0, "record.add"), more == 0 ? ML_OK : ML_E_INVALID);
        story_end(&r);
    }
}

static void one_answer_gives_a_slice_up_to_its_limit(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char object[40];
    char path[256];
    file_make(c, "petit.txt", 40, path);
    story_patient(c, 0, patient);
    assert_int_equal(add(c, patient, path, "text/plain", object), ML_OK);
    for (unsigned more = 0; more < 2; more++) {
        struct story_request r;
        of_object(&r, patient, object);
        ml_args_key(r.args, "length");
        ml_args_int(r.args, (int64_t)ML_FILES_SLICE_MAX + more);
        assert_int_equal(story_send(&r, c, 0, "document.get"), more == 0 ? ML_OK : ML_E_INVALID);
        story_end(&r);
    }
}

static void a_file_of_another_patient_or_number_is_not_given(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char one[40];
    char other[40];
    char object[40];
    char path[256];
    char text[48];
    story_patient(c, 0, one);
    story_patient(c, 0, other);
    file_make(c, "scan.pdf", LARGE, path);
    assert_int_equal(add(c, one, path, "application/pdf", object), ML_OK);
    assert_int_equal(get_error(c, 0, other, object, text), ML_E_NOT_FOUND);
    assert_string_equal(text, "object.unknown");
    of_object(&r, one, object);
    ml_args_key(r.args, "file");
    ml_args_int(r.args, 1);
    assert_int_equal(story_send(&r, c, 0, "document.get"), ML_E_NOT_FOUND);
    story_end(&r);
    of_object(&r, one, object);
    ml_args_key(r.args, "length");
    ml_args_int(r.args, (2 << 20) + 1);
    assert_int_equal(story_send(&r, c, 0, "document.get"), ML_E_INVALID);
    story_end(&r);
    of_object(&r, one, object);
    ml_args_key(r.args, "offset");
    ml_args_int(r.args, LARGE + 5);
    story_must(&r, story_send(&r, c, 0, "document.get"), "behind the end");
    assert_true(ml_value_bool(story_get(&r, "end"), false));
    story_end(&r);
}

static void an_amended_document_keeps_its_files(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    char object[40];
    char path[256];
    story_patient(c, 0, patient);
    file_make(c, "scan.pdf", LARGE, path);
    assert_int_equal(add(c, patient, path, "application/pdf", object), ML_OK);
    of_object(&r, patient, object);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "title", "Courrier corrigé");
    story_put(&r, "written_at", "2026-03-03");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, 0, "record.amend"), "record.amend");
    story_end(&r);
    assert_int_equal(read_back(c, 0, patient, object), LARGE);
}

static void import_large(struct cluster *c, unsigned n, int64_t *created)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct story_request r;
    char path[256];
    snprintf(path, sizeof(path), "%s/avec.json", c->folder);
    FILE *file = fopen(path, "w");
    fputs(
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\","
        "\"id\":\"p\",\"name\":[{\"family\":\"MARTIN\",\"given\":[\"Camille\"]}]}},{\"resource\":{"
        "\"resourceType\":\"DocumentReference\",\"id\":\"d\",\"subject\":{\"reference\":"
        "\"Patient/p\"},\"date\":\"2026-03-02T10:00:00Z\",\"content\":[{\"attachment\":{"
        "\"contentType\":\"application/pdf\",\"title\":\"scan.pdf\",\"data\":\"",
        file);
    for (size_t i = 0; i < LARGE; i += 3) {
        const uint32_t three =
            (uint32_t)byte_at(i) << 16 | (uint32_t)byte_at(i + 1) << 8 | (uint32_t)byte_at(i + 2);
        for (int shift = 18; shift >= 0; shift -= 6) {
            fputc(digits[three >> shift & 63], file);
        }
    }
    fputs("\"}}]}}]}", file);
    assert_int_equal(fclose(file), 0);
    story_ask(&r);
    story_put(&r, "path", path);
    story_put(&r, "source", "cabinet du port");
    story_must(&r, story_send(&r, c, n, "import.fhir"), "import.fhir");
    *created = ml_value_int(story_get(&r, "created"), -1);
    story_end(&r);
}

/* The only patient of a node, and his only document. */
static void imported(struct cluster *c, unsigned n, char patient[40], char object[40])
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "patient.find"), "patient.find");
    const struct ml_value *found = ml_value_at(story_get(&r, "items"), 0);
    snprintf(patient, 40, "%s", ml_value_text(ml_value_get(found, "patient"), ""));
    story_end(&r);
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_must(&r, story_send(&r, c, n, "timeline.list"), "timeline.list");
    found = ml_value_at(story_get(&r, "items"), 0);
    snprintf(object, 40, "%s", ml_value_text(ml_value_get(found, "object"), ""));
    story_end(&r);
}

static void an_imported_attachment_is_kept_whole_and_once(void **state)
{
    struct cluster *c = *state;
    struct story_proof before;
    struct story_proof after;
    char patient[40];
    char object[40];
    int64_t created = 0;
    import_large(c, 0, &created);
    assert_int_equal(created, 2);
    imported(c, 0, patient, object);
    state_is(c, 0, patient, object, "here");
    assert_int_equal(read_back(c, 0, patient, object), LARGE);
    story_verify(c, 0, &before);
    import_large(c, 0, &created);
    assert_int_equal(created, 0);
    story_verify(c, 0, &after);
    assert_string_equal(before.state_hash, after.state_hash);
}

static void another_node_says_what_is_missing_then_has_it(void **state)
{
    struct cluster *c = *state;
    struct story_proof a;
    struct story_proof b;
    char patient[40];
    char object[40];
    int64_t created = 0;
    import_large(c, 0, &created);
    imported(c, 0, patient, object);
    story_join(c, 0, 1, "Inès Leroy", 10);
    story_synced(c, 1);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_string_equal(a.view_hash, b.view_hash);
    for (int i = 0; i < 200; i++) { /* chunks come last */
        struct story_request r;
        const struct ml_value *file = first_file(&r, c, 1, patient, object);
        const bool here = strcmp(ml_value_text(ml_value_get(file, "state"), ""), "here") == 0;
        story_end(&r);
        if (here) {
            break;
        }
        char text[48];
        assert_int_equal(get_error(c, 1, patient, object, text), ML_E_PENDING);
        assert_true(strcmp(text, "document.partial") == 0 ||
                    strcmp(text, "document.not_received") == 0);
        cluster_run(c, 10);
    }
    state_is(c, 1, patient, object, "here");
    assert_int_equal(read_back(c, 1, patient, object), LARGE);
}

/* Both import while they don't see each other: the same contents under two manifests. */
static void two_nodes_that_import_one_file_have_nothing_to_settle(void **state)
{
    struct cluster *c = *state;
    struct story_proof a;
    struct story_proof b;
    char patient[40];
    char object[40];
    int64_t created = 0;
    story_join(c, 0, 1, "Inès Leroy", 10);
    story_synced(c, 1);
    story_pause(c, 1, true);
    import_large(c, 0, &created);
    import_large(c, 1, &created);
    assert_int_equal(created, 2);
    story_pause(c, 1, false);
    story_synced(c, 1);
    cluster_run(c, 1000);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_string_equal(a.view_hash, b.view_hash);
    assert_int_equal(a.conflicts, 0);
    assert_int_equal(b.conflicts, 0);
    assert_int_equal(a.patients, 1);
    imported(c, 0, patient, object);
    assert_int_equal(read_back(c, 0, patient, object), LARGE);
    assert_int_equal(read_back(c, 1, patient, object), LARGE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_file_is_added_listed_and_read_in_slices),
        T(a_timeline_says_size_and_kind),
        T(what_is_no_file_to_keep_is_refused),
        T(an_entry_takes_files_up_to_its_limit),
        T(one_answer_gives_a_slice_up_to_its_limit),
        T(a_file_of_another_patient_or_number_is_not_given),
        T(an_amended_document_keeps_its_files),
        T(an_imported_attachment_is_kept_whole_and_once),
        T(another_node_says_what_is_missing_then_has_it),
        T(two_nodes_that_import_one_file_have_nothing_to_settle),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
