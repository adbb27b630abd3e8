/* core/model/gov_right.c -- what a role may write, by the matrix that stood where it wrote (rules
 * A1, docs/habilitation.md).
 *
 * A structure without a matrix lets its members write anything. Of matrices and of roles that
 * nobody replaced, where he wrote, each must allow it: deny wins. What rested on one that fell
 * since, falls.
 */
#include "core/base/hlc.h"
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

static bool is_left(const struct ml_view *own, const struct ml_view *now, const struct ml_fact *f)
{
    return ml_gov_stands(own, f) && (now == NULL || ml_gov_stands(now, f));
}

bool ml_gov_replaces(const struct ml_gov *g, const struct ml_fact *later, const struct ml_fact *f)
{
    return later->act == f->act || ml_gov_is_in(g->acts[later->act].vec, f);
}

bool ml_gov_is_matrix_replaced(const struct ml_gov *g, const struct ml_view *own,
                               const struct ml_view *now, const struct ml_fact *f)
{
    const struct ml_fact *later = g->last[ML_FACT_MATRIX];
    while (later != f && !(is_left(own, now, later) && ml_gov_replaces(g, later, f))) {
        later = later->before;
    }
    return later != f;
}

const struct ml_matrix *ml_gov_matrix_in(const struct ml_gov *g, const struct ml_view *own,
                                         const struct ml_view *now, struct ml_matrix *room)
{
    const struct ml_matrix *found = NULL;
    for (const struct ml_fact *f = g->last[ML_FACT_MATRIX]; f != NULL; f = f->before) {
        if (!is_left(own, now, f) || ml_gov_is_matrix_replaced(g, own, now, f)) {
            continue;
        }
        if (found == NULL) {
            found = f->matrix;
            continue;
        }
        if (found != room) {
            *room = *found;
            found = room;
        }
        ml_matrix_restrict(room, f->matrix);
    }
    return found;
}

bool ml_gov_matrix(const struct ml_gov *g, struct ml_matrix *out)
{
    struct ml_matrix room;
    const struct ml_matrix *found =
        g->all == NULL ? NULL : ml_gov_matrix_in(g, g->all, NULL, &room);
    if (found != NULL) {
        *out = *found;
    }
    return found != NULL;
}

static bool have_changed(const struct ml_gov *g, const struct ml_view *before, ml_fact_kind kind)
{
    for (const struct ml_fact *f = g->last[kind]; f != NULL; f = f->before) {
        if (f->act < ml_view_acts(before) &&
            ml_view_act(before, f->act).reason != ml_view_act(g->all, f->act).reason) {
            return true;
        }
    }
    return false;
}

bool ml_gov_rights_changed(const struct ml_gov *g, const struct ml_view *before)
{
    return have_changed(g, before, ML_FACT_MATRIX) || have_changed(g, before, ML_FACT_ROLE);
}

bool ml_gov_wants_writes(const struct ml_gov *g, uint8_t lane)
{
    return lane >= ML_LANE_RECORD &&
           (g->last[ML_FACT_MATRIX] != NULL || g->last[ML_FACT_ROLE] != NULL);
}

bool ml_gov_has_garants(const struct ml_gov *g)
{
    return g->garants > 0;
}

/* ---- roles ---- */

static bool is_same_member(const struct ml_member_id *a, const struct ml_member_id *b)
{
    return ml_gov_same(a->b, b->b, sizeof(a->b));
}

const struct ml_fact *ml_gov_next_base(const struct ml_gov_asking *q, const struct ml_fact *f,
                                       const struct ml_member_id *member)
{
    while (f != NULL && !(is_same_member(&f->member, member) &&
                          ml_view_grant_left(q->own, q->now, f->act, f->say))) {
        f = f->before;
    }
    return f;
}

static bool role_may(const struct ml_gov_asking *q, uint16_t role)
{
    if (q->matrix == NULL) {
        return true;
    }
    return q->reads != 0 ? ml_matrix_allows_in(q->matrix, role, q->reads, ML_RIGHT_READ)
                         : ml_matrix_allows_writes(q->matrix, role, q->writes);
}

/* What he may as a member: each role that he has so must allow it. */
static bool base_may(const struct ml_gov_asking *q, const struct ml_member_id *member)
{
    const struct ml_fact *f = ml_gov_next_base(q, q->g->last[ML_FACT_MEMBER], member);
    while (f != NULL && role_may(q, f->role)) {
        f = ml_gov_next_base(q, f->before, member);
    }
    return f == NULL;
}

