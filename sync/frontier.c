/* sync/frontier.c -- see frontier.h.
 *
 * Invariant: heads[0 .. count) is strictly ascending by ml_dep_compare, and count <= cap.
 */
#include "sync/frontier.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "sync/sync.h"

static int chain_compare(const struct ml_dep *a, const struct ml_writer_id *writer, uint8_t lane)
{
    int c = memcmp(a->writer.b, writer->b, sizeof(writer->b));
    if (c != 0) {
        return c;
    }
    return (a->lane > lane) - (a->lane < lane);
}

void ml_sync_frontier_init(struct ml_frontier *f, const struct ml_env *env)
{
    *f = (struct ml_frontier){.env = env};
}

void ml_sync_frontier_free(struct ml_frontier *f)
{
    ml_release(f->env, f->heads);
    *f = (struct ml_frontier){.env = f->env};
}

ml_err ml_sync_frontier_reserve(struct ml_frontier *f, size_t extra)
{
    if (extra > ML_SYNC_HEADS_MAX || f->count + extra > ML_SYNC_HEADS_MAX) {
        return ML_E_LIMIT;
    }
    size_t need = f->count + extra;
    if (need <= f->cap) {
        return ML_OK;
    }
    size_t cap = need < 16 ? 16 : need + need / 2;
    struct ml_head *heads = ml_resize(f->env, f->heads, cap * sizeof(*heads));
    if (heads == NULL) {
        return ML_E_NOMEM;
    }
    f->heads = heads;
    f->cap = cap;
    return ML_OK;
}

ml_err ml_sync_frontier_assign(struct ml_frontier *f, const struct ml_dep *heads, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (ml_dep_compare(&heads[i - 1], &heads[i]) >= 0) {
            return ML_E_INVALID;
        }
    }
    ml_err err = count > f->count ? ml_sync_frontier_reserve(f, count - f->count) : ML_OK;
    if (err != ML_OK) {
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        f->heads[i] = (struct ml_head){.id = heads[i]};
    }
    f->count = count;
    return ML_OK;
}

ml_err ml_sync_frontier_copy(struct ml_frontier *f, const struct ml_frontier *from, uint8_t flags)
{
    ml_err err =
        from->count > f->count ? ml_sync_frontier_reserve(f, from->count - f->count) : ML_OK;
    if (err != ML_OK) {
        return err;
    }
    for (size_t i = 0; i < from->count; i++) {
        f->heads[i] = (struct ml_head){.id = from->heads[i].id, .flags = flags};
    }
    f->count = from->count;
    return ML_OK;
}

ml_err ml_sync_frontier_copy_lane(struct ml_frontier *f, const struct ml_frontier *from,
                                  uint8_t lane)
{
    ml_err err = ML_OK;
    f->count = 0;
    for (size_t i = 0; err == ML_OK && i < from->count; i++) {
        err =
            from->heads[i].id.lane == lane ? ml_sync_frontier_put(f, &from->heads[i].id, 0) : ML_OK;
    }
    return err;
}

