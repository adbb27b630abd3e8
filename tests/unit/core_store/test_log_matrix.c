/* test_log_matrix.c -- what a role may not write doesn't count, alike at every log (rules A1;
 * docs/habilitation.md). */
#include "support_matrix.h"

static void without_a_matrix_members_write_all(void **state)
{
    struct fixture *f = *state;
    struct ml_matrix m;
    records(f, f->one, NURSE, ML_REASON_NONE);
    assert_false(ml_gov_matrix(ml_log_gov(f->one), &m));
}

static void what_a_role_may_not_write_does_not_count(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    records(f, f->one, REFERENT, ML_REASON_NO_RIGHT); /* a rank is no role */
    records(f, f->one, DEPUTY, ML_REASON_NONE);
    const struct made file = write(f, f->one, NURSE, ML_LANE_BLOB);
    ruled(f->one, &file, ML_REASON_NO_RIGHT);
    const struct made key = write(f, f->one, NURSE, ML_LANE_KEYS);
    ruled(f->one, &key, ML_REASON_NONE); /* lanes 1 and 2 aren't asked */
    const struct made trace = write(f, f->one, NURSE, ML_LANE_TRACE);
    ruled(f->one, &trace, ML_REASON_NONE);
}

/* It is the action that counts, not the cell: who may read only writes nothing. */
static void to_read_is_not_to_write(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 3u << 8); /* reads all */
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
}

static void a_bundle_is_judged_by_the_matrix_that_it_saw(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    const struct made before = write(f, f->two, NURSE, ML_LANE_RECORD); /* hasn't heard */
    ruled(f->two, &before, ML_REASON_NONE);
    hear(&f->w, f->two);
    ruled(f->two, &before, ML_REASON_NONE);
    const struct made after = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &after, ML_REASON_NO_RIGHT);
    set_well(f, CREATES, CREATES);
    hear(&f->w, f->two);
    ruled(f->two, &after, ML_REASON_NO_RIGHT); /* for ever */
    hear(&f->w, f->one);
    ruled(f->one, &before, ML_REASON_NONE);
    ruled(f->one, &after, ML_REASON_NO_RIGHT);
    records(f, f->two, NURSE, ML_REASON_NONE);
}

static void what_had_no_right_may_be_adopted(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    const struct made m = write(f, f->one, NURSE, ML_LANE_RECORD);
    struct ml_log_entry entry;
    struct ml_govop op = {.type = ML_GOVOP_JUDGE};
    for (uint64_t n = 0; ml_log_after(f->one, n, UINT32_MAX, &entry) == ML_OK; n = entry.n) {
        op.u.judge.bundle = entry.hash;
    }
    assert_int_equal(say(f, f->one, DEPUTY, &op).verdict, ML_VERDICT_ACCEPTED);
    ruled(f->one, &m, ML_REASON_ADOPTED);
}

static void a_new_role_counts_from_where_it_was_seen(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    grant(f, NURSE, 3, DOCTOR);
    records(f, f->two, NURSE, ML_REASON_NONE); /* knows neither */
    records(f, f->one, NURSE, ML_REASON_NONE);
    grant(f, NURSE, 3, 12345); /* a role that the matrix doesn't name */
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
}

/* Two who didn't know of each other gave him two roles: both must allow it. */
static void of_two_roles_both_must_allow(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    grant(f, NURSE, 3, DOCTOR);
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add =
        (struct ml_member_add){.member = f->w.actors[NURSE].member, .rank = 3, .role = NURSING};
    assert_int_equal(say(f, f->two, DEPUTY, &op).verdict, ML_VERDICT_ACCEPTED);
    records(f, f->one, NURSE, ML_REASON_NONE);
    hear(&f->w, f->one);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    set_well(f, CREATES, CREATES);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

/* ---- who may set it, and which one stands ---- */

static void only_a_coordinator_sets_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(set(f, f->one, REFERENT, 0, 0).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(set(f, f->one, NURSE, 0, 0).reason, ML_REASON_NO_AUTHORITY);
    records(f, f->one, NURSE, ML_REASON_NONE);
    assert_int_equal(set(f, f->one, DEPUTY, 0, 0).verdict, ML_VERDICT_ACCEPTED);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
}

static void a_table_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = matrix(f, 1, 1);
    op.u.matrix.table.len--;
    assert_int_equal(say(f, f->one, CHIEF, &op).result, ML_LOG_REFUSED);
    world_forget_last(&f->w);
    records(f, f->one, NURSE, ML_REASON_NONE);
}

