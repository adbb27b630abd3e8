/* tests/unit/core_codec/test_bundle.c -- rules B10, B11, I4, I8 and the limits of bundles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/bundle.h"
#include "core/codec/mp_write.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_id.h"
#include "fake_env.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

struct fixture {
    struct fake_env fake;
    struct ml_buf wire; /* a record bundle of 3 ops */
    struct ml_hash hash;
    struct ml_org_id org;
    struct ml_sign_pk pk;
    struct ml_secret *seed;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 1);
    ml_buf_init(&f.wire, &f.fake.env, ML_BUNDLE_BYTES_MAX);
    f.seed = sample_seed(0x01, &f.pk);
    f.org = sample_org();
    sample_bundle(&f.wire, &f.hash, ML_LANE_RECORD, 3);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->wire);
    ml_secret_free(f->seed);
    return f->fake.live == 0 ? 0 : -1;
}

static struct ml_bundle decoded(struct ml_slice wire)
{
    struct ml_bundle b;
    assert_int_equal(ml_bundle_decode(&b, wire, NULL), ML_OK);
    return b;
}

static void a_bundle_of_each_lane_reads_back_and_verifies(void **state)
{
    struct fixture *f = *state;
    for (unsigned lane = 0; lane < ML_LANES; lane++) {
        struct ml_hash hash;
        struct ml_hash again;
        struct ml_body_walk walk;
        struct ml_body_op op;
        unsigned ops = 0;
        ml_buf_clear(&f->wire);
        sample_bundle(&f->wire, &hash, lane, 5);
        struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
        assert_int_equal(ml_bundle_verify(&b, &f->org, &f->pk, &again), ML_OK);
        assert_memory_equal(&hash, &again, sizeof(hash));
        assert_int_equal(b.header.lane, lane);
        assert_int_equal(b.header.seq, 70001);
        assert_int_equal(b.header.deps.count, 2);
        assert_int_equal(b.header.dictionary.count, lane >= ML_LANE_TRACE ? 2 : 0);
        for (ml_body_walk(&walk, b.body.bytes); ml_body_next(&walk, &op); ops++) {
            assert_false(op.shredded);
            assert_int_equal(op.hlc_delta, ops);
            assert_int_equal(walk.index, ops);
            assert_true(op.sealed.len > 16);
        }
        assert_int_equal(ops, 5);
        must_encode_to(&ml_format_header, &b.header, b.header_bytes);
    }
}

static void the_identity_is_the_hash_of_the_received_header(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    uint8_t expected[32];
    const struct ml_slice parts[] = {TEXT("maille/bundle/1"), ml_slice(f->org.b, 32),
                                     b.header_bytes};
    ml_hash_parts(expected, 32, ml_slice(NULL, 0), parts, 3);
    struct ml_hash hash = ml_bundle_hash(&b, &f->org);
    assert_memory_equal(hash.b, expected, 32);
    assert_memory_equal(f->hash.b, expected, 32);
    assert_memory_equal(ml_hash16_of(&hash).b, expected, 16);
    assert_int_equal(ml_sign_verify(&f->pk, ml_slice(expected, 32), b.sig.b), ML_OK);
}

static void leaves_and_root_are_as_defined(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    struct ml_body_walk walk;
    struct ml_body_op op;
    uint8_t leaves[3][32];
    uint8_t root[32];
    const uint8_t zero = 0;
    const uint8_t head[3] = {1, 0, 3};
    unsigned n = 0;
    for (ml_body_walk(&walk, b.body.bytes); ml_body_next(&walk, &op); n++) {
        const uint8_t clear[2] = {op.dict, (uint8_t)op.hlc_delta}; /* their encodings */
        const struct ml_slice parts[] = {ml_slice(&zero, 1), ml_slice(clear, 2), op.sealed};
        ml_hash_parts(leaves[n], 32, ml_slice(NULL, 0), parts, 3);
        assert_memory_equal(ml_body_leaf(&op).b, leaves[n], 32);
    }
    const struct ml_slice parts[] = {ml_slice(head, 3), ml_slice(leaves, sizeof(leaves))};
    ml_hash_parts(root, 32, ml_slice(NULL, 0), parts, 2);
    assert_memory_equal(b.header.body_root.b, root, 32);
    assert_memory_equal(ml_body_root(b.body.bytes).b, root, 32);
}

