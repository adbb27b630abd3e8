/* net/node/enrol_join.c -- the newcomer's side: from a code and an address to an open structure.
 *
 *   DIALLING -- link up -> ASKED -- grant -> JOINED -- governance says so -> answered
 * The grant is believed because the link's psk is the code's: who answers knows it. The genesis is
 * verified from its bytes, its hash is the org_id. The call is answered when the member may write,
 * or after a minute, when the first copy simply goes on by itself.
 */
#include <string.h>

#include "core/crypto/words.h"
#include "net/node/enrol_here.h"
#include "net/node/enrol_inner.h"
#include "net/node/exchange.h"
#include "net/node/found.h"
#include "net/node/session.h"
#include "net/node/turn.h"

enum { JOIN_MS = 30000, JOIN_CATCH_UP_MS = 60000 };

struct ml_join {
    struct ml_call *call; /* borrowed: it owns us */
    struct enrol_keys keys;
    struct ml_node_secrets node;
    struct ml_member_secrets member;
    uint64_t dial;
    uint64_t link;
    struct ml_org *org; /* borrowed; NULL until the grant */
    char address[ML_PEER_ADDRESS_MAX];
    bool here;             /* this node is in the structure already: `into` */
    struct ml_org_id into; /* it may be closed meanwhile */
    struct ml_enrolled told;
};

static void join_free(struct ml_call *call)
{
    struct ml_join *j = call->job;
    call->node->join = NULL;
    if (j->link != 0) {
        call->node->ports.link_close(call->node->ports.ctx, j->link, ML_E_CANCELED);
    }
    ml_enrol_keys_free(&j->keys);
    ml_node_secrets_free(&j->node);
    ml_member_secrets_free(&j->member);
    ml_release(call->node->env, j);
}

static void join_fail(struct ml_join *j, ml_err err, const char *text)
{
    struct ml_call *call = j->call;
    ml_call_finish(call, ml_call_fail(call, err, text, "address", j->address));
}

bool ml_enrol_join_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason)
{
    struct ml_join *j = node->join;
    if (j == NULL || j->dial != dial) {
        return false;
    }
    join_fail(j, reason, reason == ML_E_UNREACHABLE ? "enrol.unreachable" : "enrol.refused");
    return true;
}

bool ml_enrol_join_down(struct ml_node *node, uint64_t link, ml_err reason)
{
    struct ml_join *j = node->join;
    if (j == NULL || j->link != link || link == 0) {
        return false;
    }
    j->link = 0;
    if (j->org == NULL) {
        join_fail(j, reason == ML_OK ? ML_E_CANCELED : reason, "enrol.refused");
    }
    return true;
}

bool ml_enrol_join_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer)
{
    struct ml_join *j = node->join;
    struct ml_msg msg = {.kind = ML_MSG_ENROL_REQUEST};
    struct ml_msg_enrol_request *request = &msg.u.enrol_request;
    if (j == NULL || !peer->initiator || j->dial != peer->dial) {
        return false;
    }
    j->link = link;
    ml_box_pk_of(&request->noise, j->node.noise);
    ml_sign_pk_of(&request->mon_sign, j->member.mon_sign);
    ml_box_pk_of(&request->mon_box, j->member.mon_box);
    ml_sign_pk_of(&request->node_writer, j->node.writer);
    request->node_name = ml_slice_str(ml_call_text_or(j->call, "node_name", "poste"));
    ml_enrol_proof(request->proof, j->keys.psk, peer->handshake_hash, request);
    ml_enrol_words(j->told.words, request->proof);
    ml_enrol_send(node, link, &msg);
    return true;
}

static ml_err sponsor_keep(struct ml_join *j, const struct ml_msg_enrol_grant *grant)
{
    struct ml_log_peer peer = {.node = grant->responder};
    ml_err err = ml_exchange_set_sponsor(j->org, &grant->responder, &grant->responder_noise);
    memcpy(peer.address, j->address, sizeof(peer.address));
    return err == ML_OK ? ml_log_peer_put(j->org->log, &peer) : err;
}

