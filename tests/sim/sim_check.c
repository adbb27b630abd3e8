/* tests/sim/sim_check.c -- the invariants, read from outside: what nodes answer, against each other
 * and against the model. */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "net/node/state.h"
#include "sim.h"

enum { HEAL_TURNS = 40, LATE_TURNS = 12, HEAL_MS = 30000, LOOK_OF_1000 = 250 };
enum { KEEP_MS = 130000 }; /* who keeps keys takes his turn within a minute (keep.c), twice */

struct proof {
    char state[72];
    char view[72];
    int64_t pending;
    int64_t missing;
    int64_t chunks; /* missing ones */
    int64_t forks;
    int64_t ops;
};

static bool prove(struct sim *s, unsigned node, struct proof *p)
{
    struct sim_call c;
    sim_ask(&c);
    ml_err err = sim_send(&c, s, node, "verify");
    snprintf(p->state, sizeof(p->state), "%s", ml_value_text(sim_get(&c, "state_hash"), ""));
    snprintf(p->view, sizeof(p->view), "%s", ml_value_text(sim_get(&c, "view_hash"), ""));
    p->pending = ml_value_int(sim_get(&c, "pending"), -1);
    p->missing = ml_value_int(sim_get(&c, "bodies_missing"), -1);
    p->chunks = ml_value_int(sim_get(&c, "chunks_missing"), -1);
    p->forks = ml_value_int(sim_get(&c, "forks"), -1);
    p->ops = ml_value_int(sim_get(&c, "ops"), -1);
    const bool ok = err == ML_OK && strcmp(ml_value_text(sim_get(&c, "integrity"), ""), "ok") == 0;
    if (!ok && s->nodes[node].damaged) { /* it finds what no call had, and mends it */
        sim_say(s, "node %u is damaged: %s", node, ml_err_name(err));
    } else if (!ok && err != ML_E_LOCKED) { /* for ten minutes nobody was there: unlocked again */
        sim_fail(s, "node %u doesn't verify: %s, %s", node, ml_err_name(err),
                 ml_value_text(sim_get(&c, "integrity"), "-"));
    }
    sim_call_end(&c);
    return ok;
}

/* ---- one object on one node ---- */

struct looked {
    struct sim *s;
    unsigned node;
    struct sim_object *o;
    const struct ml_value *shown;
    const bool *stands;           /* marks of what stands, where that is asked; else NULL */
    bool there[SIM_VERSIONS_MAX]; /* in any history */
};

static size_t version_index(const struct sim_object *o, const char *text)
{
    char id[SIM_VERSION];
    sim_version_name(id, text);
    for (size_t i = 0; i < o->version_count; i++) {
        if (strcmp(o->versions[i].id, id) == 0) {
            return i;
        }
    }
    return SIM_VERSIONS_MAX;
}

/* A write whose answer was lost is there after all: it has its reason. */
static void version_adopt(struct sim_object *o, const struct ml_value *h)
{
    const char *reason = ml_value_text(ml_value_get(h, "reason"), "");
    for (size_t i = 0; i < o->version_count; i++) {
        struct sim_version *v = &o->versions[i];
        if (v->id[0] == '\0' && strcmp(v->reason, reason) == 0) {
            sim_version_name(v->id, ml_value_text(ml_value_get(h, "version"), ""));
        }
    }
}

static void history_adopt(const struct looked *k, const struct ml_value *history)
{
    for (const struct ml_value *h = ml_value_at(history, 0); h != NULL; h = ml_value_next(h)) {
        version_adopt(k->o, h);
    }
}

static void adopt_all(const struct looked *k)
{
    const struct ml_value *fields = ml_value_get(k->shown, "fields");
    history_adopt(k, ml_value_get(k->shown, "life_history"));
    for (const struct ml_value *f = ml_value_at(fields, 0); f != NULL; f = ml_value_next(f)) {
        history_adopt(k, ml_value_get(f, "history"));
    }
}

