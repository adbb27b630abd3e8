/* core/model/keyring_dek.c -- data keys: opened on demand, kept in a fixed guarded cache.
 *
 * The cache is CACHE_WAYS-associative over the first bytes of the key id (uniform by nature) and
 * drops the entry of a set that was used longest ago. One guarded allocation holds 128 keys: one
 * sodium_malloc per key would cost four pages each.
 *
 * Invariant: a cached key has the id it is filed under, and its stream's info came from the store.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_deposit.h"
#include "core/model/keyring_int.h"

static uint8_t *cache_key(struct ml_keyring *k, uint32_t entry)
{
    return ml_secret_writable(k->chunks[entry / KEY_CHUNK_KEYS]) +
           (size_t)(entry % KEY_CHUNK_KEYS) * ML_KEY_BYTES;
}

static uint32_t cache_set(const struct ml_keyring *k, const struct ml_key_id *dek)
{
    return ml_get_u32be(dek->b) % (k->cache_count / CACHE_WAYS) * CACHE_WAYS;
}

static bool cache_holds(const struct cached_dek *c, const struct ml_stream_id *stream,
                        const struct ml_key_id *dek)
{
    return c->used != 0 && memcmp(c->dek.b, dek->b, sizeof(dek->b)) == 0 &&
           memcmp(c->stream.b, stream->b, sizeof(stream->b)) == 0;
}

/* The entry to overwrite. */
static uint32_t cache_oldest(const struct ml_keyring *k, uint32_t set)
{
    uint32_t oldest = set;
    for (uint32_t i = set; i < set + CACHE_WAYS; i++) {
        oldest = k->cache[i].used < k->cache[oldest].used ? i : oldest;
    }
    return oldest;
}

/* ---- wraps ---- */

/* Opens a wrap into 32 bytes. */
static ml_wrap_fate wrap_open(const struct ml_keyring *k, const struct ml_dek_wrap *wrap,
                              uint8_t *key)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const struct key_epoch *e = ml_keyring_epoch_of_kek(k, &wrap->kek);
    if (e == NULL || e->wrap_key == NULL) {
        return ML_WRAP_UNKNOWN;
    }
    size_t ad_len = ml_dek_wrap_ad(ad, &k->org, wrap);
    if (ml_aead_open(key, ml_slice(wrap->ct, sizeof(wrap->ct)), ml_slice(ad, ad_len), wrap->nonce,
                     ml_secret_bytes(e->wrap_key)) != ML_OK) {
        return ML_WRAP_FORGED;
    }
    struct ml_key_id id = ml_key_id_of_bytes(key);
    return memcmp(id.b, wrap->dek.b, sizeof(id.b)) == 0 ? ML_WRAP_OPENS : ML_WRAP_FORGED;
}

ml_wrap_fate ml_keyring_wrap_fate(const struct ml_keyring *k, const struct ml_dek_wrap *wrap)
{
    uint8_t key[ML_KEY_BYTES];
    ml_wrap_fate fate = wrap_open(k, wrap, key);
    ml_wipe(key, sizeof(key));
    return fate;
}

/* Half of the room is for what opens: wraps that nobody here can judge can't fill it. A wrap under
 * a key that no epoch claims serves no audience. */
static bool is_collected(const struct stream_wraps *w, const struct ml_stored_wrap *wrap,
                         ml_wrap_fate fate)
{
    if (fate == ML_WRAP_UNKNOWN) {
        bool claimed = ml_keyring_epoch_of_kek(w->k, &wrap->wrap.kek) != NULL;
        return claimed && w->unknown < ML_KEYRING_WRAPS_MAX / 2;
    }
    return fate == ML_WRAP_OPENS && w->count - w->unknown < ML_KEYRING_WRAPS_MAX / 2;
}

