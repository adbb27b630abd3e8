/* net/node/write.h -- changes of one patient's record, from the session's member: keys opened where
 * needed, sealed, appended durably, projected. Org thread. */
#ifndef ML_NODE_WRITE_H
#define ML_NODE_WRITE_H

#include "core/model/seal.h"
#include "net/node/org.h"

/** One act of writing on one patient (zero: the structure). Items need change and compartment; keys
 * and versions are filled. All are stored in one transaction, or none. DENIED: the member's writer
 * isn't opened yet; NO_KEY: no key of this class of data is held. */
ml_err ml_org_write(struct ml_org *org, const struct ml_object_id *patient,
                    struct ml_seal_item *items, uint32_t count) ML_MUST_CHECK;

/** Opens the streams and data keys that these patients lack: of many at once, few bundles. */
struct ml_write_need {
    struct ml_object_id patient;
    uint16_t compartments; /* bit c: ml_compartment c */
};
ml_err ml_org_open_streams(struct ml_org *org, const struct ml_write_need *needs,
                           size_t count) ML_MUST_CHECK;

#endif
