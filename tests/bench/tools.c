/* tests/bench/tools.c -- see bench.h: time, chance, folders. */
#include <errno.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

double bench_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

double bench_cpu_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2.0;
}

uint64_t bench_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

bool bench_fail(struct bench *b, const char *what, ml_err err)
{
    fprintf(stderr, "maille-bench: %s: %s\n", what, ml_err_text(err));
    b->failed = true;
    return false;
}

bool bench_good(struct bench *b, ml_err err, const char *what)
{
    return err == ML_OK ? !b->failed : bench_fail(b, what, err);
}

void bench_say(const struct bench *b, const char *what)
{
    fprintf(stderr, "%s: %s\n", b->size == NULL ? "-" : b->size->name, what);
}

bool bench_spawn(const char *const *argv)
{
    pid_t pid = 0;
    int status = -1;
    char *args[8] = {NULL};
    size_t count = 0;
    while (count < sizeof(args) / sizeof(args[0]) - 1 && argv[count] != NULL) {
        count++;
    }
    memcpy(args, argv, count * sizeof(args[0]));
    if (argv[0] != NULL && posix_spawnp(&pid, argv[0], NULL, NULL, args, environ) == 0) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool bench_copy_folder(struct bench *b, const char *from, const char *to)
{
    const char *const argv[] = {"cp", "-a", from, to, NULL};
    bench_remove_folder(to);
    return bench_spawn(argv) || bench_fail(b, to, ML_E_IO);
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void bench_remove_folder(const char *path)
{
    (void)nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t folder_bytes;

static int entry_count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    folder_bytes += type == FTW_F ? (uint64_t)st->st_size : 0;
    return 0;
}

uint64_t bench_folder_bytes(const char *path)
{
    folder_bytes = 0;
    (void)nftw(path, entry_count, 16, FTW_PHYS);
    return folder_bytes;
}

bool bench_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}
