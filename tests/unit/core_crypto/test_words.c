/* tests/unit/core_crypto/test_words.c -- secrets as French words: BIP-39, read with tolerance, and
 * faults that a person can act on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/words.h"
#include "support_crypto.h"

/* Made by another implementation (Python) from BIP-39's own entropies; the last two by the same
 * rule for 10 bytes. */
static const struct {
    const char *entropy;
    const char *text;
} vectors[] = {
    {"00000000000000000000000000000000", "abaisser abaisser abaisser abaisser abaisser abaisser "
                                         "abaisser abaisser abaisser abaisser abaisser abeille"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "implorer visage sonnette voyage véloce pourpre volaille "
                                         "tribunal implorer visage sonnette voyelle"},
    {"ffffffffffffffffffffffffffffffff", "zoologie zoologie zoologie zoologie zoologie zoologie "
                                         "zoologie zoologie zoologie zoologie zoologie voter"},
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser "
     "abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser "
     "abaisser abaisser abaisser anaphore"},
    {"68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
     "flatteur cultiver oisillon destrier brusque crainte oisillon labourer remède substrat "
     "parfumer banquier flèche enclave fémur sombre jongler damier insigne voguer rasage gomme "
     "crainte incendie"},
    {"00010203040506070809", "abaisser agréable inductif agréable éligible achat bolide broder"},
    {"ffffffffffffffffffff",
     "zoologie zoologie zoologie zoologie zoologie zoologie zoologie sorcier"},
};
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static struct ml_secret *entropy_of(size_t i)
{
    struct ml_secret *s = NULL;
    uint8_t bytes[32];
    size_t len = unhex(bytes, sizeof(bytes), vectors[i].entropy);
    assert_int_equal(ml_secret_from(&s, bytes, len), ML_OK);
    return s;
}

/* Decodes text that should hold `bytes` bytes; NULL when it is refused, and why in *error. */
static struct ml_secret *decoded(const char *text, size_t bytes, struct ml_words_error *error)
{
    struct ml_secret *out = NULL;
    *error = (struct ml_words_error){(ml_words_fault)99, 99};
    ml_err err = ml_words_decode(&out, bytes, ml_slice_str(text), error);
    assert_int_equal(err, out == NULL ? ML_E_INVALID : ML_OK);
    return out;
}

static void encodes_and_decodes_bip39(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct ml_secret *entropy = entropy_of(i);
        struct ml_secret *text = NULL;
        struct ml_words_error error;
        assert_int_equal(ml_words_encode(&text, entropy), ML_OK);
        assert_string_equal((const char *)ml_secret_bytes(text), vectors[i].text);
        assert_int_equal(ml_secret_len(text), strlen(vectors[i].text) + 1);
        struct ml_secret *back = decoded(vectors[i].text, ml_secret_len(entropy), &error);
        assert_non_null(back);
        assert_true(ml_secret_equal(back, entropy));
        ml_secret_free(back);
        ml_secret_free(text);
        ml_secret_free(entropy);
    }
}

static void the_list_is_the_one_of_the_data(void **state)
{
    (void)state;
    char line[64];
    FILE *file = fopen(ML_TEST_DATA "/wordlist/french.txt", "r");
    assert_non_null(file);
    for (size_t i = 0; i < ML_WORDS_LIST; i++) {
        assert_non_null(fgets(line, sizeof(line), file));
        line[strcspn(line, "\n")] = '\0';
        assert_string_equal(ml_words_french[i], line);
        assert_true(strlen(line) <= ML_WORD_BYTES_MAX);
    }
    assert_null(fgets(line, sizeof(line), file));
    fclose(file);
}

/* Each word of the list is found again, wherever it stands: 2,048 texts of 12 words. */
static void every_word_is_read_as_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < ML_WORDS_LIST; i++) {
        char text[256];
        struct ml_words_error error;
        snprintf(text, sizeof(text), "%s abaisser abaisser", ml_words_french[i]);
        assert_null(decoded(text, 16, &error));
        assert_int_equal(error.fault, ML_WORDS_COUNT); /* so none of them was unknown */
        assert_int_equal(error.word, 3);
    }
}

