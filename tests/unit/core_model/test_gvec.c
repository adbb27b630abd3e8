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
    struct ml_gvec *v = ml_gvec_ref(base);
    assert_int_equal(ml_gvec_add(&v, &fake->env, add, count), ML_OK);
    return v;
}

static void entries_only_rise(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_dep first[] = {entry(1, 4, 1), entry(3, 2, 2)};
    struct ml_gvec *a = make(fake, NULL, first, 2);
    struct ml_gvec *b = NULL;
    const struct ml_dep twice[] = {entry(2, 1, 1), entry(2, 2, 1)};
    const struct ml_dep unsorted[] = {entry(4, 1, 1), entry(2, 2, 1)};
    struct ml_gvec *same = a;
    assert_int_equal(ml_gvec_add(&same, &fake->env, twice, 2), ML_E_MALFORMED);
    assert_int_equal(ml_gvec_add(&same, &fake->env, unsorted, 2), ML_E_MALFORMED);
    assert_int_equal(ml_gvec_add(&same, &fake->env, first, ML_GVEC_WRITERS_MAX + 1u), ML_E_LIMIT);
    const struct ml_dep had[] = {entry(1, 3, 0), entry(3, 2, 2)};
    assert_int_equal(ml_gvec_add(&same, &fake->env, had, 2), ML_OK);
    assert_ptr_equal(same, a); /* nothing new: shared */
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

static struct ml_gvec *join(struct fake_env *fake, struct ml_gvec *a, struct ml_gvec *b)
{
    struct ml_gvec *v = ml_gvec_ref(a);
    assert_int_equal(ml_gvec_join(&v, &fake->env, b), ML_OK);
    return v;
}

/* Of one number the smaller hash stays, whoever comes first. */
static void of_a_forks_branches_one_stays(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_dep low[] = {entry(1, 4, 1), entry(3, 2, 2)};
    const struct ml_dep high[] = {entry(1, 4, 9), entry(2, 1, 1), entry(3, 3, 2)};
    struct ml_gvec *a = make(fake, NULL, low, 2);
    struct ml_gvec *b = make(fake, NULL, high, 3);
    struct ml_gvec *ab = join(fake, a, b);
    struct ml_gvec *ba = join(fake, b, a);
    assert_true(ml_gvec_equal(ab, ba));
    assert_int_equal(ml_gvec_find(ab, &low[0].writer)->hash.b[0], 1);
    assert_false(ml_gvec_equal(a, b));
    assert_true(ml_gvec_equal(a, a));
    ml_gvec_unref(a);
    ml_gvec_unref(b);
    ml_gvec_unref(ab);
    ml_gvec_unref(ba);
}

static struct ml_gvec *random_vector(struct fake_env *fake)
{
    struct ml_dep add[6];
    size_t count = 0;
    for (uint8_t writer = 0; writer < 6; writer++) {
        if (fake_below(fake, 2) == 0) {
            add[count++] =
                entry(writer, 1 + (uint32_t)fake_below(fake, 5), (uint8_t)fake_below(fake, 3));
        }
    }
    return make(fake, NULL, add, count);
}

static void assert_join(struct fake_env *fake, struct ml_gvec *a, struct ml_gvec *b,
                        struct ml_gvec *c)
{
    struct ml_gvec *ab = join(fake, a, b);
    struct ml_gvec *ba = join(fake, b, a);
    struct ml_gvec *again = join(fake, ab, b);
    struct ml_gvec *ab_c = join(fake, ab, c);
    struct ml_gvec *bc = join(fake, b, c);
    struct ml_gvec *a_bc = join(fake, a, bc);
    assert_true(ml_gvec_equal(ab, ba));
    assert_true(ml_gvec_equal(ab_c, a_bc));
    assert_ptr_equal(ab, again); /* nothing new: shared */
    for (size_t i = 0; i < ml_gvec_count(ab); i++) {
        const struct ml_dep *e = ml_gvec_at(ab, i);
        uint32_t in_a = ml_gvec_seq(a, &e->writer);
        uint32_t in_b = ml_gvec_seq(b, &e->writer);
        assert_int_equal(e->seq, in_a > in_b ? in_a : in_b);
    }
    ml_gvec_unref(ab);
    ml_gvec_unref(ba);
    ml_gvec_unref(again);
    ml_gvec_unref(ab_c);
    ml_gvec_unref(bc);
    ml_gvec_unref(a_bc);
}

/* The join is the least vector above both: commutative, associative, idempotent. */
static void joins_are_least_upper_bounds(void **state)
{
    struct fake_env *fake = *state;
    for (unsigned round = 0; round < 200; round++) {
        struct ml_gvec *a = random_vector(fake);
        struct ml_gvec *b = random_vector(fake);
        struct ml_gvec *c = random_vector(fake);
        assert_join(fake, a, b, c);
        ml_gvec_unref(a);
        ml_gvec_unref(b);
        ml_gvec_unref(c);
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

static void any_failed_alloc_is_told_and_changes_nothing(void **state)
{
    struct fake_env *fake = *state;
    const struct ml_dep e[] = {entry(1, 4, 1)};
    const struct ml_dep more[] = {entry(2, 4, 1)};
    struct ml_gvec *a = make(fake, NULL, e, 1);
    struct ml_gvec *b = make(fake, NULL, more, 1);
    struct ml_gvec *v = a;
    fake->fail_alloc = 1;
    assert_int_equal(ml_gvec_add(&v, &fake->env, more, 1), ML_E_NOMEM);
    fake->fail_alloc = 1;
    assert_int_equal(ml_gvec_join(&v, &fake->env, b), ML_E_NOMEM);
    assert_ptr_equal(v, a);
    fake->fail_alloc = 1;
    v = NULL;
    assert_int_equal(ml_gvec_decode(&v, &fake->env, ml_slice(NULL, 0)), ML_E_NOMEM);
    fake->fail_alloc = 0;
    assert_null(v);
    ml_gvec_unref(a);
    ml_gvec_unref(b);
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
        TEST(of_a_forks_branches_one_stays),
        TEST(joins_are_least_upper_bounds),
        TEST(the_digest_binds_everything),
        TEST(the_stored_form_comes_back_or_is_refused),
        TEST(any_failed_alloc_is_told_and_changes_nothing),
        TEST(the_frontier_digest_is_of_the_sorted_set),
        TEST(verdicts_and_reasons_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
