/* test_retention.c -- how long a record is kept (domain 4.6, ADR 0024): exact calendar days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/record/retention.h"
#include "fake_env.h"

static struct ml_date day(const char *iso)
{
    struct ml_date d = {.year = 0};
    assert_true(iso[0] == '\0' || ml_date_parse(ml_slice_str(iso), &d));
    return d;
}

static void assert_day(struct ml_date got, const char *iso)
{
    const struct ml_date want = day(iso);
    assert_int_equal(got.year, want.year);
    assert_int_equal(got.month, want.month);
    assert_int_equal(got.day, want.day);
}

static struct ml_retention of(const char *contact, const char *birth, const char *death)
{
    const struct ml_retention_rule rule = ml_retention_default();
    const struct ml_retention_facts facts = {
        .contact = day(contact), .birth = day(birth), .death = day(death)};
    return ml_retention_of(&facts, &rule);
}

static void assert_ends(const struct ml_retention *r, const char *end, ml_retention_why why)
{
    assert_day(r->end, end);
    assert_int_equal(r->why, why);
}

static void a_record_is_active_five_years_and_kept_twenty(void **state)
{
    (void)state;
    const struct ml_retention r = of("2006-03-25", "1979-03-28", "");
    assert_day(r.active_end, "2011-03-25");
    assert_ends(&r, "2026-03-25", ML_RETENTION_CONTACT);
}

/* Each day up to the last belongs to the time; the one after it doesn't. */
static void a_day_is_passed_when_it_is_over(void **state)
{
    (void)state;
    const struct ml_retention r = of("2006-03-25", "1979-03-28", "");
    static const struct {
        const char *on;
        ml_retention_state state;
    } days[] = {
        {"2006-03-25", ML_RETENTION_ACTIVE},  {"2011-03-25", ML_RETENTION_ACTIVE},
        {"2011-03-26", ML_RETENTION_ARCHIVE}, {"2026-03-25", ML_RETENTION_ARCHIVE},
        {"2026-03-26", ML_RETENTION_OVER},    {"9999-12-31", ML_RETENTION_OVER},
    };
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        const struct ml_date on = day(days[i].on);
        assert_int_equal(ml_retention_state_on(&r, &on), days[i].state);
    }
}

/* No such day that year: the month's last (CPC art. 641). */
static void the_29th_of_february_ends_on_the_28th_or_the_29th(void **state)
{
    (void)state;
    struct ml_retention r = of("2004-02-29", "", "");
    assert_day(r.active_end, "2009-02-28");
    assert_ends(&r, "2024-02-29", ML_RETENTION_CONTACT);
    const struct ml_date last = day("2000-08-31");
    assert_day(ml_retention_after(&last, 0, 6), "2001-02-28");
    assert_day(ml_retention_after(&last, 3, 6), "2004-02-29");
    assert_day(ml_retention_after(&last, 0, 17), "2002-01-31");
    assert_day(ml_retention_after(&last, 100, 0), "2100-08-31"); /* no leap year, and no matter */
    const struct ml_date leap = day("2000-02-29");
    assert_day(ml_retention_after(&leap, 100, 0), "2100-02-28");
    const struct ml_date far = day("9990-01-01");
    assert_day(ml_retention_after(&far, 20, 0), "9999-12-31");
}

static void traces_are_counted_back_in_months(void **state)
{
    (void)state;
    const struct ml_date last = day("2026-08-31");
    assert_day(ml_retention_before(&last, 12), "2025-08-31");
    assert_day(ml_retention_before(&last, 6), "2026-02-28");
    assert_day(ml_retention_before(&last, 30), "2024-02-29");
    assert_day(ml_retention_before(&last, 8), "2025-12-31");
    const struct ml_date early = day("0002-03-01");
    assert_day(ml_retention_before(&early, 1200), "0001-01-01");
}

static void a_minors_record_is_kept_until_his_28th_birthday(void **state)
{
    (void)state;
    struct ml_retention r = of("2006-03-25", "2005-06-01", "");
    assert_ends(&r, "2033-06-01", ML_RETENTION_MINOR);
    assert_day(r.active_end, "2011-03-25");
    r = of("2013-06-01", "2005-06-01", ""); /* twenty years are the same day */
    assert_ends(&r, "2033-06-01", ML_RETENTION_CONTACT);
    r = of("2013-06-02", "2005-06-01", "");
    assert_ends(&r, "2033-06-02", ML_RETENTION_CONTACT);
    r = of("2072-03-01", "2072-02-29", ""); /* 2100 has no such day */
    assert_ends(&r, "2100-02-28", ML_RETENTION_MINOR);
}

/* What is known in part lasts to its last day. */
static void a_partial_date_counts_as_its_last_day(void **state)
{
    (void)state;
    struct ml_retention r = of("2006-03-25", "2005", "");
    assert_ends(&r, "2033-12-31", ML_RETENTION_MINOR);
    r = of("2006-03-25", "2004-02", "");
    assert_ends(&r, "2032-02-29", ML_RETENTION_MINOR);
    r = of("2006", "1950", "");
    assert_ends(&r, "2026-12-31", ML_RETENTION_CONTACT);
    r = of("2006-03-25", "1950", "2010-02");
    assert_ends(&r, "2020-02-28", ML_RETENTION_DEATH);
}

