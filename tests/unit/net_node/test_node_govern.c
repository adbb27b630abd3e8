/* test_node_govern.c -- roles, the matrix, checkpoints, and what takes two, on whole nodes (rules
 * B15, B16; domain 7.2): each refusal says what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/base/ids.h"
#include "core/crypto/sign.h"
#include "maille/value.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

enum { CHIEF, REFERENT, NURSE, SECOND, NODES }; /* by node; SECOND: another référent */

struct fixture {
    struct cluster c;
    unsigned nodes;
    char member[NODES][40];
};

static int setup(void **state)
{
    static struct fixture f;
    static const char *const names[] = {"Dr Anne Morel", "Paul Noël", "Inès Leroy"};
    cluster_init(&f.c, 37);
    f.nodes = SECOND;
    story_found(&f.c, CHIEF);
    story_join_ranked(&f.c, CHIEF, REFERENT, names[REFERENT], 2);
    story_join(&f.c, CHIEF, NURSE, names[NURSE], 60);
    cluster_run(&f.c, 400000);
    for (unsigned n = 0; n < SECOND; n++) {
        story_member_of(&f.c, CHIEF, names[n], f.member[n]);
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

/* All hear of all; meanwhile each may have left his desk. */
static void heard(struct fixture *f)
{
    cluster_run(&f->c, 400000);
    for (unsigned n = 0; n < f->nodes; n++) {
        story_unlock(&f->c, n);
    }
}

/* And somebody more of rank 2. */
static int setup_second(void **state)
{
    int rc = setup(state);
    struct fixture *f = *state;
    story_join_ranked(&f->c, CHIEF, SECOND, "Léa Petit", 2);
    f->nodes = NODES;
    heard(f);
    story_member_of(&f->c, CHIEF, "Léa Petit", f->member[SECOND]);
    return rc;
}

/* One call: its parameters by name, ended by NULL; "propose" and "set" as they must be. */
struct call {
    const char *method;
    const char *params[12];
    bool propose;
};

struct answer {
    ml_err err;
    char text[64]; /* of the error */
    bool counts;
    int missing; /* of a coordinator: hands */
    int awaited; /* whose they may be */
    int whole;
};

static struct answer ask(struct fixture *f, unsigned n, const struct call *call)
{
    struct answer a;
    struct story_request r;
    story_ask(&r);
    for (size_t i = 0; i < 12 && call->params[i] != NULL; i += 2) {
        if (strcmp(call->params[i], "set") == 0) {
            ml_args_key(r.args, "set");
            ml_args_list(r.args);
            ml_args_text(r.args, call->params[i + 1]);
            ml_args_end(r.args);
        } else if (strcmp(call->params[i], "role") == 0 || strcmp(call->params[i], "rank") == 0) {
            ml_args_key(r.args, call->params[i]);
            ml_args_int(r.args, strtol(call->params[i + 1], NULL, 10));
        } else {
            story_put(&r, call->params[i], call->params[i + 1]);
        }
    }
    if (call->propose) {
        ml_args_key(r.args, "propose");
        ml_args_bool(r.args, true);
    }
    a.err = story_send(&r, &f->c, n, call->method);
    snprintf(a.text, sizeof(a.text), "%s",
             a.err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    a.counts = ml_value_bool(story_get(&r, "counts"), false);
    a.missing = (int)ml_value_int(story_get(&r, "missing"), -1);
    a.whole = (int)ml_value_int(story_get(&r, "whole"), -1);
    a.awaited = (int)ml_value_count(story_get(&r, "awaited"));
    story_end(&r);
    return a;
}

static void refused(struct fixture *f, unsigned n, const struct call *call, const char *text)
{
    const struct answer a = ask(f, n, call);
    assert_int_not_equal(a.err, ML_OK);
    assert_string_equal(a.text, text);
}

static bool done(struct fixture *f, unsigned n, const struct call *call)
{
    const struct answer a = ask(f, n, call);
    if (a.err != ML_OK) {
        fail_msg("%s: %s %s", call->method, ml_err_name(a.err), a.text);
    }
    heard(f);
    return a.counts;
}

struct waiting {
    int count;
    int hands; /* of the last */
    int missing;
    char proposal[72];
    char text[64];
};

static struct waiting waiting(struct fixture *f, unsigned n)
{
    struct waiting w = {.count = 0};
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "governance.proposals"), "governance.proposals");
    for (const struct ml_value *p = ml_value_at(story_get(&r, "proposals"), 0); p != NULL;
         p = ml_value_next(p)) {
        w.count++;
        w.hands = (int)ml_value_count(ml_value_get(p, "hands"));
        w.missing = (int)ml_value_int(ml_value_get(p, "missing"), -1);
        snprintf(w.proposal, sizeof(w.proposal), "%s",
                 ml_value_text(ml_value_get(p, "proposal"), ""));
        snprintf(w.text, sizeof(w.text), "%s", ml_value_text(ml_value_get(p, "text"), ""));
    }
    story_end(&r);
    return w;
}

static bool cosigned(struct fixture *f, unsigned n)
{
    const struct waiting w = waiting(f, n);
    const struct call call = {"governance.cosign", {"proposal", w.proposal}, false};
    return done(f, n, &call);
}

static bool may(struct fixture *f, unsigned who, const char *class)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", f->member[who]);
    story_put(&r, "class", class);
    story_put(&r, "action", "create");
    story_must(&r, story_send(&r, &f->c, CHIEF, "right.explain"), "right.explain");
    const bool allowed = ml_value_bool(story_get(&r, "allowed"), false);
    story_end(&r);
    return allowed;
}

