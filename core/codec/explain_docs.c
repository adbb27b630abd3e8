/* core/codec/explain_docs.c -- the tables as documentation (explain.h). */
#include "core/codec/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/bundle.h"
#include "core/codec/change.h"
#include "core/codec/consent.h"
#include "core/codec/glass.h"
#include "core/codec/govop.h"
#include "core/codec/keyop.h"
#include "core/codec/manifest.h"
#include "core/codec/msg.h"
#include "core/codec/trace.h"
#include "core/codec/value.h"

enum { FORMATS_MAX = 128 };

struct format_list {
    const struct ml_wire_format *all[FORMATS_MAX];
    size_t count;
};

static void list_add(struct format_list *list, const struct ml_wire_format *format)
{
    ML_ASSERT(list->count < FORMATS_MAX);
    if (format != NULL) {
        list->all[list->count++] = format;
    }
}

/* Items of a format's lists and tuples come right before it, once. */
static void list_add_with_items(struct format_list *list, const struct ml_wire_format *format)
{
    for (size_t i = 0; format != NULL && i < format->field_count; i++) {
        const struct ml_wire_format *item = format->fields[i].item;
        bool there = false;
        for (size_t k = 0; k < list->count; k++) {
            there = there || list->all[k] == item;
        }
        if (!there) {
            list_add(list, item);
        }
    }
    list_add(list, format);
}

static struct format_list formats_collect(void)
{
    struct format_list list = {.count = 0};
    list_add(&list, &ml_format_bundle);
    list_add_with_items(&list, &ml_format_header);
    for (uint16_t type = 1; ml_govop_format(type) != NULL; type++) {
        list_add_with_items(&list, ml_govop_format(type));
    }
    for (uint16_t type = 1; ml_keyop_format(type) != NULL; type++) {
        list_add_with_items(&list, ml_keyop_format(type));
    }
    list_add_with_items(&list, &ml_format_consent);
    list_add_with_items(&list, &ml_format_glass);
    list_add(&list, &ml_format_trace_deposit);
    list_add(&list, &ml_format_trace_entry);
    list_add_with_items(&list, &ml_format_change);
    list_add_with_items(&list, &ml_format_manifest);
    list_add(&list, &ml_format_manifest_inner);
    const struct ml_wire_format *const values[] = {
        &ml_format_concept,     &ml_format_period,        &ml_format_identifier,
        &ml_format_person_name, &ml_format_address_value, &ml_format_contact,
        &ml_format_dosage,      &ml_format_component,     &ml_format_attachment,
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        list_add_with_items(&list, values[i]);
    }
    for (unsigned kind = 1; kind <= UINT8_MAX; kind++) {
        list_add_with_items(&list, ml_msg_format((ml_msg_kind)kind));
    }
    return list;
}

const struct ml_wire_format *const *ml_explain_formats(size_t *count)
{
    /* Filled anew at each call with the same values: any thread may do it. */
    static _Thread_local struct format_list list;
    list = formats_collect();
    *count = list.count;
    return list.all;
}

const struct ml_wire_format *ml_explain_format_named(const char *name)
{
    size_t count = 0;
    const struct ml_wire_format *const *all = ml_explain_formats(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i]->name, name) == 0) {
            return all[i];
        }
    }
    return NULL;
}

static void range_text(char *out, size_t size, uint64_t min, uint64_t max)
{
    if (min == max) {
        snprintf(out, size, "%" PRIu64, min);
    } else if (max == UINT64_MAX) {
        snprintf(out, size, "%" PRIu64 "..2^64-1", min);
    } else if (max == UINT32_MAX) {
        snprintf(out, size, "%" PRIu64 "..2^32-1", min);
    } else {
        snprintf(out, size, "%" PRIu64 "..%" PRIu64, min, max);
    }
}

void ml_explain_field_type(char *out, size_t size, const struct ml_wire_field *field)
{
    char range[48];
    range_text(range, sizeof(range), field->min, field->max);
    switch (field->type) {
    case ML_WIRE_UINT:
        snprintf(out, size, "uint %s", range);
        return;
    case ML_WIRE_INT:
        snprintf(out, size, "int ±%" PRIu64, field->max);
        return;
    case ML_WIRE_BOOL:
        snprintf(out, size, "bool");
        return;
    case ML_WIRE_FIXED:
        snprintf(out, size, "bin %u", (unsigned)field->size);
        return;
    case ML_WIRE_BIN:
        snprintf(out, size, "bin %s", range);
        return;
    case ML_WIRE_TEXT:
        snprintf(out, size, "str %s", range);
        return;
    case ML_WIRE_VALUE:
        snprintf(out, size, "any value");
        return;
    case ML_WIRE_BODY:
        snprintf(out, size, "bin %s, or uint 1..255", range);
        return;
    case ML_WIRE_REF:
        snprintf(out, size, "uint 0..255, or [bin 16, uint 0..255]");
        return;
    case ML_WIRE_SYSTEM:
        snprintf(out, size, "uint 1..24, or str %s", range);
        return;
    case ML_WIRE_TUPLE:
        snprintf(out, size, "%s", field->item->name);
        return;
    case ML_WIRE_LIST:
        snprintf(out, size, "list of %s, %s%s", field->item->name, range,
                 field->flags & ML_WIRE_SORTED ? ", ascending" : "");
        return;
    }
    snprintf(out, size, "?");
}

static uint64_t uint_bytes(uint64_t v)
{
    if (v < 0x80) {
        return 1;
    }
    if (v <= UINT8_MAX) {
        return 2;
    }
    if (v <= UINT16_MAX) {
        return 3;
    }
    return v <= UINT32_MAX ? 5 : 9;
}

static uint64_t int_bytes(uint64_t max)
{
    if (max <= INT8_MAX) {
        return 2;
    }
    if (max <= INT16_MAX) {
        return 3;
    }
    return max <= INT32_MAX ? 5 : 9;
}

/* With the head; text heads have a form of one byte below 32 that bin heads lack. */
static uint64_t bytes_bytes(uint64_t len, bool text)
{
    if (text && len < 32) {
        return len + 1;
    }
    if (len <= UINT8_MAX) {
        return len + 2;
    }
    return len + (len <= UINT16_MAX ? 3 : 5);
}

void ml_explain_field_size(char *out, size_t size, const struct ml_wire_field *field)
{
    bool text = field->type == ML_WIRE_TEXT;
    switch (field->type) {
    case ML_WIRE_UINT:
        range_text(out, size, uint_bytes(field->min), uint_bytes(field->max));
        return;
    case ML_WIRE_INT:
        range_text(out, size, 1, int_bytes(field->max));
        return;
    case ML_WIRE_BOOL:
        snprintf(out, size, "1");
        return;
    case ML_WIRE_FIXED:
        range_text(out, size, bytes_bytes(field->size, false), bytes_bytes(field->size, false));
        return;
    case ML_WIRE_BIN:
    case ML_WIRE_TEXT:
        range_text(out, size, bytes_bytes(field->min, text), bytes_bytes(field->max, text));
        return;
    case ML_WIRE_VALUE:
        range_text(out, size, field->min, field->max);
        return;
    case ML_WIRE_SYSTEM:
    case ML_WIRE_BODY:
        range_text(out, size, 1, bytes_bytes(field->max, false));
        return;
    case ML_WIRE_REF:
        snprintf(out, size, "1..21");
        return;
    case ML_WIRE_TUPLE:
    case ML_WIRE_LIST:
        break;
    }
    snprintf(out, size, "%s", "");
}
