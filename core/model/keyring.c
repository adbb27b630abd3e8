/* core/model/keyring.c -- groups' keys: epochs, grants, and what they open (see keyring.h).
 *
 * Happy path: a KEK_EPOCH is remembered and its slot for this member-on-node opened; a new HIST
 * opens the keys of the epoch before, and those of the one before that. A new KEK lets the ops
 * that waited for it in the store be applied.
 *
 * Failures: what should open and doesn't (a slot of another's making, damaged) is ignored and
 * reported as faulty: one bad op never stops the log.
 *
 * Invariant: wrap_key is held exactly when kek_key is; a held key has the id its op states. An
 * admin group's consent_key is held when kek_key is; without, it is what a grant said.
 */
#include "core/model/keyring.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_int.h"

static bool key_ids_equal(const struct ml_key_id *a, const struct ml_key_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static bool teams_equal(const struct ml_team_id *a, const struct ml_team_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

struct ml_team_id ml_keyring_group(const struct ml_team_id *team, uint8_t compartment)
{
    static const struct ml_team_id nobody = {{0}};
    return compartment == ML_COMPARTMENT_ANNUAIRE ? nobody : *team;
}

static const struct ml_key_id *epoch_id(const struct key_epoch *e, bool hist)
{
    return hist ? &e->hist : &e->kek;
}

struct key_epoch *ml_keyring_epoch_of_kek(const struct ml_keyring *k, const struct ml_key_id *kek)
{
    struct key_epoch *found = NULL;
    for (size_t i = 0; i < k->epoch_count; i++) {
        struct key_epoch *e = k->epochs[i];
        bool better = found == NULL || (found->kek_key == NULL && e->kek_key != NULL);
        found = better && key_ids_equal(&e->kek, kek) ? e : found;
    }
    return found;
}

bool ml_keyring_is_of(const struct key_epoch *e, const struct ml_team_id *group,
                      uint8_t compartment)
{
    return e->compartment == compartment && teams_equal(&e->team, group);
}

/* ---- life ---- */

static ml_err cache_alloc(struct ml_keyring *k, uint32_t deks)
{
    uint32_t wanted = deks == 0 ? ML_KEYRING_CACHE_DEFAULT : deks;
    k->cache_count = (wanted + KEY_CHUNK_KEYS - 1) / KEY_CHUNK_KEYS * KEY_CHUNK_KEYS;
    k->cache = ml_alloc_array(k->env, k->cache_count, sizeof(*k->cache));
    k->chunks = ml_alloc_array(k->env, k->cache_count / KEY_CHUNK_KEYS, sizeof(struct ml_secret *));
    if (k->cache == NULL || k->chunks == NULL) {
        return ML_E_NOMEM;
    }
    for (; k->chunk_count < k->cache_count / KEY_CHUNK_KEYS; k->chunk_count++) {
        ml_err err = ml_secret_new(&k->chunks[k->chunk_count], ML_SECRET_MAX);
        if (err != ML_OK) {
            return err;
        }
    }
    return ML_OK;
}

ml_err ml_keyring_new(struct ml_keyring **out, const struct ml_keyring_args *args)
{
    struct ml_keyring *k = ml_alloc(args->env, sizeof(*k));
    if (k == NULL) {
        return ML_E_NOMEM;
    }
    k->env = args->env;
    k->org = args->org;
    k->mon_box = args->mon_box;
    k->store = args->store;
    ml_box_pk_of(&k->mon_pk, args->mon_box);
    k->mon_id = ml_recipient_id_of(&k->mon_pk);
    ml_err err = cache_alloc(k, args->cache_deks);
    if (err != ML_OK) {
        ml_keyring_free(k);
        return err;
    }
    *out = k;
    return ML_OK;
}

static void epoch_free(const struct ml_env *env, struct key_epoch *e)
{
    if (e != NULL) {
        ml_secret_free(e->kek_key);
        ml_secret_free(e->wrap_key);
        ml_secret_free(e->consent_key);
        ml_secret_free(e->hist_key);
        ml_release(env, e->holders);
        ml_release(env, e->raw);
        ml_release(env, e);
    }
}

void ml_keyring_drop_epochs(struct ml_keyring *k)
{
    for (size_t i = 0; i < k->epoch_count; i++) {
        epoch_free(k->env, k->epochs[i]);
    }
    k->epoch_count = 0;
}

void ml_keyring_free(struct ml_keyring *k)
{
    if (k == NULL) {
        return;
    }
    ml_keyring_drop_epochs(k);
    ml_keyring_drop_groups(k);
    ml_keyring_drop_exceptions(k);
    ml_keyring_drop_pairs(k);
    ml_keyring_drop_breakers(k);
    for (uint32_t i = 0; i < k->chunk_count; i++) {
        ml_secret_free(k->chunks[i]);
    }
    ml_release(k->env, k->chunks);
    ml_release(k->env, k->cache);
    ml_release(k->env, k->epochs);
    ml_release(k->env, k);
}

/* ---- keys as they open ---- */

static ml_err apply_patient_open(struct ml_keyring *k, const struct ml_keyop *op,
                                 struct ml_keyring_news *news);

struct later {
    struct ml_keyring *k;
    struct ml_keyring_news *news;
    struct ml_buf ops; /* u32be length, op, ... : the walk may not use the store */
};

static ml_err later_collect(void *user, struct ml_slice op)
{
    struct later *later = user;
    ml_buf_u32be(&later->ops, (uint32_t)op.len);
    ml_buf_append(&later->ops, op.data, op.len);
    return later->ops.err;
}

static ml_err apply_sealed(struct ml_keyring *k, const struct ml_keyop *op,
                           struct ml_keyring_news *news)
{
    if (op->type == ML_KEYOP_DEPOSIT_WRAP) {
        return ml_keyring_apply_deposit(k, op, false, news);
    }
    return op->type == ML_KEYOP_PATIENT_OPEN ? apply_patient_open(k, op, news) : ML_OK;
}

static ml_err later_apply(struct later *later)
{
    size_t at = 0;
    ml_err err = ML_OK;
    while (at < later->ops.len && err == ML_OK) {
        struct ml_keyop op;
        uint32_t len = ml_get_u32be(later->ops.data + at);
        if (ml_keyop_decode(&op, ml_slice(later->ops.data + at + 4, len), NULL) == ML_OK &&
            op.known) {
            err = apply_sealed(later->k, &op, later->news);
        }
        at += 4 + (size_t)len;
    }
    return err;
}

/* Takes over `key` (32 bytes), of the id that the caller compared. */
static ml_err hold_kek(struct ml_keyring *k, struct key_epoch *e, struct ml_secret *key,
                       struct ml_keyring_news *news)
{
    struct ml_secret *wrap = NULL;
    struct ml_secret *consent = NULL;
    ml_err err = ml_kdf(ML_KDF_KEK_WRAP, &wrap, key, ml_slice(NULL, 0));
    if (err == ML_OK && e->compartment == ML_COMPARTMENT_ADMIN) {
        err = ml_kdf(ML_KDF_KEK_CONSENT, &consent, key, ml_slice(NULL, 0));
    }
    if (err != ML_OK) {
        ml_secret_free(wrap);
        ml_secret_free(key);
        return err;
    }
    e->kek_key = key;
    e->wrap_key = wrap;
    ml_secret_free(e->consent_key); /* what was said of it before it could be derived */
    e->consent_key = consent;
    news->keks = true;
    struct later later = {.k = k, .news = news};
    ml_buf_init(&later.ops, k->env, SIZE_MAX);
    err = k->store->later_take(k->store->ctx, &e->kek, later_collect, &later);
    if (err == ML_OK) {
        err = later_apply(&later);
    }
    ml_buf_free(&later.ops);
    return err;
}

/* A secret that came for the KEK or HIST of `e`: held when it is that and wanted, else freed. */
static ml_err hold(struct ml_keyring *k, struct key_epoch *e, bool hist, struct ml_secret *key,
                   struct ml_keyring_news *news)
{
    struct ml_key_id real = ml_key_id_of(key);
    if (!key_ids_equal(&real, epoch_id(e, hist))) {
        news->faulty = true;
        ml_secret_free(key);
        return ML_OK;
    }
    if (!hist) {
        return hold_kek(k, e, key, news);
    }
    e->hist_key = key;
    news->keks = true;
    return ML_OK;
}

static bool is_held(const struct key_epoch *e, bool hist)
{
    return (hist ? e->hist_key : e->kek_key) != NULL;
}

/* One older key, as an epoch's op has it. */
struct older_in {
    const struct ml_kek_epoch *op;
    const struct ml_older_key *key;
    const struct ml_secret *hist_wrap; /* of that epoch's HIST */
};

/* For one epoch that it may be of. */
static ml_err open_older(struct ml_keyring *k, const struct older_in *in, struct key_epoch *e,
                         struct ml_keyring_news *news)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_secret *key = NULL;
    bool hist = key_ids_equal(&e->hist, &in->key->wrapped);
    size_t ad_len = ml_older_key_ad(ad, &k->org, in->op, &in->key->wrapped);
    if (is_held(e, hist)) {
        return ML_OK;
    }
    ml_err err = ml_secret_new(&key, ML_KEY_BYTES);
    if (err != ML_OK) {
        return err;
    }
    if (ml_aead_open(ml_secret_writable(key), ml_slice(in->key->ct, sizeof(in->key->ct)),
                     ml_slice(ad, ad_len), in->key->nonce,
                     ml_secret_bytes(in->hist_wrap)) != ML_OK) {
        news->faulty = true;
        ml_secret_free(key);
        return ML_OK;
    }
    return hold(k, e, hist, key, news);
}

/* Only of numbers before, in the group of the epoch that wraps it (rules A3). */
static bool is_older(const struct key_epoch *e, const struct ml_kek_epoch *op,
                     const struct ml_key_id *wrapped)
{
    return e->compartment == op->compartment && teams_equal(&e->team, &op->team) &&
           e->epoch < op->epoch &&
           (key_ids_equal(&e->kek, wrapped) || key_ids_equal(&e->hist, wrapped));
}

static ml_err open_older_of(struct ml_keyring *k, const struct older_in *in,
                            struct ml_keyring_news *news)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        if (is_older(k->epochs[i], in->op, &in->key->wrapped)) {
            err = open_older(k, in, k->epochs[i], news);
        }
    }
    return err;
}

