/* test_node_consent.c -- what a patient decides, on three whole nodes: it holds at once where it is
 * taken down, at each other when it arrives, by whatever way; what it hides is in no answer and no
 * longer in the vault, and each vault signs for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/ids.h"
#include "maille/value.h"
#include "net/node/govern.h"
#include "net/node/keys.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"
#include "support_tally.h"

enum { A = 0, B = 1, C = 2 };

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 41);
    story_found(&c, A);
    story_join(&c, A, B, "Inès Leroy", 60);
    story_join(&c, A, C, "Karim Haddad", 70);
    story_synced(&c, B);
    story_synced(&c, C);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

struct person {
    char member[40];
    char node[40];
};

static void find(struct cluster *c, const char *name, struct person *out)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, A, "member.list"), "member.list");
    const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0);
    *out = (struct person){.member = ""};
    for (; m != NULL; m = ml_value_next(m)) {
        if (strcmp(ml_value_text(ml_value_get(m, "name"), ""), name) == 0) {
            const struct ml_value *node = ml_value_at(ml_value_get(m, "nodes"), 0);
            snprintf(out->member, 40, "%s", ml_value_text(ml_value_get(m, "member"), ""));
            snprintf(out->node, 40, "%s", ml_value_text(ml_value_get(node, "node"), ""));
        }
    }
    story_end(&r);
    assert_true(out->member[0] != '\0' && out->node[0] != '\0');
}

/* Alone, and then back with one other. */
static void cut_off(struct cluster *c, unsigned n)
{
    for (unsigned other = A; other <= C; other++) {
        if (other != n) {
            cluster_cut(c, n, other, true);
        }
    }
}

static void settle(struct cluster *c)
{
    cluster_run(c, 120000);
}

static void meet(struct cluster *c, unsigned n, const struct person *who, const char *address)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "node", who->node);
    story_put(&r, "address", address);
    story_must(&r, story_send(&r, c, n, "peer.add"), "peer.add");
    story_end(&r);
}

/* ---- saying ---- */

struct said {
    const char *method;
    const char *patient;
    const char *key; /* one parameter more */
    const char *value;
    bool myself;
};

static ml_err say(struct cluster *c, unsigned n, const struct said *said, char statement[40],
                  char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", said->patient);
    if (said->key != NULL && strcmp(said->key, "role") == 0) {
        ml_args_key(r.args, said->key);
        ml_args_int(r.args, strtol(said->value, NULL, 10));
    } else if (said->key != NULL) {
        story_put(&r, said->key, said->value);
    }
    if (said->myself) {
        ml_args_key(r.args, "myself");
        ml_args_bool(r.args, true);
    }
    ml_err err = story_send(&r, c, n, said->method);
    snprintf(statement, 40, "%s", ml_value_text(story_get(&r, "statement"), ""));
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

static void must_say(struct cluster *c, unsigned n, const struct said *said, char statement[40])
{
    char text[64];
    ml_err err = say(c, n, said, statement, text);
    if (err != ML_OK) {
        print_message("%s: %s\n", said->method, text);
    }
    assert_int_equal(err, ML_OK);
}

/* ---- seeing ---- */

struct seen {
    bool hidden;
    bool named; /* the patient's name is still there */
    int64_t treatments;
    int64_t timeline;
    int64_t found; /* by words of the record */
};

static void timeline_see(struct cluster *c, unsigned n, const char *patient, const char *words,
                         struct seen *seen)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", patient);
    if (words != NULL) {
        story_put(&r, "text", words);
    }
    story_must(&r, story_send(&r, c, n, "timeline.list"), "timeline.list");
    *(words == NULL ? &seen->timeline : &seen->found) = ml_value_int(story_get(&r, "total"), -1);
    assert_true(ml_value_bool(story_get(&r, "hidden"), false) == seen->hidden);
    story_end(&r);
}

static struct seen see(struct cluster *c, unsigned n, const char *patient)
{
    struct story_request r;
    struct seen seen = {.hidden = false};
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_must(&r, story_send(&r, c, n, "patient.show"), "patient.show");
    const struct ml_value *current = ml_value_get(story_get(&r, "treatments"), "current");
    for (const struct ml_value *v = ml_value_at(current, 0); v != NULL; v = ml_value_next(v)) {
        seen.treatments++;
    }
    seen.hidden = ml_value_bool(story_get(&r, "hidden"), false);
    seen.named = ml_value_text(ml_value_get(story_get(&r, "banner"), "birth_name"), "")[0] != '\0';
    story_end(&r);
    timeline_see(c, n, patient, NULL, &seen);
    timeline_see(c, n, patient, "metformine", &seen);
    return seen;
}

