/* net/link/hub.c -- see hub.h.
 *
 * Invariants: every link in the list has open handles; `stats.half_open` counts those not open that
 * the peer dialled, `stats.links` those open; a dial is in `dials` until it becomes a link or
 * fails. The hub goes when it closes and listener, links and dials are all gone.
 */
#include "net/link/hub.h"

#include <string.h>

#include "core/base/assert.h"
#include "net/link/dial.h"
#include "net/link/spare.h"
#include "net/link/uv_err.h"

struct hub_dial {
    struct hub_dial *next;
    struct ml_hub *hub;
    struct ml_dial *op;
    uint64_t number;
    ml_link_kind kind;
    struct ml_org_id org;
    struct ml_box_pk remote;
    size_t past;
    struct ml_secret *secrets[3]; /* owned; ENROL: static, psk, mac; else psk, mac of the past */
};

struct ml_hub {
    const struct ml_env *env;
    uv_loop_t *loop;
    struct ml_hub_calls calls;
    struct ml_link_host host;
    struct ml_identities ids;
    struct ml_hub_stats stats;
    uv_tcp_t listener;
    struct ml_spare spare;
    struct ml_link *links;
    struct hub_dial *dials;
    uint32_t dial_count;
    uint64_t last_link;
    void (*closed)(void *user);
    void *user;
    bool listening;
    bool closing;
};

static void hub_free_when_done(struct ml_hub *hub)
{
    if (!hub->closing || hub->listening || hub->links != NULL || hub->dials != NULL) {
        return;
    }
    void (*closed)(void *) = hub->closed;
    void *user = hub->user;
    ml_identities_free(&hub->ids);
    ml_release(hub->env, hub);
    if (closed != NULL) {
        closed(user);
    }
}

static struct ml_link *hub_link(const struct ml_hub *hub, uint64_t number)
{
    struct ml_link *link = hub->links;
    while (link != NULL && link->number != number) {
        link = link->next;
    }
    return link;
}

/* --- what links tell --- */

static bool hub_on_up(void *ctx, struct ml_link *link)
{
    struct ml_hub *hub = ctx;
    if (!link->initiator) {
        hub->stats.half_open--;
    }
    hub->stats.links++;
    if (hub->stats.links > ML_LINKS_MAX || hub->closing) {
        hub->stats.refused_links++;
        return false;
    }
    const struct ml_link_peer peer = {
        .dial = link->dial,
        .kind = link->handshake.kind,
        .org = link->handshake.org,
        .epoch = link->handshake.epoch,
        .remote_static = link->remote,
        .handshake_hash = ml_slice(link->hash, sizeof(link->hash)),
        .address = link->address,
        .initiator = link->initiator,
    };
    link->announced = true;
    hub->calls.up(hub->calls.ctx, link->number, &peer);
    return true;
}

static void hub_on_message(void *ctx, struct ml_link *link, struct ml_slice message)
{
    struct ml_hub *hub = ctx;
    hub->calls.message(hub->calls.ctx, link->number, message);
}

static void hub_on_sent(void *ctx, struct ml_link *link, size_t bytes)
{
    struct ml_hub *hub = ctx;
    hub->calls.sent(hub->calls.ctx, link->number, bytes);
}

static void hub_on_closed(void *ctx, struct ml_link *link)
{
    struct ml_hub *hub = ctx;
    struct ml_link **at = &hub->links;
    while (*at != NULL && *at != link) {
        at = &(*at)->next;
    }
    ML_ASSERT(*at == link);
    *at = link->next;
    if (link->open) {
        hub->stats.links--;
    } else if (!link->initiator) {
        hub->stats.half_open--;
    }
    hub->stats.failed_handshakes += link->open ? 0 : 1;
    if (link->announced) {
        hub->calls.down(hub->calls.ctx, link->number, link->reason);
    } else if (link->initiator) {
        ml_err reason = link->reason == ML_OK ? ML_E_UNREACHABLE : link->reason;
        hub->calls.dial_failed(hub->calls.ctx, link->dial, reason);
    }
    ml_release(hub->env, link);
    hub_free_when_done(hub);
}

