/* core/model/authority_impl.h -- what authority.c (acts), authority_rule.c (an act's own right),
 * authority_view.c (what stands) and authority_cut.c (what a denial cuts) share. */
#ifndef ML_MODEL_AUTHORITY_IMPL_H
#define ML_MODEL_AUTHORITY_IMPL_H

#include "core/model/authority.h"

/* Strata of denials (rules B14), the highest first. */
typedef enum ml_stratum {
    ML_STRATUM_ROOT = 0,
    ML_STRATUM_TWO = 1, /* with a second signature */
    ML_STRATUM_COORDINATOR = 2,
    ML_STRATUM_REFERENT = 3,
    ML_STRATUM_SELF = 4, /* of one's own other node */
} ml_stratum;
#define ML_STRATA 5u

struct ml_said {
    struct ml_say say;
    uint32_t act;
    uint32_t before;    /* the MEMBER or MON said before of the same member; ML_NOBODY: none */
    ml_stratum stratum; /* of a denial */
    size_t floors_from; /* of a denial: checkpoints in `floors` that it may not cut below */
    size_t floors_to;
};

struct ml_numbers { /* grows */
    uint32_t *at;
    size_t count;
    size_t cap;
};

struct ml_act {
    uint32_t writer;
    uint32_t seq;
    uint64_t hlc;
    const void *vec;
    size_t first; /* of its statements */
    size_t count;
    size_t needs_from; /* groups in `needs`: of each, one act must count */
    size_t needs_to;
    size_t floors_from;
    struct ml_ruling ruling; /* its own, for ever */
    uint32_t member;         /* its author; ML_NOBODY: a node's own writer, or a stranger */
    uint8_t rank;            /* its author's, at its own vector */
};

struct ml_authority {
    const struct ml_env *env;
    ml_authority_seq_fn seq;
    const void *ctx;
    struct ml_act *acts;
    size_t act_count;
    size_t act_cap;
    struct ml_said *said;
    size_t said_count;
    size_t said_cap;
    struct ml_numbers needs;    /* each group: how many acts, then them, perhaps ML_NEED_NOT */
    struct ml_numbers floors;   /* checkpoints in `said` */
    struct ml_numbers openings; /* by writer: its opening in `said` */
    struct ml_numbers persons;  /* by member: the last MEMBER or MON about him in `said` */
};

#define ML_NEED_NOT 0x80000000u /* with an act: it must not count */

/* What an act is worth in a view, beside the reasons of verdict.h. */
#define ML_VIEW_UNSEEN 255u

struct ml_view {
    const struct ml_authority *a;
    const void *vec; /* what it covers, unless everything */
    bool everything;
    size_t act_count;            /* known when it was made */
    uint8_t *reasons;            /* by act: ml_reason, or ML_VIEW_UNSEEN */
    struct ml_numbers denials;   /* in `said`: those in force, the highest stratum first */
    struct ml_numbers rotations; /* acts: those in force, above every stratum */
    bool rotated;                /* they are all found: no other rotation counts */
};

static inline bool ml_view_counts(const struct ml_view *v, uint32_t act)
{
    return act < v->act_count && v->reasons[act] == ML_REASON_NONE;
}

/** Does `vec` hold this act? */
static inline bool ml_authority_holds(const struct ml_authority *a, const void *vec, uint32_t act)
{
    const struct ml_act *x = &a->acts[act];
    return a->seq(a->ctx, vec, x->writer) >= x->seq;
}

static inline uint32_t ml_number_of(const struct ml_numbers *n, uint32_t index)
{
    return index < n->count ? n->at[index] : ML_NOBODY;
}

ml_err ml_numbers_push(struct ml_numbers *n, const struct ml_env *env,
                       uint32_t number) ML_MUST_CHECK;

/** The last MEMBER or MON said of a member; then ml_said.before. */
static inline uint32_t ml_authority_last_of(const struct ml_authority *a, uint32_t member)
{
    return ml_number_of(&a->persons, member);
}

/** Does this MEMBER or MON statement stand in the view, no denial in it outliving it? */
bool ml_view_stands(const struct ml_view *v, const struct ml_said *said);

/** His rank were there no denial of this mode or a milder one: who is suspended keeps the rank that
 * protects him. */
uint8_t ml_view_rank_spared(const struct ml_view *v, uint32_t member, ml_denial_mode mode);

/** Judges the act added last, at its own vector: its ruling, author, needs, strata. NOMEM. */
ml_err ml_authority_rule(struct ml_authority *a) ML_MUST_CHECK;

/* ---- Root's keys (authority_root.c) ---- */

/** Finds the rotations in force, of a view without denials yet. `weigh_all` fills v->reasons. */
ml_err ml_view_rotate(struct ml_view *v, void (*weigh_all)(struct ml_view *v)) ML_MUST_CHECK;
/** NONE; or why a rotation takes the act's worth away: it is a word of the Root before it, and
 * neither had seen the other; or it is a rotation that isn't in force. */
ml_reason ml_view_root_cut(const struct ml_view *v, uint32_t act);
/** A rotation in force: nothing else cuts it. */
bool ml_view_has_rotation(const struct ml_view *v, uint32_t act);

/* ---- cuts ---- */

/** Does `vec` hold this denial, or the same decision as somebody else said it who had the right?
 * Two may say one proposal without knowing of each other: who knew of one of the two knew it, and
 * was judged by it, for nothing but Root's denials keeps one of two hands out of force. */
bool ml_view_saw(const struct ml_view *v, const void *vec, const struct ml_said *denial);

/** A bundle of any lane, before the denials of a view. */
struct ml_cut_of {
    const void *vec;
    uint32_t writer;
    uint32_t seq;
    uint32_t witnessed; /* as in ml_bundle_at; for lane 0 the acts themselves tell */
    uint32_t act;       /* its number in lane 0; ML_NOBODY else */
    uint8_t lane;
};

/** The lowest cut in this chain of a denial in force; UINT32_MAX: nobody denies its writer. */
uint32_t ml_view_lowest_cut(const struct ml_view *v, uint32_t writer, uint8_t lane);
/** Why it doesn't count: NONE when no denial in `v` cuts it. `strict`: nobody witnesses. */
ml_reason ml_view_cut(const struct ml_view *v, const struct ml_cut_of *of, bool strict);

#endif
