/* tests/unit/core_crypto/test_box.c -- X25519 as RFC 7748; slots and anonymous boxes open in their
 * own place only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/box.h"
#include "support_crypto.h"

static struct ml_secret *secret_of(const char *hex)
{
    struct ml_secret *s = NULL;
    uint8_t bytes[32];
    unhex(bytes, sizeof(bytes), hex);
    assert_int_equal(ml_secret_from(&s, bytes, sizeof(bytes)), ML_OK);
    return s;
}

static void dh_is_rfc7748(void **state)
{
    (void)state;
    uint8_t expect[32];
    struct ml_box_pk peer;
    struct ml_secret *out = NULL;
    struct ml_secret *scalar =
        secret_of("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
    unhex(peer.b, 32, "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
    unhex(expect, 32, "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    assert_int_equal(ml_box_dh(&out, scalar, &peer), ML_OK);
    assert_memory_equal(ml_secret_bytes(out), expect, 32);
    ml_secret_free(out);
    ml_secret_free(scalar);
}

static void public_key_is_rfc7748(void **state)
{
    (void)state;
    struct ml_box_pk pk;
    uint8_t expect[32];
    struct ml_secret *bob =
        secret_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    ml_box_pk_of(&pk, bob);
    unhex(expect, 32, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    assert_memory_equal(pk.b, expect, 32);
    ml_secret_free(bob);
}

static void small_order_points_are_forged(void **state)
{
    struct crypto_fixture *f = *state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct ml_box_pk pk;
    struct ml_secret *secret = NULL;
    struct ml_secret *out = NULL;
    assert_int_equal(ml_box_keypair(&pk, &secret, f->env), ML_OK);
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        struct ml_slot_at at = {.kind = ML_SLOT_KEK};
        uint8_t slot[ML_SLOT_BYTES];
        uint8_t box[ML_ANON_EXTRA_BYTES];
        unhex(at.recipient.b, 32, points[i]);
        assert_int_equal(ml_box_dh(&out, secret, &at.recipient), ML_E_FORGED);
        assert_int_equal(ml_slot_seal(slot, &at, secret, secret), ML_E_FORGED);
        assert_int_equal(
            ml_seal_anon(box, ml_slice(NULL, 0), &at.recipient, ml_slice(NULL, 0), f->env),
            ML_E_FORGED);
        memset(box, 0, sizeof(box));
        memcpy(box, at.recipient.b, 32);
        uint8_t plain = 0;
        assert_int_equal(
            ml_open_anon(&plain, ml_slice(box, sizeof(box)), secret, ml_slice(NULL, 0)),
            ML_E_FORGED);
        at.ephemeral = at.recipient;
        assert_int_equal(ml_slot_open(&out, slot, &at, secret), ML_E_FORGED);
    }
    assert_null(out);
    ml_secret_free(secret);
}

struct slot_case {
    struct ml_secret *recipient;
    struct ml_secret *kek;
    struct ml_slot_at at;
    uint8_t slot[ML_SLOT_BYTES];
};

static void slot_case_make(struct slot_case *c, struct crypto_fixture *f)
{
    struct ml_secret *ephemeral = NULL;
    memset(c, 0, sizeof(*c));
    c->at = (struct ml_slot_at){.kind = ML_SLOT_KEK,
                                .org = {{1}},
                                .team = {{2}},
                                .compartment = ML_COMPARTMENT_CARE,
                                .epoch = 3,
                                .index = 258};
    assert_int_equal(ml_box_keypair(&c->at.recipient, &c->recipient, f->env), ML_OK);
    assert_int_equal(ml_secret_random(&c->kek, f->env, ML_KEY_BYTES), ML_OK);
    assert_int_equal(ml_slot_ephemeral(&c->at.ephemeral, &ephemeral, f->env, c->kek), ML_OK);
    assert_int_equal(ml_slot_seal(c->slot, &c->at, ephemeral, c->kek), ML_OK);
    ml_secret_free(ephemeral);
}

static void slot_case_free(struct slot_case *c)
{
    ml_secret_free(c->recipient);
    ml_secret_free(c->kek);
}

static void slot_opens_in_its_own_place_only(void **state)
{
    struct slot_case c;
    struct ml_secret *opened = NULL;
    slot_case_make(&c, *state);
    assert_int_equal(ml_slot_open(&opened, c.slot, &c.at, c.recipient), ML_OK);
    assert_true(ml_secret_equal(opened, c.kek));
    ml_secret_free(opened);
    opened = NULL;

    struct ml_slot_at moved[11];
    for (size_t i = 0; i < 11; i++) {
        moved[i] = c.at;
    }
    moved[0].kind = ML_SLOT_HIST;
    moved[1].org.b[31] ^= 1;
    moved[2].team.b[15] ^= 1;
    moved[3].compartment = ML_COMPARTMENT_MEDICAL;
    moved[4].epoch ^= 1u << 31;
    moved[5].index ^= 1;
    moved[6].index ^= 1u << 15;
    moved[7].ephemeral.b[0] ^= 1;
    moved[8].recipient.b[0] ^= 1;
    moved[9].ephemeral.b[31] ^= 0x80; /* X25519 ignores this bit: the same point, other bytes */
    moved[10].recipient.b[31] ^= 0x80;
    for (size_t i = 0; i < 11; i++) {
        assert_int_equal(ml_slot_open(&opened, c.slot, &moved[i], c.recipient), ML_E_FORGED);
    }
    for (size_t i = 0; i < ML_SLOT_BYTES; i++) {
        c.slot[i] ^= 0x80;
        assert_int_equal(ml_slot_open(&opened, c.slot, &c.at, c.recipient), ML_E_FORGED);
        c.slot[i] ^= 0x80;
    }
    assert_int_equal(ml_slot_open(&opened, c.slot, &c.at, c.kek), ML_E_FORGED); /* not its key */
    assert_null(opened);
    slot_case_free(&c);
}

