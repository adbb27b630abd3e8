/* core/model/frontier.c -- see frontier.h. */
#include "core/model/frontier.h"

#include <stdlib.h>

#include "core/crypto/hash.h"

static int head_compare(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

static int hole_compare(const void *a, const void *b)
{
    const struct ml_hole *x = a;
    const struct ml_hole *y = b;
    return ml_dep_compare(&x->bundle, &y->bundle);
}

void ml_frontier_sort(struct ml_dep *heads, size_t count)
{
    if (count > 1) {
        qsort(heads, count, sizeof(*heads), head_compare);
    }
}

void ml_holes_sort(struct ml_hole *holes, size_t count)
{
    if (count > 1) {
        qsort(holes, count, sizeof(*holes), hole_compare);
    }
}

static void head_update(struct ml_hash_state *st, const struct ml_dep *head)
{
    uint8_t place[5] = {head->lane};
    ml_put_u32be(place + 1, head->seq);
    ml_hash_update(st, head->writer.b, sizeof(head->writer.b));
    ml_hash_update(st, place, sizeof(place));
    ml_hash_update(st, head->hash.b, sizeof(head->hash.b));
}

/* BLAKE2b-16 of the sorted heads: writer16, lane u8, seq u32be, hash16. */
static void heads_hash(uint8_t out[16], const struct ml_dep *heads, size_t count)
{
    struct ml_hash_state st;
    ml_hash_init(&st, 16, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        head_update(&st, &heads[i]);
    }
    ml_hash_final(&st, out, 16);
}

struct ml_frontier_digest ml_frontier_digest(const struct ml_dep *heads, size_t head_count,
                                             const struct ml_hole *holes, size_t hole_count)
{
    struct ml_frontier_digest out = {0};
    heads_hash(out.frontier, heads, head_count);
    if (hole_count == 0) {
        return out;
    }
    struct ml_hash_state st;
    ml_hash_init(&st, sizeof(out.holes), NULL, 0);
    for (size_t i = 0; i < hole_count; i++) {
        head_update(&st, &holes[i].bundle);
        ml_hash_update(&st, &holes[i].reason, sizeof(holes[i].reason));
    }
    ml_hash_final(&st, out.holes, sizeof(out.holes));
    return out;
}
