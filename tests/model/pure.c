/* pure.c -- what core/model/authority.h makes of a history. See model.h.
 *
 * An authority with the founding is kept; a history's acts are added and undone, so that histories
 * and orders that begin alike share what they begin with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hlc.h"
#include "fake_env.h"
#include "model.h"

struct m_tally m_tally;

struct pure {
    struct fake_env fake;
    struct ml_authority *a; /* in the order in which the history is told */
    struct ml_authority *b; /* in each other order */
    struct m_outcome found; /* in the first order */
    uint8_t order[M_ACTS];
    struct spec spec;
    struct m_history *founding; /* owned */
    bool compare;               /* with the spec, as far as it goes */
};

static uint32_t seq_in(const void *ctx, const void *vec, uint32_t writer)
{
    (void)ctx;
    return vec == NULL ? 0 : ((const uint32_t *)vec)[writer];
}

static void must(ml_err err)
{
    if (err != ML_OK) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
}

static ml_reason add_to(struct ml_authority *a, struct m_act *x, bool first)
{
    static const struct ml_say genesis[] = {
        {.kind = ML_SAY_MEMBER, .member = 0, .rank = ML_RANK_COORDINATOR},
        {.kind = ML_SAY_MON, .member = 0, .node = 0},
        {.kind = ML_SAY_WRITER, .member = 0, .node = 0},
    };
    struct ml_ruling ruling;
    struct ml_say say = x->say;
    say.cuts = x->cuts;
    const struct ml_act_in in = {.writer = x->writer,
                                 .seq = x->seq,
                                 .hlc = ml_hlc_make(x->ms, 0),
                                 .vec = first ? NULL : x->vec,
                                 .says = first ? genesis : &say,
                                 .say_count = first ? 3 : 1};
    must(ml_authority_add(a, &ruling, &in));
    return ruling.reason;
}

struct pure *pure_new(const struct m_history *founded)
{
    struct pure *p = calloc(1, sizeof(*p));
    struct m_history *h = calloc(1, sizeof(*h));
    if (p == NULL || h == NULL) {
        abort();
    }
    fake_env_init(&p->fake, 1);
    must(ml_authority_new(&p->a, &p->fake.env, seq_in, NULL));
    must(ml_authority_new(&p->b, &p->fake.env, seq_in, NULL));
    *h = *founded;
    for (unsigned i = 0; i < h->count; i++) {
        /* Their vectors stay where they are as long as the authorities: in `h`. */
        p->found.own[i] = (uint8_t)add_to(p->a, &h->acts[i], i == 0);
        (void)add_to(p->b, &h->acts[i], i == 0);
        spec_add(&p->spec, h, i);
        if (p->found.own[i] != ML_REASON_NONE || !p->spec.right[i]) {
            fprintf(stderr, "the founding has no right: %u\n", i);
            abort();
        }
        p->order[i] = (uint8_t)i;
    }
    p->spec.h = h;
    p->founding = h;
    return p;
}

void pure_free(struct pure *p)
{
    if (p != NULL) {
        ml_authority_free(p->a);
        ml_authority_free(p->b);
        free(p->founding);
        free(p);
    }
}

ml_reason pure_add(struct pure *p, struct m_history *h)
{
    const unsigned i = h->count - 1;
    p->found.own[i] = (uint8_t)add_to(p->a, &h->acts[i], false);
    spec_add(&p->spec, h, i);
    return (ml_reason)p->found.own[i];
}

void pure_undo(struct pure *p)
{
    ml_authority_undo(p->a);
}

const struct m_outcome *pure_outcome(const struct pure *p)
{
    return &p->found;
}

/* ---- every order ---- */

static bool view_is(const struct pure *p, const struct m_history *h, const struct ml_view *v)
{
    bool same = true;
    for (unsigned i = 0; i < h->count; i++) {
        same = same && ml_view_act(v, i).reason == (ml_reason)p->found.all[p->order[i]];
    }
    for (uint32_t m = 0; m < M_WRITERS; m++) {
        same = same && ml_view_rank(v, m) == p->found.rank[m] &&
               ml_view_acting(v, m) == p->found.power[m];
    }
    return same;
}

