/* tests/unit/sync/test_sync_frontier.c -- one rule of sync/frontier.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_env.h"
#include "sync/frontier.h"
#include "sync/sync.h"

struct fixture {
    struct fake_env fake;
    struct ml_frontier f;
    struct ml_frontier g;
};

static int setup(void **state)
{
    static struct fixture fx;
    fake_env_init(&fx.fake, 1);
    ml_sync_frontier_init(&fx.f, &fx.fake.env);
    ml_sync_frontier_init(&fx.g, &fx.fake.env);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;
    ml_sync_frontier_free(&fx->f);
    ml_sync_frontier_free(&fx->g);
    return fx->fake.live == 0 ? 0 : -1;
}

static struct ml_dep dep(uint8_t writer, uint8_t lane, uint32_t seq, uint8_t hash)
{
    return (struct ml_dep){.writer = {{writer}}, .lane = lane, .seq = seq, .hash = {{hash}}};
}

static void put(struct ml_frontier *f, struct ml_dep id)
{
    assert_int_equal(ml_sync_frontier_put(f, &id, 0), ML_OK);
}

static void heads_stay_sorted_whatever_the_order(void **state)
{
    struct fixture *fx = *state;
    for (unsigned i = 0; i < 200; i++) {
        put(&fx->f, dep((uint8_t)fake_below(&fx->fake, 5), (uint8_t)fake_below(&fx->fake, 5),
                        1 + (uint32_t)fake_below(&fx->fake, 9), (uint8_t)fake_below(&fx->fake, 3)));
    }
    for (size_t i = 1; i < fx->f.count; i++) {
        assert_true(ml_dep_compare(&fx->f.heads[i - 1].id, &fx->f.heads[i].id) < 0);
    }
}

static void a_bundle_takes_the_place_of_the_one_before_it(void **state)
{
    struct fixture *fx = *state;
    const struct ml_dep two = dep(1, 3, 2, 20);
    const struct ml_hash16 prev = {{10}};
    put(&fx->f, dep(1, 3, 1, 10));
    put(&fx->f, dep(2, 3, 7, 70));
    assert_int_equal(ml_sync_frontier_extend(&fx->f, &two, &prev, 0), ML_OK);
    assert_int_equal(fx->f.count, 2);
    assert_non_null(ml_sync_frontier_find(&fx->f, &two));
}

static void a_branch_stands_beside_the_others(void **state)
{
    struct fixture *fx = *state;
    const struct ml_dep branch = dep(1, 3, 4, 99);
    const struct ml_hash16 prev = {{33}};
    put(&fx->f, dep(1, 3, 5, 50));
    assert_int_equal(ml_sync_frontier_extend(&fx->f, &branch, &prev, 0), ML_OK);
    struct ml_chain chain = ml_sync_frontier_chain(&fx->f, &branch.writer, 3);
    assert_int_equal(chain.count, 2);
    assert_int_equal(ml_chain_top(&chain), 5);
}

static void the_digest_leaves_traces_out(void **state)
{
    struct fixture *fx = *state;
    put(&fx->f, dep(1, 3, 5, 50));
    struct ml_hash16 before = ml_sync_frontier_digest(&fx->f, false);
    struct ml_hash16 trace = ml_sync_frontier_digest(&fx->f, true);
    put(&fx->f, dep(1, ML_LANE_TRACE, 5, 50));
    struct ml_hash16 after = ml_sync_frontier_digest(&fx->f, false);
    assert_memory_equal(&before, &after, sizeof(before));
    after = ml_sync_frontier_digest(&fx->f, true);
    assert_memory_not_equal(&trace, &after, sizeof(trace));
    put(&fx->f, dep(1, 3, 6, 50));
    after = ml_sync_frontier_digest(&fx->f, false);
    assert_memory_not_equal(&before, &after, sizeof(before));
}

static void an_overlay_replaces_whole_chains(void **state)
{
    struct fixture *fx = *state;
    put(&fx->f, dep(1, 3, 5, 50));
    put(&fx->f, dep(1, 3, 6, 60));
    put(&fx->f, dep(2, 0, 1, 10));
    put(&fx->g, dep(1, 3, 9, 90));
    put(&fx->g, dep(3, 3, 1, 10));
    assert_int_equal(ml_sync_frontier_overlay(&fx->f, &fx->g), ML_OK);
    assert_int_equal(fx->f.count, 3);
    const struct ml_writer_id one = {{1}};
    struct ml_chain chain = ml_sync_frontier_chain(&fx->f, &one, 3);
    assert_int_equal(chain.count, 1);
    assert_int_equal(chain.heads[0].id.seq, 9);
}

static void an_unsorted_list_is_refused(void **state)
{
    struct fixture *fx = *state;
    const struct ml_dep twice[] = {dep(1, 3, 5, 50), dep(1, 3, 5, 50)};
    put(&fx->f, dep(9, 3, 1, 1));
    assert_int_equal(ml_sync_frontier_assign(&fx->f, twice, 2), ML_E_INVALID);
    assert_int_equal(fx->f.count, 1);
    assert_int_equal(ml_sync_frontier_assign(&fx->f, twice, 1), ML_OK);
}

static void a_frontier_is_bounded(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(ml_sync_frontier_reserve(&fx->f, ML_SYNC_HEADS_MAX), ML_OK);
    assert_int_equal(ml_sync_frontier_reserve(&fx->f, ML_SYNC_HEADS_MAX + 1), ML_E_LIMIT);
    put(&fx->f, dep(1, 3, 1, 1));
    assert_int_equal(ml_sync_frontier_reserve(&fx->f, ML_SYNC_HEADS_MAX), ML_E_LIMIT);
}

static void a_base_reads_back_as_it_was(void **state)
{
    struct fixture *fx = *state;
    struct ml_buf buf;
    ml_buf_init(&buf, &fx->fake.env, SIZE_MAX);
    for (uint8_t i = 0; i < 50; i++) {
        put(&fx->f, dep(i, i % 5, 1 + i * 100u, i));
    }
    assert_int_equal(ml_base_encode(&buf, &fx->f), ML_OK);
    assert_int_equal(ml_base_decode(&fx->g, ml_buf_slice(&buf)), ML_OK);
    assert_int_equal(fx->g.count, fx->f.count);
    for (size_t i = 0; i < fx->f.count; i++) {
        assert_int_equal(ml_dep_compare(&fx->f.heads[i].id, &fx->g.heads[i].id), 0);
    }
    buf.data[buf.len / 2] ^= 0x80;
    struct ml_slice cut = ml_slice(buf.data, buf.len - 1);
    assert_int_equal(ml_base_decode(&fx->g, cut), ML_E_MALFORMED);
    assert_int_equal(fx->g.count, fx->f.count);
    ml_buf_free(&buf);
}

static void chains_are_walked_side_by_side(void **state)
{
    struct fixture *fx = *state;
    struct ml_chain_walk walk;
    struct ml_chain_pair pair;
    put(&fx->f, dep(1, 0, 1, 1));
    put(&fx->f, dep(2, 3, 1, 1));
    put(&fx->g, dep(1, 3, 1, 1));
    put(&fx->g, dep(2, 3, 1, 1));
    put(&fx->g, dep(2, 3, 2, 1));
    const size_t expect[3][2] = {{1, 0}, {0, 1}, {1, 2}};
    ml_chain_walk(&walk, &fx->f, &fx->g);
    for (size_t i = 0; i < 3; i++) {
        assert_true(ml_chain_next(&walk, &pair));
        assert_int_equal(pair.a.count, expect[i][0]);
        assert_int_equal(pair.b.count, expect[i][1]);
    }
    assert_false(ml_chain_same(&pair.a, &pair.b));
    assert_false(ml_chain_next(&walk, &pair));
}

/* Fail the 1st, 2nd, 3rd ... allocation: nothing changes, nothing leaks. */
static void what_fails_changes_nothing(void **state)
{
    struct fixture *fx = *state;
    struct ml_buf buf;
    ml_buf_init(&buf, &fx->fake.env, SIZE_MAX);
    for (uint8_t i = 0; i < 16; i++) {
        put(&fx->f, dep(i, 3, 1, i));
        put(&fx->g, dep((uint8_t)(i + 100), 3, 1, i));
    }
    const struct ml_dep more = dep(200, 3, 1, 1);
    for (long nth = 1; nth < 6; nth++) {
        size_t had = fx->f.count;
        fx->fake.fail_alloc = nth;
        ml_err err = ml_sync_frontier_overlay(&fx->f, &fx->g);
        err = err == ML_OK ? ml_sync_frontier_put(&fx->f, &more, 0) : err;
        err = err == ML_OK ? ml_base_encode(&buf, &fx->f) : err;
        if (fx->fake.fail_alloc == 0) {
            assert_true(err == ML_E_NOMEM || fx->f.count > had);
        }
        fx->fake.fail_alloc = 0;
        for (size_t i = 1; i < fx->f.count; i++) {
            assert_true(ml_dep_compare(&fx->f.heads[i - 1].id, &fx->f.heads[i].id) < 0);
        }
        ml_buf_free(&buf);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(heads_stay_sorted_whatever_the_order),
        TEST(a_bundle_takes_the_place_of_the_one_before_it),
        TEST(a_branch_stands_beside_the_others),
        TEST(the_digest_leaves_traces_out),
        TEST(an_overlay_replaces_whole_chains),
        TEST(an_unsorted_list_is_refused),
        TEST(a_frontier_is_bounded),
        TEST(a_base_reads_back_as_it_was),
        TEST(chains_are_walked_side_by_side),
        TEST(what_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
