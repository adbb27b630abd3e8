/* tests/unit/core_codec/test_explain.c -- each byte has a name, also in bytes that don't decode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fake_env.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

struct listing {
    size_t next;
    size_t count;
    char text[1 << 16]; /* "offset+len place name=value" a line */
    size_t text_len;
};

static void listing_take(void *user, const struct ml_explain_range *range)
{
    struct listing *l = user;
    assert_int_equal(range->offset, l->next); /* in order, without gaps */
    l->next += range->len;
    l->count++;
    int n = snprintf(l->text + l->text_len, sizeof(l->text) - l->text_len, "%zu+%zu %s %s=%s\n",
                     range->offset, range->len, range->place, range->name, range->value);
    l->text_len += (size_t)n < sizeof(l->text) - l->text_len ? (size_t)n : 0;
}

static struct listing *listed(ml_err expected, struct ml_slice wire, struct ml_fault *fault)
{
    static struct listing l;
    memset(&l, 0, sizeof(l));
    assert_int_equal(ml_explain_bundle(wire, listing_take, &l, fault), expected);
    assert_int_equal(l.next, wire.len);
    return &l;
}

#define HAS(l, part) assert_non_null(strstr((l)->text, part))

struct fixture {
    struct ml_buf b;
    struct ml_hash hash;
};

static int setup(void **state)
{
    static struct fixture f;
    ml_buf_init(&f.b, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->b);
    return 0;
}

static void a_record_bundle_is_named_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    sample_bundle(&f->b, &f->hash, ML_LANE_RECORD, 2);
    struct listing *l = listed(ML_OK, ml_buf_slice(&f->b), NULL);
    HAS(l, "0+1 bundle =bundle\n");
    HAS(l, "1+3 header =bin head\n");
    HAS(l, "4+1 header =header, 13 entries\n");
    HAS(l, "5+2 header version=1\n");
    HAS(l, " header lane=3 (record)\n");
    HAS(l, " header seq=70001\n");
    HAS(l, " header deps=2 of head\n");
    HAS(l, " deps[1] lane=3 (record)\n");
    HAS(l, " header hlc=");
    HAS(l, "(1790000000000 ms, counter 3)\n");
    HAS(l, " dictionary[0] compartment=3 (medical)\n");
    HAS(l, " dictionary[1] action=1 (create)\n");
    HAS(l, "+66 signature sig=");
    HAS(l, "... (64 bytes)\n");
    HAS(l, " body =2 ops\n");
    HAS(l, " op 1 hlc delta=1\n");
    HAS(l, " op 1 ciphertext=");
    HAS(l, "+16 op 1 tag=");
    assert_true(l->count > 40);
}

static void ops_that_are_not_sealed_are_named_too(void **state)
{
    struct fixture *f = *state;
    sample_bundle(&f->b, &f->hash, ML_LANE_GOVERNANCE, 2);
    struct listing *l = listed(ML_OK, ml_buf_slice(&f->b), NULL);
    HAS(l, " op 1 =MEMBER_ADD, 9 entries\n");
    HAS(l, " op 1 rank=3\n");
    HAS(l, " card nonce=");
    ml_buf_clear(&f->b);
    sample_bundle(&f->b, &f->hash, ML_LANE_KEYS, 1);
    l = listed(ML_OK, ml_buf_slice(&f->b), NULL);
    HAS(l, " op 0 =DEK_WRAP, 7 entries\n");
    HAS(l, " op 0 kek=");
    ml_buf_clear(&f->b);
    sample_bundle(&f->b, &f->hash, ML_LANE_TRACE, 2);
    l = listed(ML_OK, ml_buf_slice(&f->b), NULL);
    HAS(l, " op 0 =key deposit, 2 entries\n");
    HAS(l, " op 1 ciphertext=");
    HAS(l, " dictionary[0] action=3 (deposit)\n");
    ml_buf_clear(&f->b);
    sample_genesis(&f->b, &f->hash);
    l = listed(ML_OK, ml_buf_slice(&f->b), NULL);
    HAS(l, " header flags=1\n");
    HAS(l, " op 0 =ORG_FOUND, 16 entries\n");
    HAS(l, " op 0 root_sig=");
}

