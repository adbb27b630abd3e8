/* support_dir.c -- see support_dir.h. */
#include "support_dir.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"

void support_dir_make(char *out, size_t out_len)
{
    const char *base = getenv("TMPDIR");
    snprintf(out, out_len, "%s/ml-store-XXXXXX", base != NULL ? base : "/tmp");
    char *made = mkdtemp(out);
    ML_ASSERT(made != NULL);
}

void support_path(char *out, size_t out_len, const char *dir, const char *name)
{
    int n = snprintf(out, out_len, "%s/%s", dir, name);
    ML_ASSERT(n > 0 && (size_t)n < out_len);
}

void support_dir_remove(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] != '.') {
            char name[512];
            support_path(name, sizeof(name), path, e->d_name);
            (void)unlink(name);
        }
    }
    closedir(dir);
    (void)rmdir(path);
}

void support_flip_byte(const char *path, long offset)
{
    FILE *f = fopen(path, "r+b");
    ML_ASSERT(f != NULL);
    ML_ASSERT(fseek(f, offset, SEEK_SET) == 0);
    int c = fgetc(f);
    ML_ASSERT(c != EOF);
    ML_ASSERT(fseek(f, offset, SEEK_SET) == 0);
    ML_ASSERT(fputc(c ^ 0x40, f) != EOF);
    ML_ASSERT(fclose(f) == 0);
}

void support_truncate(const char *path, long len)
{
    int rc = truncate(path, len);
    ML_ASSERT(rc == 0);
}

long support_file_len(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

void support_copy_file(const char *from, const char *to)
{
    char buf[4096];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    ML_ASSERT(in != NULL && out != NULL);
    size_t read = 0;
    size_t written = 0;
    for (size_t n = fread(buf, 1, sizeof(buf), in); n > 0; n = fread(buf, 1, sizeof(buf), in)) {
        written += fwrite(buf, 1, n, out);
        read += n;
    }
    ML_ASSERT(written == read);
    ML_ASSERT(fclose(out) == 0);
    (void)fclose(in);
}
