/* test_file.c -- paths that core/store/file.c takes, and those it can't name a second file beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/store/file.h"
#include "support_dir.h"

/* `<dir>/././.../f`: a path of this length that the system takes. */
static void long_path(char *out, const char *dir, size_t len)
{
    size_t at = strlen(dir);
    memcpy(out, dir, at);
    out[at++] = '/';
    while (at + 2 < len) {
        out[at++] = '.';
        out[at++] = '/';
    }
    while (at < len) {
        out[at++] = 'f';
    }
    out[len] = '\0';
}

static void a_path_leaves_room_for_its_new_file(void **state)
{
    enum { MOST = ML_FILE_PATH_MAX - sizeof(".new") };
    char dir[256];
    char path[ML_FILE_PATH_MAX + 1];
    (void)state;
    support_dir_make(dir, sizeof(dir));
    long_path(path, dir, MOST);
    assert_int_equal(ml_file_replace(path, ml_slice_str("x")), ML_OK);
    assert_int_equal(unlink(path), 0);
    long_path(path, dir, MOST + 1);
    assert_int_equal(ml_file_replace(path, ml_slice_str("x")), ML_E_LIMIT);
    assert_int_not_equal(access(path, F_OK), 0);
    support_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_path_leaves_room_for_its_new_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
