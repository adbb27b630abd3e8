/* tests/bench/bench.h -- maille-bench: the figures of a node at several sizes of its store, next to
 * the raw limits of the machine in the same run (docs/benchmarks/README.md).
 *
 * main.c holds the table: a bench is a function that measures on a store of the size at hand and
 * reports under its keys. The store is made once per size (fixture.h) and shared; a bench leaves it
 * as it found it but for a few hundred ops.
 *
 * One thread. Memory of the harness is malloc's: running short of it ends the program.
 */
#ifndef ML_BENCH_H
#define ML_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "maille/err.h"

enum { BENCH_PATH = 512, BENCH_SEED = 1 };

struct bench_size {
    char name[16];
    uint64_t ops;      /* of lane 3 */
    uint32_t patients; /* 20 ops each: 50,000 at 1 M */
};

struct bench_limits {
    double verify_per_s; /* Ed25519 verifications of 32 bytes, one thread */
    double fsync_ms;     /* of 4 KiB written to the disk that the stores are on: median */
};

struct bench {
    const struct ml_env *env;
    char dir[BENCH_PATH];    /* of all sizes */
    char folder[BENCH_PATH]; /* of the size at hand */
    const struct bench_size *size;
    bool quick;      /* few rounds: only to see that it works */
    bool first_size; /* what no store changes is measured once */
    struct bench_limits limits;
    json_t *out; /* of the size at hand: key -> figures */
    bool failed;
};

/** What a bench does; bench_fail says that it could not. */
typedef void bench_fn(struct bench *b);

/** Says why on stderr; the run ends with 1. False, for the caller's return. */
bool bench_fail(struct bench *b, const char *what, ml_err err);
/** Goes on unless it failed. */
bool bench_good(struct bench *b, ml_err err, const char *what);
/** How far it is, on stderr. */
void bench_say(const struct bench *b, const char *what);

/* ---- report ---- */

/** The figures of a key, an open object; made at its first use. */
json_t *bench_key(struct bench *b, const char *key);
/** {"value", "goal", "reached"}; goal 0: none. `above`: the goal is to be reached from above. */
void bench_value(struct bench *b, const char *key, double value, double goal, bool above);
/** What a thing took, each time. `cpu_ms` is this process's own, which others on the machine don't
 * disturb; 0 where another process did it. */
enum { BENCH_SAMPLES = 4096 };
struct bench_samples {
    size_t count;
    double ms[BENCH_SAMPLES];
    double cpu_ms[BENCH_SAMPLES];
};
void bench_sample(struct bench_samples *s, double ms, double cpu_ms); /* full: leaves it out */
/** {"p50", "p95", "max", "cpu_p50", "count", "goal", "reached"}: the goal is of p95. Sorts. */
void bench_times(struct bench *b, const char *key, struct bench_samples *s, double goal);
/** One more figure of a key. */
void bench_also(struct bench *b, const char *key, const char *name, double value);

/** Prints the whole as a table for people. */
void bench_table(const json_t *report);
/** What grows faster than log n between the sizes of `sizes` (name -> keys). New reference. */
json_t *bench_growth(json_t *sizes);

/* ---- tools ---- */

/** Monotonic, milliseconds. */
double bench_now_ms(void);
/** User and system time of this process, milliseconds: what others on the machine don't disturb. */
double bench_cpu_ms(void);
/** Sorts `values`; count >= 1. */
double bench_median(double *values, size_t count);
/** splitmix64 */
uint64_t bench_next(uint64_t *state);
/** Runs a program to its end. */
bool bench_spawn(const char *const *argv);
bool bench_copy_folder(struct bench *b, const char *from, const char *to);
void bench_remove_folder(const char *path);
/** Bytes of all files in it. */
uint64_t bench_folder_bytes(const char *path);
bool bench_exists(const char *path);

/* ---- benches: one file each ---- */

bench_fn ml_bench_ingest, ml_bench_search, ml_bench_store, ml_bench_chart, ml_bench_write,
    ml_bench_start, ml_bench_exchange, ml_bench_link, ml_bench_vfs, ml_bench_revoke;

void ml_bench_limits(struct bench *b);
/** The subcommand `vfs`: alone, with options of its own. An exit code. */
int ml_bench_vfs_alone(int argc, char **argv);

#endif
