/* core/model/authority_view.c -- what stands at a vector.
 *
 * Denials come into force stratum by stratum: one does when its act isn't cut, and rests on nothing
 * that is, by the denials of the strata above. Its equals don't touch it: of two who deny each
 * other both are denied. In each step acts are gone through in the order in which they came, so
 * that what an act rests on was weighed before it. Witnesses are those that count when nobody is
 * excused.
 */
#include <string.h>

#include "core/base/hlc.h"
#include "core/model/authority_impl.h"

void ml_view_free(struct ml_view *v)
{
    if (v != NULL) {
        ml_release(v->a->env, v->denials.at);
        ml_release(v->a->env, v->rotations.at);
        ml_release(v->a->env, v->reasons);
        ml_release(v->a->env, v);
    }
}

static bool covers(const struct ml_view *v, uint32_t act)
{
    return v->everything || ml_authority_holds(v->a, v->vec, act);
}

static bool is_met(const uint8_t *reasons, uint32_t need)
{
    const bool counts = reasons[need & ~ML_NEED_NOT] == ML_REASON_NONE;
    return counts != ((need & ML_NEED_NOT) != 0);
}

/* Of each group that the act needs, one counts, or one doesn't that mustn't. */
static bool has_needs(const struct ml_authority *a, const uint8_t *reasons, const struct ml_act *x)
{
    const uint32_t *need = a->needs.at;
    size_t i = x->needs_from;
    while (i < x->needs_to) {
        const size_t end = i + 1 + need[i];
        bool any = false;
        for (i++; i < end; i++) {
            any = any || is_met(reasons, need[i]);
        }
        if (!any) {
            return false;
        }
    }
    return true;
}

static uint8_t weigh(const struct ml_view *v, const uint8_t *reasons, uint32_t act, bool strict)
{
    const struct ml_act *x = &v->a->acts[act];
    if (!covers(v, act)) {
        return ML_VIEW_UNSEEN;
    }
    if (x->ruling.verdict != ML_VERDICT_ACCEPTED) {
        return (uint8_t)x->ruling.reason;
    }
    if (ml_view_has_rotation(v, act)) {
        return ML_REASON_NONE; /* as the genesis: Root always remains */
    }
    const struct ml_cut_of of = {.vec = x->vec, .writer = x->writer, .seq = x->seq, .act = act};
    ml_reason cut = ml_view_root_cut(v, act);
    cut = cut == ML_REASON_NONE ? ml_view_cut(v, &of, strict) : cut;
    if (cut != ML_REASON_NONE) {
        return (uint8_t)cut;
    }
    return has_needs(v->a, reasons, x) ? ML_REASON_NONE : ML_REASON_GRANT_FELL;
}

static void weigh_all(const struct ml_view *v, uint8_t *reasons, bool strict)
{
    for (uint32_t i = 0; i < v->act_count; i++) {
        reasons[i] = weigh(v, reasons, i, strict);
    }
}

/* First with nobody excused; then by what counts so, who is. */
static void settle(struct ml_view *v, uint8_t *room)
{
    weigh_all(v, v->reasons, true);
    if (v->denials.count > 0) {
        weigh_all(v, room, false);
        memcpy(v->reasons, room, v->act_count);
    }
}

static void weigh_strictly(struct ml_view *v)
{
    weigh_all(v, v->reasons, true);
}

/* Those of one stratum whose acts stand by the strata above. */
static ml_err bring_into_force(struct ml_view *v, ml_stratum stratum)
{
    const struct ml_authority *a = v->a;
    ml_err err = ML_OK;
    for (uint32_t i = 0; i < a->said_count && err == ML_OK; i++) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_DENIAL && s->stratum == stratum && ml_view_counts(v, s->act)) {
            err = ml_numbers_push(&v->denials, a->env, i);
        }
    }
    return err;
}

