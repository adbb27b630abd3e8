/* test_hands.c -- what second signatures are for (docs/protocol/ops.md, "Further hands"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/env.h"
#include "core/codec/govop.h"

static struct ml_hash hands_hash(const struct ml_govop *op, const struct ml_org_id *org,
                                 const struct ml_header *at)
{
    struct ml_hash hash;
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_GOVOP_BYTES_MAX);
    assert_int_equal(ml_govop_encode(&b, op), ML_OK);
    assert_int_equal(ml_govop_hands_hash(&hash, ml_buf_slice(&b), org, at), ML_OK);
    ml_buf_free(&b);
    return hash;
}

static void assert_other(struct ml_hash a, struct ml_hash b)
{
    assert_memory_not_equal(a.b, b.b, sizeof(a.b));
}

static void assert_same(struct ml_hash a, struct ml_hash b)
{
    assert_memory_equal(a.b, b.b, sizeof(a.b));
}

/* Members sign the op and its structure. */
static void they_are_bound_to_what_is_said(void **state)
{
    (void)state;
    struct ml_org_id org = {{1}};
    const struct ml_header at = {.seq = 7};
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .u.member_add = {.rank = 1, .role = 10}};
    const struct ml_hash first = hands_hash(&op, &org, &at);
    org.b[31] = 1;
    assert_other(first, hands_hash(&op, &org, &at));
    org.b[31] = 0;
    op.u.member_add.rank = 2;
    assert_other(first, hands_hash(&op, &org, &at));
}

/* And the place where it was said first: the same for whoever says it again, naming that. */
static void they_are_bound_to_the_first_place(void **state)
{
    (void)state;
    const struct ml_org_id org = {{1}};
    struct ml_header at = {.seq = 7};
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .u.member_add = {.rank = 1, .role = 10}};
    struct ml_hands *hands = &op.u.member_add.hands;
    const struct ml_hash first = hands_hash(&op, &org, &at);
    at.gctx.b[15] = 1; /* not what else was seen there: others say it with more in sight */
    assert_same(first, hands_hash(&op, &org, &at));
    hands->first = ml_govop_first(&op, &at);
    at.seq = 9;
    at.writer.b[15] = 1;
    assert_same(first, hands_hash(&op, &org, &at));
    assert_int_equal(ml_govop_first(&op, &at).seq, 7);
    hands->first.seq = 8;
    assert_other(first, hands_hash(&op, &org, &at));
    hands->first = (struct ml_act_place){.writer = {{1}}, .seq = 7};
    assert_other(first, hands_hash(&op, &org, &at));
    *hands = (struct ml_hands){.first = {.seq = 0}};
    assert_other(first, hands_hash(&op, &org, &at)); /* bare, elsewhere */
}

static void other_ops_take_none(void **state)
{
    (void)state;
    const struct ml_org_id org = {{1}};
    const struct ml_header at = {.seq = 7};
    const struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD};
    struct ml_hash none;
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_GOVOP_BYTES_MAX);
    assert_int_equal(ml_govop_encode(&b, &op), ML_OK);
    assert_int_equal(ml_govop_hands_hash(&none, ml_buf_slice(&b), &org, &at), ML_E_INVALID);
    ml_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_bound_to_what_is_said),
        cmocka_unit_test(they_are_bound_to_the_first_place),
        cmocka_unit_test(other_ops_take_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
