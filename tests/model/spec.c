/* spec.c -- what a history means by the rules alone: B13 to B16, R1 to R7, I6. Written from their
 * text, not from core/model; it takes no care of speed and knows three people only.
 *
 * Where the rules leave two answers open it says so (SPEC_EITHER): what rested on a grant that
 * fell, when its author has another one that had been replaced; spec_allows asks of the other way.
 */
#include <string.h>

#include "model.h"

enum { ROOT, TWO, RANK1, RANK2, SELF, STRATA }; /* B14, the highest first; SELF: a lost node */

#define GARANT_RANK 4u /* what he may do; what is done to him, and his hand, is as of rank 2 */
#define NOBODY_RANK 5u

static const struct ml_say *said(const struct spec *s, unsigned i)
{
    return &s->h->acts[i].say;
}

static bool saw(const struct spec *s, unsigned later, unsigned earlier)
{
    return m_has(s->h->acts[later].past, earlier);
}

/* ---- time (B15) ---- */

/* Some counting bundle of rank 2 or better has acts of two members past it in its closure. */
static bool is_over(const struct spec *s, m_set counts, unsigned d);

/* ---- who is who, in a view ---- */

/* I6: concurrent deny beats allow; an allow re-enables only if it had seen the denial.
 * NOLINTNEXTLINE(misc-no-recursion) */
static bool stands(const struct spec *s, const struct spec_view *v, unsigned grant, bool place)
{
    for (unsigned d = 0; d < s->h->count; d++) {
        if (!m_has(v->denials, d) || said(s, d)->member != said(s, grant)->member ||
            saw(s, grant, d)) {
            continue;
        }
        const bool everywhere = said(s, d)->node == ML_NOBODY;
        const bool concerns =
            place ? !everywhere || said(s, d)->mode == ML_DENIAL_COMPROMISE : everywhere;
        const bool over = said(s, d)->mode == ML_DENIAL_SUSPENSION && is_over(s, v->clocks, d);
        if (concerns && !over) {
            return false;
        }
    }
    return true;
}

/* The founder's genesis gives him rank, place and writer at once. */
static bool gives(const struct spec *s, unsigned i, ml_say_kind kind, uint32_t member)
{
    return i == 0 ? member == 0 : said(s, i)->kind == kind && said(s, i)->member == member;
}

/* Grants that no later one replaced. `spared`: were there no denial.
 * NOLINTNEXTLINE(misc-no-recursion) */
static m_set grants_in(const struct spec *s, const struct spec_view *v, uint32_t member,
                       bool spared)
{
    m_set grants = 0;
    m_set last = 0;
    for (unsigned i = 0; i < s->h->count; i++) {
        if (m_has(v->counts, i) && gives(s, i, ML_SAY_MEMBER, member) &&
            (spared || stands(s, v, i, false))) {
            grants |= m_one(i);
        }
    }
    for (unsigned i = 0; i < s->h->count; i++) {
        bool replaced = !m_has(grants, i);
        for (unsigned k = 0; k < s->h->count; k++) {
            replaced = replaced || (m_has(grants, k) && saw(s, k, i));
        }
        last |= replaced ? 0 : m_one(i);
    }
    return last;
}

/* Of these the lowest right. NOLINTNEXTLINE(misc-no-recursion) */
static unsigned rank_in(const struct spec *s, const struct spec_view *v, uint32_t member,
                        bool spared)
{
    const m_set grants = grants_in(s, v, member, spared);
    unsigned rank = 0;
    for (unsigned i = 0; i < s->h->count; i++) {
        rank = m_has(grants, i) && said(s, i)->rank > rank ? said(s, i)->rank : rank;
    }
    return rank == 0 ? NOBODY_RANK : rank;
}

/* What he may do by himself. B16: a garant co-signs only. NOLINTNEXTLINE(misc-no-recursion) */
static unsigned power_in(const struct spec *s, const struct spec_view *v, uint32_t member)
{
    const m_set grants = grants_in(s, v, member, false);
    for (unsigned i = 0; i < s->h->count; i++) {
        if (m_has(grants, i) && said(s, i)->garant) {
            return GARANT_RANK;
        }
    }
    return rank_in(s, v, member, false);
}