/* Two kinds, two indexes and two recipients under one ephemeral share no keystream. */
static void slots_of_one_ephemeral_differ_everywhere(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_secret *ephemeral = NULL;
    struct ml_secret *kek = NULL;
    struct ml_secret *unused = NULL;
    struct ml_slot_at at[4] = {{.kind = ML_SLOT_KEK}};
    uint8_t slot[4][ML_SLOT_BYTES];
    assert_int_equal(ml_secret_random(&kek, f->env, ML_KEY_BYTES), ML_OK);
    assert_int_equal(ml_slot_ephemeral(&at[0].ephemeral, &ephemeral, f->env, kek), ML_OK);
    assert_int_equal(ml_box_keypair(&at[0].recipient, &unused, f->env), ML_OK);
    ml_secret_free(unused);
    at[1] = at[2] = at[3] = at[0];
    at[1].kind = ML_SLOT_HIST;
    at[2].index = 1;
    assert_int_equal(ml_box_keypair(&at[3].recipient, &unused, f->env), ML_OK);
    ml_secret_free(unused);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(ml_slot_seal(slot[i], &at[i], ephemeral, kek), ML_OK);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(slot[i], slot[j], 8);
        }
    }
    ml_secret_free(ephemeral);
    ml_secret_free(kek);
}

/* A resumed machine image draws the same random bytes twice. */
static void same_randomness_with_another_key_is_another_ephemeral(void **state)
{
    (void)state;
    struct ml_box_pk pk[3];
    for (size_t i = 0; i < 3; i++) {
        struct fake_env image;
        struct ml_secret *secret = NULL;
        struct ml_secret *kek = NULL;
        fake_env_init(&image, 42);
        assert_int_equal(ml_secret_from(&kek, i == 2 ? "a" : "b", 1), ML_OK);
        assert_int_equal(ml_slot_ephemeral(&pk[i], &secret, &image.env, kek), ML_OK);
        ml_secret_free(secret);
        ml_secret_free(kek);
    }
    assert_memory_equal(pk[0].b, pk[1].b, 32);
    assert_memory_not_equal(pk[0].b, pk[2].b, 32);

    uint8_t box[3][ML_ANON_EXTRA_BYTES + 1];
    static const char *const context[3] = {"c", "c", "d"};
    for (size_t i = 0; i < 3; i++) {
        struct fake_env image;
        fake_env_init(&image, 42);
        assert_int_equal(ml_seal_anon(box[i], ml_slice_str(i == 1 ? "y" : "x"), &pk[0],
                                      ml_slice_str(context[i]), &image.env),
                         ML_OK);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(box[i], box[j], 32);
        }
    }
}

