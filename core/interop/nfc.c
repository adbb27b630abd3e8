/* core/interop/nfc.c -- see nfc.h. */
#include "core/interop/nfc.h"

#include <utf8proc.h>

#include "core/codec/mp_write.h"

static bool is_ascii(struct ml_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

ml_err ml_nfc_put(struct ml_buf *out, const struct ml_env *env, struct ml_slice text)
{
    const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    if (is_ascii(text)) {
        ml_mp_put_str(out, text);
        return ML_OK;
    }
    utf8proc_ssize_t len = (utf8proc_ssize_t)text.len;
    utf8proc_ssize_t count = utf8proc_decompose(text.data, len, NULL, 0, form);
    if (count < 0) {
        ml_mp_put_str(out, text);
        return ML_OK; /* nothing to compose in what it can't read; the reader checked UTF-8 */
    }
    utf8proc_int32_t *points = ml_alloc_array(env, (size_t)count + 1, sizeof(*points));
    if (points == NULL) {
        return ML_E_NOMEM;
    }
    count = utf8proc_decompose(text.data, len, points, count, form);
    count = count < 0 ? count : utf8proc_reencode(points, count, form);
    ml_mp_put_str(out, count < 0 ? text : ml_slice(points, (size_t)count));
    ml_release(env, points);
    return ML_OK;
}