static bool works_in(const struct spec *s, const struct spec_view *v, uint32_t member)
{
    bool place = false;
    bool writer = false;
    for (unsigned i = 0; i < s->h->count; i++) {
        const bool counts = m_has(v->counts, i);
        place = place || (counts && gives(s, i, ML_SAY_MON, member) && stands(s, v, i, true));
        writer = writer || (counts && gives(s, i, ML_SAY_WRITER, member));
    }
    return place && writer && rank_in(s, v, member, false) < NOBODY_RANK;
}

static m_set who_is_past(const struct spec *s, unsigned e, uint64_t ms)
{
    m_set who = 0;
    for (unsigned i = 0; i < s->h->count; i++) {
        const bool past = (i == e || saw(s, e, i)) && s->h->acts[i].ms >= ms;
        who |= past ? m_one(s->h->acts[i].writer) : 0;
    }
    return who;
}

/* As deep as acts see each other. NOLINTNEXTLINE(misc-no-recursion) */
static bool is_over(const struct spec *s, m_set counts, unsigned d)
{
    for (unsigned e = 0; e < s->h->count; e++) {
        const m_set who = m_has(counts, e) ? who_is_past(s, e, said(s, d)->until_ms) : 0;
        const unsigned author = s->h->acts[e].writer;
        if ((who & (who - 1)) != 0 && power_in(s, &s->own[e], author) <= 2) {
            return true;
        }
    }
    return false;
}

/* ---- right, in a view of what had been seen (R1, R7, B16) ---- */

/* Another member than the actor and the subject, of rank 2 or better or a garant, once. */
static unsigned hands(const struct spec *s, const struct spec_view *v, unsigned i)
{
    m_set who = 0;
    unsigned count = 0;
    for (unsigned k = 0; k < said(s, i)->second_count; k++) {
        const uint32_t m = said(s, i)->seconds[k];
        if (m != s->h->acts[i].writer && m != said(s, i)->member && !m_has(who, m) &&
            works_in(s, v, m) && rank_in(s, v, m, false) <= 2) {
            who |= m_one(m);
            count++;
        }
    }
    return count;
}

/* A majority of those of rank 2 or better, at least two. Who is suspended is one of them. */
static bool may_promote(const struct spec *s, const struct spec_view *v, unsigned i)
{
    const unsigned for_it = 1 + hands(s, v, i);
    unsigned all = 0;
    struct spec_view unsuspended = *v;
    for (unsigned d = 0; d < s->h->count; d++) {
        if (m_has(v->denials, d) && said(s, d)->mode == ML_DENIAL_SUSPENSION) {
            unsuspended.denials &= ~m_one(d);
        }
    }
    for (uint32_t m = 0; m < M_WRITERS; m++) {
        all += rank_in(s, &unsuspended, m, false) <= 2;
    }
    return power_in(s, v, s->h->acts[i].writer) <= 2 && for_it >= 2 && 2 * for_it > all;
}

/* Of how many a majority is taken: as they were where it was said. Who is suspended is one. */
static unsigned leaders_at(const struct spec *s, unsigned i)
{
    struct spec_view unsuspended = s->own[i];
    unsigned all = 0;
    for (unsigned d = 0; d < s->h->count; d++) {
        if (m_has(unsuspended.denials, d) && said(s, d)->mode == ML_DENIAL_SUSPENSION) {
            unsuspended.denials &= ~m_one(d);
        }
    }
    for (uint32_t m = 0; m < M_WRITERS; m++) {
        all += rank_in(s, &unsuspended, m, false) <= 2;
    }
    return all;
}

/* B16: a majority of those of rank 2 or better, at least two; where there is one person, Root
 * co-signs. */
static bool may_rotate(const struct spec *s, const struct spec_view *v, unsigned i)
{
    const unsigned all = leaders_at(s, i);
    const unsigned for_it = 1 + hands(s, v, i);
    const bool enough = all < 2 ? said(s, i)->root : for_it >= 2 && 2 * for_it > all;
    return enough && power_in(s, v, s->h->acts[i].writer) <= 2;
}

