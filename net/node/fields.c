/* net/node/fields.c -- see fields.h. A client may give each type as the text that a person writes,
 * or, where a text can't say it all, as a map with the parts' names. */
#include "net/node/fields.h"

#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/record/date.h"
#include "net/node/state.h"

enum { FIELDS_MAX = 200, DECIMAL_MAX = 40 };

static struct ml_slice text_of(const struct ml_value *v)
{
    size_t len = 0;
    const uint8_t *bytes = ml_value_bytes(v, &len);
    return ml_slice(bytes, len);
}

static struct ml_slice part(const struct ml_value *map, const char *key)
{
    return text_of(ml_value_get(map, key));
}

/* "12,5" and "12.5" both mean twelve and a half; nothing else is changed. */
static bool decimal_of(struct ml_slice text, char out[DECIMAL_MAX + 1])
{
    if (text.len == 0 || text.len > DECIMAL_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        out[i] = (char)(text.data[i] == ',' ? '.' : text.data[i]);
    }
    out[text.len] = '\0';
    return ml_decimal_valid(ml_slice(out, text.len));
}

/* A number given as a number or as a text. */
static bool number_of(const struct ml_value *v, char out[DECIMAL_MAX + 1])
{
    switch (ml_value_kind_of(v)) {
    case ML_VALUE_INT:
        snprintf(out, DECIMAL_MAX + 1, "%lld", (long long)ml_value_int(v, 0));
        return true;
    case ML_VALUE_FLOAT:
        snprintf(out, DECIMAL_MAX + 1, "%.10g", ml_value_float(v, 0));
        return ml_decimal_valid(ml_slice_str(out));
    case ML_VALUE_TEXT:
        return decimal_of(text_of(v), out);
    case ML_VALUE_NIL:
    case ML_VALUE_BOOL:
    case ML_VALUE_UINT:
    case ML_VALUE_BYTES:
    case ML_VALUE_LIST:
    case ML_VALUE_MAP:
        break;
    }
    return false;
}

/* "72 kg", "72", 72, {value, unit}; the field's own unit where none is said. */
static bool quantity_put(const struct ml_field *field, const struct ml_value *v, struct ml_buf *out)
{
    char number[DECIMAL_MAX + 1];
    struct ml_quantity q = {.unit = ml_slice_str(field->unit == NULL ? "" : field->unit)};
    struct ml_slice text = text_of(v);
    const uint8_t *space = text.len == 0 ? NULL : memchr(text.data, ' ', text.len);
    bool ok = false;
    if (ml_value_kind_of(v) == ML_VALUE_MAP) {
        ok = number_of(ml_value_get(v, "value"), number);
        q.unit = ml_value_get(v, "unit") != NULL ? part(v, "unit") : q.unit;
    } else if (space != NULL) {
        ok = decimal_of(ml_slice(text.data, (size_t)(space - text.data)), number);
        q.unit = ml_slice(space + 1, text.len - (size_t)(space - text.data) - 1);
    } else {
        ok = number_of(v, number);
    }
    q.number = ml_slice_str(number);
    return ok && ml_quantity_encode(out, &q) == ML_OK;
}

/* A code of the field's value set by its code or its French label; else as given. */
static struct ml_code code_of(const struct ml_call *call, const struct ml_field *field,
                              const struct ml_value *v)
{
    const struct ml_value_set *set =
        field->value_set == NULL ? NULL : ml_schema_value_set(call->node->schema, field->value_set);
    struct ml_code code = {.code = part(v, "code"), .display = part(v, "display")};
    code.scheme = part(v, "system");
    if (ml_value_kind_of(v) == ML_VALUE_TEXT) {
        code.code = text_of(v);
    }
    for (size_t i = 0; set != NULL && i < set->item_count; i++) {
        const struct ml_value_set_item *item = &set->items[i];
        if (ml_slice_equal(ml_slice_str(item->code), code.code) ||
            ml_slice_equal(ml_slice_str(item->label_fr), code.code)) {
            code.scheme = ml_slice_str(set->system_uri);
            code.code = ml_slice_str(item->code);
            code.display = ml_slice_str(item->label_fr);
        }
    }
    return code;
}

