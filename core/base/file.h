/* core/base/file.h -- small files outside the databases: read whole, replaced whole. Any thread.
 * Errors: NOMEM, LIMIT, IO, FULL, READONLY, NOT_FOUND. */
#ifndef ML_BASE_FILE_H
#define ML_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "maille/err.h"

#define ML_FILE_PATH_MAX 4096u

/** The error that an errno is. */
ml_err ml_file_err(int number);

/** Appends the whole file; LIMIT when it doesn't fit the buffer's maximum. */
ml_err ml_file_read(struct ml_buf *out, const struct ml_env *env, const char *path) ML_MUST_CHECK;

/** Durable when it returns: a new file beside it (`path`.new), fsync, rename, fsync of the folder.
 * A failure, or a cut of power, leaves the old contents. Mode 0600. */
ml_err ml_file_replace(const struct ml_env *env, const char *path,
                       struct ml_slice bytes) ML_MUST_CHECK;

/** What was renamed, made or removed in the folder of `path` is durable when it returns. */
ml_err ml_file_sync_folder(const struct ml_env *env, const char *path) ML_MUST_CHECK;

#endif
