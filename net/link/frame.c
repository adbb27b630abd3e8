/* net/link/frame.c -- see frame.h. Invariants: `taken` <= queue.len; a record's head is complete
 * before its message begins; a message is given once, when its last byte was opened. */
#include "net/link/frame.h"

#include <string.h>

#include "core/base/assert.h"

enum {
    RECORD_LONG = 254,
    RECORD_PADDING = 255,
    RECORD_HEAD_BYTES = 4,
    PLAIN_MAX = (int)(ML_FRAME_BYTES_MAX - ML_FRAME_HEAD - ML_NOISE_TAG_BYTES),
    QUEUE_KEEP = 1 << 16, /* taken bytes that stay in front before the rest moves down */
};

/* --- writing --- */

void ml_frame_writer_init(struct ml_frame_writer *w, const struct ml_env *env,
                          struct ml_noise_cipher *cipher, size_t queue_max)
{
    *w = (struct ml_frame_writer){.env = env, .cipher = cipher};
    ml_buf_init(&w->queue, env, queue_max);
}

void ml_frame_writer_free(struct ml_frame_writer *w)
{
    ml_noise_cipher_free(w->cipher);
    ml_buf_free(&w->queue);
    w->cipher = NULL;
}

size_t ml_frame_waiting(const struct ml_frame_writer *w)
{
    return w->queue.len - w->taken;
}

static void queue_compact(struct ml_frame_writer *w)
{
    if (w->taken == w->queue.len) {
        ml_buf_clear(&w->queue);
        w->taken = 0;
    } else if (w->taken > QUEUE_KEEP) {
        memmove(w->queue.data, w->queue.data + w->taken, w->queue.len - w->taken);
        w->queue.len -= w->taken;
        w->taken = 0;
    }
}

static bool is_hello(struct ml_slice m)
{
    return m.len == ML_HELLO_BYTES && m.data[0] <= ML_MSG_VERSION_LAST;
}

ml_err ml_frame_put(struct ml_frame_writer *w, struct ml_slice message)
{
    if (message.len == 0 || message.len > ML_MSG_BYTES_MAX) {
        return message.len == 0 ? ML_E_INVALID : ML_E_LIMIT;
    }
    size_t before = w->queue.len;
    if (!is_hello(message)) {
        const uint8_t head[RECORD_HEAD_BYTES] = {RECORD_LONG, (uint8_t)(message.len >> 16),
                                                 (uint8_t)(message.len >> 8), (uint8_t)message.len};
        ml_buf_append(&w->queue, head, sizeof(head));
    }
    ml_buf_append(&w->queue, message.data, message.len);
    ml_err err = w->queue.err;
    if (err != ML_OK) {
        w->queue.len = before;
        w->queue.err = ML_OK;
    }
    return err;
}

/* Wire bytes of a frame with `plain` bytes inside. */
static size_t frame_bytes(size_t plain)
{
    size_t wire = ML_FRAME_HEAD + plain + ML_NOISE_TAG_BYTES;
    return (wire + ML_FRAME_BUCKET - 1) / ML_FRAME_BUCKET * ML_FRAME_BUCKET;
}

ml_err ml_frame_seal(struct ml_frame_writer *w, struct ml_buf *out)
{
    size_t plain = ml_frame_waiting(w);
    plain = plain < (size_t)PLAIN_MAX ? plain : (size_t)PLAIN_MAX;
    size_t wire = frame_bytes(plain);
    size_t room = wire - ML_FRAME_HEAD - ML_NOISE_TAG_BYTES;
    uint8_t *at = ml_buf_extend(out, wire);
    if (at == NULL) {
        return out->err;
    }
    at[0] = (uint8_t)((wire - ML_FRAME_HEAD) >> 8);
    at[1] = (uint8_t)(wire - ML_FRAME_HEAD);
    uint8_t *body = at + ML_FRAME_HEAD;
    if (plain > 0) {
        memcpy(body, w->queue.data + w->taken, plain);
    }
    memset(body + plain, 0, room - plain);
    if (room > plain) {
        body[plain] = RECORD_PADDING;
    }
    ml_err err = ml_noise_seal(w->cipher, body, ml_slice(body, room), ml_slice(at, ML_FRAME_HEAD));
    if (err != ML_OK) {
        out->len -= wire;
        return err;
    }
    w->taken += plain;
    queue_compact(w);
    if (++w->frames == ML_FRAME_REKEY) {
        ml_noise_rekey(w->cipher);
        w->frames = 0;
    }
    return ML_OK;
}

