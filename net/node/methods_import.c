/* net/node/methods_import.c -- FHIR files into the record, one file a call, in slices.
 *
 * Happy path: the file is read and checked step by step (nothing is written until all of it is
 * sound), then its objects are written act by act, one slice a turn of the node: other calls and
 * links are served between. A crash, a cancel or a lock leaves what was written; importing again
 * adds what is missing, since ids come from the source (rules A9).
 */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/interop/fhir.h"
#include "net/node/intake.h"
#include "net/node/methods.h"
#include "net/node/session.h"
#include "net/node/team.h"
#include "net/node/trace.h"
#include "net/node/turn.h"

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

/* ---- the job: reading, then writing, a slice a turn ---- */

enum { PROGRESS_MS = 100 };

struct importing {
    struct ml_intake *intake;      /* owned */
    struct ml_fhir_report *report; /* owned */
    struct ml_fhir_run *run;       /* owned; NULL once the file is read */
    struct ml_secret *key;         /* owned */
    struct ml_intake_counts counts;
    const char *path; /* of the call's parameters */
    uint64_t waiting; /* objects when writing began */
    uint64_t told_ms; /* of the last event */
    const char *told_stage;
    uint8_t token[ML_SESSION_TOKEN_BYTES]; /* of the session that began */
};

static void job_free(struct ml_call *call)
{
    struct importing *m = call->job;
    call->job = NULL;
    ml_fhir_end(m->run);
    ml_fhir_report_free(m->report);
    ml_intake_free(m->intake);
    ml_secret_free(m->key);
    ml_wipe(m->token, sizeof(m->token));
    ml_release(call->node->env, m);
}

static void number_detail(struct ml_call *call, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    ml_call_detail(call, key, text);
}

/* What was written stays; its trace is that of its ops. */
static void import_canceled(struct ml_call *call)
{
    const struct importing *m = call->job;
    ml_call_fail(call, ML_E_CANCELED, "import.canceled", "file", m->path);
    number_detail(call, "created", m->counts.created);
    number_detail(call, "left", ml_intake_waiting(m->intake));
}

static const char *stage_of(const struct importing *m)
{
    if (m->run == NULL) {
        return "write";
    }
    return ml_fhir_progress(m->run).total == 0 ? "read" : "check";
}

static void progress_describe(const struct importing *m, struct ml_args *out)
{
    uint64_t done = m->waiting - ml_intake_waiting(m->intake);
    uint64_t total = m->waiting;
    if (m->run != NULL) {
        const struct ml_fhir_progress p = ml_fhir_progress(m->run);
        done = p.done;
        total = p.total;
    }
    ml_result_text(out, "stage", m->told_stage);
    ml_result_int(out, "done", (int64_t)done);
    ml_result_int(out, "total", (int64_t)total);
    ml_result_int(out, "created", (int64_t)m->counts.created);
    ml_result_int(out, "known", (int64_t)m->counts.known);
    ml_result_int(out, "patients", (int64_t)m->counts.patients);
}

/* The event "progress": counts alone, to whoever listens; `job` is the caller's name for it. At
 * each stage and each slice that is written, else now and then. */
static void progress_tell(struct ml_call *call, struct importing *m)
{
    const struct ml_env *env = call->node->env;
    const struct ml_node_ports *ports = &call->node->ports;
    uint64_t now = env->now_ms(env->ctx);
    const uint8_t *bytes = NULL;
    size_t len = 0;
    const char *stage = stage_of(m);
    if (m->run != NULL && stage == m->told_stage && now < m->told_ms + PROGRESS_MS) {
        return;
    }
    m->told_ms = now;
    m->told_stage = stage;
    struct ml_args *out = ml_args_new();
    ml_args_map(out);
    ml_result_text(out, "method", "import.fhir");
    ml_result_text(out, "job", ml_call_text_or(call, "job", ""));
    progress_describe(m, out);
    ml_args_end(out);
    if (ml_args_encoded(out, &bytes, &len) == ML_OK) { /* else nobody is told: it goes on */
        ports->event(ports->ctx, "progress", ml_slice(bytes, len));
    }
    ml_args_free(out);
}

