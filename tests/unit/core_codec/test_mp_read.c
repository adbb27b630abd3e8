/* tests/unit/core_codec/test_mp_read.c -- what the strict reader takes and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/codec/mp_read.h"
#include "core/codec/mp_write.h"
#include "fake_env.h"
#include "support_codec.h"

struct row {
    const char *hex;
    ml_fault_reason reason;
    size_t offset;
};

static void check_row(const struct row *row, ml_mp_mode mode)
{
    struct ml_fault fault = {ML_FAULT_NONE, 0, NULL};
    ml_err err = ml_mp_check(bytes_of(row->hex), mode, &fault);
    if (fault.reason != row->reason || fault.offset != row->offset) {
        print_error("%s: %s at %zu\n", row->hex, ml_fault_text(fault.reason), fault.offset);
    }
    assert_int_equal(err, row->reason == ML_FAULT_NONE ? ML_OK : ML_E_MALFORMED);
    assert_int_equal(fault.reason, row->reason);
    assert_int_equal(fault.offset, row->offset);
}

static void check_rows(const struct row *rows, size_t count, ml_mp_mode mode)
{
    for (size_t i = 0; i < count; i++) {
        check_row(&rows[i], mode);
    }
}

#define CHECK(rows, mode) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), mode)

static void numbers_have_one_form(void **state)
{
    static const struct row rows[] = {
        {"00", 0, 0},
        {"7f", 0, 0},
        {"cc80", 0, 0},
        {"cc7f", ML_FAULT_NOT_SHORTEST, 0},
        {"ccff", 0, 0},
        {"cd0100", 0, 0},
        {"cd00ff", ML_FAULT_NOT_SHORTEST, 0},
        {"cdffff", 0, 0},
        {"ce00010000", 0, 0},
        {"ce0000ffff", ML_FAULT_NOT_SHORTEST, 0},
        {"cf0000000100000000", 0, 0},
        {"cf00000000ffffffff", ML_FAULT_NOT_SHORTEST, 0},
        {"cfffffffffffffffff", 0, 0},
        {"ff", 0, 0},
        {"e0", 0, 0},
        {"d0df", 0, 0},
        {"d0e0", ML_FAULT_NOT_SHORTEST, 0},
        {"d001", ML_FAULT_NOT_SHORTEST, 0},
        {"d080", 0, 0},
        {"d1ff7f", 0, 0},
        {"d1ff80", ML_FAULT_NOT_SHORTEST, 0},
        {"d10080", ML_FAULT_NOT_SHORTEST, 0},
        {"d18000", 0, 0},
        {"d2ffff7fff", 0, 0},
        {"d2ffff8000", ML_FAULT_NOT_SHORTEST, 0},
        {"d280000000", 0, 0},
        {"d3ffffffff7fffffff", 0, 0},
        {"d3ffffffff80000000", ML_FAULT_NOT_SHORTEST, 0},
        {"d30000000000000001", ML_FAULT_NOT_SHORTEST, 0},
        {"d38000000000000000", 0, 0},
    };
    (void)state;
    CHECK(rows, ML_MP_CANONICAL);
    CHECK(rows, ML_MP_DOC);
}

static void heads_have_one_form(void **state)
{
    static const struct row rows[] = {
        {"a0", 0, 0},
        {"c400", 0, 0},
        {"d900", ML_FAULT_NOT_SHORTEST, 0},
        {"d91f 61616161616161616161616161616161616161616161616161616161616161",
         ML_FAULT_NOT_SHORTEST, 0},
        {"d920 6161616161616161616161616161616161616161616161616161616161616161", 0, 0},
        {"da0001 61", ML_FAULT_NOT_SHORTEST, 0},
        {"db00000001 61", ML_FAULT_NOT_SHORTEST, 0},
        {"c50001 61", ML_FAULT_NOT_SHORTEST, 0},
        {"c600000001 61", ML_FAULT_NOT_SHORTEST, 0},
        {"90", 0, 0},
        {"9100", 0, 0},
        {"dc0001 00", ML_FAULT_NOT_SHORTEST, 0},
        {"dc0010 00000000000000000000000000000000", 0, 0},
        {"dd00000001 00", ML_FAULT_NOT_SHORTEST, 0},
        {"80", 0, 0},
        {"de0001 0100", ML_FAULT_NOT_SHORTEST, 0},
        {"df00000001 0100", ML_FAULT_NOT_SHORTEST, 0},
    };
    (void)state;
    CHECK(rows, ML_MP_CANONICAL);
}

static void lengths_stay_within_what_remains(void **state)
{
    static const struct row rows[] = {
        {"", ML_FAULT_TRUNCATED, 0},
        {"cc", ML_FAULT_TRUNCATED, 0},
        {"cd01", ML_FAULT_TRUNCATED, 0},
        {"cfffffffffffffff", ML_FAULT_TRUNCATED, 0},
        {"a161", 0, 0},
        {"a261", ML_FAULT_TRUNCATED, 0},
        {"c401", ML_FAULT_TRUNCATED, 0},
        {"c6ffffffff", ML_FAULT_TRUNCATED, 0}, /* what makes msgpack-c reserve 2 GB and more */
        {"ddffffffff", ML_FAULT_TRUNCATED, 0},
        {"dfffffffff", ML_FAULT_TRUNCATED, 0},
        {"92 00", ML_FAULT_TRUNCATED, 0},
        {"81 01", ML_FAULT_TRUNCATED, 0},
        {"92 91 00", ML_FAULT_TRUNCATED, 3},
        {"9100 00", ML_FAULT_TRAILING, 2},
        {"00 c0", ML_FAULT_TRAILING, 1},
    };
    (void)state;
    CHECK(rows, ML_MP_CANONICAL);
    CHECK(rows, ML_MP_DOC);
}

