/* core/model/seal_int.h -- what sealing ops of lanes 3 and 4 shares. Not for others. */
#ifndef ML_MODEL_SEAL_INT_H
#define ML_MODEL_SEAL_INT_H

#include "core/model/seal.h"

/** The dictionary of a bundle that is being made. */
struct ml_seal_dict {
    struct ml_dict_entry entries[ML_BUNDLE_STREAMS_MAX];
    uint32_t count;
};

/** The place of an entry, added when it isn't there; false: the dictionary is full. */
bool ml_seal_dict_index(struct ml_seal_dict *dict, const struct ml_dict_entry *want,
                        uint8_t *index);

/** The header, but for what ml_bundle_build fills; its salt is drawn over `plain`: all plaintexts.
 * Borrows `dict`. */
struct ml_header ml_seal_header(const struct ml_sealer *sealer, const struct ml_seal_place *place,
                                uint8_t lane, const struct ml_seal_dict *dict,
                                struct ml_slice plain);

#endif
