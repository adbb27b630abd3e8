/* test_log_role.c -- dated roles, and whom one replaces: what they allow, and when they have ended
 * (rules B15; docs/governance.md). */
#include "support_matrix.h"

static void a_dated_role_begins_and_ends(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 100, 200));
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED); /* not yet */
    f->w.fake.wall_ms = now + 100;
    records(f, f->one, NURSE, ML_REASON_NONE);
    f->w.fake.wall_ms = now + 200;
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

/* The end is the first moment outside, the beginning the first inside. */
static void its_bounds_are_exact(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = role_grant(f, NURSE, DOCTOR, 10, 12);
    const uint64_t from = op.u.role_grant.from_ms;
    give(f, f->one, CHIEF, op);
    static const ml_reason at[] = {ML_REASON_ROLE_ENDED, ML_REASON_NONE, ML_REASON_NONE,
                                   ML_REASON_ROLE_ENDED};
    for (unsigned i = 0; i < 4; i++) {
        f->w.fake.wall_ms = from - 1 + i;
        records(f, f->one, NURSE, at[i]); /* without a matrix too */
    }
}

static void given_roles_take_the_place_of_the_first(void **state)
{
    struct fixture *f = *state;
    set_well(f, 0, CREATES);
    records(f, f->one, NURSE, ML_REASON_NONE);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 0));
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    give(f, f->one, CHIEF, role_grant(f, NURSE, NURSING, 0, 0)); /* any of them is enough */
    records(f, f->one, NURSE, ML_REASON_NONE);
    struct ml_govop op = role_grant(f, NURSE, NURSING, 0, 1); /* the same anew replaces it */
    f->w.fake.wall_ms += 10;
    give(f, f->one, CHIEF, op);
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
    give(f, f->one, CHIEF, role_grant(f, NURSE, NURSING, 0, 100)); /* the older doesn't matter */
    records(f, f->one, NURSE, ML_REASON_NONE);
}

static void of_concurrent_dates_both_must_hold(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 0));
    give(f, f->two, DEPUTY, role_grant(f, NURSE, DOCTOR, 0, 5));
    f->w.fake.wall_ms += 10;
    records(f, f->one, NURSE, ML_REASON_NONE);
    hear(&f->w, f->one);
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

/* A clock set back doesn't help whoever has heard that the end has passed: of two members, by a
 * référent or a coordinator. */
static void an_end_that_was_seen_has_passed(void **state)
{
    struct fixture *f = *state;
    const struct ml_govop check = {.type = ML_GOVOP_CHECKPOINT};
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    const uint64_t before = f->w.fake.wall_ms;
    f->w.fake.wall_ms = before + 60;
    give(f, f->one, CHIEF, check);
    f->w.fake.wall_ms = before;
    records(f, f->one, NURSE, ML_REASON_NONE); /* a single clock ends nothing */
    f->w.fake.wall_ms = before + 60;
    give(f, f->one, REFERENT, check);
    f->w.fake.wall_ms = before + 5;
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

/* Two clocks past the end, seen by who may say so. */
static void pass(struct fixture *f, struct ml_log *log, uint64_t ms)
{
    const struct ml_govop check = {.type = ML_GOVOP_CHECKPOINT};
    f->w.fake.wall_ms = ms;
    give(f, log, CHIEF, check);
    give(f, log, REFERENT, check);
}

/* Rules B15: what comes from before the end by its own clock, and nobody saw in time, isn't
 * believed: the clock may have been set back. */
static void the_end_of_a_role_is_a_departure(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    hear(&f->w, f->two);
    const struct made named = write(f, f->two, NURSE, ML_LANE_RECORD);
    (void)write(f, f->two, DEPUTY, ML_LANE_RECORD); /* who has heard of no end */
    const struct made alone = write(f, f->two, NURSE, ML_LANE_RECORD);
    pass(f, f->one, now + 60);
    hear(&f->w, f->one);
    ruled(f->one, &named, ML_REASON_NONE);
    ruled(f->one, &alone, ML_REASON_ROLE_ENDED);
    ruled(f->two, &alone, ML_REASON_NONE);
    hear(&f->w, f->two);
    ruled(f->two, &named, ML_REASON_NONE);
    ruled(f->two, &alone, ML_REASON_ROLE_ENDED);
}

static void who_has_seen_the_end_is_no_witness(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    struct ml_log *late = world_log(&f->w);
    hear(&f->w, late);
    hear(&f->w, f->two);
    const struct made alone = write(f, late, NURSE, ML_LANE_RECORD);
    pass(f, f->one, now + 60);
    hear(&f->w, f->one);
    (void)write(f, f->one, DEPUTY, ML_LANE_RECORD); /* names it, and knows */
    ruled(f->one, &alone, ML_REASON_ROLE_ENDED);
    f->w.fake.wall_ms = now;
    assert_int_equal(world_ingest(f->two, wire_of(f, &alone)).result, ML_LOG_STORED);
    const struct made word = write(f, f->two, REFERENT, ML_LANE_RECORD);
    assert_int_equal(world_ingest(f->one, wire_of(f, &word)).result, ML_LOG_STORED);
    ruled(f->one, &alone, ML_REASON_NONE); /* REFERENT's comes late, and hadn't seen the end */
    ml_log_close(late);
}

/* Who had seen that a role goes on doesn't lose by its first date. */
static void a_role_renewed_in_time_has_not_ended(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    hear(&f->w, f->two);
    const struct made m = write(f, f->two, NURSE, ML_LANE_RECORD);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 500));
    pass(f, f->one, now + 60);
    hear(&f->w, f->one);
    ruled(f->one, &m, ML_REASON_NONE);
    pass(f, f->one, now + 600);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 1000)); /* too late for that one */
    ruled(f->one, &m, ML_REASON_ROLE_ENDED);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

