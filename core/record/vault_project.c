/* core/record/vault_project.c -- one bundle of lane 3 becomes rows.
 *
 * Happy path: open each op, find its object by (patient, object id, entity) or make it, append the
 * packed version, merge again, write the row and its open conflicts. A version that the object
 * holds already is skipped, so that a bundle may be projected again when a key arrives.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/model/seal.h"
#include "core/record/vault_int.h"

struct projecting {
    struct ml_vault *v;
    const struct ml_log *log;
    const struct ml_log_entry *entry;
    struct ml_hash16 bundle;
    bool mine; /* the vault's member wrote it */
    bool waits;
};

static ml_err skip(const struct projecting *p, const struct ml_opened *opened, int why)
{
    struct ml_stmt *st = p->v->st[ST_SKIP_PUT];
    ml_stmt_bind_int(st, 1, (int64_t)p->entry->n);
    const bool open = opened->result == ML_OPEN_OK;
    ml_stmt_bind_int(st, 2, opened->index);
    ml_stmt_bind_int(st, 3, why);
    ml_stmt_bind_int(st, 4, open ? (int64_t)opened->stream.local : PATIENT_NOBODY);
    return ml_stmt_run(st);
}

ml_err ml_vault_wait_for(struct ml_vault *v, const uint8_t key[16], uint64_t n)
{
    struct ml_stmt *st = v->st[ST_WAIT_PUT];
    ml_stmt_bind_blob(st, 1, key, 16);
    ml_stmt_bind_int(st, 2, (int64_t)n);
    v->wait_any = true;
    return ml_stmt_run(st);
}

static ml_err wait_for(struct projecting *p, const uint8_t key[16])
{
    p->waits = true;
    return ml_vault_wait_for(p->v, key, p->entry->n);
}

/* ---- objects ---- */

/* What stands in an object's row beside its versions. */
struct summary {
    int64_t life;
    int64_t flags;
    int64_t eff;
    uint64_t hlc;
};

static ml_err summarise(struct ml_object *o, struct summary *s)
{
    struct ml_instant effective;
    ml_err err = ml_object_effective(o, &effective);
    if (err != ML_OK) {
        return err;
    }
    s->life = (int64_t)o->life.life;
    s->eff = effective.utc_ms;
    for (uint32_t i = 0; i < o->count; i++) {
        s->hlc = o->versions[i].hlc > s->hlc ? o->versions[i].hlc : s->hlc;
        s->flags |= o->versions[i].grey != 0 ? FLAG_GREYED : 0;
    }
    return ML_OK;
}

struct conflict_scan {
    struct ml_vault *v;
    struct ml_object *o;
    int64_t object;
    int64_t patient;
    bool any;
};

static ml_err put_conflict(struct conflict_scan *scan, uint16_t slot, ml_severity severity)
{
    struct ml_stmt *st = scan->v->st[ST_CONFLICT_PUT];
    scan->any = true;
    ml_stmt_bind_int(st, 1, scan->object);
    ml_stmt_bind_int(st, 2, slot);
    ml_stmt_bind_int(st, 3, (int64_t)severity);
    ml_stmt_bind_int(st, 4, scan->patient);
    return ml_stmt_run(st);
}

static ml_err scan_slot(void *user, uint16_t slot, const struct ml_field *first)
{
    struct conflict_scan *scan = user;
    struct ml_register r;
    (void)first;
    if (!ml_object_contested(scan->o, slot)) {
        return ML_OK;
    }
    ml_err err = ml_object_register(scan->o, slot, &r);
    if (err != ML_OK) {
        return err;
    }
    if (r.outcome.conflict && !(slot == 0 && scan->o->life.conflict)) {
        err = put_conflict(scan, slot, r.severity);
    }
    ml_register_free(scan->o, &r);
    return err;
}

/* Replaces the object's rows of conflicts; *flags says whether there is one. */
static ml_err write_conflicts(struct conflict_scan *scan, bool clear)
{
    ml_err err = ML_OK;
    if (clear) {
        ml_stmt_bind_int(scan->v->st[ST_CONFLICT_CLEAR], 1, scan->object);
        err = ml_stmt_run(scan->v->st[ST_CONFLICT_CLEAR]);
    }
    if (err == ML_OK && scan->o->life.conflict) {
        err = put_conflict(scan, 0, scan->o->entity->severity);
    }
    return err == ML_OK ? ml_entity_slots(scan->o->entity, scan_slot, scan) : err;
}

