/* net/link/driver_order.c -- orders: what the node has its sockets do, from the org thread to the
 * loop thread. One that finds no memory ends what it is about: driver.c says how. */
#include <string.h>

#include "net/link/driver_inner.h"

static void order_run(struct order *o)
{
    struct ml_driver *d = o->driver;
    struct ml_slice body = ml_slice(o->bytes, o->size);
    ml_err err = ML_OK;
    switch (o->kind) {
    case ORDER_IDENTITY_SET:
        err = ml_hub_identity_set(d->hub, &o->identity);
        break;
    case ORDER_IDENTITY_CLEAR:
        ml_hub_identity_clear(d->hub, &o->identity.org);
        break;
    case ORDER_DIAL:
        ml_driver_end_keep(o->failed);
        o->failed = NULL;
        ml_hub_dial(d->hub, &o->dial);
        break;
    case ORDER_SEND:
        ml_hub_send(d->hub, o->number, body);
        break;
    case ORDER_CLOSE:
        ml_hub_end(d->hub, o->number, o->err);
        break;
    case ORDER_REPLY:
        ml_rpc_server_reply(d->rpc, o->number, o->err, body);
        break;
    case ORDER_EVENT:
        ml_rpc_server_event(d->rpc, o->text, body);
        break;
    case ORDER_ENDED:
        ml_driver_close_sockets(d);
        break;
    default:
        break;
    }
    if (err != ML_OK) {
        ml_logf(d->env, ML_LOG_ERROR, "driver", "no identity: %s", ml_err_text(err));
    }
}

void ml_driver_order_free(struct order *o)
{
    if (o == NULL) {
        return;
    }
    for (size_t i = 0; i < ORDER_SECRETS; i++) {
        ml_secret_free(o->secrets[i]);
    }
    ml_driver_notice_free(o->failed);
    ml_wipe(o->bytes, o->size); /* an answer may hold a token or a code */
    ml_release(o->driver->env, o);
}

static void order_open(struct ml_letter *letter, bool canceled)
{
    struct order *o = (struct order *)letter;
    if (!canceled) {
        order_run(o);
    }
    ml_driver_order_free(o);
}

struct order *ml_driver_order_new(struct ml_driver *d, enum order_kind kind, struct ml_slice body)
{
    struct order *o = ml_alloc(d->env, sizeof(*o) + body.len);
    if (o == NULL) {
        return NULL;
    }
    o->letter.open = order_open;
    o->driver = d;
    o->kind = kind;
    o->size = body.len;
    if (body.len > 0) {
        memcpy(o->bytes, body.data, body.len);
    }
    return o;
}

void ml_driver_order_post(struct order *o)
{
    ml_mailbox_post(&o->driver->mailbox, &o->letter);
}

/* A copy in the order's keeping; NULL stays NULL. False when out of memory. */
static bool order_secret(struct order *o, size_t at, const struct ml_secret **field)
{
    if (*field == NULL) {
        return true;
    }
    ml_err err = ml_secret_from(&o->secrets[at], ml_secret_bytes(*field), ml_secret_len(*field));
    *field = o->secrets[at];
    return err == ML_OK;
}

static bool order_identity(struct order *o, const struct ml_link_identity *identity)
{
    o->identity = *identity;
    return order_secret(o, 0, &o->identity.noise_static) &&
           order_secret(o, 1, &o->identity.network_psk) &&
           order_secret(o, 2, &o->identity.network_mac) &&
           order_secret(o, 3, &o->identity.enrolment_psk) &&
           order_secret(o, 4, &o->identity.enrolment_mac) &&
           order_secret(o, 5, &o->identity.past_keys);
}

/* Lost, its dials fail with LOCKED, and the node says it again. */
static void port_identity_set(void *ctx, const struct ml_link_identity *identity)
{
    struct ml_driver *d = ctx;
    const struct ml_slice none = ml_slice(NULL, 0);
    struct order *clear = ml_driver_spare_take(d, ORDER_IDENTITY_CLEAR, 0, &identity->org);
    bool again = clear != NULL;
    struct order *o = ml_driver_order_new(d, ORDER_IDENTITY_SET, none);
    clear = again ? clear : ml_driver_order_new(d, ORDER_IDENTITY_CLEAR, none);
    bool made = o != NULL && clear != NULL && order_identity(o, identity);
    if (made) {
        ml_driver_order_post(o);
        clear->identity.org = identity->org;
    } else {
        ml_driver_order_free(o);
        ml_logf(d->env, ML_LOG_ERROR, "driver", "no identity: out of memory");
    }
    if (made || again) {
        ml_driver_spare_keep(clear);
    } else {
        ml_driver_order_free(clear);
    }
}

