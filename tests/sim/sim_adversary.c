/* tests/sim/sim_adversary.c -- where stories of adversaries take place: see sim_adversary.h. */
#include "sim_adversary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "net/node/govern.h"
#include "net/node/state.h"

enum { MEET_TURNS = 60, MEET_MS = 5000, AWAKE_TURNS = 20, DOCTOR = 10 };

static bool is_in(unsigned nodes, unsigned node)
{
    return (nodes >> node & 1u) != 0;
}

/* ---- lines ---- */

static void links_cut(struct sim *s, unsigned one, unsigned other)
{
    for (unsigned i = 0; i < s->link_count; i++) {
        const struct sim_link *l = &s->links[i];
        if ((l->end[0] == one && l->end[1] == other) || (l->end[0] == other && l->end[1] == one)) {
            sim_link_drop(s, i + 1, ML_E_UNREACHABLE);
        }
    }
}

void adv_cut(struct adv *a, unsigned one, unsigned other, bool cut)
{
    a->apart[one][other] = a->apart[other][one] = cut;
    a->s->paths[one][other].cut = a->s->paths[other][one].cut = cut;
    if (cut) {
        links_cut(a->s, one, other);
    }
}

void adv_part(struct adv *a, const char *groups)
{
    unsigned group[SIM_TWIN] = {0};
    unsigned at = 1;
    sim_say(a->s, "from here on: %s", groups);
    for (; *groups != '\0'; groups++) {
        if (*groups == '|') {
            at++;
        } else {
            group[*groups - '0'] = at;
        }
    }
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        for (unsigned k = 0; k < i; k++) {
            adv_cut(a, i, k, group[i] != group[k]);
        }
    }
}

static void lines_well(struct adv *a)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        for (unsigned k = 0; k < SIM_TWIN; k++) {
            struct sim_path *p = &a->s->paths[i][k];
            *p = (struct sim_path){.delay_ms = p->delay_ms, .cut = a->apart[i][k]};
        }
    }
}

static void line_spoil(struct sim *s, struct sim_path *p)
{
    p->delay_ms = 1 + (uint32_t)sim_below(s, 400);
    p->lost = (uint32_t)sim_below(s, 80);
    p->doubled = (uint32_t)sim_below(s, 40);
    p->reordered = (uint32_t)sim_below(s, 40);
    if (sim_chance(s, 200)) {
        p->stalled_until_ms = s->now_ms + 1 + sim_below(s, 10000);
    }
    s->count.of[SIM_NET_STALL]++;
}

static void machine_falls(struct sim *s)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_PREFIX, FAULT_KEEP_RANDOM,
                                            FAULT_KEEP_ALL};
    const unsigned n = (unsigned)sim_below(s, SIM_TWIN);
    const bool forges = s->wire.len > 0 && s->wire.from == n; /* what it knows of its chain stays */
    if (s->nodes[n].node != NULL && s->nodes[n].joined && !forges) {
        sim_node_crash(s, n, keeps[sim_below(s, 4)]);
    }
}

void adv_weather(struct adv *a)
{
    struct sim *s = a->s;
    for (unsigned i = 0; i < SIM_TWIN * SIM_TWIN; i++) {
        if (!a->apart[i / SIM_TWIN][i % SIM_TWIN] && sim_chance(s, 400)) {
            line_spoil(s, &s->paths[i / SIM_TWIN][i % SIM_TWIN]);
        }
    }
    if (sim_chance(s, 300)) {
        machine_falls(s);
    }
    sim_run(s, 1000 + sim_below(s, 20000));
    sim_check_now(s);
}

void adv_clock(struct adv *a, unsigned node, int64_t offset_ms)
{
    a->s->nodes[node].wall_offset_ms = offset_ms;
    a->s->nodes[node].clock_moved = true;
}

/* ---- who is there ---- */

static bool awake(struct sim *s, unsigned nodes)
{
    bool all = true;
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        struct sim_node *n = &s->nodes[i];
        if (!is_in(nodes, i) || !n->joined) {
            continue;
        }
        if (n->node == NULL && n->start_at_ms == 0) {
            n->start_at_ms = s->now_ms + 1;
        }
        if (n->node != NULL && n->token_len == 0) {
            ml_err err = sim_unlock(s, i);
            sim_say(s, "somebody comes to node %u: %s", i, ml_err_name(err));
        }
        all = all && sim_node_ready(s, i);
    }
    return all;
}

