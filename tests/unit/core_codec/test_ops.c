/* tests/unit/core_codec/test_ops.c -- plaintexts of lanes 0 to 3: changes, governance, keys, trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/crypto/hash.h"
#include "fake_env.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

struct fixture {
    struct fake_env fake;
    struct ml_buf b;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 1);
    ml_buf_init(&f.b, &f.fake.env, 1u << 17);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->b);
    return f->fake.live == 0 ? 0 : -1;
}

static void changes_have_one_form(void **state)
{
    struct fixture *f = *state;
    for (int full = 0; full < 2; full++) {
        struct ml_change c;
        ml_buf_clear(&f->b);
        sample_change(&c, full);
        assert_int_equal(ml_change_encode(&f->b, &c), ML_OK);
        check_form(&f->b, roundtrip_change);
    }
}

static void a_change_keeps_what_it_says(void **state)
{
    struct fixture *f = *state;
    struct ml_change in;
    struct ml_change out;
    struct ml_list_walk walk;
    struct ml_version_ref ref;
    sample_change(&in, true);
    assert_int_equal(ml_change_encode(&f->b, &in), ML_OK);
    assert_int_equal(ml_change_decode(&out, ml_buf_slice(&f->b), NULL), ML_OK);
    assert_int_equal(out.schema, 1);
    assert_int_equal(out.type, ML_CHANGE_SET);
    assert_int_equal(out.entity, 300);
    assert_memory_equal(&out.object, &in.object, sizeof(in.object));
    assert_int_equal(out.slot, 200);
    assert_true(ml_slice_equal(out.value, in.value));
    assert_int_equal(out.effective.utc_ms, in.effective.utc_ms);
    assert_int_equal(out.effective.offset_min, 120);
    assert_int_equal(out.effective.precision, ML_PRECISION_MINUTE);
    assert_memory_equal(&out.author, &in.author, sizeof(in.author));
    assert_true(ml_slice_equal(out.reason, in.reason));
    assert_true(ml_slice_equal(out.origin, in.origin));
    assert_int_equal(out.seen.count, 2);
    ml_list_walk(&walk, &out.seen);
    assert_true(ml_seen_next(&walk, &ref));
    assert_true(ref.same_bundle && ref.id.index == 3);
    assert_true(ml_seen_next(&walk, &ref));
    assert_true(!ref.same_bundle && ref.id.index == 255 && ref.id.bundle.b[0] == 0xb0);
    assert_false(ml_seen_next(&walk, &ref));
}

static void unknown_changes_are_kept(void **state)
{
    struct ml_change c;
    struct fixture *f = *state;
    /* type 99, entity 4095, and key 12 of a later version */
    struct ml_slice in = bytes_of("85 01 cd0190 02 63 03 cd0fff"
                                  "04 c410 000102030405060708090a0b0c0d0e0f 0c 91 a3 6e6577");
    assert_int_equal(ml_change_decode(&c, in, NULL), ML_OK);
    assert_int_equal(c.schema, 400);
    assert_int_equal(c.type, 99);
    assert_string_equal(ml_change_type_name(c.type), "?");
    assert_int_equal(c.extra.pairs, 1);
    assert_int_equal(ml_change_encode(&f->b, &c), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&f->b), in));
    assert_string_equal(ml_change_type_name(ML_CHANGE_RESTORE), "restore");
}

static void limits_of_a_change_hold_on_both_sides(void **state)
{
    struct fixture *f = *state;
    static char text[ML_CHANGE_REASON_MAX + 1];
    static struct ml_version_ref seen[ML_CHANGE_SEEN_MAX + 1];
    static uint8_t value[ML_CHANGE_BYTES_MAX];
    struct ml_change c;
    memset(text, 'a', sizeof(text));
    sample_change(&c, true);
    c.reason = ml_slice(text, ML_CHANGE_REASON_MAX);
    assert_int_equal(ml_change_encode(&f->b, &c), ML_OK);
    c.reason.len++;
    assert_int_equal(ml_change_encode(&f->b, &c), ML_E_INVALID);
    sample_change(&c, true);
    c.origin = ml_slice(text, ML_CHANGE_ORIGIN_MAX);
    assert_int_equal(ml_change_encode(&f->b, &c), ML_OK);
    c.origin.len++;
    assert_int_equal(ml_change_encode(&f->b, &c), ML_E_INVALID);
    sample_change(&c, true);
    for (unsigned i = 0; i <= ML_CHANGE_SEEN_MAX; i++) {
        seen[i].id.bundle.b[0] = (uint8_t)(i >> 8);
        seen[i].id.bundle.b[1] = (uint8_t)i;
    }
    c.seen = (struct ml_list){.count = ML_CHANGE_SEEN_MAX, .items = seen};
    assert_int_equal(ml_change_encode(&f->b, &c), ML_OK);
    c.seen.count++;
    assert_int_equal(ml_change_encode(&f->b, &c), ML_E_INVALID);
    /* the whole: an op fits a body alone */
    sample_change(&c, false);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_change_encode(&f->b, &c), ML_OK);
    size_t least = f->b.len + 1; /* the value's key */
    value[0] = 0xc5;
    for (size_t len = ML_CHANGE_BYTES_MAX - least; len <= ML_CHANGE_BYTES_MAX - least + 1; len++) {
        value[1] = (uint8_t)((len - 3) >> 8);
        value[2] = (uint8_t)(len - 3);
        c.value = ml_slice(value, len);
        assert_int_equal(ml_change_encode(&f->b, &c),
                         len == ML_CHANGE_BYTES_MAX - least ? ML_OK : ML_E_LIMIT);
    }
}

