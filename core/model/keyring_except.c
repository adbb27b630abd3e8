/* core/model/keyring_except.c -- data keys sealed to members one by one (see keyring_except.h).
 *
 * Happy path: DEK_SLOTS ops are few and kept whole; a DEK is looked for among them when no wrap
 * opens it. Whom a DEK is sealed to stands in clear, so that each writer sees what is missing, and
 * a key that somebody else has too never seals.
 *
 * Failures: an error leaves the keyring as it was. What doesn't open is ignored.
 */
#include "core/model/keyring_except.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_int.h"

static bool ids_equal(const struct ml_recipient_id *a, const struct ml_recipient_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static bool keys_equal(const struct ml_key_id *a, const struct ml_key_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static bool streams_equal(const struct ml_stream_id *a, const struct ml_stream_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* ---- as they come ---- */

static struct dek_exception *find_op(const struct ml_keyring *k, const struct ml_keyop *op)
{
    for (size_t i = 0; i < k->exception_count; i++) {
        struct dek_exception *e = &k->exceptions[i];
        if (e->raw_len == op->raw.len && memcmp(e->raw, op->raw.data, e->raw_len) == 0) {
            return e;
        }
    }
    return NULL;
}

static ml_err exception_add(struct ml_keyring *k, const struct ml_keyop *op, bool accepted)
{
    if (k->exception_count == k->exception_cap) {
        const size_t cap = k->exception_cap == 0 ? 8 : k->exception_cap * 2;
        struct dek_exception *grown = ml_resize(k->env, k->exceptions, cap * sizeof(*grown));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        k->exceptions = grown;
        k->exception_cap = cap;
    }
    uint8_t *raw = ml_copy(k->env, op->raw.data, op->raw.len);
    if (raw == NULL) {
        return ML_E_NOMEM;
    }
    k->exceptions[k->exception_count++] = (struct dek_exception){.stream = op->u.dek_slots.stream,
                                                                 .dek = op->u.dek_slots.dek,
                                                                 .raw = raw,
                                                                 .raw_len = op->raw.len,
                                                                 .accepted = accepted};
    return ML_OK;
}

/* Those that never seal have half of the room, as epochs have. */
static bool is_full(const struct ml_keyring *k, bool accepted)
{
    size_t alike = 0;
    for (size_t i = 0; i < k->exception_count; i++) {
        alike += k->exceptions[i].accepted == accepted;
    }
    return alike >= ML_KEYRING_EXCEPTIONS_MAX / 2;
}

ml_err ml_keyring_apply_slots(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                              struct ml_keyring_news *news)
{
    struct dek_exception *e = find_op(k, op);
    if (e == NULL && is_full(k, accepted)) {
        news->faulty = true;
        return ML_OK;
    }
    ml_err err = e == NULL ? exception_add(k, op, accepted) : ML_OK;
    if (err != ML_OK) {
        return err;
    }
    if (e != NULL) {
        e->accepted |= accepted;
    }
    news->dek = true;
    news->stream = op->u.dek_slots.stream;
    news->dek_id = op->u.dek_slots.dek;
    return ML_OK;
}

void ml_keyring_drop_exceptions(struct ml_keyring *k)
{
    for (size_t i = 0; i < k->exception_count; i++) {
        ml_release(k->env, k->exceptions[i].raw);
    }
    ml_release(k->env, k->exceptions);
    k->exceptions = NULL;
    k->exception_count = 0;
    k->exception_cap = 0;
    ml_release(k->env, k->stale);
    k->stale = NULL;
    k->stale_count = 0;
    k->stale_cap = 0;
}

/* ---- what was shredded ---- */

static bool is_stale(const struct ml_keyring *k, const struct ml_seal_key *key)
{
    bool is = false;
    for (size_t i = 0; i < k->stale_count && !is; i++) {
        is = streams_equal(&k->stale[i].stream, &key->stream) &&
             keys_equal(&k->stale[i].dek, &key->dek);
    }
    return is;
}

static ml_err stale_add(struct ml_keyring *k, const struct ml_seal_key *key)
{
    if (is_stale(k, key) || k->stale_count == ML_KEYRING_EXCEPTIONS_MAX) {
        return ML_OK;
    }
    if (k->stale_count == k->stale_cap) {
        const size_t cap = k->stale_cap == 0 ? 8 : k->stale_cap * 2;
        struct stale_dek *grown = ml_resize(k->env, k->stale, cap * sizeof(*grown));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        k->stale = grown;
        k->stale_cap = cap;
    }
    k->stale[k->stale_count++] = (struct stale_dek){key->stream, key->dek};
    return ML_OK;
}

ml_err ml_keyring_apply_shred(struct ml_keyring *k, const struct ml_shred *op)
{
    struct ml_list_walk walk;
    struct ml_shred_wrap one;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &op->wraps);
    while (err == ML_OK && ml_shred_wrap_next(&walk, &one)) {
        const struct ml_seal_key key = {op->stream, one.dek};
        err = stale_add(k, &key);
    }
    return err;
}

void ml_keyring_forget_stream(struct ml_keyring *k, const struct ml_stream_id *stream)
{
    size_t left = 0;
    for (size_t i = 0; i < k->exception_count; i++) {
        if (streams_equal(&k->exceptions[i].stream, stream)) {
            ml_release(k->env, k->exceptions[i].raw);
        } else {
            k->exceptions[left++] = k->exceptions[i];
        }
    }
    k->exception_count = left;
    left = 0;
    for (size_t i = 0; i < k->stale_count; i++) {
        if (!streams_equal(&k->stale[i].stream, stream)) {
            k->stale[left++] = k->stale[i];
        }
    }
    k->stale_count = left;
    ml_keyring_cache_drop(k, stream);
}

/* ---- opening ---- */

/* This member's slot in an op; false: there is none. */
static bool own_slot(const struct ml_keyring *k, const struct dek_exception *e,
                     struct ml_slot_at *at, struct ml_slot_bytes *slot)
{
    struct ml_keyop op;
    struct ml_list_walk walk;
    struct ml_dek_slot one;
    uint16_t index = 0;
    if (ml_keyop_decode(&op, ml_slice(e->raw, e->raw_len), NULL) != ML_OK) {
        return false;
    }
    ml_list_walk(&walk, &op.u.dek_slots.slots);
    for (; ml_dek_slot_next(&walk, &one); index++) {
        if (ids_equal(&one.recipient, &k->mon_id)) {
            at->ephemeral = op.u.dek_slots.ephemeral;
            at->index = index;
            *slot = one.slot;
            return true;
        }
    }
    return false;
}

static struct ml_slot_at place_of(const struct ml_keyring *k, const struct ml_stream_id *stream,
                                  uint8_t compartment)
{
    struct ml_slot_at at = {.kind = ML_SLOT_DEK, .org = k->org, .compartment = compartment};
    memcpy(at.team.b, stream->b, sizeof(at.team.b));
    return at;
}

ml_err ml_keyring_open_slots(struct ml_keyring *k, const struct cached_dek *what, uint8_t *key,
                             bool *found)
{
    ml_err err = ML_OK;
    *found = false;
    for (size_t i = 0; i < k->exception_count && err == ML_OK && !*found; i++) {
        const struct dek_exception *e = &k->exceptions[i];
        struct ml_slot_at at = place_of(k, &what->stream, what->info.compartment);
        struct ml_slot_bytes slot;
        struct ml_secret *dek = NULL;
        if (!streams_equal(&e->stream, &what->stream) || !keys_equal(&e->dek, &what->dek) ||
            !own_slot(k, e, &at, &slot)) {
            continue;
        }
        at.recipient = k->mon_pk;
        err = ml_slot_open(&dek, slot.b, &at, k->mon_box);
        if (err == ML_OK) {
            const struct ml_key_id id = ml_key_id_of(dek);
            *found = keys_equal(&id, &what->dek);
            memcpy(key, ml_secret_bytes(dek), ML_KEY_BYTES);
        }
        err = err == ML_E_FORGED ? ML_OK : err;
        ml_secret_free(dek);
    }
    return err;
}

/* ---- who has what ---- */

bool ml_keyring_is_excepted(const struct ml_keyring *k, const struct ml_seal_key *key)
{
    bool is = false;
    for (size_t i = 0; i < k->exception_count && !is; i++) {
        const struct dek_exception *e = &k->exceptions[i];
        is = e->accepted && streams_equal(&e->stream, &key->stream) &&
             keys_equal(&e->dek, &key->dek);
    }
    return is;
}

bool ml_keyring_has_exception(const struct ml_keyring *k, const struct ml_stream_id *stream)
{
    bool has = false;
    for (size_t i = 0; i < k->exception_count && !has; i++) {
        has = streams_equal(&k->exceptions[i].stream, stream);
    }
    return has;
}

size_t ml_keyring_exceptions(const struct ml_keyring *k)
{
    return k->exception_count;
}

static ml_err stream_of_link(struct ml_stream_id *out, const struct ml_patient_link *link,
                             ml_compartment compartment)
{
    struct ml_secret *secret = NULL;
    ml_err err = ml_secret_from(&secret, link->secret, ML_LINK_BYTES);
    if (err == ML_OK) {
        *out = ml_stream_id_derive(secret, compartment);
    }
    ml_secret_free(secret);
    return err;
}

ml_err ml_keyring_streams(struct ml_keyring *k, const struct ml_object_id *patient,
                          ml_compartment compartment, struct ml_stream_id out[ML_KEYRING_LINKS_MAX],
                          size_t *count)
{
    struct patient_links links;
    ml_err err = ml_keyring_links(k, patient, &links);
    *count = 0;
    for (size_t i = 0; err == ML_OK && i < links.count; i++) {
        size_t same = 0;
        err = stream_of_link(&out[*count], &links.link[i], compartment);
        while (err == ML_OK && !streams_equal(&out[same], &out[*count])) {
            same++;
        }
        *count += same == *count;
    }
    ml_keyring_links_wipe(&links);
    return err;
}

ml_err ml_keyring_has_any(struct ml_keyring *k, const struct ml_object_id *patient,
                          ml_compartment compartment, bool *any)
{
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    ml_err err = ml_keyring_streams(k, patient, compartment, streams, &count);
    *any = false;
    for (size_t i = 0; i < count && err == ML_OK && !*any; i++) {
        struct stream_wraps wraps = {0};
        err = ml_keyring_wraps(k, &streams[i], &wraps);
        *any = wraps.count > 0 || ml_keyring_has_exception(k, &streams[i]);
        ml_release(k->env, wraps.wrap);
    }
    return err;
}

ml_err ml_keyring_teams(struct ml_keyring *k, const struct ml_object_id *patient,
                        struct ml_team_id out[ML_KEYRING_LINKS_MAX], size_t *count)
{
    struct patient_links links;
    ml_err err = ml_keyring_links(k, patient, &links);
    *count = 0;
    for (size_t i = 0; err == ML_OK && i < links.count; i++) {
        size_t same = 0;
        out[*count] = links.link[i].team;
        while (memcmp(out[same].b, out[*count].b, sizeof(out[same].b)) != 0) {
            same++;
        }
        *count += same == *count;
    }
    ml_keyring_links_wipe(&links);
    return err;
}

static bool is_named(const struct ml_exception *who, const struct ml_recipient_id *id)
{
    bool named = false;
    for (size_t i = 0; i < who->count && !named; i++) {
        const struct ml_recipient_id one = ml_recipient_id_of(&who->to[i]);
        named = ids_equal(&one, id);
    }
    return named;
}

static bool is_sealed_to(const struct dek_exception *e, const struct ml_recipient_id *id)
{
    struct ml_keyop op;
    struct ml_list_walk walk;
    struct ml_dek_slot slot;
    bool is = false;
    if (ml_keyop_decode(&op, ml_slice(e->raw, e->raw_len), NULL) != ML_OK) {
        return false;
    }
    ml_list_walk(&walk, &op.u.dek_slots.slots);
    while (!is && ml_dek_slot_next(&walk, &slot)) {
        is = ids_equal(&slot.recipient, id);
    }
    return is;
}

/* Has he a slot of this DEK, by an op that counts? */
static bool has_dek(const struct ml_keyring *k, const struct ml_seal_key *key,
                    const struct ml_recipient_id *id)
{
    bool has = false;
    for (size_t i = 0; i < k->exception_count && !has; i++) {
        const struct dek_exception *e = &k->exceptions[i];
        has = e->accepted && streams_equal(&e->stream, &key->stream) &&
              keys_equal(&e->dek, &key->dek) && is_sealed_to(e, id);
    }
    return has;
}

static bool names_stranger(const struct dek_exception *e, const struct ml_exception *who)
{
    struct ml_keyop op;
    struct ml_list_walk walk;
    struct ml_dek_slot slot;
    bool stranger = ml_keyop_decode(&op, ml_slice(e->raw, e->raw_len), NULL) != ML_OK;
    ml_list_walk(&walk, &op.u.dek_slots.slots);
    while (!stranger && ml_dek_slot_next(&walk, &slot)) {
        stranger = !is_named(who, &slot.recipient);
    }
    return stranger;
}

/* Does any op that counts seal it to somebody else? */
static bool is_stained(const struct ml_keyring *k, const struct ml_seal_key *key,
                       const struct ml_exception *who)
{
    bool stained = false;
    for (size_t i = 0; i < k->exception_count && !stained; i++) {
        const struct dek_exception *e = &k->exceptions[i];
        stained = e->accepted && streams_equal(&e->stream, &key->stream) &&
                  keys_equal(&e->dek, &key->dek) && names_stranger(e, who);
    }
    return stained;
}

struct glass_search {
    const struct ml_keyring *k;
    const struct ml_key_id *dek;
    bool old;
};

static ml_err glass_search(void *user, const struct ml_bg_wrap *wrap)
{
    struct glass_search *s = user;
    s->old = s->old || (keys_equal(&wrap->dek, s->dek) && ml_keyring_is_glass_of_old(s->k, wrap));
    return ML_OK;
}

/* Do emergency keys of before open it (ADR 0030)? */
static ml_err is_glassed(struct ml_keyring *k, const struct ml_seal_key *key, bool *old)
{
    struct glass_search s = {.k = k, .dek = &key->dek};
    ml_err err = k->store->bg_each(k->store->ctx, &key->stream, glass_search, &s);
    *old = s.old;
    return err;
}

static ml_err bg_found(void *user, const struct ml_bg_wrap *wrap)
{
    (void)wrap;
    *(bool *)user = true;
    return ML_OK;
}

ml_err ml_keyring_is_shared(struct ml_keyring *k, const struct ml_exception *who,
                            const struct ml_stream_id *stream, bool *shared)
{
    struct stream_wraps wraps = {0};
    ml_err err = ml_keyring_wraps(k, stream, &wraps);
    *shared = wraps.count > 0;
    ml_release(k->env, wraps.wrap);
    for (size_t i = 0; i < k->exception_count && !*shared; i++) {
        const struct dek_exception *e = &k->exceptions[i];
        *shared = streams_equal(&e->stream, stream) && is_sealed_to(e, &k->mon_id) &&
                  names_stranger(e, who);
    }
    if (err == ML_OK && who->emergency && !*shared) {
        err = k->store->bg_each(k->store->ctx, stream, bg_found, shared);
    }
    return err;
}

static bool is_wrapped(const struct stream_wraps *wraps, const struct ml_key_id *dek)
{
    bool wrapped = false;
    for (size_t i = 0; i < wraps->count && !wrapped; i++) {
        wrapped = keys_equal(&wraps->wrap[i].wrap.dek, dek);
    }
    return wrapped;
}

/* The stream that new ops go to, as for a whole group. */
static ml_err sealing_stream(struct ml_keyring *k, const struct ml_exception *who,
                             struct ml_stream_id *stream)
{
    struct patient_links links;
    size_t chosen = 0;
    ml_err err = ml_keyring_links(k, &who->patient, &links);
    if (err == ML_OK) {
        err = ml_keyring_stream_of(&links, (uint8_t)who->compartment, stream, &chosen);
        ml_keyring_links_wipe(&links);
    }
    return err;
}

static ml_err choose(struct ml_keyring *k, const struct ml_exception *who,
                     const struct stream_wraps *wraps, struct ml_seal_key *key)
{
    bool found = false;
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->exception_count && err == ML_OK; i++) {
        const struct dek_exception *e = &k->exceptions[i];
        const struct ml_seal_key one = {e->stream, e->dek};
        struct ml_stream_info info;
        const uint8_t *bytes = NULL;
        if (!e->accepted || !streams_equal(&e->stream, &key->stream) ||
            (found && memcmp(e->dek.b, key->dek.b, sizeof(e->dek.b)) >= 0) ||
            is_wrapped(wraps, &e->dek) || is_stained(k, &one, who) || is_stale(k, &one)) {
            continue;
        }
        bool old = false;
        err = is_glassed(k, &one, &old);
        if (err != ML_OK || old) {
            continue;
        }
        err = ml_keyring_dek(k, &one.stream, &one.dek, &info, &bytes);
        if (err == ML_OK) {
            key->dek = one.dek;
            found = true;
        }
        err = err == ML_E_NO_KEY ? ML_OK : err;
    }
    return err == ML_OK && !found ? ML_E_NO_KEY : err;
}

ml_err ml_keyring_exception_key(struct ml_keyring *k, const struct ml_exception *who,
                                struct ml_seal_key *out)
{
    struct stream_wraps wraps = {0};
    struct ml_seal_key key;
    ml_err err = sealing_stream(k, who, &key.stream);
    if (err == ML_OK) {
        err = ml_keyring_wraps(k, &key.stream, &wraps);
    }
    if (err == ML_OK) {
        err = choose(k, who, &wraps, &key);
        ml_release(k->env, wraps.wrap);
    }
    if (err == ML_OK) {
        *out = key;
    }
    return err;
}

/* ---- making ---- */

struct sealing {
    struct ml_keyop op;
    struct ml_box_pk *to; /* owned: those who lack it, by ascending id */
    struct ml_dek_slot *slots;
    size_t count;
};

static int pk_order(const void *a, const void *b)
{
    const struct ml_recipient_id x = ml_recipient_id_of(a);
    const struct ml_recipient_id y = ml_recipient_id_of(b);
    return memcmp(x.b, y.b, sizeof(x.b));
}

static ml_err seal_one_by_one(struct ml_keyring *k, struct sealing *s,
                              const struct ml_exception *who, const struct ml_secret *dek)
{
    struct ml_dek_slots *out = &s->op.u.dek_slots;
    struct ml_secret *ephemeral = NULL;
    struct ml_slot_at at = place_of(k, &out->stream, (uint8_t)who->compartment);
    ml_err err = ml_slot_ephemeral(&out->ephemeral, &ephemeral, k->env, dek);
    at.ephemeral = out->ephemeral;
    for (size_t i = 0; i < s->count && err == ML_OK; i++) {
        at.index = (uint16_t)i;
        at.recipient = s->to[i];
        s->slots[i].recipient = ml_recipient_id_of(&s->to[i]);
        err = ml_slot_seal(s->slots[i].slot.b, &at, ephemeral, dek);
    }
    ml_secret_free(ephemeral);
    return err;
}

/* Those who are to have it: all, or who lacks it. */
static void gather(const struct ml_keyring *k, const struct ml_exception *who,
                   const struct ml_seal_key *key, bool all, struct sealing *s)
{
    for (size_t i = 0; i < who->count; i++) {
        const struct ml_recipient_id id = ml_recipient_id_of(&who->to[i]);
        if (all || !has_dek(k, key, &id)) {
            s->to[s->count++] = who->to[i];
        }
    }
    qsort(s->to, s->count, sizeof(*s->to), pk_order);
}

/* A DEK on its way to members. */
struct slotting {
    struct ml_seal_key key;
    const struct ml_secret *dek;
    bool all;
};

static ml_err emit_slots(struct ml_keyring *k, const struct ml_exception *who,
                         const struct slotting *what, const struct key_emitter *to)
{
    struct sealing s = {.op = {.type = ML_KEYOP_DEK_SLOTS}};
    s.op.u.dek_slots.stream = what->key.stream;
    s.op.u.dek_slots.dek = what->key.dek;
    s.to = ml_alloc_array(k->env, who->count, sizeof(*s.to));
    s.slots = ml_alloc_array(k->env, who->count, sizeof(*s.slots));
    ml_err err = s.to == NULL || s.slots == NULL ? ML_E_NOMEM : ML_OK;
    if (err == ML_OK) {
        gather(k, who, &what->key, what->all, &s);
    }
    if (err == ML_OK && s.count > 0) {
        err = s.count > ML_KEYOP_SLOTS_MAX ? ML_E_LIMIT : seal_one_by_one(k, &s, who, what->dek);
        s.op.u.dek_slots.slots = (struct ml_list){.items = s.slots, .count = (uint32_t)s.count};
        err = err == ML_OK ? ml_keyring_emit(k, &s.op, to->emit, to->user) : err;
    }
    ml_release(k->env, s.to);
    ml_release(k->env, s.slots);
    return err;
}

ml_err ml_keyring_emit_slots(struct ml_keyring *k, const struct ml_exception *who,
                             const struct ml_seal_key *key, const struct ml_secret *dek,
                             const struct key_emitter *to)
{
    const struct slotting what = {.key = *key, .dek = dek};
    return emit_slots(k, who, &what, to);
}

ml_err ml_keyring_make_slots(struct ml_keyring *k, const struct ml_exception *who,
                             const struct ml_seal_key *key, ml_keyop_cb *emit, void *user)
{
    const struct key_emitter to = {emit, user};
    struct slotting what = {.key = *key, .all = true};
    struct ml_secret *dek = NULL;
    struct ml_stream_info info;
    const uint8_t *bytes = NULL;
    ml_err err = ml_keyring_dek(k, &key->stream, &key->dek, &info, &bytes);
    if (err == ML_OK) {
        err = ml_secret_from(&dek, bytes, ML_KEY_BYTES);
    }
    if (err == ML_OK) {
        what.dek = dek;
        err = emit_slots(k, who, &what, &to);
    }
    ml_secret_free(dek);
    return err;
}

static ml_err new_dek(struct ml_keyring *k, const struct ml_exception *who,
                      const struct key_emitter *to)
{
    struct ml_seal_key key;
    struct ml_secret *dek = NULL;
    ml_err err = sealing_stream(k, who, &key.stream);
    if (err == ML_OK) {
        err = ml_secret_new(&dek, ML_KEY_BYTES);
    }
    if (err == ML_OK) {
        k->env->random(k->env->ctx, ml_secret_writable(dek), ML_KEY_BYTES);
        key.dek = ml_key_id_of(dek);
        err = ml_keyring_emit_slots(k, who, &key, dek, to);
    }
    if (err == ML_OK && !who->emergency) {
        err = ml_keyring_emit_glass(k, who, &key, ml_secret_bytes(dek), to);
    }
    ml_secret_free(dek);
    return err;
}

/* One DEK of before, if it opens here. */
static ml_err seal_older(struct ml_keyring *k, const struct ml_exception *who,
                         const struct ml_seal_key *key, const struct key_emitter *to)
{
    struct ml_stream_info info;
    const uint8_t *bytes = NULL;
    struct ml_secret *dek = NULL;
    ml_err err = ml_keyring_dek(k, &key->stream, &key->dek, &info, &bytes);
    if (err == ML_OK) {
        err = ml_secret_from(&dek, bytes, ML_KEY_BYTES);
    }
    if (err == ML_OK) {
        err = ml_keyring_emit_slots(k, who, key, dek, to);
    }
    ml_secret_free(dek);
    return err == ML_E_NO_KEY ? ML_OK : err;
}

static bool is_new_wrap(const struct stream_wraps *wraps, size_t i)
{
    size_t first = 0;
    while (!keys_equal(&wraps->wrap[first].wrap.dek, &wraps->wrap[i].wrap.dek)) {
        first++;
    }
    return first == i;
}

bool ml_keyring_excepts_first(const struct ml_keyring *k, size_t i,
                              const struct ml_stream_id *stream, const struct stream_wraps *wraps)
{
    const struct dek_exception *e = &k->exceptions[i];
    size_t first = 0;
    while (!streams_equal(&k->exceptions[first].stream, &e->stream) ||
           !keys_equal(&k->exceptions[first].dek, &e->dek)) {
        first++;
    }
    return first == i && streams_equal(&e->stream, stream) && !is_wrapped(wraps, &e->dek);
}

static ml_err seal_stream(struct ml_keyring *k, const struct ml_exception *who,
                          const struct ml_stream_id *stream, const struct key_emitter *to)
{
    struct stream_wraps wraps = {0};
    ml_err err = ml_keyring_wraps(k, stream, &wraps);
    for (size_t i = 0; i < wraps.count && err == ML_OK; i++) {
        if (is_new_wrap(&wraps, i)) {
            const struct ml_seal_key key = {*stream, wraps.wrap[i].wrap.dek};
            err = seal_older(k, who, &key, to);
        }
    }
    for (size_t i = 0; i < k->exception_count && err == ML_OK; i++) {
        const struct ml_seal_key key = {*stream, k->exceptions[i].dek};
        if (ml_keyring_excepts_first(k, i, stream, &wraps)) {
            err = seal_older(k, who, &key, to);
        }
    }
    ml_release(k->env, wraps.wrap);
    return err;
}

ml_err ml_keyring_make_exception(struct ml_keyring *k, const struct ml_exception *who,
                                 ml_keyop_cb *emit, void *user)
{
    const struct key_emitter to = {emit, user};
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    struct ml_seal_key key;
    size_t count = 0;
    if (!is_named(who, &k->mon_id)) {
        return ML_E_NO_KEY;
    }
    ml_err err = ml_keyring_streams(k, &who->patient, who->compartment, streams, &count);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = seal_stream(k, who, &streams[i], &to);
    }
    if (err != ML_OK) {
        return err;
    }
    err = ml_keyring_exception_key(k, who, &key);
    return err == ML_E_NO_KEY ? new_dek(k, who, &to) : err;
}
