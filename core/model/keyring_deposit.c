/* core/model/keyring_deposit.c -- data keys from those who can't read (see keyring_deposit.h).
 *
 * Happy path: the public half of each team's deposit key seals a fresh DEK; whoever holds the KEK
 * derives the secret half, opens the DEK and keeps it as a wrap of his own under that KEK. Such a
 * wrap never seals: its DEK has been another's.
 *
 * Failures: what doesn't open is ignored and reported as faulty; what waits for a KEK is kept.
 */
#include "core/model/keyring_deposit.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_int.h"

ml_err ml_keyring_deposit_pair(struct ml_box_pk *pk, struct ml_secret **secret,
                               const struct ml_secret *kek)
{
    ml_err err = ml_kdf(ML_KDF_KEK_DEPOSIT, secret, kek, ml_slice(NULL, 0));
    if (err == ML_OK) {
        ml_box_pk_of(pk, *secret);
    }
    return err;
}

/* ---- opening ---- */

static ml_err open_sealed(const struct ml_keyring *k, const struct ml_deposit_wrap *in,
                          const struct key_epoch *e, uint8_t *dek)
{
    struct ml_box_pk pk;
    struct ml_secret *secret = NULL;
    ml_err err = ml_keyring_deposit_pair(&pk, &secret, e->kek_key);
    if (err == ML_OK) {
        uint8_t ad[ML_KEYOP_AD_MAX];
        const size_t ad_len = ml_deposit_wrap_ad(ad, &k->org, in);
        err = ml_open_anon(dek, ml_slice(in->sealed, sizeof(in->sealed)), secret,
                           ml_slice(ad, ad_len));
    }
    ml_secret_free(secret);
    if (err == ML_OK) {
        const struct ml_key_id id = ml_key_id_of_bytes(dek);
        err = memcmp(id.b, in->dek.b, sizeof(id.b)) == 0 ? ML_OK : ML_E_FORGED;
    }
    return err;
}

struct having {
    const struct ml_deposit_wrap *in;
    bool has;
};

static ml_err has_wrap(void *user, const struct ml_stored_wrap *wrap)
{
    struct having *h = user;
    h->has = h->has || (memcmp(&wrap->wrap.dek, &h->in->dek, sizeof(h->in->dek)) == 0 &&
                        memcmp(&wrap->wrap.kek, &h->in->kek, sizeof(h->in->kek)) == 0);
    return ML_OK;
}

/* Kept among the break-glass wraps, of which too only that they are there is asked. */
static struct ml_bg_wrap mark_of(const struct ml_seal_key *key, const struct ml_key_id *kek)
{
    struct ml_bg_wrap mark = {.stream = key->stream, .dek = key->dek};
    memcpy(mark.break_glass.b, kek->b, sizeof(kek->b));
    return mark;
}

ml_err ml_keyring_is_deposited(const struct ml_keyring *k, const struct ml_seal_key *key,
                               const struct ml_key_id *kek, bool *is)
{
    const struct ml_bg_wrap mark = mark_of(key, kek);
    return k->store->bg_has(k->store->ctx, &mark, is);
}

/* It opens for others: they have what is sealed under this data key. */
static ml_err keep_for_others(struct ml_keyring *k, const struct ml_keyop *op, bool accepted)
{
    const struct ml_deposit_wrap *in = &op->u.deposit_wrap;
    const struct ml_seal_key key = {in->stream, in->dek};
    const struct ml_bg_wrap mark = mark_of(&key, &in->kek);
    ml_err err = accepted ? k->store->bg_put(k->store->ctx, &mark) : ML_OK;
    return err == ML_OK ? k->store->later_put(k->store->ctx, &in->kek, op->raw) : err;
}

ml_err ml_keyring_apply_deposit(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                                struct ml_keyring_news *news)
{
    const struct ml_deposit_wrap *in = &op->u.deposit_wrap;
    const struct key_epoch *e = ml_keyring_epoch_of_kek(k, &in->kek);
    struct ml_stored_wrap wrap = {.wrap = {.stream = in->stream, .dek = in->dek}};
    struct having having = {.in = in};
    uint8_t dek[ML_KEY_BYTES];
    if (e == NULL || e->kek_key == NULL) {
        return keep_for_others(k, op, accepted);
    }
    ml_err err = k->store->wrap_each(k->store->ctx, &in->stream, has_wrap, &having);
    if (err != ML_OK || having.has) {
        return err;
    }
    err = open_sealed(k, in, e, dek);
    if (err == ML_OK) {
        ml_keyring_wrap(k, &wrap.wrap, dek, e);
        news->dek = true;
        news->stream = in->stream;
        news->dek_id = in->dek;
        err = k->store->wrap_put(k->store->ctx, &wrap);
    }
    news->faulty |= err == ML_E_FORGED;
    ml_wipe(dek, sizeof(dek));
    return err == ML_E_FORGED ? ML_OK : err;
}

