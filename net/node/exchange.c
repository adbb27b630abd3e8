/* net/node/exchange.c -- links and peers of one structure, and the engine's turns.
 *
 * A peer with an address is dialled whenever it has no link: at once after unlock or resume, then
 * after a wait that doubles up to five minutes, with jitter. Nothing waits for an answer. A link
 * that is up belongs to a node that governance knows by its Noise key, or it is closed.
 *
 * Invariant: ml_exchange_run leaves no action of the engine undone.
 */
#include "net/node/exchange.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "net/node/contacts.h"
#include "net/node/exchange_inner.h"
#include "net/node/ingest.h"
#include "net/node/turn.h"

static uint64_t now_ms(const struct ml_exchange *x)
{
    return x->org->node->env->now_ms(x->org->node->env->ctx);
}

struct ml_sync *ml_exchange_engine(struct ml_org *org)
{
    return org->exchange->sync;
}

struct exchange_link *ml_exchange_link_of(struct ml_exchange *x, uint32_t session)
{
    for (size_t i = 0; i < ML_EXCHANGE_LINKS_MAX; i++) {
        if (x->links[i].link != 0 && x->links[i].session == session) {
            return &x->links[i];
        }
    }
    return NULL;
}

static struct exchange_link *link_find(struct ml_exchange *x, uint64_t link)
{
    for (size_t i = 0; x != NULL && i < ML_EXCHANGE_LINKS_MAX; i++) {
        if (x->links[i].link == link) {
            return &x->links[i];
        }
    }
    return NULL;
}

static struct exchange_peer *peer_find(struct ml_exchange *x, const struct ml_node_id *node)
{
    for (size_t i = 0; i < x->peer_count; i++) {
        if (memcmp(&x->peers[i].node, node, sizeof(*node)) == 0) {
            return &x->peers[i];
        }
    }
    return NULL;
}

static bool peer_is_linked(const struct ml_exchange *x, const struct exchange_peer *p)
{
    for (size_t i = 0; i < ML_EXCHANGE_LINKS_MAX; i++) {
        if (x->links[i].link != 0 && memcmp(&x->links[i].peer, &p->node, sizeof(p->node)) == 0) {
            return true;
        }
    }
    return false;
}

/* Who let this node in, until governance says who that is. */
static bool is_sponsor(const struct ml_exchange *x, const struct ml_node_id *node)
{
    return memcmp(&x->sponsor, node, sizeof(*node)) == 0 &&
           ml_gov_knew_node(ml_log_gov(x->org->log), node) == NULL;
}

/* The Noise key that governance has for a node. */
static bool node_noise(const struct ml_exchange *x, const struct ml_node_id *node,
                       struct ml_box_pk *noise)
{
    const struct ml_gov *gov = ml_log_gov(x->org->log);
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (memcmp(&f->node, node, sizeof(*node)) == 0) {
            *noise = f->noise;
            return true;
        }
    }
    const struct ml_known_node *contact = ml_contacts_node(x->org, node);
    *noise = contact != NULL ? contact->noise : x->sponsor_noise;
    return contact != NULL || is_sponsor(x, node);
}

/* Whose link this is; false: nobody's of this structure. */
static bool node_of_noise(const struct ml_exchange *x, const struct ml_box_pk *noise,
                          struct ml_node_id *node)
{
    const struct ml_fact *known = ml_gov_noise(ml_log_gov(x->org->log), noise);
    const struct ml_known_node *contact = ml_contacts_noise(x->org, noise);
    if (known == NULL && contact != NULL) {
        *node = contact->node;
        return true;
    }
    *node = known != NULL ? known->node : x->sponsor;
    return known != NULL || (memcmp(noise, &x->sponsor_noise, sizeof(*noise)) == 0 &&
                             !ml_is_zero(noise, sizeof(*noise)) && is_sponsor(x, &x->sponsor));
}

