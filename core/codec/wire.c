/* core/codec/wire.c -- see wire.h.
 *
 * Two levels, so that nothing recurses: an object's members may be lists or tuples, whose own
 * members are scalars. Decoding goes into a scratch object and is copied out when all was accepted.
 */
#include "core/codec/wire.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"
#include "core/codec/mp_write.h"

enum {
    OBJECT_MAX = 2048, /* bytes of the largest struct that a table fills */
    ITEM_MAX = 256,    /* bytes of the largest list item's struct */
};

union object {
    max_align_t align;
    uint8_t bytes[OBJECT_MAX];
};

union item {
    max_align_t align;
    uint8_t bytes[ITEM_MAX];
};

const struct ml_wire_field *ml_wire_field_of(const struct ml_wire_format *format, uint64_t key)
{
    for (size_t i = 0; i < format->field_count; i++) {
        if (format->fields[i].key == key) {
            return &format->fields[i];
        }
    }
    return NULL;
}

/* Members are uint8_t, uint16_t, uint32_t or uint64_t, and int16_t, int32_t or int64_t. */
static void uint_store(void *member, uint16_t size, uint64_t v)
{
    ML_ASSERT(size == 1 || size == 2 || size == 4 || size == 8);
    if (size == 1) {
        *(uint8_t *)member = (uint8_t)v;
    } else if (size == 2) {
        *(uint16_t *)member = (uint16_t)v;
    } else if (size == 4) {
        *(uint32_t *)member = (uint32_t)v;
    } else {
        *(uint64_t *)member = v;
    }
}

static uint64_t uint_load(const void *member, uint16_t size)
{
    ML_ASSERT(size == 1 || size == 2 || size == 4 || size == 8);
    if (size == 1) {
        return *(const uint8_t *)member;
    }
    if (size == 2) {
        return *(const uint16_t *)member;
    }
    return size == 4 ? *(const uint32_t *)member : *(const uint64_t *)member;
}

static int64_t int_load(const void *member, uint16_t size)
{
    ML_ASSERT(size == 2 || size == 4 || size == 8);
    if (size == 2) {
        return *(const int16_t *)member;
    }
    return size == 4 ? *(const int32_t *)member : *(const int64_t *)member;
}

static const void *member_of(const void *object, const struct ml_wire_field *f)
{
    return (const uint8_t *)object + f->offset;
}

static bool scalar_is_zero(const struct ml_wire_field *f, const void *member)
{
    if (f->type == ML_WIRE_BIN || f->type == ML_WIRE_TEXT || f->type == ML_WIRE_VALUE ||
        f->type == ML_WIRE_SYSTEM) {
        return ((const struct ml_slice *)member)->len == 0;
    }
    if (f->type == ML_WIRE_REF || f->type == ML_WIRE_BODY) {
        return false;
    }
    return ml_is_zero(member, f->size);
}

static bool member_is_zero(const struct ml_wire_field *f, const void *member)
{
    if (f->type == ML_WIRE_LIST) {
        return ((const struct ml_list *)member)->count == 0;
    }
    if (f->type != ML_WIRE_TUPLE) {
        return scalar_is_zero(f, member);
    }
    for (size_t i = 0; i < f->item->field_count; i++) {
        const struct ml_wire_field *part = &f->item->fields[i];
        if (!scalar_is_zero(part, member_of(member, part))) {
            return false;
        }
    }
    return true;
}

/* ---- decoding ---- */

static void ref_read(struct ml_mp *c, struct ml_version_ref *out)
{
    *out = (struct ml_version_ref){.same_bundle = ml_mp_peek(c) != ML_MP_ARRAY};
    if (!out->same_bundle) {
        (void)ml_mp_array(c, 2, 2);
        ml_mp_fixed(c, out->id.bundle.b, sizeof(out->id.bundle.b));
    }
    out->id.index = (uint8_t)ml_mp_uint(c, 0, UINT8_MAX);
}

static void body_read(struct ml_mp *c, const struct ml_wire_field *f, struct ml_wire_body *out)
{
    *out = (struct ml_wire_body){0};
    if (ml_mp_peek(c) == ML_MP_BIN) {
        out->bytes = ml_mp_bin(c, f->min, f->max);
    } else {
        out->absent = (uint8_t)ml_mp_uint(c, 1, UINT8_MAX);
    }
}

static struct ml_slice value_read(struct ml_mp *c, const struct ml_wire_field *f)
{
    size_t at = c->pos;
    struct ml_slice v = ml_mp_value(c);
    if (ml_mp_ok(c) && (v.len < f->min || v.len > f->max)) {
        ml_mp_fail(c, ML_FAULT_RANGE, at);
    }
    return v;
}