static void listed_mark(const struct looked *k, const struct ml_value *list, bool *mark)
{
    for (const struct ml_value *h = ml_value_at(list, 0); h != NULL; h = ml_value_next(h)) {
        size_t i = version_index(k->o, ml_value_text(ml_value_get(h, "version"), ""));
        const bool greyed = ml_value_get(h, "greyed") != NULL;
        if (i == SIM_VERSIONS_MAX && greyed && mark != k->stands) {
            continue; /* a rogue's: it may be shown, and never stands */
        }
        if (i == SIM_VERSIONS_MAX) {
            sim_fail(k->s, "node %u shows in %s %s a version that nobody wrote: %s", k->node,
                     k->o->entity->name, k->o->id, ml_value_text(ml_value_get(h, "version"), ""));
        } else {
            mark[i] = true;
        }
    }
}

/* Who writes the register `slot`: those that say so, and a creation that any of its fields lists.
 */
static void slot_writers(const struct looked *k, uint16_t slot, bool *writes)
{
    const struct ml_value *fields = ml_value_get(k->shown, "fields");
    for (size_t i = 0; i < k->o->version_count; i++) {
        /* Of those that may be gone, only what is listed. */
        writes[i] =
            k->o->versions[i].acked && !k->o->versions[i].creates && k->o->versions[i].slot == slot;
    }
    for (const struct ml_value *f = ml_value_at(fields, 0); f != NULL; f = ml_value_next(f)) {
        if (slot == (uint16_t)ml_value_int(ml_value_get(f, "slot"), -1)) {
            listed_mark(k, ml_value_get(f, "history"), writes);
        }
    }
}

/* An event's fields are parts of it. */
static ml_merge conflict_kind(const struct ml_entity *e, const char *name)
{
    const ml_merge merge = ml_entity_field_named(e, name)->merge;
    return merge == ML_MERGE_FIXED ? ML_MERGE_EVENT : merge;
}

static void check_field(const struct looked *k, const struct ml_value *field)
{
    bool writes[SIM_VERSIONS_MAX] = {false};
    bool heads[SIM_VERSIONS_MAX] = {false};
    bool listed[SIM_VERSIONS_MAX] = {false};
    bool shown[SIM_VERSIONS_MAX] = {false};
    const char *name = ml_value_text(ml_value_get(field, "field"), "");
    unsigned count = 0;
    slot_writers(k, (uint16_t)ml_value_int(ml_value_get(field, "slot"), 0), writes);
    sim_model_heads(k->o, writes, k->there, heads);
    listed_mark(k, ml_value_get(field, "history"), listed);
    struct looked heads_of = *k;
    heads_of.stands = shown;
    listed_mark(&heads_of, ml_value_get(field, "heads"), shown);
    for (size_t i = 0; i < k->o->version_count; i++) {
        bool expected = heads[i] && listed[i];
        count += heads[i];
        if (shown[i] != expected) {
            k->s->diverged++;
            sim_fail(k->s, "node %u, %s %s, %s: %s %s (%s)", k->node, k->o->entity->name, k->o->id,
                     name, k->o->versions[i].reason,
                     expected ? "doesn't stand and should" : "stands and shouldn't",
                     k->o->versions[i].id);
        }
    }
    if (count > 1) {
        sim_count_row(&k->s->count, SIM_ROW_MERGE, conflict_kind(k->o->entity, name));
    }
}

/* NULL: it has no answer yet. */
static const struct sim_bundle *version_bundle(struct sim *s, const struct sim_version *v)
{
    uint8_t hash16[16];
    return ml_hex_decode(hash16, sizeof(hash16), v->id, 2 * sizeof(hash16)) == ML_OK
               ? sim_witness_find(s, hash16)
               : NULL;
}

