/* net/node/history.c -- member.history: what was written before a member came, by one grant (rules
 * A4).
 *
 * Architecture R8: old keys are given after a checkpoint only, so that whoever gives them has said
 * what he knows of denials, and nobody is given them who was denied where he could have known. The
 * checkpoint is made here, in the same call.
 */
#include <string.h>

#include "net/node/card.h"
#include "net/node/garant.h"
#include "net/node/govern.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/session.h"

/* To each of his computers. *given: to how many; none where nothing is held that is for him. */
static ml_err history_emit(struct ml_org *org, const struct ml_member_id *member,
                           struct ml_keys *keys, int *given)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = NULL;
    ml_err err = ML_OK;
    while (err == ML_OK && (f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (memcmp(&f->member, member, sizeof(*member)) == 0) {
            err = ml_keyring_make_grant(ml_session_keyring(org), &f->box_pk, true, ml_keys_emit,
                                        keys);
            *given += err == ML_OK;
            err = err == ML_E_NO_KEY ? ML_OK : err;
        }
    }
    return err;
}

static ml_err history_give(struct ml_org *org, const struct ml_member_id *member, int *given)
{
    struct ml_keys keys;
    uint32_t chains = 0;
    ml_err err = ml_keys_ready(org, ML_KEYS_ALL);
    ml_keys_init(&keys, org->node->env);
    if (err == ML_OK) {
        err = history_emit(org, member, &keys, given);
    }
    if (err == ML_OK && *given > 0) {
        err = ml_govern_checkpoint(org, &chains);
        err = err == ML_OK ? ml_keys_append(org, &keys) : err;
    }
    ml_keys_free(&keys);
    return err;
}

ml_err ml_method_member_history(struct ml_call *call)
{
    struct ml_org *org = call->org;
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *actor = ml_gov_member(gov, &org->session->member);
    struct ml_member_id member;
    int given = 0;
    ml_err err = ml_call_id(call, member.b, sizeof(member.b), "member");
    if (err != ML_OK) {
        return err;
    }
    if (ml_gov_member(gov, &member) == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "member.unknown", NULL, NULL);
    }
    if (actor == NULL || actor->rank > ML_RANK_REFERENT) {
        return ml_call_fail(call, ML_E_DENIED, ml_rank_wanted(actor), NULL, NULL);
    }
    err = history_give(org, &member, &given);
    if (err == ML_OK && given == 0) {
        return ml_call_fail(call, ML_E_NO_KEY, "member.no_history", NULL, NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, member.b, sizeof(of.id));
    ml_result_hex(call->result, "member", member.b, sizeof(member.b));
    ml_card_describe(org, call->result, &of);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}
