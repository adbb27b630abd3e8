/* net/demo_nodes.h -- the demo's nodes: one mailled each, spoken to through client.h alone. */
#ifndef ML_NET_DEMO_NODES_H
#define ML_NET_DEMO_NODES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "maille/client.h"

enum { DEMO_PATH = 512, DEMO_ID = 40, DEMO_NODES = 3 };

struct demo_node {
    const char *name; /* as the story calls it */
    char daemon[DEMO_PATH];
    char home[DEMO_PATH];
    char member[DEMO_ID];
    char node[DEMO_ID];
    pid_t pid; /* 0: not running */
    unsigned port;
    struct ml_client *client;
    struct ml_tree *answer; /* of the last call */
    char error[512];        /* why the last one failed, for people */
};

/** Starts mailled on the home, waits until it answers. */
bool demo_start(struct demo_node *n);
/** SIGKILL: nothing is flushed, nothing is said. */
void demo_kill(struct demo_node *n);
/** SIGTERM, and waits; false when it ends badly. */
bool demo_stop(struct demo_node *n);
void demo_forget(struct demo_node *n); /* closes what the demo holds; the process goes on */

/** Takes `params` over (an open map); the result, borrowed until the next call, or NULL. */
const struct ml_value *demo_call(struct demo_node *n, const char *method, struct ml_args *params);
/** demo_call of what begins a session; later calls carry its token. */
const struct ml_value *demo_enter(struct demo_node *n, const char *method, struct ml_args *params);
struct ml_args *demo_params(void);
void demo_text(struct ml_args *a, const char *key, const char *value);

/** unlock with the demo's passphrase. */
bool demo_unlock(struct demo_node *n);
extern const char demo_passphrase[];

#endif
