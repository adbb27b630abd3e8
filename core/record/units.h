/* core/record/units.h -- units as they are said in French. Static; any thread. */
#ifndef ML_RECORD_UNITS_H
#define ML_RECORD_UNITS_H

#include <stdbool.h>

#include "core/base/buf.h"

/** What a UCUM unit is called on a French screen: "mmHg" for "mm[Hg]", "/min" for "{beats}/min",
 * "comprimés" for the annotation "{comprimé}" when `several`; any other as it is. Borrowed from
 * `ucum` or static.
 */
struct ml_slice ml_unit_fr(struct ml_slice ucum, bool several);

#endif
