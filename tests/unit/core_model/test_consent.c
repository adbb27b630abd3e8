/* tests/unit/core_model/test_consent.c -- what a patient decided, weighed: tables of what audits
 * ask, and an oracle that reads the rules of consent.h as sentences over random histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/consent.h"
#include "support_consent.h"

enum { GP = 1, NURSE = 2, KINE = 3, SECRETARY = 4, OTHER = 5 };

static const uint16_t roles[] = {
    [GP] = 10, [NURSE] = 60, [KINE] = 70, [SECRETARY] = 331, [OTHER] = 10};

static bool may(const struct story *s, unsigned who, unsigned class, const char *object)
{
    return consent_ask(s, &(struct asked){.who = who, .class = class, .object = object}) ==
           ML_CONSENT_YES;
}

/* ---- the scenarios of an audit ---- */

static void a_team_member_may_until_the_patient_opposes(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    assert_false(may(&s, GP, ML_CLASS_MEDICAL_NOTES, NULL));
    story_end(&s);
}

static void outside_the_team_needs_an_agreement(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    s.outside = OTHER;
    assert_false(may(&s, OTHER, ML_CLASS_PROBLEMS, NULL));
    assert_true(may(&s, OTHER, ML_CLASS_AGENDA, NULL)); /* nothing clinical */
    story_say(&s,
              &(struct says){.name = 'A', .kind = ML_CONSENT_AGREED, .by = GP, .person = OTHER});
    assert_true(may(&s, OTHER, ML_CLASS_PROBLEMS, NULL));
    story_say(&s, &(struct says){.name = 'W', .kind = ML_CONSENT_WITHDRAWN, .by = GP, .ends = "A"});
    assert_false(may(&s, OTHER, ML_CLASS_PROBLEMS, NULL));
    story_end(&s);
}

static void an_opposition_may_except_some(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP, .except = GP});
    assert_true(may(&s, GP, ML_CLASS_PROBLEMS, NULL));
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_end(&s);
}

static void an_opposition_may_be_about_a_profession_a_person_a_class_a_document(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D',
                                 .kind = ML_CONSENT_OPPOSED,
                                 .by = GP,
                                 .role = 70,
                                 .class = ML_CLASS_SENSITIVE});
    assert_false(may(&s, KINE, ML_CLASS_SENSITIVE, NULL));
    assert_true(may(&s, KINE, ML_CLASS_PROBLEMS, NULL));
    assert_true(may(&s, GP, ML_CLASS_SENSITIVE, NULL));
    story_say(&s,
              &(struct says){.name = 'E', .kind = ML_CONSENT_OPPOSED, .by = GP, .person = NURSE});
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    assert_true(may(&s, KINE, ML_CLASS_PROBLEMS, NULL));
    story_say(
        &s,
        &(struct says){
            .name = 'M', .kind = ML_CONSENT_OPPOSED, .by = GP, .except = GP, .object = "letter"});
    assert_false(may(&s, KINE, ML_CLASS_DOCUMENTS, "letter"));
    assert_true(may(&s, KINE, ML_CLASS_DOCUMENTS, "other"));
    assert_true(may(&s, KINE, ML_CLASS_DOCUMENTS, NULL));
    assert_true(may(&s, GP, ML_CLASS_DOCUMENTS, "letter"));
    story_end(&s);
}

static void an_opposition_may_be_about_a_team_or_a_compartment(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D',
                                 .kind = ML_CONSENT_OPPOSED,
                                 .by = GP,
                                 .team = NURSE,
                                 .compartment = ML_COMPARTMENT_MEDICAL});
    assert_false(may(&s, NURSE, ML_CLASS_TREATMENTS, NULL));
    assert_true(may(&s, NURSE, ML_CLASS_NURSING_NOTES, NULL));
    assert_true(may(&s, KINE, ML_CLASS_TREATMENTS, NULL));
    story_end(&s);
}

