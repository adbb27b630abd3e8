/* test_vfs_damage.c -- what doesn't open is an error that names it, never data (rules C1, C2, C10).
 * The files are changed behind SQLite's back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_disk.h"

#define PAGE  ((size_t)4096)
#define FRAME ((size_t)4120)

static int setup(void **state)
{
    *state = support_disk_new(7);
    return 0;
}

static int teardown(void **state)
{
    support_disk_free(*state);
    return 0;
}

/* A database of some pages, checkpointed and closed. */
static void make_pages(int rows)
{
    sqlite3 *db = support_disk_open_ok();
    support_fill(db, rows, 200);
    support_close_ok(db);
}

/* `commits` transactions of one frame each in the WAL, and the process is gone: the WAL stays. */
static void make_wal(struct fault_disk *disk, int commits)
{
    sqlite3 *db = support_disk_open_ok();
    support_exec_ok(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                        "CREATE TABLE t(a INTEGER PRIMARY KEY, b);"
                        "PRAGMA wal_checkpoint(TRUNCATE)");
    for (int i = 0; i < commits; i++) {
        support_exec_ok(db, "INSERT INTO t(b) VALUES(hex(randomblob(10)))");
    }
    fault_disk_cut_at(disk, 1); /* the close can't checkpoint any more */
    sqlite3_close(db);
    fault_disk_restart(disk, FAULT_KEEP_ALL);
}

static uint8_t *bytes_of(struct fault_disk *disk, const char *name, size_t *len)
{
    uint8_t *bytes = fault_disk_bytes(disk, name, len);
    assert_non_null(bytes);
    return bytes;
}

/* Changes one byte, synced, so that a restart keeps it. */
static void flip(struct fault_disk *disk, const char *name, size_t offset)
{
    size_t len = 0;
    uint8_t *bytes = bytes_of(disk, name, &len);
    assert_true(offset < len);
    bytes[offset] ^= 0x10;
    fault_disk_put(disk, name, bytes, len);
}

static int read_all(void)
{
    sqlite3 *db = NULL;
    int rc = support_open(&db, SUPPORT_DB, SQLITE_OPEN_READWRITE);
    if (rc == SQLITE_OK) {
        rc = support_exec(db, "SELECT sum(length(b)) FROM t");
        sqlite3_close(db);
    }
    return rc;
}

/* From `at` on: every 61st byte of the body, every one of the reserve. */
static void flip_through_page(struct fault_disk *disk, size_t page, size_t at)
{
    char words[40];
    snprintf(words, sizeof(words), "page %zu:", page);
    for (; at < PAGE; at += at < 4040 ? 61 : 1) {
        flip(disk, SUPPORT_DB, (page - 1) * PAGE + at);
        assert_int_equal(read_all(), SQLITE_IOERR_DATA);
        support_expect_error(ML_E_CORRUPT, words);
        flip(disk, SUPPORT_DB, (page - 1) * PAGE + at);
    }
}

static void any_changed_byte_of_a_page_is_an_error_that_names_it(void **state)
{
    make_pages(60);
    flip_through_page(*state, 1, 16); /* the first 16: a test of their own below */
    flip_through_page(*state, 2, 0);
    flip_through_page(*state, 3, 0);
    assert_int_equal(read_all(), SQLITE_OK);
}

static void a_wrong_key_is_told_from_a_torn_first_page(void **state)
{
    struct fault_disk *disk = *state;
    make_pages(10);
    sqlite3 *db = NULL;
    assert_int_equal(ml_vfs_register_over("wrong", support_other_key, SUPPORT_DISK, 0), ML_OK);
    assert_int_equal(sqlite3_open_v2(SUPPORT_DB, &db, SQLITE_OPEN_READWRITE, "wrong"),
                     SQLITE_NOTADB);
    sqlite3_close(db);
    char text[300] = "";
    assert_int_equal(ml_vfs_last_error("wrong", text, sizeof(text)), ML_E_WRONG_KEY);
    assert_int_equal(ml_vfs_unregister("wrong"), ML_OK);

    size_t len = 0;
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    memset(bytes + 512, 0xaa, 512); /* one sector of page 1 is another version's */
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "page 1: does not open");
}

static void each_of_the_first_16_bytes_is_checked(void **state)
{
    struct fault_disk *disk = *state;
    make_pages(10);
    for (size_t at = 0; at < 16; at++) {
        flip(disk, SUPPORT_DB, at);
        assert_int_equal(read_all(), SQLITE_NOTADB);
        support_expect_error(ML_E_WRONG_KEY, "not sealed with this key");
        flip(disk, SUPPORT_DB, at);
    }
    assert_int_equal(read_all(), SQLITE_OK);
}