static void an_instant_has_bounds(void **state)
{
    static const struct {
        const char *hex;
        bool good;
    } rows[] = {
        {"93 00 00 01", true},
        {"93 00 00 07", true},
        {"93 00 00 00", false},
        {"93 00 00 08", false},
        {"93 00 cd059f 01", true},
        {"93 00 cd05a0 01", false},
        {"93 00 d1fa61 01", true},
        {"93 00 d1fa60 01", false},
        {"93 d3ffff800000000000 00 01", true}, /* long before 1970 */
        {"93 cf0000e677d21fdbff 00 01", true},
        {"93 cf0000e677d21fdc00 00 01", false},
        {"92 00 00", false},
        {"93 a0 00 01", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ml_instant t;
        ml_err err = ml_instant_decode(&t, bytes_of(rows[i].hex));
        if ((err == ML_OK) != rows[i].good) {
            print_error("%s\n", rows[i].hex);
        }
        assert_int_equal(err == ML_OK, rows[i].good);
    }
}

static void fields_are_walked_and_found(void **state)
{
    struct fixture *f = *state;
    const struct ml_field_value fields[] = {
        {1, bytes_of("a3446f65")}, {7, bytes_of("9101")}, {65535, bytes_of("c3")}};
    struct ml_fields_walk walk;
    struct ml_slice v;
    uint16_t id = 0;
    assert_int_equal(ml_fields_encode(&f->b, fields, 3), ML_OK);
    assert_true(ml_value_is_map(ml_buf_slice(&f->b)));
    assert_int_equal(ml_fields_walk(&walk, ml_buf_slice(&f->b)), ML_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_true(ml_fields_next(&walk, &id, &v));
        assert_int_equal(id, fields[i].field);
        assert_true(ml_slice_equal(v, fields[i].value));
    }
    assert_false(ml_fields_next(&walk, &id, &v));
    assert_true(ml_fields_find(ml_buf_slice(&f->b), 7, &v));
    assert_string_equal(hex_of(v), "9101");
    assert_false(ml_fields_find(ml_buf_slice(&f->b), 8, &v));
    assert_false(ml_fields_find(bytes_of("01"), 8, &v));
    assert_false(ml_value_is_map(bytes_of("01")));
    assert_int_equal(ml_fields_walk(&walk, bytes_of("9101")), ML_E_MALFORMED);
    /* what stands before damage is found, what would stand behind it isn't */
    assert_true(ml_fields_find(bytes_of("8201c302c1"), 1, &v));
    assert_false(ml_fields_find(bytes_of("8201c302c1"), 2, &v));
    assert_false(ml_fields_find(bytes_of("8202c301c3"), 1, &v));
    assert_false(ml_fields_find(bytes_of("8100c3"), 0, &v)); /* 0 is no field */
}

static void fields_that_no_reader_would_take_are_not_written(void **state)
{
    struct fixture *f = *state;
    const struct ml_field_value bad[][2] = {
        {{7, bytes_of("01")}, {1, bytes_of("01")}},   {{1, bytes_of("01")}, {1, bytes_of("01")}},
        {{0, bytes_of("01")}, {1, bytes_of("01")}},   {{1, bytes_of("cc01")}, {2, bytes_of("01")}},
        {{1, bytes_of("0101")}, {2, bytes_of("01")}},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ml_fields_encode(&f->b, bad[i], 2), ML_E_INVALID);
        assert_int_equal(f->b.len, 0);
    }
    assert_int_equal(ml_fields_encode(&f->b, NULL, 0), ML_OK);
}

