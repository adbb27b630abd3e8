/* net/link/rpc_session.c -- see rpc_session.h.
 *
 *   accepted -> [rpc.hello] greeted -> calls, notices -> ending (bye) -> dead -> closed
 *                                  \-> end of stream, fault, flood -----> dead -> closed
 *
 * A frame is read only when the one before it was taken; with ML_RPC_CALLS_MAX open calls reading
 * pauses, so that a client is slowed down instead of refused. Nothing here blocks.
 */
#include "net/link/rpc_session.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/codec/mp_read.h"
#include "core/codec/mp_write.h"
#include "maille/client.h"
#include "net/link/uv_err.h"

#define SESSION_READ_BYTES 65536u

struct outgoing {
    uv_write_t req;
    struct ml_rpc_session *session;
    struct ml_buf bytes;
};

static void session_on_closed(uv_handle_t *handle)
{
    struct ml_rpc_session *s = handle->data;
    ML_ASSERT(s->closing > 0);
    if (--s->closing == 0) {
        if (s->in.data != NULL) {
            ml_wipe(s->in.data, s->in.cap); /* calls that hold passphrases and codes */
        }
        ml_buf_free(&s->in);
        ml_secret_free(s->token);
        s->host->closed(s->host->ctx, s);
    }
}

static void session_kill(struct ml_rpc_session *s)
{
    if (s->dead) {
        return;
    }
    s->dead = true;
    s->closing = 2;
    uv_close((uv_handle_t *)&s->pipe, session_on_closed);
    uv_close((uv_handle_t *)&s->deadline, session_on_closed);
}

/* --- sending --- */

static void session_on_written(uv_write_t *req, int status)
{
    struct outgoing *o = req->data;
    struct ml_rpc_session *s = o->session;
    ml_buf_free(&o->bytes);
    ml_release(s->host->env, o);
    if (status < 0) {
        session_kill(s);
    }
}

static ml_err outgoing_make(struct outgoing **out, struct ml_rpc_session *s,
                            const struct ml_rpc_frame *frame)
{
    struct outgoing *o = ml_alloc(s->host->env, sizeof(*o));
    if (o == NULL) {
        return ML_E_NOMEM;
    }
    o->session = s;
    o->req.data = o;
    ml_buf_init_wiped(&o->bytes, s->host->env, ML_RPC_BYTES_MAX + ML_RPC_HEAD_BYTES);
    ml_err err = ml_rpc_frame_write(&o->bytes, frame);
    if (err != ML_OK) {
        ml_buf_free(&o->bytes);
        ml_release(s->host->env, o);
        return err;
    }
    *out = o;
    return ML_OK;
}

void ml_rpc_session_send(struct ml_rpc_session *s, const struct ml_rpc_frame *frame)
{
    struct outgoing *o = NULL;
    if (s->dead) {
        return;
    }
    ml_err err = outgoing_make(&o, s, frame);
    if (err == ML_E_LIMIT && frame->kind == ML_RPC_ANSWER) { /* a result too large: say so */
        const struct ml_rpc_frame instead = {
            .kind = ML_RPC_ANSWER, .id = frame->id, .err = ML_E_LIMIT};
        err = outgoing_make(&o, s, &instead);
    }
    if (err != ML_OK) {
        session_kill(s);
        return;
    }
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&s->pipe);
    uv_buf_t buf = uv_buf_init((char *)o->bytes.data, (unsigned)o->bytes.len);
    if (queued + o->bytes.len > ML_RPC_QUEUE_BYTES_MAX ||
        uv_write(&o->req, (uv_stream_t *)&s->pipe, &buf, 1, session_on_written) != 0) {
        ml_buf_free(&o->bytes);
        ml_release(s->host->env, o);
        session_kill(s);
    }
}

static void session_answer(struct ml_rpc_session *s, uint64_t id, ml_err err, struct ml_slice body)
{
    const struct ml_rpc_frame frame = {.kind = ML_RPC_ANSWER, .id = id, .err = err, .body = body};
    ml_rpc_session_send(s, &frame);
}

/* --- the server's own methods --- */

struct own_params {
    uint64_t version;
    uint64_t ticket;
    struct ml_slice token;
    struct ml_slice name;
};

static ml_err own_params_read(struct own_params *p, struct ml_slice body)
{
    struct ml_mp c;
    *p = (struct own_params){.version = 0};
    ml_mp_init(&c, body, ML_MP_DOC);
    uint32_t pairs = ml_mp_map(&c, 0, 16);
    for (uint32_t i = 0; i < pairs && ml_mp_ok(&c); i++) {
        struct ml_slice key = ml_mp_key_str(&c);
        if (ml_slice_equal(key, ml_slice_str("version"))) {
            p->version = ml_mp_uint(&c, 0, UINT32_MAX);
        } else if (ml_slice_equal(key, ml_slice_str("ticket"))) {
            p->ticket = ml_mp_uint(&c, 0, INT64_MAX);
        } else if (ml_slice_equal(key, ml_slice_str("token"))) {
            p->token = ml_mp_bin(&c, 1, ML_RPC_TOKEN_BYTES_MAX);
        } else if (ml_slice_equal(key, ml_slice_str("name"))) {
            p->name = ml_mp_str(&c, 1, ML_RPC_METHOD_BYTES);
        } else {
            (void)ml_mp_value(&c);
        }
    }
    return ml_mp_end(&c);
}