static void a_plain_database_is_refused(void **state)
{
    struct fault_disk *disk = *state;
    uint8_t page[PAGE] = "SQLite format 3";
    fault_disk_put(disk, SUPPORT_DB, page, sizeof(page));
    assert_int_equal(read_all(), SQLITE_NOTADB);
    support_expect_error(ML_E_WRONG_KEY, "plain SQLite database");
}

static void an_all_zero_page_is_damage(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    make_pages(60);
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    memset(bytes + 2 * PAGE, 0, PAGE);
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "page 3: was never sealed");
}

static void a_page_opens_at_its_own_place_only(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    uint8_t kept[PAGE];
    make_pages(60);
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    memcpy(kept, bytes + 2 * PAGE, PAGE);
    memcpy(bytes + 2 * PAGE, bytes + 3 * PAGE, PAGE);
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "page 3:");
    memcpy(bytes + 2 * PAGE, kept, PAGE);
    assert_int_equal(read_all(), SQLITE_OK);
}

static void a_page_opens_in_its_own_file_only(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    size_t other_len = 0;
    make_pages(60);
    sqlite3 *db = support_open_ok("other.db"); /* the same key, the same rows */
    support_fill(db, 60, 200);
    support_close_ok(db);
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    const uint8_t *other = bytes_of(disk, "other.db", &other_len);
    assert_int_equal(len, other_len);
    assert_memory_not_equal(bytes, other, 16);
    memcpy(bytes + 2 * PAGE, other + 2 * PAGE, PAGE);
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "page 3:");
    memcpy(bytes, other, PAGE); /* page 1 of the other file: its salt comes with it */
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "page");
}

static void the_same_rows_are_sealed_differently_each_time(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    make_pages(60);
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    uint8_t *nonces = malloc(len / PAGE * 24);
    assert_non_null(nonces);
    for (size_t i = 0; i < len / PAGE; i++) {
        memcpy(nonces + i * 24, bytes + i * PAGE + 4048, 24);
        assert_memory_equal(bytes + i * PAGE + 4088, "\0\0\0\1\0\0\0\1", 8); /* epoch, format */
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(nonces + i * 24, nonces + j * 24, 24);
        }
    }
    sqlite3 *db = support_disk_open_ok();
    support_exec_ok(db, "UPDATE t SET b = upper(b); UPDATE t SET b = lower(b);"
                        "PRAGMA wal_checkpoint(TRUNCATE)");
    support_close_ok(db);
    bytes = bytes_of(disk, SUPPORT_DB, &len);
    assert_memory_not_equal(nonces + 48, bytes + 2 * PAGE + 4048, 24); /* a leaf */
    free(nonces);
}

static void a_main_file_cut_short_is_damage(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    make_pages(60);
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    fault_disk_put(disk, SUPPORT_DB, copy, len - PAGE);
    int rc = read_all();
    assert_true(rc == SQLITE_CORRUPT || rc == SQLITE_IOERR_DATA);
    fault_disk_put(disk, SUPPORT_DB, copy, len - 100);
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "missing");
    fault_disk_put(disk, SUPPORT_DB, copy, PAGE - 1);
    assert_int_equal(read_all(), SQLITE_NOTADB);
    support_expect_error(ML_E_CORRUPT, "shorter than its first page");
    fault_disk_put(disk, SUPPORT_DB, copy, len);
    assert_int_equal(read_all(), SQLITE_OK);
    free(copy);
}

static void an_empty_or_missing_main_file_beside_a_wal_is_refused(void **state)
{
    struct fault_disk *disk = *state;
    sqlite3 *db = NULL;
    size_t len = 0;
    size_t wal_len = 0;
    make_wal(disk, 5);
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    bytes_of(disk, SUPPORT_WAL, &wal_len);
    fault_disk_put(disk, SUPPORT_DB, "", 0);
    assert_int_equal(support_open(&db, SUPPORT_DB, 6), SQLITE_CANTOPEN);
    support_expect_error(ML_E_CORRUPT, "beside a WAL");
    fault_disk_put(disk, SUPPORT_DB, copy, 100);
    assert_int_equal(support_open(&db, SUPPORT_DB, 6), SQLITE_NOTADB);
    support_expect_error(ML_E_CORRUPT, "shorter");
    fault_disk_remove(disk, SUPPORT_DB);
    assert_int_equal(support_open(&db, SUPPORT_DB, 6), SQLITE_CANTOPEN);
    support_expect_error(ML_E_CORRUPT, "beside a WAL");
    size_t after = 0;
    bytes_of(disk, SUPPORT_WAL, &after);
    assert_int_equal(after, wal_len); /* the WAL is kept, and saves all */
    fault_disk_put(disk, SUPPORT_DB, copy, len);
    db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 5);
    support_close_ok(db);
    free(copy);
}

