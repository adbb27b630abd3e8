/* net/link/spare.c -- see spare.h. */
#include "net/link/spare.h"

#include "core/base/assert.h"

static void spare_on_closed(uv_handle_t *handle)
{
    struct ml_spare *s = handle->data;
    s->busy = false;
    if (s->freed != NULL) {
        s->freed(s->user);
        return;
    }
    if (s->again) {
        s->again = false;
        s->retry(s->listener, 0);
    }
}

void ml_spare_refuse(struct ml_spare *s, uv_stream_t *listener,
                     void (*retry)(uv_stream_t *listener, int status))
{
    s->listener = listener;
    s->retry = retry;
    if (s->busy) {
        s->again = true;
        return;
    }
    int rc = listener->type == UV_TCP ? uv_tcp_init(listener->loop, &s->as.tcp)
                                      : uv_pipe_init(listener->loop, &s->as.pipe, 0);
    ML_ASSERT(rc == 0); /* opens nothing */
    s->as.handle.data = s;
    s->busy = true;
    (void)uv_accept(listener, &s->as.stream); /* closed below, whatever it says */
    uv_close(&s->as.handle, spare_on_closed);
}

void ml_spare_end(struct ml_spare *s, void (*freed)(void *user), void *user)
{
    if (!s->busy) {
        freed(user);
        return;
    }
    s->freed = freed;
    s->user = user;
}
