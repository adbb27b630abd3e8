/* tests/bench/bench.h -- maille-bench: one subcommand a measure, each prints one JSON object.
 *
 * A measure is a function (argc, argv as main's, argv[0] the subcommand) that returns an exit
 * code: 0 measured, 1 failed, 2 wrong arguments. Add it here and to the table of main.c.
 */
#ifndef ML_BENCH_H
#define ML_BENCH_H

#include <stddef.h>
#include <stdint.h>

/** vfs.ratio (decisions 21): our workload over the sealing VFS and over the stock one. */
int ml_bench_vfs(int argc, char **argv);
/** project.*, search.key_ms_p95, chart.open_ms_p95: a log into a vault, and questions to it. */
int ml_bench_project(int argc, char **argv);

/** Monotonic, milliseconds. */
double bench_now_ms(void);
/** Sorts `values`; count >= 1. */
double bench_median(double *values, size_t count);
/** splitmix64 */
uint64_t bench_next(uint64_t *state);

#endif
