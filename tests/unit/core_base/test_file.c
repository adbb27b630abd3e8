/* test_file.c -- small files: whole, replaced whole, and what each failure is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/fs.h"
#include "fake_env.h"

/* The linker gives us the module's own fsync. */
int __wrap_fsync(int fd); // NOLINT(readability-identifier-naming)
static ino_t synced;      /* the last one; 0: none */
static int sync_errno;

// NOLINTNEXTLINE(readability-identifier-naming)
int __wrap_fsync(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    synced = st.st_ino;
    errno = sync_errno;
    return sync_errno == 0 ? 0 : -1;
}

struct fixture {
    struct fake_env fake;
    char folder[64];
    char path[96];
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 1);
    snprintf(f.folder, sizeof(f.folder), "/tmp/maille-file-XXXXXX");
    assert_non_null(mkdtemp(f.folder));
    snprintf(f.path, sizeof(f.path), "%s/x", f.folder);
    *state = &f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return f->fake.live == 0 ? 0 : -1;
}

static ml_err read_max(struct fixture *f, size_t max, size_t *len)
{
    struct ml_buf out;
    ml_buf_init(&out, &f->fake.env, max);
    ml_err err = ml_file_read(&out, &f->fake.env, f->path);
    *len = out.len;
    ml_buf_free(&out);
    return err;
}

static void a_file_is_replaced_and_read_whole(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[20000];
    size_t len = 0;
    struct stat st;
    memset(bytes, 7, sizeof(bytes));
    for (size_t size = 0; size <= sizeof(bytes); size += 4096 - size % 3) {
        assert_int_equal(ml_file_replace(&f->fake.env, f->path, ml_slice(bytes, size)), ML_OK);
        assert_int_equal(read_max(f, size, &len), ML_OK);
        assert_int_equal(len, size);
        assert_int_equal(size == 0 ? ML_E_LIMIT : read_max(f, size - 1, &len), ML_E_LIMIT);
    }
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_cannot_be_read_says_why(void **state)
{
    struct fixture *f = *state;
    struct ml_buf out;
    ml_buf_init(&out, &f->fake.env, 100);
    assert_int_equal(ml_file_read(&out, &f->fake.env, "/nonexistent/x"), ML_E_NOT_FOUND);
    assert_int_equal(ml_file_read(&out, &f->fake.env, f->folder), ML_E_IO);
    assert_int_equal(ml_file_replace(&f->fake.env, "/nonexistent/x", ml_slice("a", 1)),
                     ML_E_NOT_FOUND);
    ml_buf_free(&out);
    static const struct {
        int number;
        ml_err err;
    } errors[] = {{0, ML_OK},
                  {ENOSPC, ML_E_FULL},
                  {EDQUOT, ML_E_FULL},
                  {EROFS, ML_E_READONLY},
                  {EACCES, ML_E_READONLY},
                  {ENOENT, ML_E_NOT_FOUND},
                  {ENOMEM, ML_E_NOMEM},
                  {ENAMETOOLONG, ML_E_LIMIT},
                  {EIO, ML_E_IO}};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        assert_int_equal(ml_file_err(errors[i].number), errors[i].err);
    }
}

static void name_count(void *user, const char *name)
{
    assert_true(strcmp(name, "x") == 0 || strcmp(name, "y") == 0);
    ++*(unsigned *)user;
}