void adv_awake(struct adv *a, unsigned nodes)
{
    for (unsigned turn = 0; turn < AWAKE_TURNS; turn++) {
        if (awake(a->s, nodes)) {
            return;
        }
        sim_run(a->s, MEET_MS);
    }
    sim_fail(a->s, "nobody can be at a machine of %x", nodes);
}

struct proof {
    char state[72];
    char view[72];
    int64_t waiting;
};

static bool prove(struct sim *s, unsigned node, struct proof *p)
{
    struct sim_call c;
    sim_ask(&c);
    ml_err err = sim_send(&c, s, node, "verify");
    snprintf(p->state, sizeof(p->state), "%s", ml_value_text(sim_get(&c, "state_hash"), ""));
    snprintf(p->view, sizeof(p->view), "%s", ml_value_text(sim_get(&c, "view_hash"), ""));
    p->waiting = ml_value_int(sim_get(&c, "bodies_missing"), -1);
    const bool ok = err == ML_OK && strcmp(ml_value_text(sim_get(&c, "integrity"), ""), "ok") == 0;
    if (!ok) {
        sim_say(s, "node %u doesn't verify: %s", node, c.lost ? "no answer" : ml_err_name(err));
    }
    if (!ok && err != ML_E_LOCKED && !c.lost) {
        sim_fail(s, "node %u doesn't verify: %s", node, ml_err_name(err));
    }
    sim_call_end(&c);
    return ok;
}

static bool are_equal(struct sim *s, unsigned nodes, struct proof proofs[SIM_TWIN])
{
    const struct proof *first = NULL;
    bool equal = true;
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if (!is_in(nodes, i) || !s->nodes[i].joined) {
            continue;
        }
        if (!prove(s, i, &proofs[i])) {
            return false;
        }
        first = first == NULL ? &proofs[i] : first;
        equal = equal && proofs[i].waiting == 0 && strcmp(first->state, proofs[i].state) == 0 &&
                strcmp(first->view, proofs[i].view) == 0;
    }
    return equal;
}

static void sync_each(struct sim *s, unsigned nodes)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if (is_in(nodes, i) && sim_node_ready(s, i)) {
            struct sim_call c;
            sim_ask(&c);
            (void)sim_send(&c, s, i, "sync.now");
            sim_call_end(&c);
        }
    }
}

void adv_meet(struct adv *a, unsigned nodes)
{
    struct proof proofs[SIM_TWIN] = {0};
    lines_well(a);
    for (unsigned turn = 0; turn < MEET_TURNS && a->s->failure[0] == '\0'; turn++) {
        adv_awake(a, nodes);
        sync_each(a->s, nodes);
        sim_run(a->s, MEET_MS);
        if (are_equal(a->s, nodes, proofs)) {
            sim_check_now(a->s);
            return;
        }
    }
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if (is_in(nodes, i)) {
            a->s->diverged++;
            sim_fail(a->s, "%x don't say the same: node %u %.12s %.12s, %" PRId64 " bodies missing",
                     nodes, i, proofs[i].state, proofs[i].view, proofs[i].waiting);
            sim_say_links(a->s, i);
        }
    }
}

/* What a patient decides sets an exchange going, which traces don't (rules B23), and no place that
 * something was forged for is taken by it. */
static void something_sent(struct adv *a, unsigned node)
{
    const char *const texts[][2] = {
        {"patient", a->patient}, {"person", a->s->nodes[0].member}, {NULL, NULL}};
    struct sim_call c;
    (void)adv_send(a, node, "consent.give", texts, &c);
    sim_call_end(&c);
}

void adv_until(struct adv *a, adv_is *is, const char *what)
{
    unsigned turn = 0;
    for (; turn < MEET_TURNS && a->s->failure[0] == '\0' && !is(a); turn++) {
        lines_well(a);
        (void)awake(a->s, ADV_EVERYBODY); /* who was revoked may not be back */
        if (a->s->wire.len > 0) {
            something_sent(a, a->s->wire.from);
        }
        sync_each(a->s, ADV_EVERYBODY);
        sim_run(a->s, MEET_MS);
    }
    if (turn == MEET_TURNS) {
        sim_fail(a->s, "nothing was tried: %s never came about", what);
    }
}

