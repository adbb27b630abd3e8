/* test_anchor.c -- one rule of core/store/anchor.c and file.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/store/anchor.h"
#include "fake_env.h"
#include "fault_vfs.h"
#include "support_dir.h"

static const struct ml_writer_id alice = {{1}};
static const struct ml_writer_id bob = {{2}};

struct fixture {
    struct fake_env fake;
    struct ml_secret *key;
    struct ml_anchor *a;
    char dir[256];
    char path[300];
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 3);
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_secret_from(&f.key, "0123456789abcdef0123456789abcdef", 32), ML_OK);
    support_dir_make(f.dir, sizeof(f.dir));
    support_path(f.path, sizeof(f.path), f.dir, "anchor");
    assert_int_equal(ml_anchor_open(&f.a, &f.fake.env, f.path, f.key), ML_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_anchor_close(f->a);
    ml_secret_free(f->key);
    support_dir_remove(f->dir);
    return f->fake.live == 0 ? 0 : -1;
}

static void reopen(struct fixture *f)
{
    ml_anchor_close(f->a);
    f->a = NULL;
    assert_int_equal(ml_anchor_open(&f->a, &f->fake.env, f->path, f->key), ML_OK);
}

static void a_rise_is_on_disk_when_it_returns(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_anchor_get(f->a, &alice, 3), 0);
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 7), ML_OK);
    assert_int_equal(ml_anchor_raise(f->a, &alice, 0, 1), ML_OK);
    assert_int_equal(ml_anchor_raise(f->a, &bob, 3, 2), ML_OK);
    reopen(f);
    assert_int_equal(ml_anchor_get(f->a, &alice, 3), 7);
    assert_int_equal(ml_anchor_get(f->a, &alice, 0), 1);
    assert_int_equal(ml_anchor_get(f->a, &bob, 3), 2);
    assert_int_equal(ml_anchor_get(f->a, &bob, 1), 0);
}

static void its_chains_are_listed(void **state)
{
    struct fixture *f = *state;
    struct ml_dep chain;
    assert_false(ml_anchor_at(f->a, 0, &chain));
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 7), ML_OK);
    assert_int_equal(ml_anchor_raise(f->a, &bob, 1, 2), ML_OK);
    assert_true(ml_anchor_at(f->a, 1, &chain));
    assert_memory_equal(&chain.writer, &bob, sizeof(bob));
    assert_int_equal(chain.lane, 1);
    assert_int_equal(chain.seq, 2);
    assert_false(ml_anchor_at(f->a, 2, &chain));
}

static void it_never_falls(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 7), ML_OK);
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 6), ML_OK);
    assert_int_equal(ml_anchor_get(f->a, &alice, 3), 7);
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 8), ML_OK);
    assert_int_equal(ml_anchor_get(f->a, &alice, 3), 8);
}

static void any_changed_byte_is_found(void **state)
{
    struct fixture *f = *state;
    struct ml_anchor *other = NULL;
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 7), ML_OK);
    long len = support_file_len(f->path);
    for (long at = 0; at < len; at++) {
        support_flip_byte(f->path, at);
        assert_int_equal(ml_anchor_open(&other, &f->fake.env, f->path, f->key), ML_E_CORRUPT);
        assert_null(other);
        support_flip_byte(f->path, at);
    }
    for (long cut = 0; cut < len; cut++) {
        char part[320];
        support_path(part, sizeof(part), f->dir, "part");
        support_copy_file(f->path, part);
        support_truncate(part, cut);
        assert_int_equal(ml_anchor_open(&other, &f->fake.env, part, f->key), ML_E_CORRUPT);
    }
    reopen(f);
}

static void another_key_does_not_open_it(void **state)
{
    struct fixture *f = *state;
    struct ml_secret *key = NULL;
    struct ml_anchor *other = NULL;
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 7), ML_OK);
    assert_int_equal(ml_secret_from(&key, "0123456789abcdef0123456789abcdeF", 32), ML_OK);
    assert_int_equal(ml_anchor_open(&other, &f->fake.env, f->path, key), ML_E_CORRUPT);
    ml_secret_free(key);
}

static void a_failed_rise_changes_nothing(void **state)
{
    struct fixture *f = *state;
    char folder[320];
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 7), ML_OK);
    /* Something in the way of the new file. */
    support_path(folder, sizeof(folder), f->dir, "anchor.new");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_not_equal(ml_anchor_raise(f->a, &alice, 3, 8), ML_OK);
    assert_int_not_equal(ml_anchor_raise(f->a, &bob, 3, 1), ML_OK);
    assert_int_equal(ml_anchor_get(f->a, &alice, 3), 7);
    assert_int_equal(ml_anchor_get(f->a, &bob, 3), 0);
    support_dir_remove(folder);
    reopen(f);
    assert_int_equal(ml_anchor_get(f->a, &alice, 3), 7);
}

