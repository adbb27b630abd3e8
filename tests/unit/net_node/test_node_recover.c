/* test_node_recover.c -- the sheets of a structure: enough of them make Root again, fewer don't;
 * and a member who forgot the passphrase, with his own sheet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/node/state.h"
#include "support_story.h"

enum { SHEETS_MAX = 15, TEXT_MAX = 512 };
static const char passphrase[] = "une phrase de passe d'essai";

struct set {
    size_t count;
    char words[SHEETS_MAX][TEXT_MAX];
    char line[SHEETS_MAX][TEXT_MAX];
};

struct story {
    struct cluster c;
    struct set sheets;
    char member_words[TEXT_MAX];
};

static void set_read(struct set *s, const struct story_request *r)
{
    s->count = 0;
    const struct ml_value *v = ml_value_at(story_get(r, "shares"), 0);
    for (; v != NULL; v = ml_value_next(v)) {
        assert_true(s->count < SHEETS_MAX);
        snprintf(s->words[s->count], TEXT_MAX, "%s", ml_value_text(ml_value_get(v, "words"), ""));
        snprintf(s->line[s->count], TEXT_MAX, "%s", ml_value_text(ml_value_get(v, "line"), ""));
        s->count++;
    }
}

static void put_int(struct story_request *r, const char *key, int64_t value)
{
    ml_args_key(r->args, key);
    ml_args_int(r->args, value);
}

static void put_true(struct story_request *r, const char *key)
{
    ml_args_key(r->args, key);
    ml_args_bool(r->args, true);
}

static void found_ask(struct story_request *r)
{
    story_ask(r);
    story_put(r, "name", "Maison de santé des Tilleuls");
    story_put(r, "member_name", "Dr Anne Morel");
    story_put(r, "passphrase", passphrase);
}

static int setup(void **state)
{
    static struct story s;
    struct story_request r;
    memset(&s, 0, sizeof(s));
    cluster_init(&s.c, 19);
    cluster_start(&s.c, 0);
    found_ask(&r);
    story_must(&r, story_send(&r, &s.c, 0, "org.found"), "org.found");
    set_read(&s.sheets, &r);
    snprintf(s.member_words, TEXT_MAX, "%s", ml_value_text(story_get(&r, "member_words"), ""));
    story_end(&r);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct story *s = *state;
    cluster_free(&s->c);
    return 0;
}

/* The texts are given in this order; *text: the id of the refusal's text. */
static ml_err recover(struct story *s, const char *const *texts, size_t count, char text[64])
{
    struct story_request r;
    story_ask(&r);
    ml_args_key(r.args, "shares");
    ml_args_list(r.args);
    for (size_t i = 0; i < count; i++) {
        ml_args_text(r.args, texts[i]);
    }
    ml_args_end(r.args);
    ml_err err = story_send(&r, &s->c, 0, "org.recover");
    snprintf(text, 64, "%s", ml_value_text(story_get(&r, "text"), ""));
    assert_true(err != ML_OK || ml_value_bool(story_get(&r, "root"), false));
    story_end(&r);
    return err;
}

static void a_founding_gives_five_sheets_of_which_three_make_root(void **state)
{
    struct story *s = *state;
    char text[64];
    const char *mixed[] = {s->sheets.words[4], s->sheets.line[0], s->sheets.words[2]};
    assert_int_equal(s->sheets.count, 5);
    assert_int_equal(recover(s, mixed, 3, text), ML_OK);
    const char *all[] = {s->sheets.line[0], s->sheets.line[1], s->sheets.line[2], s->sheets.line[3],
                         s->sheets.line[4]};
    assert_int_equal(recover(s, all, 5, text), ML_OK);
}

static void two_of_them_make_nothing(void **state)
{
    struct story *s = *state;
    char text[64];
    const char *two[] = {s->sheets.words[4], s->sheets.words[0]};
    assert_int_equal(recover(s, two, 2, text), ML_E_INVALID);
    assert_string_equal(text, "share.too_few");
    assert_int_equal(recover(s, two, 0, text), ML_E_INVALID);
    assert_string_equal(text, "share.too_few");
}

static void one_sheet_twice_is_one(void **state)
{
    struct story *s = *state;
    char text[64];
    const char *twice[] = {s->sheets.words[4], s->sheets.words[0], s->sheets.line[4]};
    assert_int_equal(recover(s, twice, 3, text), ML_E_INVALID);
    assert_string_equal(text, "share.twice");
}

