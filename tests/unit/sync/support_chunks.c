/* tests/unit/sync/support_chunks.c -- chunks in a store without cleverness: a state for each. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/manifest.h"
#include "support_store.h"

int world_chunk(struct world *w, size_t len)
{
    ML_ASSERT(w->chunk_count < WORLD_CHUNKS_MAX && len >= 32);
    struct world_chunk *c = &w->chunks[w->chunk_count];
    c->data = calloc(1, len);
    ML_ASSERT(c->data != NULL);
    c->len = len;
    for (size_t i = 0; i < 4; i++) {
        ml_put_u64be(c->data + 8 * i, fake_next(&w->fake));
    }
    c->hash = ml_chunk_hash(ml_slice(c->data, len));
    return (int)w->chunk_count++;
}

unsigned world_chunks_at(const struct world *w, unsigned node, world_chunk_at at)
{
    unsigned count = 0;
    for (size_t i = 0; i < w->chunk_count; i++) {
        count += w->node[node].chunk[i] == at;
    }
    return count;
}

static void missing_tell(struct world *w, unsigned node)
{
    if (w->node[node].engine != NULL) {
        ml_sync_on_chunks(w->node[node].engine, world_chunks_at(w, node, CHUNK_MISSING));
    }
}

void world_chunk_put(struct world *w, unsigned node, int chunk, world_chunk_at at)
{
    w->node[node].chunk[chunk] = at;
    missing_tell(w, node);
}

static int chunk_find(const struct world *w, const struct ml_hash *hash)
{
    for (size_t i = 0; i < w->chunk_count; i++) {
        if (memcmp(&w->chunks[i].hash, hash, sizeof(*hash)) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void store_chunks(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    struct world_node *n = &w->node[node];
    const ml_err err = n->chunk_err;
    n->chunk_err = ML_OK;
    n->chunk_batches++;
    for (size_t i = 0; err == ML_OK && i < a->u.store_chunks.count; i++) {
        const struct ml_sync_chunk *c = &a->u.store_chunks.chunks[i];
        const int at = chunk_find(w, &c->hash);
        const struct ml_hash real = ml_chunk_hash(c->sealed);
        if (at < 0 || memcmp(&real, &c->hash, sizeof(real)) != 0) {
            world_fail(w, "an altered chunk goes to the store");
        } else if (n->chunk[at] != CHUNK_MISSING) {
            world_fail(w, "a chunk that isn't missing goes to the store");
        } else {
            n->chunk[at] = CHUNK_HERE;
            n->chunks_stored++;
        }
    }
    ml_sync_on_chunks_stored(n->engine, a->query, err);
    missing_tell(w, node);
}

static void wanted_chunks(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    struct world_node *n = &w->node[node];
    struct ml_sync_chunk_want wants[ML_SYNC_CHUNKS_WANTED];
    size_t count = 0;
    ML_ASSERT(a->u.wanted_chunks.max <= ML_SYNC_CHUNKS_WANTED);
    n->chunk_asks++;
    for (size_t i = (size_t)a->u.wanted_chunks.after; i < w->chunk_count; i++) {
        if (n->chunk[i] == CHUNK_MISSING && count < a->u.wanted_chunks.max) {
            wants[count++] = (struct ml_sync_chunk_want){.id = i + 1, .hash = w->chunks[i].hash};
        }
    }
    ml_sync_on_wanted_chunks(n->engine, a->query, wants, count);
}

static void load_chunk(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    const int at = chunk_find(w, &a->u.load_chunk);
    const bool here = at >= 0 && w->node[node].chunk[at] == CHUNK_HERE;
    ml_sync_on_chunk(w->node[node].engine, a->session, a->query,
                     here ? ml_slice(w->chunks[at].data, w->chunks[at].len) : ml_slice(NULL, 0));
}

void store_act_chunks(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    if (a->kind == ML_SYNC_STORE_CHUNKS) {
        store_chunks(w, node, a);
    } else if (a->kind == ML_SYNC_WANTED_CHUNKS) {
        wanted_chunks(w, node, a);
    } else {
        load_chunk(w, node, a);
    }
}