static ml_err session_hello(struct ml_rpc_session *s, const struct own_params *p)
{
    if (p->version != ML_RPC_VERSION) {
        return ML_E_VERSION;
    }
    if (p->token.len > 0) {
        struct ml_secret *token = NULL;
        ml_err err = ml_secret_from(&token, p->token.data, p->token.len);
        if (err != ML_OK) {
            return err;
        }
        ml_secret_free(s->token);
        s->token = token;
    }
    s->greeted = true;
    return ML_OK;
}

static char *session_name(struct ml_rpc_session *s, struct ml_slice name)
{
    for (size_t i = 0; i < ML_RPC_NAMES_MAX; i++) {
        if (ml_slice_equal(ml_slice_str(s->names[i]), name)) {
            return s->names[i];
        }
    }
    return NULL;
}

static ml_err session_subscribe(struct ml_rpc_session *s, const struct own_params *p)
{
    if (p->name.len == 0) {
        return ML_E_INVALID;
    }
    if (session_name(s, p->name) != NULL) {
        return ML_OK;
    }
    char *room = session_name(s, ml_slice("", 0));
    if (room == NULL) {
        return ML_E_LIMIT;
    }
    memcpy(room, p->name.data, p->name.len);
    room[p->name.len] = '\0';
    return ML_OK;
}

static ml_err session_unsubscribe(struct ml_rpc_session *s, const struct own_params *p)
{
    char *name = p->name.len == 0 ? NULL : session_name(s, p->name);
    if (name != NULL) {
        name[0] = '\0';
    }
    return ML_OK;
}

static const struct {
    const char *method;
    ml_err (*run)(struct ml_rpc_session *s, const struct own_params *p);
} own_methods[] = {
    {"rpc.hello", session_hello},
    {"rpc.subscribe", session_subscribe},
    {"rpc.unsubscribe", session_unsubscribe},
};

/* True when the request was one of the server's own, and is answered. */
static bool session_own(struct ml_rpc_session *s, const struct ml_rpc_frame *f)
{
    for (size_t i = 0; i < sizeof(own_methods) / sizeof(own_methods[0]); i++) {
        if (!ml_slice_equal(f->method, ml_slice_str(own_methods[i].method))) {
            continue;
        }
        struct own_params p;
        ml_err err = own_params_read(&p, f->body) == ML_OK ? ML_OK : ML_E_INVALID;
        if (err == ML_OK) {
            err = own_methods[i].run(s, &p);
        }
        session_answer(s, f->id, err, ml_slice(NULL, 0));
        return true;
    }
    return false;
}

/* --- reading --- */

static void session_notice(struct ml_rpc_session *s, const struct ml_rpc_frame *f)
{
    struct own_params p;
    if (ml_slice_equal(f->method, ml_slice_str("rpc.cancel")) &&
        own_params_read(&p, f->body) == ML_OK) {
        s->host->cancel(s->host->ctx, s, p.ticket);
    } /* unknown notices are ignored: a newer client may send them */
}

/* MALFORMED: the client doesn't speak our protocol. */
static ml_err session_take(struct ml_rpc_session *s, struct ml_slice message)
{
    struct ml_rpc_frame frame;
    ml_err err = ml_rpc_frame_read(&frame, message);
    if (err != ML_OK || frame.kind == ML_RPC_ANSWER) {
        return ML_E_MALFORMED;
    }
    if (frame.kind == ML_RPC_NOTIFY) {
        session_notice(s, &frame);
        return ML_OK;
    }
    if (session_own(s, &frame)) {
        return ML_OK;
    }
    if (!s->greeted) {
        session_answer(s, frame.id, ML_E_PROTOCOL, ml_slice(NULL, 0));
        return ML_OK;
    }
    if (!s->host->call(s->host->ctx, s, frame.id, &frame)) {
        session_answer(s, frame.id, ML_E_NOMEM, ml_slice(NULL, 0));
    }
    return ML_OK;
}

