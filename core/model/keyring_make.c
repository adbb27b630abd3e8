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
static ml_err wrap_older(const struct ml_keyring *k, struct making *m, const struct ml_key_id *id,
                         const struct ml_secret *key, const struct ml_secret *hist_wrap)
{
    if (m->older_count == ML_KEYOP_OLDER_MAX) {
        return ML_E_LIMIT;
    }
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_older_key *older = &m->older[m->older_count++];
    size_t ad_len = ml_older_key_ad(ad, &k->org, &m->op.u.kek_epoch, id);
    older->wrapped = *id;
    k->env->random(k->env->ctx, older->nonce, sizeof(older->nonce));
    ml_aead_seal(older->ct, ml_slice(ml_secret_bytes(key), ML_KEY_BYTES), ml_slice(ad, ad_len),
                 older->nonce, ml_secret_bytes(hist_wrap));
    return ML_OK;
}

static int older_order(const void *a, const void *b)
{
    const struct ml_older_key *x = a;
    const struct ml_older_key *y = b;
    return memcmp(x->wrapped.b, y->wrapped.b, sizeof(x->wrapped.b));
}

/* Every KEK and HIST that is held of the number before (rules A3). */
static ml_err wrap_all_older(const struct ml_keyring *k, struct making *m)
{
    struct ml_kek_epoch *epoch = &m->op.u.kek_epoch;
    struct ml_secret *hist_wrap = NULL;
    ml_err err = ml_kdf(ML_KDF_HIST_WRAP, &hist_wrap, m->hist, ml_slice(NULL, 0));
    for (size_t i = 0; i < k->epoch_count && err == ML_OK; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (e->compartment != epoch->compartment || e->epoch + 1 != epoch->epoch ||
            memcmp(e->team.b, epoch->team.b, sizeof(e->team.b)) != 0) {
            continue;
        }
        if (e->kek_key != NULL) {
            err = wrap_older(k, m, &e->kek, e->kek_key, hist_wrap);
        }
        if (e->hist_key != NULL && err == ML_OK) {
            err = wrap_older(k, m, &e->hist, e->hist_key, hist_wrap);
        }
    }
    ml_secret_free(hist_wrap);
    qsort(m->older, m->older_count, sizeof(m->older[0]), older_order);
    epoch->older = (struct ml_list){.items = m->older, .count = m->older_count};
    return err;
}

/* After the one that seals now: what never seals can't use numbers up. */
static uint32_t next_epoch(const struct ml_keyring *k, const struct ml_team_id *team,
                           uint8_t compartment)
{
    const struct key_epoch *last = ml_keyring_sealing(k, team, compartment);
    return last == NULL ? 1 : last->epoch + 1;
}

static ml_err make_break_glass(const struct ml_keyring *k, struct making *m,
                               const struct ml_box_pk *recovery)
{
    static const char label[] = "maille/break-glass/1";
    uint8_t context[sizeof(label) - 1 + sizeof(k->org.b) + sizeof(struct ml_box_pk)];
    struct ml_kek_epoch *epoch = &m->op.u.kek_epoch;
    ml_err err = ml_box_keypair(&epoch->break_glass, &m->break_glass, k->env);
    if (err != ML_OK) {
        return err;
    }
    memcpy(context, label, sizeof(label) - 1);
    memcpy(context + sizeof(label) - 1, k->org.b, sizeof(k->org.b));
    memcpy(context + sizeof(label) - 1 + sizeof(k->org.b), epoch->break_glass.b,
           sizeof(epoch->break_glass.b));
    epoch->break_glass_recovery = ml_slice(m->recovery, sizeof(m->recovery));
    return ml_seal_anon(m->recovery, ml_slice(ml_secret_bytes(m->break_glass), ML_KEY_BYTES),
                        recovery, ml_slice(context, sizeof(context)), k->env);
}

static ml_err make_epoch(const struct ml_keyring *k, const struct ml_epoch_args *args,
                         struct making *m)
{
    struct ml_kek_epoch *epoch = &m->op.u.kek_epoch;
    m->op.type = ML_KEYOP_KEK_EPOCH;
    epoch->team = ml_keyring_group(&args->team, (uint8_t)args->compartment);
    epoch->compartment = (uint8_t)args->compartment;
    epoch->epoch = next_epoch(k, &epoch->team, epoch->compartment);
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
    err = seal_slots(k, m, args->recipient_count);
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

struct granting {
    struct ml_grant_slot *slots;
    uint32_t count;
    struct ml_secret *ephemeral;
    struct ml_keyop op;
};

static int grant_order(const void *a, const void *b)
{
    const struct ml_grant_slot *x = a;
    const struct ml_grant_slot *y = b;
    return memcmp(x->key.b, y->key.b, sizeof(x->key.b));
}

/* A member may have given one key to two groups; a grant names a key once. */
static bool is_gathered(const struct granting *g, const struct ml_key_id *key)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (memcmp(g->slots[i].key.b, key->b, sizeof(key->b)) == 0) {
            return true;
        }
    }
    return false;
}