static void assert_sees(struct cluster *c, unsigned n, const char *patient, bool all)
{
    const struct seen seen = see(c, n, patient);
    assert_true(seen.hidden == !all);
    assert_true(seen.named);
    assert_int_equal(seen.treatments, all);
    assert_int_equal(seen.found, all);
    assert_int_equal(seen.timeline, all);
}

static ml_err ask_object(struct cluster *c, unsigned n, const char *method, const char *const of[2],
                         char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", of[0]);
    story_put(&r, "object", of[1]);
    ml_err err = story_send(&r, c, n, method);
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

/* How many vaults of members on nodes have signed, and how many haven't. */
static void receipts(struct cluster *c, unsigned n, const char *patient, int64_t *obeyed,
                     int64_t *awaited)
{
    struct story_request r;
    *obeyed = 0;
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_must(&r, story_send(&r, c, n, "consent.receipts"), "consent.receipts");
    const struct ml_value *s = ml_value_at(story_get(&r, "statements"), 0);
    const struct ml_value *node = ml_value_at(ml_value_get(s, "nodes"), 0);
    for (; node != NULL; node = ml_value_next(node)) {
        *obeyed += ml_value_bool(ml_value_get(node, "obeyed"), false);
    }
    *awaited = ml_value_int(story_get(&r, "awaited"), -1);
    story_end(&r);
}

static void assert_receipts(struct cluster *c, unsigned n, const char *patient, int64_t obeyed,
                            int64_t awaited)
{
    int64_t have = 0;
    int64_t wait = 0;
    receipts(c, n, patient, &have, &wait);
    assert_int_equal(have, obeyed);
    assert_int_equal(wait, awaited);
}

/* ---- stories ---- */

static void patient_begin(struct cluster *c, char patient[40], char treatment[40])
{
    story_patient(c, A, patient);
    story_treatment(c, A, patient, drug("metformine", "1000 mg matin et soir"), treatment);
    story_synced(c, B);
    story_synced(c, C);
    assert_sees(c, B, patient, true);
    assert_sees(c, C, patient, true);
}

static void an_opposition_reaches_who_was_away_by_another(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct person ines;
    struct person karim;
    char statement[40];
    char text[64];
    patient_begin(c, patient, treatment);
    find(c, "Karim Haddad", &karim);
    find(c, "Inès Leroy", &ines);
    cut_off(c, C);
    const struct said opposed = {"consent.oppose", patient, "person", karim.member, false};
    must_say(c, A, &opposed, statement);
    assert_sees(c, A, patient, true); /* it isn't about him */
    settle(c);
    assert_sees(c, B, patient, true);
    assert_sees(c, C, patient, true); /* he hasn't heard of it */
    assert_receipts(c, A, patient, 0, 1);
    cluster_cut(c, A, B, true); /* and he never meets A again */
    cluster_cut(c, B, C, false);
    meet(c, C, &ines, "node:1");
    settle(c);
    assert_sees(c, C, patient, false);
    assert_int_equal(ask_object(c, C, "record.show", (const char *[]){patient, treatment}, text),
                     ML_E_NOT_FOUND);
    assert_string_equal(text, "object.perhaps_hidden");
    assert_int_equal(ask_object(c, C, "document.show", (const char *[]){patient, treatment}, text),
                     ML_E_NOT_FOUND);
    assert_string_equal(text, "object.perhaps_hidden");
    /* The same for what never was. */
    assert_int_equal(ask_object(c, C, "record.show", (const char *[]){patient, statement}, text),
                     ML_E_NOT_FOUND);
    assert_string_equal(text, "object.perhaps_hidden");
    assert_receipts(c, B, patient, 1, 0);
    assert_receipts(c, A, patient, 0, 1);
    cluster_cut(c, A, B, false);
    settle(c);
    assert_receipts(c, A, patient, 1, 0);
}

static void what_is_withdrawn_is_there_again(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct person karim;
    char statement[40];
    char withdrawn[40];
    char text[64];
    patient_begin(c, patient, treatment);
    find(c, "Karim Haddad", &karim);
    const struct said opposed = {"consent.oppose", patient, "person", karim.member, false};
    must_say(c, A, &opposed, statement);
    settle(c);
    assert_sees(c, C, patient, false);
    /* Whom it is about can't lift it, nor agree in the patient's place. */
    const struct said lifted = {"consent.withdraw", patient, "statement", statement, false};
    assert_int_equal(say(c, C, &lifted, withdrawn, text), ML_E_DENIED);
    assert_string_equal(text, "consent.own_word");
    const struct said given = {"consent.give", patient, "person", karim.member, false};
    must_say(c, C, &given, withdrawn);
    assert_sees(c, C, patient, false);
    settle(c);
    must_say(c, A, &opposed, statement);
    settle(c);
    const struct said lifted_too = {"consent.withdraw", patient, "statement", statement, false};
    must_say(c, B, &lifted_too, withdrawn);
    settle(c);
    assert_sees(c, C, patient, true);
}

static void what_is_masked_is_there_for_those_who_are_named(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char statement[40];
    char text[64];
    patient_begin(c, patient, treatment);
    const struct said masked = {"consent.mask", patient, "object", treatment, false};
    must_say(c, A, &masked, statement);
    settle(c);
    assert_sees(c, A, patient, true);
    assert_sees(c, B, patient, false);
    assert_sees(c, C, patient, false);
    assert_receipts(c, A, patient, 2, 0);
    assert_int_equal(ask_object(c, B, "record.show", (const char *[]){patient, treatment}, text),
                     ML_E_NOT_FOUND);
}

/* Rules A5: he was enrolled where nobody had heard of the decision, and who took it down hadn't
 * heard of him. Nobody asks anybody for anything. */
static void who_came_meanwhile_is_sealed_what_the_others_have(void **state)
{
    enum { D = 3 };
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct person karim;
    char statement[40];
    struct story_proof one;
    struct story_proof other;
    patient_begin(c, patient, treatment);
    find(c, "Karim Haddad", &karim);
    cut_off(c, B);
    const struct said opposed = {"consent.oppose", patient, "person", karim.member, false};
    must_say(c, B, &opposed, statement);
    story_dose(c, B, patient, treatment, drug("metformine", "500 mg matin"));
    story_join(c, A, D, "Paul Petit", 60);
    cluster_cut(c, A, B, false);
    settle(c);
    story_verify(c, B, &one);
    story_verify(c, D, &other);
    assert_string_equal(one.state_hash, other.state_hash);
    assert_string_equal(one.view_hash, other.view_hash);
    assert_sees(c, C, patient, false);
}

static void revoke(struct cluster *c, const char *name)
{
    char member[40];
    struct story_request r;
    story_member_of(c, A, name, member);
    story_ask(&r);
    story_put(&r, "member", member);
    story_must(&r, story_send(&r, c, A, "member.revoke"), "member.revoke");
    story_end(&r);
}

/* What node `n` answers whether a member may read the patient's treatments. */
static bool may_read(struct cluster *c, unsigned n, const char *patient, const char *name)
{
    char member[40];
    struct story_request r;
    story_member_of(c, A, name, member);
    story_ask(&r);
    story_put(&r, "member", member);
    story_put(&r, "patient", patient);
    story_put(&r, "class", "10");
    story_must(&r, story_send(&r, c, n, "right.explain"), "right.explain");
    const bool may = ml_value_bool(story_get(&r, "allowed"), false);
    story_end(&r);
    return may;
}

/* Who came since knows who he is from then on. */
static void rename_to(struct cluster *c, unsigned n, const char *patient, const char *name)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "object", patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "birth_name", name);
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, n, "record.amend"), "record.amend");
    story_end(&r);
}

