/* tests/unit/net_node/test_node_methods.c -- what each method takes, gives and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support_story.h"

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 11);
    story_found(&c, 0);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

/* Opens a "fields" map in a request for one entry of a patient. */
static void entry_ask(struct story_request *r, const char *patient, const char *entity)
{
    story_ask(r);
    story_put(r, "entity", entity);
    if (patient != NULL) {
        story_put(r, "patient", patient);
    }
    ml_args_key(r->args, "fields");
    ml_args_map(r->args);
}

static ml_err entry_send(struct story_request *r, struct cluster *c)
{
    ml_args_end(r->args);
    return story_send(r, c, 0, "record.add");
}

static void map_put(struct story_request *r, const char *key)
{
    ml_args_key(r->args, key);
    ml_args_map(r->args);
}

static const char *shown(struct story_request *r, const char *field)
{
    const struct ml_value *v = ml_value_at(story_get(r, "fields"), 0);
    for (; v != NULL; v = ml_value_next(v)) {
        if (strcmp(ml_value_text(ml_value_get(v, "field"), ""), field) == 0) {
            return ml_value_text(ml_value_get(v, "text"), "");
        }
    }
    return "";
}

/* Shows an object and gives one field's text. */
static void show(struct story_request *r, struct cluster *c, const char *patient,
                 const char *object)
{
    story_ask(r);
    story_put(r, "patient", patient);
    story_put(r, "object", object);
    story_must(r, story_send(r, c, 0, "record.show"), "record.show");
}

static void added(struct story_request *r, struct cluster *c, char object[40])
{
    story_must(r, entry_send(r, c), "record.add");
    snprintf(object, 40, "%s", ml_value_text(story_get(r, "object"), ""));
    story_end(r);
}

static void every_type_of_field_is_taken_as_people_write_it(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    char object[40];
    story_patient(c, 0, patient);

    entry_ask(&r, patient, "treatment");
    map_put(&r, "drug");
    story_put(&r, "text", "paracétamol");
    ml_args_end(r.args);
    story_put(&r, "dose", "0,5 g");
    story_put(&r, "route", "voie orale");
    ml_args_key(r.args, "frequency");
    ml_args_int(r.args, 3);
    story_put(&r, "period", "1");
    story_put(&r, "period_unit", "d");
    ml_args_key(r.args, "as_needed");
    ml_args_bool(r.args, true);
    map_put(&r, "valid");
    story_put(&r, "start", "2026-03-02");
    story_put(&r, "end", "02/04/2026");
    ml_args_end(r.args);
    ml_args_key(r.args, "other_dosages");
    ml_args_list(r.args);
    ml_args_map(r.args);
    story_put(&r, "text", "puis 1 g le soir");
    ml_args_key(r.args, "dose");
    ml_args_int(r.args, 1);
    story_put(&r, "dose_unit", "g");
    story_put(&r, "period", "1");
    story_put(&r, "period_unit", "d");
    ml_args_end(r.args);
    ml_args_end(r.args);
    added(&r, c, object);
    show(&r, c, patient, object);
    assert_string_equal(shown(&r, "drug"), "paracétamol");
    assert_string_equal(shown(&r, "dose"), "0,5 g");
    assert_string_equal(shown(&r, "as_needed"), "oui");
    story_end(&r);
}

