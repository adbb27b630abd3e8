/* core/crypto/secret.c -- see secret.h. The length stands in ordinary memory, the bytes in guarded
 * memory; canary and guard pages make an overrun a crash instead of a leak. */
#include "core/crypto/secret.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct ml_secret {
    size_t len;
    uint8_t *bytes;
};

ml_err ml_crypto_init(void)
{
    return sodium_init() < 0 ? ML_E_IO : ML_OK;
}

ml_err ml_secret_new(struct ml_secret **out, size_t len)
{
    if (len == 0 || len > ML_SECRET_MAX) {
        return ML_E_LIMIT;
    }
    struct ml_secret *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    s->len = len;
    s->bytes = sodium_malloc(len);
    if (s->bytes == NULL) {
        free(s);
        return ML_E_NOMEM;
    }
    memset(s->bytes, 0, len);
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

void ml_secret_free(struct ml_secret *s)
{
    if (s != NULL) {
        sodium_free(s->bytes);
        free(s);
    }
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
    return s->len;
}

bool ml_secret_equal(const struct ml_secret *a, const struct ml_secret *b)
{
    return a->len == b->len && sodium_memcmp(a->bytes, b->bytes, a->len) == 0;
}

void ml_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}

bool ml_equal_ct(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}
