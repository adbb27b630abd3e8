/* net/link/link.c -- see link.h.
 *
 *   start -> shaking -- handshake done, host says yes -> open -> ending (queue goes out) -> dead
 *                    \- deadline, fault, too much ------------> dead -> closed
 *
 * Until it is open a link reads into `knock`, which is all that an unknown peer can fill (I7); an
 * open one has a buffer for one frame. Callbacks translate and call link_take or ml_link_kill.
 */
#include "net/link/link.h"

#include <string.h>

#include "core/base/assert.h"
#include "net/link/uv_err.h"

enum { LINK_HANDLES = 2 };

struct written {
    uv_write_t req;
    struct ml_link *link;
    struct ml_buf bytes;
};

static uint64_t link_now(const struct ml_link *link)
{
    return uv_now(link->host->loop);
}

/* --- closing --- */

static void link_closed(struct ml_link *link)
{
    ml_handshake_free(&link->handshake);
    ml_frame_writer_free(&link->writer);
    ml_frame_reader_free(&link->reader);
    ml_buf_free(&link->in);
    ml_release(link->host->env, link->tcp);
    link->host->closed(link->host->ctx, link);
}

static void link_on_closed(uv_handle_t *handle)
{
    struct ml_link *link = handle->data;
    ML_ASSERT(link->closing > 0);
    if (--link->closing == 0) {
        link_closed(link);
    }
}

void ml_link_kill(struct ml_link *link, ml_err reason)
{
    if (link->dead) {
        return;
    }
    const bool refused = reason == ML_E_UNREACHABLE && ml_handshake_knocks(&link->handshake) &&
                         link->handshake.kind == ML_LINK_KNOWN;
    link->dead = true;
    if (link->reason == ML_OK) {
        link->reason = refused ? ML_E_WRONG_KEY : reason;
    }
    link->closing = LINK_HANDLES;
    uv_close((uv_handle_t *)link->tcp, link_on_closed);
    uv_close((uv_handle_t *)&link->timer, link_on_closed);
}

/* --- writing --- */

static void link_flush(struct ml_link *link);

static void link_tell_sent(struct ml_link *link)
{
    size_t bytes = link->unsent;
    if (link->dead || bytes == 0 || link->inflight > 0 || ml_frame_waiting(&link->writer) > 0) {
        return;
    }
    link->unsent = 0;
    link->host->sent(link->host->ctx, link, bytes);
}

static void link_on_written(uv_write_t *req, int status)
{
    struct written *w = req->data;
    struct ml_link *link = w->link;
    link->inflight -= w->bytes.len;
    ml_buf_free(&w->bytes);
    ml_release(link->host->env, w);
    if (status < 0) {
        ml_link_kill(link, ml_err_from_uv(status));
        return;
    }
    link_flush(link);
    link_tell_sent(link);
}

static struct written *written_new(struct ml_link *link)
{
    struct written *w = ml_alloc(link->host->env, sizeof(*w));
    if (w != NULL) {
        w->link = link;
        w->req.data = w;
        ml_buf_init(&w->bytes, link->host->env, 2 * (size_t)ML_FRAME_BYTES_MAX);
    }
    return w;
}

static void written_free(struct written *w)
{
    ml_buf_free(&w->bytes);
    ml_release(w->link->host->env, w);
}

/* Hands the bytes to libuv, or frees them. */
static ml_err written_send(struct written *w)
{
    struct ml_link *link = w->link;
    uv_buf_t buf = uv_buf_init((char *)w->bytes.data, (unsigned)w->bytes.len);
    ml_err err =
        ml_err_from_uv(uv_write(&w->req, (uv_stream_t *)link->tcp, &buf, 1, link_on_written));
    if (err != ML_OK) {
        written_free(w);
        return err;
    }
    link->inflight += w->bytes.len;
    link->spoke_ms = link_now(link);
    return ML_OK;
}

static ml_err link_send_frame(struct ml_link *link)
{
    struct written *w = written_new(link);
    if (w == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = ml_frame_seal(&link->writer, &w->bytes);
    if (err != ML_OK) {
        written_free(w);
        return err;
    }
    return written_send(w);
}

static void link_on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    ml_link_kill(req->data, ML_OK);
}

static void link_flush(struct ml_link *link)
{
    ml_err err = ML_OK;
    if (link->dead || !link->open) {
        return;
    }
    while (err == ML_OK && ml_frame_waiting(&link->writer) > 0 &&
           link->inflight < ML_LINK_INFLIGHT_BYTES) {
        err = link_send_frame(link);
    }
    if (err == ML_OK && link->ending && link->shutdown.data == NULL &&
        ml_frame_waiting(&link->writer) == 0) {
        link->shutdown.data = link;
        err = ml_err_from_uv(
            uv_shutdown(&link->shutdown, (uv_stream_t *)link->tcp, link_on_shutdown));
    }
    if (err != ML_OK) {
        ml_link_kill(link, err);
    }
}

