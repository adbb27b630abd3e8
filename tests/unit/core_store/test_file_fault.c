/* test_file_fault.c -- the small files beside the databases over a disk that fails: the 1st, 2nd,
 * 3rd ... call of the system fails until none is left. After each: a clear error, the object goes
 * on, and what is read back is what was before or what was asked for, never between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/crypto/keystore_file.h"
#include "core/store/anchor.h"
#include "core/store/tracejournal.h"
#include "fake_env.h"
#include "support_dir.h"

/* ---- the system's calls, as this program's objects find them ---- */

static struct {
    long nth;  /* fails; 0: none */
    int error; /* its errno; 0: a short write, which is no failure */
    bool torn; /* a failed write leaves its first half */
    bool fired;
} plan;

static bool fails(void)
{
    if (plan.nth == 0 || --plan.nth > 0) {
        return false;
    }
    plan.fired = true;
    if (plan.error == 0) {
        return false;
    }
    errno = plan.error;
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    const bool before = plan.fired;
    const bool failed = fails();
    const bool hit = plan.fired && !before;
    if (!hit) {
        return syscall(SYS_pwrite64, fd, bytes, len, at);
    }
    if (failed && !plan.torn) {
        return -1;
    }
    const ssize_t n = syscall(SYS_pwrite64, fd, bytes, len > 1 ? len / 2 : len, at);
    if (failed) {
        errno = plan.error;
        return -1;
    }
    return n;
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
    return fails() ? -1 : syscall(SYS_pread64, fd, bytes, len, at);
}

int fsync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t len)
{
    return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int rename(const char *from, const char *to)
{
    return fails() ? -1 : (int)syscall(SYS_rename, from, to);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
    const unsigned mode = (flags & O_CREAT) != 0 ? va_arg(args, unsigned) : 0;
    va_end(args);
    return fails() ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* ---- the loop ---- */

struct mode {
    int error;
    bool torn;
    ml_err told;
};

static const struct mode modes[] = {{EIO, false, ML_E_IO},
                                    {ENOSPC, true, ML_E_FULL},
                                    {EROFS, false, ML_E_READONLY},
                                    {0, false, ML_OK}};

struct fixture {
    struct fake_env fake;
    struct ml_secret *key;
    char dir[256];
    char path[300];
    struct mode mode;
    ml_err err; /* of the step */
    uint64_t acked;
    uint64_t tried;
    uint64_t last_seen;
};

typedef void step_fn(struct fixture *f);

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    memset(&plan, 0, sizeof(plan));
    fake_env_init(&f.fake, 9);
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_secret_from(&f.key, "0123456789abcdef0123456789abcdef", 32), ML_OK);
    support_dir_make(f.dir, sizeof(f.dir));
    support_path(f.path, sizeof(f.path), f.dir, "file");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_secret_free(f->key);
    support_dir_remove(f->dir);
    return f->fake.live == 0 ? 0 : -1;
}

static void one_call_fails(struct fixture *f, step_fn *step, step_fn *check, long nth)
{
    plan.nth = nth;
    plan.error = f->mode.error;
    plan.torn = f->mode.torn;
    plan.fired = false;
    step(f);
    plan.nth = 0;
    if (f->err != ML_OK) { /* nothing fails by itself, and what failed is named */
        assert_true(plan.fired);
        assert_int_equal(f->err, f->mode.told);
    }
    check(f);
}

/* `step` under the plan, `check` without it, until the plan isn't reached any more. */
static void each_call_fails(struct fixture *f, step_fn *step, step_fn *check)
{
    for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
        long nth = 0;
        f->mode = modes[m];
        do {
            one_call_fails(f, step, check, ++nth);
        } while (plan.fired);
        assert_true(nth > 2);
    }
}

/* ---- a file that is replaced whole ---- */

static void replace_step(struct fixture *f)
{
    char text[32];
    const int len = snprintf(text, sizeof(text), "number %llu", (unsigned long long)++f->tried);
    f->err = ml_file_replace(&f->fake.env, f->path, ml_slice(text, (size_t)len));
    f->acked = f->err == ML_OK ? f->tried : f->acked;
}

