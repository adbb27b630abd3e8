/* core/codec/value.c -- see value.h. */
#include "core/codec/value.h"

#include <string.h>

#include "core/codec/mp_write.h"

/* ---- texts with a form ---- */

static size_t digits_at(struct ml_slice s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && s.data[at + n] >= '0' && s.data[at + n] <= '9') {
        n++;
    }
    return n;
}

static bool byte_is(struct ml_slice s, size_t at, const char *any_of)
{
    return at < s.len && s.data[at] != 0 && strchr(any_of, s.data[at]) != NULL;
}

bool ml_decimal_valid(struct ml_slice text)
{
    size_t at = byte_is(text, 0, "-");
    size_t whole = digits_at(text, at);
    if (text.len > ML_DECIMAL_MAX || whole == 0 || (whole > 1 && text.data[at] == '0')) {
        return false;
    }
    at += whole;
    if (byte_is(text, at, ".")) {
        size_t fraction = digits_at(text, at + 1);
        if (fraction == 0) {
            return false;
        }
        at += 1 + fraction;
    }
    if (byte_is(text, at, "eE")) {
        at += 1 + byte_is(text, at + 1, "+-");
        size_t exponent = digits_at(text, at);
        if (exponent == 0) {
            return false;
        }
        at += exponent;
    }
    return at == text.len;
}

