/* net/node/retention.c -- see retention.h. Heads alone are looked at: a writer's hlc never goes
 * back. */
#include "net/node/retention.h"

#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "net/node/card.h"
#include "net/node/session.h"
#include "net/node/trace.h"

enum {
    HEADS_BYTES_MAX = 16 << 20,
    LOOK_MS = 3600 * 1000,
    PRUNE_MAX = 1024, /* bundles of one transaction */
};

static const char kept_key[] = "traces.kept_from";

static ml_err head_take(void *user, const struct ml_dep *head)
{
    struct ml_buf *heads = user;
    ml_buf_append(heads, head, sizeof(*head));
    return heads->err;
}

/* The latest of each of two members. */
struct latest {
    struct ml_member_id member;
    uint64_t ms;
    uint64_t second_ms; /* of all others */
};

static void latest_take(struct latest *l, const struct ml_member_id *member, uint64_t ms)
{
    const bool same = memcmp(&l->member, member, sizeof(*member)) == 0;
    if (ms > l->ms) {
        l->second_ms = same ? l->second_ms : l->ms;
        l->member = *member;
        l->ms = ms;
    } else if (!same && ms > l->second_ms) {
        l->second_ms = ms;
    }
}

static ml_err heads_weigh(struct ml_org *org, const struct ml_buf *heads, struct latest *l)
{
    const struct ml_dep *head = (const void *)heads->data;
    const size_t count = heads->len / sizeof(*head);
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        const struct ml_fact *by = ml_gov_opening(ml_log_gov(org->log), &head[i].writer);
        struct ml_log_entry entry;
        if (by == NULL || ml_gov_member(ml_log_gov(org->log), &by->member) == NULL) {
            continue;
        }
        err = ml_log_get(org->log, &head[i].hash, &entry);
        if (err == ML_OK && entry.verdict == ML_VERDICT_ACCEPTED) {
            latest_take(l, &by->member, ml_hlc_ms(entry.header.hlc));
        }
    }
    return err;
}

ml_err ml_retention_ms(struct ml_org *org, uint64_t *ms)
{
    const struct ml_env *env = org->node->env;
    const uint64_t here = env->wall_ms(env->ctx);
    struct latest l = {.ms = 0};
    struct ml_buf heads;
    ml_buf_init(&heads, env, HEADS_BYTES_MAX);
    ml_err err = ml_log_heads(org->log, head_take, &heads);
    if (err == ML_OK) {
        err = heads_weigh(org, &heads, &l);
    }
    if (err == ML_OK) {
        *ms = l.second_ms < here ? l.second_ms : here;
    }
    ml_buf_free(&heads);
    return err;
}

/* ---- traces ---- */

ml_err ml_retention_kept_from(struct ml_org *org, uint64_t *ms)
{
    struct ml_buf value;
    ml_buf_init(&value, org->node->env, sizeof(*ms));
    ml_err err = ml_log_setting_get(org->log, kept_key, &value);
    if (err == ML_OK || err == ML_E_NOT_FOUND) {
        *ms = err == ML_OK && value.len == sizeof(*ms) ? ml_get_u64be(value.data) : 0;
        err = ML_OK;
    }
    ml_buf_free(&value);
    return err;
}

/* From when on they are kept, by two members and this clock. */
static ml_err kept_from(struct ml_org *org, uint64_t *ms)
{
    struct ml_retention_rule rule;
    uint64_t now = 0;
    ml_err err = ml_card_rule(org, &rule);
    if (err == ML_OK) {
        err = ml_retention_ms(org, &now);
    }
    if (err == ML_OK) {
        const struct ml_date today = ml_date_of_ms((int64_t)now);
        const struct ml_date from = ml_retention_before(&today, rule.trace_months);
        const int64_t first = ml_date_ms(&from);
        *ms = first > 0 ? (uint64_t)first : 0;
    }
    return err;
}

static ml_err kept_from_put(struct ml_org *org, uint64_t ms)
{
    uint8_t bytes[sizeof(ms)];
    uint64_t before = 0;
    ml_err err = ml_retention_kept_from(org, &before);
    if (err != ML_OK || before >= ms) {
        return err;
    }
    ml_put_u64be(bytes, ms);
    return ml_log_setting_put(org->log, kept_key, ml_slice(bytes, sizeof(bytes)));
}

/* The node's own trace of it: how many, and from when on they are kept. */
static ml_err receipt(struct ml_org *org, uint32_t count, uint64_t from_ms)
{
    static const char said[] = "traces kept from ";
    uint64_t index = 0;
    struct ml_buf text;
    const struct ml_date from = ml_date_of_ms((int64_t)from_ms);
    ml_buf_init(&text, org->node->env, 64);
    ml_buf_append(&text, said, sizeof(said) - 1);
    ml_date_text(&text, &from);
    const struct ml_trace_of_node what = {.action = ML_TRACE_AUDIT,
                                          .result = ML_TRACE_DONE,
                                          .context = ml_buf_slice(&text),
                                          .count = count};
    ml_err err = text.err;
    if (err == ML_OK) {
        err = ml_trace_of_node(org, &what, &index);
    }
    ml_buf_free(&text);
    return err;
}

/* What went and from when on the rest is kept: both are durable, or neither. */
static ml_err some_prune(struct ml_org *org, uint64_t from, uint32_t *pruned)
{
    ml_err err = ml_log_begin(org->log);
    if (err != ML_OK) {
        return err;
    }
    err = ml_log_prune_traces(org->log, pruned, from, PRUNE_MAX);
    if (err == ML_OK && *pruned > 0) {
        err = kept_from_put(org, from);
    }
    if (err == ML_OK) {
        return ml_log_commit(org->log);
    }
    ml_log_abort(org->log);
    return err;
}

static ml_err traces_prune(struct ml_org *org)
{
    uint64_t from = 0;
    uint32_t all = 0;
    uint32_t pruned = PRUNE_MAX;
    ml_err err = kept_from(org, &from);
    while (err == ML_OK && from > 0 && pruned == PRUNE_MAX) {
        err = some_prune(org, from, &pruned);
        all += err == ML_OK ? pruned : 0;
    }
    if (all > 0) {
        const ml_err told = receipt(org, all, from);
        err = err == ML_OK ? told : err;
    }
    return err;
}

void ml_retention_tick(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    const uint64_t now = env->now_ms(env->ctx);
    if (org->session == NULL || !org->session->writers_open || org->behind ||
        org->retention_due_ms > now) {
        return;
    }
    org->retention_due_ms = now + LOOK_MS;
    const ml_err err = traces_prune(org);
    if (err != ML_OK) {
        ml_logf(env, ML_LOG_WARN, "retention", "traces end later: %s", ml_err_name(err));
    }
}
