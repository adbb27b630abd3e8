/* test_authority.c -- one rule of core/model/authority_*.c per test, in a structure of a few
 * people: each says what he says on his own node, having seen what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support_authority.h"

/* ---- one's own right ---- */

static void ranks_are_as_given(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rank_of(f, 0), ML_RANK_COORDINATOR);
    assert_int_equal(rank_of(f, 1), ML_RANK_COORDINATOR);
    assert_int_equal(rank_of(f, 2), ML_RANK_REFERENT);
    assert_int_equal(rank_of(f, 3), ML_RANK_MEMBER);
    assert_int_equal(rank_of(f, 5), ML_RANK_NODE);
}

static void nobody_raises_himself(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 2, grant(2, ML_RANK_COORDINATOR)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 3, grant(3, ML_RANK_REFERENT)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 2, with(grant(2, ML_RANK_COORDINATOR), 1)), ML_REASON_NO_AUTHORITY);
    assert_int_equal(rank_of(f, 2), ML_RANK_REFERENT);
}

static void nobody_lowers_his_equal(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, grant(1, ML_RANK_MEMBER)), ML_REASON_NO_AUTHORITY);
    assert_int_equal(rank_of(f, 1), ML_RANK_COORDINATOR);
    assert_said(say(f, 0, grant(2, ML_RANK_MEMBER)), ACCEPTED);
    assert_int_equal(rank_of(f, 2), ML_RANK_MEMBER);
}

static void a_referent_takes_members_in_and_no_more(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 2, grant(5, ML_RANK_REFERENT)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 2, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    assert_said(say(f, 2, work(5)), ACCEPTED);
    assert_said(say(f, 3, grant(5, ML_RANK_MEMBER)), ML_REASON_NO_AUTHORITY);
}

static void a_coordinator_is_made_by_most_of_those_above(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, grant(2, ML_RANK_COORDINATOR)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(grant(3, ML_RANK_COORDINATOR), 0)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(grant(3, ML_RANK_COORDINATOR), 4)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(grant(3, ML_RANK_COORDINATOR), 1)), ACCEPTED);
    assert_int_equal(rank_of(f, 3), ML_RANK_COORDINATOR);
    /* four of rank 2 or better now: two aren't more than half */
    assert_said(say(f, 0, with(grant(4, ML_RANK_COORDINATOR), 1)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, with(with(grant(4, ML_RANK_COORDINATOR), 1), 2)), ACCEPTED);
}

static void one_alone_makes_no_coordinator(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, by_root(deny(f, 1, ML_DENIAL_DEPARTURE))), ACCEPTED);
    assert_said(say(f, 0, by_root(deny(f, 2, ML_DENIAL_DEPARTURE))), ACCEPTED);
    assert_said(say(f, 0, grant(3, ML_RANK_COORDINATOR)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, by_root(grant(3, ML_RANK_COORDINATOR))), ACCEPTED);
}

/* ---- denials ---- */

