/* core/store/log_own.c -- what the next own bundle of a chain must say (rules B10, ADR 0008, 0012).
 *
 * Cited, in this order: the writer's own heads of its other lanes that moved (always: they are what
 * tells an honest writer from a forked one); the lane-0 heads that the chain's vector lacks; in
 * lanes 1, 3 and 4 the heads of the lanes that such a bundle waits for. Of the last two only those
 * that no other one cited has below it: what came last is looked at first, for nothing lies below
 * what came before it. A header has room for so many; the rest is left to the chain's next one.
 * Chains of a forked writer are not cited.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/store/log_impl.h"

enum {
    /* With these a header has room for a dictionary of 64 streams within 9 KiB: 150 * 43 + 64 * 39
     * + 170 bytes. A third is kept for what isn't governance. */
    CITES_MAX = 150,
    CITES_GOVERNANCE_MAX = 100,
};

/* A head that may have to be cited. */
struct candidate {
    const struct ml_log_writer *writer;
    const struct ml_log_head *head;
    uint8_t lane;
};

struct citing {
    struct ml_log *log;
    const struct ml_log_writer *self;
    const struct ml_log_head *head; /* NULL: the chain is empty */
    uint8_t lane;
    struct ml_log_vec below;       /* closure of the chain and all that is cited so far: owned */
    struct ml_gvec *gvec;          /* of the chain, with what is cited: owned */
    struct candidate *candidates;  /* owned */
    struct ml_dep deps[CITES_MAX]; /* the first `count` */
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

/* Cites a head: what it has below it need not be. */
static ml_err cite(struct citing *c, const struct ml_dep *dep, const struct ml_log_head *head)
{
    const struct ml_env *env = c->log->env;
    ML_ASSERT(c->count < CITES_MAX);
    c->deps[c->count++] = *dep;
    ml_err err = ML_OK;
    if (dep->lane == ML_LANE_GOVERNANCE) {
        err = ml_gvec_add(&c->gvec, env, dep, 1);
    }
    if (err == ML_OK && ml_judge_waits(c->lane, dep->lane)) {
        err = ml_gvec_join(&c->gvec, env, head->known.j.gvec);
        if (err == ML_OK) {
            err = ml_log_vec_join(env, &c->below, &head->closure);
        }
    }
    return err;
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

/* Of a forked writer its governance below the fork is cited: the writer that follows it names it.
 */
static bool is_sound(const struct ml_log_writer *w, uint8_t lane, const struct ml_log_head *head)
{
    return !w->frozen || (lane == ML_LANE_GOVERNANCE &&
                          !ml_fork_is_beyond(&w->freeze, lane, head->known.j.own.seq[lane]));
}

/* The one head of a chain that isn't our own and is sound; else NULL. */
static const struct ml_log_head *plain_head(const struct citing *c, const struct ml_log_writer *w,
                                            uint8_t lane)
{
    const struct ml_log_chain *chain = &w->chains[lane];
    return w != c->self && chain->count == 1 && is_sound(w, lane, chain->heads[0]) ? chain->heads[0]
                                                                                   : NULL;
}

static bool is_below(const struct citing *c, const struct ml_log_writer *w, uint8_t lane,
                     uint32_t seq)
{
    return lane == ML_LANE_GOVERNANCE
               ? ml_gvec_seq(c->gvec, &w->id) >= seq
               : ml_log_vec_get(&c->below, ml_log_chain_index(w, lane)) >= seq;
}

static int later_first(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    return x->head->known.n > y->head->known.n ? -1 : x->head->known.n < y->head->known.n;
}

/* The head of a chain, if such a bundle waits for it and has it nowhere below. */
static const struct ml_log_head *lacking(const struct citing *c, const struct ml_log_writer *w,
                                         uint8_t lane)
{
    const struct ml_log_head *head = plain_head(c, w, lane);
    if (head == NULL || !ml_judge_waits(c->lane, lane)) {
        return NULL;
    }
    const uint32_t seq = head->known.j.own.seq[lane];
    return is_new(c, w, lane, seq) && !is_below(c, w, lane, seq) ? head : NULL;
}

/* Heads of the lanes `from` to `to` that the chain lacks, the last that came first. */
static size_t find_candidates(struct citing *c, uint8_t from, uint8_t to)
{
    const size_t lanes = (size_t)to - from + 1;
    size_t count = 0;
    for (size_t i = 0; i < c->log->writer_count * lanes; i++) {
        const struct ml_log_writer *w = c->log->writers[i / lanes];
        const uint8_t lane = (uint8_t)(from + i % lanes);
        const struct ml_log_head *head = lacking(c, w, lane);
        if (head != NULL) {
            c->candidates[count++] = (struct candidate){w, head, lane};
        }
    }
    if (count > 1) {
        qsort(c->candidates, count, sizeof(c->candidates[0]), later_first);
    }
    return count;
}

/* Cites those that lie below none of the others, as far as there is room. */
static ml_err cite_heads(struct citing *c, uint8_t from, uint8_t to, size_t room)
{
    const size_t count = find_candidates(c, from, to);
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && c->count < room && err == ML_OK; i++) {
        const struct candidate *k = &c->candidates[i];
        const struct ml_dep dep = id_of(k->writer, k->lane, k->head);
        if (!is_below(c, k->writer, k->lane, dep.seq)) {
            err = cite(c, &dep, k->head);
        }
    }
    return err;
}

static int dep_compare(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

/* What the chain has without any citation of the new header. */
static ml_err start(struct citing *c)
{
    const struct ml_env *env = c->log->env;
    c->candidates =
        ml_alloc_array(env, c->log->writer_count * ML_LANES + 1, sizeof(c->candidates[0]));
    if (c->candidates == NULL) {
        return ML_E_NOMEM;
    }
    if (c->head == NULL) {
        return ML_OK;
    }
    ml_err err = ml_gvec_join(&c->gvec, env, c->head->known.j.gvec);
    if (err == ML_OK && c->lane == ML_LANE_GOVERNANCE) {
        const struct ml_dep own = id_of(c->self, c->lane, c->head);
        err = ml_gvec_add(&c->gvec, env, &own, 1);
    }
    return err == ML_OK ? ml_log_vec_join(env, &c->below, &c->head->closure) : err;
}

static ml_err cite_all(struct citing *c)
{
    ml_err err = start(c);
    if (err == ML_OK) {
        err = cite_own(c);
    }
    if (err == ML_OK) {
        err = cite_heads(c, ML_LANE_GOVERNANCE, ML_LANE_GOVERNANCE, CITES_GOVERNANCE_MAX);
    }
    if (err == ML_OK && c->lane != ML_LANE_TRACE) {
        err = cite_heads(c, ML_LANE_KEYS, ML_LANES - 1, CITES_MAX);
    }
    qsort(c->deps, c->count, sizeof(c->deps[0]), dep_compare);
    return err;
}

static void fill_next(struct citing *c, struct ml_log_next *out)
{
    struct ml_log *log = c->log;
    memcpy(log->next_deps, c->deps, c->count * sizeof(c->deps[0]));
    ml_gvec_unref(log->next_covers);
    log->next_covers = ml_gvec_ref(c->gvec);
    *out = (struct ml_log_next){.seq = 1,
                                .gctx = ml_gvec_digest(c->gvec, &log->org),
                                .deps = log->next_deps,
                                .dep_count = c->count,
                                .hlc_min = c->hlc_min,
                                .covers = log->next_covers};
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

bool ml_log_is_frozen(struct ml_log *log, const struct ml_writer_id *writer)
{
    const struct ml_log_writer *w = ml_log_writer_find(log, writer);
    return w != NULL && w->frozen;
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
    ml_release(log->env, c->candidates);
    ml_release(log->env, c);
    return err;
}
