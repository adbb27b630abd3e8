/* core/record/vault_proof.c -- what a writer must name, the hash of all that is shown, counts and
 * checks.
 *
 * view_hash: BLAKE2b-256 over patients by id, objects by id and entity, and of each object, in
 * canonical order: its life, every version with its rank, its grey and its plaintext, every
 * register with its heads. Local numbers, order of arrival and clocks of this node don't enter.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/hash.h"
#include "core/record/views_int.h"

ml_err ml_vault_has(struct ml_vault *v, const struct ml_object_id *patient,
                    const struct ml_object_id *object, uint16_t *entity)
{
    int64_t row = 0;
    return ml_vault_find_object(v, patient, object, &row, entity);
}

ml_err ml_vault_known(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_object_id *object)
{
    struct ml_stmt *st = v->st[ST_KEPT_SEEK];
    int64_t row = PATIENT_NOBODY;
    uint16_t entity = 0;
    bool kept = false;
    ml_err err = ml_vault_find_object(v, patient, object, &row, &entity);
    if (err == ML_E_NOT_FOUND) {
        err = ml_vault_patient(v, patient, false, &row);
    }
    if (err != ML_OK || entity != 0) {
        return err;
    }
    ml_stmt_bind_int(st, 1, row);
    ml_stmt_bind_blob(st, 2, object->b, sizeof(object->b));
    err = ml_stmt_step(st, &kept);
    ml_stmt_reset(st);
    return err == ML_OK && !kept ? ML_E_NOT_FOUND : err;
}

ml_err ml_vault_each_object(struct ml_vault *v, const struct ml_object_id *patient,
                            ml_object_cb *each, void *user)
{
    struct ml_stmt *st = v->st[ST_OBJECT_IDS];
    int64_t patient_row = 0;
    bool row = false;
    ml_err err = ml_vault_patient(v, patient, false, &patient_row);
    if (err != ML_OK) {
        return err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    ml_stmt_bind_int(st, 1, patient_row);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_object_id id;
        struct ml_slice oid = ml_stmt_blob(st, 0);
        if (oid.len != sizeof(id.b)) {
            err = ML_E_CORRUPT;
            break;
        }
        memcpy(id.b, oid.data, sizeof(id.b));
        err = each(user, &id, (uint16_t)ml_stmt_int(st, 1));
        if (err != ML_OK) {
            break;
        }
    }
    ml_stmt_reset(st);
    return err;
}

/* ---- heads ---- */

struct heads {
    struct ml_object *o;
    bool *head; /* by version */
    bool all;
    uint16_t slot;
};

static ml_err mark_heads(void *user, uint16_t slot, const struct ml_field *first)
{
    struct heads *h = user;
    struct ml_register r;
    (void)first;
    if (!h->all && slot != h->slot) {
        return ML_OK;
    }
    ml_err err = ml_object_register(h->o, slot, &r);
    if (err != ML_OK) {
        return err;
    }
    for (uint32_t i = 0; i < r.head_count; i++) {
        h->head[r.head_versions[i]] = true;
    }
    ml_register_free(h->o, &r);
    return ML_OK;
}

static ml_err give_heads(struct heads *h, ml_version_cb *each, void *user)
{
    ml_err err = ml_entity_slots(h->o->entity, mark_heads, h);
    for (uint32_t i = 0; i < h->o->count && err == ML_OK; i++) {
        bool life = (h->all || h->slot == ML_SLOT_LIFE) && h->o->lives[i] == ML_RANK_HEAD;
        if (h->head[i] || life) {
            err = each(user, &h->o->versions[i].id);
        }
    }
    return err;
}

/* Six parameters: the object's place is three, and a walk is a function with its user. */
/* NOLINTNEXTLINE(readability-function-size) */
ml_err ml_vault_heads(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_object_id *object, uint16_t slot, ml_version_cb *each,
                      void *user)
{
    struct heads h = {.all = slot == ML_SLOT_ALL, .slot = slot};
    struct ml_buf packed;
    int64_t row = 0;
    uint16_t entity = 0;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_vault_find_object(v, patient, object, &row, &entity);
    if (err == ML_OK) {
        err = ml_view_load(v, row, &h.o, &packed);
    }
    if (err == ML_OK) {
        h.head = ml_alloc_array(v->env, h.o->count + 1u, sizeof(*h.head));
        err = h.head == NULL ? ML_E_NOMEM : give_heads(&h, each, user);
    }
    ml_release(v->env, h.head);
    ml_object_free(h.o);
    ml_buf_free(&packed);
    return err;
}

