/* tests/tools/hammer/kill.c -- two nodes write without pause; one of them is killed at a moment
 * that the seed draws, or loses power at a change of its disk; it starts, its user unlocks it, and
 * everything that was acknowledged is asked for: there, and after an exchange on the other.
 *
 * Some die again while they start: half way through opening, unlocking, catching up. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "hammer.h"

enum {
    PATIENTS = 6,
    LOAD_US = 50000,    /* a life under load lasts up to this */
    START_US = 40000,   /* and one that is cut while it starts */
    LOAD_CHANGES = 100, /* of the disk, until the cut */
    START_CHANGES = 30,
    CUT_ENTRIES_MAX = 4000, /* no life writes as many: the cut never came */
    EQUAL_EVERY = 50,
};

static uint64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* ---- load ---- */

/* One look at both clients; writes go out while there is room. False: `victim` has ended. */
static bool load_step(struct hammer *h, unsigned victim, int wait_ms, bool send)
{
    struct pollfd fds[NODES];
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &h->nodes[i];
        while (send && n->open_calls < WINDOW && ledger_send(h, i)) {
        }
        short events = ml_client_wants_write(n->client) ? POLLIN | POLLOUT : POLLIN;
        fds[i] = (struct pollfd){.fd = ml_client_fd(n->client), .events = events};
    }
    (void)poll(fds, NODES, wait_ms);
    bool alive = true;
    for (unsigned i = 0; i < NODES; i++) {
        ml_err err = ml_client_work(h->nodes[i].client, 0);
        if (err != ML_OK && err != ML_E_TIMEOUT) {
            alive = alive && i != victim;
        }
    }
    return alive;
}

/* What came before the end counts: an answer in the socket was given. */
static void drain(struct node *n)
{
    ml_err err = ML_OK;
    while (err == ML_OK || err == ML_E_TIMEOUT) {
        err = ml_client_work(n->client, GUARD_MS);
    }
}

bool hammer_settle(struct hammer *h)
{
    uint64_t until = now_us() + (uint64_t)GUARD_MS * 1000u;
    while (h->nodes[0].open_calls + h->nodes[1].open_calls > 0) {
        if (!load_step(h, NODES, 1000, false) || now_us() > until) {
            return fail(h, "answers don't come");
        }
    }
    return true;
}

static void load_for(struct hammer *h, uint64_t us)
{
    for (uint64_t until = now_us() + us; now_us() < until;) {
        (void)load_step(h, NODES, (int)((until - now_us()) / 1000u), true);
    }
}

static bool load_until_cut(struct hammer *h, unsigned victim)
{
    size_t before = h->ledger.count;
    while (load_step(h, victim, GUARD_MS, true)) {
        if (h->ledger.count > before + CUT_ENTRIES_MAX) {
            return fail(h, "%s: the cut never came", h->nodes[victim].name);
        }
    }
    return true;
}

/* ---- founding ---- */

static bool node_is_told(struct hammer *h, unsigned who, unsigned where)
{
    char address[32];
    struct ml_args *a = params_new();
    snprintf(address, sizeof(address), "127.0.0.1:%u", h->nodes[where].port);
    param_text(a, "node", h->nodes[where].id);
    param_text(a, "address", address);
    return node_call(&h->nodes[who], "peer.add", a) != NULL || fail(h, "%s", h->nodes[who].error);
}

static bool second_joins(struct hammer *h)
{
    struct node *a = &h->nodes[0];
    struct node *b = &h->nodes[1];
    char code[256];
    char address[32];
    struct ml_args *p = params_new();
    param_text(p, "name", "Inès Leroy");
    param_int(p, "role", 60);
    const struct ml_value *v = node_call(a, "member.add", p);
    if (v == NULL) {
        return fail(h, "%s", a->error);
    }
    p = params_new();
    param_text(p, "member", ml_value_text(ml_value_get(v, "member"), ""));
    v = node_call(a, "enrol.code", p);
    if (v == NULL) {
        return fail(h, "%s", a->error);
    }
    snprintf(code, sizeof(code), "%s", ml_value_text(ml_value_get(v, "code"), ""));
    snprintf(address, sizeof(address), "127.0.0.1:%u", a->port);
    p = params_new();
    param_text(p, "code", code);
    param_text(p, "address", address);
    param_text(p, "node_name", "portable");
    param_text(p, "passphrase", node_passphrase);
    return node_enter(b, "enrol.join", p) != NULL || fail(h, "%s", b->error);
}