static ml_err accepted(const struct fixture *f)
{
    struct ml_bundle b;
    struct ml_hash hash;
    ml_err err = ml_bundle_decode(&b, ml_buf_slice(&f->wire), NULL);
    return err == ML_OK ? ml_bundle_verify(&b, &f->org, &f->pk, &hash) : err;
}

static void no_byte_can_change(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(accepted(f), ML_OK);
    for (size_t i = 0; i < f->wire.len * 8; i++) {
        f->wire.data[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(accepted(f), ML_OK);
        f->wire.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void no_prefix_is_a_bundle(void **state)
{
    struct fixture *f = *state;
    for (size_t len = 0; len < f->wire.len; len++) {
        struct ml_bundle b;
        struct ml_fault fault = {0};
        assert_int_equal(ml_bundle_decode(&b, ml_slice(f->wire.data, len), &fault), ML_E_MALFORMED);
        assert_int_equal(fault.reason, ML_FAULT_TRUNCATED);
    }
}

static void a_signature_belongs_to_one_org_and_one_writer(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    struct ml_org_id other_org = f->org;
    struct ml_sign_pk other_pk;
    struct ml_hash hash;
    memset(&hash, 0x55, sizeof(hash));
    other_org.b[31] ^= 1;
    assert_int_equal(ml_bundle_verify(&b, &other_org, &f->pk, &hash), ML_E_FORGED);
    assert_int_equal(ml_bundle_verify_header(&b, &other_org, &f->pk, &hash), ML_E_FORGED);
    ml_secret_free(sample_seed(0x02, &other_pk));
    assert_int_equal(ml_bundle_verify(&b, &f->org, &other_pk, &hash), ML_E_INVALID);
    assert_int_equal(hash.b[0], 0x55); /* given out on success only */
}

static void the_genesis_hashes_to_its_org_id(void **state)
{
    struct fixture *f = *state;
    struct ml_org_id org;
    struct ml_hash hash;
    struct ml_hash again;
    const struct ml_org_id zero = {{0}};
    ml_buf_clear(&f->wire);
    sample_genesis(&f->wire, &hash);
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    memcpy(org.b, hash.b, sizeof(org.b));
    assert_int_equal(b.header.flags, ML_BUNDLE_FLAG_GENESIS);
    again = ml_header_hash(&zero, b.header_bytes);
    assert_memory_equal(&again, &hash, sizeof(hash));
    assert_int_equal(ml_bundle_verify(&b, &org, &f->pk, &again), ML_OK);
    assert_memory_equal(&again, &hash, sizeof(hash));
    org.b[0] ^= 1; /* the genesis of another structure */
    assert_int_equal(ml_bundle_verify(&b, &org, &f->pk, &again), ML_E_FORGED);
}

static void bodies_travel_apart_from_headers(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    struct ml_buf out;
    struct ml_hash hash;
    ml_buf_init(&out, &f->fake.env, ML_BUNDLE_BYTES_MAX);
    const struct ml_wire_body shredded = {.absent = ML_ABSENT_SHREDDED};
    assert_int_equal(ml_bundle_join(&out, b.header_bytes, &b.sig, &shredded), ML_OK);
    struct ml_bundle without = decoded(ml_buf_slice(&out));
    assert_int_equal(without.body.absent, ML_ABSENT_SHREDDED);
    assert_null(without.body.bytes.data);
    assert_int_equal(ml_bundle_verify(&without, &f->org, &f->pk, &hash), ML_OK);
    assert_memory_equal(&hash, &f->hash, sizeof(hash));
    ml_buf_clear(&out);
    assert_int_equal(ml_bundle_join(&out, b.header_bytes, &b.sig, &b.body), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&out), ml_buf_slice(&f->wire)));
    ml_buf_free(&out);
}

static void a_shredded_op_keeps_the_root(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    struct ml_buf once;
    struct ml_buf twice;
    struct ml_buf wire;
    struct ml_hash hash;
    ml_buf_init(&once, &f->fake.env, ML_BODY_SHREDDED_MAX);
    ml_buf_init(&twice, &f->fake.env, ML_BODY_SHREDDED_MAX);
    ml_buf_init(&wire, &f->fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_body_shred(&once, b.body.bytes, 1), ML_OK);
    assert_int_equal(ml_body_shred(&twice, ml_buf_slice(&once), 1), ML_OK); /* idempotent */
    assert_true(ml_slice_equal(ml_buf_slice(&once), ml_buf_slice(&twice)));
    const struct ml_wire_body body = {.bytes = ml_buf_slice(&once)};
    assert_int_equal(ml_bundle_join(&wire, b.header_bytes, &b.sig, &body), ML_OK);
    struct ml_bundle shredded = decoded(ml_buf_slice(&wire));
    assert_int_equal(ml_bundle_verify(&shredded, &f->org, &f->pk, &hash), ML_OK);
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_body_walk(&walk, shredded.body.bytes);
    assert_true(ml_body_next(&walk, &op) && !op.shredded);
    assert_true(ml_body_next(&walk, &op) && op.shredded);
    assert_int_equal(op.sealed.len, 0);
    assert_true(ml_body_next(&walk, &op) && !op.shredded);
    assert_false(ml_body_next(&walk, &op));
    assert_int_equal(ml_body_shred(&twice, b.body.bytes, 3), ML_E_NOT_FOUND);
    ml_buf_free(&once);
    ml_buf_free(&twice);
    ml_buf_free(&wire);
}

/* Headers that contradict themselves; each is the sample with one change. */
static void headers_that_contradict_themselves_are_refused(void **state)
{
    static const struct {
        const char *where;
        unsigned lane;
        bool full;
    } cases[] = {
        {"prev", ML_LANE_RECORD, true},       {"prev", ML_LANE_RECORD, false},
        {"dictionary", ML_LANE_RECORD, true}, {"dictionary", ML_LANE_KEYS, true},
        {"flags", ML_LANE_KEYS, false},       {"flags", ML_LANE_GOVERNANCE, true},
    };
    struct fixture *f = *state;
    struct ml_dict_entry entry = {.compartment = 1, .action = 1};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ml_header h;
        sample_header(&h, cases[i].lane, cases[i].full);
        ml_buf_clear(&f->wire);
        assert_int_equal(ml_header_encode(&f->wire, &h), ML_OK);
        switch (i) {
        case 0:
            memset(&h.prev, 0, sizeof(h.prev));
            break;
        case 1:
            h.prev.b[31] = 1;
            break;
        case 2:
            h.dictionary.count = 0;
            break;
        case 3:
            h.dictionary = (struct ml_list){.count = 1, .items = &entry};
            break;
        default:
            h.flags = ML_BUNDLE_FLAG_GENESIS;
            break;
        }
        assert_string_equal(ml_format_header.check(&h), cases[i].where);
        assert_int_equal(ml_header_encode(&f->wire, &h), ML_E_INVALID);
    }
}

