/* core/model/gov_impl.h -- what gov.c (facts, questions), gov_rule.c (what an op says) and
 * gov_keys.c share. */
#ifndef ML_MODEL_GOV_IMPL_H
#define ML_MODEL_GOV_IMPL_H

#include <string.h>

#include "core/model/authority.h"
#include "core/model/gov.h"

/* Ids of one kind by the numbers that authority.h knows them by. */
struct ml_ids {
    uint8_t (*at)[16];
    size_t count;
    size_t cap;
};

/* A lane-0 bundle, as the authority numbers it. */
struct ml_gov_act {
    struct ml_gvec *vec; /* a reference */
    struct ml_cut *cuts; /* of all its statements; NULL: none */
    size_t facts;        /* kept before it */
    size_t ids[3];       /* writers, members, nodes before it */
    uint64_t n;
};

#define ML_GOV_VIEWS_MAX 64u

/* What stood at vectors that were asked of lately. Acts that come later change nothing of it. */
struct ml_gov_views {
    struct {
        struct ml_hash16 digest;
        struct ml_gvec *gvec; /* a reference */
        struct ml_view *view;
    } at[ML_GOV_VIEWS_MAX];
    size_t count;
    size_t turn; /* next to make room */
};

struct ml_gov {
    const struct ml_env *env; /* borrowed */
    struct ml_org_id org;
    struct ml_fact **facts;
    size_t count;
    size_t cap;
    struct ml_gov_act *acts;
    size_t act_count;
    size_t act_cap;
    const struct ml_fact *last[ML_FACT_KINDS]; /* of each kind: then ml_fact.before */
    size_t garants;                            /* facts that name one, whether or not they count */
    struct ml_ids writers;
    struct ml_ids members;
    struct ml_ids nodes;
    struct ml_authority *authority;
    struct ml_view *all;    /* by everything known */
    struct ml_view *before; /* by everything known before the last act */
    struct ml_gov_views *views;
};

static inline bool ml_gov_same(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}

/** ML_NOBODY: not known. */
uint32_t ml_ids_find(const struct ml_ids *ids, const void *id);
/** Its number, a new one if need be. NOMEM. */
ml_err ml_ids_number(struct ml_ids *ids, const struct ml_env *env, const void *id,
                     uint32_t *out) ML_MUST_CHECK;

/** Keeps a copy of `fact` and of its label's bytes. NOMEM. */
ml_err ml_gov_keep(struct ml_gov *g, const struct ml_fact *fact) ML_MUST_CHECK;
void ml_gov_views_drop(struct ml_gov_views *views);
/** What stands at a vector; borrowed until the next call. NOMEM. */
ml_err ml_gov_view_at(const struct ml_gov *g, const struct ml_view **out,
                      struct ml_gvec *gvec) ML_MUST_CHECK;
/** What a bundle writes: NONE when its author's roles and the matrix allowed it in `own`, and do by
 * what of these counts in `now` still. */
ml_reason ml_gov_right(const struct ml_gov *g, const struct ml_view *own,
                       const struct ml_gov_lane *in);
/** The matrix in `own`, by the acts that count in `now` too (NULL: all). NULL: none. `room` is for
 * a merged one. */
const struct ml_matrix *ml_gov_matrix_in(const struct ml_gov *g, const struct ml_view *own,
                                         const struct ml_view *now, struct ml_matrix *room);
bool ml_gov_is_matrix_replaced(const struct ml_gov *g, const struct ml_view *own,
                               const struct ml_view *now, const struct ml_fact *f);

/** What is asked of roles: by what stood in `own` and counts in `now` too, at this time. */
struct ml_gov_asking {
    const struct ml_gov *g;
    const struct ml_view *own;
    const struct ml_view *now;
    const struct ml_matrix *matrix; /* NULL: none */
    uint64_t writes;                /* what is written ... */
    unsigned reads;                 /* ... or, not 0, the compartment of which anything is read */
    const struct ml_team_id *team;  /* of reads: by the roles that he has there; NULL: anywhere */
    uint64_t ms;
    const struct ml_gvec *gvec; /* of the bundle */
    bool undated;               /* as if no role had a beginning or an end */
    bool left; /* roles have ended too where the bundle hadn't seen it: nobody witnesses it */
};
/** May he, by any role of his or of whom he replaces? */
bool ml_gov_member_may(const struct ml_gov_asking *q, const struct ml_member_id *member);
/** What makes him a garant, who reads and writes nothing whatever his roles; NULL: nothing does. */
const struct ml_fact *ml_gov_garant(const struct ml_gov_asking *q,
                                    const struct ml_member_id *member);
