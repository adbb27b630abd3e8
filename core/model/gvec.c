/* core/model/gvec.c -- see gvec.h. A sorted array, merged; 36 bytes a writer. */
#include "core/model/gvec.h"

#include <string.h>

#include "core/base/assert.h"

struct ml_gvec {
    const struct ml_env *env; /* borrowed */
    size_t refs;
    size_t count;
    bool digested; /* `digest` holds gctx under `org` */
    struct ml_org_id org;
    struct ml_hash16 digest;
    struct ml_dep entries[];
};

static int writer_compare(const struct ml_dep *a, const struct ml_dep *b)
{
    return memcmp(a->writer.b, b->writer.b, sizeof(a->writer.b));
}

static ml_err gvec_new(struct ml_gvec **out, const struct ml_env *env, size_t count)
{
    if (count > ML_GVEC_WRITERS_MAX) {
        return ML_E_LIMIT;
    }
    struct ml_gvec *v = ml_alloc(env, sizeof(*v) + count * sizeof(v->entries[0]));
    if (v == NULL) {
        return ML_E_NOMEM;
    }
    v->env = env;
    v->refs = 1;
    *out = v;
    return ML_OK;
}

static void gvec_put(struct ml_gvec *v, const struct ml_dep *e)
{
    v->entries[v->count] = *e;
    v->entries[v->count].lane = ML_LANE_GOVERNANCE;
    v->count++;
}

/* Is `a` the later of two entries of one writer? The higher number; of the branches of a fork the
 * smaller hash, so that a join depends on no order. */
static bool is_later(const struct ml_dep *a, const struct ml_dep *b)
{
    return a->seq != b->seq ? a->seq > b->seq : memcmp(a->hash.b, b->hash.b, sizeof(a->hash.b)) < 0;
}

/* Merges two sorted arrays; of one writer the later entry wins. */
static void gvec_merge(struct ml_gvec *out, struct ml_list a_list, struct ml_list b_list)
{
    const struct ml_dep *a = a_list.items;
    const struct ml_dep *b = b_list.items;
    const struct ml_dep *a_end = a_list.count > 0 ? a + a_list.count : a;
    const struct ml_dep *b_end = b_list.count > 0 ? b + b_list.count : b;
    while (a != a_end || b != b_end) {
        int order = a == a_end ? 1 : -1;
        if (a != a_end && b != b_end) {
            order = writer_compare(a, b);
        }
        if (order == 0) {
            gvec_put(out, is_later(b, a) ? b : a);
            a++;
            b++;
        } else if (order < 0) {
            gvec_put(out, a++);
        } else {
            gvec_put(out, b++);
        }
    }
}

static struct ml_list gvec_list(const struct ml_gvec *v)
{
    struct ml_list list = {0};
    if (v != NULL) {
        list.items = v->entries;
        list.count = (uint32_t)v->count;
    }
    return list;
}

/* Would a join with these entries leave the vector as it is? */
static bool gvec_absorbs(const struct ml_gvec *v, struct ml_list list)
{
    const struct ml_dep *e = list.items;
    size_t at = 0;
    for (uint32_t i = 0; i < list.count; i++, e++) {
        while (at < v->count && writer_compare(&v->entries[at], e) < 0) {
            at++;
        }
        bool held = at < v->count && writer_compare(&v->entries[at], e) == 0;
        if (!held || is_later(e, &v->entries[at])) {
            return false;
        }
    }
    return true;
}

static ml_err gvec_join_list(struct ml_gvec **v, const struct ml_env *env, struct ml_list list)
{
    struct ml_gvec *joined = NULL;
    if (list.count == 0 || (*v != NULL && gvec_absorbs(*v, list))) {
        return ML_OK;
    }
    ml_err err = gvec_new(&joined, env, ml_gvec_count(*v) + list.count);
    if (err == ML_OK) {
        gvec_merge(joined, gvec_list(*v), list);
        ml_gvec_unref(*v);
        *v = joined;
    }
    return err;
}

