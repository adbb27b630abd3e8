/* core/model/cosign.h -- whose entries wait for somebody's signature beside their author's: a
 * student's (docs/habilitation.md). Pure: by what governance knows now, of the time of writing.
 */
#ifndef ML_MODEL_COSIGN_H
#define ML_MODEL_COSIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/model/gov.h"
#include "maille/types.h"

/** What somebody wrote: of which class, and when (UTC). */
struct ml_cosign_wrote {
    struct ml_member_id member;
    unsigned class;
    uint64_t ms;
};

struct ml_cosign {
    bool may; /* he has, or had, a role that writes that */
    bool waits;
    struct ml_member_id supervisor; /* zero: of whoever may write that alone */
};

/** May anybody's entries wait at all? */
bool ml_cosign_any(const struct ml_gov *gov);
/** May anything that this member ever wrote wait? */
bool ml_cosign_ever(const struct ml_gov *gov, const struct ml_member_id *member);
/** Does it wait, and for whom? By the roles that he had then, and by the matrix in force now. */
void ml_cosign_of(struct ml_cosign *out, const struct ml_gov *gov,
                  const struct ml_cosign_wrote *wrote);
/** Is what `wrote` says signed by `signer`? Another member, who may write the class and whose own
 * entries of it don't wait; the supervisor where one is named. */
bool ml_cosign_is_by(const struct ml_gov *gov, const struct ml_cosign *cosign,
                     const struct ml_cosign_wrote *wrote, const struct ml_cosign_wrote *signer);

#endif
