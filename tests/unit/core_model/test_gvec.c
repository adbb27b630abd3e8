/* test_gvec.c -- one rule of core/model/gvec.c, frontier.c and verdict.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/model/frontier.h"
#include "core/model/gvec.h"
#include "core/model/verdict.h"
#include "fake_env.h"

static const struct ml_org_id org = {{7}};

static int setup(void **state)
{
    static struct fake_env fake;
    fake_env_init(&fake, 1);
    *state = &fake;
    return 0;
}

static int teardown(void **state)
{
    struct fake_env *fake = *state;
    return fake->live == 0 ? 0 : -1;
}

static struct ml_dep entry(uint8_t writer, uint32_t seq, uint8_t hash)
{
    return (struct ml_dep){.writer = {{writer}}, .seq = seq, .hash = {{hash}}};
}

static struct ml_gvec *make(struct fake_env *fake, struct ml_gvec *base, const struct ml_dep *add,
                            size_t count)
{
    struct ml_gvec *v = NULL;
    assert_int_equal(ml_gvec_extend(&v, &fake->env, base, add, count), ML_OK);
    return v;
}

static void entries_only_rise(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_dep first[] = {entry(1, 4, 1), entry(3, 2, 2)};
    struct ml_gvec *a = make(fake, NULL, first, 2);
    struct ml_gvec *b = NULL;
    const struct ml_dep same[] = {entry(3, 2, 2)};
    const struct ml_dep lower[] = {entry(1, 3, 2)};
    const struct ml_dep twice[] = {entry(2, 1, 1), entry(2, 2, 1)};
    const struct ml_dep unsorted[] = {entry(4, 1, 1), entry(2, 2, 1)};
    assert_int_equal(ml_gvec_extend(&b, &fake->env, a, same, 1), ML_E_MALFORMED);
    assert_int_equal(ml_gvec_extend(&b, &fake->env, a, lower, 1), ML_E_MALFORMED);
    assert_int_equal(ml_gvec_extend(&b, &fake->env, a, twice, 2), ML_E_MALFORMED);
    assert_int_equal(ml_gvec_extend(&b, &fake->env, a, unsorted, 2), ML_E_MALFORMED);
    assert_int_equal(ml_gvec_extend(&b, &fake->env, a, first, ML_GVEC_WRITERS_MAX + 1u),
                     ML_E_LIMIT);
    assert_null(b);
    const struct ml_dep next[] = {entry(0, 9, 1), entry(2, 1, 1), entry(3, 3, 5)};
    b = make(fake, a, next, 3);
    assert_int_equal(ml_gvec_count(b), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(ml_gvec_at(b, i)->writer.b[0], i);
    }
    assert_int_equal(ml_gvec_seq(b, &next[2].writer), 3);
    assert_int_equal(ml_gvec_seq(a, &next[2].writer), 2); /* the base stays */
    assert_int_equal(ml_gvec_seq(NULL, &next[2].writer), 0);
    struct ml_gvec *c = make(fake, b, NULL, 0);
    assert_ptr_equal(c, b);
    ml_gvec_unref(a);
    ml_gvec_unref(b);
    ml_gvec_unref(c);
    ml_gvec_unref(NULL);
}

static void covering_counts_numbers(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_dep low[] = {entry(1, 4, 1), entry(3, 2, 2)};
    const struct ml_dep high[] = {entry(1, 4, 9), entry(2, 1, 1), entry(3, 3, 2)};
    const struct ml_dep other[] = {entry(1, 9, 1)};
    struct ml_gvec *a = make(fake, NULL, low, 2);
    struct ml_gvec *b = make(fake, NULL, high, 3);
    struct ml_gvec *c = make(fake, NULL, other, 1);
    assert_true(ml_gvec_covers(b, a)); /* whatever the branch of writer 1 */
    assert_false(ml_gvec_covers(a, b));
    assert_false(ml_gvec_covers(c, a));
    assert_true(ml_gvec_covers(a, NULL));
    assert_false(ml_gvec_covers(NULL, a));
    assert_true(ml_gvec_covers(NULL, NULL));
    assert_false(ml_gvec_equal(a, b));
    assert_true(ml_gvec_equal(a, a));
    ml_gvec_unref(a);
    ml_gvec_unref(b);
    ml_gvec_unref(c);
}

