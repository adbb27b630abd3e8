/* tests/unit/core_interop/test_json.c -- the JSON reader: strict, bounded, and of one mind with
 * jansson about what is JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/interop/json.h"
#include "core/interop/source.h"
#include "fake_env.h"

struct fixture {
    struct fake_env fake;
    struct ml_json *doc;
    struct ml_import_fault fault;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    fake_env_init(&f.fake, 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_json_free(f->doc);
    return f->fake.live == 0 ? 0 : -1;
}

static ml_err read_bytes(struct fixture *f, const void *bytes, size_t len)
{
    ml_json_free(f->doc);
    f->doc = NULL;
    return ml_json_read(&f->doc, &f->fake.env, ml_slice(bytes, len), &f->fault);
}

static ml_err read_text(struct fixture *f, const char *text)
{
    return read_bytes(f, text, strlen(text));
}

static void what_is_json_is_read(void **state)
{
    static const char *const good[] = {
        "0",
        "-1",
        "1.5",
        "1e9",
        "-0.25E-3",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "{\"a\":[{}]}",
        "\"\\u00e9\\n\\\"\"",
        "\xef\xbb\xbf{}",
        "\"\\ud83d\\ude00\"",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(read_text(f, good[i]), ML_OK);
    }
}

static const struct {
    const char *text;
    ml_import_fault_kind kind;
} bad[] = {
    {"", ML_IMPORT_FAULT_CUT},
    {"  ", ML_IMPORT_FAULT_CUT},
    {"[1", ML_IMPORT_FAULT_CUT},
    {"{\"a\"", ML_IMPORT_FAULT_CUT},
    {"{\"a\":", ML_IMPORT_FAULT_CUT},
    {"\"abc", ML_IMPORT_FAULT_CUT},
    {"\"a\\", ML_IMPORT_FAULT_CUT},
    {"tru", ML_IMPORT_FAULT_CUT},
    {"-", ML_IMPORT_FAULT_CUT},
    {"1.", ML_IMPORT_FAULT_CUT},
    {"1e", ML_IMPORT_FAULT_CUT},
    {"trux", ML_IMPORT_FAULT_SYNTAX},
    {"01", ML_IMPORT_FAULT_TRAILING},
    {"-a", ML_IMPORT_FAULT_NUMBER},
    {"1.x", ML_IMPORT_FAULT_NUMBER},
    {"+1", ML_IMPORT_FAULT_SYNTAX},
    {".5", ML_IMPORT_FAULT_SYNTAX},
    {"NaN", ML_IMPORT_FAULT_SYNTAX},
    {"[1,]", ML_IMPORT_FAULT_SYNTAX},
    {"[,1]", ML_IMPORT_FAULT_SYNTAX},
    {"[1 2]", ML_IMPORT_FAULT_SYNTAX},
    {"{,}", ML_IMPORT_FAULT_SYNTAX},
    {"{\"a\":1,}", ML_IMPORT_FAULT_SYNTAX},
    {"{a:1}", ML_IMPORT_FAULT_SYNTAX},
    {"{\"a\" 1}", ML_IMPORT_FAULT_SYNTAX},
    {"[}", ML_IMPORT_FAULT_SYNTAX},
    {"[1}", ML_IMPORT_FAULT_SYNTAX},
    {"{\"a\":1]", ML_IMPORT_FAULT_SYNTAX},
    {"{} {}", ML_IMPORT_FAULT_TRAILING},
    {"]", ML_IMPORT_FAULT_SYNTAX},
    {"\"\\x\"", ML_IMPORT_FAULT_ESCAPE},
    {"\"\\u12g4\"", ML_IMPORT_FAULT_ESCAPE},
    {"\"\\u0000\"", ML_IMPORT_FAULT_ESCAPE},
    {"\"\\ud83d\"", ML_IMPORT_FAULT_ESCAPE},
    {"\"\\ude00\"", ML_IMPORT_FAULT_ESCAPE},
    {"\"\\ud83d\\u0041\"", ML_IMPORT_FAULT_ESCAPE},
    {"\"a\nb\"", ML_IMPORT_FAULT_ESCAPE},
    {"{\"a\":1,\"a\":2}", ML_IMPORT_FAULT_DUPLICATE_KEY},
    {"{\"a\":1,\"b\":{},\"\\u0061\":2}", ML_IMPORT_FAULT_DUPLICATE_KEY},
};

static void what_is_no_json_is_refused_with_its_reason(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ml_err err = read_text(f, bad[i].text);
        if (f->fault.kind != bad[i].kind) {
            print_error("%s: %s\n", bad[i].text, ml_import_fault_name(f->fault.kind));
        }
        assert_int_equal(err, ML_E_MALFORMED);
        assert_int_equal(f->fault.kind, bad[i].kind);
    }
}

static void texts_are_unescaped_and_numbers_stay_text(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_text(f, "{\"\\u0061\":\"\\u00e9\\ud83d\\ude00\\t\\/\\u0800\","
                                  "\"n\":-1.50e+2}"),
                     ML_OK);
    struct ml_slice text = ml_json_str(f->doc, 0, "a");
    assert_true(ml_slice_equal(text, ml_slice_str("é😀\t/\xe0\xa0\x80")));
    uint32_t n = ml_json_get(f->doc, 0, ml_slice_str("n"));
    const struct ml_json_node *number = ml_json_node(f->doc, n);
    assert_true(ml_slice_equal(ml_slice(number->text, number->text_len), ml_slice_str("-1.50e+2")));
    assert_null(ml_json_str(f->doc, 0, "n").data);
    assert_int_equal(ml_json_get(f->doc, n, ml_slice_str("n")), ML_JSON_NO_NODE);
}

static void nodes_lie_in_the_order_of_the_text(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_text(f, "{\"a\":[1,{\"b\":2}],\"c\":3}"), ML_OK);
    assert_int_equal(ml_json_count(f->doc), 6);
    assert_int_equal(ml_json_node(f->doc, 1)->after, 5);
    assert_int_equal(ml_json_node(f->doc, 1)->next, 5);
    assert_int_equal(ml_json_node(f->doc, 3)->index, 1);
    assert_int_equal(ml_json_node(f->doc, 4)->parent, 3);
    assert_int_equal(ml_json_child(f->doc, 2), ML_JSON_NO_NODE);
    ml_json_place(f->doc, 4, &f->fault);
    assert_string_equal(f->fault.place, "$.a[1].b");
    assert_int_equal(f->fault.byte, 13);
}

static char *put(char *at, const char *text)
{
    while (*text != '\0') {
        *at++ = *text++;
    }
    *at = '\0';
    return at;
}

/* `count` times `part` between `head` and `tail`. */
static char *repeated(const char *head, const char *part, size_t count, const char *tail)
{
    char *text = malloc(strlen(head) + strlen(part) * count + strlen(tail) + 1);
    char *at = put(text, head);
    for (size_t i = 0; i < count; i++) {
        at = put(at, part);
    }
    put(at, tail);
    return text;
}

