/* net/link/rpc_server.c -- see rpc_server.h.
 *
 * Invariants: each listed call belongs to a listed session and is counted in its open_calls; a
 * session leaves the list, and its calls with it, only when its handles are closed; the server is
 * freed when it closes and neither the listener nor a session is left.
 */
#include "net/link/rpc_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "net/link/rpc_session.h"
#include "net/link/spare.h"
#include "net/link/uv_err.h"

enum { SERVER_BACKLOG = 16 };

struct server_call {
    struct server_call *next;
    uint64_t number;
    uint64_t ticket; /* the client's */
    struct ml_rpc_session *session;
};

struct ml_rpc_server {
    const struct ml_env *env;
    struct ml_rpc_backend backend;
    struct ml_rpc_session_host host;
    uv_pipe_t listener;
    struct ml_spare spare;
    struct ml_rpc_session *sessions;
    unsigned session_count;
    struct server_call *calls;
    uint64_t last_call;
    void (*closed)(void *user);
    void *user;
    bool listening;
    bool closing;
};

static void server_free_when_done(struct ml_rpc_server *s)
{
    if (s->closing && !s->listening && s->sessions == NULL) {
        void (*closed)(void *) = s->closed;
        void *user = s->user;
        ml_release(s->env, s);
        if (closed != NULL) {
            closed(user);
        }
    }
}

/* --- calls --- */

static struct server_call **call_find(struct ml_rpc_server *s, uint64_t number)
{
    struct server_call **link = &s->calls;
    while (*link != NULL && (*link)->number != number) {
        link = &(*link)->next;
    }
    return link;
}

static void call_drop(struct ml_rpc_server *s, struct server_call **link)
{
    struct server_call *call = *link;
    *link = call->next;
    call->session->open_calls--;
    ml_release(s->env, call);
}

static bool server_on_call(void *ctx, struct ml_rpc_session *session, uint64_t ticket,
                           const struct ml_rpc_frame *frame)
{
    struct ml_rpc_server *s = ctx;
    struct server_call *call = ml_alloc(s->env, sizeof(*call));
    if (call == NULL) {
        return false;
    }
    *call = (struct server_call){
        .next = s->calls, .number = ++s->last_call, .ticket = ticket, .session = session};
    s->calls = call;
    session->open_calls++;
    const struct ml_node_caller caller = {
        .uid = session->uid,
        .session_id = session->session_id,
        .token = session->token == NULL
                     ? ml_slice(NULL, 0)
                     : ml_slice(ml_secret_bytes(session->token), ml_secret_len(session->token)),
    };
    if (!s->backend.call(s->backend.ctx, call->number, &caller, frame)) {
        call_drop(s, call_find(s, call->number));
        return false;
    }
    return true;
}

/* cppcheck-suppress constParameter -- the type of the callback */
static void server_on_cancel(void *ctx, struct ml_rpc_session *session, uint64_t ticket)
{
    struct ml_rpc_server *s = ctx;
    for (struct server_call *call = s->calls; call != NULL; call = call->next) {
        if (call->session == session && call->ticket == ticket) {
            s->backend.cancel(s->backend.ctx, call->number);
            return;
        }
    }
}

void ml_rpc_server_reply(struct ml_rpc_server *s, uint64_t number, ml_err err,
                         struct ml_slice document)
{
    struct server_call **link = call_find(s, number);
    if (*link == NULL) {
        return;
    }
    struct ml_rpc_session *session = (*link)->session;
    const struct ml_rpc_frame frame = {
        .kind = ML_RPC_ANSWER, .id = (*link)->ticket, .err = err, .body = document};
    call_drop(s, link);
    ml_rpc_session_send(session, &frame);
    ml_rpc_session_resume(session);
}

void ml_rpc_server_event(struct ml_rpc_server *s, const char *name, struct ml_slice document)
{
    const struct ml_rpc_frame frame = {
        .kind = ML_RPC_NOTIFY, .method = ml_slice_str(name), .body = document};
    for (struct ml_rpc_session *session = s->sessions; session != NULL; session = session->next) {
        if (!session->ending && ml_rpc_session_listens(session, name)) {
            ml_rpc_session_send(session, &frame);
        }
    }
}

