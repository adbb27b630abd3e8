/* tests/unit/core_codec/test_docs.c -- the tables of docs/protocol*.md are those of the code.
 *
 * Between "<!-- table NAME -->" (or limits, systems) and "<!-- end -->" stands what the tables say.
 * `test_docs --regenerate` writes it anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/doc.h"
#include "core/codec/explain.h"
#include "core/codec/rpc_limits.h"
#include "support_codec.h"

enum { PAGE_MAX = 1 << 20 };

static const char *const pages[] = {
    "protocol.md",        "protocol/bundle.md",   "protocol/ops.md",
    "protocol/change.md", "protocol/messages.md", "protocol/rpc.md",
    "protocol/blob.md",   "protocol/consent.md",  "protocol/glass.md"};
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

static void put(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

/* '|' would end a cell. */
static void put_cell(struct ml_buf *out, const char *text)
{
    put(out, " ");
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            put(out, "\\");
        }
        ml_buf_u8(out, (uint8_t)*text);
    }
    put(out, " |");
}

static void table_put(struct ml_buf *out, const struct ml_wire_format *format)
{
    put(out, "**");
    put(out, format->name);
    put(out, "**");
    put(out, format->kind == ML_WIRE_MAP     ? " (map): "
             : format->kind == ML_WIRE_ARRAY ? " (tuple): "
                                             : ": ");
    put(out, format->meaning);
    put(out, format->kind == ML_WIRE_MAP ? "\n\n| key |" : "\n\n| place |");
    put(out, " field | type | size | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < format->field_count; i++) {
        const struct ml_wire_field *f = &format->fields[i];
        char text[120];
        put(out, "|");
        snprintf(text, sizeof(text), "%u%s", (unsigned)f->key,
                 f->flags & ML_WIRE_OPTIONAL ? "?" : "");
        put_cell(out, text);
        put_cell(out, f->name);
        ml_explain_field_type(text, sizeof(text), f);
        put_cell(out, text);
        ml_explain_field_size(text, sizeof(text), f);
        put_cell(out, text);
        put_cell(out, f->meaning);
        put(out, "\n");
    }
}

static void limits_put(struct ml_buf *out)
{
    static const struct {
        const char *name;
        size_t value;
        const char *of;
        const char *test;
    } limits[] = {
#define L(name, of, test) {#name, (name), of, test}
        L(ML_MP_DEPTH_MAX, "levels", "test_mp_read"),
        L(ML_DOC_DEPTH_MAX, "levels of a document", "test_mp_read"),
        L(ML_BUNDLE_OPS_MAX, "ops of a bundle", "test_bundle"),
        L(ML_HEADER_BYTES_MAX, "bytes of a header", "test_bundle"),
        L(ML_BODY_BYTES_MAX, "bytes of a body", "test_bundle"),
        L(ML_BODY_SHREDDED_MAX, "bytes of a body with shredded ops", "test_bundle"),
        L(ML_BUNDLE_BYTES_MAX, "bytes of a bundle in wire form", "test_msg"),
        L(ML_BUNDLE_DEPS_MAX, "deps of a header", "test_bundle"),
        L(ML_BUNDLE_STREAMS_MAX, "dictionary entries", "test_bundle"),
        L(ML_CHANGE_BYTES_MAX, "bytes of a change", "test_ops"),
        L(ML_CHANGE_SEEN_MAX, "versions that a change replaces", "test_ops"),
        L(ML_CHANGE_REASON_MAX, "bytes of a reason", "test_ops"),
        L(ML_CHANGE_ORIGIN_MAX, "bytes of an origin", "test_ops"),
        L(ML_ATTACHMENT_INLINE, "bytes of contents in place", "test_value"),
        L(ML_DECIMAL_MAX, "bytes of a decimal", "test_value"),
        L(ML_HEADS_MAX, "heads that a new writer names", "test_ops"),
        L(ML_KEYOP_SLOTS_MAX, "recipients of one epoch op", "test_ops"),
        L(ML_MSG_BYTES_MAX, "bytes of a message", "test_msg"),
        L(ML_MSG_HEADS_MAX, "heads of one FRONTIER", "test_msg"),
        L(ML_MSG_BUNDLES_MAX, "bundles of one BUNDLES", "test_msg"),
        L(ML_MSG_HEADERS_MAX, "headers of one HEADERS", "test_msg"),
        L(ML_MSG_HASHES_MAX, "entries of BODY_REQUEST, ABSENT, BUNDLE_REQUEST", "test_msg"),
        L(ML_MSG_FORK_HASHES_MAX, "places of one FORK_QUERY", "test_msg"),
        L(ML_CHUNK_BYTES, "bytes of a chunk's plaintext", "test_manifest"),
        L(ML_MANIFEST_CHUNKS_MAX, "chunks of a large value", "test_manifest"),
        L(ML_MEDIA_TYPE_MAX, "bytes of a media type", "test_manifest"),
        L(ML_MSG_CHUNKS_MAX, "chunks of one CHUNK_WANT", "test_manifest"),
        L(ML_RPC_BYTES_MAX, "bytes of a message of the local socket", "test_rpc_frame"),
        L(ML_DOC_KEYS_MAX, "keys of a document's open maps", "test_doc"),
#undef L
    };
    put(out, "| name | value | of | proof |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char line[200];
        snprintf(line, sizeof(line), "| `%s` | %zu | %s | `%s` |\n", limits[i].name,
                 limits[i].value, limits[i].of, limits[i].test);
        put(out, line);
    }
}