static void case_accents_and_spacing_do_not_matter(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser abaisser "
        "abaisser ",
        "  ABAISSER\tAbaisser\nabaisser\r\nabaisser  abaisser abaisser abaisser abaisser abaisser "
        "abaisser abaisser ",
        "1. abaisser 2. abaisser 3. abaisser 4. abaisser 5. abaisser 6. abaisser 7. abaisser "
        "8. abaisser 9. abaisser 10. abaisser 11. abaisser 12. ",
        "abaisser-abaisser-abaisser-abaisser-abaisser-abaisser-abaisser-abaisser-abaisser-abaisser-"
        "abaisser-",
        "abaisser\xc2\xa0"
        "abaisser\xe2\x80\xaf"
        "abaisser\xe2\x80\x93"
        "abaisser abaisser "
        "abaisser abaisser abaisser abaisser abaisser abaisser ",
        "\xc3\xa2"
        "baisser ab\xc3\x80isser abai\xcc\x82sser abaisser abaisser abaisser abaisser "
        "abaisser abaisser abaisser abaisser ",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[300];
        struct ml_words_error error;
        snprintf(text, sizeof(text), "%s%s. \n", texts[i], strrchr(vectors[0].text, ' ') + 1);
        struct ml_secret *back = decoded(text, 16, &error);
        assert_non_null(back);
        ml_secret_free(back);
    }
}

static void accents_are_optional_composed_or_not(void **state)
{
    (void)state;
    static const char *const forms[] = {"acad\xc3\xa9mie", "academie", "acade\xcc\x81mie",
                                        "ACAD\xc3\x89MIE"};
    for (size_t i = 0; i < 4; i++) {
        struct ml_words_error error;
        assert_null(decoded(forms[i], 16, &error));
        assert_int_equal(error.fault, ML_WORDS_COUNT);
        assert_int_equal(error.word, 1);
    }
}

static void faults_say_which_word(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        struct ml_words_error expect;
    } cases[] = {
        {"", 16, {ML_WORDS_COUNT, 0}},
        {" 1. 2. ", 16, {ML_WORDS_COUNT, 0}},
        {"abaisser abandonn abdiquer", 16, {ML_WORDS_UNKNOWN, 2}},
        {"abaisser abando abdiquer", 16, {ML_WORDS_UNKNOWN, 2}}, /* whole words only */
        {"abaisserabandon", 16, {ML_WORDS_UNKNOWN, 1}},
        {"abaisser \xce\xb1", 16, {ML_WORDS_UNKNOWN, 2}},
        {"abaisser zz\xff", 16, {ML_WORDS_UNKNOWN, 2}},
        {"abaisser \xc3", 16, {ML_WORDS_UNKNOWN, 2}}, /* cut in a character */
        {"abaisser \xf0\x9f\x98\x80", 16, {ML_WORDS_UNKNOWN, 2}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ml_words_error error;
        assert_null(decoded(cases[i].text, cases[i].bytes, &error));
        assert_int_equal(error.fault, cases[i].expect.fault);
        assert_int_equal(error.word, cases[i].expect.word);
    }
    struct ml_words_error error;
    assert_null(decoded(vectors[0].text, 32, &error)); /* 12 words where 24 are expected */
    assert_int_equal(error.fault, ML_WORDS_COUNT);
    assert_null(decoded(vectors[3].text, 16, &error)); /* and the other way */
    assert_int_equal(error.fault, ML_WORDS_COUNT);
    assert_int_equal(error.word, 24);
}

/* Every other word in one place: the check lets 1 in 256 through by design (8 bits), no more. */
static void the_check_finds_a_word_that_is_another(void **state)
{
    (void)state;
    struct ml_words_error error;
    const char *tail = strchr(vectors[5].text, ' ');
    size_t passed = 0;
    for (size_t i = 0; i < ML_WORDS_LIST; i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s%s", ml_words_french[i], tail);
        struct ml_secret *back = decoded(text, 10, &error);
        passed += back != NULL;
        assert_true(back != NULL || error.fault == ML_WORDS_CHECK);
        ml_secret_free(back);
    }
    assert_in_range(passed, 1, 24); /* 8 expected, the right one among them */
}

