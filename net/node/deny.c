/* net/node/deny.c -- see deny.h. */
#include "net/node/deny.h"

#include <string.h>

struct taking {
    const struct ml_gov *gov;
    struct ml_deny *deny;
    struct ml_dep *at;
    uint32_t count;
};

static ml_err head_take(void *user, const struct ml_dep *head)
{
    struct taking *t = user;
    const struct ml_fact *f = ml_gov_opening(t->gov, &head->writer);
    const bool everywhere = ml_is_zero(&t->deny->node, sizeof(t->deny->node));
    if (f == NULL || memcmp(&f->member, &t->deny->member, sizeof(f->member)) != 0 ||
        (!everywhere && memcmp(&f->node, &t->deny->node, sizeof(f->node)) != 0)) {
        return ML_OK;
    }
    if (t->count == ML_CUTS_MAX) {
        return ML_E_LIMIT;
    }
    t->at[t->count++] = *head;
    return ML_OK;
}

ml_err ml_deny_cut(struct ml_org *org, struct ml_deny_cuts *cuts, struct ml_deny *deny)
{
    struct ml_dep *at = ml_alloc_array(org->node->env, ML_CUTS_MAX, sizeof(*at));
    struct taking t = {.gov = ml_log_gov(org->log), .deny = deny, .at = at};
    if (at == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = ml_log_heads(org->log, head_take, &t);
    if (err != ML_OK) {
        ml_release(org->node->env, at);
        return err;
    }
    cuts->list = at;
    deny->cuts = (struct ml_list){.items = at, .count = t.count};
    return ML_OK;
}

void ml_deny_cuts_free(struct ml_org *org, struct ml_deny_cuts *cuts)
{
    ml_release(org->node->env, cuts->list);
    cuts->list = NULL;
}
