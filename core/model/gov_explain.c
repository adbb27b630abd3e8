/* core/model/gov_explain.c -- why somebody may, or may not (ml_right_explain): the same facts as
 * gov_right.c weighs for bundles, told one by one.
 */
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

struct telling {
    struct ml_gov_asking q;
    const struct ml_right_question *question;
    ml_step_cb *each;
    void *user;
    bool cosigned;
};

static void tell(const struct telling *t, ml_step_kind kind, const struct ml_fact *fact,
                 uint16_t role)
{
    t->each(t->user, &(struct ml_step){.kind = kind, .fact = fact, .role = role});
}

static void tell_denials(const struct telling *t)
{
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(t->q.g, ML_FACT_DENIAL, f)) != NULL) {
        if (ml_gov_same(f->member.b, t->question->member.b, sizeof(f->member.b)) &&
            ml_is_zero(f->node.b, sizeof(f->node.b))) {
            tell(t, ML_STEP_DENIED, f, 0);
        }
    }
}

static void tell_matrices(const struct telling *t)
{
    const struct ml_gov_asking *q = &t->q;
    if (q->matrix == NULL) {
        tell(t, ML_STEP_NO_MATRIX, NULL, 0);
    }
    for (const struct ml_fact *f = q->g->last[ML_FACT_MATRIX]; f != NULL; f = f->before) {
        if (ml_gov_stands(q->own, f) && !ml_gov_is_matrix_replaced(q->g, q->own, q->now, f)) {
            tell(t, ML_STEP_MATRIX, f, 0);
        }
    }
}

static ml_scope tell_cell(struct telling *t, uint16_t role)
{
    const struct ml_right_question *a = t->question;
    if (t->q.matrix == NULL) {
        return ML_SCOPE_ALL;
    }
    struct ml_step step = {.kind = ML_STEP_ALLOWS, .role = role};
    step.scope = ml_matrix_scope(t->q.matrix, role, a->class, a->right);
    if (step.scope == ML_SCOPE_NONE) {
        const bool barred = role == ML_ROLE_ADMIN && ml_class_is_clinical(a->class);
        step.kind = barred ? ML_STEP_BARRED : ML_STEP_DENIES;
    } else if (a->right <= ML_RIGHT_DEPOSIT) {
        const uint16_t cell = ml_matrix_cell(t->q.matrix, role, a->class);
        t->cosigned = t->cosigned || (cell & ML_CELL_COSIGN) != 0;
    }
    t->each(t->user, &step);
    return step.scope;
}

/* Each must allow it. */
static ml_scope tell_base(struct telling *t, const struct ml_member_id *member)
{
    ml_scope least = ML_SCOPE_ALL;
    const struct ml_fact *f = ml_gov_next_base(&t->q, t->q.g->last[ML_FACT_MEMBER], member);
    if (f == NULL) {
        return ML_SCOPE_NONE;
    }
    for (; f != NULL; f = ml_gov_next_base(&t->q, f->before, member)) {
        tell(t, ML_STEP_MEMBER, f, f->role);
        const ml_scope scope = tell_cell(t, f->role);
        least = scope < least ? scope : least;
    }
    return least;
}

/* A grant that nobody replaced: is it in force? */
static bool tell_grant(struct telling *t, const struct ml_fact *f)
{
    ml_step_kind kind = f->role == 0 ? ML_STEP_REPLACES : ML_STEP_GIVEN;
    const bool holds = ml_gov_is_in_force(&t->q, f);
    if (!holds) {
        kind = t->q.ms < f->from_ms ? ML_STEP_NOT_YET : ML_STEP_ENDED;
    }
    tell(t, kind, f, f->role);
    if (holds && !ml_is_zero(f->supervisor.b, sizeof(f->supervisor.b)) &&
        t->question->right <= ML_RIGHT_DEPOSIT) {
        t->cosigned = true;
    }
    return holds;
}

/* Any is enough. Whoever was given any, works by these alone. */
static ml_scope tell_own_roles(struct telling *t, const struct ml_member_id *member)
{
    ml_scope most = ML_SCOPE_NONE;
    const struct ml_fact *f = ml_gov_next_grant(&t->q, t->q.g->last[ML_FACT_ROLE], member);
    if (f == NULL) {
        return tell_base(t, member);
    }
    for (; f != NULL; f = ml_gov_next_grant(&t->q, f->before, member)) {
        if (f->role == 0 || ml_gov_is_grant_replaced(&t->q, f) || !tell_grant(t, f)) {
            continue;
        }
        const ml_scope scope = tell_cell(t, f->role);
        most = scope > most ? scope : most;
    }
    return most;
}

static ml_scope tell_replaced(struct telling *t)
{
    const struct ml_member_id *member = &t->question->member;
    ml_scope most = ML_SCOPE_NONE;
    const struct ml_fact *f = ml_gov_next_grant(&t->q, t->q.g->last[ML_FACT_ROLE], member);
    for (; f != NULL; f = ml_gov_next_grant(&t->q, f->before, member)) {
        if (f->role != 0 || ml_gov_is_grant_replaced(&t->q, f) || !tell_grant(t, f)) {
            continue;
        }
        const ml_scope scope = tell_own_roles(t, &f->replaces);
        most = scope > most ? scope : most;
    }
    return most;
}

ml_scope ml_right_explain(const struct ml_gov *g, const struct ml_right_question *question,
                          ml_step_cb *each, void *user)
{
    struct ml_matrix room;
    struct telling t = {.question = question, .each = each, .user = user};
    t.q.g = g;
    if (ml_gov_member(g, &question->member) == NULL) {
        tell_denials(&t);
        tell(&t, ML_STEP_NOT_MEMBER, NULL, 0);
        return ML_SCOPE_NONE;
    }
    t.q.own = g->all;
    t.q.now = g->all;
    t.q.ms = question->ms;
    t.q.undated = question->undated;
    t.q.matrix = ml_gov_matrix_in(g, g->all, NULL, &room);
    tell_matrices(&t);
    const ml_scope own = tell_own_roles(&t, &question->member);
    const ml_scope replaced = tell_replaced(&t);
    const ml_scope scope = own > replaced ? own : replaced;
    if (scope == ML_SCOPE_OWN || scope == ML_SCOPE_TEAM) {
        tell(&t, scope == ML_SCOPE_OWN ? ML_STEP_OWN : ML_STEP_TEAM, NULL, 0);
    }
    if (scope != ML_SCOPE_NONE && t.cosigned) {
        tell(&t, ML_STEP_COSIGN, NULL, 0);
    }
    return scope;
}

const char *ml_step_name(ml_step_kind kind)
{
    switch (kind) {
#define X(name, number)                                                                            \
    case ML_STEP_##name:                                                                           \
        return #name;
        ML_STEP_MAP(X)
#undef X
    }
    return "?";
}
