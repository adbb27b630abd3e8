/* test_node_teams.c -- teams on whole nodes: who is in which, whose patients one reads, what comes
 * with another team and what goes with it (rules A3, A4, B21; docs/governance.md, "Teams"). Keys
 * are tried with the bytes of another's whole log, as in test_node_keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/record/vault.h"
#include "maille/value.h"
#include "net/node/session.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"
#include "support_tally.h"

enum { CHIEF, INES, PAUL, PEOPLE }; /* by node */
enum { FIRST, HOME, TEAMS };
enum { NURSE = 60, SECRETARY = 331, SETTLED_MS = 90000 };
enum { FAULTS_MAX = 40000, FAULTS_STEP = 463 };

static const char *const team_names[TEAMS] = {"Équipe", "Soins à domicile"};
static const char *const birth_names[TEAMS] = {"Martin", "Durand"};

struct house {
    struct cluster c;
    char member[PEOPLE][40];
    char patient[TEAMS][40]; /* one of each team, made by the chief */
};

/* Long enough for keys to be granted; nobody leaves his desk meanwhile. */
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

struct giving {
    unsigned whom;
    int role;
    unsigned teams; /* bits; 0: none is named */
};

static void give(struct house *h, const struct giving *g)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", h->member[g->whom]);
    ml_args_key(r.args, "role");
    ml_args_int(r.args, g->role);
    ml_args_key(r.args, "teams");
    ml_args_list(r.args);
    for (unsigned t = 0; t < TEAMS; t++) {
        if ((g->teams >> t & 1u) != 0) {
            ml_args_text(r.args, team_names[t]);
        }
    }
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &h->c, CHIEF, "role.grant"), "role.grant");
    story_end(&r);
    settle(h);
}

static void patient_ask(struct story_request *r, const char *name, const char *team)
{
    story_ask(r);
    story_put(r, "entity", "patient");
    ml_args_key(r->args, "fields");
    ml_args_map(r->args);
    story_put(r, "birth_name", name);
    story_put(r, "birth_given_names", "Camille");
    story_put(r, "birth_date", "1979-03-28");
    story_put(r, "sex", "F");
    ml_args_end(r->args);
    if (team != NULL) {
        story_put(r, "team", team);
    }
}

static void patient_add(struct house *h, unsigned by, unsigned team, char patient[40])
{
    struct story_request r;
    patient_ask(&r, birth_names[team], team == FIRST ? NULL : team_names[team]);
    story_must(&r, story_send(&r, &h->c, by, "record.add"), "record.add");
    snprintf(patient, 40, "%s", ml_value_text(story_get(&r, "object"), ""));
    story_end(&r);
}

static void treat(struct house *h, unsigned team, const char *name)
{
    char treatment[40];
    story_treatment(&h->c, CHIEF, h->patient[team], drug(name, "5 mg"), treatment);
    settle(h);
}

static void member_begin(struct house *h, unsigned n, const char *name, unsigned team)
{
    story_member(&h->c, CHIEF, name, (const int[]){NURSE, 3}, h->member[n]);
    give(h, &(struct giving){n, NURSE, 1u << team}); /* before he has a key */
    story_enrol(&h->c, CHIEF, n, h->member[n]);
    story_synced(&h->c, n);
}

static int setup(void **state)
{
    static struct house h;
    struct story_request r;
    memset(&h, 0, sizeof(h));
    cluster_init(&h.c, 61);
    story_found(&h.c, CHIEF);
    story_member_of(&h.c, CHIEF, "Dr Anne Morel", h.member[CHIEF]);
    story_ask(&r);
    story_must(&r, story_send(&r, &h.c, CHIEF, "right.adopt"), "right.adopt");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "name", team_names[HOME]);
    story_must(&r, story_send(&r, &h.c, CHIEF, "team.add"), "team.add");
    story_end(&r);
    member_begin(&h, INES, "Inès Leroy", FIRST);
    member_begin(&h, PAUL, "Paul Petit", HOME);
    patient_add(&h, CHIEF, FIRST, h.patient[FIRST]);
    patient_add(&h, CHIEF, HOME, h.patient[HOME]);
    treat(&h, FIRST, "Ramipril");
    treat(&h, HOME, "Metformine");
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

/* ---- what is asked ---- */

static uint64_t last(struct house *h)
{
    return ml_log_last(cluster_org(&h->c, CHIEF)->log);
}

