/* test_log_chunk.c -- chunks of large values in the log (rules D3): named, missing, stored once,
 * over a disk that fails and is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/manifest.h"
#include "core/store/log_rebuild.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

#define DISK   "chunk-disk"
#define SEALED "chunk-sealed"

enum { CHUNKS = 8 };

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *log;
    uint8_t bytes[CHUNKS][ML_CHUNK_SEALED_MAX];
    struct ml_hash hash[CHUNKS];
};

/* All full but the last one. */
static struct ml_slice chunk(const struct fixture *f, unsigned i)
{
    return ml_slice(f->bytes[i], i + 1 == CHUNKS ? 100 : ML_CHUNK_SEALED_MAX);
}

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
    for (unsigned i = 0; i < CHUNKS; i++) {
        memset(f.bytes[i], (int)i + 1, sizeof(f.bytes[i]));
        f.hash[i] = ml_chunk_hash(chunk(&f, i));
    }
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

/* A bundle of lane 4 that names `count` chunks from `first` on; `whole` ends with the short one. */
static struct ml_slice named(struct fixture *f, unsigned first, unsigned count)
{
    const bool whole = first + count == CHUNKS;
    const uint32_t bytes = (count - 1) * ML_CHUNK_SEALED_MAX + (whole ? 100 : ML_CHUNK_SEALED_MAX);
    const struct ml_slice op = world_manifest(f->hash + first, count, bytes);
    return world_build(
        &f->w, f->log,
        &(struct draft){.by = &f->w.actors[0], .lane = ML_LANE_BLOB, .ops = &op, .op_count = 1});
}

static void name(struct fixture *f, unsigned first, unsigned count)
{
    assert_int_equal(world_ingest(f->log, named(f, first, count)).result, ML_LOG_STORED);
}

static ml_err put(struct fixture *f, unsigned i, ml_chunk_from from, bool *stored)
{
    return ml_log_put_chunk(f->log, &f->hash[i], chunk(f, i), from, stored);
}

static void must_put(struct fixture *f, unsigned i)
{
    bool stored = false;
    assert_int_equal(put(f, i, ML_CHUNK_PEER, &stored), ML_OK);
    assert_true(stored);
}

static void must_count(struct fixture *f, uint64_t chunks, uint64_t missing)
{
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
    assert_int_equal(counts.chunks, chunks);
    assert_int_equal(counts.chunks_missing, missing);
}

static bool has(struct fixture *f, unsigned i)
{
    struct ml_slice sealed;
    ml_err err = ml_log_get_chunk(f->log, &f->hash[i], &sealed);
    assert_true(err == ML_OK || err == ML_E_NOT_FOUND);
    assert_true(err != ML_OK || ml_slice_equal(sealed, chunk(f, i)));
    return err == ML_OK;
}

static void count_told(void *user, const char *what)
{
    unsigned *count = user;
    *count += what[0] != '\0';
}

static unsigned problems(struct fixture *f)
{
    unsigned told = 0;
    assert_int_equal(ml_log_verify(f->log, count_told, &told), ML_OK);
    return told;
}

static void what_a_manifest_names_is_missing_until_it_comes(void **state)
{
    struct fixture *f = *state;
    struct ml_missing_chunk m;
    must_count(f, 0, 0);
    assert_int_equal(ml_log_next_missing_chunk(f->log, 0, &m), ML_E_NOT_FOUND);
    name(f, CHUNKS - 3, 3);
    name(f, CHUNKS - 2, 2); /* two of them again */
    must_count(f, 3, 3);
    uint64_t after = 0;
    for (unsigned i = CHUNKS - 3; i < CHUNKS; i++) {
        assert_int_equal(ml_log_next_missing_chunk(f->log, after, &m), ML_OK);
        assert_memory_equal(&m.hash, &f->hash[i], sizeof(m.hash));
        assert_int_equal(m.bytes, chunk(f, i).len);
        assert_true(m.id > after);
        after = m.id;
    }
    assert_int_equal(ml_log_next_missing_chunk(f->log, after, &m), ML_E_NOT_FOUND);
    must_put(f, CHUNKS - 2);
    must_count(f, 3, 2);
    f->log = world_reopen(&f->w, f->log);
    must_count(f, 3, 2);
    assert_true(has(f, CHUNKS - 2));
    assert_false(has(f, CHUNKS - 1));
    must_put(f, CHUNKS - 1);
    must_put(f, CHUNKS - 3);
    must_count(f, 3, 0);
    assert_int_equal(ml_log_next_missing_chunk(f->log, 0, &m), ML_E_NOT_FOUND);
    assert_int_equal(problems(f), 0);
}

