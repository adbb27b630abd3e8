/* net/node/network.c -- see network.h.
 *
 * Happy path: lane 1 hands a pair to this member on this node -> the keyring holds its secret ->
 * the keys of its links are derived, the driver answers by them, and by those of before. After a
 * revocation the first session of rank 2 or better makes the next pair, for those who have a place;
 * where who handed the pair is out himself, in turns, by rank and name.
 *
 * Failures: without memory the epochs stay as they were, and the next turn takes them. An epoch
 * that the keystore couldn't keep is taken again from lane 1 at the next unlock.
 */
#include "net/node/network.h"

#include <string.h>

#include "core/crypto/box.h"
#include "core/crypto/kdf.h"
#include "core/model/keyring_pair.h"
#include "net/node/keys.h"
#include "net/node/session.h"

enum { EPOCHS_MAX = 1 + ML_NETWORK_PAST_MAX };

_Static_assert(EPOCHS_MAX <= ML_KEYRING_NETS_MAX, "what the keyring keeps is told");
_Static_assert(ML_NETWORK_PAST_MAX *ML_NETWORK_PAST_KEYS <= ML_SECRET_MAX, "one secret");

void ml_network_free(struct ml_network *n)
{
    ml_secret_free(n->psk);
    ml_secret_free(n->mac);
    ml_secret_free(n->past_keys);
    *n = (struct ml_network){.count = 0};
}

/* ---- keys of an epoch ---- */

static ml_err derive(ml_kdf_id id, struct ml_secret **out, const struct ml_org *org,
                     const struct ml_held_pair *epoch)
{
    uint8_t context[sizeof(org->id.b) + 4];
    memcpy(context, org->id.b, sizeof(org->id.b));
    ml_put_u32be(context + sizeof(org->id.b), epoch->number);
    return ml_kdf(id, out, epoch->secret, ml_slice(context, sizeof(context)));
}

static ml_err past_derive(uint8_t *keys, const struct ml_org *org, const struct ml_held_pair *epoch)
{
    struct ml_secret *psk = NULL;
    struct ml_secret *mac = NULL;
    ml_err err = derive(ML_KDF_NOISE_PSK, &psk, org, epoch);
    if (err == ML_OK) {
        err = derive(ML_KDF_NET_MAC, &mac, org, epoch);
    }
    if (err == ML_OK) {
        memcpy(keys, ml_secret_bytes(psk), ML_KEY_BYTES);
        memcpy(keys + ML_KEY_BYTES, ml_secret_bytes(mac), ML_KEY_BYTES);
    }
    ml_secret_free(psk);
    ml_secret_free(mac);
    return err;
}

/* Epochs, the latest first, and where their secrets are: held by the keyring or the keystore. */
struct epochs {
    size_t count;
    struct ml_held_pair at[EPOCHS_MAX];
};

static ml_err network_make(struct ml_network *out, const struct ml_org *org,
                           const struct epochs *held)
{
    struct ml_network n = {.count = held->count, .own = out->own};
    ml_err err = derive(ML_KDF_NOISE_PSK, &n.psk, org, &held->at[0]);
    if (err == ML_OK) {
        err = derive(ML_KDF_NET_MAC, &n.mac, org, &held->at[0]);
    }
    if (err == ML_OK && n.count > 1) {
        err = ml_secret_new(&n.past_keys, (n.count - 1) * ML_NETWORK_PAST_KEYS);
    }
    for (size_t i = 0; i < n.count && err == ML_OK; i++) {
        n.epochs[i] = (struct ml_network_epoch){held->at[i].number, held->at[i].pk};
        if (i > 0) {
            uint8_t *keys = ml_secret_writable(n.past_keys) + (i - 1) * ML_NETWORK_PAST_KEYS;
            err = past_derive(keys, org, &held->at[i]);
        }
    }
    if (err != ML_OK) {
        ml_network_free(&n);
        return err;
    }
    ml_network_free(out);
    *out = n;
    return ML_OK;
}

static struct ml_held_pair keystore_epoch(const struct ml_network *n, const struct ml_org *org)
{
    return (struct ml_held_pair){org->secrets.network_epoch, n->own, org->secrets.network};
}

ml_err ml_network_open(struct ml_network *n, const struct ml_org *org)
{
    ml_box_pk_of(&n->own, org->secrets.network);
    const struct epochs held = {.count = 1, .at = {keystore_epoch(n, org)}};
    return network_make(n, org, &held);
}

