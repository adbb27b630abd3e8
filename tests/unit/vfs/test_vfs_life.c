/* test_vfs_life.c -- registering, opening, closing; who may open what (rules C3, C4, C8, C9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_env.h"
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

static void rows_come_back_after_reopening(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 500, 100);
    support_close_ok(db);
    db = support_open_ok(f->db);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 500);
    assert_true(support_is_sound(db));
    support_close_ok(db);
}

static void a_new_database_is_in_wal_mode_with_48_reserved_bytes(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "wal");
    sqlite3_finalize(s);
    int reserve = -1;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve), 0);
    assert_int_equal(reserve, 48);
    assert_int_equal(support_int(db, "PRAGMA page_size"), 4096);
    support_close_ok(db);
}

static void creation_leaves_one_sealed_page_and_no_temporary_file(void **state)
{
    const struct support_folder *f = *state;
    struct ml_vfs_counters before;
    struct ml_vfs_counters after;
    assert_int_equal(ml_vfs_counters(SUPPORT_VFS, &before), ML_OK);
    sqlite3 *db = support_open_ok(f->db);
    assert_int_equal(ml_vfs_counters(SUPPORT_VFS, &after), ML_OK);
    assert_int_equal(after.syncs - before.syncs, 1);
    assert_int_equal(after.folder_syncs - before.folder_syncs, 1);
    assert_int_equal(support_file_bytes(f->db), 4096);
    assert_int_equal(support_folder_count(f, "-new"), 0);
    assert_int_equal(support_folder_count(f, "-journal"), 0);
    support_close_ok(db);
}

static void a_leftover_of_an_interrupted_creation_is_overwritten(void **state)
{
    const struct support_folder *f = *state;
    char junk[9000];
    memset(junk, 'j', sizeof(junk));
    support_write_file(support_name(f, "-new"), junk, sizeof(junk));
    sqlite3 *db = support_open_ok(f->db);
    assert_int_equal(support_file_bytes(f->db), 4096);
    support_fill(db, 3, 10);
    support_close_ok(db);
}

static void an_empty_file_becomes_a_database(void **state)
{
    const struct support_folder *f = *state;
    support_write_file(f->db, "", 0);
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 3, 10);
    support_close_ok(db);
}

static void without_create_an_absent_file_is_not_found(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = NULL;
    assert_int_equal(support_open(&db, f->db, SQLITE_OPEN_READWRITE), SQLITE_CANTOPEN);
    support_expect_error(ML_E_NOT_FOUND, "there is none");
    assert_int_equal(support_file_bytes(f->db), -1);
}

static void a_vfs_name_is_taken_once_and_freed_by_unregister(void **state)
{
    (void)state;
    assert_int_equal(ml_vfs_register(SUPPORT_VFS, support_key, 0), ML_E_EXISTS);
    assert_int_equal(ml_vfs_register("unix", support_key, 0), ML_E_EXISTS);
    assert_int_equal(ml_vfs_register("", support_key, 0), ML_E_INVALID);
    assert_int_equal(ml_vfs_register(NULL, support_key, 0), ML_E_INVALID);
    assert_int_equal(ml_vfs_register("x", NULL, 0), ML_E_INVALID);
    assert_int_equal(ml_vfs_register_over("x", support_key, "no-such-base", 0), ML_E_NOT_FOUND);
    assert_int_equal(ml_vfs_unregister("never"), ML_E_NOT_FOUND);
    assert_int_equal(ml_vfs_unregister(NULL), ML_E_NOT_FOUND);
    assert_int_equal(ml_vfs_unregister(SUPPORT_VFS), ML_OK);
    assert_null(sqlite3_vfs_find(SUPPORT_VFS));
    assert_int_equal(ml_vfs_register(SUPPORT_VFS, support_key, 0), ML_OK);
}

static void unregister_is_busy_while_a_file_is_open(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    assert_int_equal(ml_vfs_unregister(SUPPORT_VFS), ML_E_BUSY);
    support_fill(db, 1, 10);
    support_close_ok(db);
    assert_int_equal(ml_vfs_unregister(SUPPORT_VFS), ML_OK);
}

static void make_default_serves_a_plain_open(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = NULL;
    assert_int_equal(ml_vfs_register("default-sealed", support_key, 1), ML_OK);
    assert_int_equal(ml_vfs_register("second", support_key, 0), ML_OK); /* one layer, not two */
    assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
    support_fill(db, 10, 10);
    support_close_ok(db);
    assert_int_equal(ml_vfs_unregister("default-sealed"), ML_OK);
    assert_int_equal(sqlite3_open_v2(f->db, &db, SQLITE_OPEN_READWRITE, "second"), SQLITE_OK);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 10);
    support_close_ok(db);
    assert_int_equal(ml_vfs_unregister("second"), ML_OK);
    db = support_open_ok(f->db);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 10);
    support_close_ok(db);
}

