/* core/codec/doc_write.c -- the writer of doc.h.
 *
 * A container's head depends on its count: one byte is kept for it, and when the container ends
 * with 16 entries or more, what was written after is moved by 2 or 4 bytes. Invariant:
 * frames[0..depth) are the open containers; the buffer holds a placeholder at each head_at.
 */
#include "core/codec/doc.h"

#include <string.h>

#include "core/codec/mp_write.h"

void ml_doc_begin(struct ml_doc_writer *w, struct ml_buf *out)
{
    memset(w, 0, sizeof(*w));
    w->out = out;
}

static void writer_fail(struct ml_doc_writer *w, ml_err err)
{
    if (w->err == ML_OK) {
        w->err = err;
    }
}

/* May a value be written here? Counts it if so. */
static bool value_enter(struct ml_doc_writer *w)
{
    if (w->err != ML_OK) {
        return false;
    }
    if (w->depth == 0) {
        if (w->complete) {
            writer_fail(w, ML_E_INVALID);
            return false;
        }
        w->complete = true;
        return true;
    }
    struct ml_doc_frame *f = &w->frames[w->depth - 1];
    if (f->map && f->key_due) {
        writer_fail(w, ML_E_INVALID);
        return false;
    }
    f->key_due = f->map;
    f->count++;
    return true;
}

static void container_enter(struct ml_doc_writer *w, bool map)
{
    if (!value_enter(w)) {
        return;
    }
    if (w->depth == ML_DOC_DEPTH_MAX) {
        writer_fail(w, ML_E_INVALID);
        return;
    }
    w->frames[w->depth++] =
        (struct ml_doc_frame){.head_at = w->out->len, .map = map, .key_due = map};
    ml_buf_u8(w->out, 0);
}

void ml_doc_map(struct ml_doc_writer *w)
{
    container_enter(w, true);
}

void ml_doc_array(struct ml_doc_writer *w)
{
    container_enter(w, false);
}

/* Puts the head where its placeholder is. */
static void head_put(struct ml_buf *out, const struct ml_doc_frame *f)
{
    size_t extra = f->count < 16 ? 0 : f->count <= UINT16_MAX ? 2 : 4;
    size_t tail = out->len - f->head_at - 1;
    if (extra > 0 && ml_buf_extend(out, extra) == NULL) {
        return;
    }
    uint8_t *head = out->data + f->head_at;
    memmove(head + 1 + extra, head + 1, tail);
    if (extra == 0) {
        head[0] = (uint8_t)((f->map ? 0x80u : 0x90u) | f->count);
        return;
    }
    head[0] = (uint8_t)((f->map ? 0xdeu : 0xdcu) + (extra == 4));
    for (size_t i = 0; i < extra; i++) {
        head[1 + i] = (uint8_t)(f->count >> (8 * (extra - 1 - i)));
    }
}

void ml_doc_end(struct ml_doc_writer *w)
{
    if (w->err != ML_OK) {
        return;
    }
    if (w->depth == 0) {
        writer_fail(w, ML_E_INVALID);
        return;
    }
    const struct ml_doc_frame *f = &w->frames[w->depth - 1];
    if ((f->map && !f->key_due) || (f->map && f->count > ML_DOC_KEYS_MAX)) {
        writer_fail(w, ML_E_INVALID);
        return;
    }
    if (w->out->err == ML_OK) {
        head_put(w->out, f);
    }
    w->depth--;
}

void ml_doc_key_slice(struct ml_doc_writer *w, struct ml_slice key)
{
    if (w->err != ML_OK) {
        return;
    }
    if (w->depth == 0 || !w->frames[w->depth - 1].key_due) {
        writer_fail(w, ML_E_INVALID);
        return;
    }
    w->frames[w->depth - 1].key_due = false;
    ml_mp_put_str(w->out, key);
}

void ml_doc_key(struct ml_doc_writer *w, const char *key)
{
    ml_doc_key_slice(w, ml_slice_str(key));
}

void ml_doc_nil(struct ml_doc_writer *w)
{
    if (value_enter(w)) {
        ml_mp_put_nil(w->out);
    }
}

void ml_doc_bool(struct ml_doc_writer *w, bool v)
{
    if (value_enter(w)) {
        ml_mp_put_bool(w->out, v);
    }
}

void ml_doc_int(struct ml_doc_writer *w, int64_t v)
{
    if (value_enter(w)) {
        ml_mp_put_int(w->out, v);
    }
}

void ml_doc_uint(struct ml_doc_writer *w, uint64_t v)
{
    if (value_enter(w)) {
        ml_mp_put_uint(w->out, v);
    }
}

void ml_doc_float(struct ml_doc_writer *w, double v)
{
    if (value_enter(w)) {
        ml_mp_put_float(w->out, v);
    }
}

void ml_doc_text(struct ml_doc_writer *w, struct ml_slice v)
{
    if (value_enter(w)) {
        ml_mp_put_str(w->out, v);
    }
}

void ml_doc_str(struct ml_doc_writer *w, const char *v)
{
    if (v == NULL) {
        ml_doc_nil(w);
    } else {
        ml_doc_text(w, ml_slice_str(v));
    }
}

void ml_doc_bin(struct ml_doc_writer *w, struct ml_slice v)
{
    if (value_enter(w)) {
        ml_mp_put_bin(w->out, v);
    }
}

void ml_doc_hex(struct ml_doc_writer *w, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    if (len > ML_DOC_HEX_MAX) {
        writer_fail(w, ML_E_INVALID);
        return;
    }
    char text[2 * ML_DOC_HEX_MAX];
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    ml_doc_text(w, ml_slice(text, 2 * len));
}

void ml_doc_raw(struct ml_doc_writer *w, struct ml_slice encoded)
{
    if (value_enter(w)) {
        ml_mp_put_raw(w->out, encoded);
    }
}

void ml_doc_put_str(struct ml_doc_writer *w, const char *key, const char *v)
{
    ml_doc_key(w, key);
    ml_doc_str(w, v);
}

void ml_doc_put_text(struct ml_doc_writer *w, const char *key, struct ml_slice v)
{
    ml_doc_key(w, key);
    ml_doc_text(w, v);
}

void ml_doc_put_int(struct ml_doc_writer *w, const char *key, int64_t v)
{
    ml_doc_key(w, key);
    ml_doc_int(w, v);
}

void ml_doc_put_uint(struct ml_doc_writer *w, const char *key, uint64_t v)
{
    ml_doc_key(w, key);
    ml_doc_uint(w, v);
}

void ml_doc_put_bool(struct ml_doc_writer *w, const char *key, bool v)
{
    ml_doc_key(w, key);
    ml_doc_bool(w, v);
}

void ml_doc_put_hex(struct ml_doc_writer *w, const char *key, const void *bytes, size_t len)
{
    ml_doc_key(w, key);
    ml_doc_hex(w, bytes, len);
}

void ml_doc_put_bin(struct ml_doc_writer *w, const char *key, struct ml_slice v)
{
    ml_doc_key(w, key);
    ml_doc_bin(w, v);
}

ml_err ml_doc_finish(struct ml_doc_writer *w)
{
    if (w->err == ML_OK && (w->depth > 0 || !w->complete)) {
        writer_fail(w, ML_E_INVALID);
    }
    return w->err != ML_OK ? w->err : w->out->err;
}
