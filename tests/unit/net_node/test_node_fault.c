/* test_node_fault.c -- the canary, on whole nodes: who was sealed what doesn't open is given it
 * again before he needs it, and nobody does anything for it (rules A3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/model/keyring_group.h"
#include "core/record/vault.h"
#include "maille/value.h"
#include "net/node/keys.h"
#include "net/node/session.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

#define WHILE_MS UINT64_C(70000)

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 53);
    story_found(&c, 0);
    story_join(&c, 0, 1, "Inès Leroy", 60);
    story_join(&c, 0, 2, "Paul Petit", 70);
    story_synced(&c, 1);
    story_synced(&c, 2);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

/* ---- a node whose epochs lie to one ---- */

struct liar {
    struct ml_keys keys;
    struct ml_recipient_id to;
    unsigned lies;
};

static ml_err lie_about(void *user, struct ml_slice bytes)
{
    struct liar *l = user;
    struct ml_keyop op;
    struct ml_epoch_slot slot;
    struct ml_list_walk walk;
    uint8_t copy[ML_BODY_BYTES_MAX];
    memcpy(copy, bytes.data, bytes.len);
    assert_int_equal(ml_keyop_decode(&op, bytes, NULL), ML_OK);
    assert_int_equal(op.type, ML_KEYOP_KEK_EPOCH);
    ml_list_walk(&walk, &op.u.kek_epoch.slots);
    while (ml_epoch_slot_next(&walk, &slot)) {
        if (memcmp(&slot.recipient, &l->to, sizeof(l->to)) == 0) {
            uint8_t *at = memmem(copy, bytes.len, &slot.kek, sizeof(slot.kek));
            assert_non_null(at);
            at[5] ^= 1;
            l->lies++;
        }
    }
    return ml_keys_emit(&l->keys, ml_slice(copy, bytes.len));
}

/* Node `by` makes the next epoch of a compartment, in which node `to` has a slot that doesn't open.
 */
static void lie(struct cluster *c, unsigned by, unsigned to, ml_compartment compartment)
{
    struct ml_org *org = cluster_org(c, by);
    struct liar l = {.to = ml_keyring_self(ml_session_keyring(cluster_org(c, to)))};
    const struct ml_fact *team = ml_gov_next(ml_log_gov(org->log), ML_FACT_TEAM, NULL);
    assert_non_null(team);
    const struct ml_group_place place = {.team = team->team, .compartment = compartment};
    ml_keys_init(&l.keys, org->node->env);
    assert_int_equal(ml_keys_tell(org), ML_OK);
    assert_int_equal(ml_keyring_make_next(ml_session_keyring(org), &place, lie_about, &l), ML_OK);
    assert_int_equal(l.lies, 1);
    assert_int_equal(ml_keys_append(org, &l.keys), ML_OK);
    ml_keys_free(&l.keys);
}

/* ---- what is there ---- */

static unsigned ops_of(struct cluster *c, unsigned n, uint16_t type)
{
    struct ml_log_entry entry = {0};
    unsigned count = 0;
    while (ml_log_after(cluster_org(c, n)->log, entry.n, ML_LOG_LANE(ML_LANE_KEYS), &entry) ==
           ML_OK) {
        struct ml_body_walk walk;
        struct ml_body_op op;
        ml_body_walk(&walk, entry.body.bytes);
        while (ml_body_next(&walk, &op)) {
            count += !op.shredded && ml_keyop_type_of(op.sealed) == type;
        }
    }
    return count;
}

struct keys_say {
    int64_t faulty;
    int64_t given_up;
    unsigned groups;
};

static struct keys_say key_list(struct cluster *c, unsigned n)
{
    struct story_request r;
    struct keys_say say = {0};
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "key.list"), "key.list");
    say.faulty = ml_value_int(story_get(&r, "faulty"), -1);
    say.given_up = ml_value_int(story_get(&r, "given_up"), -1);
    for (const struct ml_value *g = ml_value_at(story_get(&r, "groups"), 0); g != NULL;
         g = ml_value_next(g)) {
        say.groups++;
    }
    story_end(&r);
    return say;
}

/* He dials at once, and says and is given what waits. */
static void meet(struct cluster *c, unsigned n)
{
    for (unsigned i = 0; i < 3; i++) {
        struct story_request r;
        story_ask(&r);
        story_must(&r, story_send(&r, c, n, "sync.now"), "sync.now");
        story_end(&r);
        cluster_run(c, WHILE_MS);
    }
}

static bool shows_treatment(struct cluster *c, unsigned n, const char *patient)
{
    struct story_proof proof;
    struct story_request r;
    bool shows = false;
    story_verify(c, n, &proof);
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_must(&r, story_send(&r, c, n, "timeline.list"), "timeline.list");
    shows = ml_value_at(story_get(&r, "items"), 0) != NULL;
    story_end(&r);
    return shows;
}

/* ---- rules ---- */

static void who_was_lied_to_reads_before_he_knew_that_he_could_not(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    story_patient(c, 0, patient);
    cluster_run(c, WHILE_MS);
    assert_int_equal(key_list(c, 1).faulty, 0);
    assert_true(key_list(c, 1).groups > 5);
    c->cut[0][1] = c->cut[1][0] = c->cut[2][1] = c->cut[1][2] = true;
    lie(c, 0, 1, ML_COMPARTMENT_MEDICAL);
    story_treatment(c, 0, patient, drug("Ramipril", "5 mg"), treatment);
    cluster_run(c, WHILE_MS);
    assert_int_equal(ops_of(c, 0, ML_KEYOP_KEY_FAULT), 0);
    const unsigned before = ops_of(c, 0, ML_KEYOP_KEK_GRANT);
    c->cut[0][1] = c->cut[1][0] = false;
    meet(c, 1);
    assert_int_equal(key_list(c, 1).faulty, 0);
    assert_true(shows_treatment(c, 1, patient));
    assert_int_equal(ops_of(c, 0, ML_KEYOP_KEY_FAULT), 1);
    assert_true(ops_of(c, 0, ML_KEYOP_KEK_GRANT) > before);
}

