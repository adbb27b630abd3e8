/* core/model/keyring_make.c -- making key ops of groups: epochs and grants.
 *
 * Happy path: each maker gathers what it seals, encodes one op at a time and gives it to `emit`.
 * Nothing is remembered here: the ops are appended to the log and applied like anyone's, so that a
 * writer and a reader run the same code.
 *
 * Failures: an error leaves the keyring as it was, and emits nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_int.h"

enum { OP_BYTES_MAX = 49000 };

static ml_err random_secret(const struct ml_keyring *k, struct ml_secret **out)
{
    ml_err err = ml_secret_new(out, ML_KEY_BYTES);
    if (err == ML_OK) {
        k->env->random(k->env->ctx, ml_secret_writable(*out), ML_KEY_BYTES);
    }
    return err;
}

ml_err ml_keyring_emit(struct ml_keyring *k, const struct ml_keyop *op, ml_keyop_cb *emit,
                       void *user)
{
    struct ml_buf buf;
    ml_buf_init(&buf, k->env, OP_BYTES_MAX);
    ml_err err = ml_keyop_encode(&buf, op);
    if (err == ML_OK) {
        err = emit(user, ml_buf_slice(&buf));
    }
    ml_buf_free(&buf);
    return err;
}

/* ---- epochs ---- */

struct recipient {
    struct ml_recipient_id id;
    struct ml_epoch_recipient who;
};

/* All that an epoch op is made of; freed by making_free. */
struct making {
    struct ml_keyop op;
    struct recipient *recipients;
    struct ml_epoch_slot *slots;
    uint8_t *hists; /* ML_SLOT_BYTES for each slot */
    struct ml_older_key older[ML_KEYOP_OLDER_MAX];
    uint32_t older_count;
    uint8_t recovery[ML_ANON_KEY_BYTES];
    uint8_t holders[ML_ANON_KEY_BYTES];
    struct ml_secret *kek;
    struct ml_secret *hist;
    struct ml_secret *ephemeral;
    struct ml_secret *break_glass;
};

static void making_free(const struct ml_keyring *k, struct making *m)
{
    ml_release(k->env, m->recipients);
    ml_release(k->env, m->slots);
    ml_release(k->env, m->hists);
    ml_secret_free(m->kek);
    ml_secret_free(m->hist);
    ml_secret_free(m->ephemeral);
    ml_secret_free(m->break_glass);
}

static int recipient_order(const void *a, const void *b)
{
    const struct recipient *x = a;
    const struct recipient *y = b;
    return memcmp(x->id.b, y->id.b, sizeof(x->id.b));
}

static ml_err sort_recipients(const struct ml_keyring *k, struct making *m,
                              const struct ml_epoch_args *args)
{
    m->recipients = ml_alloc_array(k->env, args->recipient_count, sizeof(*m->recipients));
    m->slots = ml_alloc_array(k->env, args->recipient_count, sizeof(*m->slots));
    m->hists = ml_alloc_array(k->env, args->recipient_count, ML_SLOT_BYTES);
    if (m->recipients == NULL || m->slots == NULL || m->hists == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < args->recipient_count; i++) {
        m->recipients[i].who = args->recipients[i];
        m->recipients[i].id = ml_recipient_id_of(&args->recipients[i].pk);
    }
    qsort(m->recipients, args->recipient_count, sizeof(*m->recipients), recipient_order);
    for (size_t i = 1; i < args->recipient_count; i++) {
        if (recipient_order(&m->recipients[i - 1], &m->recipients[i]) == 0) {
            return ML_E_INVALID;
        }
    }
    return ML_OK;
}

static ml_err seal_slots(const struct ml_keyring *k, struct making *m, size_t count)
{
    struct ml_kek_epoch *epoch = &m->op.u.kek_epoch;
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        struct ml_slot_at at = {.kind = ML_SLOT_KEK,
                                .org = k->org,
                                .team = epoch->team,
                                .epoch = epoch->epoch,
                                .index = (uint16_t)i,
                                .compartment = epoch->compartment,
                                .ephemeral = epoch->ephemeral,
                                .recipient = m->recipients[i].who.pk};
        m->slots[i].recipient = m->recipients[i].id;
        err = ml_slot_seal(m->slots[i].kek.b, &at, m->ephemeral, m->kek);
        if (err == ML_OK && m->recipients[i].who.history) {
            at.kind = ML_SLOT_HIST;
            m->slots[i].hist = ml_slice(m->hists + i * ML_SLOT_BYTES, ML_SLOT_BYTES);
            err = ml_slot_seal(m->hists + i * ML_SLOT_BYTES, &at, m->ephemeral, m->hist);
        }
    }
    epoch->slots = (struct ml_list){.items = m->slots, .count = (uint32_t)count};
    return err;
}

