/* tests/unit/core_record/test_veil.c -- what a patient keeps from a vault's member is in no table
 * and in no byte of its file, whatever came first; and comes back when that is lifted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/consents.h"
#include "support_vault.h"

static const char secret_word[] = "lymphome";

static int setup(void **state)
{
    struct place *p = malloc(sizeof(*p));
    assert_non_null(p);
    place_init(p, 91);
    place_found(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    int rc = place_free(*state);
    free(*state);
    return rc;
}

static struct ml_object_id add_problem(struct place *p, size_t patient, const char *text)
{
    static const char *const names[] = {"code"};
    const struct ml_slice values[] = {val_concept(p, text)};
    p->fake.wall_ms++;
    const struct ml_object_id object = ml_object_id_new(&p->fake.env);
    (void)put(p, &(struct put){.patient = patient,
                               .entity = "problem",
                               .object = &object,
                               .type = ML_CHANGE_CREATE,
                               .value = val_map(p, "problem", names, values, 1)});
    return object;
}

/* A patient with two problems; the second one's object. */
static struct ml_object_id begin(struct place *p)
{
    static const struct identity who = {"MARTIN", "MARTIN", "Camille", "1979-03-28"};
    const size_t patient = place_open(p);
    (void)put_patient(p, patient, &who);
    (void)add_problem(p, patient, "asthme");
    const struct ml_object_id object = add_problem(p, patient, secret_word);
    place_grant(p, 1);
    place_catch_up(p, p->vault, 1000);
    return object;
}

static struct ml_consent opposed_to(const struct place *p, unsigned person)
{
    struct ml_consent c = {.kind = ML_CONSENT_OPPOSED,
                           .patient = p->patient[0],
                           .source = ML_CONSENT_BY_PATIENT,
                           .audience = ML_AUDIENCE_PERSON};
    memcpy(c.audience_id, p->who[person].member.b, sizeof(c.audience_id));
    return c;
}

static void withdraw(struct place *p, struct ml_consent_id what)
{
    struct ml_consent c = {.kind = ML_CONSENT_WITHDRAWN,
                           .patient = p->patient[0],
                           .source = ML_CONSENT_BY_PATIENT,
                           .ends = {.items = &what, .count = 1}};
    (void)place_say(p, &c);
}

static uint64_t objects_of(struct ml_vault *v)
{
    struct ml_vault_counts counts;
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_int_equal(counts.bundles_no_key, 0); /* a veil is no missing key */
    return counts.objects;
}

static struct ml_hash hash_of(struct ml_vault *v)
{
    struct ml_hash h;
    assert_int_equal(ml_vault_view_hash(v, &h), ML_OK);
    return h;
}

static bool hides(struct place *p, struct ml_vault *v)
{
    bool hidden = false;
    assert_int_equal(ml_vault_hides_any(v, &p->patient[0], &hidden), ML_OK);
    return hidden;
}

/* ---- */

static void what_is_opposed_goes_and_comes_back(void **state)
{
    struct place *p = *state;
    (void)begin(p);
    struct ml_vault *v = place_vault(p, 1, NULL);
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 3);
    const struct ml_hash before = hash_of(v);
    struct ml_consent said = opposed_to(p, 1);
    const struct ml_consent_id id = place_say(p, &said);
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 1); /* who he is */
    assert_int_equal(objects_of(p->vault), 3);
    assert_true(hides(p, v) && !hides(p, p->vault));
    /* What comes later stays behind it too. */
    (void)add_problem(p, 0, "angine");
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 1);
    struct ml_vault *late = place_vault(p, 1, NULL); /* any order gives the same */
    place_catch_up(p, late, 1);
    const struct ml_hash veiled[2] = {hash_of(v), hash_of(late)};
    assert_memory_equal(&veiled[0], &veiled[1], sizeof(veiled[0]));
    withdraw(p, id);
    place_catch_up(p, v, 1);
    place_catch_up(p, late, 1000);
    assert_int_equal(objects_of(v), 4);
    assert_false(hides(p, v));
    const struct ml_hash open[3] = {hash_of(v), hash_of(late), hash_of(p->vault)};
    assert_memory_equal(&open[0], &open[1], sizeof(open[0]));
    assert_memory_equal(&open[0], &open[2], sizeof(open[0]));
    assert_memory_not_equal(&open[0], &before, sizeof(before));
    ml_vault_close(late);
    ml_vault_close(v);
}

static void one_object_is_masked_alone(void **state)
{
    struct place *p = *state;
    const struct ml_object_id object = begin(p);
    struct ml_vault *v = place_vault(p, 1, NULL);
    place_catch_up(p, v, 1000);
    struct ml_consent said = opposed_to(p, 1);
    said.item = ML_ITEM_OBJECT;
    said.object = object;
    const struct ml_consent_id id = place_say(p, &said);
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 2);
    assert_true(hides(p, v));
    uint16_t entity = 0;
    assert_int_equal(ml_vault_has(v, &p->patient[0], &object, &entity), ML_E_NOT_FOUND);
    withdraw(p, id);
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 3);
    ml_vault_close(v);
}

