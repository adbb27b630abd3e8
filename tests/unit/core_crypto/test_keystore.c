/* tests/unit/core_crypto/test_keystore.c -- who opens what, and what a failure leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/words.h"
#include "support_keystore.h"

static const struct ml_member_id nobody = {{'n', 'o'}};

static struct ml_slice anne_words(void)
{
    return ml_slice_str("anne's passphrase");
}

static void a_passphrase_opens_its_member_and_the_node(void **state)
{
    struct ml_keystore *made = ks_make(*state);
    struct ml_keystore *ks = ks_reopened(*state, made);
    struct ml_secret *out = NULL;
    assert_memory_equal(ml_keystore_org(ks)->b, ks_org.b, 32);
    assert_int_equal(ml_keystore_member_count(ks), 2);
    assert_memory_equal(ml_keystore_member(ks, 0)->b, ks_anne.b, 16);
    assert_memory_equal(ml_keystore_member(ks, 1)->b, ks_bob.b, 16);
    assert_false(ml_keystore_node_is_open(ks));
    assert_int_equal(ml_keystore_get_section(ks, &ks_anne, &out), ML_E_LOCKED);
    assert_int_equal(ml_keystore_get_section(ks, NULL, &out), ML_E_LOCKED);

    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, anne_words()), ML_OK);
    assert_true(ml_keystore_is_unlocked(ks, &ks_anne));
    assert_false(ml_keystore_is_unlocked(ks, &ks_bob));
    ks_expect_section(ks, &ks_anne, "anne");
    ks_expect_section(ks, NULL, "node");
    assert_int_equal(ml_keystore_get_section(ks, &ks_bob, &out), ML_E_LOCKED);
    assert_null(out);
    ml_keystore_free(ks);
    ml_keystore_free(made);
}

static void a_wrong_passphrase_opens_nothing(void **state)
{
    struct ml_keystore *made = ks_make(*state);
    struct ml_keystore *ks = ks_reopened(*state, made);
    static const char long_one[ML_PASSPHRASE_BYTES_MAX + 1];
    const struct ml_slice wrong[] = {
        ml_slice_str("anne's passphras"), ml_slice_str("anne's passphrase "),
        ml_slice_str("bob's passphrase"), ml_slice(NULL, 0), ml_slice(long_one, sizeof(long_one))};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(ml_keystore_unlock(ks, &ks_anne, wrong[i]), ML_E_WRONG_KEY);
        assert_false(ml_keystore_is_unlocked(ks, &ks_anne));
        assert_false(ml_keystore_node_is_open(ks));
    }
    assert_int_equal(ml_keystore_unlock(ks, &nobody, anne_words()), ML_E_NOT_FOUND);
    ml_keystore_free(ks);
    ml_keystore_free(made);
}

static void a_recovery_secret_opens_its_slot_only(void **state)
{
    struct ml_keystore *made = ks_make(*state);
    struct ml_keystore *ks = ks_reopened(*state, made);
    struct ml_secret *right = ks_secret(7);
    struct ml_secret *wrong = ks_secret(8);
    struct ml_secret *brief = NULL;
    assert_int_equal(ml_secret_from(&brief, ml_secret_bytes(right), 31), ML_OK);
    assert_true(ml_keystore_has_slot(ks, &ks_anne, ML_SLOT_TYPE_RECOVERY));
    assert_false(ml_keystore_has_slot(ks, &ks_bob, ML_SLOT_TYPE_RECOVERY));
    assert_false(ml_keystore_has_slot(ks, &nobody, ML_SLOT_TYPE_RECOVERY));
    assert_int_equal(ml_keystore_unlock_recovery(ks, &ks_anne, wrong), ML_E_WRONG_KEY);
    assert_int_equal(ml_keystore_unlock_recovery(ks, &ks_anne, brief), ML_E_WRONG_KEY);
    assert_int_equal(ml_keystore_unlock_recovery(ks, &ks_bob, right), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_unlock_recovery(ks, &nobody, right), ML_E_NOT_FOUND);
    assert_false(ml_keystore_node_is_open(ks));
    assert_int_equal(ml_keystore_unlock_recovery(ks, &ks_anne, right), ML_OK);
    ks_expect_section(ks, &ks_anne, "anne");
    ml_secret_free(right);
    ml_secret_free(wrong);
    ml_secret_free(brief);
    ml_keystore_free(ks);
    ml_keystore_free(made);
}

/* The recovery kit: drawn, printed, put away, typed in again. */
static void twenty_four_words_on_paper_open_the_keystore(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *made = ks_make(f);
    struct ml_secret *drawn = NULL;
    struct ml_secret *paper = NULL;
    struct ml_secret *typed = NULL;
    struct ml_words_error error;
    assert_int_equal(ml_secret_random(&drawn, f->env, ML_RECOVERY_SECRET_BYTES), ML_OK);
    assert_int_equal(ml_keystore_set_recovery(made, &ks_bob, drawn), ML_OK);
    assert_int_equal(ml_words_encode(&paper, drawn), ML_OK);
    ml_secret_free(drawn);
    struct ml_keystore *ks = ks_reopened(f, made);
    ml_keystore_free(made);
    const struct ml_slice text = {ml_secret_bytes(paper), ml_secret_len(paper) - 1};
    assert_int_equal(ml_words_decode(&typed, ML_RECOVERY_SECRET_BYTES, text, &error), ML_OK);
    assert_int_equal(ml_keystore_unlock_recovery(ks, &ks_bob, typed), ML_OK);
    ks_expect_section(ks, &ks_bob, "bob");
    assert_int_equal(
        ml_keystore_set_passphrase(ks, &ks_bob, ml_slice_str("a new passphrase"), &ks_cheap),
        ML_OK);
    ml_secret_free(paper);
    ml_secret_free(typed);
    ml_keystore_free(ks);
}

