/* tests/sim/sim_act.c -- what users do beside writing: they look, lock, keep drafts, pause
 * exchanges, enrol a colleague; and ask for what must be refused, by its own error, without trace
 * in the record. */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "sim.h"

static const char *patient_any(struct sim *s)
{
    const struct sim_model *m = &s->model;
    return m->patients[sim_below(s, m->patient_count)];
}

/* ---- looking ---- */

static void look(struct sim *s, unsigned node)
{
    static const struct {
        const char *method;
        const char *key;
        const char *value; /* NULL: a patient */
    } looks[] = {
        {"patient.find", "query", "mar"},
        {"conflicts.list", NULL, NULL},
        {"sync.status", NULL, NULL},
        {"node.status", NULL, NULL},
        {"member.list", NULL, NULL},
        {"org.list", NULL, NULL},
        {"timeline.list", "patient", NULL},
        {"patient.show", "patient", NULL},
        {"schema.list", NULL, NULL},
        {"schema.show", "entity", "treatment"},
        {"log.show", NULL, NULL},
        {"peer.list", NULL, NULL},
        {"draft.list", NULL, NULL},
        {"sync.now", NULL, NULL},
        {"verify", NULL, NULL},
    };
    const size_t i = (size_t)sim_below(s, sizeof(looks) / sizeof(looks[0]));
    struct sim_call c;
    sim_ask(&c);
    if (looks[i].key != NULL) {
        sim_put(&c, looks[i].key, looks[i].value == NULL ? patient_any(s) : looks[i].value);
    }
    ml_err err = sim_send(&c, s, node, looks[i].method);
    if (err == ML_OK && !s->nodes[node].damaged && !s->nodes[node].ill &&
        strcmp(looks[i].method, "verify") == 0 &&
        strcmp(ml_value_text(sim_get(&c, "integrity"), ""), "ok") != 0) {
        sim_fail(s, "node %u doesn't verify in the middle of its work", node);
    }
    sim_call_end(&c);
}

static void wait_some(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    ml_args_key(c.args, "timeout_ms");
    ml_args_int(c.args, 1 + (int64_t)sim_below(s, 3000));
    ml_err err = sim_send(&c, s, node, "sync.wait");
    sim_say(s, "node %u waited: %s", node, ml_err_name(err));
    sim_call_end(&c);
}

static void pause_some(struct sim *s, unsigned node)
{
    struct sim_call c;
    const bool pause = sim_chance(s, 400);
    sim_ask(&c);
    (void)sim_send(&c, s, node, pause ? "sync.pause" : "sync.resume");
    sim_say(s, "node %u %s exchanges", node, pause ? "pauses" : "resumes");
    sim_call_end(&c);
}

static void lock(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    ml_args_key(c.args, "all");
    ml_args_bool(c.args, sim_chance(s, 300));
    ml_err err = sim_send(&c, s, node, "session.lock");
    s->nodes[node].token_len = err == ML_OK ? 0 : s->nodes[node].token_len;
    sim_say(s, "node %u is locked: %s", node, ml_err_name(err));
    sim_call_end(&c);
    if (err == ML_OK && sim_chance(s, 700)) { /* the next one comes */
        sim_run(s, sim_below(s, 5000));
        if (s->nodes[node].node != NULL) {
            (void)sim_unlock(s, node);
        }
    }
}

/* ---- drafts: acknowledged as writes are, for this node alone ---- */

static void draft_ask(struct sim_call *c)
{
    sim_ask(c);
    sim_put(c, "form", "sim");
}

static void draft_put(struct sim *s, unsigned node)
{
    struct sim_node *n = &s->nodes[node];
    struct sim_call c;
    char text[600];
    const unsigned number = (unsigned)++s->model.last_reason;
    snprintf(text, sizeof(text), "brouillon %u", number);
    draft_ask(&c);
    ml_args_key(c.args, "content");
    ml_args_bytes(c.args, (const uint8_t *)text, strlen(text));
    ml_err err = sim_send(&c, s, node, "draft.put");
    n->draft = err == ML_OK ? number : 0;
    sim_say(s, "node %u keeps a draft: %s", node, ml_err_name(err));
    sim_call_end(&c);
}

static void draft_get(struct sim *s, unsigned node)
{
    struct sim_node *n = &s->nodes[node];
    struct sim_call c;
    char text[40];
    size_t len = 0;
    snprintf(text, sizeof(text), "brouillon %u", n->draft);
    draft_ask(&c);
    ml_err err = sim_send(&c, s, node, "draft.get");
    const uint8_t *bytes = ml_value_bytes(sim_get(&c, "content"), &len);
    const bool same = bytes != NULL && len == strlen(text) && memcmp(bytes, text, len) == 0;
    if (n->draft != 0 && !n->damaged && (err == ML_E_NOT_FOUND || (err == ML_OK && !same))) {
        s->lost++;
        sim_fail(s, "node %u lost draft %u: %s", node, n->draft, ml_err_name(err));
    }
    s->count.of[SIM_DRAFT_KEPT] += n->draft != 0 && err == ML_OK;
    sim_call_end(&c);
}

static void draft_delete(struct sim *s, unsigned node)
{
    struct sim_call c;
    draft_ask(&c);
    (void)sim_send(&c, s, node, "draft.delete");
    s->nodes[node].draft = 0;
    sim_call_end(&c);
}

static void draft(struct sim *s, unsigned node)
{
    switch (sim_below(s, 5)) {
    case 0:
    case 1:
        draft_put(s, node);
        break;
    case 2:
        draft_delete(s, node);
        break;
    default:
        draft_get(s, node);
        break;
    }
}

/* ---- people ---- */

static void introduce_all(struct sim *s)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if (sim_node_ready(s, i)) {
            (void)sim_introduce_one(s, i);
        }
    }
}

static bool is_coordinator(const struct sim *s, unsigned node)
{
    return node == 0 || (node == SIM_TWIN && s->doubled == 0);
}

void sim_other_add(struct sim *s, unsigned node)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "name", "Paul Garnier");
    ml_args_key(c.args, "role");
    ml_args_int(c.args, 60);
    ml_err err = sim_send(&c, s, node, "member.add");
    if (!is_coordinator(s, node) && !c.lost && err == ML_OK) {
        sim_fail(s, "node %u, no coordinator, added a member", node);
    }
    if (err == ML_OK) {
        sim_other_keep(s, ml_value_text(sim_get(&c, "member"), ""));
    }
    sim_call_end(&c);
}

static void enrol(struct sim *s, unsigned node)
{
    /* What one of two machines of the coordinator says of governance counts no more; what a damaged
     * disk says may be lost with it, and whoever it enrolled would have to join again. */
    if (!s->nodes[SIM_LATE].joined && !s->nodes[SIM_LATE].replacing && sim_node_ready(s, 0) &&
        !s->nodes[0].damaged && !sim_is_twin(s, 0)) {
        bool joined = sim_join(s, 0, SIM_LATE);
        sim_say(s, "node %u joins: %s", SIM_LATE, joined ? "yes" : "no");
        s->count.of[SIM_JOINED_LATE] += joined;
        if (joined) {
            introduce_all(s);
        }
        return;
    }
    sim_other_add(s, node);
}

void sim_act(struct sim *s, unsigned node)
{
    static void (*const acts[])(struct sim * s, unsigned node) = {
        look,  look,    look,    wait_some, pause_some, lock,      draft,     draft,
        enrol, sim_bad, sim_bad, sim_rogue, sim_rogue,  sim_rogue, sim_govern};
    acts[sim_below(s, sizeof(acts) / sizeof(acts[0]))](s, node);
}