static void adopt(struct fixture *f)
{
    const struct call call = {"right.adopt", {NULL}, false};
    (void)done(f, CHIEF, &call);
}

/* ---- roles ---- */

static void a_role_is_given_and_ended(void **state)
{
    struct fixture *f = *state;
    const char *nurse = f->member[NURSE];
    adopt(f);
    assert_false(may(f, NURSE, "7"));
    const struct call give = {"role.grant", {"member", nurse, "role", "10"}, false};
    assert_true(done(f, REFERENT, &give));
    assert_true(may(f, NURSE, "7"));
    const struct call end = {"role.end", {"member", nurse, "role", "10"}, false};
    assert_true(done(f, CHIEF, &end));
    assert_false(may(f, NURSE, "7"));
    assert_false(may(f, NURSE, "10")); /* who was given roles works by these alone */
    const struct call back = {
        "role.grant", {"member", nurse, "role", "60", "until", "2999-12-31"}, false};
    assert_true(done(f, CHIEF, &back));
    assert_true(may(f, NURSE, "10"));
}

static void a_substitute_takes_over_until_a_day(void **state)
{
    struct fixture *f = *state;
    const char *nurse = f->member[NURSE];
    adopt(f);
    const struct call endless = {
        "role.grant", {"member", nurse, "replaces", f->member[CHIEF]}, false};
    refused(f, CHIEF, &endless, "role.dates");
    const struct call give = {
        "role.grant",
        {"member", nurse, "replaces", f->member[CHIEF], "until", "2999-12-31"},
        false};
    assert_true(done(f, CHIEF, &give));
    assert_true(may(f, NURSE, "7"));
    const struct call past = {
        "role.grant",
        {"member", nurse, "replaces", f->member[CHIEF], "until", "2001-12-31"},
        false};
    assert_true(done(f, CHIEF, &past));
    assert_false(may(f, NURSE, "7"));
}

