/* test_hlc.c -- one rule of core/base/hlc.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/hlc.h"
#include "fake_env.h"

#define DAY ML_HLC_AHEAD_MAX_MS

struct fixture {
    struct fake_env fake;
    struct ml_hlc_clock clock;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 7);
    f.fake.wall_ms = 1000000;
    ml_hlc_init(&f.clock, &f.fake.env, 0);
    *state = &f;
    return 0;
}

static void readings_follow_the_wall_clock(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_hlc_tick(&f->clock), ml_hlc_make(1000000, 0));
    f->fake.wall_ms += 5;
    assert_int_equal(ml_hlc_tick(&f->clock), ml_hlc_make(1000005, 0));
    assert_int_equal(ml_hlc_ms(f->clock.last), 1000005);
}

static void readings_rise_when_the_wall_clock_does_not(void **state)
{
    struct fixture *f = *state;
    uint64_t before = ml_hlc_tick(&f->clock);
    f->fake.wall_ms -= 500;
    for (int i = 1; i < 70000; i++) { /* the counter carries into the milliseconds */
        uint64_t now = ml_hlc_tick(&f->clock);
        assert_int_equal(now, before + 1);
        before = now;
    }
}

static void a_received_reading_is_passed(void **state)
{
    struct fixture *f = *state;
    uint64_t theirs = ml_hlc_make(1000900, 3);
    ml_hlc_receive(&f->clock, theirs);
    assert_int_equal(ml_hlc_tick(&f->clock), theirs + 1);
    ml_hlc_receive(&f->clock, 5); /* an old one changes nothing */
    assert_int_equal(f->clock.last, theirs + 1);
}

static void more_than_a_day_above_the_median_is_ahead(void **state)
{
    (void)state;
    assert_true(ml_hlc_is_ahead(ml_hlc_make(1000000 + DAY + 1, 0), 1000000));
    assert_true(ml_hlc_is_ahead(UINT64_MAX, 1000000));
    assert_false(ml_hlc_is_ahead(ml_hlc_make(1000000 + DAY, UINT16_MAX), 1000000));
    assert_false(ml_hlc_is_ahead(ml_hlc_make(5, 0), 1000000));
}

/* A structure most of whose writers lie brings every clock there: it must not stop a node. */
static void the_last_reading_of_all_cannot_stop_the_clock(void **state)
{
    struct fixture *f = *state;
    ml_hlc_init(&f->clock, &f->fake.env, UINT64_MAX - 1);
    assert_int_equal(ml_hlc_tick(&f->clock), UINT64_MAX);
    assert_int_equal(ml_hlc_tick(&f->clock), UINT64_MAX);
    assert_int_equal(ml_hlc_make(UINT64_MAX, 0), ml_hlc_make(ML_HLC_MS_MAX, 0));
}

static void half_of_the_clocks_may_lie_ahead(void **state)
{
    (void)state;
    uint64_t odd[] = {900, 10, 20, 800, 15};
    uint64_t even[] = {900, 10, 800, 20};
    assert_int_equal(ml_hlc_median(odd, 5), 20);
    assert_int_equal(ml_hlc_median(even, 4), 20);
    assert_int_equal(ml_hlc_median(even, 1), 10); /* sorted by the call before */
    assert_int_equal(ml_hlc_median(NULL, 0), 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, setup)
    const struct CMUnitTest tests[] = {
        TEST(readings_follow_the_wall_clock),
        TEST(readings_rise_when_the_wall_clock_does_not),
        TEST(a_received_reading_is_passed),
        TEST(more_than_a_day_above_the_median_is_ahead),
        TEST(the_last_reading_of_all_cannot_stop_the_clock),
        TEST(half_of_the_clocks_may_lie_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