static bool concept_put(const struct ml_call *call, const struct ml_field *field,
                        const struct ml_value *v, struct ml_buf *out)
{
    const struct ml_code code = code_of(call, field, v);
    struct ml_concept concept = {.text = part(v, "text")};
    const bool coded = code.scheme.len > 0 && code.code.len > 0;
    if (coded) {
        concept.codes.items = &code;
        concept.codes.count = 1;
    }
    if (concept.text.len == 0) {
        concept.text = code.display.len > 0 ? code.display : code.code;
    }
    return concept.text.len > 0 && ml_concept_encode(out, &concept) == ML_OK;
}

/* Up to three numbers of at most these many digits, as in 28/03/1979; how many there were. */
static unsigned numbers_of(const char *text, char between, const uint8_t widths[3], unsigned out[3])
{
    unsigned count = 0;
    while (count < 3) {
        unsigned digits = 0;
        out[count] = 0;
        for (; digits < widths[count] && *text >= '0' && *text <= '9'; digits++) {
            out[count] = out[count] * 10 + (unsigned)(*text++ - '0');
        }
        if (digits == 0) {
            break;
        }
        count++;
        if (*text++ != between) {
            break;
        }
    }
    return count;
}

/* "28/03/1979", "03/1979", "1979" or ISO, as ISO. */
static bool date_iso(struct ml_slice text, char out[16])
{
    static const uint8_t day_month_year[3] = {2, 2, 4};
    static const uint8_t month_year[3] = {2, 4, 0};
    unsigned n[3];
    char copy[16] = "";
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    if (numbers_of(copy, '/', day_month_year, n) == 3) {
        snprintf(out, 16, "%04u-%02u-%02u", n[2] % 10000, n[1] % 100, n[0] % 100);
    } else if (numbers_of(copy, '/', month_year, n) == 2) {
        snprintf(out, 16, "%04u-%02u", n[1] % 10000, n[0] % 100);
    } else {
        snprintf(out, 16, "%s", copy);
    }
    return ml_date_valid(ml_slice_str(out));
}

static bool date_put(const struct ml_value *v, struct ml_buf *out)
{
    char iso[16];
    if (!date_iso(text_of(v), iso)) {
        return false;
    }
    ml_mp_put_str(out, ml_slice_str(iso));
    return true;
}

/* The clock part of a time of care; leaves hour and minute alone when there is none. */
static bool clock_parse(const char *text, unsigned *hour, unsigned *minute, int *offset_min)
{
    static const uint8_t two_each[3] = {2, 2, 2};
    unsigned n[3];
    const char *zone = strpbrk(text, "+-Z");
    if (numbers_of(text, ':', two_each, n) < 2 || n[0] > 23 || n[1] > 59) {
        return false;
    }
    *hour = n[0];
    *minute = n[1];
    if (zone == NULL || *zone == 'Z') {
        return true;
    }
    if (numbers_of(zone + 1, ':', two_each, n) < 2 || n[0] > 14 || n[1] > 59) {
        return false;
    }
    *offset_min = (int)(n[0] * 60 + n[1]) * (*zone == '-' ? -1 : 1);
    return true;
}

ml_err ml_call_instant(struct ml_call *call, const char *text, struct ml_instant *out)
{
    char iso[16];
    struct ml_date date;
    size_t day_len = strcspn(text, "T ");
    unsigned hour = 0;
    unsigned minute = 0;
    int offset_min = 0;
    if (!date_iso(ml_slice(text, day_len), iso) || !ml_date_parse(ml_slice_str(iso), &date)) {
        return ml_call_fail(call, ML_E_INVALID, "param.time", "value", text);
    }
    *out = (struct ml_instant){.utc_ms = ml_date_ms(&date), .precision = date.precision};
    if (text[day_len] == '\0') {
        return ML_OK;
    }
    if (date.precision != ML_PRECISION_DAY ||
        !clock_parse(text + day_len + 1, &hour, &minute, &offset_min)) {
        return ml_call_fail(call, ML_E_INVALID, "param.time", "value", text);
    }
    out->utc_ms += ((int64_t)hour * 60 + minute - offset_min) * 60000;
    out->offset_min = (int16_t)offset_min;
    out->precision = ML_PRECISION_MINUTE;
    return ML_OK;
}

