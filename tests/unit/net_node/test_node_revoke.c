/* test_node_revoke.c -- taking rights away, on whole nodes: who may, who hears, what is left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "maille/value.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 31);
    story_found(&c, 0);
    story_join(&c, 0, 1, "Inès Leroy", 60);
    story_synced(&c, 1);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

struct asked {
    const char *method;
    const char *member;
    const char *node;
    const char *mode;
    int hours; /* 0: not said */
};

/* The error, and the id of what is said of it. */
static ml_err ask(struct cluster *c, unsigned n, const struct asked *a, char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", a->member);
    if (a->node != NULL) {
        story_put(&r, "node", a->node);
    }
    if (a->mode != NULL) {
        story_put(&r, "mode", a->mode);
    }
    if (a->hours != 0) {
        ml_args_key(r.args, "hours");
        ml_args_int(r.args, a->hours);
    }
    ml_err err = story_send(&r, c, n, a->method);
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

struct explained {
    bool allowed;
    char steps[400]; /* ids of texts, each after a blank */
};

static ml_err explain(struct cluster *c, const char *member, const char *class, const char *action,
                      struct explained *out)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", member);
    story_put(&r, "class", class);
    story_put(&r, "action", action);
    ml_err err = story_send(&r, c, 0, "right.explain");
    memset(out, 0, sizeof(*out));
    out->allowed = ml_value_bool(story_get(&r, "allowed"), false);
    if (err != ML_OK) {
        snprintf(out->steps, sizeof(out->steps), "%s", ml_value_text(story_get(&r, "text"), ""));
    }
    for (const struct ml_value *s = ml_value_at(story_get(&r, "steps"), 0); s != NULL && err == 0;
         s = ml_value_next(s)) {
        const size_t len = strlen(out->steps);
        const bool act = ml_value_get(s, "bundle") != NULL;
        snprintf(out->steps + len, sizeof(out->steps) - len, " %s%s",
                 ml_value_text(ml_value_get(s, "text"), ""), act ? "!" : "");
    }
    story_end(&r);
    return err;
}

