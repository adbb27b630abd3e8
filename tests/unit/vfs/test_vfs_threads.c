/* test_vfs_threads.c -- connections of several threads on one database: writers wait their turn,
 * readers keep their snapshot, opening and closing go on meanwhile (rules C9). Run under the thread
 * sanitizer too. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support_vfs.h"

#define THREADS 4
#define STEPS   60

struct job {
    const char *path;
    int number;
    int failed; /* the first SQLite code that wasn't OK */
};

static int job_exec(struct job *j, sqlite3 *db, const char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK && j->failed == 0) {
        j->failed = rc;
    }
    return rc;
}

/* cmocka's asserts belong to the main thread: a thread only notes what went wrong. */
static int job_open(struct job *j, sqlite3 **db)
{
    int rc = support_open(db, j->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (rc != SQLITE_OK) {
        j->failed = rc;
        return rc;
    }
    sqlite3_busy_timeout(*db, 60000);
    return job_exec(j, *db, "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=50");
}

static void *write_and_read(void *arg)
{
    struct job *j = arg;
    sqlite3 *db = NULL;
    for (int i = 0; i < STEPS && j->failed == 0; i++) {
        if (db == NULL && job_open(j, &db) != SQLITE_OK) {
            break;
        }
        job_exec(j, db,
                 "BEGIN IMMEDIATE;"
                 "UPDATE sum SET n = n + 1;"
                 "INSERT INTO t(b) VALUES(hex(randomblob(300)));"
                 "COMMIT");
        job_exec(j, db, "SELECT count(*), max(length(b)) FROM t");
        if (i % 10 == j->number) {
            sqlite3_close(db);
            db = NULL;
        }
    }
    sqlite3_close(db);
    return NULL;
}

static void threads_share_a_database(void **state)
{
    struct support_folder f;
    struct job jobs[THREADS];
    pthread_t threads[THREADS];
    (void)state;
    support_folder_make(&f);
    sqlite3 *db = support_open_ok(f.db);
    support_exec_ok(db, "CREATE TABLE sum(n INT); INSERT INTO sum VALUES(0);"
                        "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    support_close_ok(db); /* the threads open and create the shared state by themselves */
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.path = f.db, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_and_read, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].failed, SQLITE_OK);
    }
    db = support_open_ok(f.db);
    assert_int_equal(support_int(db, "SELECT n FROM sum"), THREADS * STEPS);
    assert_int_equal(support_int(db, "SELECT count(*) FROM t"), THREADS * STEPS);
    assert_true(support_is_sound(db));
    support_close_ok(db);
    support_folder_remove(&f);
}

static void *create_once(void *arg)
{
    struct job *j = arg;
    sqlite3 *db = NULL;
    if (job_open(j, &db) == SQLITE_OK) {
        job_exec(j, db, "CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b)");
        job_exec(j, db, "INSERT INTO t(b) VALUES('one')");
    }
    sqlite3_close(db);
    return NULL;
}

static void threads_that_open_a_new_database_make_one(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct support_folder f;
        struct job jobs[THREADS];
        pthread_t threads[THREADS];
        support_folder_make(&f);
        for (int i = 0; i < THREADS; i++) {
            jobs[i] = (struct job){.path = f.db};
            assert_int_equal(pthread_create(&threads[i], NULL, create_once, &jobs[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_int_equal(jobs[i].failed, SQLITE_OK);
        }
        sqlite3 *db = support_open_ok(f.db);
        assert_int_equal(support_int(db, "SELECT count(*) FROM t"), THREADS);
        support_close_ok(db);
        support_folder_remove(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_database),
        cmocka_unit_test(threads_that_open_a_new_database_make_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
