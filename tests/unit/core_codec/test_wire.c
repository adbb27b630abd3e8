/* tests/unit/core_codec/test_wire.c -- the table engine, and rules that every format keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/explain.h"
#include "core/codec/mp_write.h"
#include "fake_env.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

/* A format of our own, with every kind of field. */
struct thing {
    uint64_t large;
    struct ml_slice bytes;
    struct ml_slice text;
    struct ml_slice value;
    struct ml_wire_body body;
    struct ml_list heads;
    struct ml_list names;
    struct ml_wire_extra extra;
    struct ml_dep place;
    int32_t middle;
    uint16_t medium;
    int16_t offset;
    uint8_t small;
    bool yes;
    struct ml_hash16 id;
};

static const char *thing_check(const void *object)
{
    const struct thing *t = object;
    return t->small == 13 ? "small" : NULL;
}

#define S struct thing
static const struct ml_wire_field thing_fields[] = {
    ML_WF_UINT(S, 1, small, 1, 20, "a small number"),
    ML_WF_OPT_UINT(S, 2, medium, 1000, "a number"),
    ML_WF_OPT_UINT(S, 3, large, UINT64_MAX, "a large number"),
    ML_WF_INT(S, 4, offset, 100, "a signed number"),
    ML_WF_INT(S, 5, middle, 100000, "a signed number"),
    ML_WF_OPT_BOOL(S, 6, yes, "a flag"),
    ML_WF_OPT_FIXED(S, 7, id, "16 bytes"),
    ML_WF_OPT_BIN(S, 8, bytes, 2, 4, "bytes"),
    ML_WF_OPT_TEXT(S, 9, text, 4, "text"),
    ML_WF_OPT_VALUE(S, 10, value, 40, "any value"),
    ML_WF_BODY(S, 11, body, 1, 4, "bytes or why not"),
    ML_WF_OPT_TUPLE(S, 12, place, &ml_format_dep, "a head"),
    ML_WF_OPT_SORTED(S, 13, heads, 3, &ml_format_dep, "heads"),
    ML_WF_OPT_LIST(S, 14, names, 2, &ml_format_line, "texts"),
};
#undef S

static const struct ml_wire_format open_format =
    ML_WIRE_FORMAT("thing", MAP, struct thing, offsetof(struct thing, extra), thing_fields,
                   thing_check, "a thing");
static const struct ml_wire_format closed_format = ML_WIRE_FORMAT(
    "thing", MAP, struct thing, ML_WIRE_CLOSED, thing_fields, thing_check, "a thing");

/* small 5, offset -7, middle 300, body absent for reason 2 */
#define LEAST "01 05 04 f9 05 cd012c 0b 02"

static ml_err decode(struct thing *out, const char *hex, struct ml_fault *fault)
{
    return ml_wire_decode(&open_format, out, bytes_of(hex), fault);
}

static void the_least_object_has_zero_for_the_rest(void **state)
{
    struct thing t;
    struct ml_fault fault = {0};
    (void)state;
    memset(&t, 0x55, sizeof(t));
    assert_int_equal(decode(&t, "84" LEAST, &fault), ML_OK);
    assert_int_equal(t.small, 5);
    assert_int_equal(t.offset, -7);
    assert_int_equal(t.middle, 300);
    assert_int_equal(t.body.absent, 2);
    assert_int_equal(t.medium, 0);
    assert_int_equal(t.heads.count, 0);
    assert_null(t.text.data);
    assert_int_equal(t.extra.pairs, 0);
    must_encode_to(&open_format, &t, bytes_of("84" LEAST));
}

