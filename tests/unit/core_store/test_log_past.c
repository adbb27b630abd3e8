/* test_log_past.c -- the past of a number says which bundles came up to it, and in which order; an
 * epoch is never one again that meant something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/log_impl.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

#define DISK   "past-disk"
#define SEALED "past-sealed"

/* Bundles come in pairs that know nothing of each other: either may come first. */
enum { PAIRS = 280, SWAPPED = 101, LAST_MAX = 1024 };

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "a key for what has been, 32 byte";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *log;
    size_t begun; /* bundles made before the first pair */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    world_init(&f->w, 63);
    world_found(&f->w);
    f->disk = fault_disk_new(DISK, 5);
    assert_non_null(f->disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f->w.vfs = SEALED;
    f->log = world_log(&f->w);
    assert_int_equal(world_ingest(f->log, f->w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f->w, f->log, 1);
    f->begun = f->w.made_count;
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

static void live(struct fixture *f, unsigned pairs)
{
    static const struct ml_slice op = {(const uint8_t *)"sealed bytes, sealed bytes", 26};
    assert_int_equal(ml_log_begin(f->log), ML_OK);
    for (unsigned i = 0; i < pairs; i++) {
        struct ml_slice wires[2];
        for (unsigned by = 0; by < 2; by++) {
            const struct draft d = {
                .by = &f->w.actors[by], .lane = ML_LANE_RECORD, .ops = &op, .op_count = 1};
            wires[by] = world_build(&f->w, f->log, &d);
        }
        for (unsigned by = 0; by < 2; by++) {
            assert_int_equal(world_ingest(f->log, wires[by]).result, ML_LOG_STORED);
        }
    }
    assert_int_equal(ml_log_commit(f->log), ML_OK);
}

/* The same bundles in another log; in one pair the other way round (none: SIZE_MAX). */
static struct ml_log *told_again(struct fixture *f, size_t swapped)
{
    struct ml_log *log = world_log(&f->w);
    assert_int_equal(ml_log_begin(log), ML_OK);
    for (size_t i = 0; i < f->w.made_count; i++) {
        const size_t in = i - f->begun;
        const size_t at = i >= f->begun && in / 2 == swapped ? f->begun + (in ^ 1) : i;
        assert_int_equal(world_ingest(log, f->w.made[at].wire).result, ML_LOG_STORED);
    }
    assert_int_equal(ml_log_commit(log), ML_OK);
    return log;
}

static uint64_t pasts(struct ml_log *log, struct ml_hash out[LAST_MAX])
{
    const uint64_t last = ml_log_last(log);
    assert_in_range(last, 1, LAST_MAX - 1);
    for (uint64_t n = 0; n <= last; n++) {
        assert_int_equal(ml_log_past(log, n, &out[n]), ML_OK);
    }
    return last;
}

static bool is_equal(const struct ml_hash *a, const struct ml_hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static void one_past_is_one_order_of_the_same_bundles(void **state)
{
    static struct ml_hash here[LAST_MAX], same[LAST_MAX], other[LAST_MAX], again[LAST_MAX];
    struct fixture *f = *state;
    struct ml_hash none;
    live(f, PAIRS);
    struct ml_log *b = told_again(f, SIZE_MAX);
    struct ml_log *c = told_again(f, SWAPPED);
    const uint64_t last = pasts(f->log, here);
    assert_int_equal(pasts(b, same), last);
    assert_int_equal(pasts(c, other), last);
    const uint64_t differs = f->begun + (uint64_t)2 * SWAPPED + 1; /* ingest numbers count from 1 */
    for (uint64_t n = 0; n <= last; n++) {
        assert_true(is_equal(&here[n], &same[n]));
        assert_true(is_equal(&here[n], &other[n]) == (n < differs));
        assert_false(n > 0 && is_equal(&here[n], &here[n - 1]));
    }
    assert_int_equal(ml_log_past(c, last + 1, &none), ML_E_NOT_FOUND);
    c = world_reopen(&f->w, c);
    assert_int_equal(pasts(c, again), last);
    assert_memory_equal(again, other, (last + 1) * sizeof(other[0]));
    ml_log_close(b);
    ml_log_close(c);
}

static void what_is_undone_leaves_no_past(void **state)
{
    struct fixture *f = *state;
    struct ml_hash before, after;
    live(f, 2);
    const uint64_t last = ml_log_last(f->log);
    assert_int_equal(ml_log_past(f->log, last, &before), ML_OK);
    assert_int_equal(ml_log_begin(f->log), ML_OK);
    (void)world_record(&f->w, f->log, 0, 1);
    assert_int_equal(ml_log_past(f->log, last + 1, &after),
                     ML_OK); /* as that transaction sees it */
    ml_log_abort(f->log);
    world_forget_last(&f->w);
    assert_int_equal(ml_log_refresh(f->log), ML_OK);
    assert_int_equal(ml_log_past(f->log, last + 1, &after), ML_E_NOT_FOUND);
    assert_int_equal(ml_log_past(f->log, last, &after), ML_OK);
    assert_true(is_equal(&before, &after));
    f->log = world_reopen(&f->w, f->log);
    assert_int_equal(ml_log_past(f->log, last, &after), ML_OK);
    assert_true(is_equal(&before, &after));
}

/* With the log closed. */
static void raw(struct fixture *f, const char *sql)
{
    struct ml_db *db = NULL;
    char path[300];
    world_path(&f->w, path, sizeof(path));
    const struct ml_db_args args = {.env = &f->w.fake.env, .path = path, .vfs = SEALED};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    assert_int_equal(ml_db_exec(db, sql), ML_OK);
    ml_db_close(db);
}

static void an_earlier_programs_log_gets_its_past_before_anything_else(void **state)
{
    static struct ml_hash here[LAST_MAX], after[LAST_MAX];
    static const char older[] = "DROP TABLE past; ALTER TABLE tally DROP COLUMN past;"
                                "PRAGMA user_version=3";
    struct fixture *f = *state;
    live(f, PAIRS);
    const uint64_t last = pasts(f->log, here);
    ml_log_close(f->log);
    f->log = NULL;
    raw(f, older);
    assert_int_equal(world_try_open(&f->w, &f->log), ML_OK);
    assert_int_equal(pasts(f->log, after), last);
    assert_memory_equal(after, here, (last + 1) * sizeof(here[0]));
    ml_log_close(f->log);
    f->log = NULL;
    raw(f, older);
    raw(f, "UPDATE bundle SET hash = x'00' WHERE n = 300");
    assert_int_equal(world_try_open(&f->w, &f->log), ML_E_CORRUPT); /* it is rebuilt */
    raw(f, "DELETE FROM bundle WHERE n = 300");
    assert_int_equal(world_try_open(&f->w, &f->log), ML_E_CORRUPT);
}

struct told {
    unsigned about_past;
    unsigned others;
};

static void count_told(void *user, const char *what)
{
    struct told *told = user;
    const bool about = strstr(what, "past") != NULL;
    told->about_past += about;
    told->others += !about;
}

static void a_past_that_is_not_that_of_the_bundles_is_named(void **state)
{
    static const struct {
        const char *sql;
        bool readable; /* the past of 300, which rests on that of 256 */
        unsigned told;
    } cases[] = {
        {"UPDATE past SET hash = zeroblob(32) WHERE n = 256", true, 1},
        {"UPDATE past SET hash = x'00' WHERE n = 256", false, 1},
        {"DELETE FROM past WHERE n = 256", false, 1},
        {"UPDATE tally SET past = zeroblob(32)", true, 1},
        {"UPDATE tally SET past = past", true, 0},
    };
    struct fixture *f = *state;
    live(f, PAIRS);
    ml_log_close(f->log);
    f->log = NULL;
    raw(f, "CREATE TABLE keep AS SELECT n, hash FROM past;"
           "CREATE TABLE keep_tally AS SELECT past FROM tally");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told told = {0};
        struct ml_hash past;
        raw(f, cases[i].sql);
        assert_int_equal(world_try_open(&f->w, &f->log), ML_OK);
        assert_int_equal(ml_log_past(f->log, 300, &past), cases[i].readable ? ML_OK : ML_E_CORRUPT);
        assert_int_equal(ml_log_damaged(f->log), !cases[i].readable);
        assert_int_equal(ml_log_verify(f->log, count_told, &told), ML_OK);
        assert_int_equal(told.about_past, cases[i].told);
        assert_int_equal(told.others, 0);
        assert_int_equal(ml_log_damaged(f->log), cases[i].told > 0);
        ml_log_close(f->log);
        f->log = NULL;
        raw(f, "INSERT OR REPLACE INTO past SELECT n, hash FROM keep;"
               "UPDATE tally SET past = (SELECT past FROM keep_tally)");
    }
}

/* Of a bundle that was made, without its body. */
static void give_bare(struct fixture *f, struct ml_log *log, size_t made)
{
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    struct ml_bundle bundle;
    struct ml_buf bare;
    ml_buf_init(&bare, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_decode(&bundle, f->w.made[made].wire, NULL), ML_OK);
    assert_int_equal(ml_bundle_join(&bare, bundle.header_bytes, &bundle.sig, &absent), ML_OK);
    assert_int_equal(world_ingest(log, ml_buf_slice(&bare)).result, ML_LOG_STORED);
    ml_buf_free(&bare);
}

/* A backup is put back, and another body comes than the one that had come: two states, two epochs.
 * The same body: one state, one epoch. */
static void a_log_that_went_back_comes_to_no_epoch_that_meant_another_state(void **state)
{
    struct fixture *f = *state;
    char path[300];
    uint64_t epochs[3];
    live(f, 1);
    const size_t first = f->begun;
    struct ml_log *b = world_log(&f->w);
    for (size_t i = 0; i < first; i++) {
        assert_int_equal(world_ingest(b, f->w.made[i].wire).result, ML_LOG_STORED);
    }
    give_bare(f, b, first);
    give_bare(f, b, first + 1);
    ml_log_close(b);
    world_path(&f->w, path, sizeof(path));
    struct fault_image *backup = fault_disk_image(f->disk, path);
    ml_log_close(f->log); /* a backup is put back while nobody has the disk open */
    f->log = NULL;
    for (size_t i = 0; i < 3; i++) {
        fault_disk_put_image(f->disk, backup);
        assert_int_equal(world_try_open(&f->w, &b), ML_OK);
        assert_int_equal(world_ingest(b, f->w.made[first + i % 2].wire).result, ML_LOG_BODY);
        epochs[i] = ml_log_epoch(b);
        b = world_reopen(&f->w, b);
        assert_true(ml_log_epoch(b) == epochs[i]);
        ml_log_close(b);
    }
    fault_image_free(backup);
    assert_true(epochs[0] != epochs[1]);
    assert_true(epochs[0] == epochs[2]);
}

/* The same number with another epoch before it, another bundle, another past or another body (one
 * may come with other leaves) is another epoch. */
static void an_epoch_rests_on_all_that_was_before_it(void **state)
{
    struct fixture *f = *state;
    const struct ml_log_tally was = f->log->tally;
    const struct ml_slice body = ml_slice("a", 1);
    uint64_t got[5];
    for (unsigned i = 0; i < 5; i++) {
        f->log->tally = was;
        f->log->tally.epoch += i == 1;
        f->log->tally.past.b[0] ^= i == 2;
        ml_log_epoch_turn(f->log, i == 3 ? 2 : 1, i == 4 ? ml_slice("b", 1) : body);
        got[i] = f->log->tally.epoch;
        for (unsigned k = 0; k < i; k++) {
            assert_true(got[k] != got[i]);
        }
    }
    f->log->tally = was;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_past_is_one_order_of_the_same_bundles),
        TEST(what_is_undone_leaves_no_past),
        TEST(an_earlier_programs_log_gets_its_past_before_anything_else),
        TEST(a_past_that_is_not_that_of_the_bundles_is_named),
        TEST(a_log_that_went_back_comes_to_no_epoch_that_meant_another_state),
        TEST(an_epoch_rests_on_all_that_was_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
