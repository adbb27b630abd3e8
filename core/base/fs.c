/* core/base/fs.c -- see fs.h: the real files. Calls that a signal ended are made again. */
#include "core/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600, FOLDER_MODE = 0700 };

static int system_open(void *ctx, const char *path, ml_fs_how how, intptr_t *file)
{
    static const int flags[] = {
        [ML_FS_READ] = O_RDONLY | O_CLOEXEC,
        [ML_FS_WRITE] = O_RDWR | O_CLOEXEC,
        [ML_FS_NEW] = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
    };
    (void)ctx;
    int fd = open(path, flags[how], FILE_MODE);
    if (fd < 0) {
        return errno;
    }
    if (how == ML_FS_NEW && fchmod(fd, FILE_MODE) != 0) { /* it may have been there, wide open */
        int err = errno;
        close(fd);
        return err;
    }
    *file = fd;
    return 0;
}

static void system_close(void *ctx, intptr_t file)
{
    (void)ctx;
    close((int)file); /* what must last was synced before */
}

/* NOLINTNEXTLINE(readability-function-size): as the table wants */
static int system_read(void *ctx, intptr_t file, uint64_t at, void *buf, size_t len, size_t *got)
{
    (void)ctx;
    *got = 0;
    while (*got < len) {
        ssize_t n = pread((int)file, (char *)buf + *got, len - *got, (off_t)(at + *got));
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n == 0) {
            break;
        }
        *got += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int system_write(void *ctx, intptr_t file, uint64_t at, const void *buf, size_t len)
{
    (void)ctx;
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite((int)file, (const char *)buf + done, len - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n == 0) {
            return EIO;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int system_truncate(void *ctx, intptr_t file, uint64_t size)
{
    (void)ctx;
    return ftruncate((int)file, (off_t)size) == 0 ? 0 : errno;
}

static int system_sync(void *ctx, intptr_t file)
{
    (void)ctx;
    return fsync((int)file) == 0 ? 0 : errno;
}

static int system_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return rename(from, to) == 0 ? 0 : errno;
}

static int system_remove(void *ctx, const char *path)
{
    (void)ctx;
    return unlink(path) == 0 ? 0 : errno;
}

static bool system_exists(void *ctx, const char *path)
{
    (void)ctx;
    return access(path, F_OK) == 0;
}

static int system_sync_folder(void *ctx, const char *path)
{
    (void)ctx;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int err = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return err;
}

static int sync_parent(const char *path)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len >= sizeof(parent)) {
        return ENAMETOOLONG;
    }
    memcpy(parent, path, len);
    parent[len] = '\0';
    return system_sync_folder(NULL, len > 0 ? parent : slash == NULL ? "." : "/");
}

static int system_make_folder(void *ctx, const char *path)
{
    (void)ctx;
    if (mkdir(path, FOLDER_MODE) != 0) {
        return errno == EEXIST ? 0 : errno;
    }
    int err = sync_parent(path);
    if (err != 0) {
        (void)rmdir(path); /* so that the next one makes and syncs it again */
    }
    return err;
}

static int system_list(void *ctx, const char *path, ml_fs_name_cb *each, void *user)
{
    (void)ctx;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno;
    }
    const struct dirent *entry = NULL;
    errno = 0;
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            each(user, entry->d_name);
        }
        errno = 0;
    }
    int err = errno;
    closedir(dir);
    return err;
}

const struct ml_fs ml_fs_real = {
    .open = system_open,
    .close = system_close,
    .read = system_read,
    .write = system_write,
    .truncate = system_truncate,
    .sync = system_sync,
    .rename = system_rename,
    .remove = system_remove,
    .exists = system_exists,
    .make_folder = system_make_folder,
    .sync_folder = system_sync_folder,
    .list = system_list,
};

const struct ml_fs *ml_fs_system(void)
{
    return &ml_fs_real;
}