/* The first place whose head is not below `id`. */
static size_t frontier_seek(const struct ml_frontier *f, const struct ml_dep *id)
{
    size_t low = 0;
    size_t high = f->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ml_dep_compare(&f->heads[mid].id, id) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

struct ml_head *ml_sync_frontier_find(const struct ml_frontier *f, const struct ml_dep *id)
{
    size_t at = frontier_seek(f, id);
    return at < f->count && ml_dep_compare(&f->heads[at].id, id) == 0 ? &f->heads[at] : NULL;
}

struct ml_chain ml_sync_frontier_chain(const struct ml_frontier *f,
                                       const struct ml_writer_id *writer, uint8_t lane)
{
    struct ml_dep first = {.writer = *writer, .lane = lane};
    size_t at = frontier_seek(f, &first);
    size_t end = at;
    while (end < f->count && chain_compare(&f->heads[end].id, writer, lane) == 0) {
        end++;
    }
    return (struct ml_chain){.heads = f->heads == NULL ? NULL : f->heads + at, .count = end - at};
}

static void frontier_insert(struct ml_frontier *f, size_t at, const struct ml_dep *id,
                            uint8_t flags)
{
    ML_ASSERT(f->heads != NULL && f->count < f->cap && at <= f->count);
    memmove(&f->heads[at + 1], &f->heads[at], (f->count - at) * sizeof(f->heads[0]));
    f->heads[at] = (struct ml_head){.id = *id, .flags = flags};
    f->count++;
}

static void frontier_remove(struct ml_frontier *f, size_t at, size_t count)
{
    ML_ASSERT(f->heads != NULL && at + count <= f->count);
    memmove(&f->heads[at], &f->heads[at + count], (f->count - at - count) * sizeof(f->heads[0]));
    f->count -= count;
}

ml_err ml_sync_frontier_put(struct ml_frontier *f, const struct ml_dep *id, uint8_t flags)
{
    struct ml_head *head = ml_sync_frontier_find(f, id);
    if (head != NULL) {
        head->flags = flags;
        return ML_OK;
    }
    ml_err err = ml_sync_frontier_reserve(f, 1);
    if (err == ML_OK) {
        frontier_insert(f, frontier_seek(f, id), id, flags);
    }
    return err;
}

ml_err ml_sync_frontier_replace(struct ml_frontier *f, const struct ml_dep *old,
                                const struct ml_dep *id, uint8_t flags)
{
    struct ml_head *head = old->seq > 0 ? ml_sync_frontier_find(f, old) : NULL;
    if (head != NULL && ml_sync_frontier_find(f, id) == NULL) {
        frontier_remove(f, (size_t)(head - f->heads), 1); /* and its room serves the new one */
    }
    return ml_sync_frontier_put(f, id, flags);
}

ml_err ml_sync_frontier_extend(struct ml_frontier *f, const struct ml_dep *id,
                               const struct ml_hash16 *prev, uint8_t flags)
{
    struct ml_dep before = {
        .writer = id->writer, .lane = id->lane, .seq = id->seq - 1, .hash = *prev};
    return ml_sync_frontier_replace(f, &before, id, flags);
}

void ml_sync_frontier_drop_lane(struct ml_frontier *f, uint8_t lane)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->heads[i].id.lane != lane) {
            f->heads[kept++] = f->heads[i];
        }
    }
    f->count = kept;
}

ml_err ml_sync_frontier_overlay(struct ml_frontier *f, const struct ml_frontier *over)
{
    struct ml_frontier result;
    struct ml_chain_walk walk;
    struct ml_chain_pair pair;
    ml_sync_frontier_init(&result, f->env);
    size_t room = f->count + over->count;
    ml_err err =
        ml_sync_frontier_reserve(&result, room > ML_SYNC_HEADS_MAX ? ML_SYNC_HEADS_MAX : room);
    ml_chain_walk(&walk, f, over);
    while (err == ML_OK && ml_chain_next(&walk, &pair)) {
        const struct ml_chain *from = pair.b.count > 0 ? &pair.b : &pair.a;
        err = ml_sync_frontier_reserve(&result, from->count);
        for (size_t i = 0; err == ML_OK && i < from->count; i++) {
            result.heads[result.count++] = from->heads[i];
        }
    }
    if (err != ML_OK) {
        ml_sync_frontier_free(&result);
        return err;
    }
    ml_sync_frontier_free(f);
    *f = result;
    return ML_OK;
}

struct ml_hash16 ml_sync_frontier_digest(const struct ml_frontier *f, bool trace)
{
    struct ml_hash_state st;
    struct ml_hash16 out;
    ml_hash_init(&st, sizeof(out.b), NULL, 0);
    for (size_t i = 0; i < f->count; i++) {
        const struct ml_dep *id = &f->heads[i].id;
        if ((id->lane == ML_LANE_TRACE) != trace) {
            continue;
        }
        uint8_t place[5] = {id->lane};
        ml_put_u32be(place + 1, id->seq);
        ml_hash_update(&st, id->writer.b, sizeof(id->writer.b));
        ml_hash_update(&st, place, sizeof(place));
        ml_hash_update(&st, id->hash.b, sizeof(id->hash.b));
    }
    ml_hash_final(&st, out.b, sizeof(out.b));
    return out;
}