static void each_refusal_of_a_role_says_why(void **state)
{
    struct fixture *f = *state;
    const char *nurse = f->member[NURSE];
    const char *chief = f->member[CHIEF];
    const struct call calls[] = {
        {"role.grant", {"member", "00112233445566778899aabbccddeeff", "role", "10"}, false},
        {"role.grant", {"member", nurse}, false},
        {"role.grant", {"member", nurse, "role", "10", "replaces", chief}, false},
        {"role.grant", {"member", nurse, "role", "10", "until", "demain"}, false},
        {"role.grant",
         {"member", nurse, "role", "10", "from", "2030-02-01", "until", "2030-01-01"},
         false},
        {"role.grant", {"member", chief, "role", "60"}, false},
        {"role.end", {"member", chief, "role", "10"}, false},
    };
    static const char *const texts[] = {"member.unknown", "role.which", "role.which", "param.time",
                                        "role.dates",     "role.two",   "role.two"};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        refused(f, CHIEF, &calls[i], texts[i]);
    }
    const struct call own = {"role.grant", {"member", nurse, "role", "10"}, true};
    refused(f, NURSE, &own, "rank.referent");
    assert_int_equal(waiting(f, CHIEF).count, 0);
}

/* ---- two hands ---- */

/* The référent's hand, then the coordinator says it: nobody gives himself a role alone. */
static void what_takes_two_is_proposed_and_signed(void **state)
{
    struct fixture *f = *state;
    const struct call give = {"role.grant", {"member", f->member[CHIEF], "role", "60"}, true};
    adopt(f);
    assert_true(may(f, CHIEF, "7"));
    assert_false(done(f, CHIEF, &give));
    assert_true(may(f, CHIEF, "7"));
    struct waiting w = waiting(f, REFERENT);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.hands, 1);
    assert_string_equal(w.text, "proposal.12");
    assert_false(cosigned(f, CHIEF));    /* his own hand again */
    assert_false(cosigned(f, REFERENT)); /* not his to say, but his hand is there now */
    w = waiting(f, CHIEF);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.hands, 2);
    assert_true(cosigned(f, CHIEF));
    assert_false(may(f, CHIEF, "7"));
    assert_int_equal(waiting(f, CHIEF).count, 0);
    assert_int_equal(waiting(f, REFERENT).count, 0);
}

/* Hands stand for one decision: the same, proposed after it was done, waits for hands anew. */
static void what_was_decided_is_proposed_anew(void **state)
{
    struct fixture *f = *state;
    const struct call give = {"role.grant", {"member", f->member[CHIEF], "role", "60"}, true};
    const struct call end = {"role.end", {"member", f->member[CHIEF], "role", "60"}, false};
    adopt(f);
    for (int round = 0; round < 2; round++) {
        assert_false(done(f, CHIEF, &give));
        assert_int_equal(waiting(f, REFERENT).count, 1);
        assert_int_equal(waiting(f, REFERENT).hands, 1);
        assert_false(cosigned(f, REFERENT));
        assert_true(cosigned(f, CHIEF));
        assert_int_equal(waiting(f, REFERENT).count, 0);
        refused(f, CHIEF, &end, "role.two");
    }
    assert_false(done(f, REFERENT, &give)); /* two propose the same, and each is signed alone */
    assert_false(done(f, CHIEF, &give));
    assert_int_equal(waiting(f, CHIEF).count, 2);
}

static void only_those_of_rank_sign(void **state)
{
    struct fixture *f = *state;
    const struct call revoke = {"member.revoke", {"member", f->member[CHIEF]}, false};
    const struct call proposed = {"member.revoke", {"member", f->member[CHIEF]}, true};
    refused(f, REFERENT, &revoke, "member.deny_better");
    refused(f, NURSE, &proposed, "rank.referent");
    assert_false(done(f, REFERENT, &proposed));
    const struct waiting w = waiting(f, NURSE);
    assert_int_equal(w.count, 1);
    assert_string_equal(w.text, "proposal.8");
    const struct call sign = {"governance.cosign", {"proposal", w.proposal}, false};
    refused(f, NURSE, &sign, "rank.referent");
    char none[72];
    memset(none, 'a', 64);
    none[64] = '\0';
    const struct call wrong = {"governance.cosign", {"proposal", none}, false};
    refused(f, CHIEF, &wrong, "proposal.none");
    assert_true(may(f, CHIEF, "7"));
}

