/* core/interop/fhir_content.c -- the contents of attachments (see fhir_internal.h).
 *
 * Happy path: base64 is decoded behind the contents that the object has already; small contents go
 * into the value and are cut off again, larger ones stay, with the place in the value where the
 * version of their manifest is to be written (rules D3).
 *
 * Invariant: fhir.contents holds the bytes of fhir.content_list, one behind the other.
 */
#include <stdio.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/interop/base64.h"
#include "core/interop/fhir_internal.h"
#include "core/record/values.h"

#define NO_NODE ML_JSON_NO_NODE

struct ml_slice ml_fhir_content_bytes(const struct fhir *f, const struct fhir_attached *in)
{
    return ml_slice(f->contents.data + in->at, in->len);
}

bool ml_fhir_content_read(struct fhir *f, uint32_t data, size_t room, struct fhir_attached *out)
{
    *out = (struct fhir_attached){.node = NO_NODE, .at = f->contents.len};
    const struct ml_json_node *n = data == NO_NODE ? NULL : ml_json_node(f->doc, data);
    if (n == NULL || n->text_len > ML_FHIR_CONTENT_MAX / 3 * 4 + 4) {
        return true;
    }
    bool good =
        n->type == ML_JSON_STRING && ml_base64_decode(&f->contents, ml_slice(n->text, n->text_len));
    if (!ml_fhir_buf_ok(f, &f->contents, data)) {
        return false;
    }
    if (!good) {
        return ml_fhir_fail(f, ML_E_MALFORMED, ML_IMPORT_FAULT_TYPE, data);
    }
    out->len = f->contents.len - out->at;
    if (out->len == 0 || out->len > ML_FHIR_CONTENT_MAX) {
        f->contents.len = out->at;
        return true;
    }
    const struct ml_slice bytes = ml_fhir_content_bytes(f, out);
    ml_hash_parts(out->hash.b, sizeof(out->hash.b), ml_slice(NULL, 0), &bytes, 1);
    out->node = data;
    out->in_place = out->len <= ML_FHIR_INLINE_MAX && out->len <= room;
    ml_fhir_keep(f, data);
    return true;
}

bool ml_fhir_content_has_size(const struct fhir *f, uint32_t size, const struct fhir_attached *in)
{
    char text[24];
    const struct ml_json_node *n = ml_json_node(f->doc, size);
    int len = snprintf(text, sizeof(text), "%zu", in->len);
    return n->type == ML_JSON_NUMBER && n->text_len == (uint32_t)len &&
           memcmp(n->text, text, (size_t)len) == 0;
}

static bool is_media_type(const struct ml_json_node *n)
{
    return n->type == ML_JSON_STRING && ml_media_type_valid(ml_slice(n->text, n->text_len));
}

bool ml_fhir_content_settle(struct fhir *f, const struct fhir_attached *in, uint32_t type,
                            size_t item_len)
{
    if (in->node == NO_NODE || in->in_place) {
        f->contents.len = in->at;
        return true;
    }
    const bool typed = type != NO_NODE && is_media_type(ml_json_node(f->doc, type));
    const struct fhir_content content = {.at = in->at,
                                         .len = in->len,
                                         .manifest_at = item_len - sizeof(struct ml_version_id),
                                         .type_node = typed ? type : NO_NODE};
    ml_buf_append(&f->content_list, &content, sizeof(content));
    return ml_fhir_buf_ok(f, &f->content_list, in->node);
}

size_t ml_fhir_contents_count(const struct fhir *f)
{
    return f->content_list.len / sizeof(struct fhir_content);
}

void ml_fhir_contents_cut(struct fhir *f, size_t count)
{
    const struct fhir_content *all = (const void *)f->content_list.data;
    if (count < ml_fhir_contents_count(f)) {
        f->contents.len = all[count].at;
        f->content_list.len = count * sizeof(*all);
    }
}

void ml_fhir_contents_place(struct fhir *f, size_t from, uint16_t slot, size_t base)
{
    struct fhir_content *all = (void *)f->content_list.data;
    for (size_t i = from; i < ml_fhir_contents_count(f); i++) {
        all[i].manifest_at += base;
        all[i].slot = slot;
    }
}

bool ml_fhir_contents_give(struct fhir *f, struct ml_import_object *object, size_t head)
{
    const struct fhir_content *all = (const void *)f->content_list.data;
    ml_buf_clear(&f->blobs);
    for (size_t i = 0; i < ml_fhir_contents_count(f); i++) {
        struct ml_import_blob blob = {.plain = ml_slice(f->contents.data + all[i].at, all[i].len),
                                      .manifest_at = head + all[i].manifest_at,
                                      .slot = all[i].slot};
        if (all[i].type_node != NO_NODE) {
            const struct ml_json_node *n = ml_json_node(f->doc, all[i].type_node);
            blob.media_type = ml_slice(n->text, n->text_len);
        }
        ml_buf_append(&f->blobs, &blob, sizeof(blob));
    }
    object->blobs = (const void *)f->blobs.data;
    object->blob_count = (uint32_t)ml_fhir_contents_count(f);
    return ml_fhir_buf_ok(f, &f->blobs, 0);
}
