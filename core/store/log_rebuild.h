/* core/store/log_rebuild.h -- a sound log out of what can still be read of a damaged one. */
#ifndef ML_STORE_LOG_REBUILD_H
#define ML_STORE_LOG_REBUILD_H

#include "core/store/log.h"

/** What was read. */
struct ml_log_rebuilt {
    uint64_t kept;        /* bundles, with their body or without */
    uint64_t bodies_lost; /* of them: without, a hole now */
    uint64_t lost;        /* bundles that can't be read, or aren't taken as they are read */
    bool unreadable;      /* nothing at all: whatever was there must come from a peer */
};

/** A bundle that is lost: its place (without its hash, perhaps); seq 0 when that can't be read. */
typedef void ml_log_lost_cb(void *user, const struct ml_dep *place);

struct ml_log_rebuild {
    struct ml_log_args log;     /* the damaged one; `create` counts for nothing */
    const char *fresh;          /* path of the new one, same VFS */
    ml_log_problem_cb *problem; /* in words, for the node's own log */
    ml_log_lost_cb *lost;
    void *user;
};

/**
 * Makes a log at `fresh` (which must not exist) and gives it every bundle of the old one that can
 * be read, judged anew, with settings and peers. What can't is told; a body that can't becomes a
 * hole, but for governance, which is lost without it. What hangs on a destroyed bundle waits in the
 * new log, whatever the limits, until an exchange brings that bundle again. An old log that doesn't
 * open at all (or is absent) gives an empty new one. Ingest numbers are new ones and the epoch is a
 * number drawn by chance, so that each vault projects again. The old log stays as it is; the new
 * one is closed, whole in one file. EXISTS, UNSUPPORTED and INVALID (the old one's, untouched),
 * FULL, IO, NOMEM: nothing to use at `fresh`.
 */
ml_err ml_log_rebuild(struct ml_log_rebuilt *out, const struct ml_log_rebuild *how) ML_MUST_CHECK;

#endif
