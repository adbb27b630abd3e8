/* tests/unit/core_crypto/test_golden.c -- slots, anonymous boxes and a keystore file, byte for
 * byte.
 *
 * The expected bytes were made by another implementation (Python), written from docs/crypto.md
 * alone: a change here is a change of format. All randomness is bytes of 0x11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/box.h"
#include "core/crypto/key_id.h"
#include "support_keystore.h"

static const char slot_hex[] =
    "982b3ee00d4ea8f426d6e73a0cff217c91076e5886be6318bc963596ac16400fcae8e9a4430a301b"
    "b55b919b6e4a2283";
static const char ephemeral_hex[] =
    "7425f2e5998a4560b3a747df84dd21ed5e50e642268bb93902bd4b421b9a230d";
static const char box_hex[] =
    "4e8216c486aaedce20f30712e243ddb556b4a26ae952c5b32ccad62d956bbd4e89a8cf86cd6851c3"
    "6b46a241131286307756e4015a5eced91fa06e2f3e32b551cd6d696601ec7955";
static const char file_hex[] =
    "4d4c4b4559530d0a0001555555555555555555555555555555555555555555555555555555555555"
    "555511111111111111111111111111111111011bea616ed6d273d308c60cf22800324c1e4aaf71e2"
    "3f7db6715151cb57d9cf06459a6665a5bc1d7e0aebac6006bdfad3e515aa8fa9a4586bb07686c7e2"
    "6e29050a4ba6fddc19b0951fb6cfc3348752d469573419c6cbd0e00034ab0dc251bc42a0da9ab9e8"
    "50a084c4a7e086a85c7cb0bead771f1ae0357af9123e0b0a5400ee5c8b1b54cc1f93e2799177277e"
    "9001777777777777777777777777777777779ff87afb046f3798ea0ed9f8a409f18371fc8de63d05"
    "fd223cf2e2a68770b35833654c4cfa2abc90b61329ccdc357dc656d8cb21e689f9991b5becffca8e"
    "1c8a125f4306ddb9e8a3bdc9e37876b49dbc973c8b2f6dffb8d70036e7f25d789f9239fd3f9b509e"
    "7f87929dfefbf7c778b4ba07d6933c0b3809742217d67582bfeea965c45a26d8ecebc932d7e32051"
    "910002010000000200000040111111111111111111111111111111115e8135048b36dccf24bfb6e4"
    "889981f8fdd815d9df8f6af8db7a1da6f3fac76f0797cd1a4ff004c2bcb3dec570595201d5961687"
    "d1917fc80fa0161f16a6546548e9734573ca9e0f2ac8954c9e7fa3e002333ae091975c5e02095c47"
    "80f43b0de0834454b00c2b4fe9840681c60b3d3cdd9331b55f835bf173379c41804aeebb327de6b0"
    "96dd94cd09ca1a7cfde5d56f4919d19888daba0ed7575896ac8ded2fcd4e82143260ad8d1d88b59e"
    "37310bf8e6753c9e64fa573efac34dd76009c56edf6b056fbfef0503384cdceac52ec4eaa3";
static const char vault_hex[] = "d929a0ed5735c627efbf78f57d0c3392a21c1b3173326bb5227ca69ad20f1ef1";
static const char key_id_hex[] = "6e5c62f0f1ac2131030a7244c0e6e98a";

static void elevens(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    memset(buf, 0x11, len);
}

static void expect_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    uint8_t expect[1024];
    assert_int_equal(unhex(expect, sizeof(expect), hex), len);
    assert_memory_equal(bytes, expect, len);
}

static void slots_are_these_bytes(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_secret *ephemeral = ks_secret(0x22);
    struct ml_secret *recipient = ks_secret(0x33);
    struct ml_secret *kek = ks_secret(0x44);
    struct ml_secret *drawn = NULL;
    struct ml_box_pk unused;
    struct ml_slot_at at = {.kind = ML_SLOT_HIST,
                            .epoch = 0x01020304,
                            .index = 0x0506,
                            .compartment = ML_COMPARTMENT_CARE};
    uint8_t slot[ML_SLOT_BYTES];
    memset(at.org.b, 0x55, sizeof(at.org.b));
    memset(at.team.b, 0x66, sizeof(at.team.b));
    ml_box_pk_of(&at.ephemeral, ephemeral);
    ml_box_pk_of(&at.recipient, recipient);
    assert_int_equal(ml_slot_seal(slot, &at, ephemeral, kek), ML_OK);
    expect_hex(slot, sizeof(slot), slot_hex);
    f->fake.env.random = elevens;
    assert_int_equal(ml_slot_ephemeral(&unused, &drawn, f->env, kek), ML_OK);
    expect_hex(ml_secret_bytes(drawn), ML_BOX_SECRET_BYTES, ephemeral_hex);
    const struct ml_key_id id = ml_key_id_of(kek);
    expect_hex(id.b, sizeof(id.b), key_id_hex);
    ml_secret_free(drawn);
    ml_secret_free(ephemeral);
    ml_secret_free(recipient);
    ml_secret_free(kek);
}

static void anonymous_boxes_are_these_bytes(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_secret *recipient = ks_secret(0x33);
    struct ml_box_pk pk;
    const struct ml_slice plain = ml_slice_str("a content key or a trace");
    uint8_t box[24 + ML_ANON_EXTRA_BYTES];
    ml_box_pk_of(&pk, recipient);
    f->fake.env.random = elevens;
    assert_int_equal(ml_seal_anon(box, plain, &pk, ml_slice_str("maille/deposit/1"), f->env),
                     ML_OK);
    expect_hex(box, sizeof(box), box_hex);
    ml_secret_free(recipient);
}

static void put(struct ml_keystore *ks, const struct ml_member_id *member, const char *text)
{
    struct ml_secret *payload = NULL;
    assert_int_equal(ml_secret_from(&payload, text, strlen(text)), ML_OK);
    assert_int_equal(ml_keystore_put_section(ks, member, payload), ML_OK);
    ml_secret_free(payload);
}

static void a_keystore_file_is_these_bytes(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = NULL;
    struct ml_secret *unattended = ks_secret(0x88);
    struct ml_secret *recovery = ks_secret(0x99);
    struct ml_secret *vault = NULL;
    const struct ml_pwhash_cost cost = {2, 64};
    struct ml_org_id org;
    struct ml_member_id member;
    struct ml_buf bytes;
    memset(org.b, 0x55, sizeof(org.b));
    memset(member.b, 0x77, sizeof(member.b));
    f->fake.env.random = elevens;
    assert_int_equal(ml_keystore_new(&ks, f->env, &org), ML_OK);
    assert_int_equal(ml_keystore_add_member(ks, &member, ml_slice_str("passphrase"), &cost), ML_OK);
    assert_int_equal(ml_keystore_set_recovery(ks, &member, recovery), ML_OK);
    assert_int_equal(ml_keystore_set_unattended(ks, unattended), ML_OK);
    put(ks, &member, "member payload");
    put(ks, NULL, "node payload");
    ml_buf_init(&bytes, f->env, ML_KEYSTORE_FILE_MAX);
    assert_int_equal(ml_keystore_encode(ks, &bytes), ML_OK);
    expect_hex(bytes.data, bytes.len, file_hex);
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_VAULT, &member, &vault), ML_OK);
    expect_hex(ml_secret_bytes(vault), ML_KEY_BYTES, vault_hex);
    ml_secret_free(vault);
    ml_buf_free(&bytes);
    ml_secret_free(unattended);
    ml_secret_free(recovery);
    ml_keystore_free(ks);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(slots_are_these_bytes),
        TEST(anonymous_boxes_are_these_bytes),
        TEST(a_keystore_file_is_these_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
