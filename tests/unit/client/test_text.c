/* tests/unit/client/test_text.c -- every code has its sentence, in both languages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maille/client.h"
#include "net/client/text.h"

static void language(const char *all, const char *messages, const char *lang)
{
    setenv("LC_ALL", all, 1);           // NOLINT(concurrency-mt-unsafe)
    setenv("LC_MESSAGES", messages, 1); // NOLINT(concurrency-mt-unsafe)
    setenv("LANG", lang, 1);            // NOLINT(concurrency-mt-unsafe)
}

static struct ml_tree *detail(const char *text, const char *key, const char *value)
{
    struct ml_args *a = ml_args_new();
    struct ml_tree *tree = NULL;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    ml_args_map(a);
    ml_args_key(a, "text");
    ml_args_text(a, text);
    ml_args_key(a, "args");
    ml_args_map(a);
    ml_args_key(a, key);
    ml_args_text(a, value);
    ml_args_end(a);
    ml_args_end(a);
    assert_int_equal(ml_args_encoded(a, &bytes, &len), ML_OK);
    assert_int_equal(ml_tree_parse(&tree, bytes, len), ML_OK);
    ml_args_free(a);
    return tree;
}

static void the_first_variable_that_is_set_chooses_the_language(void **state)
{
    (void)state;
    language("", "", "");
    assert_string_equal(ml_text_language(), "fr");
    language("C", "", "en_GB.UTF-8");
    assert_string_equal(ml_text_language(), "fr");
    language("", "en_US.UTF-8", "fr_FR.UTF-8");
    assert_string_equal(ml_text_language(), "en");
    language("", "", "en");
    assert_string_equal(ml_text_language(), "en");
}

static void every_error_code_has_its_sentence(void **state)
{
    (void)state;
    static const ml_err codes[] = {
#define X(name, class, text) ML_E_##name,
        ML_ERR_MAP(X)
#undef X
    };
    language("fr", "", "");
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        char out[256];
        assert_in_range(ml_text_error(out, sizeof(out), codes[i], NULL), 10, 255);
        assert_int_not_equal(strncmp(out, "err.", 4), 0);
    }
}

/* Row `at` of all parts; NULL: after the last. */
static const struct ml_text_row *row_at(size_t at)
{
    size_t count = 0;
    const struct ml_text_row *rows = NULL;
    for (size_t part = 0; (rows = ml_text_table(part, &count)) != NULL; part++) {
        if (at < count) {
            return &rows[at];
        }
        at -= count;
    }
    return NULL;
}

static void no_id_stands_twice_and_both_languages_take_the_same_arguments(void **state)
{
    (void)state;
    const struct ml_text_row *row = NULL;
    for (size_t i = 0; (row = row_at(i)) != NULL; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(row->id, row_at(j)->id);
        }
        for (const char *p = strchr(row->fr, '{'); p != NULL; p = strchr(p + 1, '{')) {
            char name[40];
            snprintf(name, sizeof(name), "%.*s}", (int)strcspn(p, "}"), p);
            assert_non_null(strstr(row->en, name));
        }
    }
}

static void details_come_before_the_code(void **state)
{
    (void)state;
    char out[256];
    struct ml_tree *tree = detail("field.required", "label", "Nom de naissance");
    language("", "", "fr_FR.UTF-8");
    ml_text_error(out, sizeof(out), ML_E_INVALID, ml_tree_root(tree));
    assert_string_equal(
        out, "Il manque : Nom de naissance. « maille schema », suivi du type, montre ce qu'il "
             "faut donner.");
    language("en", "", "");
    ml_text_error(out, sizeof(out), ML_E_INVALID, ml_tree_root(tree));
    assert_string_equal(
        out, "Missing: Nom de naissance. “maille schema”, followed by the type, shows what "
             "is to be given.");
    ml_tree_free(tree);
    tree = detail("newer.text", "label", "x"); /* of a newer node */
    ml_text_error(out, sizeof(out), ML_E_INVALID, ml_tree_root(tree));
    assert_string_equal(out,
                        "The request is not valid: add --help to the command to see an example.");
    ml_tree_free(tree);
}

static void a_text_is_cut_at_the_size_and_says_its_length(void **state)
{
    (void)state;
    char out[8];
    language("fr", "", "");
    assert_int_equal(ml_text(out, sizeof(out), "err.CANCELED", NULL), strlen("C'est annulé."));
    assert_string_equal(out, "C'est a");
    assert_int_equal(ml_text(out, sizeof(out), "none", NULL), 4);
    assert_string_equal(out, "none");
    assert_int_equal(ml_text(NULL, 0, "none", NULL), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_variable_that_is_set_chooses_the_language),
        cmocka_unit_test(every_error_code_has_its_sentence),
        cmocka_unit_test(no_id_stands_twice_and_both_languages_take_the_same_arguments),
        cmocka_unit_test(details_come_before_the_code),
        cmocka_unit_test(a_text_is_cut_at_the_size_and_says_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
