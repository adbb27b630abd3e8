/* tests/sim/sim_adversary_deny.c -- adversaries who are being removed, or who remove others. */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/msg.h"
#include "net/node/govern.h"
#include "net/node/state.h"
#include "net/node/turn.h"
#include "sim_adversary.h"

enum { CHIEF, SECOND, COLLEAGUE, ROGUE };
enum { NET_TURNS = 20 };

#define HOUR_MS INT64_C(3600000)

/* ---- after a theft ---- */

/* His clock is before it all, and who hasn't heard of his revocation shows what he writes. */
static void writes_on(struct adv *a)
{
    adv_part(a, "01|23");
    adv_revoke(a, CHIEF, ROGUE, "compromise");
    const uint64_t revoked_ms = a->s->nodes[CHIEF].env.wall_ms(a->s->nodes[CHIEF].env.ctx);
    adv_clock(a, ROGUE, -HOUR_MS - (int64_t)sim_below(a->s, 9 * (uint64_t)HOUR_MS));
    const unsigned late = adv_note(a, ROGUE);
    if (adv_hlc_ms(a, ROGUE, &a->notes[late].bundle) > revoked_ms) {
        sim_fail(a->s, "what it signs isn't dated back");
    }
    adv_weather(a);
    adv_meet(a, 1u << COLLEAGUE | 1u << ROGUE);
    adv_must_show(a, COLLEAGUE, late, true);
    (void)adv_note(a, COLLEAGUE);
    (void)adv_note(a, CHIEF);
    adv_falls(a, late);
    a->honest = ADV_BUT(ROGUE);
    a->attacks++;
}

static void backdating(struct adv *a)
{
    (void)adv_note(a, ROGUE);
    adv_meet(a, ADV_EVERYBODY);
    writes_on(a);
}

/* What a relay that wants to keep somebody in office lets through. */
static bool but_governance(void *user, unsigned from, unsigned to, struct ml_slice wire)
{
    struct adv *a = user;
    struct ml_bundle bundle;
    (void)to;
    const bool governs =
        ml_bundle_decode(&bundle, wire, NULL) == ML_OK && bundle.header.lane == ML_LANE_GOVERNANCE;
    a->attacks += from == COLLEAGUE && governs;
    return from != COLLEAGUE || !governs;
}

static bool is_withheld(struct adv *a)
{
    return a->attacks > 0;
}

static void withheld(struct adv *a)
{
    adv_cut(a, CHIEF, SECOND, true);
    adv_cut(a, CHIEF, ROGUE, true);
    a->s->wire = (struct sim_wire){.lets = but_governance, .user = a};
    adv_revoke(a, CHIEF, ROGUE, "compromise");
    (void)adv_note(a, CHIEF);
    const unsigned late = adv_note(a, ROGUE);
    adv_weather(a);
    adv_meet(a, 1u << SECOND | 1u << ROGUE);
    adv_must_show(a, SECOND, late, true);
    (void)adv_note(a, SECOND);
    adv_until(a, is_withheld, "that the relay holds the revocation back");
    adv_must_know(a, COLLEAGUE, ROGUE, 0);
    adv_must_know(a, SECOND, ROGUE, a->of->ranks[ROGUE]);
    adv_must_show(a, SECOND, late, true);
    a->s->wire = (struct sim_wire){.user = NULL};
    adv_falls(a, late);
    a->honest = ADV_BUT(ROGUE);
}

static void rogue_out(struct adv *a)
{
    adv_must_rank(a, a->s->nodes[ROGUE].member, 0);
}

/* A colleague who hasn't heard cites what the other one wrote: after a theft that helps nothing,
 * after a departure until somebody who knows of it has sealed what there is. */
static void witness(struct adv *a)
{
    const unsigned kind = (unsigned)(a->s->options.seed % 3);
    adv_part(a, "01|23");
    adv_revoke(a, CHIEF, ROGUE, kind == 0 ? "compromise" : "departure");
    if (kind == 1) {
        adv_checkpoint(a, CHIEF);
    }
    const unsigned late = adv_note(a, ROGUE);
    adv_meet(a, 1u << COLLEAGUE | 1u << ROGUE);
    adv_must_show(a, COLLEAGUE, late, true);
    adv_must_know(a, COLLEAGUE, ROGUE, a->of->ranks[ROGUE]);
    const unsigned cites = adv_note(a, COLLEAGUE);
    adv_must_cite(a, COLLEAGUE, cites, late);
    if (kind != 2) {
        adv_falls(a, late);
    }
    a->honest = ADV_BUT(ROGUE);
    a->attacks++;
}

/* ---- coordinators ---- */

static void duel(struct adv *a)
{
    adv_part(a, "02|13");
    adv_suspend(a, CHIEF, SECOND);
    adv_must_know(a, SECOND, SECOND, ADV_COORDINATOR);
    adv_suspend(a, SECOND, CHIEF);
    adv_must_know(a, CHIEF, SECOND, 0);
    adv_must_know(a, SECOND, CHIEF, 0);
    (void)adv_note(a, COLLEAGUE);
    (void)adv_note(a, ROGUE);
    a->honest = 1u << COLLEAGUE | 1u << ROGUE;
    a->attacks++;
}

