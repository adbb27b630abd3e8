/* net/node/glass_inner.h -- what the files of emergency access share: glass.c (its life),
 * methods_glass.c (its methods). */
#ifndef ML_NODE_GLASS_INNER_H
#define ML_NODE_GLASS_INNER_H

#include "net/node/glass.h"
#include "net/node/state.h"

struct ml_glass {
    struct ml_glass *next;
    struct ml_glass_id id;
    struct ml_object_id patient;
    uint16_t compartments; /* bit c */
    uint8_t tier;
    uint64_t end_ms;   /* monotonic */
    uint64_t until_ms; /* UTC, to be shown */
    struct ml_glass_found found;
    struct ml_secret *reply; /* tier 3, owned: opens the shares that others lent */
    char vfs[ML_NODE_VFS_NAME_MAX];
    struct ml_vault *vault; /* owned */
};

/** Its vault, from what the session's own knows; patient, compartments and id are set. After an
 * error nothing is left of it. */
ml_err ml_glass_make(struct ml_org *org, struct ml_glass *g) ML_MUST_CHECK;
/** Wipes and frees it. */
void ml_glass_end(struct ml_org *org, struct ml_session *s, struct ml_glass *glass);

#endif