/* The object's row: made when it isn't there. *object 0: it was there, and is to be loaded. */
static ml_err try_new(struct ml_vault *v, int64_t patient, const struct ml_obj_version *version,
                      const struct ml_entity *entity, int64_t *object)
{
    struct ml_object *o = NULL;
    struct summary s = {0};
    ml_buf_clear(&v->packed);
    ml_object_pack(&v->packed, version);
    ml_err err = v->packed.err;
    if (err == ML_OK) {
        err = ml_object_begin(&o, v->env, v->schema, entity, version);
    }
    if (err == ML_OK) {
        err = summarise(o, &s);
    }
    if (err == ML_OK) {
        struct ml_stmt *st = v->st[ST_OBJECT_NEW];
        ml_stmt_bind_int(st, 1, patient);
        ml_stmt_bind_int(st, 2, entity->id);
        ml_stmt_bind_blob(st, 3, version->change.object.b, sizeof(version->change.object.b));
        ml_stmt_bind_int(st, 4, s.life);
        ml_stmt_bind_int(st, 5, s.flags);
        ml_stmt_bind_int(st, 6, s.eff);
        ml_stmt_bind_int(st, 7, (int64_t)s.hlc);
        ml_stmt_bind_blob(st, 8, v->packed.data, v->packed.len);
        err = ml_stmt_run(st);
        *object = err == ML_OK && ml_db_changes(v->db) > 0 ? ml_db_last_rowid(v->db) : 0;
    }
    if (err == ML_OK && *object != 0 && entity->is_patient) {
        err = ml_vault_index_patient(v, patient, o);
    }
    ml_object_free(o);
    return err;
}

/* Loads the row's versions into v->packed with the new one behind them; *held: it was there. */
static ml_err load_row(struct ml_vault *v, int64_t patient, const struct ml_obj_version *version,
                       int64_t *object, bool *held)
{
    struct ml_stmt *st = v->st[ST_OBJECT_GET];
    bool row = false;
    ml_stmt_bind_int(st, 1, patient);
    ml_stmt_bind_blob(st, 2, version->change.object.b, sizeof(version->change.object.b));
    ml_stmt_bind_int(st, 3, version->change.entity);
    ml_err err = ml_stmt_step(st, &row);
    if (err != ML_OK || !row) {
        return err == ML_OK ? ML_E_CORRUPT : err;
    }
    struct ml_slice packed = ml_stmt_blob(st, 1);
    *object = ml_stmt_int(st, 0);
    *held = ml_object_holds(packed, &version->id);
    ml_buf_clear(&v->packed);
    ml_buf_append(&v->packed, packed.data, packed.len);
    ml_object_pack(&v->packed, version);
    ml_stmt_reset(st);
    return v->packed.err;
}

static ml_err write_row(struct ml_vault *v, int64_t object, const struct summary *s)
{
    struct ml_stmt *st = v->st[ST_OBJECT_SET];
    ml_stmt_bind_int(st, 1, object);
    ml_stmt_bind_int(st, 2, s->life);
    ml_stmt_bind_int(st, 3, s->flags);
    ml_stmt_bind_int(st, 4, s->eff);
    ml_stmt_bind_int(st, 5, (int64_t)s->hlc);
    ml_stmt_bind_blob(st, 6, v->packed.data, v->packed.len);
    return ml_stmt_run(st);
}

static ml_err merge_row(struct ml_vault *v, int64_t patient, int64_t object,
                        const struct ml_entity *entity)
{
    struct ml_object *o = NULL;
    struct summary s = {0};
    ml_err err = ml_object_load(&o, v->env, v->schema, entity, ml_buf_slice(&v->packed));
    if (err != ML_OK) {
        return err;
    }
    struct conflict_scan scan = {.v = v, .o = o, .object = object, .patient = patient};
    err = summarise(o, &s);
    if (err == ML_OK) {
        err = write_conflicts(&scan, true);
        s.flags |= scan.any ? FLAG_CONFLICT : 0;
    }
    if (err == ML_OK) {
        err = write_row(v, object, &s);
    }
    if (err == ML_OK && entity->is_patient) {
        err = ml_vault_index_patient(v, patient, o);
    }
    ml_object_free(o);
    return err;
}

static ml_err put_version(struct ml_vault *v, int64_t patient, const struct ml_obj_version *version,
                          const struct ml_entity *entity)
{
    int64_t object = 0;
    bool held = false;
    ml_err err = try_new(v, patient, version, entity, &object);
    if (err == ML_OK && object == 0) {
        err = load_row(v, patient, version, &object, &held);
        if (err == ML_OK && !held) {
            err = merge_row(v, patient, object, entity);
        }
    }
    if (err == ML_OK && !held) {
        v->state.ops++;
        v->state.greyed += version->grey != 0;
    }
    return err;
}

/* ---- ops ---- */

/* Does the matrix let its member read it? Own is the object that he created, whoever wrote to it
 * since. */