static void what_had_not_seen_a_compromise_falls_beyond_its_cut(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 2, anything()), ACCEPTED);
    assert_said(say(f, 0, deny(f, 2, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(say_having_seen(f, 2, before, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ML_REASON_REVOKED);
    assert_int_equal(reason_of_last(f, 1), ACCEPTED);
    assert_int_equal(reason_of_last(f, 2), ACCEPTED); /* within the cut */
    assert_int_equal(rank_of(f, 5), ML_RANK_NODE);
    assert_said(say(f, 2, anything()), ML_REASON_NOT_ENROLLED); /* who saw it may nothing */
}

static void a_witness_saves_what_was_said_before_a_departure(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, deny(f, 2, ML_DENIAL_DEPARTURE)), ACCEPTED);
    const size_t late = ml_authority_count(f->a);
    assert_said(say_having_seen(f, 2, before, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    assert_int_equal(reason_of(f, late), ML_REASON_DEPARTED);
    before[2] = f->seqs[2];
    assert_said(say_having_seen(f, 3, before, anything()), ACCEPTED);
    assert_int_equal(reason_of(f, late), ACCEPTED);
    assert_int_equal(rank_of(f, 5), ML_RANK_MEMBER);
}

static void a_witness_knows_nothing_and_is_not_denied_himself(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, deny(f, 2, ML_DENIAL_DEPARTURE)), ACCEPTED);
    const size_t late = ml_authority_count(f->a);
    assert_said(say_having_seen(f, 2, before, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    assert_said(say(f, 3, anything()), ACCEPTED); /* saw both */
    assert_int_equal(reason_of(f, late), ML_REASON_DEPARTED);
    before[2] = f->seqs[2];
    assert_said(say_having_seen(f, 4, before, anything()), ACCEPTED);
    assert_int_equal(reason_of(f, late), ACCEPTED);
    assert_said(say(f, 0, deny(f, 4, ML_DENIAL_DEPARTURE)), ACCEPTED);
    assert_int_equal(reason_of(f, late), ML_REASON_DEPARTED);
}

static void a_seal_ends_witnessing(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, deny(f, 2, ML_DENIAL_DEPARTURE)), ACCEPTED);
    const struct ml_say seal = {.kind = ML_SAY_CHECKPOINT};
    assert_said(say(f, 0, seal), ACCEPTED);
    const size_t late = ml_authority_count(f->a);
    assert_said(say_having_seen(f, 2, before, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    before[2] = f->seqs[2];
    assert_said(say_having_seen(f, 3, before, anything()), ACCEPTED);
    assert_int_equal(reason_of(f, late), ML_REASON_DEPARTED);
    assert_said(say(f, 0, seal), ACCEPTED); /* a later one holds it, and changes nothing */
    assert_int_equal(reason_of(f, late), ML_REASON_DEPARTED);
}

static void what_rests_on_a_fallen_grant_falls(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, deny(f, 2, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(say_having_seen(f, 2, before, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    assert_said(say_having_seen(f, 2, before, work(5)), ACCEPTED);
    before[2] = f->seqs[2];
    assert_said(say_having_seen(f, 5, before, open_writer(5)), ACCEPTED);
    assert_said(say_having_seen(f, 5, before, anything()), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ML_REASON_GRANT_FELL);
}

/* 3 leaves; 2, whom others then deny from before on, takes him back. */
static void take_back_by_somebody_denied(struct fixture *f, struct ml_say by)
{
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say_having_seen(f, 2, before, by), ACCEPTED);
    memcpy(before, everything(f), sizeof(before));
    assert_said(say_having_seen(f, 3, before, anything()), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ACCEPTED);
    struct ml_say harsh = deny(f, 2, ML_DENIAL_COMPROMISE);
    harsh.cut_count = 0;
    assert_said(say(f, 0, with(harsh, 1)), ACCEPTED);
    assert_int_equal(reason_of_last(f, 1), ML_REASON_GRANT_FELL);
}

static void who_was_taken_back_by_somebody_denied_is_not_heard(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_DEPARTURE)), ACCEPTED);
    take_back_by_somebody_denied(f, grant(3, ML_RANK_MEMBER));
}

static void nor_on_a_place_that_somebody_denied_gave_back(void **state)
{
    struct fixture *f = *state;
    struct ml_say lost = deny(f, 3, ML_DENIAL_COMPROMISE);
    lost.node = 3;
    assert_said(say(f, 0, lost), ACCEPTED);
    take_back_by_somebody_denied(f, work(3));
}

static void nor_with_a_writer_whose_opening_fell(void **state)
{
    struct fixture *f = *state;
    take_in_on_another_node(f, 3);
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 5, anything()), ACCEPTED);
    struct ml_say harsh = deny(f, 3, ML_DENIAL_COMPROMISE);
    harsh.node = 5;
    harsh.cut_count = 0;
    assert_said(say_having_seen(f, 0, before, with(harsh, 1)), ACCEPTED);
    struct ml_say place = work(3);
    place.node = 5;
    assert_said(say(f, 0, place), ACCEPTED);
    assert_said(say(f, 5, anything()), ML_REASON_NOT_ENROLLED);
}

