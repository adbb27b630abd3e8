/* net/link/spare.h -- a handle kept for a connection that can't be taken: libuv listens no further
 * until each connection is accepted, so a failed allocation must not leave one waiting.
 *
 * Embedded in the listener's owner. Loop thread.
 */
#ifndef ML_NET_SPARE_H
#define ML_NET_SPARE_H

#include <stdbool.h>
#include <uv.h>

struct ml_spare {
    /* private */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } as;
    uv_stream_t *listener;
    bool busy;
    bool again; /* another one waits */
    void (*retry)(uv_stream_t *listener, int status);
    void (*freed)(void *user);
    void *user;
};

/** Accepts and closes the waiting connection of `listener`; one that comes meanwhile is offered to
 * `retry` afterwards. */
void ml_spare_refuse(struct ml_spare *s, uv_stream_t *listener,
                     void (*retry)(uv_stream_t *listener, int status));
/** The owner goes: `freed` runs once the handle is closed, at once if it isn't open. */
void ml_spare_end(struct ml_spare *s, void (*freed)(void *user), void *user);

#endif
