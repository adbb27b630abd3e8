/* net/node/methods_patient.c -- reading: find, show, timeline, one object. Every read leaves its
 * trace before the answer. */
#include "core/record/consents.h"
#include "core/record/views.h"
#include "net/node/fields.h"
#include "net/node/glass.h"
#include "net/node/methods.h"
#include "net/node/trace.h"

/* What is read for paper or for a file is traced as that (SEC.4); which object, where one is named.
 */
static ml_err note_use(struct ml_call *call, struct ml_trace_note *n)
{
    const char *use = ml_call_text_or(call, "use", NULL);
    const bool reads =
        n->action == ML_TRACE_READ || n->action == ML_TRACE_LIST || n->action == ML_TRACE_SEARCH;
    if (n->action == ML_TRACE_READ) {
        (void)ml_call_has_id(call, n->object.b, sizeof(n->object.b), "object");
    }
    if (!reads || use == NULL) {
        return ML_OK;
    }
    n->action = (ml_trace_action)ml_trace_action_named(use);
    return n->action == ML_TRACE_PRINT || n->action == ML_TRACE_EXPORT
               ? ML_OK
               : ml_call_fail(call, ML_E_INVALID, "trace.use", "use", use);
}

ml_err ml_call_note(struct ml_call *call, ml_trace_action action,
                    const struct ml_object_id *patient)
{
    struct ml_trace_note n = {.action = action, .result = ML_TRACE_DONE};
    if (patient != NULL) {
        n.patient = *patient;
    }
    const ml_err err = note_use(call, &n);
    return err == ML_OK ? ml_trace_note(call, &n) : err;
}

ml_err ml_call_object_unknown(struct ml_call *call, const char *text,
                              const struct ml_object_id *patient)
{
    bool hidden = false;
    ml_err err = ml_vault_hides_any(call->session->vault, patient, &hidden);
    return err != ML_OK ? err
                        : ml_call_fail(call, ML_E_NOT_FOUND,
                                       hidden ? "object.perhaps_hidden" : text, NULL, NULL);
}

ml_err ml_call_patient(struct ml_call *call, struct ml_object_id *out)
{
    return ml_call_id(call, out->b, sizeof(out->b), "patient");
}

static ml_err patient_find(struct ml_call *call)
{
    const char *query = ml_call_text_or(call, "query", "");
    int64_t limit = ml_value_int(ml_value_get(call->params, "limit"), 20);
    ml_err err = ml_call_note(call, ML_TRACE_SEARCH, NULL);
    if (err != ML_OK) {
        return err;
    }
    return ml_view_find(call->session->vault, query, (uint32_t)(limit < 1 ? 1 : limit),
                        ml_call_document(call));
}

/* Not here, or not for him: the answer is the same. */
static ml_err answered(struct ml_call *call, ml_err err)
{
    return err == ML_E_NOT_FOUND ? ml_call_fail(call, err, "patient.unknown", NULL, NULL) : err;
}

static ml_err patient_show(struct ml_call *call)
{
    struct ml_vault *vault = NULL;
    struct ml_object_id patient;
    ml_err err = ml_call_patient(call, &patient);
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_READ, &patient);
    }
    if (err == ML_OK) {
        err = ml_glass_vault(call->org, &patient, &vault);
    }
    return err == ML_OK ? answered(call, ml_view_patient(vault, &patient, ml_call_document(call)))
                        : err;
}

static ml_err timeline_times(struct ml_call *call, struct ml_timeline_query *query)
{
    const char *from = ml_call_text_or(call, "from", NULL);
    const char *to = ml_call_text_or(call, "to", NULL);
    struct ml_instant instant;
    ml_err err = ML_OK;
    if (from != NULL) {
        err = ml_call_instant(call, from, &instant);
        query->from_ms = instant.utc_ms;
        query->to_ms = INT64_MAX;
    }
    if (err == ML_OK && to != NULL) {
        err = ml_call_instant(call, to, &instant);
        query->to_ms = instant.utc_ms;
    }
    return err;
}

static ml_err timeline_list(struct ml_call *call)
{
    enum { ENTITIES = 32 };
    const char *entities[ENTITIES];
    struct ml_vault *vault = NULL;
    struct ml_timeline_query query = {.entities = NULL};
    ml_err err = ml_call_patient(call, &query.patient);
    if (err == ML_OK) {
        err = timeline_times(call, &query);
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_READ, &query.patient);
    }
    if (err == ML_OK) {
        err = ml_glass_vault(call->org, &query.patient, &vault);
    }
    if (err != ML_OK) {
        return err;
    }
    for (const struct ml_value *v = ml_value_at(ml_value_get(call->params, "entities"), 0);
         v != NULL && query.entity_count < ENTITIES; v = ml_value_next(v)) {
        entities[query.entity_count++] = ml_value_text(v, "");
    }
    query.entities = query.entity_count > 0 ? entities : NULL;
    query.offset = (uint32_t)ml_value_int(ml_value_get(call->params, "offset"), 0);
    query.limit = (uint32_t)ml_value_int(ml_value_get(call->params, "limit"), 0);
    query.text = ml_call_text_or(call, "text", NULL);
    query.voided = ml_value_bool(ml_value_get(call->params, "voided"), false);
    return answered(call, ml_view_timeline(vault, &query, ml_call_document(call)));
}

static ml_err record_show(struct ml_call *call)
{
    struct ml_vault *vault = NULL;
    struct ml_object_id patient;
    struct ml_object_id object;
    ml_err err = ml_call_patient(call, &patient);
    if (err == ML_OK) {
        err = ml_call_id(call, object.b, sizeof(object.b), "object");
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_READ, &patient);
    }
    if (err == ML_OK) {
        err = ml_glass_vault(call->org, &patient, &vault);
    }
    if (err == ML_OK) {
        err = ml_view_object(vault, &patient, &object, ml_call_document(call));
    }
    return err == ML_E_NOT_FOUND ? ml_call_object_unknown(call, "", &patient) : err;
}

const struct ml_method ml_methods_patient[] = {
    {"patient.find", ML_NEEDS_SESSION, patient_find},
    {"patient.show", ML_NEEDS_SESSION, patient_show},
    {"timeline.list", ML_NEEDS_SESSION, timeline_list},
    {"record.show", ML_NEEDS_SESSION, record_show},
    {NULL, 0, NULL},
};
