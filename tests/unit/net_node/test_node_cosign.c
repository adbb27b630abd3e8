/* test_node_cosign.c -- what a student writes waits for a signature beside his, on whole nodes
 * (domain 7.2, DPI.1~09): by whom it does, by whom it doesn't, and what is listed. */
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

enum { DOCTOR, STUDENT, OTHER }; /* by node; OTHER is a doctor too */
enum { STUDENT_ROLE = 903, DOCTOR_ROLE = 10 };

struct fixture {
    struct cluster c;
    char member[3][40];
    char patient[40];
    char object[40]; /* what the student wrote */
};

static void heard(struct fixture *f)
{
    cluster_run(&f->c, 90000);
}

static void member_take(struct fixture *f, const struct ml_value *m)
{
    static const char *const names[] = {"Dr Anne Morel", "Zoé Petit", "Paul Noël"};
    for (unsigned i = DOCTOR; i <= OTHER; i++) {
        if (strcmp(ml_value_text(ml_value_get(m, "name"), ""), names[i]) == 0) {
            snprintf(f->member[i], sizeof(f->member[i]), "%s",
                     ml_value_text(ml_value_get(m, "member"), ""));
        }
    }
}

static void members_find(struct fixture *f)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, DOCTOR, "member.list"), "member.list");
    for (const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0); m != NULL;
         m = ml_value_next(m)) {
        member_take(f, m);
    }
    story_end(&r);
}

static int setup(void **state)
{
    static struct fixture f;
    struct story_request r;
    cluster_init(&f.c, 61);
    story_found(&f.c, DOCTOR);
    story_ask(&r);
    story_must(&r, story_send(&r, &f.c, DOCTOR, "right.adopt"), "right.adopt");
    story_end(&r);
    story_join(&f.c, DOCTOR, STUDENT, "Zoé Petit", STUDENT_ROLE);
    story_join(&f.c, DOCTOR, OTHER, "Paul Noël", DOCTOR_ROLE);
    story_patient(&f.c, DOCTOR, f.patient);
    heard(&f);
    members_find(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

static void writes(struct fixture *f, unsigned n)
{
    story_treatment(&f->c, n, f->patient, drug("ramipril", "5 mg le matin"), f->object);
    heard(f);
}

/* Does what the student wrote wait, as this node shows it? */
static bool waits(struct fixture *f, unsigned n)
{
    struct story_request r;
    bool awaits = false;
    bool found = false;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_must(&r, story_send(&r, &f->c, n, "timeline.list"), "timeline.list");
    for (const struct ml_value *i = ml_value_at(story_get(&r, "items"), 0); i != NULL;
         i = ml_value_next(i)) {
        if (strcmp(ml_value_text(ml_value_get(i, "object"), ""), f->object) == 0) {
            awaits = ml_value_bool(ml_value_get(i, "awaits"), false);
            found = true;
        }
    }
    story_end(&r);
    assert_true(found);
    return awaits;
}

static size_t listed(struct fixture *f, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "record.to_cosign"), "record.to_cosign");
    const size_t count = ml_value_count(story_get(&r, "items"));
    const struct ml_value *first = ml_value_at(story_get(&r, "items"), 0);
    if (first != NULL) {
        assert_string_equal(ml_value_text(ml_value_get(first, "patient"), ""), f->patient);
        assert_string_equal(ml_value_text(ml_value_get(first, "birth_name"), ""), "MARTIN");
        assert_string_equal(ml_value_text(ml_value_get(ml_value_get(first, "item"), "object"), ""),
                            f->object);
    }
    story_end(&r);
    return count;
}

static ml_err try_sign(struct fixture *f, unsigned n, char text[64], char by[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "object", f->object);
    ml_err err = story_send(&r, &f->c, n, "record.cosign");
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    snprintf(by, 64, "%s", ml_value_text(ml_value_get(story_get(&r, "args"), "by"), ""));
    story_end(&r);
    heard(f);
    return err;
}

static void refused(struct fixture *f, unsigned n, const char *why, const char *name)
{
    char text[64];
    char by[64];
    assert_int_not_equal(try_sign(f, n, text, by), ML_OK);
    assert_string_equal(text, why);
    assert_string_equal(by, name);
}

static void signs(struct fixture *f, unsigned n)
{
    char text[64];
    char by[64];
    assert_int_equal(try_sign(f, n, text, by), ML_OK);
}

static void role_of(struct fixture *f, unsigned who, const char *method, int number,
                    const char *supervisor)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", f->member[who]);
    ml_args_key(r.args, "role");
    ml_args_int(r.args, number);
    if (supervisor != NULL) {
        story_put(&r, "supervisor", supervisor);
    }
    story_must(&r, story_send(&r, &f->c, DOCTOR, method), method);
    story_end(&r);
    heard(f);
}

static void role(struct fixture *f, const char *method, int number, const char *supervisor)
{
    role_of(f, STUDENT, method, number, supervisor);
}

/* ---- */

static void what_a_student_writes_waits_until_a_doctor_signs(void **state)
{
    struct fixture *f = *state;
    writes(f, STUDENT);
    assert_true(waits(f, STUDENT) && waits(f, DOCTOR) && waits(f, OTHER));
    assert_int_equal(listed(f, DOCTOR), 1);
    assert_int_equal(listed(f, OTHER), 1);
    assert_int_equal(listed(f, STUDENT), 0);
    refused(f, STUDENT, "cosign.own", "Zoé Petit");
    signs(f, OTHER);
    assert_false(waits(f, STUDENT) || waits(f, DOCTOR) || waits(f, OTHER));
    assert_int_equal(listed(f, DOCTOR), 0);
    refused(f, DOCTOR, "cosign.none", "");
}