static void identity_and_wishes_are_never_hidden(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D',
                                 .kind = ML_CONSENT_OPPOSED,
                                 .by = GP,
                                 .compartment = ML_COMPARTMENT_ADMIN});
    assert_true(may(&s, NURSE, ML_CLASS_IDENTITY, NULL));
    assert_true(may(&s, NURSE, ML_CLASS_WISHES, NULL));
    assert_false(may(&s, NURSE, ML_CLASS_COVERAGE, NULL));
    story_end(&s);
}

struct weighed {
    struct says agreed;
    struct says opposed;
    char first; /* 'A' or 'D': who is written knowing the other last; 0: neither knows */
    bool may;
    const char *why;
};

static const struct weighed rows[] = {
    {{.person = NURSE}, {0}, 'D', true, "a person against all"},
    {{.person = NURSE}, {0}, 'A', true, "also when the opposition came later"},
    {{.person = NURSE}, {0}, 0, false, "but not side by side"},
    {{0}, {0}, 'D', false, "equal"},
    {{.person = NURSE}, {.person = NURSE}, 'D', false, "equal"},
    {{.role = 60}, {0}, 'D', true, "a profession against all"},
    {{.role = 60}, {.person = NURSE}, 'D', false, "a person against a profession"},
    {{.person = NURSE}, {.role = 60}, 'D', true, "and the other way"},
    {{.role = 60}, {.team = NURSE}, 'D', false, "a team and a profession cross"},
    {{.team = NURSE}, {.role = 60}, 'D', false, "both ways"},
    {{.except = KINE}, {0}, 'D', true, "all but some against all"},
    {{0}, {.except = KINE}, 'D', false, "and the other way"},
    {{.class = 5}, {0}, 'D', true, "a class against all"},
    {{.class = 5}, {.compartment = ML_COMPARTMENT_MEDICAL}, 'D', true, "and a compartment"},
    {{.compartment = ML_COMPARTMENT_MEDICAL}, {.class = 5}, 'D', false, "not the other way"},
    {{.object = "x"}, {.class = 5}, 'D', true, "one entry against its class"},
    {{.person = NURSE}, {.object = "x"}, 'D', false, "more in one, less in the other: crossed"},
    {{.object = "x"}, {.person = NURSE}, 'D', false, "both ways"},
    {{.object = "x", .person = NURSE}, {.object = "x"}, 'D', true, "equal in one"},
};

static bool weighed_may(const struct weighed *row)
{
    struct story s;
    struct says agreed = row->agreed;
    struct says opposed = row->opposed;
    agreed.name = 'A';
    agreed.kind = ML_CONSENT_AGREED;
    agreed.by = GP;
    opposed.name = 'D';
    opposed.kind = ML_CONSENT_OPPOSED;
    opposed.by = GP;
    agreed.alone = row->first == 0;
    opposed.alone = row->first == 0;
    story_begin(&s, roles);
    story_say(&s, row->first == 'D' ? &opposed : &agreed);
    story_say(&s, row->first == 'D' ? &agreed : &opposed);
    const bool allowed = may(&s, NURSE, ML_CLASS_PROBLEMS, "x");
    story_end(&s);
    return allowed;
}

static void the_more_specific_wins_and_a_tie_is_no(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].why);
        assert_int_equal(weighed_may(&rows[i]), rows[i].may);
    }
}

static void what_was_ended_no_longer_holds(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    story_say(&s, &(struct says){.name = 'W', .kind = ML_CONSENT_WITHDRAWN, .by = GP, .ends = "D"});
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    /* Said again on another node that didn't know the withdrawal: it stays. */
    story_say(&s,
              &(struct says){.name = 'E', .kind = ML_CONSENT_OPPOSED, .by = KINE, .alone = true});
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_end(&s);
}