/* One key of the epoch before, under the new HIST. */
static void wrap_older(const struct ml_keyring *k, struct making *m, const struct ml_key_id *id,
                       const struct ml_secret *key, const struct ml_secret *hist_wrap)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_older_key *older = &m->older[m->older_count++];
    size_t ad_len = ml_older_key_ad(ad, &k->org, &m->op.u.kek_epoch, id);
    older->wrapped = *id;
    k->env->random(k->env->ctx, older->nonce, sizeof(older->nonce));
    ml_aead_seal(older->ct, ml_slice(ml_secret_bytes(key), ML_KEY_BYTES), ml_slice(ad, ad_len),
                 older->nonce, ml_secret_bytes(hist_wrap));
}

static int older_order(const void *a, const void *b)
{
    const struct ml_older_key *x = a;
    const struct ml_older_key *y = b;
    return memcmp(x->wrapped.b, y->wrapped.b, sizeof(x->wrapped.b));
}

/* Every KEK and HIST that is held of the number before (rules A3), then what these don't lead to:
 * what finds no room goes on waiting, and is held by who holds it. */
static ml_err wrap_all_older(const struct ml_keyring *k, struct making *m)
{
    struct ml_kek_epoch *epoch = &m->op.u.kek_epoch;
    const struct ml_group_place place = {.team = epoch->team,
                                         .compartment = (ml_compartment)epoch->compartment};
    struct ml_secret *hist_wrap = NULL;
    struct key_refs refs = {0};
    ml_err err = ml_kdf(ML_KDF_HIST_WRAP, &hist_wrap, m->hist, ml_slice(NULL, 0));
    if (err == ML_OK) {
        err = ml_keyring_held(k, &refs, &place, epoch->epoch - 1);
    }
    for (size_t i = 0; i < refs.count && i < ML_KEYOP_OLDER_MAX && err == ML_OK; i++) {
        const struct key_epoch *e = refs.ref[i].e;
        const bool hist = refs.ref[i].hist;
        wrap_older(k, m, hist ? &e->hist : &e->kek, hist ? e->hist_key : e->kek_key, hist_wrap);
    }
    ml_release(k->env, refs.ref);
    ml_secret_free(hist_wrap);
    qsort(m->older, m->older_count, sizeof(m->older[0]), older_order);
    epoch->older = (struct ml_list){.items = m->older, .count = m->older_count};
    return err;
}

/* Its secret half goes to Root, and to those who may break a glass by the emergency pair; but that
 * of the sensitive data, which takes a second device, and where somebody else has that pair. */
static ml_err make_break_glass(const struct ml_keyring *k, struct making *m,
                               const struct ml_box_pk *recovery)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_kek_epoch *epoch = &m->op.u.kek_epoch;
    const struct ml_box_pk *emergency = ml_keyring_emergency(k);
    ml_err err = ml_box_keypair(&epoch->break_glass, &m->break_glass, k->env);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_slice secret = ml_slice(ml_secret_bytes(m->break_glass), ML_KEY_BYTES);
    const struct ml_slice context =
        ml_slice(ad, ml_break_glass_ad(ad, &k->org, &epoch->break_glass));
    epoch->break_glass_recovery = ml_slice(m->recovery, sizeof(m->recovery));
    err = ml_seal_anon(m->recovery, secret, recovery, context, k->env);
    if (err == ML_OK && emergency != NULL && epoch->compartment != ML_COMPARTMENT_SENSITIVE) {
        epoch->break_glass_holders = ml_slice(m->holders, sizeof(m->holders));
        err = ml_seal_anon(m->holders, secret, emergency, context, k->env);
    }
    return err;
}

static ml_err make_deposit_key(struct making *m)
{
    struct ml_secret *secret = NULL;
    ml_err err = ml_keyring_deposit_pair(&m->op.u.kek_epoch.deposit, &secret, m->kek);
    ml_secret_free(secret);
    return err;
}