/* --- reading --- */

void ml_frame_reader_init(struct ml_frame_reader *r, const struct ml_env *env,
                          struct ml_noise_cipher *cipher)
{
    *r = (struct ml_frame_reader){.env = env, .cipher = cipher};
    ml_buf_init(&r->message, env, ML_MSG_BYTES_MAX);
}

void ml_frame_reader_free(struct ml_frame_reader *r)
{
    ml_noise_cipher_free(r->cipher);
    ml_buf_free(&r->message);
    r->cipher = NULL;
}

ml_err ml_frame_length(size_t *len, struct ml_slice in)
{
    *len = 0;
    if (in.len < ML_FRAME_HEAD) {
        return ML_OK;
    }
    size_t wire = (size_t)ml_get_u16be(in.data) + ML_FRAME_HEAD;
    if (wire % ML_FRAME_BUCKET != 0 || wire > ML_FRAME_BYTES_MAX) {
        return ML_E_MALFORMED;
    }
    *len = in.len >= wire ? wire : 0;
    return ML_OK;
}

/* The head of a record; its bytes that belong to the message (a HELLO's first) go there. */
static ml_err record_begin(struct ml_frame_reader *r)
{
    if (r->head[0] <= ML_MSG_VERSION_LAST) {
        r->wanted = ML_HELLO_BYTES;
        ml_buf_u8(&r->message, r->head[0]);
    } else {
        r->wanted = (size_t)r->head[1] << 16 | (size_t)r->head[2] << 8 | r->head[3];
    }
    r->head_have = 0;
    if (r->wanted == 0) {
        return ML_E_MALFORMED;
    }
    return r->wanted > ML_MSG_BYTES_MAX ? ML_E_LIMIT : r->message.err;
}

static ml_err take_head(struct ml_frame_reader *r, const uint8_t *p, size_t len, size_t *used)
{
    if (r->head_have == 0) {
        if (p[0] == RECORD_PADDING) {
            *used = len;
            return ml_is_zero(p + 1, len - 1) ? ML_OK : ML_E_MALFORMED;
        }
        if (p[0] > ML_MSG_VERSION_LAST && p[0] != RECORD_LONG) {
            return ML_E_MALFORMED;
        }
    }
    r->head[r->head_have++] = p[0];
    *used = 1;
    bool complete = r->head[0] <= ML_MSG_VERSION_LAST || r->head_have == RECORD_HEAD_BYTES;
    return complete ? record_begin(r) : ML_OK;
}

static ml_err take_message(struct ml_frame_reader *r, struct ml_slice in, size_t *used,
                           ml_frame_message_cb *give, void *user)
{
    size_t left = r->wanted - r->message.len;
    *used = left < in.len ? left : in.len;
    ml_buf_append(&r->message, in.data, *used);
    if (r->message.err != ML_OK || r->message.len < r->wanted) {
        return r->message.err;
    }
    ml_err err = give(user, ml_buf_slice(&r->message));
    ml_buf_clear(&r->message);
    r->wanted = 0;
    return err;
}

ml_err ml_frame_open(struct ml_frame_reader *r, uint8_t *frame, size_t len,
                     ml_frame_message_cb *give, void *user)
{
    ML_ASSERT(len >= ML_FRAME_BUCKET && len <= ML_FRAME_BYTES_MAX);
    uint8_t *body = frame + ML_FRAME_HEAD;
    ml_err err = ml_noise_open(r->cipher, body, ml_slice(body, len - ML_FRAME_HEAD),
                               ml_slice(frame, ML_FRAME_HEAD));
    size_t room = len - ML_FRAME_HEAD - ML_NOISE_TAG_BYTES;
    size_t at = 0;
    while (err == ML_OK && at < room) {
        size_t used = 0;
        err = r->wanted == 0 ? take_head(r, body + at, room - at, &used)
                             : take_message(r, ml_slice(body + at, room - at), &used, give, user);
        at += used;
    }
    if (err == ML_OK && ++r->frames == ML_FRAME_REKEY) {
        ml_noise_rekey(r->cipher);
        r->frames = 0;
    }
    return err;
}
