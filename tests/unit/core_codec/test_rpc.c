/* tests/unit/core_codec/test_rpc.c -- documents, JSON, and frames of the local socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "fake_env.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

struct fixture {
    struct fake_env fake;
    struct ml_buf b;
    struct ml_buf json;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 1);
    ml_buf_init(&f.b, &f.fake.env, 8u << 20);
    ml_buf_init(&f.json, &f.fake.env, 1u << 20);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->b);
    ml_buf_free(&f->json);
    return f->fake.live == 0 ? 0 : -1;
}

static struct ml_doc opened(struct ml_slice in)
{
    struct ml_doc doc;
    struct ml_fault fault;
    ml_err err = ml_doc_open(&doc, in, &fault);
    assert_int_equal(err, ML_OK);
    return doc;
}

static const char *json_of(struct fixture *f, struct ml_doc doc, unsigned indent)
{
    ml_buf_clear(&f->json);
    assert_int_equal(ml_doc_to_json(&f->json, doc, indent), ML_OK);
    ml_buf_u8(&f->json, 0);
    return (const char *)f->json.data;
}

static void sample_doc(struct ml_buf *b)
{
    struct ml_doc_writer w;
    const uint8_t id[4] = {0xde, 0xad, 0xbe, 0xef};
    ml_doc_begin(&w, b);
    ml_doc_map(&w);
    ml_doc_put_str(&w, "name", "Zoé \"Z\"");
    ml_doc_put_text(&w, "town", TEXT("Die"));
    ml_doc_put_int(&w, "depth", -5);
    ml_doc_put_uint(&w, "size", UINT64_MAX);
    ml_doc_put_bool(&w, "open", true);
    ml_doc_put_hex(&w, "id", id, sizeof(id));
    ml_doc_put_bin(&w, "raw", ml_slice(id, sizeof(id)));
    ml_doc_put_str(&w, "none", NULL);
    ml_doc_key(&w, "ratio");
    ml_doc_float(&w, 0.5);
    ml_doc_key(&w, "list");
    ml_doc_array(&w);
    ml_doc_int(&w, 1);
    ml_doc_map(&w);
    ml_doc_end(&w);
    ml_doc_array(&w);
    ml_doc_end(&w);
    ml_doc_bool(&w, false);
    ml_doc_end(&w);
    ml_doc_end(&w);
    assert_int_equal(ml_doc_finish(&w), ML_OK);
}

static void a_document_reads_back(void **state)
{
    struct fixture *f = *state;
    struct ml_slice text;
    int64_t i = 0;
    uint64_t u = 0;
    bool yes = false;
    double ratio = 0;
    uint8_t id[4];
    sample_doc(&f->b);
    struct ml_doc doc = opened(ml_buf_slice(&f->b));
    assert_int_equal(ml_doc_type(doc), ML_MP_MAP);
    assert_int_equal(ml_doc_count(doc), 10);
    assert_true(ml_doc_as_text(ml_doc_get(doc, "name"), &text));
    assert_true(ml_slice_equal(text, TEXT("Zoé \"Z\"")));
    assert_true(ml_doc_text_is(ml_doc_get(doc, "town"), "Die"));
    assert_false(ml_doc_text_is(ml_doc_get(doc, "town"), "Crest"));
    assert_true(ml_doc_as_int(ml_doc_get(doc, "depth"), &i) && i == -5);
    assert_true(ml_doc_as_uint(ml_doc_get(doc, "size"), &u) && u == UINT64_MAX);
    assert_false(ml_doc_as_int(ml_doc_get(doc, "size"), &i));
    assert_false(ml_doc_as_uint(ml_doc_get(doc, "depth"), &u));
    assert_true(ml_doc_as_bool(ml_doc_get(doc, "open"), &yes) && yes);
    assert_false(ml_doc_as_bool(ml_doc_get(doc, "depth"), &yes));
    assert_true(ml_doc_as_bytes(ml_doc_get(doc, "id"), id, 4) && id[3] == 0xef);
    assert_true(ml_doc_as_bytes(ml_doc_get(doc, "raw"), id, 4) && id[0] == 0xde);
    assert_false(ml_doc_as_bytes(ml_doc_get(doc, "raw"), id, 3));
    assert_false(ml_doc_as_bytes(ml_doc_get(doc, "id"), id, 3));
    assert_false(ml_doc_as_bytes(ml_doc_get(doc, "name"), id, 4));
    assert_true(ml_doc_is_nil(ml_doc_get(doc, "none")));
    assert_true(ml_doc_is_nil(ml_doc_get(doc, "absent")));
    assert_false(ml_doc_is_nil(doc));
    assert_true(ml_doc_as_float(ml_doc_get(doc, "ratio"), &ratio) && ratio == 0.5);
    assert_true(ml_doc_as_float(ml_doc_get(doc, "depth"), &ratio) && ratio == -5);
    assert_false(ml_doc_as_float(ml_doc_get(doc, "name"), &ratio));
    struct ml_doc list = ml_doc_get(doc, "list");
    assert_int_equal(ml_doc_count(list), 4);
    assert_true(ml_doc_as_int(ml_doc_at(list, 0), &i) && i == 1);
    assert_int_equal(ml_doc_type(ml_doc_at(list, 1)), ML_MP_MAP);
    assert_int_equal(ml_doc_type(ml_doc_at(list, 4)), ML_MP_NONE);
    assert_int_equal(ml_doc_type(ml_doc_at(doc, 0)), ML_MP_NONE); /* a map has no places */
    assert_int_equal(ml_doc_type(ml_doc_get(list, "x")), ML_MP_NONE);
    assert_int_equal(ml_doc_count(ml_doc_get(doc, "depth")), 0);
    assert_false(ml_doc_as_bin(ml_doc_get(doc, "name"), &text));
    struct ml_doc_walk walk;
    struct ml_slice key;
    struct ml_doc value;
    unsigned n = 0;
    for (ml_doc_walk(&walk, doc); ml_doc_next(&walk, &key, &value); n++) {
        assert_true(key.len > 0 && value.raw.len > 0);
    }
    assert_int_equal(n, 10);
}