/* With all bytes of the chief's disk. */
static struct tally tally(struct house *h, unsigned by, uint64_t after)
{
    tally_give_keys(&h->c, CHIEF, by);
    return tally_records(&h->c, CHIEF, by, after);
}

/* Whom no search finds has nothing in his chart either. */
static bool shows(struct house *h, unsigned n, unsigned team)
{
    struct story_request r;
    const bool found = story_find(&h->c, n, birth_names[team]) == 1;
    story_ask(&r);
    story_put(&r, "patient", h->patient[team]);
    const ml_err err = story_send(&r, &h->c, n, "patient.show");
    assert_true(err == ML_OK || (err == ML_E_NOT_FOUND && !found));
    assert_int_equal(ml_value_int(ml_value_get(story_get(&r, "counts"), "treatment"), 0) > 0,
                     found);
    story_end(&r);
    return found;
}

static bool says_elsewhere(const struct story_request *r)
{
    const struct ml_value *s = ml_value_at(story_get(r, "steps"), 0);
    while (s != NULL &&
           strcmp(ml_value_text(ml_value_get(s, "text"), ""), "right.ELSEWHERE") != 0) {
        s = ml_value_next(s);
    }
    return s != NULL;
}

/* Each node gives the same answer, by the team; whoever knows the patient, also by him. */
static bool explained(struct house *h, unsigned whom, unsigned team)
{
    unsigned yes = 0;
    for (unsigned i = 0; i < 2 * PEOPLE; i++) {
        struct story_request r;
        const bool by_team = i < PEOPLE;
        story_ask(&r);
        story_put(&r, "member", h->member[whom]);
        story_put(&r, "class", "7");
        story_put(&r, by_team ? "team" : "patient", by_team ? team_names[team] : h->patient[team]);
        const ml_err err = story_send(&r, &h->c, i % PEOPLE, "right.explain");
        assert_true(err == ML_OK || (!by_team && err == ML_E_NOT_FOUND));
        const bool allowed = ml_value_bool(story_get(&r, "allowed"), false);
        yes += by_team && allowed;
        if (err == ML_OK) {
            assert_int_equal(allowed, yes > 0);
            assert_int_equal(says_elsewhere(&r), !allowed);
        }
        story_end(&r);
    }
    assert_true(yes == 0 || yes == PEOPLE);
    return yes > 0;
}

/* What stands in a vault's tables: that many patients, and nothing that no patient shows. */
static void vault_holds(struct house *h, unsigned n, uint64_t patients, uint64_t objects)
{
    struct ml_vault_counts counts;
    assert_int_equal(ml_vault_counts(cluster_org(&h->c, n)->session->vault, &counts), ML_OK);
    assert_int_equal(counts.patients, patients);
    assert_int_equal(counts.objects, objects);
}

/* ---- who is in it ---- */

static const struct ml_value *by_name(const struct ml_value *list, const char *name)
{
    const struct ml_value *v = ml_value_at(list, 0);
    while (v != NULL && strcmp(ml_value_text(ml_value_get(v, "name"), ""), name) != 0) {
        v = ml_value_next(v);
    }
    return v;
}

static void a_team_is_listed_alike_on_each_node(void **state)
{
    struct house *h = *state;
    static const char *const nurses[TEAMS] = {"Inès Leroy", "Paul Petit"};
    for (unsigned i = 0; i < PEOPLE * TEAMS; i++) {
        struct story_request r;
        const unsigned n = i / TEAMS;
        const unsigned t = i % TEAMS;
        story_ask(&r);
        story_must(&r, story_send(&r, &h->c, n, "team.list"), "team.list");
        assert_int_equal(ml_value_count(story_get(&r, "teams")), TEAMS);
        const struct ml_value *team = by_name(story_get(&r, "teams"), team_names[t]);
        const struct ml_value *members = ml_value_get(team, "members");
        assert_int_equal(ml_value_count(members), 2);
        const struct ml_value *chief = by_name(members, "Dr Anne Morel");
        const struct ml_value *nurse = by_name(members, nurses[t]);
        assert_false(ml_value_bool(ml_value_get(chief, "limited"), true));
        assert_true(ml_value_bool(ml_value_get(nurse, "limited"), false));
        const struct ml_value *role = ml_value_at(ml_value_get(nurse, "roles"), 0);
        assert_string_equal(ml_value_text(role, ""), "Infirmier");
        const int64_t groups = ml_value_int(ml_value_get(team, "groups"), -1);
        const bool mine = n == CHIEF || n == t + 1;
        assert_true(mine ? groups > 0 : groups == 0);
        assert_int_equal(ml_value_int(ml_value_get(team, "held"), -1), groups);
        story_end(&r);
    }
}

