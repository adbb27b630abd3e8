/* net/link/driver.c -- see driver.h.
 *
 * Two kinds of letters cross: a `notice` goes to the org thread, an `order` to the loop. A notice
 * of a message comes back as an order, which frees it and says consumed. `down` notices are made
 * with their link, so that an end is always told. Stopping, one step after the other: worker
 * drained -> node closed -> orders drained -> local socket closed -> hub closed -> mailbox closed
 * -> free.
 */
#include "net/link/driver.h"

#include <string.h>

#include "core/base/assert.h"
#include "net/link/worker.h"

#define DRIVER_NEVER UINT64_MAX

enum notice_kind {
    NOTICE_CALL,
    NOTICE_CANCEL,
    NOTICE_UP,
    NOTICE_MESSAGE,
    NOTICE_SENT,
    NOTICE_DOWN,
    NOTICE_DIAL_FAILED,
};

struct notice {
    struct ml_letter letter;
    struct ml_driver *driver;
    struct notice *next; /* the driver's list of links' ends */
    enum notice_kind kind;
    uint64_t number; /* call, link or dial */
    ml_err err;
    struct ml_node_caller caller;
    struct ml_link_peer peer;
    struct ml_slice method; /* into bytes */
    struct ml_slice body;   /* into bytes */
    uint8_t hash[ML_NOISE_HASH_BYTES];
    char address[ML_LINK_ADDRESS_BYTES];
    size_t sent_bytes;
    size_t size; /* of bytes */
    uint8_t bytes[];
};

enum order_kind {
    ORDER_IDENTITY_SET,
    ORDER_IDENTITY_CLEAR,
    ORDER_DIAL,
    ORDER_SEND,
    ORDER_CLOSE,
    ORDER_REPLY,
    ORDER_EVENT,
    ORDER_ENDED, /* the org thread's last */
};

enum { ORDER_SECRETS = 5, ORDER_TEXT_BYTES = 128 };

struct order {
    struct ml_letter letter;
    struct ml_driver *driver;
    enum order_kind kind;
    uint64_t number;
    ml_err err;
    struct ml_link_identity identity;
    struct ml_dial_request dial;
    struct ml_secret *secrets[ORDER_SECRETS];
    char text[ORDER_TEXT_BYTES]; /* address, or name of an event */
    size_t size;
    uint8_t bytes[];
};

struct ml_driver {
    const struct ml_env *env;
    uv_loop_t *loop;
    struct ml_driver_node calls;
    struct ml_node_ports ports;
    struct ml_node *node; /* the org thread's */
    uint64_t wake_ms;     /* the org thread's */
    struct ml_mailbox mailbox;
    struct ml_worker worker;
    struct ml_hub *hub;
    struct ml_rpc_server *rpc;
    struct notice *downs; /* of open links */
    struct order *last_order;
    void (*closed)(void *user);
    void *user;
    uint16_t port;
    bool started;
    bool stopping;
};

/* --- notices: loop thread to org thread --- */

static void message_consumed(struct ml_letter *letter, bool canceled)
{
    struct notice *n = (struct notice *)letter;
    struct ml_driver *d = n->driver;
    if (!canceled && d->hub != NULL) {
        ml_hub_consumed(d->hub, n->number, n->body.len);
    }
    ml_wipe(n->bytes, n->size); /* an enrolment's grant, perhaps */
    ml_release(d->env, n);
}

static void notice_run(const struct notice *n)
{
    const struct ml_driver_node *calls = &n->driver->calls;
    struct ml_node *node = n->driver->node;
    switch (n->kind) {
    case NOTICE_CALL:
        calls->call(node, n->number, &n->caller, n->method, n->body);
        break;
    case NOTICE_CANCEL:
        calls->cancel(node, n->number);
        break;
    case NOTICE_UP:
        calls->link_up(node, n->number, &n->peer);
        break;
    case NOTICE_MESSAGE:
        calls->link_message(node, n->number, n->body);
        break;
    case NOTICE_SENT:
        calls->link_sent(node, n->number, n->sent_bytes);
        break;
    case NOTICE_DOWN:
        calls->link_down(node, n->number, n->err);
        break;
    case NOTICE_DIAL_FAILED:
        calls->dial_failed(node, n->number, n->err);
        break;
    default:
        break;
    }
}

/* On the org thread. */
static void notice_open(struct ml_letter *letter, bool canceled)
{
    struct notice *n = (struct notice *)letter;
    if (!canceled) {
        notice_run(n);
    }
    if (n->kind == NOTICE_MESSAGE && !canceled) {
        n->letter.open = message_consumed;
        ml_mailbox_post(&n->driver->mailbox, &n->letter);
        return;
    }
    ml_wipe(n->bytes, n->size); /* tokens, passphrases */
    ml_release(n->driver->env, n);
}

