/* test_vfs_direct.c -- the methods SQLite is given, called as it might call them: wal-index locks,
 * lock levels, the WAL's slots, heap files. What a whole database seldom reaches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_vfs.h"

#define FRAME     4120
#define SHARE     (SQLITE_SHM_LOCK | SQLITE_SHM_SHARED)
#define EXCLUDE   (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE)
#define UNSHARE   (SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED)
#define UNEXCLUDE (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE)

struct pair {
    struct support_folder folder;
    sqlite3 *a;
    sqlite3 *b;
};

static int setup(void **state)
{
    static struct pair p;
    support_folder_make(&p.folder);
    p.a = support_open_ok(p.folder.db);
    p.b = support_open_ok(p.folder.db);
    support_fill(p.a, 5, 10);
    assert_int_equal(support_int(p.b, "SELECT count(*) FROM t"), 5);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    support_close_ok(p->a);
    support_close_ok(p->b);
    support_folder_remove(&p->folder);
    return 0;
}

static sqlite3_file *file_of(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;
    assert_int_equal(sqlite3_file_control(db, "main", which, &file), SQLITE_OK);
    assert_non_null(file->pMethods);
    return file;
}

static void wal_index_locks_exclude_as_sqlite_expects(void **state)
{
    const struct pair *p = *state;
    sqlite3_file *a = file_of(p->a, SQLITE_FCNTL_FILE_POINTER);
    sqlite3_file *b = file_of(p->b, SQLITE_FCNTL_FILE_POINTER);
    const sqlite3_io_methods *io = a->pMethods;
    assert_int_equal(io->xShmLock(a, 3, 1, EXCLUDE), SQLITE_OK);
    assert_int_equal(io->xShmLock(b, 3, 1, SHARE), SQLITE_BUSY);
    assert_int_equal(io->xShmLock(b, 3, 1, EXCLUDE), SQLITE_BUSY);
    assert_int_equal(io->xShmLock(b, 4, 1, SHARE), SQLITE_OK);
    assert_int_equal(io->xShmLock(a, 4, 4, EXCLUDE), SQLITE_BUSY); /* all or none */
    assert_int_equal(io->xShmLock(b, 5, 1, EXCLUDE), SQLITE_OK);
    assert_int_equal(io->xShmLock(b, 5, 1, UNEXCLUDE), SQLITE_OK);
    assert_int_equal(io->xShmLock(a, 4, 1, SHARE), SQLITE_OK);
    assert_int_equal(io->xShmLock(a, 4, 1, SHARE), SQLITE_OK); /* twice is once */
    assert_int_equal(io->xShmLock(a, 4, 1, UNSHARE), SQLITE_OK);
    assert_int_equal(io->xShmLock(b, 4, 1, UNSHARE), SQLITE_OK);
    assert_int_equal(io->xShmLock(a, 3, 1, UNEXCLUDE), SQLITE_OK);
    assert_int_equal(io->xShmLock(b, 3, 5, EXCLUDE), SQLITE_OK);
    assert_int_equal(io->xShmLock(b, 3, 5, UNEXCLUDE), SQLITE_OK);
}

static void wal_index_regions_are_shared_and_stay_in_place(void **state)
{
    const struct pair *p = *state;
    sqlite3_file *a = file_of(p->a, SQLITE_FCNTL_FILE_POINTER);
    sqlite3_file *b = file_of(p->b, SQLITE_FCNTL_FILE_POINTER);
    const sqlite3_io_methods *io = a->pMethods;
    void volatile *first = NULL;
    void volatile *far = NULL;
    void volatile *other = NULL;
    assert_int_equal(io->xShmMap(a, 0, 32768, 1, &first), SQLITE_OK);
    assert_int_equal(io->xShmMap(a, 9, 32768, 0, &far), SQLITE_OK);
    assert_null(far);
    assert_int_equal(io->xShmMap(a, 9, 32768, 1, &far), SQLITE_OK);
    assert_non_null(far);
    assert_int_equal(io->xShmMap(b, 9, 32768, 0, &other), SQLITE_OK);
    assert_ptr_equal(far, other);
    assert_int_equal(io->xShmMap(b, 0, 32768, 0, &other), SQLITE_OK);
    assert_ptr_equal(first, other);
    assert_int_equal(io->xShmMap(a, 65536, 32768, 1, &far), SQLITE_FULL); /* VFS_SHM_REGIONS_MAX */
    assert_null(far);
}

