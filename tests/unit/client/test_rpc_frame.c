/* tests/unit/client/test_rpc_frame.c -- messages of the local socket, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "fake_env.h"
#include "net/client/rpc_frame.h"

static struct ml_slice bytes_of(const char *hex)
{
    static uint8_t bytes[256];
    size_t len = strlen(hex) / 2;
    assert_true(len <= sizeof(bytes));
    assert_int_equal(ml_hex_decode(bytes, len, hex, 2 * len), ML_OK);
    return ml_slice(bytes, len);
}

static void lengths_are_1_to_4_mib(void **state)
{
    static const struct {
        const char *hex;
        ml_err err;
        size_t len;
    } rows[] = {
        {"", ML_OK, 0},           {"000000", ML_OK, 0},        {"00000000", ML_E_MALFORMED, 0},
        {"0000000201", ML_OK, 0}, {"000000020102", ML_OK, 2},  {"00000002010203", ML_OK, 2},
        {"00400000", ML_OK, 0},   {"00400001", ML_E_LIMIT, 0}, {"ffffffff", ML_E_LIMIT, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = 99;
        assert_int_equal(ml_rpc_frame_length(&len, bytes_of(rows[i].hex)), rows[i].err);
        assert_int_equal(len, rows[i].len);
    }
}

static void every_message_reads_back(void **state)
{
    const uint8_t map[] = {0x81, 0xa1, 'a', 0x01};
    const struct ml_rpc_frame frames[] = {
        {.kind = ML_RPC_REQUEST, .id = 7, .method = ml_slice_str("node.status"), .body = {map, 4}},
        {.kind = ML_RPC_NOTIFY, .method = ml_slice_str("cancel"), .body = {map, 4}},
        {.kind = ML_RPC_ANSWER, .id = INT64_MAX, .body = {map, 4}},
        {.kind = ML_RPC_ANSWER, .id = 0},
        {.kind = ML_RPC_ANSWER, .id = 9, .err = ML_E_LOCKED, .body = {map, 4}},
        {.kind = ML_RPC_ANSWER, .id = 9, .err = ML_E_ROLLED_BACK},
    };
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, ml_env_system(), 1u << 12);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        const struct ml_rpc_frame *f = &frames[i];
        struct ml_rpc_frame back;
        size_t len = 0;
        ml_buf_clear(&b);
        assert_int_equal(ml_rpc_frame_write(&b, f), ML_OK);
        assert_int_equal(ml_rpc_frame_length(&len, ml_buf_slice(&b)), ML_OK);
        assert_int_equal(len, b.len - ML_RPC_HEAD_BYTES);
        assert_int_equal(ml_rpc_frame_read(&back, ml_slice(b.data + ML_RPC_HEAD_BYTES, len)),
                         ML_OK);
        assert_int_equal(back.kind, f->kind);
        assert_true(back.id == f->id);
        assert_true(ml_slice_equal(back.method, f->method));
        assert_int_equal(back.err, f->err);
        assert_true(f->body.len == 0 ? back.body.len == 1 && back.body.data[0] == 0xc0
                                     : ml_slice_equal(back.body, f->body));
        for (size_t cut = 0; cut < len; cut++) {
            assert_int_equal(ml_rpc_frame_read(&back, ml_slice(b.data + ML_RPC_HEAD_BYTES, cut)),
                             ML_E_MALFORMED);
        }
    }
    ml_buf_free(&b);
}

static void messages_of_other_forms_are_refused(void **state)
{
    static const struct {
        const char *hex;
        ml_err err; /* of reading */
        ml_err code;
    } rows[] = {
        {"940001a16180", ML_OK, ML_OK},
        {"9302a16180", ML_OK, ML_OK},
        {"9302a161c0", ML_OK, ML_OK},
        {"940101c007", ML_OK, ML_OK},
        {"930001a161", ML_E_MALFORMED, ML_OK},
        {"930001a16180", ML_E_MALFORMED, ML_OK}, /* the params stand outside of the array */
        {"930101c007", ML_E_MALFORMED, ML_OK},
        {"9402a1618080", ML_E_MALFORMED, ML_OK},
        {"93010180", ML_E_MALFORMED, ML_OK},
        {"920001", ML_E_MALFORMED, ML_OK},
        {"950001a1618080", ML_E_MALFORMED, ML_OK},
        {"940301a16180", ML_E_MALFORMED, ML_OK},
        {"9400ffa16180", ML_E_MALFORMED, ML_OK},
        {"9400cf8000000000000000a16180", ML_E_MALFORMED, ML_OK},
        {"940001a080", ML_E_MALFORMED, ML_OK},
        {"940001c4016180", ML_E_MALFORMED, ML_OK},
        {"940001a16190", ML_E_MALFORMED, ML_OK},
        {"940001a161c0", ML_E_MALFORMED, ML_OK},
        {"940001a1618000", ML_E_MALFORMED, ML_OK},
        {"94010107c0", ML_E_MALFORMED, ML_OK},
        {"94010180c0", ML_E_MALFORMED, ML_OK},             /* an error without anything in it */
        {"94010181a4636f64650107", ML_E_MALFORMED, ML_OK}, /* an error and a result */
        {"94010181a4636f64650ac0", ML_OK, ML_E_LOCKED},
        {"94010181a4636f646500c0", ML_E_MALFORMED, ML_OK},
        {"94010181a4636f6465cd03e7c0", ML_OK, ML_E_UNSUPPORTED},
        {"94010181a178cc01c0", ML_E_MALFORMED, ML_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_rpc_frame frame = {.err = ML_E_IO};
        ml_err err = ml_rpc_frame_read(&frame, bytes_of(rows[i].hex));
        if (err != rows[i].err) {
            print_error("%s\n", rows[i].hex);
        }
        assert_int_equal(err, rows[i].err);
        assert_int_equal(frame.err, err == ML_OK ? rows[i].code : ML_E_IO);
    }
}