static void a_newer_version_is_not_malformed(void **state)
{
    struct fixture *f = *state;
    struct ml_header h;
    struct ml_fault fault;
    /* a header of version 2 that this program can't read otherwise */
    struct ml_slice newer = bytes_of("82 01 02 02 a161");
    assert_int_equal(ml_header_decode(&h, newer, &fault), ML_E_VERSION);
    newer = bytes_of("82 01 01 02 a161");
    assert_int_equal(ml_header_decode(&h, newer, &fault), ML_E_MALFORMED);
    (void)f;
}

static void faults_are_placed_in_the_wire_form(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    struct ml_fault fault = {0};
    size_t header_at = (size_t)(b.header_bytes.data - f->wire.data);
    size_t body_at = (size_t)(b.body.bytes.data - f->wire.data);
    /* key 3 becomes key 2, whose value isn't a number: version is at +1..2, key at +3 */
    f->wire.data[header_at + 3] = 2;
    assert_int_equal(ml_bundle_decode(&b, ml_buf_slice(&f->wire), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.offset, header_at + 4);
    assert_string_equal(fault.where, "flags");
    f->wire.data[header_at + 3] = 3;
    f->wire.data[body_at + 2] = 2; /* first op: dictionary index beyond the two entries */
    assert_int_equal(ml_bundle_decode(&b, ml_buf_slice(&f->wire), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.offset, body_at + 1);
    assert_int_equal(fault.reason, ML_FAULT_RULE);
    assert_string_equal(fault.where, "dictionary index");
}

/* ---- limits, on both sides ---- */

static ml_err build(struct fixture *f, uint32_t ops, size_t op_bytes, size_t last_bytes)
{
    static uint8_t bytes[2 * ML_BODY_BYTES_MAX];
    static struct ml_op_draft drafts[ML_BUNDLE_OPS_MAX + 1];
    struct ml_bundle_draft draft = {.ops = drafts, .op_count = ops};
    struct ml_hash hash;
    for (uint32_t i = 0; i < ops; i++) {
        drafts[i].sealed = ml_slice(bytes, i + 1 == ops ? last_bytes : op_bytes);
    }
    sample_header(&draft.header, ML_LANE_RECORD, true);
    draft.header.writer = ml_writer_id_of(&f->pk);
    ml_buf_clear(&f->wire);
    ml_err err = ml_bundle_build(&f->wire, &hash, &draft, &f->org, f->seed);
    assert_true(err == ML_OK || f->wire.len == 0);
    return err;
}

static void ops_are_256_at_most(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(build(f, 0, 20, 20), ML_E_INVALID);
    assert_int_equal(build(f, 1, 20, 20), ML_OK);
    assert_int_equal(build(f, ML_BUNDLE_OPS_MAX, 20, 20), ML_OK);
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    assert_int_equal(b.header.n_ops, 256);
    assert_int_equal(build(f, ML_BUNDLE_OPS_MAX + 1, 20, 20), ML_E_LIMIT);
    assert_int_equal(build(f, 1, 20, 0), ML_E_INVALID); /* an op is never empty */
}

static void a_body_is_48_kib_at_most(void **state)
{
    struct fixture *f = *state;
    /* array head 1, op: array 1, dict 1, delta 1, bin16 head 3 */
    assert_int_equal(build(f, 1, 0, ML_BODY_BYTES_MAX - 7), ML_OK);
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    assert_int_equal(b.header.body_len, ML_BODY_BYTES_MAX);
    assert_int_equal(b.body.bytes.len, ML_BODY_BYTES_MAX);
    assert_int_equal(build(f, 1, 0, ML_BODY_BYTES_MAX - 6), ML_E_LIMIT);
}

static ml_err header_with(struct fixture *f, uint32_t deps, uint32_t entries)
{
    static struct ml_dep heads[ML_BUNDLE_DEPS_MAX + 1];
    static struct ml_dict_entry dictionary[ML_BUNDLE_STREAMS_MAX + 1];
    struct ml_header h;
    for (uint32_t i = 0; i <= ML_BUNDLE_DEPS_MAX; i++) {
        heads[i].seq = i + 1; /* up to 221: one or two bytes */
    }
    for (uint32_t i = 0; i <= ML_BUNDLE_STREAMS_MAX; i++) {
        dictionary[i] = (struct ml_dict_entry){.compartment = 1, .action = 1};
    }
    sample_header(&h, ML_LANE_RECORD, true);
    h.deps = (struct ml_list){.count = deps, .items = heads};
    h.dictionary = (struct ml_list){.count = entries, .items = dictionary};
    ml_buf_clear(&f->wire);
    ml_err err = ml_header_encode(&f->wire, &h);
    if (err == ML_OK) {
        assert_int_equal(ml_header_decode(&h, ml_buf_slice(&f->wire), NULL), ML_OK);
    }
    return err;
}

static void headers_are_limited_in_entries_and_bytes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(header_with(f, ML_BUNDLE_DEPS_MAX, 2), ML_OK);
    assert_int_equal(header_with(f, ML_BUNDLE_DEPS_MAX + 1, 2), ML_E_INVALID);
    assert_int_equal(header_with(f, 2, ML_BUNDLE_STREAMS_MAX), ML_OK);
    assert_int_equal(header_with(f, 2, ML_BUNDLE_STREAMS_MAX + 1), ML_E_INVALID);
    /* both large: over 9 KiB. Entries of 39 bytes: find the last that fits. */
    uint32_t entries = 1;
    while (header_with(f, ML_BUNDLE_DEPS_MAX, entries + 1) == ML_OK) {
        entries++;
    }
    assert_int_equal(header_with(f, ML_BUNDLE_DEPS_MAX, entries + 1), ML_E_LIMIT);
    assert_int_equal(header_with(f, ML_BUNDLE_DEPS_MAX, entries), ML_OK);
    assert_true(f->wire.len <= ML_HEADER_BYTES_MAX && f->wire.len + 40 > ML_HEADER_BYTES_MAX);
}

static void a_header_over_9_kib_is_refused_before_it_is_read(void **state)
{
    static uint8_t zeros[ML_HEADER_BYTES_MAX + 1];
    struct ml_header h;
    struct ml_fault fault = {0};
    (void)state;
    assert_int_equal(ml_header_decode(&h, ml_slice(zeros, sizeof(zeros)), &fault), ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_RANGE);
    assert_int_equal(ml_header_decode(&h, ml_slice(zeros, sizeof(zeros) - 1), &fault),
                     ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_TYPE);
    assert_int_equal(ml_header_decode(&h, ml_slice(zeros, sizeof(zeros)), NULL), ML_E_MALFORMED);
}

static void a_body_fits_its_header(void **state)
{
    static const struct {
        const char *hex;
        ml_fault_reason reason;
        const char *where;
    } rows[] = {
        {"92 930000c40101 930000c40102", 0, NULL},
        {"92 930000c40101 930100c40102", 0, NULL},
        {"92 930200c40101 930000c40102", ML_FAULT_RULE, "dictionary index"},
        {"91 930000c40101", ML_FAULT_RULE, "n_ops"},
        {"93 930000c40101 930000c40102 930000c40103", ML_FAULT_RULE, "n_ops"},
        {"92 930000c40101 930000c4020202", ML_FAULT_RULE, "body_len"},
        {"92 930000c40101 930000c400", ML_FAULT_RANGE, "op"},
        {"92 930000c40101 920000", ML_FAULT_RANGE, "op"},
        {"92 930000c40101 930000a101", ML_FAULT_TYPE, "op"},
        {"92 930000c40101 930000c40102 00", ML_FAULT_TRAILING, "op"},
        {"92 9300cf8000000000000000c40101 930000c40102", ML_FAULT_RULE, "hlc delta"},
        {"92 c4200000000000000000000000000000000000000000000000000000000000000000 930000c40102", 0,
         NULL},
        {"92 c41f00000000000000000000000000000000000000000000000000000000000000 930000c40102",
         ML_FAULT_RANGE, "op"},
        {"90", ML_FAULT_RANGE, "op"},
    };
    struct ml_header h;
    (void)state;
    sample_header(&h, ML_LANE_RECORD, true);
    h.hlc = UINT64_C(1) << 63;
    h.n_ops = 2;
    h.body_len = 13;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_fault fault = {0};
        ml_err err = ml_body_check(&h, bytes_of(rows[i].hex), &fault);
        if ((err != ML_OK) != (rows[i].reason != 0) || fault.reason != rows[i].reason) {
            print_error("%s: %s\n", rows[i].hex, ml_fault_text(fault.reason));
        }
        assert_int_equal(err, rows[i].reason == 0 ? ML_OK : ML_E_MALFORMED);
        assert_int_equal(fault.reason, rows[i].reason);
        if (rows[i].where != NULL) {
            assert_string_equal(fault.where, rows[i].where);
            assert_int_equal(ml_body_check(&h, bytes_of(rows[i].hex), NULL), ML_E_MALFORMED);
        }
    }
}

