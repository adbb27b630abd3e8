/* core/model/consent.h -- who may see what of one patient's record, by all that he decided (rules
 * B21, domain 4.2; docs/protocol/consent.md).
 *
 * A pure function of the set of statements: order of arrival, clocks and nodes don't matter, but
 * for the time that is asked about, which ends what was said until then. In words:
 *
 *   A statement holds unless one that counts ended it, or its time is over.
 *   Of those that hold and are about this member and this item, an opposition wins, unless an
 *   agreement is more specific than it in one of audience and item, no less in the other, and the
 *   one was written knowing the other: equal, crossed or concurrent means no.
 *   Nobody lifts what a patient said against him to another: his own agreements and withdrawals
 *   don't count for himself, but for a statement that he took down himself.
 *   Where nothing is about him, a member of the patient's care team may, another may not.
 *
 * Identity and the wishes themselves (classes 1 and 3) are never hidden, so that the other side can
 * be told that something is. One thread at a time.
 */
#ifndef ML_MODEL_CONSENT_H
#define ML_MODEL_CONSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "core/codec/consent.h"
#include "core/model/gov.h"
#include "core/model/matrix.h"
#include "maille/err.h"
#include "maille/types.h"

/* Statements of one patient that are weighed; one more and nobody but the patient may see what is
 * clinical (the answer says why). */
#define ML_CONSENT_FACTS_MAX 512u

/** One statement as it came in a bundle; its copies for several teams are several facts. */
struct ml_consent_fact {
    struct ml_consent_id id;
    struct ml_consent said; /* borrows the bytes that it was decoded from */
    struct ml_member_id author;
    struct ml_version_id at; /* the op */
    struct ml_team_id team;  /* whose members may know it */
    uint64_t hlc;            /* of its bundle: for people */
    bool counts;             /* false: its bundle is quarantined */
};

struct ml_consent_set; /* opaque; owned by who made it; borrows the facts */

/** `facts` of one patient, in any order. NOMEM. */
ml_err ml_consent_set_new(struct ml_consent_set **out, const struct ml_env *env,
                          const struct ml_consent_fact *facts, size_t count) ML_MUST_CHECK;
void ml_consent_set_free(struct ml_consent_set *set); /* NULL is allowed */

/* Who looks. */
typedef enum ml_viewer {
    ML_VIEWER_MEMBER,
    ML_VIEWER_PATIENT,        /* sees all */
    ML_VIEWER_REPRESENTATIVE, /* of a minor: all but what is secret */
} ml_viewer;

struct ml_consent_member {
    struct ml_member_id id;
    const uint16_t *roles; /* borrowed; as in the matrix */
    size_t role_count;
    const struct ml_team_id *teams; /* borrowed: of all patients */
    size_t team_count;
    bool in_care_team; /* of this patient */
};

struct ml_consent_question {
    ml_viewer viewer;
    struct ml_consent_member member;   /* of VIEWER_MEMBER */
    unsigned class;                    /* ml_class */
    const struct ml_object_id *object; /* NULL: of the class as a whole */
    uint64_t now_ms;                   /* UTC */
    bool emergency;                    /* by breaking the glass */
};

typedef enum ml_consent_answer {
    ML_CONSENT_YES,
    ML_CONSENT_NO_OPPOSED,      /* the patient opposed it */
    ML_CONSENT_NO_AGREEMENT,    /* outside the care team, and he didn't agree to it */
    ML_CONSENT_NO_IN_EMERGENCY, /* he excluded emergency access */
    ML_CONSENT_NO_SECRET,       /* the minor's secret */
    ML_CONSENT_NO_TOO_MANY,     /* more than ML_CONSENT_FACTS_MAX */
} ml_consent_answer;

