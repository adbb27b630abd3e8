/* net/node/methods_retention.c -- how long records are kept, what holds them, and how they end
 * (domain 4.6, ADR 0024). */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/consents.h"
#include "core/record/retention.h"
#include "net/node/card.h"
#include "net/node/methods.h"
#include "net/node/retention.h"
#include "net/node/right.h"
#include "net/node/session.h"
#include "net/node/shred.h"

/* As of which day: this clock's, or another to look ahead. */
static ml_err question(struct ml_call *call, struct ml_view_retention *what)
{
    const char *until = ml_call_text_or(call, "until", NULL);
    const struct ml_env *env = call->node->env;
    *what = (struct ml_view_retention){.out = call->result};
    ml_err err = ml_card_rule(call->org, &what->rule);
    what->on = ml_date_of_ms((int64_t)env->wall_ms(env->ctx));
    if (err == ML_OK && until != NULL &&
        (!ml_date_parse(ml_slice_str(until), &what->on) || what->on.day == 0)) {
        err = ml_call_fail(call, ML_E_INVALID, "retention.until", "until", until);
    }
    return err;
}

static void day_put(struct ml_call *call, const char *key, const struct ml_date *day)
{
    char text[16];
    snprintf(text, sizeof(text), "%04u-%02u-%02u", day->year, day->month, day->day);
    ml_result_text(call->result, key, text);
}

/* ---- shown ---- */

static ml_err retention_list(struct ml_call *call)
{
    struct ml_view_retention what;
    ml_err err = question(call, &what);
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_LIST, NULL);
    }
    if (err == ML_OK) {
        day_put(call, "on", &what.on);
        ml_card_put_rule(call->result, &what.rule);
        err = ml_view_retention(call->session->vault, &what);
    }
    return err;
}

static ml_err hold_put(void *user, const struct ml_object_id *object, struct ml_slice reason,
                       uint64_t recorded_ms)
{
    struct ml_args *out = user;
    ml_args_map(out);
    ml_result_hex(out, "object", object->b, sizeof(object->b));
    ml_args_key(out, "reason");
    ml_args_text_len(out, reason.len == 0 ? "" : (const char *)reason.data, reason.len);
    ml_result_int(out, "recorded_ms", (int64_t)recorded_ms);
    ml_args_end(out);
    return ML_OK;
}

static void end_put(struct ml_call *call, const struct ml_shred_end *end)
{
    struct ml_args *out = call->result;
    ml_result_int(out, "wraps", end->standing);
    ml_result_int(out, "wraps_unsigned", end->closed);
    ml_result_bool(out, "ended", end->standing == 0);
    ml_args_key(out, "signed");
    ml_args_list(out);
    for (uint32_t i = 0; i < end->signer_count; i++) {
        struct ml_card_place of = {.kind = ML_CARD_MEMBER};
        memcpy(of.id, end->signers[i].b, sizeof(of.id));
        ml_args_map(out);
        ml_result_hex(out, "member", end->signers[i].b, sizeof(of.id));
        ml_card_describe(call->org, out, &of);
        ml_args_end(out);
    }
    ml_args_end(out);
}

static ml_err told(struct ml_call *call, ml_err err)
{
    return err == ML_E_NOT_FOUND ? ml_call_fail(call, err, "patient.unknown", NULL, NULL) : err;
}

static ml_err retention_show(struct ml_call *call)
{
    struct ml_view_retention what;
    struct ml_retention_facts facts;
    struct ml_object_id patient;
    struct ml_shred_end end;
    ml_err err = ml_call_patient(call, &patient);
    if (err == ML_OK) {
        err = question(call, &what);
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_READ, &patient);
    }
    if (err == ML_OK) {
        err = ml_view_retention_of(call->session->vault, &what, &patient, &facts);
    }
    if (err == ML_OK) {
        ml_args_key(call->result, "holds");
        ml_args_list(call->result);
        err = ml_vault_each_hold(call->session->vault, &patient, hold_put, call->result);
        ml_args_end(call->result);
    }
    if (err == ML_OK) {
        err = ml_shred_end_look(call->org, &patient, &end);
    }
    if (err == ML_OK) {
        day_put(call, "on", &what.on);
        end_put(call, &end);
    }
    return told(call, err);
}

/* ---- set ---- */

