/* core/record/words.c -- see words.h. */
#include "core/record/words.h"

#include <stdio.h>
#include <string.h>

#include "core/record/values.h"

enum { MINUTE_MS = 60000, DAY_MIN = 1440 };

static void put(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

struct opening {
    const char *name;  /* in the rules of the schema; NULL: inner */
    const char *day;   /* before a day */
    const char *vague; /* before a month or a year */
    bool elides;       /* "de" before a vowel */
};

static const struct opening openings[] = {
    [ML_WHEN_BARE] = {NULL, "", "", false},
    [ML_WHEN_ON] = {"le", "le ", "en ", false},
    [ML_WHEN_SINCE] = {"depuis", "depuis le ", "depuis ", false},
    [ML_WHEN_UNTIL] = {"jusque", "jusqu'au ", "jusqu'en ", false},
    [ML_WHEN_FROM] = {"dès", "à partir du ", "à partir de ", true},
    [ML_WHEN_OUT] = {NULL, "du ", "de ", true},
    [ML_WHEN_TO] = {NULL, "au ", "à ", false},
};

ml_when ml_when_named(struct ml_slice word)
{
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        if (openings[i].name != NULL && ml_slice_equal(word, ml_slice_str(openings[i].name))) {
            return (ml_when)i;
        }
    }
    return ML_WHEN_BARE;
}

static void open_date(struct ml_buf *out, const struct ml_date *date, ml_when when, bool words)
{
    const struct opening *o = &openings[when];
    bool vowel = words && date->precision == ML_PRECISION_MONTH &&
                 (date->month == 4 || date->month == 8 || date->month == 10);
    if (date->precision >= ML_PRECISION_DAY) {
        put(out, o->day);
    } else if (o->elides && vowel) {
        ml_buf_append(out, o->vague, strlen(o->vague) - 2);
        put(out, "'");
    } else {
        put(out, o->vague);
    }
}

static void put_day(struct ml_buf *out, const struct ml_date *date)
{
    static const char *const months[] = {"janvier",   "février", "mars",     "avril",
                                         "mai",       "juin",    "juillet",  "août",
                                         "septembre", "octobre", "novembre", "décembre"};
    char text[48];
    const char *month = date->month >= 1 && date->month <= 12 ? months[date->month - 1] : "";
    if (date->precision >= ML_PRECISION_DAY) {
        snprintf(text, sizeof(text), "%u%s %s %04u", date->day, date->day == 1 ? "er" : "", month,
                 date->year);
    } else if (date->precision == ML_PRECISION_MONTH) {
        snprintf(text, sizeof(text), "%s %04u", month, date->year);
    } else {
        snprintf(text, sizeof(text), "%04u", date->year);
    }
    put(out, text);
}

void ml_words_date(struct ml_buf *out, const struct ml_date *date, ml_when when, bool words)
{
    open_date(out, date, when, words);
    if (words) {
        put_day(out, date);
    } else {
        ml_date_text(out, date);
    }
}

static struct ml_date day_of(const struct ml_instant *at)
{
    struct ml_date date = ml_date_of_ms(at->utc_ms + (int64_t)at->offset_min * MINUTE_MS);
    if (at->precision < ML_PRECISION_DAY) {
        date.precision = at->precision;
    }
    return date;
}

static void put_time(struct ml_buf *out, const struct ml_instant *at, const char *before)
{
    struct ml_date date = ml_date_of_ms(at->utc_ms + (int64_t)at->offset_min * MINUTE_MS);
    int64_t ms = at->utc_ms + (int64_t)at->offset_min * MINUTE_MS - ml_date_ms(&date);
    unsigned minute = ms < 0 ? 0 : (unsigned)(ms / MINUTE_MS) % DAY_MIN;
    char text[32];
    if (at->precision == ML_PRECISION_HOUR) {
        snprintf(text, sizeof(text), "%s%02u h", before, minute / 60);
    } else {
        snprintf(text, sizeof(text), "%s%02u:%02u", before, minute / 60, minute % 60);
    }
    put(out, text);
}

void ml_words_instant(struct ml_buf *out, const struct ml_instant *at, ml_when when, bool words)
{
    struct ml_date date = day_of(at);
    ml_words_date(out, &date, when, words);
    if (at->precision > ML_PRECISION_DAY) {
        put_time(out, at, " à ");
    }
}