static ml_err adopt_matrix(struct cluster *c, unsigned n, char text[64])
{
    struct story_request r;
    story_ask(&r);
    ml_err err = story_send(&r, c, n, "right.adopt");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

/* Yes or no, and each act ("!") that makes it so. */
static void a_right_is_explained(void **state)
{
    struct cluster *c = *state;
    struct explained e;
    char nurse[40];
    char node[40];
    char text[64];
    assert_true(story_find_member(c, 0, "Inès Leroy", nurse, node));
    assert_int_equal(explain(c, nurse, "6", "read", &e), ML_OK);
    assert_true(e.allowed);
    assert_string_equal(e.steps, " right.NO_MATRIX right.MEMBER!");
    assert_int_equal(adopt_matrix(c, 1, text), ML_E_DENIED);
    assert_int_equal(adopt_matrix(c, 0, text), ML_OK);
    assert_int_equal(adopt_matrix(c, 0, text), ML_E_INVALID);
    assert_string_equal(text, "right.adopted");
    assert_int_equal(explain(c, nurse, "6", "read", &e), ML_OK);
    assert_false(e.allowed);
    assert_string_equal(e.steps, " right.MATRIX! right.MEMBER! right.DENIES");
    assert_int_equal(explain(c, nurse, "Notes médicales", "read", &e), ML_OK);
    assert_true(e.allowed);
    assert_string_equal(e.steps, " right.MATRIX! right.MEMBER! right.ALLOWS right.TEAM");
    assert_int_equal(explain(c, nurse, "9", "create", &e), ML_OK);
    assert_false(e.allowed);
    assert_int_equal(explain(c, nurse, "25", "read", &e), ML_E_INVALID);
    assert_string_equal(e.steps, "right.class");
    assert_int_equal(explain(c, nurse, "9", "devour", &e), ML_E_INVALID);
    assert_string_equal(e.steps, "right.action");
    assert_int_equal(explain(c, "00112233445566778899aabbccddeeff", "1", "read", &e), ML_OK);
    assert_false(e.allowed);
    assert_string_equal(e.steps, " right.NOT_MEMBER");
}

struct added {
    const char *entity;
    const char *field;
    const char *value;
};

static ml_err try_add(struct cluster *c, unsigned n, const char *patient, const struct added *add,
                      char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", add->entity);
    story_put(&r, "patient", patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    ml_args_key(r.args, add->field);
    ml_args_text(r.args, add->value);
    ml_args_end(r.args);
    ml_err err = story_send(&r, c, n, "record.add");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

/* Whoever may not is told so, and nothing of it is left; others hear of nothing either. */
static void what_a_role_may_not_write_is_refused(void **state)
{
    static const struct added treatment = {"treatment", "drug", "Ramipril"};
    static const struct added none = {"allergy", "assertion", "none-known"};
    struct cluster *c = *state;
    char patient[40];
    char text[64];
    struct story_proof here;
    struct story_proof there;
    story_patient(c, 0, patient);
    assert_int_equal(adopt_matrix(c, 0, text), ML_OK);
    story_synced(c, 1);
    assert_int_equal(try_add(c, 1, patient, &treatment, text), ML_E_DENIED);
    assert_string_equal(text, "right.refused");
    assert_int_equal(try_add(c, 1, patient, &none, text), ML_OK);
    story_synced(c, 1);
    story_verify(c, 0, &here);
    story_verify(c, 1, &there);
    assert_int_equal(here.quarantined, 0);
    assert_int_equal(there.quarantined, 0);
    assert_string_equal(here.state_hash, there.state_hash);
}

static void only_who_ranks_above_may(void **state)
{
    struct cluster *c = *state;
    char chief[40];
    char nurse[40];
    char node[40];
    char chiefs_node[40];
    char text[64];
    char peer[40];
    char peers_node[40];
    story_join_ranked(c, 0, 2, "Dr Luc Petit", 2);
    story_synced(c, 2);
    story_join_ranked(c, 0, 3, "Dr Eve Roy", 2);
    story_synced(c, 3);
    story_synced(c, 2);
    assert_true(story_find_member(c, 0, "Inès Leroy", nurse, node));
    assert_true(story_find_member(c, 0, "Dr Eve Roy", peer, peers_node));
    assert_true(story_find_member(c, 0, "Dr Anne Morel", chief, chiefs_node));
    static const char nobody[] = "00112233445566778899aabbccddeeff";
    const struct {
        struct asked asked;
        const char *text;
        ml_err err;
        unsigned by;
    } rows[] = {
        {{"member.revoke", chief, NULL, NULL, 0}, "rank.referent", ML_E_DENIED, 1},
        {{"member.suspend", chief, NULL, NULL, 1}, "rank.referent", ML_E_DENIED, 1},
        {{"member.revoke", chief, NULL, NULL, 0}, "member.deny_better", ML_E_DENIED, 2},
        {{"member.suspend", chief, NULL, NULL, 1}, "member.deny_better", ML_E_DENIED, 2},
        {{"member.revoke", peer, NULL, NULL, 0}, "member.deny_equal", ML_E_DENIED, 2},
        {{"member.suspend", peer, NULL, NULL, 1}, "", ML_OK, 2},
        {{"member.revoke", peer, NULL, NULL, 0}, "member.deny_equal", ML_E_DENIED, 2},
        {{"member.revoke", peer, NULL, NULL, 0}, "", ML_OK, 0},
        {{"member.revoke", chief, NULL, NULL, 0}, "member.deny_self", ML_E_DENIED, 0},
        {{"member.revoke", chief, chiefs_node, NULL, 0}, "member.deny_self", ML_E_DENIED, 0},
        {{"member.revoke", nobody, NULL, NULL, 0}, "member.unknown", ML_E_DENIED, 0},
        {{"member.revoke", nurse, chiefs_node, NULL, 0}, "member.node", ML_E_DENIED, 0},
        {{"member.revoke", nurse, NULL, "banned", 0}, "member.mode", ML_E_INVALID, 0},
        {{"member.suspend", nurse, NULL, NULL, 73}, "member.hours", ML_E_INVALID, 0},
        {{"member.suspend", nurse, NULL, NULL, -1}, "member.hours", ML_E_INVALID, 0},
        {{"member.suspend", nurse, node, NULL, 72}, "", ML_OK, 0},
        {{"member.revoke", nurse, NULL, NULL, 0}, "", ML_OK, 0},
        {{"member.revoke", nurse, NULL, "compromise", 0},
         "",
         ML_OK,
         0}, /* theft, as it turns out */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ask(c, rows[i].by, &rows[i].asked, text), rows[i].err);
        assert_string_equal(text, rows[i].text);
    }
    assert_false(story_find_member(c, 0, "Inès Leroy", nurse, node));
}

static void revoke(struct cluster *c, const char *name, const char *mode)
{
    char member[40];
    char node[40];
    char text[64];
    assert_true(story_find_member(c, 0, name, member, node));
    const struct asked asked = {"member.revoke", member, NULL, mode, 0};
    assert_int_equal(ask(c, 0, &asked, text), ML_OK);
}

static ml_err try_patient(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", "patient");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "birth_name", "DURAND");
    ml_args_key(r.args, "birth_given_names");
    ml_args_list(r.args);
    ml_args_text(r.args, "Paul");
    ml_args_end(r.args);
    story_put(&r, "birth_date", "1950-01-02");
    story_put(&r, "sex", "M");
    ml_args_end(r.args);
    ml_err err = story_send(&r, c, n, "record.add");
    story_end(&r);
    return err;
}

/* Rules B17: it hears of it, gives what it has, gets nothing else; what it acknowledged isn't lost.
 */
static void who_is_revoked_drains(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct story_proof before;
    struct story_proof here;
    struct story_proof there;
    story_patient(c, 0, patient);
    story_synced(c, 1);
    cluster_cut(c, 0, 1, true);
    story_treatment(c, 1, patient, drug("Ramipril", "5 mg"), treatment);
    revoke(c, "Inès Leroy", "departure");
    assert_int_equal(try_patient(c, 0), ML_OK);
    story_verify(c, 0, &before);
    assert_int_equal(before.quarantined, 0);
    cluster_cut(c, 0, 1, false);
    cluster_run(c, 400000);
    story_verify(c, 0, &here);
    story_verify(c, 1, &there);
    assert_true(here.quarantined > 0);
    assert_int_equal(there.quarantined, here.quarantined); /* it knows why */
    assert_int_equal(here.patients, 2);
    assert_int_equal(there.patients, 1);
    assert_true(here.ops > there.ops);
    assert_int_equal(try_patient(c, 1), ML_E_DENIED);
}

/* Nor does it fill its own store: keys that it would renew on hearing of it count nowhere. */
static void who_is_revoked_writes_nothing_more_of_his_own(void **state)
{
    struct cluster *c = *state;
    struct story_proof there;
    char member[40];
    char node[40];
    char text[64];
    assert_int_equal(adopt_matrix(c, 0, text), ML_OK);
    story_join(c, 0, 2, "Karim Haddad", 60);
    story_synced(c, 2);
    story_synced(c, 1);
    cluster_cut(c, 0, 1, true);
    assert_true(story_find_member(c, 0, "Inès Leroy", member, node));
    const struct asked laptop = {"member.revoke", member, node, "compromise", 0};
    assert_int_equal(ask(c, 0, &laptop, text), ML_OK);
    cluster_cut(c, 0, 1, false);
    cluster_run(c, 400000);
    assert_int_equal(try_patient(c, 1), ML_E_DENIED);
    story_verify(c, 1, &there);
    assert_int_equal(there.quarantined, 0);
    story_synced(c, 0); /* nobody waits until it has the same as others */
}

/* A link that was there when it was revoked is no way to go on. */
static void a_link_ends_with_the_right_to_it(void **state)
{
    struct cluster *c = *state;
    struct story_proof here;
    struct story_proof there;
    revoke(c, "Inès Leroy", "compromise");
    cluster_run(c, 100);
    assert_int_equal(try_patient(c, 0), ML_OK);
    cluster_run(c, 400000);
    story_verify(c, 0, &here);
    story_verify(c, 1, &there);
    assert_int_equal(here.patients, 1);
    assert_int_equal(there.patients, 0);
    assert_int_equal(try_patient(c, 1), ML_E_DENIED);
}

/* A laptop is stolen, writes on, and finds one computer that hasn't heard. */
static void a_stolen_laptop_is_left_out_everywhere(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char node[40];
    char member[40];
    struct story_request r;
    struct story_proof here;
    struct story_proof there;
    story_patient(c, 0, patient);
    story_join(c, 0, 2, "Paul Petit", 70);
    story_synced(c, 2);
    story_synced(c, 1);
    assert_true(story_find_member(c, 0, "Paul Petit", member, node));
    cluster_cut(c, 0, 2, true);
    cluster_cut(c, 0, 1, true);
    revoke(c, "Inès Leroy", "compromise");
    story_ask(&r);
    story_put(&r, "node", node);
    story_put(&r, "address", "node:2");
    story_must(&r, story_send(&r, c, 1, "peer.add"), "peer.add");
    story_end(&r);
    story_treatment(c, 1, patient, drug("Morphine", "10 mg"), treatment);
    cluster_run(c, 10000);
    story_verify(c, 2, &there);
    assert_int_equal(there.quarantined, 0); /* it counts there: nobody knows better */
    cluster_cut(c, 1, 2, true);
    cluster_cut(c, 0, 2, false);
    cluster_run(c, 400000);
    story_verify(c, 0, &here);
    story_verify(c, 2, &there);
    assert_true(here.quarantined > 0); /* brought by the one who hadn't heard, and left out */
    assert_int_equal(here.quarantined, there.quarantined);
    assert_string_equal(here.state_hash, there.state_hash);
    assert_string_equal(here.view_hash, there.view_hash);
}

/* ---- adoption ---- */

/* How many are left out; the first of them. */
static unsigned left_out(struct cluster *c, unsigned n, char bundle[72], char why[64])
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "quarantine.list"), "quarantine.list");
    const struct ml_value *first = ml_value_at(story_get(&r, "bundles"), 0);
    const unsigned count = (unsigned)ml_value_count(story_get(&r, "bundles"));
    snprintf(bundle, 72, "%s", ml_value_text(ml_value_get(first, "bundle"), ""));
    snprintf(why, 64, "%s", ml_value_text(ml_value_get(first, "why"), ""));
    story_end(&r);
    return count;
}

