/* net/node/methods_card.c -- a member's card on this node: added, taken away, and what is told of
 * one that doesn't open. */
#include <stdio.h>

#include "net/node/call.h"
#include "net/node/methods.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "net/node/token.h"
#include "net/node/trace.h"

static ml_err token_told(struct ml_call *call, ml_err err, ml_token_fault fault)
{
    static const char *const texts[] = {
        [ML_TOKEN_ABSENT] = "card.absent",       [ML_TOKEN_OTHER] = "card.other",
        [ML_TOKEN_PIN_WRONG] = "card.pin_wrong", [ML_TOKEN_PIN_FEW] = "card.pin_few",
        [ML_TOKEN_PIN_LAST] = "card.pin_last",   [ML_TOKEN_PIN_LOCKED] = "card.pin_locked",
        [ML_TOKEN_BROKEN] = "card.broken"};
    char tries[16];
    if (err == ML_E_NOMEM) {
        return err;
    }
    call->org->card_tries += err == ML_E_WRONG_KEY;
    snprintf(tries, sizeof(tries), "%u", call->org->card_tries);
    return ml_call_fail(call, err, texts[fault], "tries", tries);
}

static ml_err pin_of(struct ml_call *call, struct ml_slice *pin)
{
    const char *text = ml_call_text_or(call, "pin", NULL);
    if (text == NULL) {
        return ml_call_fail(call, ML_E_INVALID, "param.missing", "param", "pin");
    }
    *pin = ml_slice_str(text);
    return ML_OK;
}

ml_err ml_card_unlock(struct ml_call *call, const struct ml_member_id *member)
{
    const struct ml_card_lock *lock = ml_keystore_card(call->org->keystore, member);
    struct ml_secret *secret = NULL;
    struct ml_slice pin = {NULL, 0};
    ml_token_fault fault = ML_TOKEN_ABSENT;
    ml_err err = pin_of(call, &pin);
    if (err != ML_OK) {
        return err;
    }
    if (lock == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "card.none", NULL, NULL);
    }
    err = ml_token_open(&secret, lock, pin, &fault);
    if (err != ML_OK) {
        return token_told(call, err, fault);
    }
    call->org->card_tries = 0;
    err = ml_keystore_unlock_card(call->org->keystore, member, secret);
    ml_secret_free(secret);
    return err;
}

/* The slot in a copy, which takes the keystore's place once it is on the disk; `lock` NULL: none.
 */
static ml_err card_set(struct ml_call *call, const struct ml_card_lock *lock,
                       const struct ml_secret *secret)
{
    const struct ml_member_id *member = &call->session->member;
    struct ml_keystore *changed = NULL;
    ml_err err = ml_keystore_copy(&changed, call->org->keystore);
    if (err == ML_OK) {
        err = lock != NULL ? ml_keystore_set_card(changed, member, lock, secret)
                           : ml_keystore_remove_slot(changed, member, ML_SLOT_TYPE_CARD);
    }
    if (err != ML_OK) {
        ml_keystore_free(changed);
        return err;
    }
    return ml_org_take_keystore(call->org, changed);
}

static ml_err card_add(struct ml_call *call)
{
    const struct ml_trace_note note = {.action = ML_TRACE_UNLOCK, .result = ML_TRACE_DONE};
    struct ml_card_lock lock;
    struct ml_secret *secret = NULL;
    struct ml_slice pin = {NULL, 0};
    ml_token_fault fault = ML_TOKEN_ABSENT;
    ml_err err = pin_of(call, &pin);
    if (err != ML_OK) {
        return err;
    }
    err = ml_token_seal(&lock, &secret, call->node->env, pin, &fault);
    if (err != ML_OK) {
        return token_told(call, err, fault);
    }
    call->org->card_tries = 0;
    err = ml_trace_note(call, &note);
    if (err == ML_OK) {
        err = card_set(call, &lock, secret);
    }
    ml_secret_free(secret);
    return err;
}

static ml_err card_remove(struct ml_call *call)
{
    const struct ml_trace_note note = {.action = ML_TRACE_UNLOCK, .result = ML_TRACE_DONE};
    if (ml_keystore_card(call->org->keystore, &call->session->member) == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "card.none", NULL, NULL);
    }
    ml_err err = ml_trace_note(call, &note);
    return err == ML_OK ? card_set(call, NULL, NULL) : err;
}

const struct ml_method ml_methods_card[] = {
    {"card.add", ML_NEEDS_ORG | ML_NEEDS_SESSION, card_add},
    {"card.remove", ML_NEEDS_ORG | ML_NEEDS_SESSION, card_remove},
    {NULL, 0, NULL},
};
