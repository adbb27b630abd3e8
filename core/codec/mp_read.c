/* core/codec/mp_read.c -- see mp_read.h.
 *
 * Invariants: pos <= len; a frame on the stack has left > 0; every read of one item passes through
 * item_take, which alone moves pos, counts the item in its container and leaves finished ones; so
 * the depth is always exact and no container can be over-read.
 */
#include "core/codec/mp_read.h"

#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

struct head {
    ml_mp_type type;
    uint64_t value; /* number, or length, or count */
    size_t size;    /* bytes of the head itself */
};

static const char *const fault_texts[] = {
#define X(name, text) text,
    ML_FAULT_MAP(X)
#undef X
};

const char *ml_fault_text(ml_fault_reason reason)
{
    size_t i = (size_t)reason;
    return i < sizeof(fault_texts) / sizeof(fault_texts[0]) ? fault_texts[i] : "an unknown fault";
}

void ml_fault_describe(char *out, size_t size, const struct ml_fault *fault)
{
    const char *where = fault->where == NULL ? "" : fault->where;
    snprintf(out, size, "%s%s%s (at byte %zu)", where, fault->where == NULL ? "" : ": ",
             ml_fault_text(fault->reason), fault->offset);
}

void ml_mp_init(struct ml_mp *c, struct ml_slice in, ml_mp_mode mode)
{
    c->data = in.data;
    c->len = in.len;
    c->pos = 0;
    c->fault = (struct ml_fault){.reason = ML_FAULT_NONE};
    c->mode = mode;
    c->depth = 0; /* a frame is written when it is entered: most values have few */
}

void ml_mp_fail(struct ml_mp *c, ml_fault_reason reason, size_t offset)
{
    if (c->fault.reason == ML_FAULT_NONE) {
        c->fault.reason = reason;
        c->fault.offset = offset;
    }
}

bool ml_mp_ok(const struct ml_mp *c)
{
    return c->fault.reason == ML_FAULT_NONE;
}

size_t ml_mp_left(const struct ml_mp *c)
{
    return c->depth == 0 || !ml_mp_ok(c) ? 0 : c->frames[c->depth - 1].left;
}