static void ten_years_after_a_death_within_ten_of_the_last_contact(void **state)
{
    (void)state;
    struct ml_retention r = of("2006-03-25", "1930-01-01", "2006-04-02");
    assert_ends(&r, "2016-04-02", ML_RETENTION_DEATH);
    r = of("2006-03-25", "1930-01-01", "2016-03-24");
    assert_ends(&r, "2026-03-24", ML_RETENTION_DEATH);
    r = of("2006-03-25", "1930-01-01", "2016-03-25");
    assert_ends(&r, "2026-03-25", ML_RETENTION_CONTACT);
    r = of("2006-03-25", "2005-06-01", "2007-01-01"); /* a child who died is no adult to be */
    assert_ends(&r, "2017-01-01", ML_RETENTION_DEATH);
}

static void a_structure_may_lengthen_and_never_shorten(void **state)
{
    (void)state;
    const struct ml_retention_rule least = ml_retention_default();
    assert_true(ml_retention_allowed(&least));
    struct ml_retention_rule rule = least;
    rule.total_years = 19;
    assert_false(ml_retention_allowed(&rule));
    rule = least;
    rule.minor_age = 27;
    assert_false(ml_retention_allowed(&rule));
    rule = least;
    rule.death_years = 9;
    assert_false(ml_retention_allowed(&rule));
    rule = least;
    rule.active_years = 21;
    assert_false(ml_retention_allowed(&rule));
    rule.active_years = 0;
    assert_false(ml_retention_allowed(&rule));
    rule = least;
    rule.trace_months = 6;
    assert_true(ml_retention_allowed(&rule));
    rule.trace_months = 5;
    assert_false(ml_retention_allowed(&rule));
    rule = (struct ml_retention_rule){100, 100, 100, 100, 1200};
    assert_true(ml_retention_allowed(&rule));
    rule.total_years = 101;
    assert_false(ml_retention_allowed(&rule));
    rule = (struct ml_retention_rule){100, 100, 100, 100, 1201};
    assert_false(ml_retention_allowed(&rule));
}

/* A short life of a rule: the active time never outlasts the whole. */
static void the_active_time_ends_with_the_whole_at_the_latest(void **state)
{
    (void)state;
    const struct ml_retention_rule rule = {20, 20, 28, 10, 12};
    const struct ml_retention_facts facts = {.contact = day("2006-03-25"),
                                             .death = day("2006-04-02")};
    const struct ml_retention r = ml_retention_of(&facts, &rule);
    assert_day(r.end, "2016-04-02");
    assert_day(r.active_end, "2016-04-02");
}

static void it_says_in_french_which_rule_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *contact, *birth, *death, *text;
    } rows[] = {
        {"2006-03-25", "1979", "", "20 ans après le dernier contact (25/03/2006)"},
        {"2006-03-25", "2005", "", "28e anniversaire, né(e) le 2005"},
        {"2006-03-25", "1979", "2010-02", "10 ans après le décès (02/2010)"},
    };
    const struct ml_retention_rule rule = ml_retention_default();
    struct fake_env fake;
    fake_env_init(&fake, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct ml_retention_facts facts = {.contact = day(rows[i].contact),
                                                 .birth = day(rows[i].birth),
                                                 .death = day(rows[i].death)};
        const struct ml_retention r = ml_retention_of(&facts, &rule);
        struct ml_buf out;
        ml_buf_init(&out, &fake.env, 256);
        ml_retention_text(&out, &r, &facts, &rule);
        assert_int_equal(out.len, strlen(rows[i].text));
        assert_memory_equal(out.data, rows[i].text, out.len);
        ml_buf_free(&out);
    }
    assert_int_equal(fake.live, 0);
    assert_string_equal(ml_retention_state_name(ML_RETENTION_OVER), "over");
    assert_string_equal(ml_retention_why_name(ML_RETENTION_MINOR), "minor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_active_five_years_and_kept_twenty),
        cmocka_unit_test(a_day_is_passed_when_it_is_over),
        cmocka_unit_test(the_29th_of_february_ends_on_the_28th_or_the_29th),
        cmocka_unit_test(traces_are_counted_back_in_months),
        cmocka_unit_test(a_minors_record_is_kept_until_his_28th_birthday),
        cmocka_unit_test(a_partial_date_counts_as_its_last_day),
        cmocka_unit_test(ten_years_after_a_death_within_ten_of_the_last_contact),
        cmocka_unit_test(a_structure_may_lengthen_and_never_shorten),
        cmocka_unit_test(the_active_time_ends_with_the_whole_at_the_latest),
        cmocka_unit_test(it_says_in_french_which_rule_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