/* It was let in once and has no place any more: it gets what says so, and an entry that it
 * acknowledged is never stranded there (rules B17). */
static bool is_drained(const struct ml_exchange *x, const struct ml_box_pk *noise,
                       struct ml_node_id *node)
{
    const struct ml_gov *gov = ml_log_gov(x->org->log);
    const struct ml_fact *was = ml_gov_knew_noise(gov, noise);
    if (was == NULL || ml_gov_noise(gov, noise) != NULL) {
        return false;
    }
    *node = was->node;
    return true;
}

/* It proved that it knows the network's secret. What it has may say who let it in: somebody whose
 * own copy is gone. It gets nothing until then (rules B17). */
static bool may_introduce(const struct ml_exchange *x, const struct ml_box_pk *noise,
                          struct ml_node_id *node)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/unknown/1"),
                                     ml_slice(noise->b, sizeof(noise->b))};
    unsigned others = 0;
    for (size_t i = 0; i < ML_EXCHANGE_LINKS_MAX; i++) {
        others += x->links[i].link != 0 && x->links[i].unknown;
    }
    ml_hash_parts(node->b, sizeof(node->b), ml_slice(NULL, 0), parts, 2);
    return others < ML_EXCHANGE_UNKNOWN_MAX;
}

/* Who is at the other end, and what may pass. False: nobody who may have a link. */
static bool link_begin(const struct ml_exchange *x, const struct ml_link_peer *peer,
                       struct exchange_link *l)
{
    *l = (struct exchange_link){.noise = peer->remote_static};
    l->drains = is_drained(x, &l->noise, &l->peer);
    if (l->drains) {
        return true;
    }
    if (node_of_noise(x, &l->noise, &l->peer)) {
        l->behind = peer->epoch < x->network.epochs[0].number;
        return true;
    }
    l->unknown = true;
    return may_introduce(x, &l->noise, &l->peer);
}

static ml_err peer_load(void *user, const struct ml_log_peer *peer)
{
    struct ml_exchange *x = user;
    struct exchange_peer *p = peer_find(x, &peer->node);
    if (peer->address[0] == '\0') {
        return ML_OK;
    }
    if (p == NULL) {
        if (x->peer_count == ML_EXCHANGE_DIALS_MAX) {
            return ML_OK; /* the first ones are dialled; the others dial us */
        }
        p = &x->peers[x->peer_count++];
        *p = (struct exchange_peer){.node = peer->node, .wait_ms = ML_EXCHANGE_REDIAL_MS};
    }
    if (strcmp(p->address, peer->address) != 0) {
        memcpy(p->address, peer->address, sizeof(p->address));
        p->next_ms = 0;
    }
    return ML_OK;
}

static void peer_dial(struct ml_exchange *x, struct exchange_peer *p)
{
    struct ml_node *node = x->org->node;
    if (!node_noise(x, &p->node, &p->noise)) {
        p->last_err = ML_E_NOT_FOUND;
        p->next_ms = now_ms(x) + p->wait_ms;
        return;
    }
    p->dial = ++node->next_dial;
    const struct ml_dial_request request = {.dial = p->dial,
                                            .kind = ML_LINK_KNOWN,
                                            .past = p->past,
                                            .org = x->org->id,
                                            .remote_static = p->noise,
                                            .address = p->address};
    node->ports.dial(node->ports.ctx, &request);
}

/* Dials what is due; returns when the next one is, UINT64_MAX when none waits. */
static uint64_t peers_turn(struct ml_exchange *x)
{
    uint64_t next = UINT64_MAX;
    if (ml_sync_is_paused(x->sync)) {
        return next;
    }
    for (size_t i = 0; i < x->peer_count; i++) {
        struct exchange_peer *p = &x->peers[i];
        if (p->dial != 0 || peer_is_linked(x, p)) {
            continue;
        }
        if (p->next_ms <= now_ms(x)) {
            peer_dial(x, p);
        }
        if (p->dial == 0 && p->next_ms < next) {
            next = p->next_ms;
        }
    }
    return next;
}

