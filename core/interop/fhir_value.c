/* core/interop/fhir_value.c -- FHIR data types to the canonical values of the schema.
 *
 * One function a type of the schema; each appends exactly one value, or nothing and says false.
 * Marks each leaf that it used; the caller undoes the marks of a field that comes to nothing. A
 * value of the wrong JSON type, an unreadable date, a code outside a closed list are faults of the
 * file, named by their place: guessing would write a wrong record.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/interop/decimal.h"
#include "core/interop/fhir_internal.h"
#include "core/interop/nfc.h"

#define NO_NODE ML_JSON_NO_NODE
#define UCUM    "http://unitsofmeasure.org"

/* A conversion in course. */
struct conv {
    struct fhir *f;
    const struct fhir_entry *from;
    const struct ml_value_set *set; /* of the field, or NULL */
    const char *ref;                /* of the field, or NULL */
    struct fhir_attached attached;  /* of the attachment in course */
    struct ml_buf *out;
};

static bool type_fault(struct conv *c, uint32_t node)
{
    return ml_fhir_fail(c->f, ML_E_MALFORMED, ML_IMPORT_FAULT_TYPE, node);
}

static const struct ml_json_node *node_of(const struct conv *c, uint32_t node)
{
    return ml_json_node(c->f->doc, node);
}

static uint32_t member(const struct conv *c, uint32_t node, const char *key)
{
    return ml_json_get(c->f->doc, node, ml_slice_str(key));
}

static bool is_object(const struct conv *c, uint32_t node)
{
    return node_of(c, node)->type == ML_JSON_OBJECT;
}

/* ---- leaves ---- */

/* A string of the document as NFC text. */
static bool put_text(struct conv *c, uint32_t node)
{
    const struct ml_json_node *n = node_of(c, node);
    if (n->type != ML_JSON_STRING) {
        return type_fault(c, node);
    }
    ml_err err = ml_nfc_put(c->out, c->f->args->env, ml_slice(n->text, n->text_len));
    if (err != ML_OK) {
        return ml_fhir_fail(c->f, err, ML_IMPORT_FAULT_NOMEM, node);
    }
    ml_fhir_keep(c->f, node);
    return true;
}

static void put_empty(struct conv *c)
{
    ml_mp_put_str(c->out, ml_slice_str(""));
}

/* A member as text, or the empty text when it isn't there. */
static bool put_text_or_empty(struct conv *c, uint32_t node, const char *key)
{
    uint32_t child = member(c, node, key);
    if (child == NO_NODE) {
        put_empty(c);
        return true;
    }
    return put_text(c, child);
}

/* All the strings of an array. */
static bool put_text_items(struct conv *c, uint32_t array)
{
    uint32_t first = ml_json_child(c->f->doc, array);
    uint32_t count = 0;
    if (node_of(c, array)->type != ML_JSON_ARRAY) {
        return type_fault(c, array);
    }
    for (uint32_t at = first; at != NO_NODE; at = node_of(c, at)->next) {
        count++;
    }
    ml_mp_put_array(c->out, count);
    for (uint32_t at = first; at != NO_NODE; at = node_of(c, at)->next) {
        if (!put_text(c, at)) {
            return false;
        }
    }
    return true;
}

/* All the strings of an array member; none when it isn't there. */
static bool put_texts(struct conv *c, uint32_t node, const char *key)
{
    uint32_t array = member(c, node, key);
    if (array == NO_NODE) {
        ml_mp_put_array(c->out, 0);
        return true;
    }
    return put_text_items(c, array);
}

static bool put_bool(struct conv *c, uint32_t node)
{
    uint8_t type = node_of(c, node)->type;
    if (type != ML_JSON_TRUE && type != ML_JSON_FALSE) {
        return type_fault(c, node);
    }
    ml_mp_put_bool(c->out, type == ML_JSON_TRUE);
    ml_fhir_keep(c->f, node);
    return true;
}

