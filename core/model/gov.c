/* core/model/gov.c -- see gov.h.
 *
 * Facts are kept in the order in which they came, one allocation each, so that pointers stay. A
 * structure has some thousands; lane 0 is written seldom, and the store keeps what it asks often.
 */
#include "core/model/gov.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/model/gov_impl.h"

/* ---- ids ---- */

uint32_t ml_ids_find(const struct ml_ids *ids, const void *id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (ml_gov_same(ids->at[i], id, sizeof(ids->at[i]))) {
            return (uint32_t)i;
        }
    }
    return ML_NOBODY;
}

ml_err ml_ids_number(struct ml_ids *ids, const struct ml_env *env, const void *id, uint32_t *out)
{
    *out = ml_ids_find(ids, id);
    if (*out != ML_NOBODY) {
        return ML_OK;
    }
    if (ids->count == ids->cap) {
        size_t cap = ids->cap == 0 ? 16 : ids->cap * 2;
        void *at = ml_resize(env, ids->at, cap * sizeof(ids->at[0]));
        if (at == NULL) {
            return ML_E_NOMEM;
        }
        ids->at = at;
        ids->cap = cap;
    }
    memcpy(ids->at[ids->count], id, sizeof(ids->at[0]));
    *out = (uint32_t)ids->count++;
    return ML_OK;
}

static uint32_t seq_in(const void *ctx, const void *vec, uint32_t writer)
{
    const struct ml_gov *g = ctx;
    struct ml_writer_id id;
    memcpy(id.b, g->writers.at[writer], sizeof(id.b));
    return ml_gvec_seq(vec, &id);
}

/* ---- facts ---- */

ml_err ml_gov_new(struct ml_gov **out, const struct ml_env *env, const struct ml_org_id *org)
{
    struct ml_gov *g = ml_alloc(env, sizeof(*g));
    if (g == NULL) {
        return ML_E_NOMEM;
    }
    g->env = env;
    g->org = *org;
    g->views = ml_alloc(env, sizeof(*g->views));
    ml_err err = g->views == NULL ? ML_E_NOMEM : ml_authority_new(&g->authority, env, seq_in, g);
    if (err != ML_OK) {
        ml_release(env, g->views);
        ml_release(env, g);
        return err;
    }
    *out = g;
    return ML_OK;
}

const struct ml_gov *ml_gov_nothing(void)
{
    static const struct ml_gov nothing;
    return &nothing;
}

static void act_drop(struct ml_gov *g)
{
    struct ml_gov_act *act = &g->acts[--g->act_count];
    while (g->count > act->facts) {
        struct ml_fact *fact = g->facts[--g->count];
        g->last[fact->kind] = fact->before;
        g->garants -= fact->rank == ML_RANK_GARANT;
        ml_release(g->env, fact);
    }
    g->writers.count = act->ids[0];
    g->members.count = act->ids[1];
    g->nodes.count = act->ids[2];
    ml_release(g->env, act->cuts);
    ml_gvec_unref(act->vec);
}

void ml_gov_free(struct ml_gov *g)
{
    if (g == NULL) {
        return;
    }
    ml_view_free(g->all);
    ml_view_free(g->before);
    ml_gov_views_drop(g->views);
    ml_release(g->env, g->views);
    ml_authority_free(g->authority);
    while (g->act_count > 0) {
        act_drop(g);
    }
    ml_release(g->env, g->facts);
    ml_release(g->env, g->acts);
    ml_release(g->env, g->writers.at);
    ml_release(g->env, g->members.at);
    ml_release(g->env, g->nodes.at);
    ml_release(g->env, g);
}

static ml_err gov_reserve(struct ml_gov *g)
{
    if (g->count < g->cap) {
        return ML_OK;
    }
    size_t cap = g->cap == 0 ? 16 : g->cap * 2;
    struct ml_fact **facts = ml_resize(g->env, g->facts, cap * sizeof(struct ml_fact *));
    if (facts == NULL) {
        return ML_E_NOMEM;
    }
    g->facts = facts;
    g->cap = cap;
    return ML_OK;
}

