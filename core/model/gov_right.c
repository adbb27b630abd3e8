/* core/model/gov_right.c -- what a role may write, by the matrix that stood where it wrote (rules
 * A1, docs/habilitation.md).
 *
 * A structure without a matrix lets its members write anything. Of matrices and of roles that
 * nobody replaced, where he wrote, each must allow it: deny wins. What rested on one that fell
 * since, falls.
 */
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

static bool is_left(const struct ml_view *own, const struct ml_view *now, const struct ml_fact *f)
{
    return ml_gov_stands(own, f) && (now == NULL || ml_gov_stands(now, f));
}

/* Had its act seen f, or did it say it after f? */
static bool replaces(const struct ml_gov *g, const struct ml_fact *later, const struct ml_fact *f)
{
    return later->act == f->act || ml_gvec_seq(g->acts[later->act].vec, &f->at.writer) >= f->at.seq;
}

static bool is_replaced(const struct ml_gov *g, const struct ml_view *own,
                        const struct ml_view *now, const struct ml_fact *f)
{
    const struct ml_fact *later = g->last[ML_FACT_MATRIX];
    while (later != f && !(is_left(own, now, later) && replaces(g, later, f))) {
        later = later->before;
    }
    return later != f;
}

const struct ml_matrix *ml_gov_matrix_in(const struct ml_gov *g, const struct ml_view *own,
                                         const struct ml_view *now, struct ml_matrix *room)
{
    const struct ml_matrix *found = NULL;
    for (const struct ml_fact *f = g->last[ML_FACT_MATRIX]; f != NULL; f = f->before) {
        if (!is_left(own, now, f) || is_replaced(g, own, now, f)) {
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

bool ml_gov_matrices_changed(const struct ml_gov *g, const struct ml_view *before)
{
    for (const struct ml_fact *f = g->last[ML_FACT_MATRIX]; f != NULL; f = f->before) {
        if (f->act < ml_view_acts(before) &&
            ml_view_act(before, f->act).reason != ml_view_act(g->all, f->act).reason) {
            return true;
        }
    }
    return false;
}

bool ml_gov_wants_writes(const struct ml_gov *g, uint8_t lane)
{
    return lane >= ML_LANE_RECORD && g->last[ML_FACT_MATRIX] != NULL;
}

/* ---- roles ---- */

/* The next of the member's roles that nobody replaced, in `own` by what counts in `now` too. */
static const struct ml_fact *next_role(const struct ml_fact *f, const struct ml_member_id *member,
                                       const struct ml_view *own, const struct ml_view *now)
{
    while (f != NULL && !(ml_gov_same(f->member.b, member->b, sizeof(member->b)) &&
                          ml_view_grant_left(own, now, f->act, f->say))) {
        f = f->before;
    }
    return f;
}

static bool allows(const struct ml_gov *g, const struct ml_view *own, const struct ml_view *now,
                   const struct ml_gov_lane *in)
{
    struct ml_matrix room;
    const struct ml_matrix *matrix = ml_gov_matrix_in(g, own, now, &room);
    const struct ml_fact *open = ml_gov_opening(g, &in->writer);
    if (matrix == NULL || open == NULL) {
        return true;
    }
    const struct ml_fact *f = next_role(g->last[ML_FACT_MEMBER], &open->member, own, now);
    while (f != NULL && ml_matrix_allows_writes(matrix, f->role, in->writes)) {
        f = next_role(f->before, &open->member, own, now);
    }
    return f == NULL;
}

ml_reason ml_gov_right(const struct ml_gov *g, const struct ml_view *own,
                       const struct ml_gov_lane *in)
{
    if (!ml_gov_wants_writes(g, in->lane)) {
        return ML_REASON_NONE;
    }
    if (!allows(g, own, own, in)) {
        return ML_REASON_NO_RIGHT;
    }
    return allows(g, own, g->all, in) ? ML_REASON_NONE : ML_REASON_GRANT_FELL;
}

bool ml_gov_raises_own(const struct ml_gov *g, const struct ml_view *own,
                       const struct ml_writer_id *writer, const struct ml_matrix *matrix)
{
    struct ml_matrix room;
    const struct ml_fact *open = ml_gov_opening(g, writer);
    const struct ml_matrix *before = own == NULL ? NULL : ml_gov_matrix_in(g, own, NULL, &room);
    if (before == NULL || open == NULL) {
        return false; /* who begins with a matrix gives up what members had without one */
    }
    const struct ml_fact *f = next_role(g->last[ML_FACT_MEMBER], &open->member, own, own);
    while (f != NULL && !ml_matrix_raises(matrix, before, f->role)) {
        f = next_role(f->before, &open->member, own, own);
    }
    return f != NULL;
}