static void map_keys_are_integers_that_ascend(void **state)
{
    static const struct row rows[] = {
        {"82 0100 0200", 0, 0},
        {"82 0000 ccff00", 0, 0},
        {"82 0200 0100", ML_FAULT_KEY_ORDER, 3},
        {"82 0100 0100", ML_FAULT_KEY_ORDER, 3},
        {"81 a161 00", ML_FAULT_KEY_TYPE, 1},
        {"81 ff 00", ML_FAULT_KEY_TYPE, 1},
        {"81 c0 00", ML_FAULT_KEY_TYPE, 1},
        {"81 90 00", ML_FAULT_KEY_TYPE, 1},
        {"81 cfffffffffffffffff 00", ML_FAULT_KEY_TYPE, 1},
        {"81 cffffffffffffffffe 00", 0, 0},
        /* an inner map has its own order */
        {"82 05 81 01 00 06 00", 0, 0},
        {"82 05 81 01 00 05 00", ML_FAULT_KEY_ORDER, 5},
    };
    (void)state;
    CHECK(rows, ML_MP_CANONICAL);
}

static void floats_extensions_and_reserved_bytes_are_refused(void **state)
{
    static const struct row rows[] = {
        {"c1", ML_FAULT_FORBIDDEN, 0},
        {"ca3f800000", ML_FAULT_FORBIDDEN, 0},
        {"cb3ff0000000000000", ML_FAULT_FORBIDDEN, 0},
        {"c70100 00", ML_FAULT_FORBIDDEN, 0},
        {"d40000", ML_FAULT_FORBIDDEN, 0},
        {"d8", ML_FAULT_FORBIDDEN, 0},
        {"c0", 0, 0},
        {"c2", 0, 0},
        {"c3", 0, 0},
    };
    static const struct row documents[] = {
        {"ca3f800000", ML_FAULT_FORBIDDEN, 0},
        {"cb3ff0000000000000", 0, 0},
        {"cb3ff000", ML_FAULT_TRUNCATED, 0},
    };
    (void)state;
    CHECK(rows, ML_MP_CANONICAL);
    CHECK(documents, ML_MP_DOC);
}

