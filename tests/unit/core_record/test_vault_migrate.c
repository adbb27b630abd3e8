/* test_vault_migrate.c -- a vault of an earlier program, or of a program with another schema: it
 * becomes what this one would have made from the log, wherever the change is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/vault_int.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_vault.h"

#define DISK   "vault-disk"
#define SEALED "vault-sealed"
#define NAME   "v.db"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "the key of a vault, 32 bytes...";

/* back[i] leads from version i + 2 to i + 1: each step of vault.c needs its way back here. */
static const char *const back[] = {
    "DROP TABLE wrap;"
    "CREATE TABLE wrap(stream BLOB, dek BLOB, kek BLOB, nonce BLOB, ct BLOB, seals INTEGER,"
    " PRIMARY KEY(stream, dek, nonce)) WITHOUT ROWID;"
    "UPDATE meta SET value = zeroblob(32) WHERE key = 'schema'", /* that program's */
    "DROP INDEX skipped_patient; ALTER TABLE skipped DROP COLUMN patient",
    "DROP TABLE patient;"
    "CREATE TABLE patient(id INTEGER PRIMARY KEY, oid BLOB NOT NULL UNIQUE, hkey INTEGER,"
    " card BLOB, tokens BLOB);"
    "CREATE INDEX patient_hkey ON patient(hkey) WHERE hkey IS NOT NULL;"
    "ALTER TABLE stream DROP COLUMN owner; ALTER TABLE link DROP COLUMN owner",
    ("DROP TABLE glass; DROP TABLE bg;"
     "CREATE TABLE bg(stream BLOB, dek BLOB, pk BLOB, PRIMARY KEY(stream, dek, pk)) WITHOUT ROWID"),
    "DROP TABLE consent; DROP TABLE veil; DROP TABLE veil_object",
    "DROP TABLE kept",
    "ALTER TABLE consent DROP COLUMN team",
};
enum { BACK_COUNT = sizeof(back) / sizeof(back[0]), ENTITIES_MAX = 600, BATCH = 3 };

struct fixture {
    struct place p;
    struct fault_disk *disk;
    struct ml_vault *vault;
    const struct ml_entity *entities[ENTITIES_MAX];
    struct ml_schema schema; /* of this program; `entities` one fewer: of an earlier one */
    struct ml_hash whole;    /* as this program projects from nothing */
};

static ml_err vault_open(struct fixture *f, const struct ml_schema *schema)
{
    const struct ml_vault_args args = {.env = &f->p.fake.env,
                                       .path = NAME,
                                       .vfs = SEALED,
                                       .org = f->p.org,
                                       .member = f->p.who[0].member,
                                       .mon_box = f->p.who[0].box,
                                       .schema = schema,
                                       .create = true};
    return ml_vault_open(&f->vault, &args);
}

static void vault_close(struct fixture *f)
{
    ml_vault_close(f->vault);
    f->vault = NULL;
}

static ml_err catch_up(struct fixture *f)
{
    bool done = false;
    ml_err err = ML_OK;
    while (err == ML_OK && !done) {
        err = ml_vault_catch_up(f->vault, &f->p.log, BATCH, &done);
    }
    return err;
}

static void vault_forget(struct fixture *f)
{
    vault_close(f);
    fault_disk_remove(f->disk, NAME "-wal");
    fault_disk_remove(f->disk, NAME);
}

/* The schema of a program that knew everything but treatments. */
static void earlier_schema(struct fixture *f)
{
    const struct ml_schema *builtin = ml_schema_builtin();
    f->schema = *builtin;
    f->schema.entities = f->entities;
    f->schema.entity_count = 0;
    for (size_t i = 0; i < builtin->entity_count; i++) {
        if (strcmp(builtin->entities[i]->name, "treatment") != 0) {
            f->entities[f->schema.entity_count++] = builtin->entities[i];
        }
    }
}

