/* core/model/authority_cut.c -- what a denial cuts (architecture R4, R5; rules B13, B14).
 *
 * A bundle whose writer is denied, that hadn't seen the denial and lies beyond the cut, counts only
 * as the denial's mode allows. One that had seen it was judged at its own vector already.
 */
#include "core/model/authority_impl.h"

static bool matches(const struct ml_authority *a, const struct ml_said *denial, uint32_t writer)
{
    const uint32_t opening = ml_number_of(&a->openings, writer);
    if (opening == ML_NOBODY) {
        return false;
    }
    const struct ml_say *whose = &a->said[opening].say;
    return whose->member == denial->say.member &&
           (denial->say.node == ML_NOBODY || whose->node == denial->say.node);
}

static uint32_t stated(const struct ml_say *say, uint32_t writer, uint8_t lane)
{
    uint32_t seq = 0;
    for (size_t i = 0; i < say->cut_count; i++) {
        const struct ml_cut *c = &say->cuts[i];
        if (c->writer == writer && c->lane == lane && c->seq > seq) {
            seq = c->seq;
        }
    }
    return seq;
}

/* Never below what a checkpoint held (rules B14). One person alone takes away no governance that he
 * had seen either. */
static uint32_t cut_of(const struct ml_view *v, const struct ml_said *denial,
                       const struct ml_cut_of *of)
{
    const struct ml_authority *a = v->a;
    uint32_t cut = stated(&denial->say, of->writer, of->lane);
    for (size_t i = denial->floors_from; i < denial->floors_to; i++) {
        const uint32_t held = stated(&a->said[a->floors.at[i]].say, of->writer, of->lane);
        cut = held > cut ? held : cut;
    }
    if (of->lane == 0 && denial->stratum >= ML_STRATUM_COORDINATOR) {
        const uint32_t seen = a->seq(a->ctx, a->acts[denial->act].vec, of->writer);
        cut = seen > cut ? seen : cut;
    }
    return cut;
}

/* Root's word would change what stood at `vec`, and then each saying stands for itself. */
static bool has_root(const struct ml_view *v)
{
    return v->denials.count > 0 && v->a->said[v->denials.at[0]].stratum == ML_STRATUM_ROOT;
}

bool ml_view_saw(const struct ml_view *v, const void *vec, const struct ml_said *denial)
{
    const struct ml_authority *a = v->a;
    if (ml_authority_holds(a, vec, denial->act)) {
        return true;
    }
    bool saw = false;
    const bool twice =
        denial->say.decision != 0 && denial->stratum == ML_STRATUM_TWO && !has_root(v);
    for (size_t i = 0; i < a->said_count && twice && !saw; i++) {
        const struct ml_said *s = &a->said[i];
        saw = s->say.decision == denial->say.decision && s->stratum == ML_STRATUM_TWO &&
              a->acts[s->act].ruling.verdict == ML_VERDICT_ACCEPTED &&
              ml_authority_holds(a, vec, s->act);
    }
    return saw;
}

bool ml_view_is_denied(const struct ml_view *v, uint32_t writer)
{
    for (size_t i = 0; i < v->denials.count; i++) {
        if (matches(v->a, &v->a->said[v->denials.at[i]], writer)) {
            return true;
        }
    }
    return false;
}

size_t ml_view_unseen_denials(const struct ml_view *v, uint32_t writer, const void *vec)
{
    size_t count = 0;
    for (size_t i = 0; i < v->denials.count; i++) {
        const struct ml_said *denial = &v->a->said[v->denials.at[i]];
        count += matches(v->a, denial, writer) && !ml_view_saw(v, vec, denial);
    }
    return count;
}

uint32_t ml_view_lowest_cut(const struct ml_view *v, uint32_t writer, uint8_t lane)
{
    const struct ml_cut_of of = {.writer = writer, .lane = lane};
    uint32_t lowest = UINT32_MAX;
    for (size_t i = 0; i < v->denials.count; i++) {
        const struct ml_said *denial = &v->a->said[v->denials.at[i]];
        if (matches(v->a, denial, writer)) {
            uint32_t cut = cut_of(v, denial, &of);
            lowest = cut < lowest ? cut : lowest;
        }
    }
    return lowest;
}