static unsigned forged_judged(const struct adv *a)
{
    unsigned judged = 0;
    for (unsigned i = 0; i <= ML_LOG_REFUSED; i++) {
        judged += a->s->wire.judged[i];
    }
    return judged;
}

static bool is_forged_judged(struct adv *a)
{
    return forged_judged(a) > 0;
}

void adv_reach(struct adv *a)
{
    adv_weather(a);
    adv_until(a, is_forged_judged, "that somebody's log judges what was forged");
}

/* How many pairs still don't hear of each other. */
static unsigned some_mend(struct adv *a)
{
    unsigned left = 0;
    for (unsigned p = 0; p < SIM_TWIN * SIM_TWIN; p++) {
        const unsigned i = p / SIM_TWIN;
        const unsigned k = p % SIM_TWIN;
        if (a->apart[i][k] && i < k && sim_chance(a->s, 300)) {
            adv_cut(a, i, k, false);
        }
        left += a->apart[i][k];
    }
    return left;
}

/* Pair after pair, in any order, the lines are well again. */
static void all_meet(struct adv *a)
{
    unsigned left = 0;
    sim_say(a->s, "all meet again");
    do {
        left = some_mend(a);
        adv_weather(a);
    } while (left > 0);
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        a->s->nodes[i].wall_offset_ms = 0;
    }
    adv_meet(a, a->honest);
}

/* ---- a story ---- */

static void promote(struct adv *a, unsigned node)
{
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    bool counts = false;
    const char *hex = a->s->nodes[node].member;
    op.u.member_add.rank = ADV_COORDINATOR;
    op.u.member_add.role = DOCTOR;
    ml_err err = ml_hex_decode(op.u.member_add.member.b, 16, hex, strlen(hex));
    struct ml_org *org = adv_org(a, 0);
    err = org == NULL || err != ML_OK ? ML_E_INVALID : ml_govern_say(org, &op, true, &counts);
    if (err != ML_OK) {
        sim_fail(a->s, "nobody is made a coordinator: %s", ml_err_name(err));
        return;
    }
    adv_meet(a, ADV_EVERYBODY);
    for (unsigned i = 1; i <= SIM_TWIN; i++) { /* he who proposed it says it last */
        const unsigned by = i % SIM_TWIN;
        if (by != node && a->s->nodes[by].joined && a->of->ranks[by] <= ADV_REFERENT) {
            adv_cosign(a, by);
            adv_meet(a, ADV_EVERYBODY);
        }
    }
    adv_must_rank(a, hex, ADV_COORDINATOR);
}

static void begin(struct adv *a)
{
    struct sim *s = a->s;
    struct sim_call c;
    if (!sim_found(s, 0)) {
        sim_fail(s, "no structure came about");
        return;
    }
    for (unsigned i = 1; i < SIM_TWIN; i++) {
        s->roles[i] = i == SIM_TWIN - 1 && a->of->role != 0 ? a->of->role : DOCTOR;
        if (a->of->ranks[i] != 0) {
            adv_join(a, 0, i, a->of->ranks[i] == ADV_COORDINATOR ? ADV_REFERENT : a->of->ranks[i]);
        }
    }
    if (!sim_introduce(s)) {
        sim_fail(s, "nobody knows where the others are");
    }
    adv_meet(a, ADV_EVERYBODY);
    for (unsigned i = 1; i < SIM_TWIN; i++) {
        if (a->of->ranks[i] == ADV_COORDINATOR) {
            promote(a, i);
        }
    }
    sim_ask(&c);
    sim_put(&c, "entity", "patient");
    ml_args_key(c.args, "fields");
    ml_args_map(c.args);
    sim_put(&c, "birth_name", "MARTIN");
    sim_put(&c, "birth_given_names", "Camille");
    sim_put(&c, "birth_date", "1979-03-28");
    sim_put(&c, "sex", "F");
    ml_args_end(c.args);
    ml_err err = sim_send(&c, s, 0, "record.add");
    snprintf(a->patient, sizeof(a->patient), "%s", ml_value_text(sim_get(&c, "object"), ""));
    if (err != ML_OK) {
        sim_fail(s, "no patient: %s %s", ml_err_name(err), ml_value_text(sim_get(&c, "text"), ""));
    }
    sim_call_end(&c);
    adv_meet(a, ADV_EVERYBODY);
}