static void replace_check(struct fixture *f)
{
    char before[32];
    char after[32];
    struct ml_buf bytes;
    ml_buf_init(&bytes, &f->fake.env, 1u << 15);
    snprintf(before, sizeof(before), "number %llu", (unsigned long long)f->acked);
    snprintf(after, sizeof(after), "number %llu", (unsigned long long)f->tried);
    ml_err err = ml_file_read(&bytes, &f->fake.env, f->path);
    if (f->acked > 0 || err == ML_OK) {
        assert_int_equal(err, ML_OK);
        assert_true(ml_slice_equal(ml_buf_slice(&bytes), ml_slice_str(before)) ||
                    ml_slice_equal(ml_buf_slice(&bytes), ml_slice_str(after)));
        f->acked = ml_slice_equal(ml_buf_slice(&bytes), ml_slice_str(after)) ? f->tried : f->acked;
    }
    ml_buf_free(&bytes);
}

static void a_replaced_file_is_the_old_or_the_new_one(void **state)
{
    each_call_fails(*state, replace_step, replace_check);
}

/* ---- anchor ---- */

static const struct ml_writer_id writer = {{7}};

/* Opened under the plan too. */
static void anchor_step(struct fixture *f)
{
    struct ml_anchor *a = NULL;
    f->err = ml_anchor_open(&a, &f->fake.env, f->path, f->key);
    if (f->err == ML_OK) {
        f->err = ml_anchor_raise(a, &writer, 3, (uint32_t)++f->tried);
        const uint32_t now = ml_anchor_get(a, &writer, 3); /* memory follows the disk */
        assert_true(f->err == ML_OK ? now == f->tried : now < f->tried);
    }
    f->acked = f->err == ML_OK ? f->tried : f->acked;
    ml_anchor_close(a);
}

static void anchor_check(struct fixture *f)
{
    struct ml_anchor *a = NULL;
    assert_int_equal(ml_anchor_open(&a, &f->fake.env, f->path, f->key), ML_OK);
    const uint32_t now = ml_anchor_get(a, &writer, 3);
    assert_true(now >= f->acked && now <= f->tried);
    f->acked = now;
    ml_anchor_close(a);
}

static void an_anchor_never_falls_below_what_was_acknowledged(void **state)
{
    each_call_fails(*state, anchor_step, anchor_check);
}

/* ---- trace journal ---- */

static ml_err see(void *user, uint64_t index, struct ml_slice plain)
{
    struct fixture *f = user;
    char expect[32];
    snprintf(expect, sizeof(expect), "entry %llu", (unsigned long long)index);
    assert_true(ml_slice_equal(plain, ml_slice_str(expect)));
    assert_true(index > f->last_seen);
    f->last_seen = index;
    return ML_OK;
}

static ml_err journal_open(struct fixture *f, struct ml_tracejournal **j)
{
    uint32_t damaged = 0;
    const struct ml_tracejournal_args args = {
        .env = &f->fake.env, .path = f->path, .key = f->key, .each = see, .user = f};
    f->last_seen = 0;
    ml_err err = ml_tracejournal_open(j, &damaged, &args);
    assert_int_equal(damaged, 0);
    return err;
}

static void journal_append(struct fixture *f, struct ml_tracejournal *j, bool sync)
{
    char text[32];
    uint64_t index = 0;
    f->tried = ml_tracejournal_last(j) + 1;
    const int len = snprintf(text, sizeof(text), "entry %llu", (unsigned long long)f->tried);
    ml_err err = ml_tracejournal_append(j, &index, ml_slice(text, (size_t)len), sync);
    f->err = f->err == ML_OK ? err : f->err;
    f->acked = err == ML_OK ? index : f->acked;
    assert_true(err != ML_OK || index == f->tried);
}

static void journal_step(struct fixture *f)
{
    struct ml_tracejournal *j = NULL;
    f->err = journal_open(f, &j);
    if (f->err == ML_OK) {
        journal_append(f, j, true);
        journal_append(f, j, false);
    }
    ml_tracejournal_close(j);
}