/* A signature is for what its author had before him. */
static void what_he_changes_after_it_waits_again(void **state)
{
    struct fixture *f = *state;
    writes(f, STUDENT);
    signs(f, DOCTOR);
    story_dose(&f->c, STUDENT, f->patient, f->object, drug("ramipril", "10 mg le matin"));
    heard(f);
    assert_true(waits(f, OTHER));
    signs(f, DOCTOR);
    assert_false(waits(f, OTHER));
}

static void a_named_supervisor_signs_and_nobody_else(void **state)
{
    struct fixture *f = *state;
    role(f, "role.grant", DOCTOR_ROLE, f->member[OTHER]); /* the matrix asks nothing of that role */
    writes(f, STUDENT);
    assert_true(waits(f, DOCTOR));
    assert_int_equal(listed(f, DOCTOR), 0);
    assert_int_equal(listed(f, OTHER), 1);
    refused(f, DOCTOR, "cosign.supervisor", "Paul Noël");
    assert_true(waits(f, DOCTOR));
    signs(f, OTHER);
    assert_false(waits(f, DOCTOR));
}

/* What was written under a role waits after the role has ended; what comes after it doesn't. */
static void the_end_of_his_time_signs_nothing(void **state)
{
    struct fixture *f = *state;
    role(f, "role.grant", DOCTOR_ROLE, f->member[OTHER]);
    char other[40];
    writes(f, STUDENT);
    story_treatment(&f->c, OTHER, f->patient, drug("aspirine", "75 mg"), other); /* a witness */
    heard(f);
    role(f, "role.end", DOCTOR_ROLE, NULL);
    assert_true(waits(f, DOCTOR));
    refused(f, DOCTOR, "cosign.supervisor", "Paul Noël");
    signs(f, OTHER);
    assert_false(waits(f, DOCTOR));
}

/* His supervisor has left: another is named, for what waits too. A role given later changes nothing
 * of what was written before it. */
static void a_later_supervisor_takes_over(void **state)
{
    struct fixture *f = *state;
    role(f, "role.grant", DOCTOR_ROLE, f->member[OTHER]);
    writes(f, STUDENT);
    role(f, "role.grant", DOCTOR_ROLE, f->member[DOCTOR]);
    refused(f, OTHER, "cosign.supervisor", "Dr Anne Morel");
    signs(f, DOCTOR);
    assert_false(waits(f, OTHER));
}

static void a_promotion_signs_nothing(void **state)
{
    struct fixture *f = *state;
    writes(f, STUDENT);
    role(f, "role.grant", DOCTOR_ROLE, NULL);
    assert_true(waits(f, OTHER));
    refused(f, STUDENT, "cosign.own", "Zoé Petit");
    signs(f, OTHER);
    assert_false(waits(f, OTHER));
    writes(f, STUDENT);
    assert_false(waits(f, OTHER));
}

static void a_student_signs_beside_no_other(void **state)
{
    struct fixture *f = *state;
    writes(f, STUDENT);
    role_of(f, OTHER, "role.grant", DOCTOR_ROLE, f->member[DOCTOR]);
    assert_int_equal(listed(f, OTHER), 0);
    refused(f, OTHER, "cosign.right", "Zoé Petit");
    assert_true(waits(f, DOCTOR));
}

static void who_writes_alone_waits_for_nobody(void **state)
{
    struct fixture *f = *state;
    writes(f, DOCTOR);
    assert_false(waits(f, OTHER));
    assert_int_equal(listed(f, OTHER), 0);
    refused(f, OTHER, "cosign.none", "");
}

/* The list is the same or refused; a signature is there or isn't. */
static void what_fails_is_told_and_tried_again(void **state)
{
    struct fixture *f = *state;
    bool reached = true;
    writes(f, STUDENT);
    for (long n = 1; reached; n++) {
        struct story_request r;
        story_ask(&r);
        f->c.fake.fail_alloc = n;
        ml_err err = story_send(&r, &f->c, DOCTOR, "record.to_cosign");
        reached = f->c.fake.fail_alloc == 0;
        f->c.fake.fail_alloc = 0;
        assert_true(err == ML_E_NOMEM ||
                    (err == ML_OK && ml_value_count(story_get(&r, "items")) == 1));
        story_end(&r);
    }
    ml_err err = ML_E_NOMEM;
    for (long n = 1; err != ML_OK; n++) {
        assert_true(waits(f, DOCTOR));
        f->c.fake.fail_alloc = n;
        struct story_request r;
        story_ask(&r);
        story_put(&r, "patient", f->patient);
        story_put(&r, "object", f->object);
        err = story_send(&r, &f->c, DOCTOR, "record.cosign");
        f->c.fake.fail_alloc = 0;
        story_end(&r);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        cluster_run(&f->c, 1100); /* the vault follows */
    }
    assert_false(waits(f, DOCTOR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_student_writes_waits_until_a_doctor_signs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_he_changes_after_it_waits_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_named_supervisor_signs_and_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_his_time_signs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_later_supervisor_takes_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_promotion_signs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_student_signs_beside_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(who_writes_alone_waits_for_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_is_told_and_tried_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
