/* core/crypto/keystore_file.c -- see keystore_file.h.
 *
 * A crash in a save leaves the old file or the new one, whole, and perhaps a stale <path>.new that
 * the next save empties.
 */
#include "core/crypto/keystore_file.h"

#include <string.h>

#include "core/base/file.h"
#include "core/base/fs.h"

ml_err ml_keystore_load(struct ml_keystore **out, const struct ml_env *env, const char *path,
                        struct ml_keystore_damage *damage)
{
    struct ml_buf bytes;
    ml_buf_init(&bytes, env, ML_KEYSTORE_FILE_MAX);
    ml_err err = ml_file_read(&bytes, env, path);
    if (err == ML_E_LIMIT) {
        err = ML_E_CORRUPT;
        if (damage != NULL) {
            *damage = (struct ml_keystore_damage){"length", ML_KEYSTORE_FILE_MAX};
        }
    }
    if (err == ML_OK) {
        err = ml_keystore_decode(out, env, ml_buf_slice(&bytes), damage);
    }
    ml_buf_free(&bytes);
    return err;
}

/* The folder that holds `path`, made when it is the only one missing. */
static ml_err folder_make(const struct ml_env *env, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return ML_OK;
    }
    char *folder = ml_copy(env, path, (size_t)(slash - path));
    if (folder == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = ml_file_err(env->fs->make_folder(env->fs->ctx, folder));
    ml_release(env, folder);
    return err;
}

ml_err ml_keystore_save(const struct ml_keystore *ks, const struct ml_env *env, const char *path)
{
    struct ml_buf bytes;
    ml_buf_init(&bytes, env, ML_KEYSTORE_FILE_MAX);
    ml_err err = ml_keystore_encode(ks, &bytes);
    if (err == ML_OK) {
        err = folder_make(env, path);
    }
    if (err == ML_OK) {
        err = ml_file_replace(env, path, ml_buf_slice(&bytes));
    }
    ml_buf_free(&bytes);
    return err;
}