static void each_vfs_has_its_own_key(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3 *other = NULL;
    const char *path = support_name(f, "2");
    support_fill(db, 10, 10);
    assert_int_equal(ml_vfs_register("other", support_other_key, 0), ML_OK);
    assert_int_equal(sqlite3_open_v2(path, &other, 6, "other"), SQLITE_OK);
    support_fill(other, 20, 10);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 10);
    support_close_ok(other);
    support_close_ok(db);
    assert_int_equal(ml_vfs_unregister("other"), ML_OK);
    assert_int_equal(support_open(&db, path, SQLITE_OPEN_READWRITE), SQLITE_NOTADB);
}

static void connections_of_a_process_see_each_others_commits(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *a = support_open_ok(f->db);
    sqlite3 *b = support_open_ok(f->db);
    support_fill(a, 100, 50);
    assert_int_equal(support_int(b, "SELECT count(*) FROM t"), 100);
    support_exec_ok(b, "BEGIN; SELECT * FROM t");
    support_exec_ok(a, "DELETE FROM t WHERE a > 50");
    assert_int_equal(support_int(b, "SELECT count(*) FROM t"), 100); /* its snapshot */
    support_exec_ok(b, "COMMIT");
    assert_int_equal(support_int(b, "SELECT count(*) FROM t"), 50);
    support_exec_ok(b, "BEGIN IMMEDIATE; INSERT INTO t(b) VALUES('x')");
    assert_int_equal(support_exec(a, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    support_exec_ok(b, "COMMIT");
    support_close_ok(a);
    assert_int_equal(support_int(b, "SELECT count(*) FROM t"), 51);
    support_close_ok(b);
}

/* What a child finds when it opens the path: SQLite's code. */
static int code_in_child(const char *path)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sqlite3 *db = NULL;
        int rc = support_open(&db, path, SQLITE_OPEN_READWRITE);
        if (rc == SQLITE_OK) {
            rc = support_exec(db, "SELECT count(*) FROM t");
            sqlite3_close(db);
        }
        _exit(rc & 0x7f);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void one_process_at_a_time(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    support_fill(db, 10, 10);
    assert_int_equal(code_in_child(f->db), SQLITE_BUSY);
    support_close_ok(db);
    assert_int_equal(code_in_child(f->db), SQLITE_OK);
}

static void closing_other_descriptors_keeps_the_lock(void **state)
{
    const struct support_folder *f = *state;
    size_t len = 0;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3 *second = support_open_ok(f->db);
    support_fill(db, 10, 10);
    free(support_read_file(f->db, &len)); /* opens and closes, which drops POSIX record locks */
    free(support_read_file(support_name(f, "-lock"), &len));
    free(support_read_file(support_name(f, "-wal"), &len));
    support_close_ok(second);
    assert_int_equal(code_in_child(f->db), SQLITE_BUSY);
    support_close_ok(db);
}

/* The child ends first, or the parent: neither frees the other's lock, nor keeps it. */
static void a_child_may_not_use_what_its_parent_opened(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    int ready[2];
    int go[2];
    support_fill(db, 10, 10);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char c = 0;
        close(go[1]); /* so that the end of the parent ends the child */
        int bad = support_exec(db, "INSERT INTO t(b) VALUES('child')") == SQLITE_OK;
        bad |= support_exec(db, "SELECT count(*) FROM t") == SQLITE_OK; /* and db stays open */
        bad |= write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) != 1;
        _exit(bad);
    }
    char c = 0;
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), 10);
    assert_int_equal(code_in_child(f->db), SQLITE_BUSY); /* still ours */
    support_close_ok(db);
    assert_int_equal(code_in_child(f->db), SQLITE_OK); /* the first child doesn't hold it */
    assert_int_equal(write(go[1], &c, 1), 1);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    close(go[1]);
}

