/* core/interop/decimal.h -- JSON numbers as decimal text: precision is kept, no float is made. */
#ifndef ML_INTEROP_DECIMAL_H
#define ML_INTEROP_DECIMAL_H

#include <stdbool.h>

#include "core/base/buf.h"

#define ML_DECIMAL_DIGITS_MAX 38u /* with sign and point it fits ML_DECIMAL_MAX */
#define ML_DECIMAL_SIZE       64u

/** A whole number within int64; false when it is none ("1.0", "1e3", too large). */
bool ml_decimal_int(struct ml_slice number, int64_t *out);

/** "1.50" stays, "1.5E2" becomes "150", "2e-3" becomes "0.002", "-0" becomes "0". `number` is a
 * JSON number. False when it has more than ML_DECIMAL_DIGITS_MAX digits. */
bool ml_decimal_plain(struct ml_slice number, char out[ML_DECIMAL_SIZE]);

#endif
