/* tests/sim/sim_govern.c -- what people decide about people, among whom they work with and whom
 * they don't: rights are given to members who have no computer here, and taken from them, and
 * patients refuse them. So governance and keys move under every fault, and nothing that this
 * program's own writers said may count less, nor be hidden from them, for it. */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/model/verdict.h"
#include "sim.h"

static const char *other_any(struct sim *s)
{
    return s->others.ids[sim_below(s, s->others.count)];
}

void sim_other_keep(struct sim *s, const char *member)
{
    const unsigned at =
        s->others.count < SIM_OTHERS ? s->others.count++ : (unsigned)sim_below(s, SIM_OTHERS);
    snprintf(s->others.ids[at], SIM_ID, "%s", member);
}

static void int_put(struct sim_call *c, const char *key, int64_t value)
{
    ml_args_key(c->args, key);
    ml_args_int(c->args, value);
}

/* What came of it is for the counts, and for whoever reads the story. */
static void say(struct sim *s, unsigned node, const char *method, struct sim_call *c)
{
    ml_err err = sim_send(c, s, node, method);
    sim_say(s, "node %u, %s: %s %s", node, method, ml_err_name(err),
            ml_value_text(sim_get(c, "text"), ""));
    sim_call_end(c);
}

/* ---- members and their roles ---- */

static void deny(struct sim *s, unsigned node)
{
    struct sim_call c;
    const bool suspend = sim_chance(s, 500);
    sim_ask(&c);
    sim_put(&c, "member", other_any(s));
    if (!suspend && sim_chance(s, 500)) {
        sim_put(&c, "mode", "compromise");
    }
    say(s, node, suspend ? "member.suspend" : "member.revoke", &c);
}

static void role(struct sim *s, unsigned node)
{
    static const int roles[] = {10, 21, 60, 70};
    struct sim_call c;
    const bool ends = sim_chance(s, 300);
    sim_ask(&c);
    sim_put(&c, "member", other_any(s));
    int_put(&c, "role", roles[sim_below(s, sizeof(roles) / sizeof(roles[0]))]);
    ml_args_key(c.args, "propose");
    ml_args_bool(c.args, sim_chance(s, 500));
    say(s, node, ends ? "role.end" : "role.grant", &c);
}

/* A role for one's equal, or for oneself: for another to sign. */
static void propose(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "member", s->nodes[node].member);
    int_put(&c, "role", s->roles[node == SIM_TWIN ? s->doubled : node]);
    ml_args_key(c.args, "propose");
    ml_args_bool(c.args, true);
    say(s, node, "role.grant", &c);
}

static void cosign(struct sim *s, unsigned node)
{
    struct sim_call c;
    char first[SIM_HASH] = "";
    sim_ask(&c);
    ml_err err = sim_send(&c, s, node, "governance.proposals");
    const struct ml_value *list = sim_get(&c, "proposals");
    const size_t count = ml_value_count(list);
    if (err == ML_OK && count > 0) {
        const struct ml_value *p = ml_value_at(list, sim_below(s, count));
        snprintf(first, sizeof(first), "%s", ml_value_text(ml_value_get(p, "proposal"), ""));
    }
    sim_call_end(&c);
    if (first[0] != '\0') {
        sim_ask(&c);
        sim_put(&c, "proposal", first);
        say(s, node, "governance.cosign", &c);
    }
}

static void checkpoint(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    say(s, node, "governance.checkpoint", &c);
}

/* Groups may have had a new epoch before he came: then he opens nothing older by himself (A4). */
void sim_history_give(struct sim *s, unsigned from, unsigned to)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "member", s->nodes[to].member);
    say(s, from, "member.history", &c);
    s->nodes[to].has_history = true;
}

static void history(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "member", s->nodes[sim_below(s, SIM_TWIN)].member);
    say(s, node, "member.history", &c);
}

static void explain(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    if (sim_chance(s, 500)) {
        say(s, node, "matrix.show", &c);
        return;
    }
    sim_put(&c, "member", sim_chance(s, 500) ? other_any(s) : s->nodes[node].member);
    sim_put(&c, "patient", s->model.patients[sim_below(s, s->model.patient_count)]);
    sim_put(&c, "class", "4");
    say(s, node, "right.explain", &c);
}

/* Of a role that nobody has who writes here: what those may, stands. */
static void matrix(struct sim *s, unsigned node)
{
    static const char *const cells[] = {"331:7=r", "331:7=-", "70:4=w", "21:9=r", "70:12=-"};
    struct sim_call c;
    sim_ask(&c);
    ml_args_key(c.args, "set");
    ml_args_list(c.args);
    ml_args_text(c.args, cells[sim_below(s, sizeof(cells) / sizeof(cells[0]))]);
    ml_args_end(c.args);
    say(s, node, "matrix.set", &c);
}

