/* net/node/methods_gen.c -- an invented population, written as an import is: by the node's own
 * path, so that what is tried with it is what patients get. */
#include "core/interop/gen.h"
#include "core/record/schema.h"
#include "net/node/intake.h"
#include "net/node/methods.h"
#include "net/node/org.h"

enum { GEN_BATCH_PATIENTS = 100 }; /* held in memory at a time */

struct generating {
    struct ml_org *org;
    struct ml_intake *intake;
    struct ml_intake_counts counts;
    uint32_t first; /* patient of this batch */
};

/* Writes what was gathered and begins again. */
static ml_err gen_flush(struct generating *g)
{
    struct ml_intake_counts counts = {0};
    ml_err err = ml_intake_write(g->intake, &counts);
    g->counts.created += counts.created;
    g->counts.known += counts.known;
    g->counts.patients += counts.patients;
    ml_intake_free(g->intake);
    g->intake = NULL;
    return err == ML_OK ? ml_intake_new(&g->intake, g->org) : err;
}

static ml_err gen_take(void *user, const struct ml_import_object *object)
{
    struct generating *g = user;
    ml_err err = ML_OK;
    if (object->index >= g->first + GEN_BATCH_PATIENTS) {
        g->first = object->index;
        err = gen_flush(g);
    }
    return err == ML_OK ? ml_intake_take(g->intake, object) : err;
}

static ml_err gen_args(struct ml_call *call, struct ml_gen_args *args, bool *day)
{
    int64_t seed = ml_value_int(ml_value_get(call->params, "seed"), 1);
    int64_t patients = ml_value_int(ml_value_get(call->params, "patients"), 100);
    int64_t visits = ml_value_int(ml_value_get(call->params, "visits"), 3);
    *day = ml_value_bool(ml_value_get(call->params, "day"), false);
    if (seed < 0 || patients < 1 || patients > ML_GEN_PATIENTS_MAX || visits < 0 ||
        visits > ML_GEN_VISITS_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "gen.range", NULL, NULL);
    }
    *args = (struct ml_gen_args){.env = call->node->env,
                                 .schema = call->node->schema,
                                 .seed = (uint64_t)seed,
                                 .patients = (uint32_t)patients,
                                 .visits = (uint32_t)visits,
                                 .create = gen_take};
    return ML_OK;
}

static ml_err gen_population(struct ml_call *call)
{
    struct ml_gen_args args;
    struct generating g = {.org = call->org};
    bool day = false;
    ml_err err = gen_args(call, &args, &day);
    if (err == ML_OK) {
        err = ml_intake_new(&g.intake, call->org);
    }
    if (err == ML_OK) {
        args.user = &g;
        err = day ? ml_gen_day(&args) : ml_gen_population(&args);
    }
    if (err == ML_OK) {
        err = gen_flush(&g);
    }
    if (err == ML_OK) {
        ml_result_int(call->result, "seed", (int64_t)args.seed);
        ml_result_int(call->result, "created", (int64_t)g.counts.created);
        ml_result_int(call->result, "known", (int64_t)g.counts.known);
        ml_result_int(call->result, "patients", (int64_t)g.counts.patients);
        err = ml_call_note(call, ML_TRACE_IMPORT, NULL);
    }
    ml_intake_free(g.intake);
    return err;
}

const struct ml_method ml_methods_gen[] = {
    {"gen.population", ML_NEEDS_SESSION, gen_population},
    {NULL, 0, NULL},
};
