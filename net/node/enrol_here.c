/* net/node/enrol_here.c -- see enrol_here.h: the coordinator sits at this very computer.
 *
 * His code waits in the structure, so that no link is needed: the slot is saved, then governance
 * says who works here. Cut between the two, the slot opens a session that may not write, and is
 * made again with the next code. A coordinator elsewhere is dialled: enrol_join.c.
 */
#include "net/node/enrol_here.h"

#include "core/crypto/box.h"
#include "core/crypto/sign.h"
#include "net/node/enrol_inner.h"
#include "net/node/exchange.h"
#include "net/node/found.h"
#include "net/node/trace.h"

struct here {
    struct ml_call *call;
    struct enrol_keys keys;
    struct ml_node_secrets unused;
    struct ml_member_secrets member;
    struct ml_new_slot slot;
};

static void request_fill(struct ml_msg_enrol_request *request, const struct here *h)
{
    const struct ml_org *org = h->call->org;
    ml_box_pk_of(&request->noise, org->secrets.noise);
    ml_sign_pk_of(&request->mon_sign, h->member.mon_sign);
    ml_box_pk_of(&request->mon_box, h->member.mon_box);
    ml_sign_pk_of(&request->node_writer, org->secrets.writer);
    ml_enrol_proof(request->proof, h->keys.psk, ml_slice(NULL, 0), request);
}

static ml_err here_run(struct here *h)
{
    struct ml_call *call = h->call;
    struct ml_org *org = call->org;
    struct ml_msg_enrol_request request = {.proof = {0}};
    const struct ml_trace_note note = {.action = ML_TRACE_GOVERN, .result = ML_TRACE_DONE};
    ml_err err = ml_enrol_offer_here(call, h->keys.psk, &h->slot.member);
    if (err == ML_OK) {
        err = ml_secrets_draw(call->node->env, &h->unused, &h->member);
    }
    if (err == ML_OK) {
        request_fill(&request, h);
        h->slot.secrets = &h->member;
        err = ml_slot_put(org, &h->slot);
    }
    if (err == ML_OK) {
        err = ml_enrol_offer_grant_here(org, &request);
    }
    if (err == ML_OK) {
        ml_enrol_words_answer(call, &org->enrolled);
        call->session = org->session;
        err = ml_trace_note(call, &note);
    }
    return err;
}

ml_err ml_method_enrol_here(struct ml_call *call)
{
    struct here h = {.call = call};
    struct ml_secret *code = NULL;
    if (!call->org->open) {
        return ml_call_fail(call, ML_E_LOCKED, "enrol.closed", NULL, NULL);
    }
    if (ml_value_get(call->params, "address") != NULL) {
        return ml_enrol_join_here(call);
    }
    ml_err err = ml_enrol_code_read(call, &code);
    if (err == ML_OK) {
        err = ml_call_passphrase(call, &h.slot.passphrase);
    }
    if (err == ML_OK) {
        err = ml_enrol_keys_derive(&h.keys, code);
    }
    if (err == ML_OK) {
        err = here_run(&h);
    }
    ml_secret_free(code);
    ml_enrol_keys_free(&h.keys);
    ml_node_secrets_free(&h.unused);
    ml_member_secrets_free(&h.member);
    return err;
}