/* ---- whose patients one reads ---- */

static void a_role_for_one_team_reads_its_patients_alone(void **state)
{
    struct house *h = *state;
    for (unsigned t = 0; t < TEAMS; t++) {
        const uint64_t then = last(h);
        const unsigned own = t == FIRST ? INES : PAUL;
        const unsigned other = t == FIRST ? PAUL : INES;
        treat(h, t, "Kétamine");
        assert_true(shows(h, own, t));
        assert_false(shows(h, other, t));
        assert_true(shows(h, CHIEF, t));
        assert_int_equal(tally(h, own, then).closed, 0);
        assert_int_equal(tally(h, other, then).opened, 0);
        assert_true(tally(h, other, then).closed > 0);
        assert_true(explained(h, own, t));
        assert_false(explained(h, other, t));
        assert_true(explained(h, CHIEF, t));
    }
    vault_holds(h, INES, 1, 3);
    vault_holds(h, PAUL, 1, 3);
    vault_holds(h, CHIEF, 2, 6);
}

/* ---- another team, and back ---- */

static void history(struct house *h, unsigned whom)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", h->member[whom]);
    story_must(&r, story_send(&r, &h->c, CHIEF, "member.history"), "member.history");
    story_end(&r);
    settle(h);
}

/* An epoch of the second team has ended: what came before is another grant. */
static void given_a_second_team_she_reads_on_and_what_was_before_is_another_grant(void **state)
{
    struct house *h = *state;
    const uint64_t first = last(h);
    treat(h, HOME, "Kétamine");
    give(h, &(struct giving){PAUL, NURSE, 1u << FIRST});
    const uint64_t then = last(h);
    treat(h, HOME, "Morphine");
    assert_true(tally(h, PAUL, then).closed > 0); /* he works elsewhere now */
    assert_int_equal(tally(h, PAUL, then).opened, 0);
    assert_false(shows(h, PAUL, HOME));
    give(h, &(struct giving){INES, NURSE, 1u << FIRST | 1u << HOME});
    assert_true(explained(h, INES, HOME));
    assert_int_equal(tally(h, INES, then).closed, 0);
    assert_true(tally(h, INES, then).opened > 0);
    assert_true(tally(h, INES, first).closed > 0); /* without history */
    history(h, INES);
    assert_int_equal(tally(h, INES, 0).closed, 0);
    assert_true(shows(h, INES, FIRST) && shows(h, INES, HOME));
}

static void what_is_written_after_a_team_was_taken_away_is_sealed_without_her(void **state)
{
    struct house *h = *state;
    give(h, &(struct giving){INES, NURSE, 1u << FIRST | 1u << HOME});
    assert_true(shows(h, INES, FIRST) && shows(h, INES, HOME));
    give(h, &(struct giving){INES, NURSE, 1u << FIRST});
    const uint64_t then = last(h);
    treat(h, HOME, "Morphine");
    assert_true(tally(h, INES, then).closed > 0);
    assert_int_equal(tally(h, INES, then).opened, 0);
    assert_int_equal(tally(h, PAUL, then).closed, 0);
    assert_false(shows(h, INES, HOME)); /* what she could read isn't in her vault any more */
    assert_true(shows(h, INES, FIRST));
    assert_false(explained(h, INES, HOME));
    vault_holds(h, INES, 1, 2);
}

/* Nobody gives him his role beforehand, and the other team's keys aren't sealed to him meanwhile.
 */
static void a_member_added_for_a_team_never_has_the_other_ones_keys(void **state)
{
    enum { ZOE = 3 };
    struct house *h = *state;
    struct story_request r;
    char zoe[40];
    story_ask(&r);
    story_put(&r, "name", "Zoé Roux");
    ml_args_key(r.args, "role");
    ml_args_int(r.args, NURSE);
    ml_args_key(r.args, "teams");
    ml_args_list(r.args);
    ml_args_text(r.args, team_names[HOME]);
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &h->c, CHIEF, "member.add"), "member.add");
    snprintf(zoe, sizeof(zoe), "%s", ml_value_text(story_get(&r, "member"), ""));
    story_end(&r);
    story_enrol(&h->c, CHIEF, ZOE, zoe);
    story_synced(&h->c, ZOE);
    settle(h);
    const uint64_t then = last(h);
    treat(h, FIRST, "Kétamine");
    assert_true(tally(h, ZOE, then).closed > 0);
    assert_int_equal(tally(h, ZOE, then).opened, 0);
    treat(h, HOME, "Morphine");
    assert_true(shows(h, ZOE, HOME));
    assert_false(shows(h, ZOE, FIRST));
}

