/* core/model/keyring_pair.c -- see keyring_pair.h: pairs as lane 1 hands them, and what the
 * emergency pair opens.
 *
 * Happy path: PAIR_GRANT is applied -> its pair is known, with all to whom it was handed; a slot
 * for this member-on-node opens and gives the public half that the op states: the secret is held.
 * A break-glass wrap names the public half of a group's pair; that epoch's op has its secret sealed
 * to an emergency pair.
 *
 * A network epoch's slot for the pair of a later epoch opens by that one's secret, now or when it
 * comes.
 *
 * Failures: a slot that doesn't open, or gives another key, is faulty and ignored. What isn't
 * accepted opens, and never seals nor counts as handed. Invariant: a held secret fits its pair.
 */
#include "core/model/keyring_pair.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_int.h"

static bool pk_equal(const struct ml_box_pk *a, const struct ml_box_pk *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static struct key_pair *pair_find(const struct ml_keyring *k, uint8_t kind,
                                  const struct ml_box_pk *pair)
{
    for (size_t i = 0; i < k->pair_count; i++) {
        struct key_pair *p = k->pairs[i];
        if (pk_equal(&p->pk, pair) && (kind == 0 || p->kind == kind)) {
            return p;
        }
    }
    return NULL;
}

static void pair_free(const struct ml_env *env, struct key_pair *p)
{
    ml_secret_free(p->secret);
    ml_release(env, p->handed);
    ml_release(env, p);
}

void ml_keyring_drop_pairs(struct ml_keyring *k)
{
    for (size_t i = 0; i < k->pair_count; i++) {
        pair_free(k->env, k->pairs[i]);
    }
    ml_release(k->env, k->pairs);
    k->pairs = NULL;
    k->pair_count = 0;
    k->pair_cap = 0;
    k->lead_count = 0;
    ml_keyring_pair_weigh(k);
    ml_secret_free(k->glass_keys);
    k->glass_keys = NULL;
    k->glass_count = 0;
}

/* ---- applying ---- */

/* Room for one more: those that never count have as much as those that do. Of network epochs the
 * earliest makes room. */
static bool room_make(struct ml_keyring *k, const struct ml_pair_grant *in, bool accepted)
{
    const bool network = in->kind == ML_PAIR_NETWORK;
    size_t alike = 0;
    size_t earliest = 0;
    for (size_t i = 0; i < k->pair_count; i++) {
        if (k->pairs[i]->kind == in->kind && k->pairs[i]->accepted == accepted) {
            earliest =
                alike == 0 || k->pairs[i]->number < k->pairs[earliest]->number ? i : earliest;
            alike++;
        }
    }
    if (alike < (network ? ML_KEYRING_NETS_MAX : ML_KEYRING_PAIRS_MAX / 2)) {
        return true;
    }
    if (!network || in->number <= k->pairs[earliest]->number) {
        return false;
    }
    pair_free(k->env, k->pairs[earliest]);
    k->pairs[earliest] = k->pairs[--k->pair_count];
    return true;
}

static ml_err pair_add(struct ml_keyring *k, const struct ml_pair_grant *in, struct key_pair **out)
{
    if (k->pair_count == k->pair_cap) {
        const size_t cap = k->pair_cap == 0 ? 4 : k->pair_cap * 2;
        struct key_pair **grown = ml_resize(k->env, k->pairs, cap * sizeof(struct key_pair *));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        k->pairs = grown;
        k->pair_cap = cap;
    }
    struct key_pair *p = ml_alloc(k->env, sizeof(*p));
    if (p == NULL) {
        return ML_E_NOMEM;
    }
    *p = (struct key_pair){.kind = in->kind, .number = in->number, .pk = in->pair};
    k->pairs[k->pair_count++] = p;
    *out = p;
    return ML_OK;
}

static bool was_handed(const struct key_pair *p, const struct ml_recipient_id *to)
{
    for (size_t i = 0; i < p->handed_count; i++) {
        if (memcmp(p->handed[i].b, to->b, sizeof(to->b)) == 0) {
            return true;
        }
    }
    return false;
}

static ml_err hand(struct ml_keyring *k, struct key_pair *p, const struct ml_recipient_id *to)
{
    if (was_handed(p, to)) {
        return ML_OK;
    }
    if (p->handed_count == p->handed_cap) {
        const size_t cap = p->handed_cap == 0 ? 8 : p->handed_cap * 2;
        struct ml_recipient_id *grown = ml_resize(k->env, p->handed, cap * sizeof(*grown));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        p->handed = grown;
        p->handed_cap = cap;
    }
    p->handed[p->handed_count++] = *to;
    return ML_OK;
}

static ml_slot_kind slot_kind(uint8_t kind)
{
    switch (kind) {
    case ML_PAIR_AUDIT:
        return ML_SLOT_AUDIT;
    case ML_PAIR_NETWORK:
        return ML_SLOT_NETWORK;
    default:
        return ML_SLOT_EMERGENCY;
    }
}

static ml_err secret_open(struct key_pair *p, const uint8_t *slot, const struct ml_slot_at *at,
                          const struct ml_secret *by)
{
    struct ml_secret *key = NULL;
    struct ml_box_pk pk;
    ml_err err = ml_slot_open(&key, slot, at, by);
    if (err != ML_OK) {
        return err;
    }
    ml_box_pk_of(&pk, key);
    if (!pk_equal(&pk, &p->pk)) {
        ml_secret_free(key);
        return ML_E_FORGED;
    }
    p->secret = key;
    return ML_OK;
}

static ml_err open_mine(struct ml_keyring *k, struct key_pair *p, const struct ml_pair_grant *in,
                        const struct ml_pair_slot *slot, uint16_t index)
{
    const struct ml_slot_at at = {.kind = slot_kind(in->kind),
                                  .org = k->org,
                                  .index = index,
                                  .ephemeral = in->ephemeral,
                                  .recipient = k->mon_pk};
    return secret_open(p, slot->slot.b, &at, k->mon_box);
}

/* ---- an epoch that a later one opens ---- */

/* Of the one slot of this op: only of a network epoch, only that of a later one. */
static const struct key_pair *leader_find(const struct ml_keyring *k,
                                          const struct ml_pair_grant *in,
                                          const struct ml_recipient_id *to)
{
    for (size_t i = 0; in->kind == ML_PAIR_NETWORK && in->slots.count == 1 && i < k->pair_count;
         i++) {
        const struct key_pair *p = k->pairs[i];
        const struct ml_recipient_id id = ml_recipient_id_of(&p->pk);
        if (p->kind == ML_PAIR_NETWORK && p->number > in->number &&
            memcmp(id.b, to->b, sizeof(id.b)) == 0) {
            return p;
        }
    }
    return NULL;
}

/* What isn't accepted opens at once or never: whoever writes what he likes fills nothing. */
static bool lead_keep(struct ml_keyring *k, const struct ml_pair_grant *in,
                      const struct ml_pair_slot *slot, bool accepted)
{
    const struct key_pair *by = leader_find(k, in, &slot->recipient);
    if (by == NULL || (!accepted && by->secret == NULL)) {
        return true;
    }
    if (k->lead_count == ML_KEYRING_LEADS_MAX) {
        return false;
    }
    struct pair_lead *lead = &k->leads[k->lead_count++];
    *lead = (struct pair_lead){.to = in->pair, .by = by->pk, .ephemeral = in->ephemeral};
    memcpy(lead->slot, slot->slot.b, sizeof(lead->slot));
    return true;
}

static ml_err lead_open(const struct ml_keyring *k, const struct pair_lead *lead,
                        struct key_pair *to, const struct key_pair *by)
{
    const struct ml_slot_at at = {
        .kind = ML_SLOT_NETWORK, .org = k->org, .ephemeral = lead->ephemeral, .recipient = by->pk};
    return secret_open(to, lead->slot, &at, by->secret);
}

/* Each that opens may open one more: an earlier one, so this ends. */
static ml_err leads_follow(struct ml_keyring *k, struct ml_keyring_news *news)
{
    for (size_t i = 0; i < k->lead_count;) {
        struct key_pair *to = pair_find(k, ML_PAIR_NETWORK, &k->leads[i].to);
        const struct key_pair *by = pair_find(k, ML_PAIR_NETWORK, &k->leads[i].by);
        const bool open = to == NULL || to->secret != NULL;
        if (!open && (by == NULL || by->secret == NULL)) {
            i++;
            continue;
        }
        const ml_err err = open ? ML_OK : lead_open(k, &k->leads[i], to, by);
        if (err != ML_OK && err != ML_E_FORGED) {
            return err;
        }
        news->faulty |= err == ML_E_FORGED;
        k->leads[i] = k->leads[--k->lead_count];
        i = 0;
    }
    return ML_OK;
}

static ml_err slots_take(struct ml_keyring *k, struct key_pair *p, const struct ml_pair_grant *in,
                         bool accepted, struct ml_keyring_news *news)
{
    struct ml_list_walk walk;
    struct ml_pair_slot slot;
    ml_err err = ML_OK;
    ml_list_walk(&walk, &in->slots);
    for (uint16_t i = 0; err == ML_OK && ml_pair_slot_next(&walk, &slot); i++) {
        const bool mine = memcmp(slot.recipient.b, k->mon_id.b, sizeof(k->mon_id.b)) == 0;
        if (mine && p->secret == NULL) {
            err = open_mine(k, p, in, &slot, i);
            news->faulty |= err == ML_E_FORGED;
            err = err == ML_E_FORGED ? ML_OK : err;
        }
        news->faulty |= p->secret == NULL && !lead_keep(k, in, &slot, accepted);
        if (err == ML_OK && accepted) {
            err = hand(k, p, &slot.recipient);
        }
    }
    return err == ML_OK ? leads_follow(k, news) : err;
}

ml_err ml_keyring_apply_pair(struct ml_keyring *k, const struct ml_pair_grant *in, bool accepted,
                             struct ml_keyring_news *news)
{
    struct key_pair *p = pair_find(k, in->kind, &in->pair);
    if (in->kind < ML_PAIR_EMERGENCY || in->kind > ML_PAIR_NETWORK) {
        return ML_OK; /* of a later version */
    }
    if (p == NULL && !room_make(k, in, accepted)) {
        news->faulty = true;
        return ML_OK;
    }
    ml_err err = p == NULL ? pair_add(k, in, &p) : ML_OK;
    if (err != ML_OK) {
        return err;
    }
    if (accepted && !p->accepted) {
        p->accepted = true;
        p->order = ++k->arrivals;
    }
    err = slots_take(k, p, in, accepted, news);
    ml_keyring_pair_weigh(k);
    return err;
}

/* ---- questions ---- */

static bool comes_before(const struct key_pair *a, const struct key_pair *b)
{
    if (a->number != b->number) {
        return a->number > b->number;
    }
    if ((a->secret != NULL) != (b->secret != NULL)) {
        return a->secret != NULL;
    }
    return memcmp(a->pk.b, b->pk.b, sizeof(a->pk.b)) < 0;
}

const struct key_pair *ml_keyring_pair_now(const struct ml_keyring *k, uint8_t kind)
{
    const struct key_pair *best = NULL;
    for (size_t i = 0; i < k->pair_count; i++) {
        const struct key_pair *p = k->pairs[i];
        if (p->accepted && p->kind == kind && (best == NULL || comes_before(p, best))) {
            best = p;
        }
    }
    return best;
}

const struct ml_box_pk *ml_keyring_pair(const struct ml_keyring *k, ml_pair_kind kind)
{
    const struct key_pair *p = ml_keyring_pair_now(k, (uint8_t)kind);
    return p == NULL ? NULL : &p->pk;
}

const struct ml_secret *ml_keyring_pair_secret(const struct ml_keyring *k, ml_pair_kind kind,
                                               const struct ml_box_pk *pair)
{
    const struct key_pair *p = pair_find(k, (uint8_t)kind, pair);
    return p == NULL ? NULL : p->secret;
}

static size_t pairs_list(const struct ml_keyring *k, ml_pair_kind kind, bool counting,
                         struct ml_held_pair *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < k->pair_count; i++) {
        const struct key_pair *p = k->pairs[i];
        size_t at = 0;
        if (p->kind != kind || p->accepted != counting || p->secret == NULL) {
            continue;
        }
        while (at < count && (out[at].number > p->number ||
                              (out[at].number == p->number &&
                               memcmp(out[at].pk.b, p->pk.b, sizeof(p->pk.b)) < 0))) {
            at++;
        }
        if (at == max) {
            continue;
        }
        count += count < max;
        memmove(&out[at + 1], &out[at], (count - 1 - at) * sizeof(*out));
        out[at] = (struct ml_held_pair){p->number, p->pk, p->secret};
    }
    return count;
}

