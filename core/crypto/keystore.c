/* core/crypto/keystore.c -- see keystore.h; the seals are in keystore_seal.c, the file's bytes in
 * keystore_codec.c.
 *
 * Unlocking: the slot's key (Argon2id or the recovery secret's) opens MMK, MMK opens NMK unless the
 * node is open already. Nothing is stored in the object before all of it has opened.
 *
 * Invariant: each member has a node wrap and one to three slots, at most one of a type.
 */
#include "core/crypto/keystore.h"

#include <sodium.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/keystore_inner.h"

static const struct ml_slice no_context = {NULL, 0};

/* Members and slots. */

struct ks_member *ml_ks_member_new(const struct ml_env *env, const struct ml_member_id *id)
{
    struct ks_member *m = ml_alloc(env, sizeof(*m));
    if (m != NULL) {
        *m = (struct ks_member){.id = *id};
    }
    return m;
}

static void member_free(const struct ml_env *env, struct ks_member *m)
{
    if (m != NULL) {
        ml_secret_free(m->mmk);
        ml_release(env, m->section.data);
        ml_release(env, m);
    }
}

/* Index of the member, or of the first one with a greater id. */
static size_t member_place(const struct ml_keystore *ks, const struct ml_member_id *id)
{
    size_t i = 0;
    while (i < ks->member_count && memcmp(ks->member[i]->id.b, id->b, sizeof(id->b)) < 0) {
        i++;
    }
    return i;
}

static struct ks_member *member_find(const struct ml_keystore *ks, const struct ml_member_id *id)
{
    size_t i = member_place(ks, id);
    bool found = i < ks->member_count && memcmp(ks->member[i]->id.b, id->b, sizeof(id->b)) == 0;
    return found ? ks->member[i] : NULL;
}

static ml_err member_find_open(struct ks_member **out, const struct ml_keystore *ks,
                               const struct ml_member_id *id)
{
    struct ks_member *m = member_find(ks, id);
    if (m == NULL) {
        return ML_E_NOT_FOUND;
    }
    *out = m;
    return m->mmk == NULL ? ML_E_LOCKED : ML_OK;
}

size_t ml_ks_slot_count(const struct ks_member *m)
{
    size_t count = 0;
    for (size_t i = 0; i < KS_SLOTS_MAX; i++) {
        count += m->slot[i].used;
    }
    return count;
}

/* NULL for a type that the member doesn't have, or that has no place. */
static const struct ks_slot *slot_find(const struct ks_member *m, ml_slot_type type)
{
    size_t at = (size_t)type - 1;
    return at < KS_SLOTS_MAX && m->slot[at].used ? &m->slot[at] : NULL;
}

static ml_err passphrase_slot(const struct ml_keystore *ks, struct ks_slot *slot,
                              const struct ks_member *m, struct ml_slice passphrase)
{
    struct ml_secret *under = NULL;
    ks->env->random(ks->env->ctx, slot->salt, sizeof(slot->salt));
    ml_err err = ml_pwhash(&under, passphrase, slot->salt, &slot->cost);
    if (err != ML_OK) {
        return err;
    }
    const struct ks_ad ad = ml_ks_ad(ks, ML_SLOT_TYPE_PASSPHRASE, &m->id, slot);
    ml_ks_wrap_seal(&slot->wrap, ks->env, &ad, m->mmk, under);
    ml_secret_free(under);
    return ML_OK;
}

/* MMK is open: opens the node through it if need be, then takes MMK over. */
static ml_err member_opened(struct ml_keystore *ks, struct ks_member *m, struct ml_secret *mmk)
{
    if (ks->nmk == NULL) {
        const struct ks_ad ad = ml_ks_ad(ks, KS_PART_NODE_WRAP, &m->id, NULL);
        ml_err err = ml_ks_node_wrap_open(&ks->nmk, &m->node, &ad, mmk);
        if (err != ML_OK) {
            ml_secret_free(mmk);
            return err == ML_E_WRONG_KEY ? ML_E_CORRUPT : err; /* MMK is right: its slot said so */
        }
    }
    ml_secret_free(m->mmk);
    m->mmk = mmk;
    return ML_OK;
}