static bool one_day(const struct ml_instant *start, const struct ml_instant *end)
{
    struct ml_date a = day_of(start);
    struct ml_date b = day_of(end);
    return a.year == b.year && a.month == b.month && a.day == b.day &&
           start->precision == end->precision && start->precision >= ML_PRECISION_DAY;
}

void ml_words_period(struct ml_buf *out, const struct ml_instant *start,
                     const struct ml_instant *end, bool words)
{
    if (start->precision == 0 || end->precision == 0) {
        bool ended = end->precision != 0;
        if (ended || start->precision != 0) {
            ml_words_instant(out, ended ? end : start, ended ? ML_WHEN_UNTIL : ML_WHEN_SINCE,
                             words);
        }
        return;
    }
    if (!one_day(start, end)) {
        ml_words_instant(out, start, ML_WHEN_OUT, words);
        put(out, " ");
        ml_words_instant(out, end, ML_WHEN_TO, words);
        return;
    }
    struct ml_date day = day_of(start);
    bool timed = start->precision > ML_PRECISION_DAY;
    ml_words_date(out, &day, ML_WHEN_ON, words);
    if (timed && start->utc_ms != end->utc_ms) {
        put_time(out, start, " de ");
        put_time(out, end, " à ");
    } else if (timed) {
        put_time(out, start, " à ");
    }
}

/* ---- rhythms ---- */

struct span {
    const char *ucum;
    const char *one;
    const char *many;
    bool feminine;
};

static const struct span spans[] = {
    {"s", "seconde", "secondes", true},  {"min", "minute", "minutes", true},
    {"h", "heure", "heures", true},      {"d", "jour", "jours", false},
    {"wk", "semaine", "semaines", true}, {"mo", "mois", "mois", false},
    {"a", "an", "ans", false},
};

static const struct span *span_of(struct ml_slice unit)
{
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        if (ml_slice_equal(unit, ml_slice_str(spans[i].ucum))) {
            return &spans[i];
        }
    }
    return NULL;
}

bool ml_words_plural(struct ml_slice decimal)
{
    size_t at = decimal.len > 0 && decimal.data[0] == '-' ? 1 : 0;
    uint64_t whole = 0;
    for (; at < decimal.len && decimal.data[at] >= '0' && decimal.data[at] <= '9'; at++) {
        whole = whole < 1000 ? whole * 10 + (uint64_t)(decimal.data[at] - '0') : whole;
    }
    return whole >= 2 || memchr(decimal.data, 'e', decimal.len) != NULL ||
           memchr(decimal.data, 'E', decimal.len) != NULL;
}

/* "2 à 3 fois", or "2 fois". */
static void put_times(struct ml_buf *out, const struct ml_rhythm *r)
{
    char text[64];
    if (r->times_max > r->times && r->times > 0) {
        snprintf(text, sizeof(text), "%llu à %llu fois", (unsigned long long)r->times,
                 (unsigned long long)r->times_max);
    } else {
        snprintf(text, sizeof(text), "%llu fois",
                 (unsigned long long)(r->times > 0 ? r->times : r->times_max));
    }
    put(out, text);
}

static void put_unit(struct ml_buf *out, const struct ml_rhythm *r, const struct span *span,
                     bool several)
{
    if (span != NULL) {
        put(out, several ? span->many : span->one);
    } else {
        struct ml_slice name = r->name.len > 0 ? r->name : r->unit;
        name = name.len > 0 ? name : ml_slice_str("(unité non précisée)");
        ml_buf_append(out, name.data, name.len);
    }
}

static void put_every(struct ml_buf *out, const struct ml_rhythm *r, const struct span *span)
{
    put(out, span != NULL && span->feminine ? "toutes les " : "tous les ");
    ml_decimal_text(out, r->period, false);
    put(out, " ");
    put_unit(out, r, span, ml_words_plural(r->period));
}

void ml_words_rhythm(struct ml_buf *out, const struct ml_rhythm *r)
{
    const struct span *span = span_of(r->unit);
    bool counted = r->times > 0 || r->times_max > 0;
    bool each = r->period.len == 0 || ml_slice_equal(r->period, ml_slice_str("1"));
    bool several = r->times > 1 || r->times_max > 1;
    if (counted && (each || several)) {
        put_times(out, r);
    }
    if (r->period.len == 0 && r->unit.len == 0) {
        return;
    }
    put(out, counted && (each || several) ? " " : "");
    if (!each) {
        put_every(out, r, span);
        return;
    }
    put(out, counted ? "par " : "chaque ");
    put_unit(out, r, span, false);
}