const struct ml_fact *ml_gov_next_grant(const struct ml_gov_asking *q, const struct ml_fact *f,
                                        const struct ml_member_id *member)
{
    while (f != NULL && !(is_same_member(&f->member, member) && ml_gov_stands(q->own, f) &&
                          ml_view_act(q->now, f->act).verdict == ML_VERDICT_ACCEPTED)) {
        f = f->before;
    }
    return f;
}

bool ml_gov_is_same_grant(const struct ml_fact *a, const struct ml_fact *b)
{
    return a->role == b->role && is_same_member(&a->replaces, &b->replaces);
}

bool ml_gov_is_grant_replaced(const struct ml_gov_asking *q, const struct ml_fact *f)
{
    const struct ml_fact *later = ml_gov_next_grant(q, q->g->last[ML_FACT_ROLE], &f->member);
    while (later != NULL && later != f &&
           !(ml_gov_is_same_grant(later, f) && ml_gov_replaces(q->g, later, f))) {
        later = ml_gov_next_grant(q, later->before, &f->member);
    }
    return later != NULL && later != f; /* NULL: it didn't stand where he wrote */
}

static bool is_now(const struct ml_gov_asking *q, const struct ml_fact *f)
{
    return q->undated || (q->ms >= f->from_ms && !ml_gov_ends_at(q->own, f, q->ms));
}

/* Has it ended where the bundle hadn't seen it, by this grant or by one that came to replace it? */
static bool has_left(const struct ml_gov_asking *q, const struct ml_fact *grant)
{
    const struct ml_fact *f = q->left ? q->g->last[ML_FACT_ROLE] : NULL;
    while (f != NULL &&
           !(is_same_member(&f->member, &grant->member) && ml_gov_is_same_grant(f, grant) &&
             !(ml_gov_is_in(q->gvec, f) && ml_gov_is_grant_replaced(q, f)) &&
             ml_gov_has_ended(q->g, q->now, f))) {
        f = f->before;
    }
    return f != NULL;
}

bool ml_gov_is_in_force(const struct ml_gov_asking *q, const struct ml_fact *grant)
{
    const struct ml_fact *f = ml_gov_next_grant(q, q->g->last[ML_FACT_ROLE], &grant->member);
    while (f != NULL &&
           (!ml_gov_is_same_grant(f, grant) || ml_gov_is_grant_replaced(q, f) || is_now(q, f))) {
        f = ml_gov_next_grant(q, f->before, &grant->member);
    }
    return f == NULL && !has_left(q, grant);
}

bool ml_gov_is_here(const struct ml_gov_asking *q, const struct ml_fact *grant)
{
    struct ml_list_walk walk;
    struct ml_team_id team;
    bool here = q->team == NULL || grant->teams.count == 0;
    ml_list_walk(&walk, &grant->teams);
    while (!here && ml_list_next(&walk, &ml_format_team, &team)) {
        here = ml_gov_same(team.b, q->team->b, sizeof(team.b));
    }
    return here;
}

/* By his own roles. Whoever was given any, works by these alone. */
static bool own_roles_may(const struct ml_gov_asking *q, const struct ml_member_id *member)
{
    const struct ml_fact *f = ml_gov_next_grant(q, q->g->last[ML_FACT_ROLE], member);
    if (f == NULL) {
        return base_may(q, member);
    }
    while (f != NULL && !(f->role != 0 && ml_gov_is_here(q, f) && role_may(q, f->role) &&
                          !ml_gov_is_grant_replaced(q, f) && ml_gov_is_in_force(q, f))) {
        f = ml_gov_next_grant(q, f->before, member);
    }
    return f != NULL;
}

/* Of several grants that nobody replaced, one is enough: the least right. */
const struct ml_fact *ml_gov_garant(const struct ml_gov_asking *q,
                                    const struct ml_member_id *member)
{
    const struct ml_fact *f =
        q->g->garants == 0 ? NULL : ml_gov_next_base(q, q->g->last[ML_FACT_MEMBER], member);
    while (f != NULL && f->rank != ML_RANK_GARANT) {
        f = ml_gov_next_base(q, f->before, member);
    }
    return f;
}