static ml_err epoch_open_older(struct ml_keyring *k, struct key_epoch *e,
                               struct ml_keyring_news *news)
{
    struct ml_keyop op;
    struct ml_secret *hist_wrap = NULL;
    ml_err err = ml_keyop_decode(&op, ml_slice(e->raw, e->raw_len), NULL);
    if (err == ML_OK) {
        err = ml_kdf(ML_KDF_HIST_WRAP, &hist_wrap, e->hist_key, ml_slice(NULL, 0));
    }
    struct ml_list_walk walk;
    struct ml_older_key older;
    const struct older_in in = {&op.u.kek_epoch, &older, hist_wrap};
    ml_list_walk(&walk, &op.u.kek_epoch.older);
    while (err == ML_OK && ml_older_key_next(&walk, &older)) {
        err = open_older_of(k, &in, news);
    }
    ml_secret_free(hist_wrap);
    return err;
}

ml_err ml_keyring_leads_to(const struct ml_keyring *k, bool *leads, const struct key_epoch *x,
                           const struct key_epoch *e, bool hist)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    uint8_t key[ML_KEY_BYTES];
    struct ml_list_walk walk;
    struct ml_older_key older;
    struct ml_keyop op;
    struct ml_secret *wrap = NULL;
    *leads = false;
    if (x->hist_key == NULL || ml_keyop_decode(&op, ml_slice(x->raw, x->raw_len), NULL) != ML_OK ||
        !is_older(e, &op.u.kek_epoch, epoch_id(e, hist))) {
        return ML_OK;
    }
    ml_err err = ml_kdf(ML_KDF_HIST_WRAP, &wrap, x->hist_key, ml_slice(NULL, 0));
    ml_list_walk(&walk, &op.u.kek_epoch.older);
    while (err == ML_OK && !*leads && ml_older_key_next(&walk, &older)) {
        const size_t ad_len = ml_older_key_ad(ad, &k->org, &op.u.kek_epoch, &older.wrapped);
        *leads = key_ids_equal(&older.wrapped, epoch_id(e, hist)) &&
                 ml_aead_open(key, ml_slice(older.ct, sizeof(older.ct)), ml_slice(ad, ad_len),
                              older.nonce, ml_secret_bytes(wrap)) == ML_OK;
    }
    ml_wipe(key, sizeof(key));
    ml_secret_free(wrap);
    return err;
}

