/* core/base/utf8.h -- is it text? Pure; any thread. */
#ifndef ML_BASE_UTF8_H
#define ML_BASE_UTF8_H

#include <stdbool.h>

#include "core/base/buf.h"

/** Well-formed UTF-8 (Unicode 15, table 3-7): no overlong form, no surrogate, nothing above
 * U+10FFFF; and no U+0000, so that text survives as a C string. Empty is text. */
bool ml_utf8_valid(struct ml_slice text);

#endif
