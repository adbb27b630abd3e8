/* test_db.c -- one rule of core/store/db.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/store/db.h"
#include "fake_env.h"
#include "support_dir.h"

struct fixture {
    struct fake_env fake;
    char dir[256];
    char path[300];
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 1);
    support_dir_make(f.dir, sizeof(f.dir));
    support_path(f.path, sizeof(f.path), f.dir, "t.db");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    support_dir_remove(f->dir);
    return f->fake.live == 0 ? 0 : -1;
}

static struct ml_db_args args_of(struct fixture *f)
{
    return (struct ml_db_args){
        .env = &f->fake.env, .path = f->path, .flags = ML_DB_CREATE, .sync = ML_DB_SYNC_FULL};
}

static struct ml_db *open_ok(const struct ml_db_args *args)
{
    struct ml_db *db = NULL;
    assert_int_equal(ml_db_open(&db, args), ML_OK);
    return db;
}

static int64_t read_int(struct ml_db *db, const char *sql)
{
    struct ml_stmt *s = NULL;
    bool row = false;
    assert_int_equal(ml_stmt_prepare(&s, db, sql), ML_OK);
    assert_int_equal(ml_stmt_step(s, &row), ML_OK);
    assert_true(row);
    int64_t value = ml_stmt_int(s, 0);
    ml_stmt_free(s);
    return value;
}

static void absent_file_is_not_found_without_create(void **state)
{
    struct fixture *f = *state;
    struct ml_db *db = NULL;
    struct ml_db_args args = args_of(f);
    args.flags = 0;
    assert_int_equal(ml_db_open(&db, &args), ML_E_NOT_FOUND);
    assert_null(db);
    assert_int_equal(support_file_len(f->path), -1);
    args.flags = ML_DB_CREATE;
    args.path = "/nonexistent-folder/x.db";
    assert_int_equal(ml_db_open(&db, &args), ML_E_NOT_FOUND);
}

static void values_come_back_as_bound(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *db = open_ok(&args);
    assert_int_equal(ml_db_exec(db, "CREATE TABLE t(a, b, c, d, e)"), ML_OK);
    struct ml_stmt *s[2];
    const char *const sql[] = {"INSERT INTO t VALUES(?1,?2,?3,?4,?5)", "SELECT * FROM t"};
    assert_int_equal(ml_stmt_prepare_all(s, db, sql, 2), ML_OK);
    ml_stmt_bind_int(s[0], 1, INT64_MIN);
    ml_stmt_bind_blob(s[0], 2, "a\0b", 3);
    ml_stmt_bind_text(s[0], 3, "h\xc3\xa9", 3);
    ml_stmt_bind_null(s[0], 4);
    ml_stmt_bind_blob(s[0], 5, NULL, 0);
    assert_int_equal(ml_stmt_run(s[0]), ML_OK);
    assert_int_equal(ml_db_changes(db), 1);
    assert_int_equal(ml_db_last_rowid(db), 1);

    bool row = false;
    assert_int_equal(ml_stmt_step(s[1], &row), ML_OK);
    assert_true(row);
    assert_int_equal(ml_stmt_int(s[1], 0), INT64_MIN);
    assert_true(ml_slice_equal(ml_stmt_blob(s[1], 1), ml_slice("a\0b", 3)));
    assert_true(ml_slice_equal(ml_stmt_text(s[1], 2), ml_slice_str("h\xc3\xa9")));
    assert_true(ml_stmt_is_null(s[1], 3));
    assert_false(ml_stmt_is_null(s[1], 4)); /* an empty blob is a value */
    assert_int_equal(ml_stmt_blob(s[1], 4).len, 0);
    assert_int_equal(ml_stmt_step(s[1], &row), ML_OK);
    assert_false(row);
    ml_stmt_free_all(s, 2);
    assert_null(s[0]);
    ml_db_close(db);
}

static void reset_forgets_parameters_and_errors(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *db = open_ok(&args);
    struct ml_stmt *s = NULL;
    assert_int_equal(ml_stmt_prepare(&s, db, "SELECT ?1"), ML_OK);
    bool row = true;
    ml_stmt_bind_int(s, 9, 1); /* no such parameter */
    assert_int_equal(ml_stmt_step(s, &row), ML_E_INVALID);
    assert_false(row);
    ml_stmt_bind_int(s, 1, 7);
    assert_int_equal(ml_stmt_step(s, &row), ML_OK);
    assert_int_equal(ml_stmt_int(s, 0), 7);
    ml_stmt_reset(s);
    assert_int_equal(ml_stmt_step(s, &row), ML_OK);
    assert_true(ml_stmt_is_null(s, 0));
    ml_stmt_free(s);
    ml_stmt_free(NULL);
    ml_db_close(db);
    ml_db_close(NULL);
}

