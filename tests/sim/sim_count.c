/* tests/sim/sim_count.c -- see sim_count.h. */
#include "sim_count.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

void sim_count_add(struct sim_count *to, const struct sim_count *one)
{
    for (size_t i = 0; i < SIM_COUNT_OF; i++) {
        to->of[i] += one->of[i];
    }
}

bool sim_count_print(const struct sim_count *c)
{
    static const char *const texts[] = {
#define X(id, text) text,
        SIM_COUNTS(X)
#undef X
    };
    bool all = true;
    for (size_t i = 0; i < SIM_COUNT_OF; i++) {
        printf("%12" PRIu64 "  %s%s\n", c->of[i], texts[i], c->of[i] == 0 ? "   <- never" : "");
        all = all && c->of[i] > 0;
    }
    return all;
}
