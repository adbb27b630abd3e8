/* net/node/methods_sync.c -- peers and exchanges: add, list, now, status, wait, pause, resume. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/ids.h"
#include "net/node/card.h"
#include "net/node/contacts.h"
#include "net/node/exchange.h"
#include "net/node/trace.h"
#include "net/node/turn.h"

/* A node of the structure by its id. */
static ml_err param_node(struct ml_call *call, struct ml_node_id *out)
{
    ml_err err = ml_call_id(call, out->b, sizeof(out->b), "node");
    if (err != ML_OK) {
        return err;
    }
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (memcmp(&f->node, out, sizeof(*out)) == 0) {
            return ML_OK;
        }
    }
    return ml_call_fail(call, ML_E_NOT_FOUND, "peer.unknown", NULL, NULL);
}

static ml_err peer_add(struct ml_call *call)
{
    struct ml_log_peer peer = {.last_err = ML_OK};
    const char *address = NULL;
    ml_err err = param_node(call, &peer.node);
    if (err == ML_OK) {
        err = ml_call_text(call, &address, "address");
    }
    if (err == ML_OK && strlen(address) >= sizeof(peer.address)) {
        err = ml_call_fail(call, ML_E_LIMIT, "param.long", "param", "address");
    }
    if (err != ML_OK) {
        return err;
    }
    memcpy(peer.address, address, strlen(address) + 1);
    err = ml_log_peer_put(call->org->log, &peer);
    if (err == ML_OK) {
        ml_exchange_dial_all(call->org);
        err = ml_contacts_address(call->org, &peer.node, address);
    }
    return err;
}

struct peer_rows {
    struct ml_org *org;
    struct ml_args *out;
};

static ml_err peer_row(void *user, const struct ml_log_peer *peer)
{
    const struct peer_rows *rows = user;
    struct ml_card_place of = {.kind = ML_CARD_NODE};
    memcpy(of.id, peer->node.b, sizeof(of.id));
    ml_args_map(rows->out);
    ml_result_hex(rows->out, "node", peer->node.b, sizeof(peer->node.b));
    ml_result_text(rows->out, "address", peer->address);
    ml_result_int(rows->out, "last_seen_ms", (int64_t)peer->last_seen_ms);
    ml_card_describe(rows->org, rows->out, &of);
    ml_args_end(rows->out);
    return ML_OK;
}

static ml_err peer_list(struct ml_call *call)
{
    struct peer_rows rows = {call->org, call->result};
    ml_args_key(call->result, "peers");
    ml_args_list(call->result);
    ml_err err = ml_log_peers(call->org->log, peer_row, &rows);
    ml_args_end(call->result);
    return err;
}

static ml_err sync_now(struct ml_call *call)
{
    ml_exchange_dial_all(call->org);
    return ML_OK;
}

/* For scripts and for the client's texts: lower-case words of the state table. */
static const char *state_key(ml_sync_state state)
{
    static const char *const keys[] = {
        [ML_SYNC_STATE_START] = "start",       [ML_SYNC_STATE_HELLO] = "hello",
        [ML_SYNC_STATE_FRONTIER] = "frontier", [ML_SYNC_STATE_EXCHANGE] = "exchange",
        [ML_SYNC_STATE_LIVE] = "live",         [ML_SYNC_STATE_CLOSING] = "closing",
        [ML_SYNC_STATE_OFFLINE] = "offline",
    };
    return keys[state];
}

static void flow_describe(struct ml_args *out, const char *key, const struct ml_sync_flow *flow)
{
    ml_args_key(out, key);
    ml_args_map(out);
    ml_result_int(out, "bundles", flow->bundles);
    ml_result_int(out, "bytes", (int64_t)flow->bytes);
    ml_result_int(out, "bundles_planned", flow->bundles_planned);
    ml_result_int(out, "bytes_planned", (int64_t)flow->bytes_planned);
    ml_result_int(out, "chunks", (int64_t)flow->chunks);
    ml_result_int(out, "chunk_bytes", (int64_t)flow->chunk_bytes);
    ml_args_end(out);
}

static ml_err head_put(void *user, const struct ml_dep *head)
{
    if (head->lane != ML_LANE_TRACE) {
        char text[ML_HEX_SIZE(sizeof(head->writer.b)) + 16];
        ml_hex_encode(text, head->writer.b, sizeof(head->writer.b));
        snprintf(text + strlen(text), 16, "/%u/%u", head->lane, head->seq);
        ml_args_text(user, text);
    }
    return ML_OK;
}

