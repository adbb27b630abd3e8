/* tests/unit/core_codec/test_wire_limits.c -- the longest field of each named limit, and one more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "support_codec.h"

static char text[ML_MSG_BYTES_MAX];

/* ML_OK when one of `len` bytes (or items) is written, else the error. */
typedef ml_err write_fn(struct ml_buf *out, size_t len);

static ml_err concept_text(struct ml_buf *out, size_t len)
{
    const struct ml_concept v = {.text = ml_slice(text, len)};
    return ml_concept_encode(out, &v);
}

static ml_err code_display(struct ml_buf *out, size_t len)
{
    const struct ml_code v = {.code = ml_slice_str("c"), .display = ml_slice(text, len)};
    return ml_code_encode(out, &v);
}

static ml_err given_names(struct ml_buf *out, size_t count)
{
    static struct ml_slice names[ML_VALUE_LIST_MAX + 1];
    for (size_t i = 0; i <= ML_VALUE_LIST_MAX; i++) {
        names[i] = ml_slice_str("Anne");
    }
    const struct ml_person_name v = {.given = {.items = names, .count = (uint32_t)count}};
    return ml_person_name_encode(out, &v);
}

static ml_err number(struct ml_buf *out, size_t len)
{
    char digits[ML_DECIMAL_MAX + 1];
    memset(digits, '7', sizeof(digits));
    const struct ml_quantity v = {.number = ml_slice(digits, len)};
    return ml_decimal_valid(v.number) ? ml_quantity_encode(out, &v) : ML_E_INVALID;
}

static ml_err any_value(struct ml_buf *out, size_t len)
{
    struct ml_buf value;
    ml_buf_init(&value, ml_env_system(), ML_MSG_BYTES_MAX);
    ml_mp_put_bin(&value, ml_slice(text, len - 3)); /* its head has three bytes */
    assert_int_equal(value.len, len);
    const struct ml_component v = {.concept = ml_slice("\x92\xa3tas\x90", 6),
                                   .value = ml_buf_slice(&value)};
    ml_err err = ml_component_encode(out, &v);
    ml_buf_free(&value);
    return err;
}

static ml_err sealed(struct ml_buf *out, size_t len)
{
    struct ml_govop op;
    sample_govop(&op, ML_GOVOP_CARD_SET, true);
    op.u.card_set.card.ct = ml_slice(text, len);
    return ml_govop_encode(out, &op);
}

static ml_err purpose(struct ml_buf *out, size_t len)
{
    struct ml_trace_entry entry;
    sample_trace(&entry, true);
    entry.purpose = ml_slice(text, len);
    return ml_trace_entry_encode(out, &entry);
}

static ml_err node_name(struct ml_buf *out, size_t len)
{
    struct ml_msg msg;
    sample_msg(&msg, ML_MSG_ENROL_REQUEST, true);
    msg.u.enrol_request.node_name = ml_slice(text, len);
    return ml_msg_encode(out, &msg);
}

static ml_err granted_keys(struct ml_buf *out, size_t count)
{
    static struct ml_grant_slot slots[ML_KEYOP_GRANTS_MAX + 1];
    struct ml_keyop op;
    for (size_t i = 0; i <= ML_KEYOP_GRANTS_MAX; i++) {
        slots[i].key.b[0] = (uint8_t)(i >> 8);
        slots[i].key.b[1] = (uint8_t)i;
        slots[i].kind = 1;
    }
    sample_keyop(&op, ML_KEYOP_KEK_GRANT, true);
    op.u.kek_grant.slots = (struct ml_list){.items = slots, .count = (uint32_t)count};
    return ml_keyop_encode(out, &op);
}

static ml_err older_keys(struct ml_buf *out, size_t count)
{
    static struct ml_older_key older[ML_KEYOP_OLDER_MAX + 1];
    struct ml_keyop op;
    for (size_t i = 0; i <= ML_KEYOP_OLDER_MAX; i++) {
        older[i].wrapped.b[0] = (uint8_t)(i + 1);
    }
    sample_keyop(&op, ML_KEYOP_KEK_EPOCH, true);
    op.u.kek_epoch.older = (struct ml_list){.items = older, .count = (uint32_t)count};
    return ml_keyop_encode(out, &op);
}

static void holds(write_fn *write, size_t most)
{
    struct ml_buf out;
    ml_buf_init(&out, ml_env_system(), ML_MSG_BYTES_MAX);
    assert_int_equal(write(&out, most), ML_OK);
    ml_buf_clear(&out);
    assert_int_equal(write(&out, most + 1), ML_E_INVALID);
    assert_int_equal(out.len, 0);
    ml_buf_free(&out);
}

static void limits_of_values_hold_on_both_sides(void **state)
{
    (void)state;
    memset(text, 'a', sizeof(text));
    holds(concept_text, ML_TEXT_MAX);
    holds(code_display, ML_LINE_MAX);
    holds(given_names, ML_VALUE_LIST_MAX);
    holds(number, ML_DECIMAL_MAX);
    holds(any_value, ML_CHANGE_VALUE_MAX);
    holds(sealed, ML_SEALED_BYTES_MAX);
    holds(purpose, ML_TRACE_TEXT_MAX);
    holds(node_name, ML_MSG_NAME_MAX);
}

static void grants_and_older_keys_end_at_their_limits(void **state)
{
    (void)state;
    holds(granted_keys, ML_KEYOP_GRANTS_MAX);
    holds(older_keys, ML_KEYOP_OLDER_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_values_hold_on_both_sides),
        cmocka_unit_test(grants_and_older_keys_end_at_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
