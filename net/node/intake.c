/* net/node/intake.c -- see intake.h. Ids come from the source's identifiers (rules A9), so that an
 * import that was killed is simply started again: what is there is known by its id. */
#include "net/node/intake.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/vault.h"
#include "net/node/session.h"
#include "net/node/write.h"

enum { INTAKE_BYTES_MAX = 512 << 20 };

/* One object; its bytes stand in the arena, by offset: the arena still moves. */
struct taken {
    const struct ml_entity *entity;
    struct ml_object_id id;
    struct ml_object_id patient;
    struct ml_object_id author;
    struct ml_instant effective;
    size_t values_at;
    size_t values_len;
    size_t origin_at;
    size_t origin_len;
    uint32_t order;
};

struct ml_intake {
    struct ml_org *org;  /* borrowed */
    struct ml_buf items; /* of struct taken */
    struct ml_buf bytes;
};

ml_err ml_intake_new(struct ml_intake **out, struct ml_org *org)
{
    struct ml_intake *in = ml_alloc(org->node->env, sizeof(*in));
    if (in == NULL) {
        return ML_E_NOMEM;
    }
    in->org = org;
    ml_buf_init(&in->items, org->node->env, INTAKE_BYTES_MAX);
    ml_buf_init(&in->bytes, org->node->env, INTAKE_BYTES_MAX);
    *out = in;
    return ML_OK;
}

void ml_intake_free(struct ml_intake *in)
{
    if (in != NULL) {
        ml_buf_free(&in->items);
        ml_buf_free(&in->bytes);
        ml_release(in->org->node->env, in);
    }
}

ml_err ml_intake_take(void *user, const struct ml_import_object *o)
{
    struct ml_intake *in = user;
    struct taken t = {.entity = o->entity,
                      .id = o->id,
                      .patient = o->patient,
                      .author = o->author,
                      .effective = o->effective,
                      .order = (uint32_t)(in->items.len / sizeof(struct taken))};
    t.values_at = in->bytes.len;
    t.values_len = o->values.len;
    ml_buf_append(&in->bytes, o->values.data, o->values.len);
    t.origin_at = in->bytes.len;
    t.origin_len = o->origin == NULL ? 0 : strlen(o->origin);
    ml_buf_append(&in->bytes, o->origin, t.origin_len);
    ml_buf_append(&in->items, &t, sizeof(t));
    return in->bytes.err != ML_OK ? in->bytes.err : in->items.err;
}

/* The structure's first (zeros), then patient by patient, each in the importer's order. */
static int taken_compare(const void *a, const void *b)
{
    const struct taken *x = a;
    const struct taken *y = b;
    int order = ml_object_id_compare(&x->patient, &y->patient);
    if (order != 0) {
        return order;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void item_fill(const struct ml_intake *in, const struct taken *t, struct ml_seal_item *item)
{
    *item = (struct ml_seal_item){.compartment = (uint8_t)t->entity->compartment};
    item->change = (struct ml_change){.schema = ML_SCHEMA_VERSION,
                                      .type = ML_CHANGE_CREATE,
                                      .entity = t->entity->id,
                                      .object = t->id,
                                      .effective = t->effective,
                                      .author = t->author};
    item->change.value = ml_slice(in->bytes.data + t->values_at, t->values_len);
    item->change.origin = ml_slice(in->bytes.data + t->origin_at, t->origin_len);
}

/* One patient's objects: those that are new, as one act. */
static ml_err patient_write(struct ml_intake *in, const struct taken *first, size_t count,
                            struct ml_intake_counts *counts)
{
    struct ml_org *org = in->org;
    struct ml_seal_item *items = ml_alloc_array(org->node->env, count, sizeof(*items));
    uint32_t fresh = 0;
    ml_err err = items == NULL ? ML_E_NOMEM : ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        uint16_t entity = 0;
        err = ml_vault_has(org->session->vault, &first->patient, &first[i].id, &entity);
        if (err == ML_OK) {
            counts->known++;
        } else if (err == ML_E_NOT_FOUND) {
            item_fill(in, &first[i], &items[fresh++]);
            counts->patients += first[i].entity->is_patient;
            err = ML_OK;
        }
    }
    if (err == ML_OK && fresh > 0) {
        err = ml_org_write(org, &first->patient, items, fresh);
        counts->created += err == ML_OK ? fresh : 0;
    }
    ml_release(org->node->env, items);
    return err;
}

ml_err ml_intake_write(struct ml_intake *in, struct ml_intake_counts *counts)
{
    struct taken *items = (void *)in->items.data;
    size_t count = in->items.len / sizeof(*items);
    ml_err err = ml_session_catch_up_all(in->org);
    if (count > 0) {
        qsort(items, count, sizeof(*items), taken_compare);
    }
    for (size_t i = 0; i < count && err == ML_OK;) {
        size_t n = 1;
        while (i + n < count && ml_object_id_equal(&items[i].patient, &items[i + n].patient)) {
            n++;
        }
        err = patient_write(in, &items[i], n, counts);
        i += n;
    }
    ml_buf_clear(&in->items);
    ml_buf_clear(&in->bytes);
    return err;
}

ml_err ml_intake_key(struct ml_org *org, struct ml_secret **out)
{
    return ml_keyring_import_key(ml_session_keyring(org), out);
}