/* Nobody else has told of the end: his own clock says that it is late. */
static void a_late_clock_renews_nothing(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    hear(&f->w, f->two);
    const struct made m = write(f, f->two, NURSE, ML_LANE_RECORD);
    f->w.fake.wall_ms = now + 55;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 500));
    pass(f, f->one, now + 60);
    hear(&f->w, f->one);
    ruled(f->one, &m, ML_REASON_ROLE_ENDED);
}

/* Nor does a clock set back, of somebody who has seen the end. */
static void who_has_seen_the_end_renews_nothing(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 50));
    hear(&f->w, f->two);
    const struct made m = write(f, f->two, NURSE, ML_LANE_RECORD);
    pass(f, f->one, now + 60);
    f->w.fake.wall_ms = now + 5;
    give(f, f->one, DEPUTY, role_grant(f, NURSE, DOCTOR, 0, 500));
    hear(&f->w, f->one);
    ruled(f->one, &m, ML_REASON_ROLE_ENDED);
}

/* Architecture R6: a role that ends at nine, work offline until six: nothing is lost. */
static void a_role_ended_at_once_leaves_out_what_was_not_seen(void **state)
{
    struct fixture *f = *state;
    const uint64_t now = f->w.fake.wall_ms;
    set_well(f, CREATES, 0);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 0, 0));
    hear(&f->w, f->two);
    const struct made morning = write(f, f->two, NURSE, ML_LANE_RECORD);
    f->w.fake.wall_ms = now + 10;
    struct ml_govop op = role_grant(f, NURSE, DOCTOR, 0, 0);
    op.u.role_grant.until_ms = now + 9;
    give(f, f->one, CHIEF, op);
    records(f, f->one, DEPUTY, ML_REASON_NONE);
    const struct made evening = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &evening, ML_REASON_NONE);
    hear(&f->w, f->one);
    ruled(f->one, &morning, ML_REASON_ROLE_ENDED);
    ruled(f->one, &evening, ML_REASON_ROLE_ENDED);
    f->w.fake.wall_ms = now + 5; /* whoever has seen it can't set his clock back */
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED);
}

static void a_substitute_has_the_roles_of_whom_he_replaces(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    struct ml_govop op = role_grant(f, NURSE, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[DEPUTY].member;
    const uint64_t until = op.u.role_grant.until_ms;
    give(f, f->one, CHIEF, op);
    records(f, f->one, NURSE, ML_REASON_NONE);
    op = role_grant(f, REFERENT, 0, 0, 100); /* not those whom that one replaces */
    op.u.role_grant.replaces = f->w.actors[NURSE].member;
    give(f, f->one, CHIEF, op);
    records(f, f->one, REFERENT, ML_REASON_NO_RIGHT);
    set_well(f, 0, CREATES);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT); /* what he may not, his substitute may not */
    const unsigned hand = DEPUTY;
    op = matrix(f, CREATES, 0);
    world_hands(&f->w, &op, &hand, 1, false);
    give(f, f->one, CHIEF, op);
    f->w.fake.wall_ms = until;
    records(f, f->one, NURSE, ML_REASON_ROLE_ENDED); /* by itself */
}

