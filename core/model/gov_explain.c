/* core/model/gov_explain.c -- why somebody may, or may not (ml_right_explain): the same facts as
 * gov_right.c weighs for bundles, told one by one.
 */
#include <string.h>

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

/* What the question is about is told; 0: of all classes nothing is. */
static void tell_cell(struct telling *t, uint16_t role, ml_scope scope)
{
    const struct ml_right_question *a = t->question;
    struct ml_step step = {.kind = ML_STEP_ALLOWS, .role = role, .scope = scope};
    if (t->q.matrix == NULL || a->class == 0) {
        return;
    }
    if (scope == ML_SCOPE_NONE) {
        const bool barred = role == ML_ROLE_ADMIN && ml_class_is_clinical(a->class);
        step.kind = barred ? ML_STEP_BARRED : ML_STEP_DENIES;
    } else if (a->right <= ML_RIGHT_DEPOSIT) {
        const uint16_t cell = ml_matrix_cell(t->q.matrix, role, a->class);
        t->cosigned = t->cosigned || (cell & ML_CELL_COSIGN) != 0;
    }
    t->each(t->user, &step);
}

static struct ml_scopes scopes_all(ml_scope scope)
{
    struct ml_scopes s;
    memset(s.of, (int)scope, sizeof(s.of));
    return s;
}

static void scopes_lower(struct ml_scopes *s, const struct ml_scopes *other)
{
    for (unsigned class = 0; class <= ML_MATRIX_CLASS_MAX; class ++) {
        s->of[class] = other->of[class] < s->of[class] ? other->of[class] : s->of[class];
    }
}

static void scopes_raise(struct ml_scopes *s, const struct ml_scopes *other)
{
    for (unsigned class = 0; class <= ML_MATRIX_CLASS_MAX; class ++) {
        s->of[class] = other->of[class] > s->of[class] ? other->of[class] : s->of[class];
    }
}

static struct ml_scopes tell_role(struct telling *t, uint16_t role)
{
    struct ml_scopes s = scopes_all(ML_SCOPE_ALL);
    for (unsigned class = 1; t->q.matrix != NULL && class <= ML_MATRIX_CLASS_MAX; class ++) {
        s.of[class] = (uint8_t)ml_matrix_scope(t->q.matrix, role, class, t->question->right);
    }
    tell_cell(t, role, (ml_scope)s.of[t->question->class]);
    return s;
}

/* Each must allow it. */
static struct ml_scopes tell_base(struct telling *t, const struct ml_member_id *member)
{
    struct ml_scopes least = scopes_all(ML_SCOPE_ALL);
    const struct ml_fact *f = ml_gov_next_base(&t->q, t->q.g->last[ML_FACT_MEMBER], member);
    if (f == NULL) {
        return scopes_all(ML_SCOPE_NONE);
    }
    for (; f != NULL; f = ml_gov_next_base(&t->q, f->before, member)) {
        tell(t, ML_STEP_MEMBER, f, f->role);
        const struct ml_scopes s = tell_role(t, f->role);
        scopes_lower(&least, &s);
    }
    return least;
}

/* A grant that nobody replaced: is it in force, and for the team that is asked about? */
static bool tell_grant(struct telling *t, const struct ml_fact *f)
{
    ml_step_kind kind = f->role == 0 ? ML_STEP_REPLACES : ML_STEP_GIVEN;
    const bool holds = ml_gov_is_in_force(&t->q, f);
    const bool here = ml_gov_is_here(&t->q, f);
    if (!holds) {
        kind = t->q.ms < f->from_ms ? ML_STEP_NOT_YET : ML_STEP_ENDED;
    }
    tell(t, holds && !here ? ML_STEP_ELSEWHERE : kind, f, f->role);
    if (holds && here && !ml_is_zero(f->supervisor.b, sizeof(f->supervisor.b)) &&
        t->question->right <= ML_RIGHT_DEPOSIT) {
        t->cosigned = true;
    }
    return holds && here;
}

