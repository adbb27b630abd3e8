/* net/node/enrol_offer.c -- the coordinator's side: a code, one link, one grant.
 *
 *   WAITING -- link up -> LINKED -- request with the right proof -> GRANTED -- ready -> ended
 * Anything else closes the link. A wrong proof ends the code: it was guessed at, or there is a
 * machine in the middle. The code dies after ten minutes, when it is used, and when the member who
 * made it locks.
 */
#include <string.h>

#include "core/crypto/words.h"
#include "net/node/enrol_inner.h"
#include "net/node/exchange.h"
#include "net/node/exclude.h"
#include "net/node/found.h"
#include "net/node/keys.h"
#include "net/node/session.h"
#include "net/node/trace.h"

struct ml_enrol_offer {
    struct enrol_keys keys;
    struct ml_member_id member;
    uint64_t until_ms;
    uint64_t link; /* 0: none yet */
    bool granted;
    struct ml_box_pk noise; /* that the link's handshake proved */
    uint8_t handshake_hash[64];
    size_t handshake_len;
    struct ml_node_id node; /* of the newcomer */
};

void ml_enrol_offer_end(struct ml_org *org)
{
    struct ml_enrol_offer *o = org->offer;
    if (o == NULL) {
        return;
    }
    org->offer = NULL;
    if (org->exchange != NULL) {
        ml_exchange_offer_enrolment(org, NULL, NULL);
    }
    ml_enrol_keys_free(&o->keys);
    ml_release(org->node->env, o);
}

uint64_t ml_enrol_offer_tick(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    const struct ml_enrol_offer *o = org->offer;
    if (o == NULL || o->link != 0) {
        return UINT64_MAX; /* a link that is up ends by itself */
    }
    if (env->now_ms(env->ctx) <= o->until_ms) {
        return o->until_ms + 1;
    }
    ml_enrol_offer_end(org);
    return UINT64_MAX;
}

static struct ml_org *offer_of(struct ml_node *node, uint64_t link)
{
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        if (org->offer != NULL && org->offer->link == link) {
            return org;
        }
    }
    return NULL;
}

/* That of the structure whose code the link proved. */
static struct ml_org *offer_waiting(struct ml_node *node, const struct ml_org_id *id)
{
    struct ml_org *org = node->orgs;
    while (org != NULL && memcmp(&org->id, id, sizeof(*id)) != 0) {
        org = org->next;
    }
    return org != NULL && org->offer != NULL && org->offer->link == 0 ? org : NULL;
}

bool ml_enrol_offer_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer)
{
    if (peer->initiator) {
        return false;
    }
    struct ml_org *org = offer_waiting(node, &peer->org);
    if (org == NULL || peer->handshake_hash.len > sizeof(org->offer->handshake_hash)) {
        return false;
    }
    org->offer->link = link;
    org->offer->noise = peer->remote_static;
    org->offer->handshake_len = peer->handshake_hash.len;
    memcpy(org->offer->handshake_hash, peer->handshake_hash.data, peer->handshake_hash.len);
    return true;
}

bool ml_enrol_offer_down(struct ml_node *node, uint64_t link)
{
    struct ml_org *org = offer_of(node, link);
    if (org == NULL) {
        return false;
    }
    if (org->offer->granted) {
        ml_enrol_offer_end(org);
    } else {
        org->offer->link = 0; /* cut before the request: the code may be tried again */
    }
    return true;
}

static ml_err enrol_write(struct ml_org *org, const struct ml_msg_enrol_request *request)
{
    struct ml_govop op = {.type = ML_GOVOP_NODE_ENROL, .must_understand = true};
    struct ml_author author;
    struct ml_buf buf;
    ml_session_author(org, &author);
    op.u.node_enrol.member = org->offer->member;
    op.u.node_enrol.node = org->offer->node;
    op.u.node_enrol.noise = request->noise;
    op.u.node_enrol.mon_sign = request->mon_sign;
    op.u.node_enrol.mon_box = request->mon_box;
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_govop_encode(&buf, &op);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&buf);
        err = ml_org_append_plain(org, &author, ML_LANE_GOVERNANCE, &one, 1);
    }
    ml_buf_free(&buf);
    err = err == ML_OK ? ml_keys_ready(org, ML_KEYS_ALL) : err;
    return err == ML_OK ? ml_exclude_keep(org) : err;
}

static ml_err name_node(struct ml_org *org, const struct ml_msg_enrol_request *request)
{
    char name[ML_MSG_NAME_MAX + 1];
    struct ml_card_place of = {.kind = ML_CARD_NODE};
    const struct ml_card card = {.name = name};
    if (request->node_name.len == 0) {
        return ML_OK;
    }
    memcpy(name, request->node_name.data, request->node_name.len);
    name[request->node_name.len] = '\0';
    memcpy(of.id, org->offer->node.b, sizeof(of.id));
    return ml_org_set_card(org, &of, &card);
}

