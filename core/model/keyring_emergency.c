/* core/model/keyring_emergency.c -- epochs that are sealed to emergency keys of before (ADR 0030).
 *
 * Happy path: the keyring is told who may break a glass; the pair of now is sound while nobody else
 * was handed it. An epoch goes on sealing while its break-glass secret is sealed to that pair, or,
 * while the pair isn't sound, to none.
 *
 * To which pair it is sealed can't be seen: whoever holds the pair tries it. For all others it is
 * the pair that they knew when the epoch came: its maker seals to none that he hasn't heard of.
 *
 * Invariant: k->pair_sound fits k->breakers and what was handed.
 */
#include <stdlib.h>
#include <string.h>

#include "core/model/keyring_int.h"

static int id_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_recipient_id));
}

static bool is_breaker(const struct ml_keyring *k, const struct ml_recipient_id *id)
{
    return k->breaker_count > 0 &&
           bsearch(id, k->breakers, k->breaker_count, sizeof(*id), id_order) != NULL;
}

void ml_keyring_pair_weigh(struct ml_keyring *k)
{
    const struct key_pair *now = ml_keyring_pair_now(k, ML_PAIR_EMERGENCY);
    k->pair_sound = now != NULL;
    for (size_t i = 0; now != NULL && k->breakers_told && i < now->handed_count; i++) {
        k->pair_sound = k->pair_sound && is_breaker(k, &now->handed[i]);
    }
}

ml_err ml_keyring_set_breakers(struct ml_keyring *k, const struct ml_box_pk *members, size_t count)
{
    struct ml_recipient_id *ids = ml_alloc_array(k->env, count == 0 ? 1 : count, sizeof(*ids));
    if (ids == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        ids[i] = ml_recipient_id_of(&members[i]);
    }
    qsort(ids, count, sizeof(*ids), id_order);
    ml_release(k->env, k->breakers);
    k->breakers = ids;
    k->breaker_count = count;
    k->breakers_told = true;
    ml_keyring_pair_weigh(k);
    return ML_OK;
}

void ml_keyring_drop_breakers(struct ml_keyring *k)
{
    ml_release(k->env, k->breakers);
    k->breakers = NULL;
    k->breaker_count = 0;
    k->breakers_told = false;
    k->pair_sound = false;
}

const struct ml_box_pk *ml_keyring_emergency(const struct ml_keyring *k)
{
    return k->pair_sound ? ml_keyring_pair(k, ML_PAIR_EMERGENCY) : NULL;
}

/* Once for each epoch and pair: what came before the pair isn't asked. */
static bool opens_by(const struct ml_keyring *k, struct key_epoch *e, const struct key_pair *pair)
{
    if (e->tried != pair->order) {
        struct ml_secret *secret = NULL;
        e->tried = pair->order;
        e->tried_opens = ml_keyring_open_holders(k, e, pair, &secret) != ML_E_NO_KEY;
        ml_secret_free(secret);
    }
    return e->tried_opens;
}

bool ml_keyring_glass_fits(const struct ml_keyring *k, struct key_epoch *e)
{
    const struct key_pair *now = ml_keyring_pair_now(k, ML_PAIR_EMERGENCY);
    if (!k->breakers_told || !e->has_break_glass || e->compartment == ML_COMPARTMENT_SENSITIVE) {
        return true;
    }
    if (e->has_holders != k->pair_sound || (now != NULL && e->order < now->order)) {
        return false;
    }
    return !e->has_holders || now == NULL || now->secret == NULL || opens_by(k, e, now);
}

bool ml_keyring_is_glass_of_old(const struct ml_keyring *k, const struct ml_bg_wrap *wrap)
{
    bool old = false;
    for (size_t i = 0; i < k->epoch_count && !old; i++) {
        struct key_epoch *e = k->epochs[i];
        old = e->has_break_glass && e->has_holders &&
              memcmp(&e->break_glass, &wrap->break_glass, sizeof(e->break_glass)) == 0 &&
              !ml_keyring_glass_fits(k, e);
    }
    return old;
}
