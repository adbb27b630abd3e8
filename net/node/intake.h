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
/** Patients who are new are of this team, which is copied; else of ml_team_default. */
void ml_intake_team(struct ml_intake *in, const struct ml_team_id *team);
void ml_intake_free(struct ml_intake *in); /* NULL is allowed */

/** An ml_import_cb: `user` is the ml_intake. Copies. NOMEM, LIMIT. */
ml_err ml_intake_take(void *user, const struct ml_import_object *object);

/** An ml_import_find: `user` is the ml_intake. Asks the session's vault. */
bool ml_intake_find(void *user, const struct ml_object_id *patient, const uint8_t tail[10],
                    struct ml_object_id *out, uint16_t *entity);

/** How many objects were taken and not written yet. */
size_t ml_intake_waiting(const struct ml_intake *in);

/** Writes some of what was taken, the structure's objects first, patient by patient, in acts of at
 * most ML_INTAKE_ACT_MAX objects, each one transaction. PENDING: there is more; what was written
 * before an error stays. Nothing is taken until it is over. */
#define ML_INTAKE_ACT_MAX   512u
#define ML_INTAKE_ACT_BYTES (4u << 20) /* of large contents, but one object has all of its own */
ml_err ml_intake_write_some(struct ml_intake *in, struct ml_intake_counts *counts) ML_MUST_CHECK;
/** All of it. */
ml_err ml_intake_write(struct ml_intake *in, struct ml_intake_counts *counts) ML_MUST_CHECK;

/** 32 bytes: the org's key for imported ids; the caller frees. NOT_FOUND before the first copy. */
ml_err ml_intake_key(struct ml_org *org, struct ml_secret **out) ML_MUST_CHECK;

#endif
