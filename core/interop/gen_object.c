/* core/interop/gen_object.c -- objects of the generator, written field by field.
 *
 * Fields are named, looked up in the schema and encoded as the codec does; gen_end sorts them by
 * number and hands the object out. The first error sticks in g->err.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/crypto/hash.h"
#include "core/interop/gen_internal.h"

#define DAY_MS INT64_C(86400000)

/* ---- the calendar ---- */

static uint32_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (uint32_t)(era * 146097 + day_of_era - 719468);
}

void ml_gen_civil(uint32_t day, int *year, int *month, int *day_of_month)
{
    int y = 1970 + (int)(day / 366);
    while (days_of(y + 1, 1, 1) <= day) {
        y++;
    }
    int m = 12;
    while (days_of(y, m, 1) > day) {
        m--;
    }
    *year = y;
    *month = m;
    *day_of_month = (int)(day - days_of(y, m, 1)) + 1;
}

/* The last Sunday of a month of 31 days: 1970-01-04 was a Sunday. */
static uint32_t last_sunday(int year, int month)
{
    uint32_t last = days_of(year, month, 31);
    return last - (last + 4) % 7;
}

/* Minutes east of UTC in mainland France: summer time changes at 01:00 UTC. */
static int france_offset(int64_t utc_ms)
{
    uint32_t day = (uint32_t)(utc_ms / DAY_MS);
    int year = 0;
    int month = 0;
    int ignored = 0;
    ml_gen_civil(day, &year, &month, &ignored);
    int64_t from = last_sunday(year, 3) * DAY_MS + INT64_C(3600000);
    int64_t to = last_sunday(year, 10) * DAY_MS + INT64_C(3600000);
    return utc_ms >= from && utc_ms < to ? 120 : 60;
}

int64_t ml_gen_day_ms(uint32_t day)
{
    int64_t midnight = day * DAY_MS;
    return midnight - france_offset(midnight) * INT64_C(60000);
}

static struct ml_instant instant_at(int64_t utc_ms)
{
    return (struct ml_instant){.utc_ms = utc_ms,
                               .offset_min = (int16_t)france_offset(utc_ms),
                               .precision = ML_PRECISION_MINUTE};
}

/* ---- ids ---- */

static struct ml_object_id make_id(uint64_t seed, const char *kind, uint64_t number, int64_t ms)
{
    uint8_t bytes[16];
    uint8_t tail[ML_OBJECT_ID_TAIL];
    ml_put_u64be(bytes, seed);
    ml_put_u64be(bytes + 8, number);
    struct ml_slice parts[] = {ml_slice_str("maille/gen/1/"), ml_slice_str(kind),
                               ml_slice(bytes, sizeof(bytes))};
    ml_hash_parts(tail, sizeof(tail), ml_slice(NULL, 0), parts, 3);
    return ml_object_id_at(ms, tail);
}

struct ml_object_id ml_gen_team_id(const struct ml_gen_args *args, uint32_t member)
{
    return make_id(args->seed, "team", member, 0);
}

struct ml_object_id ml_gen_patient_id(const struct ml_gen_args *args, uint32_t number)
{
    return make_id(args->seed, "patient", number, 0);
}

struct ml_object_id ml_gen_site_id(const struct ml_gen_args *args)
{
    return make_id(args->seed, "site", 0, 0);
}

/* ---- an object ---- */

void ml_gen_begin(struct gen *g, const char *entity, const struct ml_object_id *patient,
                  int64_t effective_ms)
{
    uint64_t number = (uint64_t)g->scope << 32 | g->serial++;
    const struct ml_entity *e = ml_schema_entity_named(g->args->schema, entity);
    g->object = (struct ml_import_object){.entity = e, .index = g->index, .count = g->count};
    g->slot_count = 0;
    ml_buf_clear(&g->bytes);
    if (e == NULL) {
        g->err = g->err != ML_OK ? g->err : ML_E_INVALID;
        return;
    }
    g->object.id = make_id(g->args->seed, entity, number, effective_ms);
    if (patient != NULL) {
        g->object.patient = *patient;
    }
    if (effective_ms != 0) {
        g->object.effective = instant_at(effective_ms);
    }
}

void ml_gen_set_id(struct gen *g, const struct ml_object_id *id)
{
    g->object.id = *id;
    if (g->object.entity != NULL && g->object.entity->is_patient) {
        g->object.patient = *id;
    }
}