size_t ml_keyring_pairs_held(const struct ml_keyring *k, ml_pair_kind kind,
                             struct ml_held_pair *out, size_t max)
{
    return pairs_list(k, kind, true, out, max);
}

size_t ml_keyring_pairs_uncounted(const struct ml_keyring *k, ml_pair_kind kind,
                                  struct ml_held_pair *out, size_t max)
{
    return pairs_list(k, kind, false, out, max);
}

bool ml_keyring_pair_has(const struct ml_keyring *k, const struct ml_box_pk *pair,
                         const struct ml_box_pk *member)
{
    const struct ml_recipient_id id = ml_recipient_id_of(member);
    const struct key_pair *p = pair_find(k, 0, pair);
    return p != NULL && was_handed(p, &id);
}

bool ml_keyring_pair_strays(const struct ml_keyring *k, const struct ml_box_pk *pair,
                            const struct ml_box_pk *members, size_t count)
{
    const struct key_pair *p = pair_find(k, 0, pair);
    size_t found = 0;
    for (size_t i = 0; p != NULL && i < count; i++) {
        const struct ml_recipient_id id = ml_recipient_id_of(&members[i]);
        found += was_handed(p, &id);
    }
    return p != NULL && found < p->handed_count;
}

/* ---- making ---- */

struct handing {
    struct ml_keyop op;
    struct ml_pair_slot *slots;
    struct ml_box_pk *to; /* in the order of the slots */
    uint8_t recovery[ML_ANON_KEY_BYTES];
    struct ml_secret *drawn;
    struct ml_secret *ephemeral;
};

