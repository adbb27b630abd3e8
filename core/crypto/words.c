/* core/crypto/words.c -- see words.h.
 *
 * Bits of the entropy, then as many leading bits of its SHA-256 as fill a multiple of 11; each 11
 * bits are the number of a word.
 *
 * The words are looked up by secret numbers: this is the one place where memory is indexed by a
 * secret. What it makes goes on a screen or paper next, which gives away more.
 */
#include "core/crypto/words.h"

#include <sodium.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"

enum {
    WORD_BITS = 11,
    LETTERS_MAX = 8,
    ENTROPY_MAX = 44,
    CHECKED_MAX = ENTROPY_MAX + 1, /* with the check byte */
};

/* Number of words for so many bytes, 0 for a length that has none. */
static size_t words_of(size_t bytes)
{
    return bytes == 10 ? 8 : bytes == 16 ? 12 : bytes == 32 ? 24 : bytes == 44 ? 32 : 0;
}

/* entropy || first byte of its SHA-256. */
static void checked_of(uint8_t checked[CHECKED_MAX], struct ml_slice entropy)
{
    uint8_t sum[crypto_hash_sha256_BYTES];
    memcpy(checked, entropy.data, entropy.len);
    crypto_hash_sha256(sum, entropy.data, entropy.len);
    checked[entropy.len] = sum[0];
    sodium_memzero(sum, sizeof(sum));
}

static unsigned bits_get(const uint8_t *bytes, size_t word)
{
    unsigned value = 0;
    for (size_t bit = word * WORD_BITS; bit < (word + 1) * WORD_BITS; bit++) {
        unsigned byte = bytes[bit / 8];
        value = value << 1 | (byte >> (7 - bit % 8) & 1u);
    }
    return value;
}

static void bits_put(uint8_t *bytes, size_t word, unsigned value)
{
    for (size_t i = 0; i < WORD_BITS; i++) {
        size_t bit = word * WORD_BITS + i;
        unsigned one = value >> (WORD_BITS - 1 - i) & 1u;
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] | one << (7 - bit % 8));
    }
}

/* Writes `count` words and a NUL; the length without it. */
static size_t words_write(char *out, const uint8_t *bits, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        const char *word = ml_words_french[bits_get(bits, i)];
        size_t word_len = strlen(word);
        memcpy(out + len, word, word_len);
        len += word_len;
        out[len++] = ' ';
    }
    out[--len] = '\0';
    return len;
}

ml_err ml_words_encode(struct ml_secret **text, const struct ml_secret *entropy)
{
    char room[ML_WORDS_MAX * (ML_WORD_BYTES_MAX + 1)];
    uint8_t checked[CHECKED_MAX];
    size_t count = words_of(ml_secret_len(entropy));
    if (count == 0) {
        return ML_E_INVALID;
    }
    checked_of(checked, ml_slice(ml_secret_bytes(entropy), ml_secret_len(entropy)));
    size_t len = words_write(room, checked, count);
    ml_err err = ml_secret_from(text, room, len + 1);
    sodium_memzero(checked, sizeof(checked));
    sodium_memzero(room, sizeof(room));
    return err;
}

/* Reading. One character of the text is a letter a-z, something that separates words, something to
 * skip (a combining accent), or nothing that a word may have. */
enum { SEPARATOR = ' ', SKIP = '\0', FOREIGN = '?' };

static char latin1_letter(uint8_t low)
{
    static const char table[] = "aaaaaa?ceeeeiiii?nooooo?ouuuuy??" /* U+00C0 to U+00DF */
                                "aaaaaa?ceeeeiiii?nooooo?ouuuuy?y";
    _Static_assert(sizeof(table) == 65, "64 letters");
    return table[low & 0x3f];
}

/* Takes one character off the front. */
static char next_char(struct ml_slice *text)
{
    uint8_t first = text->data[0];
    uint8_t second = text->len > 1 ? text->data[1] : 0;
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    len = len > text->len ? text->len : len;
    *text = (struct ml_slice){text->data + len, text->len - len};
    if (first < 0x80) {
        bool letter = (first | 0x20) >= 'a' && (first | 0x20) <= 'z';
        return (char)(letter ? first | 0x20 : SEPARATOR);
    }
    if (first == 0xc3) {
        return latin1_letter(second);
    }
    if (first == 0xcc || (first == 0xcd && second < 0xb0)) {
        return SKIP; /* U+0300 to U+036F */
    }
    bool space = (first == 0xc2 && second == 0xa0) || (first == 0xe2 && second == 0x80);
    return space ? SEPARATOR : FOREIGN; /* U+00A0, and U+2000 to U+203F: spaces and dashes */
}