static void the_wire_form_has_room_for_the_largest_parts(void **state)
{
    static uint8_t bytes[ML_BODY_SHREDDED_MAX + 1];
    struct fixture *f = *state;
    const struct ml_signature sig = {{0}};
    struct ml_slice header = ml_slice(bytes, ML_HEADER_BYTES_MAX);
    struct ml_wire_body body = {.bytes = {bytes, ML_BODY_SHREDDED_MAX}};
    ml_buf_clear(&f->wire);
    f->wire.max =
        2 * (size_t)ML_BUNDLE_BYTES_MAX; /* the format's limit is meant, not the buffer's */
    assert_int_equal(ml_bundle_join(&f->wire, header, &sig, &body), ML_OK);
    assert_true(f->wire.len <= ML_BUNDLE_BYTES_MAX);
    ml_buf_clear(&f->wire);
    body.bytes.len++;
    assert_int_equal(ml_bundle_join(&f->wire, header, &sig, &body), ML_E_INVALID);
    ml_buf_clear(&f->wire);
    body.bytes.len--;
    header.len++;
    assert_int_equal(ml_bundle_join(&f->wire, header, &sig, &body), ML_E_INVALID);
}

/* Short ops grow when they are shredded: the body is longer than body_len, and still valid. */
static void a_shredded_body_may_be_longer_than_it_was(void **state)
{
    struct fixture *f = *state;
    struct ml_buf body;
    struct ml_hash hash;
    assert_int_equal(build(f, 1, 0, 1), ML_OK);
    struct ml_bundle b = decoded(ml_buf_slice(&f->wire));
    ml_buf_init(&body, &f->fake.env, ML_BODY_SHREDDED_MAX);
    assert_int_equal(ml_body_shred(&body, b.body.bytes, 0), ML_OK);
    assert_true(body.len > b.header.body_len);
    assert_int_equal(ml_body_check(&b.header, ml_buf_slice(&body), NULL), ML_OK);
    b.body.bytes = ml_buf_slice(&body);
    assert_int_equal(ml_bundle_verify(&b, &f->org, &f->pk, &hash), ML_OK);
    ml_buf_free(&body);
}