static int member_order(const void *a, const void *b)
{
    const struct ml_recipient_id x = ml_recipient_id_of(a);
    const struct ml_recipient_id y = ml_recipient_id_of(b);
    return memcmp(x.b, y.b, sizeof(x.b));
}

static ml_err members_sort(const struct ml_keyring *k, struct handing *h,
                           const struct ml_pair_args *args)
{
    h->to = ml_alloc_array(k->env, args->count, sizeof(*h->to));
    h->slots = ml_alloc_array(k->env, args->count, sizeof(*h->slots));
    if (h->to == NULL || h->slots == NULL) {
        return ML_E_NOMEM;
    }
    memcpy(h->to, args->members, args->count * sizeof(*h->to));
    qsort(h->to, args->count, sizeof(*h->to), member_order);
    for (size_t i = 1; i < args->count; i++) {
        if (pk_equal(&h->to[i - 1], &h->to[i])) {
            return ML_E_INVALID;
        }
    }
    return ML_OK;
}

/* A new pair of the next number, or the one whose secret is given. */
static ml_err pair_take(struct ml_keyring *k, struct handing *h, const struct ml_pair_args *args)
{
    struct ml_pair_grant *grant = &h->op.u.pair_grant;
    const struct key_pair *now = ml_keyring_pair_now(k, (uint8_t)args->kind);
    uint8_t ad[ML_KEYOP_AD_MAX];
    if (args->secret != NULL) {
        ml_box_pk_of(&grant->pair, args->secret);
        const struct key_pair *known = pair_find(k, (uint8_t)args->kind, &grant->pair);
        grant->number = args->number != 0 ? args->number : 1;
        grant->number = known != NULL ? known->number : grant->number;
        return ML_OK;
    }
    if (now != NULL && now->number == UINT32_MAX) {
        return ML_E_LIMIT;
    }
    grant->number = now == NULL ? 1 : now->number + 1;
    grant->number = args->number != 0 ? args->number : grant->number;
    ml_err err = ml_box_keypair(&grant->pair, &h->drawn, k->env);
    if (err != ML_OK || args->recovery == NULL) {
        return err;
    }
    const size_t ad_len = ml_break_glass_ad(ad, &k->org, &grant->pair);
    grant->recovery = ml_slice(h->recovery, sizeof(h->recovery));
    return ml_seal_anon(h->recovery, ml_slice(ml_secret_bytes(h->drawn), ML_KEY_BYTES),
                        args->recovery, ml_slice(ad, ad_len), k->env);
}