static struct ml_gvec *random_vector(struct fake_env *fake)
{
    struct ml_dep add[6];
    size_t count = 0;
    for (uint8_t writer = 0; writer < 6; writer++) {
        if (fake_below(fake, 2) == 0) {
            add[count++] = entry(writer, 1 + (uint32_t)fake_below(fake, 5), 1);
        }
    }
    return make(fake, NULL, add, count);
}

static void assert_join(struct fake_env *fake, const struct ml_gvec *a, const struct ml_gvec *b)
{
    struct ml_gvec *ab = NULL;
    struct ml_gvec *ba = NULL;
    struct ml_gvec *again = NULL;
    assert_int_equal(ml_gvec_join(&ab, &fake->env, a, b), ML_OK);
    assert_int_equal(ml_gvec_join(&ba, &fake->env, b, a), ML_OK);
    assert_int_equal(ml_gvec_join(&again, &fake->env, ab, b), ML_OK);
    assert_true(ml_gvec_equal(ab, ba));
    assert_true(ml_gvec_equal(ab, again));
    assert_true(ml_gvec_covers(ab, a) && ml_gvec_covers(ab, b));
    for (size_t i = 0; i < ml_gvec_count(ab); i++) {
        const struct ml_dep *e = ml_gvec_at(ab, i);
        assert_true(e->seq == ml_gvec_seq(a, &e->writer) || e->seq == ml_gvec_seq(b, &e->writer));
    }
    ml_gvec_unref(ab);
    ml_gvec_unref(ba);
    ml_gvec_unref(again);
}

/* The join is the least vector that covers both: commutative by numbers, idempotent. */
static void joins_are_least_upper_bounds(void **state)
{
    struct fake_env *fake = *state;
    for (unsigned round = 0; round < 200; round++) {
        struct ml_gvec *a = random_vector(fake);
        struct ml_gvec *b = random_vector(fake);
        assert_join(fake, a, b);
        ml_gvec_unref(a);
        ml_gvec_unref(b);
    }
}

static void the_digest_binds_everything(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_org_id other = {{8}};
    struct ml_dep e[] = {entry(1, 4, 1), entry(3, 2, 2)};
    struct ml_gvec *a = make(fake, NULL, e, 2);
    struct ml_hash16 d = ml_gvec_digest(a, &org);
    struct ml_hash16 direct = ml_gctx_of(&org, e, 2);
    assert_memory_equal(d.b, direct.b, sizeof(d.b));
    struct ml_hash16 foreign = ml_gvec_digest(a, &other);
    assert_memory_not_equal(d.b, foreign.b, sizeof(d.b));
    struct ml_hash16 back = ml_gvec_digest(a, &org);
    assert_memory_equal(d.b, back.b, sizeof(d.b));
    e[1].hash.b[0]++;
    struct ml_gvec *b = make(fake, NULL, e, 2);
    struct ml_hash16 changed = ml_gvec_digest(b, &org);
    assert_memory_not_equal(d.b, changed.b, sizeof(d.b));
    struct ml_hash16 empty = ml_gvec_digest(NULL, &org);
    direct = ml_gctx_of(&org, NULL, 0);
    assert_memory_equal(empty.b, direct.b, sizeof(d.b));
    ml_gvec_unref(a);
    ml_gvec_unref(b);
}

static void the_stored_form_comes_back_or_is_refused(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_dep e[] = {entry(1, 4, 1), entry(3, 70000, 2)};
    struct ml_gvec *a = make(fake, NULL, e, 2);
    struct ml_gvec *b = NULL;
    struct ml_buf bytes;
    ml_buf_init(&bytes, &fake->env, 1000);
    assert_int_equal(ml_gvec_encode(&bytes, a), ML_OK);
    assert_int_equal(bytes.len, 2 * ML_GVEC_ENTRY_BYTES);
    assert_int_equal(ml_gvec_decode(&b, &fake->env, ml_buf_slice(&bytes)), ML_OK);
    assert_true(ml_gvec_equal(a, b));
    ml_gvec_unref(b);
    b = NULL;
    assert_int_equal(ml_gvec_decode(&b, &fake->env, ml_slice(bytes.data, bytes.len - 1)),
                     ML_E_CORRUPT);
    bytes.data[0] = 9; /* out of order */
    assert_int_equal(ml_gvec_decode(&b, &fake->env, ml_buf_slice(&bytes)), ML_E_CORRUPT);
    bytes.data[0] = 1;
    memset(bytes.data + 16, 0, 4); /* number 0 */
    assert_int_equal(ml_gvec_decode(&b, &fake->env, ml_buf_slice(&bytes)), ML_E_CORRUPT);
    assert_null(b);
    ml_buf_free(&bytes);
    ml_gvec_unref(a);
}

