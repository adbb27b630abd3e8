/* test_glass_form.c -- what is said of emergency access has one form; words and numbers agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "../../fuzz/core_codec/roundtrip.h"
#include "support_codec.h"

static bool is_taken(const struct ml_glass_say *say)
{
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    ml_err err = ml_glass_encode(&b, say);
    assert_true(err == ML_OK || err == ML_E_INVALID || err == ML_E_LIMIT);
    ml_buf_free(&b);
    return err == ML_OK;
}

static void a_statement_has_one_form(void **state)
{
    (void)state;
    struct ml_glass_say say;
    for (unsigned i = 0; sample_glass_kind(&say, i) != NULL; i++) {
        struct ml_buf b;
        ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
        assert_int_equal(ml_glass_encode(&b, &say), ML_OK);
        check_form(&b, roundtrip_glass);
        ml_buf_free(&b);
    }
}

static void each_kind_has_its_own_parts_and_no_other(void **state)
{
    (void)state;
    struct ml_glass_say say;
#define REFUSED(full, change)                                                                      \
    sample_glass(&say, full);                                                                      \
    assert_true(is_taken(&say));                                                                   \
    change;                                                                                        \
    assert_false(is_taken(&say))
    REFUSED(true, memset(&say.patient, 0, sizeof(say.patient)));
    REFUSED(true, say.tier = 0);
    REFUSED(true, say.tier = 4);
    REFUSED(true, say.reason = 0);
    REFUSED(true, say.until_ms = 0);
    REFUSED(true, say.outcome = 1);
    REFUSED(true, say.text = TEXT("x"));
    REFUSED(false, say.tier = 1);
    REFUSED(false, say.patient.b[0] = 1);
    REFUSED(false, say.kind = ML_GLASS_REVIEWED);
    REFUSED(false, say.kind = ML_GLASS_TOLD);
    REFUSED(false, say.how = ML_GLASS_BY_ORAL);
    REFUSED(true, say.how = ML_GLASS_BY_ORAL);
#undef REFUSED
    sample_glass_told(&say);
    assert_true(is_taken(&say));
    say.outcome = ML_GLASS_JUSTIFIED;
    assert_false(is_taken(&say));
    sample_glass_review(&say);
    say.how = ML_GLASS_BY_ORAL;
    assert_false(is_taken(&say));
    sample_glass_asked(&say);
    memset(&say.reply, 0, sizeof(say.reply));
    assert_false(is_taken(&say));
    sample_glass_asked(&say);
    say.kind = ML_GLASS_OPENED;
    assert_false(is_taken(&say));
    sample_glass_answer(&say);
    say.kind = ML_GLASS_CLOSED;
    assert_false(is_taken(&say));
    sample_glass(&say, false);
    say.kind = ML_GLASS_ANSWER;
    assert_false(is_taken(&say));
    sample_glass(&say, false);
    say.kind = 9; /* of a later version */
    say.tier = 1;
    assert_true(is_taken(&say));
}

static void a_review_says_at_most_so_much(void **state)
{
    (void)state;
    static char text[ML_GLASS_TEXT_MAX + 2];
    struct ml_glass_say say;
    memset(text, 'x', sizeof(text));
    sample_glass_review(&say);
    say.text = ml_slice(text, ML_GLASS_TEXT_MAX);
    assert_true(is_taken(&say));
    say.text = ml_slice(text, ML_GLASS_TEXT_MAX + 1);
    assert_false(is_taken(&say));
}

static void an_answer_has_at_most_so_many_shares(void **state)
{
    (void)state;
    static struct ml_glass_share shares[ML_GLASS_SHARES_MAX + 1];
    struct ml_glass_say say;
    for (unsigned i = 0; i <= ML_GLASS_SHARES_MAX; i++) {
        shares[i].dek.b[0] = (uint8_t)i;
    }
    sample_glass_answer(&say);
    say.shares = (struct ml_list){.items = shares, .count = ML_GLASS_SHARES_MAX};
    assert_true(is_taken(&say));
    say.shares.count++;
    assert_false(is_taken(&say));
}

static void at_most_so_many_are_handed_a_pair(void **state)
{
    (void)state;
    static struct ml_pair_slot slots[ML_KEYOP_PAIR_MAX + 1];
    struct ml_keyop op;
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    for (unsigned i = 0; i <= ML_KEYOP_PAIR_MAX; i++) {
        slots[i].recipient.b[0] = (uint8_t)(i >> 8);
        slots[i].recipient.b[1] = (uint8_t)i;
    }
    sample_keyop(&op, ML_KEYOP_PAIR_GRANT, true);
    op.u.pair_grant.slots = (struct ml_list){.items = slots, .count = ML_KEYOP_PAIR_MAX};
    assert_int_equal(ml_keyop_encode(&b, &op), ML_OK);
    op.u.pair_grant.slots.count++;
    assert_int_not_equal(ml_keyop_encode(&b, &op), ML_OK);
    ml_buf_free(&b);
}