/* By the keys of who is on `by`, with the bytes that node `from` holds. */
static struct tally records(struct cluster *c, unsigned from, unsigned by)
{
    tally_give_keys(c, from, by);
    return tally_records(c, from, by, 0);
}

/* ADR 0025. Keys were changed after the patient had spoken; who came then was given no history. He
 * is refused, and what he writes himself is kept from whom the patient refused. */
static void who_came_after_a_rotation_hears_what_was_said_before(void **state)
{
    enum { D = 3, E = 4 };
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct person karim;
    char statement[40];
    patient_begin(c, patient, treatment);
    find(c, "Karim Haddad", &karim);
    const struct said person = {"consent.oppose", patient, "person", karim.member, false};
    const struct said midwives = {"consent.oppose", patient, "role", "70", false};
    must_say(c, A, &person, statement);
    must_say(c, A, &midwives, statement);
    settle(c);
    revoke(c, "Inès Leroy"); /* the groups' next keys */
    settle(c);
    story_join(c, A, D, "Paul Petit", 60);
    story_join(c, A, E, "Nora Klein", 70);
    settle(c);
    rename_to(c, A, patient, "DUPONT");
    story_dose(c, A, patient, treatment, drug("metformine", "500 mg matin"));
    settle(c);
    for (unsigned n = A; n <= E; n++) {
        if (n != B) {
            assert_false(may_read(c, n, patient, "Karim Haddad"));
            assert_false(may_read(c, n, patient, "Nora Klein"));
            assert_true(may_read(c, n, patient, "Paul Petit"));
        }
    }
    assert_true(see(c, E, patient).hidden);
    assert_int_equal(see(c, E, patient).treatments, 0);
    const struct tally before = records(c, D, C);
    story_treatment(c, D, patient, drug("morphine", "10 mg"), treatment);
    settle(c);
    const struct tally after = records(c, D, C);
    assert_true(after.closed > before.closed);
    assert_int_equal(after.opened, before.opened);
    assert_int_equal(records(c, D, E).opened, records(c, A, E).opened);
}