static bool patients_make(struct hammer *h)
{
    struct ledger *l = &h->ledger;
    for (unsigned i = 0; i < PATIENTS; i++) {
        (void)ledger_send(h, 0);
        if (!hammer_settle(h)) {
            return false;
        }
    }
    l->patients = calloc(PATIENTS, sizeof(*l->patients));
    ML_ASSERT(l->patients != NULL);
    for (; l->patient_count < PATIENTS; l->patient_count++) {
        const struct entry *e = &l->entries[l->patient_count];
        if (e->state != ENTRY_ACKED) {
            return fail(h, "no patient: %s", l->refusal);
        }
        memcpy(l->patients[l->patient_count], e->object, ID_BYTES);
    }
    return true;
}

bool hammer_found(struct hammer *h)
{
    struct node *a = &h->nodes[0];
    struct ml_args *p = params_new();
    param_text(p, "name", "MSP des Tilleuls");
    param_text(p, "member_name", "Dr Anne Roux");
    param_text(p, "node_name", "bureau");
    param_text(p, "passphrase", node_passphrase);
    if (!node_start(a) || node_enter(a, "org.found", p) == NULL) {
        return fail(h, "%s", a->error);
    }
    return (node_start(&h->nodes[1]) || fail(h, "%s", h->nodes[1].error)) && second_joins(h) &&
           node_is_told(h, 0, 1) && node_is_told(h, 1, 0) && patients_make(h) &&
           hammer_synced(h, 0) && ledger_check(h, 1, true);
}

/* ---- what must hold ---- */

bool hammer_synced(struct hammer *h, unsigned node)
{
    struct ml_args *a = params_new();
    param_text(a, "until", "synced");
    param_int(a, "timeout_ms", GUARD_MS);
    return node_call(&h->nodes[node], "sync.wait", a) != NULL ||
           fail(h, "%s", h->nodes[node].error);
}

struct proof {
    char state[80];
    char view[80];
};

static bool proof_of(struct hammer *h, unsigned node, struct proof *p)
{
    const struct ml_value *v = node_call(&h->nodes[node], "verify", params_new());
    if (v == NULL) {
        return fail(h, "%s", h->nodes[node].error);
    }
    snprintf(p->state, sizeof(p->state), "%s", ml_value_text(ml_value_get(v, "state_hash"), "?"));
    snprintf(p->view, sizeof(p->view), "%s", ml_value_text(ml_value_get(v, "view_hash"), "?"));
    int64_t missing = ml_value_int(ml_value_get(v, "bodies_missing"), -1) +
                      ml_value_int(ml_value_get(v, "pending"), -1) +
                      ml_value_int(ml_value_get(v, "forks"), -1);
    return (missing == 0 && strcmp(ml_value_text(ml_value_get(v, "integrity"), ""), "ok") == 0) ||
           fail(h, "%s: verify finds something missing, forked or damaged", h->nodes[node].name);
}

bool hammer_equal(struct hammer *h)
{
    struct proof of[NODES];
    if (!hammer_synced(h, 0) || !hammer_synced(h, 1) || !proof_of(h, 0, &of[0]) ||
        !proof_of(h, 1, &of[1])) {
        return false;
    }
    if (strcmp(of[0].state, of[1].state) != 0 || strcmp(of[0].view, of[1].view) != 0) {
        return fail(h, "the nodes hold different records");
    }
    return documents_check(h, 0, SIZE_MAX) && documents_check(h, 1, SIZE_MAX);
}

static bool all_is_there(struct hammer *h, unsigned victim)
{
    return ledger_check(h, victim, false) && hammer_settle(h) && hammer_synced(h, victim) &&
           hammer_synced(h, 1 - victim) && ledger_check(h, victim, true) &&
           ledger_check(h, 1 - victim, true) && (h->kills % EQUAL_EVERY != 0 || hammer_equal(h));
}

