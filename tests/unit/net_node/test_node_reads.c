/* test_node_reads.c -- inside a compartment the vault serves what the matrix lets its member read,
 * by keys that open all of it: for each profession of the default matrix and each class that a
 * record holds, chart, timeline, search, counts and single entries are what right.explain says, and
 * a change of role takes effect both ways (docs/habilitation.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/model/matrix.h"
#include "maille/value.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

enum { A = 0, B = 1, DOCTOR = 10, FIELDS = 3 };

/* One entry of each class that a record may hold. */
static const struct entry {
    unsigned class;
    const char *entity;
    const char *field[FIELDS][2];
} entries[] = {
    {ML_CLASS_ALERTS, "allergy", {{"agent", "pénicilline"}, {"assertion", "known"}}},
    {ML_CLASS_PROBLEMS, "problem", {{"code", "asthme"}}},
    {ML_CLASS_TREATMENTS, "treatment", {{"drug", "metformine"}, {"posology", "le matin"}}},
    {ML_CLASS_RESULTS, "report", {{"code", "ionogramme"}, {"examined_at", "2026-03-02T09:10"}}},
    {ML_CLASS_MEDICAL_NOTES, "note", {{"text", "consulte"}, {"written_at", "2026-03-02T09:10"}}},
    {ML_CLASS_NURSING_NOTES,
     "care_note",
     {{"data", "pansement"}, {"written_at", "2026-03-02T09:10"}}},
    {ML_CLASS_DOCUMENTS, "document", {{"title", "courrier"}, {"written_at", "2026-03-02T09:10"}}},
    {ML_CLASS_RCP, "goal", {{"description", "marcher"}, {"status", "active"}}},
};
enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

struct house {
    struct cluster cluster;
    char patient[40];
    char member[40]; /* of B */
    char theirs[ENTRIES][40];
    char own[ENTRIES][40]; /* that B wrote */
};

static void write_one(struct house *h, unsigned n, const struct entry *e, char object[40])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", e->entity);
    story_put(&r, "patient", h->patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    for (size_t i = 0; i < FIELDS && e->field[i][0] != NULL; i++) {
        story_put(&r, e->field[i][0], e->field[i][1]);
    }
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &h->cluster, n, "record.add"), e->entity);
    snprintf(object, 40, "%s", ml_value_text(story_get(&r, "object"), ""));
    story_end(&r);
}

static void member_find(struct house *h, const char *name)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &h->cluster, A, "member.list"), "member.list");
    const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0);
    while (m != NULL && strcmp(ml_value_text(ml_value_get(m, "name"), ""), name) != 0) {
        m = ml_value_next(m);
    }
    assert_non_null(m);
    snprintf(h->member, sizeof(h->member), "%s", ml_value_text(ml_value_get(m, "member"), ""));
    story_end(&r);
}

static void adopt(struct cluster *c)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, A, "right.adopt"), "right.adopt");
    story_end(&r);
}

/* Class 3: what the patient said, taken down by A and by B. */
static void wish_put(struct house *h, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_put(&r, "person", h->member);
    story_must(&r, story_send(&r, &h->cluster, n, "consent.give"), "consent.give");
    story_end(&r);
}

static void draft_put(struct house *h)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_put(&r, "form", "treatment");
    ml_args_key(r.args, "content");
    ml_args_bytes(r.args, (const uint8_t *)"metformine", 10);
    story_must(&r, story_send(&r, &h->cluster, B, "draft.put"), "draft.put");
    story_end(&r);
}

static int setup(void **state)
{
    static struct house h;
    memset(&h, 0, sizeof(h));
    cluster_init(&h.cluster, 53);
    story_found(&h.cluster, A);
    adopt(&h.cluster);
    story_join(&h.cluster, A, B, "Inès Leroy", DOCTOR);
    story_synced(&h.cluster, B);
    member_find(&h, "Inès Leroy");
    story_patient(&h.cluster, A, h.patient);
    cluster_run(&h.cluster, 60000);
    for (size_t i = 0; i < ENTRIES; i++) {
        write_one(&h, A, &entries[i], h.theirs[i]);
        write_one(&h, B, &entries[i], h.own[i]);
    }
    draft_put(&h);
    wish_put(&h, A);
    wish_put(&h, B);
    cluster_run(&h.cluster, 60000);
    *state = &h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    cluster_free(&h->cluster);
    return 0;
}

static void role_say(struct house *h, const char *method, unsigned role)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", h->member);
    ml_args_key(r.args, "role");
    ml_args_int(r.args, role);
    story_must(&r, story_send(&r, &h->cluster, A, method), method);
    story_end(&r);
}

static ml_scope explained(struct house *h, unsigned class, const char *action)
{
    struct story_request r;
    char number[16];
    snprintf(number, sizeof(number), "%u", class);
    story_ask(&r);
    story_put(&r, "member", h->member);
    story_put(&r, "patient", h->patient);
    story_put(&r, "class", number);
    story_put(&r, "action", action);
    story_must(&r, story_send(&r, &h->cluster, B, "right.explain"), "right.explain");
    const bool allowed = ml_value_bool(story_get(&r, "allowed"), false);
    const ml_scope scope = (ml_scope)ml_value_int(story_get(&r, "scope"), 0);
    assert_true(allowed == (scope != ML_SCOPE_NONE));
    story_end(&r);
    return scope;
}

static bool shown(struct house *h, const char *object)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_put(&r, "object", object);
    ml_err err = story_send(&r, &h->cluster, B, "record.show");
    assert_true(err == ML_OK || err == ML_E_NOT_FOUND);
    story_end(&r);
    return err == ML_OK;
}

