/* test_authority_root.c -- other keys for Root (rules B16, ADR 0029): who may, with how many hands,
 * and what it takes away. */
#include "support_authority.h"

/* The hand that signs the smaller number is in force among concurrent ones. */
static struct ml_say rotate(uint8_t order)
{
    return (struct ml_say){
        .kind = ML_SAY_ROTATE, .member = ML_NOBODY, .node = ML_NOBODY, .order = {order}};
}

static uint32_t root_of(struct fixture *f)
{
    struct ml_view *v = NULL;
    assert_int_equal(ml_view_of_all(&v, f->a), ML_OK);
    const uint32_t root = ml_view_root(v);
    ml_view_free(v);
    return root;
}

static uint32_t last(const struct fixture *f)
{
    return (uint32_t)ml_authority_count(f->a) - 1;
}

/* ---- who may ---- */

static void a_majority_gives_root_other_keys(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(root_of(f), ML_NOBODY);
    assert_said(say(f, 0, rotate(1)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(rotate(1), 0)), ML_REASON_NO_AUTHORITY); /* his own once more */
    assert_said(say(f, 0, with(rotate(1), 3)), ML_REASON_NO_AUTHORITY); /* a member's */
    assert_said(say(f, 3, with(with(rotate(1), 0), 1)), ML_REASON_NO_AUTHORITY);
    assert_int_equal(root_of(f), ML_NOBODY);
    assert_said(say(f, 2, with(rotate(1), 0)), ACCEPTED); /* two of three, a référent among them */
    assert_int_equal(root_of(f), last(f));
}

/* Of four two are no majority. */
static void half_of_them_dont(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, by_root(grant(3, ML_RANK_COORDINATOR))), ACCEPTED);
    assert_said(say(f, 0, with(rotate(1), 1)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(with(rotate(1), 1), 3)), ACCEPTED);
}

/* Whoever has the sheets alone takes nothing over where others lead. */
static void root_alone_doesnt_where_others_could_sign(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, by_root(rotate(1))), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, by_root(deny(f, 1, ML_DENIAL_DEPARTURE))), ACCEPTED);
    assert_said(say(f, 0, by_root(rotate(1))), ML_REASON_NO_AUTHORITY); /* the référent */
}

static void where_one_leads_the_root_that_goes_signs(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, by_root(deny(f, 1, ML_DENIAL_DEPARTURE))), ACCEPTED);
    assert_said(say(f, 0, by_root(deny(f, 2, ML_DENIAL_DEPARTURE))), ACCEPTED);
    assert_said(say(f, 0, rotate(1)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 3, by_root(rotate(1))), ML_REASON_NO_AUTHORITY); /* not any member */
    assert_said(say(f, 0, by_root(rotate(1))), ACCEPTED);
    assert_int_equal(root_of(f), last(f));
}

/* Who is suspended still counts among those of whom more than half must agree. */
static void who_is_suspended_counts(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, by_root(deny(f, 2, ML_DENIAL_DEPARTURE))), ACCEPTED);
    assert_said(say(f, 0, deny(f, 1, ML_DENIAL_SUSPENSION)), ACCEPTED);
    assert_said(say(f, 0, by_root(rotate(1))), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(rotate(1), 1)), ML_REASON_NO_AUTHORITY);
}

/* Nothing cuts it, so nothing stands beside it. */
static void it_stands_alone_in_its_act(void **state)
{
    struct fixture *f = *state;
    const struct ml_say both[] = {with(rotate(1), 1), anything()};
    struct ml_ruling ruling;
    uint32_t *vec = f->vecs[f->acts++];
    memcpy(vec, f->seqs, sizeof(f->seqs));
    const struct ml_act_in in = {.writer = 0,
                                 .seq = ++f->seqs[0],
                                 .hlc = ml_hlc_make(f->now_ms, 0),
                                 .vec = vec,
                                 .says = both,
                                 .say_count = 2};
    assert_int_equal(ml_authority_add(f->a, &ruling, &in), ML_OK);
    assert_said(ruling, ML_REASON_NO_AUTHORITY);
}

/* ---- what it takes away ---- */

static void what_the_old_root_said_before_stays(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, by_root(grant(4, ML_RANK_COORDINATOR))), ACCEPTED);
    assert_said(say(f, 0, with(with(rotate(1), 1), 2)), ACCEPTED);
    assert_int_equal(rank_of(f, 4), ML_RANK_COORDINATOR);
}

/* The thief is a member who says that he hasn't heard of it. */
static void what_the_old_root_said_at_the_same_time_is_void(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, with(rotate(1), 1)), ACCEPTED);
    assert_said(say_having_seen(f, 3, before, by_root(grant(3, ML_RANK_COORDINATOR))), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ML_REASON_GRANT_FELL);
    assert_int_equal(rank_of(f, 3), ML_RANK_MEMBER);
    /* Nor can he take away those who agreed. */
    before[3] = f->seqs[3];
    assert_said(say_having_seen(f, 4, before, by_root(deny(f, 0, ML_DENIAL_COMPROMISE))), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ML_REASON_GRANT_FELL);
    assert_int_equal(rank_of(f, 0), ML_RANK_COORDINATOR);
    assert_int_not_equal(root_of(f), ML_NOBODY);
}