/* ---- governance ---- */

static void governance_ops_have_one_form(void **state)
{
    struct fixture *f = *state;
    for (unsigned type = 1; type <= ML_GOVOP_ROOT_ROTATE; type++) {
        for (int full = 0; full < 2 && ml_govop_format((uint16_t)type) != NULL; full++) {
            struct ml_govop op;
            ml_buf_clear(&f->b);
            sample_govop(&op, (ml_govop_type)type, full);
            assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
            check_form(&f->b, roundtrip_govop);
            assert_int_equal(ml_govop_decode(&op, ml_buf_slice(&f->b), NULL), ML_OK);
            assert_int_equal(op.type, type);
            assert_true(op.known);
            assert_int_equal(op.must_understand, full);
            assert_true(ml_slice_equal(op.raw, ml_buf_slice(&f->b)));
            assert_string_not_equal(ml_govop_name(op.type), "?");
        }
    }
    assert_null(ml_govop_format(0));
    assert_null(ml_govop_format(15));
    assert_string_equal(ml_govop_name(15), "?");
}

static void the_founding_op_keeps_its_keys(void **state)
{
    struct fixture *f = *state;
    struct ml_govop in;
    struct ml_govop out;
    sample_govop(&in, ML_GOVOP_ORG_FOUND, true);
    assert_int_equal(ml_govop_encode(&f->b, &in), ML_OK);
    assert_int_equal(ml_govop_decode(&out, ml_buf_slice(&f->b), NULL), ML_OK);
    const struct ml_org_found *a = &in.u.org_found;
    const struct ml_org_found *b = &out.u.org_found;
    assert_memory_equal(a, b, offsetof(struct ml_org_found, label));
    assert_memory_equal(&a->label.key, &b->label.key, 16);
    assert_memory_equal(a->label.nonce, b->label.nonce, 24);
    assert_true(ml_slice_equal(a->label.ct, b->label.ct));
    assert_memory_equal(&a->root_sig, &b->root_sig, 64);
}

static void unknown_ops_are_kept_and_flagged(void **state)
{
    struct ml_govop op;
    struct ml_keyop key;
    struct ml_fault fault;
    struct fixture *f = *state;
    struct ml_slice in = bytes_of("83 01 cd0100 02 c3 05 91 a161");
    assert_int_equal(ml_govop_decode(&op, in, &fault), ML_OK);
    assert_int_equal(op.type, 256);
    assert_true(op.must_understand);
    assert_false(op.known);
    assert_int_equal(op.extra.pairs, 1);
    assert_true(ml_slice_equal(op.raw, in));
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_E_INVALID); /* relayed as bytes, not written */
    assert_int_equal(ml_keyop_decode(&key, in, &fault), ML_OK);
    assert_false(key.known);
    assert_int_equal(ml_keyop_encode(&f->b, &key), ML_E_INVALID);
    /* canonical all the same */
    assert_int_equal(ml_govop_decode(&op, bytes_of("82 01 cd0100 05 cc05"), &fault),
                     ML_E_MALFORMED);
    assert_int_equal(fault.reason, ML_FAULT_NOT_SHORTEST);
    /* a known type with a later key is known, and says that it has more */
    in = bytes_of("83 01 05 03 c410 000102030405060708090a0b0c0d0e0f 05 01");
    assert_int_equal(ml_govop_decode(&op, in, &fault), ML_OK);
    assert_true(op.known);
    assert_int_equal(op.extra.pairs, 1);
    /* type 0 is none */
    assert_int_equal(ml_govop_decode(&op, bytes_of("81 01 00"), &fault), ML_E_MALFORMED);
}

static void ranks_roles_and_kinds_have_bounds(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op;
    for (unsigned rank = 0; rank <= 4; rank++) {
        sample_govop(&op, ML_GOVOP_MEMBER_ADD, true);
        op.u.member_add.rank = (uint8_t)rank;
        assert_int_equal(ml_govop_encode(&f->b, &op),
                         rank >= 1 && rank <= 3 ? ML_OK : ML_E_INVALID);
    }
    for (unsigned kind = 0; kind <= 5; kind++) {
        sample_govop(&op, ML_GOVOP_CARD_SET, true);
        op.u.card_set.kind = (uint8_t)kind;
        assert_int_equal(ml_govop_encode(&f->b, &op),
                         kind >= 1 && kind <= 4 ? ML_OK : ML_E_INVALID);
    }
    sample_govop(&op, ML_GOVOP_TEAM_ADD, true);
    op.u.team_add.name.ct = ml_slice("0123456789abcdef", 16); /* a tag and nothing else */
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_E_INVALID);
}