static void names_addresses_and_phones_are_taken_whole(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    entry_ask(&r, NULL, "patient");
    story_put(&r, "birth_name", "DE LA TOUR");
    story_put(&r, "birth_given_names", "Élise");
    story_put(&r, "birth_date", "03/1979");
    story_put(&r, "sex", "féminin");
    map_put(&r, "addresses");
    story_put(&r, "lines", "3 rue des Lilas");
    story_put(&r, "postal_code", "38000");
    story_put(&r, "city", "Grenoble");
    ml_args_end(r.args);
    ml_args_key(r.args, "telecoms");
    ml_args_list(r.args);
    ml_args_text(r.args, "06 12 34 56 78");
    ml_args_text(r.args, "elise@exemple.fr");
    ml_args_end(r.args);
    ml_args_key(r.args, "names");
    ml_args_list(r.args);
    ml_args_text(r.args, "TOUR Élise Marie");
    ml_args_end(r.args);
    story_put(&r, "identifiers", "DOSSIER-42");
    story_put(&r, "deceased_at", "2026-02-03T04:05:06+01:00");
    added(&r, c, patient);
    show(&r, c, patient, patient);
    assert_string_equal(shown(&r, "birth_date"), "03/1979");
    assert_non_null(strstr(shown(&r, "addresses"), "Grenoble"));
    assert_non_null(strstr(shown(&r, "telecoms"), "elise@exemple.fr"));
    assert_non_null(strstr(shown(&r, "identifiers"), "DOSSIER-42"));
    story_end(&r);
    assert_int_equal(story_find(c, 0, "tour elise"), 1);
}

/* One bad field: the call is refused, and says which. */
static void refused(struct cluster *c, const char *patient, const char *field, const char *value)
{
    struct story_request r;
    entry_ask(&r, patient, "treatment");
    if (strcmp(field, "drug") != 0) {
        story_put(&r, "drug", "aspirine");
    }
    story_put(&r, field, value);
    assert_int_equal(entry_send(&r, c), ML_E_INVALID);
    assert_true(strlen(ml_value_text(story_get(&r, "text"), "")) > 0);
    story_end(&r);
}

static void what_does_not_fit_its_field_is_refused(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    story_patient(c, 0, patient);
    refused(c, patient, "dose", "beaucoup");
    refused(c, patient, "dose", "1,2,3 g");
    refused(c, patient, "frequency", "trois");
    refused(c, patient, "prescribed_at", "31/02/2026");
    refused(c, patient, "prescribed_at", "2026-03-02T25:00");
    refused(c, patient, "prescriber", "pas un identifiant");
    refused(c, patient, "no_such_field", "x");
    refused(c, patient, "drug", "");
    struct story_request r;
    entry_ask(&r, patient, "treatment"); /* a required field is missing */
    story_put(&r, "posology", "1 matin");
    assert_int_equal(entry_send(&r, c), ML_E_INVALID);
    story_end(&r);
    entry_ask(&r, patient, "nothing_of_the_kind");
    assert_int_equal(entry_send(&r, c), ML_E_INVALID);
    story_end(&r);
}

static ml_err amended(struct cluster *c, const char *patient, const char *object, const char *field,
                      const char *value)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "object", object);
    map_put(&r, "fields");
    ml_args_key(r.args, field);
    ml_args_text(r.args, value); /* NULL: nil */
    ml_args_end(r.args);
    ml_err err = story_send(&r, c, 0, "record.amend");
    story_end(&r);
    return err;
}

/* Drug and posology are one register: to change one of them must not forget the other. */
static void a_part_of_a_group_is_changed_and_the_rest_stays(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    char treatment[40];
    story_patient(c, 0, patient);
    story_treatment(c, 0, patient, drug("metformine", "500 mg matin et soir"), treatment);
    assert_int_equal(amended(c, patient, treatment, "posology", "850 mg matin"), ML_OK);
    assert_int_equal(amended(c, patient, treatment, "route", "PO"), ML_OK);
    show(&r, c, patient, treatment);
    assert_string_equal(shown(&r, "drug"), "metformine");
    assert_string_equal(shown(&r, "posology"), "850 mg matin");
    story_end(&r);
    /* nothing said instead: emptied, but not what the schema requires */
    assert_int_equal(amended(c, patient, treatment, "posology", NULL), ML_OK);
    assert_int_equal(amended(c, patient, treatment, "drug", NULL), ML_E_INVALID);
    show(&r, c, patient, treatment);
    assert_string_equal(shown(&r, "drug"), "metformine");
    assert_string_equal(shown(&r, "posology"), "");
    story_end(&r);
}

