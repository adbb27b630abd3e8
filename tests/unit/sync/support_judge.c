/* tests/unit/sync/support_judge.c -- what should be so, by the model alone. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "support_store.h"

bool world_has(const struct world *w, unsigned node, int bundle)
{
    return w->node[node].hold[bundle] == HOLD_STORED;
}

bool world_equal(const struct world *w, bool trace)
{
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (w->bundles[i].info.id.lane == ML_LANE_TRACE && !trace) {
            continue;
        }
        unsigned up = 0;
        unsigned held = 0;
        for (unsigned n = 0; n < w->node_count; n++) {
            up += w->node[n].engine != NULL;
            held += w->node[n].engine != NULL && world_has(w, n, (int)i);
        }
        if (held != 0 && held != up) {
            return false;
        }
    }
    return true;
}

struct ml_sync_status world_status(const struct world *w, unsigned node, unsigned peer)
{
    struct ml_sync_status status = {.state = ML_SYNC_STATE_OFFLINE};
    if (w->node[node].engine != NULL) {
        (void)(ml_sync_peer(w->node[node].engine, &w->node[peer].id, &status) == ML_OK);
    }
    return status;
}

bool world_synced(const struct world *w, unsigned node, unsigned peer)
{
    return w->node[node].engine != NULL &&
           ml_sync_is_synced(w->node[node].engine, &w->node[peer].id);
}

/* An own bundle that no anchor covers isn't offered, nor is it part of the digest. */
static bool is_offered(const struct world *w, unsigned node, int at)
{
    return w->node[node].hold[at] == HOLD_STORED && store_may_offer(w, node, at);
}

void world_digest(const struct world *w, unsigned node, uint8_t out[16])
{
    bool *covered = calloc(w->bundle_count + 1, sizeof(*covered));
    struct ml_dep *heads = calloc(w->bundle_count + 1, sizeof(*heads));
    uint8_t *bytes = calloc(w->bundle_count + 1, 37);
    size_t count = 0;
    ML_ASSERT(covered != NULL && heads != NULL && bytes != NULL);
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (w->bundles[i].prev >= 0 && is_offered(w, node, (int)i)) {
            covered[w->bundles[i].prev] = true;
        }
    }
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (is_offered(w, node, (int)i) && !covered[i] &&
            w->bundles[i].info.id.lane != ML_LANE_TRACE) {
            heads[count++] = w->bundles[i].info.id;
        }
    }
    qsort(heads, count, sizeof(*heads), (int (*)(const void *, const void *))ml_dep_compare);
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = bytes + i * 37;
        memcpy(p, heads[i].writer.b, 16);
        p[16] = heads[i].lane;
        ml_put_u32be(p + 17, heads[i].seq);
        memcpy(p + 21, heads[i].hash.b, 16);
    }
    const struct ml_slice all = ml_slice(bytes, count * 37);
    ml_hash_parts(out, 16, ml_slice(NULL, 0), &all, 1);
    free(bytes);
    free(heads);
    free(covered);
}

/* The engine's frontier is what is durable and may be offered, unless a store's answer is on its
 * way to it. */
static void check_frontier(struct world *w, unsigned node)
{
    uint8_t model[16];
    uint8_t engine[32];
    if (!ml_sync_knows_store(w->node[node].engine)) {
        return;
    }
    for (size_t i = 0; i < w->bundle_count; i++) {
        if (w->node[node].hold[i] == HOLD_STORED && !store_may_offer(w, node, (int)i)) {
            return;
        }
    }
    ml_sync_digest(w->node[node].engine, engine);
    world_digest(w, node, model);
    store_require(w, memcmp(engine, model, sizeof(model)) == 0,
                  "the engine's frontier is not the store's");
}

void world_check(struct world *w)
{
    for (unsigned i = 0; i < w->node_count && !w->checks_off; i++) {
        if (w->node[i].engine != NULL) {
            check_frontier(w, i);
        }
    }
}
