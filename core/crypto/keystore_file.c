/* core/crypto/keystore_file.c -- see keystore_file.h.
 *
 * Save: write all to <path>.new, fsync it, rename it over <path>, fsync the folder. A crash leaves
 * the old file or the new one, whole, and perhaps a stale <path>.new that the next save truncates.
 */
#include "core/crypto/keystore_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, FILE_MODE = 0600 };

static ml_err err_from_errno(int code)
{
    switch (code) {
    case ENOMEM:
        return ML_E_NOMEM;
    case ENOENT:
    case ENOTDIR:
        return ML_E_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ML_E_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return ML_E_READONLY;
    default:
        return ML_E_IO;
    }
}

static ml_err read_all(int fd, struct ml_buf *out)
{
    uint8_t part[4096];
    for (;;) {
        ssize_t got = read(fd, part, sizeof(part));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_from_errno(errno);
        }
        if (got == 0) {
            return out->err;
        }
        ml_buf_append(out, part, (size_t)got);
        if (out->err != ML_OK) {
            return out->err;
        }
    }
}

static ml_err write_all(int fd, struct ml_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.data, bytes.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return put == 0 ? ML_E_IO : err_from_errno(errno);
        }
        bytes.data += put;
        bytes.len -= (size_t)put;
    }
    return ML_OK;
}

ml_err ml_keystore_load(struct ml_keystore **out, const struct ml_env *env, const char *path,
                        struct ml_keystore_damage *damage)
{
    struct ml_buf bytes;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    ml_buf_init(&bytes, env, ML_KEYSTORE_FILE_MAX);
    ml_err err = read_all(fd, &bytes);
    close(fd);
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

static ml_err write_file(const char *path, struct ml_slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    ml_err err = fchmod(fd, FILE_MODE) == 0 ? write_all(fd, bytes) : err_from_errno(errno);
    if (err == ML_OK && fsync(fd) != 0) {
        err = err_from_errno(errno);
    }
    if (close(fd) != 0 && err == ML_OK) {
        err = err_from_errno(errno);
    }
    return err;
}

static ml_err sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    ml_err err = fsync(fd) == 0 ? ML_OK : err_from_errno(errno);
    close(fd);
    return err;
}

/* The names that a save needs, in one allocation. */
struct names {
    char *folder; /* owned, with `next` behind it */
    char *next;
};

static ml_err names_make(struct names *names, const struct ml_env *env, const char *path)
{
    static const char suffix[] = ".new";
    size_t len = strlen(path);
    const char *slash = strrchr(path, '/');
    char *room = ml_alloc(env, 2 * len + 2 + sizeof(suffix));
    if (room == NULL) {
        return ML_E_NOMEM;
    }
    *names = (struct names){room, room + len + 2};
    if (slash == NULL) {
        memcpy(names->folder, ".", 2);
    } else {
        memcpy(names->folder, path, slash == path ? 1 : (size_t)(slash - path));
    }
    memcpy(names->next, path, len);
    memcpy(names->next + len, suffix, sizeof(suffix));
    return ML_OK;
}

static ml_err replace_file(const struct names *names, const char *path, struct ml_slice bytes)
{
    if (mkdir(names->folder, FOLDER_MODE) != 0 && errno != EEXIST) {
        return err_from_errno(errno);
    }
    ml_err err = write_file(names->next, bytes);
    if (err == ML_OK && rename(names->next, path) != 0) {
        err = err_from_errno(errno);
    }
    if (err != ML_OK) {
        (void)unlink(names->next); /* best effort: the next save truncates it anyway */
        return err;
    }
    return sync_folder(names->folder);
}

ml_err ml_keystore_save(const struct ml_keystore *ks, const struct ml_env *env, const char *path)
{
    struct names names = {NULL, NULL};
    struct ml_buf bytes;
    ml_buf_init(&bytes, env, ML_KEYSTORE_FILE_MAX);
    ml_err err = ml_keystore_encode(ks, &bytes);
    if (err == ML_OK) {
        err = names_make(&names, env, path);
    }
    if (err == ML_OK) {
        err = replace_file(&names, path, ml_buf_slice(&bytes));
    }
    ml_release(env, names.folder);
    ml_buf_free(&bytes);
    return err;
}
