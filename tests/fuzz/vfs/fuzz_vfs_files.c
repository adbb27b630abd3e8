/* fuzz_vfs_files.c -- whatever is done to the bytes of a main file and its WAL, opening and reading
 * them ends in an error or in a state the database has been in: never other rows, never a crash.
 *
 * Input: records of 5 bytes: which file and how (1), place (3), value (1). How: change a byte, cut
 * the file there, copy the page or frame at `value` over the one at the place.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"

#define COMMITS      6
#define RECORD_BYTES ((size_t)5)
#define RECORDS_MAX  ((size_t)64)
#define PAGE         ((size_t)4096)
#define FRAME        ((size_t)4120)

static struct fault_disk *disk;
static uint8_t *files[2]; /* as they were before the input: main, WAL */
static size_t lens[2];
static const char *const names[2] = {"f.db", "f.db-wal"};

static void must(bool ok)
{
    ML_ASSERT(ok);
}

static void sql(sqlite3 *db, const char *text)
{
    must(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static void keep_file(int f)
{
    const uint8_t *bytes = fault_disk_bytes(disk, names[f], &lens[f]);
    must(bytes != NULL);
    files[f] = malloc(lens[f]);
    must(files[f] != NULL);
    memcpy(files[f], bytes, lens[f]);
}

/* Row n is there if commits 1..n are; "sum" holds n. */
static void prepare(void)
{
    static const uint8_t key[ML_VFS_KEY_BYTES] = "a key for the fuzzer of the vfs";
    sqlite3 *db = NULL;
    disk = fault_disk_new("fuzz-disk", 1);
    must(disk != NULL && ml_vfs_register_over("fuzz", key, "fuzz-disk", 0) == ML_OK);
    must(sqlite3_open_v2(names[0], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "fuzz") ==
         SQLITE_OK);
    sql(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(n, b);"
            "CREATE TABLE sum(n); INSERT INTO sum VALUES(0); PRAGMA wal_checkpoint(TRUNCATE)");
    for (int i = 0; i < COMMITS; i++) {
        sql(db, "BEGIN; UPDATE sum SET n = n + 1;"
                "INSERT INTO t SELECT n, hex(zeroblob(700)) FROM sum; COMMIT");
    }
    fault_disk_cut_at(disk, 1); /* the close leaves the WAL */
    sqlite3_close(db);
    fault_disk_restart(disk, FAULT_KEEP_ALL);
    keep_file(0);
    keep_file(1);
}

static void apply(uint8_t *bytes, size_t *len, const uint8_t *record)
{
    size_t unit = (record[0] & 1) == 0 ? PAGE : FRAME;
    size_t skip = (record[0] & 1) == 0 ? 0 : 32;
    size_t at = (size_t)record[1] << 16 | (size_t)record[2] << 8 | record[3];
    if (*len == 0) {
        return;
    }
    at %= *len;
    if ((record[0] & 6) == 0 || (record[0] & 6) == 2) {
        bytes[at] ^= record[4];
    } else if ((record[0] & 6) == 4) {
        *len = at;
    } else if (*len > skip + unit) {
        size_t count = (*len - skip) / unit;
        memmove(bytes + skip + (at % count) * unit, bytes + skip + (record[4] % count) * unit,
                unit);
    }
}

static sqlite3_int64 number(sqlite3 *db, const char *text, bool *ok)
{
    sqlite3_stmt *s = NULL;
    sqlite3_int64 value = -1;
    bool row =
        sqlite3_prepare_v2(db, text, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    if (row) {
        value = sqlite3_column_int64(s, 0);
    }
    *ok = *ok && row;
    sqlite3_finalize(s);
    return value;
}

/* The file as it was, then as the input's records for it say. */
static void damage(int f, const uint8_t *data, size_t size)
{
    size_t len = lens[f];
    uint8_t *bytes = malloc(len);
    must(bytes != NULL);
    memcpy(bytes, files[f], len);
    for (size_t i = 0; i + RECORD_BYTES <= size && i < RECORDS_MAX * RECORD_BYTES;
         i += RECORD_BYTES) {
        if ((data[i] & 1) == f) {
            apply(bytes, &len, data + i);
        }
    }
    fault_disk_put(disk, names[f], bytes, len);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sqlite3 *db = NULL;
    if (disk == NULL) {
        prepare();
    }
    damage(0, data, size);
    damage(1, data, size);
    bool ok = sqlite3_open_v2(names[0], &db, SQLITE_OPEN_READWRITE, "fuzz") == SQLITE_OK;
    if (ok) {
        sqlite3_int64 n = number(db, "SELECT n FROM sum", &ok);
        sqlite3_int64 rows = number(db, "SELECT count(*) FROM t WHERE length(b) = 1400", &ok);
        must(!ok || (n >= 0 && n <= COMMITS && rows == n));
    }
    fault_disk_cut_at(disk, 1);
    sqlite3_close(db);
    fault_disk_restart(disk, FAULT_KEEP_ALL);
    return 0;
}