/* An act of somebody whom nobody denies, who had seen the bundle and not the denial. */
static bool has_witness(const struct ml_view *v, const struct ml_said *denial,
                        const struct ml_cut_of *of)
{
    const struct ml_authority *a = v->a;
    for (uint32_t i = 0; i < v->act_count; i++) {
        const struct ml_act *x = &a->acts[i];
        if (ml_view_counts(v, i) && ml_authority_holds(a, x->vec, of->act) &&
            !ml_view_saw(v, x->vec, denial) && !ml_view_is_denied(v, x->writer)) {
            return true;
        }
    }
    return false;
}

/* A counting checkpoint that saw the denial. */
static bool is_seal(const struct ml_view *v, const struct ml_said *denial, const struct ml_said *s)
{
    return s->say.kind == ML_SAY_CHECKPOINT && ml_view_counts(v, s->act) &&
           ml_view_saw(v, v->a->acts[s->act].vec, denial);
}

/* Did it see another seal? Then that one, not this one, says what was there in time. */
static bool is_late_seal(const struct ml_view *v, const struct ml_said *denial,
                         const struct ml_said *seal)
{
    const void *vec = v->a->acts[seal->act].vec;
    for (size_t i = 0; i < v->a->said_count; i++) {
        const struct ml_said *s = &v->a->said[i];
        if (s->act != seal->act && is_seal(v, denial, s) && ml_authority_holds(v->a, vec, s->act)) {
            return true;
        }
    }
    return false;
}

/* Is the denial sealed, and the bundle in none of the seals? */
static bool is_sealed_out(const struct ml_view *v, const struct ml_said *denial,
                          const struct ml_cut_of *of)
{
    const struct ml_authority *a = v->a;
    bool sealed = false;
    for (size_t i = 0; i < a->said_count; i++) {
        const struct ml_said *s = &a->said[i];
        if (!is_seal(v, denial, s) || is_late_seal(v, denial, s)) {
            continue;
        }
        sealed = true;
        bool held = of->lane == 0 ? ml_authority_holds(a, a->acts[s->act].vec, of->act)
                                  : stated(&s->say, of->writer, of->lane) >= of->seq;
        if (held) {
            return false;
        }
    }
    return sealed;
}

static bool is_excused(const struct ml_view *v, const struct ml_said *denial,
                       const struct ml_cut_of *of)
{
    bool witnessed = of->lane == 0 ? has_witness(v, denial, of) : of->witnessed >= of->seq;
    return witnessed && !is_sealed_out(v, denial, of);
}

static ml_reason reason_of(ml_denial_mode mode)
{
    switch (mode) {
    case ML_DENIAL_COMPROMISE:
        return ML_REASON_REVOKED;
    case ML_DENIAL_DEPARTURE:
        return ML_REASON_DEPARTED;
    case ML_DENIAL_SUSPENSION:
        break;
    }
    return ML_REASON_SUSPENDED;
}

/* Of several denials: the gravest mode, the lowest of the cuts. */
ml_reason ml_view_cut(const struct ml_view *v, const struct ml_cut_of *of, bool strict)
{
    const struct ml_authority *a = v->a;
    ml_denial_mode gravest = ML_DENIAL_SUSPENSION;
    bool beyond = false;
    bool excused = !strict;
    if (of->act == 0) {
        return ML_REASON_NONE; /* the genesis: Root's key stands in it, and Root always remains */
    }
    for (size_t i = 0; i < v->denials.count; i++) {
        const struct ml_said *denial = &a->said[v->denials.at[i]];
        if (denial->act == of->act || !matches(a, denial, of->writer) ||
            ml_view_saw(v, of->vec, denial)) {
            continue;
        }
        gravest = denial->say.mode < gravest ? denial->say.mode : gravest;
        if (of->seq > cut_of(v, denial, of)) {
            beyond = true;
            excused = excused && is_excused(v, denial, of);
        }
    }
    bool counts = !beyond || (excused && gravest != ML_DENIAL_COMPROMISE);
    return counts ? ML_REASON_NONE : reason_of(gravest);
}
