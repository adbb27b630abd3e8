/* test_node_dates.c -- a substitute between two dates, on whole nodes (rules B15; domain 7.2 c):
 * his key comes by itself at the first one, and what it gave him is gone at the second; nobody asks
 * anything of anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/record/date.h"
#include "maille/value.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

#define MINUTE_MS UINT64_C(60000)

enum { DOCTOR, SUBSTITUTE }; /* by node */
enum { FAULTS_MAX = 20000, FAULTS_STEP = 29 };

struct fixture {
    struct cluster c;
    char member[2][40];
    char patient[40];
    uint64_t from_ms; /* of the substitute */
    uint64_t until_ms;
};

static void members_find(struct fixture *f)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, DOCTOR, "member.list"), "member.list");
    for (const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0); m != NULL;
         m = ml_value_next(m)) {
        const char *name = ml_value_text(ml_value_get(m, "name"), "");
        const unsigned i = strcmp(name, "Dr Blanc") == 0 ? SUBSTITUTE : DOCTOR;
        snprintf(f->member[i], sizeof(f->member[i]), "%s",
                 ml_value_text(ml_value_get(m, "member"), ""));
    }
    story_end(&r);
}

static void begin(struct fixture *f, uint64_t seed)
{
    struct story_request r;
    cluster_init(&f->c, seed);
    story_found(&f->c, DOCTOR);
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, DOCTOR, "right.adopt"), "right.adopt");
    story_end(&r);
    story_join(&f->c, DOCTOR, SUBSTITUTE, "Dr Blanc",
               904); /* the administrator: no clinical data */
    cluster_run(&f->c, 90000);
    members_find(f);
    story_patient(&f->c, DOCTOR, f->patient);
}

static int setup(void **state)
{
    static struct fixture f;
    begin(&f, 53);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

static void moment_put(struct story_request *r, const char *key, uint64_t ms)
{
    char text[64];
    const struct ml_date day = ml_date_of_ms((int64_t)ms);
    const unsigned minute = (unsigned)(ms / MINUTE_MS % 1440);
    snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02uZ", day.year, day.month, day.day,
             minute / 60, minute % 60);
    story_put(r, key, text);
}

/* Soon enough that nobody has left his desk at its end. */
static void grant(struct fixture *f)
{
    struct story_request r;
    f->from_ms = (f->c.fake.wall_ms / MINUTE_MS + 3) * MINUTE_MS;
    f->until_ms = f->from_ms + 4 * MINUTE_MS;
    story_ask(&r);
    story_put(&r, "member", f->member[SUBSTITUTE]);
    story_put(&r, "replaces", f->member[DOCTOR]);
    moment_put(&r, "from", f->from_ms);
    moment_put(&r, "until", f->until_ms);
    story_must(&r, story_send(&r, &f->c, DOCTOR, "role.grant"), "role.grant");
    story_end(&r);
}

/* Nobody calls anything meanwhile. */
static void run_to(struct fixture *f, uint64_t wall_ms)
{
    cluster_run(&f->c, wall_ms - f->c.fake.wall_ms);
}

static void fields_put(const struct fixture *f, struct story_request *r, bool patient)
{
    story_put(r, "entity", patient ? "patient" : "treatment");
    if (!patient) {
        story_put(r, "patient", f->patient);
    }
    ml_args_key(r->args, "fields");
    ml_args_map(r->args);
    story_put(r, patient ? "birth_name" : "drug", patient ? "Noël" : "ramipril");
    story_put(r, patient ? "birth_date" : "posology", patient ? "1951-03-28" : "5 mg le matin");
    if (patient) {
        story_put(r, "birth_given_names", "Anne");
        story_put(r, "sex", "F");
    }
    ml_args_end(r->args);
}

