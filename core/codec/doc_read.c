/* core/codec/doc_read.c -- the reader of doc.h.
 *
 * ml_doc_open checks the whole document once: forms and depth (mp_read), and that no map holds a
 * key twice. All else then walks accepted bytes; faults in there can't happen, and would read as
 * "none".
 */
#include "core/codec/doc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/mp_write.h"

/* Keys of the maps that are open, innermost last: at most 16 maps of 256. */
struct key_seen {
    uint32_t hash;
    uint32_t at;
    uint32_t len;
};

struct key_stack {
    struct key_seen keys[ML_DOC_DEPTH_MAX * ML_DOC_KEYS_MAX];
    uint32_t base[ML_DOC_DEPTH_MAX + 1]; /* first key of the map at this depth */
    uint32_t count;
};

static uint32_t key_hash(struct ml_slice key)
{
    uint32_t h = 2166136261u; /* FNV-1a: only to skip comparisons */
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ key.data[i]) * 16777619u;
    }
    return h;
}

static bool key_is_new(struct key_stack *s, const struct ml_mp *c, struct ml_slice key)
{
    uint32_t hash = key_hash(key);
    uint32_t base = s->base[c->depth];
    for (uint32_t i = base; i < s->count; i++) {
        const struct key_seen *k = &s->keys[i];
        if (k->hash == hash && k->len == key.len &&
            memcmp(c->data + k->at, key.data, key.len) == 0) {
            return false;
        }
    }
    s->keys[s->count++] =
        (struct key_seen){hash, (uint32_t)(key.data - c->data), (uint32_t)key.len};
    return true;
}

static bool at_key(const struct ml_mp *c)
{
    return c->depth > 0 && c->frames[c->depth - 1].map && c->frames[c->depth - 1].left % 2 == 0;
}

/* One item; the keys of what it closes are forgotten, those of what it opens begin here. */
static void item_check(struct ml_mp *c, struct key_stack *s)
{
    size_t at = c->pos;
    if (at_key(c)) {
        struct ml_slice key = ml_mp_key_str(c);
        if (ml_mp_ok(c) && !key_is_new(s, c, key)) {
            ml_mp_fail(c, ML_FAULT_KEY_ORDER, at);
        }
        return;
    }
    uint8_t before = c->depth;
    ml_mp_type type = ml_mp_peek(c);
    if (type == ML_MP_MAP) {
        (void)ml_mp_map(c, 0, ML_DOC_KEYS_MAX);
    } else if (type == ML_MP_ARRAY) {
        (void)ml_mp_array(c, 0, UINT32_MAX);
    } else {
        (void)ml_mp_value(c);
    }
    if (c->depth > before) {
        s->base[c->depth] = s->count;
    } else {
        for (; before > c->depth; before--) {
            s->count = s->base[before];
        }
    }
}

ml_err ml_doc_open(struct ml_doc *out, struct ml_slice in, struct ml_fault *fault)
{
    struct ml_mp c;
    struct key_stack keys;
    keys.count = 0;
    ml_mp_init(&c, in, ML_MP_DOC);
    if (in.len > UINT32_MAX) {
        ml_mp_fail(&c, ML_FAULT_RANGE, 0);
    }
    do {
        item_check(&c, &keys);
    } while (ml_mp_ok(&c) && c.depth > 0);
    ml_err err = ml_mp_end(&c);
    if (err == ML_OK) {
        out->raw = in;
    } else if (fault != NULL) {
        *fault = c.fault;
    }
    return err;
}

static struct ml_mp doc_cursor(struct ml_doc d)
{
    struct ml_mp c;
    ml_mp_init(&c, d.raw, ML_MP_DOC);
    return c;
}

ml_mp_type ml_doc_type(struct ml_doc d)
{
    struct ml_mp c = doc_cursor(d);
    return ml_mp_peek(&c);
}

bool ml_doc_is_nil(struct ml_doc d)
{
    ml_mp_type type = ml_doc_type(d);
    return type == ML_MP_NIL || type == ML_MP_NONE;
}

void ml_doc_walk(struct ml_doc_walk *walk, struct ml_doc d)
{
    ml_mp_type type = ml_doc_type(d);
    *walk = (struct ml_doc_walk){.mp = doc_cursor(d), .map = type == ML_MP_MAP};
    if (walk->map) {
        walk->left = ml_mp_map(&walk->mp, 0, ML_DOC_KEYS_MAX);
    } else if (type == ML_MP_ARRAY) {
        walk->left = ml_mp_array(&walk->mp, 0, UINT32_MAX);
    }
}