static ml_err retention_set(struct ml_call *call)
{
    struct ml_retention_rule rule;
    ml_err err = ml_card_rule(call->org, &rule);
    if (err == ML_OK && !ml_card_rule_read(&rule, call->params)) {
        err = ml_call_fail(call, ML_E_INVALID, "retention.rule", NULL, NULL);
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_GOVERN, NULL);
    }
    if (err == ML_OK) {
        err = ml_card_set_rule(call->org, &rule);
    }
    if (err == ML_OK) {
        ml_card_put_rule(call->result, &rule);
    }
    return err;
}

/* ---- ended ---- */

/* Who doesn't see all of a record can't tell when its last contact was. */
static ml_err sees_all(struct ml_call *call, const struct ml_object_id *patient)
{
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    bool hides = false;
    ml_err err = ml_keyring_teams(ml_session_keyring(call->org), patient, teams, &count);
    for (unsigned c = ML_CLASS_ALERTS; c <= ML_CLASS_RCP && err == ML_OK; c++) {
        if (ml_right_here(call->org, c, ML_RIGHT_READ, teams, count) < ML_SCOPE_TEAM) {
            err = ml_call_fail(call, ML_E_DENIED, "retention.unseen", "class", ml_class_name(c));
        }
    }
    if (err == ML_OK) {
        err = ml_vault_hides_any(call->session->vault, patient, &hides);
    }
    if (err == ML_OK && (hides || !ml_vault_complete(call->session->vault))) {
        err = ml_call_fail(call, ML_E_DENIED, hides ? "retention.hidden" : "retention.incomplete",
                           NULL, NULL);
    }
    return err;
}

static ml_err refused(struct ml_call *call, const char *text, const struct ml_date *end,
                      const struct ml_date *on)
{
    char day[2][24];
    const struct ml_date *const dates[2] = {end, on};
    for (size_t i = 0; i < 2; i++) {
        snprintf(day[i], sizeof(day[i]), "%02u/%02u/%04u", dates[i]->day, dates[i]->month,
                 dates[i]->year);
    }
    ml_call_detail(call, "on", day[1]);
    return ml_call_fail(call, ML_E_DENIED, text, "end", day[0]);
}

/* Its time is over, by two members' clocks and this one's, and nothing holds it. */
static ml_err is_over(struct ml_call *call, const struct ml_object_id *patient)
{
    struct ml_view_retention what;
    struct ml_retention_facts facts = {.held = 0};
    uint64_t ms = 0;
    ml_err err = question(call, &what);
    if (err == ML_OK) {
        err = ml_retention_ms(call->org, &ms);
        what.on = ml_date_of_ms((int64_t)ms);
    }
    if (err == ML_OK) {
        err = ml_vault_retention(call->session->vault, patient, INT64_MAX, &facts);
    }
    if (err != ML_OK) {
        return told(call, err);
    }
    const struct ml_retention r = ml_retention_of(&facts, &what.rule);
    if (facts.held > 0) {
        return refused(call, "retention.held", &r.end, &what.on);
    }
    if (facts.doubtful) {
        return refused(call, "retention.doubtful", &r.end, &what.on);
    }
    return ml_retention_state_on(&r, &what.on) == ML_RETENTION_OVER
               ? ML_OK
               : refused(call, "retention.early", &r.end, &what.on);
}

static ml_err retention_end(struct ml_call *call)
{
    struct ml_object_id patient;
    struct ml_shred_end end;
    bool opened = false;
    ml_err err = ml_call_patient(call, &patient);
    if (err == ML_OK && ml_call_text_or(call, "until", NULL) != NULL) { /* of a look ahead alone */
        err = ml_call_fail(call, ML_E_INVALID, "retention.until", "until", "");
    }
    if (err == ML_OK) {
        err = sees_all(call, &patient);
    }
    if (err == ML_OK) {
        err = is_over(call, &patient);
    }
    if (err == ML_OK) {
        err = ml_session_open_writers(call->org, &opened);
    }
    if (err == ML_OK && !opened) {
        err = ml_call_no_writer(call);
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_WRITE, &patient);
    }
    if (err == ML_OK) {
        err = ml_shred_end(call->org, &patient, &end);
    }
    if (err == ML_OK) {
        end_put(call, &end);
    }
    return told(call, err);
}

const struct ml_method ml_methods_retention[] = {
    {"retention.list", ML_NEEDS_ORG | ML_NEEDS_SESSION, retention_list},
    {"retention.show", ML_NEEDS_ORG | ML_NEEDS_SESSION, retention_show},
    {"retention.set", ML_NEEDS_ORG | ML_NEEDS_SESSION | ML_NEEDS_RANK_1, retention_set},
    {"retention.end", ML_NEEDS_ORG | ML_NEEDS_SESSION, retention_end},
    {NULL, 0, NULL},
};
