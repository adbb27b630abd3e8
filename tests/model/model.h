/* tests/model/model.h -- short histories of governance, and what they must mean (issue 4, proof a).
 *
 * Three people of given ranks, one writer each, say a few things; each act has seen any part of
 * what was said that hangs together. history.c makes such histories, spec.c says what they mean by
 * the rules alone (B13-B16, B20), pure.c asks core/model/authority.h in every order of arrival,
 * real.c builds the same bundles and asks log stores. story.c has beginnings of longer ones.
 */
#ifndef ML_TESTS_MODEL_H
#define ML_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/model/authority.h"

enum { M_WRITERS = 3, M_SETUP = 7, M_LONGEST = 6, M_ACTS = M_SETUP + M_LONGEST };

#define M_DAY_MS UINT64_C(86400000)
#define M_NOW_MS UINT64_C(1700000000000)

enum { M_ROOTS = 64 }; /* keys that Root may be given */

/** A set of acts by their numbers. */
typedef uint32_t m_set;

static inline m_set m_one(unsigned i)
{
    return (m_set)1 << i;
}

static inline bool m_has(m_set s, unsigned i)
{
    return (s >> i & 1) != 0;
}

/* X(NAME, what it says): what somebody may say of somebody (or of nobody). */
#define M_SAYINGS(X)                                                                               \
    X(GRANT2, "MEMBER_ADD rank 2")                                                                 \
    X(COMPROMISE, "DENY compromise, cut at what was seen")                                         \
    X(DEPARTURE, "DENY departure, cut at what was seen")                                           \
    X(TWO_CUT0, "DENY compromise, cut 0, a second signature")                                      \
    X(CHECKPOINT, "CHECKPOINT of what was seen")                                                   \
    X(GRANT3, "MEMBER_ADD rank 3")                                                                 \
    X(SUSPEND, "DENY suspension of a day")                                                         \
    X(ROOT, "DENY compromise, by Root")                                                            \
    X(OTHER, "an act of any member: it adopts a record")                                           \
    X(ALONE_CUT0, "DENY compromise, cut 0, alone")                                                 \
    X(TWO_DEPART, "DENY departure, a second signature")                                            \
    X(GRANT1, "MEMBER_ADD rank 1, a second signature")                                             \
    X(LOST, "DENY compromise of one node")                                                         \
    X(ROLE, "ROLE_GRANT")                                                                          \
    X(ROOT_GRANT, "MEMBER_ADD rank 2, by Root")                                                    \
    X(PLACE, "NODE_ENROL")                                                                         \
    X(GRANT1_OWN, "MEMBER_ADD rank 1, its subject signs")                                          \
    X(ROTATE, "ROOT_ROTATE, another signs")                                                        \
    X(ROOT_ROTATE, "ROOT_ROTATE, by the Root that goes")                                           \
    X(GARANT, "GARANT_NAME, by Root")

enum m_saying {
#define X(name, text) M_##name,
    M_SAYINGS(X)
#undef X
        M_SAYING_COUNT
};
/** The first of them are the core; --kinds takes fewer or more of them. */
enum { M_CORE = M_OTHER + 1 };

struct m_act {
    struct ml_say say; /* its cuts are `cuts` */
    struct ml_cut cuts[2 * M_WRITERS];
    enum m_saying saying;
    uint32_t writer; /* and member, and node */
    uint32_t seq;
    uint32_t vec[M_WRITERS];
    m_set past; /* the same as `vec` */
    uint64_t ms;
};

struct m_history {
    struct m_act acts[M_ACTS];
    unsigned count; /* with the founding */
    unsigned fixed; /* so many of them are the founding and a story: the same in all histories */
    uint8_t ranks[M_WRITERS];
    uint32_t base[M_WRITERS]; /* numbers after the founding */
    unsigned sayings;         /* how many of enum m_saying are used */
    bool clocks;              /* acts are of two days */
    bool no_records;          /* none is asked of: in the longest of all histories */
};

/** Casts of ranks: the first is always a coordinator, who founded it; 4 is a garant, who stands
 * before those who aren't. */
#define M_CASTS 6u
extern const uint8_t m_casts[M_CASTS][M_WRITERS];

