/* net/node/ingest.c -- see ingest.h. One transaction a batch; the engine hears of each bundle. A
 * batch that can't be stored (full disk) is told as a whole: nothing of it is in the log, and the
 * exchange goes on from there when there is room again. */
#include "net/node/ingest.h"

#include "core/record/vault.h"
#include "net/node/consent.h"
#include "net/node/exchange.h"
#include "net/node/keep.h"
#include "net/node/session.h"
#include "net/node/shred.h"
#include "net/node/turn.h"

_Static_assert((int)ML_LOG_STORED == (int)ML_SYNC_STORED, "same results");
_Static_assert((int)ML_LOG_DUPLICATE == (int)ML_SYNC_DUPLICATE, "same results");
_Static_assert((int)ML_LOG_BODY == (int)ML_SYNC_BODY, "same results");
_Static_assert((int)ML_LOG_PENDING == (int)ML_SYNC_PENDING, "same results");
_Static_assert((int)ML_LOG_STOPPED == (int)ML_SYNC_STOPPED, "same results");
_Static_assert((int)ML_LOG_REFUSED == (int)ML_SYNC_REFUSED, "same results");
_Static_assert(ML_LOG_NO_INDEX == ML_SYNC_NO_INDEX, "same mark");

static void outcome_take(void *user, const struct ml_log_outcome *o)
{
    struct ml_buf *outcomes = user;
    const struct ml_sync_outcome told = {
        .result = (ml_sync_result)o->result,
        .index = o->index,
        .err = o->err,
        .bundle = {.id = o->id, .prev = o->prev, .bytes = o->bytes},
    };
    ml_buf_append(outcomes, &told, sizeof(told));
}

void ml_org_follow_later(struct ml_org *org, ml_err err)
{
    enum { FOLLOW_AGAIN_MS = 1000 };
    const struct ml_env *env = org->node->env;
    const ml_log_level level = org->follow_ms == 0 ? ML_LOG_ERROR : ML_LOG_DEBUG; /* said once */
    ml_logf(env, level, "ingest", "the vault does not follow: %s", ml_err_name(err));
    org->behind = true;
    org->follow_ms = env->now_ms(env->ctx) + FOLLOW_AGAIN_MS;
    ml_node_wake(org->node);
}

/* The vault follows at once while it is complete, so that what came is on the screen; a first copy
 * is followed in turns. */
static void session_follow(struct ml_org *org)
{
    bool more = false;
    bool opened = false;
    ml_err err = ml_session_catch_up(org, ML_VAULT_BATCH_BUNDLES, &more);
    if (err == ML_OK && !more) {
        err = ml_session_open_writers(org, &opened);
    }
    if (err == ML_OK && opened) {
        err = ml_keep_followed(org);
    }
    if (err != ML_OK) {
        ml_org_follow_later(org, err);
        return;
    }
    org->behind = more;
    org->follow_ms = 0;
    ml_consent_receipts(org);
    ml_shred_receipts(org);
    ml_node_changed(org->node);
}

/* A verdict changed, and there is a fork: perhaps by a proof that the peers lack. */
static void fork_tell(struct ml_org *org)
{
    struct ml_log_counts counts;
    if (ml_log_counts(org->log, &counts) != ML_OK || counts.forks > 0) {
        ml_sync_on_fork(ml_exchange_engine(org));
    }
}

void ml_org_ingest(struct ml_org *org, const struct ml_sync_action *action)
{
    struct ml_buf outcomes;
    ml_buf_init(&outcomes, org->node->env, SIZE_MAX);
    const uint64_t epoch = ml_log_epoch(org->log);
    ml_err err = ml_log_ingest(org->log, action->u.ingest.bundles, action->u.ingest.count,
                               outcome_take, &outcomes);
    if (err == ML_OK) {
        err = outcomes.err; /* stored, but not told: the engine asks for a snapshot */
    }
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_ERROR, "ingest", "a batch is not stored: %s",
                ml_err_name(err));
    }
    ml_sync_on_ingested(ml_exchange_engine(org), action->query, err, (const void *)outcomes.data,
                        outcomes.len / sizeof(struct ml_sync_outcome));
    if (ml_log_epoch(org->log) != epoch) {
        fork_tell(org);
    }
    ml_buf_free(&outcomes);
    ml_exchange_chunks(org);
    ml_exchange_holes(org);
    if (err == ML_OK && org->session != NULL) {
        session_follow(org);
    }
}

void ml_org_follow(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    if (org->behind && org->session != NULL && org->follow_ms <= env->now_ms(env->ctx)) {
        session_follow(org);
    }
}
