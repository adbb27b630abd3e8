/* net/node/promote.c -- see promote.h.
 *
 * Happy path: somebody of rank 2 or better proposes -> others of them sign, until whoever signs
 * last has more than half with him, and is heard. Nothing here decides: authority_rule.c counts the
 * hands. Here is said beforehand who could be among them, so that nobody waits for what can't come.
 */
#include "net/node/promote.h"

#include <stdio.h>
#include <string.h>

#include "net/node/card.h"
#include "net/node/garant.h"
#include "net/node/govern.h"
#include "net/node/methods.h"
#include "net/node/session.h"

static bool is_same(const struct ml_member_id *a, const struct ml_member_id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool ml_promotes(const struct ml_govop *op)
{
    return op->type == ML_GOVOP_MEMBER_ADD && op->u.member_add.rank == ML_RANK_COORDINATOR;
}

bool ml_takes_majority(const struct ml_govop *op)
{
    return ml_promotes(op) || op->type == ML_GOVOP_ROOT_ROTATE;
}

uint16_t ml_promoted_role(const struct ml_fact *member)
{
    return member->role != 0 ? member->role : ML_ROLE_ADMIN;
}

static unsigned leaders(const struct ml_org *org)
{
    return ml_view_leaders(ml_gov_view(ml_log_gov(org->log)));
}

/* More than half, at least two. */
unsigned ml_majority_needed(const struct ml_org *org)
{
    const unsigned half = leaders(org) / 2;
    return half == 0 ? 2 : half + 1;
}

static bool works_anywhere(const struct ml_gov *gov, const struct ml_member_id *member)
{
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL && !is_same(&f->member, member)) {
    }
    return f != NULL;
}

/* The next of those whose hand counts for this subject; each once. */
static const struct ml_fact *next_able(const struct ml_gov *gov, const struct ml_member_id *subject,
                                       const struct ml_fact *after)
{
    const struct ml_fact *f = after;
    while ((f = ml_gov_next(gov, ML_FACT_MEMBER, f)) != NULL) {
        if (ml_fact_standing(f) <= ML_RANK_REFERENT &&
            (subject == NULL || !is_same(&f->member, subject)) &&
            ml_gov_member(gov, &f->member) == f && works_anywhere(gov, &f->member)) {
            return f;
        }
    }
    return NULL;
}

static bool has_signed(const struct ml_gov *gov, const struct ml_promotion *p,
                       const struct ml_member_id *member)
{
    if (p->with != NULL && is_same(p->with, member)) {
        return true;
    }
    for (uint32_t i = 0; p->signed_in != NULL && i < p->signed_in->hand_count; i++) {
        const struct ml_fact *open = ml_gov_opening(gov, &p->signed_in->hands[i]);
        if (open != NULL && is_same(&open->member, member)) {
            return true;
        }
    }
    return false;
}

void ml_promote_put(struct ml_org *org, struct ml_args *out, const struct ml_promotion *p)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = NULL;
    const struct ml_member_id *subject = ml_promotes(p->op) ? &p->op->u.member_add.member : NULL;
    unsigned given = 0;
    if (!ml_takes_majority(p->op)) {
        return;
    }
    ml_args_key(out, "awaited");
    ml_args_list(out);
    while ((f = next_able(gov, subject, f)) != NULL) {
        if (has_signed(gov, p, &f->member)) {
            given++;
            continue;
        }
        struct ml_card_place of = {.kind = ML_CARD_MEMBER};
        memcpy(of.id, f->member.b, sizeof(of.id));
        ml_args_map(out);
        ml_result_hex(out, "member", f->member.b, sizeof(f->member.b));
        ml_card_describe(org, out, &of);
        ml_args_end(out);
    }
    ml_args_end(out);
    ml_result_int(out, "whole", leaders(org));
    const unsigned needed = ml_majority_needed(org);
    ml_result_int(out, "missing", given < needed ? needed - given : 0);
}

/* ---- proposing it ---- */

static void number_detail(struct ml_call *call, const char *key, unsigned number)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", number);
    ml_call_detail(call, key, text);
}

/* An op takes so many hands beside its author's. */
unsigned ml_majority_able(const struct ml_org *org, const struct ml_member_id *subject)
{
    const struct ml_fact *f = NULL;
    unsigned count = 0;
    while ((f = next_able(ml_log_gov(org->log), subject, f)) != NULL) {
        count++;
    }
    return count > 1 + ML_HANDS_MAX ? 1 + ML_HANDS_MAX : count;
}

void ml_majority_detail(struct ml_call *call, const struct ml_member_id *subject)
{
    number_detail(call, "needed", ml_majority_needed(call->org));
    number_detail(call, "whole", leaders(call->org));
    number_detail(call, "able", ml_majority_able(call->org, subject));
}

