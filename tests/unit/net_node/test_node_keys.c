/* test_node_keys.c -- who can read what is written, with all that every disk holds: on whole nodes.
 *
 * The bytes of one node's log are given to the keyring of another's unlocked member, as a thief
 * could who has his keystore; what opens is counted, op by op.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/model/seal.h"
#include "core/record/vault.h"
#include "maille/value.h"
#include "net/node/exclude.h"
#include "net/node/session.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"
#include "support_tally.h"

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 47);
    story_found(&c, 0);
    story_join(&c, 0, 1, "Inès Leroy", 60);
    story_synced(&c, 1);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

static uint64_t last(struct cluster *c, unsigned n)
{
    return ml_log_last(cluster_org(c, n)->log);
}

/* ---- what opens ---- */

/* Of the records that node `from` has after `after`, by the keys of who is unlocked on `by`. */
static struct tally tally(struct cluster *c, unsigned from, unsigned by, uint64_t after)
{
    tally_give_keys(c, from, by);
    return tally_records(c, from, by, after);
}

static void assert_opens(struct tally t)
{
    assert_true(t.opened > 0);
    assert_int_equal(t.closed, 0);
}

static void assert_closed(struct tally t)
{
    assert_true(t.closed > 0);
    assert_int_equal(t.opened, 0);
}

/* ---- what people do ---- */

static void revoke(struct cluster *c, const char *name)
{
    char member[40];
    struct story_request r;
    story_member_of(c, 0, name, member);
    story_ask(&r);
    story_put(&r, "member", member);
    story_must(&r, story_send(&r, c, 0, "member.revoke"), "member.revoke");
    story_end(&r);
}

static void adopt_matrix(struct cluster *c)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "right.adopt"), "right.adopt");
    story_end(&r);
}

/* ---- rules ---- */

/* Rules A3. The stolen machine has its keystore, its vault and all bytes of the log. */
static void what_is_written_after_a_revocation_is_closed_to_who_was_revoked(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    story_join(c, 0, 2, "Paul Petit", 70);
    story_patient(c, 0, patient);
    story_synced(c, 1);
    story_treatment(c, 1, patient, drug("Ramipril", "5 mg"), treatment);
    story_synced(c, 2);
    story_synced(c, 1);
    cluster_cut(c, 0, 2,
                true); /* he hears of it before he writes, but is given no keys by anybody */
    revoke(c, "Inès Leroy");
    uint64_t then = last(c, 0);
    assert_opens(tally(c, 0, 1, 0));
    story_treatment(c, 0, patient, drug("Morphine", "10 mg"), treatment);
    assert_closed(tally(c, 0, 1, then));
    then = last(c, 0);
    cluster_cut(c, 0, 2, false);
    cluster_run(c, 400000);
    story_treatment(c, 2, patient, drug("Kétamine", "20 mg"), treatment);
    cluster_run(c, 10000);
    assert_closed(tally(c, 0, 1, then));
    assert_opens(tally(c, 0, 2, 0)); /* all of it */
    assert_opens(tally(c, 0, 0, 0));
}

/* She holds a slot of each epoch that was made while she was away. */
static void who_was_away_for_three_epochs_opens_them_all(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct story_proof here;
    struct story_proof there;
    story_join(c, 0, 2, "Paul Petit", 70);
    story_join(c, 0, 3, "Eve Roy", 70);
    story_patient(c, 0, patient);
    story_synced(c, 1);
    story_synced(c, 2);
    story_synced(c, 3);
    cluster_cut(c, 0, 1, true);
    revoke(c, "Paul Petit");
    story_treatment(c, 0, patient, drug("Ramipril", "5 mg"), treatment);
    revoke(c, "Eve Roy");
    story_dose(c, 0, patient, treatment, drug("Ramipril", "10 mg"));
    adopt_matrix(c);
    story_dose(c, 0, patient, treatment, drug("Ramipril", "2 mg"));
    cluster_cut(c, 0, 1, false);
    cluster_run(c, 400000);
    story_synced(c, 1);
    assert_opens(tally(c, 0, 1, 0));
    story_verify(c, 0, &here);
    story_verify(c, 1, &there);
    assert_string_equal(here.view_hash, there.view_hash);
    assert_closed(tally(c, 0, 2, last(c, 0) - 8));
}

