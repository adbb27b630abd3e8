/* core/base/buf.c -- see buf.h. Growth doubles, from 64 bytes, never beyond `max`. */
#include "core/base/buf.h"

#include <string.h>

enum { BUF_FIRST_BYTES = 64 };

void ml_buf_init(struct ml_buf *b, const struct ml_env *env, size_t max)
{
    *b = (struct ml_buf){.env = env, .max = max};
}

void ml_buf_init_wiped(struct ml_buf *b, const struct ml_env *env, size_t max)
{
    *b = (struct ml_buf){.env = env, .max = max, .wipes = true};
}

static void buf_release(struct ml_buf *b)
{
    if (b->data == NULL) {
        return; /* then `env` may be NULL, too */
    }
    if (b->wipes) {
        explicit_bzero(b->data, b->cap);
    }
    ml_release(b->env, b->data);
}

void ml_buf_free(struct ml_buf *b)
{
    buf_release(b);
    *b = (struct ml_buf){.env = b->env, .max = b->max, .wipes = b->wipes};
}

void ml_buf_clear(struct ml_buf *b)
{
    if (b->wipes && b->len > 0) {
        explicit_bzero(b->data, b->len);
    }
    b->len = 0;
    b->err = ML_OK;
}

/* A resize might leave a copy where the bytes were. */
static uint8_t *buf_move(struct ml_buf *b, size_t cap)
{
    uint8_t *data = ml_alloc(b->env, cap);
    if (data != NULL && b->len > 0) {
        memcpy(data, b->data, b->len);
    }
    if (data != NULL) {
        buf_release(b);
    }
    return data;
}

static bool buf_reserve(struct ml_buf *b, size_t need)
{
    if (need <= b->cap) {
        return true;
    }
    size_t cap = b->cap == 0 ? BUF_FIRST_BYTES : b->cap;
    while (cap < need && !__builtin_mul_overflow(cap, (size_t)2, &cap)) {
    }
    cap = cap > b->max ? b->max : cap;
    cap = cap < need ? need : cap;
    uint8_t *data = b->wipes ? buf_move(b, cap) : ml_resize(b->env, b->data, cap);
    if (data == NULL) {
        b->err = ML_E_NOMEM;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

uint8_t *ml_buf_extend(struct ml_buf *b, size_t len)
{
    size_t need = 0;
    if (b->err != ML_OK) {
        return NULL;
    }
    if (!ml_add_size(&need, b->len, len) || need > b->max) {
        b->err = ML_E_LIMIT;
        return NULL;
    }
    if (!buf_reserve(b, need)) {
        return NULL;
    }
    uint8_t *at = b->data + b->len;
    b->len = need;
    return at;
}

void ml_buf_append(struct ml_buf *b, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    uint8_t *at = ml_buf_extend(b, len);
    if (at != NULL) {
        memcpy(at, data, len);
    }
}

void ml_buf_u8(struct ml_buf *b, uint8_t v)
{
    ml_buf_append(b, &v, 1);
}

void ml_buf_u16be(struct ml_buf *b, uint16_t v)
{
    const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    ml_buf_append(b, bytes, sizeof(bytes));
}

void ml_buf_u32be(struct ml_buf *b, uint32_t v)
{
    uint8_t bytes[4];
    ml_put_u32be(bytes, v);
    ml_buf_append(b, bytes, sizeof(bytes));
}

void ml_buf_u64be(struct ml_buf *b, uint64_t v)
{
    uint8_t bytes[8];
    ml_put_u64be(bytes, v);
    ml_buf_append(b, bytes, sizeof(bytes));
}

struct ml_slice ml_buf_slice(const struct ml_buf *b)
{
    return (struct ml_slice){b->data, b->len};
}

struct ml_slice ml_slice(const void *data, size_t len)
{
    return (struct ml_slice){data, len};
}

struct ml_slice ml_slice_str(const char *s)
{
    return (struct ml_slice){(const uint8_t *)s, strlen(s)};
}

bool ml_slice_equal(struct ml_slice a, struct ml_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int ml_slice_compare(struct ml_slice a, struct ml_slice b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}
