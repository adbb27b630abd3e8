/* test_node_glass.c -- emergency access: said first, for a time, refused where it must be, reviewed
 * by somebody else; what it glass_opened is gone with it (rules A6, B23; SEC.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/model/keyring_group.h"
#include "core/model/keyring_pair.h"
#include "support_glass.h"

static int64_t traced(struct glass_story *f, unsigned n, const char *action, const char *result)
{
    struct story_request r;
    story_ask(&r);
    if (strcmp(action, "break glass") == 0 && f->of_patient) {
        story_put(&r, "patient", f->patient);
    }
    story_put(&r, "action", action);
    story_put(&r, "result", result);
    story_must(&r, story_send(&r, &f->c, n, "trace.search"), "trace.search");
    const int64_t count = (int64_t)ml_value_count(story_get(&r, "items"));
    story_end(&r);
    return count;
}

/* ---- opening ---- */

static void a_glass_shows_what_its_tier_holds(void **state)
{
    struct glass_story *f = *state;
    assert_int_equal(glass_shown(f, 0), 1);
    glass_opened(f, 0, &glass_summary);
    assert_int_equal(glass_shown(f, 0), 0); /* a treatment is no part of the glass_summary */
    glass_opened(f, 0, &glass_whole);       /* takes its place */
    assert_int_equal(glass_shown(f, 0), 1);
    assert_int_equal(glass_files(f, 0) > 0, 1);
    assert_int_equal(traced(f, 0, "break glass", "done"), 2);
}

static void a_reason_comes_first(void **state)
{
    struct glass_story *f = *state;
    static char much[600];
    memset(much, 'x', sizeof(much) - 1);
    const struct {
        struct glass_opening o;
        const char *text;
    } bad[] = {
        {{NULL, "", "", 1, 60}, "glass.reason"},
        {{NULL, "curiosity", "", 1, 60}, "glass.reason"},
        {{NULL, "other", "", 1, 60}, "glass.text"},
        {{NULL, "vital", "", 2, 60}, "glass.text"},
        {{NULL, "vital", "bof", 2, 60}, "glass.text"},
        {{NULL, "vital", much, 2, 60}, "glass.text"},
        {{NULL, "vital", "malaise", 0, 60}, "glass.tier"},
        {{NULL, "vital", "malaise", 4, 60}, "glass.tier"},
        {{NULL, "vital", "malaise", 1, 0}, "glass.minutes"},
        {{NULL, "vital", "malaise", 1, 481}, "glass.minutes"},
    };
    char text[48];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(glass_try(f, 0, &bad[i].o, text), ML_E_INVALID);
        assert_string_equal(text, bad[i].text);
    }
    assert_int_equal(traced(f, 0, "break glass", "done"), 0);
    const struct glass_opening longest = {NULL, "vital", "", 1, 480};
    glass_opened(f, 0, &longest);
}

static void who_may_not_is_refused_and_traced(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, 0, "right.adopt"), "right.adopt");
    story_end(&r);
    story_join(&f->c, 0, 1, "Zoé Lenoir", 331); /* a secretary */
    story_synced(&f->c, 1);
    assert_int_equal(glass_try(f, 1, &glass_summary, text), ML_E_DENIED);
    assert_string_equal(text, "glass.right");
    f->of_patient = true;
    assert_int_equal(traced(f, 1, "break glass", "refused"), 1);
    assert_int_equal(glass_files(f, 1), 0);
    const struct ml_keyring *k = ml_session_keyring(glass_org(f, 1));
    assert_null(
        ml_keyring_pair_secret(k, ML_PAIR_EMERGENCY, ml_keyring_pair(k, ML_PAIR_EMERGENCY)));
}

static void a_record_that_is_not_here_is_said_so(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    const struct glass_opening stranger = {"00112233445566778899aabbccddeeff", "vital", "", 1, 60};
    assert_int_equal(glass_try(f, 0, &stranger, text), ML_E_NOT_FOUND);
    assert_string_equal(text, "glass.not_here");
    assert_int_equal(traced(f, 0, "break glass", "done"), 0);
}