static void peer_failed(struct ml_exchange *x, struct exchange_peer *p, ml_err reason)
{
    const struct ml_env *env = x->org->node->env;
    uint32_t jitter = 0;
    env->random(env->ctx, &jitter, sizeof(jitter));
    p->dial = 0;
    p->last_err = reason;
    p->next_ms = now_ms(x) + p->wait_ms / 2 + jitter % p->wait_ms;
    p->wait_ms *= 2;
    if (p->wait_ms > ML_EXCHANGE_REDIAL_MAX_MS) {
        p->wait_ms = ML_EXCHANGE_REDIAL_MAX_MS;
    }
}

/* It answers, and not by this epoch: it may have been away since an earlier one. Several at once,
 * then after the wait; false: the wait. */
static bool peer_tries_past(struct ml_exchange *x, struct exchange_peer *p, ml_err reason)
{
    if (reason != ML_E_WRONG_KEY) {
        return false;
    }
    p->past = p->past + 1 < x->network.count ? p->past + 1 : 0;
    if (p->past % ML_EXCHANGE_EPOCHS_AT_ONCE == 0) {
        return false;
    }
    p->dial = 0;
    p->next_ms = now_ms(x);
    return true;
}

void ml_exchange_wake(struct ml_exchange *x)
{
    ml_node_wake(x->org->node);
}

uint64_t ml_exchange_next_ms(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    uint64_t dial = peers_turn(x);
    if (x->drain_due) {
        return 0;
    }
    return dial < x->sync_wake_ms ? dial : x->sync_wake_ms;
}

static void identity_give(struct ml_exchange *x)
{
    struct ml_node *node = x->org->node;
    const struct ml_network *n = &x->network;
    struct ml_link_identity identity = {.org = x->org->id,
                                        .noise_static = x->org->secrets.noise,
                                        .network_psk = n->psk,
                                        .network_mac = n->mac,
                                        .network_epoch = n->epochs[0].number,
                                        .past_count = n->count - 1,
                                        .past_keys = n->past_keys,
                                        .enrolment_psk = x->enrolment_psk,
                                        .enrolment_mac = x->enrolment_mac};
    for (size_t i = 0; i < identity.past_count; i++) {
        identity.past_epochs[i] = n->epochs[i + 1].number;
    }
    node->ports.identity_set(node->ports.ctx, &identity);
}

void ml_exchange_offer_enrolment(struct ml_org *org, const struct ml_secret *psk,
                                 const struct ml_secret *mac)
{
    org->exchange->enrolment_psk = psk;
    org->exchange->enrolment_mac = mac;
    identity_give(org->exchange);
}

ml_err ml_exchange_network(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    bool changed = false;
    if (x == NULL || x->network.count == 0) {
        return ML_OK;
    }
    ml_err err = ml_network_take(&x->network, org, &changed);
    if (changed) {
        identity_give(x);
    }
    return err;
}

#define SPONSOR_BYTES (sizeof(struct ml_node_id) + sizeof(struct ml_box_pk))

ml_err ml_exchange_set_sponsor(struct ml_org *org, const struct ml_node_id *node,
                               const struct ml_box_pk *noise)
{
    uint8_t value[SPONSOR_BYTES];
    org->exchange->sponsor = *node;
    org->exchange->sponsor_noise = *noise;
    memcpy(value, node->b, sizeof(node->b));
    memcpy(value + sizeof(node->b), noise->b, sizeof(noise->b));
    return ml_log_setting_put(org->log, "sponsor", ml_slice(value, sizeof(value)));
}

