/* test_node_network.c -- the network's secret after revocations, on whole nodes: who makes the next
 * epoch, who is answered by which, who finds his way back (rules B17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/model/keyring_pair.h"
#include "maille/value.h"
#include "net/node/exchange_inner.h"
#include "net/node/keys.h"
#include "net/node/network.h"
#include "net/node/session.h"
#include "net/node/state.h"
#include "support_cluster.h"
#include "support_damage.h"
#include "support_request.h"
#include "support_story.h"

/* 0 is the coordinator's, 1 a nurse's. */
static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 71);
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

static uint32_t epoch_of(const struct cluster *c, unsigned n)
{
    return c->nodes[n].identity.network_epoch;
}

static void deny(struct cluster *c, unsigned by, const char *name, const char *method)
{
    struct story_request r;
    char member[40];
    char node[40];
    assert_true(story_find_member(c, by, name, member, node));
    story_ask(&r);
    story_put(&r, "member", member);
    story_must(&r, story_send(&r, c, by, method), method);
    story_end(&r);
}

static void revoke(struct cluster *c, unsigned by, const char *name)
{
    deny(c, by, name, "member.revoke");
}

/* {0, 2, 4} from {1, 3}. */
static void apart(struct cluster *c, bool cut)
{
    for (unsigned a = 0; a < CLUSTER_NODES; a += 2) {
        for (unsigned b = 1; b < CLUSTER_NODES; b += 2) {
            cluster_cut(c, a, b, cut);
        }
    }
}

static void join(struct cluster *c, unsigned n, const char *name)
{
    story_join(c, 0, n, name, 70);
    story_synced(c, n);
}

/* Nodes 2, 3 and 4 join, and lose their places one after the other: two, three, four. */
static void three_leave(struct cluster *c)
{
    static const char *const names[] = {"Paul Petit", "Luc Roy", "Eve Roux"};
    for (unsigned i = 0; i < 3; i++) {
        revoke(c, 0, names[i]);
        cluster_run(c, 10);
        assert_int_equal(epoch_of(c, 0), 2 + i);
    }
}

static void three_join(struct cluster *c)
{
    join(c, 2, "Paul Petit");
    join(c, 3, "Luc Roy");
    join(c, 4, "Eve Roux");
}

static void same(struct cluster *c, unsigned a, unsigned b, int patients)
{
    struct story_proof one;
    struct story_proof two;
    story_verify(c, a, &one);
    story_verify(c, b, &two);
    assert_string_equal(one.state_hash, two.state_hash);
    assert_string_equal(one.view_hash, two.view_hash);
    assert_int_equal(one.patients, patients);
    assert_int_equal(two.patients, patients);
    assert_int_equal(one.quarantined, two.quarantined);
}

/* ---- the next epoch ---- */

/* One slot: a departure doesn't seal to everybody what everybody had. */
static void first_is_in_the_second(struct cluster *c, unsigned n, const struct ml_held_pair *held)
{
    const struct ml_org *org = cluster_org(c, n);
    const struct ml_fact *mon = NULL;
    assert_true(ml_keyring_pair_has(ml_session_keyring(org), &held[1].pk, &held[0].pk));
    while ((mon = ml_gov_next(ml_log_gov(org->log), ML_FACT_MON, mon)) != NULL) {
        assert_false(ml_keyring_pair_has(ml_session_keyring(org), &held[1].pk, &mon->box_pk));
    }
}

/* Whoever has a place hears of it and dials by it; whoever lost his is handed nothing. */
static void a_revocation_makes_the_next_epoch(void **state)
{
    struct cluster *c = *state;
    join(c, 2, "Paul Petit");
    assert_int_equal(epoch_of(c, 0), 1);
    revoke(c, 0, "Paul Petit");
    cluster_run(c, 60000);
    assert_int_equal(epoch_of(c, 0), 2);
    assert_int_equal(epoch_of(c, 1), 2);
    assert_int_equal(epoch_of(c, 2), 1);
    assert_memory_equal(ml_secret_bytes(c->nodes[0].identity.network_psk),
                        ml_secret_bytes(c->nodes[1].identity.network_psk), ML_KEY_BYTES);
    assert_memory_not_equal(ml_secret_bytes(c->nodes[0].identity.network_psk),
                            ml_secret_bytes(c->nodes[2].identity.network_psk), ML_KEY_BYTES);
    struct ml_held_pair held[4];
    assert_int_equal(
        ml_keyring_pairs_held(ml_session_keyring(cluster_org(c, 0)), ML_PAIR_NETWORK, held, 4),
        2); /* the first was handed too, for who comes later */
    first_is_in_the_second(c, 0, held);
    cluster_stop(c, 1);
    cluster_start(c, 1);
    story_unlock(c, 1);
    assert_int_equal(epoch_of(c, 1), 2);
    assert_int_equal(c->nodes[1].identity.past_count, 1);
}

