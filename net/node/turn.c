/* net/node/turn.c -- see turn.h.
 *
 * A turn: sessions that were idle too long lock; exchanges have their tick; each deferred call that
 * has work has one step. Between turns the driver serves calls and links, so that no work of
 * minutes holds the org thread for longer than one step.
 */
#include "net/node/turn.h"

#include <string.h>

#include "net/node/damage.h"
#include "net/node/enrol.h"
#include "net/node/enrol_here.h"
#include "net/node/exchange.h"
#include "net/node/glass.h"
#include "net/node/ingest.h"
#include "net/node/keep.h"
#include "net/node/org.h"
#include "net/node/retention.h"
#include "net/node/session.h"
#include "net/node/tally.h"
#include "net/node/trace.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t node_now(const struct ml_node *node)
{
    return node->env->now_ms(node->env->ctx);
}

void ml_node_wake(struct ml_node *node)
{
    uint64_t at = UINT64_MAX;
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        if (org->session != NULL) {
            at = earlier(at, org->session->last_call_ms + ML_SESSION_IDLE_MS);
        }
        if (org->open) {
            at = earlier(at, ml_exchange_next_ms(org));
            at = earlier(at, ml_trace_next_ms(org));
            at = earlier(at, ml_glass_next_ms(org));
            at = earlier(at, ml_tally_next_ms(org));
            at = earlier(at, ml_keep_next_ms(org));
            at = earlier(at, ml_enrol_offer_tick(org));
            at = org->behind && org->session != NULL ? earlier(at, org->follow_ms) : at;
            at = ml_damage_waits(org) || ml_org_gone_waits(org) ? 0 : at;
        }
    }
    for (const struct ml_call *call = node->deferred; call != NULL; call = call->next) {
        if (call->busy) {
            at = 0;
        } else if (call->deadline_ms != 0) {
            at = earlier(at, call->deadline_ms);
        }
    }
    node->ports.wake_at(node->ports.ctx, at);
}

/* Steps the calls that `all` or their own need asks for. A step may end any call: start over. */
static void calls_step(struct ml_node *node, bool all)
{
    uint64_t now = node_now(node);
    for (struct ml_call *call = node->deferred; call != NULL; call = call->next) {
        call->due = call->step != NULL &&
                    (all || call->busy || (call->deadline_ms != 0 && call->deadline_ms <= now));
    }
    struct ml_call *call = node->deferred;
    while (call != NULL) {
        if (!call->due) {
            call = call->next;
            continue;
        }
        call->due = false;
        ml_err err = call->step(call);
        if (call->org != NULL) {
            ml_org_after_call(call->org);
        }
        if (err != ML_E_PENDING) {
            ml_call_finish(call, err);
        }
        call = node->deferred;
    }
}

void ml_node_changed(struct ml_node *node)
{
    for (const struct ml_call *call = node->deferred; call != NULL; call = call->next) {
        if (!call->busy && call->step != NULL) {
            node->changed = true; /* at the next turn: the caller may be inside an exchange */
            node->ports.wake_at(node->ports.ctx, 0);
            return;
        }
    }
}

void ml_node_tick(struct ml_node *node)
{
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        ml_session_end_idle(org);
        if (ml_damage_waits(org)) {
            ml_damage_heal(org);
        }
        if (org->open) {
            ml_exchange_tick(org);
            ml_tally_tick(org);
            ml_glass_tick(org);
            ml_glass_tend(org);
            ml_trace_tick(org);
            ml_org_tick_gone(org);
            ml_org_follow(org);
            ml_keep_tick(org);
            ml_retention_tick(org);
        }
    }
    bool all = node->changed;
    node->changed = false;
    calls_step(node, all);
    ml_node_wake(node);
}

void ml_node_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer)
{
    if (ml_enrol_link_up(node, link, peer)) {
        return;
    }
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        if (org->open && memcmp(&org->id, &peer->org, sizeof(org->id)) == 0) {
            ml_exchange_link_up(org, link, peer);
            return;
        }
    }
    node->ports.link_close(node->ports.ctx, link, ML_E_NOT_FOUND);
}

void ml_node_link_message(struct ml_node *node, uint64_t link, struct ml_slice msg)
{
    if (ml_enrol_link_message(node, link, msg)) {
        return;
    }
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        if (org->open && ml_exchange_link_message(org, link, msg)) {
            return;
        }
    }
}

void ml_node_link_sent(struct ml_node *node, uint64_t link, size_t bytes)
{
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        if (org->open && ml_exchange_link_sent(org, link, bytes)) {
            return;
        }
    }
}

void ml_node_link_down(struct ml_node *node, uint64_t link, ml_err reason)
{
    if (ml_enrol_link_down(node, link, reason)) {
        return;
    }
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        if (org->open && ml_exchange_link_down(org, link, reason)) {
            return;
        }
    }
}

void ml_node_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason)
{
    if (ml_enrol_dial_failed(node, dial, reason)) {
        return;
    }
    for (struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        if (org->open && ml_exchange_dial_failed(org, dial, reason)) {
            return;
        }
    }
}
