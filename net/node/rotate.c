/* net/node/rotate.c -- see rotate.h.
 *
 * Happy path: a new secret is drawn, cut and shown, and forgotten -> enough of its sheets are typed
 * again, which proves that they are kept and readable -> the new Root signs the op that names its
 * keys -> who asked proposes it, others sign (govern.h), and the last hand is heard; where nobody
 * could sign beside him, sheets of the Root that goes are typed with the new ones.
 *
 * Invariant: the new secret is never stored, nor is a word of it said that no sheets make.
 */
#include "net/node/rotate.h"

#include <string.h>

#include "core/crypto/box.h"
#include "core/crypto/sign.h"
#include "core/model/keyring_group.h"
#include "net/node/garant.h"
#include "net/node/glass.h"
#include "net/node/govern.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/promote.h"
#include "net/node/recover.h"
#include "net/node/root.h"
#include "net/node/session.h"

enum { SETS_MAX = 2 };

/* ---- who ---- */

/* Nobody could sign beside him: the Root that goes does. */
static bool is_lone(const struct ml_org *org)
{
    return ml_view_leaders(ml_gov_view(ml_log_gov(org->log))) < 2;
}

static ml_err may_ask(struct ml_call *call)
{
    const struct ml_org *org = call->org;
    const struct ml_fact *actor = ml_gov_member(ml_log_gov(org->log), &org->session->member);
    if (actor == NULL || actor->rank > ML_RANK_REFERENT) {
        return ml_call_fail(call, ML_E_DENIED, ml_rank_wanted(actor), NULL, NULL);
    }
    if (!is_lone(org) && ml_majority_able(org, NULL) < ml_majority_needed(org)) {
        ml_majority_detail(call, NULL);
        return ml_call_fail(call, ML_E_DENIED, "rotate.few", NULL, NULL);
    }
    return ML_OK;
}

/* ---- new sheets ---- */

static ml_err sheets_new(struct ml_call *call)
{
    struct ml_share_plan plan;
    struct ml_secret *secret = NULL;
    ml_err err = ml_shares_plan(call, &plan);
    if (err == ML_OK) {
        plan.org = &call->org->id;
        err = ml_root_draw(&secret, call->node->env);
    }
    if (err == ML_OK) {
        err = ml_shares_answer(call, &plan, secret);
    }
    ml_secret_free(secret);
    ml_result_hex(call->result, "org", call->org->id.b, sizeof(call->org->id.b));
    ml_result_bool(call->result, "alone", is_lone(call->org));
    return err == ML_OK ? ml_args_fault(call->result) : err;
}

/* ---- saying it ---- */

struct typed {
    struct ml_joined set[SETS_MAX];
    size_t count;
    const struct ml_secret *fresh; /* NULL: no new sheets among them */
    const struct ml_secret *present;
};

static void typed_free(struct typed *t)
{
    while (t->count > 0) {
        ml_secret_free(t->set[--t->count].secret);
    }
}

/* Sheets of a Root that was replaced come back for nothing. */
static ml_err typed_take(struct ml_call *call, struct typed *t, const struct ml_joined *set)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *root = ml_gov_root(gov);
    if (set->kind != ML_SHARE_STRUCTURE) {
        return ml_call_fail(call, ML_E_INVALID, "share.auditor", NULL, NULL);
    }
    if (set->root == NULL) {
        t->fresh = set->secret;
        return ML_OK;
    }
    if (memcmp(&set->root->sign_pk, &root->sign_pk, sizeof(root->sign_pk)) == 0) {
        t->present = set->secret;
        return ML_OK;
    }
    const bool old = ml_gov_had_right(gov, set->root);
    return old ? ml_call_fail(call, ML_E_DENIED, "share.old", NULL, NULL)
               : ml_call_fail(call, ML_E_EXISTS, "rotate.proposed", NULL, NULL);
}

