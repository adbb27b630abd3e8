/* core/store/log_rebuild.h -- a sound log out of what can still be read of a damaged one. */
#ifndef ML_STORE_LOG_REBUILD_H
#define ML_STORE_LOG_REBUILD_H

#include "core/store/log.h"

/**
 * Makes a log at `fresh` (which must not exist; same VFS) and gives it every bundle of args->path
 * that can be read, judged anew, with settings and peers. What can't is told; a body that can't
 * becomes a hole. What hangs on a destroyed bundle waits in the new log, whatever the limits, until
 * an exchange brings that bundle again. The old log stays as it is: once this returned, and both
 * are closed, the caller puts the new file in its place. EXISTS, and the errors of ml_log_open.
 */
ml_err ml_log_rebuild(const struct ml_log_args *args, const char *fresh, ml_log_problem_cb *problem,
                      void *user) ML_MUST_CHECK;

#endif
