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
    size_t blobs_at; /* the first of its blobs, by number */
    uint32_t blob_count;
    uint32_t order;
};

/* Contents of one of them; its bytes stand in the arena too. */
struct taken_blob {
    size_t plain_at;
    size_t plain_len;
    size_t media_type_at;
    size_t media_type_len;
    size_t manifest_at; /* in the arena */
    uint16_t slot;
};

/* What one patient has, to find by the end of its id. */
struct known_object {
    struct ml_object_id id;
    uint16_t entity;
};

struct ml_intake {
    struct ml_org *org; /* borrowed */
    bool has_team;
    struct ml_team_id team; /* of new patients */
    struct ml_buf items;    /* of struct taken */
    struct ml_buf blobs;    /* of struct taken_blob */
    struct ml_buf bytes;
    bool writing;                 /* items are sorted */
    size_t written;               /* so many of them are written, or were known */
    bool known_loaded;            /* `known` is of known_of */
    struct ml_object_id known_of; /* a patient */
    struct ml_buf known;          /* of struct known_object, by the ends of their ids */
};

ml_err ml_intake_new(struct ml_intake **out, struct ml_org *org)
{
    struct ml_intake *in = ml_alloc(org->node->env, sizeof(*in));
    if (in == NULL) {
        return ML_E_NOMEM;
    }
    in->org = org;
    ml_buf_init(&in->items, org->node->env, INTAKE_BYTES_MAX);
    ml_buf_init(&in->blobs, org->node->env, INTAKE_BYTES_MAX);
    ml_buf_init(&in->bytes, org->node->env, INTAKE_BYTES_MAX);
    ml_buf_init(&in->known, org->node->env, INTAKE_BYTES_MAX);
    *out = in;
    return ML_OK;
}

void ml_intake_team(struct ml_intake *in, const struct ml_team_id *team)
{
    in->has_team = true;
    in->team = *team;
}

void ml_intake_free(struct ml_intake *in)
{
    if (in != NULL) {
        ml_buf_free(&in->items);
        ml_buf_free(&in->blobs);
        ml_buf_free(&in->bytes);
        ml_buf_free(&in->known);
        ml_release(in->org->node->env, in);
    }
}

static size_t arena_put(struct ml_intake *in, const void *bytes, size_t len)
{
    size_t at = in->bytes.len;
    ml_buf_append(&in->bytes, bytes, len);
    return at;
}