static const struct ml_secret *network_of(const struct adv *a, unsigned node)
{
    const struct ml_node *n = a->s->nodes[node].node;
    return n == NULL || n->orgs == NULL ? NULL : n->orgs->secrets.network;
}

static bool is_left(unsigned node)
{
    return node == COLLEAGUE || node == ROGUE;
}

/* Whose secret isn't as it must be: those who are left dial by one that neither of the two holds
 * (rules B17). SIM_TWIN: nobody's. */
static unsigned net_mixed(const struct adv *a)
{
    const struct ml_secret *theirs = network_of(a, COLLEAGUE);
    unsigned i = 0;
    for (; i < SIM_TWIN; i++) {
        const struct ml_secret *net = network_of(a, i);
        if (theirs == NULL ||
            (net != NULL ? is_left(i) != ml_secret_equal(theirs, net) : is_left(i))) {
            break;
        }
    }
    return i;
}

/* A machine that crashed knows one epoch, its keystore's, until somebody unlocks it: who is out may
 * be let in no more, and says what he did by those before while he still is. */
static void both_try(struct adv *a)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if (!is_left(i) && a->s->nodes[i].node != NULL && a->s->nodes[i].token_len == 0) {
            (void)sim_unlock(a->s, i);
        }
    }
}

/* What both said goes round once their machines run again; the next epoch comes within a minute of
 * it, or by the second in rank after ten. */
static void net_apart(struct adv *a)
{
    unsigned mixed = 0;
    for (unsigned turn = 0; turn < NET_TURNS && mixed < SIM_TWIN; turn++) {
        both_try(a);
        sim_run(a->s, 60000);
        adv_meet(a, a->honest);
        mixed = net_mixed(a);
    }
    if (mixed < SIM_TWIN) {
        sim_fail(a->s, "node %u %s the network's secret of those who are left", mixed,
                 is_left(mixed) ? "lacks" : "holds");
    }
}

static void both_out(struct adv *a)
{
    net_apart(a);
    adv_must_rank(a, a->s->nodes[CHIEF].member, 0);
    adv_must_rank(a, a->s->nodes[SECOND].member, 0);
    adv_must_rank(a, a->s->nodes[COLLEAGUE].member, a->of->ranks[COLLEAGUE]);
    adv_must_rank(a, a->s->nodes[ROGUE].member, a->of->ranks[ROGUE]);
}

/* With a référent's hand beside his own. */
static void two_revoke(struct adv *a, unsigned actor, unsigned second, unsigned whom)
{
    const unsigned both = 1u << actor | 1u << second;
    adv_propose_revoke(a, actor, whom);
    adv_meet(a, both);
    adv_cosign(a, second);
    adv_meet(a, both);
    adv_cosign(a, actor);
    adv_meet(a, both);
    adv_must_know(a, actor, whom, 0);
    adv_must_know(a, second, whom, 0);
    a->attacks++;
}

static void crossing(struct adv *a)
{
    adv_part(a, "02|13");
    two_revoke(a, CHIEF, COLLEAGUE, SECOND);
    adv_must_know(a, SECOND, SECOND, ADV_COORDINATOR);
    two_revoke(a, SECOND, ROGUE, CHIEF);
    (void)adv_note(a, COLLEAGUE);
    (void)adv_note(a, ROGUE);
    a->honest = 1u << COLLEAGUE | 1u << ROGUE;
}

/* Of somebody without a computer. */
static void stranger_add(struct adv *a, unsigned by)
{
    struct sim_call c;
    adv_awake(a, 1u << by);
    sim_ask(&c);
    sim_put(&c, "name", "Paul Garnier");
    ml_args_key(c.args, "role");
    ml_args_int(c.args, 10);
    ml_err err = sim_send(&c, a->s, by, "member.add");
    snprintf(a->stranger, sizeof(a->stranger), "%s", ml_value_text(sim_get(&c, "member"), ""));
    if (err != ML_OK) {
        sim_fail(a->s, "node %u takes nobody in: %s", by, ml_err_name(err));
    }
    sim_call_end(&c);
}

/* A changed program denies without any cut: of each chain nothing would count. */
static void deny_all(struct adv *a, unsigned by, unsigned whom)
{
    struct ml_govop op = {.type = ML_GOVOP_DENY, .must_understand = true};
    const char *hex = a->s->nodes[whom].member;
    struct ml_org *org = adv_org(a, by);
    bool counts = false;
    op.u.deny.mode = ML_DENY_COMPROMISE;
    ml_err err = ml_hex_decode(op.u.deny.member.b, sizeof(op.u.deny.member.b), hex, strlen(hex));
    err = org == NULL || err != ML_OK ? ML_E_INVALID : ml_govern_say(org, &op, false, &counts);
    if (err != ML_OK) {
        sim_fail(a->s, "node %u can't deny: %s", by, ml_err_name(err));
        return;
    }
    ml_org_after_call(org);
    ml_node_wake(org->node);
    a->attacks++;
}