static void what_is_quarantined_neither_says_nor_ends(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s,
              &(struct says){.name = 'Q', .kind = ML_CONSENT_OPPOSED, .by = KINE, .grey = true});
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    story_say(
        &s, &(struct says){
                .name = 'V', .kind = ML_CONSENT_WITHDRAWN, .by = KINE, .ends = "D", .grey = true});
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    /* But paths lead through it (rules B20). */
    story_say(&s, &(struct says){.name = 'W', .kind = ML_CONSENT_WITHDRAWN, .by = GP, .ends = "V"});
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_end(&s);
}

/* Rules D1: what a later version means by it nobody knows here, but what it knew and ended does. */
static void of_a_later_kind_only_what_it_ends_counts(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'L', .kind = 200, .by = GP, .person = NURSE});
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    story_say(&s, &(struct says){.name = 'M', .kind = 200, .by = GP, .person = NURSE});
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_say(&s, &(struct says){.name = 'N', .kind = 200, .by = GP, .ends = "D"});
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_end(&s);
}

static void nobody_lifts_what_another_took_down_against_him(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    story_say(&s,
              &(struct says){.name = 'A', .kind = ML_CONSENT_AGREED, .by = NURSE, .person = NURSE});
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_say(&s,
              &(struct says){.name = 'W', .kind = ML_CONSENT_WITHDRAWN, .by = NURSE, .ends = "D"});
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    assert_true(may(&s, KINE, ML_CLASS_PROBLEMS, NULL)); /* for others it is a withdrawal */
    story_say(&s,
              &(struct says){.name = 'E', .kind = ML_CONSENT_OPPOSED, .by = KINE, .person = KINE});
    story_say(&s,
              &(struct says){.name = 'X', .kind = ML_CONSENT_WITHDRAWN, .by = KINE, .ends = "E"});
    assert_true(may(&s, KINE, ML_CLASS_PROBLEMS, NULL)); /* what he took down himself */
    story_end(&s);
}

static void what_was_said_until_a_time_ends_then(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    story_say(&s,
              &(struct says){
                  .name = 'A', .kind = ML_CONSENT_AGREED, .by = GP, .ends = "D", .until_ms = 5000});
    s.now_ms = 4999;
    assert_int_equal(consent_next(&s), 5000);
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    s.now_ms = 5000;
    assert_int_equal(consent_next(&s), UINT64_MAX);
    assert_false(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL)); /* and what it ended is back */
    story_end(&s);
}

static ml_consent_answer in_emergency(const struct story *s, unsigned who, const char *object)
{
    return consent_ask(
        s, &(struct asked){
               .who = who, .class = ML_CLASS_DOCUMENTS, .object = object, .emergency = true});
}

static void an_emergency_sets_oppositions_aside_but_not_what_is_masked(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    s.outside = OTHER;
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    story_say(
        &s, &(struct says){.name = 'M', .kind = ML_CONSENT_OPPOSED, .by = GP, .object = "letter"});
    assert_int_equal(in_emergency(&s, NURSE, NULL), ML_CONSENT_YES);
    assert_int_equal(in_emergency(&s, OTHER, NULL), ML_CONSENT_YES);
    assert_int_equal(in_emergency(&s, NURSE, "letter"), ML_CONSENT_NO_OPPOSED);
    story_end(&s);
}

static void the_patient_may_exclude_emergencies_and_who_wants_one_cannot_lift_that(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'N', .kind = ML_CONSENT_NO_EMERGENCY, .by = GP});
    assert_int_equal(in_emergency(&s, NURSE, NULL), ML_CONSENT_NO_IN_EMERGENCY);
    assert_true(may(&s, NURSE, ML_CLASS_DOCUMENTS, NULL)); /* in daily care nothing changes */
    assert_true(consent_closes_emergency(&s, ML_COMPARTMENT_MEDICAL));
    story_say(&s,
              &(struct says){.name = 'W', .kind = ML_CONSENT_WITHDRAWN, .by = NURSE, .ends = "N"});
    assert_int_equal(in_emergency(&s, NURSE, NULL), ML_CONSENT_NO_IN_EMERGENCY);
    assert_int_equal(in_emergency(&s, KINE, NULL), ML_CONSENT_YES);
    story_end(&s);
}