/* Two values stand: neither is the one to complete, and a group without its drug is refused. */
static void a_part_of_a_contested_group_is_not_completed(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    story_patient(c, 0, patient);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_treatment(c, 0, patient, drug("metformine", "500 mg"), treatment);
    story_synced(c, 1);
    story_pause(c, 1, true);
    story_dose(c, 0, patient, treatment, drug("metformine", "1000 mg"));
    story_dose(c, 1, patient, treatment, drug("metformine", "850 mg"));
    story_pause(c, 1, false);
    story_synced(c, 1);
    assert_int_equal(amended(c, patient, treatment, "posology", "700 mg"), ML_E_INVALID);
    story_dose(c, 0, patient, treatment, drug("metformine", "700 mg"));
}

static void what_the_schema_forbids_is_refused_of_any_form(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    story_patient(c, 0, patient);
    assert_int_equal(amended(c, patient, patient, "sex", "Q"), ML_E_INVALID);
    assert_int_equal(amended(c, patient, patient, "birth_name", "   "), ML_E_INVALID);
    assert_int_equal(amended(c, patient, patient, "birth_name", NULL), ML_E_INVALID);
    assert_int_equal(amended(c, patient, patient, "birth_name", "DUPONT"), ML_OK);
    entry_ask(&r, NULL, "patient");
    story_put(&r, "birth_name", "DURAND");
    story_put(&r, "birth_given_names", "Anne");
    story_put(&r, "birth_date", "1979-03-28");
    story_put(&r, "sex", "Q");
    assert_int_equal(entry_send(&r, c), ML_E_INVALID);
    story_end(&r);
    assert_int_equal(story_find(c, 0, "durand"), 0);
}

static void a_write_for_one_patient_never_lands_in_another(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char one[40];
    char other[40];
    char treatment[40];
    story_patient(c, 0, one);
    story_patient(c, 0, other);
    story_treatment(c, 0, one, drug("ramipril", "5 mg"), treatment);
    story_ask(&r);
    story_put(&r, "patient", other);
    story_put(&r, "object", treatment);
    story_put(&r, "reason", "erreur");
    assert_int_equal(story_send(&r, c, 0, "record.void"), ML_E_NOT_FOUND);
    story_end(&r);
    entry_ask(&r, "00000000000000000000000000000001", "treatment");
    story_put(&r, "drug", "ramipril");
    assert_int_equal(entry_send(&r, c), ML_E_NOT_FOUND);
    story_end(&r);
}

static void life(struct cluster *c, const char *method, const char *patient, const char *object)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "object", object);
    assert_int_equal(story_send(&r, c, 0, method), ML_E_INVALID); /* a reason is asked */
    story_end(&r);
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "object", object);
    story_put(&r, "reason", "essai");
    story_must(&r, story_send(&r, c, 0, method), method);
    story_end(&r);
}

static void entered_in_error_is_marked_with_a_reason_and_kept(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    char treatment[40];
    story_patient(c, 0, patient);
    story_treatment(c, 0, patient, drug("ramipril", "5 mg"), treatment);
    life(c, "record.archive", patient, treatment);
    life(c, "record.restore", patient, treatment);
    life(c, "record.void", patient, treatment);
    show(&r, c, patient, treatment);
    assert_string_equal(ml_value_text(story_get(&r, "life"), ""), "voided");
    story_end(&r);
}

static void an_event_is_amended_whole(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    char measure[40];
    story_patient(c, 0, patient);
    entry_ask(&r, patient, "observation");
    story_put(&r, "code", "8867-4");
    story_put(&r, "value", "72 /min");
    story_put(&r, "taken_at", "2026-03-02T09:10");
    added(&r, c, measure);
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "object", measure);
    story_put(&r, "reason", "faute de frappe");
    map_put(&r, "fields");
    story_put(&r, "code", "8867-4");
    story_put(&r, "value", "27 /min");
    story_put(&r, "taken_at", "2026-03-02T09:10");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, 0, "record.amend"), "record.amend");
    story_end(&r);
    show(&r, c, patient, measure);
    assert_non_null(strstr(shown(&r, "value"), "27"));
    story_end(&r);
}