/* Any is enough. Whoever was given any, works by these alone. */
static struct ml_scopes tell_own_roles(struct telling *t, const struct ml_member_id *member)
{
    struct ml_scopes most = scopes_all(ML_SCOPE_NONE);
    const struct ml_fact *f = ml_gov_next_grant(&t->q, t->q.g->last[ML_FACT_ROLE], member);
    if (f == NULL) {
        return tell_base(t, member);
    }
    for (; f != NULL; f = ml_gov_next_grant(&t->q, f->before, member)) {
        if (f->role == 0 || ml_gov_is_grant_replaced(&t->q, f) || !tell_grant(t, f)) {
            continue;
        }
        const struct ml_scopes s = tell_role(t, f->role);
        scopes_raise(&most, &s);
    }
    return most;
}

static struct ml_scopes tell_replaced(struct telling *t)
{
    const struct ml_member_id *member = &t->question->member;
    struct ml_scopes most = scopes_all(ML_SCOPE_NONE);
    const struct ml_fact *f = ml_gov_next_grant(&t->q, t->q.g->last[ML_FACT_ROLE], member);
    for (; f != NULL; f = ml_gov_next_grant(&t->q, f->before, member)) {
        if (f->role != 0 || ml_gov_is_grant_replaced(&t->q, f) || !tell_grant(t, f)) {
            continue;
        }
        const struct ml_scopes s = tell_own_roles(t, &f->replaces);
        scopes_raise(&most, &s);
    }
    return most;
}

static struct ml_scopes tell_all(struct telling *t, const struct ml_gov *g)
{
    struct ml_matrix room;
    t->q.g = g;
    t->q.ms = t->question->ms;
    t->q.team = t->question->team;
    t->q.undated = t->question->undated;
    if (ml_gov_member(g, &t->question->member) == NULL) {
        tell_denials(t);
        tell(t, ML_STEP_NOT_MEMBER, NULL, 0);
        return scopes_all(ML_SCOPE_NONE);
    }
    t->q.own = g->all;
    t->q.now = g->all;
    t->q.matrix = ml_gov_matrix_in(g, g->all, NULL, &room);
    tell_matrices(t);
    const struct ml_fact *garant = ml_gov_garant(&t->q, &t->question->member);
    if (garant != NULL) {
        tell(t, ML_STEP_GARANT, garant, 0);
        t->q.matrix = NULL;
        return scopes_all(ML_SCOPE_NONE);
    }
    struct ml_scopes most = tell_own_roles(t, &t->question->member);
    const struct ml_scopes replaced = tell_replaced(t);
    scopes_raise(&most, &replaced);
    t->q.matrix = NULL; /* it may lie in `room` */
    return most;
}

ml_scope ml_right_explain(const struct ml_gov *g, const struct ml_right_question *question,
                          ml_step_cb *each, void *user)
{
    struct telling t = {.question = question, .each = each, .user = user};
    if (question->class == 0 || question->class > ML_MATRIX_CLASS_MAX) {
        return ML_SCOPE_NONE;
    }
    const ml_scope scope = (ml_scope)tell_all(&t, g).of[question->class];
    if (scope == ML_SCOPE_OWN || scope == ML_SCOPE_TEAM) {
        tell(&t, scope == ML_SCOPE_OWN ? ML_STEP_OWN : ML_STEP_TEAM, NULL, 0);
    }
    if (scope != ML_SCOPE_NONE && t.cosigned) {
        tell(&t, ML_STEP_COSIGN, NULL, 0);
    }
    return scope;
}

static void nobody_asks(void *user, const struct ml_step *step)
{
    (void)user;
    (void)step;
}

void ml_right_scopes(struct ml_scopes *out, const struct ml_gov *g,
                     const struct ml_right_question *question, ml_step_cb *each, void *user)
{
    struct ml_right_question q = *question;
    struct telling t = {.question = &q, .each = each == NULL ? nobody_asks : each, .user = user};
    q.class = 0;
    *out = tell_all(&t, g);
    out->of[0] = ML_SCOPE_NONE;
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
