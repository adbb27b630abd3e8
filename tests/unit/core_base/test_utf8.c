/* tests/unit/core_base/test_utf8.c -- text is well-formed UTF-8 without U+0000, at every bound of
 * table 3-7 of the Unicode standard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/utf8.h"

static bool is_text(const char *bytes, size_t len)
{
    return ml_utf8_valid(ml_slice(bytes, len));
}

/* The plain way: the code point as the bits say, then every rule in its own words. */
static bool by_the_rules(const uint8_t *p, size_t len)
{
    static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : (p[0] >> 5) == 6 ? 2 : (p[0] >> 4) == 14 ? 3 : 4;
    if (n == 4 && (p[0] >> 3) != 30) {
        return false;
    }
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (i >= len || (p[i] & 0xc0u) != 0x80u) {
            return false;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    return n == len && c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

static void every_sequence_of_up_to_three_bytes_is_judged_right(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v++) {
        const uint8_t p[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
        size_t n = p[0] < 0x80 ? 1 : (p[0] >> 5) == 6 ? 2 : 3;
        if (n < 3 && (v & (n == 1 ? 0xffffu : 0xffu)) != 0) {
            continue; /* seen once is enough */
        }
        assert_int_equal(ml_utf8_valid(ml_slice(p, n)), by_the_rules(p, n));
    }
}

static void four_bytes_are_judged_right_at_each_bound(void **state)
{
    (void)state;
    static const uint8_t edges[] = {0x7f, 0x80, 0x8f, 0x90, 0xa0, 0xbf, 0xc0};
    for (unsigned first = 0xf0; first <= 0xff; first++) {
        for (unsigned v = 0; v < 7 * 7 * 7; v++) {
            const uint8_t p[4] = {(uint8_t)first, edges[v % 7], edges[v / 7 % 7], edges[v / 49]};
            assert_int_equal(ml_utf8_valid(ml_slice(p, 4)), by_the_rules(p, 4));
        }
    }
}

static void a_character_is_whole_and_none_is_zero(void **state)
{
    (void)state;
    assert_true(is_text("", 0));
    assert_true(ml_utf8_valid(ml_slice(NULL, 0)));
    assert_true(is_text("In\xc3\xa8s \xe2\x82\xac \xf0\x9f\xa9\xba", 14));
    assert_false(is_text("a\0b", 3));
    assert_false(is_text("\xc3", 1));
    assert_false(is_text("\xe2\x82", 2));
    assert_false(is_text("\xf0\x9f\xa9", 3));
    assert_false(is_text("ok\xff", 3));
}

/* What stands at `at` of a text that is plain elsewhere. */
static void faults_are_found_at(size_t at, size_t len)
{
    static const uint8_t bad[] = {0x00, 0x80, 0xbf, 0xc1, 0xf5, 0xff};
    uint8_t text[41];
    memset(text, 0x01, sizeof(text));
    for (size_t i = 0; i < sizeof(bad); i++) {
        text[at] = bad[i];
        assert_false(ml_utf8_valid(ml_slice(text, len)));
    }
    text[at] = 0x7f;
    assert_true(ml_utf8_valid(ml_slice(text, len)));
    text[at] = 0xc3; /* e acute, perhaps over two words, or cut off */
    text[at + 1] = 0xa9;
    assert_int_equal(ml_utf8_valid(ml_slice(text, len)), at + 1 < len);
}

/* Where text is plain it is read by words: a fault at any place of any word is found, and what
 * stands beside it isn't blamed. */
static void a_fault_is_found_wherever_it_stands(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 40; len++) {
        for (size_t at = 0; at < len; at++) {
            faults_are_found_at(at, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_up_to_three_bytes_is_judged_right),
        cmocka_unit_test(four_bytes_are_judged_right_at_each_bound),
        cmocka_unit_test(a_character_is_whole_and_none_is_zero),
        cmocka_unit_test(a_fault_is_found_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