static ml_err judge(struct cluster *c, unsigned n, const char *method, const char *bundle,
                    char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "bundle", bundle);
    ml_err err = story_send(&r, c, n, method);
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

/* Architecture R6: a nurse who worked offline while her place was taken away has lost nothing. */
static void what_was_left_out_is_adopted(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char bundle[72];
    char why[64];
    struct story_proof left;
    struct story_proof after;
    story_patient(c, 0, patient);
    story_synced(c, 1);
    cluster_cut(c, 0, 1, true);
    story_treatment(c, 1, patient, drug("Ramipril", "5 mg"), treatment);
    revoke(c, "Inès Leroy", "departure");
    cluster_cut(c, 0, 1, false);
    cluster_run(c, 400000);
    story_verify(c, 0, &left);
    assert_int_equal(left_out(c, 0, bundle, why), 1);
    assert_string_equal(why, "quarantine.DEPARTED");
    assert_int_equal(judge(c, 1, "quarantine.adopt", bundle, why), ML_E_DENIED);
    assert_string_equal(why, "quarantine.own");
    assert_int_equal(judge(c, 0, "quarantine.adopt", bundle, why), ML_OK);
    story_verify(c, 0, &after);
    char none[72];
    assert_int_equal(left_out(c, 0, none, why), 0);
    assert_string_not_equal(left.view_hash, after.view_hash);
    assert_int_equal(judge(c, 0, "quarantine.reject", bundle, why), ML_OK);
    story_verify(c, 0, &after);
    assert_string_equal(left.view_hash, after.view_hash);
    memset(bundle, 'a', 64);
    assert_int_equal(judge(c, 0, "quarantine.adopt", bundle, why), ML_E_NOT_FOUND);
    assert_string_equal(why, "quarantine.unknown");
}

