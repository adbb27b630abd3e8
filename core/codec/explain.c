/* core/codec/explain.c -- see explain.h.
 *
 * Each step reads on a cursor and reports the bytes that the cursor passed. Invariant: all bytes
 * before `done` are reported. Inner formats (the header inside its bin, an op inside the body) are
 * walked by a cursor of their own at a known offset. When a cursor stops at a fault, the rest of
 * the input becomes one range that says why, and nothing more is walked.
 */
#include "core/codec/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/bundle.h"
#include "core/codec/change.h"
#include "core/codec/govop.h"
#include "core/codec/keyop.h"
#include "core/codec/manifest.h"
#include "core/codec/msg.h"
#include "core/codec/trace.h"

enum {
    VALUE_TEXT_MAX = 160,
    SHOWN_BYTES = 32,
    SCALAR_MAX = 256,
};

struct explainer {
    struct ml_slice all;
    ml_explain_cb *cb;
    void *user;
    size_t done; /* bytes reported so far */
    unsigned depth;
    char place[64];
    bool stopped;
};

static void report(struct explainer *e, size_t end, const struct ml_wire_field *field,
                   const char *name, const char *value)
{
    const struct ml_explain_range range = {
        .offset = e->done,
        .len = end - e->done,
        .depth = e->depth,
        .place = e->place,
        .name = name,
        .value = value,
        .meaning = field == NULL ? NULL : field->meaning,
    };
    if (end > e->done) {
        e->cb(e->user, &range);
    }
    e->done = end;
}

static void place_set(struct explainer *e, const char *name)
{
    snprintf(e->place, sizeof(e->place), "%s", name);
}

static void stop(struct explainer *e, const struct ml_mp *c, size_t base)
{
    char value[VALUE_TEXT_MAX];
    snprintf(value, sizeof(value), "stops at byte %zu: %s", base + c->fault.offset,
             ml_fault_text(c->fault.reason));
    e->stopped = true;
    if (e->done == e->all.len) { /* nothing is left to blame: still say it */
        const struct ml_explain_range range = {e->done, 0, e->depth, e->place, "?", value, NULL};
        e->cb(e->user, &range);
        return;
    }
    report(e, e->all.len, NULL, "?", value);
}

/* ---- rendering ---- */

static void hex_render(char *out, size_t size, const uint8_t *p, size_t len)
{
    char shown[ML_HEX_SIZE(SHOWN_BYTES)];
    ml_hex_encode(shown, p, len < SHOWN_BYTES ? len : SHOWN_BYTES);
    if (len <= SHOWN_BYTES) {
        snprintf(out, size, "%s", shown);
    } else {
        snprintf(out, size, "%s... (%zu bytes)", shown, len);
    }
}

/* Whole characters up to 80 bytes; control characters as '.'. */
static void text_render(char *out, size_t size, struct ml_slice text)
{
    size_t end = text.len < 80 ? text.len : 80;
    while (end < text.len && end > 0 && (text.data[end] & 0xc0u) == 0x80u) {
        end--;
    }
    snprintf(out, size, "\"%.*s\"%s", (int)end, (const char *)text.data,
             end < text.len ? "..." : "");
    for (char *p = out; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '.';
        }
    }
}

static const char *lane_name(uint64_t v)
{
    static const char *const names[] = {"governance", "keys", "trace", "record", "blob"};
    return v < ML_LANES ? names[v] : "?";
}

static const char *compartment_name(uint64_t v)
{
    switch (v) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_COMPARTMENT_MAP(X)
#undef X
    default:
        return "?";
    }
}

static const char *action_name(uint64_t v)
{
    switch (v) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_ACTION_MAP(X)
#undef X
    default:
        return "?";
    }
}

static const char *uint_name(const char *field, uint64_t v)
{
    if (strcmp(field, "lane") == 0) {
        return lane_name(v);
    }
    if (strcmp(field, "compartment") == 0) {
        return compartment_name(v);
    }
    return strcmp(field, "action") == 0 && v <= ML_ACTION_DEPOSIT ? action_name(v) : NULL;
}