static bool may_deny(const struct spec *s, const struct spec_view *v, unsigned i, uint8_t *stratum)
{
    const struct ml_say *say = said(s, i);
    const unsigned actor = power_in(s, v, s->h->acts[i].writer);
    const unsigned subject = rank_in(s, v, say->member, true);
    const bool two = hands(s, v, i) > 0;
    *stratum = two ? TWO : actor == 1 ? RANK1 : RANK2;
    if (say->root) {
        *stratum = ROOT;
        return true;
    }
    if (say->member == s->h->acts[i].writer) {
        *stratum = SELF;
        return say->node != ML_NOBODY;
    }
    const bool brief =
        say->mode == ML_DENIAL_SUSPENSION && say->until_ms <= s->h->acts[i].ms + 3 * M_DAY_MS;
    return actor <= 2 && (actor < subject || (actor == subject && (two || brief)));
}

/* At founding: Root's word, said by a coordinator who knows nobody but the founder and garants. */
static bool may_name(const struct spec *s, unsigned i, unsigned actor)
{
    bool founding = said(s, i)->member != 0;
    for (unsigned k = 1; k < i; k++) {
        const struct ml_say *taken = said(s, k);
        founding = founding && !(saw(s, i, k) && s->right[k] && taken->kind == ML_SAY_MEMBER &&
                                 !taken->garant && taken->member != 0);
    }
    return founding && said(s, i)->root && actor == 1;
}

static bool may_say(const struct spec *s, const struct spec_view *v, unsigned i, uint8_t *stratum)
{
    const struct ml_say *say = said(s, i);
    const uint32_t author = s->h->acts[i].writer;
    const unsigned actor = power_in(s, v, author);
    switch (say->kind) {
    case ML_SAY_MEMBER:
        if (say->garant) {
            return may_name(s, i, actor);
        }
        if (say->rank == 1) {
            return say->root || (say->member != author && may_promote(s, v, i));
        }
        return say->root || (actor < say->rank && actor < rank_in(s, v, say->member, true));
    case ML_SAY_MON: {
        const unsigned subject = rank_in(s, v, say->member, false);
        return (say->root && subject < NOBODY_RANK) ||
               (actor <= 2 && ((actor < subject && subject < NOBODY_RANK) ||
                               (say->member == author && actor == 1)));
    }
    case ML_SAY_DENIAL:
        return may_deny(s, v, i, stratum);
    case ML_SAY_CHECKPOINT:
        return actor <= 2;
    case ML_SAY_ROLE:
        return say->root ||
               (actor <= 2 && (actor < rank_in(s, v, say->member, false) || hands(s, v, i) > 0));
    case ML_SAY_ROTATE:
        return may_rotate(s, v, i);
    case ML_SAY_OTHER:
        return actor <= 3;
    case ML_SAY_WRITER:
        break;
    }
    return true;
}

/* Whoever opens his writer is on his way in. */
static bool has_right(const struct spec *s, const struct spec_view *v, unsigned i, uint8_t *stratum)
{
    struct spec_view with = *v;
    if (said(s, i)->kind == ML_SAY_WRITER && i != 0) {
        with.counts |= m_one(i);
    }
    return works_in(s, &with, s->h->acts[i].writer) && may_say(s, v, i, stratum);
}

/* ---- cuts (R4, R5, B14) ---- */

static uint32_t named(const struct spec *s, unsigned i, uint32_t writer, uint8_t lane)
{
    uint32_t seq = 0;
    for (size_t k = 0; k < said(s, i)->cut_count; k++) {
        const struct ml_cut *c = &s->h->acts[i].cuts[k];
        seq = c->writer == writer && c->lane == lane && c->seq > seq ? c->seq : seq;
    }
    return seq;
}

/* Never below a checkpointed frontier, of checkpoints that counted where it was said and that its
 * subject didn't make himself; below what the revoker had accepted only with a second signature;
 * and the founding is nobody's to take away. */
static uint32_t cut_of(const struct spec *s, unsigned d, uint32_t writer, uint8_t lane)
{
    uint32_t cut = named(s, d, writer, lane);
    for (unsigned c = 0; c < s->h->count; c++) {
        if (said(s, c)->kind == ML_SAY_CHECKPOINT && m_has(s->own[d].counts, c) &&
            s->h->acts[c].writer != said(s, d)->member) {
            const uint32_t floor = named(s, c, writer, lane);
            cut = floor > cut ? floor : cut;
        }
    }
    if (lane == 0 && s->stratum[d] >= RANK1 && s->h->acts[d].vec[writer] > cut) {
        cut = s->h->acts[d].vec[writer];
    }
    return lane == 0 && writer == 0 && cut == 0 ? 1 : cut;
}

