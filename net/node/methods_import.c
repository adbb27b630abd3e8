/* net/node/methods_import.c -- FHIR files into the record, one file a call. */
#include <string.h>

#include "core/base/ids.h"
#include "core/interop/fhir.h"
#include "core/interop/gen.h"
#include "net/node/intake.h"
#include "net/node/methods.h"
#include "net/node/session.h"
#include "net/node/trace.h"

static void report_types(const struct ml_fhir_report *report, struct ml_args *out)
{
    struct ml_fhir_type_row row;
    ml_args_key(out, "types");
    ml_args_list(out);
    for (size_t i = 0; ml_fhir_report_type(report, i, &row); i++) {
        ml_args_map(out);
        ml_result_text(out, "type", row.type);
        ml_result_text(out, "entity", row.entity);
        ml_result_int(out, "count", (int64_t)row.count);
        ml_args_end(out);
    }
    ml_args_end(out);
}

static void report_paths(const struct ml_fhir_report *report, struct ml_args *out)
{
    struct ml_fhir_path_row row;
    ml_args_key(out, "not_kept");
    ml_args_list(out);
    for (size_t i = 0; ml_fhir_report_path(report, i, &row); i++) {
        ml_args_map(out);
        ml_result_text(out, "path", row.path);
        ml_result_text(out, "reason", row.reason);
        ml_result_int(out, "count", (int64_t)row.count);
        ml_args_end(out);
    }
    ml_args_end(out);
}

static void report_describe(const struct ml_fhir_report *report,
                            const struct ml_intake_counts *counts, struct ml_args *out)
{
    const struct ml_fhir_totals totals = ml_fhir_report_totals(report);
    ml_result_int(out, "resources", (int64_t)totals.resources);
    ml_result_int(out, "objects", (int64_t)totals.objects);
    ml_result_int(out, "leaves", (int64_t)totals.leaves);
    ml_result_int(out, "leaves_kept", (int64_t)totals.leaves_kept);
    ml_result_int(out, "refs_unresolved", (int64_t)totals.refs_unresolved);
    ml_result_int(out, "created", (int64_t)counts->created);
    ml_result_int(out, "known", (int64_t)counts->known);
    ml_result_int(out, "patients", (int64_t)counts->patients);
    report_types(report, out);
    report_paths(report, out);
}

static ml_err import_fail(struct ml_call *call, ml_err err, const struct ml_import_fault *fault,
                          const char *path)
{
    char text[512];
    if (fault->kind == ML_IMPORT_FAULT_NONE || fault->kind == ML_IMPORT_FAULT_REFUSED) {
        return err;
    }
    ml_import_fault_describe(text, sizeof(text), fault);
    ml_call_detail(call, "reason", text);
    ml_call_detail(call, "kind", ml_import_fault_name(fault->kind));
    return ml_call_fail(call, err, "import.refused", "file", path);
}

struct importing {
    struct ml_call *call;
    struct ml_intake *intake;
    struct ml_fhir_report *report;
    struct ml_secret *key;
    struct ml_intake_counts counts;
};

static ml_err import_run(struct importing *m, const char *path)
{
    struct ml_call *call = m->call;
    const char *slash = strrchr(path, '/');
    struct ml_import_fault fault = {.kind = ML_IMPORT_FAULT_NONE};
    const struct ml_fhir_args args = {.env = call->node->env,
                                      .schema = call->node->schema,
                                      .id_key = ml_secret_bytes(m->key),
                                      .source = ml_call_text_or(call, "source", NULL),
                                      .label = slash == NULL ? path : slash + 1,
                                      .create = ml_intake_take,
                                      .user = m->intake,
                                      .report = m->report};
    ml_err err = ml_fhir_import_file(&args, path, &fault);
    if (err != ML_OK) {
        return import_fail(call, err, &fault, path);
    }
    return ml_intake_write(m->intake, &m->counts);
}

static ml_err import_fhir(struct ml_call *call)
{
    struct importing m = {.call = call};
    const char *path = NULL;
    ml_err err = ml_call_text(call, &path, "path");
    if (err == ML_OK) {
        err = ml_intake_key(call->org, &m.key);
        err = err == ML_E_NOT_FOUND ? ml_call_fail(call, err, "session.not_enrolled", NULL, NULL)
                                    : err;
    }
    if (err == ML_OK) {
        err = ml_intake_new(&m.intake, call->org);
    }
    if (err == ML_OK) {
        err = ml_fhir_report_new(&m.report, call->node->env);
    }
    if (err == ML_OK) {
        err = import_run(&m, path);
    }
    if (err == ML_OK) {
        report_describe(m.report, &m.counts, call->result);
        err = ml_call_note(call, ML_TRACE_IMPORT, NULL);
    }
    ml_fhir_report_free(m.report);
    ml_intake_free(m.intake);
    ml_secret_free(m.key);
    return err;
}

/* ---- an invented population ---- */

enum { GEN_FLUSH_OBJECTS = 5000 };

struct generating {
    struct ml_intake *intake;
    struct ml_intake_counts counts;
    struct ml_object_id patient; /* of the last object */
    size_t waiting;
};

/* Written patient by patient, in batches, so that a large population needs little memory. */
static ml_err generated_take(void *user, const struct ml_import_object *object)
{
    struct generating *g = user;
    ml_err err = ML_OK;
    if (g->waiting >= GEN_FLUSH_OBJECTS && !ml_object_id_equal(&object->patient, &g->patient)) {
        err = ml_intake_write(g->intake, &g->counts);
        g->waiting = 0;
    }
    g->patient = object->patient;
    g->waiting++;
    return err == ML_OK ? ml_intake_take(g->intake, object) : err;
}

static ml_err gen_population(struct ml_call *call)
{
    struct generating g = {.waiting = 0};
    const struct ml_gen_args args = {
        .env = call->node->env,
        .schema = call->node->schema,
        .seed = ml_value_uint(ml_value_get(call->params, "seed"), 1),
        .patients = (uint32_t)ml_value_int(ml_value_get(call->params, "patients"), 100),
        .visits = (uint32_t)ml_value_int(ml_value_get(call->params, "visits"), 3),
        .create = generated_take,
        .user = &g,
    };
    ml_err err = ml_intake_new(&g.intake, call->org);
    if (err == ML_OK) {
        const bool day = ml_value_bool(ml_value_get(call->params, "day"), false);
        err = day ? ml_gen_day(&args) : ml_gen_population(&args);
    }
    if (err == ML_OK) {
        err = ml_intake_write(g.intake, &g.counts);
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

const struct ml_method ml_methods_import[] = {
    {"import.fhir", ML_NEEDS_SESSION, import_fhir},
    {"gen.population", ML_NEEDS_SESSION, gen_population},
    {NULL, 0, NULL},
};
