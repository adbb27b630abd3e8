/* test_node_second.c -- the third tier of emergency access: sensitive data take another member, on
 * a device of his (rules A6, ADR 0021). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "support_glass.h"

static const struct glass_opening sensitive = {NULL, "vital", "tentative de suicide", 3, 5};

static void note_sensitive(struct glass_story *f, const char *text)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "entity", "sensitive_note");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "text", text);
    story_put(&r, "written_at", "2026-03-02T09:10");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, &f->c, 0, "record.add"), "record.add");
    story_end(&r);
}

/* A doctor who keeps a sensitive note, and a dentist whose role reads none (row 6). */
static void with_dentist(struct glass_story *f)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, 0, "right.adopt"), "right.adopt");
    story_end(&r);
    story_join(&f->c, 0, 1, "Dr Paul Roche", 40);
    story_synced(&f->c, 1);
    note_sensitive(f, "addiction aux opiacés");
    cluster_run(&f->c, 5000);
    story_synced(&f->c, 1);
}

static ml_err confirm(struct glass_story *f, unsigned n, const char *glass, char text[48])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "glass", glass);
    const ml_err err = story_send(&r, &f->c, n, "breakglass.confirm");
    snprintf(text, 48, "%s", ml_value_text(story_get(&r, "text"), ""));
    story_end(&r);
    return err;
}

static void sensitive_data_take_another_member(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    char glass[40];
    with_dentist(f);
    assert_int_equal(glass_shown(f, 0), 2);
    const int64_t before = glass_shown(f, 1);
    glass_opened(f, 1, &glass_whole); /* tier 2 shows nothing sensitive */
    assert_int_equal(glass_shown(f, 1), 1);
    glass_opened(f, 1, &sensitive);
    assert_true(f->asked);
    snprintf(glass, sizeof(glass), "%s", f->glass);
    assert_int_equal(glass_shown(f, 1), 1);
    glass_opened(f, 1, &sensitive); /* the same request */
    assert_true(f->asked);
    assert_string_equal(f->glass, glass);
    assert_int_equal(confirm(f, 1, glass, text), ML_E_DENIED);
    assert_string_equal(text, "glass.own_second");
    cluster_run(&f->c, 5000);
    assert_int_equal(confirm(f, 0, glass, text), ML_OK);
    cluster_run(&f->c, 5000);
    glass_opened(f, 1, &sensitive);
    assert_false(f->asked);
    assert_string_equal(f->glass, glass);
    assert_int_equal(glass_shown(f, 1), 2);
    cluster_run(&f->c, 301000);
    assert_int_equal(glass_shown(f, 1), before);
    assert_int_equal(glass_files(f, 1), 0);
    cluster_run(&f->c, 5000);
    assert_int_equal(confirm(f, 0, glass, text), ML_E_DENIED); /* once */
    assert_string_equal(text, "glass.lapsed");
    glass_opened(f, 1, &sensitive);
    assert_true(f->asked); /* what was answered is worth nothing now */
    assert_string_not_equal(f->glass, glass);
}

/* The secret that answers are sealed to lives in the session, and nowhere else. */
static void a_lock_makes_answers_worthless(void **state)
{
    struct glass_story *f = *state;
    struct story_request r;
    char text[48];
    with_dentist(f);
    glass_opened(f, 1, &sensitive);
    cluster_run(&f->c, 5000);
    assert_int_equal(confirm(f, 0, f->glass, text), ML_OK);
    cluster_run(&f->c, 5000);
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, 1, "session.lock"), "session.lock");
    story_end(&r);
    story_unlock(&f->c, 1);
    glass_opened(f, 1, &sensitive);
    assert_true(f->asked);
}

static void a_request_lapses_by_itself(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    char glass[40];
    with_dentist(f);
    glass_opened(f, 1, &sensitive);
    snprintf(glass, sizeof(glass), "%s", f->glass);
    for (unsigned minutes = 0; minutes <= ML_GLASS_ASK_MINUTES; minutes += 5) {
        cluster_run(&f->c, 301000); /* nobody is idle for ten minutes */
        (void)glass_shown(f, 0);
        (void)glass_shown(f, 1);
    }
    assert_int_equal(confirm(f, 0, glass, text), ML_E_DENIED);
    assert_string_equal(text, "glass.lapsed");
    glass_opened(f, 1, &sensitive);
    assert_true(f->asked);
    assert_string_not_equal(f->glass, glass);
}

static void who_may_not_break_a_glass_confirms_none(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    with_dentist(f);
    story_join(&f->c, 0, 2, "Zoé Lenoir", 331); /* a secretary */
    story_synced(&f->c, 2);
    glass_opened(f, 1, &sensitive);
    cluster_run(&f->c, 5000);
    assert_int_equal(confirm(f, 2, f->glass, text), ML_E_DENIED);
    assert_string_equal(text, "glass.right");
    assert_int_equal(confirm(f, 0, f->patient, text), ML_E_NOT_FOUND);
    assert_string_equal(text, "glass.unknown");
}

static void nobody_else_is_said_so(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    assert_int_equal(glass_try(f, 0, &sensitive, text), ML_E_DENIED);
    assert_string_equal(text, "glass.alone");
}

