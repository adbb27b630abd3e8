/* core/codec/mp_write.c -- see mp_write.h. msgpack-c's packer picks the shortest form of integers,
 * lengths and counts by itself; its errors are the buffer's, which keeps them. */
#include "core/codec/mp_write.h"

#include <msgpack/pack.h>

static int buf_write(void *data, const char *bytes, size_t len)
{
    struct ml_buf *b = data;
    ml_buf_append(b, bytes, len);
    return b->err == ML_OK ? 0 : -1;
}

static msgpack_packer packer_on(struct ml_buf *b)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, b, buf_write);
    return pk;
}

/* A length above this can't be written; the buffer's limit says so. */
static bool length_fits(struct ml_buf *b, size_t len)
{
    if (len > UINT32_MAX && b->err == ML_OK) {
        b->err = ML_E_LIMIT;
    }
    return b->err == ML_OK;
}

void ml_mp_put_nil(struct ml_buf *b)
{
    msgpack_packer pk = packer_on(b);
    (void)msgpack_pack_nil(&pk);
}

void ml_mp_put_bool(struct ml_buf *b, bool v)
{
    msgpack_packer pk = packer_on(b);
    (void)(v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
}

void ml_mp_put_uint(struct ml_buf *b, uint64_t v)
{
    msgpack_packer pk = packer_on(b);
    (void)msgpack_pack_uint64(&pk, v);
}

void ml_mp_put_int(struct ml_buf *b, int64_t v)
{
    msgpack_packer pk = packer_on(b);
    (void)msgpack_pack_int64(&pk, v);
}

void ml_mp_put_float(struct ml_buf *b, double v)
{
    msgpack_packer pk = packer_on(b);
    (void)msgpack_pack_double(&pk, v);
}

void ml_mp_put_bin(struct ml_buf *b, struct ml_slice v)
{
    msgpack_packer pk = packer_on(b);
    if (length_fits(b, v.len)) {
        (void)msgpack_pack_bin(&pk, v.len);
        ml_buf_append(b, v.data, v.len);
    }
}

void ml_mp_put_str(struct ml_buf *b, struct ml_slice v)
{
    msgpack_packer pk = packer_on(b);
    if (length_fits(b, v.len)) {
        (void)msgpack_pack_str(&pk, v.len);
        ml_buf_append(b, v.data, v.len);
    }
}

void ml_mp_put_array(struct ml_buf *b, uint32_t count)
{
    msgpack_packer pk = packer_on(b);
    (void)msgpack_pack_array(&pk, count);
}

void ml_mp_put_map(struct ml_buf *b, uint32_t pairs)
{
    msgpack_packer pk = packer_on(b);
    (void)msgpack_pack_map(&pk, pairs);
}

void ml_mp_put_raw(struct ml_buf *b, struct ml_slice encoded)
{
    ml_buf_append(b, encoded.data, encoded.len);
}