static void session_take_all(struct ml_rpc_session *s)
{
    ml_err err = ML_OK;
    while (err == ML_OK && !s->dead && !s->ending && s->open_calls < ML_RPC_CALLS_MAX) {
        size_t len = 0;
        struct ml_slice rest = ml_slice(s->in.data + s->read_at, s->in.len - s->read_at);
        err = ml_rpc_frame_length(&len, rest);
        if (err != ML_OK || len == 0) {
            break;
        }
        err = session_take(s, ml_slice(rest.data + ML_RPC_HEAD_BYTES, len));
        s->read_at += ML_RPC_HEAD_BYTES + len;
    }
    if (err != ML_OK) {
        session_kill(s);
        return;
    }
    if (s->read_at > 0 && !s->dead) {
        size_t left = s->in.len - s->read_at;
        memmove(s->in.data, s->in.data + s->read_at, left);
        ml_wipe(s->in.data + left, s->read_at); /* a passphrase, perhaps */
        s->in.len = left;
        s->read_at = 0;
    }
}

static void session_on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct ml_rpc_session *s = handle->data;
    (void)suggested;
    size_t before = s->in.len;
    uint8_t *room = ml_buf_extend(&s->in, SESSION_READ_BYTES);
    s->in.len = before; /* what was read is counted when it is known */
    *buf = uv_buf_init((char *)room, room == NULL ? 0 : SESSION_READ_BYTES);
}

static void session_pause(struct ml_rpc_session *s)
{
    bool full = s->open_calls >= ML_RPC_CALLS_MAX;
    if (full && !s->paused && !s->dead) {
        s->paused = true;
        (void)uv_read_stop((uv_stream_t *)&s->pipe); /* always 0 */
    }
}

static void session_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ml_rpc_session *s = stream->data;
    (void)buf;
    if (n < 0) {
        session_kill(s);
        return;
    }
    s->in.len += (size_t)n;
    session_take_all(s);
    session_pause(s);
}

void ml_rpc_session_resume(struct ml_rpc_session *s)
{
    if (!s->paused || s->dead || s->ending || s->open_calls >= ML_RPC_CALLS_MAX) {
        return;
    }
    s->paused = false;
    if (uv_read_start((uv_stream_t *)&s->pipe, session_on_room, session_on_read) != 0) {
        session_kill(s);
        return;
    }
    session_take_all(s);
    session_pause(s);
}

/* --- ends --- */

static void session_on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    session_kill(req->data);
}

static void session_on_deadline(uv_timer_t *timer)
{
    session_kill(timer->data);
}

void ml_rpc_session_end(struct ml_rpc_session *s)
{
    if (s->ending || s->dead) {
        return;
    }
    s->ending = true;
    s->shutdown.data = s;
    (void)uv_read_stop((uv_stream_t *)&s->pipe);
    if (uv_shutdown(&s->shutdown, (uv_stream_t *)&s->pipe, session_on_shutdown) != 0 ||
        uv_timer_start(&s->deadline, session_on_deadline, ML_RPC_CLOSE_MS, 0) != 0) {
        session_kill(s);
    }
}

bool ml_rpc_session_listens(const struct ml_rpc_session *s, const char *name)
{
    for (size_t i = 0; i < ML_RPC_NAMES_MAX; i++) {
        if (strcmp(s->names[i], name) == 0 || strcmp(s->names[i], "*") == 0) {
            return true;
        }
    }
    return false;
}

/* Only the daemon's own user, and root. */
static ml_err session_check_peer(struct ml_rpc_session *s)
{
    uv_os_fd_t fd = -1;
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (uv_fileno((uv_handle_t *)&s->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return ML_E_IO;
    }
    /* A process of another pid namespace has pid 0 here, which getsid would take for ourselves. */
    pid_t sid = peer.pid > 0 ? getsid(peer.pid) : -1;
    s->uid = peer.uid;
    s->session_id = sid < 0 ? 0 : (uint32_t)sid;
    return peer.uid == geteuid() || peer.uid == 0 ? ML_OK : ML_E_DENIED;
}

ml_err ml_rpc_session_accept(struct ml_rpc_session **out, const struct ml_rpc_session_host *host,
                             uv_stream_t *listener)
{
    struct ml_rpc_session *s = ml_alloc(host->env, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    s->host = host;
    ml_buf_init_wiped(&s->in, host->env, ML_RPC_BYTES_MAX + ML_RPC_HEAD_BYTES + SESSION_READ_BYTES);
    int rc = uv_pipe_init(listener->loop, &s->pipe, 0);
    ML_ASSERT(rc == 0); /* opens nothing */
    (void)uv_timer_init(listener->loop, &s->deadline);
    s->pipe.data = s;
    s->deadline.data = s;
    ml_err err = ml_err_from_uv(uv_accept(listener, (uv_stream_t *)&s->pipe));
    if (err == ML_OK) {
        err = session_check_peer(s);
    }
    if (err == ML_OK) {
        err = ml_err_from_uv(
            uv_read_start((uv_stream_t *)&s->pipe, session_on_room, session_on_read));
    }
    *out = s;
    if (err != ML_OK) {
        session_kill(s); /* `closed` frees it */
    }
    return err;
}
