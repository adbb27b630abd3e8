/* tests/unit/net_node/test_node_import.c -- FHIR files through a whole node: in slices, with
 * progress, to be cancelled, killed and begun again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_story.h"

enum { MEASURES = 1500, ALL = MEASURES + 1, STEPS_MAX = 1000, STEP_MS = 10 };

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 13);
    story_found(&c, 0);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

static FILE *file_begin(const struct cluster *c, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", c->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"resourceType\":\"Bundle\",\"entry\":[", file);
    return file;
}

static void file_end(FILE *file)
{
    fputs("]}", file);
    assert_int_equal(fclose(file), 0);
}

/* One patient with so many measures. */
static void big_file(const struct cluster *c, char path[256])
{
    FILE *file = file_begin(c, "grand.json", path);
    fputs("{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}}", file);
    for (int i = 0; i < MEASURES; i++) {
        fprintf(file,
                ",{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o%d\",\"subject\":"
                "{\"reference\":\"Patient/p\"},\"code\":{\"text\":\"mesure\"},"
                "\"effectiveDateTime\":\"2026-03-%02d\"}}",
                i, 1 + i % 28);
    }
    file_end(file);
}

static void import_ask(struct story_request *r, const char *path)
{
    story_ask(r);
    story_put(r, "path", path);
    story_put(r, "job", "essai");
    story_put(r, "source", "cabinet du port");
}

static void import_begin(struct cluster *c, const char *path)
{
    struct story_request r;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    import_ask(&r, path);
    ml_args_end(r.args);
    assert_int_equal(ml_args_encoded(r.args, &bytes, &len), ML_OK);
    cluster_begin(c, 0, "import.fhir", ml_slice(bytes, len));
    story_end(&r);
}

struct counts {
    int64_t created, known, unresolved;
};

static struct counts import_whole(struct cluster *c, const char *path)
{
    struct story_request r;
    import_ask(&r, path);
    story_must(&r, story_send(&r, c, 0, "import.fhir"), "import.fhir");
    const struct counts n = {.created = ml_value_int(story_get(&r, "created"), -1),
                             .known = ml_value_int(story_get(&r, "known"), -1),
                             .unresolved = ml_value_int(story_get(&r, "refs_unresolved"), -1)};
    story_end(&r);
    return n;
}

/* What the last event said. */
struct progress {
    char stage[16];
    int64_t done, total, created;
};

static struct progress progress_of(const struct cluster *c)
{
    const struct ml_buf *said = &c->nodes[0].progress;
    struct progress p = {.stage = ""};
    struct ml_tree *tree = NULL;
    if (said->len == 0) {
        return p;
    }
    assert_int_equal(ml_tree_parse(&tree, said->data, said->len), ML_OK);
    const struct ml_value *v = ml_tree_root(tree);
    assert_string_equal(ml_value_text(ml_value_get(v, "job"), ""), "essai");
    assert_string_equal(ml_value_text(ml_value_get(v, "method"), ""), "import.fhir");
    snprintf(p.stage, sizeof(p.stage), "%s", ml_value_text(ml_value_get(v, "stage"), ""));
    p.done = ml_value_int(ml_value_get(v, "done"), -1);
    p.total = ml_value_int(ml_value_get(v, "total"), -1);
    p.created = ml_value_int(ml_value_get(v, "created"), -1);
    ml_tree_free(tree);
    assert_true(p.done >= 0 && p.done <= p.total && p.created <= p.total);
    return p;
}

/* Runs until something is written and something is left to write. */
static void run_into_the_middle(struct cluster *c)
{
    for (int i = 0; i < STEPS_MAX && progress_of(c).created == 0; i++) {
        cluster_run(c, STEP_MS);
        assert_false(c->long_answer.done);
    }
    assert_in_range(progress_of(c).created, 1, ALL - 1);
}

static void run_to_the_end(struct cluster *c)
{
    for (int i = 0; i < STEPS_MAX && !c->long_answer.done; i++) {
        cluster_run(c, STEP_MS);
    }
    assert_true(c->long_answer.done);
}

static void other_calls_are_served_between_the_slices(void **state)
{
    struct cluster *c = *state;
    struct progress last = {.stage = ""};
    char path[256];
    int served = 0;
    bool checked = false;
    bool written = false;
    big_file(c, path);
    import_begin(c, path);
    while (!c->long_answer.done && served < STEPS_MAX) {
        story_find(c, 0, "martin"); /* an answer a turn */
        cluster_run(c, STEP_MS);
        served++;
        struct progress p = progress_of(c);
        checked = checked || strcmp(p.stage, "check") == 0;
        written = written || strcmp(p.stage, "write") == 0;
        assert_true(p.created >= last.created);
        last = p;
    }
    assert_int_equal(c->long_answer.err, ML_OK);
    assert_in_range(served, 10, STEPS_MAX - 1);
    assert_in_range(c->nodes[0].progress_count, 2, served);
    assert_true(checked && written);
}

