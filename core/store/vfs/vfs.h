/* core/store/vfs/vfs.h -- what the store layer and the tests need beyond maille/vfs.h: the base VFS
 * chosen by name, the last error in words, counters, the purge of rules C12.
 *
 * Any thread. Every function that takes `name` means a VFS registered here, NOT_FOUND otherwise.
 */
#ifndef ML_STORE_VFS_H
#define ML_STORE_VFS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "maille/err.h"
#include "maille/vfs.h"

struct sqlite3;

#define ML_VFS_KEY_BYTES 32u

/**
 * What the VFS asks of the system beside its base VFS. Each returns 0 or an errno. A base that is
 * not the real file system brings its own: base->xGetSystemCall(base, "ml_vfs_host") gives a
 * function of type ml_vfs_host_of.
 */
struct ml_vfs_host {
    int (*rename)(void *ctx, const char *from, const char *to);
    /** Makes the names of the folder that holds `path` durable. */
    int (*sync_folder)(void *ctx, const char *path);
    /** Takes the lock file `path` for this process. EBUSY: another has it. */
    int (*lock)(void *ctx, const char *path, int readonly, intptr_t *held);
    void (*unlock)(void *ctx, intptr_t held);
    /** The same two numbers for the same file, whatever its name. */
    int (*identify)(void *ctx, const char *path, uint64_t id[2]);
    void *ctx;
};

struct sqlite3_vfs;
typedef const struct ml_vfs_host *(*ml_vfs_host_of)(struct sqlite3_vfs *base);

struct ml_vfs_setup {
    const char *name;         /* copied */
    const uint8_t *key;       /* ML_VFS_KEY_BYTES, copied to guarded memory */
    const char *base;         /* the VFS to stand on; NULL: the default one */
    int make_default;         /* new connections use it */
    const struct ml_env *env; /* borrowed until _unregister; NULL: the system's */
};

/** ml_vfs_register over a base chosen by name. Errors: EXISTS, NOMEM, INVALID, NOT_FOUND (base). */
int ml_vfs_register_over(const char *name, const uint8_t key[ML_VFS_KEY_BYTES], const char *base,
                         int make_default);
int ml_vfs_register_with(const struct ml_vfs_setup *setup);

/**
 * The last failure of this VFS in words: what and where ("WAL frame 12 does not open"), English,
 * no record contents. `text` may be NULL. Returns its class: WRONG_KEY CORRUPT FULL IO READONLY
 * BUSY DENIED NOMEM NOT_FOUND, or OK when nothing has failed yet.
 */
ml_err ml_vfs_last_error(const char *name, char *text, size_t text_bytes);

struct ml_vfs_counters {
    uint64_t syncs;        /* fsyncs of a main file or a WAL that reached the base VFS */
    uint64_t folder_syncs; /* at the creation of a database */
    uint64_t page_reads;   /* main file, opened */
    uint64_t page_writes;  /* main file, sealed */
    uint64_t frame_reads;  /* WAL, opened */
    uint64_t frame_writes; /* WAL, sealed */
};
ml_err ml_vfs_counters(const char *name, struct ml_vfs_counters *out) ML_MUST_CHECK;

/**
 * Rules C12: FTS5 keeps deleted terms in its segments and the WAL keeps old pages. After the rows
 * are deleted and committed: 'optimize' on each FTS5 table of `db` (NULL-terminated names), then a
 * TRUNCATE checkpoint. Only after ML_OK may a purge be receipted. BUSY: a reader holds old pages;
 * try again.
 */
ml_err ml_vfs_purge(struct sqlite3 *db, const char *const *fts_tables) ML_MUST_CHECK;

#endif
