/* core/interop/nfc.h -- texts from outside as canonical text values: UTF-8 in form NFC. */
#ifndef ML_INTEROP_NFC_H
#define ML_INTEROP_NFC_H

#include "core/base/buf.h"
#include "core/base/env.h"
#include "maille/err.h"

/** Appends `text` (valid UTF-8) as a canonical str, composed: "e" + U+0301 becomes "é". Errors:
 * NOMEM; what doesn't fit sets out->err. */
ml_err ml_nfc_put(struct ml_buf *out, const struct ml_env *env, struct ml_slice text) ML_MUST_CHECK;

#endif