static void nothing_changes_without_a_departure(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    join(c, 2, "Paul Petit");
    story_patient(c, 0, patient);
    cluster_run(c, 1000);
    assert_int_equal(epoch_of(c, 0), 1);
    assert_null(ml_keyring_pair(ml_session_keyring(cluster_org(c, 0)), ML_PAIR_NETWORK));
    revoke(c, 0, "Paul Petit");
    for (unsigned i = 0; i < 3; i++) {
        story_patient(c, 0, patient);
        story_patient(c, 1, patient);
        cluster_run(c, 1000);
    }
    assert_int_equal(epoch_of(c, 0), 2); /* one departure, one epoch */
    assert_int_equal(epoch_of(c, 1), 2);
}

/* Whoever is handed keys by somebody who may not make epochs goes on as before. */
static void a_member_of_rank_3_makes_no_epoch(void **state)
{
    struct cluster *c = *state;
    struct ml_org *org = cluster_org(c, 1);
    const struct ml_fact *mon = NULL;
    struct ml_box_pk to[2];
    struct ml_keys keys;
    for (size_t i = 0; i < 2; i++) {
        mon = ml_gov_next(ml_log_gov(org->log), ML_FACT_MON, mon);
        to[i] = mon->box_pk;
    }
    const struct ml_pair_args args = {
        .kind = ML_PAIR_NETWORK, .members = to, .count = 2, .number = 9};
    ml_keys_init(&keys, &c->fake.env);
    assert_int_equal(ml_keyring_make_pair(ml_session_keyring(org), &args, ml_keys_emit, &keys),
                     ML_OK);
    assert_int_equal(ml_keys_append(org, &keys), ML_OK);
    ml_keys_free(&keys);
    story_synced(c, 1);
    cluster_run(c, 1000);
    assert_int_equal(epoch_of(c, 0), 1);
    assert_int_equal(epoch_of(c, 1), 1);
}

/* ---- coming back ---- */

/* Away during three departures, she had written; nobody does anything but unlock. */
static void who_was_away_finds_the_way(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    three_join(c);
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        cluster_cut(c, 1, n, true);
    }
    story_patient(c, 1, patient);
    cluster_stop(c, 1);
    three_leave(c);
    story_patient(c, 0, patient);
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        cluster_cut(c, 1, n, false);
    }
    c->refused = c->keys_only = 0;
    c->silent[0] = true;
    cluster_start(c, 1);
    story_unlock(c, 1);
    story_synced(c, 1);
    assert_int_equal(c->refused, 0); /* what she has is answered */
    assert_int_equal(c->keys_only, 1);
    assert_int_equal(epoch_of(c, 1), 4);
    same(c, 0, 1, 2);
    cluster_stop(c, 1); /* caught up: the next link is as any */
    cluster_start(c, 1);
    story_unlock(c, 1);
    story_synced(c, 1);
    assert_int_equal(c->refused, 0);
    assert_int_equal(c->keys_only, 1);
}