static void a_second_hand_counts_once(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, with(grant(3, ML_RANK_COORDINATOR), 1)), ACCEPTED);
    struct ml_say twice = with(with(grant(4, ML_RANK_COORDINATOR), 1), 1);
    assert_said(say(f, 0, twice), ML_REASON_NO_AUTHORITY);
}

static void what_a_useless_second_rested_on_does_not_matter(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 2, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    assert_said(say(f, 2, work(5)), ACCEPTED);
    assert_said(say(f, 5, open_writer(5)), ACCEPTED);
    const size_t denial = ml_authority_count(f->a);
    assert_said(say(f, 0, with(deny(f, 4, ML_DENIAL_DEPARTURE), 5)), ACCEPTED);
    struct ml_say harsh = deny(f, 2, ML_DENIAL_COMPROMISE);
    harsh.cut_count = 0;
    assert_said(say(f, 0, with(harsh, 1)), ACCEPTED);
    assert_int_equal(rank_of(f, 5), ML_RANK_NODE);
    assert_int_equal(reason_of(f, denial), ACCEPTED);
}

static void a_second_whose_rank_fell_is_none(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 1, grant(3, ML_RANK_REFERENT)), ACCEPTED);
    const size_t denial = ml_authority_count(f->a);
    assert_said(say(f, 0, with(deny(f, 1, ML_DENIAL_DEPARTURE), 3)), ACCEPTED);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
    struct ml_say harsh = by_root(deny(f, 1, ML_DENIAL_COMPROMISE));
    harsh.cut_count = 0;
    assert_said(say(f, 0, harsh), ACCEPTED);
    assert_int_equal(reason_of(f, denial), ML_REASON_GRANT_FELL);
}

static void a_second_whose_opening_fell_is_none(void **state)
{
    struct fixture *f = *state;
    take_in_on_another_node(f, 2);
    const size_t denial = ml_authority_count(f->a);
    assert_said(say(f, 0, with(deny(f, 1, ML_DENIAL_DEPARTURE), 5)), ACCEPTED);
    struct ml_say harsh = by_root(deny(f, 2, ML_DENIAL_COMPROMISE));
    harsh.node = 5;
    harsh.cut_count = 0;
    assert_said(say(f, 0, harsh), ACCEPTED);
    assert_int_equal(reason_of(f, denial), ML_REASON_GRANT_FELL);
}

static void only_a_grant_that_saw_the_denial_undoes_it(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_DEPARTURE)), ACCEPTED);
    assert_said(say_having_seen(f, 1, before, grant(3, ML_RANK_MEMBER)), ACCEPTED);
    assert_int_equal(rank_of(f, 3), ML_RANK_NODE);
    assert_said(say(f, 1, grant(3, ML_RANK_MEMBER)), ACCEPTED);
    assert_int_equal(rank_of(f, 3), ML_RANK_MEMBER);
    assert_said(say(f, 3, anything()), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ACCEPTED);
}

static void a_lost_laptop_is_denied_alone(void **state)
{
    struct fixture *f = *state;
    take_in_on_another_node(f, 3);
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    struct ml_say lost = deny(f, 3, ML_DENIAL_COMPROMISE);
    lost.node = 5;
    assert_said(say(f, 3, lost), ACCEPTED); /* his own: anybody may */
    assert_said(say_having_seen(f, 5, before, anything()), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ML_REASON_REVOKED);
    assert_said(say(f, 5, anything()), ML_REASON_NOT_ENROLLED);
    assert_said(say_having_seen(f, 3, before, anything()), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ACCEPTED);
    assert_int_equal(rank_of(f, 3), ML_RANK_MEMBER);
}

static void another_node_of_the_same_person_goes_on(void **state)
{
    struct fixture *f = *state;
    take_in_on_another_node(f, 3);
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    struct ml_say lost = deny(f, 3, ML_DENIAL_COMPROMISE);
    lost.node = 5;
    lost.cut_count = 0;
    assert_said(say(f, 0, lost), ACCEPTED);
    assert_said(say_having_seen(f, 3, before, anything()), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ACCEPTED);
}