static void eight_glasses_are_open_at_most(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    char patient[40];
    struct glass_opening o = {patient, "vital", "", 1, 60};
    for (unsigned i = 0; i <= ML_GLASSES_MAX; i++) {
        story_patient(&f->c, 0, patient);
        assert_int_equal(glass_try(f, 0, &o, text), i < ML_GLASSES_MAX ? ML_OK : ML_E_LIMIT);
    }
    assert_string_equal(text, "glass.too_many");
}

/* ---- the end ---- */

static void at_its_time_a_glass_ends_by_itself(void **state)
{
    struct glass_story *f = *state;
    struct ml_object_id patient;
    assert_int_equal(ml_hex_decode(patient.b, 16, f->patient, 32), ML_OK);
    const struct glass_opening minute = {NULL, "vital", "", 1, 1};
    glass_opened(f, 0, &minute);
    assert_non_null(ml_glass_of(glass_org(f, 0), &patient));
    cluster_run(&f->c, 59000);
    assert_non_null(glass_org(f, 0)->session->glasses);
    cluster_run(&f->c, 2000);
    assert_null(glass_org(f, 0)->session->glasses);
    assert_int_equal(glass_files(f, 0), 0);
    assert_int_equal(glass_shown(f, 0), 1); /* his own vault again */
}

static void a_lock_ends_it(void **state)
{
    struct glass_story *f = *state;
    struct story_request r;
    glass_opened(f, 0, &glass_whole);
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, 0, "session.lock"), "session.lock");
    story_end(&r);
    assert_int_equal(glass_files(f, 0), 0);
}

static void what_a_crash_left_is_swept(void **state)
{
    struct glass_story *f = *state;
    glass_opened(f, 0, &glass_whole);
    cluster_copy_home(&f->c, 0, "killed");
    cluster_stop(&f->c, 0);
    cluster_restore_home(&f->c, 0, "killed");
    cluster_start(&f->c, 0);
    assert_true(glass_files(f, 0) > 0);
    story_unlock(&f->c, 0);
    assert_int_equal(glass_files(f, 0), 0);
}

static void a_glass_is_given_back(void **state)
{
    struct glass_story *f = *state;
    struct story_request r;
    glass_opened(f, 0, &glass_whole);
    for (unsigned i = 0; i < 2; i++) {
        story_ask(&r);
        story_put(&r, "patient", f->patient);
        const ml_err err = story_send(&r, &f->c, 0, "breakglass.close");
        assert_int_equal(err, i == 0 ? ML_OK : ML_E_NOT_FOUND);
        story_end(&r);
    }
    assert_int_equal(glass_files(f, 0), 0);
}

/* ---- keys ---- */

static void who_may_break_a_glass_is_handed_the_pair(void **state)
{
    struct glass_story *f = *state;
    story_join(&f->c, 0, 1, "Léa Morin", 60);
    story_synced(&f->c, 1);
    cluster_run(&f->c, 2000);
    story_synced(&f->c, 1);
    const struct ml_keyring *k = ml_session_keyring(glass_org(f, 1));
    const struct ml_box_pk *pair = ml_keyring_pair(k, ML_PAIR_EMERGENCY);
    assert_non_null(pair);
    assert_non_null(ml_keyring_pair_secret(k, ML_PAIR_EMERGENCY, pair));
}

static void weight(struct glass_story *f)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "entity", "observation");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "code", "29463-7");
    story_put(&r, "value", "71,5 kg");
    story_put(&r, "taken_at", "2026-03-02T09:10");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &f->c, 0, "record.add"), "record.add");
    story_end(&r);
}

/* The dentist's role reads no measures: his node holds them and has no key to them (row 10 of the
 * matrix). A glass gives him one, for its time. */
static void a_glass_opens_what_no_key_of_his_does(void **state)
{
    struct glass_story *f = *state;
    struct story_request r;
    const struct glass_opening minute = {NULL, "continuity", "malaise au fauteuil", 2, 1};
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, 0, "right.adopt"), "right.adopt");
    story_end(&r);
    story_join(&f->c, 0, 1, "Dr Paul Roche", 40);
    story_synced(&f->c, 1);
    weight(f);
    cluster_run(&f->c, 2000);
    story_synced(&f->c, 1);
    assert_int_equal(glass_shown(f, 0), 2);
    const int64_t before = glass_shown(f, 1);
    assert_true(before < 2);
    glass_opened(f, 1, &minute);
    assert_int_equal(glass_shown(f, 1), 2);
    cluster_run(&f->c, 61000);
    assert_int_equal(glass_shown(f, 1), before);
}