ml_err ml_gvec_add(struct ml_gvec **v, const struct ml_env *env, const struct ml_dep *add,
                   size_t count)
{
    if (count > ML_GVEC_WRITERS_MAX) {
        return ML_E_LIMIT;
    }
    for (size_t i = 1; i < count; i++) {
        if (writer_compare(&add[i - 1], &add[i]) >= 0) {
            return ML_E_MALFORMED;
        }
    }
    const struct ml_list list = {.items = add, .count = (uint32_t)count};
    return gvec_join_list(v, env, list);
}

ml_err ml_gvec_join(struct ml_gvec **v, const struct ml_env *env, struct ml_gvec *other)
{
    if (*v == other) {
        return ML_OK;
    }
    if (*v == NULL) {
        *v = ml_gvec_ref(other);
        return ML_OK;
    }
    return gvec_join_list(v, env, gvec_list(other));
}

struct ml_gvec *ml_gvec_ref(struct ml_gvec *v)
{
    if (v != NULL) {
        v->refs++;
    }
    return v;
}

void ml_gvec_unref(struct ml_gvec *v)
{
    if (v == NULL) {
        return;
    }
    ML_ASSERT(v->refs > 0);
    if (--v->refs == 0) {
        ml_release(v->env, v);
    }
}

size_t ml_gvec_count(const struct ml_gvec *v)
{
    return v == NULL ? 0 : v->count;
}

const struct ml_dep *ml_gvec_at(const struct ml_gvec *v, size_t index)
{
    ML_ASSERT(index < ml_gvec_count(v));
    return &v->entries[index];
}

const struct ml_dep *ml_gvec_find(const struct ml_gvec *v, const struct ml_writer_id *writer)
{
    size_t low = 0;
    size_t high = ml_gvec_count(v);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = memcmp(v->entries[mid].writer.b, writer->b, sizeof(writer->b));
        if (order == 0) {
            return &v->entries[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

uint32_t ml_gvec_seq(const struct ml_gvec *v, const struct ml_writer_id *writer)
{
    const struct ml_dep *e = ml_gvec_find(v, writer);
    return e == NULL ? 0 : e->seq;
}

bool ml_gvec_equal(const struct ml_gvec *a, const struct ml_gvec *b)
{
    if (ml_gvec_count(a) != ml_gvec_count(b)) {
        return false;
    }
    for (size_t i = 0; i < ml_gvec_count(a); i++) {
        if (ml_dep_compare(&a->entries[i], &b->entries[i]) != 0) {
            return false;
        }
    }
    return true;
}

struct ml_hash16 ml_gvec_digest(struct ml_gvec *v, const struct ml_org_id *org)
{
    if (v == NULL) {
        return ml_gctx_of(org, NULL, 0);
    }
    if (!v->digested || memcmp(v->org.b, org->b, sizeof(org->b)) != 0) {
        v->digest = ml_gctx_of(org, v->entries, v->count);
        v->org = *org;
        v->digested = true;
    }
    return v->digest;
}

ml_err ml_gvec_encode(struct ml_buf *out, const struct ml_gvec *v)
{
    for (size_t i = 0; i < ml_gvec_count(v); i++) {
        const struct ml_dep *e = &v->entries[i];
        ml_buf_append(out, e->writer.b, sizeof(e->writer.b));
        ml_buf_u32be(out, e->seq);
        ml_buf_append(out, e->hash.b, sizeof(e->hash.b));
    }
    return out->err;
}

ml_err ml_gvec_decode(struct ml_gvec **out, const struct ml_env *env, struct ml_slice bytes)
{
    size_t count = bytes.len / ML_GVEC_ENTRY_BYTES;
    struct ml_gvec *v = NULL;
    if (count * ML_GVEC_ENTRY_BYTES != bytes.len) {
        return ML_E_CORRUPT;
    }
    ml_err err = gvec_new(&v, env, count);
    if (err != ML_OK) {
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = bytes.data + i * ML_GVEC_ENTRY_BYTES;
        struct ml_dep e = {.seq = ml_get_u32be(p + 16)};
        memcpy(e.writer.b, p, sizeof(e.writer.b));
        memcpy(e.hash.b, p + 20, sizeof(e.hash.b));
        bool ordered = i == 0 || writer_compare(&v->entries[i - 1], &e) < 0;
        if (!ordered || e.seq == 0) {
            ml_gvec_unref(v);
            return ML_E_CORRUPT;
        }
        gvec_put(v, &e);
    }
    *out = v;
    return ML_OK;
}