static ml_err make_epoch(const struct ml_keyring *k, const struct ml_epoch_args *args,
                         struct making *m)
{
    struct ml_kek_epoch *epoch = &m->op.u.kek_epoch;
    m->op.type = ML_KEYOP_KEK_EPOCH;
    epoch->team = ml_keyring_group(&args->team, (uint8_t)args->compartment);
    epoch->compartment = (uint8_t)args->compartment;
    epoch->epoch = ml_keyring_last(k, &epoch->team, epoch->compartment) + 1;
    ml_err err = sort_recipients(k, m, args);
    if (err == ML_OK) {
        err = random_secret(k, &m->kek);
    }
    if (err == ML_OK) {
        err = random_secret(k, &m->hist);
    }
    if (err == ML_OK) {
        err = ml_slot_ephemeral(&epoch->ephemeral, &m->ephemeral, k->env, m->kek);
    }
    if (err != ML_OK) {
        return err;
    }
    epoch->kek = ml_key_id_of(m->kek);
    epoch->hist = ml_key_id_of(m->hist);
    err = make_deposit_key(m);
    if (err == ML_OK) {
        err = seal_slots(k, m, args->recipient_count);
    }
    if (err == ML_OK) {
        err = wrap_all_older(k, m);
    }
    if (err == ML_OK && args->recovery != NULL) {
        err = make_break_glass(k, m, args->recovery);
    }
    return err;
}

ml_err ml_keyring_make_epoch(struct ml_keyring *k, const struct ml_epoch_args *args,
                             ml_keyop_cb *emit, void *user)
{
    if (args->recipient_count == 0) {
        return ML_E_INVALID;
    }
    if (args->recipient_count > ML_KEYOP_SLOTS_MAX) {
        return ML_E_LIMIT;
    }
    struct making *m = ml_alloc(k->env, sizeof(*m));
    if (m == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = make_epoch(k, args, m);
    if (err == ML_OK) {
        err = ml_keyring_emit(k, &m->op, emit, user);
    }
    making_free(k, m);
    ml_release(k->env, m);
    return err;
}

/* ---- grants ---- */

struct grant_item {
    struct ml_grant_slot slot;
    const struct key_epoch *e;
};

struct granting {
    struct grant_item *items;
    struct ml_grant_slot *slots;
    uint32_t count;
    struct ml_secret *ephemeral;
    struct ml_keyop op;
};

static int grant_order(const void *a, const void *b)
{
    const struct grant_item *x = a;
    const struct grant_item *y = b;
    return memcmp(x->slot.key.b, y->slot.key.b, sizeof(x->slot.key.b));
}

/* A member may have given one key to two groups; a grant names a key once. */
static bool is_gathered(const struct granting *g, const struct ml_key_id *key)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (memcmp(g->items[i].slot.key.b, key->b, sizeof(key->b)) == 0) {
            return true;
        }
    }
    return false;
}

static ml_err grant_add(struct granting *g, const struct key_epoch *e, bool hist)
{
    const struct ml_key_id *id = hist ? &e->hist : &e->kek;
    if (is_gathered(g, id)) {
        return ML_OK;
    }
    if (g->count == ML_KEYOP_GRANTS_MAX) {
        return ML_E_LIMIT;
    }
    const uint8_t kind = hist ? ML_SLOT_HIST : ML_SLOT_KEK;
    g->items[g->count++] = (struct grant_item){.slot = {.key = *id, .kind = kind}, .e = e};
    return ML_OK;
}

static const struct ml_secret *granted_key(const struct grant_item *item)
{
    if (item->slot.kind == ML_SLOT_CONSENT) {
        return item->e->consent_key;
    }
    return item->slot.kind == ML_SLOT_HIST ? item->e->hist_key : item->e->kek_key;
}

static ml_err grant_seal(const struct ml_keyring *k, struct granting *g,
                         const struct ml_box_pk *recipient)
{
    struct ml_kek_grant *grant = &g->op.u.kek_grant;
    qsort(g->items, g->count, sizeof(*g->items), grant_order);
    ml_err err =
        ml_slot_ephemeral(&grant->ephemeral, &g->ephemeral, k->env, granted_key(&g->items[0]));
    for (uint32_t i = 0; i < g->count && err == ML_OK; i++) {
        const struct key_epoch *e = g->items[i].e;
        const struct ml_slot_at at = {.kind = (ml_slot_kind)g->items[i].slot.kind,
                                      .org = k->org,
                                      .team = e->team,
                                      .epoch = e->epoch,
                                      .index = (uint16_t)i,
                                      .compartment = e->compartment,
                                      .ephemeral = grant->ephemeral,
                                      .recipient = *recipient};
        g->slots[i] = g->items[i].slot;
        err = ml_slot_seal(g->slots[i].slot.b, &at, g->ephemeral, granted_key(&g->items[i]));
    }
    g->op.type = ML_KEYOP_KEK_GRANT;
    grant->recipient = *recipient;
    grant->slots = (struct ml_list){.items = g->slots, .count = g->count};
    return err;
}