static void blobs_take(struct ml_intake *in, const struct ml_import_object *o, struct taken *t)
{
    t->blobs_at = in->blobs.len / sizeof(struct taken_blob);
    t->blob_count = o->blob_count;
    for (uint32_t i = 0; i < o->blob_count; i++) {
        const struct ml_import_blob *blob = &o->blobs[i];
        struct taken_blob b = {.plain_len = blob->plain.len,
                               .media_type_len = blob->media_type.len,
                               .manifest_at = t->values_at + blob->manifest_at,
                               .slot = blob->slot};
        b.plain_at = arena_put(in, blob->plain.data, blob->plain.len);
        b.media_type_at = arena_put(in, blob->media_type.data, blob->media_type.len);
        ml_buf_append(&in->blobs, &b, sizeof(b));
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
    t.values_len = o->values.len;
    t.values_at = arena_put(in, o->values.data, o->values.len);
    t.origin_len = o->origin == NULL ? 0 : strlen(o->origin);
    t.origin_at = arena_put(in, o->origin, t.origin_len);
    blobs_take(in, o, &t);
    ml_buf_append(&in->items, &t, sizeof(t));
    ml_err err = in->blobs.err != ML_OK ? in->blobs.err : in->items.err;
    return in->bytes.err != ML_OK ? in->bytes.err : err;
}

/* ---- objects of earlier imports ---- */

static const uint8_t *tail_of(const struct known_object *k)
{
    return k->id.b + sizeof(k->id.b) - ML_OBJECT_ID_TAIL;
}

static int known_compare(const void *a, const void *b)
{
    return memcmp(tail_of(a), tail_of(b), ML_OBJECT_ID_TAIL);
}

static ml_err known_add(void *user, const struct ml_object_id *object, uint16_t entity)
{
    struct ml_intake *in = user;
    const struct known_object k = {.id = *object, .entity = entity};
    ml_buf_append(&in->known, &k, sizeof(k));
    return in->known.err;
}

/* The vault knows ids by their dates, which a reference doesn't say; one patient's are few enough
 * to look at all of them once. */
static ml_err known_load(struct ml_intake *in, const struct ml_object_id *patient)
{
    if (in->known_loaded && ml_object_id_equal(&in->known_of, patient)) {
        return ML_OK;
    }
    in->known_loaded = false;
    ml_buf_clear(&in->known);
    ml_err err = ml_vault_each_object(in->org->session->vault, patient, known_add, in);
    if (err == ML_OK && in->known.len > 0) {
        qsort(in->known.data, in->known.len / sizeof(struct known_object),
              sizeof(struct known_object), known_compare);
    }
    in->known_of = *patient;
    in->known_loaded = err == ML_OK;
    return err;
}

bool ml_intake_find(void *user, const struct ml_object_id *patient, const uint8_t tail[10],
                    struct ml_object_id *out, uint16_t *entity)
{
    struct ml_intake *in = user;
    struct known_object key = {.entity = 0};
    if (known_load(in, patient) != ML_OK || in->known.len == 0) {
        return false; /* the reference is left out, and counted */
    }
    memcpy(key.id.b + sizeof(key.id.b) - ML_OBJECT_ID_TAIL, tail, ML_OBJECT_ID_TAIL);
    const struct known_object *k =
        bsearch(&key, in->known.data, in->known.len / sizeof(key), sizeof(key), known_compare);
    if (k != NULL) {
        *out = k->id;
        *entity = k->entity;
    }
    return k != NULL;
}

/* ---- writing ---- */

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

/* Objects of one patient as one act: those that are new. */
struct act {
    struct ml_intake *in;
    struct ml_seal_item *items; /* owned */
    struct ml_blob *blobs;      /* owned */
    size_t *places;             /* owned; of each blob: its manifest's in the arena */
    uint32_t item_count;
    uint32_t blob_count;
};

static void act_free(struct act *a)
{
    const struct ml_env *env = a->in->org->node->env;
    ml_release(env, a->places);
    ml_release(env, a->blobs);
    ml_release(env, a->items);
}

static ml_err act_alloc(struct act *a, const struct taken *first, size_t count)
{
    const struct ml_env *env = a->in->org->node->env;
    size_t blobs = 1; /* room for none is none */
    for (size_t i = 0; i < count; i++) {
        blobs += first[i].blob_count;
    }
    a->items = ml_alloc_array(env, count, sizeof(*a->items));
    a->blobs = ml_alloc_array(env, blobs, sizeof(*a->blobs));
    a->places = ml_alloc_array(env, blobs, sizeof(*a->places));
    return a->items == NULL || a->blobs == NULL || a->places == NULL ? ML_E_NOMEM : ML_OK;
}

static void act_add(struct act *a, const struct taken *t)
{
    const struct ml_intake *in = a->in;
    const struct taken_blob *b = (const struct taken_blob *)(const void *)in->blobs.data;
    item_fill(in, t, &a->items[a->item_count++]);
    for (uint32_t i = 0; i < t->blob_count; i++) {
        const struct taken_blob *from = &b[t->blobs_at + i];
        a->places[a->blob_count] = from->manifest_at;
        a->blobs[a->blob_count++] = (struct ml_blob){
            .plain = ml_slice(in->bytes.data + from->plain_at, from->plain_len),
            .media_type = ml_slice(in->bytes.data + from->media_type_at, from->media_type_len),
            .object = t->id,
            .slot = from->slot,
            .compartment = (uint8_t)t->entity->compartment};
    }
}

/* The manifests have their versions: into the values that name them. */
static ml_err act_placed(void *user)
{
    const struct act *a = user;
    for (uint32_t i = 0; i < a->blob_count; i++) {
        memcpy(a->in->bytes.data + a->places[i], &a->blobs[i].version, sizeof(a->blobs[i].version));
    }
    return ML_OK;
}

static ml_err act_write(struct act *a, const struct ml_object_id *patient)
{
    const struct ml_write what = {.items = a->items,
                                  .count = a->item_count,
                                  .blobs = a->blobs,
                                  .blob_count = a->blob_count,
                                  .placed = act_placed,
                                  .user = a,
                                  .team = a->in->has_team ? &a->in->team : NULL};
    return a->item_count == 0 ? ML_OK : ml_org_write_all(a->in->org, patient, &what);
}

static ml_err patient_write(struct ml_intake *in, const struct taken *first, size_t count,
                            struct ml_intake_counts *counts)
{
    struct act a = {.in = in};
    uint64_t patients = 0;
    uint64_t known = 0;
    ml_err err = act_alloc(&a, first, count);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        err = ml_vault_known(in->org->session->vault, &first->patient, &first[i].id);
        if (err == ML_OK) {
            known++;
        } else if (err == ML_E_NOT_FOUND) {
            act_add(&a, &first[i]);
            patients += first[i].entity->is_patient;
            err = ML_OK;
        }
    }
    if (err == ML_OK) {
        err = act_write(&a, &first->patient);
    }
    if (err == ML_OK) {
        counts->created += a.item_count;
        counts->patients += patients;
        counts->known += known;
    }
    act_free(&a);
    return err;
}