/* A treatment of the patient; `patient`: a new patient, for whoever knows none. */
static ml_err try_write(struct fixture *f, unsigned n, bool patient, char text[64])
{
    struct story_request r;
    story_ask(&r);
    fields_put(f, &r, patient);
    ml_err err = story_send(&r, &f->c, n, "record.add");
    const struct ml_value *args = story_get(&r, "args");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    if (err == ML_E_DENIED) { /* who, since or until when, what */
        assert_string_equal(ml_value_text(ml_value_get(args, "by"), ""), "Dr Anne Morel");
        assert_int_equal(strlen(ml_value_text(ml_value_get(args, "date"), "")), 16);
        assert_string_equal(ml_value_text(ml_value_get(args, "class"), ""),
                            patient ? "Identité, contacts" : "Traitements et prescriptions");
    }
    story_end(&r);
    return err;
}

static void refused(struct fixture *f, unsigned n, const char *why)
{
    char text[64];
    assert_int_equal(try_write(f, n, true, text), ML_E_DENIED);
    assert_string_equal(text, why);
}

static void written(struct fixture *f, unsigned n)
{
    char text[64];
    assert_int_equal(try_write(f, n, false, text), ML_OK);
}

static bool reads(struct fixture *f, unsigned n)
{
    return story_find(&f->c, n, "martin") == 1;
}

/* ---- */

static void his_key_comes_at_his_date_unasked(void **state)
{
    struct fixture *f = *state;
    grant(f);
    run_to(f, f->from_ms - 1000);
    assert_false(reads(f, SUBSTITUTE));
    refused(f, SUBSTITUTE, "right.awaited");
    run_to(f, f->from_ms + MINUTE_MS + 1000); /* who has the keys waits up to a minute */
    assert_true(reads(f, SUBSTITUTE));
    written(f, SUBSTITUTE);
    run_to(f, f->until_ms - 1000);
    written(f, SUBSTITUTE);
    run_to(f, f->until_ms + 1000);
    assert_false(reads(f, SUBSTITUTE)); /* what he had read is in his vault no more */
    refused(f, SUBSTITUTE, "right.ended");
}

/* A call at the date comes before any timer: what it changes is known to it, and the keys follow.
 */
static void a_call_that_comes_first_forgets_nobody(void **state)
{
    struct fixture *f = *state;
    grant(f);
    run_to(f, f->from_ms - 1000);
    f->c.fake.wall_ms += 2000; /* people set their clocks: no timer was due */
    assert_true(reads(f, DOCTOR));
    cluster_run(&f->c, MINUTE_MS + 1000);
    assert_true(reads(f, SUBSTITUTE));
}

/* His clock goes back: what others wrote since tells him what time it is. */
static void a_clock_set_back_gives_him_nothing(void **state)
{
    struct fixture *f = *state;
    grant(f);
    run_to(f, f->until_ms + 5000);
    written(f, DOCTOR);
    cluster_run(&f->c, 5000);
    f->c.fake.wall_ms = f->until_ms - MINUTE_MS;
    assert_false(reads(f, SUBSTITUTE));
    refused(f, SUBSTITUTE, "right.ended");
}

/* One allocation fails when the date has come, another time another one. */
static void what_fails_at_the_date_is_done_later(void **state)
{
    struct fixture *f = *state;
    bool reached = true;
    cluster_free(&f->c);
    for (long n = 1; reached && n < FAULTS_MAX; n += FAULTS_STEP) {
        begin(f, 53);
        grant(f);
        run_to(f, f->from_ms - 1000);
        f->c.fake.fail_alloc = n;
        cluster_run(&f->c, MINUTE_MS + 1000);
        reached = f->c.fake.fail_alloc == 0;
        f->c.fake.fail_alloc = 0;
        cluster_run(&f->c, 2 * MINUTE_MS); /* tried again within a minute */
        assert_true(reads(f, SUBSTITUTE));
        written(f, SUBSTITUTE);
        cluster_free(&f->c);
    }
    assert_false(reached);
    begin(f, 53); /* what teardown frees */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(his_key_comes_at_his_date_unasked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_that_comes_first_forgets_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_set_back_gives_him_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_at_the_date_is_done_later, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