void ml_link_send(struct ml_link *link, struct ml_slice message)
{
    if (link->dead || link->ending || !link->open) {
        return;
    }
    ml_err err = ml_frame_put(&link->writer, message);
    if (err != ML_OK) {
        ml_link_kill(link, err);
        return;
    }
    link->unsent += message.len;
    link_flush(link);
}

/* --- time --- */

static void link_on_timer(uv_timer_t *timer)
{
    struct ml_link *link = timer->data;
    const struct ml_link_times *times = &link->host->times;
    uint64_t now = link_now(link);
    bool silent = !link->paused && now - link->heard_ms >= times->idle_ms;
    if (!link->open || link->ending || silent) {
        ml_link_kill(link, ML_E_TIMEOUT);
        return;
    }
    if (now - link->spoke_ms >= times->alive_ms && link->inflight == 0) {
        ml_err err = link_send_frame(link);
        if (err != ML_OK) {
            ml_link_kill(link, err);
        }
    }
}

static void timer_once(struct ml_link *link, uint64_t ms)
{
    (void)uv_timer_start(&link->timer, link_on_timer, ms, 0); /* the handle is open */
}

void ml_link_end(struct ml_link *link, ml_err reason)
{
    if (link->dead || link->ending) {
        return;
    }
    link->reason = reason;
    if (!link->open) {
        ml_link_kill(link, reason);
        return;
    }
    link->ending = true;
    timer_once(link, link->host->times.close_ms);
    link_flush(link);
}

/* --- reading --- */

static ml_err link_opened(struct ml_link *link)
{
    const struct ml_env *env = link->host->env;
    struct ml_noise_cipher *send = NULL;
    struct ml_noise_cipher *receive = NULL;
    struct ml_handshake *h = &link->handshake;
    const struct ml_box_pk *remote = ml_noise_remote(h->noise);
    if (remote == NULL) {
        return ML_E_FORGED;
    }
    link->remote = *remote;
    ml_noise_hash(h->noise, link->hash);
    ml_err err = ml_noise_split(h->noise, &send, &receive);
    if (err != ML_OK) {
        return err;
    }
    ml_frame_writer_init(&link->writer, env, send, ML_LINK_QUEUE_BYTES_MAX);
    ml_frame_reader_init(&link->reader, env, receive);
    ml_buf_init(&link->in, env, ML_FRAME_BYTES_MAX);
    if (ml_buf_extend(&link->in, ML_FRAME_BYTES_MAX) == NULL) {
        return ML_E_NOMEM;
    }
    link->in.len = 0;
    link->open = true;
    uint32_t alive_ms = link->host->times.alive_ms;
    (void)uv_timer_start(&link->timer, link_on_timer, alive_ms, alive_ms);
    return link->host->up(link->host->ctx, link) ? ML_OK : ML_E_DENIED;
}

/* Memory is taken only for an answer, so only once the peer's mac was right. */
static ml_err link_answer(struct ml_link *link, struct ml_buf *answer)
{
    struct written *w = written_new(link);
    if (w == NULL) {
        ml_buf_free(answer);
        return ML_E_NOMEM;
    }
    w->bytes = *answer;
    return written_send(w);
}

static ml_err link_shake(struct ml_link *link, struct ml_slice in, size_t *used)
{
    struct ml_buf answer;
    ml_buf_init(&answer, link->host->env, ML_HANDSHAKE_BYTES_MAX);
    ml_err err = ml_handshake_feed(&link->handshake, &answer, used, in);
    if (err == ML_OK && answer.len > 0) {
        err = link_answer(link, &answer);
    } else {
        ml_buf_free(&answer);
    }
    if (err == ML_OK && ml_handshake_done(&link->handshake)) {
        err = link_opened(link);
    }
    return err;
}

static ml_err link_on_message(void *user, struct ml_slice message)
{
    struct ml_link *link = user;
    if (link->dead) {
        return ML_E_CANCELED;
    }
    link->unread += message.len;
    link->host->message(link->host->ctx, link, message);
    return ML_OK;
}

static ml_err link_frames(struct ml_link *link)
{
    size_t at = 0;
    ml_err err = ML_OK;
    while (err == ML_OK && !link->dead) {
        size_t len = 0;
        err = ml_frame_length(&len, ml_slice(link->in.data + at, link->in.len - at));
        if (err != ML_OK || len == 0) {
            break;
        }
        err = ml_frame_open(&link->reader, link->in.data + at, len, link_on_message, link);
        at += len;
    }
    memmove(link->in.data, link->in.data + at, link->in.len - at);
    link->in.len -= at;
    return err;
}