/* ---- places ---- */

static void associated_data_binds_the_place_of_an_op(void **state)
{
    struct fixture *f = *state;
    struct ml_header h;
    struct ml_dict_entry entry = {.compartment = 3, .action = 1};
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t expected[ML_OP_AD_BYTES];
    sample_header(&h, ML_LANE_RECORD, true);
    fill(&entry.stream, 16, 0xd0);
    fill(&entry.key, 16, 0xe0);
    ml_op_ad(ad, &f->org, &h, 7, &entry);
    memcpy(expected, f->org.b, 32);
    memcpy(expected + 32, h.writer.b, 16);
    memcpy(expected + 48, bytes_of("03 00011171 07").data, 6); /* lane, seq 70001, index */
    memcpy(expected + 54, entry.stream.b, 16);
    memcpy(expected + 70, entry.key.b, 16);
    assert_memory_equal(ad, expected, sizeof(ad));
}

static void nonces_differ_by_salt_and_index(void **state)
{
    struct ml_salt salt;
    uint8_t a[ML_OP_NONCE_BYTES];
    uint8_t b[ML_OP_NONCE_BYTES];
    uint8_t expected[ML_OP_NONCE_BYTES];
    const uint8_t index = 9;
    (void)state;
    fill(&salt, sizeof(salt), 0x70);
    const struct ml_slice parts[] = {ml_slice(salt.b, 16), ml_slice(&index, 1)};
    ml_hash_parts(expected, sizeof(expected), ml_slice(NULL, 0), parts, 2);
    ml_op_nonce(a, &salt, 9);
    assert_memory_equal(a, expected, sizeof(a));
    ml_op_nonce(b, &salt, 10);
    assert_memory_not_equal(a, b, sizeof(a));
    salt.b[15] ^= 1;
    ml_op_nonce(b, &salt, 9);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void heads_have_one_order(void **state)
{
    struct ml_dep a = {.lane = 1, .seq = 5};
    struct ml_dep b = a;
    (void)state;
    assert_int_equal(ml_dep_compare(&a, &b), 0);
    b.hash.b[15] = 1;
    assert_true(ml_dep_compare(&a, &b) < 0 && ml_dep_compare(&b, &a) > 0);
    a.seq = 256; /* above the hash */
    b.seq = 5;
    assert_true(ml_dep_compare(&a, &b) > 0 && ml_dep_compare(&b, &a) < 0);
    b.lane = 2; /* above the seq */
    assert_true(ml_dep_compare(&a, &b) < 0 && ml_dep_compare(&b, &a) > 0);
    a.writer.b[0] = 1; /* above the lane */
    assert_true(ml_dep_compare(&a, &b) > 0 && ml_dep_compare(&b, &a) < 0);
}

static void the_governance_digest_is_as_defined(void **state)
{
    struct fixture *f = *state;
    struct ml_dep heads[2] = {{.seq = 1}, {.seq = 0x01020304}};
    uint8_t expected[16];
    uint8_t bytes[2][36];
    memset(bytes, 0, sizeof(bytes));
    heads[1].writer.b[0] = 9;
    heads[1].hash.b[15] = 8;
    bytes[0][19] = 1;
    bytes[1][0] = 9;
    ml_put_u32be(bytes[1] + 16, 0x01020304);
    bytes[1][35] = 8;
    const struct ml_slice parts[] = {TEXT("maille/gctx/1"), ml_slice(f->org.b, 32),
                                     ml_slice(bytes, sizeof(bytes))};
    ml_hash_parts(expected, 16, ml_slice(NULL, 0), parts, 3);
    assert_memory_equal(ml_gctx_of(&f->org, heads, 2).b, expected, 16);
    ml_hash_parts(expected, 16, ml_slice(NULL, 0), parts, 2);
    assert_memory_equal(ml_gctx_of(&f->org, NULL, 0).b, expected, 16);
}

/* ---- cost and faults ---- */

/* decisions 25: header bytes per op, signature and framing of each op (its tag apart) included. */
static void overhead_is_60_bytes_per_op_at_16_ops(void **state)
{
    static const uint32_t counts[] = {1, 4, 16};
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        size_t sealed = 180;
        assert_int_equal(build(f, counts[i], sealed, sealed), ML_OK);
        size_t overhead = f->wire.len - counts[i] * sealed;
        print_message("overhead: %u ops a bundle, 2 streams, 2 deps: %zu bytes, %zu per op\n",
                      (unsigned)counts[i], overhead, overhead / counts[i]);
        assert_true(counts[i] != 16 || overhead <= (size_t)16 * 60);
    }
}