static void a_chunk_is_stored_once_and_only_if_it_is_named(void **state)
{
    struct fixture *f = *state;
    bool stored = false;
    assert_int_equal(put(f, 0, ML_CHUNK_PEER, &stored), ML_E_NOT_FOUND);
    assert_false(has(f, 0));
    name(f, 0, 1);
    must_put(f, 0);
    stored = true;
    assert_int_equal(put(f, 0, ML_CHUNK_PEER, &stored), ML_OK);
    assert_false(stored);
    name(f, 0, 2); /* the same one in another document */
    must_count(f, 2, 1);
    assert_int_equal(put(f, 0, ML_CHUNK_OWN, &stored), ML_OK);
    assert_false(stored);
    assert_true(has(f, 0));
}

static void what_is_not_what_it_is_named_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    bool stored = false;
    name(f, CHUNKS - 2, 2);
    f->bytes[CHUNKS - 2][5000] ^= 1;
    assert_int_equal(put(f, CHUNKS - 2, ML_CHUNK_PEER, &stored), ML_E_FORGED);
    f->bytes[CHUNKS - 2][5000] ^= 1;
    const struct ml_slice cut = ml_slice(f->bytes[CHUNKS - 2], ML_CHUNK_SEALED_MAX - 1);
    assert_int_equal(ml_log_put_chunk(f->log, &f->hash[CHUNKS - 2], cut, ML_CHUNK_PEER, &stored),
                     ML_E_FORGED);
    const struct ml_slice bare = ml_slice(f->bytes[0], ML_CHUNK_TAG_BYTES);
    assert_int_equal(ml_log_put_chunk(f->log, &f->hash[0], bare, ML_CHUNK_OWN, &stored),
                     ML_E_LIMIT);
    const struct ml_slice large = ml_slice(f->bytes, ML_CHUNK_SEALED_MAX + 1);
    assert_int_equal(ml_log_put_chunk(f->log, &f->hash[0], large, ML_CHUNK_OWN, &stored),
                     ML_E_LIMIT);
    assert_false(stored);
    must_count(f, 2, 2);
    must_put(f, CHUNKS - 2);
}

static void an_own_value_is_one_transaction_and_one_fsync(void **state)
{
    struct fixture *f = *state;
    struct ml_vfs_counters before;
    struct ml_vfs_counters after;
    bool stored = false;
    assert_int_equal(ml_vfs_counters(SEALED, &before), ML_OK);
    assert_int_equal(ml_log_begin(f->log), ML_OK);
    for (unsigned i = 0; i < CHUNKS; i++) { /* before the manifest that names them */
        assert_int_equal(put(f, i, ML_CHUNK_OWN, &stored), ML_OK);
        assert_true(stored);
    }
    name(f, 0, CHUNKS);
    assert_int_equal(ml_log_commit(f->log), ML_OK);
    assert_int_equal(ml_vfs_counters(SEALED, &after), ML_OK);
    assert_int_equal(after.syncs - before.syncs, 1);
    must_count(f, CHUNKS, 0);
    f->log = world_reopen(&f->w, f->log);
    must_count(f, CHUNKS, 0);
    assert_int_equal(problems(f), 0);
}

