/* core/model/gov_lane.c -- what bundles of other lanes are worth. See gov.h.
 *
 * A bundle is judged by what stood at its vector, which never changes and is kept for the next one
 * that has it; then by all that is known; then, where that leaves it out, by who adopted it.
 */
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

/* ---- what stood at vectors ---- */

void ml_gov_views_drop(struct ml_gov_views *views)
{
    while (views->count > 0) {
        views->count--;
        ml_view_free(views->at[views->count].view);
        ml_gvec_unref(views->at[views->count].gvec);
    }
}

static void views_keep(const struct ml_gov *g, struct ml_view *view, struct ml_gvec *gvec,
                       const struct ml_hash16 *digest)
{
    struct ml_gov_views *views = g->views;
    size_t at = views->count;
    if (at < ML_GOV_VIEWS_MAX) {
        views->count++;
    } else {
        at = views->turn;
        views->turn = (views->turn + 1) % ML_GOV_VIEWS_MAX;
        ml_view_free(views->at[at].view);
        ml_gvec_unref(views->at[at].gvec);
    }
    views->at[at].digest = *digest;
    views->at[at].view = view;
    views->at[at].gvec = ml_gvec_ref(gvec);
}

ml_err ml_gov_view_at(const struct ml_gov *g, const struct ml_view **out, struct ml_gvec *gvec)
{
    const struct ml_hash16 digest = ml_gvec_digest(gvec, &g->org);
    for (size_t i = 0; i < g->views->count; i++) {
        if (ml_gov_same(g->views->at[i].digest.b, digest.b, sizeof(digest.b))) {
            *out = g->views->at[i].view;
            return ML_OK;
        }
    }
    struct ml_view *view = NULL;
    ml_err err = ml_view_at(&view, g->authority, gvec);
    if (err == ML_OK) {
        views_keep(g, view, gvec, &digest);
        *out = view;
    }
    return err;
}

/* ---- other lanes ---- */

ml_err ml_gov_rule_lane(const struct ml_gov *g, struct ml_ruling *ruling,
                        const struct ml_gov_lane *in)
{
    const struct ml_view *own = NULL;
    struct ml_bundle_at at = {.lane = in->lane, .seq = in->seq, .witnessed = in->witnessed};
    *ruling = (struct ml_ruling){ML_VERDICT_QUARANTINED, ML_REASON_NOT_ENROLLED};
    at.writer = ml_ids_find(&g->writers, in->writer.b);
    if (at.writer == ML_NOBODY) {
        return ML_OK;
    }
    ml_err err = ml_gov_view_at(g, &own, in->gvec);
    if (err == ML_OK) {
        *ruling = ml_view_rule(own, g->all, &at);
    }
    if (err == ML_OK && ruling->verdict == ML_VERDICT_ACCEPTED) {
        const ml_reason reason = ml_gov_right(g, own, in);
        if (reason != ML_REASON_NONE) {
            *ruling = (struct ml_ruling){ML_VERDICT_QUARANTINED, reason};
        }
    }
    return err;
}

bool ml_gov_is_denied(const struct ml_gov *g, const struct ml_writer_id *writer)
{
    const uint32_t number = ml_ids_find(&g->writers, writer->b);
    return number != ML_NOBODY && ml_view_is_denied(g->all, number);
}

/* ---- adoption ---- */

/* Nobody takes in what he wrote himself, but for the branches of his own fork. */
static bool is_heard(const struct ml_gov *g, const struct ml_fact *f,
                     const struct ml_gov_judged *judged)
{
    uint8_t rank = ML_RANK_NODE;
    const uint32_t author = ml_authority_author(g->authority, f->act, &rank);
    const struct ml_fact *opening = ml_gov_opening(g, &judged->writer);
    const uint32_t subject =
        opening == NULL ? ML_NOBODY : ml_ids_find(&g->members, opening->member.b);
    return author == subject ? judged->forked : rank <= ML_RANK_REFERENT;
}

static bool is_about(const struct ml_gov *g, const struct ml_fact *f,
                     const struct ml_gov_judged *judged, uint8_t index)
{
    return f->kind == ML_FACT_JUDGEMENT && f->counts && (f->ops[index / 8] >> index % 8 & 1) != 0 &&
           ml_gov_same(f->bundle.b, judged->hash.b, sizeof(judged->hash.b)) &&
           is_heard(g, f, judged);
}

/* Deny wins: an adoption holds if it had seen every rejection. */
static bool has_seen_rejections(const struct ml_gov *g, const struct ml_fact *adoption,
                                const struct ml_gov_judged *judged, uint8_t index)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (is_about(g, f, judged, index) && f->reject &&
            ml_gvec_seq(g->acts[adoption->act].vec, &f->at.writer) < f->at.seq) {
            return false;
        }
    }
    return true;
}

bool ml_gov_is_adopted(const struct ml_gov *g, const struct ml_gov_judged *judged, uint8_t index)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct ml_fact *f = g->facts[i];
        if (is_about(g, f, judged, index) && !f->reject &&
            has_seen_rejections(g, f, judged, index)) {
            return true;
        }
    }
    return false;
}
