/* core/crypto/keystore_file.h -- a keystore as bytes, and as a file that is never half written. */
#ifndef ML_CRYPTO_KEYSTORE_FILE_H
#define ML_CRYPTO_KEYSTORE_FILE_H

#include "core/base/buf.h"
#include "core/crypto/keystore.h"
#include "maille/err.h"

/** Where a file is damaged: static English text, and the offset of the field. */
struct ml_keystore_damage {
    const char *what;
    size_t offset;
};

/** Appends the file's bytes. Errors: NOMEM, LIMIT (out's maximum). */
ml_err ml_keystore_encode(const struct ml_keystore *ks, struct ml_buf *out) ML_MUST_CHECK;

/** Strict: decode, then encode, gives the same bytes. Nothing is unlocked. `damage` (may be NULL)
 * is set when the answer is CORRUPT or UNSUPPORTED (a later version). */
ml_err ml_keystore_decode(struct ml_keystore **out, const struct ml_env *env, struct ml_slice bytes,
                          struct ml_keystore_damage *damage) ML_MUST_CHECK;

/** Errors: NOT_FOUND, IO, NOMEM, and those of decode. */
ml_err ml_keystore_load(struct ml_keystore **out, const struct ml_env *env, const char *path,
                        struct ml_keystore_damage *damage) ML_MUST_CHECK;

/** `path`.new is written, fsynced, renamed over `path`; then the folder is fsynced. File 0600; the
 * last folder is made 0700 if absent. On any error but the last fsync's the old file stands.
 * Errors: FULL, READONLY, NOT_FOUND (the folder above), IO, NOMEM. */
ml_err ml_keystore_save(const struct ml_keystore *ks, const struct ml_env *env,
                        const char *path) ML_MUST_CHECK;

#endif
