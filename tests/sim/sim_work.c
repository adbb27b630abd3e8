/* tests/sim/sim_work.c -- what users do. Each write gives its own reason, so that one whose answer
 * was lost is found again by it, and names what its author had before him. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "sim.h"

enum { PATIENTS_MAX = 6, OBJECTS_MAX = 40, CHUNKS_FROM = 6144 /* bytes: ML_FILES_INLINE_MAX */ };

/* ---- one write ---- */

struct writing {
    struct sim *s;
    unsigned node;
    struct sim_call call;
};

/* What became of it, into the model. */
static void write_end(struct writing *w, struct sim_version *v, ml_err err, sim_count_of op)
{
    struct sim *s = w->s;
    v->node = w->node;
    if (err == ML_OK) {
        s->count.of[SIM_ACKED]++;
        s->count.of[SIM_ACKED_OPS]++;
        s->count.of[op]++;
        v->acked = true;
        sim_witness_read_node(s, w->node); /* it may be the last thing that this node did */
        sim_version_name(v->id, ml_value_text(sim_get(&w->call, "version"), ""));
    } else {
        s->count.of[w->call.lost ? SIM_UNKNOWN : SIM_REFUSED]++;
    }
    sim_say(s, "node %u writes %s: %s %s", w->node, v->reason,
            w->call.lost ? "no answer" : ml_err_name(err),
            err == ML_OK ? v->id : ml_value_text(sim_get(&w->call, "text"), ""));
}

static bool field_fits(const struct ml_field *f)
{
    return f->type != ML_TYPE_REF && f->type != ML_TYPE_ATTACHMENT;
}

static void fields_put(struct sim *s, struct ml_args *a, const struct ml_entity *e, unsigned chance)
{
    ml_args_key(a, "fields");
    ml_args_map(a);
    for (size_t i = 0; i < e->field_count; i++) {
        const struct ml_field *f = &e->fields[i];
        if (field_fits(f) && (f->required || (f->form_order > 0 && sim_chance(s, chance)))) {
            ml_args_key(a, f->name);
            sim_value_put(s, a, f);
        }
    }
    ml_args_end(a);
}

/* ---- create ---- */

static bool entity_fits(const struct ml_entity *e)
{
    for (size_t i = 0; i < e->field_count; i++) {
        if (e->fields[i].required && !field_fits(&e->fields[i])) {
            return false;
        }
    }
    return !e->is_shared;
}

static const struct ml_entity *entity_any(struct sim *s)
{
    const struct ml_schema *schema = ml_schema_builtin();
    if (sim_chance(s, 150)) { /* the entity whose fields are assertions */
        return ml_schema_entity_named(schema, "allergy");
    }
    if (sim_chance(s, 100)) { /* files */
        return ml_schema_entity_named(schema, "document");
    }
    for (;;) {
        const struct ml_entity *e = schema->entities[sim_below(s, schema->entity_count)];
        if (entity_fits(e) && !e->is_patient) {
            return e;
        }
    }
}

/* A file of this process, of any size up to several chunks. */
static void file_put(struct sim *s, struct ml_args *a, struct sim_object *o)
{
    char path[160];
    o->file_bytes = 1 + (uint32_t)sim_below(s, sim_chance(s, 300) ? 200000 : 8000);
    o->file_seed = (uint32_t)s->model.last_reason;
    snprintf(path, sizeof(path), "%s/%u.bin", sim_folder(), o->file_seed);
    FILE *f = fopen(path, "wb");
    ML_ASSERT(f != NULL);
    for (uint32_t i = 0; i < o->file_bytes; i++) {
        (void)fputc(sim_file_byte(o, i), f);
    }
    int closed = fclose(f);
    ML_ASSERT(closed == 0);
    ml_args_key(a, "files");
    ml_args_list(a);
    ml_args_map(a);
    ml_args_key(a, "path");
    ml_args_text(a, path);
    ml_args_key(a, "media_type");
    ml_args_text(a, "application/octet-stream");
    ml_args_end(a);
    ml_args_end(a);
}

