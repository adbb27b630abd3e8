/* net/link/rpc_session.h -- one connection of the local socket; inside net/link only. */
#ifndef ML_NET_RPC_SESSION_H
#define ML_NET_RPC_SESSION_H

#include <stdbool.h>
#include <uv.h>

#include "core/crypto/secret.h"
#include "net/client/rpc_frame.h"
#include "net/link/rpc_server.h"

struct ml_rpc_session;

/* What a session needs of its server. `call` returns false when it can't take one more. */
struct ml_rpc_session_host {
    const struct ml_env *env;
    bool (*call)(void *ctx, struct ml_rpc_session *s, uint64_t ticket,
                 const struct ml_rpc_frame *frame);
    void (*cancel)(void *ctx, struct ml_rpc_session *s, uint64_t ticket);
    void (*closed)(void *ctx, struct ml_rpc_session *s); /* its memory is free after this */
    void *ctx;
};

struct ml_rpc_session {
    const struct ml_rpc_session_host *host; /* borrowed */
    struct ml_rpc_session *next;            /* the host's list */
    uv_pipe_t pipe;
    uv_timer_t deadline; /* of closing */
    uv_shutdown_t shutdown;
    struct ml_buf in;
    size_t read_at; /* `in` from here was not read yet */
    struct ml_secret *token;
    char names[ML_RPC_NAMES_MAX][ML_RPC_METHOD_BYTES + 1]; /* empty: free */
    unsigned open_calls;                                   /* kept by the host */
    unsigned closing;                                      /* handles not closed yet */
    uint32_t uid;
    uint32_t session_id;
    bool greeted;
    bool paused; /* not reading: too many open calls */
    bool ending; /* no more is read; what is queued still goes out */
    bool dead;   /* handles are closing */
};

/** Accepts one connection of `listener`. Errors: NOMEM, DENIED (another user), IO; nothing is left
 * then but handles that close by themselves. */
ml_err ml_rpc_session_accept(struct ml_rpc_session **out, const struct ml_rpc_session_host *host,
                             uv_stream_t *listener) ML_MUST_CHECK;
/** Queues a message; a session that can't take it is closed. */
void ml_rpc_session_send(struct ml_rpc_session *s, const struct ml_rpc_frame *frame);
bool ml_rpc_session_listens(const struct ml_rpc_session *s, const char *name);
/** The host's count of open calls went down: read on. */
void ml_rpc_session_resume(struct ml_rpc_session *s);
/** Sends what is queued, then closes; at once if that takes too long. */
void ml_rpc_session_end(struct ml_rpc_session *s);

#endif