/* What opens it may have been in a body that is nowhere any more: that one is told. */
static bool any_key_lost(const struct sim *s)
{
    bool lost = false;
    for (size_t i = 0; i < s->witness.count && !lost; i++) {
        const struct sim_bundle *b = &s->witness.bundles[i];
        for (unsigned k = 0; k < SIM_MACHINES && b->lane == ML_LANE_KEYS; k++) {
            lost = lost || (b->copy[k].here && !sim_witness_is_kept(b));
        }
    }
    return lost;
}

/* Gone with every machine that had it: what sim_check_losses has asked for. What nobody ever saw
 * was written by the very write in which its disk cheated: the log was repaired without it at once.
 */
static bool version_is_lost(struct sim *s, const struct sim_version *v)
{
    const struct sim_bundle *b = version_bundle(s, v);
    if (b == NULL) {
        return s->nodes[v->node].ledger.loss != SIM_LOSS_NONE;
    }
    return !sim_witness_is_kept(b) || any_key_lost(s);
}

static void there_mark(struct looked *k)
{
    const struct ml_value *fields = ml_value_get(k->shown, "fields");
    adopt_all(k);
    for (const struct ml_value *f = ml_value_at(fields, 0); f != NULL; f = ml_value_next(f)) {
        listed_mark(k, ml_value_get(f, "history"), k->there);
    }
    listed_mark(k, ml_value_get(k->shown, "life_history"), k->there);
}

/* I11, I10: what was acknowledged is in the history of the object, whatever came after. */
static void check_acked(struct looked *k)
{
    there_mark(k);
    for (size_t i = 0; i < k->o->version_count; i++) {
        const struct sim_version *v = &k->o->versions[i];
        if (v->acked && !k->there[i] && !version_is_lost(k->s, v)) {
            k->s->lost++;
            sim_fail(k->s, "node %u lost %s of node %u: %s %s", k->node, v->reason, v->node,
                     k->o->entity->name, v->id);
        }
    }
}

static ml_err object_show(struct sim_call *c, struct sim *s, unsigned node,
                          const struct sim_object *o)
{
    sim_ask(c);
    sim_put(c, "patient", s->model.patients[o->patient]);
    sim_put(c, "object", o->id);
    return sim_send(c, s, node, "record.show");
}

static void check_object(struct sim *s, unsigned node, struct sim_object *o)
{
    struct sim_call c;
    ml_err err = object_show(&c, s, node, o);
    struct looked k = {.s = s, .node = node, .o = o, .shown = ml_tree_root(c.answer)};
    const bool lost =
        err == ML_E_NOT_FOUND && (!o->versions[0].acked || version_is_lost(s, &o->versions[0]));
    if (lost) { /* created on a disk that lost it before anyone had it */
    } else if (err != ML_OK) {
        sim_fail(s, "node %u doesn't show %s %s: %s", node, o->entity->name, o->id,
                 ml_err_name(err));
    } else {
        check_acked(&k);
        const struct ml_value *fields = sim_get(&c, "fields");
        for (const struct ml_value *f = ml_value_at(fields, 0); f != NULL && !s->forked;
             f = ml_value_next(f)) {
            check_field(&k, f);
        }
        if (ml_value_bool(sim_get(&c, "life_conflict"), false)) {
            sim_count_row(&s->count, SIM_ROW_MERGE, ML_MERGE_SET);
        }
    }
    sim_call_end(&c);
}

/* ---- I10, at any time ---- */

static bool is_listed(const struct sim_call *c, const char *object)
{
    const struct ml_value *all = sim_get(c, "items");
    for (const struct ml_value *one = ml_value_at(all, 0); one != NULL; one = ml_value_next(one)) {
        if (strcmp(ml_value_text(ml_value_get(one, "object"), ""), object) == 0) {
            return true;
        }
    }
    return false;
}

static bool shows_conflict(const struct sim_call *c)
{
    const struct ml_value *fields = sim_get(c, "fields");
    bool open = ml_value_bool(sim_get(c, "life_conflict"), false);
    for (const struct ml_value *f = ml_value_at(fields, 0); f != NULL; f = ml_value_next(f)) {
        open = open || ml_value_bool(ml_value_get(f, "conflict"), false);
    }
    return open;
}