/* The member who asked is still there: a lock or a switch ends what he began. */
static bool session_stays(struct ml_call *call, const struct importing *m)
{
    const struct ml_env *env = call->node->env;
    struct ml_session *s = call->org->session;
    if (s == NULL || !ml_equal_ct(s->token, m->token, sizeof(m->token))) {
        call->session = NULL;
        return false;
    }
    s->last_call_ms = env->now_ms(env->ctx); /* his import is his being there */
    return true;
}

static ml_err import_read(struct ml_call *call, struct importing *m)
{
    struct ml_import_fault fault = {.kind = ML_IMPORT_FAULT_NONE};
    ml_err err = ml_fhir_step(m->run, &fault);
    if (err == ML_OK) {
        ml_fhir_end(m->run);
        m->run = NULL;
        m->waiting = ml_intake_waiting(m->intake);
        return ML_E_PENDING;
    }
    return err == ML_E_PENDING ? err : import_fail(call, err, &fault, m->path);
}

static ml_err import_step(struct ml_call *call)
{
    struct importing *m = call->job;
    if (!session_stays(call, m)) {
        return ml_call_fail(call, ML_E_LOCKED, "session.none", NULL, NULL);
    }
    ml_err err =
        m->run != NULL ? import_read(call, m) : ml_intake_write_some(m->intake, &m->counts);
    if (err == ML_E_PENDING || err == ML_OK) {
        progress_tell(call, m);
    }
    if (err == ML_OK) {
        report_describe(m->report, &m->counts, call->result);
        err = ml_call_note(call, ML_TRACE_IMPORT, NULL);
    }
    return err;
}

static ml_err job_begin(struct ml_call *call, struct importing *m)
{
    struct ml_team_id team;
    struct ml_import_fault fault = {.kind = ML_IMPORT_FAULT_NONE};
    ml_err err = ml_intake_key(call->org, &m->key);
    if (err == ML_E_NOT_FOUND) {
        return ml_call_fail(call, err, "session.not_enrolled", NULL, NULL);
    }
    if (err == ML_OK) {
        err = ml_call_new_patient_team(call, &team);
    }
    if (err == ML_OK) {
        err = ml_intake_new(&m->intake, call->org);
    }
    if (err == ML_OK) {
        err = ml_fhir_report_new(&m->report, call->node->env);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_intake_team(m->intake, &team);
    const char *slash = strrchr(m->path, '/');
    const struct ml_fhir_args args = {.env = call->node->env,
                                      .schema = call->node->schema,
                                      .id_key = ml_secret_bytes(m->key),
                                      .source = ml_call_text_or(call, "source", NULL),
                                      .label = slash == NULL ? m->path : slash + 1,
                                      .create = ml_intake_take,
                                      .find = ml_intake_find,
                                      .user = m->intake,
                                      .report = m->report};
    err = ml_fhir_begin_file(&m->run, &args, m->path, &fault);
    return err == ML_OK ? err : import_fail(call, err, &fault, m->path);
}

static ml_err import_fhir(struct ml_call *call)
{
    const char *path = NULL;
    ml_err err = ml_call_text(call, &path, "path");
    if (err != ML_OK) {
        return err;
    }
    struct importing *m = ml_alloc(call->node->env, sizeof(*m));
    if (m == NULL) {
        return ML_E_NOMEM;
    }
    m->path = path;
    memcpy(m->token, call->session->token, sizeof(m->token));
    call->job = m;
    call->job_free = job_free;
    err = job_begin(call, m);
    if (err == ML_OK) {
        call->step = import_step;
        call->canceled = import_canceled;
        call->busy = true;
        ml_call_defer(call);
        ml_node_wake(call->node);
        err = ML_E_PENDING;
    }
    return err;
}

const struct ml_method ml_methods_import[] = {
    {"import.fhir", ML_NEEDS_SESSION, import_fhir},
    {NULL, 0, NULL},
};
