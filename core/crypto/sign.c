/* core/crypto/sign.c -- see sign.h. The expanded key lives on the stack for one call. */
#include "core/crypto/sign.h"

#include <sodium.h>
#include <string.h>

#include "core/base/assert.h"

_Static_assert(crypto_sign_SEEDBYTES == ML_SIGN_SEED_BYTES, "seed");
_Static_assert(crypto_sign_BYTES == ML_SIGN_BYTES, "signature");
_Static_assert(crypto_sign_PUBLICKEYBYTES == sizeof(struct ml_sign_pk), "public key");

static void seed_expand(uint8_t pk[crypto_sign_PUBLICKEYBYTES],
                        uint8_t sk[crypto_sign_SECRETKEYBYTES], const struct ml_secret *seed)
{
    ML_ASSERT(ml_secret_len(seed) == ML_SIGN_SEED_BYTES);
    int rc = crypto_sign_seed_keypair(pk, sk, ml_secret_bytes(seed));
    ML_ASSERT(rc == 0); /* it has no failure */
}

void ml_sign_pk_of(struct ml_sign_pk *pk, const struct ml_secret *seed)
{
    uint8_t sk[crypto_sign_SECRETKEYBYTES];
    seed_expand(pk->b, sk, seed);
    sodium_memzero(sk, sizeof(sk));
}

ml_err ml_sign_keypair(struct ml_sign_pk *pk, struct ml_secret **seed, const struct ml_env *env)
{
    struct ml_secret *fresh = NULL;
    ml_err err = ml_secret_random(&fresh, env, ML_SIGN_SEED_BYTES);
    if (err != ML_OK) {
        return err;
    }
    ml_sign_pk_of(pk, fresh);
    *seed = fresh;
    return ML_OK;
}

void ml_sign(uint8_t sig[ML_SIGN_BYTES], struct ml_slice msg, const struct ml_secret *seed)
{
    uint8_t pk[crypto_sign_PUBLICKEYBYTES];
    uint8_t sk[crypto_sign_SECRETKEYBYTES];
    seed_expand(pk, sk, seed);
    int rc = crypto_sign_detached(sig, NULL, msg.data, msg.len, sk);
    ML_ASSERT(rc == 0);
    sodium_memzero(sk, sizeof(sk));
}

ml_err ml_sign_verify(const struct ml_sign_pk *pk, struct ml_slice msg,
                      const uint8_t sig[ML_SIGN_BYTES])
{
    int rc = crypto_sign_verify_detached(sig, msg.data, msg.len, pk->b);
    return rc == 0 ? ML_OK : ML_E_FORGED;
}