static void shreds_end_at_their_limits(void **state)
{
    (void)state;
    static struct ml_shred_wrap wraps[ML_KEYOP_SHRED_MAX + 1];
    static struct ml_op_ref refs[ML_KEYOP_DONE_MAX + 1];
    struct ml_keyop op;
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    for (unsigned i = 0; i <= ML_KEYOP_SHRED_MAX; i++) {
        wraps[i].wrap.id.bundle.b[0] = (uint8_t)(i >> 8);
        wraps[i].wrap.id.bundle.b[1] = (uint8_t)i;
        if (i <= ML_KEYOP_DONE_MAX) {
            refs[i].op.id = wraps[i].wrap.id;
        }
    }
    sample_keyop(&op, ML_KEYOP_SHRED, true);
    op.u.shred.wraps = (struct ml_list){.items = wraps, .count = ML_KEYOP_SHRED_MAX};
    assert_int_equal(ml_keyop_encode(&b, &op), ML_OK);
    op.u.shred.wraps.count++;
    assert_int_not_equal(ml_keyop_encode(&b, &op), ML_OK);
    ml_buf_free(&b);
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    sample_keyop(&op, ML_KEYOP_SHRED_DONE, true);
    op.u.shred_done.shreds = (struct ml_list){.items = refs, .count = ML_KEYOP_DONE_MAX};
    assert_int_equal(ml_keyop_encode(&b, &op), ML_OK);
    op.u.shred_done.shreds.count++;
    assert_int_not_equal(ml_keyop_encode(&b, &op), ML_OK);
    ml_buf_free(&b);
}

static void a_fault_names_at_most_so_many_keys(void **state)
{
    (void)state;
    static struct ml_key_id keys[ML_KEYOP_FAULTS_MAX + 1];
    struct ml_keyop op;
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    for (unsigned i = 0; i <= ML_KEYOP_FAULTS_MAX; i++) {
        keys[i].b[0] = (uint8_t)(i >> 8);
        keys[i].b[1] = (uint8_t)i;
    }
    sample_keyop(&op, ML_KEYOP_KEY_FAULT, true);
    op.u.key_fault.keys = (struct ml_list){.items = keys, .count = ML_KEYOP_FAULTS_MAX};
    assert_int_equal(ml_keyop_encode(&b, &op), ML_OK);
    op.u.key_fault.keys.count++;
    assert_int_not_equal(ml_keyop_encode(&b, &op), ML_OK);
    ml_buf_free(&b);
}

static void words_and_numbers_agree(void **state)
{
    (void)state;
    for (uint8_t i = 1; i <= 4; i++) {
        assert_int_equal(ml_glass_reason_named(ml_glass_reason_name(i)), i);
    }
    for (uint8_t i = 1; i <= 4; i++) {
        assert_int_equal(ml_glass_how_named(ml_glass_how_name(i)), i);
    }
    assert_string_equal(ml_glass_how_name(5), "?");
    assert_int_equal(ml_glass_how_named("?"), 0);
    for (uint8_t i = 1; i <= 3; i++) {
        assert_int_equal(ml_glass_outcome_named(ml_glass_outcome_name(i)), i);
    }
    assert_string_equal(ml_glass_reason_name(5), "?");
    assert_string_equal(ml_glass_outcome_name(0), "?");
    assert_int_equal(ml_glass_reason_named("?"), 0);
    assert_int_equal(ml_glass_outcome_named(""), 0);
    for (uint8_t i = 1; i <= 16; i++) {
        assert_int_equal(ml_trace_action_named(ml_trace_action_name(i)), i);
    }
    assert_int_equal(ml_trace_action_named("?"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_has_one_form),
        cmocka_unit_test(each_kind_has_its_own_parts_and_no_other),
        cmocka_unit_test(a_review_says_at_most_so_much),
        cmocka_unit_test(an_answer_has_at_most_so_many_shares),
        cmocka_unit_test(at_most_so_many_are_handed_a_pair),
        cmocka_unit_test(shreds_end_at_their_limits),
        cmocka_unit_test(a_fault_names_at_most_so_many_keys),
        cmocka_unit_test(words_and_numbers_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
