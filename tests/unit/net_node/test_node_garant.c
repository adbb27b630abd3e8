/* test_node_garant.c -- who is named at founding to sign beside others, on whole nodes (rules B16):
 * how he comes in, what he signs, what he is refused, and that he reads nobody's record. */
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

enum { CHIEF, GARANT, NURSE, NODES }; /* by node */

struct fixture {
    struct cluster c;
    unsigned nodes;
    char member[NODES][40];
};

static void garants_put(struct story_request *r, const char *name, unsigned count)
{
    ml_args_key(r->args, "garants");
    ml_args_list(r->args);
    for (unsigned i = 0; i < count; i++) {
        ml_args_text(r->args, name);
    }
    ml_args_end(r->args);
}

static ml_err found(struct fixture *f, const char *garant, unsigned count, char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    garants_put(&r, garant, count);
    const ml_err err = story_send(&r, &f->c, CHIEF, "org.found");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    if (err == ML_OK) {
        const struct ml_value *named = ml_value_at(story_get(&r, "garants"), 0);
        assert_non_null(named);
        snprintf(f->member[GARANT], 40, "%s", ml_value_text(ml_value_get(named, "member"), ""));
    }
    story_end(&r);
    return err;
}

/* All hear of all; meanwhile each may have left his desk. */
static void heard(struct fixture *f)
{
    cluster_run(&f->c, 400000);
    for (unsigned n = 0; n < f->nodes; n++) {
        story_unlock(&f->c, n);
    }
}

static int setup(void **state)
{
    static struct fixture f;
    char text[64];
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 43);
    cluster_start(&f.c, CHIEF);
    assert_int_equal(found(&f, "Me Paul Noël", 1, text), ML_OK);
    story_unlock(&f.c, CHIEF);
    story_enrol(&f.c, CHIEF, GARANT, f.member[GARANT]);
    story_join(&f.c, CHIEF, NURSE, "Inès Leroy", 60);
    f.nodes = NODES;
    heard(&f);
    story_member_of(&f.c, CHIEF, "Dr Anne Morel", f.member[CHIEF]);
    story_member_of(&f.c, CHIEF, "Inès Leroy", f.member[NURSE]);
    *state = &f;
    return 0;
}

static int setup_nothing(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 44);
    cluster_start(&f.c, CHIEF);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

struct answer {
    ml_err err;
    char text[64];
    bool counts;
    int missing;
    int whole;
};

/* One call about somebody, perhaps with one more parameter. */
static struct answer ask(struct fixture *f, unsigned n, const char *method, const char *const *more)
{
    struct answer a;
    struct story_request r;
    story_ask(&r);
    for (; more != NULL && *more != NULL; more += 2) {
        if (strcmp(more[0], "role") == 0) {
            ml_args_key(r.args, "role");
            ml_args_int(r.args, 60);
        } else {
            story_put(&r, more[0], more[1]);
        }
    }
    a.err = story_send(&r, &f->c, n, method);
    snprintf(a.text, sizeof(a.text), "%s",
             a.err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    a.counts = ml_value_bool(story_get(&r, "counts"), false);
    a.missing = (int)ml_value_int(story_get(&r, "missing"), -1);
    a.whole = (int)ml_value_int(story_get(&r, "whole"), -1);
    story_end(&r);
    if (a.err == ML_OK) {
        heard(f);
    }
    return a;
}

#define ASK(f, n, method, ...) ask(f, n, method, (const char *const[]){__VA_ARGS__, NULL})

static int rank_seen(struct fixture *f, unsigned n, unsigned who)
{
    struct story_request r;
    int rank = 0;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "member.list"), "member.list");
    const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0);
    for (; m != NULL; m = ml_value_next(m)) {
        if (strcmp(ml_value_text(ml_value_get(m, "member"), ""), f->member[who]) == 0) {
            rank = (int)ml_value_int(ml_value_get(m, "rank"), 0);
        }
    }
    story_end(&r);
    return rank;
}

static void proposal_of(struct fixture *f, unsigned n, char proposal[72], int *missing)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "governance.proposals"), "governance.proposals");
    assert_int_equal(ml_value_count(story_get(&r, "proposals")), 1);
    const struct ml_value *p = ml_value_at(story_get(&r, "proposals"), 0);
    snprintf(proposal, 72, "%s", ml_value_text(ml_value_get(p, "proposal"), ""));
    *missing = (int)ml_value_int(ml_value_get(p, "missing"), -1);
    story_end(&r);
}

static struct answer signs(struct fixture *f, unsigned n)
{
    char proposal[72];
    int missing = 0;
    proposal_of(f, n, proposal, &missing);
    return ASK(f, n, "governance.cosign", "proposal", proposal);
}

static void he_is_named_and_let_in_as_others_are(void **state)
{
    struct fixture *f = *state;
    char member[40];
    for (unsigned n = 0; n < NODES; n++) {
        assert_int_equal(rank_seen(f, n, GARANT), 4);
        story_member_of(&f->c, n, "Me Paul Noël", member); /* names are for each of them */
        assert_string_equal(member, f->member[GARANT]);
        story_member_of(&f->c, n, "Inès Leroy", member);
    }
}