static ml_err wraps_collect(void *user, const struct ml_stored_wrap *wrap)
{
    struct stream_wraps *w = user;
    ml_wrap_fate fate = ml_keyring_wrap_fate(w->k, &wrap->wrap);
    if (!is_collected(w, wrap, fate)) {
        return ML_OK;
    }
    if (w->count == w->cap) {
        size_t cap = w->cap == 0 ? 4 : w->cap * 2;
        struct ml_stored_wrap *grown = ml_resize(w->k->env, w->wrap, cap * sizeof(*grown));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        w->wrap = grown;
        w->cap = cap;
    }
    w->unknown += fate == ML_WRAP_UNKNOWN;
    w->wrap[w->count++] = *wrap;
    return ML_OK;
}

ml_err ml_keyring_wraps(struct ml_keyring *k, const struct ml_stream_id *stream,
                        struct stream_wraps *out)
{
    *out = (struct stream_wraps){.k = k};
    ml_err err = k->store->wrap_each(k->store->ctx, stream, wraps_collect, out);
    if (err != ML_OK) {
        ml_release(k->env, out->wrap);
        *out = (struct stream_wraps){.k = k};
    }
    return err;
}

struct dek_search {
    struct ml_keyring *k;
    const struct ml_key_id *dek;
    uint8_t *key;
    bool found;
};

static ml_err search_wrap(void *user, const struct ml_stored_wrap *wrap)
{
    struct dek_search *s = user;
    if (!s->found && memcmp(wrap->wrap.dek.b, s->dek->b, sizeof(s->dek->b)) == 0) {
        s->found = wrap_open(s->k, &wrap->wrap, s->key) == ML_WRAP_OPENS;
    }
    return ML_OK;
}

ml_err ml_keyring_dek(struct ml_keyring *k, const struct ml_stream_id *stream,
                      const struct ml_key_id *dek_id, struct ml_stream_info *info,
                      const uint8_t **dek)
{
    uint32_t set = cache_set(k, dek_id);
    for (uint32_t i = set; i < set + CACHE_WAYS; i++) {
        if (cache_holds(&k->cache[i], stream, dek_id)) {
            k->cache[i].used = ++k->clock;
            *info = k->cache[i].info;
            *dek = cache_key(k, i);
            return ML_OK;
        }
    }
    struct ml_stream_info found;
    ml_err err = k->store->stream_get(k->store->ctx, stream, &found);
    if (err != ML_OK) {
        return err;
    }
    uint32_t entry = cache_oldest(k, set);
    struct dek_search search = {.k = k, .dek = dek_id, .key = cache_key(k, entry)};
    k->cache[entry].used = 0;
    const uint8_t *taken = ml_keyring_glass_dek(k, stream, dek_id);
    if (taken != NULL) {
        memcpy(search.key, taken, ML_KEY_BYTES);
        search.found = true;
    } else {
        err = k->store->wrap_each(k->store->ctx, stream, search_wrap, &search);
    }
    if (err == ML_OK && !search.found) {
        const struct cached_dek what = {.stream = *stream, .dek = *dek_id, .info = found};
        err = ml_keyring_open_slots(k, &what, search.key, &search.found);
    }
    if (err != ML_OK || !search.found) {
        return err == ML_OK ? ML_E_NO_KEY : err;
    }
    k->cache[entry] =
        (struct cached_dek){.stream = *stream, .dek = *dek_id, .info = found, .used = ++k->clock};
    *info = found;
    *dek = search.key;
    return ML_OK;
}

void ml_keyring_cache_put(struct ml_keyring *k, const struct ml_seal_key *key,
                          const struct ml_stream_info *info, const uint8_t *dek)
{
    const uint32_t entry = cache_oldest(k, cache_set(k, &key->dek));
    memcpy(cache_key(k, entry), dek, ML_KEY_BYTES);
    k->cache[entry] = (struct cached_dek){
        .stream = key->stream, .dek = key->dek, .info = *info, .used = ++k->clock};
}