static ml_consent_answer representative(const struct story *s, unsigned class)
{
    return consent_ask(
        s, &(struct asked){.viewer = ML_VIEWER_REPRESENTATIVE, .who = GP, .class = class});
}

static void a_minors_secret_is_kept_from_representatives_alone(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    assert_int_equal(representative(&s, ML_CLASS_SENSITIVE), ML_CONSENT_YES);
    story_say(&s,
              &(struct says){
                  .name = 'S', .kind = ML_CONSENT_SECRET, .by = GP, .class = ML_CLASS_SENSITIVE});
    assert_int_equal(representative(&s, ML_CLASS_SENSITIVE), ML_CONSENT_NO_SECRET);
    assert_int_equal(representative(&s, ML_CLASS_PROBLEMS), ML_CONSENT_YES);
    assert_true(may(&s, GP, ML_CLASS_SENSITIVE, NULL));
    assert_true(may(&s, NURSE, ML_CLASS_SENSITIVE, NULL));
    /* Neither lifted nor set by whom it is kept from. */
    story_say(&s, &(struct says){.name = 'W',
                                 .kind = ML_CONSENT_WITHDRAWN,
                                 .by = GP,
                                 .ends = "S",
                                 .source = ML_CONSENT_BY_REPRESENTATIVE});
    assert_int_equal(representative(&s, ML_CLASS_SENSITIVE), ML_CONSENT_NO_SECRET);
    story_say(&s, &(struct says){.name = 'X', .kind = ML_CONSENT_WITHDRAWN, .by = GP, .ends = "S"});
    assert_int_equal(representative(&s, ML_CLASS_SENSITIVE), ML_CONSENT_YES);
    story_say(&s, &(struct says){.name = 'T',
                                 .kind = ML_CONSENT_SECRET,
                                 .by = GP,
                                 .source = ML_CONSENT_BY_REPRESENTATIVE});
    assert_int_equal(representative(&s, ML_CLASS_SENSITIVE), ML_CONSENT_YES);
    assert_int_equal(
        consent_ask(&s, &(struct asked){.viewer = ML_VIEWER_PATIENT, .class = ML_CLASS_SENSITIVE}),
        ML_CONSENT_YES);
    story_end(&s);
}

static void a_compartment_is_closed_when_all_of_it_is(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    assert_false(consent_closes(&s, NURSE, ML_COMPARTMENT_MEDICAL));
    assert_false(consent_opposes(&s));
    story_say(&s,
              &(struct says){
                  .name = 'C', .kind = ML_CONSENT_OPPOSED, .by = GP, .class = ML_CLASS_PROBLEMS});
    assert_true(consent_opposes(&s));
    assert_false(consent_closes(&s, NURSE, ML_COMPARTMENT_MEDICAL)); /* the vault hides it */
    story_say(&s, &(struct says){.name = 'D',
                                 .kind = ML_CONSENT_OPPOSED,
                                 .by = GP,
                                 .person = NURSE,
                                 .compartment = ML_COMPARTMENT_MEDICAL});
    assert_true(consent_closes(&s, NURSE, ML_COMPARTMENT_MEDICAL));
    assert_false(consent_closes(&s, KINE, ML_COMPARTMENT_MEDICAL));
    assert_false(consent_closes(&s, NURSE, ML_COMPARTMENT_CARE));
    assert_false(consent_closes(&s, NURSE, ML_COMPARTMENT_ADMIN));
    assert_false(consent_closes_emergency(&s, ML_COMPARTMENT_MEDICAL));
    story_end(&s);
}

