/* core/record/consents.h -- what patients decided, as a vault knows it, and what of it hides from
 * the vault's member (docs/storage/vault.md).
 *
 * A vault keeps every statement that its keys open, and obeys those that are about its member: what
 * he isn't to see is in no table of it. One thread.
 */
#ifndef ML_RECORD_CONSENTS_H
#define ML_RECORD_CONSENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/model/consent.h"
#include "core/record/vault.h"
#include "maille/err.h"
#include "maille/types.h"

/** All statements of one patient; none is none. Receipts come last: they aren't weighed. */
struct ml_consents {
    const struct ml_env *env;
    struct ml_consent_fact *facts;
    struct ml_writer_id *writers; /* of each */
    size_t count;                 /* all */
    size_t weighed;               /* without receipts: those of `set` */
    struct ml_consent_set *set;
    struct ml_buf bytes;                           /* that the facts borrow */
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX]; /* of the patient */
    size_t team_count;
};

/** `gov` tells whose the writers are. Errors: NOMEM, the vault's. Free it in any case. */
ml_err ml_consents_load(struct ml_consents *out, struct ml_vault *v, const struct ml_gov *gov,
                        const struct ml_object_id *patient) ML_MUST_CHECK;
void ml_consents_free(struct ml_consents *c);

/** Is anything of this patient (NULL: of any) kept from the vault's member? Not whether there is
 * anything behind. */
ml_err ml_vault_hides_any(struct ml_vault *v, const struct ml_object_id *patient,
                          bool *hides) ML_MUST_CHECK;
/** Would this be hidden from the vault's member? */
ml_err ml_vault_hides(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_entity *entity, const struct ml_object_id *object,
                      bool *hides) ML_MUST_CHECK;

/** A patient about whom this vault obeys statements that nobody was told of yet. NOT_FOUND: none.
 * What they took from the vault stands nowhere in its file any more (rules C12). */
ml_err ml_vault_obeyed(struct ml_vault *v, struct ml_object_id *patient) ML_MUST_CHECK;
ml_err ml_vault_obeyed_told(struct ml_vault *v, const struct ml_object_id *patient) ML_MUST_CHECK;

/** How many statements this vault has opened since it was: it tells that one came. */
uint64_t ml_vault_heard(const struct ml_vault *v);
/** The next patient after `*patient` who said anything. NOT_FOUND: none. */
ml_err ml_vault_decided(struct ml_vault *v, struct ml_object_id *patient) ML_MUST_CHECK;

/* Keys that were destroyed in the log (rules A5): the vault drops its copies as it catches up. */
/** It has followed, and no page of its file holds them. BUSY: not yet. */
ml_err ml_vault_wiped(struct ml_vault *v, const struct ml_log *log) ML_MUST_CHECK;
/** Up to which number (ml_log_shredded) it was signed for; 0: none. */
ml_err ml_vault_shreds_told(struct ml_vault *v, uint64_t *number) ML_MUST_CHECK;
ml_err ml_vault_shreds_tell(struct ml_vault *v, uint64_t number) ML_MUST_CHECK;

/** Has lane 1 been taken in as far as the log goes, or nothing of lane 3 yet: may anything be
 * answered? Later bundles of other lanes don't keep it waiting: a full disk takes none in. */
ml_err ml_vault_knows_denials(struct ml_vault *v, struct ml_log *log, bool *known) ML_MUST_CHECK;

#endif
