/* core/model/keyring_share.c -- see keyring_share.h.
 *
 * share(x) = DEK + x * slope, x the member id, slope = KDF(DEK): two products, one a half. Of one
 * share the key can't be told: without the key the slope is as good as random. Two give both back.
 */
#include "core/model/keyring_share.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/gf128.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_except.h"
#include "core/model/keyring_int.h"

enum { HALVES = ML_KEY_BYTES / ML_GF128_BYTES };

/* ---- points ---- */

static void point_put(uint8_t share[ML_KEY_BYTES], const uint8_t *dek, const uint8_t *slope,
                      const struct ml_member_id *member)
{
    const struct ml_gf128 x = ml_gf128_of(member->b);
    for (size_t i = 0; i < HALVES; i++) {
        const size_t at = i * ML_GF128_BYTES;
        const struct ml_gf128 rise = ml_gf128_mul(ml_gf128_of(slope + at), x);
        ml_gf128_put(share + at, ml_gf128_add(ml_gf128_of(dek + at), rise));
    }
}

ml_err ml_share_points_join(uint8_t dek[ML_KEY_BYTES], const struct ml_key_id *id,
                            const struct ml_share_point *a, const struct ml_share_point *b)
{
    const struct ml_gf128 xa = ml_gf128_of(a->member.b);
    const struct ml_gf128 run = ml_gf128_add(xa, ml_gf128_of(b->member.b));
    if ((run.lo | run.hi) == 0) {
        return ML_E_INVALID;
    }
    const struct ml_gf128 ratio = ml_gf128_mul(xa, ml_gf128_inv(run));
    for (size_t i = 0; i < HALVES; i++) {
        const size_t at = i * ML_GF128_BYTES;
        const struct ml_gf128 ya = ml_gf128_of(a->share + at);
        const struct ml_gf128 rise = ml_gf128_add(ya, ml_gf128_of(b->share + at));
        ml_gf128_put(dek + at, ml_gf128_add(ya, ml_gf128_mul(rise, ratio)));
    }
    const struct ml_key_id is = ml_key_id_of_bytes(dek);
    if (memcmp(is.b, id->b, sizeof(is.b)) != 0) {
        ml_wipe(dek, ML_KEY_BYTES);
        return ML_E_FORGED;
    }
    return ML_OK;
}

/* ---- making ---- */

struct sharing {
    struct ml_keyring *k;
    const struct ml_sharing *who;
    struct key_emitter to;
};

static ml_err share_seal(const struct sharing *s, const struct ml_share_holder *holder,
                         struct ml_bg_wrap *wrap, const struct ml_secret *keys)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    uint8_t share[ML_KEY_BYTES];
    const size_t ad_len = ml_glass_share_ad(ad, &s->k->org, wrap);
    const uint8_t *dek = ml_secret_bytes(keys);
    point_put(share, dek, dek + ML_KEY_BYTES, &holder->member);
    const ml_err err = ml_seal_anon(wrap->sealed, ml_slice(share, sizeof(share)), &holder->pk,
                                    ml_slice(ad, ad_len), s->k->env);
    ml_wipe(share, sizeof(share));
    return err;
}

/* *keys: the DEK and its slope; NULL until somebody lacks his share. */
static ml_err keys_open(const struct sharing *s, const struct ml_seal_key *key,
                        struct ml_secret **keys)
{
    struct ml_stream_info info;
    const uint8_t *bytes = NULL;
    struct ml_secret *dek = NULL;
    struct ml_secret *slope = NULL;
    ml_err err = ml_keyring_dek(s->k, &key->stream, &key->dek, &info, &bytes);
    if (err == ML_OK) {
        err = ml_secret_from(&dek, bytes, ML_KEY_BYTES);
    }
    if (err == ML_OK) {
        err = ml_kdf(ML_KDF_GLASS_SHARE, &slope, dek, ml_slice(NULL, 0));
    }
    if (err == ML_OK) {
        err = ml_secret_new(keys, (size_t)2 * ML_KEY_BYTES);
    }
    if (err == ML_OK) {
        memcpy(ml_secret_writable(*keys), ml_secret_bytes(dek), ML_KEY_BYTES);
        memcpy(ml_secret_writable(*keys) + ML_KEY_BYTES, ml_secret_bytes(slope), ML_KEY_BYTES);
    }
    ml_secret_free(slope);
    ml_secret_free(dek);
    return err;
}