static void nobody_denies_himself_everywhere(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 3, deny(f, 3, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, 0, deny(f, 0, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
}

static void a_member_denies_nobody_not_even_a_stranger(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 3, deny(f, 5, ML_DENIAL_COMPROMISE)), ML_REASON_NO_AUTHORITY);
}

static void roots_word_stands_whoever_carries_it(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 3, by_root(deny(f, 3, ML_DENIAL_COMPROMISE))), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ACCEPTED);
    assert_int_equal(rank_of(f, 3), ML_RANK_NODE);
}

static void a_writer_opened_beyond_a_cut_says_nothing(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    struct ml_say opening = open_writer(3);
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(say_having_seen(f, 5, before, opening), ACCEPTED);
    assert_int_equal(reason_of_last(f, 0), ML_REASON_REVOKED);
    assert_said(say(f, 0, grant(3, ML_RANK_MEMBER)), ACCEPTED);
    assert_said(say(f, 0, work(3)), ACCEPTED);
    assert_said(say(f, 5, anything()), ML_REASON_NOT_ENROLLED); /* its opening doesn't count */
    assert_said(say(f, 3, anything()), ACCEPTED);
}

static void after_a_compromise_a_place_is_given_anew(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(say(f, 0, grant(3, ML_RANK_MEMBER)), ACCEPTED);
    assert_said(say(f, 3, anything()), ML_REASON_NOT_ENROLLED);
    assert_said(say(f, 0, work(3)), ACCEPTED);
    assert_said(say(f, 3, anything()), ACCEPTED);
}

static void one_alone_cuts_nothing_that_he_had_seen(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 2, anything()), ACCEPTED);
    struct ml_say harsh = deny(f, 2, ML_DENIAL_COMPROMISE);
    harsh.cut_count = 0;
    assert_said(say(f, 0, harsh), ACCEPTED);
    assert_int_equal(reason_of_last(f, 1), ACCEPTED);
    assert_said(say(f, 0, with(harsh, 1)), ACCEPTED);
    assert_int_equal(reason_of_last(f, 2), ML_REASON_REVOKED);
}

/* ---- strata ---- */

static void of_two_who_deny_each_other_both_are_denied(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say_having_seen(f, 0, before, with(deny(f, 1, ML_DENIAL_COMPROMISE), 2)), ACCEPTED);
    assert_said(say_having_seen(f, 1, before, with(deny(f, 0, ML_DENIAL_COMPROMISE), 2)), ACCEPTED);
    assert_int_equal(rank_of(f, 0), ML_RANK_NODE);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
    assert_int_equal(rank_of(f, 2), ML_RANK_REFERENT);
}

