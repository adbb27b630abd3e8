/* tests/sim/sim_model.c -- see sim_model.h. */
#include "sim_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

static void *must(void *ptr)
{
    ML_ASSERT(ptr != NULL);
    return ptr;
}

void sim_model_free(struct sim_model *m)
{
    for (size_t i = 0; i < m->object_count; i++) {
        free(m->objects[i].versions);
    }
    free(m->objects);
    free(m->patients);
    free(m->imports);
    *m = (struct sim_model){0};
}

size_t sim_model_patient(struct sim_model *m, const char *id)
{
    m->patients = must(realloc(m->patients, (m->patient_count + 1) * sizeof(*m->patients)));
    snprintf(m->patients[m->patient_count], sizeof(*m->patients), "%s", id);
    return m->patient_count++;
}

struct sim_object *sim_model_object(struct sim_model *m, const char *id, size_t patient,
                                    const struct ml_entity *entity)
{
    m->objects = must(realloc(m->objects, (m->object_count + 1) * sizeof(*m->objects)));
    struct sim_object *o = &m->objects[m->object_count++];
    *o = (struct sim_object){.patient = patient, .entity = entity};
    snprintf(o->id, sizeof(o->id), "%s", id);
    return o;
}

struct sim_version *sim_model_version(struct sim_model *m, struct sim_object *o)
{
    if (o->version_count == SIM_VERSIONS_MAX) {
        return NULL;
    }
    o->versions = must(realloc(o->versions, (o->version_count + 1) * sizeof(*o->versions)));
    struct sim_version *v = &o->versions[o->version_count++];
    *v = (struct sim_version){.number = ++m->last_reason};
    snprintf(v->reason, sizeof(v->reason), "écrit n° %llu", (unsigned long long)v->number);
    return v;
}

void sim_version_name(char out[SIM_VERSION], const char *text)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL) {
        snprintf(out, SIM_VERSION, "%s", text);
    } else {
        snprintf(out, SIM_VERSION, "%.32s%02x", text,
                 (unsigned)strtoul(colon + 1, NULL, 10) & 0xffu);
    }
}

static size_t version_find(const struct sim_object *o, const char *id)
{
    for (size_t i = 0; i < o->version_count; i++) {
        if (o->versions[i].id[0] != '\0' && strcmp(o->versions[i].id, id) == 0) {
            return i;
        }
    }
    return SIM_VERSIONS_MAX;
}

/* What version `of` names; true when one of them is new. */
static bool seen_mark(const struct sim_object *o, size_t of, const bool *there,
                      bool past[SIM_VERSIONS_MAX])
{
    const struct sim_version *v = &o->versions[of];
    bool found = false;
    for (size_t k = 0; k < v->seen_count && there[of]; k++) {
        size_t i = version_find(o, v->seen[k]);
        if (i < SIM_VERSIONS_MAX && !past[i]) {
            past[i] = true;
            found = true;
        }
    }
    return found;
}

/* Everything that version `of` builds on, directly or not: until nothing new is found. */
static void past_mark(const struct sim_object *o, size_t of, const bool *there,
                      bool past[SIM_VERSIONS_MAX])
{
    bool more = seen_mark(o, of, there, past);
    while (more) {
        more = false;
        for (size_t i = 0; i < o->version_count; i++) {
            more = (past[i] && seen_mark(o, i, there, past)) || more;
        }
    }
}

void sim_model_heads(const struct sim_object *o, const bool *writes, const bool *there, bool *heads)
{
    memcpy(heads, writes, o->version_count * sizeof(*heads));
    for (size_t i = 0; i < o->version_count; i++) {
        bool past[SIM_VERSIONS_MAX] = {false};
        if (!writes[i]) {
            continue;
        }
        past_mark(o, i, there, past);
        for (size_t k = 0; k < o->version_count; k++) {
            heads[k] = heads[k] && !past[k];
        }
    }
}
