/* test_tracejournal.c -- one rule of core/store/tracejournal.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "core/store/tracejournal.h"
#include "fake_env.h"
#include "support_dir.h"

struct fixture {
    struct fake_env fake;
    struct ml_secret *key;
    struct ml_tracejournal *j;
    uint32_t damaged;
    char dir[256];
    char path[300];
    uint64_t seen[64]; /* entries found at the last opening */
    size_t seen_count;
    bool bulk; /* entries without text: counted alone */
};

static ml_err see(void *user, uint64_t index, struct ml_slice plain)
{
    struct fixture *f = user;
    char expect[32];
    if (f->bulk) {
        f->seen_count++;
        return ML_OK;
    }
    snprintf(expect, sizeof(expect), "entry %llu", (unsigned long long)index);
    assert_true(ml_slice_equal(plain, ml_slice_str(expect)));
    f->seen[f->seen_count++] = index;
    return ML_OK;
}

static ml_err open_journal(struct fixture *f)
{
    f->seen_count = 0;
    const struct ml_tracejournal_args args = {
        .env = &f->fake.env, .path = f->path, .key = f->key, .each = see, .user = f};
    return ml_tracejournal_open(&f->j, &f->damaged, &args);
}

static void reopen(struct fixture *f)
{
    ml_tracejournal_close(f->j);
    f->j = NULL;
    assert_int_equal(open_journal(f), ML_OK);
}

/* A new one where an older one was noted: places that it had are never used again. */
static void a_new_journal_begins_where_it_is_told(void **state)
{
    struct fixture *f = *state;
    uint64_t index = 0;
    ml_tracejournal_close(f->j);
    f->j = NULL;
    assert_int_equal(f->fake.env.fs->remove(f->fake.env.fs->ctx, f->path), 0);
    const struct ml_tracejournal_args args = {
        .env = &f->fake.env, .path = f->path, .key = f->key, .first = 41, .each = see, .user = f};
    assert_int_equal(ml_tracejournal_open(&f->j, &f->damaged, &args), ML_OK);
    assert_int_equal(ml_tracejournal_append(f->j, &index, ml_slice_str("entry 41"), false), ML_OK);
    assert_int_equal(index, 41);
    reopen(f);
    assert_int_equal(f->damaged, 0);
    assert_int_equal(f->seen_count, 1);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 5);
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_secret_from(&f.key, "0123456789abcdef0123456789abcdef", 32), ML_OK);
    support_dir_make(f.dir, sizeof(f.dir));
    support_path(f.path, sizeof(f.path), f.dir, "trace");
    assert_int_equal(open_journal(&f), ML_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_tracejournal_close(f->j);
    ml_secret_free(f->key);
    support_dir_remove(f->dir);
    return f->fake.live == 0 ? 0 : -1;
}

static void append(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        uint64_t index = 0;
        const uint64_t next = ml_tracejournal_last(f->j) + 1;
        snprintf(text, sizeof(text), "entry %llu", (unsigned long long)next);
        assert_int_equal(ml_tracejournal_append(f->j, &index, ml_slice_str(text), i % 2 == 0),
                         ML_OK);
        assert_int_equal(index, next);
    }
}

static void entries_are_there_at_the_next_start(void **state)
{
    struct fixture *f = *state;
    append(f, 3);
    reopen(f);
    assert_int_equal(f->seen_count, 3);
    assert_int_equal(f->damaged, 0);
    append(f, 1);
    reopen(f);
    assert_int_equal(f->seen_count, 4);
    assert_int_equal(ml_tracejournal_last(f->j), 4);
}

static void a_cut_forgets_them_and_numbers_go_on(void **state)
{
    struct fixture *f = *state;
    append(f, 3);
    assert_int_equal(ml_tracejournal_cut(f->j, 2), ML_OK); /* one came meanwhile: nothing */
    reopen(f);
    assert_int_equal(f->seen_count, 3);
    assert_int_equal(ml_tracejournal_cut(f->j, 3), ML_OK);
    assert_int_equal(ml_tracejournal_cut(f->j, 3), ML_OK);
    reopen(f);
    assert_int_equal(f->seen_count, 0);
    assert_int_equal(ml_tracejournal_last(f->j), 3);
    append(f, 1);
    reopen(f);
    assert_int_equal(f->seen_count, 1);
    assert_int_equal(f->seen[0], 4);
}

static void a_torn_tail_is_dropped(void **state)
{
    struct fixture *f = *state;
    append(f, 2);
    const long whole = support_file_len(f->path);
    append(f, 1);
    const long all = support_file_len(f->path);
    char copy[320];
    support_path(copy, sizeof(copy), f->dir, "copy");
    support_copy_file(f->path, copy);
    for (long cut = whole; cut < all; cut++) {
        ml_tracejournal_close(f->j);
        f->j = NULL;
        support_copy_file(copy, f->path);
        support_truncate(f->path, cut);
        assert_int_equal(open_journal(f), ML_OK);
        assert_int_equal(f->seen_count, 2);
        assert_int_equal(f->damaged, 0);
        assert_int_equal(support_file_len(f->path), whole);
        append(f, 1);
        reopen(f);
        assert_int_equal(f->seen_count, 3);
    }
}

