/* core/base/file.c -- see file.h. */
#include "core/base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fs.h"

#define PART 4096u /* read at a time */

ml_err ml_file_err(int number)
{
    switch (number) {
    case 0:
        return ML_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ML_E_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return ML_E_READONLY;
    case ENOENT:
    case ENOTDIR:
        return ML_E_NOT_FOUND;
    case ENAMETOOLONG:
        return ML_E_LIMIT;
    case ENOMEM:
        return ML_E_NOMEM;
    default:
        return ML_E_IO;
    }
}

static ml_err read_all(struct ml_buf *out, const struct ml_fs *fs, intptr_t file)
{
    uint8_t part[PART];
    size_t got = sizeof(part);
    for (uint64_t at = 0; got == sizeof(part) && out->err == ML_OK; at += got) {
        int rc = fs->read(fs->ctx, file, at, part, sizeof(part), &got);
        if (rc != 0) {
            return ml_file_err(rc);
        }
        ml_buf_append(out, part, got);
    }
    return out->err;
}

ml_err ml_file_read(struct ml_buf *out, const struct ml_env *env, const char *path)
{
    const struct ml_fs *fs = env->fs;
    intptr_t file = 0;
    int rc = fs->open(fs->ctx, path, ML_FS_READ, &file);
    if (rc != 0) {
        return ml_file_err(rc);
    }
    ml_err err = read_all(out, fs, file);
    fs->close(fs->ctx, file);
    return err;
}

ml_err ml_file_sync_folder(const struct ml_env *env, const char *path)
{
    char folder[ML_FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len >= sizeof(folder)) {
        return ML_E_LIMIT;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    const char *name = len > 0 ? folder : slash == NULL ? "." : "/";
    return ml_file_err(env->fs->sync_folder(env->fs->ctx, name));
}

static int write_new(const struct ml_fs *fs, const char *path, struct ml_slice bytes)
{
    intptr_t file = 0;
    int rc = fs->open(fs->ctx, path, ML_FS_NEW, &file);
    if (rc != 0) {
        return rc;
    }
    rc = fs->write(fs->ctx, file, 0, bytes.data, bytes.len);
    if (rc == 0) {
        rc = fs->sync(fs->ctx, file);
    }
    fs->close(fs->ctx, file);
    return rc;
}

ml_err ml_file_replace(const struct ml_env *env, const char *path, struct ml_slice bytes)
{
    char fresh[ML_FILE_PATH_MAX];
    const struct ml_fs *fs = env->fs;
    int n = snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof(fresh)) {
        return ML_E_LIMIT;
    }
    int rc = write_new(fs, fresh, bytes);
    if (rc == 0) {
        rc = fs->rename(fs->ctx, fresh, path);
    }
    if (rc != 0) {
        (void)fs->remove(fs->ctx, fresh); /* the next one empties it anyway */
        return ml_file_err(rc);
    }
    return ml_file_sync_folder(env, path);
}