/* Whether the answer holds an object of this id. */
static bool lists(const struct ml_value *items, const char *object)
{
    const struct ml_value *i = ml_value_at(items, 0);
    while (i != NULL && strcmp(ml_value_text(ml_value_get(i, "object"), ""), object) != 0) {
        i = ml_value_next(i);
    }
    return i != NULL;
}

static void timeline_agrees(struct house *h, size_t at, const char *text, const bool served[2])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    ml_args_key(r.args, "entities");
    ml_args_list(r.args);
    ml_args_text(r.args, entries[at].entity);
    ml_args_end(r.args);
    if (text != NULL) {
        story_put(&r, "text", text);
    }
    story_must(&r, story_send(&r, &h->cluster, B, "timeline.list"), "timeline.list");
    assert_true(lists(story_get(&r, "items"), h->theirs[at]) == served[0]);
    assert_true(lists(story_get(&r, "items"), h->own[at]) == served[1]);
    assert_int_equal(ml_value_int(story_get(&r, "total"), -1), served[0] + served[1]);
    story_end(&r);
}

/* What is said of a class that isn't read in full; NULL: nothing. */
static const struct ml_value *by_role(const struct ml_value *list, unsigned class)
{
    const struct ml_value *i = ml_value_at(list, 0);
    while (i != NULL && ml_value_int(ml_value_get(i, "class_number"), 0) != class) {
        i = ml_value_next(i);
    }
    return i;
}

static void chart_agrees(struct house *h, const ml_scope scope[ENTRIES])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_must(&r, story_send(&r, &h->cluster, B, "patient.show"), "patient.show");
    for (size_t i = 0; i < ENTRIES; i++) {
        const struct ml_value *said = by_role(story_get(&r, "by_role"), entries[i].class);
        const int64_t count =
            ml_value_int(ml_value_get(story_get(&r, "counts"), entries[i].entity), 0);
        assert_int_equal(count, (scope[i] > ML_SCOPE_OWN) + (scope[i] > ML_SCOPE_NONE));
        assert_true((said != NULL) == (scope[i] <= ML_SCOPE_OWN));
        assert_true(ml_value_bool(ml_value_get(said, "own"), false) == (scope[i] == ML_SCOPE_OWN));
    }
    /* What isn't shown of allergies is never taken for none. */
    const char *state = ml_value_text(ml_value_get(story_get(&r, "allergies"), "state"), "");
    assert_string_equal(state, scope[0] > ML_SCOPE_NONE ? "known" : "unavailable");
    story_end(&r);
}

/* What he typed himself, of a class that he may neither read nor write by now. */
static void draft_agrees(struct house *h)
{
    static const char *const actions[] = {"create", "amend", "deposit", "read"};
    struct story_request r;
    bool open = false;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        open = explained(h, ML_CLASS_TREATMENTS, actions[i]) != ML_SCOPE_NONE || open;
    }
    story_ask(&r);
    story_must(&r, story_send(&r, &h->cluster, B, "draft.list"), "draft.list");
    assert_int_equal(ml_value_count(story_get(&r, "drafts")), open);
    story_end(&r);
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    story_put(&r, "form", "treatment");
    const ml_err err = story_send(&r, &h->cluster, B, "draft.get");
    assert_int_equal(err, open ? ML_OK : ML_E_NOT_FOUND);
    story_end(&r);
}

static void wishes_agree(struct house *h)
{
    const ml_scope scope = explained(h, ML_CLASS_WISHES, "read");
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", h->patient);
    const ml_err err = story_send(&r, &h->cluster, B, "consent.show");
    assert_int_equal(err, scope > ML_SCOPE_NONE ? ML_OK : ML_E_DENIED);
    assert_int_equal(ml_value_count(story_get(&r, "statements")),
                     (scope > ML_SCOPE_OWN) + (scope > ML_SCOPE_NONE));
    story_end(&r);
}

static void all_agrees(struct house *h)
{
    ml_scope scope[ENTRIES];
    for (size_t i = 0; i < ENTRIES; i++) {
        scope[i] = explained(h, entries[i].class, "read");
        const bool served[2] = {scope[i] > ML_SCOPE_OWN, scope[i] > ML_SCOPE_NONE};
        assert_true(shown(h, h->theirs[i]) == served[0]);
        assert_true(shown(h, h->own[i]) == served[1]);
        timeline_agrees(h, i, NULL, served);
        if (entries[i].class != ML_CLASS_ALERTS) {
            timeline_agrees(h, i, entries[i].field[0][1], served);
        }
    }
    chart_agrees(h, scope);
    draft_agrees(h);
    wishes_agree(h);
    const bool named = explained(h, ML_CLASS_IDENTITY, "read") > ML_SCOPE_OWN;
    assert_int_equal(story_find(&h->cluster, B, "martin"), named);
}

static void each_profession_is_served_what_explain_says(void **state)
{
    struct house *h = *state;
    unsigned before = 0;
    unsigned distinct = 0;
    all_agrees(h);
    for (size_t column = 0; column < ml_matrix_column_count(); column++) {
        const uint16_t role = ml_matrix_column_roles(column)[0];
        role_say(h, "role.grant", role);
        if (before != 0) {
            role_say(h, "role.end", before);
        }
        cluster_run(&h->cluster, 60000);
        all_agrees(h);
        distinct += shown(h, h->theirs[2]);
        before = role;
    }
    assert_in_range(distinct, 5, ml_matrix_column_count() - 5);
    role_say(h, "role.grant", DOCTOR); /* nothing was lost on the way */
    role_say(h, "role.end", before);
    cluster_run(&h->cluster, 60000);
    for (size_t i = 0; i < ENTRIES; i++) {
        assert_true(shown(h, h->theirs[i]) && shown(h, h->own[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_profession_is_served_what_explain_says, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
