/* test_sim_fast.c -- what the simulator remembers of signatures (tests/sim/sim_fast.c): no forged
 * one passes by what was said of another one, of another key or of another message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

enum { MESSAGE = 40 };

struct signed_one {
    unsigned char pk[crypto_sign_PUBLICKEYBYTES];
    unsigned char sig[crypto_sign_BYTES];
    unsigned char msg[MESSAGE];
};

static struct signed_one signed_by(unsigned char first)
{
    struct signed_one s;
    unsigned char sk[crypto_sign_SECRETKEYBYTES];
    unsigned char seed[crypto_sign_SEEDBYTES] = {first};
    memset(s.msg, first, sizeof(s.msg));
    assert_int_equal(crypto_sign_seed_keypair(s.pk, sk, seed), 0);
    assert_int_equal(crypto_sign_detached(s.sig, NULL, s.msg, sizeof(s.msg), sk), 0);
    return s;
}

static int verified(const struct signed_one *s)
{
    return crypto_sign_verify_detached(s->sig, s->msg, sizeof(s->msg), s->pk);
}

static void what_was_signed_verifies(void **state)
{
    (void)state;
    for (unsigned char i = 1; i < 9; i++) {
        const struct signed_one s = signed_by(i);
        assert_int_equal(verified(&s), 0);
        assert_int_equal(verified(&s), 0);
    }
}

/* Each byte of what is verified, broken, asked for once and from memory; then whole again. */
static void a_forged_signature_is_refused_each_time(void **state)
{
    struct signed_one s = signed_by(1);
    unsigned char *bytes = (unsigned char *)&s;
    (void)state;
    for (size_t at = 0; at < sizeof(s); at++) {
        bytes[at] ^= 1u;
        assert_int_equal(verified(&s), -1);
        assert_int_equal(verified(&s), -1);
        bytes[at] ^= 1u;
        assert_int_equal(verified(&s), 0);
    }
    assert_int_equal(crypto_sign_verify_detached(s.sig, s.msg, sizeof(s.msg) - 1, s.pk), -1);
}

static void parts_of_two_good_ones_make_none(void **state)
{
    const struct signed_one a = signed_by(1);
    const struct signed_one b = signed_by(2);
    (void)state;
    assert_int_equal(verified(&a), 0);
    assert_int_equal(verified(&b), 0);
    for (unsigned from = 1; from < 7; from++) { /* all but all of one */
        struct signed_one s = a;
        memcpy(s.pk, (from & 1u) != 0 ? b.pk : a.pk, sizeof(s.pk));
        memcpy(s.sig, (from & 2u) != 0 ? b.sig : a.sig, sizeof(s.sig));
        memcpy(s.msg, (from & 4u) != 0 ? b.msg : a.msg, sizeof(s.msg));
        assert_int_equal(verified(&s), -1);
    }
}

/* Where sim_fast.c keeps its verdict. */
static size_t place_of(const struct signed_one *s)
{
    enum { VERDICTS = 1 << 16 };
    unsigned char hash[32];
    size_t at = 0;
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof(hash));
    crypto_generichash_update(&h, s->pk, sizeof(s->pk));
    crypto_generichash_update(&h, s->sig, sizeof(s->sig));
    crypto_generichash_update(&h, s->msg, sizeof(s->msg));
    crypto_generichash_final(&h, hash, sizeof(hash));
    memcpy(&at, hash, sizeof(at));
    return at % VERDICTS;
}

static void a_forged_one_in_the_place_of_a_good_one_is_refused(void **state)
{
    const struct signed_one s = signed_by(1);
    struct signed_one forged = s;
    const size_t place = place_of(&s);
    uint32_t n = 0;
    (void)state;
    do {
        n++;
        memcpy(forged.msg, &n, sizeof(n));
    } while (place_of(&forged) != place);
    assert_int_equal(verified(&s), 0);
    assert_int_equal(verified(&forged), -1);
    assert_int_equal(verified(&s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_verifies),
        cmocka_unit_test(a_forged_signature_is_refused_each_time),
        cmocka_unit_test(parts_of_two_good_ones_make_none),
        cmocka_unit_test(a_forged_one_in_the_place_of_a_good_one_is_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
