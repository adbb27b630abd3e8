/* test_log_migrate.c -- a log of each earlier version, opened by this program: it becomes the
 * present one with all that it held; cut anywhere, it is the old one or the new one, whole; and a
 * log of a later program keeps every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/log_impl.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

#define DISK   "migrate-disk"
#define SEALED "migrate-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "one more key, and of 32 bytes..";

/* back[i] leads from version i + 2 to i + 1: each step of log_sql.c needs its way back here, so
 * that this test has something old to open. */
static const char *const back[] = {
    ("DROP TABLE chunk; DROP TABLE chunk_body; ALTER TABLE tally DROP COLUMN chunks_missing;"
     "ALTER TABLE tally DROP COLUMN chunks"),
    "DROP TABLE shred; DROP INDEX bundle_lane1",
    "DROP TABLE past; ALTER TABLE tally DROP COLUMN past",
};
enum {
    BACK_COUNT = sizeof(back) / sizeof(back[0]),
    LAYOUT_MAX = 8192,
    VERSIONS_MAX = 32,
    RECORDS = 12
};

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *log;
    char path[300];
    struct ml_hash whole; /* state of the log before anything */
    struct ml_log_counts counts;
};

static struct ml_db *raw_open(struct fixture *f, const char *path,
                              const struct ml_db_schema *schema)
{
    struct ml_db *db = NULL;
    const struct ml_db_args args = {.env = &f->w.fake.env,
                                    .path = path,
                                    .vfs = SEALED,
                                    .flags = schema == NULL ? 0 : ML_DB_CREATE,
                                    .schema = schema};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    return db;
}

/* Version and every table and index, as text. */
static void layout_of(struct ml_db *db, char out[LAYOUT_MAX])
{
    static const char sql[] =
        "SELECT (SELECT user_version FROM pragma_user_version) || group_concat(x, ';') FROM"
        " (SELECT type || ' ' || name || ' ' || ifnull(sql, '') AS x FROM sqlite_master"
        "  ORDER BY type, name)";
    struct ml_stmt *st = NULL;
    bool row = false;
    assert_int_equal(ml_stmt_prepare(&st, db, sql), ML_OK);
    assert_int_equal(ml_stmt_step(st, &row), ML_OK);
    const struct ml_slice text = ml_stmt_text(st, 0);
    assert_in_range(text.len, 1, LAYOUT_MAX - 1);
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    ml_stmt_free(st);
}

/* As a program that knew no more than `version` made it; told once. */
static const char *layout_fresh(struct fixture *f, uint32_t version)
{
    static char told[VERSIONS_MAX][LAYOUT_MAX];
    char name[40];
    assert_in_range(version, 1, VERSIONS_MAX - 1);
    if (told[version][0] == '\0') {
        struct ml_db_schema schema = ml_log_schema;
        schema.step_count = version;
        snprintf(name, sizeof(name), "fresh-%u.db", version);
        struct ml_db *db = raw_open(f, name, &schema);
        layout_of(db, told[version]);
        ml_db_close(db);
    }
    return told[version];
}

