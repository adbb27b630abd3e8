/* net/node/intake.h -- objects that an importer or the generator hands out become ops: gathered by
 * patient, those that the record has already left out, the rest written. Org thread; a session. */
#ifndef ML_NODE_INTAKE_H
#define ML_NODE_INTAKE_H

#include "core/interop/import.h"
#include "net/node/org.h"

struct ml_intake; /* opaque; owned by who made it */

struct ml_intake_counts {
    uint64_t created;
    uint64_t known; /* imported before: nothing was added */
    uint64_t patients;
};

ml_err ml_intake_new(struct ml_intake **out, struct ml_org *org) ML_MUST_CHECK;
void ml_intake_free(struct ml_intake *in); /* NULL is allowed */

/** An ml_import_cb: `user` is the ml_intake. Copies. NOMEM, LIMIT. */
ml_err ml_intake_take(void *user, const struct ml_import_object *object);

/** Writes what was taken, the structure's objects first, patient by patient, each in one
 * transaction; what was written before an error stays. */
ml_err ml_intake_write(struct ml_intake *in, struct ml_intake_counts *counts) ML_MUST_CHECK;

/** 32 bytes: the org's key for imported ids; the caller frees. NOT_FOUND before the first copy. */
ml_err ml_intake_key(struct ml_org *org, struct ml_secret **out) ML_MUST_CHECK;

#endif
