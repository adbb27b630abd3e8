/* net/node/methods_org.c -- structures, unlock, lock, status. */
#include <string.h>

#include "core/crypto/words.h"
#include "core/record/vault.h"
#include "net/node/card.h"
#include "net/node/damage.h"
#include "net/node/enrol.h"
#include "net/node/enrol_here.h"
#include "net/node/exchange.h"
#include "net/node/found.h"
#include "net/node/ingest.h"
#include "net/node/methods.h"
#include "net/node/recover.h"
#include "net/node/rotate.h"
#include "net/node/session.h"
#include "net/node/trace.h"
#include "net/node/trace_inner.h"
#include "net/node/turn.h"

ml_err ml_call_passphrase(struct ml_call *call, struct ml_slice *out)
{
    static const char *const texts[] = {
        [ML_PASSPHRASE_SHORT] = "passphrase.short",
        [ML_PASSPHRASE_LONG] = "passphrase.long",
        [ML_PASSPHRASE_NOT_TEXT] = "passphrase.not_text",
        [ML_PASSPHRASE_REPEATS] = "passphrase.repeats",
    };
    size_t len = 0;
    const uint8_t *bytes = ml_value_bytes(ml_value_get(call->params, "passphrase"), &len);
    if (bytes == NULL) {
        return ml_call_fail(call, ML_E_INVALID, "param.missing", "param", "passphrase");
    }
    ml_passphrase_verdict verdict = ml_passphrase_check(ml_slice(bytes, len));
    if (verdict != ML_PASSPHRASE_GOOD) {
        return ml_call_fail(call, ML_E_INVALID, texts[verdict], NULL, NULL);
    }
    *out = ml_slice(bytes, len);
    return ML_OK;
}

/* The member that the call names, or the only one of the keystore. */
static ml_err unlock_member(struct ml_call *call, struct ml_member_id *out)
{
    if (ml_value_get(call->params, "member") != NULL) {
        return ml_call_id(call, out->b, sizeof(out->b), "member");
    }
    if (ml_keystore_member_count(call->org->keystore) != 1) {
        return ml_call_fail(call, ML_E_INVALID, "member.several", NULL, NULL);
    }
    *out = *ml_keystore_member(call->org->keystore, 0);
    return ML_OK;
}

static ml_err unlock_recovery(struct ml_call *call, const struct ml_member_id *member,
                              const char *words)
{
    struct ml_secret *recovery = NULL;
    struct ml_words_error wrong;
    ml_err err = ml_words_decode(&recovery, ML_RECOVERY_SECRET_BYTES, ml_slice_str(words), &wrong);
    if (err == ML_E_INVALID) {
        return ml_call_fail(call, err, "unlock.words", NULL, NULL);
    }
    if (err == ML_OK) {
        err = ml_keystore_unlock_recovery(call->org->keystore, member, recovery);
    }
    ml_secret_free(recovery);
    return err;
}

static ml_err unlock_keystore(struct ml_call *call, const struct ml_member_id *member)
{
    const char *words = ml_call_text_or(call, "recovery", NULL);
    size_t len = 0;
    const uint8_t *bytes = ml_value_bytes(ml_value_get(call->params, "passphrase"), &len);
    if (words != NULL) {
        return unlock_recovery(call, member, words);
    }
    if (ml_value_get(call->params, "pin") != NULL) {
        return ml_card_unlock(call, member);
    }
    if (bytes == NULL) {
        return ml_call_fail(call, ML_E_INVALID, "param.missing", "param", "passphrase");
    }
    return ml_keystore_unlock(call->org->keystore, member, ml_slice(bytes, len));
}

/* Whether the log has gone on while the vault was closed: if not, its lists are complete from the
 * first answer on; else it follows in turns, and they say so. */
static void unlock_look(struct ml_org *org)
{
    bool more = true;
    ml_err err = ml_session_catch_up(org, 0, &more);
    org->behind = true;
    if (err != ML_OK) {
        ml_org_follow_later(org, err);
    }
}

