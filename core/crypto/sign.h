/* core/crypto/sign.h -- Ed25519 (RFC 8032, PureEdDSA). What is signed starts with its own domain
 * label (it is a labelled hash everywhere in Maille), so that one key's signatures can't be moved
 * between formats. Any thread. */
#ifndef ML_CRYPTO_SIGN_H
#define ML_CRYPTO_SIGN_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_SIGN_SEED_BYTES 32u
#define ML_SIGN_BYTES      64u

/** A fresh key; *seed (32 bytes) is the caller's to free. Errors: NOMEM (outputs untouched). */
ml_err ml_sign_keypair(struct ml_sign_pk *pk, struct ml_secret **seed,
                       const struct ml_env *env) ML_MUST_CHECK;
/** The public key of a 32-byte seed. */
void ml_sign_pk_of(struct ml_sign_pk *pk, const struct ml_secret *seed);

/** Always from the seed, never from a stored (secret, public) pair: signing with a public key that
 * doesn't belong to the secret gives the secret away. */
void ml_sign(uint8_t sig[ML_SIGN_BYTES], struct ml_slice msg, const struct ml_secret *seed);

/** FORGED also for keys of small order, non-canonical keys and non-canonical S. */
ml_err ml_sign_verify(const struct ml_sign_pk *pk, struct ml_slice msg,
                      const uint8_t sig[ML_SIGN_BYTES]) ML_MUST_CHECK;

#endif
