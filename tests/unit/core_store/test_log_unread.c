/* test_log_unread.c -- SHREDs that an earlier program stored, which didn't know them, are obeyed
 * once this one opens the log (docs/storage/log.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/db.h"
#include "support_shred.h"

static void raw(struct fixture *f, const char *sql)
{
    char path[300];
    struct ml_db *db = NULL;
    world_path(&f->w, path, sizeof(path));
    const struct ml_db_args args = {.env = &f->w.fake.env, .path = path, .vfs = SEALED};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    assert_int_equal(ml_db_exec(db, sql), ML_OK);
    ml_db_close(db);
}

/* What a program of version 2 stored, which kept a SHRED and didn't know what it says. */
static void stored_unread(struct fixture *f, const struct ml_keyop *op)
{
    ml_log_close(f->a);
    raw(f, "CREATE TABLE old_body AS SELECT n, bytes FROM body;"
           "CREATE TABLE old_bundle AS SELECT n AS m, bytes, flags FROM bundle");
    assert_int_equal(world_try_open(&f->w, &f->a), ML_OK);
    (void)shred_by(f, CHIEF, op);
    assert_true(is_leaf(f->a, &f->wrap));
    ml_log_close(f->a);
    f->a = NULL;
    raw(f, "UPDATE body SET bytes = (SELECT bytes FROM old_body o WHERE o.n = body.n)"
           " WHERE n IN (SELECT n FROM old_body);"
           "UPDATE bundle SET (bytes, flags) = (SELECT bytes, flags FROM old_bundle WHERE m = n)"
           " WHERE n IN (SELECT m FROM old_bundle);"
           "DROP TABLE old_body; DROP TABLE old_bundle;"
           "DROP TABLE past; ALTER TABLE tally DROP COLUMN past;"
           "DROP TABLE shred; DROP INDEX bundle_lane1; PRAGMA user_version=2");
}

static void what_an_earlier_program_stored_is_obeyed_at_the_upgrade(void **state)
{
    struct fixture *f = *state;
    const struct ml_keyop op = shred_op(f);
    struct ml_buf value;
    stored_unread(f, &op);
    assert_int_equal(world_try_open(&f->w, &f->a), ML_OK);
    assert_true(is_leaf(f->a, &f->wrap));
    assert_int_equal(ml_log_shreds(f->a), 1);
    assert_int_equal(ml_log_shreds_wiped(f->a), ML_OK);
    f->a = world_reopen(&f->w, f->a); /* once */
    assert_int_equal(ml_log_shreds(f->a), 1);
    ml_buf_init(&value, &f->w.fake.env, 16);
    assert_int_equal(ml_log_setting_get(f->a, "shreds.unread", &value), ML_E_NOT_FOUND);
    ml_buf_free(&value);
}

/* Cut anywhere, the next opening does it. */
static void an_upgrade_that_fails_is_done_at_the_next_opening(void **state)
{
    struct fixture *f = *state;
    const struct ml_keyop op = shred_op(f);
    ml_err err = ML_E_IO;
    stored_unread(f, &op);
    for (long nth = 1; err != ML_OK; nth++) {
        const struct fault_plan plan = {.ops = FAULT_ALL, .nth = nth};
        assert_true(nth < 2000);
        fault_disk_plan(f->disk, &plan);
        err = world_try_open(&f->w, &f->a);
        fault_disk_plan(f->disk, NULL);
    }
    assert_true(is_leaf(f->a, &f->wrap));
    assert_int_equal(ml_log_shreds(f->a), 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_an_earlier_program_stored_is_obeyed_at_the_upgrade),
        T(an_upgrade_that_fails_is_done_at_the_next_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
