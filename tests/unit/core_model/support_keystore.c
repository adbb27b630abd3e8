/* tests/unit/core_model/support_keystore.c -- see support_keystore.h. */
#include "support_keystore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"

static size_t stream_place(const struct mem_store *m, const struct ml_stream_id *stream)
{
    size_t i = 0;
    while (i < m->stream_count && memcmp(&m->streams[i].id, stream, sizeof(*stream)) != 0) {
        i++;
    }
    return i;
}

static ml_err stream_put(void *ctx, const struct ml_stream_id *stream,
                         const struct ml_stream_info *info)
{
    struct mem_store *m = ctx;
    size_t i = stream_place(m, stream);
    assert_true(i < MEM_STREAMS);
    if (i == m->stream_count) {
        m->streams[m->stream_count].id = *stream;
        m->streams[m->stream_count++].info = *info;
    } else if (ml_object_id_compare(&info->patient, &m->streams[i].info.patient) < 0) {
        m->streams[i].info = *info;
    }
    return m->fail;
}

static ml_err stream_get(void *ctx, const struct ml_stream_id *stream, struct ml_stream_info *info)
{
    struct mem_store *m = ctx;
    for (size_t i = 0; i < m->stream_count && m->fail == ML_OK; i++) {
        if (memcmp(&m->streams[i].id, stream, sizeof(*stream)) == 0) {
            *info = m->streams[i].info;
            return ML_OK;
        }
    }
    return m->fail != ML_OK ? m->fail : ML_E_NOT_FOUND;
}

static ml_err link_put(void *ctx, const struct ml_patient_link *link)
{
    struct mem_store *m = ctx;
    for (size_t i = 0; i < m->link_count; i++) {
        if (memcmp(&m->links[i], link, sizeof(*link)) == 0) {
            return m->fail;
        }
    }
    assert_true(m->link_count < MEM_LINKS);
    m->links[m->link_count++] = *link;
    return m->fail;
}

static ml_err link_each(void *ctx, const struct ml_object_id *patient, ml_link_cb *cb, void *user)
{
    struct mem_store *m = ctx;
    ml_err err = m->fail;
    for (size_t i = 0; i < m->link_count && err == ML_OK; i++) {
        if (ml_object_id_equal(&m->links[i].patient, patient)) {
            err = cb(user, &m->links[i]);
        }
    }
    return err;
}

static ml_err wrap_put(void *ctx, const struct ml_stored_wrap *wrap)
{
    struct mem_store *m = ctx;
    for (size_t i = 0; i < m->wrap_count; i++) {
        if (memcmp(&m->wraps[i].wrap, &wrap->wrap, sizeof(wrap->wrap)) == 0) {
            m->wraps[i].seals |= wrap->seals;
            return m->fail;
        }
    }
    assert_true(m->wrap_count < MEM_WRAPS);
    m->wraps[m->wrap_count++] = *wrap;
    return m->fail;
}

static ml_err wrap_each(void *ctx, const struct ml_stream_id *stream, ml_wrap_cb *cb, void *user)
{
    struct mem_store *m = ctx;
    ml_err err = m->fail;
    for (size_t i = 0; i < m->wrap_count && err == ML_OK; i++) {
        if (memcmp(&m->wraps[i].wrap.stream, stream, sizeof(*stream)) == 0) {
            err = cb(user, &m->wraps[i]);
        }
    }
    return err;
}

static ml_err bg_put(void *ctx, const struct ml_bg_wrap *wrap)
{
    struct mem_store *m = ctx;
    assert_true(m->bg_count < MEM_WRAPS);
    m->bgs[m->bg_count++] = *wrap;
    return m->fail;
}

static ml_err bg_has(void *ctx, const struct ml_bg_wrap *wrap, bool *has)
{
    struct mem_store *m = ctx;
    *has = false;
    for (size_t i = 0; i < m->bg_count; i++) {
        *has |= memcmp(&m->bgs[i].dek, &wrap->dek, sizeof(wrap->dek)) == 0 &&
                memcmp(&m->bgs[i].break_glass, &wrap->break_glass, 32) == 0;
    }
    return m->fail;
}