/* Or by those of whom he replaces: his own ones, not those of somebody whom he replaces in turn. */
bool ml_gov_member_may(const struct ml_gov_asking *q, const struct ml_member_id *member)
{
    if (ml_gov_garant(q, member) != NULL) {
        return false;
    }
    if (own_roles_may(q, member)) {
        return true;
    }
    const struct ml_fact *f = ml_gov_next_grant(q, q->g->last[ML_FACT_ROLE], member);
    while (f != NULL && !(f->role == 0 && ml_gov_is_here(q, f) && !ml_gov_is_grant_replaced(q, f) &&
                          ml_gov_is_in_force(q, f) && own_roles_may(q, &f->replaces))) {
        f = ml_gov_next_grant(q, f->before, member);
    }
    return f != NULL;
}

/* NONE, NO_RIGHT, or ROLE_ENDED where only the dates are against it. `left`: see ml_gov_asking. */
static ml_reason ask(const struct ml_gov *g, const struct ml_view *own, const struct ml_view *now,
                     const struct ml_gov_lane *in, bool left)
{
    struct ml_matrix room;
    const struct ml_fact *open = ml_gov_opening(g, &in->writer);
    struct ml_gov_asking q = {.g = g,
                              .own = own,
                              .now = now,
                              .matrix = ml_gov_matrix_in(g, own, now, &room),
                              .writes = in->writes,
                              .ms = ml_hlc_ms(in->hlc),
                              .gvec = in->gvec,
                              .left = left};
    if (open == NULL || ml_gov_member_may(&q, &open->member)) {
        return ML_REASON_NONE;
    }
    q.undated = true;
    q.left = false;
    return ml_gov_member_may(&q, &open->member) ? ML_REASON_ROLE_ENDED : ML_REASON_NO_RIGHT;
}

ml_reason ml_gov_right(const struct ml_gov *g, const struct ml_view *own,
                       const struct ml_gov_lane *in)
{
    if (!ml_gov_wants_writes(g, in->lane)) {
        return ML_REASON_NONE;
    }
    ml_reason reason = ask(g, own, own, in, false);
    if (reason != ML_REASON_NONE) {
        return reason;
    }
    if (ask(g, own, g->all, in, false) != ML_REASON_NONE) {
        return ML_REASON_GRANT_FELL;
    }
    const bool stays = in->witnessed >= in->seq || g->last[ML_FACT_ROLE] == NULL;
    return stays ? ML_REASON_NONE : ask(g, own, g->all, in, true);
}

ml_reason ml_gov_may_write(const struct ml_gov *g, const struct ml_gov_lane *in)
{
    const bool asked =
        ml_gov_wants_writes(g, in->lane) || (in->lane >= ML_LANE_RECORD && ml_gov_has_garants(g));
    return asked ? ask(g, g->all, g->all, in, false) : ML_REASON_NONE;
}

/* Has this fact of the kind, about him and in force at some time, a role that gets more? */
static bool raises_of(const struct ml_gov_asking *q, ml_fact_kind kind,
                      const struct ml_member_id *member, const struct ml_matrix *matrix)
{
    for (const struct ml_fact *f = q->g->last[kind]; f != NULL; f = f->before) {
        if (is_same_member(&f->member, member) && ml_gov_stands(q->own, f) && f->role != 0 &&
            ml_matrix_raises(matrix, q->matrix, f->role)) {
            return true;
        }
    }
    return false;
}

static bool raises_for(const struct ml_gov_asking *q, const struct ml_member_id *member,
                       const struct ml_matrix *matrix)
{
    return raises_of(q, ML_FACT_MEMBER, member, matrix) ||
           raises_of(q, ML_FACT_ROLE, member, matrix);
}

bool ml_gov_is_matrix_own(const struct ml_gov *g, const struct ml_writer_id *writer,
                          const struct ml_matrix *matrix)
{
    return g->all != NULL && ml_gov_raises_own(g, g->all, writer, matrix);
}

bool ml_gov_raises_own(const struct ml_gov *g, const struct ml_view *own,
                       const struct ml_writer_id *writer, const struct ml_matrix *matrix)
{
    struct ml_matrix room;
    const struct ml_fact *open = ml_gov_opening(g, writer);
    struct ml_gov_asking q = {.g = g, .own = own, .now = own};
    q.matrix = own == NULL ? NULL : ml_gov_matrix_in(g, own, NULL, &room);
    if (q.matrix == NULL || open == NULL) {
        return false; /* who begins with a matrix gives up what members had without one */
    }
    bool raises = raises_for(&q, &open->member, matrix);
    for (const struct ml_fact *f = ml_gov_next_grant(&q, g->last[ML_FACT_ROLE], &open->member);
         f != NULL && !raises; f = ml_gov_next_grant(&q, f->before, &open->member)) {
        raises = f->role == 0 && raises_for(&q, &f->replaces, matrix);
    }
    return raises;
}