static void each_failed_allocation_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[400];
    const struct ml_op_draft op = {.sealed = {bytes, sizeof(bytes)}};
    struct ml_hash hash;
    struct ml_buf out;
    long n = 0;
    ml_err err = ML_E_NOMEM;
    while (err != ML_OK) {
        struct ml_bundle_draft draft = {.ops = &op, .op_count = 1};
        struct fake_env fake;
        fake_env_init(&fake, 1);
        ml_buf_init(&out, &fake.env, ML_BUNDLE_BYTES_MAX);
        sample_header(&draft.header, ML_LANE_RECORD, true);
        draft.header.writer = ml_writer_id_of(&f->pk);
        struct ml_header before = draft.header;
        memset(&hash, 0x55, sizeof(hash));
        fake.fail_alloc = ++n;
        err = ml_bundle_build(&out, &hash, &draft, &f->org, f->seed);
        assert_int_equal(fake_spared(&fake), err == ML_OK);
        if (err != ML_OK) {
            assert_int_equal(err, ML_E_NOMEM);
            assert_int_equal(out.len, 0);
            assert_int_equal(hash.b[0], 0x55);
            assert_int_equal(draft.header.seq, before.seq);
        }
        ml_buf_free(&out);
        assert_int_equal(fake.live, 0);
    }
    assert_true(n > 6); /* body, header and wire each grow */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_bundle_of_each_lane_reads_back_and_verifies),
        T(the_identity_is_the_hash_of_the_received_header),
        T(leaves_and_root_are_as_defined),
        T(no_byte_can_change),
        T(no_prefix_is_a_bundle),
        T(a_signature_belongs_to_one_org_and_one_writer),
        T(the_genesis_hashes_to_its_org_id),
        T(bodies_travel_apart_from_headers),
        T(a_shredded_op_keeps_the_root),
        T(headers_that_contradict_themselves_are_refused),
        T(a_newer_version_is_not_malformed),
        T(faults_are_placed_in_the_wire_form),
        T(ops_are_256_at_most),
        T(a_body_is_48_kib_at_most),
        T(headers_are_limited_in_entries_and_bytes),
        T(a_header_over_9_kib_is_refused_before_it_is_read),
        T(a_body_fits_its_header),
        T(the_wire_form_has_room_for_the_largest_parts),
        T(a_shredded_body_may_be_longer_than_it_was),
        T(associated_data_binds_the_place_of_an_op),
        T(nonces_differ_by_salt_and_index),
        T(heads_have_one_order),
        T(the_governance_digest_is_as_defined),
        T(overhead_is_60_bytes_per_op_at_16_ops),
        T(each_failed_allocation_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