/* A conflict that the object shows is in the worklist of its patient; unless what came between the
 * two answers has ended it: a branch that was denied. */
static void check_worklist(const struct looked *k)
{
    struct sim_call list;
    struct sim_call again;
    sim_ask(&list);
    sim_put(&list, "patient", k->s->model.patients[k->o->patient]);
    ml_args_key(list.args, "limit");
    ml_args_int(list.args, 10000);
    const bool hidden =
        sim_send(&list, k->s, k->node, "conflicts.list") == ML_OK && !is_listed(&list, k->o->id);
    if (hidden && object_show(&again, k->s, k->node, k->o) == ML_OK && shows_conflict(&again)) {
        sim_fail(k->s, "node %u hides a conflict of %s %s (I10)", k->node, k->o->entity->name,
                 k->o->id);
    }
    if (hidden) {
        sim_call_end(&again);
    }
    k->s->count.of[SIM_CHECKED_I10_LIST]++;
    sim_call_end(&list);
}

/* A version whose bundle this node has is shown, whatever came after it. */
static void check_shown(const struct looked *k)
{
    for (size_t i = 0; i < k->o->version_count; i++) {
        const struct sim_version *v = &k->o->versions[i];
        const struct sim_bundle *b = version_bundle(k->s, v);
        if (v->acked && b != NULL && b->copy[k->node].here && b->copy[k->node].body &&
            !k->there[i]) {
            sim_fail(k->s, "node %u has %s of node %u and doesn't show it (I10): %s %s", k->node,
                     v->reason, v->node, k->o->entity->name, v->id);
        }
    }
    k->s->count.of[SIM_CHECKED_I10]++;
}

/* One object on one node, once its vault has followed. */
static void check_any_object(struct sim *s)
{
    const unsigned node = sim_node_any(s);
    if (node == SIM_NODES || s->model.object_count == 0 || s->nodes[node].node->orgs->behind) {
        return;
    }
    struct sim_object *o = &s->model.objects[sim_below(s, s->model.object_count)];
    struct sim_call c;
    ml_err err = object_show(&c, s, node, o);
    struct looked k = {.s = s, .node = node, .o = o, .shown = ml_tree_root(c.answer)};
    if (err == ML_OK && !s->nodes[node].node->orgs->behind) {
        there_mark(&k);
        check_shown(&k);
        if (shows_conflict(&c)) {
            check_worklist(&k);
        }
    }
    sim_call_end(&c);
}

/* ---- the whole ---- */

void sim_check_now(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].live < 0) {
            sim_fail(s, "node %u released more memory than it had", i);
        }
    }
    sim_damage_notice(s);
    sim_witness_read(s);
    if (sim_chance(s, LOOK_OF_1000)) {
        check_any_object(s);
    }
    s->count.of[SIM_CHECKED_NOW]++;
}

static void be_ready(struct sim *s, unsigned i)
{
    const struct sim_node *n = &s->nodes[i];
    if (n->node == NULL || !n->joined || n->token_len > 0) {
        return;
    }
    ml_err err = sim_unlock(s, i);
    if (err != ML_OK) {
        sim_say(s, "node %u doesn't unlock: %s", i, ml_err_name(err));
    }
}

static bool all_ready(struct sim *s)
{
    bool ready = true;
    for (unsigned i = 0; i < SIM_NODES; i++) {
        sim_replaced_joins(s, i);
        be_ready(s, i);
        ready = ready && (sim_node_ready(s, i) || !s->nodes[i].joined) && !s->nodes[i].replacing;
    }
    return ready;
}

/* Bodies that are nowhere any more, though machine `node` has their headers; or, while machine
 * `away` is switched off, nowhere else. SIM_MACHINES: none is away, or whoever has the headers. */
