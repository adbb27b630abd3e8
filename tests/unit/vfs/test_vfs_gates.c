/* test_vfs_gates.c -- nothing in clear reaches the folder, in any mode or state, and what could
 * put it there is refused in words (rules C1, C5, C6, C7, C8, C11, C12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_vfs.h"

static int setup(void **state)
{
    static struct support_folder f;
    support_folder_make(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    support_folder_remove(*state);
    return 0;
}

static void expect_no_plaintext(const struct support_folder *f)
{
    assert_false(support_folder_holds(f, SUPPORT_CANARY));
    assert_false(support_folder_holds(f, "SQLite format 3"));
    assert_int_equal(support_folder_count(f, "-journal"), 0);
    assert_int_equal(support_folder_count(f, "-shm"), 0);
}

static void other_journal_modes_and_page_sizes_are_refused_in_words(void **state)
{
    const struct support_folder *f = *state;
    static const char *const refused[] = {
        "PRAGMA journal_mode=OFF",      "PRAGMA journal_mode=MEMORY",
        "PRAGMA journal_mode=DELETE",   "PRAGMA journal_mode=TRUNCATE",
        "PRAGMA main.journal_mode=off", "PRAGMA journal_mode=PERSIST",
        "PRAGMA page_size=8192",
    };
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 50, 100);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(support_exec(db, refused[i]), SQLITE_ERROR);
        assert_non_null(strstr(sqlite3_errmsg(db), "maille: only"));
        support_expect_error(ML_E_DENIED, "only");
    }
    support_exec_ok(db, "PRAGMA journal_mode; PRAGMA journal_mode=WAL; PRAGMA page_size=4096");
    support_exec_ok(db, "INSERT INTO t(b) VALUES('still works')");
    expect_no_plaintext(f);
    support_close_ok(db);
}

/* FCNTL_PRAGMA goes to "main" only: an unqualified pragma reaches an attached database unseen. */
static void what_passes_beside_the_gate_writes_nothing(void **state)
{
    const struct support_folder *f = *state;
    static const char *const modes[] = {"OFF", "MEMORY", "DELETE", "TRUNCATE", "PERSIST"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        sqlite3 *db = NULL;
        char *uri = sqlite3_mprintf("ATTACH 'file:%s?vfs=" SUPPORT_VFS "' AS s", f->db);
        char *mode = sqlite3_mprintf("PRAGMA journal_mode=%s", modes[i]);
        assert_int_equal(sqlite3_open_v2(":memory:", &db, 6 | SQLITE_OPEN_URI, "unix"), SQLITE_OK);
        support_exec_ok(db, uri);
        support_exec_ok(db, "CREATE TABLE IF NOT EXISTS s.t(a INTEGER PRIMARY KEY, b);"
                            "INSERT INTO s.t(b) VALUES('" SUPPORT_CANARY "')");
        support_exec(db, mode);
        support_exec(db, "INSERT INTO s.t(b) SELECT '" SUPPORT_CANARY "' || b FROM s.t");
        expect_no_plaintext(f);
        sqlite3_close(db);
        sqlite3_free(uri);
        sqlite3_free(mode);
        expect_no_plaintext(f);
        db = support_open_ok(f->db);
        assert_true(support_is_sound(db));
        assert_true(support_int(db, "SELECT count(*) FROM t") >= (sqlite3_int64)i + 1);
        support_close_ok(db);
    }
    support_expect_error(ML_E_DENIED, "WAL");
}

static sqlite3_file *file_of(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file), 0);
    return file;
}