static void journal_check(struct fixture *f)
{
    struct ml_tracejournal *j = NULL;
    assert_int_equal(journal_open(f, &j), ML_OK);
    assert_true(f->last_seen >= f->acked && f->last_seen <= f->tried);
    f->acked = f->last_seen;
    ml_tracejournal_close(j);
}

static void an_entry_that_was_acknowledged_is_there_at_the_next_start(void **state)
{
    each_call_fails(*state, journal_step, journal_check);
}

/* What is appended after a cut that failed isn't lost: the file that took the place has it. */
static void cut_step(struct fixture *f)
{
    struct ml_tracejournal *j = NULL;
    const long nth = plan.nth;
    plan.nth = 0;
    f->err = ML_OK;
    assert_int_equal(journal_open(f, &j), ML_OK);
    journal_append(f, j, true);
    plan.nth = nth;
    ml_err err = ml_tracejournal_cut(j, ml_tracejournal_last(j));
    plan.nth = 0;
    f->acked = 0; /* what stood before the cut is in bundles */
    journal_append(f, j, true);
    assert_int_equal(f->err, ML_OK); /* the disk answers again, and so does the journal */
    f->err = err;
    ml_tracejournal_close(j);
}

static void cut_check(struct fixture *f)
{
    struct ml_tracejournal *j = NULL;
    assert_int_equal(journal_open(f, &j), ML_OK);
    assert_true(f->last_seen >= f->acked);
    assert_true(ml_tracejournal_last(j) + 1 >= f->tried); /* indexes never repeat */
    ml_tracejournal_close(j);
}

static void what_follows_a_cut_that_failed_is_kept(void **state)
{
    each_call_fails(*state, cut_step, cut_check);
}

/* ---- keystore ---- */

static void keystore_step(struct fixture *f)
{
    struct ml_keystore *ks = NULL;
    const struct ml_org_id org = {{(uint8_t)(f->tried + 1)}};
    f->tried++;
    assert_int_equal(ml_keystore_new(&ks, &f->fake.env, &org), ML_OK);
    f->err = ml_keystore_save(ks, &f->fake.env, f->path);
    f->acked = f->err == ML_OK ? f->tried : f->acked;
    ml_keystore_free(ks);
}

static void keystore_check(struct fixture *f)
{
    struct ml_keystore *ks = NULL;
    ml_err err = ml_keystore_load(&ks, &f->fake.env, f->path, NULL);
    assert_true(err == ML_OK || (err == ML_E_NOT_FOUND && f->acked == 0));
    if (err == ML_OK) {
        const uint64_t now = ml_keystore_org(ks)->b[0];
        assert_true(now == f->acked || now == f->tried);
        f->acked = now;
    }
    ml_keystore_free(ks);
}

static void a_keystore_is_the_old_or_the_new_one(void **state)
{
    each_call_fails(*state, keystore_step, keystore_check);
}

/* Reading: an error of the disk is no damage. */
static void keystore_read_step(struct fixture *f)
{
    struct ml_keystore *ks = NULL;
    f->err = ml_keystore_load(&ks, &f->fake.env, f->path, NULL);
    assert_true((ks != NULL) == (f->err == ML_OK));
    ml_keystore_free(ks);
}

static void a_keystore_that_the_disk_does_not_give_is_not_called_damaged(void **state)
{
    struct fixture *f = *state;
    keystore_step(f);
    assert_int_equal(f->err, ML_OK);
    each_call_fails(f, keystore_read_step, keystore_check);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_replaced_file_is_the_old_or_the_new_one),
        T(an_anchor_never_falls_below_what_was_acknowledged),
        T(an_entry_that_was_acknowledged_is_there_at_the_next_start),
        T(what_follows_a_cut_that_failed_is_kept),
        T(a_keystore_is_the_old_or_the_new_one),
        T(a_keystore_that_the_disk_does_not_give_is_not_called_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
