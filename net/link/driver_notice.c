/* net/link/driver_notice.c -- notices: what sockets tell the node, from the loop thread to the org
 * thread. One that finds no memory ends what it is about: driver.c says how. */
#include <string.h>

#include "core/base/assert.h"
#include "net/link/driver_inner.h"

void ml_driver_notice_free(struct notice *n)
{
    if (n == NULL) {
        return;
    }
    ml_driver_order_free(n->spare);
    ml_wipe(n->bytes, n->size); /* tokens, passphrases, an enrolment's grant */
    ml_release(n->driver->env, n);
}

static void message_consumed(struct ml_letter *letter, bool canceled)
{
    struct notice *n = (struct notice *)letter;
    struct ml_driver *d = n->driver;
    if (!canceled && d->hub != NULL) {
        ml_hub_consumed(d->hub, n->number, n->body.len);
    }
    ml_driver_notice_free(n);
}

static void notice_run(struct notice *n)
{
    const struct ml_driver_node *calls = &n->driver->calls;
    struct ml_node *node = n->driver->node;
    if (n->spare != NULL) {
        ml_driver_spare_keep(n->spare);
        n->spare = NULL;
    }
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
        ml_driver_order_free(ml_driver_spare_take(n->driver, ORDER_CLOSE, n->number, NULL));
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
    ml_driver_notice_free(n);
}

struct notice *ml_driver_notice_new(struct ml_driver *d, enum notice_kind kind, uint64_t number,
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

/* False when out of memory, for the notice itself or for what is to end its matter. */
static bool notice_spare(struct notice *n, enum order_kind kind)
{
    if (n == NULL) {
        return false;
    }
    n->spare = ml_driver_order_new(n->driver, kind, ml_slice(NULL, 0));
    if (n->spare == NULL) {
        return false;
    }
    n->spare->number = n->number;
    return true;
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
    struct notice *n = ml_driver_notice_new(d, NOTICE_CALL, call, size);
    if (!notice_spare(n, ORDER_REPLY)) {
        ml_driver_notice_free(n);
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
    struct notice *n = ml_driver_notice_new(d, NOTICE_CANCEL, call, 0);
    if (n != NULL) { /* else the call runs to its end: nobody is hurt */
        notice_post(n);
    }
}

/* NULL: it was a peer who dialled. */
static void dial_tell(struct notice *failed, ml_err reason)
{
    if (failed != NULL) {
        failed->err = reason;
        notice_post(failed);
    }
}

static void driver_on_up(void *ctx, uint64_t link, const struct ml_link_peer *peer)
{
    struct ml_driver *d = ctx;
    struct notice *failed = ml_driver_end_take(d, NOTICE_DIAL_FAILED, peer->dial);
    struct notice *up = ml_driver_notice_new(d, NOTICE_UP, link, 0);
    struct notice *down = ml_driver_notice_new(d, NOTICE_DOWN, link, 0);
    if (down == NULL || !notice_spare(up, ORDER_CLOSE)) {
        ml_driver_notice_free(up);
        ml_driver_notice_free(down);
        dial_tell(failed, ML_E_NOMEM);
        ml_hub_end(d->hub, link, ML_E_NOMEM);
        return;
    }
    ml_driver_notice_free(failed);
    up->peer = *peer;
    ML_ASSERT(peer->handshake_hash.len == sizeof(up->hash));
    memcpy(up->hash, peer->handshake_hash.data, sizeof(up->hash));
    up->peer.handshake_hash = ml_slice(up->hash, sizeof(up->hash));
    snprintf(up->address, sizeof(up->address), "%s", peer->address);
    up->peer.address = up->address;
    ml_driver_end_keep(down);
    notice_post(up);
}

static void driver_on_message(void *ctx, uint64_t link, struct ml_slice message)
{
    struct ml_driver *d = ctx;
    struct notice *n = ml_driver_notice_new(d, NOTICE_MESSAGE, link, message.len);
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
    struct notice *n = ml_driver_notice_new(d, NOTICE_SENT, link, 0);
    if (n == NULL) {
        ml_hub_end(d->hub, link, ML_E_NOMEM);
        return;
    }
    n->sent_bytes = bytes;
    notice_post(n);
}

static void driver_on_down(void *ctx, uint64_t link, ml_err reason)
{
    struct notice *down = ml_driver_end_take(ctx, NOTICE_DOWN, link);
    if (down != NULL) {
        down->err = reason;
        notice_post(down);
    }
}

static void driver_on_dial_failed(void *ctx, uint64_t dial, ml_err reason)
{
    dial_tell(ml_driver_end_take(ctx, NOTICE_DIAL_FAILED, dial), reason);
}

struct ml_hub_calls ml_driver_hub_calls(struct ml_driver *d)
{
    return (struct ml_hub_calls){driver_on_up,   driver_on_message,     driver_on_sent,
                                 driver_on_down, driver_on_dial_failed, d};
}

struct ml_rpc_backend ml_driver_backend(struct ml_driver *d)
{
    return (struct ml_rpc_backend){.call = driver_on_call, .cancel = driver_on_cancel, .ctx = d};
}