static ml_err slots_seal(const struct ml_keyring *k, struct handing *h,
                         const struct ml_secret *secret, size_t count)
{
    struct ml_pair_grant *grant = &h->op.u.pair_grant;
    ml_err err = ml_slot_ephemeral(&grant->ephemeral, &h->ephemeral, k->env, secret);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        const struct ml_slot_at at = {.kind = slot_kind(grant->kind),
                                      .org = k->org,
                                      .index = (uint16_t)i,
                                      .ephemeral = grant->ephemeral,
                                      .recipient = h->to[i]};
        h->slots[i].recipient = ml_recipient_id_of(&h->to[i]);
        err = ml_slot_seal(h->slots[i].slot.b, &at, h->ephemeral, secret);
    }
    grant->slots = (struct ml_list){.items = h->slots, .count = (uint32_t)count};
    return err;
}

ml_err ml_keyring_make_pair(struct ml_keyring *k, const struct ml_pair_args *args,
                            ml_keyop_cb *emit, void *user)
{
    struct handing h = {.op.type = ML_KEYOP_PAIR_GRANT};
    if (args->count == 0 || args->count > ML_KEYOP_PAIR_MAX) {
        return args->count == 0 ? ML_E_INVALID : ML_E_LIMIT;
    }
    h.op.u.pair_grant.kind = (uint8_t)args->kind;
    ml_err err = members_sort(k, &h, args);
    if (err == ML_OK) {
        err = pair_take(k, &h, args);
    }
    if (err == ML_OK) {
        err = slots_seal(k, &h, args->secret != NULL ? args->secret : h.drawn, args->count);
    }
    if (err == ML_OK) {
        err = ml_keyring_emit(k, &h.op, emit, user);
    }
    ml_secret_free(h.drawn);
    ml_secret_free(h.ephemeral);
    ml_release(k->env, h.slots);
    ml_release(k->env, h.to);
    return err;
}

