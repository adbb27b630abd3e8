/* core/record/vault_veil.c -- the veil: what of a patient the vault's member isn't to see.
 *
 * Happy path: a statement came, or this member is another by governance, or a date has passed: the
 * patient's row is dirty. Before lane 3 is projected each dirty row is weighed anew: classes that
 * are closed, and of the objects that statements name, for which classes each is. What is closed
 * now is erased, and the bundles it came in wait for the veil, as others wait for a key; so do
 * those that come later. A veil that changed lets all that wait for it be projected again, and what
 * is still closed waits again.
 *
 * Invariant: outside of a transaction no object that the veil closes has a row.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/hash.h"
#include "core/record/consents.h"
#include "core/record/views_int.h"

_Static_assert(ML_MATRIX_CLASS_MAX < 63, "a bit for each class");

ml_err ml_vault_veil_dirty(struct ml_vault *v, int64_t patient)
{
    ml_stmt_bind_int(v->st[ST_VEIL_DIRTY], 1, patient);
    return ml_stmt_run(v->st[ST_VEIL_DIRTY]);
}

static const char self_key[] = "self";

ml_err ml_vault_veil_look(struct ml_vault *v, const struct ml_log *log)
{
    uint8_t now[32];
    uint8_t before[32];
    const uint64_t now_ms = v->env->wall_ms(v->env->ctx);
    ml_consent_person_of(v->self, ml_log_gov(log), &v->member, now_ms);
    const struct ml_slice self = ml_slice((const uint8_t *)v->self, sizeof(*v->self));
    ml_hash_parts(now, sizeof(now), ml_slice(NULL, 0), &self, 1);
    ml_stmt_bind_int(v->st[ST_VEIL_DIRTY_PAST], 1, (int64_t)now_ms);
    ml_err err = ml_stmt_run(v->st[ST_VEIL_DIRTY_PAST]);
    if (err == ML_OK) {
        err = ml_vault_meta_get(v, self_key, before, sizeof(before));
    }
    if (err != ML_OK && err != ML_E_NOT_FOUND) {
        return err;
    }
    if (err == ML_OK && memcmp(now, before, sizeof(now)) == 0) {
        return ML_OK;
    }
    err = ml_stmt_run(v->st[v->self->all_teams ? ST_VEIL_DIRTY_ALL : ST_VEIL_DIRTY_LINKED]);
    return err == ML_OK ? ml_vault_meta_put(v, self_key, now, sizeof(now)) : err;
}

/* ---- weighing ---- */

struct veil {
    int64_t patient; /* row */
    struct ml_object_id oid;
    int64_t classes;
    bool any;
    bool was; /* it hid something before */
    bool about;
};

static uint64_t closed_classes(const struct ml_vault *v, const struct ml_consents *c,
                               const struct ml_consent_member *self,
                               const struct ml_object_id *object)
{
    const uint64_t now_ms = v->env->wall_ms(v->env->ctx);
    uint64_t classes = 0;
    for (unsigned class = 1; class <= ML_MATRIX_CLASS_MAX; class ++) {
        const struct ml_consent_question q = {.member = *self,
                                              .class = class,
                                              .object = object,
                                              .now_ms = now_ms,
                                              .emergency = v->emergency};
        if (ml_consent_decide(c->set, &q, NULL, NULL) != ML_CONSENT_YES) {
            classes |= UINT64_C(1) << class;
        }
    }
    return classes;
}

/* Once for each object, however often it is named. */
static bool is_named_before(const struct ml_consents *c, size_t at)
{
    size_t i = 0;
    while (i < at && !ml_object_id_equal(&c->facts[i].said.object, &c->facts[at].said.object)) {
        i++;
    }
    return i < at;
}

static ml_err objects_weigh(struct ml_vault *v, struct veil *veil, const struct ml_consents *c,
                            const struct ml_consent_member *self)
{
    struct ml_stmt *st = v->st[ST_VEIL_OBJECT_PUT];
    ml_stmt_bind_int(v->st[ST_VEIL_OBJECT_CLEAR], 1, veil->patient);
    ml_err err = ml_stmt_run(v->st[ST_VEIL_OBJECT_CLEAR]);
    for (size_t i = 0; i < c->weighed && err == ML_OK; i++) {
        const struct ml_consent *said = &c->facts[i].said;
        if (said->item != ML_ITEM_OBJECT || is_named_before(c, i)) {
            continue;
        }
        const uint64_t classes = closed_classes(v, c, self, &said->object);
        veil->any = veil->any || classes != 0;
        ml_stmt_bind_int(st, 1, veil->patient);
        ml_stmt_bind_blob(st, 2, said->object.b, sizeof(said->object.b));
        ml_stmt_bind_int(st, 3, (int64_t)classes);
        err = ml_stmt_run(st);
    }
    return err;
}

