/* tests/sim/sim_call.c -- what a user asks of a node, and waits for. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "sim.h"

enum { CALL_MS_MAX = 120000 };

static const char passphrase[] = "une phrase de passe d'essai";

void sim_ask(struct sim_call *c)
{
    *c = (struct sim_call){.args = ml_args_new()};
    ml_args_map(c->args);
}

void sim_put(struct sim_call *c, const char *key, const char *value)
{
    ml_args_key(c->args, key);
    ml_args_text(c->args, value);
}

static void must(ml_err err)
{
    ML_ASSERT(err == ML_OK);
}

static bool lives(const struct sim_node *n, unsigned boot)
{
    return n->node != NULL && n->boot == boot;
}

/* Whether an answer came that the user has seen: not one of a machine that was dying. */
static bool answer_wait(const struct sim_call *c, struct sim *s, const struct sim_node *n,
                        unsigned boot)
{
    const bool died = fault_disk_is_dead(n->disk);
    const uint64_t end = s->now_ms + CALL_MS_MAX;
    sim_nodes_reap(s);
    for (unsigned i = 1; !s->answer.done && lives(n, boot) && s->now_ms < end; i++) {
        sim_step(s, end);
        if (i == c->cancel_after && !s->answer.done && lives(n, boot)) {
            ml_node_cancel(n->node, s->next_call);
        }
    }
    return !died && lives(n, boot) && s->answer.done;
}

ml_err sim_send(struct sim_call *c, struct sim *s, unsigned i, const char *method)
{
    struct sim_node *n = &s->nodes[i];
    const uint8_t *bytes = NULL;
    size_t len = 0;
    const unsigned boot = n->boot;
    const struct ml_node_caller caller = {
        .uid = (uint32_t)getuid(), .session_id = 1, .token = ml_slice(n->token, n->token_len)};
    const uint64_t turn = n->busy_until_ms; /* its disk is slow: the call waits until then */
    while (lives(n, boot) && s->now_ms < turn) {
        sim_step(s, turn);
    }
    if (!lives(n, boot)) {
        c->lost = true;
        return ML_E_CANCELED;
    }
    ml_args_end(c->args);
    must(ml_args_encoded(c->args, &bytes, &len));
    s->next_call++;
    s->answer.done = false;
    ml_node_call(n->node, s->next_call, &caller, ml_slice_str(method), ml_slice(bytes, len));
    sim_node_spent(n);
    if (!answer_wait(c, s, n, boot)) {
        s->next_call++;
        c->lost = true;
        n->works_on = boot + 1;
        return ML_E_CANCELED;
    }
    if (s->answer.document.len > 0) {
        must(ml_tree_parse(&c->answer, s->answer.document.data, s->answer.document.len));
    }
    if (s->answer.err == ML_OK) {
        sim_count_method(&s->count, method);
    } else if (s->answer.err == ML_E_LOCKED) {
        n->token_len = 0; /* ten minutes have passed, or it was locked */
    }
    return s->answer.err;
}

const struct ml_value *sim_get(const struct sim_call *c, const char *key)
{
    return ml_value_get(ml_tree_root(c->answer), key);
}

void sim_call_end(struct sim_call *c)
{
    ml_args_free(c->args);
    ml_tree_free(c->answer);
}

static void token_keep(struct sim_call *c, struct sim_node *n)
{
    const char *hex = ml_value_text(sim_get(c, "token"), "");
    const char *node = ml_value_text(sim_get(c, "node"), "");
    const char *member = ml_value_text(sim_get(c, "member"), "");
    if (node[0] != '\0') {
        snprintf(n->id, sizeof(n->id), "%s", node);
    }
    if (member[0] != '\0') {
        snprintf(n->member, sizeof(n->member), "%s", member);
    }
    n->token_len = 0;
    if (ml_hex_decode(n->token, sizeof(n->token), hex, strlen(hex)) == ML_OK) {
        n->token_len = sizeof(n->token);
    }
}

bool sim_found(struct sim *s, unsigned i)
{
    struct sim_call c;
    sim_node_start(s, i);
    sim_ask(&c);
    sim_put(&c, "name", "Maison de santé des Tilleuls");
    sim_put(&c, "member_name", "Dr Anne Morel");
    sim_put(&c, "node_name", "bureau 1");
    sim_put(&c, "passphrase", passphrase);
    ml_err err = sim_send(&c, s, i, "org.found");
    token_keep(&c, &s->nodes[i]);
    sim_call_end(&c);
    s->nodes[i].joined = err == ML_OK;
    sim_say(s, "node %u is %.8s", i, s->nodes[i].id);
    return err == ML_OK;
}

/* It had this one of its own when it was set back, and has it no more: not what its twin has signed
 * since. */
static bool is_behind(const struct sim *s, unsigned i, const struct sim_bundle *b)
{
    const struct sim_copy *c = &b->copy[i];
    return !c->here && c->event != 0 && c->event <= s->nodes[i].ledger.back_event &&
           sim_witness_is_own(s, i, b) && sim_witness_is_kept(b);
}

