/* core/model/gov.h -- governance: what lane 0 states, and what a writer may do (architecture 7,
 * docs/governance.md).
 *
 * The state is a set of facts, each stamped with the bundle that states it. Each bundle is judged
 * at its own vector, so that every node judges it by what its writer had seen; then by every denial
 * that is known (authority.h). A later bundle may change what an earlier one is worth: who stores
 * them asks ml_gov_changed. Pure; one thread at a time.
 */
#ifndef ML_MODEL_GOV_H
#define ML_MODEL_GOV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "core/codec/bundle.h"
#include "core/codec/govop.h"
#include "core/model/authority.h"
#include "core/model/gvec.h"
#include "core/model/matrix.h"
#include "core/model/verdict.h"
#include "maille/err.h"

struct ml_gov; /* the facts of one structure; owned by who made it */

typedef enum ml_fact_kind {
    ML_FACT_ORG = 1,
    ML_FACT_MEMBER = 2,
    ML_FACT_MON = 3, /* a member on a node */
    ML_FACT_WRITER = 4,
    ML_FACT_TEAM = 5,
    ML_FACT_CARD = 6,
    ML_FACT_DENIAL = 7,
    ML_FACT_JUDGEMENT = 8,
    ML_FACT_MATRIX = 9,
    ML_FACT_ROLE = 10, /* a dated role */
    ML_FACT_ROOT = 11, /* Root's other keys */
} ml_fact_kind;
#define ML_FACT_KINDS 12u

struct ml_fact {
    uint64_t hlc;           /* of the bundle that states it */
    struct ml_sealed label; /* card, label or name; bytes owned by the ml_gov */
    ml_fact_kind kind;
    struct ml_dep at;               /* the bundle: lane 0 */
    uint32_t network_epoch;         /* ORG */
    uint16_t role;                  /* MEMBER, ROLE: number in TRE_G15 */
    uint8_t rank;                   /* MEMBER: what he may do; ML_RANK_GARANT: of a garant */
    uint8_t index;                  /* its op in the bundle */
    uint32_t place;                 /* among all facts */
    uint32_t act;                   /* the bundle's number */
    uint32_t say;                   /* its statement there */
    struct ml_member_id member;     /* MEMBER, MON, WRITER (zero: the node's own) */
    struct ml_node_id node;         /* MON, WRITER */
    struct ml_team_id team;         /* TEAM */
    struct ml_writer_id writer;     /* WRITER */
    struct ml_sign_pk sign_pk;      /* WRITER: its key; MON: co-signing key; ORG, ROOT: Root's */
    struct ml_box_pk box_pk;        /* MON: KEKs are sealed to it; ORG, ROOT: Root's */
    struct ml_box_pk noise;         /* MON */
    struct ml_box_pk audit;         /* ORG, ROOT */
    uint8_t card_id[16];            /* CARD */
    uint8_t card_kind;              /* CARD: ml_card_kind */
    uint8_t mode;                   /* DENIAL: ml_deny_mode; `member`, `node` (zero: everywhere) */
    uint64_t from_ms;               /* ROLE; 0: from ever */
    uint64_t until_ms;              /* DENIAL: of a suspension; ROLE; 0: for ever */
    struct ml_hash bundle;          /* JUDGEMENT: header_hash */
    uint8_t ops[32];                /* JUDGEMENT: a bit for each op that it is about */
    bool reject;                    /* JUDGEMENT */
    bool counts;                    /* by all that is known */
    const struct ml_fact *before;   /* the one of this kind that came before; NULL: none */
    const struct ml_matrix *matrix; /* MATRIX; owned by the ml_gov */
    struct ml_list teams;           /* ROLE: of ml_team_id, owned by the ml_gov; empty: all his */
    struct ml_member_id replaces;   /* ROLE: whose roles he takes over; zero: `role` */
    struct ml_member_id supervisor; /* ROLE: who signs beside him; zero: nobody */
    struct ml_hash asked;           /* what hands signed, by which it is known when it is said
                                     * again; zero: nobody signed beside its author */
};

/** The rank of a MEMBER by which others may do something to him, and by which his hand counts: a
 * garant's is a référent's. */
static inline uint8_t ml_fact_standing(const struct ml_fact *member)
{
    return member->rank == ML_RANK_GARANT ? ML_RANK_REFERENT : member->rank;
}

/** Errors: NOMEM. `env` is borrowed. */
ml_err ml_gov_new(struct ml_gov **out, const struct ml_env *env,
                  const struct ml_org_id *org) ML_MUST_CHECK;
void ml_gov_free(struct ml_gov *g); /* NULL is allowed */
/** One that knows nothing, so that nobody has any right. Static. */
const struct ml_gov *ml_gov_nothing(void);

