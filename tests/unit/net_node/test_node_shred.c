/* test_node_shred.c -- who is left out reads nothing older either, with every byte of every disk
 * and his own keys (rules A5; issue 4, proof d): on three whole nodes. All others read all; every
 * node signs; nothing is lost on the way, whoever is away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/model/seal.h"
#include "core/record/vault.h"
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
    char treatment[40];
    char karim[40];
    uint64_t before; /* ingest number at A before anything clinical */
};

static struct fixture all;

static void settle(struct cluster *c)
{
    cluster_run(c, 20000);
}

static int setup(void **state)
{
    struct cluster *c = &all.c;
    cluster_init(c, 53);
    story_found(c, A);
    story_join(c, A, B, "Inès Leroy", 60);
    story_join(c, A, C, "Karim Haddad", 70);
    story_synced(c, B);
    story_synced(c, C);
    story_member_of(c, A, "Karim Haddad", all.karim);
    story_patient(c, A, all.patient);
    all.before = ml_log_last(cluster_org(c, A)->log);
    story_treatment(c, A, all.patient, drug("metformine", "1000 mg"), all.treatment);
    story_synced(c, B);
    story_synced(c, C);
    story_dose(c, C, all.patient, all.treatment, drug("metformine", "500 mg")); /* his own too */
    settle(c);
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

static void decide(struct fixture *f, unsigned n, const char *method, const char *const more[4],
                   char statement[40])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    for (size_t i = 0; i < 4 && more[i] != NULL; i += 2) {
        story_put(&r, more[i], more[i + 1]);
    }
    story_must(&r, story_send(&r, &f->c, n, method), method);
    snprintf(statement, 40, "%s", ml_value_text(story_get(&r, "statement"), ""));
    story_end(&r);
    cluster_run(&f->c, 10); /* the node's next turn */
}

static void oppose_to(struct fixture *f, const char *name, char statement[40])
{
    char member[40];
    story_member_of(&f->c, A, name, member);
    decide(f, A, "consent.oppose", (const char *[4]){"person", member}, statement);
}

static void oppose(struct fixture *f, unsigned n, char statement[40])
{
    decide(f, n, "consent.oppose", (const char *[4]){"person", f->karim}, statement);
}

/* ---- who opens what ---- */

/* Clinical ops of A, by all that the disks of these nodes hold and the keys of who is on `by`. */
static struct tally tally(struct fixture *f, unsigned nodes, unsigned by)
{
    for (unsigned n = A; n <= C; n++) {
        if ((nodes >> n & 1u) != 0) {
            tally_give_keys(&f->c, n, by);
        }
    }
    return tally_records(&f->c, A, by, f->before);
}

static void assert_reads(struct fixture *f, unsigned by)
{
    const struct tally t = tally(f, 7, by);
    assert_true(t.opened >= 2);
    assert_int_equal(t.closed, 0);
}

static void assert_reads_nothing(struct fixture *f, unsigned nodes, unsigned by)
{
    const struct tally t = tally(f, nodes, by);
    assert_int_equal(t.opened, 0);
    assert_true(t.closed >= 2);
}

static void lock_and_unlock(struct cluster *c, unsigned n)
{
    cluster_stop(c, n);
    cluster_start(c, n);
    story_unlock(c, n);
}

/* ---- who signed ---- */

struct signed_by {
    int64_t shreds;
    int64_t done;
    int64_t awaited;
};

static struct signed_by receipts(struct fixture *f, unsigned n)
{
    struct story_request r;
    struct signed_by s = {0};
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_must(&r, story_send(&r, &f->c, n, "consent.receipts"), "consent.receipts");
    const struct ml_value *v = story_get(&r, "shreds");
    const struct ml_value *node = ml_value_at(ml_value_get(v, "nodes"), 0);
    for (; node != NULL; node = ml_value_next(node)) {
        s.done += ml_value_bool(ml_value_get(node, "destroyed"), false);
    }
    s.shreds = ml_value_int(ml_value_get(v, "count"), -1);
    s.awaited = ml_value_int(ml_value_get(v, "awaited"), -1);
    story_end(&r);
    return s;
}

