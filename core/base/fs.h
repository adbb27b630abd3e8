/* core/base/fs.h -- files and folders, as everything but SQLite's own databases sees them.
 *
 * A table injected through ml_env, so that the simulator's disk (tests/fakes) loses power and fails
 * under the node's small files as it does under its databases. Each call returns 0 or an errno.
 * Paths are absolute or relative, UTF-8 or any bytes but NUL. Any thread.
 */
#ifndef ML_BASE_FS_H
#define ML_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ml_fs_how {
    ML_FS_READ,  /* what is there: ENOENT when nothing is */
    ML_FS_WRITE, /* read and write what is there */
    ML_FS_NEW,   /* read and write, made or emptied, mode 0600; ELOOP: it is a link */
} ml_fs_how;

typedef void ml_fs_name_cb(void *user, const char *name);

struct ml_fs {
    int (*open)(void *ctx, const char *path, ml_fs_how how, intptr_t *file);
    void (*close)(void *ctx, intptr_t file);
    /** *got < len only at the end of the file. */
    int (*read)(void *ctx, intptr_t file, uint64_t at, void *buf, size_t len, size_t *got);
    /** All of it, or an error; then a part may be there. */
    int (*write)(void *ctx, intptr_t file, uint64_t at, const void *buf, size_t len);
    int (*truncate)(void *ctx, intptr_t file, uint64_t size);
    /** The bytes are durable when it returns 0; the name is when its folder was synced. */
    int (*sync)(void *ctx, intptr_t file);
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*remove)(void *ctx, const char *path);
    bool (*exists)(void *ctx, const char *path);
    /** Mode 0700; a new name is durable when it returns 0. 0 also when it is there. */
    int (*make_folder)(void *ctx, const char *path);
    int (*sync_folder)(void *ctx, const char *path); /* the folder itself */
    /** Every name in it but "." and "..", in any order. */
    int (*list)(void *ctx, const char *path, ml_fs_name_cb *each, void *user);
    const char *sqlite_vfs; /* the base of databases in these folders; NULL: SQLite's default */
    void *ctx;
};

/** The real one. Static; never freed. */
extern const struct ml_fs ml_fs_real;
const struct ml_fs *ml_fs_system(void);

#endif
