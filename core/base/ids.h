/* core/base/ids.h -- object ids (rules A9) and hexadecimal text. Pure; any thread.
 *
 *   0                   6                                       16
 *   +---- 48-bit ms ----+------------- 80 bits -----------------+
 *
 * Random: the clock, then chance. Imported: the source's date, then a keyed hash of the source's
 * identifier, so that two nodes that import one file make the same ids. The order of ids is the
 * order of time, which keeps bulk projection in append order. An id says a time: it stands in
 * ciphertext only.
 */
#ifndef ML_BASE_IDS_H
#define ML_BASE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_ID_HEX_SIZE          33u /* 16 bytes as hexadecimal text, with its NUL */
#define ML_OBJECT_ID_TAIL       10u
#define ML_OBJECT_ID_MS_MAX     ((1ull << 48) - 1u)
#define ML_HEX_SIZE(byte_count) ((byte_count)*2u + 1u)

/** Now, and 80 random bits. */
struct ml_object_id ml_object_id_new(const struct ml_env *env);

/** An id of a given time: before 1970 counts as 0, after the year 10889 as the last millisecond. */
struct ml_object_id ml_object_id_at(int64_t utc_ms, const uint8_t tail[ML_OBJECT_ID_TAIL]);

uint64_t ml_object_id_ms(const struct ml_object_id *id);
bool ml_object_id_equal(const struct ml_object_id *a, const struct ml_object_id *b);
/** memcmp order, which is the order of time. */
int ml_object_id_compare(const struct ml_object_id *a, const struct ml_object_id *b);
/** All zeros: the structure itself, no patient's. */
bool ml_object_id_is_zero(const struct ml_object_id *id);

/** bundle, then index: the one order of versions wherever an order is needed. */
int ml_version_id_compare(const struct ml_version_id *a, const struct ml_version_id *b);

/** Lower case; `out` takes ML_HEX_SIZE(len) bytes. */
void ml_hex_encode(char *out, const void *bytes, size_t len);
/** Exactly 2 * len digits, either case. Errors: INVALID, `out` untouched. */
ml_err ml_hex_decode(uint8_t *out, size_t len, const char *hex, size_t hex_len) ML_MUST_CHECK;

#endif