static void more_than_can_be_weighed_is_no(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_fill(&s, ML_CONSENT_FACTS_MAX);
    assert_true(may(&s, NURSE, ML_CLASS_PROBLEMS, NULL));
    story_fill(&s, ML_CONSENT_FACTS_MAX + 1);
    assert_int_equal(consent_ask(&s, &(struct asked){.who = NURSE, .class = ML_CLASS_PROBLEMS}),
                     ML_CONSENT_NO_TOO_MANY);
    assert_true(may(&s, NURSE, ML_CLASS_AGENDA, NULL));
    assert_true(consent_opposes(&s));
    story_end(&s);
}

static void the_chain_tells_each_fact_that_makes_it_so(void **state)
{
    struct story s;
    char told[256];
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'I', .kind = ML_CONSENT_INFORMED, .by = GP});
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    story_say(&s,
              &(struct says){.name = 'A', .kind = ML_CONSENT_AGREED, .by = GP, .person = NURSE});
    story_say(&s,
              &(struct says){.name = 'B', .kind = ML_CONSENT_AGREED, .by = KINE, .person = KINE});
    const struct asked nurse = {.who = NURSE, .class = ML_CLASS_PROBLEMS};
    const struct asked kine = {.who = KINE, .class = ML_CLASS_PROBLEMS};
    consent_tell(&s, &nurse, told, sizeof(told));
    assert_string_equal(told, "INFORMED:I CARE_TEAM AGREED:A OUTWEIGHED:D/A ");
    consent_tell(&s, &kine, told, sizeof(told));
    assert_string_equal(told, "INFORMED:I CARE_TEAM OWN_WORD:B OPPOSED:D ");
    story_say(&s,
              &(struct says){.name = 'W', .kind = ML_CONSENT_WITHDRAWN, .by = GP, .ends = "DAI"});
    consent_tell(&s, &nurse, told, sizeof(told));
    assert_string_equal(told, "NOT_INFORMED CARE_TEAM ENDED:A/W ENDED:D/W ");
    story_end(&s);
}

/* ---- any order, any history ---- */

/* xorshift64: the same numbers everywhere. */
static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % below;
}

static void say_something(struct story *s, uint64_t *seed, char name)
{
    static const uint8_t kinds[] = {
        ML_CONSENT_OPPOSED,   ML_CONSENT_OPPOSED,      ML_CONSENT_AGREED, ML_CONSENT_AGREED,
        ML_CONSENT_WITHDRAWN, ML_CONSENT_NO_EMERGENCY, ML_CONSENT_SECRET};
    struct says says = {.name = name, .kind = kinds[draw(seed, sizeof(kinds))]};
    says.by = (unsigned)(1 + draw(seed, 3));
    says.source = draw(seed, 4) == 0 ? ML_CONSENT_BY_REPRESENTATIVE : ML_CONSENT_BY_PATIENT;
    switch (draw(seed, 5)) {
    case 0:
        says.person = (unsigned)(1 + draw(seed, 3));
        break;
    case 1:
        says.role = roles[1 + draw(seed, 3)];
        break;
    case 2:
        says.team = (unsigned)(1 + draw(seed, 3));
        break;
    case 3:
        says.except = (unsigned)(1 + draw(seed, 3));
        break;
    default:
        break;
    }
    switch (draw(seed, 4)) {
    case 0:
        says.class = ML_CLASS_PROBLEMS;
        break;
    case 1:
        says.compartment = ML_COMPARTMENT_MEDICAL;
        break;
    case 2:
        says.object = "x";
        break;
    default:
        break;
    }
    for (unsigned i = (unsigned)draw(seed, 3); i < 2 && name > 'A'; i++) {
        says.ends[strlen(says.ends)] = (char)('A' + draw(seed, (uint64_t)(name - 'A')));
    }
    says.knows = (unsigned)draw(seed, 1u << 12);
    says.chosen = true;
    says.grey = draw(seed, 6) == 0;
    says.until_ms = draw(seed, 6) == 0 ? 1000 : 0;
    story_say(s, &says);
}

