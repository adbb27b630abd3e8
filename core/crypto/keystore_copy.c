/* core/crypto/keystore_copy.c -- a keystore twice, so that a change can be made in one and thrown
 * away with it. See keystore.h. */
#include <string.h>

#include "core/crypto/keystore_inner.h"

static ml_err secret_copy(struct ml_secret **out, const struct ml_secret *from)
{
    return from == NULL ? ML_OK : ml_secret_from(out, ml_secret_bytes(from), ml_secret_len(from));
}

static ml_err section_copy(struct ks_section *out, const struct ml_env *env,
                           const struct ks_section *from)
{
    if (from->data == NULL) {
        return ML_OK;
    }
    out->data = ml_alloc(env, from->len);
    if (out->data == NULL) {
        return ML_E_NOMEM;
    }
    memcpy(out->data, from->data, from->len);
    out->len = from->len;
    return ML_OK;
}

/* What it owns is its own; on an error whatever it has is freed with it. */
static ml_err member_copy(struct ks_member *out, const struct ml_env *env,
                          const struct ks_member *from)
{
    out->node = from->node;
    memcpy(out->slot, from->slot, sizeof(out->slot));
    out->card = from->card;
    ml_err err = section_copy(&out->section, env, &from->section);
    return err == ML_OK ? secret_copy(&out->mmk, from->mmk) : err;
}

ml_err ml_keystore_copy(struct ml_keystore **out, const struct ml_keystore *from)
{
    const struct ml_env *env = from->env;
    struct ml_keystore *ks = ml_alloc(env, sizeof(*ks));
    if (ks == NULL) {
        return ML_E_NOMEM;
    }
    ks->env = env;
    ks->org = from->org;
    memcpy(ks->id, from->id, sizeof(ks->id));
    ks->has_unattended = from->has_unattended;
    ks->unattended = from->unattended;
    ml_err err = section_copy(&ks->section, env, &from->section);
    if (err == ML_OK) {
        err = secret_copy(&ks->nmk, from->nmk);
    }
    for (size_t i = 0; i < from->member_count && err == ML_OK; i++) {
        ks->member[i] = ml_ks_member_new(env, &from->member[i]->id);
        ks->member_count += ks->member[i] != NULL;
        err = ks->member[i] == NULL ? ML_E_NOMEM : member_copy(ks->member[i], env, from->member[i]);
    }
    if (err != ML_OK) {
        ml_keystore_free(ks);
        return err;
    }
    *out = ks;
    return ML_OK;
}
