/* tests/unit/core_codec/test_consent_form.c -- statements of patients: one form each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/consent.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

static void every_statement_has_one_form(void **state)
{
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    for (int full = 0; full < 2; full++) {
        struct ml_consent consent;
        ml_buf_clear(&b);
        sample_consent(&consent, full);
        assert_int_equal(ml_consent_encode(&b, &consent), ML_OK);
        check_form(&b, roundtrip_consent);
    }
    ml_buf_free(&b);
}

struct misfit {
    uint16_t role;
    uint8_t audience;
    uint8_t audience_id;
    uint8_t item;
    uint8_t number;
    uint8_t object;
    bool fits;
};

static void a_part_that_nothing_asks_for_is_refused(void **state)
{
    static const struct misfit misfits[] = {
        {.fits = true},
        {.role = 10},
        {.audience_id = 1},
        {.number = 3},
        {.object = 1},
        {.audience = ML_AUDIENCE_ALL_EXCEPT},
        {.audience = ML_AUDIENCE_PROFESSION},
        {.audience = ML_AUDIENCE_PROFESSION, .role = 10, .fits = true},
        {.audience = ML_AUDIENCE_TEAM},
        {.audience = ML_AUDIENCE_TEAM, .audience_id = 1, .fits = true},
        {.audience = ML_AUDIENCE_PERSON},
        {.audience = ML_AUDIENCE_PERSON, .audience_id = 1, .fits = true},
        {.audience = ML_AUDIENCE_PERSON, .audience_id = 1, .role = 10},
        {.item = ML_ITEM_COMPARTMENT},
        {.item = ML_ITEM_COMPARTMENT, .number = 3, .fits = true},
        {.item = ML_ITEM_CLASS, .number = 6, .fits = true},
        {.item = ML_ITEM_OBJECT},
        {.item = ML_ITEM_OBJECT, .object = 1, .fits = true},
        {.item = ML_ITEM_OBJECT, .object = 1, .number = 3},
        {.audience = ML_AUDIENCE_LAST + 1, .audience_id = 1},
        {.item = ML_ITEM_LAST + 1},
    };
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
        const struct misfit *m = &misfits[i];
        struct ml_consent consent;
        sample_consent(&consent, false);
        consent.audience = m->audience;
        consent.role = m->role;
        consent.audience_id[0] = m->audience_id;
        consent.item = m->item;
        consent.number = m->number;
        consent.object.b[0] = m->object;
        ml_buf_clear(&b);
        b.err = ML_OK;
        assert_int_equal(ml_consent_encode(&b, &consent), m->fits ? ML_OK : ML_E_INVALID);
        assert_true(!m->fits || roundtrip_consent(ml_buf_slice(&b)));
    }
    ml_buf_free(&b);
}

static void at_most_so_many_are_named(void **state)
{
    static struct ml_consent_id names[ML_CONSENT_NAMES_MAX + 1];
    static struct ml_member_id members[ML_CONSENT_MEMBERS_MAX + 1];
    static char text[ML_CONSENT_TEXT_MAX + 1];
    struct ml_consent consent;
    struct ml_buf b;
    (void)state;
    memset(text, 'x', sizeof(text));
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        names[i].b[0] = (uint8_t)(i + 1);
        members[i % (ML_CONSENT_MEMBERS_MAX + 1)].b[0] = (uint8_t)(i + 1);
    }
    for (unsigned i = 0; i <= ML_CONSENT_MEMBERS_MAX; i++) {
        members[i].b[0] = (uint8_t)(i + 1);
    }
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    for (unsigned over = 0; over < 5; over++) {
        sample_consent(&consent, true);
        consent.ends =
            (struct ml_list){.items = names, .count = ML_CONSENT_NAMES_MAX + (over == 1)};
        consent.seen =
            (struct ml_list){.items = names, .count = ML_CONSENT_NAMES_MAX + (over == 2)};
        consent.members =
            (struct ml_list){.items = members, .count = ML_CONSENT_MEMBERS_MAX + (over == 3)};
        consent.reason = ml_slice(text, ML_CONSENT_TEXT_MAX + (over == 4));
        consent.means = ml_slice(text, ML_CONSENT_TEXT_MAX);
        ml_buf_clear(&b);
        b.err = ML_OK;
        assert_int_equal(ml_consent_encode(&b, &consent), over == 0 ? ML_OK : ML_E_INVALID);
        assert_true(over != 0 || roundtrip_consent(ml_buf_slice(&b)));
    }
    ml_buf_free(&b);
}

static void its_name_is_the_hash_of_its_bytes(void **state)
{
    const struct ml_consent_id a = ml_consent_id_of(ml_slice_str("a"));
    const struct ml_consent_id again = ml_consent_id_of(ml_slice_str("a"));
    const struct ml_consent_id b = ml_consent_id_of(ml_slice_str("b"));
    (void)state;
    assert_memory_equal(&a, &again, sizeof(a));
    assert_memory_not_equal(&a, &b, sizeof(a));
    assert_string_equal(ml_consent_kind_name(ML_CONSENT_OPPOSED), "opposed");
    assert_string_equal(ml_consent_kind_name(0), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_has_one_form),
        cmocka_unit_test(a_part_that_nothing_asks_for_is_refused),
        cmocka_unit_test(at_most_so_many_are_named),
        cmocka_unit_test(its_name_is_the_hash_of_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