static struct ml_slice system_read(struct ml_mp *c, const struct ml_wire_field *f)
{
    size_t at = c->pos;
    if (ml_mp_peek(c) == ML_MP_UINT) {
        struct ml_slice uri = ml_code_system_uri(ml_mp_uint(c, 0, UINT16_MAX));
        if (uri.len == 0) {
            ml_mp_fail(c, ML_FAULT_RANGE, at);
        }
        return uri;
    }
    struct ml_slice uri = ml_mp_str(c, f->min, f->max);
    if (ml_mp_ok(c) && ml_code_system_number(uri) != 0) {
        ml_mp_fail(c, ML_FAULT_NOT_SHORTEST, at);
    }
    return uri;
}

static void number_read(struct ml_mp *c, const struct ml_wire_field *f, void *member)
{
    if (f->type == ML_WIRE_BOOL) {
        *(bool *)member = ml_mp_bool(c);
    } else if (f->type == ML_WIRE_INT) {
        int64_t v = ml_mp_int(c, -(int64_t)f->max, (int64_t)f->max);
        uint_store(member, f->size, (uint64_t)v);
    } else {
        uint_store(member, f->size,
                   ml_mp_uint(c, f->flags & ML_WIRE_OPTIONAL ? 0 : f->min, f->max));
    }
}

void ml_wire_read_scalar(struct ml_mp *c, const struct ml_wire_field *field, void *member)
{
    switch (field->type) {
    case ML_WIRE_UINT:
    case ML_WIRE_INT:
    case ML_WIRE_BOOL:
        number_read(c, field, member);
        return;
    case ML_WIRE_FIXED:
        ml_mp_fixed(c, member, field->size);
        return;
    case ML_WIRE_BIN:
        *(struct ml_slice *)member = ml_mp_bin(c, field->min, field->max);
        return;
    case ML_WIRE_TEXT:
        *(struct ml_slice *)member = ml_mp_str(c, field->min, field->max);
        return;
    case ML_WIRE_VALUE:
        *(struct ml_slice *)member = value_read(c, field);
        return;
    case ML_WIRE_BODY:
        body_read(c, field, member);
        return;
    case ML_WIRE_REF:
        ref_read(c, member);
        return;
    case ML_WIRE_SYSTEM:
        *(struct ml_slice *)member = system_read(c, field);
        return;
    case ML_WIRE_TUPLE:
    case ML_WIRE_LIST:
        break;
    }
    ML_ASSERT(field->type < ML_WIRE_TUPLE); /* the tables are ours */
}

/* The innermost name stays: the first to see the fault sets it. */
static void blame(struct ml_mp *c, const char *name)
{
    if (!ml_mp_ok(c) && c->fault.where == NULL) {
        c->fault.where = name;
    }
}

