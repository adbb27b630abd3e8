/* net/node/keep.c -- see keep.h. */
#include "net/node/keep.h"

#include "core/base/ids.h"
#include "core/model/keyring_except.h"
#include "core/model/keyring_group.h"
#include "core/record/consents.h"
#include "net/node/exchange.h"
#include "net/node/exclude.h"
#include "net/node/glass_second.h"
#include "net/node/keys.h"
#include "net/node/session.h"
#include "net/node/share.h"
#include "net/node/shred.h"
#include "net/node/turn.h"

enum {
    KEEP_WITHIN_MS = 60 * 1000,
    KEEP_LOOK_MS = 3600 * 1000, /* the clock on the wall is set by people: how far off is a date? */
};

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
           keep->until_ms == org->session->keys.until_ms &&
           keep->exceptions == ml_keyring_exceptions(ml_session_keyring(org)) &&
           keep->faults == ml_keyring_faults(ml_session_keyring(org)) &&
           keep->heard == ml_vault_heard(org->session->vault);
}

/* What it writes itself is followed at once, and comes here again: `busy`. */
static ml_err seal(struct ml_org *org)
{
    struct ml_keep *keep = &org->session->keep;
    keep->busy = true;
    ml_err err = ml_keys_grant(org);
    if (err == ML_OK) {
        err = ml_keys_ask(org);
    }
    if (err == ML_OK) {
        err = ml_share_keep(org);
    }
    if (err == ML_OK) {
        err = ml_exclude_keep(org);
    }
    if (err == ML_OK) {
        err = ml_glass_share_all(org);
    }
    if (err == ML_OK) {
        keep->begun = true;
        keep->acts = ml_gov_acts(ml_log_gov(org->log));
        keep->log_epoch = ml_log_epoch(org->log);
        keep->until_ms = org->session->keys.until_ms;
        keep->exceptions = ml_keyring_exceptions(ml_session_keyring(org));
        keep->faults = ml_keyring_faults(ml_session_keyring(org));
        keep->heard = ml_vault_heard(org->session->vault);
        keep->due_ms = 0;
    }
    keep->busy = false;
    return err;
}

/* What was decided here comes before what came from others. */
static ml_err follow_decided(struct ml_org *org)
{
    struct ml_keep *keep = &org->session->keep;
    ml_err err = ML_OK;
    while (err == ML_OK && keep->decided_count > 0) {
        keep->busy = true;
        err = ml_exclude_apply(org, &keep->decided[keep->decided_count - 1], ML_KEYS_ALL);
        keep->busy = false;
        keep->decided_count -= err == ML_OK;
    }
    return err;
}

void ml_keep_decided(struct ml_org *org, const struct ml_object_id *patient)
{
    struct ml_keep *keep = &org->session->keep;
    size_t i = 0;
    while (i < keep->decided_count && !ml_object_id_equal(&keep->decided[i], patient)) {
        i++;
    }
    if (i < ML_KEEP_DECIDED_MAX) {
        keep->decided[i] = *patient;
        keep->decided_count += i == keep->decided_count;
        keep->due_ms = now_of(org) > 0 ? now_of(org) : 1;
        ml_node_wake(org->node);
    }
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

/* A call followed it before the tick did: nobody was sealed yet what a date, or an act of this
 * node's own, gives him. */
static bool is_untold(const struct ml_org *org)
{
    const struct ml_keep *keep = &org->session->keep;
    return keep->begun && keep->due_ms == 0 && keep->until_ms != org->session->keys.until_ms;
}

static uint64_t date_ms(const struct ml_org *org)
{
    const uint64_t left = ml_keys_hold_ms(org);
    if (org->behind || left == UINT64_MAX) {
        return UINT64_MAX;
    }
    return now_of(org) + (left < KEEP_LOOK_MS ? left : KEEP_LOOK_MS);
}

uint64_t ml_keep_next_ms(const struct ml_org *org)
{
    if (org->session == NULL) {
        return UINT64_MAX;
    }
    const uint64_t due = org->session->keep.due_ms != 0 ? org->session->keep.due_ms : UINT64_MAX;
    const uint64_t date = date_ms(org);
    return is_untold(org) ? 0 : due < date ? due : date;
}

void ml_keep_tick(struct ml_org *org)
{
    if (org->session == NULL) {
        return;
    }
    if (is_untold(org)) {
        later(org);
    }
    if (!org->behind && ml_keys_hold_ms(org) == 0) {
        org->behind = true; /* the vault follows at once, or is tried again as it always is */
    }
    if (org->session->keep.due_ms == 0 || org->session->keep.due_ms > now_of(org)) {
        return;
    }
    ml_err err = org->behind || !org->session->writers_open ? ML_E_BUSY : follow_decided(org);
    err = err == ML_OK ? seal(org) : err;
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_DEBUG, "keep", "keys are kept in step later: %s",
                ml_err_name(err));
        later(org);
    }
    ml_shred_receipts(org);
    ml_exchange_run(org); /* who waits for his key has it now */
}