static void what_the_patient_excluded_stays_shut(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    unsigned bits = 1u << ML_COMPARTMENT_VITAL;
    glass_org(f, 0)->session->exclusions = (struct ml_exclusions){&bits, glass_excluded};
    assert_int_equal(glass_try(f, 0, &glass_summary, text), ML_E_DENIED);
    assert_string_equal(text, "glass.excluded");
    f->of_patient = true;
    assert_int_equal(traced(f, 0, "break glass", "refused"), 1);
    assert_int_equal(traced(f, 0, "break glass", "done"), 0);
    bits = 1u << ML_COMPARTMENT_MEDICAL;
    glass_opened(f, 0, &glass_whole); /* the rest of it */
    assert_int_equal(glass_shown(f, 0), 0);
    bits = 0;
    glass_opened(f, 0, &glass_whole);
    assert_int_equal(glass_shown(f, 0), 1);
}

/* What the patient says, against the member himself. */
static void opposes(struct glass_story *f, unsigned n, const char *key, const char *value)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    if (key != NULL) {
        story_put(&r, key, value);
    }
    ml_args_key(r.args, "myself");
    ml_args_bool(r.args, true);
    story_must(&r, story_send(&r, &f->c, n, "consent.oppose"), "consent.oppose");
    story_end(&r);
}

/* Domain 4.5: an emergency doesn't open what the patient masked. */
static void what_is_masked_stays_masked_in_a_glass(void **state)
{
    struct glass_story *f = *state;
    opposes(f, 0, "object", f->treatment);
    assert_int_equal(glass_shown(f, 0), 0);
    glass_opened(f, 0, &glass_whole);
    assert_int_equal(glass_shown(f, 0), 0);
}

static void an_emergency_sets_an_opposition_aside(void **state)
{
    struct glass_story *f = *state;
    opposes(f, 0, NULL, NULL);
    assert_int_equal(glass_shown(f, 0), 0);
    glass_opened(f, 0, &glass_whole);
    assert_int_equal(glass_shown(f, 0), 1);
    assert_int_equal(glass_shown(f, 0), 1); /* and again: nothing was decided since */
}

/* He masks it while the glass is open: it goes at once. */
static void what_is_decided_while_it_is_open_holds_at_once(void **state)
{
    struct glass_story *f = *state;
    glass_opened(f, 0, &glass_whole);
    assert_int_equal(glass_shown(f, 0), 1);
    opposes(f, 0, "object", f->treatment);
    assert_int_equal(glass_shown(f, 0), 0);
    assert_non_null(glass_org(f, 0)->session->glasses); /* it is the glass that says so */
}

/* Whoever is revoked has the secret: what is sealed from now on is not for it. */
static void a_revoked_holder_costs_a_new_pair(void **state)
{
    struct glass_story *f = *state;
    struct story_request r;
    char member[ML_ID_HEX_SIZE];
    story_join(&f->c, 0, 1, "Léa Morin", 60);
    story_synced(&f->c, 1);
    cluster_run(&f->c, 2000);
    const struct ml_keyring *k = ml_session_keyring(glass_org(f, 0));
    const struct ml_box_pk before = *ml_keyring_pair(k, ML_PAIR_EMERGENCY);
    struct ml_box_pk theirs;
    ml_box_pk_of(&theirs, glass_org(f, 1)->session->secrets.mon_box);
    assert_true(ml_keyring_pair_has(k, &before, &theirs));
    ml_hex_encode(member, glass_org(f, 1)->session->member.b, 16);
    story_ask(&r);
    story_put(&r, "member", member);
    story_must(&r, story_send(&r, &f->c, 0, "member.revoke"), "member.revoke");
    story_end(&r);
    cluster_run(&f->c, 2000);
    const struct ml_box_pk *now = ml_keyring_pair(k, ML_PAIR_EMERGENCY);
    assert_memory_not_equal(now, &before, sizeof(before));
    assert_non_null(ml_keyring_pair_secret(k, ML_PAIR_EMERGENCY, now));
    assert_false(ml_keyring_pair_has(k, now, &theirs));
    /* Renewed first: the epochs of the same call are sealed to it, and go on. */
    const struct ml_fact *team = ml_gov_next(ml_log_gov(glass_org(f, 0)->log), ML_FACT_TEAM, NULL);
    assert_int_equal(ml_keyring_group_state(k, &team->team, ML_COMPARTMENT_MEDICAL),
                     ML_GROUP_SEALS);
}