static ml_err open_history_once(struct ml_keyring *k, struct ml_keyring_news *found)
{
    ml_err err = ML_OK;
    for (size_t i = k->epoch_count; i > 0 && err == ML_OK; i--) {
        if (k->epochs[i - 1]->hist_key != NULL) {
            err = epoch_open_older(k, k->epochs[i - 1], found);
        }
    }
    return err;
}

/* A HIST opens that of the epoch before: again until nothing new opens. */
static ml_err open_history(struct ml_keyring *k, struct ml_keyring_news *news)
{
    struct ml_keyring_news found = {.keks = true};
    ml_err err = ML_OK;
    while (found.keks && err == ML_OK) {
        found = (struct ml_keyring_news){0};
        err = open_history_once(k, &found);
        news->keks |= found.keks;
        news->streams |= found.streams;
        news->faulty |= found.faulty;
    }
    return err;
}

/* ---- ops ---- */

static ml_err epoch_add(struct ml_keyring *k, const struct ml_keyop *op, bool accepted)
{
    const struct ml_kek_epoch *in = &op->u.kek_epoch;
    if (k->epoch_count == k->epoch_cap) {
        size_t cap = k->epoch_cap == 0 ? 16 : k->epoch_cap * 2;
        struct key_epoch **grown = ml_resize(k->env, k->epochs, cap * sizeof(struct key_epoch *));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        k->epochs = grown;
        k->epoch_cap = cap;
    }
    struct key_epoch *e = ml_alloc(k->env, sizeof(*e));
    uint8_t *raw = ml_copy(k->env, op->raw.data, op->raw.len);
    if (e == NULL || raw == NULL) {
        ml_release(k->env, e);
        ml_release(k->env, raw);
        return ML_E_NOMEM;
    }
    static const struct ml_box_pk no_key;
    *e = (struct key_epoch){.team = in->team,
                            .compartment = in->compartment,
                            .epoch = in->epoch,
                            .kek = in->kek,
                            .hist = in->hist,
                            .break_glass = in->break_glass,
                            .deposit = in->deposit,
                            .has_break_glass =
                                memcmp(&in->break_glass, &no_key, sizeof(no_key)) != 0,
                            .has_holders = in->break_glass_holders.len > 0,
                            .order = k->arrivals + 1,
                            .accepted = accepted,
                            .raw = raw,
                            .raw_len = op->raw.len};
    struct ml_list_walk walk;
    struct ml_epoch_slot slot;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &in->slots);
    while (err == ML_OK && ml_epoch_slot_next(&walk, &slot)) {
        err = ml_keyring_hand(k, e, &slot.recipient, ML_SLOT_KEK);
        if (err == ML_OK && slot.hist.len > 0) {
            err = ml_keyring_hand(k, e, &slot.recipient, ML_SLOT_HIST);
        }
    }
    if (err != ML_OK) {
        epoch_free(k->env, e);
        return err;
    }
    ml_keyring_refit(k, e);
    k->epochs[k->epoch_count++] = e;
    k->arrivals++;
    return ML_OK;
}

