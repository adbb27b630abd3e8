/* net/node/methods_govern.c -- roles between two dates, checkpoints, and what takes two
 * (docs/governance.md). */
#include <stdio.h>
#include <string.h>

#include "core/base/hlc.h"
#include "net/node/card.h"
#include "net/node/fields.h"
#include "net/node/garant.h"
#include "net/node/govern.h"
#include "net/node/methods.h"
#include "net/node/promote.h"
#include "net/node/rotate.h"
#include "net/node/session.h"
#include "net/node/team.h"

/* ---- roles ---- */

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* A moment; a day alone is its first one, as an end its last. */
static ml_err moment(struct ml_call *call, uint64_t *ms, const char *key, bool is_end)
{
    struct ml_instant at;
    const char *text = ml_call_text_or(call, key, NULL);
    if (text == NULL) {
        return ML_OK;
    }
    ml_err err = ml_call_instant(call, text, &at);
    if (err == ML_OK && (at.precision < ML_PRECISION_DAY || at.utc_ms < 1)) {
        return ml_call_fail(call, ML_E_INVALID, "param.time", "value", text);
    }
    if (err == ML_OK) {
        *ms = (uint64_t)at.utc_ms + (is_end && at.precision == ML_PRECISION_DAY ? DAY_MS : 0);
    }
    return err;
}

static ml_err id_of(struct ml_call *call, struct ml_member_id *out, const char *key)
{
    const bool given = ml_value_get(call->params, key) != NULL;
    ml_err err = given ? ml_call_id(call, out->b, sizeof(out->b), key) : ML_OK;
    if (err == ML_OK && given && ml_gov_member(ml_log_gov(call->org->log), out) == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "member.unknown", NULL, NULL);
    }
    return err;
}

static ml_err whose(struct ml_call *call, struct ml_role_grant *grant)
{
    const int64_t role = ml_value_int(ml_value_get(call->params, "role"), 0);
    ml_err err = ml_call_id(call, grant->member.b, sizeof(grant->member.b), "member");
    err = err == ML_OK ? id_of(call, &grant->member, "member") : err;
    err = err == ML_OK ? id_of(call, &grant->replaces, "replaces") : err;
    err = err == ML_OK ? id_of(call, &grant->supervisor, "supervisor") : err;
    if (err != ML_OK) {
        return err;
    }
    const bool replaces = !ml_is_zero(grant->replaces.b, sizeof(grant->replaces.b));
    if (role < 0 || role > 999 || replaces == (role != 0)) {
        return ml_call_fail(call, ML_E_INVALID, "role.which", NULL, NULL);
    }
    grant->role = (uint16_t)role;
    return ML_OK;
}

/* Governance rules alike (authority_rule.c). NULL: he may. */
static const char *why_not_grant(const struct ml_org *org, const struct ml_role_grant *grant)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *actor = ml_gov_member(gov, &org->session->member);
    const struct ml_fact *subject = ml_gov_member(gov, &grant->member);
    if (actor == NULL || actor->rank > ML_RANK_REFERENT) {
        return ml_rank_wanted(actor);
    }
    if (subject != NULL && subject->rank == ML_RANK_GARANT) {
        return "role.garant";
    }
    return subject != NULL && actor->rank < subject->rank ? NULL : "role.two";
}

static ml_err role_say(struct ml_call *call, struct ml_govop *op)
{
    const bool propose = ml_call_proposes(call);
    const char *why = why_not_grant(call->org, &op->u.role_grant);
    bool counts = true;
    if (why != NULL && !(propose && strcmp(why, "role.two") == 0)) {
        return ml_call_fail(call, ML_E_DENIED, why, NULL, NULL);
    }
    ml_err err = ml_govern_say(call->org, op, propose, &counts);
    if (err == ML_E_INVALID) {
        return ml_call_fail(call, err, "role.dates", NULL, NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_result_member(call->org, call->result, "of", &op->u.role_grant.member);
    ml_result_int(call->result, "until_ms", (int64_t)op->u.role_grant.until_ms);
    ml_result_bool(call->result, "counts", counts);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

static ml_err role_grant(struct ml_call *call)
{
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT, .must_understand = true};
    struct ml_role_grant *grant = &op.u.role_grant;
    struct ml_team_id teams[ML_ROLE_TEAMS_MAX];
    size_t count = 0;
    ml_err err = whose(call, grant);
    err = err == ML_OK ? ml_call_teams(call, teams, &count) : err;
    grant->teams = (struct ml_list){.items = count > 0 ? teams : NULL, .count = (uint32_t)count};
    err = err == ML_OK ? moment(call, &grant->from_ms, "from", false) : err;
    err = err == ML_OK ? moment(call, &grant->until_ms, "until", true) : err;
    return err == ML_OK ? role_say(call, &op) : err;
}

/* Who signs beside what was written until now. */
static void supervisor_keep(const struct ml_org *org, struct ml_role_grant *grant)
{
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(ml_log_gov(org->log), ML_FACT_ROLE, f)) != NULL) {
        if (memcmp(&f->member, &grant->member, sizeof(f->member)) == 0 && f->role == grant->role &&
            memcmp(&f->replaces, &grant->replaces, sizeof(f->replaces)) == 0) {
            grant->supervisor = f->supervisor;
        }
    }
}

/* The same grant anew, over as it is said. */
static ml_err role_end(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT, .must_understand = true};
    ml_err err = whose(call, &op.u.role_grant);
    op.u.role_grant.until_ms = env->wall_ms(env->ctx);
    supervisor_keep(call->org, &op.u.role_grant);
    return err == ML_OK ? role_say(call, &op) : err;
}

/* ---- checkpoints ---- */