static void lock_levels_exclude_as_sqlite_expects(void **state)
{
    const struct pair *p = *state;
    sqlite3_file *a = file_of(p->a, SQLITE_FCNTL_FILE_POINTER);
    sqlite3_file *b = file_of(p->b, SQLITE_FCNTL_FILE_POINTER);
    const sqlite3_io_methods *io = a->pMethods;
    int reserved = 1;
    int level = 0;
    assert_int_equal(io->xLock(a, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io->xLock(b, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io->xCheckReservedLock(a, &reserved), SQLITE_OK);
    assert_int_equal(reserved, 0);
    assert_int_equal(io->xLock(a, SQLITE_LOCK_RESERVED), SQLITE_OK);
    assert_int_equal(io->xLock(b, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
    assert_int_equal(io->xCheckReservedLock(b, &reserved), SQLITE_OK);
    assert_int_equal(reserved, 1);
    assert_int_equal(io->xLock(a, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
    assert_int_equal(io->xFileControl(a, SQLITE_FCNTL_LOCKSTATE, &level), SQLITE_OK);
    assert_int_equal(level, SQLITE_LOCK_PENDING);
    assert_int_equal(io->xUnlock(b, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_int_equal(io->xLock(b, SQLITE_LOCK_SHARED), SQLITE_BUSY); /* a waits for it */
    assert_int_equal(io->xLock(a, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    assert_int_equal(io->xUnlock(a, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io->xLock(b, SQLITE_LOCK_SHARED), SQLITE_OK);
}

/* A slot cut off is written as a new one, though this handle had written it (rules C7, C8). */
static void a_truncation_forgets_the_slots_beyond_it(void **state)
{
    const struct pair *p = *state;
    uint8_t header[24] = {0, 0, 0, 9};
    uint8_t page[4096] = "page nine";
    uint8_t back[FRAME];
    support_exec_ok(p->a, "PRAGMA wal_autocheckpoint=0; INSERT INTO t(b) VALUES(1);"
                          "INSERT INTO t(b) VALUES(2); INSERT INTO t(b) VALUES(3)");
    sqlite3_file *wal = file_of(p->a, SQLITE_FCNTL_JOURNAL_POINTER);
    const sqlite3_io_methods *io = wal->pMethods;
    sqlite3_int64 size = 0;
    assert_int_equal(io->xFileSize(wal, &size), SQLITE_OK);
    assert_int_equal(io->xTruncate(wal, size - FRAME), SQLITE_OK);
    assert_int_equal(io->xWrite(wal, header, 24, size - FRAME), SQLITE_OK);
    assert_int_equal(io->xWrite(wal, page, 4096, size - FRAME + 24), SQLITE_OK);
    assert_int_equal(io->xRead(wal, back, FRAME, size - FRAME), SQLITE_OK);
    assert_memory_equal(back, header, 24);
    assert_memory_equal(back + 24, page, 4096);
    assert_int_equal(io->xWrite(wal, header, 24, size), SQLITE_OK); /* waits for its page */
    assert_int_equal(io->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
    support_expect_error(ML_E_IO, "header without page");
}

static void wal_reads_and_writes_of_other_shapes_are_refused(void **state)
{
    const struct pair *p = *state;
    uint8_t bytes[2 * FRAME] = {0};
    sqlite3_file *wal = file_of(p->a, SQLITE_FCNTL_JOURNAL_POINTER);
    const sqlite3_io_methods *io = wal->pMethods;
    assert_int_equal(io->xRead(wal, bytes, 64, 0), SQLITE_IOERR_READ);
    assert_int_equal(io->xRead(wal, bytes, FRAME, 40), SQLITE_IOERR_READ);
    assert_int_equal(io->xWrite(wal, bytes, 2 * FRAME, 32), SQLITE_IOERR_WRITE);
    assert_int_equal(io->xWrite(wal, bytes, 100, 32), SQLITE_IOERR_WRITE);
    assert_int_equal(io->xWrite(wal, bytes, 32, 0), SQLITE_IOERR_WRITE); /* no WAL header */
    support_expect_error(ML_E_DENIED, "4096-byte pages");
    assert_int_equal(io->xRead(wal, bytes, 4, 32), SQLITE_OK); /* a slice of a frame's header */
    assert_int_equal(io->xRead(wal, bytes, 4096, 407936), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "frame 100: missing");
    assert_int_equal(io->xFileControl(wal, SQLITE_FCNTL_SIZE_HINT, NULL), SQLITE_NOTFOUND);
    assert_int_equal(io->xSectorSize(wal), 4096);
    assert_int_equal(io->xDeviceCharacteristics(wal), SQLITE_IOCAP_POWERSAFE_OVERWRITE);
}

static void main_file_reads_are_slices_of_pages_that_open(void **state)
{
    const struct pair *p = *state;
    uint8_t page[4096];
    uint8_t part[100];
    support_exec_ok(p->a, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_file *file = file_of(p->a, SQLITE_FCNTL_FILE_POINTER);
    const sqlite3_io_methods *io = file->pMethods;
    assert_int_equal(io->xRead(file, page, 4096, 0), SQLITE_OK);
    assert_string_equal((const char *)page, "SQLite format 3");
    assert_int_equal(io->xRead(file, part, 16, 24), SQLITE_OK);
    assert_memory_equal(part, page + 24, 16);
    assert_int_equal(io->xRead(file, part, 100, 4000), SQLITE_IOERR_READ);
    assert_int_equal(io->xRead(file, page, 4096, 405504), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "page 100: missing");
    support_flip(p->folder.db, 3); /* the salt, under an open database */
    assert_int_equal(io->xRead(file, page, 4096, 0), SQLITE_IOERR_DATA);
    assert_int_equal(io->xRead(file, part, 16, 24), SQLITE_IOERR_DATA);
    support_flip(p->folder.db, 3);
    assert_int_equal(io->xRead(file, page, 4096, 0), SQLITE_OK);
}

/* TEMP_DB and its kind, with or without a name, live in memory and read as files do. */
static void heap_files_read_as_files_do(void **state)
{
    const struct pair *p = *state;
    static const int kinds[] = {SQLITE_OPEN_TEMP_DB, SQLITE_OPEN_TRANSIENT_DB,
                                SQLITE_OPEN_TEMP_JOURNAL, SQLITE_OPEN_SUBJOURNAL};
    sqlite3_vfs *vfs = sqlite3_vfs_find(SUPPORT_VFS);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    uint8_t bytes[20];
    assert_non_null(file);
    for (size_t i = 0; i < 4; i++) {
        int out = 0;
        sqlite3_int64 size = 0;
        const char *name = i % 2 == 0 ? NULL : support_name(&p->folder, "-temporary");
        int flags = kinds[i] | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        assert_int_equal(vfs->xOpen(vfs, name, file, flags, &out), SQLITE_OK);
        const sqlite3_io_methods *io = file->pMethods;
        assert_int_equal(io->xRead(file, bytes, 4, 0), SQLITE_IOERR_SHORT_READ);
        assert_int_equal(io->xWrite(file, "0123456789", 10, 65530), SQLITE_OK); /* two chunks */
        assert_int_equal(io->xWrite(file, "end", 3, 300000), SQLITE_OK);
        assert_int_equal(io->xRead(file, bytes, 10, 65530), SQLITE_OK);
        assert_memory_equal(bytes, "0123456789", 10);
        assert_int_equal(io->xTruncate(file, 65532), SQLITE_OK);
        assert_int_equal(io->xTruncate(file, 90000), SQLITE_OK); /* never grows */
        assert_int_equal(io->xFileSize(file, &size), SQLITE_OK);
        assert_int_equal(size, 65532);
        assert_int_equal(io->xRead(file, bytes, 10, 65530), SQLITE_IOERR_SHORT_READ);
        assert_memory_equal(bytes, "01\0\0\0\0\0\0\0\0", 10);
        assert_int_equal(io->xWrite(file, "x", 1, 65539), SQLITE_OK);
        assert_int_equal(io->xRead(file, bytes, 10, 65530), SQLITE_OK);
        assert_memory_equal(bytes, "01\0\0\0\0\0\0\0x", 10);
        assert_int_equal(io->xSync(file, 0), SQLITE_OK);
        assert_int_equal(io->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &size), SQLITE_NOTFOUND);
        assert_int_equal(ml_vfs_unregister(SUPPORT_VFS), ML_E_BUSY);
        assert_int_equal(io->xClose(file), SQLITE_OK);
        assert_int_equal(support_folder_count(&p->folder, "-temporary"), 0);
    }
    free(file);
}

static void what_is_not_a_file_goes_to_the_base(void **state)
{
    (void)state;
    char text[64];
    double days = 0;
    sqlite3_int64 ms = 0;
    sqlite3_vfs *vfs = sqlite3_vfs_find(SUPPORT_VFS);
    assert_int_equal(vfs->xRandomness(vfs, (int)sizeof(text), text), (int)sizeof(text));
    assert_int_equal(vfs->xCurrentTime(vfs, &days), SQLITE_OK);
    assert_int_equal(vfs->xCurrentTimeInt64(vfs, &ms), SQLITE_OK);
    assert_true(days > 2460000 && ms / 86400000 == (sqlite3_int64)days);
    assert_true(vfs->xSleep(vfs, 1) >= 1);
    assert_true(vfs->xGetLastError(vfs, (int)sizeof(text), text) >= 0); /* an errno */
    assert_null(vfs->xDlOpen(vfs, "/no/such/library"));
    vfs->xDlError(vfs, (int)sizeof(text), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(wal_index_locks_exclude_as_sqlite_expects),
        T(wal_index_regions_are_shared_and_stay_in_place),
        T(lock_levels_exclude_as_sqlite_expects),
        T(a_truncation_forgets_the_slots_beyond_it),
        T(wal_reads_and_writes_of_other_shapes_are_refused),
        T(main_file_reads_are_slices_of_pages_that_open),
        T(heap_files_read_as_files_do),
        T(what_is_not_a_file_goes_to_the_base),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
