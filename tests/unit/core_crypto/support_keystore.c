/* tests/unit/core_crypto/support_keystore.c -- see support_keystore.h. */
#include "support_keystore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const struct ml_pwhash_cost ks_cheap = {1, ML_PWHASH_MEMORY_KIB_MIN};
const struct ml_org_id ks_org = {{'o', 'r', 'g'}};
const struct ml_member_id ks_anne = {{'a', 'n', 'n', 'e'}};
const struct ml_member_id ks_bob = {{'b', 'o', 'b'}};

struct ml_secret *ks_secret(uint8_t byte)
{
    struct ml_secret *s = NULL;
    assert_int_equal(ml_secret_new(&s, 32), ML_OK);
    memset(ml_secret_writable(s), byte, 32);
    return s;
}

static void put_text(struct ml_keystore *ks, const struct ml_member_id *member, const char *text)
{
    struct ml_secret *payload = NULL;
    assert_int_equal(ml_secret_from(&payload, text, strlen(text)), ML_OK);
    assert_int_equal(ml_keystore_put_section(ks, member, payload), ML_OK);
    ml_secret_free(payload);
}

struct ml_keystore *ks_make(struct crypto_fixture *f)
{
    struct ml_keystore *ks = NULL;
    struct ml_secret *recovery = ks_secret(7);
    assert_int_equal(ml_keystore_new(&ks, f->env, &ks_org), ML_OK);
    assert_int_equal(
        ml_keystore_add_member(ks, &ks_bob, ml_slice_str("bob's passphrase"), &ks_cheap), ML_OK);
    assert_int_equal(
        ml_keystore_add_member(ks, &ks_anne, ml_slice_str("anne's passphrase"), &ks_cheap), ML_OK);
    assert_int_equal(ml_keystore_set_recovery(ks, &ks_anne, recovery), ML_OK);
    ml_secret_free(recovery);
    put_text(ks, &ks_anne, "anne");
    put_text(ks, &ks_bob, "bob");
    put_text(ks, NULL, "node");
    return ks;
}

struct ml_keystore *ks_reopened(struct crypto_fixture *f, const struct ml_keystore *ks)
{
    struct ml_keystore *again = NULL;
    struct ml_buf bytes;
    ml_buf_init(&bytes, f->env, ML_KEYSTORE_FILE_MAX);
    assert_int_equal(ml_keystore_encode(ks, &bytes), ML_OK);
    assert_int_equal(ml_keystore_decode(&again, f->env, ml_buf_slice(&bytes), NULL), ML_OK);
    ml_buf_free(&bytes);
    return again;
}

void ks_expect_section(struct ml_keystore *ks, const struct ml_member_id *member, const char *text)
{
    struct ml_secret *payload = NULL;
    assert_int_equal(ml_keystore_get_section(ks, member, &payload), ML_OK);
    assert_int_equal(ml_secret_len(payload), strlen(text));
    assert_memory_equal(ml_secret_bytes(payload), text, strlen(text));
    ml_secret_free(payload);
}