/* Opens one slot of `e`; what doesn't open is faulty, not an error. */
static ml_err open_slot(struct ml_keyring *k, const struct ml_slot_at *at, const uint8_t *slot,
                        struct key_epoch *e, struct ml_keyring_news *news)
{
    struct ml_secret *key = NULL;
    bool hist = at->kind == ML_SLOT_HIST;
    if (is_held(e, hist)) {
        return ML_OK;
    }
    ml_err err = ml_slot_open(&key, slot, at, k->mon_box);
    if (err == ML_E_FORGED) {
        news->faulty = true;
        return ML_OK;
    }
    return err == ML_OK ? hold(k, e, hist, key, news) : err;
}

static struct ml_slot_at slot_at(const struct ml_keyring *k, const struct key_epoch *e,
                                 const struct ml_box_pk *ephemeral, uint16_t index)
{
    return (struct ml_slot_at){.kind = ML_SLOT_KEK,
                               .org = k->org,
                               .team = e->team,
                               .epoch = e->epoch,
                               .index = index,
                               .compartment = e->compartment,
                               .ephemeral = *ephemeral,
                               .recipient = k->mon_pk};
}

/* An epoch is its op, byte by byte: another that gives the same key ids another place, or garbage
 * in the slots, is another epoch, and takes nothing from this one whichever came first. */