static void write_some(struct fixture *f)
{
    for (unsigned i = 0; i < 3; i++) {
        const struct identity who = {"MARTIN", "DURAND", "Camille", "1979-03-28"};
        const size_t patient = place_open(&f->p);
        struct ml_object_id id = {{(uint8_t)(7 + i)}};
        (void)put_patient(&f->p, patient, &who);
        struct ml_seal_item item = place_item(&f->p, patient, "treatment", ML_CHANGE_CREATE, &id);
        const char *const names[] = {"drug"};
        const struct ml_slice drug = val_concept(&f->p, "metformine");
        item.change.value = val_map(&f->p, "treatment", names, &drug, 1);
        place_write(&f->p, 0, &item, 1);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    place_init(&f->p, 9);
    place_found(&f->p);
    f->disk = fault_disk_new(DISK, 13);
    assert_non_null(f->disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    earlier_schema(f);
    write_some(f);
    assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
    assert_int_equal(catch_up(f), ML_OK);
    assert_int_equal(ml_vault_view_hash(f->vault, &f->whole), ML_OK);
    vault_forget(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    vault_close(f);
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    int rc = place_free(&f->p);
    free(f);
    return rc;
}

static struct ml_db *raw_open(struct fixture *f)
{
    struct ml_db *db = NULL;
    const struct ml_db_args args = {.env = &f->p.fake.env, .path = NAME, .vfs = SEALED};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    return db;
}

static int64_t read_int(struct fixture *f, const char *sql)
{
    struct ml_db *db = raw_open(f);
    struct ml_stmt *st = NULL;
    bool row = false;
    assert_int_equal(ml_stmt_prepare(&st, db, sql), ML_OK);
    assert_int_equal(ml_stmt_step(st, &row), ML_OK);
    const int64_t value = ml_stmt_int(st, 0);
    ml_stmt_free(st);
    ml_db_close(db);
    return value;
}

/* A vault of the first version, complete, and of the earlier schema. Closed. */
static void make_older(struct fixture *f)
{
    assert_int_equal(vault_open(f, &f->schema), ML_OK);
    assert_int_equal(catch_up(f), ML_OK);
    vault_close(f);
    struct ml_db *db = raw_open(f);
    for (size_t i = BACK_COUNT; i > 0; i--) {
        assert_int_equal(ml_db_exec(db, back[i - 1]), ML_OK);
    }
    assert_int_equal(ml_db_exec(db, "PRAGMA user_version = 1"), ML_OK);
    ml_db_close(db);
}

/* This program follows to the end, and shows what it would have shown from the start. */
static void check_whole(struct fixture *f)
{
    struct ml_hash hash;
    uint64_t problems = 0;
    assert_int_equal(catch_up(f), ML_OK);
    assert_int_equal(ml_vault_view_hash(f->vault, &hash), ML_OK);
    assert_memory_equal(hash.b, f->whole.b, sizeof(hash.b));
    assert_int_equal(ml_vault_check(f->vault, &problems), ML_OK);
    assert_int_equal(problems, 0);
    vault_close(f);
}

static void a_vault_of_the_first_version_becomes_the_present_one(void **state)
{
    static const char layout[] = "SELECT sum(length(sql)) FROM sqlite_master";
    struct fixture *f = *state;
    assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
    vault_close(f);
    const int64_t fresh = read_int(f, layout);
    assert_int_equal(read_int(f, "PRAGMA user_version"), BACK_COUNT + 1);
    fault_disk_remove(f->disk, NAME);
    make_older(f);
    assert_int_not_equal(read_int(f, layout), fresh);
    assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
    assert_false(ml_vault_complete(f->vault));
    check_whole(f);
    assert_int_equal(read_int(f, "PRAGMA user_version"), BACK_COUNT + 1);
    assert_int_equal(read_int(f, layout), fresh);
}

/* Cut anywhere: at the restart it goes on, or, its sync being NORMAL, is made again from the log.
 */
static void a_change_cut_at_any_write_ends_whole(void **state)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_ALL, FAULT_KEEP_PREFIX,
                                            FAULT_KEEP_RANDOM};
    struct fixture *f = *state;
    bool dead = true;
    long cut = 1;
    make_older(f);
    struct fault_image *old = fault_disk_image(f->disk, NAME);
    for (; dead; cut++) {
        fault_disk_put_image(f->disk, old);
        fault_disk_cut_at(f->disk, cut);
        if (vault_open(f, ml_schema_builtin()) == ML_OK) {
            (void)catch_up(f);
        }
        vault_close(f);
        dead = fault_disk_is_dead(f->disk);
        fault_disk_cut_at(f->disk, 0);
        fault_disk_restart(f->disk, keeps[cut % 4]);
        ml_err err = vault_open(f, ml_schema_builtin());
        if (err != ML_OK) {
            assert_int_equal(err, ML_E_CORRUPT);
            vault_forget(f);
            assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
        }
        check_whole(f);
    }
    fault_image_free(old);
    assert_true(cut > 30);
}

static void a_change_whose_calls_fail_is_told_and_ends_whole(void **state)
{
    struct fixture *f = *state;
    bool fired = true;
    make_older(f);
    struct fault_image *old = fault_disk_image(f->disk, NAME);
    for (long nth = 1; fired; nth += nth < 80 ? 1 : 7) {
        const struct fault_plan plan = {.ops = FAULT_ALL, .nth = nth, .full = nth % 2 == 1};
        fault_disk_put_image(f->disk, old);
        fault_disk_plan(f->disk, &plan);
        ml_err err = vault_open(f, ml_schema_builtin());
        err = err == ML_OK ? catch_up(f) : err;
        vault_close(f);
        fired = fault_disk_fired(f->disk);
        fault_disk_plan(f->disk, NULL);
        assert_true(err == ML_OK || err == ML_E_IO || err == ML_E_FULL || err == ML_E_CORRUPT);
        assert_true(err == ML_OK || fired);
        assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
        check_whole(f);
    }
    fault_image_free(old);
}

static void a_change_without_memory_is_told_and_ends_whole(void **state)
{
    struct fixture *f = *state;
    ml_err err = ML_E_NOMEM;
    make_older(f);
    struct fault_image *old = fault_disk_image(f->disk, NAME);
    for (long nth = 1; err != ML_OK; nth += nth < 100 ? 1 : 9) {
        const long live = f->p.fake.live;
        fault_disk_put_image(f->disk, old);
        f->p.fake.fail_alloc = nth;
        err = vault_open(f, ml_schema_builtin());
        err = err == ML_OK ? catch_up(f) : err;
        const bool spared = fake_spared(&f->p.fake);
        assert_true(err == ML_E_NOMEM || (err == ML_OK && spared));
        vault_close(f);
        assert_int_equal(f->p.fake.live, live);
        assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
        check_whole(f);
    }
    fault_image_free(old);
}

/* Nothing that a batch committed is projected a second time by the next unlock. */
static void a_stopped_projection_goes_on_where_it_stopped(void **state)
{
    struct fixture *f = *state;
    struct ml_vault_counts before;
    struct ml_vault_counts after;
    bool done = false;
    assert_int_equal(vault_open(f, &f->schema), ML_OK);
    assert_int_equal(catch_up(f), ML_OK);
    assert_int_equal(ml_vault_counts(f->vault, &before), ML_OK);
    assert_int_equal(before.ops_unknown, 3); /* the treatments */
    const uint64_t all = before.work;
    vault_close(f);
    assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
    do { /* keys come first */
        assert_int_equal(ml_vault_catch_up(f->vault, &f->p.log, BATCH, &done), ML_OK);
        assert_int_equal(ml_vault_counts(f->vault, &before), ML_OK);
    } while (before.work == 0);
    assert_false(done);
    vault_close(f);
    assert_int_equal(vault_open(f, ml_schema_builtin()), ML_OK);
    assert_false(ml_vault_complete(f->vault));
    assert_int_equal(catch_up(f), ML_OK);
    assert_int_equal(ml_vault_counts(f->vault, &after), ML_OK);
    assert_int_equal(before.work + after.work, all);
    assert_int_equal(after.ops_unknown, 0);
    check_whole(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_vault_of_the_first_version_becomes_the_present_one),
        T(a_change_cut_at_any_write_ends_whole),
        T(a_change_whose_calls_fail_is_told_and_ends_whole),
        T(a_change_without_memory_is_told_and_ends_whole),
        T(a_stopped_projection_goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
