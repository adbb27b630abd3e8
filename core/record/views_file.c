/* core/record/views_file.c -- the files of one object (views.h). */
#include "core/codec/value.h"
#include "core/record/views_int.h"

struct files {
    struct ml_object *o;
    ml_view_file_cb *each;
    void *user;
    uint32_t number;
};

static ml_err file_give(struct files *f, const struct ml_field *field, struct ml_slice value)
{
    struct ml_view_file file = {.field = field, .number = f->number++};
    return ml_attachment_decode(&file.file, value) == ML_OK ? f->each(f->user, &file) : ML_OK;
}

static ml_err field_give(struct files *f, const struct ml_field *field)
{
    struct ml_values_walk walk;
    struct ml_shown shown;
    struct ml_slice item;
    ml_err err = ml_object_shown(f->o, field, &shown);
    if (err != ML_OK || !shown.found) {
        return err;
    }
    if (!field->list) {
        return file_give(f, field, shown.value);
    }
    if (ml_values_walk(&walk, shown.value) != ML_OK) {
        return ML_OK; /* emptied, or not readable: it shows as such in its text */
    }
    while (err == ML_OK && ml_values_next(&walk, &item)) {
        err = file_give(f, field, item);
    }
    return err;
}

ml_err ml_view_files(struct ml_vault *v, const struct ml_object_id *patient,
                     const struct ml_object_id *object, ml_view_file_cb *each, void *user)
{
    struct files f = {.each = each, .user = user};
    struct ml_buf packed;
    int64_t row = 0;
    uint16_t entity = 0;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_vault_find_object(v, patient, object, &row, &entity);
    if (err == ML_OK) {
        err = ml_view_load(v, row, &f.o, &packed);
    }
    for (size_t i = 0; err == ML_OK && i < f.o->entity->field_count; i++) {
        if (f.o->entity->fields[i].type == ML_TYPE_ATTACHMENT) {
            err = field_give(&f, &f.o->entity->fields[i]);
        }
    }
    ml_object_free(f.o);
    ml_buf_free(&packed);
    return err;
}