static void a_denial_beyond_the_cut_of_a_higher_stratum_is_void(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say_having_seen(f, 0, before, deny(f, 2, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(say_having_seen(f, 2, before, deny(f, 3, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_int_equal(rank_of(f, 3), ML_RANK_MEMBER);
    assert_said(say_having_seen(f, 1, before, by_root(deny(f, 0, ML_DENIAL_COMPROMISE))), ACCEPTED);
    assert_int_equal(rank_of(f, 2), ML_RANK_NODE); /* within Root's cut: it stays */
}

static void root_undoes_what_coordinators_do(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    struct ml_say harsh = by_root(deny(f, 1, ML_DENIAL_COMPROMISE));
    assert_said(say_having_seen(f, 1, before, with(deny(f, 0, ML_DENIAL_COMPROMISE), 2)), ACCEPTED);
    assert_int_equal(rank_of(f, 0), ML_RANK_NODE);
    assert_said(say_having_seen(f, 3, before, harsh), ACCEPTED);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
    assert_int_equal(rank_of(f, 0), ML_RANK_COORDINATOR);
}

static void crossing_pairs_leave_the_rest(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, with(grant(3, ML_RANK_COORDINATOR), 1)), ACCEPTED);
    assert_said(say(f, 0, with(with(grant(4, ML_RANK_COORDINATOR), 1), 2)), ACCEPTED);
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    /* {0, 3} against {1, 4} */
    assert_said(say_having_seen(f, 0, before, with(deny(f, 1, ML_DENIAL_COMPROMISE), 3)), ACCEPTED);
    assert_said(say_having_seen(f, 1, before, with(deny(f, 0, ML_DENIAL_COMPROMISE), 4)), ACCEPTED);
    assert_int_equal(rank_of(f, 0), ML_RANK_NODE);
    assert_int_equal(rank_of(f, 1), ML_RANK_NODE);
    assert_int_equal(rank_of(f, 3), ML_RANK_COORDINATOR);
    assert_int_equal(rank_of(f, 4), ML_RANK_COORDINATOR);
}

/* ---- other lanes ---- */

static struct ml_ruling rule_record(struct fixture *f, const uint32_t *seen, struct ml_bundle_at at)
{
    struct ml_view *own = NULL;
    struct ml_view *now = NULL;
    at.lane = 3;
    assert_int_equal(ml_view_at(&own, f->a, seen), ML_OK);
    assert_int_equal(ml_view_of_all(&now, f->a), ML_OK);
    struct ml_ruling ruling = ml_view_rule(own, now, &at);
    ml_view_free(own);
    ml_view_free(now);
    return ruling;
}

static void an_idle_chain_has_cut_zero(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    struct ml_bundle_at at = {.writer = 3, .seq = 1};
    assert_said(rule_record(f, before, at), ACCEPTED);
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(rule_record(f, before, at), ML_REASON_REVOKED);
    assert_said(rule_record(f, everything(f), at), ML_REASON_NOT_ENROLLED);
}

static void a_record_needs_its_writers_grants(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    const struct ml_bundle_at at = {.writer = 5, .seq = 1};
    assert_said(say(f, 0, deny(f, 2, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(rule_record(f, before, at), ML_REASON_NOT_ENROLLED);
    assert_said(say_having_seen(f, 2, before, grant(5, ML_RANK_MEMBER)), ACCEPTED);
    assert_said(say_having_seen(f, 2, before, work(5)), ACCEPTED);
    before[2] = f->seqs[2];
    assert_said(say_having_seen(f, 5, before, open_writer(5)), ACCEPTED);
    before[5] = f->seqs[5];
    assert_said(rule_record(f, before, at), ML_REASON_GRANT_FELL);
}

static void a_record_falls_with_the_grant_that_took_its_author_back(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_DEPARTURE)), ACCEPTED);
    assert_said(say(f, 2, grant(3, ML_RANK_MEMBER)), ACCEPTED);
    uint32_t after[PEOPLE];
    memcpy(after, everything(f), sizeof(after));
    const struct ml_bundle_at at = {.writer = 3, .seq = 9};
    assert_said(rule_record(f, after, at), ACCEPTED);
    struct ml_say harsh = deny(f, 2, ML_DENIAL_COMPROMISE);
    harsh.cut_count = 0;
    assert_said(say(f, 0, with(harsh, 1)), ACCEPTED);
    assert_said(rule_record(f, after, at), ML_REASON_GRANT_FELL);
}

static void a_record_cited_in_time_outlives_a_departure(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_DEPARTURE)), ACCEPTED);
    struct ml_bundle_at at = {.writer = 3, .seq = 7, .witnessed = 6};
    assert_said(rule_record(f, before, at), ML_REASON_DEPARTED);
    at.witnessed = 7;
    assert_said(rule_record(f, before, at), ACCEPTED);
    const struct ml_cut held = {.writer = 3, .seq = 6, .lane = 3};
    const struct ml_say seal = {.kind = ML_SAY_CHECKPOINT, .cuts = &held, .cut_count = 1};
    assert_said(say(f, 0, seal), ACCEPTED);
    assert_said(rule_record(f, before, at), ML_REASON_DEPARTED);
    at.seq = 6;
    assert_said(rule_record(f, before, at), ACCEPTED);
}