static struct notice *notice_new(struct ml_driver *d, enum notice_kind kind, uint64_t number,
                                 size_t size)
{
    struct notice *n = ml_alloc(d->env, sizeof(*n) + size);
    if (n != NULL) {
        n->letter.open = notice_open;
        n->driver = d;
        n->kind = kind;
        n->number = number;
        n->size = size;
    }
    return n;
}

static struct ml_slice notice_copy(struct notice *n, size_t at, struct ml_slice from)
{
    if (from.len > 0) {
        memcpy(n->bytes + at, from.data, from.len);
    }
    return ml_slice(n->bytes + at, from.len);
}

static void notice_post(struct notice *n)
{
    struct ml_driver *d = n->driver;
    if (!d->started) {
        notice_open(&n->letter, true);
        return;
    }
    ml_mailbox_post(&d->worker.mailbox, &n->letter);
}

static bool driver_on_call(void *ctx, uint64_t call, const struct ml_node_caller *caller,
                           const struct ml_rpc_frame *frame)
{
    struct ml_driver *d = ctx;
    size_t size = caller->token.len + frame->method.len + frame->body.len; /* one frame at most */
    struct notice *n = notice_new(d, NOTICE_CALL, call, size);
    if (n == NULL) {
        return false;
    }
    n->caller = *caller;
    n->caller.token = notice_copy(n, 0, caller->token);
    n->method = notice_copy(n, caller->token.len, frame->method);
    n->body = notice_copy(n, caller->token.len + frame->method.len, frame->body);
    notice_post(n);
    return true;
}

static void driver_on_cancel(void *ctx, uint64_t call)
{
    struct ml_driver *d = ctx;
    struct notice *n = notice_new(d, NOTICE_CANCEL, call, 0);
    if (n != NULL) { /* else the call runs to its end: nobody is hurt */
        notice_post(n);
    }
}

static void driver_on_up(void *ctx, uint64_t link, const struct ml_link_peer *peer)
{
    struct ml_driver *d = ctx;
    struct notice *up = notice_new(d, NOTICE_UP, link, 0);
    struct notice *down = notice_new(d, NOTICE_DOWN, link, 0);
    if (up == NULL || down == NULL) {
        ml_release(d->env, up);
        ml_release(d->env, down);
        ml_hub_end(d->hub, link, ML_E_NOMEM);
        return;
    }
    up->peer = *peer;
    ML_ASSERT(peer->handshake_hash.len == sizeof(up->hash));
    memcpy(up->hash, peer->handshake_hash.data, sizeof(up->hash));
    up->peer.handshake_hash = ml_slice(up->hash, sizeof(up->hash));
    snprintf(up->address, sizeof(up->address), "%s", peer->address);
    up->peer.address = up->address;
    down->next = d->downs;
    d->downs = down;
    notice_post(up);
}

static void driver_on_message(void *ctx, uint64_t link, struct ml_slice message)
{
    struct ml_driver *d = ctx;
    struct notice *n = notice_new(d, NOTICE_MESSAGE, link, message.len);
    if (n == NULL) {
        ml_hub_end(d->hub, link, ML_E_NOMEM);
        return;
    }
    n->body = notice_copy(n, 0, message);
    notice_post(n);
}

static void driver_on_sent(void *ctx, uint64_t link, size_t bytes)
{
    struct ml_driver *d = ctx;
    struct notice *n = notice_new(d, NOTICE_SENT, link, 0);
    if (n == NULL) {
        ml_hub_end(d->hub, link, ML_E_NOMEM);
        return;
    }
    n->sent_bytes = bytes;
    notice_post(n);
}

static void driver_on_down(void *ctx, uint64_t link, ml_err reason)
{
    struct ml_driver *d = ctx;
    struct notice **at = &d->downs;
    while (*at != NULL && (*at)->number != link) {
        at = &(*at)->next;
    }
    struct notice *down = *at;
    if (down == NULL) {
        return; /* the node never heard of it */
    }
    *at = down->next;
    down->err = reason;
    notice_post(down);
}

static void driver_on_dial_failed(void *ctx, uint64_t dial, ml_err reason)
{
    struct ml_driver *d = ctx;
    struct notice *n = notice_new(d, NOTICE_DIAL_FAILED, dial, 0);
    if (n == NULL) {
        ml_logf(d->env, ML_LOG_ERROR, "driver", "a failed dial is not told: out of memory");
        return;
    }
    n->err = reason;
    notice_post(n);
}

/* --- orders: org thread to loop thread --- */

