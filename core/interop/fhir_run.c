/* core/interop/fhir_run.c -- see fhir.h: one file, in steps of a few milliseconds.
 *
 *   SOURCE -> TEXT -> JSON -> LIST -> CHECK -> HAND_OUT -> DONE
 *
 * Happy path: read the file; read the JSON; list the resources with the entity of each; give each
 * its source key, its date and so its object id; convert all of them once without handing anything
 * out; then once more, in order, handing out each object and counting its leaves.
 *
 * Failures: all but the callback's own are found by the first conversion, before the first object.
 *
 * Invariant: the second conversion is the first one again: it depends on the file and the schema
 * only (and on `find`, whose answers only turn an unresolved reference into a resolved one).
 */
#include "core/interop/fhir.h"

#include "core/crypto/hash.h"
#include "core/interop/fhir_internal.h"
#include "core/interop/source.h"

#define SET_BYTES_MAX    ((size_t)ML_JSON_NODES_MAX * sizeof(uint32_t))
#define SOURCE_STEP      262144u  /* bytes of the file, before inflating */
#define JSON_STEP        2097152u /* bytes of text */
#define CONVERT_STEP_MAX 256u     /* resources */
#define CONTENT_STEP     2097152u /* bytes of large contents */

typedef enum run_stage {
    RUN_SOURCE,   /* source is open: the file is read into text */
    RUN_TEXT,     /* the text is whole */
    RUN_JSON,     /* reading is open */
    RUN_LIST,     /* f.doc is whole */
    RUN_CHECK,    /* the resources are listed; `at` of them are checked */
    RUN_HAND_OUT, /* all are checked; `at` of them are handed out */
    RUN_DONE,
} run_stage;

struct ml_fhir_run {
    struct fhir f;
    struct ml_fhir_args args; /* what it points to is borrowed */
    struct ml_import_fault fault;
    run_stage stage;
    struct ml_source *source; /* owned */
    struct ml_buf file;       /* owned: the text that came from a file */
    struct ml_json_reading *reading;
    uint32_t at;
};

static ml_err run_new(struct ml_fhir_run **out, const struct ml_fhir_args *args)
{
    struct ml_fhir_run *run = ml_alloc(args->env, sizeof(*run));
    if (run == NULL) {
        return ML_E_NOMEM;
    }
    struct fhir *f = &run->f;
    run->args = *args;
    f->args = &run->args;
    f->fault = &run->fault;
    ml_buf_init(&run->file, args->env, ML_JSON_BYTES_MAX);
    ml_buf_init(&f->marks, args->env, SET_BYTES_MAX);
    ml_buf_init(&f->set[0], args->env, SET_BYTES_MAX);
    ml_buf_init(&f->set[1], args->env, SET_BYTES_MAX);
    ml_buf_init(&f->item, args->env, ML_JSON_BYTES_MAX);
    ml_buf_init(&f->list, args->env, 16);
    ml_buf_init(&f->values, args->env, ML_FHIR_VALUES_BYTES_MAX);
    ml_buf_init(&f->object_values, args->env, ML_FHIR_VALUES_BYTES_MAX);
    ml_buf_init(&f->contents, args->env, ML_JSON_BYTES_MAX);
    ml_buf_init(&f->content_list, args->env, SET_BYTES_MAX);
    ml_buf_init(&f->blobs, args->env, SET_BYTES_MAX);
    *out = run;
    return ML_OK;
}

void ml_fhir_end(struct ml_fhir_run *run)
{
    if (run == NULL) {
        return;
    }
    const struct ml_env *env = run->args.env;
    struct fhir *f = &run->f;
    ml_source_close(run->source);
    ml_json_reading_free(run->reading);
    ml_buf_free(&f->blobs);
    ml_buf_free(&f->content_list);
    ml_buf_free(&f->contents);
    ml_buf_free(&f->object_values);
    ml_buf_free(&f->values);
    ml_buf_free(&f->list);
    ml_buf_free(&f->item);
    ml_buf_free(&f->set[1]);
    ml_buf_free(&f->set[0]);
    ml_buf_free(&f->marks);
    ml_release(env, f->kept);
    ml_release(env, f->order);
    ml_release(env, f->by_key);
    ml_release(env, f->entries);
    ml_json_free(f->doc);
    ml_buf_free(&run->file);
    ml_release(env, run);
}

static ml_err begin_failed(struct ml_import_fault *fault)
{
    *fault = (struct ml_import_fault){.kind = ML_IMPORT_FAULT_NOMEM};
    return ML_E_NOMEM;
}

ml_err ml_fhir_begin(struct ml_fhir_run **out, const struct ml_fhir_args *args,
                     struct ml_slice text, struct ml_import_fault *fault)
{
    struct ml_fhir_run *run = NULL;
    if (run_new(&run, args) != ML_OK) {
        return begin_failed(fault);
    }
    run->f.text = text;
    run->stage = RUN_TEXT;
    *out = run;
    return ML_OK;
}