void ml_keyring_drop(struct ml_keyring *k, const struct ml_seal_key *key)
{
    const uint32_t set = cache_set(k, &key->dek);
    for (uint32_t i = set; i < set + CACHE_WAYS; i++) {
        if (cache_holds(&k->cache[i], &key->stream, &key->dek)) {
            k->cache[i].used = 0;
            ml_wipe(cache_key(k, i), ML_KEY_BYTES);
        }
    }
}

void ml_keyring_cache_drop(struct ml_keyring *k, const struct ml_stream_id *stream)
{
    for (uint32_t i = 0; i < k->cache_count; i++) {
        struct cached_dek *c = &k->cache[i];
        if (c->used != 0 && memcmp(&c->stream, stream, sizeof(*stream)) == 0) {
            c->used = 0;
            ml_wipe(cache_key(k, i), ML_KEY_BYTES);
        }
    }
}

void ml_keyring_forget(struct ml_keyring *k)
{
    ml_keyring_drop_epochs(k);
    ml_keyring_drop_exceptions(k);
    ml_keyring_drop_pairs(k);
    for (uint32_t i = 0; i < k->cache_count; i++) {
        k->cache[i].used = 0;
    }
    for (uint32_t i = 0; i < k->chunk_count; i++) {
        ml_wipe(ml_secret_writable(k->chunks[i]), ML_SECRET_MAX);
    }
}

/* ---- links ---- */

static ml_err links_collect(void *user, const struct ml_patient_link *link)
{
    struct patient_links *links = user;
    if (links->count == ML_KEYRING_LINKS_MAX) {
        return ML_E_LIMIT;
    }
    links->link[links->count++] = *link;
    return ML_OK;
}

void ml_keyring_links_wipe(struct patient_links *links)
{
    ml_wipe(links, sizeof(*links));
}

ml_err ml_keyring_links(struct ml_keyring *k, const struct ml_object_id *patient,
                        struct patient_links *out)
{
    out->count = 0;
    ml_err err = k->store->link_each(k->store->ctx, patient, links_collect, out);
    if (err == ML_OK && out->count == 0) {
        err = ML_E_NOT_FOUND;
    }
    if (err != ML_OK) {
        ml_keyring_links_wipe(out);
    }
    return err;
}

ml_err ml_keyring_stream_of(const struct patient_links *links, uint8_t compartment,
                            struct ml_stream_id *stream, size_t *chosen)
{
    for (size_t i = 0; i < links->count; i++) {
        struct ml_secret *secret = NULL;
        ml_err err = ml_secret_from(&secret, links->link[i].secret, ML_LINK_BYTES);
        if (err != ML_OK) {
            return err;
        }
        struct ml_stream_id id = ml_stream_id_derive(secret, (ml_compartment)compartment);
        ml_secret_free(secret);
        if (i == 0 || memcmp(id.b, stream->b, sizeof(id.b)) < 0) {
            *stream = id;
            *chosen = i;
        }
    }
    return ML_OK;
}

ml_err ml_keyring_import_key(struct ml_keyring *k, struct ml_secret **out)
{
    static const struct ml_object_id structure;
    struct patient_links links;
    ml_err err = ml_keyring_links(k, &structure, &links);
    if (err != ML_OK) {
        return err;
    }
    struct ml_stream_id stream;
    size_t chosen = 0;
    struct ml_secret *link = NULL;
    err = ml_keyring_stream_of(&links, ML_COMPARTMENT_ANNUAIRE, &stream, &chosen);
    if (err == ML_OK) {
        err = ml_secret_from(&link, links.link[chosen].secret, ML_LINK_BYTES);
    }
    if (err == ML_OK) {
        err = ml_kdf(ML_KDF_IMPORT_ID, out, link, ml_slice(NULL, 0));
    }
    ml_secret_free(link);
    ml_keyring_links_wipe(&links);
    return err;
}

/* ---- choosing what seals ---- */