static void shredded_and_absent_bodies_are_named(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle good;
    struct ml_buf body;
    struct ml_buf wire;
    sample_bundle(&f->b, &f->hash, ML_LANE_RECORD, 2);
    assert_int_equal(ml_bundle_decode(&good, ml_buf_slice(&f->b), NULL), ML_OK);
    ml_buf_init(&body, ml_env_system(), ML_BODY_SHREDDED_MAX);
    ml_buf_init(&wire, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_body_shred(&body, good.body.bytes, 1), ML_OK);
    struct ml_wire_body part = {.bytes = ml_buf_slice(&body)};
    assert_int_equal(ml_bundle_join(&wire, good.header_bytes, &good.sig, &part), ML_OK);
    struct listing *l = listed(ML_OK, ml_buf_slice(&wire), NULL);
    HAS(l, "+34 op 1 leaf of a shredded op=");
    part = (struct ml_wire_body){.absent = ML_ABSENT_PRUNED};
    ml_buf_clear(&wire);
    assert_int_equal(ml_bundle_join(&wire, good.header_bytes, &good.sig, &part), ML_OK);
    l = listed(ML_OK, ml_buf_slice(&wire), NULL);
    HAS(l, "+1 body absent=2\n");
    ml_buf_free(&body);
    ml_buf_free(&wire);
}

/* Cut anywhere: what is there is named, and the last range says where it stops. */
static void a_cut_bundle_says_where_it_stops(void **state)
{
    struct fixture *f = *state;
    sample_bundle(&f->b, &f->hash, ML_LANE_GOVERNANCE, 1);
    for (size_t len = 0; len < f->b.len; len++) {
        struct ml_fault fault = {0};
        struct listing *l = listed(ML_E_MALFORMED, ml_slice(f->b.data, len), &fault);
        HAS(l, "?=stops at byte ");
        assert_int_equal(fault.reason, ML_FAULT_TRUNCATED);
    }
}

/* Any damage: the ranges tile all the same. What parses but breaks a rule is named to the end, and
 * the fault says what is wrong. */
static void damaged_bundles_are_named_as_far_as_they_parse(void **state)
{
    struct fixture *f = *state;
    sample_bundle(&f->b, &f->hash, ML_LANE_KEYS, 1);
    for (size_t i = 0; i < f->b.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            f->b.data[i] ^= (uint8_t)(1u << bit);
            must_tile_bundle(ml_buf_slice(&f->b));
            f->b.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    struct ml_fault fault = {0};
    f->b.data[f->b.len - 1] ^= 1; /* in a field of fixed length: only the root is wrong */
    (void)listed(ML_OK, ml_buf_slice(&f->b), &fault);
    ml_buf_clear(&f->b);
    sample_bundle(&f->b, &f->hash, ML_LANE_RECORD, 1);
    struct ml_bundle good;
    assert_int_equal(ml_bundle_decode(&good, ml_buf_slice(&f->b), NULL), ML_OK);
    size_t body_at = (size_t)(good.body.bytes.data - f->b.data);
    f->b.data[body_at + 2] = 2; /* a dictionary index beyond the dictionary */
    struct listing *l = listed(ML_E_MALFORMED, ml_buf_slice(&f->b), &fault);
    assert_null(strstr(l->text, "stops"));
    HAS(l, " op 0 dictionary index=2\n");
    assert_string_equal(fault.where, "dictionary index");
    /* a key that the header doesn't have */
    f->b.data[body_at + 2] = 0;
    f->b.data[4 + 3] = 0x0f;
    l = listed(ML_E_MALFORMED, ml_buf_slice(&f->b), &fault);
    HAS(l, " header unknown key 15=");
}

static void plaintexts_are_named(void **state)
{
    struct fixture *f = *state;
    static struct listing l;
    struct ml_change change;
    struct ml_trace_entry entry;
    sample_change(&change, true);
    assert_int_equal(ml_change_encode(&f->b, &change), ML_OK);
    memset(&l, 0, sizeof(l));
    assert_int_equal(ml_explain_op(ML_LANE_RECORD, 0, ml_buf_slice(&f->b), listing_take, &l),
                     ML_OK);
    assert_int_equal(l.next, f->b.len);
    HAS(&l, "0+1 op =change, 11 entries\n");
    HAS(&l, " op slot=200\n");
    HAS(&l, " effective precision=5\n");
    HAS(&l, " op reason=\"posologie ajustée\"\n");
    HAS(&l, " op seen=2 of version reference\n");
    HAS(&l, " seen[0] version=3\n");
    ml_buf_clear(&f->b);
    sample_trace(&entry, true);
    assert_int_equal(ml_trace_entry_encode(&f->b, &entry), ML_OK);
    memset(&l, 0, sizeof(l));
    assert_int_equal(ml_explain_op(ML_LANE_TRACE, 1, ml_buf_slice(&f->b), listing_take, &l), ML_OK);
    HAS(&l, " op purpose=\"soins\"\n");
    /* an unknown op, one of no lane, and no op at all */
    struct ml_slice unknown = bytes_of("82 01 cd0100 05 91 a161");
    memset(&l, 0, sizeof(l));
    assert_int_equal(ml_explain_op(ML_LANE_KEYS, 0, unknown, listing_take, &l), ML_OK);
    HAS(&l, " op unknown key 1=256\n");
    HAS(&l, " op unknown key 5=91a161\n");
    memset(&l, 0, sizeof(l));
    assert_int_equal(ml_explain_op(ML_LANES, 0, unknown, listing_take, &l), ML_OK);
    must_tile_op(ML_LANE_GOVERNANCE, 0, bytes_of("91 01"));
    must_tile_op(ML_LANE_RECORD, 0, ml_slice(NULL, 0));
}

static void texts_are_shown_without_control_characters(void **state)
{
    static struct listing l;
    struct ml_trace_entry entry;
    struct fixture *f = *state;
    static char text[121];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, bytes_of("61 1b 5b324a 7f").data, 6);
    memcpy(text + 79, bytes_of("c3a9").data, 2); /* would be cut in two at 80 bytes */
    sample_trace(&entry, true);
    entry.purpose = ml_slice_str(text);
    assert_int_equal(ml_trace_entry_encode(&f->b, &entry), ML_OK);
    memset(&l, 0, sizeof(l));
    assert_int_equal(ml_explain_op(ML_LANE_TRACE, 1, ml_buf_slice(&f->b), listing_take, &l), ML_OK);
    HAS(&l, "purpose=\"a.[2J.x");
    HAS(&l, "x\"...\n");
    assert_null(strchr(l.text, 0x1b));
    assert_null(strstr(l.text, "\xc3\""));
}