static void an_unattended_key_opens_the_node_and_no_member(void **state)
{
    struct ml_keystore *made = ks_make(*state);
    struct ml_secret *key = ks_secret(9);
    struct ml_secret *wrong = ks_secret(8);
    struct ml_secret *out = NULL;
    assert_int_equal(ml_keystore_unlock_unattended(made, key), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_set_unattended(made, key), ML_OK);
    struct ml_keystore *ks = ks_reopened(*state, made);
    assert_int_equal(ml_keystore_set_unattended(ks, key), ML_E_LOCKED);
    assert_int_equal(ml_keystore_unlock_unattended(ks, wrong), ML_E_WRONG_KEY);
    assert_int_equal(ml_keystore_unlock_unattended(ks, key), ML_OK);
    ks_expect_section(ks, NULL, "node");
    assert_int_equal(ml_keystore_get_section(ks, &ks_anne, &out), ML_E_LOCKED);
    assert_int_equal(ml_keystore_set_unattended(ks, NULL), ML_OK);
    assert_int_equal(ml_keystore_unlock_unattended(ks, key), ML_E_NOT_FOUND);
    ml_secret_free(key);
    ml_secret_free(wrong);
    ml_keystore_free(ks);
    ml_keystore_free(made);
}

static void locking_wipes_and_the_log_may_stay_open(void **state)
{
    struct ml_keystore *ks = ks_make(*state);
    struct ml_secret *out = NULL;
    ml_keystore_lock(ks, &ks_anne);
    ml_keystore_lock(ks, &ks_anne);
    ml_keystore_lock(ks, &nobody);
    assert_false(ml_keystore_is_unlocked(ks, &ks_anne));
    assert_true(ml_keystore_is_unlocked(ks, &ks_bob));
    assert_int_equal(ml_keystore_get_section(ks, &ks_anne, &out), ML_E_LOCKED);
    ks_expect_section(ks, NULL, "node");
    ml_keystore_lock_node(ks);
    assert_int_equal(ml_keystore_get_section(ks, NULL, &out), ML_E_LOCKED);
    assert_int_equal(ml_keystore_add_member(ks, &nobody, anne_words(), &ks_cheap), ML_E_LOCKED);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, anne_words()), ML_OK);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, anne_words()), ML_OK); /* twice is fine */
    ks_expect_section(ks, NULL, "node");
    ml_keystore_free(ks);
}

