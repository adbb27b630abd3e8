/* tests/sim/sim_witness.c -- see sim_witness.h. I1, I3, I4. */
#include "sim_witness.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "net/node/state.h"
#include "sim.h"

enum { VEC_MAX = 512 };

static void *must(void *ptr)
{
    ML_ASSERT(ptr != NULL);
    return ptr;
}

/* ---- the table ---- */

static uint32_t *slot_of(struct sim_witness *w, const uint8_t hash16[16])
{
    uint64_t at = ml_get_u64be(hash16) % SIM_WITNESS_SLOTS;
    while (w->slots[at] != 0 && memcmp(w->bundles[w->slots[at] - 1].hash.b, hash16, 16) != 0) {
        at = (at + 1) % SIM_WITNESS_SLOTS;
    }
    return &w->slots[at];
}

struct sim_bundle *sim_witness_find(struct sim *s, const uint8_t hash16[16])
{
    const uint32_t *slot = slot_of(&s->witness, hash16);
    return *slot == 0 ? NULL : &s->witness.bundles[*slot - 1];
}

static struct sim_bundle *bundle_add(struct sim_witness *w, const struct ml_hash *hash)
{
    ML_ASSERT(w->count < SIM_WITNESS_SLOTS / 2);
    if (w->count == w->room) {
        w->room = w->room == 0 ? 1024 : w->room * 2;
        w->bundles = must(realloc(w->bundles, w->room * sizeof(*w->bundles)));
    }
    *slot_of(w, hash->b) = (uint32_t)w->count + 1;
    struct sim_bundle *b = &w->bundles[w->count++];
    *b = (struct sim_bundle){.hash = *hash};
    return b;
}

void sim_witness_free(struct sim *s)
{
    for (size_t i = 0; i < s->witness.count; i++) {
        free(s->witness.bundles[i].vec);
        free(s->witness.bundles[i].waits);
    }
    free(s->witness.bundles);
    memset(&s->witness, 0, sizeof(s->witness));
}

/* ---- where it is ---- */

bool sim_witness_is_kept(const struct sim_bundle *b)
{
    for (unsigned i = 0; i < SIM_MACHINES; i++) {
        if (b->copy[i].here && b->copy[i].body) {
            return true;
        }
    }
    return false;
}

bool sim_witness_may_lack(const struct sim *s, const struct sim_bundle *b)
{
    for (unsigned i = 0; i < SIM_MACHINES; i++) {
        const struct sim_ledger *w = &s->nodes[i].ledger;
        if (b->copy[i].event != 0 && b->copy[i].event > w->lost_event) {
            return false;
        }
    }
    return true;
}

void sim_witness_loss(struct sim *s, unsigned node, sim_loss loss)
{
    struct sim_ledger *w = &s->nodes[node].ledger;
    w->loss = loss;
    w->lost_event = s->witness.event;
    if (loss == SIM_LOSS_SET_BACK) {
        w->back_event = s->witness.event;
        w->again = true;
    }
}

/* ---- what a header says ---- */

/* The same writer's higher number stays; of two branches at one number, the smaller hash. */
static void vec_join(struct ml_dep *vec, size_t *count, const struct ml_dep *one)
{
    size_t i = 0;
    int order = -1;
    ML_ASSERT(*count < VEC_MAX);
    while (i < *count && order < 0) {
        order = memcmp(vec[i].writer.b, one->writer.b, sizeof(one->writer.b));
        i += order < 0;
    }
    if (order != 0) {
        memmove(&vec[i + 1], &vec[i], (*count - i) * sizeof(*vec));
        vec[i] = *one;
        (*count)++;
    } else if (one->seq > vec[i].seq || (one->seq == vec[i].seq &&
                                         memcmp(&one->hash, &vec[i].hash, sizeof(one->hash)) < 0)) {
        vec[i] = *one;
    }
}

static void vec_join_all(struct ml_dep *vec, size_t *count, const struct sim_bundle *of)
{
    for (size_t i = 0; i < of->vec_count; i++) {
        vec_join(vec, count, &of->vec[i]);
    }
}

