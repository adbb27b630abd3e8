/* net/client/text.h -- the table of what is said to people: X(id, French, English).
 *
 * `{name}` stands for an argument. Ids of node and daemon are what they send; err.NAME is the
 * sentence for a code alone. A test finds each ml_err here, and no id twice.
 */
#ifndef ML_CLIENT_TEXT_H
#define ML_CLIENT_TEXT_H

#include <stddef.h>

struct ml_text_row {
    const char *id;
    const char *fr;
    const char *en;
};

/** The table, part by part from 0; *count rows. Static. NULL: after the last part. */
const struct ml_text_row *ml_text_table(size_t part, size_t *count);
/** Part 1: emergency access. */
const struct ml_text_row *ml_text_glass(size_t *count);
/** Part 2: who may do what, and why. */
const struct ml_text_row *ml_text_right(size_t *count);
/** Part 3: how long records are kept. */
const struct ml_text_row *ml_text_retention(size_t *count);
/** Part 4: what was asked, as a refusal names it: act.METHOD. */
const struct ml_text_row *ml_text_act(size_t *count);
/** Part 5: teams. */
const struct ml_text_row *ml_text_team(size_t *count);
/** Part 6: other keys for Root. */
const struct ml_text_row *ml_text_root(size_t *count);
/** Part 7: what in a request doesn't fit. */
const struct ml_text_row *ml_text_ask(size_t *count);

#endif
