/* core/crypto/box.c -- see box.h.
 *
 * Slot and anonymous box are the same thing: an ephemeral X25519 key, a key drawn from the shared
 * point by BLAKE2b over everything that names the place, and one XChaCha20-Poly1305 message under
 * it with nonce zero. The nonce may be constant because each such key seals one message: it is
 * bound to the ephemeral key, the recipient and the slot's kind and index.
 *
 * Shared points and derived keys stay on the stack for one call and are wiped: a revocation makes
 * thousands of slots, and guarded memory costs more than the curve does.
 */
#include "core/crypto/box.h"

#include <sodium.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/aead.h"
#include "core/crypto/hash.h"

enum { SHARED_BYTES = 32 };

static const uint8_t nonce_zero[ML_AEAD_NONCE_BYTES];

_Static_assert(crypto_scalarmult_curve25519_BYTES == SHARED_BYTES, "shared point");
_Static_assert(crypto_scalarmult_curve25519_SCALARBYTES == ML_BOX_SECRET_BYTES, "secret");
_Static_assert(ML_SLOT_BYTES == ML_KEY_BYTES + ML_AEAD_TAG_BYTES, "slot");
_Static_assert(ML_ANON_EXTRA_BYTES == sizeof(struct ml_box_pk) + ML_AEAD_TAG_BYTES, "anonymous");

static void pk_of_bytes(struct ml_box_pk *pk, const uint8_t secret[ML_BOX_SECRET_BYTES])
{
    int rc = crypto_scalarmult_curve25519_base(pk->b, secret);
    ML_ASSERT(rc == 0); /* the base point has no small order */
}

static ml_err dh_bytes(uint8_t shared[SHARED_BYTES], const uint8_t secret[ML_BOX_SECRET_BYTES],
                       const struct ml_box_pk *peer)
{
    return crypto_scalarmult_curve25519(shared, secret, peer->b) == 0 ? ML_OK : ML_E_FORGED;
}

void ml_box_pk_of(struct ml_box_pk *pk, const struct ml_secret *secret)
{
    ML_ASSERT(ml_secret_len(secret) == ML_BOX_SECRET_BYTES);
    pk_of_bytes(pk, ml_secret_bytes(secret));
}

ml_err ml_box_keypair(struct ml_box_pk *pk, struct ml_secret **secret, const struct ml_env *env)
{
    struct ml_secret *fresh = NULL;
    ml_err err = ml_secret_random(&fresh, env, ML_BOX_SECRET_BYTES);
    if (err != ML_OK) {
        return err;
    }
    ml_box_pk_of(pk, fresh);
    *secret = fresh;
    return ML_OK;
}

ml_err ml_box_dh(struct ml_secret **out, const struct ml_secret *secret,
                 const struct ml_box_pk *peer)
{
    ML_ASSERT(ml_secret_len(secret) == ML_BOX_SECRET_BYTES);
    struct ml_secret *shared = NULL;
    ml_err err = ml_secret_new(&shared, SHARED_BYTES);
    if (err != ML_OK) {
        return err;
    }
    err = dh_bytes(ml_secret_writable(shared), ml_secret_bytes(secret), peer);
    if (err != ML_OK) {
        ml_secret_free(shared);
        return err;
    }
    *out = shared;
    return ML_OK;
}

/* Fresh randomness mixed with what is sealed and where: see ml_slot_ephemeral. */
static void ephemeral_make(uint8_t secret[ML_BOX_SECRET_BYTES], const struct ml_env *env,
                           struct ml_slice sealed, struct ml_slice context)
{
    uint8_t fresh[ML_BOX_SECRET_BYTES];
    uint8_t context_hash[32];
    env->random(env->ctx, fresh, sizeof(fresh));
    ml_hash_parts(context_hash, sizeof(context_hash), ml_slice(NULL, 0), &context, 1);
    const struct ml_slice parts[] = {ml_slice_str("maille/ephemeral/1"),
                                     ml_slice(context_hash, sizeof(context_hash)), sealed};
    ml_hash_parts(secret, ML_BOX_SECRET_BYTES, ml_slice(fresh, sizeof(fresh)), parts, 3);
    sodium_memzero(fresh, sizeof(fresh));
}

ml_err ml_slot_ephemeral(struct ml_box_pk *pk, struct ml_secret **secret, const struct ml_env *env,
                         const struct ml_secret *sealed)
{
    struct ml_secret *made = NULL;
    ml_err err = ml_secret_new(&made, ML_BOX_SECRET_BYTES);
    if (err != ML_OK) {
        return err;
    }
    ephemeral_make(ml_secret_writable(made), env,
                   ml_slice(ml_secret_bytes(sealed), ml_secret_len(sealed)), ml_slice(NULL, 0));
    ml_box_pk_of(pk, made);
    *secret = made;
    return ML_OK;
}

/* slot key = BLAKE2b-32(key = shared point, label || kind 1 || org 32 || team 16 || compartment 1
 * || epoch 4 || index 2 || ephemeral 32 || recipient 32): all of fixed size. */
