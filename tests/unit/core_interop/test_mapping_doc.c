/* tests/unit/core_interop/test_mapping_doc.c -- docs/fhir-mapping.md is the schema's own mapping.
 *
 * The tables stand between two marks; with ML_WRITE_DOCS=1 in the environment the test writes them
 * again instead of comparing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/interop/fhir.h"
#include "fake_env.h"

#define DOC  ML_TEST_DATA "/../../docs/fhir-mapping.md"
#define FROM "<!-- tables: written by test_mapping_doc -->\n"
#define TO   "<!-- end of the tables -->\n"

enum { DOC_MAX = 262144 };

struct text {
    char *at;
    size_t len;
};

static void add(struct text *t, const char *s)
{
    size_t n = strlen(s);
    assert_true(t->len + n < DOC_MAX);
    for (size_t i = 0; i <= n; i++) {
        t->at[t->len + i] = s[i];
    }
    t->len += n;
}

/* '|' would end a table's cell. */
static void add_cell(struct text *t, const char *s)
{
    for (; s != NULL && *s != '\0'; s++) {
        char one[3] = {*s, '\0', '\0'};
        add(t, *s == '|' ? "\\|" : one);
    }
}

static const char *const types[] = {
    "text",    "bool",    "int",       "decimal", "quantity",   "code", "concept",
    "date",    "instant", "period",    "ref",     "id",         "name", "address",
    "contact", "dosage",  "component", "value",   "attachment",
};

static void add_field(struct text *t, const struct ml_field *field)
{
    char number[16];
    snprintf(number, sizeof(number), "%u", field->id);
    add(t, "| ");
    add(t, number);
    add(t, " | `");
    add(t, field->name);
    add(t, "` | ");
    add(t, types[field->type]);
    add(t, field->list ? " list | " : " | ");
    add(t, field->label_fr);
    add(t, " | ");
    if (field->fhir != NULL) {
        add(t, "`");
        add_cell(t, field->fhir);
        add(t, "`");
    }
    add(t, " |\n");
}

static void add_drops(struct text *t, const struct ml_fhir_drop *drops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add(t, i == 0 ? "\nLeft out on purpose:\n\n" : "");
        add(t, "- `");
        add(t, drops[i].path);
        add(t, "`: ");
        add(t, drops[i].reason);
        add(t, "\n");
    }
}

static void add_entity(struct text *t, const struct ml_entity *e)
{
    add(t, "\n### ");
    add(t, e->name);
    add(t, " — ");
    add(t, e->label_fr);
    add(t, "\n\n");
    if (e->fhir_type == NULL) {
        add(t, "From no FHIR resource.\n\n");
    } else {
        add(t, "From `");
        add(t, e->fhir_type);
        add(t, "`");
        add(t, e->fhir_when != NULL ? " when `" : "");
        add(t, e->fhir_when != NULL ? e->fhir_when : "");
        add(t, e->fhir_when != NULL ? "`" : "");
        add(t, ".\n\n");
    }
    add(t, "| n | field | type | label | FHIR R4 path |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < e->field_count; i++) {
        add_field(t, &e->fields[i]);
    }
    add_drops(t, e->fhir_drops, e->fhir_drop_count);
}

static void make_tables(struct text *t)
{
    const struct ml_schema *schema = ml_schema_builtin();
    const struct ml_fhir_drop *common = NULL;
    size_t count = ml_fhir_common_drops(&common);
    for (size_t i = 0; i < schema->entity_count; i++) {
        add_entity(t, schema->entities[i]);
    }
    add(t, "\n### Of all resources\n");
    add_drops(t, common, count);
    add(t, "\n");
}

static char *read_doc(void)
{
    char *text = calloc(1, DOC_MAX);
    FILE *file = fopen(DOC, "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, DOC_MAX - 1, file);
    assert_true(n > 0 && n < DOC_MAX - 1);
    fclose(file);
    return text;
}

static void write_doc(const char *doc, const char *from, const struct text *tables, const char *to)
{
    FILE *file = fopen(DOC, "wb");
    assert_non_null(file);
    fwrite(doc, 1, (size_t)(from - doc), file);
    fwrite(tables->at, 1, tables->len, file);
    fwrite(to, 1, strlen(to), file);
    fclose(file);
}

static void the_document_is_the_schemas_mapping(void **state)
{
    (void)state;
    struct text tables = {.at = calloc(1, DOC_MAX)};
    char *doc = read_doc();
    const char *from = strstr(doc, FROM);
    const char *to = strstr(doc, TO);
    assert_true(from != NULL && to != NULL && from < to);
    from += strlen(FROM);
    make_tables(&tables);
    if (getenv("ML_WRITE_DOCS") != NULL) {
        write_doc(doc, from, &tables, to);
    } else {
        assert_int_equal(tables.len, to - from);
        assert_memory_equal(tables.at, from, tables.len);
    }
    free(tables.at);
    free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_is_the_schemas_mapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