static bool put_int(struct conv *c, uint32_t node)
{
    const struct ml_json_node *n = node_of(c, node);
    int64_t value = 0;
    if (n->type != ML_JSON_NUMBER) {
        return type_fault(c, node);
    }
    if (!ml_decimal_int(ml_slice(n->text, n->text_len), &value)) {
        return ml_fhir_fail(c->f, ML_E_MALFORMED, ML_IMPORT_FAULT_RANGE, node);
    }
    ml_mp_put_int(c->out, value);
    ml_fhir_keep(c->f, node);
    return true;
}

static bool put_decimal(struct conv *c, uint32_t node)
{
    const struct ml_json_node *n = node_of(c, node);
    char plain[ML_DECIMAL_SIZE];
    if (n->type != ML_JSON_NUMBER) {
        return type_fault(c, node);
    }
    if (!ml_decimal_plain(ml_slice(n->text, n->text_len), plain)) {
        return ml_fhir_fail(c->f, ML_E_MALFORMED, ML_IMPORT_FAULT_RANGE, node);
    }
    ml_mp_put_str(c->out, ml_slice_str(plain));
    ml_fhir_keep(c->f, node);
    return true;
}

static bool read_instant(struct conv *c, uint32_t node, struct ml_instant *out)
{
    const struct ml_json_node *n = node_of(c, node);
    if (n->type != ML_JSON_STRING) {
        return type_fault(c, node);
    }
    if (!ml_fhir_time_parse(ml_slice(n->text, n->text_len), out)) {
        return ml_fhir_fail(c->f, ML_E_MALFORMED, ML_IMPORT_FAULT_DATE, node);
    }
    ml_fhir_keep(c->f, node);
    return true;
}

static bool put_instant(struct conv *c, uint32_t node)
{
    struct ml_instant t = {0};
    if (!read_instant(c, node, &t)) {
        return false;
    }
    ml_mp_put_array(c->out, 3);
    ml_mp_put_int(c->out, t.utc_ms);
    ml_mp_put_int(c->out, t.offset_min);
    ml_mp_put_uint(c->out, t.precision);
    return true;
}

/* A date stays text: "1979", "1979-03", "1979-03-28"; of a dateTime, the day as written. */
static bool put_date(struct conv *c, uint32_t node)
{
    struct ml_instant t;
    const struct ml_json_node *n = node_of(c, node);
    if (!read_instant(c, node, &t)) {
        return false;
    }
    ml_mp_put_str(c->out, ml_slice(n->text, n->text_len < 10 ? n->text_len : 10));
    return true;
}

static bool put_instant_or_nil(struct conv *c, uint32_t node, const char *key)
{
    uint32_t child = member(c, node, key);
    if (child == NO_NODE) {
        ml_mp_put_nil(c->out);
        return true;
    }
    return put_instant(c, child);
}

/* A Period, or one moment: then it begins there and its end isn't said. */
static bool put_period(struct conv *c, uint32_t node)
{
    ml_mp_put_array(c->out, 2);
    if (!is_object(c, node)) {
        bool done = put_instant(c, node);
        ml_mp_put_nil(c->out);
        return done;
    }
    return put_instant_or_nil(c, node, "start") && put_instant_or_nil(c, node, "end");
}

/* ---- codes ---- */

/* A code system: its number when it has one, else its URI. */
static void put_scheme(struct conv *c, struct ml_slice uri)
{
    uint16_t number = ml_code_system_number(uri);
    if (number != 0) {
        ml_mp_put_uint(c->out, number);
    } else {
        ml_mp_put_str(c->out, uri);
    }
}

/* The "system" member of an object, or the empty text. */
static bool put_scheme_of(struct conv *c, uint32_t node)
{
    uint32_t uri = member(c, node, "system");
    if (uri != NO_NODE && node_of(c, uri)->type != ML_JSON_STRING) {
        return type_fault(c, uri);
    }
    if (uri != NO_NODE) {
        ml_fhir_keep(c->f, uri);
    }
    put_scheme(c, ml_json_str(c->f->doc, node, "system"));
    return true;
}

/* [system, code, display] of a Coding. */
static bool put_coding(struct conv *c, uint32_t node)
{
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    ml_mp_put_array(c->out, 3);
    return put_scheme_of(c, node) && put_text_or_empty(c, node, "code") &&
           put_text_or_empty(c, node, "display");
}