/* The same when only the others dial: with what they have, the latest first, until she knows it. */
static void who_was_away_is_found(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char member[40];
    char node[40];
    struct story_request r;
    three_join(c);
    assert_true(story_find_member(c, 0, "Inès Leroy", member, node));
    cluster_stop(c, 1);
    three_leave(c);
    story_patient(c, 0, patient);
    c->silent[1] = true;
    cluster_start(c, 1);
    story_unlock(c, 1);
    cluster_run(c, 20000);
    assert_int_equal(epoch_of(c, 1), 1);
    c->refused = c->keys_only = 0;
    story_ask(&r);
    story_put(&r, "node", node);
    story_put(&r, "address", "node:1");
    story_must(&r, story_send(&r, c, 0, "peer.add"), "peer.add");
    story_end(&r);
    cluster_run(c, 200); /* no wait between the epochs */
    assert_int_equal(c->refused, 3);
    assert_int_equal(c->keys_only, 1);
    story_synced(c, 1);
    assert_int_equal(epoch_of(c, 1), 4);
    same(c, 0, 1, 1);
}

/* Who came after is handed the epochs of before, to answer who was away since then. */
static void a_newcomer_answers_who_was_away(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    char member[40];
    char node[40];
    struct story_request r;
    join(c, 2, "Paul Petit");
    assert_true(story_find_member(c, 0, "Inès Leroy", member, node));
    cluster_stop(c, 1);
    revoke(c, 0, "Paul Petit");
    join(c, 3, "Luc Roy");
    assert_int_equal(epoch_of(c, 3), 2);
    assert_int_equal(c->nodes[3].identity.past_count, 1);
    struct ml_held_pair held[2];
    assert_int_equal(
        ml_keyring_pairs_held(ml_session_keyring(cluster_org(c, 3)), ML_PAIR_NETWORK, held, 2), 2);
    first_is_in_the_second(c, 3, held);
    story_patient(c, 0, patient);
    story_synced(c, 3);
    cluster_cut(c, 0, 1, true);
    cluster_start(c, 1);
    story_unlock(c, 1);
    story_ask(&r);
    story_put(&r, "node", node);
    story_put(&r, "address", "node:1");
    story_must(&r, story_send(&r, c, 3, "peer.add"), "peer.add");
    story_end(&r);
    cluster_run(c, 60000);
    assert_int_equal(epoch_of(c, 1), 2);
    same(c, 3, 1, 1);
}

/* A computer that lost its log still has the latest epoch: in its keystore. */
static void a_lost_log_dials_by_the_latest_epoch(void **state)
{
    struct cluster *c = *state;
    join(c, 2, "Paul Petit");
    revoke(c, 0, "Paul Petit");
    cluster_run(c, 60000);
    assert_int_equal(epoch_of(c, 1), 2);
    cluster_stop(c, 1);
    cluster_stop(c, 0);
    damage_remove(c, 1, "log.db");
    damage_remove(c, 1, "vaults/*.db");
    cluster_start(c, 1);
    story_unlock(c, 1);
    assert_int_equal(epoch_of(c, 1), 2);
    cluster_start(c, 0);
    story_unlock(c, 0);
    c->refused = c->keys_only = 0;
    story_synced(c, 1);
    assert_int_equal(c->refused, 0);
    assert_int_equal(c->keys_only, 0);
    same(c, 0, 1, 0);
}

/* As many epochs more, as a coordinator's departures of years would make them. `number` 0: the next
 * ones. */
static void many_leave(struct cluster *c, uint32_t count, uint32_t number)
{
    struct ml_org *org = cluster_org(c, 0);
    struct ml_box_pk to[2];
    const struct ml_fact *mon = NULL;
    for (size_t i = 0; i < 2; i++) {
        mon = ml_gov_next(ml_log_gov(org->log), ML_FACT_MON, mon);
        to[i] = mon->box_pk;
    }
    const struct ml_pair_args args = {
        .kind = ML_PAIR_NETWORK, .members = to, .count = 2, .number = number};
    for (uint32_t i = 0; i < count; i++) {
        struct ml_keys keys;
        ml_keys_init(&keys, &c->fake.env);
        assert_int_equal(ml_keyring_make_pair(ml_session_keyring(org), &args, ml_keys_emit, &keys),
                         ML_OK);
        assert_int_equal(ml_keys_append(org, &keys), ML_OK);
        ml_keys_free(&keys);
    }
}