static void govern(struct cluster *c, struct ml_govop *op)
{
    bool counts = false;
    assert_int_equal(ml_govern_say(cluster_org(c, A), op, false, &counts), ML_OK);
    assert_true(counts);
}

/* A team that is made now, and this member of it alone. */
static void team_begin(struct cluster *c, const char *member)
{
    struct ml_govop team = {.type = ML_GOVOP_TEAM_ADD, .must_understand = true};
    struct ml_govop role = {.type = ML_GOVOP_ROLE_GRANT, .must_understand = true};
    memset(team.u.team_add.team.b, 0x42, sizeof(team.u.team_add.team.b));
    govern(c, &team);
    struct ml_role_grant *g = &role.u.role_grant;
    assert_int_equal(ml_hex_decode(g->member.b, sizeof(g->member.b), member, strlen(member)),
                     ML_OK);
    g->role = 60;
    g->teams = (struct ml_list){.items = &team.u.team_add.team, .count = 1};
    govern(c, &role);
    assert_int_equal(ml_keys_ready(cluster_org(c, A), ML_KEYS_ALL), ML_OK);
}

/* docs/protocol/consent.md: a patient stays with the teams that he was opened in. */
static void a_team_that_is_made_later_is_given_nothing_of_before(void **state)
{
    enum { D = 3 };
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char member[40];
    struct person karim;
    char statement[40];
    patient_begin(c, patient, treatment);
    find(c, "Karim Haddad", &karim);
    const struct said opposed = {"consent.oppose", patient, "person", karim.member, false};
    must_say(c, A, &opposed, statement);
    settle(c);
    story_member(c, A, "Lina Roy", (const int[]){60, 3}, member);
    team_begin(c, member);
    story_enrol(c, A, D, member);
    settle(c);
    const unsigned opened[] = {records(c, A, C).opened, records(c, A, D).opened};
    rename_to(c, A, patient, "DUPONT");
    story_dose(c, B, patient, treatment, drug("metformine", "500 mg matin"));
    settle(c);
    assert_int_equal(records(c, A, D).opened, opened[1]);
    assert_true(records(c, A, C).closed > 0); /* the dose; a name isn't hidden from him */
    assert_int_equal(records(c, A, C).opened, opened[0] + 1);
    for (unsigned n = A; n <= C; n++) {
        assert_false(may_read(c, n, patient, "Karim Haddad"));
        assert_true(may_read(c, n, patient, "Inès Leroy"));
    }
}

static void it_holds_for_a_vault_that_was_locked_meanwhile(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct person karim;
    char statement[40];
    patient_begin(c, patient, treatment);
    find(c, "Karim Haddad", &karim);
    cluster_stop(c, C);
    const struct said opposed = {"consent.oppose", patient, "person", karim.member, false};
    must_say(c, A, &opposed, statement);
    assert_receipts(c, A, patient, 0, 1);
    cluster_start(c, C);
    settle(c); /* the log has it, nobody is there */
    story_unlock(c, C);
    assert_sees(c, C, patient, false); /* before any answer */
    settle(c);
    assert_receipts(c, A, patient, 1, 0);
    cluster_stop(c, C);
    cluster_start(c, C);
    story_unlock(c, C);
    assert_sees(c, C, patient, false);
}

/* One of `ask`: put, get, delete. */
static ml_err draft(struct cluster *c, unsigned n, const char *method, const char *patient,
                    char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "form", "treatment");
    story_put(&r, "content", "morphine");
    ml_err err = story_send(&r, c, n, method);
    assert_true((story_get(&r, "content") != NULL) ==
                (err == ML_OK && strcmp(method, "draft.get") == 0));
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

