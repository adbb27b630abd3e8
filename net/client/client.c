/* net/client/client.c -- see maille/client.h.
 *
 *   open: connect -> rpc.hello -> usable (the token goes with hello, again when a session begins)
 *   call: queued in `out`, listed in `calls` -> answer or end of the connection -> unlisted, `done`
 *
 * Invariant: a listed call's `done` has not run. A call is unlisted before its `done` runs, so that
 * the callback may call again. The first fault of the connection is kept in `broken`; from then on
 * nothing is sent and every call is answered with it.
 */
#include "maille/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/ids.h"
#include "core/codec/rpc_limits.h"
#include "net/client/connect.h"
#include "net/client/place.h"
#include "net/client/rpc_frame.h"

#define CLIENT_NAMES_MAX  16u
#define CLIENT_NAME_BYTES 48u
#define CLIENT_TOKEN_MAX  128u
#define CLIENT_READ_BYTES 65536u
#define CLIENT_STOP_MS    200u /* how long a stop may wait to be seen */

struct open_call {
    struct open_call *next;
    uint64_t ticket;
    ml_client_answer_cb *done;
    void *user;
};

struct listener {
    char name[CLIENT_NAME_BYTES]; /* empty: free */
    ml_client_event_cb *on_event;
    void *user;
};

struct ml_client {
    const struct ml_env *env;
    int fd;
    struct ml_buf in, out;
    size_t sent; /* of out */
    struct open_call *calls;
    size_t call_count;
    uint64_t last_ticket;
    struct listener listeners[CLIENT_NAMES_MAX];
    ml_err broken;
    const volatile sig_atomic_t *stop; /* borrowed */
    uint64_t answers;                  /* counts what arrived, to know whether work did something */
};

/* --- sending --- */

static ml_err client_flush(struct ml_client *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return ML_OK;
        }
        if (n < 0) {
            return ml_err_from_errno(errno);
        }
        c->sent += (size_t)n;
    }
    ml_buf_clear(&c->out);
    c->sent = 0;
    return ML_OK;
}

static ml_err client_send(struct ml_client *c, const struct ml_rpc_frame *frame)
{
    if (c->broken != ML_OK) {
        return c->broken;
    }
    size_t before = c->out.len;
    ml_err err = ml_rpc_frame_write(&c->out, frame);
    if (err != ML_OK) { /* nothing of it may go out */
        c->out.len = before;
        c->out.err = ML_OK;
        return err;
    }
    return ML_OK;
}

static ml_err params_of(struct ml_args *params, struct ml_slice *bytes)
{
    static const uint8_t empty_map[] = {0x80};
    *bytes = ml_slice(empty_map, sizeof(empty_map));
    return params == NULL ? ML_OK : ml_args_encoded(params, &bytes->data, &bytes->len);
}

ml_err ml_client_call(struct ml_client *c, uint64_t *ticket, const struct ml_ask *args)
{
    struct ml_rpc_frame frame = {.kind = ML_RPC_REQUEST, .method = ml_slice_str(args->method)};
    ml_err err = params_of(args->params, &frame.body);
    if (err != ML_OK) {
        return err;
    }
    if (c->call_count == ML_CLIENT_CALLS_MAX) {
        return ML_E_LIMIT;
    }
    struct open_call *call = ml_alloc(c->env, sizeof(*call));
    if (call == NULL) {
        return ML_E_NOMEM;
    }
    *call = (struct open_call){
        .next = c->calls, .ticket = c->last_ticket + 1, .done = args->done, .user = args->user};
    frame.id = call->ticket;
    err = client_send(c, &frame);
    if (err != ML_OK) {
        ml_release(c->env, call);
        return err;
    }
    c->last_ticket++;
    c->calls = call;
    c->call_count++;
    if (ticket != NULL) {
        *ticket = call->ticket;
    }
    return ML_OK;
}

static ml_err client_notify(struct ml_client *c, const char *method, struct ml_args *params)
{
    struct ml_rpc_frame frame = {.kind = ML_RPC_NOTIFY, .method = ml_slice_str(method)};
    ml_err err = params_of(params, &frame.body);
    return err == ML_OK ? client_send(c, &frame) : err;
}

ml_err ml_client_cancel(struct ml_client *c, uint64_t ticket)
{
    struct ml_args *params = ml_args_new();
    ml_args_map(params);
    ml_args_key(params, "ticket");
    ml_args_int(params, (int64_t)ticket);
    ml_args_end(params);
    ml_err err = params == NULL ? ML_E_NOMEM : client_notify(c, "rpc.cancel", params);
    ml_args_free(params);
    return err;
}

/* --- receiving --- */

