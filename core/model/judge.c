/* core/model/judge.c -- see judge.h. Each rule refuses by its own reason, so that a peer's owner
 * can be told what his node got wrong. */
#include "core/model/judge.h"

#include <string.h>

#include "core/base/assert.h"

bool ml_judge_waits(uint8_t lane, uint8_t cited)
{
    if (cited == ML_LANE_TRACE) {
        return false;
    }
    return cited == lane || (cited < lane && cited <= ML_LANE_KEYS);
}

static bool is_own(const struct ml_header *h, const struct ml_dep *dep)
{
    return memcmp(h->writer.b, dep->writer.b, sizeof(dep->writer.b)) == 0;
}

static bool same_chain(const struct ml_dep *a, const struct ml_dep *b)
{
    return memcmp(a->writer.b, b->writer.b, sizeof(a->writer.b)) == 0 && a->lane == b->lane;
}

/* One citation a chain, ascending (the codec checks the order), never its own, never backwards. */
static ml_reason check_deps(const struct ml_judge_in *in)
{
    for (size_t i = 0; i < in->dep_count; i++) {
        const struct ml_dep *dep = &in->deps[i].dep;
        bool own_chain = is_own(in->header, dep) && dep->lane == in->header->lane;
        if (own_chain || (i > 0 && (same_chain(&in->deps[i - 1].dep, dep) ||
                                    ml_dep_compare(&in->deps[i - 1].dep, dep) >= 0))) {
            return ML_REASON_CITES;
        }
        if (dep->seq <= in->deps[i].before) {
            return ML_REASON_BACKWARDS;
        }
    }
    return ML_REASON_NONE;
}

/* Own numbers come from the chain's headers alone, so that no other lane has to be waited for. */
static struct ml_own_vec own_vec(const struct ml_judge_in *in)
{
    struct ml_own_vec own = {0};
    if (in->prev != NULL) {
        own = in->prev->own;
    }
    for (size_t i = 0; i < in->dep_count; i++) {
        const struct ml_dep *dep = &in->deps[i].dep;
        if (is_own(in->header, dep) && dep->seq > own.seq[dep->lane]) {
            own.seq[dep->lane] = dep->seq;
        }
    }
    own.seq[in->header->lane] = in->header->seq;
    return own;
}

/* The lane-0 entries that this header adds: its citations, and in lane 0 its own predecessor. */
static size_t gather(struct ml_dep *add, const struct ml_judge_in *in)
{
    const struct ml_header *h = in->header;
    bool own_due = h->lane == ML_LANE_GOVERNANCE && in->prev != NULL;
    struct ml_dep own = {.writer = h->writer, .seq = h->seq - 1};
    size_t count = 0;
    if (own_due) {
        own.hash = ml_hash16_of(&in->prev->hash);
    }
    for (size_t i = 0; i < in->dep_count; i++) {
        const struct ml_dep *dep = &in->deps[i].dep;
        if (dep->lane != ML_LANE_GOVERNANCE) {
            continue;
        }
        if (own_due && memcmp(own.writer.b, dep->writer.b, sizeof(own.writer.b)) < 0) {
            add[count++] = own;
            own_due = false;
        }
        add[count++] = *dep;
    }
    if (own_due) {
        add[count++] = own;
    }
    return count;
}

/* The lane-0 vector: the chain's, the citations into lane 0, and the vectors of all that is waited
 * for. Other citations bring nothing: whoever has this bundle may lack those. */
static ml_err derive_gvec(struct ml_gvec **gvec, const struct ml_judge_in *in)
{
    struct ml_dep add[ML_BUNDLE_DEPS_MAX + 1];
    *gvec = in->prev == NULL ? NULL : ml_gvec_ref(in->prev->gvec);
    ml_err err = ml_gvec_add(gvec, in->env, add, gather(add, in));
    for (size_t i = 0; err == ML_OK && i < in->dep_count; i++) {
        if (in->deps[i].known != NULL) {
            err = ml_gvec_join(gvec, in->env, in->deps[i].known->gvec);
        }
    }
    if (err != ML_OK) {
        ml_gvec_unref(*gvec);
        *gvec = NULL;
    }
    return err;
}

static ml_reason check_clock(const struct ml_judge_in *in)
{
    if (in->prev != NULL && in->header->hlc < in->prev->hlc) {
        return ML_REASON_CLOCK;
    }
    for (size_t i = 0; i < in->dep_count; i++) {
        const struct ml_judge_dep *d = &in->deps[i];
        if (d->known != NULL && is_own(in->header, &d->dep) && in->header->hlc < d->known->hlc) {
            return ML_REASON_CLOCK;
        }
    }
    return ML_REASON_NONE;
}

static bool gctx_matches(const struct ml_judge_in *in, struct ml_gvec *gvec)
{
    static const struct ml_org_id zero;
    bool genesis = (in->header->flags & ML_BUNDLE_FLAG_GENESIS) != 0;
    struct ml_hash16 digest = ml_gvec_digest(gvec, genesis ? &zero : in->org);
    return memcmp(digest.b, in->header->gctx.b, sizeof(digest.b)) == 0;
}

static ml_reason check_gvec(const struct ml_judge_in *in, struct ml_gvec *gvec)
{
    bool genesis = (in->header->flags & ML_BUNDLE_FLAG_GENESIS) != 0;
    if (!genesis && ml_gvec_count(gvec) == 0) {
        return ML_REASON_STRANGER;
    }
    return gctx_matches(in, gvec) ? check_clock(in) : ML_REASON_GCTX;
}

ml_err ml_judge_shape(struct ml_judged *out, ml_reason *why, const struct ml_judge_in *in)
{
    ML_ASSERT((in->prev == NULL) == (in->header->seq == 1));
    if (in->dep_count > ML_BUNDLE_DEPS_MAX) {
        return ML_E_LIMIT;
    }
    ml_reason reason = check_deps(in);
    if (reason != ML_REASON_NONE) {
        *why = reason;
        return ML_E_MALFORMED;
    }
    struct ml_own_vec own = own_vec(in);
    if (own.seq[ML_LANE_GOVERNANCE] == 0) {
        *why = ML_REASON_NO_OPENING;
        return ML_E_MALFORMED;
    }
    struct ml_gvec *gvec = NULL;
    ml_err err = derive_gvec(&gvec, in);
    if (err != ML_OK) {
        *why = ML_REASON_CITES;
        return err;
    }
    reason = check_gvec(in, gvec);
    if (reason != ML_REASON_NONE) {
        ml_gvec_unref(gvec);
        *why = reason;
        return ML_E_MALFORMED;
    }
    out->own = own;
    out->gvec = gvec;
    return ML_OK;
}