/* Frames 1..5 are commits. Damage to n leaves 5-n commits behind it: two or more prove it. */
static void damage_inside_the_wal_is_an_error_that_names_the_frame(void **state)
{
    struct fault_disk *disk = *state;
    make_wal(disk, 5);
    for (size_t n = 1; n <= 3; n++) {
        for (size_t at = 0; at < FRAME; at += at < 4070 ? 97 : 1) {
            char words[40];
            flip(disk, SUPPORT_WAL, 32 + (n - 1) * FRAME + at);
            assert_int_equal(read_all(), SQLITE_IOERR_DATA);
            snprintf(words, sizeof(words), "frame %zu:", n);
            support_expect_error(ML_E_CORRUPT, words);
            flip(disk, SUPPORT_WAL, 32 + (n - 1) * FRAME + at);
        }
    }
    sqlite3 *db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 5);
    support_close_ok(db);
}

static void a_bad_sector_over_two_frames_is_damage_too(void **state)
{
    struct fault_disk *disk = *state;
    make_wal(disk, 6);
    flip(disk, SUPPORT_WAL, 32 + 1 * FRAME + 4000);
    flip(disk, SUPPORT_WAL, 32 + 2 * FRAME + 10);
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "frame 2:");
}

static void a_torn_tail_ends_the_log_at_the_commit_before(void **state)
{
    struct fault_disk *disk = *state;
    make_wal(disk, 5);
    flip(disk, SUPPORT_WAL, 32 + 4 * FRAME + 2000);
    sqlite3 *db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 4);
    assert_true(support_is_sound(db));
    support_exec_ok(db, "INSERT INTO t(b) VALUES('after')");
    support_close_ok(db);
    assert_int_equal(read_all(), SQLITE_OK);
}

/* The limit of rule C2, on both sides: one commit behind proves nothing. */
static void one_commit_behind_proves_nothing(void **state)
{
    struct fault_disk *disk = *state;
    make_wal(disk, 5);
    flip(disk, SUPPORT_WAL, 32 + 3 * FRAME + 2000);
    sqlite3 *db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 3);
    support_close_ok(db);
}

/* Frames of transactions that failed at their fsync lie behind the log's end, each with a commit,
 * but none continues another's checksums: they prove nothing, and the log ends at the torn frame.
 */
static void commits_that_do_not_chain_prove_nothing(void **state)
{
    struct fault_disk *disk = *state;
    const struct fault_plan no_sync = {.ops = FAULT_SYNC, .nth = 1, .forever = true};
    sqlite3 *db = support_disk_open_ok();
    support_exec_ok(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                        "CREATE TABLE t(b); CREATE TABLE u(b); CREATE TABLE v(b);"
                        "INSERT INTO t VALUES(0); INSERT INTO u VALUES(0); INSERT INTO v VALUES(0);"
                        "PRAGMA wal_checkpoint(TRUNCATE); UPDATE t SET b = 1");
    fault_disk_plan(disk, &no_sync);
    static const char *const failing[] = {
        "BEGIN; UPDATE t SET b = 9; UPDATE u SET b = 9; UPDATE v SET b = 9; COMMIT",
        "BEGIN; UPDATE t SET b = 8; UPDATE u SET b = 8; COMMIT", "UPDATE t SET b = 7"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(support_exec(db, failing[i]), SQLITE_IOERR_FSYNC);
        support_exec(db, "ROLLBACK");
    }
    fault_disk_cut_at(disk, 1);
    sqlite3_close(db);
    fault_disk_restart(disk, FAULT_KEEP_ALL);
    flip(disk, SUPPORT_WAL, 32 + FRAME + 100); /* frame 2 is torn; 3 and 4 are commits */
    db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT b FROM t"), 1);
    assert_int_equal(support_int(db, "SELECT b FROM v"), 0);
    support_close_ok(db);
}

static void a_wal_cut_short_ends_at_its_last_whole_commit(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    make_wal(disk, 5);
    const uint8_t *bytes = bytes_of(disk, SUPPORT_WAL, &len);
    fault_disk_put(disk, SUPPORT_WAL, bytes, len - 1);
    sqlite3 *db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 4);
    support_close_ok(db);
}

static void a_damaged_wal_header_is_an_error_not_an_empty_log(void **state)
{
    struct fault_disk *disk = *state;
    make_wal(disk, 5);
    for (size_t at = 0; at < 32; at++) {
        flip(disk, SUPPORT_WAL, at);
        assert_int_equal(read_all(), SQLITE_IOERR_DATA);
        support_expect_error(ML_E_CORRUPT, "WAL, header");
        flip(disk, SUPPORT_WAL, at);
    }
    assert_int_equal(read_all(), SQLITE_OK);
}

