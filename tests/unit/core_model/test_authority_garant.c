/* test_authority_garant.c -- who signs beside others and does nothing else (rules B16): his hand
 * and the whole, what he may do by himself, who may do what to him, and when he may be named. */
#include "support_authority.h"

enum { FOUNDER, GARANT, REFERENT, NURSE, CHIEF, LATE };

static struct ml_say name(uint32_t member)
{
    struct ml_say s = by_root(grant(member, ML_RANK_REFERENT));
    s.garant = true;
    return s;
}

static void take_in_garant(struct fixture *f, uint32_t who)
{
    assert_said(say(f, FOUNDER, name(who)), ACCEPTED);
    assert_said(say(f, FOUNDER, work(who)), ACCEPTED);
    assert_said(say(f, who, open_writer(who)), ACCEPTED);
}

/* The founder alone. */
static int setup_founder(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 5);
    f.now_ms = UINT64_C(1700000000000);
    assert_int_equal(ml_authority_new(&f.a, &f.fake.env, seq_in, NULL), ML_OK);
    const struct ml_say genesis[] = {grant(0, ML_RANK_COORDINATOR), work(0), open_writer(0)};
    struct ml_ruling ruling;
    const struct ml_act_in in = {
        .seq = ++f.seqs[0], .hlc = ml_hlc_make(f.now_ms, 0), .says = genesis, .say_count = 3};
    assert_int_equal(ml_authority_add(f.a, &ruling, &in), ML_OK);
    f.acts = 1;
    *state = &f;
    return 0;
}

/* And a garant, then a référent and a nurse. */
static int setup_all(void **state)
{
    int rc = setup_founder(state);
    take_in_garant(*state, GARANT);
    take_in(*state, REFERENT, ML_RANK_REFERENT);
    take_in(*state, NURSE, ML_RANK_MEMBER);
    return rc;
}

static uint8_t acting(struct fixture *f, uint32_t member)
{
    struct ml_view *v = NULL;
    assert_int_equal(ml_view_of_all(&v, f->a), ML_OK);
    const uint8_t rank = ml_view_acting(v, member);
    ml_view_free(v);
    return rank;
}

static unsigned whole(struct fixture *f)
{
    struct ml_view *v = NULL;
    assert_int_equal(ml_view_of_all(&v, f->a), ML_OK);
    const unsigned count = ml_view_leaders(v);
    ml_view_free(v);
    return count;
}

/* What a bundle of his in this lane, that saw all, is worth. */
static ml_reason writes(struct fixture *f, uint32_t who, uint8_t lane)
{
    struct ml_view *v = NULL;
    const struct ml_bundle_at at = {.writer = who, .lane = lane, .seq = 1};
    assert_int_equal(ml_view_of_all(&v, f->a), ML_OK);
    const struct ml_ruling ruling = ml_view_rule(v, v, &at);
    ml_view_free(v);
    return ruling.reason;
}

static void he_is_named_by_root_through_a_coordinator(void **state)
{
    struct fixture *f = *state;
    struct ml_say bare = name(GARANT);
    bare.root = false;
    assert_said(say(f, FOUNDER, bare), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, FOUNDER, name(FOUNDER)), ML_REASON_NO_AUTHORITY);
    take_in_garant(f, GARANT);
    assert_said(say(f, GARANT, name(LATE)), ML_REASON_NO_AUTHORITY);
    take_in_garant(f, LATE); /* beside other garants */
    assert_int_equal(rank_of(f, GARANT), ML_RANK_REFERENT);
    assert_int_equal(acting(f, GARANT), ML_RANK_GARANT);
    assert_int_equal(whole(f), 3);
}

/* Whatever became of who was taken in. */
static void nobody_is_named_later(void **state)
{
    struct fixture *f = *state;
    take_in(f, NURSE, ML_RANK_MEMBER);
    assert_said(say(f, FOUNDER, name(GARANT)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, FOUNDER, deny(f, NURSE, ML_DENIAL_COMPROMISE)), ACCEPTED);
    assert_said(say(f, FOUNDER, name(GARANT)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, FOUNDER, name(NURSE)), ML_REASON_NO_AUTHORITY);
}

/* What was said without the right to it takes nobody in. */
static void a_garant_ends_no_founding(void **state)
{
    struct fixture *f = *state;
    take_in_garant(f, GARANT);
    assert_said(say(f, GARANT, grant(NURSE, ML_RANK_MEMBER)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, FOUNDER, name(LATE)), ACCEPTED);
}

static void his_hand_is_a_second_one(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, REFERENT, with(grant(REFERENT, ML_RANK_COORDINATOR), GARANT)),
                ML_REASON_NO_AUTHORITY); /* himself */
    assert_said(say(f, FOUNDER, with(grant(NURSE, ML_RANK_COORDINATOR), GARANT)), ACCEPTED);
    assert_said(say(f, FOUNDER, deny(f, NURSE, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, FOUNDER, with(deny(f, NURSE, ML_DENIAL_DEPARTURE), GARANT)), ACCEPTED);
}