/* ---- failures ---- */

/* With each allocation failing in turn, until it is done: at once, or by one that failed after it
 * was. */
static void each_is_done_or_not_at_all(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char nurse[40];
    char node[40];
    char bundle[72];
    char text[64];
    struct story_proof proof;
    story_patient(c, 0, patient);
    story_synced(c, 1);
    cluster_cut(c, 0, 1, true);
    story_treatment(c, 1, patient, drug("Ramipril", "5 mg"), treatment);
    assert_true(story_find_member(c, 0, "Inès Leroy", nurse, node));
    const struct asked asked = {"member.revoke", nurse, NULL, "departure", 0};
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    while (err == ML_E_NOMEM) {
        c->fake.fail_alloc = ++nth;
        err = ask(c, 0, &asked, text);
        c->fake.fail_alloc = 0;
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 20);
    cluster_cut(c, 0, 1, false);
    cluster_run(c, 400000);
    assert_int_equal(left_out(c, 0, bundle, text), 1);
    err = ML_E_NOMEM;
    for (nth = 0; err == ML_E_NOMEM;) {
        c->fake.fail_alloc = ++nth;
        err = judge(c, 0, "quarantine.adopt", bundle, text);
        c->fake.fail_alloc = 0;
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 20);
    story_verify(c, 0, &proof);
    assert_int_equal(left_out(c, 0, bundle, text), 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_right_is_explained),
        TEST(what_a_role_may_not_write_is_refused),
        TEST(only_who_ranks_above_may),
        TEST(who_is_revoked_drains),
        TEST(who_is_revoked_writes_nothing_more_of_his_own),
        TEST(a_link_ends_with_the_right_to_it),
        TEST(a_stolen_laptop_is_left_out_everywhere),
        TEST(what_was_left_out_is_adopted),
        TEST(each_is_done_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