static bool are_fallen_met(struct adv *a)
{
    bool met = true;
    for (unsigned k = 0; k < a->count; k++) {
        met = met && (a->notes[k].stands || adv_is_met(a, k));
    }
    return met;
}

/* What mustn't stand was met, and is refused where it is. */
static void fallen_check(struct adv *a)
{
    for (unsigned k = 0; k < a->count * SIM_TWIN; k++) {
        const struct adv_note *n = &a->notes[k / SIM_TWIN];
        if (!n->stands && is_in(a->honest, k % SIM_TWIN) &&
            adv_verdict(a, k % SIM_TWIN, &n->bundle) == ML_VERDICT_ACCEPTED) {
            sim_fail(a->s, "node %u accepts « %s »", k % SIM_TWIN, n->text);
        }
    }
}

static void notes_check(struct adv *a)
{
    fallen_check(a);
    for (unsigned k = 0; k < a->count * SIM_TWIN; k++) {
        const unsigned i = k % SIM_TWIN;
        if (is_in(a->honest, i) && a->s->nodes[i].joined) {
            adv_must_show(a, i, k / SIM_TWIN, a->notes[k / SIM_TWIN].stands);
        }
    }
}

static void play(const struct adversary *of, struct sim *s)
{
    struct adv a = {.s = s, .of = of, .honest = ADV_EVERYBODY};
    sim_say(s, "%s: %s", of->name, of->holds);
    begin(&a);
    if (s->failure[0] == '\0') {
        adv_weather(&a);
        adv_meet(&a, ADV_EVERYBODY);
        of->move(&a);
    }
    if (s->failure[0] == '\0') {
        all_meet(&a);
        adv_until(&a, are_fallen_met, "that somebody honest holds what mustn't stand");
        adv_meet(&a, a.honest);
        notes_check(&a);
        adv_must_blame_nobody(&a);
    }
    if (s->failure[0] == '\0' && of->check != NULL) {
        of->check(&a);
    }
    a.attacks += forged_judged(&a);
    if (s->failure[0] == '\0' && a.attacks == 0) {
        sim_fail(s, "nothing hostile came to anybody");
    }
}

/* ---- all of them ---- */

static const struct adversary *const lists[] = {sim_adversaries_deny, sim_adversaries_forge,
                                                sim_adversaries_time};

enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static bool play_seeds(const struct adversary *of, struct sim_options o, uint64_t seeds)
{
    static struct sim s;
    uint64_t failed = 0;
    for (uint64_t i = 0; i < seeds; i++, o.seed++) {
        sim_init(&s, &o);
        sim_watch(&s);
        play(of, &s);
        sim_free(&s);
        if (s.failure[0] != '\0') {
            failed++;
            printf("adversary %s, seed %" PRIu64 ": %s\n"
                   "  what must hold: %s\n"
                   "  again: maille-sim --adversary %s --seed %" PRIu64 " --story\n",
                   of->name, o.seed, s.failure, of->holds, of->name, o.seed);
        }
    }
    printf("%12" PRIu64 "  adversary: %s%s\n", seeds - failed, of->name,
           seeds == failed ? "   <- never" : "");
    (void)fflush(stdout);
    return failed == 0 && seeds > 0;
}

/* Those of one list; how many of them there are. */
static unsigned play_list(const struct adversary *list, const char *name,
                          const struct sim_options *o, uint64_t seeds, bool *held)
{
    unsigned played = 0;
    for (const struct adversary *of = list; of->name != NULL; of++) {
        if (strcmp(name, "all") == 0 || strcmp(of->name, name) == 0) {
            *held = play_seeds(of, *o, seeds) && *held;
            played++;
        }
    }
    return played;
}

bool sim_adversaries(const char *name, const struct sim_options *options, uint64_t seeds)
{
    bool held = true;
    unsigned played = 0;
    for (size_t i = 0; i < LISTS; i++) {
        played += play_list(lists[i], name, options, seeds, &held);
    }
    printf("adversaries %u, first seed %" PRIu64 ", seeds of each %" PRIu64 ": %s\n", played,
           options->seed, seeds, held && played > 0 ? "all held" : "FAILED");
    return held && played > 0;
}
