/* net/link/dial.c -- see dial.h.
 *
 *   start -> [resolving] -> connecting to each -- first connected -> finish(OK)
 *                                             \- last failed, deadline, cancel -> finish(error)
 *
 * Every callback translates its result and calls dial_finish(), which acts once; what comes later
 * is ignored. Invariant: `pending` counts the callbacks still due (closes, resolver); `done` runs,
 * and the object goes, when finished and pending is 0.
 */
#include "net/link/dial.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "net/link/uv_err.h"

struct attempt {
    struct ml_dial *dial;
    uv_connect_t req;
    uv_tcp_t *tcp; /* owned until it wins or is closed */
};

struct ml_dial {
    struct ml_dial_args args;
    char host[ML_DIAL_ADDRESS_BYTES];
    char port[6];
    uv_timer_t deadline;
    uv_getaddrinfo_t resolver;
    struct attempt attempts[ML_DIAL_ADDRESSES_MAX];
    size_t attempt_count;
    size_t failed_count;
    uv_tcp_t *winner;
    unsigned pending;
    ml_err result;
    bool finished;
    bool resolving;
};

/* Splits "host:port" or "[v6]:port" into two NUL-terminated parts. INVALID. */
static ml_err address_split(char host[ML_DIAL_ADDRESS_BYTES], char port[6], const char *address)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL) {
        return ML_E_INVALID;
    }
    const char *start = address;
    const char *end = colon;
    if (*start == '[') {
        start++;
        end--;
        if (end < start || *end != ']') {
            return ML_E_INVALID;
        }
    }
    size_t host_len = (size_t)(end - start);
    size_t port_len = strlen(colon + 1);
    if (host_len == 0 || host_len >= ML_DIAL_ADDRESS_BYTES || port_len == 0 || port_len > 5 ||
        strspn(colon + 1, "0123456789") != port_len) {
        return ML_E_INVALID;
    }
    memcpy(host, start, host_len);
    host[host_len] = '\0';
    memcpy(port, colon + 1, port_len + 1);
    return ML_OK;
}

ml_err ml_address_parse(struct sockaddr_storage *out, const char *address)
{
    char host[ML_DIAL_ADDRESS_BYTES];
    char port[6];
    ml_err err = address_split(host, port, address);
    unsigned long number = err == ML_OK ? strtoul(port, NULL, 10) : 0;
    if (err != ML_OK || number > UINT16_MAX) {
        return ML_E_INVALID;
    }
    memset(out, 0, sizeof(*out));
    if (uv_ip4_addr(host, (int)number, (struct sockaddr_in *)out) == 0 ||
        uv_ip6_addr(host, (int)number, (struct sockaddr_in6 *)out) == 0) {
        return ML_OK;
    }
    return ML_E_INVALID;
}

static void dial_end(struct ml_dial *d)
{
    if (!d->finished || d->pending > 0) {
        return;
    }
    const struct ml_dial_args args = d->args;
    uv_tcp_t *winner = d->winner;
    ml_err result = d->result;
    ml_release(args.env, d);
    args.done(args.user, winner, result);
}

static void dial_on_closed(uv_handle_t *handle)
{
    struct ml_dial *d = handle->data;
    d->pending--;
    dial_end(d);
}

static void attempt_on_closed(uv_handle_t *handle)
{
    struct attempt *a = handle->data;
    struct ml_dial *d = a->dial;
    ml_release(d->args.env, handle);
    d->pending--;
    dial_end(d);
}

static void attempt_close(struct attempt *a)
{
    if (a->tcp != NULL) {
        uv_tcp_t *tcp = a->tcp;
        a->tcp = NULL;
        a->dial->pending++;
        uv_close((uv_handle_t *)tcp, attempt_on_closed);
    }
}

