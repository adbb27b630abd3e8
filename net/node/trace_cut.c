/* net/node/trace_cut.c -- entries of the journal become a bundle of lane 2 (decisions 16).
 *
 * A cut takes the entries of one actor: of the member who is unlocked, nobody else's reading is
 * sealed to him; and those of the node itself, which the unlocked member's writer carries sealed to
 * the auditor alone: he can't read them again. What a crash leaves is found in the journal at the
 * next opening and cut when its actor is there. A crash between a cut and its note makes the same
 * entries appear twice, never not at all.
 */
#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/box.h"
#include "core/crypto/key_id.h"
#include "net/node/session.h"
#include "net/node/trace_inner.h"

struct cut {
    struct ml_org *org;
    struct ml_member_id actor; /* zero: the node itself */
    struct ml_author author;
    struct ml_header header;
    struct ml_dict_entry dict;
    struct ml_secret *key; /* of this bundle's entries */
    struct ml_buf sealed;  /* the deposit, then the entries' ciphertexts */
    size_t at[ML_BUNDLE_OPS_MAX + 1];
    uint32_t count;
    uint64_t last; /* journal index of the last entry taken */
};

static bool is_node(const struct ml_member_id *actor)
{
    static const struct ml_member_id node;
    return memcmp(actor, &node, sizeof(node)) == 0;
}

/* The bundle's key, sealed to the auditor and to the author (rules A2). */
static ml_err deposit_put(struct cut *c)
{
    const struct ml_fact *root = ml_gov_root(ml_log_gov(c->org->log));
    struct ml_trace_deposit deposit;
    struct ml_box_pk mine = {{0}};
    uint8_t context[ML_TRACE_CONTEXT_BYTES];
    const struct ml_slice at = ml_slice(context, sizeof(context));
    const struct ml_slice key = ml_slice(ml_secret_bytes(c->key), ml_secret_len(c->key));
    if (root == NULL) {
        return ML_E_NOT_FOUND;
    }
    ml_trace_context(context, &c->org->id, &c->dict.key);
    if (is_node(&c->actor)) {
        mine = root->audit; /* nobody on the node reads them again */
    } else {
        ml_box_pk_of(&mine, c->org->session->secrets.mon_box);
    }
    ml_err err = ml_seal_anon(deposit.audit, key, &root->audit, at, c->org->node->env);
    if (err == ML_OK) {
        err = ml_seal_anon(deposit.author, key, &mine, at, c->org->node->env);
    }
    return err == ML_OK ? ml_trace_deposit_encode(&c->sealed, &deposit) : err;
}

/* One entry, bound to its place (I8). */
static void entry_seal(struct cut *c, const struct ml_trace_pending *p)
{
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    ml_op_ad(ad, &c->org->id, &c->header, (uint8_t)c->count, &c->dict);
    ml_op_nonce(nonce, &c->header.salt, (uint8_t)c->count);
    uint8_t *out = ml_buf_extend(&c->sealed, p->len + ML_AEAD_TAG_BYTES);
    if (out != NULL) {
        ml_aead_seal(out, ml_slice(p->plain, p->len), ml_slice(ad, sizeof(ad)), nonce,
                     ml_secret_bytes(c->key));
    }
}

static bool is_of(const struct ml_trace_pending *p, const struct ml_member_id *actor)
{
    return memcmp(&p->actor, actor, sizeof(p->actor)) == 0;
}

static ml_err entries_put(struct cut *c)
{
    struct ml_slice plains[ML_BUNDLE_OPS_MAX];
    size_t n = 0;
    for (const struct ml_trace_pending *p = c->org->traces->first;
         p != NULL && n < ML_TRACE_CUT_ENTRIES; p = p->next) {
        if (is_of(p, &c->actor)) {
            plains[n++] = ml_slice(p->plain, p->len);
        }
    }
    ml_org_salt(c->org, &c->header.salt, &c->header, plains, n);
    ml_err err = deposit_put(c);
    c->count = 1;
    c->at[1] = c->sealed.len;
    for (const struct ml_trace_pending *p = c->org->traces->first; p != NULL && c->count <= n;
         p = p->next) {
        if (is_of(p, &c->actor)) {
            entry_seal(c, p);
            c->at[++c->count] = c->sealed.len;
            c->last = p->index;
        }
    }
    return err == ML_OK ? c->sealed.err : err;
}