static struct key_epoch *epoch_of_op(const struct ml_keyring *k, const struct ml_keyop *op)
{
    for (size_t i = 0; i < k->epoch_count; i++) {
        struct key_epoch *e = k->epochs[i];
        if (e->raw_len == op->raw.len && memcmp(e->raw, op->raw.data, e->raw_len) == 0) {
            return e;
        }
    }
    return NULL;
}

/* Those that never seal have half of the room: they can't take it from those that do. */
static bool is_full(const struct ml_keyring *k, bool accepted)
{
    size_t strangers = 0;
    for (size_t i = 0; i < k->epoch_count; i++) {
        strangers += !k->epochs[i]->accepted;
    }
    size_t mine = accepted ? k->epoch_count - strangers : strangers;
    return mine >= ML_KEYRING_EPOCHS_MAX / 2;
}

static ml_err open_slots(struct ml_keyring *k, struct key_epoch *e, const struct ml_kek_epoch *in,
                         struct ml_keyring_news *news)
{
    struct ml_list_walk walk;
    struct ml_epoch_slot slot;
    uint16_t index = 0;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &in->slots);
    for (; err == ML_OK && ml_epoch_slot_next(&walk, &slot); index++) {
        if (memcmp(slot.recipient.b, k->mon_id.b, sizeof(k->mon_id.b)) != 0) {
            continue;
        }
        struct ml_slot_at at = slot_at(k, e, &in->ephemeral, index);
        err = open_slot(k, &at, slot.kek.b, e, news);
        k->faults += e->kek_key == NULL;
        at.kind = ML_SLOT_HIST;
        if (err == ML_OK && slot.hist.len == ML_SLOT_WIRE_BYTES) {
            err = open_slot(k, &at, slot.hist.data, e, news);
        }
    }
    return err;
}

static ml_err apply_kek_epoch(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                              struct ml_keyring_news *news)
{
    struct key_epoch *e = epoch_of_op(k, op);
    if (e == NULL && is_full(k, accepted)) {
        news->faulty = true;
        return ML_OK;
    }
    if (e == NULL) {
        ml_err err = epoch_add(k, op, accepted);
        if (err != ML_OK) {
            return err;
        }
        e = k->epochs[k->epoch_count - 1];
    }
    e->accepted |= accepted;
    ml_err err = open_slots(k, e, &op->u.kek_epoch, news);
    return err == ML_OK ? open_history(k, news) : err;
}

