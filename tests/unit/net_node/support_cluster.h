/* support_cluster.h -- several whole nodes in one process: what the driver does, without sockets,
 * threads or Noise, on the fake environment's time. Links are queues; messages arrive in order. */
#ifndef ML_TESTS_CLUSTER_H
#define ML_TESTS_CLUSTER_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "fake_env.h"
#include "net/node/node.h"

enum { CLUSTER_NODES = 5, CLUSTER_LINKS = 1024, CLUSTER_LARGE = 60000 };

struct cluster_answer {
    bool done;
    ml_err err;
    struct ml_buf document;
};

struct cluster_node {
    struct cluster *cluster;
    struct ml_node *node; /* NULL while down */
    char home[256];
    char state[256];
    bool has_identity;
    struct ml_link_identity identity;
    struct ml_secret *enrolment_psk; /* borrowed from the node */
    uint64_t wake_at;
    uint8_t token[65]; /* one more than a node takes */
    size_t token_len;
    uint32_t posix_session; /* of who calls */
    uint64_t events;
    struct ml_buf progress; /* the last event "progress" */
    uint64_t progress_count;
};

struct cluster_link {
    bool up;
    unsigned end[2];
    ml_link_kind kind;
};

struct cluster {
    struct fake_env fake;
    char folder[128];
    struct cluster_node nodes[CLUSTER_NODES];
    struct cluster_link links[CLUSTER_LINKS];
    unsigned link_count;
    struct cluster_event *head, *tail; /* what is on its way, oldest first */
    uint64_t next_call;
    struct cluster_answer answer; /* of the call that cluster_call waits for */
    uint64_t long_call;           /* begun by cluster_begin, 0: none */
    struct cluster_answer long_answer;
    bool cut[CLUSTER_NODES][CLUSTER_NODES];
    bool silent[CLUSTER_NODES]; /* it answers, and its own dials find nobody */
    unsigned keys_only;         /* HELLOs that let lanes 0 and 1 pass first */
    unsigned refused;           /* dials under an epoch that the other doesn't hold */
    unsigned large;             /* messages above CLUSTER_LARGE that were delivered */
    unsigned cut_at_large;      /* the link of the n-th goes in its place; 0: none */
    bool alter_large;           /* a byte of the next one changes on its way */
    bool other_key;             /* who dials asks for another Noise key than his handshake proved */
};

/** A fresh folder, nobody running. */
void cluster_init(struct cluster *c, uint64_t seed);
/** Stops every node, deletes the folder; fails the test when memory or files leak. */
void cluster_free(struct cluster *c);

/** Of a node that runs and is in one structure. */
struct ml_org *cluster_org(const struct cluster *c, unsigned n);
/** Neither hears the other any more, or again. */
void cluster_cut(struct cluster *c, unsigned a, unsigned b, bool cut);

void cluster_start(struct cluster *c, unsigned n);
/** Graceful. */
void cluster_stop(struct cluster *c, unsigned n);

/** Runs a program to its end, which must be a success; argv ends with NULL, at most 6 words. */
void cluster_spawn(const char *const *argv);

/** A copy of a node's home (not of its state folder), and back again into a stopped one. Of a node
 * that runs it is what kill -9 leaves at this moment. */
void cluster_copy_home(struct cluster *c, unsigned n, const char *name);
void cluster_restore_home(struct cluster *c, unsigned n, const char *name);

/** Delivers what is on its way until nothing is, letting due timers run; time moves by `ms`. */
void cluster_run(struct cluster *c, uint64_t ms);

/**
 * Calls `method` with a params document and runs until it is answered; the document stays valid
 * until the next call. `token` kept from the last session.unlock, org.found or enrol.join.
 */
ml_err cluster_call(struct cluster *c, unsigned n, const char *method, struct ml_slice params,
                    struct ml_slice *document);

/** Calls and doesn't wait: c->long_answer is done once it is answered; one at a time. */
void cluster_begin(struct cluster *c, unsigned n, const char *method, struct ml_slice params);

/** Keeps the session token found in an answer. */
void cluster_keep_token(struct cluster *c, unsigned n, struct ml_slice token);

#endif
