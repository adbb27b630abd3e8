/* tests/unit/core_crypto/test_kdf.c -- the table of derivations: exact lengths, no two alike, and
 * the same table in docs/crypto.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "support_crypto.h"

static const struct {
    const char *label;
    size_t min;
    size_t max;
    size_t out;
    size_t context;
} rows[] = {
#define X(NAME, label, input, min, max, out, context, ...) {label, min, max, out, context},
    ML_KDF_MAP(X)
#undef X
};

static void derives_labelled_keyed_blake2b(void **state)
{
    (void)state;
    uint8_t context[64] = {9};
    uint8_t expect[64];
    for (size_t i = 0; i < ML_KDF_COUNT; i++) {
        struct ml_secret *in = NULL;
        struct ml_secret *out = NULL;
        char label[64];
        struct ml_hash_state st;
        assert_int_equal(ml_secret_new(&in, rows[i].max), ML_OK);
        memset(ml_secret_writable(in), (int)i, rows[i].max);
        assert_int_equal(ml_kdf((ml_kdf_id)i, &out, in, ml_slice(context, rows[i].context)), ML_OK);
        snprintf(label, sizeof(label), "maille/kdf/%s/1", rows[i].label);
        ml_hash_init(&st, rows[i].out, ml_secret_bytes(in), rows[i].max);
        ml_hash_update(&st, label, strlen(label));
        ml_hash_update(&st, context, rows[i].context);
        ml_hash_final(&st, expect, rows[i].out);
        assert_int_equal(ml_secret_len(out), rows[i].out);
        assert_memory_equal(ml_secret_bytes(out), expect, rows[i].out);
        ml_secret_free(in);
        ml_secret_free(out);
    }
}

static ml_err derive(size_t row, size_t in_len, size_t context_len)
{
    static const uint8_t bytes[80];
    struct ml_secret *in = NULL;
    struct ml_secret *out = NULL;
    assert_int_equal(ml_secret_from(&in, bytes, in_len), ML_OK);
    ml_err err = ml_kdf((ml_kdf_id)row, &out, in, ml_slice(bytes, context_len));
    ml_secret_free(in);
    ml_secret_free(out);
    return err;
}

static void takes_exact_lengths_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < ML_KDF_COUNT; i++) {
        assert_int_equal(derive(i, rows[i].min - 1, rows[i].context), ML_E_INVALID);
        assert_int_equal(derive(i, rows[i].min, rows[i].context), ML_OK);
        assert_int_equal(derive(i, rows[i].max, rows[i].context), ML_OK);
        assert_int_equal(derive(i, rows[i].max + 1, rows[i].context), ML_E_INVALID);
        assert_int_equal(derive(i, rows[i].max, rows[i].context + 1), ML_E_INVALID);
        if (rows[i].context > 0) {
            assert_int_equal(derive(i, rows[i].max, rows[i].context - 1), ML_E_INVALID);
        }
    }
}

/* Else "a/1" || "x" and "a/1x" || "" would be the same input. */
static void no_label_starts_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < ML_KDF_COUNT; i++) {
        for (size_t j = 0; j < ML_KDF_COUNT; j++) {
            char a[64];
            char b[64];
            snprintf(a, sizeof(a), "%s/1", rows[i].label);
            snprintf(b, sizeof(b), "%s/1", rows[j].label);
            assert_true(i == j || strncmp(a, b, strlen(a)) != 0);
        }
    }
}

static void stream_id_is_the_formula_of_the_log(void **state)
{
    (void)state;
    struct ml_secret *link = NULL;
    uint8_t expect[16];
    uint8_t compartment = ML_COMPARTMENT_CARE;
    struct ml_hash_state st;
    assert_int_equal(ml_secret_from(&link, "0123456789abcdef0123456789abcdef", 32), ML_OK);
    ml_hash_init(&st, 16, "0123456789abcdef0123456789abcdef", 32);
    ml_hash_update(&st, &compartment, 1);
    ml_hash_final(&st, expect, 16);
    struct ml_stream_id id = ml_stream_id_derive(link, ML_COMPARTMENT_CARE);
    assert_memory_equal(id.b, expect, 16);
    id = ml_stream_id_derive(link, ML_COMPARTMENT_ADMIN);
    assert_memory_not_equal(id.b, expect, 16);
    ml_secret_free(link);
}