static void item_read(struct ml_mp *c, const struct ml_wire_format *item, void *object)
{
    uint16_t count = item->field_count;
    if (item->kind == ML_WIRE_ARRAY) {
        (void)ml_mp_array(c, count, count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct ml_wire_field *f = &item->fields[i];
        ml_wire_read_scalar(c, f, (uint8_t *)object + f->offset);
        blame(c, f->name);
    }
    const char *broken = ml_mp_ok(c) && item->check != NULL ? item->check(object) : NULL;
    if (broken != NULL) {
        ml_mp_fail(c, ML_FAULT_RULE, c->pos);
        blame(c, broken);
    }
}

static void list_read(struct ml_mp *c, const struct ml_wire_field *f, struct ml_list *out)
{
    union item scratch;
    struct ml_slice last = {NULL, 0};
    ML_ASSERT(f->item->size <= ITEM_MAX);
    uint32_t count = ml_mp_array(c, (uint32_t)f->min, (uint32_t)f->max);
    size_t start = c->pos;
    for (uint32_t i = 0; i < count && ml_mp_ok(c); i++) {
        size_t at = c->pos;
        item_read(c, f->item, scratch.bytes);
        struct ml_slice raw = {c->data + at, c->pos - at};
        if (f->flags & ML_WIRE_SORTED && i > 0 && ml_slice_compare(last, raw) >= 0) {
            ml_mp_fail(c, ML_FAULT_LIST_ORDER, at);
        }
        last = raw;
    }
    *out = (struct ml_list){.raw = {c->data + start, c->pos - start}, .count = count};
}

static void member_read(struct ml_mp *c, const struct ml_wire_field *f, void *object)
{
    void *member = (uint8_t *)object + f->offset;
    size_t at = c->pos;
    if (f->type == ML_WIRE_LIST) {
        list_read(c, f, member);
    } else if (f->type == ML_WIRE_TUPLE) {
        item_read(c, f->item, member);
    } else {
        ml_wire_read_scalar(c, f, member);
    }
    if (ml_mp_ok(c) && f->flags & ML_WIRE_OPTIONAL && member_is_zero(f, member)) {
        ml_mp_fail(c, ML_FAULT_NOT_OMITTED, at);
    }
    blame(c, f->name);
}

/* Reads the keys that the format doesn't have; the first one, `key`, is read already. */
static void extra_read(struct ml_mp *c, const struct ml_wire_format *format, void *object,
                       const size_t at_and_pairs[2])
{
    size_t start = at_and_pairs[0];
    if (format->extra_offset == ML_WIRE_CLOSED) {
        ml_mp_fail(c, ML_FAULT_UNKNOWN_KEY, start);
        return;
    }
    (void)ml_mp_value(c);
    for (size_t i = 1; i < at_and_pairs[1]; i++) {
        (void)ml_mp_key(c);
        (void)ml_mp_value(c);
    }
    struct ml_wire_extra *extra = (void *)((uint8_t *)object + format->extra_offset);
    *extra = (struct ml_wire_extra){.raw = {c->data + start, c->pos - start},
                                    .pairs = (uint32_t)at_and_pairs[1]};
}

/* Passes the fields below `key`: each must be optional. Returns the first field at or above it. */
static size_t fields_pass(struct ml_mp *c, const struct ml_wire_format *format, size_t next,
                          uint64_t key)
{
    while (next < format->field_count && format->fields[next].key < key) {
        if (ml_mp_ok(c) && (format->fields[next].flags & ML_WIRE_OPTIONAL) == 0) {
            ml_mp_fail(c, ML_FAULT_MISSING, c->pos);
            blame(c, format->fields[next].name);
        }
        next++;
    }
    return next;
}

static void map_read(struct ml_mp *c, const struct ml_wire_format *format, void *object)
{
    uint32_t pairs = ml_mp_map(c, 0, UINT32_MAX);
    size_t next = 0;
    for (uint32_t i = 0; i < pairs && ml_mp_ok(c); i++) {
        size_t at = c->pos;
        uint64_t key = ml_mp_key(c);
        next = fields_pass(c, format, next, key);
        if (!ml_mp_ok(c)) {
            return;
        }
        if (next == format->field_count) {
            extra_read(c, format, object, (const size_t[2]){at, pairs - i});
            return;
        }
        if (format->fields[next].key != key) {
            ml_mp_fail(c, ML_FAULT_UNKNOWN_KEY, at);
            return;
        }
        member_read(c, &format->fields[next++], object);
    }
    (void)fields_pass(c, format, next, UINT64_MAX);
}

static void tuple_read(struct ml_mp *c, const struct ml_wire_format *format, void *object)
{
    (void)ml_mp_array(c, format->field_count, format->field_count);
    for (size_t i = 0; i < format->field_count && ml_mp_ok(c); i++) {
        member_read(c, &format->fields[i], object);
    }
}

ml_err ml_wire_decode(const struct ml_wire_format *format, void *out, struct ml_slice in,
                      struct ml_fault *fault)
{
    struct ml_mp c;
    union object scratch;
    ML_ASSERT(format->size <= OBJECT_MAX && format->kind != ML_WIRE_SCALAR);
    memset(scratch.bytes, 0, format->size);
    ml_mp_init(&c, in, ML_MP_CANONICAL);
    if (format->kind == ML_WIRE_MAP) {
        map_read(&c, format, scratch.bytes);
    } else {
        tuple_read(&c, format, scratch.bytes);
    }
    ml_err err = ml_mp_end(&c);
    const char *broken =
        err == ML_OK && format->check != NULL ? format->check(scratch.bytes) : NULL;
    if (broken != NULL) {
        ml_mp_fail(&c, ML_FAULT_RULE, 0);
        blame(&c, broken);
        err = ML_E_MALFORMED;
    }
    if (err == ML_OK) {
        memcpy(out, scratch.bytes, format->size);
    } else if (fault != NULL) {
        *fault = c.fault;
    }
    return err;
}

const struct ml_wire_format *ml_wire_family_of(const struct ml_wire_family *family, uint16_t type)
{
    const bool within = type >= 1 && type <= family->type_count;
    return within && family->types[type - 1].fields != NULL ? &family->types[type - 1] : NULL;
}

ml_err ml_wire_decode_op(const struct ml_wire_family *family, void *out, struct ml_slice in,
                         struct ml_fault *fault)
{
    union object scratch;
    size_t size = family->any->size;
    ML_ASSERT(size <= OBJECT_MAX);
    memset(scratch.bytes, 0, size);
    ml_err err = ml_wire_decode(family->any, scratch.bytes, in, fault);
    if (err != ML_OK) {
        return err;
    }
    uint16_t type = *(uint16_t *)(void *)(scratch.bytes + family->type_offset);
    const struct ml_wire_format *format = ml_wire_family_of(family, type);
    if (format != NULL) {
        err = ml_wire_decode(format, scratch.bytes, in, fault);
    }
    if (err == ML_OK) {
        *(bool *)(void *)(scratch.bytes + family->known_offset) = format != NULL;
        *(struct ml_slice *)(void *)(scratch.bytes + family->raw_offset) = in;
        memcpy(out, scratch.bytes, size);
    }
    return err;
}

void ml_list_walk(struct ml_list_walk *walk, const struct ml_list *list)
{
    ml_mp_init(&walk->mp, list->raw, ML_MP_CANONICAL);
    walk->left = list->count;
}

bool ml_list_next(struct ml_list_walk *walk, const struct ml_wire_format *item, void *out)
{
    if (walk->left == 0 || !ml_mp_ok(&walk->mp)) {
        return false;
    }
    memset(out, 0, item->size);
    item_read(&walk->mp, item, out);
    walk->left--;
    return ml_mp_ok(&walk->mp);
}

/* ---- encoding: each _write returns false for what decoding would refuse ---- */

static bool slice_fits(const struct ml_wire_field *f, struct ml_slice s)
{
    return s.len >= f->min && s.len <= f->max;
}

/* Inside an object the depth is one already. */
static bool value_is_canonical(struct ml_slice v)
{
    struct ml_mp c;
    ml_mp_init(&c, v, ML_MP_CANONICAL);
    c.depth = 1;
    c.frames[0] = (struct ml_mp_frame){.left = 2};
    (void)ml_mp_value(&c);
    return ml_mp_ok(&c) && c.pos == c.len;
}

static bool number_write(struct ml_buf *b, const struct ml_wire_field *f, const void *member)
{
    if (f->type == ML_WIRE_BOOL) {
        ml_mp_put_bool(b, *(const bool *)member);
        return true;
    }
    if (f->type == ML_WIRE_INT) {
        int64_t v = int_load(member, f->size);
        ml_mp_put_int(b, v);
        return v >= -(int64_t)f->max && v <= (int64_t)f->max;
    }
    uint64_t v = uint_load(member, f->size);
    ml_mp_put_uint(b, v);
    return v >= f->min && v <= f->max;
}

static bool slice_write(struct ml_buf *b, const struct ml_wire_field *f, struct ml_slice s)
{
    if (f->type == ML_WIRE_BIN) {
        ml_mp_put_bin(b, s);
        return slice_fits(f, s);
    }
    if (f->type == ML_WIRE_TEXT) {
        ml_mp_put_str(b, s);
        return slice_fits(f, s) && ml_utf8_valid(s);
    }
    ml_mp_put_raw(b, s);
    return slice_fits(f, s) && value_is_canonical(s);
}

static bool body_write(struct ml_buf *b, const struct ml_wire_field *f,
                       const struct ml_wire_body *body)
{
    if (body->absent != 0) {
        ml_mp_put_uint(b, body->absent);
        return true;
    }
    ml_mp_put_bin(b, body->bytes);
    return slice_fits(f, body->bytes);
}

static bool system_write(struct ml_buf *b, const struct ml_wire_field *f, struct ml_slice uri)
{
    uint16_t number = ml_code_system_number(uri);
    if (number != 0) {
        ml_mp_put_uint(b, number);
        return true;
    }
    ml_mp_put_str(b, uri);
    return slice_fits(f, uri) && ml_utf8_valid(uri);
}

static void ref_write(struct ml_buf *b, const struct ml_version_ref *ref)
{
    if (!ref->same_bundle) {
        ml_mp_put_array(b, 2);
        ml_mp_put_bin(b, ml_slice(ref->id.bundle.b, sizeof(ref->id.bundle.b)));
    }
    ml_mp_put_uint(b, ref->id.index);
}

static bool scalar_write(struct ml_buf *b, const struct ml_wire_field *f, const void *member)
{
    switch (f->type) {
    case ML_WIRE_UINT:
    case ML_WIRE_INT:
    case ML_WIRE_BOOL:
        return number_write(b, f, member);
    case ML_WIRE_FIXED:
        ml_mp_put_bin(b, ml_slice(member, f->size));
        return true;
    case ML_WIRE_BIN:
    case ML_WIRE_TEXT:
    case ML_WIRE_VALUE:
        return slice_write(b, f, *(const struct ml_slice *)member);
    case ML_WIRE_BODY:
        return body_write(b, f, member);
    case ML_WIRE_REF:
        ref_write(b, member);
        return true;
    case ML_WIRE_SYSTEM:
        return system_write(b, f, *(const struct ml_slice *)member);
    case ML_WIRE_TUPLE:
    case ML_WIRE_LIST:
        break;
    }
    ML_ASSERT(f->type < ML_WIRE_TUPLE);
    return false;
}

static bool item_write(struct ml_buf *b, const struct ml_wire_format *item, const void *object)
{
    bool good = item->check == NULL || item->check(object) == NULL;
    if (item->kind == ML_WIRE_ARRAY) {
        ml_mp_put_array(b, item->field_count);
    }
    for (size_t i = 0; i < item->field_count; i++) {
        const struct ml_wire_field *f = &item->fields[i];
        good = scalar_write(b, f, member_of(object, f)) && good;
    }
    return good;
}

static bool list_write(struct ml_buf *b, const struct ml_wire_field *f, const struct ml_list *list)
{
    bool good = list->count >= f->min && list->count <= f->max;
    ml_mp_put_array(b, list->count);
    if (list->items == NULL) {
        ml_mp_put_raw(b, list->raw);
        return good;
    }
    size_t last_at = 0;
    size_t last_len = 0;
    for (uint32_t i = 0; i < list->count && good && b->err == ML_OK; i++) {
        size_t at = b->len;
        good = item_write(b, f->item, (const uint8_t *)list->items + (size_t)i * f->item->size);
        if (b->err == ML_OK && f->flags & ML_WIRE_SORTED && i > 0) {
            good = good && ml_slice_compare(ml_slice(b->data + last_at, last_len),
                                            ml_slice(b->data + at, b->len - at)) < 0;
        }
        last_at = at;
        last_len = b->len - at;
    }
    return good;
}

static bool member_write(struct ml_buf *b, const struct ml_wire_field *f, const void *object)
{
    const void *member = member_of(object, f);
    if (f->type == ML_WIRE_LIST) {
        return list_write(b, f, member);
    }
    if (f->type == ML_WIRE_TUPLE) {
        return item_write(b, f->item, member);
    }
    return scalar_write(b, f, member);
}

static bool member_is_omitted(const struct ml_wire_field *f, const void *object)
{
    return f->flags & ML_WIRE_OPTIONAL && member_is_zero(f, member_of(object, f));
}

static bool object_write(struct ml_buf *b, const struct ml_wire_format *format, const void *object)
{
    bool map = format->kind == ML_WIRE_MAP;
    bool good = format->check == NULL || format->check(object) == NULL;
    uint32_t count = 0;
    struct ml_wire_extra extra = {{NULL, 0}, 0};
    if (format->extra_offset != ML_WIRE_CLOSED) {
        memcpy(&extra, (const uint8_t *)object + format->extra_offset, sizeof(extra));
    }
    for (size_t i = 0; i < format->field_count; i++) {
        count += !member_is_omitted(&format->fields[i], object);
    }
    if (map) {
        ml_mp_put_map(b, count + extra.pairs);
    } else {
        ml_mp_put_array(b, count);
    }
    for (size_t i = 0; i < format->field_count && good; i++) {
        const struct ml_wire_field *f = &format->fields[i];
        if (member_is_omitted(f, object)) {
            continue;
        }
        if (map) {
            ml_mp_put_uint(b, f->key);
        }
        good = member_write(b, f, object);
    }
    ml_mp_put_raw(b, extra.raw);
    return good;
}

ml_err ml_wire_encode(const struct ml_wire_format *format, struct ml_buf *out, const void *object)
{
    size_t start = out->len;
    if (out->err != ML_OK) {
        return out->err;
    }
    bool good = object_write(out, format, object);
    if (good && out->err == ML_OK) {
        return ML_OK;
    }
    out->len = start;
    return out->err != ML_OK ? out->err : ML_E_INVALID;
}