static void a_frame_opens_at_its_own_place_only(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    make_wal(disk, 5);
    uint8_t *bytes = bytes_of(disk, SUPPORT_WAL, &len);
    memcpy(bytes + 32 + FRAME, bytes + 32, FRAME); /* frame 1 in the place of frame 2 */
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "frame 2:");
}

/* A frame of the WAL's earlier life has other salts: it doesn't open in this one. */
static void a_frame_opens_under_its_own_salts_only(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    uint8_t old[FRAME];
    make_wal(disk, 5);
    memcpy(old, bytes_of(disk, SUPPORT_WAL, &len) + 32, FRAME);
    sqlite3 *db = support_disk_open_ok();
    support_exec_ok(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                        "PRAGMA wal_checkpoint(RESTART)");
    for (int i = 0; i < 5; i++) {
        support_exec_ok(db, "INSERT INTO t(b) VALUES('second life')");
    }
    fault_disk_cut_at(disk, 1);
    sqlite3_close(db);
    fault_disk_restart(disk, FAULT_KEEP_ALL);
    memcpy(bytes_of(disk, SUPPORT_WAL, &len) + 32, old, FRAME);
    assert_int_equal(read_all(), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "frame 1:");
}

/* Reading one page out of the WAL, and checkpointing it: always an error (C2). */
static void a_frame_damaged_under_an_open_database_is_an_error(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    make_wal(disk, 5);
    sqlite3 *db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 5);
    bytes_of(disk, SUPPORT_WAL, &len)[32 + 4 * FRAME + 99] ^= 1; /* the last frame, even */
    sqlite3_db_release_memory(db);
    sqlite3 *second = support_disk_open_ok();
    assert_int_equal(support_exec(second, "SELECT count(*) FROM t"), SQLITE_IOERR_DATA);
    support_expect_error(ML_E_CORRUPT, "frame 5:");
    assert_int_equal(support_exec(second, "PRAGMA wal_checkpoint(FULL)"), SQLITE_IOERR_DATA);
    bytes_of(disk, SUPPORT_WAL, &len)[32 + 4 * FRAME + 99] ^= 1;
    assert_int_equal(support_int(second, "SELECT count(*) FROM t"), 5);
    support_close_ok(second);
    support_close_ok(db);
}

/* The first read comes before the WAL is open; a torn page 1 mustn't fail it when the WAL has a
 * newer one (C3). */
static void a_torn_page_1_is_healed_by_the_wal(void **state)
{
    struct fault_disk *disk = *state;
    size_t len = 0;
    sqlite3 *db = support_disk_open_ok();
    support_exec_ok(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                        "CREATE TABLE t(a INTEGER PRIMARY KEY, b);"
                        "INSERT INTO t(b) VALUES('x')");
    fault_disk_cut_at(disk, 1);
    sqlite3_close(db);
    fault_disk_restart(disk, FAULT_KEEP_ALL);
    uint8_t *bytes = bytes_of(disk, SUPPORT_DB, &len);
    memset(bytes + 1024, 0x55, 1024); /* a checkpoint was cut off in the middle of page 1 */
    db = support_disk_open_ok();
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 1);
    assert_true(support_is_sound(db));
    support_close_ok(db);
    assert_int_equal(read_all(), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(any_changed_byte_of_a_page_is_an_error_that_names_it),
        T(a_wrong_key_is_told_from_a_torn_first_page),
        T(each_of_the_first_16_bytes_is_checked),
        T(a_plain_database_is_refused),
        T(an_all_zero_page_is_damage),
        T(a_page_opens_at_its_own_place_only),
        T(a_page_opens_in_its_own_file_only),
        T(the_same_rows_are_sealed_differently_each_time),
        T(a_main_file_cut_short_is_damage),
        T(an_empty_or_missing_main_file_beside_a_wal_is_refused),
        T(damage_inside_the_wal_is_an_error_that_names_the_frame),
        T(a_bad_sector_over_two_frames_is_damage_too),
        T(a_torn_tail_ends_the_log_at_the_commit_before),
        T(one_commit_behind_proves_nothing),
        T(commits_that_do_not_chain_prove_nothing),
        T(a_wal_cut_short_ends_at_its_last_whole_commit),
        T(a_damaged_wal_header_is_an_error_not_an_empty_log),
        T(a_frame_opens_at_its_own_place_only),
        T(a_frame_opens_under_its_own_salts_only),
        T(a_frame_damaged_under_an_open_database_is_an_error),
        T(a_torn_page_1_is_healed_by_the_wal),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
