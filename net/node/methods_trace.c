/* net/node/methods_trace.c -- reading traces (SEC.5): search, verify, and who may read all of them.
 *
 * Who was handed the audit key, and whose role reads traces, sees everybody's; anybody else his
 * own, as far as this node sealed them to him. Reading is an entry itself, written first. There is
 * no method that takes an entry away. What a trace says of care beyond who, whom and when is shown
 * to those alone whose role may see the class of data: an administrator gets none of it.
 */
#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/model/keyring_pair.h"
#include "core/record/schema.h"
#include "core/record/vault.h"
#include "net/node/card.h"
#include "net/node/fields.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/recover.h"
#include "net/node/right.h"
#include "net/node/session.h"
#include "net/node/trace.h"
#include "net/node/trace_proof.h"
#include "net/node/trace_read.h"

enum { ITEMS_DEFAULT = 50, ITEMS_MAX = 500, BUNDLES_A_CALL = 4096 };

/* ---- what is asked ---- */

struct search {
    struct ml_call *call;
    bool all;  /* everybody's, not only his own */
    bool care; /* may see what was read, and why in people's words */
    bool of_patient;
    bool of_member;
    struct ml_object_id patient;
    struct ml_member_id member;
    uint64_t from_ms;
    uint64_t to_ms;
    uint8_t action; /* 0: any */
    uint8_t result; /* 0: any */
    uint32_t limit;
    uint32_t count;
};

static ml_err words_of(struct search *s)
{
    static const char *const results[] = {"done", "refused", "failed"};
    const char *action = ml_call_text_or(s->call, "action", "");
    const char *result = ml_call_text_or(s->call, "result", "");
    s->action = ml_trace_action_named(action);
    if (action[0] != '\0' && s->action == 0) {
        return ml_call_fail(s->call, ML_E_INVALID, "trace.action", "action", action);
    }
    for (uint8_t i = 0; i < 3; i++) {
        s->result = strcmp(results[i], result) == 0 ? (uint8_t)(i + 1) : s->result;
    }
    return result[0] != '\0' && s->result == 0
               ? ml_call_fail(s->call, ML_E_INVALID, "trace.result", NULL, NULL)
               : ML_OK;
}

static ml_err search_params(struct search *s)
{
    struct ml_call *call = s->call;
    const int64_t limit = ml_value_int(ml_value_get(call->params, "limit"), ITEMS_DEFAULT);
    s->limit = limit < 1 || limit > ITEMS_MAX ? ITEMS_MAX : (uint32_t)limit;
    s->to_ms = UINT64_MAX;
    s->of_patient = ml_value_get(call->params, "patient") != NULL;
    s->of_member = ml_value_get(call->params, "member") != NULL;
    ml_err err = s->of_patient ? ml_call_patient(call, &s->patient) : ML_OK;
    if (err == ML_OK && s->of_member) {
        err = ml_call_id(call, s->member.b, sizeof(s->member.b), "member");
    }
    if (err == ML_OK) {
        err = ml_call_time(call, "from", &s->from_ms);
    }
    if (err == ML_OK) {
        err = ml_call_time(call, "to", &s->to_ms);
    }
    return err == ML_OK ? words_of(s) : err;
}

static bool is_own(const struct search *s, const struct ml_member_id *member)
{
    return memcmp(member->b, s->call->session->member.b, sizeof(member->b)) == 0;
}

/* Of others only for who may read all: an attempt is traced as any other refusal. */
static ml_err search_may(struct search *s)
{
    s->all = ml_trace_audit_key(s->call->org) != NULL &&
             ml_right_now(s->call->org, ML_CLASS_TRACES, ML_RIGHT_READ) == ML_SCOPE_ALL;
    s->care = ml_right_now(s->call->org, ML_CLASS_BREAK_GLASS, ML_RIGHT_SEE) != ML_SCOPE_NONE;
    if (s->of_member && !s->all && !is_own(s, &s->member)) {
        return ml_call_fail(s->call, ML_E_DENIED, "trace.not_yours", NULL, NULL);
    }
    return ML_OK;
}

/* ---- what is answered ---- */