/* ---- what the session brings ---- */

static bool is_same(const struct ml_box_pk *a, const struct ml_box_pk *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static bool comes_before(const struct ml_held_pair *a, const struct ml_held_pair *b)
{
    return a->number != b->number ? a->number > b->number
                                  : memcmp(a->pk.b, b->pk.b, sizeof(a->pk.b)) < 0;
}

/* Puts it in its place, unless it is there. */
static void add_own(struct epochs *held, const struct ml_held_pair *own)
{
    size_t at = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (is_same(&held->at[i].pk, &own->pk)) {
            return;
        }
        at += comes_before(&held->at[i], own);
    }
    if (at == EPOCHS_MAX) {
        return;
    }
    held->count += held->count < EPOCHS_MAX;
    memmove(&held->at[at + 1], &held->at[at], (held->count - 1 - at) * sizeof(held->at[0]));
    held->at[at] = *own;
}

/* Who handed an epoch may have been removed since: it counts no more, and whoever held it before
 * may have none but this one in common with us. So it is answered, and dialled with, as an earlier
 * one; the latest it never is. */
static void add_uncounted(struct epochs *held, const struct ml_keyring *k)
{
    struct ml_held_pair more[EPOCHS_MAX];
    const size_t count = ml_keyring_pairs_uncounted(k, ML_PAIR_NETWORK, more, EPOCHS_MAX);
    for (size_t i = 0; i < count && held->count < EPOCHS_MAX; i++) {
        if (more[i].number < held->at[0].number) {
            add_own(held, &more[i]);
        }
    }
}

static bool is_known(const struct ml_network *n, const struct epochs *held)
{
    bool same = n->count == held->count;
    for (size_t i = 0; i < held->count && same; i++) {
        same =
            n->epochs[i].number == held->at[i].number && is_same(&n->epochs[i].pk, &held->at[i].pk);
    }
    return same;
}

/* Into the keystore: only a convenience of later, as lane 1 has it. */
static ml_err keystore_take(struct ml_network *n, struct ml_org *org,
                            const struct ml_held_pair *latest)
{
    struct ml_secret *copy = NULL;
    ml_err err = ml_secret_from(&copy, ml_secret_bytes(latest->secret), ML_KEY_BYTES);
    if (err != ML_OK) {
        return err;
    }
    ml_secret_free(org->secrets.network);
    org->secrets.network = copy;
    org->secrets.network_epoch = latest->number;
    n->own = latest->pk;
    err = ml_org_save_secrets(org);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_WARN, "network", "epoch %u is not in the keystore: %s",
                latest->number, ml_err_name(err));
    }
    return ML_OK;
}

ml_err ml_network_take(struct ml_network *n, struct ml_org *org, bool *changed)
{
    struct epochs held = {.count = 0};
    const struct ml_held_pair own = keystore_epoch(n, org);
    held.count =
        ml_keyring_pairs_held(ml_session_keyring(org), ML_PAIR_NETWORK, held.at, EPOCHS_MAX);
    add_own(&held, &own);
    add_uncounted(&held, ml_session_keyring(org));
    *changed = false;
    if (is_known(n, &held)) {
        return ML_OK;
    }
    ml_err err = network_make(n, org, &held);
    *changed = err == ML_OK;
    if (err == ML_OK && !is_same(&held.at[0].pk, &own.pk)) {
        err = keystore_take(n, org, &held.at[0]);
    }
    return err;
}

/* ---- the next epoch ---- */

/* To whom; `all` is whoever has a place. */
struct handing {
    struct ml_org *org;
    struct ml_buf all;     /* of struct ml_box_pk */
    struct ml_buf lacking; /* of these who weren't handed one */
    struct ml_keys keys;
};

static ml_err place_take(void *user, const struct ml_fact *mon)
{
    struct handing *h = user;
    ml_buf_append(&h->all, &mon->box_pk, sizeof(mon->box_pk));
    return h->all.err;
}

static size_t many(const struct ml_buf *keys)
{
    return keys->len / sizeof(struct ml_box_pk);
}

static ml_err hand(struct handing *h, const struct ml_buf *to, const struct ml_secret *secret,
                   uint32_t number)
{
    const struct ml_pair_args args = {.kind = ML_PAIR_NETWORK,
                                      .members = (const void *)to->data,
                                      .count = many(to),
                                      .secret = secret,
                                      .number = number};
    return args.count == 0
               ? ML_OK
               : ml_keyring_make_pair(ml_session_keyring(h->org), &args, ml_keys_emit, &h->keys);
}