static void anonymous_box_opens_with_its_key_and_context_only(void **state)
{
    struct crypto_fixture *f = *state;
    static const size_t lens[] = {0, 1, 63, 64, 65, 1000};
    struct ml_box_pk pk;
    struct ml_secret *secret = NULL;
    struct ml_secret *other = NULL;
    uint8_t plain[1000];
    uint8_t back[1000 + ML_ANON_EXTRA_BYTES];
    uint8_t box[1000 + ML_ANON_EXTRA_BYTES];
    memset(plain, 0x5a, sizeof(plain));
    assert_int_equal(ml_secret_random(&other, f->env, 32), ML_OK);
    assert_int_equal(ml_box_keypair(&pk, &secret, f->env), ML_OK);
    const struct ml_slice context = ml_slice_str("deposit");
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        const struct ml_slice sealed = ml_slice(box, lens[i] + ML_ANON_EXTRA_BYTES);
        assert_int_equal(ml_seal_anon(box, ml_slice(plain, lens[i]), &pk, context, f->env), ML_OK);
        assert_int_equal(ml_open_anon(back, sealed, secret, context), ML_OK);
        assert_memory_equal(back, plain, lens[i]);
        assert_int_equal(ml_open_anon(back, sealed, other, context), ML_E_FORGED);
        assert_int_equal(ml_open_anon(back, sealed, secret, ml_slice_str("deposi")), ML_E_FORGED);
        assert_int_equal(ml_open_anon(back, ml_slice(box, sealed.len - 1), secret, context),
                         ML_E_FORGED);
        for (size_t at = 0; at < sealed.len; at++) {
            box[at] ^= 0x80; /* that of byte 31 is ignored by X25519, and still bound */
            assert_int_equal(ml_open_anon(back, sealed, secret, context), ML_E_FORGED);
            box[at] ^= 0x80;
        }
    }
    assert_int_equal(ml_open_anon(back, ml_slice(box, 47), secret, context), ML_E_FORGED);
    assert_int_equal(ml_open_anon(back, ml_slice(NULL, 0), secret, context), ML_E_FORGED);
    ml_secret_free(secret);
    ml_secret_free(other);
}

static void anonymous_box_takes_64_kib_and_no_more(void **state)
{
    struct crypto_fixture *f = *state;
    static uint8_t plain[ML_ANON_PLAIN_MAX + 1];
    static uint8_t box[ML_ANON_PLAIN_MAX + 1 + ML_ANON_EXTRA_BYTES];
    struct ml_box_pk pk;
    struct ml_secret *secret = NULL;
    const struct ml_slice none = ml_slice(NULL, 0);
    assert_int_equal(ml_box_keypair(&pk, &secret, f->env), ML_OK);
    assert_int_equal(ml_seal_anon(box, ml_slice(plain, ML_ANON_PLAIN_MAX), &pk, none, f->env),
                     ML_OK);
    assert_int_equal(ml_open_anon(plain, ml_slice(box, sizeof(box) - 1), secret, none), ML_OK);
    assert_int_equal(ml_seal_anon(box, ml_slice(plain, sizeof(plain)), &pk, none, f->env),
                     ML_E_LIMIT);
    assert_int_equal(ml_open_anon(plain, ml_slice(box, sizeof(box)), secret, none), ML_E_FORGED);
    ml_secret_free(secret);
}

static void every_call_survives_a_failed_alloc(void **state)
{
    struct crypto_fixture *f = *state;
    struct slot_case c;
    struct ml_box_pk pk = {{7}};
    struct ml_secret *out = NULL;
    slot_case_make(&c, f);
    fail_nth(f, 1);
    assert_int_equal(ml_box_keypair(&pk, &out, f->env), ML_E_NOMEM);
    fail_nth(f, 1);
    assert_int_equal(ml_box_dh(&out, c.recipient, &c.at.ephemeral), ML_E_NOMEM);
    fail_nth(f, 1);
    assert_int_equal(ml_slot_ephemeral(&pk, &out, f->env, c.kek), ML_E_NOMEM);
    fail_nth(f, 1);
    assert_int_equal(ml_slot_open(&out, c.slot, &c.at, c.recipient), ML_E_NOMEM);
    assert_null(out);
    assert_int_equal(pk.b[0], 7);
    slot_case_free(&c);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(dh_is_rfc7748),
        TEST(public_key_is_rfc7748),
        TEST(small_order_points_are_forged),
        TEST(slot_opens_in_its_own_place_only),
        TEST(slots_of_one_ephemeral_differ_everywhere),
        TEST(same_randomness_with_another_key_is_another_ephemeral),
        TEST(anonymous_box_opens_with_its_key_and_context_only),
        TEST(anonymous_box_takes_64_kib_and_no_more),
        TEST(every_call_survives_a_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