void ml_gen_author(struct gen *g, const struct ml_object_id *professional)
{
    g->object.author = *professional;
}

static const struct ml_field *field_named(const struct gen *g, const char *name)
{
    return g->object.entity == NULL ? NULL : ml_entity_field_named(g->object.entity, name);
}

/* Opens the slot of a field; false when there is nothing to write. */
static bool slot_open(struct gen *g, const struct ml_field *field)
{
    if (g->err != ML_OK || field == NULL || g->slot_count == GEN_FIELDS_MAX) {
        return false;
    }
    g->slots[g->slot_count] = (struct gen_slot){.field = field->id, .at = g->bytes.len};
    return true;
}

static void slot_close(struct gen *g)
{
    struct gen_slot *slot = &g->slots[g->slot_count++];
    slot->len = g->bytes.len - slot->at;
    if (g->bytes.err != ML_OK) {
        g->err = g->bytes.err;
    }
}

static void put_str(struct gen *g, const char *text)
{
    ml_mp_put_str(&g->bytes, ml_slice_str(text));
}

void ml_gen_text(struct gen *g, const char *field, const char *text)
{
    if (text != NULL && slot_open(g, field_named(g, field))) {
        put_str(g, text);
        slot_close(g);
    }
}

void ml_gen_texts(struct gen *g, const char *field, const char *const *texts, size_t count)
{
    if (slot_open(g, field_named(g, field))) {
        ml_mp_put_array(&g->bytes, (uint32_t)count);
        for (size_t i = 0; i < count; i++) {
            put_str(g, texts[i]);
        }
        slot_close(g);
    }
}

void ml_gen_bool(struct gen *g, const char *field, bool value)
{
    if (slot_open(g, field_named(g, field))) {
        ml_mp_put_bool(&g->bytes, value);
        slot_close(g);
    }
}

void ml_gen_int(struct gen *g, const char *field, int64_t value)
{
    if (slot_open(g, field_named(g, field))) {
        ml_mp_put_int(&g->bytes, value);
        slot_close(g);
    }
}

void ml_gen_date(struct gen *g, const char *field, const char *date)
{
    ml_gen_text(g, field, date);
}

void ml_gen_decimal(struct gen *g, const char *field, const char *value)
{
    ml_gen_text(g, field, value);
}

static void put_scheme(struct gen *g, const char *uri)
{
    uint16_t number = ml_code_system_number(ml_slice_str(uri));
    if (number != 0) {
        ml_mp_put_uint(&g->bytes, number);
    } else {
        put_str(g, uri);
    }
}

/* The label of a code in the field's list; the code itself when the list hasn't it. */
static const char *label_of(const struct ml_value_set *set, struct ml_slice code)
{
    for (size_t i = 0; set != NULL && i < set->item_count; i++) {
        if (ml_slice_equal(ml_slice_str(set->items[i].code), code)) {
            return set->items[i].label_fr;
        }
    }
    return "";
}

static const struct ml_value_set *set_of(const struct gen *g, const struct ml_field *field)
{
    return field->value_set == NULL ? NULL : ml_schema_value_set(g->args->schema, field->value_set);
}

static void put_code(struct gen *g, const struct ml_value_set *set, struct ml_slice code)
{
    ml_mp_put_array(&g->bytes, 3);
    put_scheme(g, set != NULL ? set->system_uri : "");
    ml_mp_put_str(&g->bytes, code);
    put_str(g, label_of(set, code));
}

void ml_gen_code(struct gen *g, const char *field, const char *code)
{
    const struct ml_field *f = field_named(g, field);
    if (code != NULL && slot_open(g, f)) {
        put_code(g, set_of(g, f), ml_slice_str(code));
        slot_close(g);
    }
}

void ml_gen_codes(struct gen *g, const char *field, const char *codes)
{
    const struct ml_field *f = field_named(g, field);
    uint32_t count = 1;
    if (codes[0] == '\0' || !slot_open(g, f)) {
        return;
    }
    for (const char *p = codes; *p != '\0'; p++) {
        count += *p == '|';
    }
    ml_mp_put_array(&g->bytes, count);
    for (const char *p = codes; count > 0; count--) {
        size_t len = strcspn(p, "|");
        put_code(g, set_of(g, f), ml_slice(p, len));
        p += len + 1;
    }
    slot_close(g);
}