/* --- sessions --- */

static void server_cancel_calls_of(struct ml_rpc_server *s, const struct ml_rpc_session *session)
{
    struct server_call **link = &s->calls;
    while (*link != NULL) {
        if (session != NULL && (*link)->session != session) {
            link = &(*link)->next;
            continue;
        }
        s->backend.cancel(s->backend.ctx, (*link)->number);
        call_drop(s, link);
    }
}

static void server_on_session_closed(void *ctx, struct ml_rpc_session *session)
{
    struct ml_rpc_server *s = ctx;
    server_cancel_calls_of(s, session);
    struct ml_rpc_session **link = &s->sessions;
    while (*link != NULL && *link != session) {
        link = &(*link)->next;
    }
    ML_ASSERT(*link == session);
    *link = session->next;
    s->session_count--;
    ml_release(s->env, session);
    server_free_when_done(s);
}

/* A connection that we can't keep is taken and closed: left alone it would wait for ever. */
static void server_on_connection(uv_stream_t *listener, int status)
{
    struct ml_rpc_server *s = listener->data;
    struct ml_rpc_session *session = NULL;
    if (status < 0) {
        return;
    }
    ml_err err = ml_rpc_session_accept(&session, &s->host, listener);
    if (session == NULL) { /* no memory for it */
        ml_spare_refuse(&s->spare, listener, server_on_connection);
    } else {
        session->next = s->sessions;
        s->sessions = session;
        s->session_count++;
    }
    if (err == ML_OK && s->session_count > ML_RPC_SESSIONS_MAX) {
        err = ML_E_LIMIT;
        ml_rpc_session_end(session);
    }
    if (err != ML_OK) {
        ml_logf(s->env, ML_LOG_WARN, "rpc", "a client was refused: %s", ml_err_text(err));
    }
}

/* --- life --- */

static void server_on_spare_freed(void *user)
{
    struct ml_rpc_server *s = user;
    s->listening = false;
    server_free_when_done(s);
}

static void server_on_listener_closed(uv_handle_t *handle)
{
    struct ml_rpc_server *s = handle->data;
    ml_spare_end(&s->spare, server_on_spare_freed, s);
}

static ml_err server_listen(struct ml_rpc_server *s, const char *path)
{
    if (unlink(path) != 0 && access(path, F_OK) == 0) {
        return ML_E_DENIED;
    }
    mode_t before = umask(0177);
    int rc = uv_pipe_bind(&s->listener, path);
    umask(before);
    if (rc == 0) {
        rc = uv_listen((uv_stream_t *)&s->listener, SERVER_BACKLOG, server_on_connection);
    }
    return ml_err_from_uv(rc);
}

ml_err ml_rpc_server_open(struct ml_rpc_server **out, const struct ml_rpc_server_args *args)
{
    struct ml_rpc_server *s = ml_alloc(args->env, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    s->env = args->env;
    s->backend = args->backend;
    s->host = (struct ml_rpc_session_host){.env = args->env,
                                           .call = server_on_call,
                                           .cancel = server_on_cancel,
                                           .closed = server_on_session_closed,
                                           .ctx = s};
    int rc = uv_pipe_init(args->loop, &s->listener, 0);
    ML_ASSERT(rc == 0); /* opens nothing */
    s->listener.data = s;
    s->listening = true;
    ml_err err = server_listen(s, args->path);
    if (err != ML_OK) {
        s->closing = true; /* freed once the handle is closed */
        uv_close((uv_handle_t *)&s->listener, server_on_listener_closed);
        return err;
    }
    *out = s;
    return ML_OK;
}

void ml_rpc_server_close(struct ml_rpc_server *s, void (*closed)(void *user), void *user)
{
    const struct ml_rpc_frame bye = {.kind = ML_RPC_NOTIFY, .method = ml_slice_str("rpc.bye")};
    s->closed = closed;
    s->user = user;
    s->closing = true;
    server_cancel_calls_of(s, NULL);
    for (struct ml_rpc_session *session = s->sessions; session != NULL; session = session->next) {
        ml_rpc_session_send(session, &bye);
        ml_rpc_session_end(session);
    }
    uv_close((uv_handle_t *)&s->listener, server_on_listener_closed);
}
