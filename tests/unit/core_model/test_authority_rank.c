/* test_authority_rank.c -- whom one's rank is enough against (R7), and what a suspension changes of
 * that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support_authority.h"

static void an_act_needs_a_better_rank_than_its_subjects(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 3, deny(f, 4, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 2, deny(f, 1, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, deny(f, 1, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(deny(f, 1, ML_DENIAL_DEPARTURE), 0)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(deny(f, 1, ML_DENIAL_DEPARTURE), 1)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(deny(f, 1, ML_DENIAL_DEPARTURE), 4)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 2, deny(f, 4, ML_DENIAL_DEPARTURE)), ACCEPTED);
    assert_said(say(f, 0, with(deny(f, 1, ML_DENIAL_DEPARTURE), 2)), ACCEPTED);
    assert_int_equal(rank_of(f, 4), ML_RANK_NODE);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
}

static void an_equal_may_be_suspended_for_three_days(void **state)
{
    struct fixture *f = *state;
    struct ml_say s = deny(f, 1, ML_DENIAL_SUSPENSION);
    s.until_ms = f->now_ms + 73 * HOUR;
    assert_said(say(f, 0, s), ML_REASON_NO_AUTHORITY);
    s.until_ms = f->now_ms + 72 * HOUR;
    assert_said(say(f, 0, s), ACCEPTED);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
}

/* Rules R7: nor by a référent, nor with another rank in his place. */
static void a_suspended_equal_is_no_lower_for_it(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, deny(f, 1, ML_DENIAL_SUSPENSION)), ACCEPTED);
    assert_said(say(f, 0, deny(f, 1, ML_DENIAL_COMPROMISE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 2, deny(f, 1, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, grant(1, ML_RANK_MEMBER)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 2, grant(1, ML_RANK_MEMBER)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(deny(f, 1, ML_DENIAL_DEPARTURE), 2)), ACCEPTED);
    assert_said(say(f, 2, grant(1, ML_RANK_MEMBER)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, deny(f, 4, ML_DENIAL_DEPARTURE)), ACCEPTED);
    assert_said(say(f, 2, grant(4, ML_RANK_MEMBER)), ACCEPTED); /* whom he outranks he takes back */
    assert_int_equal(rank_of(f, 4), ML_RANK_MEMBER);
}

/* Of two coordinators and two référents one with a friend makes no third: not by suspending. */
static void who_is_suspended_still_counts_against_a_promotion(void **state)
{
    struct fixture *f = *state;
    take_in(f, 5, ML_RANK_REFERENT);
    assert_said(say(f, 0, with(grant(3, ML_RANK_COORDINATOR), 2)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, deny(f, 1, ML_DENIAL_SUSPENSION)), ACCEPTED);
    assert_said(say(f, 0, with(grant(3, ML_RANK_COORDINATOR), 2)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(with(grant(3, ML_RANK_COORDINATOR), 2), 5)), ACCEPTED);
}

static void a_suspension_ends_when_two_clocks_say_so(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, deny(f, 1, ML_DENIAL_SUSPENSION)), ACCEPTED);
    f->now_ms += 23 * HOUR;
    assert_said(say(f, 2, anything()), ACCEPTED);
    f->now_ms += 2 * HOUR;
    assert_said(say(f, 0, anything()), ACCEPTED);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
    assert_said(say(f, 3, anything()), ACCEPTED);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE); /* a member's rank doesn't witness it */
    assert_said(say(f, 2, anything()), ACCEPTED);
    assert_int_equal(rank_of(f, 1), ML_RANK_COORDINATOR);
}

/* Two may cut all that somebody ever did, but not what Root's key stands in. */
static void a_cut_never_denies_the_genesis(void **state)
{
    struct fixture *f = *state;
    struct ml_say s = with(deny(f, 0, ML_DENIAL_COMPROMISE), 2);
    s.cut_count = 0;
    assert_said(say(f, 1, s), ACCEPTED);
    assert_int_equal(reason_of(f, 0), ML_REASON_NONE);
    assert_int_equal(reason_of(f, 1), ML_REASON_REVOKED); /* what he did next */
    assert_int_equal(rank_of(f, 0), ML_RANK_NODE);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_act_needs_a_better_rank_than_its_subjects),
        TEST(an_equal_may_be_suspended_for_three_days),
        TEST(a_suspended_equal_is_no_lower_for_it),
        TEST(who_is_suspended_still_counts_against_a_promotion),
        TEST(a_suspension_ends_when_two_clocks_say_so),
        TEST(a_cut_never_denies_the_genesis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