static void a_new_writer_names_128_heads_at_most(void **state)
{
    static struct ml_dep heads[ML_HEADS_MAX + 1];
    struct fixture *f = *state;
    struct ml_govop op;
    for (uint32_t i = 0; i <= ML_HEADS_MAX; i++) {
        heads[i].seq = i + 1;
    }
    sample_govop(&op, ML_GOVOP_WRITER_OPEN, true);
    op.u.writer_open.heads = (struct ml_list){.count = ML_HEADS_MAX, .items = heads};
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
    op.u.writer_open.heads.count++;
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_E_INVALID);
}

static void an_op_names_640_cuts_and_8_hands_at_most(void **state)
{
    static struct ml_dep cuts[ML_CUTS_MAX + 1];
    static struct ml_second hands[ML_HANDS_MAX + 1];
    struct fixture *f = *state;
    struct ml_govop op;
    for (uint32_t i = 0; i <= ML_CUTS_MAX; i++) {
        cuts[i].seq = i + 1;
    }
    for (uint32_t i = 0; i <= ML_HANDS_MAX; i++) {
        hands[i].writer.b[0] = (uint8_t)i;
    }
    for (int type = ML_GOVOP_DENY; type <= ML_GOVOP_CHECKPOINT; type++) {
        sample_govop(&op, (ml_govop_type)type, true);
        struct ml_list *list = type == ML_GOVOP_DENY ? &op.u.deny.cuts : &op.u.checkpoint.heads;
        *list = (struct ml_list){.count = ML_CUTS_MAX, .items = cuts};
        assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
        list->count++;
        assert_int_equal(ml_govop_encode(&f->b, &op), ML_E_INVALID);
    }
    sample_govop(&op, ML_GOVOP_DENY, true);
    op.u.deny.hands.second = (struct ml_list){.count = ML_HANDS_MAX, .items = hands};
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
    op.u.deny.hands.second.count++;
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_E_INVALID);
}

/* Encoding and decoding refuse the same. */
static void grant_is(struct fixture *f, const struct ml_role_grant *grant, bool good)
{
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT};
    op.u.role_grant = *grant;
    ml_buf_clear(&f->b);
    assert_int_equal(ml_govop_encode(&f->b, &op), good ? ML_OK : ML_E_INVALID);
}

static void a_role_grant_says_what_it_means(void **state)
{
    static struct ml_team_id teams[ML_ROLE_TEAMS_MAX + 1];
    struct fixture *f = *state;
    struct ml_role_grant grant = {.member = {{1}}, .role = 60};
    grant_is(f, &grant, true);
    grant.replaces.b[0] = 2; /* and a role */
    grant.until_ms = 9;
    grant_is(f, &grant, false);
    grant.role = 0;
    grant_is(f, &grant, true);
    grant.until_ms = 0; /* a substitute's has an end */
    grant_is(f, &grant, false);
    grant.until_ms = 9;
    grant.replaces = grant.member;
    grant_is(f, &grant, false);
    grant = (struct ml_role_grant){.member = {{1}}}; /* neither */
    grant_is(f, &grant, false);
    grant = (struct ml_role_grant){.member = {{1}}, .role = 60, .from_ms = 8, .until_ms = 8};
    grant_is(f, &grant, false);
    grant.until_ms = 9;
    grant_is(f, &grant, true);
    grant.supervisor = grant.member;
    grant_is(f, &grant, false);
    grant.supervisor.b[0] = 3;
    for (uint32_t i = 0; i <= ML_ROLE_TEAMS_MAX; i++) {
        teams[i].b[0] = (uint8_t)i;
    }
    grant.teams = (struct ml_list){.items = teams, .count = ML_ROLE_TEAMS_MAX};
    grant_is(f, &grant, true);
    grant.teams.count++;
    grant_is(f, &grant, false);
}

/* ---- co-signatures ---- */

static void no_byte_is_left_out(struct ml_buf *b, const struct ml_org_id *org,
                                const struct ml_sign_pk *pk)
{
    for (size_t i = 0; i < b->len; i++) {
        struct ml_govop op;
        b->data[i] ^= 0x40;
        ml_err err = ml_govop_decode(&op, ml_buf_slice(b), NULL);
        err = err == ML_OK ? ml_govop_verify_cosigned(&op, org, pk) : err;
        assert_int_not_equal(err, ML_OK);
        b->data[i] ^= 0x40;
    }
}

