/* net/node/token.h -- a member's card (PKCS#11, through p11-kit): seals a card secret to an RSA key
 * of the card, and has the card open it again. Modules are those that p11-kit is configured with.
 *
 * Each call loads the modules, speaks to the card and unloads them: nothing of the PIN or of a
 * login outlives it. A card takes up to some seconds. Org thread.
 */
#ifndef ML_NODE_TOKEN_H
#define ML_NODE_TOKEN_H

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/crypto/keystore.h"
#include "core/crypto/secret.h"
#include "maille/err.h"

#define ML_TOKEN_PIN_MAX 64u /* bytes */

/* What a person must be told of a card that didn't open. */
typedef enum ml_token_fault {
    ML_TOKEN_ABSENT,     /* NOT_FOUND: no card in any reader */
    ML_TOKEN_OTHER,      /* NOT_FOUND: cards, but none with this key, or with a fit one */
    ML_TOKEN_PIN_WRONG,  /* WRONG_KEY */
    ML_TOKEN_PIN_FEW,    /* WRONG_KEY; the card says that few tries are left */
    ML_TOKEN_PIN_LAST,   /* WRONG_KEY; one try is left */
    ML_TOKEN_PIN_LOCKED, /* DENIED: the card takes no PIN any more */
    ML_TOKEN_BROKEN,     /* IO: reader, driver or card failed */
} ml_token_fault;

/** Draws a card secret, seals it to the first RSA key that encrypts and decrypts, of the first card
 * that has one, and has it opened once. *secret is the caller's. Errors: those of the faults,
 * NOMEM. */
ml_err ml_token_seal(struct ml_card_lock *lock, struct ml_secret **secret, const struct ml_env *env,
                     struct ml_slice pin, ml_token_fault *fault) ML_MUST_CHECK;

/** The PIN goes only to a card that has the lock's key. Errors: those of the faults, NOMEM. */
ml_err ml_token_open(struct ml_secret **secret, const struct ml_card_lock *lock,
                     struct ml_slice pin, ml_token_fault *fault) ML_MUST_CHECK;

#endif
