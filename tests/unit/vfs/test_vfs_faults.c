/* test_vfs_faults.c -- each call that can fail is made to fail, the 1st, 2nd, 3rd... until none is
 * left: the error is clear, nothing acknowledged is lost, work goes on afterwards, and after it the
 * database opens and is sound. Memory likewise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_env.h"
#include "support_disk.h"

static const struct support_work small = {.steps = 8, .step_size = 12, .reopen = true};
static const struct support_work spilling = {.steps = 4, .step_size = 100, .reopen = true};

/* A failure was reported to the program, in words, as one of these. */
static void expect_clear(const struct support_work *w, const struct fault_plan *plan)
{
    char text[300] = "";
    ml_err err = ml_vfs_last_error(SUPPORT_VFS, text, sizeof(text));
    assert_true(text[0] != '\0');
    assert_true(err == (plan->full ? ML_E_FULL : ML_E_IO) || err == ML_E_IO ||
                err == ML_E_NOT_FOUND);
    int code = w->last_code & 0xff;
    assert_true(w->last_code == 0 || code == SQLITE_IOERR || code == SQLITE_FULL ||
                code == SQLITE_CANTOPEN || code == SQLITE_ERROR);
}

/* Returns how many calls there were to fail. */
static long fail_each(struct fault_plan plan, const struct support_work *work, long stride)
{
    for (plan.nth = 1;; plan.nth += stride) {
        struct fault_disk *disk = support_disk_new((uint64_t)plan.nth);
        struct support_work w = *work;
        fault_disk_plan(disk, &plan);
        support_work_run(&w, disk);
        bool fired = fault_disk_fired(disk);
        if (fired && w.failed > 0) {
            expect_clear(&w, &plan);
        }
        fault_disk_plan(disk, NULL);
        support_work_check(&w);
        fault_disk_restart(disk, FAULT_KEEP_RANDOM);
        support_work_check(&w);
        w.steps = 2; /* a user goes on */
        w.failed = 0;
        support_work_run(&w, disk);
        assert_int_equal(w.failed, 0);
        support_work_check(&w);
        assert_false(fault_disk_holds(disk, SUPPORT_CANARY));
        support_disk_free(disk);
        if (!fired) {
            return plan.nth;
        }
    }
}

static void a_failed_write_loses_no_commit(void **state)
{
    (void)state;
    assert_true(fail_each((struct fault_plan){.ops = FAULT_WRITE}, &small, 1) > 100);
}

static void a_torn_write_loses_no_commit(void **state)
{
    (void)state;
    assert_true(fail_each((struct fault_plan){.ops = FAULT_WRITE, .torn = true}, &small, 1) > 100);
    fail_each((struct fault_plan){.ops = FAULT_WRITE, .torn = true}, &spilling, 7);
}

static void a_full_disk_loses_no_commit(void **state)
{
    (void)state;
    const struct fault_plan plan = {.ops = FAULT_WRITE | FAULT_OPEN | FAULT_LOCK, .full = true};
    assert_true(fail_each(plan, &small, 1) > 100);
    fail_each((struct fault_plan){.ops = FAULT_WRITE, .full = true}, &spilling, 7);
}

static void a_failed_sync_loses_no_commit(void **state)
{
    (void)state;
    const struct fault_plan plan = {.ops = FAULT_SYNC | FAULT_FOLDER | FAULT_RENAME};
    assert_true(fail_each(plan, &small, 1) > 10);
}

static void a_failed_read_loses_no_commit(void **state)
{
    (void)state;
    assert_true(fail_each((struct fault_plan){.ops = FAULT_READ}, &small, 1) > 20);
    fail_each((struct fault_plan){.ops = FAULT_READ}, &spilling, 7);
}

static void any_other_failed_call_loses_no_commit(void **state)
{
    (void)state;
    const struct fault_plan plan = {.ops = FAULT_OPEN | FAULT_TRUNCATE | FAULT_DELETE |
                                           FAULT_ACCESS | FAULT_SIZE | FAULT_LOCK};
    assert_true(fail_each(plan, &small, 1) > 20);
}

/* From some call on nothing works, until a restart. */
static void a_disk_that_goes_bad_loses_no_commit(void **state)
{
    (void)state;
    const struct fault_plan plan = {.ops = FAULT_ALL, .forever = true};
    fail_each(plan, &small, 3);
}

