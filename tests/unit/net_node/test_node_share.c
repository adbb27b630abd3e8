/* test_node_share.c -- a patient whom a second team follows (patient.team; docs/governance.md,
 * "Teams"): what its members open, what he decided before and says afterwards, who writes on. Keys
 * are tried with the bytes of another's whole log, as in test_node_teams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "maille/value.h"
#include "net/node/session.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"
#include "support_tally.h"

/* By node: of both teams, a doctor of the first, a nurse and a doctor of the other. */
enum { CHIEF, INES, PAUL, RENE, PEOPLE };
enum { FIRST, HOME, TEAMS };
enum { NURSE = 60, DOCTOR = 10, SETTLED_MS = 90000, FAULTS_MAX = 60000, FAULTS_STEP = 173 };

static const char *const team_names[TEAMS] = {"Équipe", "Soins à domicile"};

struct house {
    struct cluster c;
    char member[PEOPLE][40];
    char patient[40]; /* of the first team, made by the chief */
};

static void settle(struct house *h)
{
    cluster_run(&h->c, SETTLED_MS);
    for (unsigned n = 0; n < PEOPLE; n++) {
        if (h->c.nodes[n].has_identity && story_try_find(&h->c, n) == ML_E_LOCKED) {
            story_unlock(&h->c, n);
        }
    }
}

/* ---- what people do ---- */

static void role_give(struct house *h, unsigned whom, int role, unsigned team)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", h->member[whom]);
    ml_args_key(r.args, "role");
    ml_args_int(r.args, role);
    ml_args_key(r.args, "teams");
    ml_args_list(r.args);
    ml_args_text(r.args, team_names[team]);
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &h->c, CHIEF, "role.grant"), "role.grant");
    story_end(&r);
    settle(h);
}

static void member_begin(struct house *h, unsigned n, const char *name, const int of[2])
{
    story_member(&h->c, CHIEF, name, (const int[]){of[0], 3}, h->member[n]);
    role_give(h, n, of[0], (unsigned)of[1]); /* before he has a key */
    story_enrol(&h->c, CHIEF, n, h->member[n]);
    story_synced(&h->c, n);
}

static void treat(struct house *h, unsigned by, const char *name)
{
    char treatment[40];
    story_treatment(&h->c, by, h->patient, drug(name, "5 mg"), treatment);
    settle(h);
}

static int setup(void **state)
{
    static struct house h;
    struct story_request r;
    memset(&h, 0, sizeof(h));
    cluster_init(&h.c, 67);
    story_found(&h.c, CHIEF);
    story_member_of(&h.c, CHIEF, "Dr Anne Morel", h.member[CHIEF]);
    story_ask(&r);
    story_must(&r, story_send(&r, &h.c, CHIEF, "right.adopt"), "right.adopt");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "name", team_names[HOME]);
    story_must(&r, story_send(&r, &h.c, CHIEF, "team.add"), "team.add");
    story_end(&r);
    member_begin(&h, INES, "Dr Inès Leroy", (const int[]){DOCTOR, FIRST});
    member_begin(&h, PAUL, "Paul Petit", (const int[]){NURSE, HOME});
    member_begin(&h, RENE, "Dr René Roux", (const int[]){DOCTOR, HOME});
    story_patient(&h.c, CHIEF, h.patient);
    treat(&h, CHIEF, "Ramipril");
    *state = &h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    h->c.fake.fail_alloc = 0;
    cluster_free(&h->c);
    return 0;
}

static ml_err join_try(struct house *h, unsigned by, const char *team, char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_put(&r, "add", team);
    const ml_err err = story_send(&r, &h->c, by, "patient.team");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

static void join(struct house *h)
{
    char text[64];
    assert_int_equal(join_try(h, CHIEF, team_names[HOME], text), ML_OK);
    settle(h);
}

static void oppose(struct house *h, unsigned by, const char *whom, const char *value)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    if (strcmp(whom, "role") == 0) {
        ml_args_key(r.args, whom);
        ml_args_int(r.args, NURSE);
    } else {
        story_put(&r, whom, value);
    }
    story_must(&r, story_send(&r, &h->c, by, "consent.oppose"), "consent.oppose");
    story_end(&r);
    settle(h);
}

/* ---- what is asked ---- */

static uint64_t last(struct house *h)
{
    return ml_log_last(cluster_org(&h->c, CHIEF)->log);
}

static struct tally tally(struct house *h, unsigned by, uint64_t after)
{
    tally_give_keys(&h->c, CHIEF, by);
    return tally_records(&h->c, CHIEF, by, after);
}

