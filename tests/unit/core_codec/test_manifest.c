/* tests/unit/core_codec/test_manifest.c -- manifests of large values: forms and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/crypto/hash.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

static struct ml_slice encode(struct ml_buf *b, const struct ml_manifest *m, ml_err expect)
{
    ml_buf_clear(b);
    assert_int_equal(ml_manifest_encode(b, m), expect);
    return ml_buf_slice(b);
}

static void every_form_is_the_only_one(void **state)
{
    struct ml_manifest m;
    struct ml_manifest_inner inner;
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    for (int full = 0; full < 2; full++) {
        sample_manifest(&m, full);
        (void)encode(&b, &m, ML_OK);
        check_form(&b, roundtrip_manifest);
        ml_buf_clear(&b);
        sample_manifest_inner(&inner, full);
        assert_int_equal(ml_manifest_inner_encode(&b, &inner), ML_OK);
        check_form(&b, roundtrip_manifest_inner);
    }
    ml_buf_free(&b);
}

static void bytes_are_those_of_the_chunks(void **state)
{
    struct ml_manifest m;
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    sample_manifest(&m, true); /* three */
    const uint32_t full = 2 * ML_CHUNK_SEALED_MAX;
    m.bytes = full + ML_CHUNK_TAG_BYTES;
    (void)encode(&b, &m, ML_E_INVALID);
    m.bytes = full + ML_CHUNK_TAG_BYTES + 1;
    assert_true(roundtrip_manifest(encode(&b, &m, ML_OK)));
    assert_int_equal(ml_manifest_chunk_bytes(&m, 0), ML_CHUNK_SEALED_MAX);
    assert_int_equal(ml_manifest_chunk_bytes(&m, 2), ML_CHUNK_TAG_BYTES + 1);
    m.bytes = full + ML_CHUNK_SEALED_MAX;
    assert_true(roundtrip_manifest(encode(&b, &m, ML_OK)));
    m.bytes++;
    (void)encode(&b, &m, ML_E_INVALID);
    ml_buf_free(&b);
}

static void the_largest_value_fits_a_body(void **state)
{
    static struct ml_hash chunks[ML_MANIFEST_CHUNKS_MAX + 1];
    static uint8_t keys[(ML_MANIFEST_CHUNKS_MAX + 1) * ML_MANIFEST_KEY_BYTES];
    static char type[ML_MEDIA_TYPE_MAX + 2];
    struct ml_manifest_inner inner = {.keys = ml_slice(keys, sizeof(keys))};
    struct ml_buf b;
    struct ml_buf sealed;
    (void)state;
    memset(type, 'a', ML_MEDIA_TYPE_MAX + 1);
    memset(&inner.object, 1, sizeof(inner.object));
    inner.slot = UINT16_MAX;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX - 32);
    ml_buf_init(&sealed, ml_env_system(), ML_BODY_BYTES_MAX);
    assert_int_equal(ml_manifest_inner_encode(&sealed, &inner), ML_E_INVALID);
    inner.keys.len -= ML_MANIFEST_KEY_BYTES;
    inner.media_type = ml_slice(type, ML_MEDIA_TYPE_MAX + 1);
    assert_int_equal(ml_manifest_inner_encode(&sealed, &inner), ML_E_INVALID);
    inner.media_type.len--;
    assert_int_equal(ml_manifest_inner_encode(&sealed, &inner), ML_OK);
    assert_true(roundtrip_manifest_inner(ml_buf_slice(&sealed)));
    ml_buf_append(&sealed, keys, 16);
    struct ml_manifest m = {.chunks = {.items = chunks, .count = ML_MANIFEST_CHUNKS_MAX + 1},
                            .bytes = ML_MANIFEST_CHUNKS_MAX * ML_CHUNK_SEALED_MAX,
                            .sealed = ml_buf_slice(&sealed)};
    (void)encode(&b, &m, ML_E_INVALID);
    m.chunks.count--;
    assert_true(roundtrip_manifest(encode(&b, &m, ML_OK)));
    ml_buf_free(&sealed);
    ml_buf_free(&b);
}

static void keys_are_whole(void **state)
{
    struct ml_manifest_inner inner;
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    sample_manifest_inner(&inner, true);
    inner.keys.len--;
    assert_int_equal(ml_manifest_inner_encode(&b, &inner), ML_E_INVALID);
    ml_buf_free(&b);
}

static void a_chunk_has_its_own_kind_of_hash(void **state)
{
    struct ml_slice sealed = TEXT("ciphertext");
    uint8_t plain[32];
    (void)state;
    struct ml_hash hash = ml_chunk_hash(sealed);
    const struct ml_slice parts[] = {TEXT("maille/chunk-id/1ciphertext")};
    ml_hash_parts(plain, sizeof(plain), ml_slice(NULL, 0), parts, 1);
    assert_memory_equal(hash.b, plain, sizeof(plain));
}

