/* core/model/fork.c -- see fork.h. */
#include "core/model/fork.h"

#include <string.h>

struct ml_own_vec ml_own_vec_top(void)
{
    struct ml_own_vec v;
    for (unsigned lane = 0; lane < ML_LANES; lane++) {
        v.seq[lane] = UINT32_MAX;
    }
    return v;
}

void ml_own_vec_meet(struct ml_own_vec *a, const struct ml_own_vec *b)
{
    for (unsigned lane = 0; lane < ML_LANES; lane++) {
        if (b->seq[lane] < a->seq[lane]) {
            a->seq[lane] = b->seq[lane];
        }
    }
}

bool ml_own_vec_equal(const struct ml_own_vec *a, const struct ml_own_vec *b)
{
    return memcmp(a->seq, b->seq, sizeof(a->seq)) == 0;
}

bool ml_fork_between(struct ml_own_vec *freeze, const struct ml_own_at *a,
                     const struct ml_own_at *b)
{
    bool same_place = a->lane == b->lane && a->seq == b->seq;
    if (same_place && memcmp(a->hash.b, b->hash.b, sizeof(a->hash.b)) == 0) {
        return false; /* one bundle */
    }
    bool a_in_b = b->own.seq[a->lane] >= a->seq;
    bool b_in_a = a->own.seq[b->lane] >= b->seq;
    if (!same_place && (a_in_b || b_in_a)) {
        return false;
    }
    struct ml_own_vec shared = a->own;
    ml_own_vec_meet(&shared, &b->own);
    if (same_place) {
        shared.seq[a->lane] = a->seq - 1;
    }
    ml_own_vec_meet(freeze, &shared);
    return true;
}