static bool has_denial_of(const struct ml_view *v, ml_stratum stratum)
{
    for (uint32_t i = 0; i < v->a->said_count; i++) {
        const struct ml_said *s = &v->a->said[i];
        if (s->say.kind == ML_SAY_DENIAL && s->stratum == stratum && s->act < v->act_count &&
            v->a->acts[s->act].ruling.verdict == ML_VERDICT_ACCEPTED && covers(v, s->act)) {
            return true;
        }
    }
    return false;
}

static ml_err evaluate(struct ml_view *v)
{
    uint8_t *room = ml_alloc(v->a->env, v->act_count + 1);
    ml_err err = room == NULL ? ML_E_NOMEM : ml_view_rotate(v, weigh_strictly);
    for (unsigned s = 0; s < ML_STRATA && err == ML_OK; s++) {
        if (has_denial_of(v, (ml_stratum)s)) {
            settle(v, room);
            err = bring_into_force(v, (ml_stratum)s);
        }
    }
    if (err == ML_OK) {
        settle(v, room);
    }
    ml_release(v->a->env, room);
    return err;
}

static ml_err view_new(struct ml_view **out, const struct ml_authority *a, const void *vec,
                       bool everything)
{
    struct ml_view *v = ml_alloc(a->env, sizeof(*v));
    if (v == NULL) {
        return ML_E_NOMEM;
    }
    v->a = a;
    v->vec = vec;
    v->everything = everything;
    v->act_count = a->act_count;
    v->reasons = ml_alloc(a->env, a->act_count + 1);
    ml_err err = v->reasons == NULL ? ML_E_NOMEM : evaluate(v);
    if (err != ML_OK) {
        ml_view_free(v);
        return err;
    }
    *out = v;
    return ML_OK;
}

ml_err ml_view_at(struct ml_view **out, const struct ml_authority *a, const void *vec)
{
    return view_new(out, a, vec, false);
}

ml_err ml_view_of_all(struct ml_view **out, const struct ml_authority *a)
{
    return view_new(out, a, NULL, true);
}

size_t ml_view_acts(const struct ml_view *v)
{
    return v->act_count;
}

struct ml_ruling ml_view_act(const struct ml_view *v, size_t act)
{
    uint8_t reason = act < v->act_count ? v->reasons[act] : ML_VIEW_UNSEEN;
    ml_verdict verdict = reason == ML_REASON_NONE ? ML_VERDICT_ACCEPTED : ML_VERDICT_QUARANTINED;
    return (struct ml_ruling){verdict, (ml_reason)reason};
}

/* Is there a checkpoint that counts among the acts from this one on? */
static bool has_checkpoint(const struct ml_view *v, size_t from)
{
    for (size_t i = 0; i < v->a->said_count; i++) {
        const struct ml_said *s = &v->a->said[i];
        if (s->say.kind == ML_SAY_CHECKPOINT && s->act >= from && ml_view_counts(v, s->act)) {
            return true;
        }
    }
    return false;
}

bool ml_view_extends(const struct ml_view *later, const struct ml_view *v)
{
    return later->act_count >= v->act_count &&
           memcmp(later->reasons, v->reasons, v->act_count) == 0 &&
           later->denials.count == v->denials.count &&
           (v->denials.count == 0 || !has_checkpoint(later, v->act_count));
}

/* ---- persons ---- */

/* Are there, in what act `e` saw and said, acts of two members past this time? */
static bool has_two_past(const struct ml_view *v, uint32_t e, uint64_t until_ms)
{
    const struct ml_authority *a = v->a;
    uint32_t one = ML_NOBODY;
    for (uint32_t i = 0; i < v->act_count; i++) {
        const struct ml_act *x = &a->acts[i];
        const bool past = ml_hlc_ms(x->hlc) >= until_ms && x->member != ML_NOBODY;
        if (!past || (i != e && !ml_authority_holds(a, a->acts[e].vec, i))) {
            continue;
        }
        if (one != ML_NOBODY && one != x->member) {
            return true;
        }
        one = x->member;
    }
    return false;
}