/* Of keys, that many were written since. */
static unsigned key_bundles(struct house *h, uint64_t after)
{
    struct ml_log_entry entry = {.n = after};
    unsigned count = 0;
    while (ml_log_after(cluster_org(&h->c, CHIEF)->log, entry.n, ML_LOG_LANE(ML_LANE_KEYS),
                        &entry) == ML_OK) {
        count++;
    }
    return count;
}

/* Of their ops, that many stand as their leaves only. */
static unsigned shredded(struct house *h, uint64_t after)
{
    struct ml_log_entry entry = {.n = after};
    unsigned count = 0;
    while (ml_log_after(cluster_org(&h->c, CHIEF)->log, entry.n, ML_LOG_LANE(ML_LANE_KEYS),
                        &entry) == ML_OK) {
        struct ml_body_walk walk;
        struct ml_body_op op;
        ml_body_walk(&walk, entry.body.bytes);
        while (ml_body_next(&walk, &op)) {
            count += op.shredded;
        }
    }
    return count;
}

static unsigned statements(struct house *h, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_must(&r, story_send(&r, &h->c, n, "consent.show"), "consent.show");
    const unsigned count = (unsigned)ml_value_count(story_get(&r, "statements"));
    story_end(&r);
    return count;
}

/* How many treatments his chart shows there; -1: there is no such patient. */
static int treatments(struct house *h, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    const ml_err err = story_send(&r, &h->c, n, "patient.show");
    assert_true(err == ML_OK || err == ML_E_NOT_FOUND);
    const int count =
        err != ML_OK ? -1
                     : (int)ml_value_int(ml_value_get(story_get(&r, "counts"), "treatment"), 0);
    story_end(&r);
    return count;
}

/* Of a class that a nurse's role reads. */
static bool may_read(struct house *h, unsigned by, unsigned whom)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", h->member[whom]);
    story_put(&r, "patient", h->patient);
    story_put(&r, "class", "7");
    story_must(&r, story_send(&r, &h->c, by, "right.explain"), "right.explain");
    const bool allowed = ml_value_bool(story_get(&r, "allowed"), false);
    story_end(&r);
    return allowed;
}

/* ---- stories ---- */

static void the_other_team_reads_all_of_him_and_both_write_on(void **state)
{
    struct house *h = *state;
    assert_int_equal(treatments(h, PAUL), -1);
    join(h);
    assert_int_equal(treatments(h, PAUL), 1);
    assert_int_equal(treatments(h, RENE), 1);
    assert_int_equal(tally(h, PAUL, 0).closed, 0);
    assert_int_equal(tally(h, INES, 0).closed, 0);
    const uint64_t then = last(h);
    treat(h, RENE, "Kétamine"); /* who has the keys of his own team alone */
    assert_int_equal(treatments(h, INES), 2);
    assert_int_equal(treatments(h, CHIEF), 2);
    assert_int_equal(tally(h, INES, then).closed, 0);
    assert_true(may_read(h, INES, PAUL) && may_read(h, PAUL, INES));
}

/* Another epoch in one team: who isn't in it gives a new data key to it as a deposit, once. */
static void a_team_whose_keys_changed_is_written_for_by_who_is_in_the_other_one_alone(void **state)
{
    struct house *h = *state;
    join(h);
    role_give(h, PAUL, NURSE, FIRST);
    const uint64_t then = last(h);
    treat(h, RENE, "Morphine"); /* with the next keys of his team */
    treat(h, INES, "Kétamine");
    for (unsigned n = 0; n < PEOPLE; n++) {
        assert_int_equal(treatments(h, n), 3);
        assert_int_equal(tally(h, n, then).closed, 0);
    }
    const uint64_t before = last(h);
    treat(h, RENE, "Colchicine");
    treat(h, RENE, "Furosémide");
    treat(h, INES, "Aspirine");
    assert_int_equal(key_bundles(h, before), 0); /* each has one that serves both teams */
    assert_int_equal(treatments(h, CHIEF), 6);
    assert_int_equal(tally(h, PAUL, before).closed, 0);
}

/* Nobody is asked anything: the nurse there is away, and hears of both at once. */
static void what_he_opposed_before_holds_in_the_other_team(void **state)
{
    struct house *h = *state;
    char text[64];
    oppose(h, CHIEF, "role", NULL);
    story_pause(&h->c, PAUL, true);
    const uint64_t then = last(h);
    assert_int_equal(join_try(h, CHIEF, team_names[HOME], text), ML_OK);
    assert_int_equal(shredded(h, then), 0); /* nothing was given to take it back */
    cluster_run(&h->c, 2000);
    assert_false(may_read(h, RENE, PAUL)); /* before anybody keeps anything in step */
    treat(h, RENE, "Kétamine");
    assert_int_equal(treatments(h, RENE), 2);
    story_pause(&h->c, PAUL, false);
    settle(h);
    assert_int_equal(treatments(h, PAUL), 0);
    assert_int_equal(tally(h, PAUL, 0).opened, 1); /* who he is */
    assert_int_equal(tally(h, RENE, 0).closed, 0);
    for (unsigned n = 0; n < PEOPLE; n++) {
        assert_false(may_read(h, n, PAUL));
        assert_true(may_read(h, n, RENE));
    }
}