/* How many there are: of all, or (`patient`) in a chart; *shut: the last one is. */
static size_t drafts(struct cluster *c, unsigned n, const char *patient, bool *shut)
{
    struct story_request r;
    story_ask(&r);
    if (patient != NULL) {
        story_put(&r, "patient", patient);
    }
    story_must(&r, story_send(&r, c, n, "draft.list"), "draft.list");
    const struct ml_value *all = story_get(&r, "drafts");
    const size_t count = ml_value_count(all);
    *shut = count > 0 && ml_value_bool(ml_value_get(ml_value_at(all, 0), "shut"), false);
    story_end(&r);
    return count;
}

/* What he typed is his; it can't be signed, so it isn't in the chart and isn't shown. */
static void a_draft_of_who_is_shut_out_stays_sealed(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct person karim;
    char statement[40];
    char text[64];
    bool shut = false;
    patient_begin(c, patient, treatment);
    find(c, "Karim Haddad", &karim);
    assert_int_equal(draft(c, C, "draft.put", patient, text), ML_OK);
    assert_int_equal(drafts(c, C, patient, &shut), 1);
    assert_false(shut);
    const struct said opposed = {"consent.oppose", patient, "person", karim.member, false};
    must_say(c, A, &opposed, statement);
    settle(c);
    assert_int_equal(drafts(c, C, patient, &shut), 0);
    assert_int_equal(drafts(c, C, NULL, &shut), 1);
    assert_true(shut);
    assert_int_equal(draft(c, C, "draft.get", patient, text), ML_E_DENIED);
    assert_string_equal(text, "draft.shut");
    assert_int_equal(draft(c, C, "draft.put", patient, text), ML_E_DENIED);
    assert_string_equal(text, "draft.shut");
    const struct said lifted = {"consent.withdraw", patient, "statement", statement, false};
    must_say(c, A, &lifted, text);
    settle(c);
    assert_int_equal(draft(c, C, "draft.get", patient, text), ML_OK);
    must_say(c, A, &opposed, statement);
    settle(c);
    assert_int_equal(draft(c, C, "draft.delete", patient, text), ML_OK);
    assert_int_equal(drafts(c, C, NULL, &shut), 0);
}

static void what_is_said_wrongly_is_refused_and_said(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char statement[40];
    char text[64];
    static const struct {
        struct said said;
        const char *text;
    } rows[] = {
        {{"consent.oppose", NULL, NULL, NULL, false}, "consent.myself"},
        {{"consent.oppose", NULL, "class", "1", false}, "consent.open"},
        {{"consent.oppose", NULL, "class", "99", false}, "right.class"},
        {{"consent.oppose", NULL, "compartment", "?", false}, "consent.item"},
        {{"consent.oppose", NULL, "source", "?", false}, "consent.source"},
        {{"consent.give", NULL, "until", "1999-01-01", false}, "consent.until"},
        {{"consent.give", NULL, "role", "x", false}, "consent.role"},
        {{"consent.withdraw", NULL, "statement", "00112233445566778899aabbccddeeff", false},
         "consent.not_holding"},
        {{"consent.mask", NULL, NULL, NULL, false}, "param.missing"},
    };
    patient_begin(c, patient, treatment);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct said said = rows[i].said;
        said.patient = patient;
        assert_int_not_equal(say(c, A, &said, statement, text), ML_OK);
        assert_string_equal(text, rows[i].text);
    }
    const struct said nobody = {"consent.give", treatment, NULL, NULL, false};
    assert_int_equal(say(c, A, &nobody, statement, text), ML_E_NOT_FOUND);
    const struct said all = {"consent.oppose", patient, NULL, NULL, true};
    must_say(c, A, &all, statement);
    assert_sees(c, A, patient, false);
    const struct said lifted = {"consent.withdraw", patient, "statement", statement, false};
    must_say(c, A, &lifted, text); /* he took it down himself */
    assert_sees(c, A, patient, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_opposition_reaches_who_was_away_by_another, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_withdrawn_is_there_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_masked_is_there_for_those_who_are_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_came_meanwhile_is_sealed_what_the_others_have, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_came_after_a_rotation_hears_what_was_said_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_team_that_is_made_later_is_given_nothing_of_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_holds_for_a_vault_that_was_locked_meanwhile, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_draft_of_who_is_shut_out_stays_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_said_wrongly_is_refused_and_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