/* Why not, said before anything is written: governance rules alike (B16). */
static ml_err refuse(struct ml_call *call, const struct ml_fact *subject)
{
    struct ml_org *org = call->org;
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *actor = ml_gov_member(gov, &org->session->member);
    const struct ml_fact *now = ml_gov_member(gov, &subject->member);
    if (actor == NULL || actor->rank > ML_RANK_REFERENT) {
        return ml_call_fail(call, ML_E_DENIED, ml_rank_wanted(actor), NULL, NULL);
    }
    ml_err err = ml_call_detail_member(call, "name", &subject->member);
    if (err != ML_OK) {
        return err;
    }
    if (now != NULL && now->rank == ML_RANK_COORDINATOR) {
        return ml_call_fail(call, ML_E_EXISTS, "promote.already", NULL, NULL);
    }
    if (is_same(&subject->member, &org->session->member)) {
        return ml_call_fail(call, ML_E_DENIED, "promote.self", NULL, NULL);
    }
    if (ml_majority_able(org, &subject->member) < ml_majority_needed(org)) {
        ml_majority_detail(call, &subject->member);
        return ml_call_fail(call, ML_E_DENIED, "promote.few", NULL, NULL);
    }
    return ML_OK;
}

/* Who left or is suspended is brought back by it, as by Root. */
ml_err ml_method_member_promote(struct ml_call *call)
{
    struct ml_org *org = call->org;
    const struct ml_gov *gov = ml_log_gov(org->log);
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    struct ml_member_id *member = &op.u.member_add.member;
    bool counts = false;
    ml_err err = ml_call_id(call, member->b, sizeof(member->b), "member");
    if (err != ML_OK) {
        return err;
    }
    const struct ml_fact *now = ml_gov_member(gov, member);
    const struct ml_fact *subject = now != NULL ? now : ml_gov_ever_member(gov, member);
    if (subject == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "member.unknown", NULL, NULL);
    }
    err = refuse(call, subject);
    if (err != ML_OK) {
        return err;
    }
    op.u.member_add.rank = ML_RANK_COORDINATOR;
    op.u.member_add.role = ml_promoted_role(subject);
    ml_promote_put(org, call->result,
                   &(struct ml_promotion){.op = &op, .with = &org->session->member});
    err = ml_govern_say(org, &op, true, &counts);
    if (err != ML_OK) {
        return err;
    }
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, member->b, sizeof(of.id));
    ml_result_hex(call->result, "member", member->b, sizeof(member->b));
    ml_card_describe(org, call->result, &of);
    ml_result_bool(call->result, "counts", counts);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

/* ---- ranks 2 and 3 ---- */

/* Why not, said before anything is written: governance rules alike, but that a new rank would also
 * bring back who is suspended or left, which nobody would expect of it. */
static ml_err rank_refuse(struct ml_call *call, const struct ml_member_id *member, int64_t rank)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *now = ml_gov_member(gov, member);
    if (now == NULL && ml_gov_ever_member(gov, member) == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "member.unknown", NULL, NULL);
    }
    ml_err err = ml_call_detail_member(call, "name", member);
    if (err != ML_OK) {
        return err;
    }
    if (now == NULL) {
        return ml_call_fail(call, ML_E_INVALID, "member.rank_gone", NULL, NULL);
    }
    if (is_same(member, &call->org->session->member)) {
        return ml_call_fail(call, ML_E_DENIED, "member.rank_self", NULL, NULL);
    }
    if (now->rank == ML_RANK_COORDINATOR) {
        return ml_call_fail(call, ML_E_DENIED, "member.rank_equal", NULL, NULL);
    }
    return now->rank == rank ? ml_call_fail(call, ML_E_EXISTS, "member.rank_already", NULL, NULL)
                             : ML_OK;
}

/* The same op as takes somebody in: the later one that had seen the earlier replaces it. His role
 * stays, and with it what he reads. */
ml_err ml_method_member_rank(struct ml_call *call)
{
    struct ml_org *org = call->org;
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    struct ml_member_id *member = &op.u.member_add.member;
    const int64_t rank = ml_value_int(ml_value_get(call->params, "rank"), 0);
    bool counts = false;
    ml_err err = ml_call_id(call, member->b, sizeof(member->b), "member");
    if (err != ML_OK) {
        return err;
    }
    if (rank != ML_RANK_REFERENT && rank != ML_RANK_LAST) {
        return ml_call_fail(call, ML_E_INVALID, "member.rank", NULL, NULL);
    }
    err = rank_refuse(call, member, rank);
    if (err != ML_OK) {
        return err;
    }
    op.u.member_add.rank = (uint8_t)rank;
    op.u.member_add.role = ml_gov_member(ml_log_gov(org->log), member)->role;
    err = ml_govern_say(org, &op, false, &counts);
    if (err != ML_OK) {
        return err;
    }
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, member->b, sizeof(of.id));
    ml_result_hex(call->result, "member", member->b, sizeof(member->b));
    ml_result_int(call->result, "rank", rank);
    ml_card_describe(org, call->result, &of);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}