static void every_message_is_named(void **state)
{
    static const ml_msg_kind kinds[] = {ML_MSG_HELLO,
#define X(name, number, text) ML_MSG_##name,
                                        ML_MSG_MAP(X)
#undef X
    };
    struct fixture *f = *state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        static struct listing l;
        struct ml_msg msg;
        ml_buf_clear(&f->b);
        sample_msg(&msg, kinds[k], true);
        assert_int_equal(ml_msg_encode(&f->b, &msg), ML_OK);
        memset(&l, 0, sizeof(l));
        assert_int_equal(ml_explain_msg(ml_buf_slice(&f->b), listing_take, &l, NULL), ML_OK);
        assert_int_equal(l.next, f->b.len);
        HAS(&l, ml_msg_name(kinds[k]));
        assert_null(strstr(l.text, "?="));
        for (size_t len = 0; len < f->b.len; len++) {
            must_tile_msg(ml_slice(f->b.data, len));
        }
        ml_buf_u8(&f->b, 0);
        must_tile_msg(ml_buf_slice(&f->b));
    }
    must_tile_msg(bytes_of("c88001"));
}

static void types_and_sizes_are_rendered_for_the_docs(void **state)
{
    static const struct {
        const char *format;
        uint64_t key;
        const char *type;
        const char *size;
    } rows[] = {
        {"header", 1, "uint 0..1", "1"},
        {"header", 5, "uint 1..2^32-1", "1..5"},
        {"header", 6, "bin 32", "34"},
        {"header", 8, "list of head, 1..220, ascending", ""},
        {"header", 9, "uint 0..2^64-1", "1..9"},
        {"header", 10, "uint 1..256", "1..3"},
        {"header", 14, "list of dictionary entry, 1..64", ""},
        {"bundle", 0, "bin 1..9216", "3..9219"},
        {"bundle", 2, "bin 1..57856, or uint 1..255", "1..57859"},
        {"change", 6, "any value", "1..49000"},
        {"change", 8, "instant", ""},
        {"change", 10, "str 1..4096", "2..4099"},
        {"instant", 1, "int ±1439", "1..3"},
        {"version reference", 0, "uint 0..255, or [bin 16, uint 0..255]", "1..21"},
        {"MEMBER_ADD", 2, "bool", "1"},
        {"code", 0, "uint 1..24, or str 0..1024", "1..1027"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char type[80];
        char size[80];
        const struct ml_wire_format *format = ml_explain_format_named(rows[i].format);
        assert_non_null(format);
        const struct ml_wire_field *field = ml_wire_field_of(format, rows[i].key);
        assert_non_null(field);
        ml_explain_field_type(type, sizeof(type), field);
        ml_explain_field_size(size, sizeof(size), field);
        assert_string_equal(type, rows[i].type);
        assert_string_equal(size, rows[i].size);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_record_bundle_is_named_byte_by_byte),          T(ops_that_are_not_sealed_are_named_too),
        T(shredded_and_absent_bodies_are_named),           T(a_cut_bundle_says_where_it_stops),
        T(damaged_bundles_are_named_as_far_as_they_parse), T(plaintexts_are_named),
        T(texts_are_shown_without_control_characters),     T(every_message_is_named),
        T(types_and_sizes_are_rendered_for_the_docs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