static void a_cosignature_covers_the_entries_before_it(void **state)
{
    static const ml_govop_type types[] = {ML_GOVOP_ORG_FOUND, ML_GOVOP_WRITER_OPEN,
                                          ML_GOVOP_ROOT_ROTATE};
    struct fixture *f = *state;
    struct ml_org_id org = sample_org();
    struct ml_org_id other = org;
    struct ml_sign_pk pk;
    struct ml_sign_pk other_pk;
    struct ml_secret *seed = sample_seed(0x03, &pk);
    ml_secret_free(sample_seed(0x04, &other_pk));
    other.b[0] ^= 1;
    for (size_t t = 0; t < 3; t++) {
        struct ml_govop op;
        ml_buf_clear(&f->b);
        sample_govop(&op, types[t], types[t] != ML_GOVOP_ROOT_ROTATE); /* hands follow */
        assert_int_equal(ml_govop_encode_cosigned(&f->b, &op, &org, seed), ML_OK);
        assert_int_equal(ml_govop_decode(&op, ml_buf_slice(&f->b), NULL), ML_OK);
        assert_int_equal(ml_govop_verify_cosigned(&op, &org, &pk), ML_OK);
        assert_int_equal(ml_govop_verify_cosigned(&op, &org, &other_pk), ML_E_FORGED);
        /* a founding has no org yet; all else is bound to one */
        assert_int_equal(ml_govop_verify_cosigned(&op, &other, &pk),
                         types[t] == ML_GOVOP_ORG_FOUND ? ML_OK : ML_E_FORGED);
        no_byte_is_left_out(&f->b, &org, &pk);
    }
    ml_secret_free(seed);
}

static void the_cosigned_bytes_are_as_defined(void **state)
{
    struct fixture *f = *state;
    struct ml_org_id org = sample_org();
    struct ml_sign_pk pk;
    struct ml_secret *seed = sample_seed(0x03, &pk);
    struct ml_govop op;
    uint8_t hash[32];
    sample_govop(&op, ML_GOVOP_WRITER_OPEN, true);
    assert_int_equal(ml_govop_encode_cosigned(&f->b, &op, &org, seed), ML_OK);
    /* the map's head is one byte; the co-signature's key, head and bytes are the last 67 */
    const struct ml_slice parts[] = {TEXT("maille/cosign/1"), ml_slice(org.b, 32),
                                     ml_slice(f->b.data + 1, f->b.len - 1 - 67)};
    ml_hash_parts(hash, 32, ml_slice(NULL, 0), parts, 3);
    assert_int_equal(ml_sign_verify(&pk, ml_slice(hash, 32), f->b.data + f->b.len - 64), ML_OK);
    ml_secret_free(seed);
}

static void only_three_types_are_cosigned(void **state)
{
    struct fixture *f = *state;
    struct ml_org_id org = sample_org();
    struct ml_sign_pk pk;
    struct ml_secret *seed = sample_seed(0x03, &pk);
    struct ml_govop op;
    sample_govop(&op, ML_GOVOP_MEMBER_ADD, true);
    assert_int_equal(ml_govop_encode_cosigned(&f->b, &op, &org, seed), ML_E_INVALID);
    op.known = true;
    assert_int_equal(ml_govop_verify_cosigned(&op, &org, &pk), ML_E_INVALID);
    sample_govop(&op, ML_GOVOP_WRITER_OPEN, true);
    op.u.writer_open.heads.count = ML_HEADS_MAX + 1; /* more items than may be */
    op.u.writer_open.heads.raw = ml_slice(NULL, 0);
    op.u.writer_open.heads.items = NULL;
    assert_int_equal(ml_govop_encode_cosigned(&f->b, &op, &org, seed), ML_E_INVALID);
    op.known = false;
    assert_int_equal(ml_govop_verify_cosigned(&op, &org, &pk), ML_E_INVALID);
    ml_secret_free(seed);
}

/* ---- keys ---- */

static struct ml_hash root_hash(const struct ml_buf *b, const struct ml_org_id *org,
                                const struct ml_header *at)
{
    struct ml_hash hash;
    assert_int_equal(ml_govop_root_hash(&hash, ml_buf_slice(b), org, at), ML_OK);
    return hash;
}

static void assert_other(struct ml_hash a, struct ml_hash b)
{
    assert_memory_not_equal(a.b, b.b, sizeof(a.b));
}