static bool order_ends(struct pure *p, const struct m_history *h)
{
    struct ml_view *v = NULL;
    must(ml_view_of_all(&v, p->b));
    const bool same = view_is(p, h, v);
    ml_view_free(v);
    m_tally.orders++;
    if (!same) {
        printf("another order, another state:");
        for (unsigned i = M_SETUP; i < h->count; i++) {
            printf(" %u", p->order[i]);
        }
        printf("\n");
    }
    return same;
}

/* As deep as there are acts. NOLINTNEXTLINE(misc-no-recursion) */
static bool try_orders(struct pure *p, struct m_history *h, m_set have, unsigned at)
{
    if (at == h->count) {
        return order_ends(p, h);
    }
    bool good = true;
    for (unsigned next = M_SETUP; next < h->count && good; next++) {
        if (m_has(have, next) || !m_may_come(h, have, next)) {
            continue;
        }
        p->order[at] = (uint8_t)next;
        good = add_to(p->b, &h->acts[next], false) == (ml_reason)p->found.own[next] &&
               try_orders(p, h, have | m_one(next), at + 1);
        ml_authority_undo(p->b);
    }
    return good;
}

/* ---- against the rules ---- */

static bool differs(const char *what, unsigned i, unsigned spec, unsigned code)
{
    printf("%s %u: by the rules %u, by the code %u\n", what, i, spec, code);
    return false;
}

/* What counts by the code at a vector, beside the rules' word: where they leave it open whether an
 * act counts and the code takes the other way, what follows from that isn't compared. */
static bool goes_apart(const struct pure *p, const struct spec_at *at, m_set counts)
{
    bool apart = false;
    for (unsigned i = 0; i < p->spec.h->count; i++) {
        const bool same = m_has(counts, i) == m_has(at->own.counts, i);
        apart = apart || (!same && at->says[i] == SPEC_EITHER);
    }
    return apart || (counts != at->own.counts && spec_allows(&p->spec, at->past, counts));
}

static m_set counts_in(const struct ml_view *v, unsigned count)
{
    m_set counts = 0;
    for (unsigned i = 0; i < count; i++) {
        counts |= ml_view_act(v, i).reason == ML_REASON_NONE ? m_one(i) : 0;
    }
    return counts;
}

static bool check_acts(struct pure *p, const struct m_history *h)
{
    bool good = true;
    for (unsigned i = 0; i < h->count; i++) {
        const bool counts = p->found.all[i] == ML_REASON_NONE;
        if (p->spec.right[i] != (p->found.own[i] == ML_REASON_NONE)) {
            good = differs("right of act", i, p->spec.right[i], p->found.own[i]);
        }
        m_tally.either += p->spec.says[i] == SPEC_EITHER;
        m_tally.fell += !counts && p->found.own[i] == ML_REASON_NONE;
        if (p->spec.says[i] != SPEC_EITHER && counts != (p->spec.says[i] == SPEC_YES)) {
            good = differs("act", i, p->spec.says[i], p->found.all[i]);
        }
    }
    for (uint32_t m = 0; m < M_WRITERS; m++) {
        if (p->found.rank[m] != p->spec.rank[m]) {
            good = differs("rank of", m, p->spec.rank[m], p->found.rank[m]);
        }
        if (p->found.power[m] != p->spec.power[m]) {
            good = differs("power of", m, p->spec.power[m], p->found.power[m]);
        }
    }
    return good;
}

/* A record with this vector, within the cut of every denial and beyond it (an idle lane is all
 * beyond). */