static void json_says_the_same(void **state)
{
    struct fixture *f = *state;
    sample_doc(&f->b);
    struct ml_doc doc = opened(ml_buf_slice(&f->b));
    assert_string_equal(json_of(f, doc, 0),
                        "{\"name\":\"Zoé \\\"Z\\\"\",\"town\":\"Die\",\"depth\":-5,"
                        "\"size\":18446744073709551615,\"open\":true,\"id\":\"deadbeef\","
                        "\"raw\":\"deadbeef\",\"none\":null,\"ratio\":0.5,"
                        "\"list\":[1,{},[],false]}");
    ml_buf_clear(&f->b);
    struct ml_doc_writer w;
    ml_doc_begin(&w, &f->b);
    ml_doc_map(&w);
    ml_doc_key(&w, "a\n\x01");
    ml_doc_array(&w);
    ml_doc_text(&w, TEXT("\\\x7f"));
    ml_doc_map(&w);
    ml_doc_put_int(&w, "b", 2);
    ml_doc_end(&w);
    ml_doc_float(&w, INFINITY);
    ml_doc_nil(&w);
    ml_doc_end(&w);
    ml_doc_end(&w);
    assert_int_equal(ml_doc_finish(&w), ML_OK);
    assert_string_equal(json_of(f, opened(ml_buf_slice(&f->b)), 2),
                        "{\n  \"a\\u000a\\u0001\": [\n    \"\\\\\\u007f\",\n    {\n"
                        "      \"b\": 2\n    },\n    null,\n    null\n  ]\n}");
    assert_string_equal(json_of(f, opened(bytes_of("07")), 2), "7");
    assert_string_equal(json_of(f, (struct ml_doc){{NULL, 0}}, 0), "null");
    assert_string_equal(json_of(f, opened(bytes_of("80")), 2), "{}");
}

static void counts_change_the_form_of_heads(void **state)
{
    static const uint32_t counts[] = {0, 15, 16, 255, 256, 65535, 65536};
    struct fixture *f = *state;
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
        struct ml_doc_writer w;
        uint64_t last = 0;
        ml_buf_clear(&f->b);
        ml_doc_begin(&w, &f->b);
        ml_doc_array(&w);
        ml_doc_array(&w);
        for (uint32_t i = 0; i < counts[k]; i++) {
            ml_doc_uint(&w, i);
        }
        ml_doc_end(&w);
        ml_doc_str(&w, "after");
        ml_doc_end(&w);
        assert_int_equal(ml_doc_finish(&w), ML_OK);
        struct ml_doc doc = opened(ml_buf_slice(&f->b));
        assert_int_equal(ml_doc_count(ml_doc_at(doc, 0)), counts[k]);
        assert_true(ml_doc_text_is(ml_doc_at(doc, 1), "after"));
        if (counts[k] > 0) {
            assert_true(ml_doc_as_uint(ml_doc_at(ml_doc_at(doc, 0), counts[k] - 1), &last));
            assert_int_equal(last, counts[k] - 1);
        }
    }
}

