/* tests/unit/net_node/test_node_flow.c -- the main job on whole nodes in one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/store/log.h"
#include "maille/value.h"
#include "net/node/ingest.h"
#include "net/node/state.h"
#include "support_cluster.h"
#include "support_damage.h"
#include "support_request.h"
#include "support_story.h"

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 7);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

static void a_founder_writes_and_reads_back(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    story_found(c, 0);
    story_patient(c, 0, patient);
    assert_int_equal(story_find(c, 0, "camille martin"), 1);
    assert_int_equal(story_find(c, 0, "28/03/1979"), 1);
    assert_int_equal(story_find(c, 0, "durand"), 0);
}

static void what_is_written_survives_a_restart(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    story_found(c, 0);
    story_patient(c, 0, patient);
    cluster_stop(c, 0);
    cluster_start(c, 0);
    story_unlock(c, 0);
    assert_int_equal(story_find(c, 0, "martin"), 1);
}

static void a_second_node_joins_and_has_the_same(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    struct story_proof a;
    struct story_proof b;
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_string_equal(a.view_hash, b.view_hash);
    assert_int_equal(b.patients, 1);
    assert_int_equal(b.bodies_missing, 0);
}

static void base_of(struct cluster *c, unsigned n, unsigned peer, struct ml_buf *out)
{
    const struct ml_org *org = c->nodes[n].node->orgs;
    const struct ml_org *other = c->nodes[peer].node->orgs;
    ml_buf_init(out, ml_env_system(), 1u << 20);
    assert_int_equal(ml_log_base_get(org->log, &other->secrets.node, out), ML_OK);
}

static void a_node_that_stops_remembers_what_both_have(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    struct ml_buf a;
    struct ml_buf b;
    story_found(c, 0);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_patient(c, 0, patient);
    story_synced(c, 1);
    story_synced(c, 0);
    cluster_stop(c, 1); /* before it was quiet for so long that it remembers anyway */
    cluster_run(c, 10);
    c->cut[0][1] = c->cut[1][0] = true;
    cluster_start(c, 1);
    story_unlock(c, 1);
    base_of(c, 0, 1, &a);
    base_of(c, 1, 0, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    ml_buf_free(&a);
    ml_buf_free(&b);
}

/* The last bundle of node 0 comes to node 1 without its body, as from a peer that withholds it. */
static void bare_give(struct cluster *c)
{
    struct ml_org *from = c->nodes[0].node->orgs;
    struct ml_log_entry entry;
    struct ml_buf bare;
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    uint64_t n = 0;
    while (ml_log_after(from->log, n, ML_LOG_LANE(ML_LANE_RECORD), &entry) == ML_OK) {
        n = entry.n;
    }
    assert_int_equal(ml_log_after(from->log, n - 1, ML_LOG_LANE(ML_LANE_RECORD), &entry), ML_OK);
    ml_buf_init(&bare, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_join(&bare, entry.header_bytes, &entry.sig, &absent), ML_OK);
    const struct ml_slice wire = ml_buf_slice(&bare);
    const struct ml_sync_action ingest = {.kind = ML_SYNC_INGEST,
                                          .u.ingest = {.bundles = &wire, .count = 1}};
    ml_org_ingest(c->nodes[1].node->orgs, &ingest);
    ml_buf_free(&bare);
}

static void a_body_that_was_withheld_is_fetched_from_who_has_it(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct story_proof a;
    struct story_proof b;
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_treatment(c, 0, patient, drug("ramipril", "5 mg"), treatment);
    story_synced(c, 1);
    story_pause(c, 1, true);
    story_dose(c, 0, patient, treatment, drug("ramipril", "10 mg"));
    bare_give(c);
    story_verify(c, 1, &b);
    assert_int_equal(b.bodies_missing, 1);
    story_pause(c, 1, false);
    story_synced(c, 1);
    cluster_run(c, 5000);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_int_equal(b.bodies_missing, 0);
    assert_string_equal(a.view_hash, b.view_hash);
}

static void member_add(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "name", "Paul Garnier");
    ml_args_key(r.args, "role");
    ml_args_int(r.args, 60);
    story_must(&r, story_send(&r, c, n, "member.add"), "member.add");
    story_end(&r);
}