static bool word_in(const char *list, struct ml_slice word)
{
    const char *p = list;
    while (*p != '\0') {
        size_t len = strcspn(p, "|");
        if (len == word.len && memcmp(p, word.data, len) == 0) {
            return true;
        }
        p += len + (p[len] == '|');
    }
    return false;
}

/* The entry that a FHIR code means; a "*" entry takes any other. */
static const struct ml_value_set_item *set_find(const struct ml_value_set *set,
                                                struct ml_slice code)
{
    const struct ml_value_set_item *any = NULL;
    for (size_t i = 0; i < set->item_count; i++) {
        const struct ml_value_set_item *item = &set->items[i];
        const char *list = item->fhir != NULL ? item->fhir : item->code;
        if (word_in(list, code)) {
            return item;
        }
        any = strcmp(list, "*") == 0 ? item : any;
    }
    return any;
}

/* Is the coding of the list's own system, or of none? In a closed list the code alone decides:
 * FHIR has several systems of one meaning (verification of problems and of allergies). */
static bool system_fits(const struct conv *c, uint32_t node)
{
    struct ml_slice uri = ml_json_str(c->f->doc, node, "system");
    return !c->set->open || uri.len == 0 || ml_slice_equal(uri, ml_slice_str(c->set->system_uri));
}

/* A code of the field's list, under the list's own system. */
static bool put_listed(struct conv *c, uint32_t node, const struct ml_value_set_item *item)
{
    ml_mp_put_array(c->out, 3);
    put_scheme(c, ml_slice_str(c->set->system_uri));
    ml_mp_put_str(c->out, ml_slice_str(item->code));
    if (!is_object(c, node)) {
        ml_fhir_keep(c->f, node);
        put_empty(c);
        return true;
    }
    uint32_t uri = member(c, node, "system");
    ml_fhir_keep(c->f, member(c, node, "code"));
    if (uri != NO_NODE) {
        ml_fhir_keep(c->f, uri);
    }
    return put_text_or_empty(c, node, "display");
}

/* A bare code, which no list knows. */
static bool put_bare_code(struct conv *c, uint32_t node)
{
    ml_mp_put_array(c->out, 3);
    put_scheme(c, ml_slice_str(c->set != NULL ? c->set->system_uri : ""));
    bool done = put_text(c, node);
    put_empty(c);
    return done;
}

/* A code, a Coding, or the first Coding of a CodeableConcept. */
static bool put_code(struct conv *c, uint32_t node)
{
    bool object = is_object(c, node);
    uint32_t codings = object ? member(c, node, "coding") : NO_NODE;
    if (codings != NO_NODE) {
        node = ml_json_child(c->f->doc, codings);
    }
    if (node == NO_NODE) {
        return false;
    }
    const struct ml_json_node *n = node_of(c, node);
    struct ml_slice code = object ? ml_json_str(c->f->doc, node, "code")
                                  : ml_slice(n->text, n->type == ML_JSON_STRING ? n->text_len : 0);
    if (code.len == 0) {
        return object ? false : type_fault(c, node);
    }
    const struct ml_value_set_item *item = c->set != NULL ? set_find(c->set, code) : NULL;
    if (item != NULL && system_fits(c, node)) {
        return put_listed(c, node, item);
    }
    if (c->set != NULL && !c->set->open) {
        return ml_fhir_fail(c->f, ML_E_MALFORMED, ML_IMPORT_FAULT_CODE, node);
    }
    return object ? put_coding(c, node) : put_bare_code(c, node);
}

/* [text, [codings]] of a CodeableConcept, of a Coding alone, or of a plain text. */
static bool put_concept(struct conv *c, uint32_t node)
{
    uint32_t codings = member(c, node, "coding");
    uint32_t count = 0;
    ml_mp_put_array(c->out, 2);
    if (!is_object(c, node)) {
        bool done = put_text(c, node);
        ml_mp_put_array(c->out, 0);
        return done;
    }
    if (codings == NO_NODE && member(c, node, "code") != NO_NODE) {
        put_empty(c);
        ml_mp_put_array(c->out, 1);
        return put_coding(c, node);
    }
    uint32_t first = codings == NO_NODE ? NO_NODE : ml_json_child(c->f->doc, codings);
    for (uint32_t at = first; at != NO_NODE; at = node_of(c, at)->next) {
        count++;
    }
    bool done = put_text_or_empty(c, node, "text");
    ml_mp_put_array(c->out, count);
    for (uint32_t at = first; done && at != NO_NODE; at = node_of(c, at)->next) {
        done = put_coding(c, at);
    }
    return done && (count > 0 || member(c, node, "text") != NO_NODE);
}

