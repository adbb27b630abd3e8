/* tests/bench/main.c -- maille-bench: the figures of docs/benchmarks, measured again.
 *
 *   maille-bench [--json] [--size 10k|100k|1m|N]... [--only KEY]... [--dir DIR] [--quick]
 *   maille-bench vfs [--json] ...
 *
 * Without --size: 10k and 100k. --only takes the beginning of a key. --dir keeps the stores there,
 * and takes those that are there from an earlier run; else they are made in $TMPDIR and removed.
 * JSON goes to stdout, how far it is to stderr. Exit code: 0 measured, 1 failed, 2 wrong arguments;
 * a goal that isn't reached is no failure. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "core/crypto/secret.h"

enum { SIZES_MAX = 8, ONLY_MAX = 16, OPS_A_PATIENT = 20, PATIENTS_MAX = 50000, OPS_MIN = 640 };

struct bench_entry {
    const char *keys; /* that it reports, to the dot */
    bench_fn *run;
};

static const struct bench_entry benches[] = {
    {"ingest relay", ml_bench_ingest},
    {"search", ml_bench_search},
    {"store", ml_bench_store}, /* before what writes */
    {"chart", ml_bench_chart},
    {"write", ml_bench_write},
    {"start unlock rss", ml_bench_start},
    {"first live sync", ml_bench_exchange},
    {"revoke", ml_bench_revoke},
    {"vfs", ml_bench_vfs},
    {"sync", ml_bench_link}, /* with the stores that the one before leaves */
};

struct options {
    struct bench_size sizes[SIZES_MAX];
    size_t size_count;
    const char *only[ONLY_MAX];
    size_t only_count;
    const char *dir;
    bool json;
    bool quick;
};

static bool size_add(struct options *o, const char *text)
{
    char *end = NULL;
    unsigned long long ops = strtoull(text, &end, 10);
    ops *= *end == 'k' ? 1000u : *end == 'm' ? 1000000u : 1u;
    if (end == text || (*end != '\0' && end[1] != '\0') || ops < OPS_MIN || ops > 10000000 ||
        o->size_count == SIZES_MAX) {
        return false;
    }
    struct bench_size *size = &o->sizes[o->size_count++];
    snprintf(size->name, sizeof(size->name), "%.10s", text);
    size->ops = ops;
    size->patients =
        ops / OPS_A_PATIENT < PATIENTS_MAX ? (uint32_t)(ops / OPS_A_PATIENT) : PATIENTS_MAX;
    return true;
}

static bool option_take(struct options *o, int c)
{
    switch (c) {
    case 'j':
        o->json = true;
        return true;
    case 'q':
        o->quick = true;
        return true;
    case 's':
        return size_add(o, optarg);
    case 'd':
        o->dir = optarg;
        return true;
    case 'o':
        if (o->only_count < ONLY_MAX) {
            o->only[o->only_count++] = optarg;
            return true;
        }
        return false;
    default:
        return false;
    }
}

static bool options_read(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"json", no_argument, NULL, 'j'},       {"quick", no_argument, NULL, 'q'},
        {"size", required_argument, NULL, 's'}, {"only", required_argument, NULL, 'o'},
        {"dir", required_argument, NULL, 'd'},  {NULL, 0, NULL, 0}};
    *o = (struct options){.dir = NULL};
    for (int c = 0; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (!option_take(o, c)) {
            return false;
        }
    }
    return optind == argc && (o->size_count > 0 || (size_add(o, "10k") && size_add(o, "100k")));
}

/* "search", "search.key_ms" and "sea" all mean the search. */
static bool is_named(const char *words, const char *key)
{
    while (words != NULL && *words != '\0') {
        const size_t len = strcspn(words, " ");
        const size_t given = strcspn(key, ".");
        if (strncmp(words, key, len < given ? len : given) == 0) {
            return true;
        }
        words += len + strspn(words + len, " ");
    }
    return false;
}

