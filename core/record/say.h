/* core/record/say.h -- an object as a French sentence, by the rule of its entity (schema.h).
 *
 * A rule is data: text with fields in it, read by this one interpreter, so that a new entity says
 * itself by its schema entry alone.
 *
 *   {field}            what the field says, as in a sentence (values.h, spoken)
 *   {field@depuis}     a day brought in: depuis, le, jusque, dès; of a period, its days
 *   {field?words}      the words, when the boolean is true
 *   {field!words}      the words, when it is false
 *   {field~code}       what the code says, unless it is this one, which goes without saying
 *   {field#words}      the words, when the concept is free text: no code stands behind it
 *   {times/period/unit}  a rhythm: « 2 fois par jour »
 *   {start>end}        a span of days: « du 3 mars 2026 au 2 mai 2026 »
 *   {a+b+c-words}      the words, when none of these fields says anything
 *   [ ... ]            a part that is said only if all its fields are; not nested
 *
 * Separators at both ends of what was said fall away. Without a rule the fields of the form are
 * said in order, with their labels where a value alone says nothing.
 */
#ifndef ML_RECORD_SAY_H
#define ML_RECORD_SAY_H

#include "core/record/values.h"

#define ML_SAY_FIELDS_MAX 256u

struct ml_say_args {
    struct ml_text_args text; /* spoken and when are set here */
    const struct ml_entity *entity;
    /* The value of a field; an empty slice: nothing is said of it. NOMEM. */
    ml_err (*value)(void *user, const struct ml_field *field, struct ml_slice *value);
    void *user;
};

/** What the object is called; its entity's name when nothing is known. NOMEM, LIMIT. */
ml_err ml_say_title(struct ml_buf *out, const struct ml_say_args *args) ML_MUST_CHECK;

/** The rest, in one sentence; nothing when there is nothing to say. NOMEM, LIMIT. */
ml_err ml_say_sentence(struct ml_buf *out, const struct ml_say_args *args) ML_MUST_CHECK;

/** Title, sentence, and every other field that has a value, with its label: nothing is left out.
 * For values side by side, which differ in any field. NOMEM, LIMIT. */
ml_err ml_say_all(struct ml_buf *out, const struct ml_say_args *args) ML_MUST_CHECK;

/** NULL, or what is wrong with the rules of an entity: static text. For the test of the tables. */
const char *ml_say_fault(const struct ml_entity *entity);

#endif
