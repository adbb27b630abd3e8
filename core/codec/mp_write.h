/* core/codec/mp_write.h -- canonical MessagePack into an ml_buf, packed by msgpack-c.
 *
 * Always the shortest form. The buffer keeps the first error (NOMEM, LIMIT): write freely, look at
 * buf->err at the end. Key order and counts are the caller's (wire.h and doc.h see to both).
 */
#ifndef ML_CODEC_MP_WRITE_H
#define ML_CODEC_MP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

void ml_mp_put_nil(struct ml_buf *b);
void ml_mp_put_bool(struct ml_buf *b, bool v);
void ml_mp_put_uint(struct ml_buf *b, uint64_t v);
void ml_mp_put_int(struct ml_buf *b, int64_t v);
/** Documents only: canonical data holds no floats. */
void ml_mp_put_float(struct ml_buf *b, double v);
void ml_mp_put_bin(struct ml_buf *b, struct ml_slice v);
/** The caller's text is UTF-8 without U+0000, or no reader will take it. */
void ml_mp_put_str(struct ml_buf *b, struct ml_slice v);
void ml_mp_put_array(struct ml_buf *b, uint32_t count);
void ml_mp_put_map(struct ml_buf *b, uint32_t pairs);
/** Bytes that are already encoded. */
void ml_mp_put_raw(struct ml_buf *b, struct ml_slice encoded);

#endif