/* Rule (b) of domain 7.2. */
static void nobody_gives_his_own_role_more(void **state)
{
    struct fixture *f = *state;
    const unsigned self = CHIEF;
    const unsigned nurse = NURSE;
    const unsigned referent = REFERENT;
    set_well(f, 1, 1);
    assert_int_equal(set(f, f->one, CHIEF, CREATES, 1).reason, ML_REASON_NO_AUTHORITY);
    assert_int_equal(set(f, f->one, DEPUTY, CREATES, 1).reason, ML_REASON_NO_AUTHORITY);
    set_well(f, 1, CREATES); /* others' */
    struct ml_govop op = matrix(f, CREATES, CREATES);
    world_hands(&f->w, &op, &self, 1, false);
    assert_int_equal(say(f, f->one, CHIEF, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &nurse, 1, false);
    assert_int_equal(say(f, f->one, CHIEF, &op).reason, ML_REASON_NO_AUTHORITY);
    world_hands(&f->w, &op, &referent, 1, false);
    assert_int_equal(say(f, f->one, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    op = matrix(f, 0xf, 0);
    world_hands(&f->w, &op, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED); /* Root's hand */
}

static void of_concurrent_ones_the_stricter_cell_stands(void **state)
{
    struct fixture *f = *state;
    struct ml_matrix m;
    assert_int_equal(set(f, f->one, CHIEF, 3, 1 | 2u << 8).verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(set(f, f->two, DEPUTY, 1, 3u << 8).verdict, ML_VERDICT_ACCEPTED);
    const struct made knows_one = write(f, f->one, NURSE, ML_LANE_RECORD);
    ruled(f->one, &knows_one, ML_REASON_NONE);
    hear(&f->w, f->one);
    hear(&f->w, f->two);
    ruled(f->two, &knows_one, ML_REASON_NONE);
    assert_true(ml_gov_matrix(ml_log_gov(f->one), &m));
    assert_int_equal(ml_matrix_cell(&m, DOCTOR, ML_CLASS_ALERTS), 1);
    assert_int_equal(ml_matrix_cell(&m, NURSING, ML_CLASS_ALERTS), 2u << 8);
    assert_true(ml_gov_matrix(ml_log_gov(f->two), &m));
    assert_int_equal(ml_matrix_cell(&m, NURSING, ML_CLASS_ALERTS), 2u << 8);
    records(f, f->one, NURSE, ML_REASON_NO_RIGHT);
    assert_int_equal(set(f, f->two, DEPUTY, 1, CREATES).verdict, ML_VERDICT_ACCEPTED);
    records(f, f->two, REFERENT, ML_REASON_NONE); /* who sets it anew saw both */
}

/* A matrix by somebody who is being removed: what it allowed falls, what it took away comes back
 * for those who write from then on. */
static void the_matrix_of_who_is_removed_falls(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    grant(f, REFERENT, 2, DOCTOR);
    hear(&f->w, f->two);
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[DEPUTY].member,
                                   .mode = ML_DENY_COMPROMISE,
                                   .cuts = world_heads(f->one, &f->w.actors[DEPUTY].member)};
    assert_int_equal(set(f, f->two, DEPUTY, CREATES, CREATES).verdict, ML_VERDICT_ACCEPTED);
    const struct made record = write(f, f->two, NURSE, ML_LANE_RECORD);
    const struct made fine = write(f, f->two, REFERENT, ML_LANE_RECORD);
    ruled(f->two, &record, ML_REASON_NONE);
    world_hands(&f->w, &deny, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &deny).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->two);
    hear(&f->w, f->one);
    ruled(f->two, &record, ML_REASON_GRANT_FELL);
    ruled(f->one, &record, ML_REASON_GRANT_FELL);
    ruled(f->one, &fine, ML_REASON_NONE); /* the one before allows it */
    struct ml_matrix m;
    assert_true(ml_gov_matrix(ml_log_gov(f->one), &m));
    assert_int_equal(ml_matrix_cell(&m, NURSING, ML_CLASS_ALERTS), 0);
}

/* The same of a role that he gave: an older grant still counts, but not for what it didn't allow.
 */
static void the_role_of_who_is_removed_falls(void **state)
{
    struct fixture *f = *state;
    set_well(f, CREATES, 0);
    hear(&f->w, f->two);
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[DEPUTY].member,
                                   .mode = ML_DENY_COMPROMISE,
                                   .cuts = world_heads(f->one, &f->w.actors[DEPUTY].member)};
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add =
        (struct ml_member_add){.member = f->w.actors[NURSE].member, .rank = 3, .role = DOCTOR};
    assert_int_equal(say(f, f->two, DEPUTY, &op).verdict, ML_VERDICT_ACCEPTED);
    const struct made record = write(f, f->two, NURSE, ML_LANE_RECORD);
    ruled(f->two, &record, ML_REASON_NONE);
    world_hands(&f->w, &deny, NULL, 0, true);
    assert_int_equal(say(f, f->one, CHIEF, &deny).verdict, ML_VERDICT_ACCEPTED);
    hear(&f->w, f->two);
    ruled(f->two, &record, ML_REASON_GRANT_FELL);
}

/* ---- why ---- */

static void each_fact_is_told(void **state)
{
    struct fixture *f = *state;
    struct told t;
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_NO_MATRIX], 1);
    assert_int_equal(t.steps[ML_STEP_MEMBER], 1);
    set_well(f, CREATES, 1);
    const struct made set_by = f->w.made[f->w.made_count - 1];
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_OWN);
    assert_int_equal(t.steps[ML_STEP_MATRIX], 1);
    assert_int_equal(t.steps[ML_STEP_NO_MATRIX], 0);
    assert_int_equal(t.steps[ML_STEP_ALLOWS], 1);
    assert_int_equal(t.steps[ML_STEP_OWN], 1);
    assert_true(ml_dep_compare(&t.last, &set_by.id) != 0); /* how he was taken in */
    struct ml_govop op = role_grant(f, NURSE, DOCTOR, 0, 10);
    op.u.role_grant.supervisor = f->w.actors[CHIEF].member;
    give(f, f->one, CHIEF, op);
    const struct made given = f->w.made[f->w.made_count - 1];
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_GIVEN], 1);
    assert_int_equal(t.steps[ML_STEP_MEMBER], 0);
    assert_int_equal(t.steps[ML_STEP_COSIGN], 1);
    assert_int_equal(ml_dep_compare(&t.last, &given.id), 0);
    f->w.fake.wall_ms += 10;
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_ENDED], 1);
    assert_int_equal(t.steps[ML_STEP_COSIGN], 0);
    give(f, f->one, CHIEF, role_grant(f, NURSE, DOCTOR, 10, 20));
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_NOT_YET], 1);
    assert_int_equal(t.steps[ML_STEP_ENDED], 0); /* that one was replaced */
}

