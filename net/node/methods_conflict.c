/* net/node/methods_conflict.c -- conflicts: the worklist, and settling one.
 *
 * Settling is an ordinary op that names every version seen (architecture 6): keep one of them, or
 * write a third value. It can meet another such op, and then there is a conflict again. */
#include "core/record/views.h"
#include "net/node/methods.h"

static ml_err conflicts_list(struct ml_call *call)
{
    struct ml_object_id patient;
    const struct ml_object_id *of = NULL;
    int64_t limit = ml_value_int(ml_value_get(call->params, "limit"), 100);
    if (ml_value_get(call->params, "patient") != NULL) {
        ml_err err = ml_call_patient(call, &patient);
        if (err != ML_OK) {
            return err;
        }
        of = &patient;
    }
    ml_err err = ml_call_note(call, of == NULL ? ML_TRACE_LIST : ML_TRACE_READ, of);
    if (err != ML_OK) {
        return err;
    }
    return ml_view_conflicts(call->session->vault, of, (uint32_t)(limit < 1 ? 1 : limit),
                             ml_call_document(call));
}

const struct ml_method ml_methods_conflict[] = {
    {"conflicts.list", ML_NEEDS_SESSION, conflicts_list},
    {"conflicts.resolve", ML_NEEDS_SESSION, ml_method_record_amend},
    {NULL, 0, NULL},
};