static void member_put(const struct search *s, const struct ml_member_id *member)
{
    struct ml_args *out = s->call->result;
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    if (ml_is_zero(member->b, sizeof(member->b))) {
        return; /* the node itself */
    }
    memcpy(of.id, member->b, sizeof(of.id));
    ml_args_key(out, "actor");
    ml_args_map(out);
    ml_result_hex(out, "member", member->b, sizeof(member->b));
    ml_card_describe(s->call->org, out, &of);
    ml_args_end(out);
}

static void text_put(struct ml_args *out, const char *key, struct ml_slice text)
{
    if (text.len > 0) {
        ml_args_key(out, key);
        ml_args_text_len(out, (const char *)text.data, text.len);
    }
}

/* What was read, and why: to those who may see such data. */
static void care_put(const struct search *s, const struct ml_trace_entry *e)
{
    struct ml_args *out = s->call->result;
    const struct ml_entity *entity = ml_schema_entity(s->call->node->schema, e->entity);
    if (!s->care && !is_own(s, &e->actor)) {
        return;
    }
    if (!ml_is_zero(e->object.b, sizeof(e->object.b))) {
        ml_result_hex(out, "object", e->object.b, sizeof(e->object.b));
    }
    if (entity != NULL) {
        ml_result_text(out, "entity", entity->name);
    }
    text_put(out, "purpose", e->purpose);
}

static void place_put(struct ml_args *out, const struct ml_log_entry *bundle, uint32_t index)
{
    ml_result_hex(out, "bundle", bundle->hash.b, sizeof(bundle->hash.b));
    ml_result_int(out, "index", index);
}

static void patient_put(struct ml_args *out, const struct ml_object_id *patient)
{
    if (!ml_is_zero(patient->b, sizeof(patient->b))) {
        ml_result_hex(out, "patient", patient->b, sizeof(patient->b));
    }
}

static bool matches(const struct search *s, const struct ml_trace_entry *e)
{
    return (s->all || is_own(s, &e->actor)) &&
           (!s->of_member || memcmp(e->actor.b, s->member.b, sizeof(e->actor.b)) == 0) &&
           (!s->of_patient || ml_object_id_equal(&e->patient, &s->patient)) &&
           e->wall_ms >= s->from_ms && e->wall_ms < s->to_ms &&
           (s->action == 0 || e->action == s->action) && (s->result == 0 || e->result == s->result);
}

static ml_err entry_take(void *user, const struct ml_trace_found *found)
{
    static const char *const results[] = {"?", "done", "refused", "failed"};
    struct search *s = user;
    struct ml_args *out = s->call->result;
    const struct ml_trace_entry *e = &found->entry;
    if (!matches(s, e)) {
        return ML_OK;
    }
    s->count++;
    ml_args_map(out);
    ml_result_int(out, "wall_ms", (int64_t)e->wall_ms);
    ml_result_int(out, "clock", e->clock);
    ml_result_text(out, "action", ml_trace_action_name(e->action));
    ml_result_text(out, "result", results[e->result <= 3 ? e->result : 0]);
    member_put(s, &e->actor);
    patient_put(out, &e->patient);
    care_put(s, e);
    text_put(out, "context", e->context);
    text_put(out, "device", e->device);
    ml_result_hex(out, "node", e->node.b, sizeof(e->node.b));
    ml_result_int(out, "count", e->count == 0 ? 1 : e->count);
    ml_result_int(out, "seq", (int64_t)e->seq);
    ml_result_bool(out, "doubtful", found->doubtful);
    place_put(out, found->bundle, found->index);
    ml_args_end(out);
    return ML_OK;
}

/* A record op is its own trace (rules B23): what its clear header says, and whose it is where the
 * patient is known here. */