static void the_main_file_is_written_inside_a_checkpoint_only(void **state)
{
    const struct support_folder *f = *state;
    uint8_t page[4096] = {0};
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 50, 100);
    support_exec_ok(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_file *file = file_of(db);
    const sqlite3_io_methods *io = file->pMethods;
    assert_int_equal(io->xWrite(file, page, 4096, 4096), SQLITE_IOERR_WRITE);
    support_expect_error(ML_E_DENIED, "outside a checkpoint");
    assert_int_equal(io->xTruncate(file, 4096), SQLITE_IOERR_TRUNCATE);
    support_expect_error(ML_E_DENIED, "outside a checkpoint");
    io->xFileControl(file, SQLITE_FCNTL_CKPT_START, NULL);
    assert_int_equal(io->xWrite(file, page, 4096, 0), SQLITE_IOERR_WRITE); /* no page 1 of ours */
    support_expect_error(ML_E_DENIED, "page 1 must say");
    assert_int_equal(io->xWrite(file, page, 4096, 100), SQLITE_IOERR_WRITE);
    assert_int_equal(io->xWrite(file, page, 512, 4096), SQLITE_IOERR_WRITE);
    support_expect_error(ML_E_DENIED, "not one page");
    page[4095] = 1;
    assert_int_equal(io->xWrite(file, page, 4096, 4096), SQLITE_IOERR_WRITE);
    support_expect_error(ML_E_DENIED, "reserved bytes");
    assert_int_equal(io->xTruncate(file, 4096), SQLITE_IOERR_TRUNCATE);
    io->xFileControl(file, SQLITE_FCNTL_CKPT_DONE, NULL);
    assert_int_equal(io->xTruncate(file, 0), SQLITE_IOERR_TRUNCATE);
    assert_int_equal(io->xTruncate(file, 5000), SQLITE_IOERR_TRUNCATE);
    assert_true(support_is_sound(db));
    support_close_ok(db);
}

/* A reserve of another size would be committed to the WAL and never reach the main file. */
static void a_page_1_with_another_reserve_is_refused_at_the_wal(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    int reserve = 60;
    support_fill(db, 50, 100);
    sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
    assert_int_not_equal(support_exec(db, "VACUUM"), SQLITE_OK);
    support_expect_error(ML_E_DENIED, "WAL: ");
    support_close_ok(db);
    db = support_open_ok(f->db);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 50);
    assert_true(support_is_sound(db));
    support_close_ok(db);
}

static void device_characteristics_and_controls_promise_nothing_false(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3_file *file = file_of(db);
    const sqlite3_io_methods *io = file->pMethods;
    int traits = io->xDeviceCharacteristics(file);
    assert_true((traits & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0);
    assert_int_equal(
        traits & ~(SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN), 0);
    assert_int_equal(io->xSectorSize(file), 4096);
    assert_int_equal(io->iVersion, 2);
    sqlite3_int64 size = 1 << 20;
    int chunk = 1 << 20;
    assert_int_equal(io->xFileControl(file, SQLITE_FCNTL_MMAP_SIZE, &size), SQLITE_OK);
    assert_int_equal(size, 0);
    size = 1 << 20;
    assert_int_equal(io->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &size), SQLITE_OK);
    assert_int_equal(io->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE, &chunk), SQLITE_OK);
    assert_int_equal(support_file_bytes(f->db), 4096);
    assert_int_equal(io->xFileControl(file, SQLITE_FCNTL_BEGIN_ATOMIC_WRITE, NULL),
                     SQLITE_NOTFOUND);
    int psow = 0;
    assert_int_equal(io->xFileControl(file, SQLITE_FCNTL_POWERSAFE_OVERWRITE, &psow), SQLITE_OK);
    assert_int_equal(psow, 1);
    char *name = NULL;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_VFSNAME, &name), SQLITE_OK);
    assert_string_equal(name, SUPPORT_VFS "/unix");
    sqlite3_free(name);
    support_close_ok(db);
}

/* Sorts, temporary tables and indexes, statement journals, VACUUM: all spill, none to the folder.
 */
static void temporary_files_never_reach_the_disk(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    support_exec_ok(db, "PRAGMA temp_store=FILE; PRAGMA cache_size=5; PRAGMA temp.cache_size=5");
    support_fill(db, 20000, 300);
    support_exec_ok(db, "CREATE TEMP TABLE x AS SELECT b FROM t");
    support_exec_ok(db, "CREATE INDEX temp.i ON x(b); UPDATE x SET b = b || 'z'; DELETE FROM x");
    assert_int_equal(support_int(db, "SELECT count(*) FROM (SELECT DISTINCT b FROM t ORDER BY b)"),
                     20000);
    support_exec_ok(db, "BEGIN; SAVEPOINT s; UPDATE t SET b = b || 'y'; ROLLBACK TO s; COMMIT");
    support_exec_ok(db, "VACUUM");
    assert_int_equal(support_folder_count(f, ""), 5); /* . .. t.db t.db-wal t.db-lock */
    char links[64];
    for (int fd = 3; fd < 64; fd++) { /* nor a file already deleted but open */
        char link_name[64];
        snprintf(link_name, sizeof(link_name), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link_name, links, sizeof(links) - 1);
        links[n < 0 ? 0 : n] = '\0';
        assert_null(strstr(links, "etilqs"));
    }
    expect_no_plaintext(f);
    assert_true(support_is_sound(db));
    support_close_ok(db);
    expect_no_plaintext(f);
}