/* ---- quantities ---- */

static bool same_text(const struct conv *c, uint32_t node, const char *a, const char *b)
{
    return ml_slice_equal(ml_json_str(c->f->doc, node, a), ml_json_str(c->f->doc, node, b));
}

/* The UCUM code says the unit; without one, or in another system, the text does. */
static bool put_unit(struct conv *c, uint32_t node)
{
    uint32_t code = member(c, node, "code");
    uint32_t unit = member(c, node, "unit");
    uint32_t uri = member(c, node, "system");
    struct ml_slice named = ml_json_str(c->f->doc, node, "system");
    bool ucum = uri == NO_NODE || ml_slice_equal(named, ml_slice_str(UCUM));
    if (code == NO_NODE && unit == NO_NODE) {
        ml_mp_put_str(c->out, ml_slice_str(""));
        return true;
    }
    bool coded = code != NO_NODE && (ucum || unit == NO_NODE);
    if (coded && ucum && uri != NO_NODE) {
        ml_fhir_keep(c->f, uri);
    }
    if (coded && unit != NO_NODE && same_text(c, node, "code", "unit")) {
        ml_fhir_keep(c->f, unit);
    }
    return put_text(c, coded ? code : unit);
}

/* [decimal text, unit]. A bound ("<", ">=") is no quantity: a reader would take it for one. */
static bool put_quantity(struct conv *c, uint32_t node)
{
    uint32_t value = member(c, node, "value");
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    if (value == NO_NODE || member(c, node, "comparator") != NO_NODE) {
        return false;
    }
    ml_mp_put_array(c->out, 2);
    return put_decimal(c, value) && put_unit(c, node);
}

/* "<0.50 mg/L" as text: the only form of a bound that nobody computes with. */
static bool put_bound(struct conv *c, uint32_t node)
{
    struct ml_slice sign = ml_json_str(c->f->doc, node, "comparator");
    struct ml_slice unit = ml_json_str(c->f->doc, node, "unit");
    uint32_t value = member(c, node, "value");
    char text[ML_LINE_MAX];
    unit = unit.len > 0 ? unit : ml_json_str(c->f->doc, node, "code");
    if (value == NO_NODE || sign.len == 0 || node_of(c, value)->type != ML_JSON_NUMBER) {
        return false;
    }
    const struct ml_json_node *n = node_of(c, value);
    int len = snprintf(text, sizeof(text), "%.*s%.*s %.*s", (int)sign.len, (const char *)sign.data,
                       (int)n->text_len, n->text, (int)unit.len, (const char *)unit.data);
    if (len < 0 || (size_t)len >= sizeof(text)) {
        return false;
    }
    ml_mp_put_str(c->out, ml_slice(text, (size_t)len));
    for (uint32_t at = ml_json_child(c->f->doc, node); at != NO_NODE; at = node_of(c, at)->next) {
        ml_fhir_keep(c->f, at);
    }
    return true;
}

/* Which FHIR type a choice is of stands at the end of its key: valueQuantity. */
static bool key_ends(const struct ml_json_node *n, const char *end)
{
    size_t len = strlen(end);
    return n->key_len >= len && memcmp(n->key + n->key_len - len, end, len) == 0;
}

static bool put_value(struct conv *c, uint32_t node)
{
    const struct ml_json_node *n = node_of(c, node);
    if (key_ends(n, "Quantity")) {
        bool bound = member(c, node, "comparator") != NO_NODE;
        return bound ? put_bound(c, node) : put_quantity(c, node);
    }
    if (key_ends(n, "CodeableConcept") || key_ends(n, "Coding")) {
        return put_concept(c, node);
    }
    if (key_ends(n, "DateTime") || key_ends(n, "Instant")) {
        return put_instant(c, node);
    }
    if (key_ends(n, "Boolean")) {
        return put_bool(c, node);
    }
    if (key_ends(n, "Integer")) {
        return put_int(c, node);
    }
    if (key_ends(n, "String") || key_ends(n, "Time") || key_ends(n, "status")) {
        return put_text(c, node);
    }
    return false; /* Range, Ratio, SampledData, Period: not kept, and counted */
}

