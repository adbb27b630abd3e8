/* test_log_fault.c -- the log over a disk that fails, fills up and loses power, sealed: nothing
 * that was acknowledged is lost, a failed call changes nothing, and a write costs one fsync. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/store/log_rebuild.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

#define DISK   "log-disk"
#define SEALED "log-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *log;
    size_t acked; /* of w.made, from the first */
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    world_init(&f.w, 31);
    world_found(&f.w);
    f.disk = fault_disk_new(DISK, 7);
    assert_non_null(f.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f.w.vfs = SEALED;
    f.log = world_log(&f.w);
    assert_int_equal(world_ingest(f.log, f.w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f.w, f.log, 1);
    f.acked = f.w.made_count;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->log);
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    return world_free(&f->w);
}

static void ignore(void *user, const struct ml_log_outcome *o)
{
    ml_log_result *result = user;
    *result = o->result;
}

/* Builds and tries to store one record bundle; as a node would, it asks what to write first. */
static ml_err try_append(struct fixture *f, ml_log_result *result)
{
    static const struct ml_slice op = {(const uint8_t *)"sealed bytes, sealed bytes", 26};
    struct ml_log_next next;
    ml_err err = ml_log_next_own(f->log, &f->w.actors[1].id, 3, &next);
    if (err != ML_OK) {
        return err;
    }
    const struct draft d = {
        .by = &f->w.actors[1], .lane = 3, .ops = &op, .op_count = 1, .next = &next};
    const long fail_alloc = f->w.fake.fail_alloc;
    f->w.fake.fail_alloc = 0; /* the builder isn't what is tested */
    struct ml_slice wire = world_build(&f->w, f->log, &d);
    f->w.fake.fail_alloc = fail_alloc;
    *result = ML_LOG_REFUSED;
    return ml_log_ingest(f->log, &wire, 1, ignore, result);
}

static void fail_on_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

/* Every acknowledged bundle is there, and all that is there is sound. */
static void check_acked(struct fixture *f)
{
    for (size_t i = 0; i < f->w.made_count; i++) {
        struct ml_log_entry e;
        ml_err err = ml_log_get(f->log, &f->w.made[i].id.hash, &e);
        if (i < f->acked) {
            assert_int_equal(err, ML_OK);
        }
    }
    assert_int_equal(ml_log_verify(f->log, fail_on_problem, NULL), ML_OK);
}

/* Forgets what was built and not stored, so that made[] is what was acknowledged. */
static void forget_unstored(struct fixture *f, bool stored)
{
    if (stored) {
        f->acked = f->w.made_count;
        return;
    }
    while (f->w.made_count > f->acked) {
        union {
            const uint8_t *in;
            void *out;
        } p = {.in = f->w.made[--f->w.made_count].wire.data};
        ml_release(&f->w.fake.env, p.out);
    }
}

static void an_append_costs_one_fsync(void **state)
{
    struct fixture *f = *state;
    struct ml_vfs_counters before;
    struct ml_vfs_counters after;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(ml_vfs_counters(SEALED, &before), ML_OK);
        (void)world_record(&f->w, f->log, 1, 4);
        assert_int_equal(ml_vfs_counters(SEALED, &after), ML_OK);
        assert_int_equal(after.syncs - before.syncs, 1);
    }
    assert_int_equal(ml_vfs_counters(SEALED, &before), ML_OK);
    assert_int_equal(ml_log_begin(f->log), ML_OK);
    for (unsigned i = 0; i < 20; i++) {
        (void)world_record(&f->w, f->log, 1, 4);
    }
    assert_int_equal(ml_log_commit(f->log), ML_OK);
    assert_int_equal(ml_vfs_counters(SEALED, &after), ML_OK);
    assert_int_equal(after.syncs - before.syncs, 1); /* a batch too */
}

static void any_failed_call_of_the_disk_loses_nothing(void **state)
{
    struct fixture *f = *state;
    for (unsigned torn = 0; torn < 2; torn++) {
        bool fired = true;
        for (long nth = 1; fired; nth++) {
            const struct fault_plan plan = {.ops = FAULT_ALL, .nth = nth, .torn = torn == 1};
            ml_log_result result = ML_LOG_REFUSED;
            const uint64_t last = ml_log_last(f->log);
            fault_disk_plan(f->disk, &plan);
            ml_err err = try_append(f, &result);
            fired = fault_disk_fired(f->disk);
            fault_disk_plan(f->disk, NULL);
            assert_true(err == ML_OK || err == ML_E_IO || err == ML_E_CORRUPT || err == ML_E_FULL);
            forget_unstored(f, err == ML_OK);
            struct ml_log_counts counts; /* memory is what the disk says */
            assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
            assert_int_equal(counts.bundles, last + (err == ML_OK));
        }
    }
    check_acked(f);
    f->log = world_reopen(&f->w, f->log);
    check_acked(f);
}

