/* net/link/driver.h -- joins a node (org thread) to its sockets (loop thread).
 *
 *   loop thread: hub, local socket, signals     org thread: the node, its stores, its engine
 *        | call, cancel, link up/message/down, dial failed -->  (worker's mailbox)
 *        |  <-- identity, dial, send, close, reply, event        (loop's mailbox)
 *
 * Bytes are copied at the border. A message stays counted against its link until the org thread has
 * worked through it, so that a slow node slows its peers. Stopping: the org thread finishes what
 * was posted, closes the node (its last words still go out), then the loop says bye and closes.
 */
#ifndef ML_NET_DRIVER_H
#define ML_NET_DRIVER_H

#include "net/link/hub.h"
#include "net/link/rpc_server.h"

struct ml_driver; /* opaque; owned by who opened it */

/** ml_node_call and its like; a test has a node of its own. */
struct ml_driver_node {
    void (*call)(struct ml_node *node, uint64_t call, const struct ml_node_caller *caller,
                 struct ml_slice method, struct ml_slice params);
    void (*cancel)(struct ml_node *node, uint64_t call);
    void (*link_up)(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer);
    void (*link_message)(struct ml_node *node, uint64_t link, struct ml_slice msg);
    void (*link_sent)(struct ml_node *node, uint64_t link, size_t bytes);
    void (*link_down)(struct ml_node *node, uint64_t link, ml_err reason);
    void (*dial_failed)(struct ml_node *node, uint64_t dial, ml_err reason);
    void (*tick)(struct ml_node *node);
    void (*close)(struct ml_node *node);
};

struct ml_driver_args {
    const struct ml_env *env; /* borrowed */
    uv_loop_t *loop;          /* borrowed */
    const char *socket;       /* path of the local socket */
    const char *listen;       /* "addr:port"; NULL: only dials */
    struct ml_driver_node calls;
    struct ml_link_times times;
};

/** Errors: those of ml_rpc_server_open and ml_hub_listen; what was opened closes on the loop: run
 * it once more. Loop thread. */
ml_err ml_driver_open(struct ml_driver **out, const struct ml_driver_args *args) ML_MUST_CHECK;
/** For ml_node_open; valid until the driver is closed. */
const struct ml_node_ports *ml_driver_ports(struct ml_driver *d);
/** The port it listens on; 0 when it doesn't. */
uint16_t ml_driver_port(const struct ml_driver *d);
/** Starts the org thread, which owns `node` from now on and closes it. Errors: NOMEM, IO: the node
 * is still the caller's. */
ml_err ml_driver_start(struct ml_driver *d, struct ml_node *node) ML_MUST_CHECK;
/** Graceful end; `closed` runs once, later, on the loop, when all is closed and the driver free.
 * Twice is once. */
void ml_driver_stop(struct ml_driver *d, void (*closed)(void *user), void *user);

#endif