static void adopt(struct adv *a, unsigned by, unsigned note)
{
    char hex[SIM_HASH] = "";
    const struct sim_bundle *b = sim_witness_find(a->s, a->notes[note].bundle.b);
    if (b != NULL) {
        ml_hex_encode(hex, b->hash.b, sizeof(b->hash.b));
    }
    const char *const texts[][2] = {{"bundle", hex}, {NULL, NULL}};
    adv_do(a, by, "quarantine.adopt", texts);
}

/* He whom it takes had removed somebody, written, been sealed by a checkpoint, and written. */
static void cut_0(struct adv *a)
{
    stranger_add(a, CHIEF);
    adv_meet(a, ADV_EVERYBODY);
    const char *const texts[][2] = {{"member", a->stranger}, {NULL, NULL}};
    adv_do(a, ROGUE, "member.revoke", texts);
    (void)adv_note(a, ROGUE);
    adv_meet(a, ADV_EVERYBODY);
    adv_checkpoint(a, CHIEF);
    const unsigned later = adv_note(a, ROGUE);
    adv_meet(a, ADV_EVERYBODY);
    adv_part(a, "0|12|3");
    adv_must_show(a, CHIEF, later, true);
    deny_all(a, SECOND, ROGUE);
    adv_must_know(a, SECOND, ROGUE, 0);
    adv_must_show(a, SECOND, later, false);
    adv_falls(a, later);
    adv_weather(a);
    a->honest = ADV_BUT(ROGUE);
    if (sim_chance(a->s, 500)) { /* and somebody takes in again what it took */
        adv_part(a, "012|3");
        adv_meet(a, ADV_BUT(ROGUE));
        adv_must_show(a, COLLEAGUE, later, false);
        adopt(a, CHIEF, later);
        a->notes[later].stands = true;
    }
}

static void cut_0_check(struct adv *a)
{
    adv_must_rank(a, a->stranger, 0);
    adv_must_rank(a, a->s->nodes[ROGUE].member, 0);
    adv_must_rank(a, a->s->nodes[COLLEAGUE].member, a->of->ranks[COLLEAGUE]);
}

/* He takes people in as long as he can: they join, and write. */
static void grant(struct adv *a)
{
    adv_part(a, "02|13");
    two_revoke(a, CHIEF, COLLEAGUE, SECOND);
    adv_join(a, SECOND, ROGUE, 3);
    sim_introduce_new(a->s, ROGUE);
    adv_meet(a, 1u << SECOND | 1u << ROGUE);
    const unsigned note = adv_note(a, ROGUE);
    adv_meet(a, 1u << SECOND | 1u << ROGUE);
    adv_must_show(a, SECOND, note, true);
    adv_must_know(a, SECOND, ROGUE, 3);
    adv_falls(a, note);
    (void)adv_note(a, COLLEAGUE);
    a->honest = 1u << CHIEF | 1u << COLLEAGUE;
}

static void grant_check(struct adv *a)
{
    adv_must_rank(a, a->s->nodes[ROGUE].member, 0);
    adv_must_rank(a, a->s->nodes[SECOND].member, 0);
}

const struct adversary sim_adversaries_deny[] = {
    {"backdating",
     "what a stolen key signs with an earlier time after its revocation counts nowhere, also where "
     "it had been shown; what it signed before does",
     {1, 2, 3, 3},
     0,
     backdating,
     rogue_out},
    {"idle-lane",
     "a lane that a stolen key had never used is no way back: its first record counts nowhere",
     {1, 2, 3, 3},
     0,
     writes_on,
     rogue_out},
    {"withheld",
     "where a relay lets everything through but governance the revoked one is shown until it "
     "comes; "
     "then each node judges as if it had come first",
     {1, 2, 3, 3},
     0,
     withheld,
     rogue_out},
    {"witness",
     "a citation by who hasn't heard helps what was written after a departure, until a checkpoint "
     "seals it; after a theft it helps nothing",
     {1, 2, 3, 3},
     0,
     witness,
     rogue_out},
    {"duel",
     "two coordinators who suspend each other are both out, and the others go on",
     {1, 1, 2, 3},
     0,
     duel,
     both_out},
    {"crossing",
     "of two pairs who revoke each other's first, {A,C} and {B,D}, A and B are out, C and D go on",
     {1, 1, 2, 2},
     0,
     crossing,
     both_out},
    {"cut-0",
     "who alone denies with a cut of nothing takes the records since the last checkpoint, until "
     "somebody adopts them: neither those before nor governance that he had seen",
     {1, 1, 3, 2},
     0,
     cut_0,
     cut_0_check},
    {"grant",
     "whom somebody takes in while he is being removed is no member, and what he writes counts "
     "nowhere",
     {1, 1, 2, 0},
     0,
     grant,
     grant_check},
    {0},
};