static void nolock_immutable_and_psow_are_refused(void **state)
{
    const struct support_folder *f = *state;
    static const char *const refused[] = {"nolock=1", "immutable=1", "psow=0", "psow=1"};
    sqlite3 *db = support_open_ok(f->db);
    support_close_ok(db);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char *uri = sqlite3_mprintf("file:%s?%s", f->db, refused[i]);
        int rc = support_open(&db, uri, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI);
        sqlite3_free(uri);
        assert_int_equal(rc, SQLITE_CANTOPEN);
        support_expect_error(ML_E_DENIED, "URI parameter");
    }
    char *uri = sqlite3_mprintf("file:%s?mode=rw&cache=private", f->db);
    assert_int_equal(support_open(&db, uri, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI), SQLITE_OK);
    sqlite3_free(uri);
    support_close_ok(db);
}

static void a_second_name_of_an_open_file_is_refused(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3 *other = NULL;
    support_fill(db, 10, 10);
    assert_int_equal(link(f->db, support_name(f, "-link")), 0);
    assert_int_equal(support_open(&other, support_name(f, "-link"), SQLITE_OPEN_READWRITE),
                     SQLITE_CANTOPEN);
    support_expect_error(ML_E_DENIED, "another name");
    support_close_ok(db);
}

static void a_removed_or_replaced_file_is_not_joined(void **state)
{
    const struct support_folder *f = *state;
    sqlite3 *db = support_open_ok(f->db);
    sqlite3 *other = NULL;
    support_fill(db, 10, 10);
    assert_int_equal(unlink(f->db), 0);
    assert_int_equal(support_open(&other, f->db, 6), SQLITE_CANTOPEN);
    support_expect_error(ML_E_DENIED, "replaced");
    support_write_file(f->db, support_key, sizeof(support_key));
    assert_int_equal(support_open(&other, f->db, 6), SQLITE_CANTOPEN);
    support_expect_error(ML_E_DENIED, "replaced");
    support_close_ok(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(rows_come_back_after_reopening),
        T(a_new_database_is_in_wal_mode_with_48_reserved_bytes),
        T(creation_leaves_one_sealed_page_and_no_temporary_file),
        T(a_leftover_of_an_interrupted_creation_is_overwritten),
        T(an_empty_file_becomes_a_database),
        T(without_create_an_absent_file_is_not_found),
        T(a_vfs_name_is_taken_once_and_freed_by_unregister),
        T(unregister_is_busy_while_a_file_is_open),
        T(make_default_serves_a_plain_open),
        T(each_vfs_has_its_own_key),
        T(connections_of_a_process_see_each_others_commits),
        T(one_process_at_a_time),
        T(closing_other_descriptors_keeps_the_lock),
        T(a_child_may_not_use_what_its_parent_opened),
        T(nolock_immutable_and_psow_are_refused),
        T(a_second_name_of_an_open_file_is_refused),
        T(a_removed_or_replaced_file_is_not_joined),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