static void uint_render(char *out, size_t size, const char *field, uint64_t v)
{
    const char *named = uint_name(field, v);
    if (strcmp(field, "hlc") == 0) {
        snprintf(out, size, "%" PRIu64 " (%" PRIu64 " ms, counter %u)", v, v >> 16,
                 (unsigned)(v & 0xffffu));
    } else if (named != NULL) {
        snprintf(out, size, "%" PRIu64 " (%s)", v, named);
    } else {
        snprintf(out, size, "%" PRIu64, v);
    }
}

/* The value that lies at [at, c->pos), read once more by its own head. */
static void value_render(char *out, size_t size, const char *field, struct ml_slice raw)
{
    struct ml_mp c;
    ml_mp_init(&c, raw, ML_MP_CANONICAL);
    struct ml_slice s = {NULL, 0};
    switch (ml_mp_peek(&c)) {
    case ML_MP_UINT:
        uint_render(out, size, field, ml_mp_uint(&c, 0, UINT64_MAX));
        return;
    case ML_MP_NEGATIVE:
        snprintf(out, size, "%" PRId64, ml_mp_int(&c, INT64_MIN, INT64_MAX));
        return;
    case ML_MP_BOOL:
        snprintf(out, size, "%s", ml_mp_bool(&c) ? "true" : "false");
        return;
    case ML_MP_STR:
        text_render(out, size, ml_mp_str(&c, 0, SIZE_MAX));
        return;
    case ML_MP_BIN:
        s = ml_mp_bin(&c, 0, SIZE_MAX);
        hex_render(out, size, s.data, s.len);
        return;
    case ML_MP_NIL:
        snprintf(out, size, "nil");
        return;
    case ML_MP_ARRAY:
    case ML_MP_MAP:
    case ML_MP_FLOAT:
    case ML_MP_NONE:
        break;
    }
    hex_render(out, size, raw.data, raw.len);
}

/* ---- walking one object ---- */

struct walk {
    struct ml_mp mp;
    size_t base; /* of the cursor's bytes in the input */
};

static void walk_begin(struct explainer *e, struct walk *w, struct ml_slice in)
{
    ml_mp_init(&w->mp, in, ML_MP_CANONICAL);
    w->base = (size_t)(in.data - e->all.data);
}

/* Reports up to the cursor, or stops. */
static void walk_report(struct explainer *e, struct walk *w, const struct ml_wire_field *field,
                        const char *name, const char *value)
{
    if (!ml_mp_ok(&w->mp)) {
        stop(e, &w->mp, w->base);
    } else {
        report(e, w->base + w->mp.pos, field, name, value);
    }
}

/* Any one value whose key, if any, is passed already. */
static void walk_value(struct explainer *e, struct walk *w, const struct ml_wire_field *field,
                       const char *name)
{
    char value[VALUE_TEXT_MAX];
    struct ml_slice raw = ml_mp_value(&w->mp);
    value[0] = '\0';
    if (ml_mp_ok(&w->mp)) {
        value_render(value, sizeof(value), field == NULL ? "" : field->name, raw);
    }
    walk_report(e, w, field, name, value);
}

static void walk_item(struct explainer *e, struct walk *w, const struct ml_wire_format *item)
{
    uint32_t count = 1;
    if (item->kind == ML_WIRE_ARRAY) {
        count = ml_mp_array(&w->mp, item->field_count, item->field_count);
        walk_report(e, w, NULL, "", item->name);
    }
    e->depth++;
    for (uint32_t i = 0; i < count && !e->stopped; i++) {
        walk_value(e, w, &item->fields[i], item->fields[i].name);
    }
    e->depth--;
}