ml_err ml_gov_keep(struct ml_gov *g, const struct ml_fact *fact)
{
    ml_err err = gov_reserve(g);
    if (err != ML_OK) {
        return err;
    }
    const size_t more =
        fact->matrix != NULL ? sizeof(*fact->matrix) : fact->label.ct.len + fact->teams.raw.len;
    struct ml_fact *copy = ml_alloc(g->env, sizeof(*copy) + more);
    if (copy == NULL) {
        return ML_E_NOMEM;
    }
    *copy = *fact;
    copy->place = (uint32_t)g->count;
    copy->before = g->last[fact->kind];
    g->last[fact->kind] = copy;
    g->garants += fact->rank == ML_RANK_GARANT;
    if (fact->matrix != NULL) {
        copy->matrix = memcpy(copy + 1, fact->matrix, more);
    } else if (fact->label.ct.len > 0) {
        uint8_t *bytes = (uint8_t *)(copy + 1);
        memcpy(bytes, fact->label.ct.data, fact->label.ct.len);
        copy->label.ct.data = bytes;
    } else if (fact->teams.raw.len > 0) { /* no fact has both */
        copy->teams.raw.data = memcpy(copy + 1, fact->teams.raw.data, more);
    }
    g->facts[g->count++] = copy;
    return ML_OK;
}

bool ml_gov_stands(const struct ml_view *v, const struct ml_fact *f)
{
    if (f->kind == ML_FACT_MEMBER || f->kind == ML_FACT_MON || f->kind == ML_FACT_ROLE) {
        return ml_view_grant(v, f->act, f->say);
    }
    if (f->kind == ML_FACT_DENIAL) {
        return ml_view_denies(v, f->act, f->say);
    }
    return ml_view_act(v, f->act).verdict == ML_VERDICT_ACCEPTED;
}

const struct ml_fact *ml_gov_root_in(const struct ml_gov *g, const struct ml_view *v)
{
    const uint32_t act = v == NULL ? ML_NOBODY : ml_view_root(v);
    for (const struct ml_fact *f = g->last[ML_FACT_ROOT]; f != NULL; f = f->before) {
        if (f->act == act) {
            return f;
        }
    }
    const struct ml_fact *first = g->last[ML_FACT_ORG];
    while (first != NULL && first->before != NULL) {
        first = first->before;
    }
    return first;
}

const struct ml_fact *ml_gov_root(const struct ml_gov *g)
{
    return ml_gov_root_in(g, g->all);
}

static size_t index_after(const struct ml_fact *after)
{
    return after == NULL ? 0 : (size_t)after->place + 1;
}

const struct ml_fact *ml_gov_next(const struct ml_gov *g, ml_fact_kind kind,
                                  const struct ml_fact *after)
{
    for (size_t i = index_after(after); i < g->count; i++) {
        if (g->facts[i]->kind == kind && g->facts[i]->counts) {
            return g->facts[i];
        }
    }
    return NULL;
}

const struct ml_fact *ml_gov_next_judgement(const struct ml_gov *g, const struct ml_fact *after)
{
    for (size_t i = index_after(after); i < g->count; i++) {
        if (g->facts[i]->kind == ML_FACT_JUDGEMENT) {
            return g->facts[i];
        }
    }
    return NULL;
}

const struct ml_fact *ml_gov_next_root(const struct ml_gov *g, const struct ml_fact *after)
{
    for (size_t i = index_after(after); i < g->count; i++) {
        if (g->facts[i]->kind == ML_FACT_ORG || g->facts[i]->kind == ML_FACT_ROOT) {
            return g->facts[i];
        }
    }
    return NULL;
}