static void dial_finish(struct ml_dial *d, ml_err result)
{
    if (d->finished) {
        return;
    }
    d->finished = true;
    d->result = result;
    d->pending++;
    uv_close((uv_handle_t *)&d->deadline, dial_on_closed);
    for (size_t i = 0; i < d->attempt_count; i++) {
        attempt_close(&d->attempts[i]);
    }
    if (d->resolving) {
        (void)uv_cancel((uv_req_t *)&d->resolver); /* else it ends by itself: it is counted */
    }
}

static void attempt_failed(struct attempt *a, ml_err err)
{
    struct ml_dial *d = a->dial;
    attempt_close(a);
    d->failed_count++;
    if (d->failed_count == d->attempt_count && !d->resolving) {
        dial_finish(d, err);
    }
}

static void attempt_on_connect(uv_connect_t *req, int status)
{
    struct attempt *a = req->data;
    struct ml_dial *d = a->dial;
    if (d->finished) {
        return;
    }
    if (status < 0) {
        attempt_failed(a, ml_err_from_uv(status));
        return;
    }
    d->winner = a->tcp;
    a->tcp = NULL;
    dial_finish(d, ML_OK);
}

static void dial_try(struct ml_dial *d, const struct sockaddr *addr)
{
    struct attempt *a = &d->attempts[d->attempt_count++];
    a->dial = d;
    a->req.data = a;
    a->tcp = ml_alloc(d->args.env, sizeof(*a->tcp));
    if (a->tcp == NULL) {
        attempt_failed(a, ML_E_NOMEM);
        return;
    }
    int rc = uv_tcp_init(d->args.loop, a->tcp);
    ML_ASSERT(rc == 0); /* opens no socket yet */
    a->tcp->data = a;
    rc = uv_tcp_connect(&a->req, a->tcp, addr, attempt_on_connect);
    if (rc != 0) {
        attempt_failed(a, ml_err_from_uv(rc));
    }
}

static void dial_on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct ml_dial *d = req->data;
    d->pending--;
    if (!d->finished && status == 0) {
        for (struct addrinfo *at = list; at != NULL && d->attempt_count < ML_DIAL_ADDRESSES_MAX;
             at = at->ai_next) {
            dial_try(d, at->ai_addr);
        }
    }
    uv_freeaddrinfo(list);
    d->resolving = false;
    if (!d->finished && d->failed_count == d->attempt_count) {
        dial_finish(d, ML_E_UNREACHABLE); /* no such name, or nobody at any of its addresses */
    }
    dial_end(d);
}

static void dial_on_deadline(uv_timer_t *timer)
{
    dial_finish(timer->data, ML_E_TIMEOUT);
}

static ml_err dial_resolve(struct ml_dial *d)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    ml_err err = ml_err_from_uv(
        uv_getaddrinfo(d->args.loop, &d->resolver, dial_on_resolved, d->host, d->port, &hints));
    if (err == ML_OK) {
        d->resolving = true;
        d->pending++;
    }
    return err;
}

ml_err ml_dial_start(struct ml_dial **out, const struct ml_dial_args *args)
{
    struct ml_dial *d = ml_alloc(args->env, sizeof(*d));
    if (d == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = address_split(d->host, d->port, args->address);
    if (err != ML_OK) {
        ml_release(args->env, d);
        return err;
    }
    struct sockaddr_storage addr;
    bool numeric = ml_address_parse(&addr, args->address) == ML_OK;
    d->args = *args;
    d->args.address = NULL;
    d->resolver.data = d;
    (void)uv_timer_init(args->loop, &d->deadline); /* only fills the struct */
    d->deadline.data = d;
    (void)uv_timer_start(&d->deadline, dial_on_deadline, args->timeout_ms, 0);
    *out = d;
    if (numeric) {
        dial_try(d, (const struct sockaddr *)&addr);
    } else {
        err = dial_resolve(d);
        if (err != ML_OK) {
            dial_finish(d, err);
        }
    }
    return ML_OK;
}

void ml_dial_cancel(struct ml_dial *d)
{
    dial_finish(d, ML_E_CANCELED);
}
