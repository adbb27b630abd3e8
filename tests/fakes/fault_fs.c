/* tests/fakes/fault_fs.c -- a fault_disk as the node's ml_fs: its small files fail and lose power
 * together with its databases. Folders are prefixes of names: they always exist. */
#include <errno.h>
#include <string.h>

#include "core/base/assert.h"
#include "fault_disk.h"

static int code_of(const struct fault_disk *d)
{
    return d->plan.full && !d->dead ? ENOSPC : EIO;
}

static int fs_open(void *ctx, const char *path, ml_fs_how how, intptr_t *file)
{
    struct fault_disk *d = ctx;
    struct fault_inode *i = fault_inode_find(d, path);
    if (fault_disk_enter(d, FAULT_OPEN) != FAULT_GO) {
        return code_of(d);
    }
    if (i == NULL && how != ML_FS_NEW) {
        return ENOENT;
    }
    if (i == NULL) {
        i = fault_inode_new(d);
        fault_folder_link(fault_folder_change(d), path, i);
    } else if (how == ML_FS_NEW) {
        fault_inode_change(i, 0, NULL, 0);
    }
    i->handles++;
    d->handles++;
    *file = (intptr_t)i->number;
    return 0;
}

static struct fault_inode *inode_of(const struct fault_disk *d, intptr_t file)
{
    struct fault_inode *i = d->inodes;
    while (i != NULL && i->number != (uint64_t)file) {
        i = i->next;
    }
    ML_ASSERT(i != NULL); /* an inode with a handle stays */
    return i;
}

static void fs_close(void *ctx, intptr_t file)
{
    struct fault_disk *d = ctx;
    inode_of(d, file)->handles--;
    d->handles--;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters of pread(), and the file system */
static int fs_read(void *ctx, intptr_t file, uint64_t at, void *buf, size_t len, size_t *got)
{
    struct fault_disk *d = ctx;
    const struct fault_inode *i = inode_of(d, file);
    *got = 0;
    if (fault_disk_enter(d, FAULT_READ) != FAULT_GO) {
        return EIO;
    }
    size_t left = at < i->now_len ? i->now_len - (size_t)at : 0;
    *got = left < len ? left : len;
    if (*got > 0) {
        memcpy(buf, i->now + at, *got);
    }
    return 0;
}

static int fs_write(void *ctx, intptr_t file, uint64_t at, const void *buf, size_t len)
{
    struct fault_disk *d = ctx;
    struct fault_inode *i = inode_of(d, file);
    enum fault_verdict v = fault_disk_enter(d, FAULT_WRITE);
    if (v == FAULT_FAIL) {
        return fault_disk_spoil(d, i, at, buf, len) ? 0 : code_of(d);
    }
    if (fault_disk_over_quota(d, i, at + len)) {
        return ENOSPC;
    }
    fault_inode_change(i, at, buf, len);
    return v == FAULT_LAST ? EIO : 0;
}

static int fs_truncate(void *ctx, intptr_t file, uint64_t size)
{
    enum fault_verdict v = fault_disk_enter(ctx, FAULT_TRUNCATE);
    if (v != FAULT_FAIL) {
        fault_inode_change(inode_of(ctx, file), size, NULL, 0);
    }
    return v == FAULT_GO ? 0 : EIO;
}

static int fs_sync(void *ctx, intptr_t file)
{
    enum fault_verdict v = fault_disk_enter(ctx, FAULT_SYNC);
    if (v == FAULT_GO) {
        fault_inode_sync(inode_of(ctx, file));
    }
    return v == FAULT_GO ? 0 : EIO;
}

static int fs_rename(void *ctx, const char *from, const char *to)
{
    return fault_disk_rename(ctx, from, to);
}

static int fs_remove(void *ctx, const char *path)
{
    struct fault_disk *d = ctx;
    enum fault_verdict v = fault_disk_enter(d, FAULT_DELETE);
    if (v == FAULT_FAIL) {
        return EIO;
    }
    if (fault_inode_find(d, path) == NULL) {
        return ENOENT;
    }
    fault_folder_unlink(fault_folder_change(d), path);
    return v == FAULT_GO ? 0 : EIO;
}

static bool fs_exists(void *ctx, const char *path)
{
    return fault_inode_find(ctx, path) != NULL;
}

static int fs_make_folder(void *ctx, const char *path)
{
    const struct fault_disk *d = ctx;
    (void)path;
    return d->dead ? EIO : 0;
}

static int fs_sync_folder(void *ctx, const char *path)
{
    (void)path;
    if (fault_disk_enter(ctx, FAULT_FOLDER) != FAULT_GO) {
        return EIO;
    }
    fault_folder_sync(ctx);
    return 0;
}

/* The part of `name` after `path` and up to the next '/': a name in that folder. */
static bool name_in(const char *name, const char *path, char out[FAULT_NAME_MAX])
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    if (strncmp(name, path, len) != 0 || name[len] != '/') {
        return false;
    }
    const char *first = name + len + 1;
    size_t n = strcspn(first, "/");
    memcpy(out, first, n);
    out[n] = '\0';
    return n > 0;
}

static bool seen_before(const struct fault_folder *f, size_t count, const char *path,
                        const char *name)
{
    char other[FAULT_NAME_MAX];
    for (size_t i = 0; i < count; i++) {
        if (name_in(f->names[i].text, path, other) && strcmp(other, name) == 0) {
            return true;
        }
    }
    return false;
}

static int fs_list(void *ctx, const char *path, ml_fs_name_cb *each, void *user)
{
    struct fault_disk *d = ctx;
    const struct fault_folder *f = fault_folder_now(d);
    char name[FAULT_NAME_MAX];
    if (fault_disk_enter(d, FAULT_READ) != FAULT_GO) {
        return EIO;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (name_in(f->names[i].text, path, name) && !seen_before(f, i, path, name)) {
            each(user, name);
        }
    }
    return 0;
}

void fault_disk_fs(struct fault_disk *disk, struct ml_fs *out)
{
    *out = (struct ml_fs){.open = fs_open,
                          .close = fs_close,
                          .read = fs_read,
                          .write = fs_write,
                          .truncate = fs_truncate,
                          .sync = fs_sync,
                          .rename = fs_rename,
                          .remove = fs_remove,
                          .exists = fs_exists,
                          .make_folder = fs_make_folder,
                          .sync_folder = fs_sync_folder,
                          .list = fs_list,
                          .sqlite_vfs = disk->sq.zName,
                          .ctx = disk};
}
