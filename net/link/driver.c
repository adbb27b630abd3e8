/* net/link/driver.c -- see driver.h.
 *
 * Two kinds of letters cross: a `notice` goes to the org thread, an `order` to the loop. A notice
 * of a message comes back as an order, which frees it and says consumed.
 *
 * What has no memory is never lost in silence. The letter that ends a thing is made with it and
 * kept, on the thread that will post it: a dial's `dial failed` and a link's `down` in `ends`, a
 * link's close, a call's answer and an identity's clearing in `spares`. So a message that can't be
 * copied ends its link with NOMEM, and an answer that can't be copied is NOMEM. A dial that can't
 * be ordered is told failed at the org thread's next step; once one is lost, so are those after it
 * in the same step, and two numbers say which.
 *
 * Stopping, one step after the other: worker drained -> node closed -> orders drained -> local
 * socket closed -> hub closed -> mailbox closed -> free.
 */
#include "net/link/driver.h"

#include <string.h>

#include "net/link/driver_inner.h"

#define DRIVER_NEVER UINT64_MAX

/* --- what is kept for an end --- */

void ml_driver_spare_keep(struct order *o)
{
    o->next = o->driver->spares;
    o->driver->spares = o;
}

/* NULL when there is none: the link is closed already, the identity never was set. */
struct order *ml_driver_spare_take(struct ml_driver *d, enum order_kind kind, uint64_t number,
                                   const struct ml_org_id *org)
{
    struct order **at = &d->spares;
    while (*at != NULL && ((*at)->kind != kind || (*at)->number != number ||
                           (org != NULL && memcmp(&(*at)->identity.org, org, sizeof(*org)) != 0))) {
        at = &(*at)->next;
    }
    struct order *o = *at;
    if (o != NULL) {
        *at = o->next;
    }
    return o;
}

void ml_driver_end_keep(struct notice *n)
{
    n->next = n->driver->ends;
    n->driver->ends = n;
}

/* NULL when the node never heard of the link. */
struct notice *ml_driver_end_take(struct ml_driver *d, enum notice_kind kind, uint64_t number)
{
    struct notice **at = &d->ends;
    while (*at != NULL && ((*at)->kind != kind || (*at)->number != number)) {
        at = &(*at)->next;
    }
    struct notice *n = *at;
    if (n != NULL) {
        *at = n->next;
    }
    return n;
}

/* --- the org thread --- */

static void driver_tell_lost(struct ml_driver *d)
{
    uint64_t dial = d->lost_first;
    uint64_t last = d->lost_last;
    d->lost_first = 0; /* a node that dials again at once loses it for the next step */
    for (; dial != 0 && dial <= last; dial++) {
        d->calls.dial_failed(d->node, dial, ML_E_NOMEM);
    }
}

static uint64_t driver_step(void *ctx)
{
    struct ml_driver *d = ctx;
    driver_tell_lost(d);
    uint64_t now = d->env->now_ms(d->env->ctx);
    if (d->wake_ms <= now) {
        d->wake_ms = DRIVER_NEVER;
        d->calls.tick(d->node);
        now = d->env->now_ms(d->env->ctx);
    }
    if (d->lost_first != 0) {
        return 0;
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
    ml_driver_order_post(d->last_order);
}

/* --- life --- */

static void driver_on_mailbox_closed(struct ml_mailbox *mb, void *user)
{
    struct ml_driver *d = user;
    void (*closed)(void *) = d->closed;
    void *closed_user = d->user;
    (void)mb;
    while (d->ends != NULL) {
        struct notice *n = d->ends;
        d->ends = n->next;
        ml_driver_notice_free(n);
    }
    while (d->spares != NULL) {
        struct order *o = d->spares;
        d->spares = o->next;
        ml_driver_order_free(o);
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
void ml_driver_close_sockets(struct ml_driver *d)
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
        ml_driver_close_sockets(d);
    }
}

ml_err ml_driver_start(struct ml_driver *d, struct ml_node *node)
{
    const struct ml_worker_calls calls = {.step = driver_step, .end = driver_end, .ctx = d};
    struct order *last = ml_driver_order_new(d, ORDER_ENDED, ml_slice(NULL, 0));
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
        ml_driver_order_free(last);
    }
    return err;
}

static ml_err driver_open_sockets(struct ml_driver *d, const struct ml_driver_args *args)
{
    const struct ml_hub_args hub = {
        .env = d->env,
        .loop = d->loop,
        .calls = ml_driver_hub_calls(d),
        .times = args->times,
    };
    const struct ml_rpc_server_args rpc = {
        .env = d->env,
        .loop = d->loop,
        .path = args->socket,
        .backend = ml_driver_backend(d),
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
    d->ports = ml_driver_make_ports(d);
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
