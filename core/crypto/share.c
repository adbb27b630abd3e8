/* core/crypto/share.c -- see share.h; the bytes are drawn in docs/crypto.md.
 *
 *   0        1         4         7            8               40       44
 *   +--------+---------+---------+------------+---------------+--------+
 *   | v | kd | org 3   | set 3   | need | idx | value 32      | check 4|
 *   +--------+---------+---------+------------+---------------+--------+
 *
 * Cutting: the values of shares 1 .. need-1 are drawn, and with the secret at 0 they fix the
 * polynomials; the others follow. Joining is the same step towards 0.
 */
#include "core/crypto/share.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/gf256.h"
#include "core/crypto/hash.h"
#include "core/crypto/words.h"

enum {
    SHARE_VERSION = 1,
    ORG_AT = 1,
    SET_AT = ORG_AT + ML_SHARE_ORG_BYTES,
    PLACE_AT = SET_AT + ML_SHARE_SET_BYTES,
    VALUE_AT = PLACE_AT + 1,
    CHECK_AT = VALUE_AT + ML_SHARE_SECRET,
    CHECK_BYTES = ML_SHARE_BYTES - CHECK_AT,
    WORD_BITS = 11,
    WORD_VALUES = 1 << WORD_BITS,
};
_Static_assert(ML_SHARE_BYTES * 8 == ML_SHARE_WORDS * WORD_BITS, "words hold a share exactly");

static void check_of(uint8_t check[CHECK_BYTES], const uint8_t bytes[ML_SHARE_BYTES])
{
    const struct ml_slice parts[] = {ml_slice_str("maille/share/1"), ml_slice(bytes, CHECK_AT)};
    ml_hash_parts(check, CHECK_BYTES, ml_slice(NULL, 0), parts, 2);
}

static bool check_holds(const uint8_t bytes[ML_SHARE_BYTES])
{
    uint8_t check[CHECK_BYTES];
    check_of(check, bytes);
    return ml_equal_ct(check, bytes + CHECK_AT, CHECK_BYTES);
}

static ml_err head_read(struct ml_share_head *head, const uint8_t bytes[ML_SHARE_BYTES])
{
    struct ml_share_head found = {.kind = (ml_share_kind)(bytes[0] & 0x0f),
                                  .need = bytes[PLACE_AT] >> 4,
                                  .index = bytes[PLACE_AT] & 0x0f};
    if (!check_holds(bytes)) {
        return ML_E_INVALID;
    }
    if (bytes[0] >> 4 != SHARE_VERSION || found.kind < ML_SHARE_STRUCTURE ||
        found.kind > ML_SHARE_AUDITOR || found.need < ML_SHARE_NEED_MIN || found.index == 0) {
        return ML_E_UNSUPPORTED; /* well made by somebody: none of ours has this form */
    }
    memcpy(found.org, bytes + ORG_AT, sizeof(found.org));
    memcpy(found.set, bytes + SET_AT, sizeof(found.set));
    *head = found;
    return ML_OK;
}

ml_err ml_share_head(struct ml_share_head *head, const struct ml_secret *share)
{
    return ml_secret_len(share) == ML_SHARE_BYTES ? head_read(head, ml_secret_bytes(share))
                                                  : ML_E_INVALID;
}

/* ---- cutting ---- */

static void share_begin(struct ml_secret *share, const struct ml_share_plan *plan,
                        const uint8_t set[ML_SHARE_SET_BYTES], size_t index)
{
    uint8_t *bytes = ml_secret_writable(share);
    bytes[0] = (uint8_t)(SHARE_VERSION << 4 | plan->kind);
    memcpy(bytes + ORG_AT, plan->org->b, ML_SHARE_ORG_BYTES);
    memcpy(bytes + SET_AT, set, ML_SHARE_SET_BYTES);
    bytes[PLACE_AT] = (uint8_t)((size_t)plan->need << 4 | index);
}