/* X(NAME, number): what an answer rests on, in the order in which it is told. */
#define ML_CONSENT_STEP_MAP(X)                                                                     \
    X(INFORMED, 1)      /* `fact`: he was informed */                                              \
    X(NOT_INFORMED, 2)  /* that isn't recorded */                                                  \
    X(CARE_TEAM, 3)     /* the member is of his care team */                                       \
    X(OUTSIDE, 4)       /* he isn't */                                                             \
    X(ENDED, 5)         /* `fact` was about him, and no longer holds, by `by` or by its date */    \
    X(EXCEPTED, 6)      /* `fact` opposes all but some, of whom he is one */                       \
    X(AGREED, 7)        /* `fact`: the patient agreed */                                           \
    X(OWN_WORD, 8)      /* `fact` would help him, but he wrote it himself */                       \
    X(OPPOSED, 9)       /* `fact`: the patient opposed, and nothing outweighs it */                \
    X(OUTWEIGHED, 10)   /* `fact`: he opposed, but `by` is more specific */                        \
    X(EMERGENCY, 11)    /* `fact`: he opposed, which an emergency sets aside */                    \
    X(NO_EMERGENCY, 12) /* `fact`: not even in an emergency */                                     \
    X(SECRET, 13)       /* `fact`: kept from the representatives */                                \
    X(TOO_MANY, 14)     /* more statements than are weighed */

typedef enum ml_consent_step_kind {
#define X(name, number) ML_CONSENT_STEP_##name = (number),
    ML_CONSENT_STEP_MAP(X)
#undef X
} ml_consent_step_kind;

struct ml_consent_step {
    ml_consent_step_kind kind;
    const struct ml_consent_fact *fact; /* NULL: none */
    const struct ml_consent_fact *by;   /* NULL: none */
};
const char *ml_consent_step_name(ml_consent_step_kind kind); /* static: "OPPOSED"; "?" */

/** `step` is borrowed for the call. */
typedef void ml_consent_step_cb(void *user, const struct ml_consent_step *step);

/** May he see it? `each` (NULL: nobody asks) is told every fact that makes it so. */
ml_consent_answer ml_consent_decide(const struct ml_consent_set *set,
                                    const struct ml_consent_question *question,
                                    ml_consent_step_cb *each, void *user);

/** Is the whole compartment closed to this member: every clinical class of it? What keys act on; a
 * finer limit is the vault's. */
bool ml_consent_closes(const struct ml_consent_set *set, const struct ml_consent_member *member,
                       unsigned compartment, uint64_t now_ms);
/** Does the patient keep emergency access out of the whole compartment? */
bool ml_consent_closes_emergency(const struct ml_consent_set *set, unsigned compartment,
                                 uint64_t now_ms);
/** Is anything about the record said that holds: is there anybody to be left out? */
bool ml_consent_opposes(const struct ml_consent_set *set, uint64_t now_ms);

/** When, after `now_ms`, a statement ends by its date: the next; UINT64_MAX: never. */
uint64_t ml_consent_next_ms(const struct ml_consent_set *set, uint64_t now_ms);

/** Does this statement hold, by all that others say? `by` (may be NULL): which one ended it, NULL
 * for its date. */
bool ml_consent_holds(const struct ml_consent_set *set, size_t fact, uint64_t now_ms,
                      const struct ml_consent_fact **by);
/** Is this member of its audience? */
bool ml_consent_is_for(const struct ml_consent *c, const struct ml_consent_member *m);
/** Is it an opposition, or a secret, that is about this member? */
bool ml_consent_is_about(const struct ml_consent_fact *fact,
                         const struct ml_consent_member *member);
/** Is a statement in no other's past? What the next one names in `seen`. */
bool ml_consent_is_last(const struct ml_consent_set *set, size_t fact);

/* ---- a member, by governance (consent_member.c) ---- */

struct ml_consent_person {
    struct ml_member_id id;
    uint16_t roles[ML_MATRIX_ROLES_MAX]; /* in force, those of whom he replaces too */
    size_t role_count;
    struct ml_team_id teams[ML_ROLE_TEAMS_MAX];
    size_t team_count;
    bool all_teams; /* no role keeps him to some: he cares for all patients of the structure */
};

/** `gov` NULL: nothing is known. */
void ml_consent_person_of(struct ml_consent_person *out, const struct ml_gov *gov,
                          const struct ml_member_id *member, uint64_t now_ms);
/** As the member that a question is about, of a patient of these teams; borrows the person. */
struct ml_consent_member ml_consent_person_as(const struct ml_consent_person *person,
                                              const struct ml_team_id *teams, size_t count);

#endif