/* What is held and current of every group; the keys' places are settled by sorting afterwards. */
static ml_err grant_gather(const struct ml_keyring *k, struct granting *g, bool history)
{
    for (size_t i = 0; i < k->epoch_count; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (ml_keyring_sealing(k, &e->team, e->compartment) != e || e->kek_key == NULL ||
            is_gathered(g, &e->kek)) {
            continue;
        }
        if (g->count + 2 > ML_KEYOP_GRANTS_MAX) {
            return ML_E_LIMIT;
        }
        g->slots[g->count++] = (struct ml_grant_slot){.key = e->kek, .kind = ML_SLOT_KEK};
        if (history && e->hist_key != NULL && !is_gathered(g, &e->hist)) {
            g->slots[g->count++] = (struct ml_grant_slot){.key = e->hist, .kind = ML_SLOT_HIST};
        }
    }
    qsort(g->slots, g->count, sizeof(*g->slots), grant_order);
    return g->count == 0 ? ML_E_NO_KEY : ML_OK;
}

/* The epoch that grant_gather took the key of. */
static const struct key_epoch *granted_epoch(const struct ml_keyring *k,
                                             const struct ml_grant_slot *slot)
{
    const struct key_epoch *found = NULL;
    for (size_t i = 0; i < k->epoch_count && found == NULL; i++) {
        const struct key_epoch *e = k->epochs[i];
        const struct ml_key_id *id = slot->kind == ML_SLOT_HIST ? &e->hist : &e->kek;
        const struct ml_secret *key = slot->kind == ML_SLOT_HIST ? e->hist_key : e->kek_key;
        bool taken = key != NULL && ml_keyring_sealing(k, &e->team, e->compartment) == e;
        found = taken && memcmp(id->b, slot->key.b, sizeof(id->b)) == 0 ? e : NULL;
    }
    ML_ASSERT(found != NULL);
    return found;
}

static ml_err grant_seal(const struct ml_keyring *k, struct granting *g,
                         const struct ml_box_pk *recipient)
{
    struct ml_kek_grant *grant = &g->op.u.kek_grant;
    const struct key_epoch *first = granted_epoch(k, &g->slots[0]);
    ml_err err =
        ml_slot_ephemeral(&grant->ephemeral, &g->ephemeral, k->env,
                          g->slots[0].kind == ML_SLOT_HIST ? first->hist_key : first->kek_key);
    for (uint32_t i = 0; i < g->count && err == ML_OK; i++) {
        const struct key_epoch *e = granted_epoch(k, &g->slots[i]);
        const struct ml_slot_at at = {.kind = (ml_slot_kind)g->slots[i].kind,
                                      .org = k->org,
                                      .team = e->team,
                                      .epoch = e->epoch,
                                      .index = (uint16_t)i,
                                      .compartment = e->compartment,
                                      .ephemeral = grant->ephemeral,
                                      .recipient = *recipient};
        err = ml_slot_seal(g->slots[i].slot.b, &at, g->ephemeral,
                           at.kind == ML_SLOT_HIST ? e->hist_key : e->kek_key);
    }
    g->op.type = ML_KEYOP_KEK_GRANT;
    grant->recipient = *recipient;
    grant->slots = (struct ml_list){.items = g->slots, .count = g->count};
    return err;
}

ml_err ml_keyring_make_grant(struct ml_keyring *k, const struct ml_box_pk *recipient, bool history,
                             ml_keyop_cb *emit, void *user)
{
    struct granting *g = ml_alloc(k->env, sizeof(*g));
    if (g == NULL) {
        return ML_E_NOMEM;
    }
    g->slots = ml_alloc_array(k->env, ML_KEYOP_GRANTS_MAX, sizeof(*g->slots));
    ml_err err = g->slots == NULL ? ML_E_NOMEM : grant_gather(k, g, history);
    if (err == ML_OK) {
        err = grant_seal(k, g, recipient);
    }
    if (err == ML_OK) {
        err = ml_keyring_emit(k, &g->op, emit, user);
    }
    ml_secret_free(g->ephemeral);
    ml_release(k->env, g->slots);
    ml_release(k->env, g);
    return err;
}
