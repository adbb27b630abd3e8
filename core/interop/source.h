/* core/interop/source.h -- the text of a file to import: plain or gzip, whole, in memory, bounded.
 */
#ifndef ML_INTEROP_SOURCE_H
#define ML_INTEROP_SOURCE_H

#include "core/base/buf.h"
#include "core/interop/fault.h"
#include "maille/err.h"

/**
 * Appends the file's text to `out` (whose `max` is the limit on uncompressed bytes), inflating it
 * when its first bytes say gzip, whatever its name. A gzip bomb stops at the limit. On an error
 * `fault` says why and `out` holds nothing of use. Errors: IO (can't be read), MALFORMED, LIMIT,
 * NOMEM. Blocks on the disk.
 */
ml_err ml_source_read_file(struct ml_buf *out, const char *path,
                           struct ml_import_fault *fault) ML_MUST_CHECK;

/** The same from bytes in memory. */
ml_err ml_source_read_bytes(struct ml_buf *out, struct ml_slice bytes,
                            struct ml_import_fault *fault) ML_MUST_CHECK;

struct ml_source; /* opaque: a file of which a part is read */

/** The same file in steps; `text` outlives the source. IO, NOMEM. */
ml_err ml_source_open(struct ml_source **out, struct ml_buf *text, const char *path,
                      struct ml_import_fault *fault) ML_MUST_CHECK;
/** Reads about `bytes` more of the file. PENDING: there is more; else as ml_source_read_file. */
ml_err ml_source_read_some(struct ml_source *source, size_t bytes,
                           struct ml_import_fault *fault) ML_MUST_CHECK;
void ml_source_close(struct ml_source *source); /* NULL is allowed */

#endif
