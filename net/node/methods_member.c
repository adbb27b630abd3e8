/* net/node/methods_member.c -- members of the structure, their enrolment on nodes, and its end. */
#include <string.h>

#include "net/node/card.h"
#include "net/node/deny.h"
#include "net/node/enrol.h"
#include "net/node/enrol_here.h"
#include "net/node/found.h"
#include "net/node/garant.h"
#include "net/node/govern.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/promote.h"
#include "net/node/session.h"
#include "net/node/team.h"
#include "net/node/trace.h"

static ml_err member_append(struct ml_org *org, struct ml_govop *op, const struct ml_card *card)
{
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    struct ml_author author;
    struct ml_buf name;
    struct ml_buf buf;
    memcpy(of.id, op->u.member_add.member.b, sizeof(of.id));
    ml_session_author(org, &author);
    ml_buf_init(&name, org->node->env, ML_SEALED_BYTES_MAX);
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_card_seal(org, &op->u.member_add.card, &name, &of, card);
    if (err == ML_OK) {
        err = ml_govop_encode(&buf, op);
    }
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&buf);
        err = ml_org_append_plain(org, &author, ML_LANE_GOVERNANCE, &one, 1);
    }
    ml_buf_free(&buf);
    ml_buf_free(&name);
    return err;
}

/* Before he is let in anywhere: else the keys of the other teams are sealed to him first. */
static ml_err teams_give(struct ml_call *call, const struct ml_member_add *to,
                         const struct ml_list *teams)
{
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT, .must_understand = true};
    bool counts = true;
    op.u.role_grant.member = to->member;
    op.u.role_grant.role = to->role;
    op.u.role_grant.teams = *teams;
    return teams->count == 0 ? ML_OK : ml_govern_say(call->org, &op, false, &counts);
}

static ml_err member_add(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    struct ml_card card = {.rpps = ml_call_text_or(call, "rpps", NULL)};
    int64_t rank = ml_value_int(ml_value_get(call->params, "rank"), ML_RANK_LAST);
    int64_t role = ml_value_int(ml_value_get(call->params, "role"), 0);
    struct ml_team_id teams[ML_ROLE_TEAMS_MAX];
    size_t count = 0;
    ml_err err = ml_call_text(call, &card.name, "name");
    err = err == ML_OK ? ml_call_teams(call, teams, &count) : err;
    if (err != ML_OK) {
        return err;
    }
    if (rank < 2 || rank > (int64_t)ML_RANK_LAST || role < 1 || role > 999) {
        return ml_call_fail(call, ML_E_INVALID, "member.role", NULL, NULL);
    }
    env->random(env->ctx, op.u.member_add.member.b, sizeof(op.u.member_add.member.b));
    op.u.member_add.rank = (uint8_t)rank;
    op.u.member_add.role = (uint16_t)role;
    const struct ml_list in = {.items = count > 0 ? teams : NULL, .count = (uint32_t)count};
    err = member_append(call->org, &op, &card);
    err = err == ML_OK ? teams_give(call, &op.u.member_add, &in) : err;
    if (err != ML_OK) {
        return err;
    }
    ml_result_hex(call->result, "member", op.u.member_add.member.b,
                  sizeof(op.u.member_add.member.b));
    ml_result_text(call->result, "name", card.name);
    const struct ml_trace_note note = {.action = ML_TRACE_GOVERN, .result = ML_TRACE_DONE};
    return ml_trace_note(call, &note);
}

static void member_nodes(struct ml_org *org, struct ml_args *out, const struct ml_fact *member)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = NULL;
    ml_args_key(out, "nodes");
    ml_args_list(out);
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (memcmp(&f->member, &member->member, sizeof(f->member)) != 0) {
            continue;
        }
        struct ml_card_place of = {.kind = ML_CARD_NODE};
        memcpy(of.id, f->node.b, sizeof(of.id));
        ml_args_map(out);
        ml_result_hex(out, "node", f->node.b, sizeof(f->node.b));
        ml_card_describe(org, out, &of);
        ml_args_end(out);
    }
    ml_args_end(out);
}

static ml_err member_list(struct ml_call *call)
{
    struct ml_org *org = call->org;
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = NULL;
    ml_args_key(call->result, "members");
    ml_args_list(call->result);
    while ((f = ml_gov_next(gov, ML_FACT_MEMBER, f)) != NULL) {
        struct ml_card_place of = {.kind = ML_CARD_MEMBER};
        memcpy(of.id, f->member.b, sizeof(of.id));
        ml_args_map(call->result);
        ml_result_hex(call->result, "member", f->member.b, sizeof(f->member.b));
        ml_result_int(call->result, "rank", f->rank);
        ml_result_int(call->result, "role", f->role);
        ml_card_describe(org, call->result, &of);
        member_nodes(org, call->result, f);
        ml_args_end(call->result);
    }
    ml_args_end(call->result);
    return ML_OK;
}

/* ---- denials ---- */

enum { HOUR_MS = 3600000, SUSPEND_HOURS_MAX = 72 };

static ml_err deny_append(struct ml_call *call, struct ml_govop *op)
{
    struct ml_org *org = call->org;
    struct ml_deny_cuts cuts = {.list = NULL};
    const uint64_t before = ml_log_judged_again(org->log).judged;
    bool counts = true;
    ml_err err = ml_deny_cut(org, &cuts, &op->u.deny);
    if (err == ML_OK) {
        err = ml_govern_say(org, op, ml_call_proposes(call), &counts);
    }
    ml_deny_cuts_free(org, &cuts);
    ml_result_bool(call->result, "counts", counts);
    ml_result_int(call->result, "judged_again",
                  (int64_t)(ml_log_judged_again(org->log).judged - before));
    return err;
}

