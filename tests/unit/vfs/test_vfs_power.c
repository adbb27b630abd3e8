/* test_vfs_power.c -- power is cut at every change the disk sees (rules C1, C2, C4, C7, C8): after
 * each cut the database opens, is sound, and holds all that was acknowledged (architecture I11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support_disk.h"

static void no_plaintext(struct fault_disk *disk)
{
    assert_false(fault_disk_holds(disk, SUPPORT_CANARY));
    assert_false(fault_disk_holds(disk, "SQLite format 3"));
}

/* Cuts at change 1, 2, 3... until the work ends first. Every third time power goes again while the
 * database recovers. Returns how many cuts there were. */
static long cut_everywhere(struct support_work plan, enum fault_keep keep, long stride)
{
    for (long cut = 1;; cut += stride) {
        struct fault_disk *disk = support_disk_new((uint64_t)cut);
        struct support_work w = plan;
        fault_disk_cut_at(disk, cut);
        support_work_run(&w, disk);
        bool whole = !fault_disk_is_dead(disk);
        no_plaintext(disk);
        fault_disk_restart(disk, keep);
        if (cut % 3 == 0) {
            w.steps = 1;
            fault_disk_cut_at(disk, 1 + cut % 11);
            support_work_run(&w, disk);
            fault_disk_restart(disk, keep);
        }
        no_plaintext(disk);
        support_work_check(&w);
        support_disk_free(disk);
        if (whole) {
            return cut;
        }
    }
}

static void nothing_unsynced_survives(void **state)
{
    (void)state;
    const struct support_work plan = {.steps = 9, .step_size = 20, .reopen = true};
    assert_true(cut_everywhere(plan, FAULT_KEEP_SYNCED, 1) > 100);
}

static void writes_survive_in_order_and_the_last_is_torn(void **state)
{
    (void)state;
    const struct support_work plan = {.steps = 9, .step_size = 20, .reopen = true};
    assert_true(cut_everywhere(plan, FAULT_KEEP_PREFIX, 1) > 100);
}

static void each_sector_survives_or_not_on_its_own(void **state)
{
    (void)state;
    const struct support_work plan = {.steps = 9, .step_size = 20, .reopen = true};
    assert_true(cut_everywhere(plan, FAULT_KEEP_RANDOM, 1) > 100);
}

/* Transactions larger than the cache: slots are rewritten in place and checksums redone (C7). */
static void spilling_transactions_survive_too(void **state)
{
    (void)state;
    const struct support_work plan = {.steps = 6, .step_size = 120};
    assert_true(cut_everywhere(plan, FAULT_KEEP_RANDOM, 5) > 700);
}

/* The end of the process alone: what was written is there, synced or not. */
static void the_end_of_the_process_loses_nothing(void **state)
{
    (void)state;
    const struct support_work plan = {.steps = 9, .step_size = 20, .reopen = true};
    assert_true(cut_everywhere(plan, FAULT_KEEP_ALL, 1) > 100);
}

static void a_created_database_survives(void **state)
{
    (void)state;
    struct fault_disk *disk = support_disk_new(1);
    sqlite3 *db = NULL;
    support_close_ok(support_disk_open_ok());
    fault_disk_restart(disk, FAULT_KEEP_SYNCED);
    assert_int_equal(support_open(&db, SUPPORT_DB, SQLITE_OPEN_READWRITE), SQLITE_OK);
    assert_true(support_is_sound(db));
    support_close_ok(db);
    support_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_unsynced_survives),
        cmocka_unit_test(writes_survive_in_order_and_the_last_is_torn),
        cmocka_unit_test(each_sector_survives_or_not_on_its_own),
        cmocka_unit_test(spilling_transactions_survive_too),
        cmocka_unit_test(the_end_of_the_process_loses_nothing),
        cmocka_unit_test(a_created_database_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