/* One bit changes on the way from the disk: an error, or a repeated read, never other data. */
static void a_flipped_bit_is_never_data(void **state)
{
    (void)state;
    for (long nth = 1;; nth++) {
        struct fault_disk *disk = support_disk_new((uint64_t)nth);
        struct support_work w = small;
        const struct fault_plan plan = {.ops = FAULT_READ, .nth = nth, .flip = true};
        fault_disk_plan(disk, &plan);
        support_work_run(&w, disk);
        bool fired = fault_disk_fired(disk);
        fault_disk_plan(disk, NULL);
        support_work_check(&w);
        support_disk_free(disk);
        if (!fired) {
            return;
        }
    }
}

/* A torn rewrite of a slot leaves a frame that doesn't open, in the open WAL: the transaction
 * fails, the next one on the same connection writes that slot anew. */
static void after_a_torn_rewrite_the_same_connection_goes_on(void **state)
{
    bool fired = true;
    (void)state;
    for (long nth = 1; fired; nth += 5) {
        struct fault_disk *disk = support_disk_new((uint64_t)nth);
        const struct fault_plan plan = {.ops = FAULT_WRITE, .nth = nth, .torn = true};
        sqlite3 *db = support_disk_open_ok();
        support_exec_ok(db, "PRAGMA cache_size=5");
        support_fill(db, 600, 400);
        support_exec_ok(db, "PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM t WHERE a = 1");
        fault_disk_plan(disk, &plan);
        static const char update[] = "BEGIN; UPDATE t SET b = b || 'x'; UPDATE t SET b = b || 'y';"
                                     "UPDATE t SET b = b || 'z'; COMMIT";
        int rc = support_exec(db, update);
        fired = fault_disk_fired(disk);
        fault_disk_plan(disk, NULL);
        assert_true(fired == (rc != SQLITE_OK));
        support_exec(db, "ROLLBACK");
        support_exec_ok(db, update);
        assert_true(support_is_sound(db));
        support_close_ok(db);
        support_disk_free(disk);
        assert_true(fired || nth > 100);
    }
}

static void a_quota_is_full_and_room_heals_it(void **state)
{
    (void)state;
    for (uint64_t quota = 4096; quota < 120000; quota += 7000) {
        struct fault_disk *disk = support_disk_new(quota);
        struct support_work w = small;
        fault_disk_quota(disk, quota);
        support_work_run(&w, disk);
        assert_true(w.failed > 0);
        assert_int_equal(w.last_code & 0xff, SQLITE_FULL);
        support_expect_error(ML_E_FULL, "full");
        fault_disk_quota(disk, 0);
        support_work_check(&w);
        w.failed = 0;
        support_work_run(&w, disk);
        assert_int_equal(w.failed, 0);
        support_work_check(&w);
        support_disk_free(disk);
    }
}

/* True while there was an nth allocation to fail. */
static bool allocation_fails(long nth)
{
    struct fake_env fake;
    struct support_work w = small;
    struct fault_disk *disk = fault_disk_new(SUPPORT_DISK, 1);
    assert_non_null(disk);
    fake_env_init(&fake, 1);
    const struct ml_vfs_setup setup = {
        .name = SUPPORT_VFS, .key = support_key, .base = SUPPORT_DISK, .env = &fake.env};
    fake.fail_alloc = nth;
    int rc = ml_vfs_register_with(&setup);
    bool fired = rc != ML_OK;
    if (rc == ML_OK) {
        support_work_run(&w, disk);
        fired = fake.fail_alloc == 0;
        fake.fail_alloc = 0;
        assert_true(!fired || w.failed > 0);
        support_work_check(&w);
        assert_int_equal(ml_vfs_unregister(SUPPORT_VFS), ML_OK);
    } else {
        assert_int_equal(rc, ML_E_NOMEM);
    }
    assert_int_equal(fake.live, 0);
    fault_disk_free(disk);
    return fired;
}

/* NOMEM where it must be, no leak anywhere, and the database is as it was. */
static void each_failed_allocation_is_an_error_and_leaks_nothing(void **state)
{
    long nth = 1;
    (void)state;
    while (allocation_fails(nth)) {
        nth++;
    }
    assert_true(nth > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_write_loses_no_commit),
        cmocka_unit_test(a_torn_write_loses_no_commit),
        cmocka_unit_test(a_full_disk_loses_no_commit),
        cmocka_unit_test(a_failed_sync_loses_no_commit),
        cmocka_unit_test(a_failed_read_loses_no_commit),
        cmocka_unit_test(any_other_failed_call_loses_no_commit),
        cmocka_unit_test(a_disk_that_goes_bad_loses_no_commit),
        cmocka_unit_test(a_flipped_bit_is_never_data),
        cmocka_unit_test(after_a_torn_rewrite_the_same_connection_goes_on),
        cmocka_unit_test(a_quota_is_full_and_room_heals_it),
        cmocka_unit_test(each_failed_allocation_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