static void super_journals_and_journals_cannot_be_opened(void **state)
{
    const struct support_folder *f = *state;
    static const int kinds[] = {SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_SUPER_JOURNAL};
    sqlite3_vfs *vfs = sqlite3_vfs_find(SUPPORT_VFS);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(file);
    for (size_t i = 0; i < 2; i++) {
        int out = 0;
        int flags = kinds[i] | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        const char *name = sqlite3_create_filename(f->db, support_name(f, "-journal"),
                                                   support_name(f, "-wal"), 0, NULL);
        assert_non_null(name);
        assert_int_equal(vfs->xOpen(vfs, name, file, flags, &out), SQLITE_CANTOPEN);
        assert_null(file->pMethods);
        support_expect_error(ML_E_DENIED, "journal");
        sqlite3_free_filename(name);
    }
    free(file);
    int found = 1;
    support_write_file(support_name(f, "-journal"), "x", 1);
    assert_int_equal(vfs->xAccess(vfs, support_name(f, "-journal"), 0, &found), SQLITE_OK);
    assert_int_equal(found, 0); /* a hot journal put there by someone is not believed */
    assert_int_equal(vfs->xDelete(vfs, support_name(f, "-journal"), 0), SQLITE_IOERR_DELETE_NOENT);
}

static void a_transaction_over_two_databases_needs_no_journal(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    char *sql = sqlite3_mprintf("ATTACH '%s' AS two; CREATE TABLE two.u(b)", support_name(f, "2"));
    support_fill(db, 10, 20);
    support_exec_ok(db, sql);
    support_exec_ok(db, "BEGIN; INSERT INTO two.u SELECT b FROM t; DELETE FROM t; COMMIT");
    assert_int_equal(support_int(db, "SELECT count(*) FROM two.u"), 10);
    expect_no_plaintext(f);
    support_close_ok(db);
    sqlite3_free(sql);
}

/* Tens of thousands of in-place rewrites: 24-byte and page-only writes, 8-byte reads (C7). */
static void a_transaction_far_larger_than_the_cache_is_right(void **state)
{
    const struct support_folder *f = *state;
    struct ml_vfs_counters c;
    sqlite3 *db = support_open_ok(f->db);
    support_exec_ok(db, "PRAGMA cache_size=10; PRAGMA wal_autocheckpoint=0");
    support_fill(db, 3000, 300);
    support_exec_ok(db, "CREATE INDEX i ON t(b); BEGIN");
    for (int i = 0; i < 60; i++) {
        support_exec_ok(db, "UPDATE t SET b = hex(randomblob(8)) || substr(b, 17)");
        support_exec_ok(db, "SAVEPOINT s; DELETE FROM t WHERE a % 3 = 0; ROLLBACK TO s; RELEASE s");
    }
    support_exec_ok(db, "COMMIT");
    assert_int_equal(ml_vfs_counters(SUPPORT_VFS, &c), ML_OK);
    assert_in_range(c.frame_writes, 20000, 10000000);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 3000);
    assert_true(support_is_sound(db));
    sqlite3 *second = support_open_ok(f->db);
    assert_true(support_is_sound(second));
    expect_no_plaintext(f);
    support_close_ok(second);
    support_close_ok(db);
    db = support_open_ok(f->db);
    assert_true(support_is_sound(db));
    support_close_ok(db);
}

/* Slots of a rolled-back transaction are written again, by the same handle and by another. */
static void slots_of_a_rollback_are_reused(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *a = support_open_ok(f->db);
    sqlite3 *b = support_open_ok(f->db);
    support_exec_ok(a, "PRAGMA cache_size=5; PRAGMA wal_autocheckpoint=0");
    support_fill(a, 500, 200);
    for (int i = 0; i < 4; i++) {
        support_exec_ok(a, "BEGIN; UPDATE t SET b = b || 'rolled back'; ROLLBACK");
        support_exec_ok(i % 2 == 0 ? a : b, "INSERT INTO t(b) VALUES('kept')");
        support_exec_ok(i % 2 == 0 ? b : a, "UPDATE t SET b = b || 'k' WHERE a < 9");
    }
    support_exec_ok(b, "PRAGMA wal_checkpoint(TRUNCATE)");
    support_exec_ok(a, "INSERT INTO t(b) VALUES('after a new WAL header by b')");
    support_exec_ok(b, "INSERT INTO t(b) VALUES('after a''s')");
    assert_int_equal(support_int(a, "SELECT count(*) FROM t"), 506);
    assert_true(support_is_sound(a));
    support_close_ok(a);
    assert_true(support_is_sound(b));
    support_close_ok(b);
}

