/* core/base/hlc.c -- see hlc.h. */
#include "core/base/hlc.h"

#include <stdlib.h>

void ml_hlc_init(struct ml_hlc_clock *c, const struct ml_env *env, uint64_t last)
{
    c->env = env;
    c->last = last;
}

uint64_t ml_hlc_tick(struct ml_hlc_clock *c)
{
    uint64_t wall = ml_hlc_make(c->env->wall_ms(c->env->ctx), 0);
    if (wall > c->last) {
        c->last = wall;
    } else if (c->last < UINT64_MAX) {
        c->last++;
    }
    return c->last;
}

bool ml_hlc_is_ahead(uint64_t hlc, uint64_t median_ms)
{
    uint64_t ms = ml_hlc_ms(hlc);
    return ms > median_ms && ms - median_ms > ML_HLC_AHEAD_MAX_MS;
}

void ml_hlc_receive(struct ml_hlc_clock *c, uint64_t hlc)
{
    c->last = hlc > c->last ? hlc : c->last;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

uint64_t ml_hlc_median(uint64_t *ms, size_t count)
{
    if (count == 0) {
        return 0;
    }
    qsort(ms, count, sizeof(*ms), compare_u64);
    return ms[(count - 1) / 2];
}
