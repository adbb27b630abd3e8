/* core/record/values_text.c -- values in French (see values.h; peers 4.3: leading zero, decimal
 * comma, no trailing zero in a dose, nothing truncated). */
#include <stdio.h>
#include <string.h>

#include "core/codec/change.h"
#include "core/codec/mp_read.h"
#include "core/codec/value.h"
#include "core/record/date.h"
#include "core/record/units.h"
#include "core/record/values.h"

struct text {
    struct ml_buf *out;
    const struct ml_text_args *args;
    const struct ml_field *field;
    const struct ml_value_set *set;
};

static void put(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

static void put_slice(struct ml_buf *out, struct ml_slice s)
{
    ml_buf_append(out, s.data, s.len);
}

static void unreadable(const struct text *t)
{
    put(t->out, "(illisible)");
}

void ml_decimal_text(struct ml_buf *out, struct ml_slice decimal, bool keep_zeros)
{
    size_t len = decimal.len;
    bool fraction = len > 0 && memchr(decimal.data, '.', len) != NULL &&
                    memchr(decimal.data, 'e', len) == NULL &&
                    memchr(decimal.data, 'E', len) == NULL;
    while (fraction && !keep_zeros && len > 1 && decimal.data[len - 1] == '0') {
        len--;
    }
    if (fraction && len > 1 && decimal.data[len - 1] == '.') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        bool bare = decimal.data[i] == '.' && (i == 0 || decimal.data[i - 1] == '-');
        if (bare) {
            put(out, "0");
        }
        ml_buf_u8(out, decimal.data[i] == '.' ? ',' : decimal.data[i]);
    }
}

static struct ml_slice opt_str(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_STR) {
        ml_mp_value(mp);
        return ml_slice(NULL, 0);
    }
    return ml_mp_str(mp, 0, ML_CHANGE_VALUE_MAX);
}

static void put_unit(struct ml_buf *out, struct ml_slice ucum)
{
    struct ml_slice unit = ml_unit_fr(ucum);
    put(out, unit.len > 0 && unit.data[0] != '/' ? " " : "");
    put_slice(out, unit);
}

static void quantity_text(const struct text *t, struct ml_mp *mp, bool dose)
{
    uint32_t count = ml_mp_array(mp, 2, 6);
    struct ml_slice number = opt_str(mp);
    struct ml_slice unit = opt_str(mp);
    if (count > 2) {
        struct ml_slice comparator = opt_str(mp);
        put_slice(t->out, comparator);
        put(t->out, comparator.len > 0 ? " " : "");
    }
    for (uint32_t i = 3; i < count; i++) {
        ml_mp_value(mp);
    }
    ml_decimal_text(t->out, number, !dose);
    put_unit(t->out, unit);
}

/* Is `code` one of "a|b|c"? */
static bool one_of(const char *list, struct ml_slice code)
{
    for (const char *p = list; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, "|");
        if (ml_slice_equal(ml_slice(p, len), code)) {
            return true;
        }
        p += len + (p[len] == '|');
    }
    return false;
}

static const char *code_label(const struct text *t, struct ml_slice code)
{
    for (size_t i = 0; t->set != NULL && i < t->set->item_count; i++) {
        const struct ml_value_set_item *item = &t->set->items[i];
        if (ml_slice_equal(ml_slice_str(item->code), code) || one_of(item->fhir, code)) {
            return item->label_fr;
        }
    }
    return NULL;
}

static void code_text(const struct text *t, struct ml_mp *mp)
{
    ml_mp_array(mp, 3, 3);
    ml_mp_value(mp);
    struct ml_slice code = opt_str(mp);
    struct ml_slice display = opt_str(mp);
    const char *label = code_label(t, code);
    if (label != NULL) {
        put(t->out, label);
    } else {
        put_slice(t->out, display.len > 0 ? display : code);
    }
}

/* The label in the field's list of a code of the list's own system; NULL when it has none. */
static const char *listed_label(const struct text *t, const struct ml_code *code)
{
    bool ours = t->set != NULL && ml_slice_equal(code->scheme, ml_slice_str(t->set->system_uri));
    return ours ? code_label(t, code->code) : NULL;
}

