/* tests/sim/sim_fast.c -- calls that the simulator takes the place of, for its speed alone
 * (tests/CMakeLists.txt wraps them). No check is left out:
 *
 * crypto_sign_verify_detached   five nodes verify the same bytes again and again: what libsodium
 *                               once said of the same key, signature and message is said again
 * crypto_sign_detached          what it signed verifies, under the key of then
 * crypto_scalarmult_curve25519, its _base, crypto_sign_seed_keypair
 *                               likewise, of the same secrets and points, byte by byte
 * ml_aead_seal_detached, ml_aead_open_detached
 *                               disks: a block that was sealed or opened opens again without a
 *                               cipher, where key, nonce, associated data, tag and every sealed
 *                               byte are those of then; whatever differs goes to libsodium
 * sodium_malloc, sodium_free    tests/fakes/unguarded
 *
 * A failure is never remembered but a signature's. The tables keep secrets of a world that isn't.
 */
#include <sodium.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/aead.h"
#include "sim.h"

/* One thread has all nodes, and nobody asks how much memory SQLite has. */
void sim_fast_begin(void)
{
    int rc = sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    ML_ASSERT(rc == SQLITE_OK);
    rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    ML_ASSERT(rc == SQLITE_OK);
}

/* ---- signatures ---- */

enum { VERDICTS = 1 << 16, KEY_BYTES = 32 };

struct verdict {
    uint8_t key[KEY_BYTES]; /* hash of all that was verified */
    bool known;
    bool good;
};

int verify_real(const unsigned char *sig, const unsigned char *msg, unsigned long long len,
                const unsigned char *pk) __asm__("__real_crypto_sign_verify_detached");
int verify_here(const unsigned char *sig, const unsigned char *msg, unsigned long long len,
                const unsigned char *pk) __asm__("__wrap_crypto_sign_verify_detached");

int sign_real(unsigned char *sig, unsigned long long *sig_len, const unsigned char *msg,
              unsigned long long len,
              const unsigned char *sk) __asm__("__real_crypto_sign_detached");
int sign_here(unsigned char *sig, unsigned long long *sig_len, const unsigned char *msg,
              unsigned long long len,
              const unsigned char *sk) __asm__("__wrap_crypto_sign_detached");

/* Its place, and whether it is this one that stands there; if not, it is forgotten. */
static struct verdict *verdict_at(const unsigned char *sig, const unsigned char *msg,
                                  unsigned long long len, const unsigned char *pk)
{
    static struct verdict verdicts[VERDICTS];
    uint8_t key[KEY_BYTES];
    size_t at = 0;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof(key));
    crypto_generichash_update(&state, pk, crypto_sign_PUBLICKEYBYTES);
    crypto_generichash_update(&state, sig, crypto_sign_BYTES);
    crypto_generichash_update(&state, msg, len);
    crypto_generichash_final(&state, key, sizeof(key));
    memcpy(&at, key, sizeof(at));
    struct verdict *v = &verdicts[at % VERDICTS];
    v->known = v->known && memcmp(v->key, key, sizeof(key)) == 0;
    memcpy(v->key, key, sizeof(key));
    return v;
}

int verify_here(const unsigned char *sig, const unsigned char *msg, unsigned long long len,
                const unsigned char *pk)
{
    struct verdict *v = verdict_at(sig, msg, len, pk);
    if (!v->known) {
        v->good = verify_real(sig, msg, len, pk) == 0;
        v->known = true;
    }
    return v->good ? 0 : -1;
}

/* The second half of a secret key is its public key. */
int sign_here(unsigned char *sig, unsigned long long *sig_len, const unsigned char *msg,
              unsigned long long len, const unsigned char *sk)
{
    const int rc = sign_real(sig, sig_len, msg, len, sk);
    if (rc == 0) {
        struct verdict *v =
            verdict_at(sig, msg, len, sk + crypto_sign_SECRETKEYBYTES - crypto_sign_PUBLICKEYBYTES);
        v->good = true;
        v->known = true;
    }
    return rc;
}

/* ---- keys: 32 bytes, or twice 32, give others ---- */

enum { DERIVED = 1 << 13, POINT_BYTES = 32, FROM_BYTES = 64, PAIR_BYTES = 96 };