static void constraints_and_bad_sql_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *db = open_ok(&args);
    struct ml_stmt *s[2];
    assert_int_equal(ml_db_exec(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE NOT NULL);"
                                    "INSERT INTO t VALUES(1, 1);"),
                     ML_OK);
    assert_int_equal(ml_db_exec(db, "INSERT INTO t VALUES(1, 2)"), ML_E_EXISTS);
    assert_int_equal(ml_db_exec(db, "INSERT INTO t VALUES(2, 1)"), ML_E_EXISTS);
    assert_int_equal(ml_db_exec(db, "INSERT INTO t VALUES(3, NULL)"), ML_E_INVALID);
    const char *const sql[] = {"SELECT 1", "SELEC"};
    assert_int_equal(ml_stmt_prepare_all(s, db, sql, 2), ML_E_INVALID);
    assert_null(s[0]);
    ml_db_close(db);
}

static void rollback_undoes_and_is_idempotent(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *db = open_ok(&args);
    assert_int_equal(ml_db_exec(db, "CREATE TABLE t(a)"), ML_OK);
    assert_int_equal(ml_db_begin(db), ML_OK);
    assert_true(ml_db_in_transaction(db));
    assert_int_equal(ml_db_begin(db), ML_E_INVALID); /* they don't nest */
    assert_int_equal(ml_db_exec(db, "INSERT INTO t VALUES(1)"), ML_OK);
    ml_db_rollback(db);
    ml_db_rollback(db);
    assert_false(ml_db_in_transaction(db));
    assert_int_equal(read_int(db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(ml_db_begin(db), ML_OK);
    assert_int_equal(ml_db_exec(db, "INSERT INTO t VALUES(1)"), ML_OK);
    assert_int_equal(ml_db_commit(db), ML_OK);
    assert_int_equal(read_int(db, "SELECT count(*) FROM t"), 1);
    ml_db_close(db);
}

static void a_second_writer_is_busy(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *a = open_ok(&args);
    struct ml_db *b = open_ok(&args);
    assert_int_equal(ml_db_begin(a), ML_OK);
    assert_int_equal(ml_db_begin(b), ML_E_BUSY);
    ml_db_rollback(a);
    assert_int_equal(ml_db_begin(b), ML_OK);
    ml_db_rollback(b);
    ml_db_close(a);
    ml_db_close(b);
}

static void exclusive_keeps_others_out(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    args.flags |= ML_DB_EXCLUSIVE;
    struct ml_db *a = open_ok(&args);
    assert_int_equal(ml_db_exec(a, "CREATE TABLE t(a)"), ML_OK);
    struct ml_db *b = NULL;
    assert_int_equal(ml_db_open(&b, &args), ML_E_BUSY);
    ml_db_close(a);
    b = open_ok(&args);
    ml_db_close(b);
}

static void checkpoint_empties_the_wal(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *db = open_ok(&args);
    char wal[320];
    support_path(wal, sizeof(wal), f->dir, "t.db-wal");
    assert_int_equal(ml_db_exec(db, "CREATE TABLE t(a)"), ML_OK);
    assert_true(support_file_len(wal) > 0);
    assert_int_equal(ml_db_checkpoint(db), ML_OK);
    assert_int_equal(support_file_len(wal), 0);
    ml_db_close(db);
}

static void readonly_cannot_write(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *keep = open_ok(&args);
    assert_int_equal(ml_db_exec(keep, "CREATE TABLE t(a)"), ML_OK);
    args.flags = ML_DB_READONLY;
    struct ml_db *db = open_ok(&args);
    assert_int_equal(ml_db_exec(db, "INSERT INTO t VALUES(1)"), ML_E_READONLY);
    ml_db_close(db);
    ml_db_close(keep);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 2000; i++) {
        fputs("not a database. ", file);
    }
    fclose(file);
    struct ml_db *db = NULL;
    struct ml_db_args args = args_of(f);
    assert_int_equal(ml_db_open(&db, &args), ML_E_WRONG_KEY);
    assert_null(db);
}

struct problems {
    int count;
};

static void count_problem(void *user, const char *text)
{
    struct problems *p = user;
    p->count += text[0] != '\0';
}

static void integrity_names_a_damaged_page(void **state)
{
    struct fixture *f = *state;
    struct ml_db_args args = args_of(f);
    struct ml_db *db = open_ok(&args);
    assert_int_equal(
        ml_db_exec(db, "CREATE TABLE t(a); CREATE INDEX i ON t(a);"
                       "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 5000)"
                       "INSERT INTO t SELECT x*7 FROM c"),
        ML_OK);
    struct problems p = {0};
    assert_int_equal(ml_db_integrity(db, count_problem, &p), ML_OK);
    assert_int_equal(p.count, 0);
    ml_db_close(db);
    for (long at = 16384; at < 16384 + 64; at++) {
        support_flip_byte(f->path, at);
    }
    db = open_ok(&args);
    ml_err err = ml_db_integrity(db, count_problem, &p);
    assert_true(err == ML_E_CORRUPT || (err == ML_OK && p.count > 0));
    ml_db_close(db);
}

/* Migrations. */

static ml_err fail_run(struct ml_db *db, void *user)
{
    int *left = user;
    (void)db;
    return *left > 0 && --*left == 0 ? ML_E_IO : ML_OK;
}

static const struct ml_db_step steps[] = {
    {.sql = "CREATE TABLE t(a); INSERT INTO t VALUES(1)"},
    {.sql = "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1", .run = fail_run},
    {.sql = "UPDATE t SET b = b * 10"},
};

static void migrations_run_once_each(void **state)
{
    struct fixture *f = *state;
    int fail = 0;
    struct ml_db_args args = args_of(f);
    struct ml_db_schema schema = {0x4d4c5431, steps, 1, &fail};
    args.schema = &schema;
    struct ml_db *db = open_ok(&args);
    assert_int_equal(read_int(db, "PRAGMA user_version"), 1);
    ml_db_close(db);
    schema.step_count = 3;
    for (int i = 0; i < 2; i++) {
        db = open_ok(&args);
        assert_int_equal(read_int(db, "PRAGMA user_version"), 3);
        assert_int_equal(read_int(db, "SELECT b FROM t"), 20);
        ml_db_close(db);
    }
}

static void interrupted_migration_goes_on_where_it_stopped(void **state)
{
    struct fixture *f = *state;
    int fail = 1;
    struct ml_db_args args = args_of(f);
    struct ml_db_schema schema = {0x4d4c5431, steps, 3, &fail};
    struct ml_db *db = NULL;
    args.schema = &schema;
    assert_int_equal(ml_db_open(&db, &args), ML_E_IO);
    assert_null(db);
    args.schema = NULL;
    db = open_ok(&args);
    assert_int_equal(read_int(db, "PRAGMA user_version"), 1);
    assert_int_equal(read_int(db, "SELECT count(*) FROM pragma_table_info('t')"), 1);
    ml_db_close(db);
    args.schema = &schema;
    db = open_ok(&args);
    assert_int_equal(read_int(db, "SELECT b FROM t"), 20);
    ml_db_close(db);
}

static void newer_schema_is_refused_untouched(void **state)
{
    struct fixture *f = *state;
    int fail = 0;
    struct ml_db_args args = args_of(f);
    struct ml_db_schema schema = {0x4d4c5431, steps, 3, &fail};
    args.schema = &schema;
    ml_db_close(open_ok(&args));
    struct ml_db *db = NULL;
    schema.step_count = 2;
    assert_int_equal(ml_db_open(&db, &args), ML_E_UNSUPPORTED);
    schema.step_count = 3;
    schema.application_id = 5;
    assert_int_equal(ml_db_open(&db, &args), ML_E_INVALID); /* another kind of database */
    schema.application_id = 0x4d4c5431;
    args.flags = ML_DB_READONLY;
    db = open_ok(&args);
    ml_db_close(db);
}

static void readonly_does_not_migrate(void **state)
{
    struct fixture *f = *state;
    int fail = 0;
    struct ml_db_args args = args_of(f);
    struct ml_db_schema schema = {0x4d4c5431, steps, 1, &fail};
    args.schema = &schema;
    struct ml_db *keep = open_ok(&args);
    schema.step_count = 3;
    args.flags = ML_DB_READONLY;
    struct ml_db *db = NULL;
    assert_int_equal(ml_db_open(&db, &args), ML_E_READONLY);
    ml_db_close(keep);
}

static void open_and_prepare_survive_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    int fail = 0;
    struct ml_db_args args = args_of(f);
    struct ml_db_schema schema = {0x4d4c5431, steps, 3, &fail};
    args.schema = &schema;
    for (long nth = 1;; nth++) {
        struct ml_db *db = NULL;
        f->fake.fail_alloc = nth;
        ml_err err = ml_db_open(&db, &args);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            assert_true(nth > 3);
            ml_db_close(db);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_null(db);
        assert_int_equal(f->fake.live, 0);
    }
}

static void a_folder_that_cannot_be_written_is_told(void **state)
{
    struct fixture *f = *state;
    struct ml_db *db = NULL;
    struct ml_db_args args = args_of(f);
    args.path = f->dir; /* a folder is no file */
    ml_err err = ml_db_open(&db, &args);
    assert_true(err == ML_E_IO || err == ML_E_READONLY);
    assert_null(db);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(absent_file_is_not_found_without_create),
        TEST(values_come_back_as_bound),
        TEST(reset_forgets_parameters_and_errors),
        TEST(constraints_and_bad_sql_are_told_apart),
        TEST(rollback_undoes_and_is_idempotent),
        TEST(a_second_writer_is_busy),
        TEST(exclusive_keeps_others_out),
        TEST(checkpoint_empties_the_wal),
        TEST(readonly_cannot_write),
        TEST(a_file_that_is_no_database_is_refused),
        TEST(integrity_names_a_damaged_page),
        TEST(migrations_run_once_each),
        TEST(interrupted_migration_goes_on_where_it_stopped),
        TEST(newer_schema_is_refused_untouched),
        TEST(readonly_does_not_migrate),
        TEST(open_and_prepare_survive_any_failed_alloc),
        TEST(a_folder_that_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
