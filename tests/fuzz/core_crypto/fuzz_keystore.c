/* tests/fuzz/core_crypto/fuzz_keystore.c -- any bytes as a keystore file: no crash, no leak; what
 * decodes encodes to the same bytes, and opens with nothing that it shouldn't.
 *
 * The sum at the end would stop every changed input, so a second try mends it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/keystore_file.h"
#include "fake_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SUM_BYTES = 32 };

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void open_with(struct ml_keystore *ks, const struct ml_secret *key)
{
    struct ml_secret *out = NULL;
    for (size_t i = 0; i < ml_keystore_member_count(ks); i++) {
        const struct ml_member_id *member = ml_keystore_member(ks, i);
        must(ml_keystore_get_section(ks, member, &out) == ML_E_LOCKED);
        ml_err err = ml_keystore_unlock_recovery(ks, member, key);
        must(err == ML_E_WRONG_KEY || err == ML_E_NOT_FOUND);
        err = ml_keystore_unlock_card(ks, member, key);
        must(err == ML_E_WRONG_KEY || err == ML_E_NOT_FOUND);
        const struct ml_card_lock *card = ml_keystore_card(ks, member);
        must((card != NULL) == (err == ML_E_WRONG_KEY));
        must(card == NULL || (card->sealed_len > 0 && card->sealed_len <= ML_CARD_SEALED_MAX));
        must(!ml_keystore_is_unlocked(ks, member));
    }
    ml_err err = ml_keystore_unlock_unattended(ks, key);
    must(err == ML_E_WRONG_KEY || err == ML_E_NOT_FOUND);
    must(!ml_keystore_node_is_open(ks) && out == NULL);
}

static void try_bytes(const struct ml_env *env, struct ml_slice bytes, const struct ml_secret *key)
{
    struct ml_keystore *ks = NULL;
    struct ml_keystore_damage damage = {NULL, 0};
    struct ml_buf again;
    ml_err err = ml_keystore_decode(&ks, env, bytes, &damage);
    if (err != ML_OK) {
        must(ks == NULL && damage.what != NULL && damage.offset <= bytes.len);
        must(err == ML_E_CORRUPT || err == ML_E_UNSUPPORTED);
        return;
    }
    ml_buf_init(&again, env, ML_KEYSTORE_FILE_MAX);
    must(ml_keystore_encode(ks, &again) == ML_OK);
    must(ml_slice_equal(ml_buf_slice(&again), bytes));
    ml_buf_free(&again);
    open_with(ks, key);
    ml_keystore_free(ks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fake_env fake;
    struct ml_secret *key = NULL;
    struct ml_buf mended;
    must(ml_crypto_init() == ML_OK);
    fake_env_init(&fake, 1);
    must(ml_secret_random(&key, &fake.env, 32) == ML_OK);
    try_bytes(&fake.env, ml_slice(data, len), key);
    if (len >= SUM_BYTES && len <= ML_KEYSTORE_FILE_MAX) {
        const struct ml_slice above = {data, len - SUM_BYTES};
        const struct ml_slice parts[] = {ml_slice_str("maille/keystore-sum/1"), above};
        ml_buf_init(&mended, &fake.env, ML_KEYSTORE_FILE_MAX);
        ml_buf_append(&mended, data, len);
        must(mended.err == ML_OK);
        ml_hash_parts(mended.data + above.len, SUM_BYTES, ml_slice(NULL, 0), parts, 2);
        try_bytes(&fake.env, ml_buf_slice(&mended), key);
        ml_buf_free(&mended);
    }
    ml_secret_free(key);
    must(fake.live == 0);
    return 0;
}
