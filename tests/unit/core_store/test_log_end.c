/* test_log_end.c -- a record whose time is over: the last wrap of a key goes when two members, one
 * of whom leads, say so, and never else (ADR 0024). */
#include "support_shred.h"

/* The wrap names itself: nothing stands in its place. */
static struct ml_keyop end_op(const struct fixture *f)
{
    static struct ml_shred_wrap one;
    one = (struct ml_shred_wrap){
        .wrap.id = f->wrap, .by.id = f->wrap, .epoch.id = f->epoch, .dek = dek};
    return (struct ml_keyop){.type = ML_KEYOP_SHRED,
                             .u.shred = {.stream = stream, .wraps = {.items = &one, .count = 1}}};
}

static void end_by(struct fixture *f, unsigned by)
{
    const struct ml_keyop op = end_op(f);
    (void)shred_by(f, by, &op);
}

static void two_members_of_whom_one_leads_destroy_the_last_wrap(void **state)
{
    struct fixture *f = *state;
    struct ml_log_shredded told;
    end_by(f, NURSE);
    assert_false(is_leaf(f->a, &f->wrap));
    assert_int_equal(ml_log_shreds(f->a), 0);
    end_by(f, CHIEF);
    assert_true(is_leaf(f->a, &f->wrap));
    assert_int_equal(ml_log_shreds(f->a), 2); /* each of the two is done */
    for (uint64_t n = 0; n < 2; n++) {
        assert_int_equal(ml_log_shredded_after(f->a, n, &told), ML_OK);
        assert_true(told.ended && told.left == 0);
    }
    assert_false(is_leaf(f->a, &f->slots)); /* nobody named those */
}

static void nobody_does_alone_however_often(void **state)
{
    struct fixture *f = *state;
    end_by(f, CHIEF);
    end_by(f, CHIEF);
    assert_false(is_leaf(f->a, &f->wrap));
    assert_int_equal(ml_log_shreds(f->a), 0);
}

static void nor_do_two_of_whom_none_leads(void **state)
{
    struct fixture *f = *state;
    end_by(f, NURSE);
    end_by(f, COLLEAGUE);
    assert_false(is_leaf(f->a, &f->wrap));
    end_by(f, CHIEF);
    assert_true(is_leaf(f->a, &f->wrap));
}

static void who_is_not_entitled_in_the_group_is_no_second(void **state)
{
    struct fixture *f = *state;
    end_by(f, CHIEF);
    end_by(f, STUDENT);
    assert_false(is_leaf(f->a, &f->wrap));
}

static void a_second_names_the_same_key(void **state)
{
    struct fixture *f = *state;
    struct ml_shred_wrap one = {
        .wrap.id = f->wrap, .by.id = f->wrap, .epoch.id = f->epoch, .dek = {{0xd2}}};
    struct ml_keyop op = {.type = ML_KEYOP_SHRED,
                          .u.shred = {.stream = stream, .wraps = {.items = &one, .count = 1}}};
    (void)shred_by(f, NURSE, &op);
    one.dek = dek;
    op.u.shred.stream.b[0] ^= 1;
    (void)shred_by(f, COLLEAGUE, &op);
    end_by(f, CHIEF);
    assert_false(is_leaf(f->a, &f->wrap));
}

/* A SHRED that replaces is no second signature for an end. */
static void who_replaces_it_doesnt_end_it(void **state)
{
    struct fixture *f = *state;
    struct ml_shred_wrap one = {
        .wrap.id = f->wrap, .by.id = f->epoch, .epoch.id = f->epoch, .dek = dek};
    const struct ml_keyop op = {
        .type = ML_KEYOP_SHRED,
        .u.shred = {.stream = stream, .wraps = {.items = &one, .count = 1}}};
    (void)shred_by(f, NURSE, &op);
    end_by(f, CHIEF);
    assert_false(is_leaf(f->a, &f->wrap));
}

/* The two arrive in any order, on a node that has the leaf from another too (teardown: backwards).
 */
