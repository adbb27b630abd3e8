/* tests/bench/plan.c -- see plan.h. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/record/schema.h"

enum { VISITS = 14, CHART_VISITS = 50, LONG_PATIENTS = 130 };

struct planning {
    struct plan *plan;
    struct bench *b;
    struct ml_object_id patient; /* whose objects come now */
    bool started;
    bool closed; /* no more of this patient */
    size_t wanted;
    uint16_t compartments;
    size_t first; /* the patient's first bundle */
    bool chart;
    size_t charts; /* complete ones */
    ml_err err;
};

size_t plan_bundle_count(const struct plan *p)
{
    return p->bundles.len / sizeof(struct plan_bundle);
}

static struct plan_bundle *bundle_at(const struct plan *p, size_t i)
{
    return (struct plan_bundle *)(void *)p->bundles.data + i;
}

const struct plan_bundle *plan_bundle(const struct plan *p, size_t i)
{
    return bundle_at(p, i);
}

const struct plan_item *plan_item(const struct plan *p, size_t i)
{
    return (const struct plan_item *)(const void *)p->items.data + i;
}

static void item_add(struct planning *g, const struct ml_import_object *o)
{
    struct plan *p = g->plan;
    const struct plan_item item = {.entity = o->entity,
                                   .id = o->id,
                                   .author = o->author,
                                   .effective = o->effective,
                                   .values_at = p->values.len,
                                   .values_len = o->values.len};
    struct plan_bundle *last =
        plan_bundle_count(p) == 0 ? NULL : bundle_at(p, plan_bundle_count(p) - 1);
    ml_buf_append(&p->values, o->values.data, o->values.len);
    ml_buf_append(&p->items, &item, sizeof(item));
    if (last == NULL || !g->started || last->count == PLAN_BUNDLE_OPS) {
        const struct plan_bundle next = {
            .patient = g->patient, .first = p->items.len / sizeof(item) - 1, .later = g->started};
        ml_buf_append(&p->bundles, &next, sizeof(next));
        last = bundle_at(p, plan_bundle_count(p) - 1);
        g->first = g->started ? g->first : plan_bundle_count(p) - 1;
    }
    g->started = true;
    last->count++;
    g->compartments = (uint16_t)(g->compartments | 1u << o->entity->compartment);
    bundle_at(p, g->first)->compartments = g->compartments;
    g->wanted--;
    g->err = p->items.err != ML_OK ? p->items.err : p->bundles.err;
}

static bool fits(const struct planning *g, const struct ml_import_object *o)
{
    const unsigned with = g->compartments | 1u << o->entity->compartment;
    return __builtin_popcount(with) <= PLAN_STREAMS && o->blob_count == 0;
}

/* Patient i has so many of the bundles that the size asks for. */
static size_t share(const struct bench *b, uint32_t i)
{
    const uint64_t bundles = b->size->ops / PLAN_BUNDLE_OPS;
    return (size_t)((i + 1) * bundles / b->size->patients - i * bundles / b->size->patients);
}

static void patient_begin(struct planning *g, const struct ml_import_object *o)
{
    g->patient = o->patient;
    g->started = false;
    g->compartments = 0;
    g->chart = o->index >= g->b->size->patients;
    g->wanted = g->chart ? PLAN_CHART_ITEMS : share(g->b, o->index) * PLAN_BUNDLE_OPS;
    if (g->chart && g->charts < PLAN_CHARTS) {
        g->plan->charts[g->charts++] = o->patient;
    }
}

static ml_err take(void *user, const struct ml_import_object *o)
{
    struct planning *g = user;
    const bool structure = ml_is_zero(o->patient.b, sizeof(o->patient.b));
    if (!structure && memcmp(&g->patient, &o->patient, sizeof(o->patient)) != 0) {
        patient_begin(g, o);
    }
    if (!structure && g->wanted > 0 && fits(g, o)) {
        item_add(g, o);
    }
    return g->err;
}

/* The encounters of many, as one patient's. */
static ml_err take_long(void *user, const struct ml_import_object *o)
{
    struct planning *g = user;
    struct ml_import_object mine = *o;
    const bool who = strcmp(o->entity->name, "patient") == 0;
    const bool met =
        strcmp(o->entity->name, "encounter") == 0 || strcmp(o->entity->name, "visit") == 0;
    if (who && !g->started) {
        g->patient = o->patient;
        g->wanted = g->b->quick ? PLAN_CHART_ITEMS : PLAN_LONG_ITEMS + 1;
        g->plan->charts[PLAN_CHARTS] = o->patient;
    }
    mine.patient = g->patient;
    if (g->wanted > 0 && (met || (who && !g->started)) && fits(g, &mine)) {
        item_add(g, &mine);
    }
    return g->err;
}

static int by_turn(const void *a, const void *b)
{
    const struct plan_bundle *x = a;
    const struct plan_bundle *y = b;
    return x->later != y->later ? x->later - y->later : memcmp(&x->patient, &y->patient, 16);
}

/* Ids of patients are hashes: the order of the later bundles is one of chance. */
static void order(struct plan *p)
{
    size_t first = 0;
    struct plan_bundle *all = bundle_at(p, 0);
    struct plan_bundle *later = calloc(p->main, sizeof(*later));
    size_t later_count = 0;
    for (size_t i = 0; later != NULL && i < p->main; i++) {
        if (all[i].later) {
            later[later_count++] = all[i];
        } else {
            all[first++] = all[i];
        }
    }
    if (later_count > 0) {
        qsort(later, later_count, sizeof(*later), by_turn);
        memcpy(all + first, later, later_count * sizeof(*later));
    }
    free(later);
}

void plan_free(struct plan *p)
{
    ml_buf_free(&p->items);
    ml_buf_free(&p->bundles);
    ml_buf_free(&p->values);
}

bool plan_make(struct plan *p, struct bench *b)
{
    const struct bench_size none = {.patients = 0};
    struct bench other = {.size = &none, .quick = b->quick};
    struct planning g = {.plan = p, .b = b};
    struct ml_gen_args args = {.env = b->env,
                               .schema = ml_schema_builtin(),
                               .seed = BENCH_SEED,
                               .patients = b->size->patients,
                               .visits = VISITS,
                               .create = take,
                               .user = &g};
    memset(p, 0, sizeof(*p));
    ml_buf_init(&p->items, b->env, SIZE_MAX);
    ml_buf_init(&p->bundles, b->env, SIZE_MAX);
    ml_buf_init(&p->values, b->env, SIZE_MAX);
    bench_say(b, "inventing patients");
    ml_err err = ml_gen_population(&args);
    p->main = plan_bundle_count(p);
    if (err == ML_OK && p->main > 0) {
        order(p);
        args.seed = BENCH_SEED + 1; /* others */
        args.visits = CHART_VISITS;
        args.patients = PLAN_CHARTS;
        g.b = &other;
        err = ml_gen_population(&args);
    }
    if (err == ML_OK) {
        args.seed = BENCH_SEED + 2;
        args.create = take_long;
        args.patients = LONG_PATIENTS;
        g.started = false;
        g.wanted = 0;
        g.compartments = 0;
        err = ml_gen_population(&args);
    }
    if (err != ML_OK) {
        plan_free(p);
    }
    return bench_good(b, err, "population");
}
