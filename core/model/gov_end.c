/* core/model/gov_end.c -- the end of a role is a departure from it (rules B15, docs/governance.md).
 *
 * A role ends where a grant says so after the fact, or where somebody of rank 2 or better has seen
 * acts of two members past the date. Whoever has seen that is judged by it; of who hasn't, counts
 * what others named who hadn't seen it either. A grant renewed before its end hasn't ended.
 */
#include "core/base/hlc.h"
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

static bool is_same_member(const struct ml_member_id *a, const struct ml_member_id *b)
{
    return ml_gov_same(a->b, b->b, sizeof(a->b));
}

static bool is_said_in(const struct ml_view *v, const struct ml_fact *f)
{
    return ml_view_act(v, f->act).verdict == ML_VERDICT_ACCEPTED;
}

/* Said at its end or after it: it ends at once for whoever sees it. */
static bool is_said_late(const struct ml_fact *f)
{
    return ml_hlc_ms(f->hlc) >= f->until_ms;
}

/* Is there a later one of the same role, by somebody for whom it hadn't ended? */
static bool is_renewed(const struct ml_gov *g, const struct ml_view *v, const struct ml_fact *f)
{
    for (const struct ml_fact *later = g->last[ML_FACT_ROLE]; later != f; later = later->before) {
        if (is_same_member(&later->member, &f->member) && ml_gov_is_same_grant(later, f) &&
            is_said_in(v, later) && ml_gov_replaces(g, later, f) &&
            ml_hlc_ms(later->hlc) < f->until_ms &&
            !ml_view_saw_past(v, g->acts[later->act].vec, f->until_ms)) {
            return true;
        }
    }
    return false;
}

bool ml_gov_has_ended(const struct ml_gov *g, const struct ml_view *v, const struct ml_fact *f)
{
    return f->until_ms != 0 && is_said_in(v, f) &&
           (is_said_late(f) || ml_view_is_past(v, f->until_ms)) && !is_renewed(g, v, f);
}

bool ml_gov_ends_at(const struct ml_view *v, const struct ml_fact *f, uint64_t ms)
{
    return f->until_ms != 0 &&
           (ms >= f->until_ms || is_said_late(f) || ml_view_is_past(v, f->until_ms));
}

/* Had `gvec` seen its end? */
static bool has_seen_end(const struct ml_gov *g, const struct ml_fact *f,
                         const struct ml_gvec *gvec)
{
    return is_said_late(f) ? ml_gov_is_in(gvec, f) : ml_view_saw_past(g->all, gvec, f->until_ms);
}

/* Is this role of his, or of somebody whom he ever replaced? */
static bool is_of(const struct ml_gov *g, const struct ml_fact *f,
                  const struct ml_member_id *member)
{
    bool is = is_same_member(&f->member, member);
    for (const struct ml_fact *r = g->last[ML_FACT_ROLE]; r != NULL && !is; r = r->before) {
        is = r->role == 0 && is_same_member(&r->member, member) &&
             is_same_member(&r->replaces, &f->member);
    }
    return is;
}

bool ml_gov_has_ends(const struct ml_gov *g, const struct ml_view *v,
                     const struct ml_writer_id *writer)
{
    const struct ml_fact *open = ml_gov_opening(g, writer);
    const struct ml_fact *f = open == NULL ? NULL : g->last[ML_FACT_ROLE];
    while (f != NULL && !(is_of(g, f, &open->member) && ml_gov_has_ended(g, v, f))) {
        f = f->before;
    }
    return f != NULL;
}

bool ml_gov_ends_changed(const struct ml_gov *g, const struct ml_view *before)
{
    const struct ml_fact *f = g->last[ML_FACT_ROLE];
    while (f != NULL && ml_gov_has_ended(g, g->all, f) == ml_gov_has_ended(g, before, f)) {
        f = f->before;
    }
    return f != NULL;
}

size_t ml_gov_unseen(const struct ml_gov *g, const struct ml_gov_lane *in,
                     const struct ml_gvec *gvec)
{
    const bool asked = ml_gov_wants_writes(g, in->lane) && g->last[ML_FACT_ROLE] != NULL;
    const struct ml_fact *open = asked ? ml_gov_opening(g, &in->writer) : NULL;
    const uint32_t number = ml_ids_find(&g->writers, in->writer.b);
    size_t count = number == ML_NOBODY ? 0 : ml_view_unseen_denials(g->all, number, gvec);
    for (const struct ml_fact *f = open == NULL ? NULL : g->last[ML_FACT_ROLE]; f != NULL;
         f = f->before) {
        /* By its own date it lies outside of one that it knew. */
        const bool outside = ml_gov_is_in(in->gvec, f) && ml_hlc_ms(in->hlc) >= f->until_ms;
        count += !outside && is_of(g, f, &open->member) && ml_gov_has_ended(g, g->all, f) &&
                 !has_seen_end(g, f, gvec);
    }
    return count;
}