/* The genesis as stored, in its wire form. */
static ml_err genesis_of(struct ml_org *org, struct ml_buf *out)
{
    struct ml_log_entry entry;
    struct ml_hash hash;
    memcpy(hash.b, org->id.b, sizeof(hash.b));
    const struct ml_hash16 start = ml_hash16_of(&hash);
    ml_err err = ml_log_get(org->log, &start, &entry);
    return err == ML_OK ? ml_bundle_join(out, entry.header_bytes, &entry.sig, &entry.body) : err;
}

static ml_err grant_send(struct ml_org *org)
{
    const struct ml_fact *member = ml_gov_member(ml_log_gov(org->log), &org->offer->member);
    struct ml_msg msg = {.kind = ML_MSG_ENROL_GRANT};
    struct ml_msg_enrol_grant *grant = &msg.u.enrol_grant;
    struct ml_buf genesis;
    ml_buf_init(&genesis, org->node->env, ML_BUNDLE_BYTES_MAX);
    ml_err err = genesis_of(org, &genesis);
    if (err == ML_OK && member == NULL) {
        err = ML_E_NOT_FOUND;
    }
    if (err == ML_OK) {
        grant->org = org->id;
        grant->genesis = ml_buf_slice(&genesis);
        grant->network_epoch = org->secrets.network_epoch;
        memcpy(grant->network_secret, ml_secret_bytes(org->secrets.network),
               sizeof(grant->network_secret));
        grant->member = org->offer->member;
        grant->node = org->offer->node;
        grant->responder = org->secrets.node;
        ml_box_pk_of(&grant->responder_noise, org->secrets.noise);
        /* The message knows no garant; what he is, the log tells him. */
        grant->rank = member->rank > ML_RANK_MEMBER ? ML_RANK_MEMBER : member->rank;
        grant->role = member->role != 0 ? member->role : ML_ROLE_ADMIN;
        grant->org_name = ml_slice_str("");
        ml_enrol_send(org->node, org->offer->link, &msg);
        ml_wipe(grant->network_secret, sizeof(grant->network_secret));
    }
    ml_buf_free(&genesis);
    return err;
}

static void refuse(struct ml_org *org, ml_enrol_refusal reason)
{
    const struct ml_msg msg = {.kind = ML_MSG_ENROL_REFUSE,
                               .u.enrol_refuse = {.reason = (uint8_t)reason}};
    ml_enrol_send(org->node, org->offer->link, &msg);
}

static void enrolled_keep(struct ml_org *org, const uint8_t proof[32])
{
    org->enrolled = (struct ml_enrolled){.member = org->offer->member, .node = org->offer->node};
    ml_enrol_words(org->enrolled.words, proof);
}

static ml_err request_take(struct ml_org *org, const struct ml_msg_enrol_request *request)
{
    const struct ml_env *env = org->node->env;
    struct ml_enrol_offer *o = org->offer;
    uint8_t proof[32];
    ml_enrol_proof(proof, o->keys.psk, ml_slice(o->handshake_hash, o->handshake_len), request);
    if (!ml_equal_ct(proof, request->proof, sizeof(proof))) {
        refuse(org, ML_ENROL_WRONG_CODE);
        return ML_E_FORGED;
    }
    if (memcmp(&request->noise, &o->noise, sizeof(o->noise)) != 0) {
        refuse(org, ML_ENROL_DENIED); /* a key that is another's, perhaps */
        return ML_E_DENIED;
    }
    if (env->now_ms(env->ctx) > o->until_ms) {
        refuse(org, ML_ENROL_EXPIRED);
        return ML_E_TIMEOUT;
    }
    if (org->session == NULL || !ml_org_is_coordinator(org)) {
        refuse(org, ML_ENROL_LOCKED);
        return ML_E_LOCKED;
    }
    const struct ml_fact *known = ml_gov_noise(ml_log_gov(org->log), &request->noise);
    const bool is_new = known == NULL; /* else a node of ours, which its link's key proves */
    if (is_new) {
        env->random(env->ctx, o->node.b, sizeof(o->node.b));
    } else {
        o->node = known->node;
    }
    ml_err err = enrol_write(org, request);
    if (err == ML_OK && is_new) {
        err = name_node(org, request);
    }
    if (err == ML_OK) {
        o->granted = true;
        enrolled_keep(org, proof);
        err = grant_send(org);
    }
    return err;
}

