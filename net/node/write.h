/* net/node/write.h -- changes of one patient's record, from the session's member: keys opened where
 * needed, sealed, appended durably, projected. Org thread. */
#ifndef ML_NODE_WRITE_H
#define ML_NODE_WRITE_H

#include "core/model/blob.h"
#include "core/model/seal.h"
#include "net/node/org.h"

/** One act of writing on one patient (zero: the structure). Items need change and compartment; keys
 * and versions are filled. All are stored in one transaction, or none. DENIED: the member's writer
 * isn't opened yet; NO_KEY: no key of this class of data is held. */
ml_err ml_org_write(struct ml_org *org, const struct ml_object_id *patient,
                    struct ml_seal_item *items, uint32_t count) ML_MUST_CHECK;

/** The manifests of `blobs` are sealed: their version and hash may now be written into the values
 * of the items. */
typedef ml_err ml_placed_cb(void *user);

/** The same with large values. `placed` may be NULL. */
struct ml_write {
    struct ml_seal_item *items;
    struct ml_blob *blobs; /* need plain, media_type, object, slot, compartment */
    ml_placed_cb *placed;
    void *user;
    uint32_t count;
    uint32_t blob_count;
    const struct ml_team_id *team; /* of a patient that isn't open yet; NULL: ml_team_default */
};
ml_err ml_org_write_all(struct ml_org *org, const struct ml_object_id *patient,
                        const struct ml_write *what) ML_MUST_CHECK;

#endif