/* --- accepting --- */

static unsigned half_open_from(const struct ml_hub *hub, const struct ml_link *who)
{
    unsigned n = 0;
    for (const struct ml_link *l = hub->links; l != NULL; l = l->next) {
        bool half_open = !l->open && !l->initiator && !l->dead;
        n += half_open && memcmp(l->address_key, who->address_key, sizeof(l->address_key)) == 0;
    }
    return n;
}

/* Counts the new one in; what is over a limit is closed before it is read. */
static bool hub_within_limits(struct ml_hub *hub, const struct ml_link *link)
{
    if (hub->stats.half_open > ML_LINK_HALF_OPEN_MAX) {
        hub->stats.refused_half_open++;
        return false;
    }
    if (half_open_from(hub, link) > ML_LINK_HALF_OPEN_PER_ADDRESS) {
        hub->stats.refused_address++;
        return false;
    }
    return true;
}

static struct ml_link *hub_add(struct ml_hub *hub, uint64_t dial)
{
    struct ml_link *link = ml_alloc(hub->env, sizeof(*link));
    if (link != NULL) {
        link->number = ++hub->last_link;
        link->dial = dial;
        link->next = hub->links;
        hub->links = link;
    }
    return link;
}

static void hub_release_tcp(uv_handle_t *handle)
{
    struct ml_hub *hub = handle->data;
    ml_release(hub->env, handle);
}

static void hub_on_connection(uv_stream_t *listener, int status)
{
    struct ml_hub *hub = listener->data;
    uv_tcp_t *tcp = status < 0 ? NULL : ml_alloc(hub->env, sizeof(*tcp));
    if (tcp == NULL) {
        if (status == 0) {
            ml_spare_refuse(&hub->spare, listener, hub_on_connection);
        }
        return;
    }
    int rc = uv_tcp_init(hub->loop, tcp);
    ML_ASSERT(rc == 0); /* opens no socket */
    tcp->data = hub;
    struct ml_link *link = uv_accept(listener, (uv_stream_t *)tcp) == 0 ? hub_add(hub, 0) : NULL;
    if (link == NULL) {
        uv_close((uv_handle_t *)tcp, hub_release_tcp);
        return;
    }
    hub->stats.accepted++;
    hub->stats.half_open++;
    ml_link_start(link, &hub->host, tcp, NULL);
    if (!hub_within_limits(hub, link)) {
        ml_link_kill(link, ML_E_LIMIT);
    }
}

ml_err ml_hub_listen(struct ml_hub *hub, uint16_t *port, const char *address)
{
    struct sockaddr_storage addr;
    int len = sizeof(addr);
    ml_err err = ml_address_parse(&addr, address);
    if (err != ML_OK || hub->listening) {
        return err != ML_OK ? err : ML_E_EXISTS;
    }
    int rc = uv_tcp_init(hub->loop, &hub->listener);
    ML_ASSERT(rc == 0); /* opens no socket */
    hub->listener.data = hub;
    hub->listening = true;
    rc = uv_tcp_bind(&hub->listener, (const struct sockaddr *)&addr, 0);
    rc =
        rc != 0 ? rc : uv_listen((uv_stream_t *)&hub->listener, ML_LINK_BACKLOG, hub_on_connection);
    rc = rc != 0 ? rc : uv_tcp_getsockname(&hub->listener, (struct sockaddr *)&addr, &len);
    if (rc != 0) {
        return ml_err_from_uv(rc); /* the handle is closed with the hub */
    }
    /* The port is at the same place for both families. */
    *port = ntohs(((const struct sockaddr_in *)&addr)->sin_port);
    return ML_OK;
}

/* --- dialling --- */

