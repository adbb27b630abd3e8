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
#include "core/codec/bundle.h"
#include "core/codec/change.h"
#include "core/codec/consent.h"
#include "core/codec/explain.h"
#include "core/codec/glass.h"
#include "core/codec/govop.h"
#include "core/codec/keyop.h"
#include "core/codec/manifest.h"
#include "core/codec/msg.h"
#include "core/codec/trace.h"
#include "core/codec/wire.h"

static inline void list_unpack(const struct ml_wire_format *item, struct ml_list *list)
{
    struct ml_list_walk walk;
    uint8_t *items = calloc(list->count, item->size);
    uint32_t n = 0;
    ml_list_walk(&walk, list);
    while (items != NULL && n < list->count &&
           ml_list_next(&walk, item, items + (size_t)n * item->size)) {
        n++;
    }
    if (n != list->count) {
        abort(); /* the decoder accepted them */
    }
    list->items = items;
}

/* Gives every list of a decoded object its items; lists_drop frees them. */
static inline void lists_unpack(const struct ml_wire_format *format, void *object)
{
    for (size_t i = 0; i < format->field_count; i++) {
        const struct ml_wire_field *f = &format->fields[i];
        struct ml_list *list = (void *)((uint8_t *)object + f->offset);
        if (f->type == ML_WIRE_LIST && f->item != NULL && list->count > 0) {
            list_unpack(f->item, list);
        }
    }
}

static inline void lists_drop(const struct ml_wire_format *format, void *object)
{
    for (size_t i = 0; i < format->field_count; i++) {
        const struct ml_wire_field *f = &format->fields[i];
        struct ml_list *list = (void *)((uint8_t *)object + f->offset);
        void *items = NULL;
        if (f->type == ML_WIRE_LIST) {
            memcpy(&items, &list->items, sizeof(items));
            free(items);
            list->items = NULL;
        }
    }
}

/* Aborts unless `object`, decoded from `in` by `format`, encodes to `in` again. */
static inline void must_encode_to(const struct ml_wire_format *format, void *object,
                                  struct ml_slice in)
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

/* Each: was it accepted? What was must encode to itself. `in` lives in a block of its own length in
 * fuzzers, so that a read beyond it is seen. */

static inline bool roundtrip_change(struct ml_slice in)
{
    struct ml_change change;
    struct ml_fault fault;
    if (ml_change_decode(&change, in, &fault) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_change, &change, in);
    return true;
}

static inline bool roundtrip_govop(struct ml_slice in)
{
    struct ml_govop op;
    struct ml_fault fault;
    if (ml_govop_decode(&op, in, &fault) != ML_OK) {
        return false;
    }
    if (op.known) {
        must_encode_to(ml_govop_format(op.type), &op, in);
    }
    return true;
}

static inline bool roundtrip_keyop(struct ml_slice in)
{
    struct ml_keyop op;
    struct ml_fault fault;
    if (ml_keyop_decode(&op, in, &fault) != ML_OK) {
        return false;
    }
    if (op.known) {
        must_encode_to(ml_keyop_format(op.type), &op, in);
    }
    return true;
}

static inline bool roundtrip_trace(struct ml_slice in)
{
    struct ml_trace_entry entry;
    struct ml_fault fault;
    if (ml_trace_entry_decode(&entry, in, &fault) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_trace_entry, &entry, in);
    return true;
}

static inline bool roundtrip_deposit(struct ml_slice in)
{
    struct ml_trace_deposit deposit;
    struct ml_fault fault;
    if (ml_trace_deposit_decode(&deposit, in, &fault) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_trace_deposit, &deposit, in);
    return true;
}

/* The chunks' lengths add up, and what the sealed part is bound to doesn't depend on the form. */
static inline bool roundtrip_manifest(struct ml_slice in)
{
    static const uint8_t op[ML_OP_AD_BYTES];
    struct ml_manifest manifest;
    uint8_t ad[2][ML_MANIFEST_AD_BYTES];
    uint64_t sum = 0;
    if (ml_manifest_decode(&manifest, in, NULL) != ML_OK) {
        return false;
    }
    for (uint32_t i = 0; i < manifest.chunks.count; i++) {
        const uint32_t bytes = ml_manifest_chunk_bytes(&manifest, i);
        if (bytes <= ML_CHUNK_TAG_BYTES || bytes > ML_CHUNK_SEALED_MAX) {
            abort();
        }
        sum += bytes;
    }
    ml_manifest_ad(ad[0], op, &manifest);
    lists_unpack(&ml_format_manifest, &manifest);
    ml_manifest_ad(ad[1], op, &manifest);
    lists_drop(&ml_format_manifest, &manifest);
    if (sum != manifest.bytes || memcmp(ad[0], ad[1], sizeof(ad[0])) != 0) {
        abort();
    }
    must_encode_to(&ml_format_manifest, &manifest, in);
    return true;
}