/* The place isn't said: it is that of the epoch with this key id where the slot opens. */
static ml_err open_grant(struct ml_keyring *k, const struct ml_kek_grant *in,
                         const struct ml_grant_slot *slot, uint16_t index,
                         struct ml_keyring_news *news)
{
    const bool hist = slot->kind == ML_SLOT_HIST;
    struct ml_keyring_news tried = {0};
    bool held = false;
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        struct key_epoch *e = k->epochs[i];
        if (key_ids_equal(epoch_id(e, hist), &slot->key)) {
            struct ml_slot_at at = slot_at(k, e, &in->ephemeral, index);
            at.kind = (ml_slot_kind)slot->kind;
            err = open_slot(k, &at, slot->slot.b, e, &tried);
            held = held || is_held(e, hist);
        }
    }
    news->keks |= tried.keks;
    news->streams |= tried.streams;
    news->patient = tried.streams ? tried.patient : news->patient;
    k->faults += !held;
    news->faulty |= !held; /* or of an epoch that its own past doesn't have */
    return err;
}

static bool is_granted_kind(uint8_t kind)
{
    return kind == ML_SLOT_KEK || kind == ML_SLOT_HIST || kind == ML_SLOT_CONSENT;
}

/* Whoever it is for has these keys from now on, whether or not they open here. */
static ml_err hand_granted(struct ml_keyring *k, const struct ml_kek_grant *in,
                           const struct ml_grant_slot *slot)
{
    const struct ml_recipient_id id = ml_recipient_id_of(&in->recipient);
    const ml_slot_kind kind = (ml_slot_kind)slot->kind;
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        struct key_epoch *e = k->epochs[i];
        if (key_ids_equal(epoch_id(e, kind == ML_SLOT_HIST), &slot->key)) {
            err = ml_keyring_hand(k, e, &id, kind);
            ml_keyring_refit(k, e);
        }
    }
    return err;
}

static ml_err hand_all_granted(struct ml_keyring *k, const struct ml_kek_grant *in)
{
    struct ml_list_walk walk;
    struct ml_grant_slot slot;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &in->slots);
    while (err == ML_OK && ml_grant_slot_next(&walk, &slot)) {
        if (is_granted_kind(slot.kind)) {
            err = hand_granted(k, in, &slot);
        }
    }
    return err;
}

static ml_err apply_kek_grant(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                              struct ml_keyring_news *news)
{
    const struct ml_kek_grant *in = &op->u.kek_grant;
    ml_err err = accepted ? hand_all_granted(k, in) : ML_OK;
    if (err != ML_OK) {
        return err;
    }
    if (memcmp(in->recipient.b, k->mon_pk.b, sizeof(k->mon_pk.b)) != 0) {
        return ML_OK;
    }
    struct ml_list_walk walk;
    struct ml_grant_slot slot;
    uint16_t index = 0;
    ml_list_walk(&walk, &in->slots);
    for (; err == ML_OK && ml_grant_slot_next(&walk, &slot); index++) {
        if (slot.kind == ML_SLOT_CONSENT) {
            err = ml_keyring_apply_hearing(k, in, &slot, index, news);
        } else if (is_granted_kind(slot.kind)) {
            err = open_grant(k, in, &slot, index, news);
        } else {
            news->faulty = true; /* a later kind */
        }
    }
    return err == ML_OK ? open_history(k, news) : err;
}

static ml_err streams_put(struct ml_keyring *k, const struct ml_patient_link *link)
{
    struct ml_secret *secret = NULL;
    ml_err err = ml_secret_from(&secret, link->secret, ML_LINK_BYTES);
    for (uint8_t c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        struct ml_stream_id stream = ml_stream_id_derive(secret, (ml_compartment)c);
        const struct ml_stream_info info = {.patient = link->patient, .compartment = c};
        err = k->store->stream_put(k->store->ctx, &stream, &info);
    }
    ml_secret_free(secret);
    return err;
}

