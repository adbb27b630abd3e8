/* core/store/log_own.c -- what the next own bundle of a chain must say (rules B10, ADR 0008).
 *
 * Cited, in this order: the writer's own heads of its other lanes that moved (always: they are what
 * tells an honest writer from a forked one); the lane-0 heads that the chain's vector lacks; in
 * lanes 1, 3 and 4 the heads of the lanes that such a bundle waits for, but those that lie below
 * another one cited. Chains of a forked writer are cited only as far as coverage asks for it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/store/log_impl.h"

struct citing {
    struct ml_log *log;
    const struct ml_log_writer *self;
    const struct ml_log_head *head; /* NULL: the chain is empty */
    uint8_t lane;
    struct ml_log_vec below; /* closure of all that is cited so far: owned */
    struct ml_gvec *gvec;    /* of the chain, with what is cited: owned */
    const struct ml_log_head *cited[ML_BUNDLE_DEPS_MAX];
    struct ml_dep deps[ML_BUNDLE_DEPS_MAX + 1];
    size_t count;
    uint64_t hlc_min;
};

static struct ml_dep id_of(const struct ml_log_writer *w, uint8_t lane,
                           const struct ml_log_head *head)
{
    return (struct ml_dep){.writer = w->id,
                           .lane = lane,
                           .seq = head->known.j.own.seq[lane],
                           .hash = ml_hash16_of(&head->known.j.hash)};
}

/* Has the chain cited this much of it before? */
static bool is_new(const struct citing *c, const struct ml_log_writer *w, uint8_t lane,
                   uint32_t seq)
{
    return c->head == NULL || seq > ml_log_vec_get(&c->head->cites, ml_log_chain_index(w, lane));
}

static ml_err cite(struct citing *c, const struct ml_dep *dep, const struct ml_log_head *head)
{
    if (c->count >= ML_BUNDLE_DEPS_MAX) {
        return ML_E_LIMIT;
    }
    c->cited[c->count] = head;
    c->deps[c->count++] = *dep;
    return ML_OK;
}

static ml_err cite_own(struct citing *c)
{
    ml_err err = ML_OK;
    for (uint8_t lane = 0; lane < ML_LANES && err == ML_OK; lane++) {
        const struct ml_log_chain *chain = &c->self->chains[lane];
        if (lane == c->lane || chain->count == 0) {
            continue;
        }
        const struct ml_log_head *head = chain->heads[0];
        const struct ml_dep dep = id_of(c->self, lane, head);
        c->hlc_min = head->known.j.hlc > c->hlc_min ? head->known.j.hlc : c->hlc_min;
        if (is_new(c, c->self, lane, dep.seq)) {
            err = cite(c, &dep, head);
        }
    }
    return err;
}

/* The one head of a chain that isn't our own and not of a forked writer; else NULL. */
static const struct ml_log_head *plain_head(const struct citing *c, const struct ml_log_writer *w,
                                            uint8_t lane)
{
    const struct ml_log_chain *chain = &w->chains[lane];
    return w == c->self || w->frozen || chain->count != 1 ? NULL : chain->heads[0];
}

static ml_err cite_governance(struct citing *c)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < c->log->writer_count && err == ML_OK; i++) {
        const struct ml_log_writer *w = c->log->writers[i];
        const struct ml_log_head *head = plain_head(c, w, ML_LANE_GOVERNANCE);
        if (head != NULL && head->known.j.own.seq[0] >
                                ml_gvec_seq(c->head ? c->head->known.j.gvec : NULL, &w->id)) {
            const struct ml_dep dep = id_of(w, ML_LANE_GOVERNANCE, head);
            err = cite(c, &dep, head);
        }
    }
    return err;
}

static bool waits_in_closure(const struct citing *c, const struct ml_dep *dep)
{
    return ml_judge_waits(c->lane, dep->lane);
}