static void an_aborted_value_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    bool stored = false;
    assert_int_equal(ml_log_begin(f->log), ML_OK);
    assert_int_equal(put(f, 0, ML_CHUNK_OWN, &stored), ML_OK);
    ml_log_abort(f->log);
    must_count(f, 0, 0);
    assert_false(has(f, 0));
}

/* A header may be here long before its body (I4). */
static void a_body_that_comes_later_names_its_chunks(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle b;
    struct ml_buf bare;
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    struct ml_slice wire = named(f, CHUNKS - 2, 2);
    assert_int_equal(ml_bundle_decode(&b, wire, NULL), ML_OK);
    ml_buf_init(&bare, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_join(&bare, b.header_bytes, &b.sig, &absent), ML_OK);
    assert_int_equal(world_ingest(f->log, ml_buf_slice(&bare)).result, ML_LOG_STORED);
    ml_buf_free(&bare);
    must_count(f, 0, 0);
    assert_int_equal(world_ingest(f->log, wire).result, ML_LOG_BODY);
    must_count(f, 2, 2);
}

/* ---- damage ---- */

/* What verify found missing comes again; false: a page of tables is gone, which a rebuild mends. */
static bool refetch(struct fixture *f, unsigned *fetched)
{
    struct ml_log_counts counts = {0};
    ml_err err = ml_log_counts(f->log, &counts);
    for (unsigned i = 0; err == ML_OK && i < CHUNKS && counts.chunks_missing > 0; i++) {
        bool stored = false;
        err = put(f, i, ML_CHUNK_PEER, &stored);
        *fetched += stored;
    }
    assert_true(err == ML_OK || err == ML_E_CORRUPT);
    return err == ML_OK && counts.chunks_missing > 0;
}

/* A bit of the file is wrong: the file doesn't open, or says so, and its chunks come again. */
static void reopen_damaged(struct fixture *f, unsigned *fetched)
{
    if (world_try_open(&f->w, &f->log) != ML_OK) {
        return;
    }
    assert_true(problems(f) > 0);
    const bool again = refetch(f, fetched);
    if (again) {
        must_count(f, CHUNKS, 0);
    }
    for (unsigned i = 0; i < CHUNKS && again; i++) {
        assert_true(has(f, i));
    }
    ml_log_close(f->log);
    f->log = NULL;
}

/* Flips a bit in pages of the file in turn: either the file says so, or a chunk is named and
 * fetched again. */
static void a_destroyed_chunk_is_named_and_comes_back(void **state)
{
    struct fixture *f = *state;
    char path[300];
    size_t len = 0;
    unsigned fetched = 0;
    name(f, 0, CHUNKS);
    for (unsigned i = 0; i < CHUNKS; i++) {
        must_put(f, i);
    }
    ml_log_close(f->log);
    f->log = NULL;
    world_path(&f->w, path, sizeof(path));
    const uint8_t *bytes = fault_disk_bytes(f->disk, path, &len);
    uint8_t *kept = ml_copy(&f->w.fake.env, bytes, len);
    for (size_t at = 4096; at < len; at += 5 * (size_t)4096) {
        kept[at + 2000] ^= 1;
        fault_disk_put(f->disk, path, kept, len);
        kept[at + 2000] ^= 1;
        reopen_damaged(f, &fetched);
    }
    assert_true(fetched > 10);
    fault_disk_put(f->disk, path, kept, len);
    ml_release(&f->w.fake.env, kept);
    assert_int_equal(world_try_open(&f->w, &f->log), ML_OK);
    assert_int_equal(problems(f), 0);
}

static void no_loss(void *user, const struct ml_dep *place)
{
    (void)user;
    fail_msg("number %u is lost", place->seq);
}