/* What came behind the handshake's last message is the first of the frames. */
static ml_err link_take_knock(struct ml_link *link, size_t n)
{
    size_t used = 0;
    ml_err err = link_shake(link, ml_slice(link->knock, n), &used);
    if (err != ML_OK || used == n) {
        return err;
    }
    ML_ASSERT(link->open);
    memcpy(link->in.data, link->knock + used, n - used);
    link->in.len = n - used;
    return link_frames(link);
}

static void link_on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct ml_link *link = handle->data;
    (void)suggested;
    if (link->open) {
        *buf = uv_buf_init((char *)link->in.data + link->in.len,
                           (unsigned)(ML_FRAME_BYTES_MAX - link->in.len));
    } else {
        *buf = uv_buf_init((char *)link->knock, sizeof(link->knock));
    }
}

static void link_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ml_link *link = stream->data;
    (void)buf;
    if (n < 0) {
        ml_link_kill(link, ml_err_from_uv((int)n));
        return;
    }
    if (n == 0 || link->dead) {
        return;
    }
    link->heard_ms = link_now(link);
    ml_err err = ML_OK;
    if (link->open) {
        link->in.len += (size_t)n;
        err = link_frames(link);
    } else {
        err = link_take_knock(link, (size_t)n);
    }
    if (err != ML_OK) {
        ml_link_kill(link, err);
        return;
    }
    if (link->unread > ML_LINK_UNREAD_BYTES_MAX && !link->paused) {
        link->paused = true;
        (void)uv_read_stop(stream); /* always 0 */
    }
}

void ml_link_consumed(struct ml_link *link, size_t bytes)
{
    ML_ASSERT(bytes <= link->unread);
    link->unread -= bytes;
    if (!link->paused || link->dead || link->unread > ML_LINK_UNREAD_BYTES_MAX / 2) {
        return;
    }
    link->paused = false;
    link->heard_ms = link_now(link); /* it was we who did not listen */
    ml_err err =
        ml_err_from_uv(uv_read_start((uv_stream_t *)link->tcp, link_on_room, link_on_read));
    if (err != ML_OK) {
        ml_link_kill(link, err);
    }
}

/* --- start --- */

static void link_address(struct ml_link *link)
{
    struct sockaddr_storage addr;
    int len = sizeof(addr);
    char host[46] = "?";
    unsigned port = 0;
    if (uv_tcp_getpeername(link->tcp, (struct sockaddr *)&addr, &len) != 0) {
        return;
    }
    if (addr.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&addr;
        (void)uv_ip4_name(v4, host, sizeof(host));
        memcpy(link->address_key, &v4->sin_addr, sizeof(v4->sin_addr));
        port = ntohs(v4->sin_port);
    } else if (addr.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&addr;
        (void)uv_ip6_name(v6, host, sizeof(host));
        memcpy(link->address_key, &v6->sin6_addr, 8); /* a /64 is one neighbour */
        link->address_key[15] = 6;
        port = ntohs(v6->sin6_port);
    }
    snprintf(link->address, sizeof(link->address), addr.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
             host, port);
}

static ml_err link_begin(struct ml_link *link, const struct ml_handshake_dial *dial)
{
    const struct ml_env *env = link->host->env;
    ml_err err = ML_OK;
    if (dial == NULL) {
        ml_handshake_answer(&link->handshake, env, link->host->ids);
    } else {
        err = ml_handshake_dial(&link->handshake, env, dial);
    }
    struct written *w = err == ML_OK ? written_new(link) : NULL;
    if (w == NULL) {
        return err != ML_OK ? err : ML_E_NOMEM;
    }
    err = ml_handshake_begin(&link->handshake, &w->bytes);
    if (err != ML_OK) {
        written_free(w);
        return err;
    }
    err = written_send(w);
    if (err == ML_OK) {
        err = ml_err_from_uv(uv_read_start((uv_stream_t *)link->tcp, link_on_room, link_on_read));
    }
    return err;
}

void ml_link_start(struct ml_link *link, const struct ml_link_host *host, uv_tcp_t *tcp,
                   const struct ml_handshake_dial *dial)
{
    link->host = host;
    link->tcp = tcp;
    link->initiator = dial != NULL;
    (void)uv_timer_init(host->loop, &link->timer); /* only fills the struct */
    link->timer.data = link;
    tcp->data = link;
    link->heard_ms = link_now(link);
    link->spoke_ms = link->heard_ms;
    (void)uv_tcp_nodelay(tcp, 1); /* a slower link, not a wrong one */
    link_address(link);
    timer_once(link, host->times.handshake_ms);
    ml_err err = link_begin(link, dial);
    if (err != ML_OK) {
        ml_link_kill(link, err);
    }
}
