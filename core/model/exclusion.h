/* core/model/exclusion.h -- whom a patient's decisions leave out of a class of data, as consent
 * tells it to keys (rules A5).
 *
 * Consent (who decided what, which decision wins: A21) answers one question; keys act on the
 * answer: while `any` holds, the data keys of patient x compartment are sealed to each entitled
 * member who isn't left out, and no longer to whole groups. Org thread.
 */
#ifndef ML_MODEL_EXCLUSION_H
#define ML_MODEL_EXCLUSION_H

#include <stdbool.h>

#include "maille/err.h"
#include "maille/types.h"

struct ml_exclusion {
    bool any;       /* somebody is left out, perhaps another than who was asked about, or only who
                       would come in an emergency */
    bool member;    /* who was asked about is */
    bool emergency; /* emergency access is left out too: no break-glass wraps */
};

/** Of whom the vault knows. `ask` NULL: nobody decided anything. */
struct ml_exclusions {
    void *ctx;
    /** By all decisions known here; deny wins. Any order of patients and members; *out whole also
     * when nobody decided. The store's errors; nothing is excluded after one. */
    ml_err (*ask)(void *ctx, struct ml_exclusion *out, const struct ml_object_id *patient,
                  ml_compartment compartment, const struct ml_member_id *member);
};

#endif