static bool check_record(struct pure *p, const struct ml_view *own, const struct ml_view *now,
                         const struct spec_at *at_spec, uint32_t writer)
{
    const m_set past = at_spec->past;
    bool good = true;
    for (uint32_t seq = 1; seq <= 2; seq++) {
        const struct ml_bundle_at at = {.writer = writer, .lane = 3, .seq = seq};
        const enum spec_says says = spec_record(&p->spec, at_spec, writer, seq);
        const struct ml_ruling r = ml_view_rule(own, now, &at);
        m_tally.records++;
        if (past == m_one(M_SETUP) - 1 && seq == 1) {
            p->found.record[writer] = (uint8_t)r.reason;
        }
        const bool accepted = r.verdict == ML_VERDICT_ACCEPTED;
        const struct spec_bundle b = {writer, seq};
        const bool same = !p->compare || (says == SPEC_YES) == accepted;
        const bool open =
            says == SPEC_EITHER || (!same && spec_allows_record(&p->spec, past, &b, accepted));
        m_tally.either += open;
        if (!same && !open) {
            printf("a record that saw %x:\n", past);
            good = differs("record of writer", writer, says, r.reason);
        }
    }
    return good;
}

static bool check_records_at(struct pure *p, const struct ml_view *now, m_set past)
{
    uint32_t vec[M_WRITERS] = {0};
    struct ml_view *own = NULL;
    struct spec_at at;
    bool good = true;
    const struct m_history *h = p->spec.h;
    for (unsigned i = 0; i < h->count; i++) {
        if (m_has(past, i) && h->acts[i].seq > vec[h->acts[i].writer]) {
            vec[h->acts[i].writer] = h->acts[i].seq;
        }
    }
    must(ml_view_at(&own, p->a, vec));
    spec_at(&p->spec, past, &at);
    const m_set counts = counts_in(own, h->count);
    const bool apart = goes_apart(p, &at, counts);
    if (counts != at.own.counts && !apart && p->compare) {
        printf("at the vector %x other acts count than by the rules\n", past);
        good = false;
    }
    for (uint32_t w = 0; w < M_WRITERS && !apart; w++) {
        good = check_record(p, own, now, &at, w) && good;
    }
    ml_view_free(own);
    return good;
}

/* At every vector that hangs together. */
static bool check_records(struct pure *p, const struct m_history *h, const struct ml_view *now)
{
    const m_set founding = m_one(M_SETUP) - 1;
    bool good = true;
    const m_set vectors = h->no_records ? 0 : m_one(h->count - M_SETUP);
    for (m_set more = 0; more < vectors && good; more++) {
        const m_set past = founding | more << M_SETUP;
        bool whole = true;
        for (unsigned i = M_SETUP; i < h->count; i++) {
            whole = whole && (!m_has(past, i) || m_may_come(h, past, i));
        }
        good = !whole || check_records_at(p, now, past);
    }
    return good;
}

bool pure_check(struct pure *p, struct m_history *h)
{
    struct ml_view *v = NULL;
    struct spec_at all = {.past = m_one(h->count) - 1};
    must(ml_view_of_all(&v, p->a));
    for (unsigned i = 0; i < h->count; i++) {
        p->found.all[i] = (uint8_t)ml_view_act(v, i).reason;
    }
    for (uint32_t m = 0; m < M_WRITERS; m++) {
        p->found.rank[m] = ml_view_rank(v, m);
        p->found.power[m] = ml_view_acting(v, m);
    }
    spec_all(&p->spec);
    memcpy(p->found.author, p->spec.author, sizeof(p->found.author));
    memcpy(all.says, p->spec.says, sizeof(all.says));
    all.own = p->spec.all;
    const bool apart = goes_apart(p, &all, counts_in(v, h->count));
    bool good = apart || check_acts(p, h);
    m_tally.apart += apart;
    p->compare = !apart;
    good = check_records(p, h, v) && good;
    ml_view_free(v);
    good = try_orders(p, h, m_one(M_SETUP) - 1, M_SETUP) && good;
    m_tally.histories++;
    if (!good) {
        m_tell(h);
    }
    return good;
}
