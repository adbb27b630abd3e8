/* tests/unit/net/support_rpc.h -- a daemon's local socket on a thread, over a backend that answers
 * a few methods: echo, fail, hold (until cancelled), who, large, tell (an event "news"). */
#ifndef ML_TESTS_SUPPORT_RPC_H
#define ML_TESTS_SUPPORT_RPC_H

#include "net/link/mailbox.h"
#include "net/link/rpc_server.h"

struct rpc_fixture {
    char dir[64]; /* the home, removed at the end */
    char run[80]; /* its run folder */
    uv_loop_t loop;
    uv_thread_t thread;
    struct ml_mailbox mailbox;
    struct ml_rpc_server *server;
    uint64_t held[256];
    unsigned held_count;
    unsigned calls;   /* seen by the backend; read after the end */
    unsigned cancels; /* same */
};

int rpc_fixture_start(void **state); /* cmocka's setup and teardown */
int rpc_fixture_end(void **state);
/** From now on the server ends its sessions, as at a graceful stop. Any thread. */
void rpc_fixture_stop_server(struct rpc_fixture *f);

#endif