static void any_failed_alloc_changes_nothing(void **state)
{
    struct fixture *f = *state;
    for (long nth = 1;; nth++) {
        ml_log_result result = ML_LOG_REFUSED;
        const uint64_t last = ml_log_last(f->log);
        f->w.fake.fail_alloc = nth;
        ml_err err = try_append(f, &result);
        const bool left = f->w.fake.fail_alloc > 0; /* it wasn't reached */
        f->w.fake.fail_alloc = 0;
        forget_unstored(f, err == ML_OK);
        struct ml_log_counts counts;
        assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
        assert_int_equal(counts.bundles, last + (err == ML_OK));
        if (err == ML_OK && left) {
            break;
        }
        assert_true(err == ML_E_NOMEM || err == ML_OK);
    }
    check_acked(f);
    /* Opening, which loads all of it. */
    ml_log_close(f->log);
    f->log = NULL;
    for (long nth = 1;; nth++) {
        const long live = f->w.fake.live;
        f->w.fake.fail_alloc = nth;
        ml_err err = world_try_open(&f->w, &f->log);
        const bool spared = fake_spared(&f->w.fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_null(f->log);
        assert_int_equal(f->w.fake.live, live);
    }
    check_acked(f);
}

/* The node asks governance at every turn, also while the disk is away. */
static void what_was_known_stays_known_while_the_disk_is_away(void **state)
{
    struct fixture *f = *state;
    const struct fault_plan away = {.ops = FAULT_ALL, .nth = 1, .forever = true};
    const uint64_t last = ml_log_last(f->log);
    ml_log_result result = ML_LOG_REFUSED;
    struct ml_log_counts counts;
    assert_true(last > 0);
    fault_disk_plan(f->disk, &away);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_not_equal(try_append(f, &result), ML_OK);
        forget_unstored(f, false);
        assert_non_null(ml_log_gov(f->log));
        assert_int_equal(ml_log_last(f->log), last);
    }
    fault_disk_plan(f->disk, NULL);
    assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
    assert_int_equal(counts.bundles, last);
    check_acked(f);
}

static void a_full_disk_is_told_and_passes(void **state)
{
    struct fixture *f = *state;
    ml_log_result result = ML_LOG_REFUSED;
    bool full = false;
    size_t len = 0;
    size_t wal = 0;
    (void)fault_disk_bytes(f->disk, "log1.db", &len);
    char path[300];
    world_path(&f->w, path, sizeof(path));
    (void)fault_disk_bytes(f->disk, path, &len);
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "-wal");
    (void)fault_disk_bytes(f->disk, path, &wal);
    fault_disk_quota(f->disk, len + wal + 40000);
    for (unsigned i = 0; i < 40 && !full; i++) {
        ml_err err = try_append(f, &result);
        assert_true(err == ML_OK || err == ML_E_FULL);
        full = err == ML_E_FULL;
        forget_unstored(f, err == ML_OK);
    }
    assert_true(full);
    check_acked(f); /* reading goes on */
    fault_disk_quota(f->disk, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(try_append(f, &result), ML_OK);
        assert_int_equal(result, ML_LOG_STORED);
        f->acked = f->w.made_count;
    }
    check_acked(f);
}

static void append_until_dead(struct fixture *f)
{
    for (unsigned i = 0; i < 8 && !fault_disk_is_dead(f->disk); i++) {
        ml_log_result result = ML_LOG_REFUSED;
        if (try_append(f, &result) == ML_OK) {
            f->acked = f->w.made_count;
        }
    }
}

static void a_cut_of_power_loses_nothing_acknowledged(void **state)
{
    struct fixture *f = *state;
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_ALL, FAULT_KEEP_PREFIX,
                                            FAULT_KEEP_RANDOM};
    for (long cut = 1; cut <= 40; cut++) {
        fault_disk_cut_at(f->disk, cut);
        append_until_dead(f);
        ml_log_close(f->log);
        f->log = NULL;
        fault_disk_cut_at(f->disk, 0);
        fault_disk_restart(f->disk, keeps[cut % 4]);
        assert_int_equal(world_try_open(&f->w, &f->log), ML_OK);
        check_acked(f);
        /* What wasn't acknowledged may be there, or not: the chain goes on from what is. */
        struct ml_log_entry e;
        bool stored = f->w.made_count > f->acked &&
                      ml_log_get(f->log, &f->w.made[f->w.made_count - 1].id.hash, &e) == ML_OK;
        forget_unstored(f, stored);
    }
}

/* ---- damage in the file itself ---- */

struct told {
    unsigned problems;
    unsigned named; /* lost, with their place */
    unsigned unnamed;
};

static void count_told(void *user, const char *what)
{
    struct told *told = user;
    told->problems += what[0] != '\0';
}

static void count_lost(void *user, const struct ml_dep *place)
{
    struct told *told = user;
    told->named += place->seq > 0;
    told->unnamed += place->seq == 0;
}