static ml_err veil_save(struct ml_vault *v, const struct veil *veil, uint64_t next_ms)
{
    struct ml_stmt *st = v->st[ST_VEIL_SET];
    ml_stmt_bind_int(st, 1, veil->patient);
    ml_stmt_bind_int(st, 2, veil->classes);
    ml_stmt_bind_int(st, 3, veil->any);
    ml_stmt_bind_int(st, 4, next_ms < INT64_MAX ? (int64_t)next_ms : INT64_MAX);
    ml_stmt_bind_int(st, 5, !veil->about);
    return ml_stmt_run(st);
}

static ml_err veil_put(struct ml_vault *v, struct veil *veil, const struct ml_consents *c,
                       const struct ml_consent_member *self)
{
    const uint64_t now_ms = v->env->wall_ms(v->env->ctx);
    veil->classes = (int64_t)closed_classes(v, c, self, NULL);
    veil->any = veil->classes != 0;
    for (size_t i = 0; i < c->weighed; i++) {
        veil->about = veil->about || ml_consent_is_about(&c->facts[i], self);
    }
    ml_err err = objects_weigh(v, veil, c, self);
    return err == ML_OK ? veil_save(v, veil, ml_consent_next_ms(c->set, now_ms)) : err;
}

static ml_err veil_weigh(struct ml_vault *v, const struct ml_log *log, struct veil *veil)
{
    struct ml_consents c;
    ml_err err = ml_consents_load(&c, v, ml_log_gov(log), &veil->oid);
    if (err == ML_OK) {
        const struct ml_consent_member self = ml_consent_person_as(v->self, c.teams, c.team_count);
        err = veil_put(v, veil, &c, &self);
    }
    ml_consents_free(&c);
    return err;
}

/* ---- erasing ---- */

/* The bundles of this object wait for the veil; its row goes, and what it counted. */
static ml_err object_erase(struct ml_vault *v, const struct veil *veil, int64_t row)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_view_load(v, row, &o, &packed);
    for (uint32_t i = 0; err == ML_OK && i < o->count; i++) {
        err = ml_vault_wait_for(v, veil->oid.b, o->versions[i].n);
        v->state.ops--;
        v->state.greyed -= o->versions[i].grey != 0;
    }
    if (err == ML_OK) {
        ml_stmt_bind_int(v->st[ST_CONFLICT_CLEAR], 1, row);
        err = ml_stmt_run(v->st[ST_CONFLICT_CLEAR]);
    }
    if (err == ML_OK) {
        ml_stmt_bind_int(v->st[ST_OBJECT_DROP], 1, row);
        err = ml_stmt_run(v->st[ST_OBJECT_DROP]);
    }
    v->erase = true;
    ml_object_free(o);
    ml_wipe(packed.data, packed.len);
    ml_buf_free(&packed);
    return err;
}

struct place {
    int64_t row;
    struct ml_object_id oid;
    uint16_t entity;
};

/* The next object of the patient after one. */
static ml_err place_next(struct ml_vault *v, int64_t patient, struct place *at, bool *more)
{
    struct ml_stmt *st = v->st[ST_OBJECT_NEXT];
    ml_stmt_bind_int(st, 1, patient);
    ml_stmt_bind_blob(st, 2, at->oid.b, sizeof(at->oid.b));
    ml_stmt_bind_int(st, 3, at->entity);
    ml_err err = ml_stmt_step(st, more);
    if (err == ML_OK && *more) {
        const struct ml_slice oid = ml_stmt_blob(st, 1);
        at->row = ml_stmt_int(st, 0);
        at->entity = (uint16_t)ml_stmt_int(st, 2);
        err = oid.len == sizeof(at->oid.b) ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK) {
            memcpy(at->oid.b, oid.data, oid.len);
        }
    }
    ml_stmt_reset(st);
    return err;
}

static ml_err objects_erase(struct ml_vault *v, const struct veil *veil)
{
    struct place at = {.row = 0};
    bool more = true;
    ml_err err = ML_OK;
    while (err == ML_OK && more) {
        bool hides = false;
        err = place_next(v, veil->patient, &at, &more);
        const struct ml_entity *entity = ml_schema_entity(v->schema, at.entity);
        if (err == ML_OK && more && entity != NULL) {
            err = ml_vault_veil_hides(v, veil->patient, entity, &at.oid, &hides);
        }
        if (err == ML_OK && hides) {
            err = object_erase(v, veil, at.row);
        }
    }
    return err;
}