/* Three of four: he is one of the whole, as who is suspended is. */
static void he_is_one_of_the_whole(void **state)
{
    struct fixture *f = *state;
    take_in(f, CHIEF, ML_RANK_COORDINATOR);
    assert_int_equal(whole(f), 4);
    assert_said(say(f, FOUNDER, with(grant(NURSE, ML_RANK_COORDINATOR), CHIEF)),
                ML_REASON_NO_AUTHORITY);
    assert_said(say(f, FOUNDER, deny(f, GARANT, ML_DENIAL_SUSPENSION)), ACCEPTED);
    assert_int_equal(whole(f), 4);
    assert_said(say(f, FOUNDER, with(with(grant(NURSE, ML_RANK_COORDINATOR), CHIEF), REFERENT)),
                ACCEPTED);
}

static void by_himself_he_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct ml_say team = {.kind = ML_SAY_OTHER, .rank = ML_RANK_MEMBER, .member = ML_NOBODY};
    struct ml_say card = {.kind = ML_SAY_OTHER, .rank = ML_RANK_COORDINATOR, .member = GARANT};
    const struct ml_say role = {.kind = ML_SAY_ROLE, .member = NURSE};
    const struct ml_say checkpoint = {.kind = ML_SAY_CHECKPOINT, .member = ML_NOBODY};
    const struct ml_say tried[] = {deny(f, NURSE, ML_DENIAL_SUSPENSION),
                                   deny(f, NURSE, ML_DENIAL_DEPARTURE),
                                   with(deny(f, NURSE, ML_DENIAL_DEPARTURE), FOUNDER),
                                   grant(NURSE, ML_RANK_MEMBER),
                                   with(grant(NURSE, ML_RANK_COORDINATOR), FOUNDER),
                                   work(NURSE),
                                   work(GARANT),
                                   role,
                                   with(role, FOUNDER),
                                   checkpoint,
                                   team,
                                   card,
                                   deny(f, GARANT, ML_DENIAL_DEPARTURE)};
    for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
        assert_said(say(f, GARANT, tried[i]), ML_REASON_NO_AUTHORITY);
    }
    card.member = team.member = NURSE;
    assert_said(say(f, NURSE, card), ACCEPTED); /* a member's card is his to set */
    assert_int_equal(writes(f, GARANT, 1), ML_REASON_NONE);
    assert_int_equal(writes(f, GARANT, 2), ML_REASON_NONE);
    assert_int_equal(writes(f, GARANT, 3), ML_REASON_NO_AUTHORITY);
    assert_int_equal(writes(f, GARANT, 4), ML_REASON_NO_AUTHORITY);
    assert_int_equal(writes(f, NURSE, 3), ML_REASON_NONE);
    struct ml_say lost = deny(f, GARANT, ML_DENIAL_COMPROMISE);
    lost.node = GARANT;
    assert_said(say(f, GARANT, lost), ACCEPTED); /* his own lost computer */
}

/* No clock of his ends a suspension: rank 2 or better does. */
static void his_clock_ends_nothing(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, FOUNDER, deny(f, REFERENT, ML_DENIAL_SUSPENSION)), ACCEPTED);
    struct ml_say lost = deny(f, GARANT, ML_DENIAL_COMPROMISE);
    lost.node = LATE; /* where he isn't: it changes nothing */
    f->now_ms += 25 * HOUR;
    assert_said(say(f, NURSE, anything()), ACCEPTED);
    assert_said(say(f, GARANT, lost), ACCEPTED);
    assert_int_equal(rank_of(f, REFERENT), ML_RANK_NODE);
    assert_said(say(f, FOUNDER, anything()), ACCEPTED);
    assert_int_equal(rank_of(f, REFERENT), ML_RANK_REFERENT);
}

/* As of rank 2: a coordinator, or two. */
static void who_takes_him_away_needs_what_it_takes_of_rank_2(void **state)
{
    struct fixture *f = *state;
    assert_said(say(f, REFERENT, deny(f, GARANT, ML_DENIAL_DEPARTURE)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, REFERENT, grant(GARANT, ML_RANK_MEMBER)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, REFERENT, work(GARANT)), ML_REASON_NO_AUTHORITY);
    assert_said(say(f, REFERENT, with(deny(f, GARANT, ML_DENIAL_DEPARTURE), FOUNDER)), ACCEPTED);
    assert_int_equal(rank_of(f, GARANT), ML_RANK_NODE);
    assert_int_equal(whole(f), 2);
}

/* A later rank makes him a member as others are: what he does so rests on it, and not on his name.
 */
