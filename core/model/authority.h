/* core/model/authority.h -- who may, decided from the set of governance bundles alone (architecture
 * 7; rules B13-B16, B18; docs/governance.md).
 *
 * An *act* is a lane-0 bundle as this module sees it: who wrote it, which acts it had seen, and
 * what it states. Members, nodes and writers are small numbers, given by who calls. A *view* is
 * what stands at a vector: which acts count, and which denials hold.
 *
 *   an act is added -> judged once and for ever at its own vector (its `first` ruling) -> each view
 *   then applies every denial that it knows, from the highest stratum down: what is cut, and what
 *   rested on it, doesn't count there.
 *
 * Everything is a function of the set of acts: the order in which they are added, which must be one
 * that respects what they saw, never matters. Pure but for memory; one thread at a time.
 */
#ifndef ML_MODEL_AUTHORITY_H
#define ML_MODEL_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "core/model/verdict.h"
#include "maille/err.h"

#define ML_NOBODY           UINT32_MAX /* no member, no node, no writer, no act */
#define ML_RANK_COORDINATOR 1u
#define ML_RANK_REFERENT    2u
#define ML_RANK_MEMBER      3u
#define ML_RANK_GARANT      4u /* what a garant may do by himself; he is as safe as of rank 2 */
#define ML_RANK_NODE        5u /* a node's own writer: below every member */
#define ML_SECONDS          8u
#define ML_ROOT_ORDER       16u /* bytes of a new Root's key that tell it from another */
#define ML_SUSPEND_MS       (UINT64_C(72) * 3600u * 1000u) /* the longest that an equal may impose */

typedef enum ml_say_kind {
    ML_SAY_MEMBER = 1, /* gives `member` a rank: with `garant`, rank 2 for what others may do to him
                        * and for his hand, ML_RANK_GARANT for what he may do */
    ML_SAY_MON,        /* `member` works on `node` */
    ML_SAY_WRITER, /* opens the act's own writer for `member` (ML_NOBODY: the node's) on `node` */
    ML_SAY_DENIAL, /* revokes or suspends `member`, everywhere or on `node` */
    ML_SAY_CHECKPOINT, /* what its author holds of each chain: `cuts` */
    ML_SAY_ROLE,       /* gives `member` a role: of a better rank than his, or with a second hand */
    ML_SAY_ROTATE, /* gives Root other keys: by a majority, or by Root where nobody could sign */
    ML_SAY_OTHER,  /* needs an author of at least `rank`, or to be about himself (`member`); with
                    * `second` somebody beside him too, or Root */
} ml_say_kind;

typedef enum ml_denial_mode {
    ML_DENIAL_COMPROMISE = 1, /* beyond the cut nothing counts */
    ML_DENIAL_DEPARTURE = 2,  /* beyond the cut counts what others cited before they knew */
    ML_DENIAL_SUSPENSION = 3, /* a departure that ends by itself */
} ml_denial_mode;

/** One chain's last number. */
struct ml_cut {
    uint32_t writer;
    uint32_t seq;
    uint8_t lane;
};

/** One statement of an act. Arrays are borrowed until the act is dropped. */
struct ml_say {
    ml_say_kind kind;
    ml_denial_mode mode;
    uint32_t member;
    uint32_t node;     /* DENIAL: ML_NOBODY: everywhere */
    uint64_t until_ms; /* SUSPENSION: UTC */
    const struct ml_cut *cuts;
    size_t cut_count;
    uint32_t seconds[ML_SECONDS]; /* writers whose co-signature was verified */
    uint32_t decision;            /* the same of all who say one proposal; 0: it is none */
    uint32_t first_writer;        /* where it was said first ... */
    uint32_t first_seq;           /* ... 0: here */
    uint8_t order[ML_ROOT_ORDER]; /* ROTATE: of concurrent ones the smallest is in force */
    uint8_t rank;
    uint8_t second_count;
    bool root;   /* the co-signature of the Root in force where it is said was verified */
    bool second; /* OTHER: its author may not say it alone */
    bool garant; /* MEMBER: names one (rules B16) */
};

/** Vectors are opaque: the caller says what they hold. */
typedef uint32_t (*ml_authority_seq_fn)(const void *ctx, const void *vec, uint32_t writer);

struct ml_act_in {
    uint32_t writer;
    uint32_t seq; /* in lane 0 */
    uint64_t hlc;
    const void *vec; /* what it saw; borrowed as long as the act */
    const struct ml_say *says;
    size_t say_count;
    ml_reason refused; /* NONE, or why it has no right whatever it says: a fork, a co-signature */
};

struct ml_authority;

/** NOMEM. `seq` tells the highest number of a writer in a vector; env is borrowed. */
ml_err ml_authority_new(struct ml_authority **out, const struct ml_env *env,
                        ml_authority_seq_fn seq, const void *ctx) ML_MUST_CHECK;
void ml_authority_free(struct ml_authority *a); /* NULL is allowed */

