/* tests/bench/plan.h -- which objects go into which bundle: those of the generated population, by
 * patient, 16 a bundle, at most 4 compartments of a patient.
 *
 * First every patient's first bundle, in the order of the generator, then the second ones and so on
 * in an order of chance, as care goes on. Behind `main` come the bundles of the charts that are
 * opened: CHARTS patients of 200 items, and one of 5,000 encounters. */
#ifndef ML_BENCH_PLAN_H
#define ML_BENCH_PLAN_H

#include "bench.h"
#include "core/base/buf.h"
#include "core/interop/gen.h"

enum {
    PLAN_BUNDLE_OPS = 16,
    PLAN_STREAMS = 4,
    PLAN_CHARTS = 10,
    PLAN_CHART_ITEMS = 200,
    PLAN_LONG_ITEMS = 5000
};

struct plan_item {
    const struct ml_entity *entity;
    struct ml_object_id id;
    struct ml_object_id author;
    struct ml_instant effective;
    size_t values_at; /* in plan.values */
    size_t values_len;
};

struct plan_bundle {
    struct ml_object_id patient;
    size_t first; /* of plan.items */
    uint16_t count;
    uint16_t compartments; /* of the patient's first: all that he has; bit c: ml_compartment c */
    bool later;            /* not the patient's first */
};

/** Owned; plan_free. */
struct plan {
    struct ml_buf items;   /* of struct plan_item */
    struct ml_buf bundles; /* of struct plan_bundle */
    struct ml_buf values;
    size_t main;                                 /* bundles of the size; the rest are charts */
    struct ml_object_id charts[PLAN_CHARTS + 1]; /* the last: the long one */
};

bool plan_make(struct plan *p, struct bench *b);
void plan_free(struct plan *p);

size_t plan_bundle_count(const struct plan *p);
const struct plan_bundle *plan_bundle(const struct plan *p, size_t i);
const struct plan_item *plan_item(const struct plan *p, size_t i);

#endif