static void the_oldest_proposal_makes_room(void **state)
{
    struct fixture *f = *state;
    char day[16];
    for (int i = 0; i <= 64; i++) {
        const struct call give = {
            "role.grant", {"member", f->member[CHIEF], "role", "60", "until", day}, true};
        snprintf(day, sizeof(day), "%d-01-01", 2100 + i);
        assert_int_equal(waiting(f, CHIEF).count, i);
        assert_int_equal(ask(f, CHIEF, &give).err, ML_OK);
    }
    assert_int_equal(waiting(f, CHIEF).count, 64);
}

/* ---- a new coordinator ---- */

/* One signs what is proposed; it counts, or so many hands are missing, of so many people. */
static void signs(struct fixture *f, unsigned n, struct answer want)
{
    const struct waiting w = waiting(f, n);
    assert_string_equal(w.text, "proposal.coordinator");
    const struct call call = {"governance.cosign", {"proposal", w.proposal}, false};
    const struct answer a = ask(f, n, &call);
    assert_int_equal(a.err, ML_OK);
    assert_int_equal(a.counts, want.counts);
    assert_int_equal(a.missing, want.missing);
    assert_int_equal(a.awaited, want.awaited);
    assert_int_equal(a.whole, want.whole);
    heard(f);
}

static void proposes(struct fixture *f, unsigned n, unsigned whom, struct answer want)
{
    const struct call call = {"member.promote", {"member", f->member[whom]}, false};
    const struct answer a = ask(f, n, &call);
    assert_int_equal(a.err, ML_OK);
    assert_false(a.counts);
    assert_int_equal(a.missing, want.missing);
    assert_int_equal(a.awaited, want.awaited);
    assert_int_equal(a.whole, want.whole);
    heard(f);
}

static int rank_seen(struct fixture *f, unsigned n, unsigned whose)
{
    struct story_request r;
    int rank = 0;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "member.list"), "member.list");
    for (const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0); m != NULL;
         m = ml_value_next(m)) {
        if (strcmp(ml_value_text(ml_value_get(m, "member"), ""), f->member[whose]) == 0) {
            rank = (int)ml_value_int(ml_value_get(m, "rank"), 0);
        }
    }
    story_end(&r);
    return rank;
}

/* Two référents, without the coordinator. What she says then holds on a computer far away. */
static void a_majority_makes_a_coordinator_who_acts(void **state)
{
    struct fixture *f = *state;
    char member[40];
    const struct call add = {"member.add", {"name", "Zoé Blanc", "role", "60"}, false};
    refused(f, NURSE, &add, "rank.coordinator");
    proposes(f, REFERENT, NURSE, (struct answer){.missing = 1, .awaited = 2, .whole = 3});
    refused(f, NURSE, &add, "rank.coordinator");
    signs(f, SECOND, (struct answer){.counts = true, .awaited = 1, .whole = 3});
    assert_int_equal(waiting(f, CHIEF).count, 0);
    for (unsigned n = 0; n < f->nodes; n++) {
        assert_int_equal(rank_seen(f, n, NURSE), 1);
    }
    assert_int_equal(ask(f, NURSE, &add).err, ML_OK);
    heard(f);
    story_member_of(&f->c, SECOND, "Zoé Blanc", member);
    const struct call revoke = {"member.revoke", {"member", f->member[SECOND]}, false};
    f->nodes = SECOND; /* whose session ends */
    assert_true(done(f, NURSE, &revoke));
    assert_int_equal(rank_seen(f, REFERENT, SECOND), 0);
    struct story_proof here;
    struct story_proof there;
    story_verify(&f->c, CHIEF, &here);
    story_verify(&f->c, NURSE, &there);
    assert_string_equal(here.state_hash, there.state_hash);
}