static void every_refusal_says_what_and_where(void **state)
{
    static const struct {
        const char *hex;
        ml_fault_reason reason;
        size_t offset;
        const char *where;
    } rows[] = {
        {"83 04 f9 05 cd012c 0b 02", ML_FAULT_MISSING, 2, "small"},
        {"83 01 05 04 f9 05 cd012c", ML_FAULT_MISSING, 9, "body"},
        {"84 01 00 04 f9 05 cd012c 0b 02", ML_FAULT_RANGE, 2, "small"},
        {"84 01 15 04 f9 05 cd012c 0b 02", ML_FAULT_RANGE, 2, "small"},
        {"84 01 05 04 d09b 05 cd012c 0b 02", ML_FAULT_RANGE, 4, "offset"},
        {"84 01 05 04 65 05 cd012c 0b 02", ML_FAULT_RANGE, 4, "offset"},
        {"85 01 05 02 00 04 f9 05 cd012c 0b 02", ML_FAULT_NOT_OMITTED, 4, "medium"},
        {"85 01 05 02 cd03e9 04 f9 05 cd012c 0b 02", ML_FAULT_RANGE, 4, "medium"},
        {"85 01 05 04 f9 05 cd012c 06 c2 0b 02", ML_FAULT_NOT_OMITTED, 10, "yes"},
        {"85 01 05 04 f9 05 cd012c 07 c410 00000000000000000000000000000000 0b 02",
         ML_FAULT_NOT_OMITTED, 10, "id"},
        {"85 01 05 04 f9 05 cd012c 08 c400 0b 02", ML_FAULT_RANGE, 10, "bytes"},
        {"85 01 05 04 f9 05 cd012c 08 c4050000000000 0b 02", ML_FAULT_RANGE, 10, "bytes"},
        {"85 01 05 04 f9 05 cd012c 09 a0 0b 02", ML_FAULT_RANGE, 10, "text"},
        {"85 01 05 04 f9 05 cd012c 09 a1ff 0b 02", ML_FAULT_UTF8, 10, "text"},
        {"85 01 05 04 f9 05 cd012c 0a c1 0b 02", ML_FAULT_FORBIDDEN, 10, "value"},
        {"84 01 05 04 f9 05 cd012c 0b 00", ML_FAULT_RANGE, 10, "body"},
        {"84 01 05 04 f9 05 cd012c 0b c400", ML_FAULT_RANGE, 10, "body"},
        {"84 01 05 04 f9 05 cd012c 0b a0", ML_FAULT_TYPE, 10, "body"},
        {"85" LEAST "0d 90", ML_FAULT_RANGE, 12, "heads"},
        {"85" LEAST "0e 91 01", ML_FAULT_TYPE, 13, "line"},
        {"85" LEAST "0e 93 a0 a0 a0", ML_FAULT_RANGE, 12, "names"},
        {"84 01 0d 04 f9 05 cd012c 0b 02", ML_FAULT_RULE, 0, "small"},
        {"84" LEAST "00", ML_FAULT_TRAILING, 11, NULL},
        {"85 00 00" LEAST, ML_FAULT_UNKNOWN_KEY, 1, NULL},
        {"94 05 f9 cd012c 02", ML_FAULT_TYPE, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct thing t;
        struct thing before;
        struct ml_fault fault = {0};
        memset(&t, 0x55, sizeof(t));
        before = t;
        assert_int_equal(decode(&t, rows[i].hex, &fault), ML_E_MALFORMED);
        if (fault.reason != rows[i].reason || fault.offset != rows[i].offset) {
            print_error("%s: %s at %zu\n", rows[i].hex, ml_fault_text(fault.reason), fault.offset);
        }
        assert_int_equal(fault.reason, rows[i].reason);
        assert_int_equal(fault.offset, rows[i].offset);
        if (rows[i].where == NULL) {
            assert_null(fault.where);
        } else {
            assert_string_equal(fault.where, rows[i].where);
        }
        assert_memory_equal(&t, &before, sizeof(t)); /* outputs stay as they were */
        assert_int_equal(decode(&t, rows[i].hex, NULL), ML_E_MALFORMED);
    }
}

static void later_keys_are_kept_by_open_formats_only(void **state)
{
    static const char hex[] = "86" LEAST "0f a161 cd0100 92 c0 01";
    struct thing t;
    struct ml_fault fault;
    (void)state;
    assert_int_equal(decode(&t, hex, &fault), ML_OK);
    assert_int_equal(t.extra.pairs, 2);
    assert_string_equal(hex_of(t.extra.raw), "0fa161cd010092c001");
    must_encode_to(&open_format, &t, bytes_of(hex));
    assert_int_equal(ml_wire_decode(&closed_format, &t, bytes_of(hex), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_UNKNOWN_KEY);
    assert_int_equal(fault.offset, 11);
    /* they are checked like all else */
    assert_int_equal(decode(&t, "86" LEAST "0f a161 0f c0", &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_KEY_ORDER);
    assert_int_equal(decode(&t, "85" LEAST "0f cb3ff0000000000000", &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_FORBIDDEN);
}

static void sorted_lists_strictly_ascend(void **state)
{
    struct ml_dep heads[2];
    struct thing t = {.small = 1, .body.absent = 1, .heads = {.count = 2, .items = heads}};
    struct fake_env fake;
    struct ml_buf b;
    (void)state;
    fake_env_init(&fake, 1);
    ml_buf_init(&b, &fake.env, 1000);
    memset(heads, 0, sizeof(heads));
    heads[0].seq = 255; /* one byte of length more than 127, one less than 256 */
    heads[1].seq = 256;
    assert_int_equal(ml_wire_encode(&open_format, &b, &t), ML_OK);
    size_t len = b.len;
    struct thing back;
    assert_int_equal(ml_wire_decode(&open_format, &back, ml_buf_slice(&b), NULL), ML_OK);
    heads[1].seq = 255;
    assert_int_equal(ml_wire_encode(&open_format, &b, &t), ML_E_INVALID);
    heads[1].seq = 127;
    assert_int_equal(ml_wire_encode(&open_format, &b, &t), ML_E_INVALID);
    assert_int_equal(b.len, len);
    /* and by hand, the same entry twice */
    const char *twice = "85" LEAST "0d 92"
                        "94 c410 00000000000000000000000000000000 00 05"
                        "c410 00000000000000000000000000000000"
                        "94 c410 00000000000000000000000000000000 00 05"
                        "c410 00000000000000000000000000000000";
    struct ml_fault fault = {0};
    assert_int_equal(decode(&back, twice, &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_LIST_ORDER);
    assert_int_equal(fault.offset, 52);
    ml_buf_free(&b);
    assert_int_equal(fake.live, 0);
}

/* What decoding would refuse isn't written, and the buffer stays as it was. */
static void encoding_refuses_what_decoding_would(void **state)
{
    static const uint8_t bad_text[] = {0xff};
    static const uint8_t not_shortest[] = {0xcc, 0x01};
    static const uint8_t deep[] = {0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x90};
    static const uint8_t five[5] = {1, 2, 3, 4, 5};
    const struct thing good = {.small = 1, .body.absent = 1};
    struct thing bad[16];
    struct fake_env fake;
    struct ml_buf b;
    (void)state;
    for (size_t i = 0; i < 16; i++) {
        bad[i] = good;
    }
    bad[0].small = 0;
    bad[1].small = 21;
    bad[2].medium = 1001;
    bad[3].offset = 101;
    bad[4].offset = -101;
    bad[5].middle = 100001;
    bad[6].bytes = ml_slice(five, 1);
    bad[7].bytes = ml_slice(five, 5);
    bad[8].text = TEXT("12345");
    bad[9].text = ml_slice(bad_text, 1);
    bad[10].value = ml_slice(not_shortest, 2);
    bad[11].value = ml_slice(deep, sizeof(deep)); /* nine levels with the object's own */
    bad[12].body = (struct ml_wire_body){ml_slice(five, 5), 0};
    bad[13].place = (struct ml_dep){.lane = 5, .seq = 1};
    bad[14].small = 13; /* the format's rule */
    bad[15].names = (struct ml_list){.count = 3, .items = &bad[8].text};
    fake_env_init(&fake, 1);
    ml_buf_init(&b, &fake.env, 1000);
    ml_buf_u8(&b, 0x77);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(ml_wire_encode(&open_format, &b, &bad[i]), ML_E_INVALID);
        assert_int_equal(b.len, 1);
        assert_int_equal(b.err, ML_OK);
    }
    assert_int_equal(ml_wire_encode(&open_format, &b, &good), ML_OK);
    ml_buf_free(&b);
    assert_int_equal(fake.live, 0);
}

static void a_value_keeps_within_the_depth_of_its_object(void **state)
{
    static const uint8_t deep[] = {0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x90};
    struct thing t = {.small = 1, .body.absent = 1, .value = ml_slice(deep, sizeof(deep))};
    struct ml_buf b;
    struct thing back;
    (void)state;
    ml_buf_init(&b, ml_env_system(), 1000);
    assert_int_equal(ml_wire_encode(&open_format, &b, &t), ML_OK); /* eight levels */
    assert_int_equal(ml_wire_decode(&open_format, &back, ml_buf_slice(&b), NULL), ML_OK);
    ml_buf_free(&b);
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
    struct thing t = {.small = 1, .body.absent = 1};
    struct fake_env fake;
    struct ml_buf b;
    (void)state;
    fake_env_init(&fake, 1);
    ml_buf_init(&b, &fake.env, 8);
    assert_int_equal(ml_wire_encode(&open_format, &b, &t), ML_E_LIMIT);
    assert_int_equal(b.len, 0);
    assert_int_equal(ml_wire_encode(&open_format, &b, &t), ML_E_LIMIT); /* the error stays */
    ml_buf_free(&b);
    assert_int_equal(fake.live, 0);
}

/* Tables are data that a typing error can break: keys dense, members inside the struct. */
static void every_table_is_sound(void **state)
{
    size_t count = 0;
    const struct ml_wire_format *const *all = ml_explain_formats(&count);
    (void)state;
    assert_true(count > 45);
    for (size_t i = 0; i < count; i++) {
        const struct ml_wire_format *f = all[i];
        assert_non_null(f->name);
        assert_non_null(f->meaning);
        assert_ptr_equal(ml_explain_format_named(f->name), f); /* names are unique */
        assert_true(f->kind != ML_WIRE_SCALAR || f->field_count == 1);
        for (size_t k = 0; k < f->field_count; k++) {
            const struct ml_wire_field *field = &f->fields[k];
            bool compound = field->type == ML_WIRE_LIST || field->type == ML_WIRE_TUPLE;
            assert_int_equal(field->key, f->kind == ML_WIRE_MAP ? k + 1 : k);
            assert_true((size_t)field->offset + field->size <= f->size);
            assert_true(field->min <= field->max || field->type == ML_WIRE_INT);
            assert_int_equal(compound, field->item != NULL);
            assert_true(field->type != ML_WIRE_LIST || field->size == sizeof(struct ml_list));
            assert_true(field->type != ML_WIRE_TUPLE ||
                        (field->item != NULL && field->size == field->item->size));
            assert_true(field->name != NULL && field->meaning != NULL);
            /* a tuple has no keys: nothing in it may be left out */
            assert_true(f->kind == ML_WIRE_MAP || (field->flags & ML_WIRE_OPTIONAL) == 0);
        }
    }
    assert_null(ml_explain_format_named("no such format"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_object_has_zero_for_the_rest),
        cmocka_unit_test(every_refusal_says_what_and_where),
        cmocka_unit_test(later_keys_are_kept_by_open_formats_only),
        cmocka_unit_test(sorted_lists_strictly_ascend),
        cmocka_unit_test(encoding_refuses_what_decoding_would),
        cmocka_unit_test(a_value_keeps_within_the_depth_of_its_object),
        cmocka_unit_test(a_full_buffer_is_left_as_it_was),
        cmocka_unit_test(every_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
