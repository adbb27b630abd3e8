/* net/node/retention.c -- see retention.h. Heads alone are looked at: a writer's hlc never goes
 * back. */
#include "net/node/retention.h"

#include <string.h>

#include "core/base/hlc.h"

enum { HEADS_BYTES_MAX = 16 << 20 };

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