/**
 * Adds an act, after all that it saw. *ruling is its own, at its own vector: it never changes. What
 * it changes of others, views tell. The statements are copied but for what they point at. NOMEM:
 * nothing is added.
 */
ml_err ml_authority_add(struct ml_authority *a, struct ml_ruling *ruling,
                        const struct ml_act_in *in) ML_MUST_CHECK;
/** Forgets the act added last. */
void ml_authority_undo(struct ml_authority *a);
size_t ml_authority_count(const struct ml_authority *a);

/* ---- views ---- */

struct ml_view;

/** What stands at `vec`, which is borrowed as long as the view. NOMEM. */
ml_err ml_view_at(struct ml_view **out, const struct ml_authority *a,
                  const void *vec) ML_MUST_CHECK;
/** What stands by all that is known. NOMEM. */
ml_err ml_view_of_all(struct ml_view **out, const struct ml_authority *a) ML_MUST_CHECK;
void ml_view_free(struct ml_view *v); /* NULL is allowed */

size_t ml_view_acts(const struct ml_view *v); /* known when it was made */
/** Of an act by its number, the order of adding from 0: does what it states count here? Of one that
 * came later than the view: no. */
struct ml_ruling ml_view_act(const struct ml_view *v, size_t act);
/** Does `later` hold all that `v` holds, worth the same, and nothing besides that could make a
 * bundle of another lane worth something else: no denial, no seal of one? */
bool ml_view_extends(const struct ml_view *later, const struct ml_view *v);
/** Its own ruling, at its own vector. */
struct ml_ruling ml_authority_own(const struct ml_authority *a, size_t act);
/** Who wrote it, and of what rank by what he had seen; ML_NOBODY: a node's own writer, or a
 * stranger. */
uint32_t ml_authority_author(const struct ml_authority *a, size_t act, uint8_t *rank);
/** Does its statement `say`, a MEMBER or a MON, stand: nobody denied it, of ranks nobody gave
 * another one knowing it, and who works on a node has a rank? */
bool ml_view_grant(const struct ml_view *v, size_t act, size_t say);
/** Is its statement `say`, a DENIAL, in force, also where an equal's cuts its act? */
bool ml_view_denies(const struct ml_view *v, size_t act, size_t say);
/** Has this time passed: did somebody of rank 2 or better see acts of two members past it (rules
 * B15)? A single clock ends nothing. */
bool ml_view_is_past(const struct ml_view *v, uint64_t until_ms);
/** Had `vec` seen that, of what counts in the view? */
bool ml_view_saw_past(const struct ml_view *v, const void *vec, uint64_t until_ms);
/** Did the MEMBER statement give him his place in `own`, of those whose acts count in `now` too? */
bool ml_view_grant_left(const struct ml_view *own, const struct ml_view *now, size_t act,
                        size_t say);
/** What others may do to him: a garant's is 2. ML_RANK_NODE: no member, or one whose rank is
 * denied. */
uint8_t ml_view_rank(const struct ml_view *v, uint32_t member);
/** What he may do: ML_RANK_GARANT where any grant that nobody replaced names him one. */
uint8_t ml_view_acting(const struct ml_view *v, uint32_t member);
/** Of how many more than half make a new coordinator (rules B16): those of rank 2 or better. Who is
 * suspended is one of them: else one would suspend whom he can't win. */
unsigned ml_view_leaders(const struct ml_view *v);
/** The act that gave Root the keys in force in the view; ML_NOBODY: the founding did. */
uint32_t ml_view_root(const struct ml_view *v);
/** May he work there: a member whose enrolment on the node stands. */
bool ml_view_works(const struct ml_view *v, uint32_t member, uint32_t node);

/** A bundle of another lane: what its writer says at `vec` when all that `v` knows is known. */
struct ml_bundle_at {
    uint32_t writer;
    uint8_t lane; /* 1 to 4 */
    uint32_t seq;
    uint32_t witnessed; /* the highest number of this chain that somebody cited who isn't denied in
                         * `now`, and who had seen no denial of its writer that it hadn't seen; 0:
                         * none */
};

/** Its own right, by the view `own` at its vector, then what `now` knows of denials. */
struct ml_ruling ml_view_rule(const struct ml_view *own, const struct ml_view *now,
                              const struct ml_bundle_at *at);

/** Denials in force of this writer that `vec` doesn't hold. */
size_t ml_view_unseen_denials(const struct ml_view *v, uint32_t writer, const void *vec);
/** Is this writer denied by any in force? */
bool ml_view_is_denied(const struct ml_view *v, uint32_t writer);
/**
 * Up to this number the bundles of a chain in lanes 1 to 4 are worth the same in `now` as in
 * `before`: what is beyond must be ruled on again. UINT32_MAX: all are. Of a writer who is denied
 * it is never above the lowest cut, for what lies beyond hangs on witnesses too. `before` holds the
 * first of the acts that `now` holds, perhaps of another ml_authority that got them alike.
 */
uint32_t ml_view_settled(const struct ml_view *now, const struct ml_view *before, uint32_t writer,
                         uint8_t lane);

#endif
