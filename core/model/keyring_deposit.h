/* core/model/keyring_deposit.h -- writing what one can't read (rules A7): a secretary files a
 * letter.
 *
 * A data key of its own for each act, sealed to the group's deposit key, whose public half stands
 * in the epoch. Whoever holds the KEK opens it; who made it has it until the act is sealed. Pure,
 * as keyring.h.
 */
#ifndef ML_MODEL_KEYRING_DEPOSIT_H
#define ML_MODEL_KEYRING_DEPOSIT_H

#include "core/model/keyring_except.h"

/** A DEK of patient x compartment for one act: its wraps for every team of the patient and for
 * break-glass go to `emit`; where somebody is left out (who->count > 0) its slots. It opens here
 * until ml_keyring_drop. NOT_FOUND; NO_KEY: a team has no epoch that seals, or none for deposits.
 */
ml_err ml_keyring_make_deposit(struct ml_keyring *k, const struct ml_exception *who,
                               struct ml_seal_key *out, ml_keyop_cb *emit,
                               void *user) ML_MUST_CHECK;
/** The act is sealed: who made the key forgets it. */
void ml_keyring_drop(struct ml_keyring *k, const struct ml_seal_key *key);

#endif