static void granting_free(const struct ml_keyring *k, struct granting *g)
{
    if (g != NULL) {
        ml_secret_free(g->ephemeral);
        ml_release(k->env, g->items);
        ml_release(k->env, g->slots);
        ml_release(k->env, g);
    }
}

static ml_err granting_new(const struct ml_keyring *k, struct granting **out)
{
    struct granting *g = ml_alloc(k->env, sizeof(*g));
    if (g == NULL) {
        return ML_E_NOMEM;
    }
    g->items = ml_alloc_array(k->env, ML_KEYOP_GRANTS_MAX, sizeof(*g->items));
    g->slots = ml_alloc_array(k->env, ML_KEYOP_GRANTS_MAX, sizeof(*g->slots));
    if (g->items == NULL || g->slots == NULL) {
        granting_free(k, g);
        return ML_E_NOMEM;
    }
    *out = g;
    return ML_OK;
}

/* The keys of one number are all granted that may seal here or there. */
static ml_err grant_number(const struct ml_keyring *k, struct granting *g,
                           const struct key_epoch *sealing, const struct ml_recipient_id *to)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        const struct key_epoch *e = k->epochs[i];
        const struct key_holder *has = to == NULL ? NULL : ml_keyring_holder(e, to);
        if (e->epoch == sealing->epoch && e->accepted && e->fits && e->kek_key != NULL &&
            ml_keyring_is_of(e, &sealing->team, sealing->compartment) &&
            (has == NULL || !has->kek || has->asks)) {
            err = grant_add(g, e, false);
        }
    }
    return err;
}

static ml_err grant_history(const struct ml_keyring *k, struct granting *g,
                            const struct key_epoch *sealing)
{
    const struct ml_group_place place = {.team = sealing->team,
                                         .compartment = (ml_compartment)sealing->compartment};
    struct key_refs refs = {0};
    ml_err err =
        ml_keyring_held(k, &refs, &place, ml_keyring_last(k, &sealing->team, sealing->compartment));
    for (size_t i = 0; i < refs.count && err == ML_OK; i++) {
        err = grant_add(g, refs.ref[i].e, refs.ref[i].hist);
    }
    ml_release(k->env, refs.ref);
    return err;
}

/* Is it the one of its group that seals, held, and is the group this recipient's too? */
static bool is_granted_of(const struct ml_keyring *k, const struct key_epoch *e,
                          const struct ml_recipient_id *to)
{
    const struct key_group *group = ml_keyring_find_group(k, &e->team, e->compartment);
    return e->kek_key != NULL && ml_keyring_sealing(k, &e->team, e->compartment) == e &&
           (group == NULL || ml_keyring_find_member(group, to) != NULL);
}

ml_err ml_keyring_make_grant(struct ml_keyring *k, const struct ml_box_pk *recipient, bool history,
                             ml_keyop_cb *emit, void *user)
{
    const struct ml_recipient_id to = ml_recipient_id_of(recipient);
    struct granting *g = NULL;
    ml_err err = granting_new(k, &g);
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (is_granted_of(k, e, &to)) {
            err = history ? grant_history(k, g, e) : grant_number(k, g, e, NULL);
        }
    }
    if (err == ML_OK && g->count == 0) {
        err = ML_E_NO_KEY;
    }
    if (err == ML_OK) {
        err = grant_seal(k, g, recipient);
    }
    if (err == ML_OK) {
        err = ml_keyring_emit(k, &g->op, emit, user);
    }
    granting_free(k, g);
    return err;
}

/* ---- what is missing ---- */

/* What `member` lacks of groups from `first` on. */
static ml_err gather_lacking(const struct ml_keyring *k, struct granting *g, size_t first,
                             const struct ml_recipient_id *member)
{
    ml_err err = ML_OK;
    for (size_t i = first; i < k->group_count && err == ML_OK; i++) {
        const struct key_group *group = &k->groups[i];
        const struct key_epoch *e = ml_keyring_sealing(k, &group->team, group->compartment);
        if (e != NULL && e->kek_key != NULL && ml_keyring_find_member(group, &k->mon_id) != NULL &&
            ml_keyring_find_member(group, member) != NULL) {
            err = grant_number(k, g, e, member);
        }
    }
    return err;
}

static bool is_in_groups_before(const struct ml_keyring *k, size_t at,
                                const struct ml_recipient_id *member)
{
    bool in = false;
    for (size_t i = 0; i < at && !in; i++) {
        in = ml_keyring_find_member(&k->groups[i], member) != NULL;
    }
    return in;
}