bool ml_doc_next(struct ml_doc_walk *walk, struct ml_slice *key, struct ml_doc *value)
{
    if (walk->left == 0) {
        return false;
    }
    walk->left--;
    *key = walk->map ? ml_mp_key_str(&walk->mp) : ml_slice(NULL, 0);
    value->raw = ml_mp_value(&walk->mp);
    return ml_mp_ok(&walk->mp);
}

struct ml_doc ml_doc_get(struct ml_doc d, const char *key)
{
    struct ml_doc_walk walk;
    struct ml_doc value = {{NULL, 0}};
    struct ml_slice k = {NULL, 0};
    struct ml_slice wanted = ml_slice_str(key);
    ml_doc_walk(&walk, d);
    while (walk.map && ml_doc_next(&walk, &k, &value)) {
        if (ml_slice_equal(k, wanted)) {
            return value;
        }
    }
    return (struct ml_doc){{NULL, 0}};
}

struct ml_doc ml_doc_at(struct ml_doc d, uint32_t index)
{
    struct ml_doc_walk walk;
    struct ml_doc value;
    struct ml_slice k;
    ml_doc_walk(&walk, d);
    for (uint32_t i = 0; !walk.map && ml_doc_next(&walk, &k, &value); i++) {
        if (i == index) {
            return value;
        }
    }
    return (struct ml_doc){{NULL, 0}};
}

uint32_t ml_doc_count(struct ml_doc d)
{
    struct ml_doc_walk walk;
    ml_doc_walk(&walk, d);
    return walk.left;
}

bool ml_doc_as_bool(struct ml_doc d, bool *out)
{
    struct ml_mp c = doc_cursor(d);
    bool v = ml_mp_bool(&c);
    if (ml_mp_ok(&c)) {
        *out = v;
    }
    return ml_mp_ok(&c);
}

bool ml_doc_as_int(struct ml_doc d, int64_t *out)
{
    struct ml_mp c = doc_cursor(d);
    int64_t v = ml_mp_int(&c, INT64_MIN, INT64_MAX);
    if (ml_mp_ok(&c)) {
        *out = v;
    }
    return ml_mp_ok(&c);
}

bool ml_doc_as_uint(struct ml_doc d, uint64_t *out)
{
    struct ml_mp c = doc_cursor(d);
    uint64_t v = ml_mp_uint(&c, 0, UINT64_MAX);
    if (ml_mp_ok(&c)) {
        *out = v;
    }
    return ml_mp_ok(&c);
}

bool ml_doc_as_float(struct ml_doc d, double *out)
{
    struct ml_mp c = doc_cursor(d);
    int64_t i = 0;
    if (ml_doc_as_int(d, &i)) {
        *out = (double)i;
        return true;
    }
    double v = ml_mp_float(&c);
    if (ml_mp_ok(&c)) {
        *out = v;
    }
    return ml_mp_ok(&c);
}

bool ml_doc_as_text(struct ml_doc d, struct ml_slice *out)
{
    struct ml_mp c = doc_cursor(d);
    struct ml_slice v = ml_mp_str(&c, 0, SIZE_MAX);
    if (ml_mp_ok(&c)) {
        *out = v;
    }
    return ml_mp_ok(&c);
}

bool ml_doc_as_bin(struct ml_doc d, struct ml_slice *out)
{
    struct ml_mp c = doc_cursor(d);
    struct ml_slice v = ml_mp_bin(&c, 0, SIZE_MAX);
    if (ml_mp_ok(&c)) {
        *out = v;
    }
    return ml_mp_ok(&c);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool hex_is_valid(struct ml_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (hex_digit(text.data[i]) < 0) {
            return false;
        }
    }
    return true;
}

bool ml_doc_as_bytes(struct ml_doc d, void *out, size_t len)
{
    struct ml_slice v = {NULL, 0};
    uint8_t *p = out;
    if (ml_doc_as_bin(d, &v) && v.len == len) {
        if (len > 0) {
            memcpy(out, v.data, len);
        }
        return true;
    }
    if (!ml_doc_as_text(d, &v) || v.len / 2 != len || v.len % 2 != 0 || !hex_is_valid(v)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)(hex_digit(v.data[2 * i]) * 16 + hex_digit(v.data[2 * i + 1]));
    }
    return true;
}

bool ml_doc_text_is(struct ml_doc d, const char *text)
{
    struct ml_slice v = {NULL, 0};
    return ml_doc_as_text(d, &v) && ml_slice_equal(v, ml_slice_str(text));
}

/* ---- JSON: one walk for each open container, no recursion ---- */

struct json {
    struct ml_buf *out;
    unsigned indent;
    unsigned depth;
    struct {
        uint32_t left;
        bool map;
    } frames[ML_DOC_DEPTH_MAX];
    struct ml_mp mp;
};

