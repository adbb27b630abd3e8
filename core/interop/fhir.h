/* core/interop/fhir.h -- FHIR R4 in: a Bundle or one resource, by the schema's mapping alone.
 *
 * Which resource becomes which entity, and which path which field, stands in the schema (`fhir`,
 * `fhir_type`, `fhir_when`, `fhir_patient`, `fhir_author`; docs/fhir-mapping.md): a new entity
 * imports without a line of code here. Every leaf of a mapped resource is kept, or counted in the
 * report with the reviewed reason why not; a path that is neither shows there without a reason.
 *
 * A file is checked whole before its first object is handed out: a malformed one changes nothing.
 * One thread at a time per report; any thread.
 */
#ifndef ML_INTEROP_FHIR_H
#define ML_INTEROP_FHIR_H

#include "core/base/env.h"
#include "core/codec/manifest.h"
#include "core/interop/fault.h"
#include "core/interop/import.h"

#define ML_FHIR_ENTRIES_MAX      200000u /* resources of one file */
#define ML_FHIR_FIELD_BYTES_MAX  16384u  /* one field's value; larger ones are not kept, counted */
#define ML_FHIR_INLINE_MAX       6144u   /* larger contents of an attachment become a large value */
#define ML_FHIR_CONTENT_MAX      ((size_t)ML_BLOB_BYTES_MAX) /* 32 MiB; larger are not kept, counted */
#define ML_FHIR_VALUES_BYTES_MAX 40000u /* one object: it must fit a bundle's body */
#define ML_FHIR_REPORT_PATHS_MAX 512u   /* distinct paths not kept; more are counted together */
#define ML_FHIR_REPORT_TYPES_MAX 160u   /* distinct resource types; R4 has 148 */

struct ml_fhir_report; /* opaque: what became of the resources of one or more files */

ml_err ml_fhir_report_new(struct ml_fhir_report **out, const struct ml_env *env) ML_MUST_CHECK;
void ml_fhir_report_free(struct ml_fhir_report *report);

struct ml_fhir_type_row {
    const char *type;   /* FHIR resource type */
    const char *entity; /* NULL: not mapped, `count` resources were left out */
    uint64_t count;
};

struct ml_fhir_path_row {
    const char *path;   /* "Patient.name[].period.start" */
    const char *reason; /* reviewed, French; NULL: nobody decided about this path */
    uint64_t count;     /* leaves that were left out */
};

struct ml_fhir_totals {
    uint64_t files;
    uint64_t resources;
    uint64_t objects; /* handed out */
    uint64_t leaves;  /* of mapped resources */
    uint64_t leaves_kept;
    uint64_t refs_unresolved; /* references to what is neither in the file nor in the record */
};

struct ml_fhir_totals ml_fhir_report_totals(const struct ml_fhir_report *report);
/** Row `i`, in the order of first sight; false behind the last. */
bool ml_fhir_report_type(const struct ml_fhir_report *report, size_t i,
                         struct ml_fhir_type_row *out);
/** Row `i`, sorted by path; false behind the last. */
bool ml_fhir_report_path(const struct ml_fhir_report *report, size_t i,
                         struct ml_fhir_path_row *out);

/** What is left out of all resources, with the reasons; returns their number. Static. */
size_t ml_fhir_common_drops(const struct ml_fhir_drop **out);

struct ml_fhir_args {
    const struct ml_env *env;
    const struct ml_schema *schema;
    const uint8_t *id_key; /* ML_IMPORT_KEY_BYTES: the org's, from KDF row IMPORT_ID */
    const char *source;    /* names the system that the file is from; NULL: unknown. Without it,
                              ids such as "Patient/1" are told apart by the file's contents */
    const char *label;     /* the file's name, for `origin`; NULL: none */
    ml_import_cb create;
    ml_import_find find;           /* NULL is allowed */
    void *user;                    /* of both */
    struct ml_fhir_report *report; /* added to; NULL is allowed */
};

struct ml_fhir_run; /* opaque: a file of which a part is imported; owned by who began it */

/** Begins with uncompressed JSON, which outlives the run, as what `args` points to does. NOMEM. */
ml_err ml_fhir_begin(struct ml_fhir_run **out, const struct ml_fhir_args *args,
                     struct ml_slice text, struct ml_import_fault *fault) ML_MUST_CHECK;
/** Begins with a file, plain or gzip. IO, NOMEM. */
ml_err ml_fhir_begin_file(struct ml_fhir_run **out, const struct ml_fhir_args *args,
                          const char *path, struct ml_import_fault *fault) ML_MUST_CHECK;
/** A few milliseconds more of it (reading one text of many megabytes, or listing 100,000 resources,
 * takes longer). PENDING: there is more; else as ml_fhir_import, and the run is over. */
ml_err ml_fhir_step(struct ml_fhir_run *run, struct ml_import_fault *fault) ML_MUST_CHECK;
void ml_fhir_end(struct ml_fhir_run *run); /* anywhere in it; NULL is allowed */

struct ml_fhir_progress {
    bool handing_out; /* else they are checked; total is 0 before that */
    uint32_t done;    /* resources */
    uint32_t total;
};
struct ml_fhir_progress ml_fhir_progress(const struct ml_fhir_run *run);

/**
 * Hands out every object of `text` (uncompressed JSON): patients, then what is no patient's, then
 * the rest by date. Errors: MALFORMED, LIMIT, NOMEM with `fault` filled, and nothing was handed
 * out; an error of the callback as it is (fault REFUSED), and what came before stays.
 */
ml_err ml_fhir_import(const struct ml_fhir_args *args, struct ml_slice text,
                      struct ml_import_fault *fault) ML_MUST_CHECK;

/** The same from a file, plain or gzip. Also IO. Blocks on the disk. */
ml_err ml_fhir_import_file(const struct ml_fhir_args *args, const char *path,
                           struct ml_import_fault *fault) ML_MUST_CHECK;

#endif