/* The first act that follows, or is, one past this time by a second member: nobody before it can
 * have seen two. Mostly nobody passed it, and then nothing is asked. */
static uint32_t second_past(const struct ml_view *v, uint64_t until_ms)
{
    uint32_t one = ML_NOBODY;
    for (uint32_t i = 0; i < v->act_count; i++) {
        const struct ml_act *x = &v->a->acts[i];
        if (ml_hlc_ms(x->hlc) < until_ms || x->member == ML_NOBODY || !covers(v, i)) {
            continue;
        }
        if (one != ML_NOBODY && one != x->member) {
            return i;
        }
        one = x->member;
    }
    return (uint32_t)v->act_count;
}

/* By an act that `vec` holds, or by any. */
static bool is_past(const struct ml_view *v, const void *vec, bool any, uint64_t until_ms)
{
    for (uint32_t e = second_past(v, until_ms); e < v->act_count; e++) {
        if (ml_view_counts(v, e) && v->a->acts[e].rank <= ML_RANK_REFERENT &&
            (any || ml_authority_holds(v->a, vec, e)) && has_two_past(v, e, until_ms)) {
            return true;
        }
    }
    return false;
}

bool ml_view_is_past(const struct ml_view *v, uint64_t until_ms)
{
    return is_past(v, NULL, true, until_ms);
}

bool ml_view_saw_past(const struct ml_view *v, const void *vec, uint64_t until_ms)
{
    return is_past(v, vec, false, until_ms);
}

static bool has_lapsed(const struct ml_view *v, const struct ml_said *denial)
{
    return denial->say.mode == ML_DENIAL_SUSPENSION && ml_view_is_past(v, denial->say.until_ms);
}

/* An enrolment outlives a departure of the person once he is back, a compromise it doesn't. */
static bool concerns(const struct ml_say *denial, const struct ml_say *grant)
{
    if (denial->member != grant->member) {
        return false;
    }
    if (grant->kind == ML_SAY_MEMBER) {
        return denial->node == ML_NOBODY;
    }
    return denial->node == grant->node ||
           (denial->node == ML_NOBODY && denial->mode == ML_DENIAL_COMPROMISE);
}

/* Deny beats allow, unless the allow had seen it (I6). Denials of mode `spared` and milder ones
 * aren't looked at. */
static bool stands_but(const struct ml_view *v, const struct ml_said *said, unsigned spared)
{
    const struct ml_authority *a = v->a;
    if (!ml_view_counts(v, said->act)) {
        return false;
    }
    for (size_t i = 0; i < v->denials.count; i++) {
        const struct ml_said *denial = &a->said[v->denials.at[i]];
        if (denial->say.mode < spared && concerns(&denial->say, &said->say) &&
            !ml_view_saw(v, a->acts[said->act].vec, denial) && !has_lapsed(v, denial)) {
            return false;
        }
    }
    return true;
}

#define SPARED_NONE (ML_DENIAL_SUSPENSION + 1u)

bool ml_view_stands(const struct ml_view *v, const struct ml_said *said)
{
    return stands_but(v, said, SPARED_NONE);
}

static bool is_last_but(const struct ml_view *v, const struct ml_said *said, unsigned spared)
{
    const struct ml_authority *a = v->a;
    for (uint32_t i = ml_authority_last_of(a, said->say.member); i != ML_NOBODY;
         i = a->said[i].before) {
        const struct ml_said *other = &a->said[i];
        if (other->say.kind == ML_SAY_MEMBER && other->act != said->act &&
            stands_but(v, other, spared) &&
            ml_authority_holds(a, a->acts[other->act].vec, said->act)) {
            return false;
        }
    }
    return true;
}