/* Who says the wrong word is told: in clear, and nobody who doesn't hold the sheet learns more. */
static void a_wrong_word_is_told(void **state)
{
    struct story *s = *state;
    char text[64];
    char wrong[TEXT_MAX];
    snprintf(wrong, sizeof(wrong), "zzz %s", strchr(s->sheets.words[1], ' ') + 1);
    const char *texts[] = {s->sheets.words[0], wrong, s->sheets.words[2]};
    assert_int_equal(recover(s, texts, 3, text), ML_E_INVALID);
    assert_string_equal(text, "share.word_unknown");
    const char *first = strncmp(s->sheets.words[1], "abaisser ", 9) == 0 ? "abandon" : "abaisser";
    snprintf(wrong, sizeof(wrong), "%s %s", first, strchr(s->sheets.words[1], ' ') + 1);
    assert_int_equal(recover(s, texts, 3, text), ML_E_INVALID);
    assert_string_equal(text, "share.word_wrong");
}

/* New sheets of the same secret; those of two sets don't mix; the old set goes on to work. */
static void sheets_are_cut_anew(void **state)
{
    struct story *s = *state;
    struct story_request r;
    static struct set fresh;
    char text[64];
    story_ask(&r);
    ml_args_key(r.args, "shares");
    ml_args_list(r.args);
    for (size_t i = 0; i < 3; i++) {
        ml_args_text(r.args, s->sheets.line[i]);
    }
    ml_args_end(r.args);
    put_int(&r, "need", 2);
    put_int(&r, "count", 4);
    story_must(&r, story_send(&r, &s->c, 0, "org.recover"), "org.recover");
    set_read(&fresh, &r);
    story_end(&r);
    assert_int_equal(fresh.count, 4);
    const char *two[] = {fresh.words[3], fresh.words[1]};
    assert_int_equal(recover(s, two, 2, text), ML_OK);
    const char *mixed[] = {s->sheets.words[0], s->sheets.words[1], fresh.words[2]};
    assert_int_equal(recover(s, mixed, 3, text), ML_E_INVALID);
    assert_string_equal(text, "share.other_set");
    const char *old[] = {s->sheets.words[0], s->sheets.words[1], s->sheets.words[2]};
    assert_int_equal(recover(s, old, 3, text), ML_OK);
}

/* Read traces, nothing else: they aren't Root, and the structure's aren't made of them. */
static void the_auditors_key_is_cut_alone(void **state)
{
    struct story *s = *state;
    struct story_request r;
    static struct set auditor;
    for (unsigned again = 0; again < 2; again++) { /* from the structure's, then from its own */
        const struct set *from = again == 0 ? &s->sheets : &auditor;
        story_ask(&r);
        ml_args_key(r.args, "shares");
        ml_args_list(r.args);
        for (size_t i = 0; i < 3; i++) {
            ml_args_text(r.args, from->line[i]);
        }
        ml_args_end(r.args);
        put_int(&r, "need", 3);
        put_int(&r, "count", 3);
        put_true(&r, "auditor");
        story_must(&r, story_send(&r, &s->c, 0, "org.recover"), "org.recover");
        assert_int_equal(ml_value_bool(story_get(&r, "root"), true), again == 0);
        assert_true(ml_value_bool(story_get(&r, "auditor"), false));
        set_read(&auditor, &r);
        assert_int_equal(auditor.count, 3);
        assert_memory_equal(auditor.line[0], "MAILLE:12", 9);
        story_end(&r);
    }
    story_ask(&r); /* nobody is made a coordinator by them */
    ml_args_key(r.args, "shares");
    ml_args_list(r.args);
    for (size_t i = 0; i < 3; i++) {
        ml_args_text(r.args, auditor.line[i]);
    }
    ml_args_end(r.args);
    put_true(&r, "promote");
    assert_int_equal(story_send(&r, &s->c, 0, "org.recover"), ML_E_INVALID);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "share.auditor");
    story_end(&r);
}

