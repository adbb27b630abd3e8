/* core/model/verdict.h -- what a node decides of a bundle, and why. The numbers are on disk. */
#ifndef ML_MODEL_VERDICT_H
#define ML_MODEL_VERDICT_H

#include <stdint.h>

#include "maille/types.h"

/* The log verdict (rules A1, B13): a function of the set of bundles alone, the same on every node.
 * A bundle that breaks the format is refused and never stored: it has no verdict. */
typedef enum ml_verdict {
    ML_VERDICT_PENDING = 0,     /* what it cites isn't all known: not judged, not in the frontier */
    ML_VERDICT_ACCEPTED = 1,    /* counts */
    ML_VERDICT_QUARANTINED = 2, /* kept, replicated, shown greyed; doesn't count */
} ml_verdict;

/* X(NAME, number, text). 1-31: quarantined (ADOPTED: it was), 32-63: pending, 64 on: refused. 8
 * is kept for seals. */
#define ML_REASON_MAP(X)                                                                           \
    X(NONE, 0, "")                                                                                 \
    X(FORK, 1, "its writer signed two histories, and it lies beyond what they share")              \
    X(NOT_ENROLLED, 2, "its writer was not opened by an enrolled member on this node")             \
    X(NO_AUTHORITY, 3, "its writer's rank does not allow it")                                      \
    X(NO_PREDECESSOR, 4, "a new writer that does not name the heads of those it follows")          \
    X(REVOKED, 5, "its writer was revoked as compromised, and it lies beyond the cut")             \
    X(DEPARTED, 6, "its writer had left, and nobody cited it before knowing that")                 \
    X(SUSPENDED, 7, "its writer was suspended, and nobody cited it before knowing that")           \
    X(ROLE_ENDED, 9, "its writer's role had not begun, or had ended")                              \
    X(GRANT_FELL, 10, "the right that it rests on does not count any more")                        \
    X(ADOPTED, 11, "it was quarantined, and somebody entitled adopted it")                         \
    X(NO_RIGHT, 12, "the matrix does not let its writer's role write that")                        \
    X(WAITS_PREV, 32, "the bundle before it in its chain is missing")                              \
    X(WAITS_CITED, 33, "a bundle that it cites is missing")                                        \
    X(WAITS_WRITER, 34, "the opening of its writer is missing")                                    \
    X(WAITS_VERSION, 35, "it holds a governance op that only a newer version understands")         \
    X(FORMAT, 64, "its bytes do not parse")                                                        \
    X(SIGNATURE, 65, "its signature is wrong")                                                     \
    X(BODY, 66, "its body is not the one that was signed")                                         \
    X(NO_BODY, 67, "governance without its body cannot be judged")                                 \
    X(CITES, 68, "its citations are out of order, doubled, or of its own chain")                   \
    X(BACKWARDS, 69, "it cites what is older than its chain has cited before")                     \
    X(NO_OPENING, 70, "it does not cite the opening of its writer")                                \
    X(GCTX, 71, "its governance digest is not that of what it cites")                              \
    X(CLOCK, 73, "its time is before that of its writer's previous bundle")                        \
    X(GENESIS, 74, "it is a genesis, but not this structure's")                                    \
    X(OPENING, 75, "the opening of a writer is misplaced, missing or not its writer's")            \
    X(COSIGNATURE, 76, "a co-signature in it is wrong")                                            \
    X(STRANGER, 77, "it cites no governance at all")                                               \
    X(LANE_FULL, 78, "too many bundles of its writer wait already")                                \
    X(STORE_FULL, 79, "too much of unknown writers is kept already")

typedef enum ml_reason {
#define X(name, number, text) ML_REASON_##name = (number),
    ML_REASON_MAP(X)
#undef X
} ml_reason;

/** Static English text; "?" for a number that is none. */
const char *ml_reason_text(ml_reason reason);
/** Static name such as "FORK". */
const char *ml_reason_name(ml_reason reason);
const char *ml_verdict_name(ml_verdict verdict);

/** What a judge says of a bundle that is well formed. */
struct ml_ruling {
    ml_verdict verdict;
    ml_reason reason; /* NONE or ADOPTED when accepted */
};

#endif