/* Who is to be one has no hand in it. */
static void ones_own_hand_is_none_of_the_majority(void **state)
{
    struct fixture *f = *state;
    proposes(f, REFERENT, SECOND, (struct answer){.missing = 1, .awaited = 1, .whole = 3});
    signs(f, SECOND, (struct answer){.missing = 1, .awaited = 1, .whole = 3});
    assert_int_equal(rank_seen(f, CHIEF, SECOND), 2);
    signs(f, CHIEF, (struct answer){.counts = true, .whole = 3});
    assert_int_equal(rank_seen(f, REFERENT, SECOND), 1);
}

/* Nobody wins a vote by suspending, nor by keeping from a computer, who would say no. */
static void two_of_four_are_no_majority(void **state)
{
    struct fixture *f = *state;
    char member[40];
    const int job[] = {10, 2};
    story_member(&f->c, CHIEF, "Hugo Blanc", job, member);
    heard(f);
    const struct answer lacks = {.missing = 1, .awaited = 1, .whole = 4};
    proposes(f, REFERENT, NURSE, (struct answer){.missing = 2, .awaited = 2, .whole = 4});
    signs(f, SECOND, lacks);
    assert_int_equal(rank_seen(f, CHIEF, NURSE), 3);
    const struct call suspend = {"member.suspend", {"member", member}, false};
    (void)done(f, CHIEF, &suspend);
    signs(f, REFERENT, lacks);
    assert_int_equal(rank_seen(f, CHIEF, NURSE), 3);
    signs(f, CHIEF, (struct answer){.counts = true, .whole = 4});
    assert_int_equal(rank_seen(f, SECOND, NURSE), 1);
}

/* Each of two signs without knowing of the other: all hands are shown, and one signs once more. */
static void hands_given_apart_are_gathered(void **state)
{
    struct fixture *f = *state;
    char member[40];
    const int job[] = {10, 2};
    story_member(&f->c, CHIEF, "Hugo Blanc", job, member);
    heard(f);
    proposes(f, REFERENT, NURSE, (struct answer){.missing = 2, .awaited = 2, .whole = 4});
    for (unsigned a = 0; a < f->nodes; a++) {
        for (unsigned b = 0; b < a; b++) {
            cluster_cut(&f->c, a, b, true);
        }
    }
    signs(f, SECOND, (struct answer){.missing = 1, .awaited = 1, .whole = 4});
    signs(f, CHIEF, (struct answer){.missing = 1, .awaited = 1, .whole = 4});
    for (unsigned a = 0; a < f->nodes; a++) {
        for (unsigned b = 0; b < a; b++) {
            cluster_cut(&f->c, a, b, false);
        }
    }
    heard(f);
    for (unsigned n = 0; n < f->nodes; n++) {
        const struct waiting w = waiting(f, n);
        assert_int_equal(w.count, 1);
        assert_int_equal(w.hands, 3);
        assert_int_equal(w.missing, 0);
    }
    assert_int_equal(rank_seen(f, CHIEF, NURSE), 3);
    signs(f, REFERENT, (struct answer){.counts = true, .whole = 4});
    assert_int_equal(rank_seen(f, SECOND, NURSE), 1);
}

/* The référent proposes with the founder's hand in it, which he can't sign. */
static void propose_forged(struct fixture *f)
{
    struct ml_org *org = cluster_org(&f->c, REFERENT);
    const struct ml_gov *gov = ml_log_gov(org->log);
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    struct ml_second hands[2] = {{.sig = {{1}}}};
    struct ml_author author;
    struct ml_header next;
    struct ml_hash asked;
    struct ml_buf buf;
    bool counts = true;
    op.u.member_add.rank = ML_RANK_COORDINATOR;
    op.u.member_add.role = 60;
    assert_int_equal(ml_hex_decode(op.u.member_add.member.b, 16, f->member[NURSE], 32), ML_OK);
    ml_session_author(org, &author);
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    assert_int_equal(ml_govop_encode(&buf, &op), ML_OK);
    assert_int_equal(ml_org_next_header(org, &next, &author, ML_LANE_GOVERNANCE), ML_OK);
    assert_int_equal(ml_govop_hands_hash(&asked, ml_buf_slice(&buf), &org->id, &next), ML_OK);
    hands[0].writer = ml_gov_next(gov, ML_FACT_WRITER, NULL)->writer;
    hands[1].writer = author.id;
    ml_sign(hands[1].sig.b, ml_slice(asked.b, sizeof(asked.b)), author.seed);
    if (memcmp(&hands[0].writer, &hands[1].writer, sizeof(author.id)) > 0) {
        const struct ml_second first = hands[1];
        hands[1] = hands[0];
        hands[0] = first;
    }
    op.u.member_add.hands.second = (struct ml_list){.items = hands, .count = 2};
    ml_buf_clear(&buf);
    assert_int_equal(ml_govop_encode(&buf, &op), ML_OK);
    assert_int_equal(ml_org_append_act(org, &author, ml_buf_slice(&buf), &counts), ML_OK);
    assert_false(counts);
    ml_buf_free(&buf);
    heard(f);
}