static void damage_in_the_middle_costs_that_entry_and_is_counted(void **state)
{
    struct fixture *f = *state;
    append(f, 1);
    const long start = support_file_len(f->path);
    append(f, 1);
    const long end = support_file_len(f->path);
    append(f, 2);
    for (long at = start; at < end; at++) {
        support_flip_byte(f->path, at);
        reopen(f);
        assert_int_equal(f->seen_count, 3);
        assert_int_equal(f->seen[0], 1);
        assert_int_equal(f->seen[1], 3);
        assert_int_equal(f->damaged, 1);
        support_flip_byte(f->path, at);
    }
    reopen(f);
    assert_int_equal(f->seen_count, 4);
}

static void a_damaged_header_is_told(void **state)
{
    struct fixture *f = *state;
    append(f, 1);
    ml_tracejournal_close(f->j);
    f->j = NULL;
    support_flip_byte(f->path, 5);
    assert_int_equal(open_journal(f), ML_E_WRONG_KEY);
    support_flip_byte(f->path, 5);
    support_flip_byte(f->path, 0);
    assert_int_equal(open_journal(f), ML_E_CORRUPT);
    support_flip_byte(f->path, 0);
    support_truncate(f->path, 20);
    assert_int_equal(open_journal(f), ML_E_CORRUPT);
    assert_null(f->j);
}

static void no_entry_is_in_clear_on_disk(void **state)
{
    struct fixture *f = *state;
    char bytes[4096];
    append(f, 3);
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_true(n > 100);
    assert_null(memmem(bytes, n, "entry", 5));
}

static void entries_are_limited(void **state)
{
    struct fixture *f = *state;
    uint64_t index = 0;
    uint8_t *big = ml_alloc(&f->fake.env, ML_TRACEJOURNAL_ENTRY_MAX + 1u);
    assert_int_equal(
        ml_tracejournal_append(f->j, &index, ml_slice(big, ML_TRACEJOURNAL_ENTRY_MAX + 1u), false),
        ML_E_LIMIT);
    assert_int_equal(
        ml_tracejournal_append(f->j, &index, ml_slice(big, ML_TRACEJOURNAL_ENTRY_MAX), false),
        ML_OK);
    ml_release(&f->fake.env, big);
}

/* 64 MiB of the largest entries: what a node without an unlocked member may gather. */
static void a_journal_ends_at_its_limit(void **state)
{
    struct fixture *f = *state;
    uint64_t index = 0;
    unsigned count = 0;
    uint8_t *big = ml_alloc(&f->fake.env, ML_TRACEJOURNAL_ENTRY_MAX);
    const struct ml_slice entry = ml_slice(big, ML_TRACEJOURNAL_ENTRY_MAX);
    ml_err err = ML_OK;
    while (err == ML_OK) {
        err = ml_tracejournal_append(f->j, &index, entry, false);
        count += err == ML_OK;
    }
    assert_int_equal(err, ML_E_LIMIT);
    assert_in_range(count, ML_TRACEJOURNAL_FILE_MAX / (ML_TRACEJOURNAL_ENTRY_MAX + 128u),
                    ML_TRACEJOURNAL_FILE_MAX / ML_TRACEJOURNAL_ENTRY_MAX);
    ml_release(&f->fake.env, big);
    ml_tracejournal_close(f->j); /* and all of it is read again */
    f->j = NULL;
    f->bulk = true;
    assert_int_equal(open_journal(f), ML_OK);
    assert_int_equal(f->seen_count, count);
    assert_int_equal(ml_tracejournal_cut(f->j, count), ML_OK); /* once it is in bundles */
    assert_int_equal(ml_tracejournal_append(f->j, &index, ml_slice_str("next"), false), ML_OK);
}

static void it_survives_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    append(f, 2);
    for (long nth = 1;; nth++) {
        uint64_t index = 0;
        f->fake.fail_alloc = nth;
        ml_err err = ml_tracejournal_append(f->j, &index, ml_slice_str("entry 3"), false);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(ml_tracejournal_last(f->j), 2);
    }
    ml_tracejournal_close(f->j);
    f->j = NULL;
    for (long nth = 1;; nth++) {
        f->fake.fail_alloc = nth;
        ml_err err = open_journal(f);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_null(f->j);
        assert_int_equal(f->fake.live, 0);
    }
    assert_int_equal(f->seen_count, 3);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_journal_begins_where_it_is_told),
        TEST(entries_are_there_at_the_next_start),
        TEST(a_cut_forgets_them_and_numbers_go_on),
        TEST(a_torn_tail_is_dropped),
        TEST(damage_in_the_middle_costs_that_entry_and_is_counted),
        TEST(a_damaged_header_is_told),
        TEST(no_entry_is_in_clear_on_disk),
        TEST(entries_are_limited),
        TEST(a_journal_ends_at_its_limit),
        TEST(it_survives_any_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