/* The value of a component: FHIR's value[x], or the status of a plan's activity. */
static uint32_t component_value(const struct conv *c, uint32_t node)
{
    uint32_t at = ml_json_child(c->f->doc, node);
    for (; at != NO_NODE; at = node_of(c, at)->next) {
        const struct ml_json_node *n = node_of(c, at);
        bool choice = n->key_len > 5 && memcmp(n->key, "value", 5) == 0;
        if (choice || (n->key_len == 6 && memcmp(n->key, "status", 6) == 0)) {
            break;
        }
    }
    return at;
}

static bool put_component(struct conv *c, uint32_t node)
{
    uint32_t code = member(c, node, "code");
    if (code == NO_NODE) {
        return false;
    }
    uint32_t value = component_value(c, node);
    ml_mp_put_array(c->out, 2);
    if (!put_concept(c, code)) {
        return false;
    }
    size_t start = c->out->len;
    if (value == NO_NODE || !put_value(c, value)) {
        c->out->len = start;
        ml_mp_put_nil(c->out);
    }
    return c->f->err == ML_OK;
}

/* ---- structured types ---- */

static bool put_identifier(struct conv *c, uint32_t node)
{
    uint32_t type = member(c, node, "type");
    uint32_t codings = type == NO_NODE ? NO_NODE : member(c, type, "coding");
    uint32_t coding = codings == NO_NODE ? NO_NODE : ml_json_child(c->f->doc, codings);
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    ml_mp_put_array(c->out, 4);
    if (!put_scheme_of(c, node) || !put_text_or_empty(c, node, "value")) {
        return false;
    }
    if (coding == NO_NODE) {
        put_empty(c);
    } else if (!put_text_or_empty(c, coding, "code")) {
        return false;
    }
    return put_text_or_empty(c, node, "use");
}

static bool put_name(struct conv *c, uint32_t node)
{
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    ml_mp_put_array(c->out, 5);
    bool family = member(c, node, "family") != NO_NODE;
    return put_text_or_empty(c, node, "use") &&
           put_text_or_empty(c, node, family ? "family" : "text") && put_texts(c, node, "given") &&
           put_texts(c, node, "prefix") && put_texts(c, node, "suffix");
}

/* An address that has only its text is one line. */
static bool put_lines(struct conv *c, uint32_t node)
{
    uint32_t text = member(c, node, "text");
    if (member(c, node, "line") != NO_NODE || text == NO_NODE) {
        return put_texts(c, node, "line");
    }
    ml_mp_put_array(c->out, 1);
    return put_text(c, text);
}

static bool put_address(struct conv *c, uint32_t node)
{
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    ml_mp_put_array(c->out, 7);
    return put_text_or_empty(c, node, "use") && put_lines(c, node) &&
           put_text_or_empty(c, node, "postalCode") && put_text_or_empty(c, node, "city") &&
           put_text_or_empty(c, node, "district") && put_text_or_empty(c, node, "state") &&
           put_text_or_empty(c, node, "country");
}

static bool put_contact(struct conv *c, uint32_t node)
{
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    uint32_t rank = member(c, node, "rank");
    ml_mp_put_array(c->out, 4);
    bool done = put_text_or_empty(c, node, "system") && put_text_or_empty(c, node, "value") &&
                put_text_or_empty(c, node, "use");
    if (rank == NO_NODE) {
        ml_mp_put_uint(c->out, 0);
        return done;
    }
    return done && put_int(c, rank);
}

static bool put_ref(struct conv *c, uint32_t node)
{
    struct ml_object_id id;
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    if (!ml_fhir_resolve(c->f, c->from, node, c->ref, &id)) {
        return false;
    }
    ml_mp_put_bin(c->out, ml_slice(id.b, sizeof(id.b)));
    return true;
}