static ml_err checkpoint(struct ml_call *call)
{
    struct ml_org *org = call->org;
    const struct ml_fact *actor = ml_gov_member(ml_log_gov(org->log), &org->session->member);
    uint32_t chains = 0;
    if (actor == NULL || actor->rank > ML_RANK_REFERENT) {
        return ml_call_fail(call, ML_E_DENIED, ml_rank_wanted(actor), NULL, NULL);
    }
    ml_err err = ml_govern_checkpoint(org, &chains);
    if (err != ML_OK) {
        return err;
    }
    ml_result_int(call->result, "chains", chains);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

/* ---- what takes two ---- */

static const struct ml_member_id *subject_of(const struct ml_govop *op)
{
    switch (op->type) {
    case ML_GOVOP_MEMBER_ADD:
        return &op->u.member_add.member;
    case ML_GOVOP_NODE_ENROL:
        return &op->u.node_enrol.member;
    case ML_GOVOP_DENY:
        return &op->u.deny.member;
    case ML_GOVOP_ROLE_GRANT:
        return &op->u.role_grant.member;
    default:
        return NULL;
    }
}

static void hands_put(struct ml_org *org, struct ml_args *out, const struct ml_proposal *p)
{
    ml_args_key(out, "hands");
    ml_args_list(out);
    for (uint32_t i = 0; i < p->hand_count; i++) {
        const struct ml_fact *open = ml_gov_opening(ml_log_gov(org->log), &p->hands[i]);
        if (open != NULL) {
            struct ml_card_place of = {.kind = ML_CARD_MEMBER};
            memcpy(of.id, open->member.b, sizeof(of.id));
            ml_args_map(out);
            ml_result_hex(out, "member", open->member.b, sizeof(open->member.b));
            ml_card_describe(org, out, &of);
            ml_args_end(out);
        }
    }
    ml_args_end(out);
}

static ml_err proposal_put(struct ml_org *org, struct ml_args *out, const struct ml_proposal *p)
{
    char text[ML_CALL_TEXT_MAX];
    struct ml_log_entry entry;
    struct ml_govop op;
    ml_err err = ml_govern_op_of(org, p->n, &op, &entry);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_member_id *subject = subject_of(&op);
    const uint64_t ms = ml_hlc_ms(entry.header.hlc);
    snprintf(text, sizeof(text), ml_promotes(&op) ? "proposal.coordinator" : "proposal.%u",
             op.type);
    ml_args_map(out);
    ml_result_hex(out, "proposal", p->bundle.b, sizeof(p->bundle.b));
    ml_result_text(out, "text", text);
    ml_result_int(out, "recorded_ms", (int64_t)ms);
    hands_put(org, out, p);
    if (subject != NULL) {
        ml_result_member(org, out, "of", subject);
    }
    ml_promote_put(org, out, &(struct ml_promotion){&op, p, NULL});
    ml_args_end(out);
    return ML_OK;
}

static ml_err proposals(struct ml_call *call)
{
    struct ml_proposals all;
    ml_err err = ml_govern_proposals(call->org, &all);
    ml_args_key(call->result, "proposals");
    ml_args_list(call->result);
    for (unsigned i = 0; i < all.count && err == ML_OK; i++) {
        err = proposal_put(call->org, call->result, &all.at[i]);
    }
    ml_args_end(call->result);
    return err;
}

/* What it lacks once it is signed, told before: who signs has the log read anew. */
static ml_err lacking_put(struct ml_org *org, struct ml_args *out, const struct ml_proposal *p)
{
    struct ml_log_entry entry;
    struct ml_govop op;
    const ml_err err = ml_govern_op_of(org, p->n, &op, &entry);
    if (err == ML_OK) {
        ml_promote_put(org, out, &(struct ml_promotion){&op, p, &org->session->member});
    }
    return err;
}

static bool is_replaced(const struct ml_org *org, const struct ml_sign_pk *root)
{
    return memcmp(&ml_gov_root(ml_log_gov(org->log))->sign_pk, root, sizeof(*root)) != 0;
}

static ml_err cosign(struct ml_call *call)
{
    struct ml_org *org = call->org;
    const struct ml_fact *actor = ml_gov_member(ml_log_gov(org->log), &org->session->member);
    struct ml_proposals all;
    struct ml_hash bundle;
    bool counts = false;
    unsigned i = 0;
    ml_err err = ml_call_id(call, bundle.b, sizeof(bundle.b), "proposal");
    err = err == ML_OK ? ml_govern_proposals(org, &all) : err;
    if (err != ML_OK) {
        return err;
    }
    if (actor == NULL || ml_fact_standing(actor) > ML_RANK_REFERENT) {
        return ml_call_fail(call, ML_E_DENIED, "rank.referent", NULL, NULL);
    }
    while (i < all.count && memcmp(&all.at[i].bundle, &bundle, sizeof(bundle)) != 0) {
        i++;
    }
    if (i == all.count) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "proposal.none", NULL, NULL);
    }
    const struct ml_sign_pk root = ml_gov_root(ml_log_gov(org->log))->sign_pk;
    err = lacking_put(org, call->result, &all.at[i]);
    err = err == ML_OK ? ml_govern_cosign(org, &all.at[i], &counts) : err;
    if (err == ML_OK && counts && is_replaced(org, &root)) {
        err = ml_rotate_reseal(org);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_result_bool(call->result, "counts", counts);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

const struct ml_method ml_methods_govern[] = {
    {"role.grant", ML_NEEDS_SESSION, role_grant},
    {"role.end", ML_NEEDS_SESSION, role_end},
    {"governance.checkpoint", ML_NEEDS_SESSION, checkpoint},
    {"governance.proposals", ML_NEEDS_SESSION, proposals},
    {"governance.cosign", ML_NEEDS_SESSION, cosign},
    {NULL, 0, NULL},
};