static void an_invented_population_is_written_once(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    int64_t created = 0;
    for (int turn = 0; turn < 2; turn++) {
        story_ask(&r);
        ml_args_key(r.args, "patients");
        ml_args_int(r.args, 3);
        ml_args_key(r.args, "visits");
        ml_args_int(r.args, 1);
        story_must(&r, story_send(&r, c, 0, "gen.population"), "gen.population");
        created = ml_value_int(story_get(&r, "created"), -1);
        assert_true(turn == 0 ? created > 0 : created == 0);
        story_end(&r);
    }
    assert_int_equal(story_find(c, 0, ""), 3);
}

static void any_bundle_is_explained_byte_by_byte(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    int64_t bytes = 0;
    story_patient(c, 0, patient);
    for (int64_t n = 1; n <= 10; n++) {
        int64_t covered = 0;
        story_ask(&r);
        ml_args_key(r.args, "n");
        ml_args_int(r.args, n);
        story_must(&r, story_send(&r, c, 0, "log.show"), "log.show");
        const struct ml_value *v = ml_value_at(story_get(&r, "ranges"), 0);
        for (; v != NULL; v = ml_value_next(v)) {
            covered += ml_value_int(ml_value_get(v, "bytes"), 0);
        }
        bytes = ml_value_int(story_get(&r, "bytes"), -1);
        assert_int_equal(covered, bytes);
        story_end(&r);
    }
    story_ask(&r);
    story_put(&r, "bundle", "00000000000000000000000000000000");
    assert_int_equal(story_send(&r, c, 0, "log.show"), ML_E_NOT_FOUND);
    story_end(&r);
}

static void traces_are_cut_into_a_bundle_of_their_lane(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char before[72];
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "verify"), "verify");
    snprintf(before, sizeof(before), "%s", ml_value_text(story_get(&r, "trace_hash"), ""));
    story_end(&r);
    story_find(c, 0, "martin");
    cluster_run(c, 31000);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "verify"), "verify");
    assert_string_not_equal(ml_value_text(story_get(&r, "trace_hash"), ""), before);
    story_end(&r);
}

static void what_a_crash_left_in_the_journal_is_cut_at_the_next_unlock(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char before[72];
    story_find(c, 0, "martin");
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "verify"), "verify");
    snprintf(before, sizeof(before), "%s", ml_value_text(story_get(&r, "trace_hash"), ""));
    story_end(&r);
    cluster_stop(c, 0); /* nothing is cut at a stop */
    cluster_start(c, 0);
    story_unlock(c, 0);
    cluster_run(c, 31000);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "verify"), "verify");
    assert_string_not_equal(ml_value_text(story_get(&r, "trace_hash"), ""), before);
    story_end(&r);
}

static void ten_idle_minutes_lock_the_session_not_the_node(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    assert_int_equal(story_try_find(c, 0), ML_OK);
    cluster_run(c, 601000);
    assert_int_equal(story_try_find(c, 0), ML_E_LOCKED);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "node.status"), "node.status");
    const struct ml_value *org = ml_value_at(story_get(&r, "orgs"), 0);
    assert_true(ml_value_bool(ml_value_get(org, "open"), false));
    assert_false(ml_value_bool(ml_value_get(org, "unlocked"), true));
    story_end(&r);
    story_unlock(c, 0);
    assert_int_equal(story_try_find(c, 0), ML_OK);
}

