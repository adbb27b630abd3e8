/* net/node/fields.h -- fields as a client gives them (texts, numbers, maps) into canonical values.
 * Pure but for the call's error text; org thread. */
#ifndef ML_NODE_FIELDS_H
#define ML_NODE_FIELDS_H

#include "core/base/buf.h"
#include "core/codec/change.h"
#include "core/record/schema.h"
#include "net/node/call.h"

/** Appends the map field id -> value of `fields` {name: value}; nil is left out. INVALID with the
 * field's name. */
ml_err ml_fields_of(struct ml_call *call, const struct ml_entity *entity,
                    const struct ml_value *fields, struct ml_buf *out) ML_MUST_CHECK;

/** One field's value. INVALID. */
ml_err ml_field_of(struct ml_call *call, const struct ml_field *field, const struct ml_value *given,
                   struct ml_buf *out) ML_MUST_CHECK;

/** A time of care as a text: "2026-03-28", "2026-03-28T10:42:00+02:00", "28/03/2026 10:42".
 * INVALID. */
ml_err ml_call_instant(struct ml_call *call, const char *text,
                       struct ml_instant *out) ML_MUST_CHECK;

/** The parameter `key` as such a time, in milliseconds since 1970, 0 before; left as it is where
 * the parameter isn't there. INVALID. */
ml_err ml_call_time(struct ml_call *call, const char *key, uint64_t *ms) ML_MUST_CHECK;

#endif
