/* core/store/file.c -- see file.h. */
#include "core/store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 16384u

ml_err ml_file_err(int number)
{
    switch (number) {
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
    case ENOMEM:
        return ML_E_NOMEM;
    default:
        return ML_E_IO;
    }
}

ml_err ml_file_write_all(int fd, struct ml_slice bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t n = write(fd, bytes.data + at, bytes.len - at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? ml_file_err(errno) : ML_E_IO;
        }
        at += (size_t)n;
    }
    return ML_OK;
}

static ml_err read_fd(struct ml_buf *out, int fd)
{
    for (;;) {
        const size_t before = out->len;
        uint8_t *p = ml_buf_extend(out, CHUNK);
        if (p == NULL) {
            return out->err;
        }
        ssize_t n = read(fd, p, CHUNK);
        out->len = before + (n > 0 ? (size_t)n : 0);
        if (n < 0 && errno != EINTR) {
            return ml_file_err(errno);
        }
        if (n == 0) {
            return ML_OK;
        }
    }
}

ml_err ml_file_read(struct ml_buf *out, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ml_file_err(errno);
    }
    ml_err err = read_fd(out, fd);
    (void)close(fd); /* it was only read */
    return err;
}

/* The name of a new file is durable once its folder is. */
ml_err ml_file_sync_folder(const char *path)
{
    char folder[ML_FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len >= sizeof(folder)) {
        return ML_E_LIMIT;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    int fd = open(len == 0 ? (slash == NULL ? "." : "/") : folder, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ml_file_err(errno);
    }
    ml_err err = fsync(fd) == 0 ? ML_OK : ml_file_err(errno);
    (void)close(fd);
    return err;
}

static ml_err write_new(const char *path, struct ml_slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return ml_file_err(errno);
    }
    ml_err err = ml_file_write_all(fd, bytes);
    if (err == ML_OK && fsync(fd) != 0) {
        err = ml_file_err(errno);
    }
    if (close(fd) != 0 && err == ML_OK) {
        err = ml_file_err(errno);
    }
    return err;
}

ml_err ml_file_replace(const char *path, struct ml_slice bytes)
{
    char fresh[ML_FILE_PATH_MAX];
    int n = snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof(fresh)) {
        return ML_E_LIMIT;
    }
    ml_err err = write_new(fresh, bytes);
    if (err == ML_OK && rename(fresh, path) != 0) {
        err = ml_file_err(errno);
    }
    if (err != ML_OK) {
        (void)unlink(fresh);
        return err;
    }
    return ml_file_sync_folder(path);
}