static ml_err veil_apply(struct ml_vault *v, const struct veil *veil)
{
    ml_err err = veil->any ? objects_erase(v, veil) : ML_OK;
    if (err == ML_OK && (veil->any || veil->was)) {
        ml_stmt_bind_blob(v->st[ST_WAIT_READY], 1, veil->oid.b, sizeof(veil->oid.b));
        err = ml_stmt_run(v->st[ST_WAIT_READY]);
        v->retry = true;
    }
    if (err == ML_OK && (veil->any || veil->was)) { /* what he hides isn't known of either */
        err = ml_vault_kept_release(v, veil->patient, NULL);
    }
    return err;
}

static ml_err dirty_next(struct ml_vault *v, struct veil *veil, bool *row)
{
    struct ml_stmt *st = v->st[ST_VEIL_NEXT];
    *veil = (struct veil){.patient = PATIENT_NOBODY};
    ml_err err = ml_stmt_step(st, row);
    if (err == ML_OK && *row) {
        const struct ml_slice oid = ml_stmt_blob(st, 1);
        veil->patient = ml_stmt_int(st, 0);
        veil->was = ml_stmt_int(st, 3) != 0;
        err = oid.len == sizeof(veil->oid.b) ? ML_OK : ML_E_CORRUPT;
        if (err == ML_OK) {
            memcpy(veil->oid.b, oid.data, oid.len);
        }
    }
    ml_stmt_reset(st);
    return err;
}

ml_err ml_vault_veil_renew(struct ml_vault *v, struct ml_log *log)
{
    bool row = true;
    ml_err err = ML_OK;
    v->veils = true;
    while (err == ML_OK && row) {
        struct veil veil;
        err = dirty_next(v, &veil, &row);
        if (err == ML_OK && row) {
            err = veil_weigh(v, log, &veil);
        }
        if (err == ML_OK && row) {
            err = veil_apply(v, &veil);
        }
    }
    return err == ML_OK ? ml_vault_hides_any(v, NULL, &v->veils) : err;
}

/* ---- a glass ---- */

/* All that a veil depends on, but for the dates: what was said, and by whom it is looked at. */
struct glass_basis {
    uint8_t said[32];
    uint64_t next_ms;
};

static ml_err basis_of(struct glass_basis *out, const struct ml_consents *c,
                       const struct ml_vault *from)
{
    struct ml_buf all;
    ml_buf_init(&all, from->env, SIZE_MAX);
    for (size_t i = 0; i < c->weighed; i++) {
        ml_buf_append(&all, c->facts[i].id.b, sizeof(c->facts[i].id.b));
        ml_buf_append(&all, &c->facts[i].at, sizeof(c->facts[i].at));
        ml_buf_append(&all, &c->facts[i].counts, sizeof(c->facts[i].counts));
    }
    ml_buf_append(&all, c->teams, c->team_count * sizeof(c->teams[0]));
    ml_buf_append(&all, from->self, sizeof(*from->self));
    const struct ml_slice bytes = ml_buf_slice(&all);
    ml_hash_parts(out->said, sizeof(out->said), ml_slice(NULL, 0), &bytes, 1);
    out->next_ms = ml_consent_next_ms(c->set, from->env->wall_ms(from->env->ctx));
    const ml_err err = all.err;
    ml_buf_free(&all);
    return err;
}

/* Made once: what is in a glass's vault doesn't go out of it again, the glass is made anew. */
static ml_err glass_veil(struct ml_vault *v, const struct ml_vault *from,
                         const struct ml_consents *c, const struct ml_object_id *patient)
{
    static const char key[] = "glass";
    struct veil veil = {.oid = *patient};
    struct glass_basis now;
    struct glass_basis before;
    ml_err err = basis_of(&now, c, from);
    if (err == ML_OK) {
        err = ml_vault_meta_get(v, key, &before, sizeof(before));
    }
    if (err != ML_E_NOT_FOUND) {
        return err == ML_OK && memcmp(&now, &before, sizeof(now)) != 0 ? ML_E_STALE : err;
    }
    v->emergency = true;
    v->veils = true;
    err = ml_vault_patient(v, patient, true, &veil.patient);
    if (err == ML_OK) {
        err = ml_vault_veil_dirty(v, veil.patient);
    }
    if (err == ML_OK) {
        const struct ml_consent_member self =
            ml_consent_person_as(from->self, c->teams, c->team_count);
        err = veil_put(v, &veil, c, &self);
    }
    return err == ML_OK ? ml_vault_meta_put(v, key, &now, sizeof(now)) : err;
}