/* One key of a map whose members may be absent: `put` at `node` when it is there. */
struct map_row {
    bool (*put)(struct conv *, uint32_t);
    uint32_t node; /* NO_NODE: absent */
    uint8_t key;
};

static bool put_map(struct conv *c, const struct map_row *rows, size_t count)
{
    uint32_t present = 0;
    for (size_t i = 0; i < count; i++) {
        present += rows[i].node != NO_NODE;
    }
    if (present == 0) {
        return false;
    }
    ml_mp_put_map(c->out, present);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].node == NO_NODE) {
            continue;
        }
        ml_mp_put_uint(c->out, rows[i].key);
        if (!rows[i].put(c, rows[i].node)) {
            return false;
        }
    }
    return true;
}

static uint32_t member_of(const struct conv *c, uint32_t node, const char *key)
{
    return node == NO_NODE ? NO_NODE : member(c, node, key);
}

static uint32_t first_of(const struct conv *c, uint32_t array)
{
    return array == NO_NODE ? NO_NODE : ml_json_child(c->f->doc, array);
}

/* What is false or 0 is left out of a dosage, but was read. */
static uint32_t unless_zero(struct conv *c, uint32_t node)
{
    if (node == NO_NODE) {
        return node;
    }
    const struct ml_json_node *n = node_of(c, node);
    bool zero = n->type == ML_JSON_FALSE ||
                (n->type == ML_JSON_NUMBER && n->text_len == 1 && n->text[0] == '0');
    if (zero) {
        ml_fhir_keep(c->f, node);
    }
    return zero ? NO_NODE : node;
}

static bool put_dosage(struct conv *c, uint32_t node)
{
    uint32_t repeat = member_of(c, member(c, node, "timing"), "repeat");
    uint32_t rate = first_of(c, member(c, node, "doseAndRate"));
    uint32_t range = member_of(c, rate, "doseRange");
    uint32_t dose = member_of(c, rate, "doseQuantity");
    const struct map_row rows[] = {
        {put_int, unless_zero(c, member(c, node, "sequence")), 1},
        {put_text, member(c, node, "text"), 2},
        {put_quantity, dose != NO_NODE ? dose : member_of(c, range, "low"), 3},
        {put_int, unless_zero(c, member_of(c, repeat, "frequency")), 4},
        {put_decimal, member_of(c, repeat, "period"), 5},
        {put_text, member_of(c, repeat, "periodUnit"), 6},
        {put_bool, unless_zero(c, member(c, node, "asNeededBoolean")), 7},
        {put_text_items, member_of(c, repeat, "when"), 8},
        {put_coding, first_of(c, member_of(c, member(c, node, "route"), "coding")), 9},
        {put_quantity, member_of(c, range, "high"), 10},
        {put_int, unless_zero(c, member_of(c, repeat, "frequencyMax")), 11},
    };
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    return put_map(c, rows, sizeof(rows) / sizeof(rows[0]));
}

/* ---- attachments ---- */

static bool put_content_bytes(struct conv *c, uint32_t node)
{
    (void)node;
    ml_mp_put_bin(c->out, ml_fhir_content_bytes(c->f, &c->attached));
    return true;
}

static bool put_content_size(struct conv *c, uint32_t node)
{
    (void)node;
    ml_mp_put_uint(c->out, c->attached.len);
    return true;
}

static bool put_content_hash(struct conv *c, uint32_t node)
{
    (void)node;
    ml_mp_put_bin(c->out, ml_slice(c->attached.hash.b, sizeof(c->attached.hash.b)));
    return true;
}

/* Nobody's version until the manifest is sealed: the last of the value. */
static bool put_content_manifest(struct conv *c, uint32_t node)
{
    uint8_t nowhere[sizeof(struct ml_version_id)];
    (void)node;
    memset(nowhere, 0xff, sizeof(nowhere));
    ml_mp_put_bin(c->out, ml_slice(nowhere, sizeof(nowhere)));
    return true;
}