static void a_changed_passphrase_replaces_the_old_one(void **state)
{
    struct ml_keystore *made = ks_make(*state);
    const struct ml_slice words = ml_slice_str("another passphrase");
    assert_int_equal(ml_keystore_set_passphrase(made, &ks_anne, words, &ks_cheap), ML_OK);
    struct ml_keystore *ks = ks_reopened(*state, made);
    assert_int_equal(ml_keystore_set_passphrase(ks, &ks_anne, words, &ks_cheap), ML_E_LOCKED);
    assert_int_equal(ml_keystore_set_passphrase(ks, &nobody, words, &ks_cheap), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, anne_words()), ML_E_WRONG_KEY);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, words), ML_OK);
    ks_expect_section(ks, &ks_anne, "anne");
    ml_keystore_free(ks);
    ml_keystore_free(made);
}

static void the_last_slot_stays(void **state)
{
    struct ml_keystore *ks = ks_make(*state);
    struct ml_secret *recovery = ks_secret(6);
    const ml_slot_type pass = ML_SLOT_TYPE_PASSPHRASE;
    const ml_slot_type kit = ML_SLOT_TYPE_RECOVERY;
    assert_int_equal(ml_keystore_remove_slot(ks, &ks_bob, pass), ML_E_DENIED);
    assert_int_equal(ml_keystore_remove_slot(ks, &ks_bob, kit), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_remove_slot(ks, &nobody, kit), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_remove_slot(ks, &ks_anne, pass), ML_OK);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, anne_words()), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_remove_slot(ks, &ks_anne, kit), ML_E_DENIED);
    assert_int_equal(ml_keystore_set_recovery(ks, &ks_anne, recovery), ML_OK);
    assert_int_equal(ml_keystore_set_passphrase(ks, &ks_anne, anne_words(), &ks_cheap), ML_OK);
    struct ml_keystore *again = ks_reopened(*state, ks);
    assert_int_equal(ml_keystore_unlock(again, &ks_anne, anne_words()), ML_OK);
    ml_keystore_lock(again, &ks_anne);
    assert_int_equal(ml_keystore_unlock_recovery(again, &ks_anne, recovery), ML_OK);
    ml_keystore_free(again);
    ml_secret_free(recovery);
    ml_keystore_free(ks);
}

static void a_removed_member_is_gone(void **state)
{
    struct ml_keystore *ks = ks_make(*state);
    assert_int_equal(ml_keystore_remove_member(ks, &nobody), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_remove_member(ks, &ks_anne), ML_OK);
    assert_int_equal(ml_keystore_member_count(ks), 1);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, anne_words()), ML_E_NOT_FOUND);
    ks_expect_section(ks, &ks_bob, "bob");
    ml_keystore_free(ks);
}

static void sections_hold_1_to_4096_bytes(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = NULL;
    struct ml_secret *out = NULL;
    assert_int_equal(ml_keystore_new(&ks, f->env, &ks_org), ML_OK);
    assert_int_equal(ml_keystore_get_section(ks, NULL, &out), ML_E_NOT_FOUND);
    static const size_t lens[] = {1, 4096};
    for (size_t i = 0; i < 2; i++) {
        struct ml_secret *payload = NULL;
        assert_int_equal(ml_secret_random(&payload, f->env, lens[i]), ML_OK);
        assert_int_equal(ml_keystore_put_section(ks, NULL, payload), ML_OK);
        assert_int_equal(ml_keystore_get_section(ks, NULL, &out), ML_OK);
        assert_true(ml_secret_equal(out, payload));
        ml_secret_free(out);
        ml_secret_free(payload);
        ml_keystore_free(ks_reopened(f, ks));
    }
    ml_keystore_free(ks);
}

static void holds_64_members_and_no_more(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = NULL;
    struct ml_member_id id = {{0}};
    assert_int_equal(ml_keystore_new(&ks, f->env, &ks_org), ML_OK);
    for (unsigned i = 0; i < ML_KEYSTORE_MEMBERS_MAX; i++) {
        id.b[0] = (uint8_t)(i * 37);
        assert_int_equal(ml_keystore_add_member(ks, &id, anne_words(), &ks_cheap), ML_OK);
        assert_int_equal(ml_keystore_add_member(ks, &id, anne_words(), &ks_cheap), ML_E_EXISTS);
    }
    id.b[1] = 1;
    assert_int_equal(ml_keystore_add_member(ks, &id, anne_words(), &ks_cheap), ML_E_LIMIT);
    struct ml_keystore *again = ks_reopened(f, ks);
    assert_int_equal(ml_keystore_member_count(again), ML_KEYSTORE_MEMBERS_MAX);
    ml_keystore_free(again);
    ml_keystore_free(ks);
}

