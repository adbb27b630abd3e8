/* net/node/methods.h -- what the tables of methods share. Org thread. */
#ifndef ML_NODE_METHODS_H
#define ML_NODE_METHODS_H

#include "core/codec/trace.h"
#include "core/model/matrix.h"
#include "net/node/call.h"
#include "net/node/state.h"

/** params.patient. INVALID. */
ml_err ml_call_patient(struct ml_call *call, struct ml_object_id *out) ML_MUST_CHECK;
/** NOT_FOUND, as `text`; or, where this patient's decisions keep anything from the session's
 * member, that this may be the reason: the same for what is hidden and for what isn't there. */
ml_err ml_call_object_unknown(struct ml_call *call, const char *text,
                              const struct ml_object_id *patient) ML_MUST_CHECK;
/** The trace of a call that is done; `patient` may be NULL. Of one that reads params.use says
 * "print" or "export", when it is that; INVALID: anything else. */
ml_err ml_call_note(struct ml_call *call, ml_trace_action action,
                    const struct ml_object_id *patient) ML_MUST_CHECK;

/** Does the caller ask that what he may not say alone be proposed to others? */
static inline bool ml_call_proposes(const struct ml_call *call)
{
    return ml_value_bool(ml_value_get(call->params, "propose"), false);
}
/** A member's id and name, as a map under `key` of the open one. */
void ml_result_member(struct ml_org *org, struct ml_args *out, const char *key,
                      const struct ml_member_id *member);

/** His name as a detail of a refusal; NULL: none. NOMEM. */
ml_err ml_call_detail_member(struct ml_call *call, const char *key,
                             const struct ml_member_id *member) ML_MUST_CHECK;

/** By its number, or by how its French name begins. 0: none. */
unsigned ml_call_class(const char *text);
/** May the session's member do this with data of the class, of his own lines at least? DENIED, with
 * the text. */
ml_err ml_call_may(struct ml_call *call, unsigned class, ml_right right) ML_MUST_CHECK;

/** Who said the fact, as a detail `by` of a refusal: his name. NOMEM. */
ml_err ml_call_detail_by(struct ml_call *call, const struct ml_fact *fact) ML_MUST_CHECK;
/** DENIED: the session's member has no place on this node yet, or it was taken from him; says by
 * whom. */
ml_err ml_call_no_writer(struct ml_call *call) ML_MUST_CHECK;

/** Opens the member by his card and params.pin. Errors: those of token.h, their text set. */
ml_err ml_card_unlock(struct ml_call *call, const struct ml_member_id *member) ML_MUST_CHECK;

/** Writes one register, or amends an event, over all that stands: also how a conflict is settled.
 */
ml_err ml_method_to_cosign(struct ml_call *call);
ml_err ml_method_record_amend(struct ml_call *call);

/** Gives a member what was written before he came (history.c). */
ml_err ml_method_member_history(struct ml_call *call);

#endif