/* ---- break-glass ---- */

ml_err ml_keyring_open_holders(const struct ml_keyring *k, const struct key_epoch *e,
                               const struct key_pair *pair, struct ml_secret **out)
{
    struct ml_keyop op;
    struct ml_box_pk pk;
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t ad_len = ml_break_glass_ad(ad, &k->org, &e->break_glass);
    ml_err err = ml_keyop_decode(&op, ml_slice(e->raw, e->raw_len), NULL);
    if (err != ML_OK || op.u.kek_epoch.break_glass_holders.len != ML_ANON_KEY_BYTES) {
        return ML_E_NO_KEY;
    }
    err = ml_secret_new(out, ML_KEY_BYTES);
    if (err != ML_OK) {
        return err;
    }
    err = ml_open_anon(ml_secret_writable(*out), op.u.kek_epoch.break_glass_holders, pair->secret,
                       ml_slice(ad, ad_len));
    if (err == ML_OK) {
        ml_box_pk_of(&pk, *out);
    }
    if (err != ML_OK || !pk_equal(&pk, &e->break_glass)) {
        ml_secret_free(*out);
        *out = NULL;
        return ML_E_NO_KEY;
    }
    return ML_OK;
}

/* The secret half of this epoch's pair, by any emergency pair that is held. */
static ml_err group_secret(const struct ml_keyring *k, const struct key_epoch *e,
                           struct ml_secret **out)
{
    ml_err err = ML_E_NO_KEY;
    for (size_t i = 0; i < k->pair_count && err == ML_E_NO_KEY; i++) {
        const struct key_pair *p = k->pairs[i];
        if (p->kind == ML_PAIR_EMERGENCY && p->secret != NULL) {
            err = ml_keyring_open_holders(k, e, p, out);
        }
    }
    return err;
}