const struct ml_fact *ml_gov_opening_of(const struct ml_gov *g, const struct ml_writer_id *writer,
                                        bool counting)
{
    const struct ml_fact *first = NULL;
    for (const struct ml_fact *f = g->last[ML_FACT_WRITER]; f != NULL; f = f->before) {
        if ((f->counts || !counting) && ml_gov_same(f->writer.b, writer->b, sizeof(writer->b))) {
            first = f;
        }
    }
    return first;
}

const struct ml_fact *ml_gov_opening(const struct ml_gov *g, const struct ml_writer_id *writer)
{
    return ml_gov_opening_of(g, writer, false);
}

/* Of several that nobody replaced, the lowest right. */
const struct ml_fact *ml_gov_member(const struct ml_gov *g, const struct ml_member_id *member)
{
    const struct ml_fact *lowest = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (f->kind == ML_FACT_MEMBER && f->counts &&
            ml_gov_same(f->member.b, member->b, sizeof(member->b)) &&
            (lowest == NULL || f->rank > lowest->rank)) {
            lowest = f;
        }
    }
    return lowest;
}

/* Does its act count? What it grants may be denied since: who left keeps his name. */
static bool is_said(const struct ml_gov *g, const struct ml_fact *f)
{
    return ml_gov_act_ruling(g, f->act).verdict == ML_VERDICT_ACCEPTED;
}

const struct ml_fact *ml_gov_ever_member(const struct ml_gov *g, const struct ml_member_id *member)
{
    const struct ml_fact *best = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (f->kind == ML_FACT_MEMBER && ml_gov_same(f->member.b, member->b, sizeof(member->b)) &&
            ml_gov_had_right(g, f) && (best == NULL || f->rank < best->rank)) {
            best = f;
        }
    }
    return best;
}

const struct ml_fact *ml_gov_noise(const struct ml_gov *g, const struct ml_box_pk *noise)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (f->kind == ML_FACT_MON && f->counts && ml_gov_same(f->noise.b, noise->b, 32)) {
            return f;
        }
    }
    return NULL;
}

static bool was_enrolled(const struct ml_gov *g, const struct ml_fact *f)
{
    return f->kind == ML_FACT_MON && ml_gov_act_ruling(g, f->act).verdict == ML_VERDICT_ACCEPTED;
}

bool ml_gov_has_gone(const struct ml_gov *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (!g->facts[i]->counts && was_enrolled(g, g->facts[i])) {
            return true;
        }
    }
    return false;
}

const struct ml_fact *ml_gov_knew_node(const struct ml_gov *g, const struct ml_node_id *node)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (was_enrolled(g, f) && ml_gov_same(f->node.b, node->b, sizeof(node->b))) {
            return f;
        }
    }
    return NULL;
}

const struct ml_fact *ml_gov_knew_noise(const struct ml_gov *g, const struct ml_box_pk *noise)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (was_enrolled(g, f) && ml_gov_same(f->noise.b, noise->b, sizeof(noise->b))) {
            return f;
        }
    }
    return NULL;
}

static bool describes(const struct ml_fact *f, uint8_t card_kind, const uint8_t id[16])
{
    switch (f->kind) {
    case ML_FACT_CARD:
        return f->card_kind == card_kind && ml_gov_same(f->card_id, id, 16);
    case ML_FACT_MEMBER:
        return card_kind == ML_CARD_MEMBER && ml_gov_same(f->member.b, id, 16);
    case ML_FACT_MON:
        return card_kind == ML_CARD_NODE && ml_gov_same(f->node.b, id, 16);
    case ML_FACT_TEAM:
        return card_kind == ML_CARD_TEAM && ml_gov_same(f->team.b, id, 16);
    case ML_FACT_ORG:
        return card_kind == ML_CARD_ORG && ml_is_zero(id, 16);
    case ML_FACT_WRITER:
    case ML_FACT_DENIAL:
    case ML_FACT_JUDGEMENT:
    case ML_FACT_MATRIX:
    case ML_FACT_ROLE:
    case ML_FACT_ROOT:
        break;
    }
    return false;
}