static void vacuum_keeps_rows_identity_and_reserve(void **state)
{
    const struct support_folder *f = *state;
    size_t len = 0;
    sqlite3 *db = support_open_ok(f->db);
    uint8_t *before = support_read_file(f->db, &len);
    support_fill(db, 3000, 200);
    support_exec_ok(db, "DELETE FROM t WHERE a % 2 = 0; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 1500);
    assert_true(support_is_sound(db));
    support_close_ok(db);
    uint8_t *after = support_read_file(f->db, &len);
    assert_memory_equal(before, after, 16);
    free(before);
    free(after);
    db = support_open_ok(f->db);
    assert_true(support_is_sound(db));
    support_close_ok(db);
}

/* A page may be left out by a checkpoint, at the end or before: its place is sealed too, so that a
 * backup, which reads every page, meets none that is all zeros. */
static void places_that_a_checkpoint_leaves_out_are_sealed(void **state)
{
    const struct support_folder *f = *state;
    uint8_t page[4096] = {0};
    size_t len = 0;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3_file *file = file_of(db);
    const sqlite3_io_methods *io = file->pMethods;
    io->xFileControl(file, SQLITE_FCNTL_CKPT_START, NULL);
    assert_int_equal(io->xWrite(file, page, 4096, 81920), SQLITE_OK); /* page 21 after page 1 */
    io->xFileControl(file, SQLITE_FCNTL_CKPT_DONE, NULL);
    assert_int_equal(io->xTruncate(file, 122880), SQLITE_OK); /* 30 pages */
    uint8_t *bytes = support_read_file(f->db, &len);
    assert_int_equal(len, 122880);
    for (size_t at = 0; at < len; at += 4096) {
        assert_memory_equal(bytes + at + 4088, "\0\0\0\1\0\0\0\1", 8);
        assert_int_equal(io->xRead(file, page, 4096, (sqlite3_int64)at), SQLITE_OK);
    }
    free(bytes);
    support_close_ok(db);
}

static void a_backup_reads_every_page(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3 *copy = NULL;
    support_exec_ok(db, "PRAGMA secure_delete=OFF; BEGIN; CREATE TABLE a(x);"
                        "INSERT INTO a VALUES(zeroblob(90000)); CREATE TABLE b(x);"
                        "INSERT INTO b VALUES('kept'); DROP TABLE a; COMMIT;"
                        "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(sqlite3_open(":memory:", &copy), SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db, "main");
    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    assert_int_equal(support_int(copy, "SELECT count(*) FROM b"), 1);
    sqlite3_close(copy);
    support_close_ok(db);
}

/* SQLite never writes the page of byte 2^30; a gap over it is filled around it. */
static void the_lock_page_stays_empty(void **state)
{
    const struct support_folder *f = *state;
    const sqlite3_int64 lock_page = 0x40000000;
    uint8_t page[4096] = {0};
    sqlite3 *db = support_open_ok(f->db);
    assert_int_equal(truncate(f->db, lock_page - 4096), 0); /* sparse */
    sqlite3_file *file = file_of(db);
    const sqlite3_io_methods *io = file->pMethods;
    io->xFileControl(file, SQLITE_FCNTL_CKPT_START, NULL);
    assert_int_equal(io->xWrite(file, page, 4096, lock_page + 4096), SQLITE_OK);
    io->xFileControl(file, SQLITE_FCNTL_CKPT_DONE, NULL);
    assert_int_equal(io->xRead(file, page, 4096, lock_page - 4096), SQLITE_OK); /* filled */
    page[0] = 1;
    assert_int_equal(io->xRead(file, page, 4096, lock_page), SQLITE_OK);
    assert_int_equal(page[0], 0);
    FILE *raw = fopen(f->db, "rb");
    assert_non_null(raw);
    assert_int_equal(fseek(raw, lock_page, SEEK_SET), 0);
    assert_int_equal(fread(page, 1, 4096, raw), 4096);
    fclose(raw);
    for (size_t i = 0; i < 4096; i++) {
        assert_int_equal(page[i], 0);
    }
    support_close_ok(db);
    assert_int_equal(truncate(f->db, 4096), 0);
}

static void a_wal_is_truncated_to_whole_frames(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    support_exec_ok(db, "PRAGMA wal_autocheckpoint=0");
    support_fill(db, 2000, 200);
    support_exec_ok(db, "PRAGMA journal_size_limit=30001; PRAGMA wal_checkpoint(RESTART);"
                        "INSERT INTO t(b) VALUES('restarts the WAL and cuts it')");
    long bytes = support_file_bytes(support_name(f, "-wal"));
    assert_true(bytes > 32 && bytes <= 30001);
    assert_int_equal((bytes - 32) % 4120, 0);
    support_exec_ok(db, "INSERT INTO t(b) VALUES('more')");
    assert_true(support_is_sound(db));
    support_close_ok(db);
}

/* Two connections: one restarts and cuts the WAL, the other had written further (C7, C8). */
static void a_cut_wal_forgets_what_others_wrote_in_it(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *a = support_open_ok(f->db);
    sqlite3 *b = support_open_ok(f->db);
    support_exec_ok(a, "PRAGMA cache_size=5; PRAGMA wal_autocheckpoint=0");
    support_exec_ok(b, "PRAGMA journal_size_limit=0; PRAGMA wal_autocheckpoint=0");
    support_fill(a, 300, 200);
    support_exec_ok(a, "PRAGMA wal_checkpoint(RESTART)");
    support_exec_ok(a, "BEGIN; UPDATE t SET b = b || 'x'; ROLLBACK"); /* spills, slots 1.. */
    support_exec_ok(b, "INSERT INTO t(b) VALUES('b')");
    support_exec_ok(a, "INSERT INTO t(b) VALUES('a')");
    support_exec_ok(b, "INSERT INTO t(b) VALUES('b')");
    assert_int_equal(support_int(a, "SELECT count(*) FROM t"), 303);
    assert_true(support_is_sound(a));
    support_close_ok(b);
    support_close_ok(a);
}

static void a_commit_is_one_fsync(void **state)
{
    const struct support_folder *f = *state;
    struct ml_vfs_counters before;
    struct ml_vfs_counters after;
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 10, 10);
    assert_int_equal(ml_vfs_counters(SUPPORT_VFS, &before), ML_OK);
    for (int i = 0; i < 10; i++) {
        support_exec_ok(db, "INSERT INTO t(b) VALUES('one')");
    }
    assert_int_equal(ml_vfs_counters(SUPPORT_VFS, &after), ML_OK);
    assert_int_equal(after.syncs - before.syncs, 10);
    assert_int_equal(after.page_writes, before.page_writes);
    support_exec_ok(db, "PRAGMA synchronous=NORMAL; INSERT INTO t(b) VALUES('none')");
    assert_int_equal(ml_vfs_counters(SUPPORT_VFS, &before), ML_OK);
    assert_int_equal(before.syncs, after.syncs);
    assert_int_equal(ml_vfs_counters("never", &before), ML_E_NOT_FOUND);
    support_close_ok(db);
}

static void a_read_only_connection_reads_and_creates_nothing(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 10, 10);
    support_close_ok(db);
    assert_int_equal(support_open(&db, f->db, SQLITE_OPEN_READONLY), SQLITE_OK);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 10);
    assert_int_equal(support_exec(db, "DELETE FROM t"), SQLITE_READONLY);
    assert_int_equal(support_folder_count(f, "-wal"), 0);
    support_close_ok(db);
    expect_no_plaintext(f);
}