void m_found(struct m_history *h, const uint8_t *ranks);
/** Of the next act of this writer: how many vectors and sayings there are to try. */
unsigned m_vec_count(const struct m_history *h);
unsigned m_say_count(const struct m_history *h);
/** Makes acts[count] of them; false: there is none such. */
bool m_next(struct m_history *h, uint32_t writer, unsigned vec, unsigned say);
/** Is acts[count], after what is there, the one order in which this set of acts is told, by the one
 * name that equals have in it? */
bool m_is_canonical(const struct m_history *h);
/** May acts[next] come, when those of `have` are here? */
static inline bool m_may_come(const struct m_history *h, m_set have, unsigned next)
{
    return (h->acts[next].past & ~have) == 0;
}
void m_tell(const struct m_history *h);

/* ---- stories: a few acts to begin with, after the founding ---- */

unsigned m_story_count(void);
const char *m_story_name(unsigned story);
unsigned m_story_cast(unsigned story);
/** Adds the story's next act, its line `line`; false: it has no more. */
bool m_story_tell(struct m_history *h, unsigned story, unsigned line);

/* ---- what it means by the rules ---- */

/** A view: who counts, which denials hold. */
struct spec_view {
    m_set counts;
    m_set denials;
    m_set clocks;    /* whose time was asked of: what counted */
    m_set rotations; /* of Root's keys, in force */
    bool rotated;    /* these are all */
};

enum spec_says { SPEC_NO, SPEC_YES, SPEC_EITHER };

struct spec {
    const struct m_history *h;
    m_set narrow;       /* of these acts: who lost a grant has no right */
    bool right[M_ACTS]; /* at its own vector */
    struct spec_view own[M_ACTS];
    uint8_t stratum[M_ACTS];
    uint8_t author[M_ACTS]; /* its author's rank */
    struct spec_view all;
    uint8_t says[M_ACTS]; /* enum spec_says: does it count by all that is known? */
    uint8_t rank[M_WRITERS];
    uint8_t power[M_WRITERS]; /* what he may do: a garant less than by his rank */
};

/** Judges the act `i`, after those before it. */
void spec_add(struct spec *s, const struct m_history *h, unsigned i);
void spec_all(struct spec *s); /* then the whole */
/** What counts at a vector. */
struct spec_at {
    m_set past;
    struct spec_view own;
    uint8_t says[M_ACTS];
};
void spec_at(const struct spec *s, m_set past, struct spec_at *out);
/** May these acts count at a vector, the other ways taken that the rules leave, there or at the
 * vectors of acts too? */
bool spec_allows(const struct spec *s, m_set past, m_set counts);
/** A record (lane 3, number `seq`) of this writer with that vector, cited by nobody. */
enum spec_says spec_record(const struct spec *s, const struct spec_at *at, uint32_t writer,
                           uint32_t seq);
struct spec_bundle {
    uint32_t writer;
    uint32_t seq;
};
/** May that record count, or not, those other ways taken? */
bool spec_allows_record(const struct spec *s, m_set past, const struct spec_bundle *b,
                        bool accepted);

/* ---- what core/model makes of it ---- */

struct m_outcome {
    uint8_t own[M_ACTS];
    uint8_t all[M_ACTS];
    uint8_t rank[M_WRITERS];
    uint8_t power[M_WRITERS];
    uint8_t author[M_ACTS];    /* the rank of its author, by the spec */
    uint8_t record[M_WRITERS]; /* of a first record of each, written on the founding */
};

struct m_tally {
    uint64_t histories;
    uint64_t orders;
    uint64_t refused; /* acts without right, which end a history */
    uint64_t fell;
    uint64_t records;
    uint64_t either; /* open by the rules */
    uint64_t apart;  /* histories where the code takes the other way there */
    uint64_t stores;
    uint64_t adopted;
};
extern struct m_tally m_tally;

struct pure; /* authorities of a cast, founded */
struct pure *pure_new(const struct m_history *founded);
void pure_free(struct pure *p);
/** Adds acts[count - 1]; its reason at its own vector. */
ml_reason pure_add(struct pure *p, struct m_history *h);
void pure_undo(struct pure *p);
/** All that is asked of a history: every order, the spec, records at every vector. False: told. */
bool pure_check(struct pure *p, struct m_history *h);
/** What pure_check found. */
const struct m_outcome *pure_outcome(const struct pure *p);

/* ---- what stores make of it ---- */

/** Builds its bundles; stores hear of them, each in its own order. False: told. */
bool real_check(const struct m_history *h, const struct m_outcome *want, uint64_t seed);

#endif
