/* core/crypto/aead.c -- see aead.h. */
#include "core/crypto/aead.h"

#include <sodium.h>

#include "core/crypto/hash.h"

_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == ML_AEAD_KEY_BYTES, "key");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == ML_AEAD_NONCE_BYTES, "nonce");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == ML_AEAD_TAG_BYTES, "tag");

void ml_aead_nonce(uint8_t nonce[ML_AEAD_NONCE_BYTES], const struct ml_env *env,
                   struct ml_slice plain, struct ml_slice ad, const uint8_t key[ML_AEAD_KEY_BYTES])
{
    uint8_t fresh[32];
    uint8_t ad_len[8];
    env->random(env->ctx, fresh, sizeof(fresh));
    ml_put_u64be(ad_len, ad.len);
    const struct ml_slice parts[] = {ml_slice_str("maille/nonce/1"), ml_slice(fresh, sizeof(fresh)),
                                     ml_slice(ad_len, sizeof(ad_len)), ad, plain};
    ml_hash_parts(nonce, ML_AEAD_NONCE_BYTES, ml_slice(key, ML_AEAD_KEY_BYTES), parts, 5);
    sodium_memzero(fresh, sizeof(fresh));
}

void ml_aead_seal(uint8_t *out, struct ml_slice plain, struct ml_slice ad,
                  const uint8_t nonce[ML_AEAD_NONCE_BYTES], const uint8_t key[ML_AEAD_KEY_BYTES])
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.len, ad.data, ad.len,
                                               NULL, nonce, key);
}

ml_err ml_aead_open(uint8_t *out, struct ml_slice sealed, struct ml_slice ad,
                    const uint8_t nonce[ML_AEAD_NONCE_BYTES], const uint8_t key[ML_AEAD_KEY_BYTES])
{
    if (sealed.len < ML_AEAD_TAG_BYTES) {
        return ML_E_FORGED;
    }
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.len,
                                                        ad.data, ad.len, nonce, key);
    return rc == 0 ? ML_OK : ML_E_FORGED;
}

void ml_aead_seal_detached(uint8_t *out, uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice plain,
                           struct ml_slice ad, const uint8_t *nonce_and_key[2])
{
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(out, tag, NULL, plain.data, plain.len,
                                                        ad.data, ad.len, NULL, nonce_and_key[0],
                                                        nonce_and_key[1]);
}

ml_err ml_aead_open_detached(uint8_t *out, const uint8_t tag[ML_AEAD_TAG_BYTES],
                             struct ml_slice sealed, struct ml_slice ad,
                             const uint8_t *nonce_and_key[2])
{
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
        out, NULL, sealed.data, sealed.len, tag, ad.data, ad.len, nonce_and_key[0],
        nonce_and_key[1]);
    return rc == 0 ? ML_OK : ML_E_FORGED;
}