static void cheap_keystores_say_so(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = NULL;
    const struct ml_pwhash_cost real = {ML_PWHASH_PASSES, ML_PWHASH_MEMORY_KIB};
    const struct ml_pwhash_cost none = {0, ML_PWHASH_MEMORY_KIB};
    assert_int_equal(ml_keystore_new(&ks, f->env, &ks_org), ML_OK);
    assert_int_equal(ml_keystore_add_member(ks, &ks_anne, anne_words(), &none), ML_E_INVALID);
    assert_int_equal(ml_keystore_add_member(ks, &ks_anne, anne_words(), &real), ML_OK);
    assert_false(ml_keystore_is_test(ks));
    assert_int_equal(ml_keystore_add_member(ks, &ks_bob, anne_words(), &ks_cheap), ML_OK);
    assert_true(ml_keystore_is_test(ks));
    ml_keystore_free(ks);
}

static void derived_keys_differ_by_row_and_member(void **state)
{
    struct ml_keystore *made = ks_make(*state);
    struct ml_keystore *ks = ks_reopened(*state, made);
    struct ml_secret *key[8] = {NULL};
    struct ml_secret *out = NULL;
    static const ml_kdf_id of_node[] = {ML_KDF_LOG_DB, ML_KDF_TRACE_JOURNAL, ML_KDF_ANCHOR_MAC,
                                        ML_KDF_NODE_SALT};
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_LOG_DB, NULL, &out), ML_E_LOCKED);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, anne_words()), ML_OK);
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_VAULT, &ks_bob, &out), ML_E_LOCKED);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(ml_keystore_derive(made, of_node[i], NULL, &key[i]), ML_OK);
        assert_int_equal(ml_keystore_derive(ks, of_node[i], NULL, &out), ML_OK);
        assert_true(ml_secret_equal(out, key[i]));
        ml_secret_free(out);
    }
    assert_int_equal(ml_keystore_derive(made, ML_KDF_VAULT, &ks_anne, &key[4]), ML_OK);
    assert_int_equal(ml_keystore_derive(made, ML_KDF_VAULT, &ks_bob, &key[5]), ML_OK);
    assert_int_equal(ml_keystore_derive(made, ML_KDF_DRAFTS, &ks_anne, &key[6]), ML_OK);
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_VAULT, &ks_anne, &key[7]), ML_OK);
    assert_true(ml_secret_equal(key[4], key[7]));
    for (size_t i = 0; i < 7; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(ml_secret_equal(key[i], key[j]));
        }
    }
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_VAULT, NULL, &out), ML_E_INVALID);
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_LOG_DB, &ks_anne, &out), ML_E_INVALID);
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_KS_MEMBER, &ks_anne, &out), ML_E_INVALID);
    assert_int_equal(ml_keystore_derive(ks, ML_KDF_KS_NODE, NULL, &out), ML_E_INVALID);
    for (size_t i = 0; i < 8; i++) {
        ml_secret_free(key[i]);
    }
    ml_keystore_free(ks);
    ml_keystore_free(made);
}

/* The calls that allocate, each on a keystore with anne locked and the node closed or not. */
enum call {
    ADD,
    UNLOCK,
    RECOVERY,
    UNATTENDED,
    SET_PASS,
    SET_KIT,
    SET_UNATTENDED,
    PUT,
    GET,
    DERIVE
};