static void create(struct sim *s, unsigned node, const struct ml_entity *e, size_t patient)
{
    struct writing w = {.s = s, .node = node};
    struct sim_model *m = &s->model;
    char id[40];
    struct sim_object *o = sim_model_object(m, "", patient, e);
    struct sim_version *v = sim_model_version(m, o);
    v->creates = true;
    sim_ask(&w.call);
    sim_put(&w.call, "entity", e->name);
    sim_put(&w.call, "reason", v->reason);
    if (!e->is_patient) {
        sim_put(&w.call, "patient", m->patients[patient]);
    }
    fields_put(s, w.call.args, e, 300);
    if (strcmp(e->name, "document") == 0) {
        file_put(s, w.call.args, o);
    }
    ml_err err = sim_send(&w.call, s, node, "record.add");
    write_end(&w, v, err, SIM_OP_CREATE);
    if (err == ML_OK && o->file_bytes > 0) {
        s->count.of[SIM_DOCUMENT]++;
        s->count.of[SIM_DOCUMENT_LARGE] += o->file_bytes > CHUNKS_FROM;
    }
    snprintf(id, sizeof(id), "%s", ml_value_text(sim_get(&w.call, "object"), ""));
    sim_call_end(&w.call);
    if (err != ML_OK) { /* an object whose id nobody was told is nobody's to look for */
        free(o->versions);
        m->object_count--;
        return;
    }
    memcpy(o->id, id, sizeof(id));
    if (e->is_patient) {
        o->patient = sim_model_patient(m, id);
    }
}

/* ---- change what is there ---- */

/* The heads of one field, or of all of them, as this node shows them: what the author sees. */
static void seen_take(struct sim_version *v, const struct ml_value *heads)
{
    for (const struct ml_value *h = ml_value_at(heads, 0); h != NULL; h = ml_value_next(h)) {
        char id[SIM_VERSION];
        bool known = false;
        sim_version_name(id, ml_value_text(ml_value_get(h, "version"), ""));
        for (size_t i = 0; i < v->seen_count; i++) {
            known = known || strcmp(v->seen[i], id) == 0;
        }
        if (!known && v->seen_count < SIM_SEEN_MAX) {
            memcpy(v->seen[v->seen_count++], id, sizeof(id));
        }
    }
}

/* What stands in the register of lives is seen too. */
static void lives_take(struct sim_version *v, const struct ml_value *history)
{
    for (const struct ml_value *h = ml_value_at(history, 0); h != NULL; h = ml_value_next(h)) {
        const bool stands = strcmp(ml_value_text(ml_value_get(h, "rank"), ""), "head") == 0;
        if (stands && v->seen_count < SIM_SEEN_MAX) {
            sim_version_name(v->seen[v->seen_count++],
                             ml_value_text(ml_value_get(h, "version"), ""));
        }
    }
}

/* False: this node doesn't have the object yet, or couldn't say. */
static bool object_look(struct sim *s, unsigned node, const struct sim_object *o,
                        struct sim_version *v, const struct ml_field *field)
{
    struct sim_call c;
    sim_ask(&c);
    sim_put(&c, "patient", s->model.patients[o->patient]);
    sim_put(&c, "object", o->id);
    ml_err err = sim_send(&c, s, node, "record.show");
    const struct ml_value *fields = sim_get(&c, "fields");
    for (const struct ml_value *f = ml_value_at(fields, 0); f != NULL; f = ml_value_next(f)) {
        if (field == NULL || v->slot == (uint16_t)ml_value_int(ml_value_get(f, "slot"), -1)) {
            seen_take(v, ml_value_get(f, "heads"));
        }
    }
    if (field == NULL || v->slot == 0) {
        lives_take(v, sim_get(&c, "life_history"));
    }
    sim_call_end(&c);
    return err == ML_OK;
}

static void seen_put(struct ml_args *a, const struct sim_version *v)
{
    ml_args_key(a, "seen");
    ml_args_list(a);
    for (size_t i = 0; i < v->seen_count; i++) {
        ml_args_text(a, v->seen[i]);
    }
    ml_args_end(a);
}

struct change {
    struct sim_object *o;
    struct sim_version *v;
    const struct ml_field *field; /* NULL: of the whole object's life */
    const char *method;
    sim_count_of op;
};

static void change_send(struct sim *s, unsigned node, const struct change *c)
{
    struct writing w = {.s = s, .node = node};
    struct sim_object *o = c->o;
    struct sim_version *v = c->v;
    const struct ml_field *field = c->field;
    sim_ask(&w.call);
    sim_put(&w.call, "patient", s->model.patients[o->patient]);
    sim_put(&w.call, "object", o->id);
    sim_put(&w.call, "reason", v->reason);
    seen_put(w.call.args, v);
    if (field != NULL && o->entity->merge == ML_MERGE_EVENT) {
        fields_put(s, w.call.args, o->entity, 300);
    } else if (field != NULL) {
        ml_args_key(w.call.args, "fields");
        ml_args_map(w.call.args);
        ml_args_key(w.call.args, field->name);
        sim_value_put(s, w.call.args, field);
        ml_args_end(w.call.args);
    }
    ml_err err = sim_send(&w.call, s, node, c->method);
    write_end(&w, v, err, c->op);
    bool nothing = err != ML_OK && !w.call.lost && err == ML_E_INVALID;
    sim_call_end(&w.call);
    if (nothing) { /* refused before anything was written */
        o->version_count--;
    }
}