struct derived {
    uint8_t from[FROM_BYTES];
    uint8_t out[PAIR_BYTES];
    bool known;
};

/* Its place for these bytes, which may hold what others gave; `b` NULL: there is none. */
static struct derived *derived_at(struct derived *all, uint8_t from[FROM_BYTES], const uint8_t *a,
                                  const uint8_t *b)
{
    uint64_t words[FROM_BYTES / sizeof(uint64_t)];
    memset(from, 0, FROM_BYTES);
    memcpy(from, a, POINT_BYTES);
    if (b != NULL) {
        memcpy(from + POINT_BYTES, b, POINT_BYTES);
    }
    memcpy(words, from, sizeof(words));
    return &all[(words[0] ^ words[4]) % DERIVED];
}

static bool derived_is(const struct derived *d, const uint8_t from[FROM_BYTES])
{
    return d->known && memcmp(d->from, from, sizeof(d->from)) == 0;
}

static void derived_set(struct derived *d, const uint8_t from[FROM_BYTES], struct ml_slice a,
                        struct ml_slice b)
{
    memcpy(d->from, from, sizeof(d->from));
    memcpy(d->out, a.data, a.len);
    if (b.len > 0) {
        memcpy(d->out + a.len, b.data, b.len);
    }
    d->known = true;
}

int base_real(unsigned char *q,
              const unsigned char *n) __asm__("__real_crypto_scalarmult_curve25519_base");
int base_here(unsigned char *q,
              const unsigned char *n) __asm__("__wrap_crypto_scalarmult_curve25519_base");

int base_here(unsigned char *q, const unsigned char *n)
{
    static struct derived all[DERIVED];
    uint8_t from[FROM_BYTES];
    struct derived *d = derived_at(all, from, n, NULL);
    if (!derived_is(d, from)) {
        if (base_real(q, n) != 0) {
            return -1;
        }
        derived_set(d, from, ml_slice(q, POINT_BYTES), ml_slice(NULL, 0));
    }
    memcpy(q, d->out, POINT_BYTES);
    return 0;
}

int mult_real(unsigned char *q, const unsigned char *n,
              const unsigned char *p) __asm__("__real_crypto_scalarmult_curve25519");
int mult_here(unsigned char *q, const unsigned char *n,
              const unsigned char *p) __asm__("__wrap_crypto_scalarmult_curve25519");

int mult_here(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
    static struct derived all[DERIVED];
    uint8_t from[FROM_BYTES];
    struct derived *d = derived_at(all, from, n, p);
    if (!derived_is(d, from)) {
        if (mult_real(q, n, p) != 0) {
            return -1;
        }
        derived_set(d, from, ml_slice(q, POINT_BYTES), ml_slice(NULL, 0));
    }
    memcpy(q, d->out, POINT_BYTES);
    return 0;
}

int pair_real(unsigned char *pk, unsigned char *sk,
              const unsigned char *seed) __asm__("__real_crypto_sign_seed_keypair");
int pair_here(unsigned char *pk, unsigned char *sk,
              const unsigned char *seed) __asm__("__wrap_crypto_sign_seed_keypair");

int pair_here(unsigned char *pk, unsigned char *sk, const unsigned char *seed)
{
    static struct derived all[DERIVED];
    uint8_t from[FROM_BYTES];
    struct derived *d = derived_at(all, from, seed, NULL);
    if (!derived_is(d, from)) {
        if (pair_real(pk, sk, seed) != 0) {
            return -1;
        }
        derived_set(d, from, ml_slice(pk, crypto_sign_PUBLICKEYBYTES),
                    ml_slice(sk, crypto_sign_SECRETKEYBYTES));
    }
    memcpy(pk, d->out, crypto_sign_PUBLICKEYBYTES);
    memcpy(sk, d->out + crypto_sign_PUBLICKEYBYTES, crypto_sign_SECRETKEYBYTES);
    return 0;
}

/* ---- blocks of disks ---- */

enum { BLOCKS = 1 << 12, BLOCK_MAX = 4096, AD_MAX = 128 };

struct block {
    uint8_t tag[ML_AEAD_TAG_BYTES];
    uint8_t nonce[ML_AEAD_NONCE_BYTES];
    uint8_t key[ML_AEAD_KEY_BYTES];
    uint8_t ad[AD_MAX];
    size_t ad_len;
    size_t len;
    uint8_t sealed[BLOCK_MAX];
    uint8_t plain[BLOCK_MAX];
    bool known;
};