/* Habilitation on reading, by keys at the borders of compartments: whoever coordinates opens who is
 * there, and no chart, with all bytes of every disk. */
static void who_may_not_read_has_no_key(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    adopt_matrix(c);
    story_patient(c, 0, patient);
    const uint64_t then = last(c, 0);
    story_treatment(c, 0, patient, drug("Ramipril", "5 mg"), treatment);
    story_join(c, 0, 2, "Léa Blanc", 330);
    story_synced(c, 2);
    story_synced(c, 1);
    assert_opens(tally(c, 0, 1, 0));
    assert_closed(tally(c, 0, 2, then));
    assert_int_equal(story_find(c, 2, "martin"), 1);
}

/* The nth allocation of the call fails; 0: none. */
struct giving {
    const char *name;
    unsigned by;
    long nth;
};

static ml_err give_history(struct cluster *c, const struct giving *g, char text[64])
{
    char member[40];
    struct story_request r;
    story_member_of(c, 0, g->name, member);
    story_ask(&r);
    story_put(&r, "member", member);
    c->fake.fail_alloc = g->nth;
    ml_err err = story_send(&r, c, g->by, "member.history");
    c->fake.fail_alloc = 0;
    snprintf(text, 64, "%s", err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

/* Rules A4: two newcomers. One is given what was before, the other isn't; both read on. */
static void history_is_one_grant_away(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char text[64];
    story_patient(c, 0, patient);
    story_treatment(c, 0, patient, drug("Ramipril", "5 mg"), treatment);
    story_synced(c, 1);
    revoke(c, "Inès Leroy"); /* an epoch ends */
    story_join(c, 0, 2, "Paul Petit", 70);
    story_join(c, 0, 3, "Eve Roy", 70);
    cluster_run(c, 400000);
    assert_closed(tally(c, 0, 2, 0));
    assert_closed(tally(c, 0, 3, 0));
    struct giving giving = {.name = "Eve Roy", .by = 2};
    assert_int_equal(give_history(c, &giving, text), ML_E_DENIED);
    assert_string_equal(text, "rank.referent");
    ml_err err = ML_E_NOMEM;
    for (giving = (struct giving){"Paul Petit", 0, 1}; err == ML_E_NOMEM; giving.nth += 5) {
        err = give_history(c, &giving, text);
    }
    assert_int_equal(err, ML_OK);
    cluster_run(c, 10000);
    assert_opens(tally(c, 0, 2, 0));
    assert_closed(tally(c, 0, 3, 0));
    const uint64_t then = last(c, 0);
    story_dose(c, 0, patient, treatment, drug("Ramipril", "10 mg"));
    cluster_run(c, 10000);
    assert_opens(tally(c, 0, 2, 0));
    assert_opens(tally(c, 0, 3, then)); /* she knows of the patient from here on */
    assert_true(tally(c, 0, 3, 0).closed > 0);
}

/* ---- deposits ---- */

struct filing {
    const char *patient;
    const char *path;
    long nth; /* allocation that fails; 0: none */
};

static ml_err file_letter(struct cluster *c, unsigned n, const struct filing *filing,
                          char object[40])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", "document");
    story_put(&r, "patient", filing->patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "title", "Courrier de neurologie");
    story_put(&r, "written_at", "2026-03-02");
    ml_args_end(r.args);
    ml_args_key(r.args, "files");
    ml_args_list(r.args);
    ml_args_map(r.args);
    story_put(&r, "path", filing->path);
    story_put(&r, "media_type", "text/plain");
    ml_args_end(r.args);
    ml_args_end(r.args);
    c->fake.fail_alloc = filing->nth;
    ml_err err = story_send(&r, c, n, "record.add");
    c->fake.fail_alloc = 0;
    if (err == ML_OK) {
        snprintf(object, 40, "%s", ml_value_text(story_get(&r, "object"), ""));
    }
    story_end(&r);
    return err;
}

static void object_id(struct ml_object_id *out, const char *hex)
{
    for (size_t i = 0; i < sizeof(out->b); i++) {
        const char byte[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out->b[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

/* Rules A7: a secretary files a letter with what came in the envelope, and reads neither. */
static void a_letter_is_filed_unread(void **state)
{
    struct cluster *c = *state;
    char hex[40];
    char object[40] = "";
    char path[192];
    struct ml_object_id patient;
    struct ml_object_id letter;
    struct ml_vault_counts counts;
    uint16_t entity = 0;
    snprintf(path, sizeof(path), "%s/letter.txt", c->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("Compte rendu de neurologie", file) >= 0);
    assert_int_equal(fclose(file), 0);
    adopt_matrix(c);
    story_patient(c, 0, hex);
    story_join(c, 0, 2, "Léa Blanc", 331);
    story_synced(c, 2);
    const uint64_t then = last(c, 2);
    struct filing filing = {.patient = hex, .path = path, .nth = 1};
    ml_err err = ML_E_NOMEM;
    for (; err == ML_E_NOMEM; filing.nth += 7) {
        err = file_letter(c, 2, &filing, object);
    }
    assert_int_equal(err, ML_OK);
    assert_closed(tally(c, 2, 2, then));
    object_id(&patient, hex);
    object_id(&letter, object);
    assert_int_equal(ml_vault_has(cluster_org(c, 2)->session->vault, &patient, &letter, &entity),
                     ML_E_NOT_FOUND);
    cluster_run(c, 20000);
    story_synced(c, 0);
    assert_int_equal(ml_vault_has(cluster_org(c, 0)->session->vault, &patient, &letter, &entity),
                     ML_OK);
    assert_int_equal(ml_vault_counts(cluster_org(c, 0)->session->vault, &counts), ML_OK);
    assert_int_equal(counts.ops_greyed, 0);
    assert_int_equal(tally(c, 2, 0, then).closed, 0);
}

/* ---- who is left out ---- */

/* In the place of consent: one member, of one class of one patient's data. */
struct left_out {
    struct ml_member_id member;
    ml_compartment compartment;
    bool any;
};

static ml_err ask_left_out(void *ctx, struct ml_exclusion *out, const struct ml_object_id *patient,
                           ml_compartment compartment, const struct ml_member_id *member)
{
    const struct left_out *x = ctx;
    (void)patient;
    *out = (struct ml_exclusion){.any = x->any && compartment == x->compartment};
    out->member = out->any && memcmp(member, &x->member, sizeof(*member)) == 0;
    return ML_OK;
}

static void decide(struct cluster *c, struct left_out *x, bool any)
{
    x->any = any;
    for (unsigned n = 0; n < 3; n++) {
        cluster_org(c, n)->session->exclusions = (struct ml_exclusions){x, ask_left_out};
    }
}

/* Rules A5: the nurse is left out of one patient's medical data, and taken in again. */
static void who_is_left_out_opens_nothing_new(void **state)
{
    struct cluster *c = *state;
    struct left_out x = {.compartment = ML_COMPARTMENT_MEDICAL};
    struct ml_object_id patient;
    char hex[40];
    char treatment[40];
    story_join(c, 0, 2, "Paul Petit", 70);
    story_patient(c, 0, hex);
    story_treatment(c, 0, hex, drug("Ramipril", "5 mg"), treatment);
    story_synced(c, 1);
    story_synced(c, 2);
    object_id(&patient, hex);
    x.member = cluster_org(c, 1)->session->member;
    decide(c, &x, true);
    assert_int_equal(ml_exclude_apply(cluster_org(c, 0), &patient, 1u << ML_COMPARTMENT_MEDICAL),
                     ML_OK);
    uint64_t then = last(c, 0);
    assert_int_equal(ml_exclude_apply(cluster_org(c, 0), &patient, 1u << ML_COMPARTMENT_MEDICAL),
                     ML_OK);
    assert_int_equal(last(c, 0), then); /* in step already */
    story_dose(c, 0, hex, treatment, drug("Morphine", "10 mg"));
    story_synced(c, 2);
    story_dose(c, 2, hex, treatment, drug("Morphine", "20 mg"));
    cluster_run(c, 10000);
    assert_closed(tally(c, 0, 1, then));
    assert_opens(tally(c, 0, 2, 0));
    assert_opens(tally(c, 0, 0, 0));
    decide(c, &x, false);
    assert_int_equal(ml_exclude_apply(cluster_org(c, 2), &patient, 1u << ML_COMPARTMENT_MEDICAL),
                     ML_OK);
    story_synced(c, 2);
    assert_opens(tally(c, 0, 1, 0));
    story_synced(c, 1);
    story_dose(c, 1, hex, treatment, drug("Ramipril", "2 mg"));
}

static void leaving_out_is_done_or_done_again(void **state)
{
    struct cluster *c = *state;
    struct left_out x = {.compartment = ML_COMPARTMENT_MEDICAL, .any = true};
    struct ml_object_id patient;
    char hex[40];
    char treatment[40];
    story_patient(c, 0, hex);
    story_treatment(c, 0, hex, drug("Ramipril", "5 mg"), treatment);
    story_synced(c, 1);
    object_id(&patient, hex);
    x.member = cluster_org(c, 1)->session->member;
    cluster_org(c, 0)->session->exclusions = (struct ml_exclusions){&x, ask_left_out};
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    for (; err == ML_E_NOMEM; nth++) {
        c->fake.fail_alloc = nth + 1;
        err = ml_exclude_apply(cluster_org(c, 0), &patient, 1u << ML_COMPARTMENT_MEDICAL);
        c->fake.fail_alloc = 0;
    }
    assert_int_equal(err, ML_OK);
    assert_true(nth > 10);
    const uint64_t then = last(c, 0);
    story_dose(c, 0, hex, treatment, drug("Morphine", "10 mg"));
    assert_closed(tally(c, 0, 1, then));
    assert_opens(tally(c, 0, 0, 0));
}

/* With each allocation failing in turn, until it is done: whole, and no group left behind. */
static void a_revocation_renews_all_keys_or_later(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    char member[40];
    story_patient(c, 0, patient);
    story_synced(c, 1);
    story_member_of(c, 0, "Inès Leroy", member);
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    for (; err == ML_E_NOMEM; nth += 3) {
        struct story_request r;
        story_ask(&r);
        story_put(&r, "member", member);
        c->fake.fail_alloc = nth + 1;
        err = story_send(&r, c, 0, "member.revoke");
        c->fake.fail_alloc = 0;
        story_end(&r);
    }
    assert_int_equal(err, ML_OK);
    const uint64_t then = last(c, 0);
    story_treatment(c, 0, patient, drug("Ramipril", "5 mg"), treatment);
    assert_closed(tally(c, 0, 1, then));
    assert_opens(tally(c, 0, 0, 0));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_after_a_revocation_is_closed_to_who_was_revoked),
        TEST(who_was_away_for_three_epochs_opens_them_all),
        TEST(who_may_not_read_has_no_key),
        TEST(history_is_one_grant_away),
        TEST(a_letter_is_filed_unread),
        TEST(who_is_left_out_opens_nothing_new),
        TEST(leaving_out_is_done_or_done_again),
        TEST(a_revocation_renews_all_keys_or_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
