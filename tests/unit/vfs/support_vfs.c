/* support_vfs.c -- see support_vfs.h. */
#include "support_vfs.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

const uint8_t support_key[ML_VFS_KEY_BYTES] = "a key for the tests of the vfs.";
const uint8_t support_other_key[ML_VFS_KEY_BYTES] = "another key for the same tests.";

void support_folder_make(struct support_folder *f)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(f->path, sizeof(f->path), "%s/ml-vfs-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(f->path));
    snprintf(f->db, sizeof(f->db), "%s/t.db", f->path);
    assert_int_equal(ml_vfs_register_over(SUPPORT_VFS, support_key, "unix", 0), ML_OK);
}

void support_folder_remove(struct support_folder *f)
{
    char path[600];
    int rc = ml_vfs_unregister(SUPPORT_VFS);
    DIR *dir = opendir(f->path);
    assert_non_null(dir);
    for (struct dirent *e = NULL; (e = readdir(dir)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", f->path, e->d_name);
        unlink(path);
    }
    closedir(dir);
    rmdir(f->path);
    assert_true(rc == ML_OK || rc == ML_E_NOT_FOUND);
}

const char *support_name(const struct support_folder *f, const char *suffix)
{
    static char name[400];
    snprintf(name, sizeof(name), "%s%s", f->db, suffix);
    return name;
}

int support_open(sqlite3 **out, const char *path, int flags)
{
    int rc = sqlite3_open_v2(path, out, flags, SUPPORT_VFS);
    if (rc != SQLITE_OK) {
        sqlite3_close(*out);
        *out = NULL;
        return rc;
    }
    sqlite3_extended_result_codes(*out, 1);
    return rc;
}

sqlite3 *support_open_ok(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(support_open(&db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE),
                     SQLITE_OK);
    return db;
}

int support_exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

void support_exec_ok(sqlite3 *db, const char *sql)
{
    int rc = support_exec(db, sql);
    if (rc != SQLITE_OK) {
        char text[300] = "";
        ml_vfs_last_error(SUPPORT_VFS, text, sizeof(text));
        fail_msg("%d %s [%s] <- %s", rc, sqlite3_errmsg(db), text, sql);
    }
}

sqlite3_int64 support_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    int rc = sqlite3_step(s);
    sqlite3_int64 value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    assert_int_equal(rc, SQLITE_ROW);
    return value;
}

bool support_is_sound(sqlite3 *db)
{
    sqlite3_stmt *s = NULL;
    bool sound = false;
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW) {
        sound = strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
    }
    sqlite3_finalize(s);
    return sound;
}

void support_close_ok(sqlite3 *db)
{
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void support_fill(sqlite3 *db, int n, int fill)
{
    char *sql = sqlite3_mprintf("CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b);"
                                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c "
                                "WHERE x<%d) INSERT INTO t(b) SELECT '" SUPPORT_CANARY
                                "' || hex(randomblob(%d)) FROM c",
                                n, fill / 2);
    support_exec_ok(db, sql);
    sqlite3_free(sql);
}

uint8_t *support_read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct stat st;
    assert_int_equal(fstat(fileno(file), &st), 0);
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    *len = fread(bytes, 1, (size_t)st.st_size, file);
    fclose(file);
    return bytes;
}

void support_write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

long support_file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

void support_flip(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    int c = fgetc(file);
    assert_int_not_equal(c, EOF);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    fputc(c ^ 0x20, file);
    assert_int_equal(fclose(file), 0);
}

static bool file_holds(const char *path, const char *text)
{
    size_t len = 0;
    uint8_t *bytes = support_read_file(path, &len);
    bool found = memmem(bytes, len, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

bool support_folder_holds(const struct support_folder *f, const char *text)
{
    char path[600];
    bool found = false;
    DIR *dir = opendir(f->path);
    assert_non_null(dir);
    for (struct dirent *e = NULL; (e = readdir(dir)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", f->path, e->d_name);
        found = found || (e->d_type == DT_REG && file_holds(path, text));
    }
    closedir(dir);
    return found;
}

int support_folder_count(const struct support_folder *f, const char *suffix)
{
    int count = 0;
    DIR *dir = opendir(f->path);
    assert_non_null(dir);
    for (struct dirent *e = NULL; (e = readdir(dir)) != NULL;) {
        size_t len = strlen(e->d_name);
        size_t n = strlen(suffix);
        count += len >= n && strcmp(e->d_name + len - n, suffix) == 0;
    }
    closedir(dir);
    return count;
}

void support_expect_error(ml_err err, const char *words)
{
    char text[300] = "";
    ml_err got = ml_vfs_last_error(SUPPORT_VFS, text, sizeof(text));
    if (got != err || strstr(text, words) == NULL) {
        fail_msg("%s \"%s\", wanted %s \"%s\"", ml_err_name(got), text, ml_err_name(err), words);
    }
}
