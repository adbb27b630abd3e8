/* core/interop/json.c -- see json.h.
 *
 * Happy path: one pass over the bytes. `stack` holds the open containers; `want` says what may
 * come next. A value becomes a node when its first byte is seen; closing a container writes where
 * its subtree ends.
 *
 * Failures: the first one stops the pass; its byte offset becomes line and column by counting
 * lines once, at the end.
 *
 * Invariant: nodes[i].parent < i; nodes[i].after is right for all closed containers.
 */
#include "core/interop/json.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"

#define NODES_FIRST 256u

/* What the grammar allows at this point. */
typedef enum json_want {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* just after '[' */
    WANT_KEY,
    WANT_KEY_OR_END,   /* just after '{' */
    WANT_COMMA_OR_END, /* after a value inside a container */
    WANT_NOTHING,      /* after the root */
} json_want;

struct ml_json {
    const struct ml_env *env; /* borrowed */
    struct ml_slice text;     /* borrowed */
    struct ml_json_node *nodes;
    uint32_t count;
    uint32_t cap;
    char *unescaped; /* owned; as long as the text at most, allocated at the first escape */
    size_t unescaped_len;
};

struct reader {
    struct ml_json *doc;
    const uint8_t *p;
    size_t len;
    size_t pos;
    uint32_t stack[ML_JSON_DEPTH_MAX]; /* open containers */
    uint32_t last[ML_JSON_DEPTH_MAX];  /* their last child, or NO_NODE */
    uint32_t members[ML_JSON_DEPTH_MAX];
    uint32_t depth;
    json_want want;
    struct ml_slice key; /* of the value to come, in an object */
    ml_err err;
    ml_import_fault_kind why;
    size_t fault_at;
};

static void reader_fail(struct reader *r, ml_err err, ml_import_fault_kind why, size_t at)
{
    if (r->err == ML_OK) {
        r->err = err;
        r->why = why;
        r->fault_at = at;
    }
}

static void reader_malformed(struct reader *r, ml_import_fault_kind why)
{
    reader_fail(r, ML_E_MALFORMED, r->pos >= r->len ? ML_IMPORT_FAULT_CUT : why, r->pos);
}

static bool nodes_grow(struct ml_json *doc)
{
    uint32_t cap = doc->cap == 0 ? NODES_FIRST : doc->cap * 2;
    struct ml_json_node *nodes =
        ml_resize(doc->env, doc->nodes, (size_t)cap * sizeof(struct ml_json_node));
    if (nodes == NULL) {
        return false;
    }
    doc->nodes = nodes;
    doc->cap = cap;
    return true;
}

static struct ml_json_node *node_add(struct reader *r, ml_json_type type)
{
    struct ml_json *doc = r->doc;
    if (doc->count >= ML_JSON_NODES_MAX) {
        reader_fail(r, ML_E_LIMIT, ML_IMPORT_FAULT_TOO_MANY, r->pos);
        return NULL;
    }
    if (doc->count == doc->cap && !nodes_grow(doc)) {
        reader_fail(r, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM, r->pos);
        return NULL;
    }
    uint32_t at = doc->count++;
    struct ml_json_node *node = &doc->nodes[at];
    *node = (struct ml_json_node){.key = (const char *)r->key.data,
                                  .key_len = (uint32_t)r->key.len,
                                  .at = (uint32_t)r->pos,
                                  .parent = ML_JSON_NO_NODE,
                                  .next = ML_JSON_NO_NODE,
                                  .after = at + 1,
                                  .type = (uint8_t)type};
    if (r->depth > 0) {
        uint32_t top = r->depth - 1;
        node->parent = r->stack[top];
        node->index = r->members[top]++;
        if (r->last[top] != ML_JSON_NO_NODE) {
            doc->nodes[r->last[top]].next = at;
        }
        r->last[top] = at;
    }
    r->key = (struct ml_slice){NULL, 0};
    return node;
}