static void a_newcomer_is_handed_so_many_epochs(void **state)
{
    struct cluster *c = *state;
    join(c, 2, "Paul Petit");
    revoke(c, 0, "Paul Petit");
    many_leave(c, ML_NETWORK_HANDED_MAX, 0);
    assert_int_equal(epoch_of(c, 0), ML_NETWORK_HANDED_MAX + 2);
    assert_int_equal(c->nodes[0].identity.past_count, ML_NETWORK_HANDED_MAX + 1);
    join(c, 3, "Luc Roy");
    assert_int_equal(epoch_of(c, 3), ML_NETWORK_HANDED_MAX + 2);
    assert_int_equal(c->nodes[3].identity.past_count, ML_NETWORK_HANDED_MAX - 1);
}

/* A computer with an address of hers that answers nothing that is tried isn't dialled without end.
 */
static void so_many_epochs_are_tried_at_once(void **state)
{
    struct cluster *c = *state;
    char member[40];
    char node[40];
    struct story_request r;
    join(c, 2, "Paul Petit");
    assert_true(story_find_member(c, 0, "Inès Leroy", member, node));
    cluster_stop(c, 1);
    revoke(c, 0, "Paul Petit");
    many_leave(c, 2 * ML_EXCHANGE_EPOCHS_AT_ONCE, 0);
    c->silent[1] = true;
    cluster_start(c, 1);
    story_unlock(c, 1);
    cluster_run(c, 1000);
    c->refused = 0;
    story_ask(&r);
    story_put(&r, "node", node);
    story_put(&r, "address", "node:1");
    story_must(&r, story_send(&r, c, 0, "peer.add"), "peer.add");
    story_end(&r);
    cluster_run(c, 200);
    assert_int_equal(c->refused, ML_EXCHANGE_EPOCHS_AT_ONCE);
    assert_int_equal(epoch_of(c, 1), 1);
    cluster_run(c, 60000);
    assert_int_equal(c->refused, 2 * ML_EXCHANGE_EPOCHS_AT_ONCE + 1);
    assert_int_equal(epoch_of(c, 1), 2 * ML_EXCHANGE_EPOCHS_AT_ONCE + 2);
}

/* A coordinator's program went mad with numbers: the epoch stays, and everybody goes on. */
static void no_next_number_stops_nobody(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    join(c, 2, "Paul Petit");
    many_leave(c, 1, UINT32_MAX);
    story_patient(c, 0, patient);
    story_synced(c, 1);
    assert_int_equal(epoch_of(c, 1), UINT32_MAX);
    revoke(c, 0, "Inès Leroy");
    story_patient(c, 0, patient);
    assert_int_equal(epoch_of(c, 0), UINT32_MAX);
}

/* ---- two at once ---- */

/* Two of rank 2 or better take a place away while apart: two epochs of one number, each held by one
 * who left. They meet by the one before. */
static void two_revoke_apart(struct cluster *c)
{
    story_join_ranked(c, 0, 2, "Dr Luc Petit", 2);
    story_synced(c, 2);
    join(c, 3, "Luc Roy");
    join(c, 4, "Eve Roux");
    story_synced(c, 2);
    cluster_cut(c, 0, 2, true);
    revoke(c, 0, "Luc Roy");
    revoke(c, 2, "Eve Roux");
    cluster_run(c, 1000);
    assert_int_equal(epoch_of(c, 0), 2);
    assert_int_equal(epoch_of(c, 2), 2);
    assert_memory_not_equal(ml_secret_bytes(c->nodes[0].identity.network_psk),
                            ml_secret_bytes(c->nodes[2].identity.network_psk), ML_KEY_BYTES);
    cluster_cut(c, 0, 2, false);
    story_synced(c, 2);
}

/* The nurse sees that both are held by who left, and leaves the next one to who may make it. */
static void rank_3_waits_for_who_may(void **state)
{
    struct cluster *c = *state;
    two_revoke_apart(c);
    story_synced(c, 1);
    const uint64_t last = ml_log_last(cluster_org(c, 1)->log);
    assert_int_equal(ml_network_tend(cluster_org(c, 1)), ML_OK);
    assert_int_equal(ml_log_last(cluster_org(c, 1)->log), last);
    const uint64_t lasts = ml_log_last(cluster_org(c, 0)->log);
    assert_int_equal(ml_network_tend(cluster_org(c, 0)), ML_OK);
    assert_true(ml_log_last(cluster_org(c, 0)->log) > lasts); /* there was something to do */
}