static void chunk_key_depends_on_dek_and_content(void **state)
{
    (void)state;
    const uint8_t *dek[2] = {(const uint8_t *)"0123456789abcdef0123456789abcdef",
                             (const uint8_t *)"1123456789abcdef0123456789abcdef"};
    uint8_t key[4][ML_KEY_BYTES];
    uint8_t expect[32];
    struct ml_hash_state st;
    ml_chunk_key(key[0], dek[0], ml_slice_str("text"));
    ml_chunk_key(key[1], dek[0], ml_slice_str("text"));
    ml_chunk_key(key[2], dek[0], ml_slice_str("texu"));
    ml_chunk_key(key[3], dek[1], ml_slice_str("text"));
    ml_hash_init(&st, 32, dek[0], 32);
    ml_hash_update(&st, "maille/chunk/1text", 18);
    ml_hash_final(&st, expect, 32);
    assert_memory_equal(key[0], expect, 32);
    assert_memory_equal(key[0], key[1], 32);
    assert_memory_not_equal(key[0], key[2], 32);
    assert_memory_not_equal(key[0], key[3], 32);
}

static void ids_are_labelled_hashes(void **state)
{
    (void)state;
    struct ml_secret *key = NULL;
    struct ml_sign_pk pk = {{3}};
    uint8_t expect[16];
    struct ml_hash_state st;
    assert_int_equal(ml_secret_from(&key, "0123456789abcdef0123456789abcdef", 32), ML_OK);
    ml_hash_init(&st, 16, NULL, 0);
    ml_hash_update(&st, "maille/key-id/10123456789abcdef0123456789abcdef", 47);
    ml_hash_final(&st, expect, 16);
    struct ml_key_id id = ml_key_id_of(key);
    assert_memory_equal(id.b, expect, 16);
    id = ml_key_id_of_bytes(ml_secret_bytes(key));
    assert_memory_equal(id.b, expect, 16);
    ml_hash_init(&st, 16, NULL, 0);
    ml_hash_update(&st, pk.b, 32);
    ml_hash_final(&st, expect, 16);
    assert_memory_equal(ml_writer_id_of(&pk).b, expect, 16);
    ml_secret_free(key);
}

static const struct {
    const char *input;
    const char *context;
    const char *purpose;
    const char *rotation;
    const char *destruction;
} words[] = {
#define X(NAME, label, input, min, max, out, bytes, context, purpose, rotation, destruction)       \
    {input, context, purpose, rotation, destruction},
    ML_KDF_MAP(X)
#undef X
};

/* The table in docs/crypto.md, as it has to be. */
static void table_write(struct ml_buf *out)
{
    static const char head[] = "\n| label | input | bytes in, out | context: bytes | purpose | "
                               "rotation | destruction |\n|---|---|---|---|---|---|---|\n";
    ml_buf_append(out, head, sizeof(head) - 1);
    for (size_t i = 0; i < ML_KDF_COUNT; i++) {
        char line[512];
        char size[32] = "";
        if (rows[i].min != rows[i].max) {
            snprintf(size, sizeof(size), "%zu..", rows[i].min);
        }
        snprintf(line, sizeof(line), "| %s | %s | %s%zu, %zu | %s: %zu | %s | %s | %s |\n",
                 rows[i].label, words[i].input, size, rows[i].max, rows[i].out, words[i].context,
                 rows[i].context, words[i].purpose, words[i].rotation, words[i].destruction);
        ml_buf_append(out, line, strlen(line));
    }
}

static void the_table_of_the_docs_is_this_one(void **state)
{
    struct crypto_fixture *f = *state;
    static char text[65536];
    struct ml_buf expect;
    FILE *file = fopen(ML_TEST_DATA "/../../docs/crypto.md", "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    assert_true(len < sizeof(text) - 1);
    text[len] = '\0';
    static const char start_mark[] = "<!-- kdf table: made by test_kdf -->\n";
    const char *start = strstr(text, start_mark);
    const char *end = strstr(text, "\n<!-- end of kdf table -->");
    assert_true(start != NULL && end != NULL);
    start += strlen(start_mark);
    ml_buf_init(&expect, f->env, sizeof(text));
    table_write(&expect);
    if (!ml_slice_equal(ml_buf_slice(&expect), ml_slice(start, (size_t)(end - start)))) {
        fprintf(stderr, "docs/crypto.md must hold, between its marks:\n%.*s", (int)expect.len,
                (const char *)expect.data);
        fail();
    }
    ml_buf_free(&expect);
}

static void derivations_survive_a_failed_alloc(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_secret *in = NULL;
    struct ml_secret *out = NULL;
    assert_int_equal(ml_secret_new(&in, 32), ML_OK);
    fail_nth(f, 1);
    assert_int_equal(ml_kdf(ML_KDF_KEK_WRAP, &out, in, ml_slice(NULL, 0)), ML_E_NOMEM);
    assert_null(out);
    ml_secret_free(in);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(derives_labelled_keyed_blake2b),
        TEST(takes_exact_lengths_only),
        TEST(no_label_starts_another),
        TEST(stream_id_is_the_formula_of_the_log),
        TEST(chunk_key_depends_on_dek_and_content),
        TEST(ids_are_labelled_hashes),
        TEST(the_table_of_the_docs_is_this_one),
        TEST(derivations_survive_a_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
