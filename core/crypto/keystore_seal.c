/* core/crypto/keystore_seal.c -- what a keystore seals, and what each seal binds.
 *
 * Every sealed part is bound, through its associated data, to what it is and where it stands:
 *
 *   "maille/keystore/1" || org 32 || keystore id 16 || part 1 || member 16 || passes 4 || KiB 4 ||
 *   salt 16
 *
 * part: 1 passphrase slot, 2 recovery slot, 3 card slot, 16 unattended wrap, 17 node wrap, 18
 * member section, 19 node section. The member is zero for the node's parts; the last three fields
 * are zero but in a passphrase slot. All sizes are fixed, so no two places give the same bytes.
 */
#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/keystore_inner.h"

enum { AD_LABEL_BYTES = 17 };

static const struct ml_slice no_context = {NULL, 0};

/* `slot` is NULL but for a slot's wrap. */
struct ks_ad ml_ks_ad(const struct ml_keystore *ks, uint8_t part, const struct ml_member_id *member,
                      const struct ks_slot *slot)
{
    static const char label[AD_LABEL_BYTES + 1] = "maille/keystore/1";
    struct ks_ad ad = {{0}};
    uint8_t *at = ad.b;
    memcpy(at, label, AD_LABEL_BYTES);
    at += AD_LABEL_BYTES;
    memcpy(at, ks->org.b, sizeof(ks->org.b));
    at += sizeof(ks->org.b);
    memcpy(at, ks->id, sizeof(ks->id));
    at += sizeof(ks->id);
    *at++ = part;
    if (member != NULL) {
        memcpy(at, member->b, sizeof(member->b));
    }
    at += sizeof(member->b);
    if (slot != NULL) {
        ml_put_u32be(at, slot->cost.passes);
        ml_put_u32be(at + 4, slot->cost.memory_kib);
        memcpy(at + 8, slot->salt, sizeof(slot->salt));
    }
    return ad;
}

static struct ml_slice ad_slice(const struct ks_ad *ad)
{
    return ml_slice(ad->b, sizeof(ad->b));
}

static struct ml_slice secret_slice(const struct ml_secret *s)
{
    return ml_slice(ml_secret_bytes(s), ml_secret_len(s));
}

/* Wraps: a key under a key. */

static void wrap_check(uint8_t check[KS_CHECK_BYTES], const struct ks_ad *ad,
                       const struct ml_secret *under)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/ks-check/1"), ad_slice(ad)};
    ml_hash_parts(check, KS_CHECK_BYTES, secret_slice(under), parts, 2);
}

void ml_ks_wrap_seal(struct ks_wrap *w, const struct ml_env *env, const struct ks_ad *ad,
                     const struct ml_secret *key, const struct ml_secret *under)
{
    wrap_check(w->check, ad, under);
    ml_aead_nonce(w->nonce, env, secret_slice(key), ad_slice(ad), ml_secret_bytes(under));
    ml_aead_seal(w->sealed, secret_slice(key), ad_slice(ad), w->nonce, ml_secret_bytes(under));
}

ml_err ml_ks_wrap_open(struct ml_secret **key, const struct ks_wrap *w, const struct ks_ad *ad,
                       const struct ml_secret *under)
{
    uint8_t check[KS_CHECK_BYTES];
    struct ml_secret *opened = NULL;
    wrap_check(check, ad, under);
    if (!ml_equal_ct(check, w->check, sizeof(check))) {
        return ML_E_WRONG_KEY;
    }
    ml_err err = ml_secret_new(&opened, ML_KEY_BYTES);
    if (err != ML_OK) {
        return err;
    }
    if (ml_aead_open(ml_secret_writable(opened), ml_slice(w->sealed, sizeof(w->sealed)),
                     ad_slice(ad), w->nonce, ml_secret_bytes(under)) != ML_OK) {
        ml_secret_free(opened);
        return ML_E_CORRUPT;
    }
    *key = opened;
    return ML_OK;
}

/* The key that wraps NMK, from MMK or from the unattended key. */
static ml_err node_wrap_key(struct ml_secret **out, const struct ml_secret *from)
{
    return ml_kdf(ML_KDF_KS_NODE_WRAP, out, from, no_context);
}

ml_err ml_ks_node_wrap_seal(const struct ml_keystore *ks, struct ks_wrap *w, const struct ks_ad *ad,
                            const struct ml_secret *from)
{
    struct ml_secret *under = NULL;
    ml_err err = node_wrap_key(&under, from);
    if (err == ML_OK) {
        ml_ks_wrap_seal(w, ks->env, ad, ks->nmk, under);
    }
    ml_secret_free(under);
    return err;
}

ml_err ml_ks_node_wrap_open(struct ml_secret **nmk, const struct ks_wrap *w, const struct ks_ad *ad,
                            const struct ml_secret *from)
{
    struct ml_secret *under = NULL;
    ml_err err = node_wrap_key(&under, from);
    if (err == ML_OK) {
        err = ml_ks_wrap_open(nmk, w, ad, under);
    }
    ml_secret_free(under);
    return err;
}

/* Sections. */

ml_err ml_ks_section_seal(struct ks_section *section, const struct ml_env *env,
                          const struct ks_ad *ad, const struct ml_secret *payload,
                          const struct ml_secret *under)
{
    size_t len = ml_secret_len(payload) + KS_SECTION_EXTRA;
    uint8_t *data = ml_alloc(env, len);
    if (data == NULL) {
        return ML_E_NOMEM;
    }
    ml_aead_nonce(data, env, secret_slice(payload), ad_slice(ad), ml_secret_bytes(under));
    ml_aead_seal(data + ML_AEAD_NONCE_BYTES, secret_slice(payload), ad_slice(ad), data,
                 ml_secret_bytes(under));
    ml_release(env, section->data);
    *section = (struct ks_section){data, len};
    return ML_OK;
}

ml_err ml_ks_section_open(struct ml_secret **out, const struct ks_section *section,
                          const struct ks_ad *ad, const struct ml_secret *under)
{
    struct ml_secret *opened = NULL;
    ml_err err = ml_secret_new(&opened, section->len - KS_SECTION_EXTRA);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_slice sealed = {section->data + ML_AEAD_NONCE_BYTES,
                                    section->len - ML_AEAD_NONCE_BYTES};
    if (ml_aead_open(ml_secret_writable(opened), sealed, ad_slice(ad), section->data,
                     ml_secret_bytes(under)) != ML_OK) {
        ml_secret_free(opened);
        return ML_E_CORRUPT;
    }
    *out = opened;
    return ML_OK;
}