static void skip_spaces(struct reader *r)
{
    while (r->pos < r->len && (r->p[r->pos] == ' ' || r->p[r->pos] == '\n' ||
                               r->p[r->pos] == '\r' || r->p[r->pos] == '\t')) {
        r->pos++;
    }
}

/* ---- texts ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    uint8_t lower = c | 0x20u;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four digits after "\u", `at` on the first of them; -1 when they aren't. */
static long hex_quad(const struct reader *r, size_t at)
{
    long value = 0;
    if (at + 4 > r->len) {
        return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(r->p[at + i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static size_t utf8_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* r->pos is on the 'u'. Writes the character and moves behind it; an escape is never shorter than
 * the UTF-8 it stands for, so the copy fits the text's own length. */
static size_t unescape_unicode(struct reader *r, char *out)
{
    long unit = hex_quad(r, r->pos + 1);
    size_t used = 5;
    if (unit >= 0xd800 && unit < 0xdc00 && r->pos + 11 <= r->len && r->p[r->pos + 5] == '\\' &&
        r->p[r->pos + 6] == 'u') {
        long low = hex_quad(r, r->pos + 7);
        bool pair = low >= 0xdc00 && low < 0xe000;
        unit = pair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : -1;
        used = 11;
    }
    if (unit <= 0 || (unit >= 0xd800 && unit < 0xe000)) {
        reader_malformed(r, ML_IMPORT_FAULT_ESCAPE);
        return 0;
    }
    r->pos += used;
    return utf8_put(out, (uint32_t)unit);
}

/* r->pos is behind the backslash. */
static size_t unescape(struct reader *r, char *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    uint8_t c = r->pos < r->len ? r->p[r->pos] : 0;
    if (c == 'u') {
        return unescape_unicode(r, out);
    }
    const char *found = c == 0 ? NULL : strchr(from, c);
    if (found == NULL) {
        reader_malformed(r, ML_IMPORT_FAULT_ESCAPE);
        return 0;
    }
    out[0] = to[found - from];
    r->pos++;
    return 1;
}

/* The rest of a text that holds an escape at r->pos; its start lies at `from`. */
static struct ml_slice text_unescaped(struct reader *r, size_t from)
{
    struct ml_json *doc = r->doc;
    struct ml_slice none = {NULL, 0};
    if (doc->unescaped == NULL) {
        doc->unescaped = ml_alloc(doc->env, r->len);
    }
    if (doc->unescaped == NULL) {
        reader_fail(r, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM, r->pos);
        return none;
    }
    char *out = doc->unescaped + doc->unescaped_len;
    size_t n = r->pos - from;
    memcpy(out, r->p + from, n);
    while (r->pos < r->len && r->p[r->pos] != '"' && r->p[r->pos] >= 0x20) {
        if (r->p[r->pos] != '\\') {
            out[n++] = (char)r->p[r->pos++];
            continue;
        }
        r->pos++;
        n += unescape(r, out + n);
        if (r->err != ML_OK) {
            return none;
        }
    }
    doc->unescaped_len += n;
    return (struct ml_slice){(const uint8_t *)out, n};
}

/* r->pos is on the opening quote; afterwards behind the closing one. */
static struct ml_slice read_text(struct reader *r)
{
    size_t from = ++r->pos;
    struct ml_slice text;
    while (r->pos < r->len && r->p[r->pos] != '"' && r->p[r->pos] != '\\' && r->p[r->pos] >= 0x20) {
        r->pos++;
    }
    if (r->pos < r->len && r->p[r->pos] == '\\') {
        text = text_unescaped(r, from);
    } else {
        text = (struct ml_slice){r->p + from, r->pos - from};
    }
    if (r->pos >= r->len || r->p[r->pos] != '"') {
        reader_malformed(r, ML_IMPORT_FAULT_ESCAPE);
        return text;
    }
    r->pos++;
    return text;
}

/* ---- numbers and words ---- */

static size_t skip_digits(struct reader *r)
{
    size_t from = r->pos;
    while (r->pos < r->len && r->p[r->pos] >= '0' && r->p[r->pos] <= '9') {
        r->pos++;
    }
    return r->pos - from;
}

static bool take(struct reader *r, uint8_t c)
{
    bool found = r->pos < r->len && r->p[r->pos] == c;
    r->pos += found;
    return found;
}

static void read_number(struct reader *r)
{
    struct ml_json_node *node = node_add(r, ML_JSON_NUMBER);
    size_t from = r->pos;
    bool good = true;
    take(r, '-');
    good = take(r, '0') || skip_digits(r) > 0;
    if (good && take(r, '.')) {
        good = skip_digits(r) > 0;
    }
    if (good && (take(r, 'e') || take(r, 'E'))) {
        good = (take(r, '+') || take(r, '-') || true) && skip_digits(r) > 0;
    }
    if (!good) {
        reader_malformed(r, ML_IMPORT_FAULT_NUMBER);
    } else if (node != NULL) {
        node->text = (const char *)r->p + from;
        node->text_len = (uint32_t)(r->pos - from);
    }
}

static void read_word(struct reader *r, const char *word, ml_json_type type)
{
    size_t len = strlen(word);
    if (r->len - r->pos < len || memcmp(r->p + r->pos, word, len) != 0) {
        bool cut = r->len - r->pos < len && memcmp(r->p + r->pos, word, r->len - r->pos) == 0;
        reader_fail(r, ML_E_MALFORMED, cut ? ML_IMPORT_FAULT_CUT : ML_IMPORT_FAULT_SYNTAX, r->pos);
        return;
    }
    node_add(r, type);
    r->pos += len;
}

/* ---- the grammar ---- */

static void after_value(struct reader *r)
{
    r->want = r->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
}

static void open_container(struct reader *r, ml_json_type type)
{
    if (r->depth == ML_JSON_DEPTH_MAX) {
        reader_fail(r, ML_E_LIMIT, ML_IMPORT_FAULT_TOO_DEEP, r->pos);
        return;
    }
    uint32_t at = r->doc->count;
    if (node_add(r, type) == NULL) {
        return;
    }
    r->stack[r->depth] = at;
    r->last[r->depth] = ML_JSON_NO_NODE;
    r->members[r->depth] = 0;
    r->depth++;
    r->pos++;
    r->want = type == ML_JSON_OBJECT ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
}

static void close_container(struct reader *r, ml_json_type type)
{
    struct ml_json_node *node = &r->doc->nodes[r->stack[r->depth - 1]];
    if (node->type != type) {
        reader_malformed(r, ML_IMPORT_FAULT_SYNTAX);
        return;
    }
    node->after = r->doc->count;
    r->depth--;
    r->pos++;
    after_value(r);
}

static bool key_is_new(const struct reader *r, struct ml_slice key)
{
    const struct ml_json_node *nodes = r->doc->nodes;
    uint32_t top = r->stack[r->depth - 1];
    uint32_t child = r->members[r->depth - 1] > 0 ? top + 1 : ML_JSON_NO_NODE;
    for (; child != ML_JSON_NO_NODE; child = nodes[child].next) {
        if (nodes[child].key_len == key.len && memcmp(nodes[child].key, key.data, key.len) == 0) {
            return false;
        }
    }
    return true;
}

static void read_key(struct reader *r)
{
    size_t at = r->pos;
    if (r->p[r->pos] != '"') {
        reader_malformed(r, ML_IMPORT_FAULT_SYNTAX);
        return;
    }
    if (r->members[r->depth - 1] == ML_JSON_MEMBERS_MAX) {
        reader_fail(r, ML_E_LIMIT, ML_IMPORT_FAULT_TOO_MANY, at);
        return;
    }
    struct ml_slice key = read_text(r);
    if (r->err == ML_OK && !key_is_new(r, key)) {
        reader_fail(r, ML_E_MALFORMED, ML_IMPORT_FAULT_DUPLICATE_KEY, at);
        return;
    }
    skip_spaces(r);
    if (!take(r, ':')) {
        reader_malformed(r, ML_IMPORT_FAULT_SYNTAX);
        return;
    }
    r->key = key;
    r->want = WANT_VALUE;
}

static void read_string(struct reader *r)
{
    uint32_t at = r->doc->count;
    if (node_add(r, ML_JSON_STRING) == NULL) {
        return;
    }
    struct ml_slice text = read_text(r);
    r->doc->nodes[at].text = (const char *)text.data;
    r->doc->nodes[at].text_len = (uint32_t)text.len;
}

static void read_value(struct reader *r)
{
    uint8_t c = r->p[r->pos];
    if (c == '{' || c == '[') {
        open_container(r, c == '{' ? ML_JSON_OBJECT : ML_JSON_ARRAY);
        return;
    }
    if (c == '"') {
        read_string(r);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        read_number(r);
    } else if (c == 't') {
        read_word(r, "true", ML_JSON_TRUE);
    } else if (c == 'f') {
        read_word(r, "false", ML_JSON_FALSE);
    } else if (c == 'n') {
        read_word(r, "null", ML_JSON_NULL);
    } else {
        reader_malformed(r, ML_IMPORT_FAULT_SYNTAX);
    }
    after_value(r);
}

static void after_comma(struct reader *r)
{
    uint8_t c = r->p[r->pos];
    if (c == ']' || c == '}') {
        close_container(r, c == ']' ? ML_JSON_ARRAY : ML_JSON_OBJECT);
    } else if (c == ',') {
        bool object = r->doc->nodes[r->stack[r->depth - 1]].type == ML_JSON_OBJECT;
        r->pos++;
        r->want = object ? WANT_KEY : WANT_VALUE;
    } else {
        reader_malformed(r, ML_IMPORT_FAULT_SYNTAX);
    }
}

static void reader_step(struct reader *r)
{
    uint8_t c = r->p[r->pos];
    switch (r->want) {
    case WANT_VALUE_OR_END:
        if (c == ']') {
            close_container(r, ML_JSON_ARRAY);
            return;
        }
        read_value(r);
        return;
    case WANT_VALUE:
        read_value(r);
        return;
    case WANT_KEY_OR_END:
        if (c == '}') {
            close_container(r, ML_JSON_OBJECT);
            return;
        }
        read_key(r);
        return;
    case WANT_KEY:
        read_key(r);
        return;
    case WANT_COMMA_OR_END:
        after_comma(r);
        return;
    case WANT_NOTHING:
        break;
    }
    reader_malformed(r, ML_IMPORT_FAULT_TRAILING);
}

/* Until `end` is reached or passed; false when the text ended, or an error did. */
static bool reader_run(struct reader *r, size_t end)
{
    skip_spaces(r);
    while (r->err == ML_OK && r->pos < r->len) {
        if (r->pos >= end) {
            return true;
        }
        reader_step(r);
        skip_spaces(r);
    }
    if (r->err == ML_OK && r->want != WANT_NOTHING) {
        reader_fail(r, ML_E_MALFORMED, ML_IMPORT_FAULT_CUT, r->len);
    }
    return false;
}

/* ---- encoding ---- */

/* Where the text stops being UTF-8: whole pieces first, then ever smaller ones, each made to end
 * where a character ends. */
static size_t first_bad_byte(struct ml_slice text)
{
    size_t good = 0;
    size_t step = 4096;
    while (step > 0) {
        size_t end = text.len - good < step ? text.len : good + step;
        while (end < text.len && (text.data[end] & 0xc0) == 0x80 && end - good < step + 3) {
            end++;
        }
        if (ml_utf8_valid((struct ml_slice){text.data + good, end - good}) && end > good) {
            good = end;
        } else {
            step /= 2;
        }
    }
    return good;
}

static bool looks_like_utf16(struct ml_slice text)
{
    if (text.len < 2) {
        return false;
    }
    const uint8_t *p = text.data;
    return (p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff) || p[0] == 0 ||
           p[1] == 0;
}

static void check_encoding(struct reader *r)
{
    static const uint8_t bom[3] = {0xef, 0xbb, 0xbf};
    struct ml_slice text = {r->p, r->len};
    if (looks_like_utf16(text)) {
        reader_fail(r, ML_E_MALFORMED, ML_IMPORT_FAULT_UTF16, 0);
    } else if (!ml_utf8_valid(text)) {
        reader_fail(r, ML_E_MALFORMED, ML_IMPORT_FAULT_UTF8, first_bad_byte(text));
    } else if (r->len >= 3 && memcmp(r->p, bom, 3) == 0) {
        r->pos = 3; /* Windows tools write it; it says nothing here */
    }
}

/* ---- places ---- */

static void place_of_byte(struct ml_slice text, size_t at, struct ml_import_fault *fault)
{
    size_t line_start = 0;
    fault->byte = at;
    fault->line = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.data[i] == '\n') {
            fault->line++;
            line_start = i + 1;
        }
    }
    fault->column = (uint32_t)(at - line_start) + 1;
}

/* Writes "name" or "[index]" of one node into `out`; returns its length. */
static size_t place_step(const struct ml_json *doc, uint32_t node, char *out, size_t size)
{
    const struct ml_json_node *n = &doc->nodes[node];
    int len = 0;
    if (n->parent == ML_JSON_NO_NODE) {
        len = snprintf(out, size, "$");
    } else if (doc->nodes[n->parent].type == ML_JSON_ARRAY) {
        len = snprintf(out, size, "[%u]", n->index);
    } else {
        len = snprintf(out, size, ".%.*s", (int)(n->key_len < 48 ? n->key_len : 48), n->key);
    }
    return len < 0 ? 0 : (size_t)len;
}

static void place_path(const struct ml_json *doc, uint32_t node, struct ml_import_fault *fault)
{
    uint32_t chain[ML_JSON_DEPTH_MAX + 1];
    size_t n = 0;
    size_t used = 0;
    for (; node != ML_JSON_NO_NODE && n <= ML_JSON_DEPTH_MAX; node = doc->nodes[node].parent) {
        chain[n++] = node;
    }
    while (n > 0 && used + 1 < sizeof(fault->place)) {
        used += place_step(doc, chain[--n], fault->place + used, sizeof(fault->place) - used);
    }
}

void ml_json_place(const struct ml_json *doc, uint32_t node, struct ml_import_fault *fault)
{
    place_of_byte(doc->text, doc->nodes[node].at, fault);
    place_path(doc, node, fault);
}

/* ---- public ---- */

static void fault_from_reader(const struct reader *r, struct ml_import_fault *fault)
{
    *fault = (struct ml_import_fault){.kind = r->why};
    place_of_byte(r->doc->text, r->fault_at, fault);
    if (r->depth > 0) {
        place_path(r->doc, r->stack[r->depth - 1], fault);
    }
}

struct ml_json_reading {
    const struct ml_env *env; /* borrowed */
    struct reader r;          /* its document is owned until it is handed over */
};

static ml_err begin_fail(struct ml_import_fault *fault, ml_err err, ml_import_fault_kind kind)
{
    *fault = (struct ml_import_fault){.kind = kind};
    return err;
}

ml_err ml_json_begin(struct ml_json_reading **out, const struct ml_env *env, struct ml_slice text,
                     struct ml_import_fault *fault)
{
    if (text.len > ML_JSON_BYTES_MAX) {
        return begin_fail(fault, ML_E_LIMIT, ML_IMPORT_FAULT_TOO_BIG);
    }
    struct ml_json_reading *reading = ml_alloc(env, sizeof(*reading));
    struct ml_json *doc = reading == NULL ? NULL : ml_alloc(env, sizeof(*doc));
    if (doc == NULL) {
        ml_release(env, reading);
        return begin_fail(fault, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM);
    }
    doc->env = env;
    doc->text = text;
    reading->env = env;
    struct reader *r = &reading->r;
    *r = (struct reader){.doc = doc, .p = text.data, .len = text.len, .want = WANT_VALUE};
    check_encoding(r);
    if (r->err != ML_OK) {
        ml_err err = r->err;
        fault_from_reader(r, fault);
        ml_json_reading_free(reading);
        return err;
    }
    *out = reading;
    return ML_OK;
}

ml_err ml_json_read_some(struct ml_json_reading *reading, struct ml_json **out, size_t bytes,
                         struct ml_import_fault *fault)
{
    struct reader *r = &reading->r;
    bool more = reader_run(r, bytes < r->len - r->pos ? r->pos + bytes : r->len);
    if (r->err != ML_OK) {
        fault_from_reader(r, fault);
        return r->err;
    }
    if (more) {
        return ML_E_PENDING;
    }
    *out = r->doc;
    r->doc = NULL;
    return ML_OK;
}

void ml_json_reading_free(struct ml_json_reading *reading)
{
    if (reading != NULL) {
        ml_json_free(reading->r.doc);
        ml_release(reading->env, reading);
    }
}

ml_err ml_json_read(struct ml_json **out, const struct ml_env *env, struct ml_slice text,
                    struct ml_import_fault *fault)
{
    struct ml_json_reading *reading = NULL;
    ml_err err = ml_json_begin(&reading, env, text, fault);
    if (err == ML_OK) {
        err = ml_json_read_some(reading, out, text.len, fault);
    }
    ml_json_reading_free(reading);
    return err;
}

void ml_json_free(struct ml_json *doc)
{
    if (doc != NULL) {
        ml_release(doc->env, doc->unescaped);
        ml_release(doc->env, doc->nodes);
        ml_release(doc->env, doc);
    }
}

uint32_t ml_json_count(const struct ml_json *doc)
{
    return doc->count;
}

const struct ml_json_node *ml_json_node(const struct ml_json *doc, uint32_t node)
{
    ML_ASSERT(node < doc->count);
    return &doc->nodes[node];
}

uint32_t ml_json_child(const struct ml_json *doc, uint32_t node)
{
    return doc->nodes[node].after > node + 1 ? node + 1 : ML_JSON_NO_NODE;
}

uint32_t ml_json_get(const struct ml_json *doc, uint32_t node, struct ml_slice key)
{
    if (doc->nodes[node].type != ML_JSON_OBJECT) {
        return ML_JSON_NO_NODE;
    }
    uint32_t child = ml_json_child(doc, node);
    for (; child != ML_JSON_NO_NODE; child = doc->nodes[child].next) {
        const struct ml_json_node *n = &doc->nodes[child];
        if (n->key_len == key.len && memcmp(n->key, key.data, key.len) == 0) {
            break;
        }
    }
    return child;
}

struct ml_slice ml_json_str(const struct ml_json *doc, uint32_t node, const char *key)
{
    uint32_t child = ml_json_get(doc, node, ml_slice_str(key));
    struct ml_slice none = {NULL, 0};
    if (child == ML_JSON_NO_NODE || doc->nodes[child].type != ML_JSON_STRING) {
        return none;
    }
    return (struct ml_slice){(const uint8_t *)doc->nodes[child].text, doc->nodes[child].text_len};
}

bool ml_json_is_leaf(const struct ml_json_node *node)
{
    return node->type < ML_JSON_ARRAY;
}