/* ---- review ---- */

static int64_t waiting(struct glass_story *f, unsigned n, bool *all)
{
    struct story_request r;
    story_ask(&r);
    ml_args_key(r.args, "waiting");
    ml_args_bool(r.args, true);
    story_must(&r, story_send(&r, &f->c, n, "breakglass.list"), "breakglass.list");
    const int64_t total = ml_value_int(story_get(&r, "total"), -1);
    *all = ml_value_bool(story_get(&r, "all"), false);
    story_end(&r);
    return total;
}

static ml_err review(struct glass_story *f, unsigned n, const char *glass, const char *outcome)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "glass", glass);
    story_put(&r, "outcome", outcome);
    story_put(&r, "text", "vu en équipe");
    const ml_err err = story_send(&r, &f->c, n, "breakglass.review");
    story_end(&r);
    return err;
}

static void what_was_opened_offline_is_reviewed_by_another(void **state)
{
    struct glass_story *f = *state;
    bool all = false;
    char glass[40];
    story_join(&f->c, 0, 1, "Léa Morin", 60);
    story_synced(&f->c, 1);
    cluster_run(&f->c, 2000);
    story_synced(&f->c, 1);
    story_pause(&f->c, 1, true);
    glass_opened(f, 1, &glass_whole); /* nobody is asked */
    snprintf(glass, sizeof(glass), "%s", f->glass);
    assert_int_equal(waiting(f, 1, &all), 1);
    assert_false(all);
    assert_int_equal(waiting(f, 0, &all), 0);
    assert_true(all);
    assert_int_equal(review(f, 0, glass, "justified"), ML_E_NOT_FOUND);
    story_pause(&f->c, 1, false); /* by itself: it starts an exchange */
    cluster_run(&f->c, 5000);
    assert_int_equal(waiting(f, 0, &all), 1);
    assert_int_equal(review(f, 1, glass, "justified"), ML_E_DENIED); /* his own */
    assert_int_equal(review(f, 0, glass, "perfect"), ML_E_INVALID);
    assert_int_equal(review(f, 0, glass, "justified"), ML_OK);
    assert_int_equal(waiting(f, 0, &all), 0);
    cluster_run(&f->c, 5000);
    assert_int_equal(waiting(f, 1, &all), 0);
    assert_int_equal(traced(f, 0, "review", "done"), 1);
}

/* ---- telling the patient ---- */

/* Of the fixture's patient: how many openings he doesn't know of; how the first was told. */
static int64_t untold(struct glass_story *f, unsigned n, char how[16])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_must(&r, story_send(&r, &f->c, n, "breakglass.list"), "breakglass.list");
    const struct ml_value *i = ml_value_at(story_get(&r, "items"), 0);
    snprintf(how, 16, "%s", ml_value_text(ml_value_get(i, "how"), ""));
    story_end(&r);
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    ml_args_key(r.args, "untold");
    ml_args_bool(r.args, true);
    story_must(&r, story_send(&r, &f->c, n, "breakglass.list"), "breakglass.list");
    const int64_t total = ml_value_int(story_get(&r, "total"), -1);
    story_end(&r);
    return total;
}

static ml_err tell(struct glass_story *f, unsigned n, const char *glass, const char *how)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "glass", glass);
    story_put(&r, "how", how);
    const ml_err err = story_send(&r, &f->c, n, "breakglass.told");
    story_end(&r);
    return err;
}