static void json_puts(struct json *j, const char *text)
{
    ml_buf_append(j->out, text, strlen(text));
}

static void json_newline(struct json *j)
{
    if (j->indent == 0) {
        return;
    }
    ml_buf_u8(j->out, '\n');
    for (unsigned i = 0; i < j->indent * j->depth; i++) {
        ml_buf_u8(j->out, ' ');
    }
}

static void json_text(struct json *j, struct ml_slice text)
{
    static const char digits[] = "0123456789abcdef";
    ml_buf_u8(j->out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            ml_buf_u8(j->out, '\\');
            ml_buf_u8(j->out, c);
        } else if (c < 0x20 || c == 0x7f) {
            const uint8_t escape[6] = {
                '\\', 'u', '0', '0', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};
            ml_buf_append(j->out, escape, sizeof(escape));
        } else {
            ml_buf_u8(j->out, c);
        }
    }
    ml_buf_u8(j->out, '"');
}

static void json_hex(struct json *j, struct ml_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    ml_buf_u8(j->out, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        ml_buf_u8(j->out, (uint8_t)digits[bytes.data[i] >> 4]);
        ml_buf_u8(j->out, (uint8_t)digits[bytes.data[i] & 15]);
    }
    ml_buf_u8(j->out, '"');
}

static void json_float(struct json *j, double v)
{
    char text[32];
    if (!isfinite(v)) {
        json_puts(j, "null");
        return;
    }
    snprintf(text, sizeof(text), "%.17g",
             v); /* the C locale's point: no program of ours sets one */
    json_puts(j, text);
}

static void json_number(struct json *j, ml_mp_type type)
{
    char text[24];
    if (type == ML_MP_FLOAT) {
        json_float(j, ml_mp_float(&j->mp));
        return;
    }
    if (type == ML_MP_UINT) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)ml_mp_uint(&j->mp, 0, UINT64_MAX));
    } else {
        snprintf(text, sizeof(text), "%lld", (long long)ml_mp_int(&j->mp, INT64_MIN, INT64_MAX));
    }
    json_puts(j, text);
}

static void json_enter(struct json *j, bool map)
{
    uint32_t count = map ? ml_mp_map(&j->mp, 0, UINT32_MAX) : ml_mp_array(&j->mp, 0, UINT32_MAX);
    if (count == 0) {
        json_puts(j, map ? "{}" : "[]");
        return;
    }
    json_puts(j, map ? "{" : "[");
    j->frames[j->depth].left = count;
    j->frames[j->depth].map = map;
    j->depth++;
    json_newline(j);
}

static void json_value(struct json *j)
{
    ml_mp_type type = ml_mp_peek(&j->mp);
    switch (type) {
    case ML_MP_MAP:
    case ML_MP_ARRAY:
        json_enter(j, type == ML_MP_MAP);
        return;
    case ML_MP_STR:
        json_text(j, ml_mp_str(&j->mp, 0, SIZE_MAX));
        return;
    case ML_MP_BIN:
        json_hex(j, ml_mp_bin(&j->mp, 0, SIZE_MAX));
        return;
    case ML_MP_BOOL:
        json_puts(j, ml_mp_bool(&j->mp) ? "true" : "false");
        return;
    case ML_MP_UINT:
    case ML_MP_NEGATIVE:
    case ML_MP_FLOAT:
        json_number(j, type);
        return;
    case ML_MP_NIL:
        ml_mp_nil(&j->mp);
        break;
    case ML_MP_NONE:
        break;
    }
    json_puts(j, "null");
}

/* After a value: closes what is finished, or a comma. False at the end of the document. */
static bool json_after(struct json *j)
{
    while (j->depth > 0 && j->frames[j->depth - 1].left == 0) {
        bool map = j->frames[--j->depth].map;
        json_newline(j);
        json_puts(j, map ? "}" : "]");
    }
    if (j->depth > 0) {
        json_puts(j, ",");
        json_newline(j);
    }
    return j->depth > 0;
}

/* Before a value inside a container: counts it, and writes its key. */
static void json_before(struct json *j)
{
    if (j->depth == 0) {
        return;
    }
    j->frames[j->depth - 1].left--;
    if (j->frames[j->depth - 1].map) {
        json_text(j, ml_mp_key_str(&j->mp));
        json_puts(j, j->indent > 0 ? ": " : ":");
    }
}

ml_err ml_doc_to_json(struct ml_buf *out, struct ml_doc d, unsigned indent)
{
    struct json j = {.out = out, .indent = indent, .mp = doc_cursor(d)};
    bool more = true;
    while (more && out->err == ML_OK) {
        unsigned before = j.depth;
        json_before(&j);
        json_value(&j);
        more = j.depth > before || json_after(&j);
    }
    return out->err;
}
