/* core/record/values.c -- do values have the shape of their type? See values.h. */
#include "core/record/values.h"

#include <string.h>

#include "core/codec/change.h"
#include "core/codec/mp_read.h"
#include "core/codec/value.h"
#include "core/record/date.h"

static bool shape_of(struct ml_mp *mp, ml_field_type type);

static bool at_str(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_STR) {
        return false;
    }
    ml_mp_str(mp, 0, ML_CHANGE_VALUE_MAX);
    return ml_mp_ok(mp);
}

static bool at_nil(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_NIL) {
        return false;
    }
    ml_mp_nil(mp);
    return true;
}

static bool at_str_or_nil(struct ml_mp *mp)
{
    return at_nil(mp) || at_str(mp);
}

static bool at_int(struct ml_mp *mp)
{
    ml_mp_type type = ml_mp_peek(mp);
    if (type != ML_MP_UINT && type != ML_MP_NEGATIVE) {
        return false;
    }
    ml_mp_int(mp, INT64_MIN, INT64_MAX);
    return ml_mp_ok(mp);
}

static bool at_any(struct ml_mp *mp)
{
    ml_mp_value(mp);
    return ml_mp_ok(mp);
}

static bool at_array(struct ml_mp *mp, uint32_t min, uint32_t max)
{
    return ml_mp_peek(mp) == ML_MP_ARRAY && ml_mp_array(mp, min, max) >= min && ml_mp_ok(mp);
}

static bool at_strs(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_ARRAY) {
        return false;
    }
    uint32_t count = ml_mp_array(mp, 0, 256);
    bool fits = ml_mp_ok(mp);
    for (uint32_t i = 0; i < count && fits; i++) {
        fits = at_str(mp);
    }
    return fits;
}

static bool at_instant(struct ml_mp *mp)
{
    struct ml_instant instant;
    return ml_mp_peek(mp) == ML_MP_ARRAY &&
           ml_wire_decode(&ml_format_instant, &instant, ml_mp_value(mp), NULL) == ML_OK;
}

static bool at_code(struct ml_mp *mp)
{
    return at_array(mp, 3, 3) && (at_int(mp) || at_str_or_nil(mp)) && at_str(mp) &&
           at_str_or_nil(mp);
}

static bool at_concept(struct ml_mp *mp)
{
    if (!at_array(mp, 2, 2) || !at_str_or_nil(mp) || ml_mp_peek(mp) != ML_MP_ARRAY) {
        return false;
    }
    uint32_t count = ml_mp_array(mp, 0, 64);
    bool fits = ml_mp_ok(mp);
    for (uint32_t i = 0; i < count && fits; i++) {
        fits = at_code(mp);
    }
    return fits;
}

/* An array of texts that may each be nil. */
static bool at_parts(struct ml_mp *mp, uint32_t count)
{
    bool fits = at_array(mp, count, count);
    for (uint32_t i = 0; i < count && fits; i++) {
        fits = at_int(mp) || at_str_or_nil(mp);
    }
    return fits;
}

static bool at_name(struct ml_mp *mp)
{
    return at_array(mp, 5, 5) && at_str_or_nil(mp) && at_str_or_nil(mp) && at_strs(mp) &&
           at_strs(mp) && at_strs(mp);
}

static bool at_address(struct ml_mp *mp)
{
    bool fits = at_array(mp, 7, 7) && at_str_or_nil(mp) && at_strs(mp);
    for (int i = 0; i < 5 && fits; i++) {
        fits = at_str_or_nil(mp);
    }
    return fits;
}

static bool at_period(struct ml_mp *mp)
{
    return at_array(mp, 2, 2) && (at_nil(mp) || at_instant(mp)) && (at_nil(mp) || at_instant(mp));
}

static bool at_date(struct ml_mp *mp)
{
    struct ml_date date;
    return ml_mp_peek(mp) == ML_MP_STR && ml_date_parse(ml_mp_str(mp, 0, 32), &date);
}

static bool at_ref(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_BIN) {
        return false;
    }
    ml_mp_bin(mp, sizeof(struct ml_object_id), sizeof(struct ml_object_id));
    return ml_mp_ok(mp);
}

static bool at_bool(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_BOOL) {
        return false;
    }
    ml_mp_bool(mp);
    return true;
}

static bool at_map(struct ml_mp *mp)
{
    return ml_mp_peek(mp) == ML_MP_MAP && at_any(mp);
}

static bool at_decimal(struct ml_mp *mp)
{
    return at_nil(mp) ||
           (ml_mp_peek(mp) == ML_MP_STR && ml_decimal_valid(ml_mp_str(mp, 0, ML_CHANGE_VALUE_MAX)));
}

/* Quantities may carry a comparator and more after number and unit. */
static bool at_quantity(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_ARRAY) {
        return false;
    }
    uint32_t count = ml_mp_array(mp, 2, 6);
    bool fits = ml_mp_ok(mp) && at_decimal(mp) && at_str_or_nil(mp);
    for (uint32_t i = 2; i < count && fits; i++) {
        fits = at_any(mp);
    }
    return fits;
}

static bool shape_of(struct ml_mp *mp, ml_field_type type)
{
    switch (type) {
    case ML_TYPE_TEXT:
    case ML_TYPE_DECIMAL:
        return at_str(mp);
    case ML_TYPE_BOOL:
        return at_bool(mp);
    case ML_TYPE_INT:
        return at_int(mp);
    case ML_TYPE_QUANTITY:
        return at_quantity(mp);
    case ML_TYPE_CODE:
        return at_code(mp);
    case ML_TYPE_CONCEPT:
        return at_concept(mp);
    case ML_TYPE_DATE:
        return at_date(mp);
    case ML_TYPE_INSTANT:
        return at_instant(mp);
    case ML_TYPE_PERIOD:
        return at_period(mp);
    case ML_TYPE_REF:
        return at_ref(mp);
    case ML_TYPE_IDENTIFIER:
    case ML_TYPE_CONTACT:
        return at_parts(mp, 4);
    case ML_TYPE_NAME:
        return at_name(mp);
    case ML_TYPE_ADDRESS:
        return at_address(mp);
    case ML_TYPE_COMPONENT:
        return at_array(mp, 2, 4) && at_any(mp) && at_any(mp);
    case ML_TYPE_DOSAGE:
    case ML_TYPE_ATTACHMENT:
        return at_map(mp);
    case ML_TYPE_VALUE:
        return at_any(mp);
    }
    return false;
}

ml_field_type ml_value_shape_of(struct ml_slice value)
{
    static const ml_field_type types[] = {ML_TYPE_INSTANT, ML_TYPE_CONCEPT, ML_TYPE_PERIOD,
                                          ML_TYPE_QUANTITY, ML_TYPE_CODE};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct ml_mp mp;
        ml_mp_init(&mp, value, ML_MP_CANONICAL);
        if (shape_of(&mp, types[i]) && ml_mp_ok(&mp)) {
            return types[i];
        }
    }
    return ML_TYPE_VALUE;
}

bool ml_value_fits(const struct ml_field *field, struct ml_slice value)
{
    struct ml_mp mp;
    uint32_t count = 1;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    if (ml_mp_peek(&mp) == ML_MP_NIL) {
        return value.len == 1; /* emptied */
    }
    if (field->list) {
        if (ml_mp_peek(&mp) != ML_MP_ARRAY) {
            return false;
        }
        count = ml_mp_array(&mp, 0, 1024);
    }
    bool fits = ml_mp_ok(&mp);
    for (uint32_t i = 0; i < count && fits; i++) {
        fits = shape_of(&mp, field->type);
    }
    return fits && ml_mp_ok(&mp);
}
