/* core/record/date.h -- dates that may be partial, and times of care, in French (rules D8). Pure.
 */
#ifndef ML_RECORD_DATE_H
#define ML_RECORD_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/change.h"

/** month and day are 0 where the date doesn't go that far. */
struct ml_date {
    uint16_t year;
    uint8_t month;
    uint8_t day;
    uint8_t precision; /* ml_precision: YEAR, MONTH or DAY */
};

/** "1979", "1979-03" or "1979-03-28", a day that exists, years 1 to 9999. */
bool ml_date_parse(struct ml_slice text, struct ml_date *out);
/** Its first moment, UTC milliseconds since 1970. */
int64_t ml_date_ms(const struct ml_date *date);
/** The day of a moment; before the year 1 counts as its first day. */
struct ml_date ml_date_of_ms(int64_t utc_ms);
bool ml_date_exists(unsigned year, unsigned month, unsigned day);

/** "28/03/1979", "03/1979" or "1979". */
void ml_date_text(struct ml_buf *out, const struct ml_date *date);
/** "28/03/2026 Ã  10:42" at its own offset, as far as its precision goes. */
void ml_instant_text(struct ml_buf *out, const struct ml_instant *instant);

#endif
