/* core/record/values.h -- values of fields: do they fit their type, and how do they read in French?
 *
 * A value is one canonical MessagePack value whose shape its field's type fixes (schema.h). Inside
 * the arrays a part that isn't known is nil. Pure; any thread.
 */
#ifndef ML_RECORD_VALUES_H
#define ML_RECORD_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/codec/value.h"
#include "core/record/schema.h"
#include "core/record/words.h"
#include "maille/err.h"

/** Has `value` the shape of the field's type (of a list: each item)? Ranges, codes and required
 * parts aren't looked at: that is ml_validate's, at entry. What doesn't fit is greyed. */
bool ml_value_fits(const struct ml_field *field, struct ml_slice value);

/** Of an array inside a VALUE: INSTANT, CONCEPT, PERIOD, QUANTITY or CODE by its shape; else VALUE.
 */
ml_field_type ml_value_shape_of(struct ml_slice value);

/** Appends what an object that is referred to is called; nothing when it isn't known. */
typedef void ml_ref_text_cb(void *user, const struct ml_object_id *object, struct ml_buf *out);

struct ml_text_args {
    const struct ml_schema *schema;
    ml_ref_text_cb *ref; /* NULL: no object is known */
    void *user;
    /* Inside a sentence: « 3 mars 2026 », lists end with « et », and a measure of more than three
     * decimals reads « ≈ 81,95 ». A dose is never rounded. */
    bool spoken;
    ml_when when; /* how a date is brought in */
};

/** Appends the value in French: decimal comma, no trailing zero in doses, JJ/MM/AAAA, labels of
 * codes, all parts of what is structured. What doesn't fit reads « (illisible) »: never empty,
 * never guessed. A reference that leads to nothing here says so: « (structure non disponible
 * ici) ». */
void ml_value_text_fr(struct ml_buf *out, const struct ml_text_args *args,
                      const struct ml_field *field, struct ml_slice value);

/** "0.50" -> "0,5"; ".5" -> "0,5"; `keep_zeros` keeps a measure's precision: "7.40" -> "7,40". */
void ml_decimal_text(struct ml_buf *out, struct ml_slice decimal, bool keep_zeros);

/** « courrier.pdf (PDF, 1,2 Mo) »; control characters in it are replaced, long ones cut. */
void ml_file_text(struct ml_buf *out, const struct ml_attachment *file);
/** « 512 octets », « 1,2 Mo »: powers of 1,000. */
void ml_size_text(struct ml_buf *out, uint64_t bytes);

/** type "/" subtype, printable ASCII without parameters, at most ML_MEDIA_TYPE_MAX bytes. */
bool ml_media_type_valid(struct ml_slice text);

#endif