static void a_late_node_takes_the_leaf_with_both(void **state)
{
    struct fixture *f = *state;
    struct ml_log_entry e = {.n = 0};
    struct ml_log *b = world_log(&f->w);
    end_by(f, NURSE);
    end_by(f, CHIEF);
    while (ml_log_after(f->a, e.n, UINT32_MAX, &e) == ML_OK) {
        struct ml_buf wire;
        ml_buf_init(&wire, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
        assert_int_equal(ml_bundle_join(&wire, e.header_bytes, &e.sig, &e.body), ML_OK);
        (void)world_ingest(b, ml_buf_slice(&wire));
        ml_buf_free(&wire);
    }
    assert_true(is_leaf(b, &f->wrap));
    assert_true(world_same_state(f->a, b));
    assert_int_equal(ml_log_verify(b, no_problem, NULL), ML_OK);
    ml_log_close(b);
}

static struct ml_keyop end_of(const struct fixture *f, const struct ml_version_id *wrap,
                              struct ml_shred_wrap *one)
{
    *one =
        (struct ml_shred_wrap){.wrap.id = *wrap, .by.id = *wrap, .epoch.id = f->epoch, .dek = dek};
    return (struct ml_keyop){.type = ML_KEYOP_SHRED,
                             .u.shred = {.stream = stream, .wraps = {.items = one, .count = 1}}};
}

/* Somebody was left out once, and the record ends later: who comes then takes both leaves. */
static void what_was_replaced_by_what_ended_is_accounted_for(void **state)
{
    struct fixture *f = *state;
    struct ml_log_entry e = {.n = 0};
    struct ml_log_counts counts;
    struct ml_shred_wrap one;
    const struct ml_keyop replaced = shred_op(f);
    (void)shred_by(f, CHIEF, &replaced);
    assert_true(is_leaf(f->a, &f->wrap) && !is_leaf(f->a, &f->slots));
    const struct ml_keyop op = end_of(f, &f->slots, &one);
    (void)shred_by(f, NURSE, &op);
    (void)shred_by(f, CHIEF, &op);
    assert_true(is_leaf(f->a, &f->slots));
    struct ml_log *b = world_log(&f->w);
    while (ml_log_after(f->a, e.n, UINT32_MAX, &e) == ML_OK) {
        struct ml_buf wire;
        ml_buf_init(&wire, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
        assert_int_equal(ml_bundle_join(&wire, e.header_bytes, &e.sig, &e.body), ML_OK);
        (void)world_ingest(b, ml_buf_slice(&wire));
        ml_buf_free(&wire);
    }
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.bodies_missing, 0);
    assert_true(is_leaf(b, &f->wrap) && is_leaf(b, &f->slots));
    ml_log_close(b);
}

/* Whatever allocation fails, it is done or done again. */
static void no_failed_alloc_leaves_it_half_done(void **state)
{
    struct fixture *f = *state;
    bool spared = false;
    end_by(f, NURSE);
    struct ml_log *b = world_log(&f->w);
    hear(f, b);
    end_by(f, CHIEF);
    const struct ml_slice wire = f->w.made[f->w.made_count - 1].wire;
    for (long nth = 1; !spared; nth++) {
        struct ml_log_outcome o = {.result = ML_LOG_STORED};
        f->w.fake.fail_alloc = nth;
        ml_err err = ml_log_ingest(b, &wire, 1, take_outcome, &o);
        spared = f->w.fake.fail_alloc > 0;
        f->w.fake.fail_alloc = 0;
        assert_true(err == ML_OK || (err == ML_E_NOMEM && !spared));
        assert_true(err != ML_OK || is_leaf(b, &f->wrap));
    }
    assert_true(is_leaf(b, &f->wrap));
    ml_log_close(b);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_members_of_whom_one_leads_destroy_the_last_wrap),
        T(nobody_does_alone_however_often),
        T(nor_do_two_of_whom_none_leads),
        T(who_is_not_entitled_in_the_group_is_no_second),
        T(a_second_names_the_same_key),
        T(who_replaces_it_doesnt_end_it),
        T(a_late_node_takes_the_leaf_with_both),
        T(what_was_replaced_by_what_ended_is_accounted_for),
        T(no_failed_alloc_leaves_it_half_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
