/* core/interop/base64.h -- base64 (RFC 4648 section 4) of attachments. */
#ifndef ML_INTEROP_BASE64_H
#define ML_INTEROP_BASE64_H

#include <stdbool.h>

#include "core/base/buf.h"

/** Appends the bytes; spaces and line ends are passed over. False when the text is no base64; what
 * doesn't fit sets out->err, as ever. */
bool ml_base64_decode(struct ml_buf *out, struct ml_slice text);

#endif