static void nobody_gives_himself_a_role(void **state)
{
    struct fixture *f = *state;
    const unsigned self = REFERENT;
    const unsigned other = DEPUTY;
    struct ml_govop op = role_grant(f, REFERENT, DOCTOR, 0, 0);
    assert_int_equal(say(f, f->one, REFERENT, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &self, 1, false);
    assert_int_equal(say(f, f->one, REFERENT, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &other, 1, false);
    assert_int_equal(say(f, f->one, REFERENT, &op).verdict, ML_VERDICT_ACCEPTED);
    op = role_grant(f, CHIEF, NURSING, 0, 0); /* nor his better, nor his equal */
    assert_int_equal(say(f, f->one, REFERENT, &op).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(say(f, f->one, DEPUTY, &op).reason, ML_REASON_NO_AUTHORITY);
    op = role_grant(f, REFERENT, NURSING, 0, 0);
    assert_int_equal(say(f, f->one, NURSE, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &other, 1, false);
    assert_int_equal(say(f, f->one, NURSE, &op).reason, ML_REASON_NO_AUTHORITY);
    give(f, f->one, REFERENT, role_grant(f, NURSE, DOCTOR, 0, 0));
}

/* Who may write is asked of all that was said about his roles, also by who had no right to. */
static void what_had_no_right_replaces_no_role(void **state)
{
    struct fixture *f = *state;
    set_well(f, 0, CREATES);
    give(f, f->one, CHIEF, role_grant(f, NURSE, NURSING, 0, 100));
    struct ml_govop op = role_grant(f, NURSE, NURSING, 0, 0);
    assert_int_equal(say(f, f->one, NURSE, &op).reason, ML_REASON_NO_AUTHORITY);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

static void a_dated_role_by_who_is_removed_falls(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[DEPUTY].member,
                                   .mode = ML_DENY_COMPROMISE,
                                   .cuts = world_heads(f->one, &f->w.actors[DEPUTY].member)};
    give(f, f->two, DEPUTY, role_grant(f, NURSE, DOCTOR, 0, 0));
    const struct made record = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &record, ML_REASON_NONE);
    world_hands(&f->w, &deny, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &deny).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->two);
    ruled(f->two, &record, ML_REASON_GRANT_FELL);
}

/* More for a role that one was given, or of whom one replaces, is more for oneself. */
static void nobody_gives_a_role_that_he_was_given_more(void **state)
{
    struct fixture *f = *state;
    set_well(f, 1, 1);
    struct ml_govop op = role_grant(f, DEPUTY, NURSING, 0, 0);
    world_hands(&f->w, &op, NULL, 0, true);
    give(f, f->one, CHIEF, op);
    assert_int_equal(set(f, f->one, DEPUTY, 1, CREATES).reason, ML_REASON_NO_AUTHORITY);
    op = role_grant(f, CHIEF, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[NURSE].member;
    world_hands(&f->w, &op, NULL, 0, true);
    give(f, f->one, DEPUTY, op);
    assert_int_equal(set(f, f->one, CHIEF, 1, CREATES).reason, ML_REASON_NO_AUTHORITY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dated_role_begins_and_ends),
        TEST(its_bounds_are_exact),
        TEST(given_roles_take_the_place_of_the_first),
        TEST(of_concurrent_dates_both_must_hold),
        TEST(an_end_that_was_seen_has_passed),
        TEST(the_end_of_a_role_is_a_departure),
        TEST(who_has_seen_the_end_is_no_witness),
        TEST(a_role_renewed_in_time_has_not_ended),
        TEST(a_late_clock_renews_nothing),
        TEST(who_has_seen_the_end_renews_nothing),
        TEST(a_role_ended_at_once_leaves_out_what_was_not_seen),
        TEST(a_substitute_has_the_roles_of_whom_he_replaces),
        TEST(nobody_gives_himself_a_role),
        TEST(a_dated_role_by_who_is_removed_falls),
        TEST(what_had_no_right_replaces_no_role),
        TEST(nobody_gives_a_role_that_he_was_given_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
