/* core/store/log_vec.c -- numbers by chain, dense in memory, sparse on disk: chain u32be, seq u32be
 * of each that isn't 0, ascending. */
#include <string.h>

#include "core/store/log_impl.h"

#define ENTRY_BYTES 8u

uint32_t ml_log_vec_get(const struct ml_log_vec *v, size_t chain)
{
    return chain < v->count ? v->seq[chain] : 0;
}

static ml_err vec_grow(const struct ml_env *env, struct ml_log_vec *v, size_t count)
{
    if (v->seq != NULL && count <= v->count) {
        return ML_OK;
    }
    uint32_t *seq = ml_resize(env, v->seq, count * sizeof(*seq));
    if (seq == NULL) {
        return ML_E_NOMEM;
    }
    memset(seq + v->count, 0, (count - v->count) * sizeof(*seq));
    v->seq = seq;
    v->count = count;
    return ML_OK;
}

ml_err ml_log_vec_raise(const struct ml_env *env, struct ml_log_vec *v, size_t chain, uint32_t seq)
{
    if (seq <= ml_log_vec_get(v, chain)) {
        return ML_OK;
    }
    /* By whole writers: their number is what bounds a vector, however often one joins another. */
    ml_err err = vec_grow(env, v, (chain / ML_LANES + 1) * ML_LANES);
    if (err == ML_OK) {
        v->seq[chain] = seq;
    }
    return err;
}

ml_err ml_log_vec_join(const struct ml_env *env, struct ml_log_vec *v,
                       const struct ml_log_vec *other)
{
    if (other->count == 0) {
        return ML_OK;
    }
    ml_err err = vec_grow(env, v, other->count);
    for (size_t i = 0; err == ML_OK && i < other->count; i++) {
        v->seq[i] = other->seq[i] > v->seq[i] ? other->seq[i] : v->seq[i];
    }
    return err;
}

void ml_log_vec_free(const struct ml_env *env, struct ml_log_vec *v)
{
    ml_release(env, v->seq);
    *v = (struct ml_log_vec){0};
}

ml_err ml_log_vec_encode(struct ml_buf *out, const struct ml_log_vec *v)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->seq[i] != 0) {
            ml_buf_u32be(out, (uint32_t)i);
            ml_buf_u32be(out, v->seq[i]);
        }
    }
    return out->err;
}

ml_err ml_log_vec_decode(const struct ml_env *env, struct ml_log_vec *out, struct ml_slice bytes)
{
    struct ml_log_vec v = {0};
    ml_err err = bytes.len % ENTRY_BYTES == 0 ? ML_OK : ML_E_CORRUPT;
    for (size_t at = 0; err == ML_OK && at < bytes.len; at += ENTRY_BYTES) {
        uint32_t chain = ml_get_u32be(bytes.data + at);
        bool fits = chain < ML_LOG_WRITERS_MAX * ML_LANES;
        err = fits ? ml_log_vec_raise(env, &v, chain, ml_get_u32be(bytes.data + at + 4))
                   : ML_E_CORRUPT;
    }
    if (err != ML_OK) {
        ml_log_vec_free(env, &v);
        return err;
    }
    *out = v;
    return ML_OK;
}