static void walk_list(struct explainer *e, struct walk *w, const struct ml_wire_field *field)
{
    char value[VALUE_TEXT_MAX];
    uint32_t count = ml_mp_array(&w->mp, 0, UINT32_MAX);
    snprintf(value, sizeof(value), "%" PRIu32 " of %s", count, field->item->name);
    walk_report(e, w, field, field->name, value);
    char outer[sizeof(e->place)];
    memcpy(outer, e->place, sizeof(outer));
    e->depth++;
    for (uint32_t i = 0; i < count && !e->stopped; i++) {
        snprintf(e->place, sizeof(e->place), "%s[%" PRIu32 "]", field->name, i);
        walk_item(e, w, field->item);
    }
    e->depth--;
    memcpy(e->place, outer, sizeof(outer));
}

static void walk_member(struct explainer *e, struct walk *w, const struct ml_wire_field *field)
{
    if (field->type == ML_WIRE_LIST) {
        walk_list(e, w, field);
    } else if (field->type == ML_WIRE_TUPLE) {
        char outer[sizeof(e->place)];
        memcpy(outer, e->place, sizeof(outer));
        place_set(e, field->name);
        walk_item(e, w, field->item);
        memcpy(e->place, outer, sizeof(outer));
    } else {
        walk_value(e, w, field, field->name);
    }
}

/* A whole map at `in`, by its table; keys that the table lacks are named by their number. */
static void walk_map(struct explainer *e, const struct ml_wire_format *format, struct ml_slice in)
{
    struct walk w;
    char value[VALUE_TEXT_MAX];
    walk_begin(e, &w, in);
    uint32_t pairs = ml_mp_map(&w.mp, 0, UINT32_MAX);
    snprintf(value, sizeof(value), "%s, %" PRIu32 " entries", format->name, pairs);
    walk_report(e, &w, NULL, "", value);
    e->depth++;
    for (uint32_t i = 0; i < pairs && !e->stopped; i++) {
        uint64_t key = ml_mp_key(&w.mp);
        const struct ml_wire_field *field = ml_wire_field_of(format, key);
        if (!ml_mp_ok(&w.mp)) {
            stop(e, &w.mp, w.base);
        } else if (field != NULL) {
            walk_member(e, &w, field);
        } else {
            char name[32];
            snprintf(name, sizeof(name), "unknown key %" PRIu64, key);
            walk_value(e, &w, NULL, name);
        }
    }
    if (!e->stopped && ml_mp_end(&w.mp) != ML_OK) {
        stop(e, &w.mp, w.base);
    }
    e->depth--;
}

/* ---- ops ---- */

/* The op's type, 0 when it can't be read. */
static uint16_t op_type(struct ml_slice plain)
{
    struct ml_mp c;
    ml_mp_init(&c, plain, ML_MP_CANONICAL);
    (void)ml_mp_map(&c, 1, UINT32_MAX);
    uint64_t key = ml_mp_key(&c);
    uint64_t type = ml_mp_uint(&c, 0, UINT16_MAX);
    return ml_mp_ok(&c) && key == 1 ? (uint16_t)type : 0;
}

static const struct ml_wire_format *op_format(unsigned lane, unsigned index, struct ml_slice plain)
{
    static const struct ml_wire_format unknown = {.name = "op of an unknown type",
                                                  .kind = ML_WIRE_MAP};
    const struct ml_wire_format *format = NULL;
    if (lane == ML_LANE_GOVERNANCE) {
        format = ml_govop_format(op_type(plain));
    } else if (lane == ML_LANE_KEYS) {
        format = ml_keyop_format(op_type(plain));
    } else if (lane == ML_LANE_TRACE) {
        format = index == 0 ? &ml_format_trace_deposit : &ml_format_trace_entry;
    } else if (lane == ML_LANE_RECORD) {
        format = &ml_format_change;
    } else if (lane == ML_LANE_BLOB) {
        format = &ml_format_manifest_inner;
    }
    return format == NULL ? &unknown : format;
}