static const struct ml_field *field_any(struct sim *s, const struct ml_entity *e)
{
    for (unsigned i = 0; i < 100; i++) {
        const struct ml_field *f = &e->fields[sim_below(s, e->field_count)];
        if (field_fits(f) && f->form_order > 0) {
            return f;
        }
    }
    return NULL;
}

static void edit(struct sim *s, unsigned node, struct sim_object *o, const struct ml_field *field)
{
    struct sim_version *v = field == NULL ? NULL : sim_model_version(&s->model, o);
    if (v == NULL) {
        return;
    }
    const bool event = o->entity->merge == ML_MERGE_EVENT;
    v->slot = event ? 0 : ml_field_slot(field);
    if (!object_look(s, node, o, v, field)) {
        o->version_count--;
        return;
    }
    bool settles = v->seen_count > (v->slot == 0 ? 2 : 1); /* an event's life is seen too */
    const struct change c = {.o = o,
                             .v = v,
                             .field = field,
                             .method = settles ? "conflicts.resolve" : "record.amend",
                             .op = settles ? SIM_OP_RESOLVE
                                   : event ? SIM_OP_AMEND
                                           : SIM_OP_SET};
    change_send(s, node, &c);
}

static void end_life(struct sim *s, unsigned node, struct sim_object *o)
{
    static const struct {
        const char *method;
        sim_count_of op;
    } ends[] = {{"record.void", SIM_OP_VOID},
                {"record.archive", SIM_OP_ARCHIVE},
                {"record.restore", SIM_OP_RESTORE}};
    size_t which = (size_t)sim_below(s, 3);
    struct sim_version *v = sim_model_version(&s->model, o);
    if (v == NULL) {
        return;
    }
    v->slot = SIM_SLOT_ALL;
    if (!object_look(s, node, o, v, NULL)) {
        o->version_count--;
        return;
    }
    const struct change c = {.o = o, .v = v, .method = ends[which].method, .op = ends[which].op};
    change_send(s, node, &c);
}

/* ---- one act ---- */

/* Most edits meet another one; where rules differ from plain registers, more often. */
static const struct ml_field *field_to_edit(struct sim *s, const struct ml_entity *e)
{
    const struct ml_field *f = field_any(s, e);
    for (unsigned i = 0; i < 8 && f != NULL && f->merge == ML_MERGE_REGISTER; i++) {
        f = field_any(s, e);
    }
    return f;
}

static void change(struct sim *s, unsigned node)
{
    struct sim_model *m = &s->model;
    if (s->last_field != NULL && s->last_object < m->object_count && sim_chance(s, 400)) {
        edit(s, node, &m->objects[s->last_object], s->last_field); /* where two people meet */
        return;
    }
    size_t at = m->object_count - 1 - (size_t)sim_below(s, 1 + sim_below(s, m->object_count));
    struct sim_object *o = &m->objects[at];
    if (sim_chance(s, 80) && !o->entity->is_patient) {
        end_life(s, node, o);
        return;
    }
    s->last_object = at;
    s->last_field = sim_chance(s, 500) ? field_to_edit(s, o->entity) : field_any(s, o->entity);
    edit(s, node, o, s->last_field);
}

/* Somebody comes to a node that nobody is at. */
static void come(struct sim *s)
{
    const unsigned i = (unsigned)sim_below(s, SIM_NODES);
    const struct sim_node *n = &s->nodes[i];
    if (n->node != NULL && n->joined && n->token_len == 0) {
        ml_err err = sim_unlock(s, i);
        sim_say(s, "somebody comes to node %u: %s", i, ml_err_name(err));
    }
}

void sim_work(struct sim *s)
{
    struct sim_model *m = &s->model;
    come(s);
    unsigned node = sim_node_any(s);
    if (node == SIM_NODES) {
        return;
    }
    if (m->patient_count == 0 || (m->patient_count < PATIENTS_MAX && sim_chance(s, 60))) {
        create(s, node, ml_schema_entity_named(ml_schema_builtin(), "patient"), 0);
    } else if (m->object_count < OBJECTS_MAX && sim_chance(s, 250)) {
        create(s, node, entity_any(s), (size_t)sim_below(s, m->patient_count));
    } else if (sim_chance(s, s->options.scale > SIM_SCALE ? 100 : 25)) {
        sim_import(s, node);
    } else if (sim_chance(s, 150)) {
        sim_act(s, node);
    } else if (sim_chance(s, 60)) {
        sim_govern(s, node);
    } else {
        change(s, node);
    }
}