static ml_err write_put(struct search *s, const struct ml_log_entry *bundle,
                        const struct ml_trace_entry *e, const struct ml_dict_entry *dict)
{
    static const char *const acts[] = {"?", "create", "amend", "deposit"};
    struct ml_args *out = s->call->result;
    s->count++;
    ml_args_map(out);
    ml_result_int(out, "wall_ms", (int64_t)e->wall_ms);
    ml_result_text(out, "action", ml_trace_action_name(e->action));
    ml_result_text(out, "result", "done");
    member_put(s, &e->actor);
    patient_put(out, &e->patient);
    ml_result_int(out, "compartment", dict->compartment);
    ml_result_text(out, "act", acts[dict->action <= 3 ? dict->action : 0]);
    ml_result_hex(out, "node", e->node.b, sizeof(e->node.b));
    ml_result_int(out, "count", bundle->header.n_ops);
    place_put(out, bundle, 0);
    ml_args_end(out);
    return ML_OK;
}

static ml_err writes_take(struct search *s, const struct ml_log_entry *bundle)
{
    struct ml_org *org = s->call->org;
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), &bundle->header.writer);
    struct ml_trace_entry e = {.action = ML_TRACE_WRITE,
                               .result = ML_TRACE_DONE,
                               .wall_ms = ml_hlc_ms(bundle->header.hlc)};
    struct ml_object_id before = {{0}};
    struct ml_list_walk walk;
    struct ml_dict_entry dict;
    ml_err err = ML_OK;
    if (opening == NULL) {
        return ML_OK;
    }
    e.actor = opening->member;
    e.node = opening->node;
    ml_list_walk(&walk, &bundle->header.dictionary);
    while (err == ML_OK && ml_dict_next(&walk, &dict)) {
        struct ml_stream_info info = {.local = 0};
        err = ml_vault_stream(s->call->session->vault, &dict.stream, &info);
        const bool known = err == ML_OK;
        err = err == ML_E_NOT_FOUND ? ML_OK : err;
        e.patient = info.patient;
        if (err == ML_OK && matches(s, &e) &&
            !(known && ml_object_id_equal(&before, &info.patient))) {
            err = write_put(s, bundle, &e, &dict);
        }
        before = info.patient;
    }
    return err;
}

/* From `after` on, until so many are found or so many bundles looked at. */
static ml_err search_walk(struct search *s, struct ml_trace_reading *r, uint64_t *n)
{
    struct ml_log *log = s->call->org->log;
    const bool writes = s->action == 0 || s->action == ML_TRACE_WRITE;
    const unsigned lanes = ML_LOG_LANE(ML_LANE_TRACE) | (writes ? ML_LOG_LANE(ML_LANE_RECORD) : 0u);
    struct ml_log_entry bundle;
    ml_err err = ML_OK;
    for (uint32_t i = 0; err == ML_OK && s->count < s->limit && i < BUNDLES_A_CALL; i++) {
        err = ml_log_after(log, *n, lanes, &bundle);
        if (err != ML_OK) {
            break;
        }
        *n = bundle.n;
        err = bundle.header.lane == ML_LANE_TRACE ? ml_trace_read(r, &bundle)
                                                  : writes_take(s, &bundle);
    }
    return err;
}

static ml_err trace_search(struct ml_call *call)
{
    struct search s = {.call = call};
    struct ml_args *out = call->result;
    const int64_t after = ml_value_int(ml_value_get(call->params, "after"), 0);
    uint64_t n = after < 0 ? 0 : (uint64_t)after;
    ml_err err = search_params(&s);
    if (err == ML_OK) {
        err = search_may(&s);
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_AUDIT, s.of_patient ? &s.patient : NULL);
    }
    if (err == ML_OK) {
        err = ml_trace_cut(call->org); /* what the journal still has of him */
    }
    if (err != ML_OK) {
        return err;
    }
    struct ml_trace_reading r = {.org = call->org,
                                 .audit = s.all ? ml_trace_audit_key(call->org) : NULL,
                                 .each = entry_take,
                                 .user = &s};
    ml_args_key(out, "items");
    ml_args_list(out);
    err = search_walk(&s, &r, &n);
    ml_args_end(out);
    ml_result_bool(out, "all", s.all);
    ml_result_bool(out, "more", err == ML_OK);
    ml_result_int(out, "next", (int64_t)n);
    ml_result_int(out, "closed", r.closed);
    ml_result_int(out, "damaged", r.damaged);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

/* ---- the audit key ---- */