/* Of several that nobody replaced, the lowest right. */
static uint8_t rank_but(const struct ml_view *v, uint32_t member, unsigned spared)
{
    const struct ml_authority *a = v->a;
    uint8_t rank = 0;
    for (uint32_t i = ml_authority_last_of(a, member); i != ML_NOBODY; i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_MEMBER && s->say.rank > rank && stands_but(v, s, spared) &&
            is_last_but(v, s, spared)) {
            rank = s->say.rank;
        }
    }
    return rank == 0 ? ML_RANK_NODE : rank;
}

uint8_t ml_view_rank(const struct ml_view *v, uint32_t member)
{
    return rank_but(v, member, SPARED_NONE);
}

uint8_t ml_view_rank_spared(const struct ml_view *v, uint32_t member, ml_denial_mode mode)
{
    return rank_but(v, member, mode);
}

uint8_t ml_view_acting(const struct ml_view *v, uint32_t member)
{
    const struct ml_authority *a = v->a;
    for (uint32_t i = ml_authority_last_of(a, member); i != ML_NOBODY; i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_MEMBER && s->say.garant && ml_view_stands(v, s) &&
            is_last_but(v, s, SPARED_NONE)) {
            return ML_RANK_GARANT;
        }
    }
    return ml_view_rank(v, member);
}

unsigned ml_view_leaders(const struct ml_view *v)
{
    unsigned count = 0;
    for (uint32_t m = 0; m < v->a->persons.count; m++) {
        count += rank_but(v, m, ML_DENIAL_SUSPENSION) <= ML_RANK_REFERENT;
    }
    return count;
}

bool ml_view_grant(const struct ml_view *v, size_t act, size_t say)
{
    const struct ml_said *said = &v->a->said[v->a->acts[act].first + say];
    if (!ml_view_stands(v, said)) {
        return false;
    }
    return said->say.kind == ML_SAY_MEMBER ? is_last_but(v, said, SPARED_NONE)
                                           : ml_view_rank(v, said->say.member) != ML_RANK_NODE;
}

bool ml_view_denies(const struct ml_view *v, size_t act, size_t say)
{
    bool found = false;
    for (size_t i = 0; i < v->denials.count; i++) {
        found = found || v->denials.at[i] == v->a->acts[act].first + say;
    }
    return found;
}

bool ml_view_grant_left(const struct ml_view *own, const struct ml_view *now, size_t act,
                        size_t say)
{
    const struct ml_authority *a = own->a;
    const struct ml_said *said = &a->said[a->acts[act].first + say];
    if (!ml_view_counts(now, said->act) || !ml_view_stands(own, said)) {
        return false;
    }
    for (uint32_t i = ml_authority_last_of(a, said->say.member); i != ML_NOBODY;
         i = a->said[i].before) {
        const struct ml_said *other = &a->said[i];
        if (other->say.kind == ML_SAY_MEMBER && other->act != said->act &&
            ml_authority_holds(a, a->acts[other->act].vec, said->act) &&
            ml_view_counts(now, other->act) && ml_view_stands(own, other)) {
            return false;
        }
    }
    return true;
}

bool ml_view_works(const struct ml_view *v, uint32_t member, uint32_t node)
{
    const struct ml_authority *a = v->a;
    if (ml_view_rank(v, member) == ML_RANK_NODE) {
        return false;
    }
    for (uint32_t i = ml_authority_last_of(a, member); i != ML_NOBODY; i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_MON && s->say.node == node && ml_view_stands(v, s)) {
            return true;
        }
    }
    return false;
}

/* ---- other lanes ---- */

static ml_reason right_at(const struct ml_view *own, const struct ml_said *opening, uint8_t lane)
{
    if (!ml_view_counts(own, opening->act)) {
        return ML_REASON_NOT_ENROLLED;
    }
    if (opening->say.member == ML_NOBODY) {
        return lane > 2 ? ML_REASON_NO_AUTHORITY : ML_REASON_NONE;
    }
    if (!ml_view_works(own, opening->say.member, opening->say.node)) {
        return ML_REASON_NOT_ENROLLED;
    }
    return lane > 2 && ml_view_acting(own, opening->say.member) == ML_RANK_GARANT
               ? ML_REASON_NO_AUTHORITY
               : ML_REASON_NONE;
}

