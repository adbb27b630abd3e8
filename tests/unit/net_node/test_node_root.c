/* test_node_root.c -- the only coordinator is lost: sheets typed in at a member's computer make him
 * one, on every node, and his word counts (rules B14, B16; docs/governance.md, Root). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support_story.h"

enum { LINE_SIZE = 128, COORDINATOR = 1, MEMBER = 3 };
enum { OFFICE, INES, HUGO, NEW };

struct story {
    struct cluster c;
    char line[3][LINE_SIZE]; /* two of the three make Root */
    char anne[40];
    char ines[40];
    char hugo[40];
};

static void found(struct story *s)
{
    struct story_request r;
    cluster_start(&s->c, OFFICE);
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    ml_args_key(r.args, "need");
    ml_args_int(r.args, 2);
    ml_args_key(r.args, "count");
    ml_args_int(r.args, 3);
    story_must(&r, story_send(&r, &s->c, OFFICE, "org.found"), "org.found");
    const struct ml_value *v = ml_value_at(story_get(&r, "shares"), 0);
    for (size_t i = 0; i < 3; i++, v = ml_value_next(v)) {
        snprintf(s->line[i], sizeof(s->line[i]), "%s", ml_value_text(ml_value_get(v, "line"), ""));
    }
    story_end(&r);
}

static const struct ml_value *named(const struct story_request *r, const char *name)
{
    const struct ml_value *m = ml_value_at(story_get(r, "members"), 0);
    while (m != NULL && strcmp(ml_value_text(ml_value_get(m, "name"), ""), name) != 0) {
        m = ml_value_next(m);
    }
    return m;
}

/* Of a member by his name, as node `n` knows it; 0: none. */
static int rank_of(struct cluster *c, unsigned n, const char *name, char member[40])
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "member.list"), "member.list");
    const struct ml_value *m = named(&r, name);
    const int rank = (int)ml_value_int(ml_value_get(m, "rank"), 0);
    if (member != NULL) {
        snprintf(member, 40, "%s", ml_value_text(ml_value_get(m, "member"), ""));
    }
    story_end(&r);
    return rank;
}

static void dial(struct cluster *c, unsigned from, unsigned to)
{
    struct story_request r;
    char node[40];
    char address[32];
    story_ask(&r);
    story_must(&r, story_send(&r, c, to, "node.status"), "node.status");
    snprintf(node, sizeof(node), "%s",
             ml_value_text(ml_value_get(ml_value_at(story_get(&r, "orgs"), 0), "node"), ""));
    story_end(&r);
    story_ask(&r);
    snprintf(address, sizeof(address), "node:%u", to);
    story_put(&r, "node", node);
    story_put(&r, "address", address);
    story_must(&r, story_send(&r, c, from, "peer.add"), "peer.add");
    story_end(&r);
}

static int setup(void **state)
{
    static struct story s;
    memset(&s, 0, sizeof(s));
    cluster_init(&s.c, 41);
    found(&s);
    story_join(&s.c, OFFICE, INES, "Inès Leroy", 60);
    story_join(&s.c, OFFICE, HUGO, "Hugo Petit", 60);
    story_synced(&s.c, INES);
    story_synced(&s.c, HUGO);
    dial(&s.c, HUGO, INES);
    assert_int_equal(rank_of(&s.c, INES, "Dr Anne Morel", s.anne), COORDINATOR);
    assert_int_equal(rank_of(&s.c, INES, "Inès Leroy", s.ines), MEMBER);
    assert_int_equal(rank_of(&s.c, INES, "Hugo Petit", s.hugo), MEMBER);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct story *s = *state;
    s->c.fake.fail_alloc = 0;
    cluster_free(&s->c);
    return 0;
}

struct act {
    const char *lines[2]; /* sheets */
    const char *member;   /* NULL: who is there */
    const char *gone;
    const char *mode;
};