static ml_err org_make(struct ml_join *j, const struct ml_msg_enrol_grant *grant)
{
    struct ml_call *call = j->call;
    struct ml_keystore_first first = {.id = grant->member, .node = &j->node, .member = &j->member};
    struct ml_keystore *ks = NULL;
    struct ml_org *org = NULL;
    j->node.node = grant->node;
    j->node.network_epoch = grant->network_epoch;
    memcpy(ml_secret_writable(j->node.network), grant->network_secret, 32);
    ml_err err = ml_call_passphrase(call, &first.passphrase);
    if (err == ML_OK) {
        err = ml_keystore_make(&ks, call->node, &grant->org, &first);
    }
    if (err == ML_OK) {
        err = ml_org_new(&org, call->node, ks);
        ks = err == ML_OK ? NULL : ks;
    }
    if (err == ML_OK) {
        err = ml_org_open(org, true);
    }
    if (err == ML_OK) {
        err = ml_org_append_wires(org, &grant->genesis, 1); /* refused unless its hash is the org */
    }
    if (err == ML_OK) {
        err = ml_session_begin(org, &grant->member, call->posix_session);
    }
    if (err == ML_OK) {
        err = ml_org_replace_unopened(org);
    }
    if (err == ML_OK) {
        err = ml_org_first_keystore(org);
    }
    if (err != ML_OK) {
        ml_keystore_free(ks);
        ml_org_free(org);
        return err;
    }
    ml_org_join(org);
    j->org = org;
    return sponsor_keep(j, grant);
}

static struct ml_org *org_into(const struct ml_join *j)
{
    struct ml_org *org = j->call->node->orgs;
    while (org != NULL && memcmp(&org->id, &j->into, sizeof(j->into)) != 0) {
        org = org->next;
    }
    return org != NULL && org->open ? org : NULL;
}

/* A slot on this node, and its member is there at once. */
static ml_err slot_take(struct ml_join *j, const struct ml_msg_enrol_grant *grant)
{
    struct ml_org *org = org_into(j);
    struct ml_new_slot slot = {.member = grant->member, .secrets = &j->member};
    if (org == NULL) {
        return ML_E_LOCKED;
    }
    if (memcmp(&grant->org, &org->id, sizeof(org->id)) != 0 ||
        memcmp(&grant->node, &org->secrets.node, sizeof(org->secrets.node)) != 0) {
        return ML_E_PROTOCOL; /* of another structure, or of a node that isn't this one */
    }
    ml_err err = ml_call_passphrase(j->call, &slot.passphrase);
    if (err == ML_OK) {
        err = ml_slot_put(org, &slot);
    }
    if (err == ML_OK) {
        err = ml_session_begin(org, &slot.member, j->call->posix_session);
    }
    if (err == ML_OK) {
        j->org = org;
        org->behind = true;
    }
    return err;
}

/* One turn while the first copy comes: until the member's writer could be opened. */
static ml_err join_step(struct ml_call *call)
{
    struct ml_join *j = call->job;
    const struct ml_env *env = call->node->env;
    bool opened = false;
    if (j->org == NULL) {
        return env->now_ms(env->ctx) < call->deadline_ms
                   ? ML_E_PENDING
                   : ml_call_fail(call, ML_E_TIMEOUT, "enrol.timeout", "address", j->address);
    }
    ml_err err = ml_session_open_writers(j->org, &opened);
    if (err == ML_OK && !opened && env->now_ms(env->ctx) < call->deadline_ms) {
        return ML_E_PENDING;
    }
    if (err == ML_OK) {
        ml_session_describe(j->org, call->result);
        ml_result_text(call->result, "words", j->told.words);
        ml_exchange_run(j->org);
    }
    return err;
}

static void grant_take(struct ml_join *j, const struct ml_msg_enrol_grant *grant)
{
    struct ml_node *node = j->call->node;
    struct ml_msg ready = {.kind = ML_MSG_ENROL_READY, .u.enrol_ready = {.node = grant->node}};
    ml_err err = j->here ? slot_take(j, grant) : org_make(j, grant);
    if (err != ML_OK) {
        join_fail(j, err, "enrol.store");
        return;
    }
    ml_enrol_send(node, j->link, &ready);
    j->call->deadline_ms = node->env->now_ms(node->env->ctx) + JOIN_CATCH_UP_MS;
    ml_exchange_dial_all(j->org);
}

