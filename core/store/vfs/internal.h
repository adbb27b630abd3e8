/* core/store/vfs/internal.h -- shared by the files of this folder only.
 *
 * One ml_vfs per registered name (a key each). One ml_vfs_db per database file open in this
 * process, shared by its connections: locks, wal-index, WAL salts, nonces. One handle per xOpen.
 *
 * Locks, outermost first: the registry mutex (lists, open and close), then a db's mutex (what is
 * marked "m" below), then a VFS's error mutex. The registry is held over the base VFS's open and
 * over sqlite3_log, whose callback must not come back here (SQLite forbids that too).
 */
#ifndef ML_STORE_VFS_INTERNAL_H
#define ML_STORE_VFS_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto/aead.h"
#include "core/crypto/secret.h"
#include "core/store/vfs/vfs.h"

#define VFS_PAGE_BYTES         4096u
#define VFS_RESERVE_BYTES      48u
#define VFS_BODY_BYTES         (VFS_PAGE_BYTES - VFS_RESERVE_BYTES)
#define VFS_HEAD_BYTES         16u /* page 1: salt 8, keyed check 8 */
#define VFS_WAL_HEADER_BYTES   32u
#define VFS_FRAME_HEADER_BYTES 24u
#define VFS_FRAME_BYTES        (VFS_FRAME_HEADER_BYTES + VFS_PAGE_BYTES)
#define VFS_FILE_ID_BYTES      16u
#define VFS_SALTS_BYTES        8u
#define VFS_LOCK_PAGE          (0x40000000u / VFS_PAGE_BYTES + 1u) /* SQLite never uses it */
#define VFS_EPOCH              1u
#define VFS_FORMAT             1u
#define VFS_NONCES             64u /* drawn at once: one system call for 64 seals */
#define VFS_SHM_REGIONS_MAX    65536u
#define VFS_TEXT_MAX           240u
#define VFS_SUFFIX_MAX         16u

enum vfs_key { VFS_KEY_PAGE, VFS_KEY_WAL, VFS_KEY_CHECK, VFS_KEY_ID, VFS_KEYS };

struct ml_vfs_db;

struct ml_vfs {
    sqlite3_vfs sq; /* first: SQLite hands its address back */
    sqlite3_vfs *base;
    const struct ml_env *env;       /* borrowed */
    const struct ml_vfs_host *host; /* borrowed */
    struct ml_secret *keys;         /* VFS_KEYS keys of 32 bytes, owned */
    struct ml_vfs *next;            /* registry */
    struct ml_vfs_db *dbs;          /* registry */
    unsigned open_files;            /* registry */
    pthread_mutex_t error_mutex;
    ml_err error;
    char text[VFS_TEXT_MAX];
    atomic_uint_least64_t syncs;
    atomic_uint_least64_t folder_syncs;
    atomic_uint_least64_t page_reads;
    atomic_uint_least64_t page_writes;
    atomic_uint_least64_t frame_reads;
    atomic_uint_least64_t frame_writes;
    char name[]; /* sq.zName */
};

struct ml_vfs_main;

struct ml_vfs_db {
    struct ml_vfs *vfs;
    struct ml_vfs_db *next;
    unsigned refs;  /* registry: main handles */
    unsigned forks; /* ml_vfs_forks() when it was made: a child can't use it */
    char *path;     /* owned */
    uint64_t id[2];
    bool id_known;
    intptr_t held; /* the lock file */
    uint8_t head[VFS_HEAD_BYTES];
    uint8_t file_id[VFS_FILE_ID_BYTES];
    pthread_mutex_t mutex;
    unsigned shared;                 /* m: handles at SHARED or above */
    const struct ml_vfs_main *owner; /* m: who is at RESERVED or above */
    int shm_lock[SQLITE_SHM_NLOCK];  /* m: -1 exclusive, else how many share it */
    void **regions;                  /* m */
    size_t region_count;             /* m */
    unsigned shm_users;              /* m */
    bool salts_known;                /* m: of the WAL header as it stands in the file */
    uint8_t salts[VFS_SALTS_BYTES];  /* m */
    uint64_t wal_generation;         /* m: raised by a new WAL header and by a truncation */
    uint8_t nonces[VFS_NONCES][ML_AEAD_NONCE_BYTES]; /* m */
    unsigned nonces_left;                            /* m */
};

struct ml_vfs_main {
    sqlite3_file sq; /* first */
    struct ml_vfs_db *db;
    sqlite3_file *base; /* behind this struct, in the memory SQLite gave */
    uint8_t *page;      /* one page, owned */
    bool readonly;
    bool persist_wal;
    bool in_checkpoint; /* between FCNTL_CKPT_START and CKPT_DONE: xWrite is allowed */
    bool may_truncate;  /* from CKPT_DONE to the next truncation or sync */
    bool size_known;    /* pages is right; only during a checkpoint */
    uint32_t pages;
    int level; /* SQLITE_LOCK_* */
    bool shm_attached;
    unsigned shm_shared;    /* bit per lock */
    unsigned shm_exclusive; /* bit per lock */
};

struct ml_vfs_wal {
    sqlite3_file sq; /* first */
    struct ml_vfs_db *db;
    sqlite3_file *base;
    uint8_t *frame;   /* one frame, owned */
    uint32_t highest; /* slot: the highest written by this handle in this generation */
    uint64_t generation;
    uint32_t kept_slot; /* 0: no header waits for its page */
    uint8_t kept[VFS_FRAME_HEADER_BYTES];
};

