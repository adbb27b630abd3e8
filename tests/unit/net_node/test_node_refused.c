/* test_node_refused.c -- every refused act says to whom, what, why and what to do about it, in
 * French: each reason, and what a nurse, a secretary, a coordinator and somebody suspended are
 * told. The cluster asks the same of each refusal that any other test meets (support_refusal.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/trace.h"
#include "maille/client.h"
#include "net/node/call.h"
#include "support_refusal.h"
#include "support_story.h"

enum { CHIEF, NURSE, SECRETARY, REFERENT, PEOPLE };

struct fixture {
    struct cluster c;
    char member[PEOPLE][40];
    char patient[40];
};

static const char *const names[PEOPLE] = {"Dr Martin", "Inès Leroy", "Zoé Lenoir", "Luc Garnier"};

static int setup(void **state)
{
    static struct fixture f;
    struct story_request r;
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 77);
    story_found(&f.c, 0);
    story_join(&f.c, 0, 1, names[NURSE], 60);
    story_join(&f.c, 0, 2, names[SECRETARY], 331);
    story_join_ranked(&f.c, 0, 3, names[REFERENT], 2);
    story_ask(&r);
    story_must(&r, story_send(&r, &f.c, 0, "right.adopt"), "right.adopt");
    story_end(&r);
    story_patient(&f.c, 0, f.patient);
    for (unsigned n = 1; n < PEOPLE; n++) {
        story_synced(&f.c, n);
        story_member_of(&f.c, 0, names[n], f.member[n]);
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

/* Parameters by name, ended by NULL; "hours" and "role" are numbers. */
struct act {
    unsigned by;
    const char *method;
    const char *params[10];
    const char *text;
};

static void tried(struct fixture *f, const struct act *a)
{
    char said[1024];
    struct story_request r;
    story_ask(&r);
    for (size_t i = 0; i < 10 && a->params[i] != NULL; i += 2) {
        if (strcmp(a->params[i], "hours") == 0 || strcmp(a->params[i], "role") == 0) {
            ml_args_key(r.args, a->params[i]);
            ml_args_int(r.args, strtol(a->params[i + 1], NULL, 10));
        } else {
            story_put(&r, a->params[i], a->params[i + 1]);
        }
    }
    const ml_err err = story_send(&r, &f->c, a->by, a->method);
    const char *text = ml_value_text(story_get(&r, "text"), "");
    if (err != ML_E_DENIED || strcmp(text, a->text) != 0) {
        fail_msg("%s by %s: %s %s", a->method, names[a->by], ml_err_name(err), text);
    }
    ml_text_error(said, sizeof(said), err, ml_tree_root(r.answer));
    if (a->by != CHIEF) { /* whom story_found calls otherwise */
        assert_non_null(strstr(said, names[a->by]));
    }
    story_end(&r);
}

static bool is_named(const char *method, const char *language)
{
    char id[80];
    char act[120];
    setenv("LC_ALL", language, 1); // NOLINT(concurrency-mt-unsafe)
    snprintf(id, sizeof(id), "act.%s", method);
    ml_text(act, sizeof(act), id, NULL);
    return strcmp(act, id) != 0;
}

static void lacks(const char *what, const char *where)
{
    fail_msg("%s lacks its words: %s", what, where);
}

static void each_method_is_named_in_both_languages(void **state)
{
    (void)state;
    const struct ml_method *m = NULL;
    for (size_t i = 0; (m = ml_method_at(i)) != NULL; i++) {
        if (!is_named(m->name, "fr") || !is_named(m->name, "en")) {
            lacks(m->name, "net/client/text_act.c");
        }
    }
}

static bool says_both(const struct refusal *r)
{
    char said[600];
    setenv("LC_ALL", "fr", 1); // NOLINT(concurrency-mt-unsafe)
    ml_text(said, sizeof(said), r->text, NULL);
    return strstr(said, r->why) != NULL && strstr(said, r->remedy) != NULL;
}

static void each_reason_says_why_and_what_to_do(void **state)
{
    (void)state;
    for (const struct refusal *r = refusals; r->text != NULL; r++) {
        if (!says_both(r)) {
            lacks(r->text, "support_refusal.c");
        }
    }
}