static ml_err hand_lacking(struct handing *h, const struct ml_held_pair *pair)
{
    const struct ml_box_pk *all = (const void *)h->all.data;
    ml_buf_clear(&h->lacking);
    for (size_t i = 0; i < many(&h->all); i++) {
        if (!ml_keyring_pair_has(ml_session_keyring(h->org), &pair->pk, &all[i])) {
            ml_buf_append(&h->lacking, &all[i], sizeof(all[i]));
        }
    }
    return h->lacking.err != ML_OK ? h->lacking.err
                                   : hand(h, &h->lacking, pair->secret, pair->number);
}

/* Epochs that nobody's word carries any more: of two who removed each other both are out, and what
 * they handed on with them. `top` is the last one's number: who was away didn't follow them. It is
 * reached from ours by numbers that follow, as a number out of the blue is nobody's epoch. */
struct fallen {
    size_t count; /* 0: the one in use counts, or the log doesn't have it */
    uint32_t top;
    struct ml_held_pair at[EPOCHS_MAX];
};

static bool is_among(const struct ml_held_pair *pairs, size_t count, const struct ml_box_pk *pk)
{
    size_t i = 0;
    while (i < count && !is_same(&pairs[i].pk, pk)) {
        i++;
    }
    return i < count;
}

static bool has_number(const struct fallen *f, uint32_t number)
{
    size_t i = 0;
    while (i < f->count && f->at[i].number != number) {
        i++;
    }
    return i < f->count;
}

static void fallen_find(struct fallen *f, const struct ml_org *org)
{
    const struct ml_keyring *k = ml_session_keyring(org);
    const uint32_t number = org->secrets.network_epoch;
    struct ml_held_pair held;
    struct ml_box_pk own;
    ml_box_pk_of(&own, org->secrets.network);
    f->count = ml_keyring_pairs_uncounted(k, ML_PAIR_NETWORK, f->at, EPOCHS_MAX);
    const bool newer = ml_keyring_pairs_held(k, ML_PAIR_NETWORK, &held, 1) > 0 &&
                       held.number > number; /* this one comes next: ml_network_take */
    if (newer || !is_among(f->at, f->count, &own)) {
        f->count = 0;
    }
    f->top = number;
    while (f->top < UINT32_MAX && has_number(f, f->top + 1)) {
        f->top++;
    }
}

/* When the last of the denials that count was said, as far as that is past. */
static uint64_t denied_ms(const struct ml_gov *gov, uint64_t now_ms)
{
    const struct ml_fact *f = NULL;
    uint64_t last = 0;
    while ((f = ml_gov_next(gov, ML_FACT_DENIAL, f)) != NULL) {
        const uint64_t ms = ml_hlc_ms(f->hlc);
        last = ms > last && ms <= now_ms ? ms : last;
    }
    return last;
}

static bool leads_before(const struct ml_fact *a, const struct ml_fact *b)
{
    return a->rank != b->rank ? a->rank < b->rank
                              : memcmp(&a->member, &b->member, sizeof(a->member)) < 0;
}

/* All of rank 2 or better hear of it at about the same time, and each would make one: so each waits
 * for those before him, by rank and then by name, who may be away. False: until `due_ms`. */
static bool has_turn(struct ml_org *org, const struct ml_fact *me, uint64_t *due_ms)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const uint64_t now_ms = ml_keys_utc_ms(org);
    const struct ml_fact *f = NULL;
    uint64_t before = 0;
    while ((f = ml_gov_next(gov, ML_FACT_MEMBER, f)) != NULL) {
        before += ml_gov_member(gov, &f->member) == f && leads_before(f, me);
    }
    *due_ms = denied_ms(gov, now_ms) + before * ML_NETWORK_TURN_MS;
    return *due_ms <= now_ms;
}

/* The number after them, which nobody of those who are out holds; and they themselves, for whoever
 * comes later, to answer who was away. */
static ml_err renew(struct handing *h, const struct fallen *fell)
{
    ml_err err = fell->top == UINT32_MAX ? ML_E_LIMIT : ML_OK;
    for (size_t i = 0, handed = 0; i < fell->count && err == ML_OK; i++) {
        if (fell->at[i].number <= fell->top && handed++ < ML_NETWORK_HANDED_MAX) {
            err = hand(h, &h->all, fell->at[i].secret, fell->at[i].number);
        }
    }
    return err == ML_OK ? hand(h, &h->all, NULL, fell->top + 1) : err;
}

