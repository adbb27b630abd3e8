/* tests/unit/core_interop/support_interop.c -- see support_interop.h. */
#include "support_interop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"

ml_err sink_create(void *user, const struct ml_import_object *object)
{
    struct sink *sink = user;
    if (sink->stop_after != 0 && sink->count == sink->stop_after) {
        return ML_E_DENIED;
    }
    if (sink->count == sink->cap) {
        sink->cap = sink->cap == 0 ? 64 : sink->cap * 2;
        sink->objects = realloc(sink->objects, sink->cap * sizeof(*sink->objects));
    }
    struct seen_object *seen = &sink->objects[sink->count++];
    *seen = (struct seen_object){.entity = object->entity,
                                 .id = object->id,
                                 .patient = object->patient,
                                 .author = object->author,
                                 .effective = object->effective,
                                 .values_len = object->values.len};
    seen->values = malloc(object->values.len + 1);
    memcpy(seen->values, object->values.data, object->values.len);
    seen->blob_count = object->blob_count;
    for (size_t i = 0; i < object->blob_count && i < 8; i++) {
        const struct ml_import_blob *blob = &object->blobs[i];
        seen->blobs[i] = (struct seen_blob){.bytes = malloc(blob->plain.len),
                                            .len = blob->plain.len,
                                            .manifest_at = blob->manifest_at,
                                            .slot = blob->slot};
        memcpy(seen->blobs[i].bytes, blob->plain.data, blob->plain.len);
        if (blob->media_type.len > 0) {
            memcpy(seen->blobs[i].media_type, blob->media_type.data, blob->media_type.len);
        }
    }
    snprintf(seen->origin, sizeof(seen->origin), "%s", object->origin);
    return ML_OK;
}

void sink_clear(struct sink *sink)
{
    for (size_t i = 0; i < sink->count; i++) {
        free(sink->objects[i].values);
        for (size_t b = 0; b < 8; b++) {
            free(sink->objects[i].blobs[b].bytes);
        }
    }
    free(sink->objects);
    *sink = (struct sink){0};
}

const struct seen_object *sink_find(const struct sink *sink, const char *entity, size_t nth)
{
    for (size_t i = 0; i < sink->count; i++) {
        if (strcmp(sink->objects[i].entity->name, entity) == 0 && nth-- == 0) {
            return &sink->objects[i];
        }
    }
    return NULL;
}

size_t sink_entity_count(const struct sink *sink, const char *entity)
{
    size_t count = 0;
    while (sink_find(sink, entity, count) != NULL) {
        count++;
    }
    return count;
}

struct ml_slice seen_value(const struct seen_object *object, const char *field)
{
    const struct ml_field *f = ml_entity_field_named(object->entity, field);
    struct ml_slice value = {NULL, 0};
    if (f != NULL) {
        ml_fields_find(ml_slice(object->values, object->values_len), f->id, &value);
    }
    return value;
}

struct printer {
    char *out;
    size_t size;
    size_t len;
};

static void put(struct printer *p, const char *text, size_t len)
{
    for (size_t i = 0; i < len && p->len + 1 < p->size; i++) {
        p->out[p->len++] = text[i];
    }
    p->out[p->len] = '\0';
}

/* One scalar or the head of a container; returns how many values follow inside. */
static size_t put_head(struct printer *p, struct ml_mp *mp)
{
    char number[24];
    struct ml_slice text;
    switch (ml_mp_peek(mp)) {
    case ML_MP_NIL:
        ml_mp_nil(mp);
        put(p, "nil", 3);
        return 0;
    case ML_MP_BOOL:
        put(p, ml_mp_bool(mp) ? "true" : "false", 5);
        return 0;
    case ML_MP_UINT:
    case ML_MP_NEGATIVE:
        snprintf(number, sizeof(number), "%" PRId64, ml_mp_int(mp, INT64_MIN, INT64_MAX));
        put(p, number, strlen(number));
        return 0;
    case ML_MP_STR:
        text = ml_mp_str(mp, 0, SIZE_MAX);
        put(p, "'", 1);
        put(p, (const char *)text.data, text.len);
        put(p, "'", 1);
        return 0;
    case ML_MP_BIN:
        ml_mp_bin(mp, 0, SIZE_MAX);
        put(p, "bin", 3);
        return 0;
    case ML_MP_ARRAY:
        put(p, "[", 1);
        return ml_mp_array(mp, 0, UINT32_MAX);
    case ML_MP_MAP:
    case ML_MP_FLOAT:
    case ML_MP_NONE:
        break;
    }
    ml_mp_value(mp);
    put(p, "map", 3);
    return 0;
}

const char *seen_text(const struct seen_object *object, const char *field)
{
    static char text[4096];
    struct printer p = {.out = text, .size = sizeof(text)};
    struct ml_slice value = seen_value(object, field);
    size_t left[ML_MP_DEPTH_MAX + 1];
    size_t depth = 0;
    struct ml_mp mp;
    put(&p, "", 0);
    if (value.len == 0) {
        return text;
    }
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    left[0] = 1;
    for (;;) {
        while (left[depth] == 0 && depth > 0) {
            depth--;
            put(&p, "]", 1);
            put(&p, ",", left[depth] > 0);
        }
        if (left[depth] == 0) {
            break;
        }
        left[depth]--;
        bool array = ml_mp_peek(&mp) == ML_MP_ARRAY;
        size_t inside = put_head(&p, &mp);
        if (array) {
            left[++depth] = inside;
        } else {
            put(&p, ",", left[depth] > 0);
        }
    }
    return text;
}

int import_setup(void **state)
{
    static const uint8_t org_key[ML_IMPORT_KEY_BYTES] = {1, 2, 3};
    static struct import_fixture f;
    f = (struct import_fixture){0};
    fake_env_init(&f.fake, 1);
    f.args = (struct ml_fhir_args){.env = &f.fake.env,
                                   .schema = ml_schema_builtin(),
                                   .id_key = org_key,
                                   .label = "essai.json",
                                   .create = sink_create,
                                   .user = &f.sink};
    *state = &f;
    if (ml_fhir_report_new(&f.report, &f.fake.env) != ML_OK) {
        return -1;
    }
    f.args.report = f.report;
    return 0;
}

int import_teardown(void **state)
{
    struct import_fixture *f = *state;
    sink_clear(&f->sink);
    sink_clear(&f->other);
    ml_fhir_report_free(f->report);
    return f->fake.live == 0 ? 0 : -1;
}

uint64_t paths_left_out(const struct ml_fhir_report *report, const char *path)
{
    struct ml_fhir_path_row row;
    for (size_t i = 0; ml_fhir_report_path(report, i, &row); i++) {
        if (strcmp(row.path, path) == 0) {
            return row.count;
        }
    }
    return 0;
}
