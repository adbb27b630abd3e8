/* tests/unit/core_record/test_search.c -- a patient is found as he is said and typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/fold.h"
#include "core/record/person.h"
#include "core/store/db.h"
#include "support_vault.h"

static struct fake_env fake;

static void folds_to(const char *text, const char *want)
{
    struct ml_buf out;
    ml_buf_init(&out, &fake.env, 1000);
    ml_fold(&out, ml_slice_str(text));
    ml_buf_u8(&out, 0);
    assert_string_equal((const char *)out.data, want);
    ml_buf_free(&out);
}

static void text_is_folded(void **state)
{
    (void)state;
    folds_to("Élise Lefèvre", "elise lefevre");
    folds_to("L'Œuf d’Or", "l oeuf d or");
    folds_to("  Jean--Pierre  ", "jean pierre");
    folds_to("CÆSAR ß Ñandú Łódź Ø Đ", "caesar ss nandu lodz o d");
    folds_to("e\xcc\x81t\xc3\xa9", "ete");            /* an accent apart, and one in place */
    folds_to("\xef\xac\x81n \xe2\x85\xa3", "fin iv"); /* ligature fi, numeral IV */
    folds_to("a\xff\xfe"
             "b",
             "a b"); /* not UTF-8 */
    folds_to("Žižek 3e", "zizek 3e");
    folds_to("", "");
    folds_to("!?", "");
}

struct tokens {
    struct ml_buf buf;
};

static void tokens_of(struct tokens *t, const char *birth_name, const char *used_name,
                      const char *given)
{
    ml_buf_init(&t->buf, &fake.env, 10000);
    ml_tokens_name(&t->buf, ML_RANK_BIRTH_NAME, ml_slice_str(birth_name));
    ml_tokens_name(&t->buf, ML_RANK_USED_NAME, ml_slice_str(used_name));
    ml_tokens_name(&t->buf, ML_RANK_GIVEN, ml_slice_str(given));
    ml_tokens_date(&t->buf, ml_slice_str("1979-03-28"));
    ml_tokens_identifier(&t->buf, ml_slice_str("2 79 03 51 215 189 89"));
}

/* UINT32_MAX: not found. */
static uint32_t score_of(const struct tokens *t, const char *text)
{
    struct ml_query query;
    uint32_t score = 0;
    ml_query_parse(&query, text);
    return ml_query_match(&query, ml_buf_slice(&t->buf), &score) ? score : UINT32_MAX;
}

static void expect_found(const struct tokens *t, const char *text, bool found)
{
    if ((score_of(t, text) != UINT32_MAX) != found) {
        fail_msg("%s: %s", found ? "not found" : "found", text);
    }
}

static void names_are_found_in_every_guise(void **state)
{
    static const char *const found[] = {"de la Tour",
                                        "la tour",
                                        "tour",
                                        "delatour",
                                        "latour",
                                        "DE LA TOUR marie",
                                        "marie-ange",
                                        "marieange",
                                        "Ange Tour",
                                        "dupont",

                                        "lato dupo mari",
                                        "tour 1979",
                                        "st",
                                        "28/03/1979",
                                        "28031979",
                                        "28 03 1979",
                                        "28 mars 1979",
                                        "28 mars",
                                        "mars 1979",
                                        "03/1979",
                                        "1979-03-28",
                                        "1979",
                                        "28/03/79",
                                        "28/03/19",
                                        "28.3.1979",
                                        "28/3",
                                        "2790351",
                                        "279035121518989",
                                        "2 79 03 51 215 189 89",
                                        "saint"};
    static const char *const lost[] = {"martin", "ma rtin", "29/03/1979", "1980",    "04/1979",
                                       "80/03",  "tourx",   "278035",     "28 avril"};
    struct tokens t;
    (void)state;
    tokens_of(&t, "de La Tour", "Dupont-Saint", "Marie-Ange");
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        expect_found(&t, found[i], true);
    }
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
        expect_found(&t, lost[i], false);
    }
    ml_buf_free(&t.buf);
}

static void exact_comes_before_a_beginning_and_birth_name_before_given(void **state)
{
    struct tokens a, b;
    (void)state;
    tokens_of(&a, "Paul", "Martin", "Luc");
    tokens_of(&b, "Martin", "Martin", "Paul");
    assert_true(score_of(&a, "paul") < score_of(&b, "paul"));     /* birth name first */
    assert_true(score_of(&b, "martin") < score_of(&a, "martin")); /* than used name */
    assert_true(score_of(&a, "luc") < score_of(&b, "pau"));       /* exact first */
    ml_buf_free(&a.buf);
    ml_buf_free(&b.buf);
}

static void partial_birth_dates_are_found_by_what_they_have(void **state)
{
    struct ml_buf buf;
    struct tokens t;
    (void)state;
    ml_buf_init(&buf, &fake.env, 100);
    ml_tokens_date(&buf, ml_slice_str("1979-03"));
    t.buf = buf;
    assert_true(score_of(&t, "1979") != UINT32_MAX);
    assert_true(score_of(&t, "03/1979") != UINT32_MAX);
    assert_true(score_of(&t, "28/03/1979") == UINT32_MAX);
    ml_tokens_date(&t.buf, ml_slice_str("not a date"));
    ml_buf_free(&t.buf);
}

static void any_text_is_a_query(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[300];
        struct ml_query query;
        size_t len = (size_t)fake_below(&fake, sizeof(text));
        for (size_t i = 0; i < len; i++) {
            static const char letters[] = "aeé01239 /-'. marsdl\xc3\xff";
            text[i] = letters[fake_below(&fake, sizeof(letters) - 1)];
        }
        text[len] = '\0';
        ml_query_parse(&query, text);
        assert_true(query.count <= ML_QUERY_TERMS_MAX);
        for (uint8_t i = 0; i < query.count; i++) {
            assert_true(query.term[i].alt_count <= ML_QUERY_ALTS_MAX);
        }
    }
}