static ml_err share_one(const struct sharing *s, const struct ml_seal_key *key,
                        const struct ml_share_holder *holder, struct ml_secret **keys)
{
    struct ml_keyop op = {.type = ML_KEYOP_BG_WRAP};
    struct ml_bg_wrap *wrap = &op.u.bg_wrap;
    bool has = false;
    if (ml_is_zero(holder->member.b, sizeof(holder->member.b))) {
        return ML_E_INVALID; /* at 0 stands the key */
    }
    wrap->stream = key->stream;
    wrap->dek = key->dek;
    wrap->break_glass = holder->pk;
    ml_err err = s->k->store->bg_has(s->k->store->ctx, wrap, &has);
    if (err != ML_OK || has) {
        return err;
    }
    err = *keys == NULL ? keys_open(s, key, keys) : ML_OK;
    if (err == ML_OK) {
        err = share_seal(s, holder, wrap, *keys);
    }
    return err == ML_OK ? ml_keyring_emit(s->k, &op, s->to.emit, s->to.user) : err;
}

static ml_err share_dek(const struct sharing *s, const struct ml_seal_key *key)
{
    struct ml_secret *keys = NULL;
    ml_err err = ML_OK;
    for (size_t i = 0; i < s->who->count && err == ML_OK; i++) {
        err = share_one(s, key, &s->who->to[i], &keys);
    }
    ml_secret_free(keys);
    return err == ML_E_NO_KEY ? ML_OK : err; /* not ours to share */
}

static bool is_first_wrap(const struct stream_wraps *wraps, size_t i)
{
    size_t first = 0;
    while (memcmp(wraps->wrap[first].wrap.dek.b, wraps->wrap[i].wrap.dek.b,
                  sizeof(struct ml_key_id)) != 0) {
        first++;
    }
    return first == i;
}

static ml_err share_stream(const struct sharing *s, const struct ml_stream_id *stream)
{
    struct stream_wraps wraps = {0};
    ml_err err = ml_keyring_wraps(s->k, stream, &wraps);
    for (size_t i = 0; i < wraps.count && err == ML_OK; i++) {
        const struct ml_seal_key key = {*stream, wraps.wrap[i].wrap.dek};
        err = is_first_wrap(&wraps, i) ? share_dek(s, &key) : ML_OK;
    }
    for (size_t i = 0; i < s->k->exception_count && err == ML_OK; i++) {
        const struct ml_seal_key key = {*stream, s->k->exceptions[i].dek};
        if (ml_keyring_excepts_first(s->k, i, stream, &wraps)) {
            err = share_dek(s, &key);
        }
    }
    ml_release(s->k->env, wraps.wrap);
    return err;
}

ml_err ml_keyring_make_shares(struct ml_keyring *k, const struct ml_sharing *who, ml_keyop_cb *emit,
                              void *user)
{
    const struct sharing s = {k, who, {emit, user}};
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    ml_err err = ml_keyring_streams(k, &who->patient, who->compartment, streams, &count);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = share_stream(&s, &streams[i]);
    }
    return err;
}

/* ---- opening ---- */

ml_err ml_keyring_open_share(const struct ml_keyring *k, const struct ml_bg_wrap *wrap,
                             uint8_t share[ML_KEY_BYTES])
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t ad_len = ml_glass_share_ad(ad, &k->org, wrap);
    if (memcmp(wrap->break_glass.b, k->mon_pk.b, sizeof(k->mon_pk.b)) != 0) {
        return ML_E_NO_KEY;
    }
    return ml_open_anon(share, ml_slice(wrap->sealed, sizeof(wrap->sealed)), k->mon_box,
                        ml_slice(ad, ad_len));
}

ml_err ml_share_answer_seal(uint8_t out[ML_ANON_KEY_BYTES], const struct ml_share_place *at,
                            const struct ml_box_pk *reply, const uint8_t share[ML_KEY_BYTES],
                            const struct ml_env *env)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t ad_len = ml_glass_answer_ad(ad, &at->org, &at->glass, &at->dek);
    return ml_seal_anon(out, ml_slice(share, ML_KEY_BYTES), reply, ml_slice(ad, ad_len), env);
}

ml_err ml_share_answer_open(uint8_t share[ML_KEY_BYTES], const struct ml_share_place *at,
                            const struct ml_secret *reply, const uint8_t sealed[ML_ANON_KEY_BYTES])
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t ad_len = ml_glass_answer_ad(ad, &at->org, &at->glass, &at->dek);
    return ml_open_anon(share, ml_slice(sealed, ML_ANON_KEY_BYTES), reply, ml_slice(ad, ad_len));
}
