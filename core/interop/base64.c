/* core/interop/base64.c -- see base64.h. */
#include "core/interop/base64.h"

static int digit_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+') {
        return 62;
    }
    return c == '/' ? 63 : -1;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool ml_base64_decode(struct ml_buf *out, struct ml_slice text)
{
    uint8_t block[1024] = {0}; /* appended together: contents have millions of bytes */
    size_t used = 0;
    uint32_t bits = 0;
    size_t digits = 0;
    size_t pads = 0;
    for (size_t i = 0; i < text.len && out->err == ML_OK; i++) {
        uint8_t c = text.data[i];
        int digit = digit_of(c);
        if (is_space(c)) {
            continue;
        }
        pads += c == '=';
        if (pads > 0 ? c != '=' : digit < 0) {
            return false;
        }
        digits += pads == 0;
        bits = pads == 0 ? bits << 6 | (uint32_t)digit : bits;
        if (pads == 0 && digits % 4 != 1) {
            unsigned shift = (unsigned)(4 - digits % 4) % 4 * 2;
            block[used++] = (uint8_t)(bits >> shift);
        }
        if (used == sizeof(block)) {
            ml_buf_append(out, block, used);
            used = 0;
        }
    }
    ml_buf_append(out, block, used);
    size_t rest = digits % 4;
    return rest != 1 && pads == (rest == 0 ? 0 : 4 - rest);
}