/* What `sync.wait` takes behind "frontier=": the digest, or heads joined by commas. */
static ml_err frontier_describe(struct ml_org *org, struct ml_args *out)
{
    struct ml_frontier_digest digest;
    ml_err err = ml_log_digest(org->log, &digest);
    if (err == ML_OK) {
        ml_result_hex(out, "frontier_digest", digest.frontier, sizeof(digest.frontier));
        ml_args_key(out, "frontier");
        ml_args_list(out);
        err = ml_log_heads(org->log, head_put, out);
        ml_args_end(out);
    }
    return err;
}

static ml_err sync_status(struct ml_call *call)
{
    const struct ml_sync *sync = ml_exchange_engine(call->org);
    const struct ml_env *env = call->node->env;
    struct ml_args *out = call->result;
    ml_result_bool(out, "paused", ml_sync_is_paused(sync));
    ml_result_int(out, "now_ms", (int64_t)env->now_ms(env->ctx));
    ml_args_key(out, "peers");
    ml_args_list(out);
    for (size_t i = 0; i < ml_sync_peer_count(sync); i++) {
        struct ml_sync_status status;
        struct ml_card_place of = {.kind = ML_CARD_NODE};
        ml_sync_peer_at(sync, i, &status);
        if (status.unknown) {
            continue;
        }
        memcpy(of.id, status.peer.b, sizeof(of.id));
        ml_args_map(out);
        ml_result_hex(out, "node", status.peer.b, sizeof(status.peer.b));
        ml_card_describe(call->org, out, &of);
        ml_result_text(out, "state", state_key(status.state));
        ml_result_bool(out, "synced", status.synced);
        ml_result_bool(out, "drains", status.drains);
        ml_result_text(out, "last_error", ml_err_name(status.last_err));
        ml_result_int(out, "last_exchange_ms", (int64_t)status.last_exchange_ms);
        flow_describe(out, "in", &status.in);
        flow_describe(out, "out", &status.out);
        ml_args_end(out);
    }
    ml_args_end(out);
    return frontier_describe(call->org, out);
}

/* Is it linked, and to have the same as we? */
static bool is_awaited(const struct ml_sync_status *status)
{
    return status->state != ML_SYNC_STATE_OFFLINE && !status->unknown && !status->drains;
}

/* Every peer that is linked has the same as we; at least one there is. */
static bool all_synced(struct ml_org *org)
{
    const struct ml_sync *sync = ml_exchange_engine(org);
    size_t linked = 0;
    for (size_t i = 0; i < ml_sync_peer_count(sync); i++) {
        struct ml_sync_status status;
        ml_sync_peer_at(sync, i, &status);
        if (!is_awaited(&status)) {
            continue;
        }
        if (!status.synced) {
            return false;
        }
        linked++;
    }
    return linked > 0 && !org->behind;
}

static bool enough_synced(const struct ml_call *call)
{
    const struct ml_value *wanted = ml_value_get(call->params, "peers");
    const struct ml_sync *sync = ml_exchange_engine(call->org);
    size_t linked = 0;
    for (size_t i = 0; i < ml_sync_peer_count(sync); i++) {
        struct ml_sync_status status;
        ml_sync_peer_at(sync, i, &status);
        linked += status.synced && is_awaited(&status);
    }
    return all_synced(call->org) && (int64_t)linked >= ml_value_int(wanted, 1);
}

/* ---- what is waited for ---- */

#define UNTIL_FRONTIER "frontier="

static const char *until_of(const struct ml_call *call)
{
    return ml_call_text_or(call, "until", "synced");
}

/* "WRITER/LANE/SEQ" up to a comma or the end, as the answer of sync.status writes it; *next behind
 * it. False: it isn't one. Lane 2 never starts an exchange: nobody could wait for it. */
static bool head_parse(const char *text, struct ml_dep *out, const char **next)
{
    const size_t hex = 2 * sizeof(out->writer.b);
    const char *end = text + strcspn(text, ",");
    uint64_t seq = 0;
    if ((size_t)(end - text) < hex + 4 || text[hex] != '/' || text[hex + 2] != '/' ||
        ml_hex_decode(out->writer.b, sizeof(out->writer.b), text, hex) != ML_OK) {
        return false;
    }
    for (const char *p = text + hex + 3; p < end; p++) {
        seq = seq * 10 + (uint64_t)(*p - '0');
        if (*p < '0' || *p > '9' || seq > UINT32_MAX) {
            return false;
        }
    }
    out->lane = (uint8_t)(text[hex + 1] - '0');
    out->seq = (uint32_t)seq;
    *next = *end == ',' ? end + 1 : end;
    return out->lane < ML_LANES && out->lane != ML_LANE_TRACE && seq > 0;
}