static bool works_on(const struct ml_gov *gov, const struct ml_deny *deny)
{
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (memcmp(&f->member, &deny->member, sizeof(f->member)) == 0 &&
            memcmp(&f->node, &deny->node, sizeof(f->node)) == 0) {
            return true;
        }
    }
    return false;
}

/* Why not, said before anything is written: governance rules alike (R7), also of who is suspended
 * or left already. NULL: he may. */
static const char *why_not_deny(const struct ml_org *org, const struct ml_deny *deny)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *actor = ml_gov_member(gov, &org->session->member);
    const struct ml_fact *now = ml_gov_member(gov, &deny->member);
    const struct ml_fact *subject = now != NULL ? now : ml_gov_ever_member(gov, &deny->member);
    const bool everywhere = ml_is_zero(&deny->node, sizeof(deny->node));
    const bool suspends = deny->mode == ML_DENY_SUSPENSION;
    if (subject == NULL) {
        return "member.unknown";
    }
    if (!everywhere && !works_on(gov, deny)) {
        return "member.node";
    }
    if (memcmp(&deny->member, &org->session->member, sizeof(deny->member)) == 0) {
        const bool here = memcmp(&deny->node, &org->secrets.node, sizeof(deny->node)) == 0;
        return everywhere || here ? "member.deny_self" : NULL;
    }
    if (actor == NULL || actor->rank > ML_RANK_REFERENT) {
        return ml_rank_wanted(actor);
    }
    if (ml_fact_standing(subject) < actor->rank) {
        return "member.deny_better";
    }
    return ml_fact_standing(subject) == actor->rank && !suspends ? "member.deny_equal" : NULL;
}

/* At once where this member holds a group's key; what fails here is done before the next seal. */
static void keys_renew(struct ml_org *org)
{
    ml_err err = ml_keys_ready(org, ML_KEYS_ALL);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_WARN, "member", "keys are renewed later: %s",
                ml_err_name(err));
    }
}

/* What two may, one may propose. */
static bool is_for_two(const char *why)
{
    return strcmp(why, "member.deny_equal") == 0 || strcmp(why, "member.deny_better") == 0;
}

static ml_err member_deny(struct ml_call *call, struct ml_govop *op)
{
    struct ml_org *org = call->org;
    struct ml_deny *deny = &op->u.deny;
    ml_err err = ml_call_id(call, deny->member.b, sizeof(deny->member.b), "member");
    if (err == ML_OK && ml_value_get(call->params, "node") != NULL) {
        err = ml_call_id(call, deny->node.b, sizeof(deny->node.b), "node");
    }
    if (err != ML_OK) {
        return err;
    }
    const char *why = why_not_deny(org, deny);
    if (why != NULL && !(ml_call_proposes(call) && is_for_two(why))) {
        return ml_call_fail(call, ML_E_DENIED, why, NULL, NULL);
    }
    err = deny_append(call, op);
    if (err != ML_OK) {
        return err;
    }
    keys_renew(org);
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, deny->member.b, sizeof(of.id));
    ml_result_hex(call->result, "member", deny->member.b, sizeof(deny->member.b));
    ml_result_int(call->result, "until_ms", (int64_t)deny->until_ms);
    ml_card_describe(org, call->result, &of);
    const struct ml_trace_note note = {.action = ML_TRACE_GOVERN, .result = ML_TRACE_DONE};
    return ml_trace_note(call, &note);
}

static ml_err member_revoke(struct ml_call *call)
{
    struct ml_govop op = {.type = ML_GOVOP_DENY, .must_understand = true};
    const char *mode = ml_call_text_or(call, "mode", "departure");
    op.u.deny.mode = strcmp(mode, "compromise") == 0 ? ML_DENY_COMPROMISE : ML_DENY_DEPARTURE;
    if (op.u.deny.mode == ML_DENY_DEPARTURE && strcmp(mode, "departure") != 0) {
        return ml_call_fail(call, ML_E_INVALID, "member.mode", NULL, NULL);
    }
    return member_deny(call, &op);
}

static ml_err member_suspend(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    struct ml_govop op = {.type = ML_GOVOP_DENY, .must_understand = true};
    const int64_t hours = ml_value_int(ml_value_get(call->params, "hours"), SUSPEND_HOURS_MAX);
    if (hours < 1 || hours > SUSPEND_HOURS_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "member.hours", NULL, NULL);
    }
    op.u.deny.mode = ML_DENY_SUSPENSION;
    op.u.deny.until_ms = env->wall_ms(env->ctx) + (uint64_t)hours * HOUR_MS;
    return member_deny(call, &op);
}

const struct ml_method ml_methods_member[] = {
    {"member.add", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, member_add},
    {"member.list", ML_NEEDS_SESSION, member_list},
    {"member.revoke", ML_NEEDS_SESSION, member_revoke},
    {"member.suspend", ML_NEEDS_SESSION, member_suspend},
    {"member.promote", ML_NEEDS_SESSION, ml_method_member_promote},
    {"member.rank", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, ml_method_member_rank},
    {"member.history", ML_NEEDS_SESSION, ml_method_member_history},
    {"enrol.code", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, ml_method_enrol_code},
    {"enrol.join", 0, ml_method_enrol_join},
    {"enrol.here", ML_NEEDS_ORG, ml_method_enrol_here},
    {"enrol.last", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, ml_method_enrol_last},
    {NULL, 0, NULL},
};
