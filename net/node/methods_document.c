/* net/node/methods_document.c -- the files of an object: which there are, and their bytes in
 * slices.
 *
 * A record may name contents that aren't here yet: lane 3 travels before lane 4, chunks come last.
 * Each answer says which is so; what is absent is never shown as empty.
 */
#include <stdio.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/secret.h"
#include "core/record/values.h"
#include "core/record/views.h"
#include "net/node/blob.h"
#include "net/node/files.h"
#include "net/node/methods.h"

static bool is_large(const struct ml_attachment *file)
{
    return !ml_is_zero(&file->manifest, sizeof(file->manifest));
}

/* "stored": in the record itself; "here": all chunks; "missing": not all, or no manifest yet;
 * "outside": only an address is known. */
static ml_err file_state(struct ml_org *org, const struct ml_attachment *file, const char **state,
                         struct ml_blob_stat *stat)
{
    *stat = (struct ml_blob_stat){.bytes = file->size};
    if (!is_large(file)) {
        *state = file->bytes.len > 0 ? "stored" : "outside";
        return ML_OK;
    }
    ml_err err = ml_blob_stat(org, &file->manifest, stat);
    *state = err == ML_OK && stat->chunks_missing == 0 ? "here" : "missing";
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

struct listing {
    struct ml_call *call;
    uint32_t count;
};

static void slice_put(struct ml_args *out, const char *key, struct ml_slice text)
{
    ml_args_key(out, key);
    ml_args_text_len(out, (const char *)text.data, text.len);
}

static ml_err file_describe(void *user, const struct ml_view_file *shown)
{
    struct listing *l = user;
    struct ml_args *out = l->call->result;
    const struct ml_attachment *file = &shown->file;
    struct ml_blob_stat stat;
    struct ml_buf text;
    ml_buf_init(&text, l->call->node->env, 1024);
    ml_file_text(&text, file);
    const char *state = "";
    ml_err err = file_state(l->call->org, file, &state, &stat);
    ml_args_map(out);
    ml_result_int(out, "file", shown->number);
    ml_result_text(out, "field", shown->field->name);
    slice_put(out, "title", file->title);
    slice_put(out, "media_type", file->content_type);
    slice_put(out, "text", ml_buf_slice(&text));
    ml_result_int(out, "size", (int64_t)(file->size < INT64_MAX ? file->size : INT64_MAX));
    ml_result_text(out, "state", state);
    ml_result_int(out, "chunks", stat.chunks);
    ml_result_int(out, "chunks_missing", stat.chunks_missing);
    slice_put(out, "url", file->url);
    ml_args_end(out);
    l->count++;
    err = err == ML_OK ? text.err : err;
    ml_buf_free(&text);
    return err;
}

static ml_err param_object(struct ml_call *call, struct ml_object_id *patient,
                           struct ml_object_id *object)
{
    ml_err err = ml_call_patient(call, patient);
    if (err == ML_OK) {
        err = ml_call_id(call, object->b, sizeof(object->b), "object");
    }
    return err == ML_OK ? ml_call_note(call, ML_TRACE_READ, patient) : err;
}

static ml_err object_unknown(struct ml_call *call, ml_err err, const struct ml_object_id *patient)
{
    return err == ML_E_NOT_FOUND && call->text[0] == '\0'
               ? ml_call_object_unknown(call, "object.unknown", patient)
               : err;
}

static ml_err document_show(struct ml_call *call)
{
    struct listing l = {.call = call};
    struct ml_object_id patient;
    struct ml_object_id object;
    ml_err err = param_object(call, &patient, &object);
    if (err != ML_OK) {
        return err;
    }
    ml_result_hex(call->result, "patient", patient.b, sizeof(patient.b));
    ml_result_hex(call->result, "object", object.b, sizeof(object.b));
    ml_args_key(call->result, "files");
    ml_args_list(call->result);
    err = ml_view_files(call->session->vault, &patient, &object, file_describe, &l);
    ml_args_end(call->result);
    return object_unknown(call, err, &patient);
}

/* ---- document.get ---- */

struct getting {
    struct ml_call *call;
    uint32_t number;
    uint64_t offset;
    uint64_t length;
    bool found;
};

static ml_err missing(struct ml_call *call, const struct ml_attachment *file)
{
    struct ml_blob_stat stat;
    struct ml_buf size;
    ml_err err = ml_blob_stat(call->org, &file->manifest, &stat);
    const bool known = err == ML_OK;
    if (!known && err != ML_E_NOT_FOUND) {
        return err;
    }
    ml_buf_init(&size, call->node->env, 64);
    ml_size_text(&size, file->size);
    ml_buf_u8(&size, '\0');
    err = size.err != ML_OK ? size.err : ML_E_PENDING;
    ml_call_fail(call, ML_E_PENDING, known ? "document.partial" : "document.not_received", "size",
                 size.err == ML_OK ? (const char *)size.data : "");
    if (known) {
        char number[24];
        snprintf(number, sizeof(number), "%u", stat.chunks_missing);
        ml_call_detail(call, "missing", number);
        snprintf(number, sizeof(number), "%u", stat.chunks);
        ml_call_detail(call, "chunks", number);
    }
    ml_buf_free(&size);
    return err;
}

/* The bytes as they were written: what the record says of them and what is there must agree. */
static ml_err contents_check(const struct ml_attachment *file, struct ml_slice bytes)
{
    static const struct ml_hash unsaid;
    struct ml_hash hash;
    ml_hash_parts(hash.b, sizeof(hash.b), ml_slice(NULL, 0), &bytes, 1);
    bool same = memcmp(&file->hash, &unsaid, sizeof(unsaid)) == 0 ||
                memcmp(&file->hash, &hash, sizeof(hash)) == 0;
    return same ? ML_OK : ML_E_FORGED;
}

static void slice_give(const struct getting *g, const struct ml_attachment *file,
                       struct ml_slice bytes)
{
    struct ml_args *out = g->call->result;
    size_t from = g->offset < bytes.len ? (size_t)g->offset : bytes.len;
    size_t len = bytes.len - from < g->length ? bytes.len - from : (size_t)g->length;
    ml_result_int(out, "file", g->number);
    slice_put(out, "title", file->title);
    slice_put(out, "media_type", file->content_type);
    ml_result_int(out, "size", (int64_t)bytes.len);
    ml_result_int(out, "offset", (int64_t)from);
    ml_result_bool(out, "end", from + len == bytes.len);
    ml_args_key(out, "bytes");
    ml_args_bytes(out, bytes.data + from, len);
}

static ml_err file_get(void *user, const struct ml_view_file *shown)
{
    struct getting *g = user;
    const struct ml_attachment *file = &shown->file;
    struct ml_slice bytes = file->bytes;
    struct ml_buf whole;
    ml_err err = ML_OK;
    if (shown->number != g->number) {
        return ML_OK;
    }
    g->found = true;
    if (!is_large(file) && bytes.len == 0) {
        return ml_call_fail(g->call, ML_E_NOT_FOUND, "document.outside", NULL, NULL);
    }
    ml_buf_init(&whole, g->call->node->env, (size_t)ML_BLOB_BYTES_MAX);
    if (is_large(file)) {
        err = ml_blob_read(g->call->org, &file->manifest, &whole);
        bytes = ml_buf_slice(&whole);
    }
    err = err == ML_OK ? contents_check(file, bytes) : err;
    if (err == ML_OK) {
        slice_give(g, file, bytes);
    } else if (err == ML_E_NOT_FOUND || err == ML_E_PENDING) {
        err = missing(g->call, file);
    }
    ml_wipe(whole.data, whole.len);
    ml_buf_free(&whole);
    return err;
}

static ml_err document_get(struct ml_call *call)
{
    const struct ml_value *p = call->params;
    int64_t number = ml_value_int(ml_value_get(p, "file"), 0);
    int64_t offset = ml_value_int(ml_value_get(p, "offset"), 0);
    int64_t length = ml_value_int(ml_value_get(p, "length"), ML_FILES_SLICE_MAX);
    struct ml_object_id patient;
    struct ml_object_id object;
    if (number < 0 || number > UINT16_MAX || offset < 0 || length < 1 ||
        length > ML_FILES_SLICE_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "document.range", NULL, NULL);
    }
    struct getting g = {.call = call,
                        .number = (uint32_t)number,
                        .offset = (uint64_t)offset,
                        .length = (uint64_t)length};
    ml_err err = param_object(call, &patient, &object);
    if (err == ML_OK) {
        err = ml_view_files(call->session->vault, &patient, &object, file_get, &g);
        err = object_unknown(call, err, &patient);
    }
    return err == ML_OK && !g.found
               ? ml_call_fail(call, ML_E_NOT_FOUND, "document.none", NULL, NULL)
               : err;
}

const struct ml_method ml_methods_document[] = {
    {"document.show", ML_NEEDS_SESSION, document_show},
    {"document.get", ML_NEEDS_SESSION, document_get},
    {NULL, 0, NULL},
};