/* A WAL left by a crash is read, not checkpointed, by a read-only connection. */
static void a_read_only_connection_reads_a_leftover_wal(void **state)
{
    const struct support_folder *f = *state;
    size_t db_len = 0;
    size_t wal_len = 0;
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 10, 10);
    uint8_t *main_bytes = support_read_file(f->db, &db_len);
    uint8_t *wal_bytes = support_read_file(support_name(f, "-wal"), &wal_len);
    support_close_ok(db);
    support_write_file(f->db, main_bytes, db_len);
    support_write_file(support_name(f, "-wal"), wal_bytes, wal_len);
    assert_int_equal(support_open(&db, f->db, SQLITE_OPEN_READONLY), SQLITE_OK);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 10);
    support_close_ok(db);
    assert_int_equal(support_file_bytes(support_name(f, "-wal")), (long)wal_len);
    assert_int_equal(support_file_bytes(f->db), (long)db_len);
    db = support_open_ok(f->db);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 10);
    support_close_ok(db);
    free(main_bytes);
    free(wal_bytes);
}

static void exclusive_locking_mode_keeps_others_out(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *a = support_open_ok(f->db);
    sqlite3 *b = NULL;
    support_exec_ok(a, "PRAGMA locking_mode=EXCLUSIVE");
    support_fill(a, 10, 10);
    assert_int_equal(support_open(&b, f->db, SQLITE_OPEN_READWRITE), SQLITE_OK);
    assert_int_equal(support_exec(b, "SELECT count(*) FROM t"), SQLITE_BUSY);
    support_close_ok(b);
    expect_no_plaintext(f);
    support_close_ok(a);
}

