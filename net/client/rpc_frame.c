/* net/client/rpc_frame.c -- see rpc_frame.h. */
#include "net/client/rpc_frame.h"

#include "core/codec/mp_read.h"
#include "core/codec/mp_write.h"

#define RPC_ID_MAX INT64_MAX

ml_err ml_rpc_frame_length(size_t *len, struct ml_slice in)
{
    *len = 0;
    if (in.len < ML_RPC_HEAD_BYTES) {
        return ML_OK;
    }
    uint32_t said = ml_get_u32be(in.data);
    if (said == 0 || said > ML_RPC_BYTES_MAX) {
        return said == 0 ? ML_E_MALFORMED : ML_E_LIMIT;
    }
    *len = in.len - ML_RPC_HEAD_BYTES >= said ? said : 0;
    return ML_OK;
}

/* A code that a newer daemon may have and we don't is one we don't support. */
static ml_err err_from_code(uint64_t code)
{
    if (code == ML_OK || ml_err_class_of((ml_err)code) == ML_CLASS_NONE) {
        return ML_E_MALFORMED;
    }
    return code > ML_E_ROLLED_BACK ? ML_E_UNSUPPORTED : (ml_err)code;
}

/* {"code": .., "name": .., "detail": ..}; others are skipped. */
static void read_error(struct ml_mp *c, struct ml_rpc_frame *f)
{
    uint32_t pairs = ml_mp_map(c, 1, 16);
    f->err = ML_E_IO;
    for (uint32_t i = 0; i < pairs && ml_mp_ok(c); i++) {
        struct ml_slice key = ml_mp_key_str(c);
        if (ml_slice_equal(key, ml_slice_str("code"))) {
            f->err = err_from_code(ml_mp_uint(c, 1, UINT32_MAX));
        } else if (ml_slice_equal(key, ml_slice_str("detail"))) {
            f->body = ml_mp_value(c);
        } else {
            (void)ml_mp_value(c);
        }
    }
}

static void read_answer(struct ml_mp *c, struct ml_rpc_frame *f)
{
    f->id = ml_mp_uint(c, 0, RPC_ID_MAX);
    if (ml_mp_peek(c) == ML_MP_NIL) {
        ml_mp_nil(c);
        f->body = ml_mp_value(c);
    } else {
        read_error(c, f);
        ml_mp_nil(c);
    }
}

ml_err ml_rpc_frame_read(struct ml_rpc_frame *out, struct ml_slice in)
{
    static const uint8_t nil[] = {0xc0};
    struct ml_rpc_frame f = {.err = ML_OK, .body = {nil, sizeof(nil)}};
    struct ml_mp c;
    ml_mp_init(&c, in, ML_MP_DOC);
    uint32_t items = ml_mp_array(&c, 3, 4);
    f.kind = (ml_rpc_kind)ml_mp_uint(&c, ML_RPC_REQUEST, ML_RPC_NOTIFY);
    if ((f.kind == ML_RPC_NOTIFY) != (items == 3)) {
        return ML_E_MALFORMED;
    }
    if (f.kind == ML_RPC_ANSWER) {
        read_answer(&c, &f);
    } else {
        f.id = f.kind == ML_RPC_REQUEST ? ml_mp_uint(&c, 0, RPC_ID_MAX) : 0;
        f.method = ml_mp_str(&c, 1, ML_RPC_METHOD_BYTES);
        if (f.kind == ML_RPC_REQUEST && ml_mp_peek(&c) != ML_MP_MAP) {
            return ML_E_MALFORMED;
        }
        f.body = ml_mp_value(&c);
    }
    ml_err err = ml_mp_end(&c);
    if (err == ML_OK) {
        *out = f;
    }
    return err;
}

static void write_body(struct ml_buf *out, struct ml_slice body)
{
    if (body.len == 0) {
        ml_mp_put_nil(out);
    } else {
        ml_mp_put_raw(out, body);
    }
}

static void write_answer(struct ml_buf *out, const struct ml_rpc_frame *f)
{
    ml_mp_put_uint(out, f->id);
    if (f->err == ML_OK) {
        ml_mp_put_nil(out);
        write_body(out, f->body);
        return;
    }
    ml_mp_put_map(out, 3);
    ml_mp_put_str(out, ml_slice_str("code"));
    ml_mp_put_uint(out, f->err);
    ml_mp_put_str(out, ml_slice_str("name"));
    ml_mp_put_str(out, ml_slice_str(ml_err_name(f->err)));
    ml_mp_put_str(out, ml_slice_str("detail"));
    write_body(out, f->body);
    ml_mp_put_nil(out);
}

ml_err ml_rpc_frame_write(struct ml_buf *out, const struct ml_rpc_frame *f)
{
    size_t start = out->len;
    ml_buf_u32be(out, 0);
    ml_mp_put_array(out, f->kind == ML_RPC_NOTIFY ? 3 : 4);
    ml_mp_put_uint(out, (uint64_t)f->kind);
    if (f->kind == ML_RPC_ANSWER) {
        write_answer(out, f);
    } else {
        if (f->kind == ML_RPC_REQUEST) {
            ml_mp_put_uint(out, f->id);
        }
        ml_mp_put_str(out, f->method);
        write_body(out, f->body);
    }
    if (out->err != ML_OK) {
        return out->err;
    }
    size_t len = out->len - start - ML_RPC_HEAD_BYTES;
    if (len > ML_RPC_BYTES_MAX) {
        return ML_E_LIMIT;
    }
    ml_put_u32be(out->data + start, (uint32_t)len);
    return ML_OK;
}