void seal_real(uint8_t *out, uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice plain,
               struct ml_slice ad,
               const uint8_t *nonce_and_key[2]) __asm__("__real_ml_aead_seal_detached");
void seal_here(uint8_t *out, uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice plain,
               struct ml_slice ad,
               const uint8_t *nonce_and_key[2]) __asm__("__wrap_ml_aead_seal_detached");
ml_err open_real(uint8_t *out, const uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice sealed,
                 struct ml_slice ad,
                 const uint8_t *nonce_and_key[2]) __asm__("__real_ml_aead_open_detached");
ml_err open_here(uint8_t *out, const uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice sealed,
                 struct ml_slice ad,
                 const uint8_t *nonce_and_key[2]) __asm__("__wrap_ml_aead_open_detached");

/* NULL: larger than a block. */
static struct block *block_at(const uint8_t tag[ML_AEAD_TAG_BYTES], size_t len, size_t ad_len)
{
    static struct block blocks[BLOCKS];
    size_t at = 0;
    memcpy(&at, tag, sizeof(at));
    return len <= BLOCK_MAX && ad_len <= AD_MAX ? &blocks[at % BLOCKS] : NULL;
}

static bool block_is(const struct block *b, const uint8_t tag[ML_AEAD_TAG_BYTES],
                     struct ml_slice sealed, struct ml_slice ad, const uint8_t *nonce_and_key[2])
{
    return b->known && memcmp(b->tag, tag, sizeof(b->tag)) == 0 &&
           memcmp(b->nonce, nonce_and_key[0], sizeof(b->nonce)) == 0 &&
           memcmp(b->key, nonce_and_key[1], sizeof(b->key)) == 0 &&
           ml_slice_equal(ml_slice(b->ad, b->ad_len), ad) &&
           ml_slice_equal(ml_slice(b->sealed, b->len), sealed);
}

/* All but its plain bytes: until they are there it isn't known. */
static void block_set(struct block *b, const uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice sealed,
                      struct ml_slice ad, const uint8_t *nonce_and_key[2])
{
    b->known = false;
    memcpy(b->tag, tag, sizeof(b->tag));
    memcpy(b->nonce, nonce_and_key[0], sizeof(b->nonce));
    memcpy(b->key, nonce_and_key[1], sizeof(b->key));
    b->ad_len = ad.len;
    b->len = sealed.len;
    if (ad.len > 0) {
        memcpy(b->ad, ad.data, ad.len);
    }
    if (sealed.len > 0) {
        memcpy(b->sealed, sealed.data, sealed.len);
    }
}

void seal_here(uint8_t *out, uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice plain,
               struct ml_slice ad, const uint8_t *nonce_and_key[2])
{
    static uint8_t kept[BLOCK_MAX]; /* `out` may be where they are */
    if (plain.len > 0 && plain.len <= sizeof(kept)) {
        memcpy(kept, plain.data, plain.len);
    }
    seal_real(out, tag, plain, ad, nonce_and_key);
    struct block *b = block_at(tag, plain.len, ad.len);
    if (b != NULL) {
        block_set(b, tag, ml_slice(out, plain.len), ad, nonce_and_key);
        memcpy(b->plain, kept, plain.len);
        b->known = true;
    }
}

ml_err open_here(uint8_t *out, const uint8_t tag[ML_AEAD_TAG_BYTES], struct ml_slice sealed,
                 struct ml_slice ad, const uint8_t *nonce_and_key[2])
{
    struct block *b = block_at(tag, sealed.len, ad.len);
    if (b == NULL) {
        return open_real(out, tag, sealed, ad, nonce_and_key);
    }
    if (block_is(b, tag, sealed, ad, nonce_and_key)) {
        memcpy(out, b->plain, sealed.len);
        return ML_OK;
    }
    block_set(b, tag, sealed, ad, nonce_and_key); /* `out` may be where the sealed bytes are */
    ml_err err = open_real(out, tag, sealed, ad, nonce_and_key);
    if (err == ML_OK) {
        memcpy(b->plain, out, sealed.len);
        b->known = true;
    }
    return err;
}