static ml_err slot_open(struct ml_keystore *ks, struct ks_member *m, const struct ks_slot *slot,
                        const struct ml_secret *under)
{
    struct ml_secret *mmk = NULL;
    const struct ks_ad ad = ml_ks_ad(ks, (uint8_t)slot->type, &m->id,
                                     slot->type == ML_SLOT_TYPE_PASSPHRASE ? slot : NULL);
    ml_err err = ml_ks_wrap_open(&mmk, &slot->wrap, &ad, under);
    return err == ML_OK ? member_opened(ks, m, mmk) : err;
}

/* Public functions. */

ml_err ml_keystore_new(struct ml_keystore **out, const struct ml_env *env,
                       const struct ml_org_id *org)
{
    struct ml_keystore *ks = ml_alloc(env, sizeof(*ks));
    if (ks == NULL) {
        return ML_E_NOMEM;
    }
    ks->env = env;
    ks->org = *org;
    ml_err err = ml_secret_random(&ks->nmk, env, ML_KEY_BYTES);
    if (err != ML_OK) {
        ml_release(env, ks);
        return err;
    }
    env->random(env->ctx, ks->id, sizeof(ks->id));
    *out = ks;
    return ML_OK;
}

void ml_keystore_free(struct ml_keystore *ks)
{
    if (ks == NULL) {
        return;
    }
    for (size_t i = 0; i < ks->member_count; i++) {
        member_free(ks->env, ks->member[i]);
    }
    ml_secret_free(ks->nmk);
    ml_release(ks->env, ks->section.data);
    ml_release(ks->env, ks);
}

const struct ml_org_id *ml_keystore_org(const struct ml_keystore *ks)
{
    return &ks->org;
}

bool ml_keystore_is_test(const struct ml_keystore *ks)
{
    for (size_t i = 0; i < ks->member_count; i++) {
        const struct ks_slot *slot = slot_find(ks->member[i], ML_SLOT_TYPE_PASSPHRASE);
        if (slot != NULL && ml_pwhash_is_test(&slot->cost)) {
            return true;
        }
    }
    return false;
}

size_t ml_keystore_member_count(const struct ml_keystore *ks)
{
    return ks->member_count;
}

const struct ml_member_id *ml_keystore_member(const struct ml_keystore *ks, size_t index)
{
    ML_ASSERT(index < ks->member_count);
    return &ks->member[index]->id;
}

bool ml_keystore_has_slot(const struct ml_keystore *ks, const struct ml_member_id *member,
                          ml_slot_type type)
{
    const struct ks_member *m = member_find(ks, member);
    return m != NULL && slot_find(m, type) != NULL;
}

bool ml_keystore_is_unlocked(const struct ml_keystore *ks, const struct ml_member_id *member)
{
    const struct ks_member *m = member_find(ks, member);
    return m != NULL && m->mmk != NULL;
}

bool ml_keystore_node_is_open(const struct ml_keystore *ks)
{
    return ks->nmk != NULL;
}

static ml_err member_fill(const struct ml_keystore *ks, struct ks_member *m,
                          struct ml_slice passphrase, const struct ml_pwhash_cost *cost)
{
    struct ks_slot slot = {.used = true, .type = ML_SLOT_TYPE_PASSPHRASE, .cost = *cost};
    const struct ks_ad ad = ml_ks_ad(ks, KS_PART_NODE_WRAP, &m->id, NULL);
    ml_err err = ml_secret_random(&m->mmk, ks->env, ML_KEY_BYTES);
    if (err == ML_OK) {
        err = ml_ks_node_wrap_seal(ks, &m->node, &ad, m->mmk);
    }
    if (err == ML_OK) {
        err = passphrase_slot(ks, &slot, m, passphrase);
    }
    if (err == ML_OK) {
        m->slot[slot.type - 1] = slot;
    }
    return err;
}

