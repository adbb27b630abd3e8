/* tests/bench/raw.h -- what the same final tables and indexes cost in stock SQLite, same batches,
 * no crypto (decisions 27). */
#ifndef ML_BENCH_RAW_H
#define ML_BENCH_RAW_H

#include "bench.h"

struct ml_org;
struct raw_took {
    double ms; /* both databases */
    double log_ms;
    double cpu_ms;
    uint64_t rows;
};
/** Writes every row of the org's log and of its session's vault anew into plain files, each table
 * in its own order, in so many commits a database, durable as ours are. Reading the rows isn't
 * timed.
 */
bool raw_measure(struct raw_took *out, struct bench *b, const struct ml_org *org, size_t batches);

#endif
