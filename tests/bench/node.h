/* tests/bench/node.h -- a whole node in this process, called as the daemon calls it: real files,
 * real durability, no socket. */
#ifndef ML_BENCH_NODE_H
#define ML_BENCH_NODE_H

#include "bench.h"
#include "core/base/buf.h"
#include "maille/value.h"
#include "net/node/node.h"

/* Time and links of a node that isn't alone; each may be NULL. `env` NULL: the real one. */
struct bench_world {
    const struct ml_env *env;
    void *ctx;
    void (*dial)(void *ctx, const struct ml_dial_request *request);
    void (*send)(void *ctx, struct ml_slice msg);
    void (*close)(void *ctx, ml_err reason);
};

struct bench_node {
    struct bench *bench;
    struct bench_world world;
    struct ml_link_identity identity;
    uint64_t wake_at_ms;
    struct ml_node *node; /* NULL: closed */
    char home[BENCH_PATH];
    char state[BENCH_PATH];
    uint64_t call;
    bool answered;
    ml_err err;
    struct ml_buf document; /* of the last answer */
    struct ml_tree *answer;
};

extern const char bench_passphrase[];

/** Opens home and state in `folder`, made when they aren't there. */
bool bench_node_open(struct bench_node *n, struct bench *b, const char *folder);
bool bench_node_open_in(struct bench_node *n, struct bench *b, const char *folder,
                        const struct bench_world *world);
void bench_node_close(struct bench_node *n);
/** Unlocks, and lets the vault catch up. */
bool bench_node_unlock(struct bench_node *n);

/** An open map for bench_node_call. */
struct ml_args *bench_params(void);
void bench_text(struct ml_args *a, const char *key, const char *value);
void bench_int(struct ml_args *a, const char *key, int64_t value);
/** What record.add asks of a pulse, another one for each number. */
void bench_entry(struct ml_args *a, const char *patient, unsigned number);

/** Takes `params` over; the answer, borrowed until the next call. NULL, and the bench has failed.
 */
const struct ml_value *bench_node_call(struct bench_node *n, const char *method,
                                       struct ml_args *params);
/** The same, timed until the answer is written; the answer isn't read. */
struct bench_took {
    double ms;
    double cpu_ms;
};
struct bench_took bench_node_time(struct bench_node *n, const char *method, struct ml_args *params);

struct ml_org *bench_node_org(const struct bench_node *n);

#endif
