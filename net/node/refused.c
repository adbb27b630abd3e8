/* net/node/refused.c -- what who is refused is told: to whom, what, why, and what to do about it.
 *
 * A method says why, and its text what to do (ml_call_fail). To whom and what is the same for all
 * of them, so it is added here, as the call is answered. Whose rights were taken away is told that,
 * and not that his rank doesn't suffice: a rank that is suspended is none.
 */
#include <string.h>

#include "net/node/card.h"
#include "net/node/methods.h"
#include "net/node/trace.h"

enum { NAME_MAX_BYTES = 512 };

ml_err ml_call_detail_member(struct ml_call *call, const char *key,
                             const struct ml_member_id *member)
{
    struct ml_buf name;
    ml_buf_init(&name, call->node->env, NAME_MAX_BYTES);
    if (member != NULL) {
        ml_card_member_name(call->org, member, &name);
    }
    ml_buf_append(&name, "", 1);
    const ml_err err = name.err;
    ml_call_detail(call, key, err == ML_OK ? (const char *)name.data : "");
    ml_buf_free(&name);
    return err;
}

ml_err ml_call_detail_by(struct ml_call *call, const struct ml_fact *fact)
{
    const struct ml_fact *by = ml_gov_opening(ml_log_gov(call->org->log), &fact->at.writer);
    return ml_call_detail_member(call, "by", by != NULL ? &by->member : NULL);
}

/* The last that holds of those that take his place here. NULL: nobody denied him. */
static const struct ml_fact *denial_of(const struct ml_org *org)
{
    const struct ml_fact *f = NULL;
    const struct ml_fact *last = NULL;
    while ((f = ml_gov_next(ml_log_gov(org->log), ML_FACT_DENIAL, f)) != NULL) {
        const bool here = ml_is_zero(f->node.b, sizeof(f->node.b)) ||
                          memcmp(&f->node, &org->secrets.node, sizeof(f->node)) == 0;
        if (here && memcmp(&f->member, &org->session->member, sizeof(f->member)) == 0 &&
            (last == NULL || f->place > last->place)) {
            last = f;
        }
    }
    return last;
}

static ml_err denied_by(struct ml_call *call, const struct ml_fact *denial)
{
    const char *text = denial->until_ms != 0 ? "session.suspended" : "session.revoked";
    const ml_err err = ml_call_detail_by(call, denial);
    return err != ML_OK ? err : ml_call_fail(call, ML_E_DENIED, text, NULL, NULL);
}

ml_err ml_call_no_writer(struct ml_call *call)
{
    const struct ml_fact *denial = denial_of(call->org);
    return denial == NULL ? ml_call_fail(call, ML_E_DENIED, "session.not_enrolled", NULL, NULL)
                          : denied_by(call, denial);
}

/* No reason, or a rank or a right that he would have. */
static bool asks_why(const struct ml_call *call)
{
    static const char *const would[] = {"rank.", "right.", "glass.right"};
    bool asks = call->text[0] == '\0';
    for (size_t i = 0; i < sizeof(would) / sizeof(would[0]); i++) {
        asks = asks || strncmp(call->text, would[i], strlen(would[i])) == 0;
    }
    return asks;
}

ml_err ml_call_refused(struct ml_call *call)
{
    struct ml_org *org = call->org;
    ml_err err = ML_OK;
    if (org == NULL || org->session == NULL || call->session != org->session) {
        call->session = NULL; /* of nobody, or of who has locked since */
    }
    if (call->deferred) { /* the others are traced as they return */
        ml_trace_refused(call, ML_E_DENIED);
    }
    if (call->session != NULL) {
        const struct ml_fact *denial = asks_why(call) ? denial_of(org) : NULL;
        err = denial != NULL ? denied_by(call, denial) : ML_OK;
        err = err == ML_OK || err == ML_E_DENIED
                  ? ml_call_detail_member(call, "who", &call->session->member)
                  : err;
    }
    ml_call_detail(call, "act", call->method);
    if (err != ML_OK) {
        call->text[0] = '\0';
    }
    return err == ML_OK ? ML_E_DENIED : err;
}
