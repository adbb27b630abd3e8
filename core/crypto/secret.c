/* core/crypto/secret.c -- see secret.h.
 *
 * Length and bytes stand in one guarded block, whose last byte is the last before a guard page: an
 * overrun is a crash instead of a leak. Alignment 1 throughout, since the block ends where a page
 * does and may start anywhere.
 */
#include "core/crypto/secret.h"

#include <sodium.h>
#include <string.h>

#include "core/base/buf.h"

struct ml_secret {
    uint8_t len_be[4];
    uint8_t bytes[];
};

_Static_assert(_Alignof(struct ml_secret) == 1, "sodium_malloc aligns the end, not the start");

ml_err ml_crypto_init(void)
{
    return sodium_init() < 0 ? ML_E_IO : ML_OK;
}

ml_err ml_secret_new(struct ml_secret **out, size_t len)
{
    if (len == 0 || len > ML_SECRET_MAX) {
        return ML_E_LIMIT;
    }
    struct ml_secret *s = sodium_malloc(sizeof(*s) + len);
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    memset(s->bytes, 0, len);
    ml_put_u32be(s->len_be, (uint32_t)len);
    *out = s;
    return ML_OK;
}

ml_err ml_secret_from(struct ml_secret **out, const void *bytes, size_t len)
{
    struct ml_secret *s = NULL;
    ml_err err = ml_secret_new(&s, len);
    if (err != ML_OK) {
        return err;
    }
    memcpy(s->bytes, bytes, len);
    *out = s;
    return ML_OK;
}

ml_err ml_secret_random(struct ml_secret **out, const struct ml_env *env, size_t len)
{
    struct ml_secret *s = NULL;
    ml_err err = ml_secret_new(&s, len);
    if (err != ML_OK) {
        return err;
    }
    env->random(env->ctx, s->bytes, len);
    *out = s;
    return ML_OK;
}

void ml_secret_free(struct ml_secret *s)
{
    sodium_free(s); /* wipes; NULL is allowed */
}

const uint8_t *ml_secret_bytes(const struct ml_secret *s)
{
    return s->bytes;
}

uint8_t *ml_secret_writable(struct ml_secret *s)
{
    return s->bytes;
}

size_t ml_secret_len(const struct ml_secret *s)
{
    return ml_get_u32be(s->len_be);
}

bool ml_secret_equal(const struct ml_secret *a, const struct ml_secret *b)
{
    size_t len = ml_secret_len(a);
    return len == ml_secret_len(b) && sodium_memcmp(a->bytes, b->bytes, len) == 0;
}

void ml_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}

bool ml_equal_ct(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}