static const struct ml_obj_version *version_find(const struct ml_object *o,
                                                 const struct ml_version_id *id)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (ml_version_id_compare(&o->versions[i].id, id) == 0) {
            return &o->versions[i];
        }
    }
    return NULL;
}

/* NOLINTNEXTLINE(readability-function-size): as above */
ml_err ml_vault_version(struct ml_vault *v, const struct ml_object_id *patient,
                        const struct ml_object_id *object, const struct ml_version_id *version,
                        ml_change_cb *each, void *user)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    int64_t row = 0;
    uint16_t entity = 0;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_vault_find_object(v, patient, object, &row, &entity);
    if (err == ML_OK) {
        err = ml_view_load(v, row, &o, &packed);
    }
    if (err == ML_OK) {
        const struct ml_obj_version *found = version_find(o, version);
        err = found == NULL ? ML_E_NOT_FOUND : each(user, &found->change);
    }
    ml_object_free(o);
    ml_buf_free(&packed);
    return err;
}

/* ---- view hash ---- */

struct hashing {
    struct ml_vault *v;
    struct ml_hash_state st;
    struct ml_object *o;
    uint32_t *order; /* versions by id */
};

static void hash_u32(struct ml_hash_state *st, uint32_t n)
{
    uint8_t bytes[4];
    ml_put_u32be(bytes, n);
    ml_hash_update(st, bytes, sizeof(bytes));
}

static void hash_id(struct ml_hash_state *st, const struct ml_version_id *id)
{
    ml_hash_update(st, id->bundle.b, sizeof(id->bundle.b));
    ml_hash_update(st, &id->index, 1);
}