static bool wrapped_for(const struct stream_wraps *wraps, const struct ml_key_id *dek,
                        const struct ml_key_id *kek)
{
    for (size_t i = 0; i < wraps->count; i++) {
        const struct ml_stored_wrap *w = &wraps->wrap[i];
        if (w->seals && memcmp(w->wrap.dek.b, dek->b, sizeof(dek->b)) == 0 &&
            memcmp(w->wrap.kek.b, kek->b, sizeof(kek->b)) == 0) {
            return true;
        }
    }
    return false;
}

bool ml_keyring_in_audience(const struct audience *audience, size_t i)
{
    const struct ml_patient_link *link = audience->links->link;
    return ml_equal_ct(link[i].secret, link[audience->chosen].secret, ML_LINK_BYTES);
}

/* Of a team whose KEK isn't held here a deposit does as well. */
static ml_err serves(const struct ml_keyring *k, const struct stream_wraps *wraps,
                     const struct ml_seal_key *key, const struct key_epoch *e, bool *yes)
{
    *yes = e != NULL && wrapped_for(wraps, &key->dek, &e->kek);
    return *yes || e == NULL || e->wrap_key != NULL ? ML_OK
                                                    : ml_keyring_is_deposited(k, key, &e->kek, yes);
}

static ml_err serves_all(const struct ml_keyring *k, const struct stream_wraps *wraps,
                         const struct ml_seal_key *key, const struct audience *audience, bool *all)
{
    size_t served = 0;
    bool yes = true;
    ml_err err = ML_OK;
    for (size_t i = 0; i < audience->links->count && yes && err == ML_OK; i++) {
        const struct ml_team_id *team = &audience->links->link[i].team;
        if (ml_keyring_in_audience(audience, i) &&
            !ml_keyring_is_empty(k, team, audience->compartment)) {
            const struct key_epoch *e = ml_keyring_sealing(k, team, audience->compartment);
            err = serves(k, wraps, key, e, &yes);
            served++;
        }
    }
    *all = yes && served > 0;
    return err;
}

/* The smallest key id that serves the whole audience and opens here (rules A8). */
static ml_err choose_dek(struct ml_keyring *k, const struct audience *audience,
                         struct ml_seal_key *key)
{
    struct stream_wraps wraps;
    bool found = false;
    ml_err err = ml_keyring_wraps(k, &key->stream, &wraps);
    for (size_t i = 0; i < wraps.count && err == ML_OK; i++) {
        const struct ml_key_id *dek = &wraps.wrap[i].wrap.dek;
        const struct ml_seal_key one = {key->stream, *dek};
        struct ml_stream_info info;
        const uint8_t *bytes = NULL;
        bool all = false;
        if ((found && memcmp(dek->b, key->dek.b, sizeof(dek->b)) >= 0) ||
            ml_keyring_is_excepted(k, &one)) {
            continue;
        }
        err = serves_all(k, &wraps, &one, audience, &all);
        if (err == ML_OK && all) {
            err = ml_keyring_dek(k, &key->stream, dek, &info, &bytes);
            key->dek = err == ML_OK ? *dek : key->dek;
            found = found || err == ML_OK;
        }
        err = err == ML_E_NO_KEY ? ML_OK : err;
    }
    ml_release(k->env, wraps.wrap);
    return err == ML_OK && !found ? ML_E_NO_KEY : err;
}

ml_err ml_keyring_seal_key(struct ml_keyring *k, const struct ml_object_id *patient,
                           ml_compartment compartment, struct ml_seal_key *out)
{
    struct patient_links links;
    struct ml_seal_key key;
    struct audience audience = {.links = &links, .compartment = (uint8_t)compartment};
    ml_err err = ml_keyring_links(k, patient, &links);
    if (err != ML_OK) {
        return err;
    }
    err = ml_keyring_stream_of(&links, audience.compartment, &key.stream, &audience.chosen);
    if (err == ML_OK) {
        err = choose_dek(k, &audience, &key);
    }
    ml_keyring_links_wipe(&links);
    if (err == ML_OK) {
        *out = key;
    }
    return err;
}