/* Of what both machines of node 0 keep in common: its home and its anti-rollback record. */
static void image_take(struct cluster *c, bool back)
{
    char image[256];
    cluster_stop(c, 0);
    snprintf(image, sizeof(image), "%s/state.image", c->folder);
    const char *const argv[] = {"cp", "-aT", back ? image : c->nodes[0].state,
                                back ? c->nodes[0].state : image, NULL};
    cluster_spawn(argv);
    if (back) {
        cluster_restore_home(c, 0, "image");
    } else {
        cluster_copy_home(c, 0, "image");
    }
    cluster_start(c, 0);
    story_unlock(c, 0);
}

/* A fork of governance itself: nothing of that writer's lane 0 can be cited any more. */
static void a_coordinator_whose_machine_ran_twice_writes_on(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct story_proof a;
    struct story_proof b;
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    cluster_stop(c, 0);
    damage_flip_anchor(c, 0, 12); /* it signs as a writer that isn't the founding one */
    cluster_start(c, 0);
    story_unlock(c, 0);
    story_synced(c, 0);
    image_take(c, false);
    member_add(c, 0);
    story_synced(c, 1);
    story_pause(c, 1, true);
    image_take(c, true);
    member_add(c, 0);
    story_pause(c, 1, false);
    story_synced(c, 0);
    cluster_run(c, 5000);
    story_treatment(c, 0, patient, drug("ramipril", "5 mg"), treatment);
    story_synced(c, 1);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_int_equal(a.forks, 1);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_string_equal(a.view_hash, b.view_hash);
}

static void lock(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "session.lock"), "session.lock");
    story_end(&r);
}

/* The other machine's branch comes while nobody is there. */
static void fork_behind_a_lock(struct cluster *c, char patient[40])
{
    char treatment[40];
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    image_take(c, false);
    story_treatment(c, 0, patient, drug("metformine", "500 mg"), treatment);
    story_synced(c, 1);
    story_pause(c, 1, true);
    image_take(c, true);
    story_treatment(c, 0, patient, drug("ramipril", "5 mg"), treatment);
    lock(c, 0);
    story_pause(c, 1, false);
    story_synced(c, 1);
}

/* Whoever unlocks next reads that his machine was copied, not that a backup was put back. */
static void a_fork_that_came_behind_a_lock_is_told_as_one(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct story_proof a;
    struct damage_told told;
    fork_behind_a_lock(c, patient);
    story_unlock(c, 0);
    assert_true(damage_told(c, 0, "doubled", &told));
    assert_false(damage_told(c, 0, "restored", &told));
    story_treatment(c, 0, patient, drug("aspirine", "75 mg"), treatment);
    story_verify(c, 0, &a);
    assert_int_equal(a.forks, 1);
}

/* Its key is replaced for another reason: then nothing looks at the old one any more. */
static void a_fork_is_told_though_the_key_is_replaced_anyway(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    struct damage_told told;
    fork_behind_a_lock(c, patient);
    cluster_stop(c, 0);
    damage_flip_anchor(c, 0, 12);
    cluster_start(c, 0);
    story_unlock(c, 0);
    assert_true(damage_told(c, 0, "anchor", &told));
    assert_true(damage_told(c, 0, "doubled", &told));
}

static void two_doses_stand_side_by_side_until_settled(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct story_proof a;
    struct story_proof b;
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_treatment(c, 0, patient, drug("metformine", "500 mg matin et soir"), treatment);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    story_pause(c, 1, true);
    story_dose(c, 0, patient, treatment, drug("metformine", "1000 mg matin"));
    story_dose(c, 1, patient, treatment, drug("metformine", "850 mg matin et soir"));
    story_pause(c, 1, false);
    story_synced(c, 1);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_string_equal(a.view_hash, b.view_hash);
    assert_int_equal(a.conflicts, 1);
    story_dose(c, 1, patient, treatment, drug("metformine", "850 mg matin et soir"));
    story_synced(c, 1);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_int_equal(a.conflicts, 0);
    assert_int_equal(b.conflicts, 0);
    assert_string_equal(a.view_hash, b.view_hash);
}

