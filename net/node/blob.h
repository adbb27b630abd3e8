/* net/node/blob.h -- large values read back from the log: manifest, then chunk by chunk. Org
 * thread; the session is unlocked. */
#ifndef ML_NODE_BLOB_H
#define ML_NODE_BLOB_H

#include "core/base/buf.h"
#include "net/node/org.h"

struct ml_blob_stat {
    uint64_t bytes;          /* of the plaintext */
    uint32_t chunks;         /* different ones may be fewer */
    uint32_t chunks_missing; /* not received yet */
};

/** How much of it is here; no key is needed. NOT_FOUND: its manifest isn't here yet, or the version
 * is no manifest. */
ml_err ml_blob_stat(struct ml_org *org, const struct ml_version_id *manifest,
                    struct ml_blob_stat *out) ML_MUST_CHECK;

/** Appends the whole plaintext, compared with the hash that was signed. NOT_FOUND as above;
 * PENDING: chunks are missing; NO_KEY; FORGED: it isn't what was written; LIMIT (`out`'s), NOMEM.
 * `out` is as it was, but for its err. The caller wipes it. */
ml_err ml_blob_read(struct ml_org *org, const struct ml_version_id *manifest,
                    struct ml_buf *out) ML_MUST_CHECK;

#endif