static void it_ends_by_its_date(void **state)
{
    struct place *p = *state;
    (void)begin(p);
    struct ml_vault *v = place_vault(p, 1, NULL);
    struct ml_consent said = opposed_to(p, 1);
    said.until_ms = p->fake.wall_ms + 5000;
    (void)place_say(p, &said);
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 1);
    p->fake.wall_ms += 4999;
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 1);
    p->fake.wall_ms += 1;
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 3);
    ml_vault_close(v);
}

static void a_statement_whose_key_comes_late_is_obeyed_then(void **state)
{
    struct place *p = *state;
    static const struct identity who = {"MARTIN", "MARTIN", "Camille", "1979-03-28"};
    struct ml_vault *v = place_vault(p, 1, NULL);
    const size_t patient = place_open(p);
    (void)put_patient(p, patient, &who);
    (void)add_problem(p, patient, secret_word);
    place_catch_up(p, p->vault, 1000);
    struct ml_consent said = opposed_to(p, 1);
    (void)place_say(p, &said);
    place_catch_up(p, v, 1000);
    assert_false(hides(p, v)); /* nothing of the patient is known */
    place_grant(p, 1);
    place_catch_up(p, v, 1000);
    assert_true(hides(p, v));
    assert_int_equal(objects_of(v), 1);
    ml_vault_close(v);
}

static bool file_has(const char *path, const char *end, const char *word)
{
    char name[512];
    bool found = false;
    snprintf(name, sizeof(name), "%s%s", path, end);
    FILE *f = fopen(name, "rb");
    size_t at = 0;
    for (int c = f == NULL ? EOF : getc(f); c != EOF && !found; c = getc(f)) {
        at = c == word[at] ? at + 1 : (size_t)(c == word[0]);
        found = word[at] == '\0';
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return found;
}

/* The files of a test aren't sealed: each byte can be looked at. */
static void before_it_is_told_no_byte_of_it_is_left(void **state)
{
    struct place *p = *state;
    const char *path = NULL;
    struct ml_object_id told;
    (void)begin(p);
    struct ml_vault *v = place_vault(p, 1, &path);
    place_catch_up(p, v, 1000);
    assert_int_equal(ml_vault_obeyed(v, &told), ML_E_NOT_FOUND);
    assert_true(file_has(path, "", secret_word) || file_has(path, "-wal", secret_word));
    struct ml_consent said = opposed_to(p, 1);
    (void)place_say(p, &said);
    place_catch_up(p, v, 1000);
    assert_int_equal(ml_vault_obeyed(v, &told), ML_OK);
    assert_memory_equal(&told, &p->patient[0], sizeof(told));
    assert_false(file_has(path, "", secret_word));
    assert_false(file_has(path, "-wal", secret_word));
    assert_int_equal(ml_vault_obeyed_told(v, &told), ML_OK);
    assert_int_equal(ml_vault_obeyed(v, &told), ML_E_NOT_FOUND);
    assert_int_equal(ml_vault_obeyed(p->vault, &told), ML_E_NOT_FOUND); /* not about him */
    ml_vault_close(v);
}

static void a_forged_statement_says_nothing(void **state)
{
    struct place *p = *state;
    (void)begin(p);
    struct ml_vault *v = place_vault(p, 1, NULL);
    struct ml_consent said = opposed_to(p, 1);
    (void)place_say(p, &said);
    struct log_entry *last = &p->log.entry[p->log.count - 1];
    last->wire[last->len - 1] ^= 1u; /* its tag */
    place_catch_up(p, v, 1000);
    assert_int_equal(objects_of(v), 3);
    ml_vault_close(v);
}

static void no_failed_alloc_leaves_it_half_obeyed(void **state)
{
    struct place *p = *state;
    (void)begin(p);
    struct ml_vault *v = place_vault(p, 1, NULL);
    place_catch_up(p, v, 1000);
    struct ml_consent said = opposed_to(p, 1);
    (void)place_say(p, &said);
    size_t failures = 0;
    bool done = false;
    for (long nth = 1; !done; nth++) {
        p->fake.fail_alloc = nth;
        ml_err err = ml_vault_catch_up(v, &p->log, 1000, &done);
        p->fake.fail_alloc = 0;
        if (err != ML_OK) {
            assert_int_equal(err, ML_E_NOMEM);
            assert_int_equal(objects_of(v), 3); /* all or nothing */
            failures++;
        }
    }
    assert_true(failures > 5);
    assert_int_equal(objects_of(v), 1);
    ml_vault_close(v);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_opposed_goes_and_comes_back),
        TEST(one_object_is_masked_alone),
        TEST(it_ends_by_its_date),
        TEST(a_statement_whose_key_comes_late_is_obeyed_then),
        TEST(before_it_is_told_no_byte_of_it_is_left),
        TEST(a_forged_statement_says_nothing),
        TEST(no_failed_alloc_leaves_it_half_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