ml_err ml_call_time(struct ml_call *call, const char *key, uint64_t *ms)
{
    const char *text = ml_call_text_or(call, key, NULL);
    struct ml_instant instant = {.utc_ms = 0};
    if (text == NULL) {
        return ML_OK;
    }
    ml_err err = ml_call_instant(call, text, &instant);
    if (err == ML_OK) {
        *ms = instant.utc_ms > 0 ? (uint64_t)instant.utc_ms : 0;
    }
    return err;
}

static bool instant_put(struct ml_call *call, const struct ml_value *v, struct ml_buf *out)
{
    struct ml_instant instant;
    const char *text = ml_value_text(v, NULL);
    return text != NULL && ml_call_instant(call, text, &instant) == ML_OK &&
           ml_instant_encode(out, &instant) == ML_OK;
}

static bool period_put(struct ml_call *call, const struct ml_value *v, struct ml_buf *out)
{
    struct ml_period period = {.start = {0}};
    const char *start = ml_value_text(ml_value_get(v, "start"), NULL);
    const char *end = ml_value_text(ml_value_get(v, "end"), NULL);
    if ((start != NULL && ml_call_instant(call, start, &period.start) != ML_OK) ||
        (end != NULL && ml_call_instant(call, end, &period.end) != ML_OK)) {
        return false;
    }
    return ml_period_encode(out, &period) == ML_OK;
}

static bool ref_put(const struct ml_value *v, struct ml_buf *out)
{
    struct ml_object_id id;
    struct ml_slice text = text_of(v);
    if (ml_hex_decode(id.b, sizeof(id.b), (const char *)text.data, text.len) != ML_OK) {
        return false;
    }
    ml_ref_put(out, &id);
    return true;
}

/* Texts of a list, or one text. */
static size_t lines_of(const struct ml_value *v, struct ml_slice *out, size_t max)
{
    size_t count = 0;
    if (ml_value_kind_of(v) == ML_VALUE_TEXT) {
        out[count++] = text_of(v);
        return count;
    }
    for (const struct ml_value *at = ml_value_at(v, 0); at != NULL && count < max;
         at = ml_value_next(at)) {
        out[count++] = text_of(at);
    }
    return count;
}

static void list_set(struct ml_list *list, const struct ml_slice *items, size_t count)
{
    list->items = count == 0 ? NULL : items;
    list->count = (uint32_t)count;
}

/* {use, family, given: [...]}, or "MARTIN Camille Rose": family first, then given names. */
static bool name_put(const struct ml_value *v, struct ml_buf *out)
{
    enum { PARTS = 16 };
    struct ml_slice given[PARTS];
    struct ml_slice prefix[PARTS];
    struct ml_person_name name = {.use = part(v, "use"), .family = part(v, "family")};
    size_t count = lines_of(ml_value_get(v, "given"), given, PARTS);
    struct ml_slice text = text_of(v);
    if (ml_value_kind_of(v) == ML_VALUE_TEXT) {
        const uint8_t *space = memchr(text.data, ' ', text.len);
        size_t family = space == NULL ? text.len : (size_t)(space - text.data);
        name.family = ml_slice(text.data, family);
        if (family < text.len) {
            given[count++] = ml_slice(text.data + family + 1, text.len - family - 1);
        }
    }
    list_set(&name.given, given, count);
    list_set(&name.prefix, prefix, lines_of(ml_value_get(v, "prefix"), prefix, PARTS));
    return name.family.len > 0 && ml_person_name_encode(out, &name) == ML_OK;
}

static bool address_put(const struct ml_value *v, struct ml_buf *out)
{
    enum { LINES = 8 };
    struct ml_slice lines[LINES];
    const bool is_text = ml_value_kind_of(v) == ML_VALUE_TEXT;
    struct ml_address address = {.use = part(v, "use"),
                                 .postal_code = part(v, "postal_code"),
                                 .city = part(v, "city"),
                                 .district = part(v, "district"),
                                 .state = part(v, "state"),
                                 .country = part(v, "country")};
    list_set(&address.lines, lines, lines_of(is_text ? v : ml_value_get(v, "lines"), lines, LINES));
    return ml_address_encode(out, &address) == ML_OK;
}

static bool contact_put(const struct ml_value *v, struct ml_buf *out)
{
    struct ml_contact contact = {
        .medium = part(v, "medium"), .value = part(v, "value"), .use = part(v, "use")};
    if (ml_value_kind_of(v) == ML_VALUE_TEXT) {
        contact.value = text_of(v);
        contact.medium = ml_slice_str(
            memchr(contact.value.data, '@', contact.value.len) != NULL ? "email" : "phone");
    }
    return contact.value.len > 0 && ml_contact_encode(out, &contact) == ML_OK;
}