static ml_err apply_patient_open(struct ml_keyring *k, const struct ml_keyop *op,
                                 struct ml_keyring_news *news)
{
    const struct ml_patient_open *in = &op->u.patient_open;
    const struct key_epoch *e = ml_keyring_epoch_of_kek(k, &in->sealed.key);
    if (e == NULL || e->wrap_key == NULL) {
        return k->store->later_put(k->store->ctx, &in->sealed.key, op->raw);
    }
    uint8_t plain[sizeof(struct ml_object_id) + ML_LINK_BYTES];
    uint8_t ad[ML_KEYOP_AD_MAX];
    size_t ad_len = ml_patient_open_ad(ad, &k->org, in);
    if (in->sealed.ct.len != sizeof(plain) + ML_AEAD_TAG_BYTES ||
        ml_aead_open(plain, in->sealed.ct, ml_slice(ad, ad_len), in->sealed.nonce,
                     ml_secret_bytes(e->wrap_key)) != ML_OK) {
        news->faulty = true;
        return ML_OK;
    }
    struct ml_patient_link link = {.team = in->team};
    memcpy(link.patient.b, plain, sizeof(link.patient.b));
    memcpy(link.secret, plain + sizeof(link.patient.b), ML_LINK_BYTES);
    ml_err err = k->store->link_put(k->store->ctx, &link);
    if (err == ML_OK) {
        err = streams_put(k, &link);
    }
    if (err == ML_OK) {
        err = ml_keyring_mark_open(k, &link, &e->kek);
    }
    news->streams = true;
    news->patient = link.patient;
    ml_wipe(plain, sizeof(plain));
    ml_wipe(&link, sizeof(link));
    return err;
}

static ml_err apply_dek_wrap(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                             struct ml_keyring_news *news)
{
    const struct ml_stored_wrap wrap = {.wrap = op->u.dek_wrap, .seals = accepted};
    if (ml_keyring_wrap_fate(k, &wrap.wrap) == ML_WRAP_FORGED) {
        news->faulty = true; /* not kept: anybody can write what opens for nobody */
        return ML_OK;
    }
    news->dek = true;
    news->stream = wrap.wrap.stream;
    news->dek_id = wrap.wrap.dek;
    return k->store->wrap_put(k->store->ctx, &wrap);
}

ml_err ml_keyring_apply(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                        struct ml_keyring_news *news)
{
    *news = (struct ml_keyring_news){0};
    if (!op->known) {
        return ML_OK;
    }
    switch (op->type) {
    case ML_KEYOP_KEK_EPOCH:
        return apply_kek_epoch(k, op, accepted, news);
    case ML_KEYOP_KEK_GRANT:
        return apply_kek_grant(k, op, accepted, news);
    case ML_KEYOP_PATIENT_OPEN:
        return apply_patient_open(k, op, news);
    case ML_KEYOP_DEK_WRAP:
        return apply_dek_wrap(k, op, accepted, news);
    case ML_KEYOP_DEPOSIT_WRAP:
        return ml_keyring_apply_deposit(k, op, accepted, news);
    case ML_KEYOP_DEK_SLOTS:
        return ml_keyring_apply_slots(k, op, accepted, news);
    case ML_KEYOP_BG_WRAP: /* nobody here can open it: it counts by who says so */
        return accepted ? k->store->bg_put(k->store->ctx, &op->u.bg_wrap) : ML_OK;
    case ML_KEYOP_SHRED:
        return accepted ? ml_keyring_apply_shred(k, &op->u.shred) : ML_OK;
    case ML_KEYOP_KEY_FAULT:
        if (accepted) {
            ml_keyring_apply_fault(k, &op->u.key_fault);
        }
        return ML_OK;
    case ML_KEYOP_PAIR_GRANT:
        return ml_keyring_apply_pair(k, &op->u.pair_grant, accepted, news);
    default:
        return ML_OK;
    }
}