/* Which text the node gives with its refusal to list patients. */
static const char *refusal(struct cluster *c)
{
    static char text[64];
    struct story_request r;
    story_ask(&r);
    assert_int_equal(story_send(&r, c, 0, "patient.find"), ML_E_LOCKED);
    snprintf(text, sizeof(text), "%s", ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return text;
}

/* Decisions 5: the POSIX session that unlocked, or the token; a session that the node can't see
 * (its leader is in another PID namespace: 0) is nobody's. */
static void only_the_session_that_unlocked_or_its_token_gets_in(void **state)
{
    struct cluster *c = *state;
    struct cluster_node *n = &c->nodes[0];
    n->token_len = 0;
    assert_int_equal(story_try_find(c, 0), ML_OK);
    n->posix_session++;
    assert_string_equal(refusal(c), "session.none");
    n->posix_session = 0;
    assert_string_equal(refusal(c), "session.unseen");
    story_unlock(c, 0);
    assert_int_equal(story_try_find(c, 0), ML_OK); /* by the token */
    n->token_len = 0;
    assert_string_equal(refusal(c), "session.unseen");
}

static void lists_say_members_nodes_peers_and_structures(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "member.list"), "member.list");
    assert_int_equal(ml_value_count(story_get(&r, "members")), 2);
    story_end(&r);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 1, "peer.list"), "peer.list");
    const struct ml_value *peer = ml_value_at(story_get(&r, "peers"), 0);
    char node[40];
    snprintf(node, sizeof(node), "%s", ml_value_text(ml_value_get(peer, "node"), ""));
    assert_int_equal(ml_value_count(story_get(&r, "peers")), 1);
    story_end(&r);
    story_ask(&r);
    story_put(&r, "node", node);
    story_put(&r, "address", "node:0");
    story_must(&r, story_send(&r, c, 1, "peer.add"), "peer.add");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "node", "00000000000000000000000000000001");
    story_put(&r, "address", "node:0");
    assert_int_equal(story_send(&r, c, 1, "peer.add"), ML_E_NOT_FOUND);
    story_end(&r);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 1, "sync.status"), "sync.status");
    peer = ml_value_at(story_get(&r, "peers"), 0);
    assert_true(ml_value_bool(ml_value_get(peer, "synced"), false));
    story_end(&r);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 1, "sync.now"), "sync.now");
    story_end(&r);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "org.list"), "org.list");
    assert_int_equal(ml_value_count(story_get(&r, "orgs")), 1);
    story_end(&r);
}

/* One wait of node 1 for `until`, at most so long. */
static ml_err waited(struct cluster *c, const char *until, int64_t timeout_ms)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "until", until);
    ml_args_key(r.args, "timeout_ms");
    ml_args_int(r.args, timeout_ms);
    ml_err err = story_send(&r, c, 1, "sync.wait");
    story_end(&r);
    return err;
}

/* What node 0 has, as node 1 can wait for it: the digest, and all heads. */
static void frontier_of(struct cluster *c, char digest[64], char heads[2048])
{
    struct story_request r;
    size_t len = (size_t)snprintf(heads, 2048, "frontier=");
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "sync.status"), "sync.status");
    snprintf(digest, 64, "frontier=%s", ml_value_text(story_get(&r, "frontier_digest"), ""));
    const struct ml_value *head = ml_value_at(story_get(&r, "frontier"), 0);
    for (; head != NULL; head = ml_value_next(head)) {
        len += (size_t)snprintf(heads + len, 2048 - len, "%s%s", heads[len - 1] == '=' ? "" : ",",
                                ml_value_text(head, ""));
        assert_in_range(len, 40, 2047);
    }
    story_end(&r);
}

static void a_frontier_is_waited_for_by_digest_or_by_heads(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char digest[64];
    char heads[2048];
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    story_pause(c, 1, true);
    story_patient(c, 0, patient);
    frontier_of(c, digest, heads);
    assert_int_equal(waited(c, digest, 500), ML_E_TIMEOUT);
    assert_int_equal(waited(c, heads, 500), ML_E_TIMEOUT);
    story_pause(c, 1, false);
    assert_int_equal(waited(c, heads, 50000), ML_OK);
    assert_int_equal(waited(c, digest, 50000), ML_OK);
    assert_int_equal(story_find(c, 1, "martin"), 1); /* the view has followed */
    story_patient(c, 1, patient);                    /* further than that */
    assert_int_equal(waited(c, heads, 500), ML_OK);
    assert_int_equal(waited(c, digest, 500), ML_E_TIMEOUT);
}