static ml_err unlock_session(struct ml_call *call, const struct ml_member_id *member)
{
    struct ml_org *org = call->org;
    bool opened = false;
    ml_org_drop_gone(org); /* before any vault is opened */
    if (ml_org_is_gone(org, member)) {
        ml_keystore_lock(org->keystore, member);
        ml_exchange_dial_all(org); /* what he wrote is given to the others */
        return ml_call_fail(call, ML_E_DENIED, "unlock.gone", NULL, NULL);
    }
    ml_err err = ml_session_begin(org, member, call->posix_session);
    if (err == ML_OK) {
        unlock_look(org);
        err = ml_session_open_writers(org, &opened);
    }
    return err;
}

static ml_err unlock(struct ml_call *call)
{
    struct ml_member_id member;
    struct ml_org *org = call->org;
    ml_err err = unlock_member(call, &member);
    if (err != ML_OK) {
        return err;
    }
    err = unlock_keystore(call, &member);
    if (err == ML_E_WRONG_KEY || err == ML_E_NOT_FOUND) {
        const bool words = ml_value_get(call->params, "recovery") != NULL;
        ml_trace_unlock_failed(call, &member);
        return call->text[0] != '\0' /* of the card: what it says is in no keystore */
                   ? err
                   : ml_call_fail(call, ML_E_WRONG_KEY,
                                  words ? "unlock.wrong_words" : "unlock.wrong", NULL,
                                  NULL); /* says no more */
    }
    if (err == ML_OK) {
        err = ml_org_open(org, false);
    }
    if (err == ML_OK) {
        err = unlock_session(call, &member);
    }
    if (err != ML_OK && ml_damage_waits(org)) { /* met on the way: repaired, then once more */
        ml_damage_heal(org);
        err = org->open ? unlock_session(call, &member) : err;
    }
    if (err == ML_E_UNSUPPORTED) {
        return ml_call_fail(call, err, "store.newer", NULL, NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    call->session = org->session;
    ml_session_describe(org, call->result);
    ml_exchange_dial_all(org);
    const struct ml_trace_note note = {.action = ML_TRACE_UNLOCK, .result = ML_TRACE_DONE};
    err = ml_knock_tell(org);
    return err == ML_OK ? ml_trace_note(call, &note) : err;
}

static ml_err lock(struct ml_call *call)
{
    const struct ml_trace_note note = {.action = ML_TRACE_LOCK, .result = ML_TRACE_DONE};
    ml_err err = ml_trace_note(call, &note);
    if (err == ML_OK) {
        err = ml_trace_cut(call->org);
    }
    call->session = NULL;
    ml_session_end(call->org);
    if (ml_value_bool(ml_value_get(call->params, "all"), false)) {
        ml_enrol_offer_end(call->org);
        ml_org_close(call->org);
    }
    return err;
}

static void org_describe(struct ml_org *org, struct ml_args *out)
{
    struct ml_card_place of = {.kind = ML_CARD_ORG};
    ml_args_map(out);
    ml_result_hex(out, "org", org->id.b, sizeof(org->id.b));
    ml_result_bool(out, "open", org->open);
    ml_result_bool(out, "unlocked", org->session != NULL);
    ml_result_bool(out, "test_key", ml_keystore_is_test(org->keystore));
    if (org->session != NULL) {
        ml_card_describe(org, out, &of);
    }
    ml_args_key(out, "members");
    ml_args_list(out);
    for (size_t i = 0; i < ml_keystore_member_count(org->keystore); i++) {
        struct ml_card_place who = {.kind = ML_CARD_MEMBER};
        const struct ml_member_id *member = ml_keystore_member(org->keystore, i);
        memcpy(who.id, member->b, sizeof(who.id));
        ml_args_map(out);
        ml_result_hex(out, "member", member->b, sizeof(member->b));
        if (org->session != NULL) {
            ml_card_describe(org, out, &who);
        }
        ml_args_end(out);
    }
    ml_args_end(out);
    ml_args_end(out);
}

/* ---- another passphrase, for who knows the old one or holds the sheet ---- */

static ml_err change_proof(struct ml_call *call, struct ml_slice *old)
{
    const struct ml_member_id *member = &call->session->member;
    const char *words = ml_call_text_or(call, "recovery", NULL);
    const char *text = ml_call_text_or(call, "old", NULL);
    if (words == NULL && text == NULL) {
        return ml_call_fail(call, ML_E_INVALID, "param.missing", "param", "old");
    }
    *old = ml_slice_str(text == NULL ? "" : text);
    ml_err err = words != NULL ? unlock_recovery(call, member, words)
                               : ml_keystore_unlock(call->org->keystore, member, *old);
    if (err == ML_E_WRONG_KEY || err == ML_E_NOT_FOUND) {
        ml_trace_unlock_failed(call, member);
        return ml_call_fail(call, ML_E_WRONG_KEY,
                            words != NULL ? "unlock.wrong_words" : "unlock.wrong", NULL, NULL);
    }
    return err;
}

/* A new sheet of words for the one that was read, or lost: the old words then open nothing. */
static ml_err change_words(struct ml_call *call, struct ml_keystore *changed)
{
    struct ml_secret *recovery = NULL;
    const struct ml_env *env = call->node->env;
    if (!ml_value_bool(ml_value_get(call->params, "new_words"), false)) {
        return ML_OK;
    }
    ml_err err = ml_secret_random(&recovery, env, ML_RECOVERY_SECRET_BYTES);
    if (err == ML_OK) {
        err = ml_keystore_set_recovery(changed, &call->session->member, recovery);
    }
    if (err == ML_OK) {
        err = ml_result_words(call->result, "member_words", recovery);
    }
    ml_secret_free(recovery);
    return err;
}

/* In a copy, which takes the keystore's place once it is on the disk. */
static ml_err passphrase_set(struct ml_call *call, struct ml_slice wanted)
{
    struct ml_keystore *changed = NULL;
    ml_err err = ml_keystore_copy(&changed, call->org->keystore);
    if (err == ML_OK) {
        err =
            ml_keystore_set_passphrase(changed, &call->session->member, wanted, &call->node->cost);
    }
    if (err == ML_OK) {
        err = change_words(call, changed);
    }
    if (err != ML_OK) {
        ml_keystore_free(changed);
        return err;
    }
    return ml_org_take_keystore(call->org, changed);
}

static ml_err passphrase_change(struct ml_call *call)
{
    const struct ml_trace_note note = {.action = ML_TRACE_UNLOCK, .result = ML_TRACE_DONE};
    struct ml_slice wanted = {NULL, 0};
    struct ml_slice old = {NULL, 0};
    ml_err err = ml_call_passphrase(call, &wanted);
    if (err == ML_OK) {
        err = change_proof(call, &old);
    }
    if (err == ML_OK) {
        err = ml_passphrase_cost(call->node);
    }
    if (err == ML_OK) {
        err = ml_trace_note(call, &note);
    }
    if (err == ML_OK) {
        err = passphrase_set(call, wanted);
    }
    ml_session_describe(call->org, call->result);
    return err == ML_OK ? ml_args_fault(call->result) : err;
}

static ml_err org_list(struct ml_call *call)
{
    ml_args_key(call->result, "orgs");
    ml_args_list(call->result);
    for (struct ml_org *org = call->node->orgs; org != NULL; org = org->next) {
        org_describe(org, call->result);
    }
    ml_args_end(call->result);
    return ML_OK;
}

static void status_log(struct ml_org *org, struct ml_args *out)
{
    struct ml_log_counts counts;
    ml_err err = ml_log_counts(org->log, &counts);
    if (err != ML_OK) {
        ml_args_fail(out, err);
        return;
    }
    ml_result_int(out, "bundles", (int64_t)counts.bundles);
    ml_result_int(out, "ops", (int64_t)counts.ops);
    ml_result_int(out, "bodies_missing", (int64_t)counts.bodies_missing);
    ml_result_int(out, "chunks", (int64_t)counts.chunks);
    ml_result_int(out, "chunks_missing", (int64_t)counts.chunks_missing);
    ml_result_int(out, "pending", (int64_t)counts.pending);
    ml_result_int(out, "waits_version", (int64_t)counts.waits_version);
    ml_result_int(out, "quarantined", (int64_t)counts.quarantined);
    ml_result_int(out, "judged_again", (int64_t)ml_log_judged_again(org->log).judged);
    ml_result_int(out, "forks", (int64_t)counts.forks);
    ml_result_hex(out, "node", org->secrets.node.b, sizeof(org->secrets.node.b));
    ml_result_bool(out, "paused", ml_sync_is_paused(ml_exchange_engine(org)));
}

static void status_session(struct ml_org *org, struct ml_args *out)
{
    struct ml_vault_counts counts;
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, org->session->member.b, sizeof(of.id));
    ml_result_hex(out, "member", org->session->member.b, sizeof(org->session->member.b));
    ml_card_describe(org, out, &of);
    ml_result_bool(out, "complete", ml_vault_complete(org->session->vault));
    ml_result_bool(out, "may_write", org->session->writers_open);
    ml_err err = ml_vault_counts(org->session->vault, &counts);
    if (err != ML_OK) {
        ml_args_fail(out, err);
        return;
    }
    ml_result_int(out, "patients", (int64_t)counts.patients);
    ml_result_int(out, "conflicts", (int64_t)counts.conflicts);
    ml_result_int(out, "ops_unknown", (int64_t)counts.ops_unknown);
    ml_result_int(out, "followed", (int64_t)counts.cursor);
}

static ml_err node_status(struct ml_call *call)
{
    struct ml_args *out = call->result;
    ml_result_text(out, "version", ML_VERSION);
    ml_result_text(out, "home", call->node->home.root);
    ml_result_int(out, "wall_ms", (int64_t)call->node->env->wall_ms(call->node->env->ctx));
    ml_args_key(out, "orgs");
    ml_args_list(out);
    for (struct ml_org *org = call->node->orgs; org != NULL; org = org->next) {
        ml_args_map(out);
        ml_result_hex(out, "org", org->id.b, sizeof(org->id.b));
        ml_result_bool(out, "open", org->open);
        ml_result_bool(out, "unlocked", org->session != NULL);
        ml_result_bool(out, "test_key", ml_keystore_is_test(org->keystore));
        if (org->open) {
            ml_result_int(out, "network_epoch", org->secrets.network_epoch);
            status_log(org, out);
            ml_damage_describe(org, out);
        }
        if (org->session != NULL) {
            status_session(org, out);
        }
        ml_args_end(out);
    }
    for (const struct ml_unopened *u = call->node->unopened; u != NULL; u = u->next) {
        ml_args_map(out);
        ml_result_hex(out, "org", u->id.b, sizeof(u->id.b));
        ml_result_bool(out, "open", false);
        ml_result_text(out, "keystore", ml_err_name(u->err));
        ml_args_end(out);
    }
    ml_args_end(out);
    return ML_OK;
}

const struct ml_method ml_methods_org[] = {
    {"org.found", 0, ml_method_org_found},
    {"org.list", 0, org_list},
    {"org.recover", ML_NEEDS_ORG | ML_NEEDS_SESSION, ml_method_org_recover},
    {"org.rotate", ML_NEEDS_ORG | ML_NEEDS_SESSION, ml_method_org_rotate},
    {"node.status", 0, node_status},
    {"session.unlock", ML_NEEDS_ORG, unlock},
    {"session.passphrase", ML_NEEDS_ORG | ML_NEEDS_SESSION, passphrase_change},
    {"session.lock", ML_NEEDS_SESSION, lock},
    {NULL, 0, NULL},
};