static ml_err sponsor_load(struct ml_exchange *x)
{
    struct ml_buf value;
    ml_buf_init(&value, x->org->node->env, SPONSOR_BYTES);
    ml_err err = ml_log_setting_get(x->org->log, "sponsor", &value);
    if (err == ML_OK && value.len == SPONSOR_BYTES) {
        memcpy(x->sponsor.b, value.data, sizeof(x->sponsor.b));
        memcpy(x->sponsor_noise.b, value.data + sizeof(x->sponsor.b), sizeof(x->sponsor_noise.b));
    }
    ml_buf_free(&value);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

/* A pause outlives a restart; one that can't be read is no leave to go on. */
static ml_err paused_load(struct ml_exchange *x)
{
    struct ml_buf value;
    ml_buf_init(&value, x->org->node->env, 1);
    ml_err err = ml_log_setting_get(x->org->log, "sync.paused", &value);
    if (err == ML_OK && value.len == 1 && value.data[0] != 0) {
        ml_sync_pause(x->sync);
    }
    ml_buf_free(&value);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

ml_err ml_exchange_set_paused(struct ml_org *org, bool paused)
{
    const uint8_t value = paused;
    struct ml_exchange *x = org->exchange;
    if (paused) {
        ml_sync_pause(x->sync);
    } else {
        ml_sync_resume(x->sync);
        ml_exchange_dial_all(org);
    }
    ml_exchange_run(org);
    return ml_log_setting_put(org->log, "sync.paused", ml_slice(&value, 1));
}

ml_err ml_exchange_open(struct ml_org *org)
{
    struct ml_exchange *x = ml_alloc(org->node->env, sizeof(*x));
    if (x == NULL) {
        return ML_E_NOMEM;
    }
    const struct ml_sync_config config = {
        .env = org->node->env, .self = org->secrets.node, .order = ML_SYNC_ORDER_LANES};
    x->org = org;
    x->sync_wake_ms = UINT64_MAX;
    org->exchange = x;
    ml_err err = ml_network_open(&x->network, org);
    if (err == ML_OK) {
        err = ml_sync_new(&x->sync, &config);
    }
    if (err == ML_OK) {
        err = sponsor_load(x);
    }
    if (err == ML_OK) {
        err = ml_log_peers(org->log, peer_load, x);
    }
    if (err == ML_OK) {
        ml_sync_tick(x->sync, now_ms(x));
        err = paused_load(x);
    }
    if (err != ML_OK) {
        ml_exchange_close(org);
        return err;
    }
    identity_give(x);
    ml_exchange_run(org);
    return ML_OK;
}

/* The sessions end while the log is still there: what both have is remembered for the next one. */
static void links_close(struct ml_org *org)
{
    const struct ml_node_ports *ports = &org->node->ports;
    struct ml_exchange *x = org->exchange;
    for (size_t i = 0; i < ML_EXCHANGE_LINKS_MAX; i++) {
        const uint64_t link = x->links[i].link;
        if (link != 0) {
            ports->link_close(ports->ctx, link, ML_E_CANCELED);
            (void)ml_exchange_link_down(org, link, ML_E_CANCELED);
        }
    }
}

void ml_exchange_close(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    if (x == NULL) {
        return;
    }
    if (x->sync != NULL) {
        ml_exchange_tell_tally(org);
        links_close(org);
        org->node->ports.identity_clear(org->node->ports.ctx, &org->id);
        ml_sync_free(x->sync);
    }
    ml_network_free(&x->network);
    ml_release(org->node->env, x);
    org->exchange = NULL;
}

/* Governance changed: who has no place on his node any more is let go, and when he comes back he
 * drains; who has one again comes back for the whole. */
static void links_review(struct ml_exchange *x)
{
    const struct ml_node_ports *ports = &x->org->node->ports;
    const size_t acts = ml_gov_acts(ml_log_gov(x->org->log));
    if (acts == x->acts) {
        return;
    }
    x->acts = acts;
    for (size_t i = 0; i < ML_EXCHANGE_LINKS_MAX; i++) {
        const struct exchange_link *l = &x->links[i];
        struct ml_box_pk noise;
        const bool over = l->unknown ? ml_gov_knew_noise(ml_log_gov(x->org->log), &l->noise) != NULL
                                     : node_noise(x, &l->peer, &noise) == l->drains;
        if (l->link != 0 && over) {
            ports->link_close(ports->ctx, l->link,
                              ML_E_DENIED); /* the driver says when it is down */
        }
    }
}

void ml_exchange_run(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    struct ml_sync_action action;
    if (x == NULL || x->running) {
        return;
    }
    links_review(x);
    x->running = true;
    ml_sync_tick(x->sync, now_ms(x));
    while (ml_sync_next(x->sync, &action)) {
        ml_exchange_act(x, &action);
    }
    x->running = false;
    ml_node_wake(org->node);
}

void ml_exchange_on_append(struct ml_org *org, const struct ml_log_outcome *o)
{
    if (org->exchange != NULL) {
        const struct ml_sync_bundle bundle = {.id = o->id, .prev = o->prev, .bytes = o->bytes};
        ml_sync_on_append(org->exchange->sync, &bundle, false);
    }
}

void ml_exchange_on_stored(struct ml_org *org, const struct ml_log_outcome *o)
{
    if (org->exchange != NULL) {
        const struct ml_sync_bundle bundle = {.id = o->id, .prev = o->prev, .bytes = o->bytes};
        ml_sync_on_stored(org->exchange->sync, &bundle);
    }
}

/* Only a convenience of later: a link doesn't fail for it. */
static void contact_keep(struct ml_exchange *x, const struct ml_link_peer *peer,
                         const struct ml_node_id *node)
{
    const struct exchange_peer *p = peer_find(x, node);
    ml_err err = ml_contacts_keep(x->org, node, &peer->remote_static, p == NULL ? "" : p->address);
    if (err != ML_OK) {
        ml_logf(x->org->node->env, ML_LOG_WARN, "exchange", "contact not kept: %s",
                ml_err_name(err));
    }
}

static void link_tell(const struct ml_exchange *x, struct exchange_link *l)
{
    struct ml_sync_status now;
    if (ml_sync_peer(x->sync, &l->peer, &now) != ML_OK) {
        return;
    }
    const struct ml_tally_flow total = {.bundles_in = now.in.bundles,
                                        .bytes_in = now.in.bytes,
                                        .bundles_out = now.out.bundles,
                                        .bytes_out = now.out.bytes};
    ml_tally_moved(x->org, &l->told, &total);
    l->told = total;
}

void ml_exchange_tell_tally(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    for (size_t i = 0; x != NULL && i < ML_EXCHANGE_LINKS_MAX; i++) {
        if (x->links[i].link != 0) {
            link_tell(x, &x->links[i]);
        }
    }
}

/* Of somebody who is known: what the next link and the next exchange begin with. */
static void link_greet(struct ml_exchange *x, const struct ml_link_peer *peer,
                       const struct exchange_link *l)
{
    struct exchange_peer *p = peer_find(x, &l->peer);
    if (!l->drains && !l->unknown) {
        contact_keep(x, peer, &l->peer);
    }
    if (p != NULL) {
        p->dial = p->dial == peer->dial ? 0 : p->dial;
        p->wait_ms = ML_EXCHANGE_REDIAL_MS;
        p->past = 0;
        p->last_err = ML_OK;
    }
}

static ml_err link_open(struct ml_exchange *x, const struct ml_link_peer *peer,
                        struct exchange_link *l)
{
    struct ml_buf base;
    ml_buf_init(&base, x->org->node->env, ML_LOG_BASE_MAX);
    const bool kept = !l->unknown && ml_log_base_get(x->org->log, &l->peer, &base) == ML_OK;
    const struct ml_sync_open open = {.peer = l->peer,
                                      .initiator = peer->initiator,
                                      .restricted = l->behind,
                                      .drains = l->drains,
                                      .unknown = l->unknown,
                                      .hlc = ml_org_hlc(x->org),
                                      .base = kept ? ml_buf_slice(&base) : ml_slice(NULL, 0)};
    ml_err err = ml_sync_on_open(x->sync, &open, &l->session);
    ml_buf_free(&base);
    return err;
}

void ml_exchange_link_up(struct ml_org *org, uint64_t link, const struct ml_link_peer *peer)
{
    struct ml_exchange *x = org->exchange;
    const struct ml_node_ports *ports = &org->node->ports;
    struct exchange_link *room = link_find(x, 0);
    struct exchange_link l;
    const bool known = link_begin(x, peer, &l);
    if (!known || room == NULL) {
        ports->link_close(ports->ctx, link, known ? ML_E_LIMIT : ML_E_DENIED);
        return;
    }
    link_greet(x, peer, &l);
    ml_err err = link_open(x, peer, &l);
    if (err == ML_OK) {
        l.link = link;
        *room = l;
        ml_tally_began(org, &l.peer);
    } else {
        ports->link_close(ports->ctx, link, err);
    }
    ml_exchange_run(org);
}

bool ml_exchange_link_message(struct ml_org *org, uint64_t link, struct ml_slice msg)
{
    struct exchange_link *l = link_find(org->exchange, link);
    if (l == NULL) {
        return false;
    }
    ml_sync_on_message(org->exchange->sync, l->session, msg);
    org->exchange->drain_due = true; /* once the letters that are here already are read */
    ml_exchange_run(org);
    return true;
}

bool ml_exchange_link_sent(struct ml_org *org, uint64_t link, size_t bytes)
{
    struct exchange_link *l = link_find(org->exchange, link);
    if (l == NULL) {
        return false;
    }
    ml_sync_on_sent(org->exchange->sync, l->session, bytes);
    ml_exchange_run(org);
    return true;
}

bool ml_exchange_link_down(struct ml_org *org, uint64_t link, ml_err reason)
{
    struct ml_exchange *x = org->exchange;
    struct exchange_link *l = link_find(x, link);
    if (l == NULL) {
        return false;
    }
    struct exchange_peer *p = peer_find(x, &l->peer);
    uint32_t session = l->session;
    link_tell(x, l);
    ml_tally_ended(org, reason);
    l->link = 0;
    if (p != NULL) {
        p->last_err = reason;
        p->next_ms = now_ms(x) + p->wait_ms / 5;
    }
    ml_sync_on_closed(x->sync, session);
    ml_exchange_run(org);
    return true;
}

bool ml_exchange_dial_failed(struct ml_org *org, uint64_t dial, ml_err reason)
{
    struct ml_exchange *x = org->exchange;
    size_t i = 0;
    while (x != NULL && i < x->peer_count && x->peers[i].dial != dial) {
        i++;
    }
    if (x == NULL || i == x->peer_count) {
        return false;
    }
    if (!peer_tries_past(x, &x->peers[i], reason)) {
        peer_failed(x, &x->peers[i], reason);
    }
    if (reason == ML_E_LOCKED) { /* the sockets had no memory for who we are */
        identity_give(x);
    }
    ml_node_wake(org->node);
    return true;
}

void ml_exchange_tick(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    if (x != NULL) {
        if (x->sync_wake_ms <= now_ms(x)) {
            x->sync_wake_ms = UINT64_MAX;
        }
        x->drain_due = false;
        ml_sync_drained(x->sync);
        ml_exchange_run(org);
    }
}

void ml_exchange_dial_all(struct ml_org *org)
{
    struct ml_exchange *x = org->exchange;
    ml_err err = ml_log_peers(org->log, peer_load, x);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_ERROR, "exchange", "peers: %s", ml_err_name(err));
    }
    for (size_t i = 0; i < x->peer_count; i++) {
        x->peers[i].next_ms = 0;
        x->peers[i].wait_ms = ML_EXCHANGE_REDIAL_MS;
    }
    ml_node_wake(org->node);
}