static bool is_wanted(const struct options *o, const struct bench_entry *e)
{
    bool wanted = o->only_count == 0;
    for (size_t i = 0; i < o->only_count; i++) {
        wanted = wanted || is_named(e->keys, o->only[i]);
    }
    return wanted;
}

static json_t *size_measure(struct bench *b, const struct options *o, const struct bench_size *size)
{
    b->size = size;
    b->out = json_object();
    snprintf(b->folder, sizeof(b->folder), "%.400s/%s", b->dir, size->name);
    bench_also(b, "store", "ops", (double)size->ops);
    bench_also(b, "store", "patients", size->patients);
    for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]) && !b->failed; i++) {
        if (is_wanted(o, &benches[i])) {
            benches[i].run(b);
        }
    }
    if (o->dir == NULL) {
        bench_remove_folder(b->folder);
    }
    return b->out;
}

static json_t *machine(void)
{
    struct utsname u;
    json_t *m = json_object();
    if (uname(&u) == 0) {
        json_object_set_new(m, "system", json_sprintf("%s %s %s", u.sysname, u.release, u.machine));
    }
    json_object_set_new(m, "cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    return m;
}

static json_t *limits(const struct bench *b)
{
    json_t *l = json_object();
    json_object_set_new(l, "ed25519_verify_per_s",
                        json_integer((json_int_t)b->limits.verify_per_s));
    json_object_set_new(l, "fsync_ms", json_real(b->limits.fsync_ms));
    return l;
}

/* NULL: it failed. */
static json_t *all_measure(struct bench *b, const struct options *o)
{
    json_t *report = json_object();
    json_t *sizes = json_object();
    ml_bench_limits(b);
    json_object_set_new(report, "maille_bench", json_string(ML_VERSION));
    json_object_set_new(report, "seed", json_integer(BENCH_SEED));
    json_object_set_new(report, "machine", machine());
    json_object_set_new(report, "limits", limits(b));
    json_object_set_new(report, "sizes", sizes);
    for (size_t i = 0; i < o->size_count && !b->failed; i++) {
        b->first_size = i == 0;
        json_object_set_new(sizes, o->sizes[i].name, size_measure(b, o, &o->sizes[i]));
    }
    json_object_set_new(report, "growth", bench_growth(sizes));
    return report;
}

static bool dir_make(struct bench *b, const struct options *o)
{
    const char *tmp = getenv("TMPDIR");
    if (o->dir != NULL) {
        snprintf(b->dir, sizeof(b->dir), "%.300s", o->dir);
        return bench_exists(b->dir) || bench_fail(b, o->dir, ML_E_NOT_FOUND);
    }
    snprintf(b->dir, sizeof(b->dir), "%.300s/maille-bench-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    return mkdtemp(b->dir) != NULL || bench_fail(b, b->dir, ML_E_IO);
}

static int usage(void)
{
    fprintf(stderr, "usage: maille-bench [--json] [--size 10k|100k|1m|N]... [--only KEY]... "
                    "[--dir DIR] [--quick]\n"
                    "       maille-bench vfs [--json] [--rounds N] [--scale N] [--dir DIR] "
                    "[--sync MODE]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct bench b = {.env = ml_env_system()};
    struct options o;
    if (argc > 1 && strcmp(argv[1], "vfs") == 0) {
        int code = ml_bench_vfs_alone(argc - 1, argv + 1);
        return code == 2 ? usage() : code;
    }
    if (!options_read(&o, argc, argv)) {
        return usage();
    }
    b.quick = o.quick;
    if (!bench_good(&b, ml_crypto_init(), "crypto") || !dir_make(&b, &o)) {
        return 1;
    }
    json_t *report = all_measure(&b, &o);
    if (!b.failed && o.json) {
        json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
        printf("\n");
    } else if (!b.failed) {
        bench_table(report);
    }
    json_decref(report);
    if (o.dir == NULL) {
        bench_remove_folder(b.dir);
    }
    return b.failed ? 1 : 0;
}
