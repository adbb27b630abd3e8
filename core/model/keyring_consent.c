/* core/model/keyring_consent.c -- what patients decided, in lane 1: under a key of the admin KEK of
 * each of the patient's teams, so that whoever knows of the patient knows what he decided. */
#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/model/keyring_int.h"

static ml_err seal_for(struct ml_keyring *k, const struct ml_team_id *team, struct ml_slice plain,
                       struct ml_buf *buf, struct ml_consent_op *op)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_secret *key = NULL;
    const struct key_epoch *e = ml_keyring_sealing(k, team, ML_COMPARTMENT_ADMIN);
    if (e == NULL || e->kek_key == NULL) {
        return ML_E_NO_KEY;
    }
    ml_buf_clear(buf);
    uint8_t *out = ml_buf_extend(buf, plain.len + ML_AEAD_TAG_BYTES);
    ml_err err =
        out == NULL ? buf->err : ml_kdf(ML_KDF_KEK_CONSENT, &key, e->kek_key, ml_slice(NULL, 0));
    if (err != ML_OK) {
        return err;
    }
    op->team = *team;
    op->sealed.key = e->kek;
    k->env->random(k->env->ctx, op->sealed.nonce, sizeof(op->sealed.nonce));
    const size_t ad_len = ml_consent_op_ad(ad, &k->org, op);
    ml_aead_seal(out, plain, ml_slice(ad, ad_len), op->sealed.nonce, ml_secret_bytes(key));
    op->sealed.ct = ml_slice(out, plain.len + ML_AEAD_TAG_BYTES);
    ml_secret_free(key);
    return ML_OK;
}

/* Two openings in one team are one team. */
static bool is_repeated(const struct patient_links *links, size_t at)
{
    size_t i = 0;
    while (i < at && memcmp(links->link[i].team.b, links->link[at].team.b,
                            sizeof(links->link[i].team.b)) != 0) {
        i++;
    }
    return i < at;
}

ml_err ml_keyring_make_consent(struct ml_keyring *k, const struct ml_object_id *patient,
                               struct ml_slice plain, ml_keyop_cb *emit, void *user)
{
    struct patient_links links;
    struct ml_buf buf;
    ml_err err = ml_keyring_links(k, patient, &links);
    if (err != ML_OK) {
        return err;
    }
    ml_buf_init(&buf, k->env, ML_SEALED_BYTES_MAX);
    for (size_t i = 0; i < links.count && err == ML_OK; i++) {
        struct ml_keyop op = {.type = ML_KEYOP_CONSENT};
        if (is_repeated(&links, i)) {
            continue;
        }
        err = seal_for(k, &links.link[i].team, plain, &buf, &op.u.consent);
        if (err == ML_OK) {
            err = ml_keyring_emit(k, &op, emit, user);
        }
    }
    ml_buf_free(&buf);
    ml_keyring_links_wipe(&links);
    return err;
}

ml_err ml_keyring_open_consent(struct ml_keyring *k, const struct ml_consent_op *op,
                               struct ml_buf *out)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_secret *key = NULL;
    const size_t before = out->len;
    const struct key_epoch *e = ml_keyring_epoch_of_kek(k, &op->sealed.key);
    if (e == NULL || e->kek_key == NULL) {
        return ML_E_NO_KEY;
    }
    /* Under another group's key it would be for others than it says. */
    const bool group = e->compartment == ML_COMPARTMENT_ADMIN &&
                       memcmp(e->team.b, op->team.b, sizeof(op->team.b)) == 0;
    if (!group || op->sealed.ct.len < ML_AEAD_TAG_BYTES) {
        return ML_E_FORGED;
    }
    ml_err err = ml_kdf(ML_KDF_KEK_CONSENT, &key, e->kek_key, ml_slice(NULL, 0));
    if (err != ML_OK) {
        return err;
    }
    uint8_t *plain = ml_buf_extend(out, op->sealed.ct.len - ML_AEAD_TAG_BYTES);
    const size_t ad_len = ml_consent_op_ad(ad, &k->org, op);
    err = plain == NULL ? out->err
                        : ml_aead_open(plain, op->sealed.ct, ml_slice(ad, ad_len), op->sealed.nonce,
                                       ml_secret_bytes(key));
    if (err != ML_OK && plain != NULL) {
        out->len = before;
    }
    ml_secret_free(key);
    return err;
}
