/* tests/sim/sim_adversary_do.c -- what people do in stories of adversaries, and what they see. */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/store/log.h"
#include "net/node/state.h"
#include "sim_adversary.h"

enum { TRIES = 5 };

/* ---- calls ---- */

static bool is_over(const struct adv *a)
{
    return a->s->failure[0] != '\0';
}

ml_err adv_send(struct adv *a, unsigned node, const char *method, const char *const texts[][2],
                struct sim_call *c)
{
    ml_err err = ML_E_CANCELED;
    for (unsigned i = 0; i < TRIES; i++) {
        adv_awake(a, 1u << node);
        sim_ask(c);
        for (size_t k = 0; texts != NULL && texts[k][0] != NULL; k++) {
            sim_put(c, texts[k][0], texts[k][1]);
        }
        err = is_over(a) ? ML_E_CANCELED : sim_send(c, a->s, node, method);
        if (is_over(a) || (!c->lost && err != ML_E_LOCKED) || i == TRIES - 1) {
            break;
        }
        sim_call_end(c);
    }
    sim_say(a->s, "node %u, %s: %s %s", node, method, ml_err_name(err),
            ml_value_text(sim_get(c, "text"), ""));
    return err;
}

void adv_do(struct adv *a, unsigned node, const char *method, const char *const texts[][2])
{
    struct sim_call c;
    ml_err err = adv_send(a, node, method, texts, &c);
    if (err != ML_OK) {
        sim_fail(a->s, "node %u, %s: %s %s", node, method, ml_err_name(err),
                 ml_value_text(sim_get(&c, "text"), ""));
    }
    sim_call_end(&c);
}

/* ---- notes ---- */

static void note_put(struct adv *a, struct sim_call *c, const char *text)
{
    sim_ask(c);
    sim_put(c, "entity", "care_note");
    sim_put(c, "patient", a->patient);
    ml_args_key(c->args, "fields");
    ml_args_map(c->args);
    sim_put(c, "data", text);
    sim_put(c, "written_at", "2026-03-02T09:10");
    ml_args_end(c->args);
}

/* Its vault still reads what its log holds: the patient may not be in it yet. */
static bool is_behind(struct adv *a, unsigned node)
{
    const struct ml_node *n = a->s->nodes[node].node;
    const bool behind = n != NULL && n->orgs != NULL && n->orgs->behind;
    if (behind) {
        sim_run(a->s, 1000);
    }
    return behind;
}

static ml_err note_try(struct adv *a, unsigned node, struct adv_note *n)
{
    ml_err err = ML_E_CANCELED;
    bool lost = true;
    snprintf(n->text, sizeof(n->text), "mot %u, du poste %u", a->count, node);
    for (unsigned i = 0; i < TRIES && lost; i++) {
        struct sim_call c;
        adv_awake(a, 1u << node);
        note_put(a, &c, n->text);
        err = is_over(a) ? ML_E_CANCELED : sim_send(&c, a->s, node, "record.add");
        const char *version = ml_value_text(sim_get(&c, "version"), "");
        if (err == ML_OK && strlen(version) >= 32) {
            snprintf(n->object, sizeof(n->object), "%s", ml_value_text(sim_get(&c, "object"), ""));
            err = ml_hex_decode(n->bundle.b, sizeof(n->bundle.b), version, 32);
        }
        lost = !is_over(a) && (c.lost || err == ML_E_LOCKED || is_behind(a, node));
        sim_say(a->s, "node %u writes « %s »: %s %s %s", node, n->text, ml_err_name(err), version,
                ml_value_text(sim_get(&c, "text"), ""));
        sim_call_end(&c);
    }
    return err;
}

unsigned adv_note(struct adv *a, unsigned node)
{
    bool room = a->count < ADV_NOTES;
    ML_ASSERT(room);
    struct adv_note *n = &a->notes[a->count];
    ml_err err = note_try(a, node, n);
    if (err != ML_OK) {
        sim_fail(a->s, "node %u may not write a note: %s", node, ml_err_name(err));
    }
    n->stands = true;
    return a->count++;
}