/* The size that a file says counts only where the contents aren't there to be counted. */
static struct map_row size_row(struct conv *c, uint32_t size)
{
    const uint32_t data = c->attached.node;
    if (data == NO_NODE) {
        return (struct map_row){put_int, unless_zero(c, size), 4};
    }
    if (size != NO_NODE && ml_fhir_content_has_size(c->f, size, &c->attached)) {
        ml_fhir_keep(c->f, size);
    }
    return (struct map_row){put_content_size, data, 4};
}

static bool put_attachment(struct conv *c, uint32_t node)
{
    const size_t used =
        c->out->len < ML_FHIR_FIELD_BYTES_MAX / 2 ? c->out->len : ML_FHIR_FIELD_BYTES_MAX / 2;
    if (!is_object(c, node)) {
        return type_fault(c, node);
    }
    if (!ml_fhir_content_read(c->f, member(c, node, "data"), ML_FHIR_FIELD_BYTES_MAX / 2 - used,
                              &c->attached)) {
        return false;
    }
    const uint32_t data = c->attached.node;
    const uint32_t type = member(c, node, "contentType");
    const struct map_row rows[] = {
        {put_text, type, 1},
        {put_text, member(c, node, "title"), 2},
        {put_content_bytes, c->attached.in_place ? data : NO_NODE, 3},
        size_row(c, member(c, node, "size")),
        {put_content_hash, data, 5},
        {put_text, member(c, node, "url"), 6},
        {put_text, member(c, node, "language"), 7},
        {put_instant, member(c, node, "creation"), 8},
        {put_content_manifest, c->attached.in_place ? NO_NODE : data, 9},
    };
    bool done = put_map(c, rows, sizeof(rows) / sizeof(rows[0]));
    return ml_fhir_content_settle(c->f, &c->attached, type, c->out->len) && done;
}

/* ---- public ---- */

typedef bool (*put_fn)(struct conv *, uint32_t);

static const put_fn put_by_type[] = {
    [ML_TYPE_TEXT] = put_text,
    [ML_TYPE_BOOL] = put_bool,
    [ML_TYPE_INT] = put_int,
    [ML_TYPE_DECIMAL] = put_decimal,
    [ML_TYPE_QUANTITY] = put_quantity,
    [ML_TYPE_CODE] = put_code,
    [ML_TYPE_CONCEPT] = put_concept,
    [ML_TYPE_DATE] = put_date,
    [ML_TYPE_INSTANT] = put_instant,
    [ML_TYPE_PERIOD] = put_period,
    [ML_TYPE_REF] = put_ref,
    [ML_TYPE_IDENTIFIER] = put_identifier,
    [ML_TYPE_NAME] = put_name,
    [ML_TYPE_ADDRESS] = put_address,
    [ML_TYPE_CONTACT] = put_contact,
    [ML_TYPE_DOSAGE] = put_dosage,
    [ML_TYPE_COMPONENT] = put_component,
    [ML_TYPE_VALUE] = put_value,
    [ML_TYPE_ATTACHMENT] = put_attachment,
};

bool ml_fhir_value(struct fhir *f, const struct fhir_entry *from, const struct ml_field *field,
                   uint32_t node, struct ml_buf *out)
{
    struct conv c = {.f = f, .from = from, .ref = field->ref, .out = out};
    size_t start = out->len;
    if (ml_json_node(f->doc, node)->type == ML_JSON_NULL) {
        return false; /* an array of primitives keeps places with null */
    }
    if (field->value_set != NULL) {
        c.set = ml_schema_value_set(f->args->schema, field->value_set);
    }
    bool done = put_by_type[field->type](&c, node) && ml_fhir_buf_ok(f, out, node) &&
                ml_fhir_value_is_sound(field->type, ml_slice(out->data + start, out->len - start));
    if (!done) {
        out->len = start;
    }
    return done && f->err == ML_OK;
}

bool ml_fhir_value_instant(struct fhir *f, uint32_t node, struct ml_instant *out)
{
    struct conv c = {.f = f};
    if (!is_object(&c, node)) {
        return read_instant(&c, node, out);
    }
    uint32_t bound = member(&c, node, "start");
    bound = bound != NO_NODE ? bound : member(&c, node, "end");
    return bound != NO_NODE && read_instant(&c, bound, out);
}