bool ml_enrol_join_message(struct ml_node *node, uint64_t link, struct ml_slice bytes)
{
    static const char *const refusals[] = {
        [ML_ENROL_WRONG_CODE] = "enrol.wrong_code",
        [ML_ENROL_EXPIRED] = "enrol.expired",
        [ML_ENROL_USED] = "enrol.used",
        [ML_ENROL_DENIED] = "enrol.denied",
        [ML_ENROL_LOCKED] = "enrol.locked",
    };
    struct ml_join *j = node->join;
    struct ml_msg msg;
    struct ml_fault fault;
    if (j == NULL || j->link != link || link == 0) {
        return false;
    }
    ml_err err = ml_msg_decode(&msg, bytes, &fault);
    if (err == ML_OK && msg.kind == ML_MSG_ENROL_GRANT && j->org == NULL) {
        grant_take(j, &msg.u.enrol_grant);
        return true;
    }
    if (err == ML_OK && msg.kind == ML_MSG_ENROL_REFUSE) {
        uint8_t reason = msg.u.enrol_refuse.reason;
        bool named = reason >= ML_ENROL_WRONG_CODE && reason <= ML_ENROL_LOCKED;
        join_fail(j, ML_E_DENIED, named ? refusals[reason] : "enrol.refused");
        return true;
    }
    join_fail(j, err == ML_OK ? ML_E_PROTOCOL : err, "enrol.refused");
    return true;
}

static ml_err join_params(struct ml_call *call, struct ml_join *j, struct ml_secret **code)
{
    const char *address = NULL;
    struct ml_slice passphrase;
    ml_err err = ml_call_text(call, &address, "address");
    if (err == ML_OK) {
        err = ml_call_passphrase(call, &passphrase);
    }
    if (err == ML_OK && strlen(address) >= sizeof(j->address)) {
        err = ml_call_fail(call, ML_E_LIMIT, "param.long", "param", "address");
    }
    if (err != ML_OK) {
        return err;
    }
    memcpy(j->address, address, strlen(address) + 1);
    return ml_enrol_code_read(call, code);
}

static void join_dial(struct ml_join *j)
{
    struct ml_node *node = j->call->node;
    j->dial = ++node->next_dial;
    const struct ml_dial_request request = {.dial = j->dial,
                                            .kind = ML_LINK_ENROL,
                                            .psk = j->keys.psk,
                                            .mac = j->keys.mac,
                                            .static_key = j->node.noise,
                                            .address = j->address};
    node->ports.dial(node->ports.ctx, &request);
}

/* The keys that this node has already, in the place of those that were drawn. */
static ml_err keys_of_here(struct ml_join *j, const struct ml_org *org)
{
    struct ml_node_secrets *node = &j->node;
    const struct ml_secret *noise = org->secrets.noise;
    const struct ml_secret *writer = org->secrets.writer;
    j->here = true;
    j->into = org->id;
    ml_secret_free(node->noise);
    ml_secret_free(node->writer);
    node->noise = NULL;
    node->writer = NULL;
    ml_err err = ml_secret_from(&node->noise, ml_secret_bytes(noise), ml_secret_len(noise));
    return err == ML_OK
               ? ml_secret_from(&node->writer, ml_secret_bytes(writer), ml_secret_len(writer))
               : err;
}

static ml_err join_begin(struct ml_call *call, const struct ml_org *into)
{
    struct ml_node *node = call->node;
    struct ml_secret *code = NULL;
    if (node->join != NULL) {
        return ml_call_fail(call, ML_E_BUSY, "enrol.busy", NULL, NULL);
    }
    struct ml_join *j = ml_alloc(node->env, sizeof(*j));
    if (j == NULL) {
        return ML_E_NOMEM;
    }
    j->call = call;
    node->join = j;
    call->job = j;
    call->job_free = join_free;
    ml_err err = join_params(call, j, &code);
    if (err == ML_OK) {
        err = ml_enrol_keys_derive(&j->keys, code);
    }
    ml_secret_free(code);
    if (err == ML_OK) {
        err = ml_secrets_draw(node->env, &j->node, &j->member);
    }
    if (err == ML_OK && into != NULL) {
        err = keys_of_here(j, into);
    }
    if (err != ML_OK) {
        return err;
    }
    call->step = join_step;
    call->deadline_ms = node->env->now_ms(node->env->ctx) + JOIN_MS;
    ml_call_defer(call);
    join_dial(j);
    return ML_E_PENDING;
}

ml_err ml_method_enrol_join(struct ml_call *call)
{
    return join_begin(call, NULL);
}

ml_err ml_enrol_join_here(struct ml_call *call)
{
    return join_begin(call, call->org);
}