struct place {
    uint32_t writer;
    uint8_t lane;
    uint32_t seq;
    m_set past;
    unsigned act; /* M_ACTS: a record */
};

static bool is_denied(const struct spec *s, m_set denials, uint32_t member)
{
    for (unsigned d = 0; d < s->h->count; d++) {
        if (m_has(denials, d) && said(s, d)->member == member) {
            return true;
        }
    }
    return false;
}

/* Somebody whom nobody denies, who counts, had seen it and not the denial. */
static bool is_witnessed(const struct spec *s, const struct spec_view *sure, unsigned d,
                         const struct place *p)
{
    for (unsigned y = 0; y < s->h->count && p->act < M_ACTS; y++) {
        if (m_has(sure->counts, y) && saw(s, y, p->act) && !saw(s, y, d) &&
            !is_denied(s, sure->denials, s->h->acts[y].writer)) {
            return true;
        }
    }
    return false;
}

static bool is_seal(const struct spec *s, const struct spec_view *sure, unsigned d, unsigned c)
{
    return said(s, c)->kind == ML_SAY_CHECKPOINT && m_has(sure->counts, c) && saw(s, c, d);
}

/* R5: from the first checkpoints that hold the denial on, only what is inside one of them. */
static bool is_sealed_out(const struct spec *s, const struct spec_view *sure, unsigned d,
                          const struct place *p)
{
    bool sealed = false;
    bool inside = false;
    for (unsigned c = 0; c < s->h->count; c++) {
        bool first = is_seal(s, sure, d, c);
        for (unsigned e = 0; e < s->h->count; e++) {
            first = first && !(is_seal(s, sure, d, e) && saw(s, c, e));
        }
        sealed = sealed || first;
        inside = inside || (first && (p->act < M_ACTS ? saw(s, c, p->act)
                                                      : named(s, c, p->writer, p->lane) >= p->seq));
    }
    return sealed && !inside;
}

/* The gravest mode and the lowest cut of the denials that it hadn't seen. `sure`: the view with
 * nobody excused; NULL: nobody is. */
static bool is_cut(const struct spec *s, const struct spec_view *v, const struct spec_view *sure,
                   const struct place *p)
{
    bool compromise = false;
    bool beyond = false;
    bool excused = sure != NULL;
    for (unsigned d = 0; d < s->h->count; d++) {
        const bool about = m_has(v->denials, d) && said(s, d)->member == p->writer &&
                           !m_has(p->past, d) && d != p->act;
        if (!about) {
            continue;
        }
        compromise = compromise || said(s, d)->mode == ML_DENIAL_COMPROMISE;
        if (p->seq > cut_of(s, d, p->writer, p->lane)) {
            beyond = true;
            excused = excused && is_witnessed(s, sure, d, p) && !is_sealed_out(s, sure, d, p);
        }
    }
    return beyond && (compromise || !excused);
}

/* ---- what counts ---- */

/* What fell of what it rested on takes its right away: judged again by what is left of what it had
 * seen, denials as they were. */
static bool still_has_right(const struct spec *s, unsigned i, m_set counts)
{
    uint8_t stratum = 0;
    struct spec_view left = s->own[i];
    left.counts &= counts;
    return has_right(s, &left, i, &stratum);
}

/* Had its author, or who signed beside him, any grant that isn't among these any more? */
static bool lost_a_grant(const struct spec *s, m_set kept, unsigned i)
{
    for (unsigned g = 0; g < i; g++) {
        const struct ml_say *say = said(s, g);
        bool whose = say->member == s->h->acts[i].writer || say->member == said(s, i)->member;
        for (unsigned k = 0; k < said(s, i)->second_count; k++) {
            whose = whose || say->member == said(s, i)->seconds[k];
        }
        const bool grant =
            say->kind == ML_SAY_MEMBER || say->kind == ML_SAY_MON || say->kind == ML_SAY_WRITER;
        if (grant && whose && m_has(s->own[i].counts, g) && !m_has(kept, g)) {
            return true;
        }
    }
    return false;
}

/* A rotation takes the word of the Root before it away, but what it had seen (deny wins). */
static bool is_void(const struct spec *s, const struct spec_view *v, unsigned i)
{
    bool is = false;
    for (unsigned r = 0; r < s->h->count; r++) {
        is = is || (m_has(v->rotations, r) && r != i && !saw(s, i, r) && !saw(s, r, i));
    }
    return is && said(s, i)->root;
}