static void hub_dial_free(struct hub_dial *d)
{
    struct hub_dial **at = &d->hub->dials;
    while (*at != NULL && *at != d) {
        at = &(*at)->next;
    }
    if (*at == d) {
        *at = d->next;
        d->hub->dial_count--;
    }
    for (size_t i = 0; i < sizeof(d->secrets) / sizeof(d->secrets[0]); i++) {
        ml_secret_free(d->secrets[i]);
    }
    ml_release(d->hub->env, d);
}

/* Under an epoch of the past. NOT_FOUND: there are fewer by now. */
static ml_err hub_past(struct hub_dial *d, const struct ml_identity *id,
                       struct ml_handshake_dial *out)
{
    if (d->past > id->past_count) {
        return ML_E_NOT_FOUND;
    }
    const uint8_t *keys = ml_secret_bytes(id->past_keys) + (d->past - 1) * ML_NETWORK_PAST_KEYS;
    ml_err err = ml_secret_from(&d->secrets[1], keys, ML_KEY_BYTES);
    if (err == ML_OK) {
        err = ml_secret_from(&d->secrets[2], keys + ML_KEY_BYTES, ML_KEY_BYTES);
    }
    out->epoch = id->past_epochs[d->past - 1];
    out->psk = d->secrets[1];
    out->mac = d->secrets[2];
    return err;
}

static ml_err hub_handshake(struct hub_dial *d, struct ml_handshake_dial *out)
{
    const struct ml_identity *id = ml_identities_find(&d->hub->ids, &d->org);
    *out = (struct ml_handshake_dial){.kind = d->kind, .org = d->org, .remote = d->remote};
    if (d->kind == ML_LINK_ENROL) {
        out->noise_static = d->secrets[0];
        out->psk = d->secrets[1];
        out->mac = d->secrets[2];
        return ML_OK;
    }
    if (id == NULL) {
        return ML_E_LOCKED; /* locked while we dialled */
    }
    out->noise_static = id->noise_static;
    if (d->past > 0) {
        return hub_past(d, id, out);
    }
    out->epoch = id->epoch;
    out->psk = id->psk;
    out->mac = id->mac;
    return ML_OK;
}

static void hub_on_dialled(void *user, uv_tcp_t *tcp, ml_err result)
{
    struct hub_dial *d = user;
    struct ml_hub *hub = d->hub;
    struct ml_handshake_dial shake;
    struct ml_link *link = NULL;
    ml_err err = result;
    if (err == ML_OK) {
        err = hub->closing ? ML_E_CANCELED : hub_handshake(d, &shake);
    }
    if (err == ML_OK) {
        link = hub_add(hub, d->number);
        err = link == NULL ? ML_E_NOMEM : ML_OK;
    }
    if (link != NULL) {
        ml_link_start(link, &hub->host, tcp, &shake);
    } else {
        if (tcp != NULL) {
            tcp->data = hub;
            uv_close((uv_handle_t *)tcp, hub_release_tcp);
        }
        hub->calls.dial_failed(hub->calls.ctx, d->number, err);
    }
    hub_dial_free(d);
    hub_free_when_done(hub);
}

static ml_err hub_dial_copy(struct hub_dial *d, const struct ml_dial_request *r)
{
    const struct ml_secret *from[3] = {r->static_key, r->psk, r->mac};
    d->number = r->dial;
    d->kind = r->kind;
    d->org = r->org;
    d->remote = r->remote_static;
    d->past = r->past;
    if (r->kind != ML_LINK_ENROL) {
        return ML_OK;
    }
    for (size_t i = 0; i < 3; i++) {
        if (from[i] == NULL) {
            return ML_E_INVALID;
        }
        ml_err err =
            ml_secret_from(&d->secrets[i], ml_secret_bytes(from[i]), ml_secret_len(from[i]));
        if (err != ML_OK) {
            return err;
        }
    }
    return ML_OK;
}