static void any_failed_alloc_is_told(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_dep e[] = {entry(1, 4, 1)};
    struct ml_gvec *a = make(fake, NULL, e, 1);
    struct ml_gvec *b = NULL;
    fake->fail_alloc = 1;
    assert_int_equal(ml_gvec_extend(&b, &fake->env, NULL, e, 1), ML_E_NOMEM);
    fake->fail_alloc = 1;
    assert_int_equal(ml_gvec_join(&b, &fake->env, a, a), ML_E_NOMEM);
    fake->fail_alloc = 1;
    assert_int_equal(ml_gvec_decode(&b, &fake->env, ml_slice(NULL, 0)), ML_E_NOMEM);
    fake->fail_alloc = 0;
    assert_null(b);
    ml_gvec_unref(a);
}

/* ---- frontier ---- */

static void the_frontier_digest_is_of_the_sorted_set(void **state)
{
    (void)state;
    struct ml_dep heads[] = {entry(3, 1, 1), entry(1, 2, 1), entry(1, 1, 1), entry(1, 1, 0)};
    struct ml_hole holes[] = {{entry(3, 1, 1), ML_ABSENT_PRUNED},
                              {entry(1, 1, 1), ML_ABSENT_NOT_RECEIVED}};
    static const uint8_t zero[16];
    ml_frontier_sort(heads, 4);
    ml_holes_sort(holes, 2);
    for (size_t i = 1; i < 4; i++) {
        assert_true(ml_dep_compare(&heads[i - 1], &heads[i]) < 0);
    }
    assert_int_equal(holes[0].bundle.writer.b[0], 1);
    struct ml_frontier_digest whole = ml_frontier_digest(heads, 4, NULL, 0);
    assert_memory_equal(whole.holes, zero, sizeof(zero));
    struct ml_frontier_digest with = ml_frontier_digest(heads, 4, holes, 2);
    assert_memory_equal(whole.frontier, with.frontier, 16);
    assert_memory_not_equal(with.holes, zero, sizeof(zero));
    holes[1].reason = ML_ABSENT_SHREDDED;
    struct ml_frontier_digest why = ml_frontier_digest(heads, 4, holes, 2);
    assert_memory_not_equal(with.holes, why.holes, 16);
    heads[0].seq++;
    struct ml_frontier_digest moved = ml_frontier_digest(heads, 4, NULL, 0);
    assert_memory_not_equal(whole.frontier, moved.frontier, 16);
    ml_frontier_sort(heads, 0);
    ml_holes_sort(holes, 1);
}

static void verdicts_and_reasons_have_names(void **state)
{
    (void)state;
    assert_string_equal(ml_verdict_name(ML_VERDICT_ACCEPTED), "accepted");
    assert_string_equal(ml_verdict_name(ML_VERDICT_PENDING), "pending");
    assert_string_equal(ml_verdict_name(ML_VERDICT_QUARANTINED), "quarantined");
    assert_string_equal(ml_verdict_name((ml_verdict)9), "?");
    assert_string_equal(ml_reason_name(ML_REASON_FORK), "FORK");
    assert_string_equal(ml_reason_name((ml_reason)999), "?");
    assert_string_equal(ml_reason_text((ml_reason)999), "?");
    assert_true(strlen(ml_reason_text(ML_REASON_GCTX)) > 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(entries_only_rise),
        TEST(covering_counts_numbers),
        TEST(joins_are_least_upper_bounds),
        TEST(the_digest_binds_everything),
        TEST(the_stored_form_comes_back_or_is_refused),
        TEST(any_failed_alloc_is_told),
        TEST(the_frontier_digest_is_of_the_sorted_set),
        TEST(verdicts_and_reasons_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