static int blobs_with(sqlite3 *db, const char *term)
{
    char *sql =
        sqlite3_mprintf("SELECT count(*) FROM f_data WHERE instr(block, CAST('%q' AS BLOB))", term);
    sqlite3_int64 n = support_int(db, sql);
    sqlite3_free(sql);
    return (int)n;
}

/* FTS5 only marks a deletion; the term stays in older segments until they are merged (C12). */
static void a_purge_takes_deleted_terms_out_of_the_index_and_the_wal(void **state)
{
    const struct support_folder *f = *state;
    static const char *const tables[] = {"f", NULL};
    static const char *const absent[] = {"nothing", NULL};
    sqlite3 *db = support_open_ok(f->db);
    support_exec_ok(db, "CREATE VIRTUAL TABLE f USING fts5(text);"
                        "INSERT INTO f(rowid, text) VALUES(1, 'zebracanary and others')");
    support_exec_ok(db, "INSERT INTO f(rowid, text) VALUES(2, 'some words')");
    support_exec_ok(db, "DELETE FROM f WHERE rowid = 1");
    assert_true(blobs_with(db, "zebracanary") > 0);
    sqlite3 *reader = support_open_ok(f->db);
    support_exec_ok(reader, "BEGIN; SELECT * FROM f");
    assert_int_equal(ml_vfs_purge(db, tables), ML_E_BUSY); /* it may still read the old pages */
    support_exec_ok(reader, "COMMIT");
    support_close_ok(reader);
    assert_int_equal(ml_vfs_purge(db, tables), ML_OK);
    assert_int_equal(blobs_with(db, "zebracanary"), 0);
    assert_int_equal(support_file_bytes(support_name(f, "-wal")), 0);
    assert_int_equal(ml_vfs_purge(db, absent), ML_E_INVALID);
    assert_int_equal(ml_vfs_purge(db, NULL), ML_OK);
    support_close_ok(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(other_journal_modes_and_page_sizes_are_refused_in_words),
        T(what_passes_beside_the_gate_writes_nothing),
        T(the_main_file_is_written_inside_a_checkpoint_only),
        T(a_page_1_with_another_reserve_is_refused_at_the_wal),
        T(device_characteristics_and_controls_promise_nothing_false),
        T(temporary_files_never_reach_the_disk),
        T(super_journals_and_journals_cannot_be_opened),
        T(a_transaction_over_two_databases_needs_no_journal),
        T(a_transaction_far_larger_than_the_cache_is_right),
        T(slots_of_a_rollback_are_reused),
        T(vacuum_keeps_rows_identity_and_reserve),
        T(places_that_a_checkpoint_leaves_out_are_sealed),
        T(a_backup_reads_every_page),
        T(the_lock_page_stays_empty),
        T(a_wal_is_truncated_to_whole_frames),
        T(a_cut_wal_forgets_what_others_wrote_in_it),
        T(a_commit_is_one_fsync),
        T(a_read_only_connection_reads_and_creates_nothing),
        T(a_read_only_connection_reads_a_leftover_wal),
        T(exclusive_locking_mode_keeps_others_out),
        T(a_purge_takes_deleted_terms_out_of_the_index_and_the_wal),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