/* Rules B18: whoever unlocks a store that had offered more than it holds is told so at once. */
static void restored_check(struct sim *s, unsigned i, bool told)
{
    struct sim_node *n = &s->nodes[i];
    bool behind = false;
    if (!n->set_back) {
        return;
    }
    n->set_back = false;
    sim_witness_read_node(s, i);
    for (size_t k = 0; k < s->witness.count; k++) {
        behind = behind || is_behind(s, i, &s->witness.bundles[k]);
    }
    if (behind && !told) { /* the answer that said so was lost, or its reader wasn't there */
        sim_run(s, 1000);  /* or what was read is damaged: it is mended between calls */
        n->set_back = sim_told_read(s, i) != ML_OK; /* a disk error: who comes next is told */
        told = n->told.restored || (n->damaged && n->told.count > 0);
    }
    if (behind && !told && !n->set_back && sim_node_ready(s, i) && !n->clock_moved &&
        !n->anchor_hit) {
        sim_fail(s, "node %u was restored behind what it offered, and nobody is told", i);
    }
    s->count.of[SIM_RESTORE_TOLD] += told;
}

ml_err sim_unlock(struct sim *s, unsigned i)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "passphrase", passphrase);
    ml_err err = sim_send(&c, s, i, "session.unlock");
    if (err == ML_OK) {
        token_keep(&c, &s->nodes[i]);
        restored_check(s, i, ml_value_bool(sim_get(&c, "restored"), false));
    }
    sim_call_end(&c);
    return err;
}

/* One text of the answer. */
static bool text_of(struct sim *s, unsigned i, const char *method, struct sim_call *c,
                    char out[256])
{
    const bool is_code = strcmp(method, "enrol.code") == 0;
    ml_err err = sim_send(c, s, i, method);
    snprintf(out, 256, "%s", ml_value_text(sim_get(c, is_code ? "code" : "member"), ""));
    sim_call_end(c);
    return err == ML_OK;
}

bool sim_join_as(struct sim *s, unsigned by, unsigned i, const char *member)
{
    struct sim_call c;
    char code[256];
    char address[32];
    sim_ask(&c);
    sim_put(&c, "member", member);
    if (!text_of(s, by, "enrol.code", &c, code)) {
        return false;
    }
    if (s->nodes[i].node == NULL) {
        sim_node_start(s, i);
    }
    if (s->nodes[i].node == NULL) {
        return false;
    }
    snprintf(address, sizeof(address), "node:%u", by);
    sim_ask(&c);
    sim_put(&c, "code", code);
    sim_put(&c, "address", address);
    sim_put(&c, "node_name", "portable");
    sim_put(&c, "passphrase", passphrase);
    ml_err err = sim_send(&c, s, i, "enrol.join");
    if (err == ML_OK) {
        token_keep(&c, &s->nodes[i]);
    }
    sim_call_end(&c);
    s->nodes[i].joined = err == ML_OK;
    sim_say(s, "node %u is %.8s: %s", i, s->nodes[i].id, ml_err_name(err));
    if (err == ML_OK && s->nodes[by].backup != NULL) {
        sim_node_back_up(s, by); /* else nobody but the newcomer may know of him after its return */
    }
    return err == ML_OK;
}

bool sim_join(struct sim *s, unsigned by, unsigned i)
{
    struct sim_call c;
    char member[256];
    sim_ask(&c);
    sim_put(&c, "name", "Inès Leroy");
    ml_args_key(c.args, "role");
    ml_args_int(c.args, s->roles[i]);
    ml_args_key(c.args, "rank");
    ml_args_int(c.args, i == 1 ? 2 : 3);
    return text_of(s, by, "member.add", &c, member) && sim_join_as(s, by, i, member);
}

static bool introduce(struct sim *s, unsigned to, unsigned who)
{
    char address[32];
    struct sim_call c;
    snprintf(address, sizeof(address), "node:%u", who);
    sim_ask(&c);
    sim_put(&c, "node", s->nodes[who].id);
    sim_put(&c, "address", address);
    bool ok = sim_send(&c, s, to, "peer.add") == ML_OK;
    sim_call_end(&c);
    return ok;
}

bool sim_introduce_one(struct sim *s, unsigned i)
{
    bool ok = true;
    for (unsigned k = 0; k < SIM_TWIN && ok; k++) {
        const bool self = strcmp(s->nodes[i].id, s->nodes[k].id) == 0; /* its twin, too */
        ok = self || !s->nodes[k].joined || introduce(s, i, k);
    }
    return ok;
}

void sim_introduce_new(struct sim *s, unsigned n)
{
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if (i != n && s->nodes[i].joined && sim_node_ready(s, i) && sim_node_ready(s, n)) {
            (void)introduce(s, i, n);
            (void)(sim_node_ready(s, n) && introduce(s, n, i));
        }
    }
}

bool sim_introduce(struct sim *s)
{
    bool ok = true;
    sim_run(s, 5000); /* the cards of all have come to all */
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        ok = ok && (!s->nodes[i].joined || sim_introduce_one(s, i));
    }
    return ok;
}