/** A lane-0 bundle to be ruled on; its body is here, its signature and shape are checked. */
struct ml_gov_in {
    const struct ml_bundle *bundle;
    struct ml_hash hash;
    uint64_t n;           /* the caller's number of it: ml_gov_act_n */
    struct ml_gvec *gvec; /* its own; NULL for the genesis; kept by reference */
    bool frozen;          /* it lies beyond a fork: QUARANTINED(FORK) whatever it says */
};

/**
 * Rules on the bundle and keeps its facts. PENDING (a newer
 * version's op that must be understood): nothing is kept. MALFORMED or FORGED with *why: refused,
 * nothing is kept. NOMEM.
 */
ml_err ml_gov_apply(struct ml_gov *g, struct ml_ruling *ruling, ml_reason *why,
                    const struct ml_gov_in *in) ML_MUST_CHECK;

/** Forgets what the last ml_gov_apply kept: its bundle isn't stored after all. */
void ml_gov_undo(struct ml_gov *g);

/** Lane-0 bundles by their number, in the order of ml_gov_apply, from 0. */
size_t ml_gov_acts(const struct ml_gov *g);
uint64_t ml_gov_act_n(const struct ml_gov *g, size_t act);
/** What one is worth by all that is known. */
struct ml_ruling ml_gov_act_ruling(const struct ml_gov *g, size_t act);
/** Did the last ml_gov_apply change what others are worth, in this lane or in others? */
bool ml_gov_changed(const struct ml_gov *g);
/** By all that is known now; by all that was known before the last ml_gov_apply (NULL: nothing).
 * Borrowed until the next one. */
const struct ml_view *ml_gov_view(const struct ml_gov *g);
const struct ml_view *ml_gov_view_before(const struct ml_gov *g);
/** See ml_view_settled: `before` is a view of this ml_gov, or of one that has the same acts. */
uint32_t ml_gov_settled(const struct ml_gov *g, const struct ml_view *before,
                        const struct ml_writer_id *writer, uint8_t lane);
/** Does any act deny anybody, whether or not it counts? */
bool ml_gov_has_denials(const struct ml_gov *g);
/** Had its act the right to say it, by what its author had seen, whatever was denied since? */
bool ml_gov_had_right(const struct ml_gov *g, const struct ml_fact *f);
/** Openings that had no right. */
size_t ml_gov_strangers(const struct ml_gov *g);

/** What a writer's bundles of another lane are worth that have one vector, by all that is known. */
struct ml_gov_lane {
    struct ml_writer_id writer;
    uint8_t lane; /* 1 to 4 */
    uint32_t seq;
    uint32_t witnessed;   /* see ml_bundle_at */
    struct ml_gvec *gvec; /* kept by reference */
    uint64_t writes;      /* ml_writes_of its header, where ml_gov_wants_writes */
    uint64_t hlc;         /* its header's, there too */
};
/** What stands at a vector is kept for the next bundle that has it. NOMEM. */
ml_err ml_gov_rule_lane(const struct ml_gov *g, struct ml_ruling *ruling,
                        const struct ml_gov_lane *in) ML_MUST_CHECK;

/** Does it matter what a bundle writes and when: is there any matrix or dated role? */
bool ml_gov_wants_writes(const struct ml_gov *g, uint8_t lane);
/** Did anybody name a garant? Then not all may all without a matrix. */
bool ml_gov_has_garants(const struct ml_gov *g);
/** May its writer write this, by all that is known: NONE, or why not. `gvec` isn't read. */
ml_reason ml_gov_may_write(const struct ml_gov *g, const struct ml_gov_lane *in);
/** Would this matrix give its writer's own role more than he has, by all that is known? Then he
 * needs somebody beside him. */
bool ml_gov_is_matrix_own(const struct ml_gov *g, const struct ml_writer_id *writer,
                          const struct ml_matrix *matrix);
/** The matrix by all that is known: of several that nobody replaced each cell's stricter. False:
 * the structure has none, and its members may all. */
bool ml_gov_matrix(const struct ml_gov *g, struct ml_matrix *out);

/* ---- why ---- */