static void it_survives_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_anchor_raise(f->a, &alice, 3, 7), ML_OK);
    for (long nth = 1;; nth++) {
        f->fake.fail_alloc = nth;
        ml_err err = ml_anchor_raise(f->a, &alice, 3, 8);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(ml_anchor_get(f->a, &alice, 3), 7);
    }
    ml_anchor_close(f->a);
    f->a = NULL;
    for (long nth = 1;; nth++) {
        f->fake.fail_alloc = nth;
        ml_err err = ml_anchor_open(&f->a, &f->fake.env, f->path, f->key);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(f->fake.live, 0);
    }
    assert_int_equal(ml_anchor_get(f->a, &alice, 3), 8);
}

static void chains_are_limited(void **state)
{
    struct fixture *f = *state;
    /* The limit itself, without 4096 files: through a record that is full already. */
    ml_anchor_close(f->a);
    f->a = NULL;
    struct ml_buf big;
    ml_buf_init(&big, &f->fake.env, 1u << 20);
    ml_buf_append(&big, "MLA1", 4);
    ml_buf_u32be(&big, ML_ANCHOR_CHAINS_MAX + 1);
    for (uint32_t i = 0; i < (ML_ANCHOR_CHAINS_MAX + 1) * 21 + 32; i++) {
        ml_buf_u8(&big, 0);
    }
    assert_int_equal(ml_file_replace(&f->fake.env, f->path, ml_buf_slice(&big)), ML_OK);
    assert_int_equal(ml_anchor_open(&f->a, &f->fake.env, f->path, f->key), ML_E_CORRUPT);
    ml_buf_free(&big);
}

/* Power goes at each step of a rise, and of the folder whatever was not synced may be lost: what
 * was said to be on disk is, and the file is whole. */
static void a_rise_outlives_a_cut_of_power(void **state)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_ALL, FAULT_KEEP_PREFIX,
                                            FAULT_KEEP_RANDOM};
    struct fixture *f = *state;
    struct fault_disk *disk = fault_disk_new("anchor-disk", 11);
    struct ml_fs fs;
    uint32_t told = 0;
    uint32_t seq = 0;
    unsigned cuts = 0;
    assert_non_null(disk);
    fault_disk_fs(disk, &fs);
    f->fake.env.fs = &fs;
    for (long at = 1; at <= 64; at++) {
        reopen(f);
        assert_in_range(ml_anchor_get(f->a, &alice, 3), told, seq);
        fault_disk_cut_at(disk, at % 8 + 1);
        for (unsigned i = 0; i < 4 && !fault_disk_is_dead(disk); i++) {
            told = ml_anchor_raise(f->a, &alice, 3, ++seq) == ML_OK ? seq : told;
        }
        cuts += fault_disk_is_dead(disk);
        fault_disk_cut_at(disk, 0);
        fault_disk_restart(disk, keeps[at % 4]);
    }
    assert_true(cuts > 48 && told > 32);
    ml_anchor_close(f->a);
    f->a = NULL;
    fault_disk_free(disk);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_rise_is_on_disk_when_it_returns), TEST(its_chains_are_listed),
        TEST(a_rise_is_on_disk_when_it_returns), TEST(it_never_falls),
        TEST(any_changed_byte_is_found),         TEST(another_key_does_not_open_it),
        TEST(a_failed_rise_changes_nothing),     TEST(it_survives_any_failed_alloc),
        TEST(a_rise_outlives_a_cut_of_power),    TEST(chains_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
