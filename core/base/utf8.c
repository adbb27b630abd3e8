/* core/base/utf8.c -- see utf8.h. */
#include "core/base/utf8.h"

#include <string.h>

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

/* Bytes of the well-formed character at p, of at most `rest` bytes; 0 when there is none. */
static size_t character_at(const uint8_t *p, size_t rest)
{
    uint8_t low = 0;
    uint8_t high = 0;
    if (p[0] < 0x80) {
        return p[0] != 0;
    }
    size_t n = sequence_of(p[0], &low, &high);
    if (n == 0 || n > rest || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0u) != 0x80u) {
            return 0;
        }
    }
    return n;
}

/* Are the eight bytes at p all ASCII, and none of them NUL? Below a NUL the subtraction borrows,
 * which may blame a neighbour: then one byte after the other is looked at. */
static bool is_plain(const uint8_t *p)
{
    uint64_t word = 0;
    memcpy(&word, p, sizeof(word));
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

bool ml_utf8_valid(struct ml_slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i += n) {
        n = sizeof(uint64_t);
        if (text.len - i >= n && is_plain(text.data + i)) {
            continue;
        }
        n = 1;
        if (text.data[i] - 1u < 0x7fu) { /* most texts are shorter than that */
            continue;
        }
        n = character_at(text.data + i, text.len - i);
        if (n == 0) {
            return false;
        }
    }
    return true;
}