static void a_frontier_that_does_not_read_is_refused(void **state)
{
    struct cluster *c = *state;
    static const char *const bad[] = {
        "frontier",
        "frontier=",
        "frontier=zz",
        "frontier=00112233445566778899aabbccddeef",
        "frontier=00112233445566778899aabbccddeeff0",
        "frontier=00112233445566778899aabbccddeeff/3",
        "frontier=00112233445566778899aabbccddeeff/3/",
        "frontier=00112233445566778899aabbccddeeff/3/0",
        "frontier=00112233445566778899aabbccddeeff/3/4294967296",
        "frontier=00112233445566778899aabbccddeeff/2/1",
        "frontier=00112233445566778899aabbccddeeff/9/1",
        "frontier=00112233445566778899aabbccddeeff/3/1x",
        "frontier=00112233445566778899aabbccddeeff/3/1,/",
        "frontier=0011223344556677889 aabbccddeeff/3/1",
    };
    story_join(c, 0, 1, "Inès Leroy", 60);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(waited(c, bad[i], 100), ML_E_INVALID);
    }
    assert_int_equal(waited(c, "frontier=00112233445566778899aabbccddeeff/3/1", 100), ML_E_TIMEOUT);
}

static const struct ml_value *named(const struct ml_value *list, const char *name)
{
    const struct ml_value *v = ml_value_at(list, 0);
    while (v != NULL && strcmp(ml_value_text(ml_value_get(v, "name"), ""), name) != 0) {
        v = ml_value_next(v);
    }
    assert_non_null(v);
    return v;
}

static void says(const struct ml_value *map, const char *key, const char *text)
{
    assert_string_equal(ml_value_text(ml_value_get(map, key), ""), text);
}

static void the_schema_is_shown_to_whoever_makes_forms(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_ask(&r);
    ml_args_key(r.args, "all");
    ml_args_bool(r.args, true);
    story_must(&r, story_send(&r, c, 0, "session.lock"), "session.lock");
    story_end(&r);
    story_ask(&r); /* without a session: it holds nothing of anyone */
    story_must(&r, story_send(&r, c, 0, "schema.list"), "schema.list");
    const struct ml_value *v = named(story_get(&r, "entities"), "treatment");
    says(v, "label", "Traitement");
    says(v, "compartment", "medical");
    assert_in_range(ml_value_int(ml_value_get(v, "fields"), 0), 5, 199);
    story_end(&r);
    story_ask(&r);
    story_put(&r, "entity", "treatment");
    story_must(&r, story_send(&r, c, 0, "schema.show"), "schema.show");
    says(ml_tree_root(r.answer), "merge", "set");
    v = named(story_get(&r, "fields"), "dose");
    says(v, "type", "quantity");
    says(v, "merge", "atomic");
    v = named(story_get(&r, "fields"), "drug");
    assert_true(ml_value_bool(ml_value_get(v, "required"), false));
    assert_int_equal(ml_value_int(ml_value_get(v, "form_order"), 0), 1);
    v = ml_value_get(named(story_get(&r, "fields"), "status"), "value_set");
    assert_true(ml_value_count(ml_value_get(v, "items")) > 1);
    assert_true(strlen(ml_value_text(ml_value_get(v, "system"), "")) > 0);
    v = ml_value_at(ml_value_get(v, "items"), 0);
    assert_true(strlen(ml_value_text(ml_value_get(v, "code"), "")) > 0);
    assert_true(strlen(ml_value_text(ml_value_get(v, "label"), "")) > 0);
    story_end(&r);
    story_ask(&r);
    story_put(&r, "entity", "licorne");
    assert_int_equal(story_send(&r, c, 0, "schema.show"), ML_E_NOT_FOUND);
    story_end(&r);
}

static void a_member_who_is_no_coordinator_enrols_nobody(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    story_ask(&r);
    story_put(&r, "name", "Un ami");
    ml_args_key(r.args, "role");
    ml_args_int(r.args, 60);
    assert_int_equal(story_send(&r, c, 1, "member.add"), ML_E_DENIED);
    story_end(&r);
    story_ask(&r);
    story_put(&r, "name", "Une autre cheffe");
    ml_args_key(r.args, "role");
    ml_args_int(r.args, 10);
    ml_args_key(r.args, "rank");
    ml_args_int(r.args, 1);
    assert_int_equal(story_send(&r, c, 0, "member.add"), ML_E_INVALID);
    story_end(&r);
}