/* Of a program that was killed: its last commits stand in the WAL alone. */
static void make_older(struct fixture *f, uint32_t version)
{
    char sql[64];
    struct ml_db *db = raw_open(f, f->path, NULL);
    for (uint32_t v = ml_log_schema.step_count; v > version; v--) {
        assert_int_equal(ml_db_exec(db, back[v - 2]), ML_OK);
        snprintf(sql, sizeof(sql), "PRAGMA user_version=%u", v - 1);
        assert_int_equal(ml_db_exec(db, sql), ML_OK);
    }
    struct fault_image *killed = fault_disk_image(f->disk, f->path);
    ml_db_close(db);
    fault_disk_put_image(f->disk, killed);
    fault_image_free(killed);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    world_init(&f->w, 41);
    world_found(&f->w);
    f->disk = fault_disk_new(DISK, 11);
    assert_non_null(f->disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f->w.vfs = SEALED;
    f->log = world_log(&f->w);
    world_path(&f->w, f->path, sizeof(f->path));
    assert_int_equal(world_ingest(f->log, f->w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f->w, f->log, 1);
    for (unsigned i = 0; i < RECORDS; i++) {
        (void)world_record(&f->w, f->log, i % 2, 3);
    }
    assert_int_equal(ml_log_setting_put(f->log, "k", ml_slice("v", 1)), ML_OK);
    assert_int_equal(ml_log_state_hash(f->log, &f->whole), ML_OK);
    assert_int_equal(ml_log_counts(f->log, &f->counts), ML_OK);
    ml_log_close(f->log);
    f->log = NULL;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->log);
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    int rc = world_free(&f->w);
    free(f);
    return rc;
}

static void fail_on_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

/* This program opens it, and everything is there. Closed again. */
static void check_whole(struct fixture *f)
{
    struct ml_hash hash;
    struct ml_log_counts counts;
    struct ml_buf value;
    ml_buf_init(&value, &f->w.fake.env, 10);
    assert_int_equal(world_try_open(&f->w, &f->log), ML_OK);
    assert_int_equal(ml_log_verify(f->log, fail_on_problem, NULL), ML_OK);
    assert_int_equal(ml_log_state_hash(f->log, &hash), ML_OK);
    assert_memory_equal(hash.b, f->whole.b, sizeof(hash.b));
    assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
    assert_memory_equal(&counts, &f->counts, sizeof(counts));
    assert_int_equal(ml_log_setting_get(f->log, "k", &value), ML_OK);
    ml_buf_free(&value);
    ml_log_close(f->log);
    f->log = NULL;
}

/* One of the versions from `from` on, as that version's program made it; nothing between. */
static void check_not_half(struct fixture *f, uint32_t from)
{
    static char is[LAYOUT_MAX];
    struct ml_db *db = raw_open(f, f->path, NULL);
    layout_of(db, is);
    ml_db_close(db);
    const uint32_t version = (uint32_t)strtoul(is, NULL, 10);
    assert_in_range(version, from, ml_log_schema.step_count);
    assert_string_equal(is, layout_fresh(f, version));
}

static void each_earlier_version_becomes_the_present_one(void **state)
{
    struct fixture *f = *state;
    static char is[LAYOUT_MAX];
    assert_int_equal(BACK_COUNT, ml_log_schema.step_count - 1);
    for (uint32_t v = ml_log_schema.step_count - 1; v >= 1; v--) {
        make_older(f, v);
        check_not_half(f, v); /* really what that program made */
        check_whole(f);
        struct ml_db *db = raw_open(f, f->path, NULL);
        layout_of(db, is);
        ml_db_close(db);
        assert_string_equal(is, layout_fresh(f, ml_log_schema.step_count));
    }
}

static void a_migration_cut_at_any_write_is_old_or_new(void **state)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_ALL, FAULT_KEEP_PREFIX,
                                            FAULT_KEEP_RANDOM};
    struct fixture *f = *state;
    long cuts = 0;
    make_older(f, 1);
    struct fault_image *old = fault_disk_image(f->disk, f->path);
    for (size_t keep = 0; keep < sizeof(keeps) / sizeof(keeps[0]); keep++) {
        bool dead = true;
        for (long nth = 1; dead; nth++) {
            fault_disk_put_image(f->disk, old);
            fault_disk_cut_at(f->disk, nth);
            ml_err err = world_try_open(&f->w, &f->log);
            ml_log_close(f->log);
            f->log = NULL;
            dead = fault_disk_is_dead(f->disk);
            assert_true(dead || err == ML_OK);
            fault_disk_cut_at(f->disk, 0);
            fault_disk_restart(f->disk, keeps[keep]);
            check_not_half(f, 1);
            check_whole(f);
            cuts += dead;
        }
    }
    fault_image_free(old);
    assert_true(cuts > 40);
}

