/* core/model/keyring_fault.c -- the canary of groups' keys (see keyring_group.h).
 *
 * Happy path: a key's id is its hash, so that whoever was given one knows at once whether it opens.
 * What doesn't is said in a KEY_FAULT; who holds the key takes it as not given, and the next look
 * at what members lack grants it again.
 *
 * Failures: an error leaves the keyring as it was, and emits nothing.
 *
 * Only keys that would be granted to any newcomer are asked for: what an epoch says in clear may be
 * forged by who doesn't hold its key, and older ones are given by a history grant alone (rules R8).
 */
#include <stdlib.h>
#include <string.h>

#include "core/model/keyring_int.h"

static int key_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_key_id));
}

static void hear(struct ml_keyring *k, const struct ml_recipient_id *who,
                 const struct ml_key_id *key)
{
    for (size_t i = 0; i < k->epoch_count; i++) {
        struct key_epoch *e = k->epochs[i];
        struct key_holder *h = ml_keyring_holder(e, who);
        if (h != NULL && h->kek && key_order(&e->kek, key) == 0) {
            h->faults = h->faults < UINT8_MAX ? (uint8_t)(h->faults + 1) : h->faults;
            h->asks = h->faults <= ML_KEYRING_FAULTS_MAX;
            k->faults++;
        }
    }
}

void ml_keyring_apply_fault(struct ml_keyring *k, const struct ml_key_fault *in)
{
    struct ml_list_walk walk;
    struct ml_key_id key;
    ml_list_walk(&walk, &in->keys);
    while (ml_key_ref_next(&walk, &key)) {
        hear(k, &in->recipient, &key);
    }
}

/* The number that others seal with, held here or not; 0: none. */
static uint32_t number_of(const struct ml_keyring *k, const struct key_group *group)
{
    const uint32_t top = ml_keyring_top(k, &group->team, group->compartment);
    uint32_t number = 0;
    for (size_t i = 0; i < k->epoch_count; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (e->accepted && e->fits && e->epoch <= top && e->epoch > number &&
            ml_keyring_is_of(e, &group->team, group->compartment)) {
            number = e->epoch;
        }
    }
    return number;
}

/* Given to this keyring's owner, for all to see, and not there. */
static const struct key_holder *faulty(const struct ml_keyring *k, const struct key_epoch *e)
{
    const struct key_group *group = ml_keyring_find_group(k, &e->team, e->compartment);
    const struct key_holder *h = ml_keyring_holder(e, &k->mon_id);
    const bool is = group != NULL && ml_keyring_find_member(group, &k->mon_id) != NULL &&
                    e->accepted && e->fits && h != NULL && h->kek &&
                    ml_keyring_epoch_of_kek(k, &e->kek)->kek_key == NULL &&
                    e->epoch == number_of(k, group);
    return is ? h : NULL;
}

static ml_err emit_faults(struct ml_keyring *k, const struct ml_key_id *keys, size_t count,
                          ml_keyop_cb *emit, void *user)
{
    ml_err err = ML_OK;
    for (size_t at = 0; at < count && err == ML_OK; at += ML_KEYOP_FAULTS_MAX) {
        const size_t n = count - at < ML_KEYOP_FAULTS_MAX ? count - at : ML_KEYOP_FAULTS_MAX;
        struct ml_keyop op = {.type = ML_KEYOP_KEY_FAULT};
        op.u.key_fault.recipient = k->mon_id;
        op.u.key_fault.keys = (struct ml_list){.items = keys + at, .count = (uint32_t)n};
        err = ml_keyring_emit(k, &op, emit, user);
    }
    return err;
}

ml_err ml_keyring_make_faults(struct ml_keyring *k, ml_keyop_cb *emit, void *user)
{
    size_t count = 0;
    size_t kept = 0;
    struct ml_key_id *keys =
        ml_alloc_array(k->env, k->epoch_count == 0 ? 1 : k->epoch_count, sizeof(*keys));
    if (keys == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < k->epoch_count; i++) {
        const struct key_holder *h = faulty(k, k->epochs[i]);
        if (h != NULL && !h->asks && h->faults < ML_KEYRING_FAULTS_MAX) {
            keys[count++] = k->epochs[i]->kek;
        }
    }
    qsort(keys, count, sizeof(*keys), key_order);
    for (size_t i = 0; i < count; i++) { /* two epochs may claim one key */
        if (kept == 0 || key_order(&keys[kept - 1], &keys[i]) != 0) {
            keys[kept++] = keys[i];
        }
    }
    ml_err err = emit_faults(k, keys, kept, emit, user);
    ml_release(k->env, keys);
    return err;
}

uint64_t ml_keyring_faults(const struct ml_keyring *k)
{
    return k->faults;
}

size_t ml_keyring_faulty(const struct ml_keyring *k, size_t *given_up)
{
    size_t count = 0;
    *given_up = 0;
    for (size_t i = 0; i < k->epoch_count; i++) {
        const struct key_holder *h = faulty(k, k->epochs[i]);
        count += h != NULL;
        *given_up += h != NULL && !h->asks && h->faults >= ML_KEYRING_FAULTS_MAX;
    }
    return count;
}