/* Lane 0 waits for lane 0; each other one for 0, 1 and itself; lane 2 only for 0 and 1. */
static bool waits_for(uint8_t lane, uint8_t cited)
{
    if (lane == ML_LANE_GOVERNANCE) {
        return cited == ML_LANE_GOVERNANCE;
    }
    return cited <= ML_LANE_KEYS || (cited == lane && lane != ML_LANE_TRACE);
}

struct reading {
    struct sim *s;
    unsigned node;
    const struct ml_log_entry *e;
    const struct ml_org_id *org;
};

static void reading_fail(const struct reading *r, const char *what)
{
    const uint8_t *w = r->e->header.writer.b;
    sim_fail(r->s, "node %u, bundle %02x%02x%02x%02x %u:%u: %s", r->node, w[0], w[1], w[2], w[3],
             r->e->header.lane, r->e->header.seq, what);
}

/* One that the node must have had before. */
static const struct sim_bundle *had(const struct reading *r, const uint8_t hash16[16],
                                    const char *what)
{
    const struct sim_bundle *b = sim_witness_find(r->s, hash16);
    if (b == NULL || !b->copy[r->node].here) {
        reading_fail(r, what);
        return NULL;
    }
    return b;
}

/* What its predecessor had seen, and in lane 0 that one too. */
static bool vec_of_chain(const struct reading *r, struct ml_dep *vec, size_t *count)
{
    const struct ml_header *h = &r->e->header;
    if (h->seq == 1) {
        return true;
    }
    const struct sim_bundle *prev = had(r, h->prev.b, "judged before its predecessor");
    if (prev == NULL || prev->seq + 1 != h->seq || prev->lane != h->lane) {
        return false;
    }
    vec_join_all(vec, count, prev);
    if (h->lane == ML_LANE_GOVERNANCE) {
        const struct ml_dep own = {h->writer, 0, h->seq - 1, ml_hash16_of(&h->prev)};
        vec_join(vec, count, &own);
    }
    return true;
}

/* What it cites of lane 0, and what each one that it waits for had seen. */
static bool vec_of_citations(const struct reading *r, struct ml_dep *vec, size_t *count)
{
    const struct ml_header *h = &r->e->header;
    struct ml_list_walk walk;
    struct ml_dep dep;
    ml_list_walk(&walk, &h->deps);
    while (ml_dep_next(&walk, &dep)) {
        if (dep.lane == ML_LANE_GOVERNANCE) {
            vec_join(vec, count, &dep);
        }
        if (!waits_for(h->lane, dep.lane)) {
            continue;
        }
        const struct sim_bundle *cited = had(r, dep.hash.b, "judged before what it cites");
        if (cited == NULL) {
            return false;
        }
        vec_join_all(vec, count, cited);
    }
    return true;
}

static bool governance_is_here(const struct reading *r, const struct ml_dep *vec, size_t count)
{
    bool here = true;
    for (size_t i = 0; i < count && here; i++) {
        here = had(r, vec[i].hash.b, "judged before its governance (I3)") != NULL;
    }
    return here;
}

/* I3: the governance that it has seen, from its header alone; all of it is here, and the digest
 * that its writer signed is that one's. */
static void governance_check(const struct reading *r, struct sim_bundle *b)
{
    static struct ml_dep vec[VEC_MAX];
    size_t count = 0;
    const struct ml_header *h = &r->e->header;
    if (!vec_of_chain(r, vec, &count) || !vec_of_citations(r, vec, &count) ||
        !governance_is_here(r, vec, count)) {
        return;
    }
    b->vec = must(malloc((count + 1) * sizeof(*vec)));
    memcpy(b->vec, vec, count * sizeof(*vec));
    b->vec_count = count;
    b->has_vec = true;
    const struct ml_hash16 gctx = ml_gctx_of(r->org, vec, count);
    if ((h->flags & ML_BUNDLE_FLAG_GENESIS) == 0 && memcmp(&gctx, &h->gctx, sizeof(gctx)) != 0) {
        reading_fail(r, "another governance than the one it signs (I3)");
    }
    r->s->count.of[SIM_CHECKED_I3]++;
}