static ml_err wrap_open(const struct ml_keyring *k, const struct ml_bg_wrap *wrap,
                        const struct ml_secret *secret, uint8_t dek[ML_KEY_BYTES])
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t ad_len = ml_bg_wrap_ad(ad, &k->org, wrap);
    ml_err err = ml_open_anon(dek, ml_slice(wrap->sealed, sizeof(wrap->sealed)), secret,
                              ml_slice(ad, ad_len));
    const struct ml_key_id id = ml_key_id_of_bytes(dek);
    if (err == ML_OK && memcmp(id.b, wrap->dek.b, sizeof(id.b)) != 0) {
        ml_wipe(dek, ML_KEY_BYTES);
        err = ML_E_FORGED;
    }
    return err;
}

ml_err ml_keyring_open_glass(const struct ml_keyring *k, const struct ml_bg_wrap *wrap,
                             uint8_t dek[ML_KEY_BYTES])
{
    ml_err err = ML_E_NO_KEY;
    for (size_t i = 0; i < k->epoch_count && err == ML_E_NO_KEY; i++) {
        const struct key_epoch *e = k->epochs[i];
        struct ml_secret *secret = NULL;
        if (!e->has_break_glass || !pk_equal(&e->break_glass, &wrap->break_glass)) {
            continue;
        }
        err = group_secret(k, e, &secret);
        if (err == ML_OK) {
            err = wrap_open(k, wrap, secret, dek);
        }
        ml_secret_free(secret);
    }
    return err;
}

ml_err ml_keyring_take_dek(struct ml_keyring *k, const struct ml_stream_id *stream,
                           const struct ml_key_id *dek_id, const uint8_t dek[ML_KEY_BYTES])
{
    if (ml_keyring_glass_dek(k, stream, dek_id) != NULL) {
        return ML_OK;
    }
    if (k->glass_count == ML_KEYRING_GLASS_MAX) {
        return ML_E_LIMIT;
    }
    if (k->glass_keys == NULL) {
        ml_err err = ml_secret_new(&k->glass_keys, (size_t)ML_KEYRING_GLASS_MAX * ML_KEY_BYTES);
        if (err != ML_OK) {
            return err;
        }
    }
    k->glass[k->glass_count] = (struct cached_dek){.stream = *stream, .dek = *dek_id};
    memcpy(ml_secret_writable(k->glass_keys) + (size_t)k->glass_count * ML_KEY_BYTES, dek,
           ML_KEY_BYTES);
    k->glass_count++;
    return ML_OK;
}

const uint8_t *ml_keyring_glass_dek(const struct ml_keyring *k, const struct ml_stream_id *stream,
                                    const struct ml_key_id *dek_id)
{
    for (size_t i = 0; i < k->glass_count; i++) {
        const struct cached_dek *g = &k->glass[i];
        if (memcmp(g->stream.b, stream->b, sizeof(stream->b)) == 0 &&
            memcmp(g->dek.b, dek_id->b, sizeof(dek_id->b)) == 0) {
            return ml_secret_bytes(k->glass_keys) + i * ML_KEY_BYTES;
        }
    }
    return NULL;
}