/* Who is of one team takes it down for his own; who is of both tells the other. */
static void what_he_says_to_one_team_later_the_other_hears(void **state)
{
    struct house *h = *state;
    struct story_request r;
    join(h);
    story_ask(&r); /* what changes nobody's keys too */
    story_put(&r, "patient", h->patient);
    story_put(&r, "person", h->member[PAUL]);
    story_must(&r, story_send(&r, &h->c, INES, "consent.give"), "consent.give");
    story_end(&r);
    settle(h);
    settle(h);
    assert_int_equal(statements(h, RENE), 1);
    assert_true(may_read(h, RENE, PAUL));
    oppose(h, INES, "person", h->member[PAUL]);
    settle(h);
    assert_false(may_read(h, RENE, PAUL));
    assert_int_equal(treatments(h, PAUL), 0);
    const uint64_t then = last(h);
    treat(h, RENE, "Kétamine");
    assert_int_equal(tally(h, PAUL, then).opened, 0);
    assert_int_equal(treatments(h, INES), 2);
}

/* Nobody's own word counts for himself, nor by somebody who passes it on. */
static void an_agreement_to_its_author_gains_nothing_by_a_copy(void **state)
{
    struct house *h = *state;
    struct story_request r;
    join(h);
    oppose(h, INES, "role", NULL);
    assert_false(may_read(h, INES, PAUL) || may_read(h, RENE, PAUL));
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_put(&r, "person", h->member[PAUL]);
    story_must(&r, story_send(&r, &h->c, PAUL, "consent.give"), "consent.give");
    story_end(&r);
    settle(h);
    settle(h);
    for (unsigned n = 0; n < PEOPLE; n++) {
        assert_false(may_read(h, n, PAUL));
    }
    assert_int_equal(treatments(h, PAUL), 0);
}

static void what_may_not_be_is_refused_and_says_why(void **state)
{
    struct house *h = *state;
    char text[64];
    const uint64_t then = last(h);
    assert_int_equal(join_try(h, CHIEF, "Nuit", text), ML_E_NOT_FOUND);
    assert_string_equal(text, "team.unknown");
    assert_int_equal(join_try(h, CHIEF, team_names[FIRST], text), ML_OK); /* he is of it */
    assert_int_equal(join_try(h, INES, team_names[HOME], text), ML_E_DENIED);
    assert_string_equal(text, "right.elsewhere");
    assert_int_equal(join_try(h, RENE, team_names[HOME], text), ML_E_NOT_FOUND);
    assert_string_equal(text, "patient.unknown");
    assert_int_equal(key_bundles(h, then), 0);
    oppose(h, INES, "person", h->member[CHIEF]);
    assert_int_equal(join_try(h, CHIEF, team_names[HOME], text), ML_E_DENIED);
    assert_string_equal(text, "patient.team_opposed");
    assert_int_equal(treatments(h, RENE), -1);
}

/* ---- memory ---- */

/* What was written of it before it failed is harmless, and done again. */
static void a_failed_one_is_said_again(void **state)
{
    struct house *h = *state;
    char text[64];
    ml_err err = ML_E_NOMEM;
    bool reached = true;
    long n = 1;
    oppose(h, CHIEF, "role", NULL);
    for (; reached; n += FAULTS_STEP) {
        h->c.fake.fail_alloc = n;
        err = join_try(h, CHIEF, team_names[HOME], text);
        reached = h->c.fake.fail_alloc == 0;
        h->c.fake.fail_alloc = 0;
        assert_true(n < FAULTS_MAX && (err == ML_OK || reached));
    }
    assert_int_equal(err, ML_OK);
    settle(h);
    treat(h, CHIEF, "Kétamine");
    assert_int_equal(treatments(h, PAUL), 0);
    assert_int_equal(treatments(h, RENE), 2);
    printf("patient.team: %ld allocations\n", n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_other_team_reads_all_of_him_and_both_write_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_team_whose_keys_changed_is_written_for_by_who_is_in_the_other_one_alone, setup,
            teardown),
        cmocka_unit_test_setup_teardown(what_he_opposed_before_holds_in_the_other_team, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_he_says_to_one_team_later_the_other_hears, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_agreement_to_its_author_gains_nothing_by_a_copy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_may_not_be_is_refused_and_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_one_is_said_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
