/* support_vfs.h -- shared by the tests of core/store/vfs: a folder, a key, short SQL calls. */
#ifndef ML_TESTS_SUPPORT_VFS_H
#define ML_TESTS_SUPPORT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "core/store/vfs/vfs.h"

#define SUPPORT_VFS    "sealed"
#define SUPPORT_CANARY "CANARY-Zebra-5417"

extern const uint8_t support_key[ML_VFS_KEY_BYTES];
extern const uint8_t support_other_key[ML_VFS_KEY_BYTES];

/** A folder of its own and the VFS SUPPORT_VFS over the system's. */
struct support_folder {
    char path[256];
    char db[300]; /* path/t.db */
};
void support_folder_make(struct support_folder *f);
/** Unregisters the VFS (which must have no open file), removes the folder. */
void support_folder_remove(struct support_folder *f);
/** path/t.db<suffix> */
const char *support_name(const struct support_folder *f, const char *suffix);

/** SQLite's code; *out is closed and NULL unless OK. */
int support_open(sqlite3 **out, const char *path, int flags);
/** Opens read-write-create on SUPPORT_VFS or fails the test. */
sqlite3 *support_open_ok(const char *path);
/** Extended code. */
int support_exec(sqlite3 *db, const char *sql);
void support_exec_ok(sqlite3 *db, const char *sql);
/** The first column of the first row; fails the test on any error. */
sqlite3_int64 support_int(sqlite3 *db, const char *sql);
/** True when integrity_check answers "ok". */
bool support_is_sound(sqlite3 *db);
void support_close_ok(sqlite3 *db);
/** `n` rows of (id, text with the canary and `fill` more bytes) into t(a INTEGER PRIMARY KEY, b).
 */
void support_fill(sqlite3 *db, int n, int fill);

/** Bytes of a file; the caller frees. Fails the test when absent. */
uint8_t *support_read_file(const char *path, size_t *len);
void support_write_file(const char *path, const void *bytes, size_t len);
/** -1: absent. */
long support_file_bytes(const char *path);
void support_flip(const char *path, long offset);
/** Any file of the folder holds these bytes. */
bool support_folder_holds(const struct support_folder *f, const char *text);
/** Names that end in `suffix`, in the folder. */
int support_folder_count(const struct support_folder *f, const char *suffix);

/** The last error of SUPPORT_VFS must be `err` and its text hold `words`. */
void support_expect_error(ml_err err, const char *words);

#endif
