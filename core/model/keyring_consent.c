/* core/model/keyring_consent.c -- what patients decided, in lane 1: under a key of the admin KEK of
 * each of the patient's teams, so that whoever knows of the patient knows what he decided. Who
 * isn't in all of them seals it for his; who is, for the others (net/node/share.h). */
#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_int.h"

static ml_err seal_for(struct ml_keyring *k, const struct ml_team_id *team, struct ml_slice plain,
                       struct ml_buf *buf, struct ml_consent_op *op)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const struct key_epoch *e = ml_keyring_sealing(k, team, ML_COMPARTMENT_ADMIN);
    if (e == NULL || e->kek_key == NULL) {
        return ML_E_NO_KEY;
    }
    ml_buf_clear(buf);
    uint8_t *out = ml_buf_extend(buf, plain.len + ML_AEAD_TAG_BYTES);
    if (out == NULL) {
        return buf->err;
    }
    op->team = *team;
    op->sealed.key = e->kek;
    k->env->random(k->env->ctx, op->sealed.nonce, sizeof(op->sealed.nonce));
    const size_t ad_len = ml_consent_op_ad(ad, &k->org, op);
    ml_aead_seal(out, plain, ml_slice(ad, ad_len), op->sealed.nonce,
                 ml_secret_bytes(e->consent_key));
    op->sealed.ct = ml_slice(out, plain.len + ML_AEAD_TAG_BYTES);
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

ml_err ml_keyring_make_consent_in(struct ml_keyring *k, const struct ml_team_id *team,
                                  struct ml_slice plain, ml_keyop_cb *emit, void *user)
{
    struct ml_keyop op = {.type = ML_KEYOP_CONSENT};
    struct ml_buf buf;
    ml_buf_init(&buf, k->env, ML_SEALED_BYTES_MAX);
    ml_err err = seal_for(k, team, plain, &buf, &op.u.consent);
    if (err == ML_OK) {
        err = ml_keyring_emit(k, &op, emit, user);
    }
    ml_buf_free(&buf);
    return err;
}

ml_err ml_keyring_make_consent(struct ml_keyring *k, const struct ml_object_id *patient,
                               struct ml_slice plain, ml_keyop_cb *emit, void *user)
{
    struct patient_links links;
    ml_err err = ml_keyring_links(k, patient, &links);
    if (err != ML_OK) {
        return err;
    }
    ml_err any = ML_E_NO_KEY;
    for (size_t i = 0; i < links.count && err == ML_OK; i++) {
        if (!is_repeated(&links, i)) {
            err = ml_keyring_make_consent_in(k, &links.link[i].team, plain, emit, user);
            any = err == ML_OK ? ML_OK : any;
            err = err == ML_E_NO_KEY ? ML_OK : err; /* who has that team's key tells it */
        }
    }
    ml_keyring_links_wipe(&links);
    return err == ML_OK ? any : err;
}

/* ---- what was decided before somebody came (ADR 0025) ---- */

static ml_err hearing_open(struct ml_keyring *k, struct key_epoch *e, const struct ml_slot_at *at,
                           const uint8_t *slot, struct ml_keyring_news *news)
{
    ml_err err = ml_slot_open(&e->consent_key, slot, at, k->mon_box);
    if (err == ML_E_FORGED) {
        news->faulty = true;
        return ML_OK;
    }
    if (err != ML_OK) {
        return err;
    }
    const struct ml_key_id id = ml_key_id_of(e->consent_key);
    news->keks = true;
    return k->store->heard_has(k->store->ctx, &e->kek, &id, &e->consent_opens);
}

/* It has no id of its own: a statement shows whether it is one, and until then nobody is given it
 * from here. */
ml_err ml_keyring_apply_hearing(struct ml_keyring *k, const struct ml_kek_grant *op,
                                const struct ml_grant_slot *slot, uint16_t index,
                                struct ml_keyring_news *news)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        struct key_epoch *e = k->epochs[i];
        const struct ml_slot_at at = {.kind = ML_SLOT_CONSENT,
                                      .org = k->org,
                                      .team = e->team,
                                      .epoch = e->epoch,
                                      .index = index,
                                      .compartment = e->compartment,
                                      .ephemeral = op->ephemeral,
                                      .recipient = k->mon_pk};
        if (e->compartment != ML_COMPARTMENT_ADMIN || e->consent_key != NULL ||
            memcmp(e->kek.b, slot->key.b, sizeof(e->kek.b)) != 0) {
            continue;
        }
        err = hearing_open(k, e, &at, slot->slot.b, news);
    }
    return err;
}

/* The epoch that it says; where several claim the key id, one of its group, then one whose KEK is
 * held. NULL: nothing of any is. */
static struct key_epoch *epoch_of(const struct ml_keyring *k, const struct ml_consent_op *op)
{
    struct key_epoch *found = NULL;
    unsigned best = 0;
    for (size_t i = 0; i < k->epoch_count; i++) {
        struct key_epoch *e = k->epochs[i];
        const bool held = e->kek_key != NULL || e->consent_key != NULL;
        const bool of = ml_keyring_is_of(e, &op->team, ML_COMPARTMENT_ADMIN);
        const unsigned fit = 1 + 2u * of + (e->kek_key != NULL);
        if (held && fit > best && memcmp(e->kek.b, op->sealed.key.b, sizeof(e->kek.b)) == 0) {
            found = e;
            best = fit;
        }
    }
    return found;
}

/* Remembered where what is said of it doesn't: the next session opens no statement again. */
static ml_err opened(struct ml_keyring *k, struct key_epoch *e)
{
    if (e->kek_key != NULL || e->consent_opens) {
        return ML_OK;
    }
    const struct ml_key_id id = ml_key_id_of(e->consent_key);
    ml_err err = k->store->heard_put(k->store->ctx, &e->kek, &id);
    e->consent_opens = err == ML_OK;
    return err;
}

ml_err ml_keyring_open_consent(struct ml_keyring *k, const struct ml_consent_op *op,
                               struct ml_buf *out)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t before = out->len;
    struct key_epoch *e = epoch_of(k, op);
    if (e == NULL) {
        return ML_E_NO_KEY;
    }
    /* Under another group's key it would be for others than it says. */
    const bool group = ml_keyring_is_of(e, &op->team, ML_COMPARTMENT_ADMIN);
    if (!group || op->sealed.ct.len < ML_AEAD_TAG_BYTES) {
        return ML_E_FORGED;
    }
    uint8_t *plain = ml_buf_extend(out, op->sealed.ct.len - ML_AEAD_TAG_BYTES);
    const size_t ad_len = ml_consent_op_ad(ad, &k->org, op);
    ml_err err = plain == NULL ? out->err
                               : ml_aead_open(plain, op->sealed.ct, ml_slice(ad, ad_len),
                                              op->sealed.nonce, ml_secret_bytes(e->consent_key));
    err = err == ML_OK ? opened(k, e) : err;
    if (err != ML_OK && plain != NULL) {
        out->len = before;
    }
    return err;
}
