/* tests/fuzz/core_codec/roundtrip.h -- what a decoder accepts must encode to the same bytes.
 *
 * Lists are decoded item by item and written from the items, so that the encoder's own work is
 * compared, not a copy of the input. Shared by fuzzers and unit tests.
 */
#ifndef ML_TESTS_ROUNDTRIP_H
#define ML_TESTS_ROUNDTRIP_H

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/codec/wire.h"

/* Gives every list of a decoded object its items; lists_drop frees them. */
static void lists_unpack(const struct ml_wire_format *format, void *object)
{
    for (size_t i = 0; i < format->field_count; i++) {
        const struct ml_wire_field *f = &format->fields[i];
        struct ml_list *list = (void *)((uint8_t *)object + f->offset);
        struct ml_list_walk walk;
        if (f->type != ML_WIRE_LIST || list->count == 0) {
            continue;
        }
        uint8_t *items = calloc(list->count, f->item->size);
        uint32_t n = 0;
        if (items == NULL) {
            abort();
        }
        for (ml_list_walk(&walk, list); n < list->count; n++) {
            if (!ml_list_next(&walk, f->item, items + (size_t)n * f->item->size)) {
                abort(); /* the decoder accepted them */
            }
        }
        list->items = items;
    }
}

static void lists_drop(const struct ml_wire_format *format, void *object)
{
    for (size_t i = 0; i < format->field_count; i++) {
        const struct ml_wire_field *f = &format->fields[i];
        if (f->type == ML_WIRE_LIST) {
            struct ml_list *list = (void *)((uint8_t *)object + f->offset);
            free((void *)(uintptr_t)list->items);
            list->items = NULL;
        }
    }
}

/* Aborts unless `object`, decoded from `in` by `format`, encodes to `in` again. */
static void must_encode_to(const struct ml_wire_format *format, void *object, struct ml_slice in)
{
    struct ml_buf out;
    ml_buf_init(&out, ml_env_system(), 2 * in.len + 64);
    lists_unpack(format, object);
    if (ml_wire_encode(format, &out, object) != ML_OK || !ml_slice_equal(ml_buf_slice(&out), in)) {
        abort();
    }
    lists_drop(format, object);
    ml_buf_free(&out);
}

#endif