static ml_err run_call(struct ml_keystore *ks, enum call call, const struct ml_secret *secret)
{
    struct ml_secret *out = NULL;
    ml_err err = ML_E_INVALID;
    switch (call) {
    case ADD:
        return ml_keystore_add_member(ks, &nobody, anne_words(), &ks_cheap);
    case UNLOCK:
        return ml_keystore_unlock(ks, &ks_anne, anne_words());
    case RECOVERY:
        return ml_keystore_unlock_recovery(ks, &ks_anne, secret);
    case UNATTENDED:
        return ml_keystore_unlock_unattended(ks, secret);
    case SET_PASS:
        return ml_keystore_set_passphrase(ks, &ks_bob, anne_words(), &ks_cheap);
    case SET_KIT:
        return ml_keystore_set_recovery(ks, &ks_bob, secret);
    case SET_UNATTENDED:
        return ml_keystore_set_unattended(ks, secret);
    case PUT:
        return ml_keystore_put_section(ks, &ks_bob, secret);
    case GET:
        err = ml_keystore_get_section(ks, &ks_bob, &out);
        break;
    case DERIVE:
        err = ml_keystore_derive(ks, ML_KDF_VAULT, &ks_bob, &out);
        break;
    }
    ml_secret_free(out);
    return err;
}

static void expect_same_bytes(struct crypto_fixture *f, const struct ml_keystore *ks,
                              const struct ml_buf *before)
{
    struct ml_buf now;
    ml_buf_init(&now, f->env, ML_KEYSTORE_FILE_MAX);
    assert_int_equal(ml_keystore_encode(ks, &now), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&now), ml_buf_slice(before)));
    ml_buf_free(&now);
}

/* Fails the call's 1st, 2nd ... allocation until it passes; how many there were. */
static long fail_each(struct crypto_fixture *f, struct ml_keystore *ks, enum call call,
                      const struct ml_secret *secret)
{
    struct ml_buf before;
    bool open = ml_keystore_node_is_open(ks);
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    ml_buf_init(&before, f->env, ML_KEYSTORE_FILE_MAX);
    assert_int_equal(ml_keystore_encode(ks, &before), ML_OK);
    while (err == ML_E_NOMEM) {
        fail_nth(f, ++nth);
        err = run_call(ks, call, secret);
        assert_int_equal(fake_spared(&f->fake), err == ML_OK);
        if (err == ML_E_NOMEM) {
            assert_false(ml_keystore_is_unlocked(ks, &ks_anne));
            assert_int_equal(ml_keystore_node_is_open(ks), open);
            expect_same_bytes(f, ks, &before);
        }
    }
    assert_int_equal(err, ML_OK);
    ml_buf_free(&before);
    return nth - 1;
}

static void a_failed_allocation_changes_nothing(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_secret *secret = ks_secret(7);
    for (int i = ADD; i <= DERIVE; i++) {
        struct ml_keystore *ks = ks_make(f);
        assert_int_equal(ml_keystore_set_unattended(ks, secret), ML_OK);
        ml_keystore_lock(ks, &ks_anne);
        if (i == UNLOCK || i == RECOVERY || i == UNATTENDED) {
            ml_keystore_lock_node(ks);
        }
        assert_true(fail_each(f, ks, (enum call)i, secret) > 0); /* each of them allocates */
        ml_keystore_free(ks);
    }
    ml_secret_free(secret);
}

static void a_new_keystore_survives_a_failed_allocation(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = NULL;
    for (long nth = 1; nth <= 2; nth++) {
        fail_nth(f, nth);
        assert_int_equal(ml_keystore_new(&ks, f->env, &ks_org), ML_E_NOMEM);
        assert_null(ks);
    }
    ml_keystore_free(NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_passphrase_opens_its_member_and_the_node),
        TEST(a_wrong_passphrase_opens_nothing),
        TEST(a_recovery_secret_opens_its_slot_only),
        TEST(twenty_four_words_on_paper_open_the_keystore),
        TEST(an_unattended_key_opens_the_node_and_no_member),
        TEST(locking_wipes_and_the_log_may_stay_open),
        TEST(a_changed_passphrase_replaces_the_old_one),
        TEST(the_last_slot_stays),
        TEST(a_removed_member_is_gone),
        TEST(sections_hold_1_to_4096_bytes),
        TEST(holds_64_members_and_no_more),
        TEST(cheap_keystores_say_so),
        TEST(derived_keys_differ_by_row_and_member),
        TEST(a_failed_allocation_changes_nothing),
        TEST(a_new_keystore_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