static void who_is_refused_reads_all_four(void **state)
{
    struct fixture *f = *state;
    const char *nurse = f->member[NURSE];
    const char *secretary = f->member[SECRETARY];
    const char *referent = f->member[REFERENT];
    const struct act acts[] = {
        {NURSE, "member.add", {"name", "Ana", "role", "60"}, "rank.coordinator"},
        {NURSE, "member.revoke", {"member", secretary}, "rank.referent"},
        {NURSE, "member.suspend", {"member", secretary, "hours", "2"}, "rank.referent"},
        {NURSE, "member.revoke", {"member", nurse}, "member.deny_self"},
        {NURSE, "member.history", {"member", secretary}, "rank.referent"},
        {NURSE, "enrol.code", {"member", secretary}, "rank.coordinator"},
        {NURSE, "enrol.last", {NULL}, "rank.coordinator"},
        {NURSE, "right.adopt", {NULL}, "rank.coordinator"},
        {NURSE, "matrix.set", {NULL}, "rank.coordinator"},
        {NURSE, "role.grant", {"member", nurse, "role", "10"}, "rank.referent"},
        {NURSE, "role.end", {"member", secretary, "role", "331"}, "rank.referent"},
        {NURSE, "governance.checkpoint", {NULL}, "rank.referent"},
        {NURSE, "trace.search", {"member", secretary}, "trace.not_yours"},
        {NURSE, "trace.grant", {"member", nurse}, "trace.no_auditor"},
        {SECRETARY,
         "breakglass.open",
         {"patient", f->patient, "reason", "vital", "text", "chute", NULL},
         "glass.right"},
        {SECRETARY, "role.grant", {"member", nurse, "role", "10"}, "rank.referent"},
        {REFERENT, "member.add", {"name", "Ana", "role", "60"}, "rank.coordinator"},
        {REFERENT, "role.grant", {"member", referent, "role", "10"}, "role.two"},
        {CHIEF, "trace.search", {"member", nurse}, "trace.not_yours"},
        {CHIEF, "trace.grant", {"member", nurse}, "trace.no_auditor"},
    };
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        tried(f, &acts[i]);
    }
}

/* A rank that is suspended is none: he is told of the suspension, not that he has no rank. */
static void who_is_suspended_is_told_by_whom(void **state)
{
    struct fixture *f = *state;
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", f->member[REFERENT]);
    story_must(&r, story_send(&r, &f->c, 0, "member.suspend"), "member.suspend");
    story_end(&r);
    cluster_run(&f->c, 400000); /* he hears of it, and his links end */
    const char *nurse = f->member[NURSE];
    const struct act acts[] = {
        {REFERENT, "member.revoke", {"member", nurse}, "session.suspended"},
        {REFERENT, "governance.checkpoint", {NULL}, "session.suspended"},
        {REFERENT, "member.add", {"name", "Ana", "role", "60"}, "session.suspended"},
        {REFERENT,
         "breakglass.open",
         {"patient", f->patient, "reason", "vital", "text", "chute", NULL},
         "session.suspended"},
    };
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        tried(f, &acts[i]);
    }
}

/* What a search of the traces by action finds of a refused act, and of a wish that is taken down.
 */
static int64_t traced(struct fixture *f, unsigned n, const char *action, const char *result)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "action", action);
    story_put(&r, "result", result);
    story_must(&r, story_send(&r, &f->c, n, "trace.search"), "trace.search");
    const int64_t count = (int64_t)ml_value_count(story_get(&r, "items"));
    story_end(&r);
    return count;
}

static void a_refused_act_is_traced_as_what_it_would_have_done(void **state)
{
    struct fixture *f = *state;
    const char *nurse = f->member[NURSE];
    const struct act acts[] = {
        {NURSE, "role.grant", {"member", nurse, "role", "10"}, "rank.referent"},
        {NURSE, "matrix.set", {NULL}, "rank.coordinator"},
        {NURSE, "governance.checkpoint", {NULL}, "rank.referent"},
    };
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        tried(f, &acts[i]);
    }
    assert_int_equal(traced(f, NURSE, "govern", "refused"), 3);
    assert_int_equal(traced(f, NURSE, "read", "refused"), 0);
}

static void a_wish_is_traced_as_a_consent(void **state)
{
    struct fixture *f = *state;
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "person", f->member[SECRETARY]);
    story_must(&r, story_send(&r, &f->c, 0, "consent.oppose"), "consent.oppose");
    story_end(&r);
    assert_true(traced(f, CHIEF, "consent", "done") > 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_is_named_in_both_languages),
        cmocka_unit_test(each_reason_says_why_and_what_to_do),
        TEST(who_is_refused_reads_all_four),
        TEST(who_is_suspended_is_told_by_whom),
        TEST(a_refused_act_is_traced_as_what_it_would_have_done),
        TEST(a_wish_is_traced_as_a_consent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