static inline bool roundtrip_manifest_inner(struct ml_slice in)
{
    struct ml_manifest_inner inner;
    if (ml_manifest_inner_decode(&inner, in, NULL) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_manifest_inner, &inner, in);
    return true;
}

static inline bool roundtrip_consent(struct ml_slice in)
{
    struct ml_consent consent;
    if (ml_consent_decode(&consent, in, NULL) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_consent, &consent, in);
    return true;
}

static inline bool roundtrip_glass(struct ml_slice in)
{
    struct ml_glass_say say;
    if (ml_glass_decode(&say, in, NULL) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_glass, &say, in);
    return true;
}

static inline bool roundtrip_msg(struct ml_slice in)
{
    struct ml_msg msg;
    struct ml_fault fault;
    struct ml_buf out;
    if (ml_msg_decode(&msg, in, &fault) != ML_OK) {
        return false;
    }
    if (msg.kind == ML_MSG_HELLO && msg.u.hello.version > ML_MSG_VERSION) {
        return true; /* a later program's: we write none */
    }
    ml_buf_init(&out, ml_env_system(), 2 * in.len + 64);
    if (ml_msg_encode(&out, &msg) != ML_OK || !ml_slice_equal(ml_buf_slice(&out), in)) {
        abort();
    }
    ml_buf_free(&out);
    if (msg.kind != ML_MSG_HELLO) { /* once more, with the lists from their items */
        must_encode_to(ml_msg_format(msg.kind), &msg.u, ml_slice(in.data + 1, in.len - 1));
    }
    return true;
}

/* Ranges of explain must tile the input, in order. */
struct tiling {
    size_t next;
    size_t len;
};

static inline void tiling_take(void *user, const struct ml_explain_range *range)
{
    struct tiling *t = user;
    if (range->offset != t->next || range->len > t->len - t->next || range->value == NULL ||
        range->name == NULL || range->place == NULL) {
        abort();
    }
    t->next += range->len;
}

static inline void must_tile_bundle(struct ml_slice in)
{
    struct tiling t = {0, in.len};
    struct ml_fault fault;
    (void)!ml_explain_bundle(in, tiling_take, &t, &fault);
    if (t.next != in.len) {
        abort();
    }
}

static inline void must_tile_msg(struct ml_slice in)
{
    struct tiling t = {0, in.len};
    struct ml_fault fault;
    (void)!ml_explain_msg(in, tiling_take, &t, &fault);
    if (t.next != in.len) {
        abort();
    }
}

static inline void must_tile_op(unsigned lane, unsigned index, struct ml_slice in)
{
    struct tiling t = {0, in.len};
    (void)!ml_explain_op(lane, index, in, tiling_take, &t);
    if (t.next != in.len) {
        abort();
    }
}

/* The body as its ops say it, and with its first op shredded: the root stays. */
static inline void body_must_hold(struct ml_slice body)
{
    struct ml_buf out;
    struct ml_hash before = ml_body_root(body);
    ml_buf_init(&out, ml_env_system(), body.len + 64);
    if (ml_body_shred(&out, body, 0) != ML_OK) {
        abort();
    }
    struct ml_hash after = ml_body_root(ml_buf_slice(&out));
    if (memcmp(&before, &after, sizeof(before)) != 0) {
        abort();
    }
    ml_buf_free(&out);
}

static inline bool roundtrip_bundle(struct ml_slice in)
{
    struct ml_bundle bundle;
    struct ml_fault fault;
    struct ml_buf out;
    if (ml_bundle_decode(&bundle, in, &fault) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_header, &bundle.header, bundle.header_bytes);
    ml_buf_init(&out, ml_env_system(), in.len + 64);
    if (ml_bundle_join(&out, bundle.header_bytes, &bundle.sig, &bundle.body) != ML_OK ||
        !ml_slice_equal(ml_buf_slice(&out), in)) {
        abort();
    }
    ml_buf_free(&out);
    if (bundle.body.absent == 0) {
        body_must_hold(bundle.body.bytes);
    }
    return true;
}

#endif
