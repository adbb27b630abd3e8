/* net/node/keep.c -- see keep.h. */
#include "net/node/keep.h"

#include "core/model/keyring_except.h"
#include "net/node/exclude.h"
#include "net/node/keys.h"
#include "net/node/session.h"

enum { KEEP_WITHIN_MS = 60 * 1000 };

static uint64_t now_of(const struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    return env->now_ms(env->ctx);
}

static bool is_in_step(const struct ml_org *org)
{
    const struct ml_keep *keep = &org->session->keep;
    return keep->acts == ml_gov_acts(ml_log_gov(org->log)) &&
           keep->log_epoch == ml_log_epoch(org->log) &&
           keep->exceptions == ml_keyring_exceptions(ml_session_keyring(org));
}

/* What it writes itself is followed at once, and comes here again: `busy`. */
static ml_err seal(struct ml_org *org)
{
    struct ml_keep *keep = &org->session->keep;
    keep->busy = true;
    ml_err err = ml_keys_grant(org);
    if (err == ML_OK) {
        err = ml_exclude_keep(org);
    }
    if (err == ML_OK) {
        *keep = (struct ml_keep){.begun = true,
                                 .acts = ml_gov_acts(ml_log_gov(org->log)),
                                 .log_epoch = ml_log_epoch(org->log),
                                 .exceptions = ml_keyring_exceptions(ml_session_keyring(org))};
    }
    keep->busy = false;
    return err;
}

/* A moment of this node's own within the next minute. */
static void later(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    uint16_t chance = 0;
    env->random(env->ctx, &chance, sizeof(chance));
    org->session->keep.due_ms = now_of(org) + 1 + chance % KEEP_WITHIN_MS;
}

ml_err ml_keep_followed(struct ml_org *org)
{
    struct ml_keep *keep = &org->session->keep;
    if (keep->busy) {
        return ML_OK;
    }
    if (!keep->begun) {
        return seal(org);
    }
    if (keep->due_ms == 0 && !is_in_step(org)) {
        later(org);
    }
    return ML_OK;
}

uint64_t ml_keep_next_ms(const struct ml_org *org)
{
    const bool waits = org->session != NULL && org->session->keep.due_ms != 0;
    return waits ? org->session->keep.due_ms : UINT64_MAX;
}

void ml_keep_tick(struct ml_org *org)
{
    if (ml_keep_next_ms(org) > now_of(org)) {
        return;
    }
    ml_err err = org->behind || !org->session->writers_open ? ML_E_BUSY : seal(org);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_DEBUG, "keep", "keys are kept in step later: %s",
                ml_err_name(err));
        later(org);
    }
}