void ml_hub_dial(struct ml_hub *hub, const struct ml_dial_request *request)
{
    struct hub_dial *d = NULL;
    ml_err err = hub->closing ? ML_E_CANCELED : ML_OK;
    if (err == ML_OK && hub->dial_count == ML_LINK_DIALS_MAX) {
        err = ML_E_LIMIT;
    }
    if (err == ML_OK) {
        d = ml_alloc(hub->env, sizeof(*d));
        err = d == NULL ? ML_E_NOMEM : ML_OK;
    }
    if (d != NULL) {
        d->hub = hub;
        d->next = hub->dials;
        hub->dials = d;
        hub->dial_count++;
        err = hub_dial_copy(d, request);
        const struct ml_dial_args args = {.env = hub->env,
                                          .loop = hub->loop,
                                          .address = request->address,
                                          .timeout_ms = hub->host.times.handshake_ms,
                                          .done = hub_on_dialled,
                                          .user = d};
        err = err == ML_OK ? ml_dial_start(&d->op, &args) : err;
        if (err != ML_OK) {
            hub_dial_free(d);
        }
    }
    if (err != ML_OK) {
        hub->calls.dial_failed(hub->calls.ctx, request->dial, err);
    }
}

/* --- the rest --- */

void ml_hub_send(struct ml_hub *hub, uint64_t number, struct ml_slice message)
{
    struct ml_link *link = hub_link(hub, number);
    if (link != NULL) {
        ml_link_send(link, message);
    }
}

void ml_hub_end(struct ml_hub *hub, uint64_t number, ml_err reason)
{
    struct ml_link *link = hub_link(hub, number);
    if (link != NULL) {
        ml_link_end(link, reason);
    }
}

void ml_hub_consumed(struct ml_hub *hub, uint64_t number, size_t bytes)
{
    struct ml_link *link = hub_link(hub, number);
    if (link != NULL) {
        ml_link_consumed(link, bytes);
    }
}

ml_err ml_hub_identity_set(struct ml_hub *hub, const struct ml_link_identity *id)
{
    return ml_identities_set(&hub->ids, id);
}

void ml_hub_identity_clear(struct ml_hub *hub, const struct ml_org_id *org)
{
    ml_identities_clear(&hub->ids, org);
    for (struct ml_link *link = hub->links; link != NULL; link = link->next) {
        if (memcmp(&link->handshake.org, org, sizeof(*org)) == 0) {
            ml_link_end(link, ML_E_LOCKED);
        }
    }
}

void ml_hub_stats(const struct ml_hub *hub, struct ml_hub_stats *out)
{
    *out = hub->stats;
}

ml_err ml_hub_open(struct ml_hub **out, const struct ml_hub_args *args)
{
    struct ml_hub *hub = ml_alloc(args->env, sizeof(*hub));
    if (hub == NULL) {
        return ML_E_NOMEM;
    }
    hub->env = args->env;
    hub->loop = args->loop;
    hub->calls = args->calls;
    hub->host = (struct ml_link_host){.env = args->env,
                                      .loop = args->loop,
                                      .ids = &hub->ids,
                                      .times = args->times,
                                      .up = hub_on_up,
                                      .message = hub_on_message,
                                      .sent = hub_on_sent,
                                      .closed = hub_on_closed,
                                      .ctx = hub};
    *out = hub;
    return ML_OK;
}

static void hub_on_spare_freed(void *user)
{
    struct ml_hub *hub = user;
    hub->listening = false;
    hub_free_when_done(hub);
}

static void hub_on_listener_closed(uv_handle_t *handle)
{
    struct ml_hub *hub = handle->data;
    ml_spare_end(&hub->spare, hub_on_spare_freed, hub);
}

void ml_hub_close(struct ml_hub *hub, void (*closed)(void *user), void *user)
{
    hub->closed = closed;
    hub->user = user;
    hub->closing = true;
    for (struct ml_link *link = hub->links; link != NULL; link = link->next) {
        ml_link_end(link, ML_E_CANCELED);
    }
    for (struct hub_dial *d = hub->dials; d != NULL; d = d->next) {
        ml_dial_cancel(d->op);
    }
    if (hub->listening) {
        uv_close((uv_handle_t *)&hub->listener, hub_on_listener_closed);
    } else {
        hub_free_when_done(hub);
    }
}
