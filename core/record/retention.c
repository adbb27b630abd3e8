/* core/record/retention.c -- see retention.h: the calendar alone. */
#include "core/record/retention.h"

#include <stdio.h>

enum { YEAR_LAST = 9999, MONTHS = 12 };

struct ml_retention_rule ml_retention_default(void)
{
    return (struct ml_retention_rule){.active_years = 5,
                                      .total_years = 20,
                                      .minor_age = 28,
                                      .death_years = 10,
                                      .trace_months = 12};
}

bool ml_retention_allowed(const struct ml_retention_rule *rule)
{
    const struct ml_retention_rule least = ml_retention_default();
    const unsigned last = ML_RETENTION_YEARS_MAX;
    return rule->active_years >= 1 && rule->active_years <= rule->total_years &&
           rule->total_years >= least.total_years && rule->total_years <= last &&
           rule->minor_age >= least.minor_age && rule->minor_age <= last &&
           rule->death_years >= least.death_years && rule->death_years <= last &&
           rule->trace_months >= least.trace_months / 2 &&
           rule->trace_months <= ML_RETENTION_MONTHS_MAX;
}

static unsigned month_days(unsigned year, unsigned month)
{
    unsigned day = 31;
    while (day > 28 && !ml_date_exists(year, month, day)) {
        day--;
    }
    return day;
}

/* The last day that a partial date may be. */
static struct ml_date last_day(const struct ml_date *date)
{
    struct ml_date d = *date;
    d.precision = ML_PRECISION_DAY;
    if (d.month == 0) {
        d.month = MONTHS;
    }
    if (d.day == 0) {
        d.day = (uint8_t)month_days(d.year, d.month);
    }
    return d;
}

struct ml_date ml_retention_after(const struct ml_date *date, unsigned years, unsigned months)
{
    struct ml_date d = last_day(date);
    const unsigned month = d.month - 1u + months;
    const unsigned year = d.year + years + month / MONTHS;
    if (year > YEAR_LAST) {
        return (struct ml_date){YEAR_LAST, MONTHS, 31, ML_PRECISION_DAY};
    }
    d.year = (uint16_t)year;
    d.month = (uint8_t)(month % MONTHS + 1);
    const unsigned last = month_days(d.year, d.month);
    d.day = (uint8_t)(d.day > last ? last : d.day);
    return d;
}

struct ml_date ml_retention_before(const struct ml_date *date, unsigned months)
{
    struct ml_date d = last_day(date);
    const unsigned all = (unsigned)(d.year * MONTHS + d.month - 1);
    const unsigned left = all > months + MONTHS ? all - months : MONTHS;
    d.year = (uint16_t)(left / MONTHS);
    d.month = (uint8_t)(left % MONTHS + 1);
    const unsigned last = month_days(d.year, d.month);
    d.day = (uint8_t)(d.day > last ? last : d.day);
    return d;
}

int ml_retention_compare(const struct ml_date *a, const struct ml_date *b)
{
    const struct ml_date x = last_day(a);
    const struct ml_date y = last_day(b);
    const int64_t ms = ml_date_ms(&x) - ml_date_ms(&y);
    return (ms > 0) - (ms < 0);
}

/* Who dies within so many years of the last contact. */
static bool ends_with_death(const struct ml_retention_facts *facts,
                            const struct ml_retention_rule *rule)
{
    const struct ml_date limit = ml_retention_after(&facts->contact, rule->death_years, 0);
    return facts->death.year != 0 && ml_retention_compare(&facts->death, &limit) < 0;
}

struct ml_retention ml_retention_of(const struct ml_retention_facts *facts,
                                    const struct ml_retention_rule *rule)
{
    struct ml_retention r = {.active_end =
                                 ml_retention_after(&facts->contact, rule->active_years, 0),
                             .end = ml_retention_after(&facts->contact, rule->total_years, 0),
                             .why = ML_RETENTION_CONTACT};
    if (ends_with_death(facts, rule)) {
        r.end = ml_retention_after(&facts->death, rule->death_years, 0);
        r.why = ML_RETENTION_DEATH;
    } else if (facts->birth.year != 0) {
        const struct ml_date birthday = ml_retention_after(&facts->birth, rule->minor_age, 0);
        if (ml_retention_compare(&birthday, &r.end) > 0) {
            r.end = birthday;
            r.why = ML_RETENTION_MINOR;
        }
    }
    if (ml_retention_compare(&r.active_end, &r.end) > 0) {
        r.active_end = r.end;
    }
    return r;
}

ml_retention_state ml_retention_state_on(const struct ml_retention *r, const struct ml_date *today)
{
    if (ml_retention_compare(today, &r->end) > 0) {
        return ML_RETENTION_OVER;
    }
    return ml_retention_compare(today, &r->active_end) > 0 ? ML_RETENTION_ARCHIVE
                                                           : ML_RETENTION_ACTIVE;
}

const char *ml_retention_why_name(ml_retention_why why)
{
    static const char *const names[] = {"?", "contact", "minor", "death"};
    return names[why <= ML_RETENTION_DEATH ? why : 0];
}

const char *ml_retention_state_name(ml_retention_state state)
{
    static const char *const names[] = {"?", "active", "archive", "over"};
    return names[state <= ML_RETENTION_OVER ? state : 0];
}

void ml_retention_text(struct ml_buf *out, const struct ml_retention *r,
                       const struct ml_retention_facts *facts, const struct ml_retention_rule *rule)
{
    char text[64];
    const struct ml_date *from = &facts->contact;
    int len = 0;
    if (r->why == ML_RETENTION_MINOR) {
        from = &facts->birth;
        len = snprintf(text, sizeof(text), "%ue anniversaire, né(e) le ", rule->minor_age);
    } else if (r->why == ML_RETENTION_DEATH) {
        from = &facts->death;
        len = snprintf(text, sizeof(text), "%u ans après le décès (", rule->death_years);
    } else {
        len = snprintf(text, sizeof(text), "%u ans après le dernier contact (", rule->total_years);
    }
    ml_buf_append(out, text, (size_t)len);
    ml_date_text(out, from);
    if (r->why != ML_RETENTION_MINOR) {
        ml_buf_append(out, ")", 1);
    }
}
