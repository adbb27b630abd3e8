/* tests/unit/core_codec/test_tree.c -- what is written is what is read; nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/rpc_limits.h"
#include "maille/value.h"

static struct ml_tree *parsed(struct ml_args *a)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_tree *tree = NULL;
    assert_int_equal(ml_args_encoded(a, &bytes, &len), ML_OK);
    assert_int_equal(ml_tree_parse(&tree, bytes, len), ML_OK);
    return tree;
}

static struct ml_args *sample(void)
{
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    ml_args_key(a, "nom");
    ml_args_text(a, "Élodie");
    ml_args_key(a, "mesures");
    ml_args_list(a);
    for (int i = -20; i < 20; i++) { /* more than 15: a head of three bytes */
        ml_args_int(a, (int64_t)i * 100000);
    }
    ml_args_list(a);
    ml_args_end(a);
    ml_args_end(a);
    ml_args_key(a, "octets");
    ml_args_bytes(a, "\0\xff", 2);
    ml_args_key(a, "rien");
    ml_args_nil(a);
    ml_args_key(a, "vrai");
    ml_args_bool(a, true);
    ml_args_key(a, "poids");
    ml_args_float(a, 72.5);
    ml_args_key(a, "sous");
    ml_args_map(a);
    ml_args_key(a, "x");
    ml_args_int(a, 7);
    ml_args_end(a);
    ml_args_end(a);
    return a;
}

static void check_sample(const struct ml_value *root)
{
    size_t len = 0;
    assert_int_equal(ml_value_count(root), 7);
    assert_string_equal(ml_value_text(ml_value_get(root, "nom"), ""), "Élodie");
    const struct ml_value *list = ml_value_get(root, "mesures");
    assert_int_equal(ml_value_count(list), 41);
    assert_int_equal(ml_value_int(ml_value_at(list, 0), 0), -2000000);
    assert_int_equal(ml_value_int(ml_value_next(ml_value_at(list, 38)), 0), 1900000);
    assert_int_equal(ml_value_kind_of(ml_value_at(list, 40)), ML_VALUE_LIST);
    assert_int_equal(ml_value_count(ml_value_at(list, 40)), 0);
    assert_null(ml_value_at(list, 41));
    assert_memory_equal(ml_value_bytes(ml_value_get(root, "octets"), &len), "\0\xff", 2);
    assert_int_equal(len, 2);
    assert_int_equal(ml_value_kind_of(ml_value_get(root, "rien")), ML_VALUE_NIL);
    assert_true(ml_value_bool(ml_value_get(root, "vrai"), false));
    assert_true(ml_value_float(ml_value_get(root, "poids"), 0) == 72.5);
    assert_int_equal(ml_value_int(ml_value_get(ml_value_get(root, "sous"), "x"), 0), 7);
    assert_string_equal(ml_value_key(ml_value_at(root, 6)), "sous");
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct ml_args *a = sample();
    struct ml_tree *tree = parsed(a);
    check_sample(ml_tree_root(tree));
    ml_tree_free(tree);
    ml_args_free(a);
}

static void a_value_is_copied_with_all_inside_it(void **state)
{
    (void)state;
    struct ml_args *a = sample();
    struct ml_tree *tree = parsed(a);
    struct ml_args *b = ml_args_new();
    ml_args_list(b);
    ml_args_value(b, ml_tree_root(tree));
    ml_args_value(b, ml_value_get(ml_tree_root(tree), "nom"));
    ml_args_end(b);
    struct ml_tree *copy = parsed(b);
    check_sample(ml_value_at(ml_tree_root(copy), 0));
    assert_string_equal(ml_value_text(ml_value_at(ml_tree_root(copy), 1), ""), "Élodie");
    ml_tree_free(copy);
    ml_args_free(b);
    ml_tree_free(tree);
    ml_args_free(a);
}

static void readers_take_null_and_the_wrong_kind(void **state)
{
    (void)state;
    size_t len = 1;
    assert_null(ml_tree_root(NULL));
    assert_null(ml_value_get(NULL, "a"));
    assert_null(ml_value_at(NULL, 0));
    assert_null(ml_value_next(NULL));
    assert_string_equal(ml_value_key(NULL), "");
    assert_string_equal(ml_value_text(NULL, "?"), "?");
    assert_int_equal(ml_value_int(NULL, -3), -3);
    assert_true(ml_value_uint(NULL, 3) == 3);
    assert_true(ml_value_float(NULL, 1.5) == 1.5);
    assert_true(ml_value_bool(NULL, true));
    assert_null(ml_value_bytes(NULL, &len));
    assert_int_equal(len, 0);
    struct ml_args *a = ml_args_new();
    ml_args_int(a, -1);
    struct ml_tree *tree = parsed(a);
    assert_true(ml_value_uint(ml_tree_root(tree), 9) == 9); /* negative is no natural */
    assert_int_equal(ml_value_count(ml_tree_root(tree)), 0);
    ml_tree_free(tree);
    ml_args_free(a);
    ml_tree_free(NULL);
    ml_args_free(NULL);
}