/* What a person wrote; where the text only repeats what a code is called, its French label. */
static void concept_text(const struct text *t, struct ml_mp *mp)
{
    ml_mp_array(mp, 2, 2);
    struct ml_slice own = opt_str(mp);
    uint32_t count = ml_mp_array(mp, 0, 64);
    const char *label = NULL;
    struct ml_slice first = {NULL, 0};
    for (uint32_t i = 0; i < count; i++) {
        struct ml_code code;
        if (ml_code_decode(&code, ml_mp_value(mp)) != ML_OK) {
            continue;
        }
        bool repeats = own.len == 0 || ml_slice_equal(own, code.display);
        label = label == NULL && repeats ? listed_label(t, &code) : label;
        first = first.len > 0 ? first : code.display.len > 0 ? code.display : code.code;
    }
    if (label != NULL) {
        put(t->out, label);
    } else {
        put_slice(t->out, own.len > 0 ? own : first);
    }
}

static void instant_text(const struct text *t, struct ml_slice value)
{
    struct ml_instant instant;
    if (ml_wire_decode(&ml_format_instant, &instant, value, NULL) != ML_OK) {
        unreadable(t);
        return;
    }
    ml_instant_text(t->out, &instant);
}

static void period_text(const struct text *t, struct ml_mp *mp)
{
    ml_mp_array(mp, 2, 2);
    struct ml_slice from = ml_mp_value(mp);
    struct ml_slice to = ml_mp_value(mp);
    bool has_from = from.len > 1;
    bool has_to = to.len > 1;
    if (has_from) {
        put(t->out, has_to ? "du " : "depuis le ");
        instant_text(t, from);
    }
    if (has_to) {
        put(t->out, has_from ? " au " : "jusqu'au ");
        instant_text(t, to);
    }
}

static void date_text(const struct text *t, struct ml_mp *mp)
{
    struct ml_date date;
    if (ml_date_parse(opt_str(mp), &date)) {
        ml_date_text(t->out, &date);
    } else {
        unreadable(t);
    }
}

static void ref_text(const struct text *t, struct ml_mp *mp)
{
    struct ml_slice bytes = ml_mp_bin(mp, 16, 16);
    struct ml_object_id id;
    size_t before = t->out->len;
    if (bytes.len == sizeof(id.b) && t->args->ref != NULL) {
        memcpy(id.b, bytes.data, sizeof(id.b));
        t->args->ref(t->args->user, &id, t->out);
    }
    if (t->out->len == before) {
        put(t->out, "(référence)");
    }
}

/* The texts of an array, joined; only those whose bit is set in `wanted`. */
static void parts_text(const struct text *t, struct ml_mp *mp, unsigned wanted,
                       const char *separator)
{
    uint32_t count = ml_mp_array(mp, 0, 256);
    bool first = true;
    for (uint32_t i = 0; i < count; i++) {
        struct ml_slice part = opt_str(mp);
        if (part.len > 0 && (i >= 32 || (wanted >> i & 1u) != 0)) {
            put(t->out, first ? "" : separator);
            put_slice(t->out, part);
            first = false;
        }
    }
}

static void name_text(const struct text *t, struct ml_mp *mp)
{
    ml_mp_array(mp, 5, 5);
    ml_mp_value(mp);
    put_slice(t->out, opt_str(mp));
    put(t->out, " ");
    parts_text(t, mp, ~0u, " ");
    ml_mp_value(mp);
    ml_mp_value(mp);
}

static void address_text(const struct text *t, struct ml_mp *mp)
{
    ml_mp_array(mp, 7, 7);
    ml_mp_value(mp);
    parts_text(t, mp, ~0u, ", ");
    for (int i = 0; i < 5; i++) {
        struct ml_slice part = opt_str(mp);
        if (part.len > 0 && i < 2) {
            put(t->out, i == 0 ? ", " : " ");
            put_slice(t->out, part);
        }
    }
}

/* The text that a map holds under its key 2 (a dosage's, an attachment's title). */
static void map_text(const struct text *t, struct ml_slice map)
{
    struct ml_slice value;
    struct ml_mp mp;
    if (ml_fields_find(map, 2, &value)) {
        ml_mp_init(&mp, value, ML_MP_CANONICAL);
        struct ml_slice text = opt_str(&mp);
        if (text.len > 0) {
            put_slice(t->out, text);
            return;
        }
    }
    put(t->out, t->field->type == ML_TYPE_DOSAGE ? "(posologie structurée)" : "(pièce jointe)");
}

static void number_text(const struct text *t, struct ml_mp *mp)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%lld", (long long)ml_mp_int(mp, INT64_MIN, INT64_MAX));
    ml_buf_append(t->out, text, (size_t)len);
}

