/* core/model/keyring_card.c -- names, labels and cards in lanes 0 and 1: under the `annuaire` KEK,
 * so that members read them and relays don't (rules A2). Bound to what they name. */
#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/model/keyring_int.h"

ml_err ml_keyring_seal_card(struct ml_keyring *k, const struct ml_card_place *at,
                            struct ml_slice plain, struct ml_buf *buf, struct ml_sealed *sealed)
{
    static const struct ml_team_id org_wide;
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_secret *key = NULL;
    const struct key_epoch *e = ml_keyring_sealing(k, &org_wide, ML_COMPARTMENT_ANNUAIRE);
    if (e == NULL || e->kek_key == NULL) {
        return ML_E_NO_KEY;
    }
    uint8_t *out = ml_buf_extend(buf, plain.len + ML_AEAD_TAG_BYTES);
    ml_err err =
        out == NULL ? buf->err : ml_kdf(ML_KDF_KEK_ANNUAIRE, &key, e->kek_key, ml_slice(NULL, 0));
    if (err != ML_OK) {
        return err;
    }
    sealed->key = e->kek;
    k->env->random(k->env->ctx, sealed->nonce, sizeof(sealed->nonce));
    size_t ad_len = ml_card_ad(ad, &k->org, at->kind, at->id);
    ml_aead_seal(out, plain, ml_slice(ad, ad_len), sealed->nonce, ml_secret_bytes(key));
    sealed->ct = ml_slice(out, plain.len + ML_AEAD_TAG_BYTES);
    ml_secret_free(key);
    return ML_OK;
}

ml_err ml_keyring_open_card(struct ml_keyring *k, const struct ml_card_place *at,
                            const struct ml_sealed *sealed, struct ml_buf *out)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_secret *key = NULL;
    size_t before = out->len;
    if (sealed->ct.len < ML_AEAD_TAG_BYTES) {
        return ML_E_NOT_FOUND;
    }
    const struct key_epoch *e = ml_keyring_epoch_of_kek(k, &sealed->key);
    if (e == NULL || e->kek_key == NULL) {
        return ML_E_NO_KEY;
    }
    ml_err err = ml_kdf(ML_KDF_KEK_ANNUAIRE, &key, e->kek_key, ml_slice(NULL, 0));
    if (err != ML_OK) {
        return err;
    }
    uint8_t *plain = ml_buf_extend(out, sealed->ct.len - ML_AEAD_TAG_BYTES);
    size_t ad_len = ml_card_ad(ad, &k->org, at->kind, at->id);
    err = plain == NULL ? out->err
                        : ml_aead_open(plain, sealed->ct, ml_slice(ad, ad_len), sealed->nonce,
                                       ml_secret_bytes(key));
    if (err != ML_OK && plain != NULL) {
        out->len = before;
    }
    ml_secret_free(key);
    return err;
}