static ml_err op_check(unsigned lane, unsigned index, struct ml_slice plain)
{
    union {
        struct ml_govop gov;
        struct ml_keyop key;
        struct ml_trace_deposit deposit;
        struct ml_trace_entry entry;
        struct ml_change change;
        struct ml_manifest_inner manifest;
    } u;
    switch (lane) {
    case ML_LANE_GOVERNANCE:
        return ml_govop_decode(&u.gov, plain, NULL);
    case ML_LANE_KEYS:
        return ml_keyop_decode(&u.key, plain, NULL);
    case ML_LANE_TRACE:
        return index == 0 ? ml_trace_deposit_decode(&u.deposit, plain, NULL)
                          : ml_trace_entry_decode(&u.entry, plain, NULL);
    case ML_LANE_RECORD:
        return ml_change_decode(&u.change, plain, NULL);
    case ML_LANE_BLOB:
        return ml_manifest_inner_decode(&u.manifest, plain, NULL);
    default:
        return ml_mp_check(plain, ML_MP_CANONICAL, NULL);
    }
}

ml_err ml_explain_op(unsigned lane, unsigned index, struct ml_slice plain, ml_explain_cb *cb,
                     void *user)
{
    struct explainer e = {.all = plain, .cb = cb, .user = user, .place = "op"};
    walk_map(&e, op_format(lane, index, plain), plain);
    return op_check(lane, index, plain);
}

/* ---- bundles ---- */

/* In lanes 0 and 1, and for a deposit, the bytes are the plaintext; in lane 4 a manifest, a part of
 * which is sealed; else ciphertext and tag. */
static void explain_sealed(struct explainer *e, unsigned lane, unsigned index,
                           struct ml_slice sealed)
{
    char value[VALUE_TEXT_MAX];
    size_t end = (size_t)(sealed.data - e->all.data) + sealed.len;
    if (lane <= ML_LANE_KEYS || (lane == ML_LANE_TRACE && index == 0)) {
        walk_map(e, op_format(lane, index, sealed), sealed);
        return;
    }
    if (lane == ML_LANE_BLOB) {
        walk_map(e, &ml_format_manifest, sealed);
        return;
    }
    size_t tag = sealed.len < 16 ? sealed.len : 16;
    snprintf(value, sizeof(value), "%zu bytes", sealed.len - tag);
    report(e, end - tag, NULL, "ciphertext", value);
    hex_render(value, sizeof(value), e->all.data + end - tag, tag);
    report(e, end, NULL, "tag", value);
}

static void explain_op_in_body(struct explainer *e, struct walk *w, unsigned lane, unsigned index)
{
    snprintf(e->place, sizeof(e->place), "op %u", index);
    if (ml_mp_peek(&w->mp) == ML_MP_BIN) {
        walk_value(e, w, NULL, "leaf of a shredded op");
        return;
    }
    (void)ml_mp_array(&w->mp, 3, 3);
    walk_report(e, w, NULL, "", "op");
    e->depth++;
    if (!e->stopped) {
        walk_value(e, w, NULL, "dictionary index");
    }
    if (!e->stopped) {
        walk_value(e, w, NULL, "hlc delta");
    }
    if (!e->stopped) {
        struct ml_slice sealed = ml_mp_bin(&w->mp, 0, SIZE_MAX);
        if (!ml_mp_ok(&w->mp)) {
            stop(e, &w->mp, w->base);
        } else {
            report(e, (size_t)(sealed.data - e->all.data), NULL, "", "bin head");
            explain_sealed(e, lane, index, sealed);
        }
    }
    e->depth--;
}

static void explain_body(struct explainer *e, unsigned lane, struct ml_slice body)
{
    struct walk w;
    char value[VALUE_TEXT_MAX];
    walk_begin(e, &w, body);
    uint32_t count = ml_mp_array(&w.mp, 0, UINT32_MAX);
    snprintf(value, sizeof(value), "%" PRIu32 " ops", count);
    walk_report(e, &w, NULL, "", value);
    e->depth++;
    for (uint32_t i = 0; i < count && !e->stopped; i++) {
        explain_op_in_body(e, &w, lane, i);
    }
    e->depth--;
    if (!e->stopped && ml_mp_end(&w.mp) != ML_OK) {
        stop(e, &w.mp, w.base);
    }
}