/* What a rotation in force says nobody cuts; others say nothing once those are found. */
static bool is_out(const struct spec *s, const struct spec_view *v, const struct spec_view *sure,
                   const struct place *p)
{
    if (m_has(v->rotations, p->act)) {
        return false;
    }
    const bool lost = v->rotated && said(s, p->act)->kind == ML_SAY_ROTATE;
    return lost || is_void(s, v, p->act) || is_cut(s, v, sure, p);
}

static m_set weigh(const struct spec *s, m_set all, const struct spec_view *v,
                   const struct spec_view *sure)
{
    m_set counts = 0;
    for (unsigned i = 0; i < s->h->count; i++) {
        const struct m_act *x = &s->h->acts[i];
        const struct place p = {x->writer, 0, x->seq, x->past, i};
        bool right =
            i == 0 || m_has(v->rotations, i) || (s->right[i] && still_has_right(s, i, counts));
        if (m_has(s->narrow, i)) {
            right = right && !lost_a_grant(s, counts, i);
        }
        if (m_has(all, i) && right && !is_out(s, v, sure, &p)) {
            counts |= m_one(i);
        }
    }
    return counts;
}

/* First with nobody excused, then with those whom somebody sure excuses. */
static void settle(const struct spec *s, m_set all, struct spec_view *v)
{
    struct spec_view sure = *v;
    sure.counts = weigh(s, all, v, NULL);
    v->counts = weigh(s, all, v, &sure);
    v->clocks = v->counts;
}

static m_set denials_of(const struct spec *s, m_set counts, unsigned stratum)
{
    m_set denials = 0;
    for (unsigned d = 0; d < s->h->count; d++) {
        const bool denial = said(s, d)->kind == ML_SAY_DENIAL && s->stratum[d] == stratum;
        denials |= denial && m_has(counts, d) ? m_one(d) : 0;
    }
    return denials;
}

/* Before which of two is a rotation weighed: who had seen fewer, a majority's, the smaller number.
 */
static bool is_sooner(const struct spec *s, unsigned a, unsigned b)
{
    unsigned seen[2] = {0, 0};
    for (unsigned r = 0; r < s->h->count; r++) {
        const bool rotation = said(s, r)->kind == ML_SAY_ROTATE && s->right[r];
        seen[0] += rotation && saw(s, a, r);
        seen[1] += rotation && saw(s, b, r);
    }
    if (seen[0] != seen[1]) {
        return seen[0] < seen[1];
    }
    return said(s, a)->root != said(s, b)->root ? said(s, b)->root
                                                : said(s, a)->order[0] < said(s, b)->order[0];
}

/* Above every denial: each by what those before it left. */
static void rotate(const struct spec *s, m_set all, struct spec_view *v)
{
    m_set left = 0;
    for (unsigned i = 0; i < s->h->count; i++) {
        left |= m_has(all, i) && said(s, i)->kind == ML_SAY_ROTATE && s->right[i] ? m_one(i) : 0;
    }
    while (left != 0) {
        unsigned next = M_ACTS;
        for (unsigned i = 0; i < s->h->count; i++) {
            next = m_has(left, i) && (next == M_ACTS || is_sooner(s, i, next)) ? i : next;
        }
        v->rotations |= weigh(s, all, v, NULL) & m_one(next);
        left &= ~m_one(next);
    }
    v->rotated = true;
}

/* Strata: a denial beyond the cut of a higher one is void; between equals both hold. */
static struct spec_view view_of(const struct spec *s, m_set all)
{
    struct spec_view v = {0};
    rotate(s, all, &v);
    settle(s, all, &v);
    for (unsigned stratum = ROOT; stratum < STRATA; stratum++) {
        v.denials |= denials_of(s, v.counts, stratum);
        settle(s, all, &v);
    }
    return v;
}

/* ---- the whole ---- */

void spec_add(struct spec *s, const struct m_history *h, unsigned i)
{
    s->h = h;
    s->right[i] = true;
    s->stratum[i] = STRATA;
    if (i > 0) {
        s->own[i] = view_of(s, h->acts[i].past);
        s->right[i] = has_right(s, &s->own[i], i, &s->stratum[i]);
        s->author[i] = (uint8_t)power_in(s, &s->own[i], h->acts[i].writer);
    }
}