static void values_fill(struct ml_secret **shares, const struct ml_env *env,
                        const struct ml_share_plan *plan, const struct ml_secret *secret)
{
    struct ml_gf256_point points[ML_SHARE_MAX] = {{0, ml_secret_bytes(secret)}};
    for (uint8_t i = 1; i <= plan->count; i++) {
        uint8_t *bytes = ml_secret_writable(shares[i - 1]);
        if (i < plan->need) {
            env->random(env->ctx, bytes + VALUE_AT, ML_SHARE_SECRET);
            points[i] = (struct ml_gf256_point){i, bytes + VALUE_AT};
        } else {
            ml_gf256_at(bytes + VALUE_AT, ML_SHARE_SECRET, i, points, plan->need);
        }
        check_of(bytes + CHECK_AT, bytes);
    }
}

static bool plan_fits(const struct ml_share_plan *plan)
{
    return (plan->kind == ML_SHARE_STRUCTURE || plan->kind == ML_SHARE_AUDITOR) &&
           plan->need >= ML_SHARE_NEED_MIN && plan->need <= plan->count &&
           plan->count <= ML_SHARE_MAX;
}

/* `count` empty ones, or none. */
static ml_err shares_new(struct ml_secret **shares, size_t count)
{
    size_t made = 0;
    ml_err err = ML_OK;
    while (made < count && err == ML_OK) {
        err = ml_secret_new(&shares[made], ML_SHARE_BYTES);
        made += err == ML_OK;
    }
    while (err != ML_OK && made > 0) {
        ml_secret_free(shares[--made]);
    }
    return err;
}

ml_err ml_share_cut(struct ml_secret **shares, const struct ml_env *env,
                    const struct ml_share_plan *plan, const struct ml_secret *secret)
{
    struct ml_secret *made[ML_SHARE_MAX];
    uint8_t set[ML_SHARE_SET_BYTES];
    if (!plan_fits(plan) || ml_secret_len(secret) != ML_SHARE_SECRET) {
        return ML_E_INVALID;
    }
    ml_err err = shares_new(made, plan->count);
    if (err != ML_OK) {
        return err;
    }
    env->random(env->ctx, set, sizeof(set));
    for (size_t i = 0; i < plan->count; i++) {
        share_begin(made[i], plan, set, i + 1);
    }
    values_fill(made, env, plan, secret);
    memcpy(shares, made, plan->count * sizeof(struct ml_secret *));
    return ML_OK;
}

/* ---- joining ---- */

static ml_err join_fail(struct ml_share_error *error, ml_share_fault fault, size_t share,
                        size_t need)
{
    *error = (struct ml_share_error){.fault = fault, .share = share, .need = need};
    return fault == ML_SHARE_LATER ? ML_E_UNSUPPORTED : ML_E_INVALID;
}

/* Is the one at `at` a share of what the ones before it are of, and none of them again? */
static ml_err join_take(struct ml_share_head *heads, const struct ml_secret *const *shares,
                        size_t at, struct ml_share_error *error)
{
    const struct ml_share_head *first = &heads[0];
    struct ml_share_head *head = &heads[at];
    ml_err err = ml_share_head(head, shares[at]);
    if (err != ML_OK) {
        return join_fail(error, err == ML_E_UNSUPPORTED ? ML_SHARE_LATER : ML_SHARE_WORD_WRONG,
                         at + 1, 0);
    }
    if (memcmp(head->org, first->org, sizeof(head->org)) != 0) {
        return join_fail(error, ML_SHARE_OTHER_ORG, at + 1, first->need);
    }
    if (memcmp(head->set, first->set, sizeof(head->set)) != 0 || head->kind != first->kind ||
        head->need != first->need) {
        return join_fail(error, ML_SHARE_OTHER_SET, at + 1, first->need);
    }
    for (size_t i = 0; i < at; i++) {
        if (heads[i].index == head->index) {
            return join_fail(error, ML_SHARE_TWICE, at + 1, first->need);
        }
    }
    return ML_OK;
}

/* The place, from 1, of the first share beyond `need` that isn't on the polynomial; 0: none. */
static size_t join_stranger(uint8_t room[ML_SHARE_SECRET], const struct ml_gf256_point *points,
                            size_t count, size_t need)
{
    for (size_t i = need; i < count; i++) {
        ml_gf256_at(room, ML_SHARE_SECRET, points[i].x, points, need);
        if (!ml_equal_ct(room, points[i].y, ML_SHARE_SECRET)) {
            return i + 1;
        }
    }
    return 0;
}

