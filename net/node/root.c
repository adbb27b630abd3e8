/* net/node/root.c -- see root.h. */
#include "net/node/root.h"

#include "core/crypto/kdf.h"

ml_err ml_root_draw(struct ml_secret **out, const struct ml_env *env)
{
    ml_err err = ml_secret_new(out, ML_STRUCTURE_SECRET_BYTES);
    if (err == ML_OK) {
        env->random(env->ctx, ml_secret_writable(*out), ML_STRUCTURE_SECRET_BYTES);
    }
    return err;
}

ml_err ml_root_open(struct ml_root_keys *out, const struct ml_secret *structure)
{
    const struct ml_slice none = ml_slice(NULL, 0);
    *out = (struct ml_root_keys){0};
    ml_err err = ml_kdf(ML_KDF_ROOT_SIGN, &out->sign, structure, none);
    if (err == ML_OK) {
        err = ml_kdf(ML_KDF_ROOT_BOX, &out->box, structure, none);
    }
    return err == ML_OK ? ml_kdf(ML_KDF_AUDIT_BOX, &out->audit, structure, none) : err;
}

void ml_root_close(struct ml_root_keys *keys)
{
    ml_secret_free(keys->sign);
    ml_secret_free(keys->box);
    ml_secret_free(keys->audit);
    *keys = (struct ml_root_keys){0};
}