static void a_migration_whose_calls_fail_is_told_and_goes_on_later(void **state)
{
    struct fixture *f = *state;
    make_older(f, 1);
    struct fault_image *old = fault_disk_image(f->disk, f->path);
    for (unsigned mode = 0; mode < 3; mode++) {
        bool fired = true;
        for (long nth = 1; fired; nth++) {
            const struct fault_plan plan = {
                .ops = FAULT_ALL, .nth = nth, .torn = mode == 1, .full = mode == 2};
            fault_disk_put_image(f->disk, old);
            fault_disk_plan(f->disk, &plan);
            ml_err err = world_try_open(&f->w, &f->log);
            ml_log_close(f->log);
            f->log = NULL;
            fired = fault_disk_fired(f->disk);
            fault_disk_plan(f->disk, NULL);
            assert_true(err == ML_OK || err == ML_E_IO || err == ML_E_FULL || err == ML_E_CORRUPT);
            assert_true(err == ML_OK || fired);
            check_not_half(f, 1);
            check_whole(f);
        }
    }
    fault_image_free(old);
}

static void a_migration_without_memory_is_told_and_goes_on_later(void **state)
{
    struct fixture *f = *state;
    make_older(f, 1);
    struct fault_image *old = fault_disk_image(f->disk, f->path);
    ml_err err = ML_E_NOMEM;
    for (long nth = 1; err != ML_OK; nth++) {
        const long live = f->w.fake.live;
        fault_disk_put_image(f->disk, old);
        f->w.fake.fail_alloc = nth;
        err = world_try_open(&f->w, &f->log);
        const bool spared = fake_spared(&f->w.fake);
        assert_true(err == ML_E_NOMEM || (err == ML_OK && spared));
        ml_log_close(f->log);
        f->log = NULL;
        assert_int_equal(f->w.fake.live, live);
        check_not_half(f, 1);
        check_whole(f);
    }
    fault_image_free(old);
}

/* With commits that stand in its WAL only, as kill -9 leaves them. */
static void a_log_of_a_later_program_keeps_every_byte(void **state)
{
    struct fixture *f = *state;
    char wal[320];
    char sql[64];
    size_t len[2];
    size_t now = 0;
    snprintf(wal, sizeof(wal), "%s-wal", f->path);
    const char *const names[] = {f->path, wal};
    struct ml_db *db = raw_open(f, f->path, NULL);
    snprintf(sql, sizeof(sql), "PRAGMA user_version=%u", ml_log_schema.step_count + 1);
    assert_int_equal(ml_db_exec(db, "CREATE TABLE later(x); INSERT INTO later VALUES(1)"), ML_OK);
    assert_int_equal(ml_db_exec(db, sql), ML_OK);
    uint8_t *kept[2];
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *bytes = fault_disk_bytes(f->disk, names[i], &len[i]);
        assert_true(bytes != NULL && len[i] > 0);
        kept[i] = ml_copy(&f->w.fake.env, bytes, len[i]);
    }
    ml_db_close(db);
    for (size_t i = 0; i < 2; i++) {
        fault_disk_put(f->disk, names[i], kept[i], len[i]);
    }
    const uint64_t writes = fault_disk_calls(f->disk, FAULT_WRITE);
    assert_int_equal(world_try_open(&f->w, &f->log), ML_E_UNSUPPORTED);
    assert_null(f->log);
    assert_int_equal(fault_disk_calls(f->disk, FAULT_WRITE), writes);
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *bytes = fault_disk_bytes(f->disk, names[i], &now);
        assert_int_equal(now, len[i]);
        assert_memory_equal(bytes, kept[i], now);
        ml_release(&f->w.fake.env, kept[i]);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_earlier_version_becomes_the_present_one),
        TEST(a_migration_cut_at_any_write_is_old_or_new),
        TEST(a_migration_whose_calls_fail_is_told_and_goes_on_later),
        TEST(a_migration_without_memory_is_told_and_goes_on_later),
        TEST(a_log_of_a_later_program_keeps_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
