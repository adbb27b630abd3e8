/* net/node/methods_cosign.c -- what waits for the session's member to sign beside a student
 * (docs/habilitation.md): the bundles of those whose entries may wait are opened again, and each
 * object asked once.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/model/cosign.h"
#include "core/model/seal.h"
#include "core/record/views.h"
#include "net/node/methods.h"
#include "net/node/session.h"

enum { LISTED_MAX = 200 };

struct place {
    struct ml_object_id patient;
    struct ml_object_id object;
    uint16_t entity;
};

struct listing {
    struct ml_call *call;
    struct ml_buf asked; /* of struct place */
    unsigned count;
    bool more;
};

static bool is_asked(const struct listing *l, const struct place *at)
{
    const struct place *asked = (const void *)l->asked.data;
    size_t i = l->asked.len / sizeof(*asked);
    while (i > 0 && memcmp(&asked[i - 1], at, sizeof(*at)) != 0) {
        i--;
    }
    return i > 0;
}

static ml_err place_list(struct listing *l, const struct place *at)
{
    struct ml_vault *vault = l->call->session->vault;
    const struct ml_entity *entity = ml_schema_entity(l->call->node->schema, at->entity);
    struct ml_view_unsigned what = {.waits = false};
    ml_buf_append(&l->asked, at, sizeof(*at));
    ml_err err = l->asked.err;
    if (err == ML_OK) {
        err = ml_view_unsigned(vault, &at->patient, &at->object, &what);
    }
    if (err != ML_OK || entity == NULL || !what.waits ||
        !ml_view_may_cosign(vault, entity, &what, &l->call->session->member)) {
        return err == ML_E_NOT_FOUND ? ML_OK : err; /* what he may not see isn't his to sign */
    }
    if (l->count == LISTED_MAX) {
        l->more = true;
        return ML_E_CANCELED;
    }
    l->count++;
    return ml_view_item(vault, &at->patient, &at->object, l->call->result);
}

static ml_err op_take(void *user, const struct ml_opened *opened)
{
    struct listing *l = user;
    struct place at;
    if (opened->result != ML_OPEN_OK) {
        return ML_OK;
    }
    memset(&at, 0, sizeof(at)); /* compared as bytes */
    at.patient = opened->stream.patient;
    at.object = opened->change.object;
    at.entity = opened->change.entity;
    return is_asked(l, &at) ? ML_OK : place_list(l, &at);
}

static ml_err bundle_take(void *user, const struct ml_log_entry *entry)
{
    const struct listing *l = user;
    const struct ml_open_args args = {.env = l->call->node->env,
                                      .org = l->call->org->id,
                                      .keyring = ml_session_keyring(l->call->org),
                                      .header = &entry->header,
                                      .body = entry->body.bytes};
    return entry->body.bytes.data == NULL ? ML_OK : ml_open_bundle(&args, op_take, user);
}

ml_err ml_method_to_cosign(struct ml_call *call)
{
    struct listing l = {.call = call};
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *f = NULL;
    ml_err err = ml_call_note(call, ML_TRACE_READ, NULL);
    ml_buf_init(&l.asked, call->node->env, SIZE_MAX);
    ml_args_key(call->result, "items");
    ml_args_list(call->result);
    while (err == ML_OK && !l.more && (f = ml_gov_next(gov, ML_FACT_WRITER, f)) != NULL) {
        const struct ml_log_range range = {
            .writer = f->writer, .lane = ML_LANE_RECORD, .to = UINT32_MAX};
        if (ml_cosign_ever(gov, &f->member)) {
            err = ml_log_load(call->org->log, &range, 1, bundle_take, &l);
        }
    }
    ml_args_end(call->result);
    ml_buf_free(&l.asked);
    ml_result_bool(call->result, "more", l.more);
    ml_result_bool(call->result, "complete", ml_vault_complete(call->session->vault));
    return err;
}