static void a_later_rank_makes_him_a_member_for_good(void **state)
{
    struct fixture *f = *state;
    take_in(f, CHIEF, ML_RANK_COORDINATOR);
    assert_said(say(f, CHIEF, grant(GARANT, ML_RANK_REFERENT)), ACCEPTED);
    const size_t raised = f->acts - 1;
    assert_int_equal(acting(f, GARANT), ML_RANK_REFERENT);
    assert_int_equal(writes(f, GARANT, 3), ML_REASON_NONE);
    assert_said(say(f, GARANT, deny(f, NURSE, ML_DENIAL_DEPARTURE)), ACCEPTED);
    const size_t denied = f->acts - 1;
    assert_said(say(f, REFERENT, with(grant(NURSE, ML_RANK_MEMBER), GARANT)), ACCEPTED);
    assert_said(say(f, FOUNDER, name(GARANT)), ML_REASON_NO_AUTHORITY);
    struct ml_say gone = with(deny(f, CHIEF, ML_DENIAL_COMPROMISE), REFERENT);
    gone.cut_count = 0;
    assert_said(say(f, FOUNDER, gone), ACCEPTED);
    assert_int_equal(reason_of(f, raised), ML_REASON_REVOKED);
    assert_int_equal(reason_of(f, denied), ML_REASON_GRANT_FELL);
    assert_int_equal(acting(f, GARANT), ML_RANK_GARANT);
    assert_int_equal(rank_of(f, GARANT), ML_RANK_REFERENT);
    assert_int_equal(writes(f, GARANT, 3), ML_REASON_NO_AUTHORITY);
}

/* Also what nobody denied in the lanes beyond 2: they wait for the rank. */
static void what_he_wrote_by_it_falls_with_it(void **state)
{
    struct fixture *f = *state;
    struct ml_view *own = NULL;
    struct ml_view *now = NULL;
    uint32_t vec[PEOPLE];
    struct ml_bundle_at at = {.writer = GARANT, .lane = 3, .seq = 1};
    take_in(f, CHIEF, ML_RANK_COORDINATOR);
    assert_said(say(f, CHIEF, grant(GARANT, ML_RANK_REFERENT)), ACCEPTED);
    memcpy(vec, everything(f), sizeof(vec));
    struct ml_say gone = with(deny(f, CHIEF, ML_DENIAL_COMPROMISE), REFERENT);
    gone.cut_count = 0;
    assert_int_equal(ml_view_at(&own, f->a, vec), ML_OK);
    assert_int_equal(ml_view_rule(own, own, &at).reason, ML_REASON_NONE);
    ml_view_free(own);
    assert_said(say(f, FOUNDER, gone), ACCEPTED);
    assert_int_equal(ml_view_at(&own, f->a, vec), ML_OK);
    assert_int_equal(ml_view_of_all(&now, f->a), ML_OK);
    assert_int_equal(ml_view_rule(own, now, &at).reason, ML_REASON_GRANT_FELL);
    at.lane = 1;
    assert_int_equal(ml_view_rule(own, now, &at).reason, ML_REASON_NONE);
    ml_view_free(own);
    ml_view_free(now);
}

/* What he signed as a garant stands whatever became of the rank that he was given at that time. */
static void his_hand_outlives_the_rank(void **state)
{
    struct fixture *f = *state;
    take_in(f, CHIEF, ML_RANK_COORDINATOR);
    assert_said(say(f, CHIEF, grant(GARANT, ML_RANK_REFERENT)), ACCEPTED);
    assert_said(
        say(f, REFERENT, with((struct ml_say){.kind = ML_SAY_ROLE, .member = REFERENT}, GARANT)),
        ACCEPTED);
    const size_t signed_by_him = f->acts - 1;
    struct ml_say gone = with(deny(f, CHIEF, ML_DENIAL_COMPROMISE), REFERENT);
    gone.cut_count = 0;
    assert_said(say(f, FOUNDER, gone), ACCEPTED);
    assert_int_equal(reason_of(f, signed_by_him), ML_REASON_NONE);
}

int main(void)
{
#define FOUNDED(fn) cmocka_unit_test_setup_teardown(fn, setup_founder, teardown)
#define TEST(fn)    cmocka_unit_test_setup_teardown(fn, setup_all, teardown)
    const struct CMUnitTest tests[] = {
        FOUNDED(he_is_named_by_root_through_a_coordinator),
        FOUNDED(nobody_is_named_later),
        FOUNDED(a_garant_ends_no_founding),
        TEST(his_hand_is_a_second_one),
        TEST(he_is_one_of_the_whole),
        TEST(by_himself_he_does_nothing),
        TEST(his_clock_ends_nothing),
        TEST(who_takes_him_away_needs_what_it_takes_of_rank_2),
        TEST(a_later_rank_makes_him_a_member_for_good),
        TEST(what_he_wrote_by_it_falls_with_it),
        TEST(his_hand_outlives_the_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
