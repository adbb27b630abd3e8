/* tests/fakes/fault_disk.h -- shared by fault_disk.c (bytes, names, cuts) and fault_vfs.c (SQLite).
 */
#ifndef ML_TESTS_FAULT_DISK_H
#define ML_TESTS_FAULT_DISK_H

#include <sqlite3.h>

#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"

#define FAULT_SECTOR    512u
#define FAULT_NAMES_MAX 64u
#define FAULT_NAME_MAX  200u

struct fault_change { /* of one file, since its last sync; data NULL: a truncation to `offset` */
    uint64_t offset;
    size_t len;
    uint8_t *data;
};

struct fault_inode {
    uint64_t number;
    unsigned handles;
    bool sync_folder; /* created as a WAL and never synced yet */
    bool poked;       /* a test may have written into `now` itself */
    uint8_t *now;
    size_t now_len;
    size_t now_room; /* bytes that `now` has, at least now_len */
    uint8_t *synced;
    size_t synced_len;
    size_t synced_room;
    struct fault_change *changes;
    size_t change_count;
    struct fault_inode *next;
};

struct fault_name {
    char text[FAULT_NAME_MAX];
    struct fault_inode *inode;
};
struct fault_folder {
    struct fault_name names[FAULT_NAMES_MAX];
    size_t count;
};

struct fault_disk {
    sqlite3_vfs sq;
    struct ml_vfs_host host;
    uint64_t rng;
    struct fault_inode *inodes;
    uint64_t last_number;
    struct fault_folder *history; /* [0]: synced; each later one a change after it */
    size_t history_count;
    struct fault_folder locked; /* lock files taken */
    unsigned handles;
    struct fault_plan plan;
    long counted;
    bool fired;
    uint64_t quota;
    long cut_at;
    long changes;
    bool dead;
    bool held;
    char spoiled[2][FAULT_NAME_MAX]; /* [0]: since the last question; [1]: given out */
    unsigned change_ms;
    uint64_t spent_ms;
    uint64_t calls[16];
};

enum fault_verdict { FAULT_GO, FAULT_FAIL, FAULT_LAST }; /* LAST: the change that the cut hits */

/** Counts the call, and says whether it happens. */
enum fault_verdict fault_disk_enter(struct fault_disk *d, enum fault_op op);
bool fault_disk_over_quota(const struct fault_disk *d, const struct fault_inode *grown,
                           uint64_t end);
/** A write that a plan's FAULT_FAIL hits: what it leaves. True: it is reported as done. */
bool fault_disk_spoil(struct fault_disk *d, struct fault_inode *i, uint64_t offset,
                      const void *data, size_t len);
/** 0 or an errno. */
int fault_disk_rename(struct fault_disk *d, const char *from, const char *to);
uint64_t fault_random(struct fault_disk *d, uint64_t bound);
struct fault_folder *fault_folder_now(struct fault_disk *d);
struct fault_name *fault_folder_find(struct fault_folder *f, const char *text);
struct fault_inode *fault_inode_find(struct fault_disk *d, const char *text);
/** A copy of the folder to be changed: the one before stays in the history. */
struct fault_folder *fault_folder_change(struct fault_disk *d);
void fault_folder_link(struct fault_folder *f, const char *text, struct fault_inode *inode);
void fault_folder_unlink(struct fault_folder *f, const char *text);
void fault_folder_sync(struct fault_disk *d);
struct fault_inode *fault_inode_new(struct fault_disk *d);
/** data NULL: a truncation to `offset`. */
void fault_inode_change(struct fault_inode *i, uint64_t offset, const void *data, size_t len);
void fault_inode_sync(struct fault_inode *i);
void fault_inode_free(struct fault_inode *i);

#endif