/* I4: its identity is the hash of its header's bytes, whatever its body. */
static void identity_check(const struct reading *r)
{
    static const struct ml_org_id nobody;
    const bool genesis = (r->e->header.flags & ML_BUNDLE_FLAG_GENESIS) != 0;
    const struct ml_slice parts[] = {ml_slice_str("maille/bundle/1"),
                                     ml_slice(genesis ? nobody.b : r->org->b, sizeof(r->org->b)),
                                     r->e->header_bytes};
    struct ml_hash hash;
    ml_hash_parts(hash.b, sizeof(hash.b), ml_slice(NULL, 0), parts, 3);
    if (memcmp(&hash, &r->e->hash, sizeof(hash)) != 0) {
        reading_fail(r, "its hash isn't that of its header (I4)");
    }
    r->s->count.of[SIM_CHECKED_I4]++;
}

/* I1: nobody signs two at one place, but who runs twice, or whose disk lost the first one before
 * anybody else had it. */
static void place_check(const struct reading *r, const struct sim_bundle *b)
{
    const struct sim_witness *w = &r->s->witness;
    for (size_t i = 0; i < w->count; i++) {
        const struct sim_bundle *o = &w->bundles[i];
        if (o != b && o->seq == b->seq && o->lane == b->lane &&
            memcmp(&o->writer, &b->writer, sizeof(b->writer)) == 0 && !r->s->forked &&
            r->s->rogue.acts == 0 && !sim_witness_may_lack(r->s, o)) {
            reading_fail(r, "there is another one at its place (I1)");
        }
    }
    r->s->count.of[SIM_CHECKED_I1]++;
}

static void wait_add(struct sim_bundle *b, const uint8_t hash16[16])
{
    b->waits = must(realloc(b->waits, (b->wait_count + 1) * sizeof(*b->waits)));
    memcpy(b->waits[b->wait_count++].b, hash16, 16);
}

static void waits_read(struct sim_bundle *b, const struct ml_header *h)
{
    struct ml_list_walk walk;
    struct ml_dep dep;
    if (h->seq > 1) {
        wait_add(b, h->prev.b);
    }
    ml_list_walk(&walk, &h->deps);
    while (ml_dep_next(&walk, &dep)) {
        if (waits_for(h->lane, dep.lane)) {
            wait_add(b, dep.hash.b);
        }
    }
}

static bool is_at(const struct sim_bundle *b, const struct ml_dep *place)
{
    return b->seq == place->seq && b->lane == place->lane &&
           memcmp(&b->writer, &place->writer, sizeof(b->writer)) == 0;
}

/* Each bundle once, so that there is room. */
static void wait_push(struct sim *s, const struct ml_hash16 *hash, uint32_t *stack, size_t *depth)
{
    struct sim_bundle *b = sim_witness_find(s, hash->b);
    if (b != NULL && b->walk != s->witness.walk) {
        b->walk = s->witness.walk;
        stack[(*depth)++] = (uint32_t)(b - s->witness.bundles);
    }
}

bool sim_witness_hangs_on(struct sim *s, const struct sim_bundle *b, const struct ml_dep *place)
{
    static uint32_t stack[SIM_WITNESS_SLOTS];
    struct sim_witness *w = &s->witness;
    size_t depth = 0;
    bool hangs = false;
    w->walk++;
    stack[depth++] = (uint32_t)(b - w->bundles);
    while (depth > 0 && !hangs) {
        const struct sim_bundle *at = &w->bundles[stack[--depth]];
        hangs = is_at(at, place);
        for (size_t i = 0; i < at->wait_count; i++) {
            wait_push(s, &at->waits[i], stack, &depth);
        }
    }
    return hangs;
}

/* ---- reading ---- */