static void the_check_finds_two_swapped_words(void **state)
{
    (void)state;
    struct ml_words_error error;
    char text[256];
    char a[16];
    char b[16];
    int at = 0;
    assert_int_equal(sscanf(vectors[5].text, "%15s %15s%n", a, b, &at), 2);
    snprintf(text, sizeof(text), "%s %s%s", b, a, vectors[5].text + at);
    assert_null(decoded(text, 10, &error));
    assert_int_equal(error.fault, ML_WORDS_CHECK);
}

static void a_check_of_4_bits_is_held_to_4_bits(void **state)
{
    (void)state;
    struct ml_words_error error;
    char text[256];
    size_t passed = 0;
    snprintf(text, sizeof(text), "%s", vectors[0].text);
    char *last = strrchr(text, ' ') + 1;
    for (size_t i = 0; i < 16; i++) { /* the last word's entropy bits zero, any check */
        snprintf(last, (size_t)(text + sizeof(text) - last), "%s", ml_words_french[i]);
        struct ml_secret *back = decoded(text, 16, &error);
        passed += back != NULL;
        ml_secret_free(back);
    }
    assert_int_equal(passed, 1);
}

static void other_lengths_are_refused(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 64; len++) {
        struct ml_secret *entropy = NULL;
        struct ml_secret *text = NULL;
        assert_int_equal(ml_secret_new(&entropy, len), ML_OK);
        bool fits = len == 10 || len == 16 || len == 32 || len == 44;
        assert_int_equal(ml_words_encode(&text, entropy), fits ? ML_OK : ML_E_INVALID);
        ml_secret_free(text);
        ml_secret_free(entropy);
    }
    char text[ML_WORDS_TEXT_MAX + 1];
    struct ml_secret *out = NULL;
    struct ml_words_error error;
    memset(text, ' ', sizeof(text));
    assert_int_equal(ml_words_decode(&out, 16, ml_slice(text, sizeof(text)), &error), ML_E_LIMIT);
    assert_int_equal(ml_words_decode(&out, 16, ml_slice(text, sizeof(text) - 1), &error),
                     ML_E_INVALID);
    assert_null(out);
}

static void fingerprint_is_66_bits_of_a_labelled_hash(void **state)
{
    (void)state;
    char text[ML_FINGERPRINT_TEXT];
    ml_words_fingerprint(text, ml_slice_str("label/key"));
    assert_string_equal(text, "muscle coiffer horrible balcon écouter objectif");
    ml_words_fingerprint(text, ml_slice_str("label/kez"));
    assert_string_not_equal(text, "muscle coiffer horrible balcon écouter objectif");
}

static void both_survive_a_failed_alloc(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_secret *entropy = entropy_of(0);
    struct ml_secret *out = NULL;
    struct ml_words_error error;
    fail_nth(f, 1);
    assert_int_equal(ml_words_encode(&out, entropy), ML_E_NOMEM);
    fail_nth(f, 1);
    assert_int_equal(ml_words_decode(&out, 16, ml_slice_str(vectors[0].text), &error), ML_E_NOMEM);
    assert_null(out);
    ml_secret_free(entropy);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(encodes_and_decodes_bip39),
        TEST(the_list_is_the_one_of_the_data),
        TEST(every_word_is_read_as_itself),
        TEST(case_accents_and_spacing_do_not_matter),
        TEST(accents_are_optional_composed_or_not),
        TEST(faults_say_which_word),
        TEST(the_check_finds_a_word_that_is_another),
        TEST(the_check_finds_two_swapped_words),
        TEST(a_check_of_4_bits_is_held_to_4_bits),
        TEST(other_lengths_are_refused),
        TEST(fingerprint_is_66_bits_of_a_labelled_hash),
        TEST(both_survive_a_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