ml_err ml_enrol_offer_here(struct ml_call *call, const struct ml_secret *psk,
                           struct ml_member_id *member)
{
    struct ml_org *org = call->org;
    const struct ml_env *env = org->node->env;
    const struct ml_enrol_offer *o = org->offer;
    if (o == NULL || o->granted || o->link != 0) {
        return ml_call_fail(call, ML_E_DENIED, "enrol.none_here", NULL, NULL);
    }
    if (!ml_secret_equal(o->keys.psk, psk)) {
        ml_enrol_offer_end(org);
        return ml_call_fail(call, ML_E_DENIED, "enrol.wrong_code", NULL, NULL);
    }
    if (env->now_ms(env->ctx) > o->until_ms) {
        ml_enrol_offer_end(org);
        return ml_call_fail(call, ML_E_DENIED, "enrol.expired", NULL, NULL);
    }
    if (org->session == NULL || !ml_org_is_coordinator(org)) {
        return ml_call_fail(call, ML_E_LOCKED, "enrol.locked", NULL, NULL);
    }
    if (memcmp(&org->session->member, &o->member, sizeof(o->member)) == 0) {
        return ml_call_fail(call, ML_E_DENIED, "enrol.oneself", NULL, NULL);
    }
    *member = o->member;
    return ML_OK;
}

ml_err ml_enrol_offer_grant_here(struct ml_org *org, const struct ml_msg_enrol_request *request)
{
    org->offer->node = org->secrets.node;
    ml_err err = enrol_write(org, request);
    if (err == ML_OK) {
        enrolled_keep(org, request->proof);
        ml_enrol_offer_end(org);
        ml_exchange_run(org);
    }
    return err;
}

ml_err ml_method_enrol_last(struct ml_call *call)
{
    const struct ml_enrolled *last = &call->org->enrolled;
    if (last->words[0] == '\0') {
        return ml_call_fail(call, ML_E_NOT_FOUND, "enrol.nobody", NULL, NULL);
    }
    ml_enrol_words_answer(call, last);
    return ML_OK;
}

bool ml_enrol_offer_message(struct ml_node *node, uint64_t link, struct ml_slice bytes)
{
    struct ml_org *org = offer_of(node, link);
    struct ml_msg msg;
    struct ml_fault fault;
    if (org == NULL || link == 0) {
        return false;
    }
    ml_err err = ml_msg_decode(&msg, bytes, &fault);
    if (err == ML_OK && msg.kind == ML_MSG_ENROL_READY && org->offer->granted) {
        node->ports.link_close(node->ports.ctx, link, ML_OK);
        ml_exchange_run(org);
        return true;
    }
    if (err == ML_OK && (msg.kind != ML_MSG_ENROL_REQUEST || org->offer->granted)) {
        err = ML_E_PROTOCOL;
    }
    if (err == ML_OK) {
        err = request_take(org, &msg.u.enrol_request);
    }
    if (err != ML_OK) {
        ml_logf(node->env, ML_LOG_WARN, "enrol", "request refused: %s", ml_err_name(err));
        node->ports.link_close(node->ports.ctx, link, err);
        ml_enrol_offer_end(org);
    }
    ml_exchange_run(org);
    return true;
}

static ml_err offer_new(struct ml_call *call, const struct ml_secret *code,
                        const struct ml_member_id *member)
{
    struct ml_org *org = call->org;
    const struct ml_env *env = org->node->env;
    struct ml_enrol_offer *o = ml_alloc(env, sizeof(*o));
    if (o == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = ml_enrol_keys_derive(&o->keys, code);
    if (err != ML_OK) {
        ml_release(env, o);
        return err;
    }
    ml_enrol_offer_end(org);
    o->member = *member;
    o->until_ms = env->now_ms(env->ctx) + ML_ENROL_CODE_MS;
    org->offer = o;
    ml_exchange_offer_enrolment(org, o->keys.psk, o->keys.mac);
    return ML_OK;
}

ml_err ml_method_enrol_code(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    struct ml_member_id member;
    struct ml_secret *code = NULL;
    struct ml_secret *words = NULL;
    ml_err err = ml_call_id(call, member.b, sizeof(member.b), "member");
    if (err != ML_OK) {
        return err;
    }
    if (ml_gov_member(ml_log_gov(call->org->log), &member) == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "member.unknown", NULL, NULL);
    }
    err = ml_secret_new(&code, ML_ENROL_CODE_BYTES);
    if (err == ML_OK) {
        env->random(env->ctx, ml_secret_writable(code), ML_ENROL_CODE_BYTES);
        err = ml_words_encode(&words, code);
    }
    if (err == ML_OK) {
        err = offer_new(call, code, &member);
    }
    if (err == ML_OK) {
        ml_result_text(call->result, "code", (const char *)ml_secret_bytes(words));
        ml_result_int(call->result, "seconds", ML_ENROL_CODE_MS / 1000);
    }
    ml_secret_free(code);
    ml_secret_free(words);
    return err;
}