static void sheets_of_another_structure_make_nothing_here(void **state)
{
    struct story *s = *state;
    struct story_request r;
    static struct set other;
    char text[64];
    cluster_start(&s->c, 1);
    found_ask(&r);
    put_true(&r, "alone");
    story_must(&r, story_send(&r, &s->c, 1, "org.found"), "org.found");
    set_read(&other, &r);
    story_end(&r);
    assert_int_equal(other.count, 3); /* one person: 2 of 3 */
    const char *two[] = {other.words[0], other.words[2]};
    assert_int_equal(recover(s, two, 2, text), ML_E_INVALID);
    assert_string_equal(text, "share.not_ours");
    const char *mixed[] = {s->sheets.words[0], other.words[1], s->sheets.words[2]};
    assert_int_equal(recover(s, mixed, 3, text), ML_E_INVALID);
    assert_string_equal(text, "share.other_org");
}

static void a_plan_that_cannot_be_founds_nothing(void **state)
{
    struct story *s = *state;
    static const int plans[][2] = {{1, 3}, {4, 3}, {2, 16}, {0, 0}, {-1, 5}};
    cluster_start(&s->c, 1);
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        struct story_request r;
        found_ask(&r);
        put_int(&r, "need", plans[i][0]);
        put_int(&r, "count", plans[i][1]);
        assert_int_equal(story_send(&r, &s->c, 1, "org.found"), ML_E_INVALID);
        assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "share.plan");
        story_end(&r);
        assert_null(s->c.nodes[1].node->orgs);
    }
}

/* ---- the forgotten passphrase ---- */

static ml_err unlock_with(struct story *s, const char *key, const char *secret)
{
    struct story_request r;
    cluster_stop(&s->c, 0);
    cluster_start(&s->c, 0);
    story_ask(&r);
    story_put(&r, key, secret);
    ml_err err = story_send(&r, &s->c, 0, "session.unlock");
    story_end(&r);
    return err;
}

static ml_err change(struct story *s, const char *key, const char *proof, char words[TEXT_MAX])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "passphrase", "une tout autre phrase de passe");
    story_put(&r, key, proof);
    if (words != NULL) {
        put_true(&r, "new_words");
    }
    ml_err err = story_send(&r, &s->c, 0, "session.passphrase");
    if (words != NULL) {
        snprintf(words, TEXT_MAX, "%s", ml_value_text(story_get(&r, "member_words"), ""));
    }
    story_end(&r);
    return err;
}

static void who_forgot_comes_back_by_his_sheet(void **state)
{
    struct story *s = *state;
    char fresh[TEXT_MAX];
    char patient[40];
    story_patient(&s->c, 0, patient);
    assert_int_equal(unlock_with(s, "passphrase", "je ne sais plus du tout"), ML_E_WRONG_KEY);
    assert_int_equal(unlock_with(s, "recovery", s->member_words), ML_OK);
    assert_int_equal(story_find(&s->c, 0, "martin"), 1);
    assert_int_equal(change(s, "recovery", s->member_words, fresh), ML_OK);
    assert_int_equal(unlock_with(s, "passphrase", "une tout autre phrase de passe"), ML_OK);
    assert_int_equal(unlock_with(s, "passphrase", passphrase), ML_E_WRONG_KEY);
    assert_int_equal(unlock_with(s, "recovery", s->member_words), ML_E_WRONG_KEY);
    assert_int_equal(unlock_with(s, "recovery", fresh), ML_OK);
    assert_int_equal(story_find(&s->c, 0, "martin"), 1);
}

static void a_passphrase_changes_for_who_knows_the_old_one(void **state)
{
    struct story *s = *state;
    assert_int_equal(change(s, "old", "pas la bonne phrase", NULL), ML_E_WRONG_KEY);
    assert_int_equal(change(s, "recovery", s->sheets.words[0], NULL), ML_E_INVALID);
    assert_int_equal(change(s, "other", "rien", NULL), ML_E_INVALID);
    assert_int_equal(unlock_with(s, "passphrase", passphrase), ML_OK);
    assert_int_equal(change(s, "old", passphrase, NULL), ML_OK);
    assert_int_equal(unlock_with(s, "passphrase", "une tout autre phrase de passe"), ML_OK);
    assert_int_equal(unlock_with(s, "recovery", s->member_words), ML_OK); /* as it was */
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_founding_gives_five_sheets_of_which_three_make_root),
        T(two_of_them_make_nothing),
        T(one_sheet_twice_is_one),
        T(a_wrong_word_is_told),
        T(sheets_are_cut_anew),
        T(the_auditors_key_is_cut_alone),
        T(sheets_of_another_structure_make_nothing_here),
        T(a_plan_that_cannot_be_founds_nothing),
        T(who_forgot_comes_back_by_his_sheet),
        T(a_passphrase_changes_for_who_knows_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
