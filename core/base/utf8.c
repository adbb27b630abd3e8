/* core/base/utf8.c -- see utf8.h. */
#include "core/base/utf8.h"

/* Bytes of the sequence that `first` begins, and the bounds of its second byte; 0: none begins so.
 */
static size_t sequence_of(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if ((first & 0xf0u) == 0xe0u) {
        *low = first == 0xe0 ? 0xa0 : 0x80;  /* below: overlong */
        *high = first == 0xed ? 0x9f : 0xbf; /* above: surrogates */
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *low = first == 0xf0 ? 0x90 : 0x80;  /* below: overlong */
        *high = first == 0xf4 ? 0x8f : 0xbf; /* above: beyond U+10FFFF */
        return 4;
    }
    return 0;
}

static bool tail_valid(const uint8_t *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((p[i] & 0xc0u) != 0x80u) {
            return false;
        }
    }
    return true;
}

bool ml_utf8_valid(struct ml_slice text)
{
    size_t i = 0;
    while (i < text.len) {
        const uint8_t *p = text.data + i;
        uint8_t low = 0;
        uint8_t high = 0;
        if (p[0] < 0x80) {
            if (p[0] == 0) {
                return false;
            }
            i++;
            continue;
        }
        size_t n = sequence_of(p[0], &low, &high);
        if (n == 0 || n > text.len - i || p[1] < low || p[1] > high || !tail_valid(p + 2, n - 2)) {
            return false;
        }
        i += n;
    }
    return true;
}
