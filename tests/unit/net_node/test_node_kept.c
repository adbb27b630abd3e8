/* test_node_kept.c -- traces end by themselves, all of a time at once, on every node (SEC.5~04, ADR
 * 0026): not before two members' clocks say so, and what is left is proved as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "maille/value.h"
#include "net/node/retention.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

enum { A = 0, B = 1, C = 2 };

struct fixture {
    struct cluster c;
    char patient[40];
    char treatment[40];
};

static struct fixture all;

static void settle(struct cluster *c)
{
    cluster_run(c, 60000);
}

static int setup(void **state)
{
    struct cluster *c = &all.c;
    cluster_init(c, 67);
    story_found(c, A);
    story_join(c, A, B, "Inès Leroy", 60);
    story_synced(c, B);
    story_patient(c, A, all.patient);
    story_treatment(c, A, all.patient, drug("metformine", "1000 mg"), all.treatment);
    assert_int_equal(story_find(c, A, "martin"), 1); /* each leaves a trace */
    settle(c);
    assert_int_equal(story_find(c, B, "martin"), 1);
    settle(c);
    story_synced(c, B);
    *state = &all;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

static void months_pass(struct fixture *f, unsigned months)
{
    f->c.fake.wall_ms += months * UINT64_C(31) * 86400 * 1000;
}

static void unlocked_again(struct fixture *f, unsigned n)
{
    cluster_stop(&f->c, n);
    cluster_start(&f->c, n);
    story_unlock(&f->c, n);
    settle(&f->c);
}

/* Both members write after it. */
static void both_write(struct fixture *f)
{
    for (unsigned n = A; n <= B; n++) {
        unlocked_again(f, n);
        story_dose(&f->c, n, f->patient, f->treatment, drug("metformine", n == A ? "1 g" : "2 g"));
        settle(&f->c);
    }
}

struct proof {
    int64_t bundles, dropped, missing;
    bool intact, says_from;
};

static struct proof prove(struct fixture *f, unsigned n)
{
    struct story_request r;
    struct proof p = {0};
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "trace.verify"), "trace.verify");
    p.bundles = ml_value_int(story_get(&r, "bundles"), -1);
    p.dropped = ml_value_int(story_get(&r, "bodies_dropped"), -1);
    p.missing = ml_value_int(story_get(&r, "bodies_missing"), -1);
    p.intact = ml_value_bool(story_get(&r, "intact"), false);
    p.says_from = story_get(&r, "kept_from_ms") != NULL;
    story_end(&r);
    return p;
}

static void assert_ended(struct fixture *f, unsigned n)
{
    const struct proof p = prove(f, n);
    assert_true(p.dropped > 0 && p.dropped < p.bundles);
    assert_int_equal(p.missing, 0);
    assert_true(p.intact && p.says_from);
}

static void assert_all_kept(struct fixture *f, unsigned n)
{
    const struct proof p = prove(f, n);
    assert_int_equal(p.dropped, 0);
    assert_true(p.intact && !p.says_from);
}

static void traces_end_by_themselves_after_a_year(void **state)
{
    struct fixture *f = *state;
    struct story_proof a;
    struct story_proof b;
    months_pass(f, 13);
    both_write(f);
    unlocked_again(f, A);
    unlocked_again(f, B);
    assert_ended(f, A);
    assert_ended(f, B);
    story_verify(&f->c, A, &a);
    story_verify(&f->c, B, &b);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_string_equal(a.view_hash, b.view_hash); /* the record lost nothing */
    assert_int_equal(a.bodies_missing + b.bodies_missing, 0);
}

static void not_within_the_year(void **state)
{
    struct fixture *f = *state;
    months_pass(f, 11);
    both_write(f);
    unlocked_again(f, A);
    assert_all_kept(f, A);
    assert_all_kept(f, B);
}

/* One member's clock, and all that he writes by it. */
static void one_clock_set_forward_ends_none(void **state)
{
    struct fixture *f = *state;
    cluster_cut(&f->c, A, B, true);
    months_pass(f, 13);
    unlocked_again(f, A);
    story_dose(&f->c, A, f->patient, f->treatment, drug("metformine", "1 g"));
    settle(&f->c);
    unlocked_again(f, A);
    assert_all_kept(f, A);
}

static void the_structure_says_how_long(void **state)
{
    struct fixture *f = *state;
    struct story_request r;
    static const struct {
        int months;
        ml_err err;
    } sets[] = {{5, ML_E_INVALID}, {6, ML_OK}};
    for (size_t i = 0; i < 2; i++) {
        story_ask(&r);
        ml_args_key(r.args, "trace_months");
        ml_args_int(r.args, sets[i].months);
        assert_int_equal(story_send(&r, &f->c, A, "retention.set"), sets[i].err);
        story_end(&r);
    }
    settle(&f->c);
    months_pass(f, 7);
    both_write(f);
    unlocked_again(f, B);
    assert_ended(f, B);
}

/* Whoever joins gets headers, and misses nothing. */
static void who_comes_later_misses_nothing(void **state)
{
    struct fixture *f = *state;
    struct story_proof c;
    months_pass(f, 13);
    both_write(f);
    unlocked_again(f, A);
    unlocked_again(f, B);
    story_join(&f->c, A, C, "Karim Haddad", 70);
    story_synced(&f->c, C);
    settle(&f->c);
    unlocked_again(f, C);
    story_verify(&f->c, C, &c);
    assert_int_equal(c.bodies_missing, 0);
    assert_ended(f, C);
}

static void no_failed_alloc_leaves_it_half_said(void **state)
{
    struct fixture *f = *state;
    struct ml_org *org = NULL;
    bool spared = false;
    months_pass(f, 13);
    both_write(f);
    org = cluster_org(&f->c, A);
    for (long nth = 1; !spared; nth++) {
        uint64_t from = 0;
        org->retention_due_ms = 0;
        f->c.fake.fail_alloc = nth;
        ml_retention_tick(org);
        spared = f->c.fake.fail_alloc > 0;
        f->c.fake.fail_alloc = 0;
        assert_int_equal(ml_retention_kept_from(org, &from), ML_OK);
    }
    assert_ended(f, A);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(traces_end_by_themselves_after_a_year), T(not_within_the_year),
        T(one_clock_set_forward_ends_none),       T(the_structure_says_how_long),
        T(who_comes_later_misses_nothing),        T(no_failed_alloc_leaves_it_half_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