static ml_err is_readable(struct projecting *p, const struct ml_opened *opened,
                          const struct ml_entity *entity, bool *readable)
{
    struct ml_vault *v = p->v;
    const struct ml_change *change = &opened->change;
    const int64_t patient = (int64_t)opened->stream.local;
    struct vault_reads may;
    ml_err err = ml_vault_reads_of(v, patient, &opened->stream.patient, &may);
    *readable = err == ML_OK && ml_vault_reads_all(&may, entity);
    if (err != ML_OK || *readable || (may.own >> entity->data_class & 1u) == 0) {
        return err;
    }
    if (p->mine && change->type == ML_CHANGE_CREATE) {
        *readable = true;
        return ml_vault_kept_release(v, patient, &change->object);
    }
    struct ml_stmt *st = v->st[ST_OBJECT_GET];
    ml_stmt_bind_int(st, 1, patient);
    ml_stmt_bind_blob(st, 2, change->object.b, sizeof(change->object.b));
    ml_stmt_bind_int(st, 3, change->entity);
    err = ml_stmt_step(st, readable);
    ml_stmt_reset(st);
    return err;
}

static ml_err project_change(struct projecting *p, const struct ml_opened *opened)
{
    const struct ml_entity *entity = ml_schema_entity(p->v->schema, opened->change.entity);
    ml_life_act act;
    if (entity == NULL || !ml_life_act_of(entity, opened->change.type, &act)) {
        return skip(p, opened, SKIP_UNKNOWN);
    }
    struct ml_obj_version version = {.id = {p->bundle, opened->index},
                                     .n = p->entry->n,
                                     .hlc = opened->hlc,
                                     .plain = opened->plain,
                                     .change = opened->change};
    version.grey =
        ml_log_op_counts(p->log, p->entry, (uint8_t)opened->index)
            ? ml_content_verdict(entity, &opened->change, &opened->entry, &opened->stream)
            : ML_GREY_QUARANTINED;
    const int64_t patient = (int64_t)opened->stream.local;
    bool hidden = false;
    bool readable = false;
    ml_err err = ml_vault_veil_hides(p->v, patient, entity, &opened->change.object, &hidden);
    if (err == ML_OK && hidden) {
        return ml_vault_wait_for(p->v, opened->stream.patient.b, p->entry->n);
    }
    if (err == ML_OK) {
        err = is_readable(p, opened, entity, &readable);
    }
    if (err == ML_OK && !readable) {
        return ml_vault_keep(p->v, patient, &opened->change, p->entry->n);
    }
    if (err == ML_OK) {
        err = put_version(p->v, patient, &version, entity);
    }
    if (err == ML_E_LIMIT) { /* a limit of this node: it must not stop all that comes after */
        return skip(p, opened, SKIP_TOO_LARGE);
    }
    if (err == ML_OK && !ml_change_is_known(entity, &opened->change)) {
        return skip(p, opened, SKIP_PARTLY);
    }
    return err;
}

static ml_err project_op(void *user, const struct ml_opened *opened)
{
    struct projecting *p = user;
    switch (opened->result) {
    case ML_OPEN_OK:
        return project_change(p, opened);
    case ML_OPEN_SHREDDED:
        return skip(p, opened, SKIP_SHREDDED);
    case ML_OPEN_NO_STREAM:
        return wait_for(p, opened->entry.stream.b);
    case ML_OPEN_NO_KEY:
        return wait_for(p, opened->entry.key.b);
    case ML_OPEN_FORGED:
        return skip(p, opened, SKIP_FORGED);
    case ML_OPEN_MALFORMED:
        return skip(p, opened, SKIP_MALFORMED);
    }
    return ML_OK;
}

ml_err ml_vault_project(struct ml_vault *v, struct ml_log *log, const struct ml_log_entry *entry)
{
    struct projecting p = {
        .v = v, .log = log, .entry = entry, .bundle = ml_hash16_of(&entry->hash)};
    int64_t author = 0;
    if (entry->body.bytes.data == NULL) {
        return ML_OK; /* when it comes the log's epoch changes, and all is projected again */
    }
    v->work++;
    ml_err err = ml_vault_author(v, log, &entry->header.writer, &author);
    if (err != ML_OK) {
        return err;
    }
    const struct vault_author *by = ml_vault_author_of(v, author);
    p.mine = by != NULL && memcmp(&by->member, &v->member, sizeof(v->member)) == 0;
    struct ml_stmt *st = v->st[ST_BUNDLE_PUT];
    ml_stmt_bind_int(st, 1, (int64_t)entry->n);
    ml_stmt_bind_int(st, 2, author);
    ml_stmt_bind_int(st, 3, entry->header.seq);
    ml_stmt_bind_int(st, 4, (int64_t)entry->reason);
    err = ml_stmt_run(st);
    const struct ml_open_args args = {.env = v->env,
                                      .org = v->org,
                                      .keyring = v->keyring,
                                      .header = &entry->header,
                                      .body = entry->body.bytes};
    return err == ML_OK ? ml_open_bundle(&args, project_op, &p) : err;
}