/* What is beyond a limit is cut or ignored: a query is never refused. */
static void queries_are_cut_at_their_limits(void **state)
{
    (void)state;
    struct ml_query query;
    char text[2 * ML_QUERY_BYTES_MAX];
    ml_query_parse(&query, "un deux trois quatre cinq six sept huit");
    assert_int_equal(query.count, ML_QUERY_TERMS_MAX);
    ml_query_parse(&query, "un deux trois quatre cinq six sept huit neuf");
    assert_int_equal(query.count, ML_QUERY_TERMS_MAX);
    memset(text, ' ', sizeof(text));
    memcpy(text + ML_QUERY_BYTES_MAX - 3, "fin", 4); /* the last bytes that are read */
    ml_query_parse(&query, text);
    assert_int_equal(query.count, 1);
    memset(text, ' ', sizeof(text));
    memcpy(text + ML_QUERY_BYTES_MAX, "fin", 4); /* and the first that aren't */
    ml_query_parse(&query, text);
    assert_int_equal(query.count, 0);
    memset(text, 'a', sizeof(text));
    text[ML_TOKEN_MAX - 1] = '\0'; /* with its kind it fits a token */
    ml_query_parse(&query, text);
    assert_int_equal(query.count, 1);
    assert_int_equal(query.term[0].alt[0].len, ML_TOKEN_MAX);
}

/* ---- in a vault ---- */

static struct ml_tree *find(struct ml_vault *v, const char *query, uint32_t limit)
{
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_find(v, query, limit, args), ML_OK);
    return answer(args);
}

static size_t count_of(const struct ml_tree *tree)
{
    return ml_value_count(ml_value_get(ml_tree_root(tree), "items"));
}

static const struct ml_value *at(const struct ml_tree *tree, size_t i)
{
    return ml_value_at(ml_value_get(ml_tree_root(tree), "items"), i);
}

/* Rows of the token table: an old name leaves none behind. */
static int64_t tokens_in(const char *path, const char *token)
{
    struct ml_db *db = NULL;
    struct ml_stmt *st = NULL;
    bool row = false;
    const struct ml_db_args args = {.env = &fake.env, .path = path};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    assert_int_equal(ml_stmt_prepare(&st, db, "SELECT count(*) FROM token WHERE token = ?1"),
                     ML_OK);
    ml_stmt_bind_blob(st, 1, token, strlen(token));
    assert_int_equal(ml_stmt_step(st, &row), ML_OK);
    int64_t count = ml_stmt_int(st, 0);
    ml_stmt_free(st);
    ml_db_close(db);
    return count;
}

static void homonyms_are_flagged_and_names_in_conflict_both_found(void **state)
{
    struct place *p = malloc(sizeof(*p));
    (void)state;
    assert_non_null(p);
    place_init(p, 31);
    place_found(p);
    char path[320];
    snprintf(path, sizeof(path), "%s/v0.db", p->dir);
    size_t a = place_open(p), b = place_open(p), c = place_open(p);
    struct ml_version_id made =
        put_patient(p, a, &(struct identity){"Martin", "Durand", "Léa", "1990-01-01"});
    put_patient(p, b, &(struct identity){"MARTIN", "Bloch", "Lea", "1991-02-02"});
    put_patient(p, c, &(struct identity){"Martinez", "", "Paul", "1950"});
    struct put set = {.patient = a,
                      .entity = "patient",
                      .object = &p->patient[a],
                      .field = "birth_name",
                      .value = val_text(p, "Marten"),
                      .seen = &made,
                      .seen_count = 1};
    place_catch_up(p, p->vault, 10);
    struct ml_tree *tree = find(p->vault, "martin", 10);
    assert_int_equal(count_of(tree), 3); /* the two exact ones first */
    assert_true(ml_value_bool(ml_value_get(at(tree, 0), "homonym"), false));
    assert_true(ml_value_bool(ml_value_get(at(tree, 1), "homonym"), false));
    assert_false(ml_value_bool(ml_value_get(at(tree, 2), "homonym"), true));
    ml_tree_free(tree);
    put(p, &set);
    set.value = val_text(p, "Mortin");
    put(p, &set);
    place_catch_up(p, p->vault, 10);
    static const char *const both[] = {"marten", "mortin"};
    for (size_t i = 0; i < 2; i++) {
        tree = find(p->vault, both[i], 10);
        assert_int_equal(count_of(tree), 1);
        ml_tree_free(tree);
    }
    tree = find(p->vault, "martin", 10); /* the old name finds him no more */
    assert_int_equal(count_of(tree), 2);
    ml_tree_free(tree);
    assert_int_equal(tokens_in(path, "nmartin"), 1); /* of the homonym alone */
    tree = find(p->vault, "", 2);
    assert_int_equal(count_of(tree), 2);
    assert_true(ml_value_bool(ml_value_get(ml_tree_root(tree), "more"), false));
    ml_tree_free(tree);
    assert_int_equal(place_free(p), 0);
    free(p);
}

static int group_setup(void **state)
{
    (void)state;
    fake_env_init(&fake, 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_folded),
        cmocka_unit_test(names_are_found_in_every_guise),
        cmocka_unit_test(exact_comes_before_a_beginning_and_birth_name_before_given),
        cmocka_unit_test(partial_birth_dates_are_found_by_what_they_have),
        cmocka_unit_test(any_text_is_a_query),
        cmocka_unit_test(queries_are_cut_at_their_limits),
        cmocka_unit_test(homonyms_are_flagged_and_names_in_conflict_both_found),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