static bool identifier_put(const struct ml_value *v, struct ml_buf *out)
{
    struct ml_identifier id = {.scheme = part(v, "system"),
                               .value = part(v, "value"),
                               .type = part(v, "type"),
                               .use = part(v, "use")};
    if (ml_value_kind_of(v) == ML_VALUE_TEXT) {
        id.value = text_of(v);
    }
    return id.value.len > 0 && ml_identifier_encode(out, &id) == ML_OK;
}

/* A text such as "1 comprimé matin et soir", or {text, dose, frequency, period, unit, as_needed}.
 */
static bool dosage_put(const struct ml_field *field, const struct ml_value *v, struct ml_buf *out)
{
    char dose[DECIMAL_MAX + 1];
    char period[DECIMAL_MAX + 1];
    struct ml_dosage d = {.text = part(v, "text"), .unit = part(v, "period_unit")};
    const struct ml_value *amount = ml_value_get(v, "dose");
    (void)field;
    if (ml_value_kind_of(v) == ML_VALUE_TEXT) {
        d.text = text_of(v);
    }
    if (amount != NULL) {
        if (!number_of(amount, dose)) {
            return false;
        }
        d.dose = (struct ml_quantity){ml_slice_str(dose), part(v, "dose_unit")};
    }
    if (ml_value_get(v, "period") != NULL) {
        if (!number_of(ml_value_get(v, "period"), period)) {
            return false;
        }
        d.period = ml_slice_str(period);
    }
    d.frequency = (uint16_t)ml_value_int(ml_value_get(v, "frequency"), 0);
    d.as_needed = ml_value_bool(ml_value_get(v, "as_needed"), false);
    return ml_dosage_encode(out, &d) == ML_OK;
}

/* A measured value: a quantity where it begins with a number, else true, false or a text. */
static bool any_put(const struct ml_field *field, const struct ml_value *v, struct ml_buf *out)
{
    size_t at = out->len;
    if (ml_value_kind_of(v) == ML_VALUE_BOOL) {
        ml_mp_put_bool(out, ml_value_bool(v, false));
        return true;
    }
    if (quantity_put(field, v, out)) {
        return true;
    }
    out->len = at;
    if (ml_value_kind_of(v) != ML_VALUE_TEXT) {
        return false;
    }
    ml_mp_put_str(out, text_of(v));
    return true;
}

static bool component_put(const struct ml_call *call, const struct ml_field *field,
                          const struct ml_value *v, struct ml_buf *out)
{
    struct ml_buf concept;
    struct ml_buf value;
    struct ml_component component;
    ml_buf_init(&concept, call->node->env, (size_t)ML_LINE_MAX * 4u);
    ml_buf_init(&value, call->node->env, (size_t)ML_LINE_MAX * 4u);
    bool ok = concept_put(call, field, ml_value_get(v, "concept"), &concept) &&
              any_put(field, ml_value_get(v, "value"), &value);
    component = (struct ml_component){ml_buf_slice(&concept), ml_buf_slice(&value)};
    ok = ok && ml_component_encode(out, &component) == ML_OK;
    if (out->err == ML_OK) { /* of memory, not of what was given */
        out->err = concept.err != ML_OK ? concept.err : value.err;
    }
    ml_buf_free(&concept);
    ml_buf_free(&value);
    return ok;
}

static bool scalar_put(const struct ml_field *field, const struct ml_value *v, struct ml_buf *out)
{
    char number[DECIMAL_MAX + 1];
    switch ((int)field->type) {
    case ML_TYPE_TEXT:
        if (ml_value_kind_of(v) != ML_VALUE_TEXT) {
            return false;
        }
        ml_mp_put_str(out, text_of(v));
        return true;
    case ML_TYPE_BOOL:
        ml_mp_put_bool(out, ml_value_bool(v, false));
        return ml_value_kind_of(v) == ML_VALUE_BOOL;
    case ML_TYPE_INT:
        ml_mp_put_int(out, ml_value_int(v, 0));
        return ml_value_kind_of(v) == ML_VALUE_INT;
    case ML_TYPE_DECIMAL:
        if (!number_of(v, number)) {
            return false;
        }
        ml_mp_put_str(out, ml_slice_str(number));
        return true;
    case ML_TYPE_QUANTITY:
        return quantity_put(field, v, out);
    case ML_TYPE_VALUE:
        return any_put(field, v, out);
    case ML_TYPE_DATE:
        return date_put(v, out);
    case ML_TYPE_REF:
        return ref_put(v, out);
    default:
        return false;
    }
}