/* What lies below all that is cited so far, along what bundles wait for. */
static ml_err gather_below(struct citing *c)
{
    const struct ml_env *env = c->log->env;
    ml_err err = ML_OK;
    if (c->head != NULL) {
        err = ml_log_vec_join(env, &c->below, &c->head->closure);
    }
    for (size_t i = 0; i < c->count && err == ML_OK; i++) {
        if (c->cited[i] != NULL && waits_in_closure(c, &c->deps[i])) {
            err = ml_log_vec_join(env, &c->below, &c->cited[i]->closure);
        }
    }
    return err;
}

static bool covers(const struct citing *c, const struct ml_log_writer *w, uint8_t lane,
                   const struct ml_dep *dep)
{
    const struct ml_log_head *head = plain_head(c, w, lane);
    bool same_chain = lane == dep->lane && memcmp(w->id.b, dep->writer.b, sizeof(w->id.b)) == 0;
    if (head == NULL || same_chain || !ml_judge_waits(c->lane, lane)) {
        return false;
    }
    const struct ml_log_writer *cited = ml_log_writer_find(c->log, &dep->writer);
    return ml_log_vec_get(&head->closure, ml_log_chain_index(cited, dep->lane)) >= dep->seq;
}

/* Is a head below another candidate of the same lanes? */
static bool is_covered(const struct citing *c, const struct ml_dep *dep)
{
    const size_t places = c->log->writer_count * ML_LANES;
    for (size_t at = 0; at < places; at++) {
        const uint8_t lane = (uint8_t)(at % ML_LANES);
        if (lane >= ML_LANE_KEYS && covers(c, c->log->writers[at / ML_LANES], lane, dep)) {
            return true;
        }
    }
    return false;
}

static ml_err cite_others(struct citing *c, uint8_t lane)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < c->log->writer_count && err == ML_OK; i++) {
        const struct ml_log_writer *w = c->log->writers[i];
        const struct ml_log_head *head = plain_head(c, w, lane);
        if (head == NULL) {
            continue;
        }
        const struct ml_dep dep = id_of(w, lane, head);
        const size_t chain = ml_log_chain_index(w, lane);
        if (is_new(c, w, lane, dep.seq) && ml_log_vec_get(&c->below, chain) < dep.seq &&
            !is_covered(c, &dep)) {
            err = cite(c, &dep, head);
        }
    }
    return err;
}

/* All that the cited have seen, together. */
static ml_err seen_by_cited(const struct citing *c, struct ml_gvec **out)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < c->count && err == ML_OK; i++) {
        struct ml_gvec *more = NULL;
        if (c->cited[i] == NULL || !waits_in_closure(c, &c->deps[i])) {
            continue;
        }
        err = ml_gvec_join(&more, c->log->env, *out, c->cited[i]->known.j.gvec);
        if (err == ML_OK) {
            ml_gvec_unref(*out);
            *out = more;
        }
    }
    return err;
}

/* What the cited have seen of forked writers must be cited too: coverage counts numbers. */
static ml_err cite_forked(struct citing *c, const struct ml_gvec *seen)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < ml_gvec_count(seen) && err == ML_OK; i++) {
        const struct ml_dep *e = ml_gvec_at(seen, i);
        bool own_chain = c->lane == ML_LANE_GOVERNANCE &&
                         memcmp(e->writer.b, c->self->id.b, sizeof(e->writer.b)) == 0;
        if (!own_chain && e->seq > ml_gvec_seq(c->gvec, &e->writer)) {
            err = cite(c, e, NULL);
        }
    }
    return err;
}