static int64_t holes(const struct sim *s, unsigned away, unsigned node)
{
    int64_t count = 0;
    for (size_t i = 0; i < s->witness.count; i++) {
        const struct sim_bundle *b = &s->witness.bundles[i];
        bool here = false;
        bool kept = false;
        for (unsigned k = 0; k < SIM_MACHINES; k++) {
            here = here || (k != away && b->copy[k].here && (node == SIM_MACHINES || node == k));
            kept = kept || (k != away && b->copy[k].here && b->copy[k].body);
        }
        count += here && !kept;
    }
    return count;
}

/* A body that came after its header is seen by reading again. */
static void holes_read(struct sim *s, unsigned away)
{
    sim_witness_read(s);
    const bool any = holes(s, away, SIM_MACHINES) > 0;
    for (unsigned i = 0; i < SIM_NODES && any; i++) {
        s->nodes[i].ledger.again = true;
        sim_witness_read_node(s, i);
    }
}

static bool all_equal(struct sim *s, struct proof proofs[SIM_NODES], bool late)
{
    /* It alone may have chunks, bodies of which its twin has the headers, what a trace cites: what
     * the others have of these has had its time to come. */
    const bool absent = s->forked && !s->nodes[s->doubled].joined;
    const bool waits = absent && late;
    bool equal = true;
    const struct proof *first = NULL;
    const unsigned away = absent ? s->doubled : SIM_MACHINES;
    const bool lost =
        late && sim_witness_any_loss(s); /* what hangs on it waits for ever, and is told */
    holes_read(s, away);
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (!s->nodes[i].joined) {
            continue;
        }
        if (!prove(s, i, &proofs[i])) {
            return false;
        }
        if ((absent || lost) && sim_node_is_stranger(s, i)) {
            continue; /* no key of the record is for it: its enrolment was on one machine only */
        }
        first = first == NULL ? &proofs[i] : first;
        equal = equal && strcmp(first->state, proofs[i].state) == 0 &&
                strcmp(first->view, proofs[i].view) == 0 &&
                proofs[i].missing == holes(s, away, i) &&
                (proofs[i].chunks == 0 || waits || lost) &&
                (proofs[i].pending <= (int64_t)s->rogue.waiting || lost || waits);
    }
    return equal;
}

static void sync_all(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (sim_node_ready(s, i)) {
            struct sim_call c;
            sim_ask(&c);
            (void)sim_send(&c, s, i, "sync.resume"); /* whoever paused it is back */
            sim_call_end(&c);
            sim_ask(&c);
            (void)sim_send(&c, s, i, "sync.now");
            sim_call_end(&c);
        }
    }
}

/* Who came, or came back as another machine, is given what was written before. */
static void give_history(struct sim *s, unsigned i)
{
    if (!s->nodes[i].has_history && i != SIM_ENROLLER && sim_node_ready(s, SIM_ENROLLER)) {
        sim_history_give(s, SIM_ENROLLER, i);
    }
}

/* Who wasn't there when a machine was replaced, or came late, hears of it now. */
static void introduce_again(struct sim *s)
{
    const bool late = s->count.of[SIM_JOINED_LATE] > 0;
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        if (s->nodes[i].was_replaced || (late && i == SIM_LATE)) {
            sim_introduce_new(s, i);
            give_history(s, i);
        }
    }
    if ((s->replaced || late) && s->forked && sim_node_ready(s, SIM_TWIN)) {
        (void)sim_introduce_one(s, SIM_TWIN);
    }
}

static bool any_replacing(const struct sim *s)
{
    bool any = false;
    for (unsigned i = 0; i < SIM_NODES; i++) {
        any = any || s->nodes[i].replacing;
    }
    return any;
}

/* A few minutes of quiet, as often as it takes up to a bound: then all are equal. */
static bool converge(struct sim *s, struct proof proofs[SIM_NODES])
{
    for (unsigned turn = 0; turn < HEAL_TURNS && s->failure[0] == '\0'; turn++) {
        sim_run(s, turn < 3 ? 2000 : HEAL_MS);
        const bool ready = all_ready(s);
        sync_all(s); /* who isn't ready may wait for what another has */
        if (!ready) {
            continue;
        }
        introduce_again(s);
        if (all_equal(s, proofs, turn >= LATE_TURNS)) {
            return true;
        }
    }
    return false;
}