/* Root signs the op, its structure, and the one bundle that it stands in; not what comes after. */
static void roots_signature_is_bound_to_its_bundle(void **state)
{
    struct fixture *f = *state;
    struct ml_org_id org = {{1}};
    struct ml_header at = {.seq = 7};
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add.rank = 1;
    op.u.member_add.role = 10;
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
    const struct ml_hash first = root_hash(&f->b, &org, &at);
    org.b[31] = 1;
    assert_other(first, root_hash(&f->b, &org, &at));
    org.b[31] = 0;
    at.writer.b[15] = 1;
    assert_other(first, root_hash(&f->b, &org, &at));
    at.writer.b[15] = 0;
    at.seq = 8;
    assert_other(first, root_hash(&f->b, &org, &at));
    at.seq = 7;
    at.gctx.b[15] = 1;
    assert_other(first, root_hash(&f->b, &org, &at));
    at.gctx.b[15] = 0;
    f->b.len = 0;
    memset(op.u.member_add.hands.root.b, 9, 64);
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
    const struct ml_hash same = root_hash(&f->b, &org, &at);
    assert_memory_equal(first.b, same.b, sizeof(same.b));
    f->b.len = 0;
    op.u.member_add.rank = 2;
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
    assert_other(first, root_hash(&f->b, &org, &at));
    f->b.len = 0;
    op = (struct ml_govop){.type = ML_GOVOP_TEAM_ADD};
    assert_int_equal(ml_govop_encode(&f->b, &op), ML_OK);
    struct ml_hash none;
    assert_int_equal(ml_govop_root_hash(&none, ml_buf_slice(&f->b), &org, &at), ML_E_INVALID);
}

static void key_ops_have_one_form(void **state)
{
    struct fixture *f = *state;
    for (unsigned type = 1; ml_keyop_format((uint16_t)type) != NULL; type++) {
        for (int full = 0; full < 2; full++) {
            struct ml_keyop op;
            ml_buf_clear(&f->b);
            sample_keyop(&op, (ml_keyop_type)type, full);
            assert_int_equal(ml_keyop_encode(&f->b, &op), ML_OK);
            check_form(&f->b, roundtrip_keyop);
            assert_int_equal(ml_keyop_decode(&op, ml_buf_slice(&f->b), NULL), ML_OK);
            assert_int_equal(op.type, type);
            assert_true(op.known);
            assert_string_not_equal(ml_keyop_name(op.type), "?");
        }
    }
    assert_null(ml_keyop_format(14));
    assert_string_equal(ml_keyop_name(14), "?");
}

static void an_epoch_has_a_slot_for_each_recipient(void **state)
{
    struct fixture *f = *state;
    struct ml_keyop op;
    struct ml_list_walk walk;
    struct ml_epoch_slot slot;
    struct ml_older_key older;
    sample_keyop(&op, ML_KEYOP_KEK_EPOCH, true);
    assert_int_equal(ml_keyop_encode(&f->b, &op), ML_OK);
    assert_int_equal(ml_keyop_decode(&op, ml_buf_slice(&f->b), NULL), ML_OK);
    ml_list_walk(&walk, &op.u.kek_epoch.slots);
    assert_true(ml_epoch_slot_next(&walk, &slot));
    assert_int_equal(slot.recipient.b[0], 0x20);
    assert_int_equal(slot.hist.len, 0);
    assert_true(ml_epoch_slot_next(&walk, &slot));
    assert_int_equal(slot.recipient.b[0], 0x21);
    assert_int_equal(slot.hist.len, 48);
    assert_false(ml_epoch_slot_next(&walk, &slot));
    ml_list_walk(&walk, &op.u.kek_epoch.older);
    assert_true(ml_older_key_next(&walk, &older));
    assert_int_equal(older.wrapped.b[0], 0x41);
    sample_keyop(&op, ML_KEYOP_KEK_GRANT, true);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_keyop_encode(&f->b, &op), ML_OK);
    assert_int_equal(ml_keyop_decode(&op, ml_buf_slice(&f->b), NULL), ML_OK);
    struct ml_grant_slot grant;
    ml_list_walk(&walk, &op.u.kek_grant.slots);
    assert_true(ml_grant_slot_next(&walk, &grant));
    assert_int_equal(grant.kind, 1);
}

static ml_err epoch_with(struct fixture *f, uint32_t recipients, size_t hist_bytes)
{
    static struct ml_epoch_slot slots[ML_KEYOP_SLOTS_MAX + 1];
    static uint8_t hist[64];
    struct ml_keyop op;
    for (uint32_t i = 0; i <= ML_KEYOP_SLOTS_MAX; i++) {
        slots[i].recipient.b[0] = (uint8_t)(i >> 8);
        slots[i].recipient.b[1] = (uint8_t)i;
        slots[i].hist = ml_slice(hist, hist_bytes);
    }
    sample_keyop(&op, ML_KEYOP_KEK_EPOCH, true);
    op.u.kek_epoch.slots = (struct ml_list){.count = recipients, .items = slots};
    ml_buf_clear(&f->b);
    return ml_keyop_encode(&f->b, &op);
}