/* What was said while nobody was there is heard at the next unlock. */
static void who_unlocks_next_gives_it(void **state)
{
    struct cluster *c = *state;
    lie(c, 0, 1, ML_COMPARTMENT_CARE);
    cluster_stop(c, 2);
    cluster_run(c, 1000);
    cluster_stop(c, 0);
    cluster_run(c, WHILE_MS);
    assert_int_equal(ops_of(c, 1, ML_KEYOP_KEY_FAULT), 1);
    assert_int_equal(key_list(c, 1).faulty, 1);
    assert_int_equal(key_list(c, 1).given_up, 0);
    cluster_start(c, 2);
    story_unlock(c, 2);
    cluster_start(c, 0);
    story_unlock(c, 0);
    meet(c, 1);
    assert_int_equal(key_list(c, 1).faulty, 0);
    assert_int_equal(ops_of(c, 1, ML_KEYOP_KEY_FAULT), 1);
}

/* A restart asks nothing again, and forgets nothing. */
static void what_waits_is_said_once(void **state)
{
    struct cluster *c = *state;
    cluster_stop(c, 2);
    lie(c, 0, 1, ML_COMPARTMENT_CARE);
    cluster_run(c, 1000);
    cluster_stop(c, 0);
    cluster_run(c, WHILE_MS);
    for (unsigned i = 0; i < 3; i++) {
        cluster_stop(c, 1);
        cluster_start(c, 1);
        story_unlock(c, 1);
        cluster_run(c, WHILE_MS);
        assert_int_equal(ops_of(c, 1, ML_KEYOP_KEY_FAULT), 1);
        assert_int_equal(key_list(c, 1).faulty, 1);
    }
}

/* Whose key it isn't says nothing of it. */
static void nobody_says_it_for_another(void **state)
{
    struct cluster *c = *state;
    struct ml_org *org = cluster_org(c, 2);
    const struct ml_fact *team = ml_gov_next(ml_log_gov(org->log), ML_FACT_TEAM, NULL);
    struct ml_keys keys;
    struct ml_key_id kek;
    struct ml_buf bytes;
    struct ml_keyop op = {.type = ML_KEYOP_KEY_FAULT};
    cluster_run(c, WHILE_MS);
    const unsigned before = ops_of(c, 0, ML_KEYOP_KEK_GRANT);
    assert_true(
        ml_keyring_group_kek(ml_session_keyring(org), &team->team, ML_COMPARTMENT_CARE, &kek));
    op.u.key_fault.recipient = ml_keyring_self(ml_session_keyring(cluster_org(c, 1)));
    op.u.key_fault.keys = (struct ml_list){.items = &kek, .count = 1};
    ml_buf_init(&bytes, org->node->env, 4096);
    assert_int_equal(ml_keyop_encode(&bytes, &op), ML_OK);
    ml_keys_init(&keys, org->node->env);
    assert_int_equal(ml_keys_emit(&keys, ml_buf_slice(&bytes)), ML_OK);
    assert_int_equal(ml_keys_append(org, &keys), ML_OK);
    ml_keys_free(&keys);
    cluster_run(c, 2 * WHILE_MS);
    assert_int_equal(ops_of(c, 0, ML_KEYOP_KEY_FAULT), 1);
    assert_int_equal(ops_of(c, 0, ML_KEYOP_KEK_GRANT), before);
    /* Of his own he may: it costs one grant. */
    ml_buf_free(&bytes);
    ml_buf_init(&bytes, org->node->env, 4096);
    op.u.key_fault.recipient = ml_keyring_self(ml_session_keyring(org));
    assert_int_equal(ml_keyop_encode(&bytes, &op), ML_OK);
    ml_keys_init(&keys, org->node->env);
    assert_int_equal(ml_keys_emit(&keys, ml_buf_slice(&bytes)), ML_OK);
    assert_int_equal(ml_keys_append(org, &keys), ML_OK);
    ml_keys_free(&keys);
    ml_buf_free(&bytes);
    cluster_run(c, 2 * WHILE_MS);
    assert_true(ops_of(c, 0, ML_KEYOP_KEK_GRANT) > before);
}

/* Whatever fails while it is said, it is said in the end, once. */
static void at_any_failed_allocation_it_is_said_once(void **state)
{
    struct cluster *c = *state;
    bool spared = false;
    cluster_stop(c, 2);
    c->cut[0][1] = c->cut[1][0] = true;
    lie(c, 0, 1, ML_COMPARTMENT_CARE);
    c->cut[0][1] = c->cut[1][0] = false;
    cluster_run(c, 1000);
    cluster_stop(c, 0);
    assert_int_equal(ops_of(c, 1, ML_KEYOP_KEY_FAULT), 0);
    for (long n = 1; !spared; n++) {
        c->fake.fail_alloc = n;
        const ml_err err = ml_keys_ask(cluster_org(c, 1));
        spared = fake_spared(&c->fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(spared || n < 3000);
    }
    cluster_run(c, WHILE_MS);
    assert_int_equal(ops_of(c, 1, ML_KEYOP_KEY_FAULT), 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_was_lied_to_reads_before_he_knew_that_he_could_not),
        TEST(who_unlocks_next_gives_it),
        TEST(what_waits_is_said_once),
        TEST(nobody_says_it_for_another),
        TEST(at_any_failed_allocation_it_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