static uint64_t big_endian(const uint8_t *p, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

/* The forms with a byte of their own, 0xc0..0xdf: what they are, how many bytes follow, and the
 * smallest value for which this form is the shortest (signed ones apart). */
struct form {
    uint8_t type;
    uint8_t extra;
    uint32_t least;
};

static const struct form forms[32] = {
    [0x00] = {ML_MP_NIL, 0, 0},      [0x02] = {ML_MP_BOOL, 0, 0},
    [0x03] = {ML_MP_BOOL, 0, 0},     [0x04] = {ML_MP_BIN, 1, 0},
    [0x05] = {ML_MP_BIN, 2, 0x100},  [0x06] = {ML_MP_BIN, 4, 0x10000},
    [0x0b] = {ML_MP_FLOAT, 8, 0},    [0x0c] = {ML_MP_UINT, 1, 0x80},
    [0x0d] = {ML_MP_UINT, 2, 0x100}, [0x0e] = {ML_MP_UINT, 4, 0x10000},
    [0x0f] = {ML_MP_UINT, 8, 0},     [0x10] = {ML_MP_NEGATIVE, 1, 0},
    [0x11] = {ML_MP_NEGATIVE, 2, 0}, [0x12] = {ML_MP_NEGATIVE, 4, 0},
    [0x13] = {ML_MP_NEGATIVE, 8, 0}, [0x19] = {ML_MP_STR, 1, 32},
    [0x1a] = {ML_MP_STR, 2, 0x100},  [0x1b] = {ML_MP_STR, 4, 0x10000},
    [0x1c] = {ML_MP_ARRAY, 2, 16},   [0x1d] = {ML_MP_ARRAY, 4, 0x10000},
    [0x1e] = {ML_MP_MAP, 2, 16},     [0x1f] = {ML_MP_MAP, 4, 0x10000},
};

/* A signed form is for what is below every shorter one: -33..-128, -129..-32768, and so on. */
static bool negative_is_shortest(uint64_t value, uint8_t extra)
{
    int64_t v = (int64_t)value;
    switch (extra) {
    case 1:
        return v < -32;
    case 2:
        return v < INT8_MIN;
    case 4:
        return v < INT16_MIN;
    default:
        return v < INT32_MIN;
    }
}

static bool form_is_shortest(const struct form *f, uint64_t value)
{
    if (f->type == ML_MP_NEGATIVE) {
        return negative_is_shortest(value, f->extra);
    }
    if (f->type == ML_MP_UINT && f->extra == 8) {
        return value > UINT32_MAX;
    }
    return f->type == ML_MP_FLOAT || value >= f->least;
}

static uint64_t sign_extend(uint64_t value, uint8_t extra)
{
    switch (extra) {
    case 1:
        return (uint64_t)(int8_t)value;
    case 2:
        return (uint64_t)(int16_t)value;
    case 4:
        return (uint64_t)(int32_t)value;
    default:
        return value;
    }
}

static bool head_of_form(struct ml_mp *c, struct head *h, uint8_t first)
{
    const struct form *f = &forms[first & 0x1fu];
    if (f->type == ML_MP_NONE || (f->type == ML_MP_FLOAT && c->mode != ML_MP_DOC)) {
        ml_mp_fail(c, ML_FAULT_FORBIDDEN, c->pos);
        return false;
    }
    if (c->len - c->pos - 1 < f->extra) {
        ml_mp_fail(c, ML_FAULT_TRUNCATED, c->pos);
        return false;
    }
    h->type = (ml_mp_type)f->type;
    h->size = 1u + f->extra;
    h->value = f->type == ML_MP_BOOL ? first & 1u : big_endian(c->data + c->pos + 1, f->extra);
    if (f->type == ML_MP_NEGATIVE) {
        h->value = sign_extend(h->value, f->extra);
    }
    if (f->type != ML_MP_BOOL && f->type != ML_MP_NIL && !form_is_shortest(f, h->value)) {
        ml_mp_fail(c, ML_FAULT_NOT_SHORTEST, c->pos);
        return false;
    }
    return true;
}

/* Lengths and counts are held against what remains, before anybody uses them. */
static bool head_fits(struct ml_mp *c, const struct head *h)
{
    size_t rest = c->len - c->pos - h->size;
    uint64_t need = h->value;
    if (h->type == ML_MP_MAP) {
        need = 2 * h->value; /* a count is at most 2^32 */
    } else if (h->type != ML_MP_STR && h->type != ML_MP_BIN && h->type != ML_MP_ARRAY) {
        need = 0;
    }
    if (need > rest) {
        ml_mp_fail(c, ML_FAULT_TRUNCATED, c->pos);
        return false;
    }
    return true;
}

static bool head_read(struct ml_mp *c, struct head *h)
{
    if (!ml_mp_ok(c)) {
        return false;
    }
    if (c->pos >= c->len) {
        ml_mp_fail(c, ML_FAULT_TRUNCATED, c->pos);
        return false;
    }
    uint8_t first = c->data[c->pos];
    if (first >= 0xc0 && first < 0xe0) {
        return head_of_form(c, h, first) && head_fits(c, h);
    }
    h->size = 1;
    if (first < 0x80) {
        h->type = ML_MP_UINT;
        h->value = first;
    } else if (first >= 0xe0) {
        h->type = ML_MP_NEGATIVE;
        h->value = sign_extend(first, 1);
    } else {
        h->type = first >= 0xa0 ? ML_MP_STR : first >= 0x90 ? ML_MP_ARRAY : ML_MP_MAP;
        h->value = first & (first >= 0xa0 ? 0x1fu : 0x0fu);
    }
    return head_fits(c, h);
}

static void frames_leave(struct ml_mp *c)
{
    while (c->depth > 0 && c->frames[c->depth - 1].left == 0) {
        c->depth--;
    }
}

static bool at_key(const struct ml_mp *c)
{
    return c->depth > 0 && c->frames[c->depth - 1].map && c->frames[c->depth - 1].left % 2 == 0;
}

/* Moves over `size` bytes that are one item, or the head of a container. */
static void item_take(struct ml_mp *c, size_t size)
{
    c->pos += size;
    if (c->depth > 0) {
        c->frames[c->depth - 1].left--;
    }
}

/* The head of the next item if it is of this type, in value position. */
static bool head_expect(struct ml_mp *c, struct head *h, ml_mp_type type)
{
    if (!head_read(c, h)) {
        return false;
    }
    if (h->type != type) {
        ml_mp_fail(c, ML_FAULT_TYPE, c->pos);
        return false;
    }
    if (at_key(c)) {
        ml_mp_fail(c, ML_FAULT_KEY_TYPE, c->pos);
        return false;
    }
    return true;
}

ml_mp_type ml_mp_peek(struct ml_mp *c)
{
    struct head h;
    if (!ml_mp_ok(c) || c->pos >= c->len || !head_read(c, &h)) {
        return ML_MP_NONE;
    }
    return h.type;
}

static uint64_t scalar(struct ml_mp *c, ml_mp_type type)
{
    struct head h;
    if (!head_expect(c, &h, type)) {
        return 0;
    }
    item_take(c, h.size);
    frames_leave(c);
    return h.value;
}

void ml_mp_nil(struct ml_mp *c)
{
    scalar(c, ML_MP_NIL);
}

bool ml_mp_bool(struct ml_mp *c)
{
    return scalar(c, ML_MP_BOOL) != 0;
}

uint64_t ml_mp_uint(struct ml_mp *c, uint64_t min, uint64_t max)
{
    size_t at = c->pos;
    uint64_t v = scalar(c, ML_MP_UINT);
    if (ml_mp_ok(c) && (v < min || v > max)) {
        ml_mp_fail(c, ML_FAULT_RANGE, at);
    }
    return ml_mp_ok(c) ? v : 0;
}

int64_t ml_mp_int(struct ml_mp *c, int64_t min, int64_t max)
{
    size_t at = c->pos;
    bool negative = ml_mp_peek(c) == ML_MP_NEGATIVE;
    uint64_t raw = scalar(c, negative ? ML_MP_NEGATIVE : ML_MP_UINT);
    if (ml_mp_ok(c) &&
        ((!negative && raw > INT64_MAX) || (int64_t)raw < min || (int64_t)raw > max)) {
        ml_mp_fail(c, ML_FAULT_RANGE, at);
    }
    return ml_mp_ok(c) ? (int64_t)raw : 0;
}

double ml_mp_float(struct ml_mp *c)
{
    uint64_t bits = scalar(c, ML_MP_FLOAT);
    double v = 0;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* The bytes behind a head of type STR or BIN. */
static struct ml_slice bytes_take(struct ml_mp *c, const struct head *h)
{
    struct ml_slice out = {c->data + c->pos + h->size, (size_t)h->value};
    if (h->type == ML_MP_STR && !ml_utf8_valid(out)) {
        ml_mp_fail(c, ML_FAULT_UTF8, c->pos);
        return (struct ml_slice){NULL, 0};
    }
    item_take(c, h->size + out.len);
    frames_leave(c);
    return out;
}

static struct ml_slice bytes_of(struct ml_mp *c, ml_mp_type type, size_t min, size_t max)
{
    struct head h;
    struct ml_slice none = {NULL, 0};
    if (!head_expect(c, &h, type)) {
        return none;
    }
    if (h.value < min || h.value > max) {
        ml_mp_fail(c, ML_FAULT_RANGE, c->pos);
        return none;
    }
    return bytes_take(c, &h);
}

struct ml_slice ml_mp_bin(struct ml_mp *c, size_t min, size_t max)
{
    return bytes_of(c, ML_MP_BIN, min, max);
}

struct ml_slice ml_mp_str(struct ml_mp *c, size_t min, size_t max)
{
    return bytes_of(c, ML_MP_STR, min, max);
}

void ml_mp_fixed(struct ml_mp *c, void *out, size_t len)
{
    struct ml_slice s = bytes_of(c, ML_MP_BIN, len, len);
    if (ml_mp_ok(c) && s.data != NULL) {
        memcpy(out, s.data, s.len);
    }
}

static bool frame_enter(struct ml_mp *c, const struct head *h)
{
    uint8_t depth_max = c->mode == ML_MP_DOC ? ML_DOC_DEPTH_MAX : ML_MP_DEPTH_MAX;
    if (c->depth >= depth_max) {
        ml_mp_fail(c, ML_FAULT_TOO_DEEP, c->pos);
        return false;
    }
    bool map = h->type == ML_MP_MAP;
    item_take(c, h->size);
    c->frames[c->depth++] =
        (struct ml_mp_frame){.left = (size_t)(map ? 2 * h->value : h->value), .map = map};
    frames_leave(c);
    return true;
}

static uint32_t container(struct ml_mp *c, ml_mp_type type, uint32_t min, uint32_t max)
{
    struct head h;
    if (!head_expect(c, &h, type)) {
        return 0;
    }
    if (h.value < min || h.value > max) {
        ml_mp_fail(c, ML_FAULT_RANGE, c->pos);
        return 0;
    }
    return frame_enter(c, &h) ? (uint32_t)h.value : 0;
}

uint32_t ml_mp_array(struct ml_mp *c, uint32_t min, uint32_t max)
{
    return container(c, ML_MP_ARRAY, min, max);
}

uint32_t ml_mp_map(struct ml_mp *c, uint32_t min, uint32_t max)
{
    return container(c, ML_MP_MAP, min, max);
}

static uint64_t key_take(struct ml_mp *c, const struct head *h)
{
    if (h->type != ML_MP_UINT || !at_key(c) || h->value == UINT64_MAX) {
        ml_mp_fail(c, ML_FAULT_KEY_TYPE, c->pos);
        return 0;
    }
    struct ml_mp_frame *f = &c->frames[c->depth - 1];
    if (h->value < f->next_key) {
        ml_mp_fail(c, ML_FAULT_KEY_ORDER, c->pos);
        return 0;
    }
    f->next_key = h->value + 1;
    item_take(c, h->size);
    return h->value;
}

uint64_t ml_mp_key(struct ml_mp *c)
{
    struct head h;
    return head_read(c, &h) ? key_take(c, &h) : 0;
}

struct ml_slice ml_mp_key_str(struct ml_mp *c)
{
    struct head h;
    struct ml_slice out = {NULL, 0};
    if (!head_read(c, &h)) {
        return out;
    }
    if (c->mode != ML_MP_DOC || h.type != ML_MP_STR || !at_key(c)) {
        ml_mp_fail(c, ML_FAULT_KEY_TYPE, c->pos);
        return out;
    }
    out = (struct ml_slice){c->data + c->pos + h.size, (size_t)h.value};
    if (!ml_utf8_valid(out)) {
        ml_mp_fail(c, ML_FAULT_UTF8, c->pos);
        return (struct ml_slice){NULL, 0};
    }
    item_take(c, h.size + out.len);
    return out;
}

/* One head of whatever kind, in key or value position, with the bytes it owns. */
static void any_item(struct ml_mp *c)
{
    struct head h;
    if (!head_read(c, &h)) {
        return;
    }
    if (at_key(c)) {
        if (c->mode == ML_MP_DOC) {
            (void)ml_mp_key_str(c);
        } else {
            (void)key_take(c, &h);
        }
        return;
    }
    if (h.type == ML_MP_ARRAY || h.type == ML_MP_MAP) {
        (void)frame_enter(c, &h);
    } else if (h.type == ML_MP_STR || h.type == ML_MP_BIN) {
        (void)bytes_take(c, &h);
    } else {
        item_take(c, h.size);
        frames_leave(c);
    }
}

struct ml_slice ml_mp_value(struct ml_mp *c)
{
    size_t start = c->pos;
    uint8_t depth = c->depth;
    if (ml_mp_ok(c) && at_key(c)) {
        ml_mp_fail(c, ML_FAULT_KEY_TYPE, c->pos);
    }
    do { /* until what was entered here is left again */
        any_item(c);
    } while (ml_mp_ok(c) && c->depth > depth);
    if (!ml_mp_ok(c)) {
        return (struct ml_slice){NULL, 0};
    }
    return (struct ml_slice){c->data + start, c->pos - start};
}

ml_err ml_mp_end(struct ml_mp *c)
{
    if (ml_mp_ok(c) && c->depth > 0) {
        ml_mp_fail(c, ML_FAULT_TRUNCATED, c->pos);
    }
    if (ml_mp_ok(c) && c->pos != c->len) {
        ml_mp_fail(c, ML_FAULT_TRAILING, c->pos);
    }
    return ml_mp_ok(c) ? ML_OK : ML_E_MALFORMED;
}

ml_err ml_mp_check(struct ml_slice in, ml_mp_mode mode, struct ml_fault *fault)
{
    struct ml_mp c;
    ml_mp_init(&c, in, mode);
    (void)ml_mp_value(&c);
    ml_err err = ml_mp_end(&c);
    if (err != ML_OK && fault != NULL) {
        *fault = c.fault;
    }
    return err;
}