static void a_folder_lists_what_is_in_it(void **state)
{
    struct fixture *f = *state;
    const struct ml_fs *fs = f->fake.env.fs;
    char other[96];
    unsigned count = 0;
    snprintf(other, sizeof(other), "%s/y", f->folder);
    assert_int_equal(fs->make_folder(fs->ctx, other), 0);
    assert_int_equal(fs->make_folder(fs->ctx, other), 0); /* it is there */
    assert_int_equal(ml_file_replace(&f->fake.env, f->path, ml_slice("a", 1)), ML_OK);
    assert_int_equal(fs->list(fs->ctx, f->folder, name_count, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(fs->list(fs->ctx, f->path, name_count, &count), ENOTDIR);
    assert_true(fs->exists(fs->ctx, f->path));
    assert_int_equal(fs->remove(fs->ctx, f->path), 0);
    assert_false(fs->exists(fs->ctx, f->path));
    assert_int_equal(fs->remove(fs->ctx, f->path), ENOENT);
}

static void a_new_folder_is_durable_or_is_not_there(void **state)
{
    struct fixture *f = *state;
    const struct ml_fs *fs = f->fake.env.fs;
    struct stat parent;
    assert_int_equal(stat(f->folder, &parent), 0);
    sync_errno = EIO;
    assert_int_equal(fs->make_folder(fs->ctx, f->path), EIO);
    assert_false(fs->exists(fs->ctx, f->path));
    sync_errno = 0;
    synced = 0;
    assert_int_equal(fs->make_folder(fs->ctx, f->path), 0);
    assert_int_equal(synced, parent.st_ino);
    synced = 0;
    assert_int_equal(fs->make_folder(fs->ctx, f->path), 0);
    assert_int_equal(synced, 0); /* nothing new */
}

static void a_link_is_never_written_through(void **state)
{
    struct fixture *f = *state;
    const struct ml_fs *fs = f->fake.env.fs;
    char other[96];
    intptr_t file = 0;
    struct stat st;
    snprintf(other, sizeof(other), "%s/y", f->folder);
    assert_int_equal(ml_file_replace(&f->fake.env, other, ml_slice("abc", 3)), ML_OK);
    assert_int_equal(symlink(other, f->path), 0);
    assert_int_equal(fs->open(fs->ctx, f->path, ML_FS_NEW, &file), ELOOP);
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_size, 3);
}

static void bytes_are_read_and_written_in_place(void **state)
{
    struct fixture *f = *state;
    const struct ml_fs *fs = f->fake.env.fs;
    intptr_t file = 0;
    char out[8] = "";
    size_t got = 0;
    assert_int_equal(fs->open(fs->ctx, f->path, ML_FS_WRITE, &file), ENOENT);
    assert_int_equal(fs->open(fs->ctx, f->path, ML_FS_NEW, &file), 0);
    assert_int_equal(fs->write(fs->ctx, file, 0, "abcdef", 6), 0);
    assert_int_equal(fs->write(fs->ctx, file, 2, "XY", 2), 0);
    assert_int_equal(fs->truncate(fs->ctx, file, 5), 0);
    assert_int_equal(fs->sync(fs->ctx, file), 0);
    assert_int_equal(fs->read(fs->ctx, file, 1, out, sizeof(out), &got), 0);
    assert_int_equal(got, 4);
    assert_memory_equal(out, "bXYe", 4);
    fs->close(fs->ctx, file);
}

/* `<folder>/././...f`: so long, and one that the system takes. */
static void long_path(char *out, const char *folder, size_t len)
{
    size_t at = strlen(folder);
    memcpy(out, folder, at);
    out[at++] = '/';
    for (; at + 2 < len; at += 2) {
        memcpy(out + at, "./", 2);
    }
    memset(out + at, 'f', len - at);
    out[len] = '\0';
}

static void a_path_leaves_room_for_its_new_file(void **state)
{
    enum { MOST = ML_FILE_PATH_MAX - sizeof(".new") };
    struct fixture *f = *state;
    char path[ML_FILE_PATH_MAX + 1];
    long_path(path, f->folder, MOST);
    assert_int_equal(ml_file_replace(&f->fake.env, path, ml_slice_str("x")), ML_OK);
    assert_int_equal(unlink(path), 0);
    long_path(path, f->folder, MOST + 1);
    assert_int_equal(ml_file_replace(&f->fake.env, path, ml_slice_str("x")), ML_E_LIMIT);
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_file_is_replaced_and_read_whole),   T(what_cannot_be_read_says_why),
        T(a_folder_lists_what_is_in_it),        T(a_new_folder_is_durable_or_is_not_there),
        T(a_link_is_never_written_through),     T(bytes_are_read_and_written_in_place),
        T(a_path_leaves_room_for_its_new_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