static ml_err emit_lacking(struct ml_keyring *k, size_t group, const struct group_member *member,
                           ml_keyop_cb *emit, void *user)
{
    struct granting *g = NULL;
    ml_err err = granting_new(k, &g);
    if (err == ML_OK) {
        err = gather_lacking(k, g, group, &member->id);
    }
    if (err == ML_OK && g->count > 0) {
        err = grant_seal(k, g, &member->who.pk);
        err = err == ML_OK ? ml_keyring_emit(k, &g->op, emit, user) : err;
    }
    granting_free(k, g);
    return err;
}

static ml_err emit_for_group(struct ml_keyring *k, size_t at, ml_keyop_cb *emit, void *user)
{
    const struct key_group *group = &k->groups[at];
    ml_err err = ML_OK;
    for (size_t m = 0; m < group->count && err == ML_OK; m++) {
        if (!is_in_groups_before(k, at, &group->members[m].id)) {
            err = emit_lacking(k, at, &group->members[m], emit, user);
        }
    }
    return err;
}

/* ---- what was decided before somebody came (ADR 0025) ---- */

struct hearing {
    const struct key_group *group;
    uint32_t sealing; /* the number that is granted whole; 0: none */
    struct key_emitter to;
};

/* Derived from its KEK, or tried on a statement: what was only said may be anything. */
static bool is_hearing_held(const struct key_epoch *e)
{
    return e->consent_key != NULL && (e->kek_key != NULL || e->consent_opens);
}

/* Is it an epoch of the group of which he can't know what was decided? */
static bool is_unheard(const struct hearing *h, const struct key_epoch *e,
                       const struct ml_recipient_id *member)
{
    if (!e->accepted || !is_hearing_held(e) || (e->fits && e->epoch == h->sealing) ||
        !ml_keyring_is_of(e, &h->group->team, h->group->compartment)) {
        return false;
    }
    const struct key_holder *holder = ml_keyring_holder(e, member);
    return holder == NULL || !(holder->kek || holder->hears);
}

static ml_err emit_hearing(struct ml_keyring *k, struct granting *g, const struct ml_box_pk *member,
                           const struct key_emitter *to)
{
    ml_err err = grant_seal(k, g, member);
    err = err == ML_OK ? ml_keyring_emit(k, &g->op, to->emit, to->user) : err;
    ml_secret_free(g->ephemeral);
    g->ephemeral = NULL;
    g->count = 0;
    return err;
}

/* To one member, in as many ops as it takes. */
static ml_err emit_unheard(struct ml_keyring *k, const struct hearing *h,
                           const struct group_member *member)
{
    struct granting *g = NULL;
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (!is_unheard(h, e, &member->id) || (g != NULL && is_gathered(g, &e->kek))) {
            continue;
        }
        err = g == NULL ? granting_new(k, &g) : ML_OK;
        if (err == ML_OK) {
            g->items[g->count++] =
                (struct grant_item){.slot = {.key = e->kek, .kind = ML_SLOT_CONSENT}, .e = e};
        }
        if (err == ML_OK && g->count == ML_KEYOP_GRANTS_MAX) {
            err = emit_hearing(k, g, &member->who.pk, &h->to);
        }
    }
    if (err == ML_OK && g != NULL && g->count > 0) {
        err = emit_hearing(k, g, &member->who.pk, &h->to);
    }
    granting_free(k, g);
    return err;
}

/* To each who may know the group's patients. */
static ml_err emit_unheard_of(struct ml_keyring *k, const struct key_group *group,
                              ml_keyop_cb *emit, void *user)
{
    const struct key_epoch *e = ml_keyring_sealing(k, &group->team, group->compartment);
    const struct hearing h = {group, e == NULL ? 0 : e->epoch, {emit, user}};
    ml_err err = ML_OK;
    if (group->compartment != ML_COMPARTMENT_ADMIN ||
        ml_keyring_find_member(group, &k->mon_id) == NULL) {
        return ML_OK;
    }
    for (size_t m = 0; m < group->count && err == ML_OK; m++) {
        err = emit_unheard(k, &h, &group->members[m]);
    }
    return err;
}

ml_err ml_keyring_make_grants(struct ml_keyring *k, ml_keyop_cb *emit, void *user)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < k->group_count && err == ML_OK; i++) {
        err = emit_for_group(k, i, emit, user);
        err = err == ML_OK ? emit_unheard_of(k, &k->groups[i], emit, user) : err;
    }
    return err;
}
