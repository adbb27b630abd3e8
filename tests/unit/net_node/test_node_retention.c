/* test_node_retention.c -- how records end (domain 4.6, ADR 0024), on whole nodes: not before their
 * time, not while they are held, not by one alone, nor by a clock that one person set forward. */
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

enum { A = 0, B = 1, C = 2 };

struct fixture {
    struct cluster c;
    char patient[40];
    uint64_t before; /* ingest number at A before anything clinical */
};

static struct fixture all;

static void settle(struct cluster *c)
{
    cluster_run(c, 20000);
}

/* A treatment of so many years ago, on the 25th of March. */
static void treated(struct fixture *f, unsigned n, const char *when)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "entity", "treatment");
    story_put(&r, "effective", when);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "drug", "metformine");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &f->c, n, "record.add"), "record.add");
    story_end(&r);
}

static int setup(void **state)
{
    struct cluster *c = &all.c;
    cluster_init(c, 59);
    story_found(c, A);
    story_join(c, A, B, "Inès Leroy", 60);
    story_join(c, A, C, "Karim Haddad", 70);
    story_synced(c, B);
    story_synced(c, C);
    story_patient(c, A, all.patient); /* born in 1979 */
    all.before = ml_log_last(cluster_org(c, A)->log);
    treated(&all, A, "2003-03-25");
    settle(c);
    story_synced(c, B);
    story_synced(c, C);
    *state = &all;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

/* ---- saying ---- */

static ml_err end_record(struct fixture *f, unsigned n, char text[48])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    const ml_err err = story_send(&r, &f->c, n, "retention.end");
    snprintf(text, 48, "%s", ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

static void assert_ends(struct fixture *f, unsigned n)
{
    char text[48];
    assert_int_equal(end_record(f, n, text), ML_OK);
    settle(&f->c);
}

static void assert_refused(struct fixture *f, unsigned n, const char *why)
{
    char text[48];
    assert_int_equal(end_record(f, n, text), ML_E_DENIED);
    assert_string_equal(text, why);
}

static void hold(struct fixture *f, unsigned n, char object[40])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "entity", "retention_hold");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "reason", "expertise en cours");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &f->c, n, "record.add"), "record.add");
    snprintf(object, 40, "%s", ml_value_text(story_get(&r, "object"), ""));
    story_end(&r);
    settle(&f->c);
}

static void release(struct fixture *f, unsigned n, const char *object)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "object", object);
    story_put(&r, "reason", "jugement");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "released", "jugement");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &f->c, n, "record.amend"), "record.amend");
    story_end(&r);
    settle(&f->c);
}

struct shown {
    char state[12], rule[12], end[12], contact[12];
    int64_t held, wraps, signatures, holds;
    bool ended;
};

static struct shown show(struct fixture *f, unsigned n)
{
    struct story_request r;
    struct shown s = {.held = -1};
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_must(&r, story_send(&r, &f->c, n, "retention.show"), "retention.show");
    snprintf(s.state, sizeof(s.state), "%s", ml_value_text(story_get(&r, "state"), ""));
    snprintf(s.rule, sizeof(s.rule), "%s", ml_value_text(story_get(&r, "rule"), ""));
    snprintf(s.end, sizeof(s.end), "%s", ml_value_text(story_get(&r, "end"), ""));
    snprintf(s.contact, sizeof(s.contact), "%s", ml_value_text(story_get(&r, "contact"), ""));
    s.held = ml_value_int(story_get(&r, "held"), -1);
    s.wraps = ml_value_int(story_get(&r, "wraps"), -1);
    s.signatures = (int64_t)ml_value_count(story_get(&r, "signed"));
    s.holds = (int64_t)ml_value_count(story_get(&r, "holds"));
    s.ended = ml_value_bool(story_get(&r, "ended"), false);
    story_end(&r);
    return s;
}

static int listed(struct fixture *f, unsigned n, const char *until)
{
    struct story_request r;
    story_ask(&r);
    if (until != NULL) {
        story_put(&r, "until", until);
    }
    story_must(&r, story_send(&r, &f->c, n, "retention.list"), "retention.list");
    const int count = (int)ml_value_count(story_get(&r, "items"));
    story_end(&r);
    return count;
}

/* ---- seeing ---- */