size_t ml_intake_waiting(const struct ml_intake *in)
{
    return in->items.len / sizeof(struct taken) - in->written;
}

/* The vault must have what is in the log: it says what is new. */
static ml_err write_begin(struct ml_intake *in)
{
    bool more = false;
    ml_err err = ml_session_catch_up(in->org, ML_VAULT_BATCH_BUNDLES, &more);
    if (err != ML_OK || more) {
        return err != ML_OK ? err : ML_E_PENDING;
    }
    if (in->items.len > 0) {
        qsort(in->items.data, in->items.len / sizeof(struct taken), sizeof(struct taken),
              taken_compare);
    }
    in->writing = true;
    return ML_OK;
}

static size_t contents_bytes(const struct ml_intake *in, const struct taken *t)
{
    const struct taken_blob *b = (const struct taken_blob *)(const void *)in->blobs.data;
    size_t bytes = 0;
    for (uint32_t i = 0; i < t->blob_count; i++) {
        bytes += b[t->blobs_at + i].plain_len;
    }
    return bytes;
}

/* How many of the next items, at most `max`, are of one patient and not too large together. */
static size_t act_count(const struct ml_intake *in, const struct taken *items, size_t count,
                        size_t max)
{
    size_t n = 1;
    size_t bytes = contents_bytes(in, items);
    while (n < count && n < max && ml_object_id_equal(&items[0].patient, &items[n].patient)) {
        bytes += contents_bytes(in, &items[n]);
        if (bytes > ML_INTAKE_ACT_BYTES) {
            break;
        }
        n++;
    }
    return n;
}

ml_err ml_intake_write_some(struct ml_intake *in, struct ml_intake_counts *counts)
{
    const struct taken *items = (const void *)in->items.data;
    const size_t count = in->items.len / sizeof(*items);
    size_t room = ML_INTAKE_ACT_MAX;
    ml_err err = in->writing ? ML_OK : write_begin(in);
    while (err == ML_OK && room > 0 && in->written < count) {
        const struct taken *next = &items[in->written];
        size_t n = act_count(in, next, count - in->written, room);
        err = patient_write(in, next, n, counts);
        in->written += err == ML_OK ? n : 0;
        room = next->blob_count > 0 ? 0 : room - n; /* large contents are a slice of their own */
    }
    if (err == ML_OK && in->written < count) {
        return ML_E_PENDING;
    }
    if (err != ML_E_PENDING) {
        ml_buf_clear(&in->items);
        ml_buf_clear(&in->blobs);
        ml_buf_clear(&in->bytes);
        in->written = 0;
        in->writing = false;
    }
    return err;
}

ml_err ml_intake_write(struct ml_intake *in, struct ml_intake_counts *counts)
{
    ml_err err = ML_E_PENDING;
    while (err == ML_E_PENDING) {
        err = ml_intake_write_some(in, counts);
    }
    return err;
}

ml_err ml_intake_key(struct ml_org *org, struct ml_secret **out)
{
    return ml_keyring_import_key(ml_session_keyring(org), out);
}