static void driver_close_sockets(struct ml_driver *d);

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
        driver_close_sockets(d);
        break;
    default:
        break;
    }
    if (err != ML_OK) {
        ml_logf(d->env, ML_LOG_ERROR, "driver", "no identity: %s", ml_err_text(err));
    }
}

static void order_open(struct ml_letter *letter, bool canceled)
{
    struct order *o = (struct order *)letter;
    const struct ml_env *env = o->driver->env;
    if (!canceled) {
        order_run(o);
    }
    for (size_t i = 0; i < ORDER_SECRETS; i++) {
        ml_secret_free(o->secrets[i]);
    }
    ml_wipe(o->bytes, o->size); /* an answer may hold a token or a code */
    ml_release(env, o);
}

static struct order *order_new(struct ml_driver *d, enum order_kind kind, struct ml_slice body)
{
    struct order *o = ml_alloc(d->env, sizeof(*o) + body.len);
    if (o == NULL) {
        ml_logf(d->env, ML_LOG_ERROR, "driver", "out of memory for the sockets");
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

static void order_post(struct order *o)
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

static void port_identity_set(void *ctx, const struct ml_link_identity *identity)
{
    struct order *o = order_new(ctx, ORDER_IDENTITY_SET, ml_slice(NULL, 0));
    if (o == NULL) {
        return;
    }
    o->identity = *identity;
    bool copied = order_secret(o, 0, &o->identity.noise_static) &&
                  order_secret(o, 1, &o->identity.network_psk) &&
                  order_secret(o, 2, &o->identity.network_mac) &&
                  order_secret(o, 3, &o->identity.enrolment_psk) &&
                  order_secret(o, 4, &o->identity.enrolment_mac);
    if (!copied) {
        order_open(&o->letter, true);
        return;
    }
    order_post(o);
}

static void port_identity_clear(void *ctx, const struct ml_org_id *org)
{
    struct order *o = order_new(ctx, ORDER_IDENTITY_CLEAR, ml_slice(NULL, 0));
    if (o != NULL) {
        o->identity.org = *org;
        order_post(o);
    }
}

static void port_dial(void *ctx, const struct ml_dial_request *request)
{
    struct ml_driver *d = ctx;
    struct order *o = order_new(d, ORDER_DIAL, ml_slice(NULL, 0));
    if (o == NULL) {
        return;
    }
    o->dial = *request;
    int n = snprintf(o->text, sizeof(o->text), "%s", request->address);
    o->dial.address = n < 0 || (size_t)n >= sizeof(o->text) ? "" : o->text; /* "" is INVALID */
    bool copied = order_secret(o, 0, &o->dial.psk) && order_secret(o, 1, &o->dial.mac) &&
                  order_secret(o, 2, &o->dial.static_key);
    if (!copied) {
        order_open(&o->letter, true);
        return;
    }
    order_post(o);
}

static void port_link_send(void *ctx, uint64_t link, const uint8_t *msg, size_t len)
{
    struct order *o = order_new(ctx, ORDER_SEND, ml_slice(msg, len));
    if (o != NULL) {
        o->number = link;
        order_post(o);
    }
}

static void port_link_close(void *ctx, uint64_t link, ml_err reason)
{
    struct order *o = order_new(ctx, ORDER_CLOSE, ml_slice(NULL, 0));
    if (o != NULL) {
        o->number = link;
        o->err = reason;
        order_post(o);
    }
}

static void port_reply(void *ctx, uint64_t call, ml_err err, struct ml_slice document)
{
    struct order *o = order_new(ctx, ORDER_REPLY, document);
    if (o == NULL) { /* at least the code */
        err = ML_E_NOMEM;
        o = order_new(ctx, ORDER_REPLY, ml_slice(NULL, 0));
    }
    if (o != NULL) {
        o->number = call;
        o->err = err;
        order_post(o);
    }
}

static void port_event(void *ctx, const char *name, struct ml_slice document)
{
    struct order *o = order_new(ctx, ORDER_EVENT, document);
    if (o != NULL) {
        snprintf(o->text, sizeof(o->text), "%s", name);
        order_post(o);
    }
}

static void port_wake_at(void *ctx, uint64_t at_ms)
{
    ((struct ml_driver *)ctx)->wake_ms = at_ms;
}

/* --- the org thread --- */

static uint64_t driver_step(void *ctx)
{
    struct ml_driver *d = ctx;
    uint64_t now = d->env->now_ms(d->env->ctx);
    if (d->wake_ms <= now) {
        d->wake_ms = DRIVER_NEVER;
        d->calls.tick(d->node);
        now = d->env->now_ms(d->env->ctx);
    }
    if (d->wake_ms == DRIVER_NEVER) {
        return UINT64_MAX;
    }
    return d->wake_ms > now ? d->wake_ms - now : 0;
}

static void driver_end(void *ctx)
{
    struct ml_driver *d = ctx;
    d->calls.close(d->node);
    d->node = NULL;
    order_post(d->last_order);
}

/* --- life --- */

static void driver_on_mailbox_closed(struct ml_mailbox *mb, void *user)
{
    struct ml_driver *d = user;
    void (*closed)(void *) = d->closed;
    void *closed_user = d->user;
    (void)mb;
    while (d->downs != NULL) {
        struct notice *n = d->downs;
        d->downs = n->next;
        ml_release(d->env, n);
    }
    ml_release(d->env, d);
    if (closed != NULL) {
        closed(closed_user);
    }
}

static void driver_on_hub_closed(void *user)
{
    struct ml_driver *d = user;
    d->hub = NULL;
    ml_mailbox_close_loop(&d->mailbox, driver_on_mailbox_closed, d);
}

static void driver_on_rpc_closed(void *user)
{
    struct ml_driver *d = user;
    d->rpc = NULL;
    if (d->hub != NULL) {
        ml_hub_close(d->hub, driver_on_hub_closed, d);
    } else {
        driver_on_hub_closed(d);
    }
}

/* The node is gone. Everything it ordered before was carried out. */
static void driver_close_sockets(struct ml_driver *d)
{
    if (d->started) {
        ml_worker_join(&d->worker);
        d->started = false;
    }
    if (d->rpc != NULL) {
        ml_rpc_server_close(d->rpc, driver_on_rpc_closed, d);
    } else {
        driver_on_rpc_closed(d);
    }
}

void ml_driver_stop(struct ml_driver *d, void (*closed)(void *user), void *user)
{
    if (d->stopping) {
        return;
    }
    d->stopping = true;
    d->closed = closed;
    d->user = user;
    if (d->started) {
        ml_worker_stop(&d->worker); /* its last order goes on */
    } else {
        driver_close_sockets(d);
    }
}

ml_err ml_driver_start(struct ml_driver *d, struct ml_node *node)
{
    const struct ml_worker_calls calls = {.step = driver_step, .end = driver_end, .ctx = d};
    struct order *last = order_new(d, ORDER_ENDED, ml_slice(NULL, 0));
    if (last == NULL) {
        return ML_E_NOMEM;
    }
    d->last_order = last;
    d->node = node;
    d->started = true; /* before the thread may post */
    ml_err err = ml_worker_start(&d->worker, &calls);
    if (err != ML_OK) {
        d->started = false;
        d->node = NULL;
        ml_release(d->env, last);
    }
    return err;
}

static ml_err driver_open_sockets(struct ml_driver *d, const struct ml_driver_args *args)
{
    const struct ml_hub_args hub = {
        .env = d->env,
        .loop = d->loop,
        .calls = {driver_on_up, driver_on_message, driver_on_sent, driver_on_down,
                  driver_on_dial_failed, d},
        .times = args->times,
    };
    const struct ml_rpc_server_args rpc = {
        .env = d->env,
        .loop = d->loop,
        .path = args->socket,
        .backend = {.call = driver_on_call, .cancel = driver_on_cancel, .ctx = d},
    };
    ml_err err = ml_hub_open(&d->hub, &hub);
    if (err == ML_OK && args->listen != NULL) {
        err = ml_hub_listen(d->hub, &d->port, args->listen);
    }
    return err == ML_OK ? ml_rpc_server_open(&d->rpc, &rpc) : err;
}

ml_err ml_driver_open(struct ml_driver **out, const struct ml_driver_args *args)
{
    struct ml_driver *d = ml_alloc(args->env, sizeof(*d));
    if (d == NULL) {
        return ML_E_NOMEM;
    }
    d->env = args->env;
    d->loop = args->loop;
    d->calls = args->calls;
    d->wake_ms = DRIVER_NEVER;
    d->ports = (struct ml_node_ports){.ctx = d,
                                      .identity_set = port_identity_set,
                                      .identity_clear = port_identity_clear,
                                      .dial = port_dial,
                                      .link_send = port_link_send,
                                      .link_close = port_link_close,
                                      .reply = port_reply,
                                      .event = port_event,
                                      .wake_at = port_wake_at};
    ml_err err = ml_mailbox_init_loop(&d->mailbox, args->loop);
    if (err != ML_OK) {
        ml_release(args->env, d);
        return err;
    }
    err = driver_open_sockets(d, args);
    if (err != ML_OK) {
        ml_driver_stop(d, NULL, NULL);
        return err;
    }
    *out = d;
    return ML_OK;
}

const struct ml_node_ports *ml_driver_ports(struct ml_driver *d)
{
    return &d->ports;
}

uint16_t ml_driver_port(const struct ml_driver *d)
{
    return d->port;
}