/** From `f` on: the next of his roles as a member that nobody replaced; of the roles that he was
 * given, replaced or not. NULL: none. */
const struct ml_fact *ml_gov_next_base(const struct ml_gov_asking *q, const struct ml_fact *f,
                                       const struct ml_member_id *member);
const struct ml_fact *ml_gov_next_grant(const struct ml_gov_asking *q, const struct ml_fact *f,
                                        const struct ml_member_id *member);
bool ml_gov_is_grant_replaced(const struct ml_gov_asking *q, const struct ml_fact *f);
/** Of several of one role that nobody replaced, all must hold. */
bool ml_gov_is_in_force(const struct ml_gov_asking *q, const struct ml_fact *grant);

/** A role that names teams is had there only. */
bool ml_gov_is_here(const struct ml_gov_asking *q, const struct ml_fact *grant);
/** Of the same role, or for the same person. */
bool ml_gov_is_same_grant(const struct ml_fact *a, const struct ml_fact *b);
/** Had the act of `later` seen f, or does it say it after f? */
bool ml_gov_replaces(const struct ml_gov *g, const struct ml_fact *later, const struct ml_fact *f);
static inline bool ml_gov_is_in(const struct ml_gvec *gvec, const struct ml_fact *f)
{
    return ml_gvec_seq(gvec, &f->at.writer) >= f->at.seq;
}
/** Is it over in `v` for all who see it: its end passed or said, and nobody renewed it before? */
bool ml_gov_has_ended(const struct ml_gov *g, const struct ml_view *v, const struct ml_fact *f);
/** Is it over for what is written at this time by who saw what stands in `v`? */
bool ml_gov_ends_at(const struct ml_view *v, const struct ml_fact *f, uint64_t ms);
/** Has any role ended since `before`, or not ended after all? */
bool ml_gov_ends_changed(const struct ml_gov *g, const struct ml_view *before);

/** Does `matrix` give any role that the writer's member has in `own` more than he has there? */
bool ml_gov_raises_own(const struct ml_gov *g, const struct ml_view *own,
                       const struct ml_writer_id *writer, const struct ml_matrix *matrix);
/** Did any matrix or dated role change its worth since `before`? */
bool ml_gov_rights_changed(const struct ml_gov *g, const struct ml_view *before);
/** Does it stand in `v`? */
bool ml_gov_stands(const struct ml_view *v, const struct ml_fact *f);
/** Root's keys in force in `v` (NULL: before any act); NULL: there is no genesis. */
const struct ml_fact *ml_gov_root_in(const struct ml_gov *g, const struct ml_view *v);
/** The opening of a writer, whether or not it counts; NULL: unknown. */
const struct ml_fact *ml_gov_opening_of(const struct ml_gov *g, const struct ml_writer_id *writer,
                                        bool counting);

/* What a bundle's ops say, read by gov_rule.c and judged by the authority. */
struct ml_gov_reading {
    struct ml_gov *g;
    const struct ml_gov_in *in;
    const struct ml_view *own; /* at its vector; NULL: the genesis */
    struct ml_say *says;
    size_t say_count;
    struct ml_cut *cuts;
    size_t cut_count;
    ml_reason refused;
};

/** How many statements and cuts the bundle has at most. */
void ml_gov_measure(const struct ml_bundle *bundle, size_t *says, size_t *cuts);
/** Fills r->says, and keeps the facts. NOMEM. */
ml_err ml_gov_read(struct ml_gov_reading *r) ML_MUST_CHECK;
/** What stands where: a function of the bundle alone. *waits: an op for a newer version. */
ml_reason ml_gov_check(const struct ml_gov *g, bool *waits, const struct ml_bundle *bundle);

#endif
