/* tests/fakes/fake_env.h -- an ml_env whose time, chance and memory the test commands. */
#ifndef ML_TESTS_FAKE_ENV_H
#define ML_TESTS_FAKE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"

struct fake_env {
    struct ml_env env; /* pass &fake.env to the code under test */
    uint64_t now_ms;
    uint64_t wall_ms;
    uint64_t rng;    /* seed; splitmix64 */
    long fail_alloc; /* fail the Nth allocation from now, 0 = none */
    long live;       /* blocks not released yet: must be 0 at teardown */
    size_t asked;    /* bytes that were asked for, ever */
    int verbose;     /* log lines to stderr */
};

void fake_env_init(struct fake_env *f, uint64_t seed);
uint64_t fake_next(struct fake_env *f);
/** Whether the Nth allocation is still to come, and then it won't: a loop over all of them is over
 * only then. One that ends at the first success would end at the first failure that is swallowed.
 */
bool fake_spared(struct fake_env *f);
/** Uniform enough for tests, in 0 .. bound-1. */
uint64_t fake_below(struct fake_env *f, uint64_t bound);

#endif