/* What is sealed is bound to each of the chunks, their order, and their bytes. */
static void the_sealed_part_is_bound_to_its_chunks(void **state)
{
    uint8_t op[ML_OP_AD_BYTES] = {7};
    uint8_t ad[2][ML_MANIFEST_AD_BYTES];
    struct ml_hash chunks[2] = {{{1}}, {{2}}};
    struct ml_hash swapped[2] = {{{2}}, {{1}}};
    struct ml_manifest m = {.chunks = {.items = chunks, .count = 2}, .bytes = 70000};
    (void)state;
    ml_manifest_ad(ad[0], op, &m);
    assert_memory_equal(ad[0], op, sizeof(op));
    m.bytes++;
    ml_manifest_ad(ad[1], op, &m);
    assert_memory_not_equal(ad[0], ad[1], sizeof(ad[0]));
    m.bytes--;
    m.chunks.items = swapped;
    ml_manifest_ad(ad[1], op, &m);
    assert_memory_not_equal(ad[0], ad[1], sizeof(ad[0]));
    m.chunks.items = chunks;
    op[0]++;
    ml_manifest_ad(ad[1], op, &m);
    assert_memory_not_equal(ad[0], ad[1], sizeof(ad[0]));
}

/* A node without keys must know what to fetch: what is no manifest is no op of lane 4. */
static void a_body_of_lane_4_holds_manifests(void **state)
{
    struct ml_header h = {.lane = ML_LANE_BLOB, .n_ops = 1};
    struct ml_manifest m;
    struct ml_buf b;
    struct ml_buf body;
    struct ml_fault fault = {0};
    (void)state;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    ml_buf_init(&body, ml_env_system(), ML_BODY_BYTES_MAX);
    sample_manifest(&m, true);
    struct ml_slice op = encode(&b, &m, ML_OK);
    for (int cut = 0; cut < 2; cut++) {
        ml_buf_clear(&body);
        ml_mp_put_array(&body, 1);
        ml_mp_put_array(&body, 3);
        ml_mp_put_uint(&body, 0);
        ml_mp_put_uint(&body, 0);
        ml_mp_put_bin(&body, ml_slice(op.data, op.len - (size_t)cut));
        h.body_len = (uint32_t)body.len;
        assert_int_equal(ml_body_check(&h, ml_buf_slice(&body), &fault),
                         cut ? ML_E_MALFORMED : ML_OK);
    }
    assert_string_equal(fault.where, "manifest");
    h.lane = ML_LANE_RECORD;
    assert_int_equal(ml_body_check(&h, ml_buf_slice(&body), &fault), ML_OK);
    ml_buf_free(&body);
    ml_buf_free(&b);
}

static void messages_name_so_many_chunks(void **state)
{
    static struct ml_hash hashes[ML_MSG_CHUNKS_MAX + 1];
    static uint8_t bytes[ML_CHUNK_SEALED_MAX + 1];
    struct ml_msg msg = {.kind = ML_MSG_CHUNK_WANT};
    struct ml_buf b;
    (void)state;
    ml_buf_init(&b, ml_env_system(), ML_MSG_BYTES_MAX);
    msg.u.chunk_list.hashes = (struct ml_list){.items = hashes, .count = ML_MSG_CHUNKS_MAX + 1};
    assert_int_equal(ml_msg_encode(&b, &msg), ML_E_INVALID);
    msg.u.chunk_list.hashes.count--;
    assert_int_equal(ml_msg_encode(&b, &msg), ML_OK);
    assert_true(roundtrip_msg(ml_buf_slice(&b)));
    ml_buf_clear(&b);
    msg = (struct ml_msg){.kind = ML_MSG_CHUNK};
    msg.u.chunk.bytes = ml_slice(bytes, ML_CHUNK_TAG_BYTES);
    assert_int_equal(ml_msg_encode(&b, &msg), ML_E_INVALID);
    msg.u.chunk.bytes.len = ML_CHUNK_SEALED_MAX + 1;
    assert_int_equal(ml_msg_encode(&b, &msg), ML_E_INVALID);
    msg.u.chunk.bytes.len--;
    assert_int_equal(ml_msg_encode(&b, &msg), ML_OK);
    assert_true(roundtrip_msg(ml_buf_slice(&b)));
    ml_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_the_only_one),
        cmocka_unit_test(bytes_are_those_of_the_chunks),
        cmocka_unit_test(the_largest_value_fits_a_body),
        cmocka_unit_test(keys_are_whole),
        cmocka_unit_test(a_chunk_has_its_own_kind_of_hash),
        cmocka_unit_test(the_sealed_part_is_bound_to_its_chunks),
        cmocka_unit_test(a_body_of_lane_4_holds_manifests),
        cmocka_unit_test(messages_name_so_many_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
