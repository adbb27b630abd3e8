/* tests/bench/exchange.h -- two nodes of the fixture, a day apart. */
#ifndef ML_BENCH_EXCHANGE_H
#define ML_BENCH_EXCHANGE_H

#include "bench.h"

struct exchange_pair {
    char first[BENCH_PATH];  /* the store of the size, and a working day more */
    char second[BENCH_PATH]; /* all but that day: a fresh copy, to be used and removed */
};
bool exchange_pair(struct exchange_pair *out, struct bench *b);
/** They are made again: the store of the size is another one. */
void exchange_forget(struct bench *b);

#endif