ml_err ml_vault_veil_glass(struct ml_vault *v, struct ml_vault *from, const struct ml_log *log,
                           const struct ml_object_id *patient)
{
    struct ml_consents c;
    ml_err err = ml_consents_load(&c, from, ml_log_gov(log), patient);
    if (err == ML_OK) {
        err = glass_veil(v, from, &c, patient);
    }
    ml_consents_free(&c);
    return err;
}

/* ---- questions ---- */

ml_err ml_vault_veil_hides(struct ml_vault *v, int64_t patient, const struct ml_entity *entity,
                           const struct ml_object_id *object, bool *hides)
{
    struct ml_stmt *st = v->st[ST_VEIL_GET];
    bool row = false;
    *hides = false;
    if (!v->veils || entity->is_shared) {
        return ML_OK;
    }
    ml_stmt_bind_int(st, 1, patient);
    ml_err err = ml_stmt_step(st, &row);
    uint64_t classes = err == ML_OK && row ? (uint64_t)ml_stmt_int(st, 0) : 0;
    ml_stmt_reset(st);
    if (err != ML_OK || !row) {
        return err;
    }
    st = v->st[ST_VEIL_OBJECT_GET];
    ml_stmt_bind_int(st, 1, patient);
    ml_stmt_bind_blob(st, 2, object->b, sizeof(object->b));
    err = ml_stmt_step(st, &row);
    classes = err == ML_OK && row ? (uint64_t)ml_stmt_int(st, 0) : classes;
    ml_stmt_reset(st);
    *hides = err == ML_OK && (classes >> entity->data_class & 1u) != 0;
    return err;
}

ml_err ml_vault_hides(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_entity *entity, const struct ml_object_id *object,
                      bool *hides)
{
    int64_t row = PATIENT_NOBODY;
    ml_err err = ml_vault_patient(v, patient, false, &row);
    *hides = false;
    return err == ML_E_NOT_FOUND ? ML_OK
           : err != ML_OK        ? err
                                 : ml_vault_veil_hides(v, row, entity, object, hides);
}

ml_err ml_vault_hides_any(struct ml_vault *v, const struct ml_object_id *patient, bool *hides)
{
    struct ml_stmt *st = v->st[patient == NULL ? ST_VEIL_ANY : ST_VEIL_GET];
    int64_t row_id = PATIENT_NOBODY;
    bool row = false;
    *hides = false;
    if (patient != NULL) {
        ml_err err = ml_vault_patient(v, patient, false, &row_id);
        if (err != ML_OK) {
            return err == ML_E_NOT_FOUND ? ML_OK : err;
        }
        ml_stmt_bind_int(st, 1, row_id);
    }
    ml_err err = ml_stmt_step(st, &row);
    *hides = err == ML_OK && row && (patient == NULL || ml_stmt_int(st, 1) != 0);
    ml_stmt_reset(st);
    return err;
}

ml_err ml_vault_knows_denials(struct ml_vault *v, struct ml_log *log, bool *known)
{
    struct ml_log_entry entry;
    const bool judged = v->state.log_epoch == ml_log_epoch(log);
    ml_err err = ML_OK;
    *known = v->state.record_cursor == 0;
    if (!*known && judged) { /* what came since may be but notes, which a full disk can't take in */
        err = ml_log_after(log, v->state.key_cursor, ML_LOG_LANE(ML_LANE_KEYS), &entry);
        *known = err == ML_E_NOT_FOUND;
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

/* ---- telling ---- */

ml_err ml_vault_obeyed(struct ml_vault *v, struct ml_object_id *patient)
{
    struct ml_stmt *st = v->st[ST_VEIL_UNTOLD];
    bool row = false;
    ml_err err = ml_stmt_step(st, &row);
    const struct ml_slice oid = err == ML_OK && row ? ml_stmt_blob(st, 0) : ml_slice(NULL, 0);
    const bool whole = oid.len == sizeof(patient->b);
    if (whole) {
        memcpy(patient->b, oid.data, oid.len);
    }
    ml_stmt_reset(st);
    if (err != ML_OK || !row) {
        return err == ML_OK ? ML_E_NOT_FOUND : err;
    }
    if (whole && v->erase) { /* there is no full-text table to be optimised (ADR 0010) */
        err = ml_db_checkpoint(v->db);
        v->erase = err != ML_OK;
    }
    return whole ? err : ML_E_CORRUPT;
}

ml_err ml_vault_obeyed_told(struct ml_vault *v, const struct ml_object_id *patient)
{
    struct ml_stmt *st = v->st[ST_VEIL_TOLD];
    ml_stmt_bind_blob(st, 1, patient->b, sizeof(patient->b));
    return ml_stmt_run(st);
}