/* X(NAME, number): what an answer rests on, in the order in which it is told. */
#define ML_STEP_MAP(X)                                                                             \
    X(NOT_MEMBER, 1) /* nobody took him in, or not since he was denied */                          \
    X(DENIED, 2)     /* `fact` took his rights away */                                             \
    X(NO_MATRIX, 3)  /* the structure has none: members may all */                                 \
    X(MATRIX, 4)     /* `fact` set it */                                                           \
    X(MEMBER, 5)     /* `fact` took him in, with `role` */                                         \
    X(GIVEN, 6)      /* `fact` gave him `role`, which is in force */                               \
    X(NOT_YET, 7)    /* it did, but for later */                                                   \
    X(ENDED, 8)      /* it did, and that has ended */                                              \
    X(REPLACES, 9)   /* by `fact` he has the roles of somebody, which follow */                    \
    X(ALLOWS, 10)    /* the matrix lets `role`, within `scope` */                                  \
    X(DENIES, 11)    /* it doesn't */                                                              \
    X(BARRED, 12)    /* an administrator has no clinical data, whatever it says */                 \
    X(COSIGN, 13)    /* what he writes so waits for somebody's signature */                        \
    X(OWN, 14)       /* the answer holds for his own lines */                                      \
    X(TEAM, 15)      /* ... for patients in whose care team he is, unless masked */                \
    X(ELSEWHERE, 16) /* `fact` gave him `role`, but for other teams */                             \
    X(GARANT, 17) /* `fact` names him a garant: he reads and writes nothing, whatever his roles */

typedef enum ml_step_kind {
#define X(name, number) ML_STEP_##name = (number),
    ML_STEP_MAP(X)
#undef X
} ml_step_kind;

struct ml_step {
    ml_step_kind kind;
    const struct ml_fact *fact; /* whose bundle says so; NULL: none */
    uint16_t role;
    ml_scope scope;
};
const char *ml_step_name(ml_step_kind kind); /* static: "MEMBER"; "?" for one that is none */

struct ml_right_question {
    struct ml_member_id member;
    unsigned class; /* of ml_right_scopes it isn't read */
    ml_right right;
    uint64_t ms;                   /* when: UTC */
    bool undated;                  /* at whatever time: as if each role given were in force */
    const struct ml_team_id *team; /* of patients: by the roles that he has there; NULL: anywhere */
};
/** `step` is borrowed for the call. */
typedef void ml_step_cb(void *user, const struct ml_step *step);
/** May he, by all that is known? NONE: no. Tells each fact that makes it so. */
ml_scope ml_right_explain(const struct ml_gov *g, const struct ml_right_question *question,
                          ml_step_cb *each, void *user);
/* A scope (ml_scope) for each class. */
struct ml_scopes {
    uint8_t of[ML_MATRIX_CLASS_MAX + 1];
};
/** The same answer for every class at once. `each` (NULL: nobody asks) is told of his roles. */
void ml_right_scopes(struct ml_scopes *out, const struct ml_gov *g,
                     const struct ml_right_question *question, ml_step_cb *each, void *user);

/** Is this writer denied by all that is known? */
bool ml_gov_is_denied(const struct ml_gov *g, const struct ml_writer_id *writer);
/** Denials of the bundle's writer, and ends of his roles that bear upon it, that a vector doesn't
 * hold: of his chain's bundles in turn ever less. Of `in` are read: writer, lane, gvec, hlc. */
size_t ml_gov_unseen(const struct ml_gov *g, const struct ml_gov_lane *in,
                     const struct ml_gvec *gvec);
/** Has any role of this writer's member, or of whom he replaced, ended in `v`? */
bool ml_gov_has_ends(const struct ml_gov *g, const struct ml_view *v,
                     const struct ml_writer_id *writer);

/** A bundle of another lane that may have been adopted. */
struct ml_gov_judged {
    struct ml_hash hash;
    struct ml_writer_id writer;
    bool forked; /* it is quarantined for a fork: its own member may adopt it too */
};
/** Is this op of it adopted by all that is known (rules B20)? By somebody of rank 2 or better who
 * isn't its author, and whoever rejects it, he had seen that. */
bool ml_gov_is_adopted(const struct ml_gov *g, const struct ml_gov_judged *judged, uint8_t index);
/** The next JUDGEMENT after `after` (NULL: the first), also one that doesn't count. */
const struct ml_fact *ml_gov_next_judgement(const struct ml_gov *g, const struct ml_fact *after);

/* ---- whom keys are for (gov_keys.c) ---- */

/** A group of keys at a time. */
struct ml_gov_group {
    struct ml_team_id team; /* zero: org-wide, as `annuaire` is and nothing else */
    uint8_t compartment;
    uint64_t ms; /* UTC: dated roles begin and end */
};
typedef ml_err ml_fact_cb(void *user, const struct ml_fact *fact);
/** Each member on a node (MON) that the group is for, by all that is known: his roles let him read
 * something of the compartment; `annuaire` is every member's. Of several with one box key the
 * first. An error of `each` ends the walk and is returned. */