static ml_err bg_each(void *ctx, const struct ml_stream_id *stream, ml_bg_cb *cb, void *user)
{
    struct mem_store *m = ctx;
    ml_err err = m->fail;
    for (size_t i = 0; i < m->bg_count && err == ML_OK; i++) {
        if (memcmp(&m->bgs[i].stream, stream, sizeof(*stream)) == 0) {
            err = cb(user, &m->bgs[i]);
        }
    }
    return err;
}

static ml_err heard_put(void *ctx, const struct ml_key_id *kek, const struct ml_key_id *key)
{
    struct mem_store *m = ctx;
    assert_true(m->heard_count < MEM_LATER);
    m->heard[m->heard_count].kek = *kek;
    m->heard[m->heard_count++].key = *key;
    return m->fail;
}

static ml_err heard_has(void *ctx, const struct ml_key_id *kek, const struct ml_key_id *key,
                        bool *has)
{
    const struct mem_store *m = ctx;
    *has = false;
    for (size_t i = 0; i < m->heard_count; i++) {
        *has = *has || (memcmp(&m->heard[i].kek, kek, sizeof(*kek)) == 0 &&
                        memcmp(&m->heard[i].key, key, sizeof(*key)) == 0);
    }
    return m->fail;
}

static ml_err later_put(void *ctx, const struct ml_key_id *kek, struct ml_slice op)
{
    struct mem_store *m = ctx;
    assert_true(m->later_count < MEM_LATER && op.len <= sizeof(m->later[0].op));
    m->later[m->later_count].kek = *kek;
    m->later[m->later_count].len = op.len;
    memcpy(m->later[m->later_count++].op, op.data, op.len);
    return m->fail;
}

static ml_err later_take(void *ctx, const struct ml_key_id *kek, ml_keyop_cb *cb, void *user)
{
    struct mem_store *m = ctx;
    ml_err err = m->fail;
    size_t kept = 0;
    for (size_t i = 0; i < m->later_count; i++) {
        if (err == ML_OK && memcmp(&m->later[i].kek, kek, sizeof(*kek)) == 0) {
            err = cb(user, ml_slice(m->later[i].op, m->later[i].len));
        } else {
            m->later[kept++] = m->later[i];
        }
    }
    m->later_count = kept;
    return err;
}

void mem_store_init(struct mem_store *m)
{
    memset(m, 0, sizeof(*m));
    m->store = (struct ml_keyring_store){.ctx = m,
                                         .stream_put = stream_put,
                                         .stream_get = stream_get,
                                         .link_put = link_put,
                                         .link_each = link_each,
                                         .wrap_put = wrap_put,
                                         .wrap_each = wrap_each,
                                         .bg_put = bg_put,
                                         .bg_has = bg_has,
                                         .bg_each = bg_each,
                                         .heard_put = heard_put,
                                         .heard_has = heard_has,
                                         .later_put = later_put,
                                         .later_take = later_take};
}

void key_log_init(struct key_log *log)
{
    memset(log, 0, sizeof(*log));
    log->accepted = true;
}

void key_log_free(struct key_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->op[i].data);
    }
    key_log_init(log);
}

ml_err key_log_add(void *user, struct ml_slice op)
{
    struct key_log *log = user;
    assert_true(log->count < MEM_OPS);
    log->op[log->count].data = malloc(op.len);
    assert_non_null(log->op[log->count].data);
    memcpy(log->op[log->count].data, op.data, op.len);
    log->op[log->count].accepted = log->accepted;
    log->op[log->count++].len = op.len;
    return ML_OK;
}

struct ml_keyring_news key_log_apply(struct ml_keyring *k, const struct key_log *log, size_t i)
{
    struct ml_keyop op;
    struct ml_keyring_news news;
    assert_int_equal(ml_keyop_decode(&op, ml_slice(log->op[i].data, log->op[i].len), NULL), ML_OK);
    assert_int_equal(ml_keyring_apply(k, &op, log->op[i].accepted, &news), ML_OK);
    return news;
}

void key_log_apply_from(struct ml_keyring *k, const struct key_log *log, size_t first)
{
    for (size_t i = first; i < log->count; i++) {
        key_log_apply(k, log, i);
    }
}