/* A card set beats a label that something came with; then the later; then any fixed order. */
static bool supersedes(const struct ml_fact *f, const struct ml_fact *best)
{
    if (best == NULL) {
        return true;
    }
    if ((f->kind == ML_FACT_CARD) != (best->kind == ML_FACT_CARD)) {
        return f->kind == ML_FACT_CARD;
    }
    if (f->hlc != best->hlc) {
        return f->hlc > best->hlc;
    }
    int order = ml_dep_compare(&f->at, &best->at);
    return order > 0 || (order == 0 && f->index > best->index);
}

const struct ml_fact *ml_gov_card(const struct ml_gov *g, uint8_t card_kind, const uint8_t id[16])
{
    const struct ml_fact *best = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (is_said(g, f) && f->label.ct.len > 0 && describes(f, card_kind, id) &&
            supersedes(f, best)) {
            best = f;
        }
    }
    return best;
}

/* ---- bundles ---- */

/* Facts say whether they count, so that questions cost no evaluation. */
static void stamp(struct ml_gov *g)
{
    for (size_t i = 0; i < g->count; i++) {
        g->facts[i]->counts = g->all != NULL && ml_gov_stands(g->all, g->facts[i]);
    }
}

static ml_err act_push(struct ml_gov *g, const struct ml_gov_in *in)
{
    if (g->act_count == g->act_cap) {
        size_t cap = g->act_cap == 0 ? 16 : g->act_cap * 2;
        void *acts = ml_resize(g->env, g->acts, cap * sizeof(g->acts[0]));
        if (acts == NULL) {
            return ML_E_NOMEM;
        }
        g->acts = acts;
        g->act_cap = cap;
    }
    g->acts[g->act_count++] =
        (struct ml_gov_act){.vec = ml_gvec_ref(in->gvec),
                            .n = in->n,
                            .facts = g->count,
                            .ids = {g->writers.count, g->members.count, g->nodes.count}};
    return ML_OK;
}

static ml_err add(struct ml_gov_reading *r)
{
    struct ml_gov *g = r->g;
    const struct ml_header *h = &r->in->bundle->header;
    struct ml_ruling own;
    struct ml_act_in in = {.seq = h->seq,
                           .hlc = h->hlc,
                           .vec = r->in->gvec,
                           .says = r->says,
                           .say_count = r->say_count,
                           .refused = r->in->frozen ? ML_REASON_FORK : r->refused};
    if (g->act_count == 1) {
        in.refused = ML_REASON_NONE; /* a second history of the founder's beside it takes no Root */
    }
    ml_err err = ml_ids_number(&g->writers, g->env, h->writer.b, &in.writer);
    return err == ML_OK ? ml_authority_add(g->authority, &own, &in) : err;
}

/* The statements of the bundle, judged; the authority has one act more, or is as it was. */
static ml_err take(struct ml_gov *g, const struct ml_gov_in *in)
{
    struct ml_gov_reading r = {.g = g, .in = in};
    size_t says = 0;
    size_t cuts = 0;
    ml_gov_measure(in->bundle, &says, &cuts);
    r.says = ml_alloc_array(g->env, says + 1, sizeof(r.says[0]));
    r.cuts = ml_alloc_array(g->env, cuts + 1, sizeof(r.cuts[0]));
    g->acts[g->act_count - 1].cuts = r.cuts;
    ml_err err = r.says == NULL || r.cuts == NULL ? ML_E_NOMEM : ML_OK;
    if (err == ML_OK && g->act_count > 1) {
        err = ml_gov_view_at(g, &r.own, in->gvec);
    }
    err = err == ML_OK ? ml_gov_read(&r) : err;
    err = err == ML_OK ? add(&r) : err;
    ml_release(g->env, r.says);
    return err;
}