ml_err ml_share_join(struct ml_secret **secret, struct ml_share_head *head,
                     const struct ml_secret *const *shares, size_t count,
                     struct ml_share_error *error)
{
    struct ml_share_head heads[ML_SHARE_MAX];
    struct ml_gf256_point points[ML_SHARE_MAX];
    struct ml_secret *joined = NULL;
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = i < ML_SHARE_MAX ? join_take(heads, shares, i, error)
                               : join_fail(error, ML_SHARE_TWICE, i + 1, heads[0].need);
        if (err == ML_OK) {
            points[i] =
                (struct ml_gf256_point){heads[i].index, ml_secret_bytes(shares[i]) + VALUE_AT};
        }
    }
    if (err != ML_OK) {
        return err;
    }
    if (count == 0 || count < heads[0].need) {
        return join_fail(error, ML_SHARE_TOO_FEW, count, count == 0 ? 0 : heads[0].need);
    }
    err = ml_secret_new(&joined, ML_SHARE_SECRET);
    if (err != ML_OK) {
        return err;
    }
    const size_t stranger = join_stranger(ml_secret_writable(joined), points, count, heads[0].need);
    if (stranger != 0) {
        ml_secret_free(joined);
        return join_fail(error, ML_SHARE_DISAGREE, stranger, heads[0].need);
    }
    ml_gf256_at(ml_secret_writable(joined), ML_SHARE_SECRET, 0, points, heads[0].need);
    if (head != NULL) {
        *head = heads[0];
    }
    *secret = joined;
    return ML_OK;
}

/* ---- text ---- */

ml_err ml_share_words(struct ml_secret **text, const struct ml_secret *share)
{
    return ml_words_encode(text, share);
}

/* Both alphabets of a line are looked up by arithmetic: the digits are secret. */
static char digit_of(unsigned value)
{
    return (char)('0' + value + (7u & (0u - ((9u - value) >> 31)))); /* 'A' is 7 beyond '9' + 1 */
}

ml_err ml_share_line(struct ml_secret **text, const struct ml_secret *share)
{
    struct ml_secret *line = NULL;
    ml_err err = ml_secret_new(&line, ML_SHARE_LINE_SIZE); /* zeros: it ends by itself */
    if (err != ML_OK) {
        return err;
    }
    uint8_t *at = ml_secret_writable(line);
    const uint8_t *bytes = ml_secret_bytes(share);
    memcpy(at, ML_SHARE_LINE_PREFIX, sizeof(ML_SHARE_LINE_PREFIX) - 1);
    at += sizeof(ML_SHARE_LINE_PREFIX) - 1;
    for (size_t i = 0; i < ML_SHARE_BYTES; i++) {
        *at++ = (uint8_t)digit_of(bytes[i] >> 4);
        *at++ = (uint8_t)digit_of(bytes[i] & 0x0f);
    }
    *text = line;
    return ML_OK;
}

static void bits_flip(uint8_t *bytes, size_t word, unsigned value)
{
    for (size_t i = 0; i < WORD_BITS; i++) {
        const size_t bit = word * WORD_BITS + i;
        bytes[bit / 8] ^= (uint8_t)((value >> (WORD_BITS - 1 - i) & 1u) << (7 - bit % 8));
    }
}

static unsigned bits_at(const uint8_t *bytes, size_t word)
{
    unsigned value = 0;
    for (size_t bit = word * WORD_BITS; bit < (word + 1) * WORD_BITS; bit++) {
        value = value << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1u);
    }
    return value;
}

/* Would another word at `word` make a share? */
static bool word_is_wrong(uint8_t bytes[ML_SHARE_BYTES], size_t word)
{
    bool found = false;
    for (unsigned flip = 1; flip < WORD_VALUES && !found; flip++) {
        bits_flip(bytes, word, flip);
        found = check_holds(bytes);
        bits_flip(bytes, word, flip);
    }
    return found;
}