static ml_err typed_read(struct ml_call *call, struct typed *t)
{
    ml_err err = ml_recover_sets(call, t->set, SETS_MAX, &t->count);
    for (size_t i = 0; i < t->count && err == ML_OK; i++) {
        err = typed_take(call, t, &t->set[i]);
    }
    if (err == ML_OK && t->fresh == NULL) {
        return ml_call_fail(call, ML_E_INVALID, "rotate.present", NULL, NULL);
    }
    if (err == ML_OK && t->present == NULL && is_lone(call->org)) {
        return ml_call_fail(call, ML_E_DENIED, "rotate.alone", NULL, NULL);
    }
    return err;
}

/* The new keys, which the new Root signs; of the op nothing else is set. */
static ml_err op_fill(struct ml_org *org, struct ml_govop *op, const struct ml_secret *fresh)
{
    struct ml_root_keys keys;
    struct ml_buf buf;
    *op = (struct ml_govop){.type = ML_GOVOP_ROOT_ROTATE, .must_understand = true};
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_root_open(&keys, fresh);
    if (err == ML_OK) {
        ml_sign_pk_of(&op->u.root_rotate.root_sign, keys.sign);
        ml_box_pk_of(&op->u.root_rotate.root_box, keys.box);
        ml_box_pk_of(&op->u.root_rotate.audit_box, keys.audit);
        err = ml_govop_encode_cosigned(&buf, op, &org->id, keys.sign);
    }
    ml_root_close(&keys);
    ml_buf_free(&buf);
    return err;
}

/* The Root that goes signs it, for the bundle that it will stand in. */
static ml_err say_with_root(struct ml_org *org, struct ml_govop *op,
                            const struct ml_secret *present)
{
    struct ml_root_keys keys;
    struct ml_author author;
    struct ml_header header;
    struct ml_hash hash;
    struct ml_buf buf;
    ml_session_author(org, &author);
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_root_open(&keys, present);
    err = err == ML_OK ? ml_org_next_header(org, &header, &author, ML_LANE_GOVERNANCE) : err;
    err = err == ML_OK ? ml_govop_encode(&buf, op) : err;
    err = err == ML_OK ? ml_govop_root_hash(&hash, ml_buf_slice(&buf), &org->id, &header) : err;
    if (err == ML_OK) {
        ml_sign(op->u.root_rotate.hands.root.b, ml_slice(hash.b, sizeof(hash.b)), keys.sign);
        ml_buf_clear(&buf);
        err = ml_govop_encode(&buf, op);
    }
    err = err == ML_OK ? ml_org_append_act(org, &author, ml_buf_slice(&buf), NULL) : err;
    ml_root_close(&keys);
    ml_buf_free(&buf);
    return err;
}

static ml_err say(struct ml_call *call, const struct typed *t)
{
    struct ml_org *org = call->org;
    struct ml_govop op;
    bool counts = true;
    ml_err err = op_fill(org, &op, t->fresh);
    if (err == ML_OK && is_lone(org)) {
        err = say_with_root(org, &op, t->present);
    } else if (err == ML_OK) {
        ml_promote_put(org, call->result,
                       &(struct ml_promotion){.op = &op, .with = &org->session->member});
        err = ml_govern_say(org, &op, true, &counts);
    }
    if (err == ML_OK && counts) {
        err = ml_rotate_reseal(org);
    }
    ml_result_hex(call->result, "org", org->id.b, sizeof(org->id.b));
    ml_result_bool(call->result, "counts", counts);
    return err == ML_OK ? ml_call_note(call, ML_TRACE_GOVERN, NULL) : err;
}

ml_err ml_method_org_rotate(struct ml_call *call)
{
    struct typed t = {.count = 0};
    ml_err err = may_ask(call);
    if (err == ML_OK && ml_value_get(call->params, "shares") == NULL) {
        return sheets_new(call);
    }
    err = err == ML_OK ? typed_read(call, &t) : err;
    err = err == ML_OK ? say(call, &t) : err;
    typed_free(&t);
    return err;
}

/* ---- what is sealed to Root ---- */

ml_err ml_rotate_reseal(struct ml_org *org)
{
    const ml_err err = ml_keys_tell(org);
    if (err != ML_OK) {
        return err;
    }
    ml_glass_renew(org); /* first: the epochs seal their break-glass halves to it */
    return ml_keys_renew(org);
}