static ml_err promote(struct cluster *c, unsigned n, const struct act *a, char text[64])
{
    struct story_request r;
    story_ask(&r);
    ml_args_key(r.args, "shares");
    ml_args_list(r.args);
    for (size_t i = 0; i < 2 && a->lines[i] != NULL; i++) {
        ml_args_text(r.args, a->lines[i]);
    }
    ml_args_end(r.args);
    ml_args_key(r.args, "promote");
    ml_args_bool(r.args, true);
    if (a->member != NULL) {
        story_put(&r, "member", a->member);
    }
    if (a->gone != NULL) {
        story_put(&r, "gone", a->gone);
    }
    if (a->mode != NULL) {
        story_put(&r, "mode", a->mode);
    }
    ml_err err = story_send(&r, c, n, "org.recover");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

static void same_state(struct cluster *c, unsigned a, unsigned b)
{
    struct story_proof one;
    struct story_proof two;
    story_synced(c, a);
    story_synced(c, b);
    story_verify(c, a, &one);
    story_verify(c, b, &two);
    assert_string_equal(one.state_hash, two.state_hash);
    assert_int_equal(one.pending, 0);
}

/* ---- the only coordinator is lost ---- */

static void two_sheets_of_three_make_a_member_coordinator_everywhere(void **state)
{
    struct story *s = *state;
    char text[64];
    cluster_stop(&s->c, OFFICE);
    const struct act act = {.lines = {s->line[2], s->line[0]}};
    assert_int_equal(promote(&s->c, INES, &act, text), ML_OK);
    assert_int_equal(rank_of(&s->c, INES, "Inès Leroy", NULL), COORDINATOR);
    same_state(&s->c, INES, HUGO);
    assert_int_equal(rank_of(&s->c, HUGO, "Inès Leroy", NULL), COORDINATOR);
    story_join(&s->c, INES, NEW, "Nadia Fabre", 60); /* what a coordinator alone may */
    same_state(&s->c, INES, HUGO);
    assert_int_equal(rank_of(&s->c, HUGO, "Nadia Fabre", NULL), MEMBER);
    assert_int_equal(rank_of(&s->c, NEW, "Inès Leroy", NULL), COORDINATOR);
    /* The old one's computer was in a drawer. */
    cluster_start(&s->c, OFFICE);
    story_unlock(&s->c, OFFICE);
    same_state(&s->c, INES, OFFICE);
    assert_int_equal(rank_of(&s->c, OFFICE, "Inès Leroy", NULL), COORDINATOR);
    assert_int_equal(rank_of(&s->c, OFFICE, "Dr Anne Morel", NULL), COORDINATOR);
}

static void one_sheet_makes_nobody(void **state)
{
    struct story *s = *state;
    char text[64];
    const struct act act = {.lines = {s->line[2]}};
    assert_int_equal(promote(&s->c, INES, &act, text), ML_E_INVALID);
    assert_string_equal(text, "share.too_few");
    assert_int_equal(rank_of(&s->c, INES, "Inès Leroy", NULL), MEMBER);
}

/* Her laptop was stolen: who has it hears that he is out, and what he says counts nowhere. */
static void a_stolen_coordinator_is_denied_in_the_same_act(void **state)
{
    struct story *s = *state;
    char text[64];
    story_pause(&s->c, OFFICE, true);
    const struct act act = {
        .lines = {s->line[1], s->line[2]}, .gone = s->anne, .mode = "compromise"};
    assert_int_equal(promote(&s->c, INES, &act, text), ML_OK);
    struct story_request r; /* meanwhile */
    story_ask(&r);
    story_put(&r, "member", s->ines);
    story_must(&r, story_send(&r, &s->c, OFFICE, "member.revoke"), "member.revoke");
    story_end(&r);
    story_pause(&s->c, OFFICE, false);
    story_synced(&s->c, HUGO);
    cluster_run(&s->c, 5000);
    same_state(&s->c, INES, HUGO);
    assert_int_equal(rank_of(&s->c, INES, "Inès Leroy", NULL), COORDINATOR);
    assert_int_equal(rank_of(&s->c, HUGO, "Inès Leroy", NULL), COORDINATOR);
    assert_int_equal(rank_of(&s->c, HUGO, "Dr Anne Morel", NULL), 0);
}

/* Somebody who isn't there: his own computer hears it. */
static void root_may_name_somebody_else(void **state)
{
    struct story *s = *state;
    char text[64];
    const struct act act = {.lines = {s->line[0], s->line[1]}, .member = s->hugo};
    assert_int_equal(promote(&s->c, INES, &act, text), ML_OK);
    same_state(&s->c, INES, HUGO);
    assert_int_equal(rank_of(&s->c, HUGO, "Hugo Petit", NULL), COORDINATOR);
    assert_int_equal(rank_of(&s->c, HUGO, "Inès Leroy", NULL), MEMBER);
}

/* Of two coordinators who revoked each other none is left: the sheets bring one of them back. */
static void root_brings_back_who_was_revoked(void **state)
{
    struct story *s = *state;
    char text[64];
    const struct act gone = {.lines = {s->line[0], s->line[1]}, .gone = s->anne};
    const struct act back = {.lines = {s->line[0], s->line[1]}, .member = s->anne};
    cluster_stop(&s->c, OFFICE);
    assert_int_equal(promote(&s->c, INES, &gone, text), ML_OK);
    same_state(&s->c, INES, HUGO);
    assert_int_equal(rank_of(&s->c, HUGO, "Dr Anne Morel", NULL), 0);
    assert_int_equal(promote(&s->c, INES, &back, text), ML_OK);
    same_state(&s->c, INES, HUGO);
    assert_int_equal(rank_of(&s->c, HUGO, "Dr Anne Morel", NULL), COORDINATOR);
}

static void what_makes_no_sense_is_refused_with_the_reason(void **state)
{
    struct story *s = *state;
    char text[64];
    struct act act = {.lines = {s->line[0], s->line[1]}, .member = s->anne};
    assert_int_equal(promote(&s->c, INES, &act, text), ML_E_EXISTS);
    assert_string_equal(text, "recover.already");
    act.member = NULL;
    act.gone = s->ines;
    assert_int_equal(promote(&s->c, INES, &act, text), ML_E_INVALID);
    assert_string_equal(text, "recover.same");
    act.gone = s->anne;
    act.mode = "vol";
    assert_int_equal(promote(&s->c, INES, &act, text), ML_E_INVALID);
    assert_string_equal(text, "member.mode");
    act.mode = NULL;
    act.gone = "00112233445566778899aabbccddeeff";
    assert_int_equal(promote(&s->c, INES, &act, text), ML_E_NOT_FOUND);
    act.gone = NULL;
    act.member = "00112233445566778899aabbccddeeff";
    assert_int_equal(promote(&s->c, INES, &act, text), ML_E_NOT_FOUND);
    assert_string_equal(text, "member.unknown");
    assert_int_equal(rank_of(&s->c, INES, "Inès Leroy", NULL), MEMBER);
}

/* Each allocation fails in turn: nobody is half a coordinator, and the one who is gone is denied
 * with it or not at all. */
static void a_recovery_that_fails_makes_nobody(void **state)
{
    struct story *s = *state;
    char text[64];
    const struct act act = {.lines = {s->line[0], s->line[1]}, .gone = s->anne};
    bool done = false;
    for (long nth = 1; !done; nth++) {
        s->c.fake.fail_alloc = nth;
        const ml_err err = promote(&s->c, INES, &act, text);
        const bool spared = fake_spared(&s->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        const bool ines = rank_of(&s->c, INES, "Inès Leroy", NULL) == COORDINATOR;
        const bool anne = rank_of(&s->c, INES, "Dr Anne Morel", NULL) == COORDINATOR;
        assert_true(ines != anne);
        assert_true(err != ML_OK || ines);
        done = spared || ines;
    }
    same_state(&s->c, INES, HUGO);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_sheets_of_three_make_a_member_coordinator_everywhere),
        T(one_sheet_makes_nobody),
        T(a_stolen_coordinator_is_denied_in_the_same_act),
        T(root_may_name_somebody_else),
        T(root_brings_back_who_was_revoked),
        T(what_makes_no_sense_is_refused_with_the_reason),
        T(a_recovery_that_fails_makes_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