static void a_rebuilt_log_keeps_its_chunks(void **state)
{
    struct fixture *f = *state;
    char path[300];
    unsigned told = 0;
    bool stored = false;
    name(f, 0, CHUNKS);
    must_put(f, 0);
    must_put(f, CHUNKS - 1);
    ml_log_close(f->log);
    world_path(&f->w, path, sizeof(path));
    struct ml_log_args args = {.env = &f->w.fake.env, .path = path, .vfs = SEALED, .org = f->w.org};
    const struct ml_log_rebuild how = {
        .log = args, .fresh = "fresh.db", .problem = count_told, .lost = no_loss, .user = &told};
    struct ml_log_rebuilt found;
    assert_int_equal(ml_log_rebuild(&found, &how), ML_OK);
    assert_int_equal(told, 0);
    args.path = "fresh.db";
    assert_int_equal(ml_log_open(&f->log, &args), ML_OK);
    must_count(f, CHUNKS, CHUNKS - 2);
    assert_true(has(f, 0) && has(f, CHUNKS - 1) && !has(f, 1));
    assert_int_equal(put(f, 1, ML_CHUNK_PEER, &stored), ML_OK);
    assert_int_equal(problems(f), 0);
}

/* ---- failures ---- */

/* The first chunk that isn't there. */
static unsigned next_missing(struct fixture *f)
{
    unsigned i = 0;
    while (i < CHUNKS && has(f, i)) {
        i++;
    }
    if (i == CHUNKS) { /* a call that fails may be one that doesn't matter */
        fail_msg("too few chunks");
    }
    return i;
}

static void any_failed_call_of_the_disk_changes_nothing(void **state)
{
    struct fixture *f = *state;
    bool fired = true;
    name(f, 0, CHUNKS);
    for (long nth = 1; fired; nth++) {
        const struct fault_plan plan = {.ops = FAULT_ALL, .nth = nth};
        struct ml_log_counts before;
        bool stored = false;
        assert_int_equal(ml_log_counts(f->log, &before), ML_OK);
        const unsigned i = next_missing(f);
        fault_disk_plan(f->disk, &plan);
        ml_err err = put(f, i, ML_CHUNK_PEER, &stored);
        fired = fault_disk_fired(f->disk);
        fault_disk_plan(f->disk, NULL);
        assert_int_equal(stored, err == ML_OK);
        must_count(f, before.chunks, before.chunks_missing - stored);
        assert_int_equal(has(f, i), stored);
    }
    assert_int_equal(problems(f), 0);
}

static void ignore(void *user, const struct ml_log_outcome *o)
{
    (void)user;
    (void)o;
}

static void any_failed_alloc_changes_nothing(void **state)
{
    struct fixture *f = *state;
    for (long nth = 1;; nth++) { /* a manifest */
        struct ml_slice wire = named(f, 0, 2);
        f->w.fake.fail_alloc = nth;
        ml_err err = ml_log_ingest(f->log, &wire, 1, ignore, NULL);
        const bool left = f->w.fake.fail_alloc > 0;
        f->w.fake.fail_alloc = 0;
        if (err == ML_OK && left) {
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        must_count(f, 0, 0);
    }
    must_count(f, 2, 2);
    bool stored = false;
    f->w.fake.fail_alloc = 1; /* a chunk needs none */
    assert_int_equal(put(f, 0, ML_CHUNK_PEER, &stored), ML_OK);
    f->w.fake.fail_alloc = 0;
    must_count(f, 2, 1);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_a_manifest_names_is_missing_until_it_comes),
        T(a_chunk_is_stored_once_and_only_if_it_is_named),
        T(what_is_not_what_it_is_named_leaves_nothing),
        T(an_own_value_is_one_transaction_and_one_fsync),
        T(an_aborted_value_leaves_nothing),
        T(a_body_that_comes_later_names_its_chunks),
        T(a_destroyed_chunk_is_named_and_comes_back),
        T(a_rebuilt_log_keeps_its_chunks),
        T(any_failed_call_of_the_disk_changes_nothing),
        T(any_failed_alloc_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