void adv_must_refuse(struct adv *a, unsigned node)
{
    struct adv_note n = {0};
    ml_err err = is_over(a) ? ML_E_DENIED : note_try(a, node, &n);
    if (err != ML_E_DENIED) {
        sim_fail(a->s, "node %u may still write: %s", node, ml_err_name(err));
    }
}

static bool says(const struct ml_value *field, const char *text)
{
    const struct ml_value *heads = ml_value_get(field, "heads");
    for (const struct ml_value *h = ml_value_at(heads, 0); h != NULL; h = ml_value_next(h)) {
        if (strcmp(ml_value_text(ml_value_get(h, "value"), ""), text) == 0) {
            return true;
        }
    }
    return false;
}

bool adv_shows(struct adv *a, unsigned node, unsigned note)
{
    const struct adv_note *n = &a->notes[note];
    const char *const texts[][2] = {{"patient", a->patient}, {"object", n->object}, {NULL, NULL}};
    struct sim_call c;
    bool shown = false;
    ml_err err = adv_send(a, node, "record.show", texts, &c);
    const struct ml_value *fields = sim_get(&c, "fields");
    for (const struct ml_value *f = ml_value_at(fields, 0); f != NULL; f = ml_value_next(f)) {
        shown = shown || says(f, n->text);
    }
    if (err != ML_OK && err != ML_E_NOT_FOUND) {
        sim_fail(a->s, "node %u can't look at « %s »: %s", node, n->text, ml_err_name(err));
    }
    sim_call_end(&c);
    return shown;
}

void adv_must_show(struct adv *a, unsigned node, unsigned note, bool shown)
{
    if (!is_over(a) && adv_shows(a, node, note) != shown) {
        sim_fail(a->s, "node %u %s « %s »", node, shown ? "doesn't show" : "shows",
                 a->notes[note].text);
    }
}

void adv_falls(struct adv *a, unsigned note)
{
    a->notes[note].stands = false;
}

/* ---- governance ---- */

void adv_revoke(struct adv *a, unsigned by, unsigned whom, const char *mode)
{
    const char *const texts[][2] = {
        {"member", a->s->nodes[whom].member}, {"mode", mode}, {NULL, NULL}};
    adv_do(a, by, "member.revoke", texts);
}

void adv_suspend(struct adv *a, unsigned by, unsigned whom)
{
    const char *const texts[][2] = {{"member", a->s->nodes[whom].member}, {NULL, NULL}};
    adv_do(a, by, "member.suspend", texts);
}

void adv_checkpoint(struct adv *a, unsigned node)
{
    adv_do(a, node, "governance.checkpoint", NULL);
}

void adv_propose_revoke(struct adv *a, unsigned by, unsigned whom)
{
    struct sim_call c;
    adv_awake(a, 1u << by);
    sim_ask(&c);
    sim_put(&c, "member", a->s->nodes[whom].member);
    ml_args_key(c.args, "propose");
    ml_args_bool(c.args, true);
    ml_err err = sim_send(&c, a->s, by, "member.revoke");
    sim_say(a->s, "node %u proposes to revoke node %u: %s", by, whom, ml_err_name(err));
    if (err != ML_OK) {
        sim_fail(a->s, "node %u can't propose: %s %s", by, ml_err_name(err),
                 ml_value_text(sim_get(&c, "text"), ""));
    }
    sim_call_end(&c);
}

void adv_cosign(struct adv *a, unsigned node)
{
    char proposals[8][SIM_HASH];
    size_t count = 0;
    struct sim_call c;
    (void)adv_send(a, node, "governance.proposals", NULL, &c);
    const struct ml_value *list = sim_get(&c, "proposals");
    for (const struct ml_value *p = ml_value_at(list, 0); p != NULL && count < 8;
         p = ml_value_next(p)) {
        snprintf(proposals[count++], SIM_HASH, "%s",
                 ml_value_text(ml_value_get(p, "proposal"), ""));
    }
    sim_call_end(&c);
    for (size_t i = 0; i < count; i++) {
        const char *const texts[][2] = {{"proposal", proposals[i]}, {NULL, NULL}};
        adv_do(a, node, "governance.cosign", texts);
    }
}

