/* core/base/buf.h -- a growable byte buffer with a hard maximum, and borrowed slices.
 *
 * A buffer remembers its first error (NOMEM or LIMIT): appends after it do nothing, so that a
 * writer appends freely and asks once, at the end. One thread at a time.
 */
#ifndef ML_BASE_BUF_H
#define ML_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "maille/err.h"

/** Borrowed bytes; `data` may be NULL when `len` is 0. */
struct ml_slice {
    const uint8_t *data;
    size_t len;
};

struct ml_buf {
    const struct ml_env *env; /* borrowed */
    uint8_t *data;            /* owned; NULL until the first append */
    size_t len;
    size_t cap;
    size_t max; /* appends beyond it are LIMIT */
    ml_err err;
    bool wipes; /* leaves no copy behind: see ml_buf_init_wiped */
};

void ml_buf_init(struct ml_buf *b, const struct ml_env *env, size_t max);
/** A buffer that a passphrase or words may pass through: what it gives back, when it grows, is
 * cleared or freed, is wiped first. Not guarded memory: for the way to it. */
void ml_buf_init_wiped(struct ml_buf *b, const struct ml_env *env, size_t max);
/** Releases the memory; the buffer is empty and usable again. NULL fields are allowed. */
void ml_buf_free(struct ml_buf *b);
/** Forgets contents and error, keeps the memory. */
void ml_buf_clear(struct ml_buf *b);
void ml_buf_append(struct ml_buf *b, const void *data, size_t len);
void ml_buf_u8(struct ml_buf *b, uint8_t v);
void ml_buf_u16be(struct ml_buf *b, uint16_t v);
void ml_buf_u32be(struct ml_buf *b, uint32_t v);
void ml_buf_u64be(struct ml_buf *b, uint64_t v);
/** Room for `len` bytes at the end, counted in; NULL (and the error set) when it can't be had. */
uint8_t *ml_buf_extend(struct ml_buf *b, size_t len);
struct ml_slice ml_buf_slice(const struct ml_buf *b);

struct ml_slice ml_slice(const void *data, size_t len);
struct ml_slice ml_slice_str(const char *s);
bool ml_slice_equal(struct ml_slice a, struct ml_slice b);
/** memcmp order, a prefix before what it begins. */
int ml_slice_compare(struct ml_slice a, struct ml_slice b);

/** Not for secrets: the time tells nothing of the bytes, but the answer does. */
static inline bool ml_is_zero(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= p[i];
    }
    return any == 0;
}

static inline uint16_t ml_get_u16be(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t ml_get_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t ml_get_u64be(const uint8_t *p)
{
    return (uint64_t)ml_get_u32be(p) << 32 | ml_get_u32be(p + 4);
}

static inline void ml_put_u32be(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void ml_put_u64be(uint8_t *p, uint64_t v)
{
    ml_put_u32be(p, (uint32_t)(v >> 32));
    ml_put_u32be(p + 4, (uint32_t)v);
}

/** Checked arithmetic: false, and *out untouched, on overflow. */
static inline bool ml_add_size(size_t *out, size_t a, size_t b)
{
    size_t r = 0;
    if (__builtin_add_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}

static inline bool ml_mul_size(size_t *out, size_t a, size_t b)
{
    size_t r = 0;
    if (__builtin_mul_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}

#endif
