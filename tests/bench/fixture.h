/* tests/bench/fixture.h -- the store of a size, made once: a founded node with 40 more writers and
 * the patients' keys (lanes 0 and 1), the record bundles of those writers as a peer sends them, and
 * the same node with all of them in it. */
#ifndef ML_BENCH_FIXTURE_H
#define ML_BENCH_FIXTURE_H

#include "bench.h"
#include "core/base/buf.h"
#include "maille/types.h"
#include "plan.h"

enum { FIXTURE_WRITERS = 40, FIXTURE_BATCH = 1024 /* bundles of 16 ops: decisions 12 */ };

/** The wire forms, in the order in which they come. Mapped; fixture_wires_free. */
struct fixture_wires {
    uint8_t *map;
    size_t bytes;
    struct ml_slice *items;
    size_t count;
    size_t main;                                 /* of the size; the rest are charts */
    uint64_t main_ops;                           /* ops of those */
    struct ml_object_id charts[PLAN_CHARTS + 1]; /* the last: 5,000 encounters */
};

/** Makes <folder>/keys and <folder>/wires unless they are there. */
bool fixture_make(struct bench *b);
bool fixture_wires(struct fixture_wires *w, struct bench *b);
void fixture_wires_free(struct fixture_wires *w);

/** Where the node is that has it all; made by an ingest that isn't reported, if need be. */
bool fixture_full(struct bench *b, char folder[BENCH_PATH]);

struct bench_node;
/** That node, unlocked; to be closed. False: nothing is open. `what` is said. */
bool fixture_open(struct bench_node *n, struct bench *b, const char *what);

struct ml_org;
struct fixture_took {
    double log_ms;
    double vault_ms;
    double log_cpu_ms;
    double vault_cpu_ms;
};
/** Part of the wires: `to` isn't in it. */
struct fixture_part {
    const struct fixture_wires *wires;
    size_t from;
    size_t to;
};
/** As a peer's batches: stored, projected. Adds what each took. */
bool fixture_ingest(struct bench *b, struct ml_org *org, struct fixture_part part,
                    struct fixture_took *took);

#endif