/* ---- kill -9 ---- */

/* What a user would do: start it, unlock it. All else is a manual step. */
static bool comes_back(struct hammer *h, struct node *n)
{
    if (node_start(n) && node_unlock(n)) {
        return true;
    }
    h->manual++;
    return fail(h, "%s", n->error);
}

static void killed(struct hammer *h, struct node *n, const char *when)
{
    node_kill(n);
    h->kills++;
    if (n->disk != NULL) {
        (void)disk_restart(n->disk, FAULT_KEEP_ALL);
    }
    if (h->story) {
        fprintf(stderr, "%u: %s killed %s, %zu acknowledged\n", h->kills, n->name, when,
                h->ledger.acked);
    }
}

/* Between the start of the process and the first answers that it gives. */
static bool killed_at_start(struct hammer *h, struct node *n)
{
    int ready = -1;
    if (!node_spawn(n, &ready)) {
        return fail(h, "%s", n->error);
    }
    struct pollfd wait = {.fd = ready, .events = 0}; /* only the moment counts */
    (void)poll(&wait, 1, (int)(draw(h, START_US) / 1000u));
    close(ready);
    killed(h, n, "as it started");
    return true;
}

bool run_kills(struct hammer *h)
{
    if (!hammer_found(h)) {
        return false;
    }
    while (h->kills < h->count) {
        unsigned victim = (unsigned)draw(h, NODES);
        struct node *n = &h->nodes[victim];
        load_for(h, draw(h, LOAD_US));
        node_end(n);
        drain(n);
        killed(h, n, "under load");
        if (draw(h, 4) == 0 && h->kills < h->count && !killed_at_start(h, n)) {
            return false;
        }
        if (!comes_back(h, n) || !all_is_there(h, victim)) {
            return false;
        }
    }
    return hammer_equal(h);
}

/* ---- power cuts ---- */

static bool power_fails(struct hammer *h, unsigned victim, const char *when)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_PREFIX, FAULT_KEEP_RANDOM,
                                            FAULT_KEEP_RANDOM};
    static const char *const kept[] = {"nothing unsynced", "all", "a prefix", "any sectors"};
    struct node *n = &h->nodes[victim];
    node_kill(n); /* it is dead: the process is waited for, the client closed */
    enum fault_keep keep = keeps[draw(h, 4)];
    if (!disk_restart(n->disk, keep)) {
        return fail(h, "%s ended by itself %s", n->name, when);
    }
    h->kills++;
    if (h->story) {
        fprintf(stderr, "%u: %s lost power %s, keeps %s, %zu acknowledged\n", h->kills, n->name,
                when, kept[keep], h->ledger.acked);
    }
    return true;
}

/* Starts with a cut ahead, now and then; it may come before, in, or after what a start does. */
static bool comes_back_or_fails(struct hammer *h, unsigned victim)
{
    struct node *n = &h->nodes[victim];
    for (;;) {
        bool again = draw(h, 3) == 0 && h->kills < h->count;
        (void)disk_cut_at(n->disk, again ? (long)(1 + draw(h, START_CHANGES)) : 0);
        bool up = node_start(n) && node_unlock(n);
        if (disk_cut_at(n->disk, 0) && up) { /* it may come right behind the answer */
            return true;
        }
        if (!again) {
            h->manual++;
            return fail(h, "%s", n->error);
        }
        if (!power_fails(h, victim, "as it started")) {
            return false;
        }
    }
}

bool run_cuts(struct hammer *h)
{
    if (!hammer_found(h)) {
        return false;
    }
    while (h->kills < h->count) {
        unsigned victim = (unsigned)draw(h, NODES);
        (void)disk_cut_at(h->nodes[victim].disk, (long)(1 + draw(h, LOAD_CHANGES)));
        if (!load_until_cut(h, victim)) {
            return false;
        }
        drain(&h->nodes[victim]);
        if (!power_fails(h, victim, "under load") || !comes_back_or_fails(h, victim) ||
            !all_is_there(h, victim)) {
            return false;
        }
    }
    return hammer_equal(h);
}