/* One more epoch leaves out both who left; then nothing more. */
static void two_epochs_of_one_number_meet(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    two_revoke_apart(c);
    for (unsigned i = 0; i < 4; i++) {
        story_patient(c, i % 2 == 0 ? 0 : 2, patient);
        cluster_run(c, 60000);
    }
    story_synced(c, 2);
    assert_int_equal(epoch_of(c, 0), 3);
    assert_int_equal(epoch_of(c, 2), 3);
    assert_int_equal(epoch_of(c, 1), 3);
    assert_memory_equal(ml_secret_bytes(c->nodes[0].identity.network_psk),
                        ml_secret_bytes(c->nodes[2].identity.network_psk), ML_KEY_BYTES);
    same(c, 0, 2, 4);
    same(c, 0, 1, 4);
}

/* ---- the makers are out ---- */

/* Two référents suspend each other, each heard by one side alone: {0, 2} and {1, 3}. Either side
 * follows an epoch that the one it heard made; then all hear of both. 4 is a third référent. */
static void duel(struct cluster *c)
{
    story_join_ranked(c, 0, 2, "Dr Luc Petit", 2);
    story_synced(c, 2);
    story_join_ranked(c, 0, 3, "Dr Eve Roux", 2);
    story_synced(c, 3);
    story_join_ranked(c, 0, 4, "Dr Anne Roy", 2);
    story_synced(c, 4);
    story_synced(c, 1);
    story_synced(c, 2);
    story_synced(c, 3);
    story_address(c, 1, 3, 3);
    cluster_stop(c, 4);
    apart(c, true);
    deny(c, 2, "Dr Eve Roux", "member.suspend");
    deny(c, 3, "Dr Luc Petit", "member.suspend");
    cluster_run(c, 60000);
    assert_int_equal(epoch_of(c, 0), 2);
    assert_int_equal(epoch_of(c, 1), 2);
    assert_memory_not_equal(ml_secret_bytes(c->nodes[0].identity.network_psk),
                            ml_secret_bytes(c->nodes[1].identity.network_psk), ML_KEY_BYTES);
}

static void all_dial_by(struct cluster *c, unsigned by, uint32_t number)
{
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        const bool out = n == 2 || n == 3;
        const bool same =
            memcmp(ml_secret_bytes(c->nodes[n].identity.network_psk),
                   ml_secret_bytes(c->nodes[by].identity.network_psk), ML_KEY_BYTES) == 0;
        assert_int_equal(same, !out);
        assert_int_equal(epoch_of(c, n), out ? 2 : number);
    }
}

/* The others would meet for ever by what both who are out hold: who is first makes the next. */
static void who_is_left_makes_the_next_epoch(void **state)
{
    struct cluster *c = *state;
    struct ml_held_pair held[4];
    duel(c);
    apart(c, false);
    cluster_start(c, 4);
    story_unlock(c, 4);
    cluster_run(c, 400000);
    all_dial_by(c, 0, 3);
    const struct ml_keyring *k = ml_session_keyring(cluster_org(c, 0));
    assert_int_equal(ml_keyring_pairs_held(k, ML_PAIR_NETWORK, held, 4), 4); /* 3; two of 2; 1 */
    assert_int_equal(held[0].number, 3);
    assert_int_equal(held[1].number, 2);
    assert_int_equal(held[3].number, 1);
}

/* The coordinator went home: the référent waits for her turn, and then doesn't. */
static void who_is_next_makes_it_when_the_first_does_not(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    duel(c);
    story_ask(&r);
    story_must(&r, story_send(&r, c, 0, "session.lock"), "session.lock");
    story_end(&r);
    apart(c, false);
    cluster_start(c, 4);
    story_unlock(c, 4);
    cluster_run(c, ML_NETWORK_TURN_MS / 2);
    assert_int_equal(epoch_of(c, 4), 2);
    cluster_run(c, ML_NETWORK_TURN_MS);
    story_unlock(c, 4); /* ten minutes without a call had locked it */
    cluster_run(c, 60000);
    assert_int_equal(epoch_of(c, 4), 3);
    story_unlock(c, 0);
    story_unlock(c, 1);
    cluster_run(c, 400000);
    all_dial_by(c, 4, 3);
}