static void call_finish(struct ml_client *c, struct open_call **link,
                        const struct ml_answer *answer)
{
    struct open_call *call = *link;
    *link = call->next;
    c->call_count--;
    call->done(call->user, call->ticket, answer);
    ml_release(c->env, call);
}

static void client_answered(struct ml_client *c, const struct ml_rpc_frame *frame,
                            const struct ml_value *body)
{
    struct open_call **link = &c->calls;
    while (*link != NULL && (*link)->ticket != frame->id) {
        link = &(*link)->next;
    }
    if (*link == NULL) {
        return; /* answered twice, or never asked: nobody waits */
    }
    struct ml_answer answer = {.err = frame->err};
    if (frame->err == ML_OK) {
        answer.result = body;
    } else {
        answer.detail = body;
    }
    call_finish(c, link, &answer);
}

static bool listener_hears(const struct listener *l, struct ml_slice name)
{
    return l->on_event != NULL &&
           (strcmp(l->name, "*") == 0 || ml_slice_equal(ml_slice_str(l->name), name));
}

static void client_heard(struct ml_client *c, const struct ml_rpc_frame *frame,
                         const struct ml_value *body)
{
    char name[CLIENT_NAME_BYTES];
    if (frame->method.len >= sizeof(name)) {
        return;
    }
    memcpy(name, frame->method.data, frame->method.len);
    name[frame->method.len] = '\0';
    for (size_t i = 0; i < CLIENT_NAMES_MAX; i++) {
        struct listener l = c->listeners[i];
        if (listener_hears(&l, frame->method)) {
            l.on_event(l.user, name, body);
        }
    }
}

static ml_err client_take(struct ml_client *c, struct ml_slice bytes)
{
    struct ml_rpc_frame frame;
    struct ml_tree *body = NULL;
    ml_err err = ml_rpc_frame_read(&frame, bytes);
    if (err == ML_OK) {
        err = ml_tree_parse(&body, frame.body.data, frame.body.len);
    }
    if (err != ML_OK) {
        return err;
    }
    c->answers++;
    if (frame.kind == ML_RPC_ANSWER) {
        client_answered(c, &frame, ml_tree_root(body));
    } else if (frame.kind == ML_RPC_NOTIFY) {
        client_heard(c, &frame, ml_tree_root(body));
    } else {
        err = ML_E_MALFORMED; /* the daemon calls nobody */
    }
    ml_tree_free(body);
    return err;
}

static ml_err client_take_all(struct ml_client *c)
{
    size_t at = 0;
    ml_err err = ML_OK;
    while (err == ML_OK) {
        size_t len = 0;
        struct ml_slice rest = ml_slice(c->in.data + at, c->in.len - at);
        err = ml_rpc_frame_length(&len, rest);
        if (err != ML_OK || len == 0) {
            break; /* too long, or not all there yet */
        }
        err = client_take(c, ml_slice(rest.data + ML_RPC_HEAD_BYTES, len));
        at += ML_RPC_HEAD_BYTES + len;
    }
    if (at > 0) {
        memmove(c->in.data, c->in.data + at, c->in.len - at);
        c->in.len -= at;
        explicit_bzero(c->in.data + c->in.len, at); /* words, perhaps */
    }
    return err;
}

static ml_err client_receive(struct ml_client *c)
{
    for (;;) {
        size_t before = c->in.len;
        uint8_t *room = ml_buf_extend(&c->in, CLIENT_READ_BYTES);
        if (room == NULL) {
            return c->in.err;
        }
        ssize_t n = recv(c->fd, room, CLIENT_READ_BYTES, 0);
        c->in.len = before + (n > 0 ? (size_t)n : 0);
        if (n == 0) {
            return ML_E_UNREACHABLE;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            bool later = errno == EAGAIN || errno == EWOULDBLOCK;
            return later ? ML_OK : ml_err_from_errno(errno);
        }
        ml_err err = client_take_all(c);
        if (err != ML_OK || (size_t)n < CLIENT_READ_BYTES) {
            return err;
        }
    }
}

static void client_break(struct ml_client *c, ml_err err)
{
    const struct ml_answer answer = {.err = err};
    c->broken = err;
    while (c->calls != NULL) {
        call_finish(c, &c->calls, &answer);
    }
}

