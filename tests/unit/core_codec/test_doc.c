/* tests/unit/core_codec/test_doc.c -- documents of the local socket: no key twice, no bombs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/doc.h"
#include "core/codec/mp_write.h"
#include "fake_env.h"
#include "maille/value.h"
#include "support_codec.h"

struct row {
    const char *hex;
    ml_fault_reason reason;
    size_t offset;
};

static void no_map_has_a_key_twice(void **state)
{
    static const struct row rows[] = {
        {"80", 0, 0},
        {"82 a161 01 a162 02", 0, 0},
        {"82 a161 01 a161 02", ML_FAULT_KEY_ORDER, 4},
        {"82 a0 01 a0 02", ML_FAULT_KEY_ORDER, 3},
        {"82 a161 01 a0 02", 0, 0},
        /* maps inside each other, and beside, have keys of their own */
        {"82 a161 82 a161 01 a162 81 a161 02 a162 81 a161 03", 0, 0},
        {"92 81 a161 01 81 a161 01", 0, 0},
        {"82 a161 81 a162 90 a161 01", ML_FAULT_KEY_ORDER, 7},
        {"82 a161 80 a161 01", ML_FAULT_KEY_ORDER, 4},
        {"82 a161 90 a161 01", ML_FAULT_KEY_ORDER, 4},
        {"82 a161 91 81 a161 01 a161 01", ML_FAULT_KEY_ORDER, 8},
        {"92 81 a161 81 a161 01 82 a161 01 a161 02", ML_FAULT_KEY_ORDER, 12},
        {"81 01 02", ML_FAULT_KEY_TYPE, 1},
        {"81 a161", ML_FAULT_TRUNCATED, 3},
        {"80 80", ML_FAULT_TRAILING, 1},
        {"", ML_FAULT_TRUNCATED, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_fault fault = {0};
        struct ml_slice in = bytes_of(rows[i].hex);
        struct ml_tree *tree = NULL;
        ml_err err = ml_doc_check(in, &fault);
        if (fault.reason != rows[i].reason || fault.offset != rows[i].offset) {
            print_error("%s: %s at %zu\n", rows[i].hex, ml_fault_text(fault.reason), fault.offset);
        }
        assert_int_equal(err, rows[i].reason == 0 ? ML_OK : ML_E_MALFORMED);
        assert_int_equal(fault.reason, rows[i].reason);
        assert_int_equal(fault.offset, rows[i].offset);
        assert_int_equal(ml_doc_check(in, NULL), err);
        /* what the node and its clients build values from is the same */
        assert_int_equal(ml_tree_parse(&tree, in.data, in.len), err);
        ml_tree_free(tree);
    }
}

/* A map of `keys` keys, the last one the same as key number `again` if that is below. */
static void map_put(struct ml_buf *b, unsigned keys, unsigned again)
{
    ml_mp_put_map(b, keys);
    for (unsigned i = 0; i < keys; i++) {
        char key[16];
        int len = snprintf(key, sizeof(key), "key%u", i + 1 == keys && again < i ? again : i);
        ml_mp_put_str(b, ml_slice(key, (size_t)len));
        ml_mp_put_nil(b);
    }
}

static void open_maps_have_4096_keys_at_most(void **state)
{
    struct ml_buf b;
    struct ml_fault fault = {0};
    (void)state;
    ml_buf_init(&b, ml_env_system(), 1u << 20);
    map_put(&b, ML_DOC_KEYS_MAX, UINT32_MAX);
    assert_int_equal(ml_doc_check(ml_buf_slice(&b), &fault), ML_OK);
    ml_buf_clear(&b);
    map_put(&b, ML_DOC_KEYS_MAX + 1, UINT32_MAX);
    assert_int_equal(ml_doc_check(ml_buf_slice(&b), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_RANGE);
    /* one after the other they don't add up */
    ml_buf_clear(&b);
    ml_mp_put_array(&b, 3);
    for (unsigned i = 0; i < 3; i++) {
        map_put(&b, ML_DOC_KEYS_MAX, UINT32_MAX);
    }
    assert_int_equal(ml_doc_check(ml_buf_slice(&b), &fault), ML_OK);
    /* the same key is found wherever it stood */
    for (unsigned again = 0; again < 1000; again += 111) {
        ml_buf_clear(&b);
        map_put(&b, 2000, again);
        assert_int_equal(ml_doc_check(ml_buf_slice(&b), &fault), ML_E_MALFORMED);
        assert_int_equal(fault.reason, ML_FAULT_KEY_ORDER);
    }
    ml_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_map_has_a_key_twice),
        cmocka_unit_test(open_maps_have_4096_keys_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