static int dep_compare(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

/* The chain's vector with the lane-0 entries cited so far (and its own predecessor in lane 0). */
static ml_err extend_gvec(struct citing *c, struct ml_gvec **out)
{
    struct ml_dep add[ML_BUNDLE_DEPS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->deps[i].lane == ML_LANE_GOVERNANCE) {
            add[count++] = c->deps[i];
        }
    }
    if (c->lane == ML_LANE_GOVERNANCE && c->head != NULL) {
        add[count++] = id_of(c->self, ML_LANE_GOVERNANCE, c->head);
    }
    qsort(add, count, sizeof(add[0]), dep_compare);
    return ml_gvec_extend(out, c->log->env, c->head ? c->head->known.j.gvec : NULL, add, count);
}

static ml_err cover_cited(struct citing *c)
{
    struct ml_gvec *seen = NULL;
    ml_err err = extend_gvec(c, &c->gvec);
    if (err == ML_OK) {
        err = seen_by_cited(c, &seen);
    }
    if (err == ML_OK && !ml_gvec_covers(c->gvec, seen)) {
        err = cite_forked(c, seen);
        if (err == ML_OK) {
            ml_gvec_unref(c->gvec);
            c->gvec = NULL;
            err = extend_gvec(c, &c->gvec);
        }
    }
    ml_gvec_unref(seen);
    return err;
}

static ml_err cite_all(struct citing *c)
{
    ml_err err = cite_own(c);
    if (err == ML_OK) {
        err = cite_governance(c);
    }
    if (err == ML_OK) {
        err = gather_below(c);
    }
    for (uint8_t lane = ML_LANE_KEYS; lane < ML_LANES && err == ML_OK; lane++) {
        bool wanted = c->lane != ML_LANE_TRACE && ml_judge_waits(c->lane, lane);
        err = wanted ? cite_others(c, lane) : ML_OK;
    }
    if (err == ML_OK) {
        err = cover_cited(c);
    }
    qsort(c->deps, c->count, sizeof(c->deps[0]), dep_compare);
    return err;
}

static void fill_next(struct citing *c, struct ml_log_next *out)
{
    struct ml_log *log = c->log;
    memcpy(log->next_deps, c->deps, c->count * sizeof(c->deps[0]));
    *out = (struct ml_log_next){.seq = 1,
                                .gctx = ml_gvec_digest(c->gvec, &log->org),
                                .deps = log->next_deps,
                                .dep_count = c->count,
                                .hlc_min = c->hlc_min};
    if (c->head != NULL) {
        const struct ml_judged *j = &c->head->known.j;
        out->seq = j->own.seq[c->lane] + 1;
        out->prev = j->hash;
        out->hlc_min = j->hlc > out->hlc_min ? j->hlc : out->hlc_min;
    }
}

/* ROLLED_BACK: the key forked. DENIED: nothing but the opening can be written yet. */
static ml_err may_write(const struct ml_log_writer *w, uint8_t lane)
{
    if (w == NULL) {
        return lane == ML_LANE_GOVERNANCE ? ML_OK : ML_E_DENIED;
    }
    return w->frozen ? ML_E_ROLLED_BACK : ML_OK;
}

ml_err ml_log_next_own(struct ml_log *log, const struct ml_writer_id *writer, uint8_t lane,
                       struct ml_log_next *out)
{
    const struct ml_log_writer unknown = {.id = *writer, .index = UINT32_MAX / ML_LANES - 1};
    if (lane >= ML_LANES) {
        return ML_E_INVALID;
    }
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_log_writer *w = ml_log_writer_find(log, writer);
    err = may_write(w, lane);
    if (err != ML_OK) {
        return err;
    }
    struct citing *c = ml_alloc(log->env, sizeof(*c));
    if (c == NULL) {
        return ML_E_NOMEM;
    }
    c->log = log;
    c->self = w != NULL ? w : &unknown;
    c->lane = lane;
    c->head = c->self->chains[lane].count > 0 ? c->self->chains[lane].heads[0] : NULL;
    err = cite_all(c);
    if (err == ML_OK) {
        fill_next(c, out);
    }
    ml_log_vec_free(log->env, &c->below);
    ml_gvec_unref(c->gvec);
    ml_release(log->env, c);
    return err;
}
