/* support_refusal.h -- what every refused call of a node must say in French: to whom, what, why,
 * and what to do about it. The cluster asks it of each answer DENIED, so that a refusal which isn't
 * in the table, or says less, fails the test that meets it. */
#ifndef ML_TESTS_REFUSAL_H
#define ML_TESTS_REFUSAL_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "maille/err.h"

struct refusal {
    const char *text;   /* id */
    const char *why;    /* a part of its sentence */
    const char *remedy; /* another */
};

/** Ends with a row whose text is NULL. */
extern const struct refusal refusals[];

/** Ends the test unless the document of an answer DENIED says all four; an empty one (out of
 * memory) says the code alone. */
void refusal_check(struct ml_slice document);

/** Is it a code that refuses an act for another reason than rights? */
bool refusal_is_undone(ml_err err);
/** Of those: ends the test unless the answer says what was asked, why not, and what to do. */
void refusal_check_undone(ml_err err, struct ml_slice document);

#endif