static void again_adds_nothing(void **state)
{
    struct cluster *c = *state;
    char path[256];
    big_file(c, path);
    struct counts n = import_whole(c, path);
    assert_int_equal(n.created, ALL);
    assert_int_equal(n.known, 0);
    n = import_whole(c, path);
    assert_int_equal(n.created, 0);
    assert_int_equal(n.known, ALL);
}

/* A number among the arguments of the long call's error. */
static int64_t detail_number(const struct cluster *c, const char *key)
{
    struct ml_tree *tree = NULL;
    const struct ml_buf *said = &c->long_answer.document;
    assert_int_equal(ml_tree_parse(&tree, said->data, said->len), ML_OK);
    const struct ml_value *v = ml_value_get(ml_tree_root(tree), "args");
    char *end = NULL;
    const char *text = ml_value_text(ml_value_get(v, key), "");
    const int64_t n = strtoll(text, &end, 10);
    assert_true(end != text && *end == '\0');
    ml_tree_free(tree);
    return n;
}

static void a_cancelled_one_says_how_far_it_came_and_the_next_goes_on(void **state)
{
    struct cluster *c = *state;
    char path[256];
    big_file(c, path);
    import_begin(c, path);
    run_into_the_middle(c);
    ml_node_cancel(c->nodes[0].node, c->long_call);
    assert_true(c->long_answer.done);
    assert_int_equal(c->long_answer.err, ML_E_CANCELED);
    const int64_t created = detail_number(c, "created");
    assert_in_range(created, 1, ALL - 1);
    assert_int_equal(created + detail_number(c, "left"), ALL);
    const struct counts n = import_whole(c, path);
    assert_int_equal(n.known, created);
    assert_int_equal(n.created, ALL - created);
}

static void cancelled_before_the_first_write_it_wrote_nothing(void **state)
{
    struct cluster *c = *state;
    char path[256];
    big_file(c, path);
    for (int steps = 0; steps < 8; steps++) {
        import_begin(c, path);
        cluster_run(c, (uint64_t)steps * STEP_MS);
        ml_node_cancel(c->nodes[0].node, c->long_call);
        assert_int_equal(c->long_answer.err, ML_E_CANCELED);
        assert_int_equal(detail_number(c, "created"), 0);
    }
    assert_int_equal(import_whole(c, path).created, ALL);
}

static void killed_in_the_middle_it_adds_what_is_missing(void **state)
{
    struct cluster *c = *state;
    struct story_proof proof;
    char path[256];
    big_file(c, path);
    import_begin(c, path);
    run_into_the_middle(c);
    const int64_t said = progress_of(c).created;
    cluster_copy_home(c, 0, "killed");
    cluster_stop(c, 0); /* ends the call too: what it still writes is thrown away below */
    cluster_restore_home(c, 0, "killed");
    cluster_start(c, 0);
    story_unlock(c, 0);
    const struct counts n = import_whole(c, path);
    assert_true(n.known >= said && n.known < ALL); /* nothing that was said is lost */
    assert_int_equal(n.known + n.created, ALL);
    story_verify(c, 0, &proof);
    assert_int_equal(proof.ops, ALL);
    assert_int_equal(proof.patients, 1);
}

static void a_lock_ends_it(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char path[256];
    big_file(c, path);
    import_begin(c, path);
    run_into_the_middle(c);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "session.lock"), "session.lock");
    story_end(&r);
    run_to_the_end(c);
    assert_int_equal(c->long_answer.err, ML_E_LOCKED);
    story_unlock(c, 0);
    const struct counts n = import_whole(c, path);
    assert_int_equal(n.known + n.created, ALL);
}

static void another_session_of_the_same_member_does_not_inherit_it(void **state)
{
    struct cluster *c = *state;
    char path[256];
    big_file(c, path);
    import_begin(c, path);
    run_into_the_middle(c);
    story_unlock(c, 0); /* a new session takes the place of the old one */
    run_to_the_end(c);
    assert_int_equal(c->long_answer.err, ML_E_LOCKED);
}