static void port_identity_clear(void *ctx, const struct ml_org_id *org)
{
    struct order *o = ml_driver_spare_take(ctx, ORDER_IDENTITY_CLEAR, 0, org);
    if (o != NULL) {
        ml_driver_order_post(o);
    }
}

static bool order_dial(struct order *o, const struct ml_dial_request *request)
{
    o->failed = ml_driver_notice_new(o->driver, NOTICE_DIAL_FAILED, request->dial, 0);
    o->dial = *request;
    int n = snprintf(o->text, sizeof(o->text), "%s", request->address);
    o->dial.address = n < 0 || (size_t)n >= sizeof(o->text) ? "" : o->text; /* "" is INVALID */
    return order_secret(o, 0, &o->dial.psk) && order_secret(o, 1, &o->dial.mac) &&
           order_secret(o, 2, &o->dial.static_key) && o->failed != NULL;
}

static void port_dial(void *ctx, const struct ml_dial_request *request)
{
    struct ml_driver *d = ctx;
    bool lost = d->lost_first != 0; /* an earlier one of this step: see above */
    struct order *o = lost ? NULL : ml_driver_order_new(d, ORDER_DIAL, ml_slice(NULL, 0));
    if (o == NULL || !order_dial(o, request)) {
        ml_driver_order_free(o);
        d->lost_first = lost ? d->lost_first : request->dial;
        d->lost_last = request->dial;
        return;
    }
    ml_driver_order_post(o);
}

static void port_link_close(void *ctx, uint64_t link, ml_err reason)
{
    struct order *o = ml_driver_spare_take(ctx, ORDER_CLOSE, link, NULL);
    if (o != NULL) { /* else it was closed before */
        o->err = reason;
        ml_driver_order_post(o);
    }
}

static void port_link_send(void *ctx, uint64_t link, const uint8_t *msg, size_t len)
{
    struct order *o = ml_driver_order_new(ctx, ORDER_SEND, ml_slice(msg, len));
    if (o == NULL) { /* a link with a gap is worse than none */
        port_link_close(ctx, link, ML_E_NOMEM);
        return;
    }
    o->number = link;
    ml_driver_order_post(o);
}

static void port_reply(void *ctx, uint64_t call, ml_err err, struct ml_slice document)
{
    struct order *spare = ml_driver_spare_take(ctx, ORDER_REPLY, call, NULL);
    struct order *o = ml_driver_order_new(ctx, ORDER_REPLY, document);
    if (spare == NULL) {
        ml_driver_order_free(o); /* answered before, or never asked */
        return;
    }
    if (o == NULL) { /* at least the code */
        err = ML_E_NOMEM;
        o = spare;
    } else {
        ml_driver_order_free(spare);
    }
    o->number = call;
    o->err = err;
    ml_driver_order_post(o);
}

static void port_event(void *ctx, const char *name, struct ml_slice document)
{
    struct ml_driver *d = ctx;
    struct order *o = ml_driver_order_new(d, ORDER_EVENT, document);
    if (o == NULL) { /* a hint: whoever hears it asks again anyway */
        ml_logf(d->env, ML_LOG_ERROR, "driver", "an event is not told: out of memory");
        return;
    }
    snprintf(o->text, sizeof(o->text), "%s", name);
    ml_driver_order_post(o);
}

static void port_wake_at(void *ctx, uint64_t at_ms)
{
    ((struct ml_driver *)ctx)->wake_ms = at_ms;
}

struct ml_node_ports ml_driver_make_ports(struct ml_driver *d)
{
    return (struct ml_node_ports){.ctx = d,
                                  .identity_set = port_identity_set,
                                  .identity_clear = port_identity_clear,
                                  .dial = port_dial,
                                  .link_send = port_link_send,
                                  .link_close = port_link_close,
                                  .reply = port_reply,
                                  .event = port_event,
                                  .wake_at = port_wake_at};
}