static void a_draft_outlives_the_session_and_is_its_members_own(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    story_patient(c, 0, patient);
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "form", "care_note");
    story_put(&r, "content", "une note commencée");
    story_must(&r, story_send(&r, c, 0, "draft.put"), "draft.put");
    story_end(&r);
    cluster_stop(c, 0);
    cluster_start(c, 0);
    story_unlock(c, 0);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "draft.list"), "draft.list");
    assert_int_equal(ml_value_count(story_get(&r, "drafts")), 1);
    story_end(&r);
    for (int turn = 0; turn < 2; turn++) {
        size_t len = 0;
        story_ask(&r);
        story_put(&r, "patient", patient);
        story_put(&r, "form", "care_note");
        ml_err err = story_send(&r, c, 0, "draft.get");
        assert_int_equal(err, turn == 0 ? ML_OK : ML_E_NOT_FOUND);
        const uint8_t *bytes = ml_value_bytes(story_get(&r, "content"), &len);
        assert_true(turn == 1 || (len == strlen("une note commencée") &&
                                  memcmp(bytes, "une note commencée", len) == 0));
        story_end(&r);
        story_ask(&r);
        story_put(&r, "patient", patient);
        story_put(&r, "form", "care_note");
        err = story_send(&r, c, 0, "draft.delete");
        assert_int_equal(err, turn == 0 ? ML_OK : ML_E_NOT_FOUND);
        story_end(&r);
    }
}

static void lock_all_closes_the_log_too(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_ask(&r);
    ml_args_key(r.args, "all");
    ml_args_bool(r.args, true);
    story_must(&r, story_send(&r, c, 0, "session.lock"), "session.lock");
    story_end(&r);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "node.status"), "node.status");
    assert_false(ml_value_bool(ml_value_get(ml_value_at(story_get(&r, "orgs"), 0), "open"), true));
    story_end(&r);
    story_unlock(c, 0);
    assert_int_equal(story_try_find(c, 0), ML_OK);
}

static void an_unknown_method_and_a_bad_structure_are_refused(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_ask(&r);
    assert_int_equal(story_send(&r, c, 0, "no.such"), ML_E_UNSUPPORTED);
    story_end(&r);
    story_ask(&r);
    story_put(&r, "org", "zz");
    assert_int_equal(story_send(&r, c, 0, "patient.find"), ML_E_INVALID);
    story_end(&r);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_type_of_field_is_taken_as_people_write_it),
        T(names_addresses_and_phones_are_taken_whole),
        T(what_does_not_fit_its_field_is_refused),
        T(a_part_of_a_group_is_changed_and_the_rest_stays),
        T(a_part_of_a_contested_group_is_not_completed),
        T(what_the_schema_forbids_is_refused_of_any_form),
        T(a_write_for_one_patient_never_lands_in_another),
        T(entered_in_error_is_marked_with_a_reason_and_kept),
        T(an_event_is_amended_whole),
        T(an_invented_population_is_written_once),
        T(any_bundle_is_explained_byte_by_byte),
        T(traces_are_cut_into_a_bundle_of_their_lane),
        T(what_a_crash_left_in_the_journal_is_cut_at_the_next_unlock),
        T(only_the_session_that_unlocked_or_its_token_gets_in),
        T(ten_idle_minutes_lock_the_session_not_the_node),
        T(lists_say_members_nodes_peers_and_structures),
        T(a_frontier_is_waited_for_by_digest_or_by_heads),
        T(a_frontier_that_does_not_read_is_refused),
        T(the_schema_is_shown_to_whoever_makes_forms),
        T(a_member_who_is_no_coordinator_enrols_nobody),
        T(a_draft_outlives_the_session_and_is_its_members_own),
        T(lock_all_closes_the_log_too),
        T(an_unknown_method_and_a_bad_structure_are_refused),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