static void assert_signed(struct fixture *f, unsigned n, int64_t done, int64_t awaited)
{
    const struct signed_by s = receipts(f, n);
    assert_true((s.shreds > 0) == (done + awaited > 0));
    assert_int_equal(s.done, done);
    assert_int_equal(s.awaited, awaited);
}

static void assert_one_record(struct fixture *f)
{
    struct story_proof a;
    for (unsigned n = B; n <= C; n++) {
        struct story_proof b;
        story_verify(&f->c, A, &a);
        story_verify(&f->c, n, &b);
        assert_string_equal(a.state_hash, b.state_hash);
        assert_int_equal(a.bodies_missing + b.bodies_missing, 0);
        if (n == B) {
            assert_string_equal(a.view_hash, b.view_hash);
        }
    }
}

/* ---- rules ---- */

static void who_is_left_out_reads_nothing_older(void **state)
{
    struct fixture *f = *state;
    char statement[40];
    assert_reads(f, C);
    lock_and_unlock(&f->c, C);
    assert_signed(f, A, 0, 0);
    oppose(f, A, statement);
    assert_signed(f, A, 1, 2);
    settle(&f->c);
    assert_one_record(f);
    assert_reads_nothing(f, 7, C); /* in the session that had opened it all */
    lock_and_unlock(&f->c, C);
    settle(&f->c);
    assert_reads_nothing(f, 7, C);
    assert_reads(f, A);
    assert_reads(f, B);
    lock_and_unlock(&f->c, A);
    lock_and_unlock(&f->c, B);
    settle(&f->c);
    assert_reads(f, A);
    assert_reads(f, B);
    assert_signed(f, A, 3, 0);
    assert_signed(f, B, 3, 0);
    /* What is written from now on is sealed by a key that he never had. */
    story_dose(&f->c, B, f->patient, f->treatment, drug("metformine", "850 mg"));
    settle(&f->c);
    assert_reads_nothing(f, 7, C);
    assert_reads(f, A);
    assert_one_record(f);
}

static void who_is_taken_in_again_reads_all(void **state)
{
    struct fixture *f = *state;
    char statement[40];
    char lifted[40];
    oppose(f, A, statement);
    settle(&f->c);
    story_dose(&f->c, B, f->patient, f->treatment, drug("metformine", "850 mg"));
    settle(&f->c);
    assert_reads_nothing(f, 7, C);
    decide(f, B, "consent.withdraw", (const char *[4]){"statement", statement}, lifted);
    settle(&f->c);
    assert_reads(f, C);
    assert_reads(f, A);
    lock_and_unlock(&f->c, C);
    settle(&f->c);
    assert_reads(f, C);
    /* And left out once more. */
    oppose(f, B, statement);
    settle(&f->c);
    assert_reads_nothing(f, 7, C);
    lock_and_unlock(&f->c, C);
    settle(&f->c);
    assert_reads_nothing(f, 7, C);
    assert_reads(f, A);
    assert_reads(f, B);
    assert_signed(f, A, 3, 0);
    assert_one_record(f);
}

/* What was sealed to one by one is destroyed as what was sealed to a group. */
static void one_more_who_is_left_out_loses_it_too(void **state)
{
    struct fixture *f = *state;
    char statement[40];
    oppose(f, A, statement);
    settle(&f->c);
    story_dose(&f->c, B, f->patient, f->treatment, drug("metformine", "850 mg"));
    settle(&f->c);
    assert_reads(f, B);
    oppose_to(f, "Inès Leroy", statement);
    settle(&f->c);
    lock_and_unlock(&f->c, B);
    settle(&f->c);
    assert_reads_nothing(f, 7, B);
    assert_reads_nothing(f, 7, C);
    assert_reads(f, A);
    assert_signed(f, A, 3, 0);
}