/* A sound log of what can be read, and the rest named; with a peer's help it is whole again. */
static void rebuild_and_compare(struct fixture *f, const char *path, const struct ml_hash *whole,
                                struct ml_log_rebuilt *found)
{
    struct told told = {0};
    const struct ml_log_rebuild how = {
        .log = {.env = &f->w.fake.env, .path = path, .vfs = SEALED, .org = f->w.org},
        .fresh = "fresh.db",
        .problem = count_told,
        .lost = count_lost,
        .user = &told};
    struct ml_log *log = NULL;
    struct ml_hash hash;
    fault_disk_remove(f->disk, "fresh.db");
    fault_disk_remove(f->disk, "fresh.db-wal");
    assert_int_equal(ml_log_rebuild(found, &how), ML_OK);
    assert_int_equal(ml_log_rebuild(found, &how), ML_E_EXISTS);
    assert_true(found->unreadable || found->kept + found->lost == f->w.made_count);
    assert_int_equal(told.named + told.unnamed, found->lost);
    assert_true(told.problems >= found->lost + found->bodies_lost);
    struct ml_log_args fresh = how.log;
    fresh.path = "fresh.db";
    assert_int_equal(ml_log_open(&log, &fresh), ML_OK);
    assert_true(ml_log_epoch(log) > f->w.made_count);
    for (size_t i = 0; i < f->w.made_count; i++) {
        assert_int_not_equal(world_ingest(log, f->w.made[i].wire).result, ML_LOG_REFUSED);
    }
    assert_int_equal(ml_log_state_hash(log, &hash), ML_OK);
    assert_memory_equal(hash.b, whole->b, sizeof(hash.b));
    assert_int_equal(ml_log_verify(log, fail_on_problem, NULL), ML_OK);
    assert_false(ml_log_damaged(log));
    ml_log_close(log);
}

/* Each page in turn: whatever is destroyed is named; what can be read makes a sound log; a peer
 * gives the rest again. */
static void any_destroyed_page_is_named_and_what_it_held_comes_back(void **state)
{
    struct fixture *f = *state;
    char path[300];
    size_t len = 0;
    struct ml_hash whole;
    for (unsigned i = 0; i < 30; i++) {
        (void)world_record(&f->w, f->log, i % 2, 12);
    }
    assert_int_equal(ml_log_setting_put(f->log, "k", ml_slice("v", 1)), ML_OK);
    assert_int_equal(ml_log_state_hash(f->log, &whole), ML_OK);
    ml_log_close(f->log); /* the last one out writes the WAL back */
    f->log = NULL;
    world_path(&f->w, path, sizeof(path));
    const uint8_t *bytes = fault_disk_bytes(f->disk, path, &len);
    uint8_t *kept = ml_copy(&f->w.fake.env, bytes, len);
    unsigned repaired = 0;
    for (size_t at = 0; at < len; at += 4096) {
        struct ml_log_rebuilt found;
        kept[at + 2000] ^= 1;
        fault_disk_put(f->disk, path, kept, len);
        kept[at + 2000] ^= 1;
        rebuild_and_compare(f, path, &whole, &found);
        repaired += !found.unreadable;
    }
    assert_true(repaired > 5);
    fault_disk_put(f->disk, path, kept, len);
    ml_release(&f->w.fake.env, kept);
    assert_int_equal(world_try_open(&f->w, &f->log), ML_OK);
}

/* ---- SQLite's own memory ---- */

static sqlite3_mem_methods stock_memory;
static long fail_sqlite_alloc; /* 0: none */

static bool alloc_fails(void)
{
    return fail_sqlite_alloc > 0 && --fail_sqlite_alloc == 0;
}

static void *failing_malloc(int n)
{
    return alloc_fails() ? NULL : stock_memory.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
    return alloc_fails() ? NULL : stock_memory.xRealloc(p, n);
}

static int fail_sqlite_memory(void **state)
{
    (void)state;
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &stock_memory);
    sqlite3_mem_methods failing = stock_memory;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    int rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    return rc == SQLITE_OK && sqlite3_initialize() == SQLITE_OK ? 0 : -1;
}

static void any_failed_alloc_of_sqlite_changes_nothing(void **state)
{
    struct fixture *f = *state;
    for (long nth = 1; nth < 400; nth++) {
        ml_log_result result = ML_LOG_REFUSED;
        const uint64_t last = ml_log_last(f->log);
        fail_sqlite_alloc = nth;
        ml_err err = try_append(f, &result);
        const bool left = fail_sqlite_alloc > 0;
        fail_sqlite_alloc = 0;
        forget_unstored(f, err == ML_OK);
        struct ml_log_counts counts;
        assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
        assert_int_equal(counts.bundles, last + (err == ML_OK));
        if (err == ML_OK && left) {
            break;
        }
        assert_true(err == ML_E_NOMEM || err == ML_OK);
    }
    check_acked(f);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_append_costs_one_fsync),
        TEST(any_failed_call_of_the_disk_loses_nothing),
        TEST(any_failed_alloc_changes_nothing),
        TEST(what_was_known_stays_known_while_the_disk_is_away),
        TEST(a_full_disk_is_told_and_passes),
        TEST(a_cut_of_power_loses_nothing_acknowledged),
        TEST(any_destroyed_page_is_named_and_what_it_held_comes_back),
        TEST(any_failed_alloc_of_sqlite_changes_nothing),
    };
    return cmocka_run_group_tests(tests, fail_sqlite_memory, NULL);
}
