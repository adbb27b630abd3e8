/* tests/fakes/fault_vfs.h -- a disk in memory under SQLite: fails on command, loses power.
 *
 * A fault_disk registers a SQLite VFS of its own. Put the encrypting VFS over it by
 * ml_vfs_register_over(name, key, <disk's name>, 0), and every call that would reach the real disk
 * reaches this one: rename, folder sync and the lock file too (ml_vfs_host). One flat folder: any
 * path is a name. fault_disk_fs gives the same disk to the node's small files. One thread at a
 * time.
 *
 * What a power cut may lose: each write since the file's last sync, sector by sector (512 bytes),
 * a sector keeping the state after some prefix of the writes on it; the file's size likewise, and
 * truncations in order with it; each creation, deletion and renaming since the last folder sync,
 * from the last one backwards (a journaled folder). A sync of a file that was created as a WAL
 * syncs the folder too (as os_unix).
 *
 * Environment: journal. Survives a cut. Handles and locks: don't.
 */
#ifndef ML_TESTS_FAULT_VFS_H
#define ML_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/fs.h"

enum fault_op {
    FAULT_OPEN = 1,
    FAULT_READ = 2,
    FAULT_WRITE = 4,
    FAULT_SYNC = 8,
    FAULT_TRUNCATE = 16,
    FAULT_DELETE = 32,
    FAULT_ACCESS = 64,
    FAULT_SIZE = 128,
    FAULT_RENAME = 256,
    FAULT_FOLDER = 512,
    FAULT_LOCK = 1024,
    FAULT_CHANGES =
        FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE | FAULT_DELETE | FAULT_RENAME | FAULT_FOLDER,
    FAULT_ALL = 2047,
};

/** The nth call from now among `ops` fails. */
struct fault_plan {
    unsigned ops;
    long nth;     /* from 1; 0: none */
    bool forever; /* and every later one */
    bool full;    /* SQLITE_FULL (ENOSPC) where the call can say it; else an I/O error */
    bool torn;    /* a failed write leaves a part of itself: of what it overwrites, whole sectors */
    bool flip;    /* reads only: succeed with one bit changed */
    bool stray;   /* writes only: succeed, and land at another place of the same file */
    bool cheat;   /* writes only: succeed, and only a part is there */
};

enum fault_keep {
    FAULT_KEEP_SYNCED, /* nothing but what was synced */
    FAULT_KEEP_ALL,    /* as after the end of the process alone */
    FAULT_KEEP_PREFIX, /* each file: some writes in order, the last one torn */
    FAULT_KEEP_RANDOM, /* each sector on its own */
};

struct fault_disk; /* owned by who made it */

/** Registers a VFS of that name (borrowed until free). NULL when memory is short. */
struct fault_disk *fault_disk_new(const char *name, uint64_t seed);
/** The same disk for the small files: goes into a struct ml_env. Borrows the disk. */
void fault_disk_fs(struct fault_disk *disk, struct ml_fs *out);
/** Every handle must be closed and every VFS above unregistered. */
void fault_disk_free(struct fault_disk *disk);

/** NULL: no fault. Starts the count anew. */
void fault_disk_plan(struct fault_disk *disk, const struct fault_plan *plan);
/** Whether the planned call has come. */
bool fault_disk_fired(const struct fault_disk *disk);
/** Bytes in all files together; writes beyond are FULL. 0: no limit. */
void fault_disk_quota(struct fault_disk *disk, uint64_t bytes);
/** Bytes in all files together. */
uint64_t fault_disk_used(const struct fault_disk *disk);
/** From the nth change (FAULT_CHANGES) on the disk is dead: calls fail, nothing is kept. 0: never.
 */
void fault_disk_cut_at(struct fault_disk *disk, long nth);
bool fault_disk_is_dead(const struct fault_disk *disk);
/** Power is back. Every handle must be closed. */
void fault_disk_restart(struct fault_disk *disk, enum fault_keep keep);
/** Calls of these kinds so far. */
uint64_t fault_disk_calls(const struct fault_disk *disk, enum fault_op op);

/** The bytes of a file as a process would read them; NULL when absent. Borrowed until a change. */
uint8_t *fault_disk_bytes(struct fault_disk *disk, const char *name, size_t *len);
/** Replaces (or makes) a file, synced. */
void fault_disk_put(struct fault_disk *disk, const char *name, const void *bytes, size_t len);
void fault_disk_remove(struct fault_disk *disk, const char *name);
/** A copy of every file whose name begins with `prefix`, as a process reads them now. */
struct fault_image *fault_disk_image(struct fault_disk *disk, const char *prefix);
void fault_image_free(struct fault_image *image); /* NULL allowed */
/** Puts that copy, synced, in the place of all that has the prefix. Every handle must be closed. */
void fault_disk_put_image(struct fault_disk *disk, const struct fault_image *image);
bool fault_disk_holds(struct fault_disk *disk, const char *text);

/* ---- a disk that loses what it has (fault_rot.c) ---- */

typedef enum fault_rot {
    FAULT_ROT_BIT,   /* one bit is another */
    FAULT_ROT_BLOCK, /* 512 bytes of zeros */
    FAULT_ROT_SHORT, /* the file's end is gone */
    FAULT_ROT_WASTE, /* every byte is another */
    FAULT_ROT_GONE,  /* the file is gone */
} fault_rot;
/** What is stored of a file changes, whether it was synced or not. False: no such file, or it's
 * empty. GONE only while no handle is open. */
bool fault_disk_rot(struct fault_disk *disk, const char *name, fault_rot how);
/** The file that a stray or cheating write hit since the last call; NULL: none did. Borrowed. */
const char *fault_disk_spoiled(struct fault_disk *disk);
/** The next name after `after` (NULL: the first), in no useful order; NULL after the last.
 * Borrowed until a change. */
const char *fault_disk_next_name(const struct fault_disk *disk, const char *after);
/** Each change of the disk takes so long from now on. */
void fault_disk_slow(struct fault_disk *disk, unsigned change_ms);
/** The time that changes took since the last _take. */
uint64_t fault_disk_spent_ms(const struct fault_disk *disk);
uint64_t fault_disk_take_spent_ms(struct fault_disk *disk);
/** While held, calls neither fail nor count nor take time: who looks from outside changes nothing.
 * A dead disk stays dead. */
void fault_disk_hold(struct fault_disk *disk, bool held);
/** Whether a power cut now would leave all of this file: bytes, length and name. */
bool fault_disk_is_synced(struct fault_disk *disk, const char *name);
/** As fault_disk_image, of what a cut that keeps only what was synced would leave. */
struct fault_image *fault_disk_synced_image(struct fault_disk *disk, const char *prefix);

#endif