/* ---- what is made, and where ---- */

static void a_new_patient_without_a_team_is_of_the_first_one_of_his_author(void **state)
{
    struct house *h = *state;
    struct story_request r;
    patient_ask(&r, "Noël", NULL);
    story_must(&r, story_send(&r, &h->c, PAUL, "record.add"), "record.add");
    story_end(&r);
    settle(h);
    assert_int_equal(story_find(&h->c, PAUL, "Noël"), 1);
    assert_int_equal(story_find(&h->c, CHIEF, "Noël"), 1);
    assert_int_equal(story_find(&h->c, INES, "Noël"), 0);
}

#define P1 "urn:uuid:6f1d1c3e-0000-4000-8000-000000000001"
static const char bundle_json[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":\"" P1 "\","
    "\"resource\":{\"resourceType\":\"Patient\",\"name\":[{\"use\":\"official\","
    "\"family\":\"Roux\",\"given\":[\"Lina\"]}],\"gender\":\"female\",\"birthDate\":\"1990-02-03\"}"
    "}]}";

static void an_import_is_of_the_team_that_was_named(void **state)
{
    struct house *h = *state;
    struct story_request r;
    char path[192];
    snprintf(path, sizeof(path), "%s/bundle.json", h->c.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(bundle_json, file) >= 0);
    assert_int_equal(fclose(file), 0);
    story_ask(&r);
    story_put(&r, "path", path);
    story_put(&r, "team", team_names[HOME]);
    assert_int_equal(story_send(&r, &h->c, INES, "import.fhir"), ML_E_DENIED);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "right.elsewhere");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "path", path);
    story_put(&r, "team", team_names[HOME]);
    story_must(&r, story_send(&r, &h->c, CHIEF, "import.fhir"), "import.fhir");
    story_end(&r);
    settle(h);
    assert_int_equal(story_find(&h->c, PAUL, "Roux"), 1);
    assert_int_equal(story_find(&h->c, INES, "Roux"), 0);
}

static ml_err note(struct house *h, unsigned team, const char *entity, char text[64])
{
    struct story_request r;
    const bool care = strcmp(entity, "care_note") == 0;
    story_ask(&r);
    story_put(&r, "entity", entity);
    story_put(&r, "patient", h->patient[team]);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, care ? "data" : "title", "Courrier de neurologie");
    story_put(&r, "written_at", "2026-03-02");
    ml_args_end(r.args);
    const ml_err err = story_send(&r, &h->c, PAUL, "record.add");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

/* A nurse here, a secretary there: what one role opens isn't taken for the other's. */
static void a_role_writes_in_its_own_teams(void **state)
{
    struct house *h = *state;
    char text[64];
    give(h, &(struct giving){PAUL, SECRETARY, 1u << FIRST});
    history(h, PAUL);
    assert_int_equal(story_find(&h->c, PAUL, birth_names[FIRST]), 1);
    assert_int_equal(note(h, HOME, "care_note", text), ML_OK);
    assert_int_equal(note(h, FIRST, "care_note", text), ML_E_DENIED);
    assert_string_equal(text, "right.elsewhere");
    settle(h);
    const uint64_t then = last(h);
    assert_int_equal(note(h, FIRST, "document", text), ML_OK); /* filed, and not read */
    settle(h);
    assert_int_equal(tally(h, PAUL, then).opened, 0);
    assert_int_equal(tally(h, CHIEF, then).closed, 0);
    assert_true(tally(h, CHIEF, then).opened > 0);
}

/* ---- what is refused ---- */

struct refused {
    const char *method;
    const char *params[8]; /* by name, to NULL */
    const char *text;
    ml_err err;
    unsigned by;
};

static void is_refused(struct house *h, const struct refused *t)
{
    struct story_request r;
    story_ask(&r);
    for (size_t i = 0; i < 8 && t->params[i] != NULL; i += 2) {
        story_put(&r, t->params[i], t->params[i + 1]);
    }
    assert_int_equal(story_send(&r, &h->c, t->by, t->method), t->err);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), t->text);
    story_end(&r);
}

