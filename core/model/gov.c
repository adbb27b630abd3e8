/* core/model/gov.c -- see gov.h.
 *
 * Facts are kept in the order in which they came, one allocation each, so that pointers stay. A
 * structure has some thousands; lane 0 is written seldom, and the store keeps what it asks often.
 */
#include "core/model/gov.h"

#include <string.h>

#include "core/model/gov_impl.h"

ml_err ml_gov_new(struct ml_gov **out, const struct ml_env *env, const struct ml_org_id *org)
{
    struct ml_gov *g = ml_alloc(env, sizeof(*g));
    if (g == NULL) {
        return ML_E_NOMEM;
    }
    g->env = env;
    g->org = *org;
    *out = g;
    return ML_OK;
}

void ml_gov_truncate(struct ml_gov *g, size_t count)
{
    while (g->count > count) {
        ml_release(g->env, g->facts[--g->count]);
    }
}

const struct ml_gov *ml_gov_nothing(void)
{
    static const struct ml_gov nothing;
    return &nothing;
}

void ml_gov_free(struct ml_gov *g)
{
    if (g != NULL) {
        ml_gov_truncate(g, 0);
        ml_release(g->env, g->facts);
        ml_release(g->env, g);
    }
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
    struct ml_fact *copy = ml_alloc(g->env, sizeof(*copy) + fact->label.ct.len);
    if (copy == NULL) {
        return ML_E_NOMEM;
    }
    *copy = *fact;
    if (fact->label.ct.len > 0) {
        uint8_t *bytes = (uint8_t *)(copy + 1);
        memcpy(bytes, fact->label.ct.data, fact->label.ct.len);
        copy->label.ct.data = bytes;
    }
    g->facts[g->count++] = copy;
    return ML_OK;
}

bool ml_gov_covered(const struct ml_fact *f, const struct ml_gvec *at)
{
    return f->counts && (at == NULL || ml_gvec_seq(at, &f->at.writer) >= f->at.seq);
}

static size_t index_after(const struct ml_gov *g, const struct ml_fact *after)
{
    size_t i = 0;
    if (after == NULL) {
        return 0;
    }
    while (i < g->count && g->facts[i] != after) {
        i++;
    }
    return i + 1;
}

const struct ml_fact *ml_gov_next(const struct ml_gov *g, const struct ml_gvec *at,
                                  ml_fact_kind kind, const struct ml_fact *after)
{
    for (size_t i = index_after(g, after); i < g->count; i++) {
        if (g->facts[i]->kind == kind && ml_gov_covered(g->facts[i], at)) {
            return g->facts[i];
        }
    }
    return NULL;
}

const struct ml_fact *ml_gov_opening_of(const struct ml_gov *g, const struct ml_writer_id *writer,
                                        bool counting)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (f->kind == ML_FACT_WRITER && (f->counts || !counting) &&
            ml_gov_same(f->writer.b, writer->b, sizeof(writer->b))) {
            return f;
        }
    }
    return NULL;
}

const struct ml_fact *ml_gov_opening(const struct ml_gov *g, const struct ml_writer_id *writer)
{
    return ml_gov_opening_of(g, writer, false);
}

const struct ml_fact *ml_gov_member(const struct ml_gov *g, const struct ml_gvec *at,
                                    const struct ml_member_id *member)
{
    const struct ml_fact *best = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (f->kind == ML_FACT_MEMBER && ml_gov_covered(f, at) &&
            ml_gov_same(f->member.b, member->b, sizeof(member->b))) {
            best = ml_gov_lower(best, f);
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
        if (f->counts && f->label.ct.len > 0 && describes(f, card_kind, id) &&
            supersedes(f, best)) {
            best = f;
        }
    }
    return best;
}

struct ml_ruling ml_gov_rule_lane(const struct ml_gov *g, const struct ml_writer_id *writer,
                                  uint8_t lane)
{
    const struct ml_fact *open = ml_gov_opening_of(g, writer, true);
    if (open == NULL) {
        return (struct ml_ruling){ML_VERDICT_QUARANTINED, ML_REASON_NOT_ENROLLED};
    }
    bool node_only = ml_is_zero(open->member.b, sizeof(open->member.b));
    if (node_only && lane > ML_LANE_TRACE) {
        return (struct ml_ruling){ML_VERDICT_QUARANTINED, ML_REASON_NO_AUTHORITY};
    }
    return (struct ml_ruling){ML_VERDICT_ACCEPTED, ML_REASON_NONE};
}