void adv_join(struct adv *a, unsigned by, unsigned node, unsigned rank)
{
    struct sim_call c;
    char member[SIM_ID];
    sim_ask(&c);
    sim_put(&c, "name", "Inès Leroy");
    ml_args_key(c.args, "role");
    ml_args_int(c.args, a->s->roles[node]);
    ml_args_key(c.args, "rank");
    ml_args_int(c.args, (int64_t)rank);
    ml_err err = sim_send(&c, a->s, by, "member.add");
    snprintf(member, sizeof(member), "%s", ml_value_text(sim_get(&c, "member"), ""));
    sim_call_end(&c);
    if (err != ML_OK || !sim_join_as(a->s, by, node, member)) {
        sim_fail(a->s, "node %u doesn't join: %s", node, ml_err_name(err));
    }
}

unsigned adv_rank(struct adv *a, unsigned node, const char *member)
{
    struct sim_call c;
    unsigned rank = 0;
    (void)adv_send(a, node, "member.list", NULL, &c);
    const struct ml_value *list = sim_get(&c, "members");
    for (const struct ml_value *m = ml_value_at(list, 0); m != NULL; m = ml_value_next(m)) {
        if (strcmp(ml_value_text(ml_value_get(m, "member"), ""), member) == 0) {
            rank = (unsigned)ml_value_int(ml_value_get(m, "rank"), 0);
        }
    }
    sim_call_end(&c);
    return rank;
}

void adv_must_rank(struct adv *a, const char *member, unsigned rank)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if ((a->honest >> i & 1u) == 0 || !a->s->nodes[i].joined || is_over(a)) {
            continue;
        }
        const unsigned known = adv_rank(a, i, member);
        if (known != rank) {
            sim_fail(a->s, "node %u knows %.8s with rank %u, not %u", i, member, known, rank);
        }
    }
}

void adv_must_know(struct adv *a, unsigned node, unsigned whom, unsigned rank)
{
    const unsigned known = is_over(a) ? rank : adv_rank(a, node, a->s->nodes[whom].member);
    if (known != rank) {
        sim_fail(a->s, "node %u knows who is at node %u with rank %u, not %u", node, whom, known,
                 rank);
    }
}

/* ---- below the calls ---- */

struct ml_org *adv_org(struct adv *a, unsigned node)
{
    adv_awake(a, 1u << node);
    struct ml_org *org = a->s->nodes[node].node == NULL ? NULL : a->s->nodes[node].node->orgs;
    return org != NULL && org->open && org->session != NULL ? org : NULL;
}

/* Below sessions: a machine that nobody is at judges too. */
static struct ml_log *log_of(const struct adv *a, unsigned node)
{
    const struct ml_org *org = a->s->nodes[node].node == NULL ? NULL : a->s->nodes[node].node->orgs;
    return org != NULL && org->open ? org->log : NULL;
}

unsigned adv_verdict(struct adv *a, unsigned node, const struct ml_hash16 *bundle)
{
    struct ml_log *log = log_of(a, node);
    struct ml_log_entry e;
    return log == NULL || ml_log_get(log, bundle, &e) != ML_OK ? 0 : (unsigned)e.verdict;
}

uint64_t adv_hlc_ms(struct adv *a, unsigned node, const struct ml_hash16 *bundle)
{
    struct ml_log *log = log_of(a, node);
    struct ml_log_entry e;
    return log == NULL || ml_log_get(log, bundle, &e) != ML_OK ? 0 : e.header.hlc >> 16;
}

bool adv_is_met(struct adv *a, unsigned note)
{
    bool met = false;
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        met = met || ((a->honest >> i & 1u) != 0 && adv_verdict(a, i, &a->notes[note].bundle) != 0);
    }
    return met;
}

enum { BELOW_MAX = 4096 };