ml_err ml_keystore_add_member(struct ml_keystore *ks, const struct ml_member_id *member,
                              struct ml_slice passphrase, const struct ml_pwhash_cost *cost)
{
    if (ks->nmk == NULL) {
        return ML_E_LOCKED;
    }
    if (member_find(ks, member) != NULL) {
        return ML_E_EXISTS;
    }
    if (ks->member_count == ML_KEYSTORE_MEMBERS_MAX) {
        return ML_E_LIMIT;
    }
    struct ks_member *m = ml_ks_member_new(ks->env, member);
    if (m == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = member_fill(ks, m, passphrase, cost);
    if (err != ML_OK) {
        member_free(ks->env, m);
        return err;
    }
    size_t at = member_place(ks, member);
    memmove(&ks->member[at + 1], &ks->member[at],
            (ks->member_count - at) * sizeof(struct ks_member *));
    ks->member[at] = m;
    ks->member_count++;
    return ML_OK;
}

ml_err ml_keystore_remove_member(struct ml_keystore *ks, const struct ml_member_id *member)
{
    struct ks_member *m = member_find(ks, member);
    if (m == NULL) {
        return ML_E_NOT_FOUND;
    }
    size_t at = member_place(ks, member);
    ks->member_count--;
    memmove(&ks->member[at], &ks->member[at + 1],
            (ks->member_count - at) * sizeof(struct ks_member *));
    member_free(ks->env, m);
    return ML_OK;
}

ml_err ml_keystore_unlock(struct ml_keystore *ks, const struct ml_member_id *member,
                          struct ml_slice passphrase)
{
    struct ks_member *m = member_find(ks, member);
    const struct ks_slot *slot = m == NULL ? NULL : slot_find(m, ML_SLOT_TYPE_PASSPHRASE);
    if (slot == NULL) {
        return ML_E_NOT_FOUND;
    }
    struct ml_secret *under = NULL;
    ml_err err = passphrase.len > ML_PASSPHRASE_BYTES_MAX
                     ? ML_E_WRONG_KEY
                     : ml_pwhash(&under, passphrase, slot->salt, &slot->cost);
    if (err == ML_OK) {
        err = slot_open(ks, m, slot, under);
    }
    ml_secret_free(under);
    return err;
}

/* The slot of `type`, whose key `kdf` derives from a secret of 32 bytes. */
static ml_err secret_unlock(struct ml_keystore *ks, const struct ml_member_id *member,
                            ml_slot_type type, ml_kdf_id kdf, const struct ml_secret *secret)
{
    struct ks_member *m = member_find(ks, member);
    const struct ks_slot *slot = m == NULL ? NULL : slot_find(m, type);
    if (slot == NULL) {
        return ML_E_NOT_FOUND;
    }
    struct ml_secret *under = NULL;
    ml_err err = ml_kdf(kdf, &under, secret, no_context);
    if (err == ML_OK) {
        err = slot_open(ks, m, slot, under);
    }
    ml_secret_free(under);
    return err == ML_E_INVALID ? ML_E_WRONG_KEY : err; /* of another length */
}

ml_err ml_keystore_unlock_recovery(struct ml_keystore *ks, const struct ml_member_id *member,
                                   const struct ml_secret *recovery)
{
    return secret_unlock(ks, member, ML_SLOT_TYPE_RECOVERY, ML_KDF_KS_RECOVERY, recovery);
}

ml_err ml_keystore_unlock_card(struct ml_keystore *ks, const struct ml_member_id *member,
                               const struct ml_secret *secret)
{
    return secret_unlock(ks, member, ML_SLOT_TYPE_CARD, ML_KDF_KS_CARD, secret);
}

const struct ml_card_lock *ml_keystore_card(const struct ml_keystore *ks,
                                            const struct ml_member_id *member)
{
    const struct ks_member *m = member_find(ks, member);
    return m == NULL || slot_find(m, ML_SLOT_TYPE_CARD) == NULL ? NULL : &m->card;
}

ml_err ml_keystore_unlock_unattended(struct ml_keystore *ks, const struct ml_secret *key)
{
    if (!ks->has_unattended) {
        return ML_E_NOT_FOUND;
    }
    struct ml_secret *nmk = NULL;
    const struct ks_ad ad = ml_ks_ad(ks, KS_PART_UNATTENDED, NULL, NULL);
    ml_err err = ml_ks_node_wrap_open(&nmk, &ks->unattended, &ad, key);
    if (err != ML_OK) {
        return err == ML_E_INVALID ? ML_E_WRONG_KEY : err;
    }
    ml_secret_free(ks->nmk);
    ks->nmk = nmk;
    return ML_OK;
}

void ml_keystore_lock(struct ml_keystore *ks, const struct ml_member_id *member)
{
    struct ks_member *m = member_find(ks, member);
    if (m != NULL) {
        ml_secret_free(m->mmk);
        m->mmk = NULL;
    }
}

void ml_keystore_lock_node(struct ml_keystore *ks)
{
    ml_secret_free(ks->nmk);
    ks->nmk = NULL;
}

ml_err ml_keystore_set_passphrase(struct ml_keystore *ks, const struct ml_member_id *member,
                                  struct ml_slice passphrase, const struct ml_pwhash_cost *cost)
{
    struct ks_member *m = NULL;
    struct ks_slot slot = {.used = true, .type = ML_SLOT_TYPE_PASSPHRASE, .cost = *cost};
    ml_err err = member_find_open(&m, ks, member);
    if (err == ML_OK) {
        err = passphrase_slot(ks, &slot, m, passphrase);
    }
    if (err == ML_OK) {
        m->slot[slot.type - 1] = slot;
    }
    return err;
}

static ml_err secret_slot(const struct ml_keystore *ks, const struct ks_member *m,
                          struct ks_slot *slot, ml_kdf_id kdf, const struct ml_secret *secret)
{
    struct ml_secret *under = NULL;
    ml_err err = ml_kdf(kdf, &under, secret, no_context);
    if (err != ML_OK) {
        return err;
    }
    const struct ks_ad ad = ml_ks_ad(ks, (uint8_t)slot->type, &m->id, NULL);
    ml_ks_wrap_seal(&slot->wrap, ks->env, &ad, m->mmk, under);
    ml_secret_free(under);
    return ML_OK;
}

ml_err ml_keystore_set_recovery(struct ml_keystore *ks, const struct ml_member_id *member,
                                const struct ml_secret *recovery)
{
    struct ks_member *m = NULL;
    struct ks_slot slot = {.used = true, .type = ML_SLOT_TYPE_RECOVERY};
    ml_err err = member_find_open(&m, ks, member);
    if (err == ML_OK) {
        err = secret_slot(ks, m, &slot, ML_KDF_KS_RECOVERY, recovery);
    }
    if (err == ML_OK) {
        m->slot[slot.type - 1] = slot;
    }
    return err;
}

ml_err ml_keystore_set_card(struct ml_keystore *ks, const struct ml_member_id *member,
                            const struct ml_card_lock *lock, const struct ml_secret *secret)
{
    struct ks_member *m = NULL;
    struct ks_slot slot = {.used = true, .type = ML_SLOT_TYPE_CARD};
    ml_err err =
        lock->sealed_len == 0 || lock->sealed_len > ML_CARD_SEALED_MAX ? ML_E_INVALID : ML_OK;
    if (err == ML_OK) {
        err = member_find_open(&m, ks, member);
    }
    if (err == ML_OK) {
        err = secret_slot(ks, m, &slot, ML_KDF_KS_CARD, secret);
    }
    if (err == ML_OK) {
        m->slot[slot.type - 1] = slot;
        m->card = *lock;
    }
    return err;
}

ml_err ml_keystore_remove_slot(struct ml_keystore *ks, const struct ml_member_id *member,
                               ml_slot_type type)
{
    struct ks_member *m = member_find(ks, member);
    const struct ks_slot *slot = m == NULL ? NULL : slot_find(m, type);
    if (slot == NULL) {
        return ML_E_NOT_FOUND;
    }
    if (ml_ks_slot_count(m) == 1) {
        return ML_E_DENIED;
    }
    sodium_memzero(&m->slot[type - 1], sizeof(*slot));
    if (type == ML_SLOT_TYPE_CARD) {
        sodium_memzero(&m->card, sizeof(m->card));
    }
    return ML_OK;
}

ml_err ml_keystore_set_unattended(struct ml_keystore *ks, const struct ml_secret *key)
{
    if (ks->nmk == NULL) {
        return ML_E_LOCKED;
    }
    struct ks_wrap wrap = {{0}, {0}, {0}};
    if (key != NULL) {
        const struct ks_ad ad = ml_ks_ad(ks, KS_PART_UNATTENDED, NULL, NULL);
        ml_err err = ml_ks_node_wrap_seal(ks, &wrap, &ad, key);
        if (err != ML_OK) {
            return err;
        }
    }
    ks->has_unattended = key != NULL;
    ks->unattended = wrap;
    return ML_OK;
}

/* What a section of `member` (NULL: the node) is sealed with. */
struct section_ref {
    const struct ml_secret *master; /* borrowed */
    ml_kdf_id kdf;
    struct ks_ad ad;
    struct ks_section *section;
};

static ml_err section_find(struct section_ref *ref, struct ml_keystore *ks,
                           const struct ml_member_id *member)
{
    if (member == NULL) {
        *ref = (struct section_ref){ks->nmk, ML_KDF_KS_NODE,
                                    ml_ks_ad(ks, KS_PART_NODE_SECTION, NULL, NULL), &ks->section};
        return ks->nmk == NULL ? ML_E_LOCKED : ML_OK;
    }
    struct ks_member *m = NULL;
    ml_err err = member_find_open(&m, ks, member);
    if (err == ML_OK) {
        *ref =
            (struct section_ref){m->mmk, ML_KDF_KS_MEMBER,
                                 ml_ks_ad(ks, KS_PART_MEMBER_SECTION, member, NULL), &m->section};
    }
    return err;
}

ml_err ml_keystore_get_section(struct ml_keystore *ks, const struct ml_member_id *member,
                               struct ml_secret **out)
{
    struct section_ref ref;
    struct ml_secret *under = NULL;
    ml_err err = section_find(&ref, ks, member);
    if (err != ML_OK) {
        return err;
    }
    if (ref.section->data == NULL) {
        return ML_E_NOT_FOUND;
    }
    err = ml_kdf(ref.kdf, &under, ref.master, no_context);
    if (err == ML_OK) {
        err = ml_ks_section_open(out, ref.section, &ref.ad, under);
    }
    ml_secret_free(under);
    return err;
}

ml_err ml_keystore_put_section(struct ml_keystore *ks, const struct ml_member_id *member,
                               const struct ml_secret *payload)
{
    _Static_assert(ML_SECRET_MAX == ML_KEYSTORE_SECTION_MAX, "a secret never exceeds a section");
    struct section_ref ref;
    struct ml_secret *under = NULL;
    ml_err err = section_find(&ref, ks, member);
    if (err == ML_OK) {
        err = ml_kdf(ref.kdf, &under, ref.master, no_context);
    }
    if (err == ML_OK) {
        err = ml_ks_section_seal(ref.section, ks->env, &ref.ad, payload, under);
    }
    ml_secret_free(under);
    return err;
}

ml_err ml_keystore_derive(struct ml_keystore *ks, ml_kdf_id id, const struct ml_member_id *member,
                          struct ml_secret **out)
{
    uint8_t context[sizeof(ks->org.b) + sizeof(member->b)];
    size_t len = sizeof(ks->org.b);
    bool of_member = id == ML_KDF_VAULT || id == ML_KDF_DRAFTS;
    bool of_node = id == ML_KDF_LOG_DB || id == ML_KDF_TRACE_JOURNAL || id == ML_KDF_ANCHOR_MAC ||
                   id == ML_KDF_NODE_SALT;
    if (of_member != (member != NULL) || of_node == of_member) {
        return ML_E_INVALID;
    }
    struct section_ref ref;
    ml_err err = section_find(&ref, ks, member);
    if (err != ML_OK) {
        return err;
    }
    memcpy(context, ks->org.b, sizeof(ks->org.b));
    if (member != NULL) {
        memcpy(context + len, member->b, sizeof(member->b));
        len += sizeof(member->b);
    }
    return ml_kdf(id, out, ref.master, ml_slice(context, len));
}