struct ml_vfs_heap {
    sqlite3_file sq; /* first */
    struct ml_vfs *vfs;
    uint8_t **chunks; /* owned */
    size_t chunk_count;
    sqlite3_int64 size;
};

union ml_vfs_any {
    struct ml_vfs_main main;
    struct ml_vfs_wal wal;
    struct ml_vfs_heap heap;
    _Alignas(16) uint8_t align;
};

/* Which sealed block: a page of the main file, or a WAL frame of a given generation. */
enum vfs_block_kind { VFS_BLOCK_PAGE, VFS_BLOCK_FRAME };
struct ml_vfs_block {
    enum vfs_block_kind kind;
    uint32_t number;                /* from 1 */
    uint8_t salts[VFS_SALTS_BYTES]; /* frames */
};

/* registry.c */
void ml_vfs_registry_lock(void);
void ml_vfs_registry_unlock(void);
unsigned ml_vfs_forks(void);
/** Keeps the error for ml_vfs_last_error, tells sqlite3_log, returns rc. */
int ml_vfs_fail(struct ml_vfs *vfs, int rc, ml_err err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** A code of the base VFS, told as above: `what` block `number` (0: none). OK stays OK. */
int ml_vfs_fail_base(struct ml_vfs *vfs, int rc, const char *what, uint32_t number);

/* host.c */
const struct ml_vfs_host *ml_vfs_host_system(void);

/* seal.c */
ml_err ml_vfs_derive_keys(struct ml_secret **out, const uint8_t key[ML_VFS_KEY_BYTES]);
/** A new random salt and its check. */
void ml_vfs_new_head(const struct ml_vfs *vfs, uint8_t head[VFS_HEAD_BYTES]);
bool ml_vfs_head_ok(const struct ml_vfs *vfs, const uint8_t head[VFS_HEAD_BYTES]);
void ml_vfs_file_id(const struct ml_vfs *vfs, uint8_t id[VFS_FILE_ID_BYTES],
                    const uint8_t head[VFS_HEAD_BYTES]);
/** `out` may be `plain`. The reserved bytes of `plain` are taken as zero. */
void ml_vfs_seal(struct ml_vfs_db *db, const struct ml_vfs_block *block, uint8_t *out,
                 const uint8_t *plain);
/** `out` may be `sealed`; undefined when false. */
bool ml_vfs_open(const struct ml_vfs_db *db, const struct ml_vfs_block *block, uint8_t *out,
                 const uint8_t *sealed);
/** Page 1 as SQLite may write it: magic, 4096, versions 2/2, 48 reserved. */
bool ml_vfs_page1_ok(const uint8_t *page);
void ml_vfs_page1_new(uint8_t page[VFS_PAGE_BYTES]);

/* db.c; the registry is locked by the caller */
int ml_vfs_db_attach(struct ml_vfs *vfs, struct ml_vfs_db **out, const char *path, bool readonly);
void ml_vfs_db_detach(struct ml_vfs_db *db);
/** NULL when memory is short. The caller releases it. */
char *ml_vfs_path_with(const struct ml_vfs *vfs, const char *path, const char *suffix);

/* open.c */
int ml_vfs_xopen(sqlite3_vfs *sq, const char *name, sqlite3_file *file, int flags, int *out_flags);

/* main_file.c, lock.c, shm.c, control.c, wal_file.c, wal_scan.c, heap_file.c */
extern const sqlite3_io_methods ml_vfs_main_methods;
extern const sqlite3_io_methods ml_vfs_wal_methods;
extern const sqlite3_io_methods ml_vfs_heap_methods;
int ml_vfs_xlock(sqlite3_file *file, int level);
int ml_vfs_xunlock(sqlite3_file *file, int level);
int ml_vfs_xcheck_reserved(sqlite3_file *file, int *out);
int ml_vfs_xshm_map(sqlite3_file *file, int region, int bytes, int extend, void volatile **out);
int ml_vfs_xshm_lock(sqlite3_file *file, int first, int count, int flags);
void ml_vfs_xshm_barrier(sqlite3_file *file);
int ml_vfs_xshm_unmap(sqlite3_file *file, int delete_it);
int ml_vfs_xcontrol(sqlite3_file *file, int op, void *arg);
/* Of the WAL and of heap files: SQLite locks and asks the main file alone. */
int ml_vfs_no_lock(sqlite3_file *file, int level);
int ml_vfs_no_reserved(sqlite3_file *file, int *out);
int ml_vfs_no_control(sqlite3_file *file, int op, void *arg);
int ml_vfs_sector_size(sqlite3_file *file);
/** The handle was made before a fork, and this is the child: nothing may be done with it. */
bool ml_vfs_orphan(const struct ml_vfs_db *db);

/** Reads and opens a frame into w->frame. IOERR_DATA: it doesn't open; untold as yet. */
int ml_vfs_frame_load(struct ml_vfs_wal *w, uint32_t slot);
bool ml_vfs_wal_header_ok(const uint8_t header[VFS_WAL_HEADER_BYTES]);
/** Rules C2: *damage when a chained run of frames beyond `slot` holds two commits. */
int ml_vfs_wal_damage_at(struct ml_vfs_wal *w, uint32_t slot, bool *damage);

#endif