/* ---- chains ---- */

void ml_chain_walk(struct ml_chain_walk *w, const struct ml_frontier *a,
                   const struct ml_frontier *b)
{
    *w = (struct ml_chain_walk){.a = a, .b = b};
}

static struct ml_chain chain_take(const struct ml_frontier *f, size_t *at,
                                  const struct ml_chain_pair *pair)
{
    struct ml_chain chain = {.heads = f->heads == NULL ? NULL : f->heads + *at};
    while (*at < f->count && chain_compare(&f->heads[*at].id, &pair->writer, pair->lane) == 0) {
        chain.count++;
        ++*at;
    }
    return chain;
}

bool ml_chain_next(struct ml_chain_walk *w, struct ml_chain_pair *out)
{
    bool more_a = w->i < w->a->count;
    bool more_b = w->j < w->b->count;
    if (!more_a && !more_b) {
        return false;
    }
    const struct ml_dep *first = more_a ? &w->a->heads[w->i].id : &w->b->heads[w->j].id;
    if (more_a && more_b) {
        const struct ml_dep *other = &w->b->heads[w->j].id;
        first = chain_compare(other, &first->writer, first->lane) < 0 ? other : first;
    }
    out->writer = first->writer;
    out->lane = first->lane;
    out->a = chain_take(w->a, &w->i, out);
    out->b = chain_take(w->b, &w->j, out);
    return true;
}

bool ml_chain_same(const struct ml_chain *a, const struct ml_chain *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (ml_dep_compare(&a->heads[i].id, &b->heads[i].id) != 0) {
            return false;
        }
    }
    return true;
}

bool ml_chain_holds(const struct ml_chain *c, const struct ml_dep *id)
{
    for (size_t i = 0; i < c->count; i++) {
        if (ml_dep_compare(&c->heads[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

uint32_t ml_chain_top(const struct ml_chain *c)
{
    return c->count == 0 ? 0 : c->heads[c->count - 1].id.seq;
}

/* ---- a kept base ---- */

struct base_form {
    uint8_t version;
    struct ml_list heads;
};

static const struct ml_wire_field base_fields[] = {
    ML_WF_UINT(struct base_form, 1, version, 1, 1, "1"),
    ML_WF_OPT_SORTED(struct base_form, 2, heads, ML_SYNC_HEADS_MAX, &ml_format_dep, "its heads"),
};

static const struct ml_wire_format base_format =
    ML_WIRE_FORMAT("base", MAP, struct base_form, ML_WIRE_CLOSED, base_fields, NULL,
                   "The frontier that two nodes kept from their last exchange.");

ml_err ml_base_encode(struct ml_buf *out, const struct ml_frontier *f)
{
    struct ml_dep *ids = ml_alloc_array(f->env, f->count + 1, sizeof(*ids));
    if (ids == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < f->count; i++) {
        ids[i] = f->heads[i].id;
    }
    struct base_form form = {.version = 1, .heads = {.count = (uint32_t)f->count, .items = ids}};
    ml_err err = ml_wire_encode(&base_format, out, &form);
    ml_release(f->env, ids);
    return err;
}

ml_err ml_base_decode(struct ml_frontier *f, struct ml_slice base)
{
    struct base_form form;
    struct ml_list_walk walk;
    struct ml_dep id;
    ml_err err = ml_wire_decode(&base_format, &form, base, NULL);
    if (err == ML_OK && form.heads.count > f->count) {
        err = ml_sync_frontier_reserve(f, form.heads.count - f->count);
    }
    if (err != ML_OK) {
        return err;
    }
    f->count = 0;
    ml_list_walk(&walk, &form.heads);
    while (ml_list_next(&walk, &ml_format_dep, &id)) {
        f->heads[f->count++] = (struct ml_head){.id = id};
    }
    return ML_OK;
}