static void excluded_sensitive_data_are_not_confirmed(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    unsigned bits = 1u << ML_COMPARTMENT_SENSITIVE;
    with_dentist(f);
    glass_opened(f, 1, &sensitive);
    cluster_run(&f->c, 5000);
    glass_org(f, 0)->session->exclusions = (struct ml_exclusions){&bits, glass_excluded};
    assert_int_equal(confirm(f, 0, f->glass, text), ML_E_DENIED);
    assert_string_equal(text, "glass.excluded");
    glass_org(f, 1)->session->exclusions = (struct ml_exclusions){&bits, glass_excluded};
    assert_int_equal(glass_try(f, 1, &sensitive, text), ML_E_DENIED);
    assert_string_equal(text, "glass.excluded");
}

static ml_err share_count(void *user, const struct ml_key_id *dek, const uint8_t *share)
{
    (void)dek;
    (void)share;
    ++*(unsigned *)user;
    return ML_OK;
}

static unsigned own_shares(struct glass_story *f, unsigned n)
{
    struct ml_object_id patient;
    unsigned count = 0;
    (void)glass_shown(f, n); /* it catches up */
    assert_int_equal(ml_hex_decode(patient.b, 16, f->patient, 32), ML_OK);
    assert_int_equal(
        ml_vault_each_share(glass_org(f, n)->session->vault, &patient, share_count, &count), ML_OK);
    return count;
}

/* Rules A5: he shuts emergencies out; the shares that are everywhere are destroyed. */
static void an_exclusion_destroys_the_shares(void **state)
{
    struct glass_story *f = *state;
    struct story_request r;
    with_dentist(f);
    assert_int_equal(own_shares(f, 0), 1);
    assert_int_equal(own_shares(f, 1), 1);
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    ml_args_key(r.args, "emergency");
    ml_args_bool(r.args, true);
    story_must(&r, story_send(&r, &f->c, 0, "consent.oppose"), "consent.oppose");
    story_end(&r);
    cluster_run(&f->c, 120000);
    story_synced(&f->c, 1);
    assert_int_equal(own_shares(f, 0), 0);
    assert_int_equal(own_shares(f, 1), 0);
    note_sensitive(f, "suite"); /* nor does the next key have any */
    cluster_run(&f->c, 5000);
    assert_int_equal(own_shares(f, 1), 0);
}

/* Whoever comes when the note is there gets his share from a node that keeps keys in step. */
static void who_came_since_has_his_share(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    with_dentist(f);
    story_join(&f->c, 0, 2, "Dr Nadia Belkacem", 40);
    story_synced(&f->c, 2);
    cluster_run(&f->c, 120000);
    story_synced(&f->c, 2);
    glass_opened(f, 1, &sensitive);
    cluster_run(&f->c, 5000);
    assert_int_equal(confirm(f, 2, f->glass, text), ML_OK); /* she reads none either */
    cluster_run(&f->c, 5000);
    glass_opened(f, 1, &sensitive);
    assert_false(f->asked);
    assert_int_equal(glass_shown(f, 1), 2);
}

static void at_any_failed_allocation_a_request_is_whole_or_none(void **state)
{
    struct glass_story *f = *state;
    char text[48];
    bool spared = false;
    long n = 0;
    with_dentist(f);
    while (!spared) {
        f->c.fake.fail_alloc = ++n;
        const ml_err err = glass_try(f, 1, &sensitive, text);
        spared = fake_spared(&f->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(err == ML_OK || glass_org(f, 1)->session->asks == NULL);
        if (!spared) {
            ml_glass_asks_drop(glass_org(f, 1), glass_org(f, 1)->session);
        }
        assert_true(spared || n < 5000);
    }
    cluster_run(&f->c, 5000);
    spared = false;
    for (n = 0; !spared;) {
        f->c.fake.fail_alloc = ++n;
        const ml_err err = confirm(f, 0, f->glass, text);
        spared = fake_spared(&f->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(spared || n < 5000);
    }
    cluster_run(&f->c, 5000);
    spared = false;
    for (n = 0; !spared;) {
        f->c.fake.fail_alloc = ++n;
        const ml_err err = glass_try(f, 1, &sensitive, text);
        spared = fake_spared(&f->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(err == ML_OK || glass_org(f, 1)->session->asks != NULL);
        assert_int_equal(glass_files(f, 1) > 0, err == ML_OK);
        assert_true(err == ML_OK || n < 5000);
        if (err == ML_OK) {
            break;
        }
    }
    assert_int_equal(glass_shown(f, 1), 2);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, glass_setup, glass_teardown)
    const struct CMUnitTest tests[] = {
        T(sensitive_data_take_another_member),
        T(a_lock_makes_answers_worthless),
        T(a_request_lapses_by_itself),
        T(who_may_not_break_a_glass_confirms_none),
        T(nobody_else_is_said_so),
        T(excluded_sensitive_data_are_not_confirmed),
        T(an_exclusion_destroys_the_shares),
        T(who_came_since_has_his_share),
        T(at_any_failed_allocation_a_request_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