/* In whatever order it is heard: the thief's word first. */
static void it_is_void_whoever_is_heard_first(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    struct ml_say theft = by_root(deny(f, 1, ML_DENIAL_COMPROMISE));
    assert_said(say(f, 3, theft), ACCEPTED);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
    assert_said(say_having_seen(f, 0, before, with(rotate(1), 1)), ACCEPTED);
    assert_int_equal(reason_of_last(f, 1), ML_REASON_GRANT_FELL);
    assert_int_equal(rank_of(f, 1), ML_RANK_COORDINATOR);
    assert_int_equal(root_of(f), last(f));
}

/* No denial cuts it, also not one by the Root that it made. */
static void nothing_cuts_it(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    const struct ml_cut cut = {.writer = 0, .seq = f->seqs[0]}; /* all but the rotation */
    assert_said(say(f, 0, with(rotate(1), 1)), ACCEPTED);
    const uint32_t rotation = last(f);
    struct ml_say two = with(deny(f, 0, ML_DENIAL_COMPROMISE), 2);
    two.cuts = &cut;
    assert_said(say_having_seen(f, 1, before, two), ACCEPTED);
    assert_int_equal(rank_of(f, 0), ML_RANK_NODE);
    assert_int_equal(root_of(f), rotation);
    assert_int_equal(reason_of(f, rotation), ACCEPTED);
    struct ml_say root = by_root(deny(f, 0, ML_DENIAL_COMPROMISE));
    root.cuts = &cut;
    assert_said(say(f, 2, root), ACCEPTED);
    assert_int_equal(root_of(f), rotation);
}

/* ---- several ---- */

static void of_two_at_once_one_is_in_force(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, with(rotate(9), 1)), ACCEPTED);
    assert_said(say_having_seen(f, 2, before, with(rotate(4), 1)), ACCEPTED);
    const uint32_t smaller = last(f);
    assert_int_equal(root_of(f), smaller);
    assert_said(say(f, 0, with(rotate(8), 1)), ACCEPTED); /* who has seen both replaces both */
    assert_int_equal(root_of(f), last(f));
}

/* The thief makes himself a leader by the stolen sheets, and the only one, and rotates: what he
 * rests on is void by the rotation of those who led, whichever number is smaller. */
static void a_thiefs_rotation_falls_with_what_made_him(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 3, by_root(grant(3, ML_RANK_COORDINATOR))), ACCEPTED);
    for (uint32_t m = 0; m < 3; m++) {
        assert_said(say(f, 3, by_root(deny(f, m, ML_DENIAL_COMPROMISE))), ACCEPTED);
    }
    assert_said(say(f, 3, by_root(rotate(1))), ACCEPTED);
    assert_int_equal(root_of(f), last(f));
    assert_said(say_having_seen(f, 0, before, with(rotate(9), 1)), ACCEPTED);
    assert_int_equal(root_of(f), last(f));
    assert_int_equal(rank_of(f, 0), ML_RANK_COORDINATOR);
    assert_int_equal(rank_of(f, 3), ML_RANK_MEMBER);
    assert_int_equal(reason_of_last(f, 1), ML_REASON_GRANT_FELL);
}

/* Copied hands are nobody's once it was heard. */
static void hands_given_once_rotate_once(void **state)
{
    struct fixture *f = *state;
    struct ml_say proposal = with(rotate(1), 1);
    proposal.decision = 7;
    assert_said(say(f, 0, proposal), ACCEPTED);
    assert_said(say(f, 2, proposal), ML_REASON_NO_AUTHORITY);
    struct ml_say other = with(rotate(2), 1); /* proposed before, answered by the first */
    other.decision = 8;
    other.first_writer = 2;
    other.first_seq = f->seqs[2];
    assert_said(say(f, 2, anything()), ACCEPTED);
    proposal = with(rotate(3), 1);
    assert_said(say(f, 0, proposal), ACCEPTED); /* who had seen that place */
    assert_said(say(f, 2, other), ML_REASON_NO_AUTHORITY);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_majority_gives_root_other_keys),
        T(half_of_them_dont),
        T(root_alone_doesnt_where_others_could_sign),
        T(where_one_leads_the_root_that_goes_signs),
        T(who_is_suspended_counts),
        T(it_stands_alone_in_its_act),
        T(what_the_old_root_said_before_stays),
        T(what_the_old_root_said_at_the_same_time_is_void),
        T(it_is_void_whoever_is_heard_first),
        T(nothing_cuts_it),
        T(of_two_at_once_one_is_in_force),
        T(a_thiefs_rotation_falls_with_what_made_him),
        T(hands_given_once_rotate_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
