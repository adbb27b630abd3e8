/* core/interop/fhir_time.c -- FHIR date, dateTime and instant to an instant with its precision.
 *
 *   YYYY | YYYY-MM | YYYY-MM-DD | YYYY-MM-DDThh:mm:ss[.fff...](Z | +hh:mm | -hh:mm)
 *
 * A date without a time has no zone: it stands at midnight UTC, offset 0, with its own precision,
 * so that no conversion ever moves it to another day.
 */
#include "core/interop/fhir_internal.h"

struct scan {
    const uint8_t *p;
    size_t left;
};

/* Exactly `digits` digits within min..max; -1 when not. */
static int scan_number(struct scan *s, size_t digits, int min, int max)
{
    int value = 0;
    if (s->left < digits) {
        return -1;
    }
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') {
            return -1;
        }
        value = value * 10 + (s->p[i] - '0');
    }
    s->p += digits;
    s->left -= digits;
    return value >= min && value <= max ? value : -1;
}

static bool scan_char(struct scan *s, char c)
{
    bool found = s->left > 0 && s->p[0] == (uint8_t)c;
    s->p += found;
    s->left -= found;
    return found;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Milliseconds of ".5", ".123456": what is finer is cut off. */
static bool scan_fraction(struct scan *s, int *ms)
{
    int scale = 100;
    size_t digits = 0;
    *ms = 0;
    for (; s->left > 0 && s->p[0] >= '0' && s->p[0] <= '9'; digits++) {
        *ms += (s->p[0] - '0') * scale;
        scale /= 10;
        s->p++;
        s->left--;
    }
    return digits > 0;
}

static bool scan_zone(struct scan *s, int *offset_min)
{
    *offset_min = 0;
    if (scan_char(s, 'Z')) {
        return true;
    }
    bool west = scan_char(s, '-');
    if (!west && !scan_char(s, '+')) {
        return false;
    }
    int hours = scan_number(s, 2, 0, 14);
    if (hours < 0 || !scan_char(s, ':')) {
        return false;
    }
    int minutes = scan_number(s, 2, 0, 59);
    *offset_min = (west ? -1 : 1) * (hours * 60 + minutes);
    return minutes >= 0;
}

/* Behind the 'T'. FHIR asks for a zone; without one the time is read as UTC. */
static bool scan_time(struct scan *s, struct ml_instant *out)
{
    int ms = 0;
    int offset = 0;
    int hour = scan_number(s, 2, 0, 23);
    bool good = hour >= 0 && scan_char(s, ':');
    int minute = good ? scan_number(s, 2, 0, 59) : -1;
    int second = 0;
    out->precision = ML_PRECISION_MINUTE;
    if (minute >= 0 && scan_char(s, ':')) {
        second = scan_number(s, 2, 0, 60);
        out->precision = ML_PRECISION_SECOND;
    }
    if (minute >= 0 && second >= 0 && scan_char(s, '.')) {
        good = scan_fraction(s, &ms);
        out->precision = ML_PRECISION_MILLISECOND;
    }
    if (!good || minute < 0 || second < 0 || (s->left > 0 && !scan_zone(s, &offset))) {
        return false;
    }
    out->utc_ms += ((hour * 60 + minute - offset) * INT64_C(60) + second) * 1000 + ms;
    out->offset_min = (int16_t)offset;
    return s->left == 0;
}

bool ml_fhir_time_parse(struct ml_slice text, struct ml_instant *out)
{
    struct scan s = {text.data, text.len};
    struct ml_instant t = {.precision = ML_PRECISION_YEAR};
    int month = 1;
    int day = 1;
    int year = scan_number(&s, 4, 1, 9999);
    if (year < 0) {
        return false;
    }
    if (scan_char(&s, '-')) {
        t.precision = ML_PRECISION_MONTH;
        month = scan_number(&s, 2, 1, 12);
    }
    if (month >= 1 && t.precision == ML_PRECISION_MONTH && scan_char(&s, '-')) {
        t.precision = ML_PRECISION_DAY;
        day = scan_number(&s, 2, 1, days_in_month(year, month));
    }
    if (month < 1 || day < 1) {
        return false;
    }
    t.utc_ms = days_from_civil(year, month, day) * INT64_C(86400000);
    bool timed = t.precision == ML_PRECISION_DAY && scan_char(&s, 'T');
    if (timed ? !scan_time(&s, &t) : s.left > 0) {
        return false;
    }
    *out = t;
    return true;
}