static ml_err map_of(struct fixture *f, unsigned keys, bool twice)
{
    struct ml_doc_writer w;
    ml_buf_clear(&f->b);
    ml_doc_begin(&w, &f->b);
    ml_doc_map(&w);
    for (unsigned i = 0; i < keys; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", twice && i + 1 == keys ? 0 : i);
        ml_doc_put_uint(&w, key, i);
    }
    ml_doc_end(&w);
    return ml_doc_finish(&w);
}

static void maps_hold_256_keys_and_none_twice(void **state)
{
    struct fixture *f = *state;
    struct ml_doc doc;
    struct ml_fault fault = {0};
    assert_int_equal(map_of(f, ML_DOC_KEYS_MAX, false), ML_OK);
    assert_int_equal(ml_doc_open(&doc, ml_buf_slice(&f->b), &fault), ML_OK);
    assert_int_equal(map_of(f, ML_DOC_KEYS_MAX + 1, false), ML_E_INVALID);
    assert_int_equal(map_of(f, 40, true), ML_OK); /* the writer trusts its caller's keys */
    assert_int_equal(ml_doc_open(&doc, ml_buf_slice(&f->b), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_KEY_ORDER);
    /* 257 keys from outside */
    ml_buf_clear(&f->b);
    ml_mp_put_map(&f->b, 257);
    for (unsigned i = 0; i < 257; i++) {
        char key[16];
        int len = snprintf(key, sizeof(key), "%u", i);
        ml_mp_put_str(&f->b, ml_slice(key, (size_t)len));
        ml_mp_put_nil(&f->b);
    }
    assert_int_equal(ml_doc_open(&doc, ml_buf_slice(&f->b), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_RANGE);
    /* inner and outer maps have keys of their own, siblings too */
    assert_int_equal(
        ml_doc_open(&doc, bytes_of("82 a161 82 a161 01 a162 81 a161 02 a162 81 a161 03"), &fault),
        ML_OK);
    assert_int_equal(ml_doc_open(&doc, bytes_of("82 a161 81 a162 90 a161 01"), &fault),
                     ML_E_MALFORMED);
    assert_int_equal(fault.offset, 7);
    assert_int_equal(ml_doc_open(&doc, bytes_of("82 a161 81 a162 90 a161 01"), NULL),
                     ML_E_MALFORMED);
    /* after an inner map that was the last value, the outer one goes on */
    assert_int_equal(
        ml_doc_open(&doc, bytes_of("92 81 a161 81 a161 01 82 a161 01 a161 02"), &fault),
        ML_E_MALFORMED);
    assert_int_equal(fault.offset, 12);
}

static void misuse(struct ml_doc_writer *w, unsigned nth)
{
    switch (nth) {
    case 0: /* nothing */
        break;
    case 1: /* two values */
        ml_doc_int(w, 1);
        ml_doc_int(w, 2);
        break;
    case 2: /* a value where a key is due */
        ml_doc_map(w);
        ml_doc_int(w, 1);
        ml_doc_end(w);
        break;
    case 3: /* a key without value */
        ml_doc_map(w);
        ml_doc_key(w, "a");
        ml_doc_end(w);
        break;
    case 4: /* a key in an array */
        ml_doc_array(w);
        ml_doc_key(w, "a");
        ml_doc_end(w);
        break;
    case 5: /* an end too many */
        ml_doc_array(w);
        ml_doc_end(w);
        ml_doc_end(w);
        break;
    case 6: /* one missing */
        ml_doc_array(w);
        break;
    case 7: /* too deep */
        for (unsigned k = 0; k <= ML_DOC_DEPTH_MAX; k++) {
            ml_doc_array(w);
        }
        for (unsigned k = 0; k <= ML_DOC_DEPTH_MAX; k++) {
            ml_doc_end(w);
        }
        break;
    default: /* a hex text over its limit */
        ml_doc_hex(w, "", ML_DOC_HEX_MAX + 1);
        break;
    }
}

static void misuse_of_the_writer_sticks(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 9; i++) {
        struct ml_doc_writer w;
        ml_buf_clear(&f->b);
        ml_doc_begin(&w, &f->b);
        misuse(&w, i);
        ml_doc_nil(&w);
        ml_doc_key(&w, "late");
        assert_int_equal(ml_doc_finish(&w), ML_E_INVALID);
    }
    struct ml_doc_writer w;
    ml_buf_clear(&f->b);
    ml_doc_begin(&w, &f->b);
    for (unsigned k = 0; k < ML_DOC_DEPTH_MAX; k++) {
        ml_doc_array(&w);
    }
    for (unsigned k = 0; k < ML_DOC_DEPTH_MAX; k++) {
        ml_doc_end(&w);
    }
    assert_int_equal(ml_doc_finish(&w), ML_OK);
    struct ml_doc doc = opened(ml_buf_slice(&f->b));
    assert_string_equal(json_of(f, doc, 0), "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
}

static void frames_are_split_when_they_are_whole(void **state)
{
    struct fixture *f = *state;
    struct ml_slice message;
    size_t used = 0;
    assert_int_equal(ml_rpc_put_request(&f->b, 7, "node.status", ml_slice(NULL, 0)), ML_OK);
    size_t first = f->b.len;
    assert_int_equal(ml_rpc_put_event(&f->b, "progress", ml_slice(NULL, 0)), ML_OK);
    for (size_t len = 0; len < first; len++) {
        assert_int_equal(ml_rpc_split(&message, &used, ml_slice(f->b.data, len)), ML_E_PENDING);
        assert_int_equal(used, len < 4 ? 4 : first);
    }
    assert_int_equal(ml_rpc_split(&message, &used, ml_buf_slice(&f->b)), ML_OK);
    assert_int_equal(used, first);
    assert_int_equal(message.len, first - 4);
    struct ml_rpc rpc;
    assert_int_equal(ml_rpc_decode(&rpc, message, NULL), ML_OK);
    assert_int_equal(rpc.kind, ML_RPC_REQUEST);
    assert_int_equal(rpc.id, 7);
    assert_true(ml_slice_equal(rpc.name, TEXT("node.status")));
    assert_int_equal(ml_doc_type(rpc.params), ML_MP_MAP);
    assert_int_equal(ml_rpc_split(&message, &used, ml_slice(f->b.data + first, f->b.len - first)),
                     ML_OK);
    assert_int_equal(ml_rpc_decode(&rpc, message, NULL), ML_OK);
    assert_int_equal(rpc.kind, ML_RPC_EVENT);
    /* lengths on both sides of the limit */
    assert_int_equal(ml_rpc_split(&message, &used, bytes_of("00400000")), ML_E_PENDING);
    assert_int_equal(used, 4 + (4u << 20));
    assert_int_equal(ml_rpc_split(&message, &used, bytes_of("00400001")), ML_E_LIMIT);
    assert_int_equal(ml_rpc_split(&message, &used, bytes_of("00000000")), ML_E_LIMIT);
    assert_int_equal(ml_rpc_split(&message, &used, bytes_of("ffffffff")), ML_E_LIMIT);
}

static void answers_hold_a_result_or_an_error(void **state)
{
    struct fixture *f = *state;
    struct ml_rpc rpc;
    sample_doc(&f->b);
    struct ml_buf frame;
    ml_buf_init(&frame, &f->fake.env, 1u << 16);
    assert_int_equal(ml_rpc_put_result(&frame, 9, ml_buf_slice(&f->b)), ML_OK);
    assert_int_equal(ml_rpc_decode(&rpc, ml_slice(frame.data + 4, frame.len - 4), NULL), ML_OK);
    assert_int_equal(rpc.kind, ML_RPC_ANSWER);
    assert_int_equal(ml_rpc_error_code(&rpc), ML_OK);
    assert_true(ml_doc_text_is(ml_doc_get(rpc.result, "town"), "Die"));
    ml_buf_clear(&frame);
    assert_int_equal(ml_rpc_put_result(&frame, 9, ml_slice(NULL, 0)), ML_OK);
    assert_int_equal(ml_rpc_decode(&rpc, ml_slice(frame.data + 4, frame.len - 4), NULL), ML_OK);
    assert_true(ml_doc_is_nil(rpc.result));
    ml_buf_clear(&frame);
    assert_int_equal(ml_rpc_put_error(&frame, 9, ML_E_LOCKED, ml_buf_slice(&f->b)), ML_OK);
    assert_int_equal(ml_rpc_decode(&rpc, ml_slice(frame.data + 4, frame.len - 4), NULL), ML_OK);
    assert_int_equal(ml_rpc_error_code(&rpc), ML_E_LOCKED);
    assert_true(ml_doc_text_is(ml_doc_get(rpc.error, "name"), "LOCKED"));
    assert_true(ml_doc_text_is(ml_doc_get(ml_doc_get(rpc.error, "details"), "town"), "Die"));
    assert_int_equal(rpc.result.raw.len, 0);
    ml_buf_clear(&frame);
    assert_int_equal(ml_rpc_put_error(&frame, 9, ML_E_NOMEM, ml_slice(NULL, 0)), ML_OK);
    assert_int_equal(ml_rpc_decode(&rpc, ml_slice(frame.data + 4, frame.len - 4), NULL), ML_OK);
    assert_int_equal(ml_rpc_error_code(&rpc), ML_E_NOMEM);
    /* numbers that are no code */
    static const char *const codes[] = {"00", "cd03e7", "ce00010001", "a161", "ff"};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        char hex[64];
        snprintf(hex, sizeof(hex), "94 01 09 81 a4636f6465 %s c0", codes[i]);
        assert_int_equal(ml_rpc_decode(&rpc, bytes_of(hex), NULL), ML_OK);
        assert_int_equal(ml_rpc_error_code(&rpc), ML_E_CORRUPT);
    }
    ml_buf_free(&frame);
}

static void messages_of_other_forms_are_refused(void **state)
{
    static const struct {
        const char *hex;
        ml_fault_reason reason;
        size_t offset;
    } rows[] = {
        {"94 00 01 a161 80", 0, 0},
        {"93 02 a161 80", 0, 0},
        {"94 01 01 c0 07", 0, 0},
        {"94 01 01 80 c0", 0, 0},
        {"93 00 01 a161", ML_FAULT_RANGE, 0},
        {"94 02 a161 80 80", ML_FAULT_RANGE, 0},
        {"92 00 01", ML_FAULT_RANGE, 0},
        {"95 00 01 a161 80 80", ML_FAULT_RANGE, 0},
        {"94 03 01 a161 80", ML_FAULT_RANGE, 1},
        {"94 00 ff a161 80", ML_FAULT_TYPE, 2},
        {"94 00 cf0000000100000000 a161 80", ML_FAULT_RANGE, 2},
        {"94 00 ceffffffff a161 80", 0, 0},
        {"94 00 01 a0 80", ML_FAULT_RANGE, 3},
        {"94 00 01 a141 80", ML_FAULT_RANGE, 3}, /* capitals */
        {"94 00 01 a461 2e5f39 80", 0, 0},
        {"94 00 01 c40161 80", ML_FAULT_TYPE, 3},
        {"94 00 01 a161 90", ML_FAULT_TYPE, 5},
        {"94 00 01 a161 c0", ML_FAULT_TYPE, 5},
        {"94 00 01 a161 82 a178 01 a178 02", ML_FAULT_KEY_ORDER, 9},
        {"94 00 01 a161 81 01 02", ML_FAULT_KEY_TYPE, 6},
        {"94 01 01 07 c0", ML_FAULT_TYPE, 3},
        {"94 01 01 80 07", ML_FAULT_TYPE, 4}, /* an error and a result */
        {"94 00 01 a161 80 00", ML_FAULT_TRAILING, 6},
        {"94 00 01 a161", ML_FAULT_TRUNCATED, 5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_rpc rpc;
        struct ml_fault fault = {0};
        ml_err err = ml_rpc_decode(&rpc, bytes_of(rows[i].hex), &fault);
        if (fault.reason != rows[i].reason || fault.offset != rows[i].offset) {
            print_error("%s: %s at %zu\n", rows[i].hex, ml_fault_text(fault.reason), fault.offset);
        }
        assert_int_equal(err, rows[i].reason == 0 ? ML_OK : ML_E_MALFORMED);
        assert_int_equal(fault.reason, rows[i].reason);
        assert_int_equal(fault.offset, rows[i].offset);
        assert_int_equal(roundtrip_rpc(bytes_of(rows[i].hex)), err == ML_OK);
    }
}

static void what_no_peer_would_take_is_not_sent(void **state)
{
    struct fixture *f = *state;
    char method[ML_RPC_METHOD_MAX + 2];
    memset(method, 'a', sizeof(method));
    method[ML_RPC_METHOD_MAX + 1] = '\0';
    assert_int_equal(ml_rpc_put_request(&f->b, 1, method, ml_slice(NULL, 0)), ML_E_INVALID);
    assert_int_equal(f->b.len, 0);
    method[ML_RPC_METHOD_MAX] = '\0';
    assert_int_equal(ml_rpc_put_request(&f->b, 1, method, ml_slice(NULL, 0)), ML_OK);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_rpc_put_request(&f->b, 1, "a b", ml_slice(NULL, 0)), ML_E_INVALID);
    assert_int_equal(ml_rpc_put_request(&f->b, 1, "a", bytes_of("90")), ML_E_INVALID);
    assert_int_equal(ml_rpc_put_result(&f->b, 1, bytes_of("cc01")), ML_E_INVALID);
    assert_int_equal(ml_rpc_put_error(&f->b, 1, ML_E_IO, bytes_of("01 02")), ML_E_INVALID);
    assert_int_equal(ml_rpc_put_event(&f->b, "A", ml_slice(NULL, 0)), ML_E_INVALID);
    assert_int_equal(f->b.len, 0);
}

static void a_frame_is_4_mib_at_most(void **state)
{
    struct fixture *f = *state;
    struct ml_buf result;
    /* [1, id, nil, bin32]: the result is all but four bytes of the message */
    for (size_t more = 0; more < 2; more++) {
        ml_buf_init(&result, &f->fake.env, 8u << 20);
        size_t len = ML_RPC_BYTES_MAX - 4 - 5 + more;
        uint8_t *bytes = NULL;
        ml_buf_u8(&result, 0xc6);
        ml_buf_u32be(&result, (uint32_t)len);
        bytes = ml_buf_extend(&result, len);
        assert_non_null(bytes);
        memset(bytes, 0, len);
        ml_buf_clear(&f->b);
        assert_int_equal(ml_rpc_put_result(&f->b, 1, ml_buf_slice(&result)),
                         more == 0 ? ML_OK : ML_E_LIMIT);
        assert_int_equal(f->b.len, more == 0 ? ML_RPC_BYTES_MAX + 4 : 0);
        ml_buf_free(&result);
    }
}

static void each_failed_allocation_is_told(void **state)
{
    (void)state;
    ml_err err = ML_E_NOMEM;
    long n = 0;
    while (err != ML_OK) {
        struct fake_env fake;
        struct ml_buf b;
        struct ml_buf json;
        struct ml_doc_writer w;
        fake_env_init(&fake, 1);
        ml_buf_init(&b, &fake.env, 1u << 16);
        ml_buf_init(&json, &fake.env, 1u << 16);
        fake.fail_alloc = ++n;
        ml_doc_begin(&w, &b);
        ml_doc_map(&w);
        for (int i = 0; i < 20; i++) {
            char key[8];
            snprintf(key, sizeof(key), "k%d", i);
            ml_doc_put_str(&w, key, "a longer text that makes the buffer grow");
        }
        ml_doc_end(&w);
        err = ml_doc_finish(&w);
        if (err == ML_OK) {
            err = ml_doc_to_json(&json, opened(ml_buf_slice(&b)), 2);
        }
        if (err == ML_OK) {
            size_t len = json.len;
            err = ml_rpc_put_result(&json, 1, ml_buf_slice(&b));
            assert_true(err == ML_OK || json.len == len);
        }
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        ml_buf_free(&b);
        ml_buf_free(&json);
        assert_int_equal(fake.live, 0);
    }
    assert_true(n > 5);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_document_reads_back),
        T(json_says_the_same),
        T(counts_change_the_form_of_heads),
        T(maps_hold_256_keys_and_none_twice),
        T(misuse_of_the_writer_sticks),
        T(frames_are_split_when_they_are_whole),
        T(answers_hold_a_result_or_an_error),
        T(messages_of_other_forms_are_refused),
        T(what_no_peer_would_take_is_not_sent),
        T(a_frame_is_4_mib_at_most),
        T(each_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