static ml_err act_take(struct ml_gov *g, const struct ml_gov_in *in)
{
    struct ml_view *all = NULL;
    ml_err err = act_push(g, in);
    if (err != ML_OK) {
        return err;
    }
    err = take(g, in);
    if (err == ML_OK) {
        err = ml_view_of_all(&all, g->authority);
        if (err != ML_OK) {
            ml_authority_undo(g->authority);
        }
    }
    if (err != ML_OK) {
        act_drop(g);
        return err;
    }
    ml_view_free(g->before);
    g->before = g->all;
    g->all = all;
    stamp(g);
    return ML_OK;
}

ml_err ml_gov_apply(struct ml_gov *g, struct ml_ruling *ruling, ml_reason *why,
                    const struct ml_gov_in *in)
{
    ML_ASSERT(in->bundle->header.lane == ML_LANE_GOVERNANCE && in->bundle->body.absent == 0);
    bool waits = false;
    ml_reason reason = ml_gov_check(g, &waits, in->bundle);
    if (reason != ML_REASON_NONE) {
        *why = reason;
        return reason == ML_REASON_COSIGNATURE ? ML_E_FORGED : ML_E_MALFORMED;
    }
    if (waits) {
        *ruling = (struct ml_ruling){ML_VERDICT_PENDING, ML_REASON_WAITS_VERSION};
        return ML_OK;
    }
    ml_err err = act_take(g, in);
    if (err == ML_OK) {
        *ruling = ml_gov_act_ruling(g, g->act_count - 1);
    }
    return err;
}

void ml_gov_undo(struct ml_gov *g)
{
    if (g->before == NULL && g->act_count != 1) {
        return; /* what was last is undone already, or there is nothing */
    }
    ml_authority_undo(g->authority);
    act_drop(g);
    ml_view_free(g->all);
    g->all = g->before;
    g->before = NULL;
    stamp(g);
}

size_t ml_gov_acts(const struct ml_gov *g)
{
    return g->act_count;
}

uint64_t ml_gov_act_n(const struct ml_gov *g, size_t act)
{
    return g->acts[act].n;
}

struct ml_ruling ml_gov_act_ruling(const struct ml_gov *g, size_t act)
{
    return ml_view_act(g->all, act);
}

bool ml_gov_changed(const struct ml_gov *g)
{
    return g->before != NULL &&
           (!ml_view_extends(g->all, g->before) || ml_gov_ends_changed(g, g->before));
}

const struct ml_view *ml_gov_view(const struct ml_gov *g)
{
    return g->all;
}

const struct ml_view *ml_gov_view_before(const struct ml_gov *g)
{
    return g->before;
}

uint32_t ml_gov_settled(const struct ml_gov *g, const struct ml_view *before,
                        const struct ml_writer_id *writer, uint8_t lane)
{
    const uint32_t number = ml_ids_find(&g->writers, writer->b);
    if (ml_gov_wants_writes(g, lane) &&
        (ml_gov_rights_changed(g, before) || ml_gov_has_ends(g, g->all, writer) ||
         ml_gov_has_ends(g, before, writer))) {
        return 0;
    }
    return number == ML_NOBODY ? UINT32_MAX : ml_view_settled(g->all, before, number, lane);
}

bool ml_gov_has_denials(const struct ml_gov *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->facts[i]->kind == ML_FACT_DENIAL) {
            return true;
        }
    }
    return false;
}

bool ml_gov_had_right(const struct ml_gov *g, const struct ml_fact *f)
{
    return ml_authority_own(g->authority, f->act).verdict == ML_VERDICT_ACCEPTED;
}

size_t ml_gov_strangers(const struct ml_gov *g)
{
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++) {
        count += g->facts[i]->kind == ML_FACT_WRITER && !ml_gov_had_right(g, g->facts[i]);
    }
    return count;
}
