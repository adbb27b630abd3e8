/* core/store/vfs/host.c -- what the VFS needs of the operating system beside SQLite's own VFS:
 * rename, folder sync, and the lock file between processes.
 *
 * The lock is flock(): it belongs to the open file description, so that no other descriptor of
 * any file, opened or closed by anyone in this process, drops it (POSIX record locks would be).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fs.h"
#include "core/store/vfs/internal.h"

static int host_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return rename(from, to) == 0 ? 0 : errno;
}

static int host_sync_folder(void *ctx, const char *path)
{
    (void)ctx;
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 0 : (int)(slash - path);
    int n = len > 0 ? snprintf(folder, sizeof(folder), "%.*s", len, path)
                    : snprintf(folder, sizeof(folder), "%s", slash == NULL ? "." : "/");
    if (n < 0 || (size_t)n >= sizeof(folder)) {
        return ENAMETOOLONG;
    }
    return ml_fs_real.sync_folder(ml_fs_real.ctx, folder);
}

static int host_lock(void *ctx, const char *path, int readonly, intptr_t *held)
{
    (void)ctx;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int err = fd < 0 ? errno : 0;
    if (fd < 0 && readonly) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0 && readonly && err == EROFS) {
        *held = -1; /* nobody can write there */
        return 0;
    }
    if (fd < 0) {
        return err;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err = errno == EWOULDBLOCK ? EBUSY : errno;
        close(fd);
        return err;
    }
    *held = fd;
    return 0;
}

/* Closing, not LOCK_UN: after a fork the child closes its copy and the parent keeps the lock. */
static void host_unlock(void *ctx, intptr_t held)
{
    (void)ctx;
    if (held >= 0) {
        close((int)held);
    }
}

static int host_identify(void *ctx, const char *path, uint64_t id[2])
{
    (void)ctx;
    struct stat st;
    if (stat(path, &st) != 0) {
        return errno;
    }
    id[0] = (uint64_t)st.st_dev;
    id[1] = (uint64_t)st.st_ino;
    return 0;
}

const struct ml_vfs_host *ml_vfs_host_system(void)
{
    static const struct ml_vfs_host host = {
        .rename = host_rename,
        .sync_folder = host_sync_folder,
        .lock = host_lock,
        .unlock = host_unlock,
        .identify = host_identify,
    };
    return &host;
}