static bool words_are_swapped(uint8_t bytes[ML_SHARE_BYTES], size_t word)
{
    const unsigned both = bits_at(bytes, word) ^ bits_at(bytes, word + 1);
    bits_flip(bytes, word, both);
    bits_flip(bytes, word + 1, both);
    const bool found = both != 0 && check_holds(bytes);
    bits_flip(bytes, word, both);
    bits_flip(bytes, word + 1, both);
    return found;
}

/* The check doesn't hold: which word is it, most likely? 65,504 + 31 tries against 32 bits name a
 * wrong place once in 65,000 texts with more faults. Nothing is put right: the sheet is. */
static void fault_find(uint8_t bytes[ML_SHARE_BYTES], struct ml_share_error *error)
{
    for (size_t word = 0; word + 1 < ML_SHARE_WORDS; word++) {
        if (words_are_swapped(bytes, word)) {
            *error = (struct ml_share_error){ML_SHARE_WORD_SWAPPED, 1, word + 1, 0};
            return;
        }
    }
    for (size_t word = 0; word < ML_SHARE_WORDS; word++) {
        if (word_is_wrong(bytes, word)) {
            *error = (struct ml_share_error){ML_SHARE_WORD_WRONG, 1, word + 1, 0};
            return;
        }
    }
    *error = (struct ml_share_error){ML_SHARE_WORD_WRONG, 1, 0, 0};
}

/* White space around a line doesn't matter, nor the case of its letters. */
static bool line_is(struct ml_slice *text)
{
    static const char prefix[] = ML_SHARE_LINE_PREFIX;
    const size_t len = sizeof(prefix) - 1;
    while (text->len > 0 && text->data[0] <= ' ') {
        *text = ml_slice(text->data + 1, text->len - 1);
    }
    while (text->len > 0 && text->data[text->len - 1] <= ' ') {
        text->len--;
    }
    bool is = text->len > len;
    for (size_t i = 0; i < len && is; i++) {
        const uint8_t c = text->data[i];
        is = (c >= 'a' && c <= 'z' ? c - 0x20 : c) == prefix[i];
    }
    return is;
}

static ml_err line_read(struct ml_secret **share, struct ml_slice text)
{
    struct ml_secret *bytes = NULL;
    const size_t prefix = sizeof(ML_SHARE_LINE_PREFIX) - 1;
    ml_err err = ml_secret_new(&bytes, ML_SHARE_BYTES);
    if (err == ML_OK) {
        err = ml_hex_decode(ml_secret_writable(bytes), ML_SHARE_BYTES,
                            (const char *)text.data + prefix, text.len - prefix);
    }
    if (err != ML_OK) {
        ml_secret_free(bytes);
        return err;
    }
    *share = bytes;
    return ML_OK;
}

static ml_err words_read(struct ml_secret **share, struct ml_slice text,
                         struct ml_share_error *error)
{
    struct ml_words_error wrong = {ML_WORDS_CHECK, 0};
    ml_err err = ml_words_decode(share, ML_SHARE_BYTES, text, &wrong);
    if (err == ML_E_INVALID) {
        const bool unknown = wrong.fault == ML_WORDS_UNKNOWN;
        *error = (struct ml_share_error){unknown ? ML_SHARE_WORD_UNKNOWN : ML_SHARE_WORD_COUNT, 1,
                                         wrong.word, 0};
    }
    return err;
}

ml_err ml_share_read(struct ml_secret **share, struct ml_slice text, struct ml_share_error *error)
{
    struct ml_secret *found = NULL;
    struct ml_share_head head;
    struct ml_slice line = text;
    if (text.len > ML_WORDS_TEXT_MAX) {
        return ML_E_LIMIT;
    }
    const bool is_line = line_is(&line);
    *error = (struct ml_share_error){ML_SHARE_WORD_WRONG, 1, 0, 0};
    ml_err err = is_line ? line_read(&found, line) : words_read(&found, text, error);
    if (err != ML_OK) {
        return err;
    }
    err = ml_share_head(&head, found);
    if (err == ML_E_INVALID && !is_line) {
        fault_find(ml_secret_writable(found), error);
    } else if (err == ML_E_UNSUPPORTED) {
        error->fault = ML_SHARE_LATER;
    }
    if (err != ML_OK) {
        ml_secret_free(found);
        return err;
    }
    *share = found;
    return ML_OK;
}