static void depth_has_a_limit(void **state)
{
    struct fixture *f = *state;
    for (size_t extra = 0; extra < 2; extra++) {
        char *open = repeated("", "[", ML_JSON_DEPTH_MAX + extra, "");
        char *text = repeated(open, "]", ML_JSON_DEPTH_MAX + extra, "");
        assert_int_equal(read_text(f, text), extra == 0 ? ML_OK : ML_E_LIMIT);
        free(open);
        free(text);
    }
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_TOO_DEEP);
    assert_int_equal(f->fault.byte, ML_JSON_DEPTH_MAX);
}

static void nodes_have_a_limit(void **state)
{
    struct fixture *f = *state;
    for (size_t extra = 0; extra < 2; extra++) {
        char *text = repeated("[0", ",0", ML_JSON_NODES_MAX - 2 + extra, "]");
        assert_int_equal(read_text(f, text), extra == 0 ? ML_OK : ML_E_LIMIT);
        free(text);
    }
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_TOO_MANY);
}

static void members_have_a_limit(void **state)
{
    struct fixture *f = *state;
    for (unsigned extra = 0; extra < 2; extra++) {
        char *text = malloc((size_t)ML_JSON_MEMBERS_MAX * 12u);
        size_t len = 0;
        for (unsigned i = 0; i < ML_JSON_MEMBERS_MAX + extra; i++) {
            len += (size_t)snprintf(text + len, 12, "%c\"%03u\":0", i == 0 ? '{' : ',', i);
        }
        text[len] = '}';
        assert_int_equal(read_bytes(f, text, len + 1), extra == 0 ? ML_OK : ML_E_LIMIT);
        free(text);
    }
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_TOO_MANY);
}

static void text_has_a_limit_before_it_is_looked_at(void **state)
{
    struct fixture *f = *state;
    struct ml_slice huge = {(const uint8_t *)"", (size_t)ML_JSON_BYTES_MAX + 1};
    assert_int_equal(ml_json_read(&f->doc, &f->fake.env, huge, &f->fault), ML_E_LIMIT);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_TOO_BIG);
}

static void the_first_byte_that_is_no_utf8_is_named(void **state)
{
    struct fixture *f = *state;
    for (size_t before = 0; before < 9000; before += 617) {
        char *text = repeated("\"", "é", before, "\xe9 t\xc3\xa9\"");
        assert_int_equal(read_text(f, text), ML_E_MALFORMED);
        assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_UTF8);
        assert_int_equal(f->fault.byte, 1 + before * 2);
        free(text);
    }
    assert_int_equal(read_bytes(f, "\xff\xfe{", 3), ML_E_MALFORMED);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_UTF16);
    assert_int_equal(read_bytes(f, "\0{\0}", 4), ML_E_MALFORMED);
    assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_UTF16);
}

/* ---- jansson as a second opinion ---- */