static void a_forged_hand_is_nobodys(void **state)
{
    struct fixture *f = *state;
    propose_forged(f);
    const struct waiting w = waiting(f, CHIEF);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.hands, 1);
    assert_int_equal(w.missing, 1);
    assert_int_equal(rank_seen(f, CHIEF, NURSE), 3);
    signs(f, SECOND, (struct answer){.counts = true, .awaited = 1, .whole = 3});
}

static void each_refusal_of_a_coordinator_says_why(void **state)
{
    struct fixture *f = *state;
    const struct call unknown = {
        "member.promote", {"member", "00112233445566778899aabbccddeeff"}, false};
    const struct call none = {"member.promote", {NULL}, false};
    const struct call chief = {"member.promote", {"member", f->member[CHIEF]}, false};
    const struct call referent = {"member.promote", {"member", f->member[REFERENT]}, false};
    refused(f, CHIEF, &unknown, "member.unknown");
    assert_int_equal(ask(f, CHIEF, &none).err, ML_E_INVALID);
    refused(f, NURSE, &referent, "rank.referent");
    refused(f, REFERENT, &referent, "promote.self");
    refused(f, REFERENT, &chief, "promote.already");
    refused(f, CHIEF, &referent, "promote.few"); /* only she could sign */
    assert_int_equal(waiting(f, REFERENT).count, 0);
    proposes(f, CHIEF, NURSE, (struct answer){.missing = 1, .awaited = 1, .whole = 2});
    signs(f, REFERENT, (struct answer){.counts = true, .whole = 2});
    assert_int_equal(rank_seen(f, CHIEF, NURSE), 1);
    proposes(f, CHIEF, REFERENT, (struct answer){.missing = 1, .awaited = 1, .whole = 3});
}

/* ---- ranks 2 and 3 ---- */

/* Who is made a référent acts as one on every computer, and doesn't once he is none. */
static void a_coordinator_alone_makes_a_referent(void **state)
{
    struct fixture *f = *state;
    const struct call add = {"member.add", {"name", "Zoé Blanc", "role", "60"}, false};
    const struct call up = {"member.rank", {"member", f->member[NURSE], "rank", "2"}, false};
    const struct call down = {"member.rank", {"member", f->member[NURSE], "rank", "3"}, false};
    const struct call chief = {"governance.checkpoint", {NULL}, false};
    refused(f, NURSE, &chief, "rank.referent");
    (void)done(f, CHIEF, &up);
    for (unsigned n = 0; n < f->nodes; n++) {
        assert_int_equal(rank_seen(f, n, NURSE), 2);
    }
    (void)done(f, NURSE, &chief);
    refused(f, NURSE, &add, "rank.coordinator"); /* a référent is no coordinator */
    (void)done(f, CHIEF, &down);
    for (unsigned n = 0; n < f->nodes; n++) {
        assert_int_equal(rank_seen(f, n, NURSE), 3);
    }
    refused(f, NURSE, &chief, "rank.referent");
}