void sim_matrix_begin(struct sim *s)
{
    struct sim_call c;
    sim_ask(&c);
    say(s, SIM_ENROLLER, "right.adopt", &c);
}

/* ---- what a patient decides ---- */

static const char *patient_any(struct sim *s)
{
    return s->model.patients[sim_below(s, s->model.patient_count)];
}

static void statement_keep(struct sim *s, const struct sim_call *c, const char *patient)
{
    const char *said = ml_value_text(sim_get(c, "statement"), "");
    if (said[0] != '\0') {
        snprintf(s->others.statement, SIM_ID, "%s", said);
        snprintf(s->others.patient, SIM_ID, "%s", patient);
    }
}

static void oppose(struct sim *s, unsigned node)
{
    static const char *const compartments[] = {"medical", "sensitive", "care"};
    struct sim_call c;
    const char *patient = patient_any(s);
    const bool gives = sim_chance(s, 300);
    sim_ask(&c);
    sim_put(&c, "patient", patient);
    if (sim_chance(s, 800)) {
        sim_put(&c, "person", other_any(s));
    } else {
        int_put(&c, "role", 94); /* nobody's */
    }
    if (sim_chance(s, 500)) {
        sim_put(&c, "compartment", compartments[sim_below(s, 3)]);
    }
    ml_err err = sim_send(&c, s, node, gives ? "consent.give" : "consent.oppose");
    sim_say(s, "node %u, a patient %s: %s %s", node, gives ? "agrees" : "refuses", ml_err_name(err),
            ml_value_text(sim_get(&c, "text"), ""));
    statement_keep(s, &c, patient);
    sim_call_end(&c);
}

/* From everybody but those who write here, once they all are there. */
static void mask(struct sim *s, unsigned node)
{
    const struct sim_object *o = &s->model.objects[sim_below(s, s->model.object_count)];
    struct sim_call c;
    if (o->entity->is_patient || o->entity->is_shared || !s->nodes[SIM_LATE].joined) {
        return;
    }
    sim_ask(&c);
    sim_put(&c, "patient", s->model.patients[o->patient]);
    sim_put(&c, "object", o->id);
    ml_args_key(c.args, "except");
    ml_args_list(c.args);
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        ml_args_text(c.args, s->nodes[i].member);
    }
    ml_args_end(c.args);
    ml_err err = sim_send(&c, s, node, "consent.mask");
    sim_say(s, "node %u masks %s: %s %s", node, o->id, ml_err_name(err),
            ml_value_text(sim_get(&c, "text"), ""));
    statement_keep(s, &c, s->model.patients[o->patient]);
    sim_call_end(&c);
}

static void withdraw(struct sim *s, unsigned node)
{
    struct sim_call c;
    if (s->others.statement[0] == '\0') {
        return;
    }
    sim_ask(&c);
    sim_put(&c, "patient", s->others.patient);
    sim_put(&c, "statement", s->others.statement);
    say(s, node, "consent.withdraw", &c);
}

static void consent_look(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "patient", patient_any(s));
    say(s, node, sim_chance(s, 500) ? "consent.show" : "consent.receipts", &c);
}

/* ---- what was left out ---- */

/* A trace of a forked writer: taking it in shows nothing more of the record. */
static const struct sim_bundle *left_out(const struct sim *s, unsigned node)
{
    const struct sim_bundle *found = NULL;
    for (size_t i = 0; i < s->witness.count; i++) {
        const struct sim_bundle *b = &s->witness.bundles[i];
        if (b->copy[node].here && b->lane == ML_LANE_TRACE &&
            b->verdict == ML_VERDICT_QUARANTINED) {
            found = b;
        }
    }
    return found;
}

static void judge(struct sim *s, unsigned node)
{
    char hex[SIM_HASH];
    struct sim_call c;
    const struct sim_bundle *b = left_out(s, node);
    sim_ask(&c);
    if (b == NULL || sim_chance(s, 300)) {
        say(s, node, "quarantine.list", &c);
        return;
    }
    ml_hex_encode(hex, b->hash.b, sizeof(b->hash.b));
    sim_put(&c, "bundle", hex);
    say(s, node, sim_chance(s, 500) ? "quarantine.adopt" : "quarantine.reject", &c);
}

void sim_govern(struct sim *s, unsigned node)
{
    static void (*const acts[])(struct sim * s, unsigned node) = {
        deny,   role,   propose, cosign,       cosign, checkpoint, history, explain, matrix,
        oppose, oppose, mask,    consent_look, mask,   withdraw,   judge,   judge};
    if (s->forked && sim_chance(s, 300)) {
        judge(s, node);
    } else if (s->others.count > 0) {
        acts[sim_below(s, sizeof(acts) / sizeof(acts[0]))](s, node);
    }
}
