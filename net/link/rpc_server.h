/* net/link/rpc_server.h -- the daemon's end of the local socket: sessions, tickets, subscriptions.
 *
 * It carries calls and knows none: what a method means is the backend's. Its own methods are
 * rpc.hello (first; version and token), rpc.subscribe, rpc.unsubscribe and the notice rpc.cancel.
 * Only the user that runs the daemon, and root, get a session; the socket is 0600 in a 0700 folder.
 * Loop thread only. The process ignores SIGPIPE (libuv writes to pipes with write()).
 */
#ifndef ML_NET_RPC_SERVER_H
#define ML_NET_RPC_SERVER_H

#include <stdint.h>
#include <uv.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "maille/err.h"
#include "net/client/rpc_frame.h"
#include "net/node/node.h"

#define ML_RPC_SESSIONS_MAX    32u         /* beyond it a connection is closed at once */
#define ML_RPC_CALLS_MAX       64u         /* open calls of a session; beyond it, unread */
#define ML_RPC_NAMES_MAX       16u         /* subscriptions of a session */
#define ML_RPC_TOKEN_BYTES_MAX 128u        /* an unlock token, as presented */
#define ML_RPC_QUEUE_BYTES_MAX (16u << 20) /* unsent answers of a session; beyond it, closed */
#define ML_RPC_CLOSE_MS        1000u       /* to take the last bytes when we close */

struct ml_rpc_server; /* opaque; owned by who opened it */

/** Called on the loop thread, inside a read; must copy what it keeps and must not answer at once.
 */
struct ml_rpc_backend {
    /** False: out of memory, and no answer will come. */
    bool (*call)(void *ctx, uint64_t call, const struct ml_node_caller *caller,
                 const struct ml_rpc_frame *request);
    /** The client gave up: an answer may still be given, once, and is then dropped or sent. */
    void (*cancel)(void *ctx, uint64_t call);
    void *ctx;
};

struct ml_rpc_server_args {
    const struct ml_env *env; /* borrowed */
    uv_loop_t *loop;          /* borrowed, outlives the server */
    const char *path; /* a stale socket there is removed: the caller holds the home's lock */
    struct ml_rpc_backend backend;
};

/** Errors: NOMEM, DENIED, EXISTS, IO, LIMIT (path too long). */
ml_err ml_rpc_server_open(struct ml_rpc_server **out,
                          const struct ml_rpc_server_args *args) ML_MUST_CHECK;
/** Says rpc.bye to every session, closes them and the socket; `closed` runs once, later, last; the
 * server is free then. Open calls are cancelled in the backend. */
void ml_rpc_server_close(struct ml_rpc_server *s, void (*closed)(void *user), void *user);

/** The answer of `call`: `document` is a result, or what an error says. Unknown calls: ignored (the
 * client is gone). */
void ml_rpc_server_reply(struct ml_rpc_server *s, uint64_t call, ml_err err,
                         struct ml_slice document);
/** To each session that subscribed to `name` or "*". */
void ml_rpc_server_event(struct ml_rpc_server *s, const char *name, struct ml_slice document);

#endif