static void what_names_no_team_of_ones_own_is_refused(void **state)
{
    struct house *h = *state;
    struct story_request r;
    const uint64_t then = last(h);
    const struct refused all[] = {
        {"team.add", {"name", "Nuit"}, "rank.coordinator", ML_E_DENIED, INES},
        {"team.add", {NULL}, "param.missing", ML_E_INVALID, CHIEF},
        {"team.add", {"name", team_names[HOME]}, "team.exists", ML_E_EXISTS, CHIEF},
        {"right.explain",
         {"member", h->member[INES], "class", "7", "team", "Nuit"},
         "team.unknown",
         ML_E_NOT_FOUND,
         CHIEF},
        {"right.explain",
         {"member", h->member[INES], "class", "7", "team", team_names[HOME], "patient",
          h->patient[HOME]},
         "right.team_or_patient",
         ML_E_INVALID,
         CHIEF},
        {"right.explain",
         {"member", h->member[PAUL], "class", "7", "patient", h->patient[HOME]},
         "patient.unknown", /* of whom she knows nothing: not even whose he is */
         ML_E_NOT_FOUND,
         INES},
        {"import.fhir",
         {"path", "/nowhere.json", "team", "Nuit"},
         "team.unknown",
         ML_E_NOT_FOUND,
         CHIEF},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        is_refused(h, &all[i]);
    }
    patient_ask(&r, "Noël", team_names[HOME]);
    assert_int_equal(story_send(&r, &h->c, INES, "record.add"), ML_E_DENIED);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "right.elsewhere");
    const struct ml_value *args = story_get(&r, "args");
    assert_string_equal(ml_value_text(ml_value_get(args, "team"), ""), team_names[HOME]);
    assert_string_equal(ml_value_text(ml_value_get(args, "class"), ""), "Identité, contacts");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "entity", "treatment");
    story_put(&r, "patient", h->patient[FIRST]);
    story_put(&r, "team", team_names[HOME]);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "drug", "Ramipril");
    story_put(&r, "posology", "5 mg");
    ml_args_end(r.args);
    assert_int_equal(story_send(&r, &h->c, CHIEF, "record.add"), ML_E_INVALID);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "team.of_patient");
    story_end(&r);
    settle(h);
    assert_int_equal(tally(h, CHIEF, then).opened + tally(h, CHIEF, then).closed, 0);
}

/* ---- memory ---- */

static void a_team_is_made_whole_or_not_at_all(void **state)
{
    struct house *h = *state;
    bool reached = true;
    unsigned made = 0;
    long n = 1;
    for (; reached; n += FAULTS_STEP) {
        struct story_request r;
        char name[32];
        snprintf(name, sizeof(name), "Équipe %ld", n);
        story_ask(&r);
        story_put(&r, "name", name);
        h->c.fake.fail_alloc = n;
        const ml_err err = story_send(&r, &h->c, CHIEF, "team.add");
        reached = h->c.fake.fail_alloc == 0;
        h->c.fake.fail_alloc = 0;
        story_end(&r);
        assert_true(n < FAULTS_MAX && (err == ML_OK || (err == ML_E_NOMEM && reached)));
        story_ask(&r);
        story_must(&r, story_send(&r, &h->c, CHIEF, "team.list"), "team.list");
        made = (unsigned)ml_value_count(story_get(&r, "teams"));
        assert_true(err != ML_OK || by_name(story_get(&r, "teams"), name) != NULL);
        story_end(&r);
    }
    assert_in_range(made, TEAMS + 1, 64);
    patient_add(h, CHIEF, HOME, h->patient[HOME]);
    assert_int_equal(story_find(&h->c, CHIEF, birth_names[HOME]), 2);
    printf("team.add: %ld allocations\n", n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_team_is_listed_alike_on_each_node, setup, teardown),
        cmocka_unit_test_setup_teardown(a_role_for_one_team_reads_its_patients_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            given_a_second_team_she_reads_on_and_what_was_before_is_another_grant, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_written_after_a_team_was_taken_away_is_sealed_without_her, setup, teardown),
        cmocka_unit_test_setup_teardown(a_member_added_for_a_team_never_has_the_other_ones_keys,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_new_patient_without_a_team_is_of_the_first_one_of_his_author, setup, teardown),
        cmocka_unit_test_setup_teardown(an_import_is_of_the_team_that_was_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_role_writes_in_its_own_teams, setup, teardown),
        cmocka_unit_test_setup_teardown(what_names_no_team_of_ones_own_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_team_is_made_whole_or_not_at_all, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