/* Is it what makes him a garant by what is left? It says of the lanes beyond 2: he writes there no
 * more. */
static bool is_garant_left(const struct ml_view *own, const struct ml_view *now,
                           const struct ml_said *s)
{
    return s->say.garant &&
           ml_view_grant_left(own, now, s->act,
                              (size_t)(s - own->a->said) - own->a->acts[s->act].first);
}

/* Do the grants that gave him his place at `own` still count in `now`? */
static bool has_grants(const struct ml_view *own, const struct ml_view *now,
                       const struct ml_said *opening, uint8_t lane)
{
    const struct ml_authority *a = own->a;
    bool rank = false;
    bool place = false;
    if (!ml_view_counts(now, opening->act)) {
        return false;
    }
    for (uint32_t i = ml_authority_last_of(a, opening->say.member); i != ML_NOBODY;
         i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (!ml_view_counts(now, s->act) || !ml_view_stands(own, s)) {
            continue;
        }
        if (lane > 2 && is_garant_left(own, now, s)) {
            return false;
        }
        rank = rank || s->say.kind == ML_SAY_MEMBER;
        place = place || (s->say.kind == ML_SAY_MON && s->say.node == opening->say.node);
    }
    return rank && place;
}

struct ml_ruling ml_view_rule(const struct ml_view *own, const struct ml_view *now,
                              const struct ml_bundle_at *at)
{
    const uint32_t index = ml_number_of(&own->a->openings, at->writer);
    ml_reason reason = ML_REASON_NOT_ENROLLED;
    if (index != ML_NOBODY) {
        const struct ml_said *opening = &own->a->said[index];
        const struct ml_cut_of of = {.vec = own->vec,
                                     .writer = at->writer,
                                     .seq = at->seq,
                                     .lane = at->lane,
                                     .witnessed = at->witnessed,
                                     .act = ML_NOBODY};
        reason = right_at(own, opening, at->lane);
        if (reason == ML_REASON_NONE) {
            reason = ml_view_cut(now, &of, false);
        }
        if (reason == ML_REASON_NONE && opening->say.member != ML_NOBODY &&
            !has_grants(own, now, opening, at->lane)) {
            reason = ML_REASON_GRANT_FELL;
        }
    }
    ml_verdict verdict = reason == ML_REASON_NONE ? ML_VERDICT_ACCEPTED : ML_VERDICT_QUARANTINED;
    return (struct ml_ruling){verdict, reason};
}

/* ---- what changed ---- */

static bool has_changed(const struct ml_view *now, const struct ml_view *before, uint32_t act)
{
    return act < before->act_count && now->reasons[act] != before->reasons[act];
}

/* Did any of the grants that the writer's right rests on change its worth? */
static bool have_grants_changed(const struct ml_view *now, const struct ml_view *before,
                                const struct ml_said *opening)
{
    const struct ml_authority *a = now->a;
    if (has_changed(now, before, opening->act)) {
        return true;
    }
    for (uint32_t i = ml_authority_last_of(a, opening->say.member); i != ML_NOBODY;
         i = a->said[i].before) {
        if (has_changed(now, before, a->said[i].act)) {
            return true;
        }
    }
    return false;
}

uint32_t ml_view_settled(const struct ml_view *now, const struct ml_view *before, uint32_t writer,
                         uint8_t lane)
{
    const uint32_t index = ml_number_of(&now->a->openings, writer);
    if (index == ML_NOBODY) {
        return UINT32_MAX;
    }
    if (have_grants_changed(now, before, &now->a->said[index])) {
        return 0;
    }
    const uint32_t cut_now = ml_view_lowest_cut(now, writer, lane);
    const uint32_t cut_before = ml_view_lowest_cut(before, writer, lane);
    return cut_now < cut_before ? cut_now : cut_before;
}