static void assert_opens(struct fixture *f, unsigned by, bool opens)
{
    for (unsigned n = A; n <= C; n++) {
        tally_give_keys(&f->c, n, by);
    }
    const struct tally t = tally_records(&f->c, A, by, f->before);
    assert_true((t.opened > 0) == opens);
    assert_true((t.closed > 0) == !opens);
}

static void assert_kept(struct fixture *f)
{
    for (unsigned n = A; n <= C; n++) {
        assert_opens(f, n, true);
        assert_int_equal(story_find(&f->c, n, "martin"), 1);
    }
}

/* With every byte of every disk, and in every vault. */
static void assert_gone(struct fixture *f)
{
    struct story_proof a;
    story_verify(&f->c, A, &a);
    for (unsigned n = A; n <= C; n++) {
        struct story_proof b;
        assert_opens(f, n, false);
        assert_int_equal(story_find(&f->c, n, "martin"), 0);
        assert_int_equal(listed(f, n, NULL), 0);
        story_verify(&f->c, n, &b);
        assert_string_equal(a.state_hash, b.state_hash);
        assert_string_equal(a.view_hash, b.view_hash);
        assert_int_equal(b.bodies_missing, 0);
    }
}

/* ---- rules ---- */

static void two_members_end_a_record_whose_time_is_over(void **state)
{
    struct fixture *f = *state;
    struct shown s = show(f, A);
    assert_string_equal(s.contact, "2003-03-25");
    assert_string_equal(s.end, "2023-03-25");
    assert_string_equal(s.state, "over");
    assert_string_equal(s.rule, "contact");
    assert_int_equal(listed(f, A, NULL), 1);
    assert_ends(f, A);
    assert_kept(f); /* one alone: nothing went */
    s = show(f, B);
    assert_int_equal(s.signatures, 1);
    assert_true(s.wraps > 0 && !s.ended);
    assert_ends(f, A); /* again, and still alone */
    assert_kept(f);
    assert_ends(f, B);
    assert_gone(f);
    for (unsigned n = A; n <= C; n++) { /* what they had in memory and in files */
        cluster_stop(&f->c, n);
        cluster_start(&f->c, n);
        story_unlock(&f->c, n);
    }
    settle(&f->c);
    assert_gone(f);
}

static void who_was_away_obeys_on_his_return(void **state)
{
    struct fixture *f = *state;
    cluster_stop(&f->c, C);
    assert_ends(f, B);
    assert_ends(f, A);
    cluster_start(&f->c, C);
    story_unlock(&f->c, C);
    settle(&f->c);
    assert_gone(f);
}

static void not_before_the_last_day_is_over(void **state)
{
    struct fixture *f = *state;
    treated(f, B, "2021-06-30");
    settle(&f->c);
    const struct shown s = show(f, A);
    assert_string_equal(s.end, "2041-06-30");
    assert_refused(f, A, "retention.early");
    assert_refused(f, B, "retention.early");
    assert_kept(f);
}

static void not_while_anybody_holds_it(void **state)
{
    struct fixture *f = *state;
    char object[40];
    hold(f, C, object);
    assert_int_equal(show(f, A).held, 1);
    assert_int_equal(show(f, A).holds, 1);
    assert_refused(f, A, "retention.held");
    assert_refused(f, B, "retention.held");
    assert_int_equal(listed(f, A, NULL), 1); /* told with its hold */
    release(f, B, object);
    assert_int_equal(show(f, C).held, 0);
    assert_ends(f, A);
    hold(f, B, object); /* between the two */
    assert_refused(f, B, "retention.held");
    assert_kept(f);
}

/* He may not see when it was used last: nothing is destroyed by what he doesn't know. */
static void who_doesnt_see_all_of_it_ends_nothing(void **state)
{
    struct fixture *f = *state;
    struct story_request r;
    char karim[40];
    story_member_of(&f->c, A, "Karim Haddad", karim);
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "person", karim);
    story_must(&r, story_send(&r, &f->c, A, "consent.oppose"), "consent.oppose");
    story_end(&r);
    settle(&f->c);
    assert_refused(f, C, "retention.hidden");
    assert_ends(f, A);
    assert_ends(f, B);
    assert_int_equal(story_find(&f->c, A, "martin"), 0);
}

static void born_on(struct fixture *f, unsigned n, const char *date)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "object", f->patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "birth_date", date);
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &f->c, n, "record.amend"), "record.amend");
    story_end(&r);
}