static void a_substitute_is_told_by_whom_he_replaces(void **state)
{
    struct fixture *f = *state;
    struct told t;
    set_well(f, CREATES | ML_CELL_COSIGN, 0);
    struct ml_govop op = role_grant(f, NURSE, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[DEPUTY].member;
    give(f, f->one, CHIEF, op);
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_REPLACES], 1);
    assert_int_equal(t.steps[ML_STEP_MEMBER], 1); /* that one's */
    assert_int_equal(t.steps[ML_STEP_COSIGN], 1);
    assert_int_equal(explain(f, f->one, REFERENT, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_DENIES], 1);
    f->w.fake.wall_ms += 100;
    op = role_grant(f, NURSE, 0, 0, 100);
    op.u.role_grant.replaces = f->w.actors[DEPUTY].member;
    give(f, f->one, CHIEF, op);
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_ALL);
    assert_int_equal(t.steps[ML_STEP_ENDED], 0); /* the one before was replaced */
}

static void who_is_denied_is_told_by_which_act(void **state)
{
    struct fixture *f = *state;
    struct told t;
    struct ml_govop deny = {.type = ML_GOVOP_DENY};
    deny.u.deny = (struct ml_deny){.member = f->w.actors[NURSE].member,
                                   .mode = ML_DENY_DEPARTURE,
                                   .cuts = world_heads(f->one, &f->w.actors[NURSE].member)};
    give(f, f->one, CHIEF, deny);
    const struct made denial = f->w.made[f->w.made_count - 1];
    assert_int_equal(explain(f, f->one, NURSE, &t), ML_SCOPE_NONE);
    assert_int_equal(t.steps[ML_STEP_DENIED], 1);
    assert_int_equal(t.steps[ML_STEP_NOT_MEMBER], 1);
    assert_int_equal(ml_dep_compare(&t.last, &denial.id), 0);
    assert_int_equal(explain(f, f->one, 7, &t), ML_SCOPE_NONE); /* a stranger */
    assert_int_equal(t.steps[ML_STEP_DENIED], 0);
    assert_int_equal(t.steps[ML_STEP_NOT_MEMBER], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_matrix_members_write_all),
        TEST(what_a_role_may_not_write_does_not_count),
        TEST(to_read_is_not_to_write),
        TEST(a_bundle_is_judged_by_the_matrix_that_it_saw),
        TEST(what_had_no_right_may_be_adopted),
        TEST(a_new_role_counts_from_where_it_was_seen),
        TEST(of_two_roles_both_must_allow),
        TEST(only_a_coordinator_sets_it),
        TEST(a_table_that_is_none_is_refused),
        TEST(nobody_gives_his_own_role_more),
        TEST(of_concurrent_ones_the_stricter_cell_stands),
        TEST(the_matrix_of_who_is_removed_falls),
        TEST(the_role_of_who_is_removed_falls),
        TEST(each_fact_is_told),
        TEST(a_substitute_is_told_by_whom_he_replaces),
        TEST(who_is_denied_is_told_by_which_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
