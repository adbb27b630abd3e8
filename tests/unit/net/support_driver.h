/* tests/unit/net/support_driver.h -- two pairs of node and sockets in one process: each node on its
 * own thread, all sockets on one loop. Memory may fail on either kind of thread. */
#ifndef ML_TESTS_SUPPORT_DRIVER_H
#define ML_TESTS_SUPPORT_DRIVER_H

#include <stdatomic.h>
#include <uv.h>

#include "maille/client.h"
#include "net/client/place.h"
#include "net/link/driver.h"

enum { DRIVER_GUARD_MS = 30000, DRIVER_PINGS = 200, DRIVER_PING_BYTES = 1000 };

/* The system's, but for memory that fails and is counted. */
struct driver_memory {
    struct ml_env env;
    atomic_long fail_loop; /* fail the nth allocation of the loop thread; 0: none */
    atomic_long fail_org;  /* of any other thread */
    atomic_long live;
    atomic_long taken; /* in all */
};

/* What stands for the node: org thread only, but for what the test reads after the end. */
struct ml_node {
    const struct ml_node_ports *ports;
    struct driver_memory *memory;
    unsigned ups, downs, messages, ticks, cancels, closes, fails;
    uint64_t held, link;
    uint64_t first_failed, last_failed; /* dials */
    size_t sent_bytes;
    ml_err reason, dial_reason;
    uv_sem_t progress; /* posted at each up, down, failed dial and at the last ping */
    bool answers;      /* pings with pings */
    char address[64];
    struct driver_fixture *f;
    /* A test's own methods; NULL: none. True: it was one, and is answered. */
    bool (*own_call)(struct ml_node *node, uint64_t call, struct ml_slice method);
    void (*own_up)(struct ml_node *node); /* instead of pinging; NULL: pings */
    void (*own_message)(struct ml_node *node);
    void (*own_tick)(struct ml_node *node);
};

struct driver_side {
    char dir[64];
    struct driver_memory memory;
    struct ml_place place;
    struct ml_driver *driver;
    struct ml_node node;
    struct ml_secret *key;
    struct ml_box_pk pk;
    unsigned closed;
};

struct driver_fixture {
    uv_loop_t loop;
    uv_async_t stop;
    uv_thread_t thread;
    struct driver_side sides[2]; /* 0 answers, 1 dials */
    struct ml_secret *psk, *mac;
    struct ml_org_id org;
    char dialled[32];   /* by the method "dial"; side 0's unless a test says so */
    uint64_t last_dial; /* side 1's org thread */
};

/* Valid as long as `m`. */
const struct ml_env *driver_memory_env(struct driver_memory *m);
/* A test sets what its nodes do, then starts. */
int driver_setup(void **state);
void driver_start(struct driver_fixture *f);
int driver_teardown(void **state);
/* Returns when all is closed. */
void driver_stop(struct driver_fixture *f);
/* Org thread of side 1. */
void driver_dial(struct ml_node *node);
void driver_ping(struct ml_node *node);
struct ml_client *driver_client(const struct driver_fixture *f, unsigned side);
/* One call, by a client of its own. */
ml_err driver_ask(const struct driver_fixture *f, unsigned side, const char *method);
void driver_wait(struct driver_fixture *f, unsigned side, unsigned steps);

#endif
