/* core/record/glass.h -- emergency access to one patient's record: a vault of its own, of this
 * patient and some compartments alone, with the data keys that break-glass wraps give (rules A6).
 *
 * The member's own vault stays as it is: nothing that a glass opened is ever in it. The glass's
 * vault lies in a file whose key is in memory only: when it is closed, what it held is gone. One
 * thread.
 */
#ifndef ML_RECORD_GLASS_H
#define ML_RECORD_GLASS_H

#include "core/codec/glass.h"
#include "core/model/keyring_share.h"
#include "core/record/vault.h"

/** Another member's share of a data key. */
struct ml_glass_lent {
    struct ml_key_id dek;
    struct ml_share_point point;
};

struct ml_glass_args {
    struct ml_vault_args vault; /* of the new one: its path is nobody's yet */
    struct ml_vault *from;      /* the member's own, that has caught up */
    struct ml_object_id patient;
    uint16_t compartments;            /* bit c: compartment c */
    const struct ml_glass_lent *lent; /* borrowed: for sensitive keys */
    size_t lent_count;
};

struct ml_glass_found {
    uint32_t streams;
    uint32_t deks_opened; /* data keys that only a break-glass wrap gave */
    uint32_t deks_closed; /* that nothing here opens */
};

/** NOT_FOUND: this patient isn't known here. Beside the errors of opening. */
ml_err ml_vault_glass(struct ml_vault **out, struct ml_glass_found *found,
                      const struct ml_glass_args *args) ML_MUST_CHECK;
/** Projects what the log holds of the patient and isn't there yet, but for what he masked or
 * excluded from emergency access, as `args.from` knows it. STALE: verdicts changed, or he decided
 * something: the glass is to be made anew. `args` is what it was made of. */
ml_err ml_vault_glass_follow(struct ml_vault *glass, struct ml_log *log,
                             const struct ml_glass_args *args) ML_MUST_CHECK;

/* ---- shares of sensitive keys (core/model/keyring_share.h) ---- */

/** `share` is borrowed for the call; its error ends the walk. */
typedef ml_err ml_own_share_cb(void *user, const struct ml_key_id *dek,
                               const uint8_t share[ML_KEY_BYTES]);
/** The member's own shares of this patient's sensitive data keys. NOT_FOUND: he isn't known here.
 */
ml_err ml_vault_each_share(struct ml_vault *v, const struct ml_object_id *patient,
                           ml_own_share_cb *each, void *user) ML_MUST_CHECK;
/** Appends the id of each patient who has sensitive data keys. */
ml_err ml_vault_sensitive(struct ml_vault *v, struct ml_buf *patients) ML_MUST_CHECK;

/** What somebody said of emergency access. */
struct ml_glass_note {
    struct ml_writer_id writer;
    struct ml_glass_say say; /* text borrowed */
};
typedef ml_err ml_glass_note_cb(void *user, const struct ml_glass_note *note);
/** All that counts and opens here, in order of arrival; *closed: how many more don't open. `each`
 * asks nothing of the vault; its error ends the walk. */
ml_err ml_vault_each_glass(struct ml_vault *v, ml_glass_note_cb *each, void *user,
                           uint32_t *closed) ML_MUST_CHECK;

#endif
