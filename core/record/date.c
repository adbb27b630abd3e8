/* core/record/date.c -- see date.h. Days are counted by the algorithm of H. Hinnant ("chrono-
 * compatible low-level date algorithms"): proleptic Gregorian, no table, no time zone. */
#include "core/record/date.h"

#include <stdio.h>

enum { MS_PER_DAY = 86400000, MS_PER_MINUTE = 60000 };

static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool ml_date_exists(unsigned year, unsigned month, unsigned day)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_in_month(year, month);
}

static bool digits(struct ml_slice text, size_t at, size_t count, unsigned *out)
{
    unsigned n = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.len || text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        n = n * 10 + (unsigned)(text.data[i] - '0');
    }
    *out = n;
    return true;
}

bool ml_date_parse(struct ml_slice text, struct ml_date *out)
{
    unsigned year = 0;
    unsigned month = 1;
    unsigned day = 1;
    bool shape = text.len == 4 || (text.len == 7 && text.data[4] == '-') ||
                 (text.len == 10 && text.data[4] == '-' && text.data[7] == '-');
    bool read = shape && digits(text, 0, 4, &year) &&
                (text.len < 7 || digits(text, 5, 2, &month)) &&
                (text.len < 10 || digits(text, 8, 2, &day));
    if (!read || !ml_date_exists(year, month, day)) {
        return false;
    }
    *out = (struct ml_date){.year = (uint16_t)year,
                            .month = (uint8_t)(text.len >= 7 ? month : 0),
                            .day = (uint8_t)(text.len == 10 ? day : 0),
                            .precision = text.len == 4   ? ML_PRECISION_YEAR
                                         : text.len == 7 ? ML_PRECISION_MONTH
                                                         : ML_PRECISION_DAY};
    return true;
}

int64_t ml_date_ms(const struct ml_date *date)
{
    return days_of(date->year, date->month == 0 ? 1 : date->month, date->day == 0 ? 1 : date->day) *
           MS_PER_DAY;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct ml_date ml_date_of_ms(int64_t utc_ms)
{
    static const int64_t first_ms = INT64_C(-62135596800000); /* 01/01/0001 */
    int64_t z = floor_div(utc_ms < first_ms ? first_ms : utc_ms, MS_PER_DAY) + 719468;
    int64_t era = floor_div(z, 146097);
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return (struct ml_date){.year = (uint16_t)((int64_t)yoe + era * 400 + (month <= 2)),
                            .month = (uint8_t)month,
                            .day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1),
                            .precision = ML_PRECISION_DAY};
}

void ml_date_text(struct ml_buf *out, const struct ml_date *date)
{
    char text[16];
    int len = 0;
    if (date->precision >= ML_PRECISION_DAY) {
        len = snprintf(text, sizeof(text), "%02u/%02u/%04u", date->day, date->month, date->year);
    } else if (date->precision == ML_PRECISION_MONTH) {
        len = snprintf(text, sizeof(text), "%02u/%04u", date->month, date->year);
    } else {
        len = snprintf(text, sizeof(text), "%04u", date->year);
    }
    ml_buf_append(out, text, (size_t)len);
}

void ml_instant_text(struct ml_buf *out, const struct ml_instant *instant)
{
    int64_t local = instant->utc_ms + (int64_t)instant->offset_min * MS_PER_MINUTE;
    struct ml_date date = ml_date_of_ms(local);
    if (instant->precision < ML_PRECISION_DAY) {
        date.precision = instant->precision;
    }
    ml_date_text(out, &date);
    if (instant->precision > ML_PRECISION_DAY) {
        char text[32];
        unsigned minute =
            (unsigned)(floor_div(local, MS_PER_MINUTE) - floor_div(local, MS_PER_DAY) * 1440);
        int len = instant->precision == ML_PRECISION_HOUR
                      ? snprintf(text, sizeof(text), " à %02u h", minute / 60)
                      : snprintf(text, sizeof(text), " à %02u:%02u", minute / 60, minute % 60);
        ml_buf_append(out, text, (size_t)len);
    }
}
