/* net/node/methods_draft.c -- what isn't signed yet, kept durably for its member (hazard H25).
 *
 * Drafts are the client's own bytes, no ops: they replicate nowhere, and no trace says more than
 * that the record was opened.
 *
 * Of what the patient keeps from its author by now a draft can't be signed
 * (docs/protocol/consent.md): it stays sealed, he is told so when he asks for it, and may delete
 * it. */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/consents.h"
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

/* The entity that a form is of, "treatment/<object>"; NULL: none. */
static const struct ml_entity *entity_of(const struct ml_call *call, const char *form)
{
    char name[ML_DRAFT_FORM_MAX + 1];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(form, "/"), form);
    return ml_schema_entity_named(call->node->schema, name);
}

/* Whoever may neither read nor write its class any more is told of no draft that he typed when he
 * could. */
static bool is_open(const struct ml_call *call, const char *form)
{
    const struct ml_entity *entity = entity_of(call, form);
    bool open = entity == NULL || entity->is_shared;
    for (unsigned right = ML_RIGHT_CREATE; right <= ML_RIGHT_READ && !open; right++) {
        open = right != ML_RIGHT_SEE &&
               ml_right_now(call->org, entity->data_class, (ml_right)right) != ML_SCOPE_NONE;
    }
    return open;
}

/* Does the patient keep this from who typed it? */
static ml_err is_shut(const struct ml_call *call, const struct ml_draft_key *key, bool *shut)
{
    struct ml_object_id object = {{0}};
    const char *slash = strchr(key->form, '/');
    const struct ml_entity *entity = entity_of(call, key->form);
    *shut = false;
    if (slash != NULL &&
        ml_hex_decode(object.b, sizeof(object.b), slash + 1, strlen(slash + 1)) != ML_OK) {
        object = (struct ml_object_id){{0}}; /* a form of something else's */
    }
    return entity == NULL
               ? ML_OK
               : ml_vault_hides(call->session->vault, &key->patient, entity, &object, shut);
}

static ml_err refuse_shut(struct ml_call *call, const struct ml_draft_key *key)
{
    bool shut = false;
    ml_err err = is_shut(call, key, &shut);
    if (err == ML_OK && shut) {
        const unsigned class = entity_of(call, key->form)->data_class;
        err = ml_call_fail(call, ML_E_DENIED, "draft.shut", "class", ml_class_name(class));
    }
    return err;
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
        err = refuse_shut(call, &key);
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
    err = err == ML_OK ? refuse_shut(call, &key) : err;
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

/* A chart has none of those that are shut: they are among all of his. */
static ml_err draft_row(void *user, const struct ml_draft_key *key, uint64_t saved_ms, size_t bytes)
{
    const struct ml_call *call = user;
    struct ml_args *out = call->result;
    const bool of_one = ml_value_get(call->params, "patient") != NULL;
    bool shut = false;
    ml_err err = is_shut(call, key, &shut);
    if (err != ML_OK || !is_open(call, key->form) || (shut && of_one)) {
        return err;
    }
    ml_args_map(out);
    ml_result_hex(out, "patient", key->patient.b, sizeof(key->patient.b));
    ml_result_text(out, "form", key->form);
    ml_result_int(out, "saved_ms", (int64_t)saved_ms);
    ml_result_int(out, "bytes", (int64_t)bytes);
    ml_result_bool(out, "shut", shut);
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