/* The lane, for ops inside a header that may not decode; 3 (sealed) when it can't be read. */
static unsigned header_lane(struct ml_slice header)
{
    struct ml_mp c;
    ml_mp_init(&c, header, ML_MP_CANONICAL);
    uint32_t pairs = ml_mp_map(&c, 0, UINT32_MAX);
    for (uint32_t i = 0; i < pairs && ml_mp_ok(&c); i++) {
        if (ml_mp_key(&c) == 4) {
            uint64_t lane = ml_mp_uint(&c, 0, ML_LANES - 1);
            return ml_mp_ok(&c) ? (unsigned)lane : ML_LANE_RECORD;
        }
        (void)ml_mp_value(&c);
    }
    return ML_LANE_RECORD;
}

static void explain_wire(struct explainer *e)
{
    struct walk w;
    walk_begin(e, &w, e->all);
    (void)ml_mp_array(&w.mp, 3, 3);
    walk_report(e, &w, NULL, "", "bundle");
    struct ml_slice header = ml_mp_bin(&w.mp, 0, SIZE_MAX);
    if (e->stopped) {
        return;
    }
    if (!ml_mp_ok(&w.mp)) {
        stop(e, &w.mp, 0);
        return;
    }
    place_set(e, "header");
    report(e, (size_t)(header.data - e->all.data), NULL, "", "bin head");
    walk_map(e, &ml_format_header, header);
    if (e->stopped) {
        return;
    }
    place_set(e, "signature");
    walk_value(e, &w, &ml_format_bundle.fields[1], "sig");
    if (e->stopped) {
        return;
    }
    place_set(e, "body");
    if (ml_mp_peek(&w.mp) != ML_MP_BIN) {
        walk_value(e, &w, &ml_format_bundle.fields[2], "absent");
    } else {
        struct ml_slice body = ml_mp_bin(&w.mp, 0, SIZE_MAX);
        report(e, (size_t)(body.data - e->all.data), NULL, "", "bin head");
        explain_body(e, header_lane(header), body);
    }
    if (!e->stopped && ml_mp_end(&w.mp) != ML_OK) {
        stop(e, &w.mp, 0);
    }
}

ml_err ml_explain_bundle(struct ml_slice wire, ml_explain_cb *cb, void *user,
                         struct ml_fault *fault)
{
    struct explainer e = {.all = wire, .cb = cb, .user = user, .place = "bundle"};
    struct ml_bundle bundle;
    explain_wire(&e);
    return ml_bundle_decode(&bundle, wire, fault);
}

/* ---- messages ---- */

static void explain_hello(struct explainer *e)
{
    static const struct {
        const char *name;
        size_t end;
    } parts[] = {{"version", 1}, {"flags", 2}, {"hlc", 10}, {"capabilities", 14}, {"digest", 46}};
    char value[VALUE_TEXT_MAX];
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t end = parts[i].end < e->all.len ? parts[i].end : e->all.len;
        hex_render(value, sizeof(value), e->all.data + e->done, end - e->done);
        report(e, end, NULL, parts[i].name, value);
    }
    report(e, e->all.len, NULL, "?", "bytes after the end");
}

ml_err ml_explain_msg(struct ml_slice msg, ml_explain_cb *cb, void *user, struct ml_fault *fault)
{
    struct explainer e = {.all = msg, .cb = cb, .user = user};
    struct ml_msg decoded;
    const struct ml_wire_format *format =
        msg.len == 0 ? NULL : ml_msg_format((ml_msg_kind)msg.data[0]);
    if (format != NULL) {
        place_set(&e, format->name);
        report(&e, 1, NULL, "kind", format->name);
        walk_map(&e, format, ml_slice(msg.data + 1, msg.len - 1));
    } else if (msg.len > 0 && msg.data[0] <= ML_MSG_VERSION_LAST) {
        place_set(&e, "HELLO");
        explain_hello(&e);
    } else {
        report(&e, msg.len, NULL, "?", "an unknown kind of message");
    }
    return ml_msg_decode(&decoded, msg, fault);
}