ml_err ml_fhir_begin_file(struct ml_fhir_run **out, const struct ml_fhir_args *args,
                          const char *path, struct ml_import_fault *fault)
{
    struct ml_fhir_run *run = NULL;
    if (run_new(&run, args) != ML_OK) {
        return begin_failed(fault);
    }
    ml_err err = ml_source_open(&run->source, &run->file, path, fault);
    if (err != ML_OK) {
        ml_fhir_end(run);
        return err;
    }
    *out = run;
    return ML_OK;
}

/* ---- steps: PENDING when the same stage goes on, ML_OK when it is over ---- */

static ml_err step_source(struct ml_fhir_run *run)
{
    ml_err err = ml_source_read_some(run->source, SOURCE_STEP, &run->fault);
    if (err == ML_OK) {
        ml_source_close(run->source);
        run->source = NULL;
        run->f.text = ml_buf_slice(&run->file);
    }
    return err;
}

static void choose_space(struct fhir *f)
{
    const char *source = f->args->source;
    struct ml_slice parts[] = {ml_slice_str(source != NULL ? "source" : "text"),
                               source != NULL ? ml_slice_str(source) : f->text};
    ml_hash_parts(f->space, sizeof(f->space), (struct ml_slice){NULL, 0}, parts, 2);
}

static ml_err step_text(struct ml_fhir_run *run)
{
    choose_space(&run->f);
    return ml_json_begin(&run->reading, run->args.env, run->f.text, &run->fault);
}

static ml_err step_json(struct ml_fhir_run *run)
{
    ml_err err = ml_json_read_some(run->reading, &run->f.doc, JSON_STEP, &run->fault);
    if (err == ML_OK) {
        ml_json_reading_free(run->reading);
        run->reading = NULL;
    }
    return err;
}

static ml_err step_list(struct ml_fhir_run *run)
{
    return ml_fhir_list(&run->f) ? ML_OK : run->f.err;
}

static ml_err step_pass(struct ml_fhir_run *run)
{
    struct fhir *f = &run->f;
    if (run->at == 0) {
        ml_fhir_pass_begin(f);
    }
    size_t contents = 0;
    for (uint32_t n = 0;
         n < CONVERT_STEP_MAX && contents < CONTENT_STEP && run->at < f->mapped_count; n++) {
        if (!ml_fhir_pass_entry(f, run->at, run->stage == RUN_HAND_OUT)) {
            return f->err;
        }
        contents += f->contents.len;
        run->at++;
    }
    if (run->at < f->mapped_count) {
        return ML_E_PENDING;
    }
    run->at = 0;
    return run->stage == RUN_CHECK || ml_fhir_report_file(f) ? ML_OK : f->err;
}

ml_err ml_fhir_step(struct ml_fhir_run *run, struct ml_import_fault *fault)
{
    static ml_err (*const steps[])(struct ml_fhir_run *) = {
        [RUN_SOURCE] = step_source, [RUN_TEXT] = step_text,  [RUN_JSON] = step_json,
        [RUN_LIST] = step_list,     [RUN_CHECK] = step_pass, [RUN_HAND_OUT] = step_pass};
    ml_err err = run->stage == RUN_DONE ? ML_OK : steps[run->stage](run);
    if (err == ML_OK && run->stage != RUN_DONE) {
        run->stage++;
        err = run->stage == RUN_DONE ? ML_OK : ML_E_PENDING;
    }
    if (err != ML_OK && err != ML_E_PENDING) {
        *fault = run->fault;
    }
    return err;
}

struct ml_fhir_progress ml_fhir_progress(const struct ml_fhir_run *run)
{
    return (struct ml_fhir_progress){.handing_out = run->stage >= RUN_HAND_OUT,
                                     .done = run->stage == RUN_DONE ? run->f.mapped_count : run->at,
                                     .total = run->f.mapped_count};
}

static ml_err run_whole(struct ml_fhir_run *run, struct ml_import_fault *fault)
{
    ml_err err = ML_E_PENDING;
    while (err == ML_E_PENDING) {
        err = ml_fhir_step(run, fault);
    }
    ml_fhir_end(run);
    return err;
}

ml_err ml_fhir_import(const struct ml_fhir_args *args, struct ml_slice text,
                      struct ml_import_fault *fault)
{
    struct ml_fhir_run *run = NULL;
    ml_err err = ml_fhir_begin(&run, args, text, fault);
    return err == ML_OK ? run_whole(run, fault) : err;
}

ml_err ml_fhir_import_file(const struct ml_fhir_args *args, const char *path,
                           struct ml_import_fault *fault)
{
    struct ml_fhir_run *run = NULL;
    ml_err err = ml_fhir_begin_file(&run, args, path, fault);
    return err == ML_OK ? run_whole(run, fault) : err;
}
