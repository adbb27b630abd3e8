/* core/crypto/noise_cipher.c -- see noise_cipher.h.
 *
 * Nonce = 4 zero bytes || count u64 little-endian; 2^64 - 1 is REKEY's own. A count is used once a
 * key: sealing moves it before the bytes can leave, opening moves it only when the tag was right.
 */
#include "core/crypto/noise_cipher.h"

#include <sodium.h>
#include <string.h>

struct ml_noise_cipher {
    const struct ml_env *env; /* borrowed */
    struct ml_secret *key;    /* owned */
    uint64_t count;
};

enum { NONCE_BYTES = 12 };

_Static_assert(crypto_aead_chacha20poly1305_IETF_NPUBBYTES == NONCE_BYTES, "nonce");
_Static_assert(crypto_aead_chacha20poly1305_IETF_ABYTES == ML_NOISE_TAG_BYTES, "tag");
_Static_assert(crypto_aead_chacha20poly1305_IETF_KEYBYTES == ML_KEY_BYTES, "key");

static void nonce_of(uint8_t nonce[NONCE_BYTES], uint64_t count)
{
    memset(nonce, 0, 4);
    for (size_t i = 0; i < 8; i++) {
        nonce[4 + i] = (uint8_t)(count >> (8 * i));
    }
}

ml_err ml_noise_cipher_new(struct ml_noise_cipher **out, const struct ml_env *env,
                           const uint8_t key[ML_KEY_BYTES], uint64_t count)
{
    struct ml_noise_cipher *c = ml_alloc(env, sizeof(*c));
    if (c == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = ml_secret_from(&c->key, key, ML_KEY_BYTES);
    if (err != ML_OK) {
        ml_release(env, c);
        return err;
    }
    c->env = env;
    c->count = count;
    *out = c;
    return ML_OK;
}

void ml_noise_cipher_free(struct ml_noise_cipher *c)
{
    if (c != NULL) {
        ml_secret_free(c->key);
        ml_release(c->env, c);
    }
}

uint64_t ml_noise_cipher_count(const struct ml_noise_cipher *c)
{
    return c->count;
}

ml_err ml_noise_seal(struct ml_noise_cipher *c, uint8_t *out, struct ml_slice plain,
                     struct ml_slice ad)
{
    if (plain.len > ML_NOISE_PLAIN_MAX || c->count == UINT64_MAX) {
        return ML_E_LIMIT;
    }
    uint8_t nonce[NONCE_BYTES];
    nonce_of(nonce, c->count++);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.len, ad.data, ad.len,
                                              NULL, nonce, ml_secret_bytes(c->key));
    return ML_OK;
}

ml_err ml_noise_open(struct ml_noise_cipher *c, uint8_t *out, struct ml_slice sealed,
                     struct ml_slice ad)
{
    if (sealed.len < ML_NOISE_TAG_BYTES || sealed.len > ML_NOISE_MSG_MAX) {
        return ML_E_MALFORMED;
    }
    if (c->count == UINT64_MAX) {
        return ML_E_LIMIT;
    }
    uint8_t nonce[NONCE_BYTES];
    nonce_of(nonce, c->count);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.len, ad.data,
                                                  ad.len, nonce, ml_secret_bytes(c->key)) != 0) {
        return ML_E_FORGED;
    }
    c->count++;
    return ML_OK;
}

void ml_noise_rekey(struct ml_noise_cipher *c)
{
    static const uint8_t zeros[ML_KEY_BYTES];
    uint8_t nonce[NONCE_BYTES];
    uint8_t sealed[ML_KEY_BYTES + ML_NOISE_TAG_BYTES];
    nonce_of(nonce, UINT64_MAX);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, zeros, sizeof(zeros), NULL, 0, NULL,
                                              nonce, ml_secret_bytes(c->key));
    memcpy(ml_secret_writable(c->key), sealed, ML_KEY_BYTES);
    sodium_memzero(sealed, sizeof(sealed));
}