void ml_gen_concept(struct gen *g, const char *field, const char *code, const char *text)
{
    const struct ml_field *f = field_named(g, field);
    if (!slot_open(g, f)) {
        return;
    }
    const struct ml_value_set *set = set_of(g, f);
    const char *label = code != NULL ? label_of(set, ml_slice_str(code)) : "";
    if (f->list) {
        ml_mp_put_array(&g->bytes, 1);
    }
    ml_mp_put_array(&g->bytes, 2);
    put_str(g, text != NULL ? text : label);
    ml_mp_put_array(&g->bytes, code != NULL);
    if (code != NULL) {
        put_code(g, set, ml_slice_str(code));
    }
    slot_close(g);
}

void ml_gen_quantity(struct gen *g, const char *field, const char *number, const char *unit)
{
    if (slot_open(g, field_named(g, field))) {
        ml_mp_put_array(&g->bytes, 2);
        put_str(g, number);
        put_str(g, unit);
        slot_close(g);
    }
}

static void put_time(struct gen *g, int64_t utc_ms)
{
    struct ml_instant t = instant_at(utc_ms);
    ml_mp_put_array(&g->bytes, 3);
    ml_mp_put_int(&g->bytes, t.utc_ms);
    ml_mp_put_int(&g->bytes, t.offset_min);
    ml_mp_put_uint(&g->bytes, t.precision);
}

void ml_gen_time(struct gen *g, const char *field, int64_t utc_ms)
{
    if (slot_open(g, field_named(g, field))) {
        put_time(g, utc_ms);
        slot_close(g);
    }
}

void ml_gen_period(struct gen *g, const char *field, int64_t from_ms, int64_t to_ms)
{
    if (slot_open(g, field_named(g, field))) {
        ml_mp_put_array(&g->bytes, 2);
        put_time(g, from_ms);
        put_time(g, to_ms);
        slot_close(g);
    }
}

void ml_gen_ref(struct gen *g, const char *field, const struct ml_object_id *id)
{
    const struct ml_field *f = field_named(g, field);
    if (slot_open(g, f)) {
        if (f->list) {
            ml_mp_put_array(&g->bytes, 1);
        }
        ml_mp_put_bin(&g->bytes, ml_slice(id->b, sizeof(id->b)));
        slot_close(g);
    }
}

/* The slot is closed by the next field or by the end: its length is what was appended until then.
 */
struct ml_buf *ml_gen_raw(struct gen *g, const char *field)
{
    if (!slot_open(g, field_named(g, field))) {
        return NULL;
    }
    g->slots[g->slot_count++].len = SIZE_MAX;
    return &g->bytes;
}

/* ---- the end ---- */

static size_t slot_len(const struct gen *g, size_t i)
{
    if (g->slots[i].len != SIZE_MAX) {
        return g->slots[i].len;
    }
    size_t end = i + 1 < g->slot_count ? g->slots[i + 1].at : g->bytes.len;
    return end - g->slots[i].at;
}

/* Into ascending order of field numbers, as a map asks. */
static void sorted_fields(const struct gen *g, struct ml_field_value *out)
{
    for (size_t i = 0; i < g->slot_count; i++) {
        struct ml_field_value v = {g->slots[i].field,
                                   ml_slice(g->bytes.data + g->slots[i].at, slot_len(g, i))};
        size_t at = i;
        for (; at > 0 && out[at - 1].field > v.field; at--) {
            out[at] = out[at - 1];
        }
        out[at] = v;
    }
}

struct ml_object_id ml_gen_end(struct gen *g)
{
    struct ml_field_value fields[GEN_FIELDS_MAX];
    if (g->bytes.err != ML_OK && g->err == ML_OK) {
        g->err = g->bytes.err;
    }
    if (g->err != ML_OK) {
        return g->object.id;
    }
    sorted_fields(g, fields);
    ml_buf_clear(&g->map);
    g->err = ml_fields_encode(&g->map, fields, (uint32_t)g->slot_count);
    if (g->err == ML_OK) {
        g->object.values = ml_buf_slice(&g->map);
        g->object.origin = "";
        g->err = g->args->create(g->args->user, &g->object);
    }
    return g->object.id;
}