/* Every key of a member on a node that has none yet. */
static ml_err boxes_of(struct ml_call *call, const struct ml_member_id *member,
                       const struct ml_box_pk *audit, struct ml_buf *boxes)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_keyring *k = ml_session_keyring(call->org);
    const struct ml_fact *f = ml_gov_next(gov, ML_FACT_MON, NULL);
    for (; f != NULL; f = ml_gov_next(gov, ML_FACT_MON, f)) {
        if (memcmp(f->member.b, member->b, sizeof(member->b)) == 0 &&
            !ml_keyring_pair_has(k, audit, &f->box_pk)) {
            ml_buf_append(boxes, &f->box_pk, sizeof(f->box_pk));
        }
    }
    return boxes->err;
}

/* By its holder, or with the structure's or the auditor's sheets. */
static ml_err grant_append(struct ml_call *call, const struct ml_secret *audit,
                           const struct ml_buf *boxes)
{
    struct ml_keys keys;
    const struct ml_pair_args args = {.kind = ML_PAIR_AUDIT,
                                      .members = (const void *)boxes->data,
                                      .count = boxes->len / sizeof(struct ml_box_pk),
                                      .secret = audit};
    ml_keys_init(&keys, call->node->env);
    ml_err err = ml_keyring_make_pair(ml_session_keyring(call->org), &args, ml_keys_emit, &keys);
    if (err == ML_OK) {
        err = ml_keys_append(call->org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}

static ml_err grant_with(struct ml_call *call, const struct ml_secret *audit,
                         const struct ml_member_id *member)
{
    struct ml_box_pk pk;
    struct ml_buf boxes;
    ml_box_pk_of(&pk, audit);
    ml_buf_init(&boxes, call->node->env, ML_KEYOP_PAIR_MAX * sizeof(struct ml_box_pk));
    ml_err err = boxes_of(call, member, &pk, &boxes);
    if (err == ML_OK && boxes.len == 0) {
        err = ml_call_fail(call, ML_E_EXISTS, "trace.granted", NULL, NULL);
    }
    if (err == ML_OK) {
        err = grant_append(call, audit, &boxes);
    }
    ml_result_int(call->result, "nodes", (int64_t)(boxes.len / sizeof(struct ml_box_pk)));
    ml_buf_free(&boxes);
    return err == ML_OK ? ml_call_note(call, ML_TRACE_GOVERN, NULL) : err;
}

/* Before a matrix is adopted, a coordinator's alone. */
static bool may_audit(const struct ml_org *org, const struct ml_member_id *member)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *fact = ml_gov_member(gov, member);
    return ml_right_of(org, member, ML_CLASS_TRACES, ML_RIGHT_READ) == ML_SCOPE_ALL &&
           (ml_gov_wants_writes(gov, ML_LANE_RECORD) ||
            (fact != NULL && fact->rank == ML_RANK_COORDINATOR));
}

static ml_err trace_grant(struct ml_call *call)
{
    struct ml_member_id member;
    struct ml_secret *joined = NULL;
    const struct ml_secret *audit = ml_trace_audit_key(call->org);
    ml_err err = ml_call_id(call, member.b, sizeof(member.b), "member");
    if (err == ML_OK && !may_audit(call->org, &member)) {
        return ml_call_fail(call, ML_E_DENIED, "trace.no_auditor", NULL, NULL);
    }
    if (err == ML_OK && ml_value_get(call->params, "shares") != NULL) {
        err = ml_recover_auditor(call, &joined);
        audit = joined;
    }
    if (err == ML_OK && audit == NULL) {
        return ml_call_fail(call, ML_E_NO_KEY, "trace.sheets", NULL, NULL);
    }
    if (err == ML_OK) {
        err = grant_with(call, audit, &member);
    }
    ml_secret_free(joined);
    return err;
}

const struct ml_method ml_methods_trace[] = {
    {"trace.search", ML_NEEDS_SESSION, trace_search},
    {"trace.verify", ML_NEEDS_SESSION, ml_trace_verify},
    {"trace.grant", ML_NEEDS_SESSION, trace_grant},
    {NULL, 0, NULL},
};