static ml_err cut_append(struct cut *c)
{
    struct ml_op_draft ops[ML_BUNDLE_OPS_MAX];
    struct ml_bundle_draft draft = {.header = c->header, .op_count = c->count};
    struct ml_hash hash;
    struct ml_buf wire;
    for (uint32_t i = 0; i < c->count; i++) {
        ops[i] = (struct ml_op_draft){
            .sealed = ml_slice(c->sealed.data + c->at[i], c->at[i + 1] - c->at[i])};
    }
    draft.ops = ops;
    ml_buf_init(&wire, c->org->node->env, ML_BUNDLE_BYTES_MAX);
    ml_err err = ml_bundle_build(&wire, &hash, &draft, &c->org->id, c->author.seed);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&wire);
        err = ml_org_append_wires(c->org, &one, 1);
    }
    ml_buf_free(&wire);
    return err;
}

static void pending_drop(struct ml_org *org, const struct ml_member_id *actor, uint64_t last)
{
    struct ml_traces *t = org->traces;
    for (struct ml_trace_pending **at = &t->first; *at != NULL;) {
        struct ml_trace_pending *p = *at;
        if (is_of(p, actor) && p->index <= last) {
            *at = p->next;
            ml_release(org->node->env, p);
            t->count--;
        } else {
            at = &p->next;
        }
    }
    t->last = &t->first;
    while (*t->last != NULL) {
        t->last = &(*t->last)->next;
    }
}

/* Can entries of this actor be signed now? The node's by whoever is there. */
static bool is_ripe(const struct ml_org *org, const struct ml_trace_pending *p)
{
    const struct ml_session *s = org->session;
    return s != NULL && s->writers_open && (is_node(&p->actor) || is_of(p, &s->member));
}

static ml_err cut_one(struct cut *c)
{
    struct ml_org *org = c->org;
    const struct ml_env *env = org->node->env;
    ml_buf_init(&c->sealed, env, ML_BODY_BYTES_MAX);
    ml_session_author(org, &c->author);
    ml_err err = ml_org_next_header(org, &c->header, &c->author, ML_LANE_TRACE);
    if (err == ML_OK) {
        err = ml_secret_new(&c->key, ML_AEAD_KEY_BYTES);
    }
    if (err == ML_OK) {
        env->random(env->ctx, ml_secret_writable(c->key), ML_AEAD_KEY_BYTES);
        c->dict = (struct ml_dict_entry){.key = ml_key_id_of(c->key),
                                         .compartment = ML_COMPARTMENT_AUDIT,
                                         .action = ML_ACTION_DEPOSIT};
        c->header.dictionary.items = &c->dict;
        c->header.dictionary.count = 1;
        err = entries_put(c);
    }
    if (err == ML_OK) {
        err = cut_append(c);
    }
    if (err == ML_OK) {
        err = ml_trace_note_cut(org, &c->actor, c->last);
    }
    if (err == ML_OK) {
        pending_drop(org, &c->actor, c->last);
    }
    ml_secret_free(c->key);
    ml_buf_free(&c->sealed);
    return err;
}

/* The oldest entry that can be signed; NULL: none. */
static const struct ml_trace_pending *first_ripe(const struct ml_org *org)
{
    const struct ml_trace_pending *p = org->traces->first;
    while (p != NULL && !is_ripe(org, p)) {
        p = p->next;
    }
    return p;
}

bool ml_trace_may_cut(const struct ml_org *org)
{
    return org->traces != NULL && first_ripe(org) != NULL;
}

ml_err ml_trace_cut(struct ml_org *org)
{
    struct ml_traces *t = org->traces;
    ml_err err = ML_OK;
    if (t == NULL) {
        return ML_OK;
    }
    while (err == ML_OK) {
        struct cut c = {.org = org};
        const struct ml_trace_pending *p = first_ripe(org);
        if (p == NULL) {
            break;
        }
        c.actor = p->actor;
        err = cut_one(&c);
    }
    if (err == ML_OK) {
        t->cut_at_ms = 0;
    }
    if (err == ML_OK && t->first == NULL && ml_tracejournal_last(t->journal) > 0) {
        err = ml_tracejournal_cut(t->journal, ml_tracejournal_last(t->journal));
    }
    return err;
}