/* ---- who is left out ---- */

/* He holds the old epoch, and is answered: that he has no place, and no more (drain). */
static void who_left_gets_nothing_by_his_epoch(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    struct story_proof here;
    struct story_proof there;
    join(c, 2, "Paul Petit");
    cluster_cut(c, 0, 2, true);
    cluster_cut(c, 1, 2, true);
    revoke(c, 0, "Paul Petit");
    story_patient(c, 0, patient);
    story_synced(c, 1);
    cluster_cut(c, 0, 2, false);
    cluster_cut(c, 1, 2, false);
    cluster_run(c, 400000);
    story_verify(c, 0, &here);
    story_verify(c, 2, &there);
    assert_int_equal(here.patients, 1);
    assert_int_equal(there.patients, 0);
    assert_int_equal(epoch_of(c, 2), 1);
    assert_int_equal(c->nodes[2].identity.past_count, 0);
    assert_null(ml_keyring_pair(ml_session_keyring(cluster_org(c, 2)), ML_PAIR_NETWORK));
}

/* ---- failures ---- */

/* The nth allocation fails: the epoch is made in the end, and is the next one. */
static void no_failed_allocation_loses_the_next_epoch(void **state)
{
    struct cluster *c = *state;
    struct ml_org *org = NULL;
    bool spared = false;
    two_revoke_apart(c);
    org = cluster_org(c, 0);
    assert_int_equal(epoch_of(c, 0), 2);
    for (long n = 1; !spared; n++) {
        c->fake.fail_alloc = n;
        const ml_err err = ml_network_tend(org);
        spared = fake_spared(&c->fake);
        assert_int_equal(err, spared ? ML_OK : ML_E_NOMEM);
        assert_true(spared || epoch_of(c, 0) == 2 || n > 5);
    }
    story_synced(c, 2);
    cluster_run(c, 60000);
    assert_int_equal(epoch_of(c, 0), 3);
    assert_int_equal(epoch_of(c, 2), 3);
}

/* The nth allocation fails: what is held stays, and the next turn takes the rest. */
static void no_failed_allocation_loses_an_epoch(void **state)
{
    struct cluster *c = *state;
    struct ml_org *org = cluster_org(c, 0);
    bool spared = false;
    long n = 0;
    join(c, 2, "Paul Petit");
    revoke(c, 0, "Paul Petit");
    assert_int_equal(epoch_of(c, 0), 2);
    struct ml_network net = {.count = 0};
    assert_int_equal(ml_network_open(&net, org), ML_OK);
    while (!spared) {
        bool changed = false;
        c->fake.fail_alloc = ++n;
        const ml_err err = ml_network_take(&net, org, &changed);
        spared = fake_spared(&c->fake);
        assert_true(err == ML_OK || (err == ML_E_NOMEM && net.count == 1));
    }
    assert_int_equal(net.count, 2);
    ml_network_free(&net);
    spared = false;
    for (n = 0; !spared;) {
        const size_t own = ml_log_last(org->log);
        c->fake.fail_alloc = ++n;
        const ml_err err = ml_network_tend(org);
        spared = fake_spared(&c->fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_int_equal(ml_log_last(org->log), own); /* there is nothing to do */
    }
    assert_true(n > 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_revocation_makes_the_next_epoch),
        TEST(nothing_changes_without_a_departure),
        TEST(a_member_of_rank_3_makes_no_epoch),
        TEST(who_was_away_finds_the_way),
        TEST(who_was_away_is_found),
        TEST(a_newcomer_answers_who_was_away),
        TEST(a_lost_log_dials_by_the_latest_epoch),
        TEST(a_newcomer_is_handed_so_many_epochs),
        TEST(so_many_epochs_are_tried_at_once),
        TEST(no_next_number_stops_nobody),
        TEST(rank_3_waits_for_who_may),
        TEST(two_epochs_of_one_number_meet),
        TEST(who_is_left_makes_the_next_epoch),
        TEST(who_is_next_makes_it_when_the_first_does_not),
        TEST(who_left_gets_nothing_by_his_epoch),
        TEST(no_failed_allocation_loses_the_next_epoch),
        TEST(no_failed_allocation_loses_an_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
