/* net/node/files.c -- see files.h.
 *
 * Happy path: each file is read behind the one before; its attachment is encoded, with the place of
 * its manifest's version noted if it is large; the field is then put into the value between its
 * neighbours. A file is read once, whole: what is signed is what was read.
 */
#include "net/node/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/change.h"
#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/crypto/hash.h"
#include "core/crypto/secret.h"
#include "core/record/values.h"
#include "net/node/state.h"

enum { VALUE_MAX = 48 << 10, IN_PLACE_MAX = 12 << 10, READ_PIECE = 65536 };

void ml_files_init(struct ml_files *files, const struct ml_env *env)
{
    *files = (struct ml_files){.blob_count = 0};
    ml_buf_init(&files->plain, env, ML_FILES_BYTES_MAX);
    ml_buf_init(&files->value, env, VALUE_MAX);
}

void ml_files_free(struct ml_files *files)
{
    ml_wipe(files->plain.data, files->plain.len);
    ml_buf_free(&files->plain);
    ml_buf_free(&files->value);
}

/* ---- reading ---- */

static ml_err read_fail(struct ml_call *call, ml_err err, const char *text, const char *path)
{
    const char *slash = strrchr(path, '/');
    return ml_call_fail(call, err, text, "file", slash == NULL ? path : slash + 1);
}

static ml_err read_all(int fd, struct ml_buf *out)
{
    size_t start = out->len;
    for (;;) {
        size_t before = out->len;
        uint8_t *room = ml_buf_extend(out, READ_PIECE);
        if (room == NULL) {
            return out->err;
        }
        ssize_t n = read(fd, room, READ_PIECE);
        out->len = before + (n > 0 ? (size_t)n : 0);
        if (n < 0 && errno != EINTR) {
            return ML_E_IO;
        }
        if (out->len - start > (size_t)ML_BLOB_BYTES_MAX) {
            return ML_E_LIMIT;
        }
        if (n == 0) {
            return ML_OK;
        }
    }
}

static ml_err file_read(struct ml_call *call, struct ml_files *files, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait for ever */
    if (fd < 0) {
        return read_fail(call, errno == ENOENT ? ML_E_NOT_FOUND : ML_E_IO, "file.open", path);
    }
    ml_err err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                     ? ML_OK
                     : read_fail(call, ML_E_INVALID, "file.open", path);
    if (err == ML_OK) {
        err = read_all(fd, &files->plain);
        err = err == ML_OK || err == ML_E_NOMEM
                  ? err
                  : read_fail(call, err, err == ML_E_LIMIT ? "file.large" : "file.open", path);
    }
    close(fd);
    return err;
}

/* ---- attachments ---- */

/* One attachment appended to `out`, whose place in the value is not known yet. */
static ml_err attachment_put(struct ml_files *files, struct ml_buf *out, struct ml_attachment *a,
                             size_t start)
{
    const struct ml_slice plain = ml_slice(files->plain.data + start, files->plain.len - start);
    ml_hash_parts(a->hash.b, sizeof(a->hash.b), ml_slice(NULL, 0), &plain, 1);
    a->size = plain.len;
    const bool in_place = plain.len <= ML_FILES_INLINE_MAX && out->len + plain.len < IN_PLACE_MAX;
    if (in_place) {
        a->bytes = plain;
    } else {
        memset(&a->manifest, 0xff, sizeof(a->manifest));
    }
    ml_err err = ml_attachment_encode(out, a);
    if (err == ML_OK && !in_place) {
        struct ml_blob *blob = &files->blobs[files->blob_count];
        *blob = (struct ml_blob){.plain.len = plain.len, .media_type = a->content_type};
        files->starts[files->blob_count] = start;
        files->places[files->blob_count++] = out->len - sizeof(a->manifest);
    }
    return err;
}

static ml_err file_take(struct ml_call *call, struct ml_files *files, const struct ml_value *given,
                        struct ml_buf *out)
{
    const char *path = ml_value_text(ml_value_get(given, "path"), NULL);
    if (path == NULL || path[0] != '/') {
        return ml_call_fail(call, ML_E_INVALID, "param.missing", "param", "path");
    }
    const char *slash = strrchr(path, '/');
    struct ml_attachment a = {
        .title = ml_slice_str(ml_value_text(ml_value_get(given, "title"), slash + 1)),
        .content_type = ml_slice_str(ml_value_text(ml_value_get(given, "media_type"), "")),
    };
    size_t start = files->plain.len;
    if (a.content_type.len > 0 && !ml_media_type_valid(a.content_type)) {
        return ml_call_fail(call, ML_E_INVALID, "file.media_type", NULL, NULL);
    }
    ml_err err = file_read(call, files, path);
    if (err == ML_OK && files->plain.len == start) {
        err = read_fail(call, ML_E_INVALID, "file.empty", path);
    }
    return err == ML_OK ? attachment_put(files, out, &a, start) : err;
}