static void numbers_beyond_int64_are_naturals(void **state)
{
    (void)state;
    struct ml_tree *tree = NULL;
    const uint8_t max[] = {0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(ml_tree_parse(&tree, max, sizeof(max)), ML_OK);
    assert_int_equal(ml_value_kind_of(ml_tree_root(tree)), ML_VALUE_UINT);
    assert_true(ml_value_uint(ml_tree_root(tree), 0) == UINT64_MAX);
    assert_int_equal(ml_value_int(ml_tree_root(tree), -1), -1);
    struct ml_args *a = ml_args_new();
    ml_args_value(a, ml_tree_root(tree));
    const uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(ml_args_encoded(a, &bytes, &len), ML_OK);
    assert_memory_equal(bytes, max, sizeof(max));
    ml_args_free(a);
    ml_tree_free(tree);
}

static ml_err encoded(struct ml_args *a)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    ml_err err = ml_args_encoded(a, &bytes, &len);
    ml_args_free(a);
    return err;
}

static void a_writer_used_wrongly_says_so(void **state)
{
    (void)state;
    assert_int_equal(encoded(NULL), ML_E_NOMEM);
    assert_int_equal(encoded(ml_args_new()), ML_E_INVALID); /* no root */
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    assert_int_equal(encoded(a), ML_E_INVALID); /* not closed */
    a = ml_args_new();
    ml_args_nil(a);
    ml_args_nil(a);
    assert_int_equal(encoded(a), ML_E_INVALID); /* two roots */
    a = ml_args_new();
    ml_args_map(a);
    ml_args_nil(a);
    ml_args_end(a);
    assert_int_equal(encoded(a), ML_E_INVALID); /* no key */
    a = ml_args_new();
    ml_args_map(a);
    ml_args_key(a, "k");
    ml_args_end(a);
    assert_int_equal(encoded(a), ML_E_INVALID); /* key without value */
    a = ml_args_new();
    ml_args_end(a);
    assert_int_equal(encoded(a), ML_E_INVALID);
    a = ml_args_new();
    ml_args_key(a, "k");
    assert_int_equal(encoded(a), ML_E_INVALID);
}

static struct ml_args *nested(unsigned depth)
{
    struct ml_args *a = ml_args_new();
    for (unsigned i = 0; i < depth; i++) {
        ml_args_list(a);
    }
    for (unsigned i = 0; i < depth; i++) {
        ml_args_end(a);
    }
    return a;
}

static void depth_ends_at_sixteen(void **state)
{
    (void)state;
    struct ml_args *a = nested(16);
    struct ml_tree *tree = parsed(a);
    struct ml_args *b = ml_args_new();
    ml_args_value(b, ml_tree_root(tree));
    assert_int_equal(encoded(b), ML_OK);
    ml_tree_free(tree);
    ml_args_free(a);
    assert_int_equal(encoded(nested(17)), ML_E_LIMIT);
    uint8_t deep[17];
    memset(deep, 0x91, sizeof(deep) - 1);
    deep[16] = 0xc0;
    assert_int_equal(ml_tree_parse(&tree, deep, sizeof(deep)), ML_OK);
    ml_tree_free(tree);
    uint8_t deeper[18];
    memset(deeper, 0x91, sizeof(deeper) - 1);
    deeper[17] = 0xc0;
    assert_int_equal(ml_tree_parse(&tree, deeper, sizeof(deeper)), ML_E_MALFORMED);
}

static void bytes_that_are_no_document_are_refused(void **state)
{
    (void)state;
    struct ml_tree *tree = NULL;
    assert_int_equal(ml_tree_parse(&tree, (const uint8_t *)"", 0), ML_E_MALFORMED);
    assert_int_equal(ml_tree_parse(&tree, (const uint8_t *)"\xc0\xc0", 2), ML_E_MALFORMED);
    assert_int_equal(ml_tree_parse(&tree, (const uint8_t *)"\x81\x01\x01", 3), ML_E_MALFORMED);
    assert_int_equal(ml_tree_parse(&tree, (const uint8_t *)"\xa2\xff\xff", 3), ML_E_MALFORMED);
    assert_int_equal(ml_tree_parse(&tree, (const uint8_t *)"", ML_RPC_BYTES_MAX + 1), ML_E_LIMIT);
    assert_null(tree);
}

static void the_number_of_values_is_limited(void **state)
{
    (void)state;
    static uint8_t flat[5 + ML_TREE_VALUES_MAX] = {0xdd};
    memset(flat + 5, 0xc0, sizeof(flat) - 5);
    struct ml_tree *tree = NULL;
    uint32_t fit = ML_TREE_VALUES_MAX - 1; /* the list itself is a value too */
    for (uint32_t extra = 0; extra < 2; extra++) {
        uint32_t n = fit + extra;
        const uint8_t head[] = {0xdd, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                                (uint8_t)n};
        memcpy(flat, head, sizeof(head));
        assert_int_equal(ml_tree_parse(&tree, flat, 5 + n), extra == 0 ? ML_OK : ML_E_LIMIT);
    }
    ml_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_value_is_copied_with_all_inside_it),
        cmocka_unit_test(readers_take_null_and_the_wrong_kind),
        cmocka_unit_test(numbers_beyond_int64_are_naturals),
        cmocka_unit_test(a_writer_used_wrongly_says_so),
        cmocka_unit_test(depth_ends_at_sixteen),
        cmocka_unit_test(bytes_that_are_no_document_are_refused),
        cmocka_unit_test(the_number_of_values_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
