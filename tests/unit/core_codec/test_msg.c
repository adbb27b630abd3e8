/* tests/unit/core_codec/test_msg.c -- messages of exchange and enrolment (rules B22, D2, D4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fake_env.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

static const ml_msg_kind kinds[] = {ML_MSG_HELLO,
#define X(name, number, text) ML_MSG_##name,
                                    ML_MSG_MAP(X)
#undef X
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct fixture {
    struct fake_env fake;
    struct ml_buf b;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 1);
    ml_buf_init(&f.b, &f.fake.env, 2 * (size_t)ML_MSG_BYTES_MAX);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->b);
    return f->fake.live == 0 ? 0 : -1;
}

static void every_message_has_one_form(void **state)
{
    struct fixture *f = *state;
    for (size_t k = 0; k < KINDS; k++) {
        for (int full = 0; full < 2; full++) {
            struct ml_msg msg;
            ml_buf_clear(&f->b);
            sample_msg(&msg, kinds[k], full);
            assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
            check_form(&f->b, roundtrip_msg);
        }
    }
}

static void hello_is_46_bytes(void **state)
{
    struct fixture *f = *state;
    struct ml_msg msg;
    struct ml_msg back;
    sample_msg(&msg, ML_MSG_HELLO, true);
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    assert_int_equal(f->b.len, 46);
    /* 1790000000000 ms is 0x1a0c4506c00; the counter is 0 */
    assert_string_equal(hex_of(ml_slice(f->b.data, 14)), "0101"
                                                         "01a0c4506c000000"
                                                         "01020304");
    assert_memory_equal(f->b.data + 14, msg.u.hello.digest, 32);
    assert_int_equal(ml_msg_decode(&back, ml_buf_slice(&f->b), NULL), ML_OK);
    assert_int_equal(back.kind, ML_MSG_HELLO);
    assert_int_equal(back.u.hello.flags, ML_HELLO_LIVE);
    assert_true(back.u.hello.hlc == msg.u.hello.hlc);
    assert_int_equal(back.u.hello.capabilities, 0x01020304);
    assert_memory_equal(back.u.hello.digest, msg.u.hello.digest, 32);
}

static void versions_and_kinds_share_the_first_byte(void **state)
{
    struct fixture *f = *state;
    struct ml_msg msg;
    struct ml_fault fault = {0};
    sample_msg(&msg, ML_MSG_HELLO, true);
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    for (unsigned first = 0; first <= UINT8_MAX; first++) {
        f->b.data[0] = (uint8_t)first;
        ml_err err = ml_msg_decode(&msg, ml_buf_slice(&f->b), &fault);
        ml_err expected = first <= ML_MSG_VERSION_LAST ? ML_OK : ML_E_MALFORMED;
        assert_int_equal(err, expected);
        bool known = ml_msg_format((ml_msg_kind)first) != NULL;
        assert_int_equal(known, first > 0 && strcmp(ml_msg_name((ml_msg_kind)first), "?") != 0);
        assert_true(!known || first > ML_MSG_VERSION_LAST);
    }
    assert_string_equal(ml_msg_name(ML_MSG_HELLO), "HELLO");
    assert_int_equal(ml_msg_decode(&msg, ml_slice(NULL, 0), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_TRUNCATED);
    assert_int_equal(ml_msg_decode(&msg, ml_slice(NULL, 0), NULL), ML_E_MALFORMED);
    msg.kind = (ml_msg_kind)200;
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_E_INVALID);
    msg.kind = ML_MSG_HELLO;
    msg.u.hello.version = ML_MSG_VERSION + 1;
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_E_INVALID);
}