static void entry_take(const struct reading *r)
{
    struct sim *s = r->s;
    const struct ml_log_entry *e = r->e;
    struct sim_bundle *b = sim_witness_find(s, e->hash.b);
    if (b == NULL) {
        b = bundle_add(&s->witness, &e->hash);
        b->writer = e->header.writer;
        b->lane = e->header.lane;
        b->seq = e->header.seq;
        waits_read(b, &e->header);
        identity_check(r);
        place_check(r, b);
    }
    if (!b->has_vec) {
        governance_check(r, b);
    } else if (e->header.seq > 1) {
        (void)had(r, e->header.prev.b, "judged before its predecessor");
    }
    (void)governance_is_here(r, b->vec, b->vec_count);
    b->verdict = (uint8_t)e->verdict;
    struct sim_copy *c = &b->copy[r->node];
    if (!c->here && e->body.absent == ML_ABSENT_NONE) {
        c->event = s->witness.event;
    }
    c->here = true;
    c->body = e->body.absent == ML_ABSENT_NONE;
    c->n = e->n;
}

static void forget(struct sim *s, unsigned node)
{
    for (size_t i = 0; i < s->witness.count; i++) {
        s->witness.bundles[i].copy[node].here = false;
    }
}

/* A log that lost its end without a word gives the same numbers again. */
static bool went_back(struct ml_log *log, const struct sim_ledger *w)
{
    struct ml_log_entry e;
    return w->cursor > 0 && (ml_log_after(log, w->cursor - 1, ~0u, &e) != ML_OK ||
                             e.n != w->cursor || memcmp(&e.hash, &w->at, sizeof(w->at)) != 0);
}

/* What it held before and holds no more stays away since it was seen last. */
static void node_read(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    const struct ml_org *org = n->node == NULL ? NULL : n->node->orgs;
    if (org == NULL || !org->open || org->log == NULL || ml_log_damaged(org->log)) {
        return;
    }
    struct sim_ledger *w = &n->ledger;
    if (w->loss == SIM_LOSS_DAMAGE && ml_log_epoch(org->log) == w->epoch) {
        w->lost_event = s->witness.event; /* until it's repaired, what comes may go the same way */
    }
    if (w->again || ml_log_epoch(org->log) != w->epoch || went_back(org->log, w)) {
        forget(s, i);
        w->cursor = 0;
        w->again = false;
        w->epoch = ml_log_epoch(org->log);
    }
    struct ml_log_entry e;
    const uint64_t first = w->cursor + 1;
    while (ml_log_after(org->log, w->cursor, ~0u, &e) == ML_OK) {
        const struct reading r = {.s = s, .node = i, .e = &e, .org = &org->id};
        w->cursor = e.n;
        w->at = e.hash;
        entry_take(&r);
    }
    if (w->cursor >= first) {
        w->recent[2] = w->recent[1];
        w->recent[1] = w->recent[0];
        w->recent[0] = first;
    }
}

void sim_witness_read_node(struct sim *s, unsigned node)
{
    struct sim_node *n = &s->nodes[node];
    if (n->node != NULL && !fault_disk_is_dead(n->disk)) {
        sim_store_keys(s, node);
        fault_disk_hold(n->disk, true);
        node_read(s, node);
        fault_disk_hold(n->disk, false);
    }
}

void sim_witness_read(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        sim_witness_read_node(s, i);
    }
}

bool sim_witness_is_own(const struct sim *s, unsigned node, const struct sim_bundle *b)
{
    const struct sim_node *n = &s->nodes[node];
    const struct ml_org *org = n->node == NULL ? NULL : n->node->orgs;
    if (org == NULL || !org->open) {
        return false;
    }
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), &b->writer);
    return opening != NULL &&
           memcmp(&opening->node, &org->secrets.node, sizeof(opening->node)) == 0;
}

bool sim_witness_any_loss(const struct sim *s)
{
    bool any = false;
    for (unsigned i = 0; i < SIM_MACHINES; i++) {
        any = any || s->nodes[i].ledger.loss != SIM_LOSS_NONE;
    }
    return any;
}

bool sim_witness_has_lost(const struct sim *s, unsigned node)
{
    for (size_t i = 0; i < s->witness.count; i++) {
        const struct sim_bundle *b = &s->witness.bundles[i];
        if (b->copy[node].event != 0 && !sim_witness_is_kept(b)) {
            return true;
        }
    }
    return false;
}