static void a_file_that_is_refused_writes_nothing(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char path[256];
    FILE *file = file_begin(c, "faux.json", path);
    fputs("{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}},{\"resource\":{}}", file);
    file_end(file);
    import_ask(&r, path);
    assert_int_equal(story_send(&r, c, 0, "import.fhir"), ML_E_MALFORMED);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "import.refused");
    story_end(&r);
    import_ask(&r, "/n'existe/pas.json");
    assert_int_equal(story_send(&r, c, 0, "import.fhir"), ML_E_IO);
    story_end(&r);
    assert_int_equal(story_find(c, 0, ""), 0);
}

#define PATIENT(id) "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"" id "\"}}"
#define OF(id)      "\"subject\":{\"reference\":\"Patient/" id "\"}"

/* A measure whose encounter is in no file of its own. */
static struct counts measure_during(struct cluster *c, const char *id, const char *encounter)
{
    char path[256];
    FILE *file = file_begin(c, "mesure.json", path);
    fprintf(file,
            "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"%s\"," OF(
                "p") ",\"code\":{\"text\":\"mesure\"},\"effectiveDateTime\":\"2026-03-02\","
                     "\"encounter\":{\"reference\":\"%s\"}}}",
            id, encounter);
    file_end(file);
    return import_whole(c, path);
}

static void a_reference_finds_what_an_earlier_import_brought(void **state)
{
    struct cluster *c = *state;
    char path[256];
    FILE *file = file_begin(c, "avant.json", path);
    fputs(PATIENT("p") "," PATIENT(
              "q") ",{\"resource\":{\"resourceType\":\"Encounter\",\"id\":"
                   "\"e\"," OF("p") ",\"status\":\"finished\",\"class\":{"
                                    "\"code\":\"AMB\"},\"period\":{\"start\":\"2026-03-01\"}}}",
          file);
    fputs(
        ",{\"resource\":{\"resourceType\":\"Encounter\",\"id\":\"autre\"," OF(
            "q") ",\"status\":\"finished\",\"class\":{\"code\":\"AMB\"},\"period\":{\"start\":"
                 "\"2026-03-01\"}}},{\"resource\":{\"resourceType\":\"Condition\",\"id\":\"c\"," OF(
                     "p") ",\"code\":{\"text\":\"asthme\"},\"onsetDateTime\":\"2020\"}}",
        file);
    file_end(file);
    assert_int_equal(measure_during(c, "trop-tot", "Encounter/e").unresolved, 1);
    assert_int_equal(import_whole(c, path).unresolved, 0);
    struct counts n = measure_during(c, "m1", "Encounter/e");
    assert_int_equal(n.unresolved, 0);
    assert_int_equal(n.created, 1);
    assert_int_equal(measure_during(c, "m2", "Encounter/inconnu").unresolved, 1);
    assert_int_equal(measure_during(c, "m3", "Encounter/autre").unresolved, 1); /* of another */
    assert_int_equal(measure_during(c, "m4", "Condition/c").unresolved, 1);     /* no encounter */
}

static void each_patient_finds_his_own(void **state)
{
    struct cluster *c = *state;
    char path[256];
    FILE *file = file_begin(c, "avant.json", path);
    fputs(PATIENT("p") "," PATIENT("q"), file);
    for (const char *id = "pq"; *id != '\0'; id++) {
        fprintf(file,
                ",{\"resource\":{\"resourceType\":\"Encounter\",\"id\":\"e%c\",\"subject\":{"
                "\"reference\":\"Patient/%c\"},\"status\":\"finished\",\"class\":{\"code\":"
                "\"AMB\"},\"period\":{\"start\":\"2026-03-01\"}}}",
                *id, *id);
    }
    file_end(file);
    assert_int_equal(import_whole(c, path).created, 4);
    file = file_begin(c, "apres.json", path);
    for (const char *id = "pqp"; *id != '\0'; id++) {
        fprintf(file,
                "%s{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"m%d\",\"subject\":{"
                "\"reference\":\"Patient/%c\"},\"code\":{\"text\":\"mesure\"},\"encounter\":{"
                "\"reference\":\"Encounter/e%c\"}}}",
                ftell(file) > 50 ? "," : "", (int)ftell(file), *id, *id);
    }
    file_end(file);
    const struct counts n = import_whole(c, path);
    assert_int_equal(n.created, 3);
    assert_int_equal(n.unresolved, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(other_calls_are_served_between_the_slices),
        T(again_adds_nothing),
        T(a_cancelled_one_says_how_far_it_came_and_the_next_goes_on),
        T(cancelled_before_the_first_write_it_wrote_nothing),
        T(killed_in_the_middle_it_adds_what_is_missing),
        T(a_lock_ends_it),
        T(another_session_of_the_same_member_does_not_inherit_it),
        T(a_file_that_is_refused_writes_nothing),
        T(a_reference_finds_what_an_earlier_import_brought),
        T(each_patient_finds_his_own),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