static ml_err slot_key(uint8_t key[ML_KEY_BYTES], const struct ml_slot_at *at,
                       const struct ml_secret *secret, const struct ml_box_pk *peer)
{
    ML_ASSERT(ml_secret_len(secret) == ML_BOX_SECRET_BYTES);
    uint8_t shared[SHARED_BYTES];
    ml_err err = dh_bytes(shared, ml_secret_bytes(secret), peer);
    if (err != ML_OK) {
        return err;
    }
    const uint8_t kind = (uint8_t)at->kind;
    uint8_t numbers[7];
    numbers[0] = at->compartment;
    ml_put_u32be(numbers + 1, at->epoch);
    numbers[5] = (uint8_t)(at->index >> 8);
    numbers[6] = (uint8_t)at->index;
    const struct ml_slice parts[] = {
        ml_slice_str("maille/slot/1"),
        ml_slice(&kind, 1),
        ml_slice(at->org.b, sizeof(at->org.b)),
        ml_slice(at->team.b, sizeof(at->team.b)),
        ml_slice(numbers, sizeof(numbers)),
        ml_slice(at->ephemeral.b, sizeof(at->ephemeral.b)),
        ml_slice(at->recipient.b, sizeof(at->recipient.b)),
    };
    ml_hash_parts(key, ML_KEY_BYTES, ml_slice(shared, sizeof(shared)), parts,
                  sizeof(parts) / sizeof(parts[0]));
    sodium_memzero(shared, sizeof(shared));
    return ML_OK;
}

ml_err ml_slot_seal(uint8_t slot[ML_SLOT_BYTES], const struct ml_slot_at *at,
                    const struct ml_secret *secret, const struct ml_secret *key)
{
    ML_ASSERT(ml_secret_len(key) == ML_KEY_BYTES);
    uint8_t slot_seal_key[ML_KEY_BYTES];
    ml_err err = slot_key(slot_seal_key, at, secret, &at->recipient);
    if (err != ML_OK) {
        return err;
    }
    ml_aead_seal(slot, ml_slice(ml_secret_bytes(key), ML_KEY_BYTES), ml_slice(NULL, 0), nonce_zero,
                 slot_seal_key);
    sodium_memzero(slot_seal_key, sizeof(slot_seal_key));
    return ML_OK;
}

ml_err ml_slot_open(struct ml_secret **key, const uint8_t slot[ML_SLOT_BYTES],
                    const struct ml_slot_at *at, const struct ml_secret *secret)
{
    uint8_t slot_open_key[ML_KEY_BYTES];
    struct ml_secret *opened = NULL;
    ml_err err = ml_secret_new(&opened, ML_KEY_BYTES);
    if (err != ML_OK) {
        return err;
    }
    err = slot_key(slot_open_key, at, secret, &at->ephemeral);
    if (err == ML_OK) {
        err = ml_aead_open(ml_secret_writable(opened), ml_slice(slot, ML_SLOT_BYTES),
                           ml_slice(NULL, 0), nonce_zero, slot_open_key);
        sodium_memzero(slot_open_key, sizeof(slot_open_key));
    }
    if (err != ML_OK) {
        ml_secret_free(opened);
        return err;
    }
    *key = opened;
    return ML_OK;
}

/* box key = BLAKE2b-32(key = shared point, label || ephemeral 32 || recipient 32 || context): the
 * context is last and the rest of fixed size, so no two inputs give the same bytes. */
static void anon_key(uint8_t key[ML_KEY_BYTES], const uint8_t shared[SHARED_BYTES],
                     const struct ml_box_pk ends[2], struct ml_slice context)
{
    const struct ml_slice parts[] = {
        ml_slice_str("maille/anon/1"),
        ml_slice(ends[0].b, sizeof(ends[0].b)),
        ml_slice(ends[1].b, sizeof(ends[1].b)),
        context,
    };
    ml_hash_parts(key, ML_KEY_BYTES, ml_slice(shared, SHARED_BYTES), parts, 4);
}

ml_err ml_seal_anon(uint8_t *out, struct ml_slice plain, const struct ml_box_pk *recipient,
                    struct ml_slice context, const struct ml_env *env)
{
    if (plain.len > ML_ANON_PLAIN_MAX) {
        return ML_E_LIMIT;
    }
    uint8_t secret[ML_BOX_SECRET_BYTES];
    uint8_t shared[SHARED_BYTES];
    uint8_t key[ML_KEY_BYTES];
    struct ml_box_pk ends[2] = {{{0}}, *recipient};
    ephemeral_make(secret, env, plain, context);
    pk_of_bytes(&ends[0], secret);
    ml_err err = dh_bytes(shared, secret, recipient);
    sodium_memzero(secret, sizeof(secret));
    if (err != ML_OK) {
        return err;
    }
    anon_key(key, shared, ends, context);
    memcpy(out, ends[0].b, sizeof(ends[0].b));
    ml_aead_seal(out + sizeof(ends[0].b), plain, ml_slice(NULL, 0), nonce_zero, key);
    sodium_memzero(shared, sizeof(shared));
    sodium_memzero(key, sizeof(key));
    return ML_OK;
}

ml_err ml_open_anon(uint8_t *out, struct ml_slice sealed, const struct ml_secret *secret,
                    struct ml_slice context)
{
    if (sealed.len < ML_ANON_EXTRA_BYTES || sealed.len - ML_ANON_EXTRA_BYTES > ML_ANON_PLAIN_MAX) {
        return ML_E_FORGED;
    }
    uint8_t shared[SHARED_BYTES];
    uint8_t key[ML_KEY_BYTES];
    struct ml_box_pk ends[2];
    memcpy(ends[0].b, sealed.data, sizeof(ends[0].b));
    ml_box_pk_of(&ends[1], secret);
    ml_err err = dh_bytes(shared, ml_secret_bytes(secret), &ends[0]);
    if (err != ML_OK) {
        return err;
    }
    anon_key(key, shared, ends, context);
    err =
        ml_aead_open(out, ml_slice(sealed.data + sizeof(ends[0].b), sealed.len - sizeof(ends[0].b)),
                     ml_slice(NULL, 0), nonce_zero, key);
    sodium_memzero(shared, sizeof(shared));
    sodium_memzero(key, sizeof(key));
    return err;
}