/* Founder and garant are the whole: the founder proposes, he signs, the founder says it. */
static void a_promotion_takes_his_hand(void **state)
{
    struct fixture *f = *state;
    char proposal[72];
    int missing = 0;
    struct answer a = ASK(f, CHIEF, "member.promote", "member", f->member[NURSE]);
    assert_int_equal(a.err, ML_OK);
    assert_false(a.counts);
    assert_int_equal(a.whole, 2);
    assert_int_equal(a.missing, 1);
    a = signs(f, GARANT);
    assert_int_equal(a.err, ML_OK);
    assert_false(a.counts); /* he decides nothing */
    assert_int_equal(a.missing, 0);
    assert_int_equal(rank_seen(f, CHIEF, NURSE), 3);
    proposal_of(f, CHIEF, proposal, &missing);
    assert_int_equal(missing, 0);
    assert_true(signs(f, CHIEF).counts);
    for (unsigned n = 0; n < NODES; n++) {
        assert_int_equal(rank_seen(f, n, NURSE), 1);
        assert_int_equal(rank_seen(f, n, GARANT), 4);
    }
    struct story_proof here;
    struct story_proof there;
    story_verify(&f->c, CHIEF, &here);
    story_verify(&f->c, GARANT, &there);
    assert_string_equal(here.state_hash, there.state_hash);
}

/* Where two are needed to revoke, one of them may be he. */
static void his_hand_helps_against_an_equal(void **state)
{
    struct fixture *f = *state;
    (void)ASK(f, CHIEF, "member.promote", "member", f->member[NURSE]);
    (void)signs(f, GARANT);
    assert_true(signs(f, CHIEF).counts);
    struct answer a = ASK(f, CHIEF, "member.revoke", "member", f->member[NURSE]);
    assert_string_equal(a.text, "member.deny_equal");
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", f->member[NURSE]);
    ml_args_key(r.args, "propose");
    ml_args_bool(r.args, true);
    story_must(&r, story_send(&r, &f->c, CHIEF, "member.revoke"), "member.revoke");
    story_end(&r);
    heard(f);
    assert_false(signs(f, GARANT).counts);
    f->nodes = NURSE; /* whose session ends */
    assert_true(signs(f, CHIEF).counts);
    assert_int_equal(rank_seen(f, CHIEF, NURSE), 0);
}

static void he_decides_nothing(void **state)
{
    struct fixture *f = *state;
    const char *nurse = f->member[NURSE];
    assert_string_equal(ASK(f, GARANT, "role.grant", "member", nurse, "role", "").text,
                        "rank.garant");
    assert_string_equal(ASK(f, GARANT, "member.revoke", "member", nurse).text, "rank.garant");
    assert_string_equal(ASK(f, GARANT, "member.suspend", "member", nurse).text, "rank.garant");
    assert_string_equal(ASK(f, GARANT, "member.promote", "member", nurse).text, "rank.garant");
    assert_string_equal(ask(f, GARANT, "governance.checkpoint", NULL).text, "rank.garant");
    assert_string_equal(ASK(f, GARANT, "member.history", "member", nurse).text, "rank.garant");
    assert_string_equal(ask(f, GARANT, "org.rotate", NULL).text, "rank.garant");
    assert_string_equal(ASK(f, GARANT, "member.add", "name", "Zoé", "role", "").text,
                        "rank.coordinator");
    assert_string_equal(ASK(f, CHIEF, "role.grant", "member", f->member[GARANT], "role", "").text,
                        "role.garant");
    assert_string_equal(ASK(f, NURSE, "member.revoke", "member", f->member[GARANT]).text,
                        "rank.referent");
}

/* Also before there is a matrix, when every member may all. */
static void he_reads_and_writes_no_record(void **state)
{
    struct fixture *f = *state;
    char patient[40];
    story_patient(&f->c, CHIEF, patient);
    heard(f);
    assert_int_equal(story_find(&f->c, NURSE, "MARTIN"), 1);
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", "patient");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "birth_name", "DURAND");
    ml_args_key(r.args, "birth_given_names");
    ml_args_list(r.args);
    ml_args_text(r.args, "Zoé");
    ml_args_end(r.args);
    story_put(&r, "birth_date", "1979-03-28");
    story_put(&r, "sex", "F");
    ml_args_end(r.args);
    assert_int_equal(story_send(&r, &f->c, GARANT, "record.add"), ML_E_DENIED);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "rank.garant");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "query", "MARTIN");
    const ml_err err = story_send(&r, &f->c, GARANT, "patient.find");
    assert_true(err == ML_E_DENIED ||
                (err == ML_OK && ml_value_count(story_get(&r, "patients")) == 0));
    story_end(&r);
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, GARANT, "team.list"), "team.list");
    const struct ml_value *team = ml_value_at(story_get(&r, "teams"), 0);
    assert_non_null(team);
    assert_int_equal(ml_value_int(ml_value_get(team, "groups"), -1), 0); /* no key is for him */
    assert_int_equal(ml_value_int(ml_value_get(team, "held"), -1), 0);
    assert_int_equal(ml_value_count(ml_value_get(team, "members")), 2); /* he is of no team */
    story_end(&r);
    story_ask(&r);
    story_put(&r, "member", f->member[GARANT]);
    story_put(&r, "class", "7");
    story_must(&r, story_send(&r, &f->c, CHIEF, "right.explain"), "right.explain");
    assert_false(ml_value_bool(story_get(&r, "allowed"), true));
    story_end(&r);
}

static void a_founding_says_whom_it_cant_name(void **state)
{
    struct fixture *f = *state;
    char text[64];
    assert_int_equal(found(f, "", 1, text), ML_E_INVALID);
    assert_string_equal(text, "param.missing");
    assert_int_equal(found(f, "Me Paul Noël", 9, text), ML_E_LIMIT);
    assert_string_equal(text, "garant.many");
    assert_int_equal(found(f, "Me Paul Noël", 8, text), ML_OK);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(he_is_named_and_let_in_as_others_are),
        TEST(a_promotion_takes_his_hand),
        TEST(his_hand_helps_against_an_equal),
        TEST(he_decides_nothing),
        TEST(he_reads_and_writes_no_record),
        cmocka_unit_test_setup_teardown(a_founding_says_whom_it_cant_name, setup_nothing, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