static void systems_put(struct ml_buf *out)
{
    put(out, "| number | system |\n|---|---|\n");
#define X(number, uri) put(out, "| " #number " | `" uri "` |\n");
    ML_CODE_SYSTEM_MAP(X)
#undef X
}

static void named_table_put(struct ml_buf *out, const char *name)
{
    const struct ml_wire_format *format = ml_explain_format_named(name);
    assert_non_null(format); /* a page names a format that there is not */
    if (format != NULL) {
        table_put(out, format);
    }
}

/* What belongs behind the marker `line`; false when it is none. `seen` counts the formats. */
static bool section_put(struct ml_buf *out, const char *line, size_t len, unsigned *seen)
{
    char name[80];
    if (sscanf(line, "<!-- table %79[^-] -->", name) == 1 && len < sizeof(name)) {
        name[strlen(name) - 1] = '\0'; /* the blank before "-->" */
        named_table_put(out, name);
        (*seen)++;
        return true;
    }
    if (strncmp(line, "<!-- limits -->", len) == 0 && len == 15) {
        limits_put(out);
        return true;
    }
    if (strncmp(line, "<!-- systems -->", len) == 0 && len == 16) {
        systems_put(out);
        return true;
    }
    return false;
}

/* The page with its sections written anew. */
static void page_render(struct ml_buf *out, const char *page, unsigned *seen)
{
    bool inside = false;
    while (*page != '\0') {
        const char *end = strchr(page, '\n');
        size_t len = end == NULL ? strlen(page) : (size_t)(end - page);
        if (inside && strncmp(page, "<!-- end -->", len) == 0 && len > 0) {
            inside = false;
        }
        if (!inside) {
            ml_buf_append(out, page, len);
            put(out, end == NULL ? "" : "\n");
            inside = section_put(out, page, len, seen);
        }
        page += len + (end != NULL);
    }
    assert_false(inside); /* a section without its end would eat the page */
}

static void page_path(char *out, size_t size, const char *page)
{
    snprintf(out, size, "%s/../../docs/%s", ML_TEST_VECTORS, page);
}

static const char *page_read(const char *page)
{
    static char text[PAGE_MAX];
    char path[512];
    page_path(path, sizeof(path), page);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("no %s", path);
    }
    size_t len = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[len] = '\0';
    return text;
}

static void the_pages_say_what_the_tables_say(void **state)
{
    unsigned seen = 0;
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < PAGES; i++) {
        struct ml_buf out;
        const char *page = page_read(pages[i]);
        ml_buf_init(&out, ml_env_system(), PAGE_MAX);
        page_render(&out, page, &seen);
        ml_buf_u8(&out, 0);
        assert_int_equal(out.err, ML_OK);
        assert_string_equal(page, (const char *)out.data);
        ml_buf_free(&out);
    }
    (void)ml_explain_formats(&count);
    assert_int_equal(seen, count); /* each format stands on a page */
}

static int regenerate(void)
{
    for (size_t i = 0; i < PAGES; i++) {
        char path[512];
        struct ml_buf out;
        unsigned seen = 0;
        ml_buf_init(&out, ml_env_system(), PAGE_MAX);
        page_render(&out, page_read(pages[i]), &seen);
        page_path(path, sizeof(path), pages[i]);
        FILE *f = fopen(path, "wb");
        if (f == NULL || fwrite(out.data, 1, out.len, f) != out.len || fclose(f) != 0) {
            fprintf(stderr, "can't write %s\n", path);
            return 1;
        }
        ml_buf_free(&out);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_say_what_the_tables_say),
    };
    if (argc == 2 && strcmp(argv[1], "--regenerate") == 0) {
        return regenerate();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
