/* core/model/keyring_card.c -- what lanes 0 and 1 say for members only: names, labels and cards,
 * and emergency access; under the `annuaire` KEK, so that members read it and relays don't (rules
 * A2). Bound to what it is about. */
#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/model/keyring_int.h"

/* The KEK that seals now. */
static ml_err key_now(const struct ml_keyring *k, struct ml_key_id *id, struct ml_secret **key)
{
    static const struct ml_team_id org_wide;
    const struct key_epoch *e = ml_keyring_sealing(k, &org_wide, ML_COMPARTMENT_ANNUAIRE);
    if (e == NULL || e->kek_key == NULL) {
        return ML_E_NO_KEY;
    }
    *id = e->kek;
    return ml_kdf(ML_KDF_KEK_ANNUAIRE, key, e->kek_key, ml_slice(NULL, 0));
}

struct sealing {
    const struct ml_secret *key; /* sealed->key is its id */
    struct ml_slice ad;
    struct ml_slice plain;
};

static ml_err seal(const struct ml_keyring *k, const struct sealing *in, struct ml_buf *buf,
                   struct ml_sealed *sealed)
{
    uint8_t *out = ml_buf_extend(buf, in->plain.len + ML_AEAD_TAG_BYTES);
    if (out == NULL) {
        return buf->err;
    }
    k->env->random(k->env->ctx, sealed->nonce, sizeof(sealed->nonce));
    ml_aead_seal(out, in->plain, in->ad, sealed->nonce, ml_secret_bytes(in->key));
    sealed->ct = ml_slice(out, in->plain.len + ML_AEAD_TAG_BYTES);
    return ML_OK;
}

static ml_err open_sealed(struct ml_keyring *k, const struct ml_sealed *sealed, struct ml_slice ad,
                          struct ml_buf *out)
{
    struct ml_secret *key = NULL;
    const size_t before = out->len;
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
    err = plain == NULL ? out->err
                        : ml_aead_open(plain, sealed->ct, ad, sealed->nonce, ml_secret_bytes(key));
    if (err != ML_OK && plain != NULL) {
        out->len = before;
    }
    ml_secret_free(key);
    return err;
}

ml_err ml_keyring_seal_card(struct ml_keyring *k, const struct ml_card_place *at,
                            struct ml_slice plain, struct ml_buf *buf, struct ml_sealed *sealed)
{
    struct ml_secret *key = NULL;
    struct ml_sealed out;
    ml_err err = key_now(k, &out.key, &key);
    if (err == ML_OK) {
        uint8_t ad[ML_KEYOP_AD_MAX];
        const struct ml_slice place = ml_slice(ad, ml_card_ad(ad, &k->org, at->kind, at->id));
        const struct sealing in = {key, place, plain};
        err = seal(k, &in, buf, &out);
    }
    if (err == ML_OK) {
        *sealed = out;
    }
    ml_secret_free(key);
    return err;
}

ml_err ml_keyring_open_card(struct ml_keyring *k, const struct ml_card_place *at,
                            const struct ml_sealed *sealed, struct ml_buf *out)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    return open_sealed(k, sealed, ml_slice(ad, ml_card_ad(ad, &k->org, at->kind, at->id)), out);
}

ml_err ml_keyring_seal_glass(struct ml_keyring *k, struct ml_slice plain, struct ml_buf *buf,
                             struct ml_glass_op *op)
{
    struct ml_secret *key = NULL;
    struct ml_glass_op out;
    ml_err err = key_now(k, &out.sealed.key, &key);
    if (err == ML_OK) {
        uint8_t ad[ML_KEYOP_AD_MAX];
        const struct ml_slice place = ml_slice(ad, ml_glass_op_ad(ad, &k->org, &out));
        const struct sealing in = {key, place, plain};
        err = seal(k, &in, buf, &out.sealed);
    }
    if (err == ML_OK) {
        *op = out;
    }
    ml_secret_free(key);
    return err;
}

ml_err ml_keyring_open_said(struct ml_keyring *k, const struct ml_glass_op *op, struct ml_buf *out)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    return open_sealed(k, &op->sealed, ml_slice(ad, ml_glass_op_ad(ad, &k->org, op)), out);
}
