/* core/interop/decimal.c -- see decimal.h. */
#include "core/interop/decimal.h"

#include <string.h>

#define EXPONENT_MAX 99

struct decimal {
    char digits[ML_DECIMAL_DIGITS_MAX];
    size_t count;
    long point; /* digits before the point; may lie outside of 0 .. count */
    bool negative;
};

bool ml_decimal_int(struct ml_slice number, int64_t *out)
{
    size_t i = number.len > 0 && number.data[0] == '-';
    bool negative = i == 1;
    int64_t value = 0;
    if (i == number.len) {
        return false;
    }
    for (; i < number.len; i++) {
        int digit = number.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

/* The exponent behind 'e'; EXPONENT_MAX + 1 when it is beyond use. */
static long read_exponent(struct ml_slice number, size_t i)
{
    bool negative = i < number.len && number.data[i] == '-';
    long value = 0;
    i += i < number.len && (number.data[i] == '-' || number.data[i] == '+');
    for (; i < number.len && value <= EXPONENT_MAX; i++) {
        value = value * 10 + (number.data[i] - '0');
    }
    return negative ? -value : value;
}

static bool decimal_read(struct ml_slice number, struct decimal *d)
{
    size_t i = number.len > 0 && number.data[0] == '-';
    bool pointed = false;
    d->negative = i == 1;
    for (; i < number.len && number.data[i] != 'e' && number.data[i] != 'E'; i++) {
        if (number.data[i] == '.') {
            pointed = true;
            continue;
        }
        if (d->count == sizeof(d->digits)) {
            return false;
        }
        d->digits[d->count++] = (char)number.data[i];
        d->point += !pointed;
    }
    long exponent = i < number.len ? read_exponent(number, i + 1) : 0;
    d->point += exponent;
    return exponent >= -EXPONENT_MAX && exponent <= EXPONENT_MAX;
}

static bool is_zero(const struct decimal *d)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->digits[i] != '0') {
            return false;
        }
    }
    return true;
}

/* Drops zeros that lead the whole part ("0150" after moving the point), but the last. */
static void trim_leading(struct decimal *d)
{
    size_t drop = 0;
    while (d->point - (long)drop > 1 && drop < d->count && d->digits[drop] == '0') {
        drop++;
    }
    memmove(d->digits, d->digits + drop, d->count - drop);
    d->count -= drop;
    d->point -= (long)drop;
}

bool ml_decimal_plain(struct ml_slice number, char out[ML_DECIMAL_SIZE])
{
    struct decimal d = {.count = 0};
    size_t n = 0;
    if (!decimal_read(number, &d)) {
        return false;
    }
    trim_leading(&d);
    long before = d.point > 0 ? d.point : 1; /* digits before the point */
    long after = (long)d.count > d.point ? (long)d.count - d.point : 0; /* and behind it */
    if (before + after > (long)ML_DECIMAL_DIGITS_MAX) {
        return false;
    }
    if (d.negative && !is_zero(&d)) {
        out[n++] = '-';
    }
    for (long at = d.point > 0 ? 0 : d.point - 1; at < d.point + after; at++) {
        if (at == d.point) {
            out[n++] = '.';
        }
        bool written = at >= 0 && at < (long)d.count;
        out[n++] = '0';
        if (written) {
            out[n - 1] = d.digits[at];
        }
    }
    out[n] = '\0';
    return true;
}