static void a_checkpoint_bounds_what_one_alone_cuts(void **state)
{
    struct fixture *f = *state;
    uint32_t before[PEOPLE];
    memcpy(before, everything(f), sizeof(before));
    const struct ml_cut held = {.writer = 3, .seq = 50, .lane = 3};
    const struct ml_say seal = {.kind = ML_SAY_CHECKPOINT, .cuts = &held, .cut_count = 1};
    assert_said(say(f, 2, seal), ACCEPTED);
    assert_said(say(f, 0, deny(f, 3, ML_DENIAL_COMPROMISE)), ACCEPTED);
    struct ml_bundle_at at = {.writer = 3, .seq = 50};
    assert_said(rule_record(f, before, at), ACCEPTED);
    at.seq = 51;
    assert_said(rule_record(f, before, at), ML_REASON_REVOKED);
}

static void any_failed_alloc_adds_nothing(void **state)
{
    struct fixture *f = *state;
    const size_t before = ml_authority_count(f->a);
    const struct ml_say s = with(deny(f, 1, ML_DENIAL_COMPROMISE), 2);
    struct ml_ruling ruling;
    ml_err err = ML_E_NOMEM;
    for (long i = 1; err == ML_E_NOMEM; i++) {
        const struct ml_act_in in = {.writer = 0,
                                     .seq = f->seqs[0] + 1,
                                     .hlc = ml_hlc_make(f->now_ms, 0),
                                     .vec = f->seqs,
                                     .says = &s,
                                     .say_count = 1};
        f->fake.fail_alloc = i;
        err = ml_authority_add(f->a, &ruling, &in);
        f->fake.fail_alloc = 0;
        assert_int_equal(ml_authority_count(f->a), before + (err == ML_OK));
        assert_int_equal(rank_of(f, 1), err == ML_OK ? ML_RANK_NODE : ML_RANK_COORDINATOR);
    }
    ml_authority_undo(f->a);
    assert_int_equal(rank_of(f, 1), ML_RANK_COORDINATOR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ranks_are_as_given),
        TEST(nobody_raises_himself),
        TEST(nobody_lowers_his_equal),
        TEST(a_referent_takes_members_in_and_no_more),
        TEST(a_coordinator_is_made_by_most_of_those_above),
        TEST(what_had_not_seen_a_compromise_falls_beyond_its_cut),
        TEST(a_witness_saves_what_was_said_before_a_departure),
        TEST(a_seal_ends_witnessing),
        TEST(what_rests_on_a_fallen_grant_falls),
        TEST(only_a_grant_that_saw_the_denial_undoes_it),
        TEST(after_a_compromise_a_place_is_given_anew),
        TEST(one_alone_cuts_nothing_that_he_had_seen),
        TEST(of_two_who_deny_each_other_both_are_denied),
        TEST(a_denial_beyond_the_cut_of_a_higher_stratum_is_void),
        TEST(root_undoes_what_coordinators_do),
        TEST(crossing_pairs_leave_the_rest),
        TEST(an_idle_chain_has_cut_zero),
        TEST(a_record_cited_in_time_outlives_a_departure),
        TEST(a_checkpoint_bounds_what_one_alone_cuts),
        TEST(one_alone_makes_no_coordinator),
        TEST(a_witness_knows_nothing_and_is_not_denied_himself),
        TEST(a_lost_laptop_is_denied_alone),
        TEST(another_node_of_the_same_person_goes_on),
        TEST(nobody_denies_himself_everywhere),
        TEST(a_member_denies_nobody_not_even_a_stranger),
        TEST(roots_word_stands_whoever_carries_it),
        TEST(a_writer_opened_beyond_a_cut_says_nothing),
        TEST(who_was_taken_back_by_somebody_denied_is_not_heard),
        TEST(nor_on_a_place_that_somebody_denied_gave_back),
        TEST(nor_with_a_writer_whose_opening_fell),
        TEST(a_second_hand_counts_once),
        TEST(what_a_useless_second_rested_on_does_not_matter),
        TEST(a_second_whose_rank_fell_is_none),
        TEST(a_second_whose_opening_fell_is_none),
        TEST(a_record_needs_its_writers_grants),
        TEST(a_record_falls_with_the_grant_that_took_its_author_back),
        TEST(any_failed_alloc_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
