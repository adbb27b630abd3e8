/* core/record/fold.c -- see fold.h. ASCII, which most of it is, takes no table; the rest goes
 * through utf8proc, one code point at a time, without allocation. */
#include "core/record/fold.h"

#include <string.h>
#include <utf8proc.h>

enum { DECOMPOSED_MAX = 18 }; /* the longest compatibility decomposition */

struct folding {
    struct ml_buf *out;
    size_t start;
    bool gap; /* a separator came since the last letter */
};

static void put_letter(struct folding *f, const uint8_t *bytes, size_t len)
{
    if (f->gap && f->out->len > f->start) {
        ml_buf_u8(f->out, ' ');
    }
    f->gap = false;
    ml_buf_append(f->out, bytes, len);
}

static void put_ascii(struct folding *f, uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        c = (uint8_t)(c | 0x20);
    }
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        put_letter(f, &c, 1);
    } else {
        f->gap = true;
    }
}

/* Letters that decomposition leaves whole. */
static const char *special(utf8proc_int32_t cp)
{
    switch (cp) {
    case 0x153: /* oe ligature, folded */
    case 0x152:
        return "oe";
    case 0xe6:
    case 0xc6:
        return "ae";
    case 0xf8:
    case 0xd8:
        return "o";
    case 0x142:
    case 0x141:
        return "l";
    case 0x111:
    case 0x110:
    case 0xf0:
        return "d";
    case 0xfe:
        return "th";
    case 0x131:
        return "i";
    default:
        return NULL;
    }
}

static bool is_word_part(utf8proc_int32_t cp)
{
    utf8proc_category_t category = utf8proc_category(cp);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           category == UTF8PROC_CATEGORY_ND;
}

static void put_decomposed(struct folding *f, utf8proc_int32_t cp)
{
    uint8_t bytes[4];
    const char *letters = special(cp);
    if (letters != NULL) {
        put_letter(f, (const uint8_t *)letters, strlen(letters));
    } else if (cp < 0x80) {
        put_ascii(f, (uint8_t)cp);
    } else if (is_word_part(cp)) {
        put_letter(f, bytes, (size_t)utf8proc_encode_char(cp, bytes));
    } else {
        f->gap = true;
    }
}

static void put_wide(struct folding *f, utf8proc_int32_t cp)
{
    utf8proc_int32_t parts[DECOMPOSED_MAX];
    int boundary = 0;
    if (utf8proc_category(cp) == UTF8PROC_CATEGORY_MN) {
        return; /* an accent typed apart */
    }
    utf8proc_ssize_t count = utf8proc_decompose_char(
        cp, parts, DECOMPOSED_MAX,
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK, &boundary);
    if (special(cp) != NULL || count < 0 || count > DECOMPOSED_MAX) {
        put_decomposed(f, cp);
        return;
    }
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        put_decomposed(f, parts[i]);
    }
}

void ml_fold(struct ml_buf *out, struct ml_slice text)
{
    struct folding f = {.out = out, .start = out->len};
    size_t at = 0;
    while (at < text.len) {
        utf8proc_int32_t cp = -1;
        if (text.data[at] < 0x80) {
            put_ascii(&f, text.data[at++]);
            continue;
        }
        utf8proc_ssize_t len =
            utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &cp);
        if (len <= 0) {
            f.gap = true;
            at++;
            continue;
        }
        put_wide(&f, cp);
        at += (size_t)len;
    }
}

bool ml_fold_word(struct ml_slice folded, size_t *at, struct ml_slice *word)
{
    size_t start = *at;
    if (start >= folded.len) {
        return false;
    }
    size_t end = start;
    while (end < folded.len && folded.data[end] != ' ') {
        end++;
    }
    *word = ml_slice(folded.data + start, end - start);
    *at = end + 1;
    return true;
}

bool ml_fold_particle(struct ml_slice word)
{
    static const char *const particles[] = {"de",  "du", "des", "d",   "la",  "le",
                                            "les", "l",  "von", "van", "der", "den",
                                            "el",  "al", "ben", "di",  "da",  "dos"};
    for (size_t i = 0; i < sizeof(particles) / sizeof(particles[0]); i++) {
        if (ml_slice_equal(word, ml_slice_str(particles[i]))) {
            return true;
        }
    }
    return false;
}