static void a_later_hello_is_read_as_far_as_it_is_known(void **state)
{
    struct fixture *f = *state;
    struct ml_msg msg;
    struct ml_msg back;
    struct ml_fault fault = {0};
    sample_msg(&msg, ML_MSG_HELLO, true);
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    ml_buf_append(&f->b, "more", 4);
    assert_int_equal(ml_msg_decode(&back, ml_buf_slice(&f->b), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_TRAILING); /* of our version it says no more */
    f->b.data[0] = ML_MSG_VERSION + 1;
    assert_int_equal(ml_msg_decode(&back, ml_buf_slice(&f->b), &fault), ML_OK);
    assert_int_equal(back.u.hello.version, ML_MSG_VERSION + 1);
    assert_memory_equal(back.u.hello.digest, msg.u.hello.digest, 32);
    f->b.len = ML_HELLO_BYTES - 1;
    assert_int_equal(ml_msg_decode(&back, ml_buf_slice(&f->b), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_TRUNCATED);
}

static void a_fault_counts_the_kind(void **state)
{
    struct ml_msg msg;
    struct ml_fault fault = {0};
    (void)state;
    /* DONE whose first key is missing */
    assert_int_equal(ml_msg_decode(&msg, bytes_of("1a 81 02 05"), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_MISSING);
    assert_int_equal(fault.offset, 3);
    assert_string_equal(fault.where, "frontier");
    /* formats are closed */
    assert_int_equal(ml_msg_decode(&msg, bytes_of("1b 82 01 01 03 05"), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_UNKNOWN_KEY);
    assert_int_equal(ml_msg_decode(&msg, bytes_of("1b 82 01 01 03 05"), NULL), ML_E_MALFORMED);
}

static void a_message_is_256_kib_at_most(void **state)
{
    static uint8_t bytes[ML_BUNDLE_BYTES_MAX];
    struct fixture *f = *state;
    struct ml_slice items[5];
    struct ml_msg msg = {.kind = ML_MSG_BUNDLES};
    size_t total = 0;
    msg.u.bundles = (struct ml_msg_bundles){1, {.count = 5, .items = items}, false};
    for (unsigned i = 0; i < 5; i++) {
        items[i] = ml_slice(bytes, i < 4 ? 60000u : 1u);
        total += ml_msg_bundle_cost(items[i].len);
    }
    /* what the sender's rule allows always encodes */
    size_t room = ML_MSG_BUNDLES_BYTES_MAX - total;
    items[4].len += room;
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    assert_true(f->b.len <= ML_MSG_BYTES_MAX);
    assert_true(roundtrip_msg(ml_buf_slice(&f->b)));
    /* exactly the limit, and one byte more */
    items[4].len += ML_MSG_BYTES_MAX - f->b.len;
    ml_buf_clear(&f->b);
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    assert_int_equal(f->b.len, ML_MSG_BYTES_MAX);
    items[4].len++;
    ml_buf_clear(&f->b);
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_E_LIMIT);
    assert_int_equal(f->b.len, 0);
    static uint8_t zeros[ML_MSG_BYTES_MAX + 1];
    struct ml_fault fault = {0};
    zeros[0] = ML_MSG_BUNDLES;
    assert_int_equal(ml_msg_decode(&msg, ml_slice(zeros, sizeof(zeros)), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.offset, ML_MSG_BYTES_MAX);
}

static void the_largest_bundle_fits_a_message(void **state)
{
    static uint8_t bytes[ML_BUNDLE_BYTES_MAX + 1];
    struct fixture *f = *state;
    struct ml_slice item = ml_slice(bytes, ML_BUNDLE_BYTES_MAX);
    struct ml_msg msg = {.kind = ML_MSG_BUNDLES};
    msg.u.bundles = (struct ml_msg_bundles){UINT64_MAX, {.count = 1, .items = &item}, true};
    assert_true(ml_msg_bundle_cost(item.len) <= ML_MSG_BUNDLES_BYTES_MAX);
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    item.len++;
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_E_INVALID);
}

/* Enough items of any list; each kind of message has one list. */
static struct {
    struct ml_dep heads[ML_MSG_HEADS_MAX + 1];
    struct ml_slice slices[ML_MSG_BUNDLES_MAX + 1];
    struct ml_signed_header headers[ML_MSG_HEADERS_MAX + 1];
    struct ml_hash16 hashes[ML_MSG_HASHES_MAX + 1];
    struct ml_absent_body absent[ML_MSG_HASHES_MAX + 1];
    struct ml_chain_range ranges[ML_MSG_HASHES_MAX + 1];
} many;

static void many_fill(void)
{
    for (uint32_t i = 0; i <= ML_MSG_HASHES_MAX; i++) {
        many.heads[i].seq = i + 1;
        many.ranges[i] = (struct ml_chain_range){.first = i + 1, .last = i + 1};
        many.absent[i].reason = 1;
    }
    for (uint32_t i = 0; i <= ML_MSG_BUNDLES_MAX; i++) {
        many.slices[i] = TEXT("b");
    }
    for (uint32_t i = 0; i <= ML_MSG_HEADERS_MAX; i++) {
        many.headers[i].header = TEXT("h");
    }
}

static ml_err encode_with(struct ml_buf *b, ml_msg_kind kind, uint32_t count)
{
    struct ml_msg msg;
    sample_msg(&msg, kind, true);
    switch ((unsigned)kind) {
    case ML_MSG_FRONTIER:
        msg.u.frontier.heads = (struct ml_list){.count = count, .items = many.heads};
        break;
    case ML_MSG_BUNDLES:
        msg.u.bundles.items = (struct ml_list){.count = count, .items = many.slices};
        break;
    case ML_MSG_HEADERS:
        msg.u.headers.items = (struct ml_list){.count = count, .items = many.headers};
        break;
    case ML_MSG_BODY_REQUEST:
        msg.u.body_request.hashes = (struct ml_list){.count = count, .items = many.hashes};
        break;
    case ML_MSG_ABSENT:
        msg.u.absent.items = (struct ml_list){.count = count, .items = many.absent};
        break;
    case ML_MSG_FORK_ANSWER:
        msg.u.fork_answer.hashes = (struct ml_list){.count = count, .items = many.hashes};
        break;
    default:
        msg.u.bundle_request.ranges = (struct ml_list){.count = count, .items = many.ranges};
        break;
    }
    ml_buf_clear(b);
    return ml_msg_encode(b, &msg);
}

static void lists_are_limited_on_both_sides(void **state)
{
    static const struct {
        ml_msg_kind kind;
        uint32_t max;
    } rows[] = {
        {ML_MSG_FRONTIER, ML_MSG_HEADS_MAX},        {ML_MSG_BUNDLES, ML_MSG_BUNDLES_MAX},
        {ML_MSG_HEADERS, ML_MSG_HEADERS_MAX},       {ML_MSG_BODY_REQUEST, ML_MSG_HASHES_MAX},
        {ML_MSG_ABSENT, ML_MSG_HASHES_MAX},         {ML_MSG_FORK_ANSWER, ML_MSG_FORK_HASHES_MAX},
        {ML_MSG_BUNDLE_REQUEST, ML_MSG_HASHES_MAX},
    };
    struct fixture *f = *state;
    many_fill();
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        assert_int_equal(encode_with(&f->b, rows[r].kind, rows[r].max), ML_OK);
        assert_true(roundtrip_msg(ml_buf_slice(&f->b)));
        assert_int_equal(encode_with(&f->b, rows[r].kind, rows[r].max + 1), ML_E_INVALID);
    }
}

static void ranges_and_queries_are_consistent(void **state)
{
    struct fixture *f = *state;
    struct ml_msg msg;
    sample_msg(&msg, ML_MSG_FORK_QUERY, true);
    msg.u.fork_query.last = msg.u.fork_query.first - 1u; /* 0: below one too */
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_E_INVALID);
    sample_msg(&msg, ML_MSG_FORK_QUERY, true);
    msg.u.fork_query.head_seq = 2000000;
    msg.u.fork_query.step = 1;
    msg.u.fork_query.last = ML_MSG_FORK_HASHES_MAX;
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    msg.u.fork_query.last++;
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_E_INVALID);
    struct ml_chain_range range = {.first = 5, .last = 5};
    sample_msg(&msg, ML_MSG_BUNDLE_REQUEST, true);
    msg.u.bundle_request.ranges = (struct ml_list){.count = 1, .items = &range};
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
    range.last = 4;
    assert_int_equal(ml_msg_encode(&f->b, &msg), ML_E_INVALID);
    static uint8_t secret[33];
    for (size_t len = 31; len <= 33; len++) {
        sample_msg(&msg, ML_MSG_ENROL_GRANT, true);
        msg.u.enrol_grant.import_secret = ml_slice(secret, len);
        assert_int_equal(ml_msg_encode(&f->b, &msg), len == 32 ? ML_OK : ML_E_INVALID);
    }
}

static void each_failed_allocation_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        ml_err err = ML_E_NOMEM;
        long n = 0;
        while (err != ML_OK) {
            struct fake_env fake;
            struct ml_buf b;
            struct ml_msg msg;
            fake_env_init(&fake, 1);
            ml_buf_init(&b, &fake.env, ML_MSG_BYTES_MAX);
            sample_msg(&msg, kinds[k], true);
            fake.fail_alloc = ++n;
            err = ml_msg_encode(&b, &msg);
            assert_int_equal(fake_spared(&fake), err == ML_OK);
            assert_true(err == ML_OK || (err == ML_E_NOMEM && b.len == 0));
            ml_buf_free(&b);
            assert_int_equal(fake.live, 0);
        }
        assert_true(n > 1);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_message_has_one_form),
        T(hello_is_46_bytes),
        T(versions_and_kinds_share_the_first_byte),
        T(a_later_hello_is_read_as_far_as_it_is_known),
        T(a_fault_counts_the_kind),
        T(a_message_is_256_kib_at_most),
        T(the_largest_bundle_fits_a_message),
        T(lists_are_limited_on_both_sides),
        T(ranges_and_queries_are_consistent),
        T(each_failed_allocation_leaves_the_buffer_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