/* ---- into the value ---- */

/* The map `value` with one more field; *at: where `item` begins in `out`. */
static ml_err field_insert(struct ml_buf *out, struct ml_slice value, uint16_t id,
                           struct ml_slice item, size_t *at)
{
    struct ml_fields_walk walk;
    struct ml_slice one;
    uint16_t field = 0;
    uint32_t count = 1;
    bool done = false;
    ml_err err = ml_fields_walk(&walk, value);
    while (err == ML_OK && ml_fields_next(&walk, &field, &one)) {
        count++;
    }
    ml_mp_put_map(out, count);
    err = err == ML_OK ? ml_fields_walk(&walk, value) : err;
    for (bool more = true; err == ML_OK && more;) {
        more = ml_fields_next(&walk, &field, &one);
        if (!done && (!more || field > id)) {
            done = true;
            ml_mp_put_uint(out, id);
            *at = out->len;
            ml_mp_put_raw(out, item);
        }
        if (more) {
            ml_mp_put_uint(out, field);
            ml_mp_put_raw(out, one);
        }
    }
    return err == ML_OK ? out->err : err;
}

static const struct ml_field *files_field(const struct ml_entity *entity)
{
    for (size_t i = 0; i < entity->field_count; i++) {
        if (entity->fields[i].type == ML_TYPE_ATTACHMENT && entity->fields[i].list) {
            return &entity->fields[i];
        }
    }
    return NULL;
}

static ml_err list_take(struct ml_call *call, struct ml_files *files, const struct ml_value *given,
                        struct ml_buf *list)
{
    size_t count = ml_value_count(given);
    ml_err err = ML_OK;
    if (ml_value_kind_of(given) != ML_VALUE_LIST || count == 0 || count > ML_FILES_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "file.count", NULL, NULL);
    }
    ml_mp_put_array(list, (uint32_t)count);
    for (const struct ml_value *v = ml_value_at(given, 0); v != NULL && err == ML_OK;
         v = ml_value_next(v)) {
        err = file_take(call, files, v, list);
    }
    return err == ML_OK ? list->err : err;
}

/* The blobs know where they stand, now that nothing moves any more. */
static void blobs_settle(struct ml_files *files, const struct ml_field *field, size_t base)
{
    for (uint32_t i = 0; i < files->blob_count; i++) {
        files->blobs[i].plain.data = files->plain.data + files->starts[i];
        files->blobs[i].slot = field->id;
        files->places[i] += base;
    }
}

ml_err ml_files_take(struct ml_call *call, struct ml_files *files, const struct ml_entity *entity,
                     struct ml_slice value, struct ml_slice old)
{
    const struct ml_value *given = ml_value_get(call->params, "files");
    const struct ml_field *field = files_field(entity);
    struct ml_slice item;
    struct ml_buf list;
    size_t base = 0;
    if (field == NULL || ml_value_kind_of(given) == ML_VALUE_NIL) {
        const bool stays = field != NULL && old.len > 0 && ml_fields_find(old, field->id, &item);
        if (field == NULL && given != NULL) {
            return ml_call_fail(call, ML_E_INVALID, "file.entity", "entity", entity->name);
        }
        return stays ? field_insert(&files->value, value, field->id, item, &base) : ML_OK;
    }
    ml_buf_init(&list, call->node->env, VALUE_MAX);
    ml_err err = list_take(call, files, given, &list);
    if (err == ML_OK) {
        err = field_insert(&files->value, value, field->id, ml_buf_slice(&list), &base);
    }
    if (err == ML_OK) {
        blobs_settle(files, field, base);
    }
    ml_buf_free(&list);
    return err;
}

ml_err ml_files_placed(void *user)
{
    struct ml_files *files = user;
    for (uint32_t i = 0; i < files->blob_count; i++) {
        memcpy(files->value.data + files->places[i], &files->blobs[i].version,
               sizeof(files->blobs[i].version));
    }
    return ML_OK;
}