/* Who was away obeys when he is back, before anything is answered, and signs. */
static void one_who_was_away_obeys_on_his_return(void **state)
{
    struct fixture *f = *state;
    char statement[40];
    cluster_stop(&f->c, C);
    oppose(f, A, statement);
    settle(&f->c);
    assert_signed(f, A, 2, 1);
    assert_signed(f, B, 2, 1);
    cluster_start(&f->c, C);
    settle(&f->c); /* the log obeys, nobody is there to sign */
    assert_signed(f, A, 2, 1);
    story_unlock(&f->c, C);
    assert_reads_nothing(f, 7, C);
    settle(&f->c);
    assert_signed(f, A, 3, 0);
    assert_signed(f, C, 3, 0);
    assert_one_record(f);
}

/* He writes while he hasn't heard: with a key that the group has, which goes when it is known. */
static void what_was_written_meanwhile_is_closed_too(void **state)
{
    struct fixture *f = *state;
    char statement[40];
    char other[40];
    f->c.cut[A][C] = f->c.cut[C][A] = f->c.cut[B][C] = f->c.cut[C][B] = true;
    oppose(f, A, statement);
    settle(&f->c);
    story_treatment(&f->c, C, f->patient, drug("Ramipril", "5 mg"), other);
    memset(f->c.cut, 0, sizeof(f->c.cut));
    settle(&f->c);
    story_dose(&f->c, B, f->patient, f->treatment, drug("metformine", "850 mg"));
    settle(&f->c);
    lock_and_unlock(&f->c, C);
    settle(&f->c);
    assert_reads_nothing(f, 7, C);
    assert_reads(f, A);
    assert_reads(f, B);
    assert_one_record(f);
}

/* The list tells the truth or that memory is short; what failed is done at a later turn. */
static void it_is_told_and_done_again_without_memory(void **state)
{
    struct fixture *f = *state;
    char statement[40];
    bool spared = false;
    cluster_stop(&f->c, C);
    oppose(f, A, statement);
    for (long nth = 1; !spared; nth++) {
        struct story_request r;
        story_ask(&r);
        story_put(&r, "patient", f->patient);
        f->c.fake.fail_alloc = nth;
        ml_err err = story_send(&r, &f->c, A, "consent.receipts");
        spared = f->c.fake.fail_alloc > 0;
        f->c.fake.fail_alloc = 0;
        assert_true(err == ML_OK || (err == ML_E_NOMEM && !spared));
        story_end(&r);
    }
    for (long nth = 1; nth < 60; nth++) { /* B hears of it */
        f->c.fake.fail_alloc = nth;
        cluster_run(&f->c, 100);
        f->c.fake.fail_alloc = 0;
    }
    settle(&f->c);
    cluster_start(&f->c, C);
    story_unlock(&f->c, C);
    settle(&f->c);
    settle(&f->c);
    assert_signed(f, A, 3, 0);
    assert_reads(f, A);
    assert_reads(f, B);
    assert_reads_nothing(f, 7, C);
    assert_one_record(f);
}

/* Nobody's disk but the one of whoever is away has the old wraps; a new one never gets them. */
static void who_comes_later_gets_leaves(void **state)
{
    struct fixture *f = *state;
    char statement[40];
    struct story_proof proof;
    oppose(f, A, statement);
    settle(&f->c);
    story_join(&f->c, A, 3, "Léa Petit", 60);
    story_synced(&f->c, 3);
    settle(&f->c);
    story_verify(&f->c, 3, &proof);
    assert_int_equal(proof.bodies_missing, 0);
    assert_signed(f, A, 4, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(who_is_left_out_reads_nothing_older),      T(who_is_taken_in_again_reads_all),
        T(one_more_who_is_left_out_loses_it_too),    T(one_who_was_away_obeys_on_his_return),
        T(what_was_written_meanwhile_is_closed_too), T(who_comes_later_gets_leaves),
        T(it_is_told_and_done_again_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