static bool value_put(struct ml_call *call, const struct ml_field *field, const struct ml_value *v,
                      struct ml_buf *out)
{
    switch ((int)field->type) {
    case ML_TYPE_CODE: {
        const struct ml_code code = code_of(call, field, v);
        return code.code.len > 0 && ml_code_encode(out, &code) == ML_OK;
    }
    case ML_TYPE_CONCEPT:
        return concept_put(call, field, v, out);
    case ML_TYPE_INSTANT:
        return instant_put(call, v, out);
    case ML_TYPE_PERIOD:
        return period_put(call, v, out);
    case ML_TYPE_IDENTIFIER:
        return identifier_put(v, out);
    case ML_TYPE_NAME:
        return name_put(v, out);
    case ML_TYPE_ADDRESS:
        return address_put(v, out);
    case ML_TYPE_CONTACT:
        return contact_put(v, out);
    case ML_TYPE_DOSAGE:
        return dosage_put(field, v, out);
    case ML_TYPE_COMPONENT:
        return component_put(call, field, v, out);
    default:
        return scalar_put(field, v, out);
    }
}

/* What was given isn't of the field's type; or it was, and the buffer failed. */
static ml_err field_fail(struct ml_call *call, const struct ml_field *field,
                         const struct ml_buf *out)
{
    if (out->err != ML_OK) {
        return out->err;
    }
    if (call->text[0] == '\0') {
        ml_call_fail(call, ML_E_INVALID, "field.value", NULL, NULL);
    }
    ml_call_detail(call, "field", field->name);
    ml_call_detail(call, "label", field->label_fr);
    return ML_E_INVALID;
}

ml_err ml_field_of(struct ml_call *call, const struct ml_field *field, const struct ml_value *given,
                   struct ml_buf *out)
{
    if (!field->list) {
        return value_put(call, field, given, out) ? out->err : field_fail(call, field, out);
    }
    const bool one = ml_value_kind_of(given) != ML_VALUE_LIST;
    ml_mp_put_array(out, one ? 1 : (uint32_t)ml_value_count(given));
    for (const struct ml_value *v = one ? given : ml_value_at(given, 0); v != NULL;
         v = one ? NULL : ml_value_next(v)) {
        if (!value_put(call, field, v, out)) {
            return field_fail(call, field, out);
        }
    }
    return out->err;
}

ml_err ml_fields_of(struct ml_call *call, const struct ml_entity *entity,
                    const struct ml_value *fields, struct ml_buf *out)
{
    uint32_t count = 0;
    size_t known = 0;
    for (size_t i = 0; i < entity->field_count; i++) {
        const struct ml_value *given = ml_value_get(fields, entity->fields[i].name);
        known += given != NULL;
        count += ml_value_kind_of(given) != ML_VALUE_NIL;
    }
    size_t named = 0;
    for (const struct ml_value *v = ml_value_at(fields, 0); v != NULL; v = ml_value_next(v)) {
        named++;
        if (ml_entity_field_named(entity, ml_value_key(v)) == NULL) {
            return ml_call_fail(call, ML_E_INVALID, "field.unknown", "field", ml_value_key(v));
        }
    }
    if (known == 0 || named != known || known > FIELDS_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "field.none", NULL, NULL);
    }
    ml_mp_put_map(out, count);
    for (size_t i = 0; i < entity->field_count; i++) { /* the table's ids ascend, as the map's do */
        const struct ml_field *field = &entity->fields[i];
        const struct ml_value *given = ml_value_get(fields, field->name);
        if (ml_value_kind_of(given) == ML_VALUE_NIL) {
            continue;
        }
        ml_mp_put_uint(out, field->id);
        ml_err err = ml_field_of(call, field, given, out);
        if (err != ML_OK) {
            return err;
        }
    }
    return out->err;
}
