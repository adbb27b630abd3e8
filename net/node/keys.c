/* net/node/keys.c -- see keys.h. */
#include "net/node/keys.h"

#include "net/node/session.h"

enum { KEYS_BYTES_MAX = 64 << 20 };

void ml_keys_init(struct ml_keys *keys, const struct ml_env *env)
{
    ml_buf_init(&keys->bytes, env, KEYS_BYTES_MAX);
    ml_buf_init(&keys->sizes, env, KEYS_BYTES_MAX);
}

void ml_keys_free(struct ml_keys *keys)
{
    ml_buf_free(&keys->bytes);
    ml_buf_free(&keys->sizes);
}

ml_err ml_keys_emit(void *user, struct ml_slice op)
{
    struct ml_keys *keys = user;
    ml_buf_append(&keys->bytes, op.data, op.len);
    ml_buf_append(&keys->sizes, &op.len, sizeof(op.len));
    return keys->bytes.err != ML_OK ? keys->bytes.err : keys->sizes.err;
}

/* How many of the ops from `sizes` on fit one body: its own framing takes a few bytes an op. */
static size_t fits(const size_t *sizes, size_t count)
{
    enum { OP_FRAME_BYTES = 8 };
    size_t bytes = OP_FRAME_BYTES;
    size_t n = 0;
    while (n < count && n < ML_BUNDLE_OPS_MAX) {
        bytes += sizes[n] + OP_FRAME_BYTES;
        if (bytes > ML_BODY_BYTES_MAX) {
            break;
        }
        n++;
    }
    return n;
}

ml_err ml_keys_append(struct ml_org *org, struct ml_keys *keys)
{
    const size_t *sizes = (const void *)keys->sizes.data;
    size_t left = keys->sizes.len / sizeof(*sizes);
    const uint8_t *at = keys->bytes.data;
    struct ml_author author;
    ml_session_author(org, &author);
    while (left > 0) {
        struct ml_slice ops[ML_BUNDLE_OPS_MAX];
        size_t n = fits(sizes, left);
        if (n == 0) {
            return ML_E_LIMIT;
        }
        for (size_t i = 0; i < n; i++) {
            ops[i] = ml_slice(at, sizes[i]);
            at += sizes[i];
        }
        ml_err err = ml_org_append_plain(org, &author, ML_LANE_KEYS, ops, n);
        if (err != ML_OK) {
            return err;
        }
        sizes += n;
        left -= n;
    }
    return ml_session_catch_up_all(org);
}