ml_err ml_client_work(struct ml_client *c, int timeout_ms)
{
    if (c->broken != ML_OK) {
        return c->broken;
    }
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (ml_client_wants_write(c)) {
        p.events |= POLLOUT;
    }
    int rc = poll(&p, 1, timeout_ms);
    if (rc < 0) {
        return errno == EINTR ? ML_E_TIMEOUT : ML_E_IO;
    }
    if (rc == 0) {
        return ML_E_TIMEOUT;
    }
    ml_err err = (p.revents & POLLOUT) != 0 ? client_flush(c) : ML_OK;
    if (err == ML_OK && (p.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        err = client_receive(c);
    }
    if (err != ML_OK) {
        client_break(c, err);
    }
    return err;
}

/* --- calls that wait --- */

struct waited {
    const struct ml_env *env;
    bool answered;
    ml_err err;
    struct ml_tree *tree;
};

/* Keeps a copy: the answer is only borrowed. */
static void on_waited(void *user, uint64_t ticket, const struct ml_answer *answer)
{
    struct waited *w = user;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    (void)ticket;
    w->answered = true;
    w->err = answer->err;
    const struct ml_value *v = answer->err == ML_OK ? answer->result : answer->detail;
    if (v == NULL) {
        return;
    }
    struct ml_args *copy = ml_args_new();
    ml_args_value(copy, v);
    ml_err err = ml_args_encoded(copy, &bytes, &len);
    if (err == ML_OK) {
        err = ml_tree_parse(&w->tree, bytes, len);
    }
    ml_args_free(copy);
    w->err = w->err == ML_OK ? err : w->err;
}

/* A signal that comes just before the poll doesn't wake it: whoever may be stopped looks again. */
static int wait_left(const struct ml_client *c, uint64_t deadline_ms)
{
    uint64_t now = c->env->now_ms(c->env->ctx);
    uint64_t most = c->stop == NULL ? INT_MAX : CLIENT_STOP_MS;
    if (deadline_ms == UINT64_MAX) {
        return c->stop == NULL ? -1 : (int)most;
    }
    uint64_t left = now >= deadline_ms ? 0 : deadline_ms - now;
    return (int)(left < most ? left : most);
}

/* Cancels a call once when it was asked for. */
static void stop_look(struct ml_client *c, uint64_t ticket, bool *stopped)
{
    if (c->stop != NULL && *c->stop != 0 && !*stopped) {
        *stopped = true;
        ml_err told = ml_client_cancel(c, ticket);
        (void)told; /* a broken connection answers the call */
    }
}

/* The call is forgotten here; its late answer finds nobody. */
static void call_forget(struct ml_client *c, uint64_t ticket)
{
    for (struct open_call **link = &c->calls; *link != NULL; link = &(*link)->next) {
        if ((*link)->ticket == ticket) {
            struct open_call *call = *link;
            *link = call->next;
            c->call_count--;
            ml_release(c->env, call);
            return;
        }
    }
}

ml_err ml_client_request(struct ml_client *c, struct ml_tree **answer, const char *method,
                         struct ml_args *params, uint32_t timeout_ms)
{
    struct waited w = {.env = c->env};
    uint64_t ticket = 0;
    uint64_t deadline_ms = timeout_ms == 0 ? UINT64_MAX : c->env->now_ms(c->env->ctx) + timeout_ms;
    const struct ml_ask call = {method, params, on_waited, &w};
    ml_err err = ml_client_call(c, &ticket, &call);
    if (err != ML_OK) {
        return err;
    }
    bool stopped = false;
    while (!w.answered) {
        stop_look(c, ticket, &stopped);
        int left_ms = wait_left(c, deadline_ms);
        if (left_ms == 0) {
            call_forget(c, ticket);
            ml_err told = ml_client_cancel(c, ticket);
            (void)told; /* the node ends it by itself when the connection does */
            return ML_E_TIMEOUT;
        }
        ml_err worked = ml_client_work(c, left_ms); /* a broken connection answers the call */
        (void)worked;
    }
    if (answer != NULL) {
        *answer = w.tree;
    } else {
        ml_tree_free(w.tree);
    }
    return w.err;
}

void ml_client_set_stop(struct ml_client *c, const volatile sig_atomic_t *stop)
{
    c->stop = stop;
}

/* --- subscriptions --- */

static void on_subscribed(void *user, uint64_t ticket, const struct ml_answer *answer)
{
    (void)user;
    (void)ticket;
    (void)answer; /* an ended connection tells its other calls */
}

static struct listener *listener_for(struct ml_client *c, const char *name)
{
    struct listener *free_one = NULL;
    for (size_t i = 0; i < CLIENT_NAMES_MAX; i++) {
        struct listener *l = &c->listeners[i];
        if (strcmp(l->name, name) == 0) {
            return l;
        }
        if (free_one == NULL && l->name[0] == '\0') {
            free_one = l;
        }
    }
    return free_one;
}

ml_err ml_client_subscribe(struct ml_client *c, const char *name, ml_client_event_cb *on_event,
                           void *user)
{
    struct listener *l = listener_for(c, name);
    size_t len = strlen(name);
    if (l == NULL || len == 0 || len >= sizeof(l->name)) {
        return l == NULL ? ML_E_LIMIT : ML_E_INVALID;
    }
    struct ml_args *params = ml_args_new();
    ml_args_map(params);
    ml_args_key(params, "name");
    ml_args_text(params, name);
    ml_args_end(params);
    const struct ml_ask call = {.method = on_event == NULL ? "rpc.unsubscribe" : "rpc.subscribe",
                                .params = params,
                                .done = on_subscribed};
    ml_err err = params == NULL ? ML_E_NOMEM : ml_client_call(c, NULL, &call);
    ml_args_free(params);
    if (err != ML_OK) {
        return err;
    }
    *l = (struct listener){.on_event = on_event, .user = user};
    if (on_event != NULL) {
        memcpy(l->name, name, len + 1);
    }
    return ML_OK;
}

/* --- opening --- */

/* The whole of a small file or pipe; a newline at its end is not part of it. */
static ml_err token_read(int fd, char text[CLIENT_TOKEN_MAX])
{
    size_t len = 0;
    while (len < CLIENT_TOKEN_MAX) {
        ssize_t n = read(fd, text + len, CLIENT_TOKEN_MAX - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return ML_E_IO;
        }
        if (n == 0) {
            break;
        }
        len += (size_t)n;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    if (len == 0 || len == CLIENT_TOKEN_MAX) {
        return ML_E_INVALID;
    }
    text[len] = '\0';
    return ML_OK;
}

static ml_err client_hello(struct ml_client *c, struct ml_slice token, uint32_t timeout_ms)
{
    struct ml_args *params = ml_args_new();
    ml_args_map(params);
    ml_args_key(params, "version");
    ml_args_int(params, ML_RPC_VERSION);
    if (token.len > 0) {
        ml_args_key(params, "token");
        ml_args_bytes(params, token.data, token.len);
    }
    ml_args_end(params);
    /* Without parameters it would be refused for its version. */
    ml_err err =
        params == NULL ? ML_E_NOMEM : ml_client_request(c, NULL, "rpc.hello", params, timeout_ms);
    ml_args_free(params);
    return err;
}

ml_err ml_client_present(struct ml_client *c, const char *token, uint32_t timeout_ms)
{
    uint8_t bytes[CLIENT_TOKEN_MAX / 2];
    size_t len = strnlen(token, CLIENT_TOKEN_MAX);
    if (len == 0 || len == CLIENT_TOKEN_MAX || len % 2 != 0) {
        return ML_E_INVALID;
    }
    ml_err err = ml_hex_decode(bytes, len / 2, token, len);
    if (err == ML_OK) {
        err = client_hello(c, ml_slice(bytes, len / 2), timeout_ms);
    }
    explicit_bzero(bytes, sizeof(bytes));
    return err;
}

static ml_err client_greet(struct ml_client *c, int token_fd, uint32_t timeout_ms)
{
    char token[CLIENT_TOKEN_MAX] = "";
    if (token_fd < 0) {
        return client_hello(c, ml_slice(NULL, 0), timeout_ms);
    }
    ml_err err = token_read(token_fd, token);
    err = err == ML_OK ? ml_client_present(c, token, timeout_ms) : err;
    explicit_bzero(token, sizeof(token));
    return err;
}

ml_err ml_client_open(struct ml_client **out, const struct ml_client_options *options)
{
    const struct ml_env *env = ml_env_system();
    struct ml_client *c = ml_alloc(env, sizeof(*c));
    if (c == NULL) {
        return ML_E_NOMEM;
    }
    c->env = env;
    c->fd = -1;
    /* One frame may be nearly complete when the next read begins. */
    ml_buf_init_wiped(&c->in, env, ML_RPC_BYTES_MAX + ML_RPC_HEAD_BYTES + CLIENT_READ_BYTES);
    ml_buf_init_wiped(&c->out, env, (size_t)4 * ML_RPC_BYTES_MAX);
    ml_err err = ml_client_connect(&c->fd, options);
    if (err == ML_OK) {
        err = client_greet(c, options->token_fd,
                           options->timeout_ms == 0 ? 10000 : options->timeout_ms);
    }
    if (err != ML_OK) {
        ml_client_close(c);
        return err;
    }
    *out = c;
    return ML_OK;
}

void ml_client_close(struct ml_client *c)
{
    if (c == NULL) {
        return;
    }
    while (c->calls != NULL) {
        struct open_call *call = c->calls;
        c->calls = call->next;
        ml_release(c->env, call);
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    ml_buf_free(&c->in);
    ml_buf_free(&c->out);
    ml_release(c->env, c);
}

int ml_client_fd(const struct ml_client *c)
{
    return c->fd;
}

bool ml_client_wants_write(const struct ml_client *c)
{
    return c->sent < c->out.len;
}
