/* core/codec/change.c -- see change.h. */
#include "core/codec/change.h"

#include "core/codec/mp_write.h"

static const struct ml_wire_field instant_fields[] = {
    ML_WF_INT(struct ml_instant, 0, utc_ms, INT64_C(253402300799999), "UTC milliseconds"),
    ML_WF_INT(struct ml_instant, 1, offset_min, ML_OFFSET_MINUTES_MAX,
              "local offset, minutes east of UTC"),
    ML_WF_UINT(struct ml_instant, 2, precision, ML_PRECISION_YEAR, ML_PRECISION_MILLISECOND,
               "1 year, 2 month, 3 day, 4 hour, 5 minute, 6 second, 7 millisecond"),
};

const struct ml_wire_format ml_format_instant =
    ML_WIRE_FORMAT("instant", ARRAY, struct ml_instant, ML_WIRE_CLOSED, instant_fields, NULL,
                   "A time of care, with its precision (rules D8).");

static const struct ml_wire_field seen_fields[] = {{
    .key = 0,
    .type = ML_WIRE_REF,
    .size = sizeof(struct ml_version_ref),
    .max = UINT8_MAX,
    .name = "version",
    .meaning = "index of an op of the same bundle, or [first 16 bytes of header_hash, index]",
}};

const struct ml_wire_format ml_format_seen =
    ML_WIRE_FORMAT("version reference", SCALAR, struct ml_version_ref, ML_WIRE_CLOSED, seen_fields,
                   NULL, "One op, for ever.");

static const struct ml_wire_field change_fields[] = {
    ML_WF_UINT(struct ml_change, 1, schema, 1, UINT16_MAX, "schema version of the writer"),
    ML_WF_UINT(struct ml_change, 2, type, 1, UINT8_MAX,
               "1 create, 2 set, 3 amend, 4 void, 5 archive, 6 move, 7 restore, 8 cosign"),
    ML_WF_UINT(struct ml_change, 3, entity, 1, 4095, "entity type id"),
    ML_WF_FIXED(struct ml_change, 4, object, "object id"),
    ML_WF_OPT_UINT(struct ml_change, 5, slot, UINT16_MAX,
                   "field id (set, move); left out: the object's life"),
    ML_WF_OPT_VALUE(struct ml_change, 6, value, ML_CHANGE_BYTES_MAX,
                    "map of field id to value (create, amend, atomic set), or one value"),
    ML_WF_OPT_SORTED(struct ml_change, 7, seen, ML_CHANGE_SEEN_MAX, &ml_format_seen,
                     "versions that this one replaces"),
    ML_WF_OPT_TUPLE(struct ml_change, 8, effective, &ml_format_instant, "time of care"),
    ML_WF_OPT_FIXED(struct ml_change, 9, author,
                    "professional who is not the writer's member (imports)"),
    ML_WF_OPT_TEXT(struct ml_change, 10, reason, ML_CHANGE_REASON_MAX, "why"),
    ML_WF_OPT_TEXT(struct ml_change, 11, origin, ML_CHANGE_ORIGIN_MAX, "source of an import"),
};

const struct ml_wire_format ml_format_change =
    ML_WIRE_FORMAT("change", MAP, struct ml_change, offsetof(struct ml_change, extra),
                   change_fields, NULL, "Plaintext of an op of lane 3; later keys are kept.");

ml_err ml_change_decode(struct ml_change *out, struct ml_slice in, struct ml_fault *fault)
{
    return ml_wire_decode(&ml_format_change, out, in, fault);
}

ml_err ml_change_encode(struct ml_buf *out, const struct ml_change *change)
{
    size_t start = out->len;
    ml_err err = ml_wire_encode(&ml_format_change, out, change);
    if (err == ML_OK && out->len - start > ML_CHANGE_BYTES_MAX) {
        out->len = start;
        return ML_E_LIMIT;
    }
    return err;
}

const char *ml_change_type_name(uint8_t type)
{
    switch (type) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_CHANGE_TYPE_MAP(X)
#undef X
    default:
        return "?";
    }
}

ml_err ml_fields_walk(struct ml_fields_walk *walk, struct ml_slice value)
{
    ml_mp_init(&walk->mp, value, ML_MP_CANONICAL);
    walk->left = ml_mp_map(&walk->mp, 0, UINT16_MAX);
    return ml_mp_ok(&walk->mp) ? ML_OK : ML_E_MALFORMED;
}

bool ml_fields_next(struct ml_fields_walk *walk, uint16_t *field, struct ml_slice *value)
{
    if (walk->left == 0) {
        return false;
    }
    size_t at = walk->mp.pos;
    uint64_t key = ml_mp_key(&walk->mp);
    if (key == 0 || key > UINT16_MAX) {
        ml_mp_fail(&walk->mp, ML_FAULT_RANGE, at);
    }
    struct ml_slice v = ml_mp_value(&walk->mp);
    walk->left--;
    if (!ml_mp_ok(&walk->mp)) {
        return false;
    }
    *field = (uint16_t)key;
    *value = v;
    return true;
}

bool ml_fields_find(struct ml_slice map, uint16_t field, struct ml_slice *value)
{
    struct ml_fields_walk walk;
    struct ml_slice v;
    uint16_t id = 0;
    if (ml_fields_walk(&walk, map) != ML_OK) {
        return false;
    }
    while (ml_fields_next(&walk, &id, &v)) {
        if (id == field) {
            *value = v;
        }
        if (id >= field) { /* they ascend */
            return id == field;
        }
    }
    return false;
}

bool ml_value_is_map(struct ml_slice value)
{
    struct ml_mp c;
    ml_mp_init(&c, value, ML_MP_CANONICAL);
    return ml_mp_peek(&c) == ML_MP_MAP;
}

ml_err ml_fields_encode(struct ml_buf *out, const struct ml_field_value *fields, uint32_t count)
{
    size_t start = out->len;
    ml_mp_put_map(out, count);
    for (uint32_t i = 0; i < count; i++) {
        ml_mp_put_uint(out, fields[i].field);
        ml_mp_put_raw(out, fields[i].value);
    }
    if (out->err != ML_OK) {
        out->len = start;
        return out->err;
    }
    /* The order of keys and the values' forms: what no reader would take isn't written. */
    struct ml_slice written = {out->data + start, out->len - start};
    struct ml_fields_walk walk;
    struct ml_slice v;
    uint16_t id = 0;
    ml_err err = ml_fields_walk(&walk, written);
    while (err == ML_OK && ml_fields_next(&walk, &id, &v)) {
    }
    if (err != ML_OK || ml_mp_end(&walk.mp) != ML_OK) {
        out->len = start;
        return ML_E_INVALID;
    }
    return ML_OK;
}