static size_t children_of(const struct ml_json *doc, uint32_t node)
{
    size_t count = 0;
    uint32_t at = ml_json_child(doc, node);
    for (; at != ML_JSON_NO_NODE; at = ml_json_node(doc, at)->next) {
        count++;
    }
    return count;
}

static void assert_same_node(const struct ml_json *doc, uint32_t node, const json_t *theirs)
{
    const struct ml_json_node *n = ml_json_node(doc, node);
    assert_non_null(theirs);
    if (n->type == ML_JSON_OBJECT) {
        assert_true(json_is_object(theirs));
        assert_int_equal(children_of(doc, node), json_object_size(theirs));
    } else if (n->type == ML_JSON_ARRAY) {
        assert_true(json_is_array(theirs));
        assert_int_equal(children_of(doc, node), json_array_size(theirs));
    } else if (n->type == ML_JSON_STRING) {
        assert_int_equal(n->text_len, json_string_length(theirs));
        assert_memory_equal(n->text, json_string_value(theirs), n->text_len);
    } else if (n->type == ML_JSON_NUMBER) {
        char number[64] = {0};
        memcpy(number, n->text, n->text_len < 63 ? n->text_len : 63);
        assert_true(strtod(number, NULL) == json_number_value(theirs));
    } else {
        assert_int_equal(n->type == ML_JSON_TRUE, json_is_true(theirs));
        assert_int_equal(n->type == ML_JSON_NULL, json_is_null(theirs));
    }
}

/* Nodes come after their parents, so that one pass finds each one's counterpart. */
static void assert_same(const struct ml_json *doc, json_t *root)
{
    json_t **theirs = calloc(ml_json_count(doc), sizeof(json_t *));
    theirs[0] = root;
    for (uint32_t i = 0; i < ml_json_count(doc); i++) {
        const struct ml_json_node *n = ml_json_node(doc, i);
        if (i > 0 && n->key != NULL) {
            theirs[i] = json_object_getn(theirs[n->parent], n->key, n->key_len);
        } else if (i > 0) {
            theirs[i] = json_array_get(theirs[n->parent], n->index);
        }
        assert_same_node(doc, i, theirs[i]);
    }
    free(theirs);
}

static void real_bundles_read_as_jansson_reads_them(void **state)
{
    struct fixture *f = *state;
    glob_t files;
    struct ml_buf text;
    ml_buf_init(&text, &f->fake.env, ML_JSON_BYTES_MAX);
    assert_int_equal(glob(ML_TEST_DATA "/fhir-r4/*.json.gz", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i += 4) {
        json_error_t error;
        ml_buf_clear(&text);
        assert_int_equal(ml_source_read_file(&text, files.gl_pathv[i], &f->fault), ML_OK);
        assert_int_equal(read_bytes(f, text.data, text.len), ML_OK);
        json_t *theirs =
            json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
        assert_non_null(theirs);
        assert_same(f->doc, theirs);
        json_decref(theirs);
        ml_json_free(f->doc);
        f->doc = NULL;
    }
    globfree(&files);
    ml_buf_free(&text);
}

/* Every cut of a document, and every byte of it changed: we accept only what jansson accepts. */
static void a_changed_document_is_never_taken_for_json(void **state)
{
    static const char whole[] = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\n\"],\"b\":{\"c\":\"é\"}}";
    struct fixture *f = *state;
    char text[sizeof(whole)];
    for (size_t at = 0; at < sizeof(whole) - 1; at++) {
        assert_int_not_equal(read_bytes(f, whole, at), ML_OK);
        for (int byte = 0; byte < 256; byte++) {
            json_error_t error;
            memcpy(text, whole, sizeof(whole));
            text[at] = (char)byte;
            ml_err err = read_bytes(f, text, sizeof(whole) - 1);
            json_t *theirs = json_loadb(text, sizeof(whole) - 1,
                                        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
            assert_int_equal(err == ML_OK, theirs != NULL);
            json_decref(theirs);
        }
    }
}

static void reading_survives_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    char *text = repeated("[\"\\n\"", ",{\"a\":0}", 600, "]");
    for (long nth = 1;; nth++) {
        f->fake.fail_alloc = nth;
        ml_err err = read_text(f, text);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(f->fault.kind, ML_IMPORT_FAULT_NOMEM);
        assert_int_equal(f->fake.live, 0);
    }
    free(text);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_json_is_read),
        TEST(what_is_no_json_is_refused_with_its_reason),
        TEST(texts_are_unescaped_and_numbers_stay_text),
        TEST(nodes_lie_in_the_order_of_the_text),
        TEST(depth_has_a_limit),
        TEST(nodes_have_a_limit),
        TEST(members_have_a_limit),
        TEST(text_has_a_limit_before_it_is_looked_at),
        TEST(the_first_byte_that_is_no_utf8_is_named),
        TEST(real_bundles_read_as_jansson_reads_them),
        TEST(a_changed_document_is_never_taken_for_json),
        TEST(reading_survives_any_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