void sim_say_links(struct sim *s, unsigned node)
{
    struct sim_call c;
    if (!sim_node_ready(s, node)) {
        return;
    }
    sim_ask(&c);
    ml_err err = sim_send(&c, s, node, "sync.status");
    sim_say(s, "node %u, sync.status: %s %s", node, ml_err_name(err),
            ml_value_text(sim_get(&c, "text"), ""));
    const struct ml_value *peers = sim_get(&c, "peers");
    for (const struct ml_value *p = ml_value_at(peers, 0); p != NULL; p = ml_value_next(p)) {
        sim_say(s, "node %u, peer %.8s: %s, synced %d, last error %s", node,
                ml_value_text(ml_value_get(p, "node"), ""),
                ml_value_text(ml_value_get(p, "state"), ""),
                ml_value_bool(ml_value_get(p, "synced"), false),
                ml_value_text(ml_value_get(p, "last_error"), ""));
    }
    sim_call_end(&c);
}

/* Two machines of one identity take turns with their peers' one link: people stop one, then the
 * other, and everything that either had is everywhere. */
static bool meet_in_turn(struct sim *s, struct proof proofs[SIM_NODES])
{
    struct sim_node *first = &s->nodes[s->doubled];
    if (s->forked) {
        sim_node_stop(s, s->doubled);
        first->start_at_ms = 0;
        first->joined = false;
        if (!converge(s, proofs)) {
            return false;
        }
        (void)sim_told_read(s, SIM_TWIN);
        sim_node_stop(s, SIM_TWIN);
        s->nodes[SIM_TWIN].joined = false;
        first->joined = true;
        first->start_at_ms = s->now_ms + 1;
    }
    return converge(s, proofs);
}

static void say_unequal(struct sim *s, const struct proof proofs[SIM_NODES])
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        s->diverged += i == 0;
        sim_fail(
            s, "not equal at the end: node %u %s %.12s %.12s pending %lld missing %lld chunks %lld",
            i, sim_node_ready(s, i) ? "ready" : "not ready", proofs[i].state, proofs[i].view,
            (long long)proofs[i].pending, (long long)proofs[i].missing,
            (long long)proofs[i].chunks);
        sim_say_links(s, i);
    }
}

/* Each object as each node shows it; the first round also finds what had no answer. */
static void check_objects(struct sim *s)
{
    for (size_t k = 0; k < s->model.object_count * SIM_NODES; k++) {
        const unsigned i = (unsigned)(k % SIM_NODES);
        if (s->nodes[i].joined) {
            check_object(s, i, &s->model.objects[k / SIM_NODES]);
        }
    }
}

static bool file_is_whole(const struct sim_call *c, const struct sim_object *o)
{
    size_t len = 0;
    const uint8_t *bytes = ml_value_bytes(sim_get(c, "bytes"), &len);
    bool same = bytes != NULL && len == o->file_bytes;
    for (uint32_t i = 0; same && i < o->file_bytes; i++) {
        same = bytes[i] == sim_file_byte(o, i);
    }
    return same;
}

static void check_file(struct sim *s, unsigned node, const struct sim_object *o)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "patient", s->model.patients[o->patient]);
    sim_put(&c, "object", o->id);
    (void)sim_send(&c, s, node, "document.show");
    sim_call_end(&c);
    sim_ask(&c);
    sim_put(&c, "patient", s->model.patients[o->patient]);
    sim_put(&c, "object", o->id);
    ml_err err = sim_send(&c, s, node, "document.get");
    if (err != ML_OK || !file_is_whole(&c, o)) {
        s->lost++;
        sim_fail(s, "node %u hasn't the file of document %s of node %u, %u bytes: %s %s", node,
                 o->id, o->versions[0].node, o->file_bytes, ml_err_name(err),
                 ml_value_text(sim_get(&c, "text"), ""));
    }
    s->count.of[SIM_DOCUMENT_CHECKED]++;
    sim_call_end(&c);
}

