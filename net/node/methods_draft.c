/* net/node/methods_draft.c -- what isn't signed yet, kept durably for its member (hazard H25).
 *
 * Drafts are the client's own bytes, no ops: they replicate nowhere, and no trace says more than
 * that the record was opened. */
#include <stdio.h>
#include <string.h>

#include "core/record/drafts.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/session.h"

/* patient (none: of no patient) and form. */
static ml_err param_key(struct ml_call *call, struct ml_draft_key *key)
{
    ml_err err = ml_call_text(call, &key->form, "form");
    memset(&key->patient, 0, sizeof(key->patient));
    if (err == ML_OK && ml_value_get(call->params, "patient") != NULL) {
        err = ml_call_patient(call, &key->patient);
    }
    if (err == ML_OK && strlen(key->form) > ML_DRAFT_FORM_MAX) {
        err = ml_call_fail(call, ML_E_LIMIT, "param.long", "param", "form");
    }
    return err;
}

/* By the entity that the form is of, "treatment/<object>": whoever may neither read nor write its
 * class any more is told of no draft that he typed when he could. */
static bool is_open(const struct ml_call *call, const char *form)
{
    char name[ML_DRAFT_FORM_MAX + 1];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(form, "/"), form);
    const struct ml_entity *entity = ml_schema_entity_named(call->node->schema, name);
    bool open = entity == NULL || entity->is_shared;
    for (unsigned right = ML_RIGHT_CREATE; right <= ML_RIGHT_READ && !open; right++) {
        open = right != ML_RIGHT_SEE &&
               ml_right_now(call->org, entity->data_class, (ml_right)right) != ML_SCOPE_NONE;
    }
    return open;
}

static ml_err draft_put(struct ml_call *call)
{
    struct ml_draft_key key;
    struct ml_drafts *drafts = NULL;
    size_t len = 0;
    const uint8_t *bytes = ml_value_bytes(ml_value_get(call->params, "content"), &len);
    ml_err err = param_key(call, &key);
    if (err == ML_OK && bytes == NULL) {
        err = ml_call_fail(call, ML_E_INVALID, "param.missing", "param", "content");
    }
    if (err == ML_OK) {
        err = ml_session_drafts(call->org, &drafts);
    }
    return err == ML_OK ? ml_drafts_put(drafts, &key, ml_slice(bytes, len)) : err;
}

static ml_err draft_get(struct ml_call *call)
{
    struct ml_draft_key key;
    struct ml_drafts *drafts = NULL;
    struct ml_buf bytes;
    uint64_t saved_ms = 0;
    ml_err err = param_key(call, &key);
    if (err == ML_OK) {
        err = ml_session_drafts(call->org, &drafts);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_buf_init(&bytes, call->node->env, ML_DRAFT_BYTES_MAX);
    err = is_open(call, key.form) ? ml_drafts_get(drafts, &key, &bytes, &saved_ms) : ML_E_NOT_FOUND;
    if (err == ML_OK) {
        ml_result_int(call->result, "saved_ms", (int64_t)saved_ms);
        ml_args_key(call->result, "content");
        ml_args_bytes(call->result, bytes.data, bytes.len);
    }
    ml_buf_free(&bytes);
    return err;
}

static ml_err draft_delete(struct ml_call *call)
{
    struct ml_draft_key key;
    struct ml_drafts *drafts = NULL;
    ml_err err = param_key(call, &key);
    if (err == ML_OK) {
        err = ml_session_drafts(call->org, &drafts);
    }
    return err == ML_OK ? ml_drafts_delete(drafts, &key) : err;
}

static ml_err draft_row(void *user, const struct ml_draft_key *key, uint64_t saved_ms, size_t bytes)
{
    const struct ml_call *call = user;
    struct ml_args *out = call->result;
    if (!is_open(call, key->form)) {
        return ML_OK;
    }
    ml_args_map(out);
    ml_result_hex(out, "patient", key->patient.b, sizeof(key->patient.b));
    ml_result_text(out, "form", key->form);
    ml_result_int(out, "saved_ms", (int64_t)saved_ms);
    ml_result_int(out, "bytes", (int64_t)bytes);
    ml_args_end(out);
    return ML_OK;
}

static ml_err draft_list(struct ml_call *call)
{
    struct ml_object_id patient;
    struct ml_drafts *drafts = NULL;
    const bool of_one = ml_value_get(call->params, "patient") != NULL;
    ml_err err = of_one ? ml_call_patient(call, &patient) : ML_OK;
    if (err == ML_OK) {
        err = ml_session_drafts(call->org, &drafts);
    }
    if (err == ML_OK) {
        ml_args_key(call->result, "drafts");
        ml_args_list(call->result);
        err = ml_drafts_list(drafts, of_one ? &patient : NULL, draft_row, call);
        ml_args_end(call->result);
    }
    return err;
}

const struct ml_method ml_methods_draft[] = {
    {"draft.put", ML_NEEDS_SESSION, draft_put},
    {"draft.get", ML_NEEDS_SESSION, draft_get},
    {"draft.delete", ML_NEEDS_SESSION, draft_delete},
    {"draft.list", ML_NEEDS_SESSION, draft_list},
    {NULL, 0, NULL},
};
