/* test_fork.c -- one rule of core/model/fork.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/model/fork.h"
#include "core/model/judge.h"
#include "fake_env.h"

static struct ml_own_at at(uint8_t lane, struct ml_own_vec own, uint8_t hash)
{
    return (struct ml_own_at){.lane = lane, .seq = own.seq[lane], .hash = {{hash}}, .own = own};
}

static struct ml_own_vec vec(uint32_t governance, uint32_t keys, uint32_t record)
{
    return (struct ml_own_vec){{governance, keys, 0, record, 0}};
}

static void one_line_is_no_fork(void **state)
{
    (void)state;
    struct ml_own_vec freeze = ml_own_vec_top();
    const struct ml_own_at line[] = {
        at(0, vec(1, 0, 0), 1), at(3, vec(1, 0, 1), 2), at(1, vec(1, 1, 1), 3),
        at(3, vec(1, 1, 2), 4), at(1, vec(1, 2, 2), 5),
    };
    const struct ml_own_vec top = ml_own_vec_top();
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 5; k++) {
            assert_false(ml_fork_between(&freeze, &line[i], &line[k]));
        }
    }
    assert_true(ml_own_vec_equal(&freeze, &top));
    assert_false(ml_fork_is_beyond(&freeze, 3, UINT32_MAX));
}

static void one_place_twice_freezes_below_it(void **state)
{
    (void)state;
    struct ml_own_vec freeze = ml_own_vec_top();
    const struct ml_own_at a = at(3, vec(1, 4, 7), 1);
    const struct ml_own_at b = at(3, vec(1, 5, 7), 2);
    assert_true(ml_fork_between(&freeze, &a, &b));
    const struct ml_own_vec expect = vec(1, 4, 6);
    assert_true(ml_own_vec_equal(&freeze, &expect));
    assert_true(ml_fork_is_beyond(&freeze, 3, 7));
    assert_false(ml_fork_is_beyond(&freeze, 3, 6));
}

static void two_lanes_apart_freeze_both(void **state)
{
    (void)state;
    struct ml_own_vec freeze = ml_own_vec_top();
    const struct ml_own_at a = at(3, vec(1, 4, 8), 1);
    const struct ml_own_at b = at(1, vec(1, 5, 7), 2);
    assert_int_equal(ml_fork_first_unseen(&a, 1), 5);
    assert_true(ml_fork_between(&freeze, &a, &b));
    const struct ml_own_vec expect = vec(1, 4, 7);
    assert_true(ml_own_vec_equal(&freeze, &expect));
    /* A later proof only lowers it. */
    const struct ml_own_at c = at(3, vec(1, 6, 9), 1);
    const struct ml_own_at d = at(1, vec(1, 7, 8), 2);
    assert_true(ml_fork_between(&freeze, &c, &d));
    assert_true(ml_own_vec_equal(&freeze, &expect));
}

/* Whatever pair is looked at first, and from whichever side. */
static void the_freeze_does_not_depend_on_order(void **state)
{
    (void)state;
    struct fake_env fake;
    fake_env_init(&fake, 4);
    for (unsigned round = 0; round < 300; round++) {
        struct ml_own_at all[6];
        struct ml_own_vec up = ml_own_vec_top();
        struct ml_own_vec down = ml_own_vec_top();
        for (uint8_t i = 0; i < 6; i++) {
            const struct ml_own_vec own =
                vec(1, 1 + (uint32_t)fake_below(&fake, 3), 1 + (uint32_t)fake_below(&fake, 3));
            all[i] = at(fake_below(&fake, 2) == 0 ? 1 : 3, own, i);
        }
        for (size_t i = 0; i < 36; i++) {
            (void)ml_fork_between(&up, &all[i / 6], &all[i % 6]);
            (void)ml_fork_between(&down, &all[(35 - i) % 6], &all[(35 - i) / 6]);
        }
        assert_true(ml_own_vec_equal(&up, &down));
    }
}

static void a_meet_is_pointwise(void **state)
{
    (void)state;
    struct ml_own_vec a = vec(1, 5, 2);
    const struct ml_own_vec b = vec(2, 3, 2);
    const struct ml_own_vec meet = vec(1, 3, 2);
    ml_own_vec_meet(&a, &b);
    assert_true(ml_own_vec_equal(&a, &meet));
}

/* ADR 0008: governance and keys wait for nothing above them, nothing for traces. */
static void lanes_wait_for_what_they_need(void **state)
{
    (void)state;
    static const bool expect[ML_LANES][ML_LANES] = {
        {true, false, false, false, false}, {true, true, false, false, false},
        {true, true, false, false, false},  {true, true, false, true, false},
        {true, true, false, false, true},
    };
    for (uint8_t lane = 0; lane < ML_LANES; lane++) {
        for (uint8_t cited = 0; cited < ML_LANES; cited++) {
            assert_int_equal(ml_judge_waits(lane, cited), expect[lane][cited]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_is_no_fork),
        cmocka_unit_test(one_place_twice_freezes_below_it),
        cmocka_unit_test(two_lanes_apart_freeze_both),
        cmocka_unit_test(the_freeze_does_not_depend_on_order),
        cmocka_unit_test(a_meet_is_pointwise),
        cmocka_unit_test(lanes_wait_for_what_they_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