/* Domain 4.5: always, of the glass_summary too; whoever has him before him knows that he is to be
 * told.
 */
static void the_patient_is_told_once_and_everybody_knows(void **state)
{
    struct glass_story *f = *state;
    char how[16];
    story_join(&f->c, 0, 1, "Zoé Lenoir", 331); /* a secretary has him before her */
    story_synced(&f->c, 1);
    assert_int_equal(untold(f, 0, how), 0);
    glass_opened(f, 0, &glass_summary);
    cluster_run(&f->c, 5000);
    assert_int_equal(untold(f, 1, how), 1);
    assert_string_equal(how, "");
    assert_int_equal(tell(f, 1, f->glass, "smoke"), ML_E_INVALID);
    assert_int_equal(tell(f, 1, f->patient, "letter"), ML_E_NOT_FOUND);
    assert_int_equal(untold(f, 1, how), 1);
    assert_int_equal(tell(f, 1, f->glass, "letter"), ML_OK);
    cluster_run(&f->c, 5000);
    assert_int_equal(untold(f, 0, how), 0);
    assert_string_equal(how, "letter");
    assert_int_equal(traced(f, 1, "consent", "done"), 1);
}

static void at_any_failed_allocation_he_is_told_or_not(void **state)
{
    struct glass_story *f = *state;
    char how[16];
    bool spared = false;
    long n = 0;
    glass_opened(f, 0, &glass_summary);
    while (!spared) {
        f->c.fake.fail_alloc = ++n;
        const ml_err err = tell(f, 0, f->glass, "oral");
        spared = fake_spared(&f->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(!spared || err == ML_OK);
        assert_true(spared || n < 5000);
    }
    assert_true(n > 20);
    assert_int_equal(untold(f, 0, how), 0);
}

/* The coordinator's own too: an entry of his that says so counts for nobody. */
static void nobody_reviews_his_own(void **state)
{
    struct glass_story *f = *state;
    bool all = false;
    glass_opened(f, 0, &glass_summary);
    assert_int_equal(review(f, 0, f->glass, "justified"), ML_E_DENIED);
    assert_int_equal(waiting(f, 0, &all), 1);
    assert_int_equal(traced(f, 0, "break glass", "refused"), 1);
}

/* ---- faults ---- */

static void at_any_failed_allocation_it_is_said_before_it_opens(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    bool spared = false;
    long n = 0;
    while (!spared) {
        f->c.fake.fail_alloc = ++n;
        const ml_err err = glass_try(f, 0, &glass_whole, text);
        spared = fake_spared(&f->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        if (glass_org(f, 0)->session->glasses != NULL) {
            assert_true(traced(f, 0, "break glass", "done") > 0);
            ml_glass_end_all(glass_org(f, 0), glass_org(f, 0)->session);
        }
        assert_int_equal(glass_files(f, 0), 0);
        assert_true(spared || n < 5000);
    }
    assert_true(n > 50);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, glass_setup, glass_teardown)
    const struct CMUnitTest tests[] = {
        T(a_glass_shows_what_its_tier_holds),
        T(a_reason_comes_first),
        T(who_may_not_is_refused_and_traced),
        T(a_record_that_is_not_here_is_said_so),
        T(eight_glasses_are_open_at_most),
        T(at_its_time_a_glass_ends_by_itself),
        T(a_lock_ends_it),
        T(what_a_crash_left_is_swept),
        T(a_glass_is_given_back),
        T(who_may_break_a_glass_is_handed_the_pair),
        T(a_glass_opens_what_no_key_of_his_does),
        T(what_the_patient_excluded_stays_shut),
        T(what_is_masked_stays_masked_in_a_glass),
        T(an_emergency_sets_an_opposition_aside),
        T(what_is_decided_while_it_is_open_holds_at_once),
        T(the_patient_is_told_once_and_everybody_knows),
        T(at_any_failed_allocation_he_is_told_or_not),
        T(a_revoked_holder_costs_a_new_pair),
        T(what_was_opened_offline_is_reviewed_by_another),
        T(nobody_reviews_his_own),
        T(at_any_failed_allocation_it_is_said_before_it_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