static void a_method_has_64_bytes_at_most(void **state)
{
    char name[ML_RPC_METHOD_BYTES + 1];
    const uint8_t map[] = {0x80};
    struct ml_buf b;
    struct ml_rpc_frame back;
    (void)state;
    ml_buf_init(&b, ml_env_system(), 1u << 12);
    memset(name, 'm', sizeof(name));
    for (size_t more = 0; more < 2; more++) {
        const struct ml_rpc_frame frame = {
            .kind = ML_RPC_REQUEST,
            .method = {(const uint8_t *)name, ML_RPC_METHOD_BYTES + more},
            .body = {map, 1}};
        ml_buf_clear(&b);
        assert_int_equal(ml_rpc_frame_write(&b, &frame), ML_OK);
        assert_int_equal(ml_rpc_frame_read(&back, ml_slice(b.data + 4, b.len - 4)),
                         more == 0 ? ML_OK : ML_E_MALFORMED);
    }
    ml_buf_free(&b);
}

static void a_frame_has_4_mib_at_most(void **state)
{
    struct ml_buf body;
    struct ml_buf b;
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        size_t len = ML_RPC_BYTES_MAX - 4 - 5 + more; /* [1, 0, nil, bin32 ...] */
        ml_buf_init(&body, ml_env_system(), 8u << 20);
        ml_buf_init(&b, ml_env_system(), 8u << 20);
        ml_buf_u8(&body, 0xc6);
        ml_buf_u32be(&body, (uint32_t)len);
        uint8_t *bytes = ml_buf_extend(&body, len);
        assert_non_null(bytes);
        memset(bytes, 0, len);
        const struct ml_rpc_frame frame = {.kind = ML_RPC_ANSWER, .body = ml_buf_slice(&body)};
        assert_int_equal(ml_rpc_frame_write(&b, &frame), more == 0 ? ML_OK : ML_E_LIMIT);
        ml_buf_free(&body);
        ml_buf_free(&b);
    }
}

static void each_failed_allocation_is_told(void **state)
{
    ml_err err = ML_E_NOMEM;
    const uint8_t map[] = {0x80};
    const struct ml_rpc_frame frame = {
        .kind = ML_RPC_REQUEST, .method = ml_slice_str("node.status"), .body = {map, 1}};
    (void)state;
    for (long n = 1; err != ML_OK; n++) {
        struct fake_env fake;
        struct ml_buf b;
        fake_env_init(&fake, 1);
        ml_buf_init(&b, &fake.env, 1u << 12);
        fake.fail_alloc = n;
        err = ml_rpc_frame_write(&b, &frame);
        assert_int_equal(fake_spared(&fake), err == ML_OK);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        ml_buf_free(&b);
        assert_int_equal(fake.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_1_to_4_mib),
        cmocka_unit_test(every_message_reads_back),
        cmocka_unit_test(messages_of_other_forms_are_refused),
        cmocka_unit_test(a_method_has_64_bytes_at_most),
        cmocka_unit_test(a_frame_has_4_mib_at_most),
        cmocka_unit_test(each_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