static unsigned number_at(struct ml_slice s, size_t at, size_t len)
{
    unsigned v = 0;
    for (size_t i = 0; i < len; i++) {
        v = v * 10 + (unsigned)(s.data[at + i] - '0');
    }
    return v;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

bool ml_date_valid(struct ml_slice text)
{
    if (digits_at(text, 0) != 4 || number_at(text, 0, 4) == 0) {
        return false;
    }
    if (text.len == 4) {
        return true;
    }
    if (!byte_is(text, 4, "-") || digits_at(text, 5) != 2) {
        return false;
    }
    unsigned month = number_at(text, 5, 2);
    if (month < 1 || month > 12) {
        return false;
    }
    if (text.len == 7) {
        return true;
    }
    if (text.len != 10 || !byte_is(text, 7, "-") || digits_at(text, 8) != 2) {
        return false;
    }
    unsigned day = number_at(text, 8, 2);
    return day >= 1 && day <= days_of(number_at(text, 0, 4), month);
}

/* ---- code systems ---- */

static const char *const systems[] = {
#define X(number, uri) [number] = (uri),
    ML_CODE_SYSTEM_MAP(X)
#undef X
};

enum { SYSTEMS = sizeof(systems) / sizeof(systems[0]) };

uint16_t ml_code_system_number(struct ml_slice uri)
{
    for (size_t i = 1; i < SYSTEMS; i++) {
        if (ml_slice_equal(uri, ml_slice_str(systems[i]))) {
            return (uint16_t)i;
        }
    }
    return 0;
}

struct ml_slice ml_code_system_uri(uint64_t number)
{
    if (number == 0 || number >= SYSTEMS) {
        return ml_slice(NULL, 0);
    }
    return ml_slice_str(systems[number]);
}

/* ---- tables ---- */

static const char *quantity_check(const void *object)
{
    const struct ml_quantity *q = object;
    return ml_decimal_valid(q->number) ? NULL : "number";
}

#define S struct ml_quantity
static const struct ml_wire_field quantity_fields[] = {
    ML_WF_TEXT(S, 0, number, 1, ML_DECIMAL_MAX, "decimal, precision kept"),
    ML_WF_TEXT(S, 1, unit, 0, ML_LINE_MAX, "UCUM unit, or empty"),
};
#undef S
const struct ml_wire_format ml_format_quantity =
    ML_WIRE_FORMAT("quantity", ARRAY, struct ml_quantity, ML_WIRE_CLOSED, quantity_fields,
                   quantity_check, "A number with its unit.");

#define S struct ml_code
static const struct ml_wire_field code_fields[] = {
    ML_WF_ANY(S, 0, SYSTEM, 0, 0, ML_LINE_MAX, scheme, NULL,
              "number of a known code system, or its URI, or empty"),
    ML_WF_TEXT(S, 1, code, 0, ML_LINE_MAX, "code"),
    ML_WF_TEXT(S, 2, display, 0, ML_LINE_MAX, "text that goes with it"),
};
#undef S
const struct ml_wire_format ml_format_code =
    ML_WIRE_FORMAT("code", ARRAY, struct ml_code, ML_WIRE_CLOSED, code_fields, NULL,
                   "A coded notion of one system.");

#define S struct ml_concept
static const struct ml_wire_field concept_fields[] = {
    ML_WF_TEXT(S, 0, text, 0, ML_TEXT_MAX, "as a person wrote it"),
    ML_WF_LIST(S, 1, codes, 0, ML_VALUE_LIST_MAX, &ml_format_code, "the same, coded"),
};
#undef S
const struct ml_wire_format ml_format_concept =
    ML_WIRE_FORMAT("concept", ARRAY, struct ml_concept, ML_WIRE_CLOSED, concept_fields, NULL,
                   "A notion in words and codes.");

struct wire_period {
    struct ml_slice start;
    struct ml_slice end;
};
#define S struct wire_period
static const struct ml_wire_field period_fields[] = {
    ML_WF_ANY(S, 0, VALUE, 0, 1, 32, start, NULL, "instant, or nil: open"),
    ML_WF_ANY(S, 1, VALUE, 0, 1, 32, end, NULL, "instant, or nil: open"),
};
#undef S
const struct ml_wire_format ml_format_period = ML_WIRE_FORMAT(
    "period", ARRAY, struct wire_period, ML_WIRE_CLOSED, period_fields, NULL, "From, to.");

#define S struct ml_identifier
static const struct ml_wire_field identifier_fields[] = {
    ML_WF_ANY(S, 0, SYSTEM, 0, 0, ML_LINE_MAX, scheme, NULL,
              "number of a known system, or its URI, or empty"),
    ML_WF_TEXT(S, 1, value, 0, ML_LINE_MAX, "the identifier"),
    ML_WF_TEXT(S, 2, type, 0, ML_LINE_MAX, "type code"),
    ML_WF_TEXT(S, 3, use, 0, ML_LINE_MAX, "usual, official, temp, secondary, old"),
};
#undef S
const struct ml_wire_format ml_format_identifier =
    ML_WIRE_FORMAT("identifier", ARRAY, struct ml_identifier, ML_WIRE_CLOSED, identifier_fields,
                   NULL, "A name that a system gave.");

static const struct ml_wire_field line_fields[] = {{
    .type = ML_WIRE_TEXT,
    .size = sizeof(struct ml_slice),
    .max = ML_LINE_MAX,
    .name = "line",
    .meaning = "text",
}};
const struct ml_wire_format ml_format_line = ML_WIRE_FORMAT(
    "text", SCALAR, struct ml_slice, ML_WIRE_CLOSED, line_fields, NULL, "A short text.");

#define S struct ml_person_name
static const struct ml_wire_field person_name_fields[] = {
    ML_WF_TEXT(S, 0, use, 0, ML_LINE_MAX, "usual, official, maiden ..."),
    ML_WF_TEXT(S, 1, family, 0, ML_LINE_MAX, "family name"),
    ML_WF_LIST(S, 2, given, 0, ML_VALUE_LIST_MAX, &ml_format_line, "given names"),
    ML_WF_LIST(S, 3, prefix, 0, ML_VALUE_LIST_MAX, &ml_format_line, "prefixes"),
    ML_WF_LIST(S, 4, suffix, 0, ML_VALUE_LIST_MAX, &ml_format_line, "suffixes"),
};
#undef S
const struct ml_wire_format ml_format_person_name =
    ML_WIRE_FORMAT("name", ARRAY, struct ml_person_name, ML_WIRE_CLOSED, person_name_fields, NULL,
                   "A person's name.");

#define S struct ml_address
static const struct ml_wire_field address_value_fields[] = {
    ML_WF_TEXT(S, 0, use, 0, ML_LINE_MAX, "home, work, temp, old, billing"),
    ML_WF_LIST(S, 1, lines, 0, ML_VALUE_LIST_MAX, &ml_format_line, "lines"),
    ML_WF_TEXT(S, 2, postal_code, 0, ML_LINE_MAX, "postal code"),
    ML_WF_TEXT(S, 3, city, 0, ML_LINE_MAX, "city"),
    ML_WF_TEXT(S, 4, district, 0, ML_LINE_MAX, "district"),
    ML_WF_TEXT(S, 5, state, 0, ML_LINE_MAX, "state"),
    ML_WF_TEXT(S, 6, country, 0, ML_LINE_MAX, "country"),
};
#undef S
const struct ml_wire_format ml_format_address_value =
    ML_WIRE_FORMAT("postal address", ARRAY, struct ml_address, ML_WIRE_CLOSED, address_value_fields,
                   NULL, "Where somebody lives or works.");

#define S struct ml_contact
static const struct ml_wire_field contact_fields[] = {
    ML_WF_TEXT(S, 0, medium, 0, ML_LINE_MAX, "phone, email, fax, url, sms, other"),
    ML_WF_TEXT(S, 1, value, 0, ML_LINE_MAX, "number or address"),
    ML_WF_TEXT(S, 2, use, 0, ML_LINE_MAX, "home, work, temp, old, mobile"),
    ML_WF_UINT(S, 3, rank, 0, UINT8_MAX, "1 is preferred; 0: none"),
};
#undef S
const struct ml_wire_format ml_format_contact =
    ML_WIRE_FORMAT("contact", ARRAY, struct ml_contact, ML_WIRE_CLOSED, contact_fields, NULL,
                   "How to reach somebody.");

static const char *dosage_check(const void *object)
{
    const struct ml_dosage *d = object;
    return d->period.len == 0 || ml_decimal_valid(d->period) ? NULL : "period";
}

#define S struct ml_dosage
static const struct ml_wire_field dosage_fields[] = {
    ML_WF_OPT_UINT(S, 1, sequence, UINT16_MAX, "order among the lines"),
    ML_WF_OPT_TEXT(S, 2, text, ML_TEXT_MAX, "as written"),
    ML_WF_OPT_TUPLE(S, 3, dose, &ml_format_quantity, "of one taking; least of a range"),
    ML_WF_OPT_UINT(S, 4, frequency, UINT16_MAX, "takings in one period"),
    ML_WF_OPT_TEXT(S, 5, period, ML_DECIMAL_MAX, "decimal"),
    ML_WF_OPT_TEXT(S, 6, unit, 8, "of the period: s, min, h, d, wk, mo, a"),
    ML_WF_OPT_BOOL(S, 7, as_needed, "if needed"),
    ML_WF_OPT_LIST(S, 8, when, ML_VALUE_LIST_MAX, &ml_format_line, "MORN, NOON, AC ... or 08:00"),
    ML_WF_OPT_TUPLE(S, 9, route, &ml_format_code, "route"),
    ML_WF_OPT_TUPLE(S, 10, dose_high, &ml_format_quantity, "most of a range"),
    ML_WF_OPT_UINT(S, 11, frequency_max, UINT16_MAX, "most takings in one period"),
    ML_WF_OPT_TUPLE(S, 12, reason, &ml_format_code, "of as_needed"),
    ML_WF_OPT_TUPLE(S, 13, site, &ml_format_code, "body site"),
    ML_WF_OPT_TUPLE(S, 14, rate, &ml_format_quantity, "rate"),
};
#undef S
const struct ml_wire_format ml_format_dosage =
    ML_WIRE_FORMAT("dosage", MAP, struct ml_dosage, offsetof(struct ml_dosage, extra),
                   dosage_fields, dosage_check, "One line of a dosage; later keys are kept.");

static const char *component_check(const void *object)
{
    const struct ml_component *c = object;
    struct ml_concept concept;
    return ml_concept_decode(&concept, c->concept) == ML_OK ? NULL : "concept";
}

#define S struct ml_component
static const struct ml_wire_field component_fields[] = {
    ML_WF_ANY(S, 0, VALUE, 0, 1, ML_CHANGE_VALUE_MAX, concept, NULL, "a concept"),
    ML_WF_ANY(S, 1, VALUE, 0, 1, ML_CHANGE_VALUE_MAX, value, NULL, "a value of any shape"),
};
#undef S
const struct ml_wire_format ml_format_component =
    ML_WIRE_FORMAT("component", ARRAY, struct ml_component, ML_WIRE_CLOSED, component_fields,
                   component_check, "One part of a compound observation.");

#define S struct ml_attachment
static const struct ml_wire_field attachment_fields[] = {
    ML_WF_OPT_TEXT(S, 1, content_type, ML_LINE_MAX, "media type"),
    ML_WF_OPT_TEXT(S, 2, title, ML_LINE_MAX, "title"),
    ML_WF_OPT_BIN(S, 3, bytes, 1, ML_ATTACHMENT_INLINE, "small contents in place"),
    ML_WF_OPT_UINT(S, 4, size, UINT64_MAX, "bytes"),
    ML_WF_OPT_FIXED(S, 5, hash, "BLAKE2b-256 of the contents"),
    ML_WF_OPT_TEXT(S, 6, url, 4096, "where they are"),
    ML_WF_OPT_TEXT(S, 7, language, ML_LINE_MAX, "language"),
    ML_WF_OPT_TUPLE(S, 8, created, &ml_format_instant, "when they were made"),
    ML_WF_OPT_FIXED(S, 9, manifest, "large contents: bundle and index of their op of lane 4"),
};
#undef S
const struct ml_wire_format ml_format_attachment =
    ML_WIRE_FORMAT("attachment", MAP, struct ml_attachment, offsetof(struct ml_attachment, extra),
                   attachment_fields, NULL, "Contents beside the record; later keys are kept.");

/* ---- decode, encode ---- */

#define PAIR(name, table)                                                                          \
    ml_err ml_##name##_decode(struct ml_##name *out, struct ml_slice in)                           \
    {                                                                                              \
        return ml_wire_decode(&ml_format_##table, out, in, NULL);                                  \
    }                                                                                              \
    ml_err ml_##name##_encode(struct ml_buf *out, const struct ml_##name *v)                       \
    {                                                                                              \
        return ml_wire_encode(&ml_format_##table, out, v);                                         \
    }

PAIR(quantity, quantity)
PAIR(code, code)
PAIR(concept, concept)
PAIR(instant, instant)
PAIR(identifier, identifier)
PAIR(person_name, person_name)
PAIR(address, address_value)
PAIR(contact, contact)
PAIR(dosage, dosage)
PAIR(component, component)
PAIR(attachment, attachment)

static bool is_nil(struct ml_slice v)
{
    return v.len == 1 && v.data[0] == 0xc0;
}

ml_err ml_period_decode(struct ml_period *out, struct ml_slice in)
{
    struct wire_period wire;
    struct ml_period period = {{0, 0, 0}, {0, 0, 0}};
    ml_err err = ml_wire_decode(&ml_format_period, &wire, in, NULL);
    if (err == ML_OK && !is_nil(wire.start)) {
        err = ml_instant_decode(&period.start, wire.start);
    }
    if (err == ML_OK && !is_nil(wire.end)) {
        err = ml_instant_decode(&period.end, wire.end);
    }
    if (err == ML_OK) {
        *out = period;
    }
    return err;
}

static ml_err side_encode(struct ml_buf *out, const struct ml_instant *v)
{
    if (v->precision == 0) {
        ml_mp_put_nil(out);
        return out->err;
    }
    return ml_instant_encode(out, v);
}

ml_err ml_period_encode(struct ml_buf *out, const struct ml_period *v)
{
    size_t start = out->len;
    ml_mp_put_array(out, 2);
    ml_err err = side_encode(out, &v->start);
    if (err == ML_OK) {
        err = side_encode(out, &v->end);
    }
    if (err != ML_OK) {
        out->len = start;
    }
    return err;
}

ml_err ml_text_decode(struct ml_slice *out, struct ml_slice in)
{
    struct ml_mp c;
    ml_mp_init(&c, in, ML_MP_CANONICAL);
    struct ml_slice v = ml_mp_str(&c, 0, SIZE_MAX);
    ml_err err = ml_mp_end(&c);
    if (err == ML_OK) {
        *out = v;
    }
    return err;
}

ml_err ml_bool_decode(bool *out, struct ml_slice in)
{
    struct ml_mp c;
    ml_mp_init(&c, in, ML_MP_CANONICAL);
    bool v = ml_mp_bool(&c);
    ml_err err = ml_mp_end(&c);
    if (err == ML_OK) {
        *out = v;
    }
    return err;
}

ml_err ml_int_decode(int64_t *out, struct ml_slice in)
{
    struct ml_mp c;
    ml_mp_init(&c, in, ML_MP_CANONICAL);
    int64_t v = ml_mp_int(&c, INT64_MIN, INT64_MAX);
    ml_err err = ml_mp_end(&c);
    if (err == ML_OK) {
        *out = v;
    }
    return err;
}

ml_err ml_ref_decode(struct ml_object_id *out, struct ml_slice in)
{
    struct ml_mp c;
    struct ml_object_id v;
    ml_mp_init(&c, in, ML_MP_CANONICAL);
    ml_mp_fixed(&c, v.b, sizeof(v.b));
    ml_err err = ml_mp_end(&c);
    if (err == ML_OK) {
        *out = v;
    }
    return err;
}

void ml_ref_put(struct ml_buf *out, const struct ml_object_id *id)
{
    ml_mp_put_bin(out, ml_slice(id->b, sizeof(id->b)));
}

ml_err ml_values_walk(struct ml_values_walk *walk, struct ml_slice value)
{
    ml_err err = ml_mp_check(value, ML_MP_CANONICAL, NULL);
    ml_mp_init(&walk->mp, value, ML_MP_CANONICAL);
    walk->left = err == ML_OK ? ml_mp_array(&walk->mp, 0, UINT32_MAX) : 0;
    return err == ML_OK && !ml_mp_ok(&walk->mp) ? ML_E_MALFORMED : err;
}

bool ml_values_next(struct ml_values_walk *walk, struct ml_slice *item)
{
    if (walk->left == 0) {
        return false;
    }
    walk->left--;
    *item = ml_mp_value(&walk->mp);
    return ml_mp_ok(&walk->mp);
}

/* ---- shapes ---- */

static ml_shape pair_shape(ml_mp_type first, ml_mp_type second)
{
    if (first == ML_MP_STR) {
        return second == ML_MP_STR ? ML_SHAPE_QUANTITY : ML_SHAPE_CONCEPT;
    }
    return ML_SHAPE_PERIOD;
}

static ml_shape array_shape(struct ml_slice value)
{
    struct ml_mp c;
    ml_mp_init(&c, value, ML_MP_CANONICAL);
    uint32_t count = ml_mp_array(&c, 0, UINT32_MAX);
    if (count != 2 && count != 3) {
        return ML_SHAPE_NONE;
    }
    ml_mp_type first = ml_mp_peek(&c);
    (void)ml_mp_value(&c);
    ml_mp_type second = ml_mp_peek(&c);
    if (count == 2) {
        return pair_shape(first, second);
    }
    return second == ML_MP_STR ? ML_SHAPE_CODE : ML_SHAPE_INSTANT;
}

static ml_shape shape_guess(struct ml_slice value)
{
    struct ml_mp c;
    ml_mp_init(&c, value, ML_MP_CANONICAL);
    switch (ml_mp_peek(&c)) {
    case ML_MP_BOOL:
        return ML_SHAPE_BOOL;
    case ML_MP_UINT:
    case ML_MP_NEGATIVE:
        return ML_SHAPE_INT;
    case ML_MP_STR:
        return ML_SHAPE_TEXT;
    case ML_MP_BIN:
        return ML_SHAPE_REF;
    case ML_MP_ARRAY:
        return array_shape(value);
    case ML_MP_NONE:
    case ML_MP_NIL:
    case ML_MP_MAP:
    case ML_MP_FLOAT:
        break;
    }
    return ML_SHAPE_NONE;
}

static bool shape_decodes(ml_shape shape, struct ml_slice value)
{
    union {
        bool b;
        int64_t i;
        struct ml_slice text;
        struct ml_object_id ref;
        struct ml_quantity quantity;
        struct ml_concept concept;
        struct ml_code code;
        struct ml_instant instant;
        struct ml_period period;
    } u;
    switch (shape) {
    case ML_SHAPE_BOOL:
        return ml_bool_decode(&u.b, value) == ML_OK;
    case ML_SHAPE_INT:
        return ml_int_decode(&u.i, value) == ML_OK;
    case ML_SHAPE_TEXT:
        return ml_text_decode(&u.text, value) == ML_OK;
    case ML_SHAPE_QUANTITY:
        return ml_quantity_decode(&u.quantity, value) == ML_OK;
    case ML_SHAPE_CONCEPT:
        return ml_concept_decode(&u.concept, value) == ML_OK;
    case ML_SHAPE_CODE:
        return ml_code_decode(&u.code, value) == ML_OK;
    case ML_SHAPE_INSTANT:
        return ml_instant_decode(&u.instant, value) == ML_OK;
    case ML_SHAPE_PERIOD:
        return ml_period_decode(&u.period, value) == ML_OK;
    case ML_SHAPE_REF:
        return ml_ref_decode(&u.ref, value) == ML_OK;
    case ML_SHAPE_NONE:
        break;
    }
    return false;
}

ml_shape ml_value_shape(struct ml_slice value)
{
    ml_shape shape = shape_guess(value);
    return shape_decodes(shape, value) ? shape : ML_SHAPE_NONE;
}