/* ---- making ---- */

/* One DEK on its way. */
struct depositing {
    const struct ml_exception *who;
    struct patient_links links;
    struct ml_seal_key key;
    struct ml_secret *dek;
    struct key_emitter to;
};

ml_err ml_keyring_emit_deposit(struct ml_keyring *k, const struct ml_seal_key *key,
                               const uint8_t *dek, const struct key_epoch *e,
                               const struct key_emitter *to)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_keyop op = {.type = ML_KEYOP_DEPOSIT_WRAP};
    struct ml_deposit_wrap *wrap = &op.u.deposit_wrap;
    if (e == NULL || ml_is_zero(e->deposit.b, sizeof(e->deposit.b))) {
        return ML_E_NO_KEY;
    }
    wrap->stream = key->stream;
    wrap->dek = key->dek;
    wrap->kek = e->kek;
    const size_t ad_len = ml_deposit_wrap_ad(ad, &k->org, wrap);
    ml_err err = ml_seal_anon(wrap->sealed, ml_slice(dek, ML_KEY_BYTES), &e->deposit,
                              ml_slice(ad, ad_len), k->env);
    return err == ML_OK ? ml_keyring_emit(k, &op, to->emit, to->user) : err;
}

static ml_err emit_for_teams(struct ml_keyring *k, const struct depositing *d,
                             const struct audience *audience)
{
    size_t served = 0;
    ml_err err = ML_OK;
    for (size_t i = 0; i < d->links.count && err == ML_OK; i++) {
        const struct ml_team_id *team = &d->links.link[i].team;
        if (ml_keyring_in_audience(audience, i) &&
            !ml_keyring_is_empty(k, team, audience->compartment)) {
            const struct key_epoch *e = ml_keyring_sealing(k, team, audience->compartment);
            err = ml_keyring_emit_deposit(k, &d->key, ml_secret_bytes(d->dek), e, &d->to);
            served++;
        }
    }
    return err == ML_OK && served == 0 ? ML_E_NO_KEY : err;
}

static ml_err deposit(struct ml_keyring *k, struct depositing *d)
{
    struct audience audience = {.links = &d->links, .compartment = (uint8_t)d->who->compartment};
    ml_err err =
        ml_keyring_stream_of(&d->links, audience.compartment, &d->key.stream, &audience.chosen);
    if (err == ML_OK) {
        err = ml_secret_new(&d->dek, ML_KEY_BYTES);
    }
    if (err != ML_OK) {
        return err;
    }
    k->env->random(k->env->ctx, ml_secret_writable(d->dek), ML_KEY_BYTES);
    d->key.dek = ml_key_id_of(d->dek);
    err = d->who->count > 0 ? ml_keyring_emit_slots(k, d->who, &d->key, d->dek, &d->to)
                            : emit_for_teams(k, d, &audience);
    if (err == ML_OK && !d->who->emergency) {
        err = ml_keyring_emit_glass(k, d->who, &d->key, ml_secret_bytes(d->dek), &d->to);
    }
    return err;
}

ml_err ml_keyring_make_deposit(struct ml_keyring *k, const struct ml_exception *who,
                               struct ml_seal_key *out, ml_keyop_cb *emit, void *user)
{
    struct depositing *d = ml_alloc(k->env, sizeof(*d));
    struct ml_stream_info info;
    if (d == NULL) {
        return ML_E_NOMEM;
    }
    d->who = who;
    d->to = (struct key_emitter){emit, user};
    ml_err err = ml_keyring_links(k, &who->patient, &d->links);
    if (err == ML_OK) {
        err = deposit(k, d);
    }
    if (err == ML_OK) {
        err = k->store->stream_get(k->store->ctx, &d->key.stream, &info);
    }
    if (err == ML_OK) {
        ml_keyring_cache_put(k, &d->key, &info, ml_secret_bytes(d->dek));
        *out = d->key;
    }
    ml_secret_free(d->dek);
    ml_keyring_links_wipe(&d->links);
    ml_release(k->env, d);
    return err;
}