struct below {
    struct ml_hash16 name[BELOW_MAX];
    size_t count;
};

static bool is_above(const struct below *b, const struct ml_hash16 *name)
{
    size_t i = 0;
    while (i < b->count && memcmp(&b->name[i], name, sizeof(*name)) != 0) {
        i++;
    }
    return i < b->count;
}

/* Its predecessor in its chain, or one that it cites, is one of these. */
static bool cites_any(const struct below *b, const struct ml_log_entry *e)
{
    struct ml_list_walk walk;
    struct ml_dep dep;
    const struct ml_hash16 before = ml_hash16_of(&e->header.prev);
    bool cites = e->header.seq > 1 && is_above(b, &before);
    ml_list_walk(&walk, &e->header.deps);
    while (ml_dep_next(&walk, &dep)) {
        cites = cites || is_above(b, &dep.hash);
    }
    return cites;
}

void adv_must_cite(struct adv *a, unsigned node, unsigned note, unsigned of)
{
    static struct below b;
    struct ml_log *log = log_of(a, node);
    struct ml_log_entry e = {0};
    b = (struct below){.name = {a->notes[of].bundle}, .count = 1};
    while (log != NULL && b.count < BELOW_MAX &&
           ml_log_after(log, e.n, (1u << ML_LANES) - 1u, &e) == ML_OK) {
        if (cites_any(&b, &e)) {
            b.name[b.count++] = ml_hash16_of(&e.hash);
        }
    }
    if (!is_over(a) && !is_above(&b, &a->notes[note].bundle)) {
        sim_fail(a->s, "« %s » doesn't cite « %s »", a->notes[note].text, a->notes[of].text);
    }
}

void adv_must_be(struct adv *a, ml_log_result result)
{
    const unsigned *judged = a->s->wire.judged;
    for (unsigned i = 0; i <= ML_LOG_REFUSED; i++) {
        const bool known = i == ML_LOG_DUPLICATE && result != ML_LOG_REFUSED;
        if (i == (unsigned)result ? judged[i] == 0 : judged[i] > 0 && !known) {
            sim_fail(a->s, "logs gave result %u to %u of what was forged", i, judged[i]);
        }
    }
}

static void blames_nobody(struct adv *a, struct ml_log *log, unsigned node)
{
    for (size_t i = 0; i < a->s->witness.count; i++) {
        const struct ml_writer_id *w = &a->s->witness.bundles[i].writer;
        if (ml_log_is_frozen(log, w) &&
            !(a->forks && memcmp(w, &a->place.writer, sizeof(*w)) == 0)) {
            sim_fail(a->s, "node %u tells a fork of writer %02x%02x%02x%02x, who signed no two",
                     node, w->b[0], w->b[1], w->b[2], w->b[3]);
        }
    }
}

void adv_must_blame_nobody(struct adv *a)
{
    for (unsigned i = 0; i < SIM_TWIN && !is_over(a); i++) {
        struct ml_log *log = log_of(a, i);
        if ((a->honest >> i & 1u) != 0 && log != NULL) {
            blames_nobody(a, log, i);
        }
    }
}

void adv_must_judge(struct adv *a, const struct ml_hash16 *bundle, unsigned verdict)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if ((a->honest >> i & 1u) != 0 && adv_verdict(a, i, bundle) != verdict) {
            sim_fail(a->s, "node %u judges %02x%02x%02x%02x as %u, not %u", i, bundle->b[0],
                     bundle->b[1], bundle->b[2], bundle->b[3], adv_verdict(a, i, bundle), verdict);
        }
    }
}

void adv_must_fork(struct adv *a, int64_t forks)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        struct sim_call c;
        if ((a->honest >> i & 1u) == 0) {
            continue;
        }
        (void)adv_send(a, i, "verify", NULL, &c);
        const int64_t told = ml_value_int(sim_get(&c, "forks"), -1);
        if (told != forks) {
            sim_fail(a->s, "node %u counts %lld forks, not %lld", i, (long long)told,
                     (long long)forks);
        }
        sim_call_end(&c);
    }
}