/* Where a disk has lost something chunks may be missing for ever, so that nobody waited for those
 * that are still on their way: now they have time to come. */
static void chunks_come(struct sim *s)
{
    for (unsigned turn = 0; turn < 3 && sim_witness_any_loss(s); turn++) {
        sim_run(s, HEAL_MS);
        (void)all_ready(s);
        sync_all(s);
    }
}

/* Files of documents that were never amended are on each node. */
static void check_files(struct sim *s)
{
    chunks_come(s);
    for (size_t k = 0; k < s->model.object_count * SIM_NODES; k++) {
        const unsigned i = (unsigned)(k % SIM_NODES);
        const struct sim_object *o = &s->model.objects[k / SIM_NODES];
        if (o->file_bytes > 0 && o->version_count == 1 && o->versions[0].acked &&
            !sim_is_twin(s, o->versions[0].node) && s->nodes[i].joined &&
            s->nodes[o->versions[0].node].ledger.loss == SIM_LOSS_NONE) {
            check_file(s, i, o);
        }
    }
}

/* Two branches of one writer: every node counts them, and where it can write somebody is told. */
static void check_forks_told(struct sim *s, const struct proof proofs[SIM_NODES])
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        const struct sim_node *n = &s->nodes[i];
        if (!n->joined || !sim_node_ready(s, i)) {
            continue;
        }
        if (n->told.forks != proofs[i].forks) {
            sim_fail(s, "node %u tells of %lld forks, its log has %lld", i,
                     (long long)n->told.forks, (long long)proofs[i].forks);
        }
        if (s->forked && i == s->doubled && proofs[i].forks > 0 && !n->told.doubled &&
            !n->damaged && !n->clock_moved) { /* else its key was another one already */
            sim_fail(s, "node %u was doubled and its key forked: nobody is told", i);
        }
        s->count.of[SIM_FORK_TOLD] += n->told.doubled;
    }
}

/* The one machine that had their enrolment lost it: they must be enrolled again, and are told so
 * whenever they want to write. */
static void strangers_leave(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].joined && sim_node_is_stranger(s, i)) {
            s->nodes[i].joined = false;
            sim_say(s, "node %u was enrolled by what is lost", i);
        }
    }
}

static void recompute_each(struct sim *s, bool in_time)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].joined) {
            sim_store_recompute(s, i, in_time);
        }
    }
}

/* False: who keeps keys has given what is awaited, and since then not all are equal. */
static bool recompute_all(struct sim *s, struct proof proofs[SIM_NODES])
{
    s->keys_awaited = false;
    recompute_each(s, false);
    if (!s->keys_awaited) {
        return true;
    }
    sim_run(s, KEEP_MS);
    if (!converge(s, proofs)) {
        return false;
    }
    recompute_each(s, true);
    return true;
}

void sim_check_end(struct sim *s)
{
    static struct proof proofs[SIM_NODES];
    for (unsigned turn = 0; turn < HEAL_TURNS && any_replacing(s); turn++) {
        sim_run(s, HEAL_MS);
        (void)all_ready(s);
        sync_all(s);
    }
    if (!meet_in_turn(s, proofs)) {
        say_unequal(s, proofs);
        return;
    }
    strangers_leave(s);
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].joined) {
            s->nodes[i].ledger.again = true;
            sim_witness_read_node(s, i);
            (void)sim_told_read(s, i);
        }
    }
    if (!recompute_all(s, proofs)) {
        say_unequal(s, proofs);
        return;
    }
    sim_check_losses(s);
    check_objects(s);
    check_objects(s);
    check_files(s);
    sim_imports_check(s);
    check_forks_told(s, proofs);
    s->count.of[SIM_CHECKED_END]++;
}