static void say_all(const struct spec *s, const struct spec_view *v, uint8_t *says)
{
    m_set kept = 0; /* for certain */
    for (unsigned i = 0; i < s->h->count; i++) {
        says[i] = m_has(v->counts, i) ? SPEC_YES : SPEC_NO;
        if (says[i] == SPEC_YES && lost_a_grant(s, kept, i)) {
            says[i] = SPEC_EITHER;
        }
        kept |= says[i] == SPEC_YES ? m_one(i) : 0;
    }
}

void spec_all(struct spec *s)
{
    s->all = view_of(s, m_one(s->h->count) - 1);
    say_all(s, &s->all, s->says);
    for (uint32_t m = 0; m < M_WRITERS; m++) {
        s->rank[m] = (uint8_t)rank_in(s, &s->all, m, false);
        s->power[m] = (uint8_t)power_in(s, &s->all, m);
    }
}

void spec_at(const struct spec *s, m_set past, struct spec_at *out)
{
    out->past = past;
    out->own = view_of(s, past);
    say_all(s, &out->own, out->says);
}

enum spec_says spec_record(const struct spec *s, const struct spec_at *at, uint32_t writer,
                           uint32_t seq)
{
    const struct place p = {writer, 3, seq, at->past, M_ACTS};
    struct spec_view left = at->own;
    left.counts &= s->all.counts;
    if (!works_in(s, &at->own, writer) || power_in(s, &at->own, writer) == GARANT_RANK ||
        !works_in(s, &left, writer) || power_in(s, &left, writer) == GARANT_RANK ||
        is_cut(s, &s->all, NULL, &p)) {
        return SPEC_NO;
    }
    for (unsigned g = 0; g < s->h->count; g++) {
        const bool grant = said(s, g)->kind == ML_SAY_MEMBER || said(s, g)->kind == ML_SAY_MON;
        if (grant && said(s, g)->member == writer && m_has(at->own.counts, g) &&
            s->says[g] != SPEC_YES) {
            return SPEC_EITHER;
        }
    }
    return SPEC_YES;
}

/* ---- other ways ---- */

/* Where an act lost a grant and its author has another, the rules leave open whether it is a sure
 * witness. Any of them may be taken so, at the end alone or at the vectors of acts too: what fell
 * there gave them other rights. False: there is no such way. */
static bool other_way(const struct spec *s, unsigned way, struct spec *out)
{
    const unsigned acts = s->h->count - M_SETUP;
    const bool everywhere = (way & 1) != 0;
    *out = *s;
    if (way >= 2u << acts) {
        return false;
    }
    out->narrow = (m_one(acts) - 1 - (way >> 1)) << M_SETUP; /* all of them first */
    for (unsigned i = 1; i < s->h->count && everywhere; i++) {
        spec_add(out, s->h, i);
    }
    spec_all(out);
    return true;
}

static bool agrees(const struct spec *s, m_set past, m_set counts)
{
    struct spec_at at = {0};
    bool same = true;
    spec_at(s, past, &at);
    for (unsigned i = 0; i < s->h->count; i++) {
        same = same && (at.says[i] == SPEC_EITHER || m_has(counts, i) == m_has(at.own.counts, i));
    }
    return same;
}

bool spec_allows(const struct spec *s, m_set past, m_set counts)
{
    struct spec other;
    bool found = false;
    for (unsigned way = 0; !found && other_way(s, way, &other); way++) {
        found = agrees(&other, past, counts);
    }
    return found;
}

static bool record_agrees(const struct spec *s, m_set past, const struct spec_bundle *b,
                          bool accepted)
{
    struct spec_at at = {0};
    spec_at(s, past, &at);
    const enum spec_says says = spec_record(s, &at, b->writer, b->seq);
    return says == SPEC_EITHER || (says == SPEC_YES) == accepted;
}

bool spec_allows_record(const struct spec *s, m_set past, const struct spec_bundle *b,
                        bool accepted)
{
    struct spec other;
    bool found = false;
    for (unsigned way = 0; !found && other_way(s, way, &other); way++) {
        found = record_agrees(&other, past, b, accepted);
    }
    return found;
}
