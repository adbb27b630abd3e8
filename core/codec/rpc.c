/* core/codec/rpc.c -- see rpc.h. */
#include "core/codec/rpc.h"

#include <string.h>

#include "core/codec/mp_write.h"

ml_err ml_rpc_split(struct ml_slice *message, size_t *used, struct ml_slice in)
{
    if (in.len < ML_RPC_HEAD_BYTES) {
        *used = ML_RPC_HEAD_BYTES;
        return ML_E_PENDING;
    }
    size_t len = ml_get_u32be(in.data);
    if (len == 0 || len > ML_RPC_BYTES_MAX) {
        return ML_E_LIMIT;
    }
    *used = ML_RPC_HEAD_BYTES + len;
    if (in.len < *used) {
        return ML_E_PENDING;
    }
    *message = ml_slice(in.data + ML_RPC_HEAD_BYTES, len);
    return ML_OK;
}

static bool name_is_valid(struct ml_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_') {
            return false;
        }
    }
    return name.len > 0 && name.len <= ML_RPC_METHOD_MAX;
}

static struct ml_slice name_read(struct ml_mp *c)
{
    size_t at = c->pos;
    struct ml_slice name = ml_mp_str(c, 1, ML_RPC_METHOD_MAX);
    if (ml_mp_ok(c) && !name_is_valid(name)) {
        ml_mp_fail(c, ML_FAULT_RANGE, at);
    }
    return name;
}

/* A value inside the message as a document of its own: keys twice are looked for here. */
static struct ml_doc doc_read(struct ml_mp *c, bool must_be_map)
{
    struct ml_doc doc = {{NULL, 0}};
    struct ml_fault fault = {0};
    size_t at = c->pos;
    ml_mp_type type = ml_mp_peek(c);
    struct ml_slice raw = ml_mp_value(c);
    if (ml_mp_ok(c) && must_be_map && type != ML_MP_MAP) {
        ml_mp_fail(c, ML_FAULT_TYPE, at);
    }
    if (ml_mp_ok(c) && ml_doc_open(&doc, raw, &fault) != ML_OK) {
        ml_mp_fail(c, fault.reason, at + fault.offset);
    }
    return doc;
}

static void answer_read(struct ml_mp *c, struct ml_rpc *out)
{
    bool failed = ml_mp_peek(c) != ML_MP_NIL;
    if (failed) {
        out->error = doc_read(c, true);
        ml_mp_nil(c);
    } else {
        ml_mp_nil(c);
        out->result = doc_read(c, false);
    }
}

ml_err ml_rpc_decode(struct ml_rpc *out, struct ml_slice message, struct ml_fault *fault)
{
    struct ml_mp c;
    struct ml_rpc rpc = {0};
    ml_mp_init(&c, message, ML_MP_DOC);
    uint32_t count = ml_mp_array(&c, 3, 4);
    uint64_t kind = ml_mp_uint(&c, ML_RPC_REQUEST, ML_RPC_EVENT);
    if (ml_mp_ok(&c) && count != (kind == ML_RPC_EVENT ? 3u : 4u)) {
        ml_mp_fail(&c, ML_FAULT_RANGE, 0);
    }
    rpc.kind = (ml_rpc_kind)kind;
    if (rpc.kind != ML_RPC_EVENT) {
        rpc.id = (uint32_t)ml_mp_uint(&c, 0, UINT32_MAX);
    }
    if (rpc.kind == ML_RPC_ANSWER) {
        answer_read(&c, &rpc);
    } else {
        rpc.name = name_read(&c);
        rpc.params = doc_read(&c, true);
    }
    ml_err err = ml_mp_end(&c);
    if (err == ML_OK) {
        *out = rpc;
    } else if (fault != NULL) {
        *fault = c.fault;
    }
    return err;
}

/* ---- writing: the length is filled in when the message is complete ---- */

static size_t frame_begin(struct ml_buf *out)
{
    size_t start = out->len;
    ml_buf_u32be(out, 0);
    return start;
}

static ml_err frame_end(struct ml_buf *out, size_t start)
{
    ml_err err = out->err;
    if (err == ML_OK) {
        size_t len = out->len - start - ML_RPC_HEAD_BYTES;
        struct ml_rpc check;
        if (len > ML_RPC_BYTES_MAX) {
            err = ML_E_LIMIT;
        } else if (ml_rpc_decode(&check, ml_slice(out->data + start + ML_RPC_HEAD_BYTES, len),
                                 NULL) != ML_OK) {
            err = ML_E_INVALID;
        } else {
            ml_put_u32be(out->data + start, (uint32_t)len);
        }
    }
    if (err != ML_OK) {
        out->len = start;
    }
    return err;
}

static void params_put(struct ml_buf *out, struct ml_slice params)
{
    if (params.len == 0) {
        ml_mp_put_map(out, 0);
    } else {
        ml_mp_put_raw(out, params);
    }
}

ml_err ml_rpc_put_request(struct ml_buf *out, uint32_t id, const char *method,
                          struct ml_slice params)
{
    size_t start = frame_begin(out);
    ml_mp_put_array(out, 4);
    ml_mp_put_uint(out, ML_RPC_REQUEST);
    ml_mp_put_uint(out, id);
    ml_mp_put_str(out, ml_slice_str(method));
    params_put(out, params);
    return frame_end(out, start);
}

ml_err ml_rpc_put_result(struct ml_buf *out, uint32_t id, struct ml_slice result)
{
    size_t start = frame_begin(out);
    ml_mp_put_array(out, 4);
    ml_mp_put_uint(out, ML_RPC_ANSWER);
    ml_mp_put_uint(out, id);
    ml_mp_put_nil(out);
    if (result.len == 0) {
        ml_mp_put_nil(out);
    } else {
        ml_mp_put_raw(out, result);
    }
    return frame_end(out, start);
}

ml_err ml_rpc_put_event(struct ml_buf *out, const char *event, struct ml_slice params)
{
    size_t start = frame_begin(out);
    ml_mp_put_array(out, 3);
    ml_mp_put_uint(out, ML_RPC_EVENT);
    ml_mp_put_str(out, ml_slice_str(event));
    params_put(out, params);
    return frame_end(out, start);
}

ml_err ml_rpc_put_error(struct ml_buf *out, uint32_t id, ml_err err, struct ml_slice details)
{
    size_t start = frame_begin(out);
    ml_mp_put_array(out, 4);
    ml_mp_put_uint(out, ML_RPC_ANSWER);
    ml_mp_put_uint(out, id);
    ml_mp_put_map(out, details.len == 0 ? 2 : 3);
    ml_mp_put_str(out, ml_slice_str("code"));
    ml_mp_put_uint(out, (uint64_t)err);
    ml_mp_put_str(out, ml_slice_str("name"));
    ml_mp_put_str(out, ml_slice_str(ml_err_name(err)));
    if (details.len > 0) {
        ml_mp_put_str(out, ml_slice_str("details"));
        ml_mp_put_raw(out, details);
    }
    ml_mp_put_nil(out);
    return frame_end(out, start);
}

ml_err ml_rpc_error_code(const struct ml_rpc *answer)
{
    uint64_t code = 0;
    if (answer->error.raw.len == 0) {
        return ML_OK;
    }
    if (!ml_doc_as_uint(ml_doc_get(answer->error, "code"), &code) || code == ML_OK ||
        code > INT16_MAX) {
        return ML_E_CORRUPT;
    }
    /* A number that is no code has CORRUPT's name. */
    bool known = ml_err_name((ml_err)code) != ml_err_name(ML_E_CORRUPT);
    return known ? (ml_err)code : ML_E_CORRUPT;
}
