/* core/model/merge.h -- what a set of versions means (docs/merge.md). Pure functions over arrays.
 *
 * A version is one op on one object; it names in `seen` the versions that its author had before
 * him. Versions and `seen` make a graph without cycles (they are hashes; inside one bundle a
 * reference goes to a smaller index, which the opener checks). On it:
 *
 *   the past of v       all that can be reached from v along `seen`;
 *   heads of a register its counting versions that are in the past of no counting version of it.
 *
 * A version that doesn't count (quarantined, or of a content that its header doesn't allow)
 * replaces nothing itself, but paths lead through it (rules B20). Nothing here depends on the
 * order of the arrays, on time or on a node: the same set gives the same answer.
 *
 * One thread at a time per graph.
 */
#ifndef ML_MODEL_MERGE_H
#define ML_MODEL_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_MERGE_NONE         UINT32_MAX
#define ML_MERGE_VERSIONS_MAX 65536u /* versions of one object that are merged */

struct ml_merge_node {
    const struct ml_version_id *seen; /* borrowed; unknown ones are ignored */
    uint32_t seen_count;
    struct ml_version_id id;
    bool counts; /* false: greyed */
};

struct ml_merge_graph; /* opaque; owned by who made it */

/** `nodes` and their `seen` are read here only. A version given twice counts once: the first.
 * Errors: NOMEM, LIMIT. */
ml_err ml_merge_graph_new(struct ml_merge_graph **out, const struct ml_env *env,
                          const struct ml_merge_node *nodes, size_t count) ML_MUST_CHECK;
void ml_merge_graph_free(struct ml_merge_graph *g);

typedef enum ml_version_rank {
    ML_RANK_APART,    /* not of this register */
    ML_RANK_HEAD,     /* stands now */
    ML_RANK_REPLACED, /* a later version knew it */
    ML_RANK_GREYED,   /* would stand if it counted */
} ml_version_rank;

/** member[i]: node i is a version of the register. Fills out[0 .. count-1]. */
void ml_merge_heads(struct ml_merge_graph *g, const bool *member, ml_version_rank *out);

/* What an op does to its object's life. */
typedef enum ml_life_act {
    ML_ACT_EDIT,    /* says something of a living object */
    ML_ACT_ADD,     /* creates, restores, or amends a whole event */
    ML_ACT_ARCHIVE, /* takes out of the lists */
    ML_ACT_VOID,    /* "entered in error": shown struck through, never deleted */
} ml_life_act;

typedef enum ml_life {
    ML_LIFE_PRESENT,
    ML_LIFE_ARCHIVED,
    ML_LIFE_VOIDED,
    ML_LIFE_GREYED, /* nothing of it counts */
} ml_life;

struct ml_life_outcome {
    ml_life life;
    bool conflict; /* taken out and kept alive at once, or archived and voided at once */
};

/** Adding wins over a concurrent removal, and so does an edit that the removal hadn't seen.
 * acts[i] is node i's; fills ranks[0 .. count-1] of the register of lives (edits are APART). */
struct ml_life_outcome ml_merge_life(struct ml_merge_graph *g, const ml_life_act *acts,
                                     ml_version_rank *ranks);

/* What a head says in a register whose kind takes sides. */
typedef enum ml_stance {
    ML_STANCE_PLAIN,
    ML_STANCE_ASSERT, /* ASSERT: it is so */
    ML_STANCE_REFUTE, /* ASSERT: it isn't */
    ML_STANCE_DENY,   /* DENY: forbidden */
} ml_stance;

typedef enum ml_merge_kind {
    ML_KIND_SAME,   /* several values: people choose (registers, atomic groups, events) */
    ML_KIND_ASSERT, /* an assertion is shown before a refutation */
    ML_KIND_DENY,   /* a denial is shown before the rest */
    ML_KIND_STATE,  /* the weightiest state is shown */
} ml_merge_kind;

struct ml_merge_head {
    struct ml_version_id id;
    struct ml_slice value; /* canonical encoding: equal bytes are equal values */
    ml_stance stance;
    uint8_t weight; /* STATE: its place in the value set; what is later overrules */
};

struct ml_merge_outcome {
    uint32_t shown; /* index of the head to show; ML_MERGE_NONE: none is above the others */
    bool conflict;  /* heads with different values stand side by side */
};

/** Several heads of equal value are no conflict; among equals the smallest version id is shown.
 * No heads: {NONE, false}. */
struct ml_merge_outcome ml_merge_decide(ml_merge_kind kind, const struct ml_merge_head *heads,
                                        size_t count);

#endif