/* Order of a word of the list, without its accents, against plain letters. */
static int compare_plain(const char *listed, const char *plain)
{
    struct ml_slice rest = ml_slice_str(listed);
    while (rest.len > 0) {
        char letter = next_char(&rest);
        if (letter != *plain) {
            return letter < *plain ? -1 : 1;
        }
        plain++;
    }
    return *plain == '\0' ? 0 : -1;
}

/* Number of the word, or ML_WORDS_LIST. */
static unsigned word_find(const char *plain)
{
    unsigned low = 0;
    unsigned high = ML_WORDS_LIST;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = compare_plain(ml_words_french[middle], plain);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return ML_WORDS_LIST;
}

/* Reads the next word into `plain`; its number of letters, 0 at the end of the text. A word with
 * more letters or foreign ones comes back as "?", which no list has. */
static size_t next_word(char plain[LETTERS_MAX + 1], struct ml_slice *text)
{
    size_t len = 0;
    bool foreign = false;
    while (text->len > 0) {
        char c = next_char(text);
        if (c == SEPARATOR && (len > 0 || foreign)) {
            break;
        }
        if (c == SEPARATOR || c == SKIP) {
            continue;
        }
        foreign = foreign || c == FOREIGN || len == LETTERS_MAX;
        plain[len] = c;
        len += foreign ? 0 : 1;
    }
    if (foreign) {
        plain[0] = FOREIGN;
        len = 1;
    }
    plain[len] = '\0';
    return len;
}

/* Fills `bits` with the numbers of the words, as far as there is room; how many there are. */
static ml_err words_read(uint8_t bits[CHECKED_MAX], size_t count, struct ml_slice text,
                         struct ml_words_error *error)
{
    char plain[LETTERS_MAX + 1] = {0};
    size_t seen = 0;
    ml_err err = ML_OK;
    while (err == ML_OK && next_word(plain, &text) > 0) {
        unsigned number = word_find(plain);
        seen++;
        if (number == ML_WORDS_LIST) {
            *error = (struct ml_words_error){ML_WORDS_UNKNOWN, seen};
            err = ML_E_INVALID;
        } else if (seen <= count) {
            bits_put(bits, seen - 1, number);
        }
    }
    if (err == ML_OK && seen != count) {
        *error = (struct ml_words_error){ML_WORDS_COUNT, seen};
        err = ML_E_INVALID;
    }
    sodium_memzero(plain, sizeof(plain));
    return err;
}

/* The check takes what is left of the last word's bits beyond the entropy: 8, 4 or none of them. */
static bool check_holds(const uint8_t bits[CHECKED_MAX], size_t bytes)
{
    uint8_t expect[CHECKED_MAX];
    checked_of(expect, ml_slice(bits, bytes));
    unsigned unused = (unsigned)((bytes + 1) * 8 - words_of(bytes) * WORD_BITS);
    uint8_t masked = (uint8_t)(expect[bytes] >> unused << unused);
    sodium_memzero(expect, sizeof(expect));
    return masked == bits[bytes];
}

ml_err ml_words_decode(struct ml_secret **entropy, size_t bytes, struct ml_slice text,
                       struct ml_words_error *error)
{
    uint8_t bits[CHECKED_MAX] = {0};
    size_t count = words_of(bytes);
    ML_ASSERT(count != 0);
    if (text.len > ML_WORDS_TEXT_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = words_read(bits, count, text, error);
    if (err == ML_OK && !check_holds(bits, bytes)) {
        *error = (struct ml_words_error){ML_WORDS_CHECK, 0};
        err = ML_E_INVALID;
    }
    if (err == ML_OK) {
        err = ml_secret_from(entropy, bits, bytes);
    }
    sodium_memzero(bits, sizeof(bits));
    return err;
}

void ml_words_fingerprint(char text[ML_FINGERPRINT_TEXT], struct ml_slice what)
{
    uint8_t hash[32];
    const struct ml_slice parts[] = {ml_slice_str("maille/fingerprint/1"), what};
    ml_hash_parts(hash, sizeof(hash), ml_slice(NULL, 0), parts, 2);
    (void)words_write(text, hash, ML_FINGERPRINT_WORDS);
}