/* Nothing in lane 1 yet: whoever has a place has the first epoch from his enrolment. He needs it
 * once his keystore holds the second, and so does whoever comes later: to answer who was away. As
 * all of them hold the second, the first is handed to that one's pair: one slot instead of one for
 * each. */
static ml_err second_epoch(struct handing *h)
{
    const struct ml_org *org = h->org;
    if (org->secrets.network_epoch != 1 || !ml_gov_has_gone(ml_log_gov(org->log))) {
        return ML_OK; /* the log doesn't have all yet, or nobody left */
    }
    struct ml_secret *second = NULL;
    struct ml_box_pk pk;
    ml_err err = ml_box_keypair(&pk, &second, org->node->env);
    if (err == ML_OK) {
        err = hand(h, &h->all, second, 2);
    }
    if (err == ML_OK) {
        ml_buf_clear(&h->lacking);
        ml_buf_append(&h->lacking, &pk, sizeof(pk));
        err = h->lacking.err;
    }
    if (err == ML_OK) {
        err = hand(h, &h->lacking, org->secrets.network, 1);
    }
    ml_secret_free(second);
    return err;
}

/* By one of the epochs before it in the list, which is handed to whoever lacks that one. */
static bool comes_with(const struct ml_keyring *k, const struct ml_held_pair *held, size_t i)
{
    size_t later = 0;
    while (later < i && !ml_keyring_pair_has(k, &held[i].pk, &held[later].pk)) {
        later++;
    }
    return later < i;
}

static ml_err next_epoch(struct handing *h, const struct ml_fact *me)
{
    const struct ml_keyring *k = ml_session_keyring(h->org);
    const struct ml_box_pk *now = ml_keyring_pair(k, ML_PAIR_NETWORK);
    struct ml_held_pair held[ML_NETWORK_HANDED_MAX];
    struct fallen fell;
    uint64_t due_ms = 0;
    fallen_find(&fell, h->org);
    if (fell.count > 0 && !has_turn(h->org, me, &due_ms)) {
        struct ml_keys_told *told = &h->org->session->keys;
        told->until_ms = due_ms < told->until_ms ? due_ms : told->until_ms;
        return ML_OK;
    }
    if (fell.count > 0) {
        return renew(h, &fell);
    }
    if (now == NULL) {
        return second_epoch(h);
    }
    const bool stray = ml_keyring_pair_strays(k, now, (const void *)h->all.data, many(&h->all));
    const size_t count = ml_keyring_pairs_held(k, ML_PAIR_NETWORK, held, ML_NETWORK_HANDED_MAX);
    ml_err err = stray ? hand(h, &h->all, NULL, 0) : ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = comes_with(k, held, i) ? ML_OK : hand_lacking(h, &held[i]);
    }
    return err;
}

ml_err ml_network_tend(struct ml_org *org)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *me = ml_gov_member(gov, &org->session->member);
    const struct ml_gov_group everybody = {.compartment = ML_COMPARTMENT_ANNUAIRE,
                                           .ms = ml_keys_utc_ms(org)};
    struct handing h = {.org = org};
    if (me == NULL || me->rank > ML_RANK_REFERENT) {
        return ML_OK;
    }
    ml_keys_init(&h.keys, org->node->env);
    ml_buf_init(&h.all, org->node->env, ML_KEYOP_PAIR_MAX * sizeof(struct ml_box_pk));
    ml_buf_init(&h.lacking, org->node->env, ML_KEYOP_PAIR_MAX * sizeof(struct ml_box_pk));
    ml_err err = ml_gov_each_entitled(gov, &everybody, place_take, &h);
    if (err == ML_OK) {
        err = next_epoch(&h, me);
    }
    if (err == ML_OK && h.keys.sizes.len > 0) {
        err = ml_keys_append(org, &h.keys);
    }
    ml_buf_free(&h.all);
    ml_buf_free(&h.lacking);
    ml_keys_free(&h.keys);
    if (err == ML_E_LIMIT) { /* more people than an op has room for: no reason to write nothing */
        ml_logf(org->node->env, ML_LOG_WARN, "network", "the network epoch stays: %s",
                ml_err_name(err));
        err = ML_OK;
    }
    return err;
}