static void each_refusal_of_a_rank_says_why(void **state)
{
    struct fixture *f = *state;
    const char *nurse = f->member[NURSE];
    const struct call suspend = {"member.suspend", {"member", nurse}, false};
    const struct {
        struct call call;
        unsigned by;
        const char *text;
    } rows[] = {
        {{"member.rank", {"member", nurse, "rank", "2"}, false}, REFERENT, "rank.coordinator"},
        {{"member.rank", {"member", nurse, "rank", "1"}, false}, CHIEF, "member.rank"},
        {{"member.rank", {"member", nurse, "rank", "4"}, false}, CHIEF, "member.rank"},
        {{"member.rank", {"member", nurse}, false}, CHIEF, "member.rank"},
        {{"member.rank", {"member", nurse, "rank", "3"}, false}, CHIEF, "member.rank_already"},
        {{"member.rank", {"member", f->member[CHIEF], "rank", "2"}, false},
         CHIEF,
         "member.rank_self"},
        {{"member.rank", {"member", "00112233445566778899aabbccddeeff", "rank", "2"}, false},
         CHIEF,
         "member.unknown"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refused(f, rows[i].by, &rows[i].call, rows[i].text);
    }
    (void)done(f, CHIEF, &suspend);
    const struct call back = {"member.rank", {"member", nurse, "rank", "2"}, false};
    refused(f, CHIEF, &back, "member.rank_gone");
}

/* A coordinator's rank is no equal's to lower. */
static void an_equal_is_not_lowered(void **state)
{
    struct fixture *f = *state;
    const struct call lower = {"member.rank", {"member", f->member[NURSE], "rank", "3"}, false};
    proposes(f, CHIEF, NURSE, (struct answer){.missing = 1, .awaited = 1, .whole = 2});
    signs(f, REFERENT, (struct answer){.counts = true, .whole = 2});
    refused(f, CHIEF, &lower, "member.rank_equal");
    assert_int_equal(rank_seen(f, REFERENT, NURSE), 1);
}

/* ---- the matrix ---- */

struct shown {
    int version;
    int cells;
};

static struct shown show(struct fixture *f, unsigned n, int role)
{
    struct shown s;
    struct story_request r;
    story_ask(&r);
    if (role != 0) {
        ml_args_key(r.args, "role");
        ml_args_int(r.args, role);
    }
    story_must(&r, story_send(&r, &f->c, n, "matrix.show"), "matrix.show");
    s.version = (int)ml_value_int(story_get(&r, "version"), -1);
    s.cells = (int)ml_value_count(story_get(&r, "cells"));
    story_end(&r);
    return s;
}

static void the_matrix_is_edited_cell_by_cell(void **state)
{
    struct fixture *f = *state;
    const struct call set = {"matrix.set", {"set", "60:7=w"}, false};
    refused(f, CHIEF, &set, "matrix.none");
    assert_int_equal(show(f, NURSE, 0).version, 0);
    adopt(f);
    const struct shown before = show(f, NURSE, 60);
    assert_int_equal(before.version, 1);
    assert_true(before.cells > 10 && before.cells < show(f, NURSE, 0).cells);
    refused(f, REFERENT, &set, "rank.coordinator");
    static const char *const wrong[] = {
        "", "60", "60:7", "60:7=", "60:7=z", "60:25=w", "0:7=w", "x:7=w"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct call bad = {"matrix.set", {"set", wrong[i]}, false};
        refused(f, CHIEF, &bad, "matrix.cell");
    }
    assert_false(may(f, NURSE, "7"));
    assert_true(done(f, CHIEF, &set));
    assert_true(may(f, NURSE, "7"));
    assert_int_equal(show(f, NURSE, 60).version, 2);
    const struct call off = {"matrix.set", {"set", "60:7=-"}, false};
    assert_true(done(f, CHIEF, &off));
    assert_false(may(f, NURSE, "7"));
    assert_int_equal(show(f, NURSE, 60).cells, before.cells - 1);
}

/* Rule (b) of domain 7.2. */
static void ones_own_role_is_raised_by_two(void **state)
{
    struct fixture *f = *state;
    adopt(f);
    assert_false(may(f, CHIEF, "11"));
    const struct call set = {"matrix.set", {"set", "10:11=W"}, false};
    const struct call propose = {"matrix.set", {"set", "10:11=W"}, true};
    refused(f, CHIEF, &set, "matrix.own");
    assert_false(done(f, CHIEF, &propose));
    assert_string_equal(waiting(f, REFERENT).text, "proposal.11");
    assert_false(cosigned(f, REFERENT));
    assert_false(may(f, CHIEF, "11"));
    assert_true(cosigned(f, CHIEF));
    assert_true(may(f, CHIEF, "11"));
}

/* ---- checkpoints ---- */

static void a_checkpoint_is_for_those_of_rank(void **state)
{
    struct fixture *f = *state;
    const struct call call = {"governance.checkpoint", {NULL}, false};
    refused(f, NURSE, &call, "rank.referent");
    (void)done(f, REFERENT, &call);
    (void)done(f, CHIEF, &call);
    struct story_proof here;
    struct story_proof there;
    story_verify(&f->c, CHIEF, &here);
    story_verify(&f->c, NURSE, &there);
    assert_string_equal(here.state_hash, there.state_hash);
}

/* ---- failures ---- */

/* With each allocation failing in turn, until it is done. */
static void each_is_done_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    adopt(f);
    const struct call calls[] = {
        {"role.grant", {"member", f->member[CHIEF], "role", "60"}, true},
        {"role.end", {"member", f->member[NURSE], "role", "60"}, false},
        {"matrix.set", {"set", "60:7=w"}, false},
        {"member.promote", {"member", f->member[NURSE]}, false},
        {"member.rank", {"member", f->member[NURSE], "rank", "2"}, false},
        {"governance.checkpoint", {NULL}, false},
        {"governance.proposals", {NULL}, false},
        {"matrix.show", {NULL}, false},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct answer a = {.err = ML_E_NOMEM};
        long nth = 0;
        while (a.err == ML_E_NOMEM) {
            f->c.fake.fail_alloc = ++nth;
            a = ask(f, CHIEF, &calls[i]);
            f->c.fake.fail_alloc = 0;
        }
        assert_int_equal(a.err, ML_OK);
        assert_true(nth > 1);
    }
    heard(f);
    struct waiting w = waiting(f, REFERENT);
    const struct call sign = {"governance.cosign", {"proposal", w.proposal}, false};
    struct answer a = {.err = ML_E_NOMEM};
    for (long nth = 1; a.err == ML_E_NOMEM; nth++) {
        f->c.fake.fail_alloc = nth;
        a = ask(f, REFERENT, &sign);
        f->c.fake.fail_alloc = 0;
    }
    assert_int_equal(a.err, ML_OK);
}

int main(void)
{
#define TEST(fn)        cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define SECOND_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_second, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_role_is_given_and_ended),
        TEST(a_substitute_takes_over_until_a_day),
        TEST(each_refusal_of_a_role_says_why),
        TEST(what_takes_two_is_proposed_and_signed),
        TEST(what_was_decided_is_proposed_anew),
        TEST(only_those_of_rank_sign),
        TEST(the_oldest_proposal_makes_room),
        TEST(the_matrix_is_edited_cell_by_cell),
        TEST(ones_own_role_is_raised_by_two),
        TEST(a_checkpoint_is_for_those_of_rank),
        TEST(each_is_done_or_not_at_all),
        SECOND_TEST(a_majority_makes_a_coordinator_who_acts),
        SECOND_TEST(ones_own_hand_is_none_of_the_majority),
        SECOND_TEST(two_of_four_are_no_majority),
        SECOND_TEST(hands_given_apart_are_gathered),
        SECOND_TEST(a_forged_hand_is_nobodys),
        TEST(each_refusal_of_a_coordinator_says_why),
        TEST(a_coordinator_alone_makes_a_referent),
        TEST(each_refusal_of_a_rank_says_why),
        TEST(an_equal_is_not_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