static void depth_is_limited_on_both_sides(void **state)
{
    static const struct row canonical[] = {
        {"91 91 91 91 91 91 91 90", 0, 0},
        {"91 91 91 91 91 91 91 91 90", ML_FAULT_TOO_DEEP, 8},
        {"91 91 91 91 91 91 91 91 00", 0, 0},
        {"8101 8101 8101 8101 8101 8101 8101 8101 00", 0, 0},
        {"8101 8101 8101 8101 8101 8101 8101 8101 80", ML_FAULT_TOO_DEEP, 16},
    };
    static const struct row documents[] = {
        {"91919191919191919191919191919190", 0, 0},
        {"9191919191919191919191919191919190", ML_FAULT_TOO_DEEP, 16},
    };
    (void)state;
    CHECK(canonical, ML_MP_CANONICAL);
    CHECK(documents, ML_MP_DOC);
}

static void ten_thousand_levels_cost_nothing(void **state)
{
    static uint8_t deep[10000];
    struct ml_fault fault;
    (void)state;
    memset(deep, 0x91, sizeof(deep));
    assert_int_equal(ml_mp_check(ml_slice(deep, sizeof(deep)), ML_MP_DOC, &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_TOO_DEEP);
    assert_int_equal(fault.offset, ML_DOC_DEPTH_MAX);
}

static void text_is_strict_utf8(void **state)
{
    static const struct {
        const char *hex;
        bool valid;
    } rows[] = {
        {"", true},          {"61", true},         {"c3a9", true},      {"e282ac", true},
        {"f09f92 8a", true}, {"f48fbfbf", true},   {"00", false},       {"80", false},
        {"c0af", false},     {"c1bf", false},      {"c2", false},       {"c361", false},
        {"e0809f", false},   {"e09fbf", false},    {"e0a080", true},    {"eda080", false},
        {"ed9fbf", true},    {"ee8080", true},     {"e282", false},     {"e28261", false},
        {"f08fbfbf", false}, {"f0908080", true},   {"f4908080", false}, {"f5808080", false},
        {"f09f92", false},   {"f09f9261", false},  {"fe", false},       {"61ff61", false},
        {"6100", false},     {"c3a9e282ac", true}, {"c280", true},      {"efbfbf", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_slice text = bytes_of(rows[i].hex);
        if (ml_utf8_valid(text) != rows[i].valid) {
            print_error("%s\n", rows[i].hex);
        }
        assert_int_equal(ml_utf8_valid(text), rows[i].valid);
    }
    static const struct row in_place[] = {
        {"a2 c3a9", 0, 0},
        {"a2 c328", ML_FAULT_UTF8, 0},
        {"92 00 a1 80", ML_FAULT_UTF8, 2},
    };
    CHECK(in_place, ML_MP_CANONICAL);
}

static void text_keys_are_for_documents(void **state)
{
    static const struct row rows[] = {
        {"82 a162 00 a161 00", 0, 0}, /* in any order */
        {"81 01 00", ML_FAULT_KEY_TYPE, 1},
        {"81 a1ff 00", ML_FAULT_UTF8, 1},
        {"81 a0 00", 0, 0},
    };
    (void)state;
    CHECK(rows, ML_MP_DOC);
}

/* One read of the kind that the letter says, within 5..9, -5..5, or 2..3 bytes or entries. */
static void typed_read(struct ml_mp *c, char kind)
{
    uint8_t three[3] = {0};
    uint64_t number = 0;
    switch (kind) {
    case 'u':
        number = ml_mp_uint(c, 5, 9);
        assert_int_equal(number, ml_mp_ok(c) ? c->data[0] : 0);
        return;
    case 'i':
        (void)ml_mp_int(c, -5, 5);
        return;
    case 'b':
        (void)ml_mp_bool(c);
        return;
    case 'n':
        ml_mp_nil(c);
        return;
    case 's':
        (void)ml_mp_str(c, 2, 3);
        return;
    case 'x':
        (void)ml_mp_bin(c, 2, 3);
        return;
    case 'f':
        ml_mp_fixed(c, three, sizeof(three));
        assert_int_equal(three[0], ml_mp_ok(c) ? 0x61 : 0); /* untouched on a fault */
        return;
    case 'a':
        (void)ml_mp_array(c, 2, 3);
        return;
    default:
        (void)ml_mp_map(c, 2, 3);
        return;
    }
}

static void typed_reads_check_type_and_range(void **state)
{
    static const struct {
        const char *hex;
        char read;
        ml_fault_reason reason;
    } rows[] = {
        {"05", 'u', 0},
        {"04", 'u', ML_FAULT_RANGE},
        {"09", 'u', 0},
        {"0a", 'u', ML_FAULT_RANGE},
        {"ff", 'u', ML_FAULT_TYPE},
        {"fb", 'i', 0},
        {"fa", 'i', ML_FAULT_RANGE},
        {"05", 'i', 0},
        {"06", 'i', ML_FAULT_RANGE},
        {"cf8000000000000000", 'i', ML_FAULT_RANGE},
        {"a161", 'i', ML_FAULT_TYPE},
        {"c3", 'b', 0},
        {"01", 'b', ML_FAULT_TYPE},
        {"c0", 'n', 0},
        {"c2", 'n', ML_FAULT_TYPE},
        {"a26161", 's', 0},
        {"a161", 's', ML_FAULT_RANGE},
        {"a461616161", 's', ML_FAULT_RANGE},
        {"c4026161", 's', ML_FAULT_TYPE},
        {"c4026161", 'x', 0},
        {"a26161", 'x', ML_FAULT_TYPE},
        {"c40161", 'x', ML_FAULT_RANGE},
        {"c40461616161", 'x', ML_FAULT_RANGE},
        {"c403616161", 'f', 0},
        {"c4026161", 'f', ML_FAULT_RANGE},
        {"920000", 'a', 0},
        {"9100", 'a', ML_FAULT_RANGE},
        {"9400000000", 'a', ML_FAULT_RANGE},
        {"810100", 'a', ML_FAULT_TYPE},
        {"8201000200", 'm', 0},
        {"810100", 'm', ML_FAULT_RANGE},
        {"9100", 'm', ML_FAULT_TYPE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_mp c;
        ml_mp_init(&c, bytes_of(rows[i].hex), ML_MP_CANONICAL);
        typed_read(&c, rows[i].read);
        if (c.fault.reason != rows[i].reason) {
            print_error("%s %c\n", rows[i].hex, rows[i].read);
        }
        assert_int_equal(c.fault.reason, rows[i].reason);
    }
}

static void numbers_above_the_signed_range_are_not_signed(void **state)
{
    struct ml_mp c;
    (void)state;
    ml_mp_init(&c, bytes_of("cf7fffffffffffffff"), ML_MP_CANONICAL);
    assert_true(ml_mp_int(&c, INT64_MIN, INT64_MAX) == INT64_MAX);
    ml_mp_init(&c, bytes_of("cf8000000000000000"), ML_MP_CANONICAL);
    assert_int_equal(ml_mp_int(&c, INT64_MIN, INT64_MAX), 0);
    assert_int_equal(c.fault.reason, ML_FAULT_RANGE);
}

static void the_first_fault_stays(void **state)
{
    struct ml_mp c;
    (void)state;
    ml_mp_init(&c, bytes_of("93 01 a161 c1"), ML_MP_CANONICAL);
    assert_int_equal(ml_mp_array(&c, 0, 9), 3);
    assert_int_equal(ml_mp_uint(&c, 0, 9), 1);
    assert_int_equal(ml_mp_uint(&c, 0, 9), 0); /* it is text */
    assert_int_equal(c.fault.reason, ML_FAULT_TYPE);
    assert_int_equal(c.fault.offset, 2);
    assert_int_equal(ml_mp_str(&c, 0, 9).len, 0);
    assert_int_equal(ml_mp_value(&c).len, 0);
    assert_int_equal(ml_mp_key(&c), 0);
    assert_int_equal(ml_mp_peek(&c), ML_MP_NONE);
    assert_int_equal(c.fault.reason, ML_FAULT_TYPE);
    assert_int_equal(c.fault.offset, 2);
    assert_int_equal(c.pos, 2);
    assert_int_equal(ml_mp_end(&c), ML_E_MALFORMED);
}

static void keys_are_read_as_keys_only(void **state)
{
    struct ml_mp c;
    (void)state;
    ml_mp_init(&c, bytes_of("81 01 02"), ML_MP_CANONICAL);
    (void)ml_mp_map(&c, 0, 9);
    (void)ml_mp_uint(&c, 0, 9); /* a value where a key is due */
    assert_int_equal(c.fault.reason, ML_FAULT_KEY_TYPE);
    ml_mp_init(&c, bytes_of("81 01 02"), ML_MP_CANONICAL);
    (void)ml_mp_map(&c, 0, 9);
    (void)ml_mp_value(&c);
    assert_int_equal(c.fault.reason, ML_FAULT_KEY_TYPE);
    ml_mp_init(&c, bytes_of("81 01 02"), ML_MP_CANONICAL);
    (void)ml_mp_map(&c, 0, 9);
    assert_int_equal(ml_mp_key(&c), 1);
    (void)ml_mp_key(&c); /* a key where a value is due */
    assert_int_equal(c.fault.reason, ML_FAULT_KEY_TYPE);
    ml_mp_init(&c, bytes_of("81 a161 02"), ML_MP_CANONICAL);
    (void)ml_mp_map(&c, 0, 9);
    assert_int_equal(ml_mp_key_str(&c).len, 0);
    assert_int_equal(c.fault.reason, ML_FAULT_KEY_TYPE);
}

static void a_value_is_taken_with_all_inside_it(void **state)
{
    struct ml_mp c;
    (void)state;
    ml_mp_init(&c, bytes_of("93 82 01 92 a161 c0 02 90 05 80"), ML_MP_CANONICAL);
    assert_int_equal(ml_mp_array(&c, 3, 3), 3);
    assert_int_equal(ml_mp_left(&c), 3);
    assert_string_equal(hex_of(ml_mp_value(&c)), "820192a161c00290");
    assert_int_equal(ml_mp_left(&c), 2);
    assert_string_equal(hex_of(ml_mp_value(&c)), "05");
    assert_string_equal(hex_of(ml_mp_value(&c)), "80");
    assert_int_equal(ml_mp_left(&c), 0);
    assert_int_equal(ml_mp_end(&c), ML_OK);
    ml_mp_init(&c, bytes_of("92 00 01"), ML_MP_CANONICAL);
    (void)ml_mp_array(&c, 0, 9);
    (void)ml_mp_value(&c);
    assert_int_equal(ml_mp_end(&c), ML_E_MALFORMED); /* one is left */
    assert_int_equal(c.fault.reason, ML_FAULT_TRUNCATED);
}

static void floats_keep_their_bits(void **state)
{
    struct ml_mp c;
    (void)state;
    ml_mp_init(&c, bytes_of("cb3ff8000000000000"), ML_MP_DOC);
    assert_true(ml_mp_float(&c) == 1.5);
    assert_int_equal(ml_mp_end(&c), ML_OK);
}

static void a_fault_is_described_without_the_bytes(void **state)
{
    char text[80];
    struct ml_fault fault = {ML_FAULT_NOT_SHORTEST, 17, "seq"};
    (void)state;
    ml_fault_describe(text, sizeof(text), &fault);
    assert_string_equal(text, "seq: not the shortest form (at byte 17)");
    fault.where = NULL;
    ml_fault_describe(text, sizeof(text), &fault);
    assert_string_equal(text, "not the shortest form (at byte 17)");
    ml_fault_describe(text, 8, &fault);
    assert_string_equal(text, "not the");
    assert_string_equal(ml_fault_text((ml_fault_reason)99), "an unknown fault");
}

/* Every number that packs reads back, in a form that the strict reader takes. */
static void what_is_written_reads_back(void **state)
{
    struct fake_env fake;
    struct ml_buf b;
    (void)state;
    fake_env_init(&fake, 1);
    ml_buf_init(&b, &fake.env, 1u << 20);
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int delta = -1; delta <= 1; delta++) {
            uint64_t v = (UINT64_C(1) << shift) + (uint64_t)(int64_t)delta;
            struct ml_mp c;
            ml_buf_clear(&b);
            ml_mp_put_uint(&b, v);
            ml_mp_put_int(&b, (int64_t)v);
            ml_mp_put_int(&b, -(int64_t)(v / 2));
            ml_mp_init(&c, ml_buf_slice(&b), ML_MP_CANONICAL);
            assert_true(ml_mp_uint(&c, 0, UINT64_MAX) == v);
            assert_true(ml_mp_int(&c, INT64_MIN, INT64_MAX) == (int64_t)v);
            assert_true(ml_mp_int(&c, INT64_MIN, INT64_MAX) == -(int64_t)(v / 2));
            assert_int_equal(ml_mp_end(&c), ML_OK);
        }
    }
    static const size_t lengths[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536};
    static uint8_t bytes[65536];
    memset(bytes, 'a', sizeof(bytes));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct ml_mp c;
        struct ml_slice s = ml_slice(bytes, lengths[i]);
        ml_buf_clear(&b);
        ml_mp_put_bin(&b, s);
        ml_mp_put_str(&b, s);
        ml_mp_put_array(&b, (uint32_t)lengths[i]);
        for (size_t k = 0; k < lengths[i]; k++) {
            ml_mp_put_nil(&b);
        }
        ml_mp_init(&c, ml_buf_slice(&b), ML_MP_CANONICAL);
        assert_true(ml_slice_equal(ml_mp_bin(&c, 0, SIZE_MAX), s));
        assert_true(ml_slice_equal(ml_mp_str(&c, 0, SIZE_MAX), s));
        size_t head = lengths[i] < 16 ? 1 : lengths[i] <= UINT16_MAX ? 3 : 5;
        assert_int_equal(ml_mp_value(&c).len, head + lengths[i]);
        assert_int_equal(ml_mp_end(&c), ML_OK);
    }
    ml_buf_free(&b);
    assert_int_equal(fake.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_one_form),
        cmocka_unit_test(heads_have_one_form),
        cmocka_unit_test(lengths_stay_within_what_remains),
        cmocka_unit_test(map_keys_are_integers_that_ascend),
        cmocka_unit_test(floats_extensions_and_reserved_bytes_are_refused),
        cmocka_unit_test(depth_is_limited_on_both_sides),
        cmocka_unit_test(ten_thousand_levels_cost_nothing),
        cmocka_unit_test(text_is_strict_utf8),
        cmocka_unit_test(text_keys_are_for_documents),
        cmocka_unit_test(typed_reads_check_type_and_range),
        cmocka_unit_test(numbers_above_the_signed_range_are_not_signed),
        cmocka_unit_test(the_first_fault_stays),
        cmocka_unit_test(keys_are_read_as_keys_only),
        cmocka_unit_test(a_value_is_taken_with_all_inside_it),
        cmocka_unit_test(floats_keep_their_bits),
        cmocka_unit_test(a_fault_is_described_without_the_bytes),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
