/* tests/tools/powercut/files.c -- the owner's disk as the node's small files. */
#include <string.h>

#include "powercut.h"

static int files_open(void *ctx, const char *path, ml_fs_how how, intptr_t *file)
{
    (void)ctx;
    struct wire_answer a = powercut_ask_path(WIRE_FS_OPEN, path, how);
    *file = a.code == 0 ? (intptr_t)a.number : *file;
    return a.code;
}

static void files_close(void *ctx, intptr_t file)
{
    const struct wire_ask ask = {.op = WIRE_FS_CLOSE, .handle = file};
    (void)ctx;
    (void)powercut_ask(&ask, NULL, NULL, 0);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters of pread(), and the file system */
static int files_read(void *ctx, intptr_t file, uint64_t at, void *buf, size_t len, size_t *got)
{
    const struct wire_ask ask = {.op = WIRE_FS_READ, .handle = file, .at = at, .arg = len};
    (void)ctx;
    struct wire_answer a = powercut_ask(&ask, NULL, buf, len);
    *got = a.len;
    return a.code;
}

static int files_write(void *ctx, intptr_t file, uint64_t at, const void *buf, size_t len)
{
    const struct wire_ask ask = {
        .op = WIRE_FS_WRITE, .len = (uint32_t)len, .handle = file, .at = at};
    (void)ctx;
    return powercut_ask(&ask, buf, NULL, 0).code;
}

static int files_truncate(void *ctx, intptr_t file, uint64_t size)
{
    const struct wire_ask ask = {.op = WIRE_FS_TRUNCATE, .handle = file, .at = size};
    (void)ctx;
    return powercut_ask(&ask, NULL, NULL, 0).code;
}

static int files_sync(void *ctx, intptr_t file)
{
    const struct wire_ask ask = {.op = WIRE_FS_SYNC, .handle = file};
    (void)ctx;
    return powercut_ask(&ask, NULL, NULL, 0).code;
}

static int files_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return powercut_ask_names(WIRE_FS_RENAME, from, to).code;
}

static int files_remove(void *ctx, const char *path)
{
    (void)ctx;
    return powercut_ask_path(WIRE_FS_REMOVE, path, 0).code;
}

static bool files_exists(void *ctx, const char *path)
{
    (void)ctx;
    return powercut_ask_path(WIRE_FS_EXISTS, path, 0).number != 0;
}

static int files_make_folder(void *ctx, const char *path)
{
    (void)ctx;
    return powercut_ask_path(WIRE_FS_MAKE_FOLDER, path, 0).code;
}

static int files_sync_folder(void *ctx, const char *path)
{
    (void)ctx;
    return powercut_ask_path(WIRE_FS_SYNC_FOLDER, path, 0).code;
}

static int files_list(void *ctx, const char *path, ml_fs_name_cb *each, void *user)
{
    char names[16384];
    const struct wire_ask ask = {.op = WIRE_FS_LIST, .len = (uint32_t)strlen(path) + 1};
    (void)ctx;
    struct wire_answer a = powercut_ask(&ask, path, names, sizeof(names));
    for (size_t at = 0; at < a.len; at += strlen(names + at) + 1) {
        each(user, names + at);
    }
    return a.code;
}

const struct ml_fs powercut_fs = {
    .open = files_open,
    .close = files_close,
    .read = files_read,
    .write = files_write,
    .truncate = files_truncate,
    .sync = files_sync,
    .rename = files_rename,
    .remove = files_remove,
    .exists = files_exists,
    .make_folder = files_make_folder,
    .sync_folder = files_sync_folder,
    .list = files_list,
    .sqlite_vfs = "powercut",
};
