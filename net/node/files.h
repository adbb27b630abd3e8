/* net/node/files.h -- files that come with a write: small ones into the value, larger ones as large
 * values beside it (rules D3). Org thread. */
#ifndef ML_NODE_FILES_H
#define ML_NODE_FILES_H

#include "core/model/blob.h"
#include "core/record/schema.h"
#include "net/node/call.h"

#define ML_FILES_MAX        16u         /* of one write */
#define ML_FILES_BYTES_MAX  (64u << 20) /* of all of them; of one: ML_BLOB_BYTES_MAX */
#define ML_FILES_INLINE_MAX 6144u       /* larger contents become large values */
#define ML_FILES_SLICE_MAX  (2u << 20)  /* one answer of document.get */

struct ml_files {
    struct ml_buf plain; /* contents, wiped at the end */
    struct ml_buf value; /* the object's value with them, when there are any */
    struct ml_blob blobs[ML_FILES_MAX];
    size_t places[ML_FILES_MAX]; /* of each blob's manifest in `value` */
    size_t starts[ML_FILES_MAX]; /* of each blob in `plain` */
    uint32_t blob_count;
};

void ml_files_init(struct ml_files *files, const struct ml_env *env);
void ml_files_free(struct ml_files *files);

/** Reads params.files [{path, title?, media_type?}] and puts them into the entity's field for
 * files, in the canonical map `value`: files->value is then the whole. No such parameter: the files
 * of `old` (a value of the same entity; empty: none) stay. Nothing to do: files->value stays empty.
 * Errors with their text: INVALID, NOT_FOUND, IO, LIMIT; NOMEM. */
ml_err ml_files_take(struct ml_call *call, struct ml_files *files, const struct ml_entity *entity,
                     struct ml_slice value, struct ml_slice old) ML_MUST_CHECK;

/** An ml_placed_cb: the versions of the manifests go into files->value. */
ml_err ml_files_placed(void *files);

#endif
