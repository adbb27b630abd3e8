/* core/base/ids.c -- see ids.h. */
#include "core/base/ids.h"

#include <string.h>

#include "core/base/buf.h"

struct ml_object_id ml_object_id_at(int64_t utc_ms, const uint8_t tail[ML_OBJECT_ID_TAIL])
{
    struct ml_object_id id;
    uint64_t ms = utc_ms < 0 ? 0 : (uint64_t)utc_ms;
    ms = ms > ML_OBJECT_ID_MS_MAX ? ML_OBJECT_ID_MS_MAX : ms;
    for (unsigned i = 0; i < 6; i++) {
        id.b[i] = (uint8_t)(ms >> (40u - 8u * i));
    }
    memcpy(id.b + 6, tail, ML_OBJECT_ID_TAIL);
    return id;
}

struct ml_object_id ml_object_id_new(const struct ml_env *env)
{
    uint8_t tail[ML_OBJECT_ID_TAIL];
    env->random(env->ctx, tail, sizeof(tail));
    return ml_object_id_at((int64_t)env->wall_ms(env->ctx), tail);
}

uint64_t ml_object_id_ms(const struct ml_object_id *id)
{
    uint64_t ms = 0;
    for (unsigned i = 0; i < 6; i++) {
        ms = ms << 8 | id->b[i];
    }
    return ms;
}

bool ml_object_id_equal(const struct ml_object_id *a, const struct ml_object_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int ml_object_id_compare(const struct ml_object_id *a, const struct ml_object_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}

bool ml_object_id_is_zero(const struct ml_object_id *id)
{
    return ml_is_zero(id->b, sizeof(id->b));
}

int ml_version_id_compare(const struct ml_version_id *a, const struct ml_version_id *b)
{
    int order = memcmp(a->bundle.b, b->bundle.b, sizeof(a->bundle.b));
    return order != 0 ? order : (int)a->index - (int)b->index;
}

void ml_hex_encode(char *out, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15u];
    }
    out[2 * len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ml_err ml_hex_decode(uint8_t *out, size_t len, const char *hex, size_t hex_len)
{
    if (hex_len / 2 != len || hex_len % 2 != 0) {
        return ML_E_INVALID;
    }
    for (size_t i = 0; i < hex_len; i++) {
        if (hex_digit(hex[i]) < 0) {
            return ML_E_INVALID;
        }
    }
    for (size_t i = 0; i < len; i++) {
        out[i] =
            (uint8_t)((unsigned)hex_digit(hex[2 * i]) * 16u + (unsigned)hex_digit(hex[2 * i + 1]));
    }
    return ML_OK;
}