static void order_by_id(const struct ml_object *o, uint32_t *order)
{
    for (uint32_t i = 0; i < o->count; i++) {
        uint32_t at = i;
        for (; at > 0 &&
               ml_version_id_compare(&o->versions[order[at - 1]].id, &o->versions[i].id) > 0;
             at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

static ml_err hash_slot(void *user, uint16_t slot, const struct ml_field *first)
{
    struct hashing *h = user;
    struct ml_register r;
    (void)first;
    if (!ml_object_contested(h->o, slot)) {
        return ML_OK; /* one writer at most: its version says it all */
    }
    ml_err err = ml_object_register(h->o, slot, &r);
    if (err != ML_OK) {
        return err;
    }
    hash_u32(&h->st, slot);
    hash_u32(&h->st, r.outcome.conflict);
    for (uint32_t i = 0; i < h->o->count; i++) {
        uint32_t at = h->order[i];
        const uint8_t rank = (uint8_t)r.ranks[at];
        if (r.ranks[at] != ML_RANK_APART) {
            hash_id(&h->st, &h->o->versions[at].id);
            ml_hash_update(&h->st, &rank, 1);
        }
    }
    if (r.outcome.shown != ML_MERGE_NONE) {
        hash_id(&h->st, &r.heads[r.outcome.shown].id);
    }
    ml_register_free(h->o, &r);
    return ML_OK;
}

static ml_err hash_object(struct hashing *h, struct ml_slice oid)
{
    ml_hash_update(&h->st, oid.data, oid.len);
    hash_u32(&h->st, h->o->entity->id);
    hash_u32(&h->st, (uint32_t)h->o->life.life);
    hash_u32(&h->st, h->o->life.conflict);
    hash_u32(&h->st, h->o->count);
    for (uint32_t i = 0; i < h->o->count; i++) {
        const struct ml_obj_version *version = &h->o->versions[h->order[i]];
        const uint8_t marks[2] = {version->grey, (uint8_t)h->o->lives[h->order[i]]};
        hash_id(&h->st, &version->id);
        ml_hash_update(&h->st, marks, sizeof(marks));
        hash_u32(&h->st, (uint32_t)(version->hlc >> 32));
        hash_u32(&h->st, (uint32_t)version->hlc);
        hash_u32(&h->st, (uint32_t)version->plain.len);
        ml_hash_update(&h->st, version->plain.data, version->plain.len);
    }
    return ml_entity_slots(h->o->entity, hash_slot, h);
}

static ml_err hash_row(struct hashing *h, struct ml_stmt *st)
{
    const struct ml_entity *entity = ml_schema_entity(h->v->schema, (uint16_t)ml_stmt_int(st, 0));
    if (entity == NULL) {
        return ML_E_CORRUPT;
    }
    ml_err err = ml_object_load(&h->o, h->v->env, h->v->schema, entity, ml_stmt_blob(st, 2));
    if (err == ML_OK) {
        h->order = ml_alloc_array(h->v->env, h->o->count + 1u, sizeof(*h->order));
        err = h->order == NULL ? ML_E_NOMEM : ML_OK;
    }
    if (err == ML_OK) {
        order_by_id(h->o, h->order);
        err = hash_object(h, ml_stmt_blob(st, 1));
    }
    ml_release(h->v->env, h->order);
    ml_object_free(h->o);
    h->order = NULL;
    h->o = NULL;
    return err;
}

static ml_err hash_patient(struct hashing *h, int64_t patient)
{
    struct ml_stmt *st = h->v->st[ST_OBJECT_HASHING];
    ml_err err = ML_OK;
    bool row = false;
    ml_stmt_bind_int(st, 1, patient);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        err = hash_row(h, st);
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err;
}

ml_err ml_vault_view_hash(struct ml_vault *v, struct ml_hash *out)
{
    struct hashing *h = ml_alloc(v->env, sizeof(*h));
    if (h == NULL) {
        return ML_E_NOMEM;
    }
    struct ml_stmt *st = v->st[ST_PATIENT_ALL];
    ml_err err = ML_OK;
    bool row = false;
    h->v = v;
    ml_hash_init(&h->st, sizeof(out->b), NULL, 0);
    ml_hash_update(&h->st, "maille/view/1", 13);
    ml_hash_update(&h->st, v->org.b, sizeof(v->org.b));
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        struct ml_slice oid = ml_stmt_blob(st, 1);
        ml_hash_update(&h->st, oid.data, oid.len);
        err = hash_patient(h, ml_stmt_int(st, 0));
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    struct ml_hash hash;
    ml_hash_final(&h->st, hash.b, sizeof(hash.b));
    if (err == ML_OK) {
        *out = hash;
    }
    ml_release(v->env, h);
    return err;
}

/* ---- counts and checks ---- */

static ml_err count_of(struct ml_vault *v, enum vault_stmt st, uint64_t *first, uint64_t *second)
{
    bool row = false;
    ml_err err = ml_stmt_step(v->st[st], &row);
    if (err == ML_OK && row) {
        *first = (uint64_t)ml_stmt_int(v->st[st], 0);
        if (second != NULL) {
            *second = (uint64_t)ml_stmt_int(v->st[st], 1);
        }
    }
    ml_stmt_reset(v->st[st]);
    return err;
}

ml_err ml_vault_counts(struct ml_vault *v, struct ml_vault_counts *out)
{
    struct ml_vault_counts counts = {.cursor = v->state.record_cursor,
                                     .ops = v->state.ops,
                                     .ops_greyed = v->state.greyed,
                                     .work = v->work};
    uint64_t severity = 0;
    ml_stmt_bind_int(v->st[ST_CONFLICT_COUNT], 1, -1);
    ml_err err = count_of(v, ST_CONFLICT_COUNT, &counts.conflicts, &severity);
    if (err == ML_OK) {
        err = count_of(v, ST_PATIENT_COUNT, &counts.patients, NULL);
    }
    if (err == ML_OK) {
        err = count_of(v, ST_OBJECT_COUNT, &counts.objects, NULL);
    }
    if (err == ML_OK) {
        err = count_of(v, ST_SKIP_COUNT, &counts.ops_unknown, &counts.ops_unread);
    }
    if (err == ML_OK) {
        err = count_of(v, ST_WAIT_COUNT, &counts.bundles_no_key, NULL);
    }
    if (err == ML_OK) {
        *out = counts;
    }
    return err;
}

static void count_problem(void *user, const char *text)
{
    uint64_t *problems = user;
    (void)text;
    (*problems)++;
}

ml_err ml_vault_check(struct ml_vault *v, uint64_t *problems)
{
    *problems = 0;
    return ml_db_integrity(v->db, count_problem, problems);
}
