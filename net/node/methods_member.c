/* net/node/methods_member.c -- members of the structure, and their enrolment on nodes. */
#include <string.h>

#include "net/node/card.h"
#include "net/node/enrol.h"
#include "net/node/found.h"
#include "net/node/session.h"
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

static ml_err member_add(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    struct ml_card card = {NULL, ml_call_text_or(call, "rpps", NULL)};
    int64_t rank = ml_value_int(ml_value_get(call->params, "rank"), ML_RANK_LAST);
    int64_t role = ml_value_int(ml_value_get(call->params, "role"), 0);
    ml_err err = ml_call_text(call, &card.name, "name");
    if (err != ML_OK) {
        return err;
    }
    if (rank < 2 || rank > (int64_t)ML_RANK_LAST || role < 1 || role > 999) {
        return ml_call_fail(call, ML_E_INVALID, "member.role", NULL, NULL);
    }
    env->random(env->ctx, op.u.member_add.member.b, sizeof(op.u.member_add.member.b));
    op.u.member_add.rank = (uint8_t)rank;
    op.u.member_add.role = (uint16_t)role;
    err = member_append(call->org, &op, &card);
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

const struct ml_method ml_methods_member[] = {
    {"member.add", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, member_add},
    {"member.list", ML_NEEDS_SESSION, member_list},
    {"enrol.code", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, ml_method_enrol_code},
    {"enrol.join", 0, ml_method_enrol_join},
    {NULL, 0, NULL},
};
