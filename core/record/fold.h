/* core/record/fold.h -- text as it is searched: without case, accents, ligatures and punctuation.
 * Pure; any thread. */
#ifndef ML_RECORD_FOLD_H
#define ML_RECORD_FOLD_H

#include <stdbool.h>

#include "core/base/buf.h"

/** Appends words of lower-case letters and digits with one space between them: "L'Œuf-d'Or" reads
 * "l oeuf d or". Letters without a Latin base stay as they are. What isn't UTF-8 separates. */
void ml_fold(struct ml_buf *out, struct ml_slice text);

/** The next word of folded text; false after the last. *at starts at 0. */
bool ml_fold_word(struct ml_slice folded, size_t *at, struct ml_slice *word);

/** de, du, des, d, la, le, les, l, von, van, der, den, el, al, ben, di, da, dos: by themselves they
 * find nobody. */
bool ml_fold_particle(struct ml_slice word);

#endif