/* An array of a VALUE: what it is shows in its shape. */
static void array_text(const struct text *t, struct ml_mp *mp)
{
    struct ml_slice value = ml_mp_value(mp);
    struct ml_mp in;
    ml_mp_init(&in, value, ML_MP_CANONICAL);
    ml_field_type shape = ml_value_shape_of(value);
    if (shape == ML_TYPE_INSTANT) {
        instant_text(t, value);
    } else if (shape == ML_TYPE_CONCEPT) {
        concept_text(t, &in);
    } else if (shape == ML_TYPE_PERIOD) {
        period_text(t, &in);
    } else if (shape == ML_TYPE_QUANTITY) {
        quantity_text(t, &in, false);
    } else if (shape == ML_TYPE_CODE) {
        code_text(t, &in);
    } else {
        unreadable(t);
    }
}

static void value_text(const struct text *t, struct ml_mp *mp)
{
    switch (ml_mp_peek(mp)) {
    case ML_MP_BOOL:
        put(t->out, ml_mp_bool(mp) ? "oui" : "non");
        break;
    case ML_MP_UINT:
    case ML_MP_NEGATIVE:
        number_text(t, mp);
        break;
    case ML_MP_STR:
        put_slice(t->out, opt_str(mp));
        break;
    case ML_MP_ARRAY:
        array_text(t, mp);
        break;
    case ML_MP_NIL:
        ml_mp_nil(mp);
        break;
    case ML_MP_NONE:
    case ML_MP_BIN:
    case ML_MP_MAP:
    case ML_MP_FLOAT:
        ml_mp_value(mp);
        unreadable(t);
        break;
    }
}

static void component_text(const struct text *t, struct ml_mp *mp)
{
    uint32_t count = ml_mp_array(mp, 2, 4);
    concept_text(t, mp);
    put(t->out, " ");
    value_text(t, mp);
    for (uint32_t i = 2; i < count; i++) {
        ml_mp_value(mp);
    }
}

static void item_text(const struct text *t, struct ml_mp *mp)
{
    switch (t->field->type) {
    case ML_TYPE_QUANTITY:
        quantity_text(t, mp, t->field->merge == ML_MERGE_ATOMIC); /* doses are in groups */
        break;
    case ML_TYPE_DECIMAL:
        ml_decimal_text(t->out, opt_str(mp), false);
        break;
    case ML_TYPE_CODE:
        code_text(t, mp);
        break;
    case ML_TYPE_CONCEPT:
        concept_text(t, mp);
        break;
    case ML_TYPE_DATE:
        date_text(t, mp);
        break;
    case ML_TYPE_INSTANT:
        instant_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_PERIOD:
        period_text(t, mp);
        break;
    case ML_TYPE_REF:
        ref_text(t, mp);
        break;
    case ML_TYPE_IDENTIFIER:
    case ML_TYPE_CONTACT:
        parts_text(t, mp, 2, "");
        break;
    case ML_TYPE_NAME:
        name_text(t, mp);
        break;
    case ML_TYPE_ADDRESS:
        address_text(t, mp);
        break;
    case ML_TYPE_COMPONENT:
        component_text(t, mp);
        break;
    case ML_TYPE_DOSAGE:
    case ML_TYPE_ATTACHMENT:
        map_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_TEXT:
    case ML_TYPE_BOOL:
    case ML_TYPE_INT:
    case ML_TYPE_VALUE:
        value_text(t, mp);
        break;
    }
}

void ml_value_text_fr(struct ml_buf *out, const struct ml_text_args *args,
                      const struct ml_field *field, struct ml_slice value)
{
    const struct text t = {.out = out,
                           .args = args,
                           .field = field,
                           .set = field->value_set == NULL
                                      ? NULL
                                      : ml_schema_value_set(args->schema, field->value_set)};
    struct ml_mp mp;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    if (!ml_value_fits(field, value)) {
        unreadable(&t);
        return;
    }
    if (ml_mp_peek(&mp) == ML_MP_NIL) {
        return;
    }
    uint32_t count = field->list ? ml_mp_array(&mp, 0, 1024) : 1;
    const char *separator = field->type == ML_TYPE_ADDRESS ? " ; " : ", ";
    for (uint32_t i = 0; i < count; i++) {
        put(out, i == 0 ? "" : separator);
        item_text(&t, &mp);
    }
}
