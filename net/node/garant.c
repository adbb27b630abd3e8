/* net/node/garant.c -- see garant.h.
 *
 * Each is named in a bundle of his own: Root signs for one place. Nobody enrols him here: a
 * coordinator gives him a computer as he does for others (enrol.code).
 */
#include "net/node/garant.h"

#include <string.h>

#include "core/crypto/sign.h"
#include "net/node/card.h"
#include "net/node/root.h"
#include "net/node/session.h"

static const struct ml_value *first_name(const struct ml_call *call)
{
    return ml_value_at(ml_value_get(call->params, "garants"), 0);
}

ml_err ml_garants_check(struct ml_call *call)
{
    unsigned count = 0;
    for (const struct ml_value *v = first_name(call); v != NULL; v = ml_value_next(v)) {
        if (ml_value_text(v, "")[0] == '\0') {
            return ml_call_fail(call, ML_E_INVALID, "param.missing", "param", "garants");
        }
        count++;
    }
    return count > ML_GARANTS_MAX ? ml_call_fail(call, ML_E_LIMIT, "garant.many", NULL, NULL)
                                  : ML_OK;
}

struct naming {
    struct ml_org *org;
    const struct ml_secret *sign; /* Root's */
    struct ml_govop op;
    struct ml_buf raw;
};

/* In the author's next bundle. */
static ml_err sign_and_append(struct naming *n)
{
    struct ml_author author;
    struct ml_header header;
    struct ml_hash hash;
    ml_session_author(n->org, &author);
    ml_err err = ml_org_next_header(n->org, &header, &author, ML_LANE_GOVERNANCE);
    if (err == ML_OK) {
        err = ml_govop_encode(&n->raw, &n->op);
    }
    if (err == ML_OK) {
        err = ml_govop_root_hash(&hash, ml_buf_slice(&n->raw), &n->org->id, &header);
    }
    if (err == ML_OK) {
        ml_sign(n->op.u.garant_name.hands.root.b, ml_slice(hash.b, sizeof(hash.b)), n->sign);
        ml_buf_clear(&n->raw);
        err = ml_govop_encode(&n->raw, &n->op);
    }
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&n->raw);
        err = ml_org_append_plain(n->org, &author, ML_LANE_GOVERNANCE, &one, 1);
    }
    return err;
}

static ml_err name_one(struct ml_org *org, const struct ml_secret *sign, const char *name,
                       struct ml_member_id *member)
{
    const struct ml_env *env = org->node->env;
    struct naming n = {.org = org, .sign = sign};
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    struct ml_buf card;
    env->random(env->ctx, member->b, sizeof(member->b));
    memcpy(of.id, member->b, sizeof(of.id));
    n.op = (struct ml_govop){.type = ML_GOVOP_GARANT_NAME, .must_understand = true};
    n.op.u.garant_name.member = *member;
    ml_buf_init(&card, env, ML_SEALED_BYTES_MAX);
    ml_buf_init(&n.raw, env, ML_GOVOP_BYTES_MAX);
    ml_err err =
        ml_card_seal(org, &n.op.u.garant_name.card, &card, &of, &(struct ml_card){.name = name});
    if (err == ML_OK) {
        err = sign_and_append(&n);
    }
    ml_buf_free(&n.raw);
    ml_buf_free(&card);
    return err;
}

static ml_err name_all(struct ml_call *call, struct ml_org *org, const struct ml_secret *sign)
{
    ml_err err = ML_OK;
    ml_args_key(call->result, "garants");
    ml_args_list(call->result);
    for (const struct ml_value *v = first_name(call); v != NULL && err == ML_OK;
         v = ml_value_next(v)) {
        struct ml_member_id member;
        const char *name = ml_value_text(v, "");
        err = name_one(org, sign, name, &member);
        ml_args_map(call->result);
        ml_result_hex(call->result, "member", member.b, sizeof(member.b));
        ml_result_text(call->result, "name", name);
        ml_args_end(call->result);
    }
    ml_args_end(call->result);
    return err;
}

ml_err ml_garants_name(struct ml_call *call, struct ml_org *org, const struct ml_secret *structure)
{
    struct ml_root_keys keys;
    if (first_name(call) == NULL) {
        return ML_OK;
    }
    ml_err err = ml_root_open(&keys, structure);
    if (err == ML_OK) {
        err = name_all(call, org, keys.sign);
    }
    ml_root_close(&keys);
    return err;
}