/* The colleague's computer runs an hour fast: what answers her entry still comes after it. */
static void what_answers_an_entry_is_shown_after_it_whatever_the_clocks(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char patient[40];
    char treatment[40];
    const uint64_t hour_ms = 3600000;
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_treatment(c, 0, patient, drug("metformine", "500 mg matin et soir"), treatment);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    c->fake.wall_ms += hour_ms;
    story_dose(c, 0, patient, treatment, drug("metformine", "1000 mg matin"));
    c->fake.wall_ms -= hour_ms;
    story_synced(c, 1);
    story_dose(c, 1, patient, treatment, drug("metformine", "850 mg matin et soir"));

    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "object", treatment);
    story_must(&r, story_send(&r, c, 1, "record.show"), "record.show");
    const struct ml_value *field = ml_value_at(story_get(&r, "fields"), 0);
    while (strcmp(ml_value_text(ml_value_get(field, "field"), ""), "posology") != 0) {
        field = ml_value_next(field);
    }
    const struct ml_value *history = ml_value_get(field, "history");
    assert_int_equal(ml_value_count(history), 3);
    int64_t later = INT64_MAX;
    for (const struct ml_value *v = ml_value_at(history, 0); v != NULL; v = ml_value_next(v)) {
        const char *rank = ml_value_text(ml_value_get(v, "rank"), "");
        assert_string_equal(rank, later == INT64_MAX ? "head" : "replaced");
        assert_true(ml_value_int(ml_value_get(v, "recorded"), INT64_MAX) <= later);
        later = ml_value_int(ml_value_get(v, "recorded"), 0);
    }
    story_end(&r);
}

static void a_restored_store_writes_as_a_new_writer_and_gets_back_the_rest(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char treatment[40];
    struct story_proof a;
    struct story_proof b;
    struct damage_told told;
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_treatment(c, 1, patient, drug("metformine", "500 mg"), treatment);
    story_synced(c, 1);
    assert_false(damage_told(c, 1, "restored", &told));
    cluster_stop(c, 1);
    cluster_copy_home(c, 1, "backup");
    cluster_start(c, 1);
    story_unlock(c, 1);
    /* offered, then rolled back */
    story_treatment(c, 1, patient, drug("ramipril", "5 mg"), treatment);
    story_synced(c, 1);
    cluster_stop(c, 1);
    cluster_restore_home(c, 1, "backup");
    cluster_start(c, 1);
    story_unlock(c, 1);
    cluster_stop(c, 1); /* the answer to that unlock may have been lost: it's told again */
    cluster_start(c, 1);
    story_unlock(c, 1);
    assert_true(damage_told(c, 1, "restored", &told));
    story_treatment(c, 1, patient, drug("aspirine", "75 mg"), treatment);
    story_synced(c, 1);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_string_equal(a.view_hash, b.view_hash);
    assert_int_equal(a.ops, 4); /* the patient, and the three treatments */
    assert_int_equal(a.forks, 0);
    assert_int_equal(a.quarantined, 0);
}

/* Node 0 was dialled and never dialled; where its peer answers it was told while they were linked.
 * Nobody but node 0 can dial: its peer's address for it leads nowhere. */
static void a_lost_log_comes_back_from_where_a_person_said_that_a_peer_is(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    struct story_proof a;
    struct story_proof b;
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    story_address(c, 0, 1, 1);
    story_address(c, 1, 0, 2);
    cluster_stop(c, 0);
    damage_remove(c, 0, "log.db");
    cluster_start(c, 0);
    story_unlock(c, 0);
    story_synced(c, 0);
    story_verify(c, 0, &a);
    story_verify(c, 1, &b);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_string_equal(a.view_hash, b.view_hash);
    assert_int_equal(a.patients, 1);
}

static void a_wrong_passphrase_opens_nothing(void **state)
{
    struct cluster *c = *state;
    story_found(c, 0);
    cluster_stop(c, 0);
    cluster_start(c, 0);
    assert_int_equal(story_try_unlock(c, 0, "une autre phrase entière"), ML_E_WRONG_KEY);
    assert_int_equal(story_try_find(c, 0), ML_E_LOCKED);
}

/* A code for a new member, from node 0. */
static void code_get(struct cluster *c, char code[256])
{
    struct story_request r;
    char member[40];
    story_ask(&r);
    story_put(&r, "name", "Inès Leroy");
    ml_args_key(r.args, "role");
    ml_args_int(r.args, 60);
    story_must(&r, story_send(&r, c, 0, "member.add"), "member.add");
    snprintf(member, sizeof(member), "%s", ml_value_text(story_get(&r, "member"), ""));
    story_end(&r);
    story_ask(&r);
    story_put(&r, "member", member);
    story_must(&r, story_send(&r, c, 0, "enrol.code"), "enrol.code");
    snprintf(code, 256, "%s", ml_value_text(story_get(&r, "code"), ""));
    story_end(&r);
}

