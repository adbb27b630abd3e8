/* tests/bench/exchange.h -- two nodes of the fixture, a day apart. */
#ifndef ML_BENCH_EXCHANGE_H
#define ML_BENCH_EXCHANGE_H

#include "bench.h"

/* Fresh copies: what two nodes remember of each other is part of what is measured. */
struct exchange_pair {
    char first[BENCH_PATH];  /* the store of the size, and a working day more */
    char second[BENCH_PATH]; /* all but that day */
};
bool exchange_pair(struct exchange_pair *out, struct bench *b);
void exchange_pair_end(const struct exchange_pair *pair);
/** The originals are made again: the store of the size is another one. */
void exchange_forget(struct bench *b);

#endif
