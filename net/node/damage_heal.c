/* net/node/damage_heal.c -- damage that a call met while all was open: repaired between calls.
 *
 * The log is closed with all that stands on it, made anew and opened again; the session stays, its
 * vault projects again from the new log, its member gets a new writer. A vault is deleted and made
 * again; drafts are set aside. What can't be repaired closes the structure: nothing is written to a
 * store that can't be read.
 */
#include "net/node/damage.h"
#include "net/node/enrol.h"
#include "net/node/session.h"
#include "net/node/turn.h"

#include "core/record/drafts.h"
#include "core/record/vault.h"

bool ml_damage_waits(const struct ml_org *org)
{
    const struct ml_session *s = org->session;
    return org->open && (ml_log_damaged(org->log) || (s != NULL && ml_vault_damaged(s->vault)) ||
                         (s != NULL && s->drafts != NULL && ml_drafts_damaged(s->drafts)));
}

/* What they hold of the store is about to go. */
static void calls_end(struct ml_org *org)
{
    struct ml_call *call = org->node->deferred;
    while (call != NULL) {
        if (call->org == org) {
            ml_err err = ml_call_fail(call, ML_E_CORRUPT, "damage.again", NULL, NULL);
            ml_call_finish(call, err);
            call = org->node->deferred;
        } else {
            call = call->next;
        }
    }
}

static ml_err log_heal(struct ml_org *org)
{
    calls_end(org);
    ml_enrol_offer_end(org);
    ml_org_store_close(org);
    ml_err err = ml_damage_log(org);
    if (err == ML_OK) {
        err = ml_org_store_open(org, false);
    }
    return err == ML_OK ? ml_session_mended(org) : err;
}

static bool mended_just_now(const struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    return org->mended && env->now_ms(env->ctx) - org->mended_ms < ML_REPAIR_AGAIN_MS;
}

static void mended(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    org->mended = true;
    org->mended_ms = env->now_ms(env->ctx);
}

void ml_damage_heal(struct ml_org *org)
{
    ml_err err = ML_E_IO;
    if (mended_just_now(org)) {
        calls_end(org); /* a disk that goes on losing: no second copy of a copy */
    } else if (ml_log_damaged(org->log)) {
        err = log_heal(org);
    } else if (ml_vault_damaged(org->session->vault)) {
        calls_end(org);
        err = ml_session_vault_again(org);
    } else {
        err = ml_session_drafts_aside(org);
    }
    if (err == ML_OK) { /* what was not repaired is tried again, as soon as there is room */
        mended(org);
    } else {
        ml_logf(org->node->env, ML_LOG_ERROR, "damage", "not repaired, closed: %s",
                ml_err_name(err));
        ml_org_close(org);
    }
    ml_node_changed(org->node);
}