static bool is_digest(const char *text)
{
    struct ml_frontier_digest digest;
    return strlen(text) == 2 * sizeof(digest.frontier) &&
           ml_hex_decode(digest.frontier, sizeof(digest.frontier), text, strlen(text)) == ML_OK;
}

static bool until_is_sound(const char *until)
{
    struct ml_dep head;
    const char *at = until + strlen(UNTIL_FRONTIER);
    if (strcmp(until, "synced") == 0) {
        return true;
    }
    if (strncmp(until, UNTIL_FRONTIER, strlen(UNTIL_FRONTIER)) != 0 || *at == '\0') {
        return false;
    }
    bool sound = true;
    while (!is_digest(at) && sound && *at != '\0') {
        sound = head_parse(at, &head, &at);
    }
    return sound;
}

struct reach {
    const struct ml_dep *wanted;
    bool reached;
};

static ml_err reach_look(void *user, const struct ml_dep *head)
{
    struct reach *r = user;
    r->reached =
        r->reached || (head->lane == r->wanted->lane && head->seq >= r->wanted->seq &&
                       memcmp(&head->writer, &r->wanted->writer, sizeof(head->writer)) == 0);
    return ML_OK;
}

/* Is the frontier that digest, or at least as far as each of the list? */
static ml_err frontier_reached(struct ml_org *org, const char *text, bool *reached)
{
    struct ml_frontier_digest digest;
    struct ml_dep wanted;
    ml_err err = ML_OK;
    if (is_digest(text)) {
        err = ml_log_digest(org->log, &digest);
        if (err == ML_OK) {
            char hex[ML_HEX_SIZE(sizeof(digest.frontier))];
            ml_hex_encode(hex, digest.frontier, sizeof(digest.frontier));
            *reached = strcasecmp(hex, text) == 0;
        }
        return err;
    }
    *reached = true;
    while (err == ML_OK && *reached && *text != '\0' && head_parse(text, &wanted, &text)) {
        struct reach r = {.wanted = &wanted};
        err = ml_log_heads(org->log, reach_look, &r);
        *reached = r.reached;
    }
    return err;
}

static ml_err wait_step(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    const char *until = until_of(call);
    bool reached = false;
    ml_err err = ML_OK;
    if (!call->org->open) {
        return ML_E_LOCKED;
    }
    if (strcmp(until, "synced") == 0) {
        reached = enough_synced(call);
    } else if (!call->org->behind) { /* the views follow what is waited for */
        err = frontier_reached(call->org, until + strlen(UNTIL_FRONTIER), &reached);
    }
    if (err != ML_OK || reached) {
        return err;
    }
    if (call->deadline_ms != 0 && env->now_ms(env->ctx) >= call->deadline_ms) {
        const bool synced = strcmp(until, "synced") == 0;
        return ml_call_fail(call, ML_E_TIMEOUT,
                            synced ? "sync.wait_timeout" : "sync.frontier_timeout", NULL, NULL);
    }
    return ML_E_PENDING;
}

static ml_err sync_wait(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    int64_t timeout_ms = ml_value_int(ml_value_get(call->params, "timeout_ms"), 0);
    if (!until_is_sound(until_of(call))) {
        return ml_call_fail(call, ML_E_INVALID, "sync.until", NULL, NULL);
    }
    if (timeout_ms > 0) {
        call->deadline_ms = env->now_ms(env->ctx) + (uint64_t)timeout_ms;
    }
    ml_err err = wait_step(call);
    if (err == ML_E_PENDING) {
        call->step = wait_step;
        ml_call_defer(call);
    }
    return err;
}

static ml_err sync_pause(struct ml_call *call)
{
    return ml_exchange_set_paused(call->org, true);
}

static ml_err sync_resume(struct ml_call *call)
{
    return ml_exchange_set_paused(call->org, false);
}

const struct ml_method ml_methods_sync[] = {
    {"peer.add", ML_NEEDS_SESSION, peer_add},       {"peer.list", ML_NEEDS_SESSION, peer_list},
    {"sync.now", ML_NEEDS_SESSION, sync_now},       {"sync.status", ML_NEEDS_SESSION, sync_status},
    {"sync.wait", ML_NEEDS_SESSION, sync_wait},     {"sync.pause", ML_NEEDS_SESSION, sync_pause},
    {"sync.resume", ML_NEEDS_SESSION, sync_resume}, {NULL, 0, NULL},
};