static void epochs_are_limited_and_fit_one_body(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(epoch_with(f, 0, 0), ML_E_INVALID);
    assert_int_equal(epoch_with(f, ML_KEYOP_SLOTS_MAX, 48), ML_OK);
    assert_true(f->b.len < ML_BODY_BYTES_MAX - 10);
    assert_int_equal(epoch_with(f, ML_KEYOP_SLOTS_MAX + 1, 48), ML_E_INVALID);
    assert_int_equal(epoch_with(f, 3, 47), ML_E_INVALID); /* a slot, or none */
    assert_int_equal(epoch_with(f, 3, 49), ML_E_INVALID);
    /* architecture 8: 100 keys in 30 groups cost 250 KB at most */
    assert_int_equal(epoch_with(f, 100, 0), ML_OK);
    assert_true(30 * f->b.len <= 250000);
}

static void ad_is(const uint8_t *ad, size_t len, const struct ml_slice *parts, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(at + parts[i].len <= len);
        assert_memory_equal(ad + at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    assert_int_equal(at, len);
}

#define ID(x) ml_slice((x).b, sizeof((x).b))

static void wraps_are_bound_to_their_place(void **state)
{
    struct ml_keyop op;
    struct ml_org_id org = sample_org();
    uint8_t ad[ML_KEYOP_AD_MAX];
    (void)state;
    sample_keyop(&op, ML_KEYOP_DEK_WRAP, true);
    const struct ml_dek_wrap *dek = &op.u.dek_wrap;
    const struct ml_slice of_dek[] = {TEXT("maille/dek-wrap/1"), ID(org), ID(dek->stream),
                                      ID(dek->dek), ID(dek->kek)};
    ad_is(ad, ml_dek_wrap_ad(ad, &org, dek), of_dek, 5);
    sample_keyop(&op, ML_KEYOP_PATIENT_OPEN, true);
    const struct ml_patient_open *open = &op.u.patient_open;
    const struct ml_slice of_open[] = {TEXT("maille/patient-open/1"), ID(org), ID(open->team),
                                       ID(open->sealed.key)};
    ad_is(ad, ml_patient_open_ad(ad, &org, open), of_open, 4);
    sample_keyop(&op, ML_KEYOP_BG_WRAP, true);
    const struct ml_bg_wrap *bg = &op.u.bg_wrap;
    const struct ml_slice of_bg[] = {TEXT("maille/bg-wrap/1"), ID(org), ID(bg->stream),
                                     ID(bg->dek)};
    ad_is(ad, ml_bg_wrap_ad(ad, &org, bg), of_bg, 4);
    sample_keyop(&op, ML_KEYOP_CONSENT, true);
    const struct ml_consent_op *consent = &op.u.consent;
    const struct ml_slice of_consent[] = {TEXT("maille/consent-op/1"), ID(org), ID(consent->team),
                                          ID(consent->sealed.key)};
    ad_is(ad, ml_consent_op_ad(ad, &org, consent), of_consent, 4);
    sample_keyop(&op, ML_KEYOP_GLASS, true);
    const struct ml_slice of_glass[] = {TEXT("maille/glass/1"), ID(org), ID(op.u.glass.sealed.key)};
    ad_is(ad, ml_glass_op_ad(ad, &org, &op.u.glass), of_glass, 3);
    sample_keyop(&op, ML_KEYOP_PAIR_GRANT, true);
    const struct ml_slice of_pair[] = {TEXT("maille/break-glass/1"), ID(org),
                                       ID(op.u.pair_grant.pair)};
    ad_is(ad, ml_break_glass_ad(ad, &org, &op.u.pair_grant.pair), of_pair, 3);
    sample_keyop(&op, ML_KEYOP_KEK_EPOCH, true);
    const struct ml_kek_epoch *epoch = &op.u.kek_epoch;
    const struct ml_slice of_older[] = {TEXT("maille/older-key/1"), ID(org), ID(epoch->team),
                                        bytes_of("03 00000001"), ID(epoch->hist)};
    ad_is(ad, ml_older_key_ad(ad, &org, epoch, &epoch->hist), of_older, 5);
    const struct ml_slice of_card[] = {TEXT("maille/annuaire/1"), ID(org), bytes_of("03"),
                                       ID(epoch->team)};
    ad_is(ad, ml_card_ad(ad, &org, ML_CARD_TEAM, epoch->team.b), of_card, 4);
}

static void a_recipient_is_the_hash_of_its_key(void **state)
{
    struct ml_box_pk pk;
    uint8_t expected[16];
    (void)state;
    fill(&pk, sizeof(pk), 0x42);
    const struct ml_slice part = ml_slice(pk.b, 32);
    ml_hash_parts(expected, 16, ml_slice(NULL, 0), &part, 1);
    assert_memory_equal(ml_recipient_id_of(&pk).b, expected, 16);
}

/* ---- trace ---- */

static void trace_entries_have_one_form(void **state)
{
    struct fixture *f = *state;
    for (int full = 0; full < 2; full++) {
        struct ml_trace_entry entry;
        ml_buf_clear(&f->b);
        sample_trace(&entry, full);
        assert_int_equal(ml_trace_entry_encode(&f->b, &entry), ML_OK);
        check_form(&f->b, roundtrip_trace);
        assert_int_equal(ml_trace_entry_decode(&entry, ml_buf_slice(&f->b), NULL), ML_OK);
        assert_int_equal(entry.action, ML_TRACE_READ);
        assert_int_equal(entry.count, full ? 3 : 0);
    }
    struct ml_trace_deposit deposit;
    fill(&deposit, sizeof(deposit), 3);
    ml_buf_clear(&f->b);
    assert_int_equal(ml_trace_deposit_encode(&f->b, &deposit), ML_OK);
    check_form(&f->b, roundtrip_deposit);
    assert_string_equal(ml_trace_action_name(ML_TRACE_BREAK_GLASS), "break glass");
    assert_string_equal(ml_trace_action_name(200), "?");
}

static void a_deposit_is_bound_to_org_and_key(void **state)
{
    struct ml_org_id org = sample_org();
    struct ml_key_id key;
    uint8_t context[ML_TRACE_CONTEXT_BYTES];
    (void)state;
    fill(&key, sizeof(key), 0x20);
    ml_trace_context(context, &org, &key);
    assert_memory_equal(context, "maille/trace/1", 14);
    assert_memory_equal(context + 14, org.b, 32);
    assert_memory_equal(context + 46, key.b, 16);
}

/* ---- faults ---- */

static ml_err encode_nth(struct ml_buf *b, unsigned nth)
{
    struct ml_govop gov;
    struct ml_keyop key;
    struct ml_change change;
    struct ml_trace_entry entry;
    switch (nth) {
    case 0:
        sample_govop(&gov, ML_GOVOP_ORG_FOUND, true);
        return ml_govop_encode(b, &gov);
    case 1:
        sample_keyop(&key, ML_KEYOP_KEK_EPOCH, true);
        return ml_keyop_encode(b, &key);
    case 2:
        sample_change(&change, true);
        return ml_change_encode(b, &change);
    default:
        sample_trace(&entry, true);
        return ml_trace_entry_encode(b, &entry);
    }
}

static void each_failed_allocation_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    for (unsigned nth = 0; nth < 4; nth++) {
        ml_err err = ML_E_NOMEM;
        long n = 0;
        while (err != ML_OK) {
            struct fake_env fake;
            struct ml_buf b;
            fake_env_init(&fake, 1);
            ml_buf_init(&b, &fake.env, 1u << 16);
            fake.fail_alloc = ++n;
            err = encode_nth(&b, nth);
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
        T(changes_have_one_form),
        T(a_change_keeps_what_it_says),
        T(unknown_changes_are_kept),
        T(limits_of_a_change_hold_on_both_sides),
        T(an_instant_has_bounds),
        T(fields_are_walked_and_found),
        T(fields_that_no_reader_would_take_are_not_written),
        T(governance_ops_have_one_form),
        T(the_founding_op_keeps_its_keys),
        T(unknown_ops_are_kept_and_flagged),
        T(ranks_roles_and_kinds_have_bounds),
        T(a_new_writer_names_128_heads_at_most),
        T(an_op_names_640_cuts_and_8_hands_at_most),
        T(a_role_grant_says_what_it_means),
        T(a_cosignature_covers_the_entries_before_it),
        T(the_cosigned_bytes_are_as_defined),
        T(only_three_types_are_cosigned),
        T(roots_signature_is_bound_to_its_bundle),
        T(key_ops_have_one_form),
        T(an_epoch_has_a_slot_for_each_recipient),
        T(epochs_are_limited_and_fit_one_body),
        T(wraps_are_bound_to_their_place),
        T(a_recipient_is_the_hash_of_its_key),
        T(trace_entries_have_one_form),
        T(a_deposit_is_bound_to_org_and_key),
        T(each_failed_allocation_leaves_the_buffer_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