ml_err ml_gov_each_entitled(const struct ml_gov *g, const struct ml_gov_group *group,
                            ml_fact_cb *each, void *user) ML_MUST_CHECK;
/** Each node (a MON of it) that somebody works on, once. */
ml_err ml_gov_each_node(const struct ml_gov *g, ml_fact_cb *each, void *user) ML_MUST_CHECK;
/** When the next dated role begins or ends after `ms`; UINT64_MAX: none does. */
uint64_t ml_gov_next_date(const struct ml_gov *g, uint64_t ms);

/** Has anybody who was enrolled no place any more: his key, or his rank, was denied? */
bool ml_gov_has_gone(const struct ml_gov *g);
/** Had the member who wrote with `writer` rank 2 or better, at this vector (kept by reference)?
 * NOMEM. */
ml_err ml_gov_leads_at(const struct ml_gov *g, bool *leads, const struct ml_writer_id *writer,
                       struct ml_gvec *gvec) ML_MUST_CHECK;

struct ml_kek_epoch;
/** An epoch as its bundle states it. */
struct ml_gov_epoch_in {
    struct ml_gvec *gvec; /* its bundle's vector; kept by reference */
    struct ml_writer_id writer;
    uint64_t hlc;
    const struct ml_kek_epoch *epoch;
};
/** May this epoch seal (rules A3)? Its group exists, its author is one of those whom it is for, and
 * its recipients are exactly the keys that its vector entitles: nobody more or less. NOMEM. */
ml_err ml_gov_epoch_fits(const struct ml_gov *g, bool *fits,
                         const struct ml_gov_epoch_in *in) ML_MUST_CHECK;

/** A bundle whose author says that he is entitled in a group. */
struct ml_gov_author_in {
    struct ml_gvec *gvec; /* its vector; kept by reference */
    struct ml_writer_id writer;
    uint64_t hlc;
    struct ml_team_id team;
    uint8_t compartment;
};
/** Is he, by his bundle's own governance at its own time? NOMEM. */
ml_err ml_gov_author_reads(const struct ml_gov *g, bool *reads,
                           const struct ml_gov_author_in *in) ML_MUST_CHECK;

/** The key in a lane-0 bundle that opens its writer (WRITER_OPEN, or ORG_FOUND in a genesis): what
 * its signature is verified with. MALFORMED with *why when there is none in its place. */
ml_err ml_gov_opening_key(struct ml_sign_pk *pk, ml_reason *why,
                          const struct ml_bundle *bundle) ML_MUST_CHECK;

/* Questions, by all that is known now. Only facts that count, but for ml_gov_opening. Facts stay in
 * place until the ml_gov is freed. */

/** The next fact of a kind after `after` (NULL: the first); NULL after the last. */
const struct ml_fact *ml_gov_next(const struct ml_gov *g, ml_fact_kind kind,
                                  const struct ml_fact *after);
/** Root's keys in force, an ORG or a ROOT; NULL: there is no genesis yet. */
const struct ml_fact *ml_gov_root(const struct ml_gov *g);
/** The next ORG or ROOT after `after` (NULL: the first), also one that doesn't count: proposed, or
 * not in force any more. */
const struct ml_fact *ml_gov_next_root(const struct ml_gov *g, const struct ml_fact *after);
/** The opening of a writer, also one that doesn't count; NULL: unknown. Of a key opened twice,
 * the first that came. */
const struct ml_fact *ml_gov_opening(const struct ml_gov *g, const struct ml_writer_id *writer);
/** The fact that gives a member his rank: of several that nobody replaced the lowest. NULL: no
 * member. */
const struct ml_fact *ml_gov_member(const struct ml_gov *g, const struct ml_member_id *member);
/** The best of the ranks that anybody who had the right ever gave him, denied since or not. NULL:
 * never. */
const struct ml_fact *ml_gov_ever_member(const struct ml_gov *g, const struct ml_member_id *member);
/** Whose node has this Noise key; NULL: nobody's. */
const struct ml_fact *ml_gov_noise(const struct ml_gov *g, const struct ml_box_pk *noise);
/** Did an act that counts enrol anybody on this node, or with this Noise key, denied since or not?
 * NULL: no. */
const struct ml_fact *ml_gov_knew_node(const struct ml_gov *g, const struct ml_node_id *node);
const struct ml_fact *ml_gov_knew_noise(const struct ml_gov *g, const struct ml_box_pk *noise);
/** What describes a member, a node, a team or the structure (id: zeros, as in CARD_SET), also of
 * who was denied since: the card set last by hlc, else the label it came with. NULL: there is none.
 */
const struct ml_fact *ml_gov_card(const struct ml_gov *g, uint8_t card_kind, const uint8_t id[16]);

#endif