static ml_err code_try(struct cluster *c, const char *code)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "code", code);
    story_put(&r, "address", "node:0");
    story_put(&r, "node_name", "portable");
    story_put(&r, "passphrase", "quatre chevaux dans un pré");
    ml_err err = story_send(&r, c, 1, "enrol.join");
    story_end(&r);
    return err;
}

/* A newcomer may register the Noise key that his link proved, and no other: else he could claim
 * that of another node, whose links would then count as his. */
static void a_newcomer_registers_the_key_of_his_link(void **state)
{
    struct cluster *c = *state;
    char code[256];
    story_found(c, 0);
    code_get(c, code);
    cluster_start(c, 1);
    c->other_key = true;
    assert_int_equal(code_try(c, code), ML_E_DENIED);
}

/* Rules D4: nothing answers to it any more, and its keys are wiped. */
static void a_code_dies_after_ten_minutes(void **state)
{
    struct cluster *c = *state;
    char code[256];
    story_found(c, 0);
    code_get(c, code);
    cluster_start(c, 1);
    assert_true(c->nodes[0].identity.enrolment_psk != NULL);
    cluster_run(c, 600000 - 1000);
    assert_true(c->nodes[0].identity.enrolment_psk != NULL);
    cluster_run(c, 2000);
    assert_true(c->nodes[0].identity.enrolment_psk == NULL);
    assert_int_equal(code_try(c, code), ML_E_UNREACHABLE);
}

/* A laptop that slept with a member unlocked: the first call after it comes before any timer, and
 * must not find him there. */
static void a_call_after_a_long_sleep_finds_nobody(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_found(c, 0);
    c->fake.now_ms += 599000;
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "member.list"), "member.list");
    story_end(&r);
    c->fake.now_ms += 600001;
    story_ask(&r);
    assert_int_equal(story_send(&r, c, 0, "member.list"), ML_E_LOCKED);
    story_end(&r);
    story_unlock(c, 0);
}

static void an_identity_that_the_sockets_lost_is_said_again(void **state)
{
    struct cluster *c = *state;
    story_found(c, 0);
    story_join(c, 0, 1, "Inès Leroy", 60);
    story_synced(c, 1);
    story_pause(c, 1, true);
    c->nodes[1].has_identity = false; /* as when net/link had no memory for it */
    story_pause(c, 1, false);
    story_synced(c, 1);
    assert_true(c->nodes[1].has_identity);
}

static void a_computer_is_in_eight_structures_at_most(void **state)
{
    struct cluster *c = *state;
    story_found(c, 0);
    for (unsigned n = 2; n <= ML_NODE_ORGS_MAX + 1; n++) {
        struct story_request r;
        story_ask(&r);
        story_put(&r, "name", "Une structure de plus");
        story_put(&r, "member_name", "Dr Anne Morel");
        story_put(&r, "node_name", "bureau 1");
        story_put(&r, "passphrase", "une phrase de passe d'essai");
        assert_int_equal(story_send(&r, c, 0, "org.found"),
                         n <= ML_NODE_ORGS_MAX ? ML_OK : ML_E_LIMIT);
        story_end(&r);
    }
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "org.list"), "org.list");
    assert_int_equal(ml_value_count(story_get(&r, "orgs")), ML_NODE_ORGS_MAX);
    story_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_founder_writes_and_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_survives_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_node_joins_and_has_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_that_stops_remembers_what_both_have, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_body_that_was_withheld_is_fetched_from_who_has_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_fork_that_came_behind_a_lock_is_told_as_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_lost_log_comes_back_from_where_a_person_said_that_a_peer_is, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fork_is_told_though_the_key_is_replaced_anyway, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_coordinator_whose_machine_ran_twice_writes_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(two_doses_stand_side_by_side_until_settled, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_answers_an_entry_is_shown_after_it_whatever_the_clocks,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_restored_store_writes_as_a_new_writer_and_gets_back_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(an_identity_that_the_sockets_lost_is_said_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_computer_is_in_eight_structures_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_passphrase_opens_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newcomer_registers_the_key_of_his_link, setup, teardown),
        cmocka_unit_test_setup_teardown(a_code_dies_after_ten_minutes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_after_a_long_sleep_finds_nobody, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