static void not_while_the_birth_is_in_conflict(void **state)
{
    struct fixture *f = *state;
    cluster_cut(&f->c, A, B, true);
    cluster_cut(&f->c, B, C, true);
    born_on(f, A, "1979-03-29");
    born_on(f, B, "2003");
    cluster_cut(&f->c, A, B, false);
    cluster_cut(&f->c, B, C, false);
    settle(&f->c);
    assert_refused(f, A, "retention.doubtful");
    born_on(f, B, "2003"); /* settled: he was a child */
    settle(&f->c);
    assert_string_equal(show(f, A).end, "2031-12-31");
    assert_string_equal(show(f, A).rule, "minor");
    assert_refused(f, A, "retention.early");
}

/* A hold is no contact: it doesn't lengthen the time. */
static void a_hold_is_no_contact(void **state)
{
    struct fixture *f = *state;
    char object[40];
    hold(f, C, object);
    assert_string_equal(show(f, A).contact, "2003-03-25");
}

/* The clock of one node, or of all that one person has: his own bundles witness nothing. */
static void a_clock_set_forward_ends_nothing(void **state)
{
    struct fixture *f = *state;
    treated(f, B, "2021-06-30");
    settle(&f->c);
    for (unsigned n = A; n <= C; n++) {
        cluster_cut(&f->c, A, n, n != A);
    }
    f->c.fake.wall_ms += UINT64_C(30) * 365 * 86400 * 1000;
    treated(f, A, "2022-01-01");
    assert_refused(f, A, "retention.early");
    assert_int_equal(listed(f, A, "2047-01-01"), 1); /* looking ahead is allowed */
}

/* What the structure sets is what counts, on each node; never below what the law says. */
static void the_structure_lengthens_it(void **state)
{
    struct fixture *f = *state;
    struct story_request r;
    static const struct {
        int years;
        ml_err err;
    } sets[] = {{19, ML_E_INVALID}, {40, ML_OK}};
    for (size_t i = 0; i < 2; i++) {
        story_ask(&r);
        ml_args_key(r.args, "total_years");
        ml_args_int(r.args, sets[i].years);
        assert_int_equal(story_send(&r, &f->c, A, "retention.set"), sets[i].err);
        story_end(&r);
    }
    settle(&f->c);
    assert_string_equal(show(f, B).end, "2043-03-25");
    assert_refused(f, B, "retention.early");
    story_ask(&r);
    ml_args_key(r.args, "total_years");
    ml_args_int(r.args, 20);
    assert_int_equal(story_send(&r, &f->c, B, "retention.set"), ML_E_DENIED);
    story_end(&r);
}

/* Every answer is the whole one or NOMEM, and the end is done again where it stopped. */
static void no_failed_alloc_ends_it_by_half(void **state)
{
    struct fixture *f = *state;
    char text[48];
    bool spared = false;
    for (long nth = 1; !spared; nth++) {
        struct story_request r;
        story_ask(&r);
        story_put(&r, "patient", f->patient);
        f->c.fake.fail_alloc = nth;
        const ml_err err = story_send(&r, &f->c, A, "retention.show");
        spared = f->c.fake.fail_alloc > 0;
        f->c.fake.fail_alloc = 0;
        assert_true(err == ML_OK || (err == ML_E_NOMEM && !spared));
        story_end(&r);
    }
    spared = false;
    for (long nth = 1; !spared; nth += 3) {
        f->c.fake.fail_alloc = nth;
        const ml_err err = end_record(f, A, text);
        spared = f->c.fake.fail_alloc > 0;
        f->c.fake.fail_alloc = 0;
        assert_true(err == ML_OK || (err == ML_E_NOMEM && !spared));
    }
    settle(&f->c);
    assert_kept(f);
    assert_ends(f, B);
    assert_gone(f);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_members_end_a_record_whose_time_is_over),
        T(who_was_away_obeys_on_his_return),
        T(not_before_the_last_day_is_over),
        T(not_while_anybody_holds_it),
        T(who_doesnt_see_all_of_it_ends_nothing),
        T(not_while_the_birth_is_in_conflict),
        T(a_hold_is_no_contact),
        T(a_clock_set_forward_ends_nothing),
        T(the_structure_lengthens_it),
        T(no_failed_alloc_ends_it_by_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