static void question_compare(const struct story *s, const struct asked *asked, uint64_t seed)
{
    const bool got = consent_ask(s, asked) == ML_CONSENT_YES;
    if (got != oracle_may(s, asked)) {
        fail_msg("seed %llu, who %u, class %u", (unsigned long long)seed, asked->who, asked->class);
    }
}

static void compare_all(const struct story *s, uint64_t seed)
{
    for (unsigned n = 0; n < 16u * KINE; n++) {
        const unsigned who = GP + n / 16;
        const struct asked asked = {
            .who = who,
            .viewer = n % 4 == 3 ? ML_VIEWER_REPRESENTATIVE : ML_VIEWER_MEMBER,
            .class = n % 2 == 0 ? ML_CLASS_PROBLEMS : ML_CLASS_NURSING_NOTES,
            .object = n / 4 % 2 == 0 ? "x" : NULL,
            .emergency = n / 8 % 2 == 1};
        question_compare(s, &asked, seed);
    }
}

static void it_agrees_with_the_rules_read_as_sentences_in_any_order(void **state)
{
    enum { HISTORIES = 3000 };
    uint64_t closed = 0;
    (void)state;
    for (uint64_t n = 1; n <= HISTORIES; n++) {
        struct story s;
        uint64_t seed = n * UINT64_C(0x9e3779b97f4a7c15);
        story_begin(&s, roles);
        s.outside = draw(&seed, 3) == 0 ? NURSE : 0;
        s.now_ms = draw(&seed, 2) == 0 ? 500 : 1500;
        const unsigned count = (unsigned)(1 + draw(&seed, 9));
        for (unsigned i = 0; i < count; i++) {
            say_something(&s, &seed, (char)('A' + i));
        }
        compare_all(&s, n);
        story_shuffle(&s, draw(&seed, 1u << 20));
        compare_all(&s, n);
        closed += !may(&s, NURSE, ML_CLASS_PROBLEMS, "x");
        story_end(&s);
    }
    assert_in_range(closed, HISTORIES / 5, HISTORIES * 4 / 5); /* both answers are tried */
}

static void without_memory_nothing_is_left(void **state)
{
    struct story s;
    (void)state;
    story_begin(&s, roles);
    story_say(&s, &(struct says){.name = 'D', .kind = ML_CONSENT_OPPOSED, .by = GP});
    consent_fails_cleanly(&s);
    story_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_team_member_may_until_the_patient_opposes),
        cmocka_unit_test(outside_the_team_needs_an_agreement),
        cmocka_unit_test(an_opposition_may_except_some),
        cmocka_unit_test(an_opposition_may_be_about_a_profession_a_person_a_class_a_document),
        cmocka_unit_test(an_opposition_may_be_about_a_team_or_a_compartment),
        cmocka_unit_test(identity_and_wishes_are_never_hidden),
        cmocka_unit_test(the_more_specific_wins_and_a_tie_is_no),
        cmocka_unit_test(what_was_ended_no_longer_holds),
        cmocka_unit_test(what_is_quarantined_neither_says_nor_ends),
        cmocka_unit_test(of_a_later_kind_only_what_it_ends_counts),
        cmocka_unit_test(nobody_lifts_what_another_took_down_against_him),
        cmocka_unit_test(what_was_said_until_a_time_ends_then),
        cmocka_unit_test(an_emergency_sets_oppositions_aside_but_not_what_is_masked),
        cmocka_unit_test(the_patient_may_exclude_emergencies_and_who_wants_one_cannot_lift_that),
        cmocka_unit_test(a_minors_secret_is_kept_from_representatives_alone),
        cmocka_unit_test(a_compartment_is_closed_when_all_of_it_is),
        cmocka_unit_test(more_than_can_be_weighed_is_no),
        cmocka_unit_test(the_chain_tells_each_fact_that_makes_it_so),
        cmocka_unit_test(it_agrees_with_the_rules_read_as_sentences_in_any_order),
        cmocka_unit_test(without_memory_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
