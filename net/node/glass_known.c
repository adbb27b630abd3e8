/* net/node/glass_known.c -- see glass_known.h.
 *
 * Statements are taken in order of arrival; of several reviews, or tellings, the last that came
 * stands. One about an opening that isn't known, or by whom it isn't for, is passed over.
 */
#include "net/node/glass_known.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/model/authority.h"
#include "core/record/vault.h"
#include "net/node/keys.h"
#include "net/node/right.h"
#include "net/node/session.h"

bool ml_glass_may_review(const struct ml_org *org, const struct ml_member_id *who)
{
    const struct ml_fact *fact = ml_gov_member(ml_log_gov(org->log), who);
    const ml_scope see = ml_right_of(org, who, ML_CLASS_BREAK_GLASS, ML_RIGHT_SEE);
    const ml_scope read = ml_right_of(org, who, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ);
    return fact != NULL &&
           (fact->rank <= ML_RANK_REFERENT || (see != ML_SCOPE_NONE && read == ML_SCOPE_NONE));
}

struct ml_glass_known *ml_glass_known_of(struct ml_glass_listing *l, const struct ml_glass_id *id)
{
    struct ml_glass_known *all = (struct ml_glass_known *)(void *)l->known.data;
    for (size_t i = 0; i < l->known.len / sizeof(*all); i++) {
        if (memcmp(all[i].id.b, id->b, sizeof(id->b)) == 0) {
            return &all[i];
        }
    }
    return NULL;
}

/* A request, or an opening; the opening of a request has its id and its author. */
static ml_err begun_take(struct ml_glass_listing *l, const struct ml_glass_say *say,
                         const struct ml_member_id *who)
{
    struct ml_glass_known *k = ml_glass_known_of(l, &say->glass);
    struct ml_glass_known one = {.id = say->glass, .member = *who, .patient = say->patient};
    const bool asked = say->kind == ML_GLASS_ASKED;
    if (k != NULL && (asked || k->wall_ms != 0 || memcmp(k->member.b, who->b, 16) != 0 ||
                      !ml_object_id_equal(&k->patient, &say->patient))) {
        return ML_OK;
    }
    if (k != NULL) {
        one = *k;
    }
    one.tier = say->tier;
    one.reason = say->reason;
    *(asked ? &one.asked_ms : &one.wall_ms) = say->wall_ms;
    *(asked ? &one.waits_ms : &one.until_ms) = say->until_ms;
    one.reply = asked ? say->reply : one.reply;
    if (k != NULL) {
        *k = one;
        return ML_OK;
    }
    ml_buf_append(&l->known, &one, sizeof(one));
    return l->known.err;
}

static void said_take(const struct ml_org *org, struct ml_glass_known *k,
                      const struct ml_glass_say *say, const struct ml_member_id *who)
{
    const bool own = memcmp(who->b, k->member.b, sizeof(who->b)) == 0;
    if (say->kind == ML_GLASS_CLOSED && own) {
        k->closed_ms = say->wall_ms;
    }
    if (say->kind == ML_GLASS_REVIEWED && !own && ml_glass_may_review(org, who)) {
        k->reviewed_ms = say->wall_ms;
        k->reviewer = *who;
        k->outcome = say->outcome;
    }
    if (say->kind == ML_GLASS_ANSWER && !own) {
        k->answered_ms = say->wall_ms;
        k->second = *who;
    }
    if (say->kind == ML_GLASS_TOLD) {
        k->told_ms = say->wall_ms;
        k->teller = *who;
        k->how = say->how;
    }
}

static ml_err note_take(void *user, const struct ml_glass_note *note)
{
    struct ml_glass_listing *l = user;
    const struct ml_org *org = l->call->org;
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), &note->writer);
    struct ml_glass_known *k = ml_glass_known_of(l, &note->say.glass);
    if (opening == NULL) {
        return ML_OK;
    }
    if (note->say.kind == ML_GLASS_OPENED || note->say.kind == ML_GLASS_ASKED) {
        return begun_take(l, &note->say, &opening->member);
    }
    if (k != NULL) {
        said_take(org, k, &note->say, &opening->member);
    }
    return ML_OK;
}

ml_err ml_glass_listing_read(struct ml_glass_listing *l, struct ml_call *call)
{
    enum { KNOWN_MAX = 100000 };
    *l = (struct ml_glass_listing){.call = call};
    ml_buf_init(&l->known, call->node->env, KNOWN_MAX * sizeof(struct ml_glass_known));
    return ml_vault_each_glass(call->session->vault, note_take, l, &l->closed);
}

void ml_glass_listing_free(struct ml_glass_listing *l)
{
    ml_buf_free(&l->known);
}

ml_err ml_glass_say(struct ml_call *call, const struct ml_glass_say *say)
{
    struct ml_keyop op = {.type = ML_KEYOP_GLASS};
    struct ml_buf plain;
    struct ml_buf sealed;
    struct ml_buf bytes;
    struct ml_keys keys;
    ml_buf_init(&plain, call->node->env, ML_SEALED_BYTES_MAX);
    ml_buf_init(&sealed, call->node->env, ML_SEALED_BYTES_MAX);
    ml_buf_init(&bytes, call->node->env, ML_SEALED_BYTES_MAX + ML_KEYOP_AD_MAX);
    ml_keys_init(&keys, call->node->env);
    ml_err err = ml_glass_encode(&plain, say);
    if (err == ML_OK) {
        err = ml_keyring_seal_glass(ml_session_keyring(call->org), ml_buf_slice(&plain), &sealed,
                                    &op.u.glass);
    }
    if (err == ML_OK) {
        err = ml_keyop_encode(&bytes, &op);
    }
    if (err == ML_OK) {
        err = ml_keys_emit(&keys, ml_buf_slice(&bytes));
    }
    if (err == ML_OK) {
        err = ml_keys_append(call->org, &keys);
    }
    ml_keys_free(&keys);
    ml_buf_free(&bytes);
    ml_buf_free(&sealed);
    ml_buf_free(&plain);
    return err;
}
