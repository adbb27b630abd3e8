/* net/node/root_act.c -- see root_act.h.
 *
 * Root has no writer: whoever is unlocked here carries its word in a bundle of his own. The header
 * is known before the ops are signed, for Root signs the place too.
 */
#include "net/node/root_act.h"

#include <string.h>

#include "core/crypto/sign.h"
#include "net/node/card.h"
#include "net/node/deny.h"
#include "net/node/promote.h"
#include "net/node/root.h"
#include "net/node/session.h"

enum { OPS_MAX = 2 };

struct act {
    struct ml_org *org;
    const struct ml_secret *sign;
    struct ml_author author;
    struct ml_header header;
    struct ml_buf ops[OPS_MAX];
    size_t count;
};

bool ml_root_act_wanted(const struct ml_call *call)
{
    return ml_value_bool(ml_value_get(call->params, "promote"), false);
}

static struct ml_hands *hands_of(struct ml_govop *op)
{
    return op->type == ML_GOVOP_DENY ? &op->u.deny.hands : &op->u.member_add.hands;
}

/* One more op, with Root's signature. */
static ml_err act_add(struct act *act, struct ml_govop *op)
{
    struct ml_buf *out = &act->ops[act->count++];
    struct ml_hash hash;
    op->must_understand = true;
    ml_err err = ml_govop_encode(out, op);
    if (err == ML_OK) {
        err = ml_govop_root_hash(&hash, ml_buf_slice(out), &act->org->id, &act->header);
    }
    if (err == ML_OK) {
        ml_sign(hands_of(op)->root.b, ml_slice(hash.b, sizeof(hash.b)), act->sign);
        out->len = 0;
        err = ml_govop_encode(out, op);
    }
    return err;
}

static ml_err act_promote(struct act *act, const struct ml_fact *member)
{
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add.member = member->member;
    op.u.member_add.rank = ML_RANK_COORDINATOR;
    op.u.member_add.role = ml_promoted_role(member);
    return act_add(act, &op);
}

static ml_err act_deny(struct act *act, const struct ml_member_id *member, ml_deny_mode mode)
{
    struct ml_govop op = {.type = ML_GOVOP_DENY};
    struct ml_deny_cuts cuts = {.list = NULL};
    op.u.deny.member = *member;
    op.u.deny.mode = (uint8_t)mode;
    ml_err err = ml_deny_cut(act->org, &cuts, &op.u.deny);
    if (err == ML_OK) {
        err = act_add(act, &op);
    }
    ml_deny_cuts_free(act->org, &cuts);
    return err;
}

/* What is asked, by ids. */
struct wish {
    const struct ml_fact *member; /* who is to be a coordinator */
    struct ml_member_id gone;     /* zero: nobody is denied */
    ml_deny_mode mode;
};

static ml_err wish_gone(struct ml_call *call, struct wish *wish)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const char *mode = ml_call_text_or(call, "mode", "departure");
    if (ml_value_get(call->params, "gone") == NULL) {
        return ML_OK;
    }
    ml_err err = ml_call_id(call, wish->gone.b, sizeof(wish->gone.b), "gone");
    if (err != ML_OK) {
        return err;
    }
    wish->mode = strcmp(mode, "compromise") == 0 ? ML_DENY_COMPROMISE : ML_DENY_DEPARTURE;
    if (wish->mode == ML_DENY_DEPARTURE && strcmp(mode, "departure") != 0) {
        return ml_call_fail(call, ML_E_INVALID, "member.mode", NULL, NULL);
    }
    if (memcmp(&wish->gone, &wish->member->member, sizeof(wish->gone)) == 0) {
        return ml_call_fail(call, ML_E_INVALID, "recover.same", NULL, NULL);
    }
    return ml_gov_ever_member(gov, &wish->gone) != NULL
               ? ML_OK
               : ml_call_fail(call, ML_E_NOT_FOUND, "member.unknown", NULL, NULL);
}

static ml_err wish_read(struct ml_call *call, struct wish *wish)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    struct ml_member_id member = call->session->member;
    ml_err err = ML_OK;
    if (ml_value_get(call->params, "member") != NULL) {
        err = ml_call_id(call, member.b, sizeof(member.b), "member");
    }
    if (err != ML_OK) {
        return err;
    }
    const struct ml_fact *now = ml_gov_member(gov, &member);
    wish->member = now != NULL ? now : ml_gov_ever_member(gov, &member); /* Root brings back too */
    if (wish->member == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "member.unknown", NULL, NULL);
    }
    err = wish_gone(call, wish);
    if (err == ML_OK && now != NULL && now->rank == ML_RANK_COORDINATOR &&
        ml_is_zero(wish->gone.b, sizeof(wish->gone.b))) {
        return ml_call_fail(call, ML_E_EXISTS, "recover.already", NULL, NULL);
    }
    return err;
}

static ml_err act_write(struct act *act, const struct wish *wish)
{
    struct ml_slice ops[OPS_MAX];
    ml_session_author(act->org, &act->author);
    ml_err err = ml_org_next_header(act->org, &act->header, &act->author, ML_LANE_GOVERNANCE);
    act->header.deps = (struct ml_list){.count = 0}; /* the log's, not read here */
    if (err == ML_OK) {
        err = act_promote(act, wish->member);
    }
    if (err == ML_OK && !ml_is_zero(wish->gone.b, sizeof(wish->gone.b))) {
        err = act_deny(act, &wish->gone, wish->mode);
    }
    for (size_t i = 0; i < act->count; i++) {
        ops[i] = ml_buf_slice(&act->ops[i]);
    }
    return err == ML_OK
               ? ml_org_append_plain(act->org, &act->author, ML_LANE_GOVERNANCE, ops, act->count)
               : err;
}

ml_err ml_root_act(struct ml_call *call, const struct ml_secret *structure)
{
    struct wish wish = {.member = NULL};
    struct ml_root_keys keys;
    struct act act = {.org = call->org};
    ml_err err = wish_read(call, &wish);
    if (err != ML_OK || wish.member == NULL) {
        return err;
    }
    for (size_t i = 0; i < OPS_MAX; i++) {
        ml_buf_init(&act.ops[i], call->node->env, ML_GOVOP_BYTES_MAX);
    }
    err = ml_root_open(&keys, structure);
    if (err == ML_OK) {
        act.sign = keys.sign;
        err = act_write(&act, &wish);
    }
    ml_root_close(&keys);
    for (size_t i = 0; i < OPS_MAX; i++) {
        ml_buf_free(&act.ops[i]);
    }
    if (err == ML_OK) {
        ml_card_put_member(call, "coordinator", &wish.member->member);
    }
    if (err == ML_OK && !ml_is_zero(wish.gone.b, sizeof(wish.gone.b))) {
        ml_card_put_member(call, "gone", &wish.gone);
    }
    return err;
}
