/* test_keyring_share.c -- shares of sensitive keys: any two members open one, no member does alone:
 * one rule of keyring_share.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_except.h"
#include "core/model/keyring_share.h"
#include "support_people.h"

/* The last is the first one's second computer. */
enum { PEOPLE = 4, AGAIN = 3 };

static int setup(void **state)
{
    static struct people f;
    people_init(&f, 31, PEOPLE);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    return people_free(*state);
}

static struct ml_member_id member_of(size_t who)
{
    struct ml_member_id id = {{0}};
    id.b[0] = (uint8_t)(who == AGAIN ? 1 : who + 1);
    id.b[15] = 0x80;
    return id;
}

static void epoch(struct people *f, ml_compartment compartment)
{
    const struct ml_epoch_recipient me = {f->who[0].pk, true};
    const struct ml_epoch_args args = {.team = f->team,
                                       .compartment = compartment,
                                       .recipients = &me,
                                       .recipient_count = 1,
                                       .recovery = &f->recovery_pk};
    const size_t first = f->log.count;
    assert_int_equal(ml_keyring_make_epoch(f->who[0].ring, &args, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
}

/* A patient with one sensitive key; only the first person reads it. */
static void found(struct people *f)
{
    epoch(f, ML_COMPARTMENT_ADMIN);
    epoch(f, ML_COMPARTMENT_SENSITIVE);
    const size_t first = f->log.count;
    struct ml_keyring *k = f->who[0].ring;
    assert_int_equal(ml_keyring_make_open(k, &f->patient, &f->team, key_log_add, &f->log), ML_OK);
    people_hear(f, first);
    const size_t second = f->log.count;
    assert_int_equal(
        ml_keyring_make_dek(k, &f->patient, ML_COMPARTMENT_SENSITIVE, key_log_add, &f->log), ML_OK);
    people_hear(f, second);
}

static ml_err share(struct people *f, size_t by, size_t from, size_t count)
{
    struct ml_share_holder to[PEOPLE];
    const size_t first = f->log.count;
    for (size_t i = 0; i < count; i++) {
        to[i] = (struct ml_share_holder){member_of(from + i), f->who[from + i].pk};
    }
    const struct ml_sharing who = {
        .patient = f->patient, .compartment = ML_COMPARTMENT_SENSITIVE, .to = to, .count = count};
    const ml_err err = ml_keyring_make_shares(f->who[by].ring, &who, key_log_add, &f->log);
    people_hear(f, first);
    return err;
}

/* The one's own share, from what he heard. */
static struct ml_share_point point_of(const struct people *f, size_t who, struct ml_key_id *dek)
{
    struct ml_share_point p = {.member = member_of(who)};
    const struct mem_store *store = &f->who[who].store;
    ml_err err = ML_E_NO_KEY;
    for (size_t i = 0; i < store->bg_count && err != ML_OK; i++) {
        err = ml_keyring_open_share(f->who[who].ring, &store->bgs[i], p.share);
        *dek = store->bgs[i].dek;
        assert_true(err == ML_OK || err == ML_E_NO_KEY);
    }
    assert_int_equal(err, ML_OK);
    return p;
}

/* The key itself, by who holds it. */
static void dek_of(const struct people *f, const struct ml_key_id *id, uint8_t out[ML_KEY_BYTES])
{
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    size_t count = 0;
    struct ml_keyring *k = f->who[0].ring;
    assert_int_equal(ml_keyring_streams(k, &f->patient, ML_COMPARTMENT_SENSITIVE, streams, &count),
                     ML_OK);
    assert_int_equal(ml_keyring_dek(k, &streams[0], id, &info, &dek), ML_OK);
    memcpy(out, dek, ML_KEY_BYTES);
}

static void any_two_members_open_it(void **state)
{
    struct people *f = *state;
    struct ml_key_id id;
    uint8_t want[ML_KEY_BYTES];
    uint8_t got[ML_KEY_BYTES];
    found(f);
    assert_int_equal(share(f, 0, 0, PEOPLE), ML_OK);
    for (size_t a = 0; a < PEOPLE; a++) {
        for (size_t b = 0; b < PEOPLE; b++) {
            const struct ml_share_point pa = point_of(f, a, &id);
            const struct ml_share_point pb = point_of(f, b, &id);
            const bool same = member_of(a).b[0] == member_of(b).b[0];
            dek_of(f, &id, want);
            assert_int_equal(ml_share_points_join(got, &id, &pa, &pb), same ? ML_E_INVALID : ML_OK);
            assert_true(same || memcmp(got, want, sizeof(want)) == 0);
            assert_memory_not_equal(pa.share, want, sizeof(want));
        }
    }
}

/* His second computer has the same share: with both of his disks he is where he was. */
static void all_computers_of_one_member_hold_one_share(void **state)
{
    struct people *f = *state;
    struct ml_key_id id;
    found(f);
    assert_int_equal(share(f, 0, 0, PEOPLE), ML_OK);
    const struct ml_share_point a = point_of(f, 0, &id);
    const struct ml_share_point b = point_of(f, AGAIN, &id);
    const struct ml_share_point c = point_of(f, 1, &id);
    assert_memory_equal(a.share, b.share, sizeof(a.share));
    assert_memory_not_equal(a.share, c.share, sizeof(a.share));
}

static void a_share_that_is_not_one_of_the_key_opens_nothing(void **state)
{
    struct people *f = *state;
    struct ml_key_id id;
    uint8_t got[ML_KEY_BYTES];
    found(f);
    assert_int_equal(share(f, 0, 0, PEOPLE), ML_OK);
    const struct ml_share_point a = point_of(f, 1, &id);
    struct ml_share_point b = point_of(f, 2, &id);
    b.share[31] ^= 1;
    assert_int_equal(ml_share_points_join(got, &id, &a, &b), ML_E_FORGED);
    b.share[31] ^= 1;
    b.member = member_of(0); /* his share under another name */
    assert_int_equal(ml_share_points_join(got, &id, &a, &b), ML_E_FORGED);
    assert_true(ml_is_zero(got, sizeof(got)));
}

static void another_members_share_does_not_open(void **state)
{
    struct people *f = *state;
    uint8_t out[ML_KEY_BYTES];
    found(f);
    const size_t before = f->who[1].store.bg_count;
    assert_int_equal(share(f, 0, 2, 1), ML_OK);
    struct ml_bg_wrap wrap = f->who[1].store.bgs[before];
    assert_int_equal(ml_keyring_open_share(f->who[1].ring, &wrap, out), ML_E_NO_KEY);
    wrap.break_glass = f->who[1].pk; /* said to be his */
    assert_int_equal(ml_keyring_open_share(f->who[1].ring, &wrap, out), ML_E_FORGED);
    wrap.break_glass = f->who[2].pk;
    wrap.stream.b[0] ^= 1; /* moved to another patient's stream */
    assert_int_equal(ml_keyring_open_share(f->who[2].ring, &wrap, out), ML_E_FORGED);
}

/* Whoever came later gets a share that fits those of before, and nobody else's is made again. */
static void a_newcomers_share_fits_the_others(void **state)
{
    struct people *f = *state;
    struct ml_key_id id;
    uint8_t got[ML_KEY_BYTES];
    found(f);
    assert_int_equal(share(f, 0, 0, 2), ML_OK);
    const size_t before = f->log.count;
    assert_int_equal(share(f, 0, 0, 2), ML_OK);
    assert_int_equal(f->log.count, before);
    assert_int_equal(share(f, 0, 0, 3), ML_OK);
    assert_int_equal(f->log.count, before + 1);
    const struct ml_share_point a = point_of(f, 1, &id);
    const struct ml_share_point b = point_of(f, 2, &id);
    assert_int_equal(ml_share_points_join(got, &id, &a, &b), ML_OK);
}

static void who_holds_no_key_shares_nothing(void **state)
{
    struct people *f = *state;
    found(f);
    const size_t before = f->log.count;
    assert_int_equal(share(f, 1, 0, PEOPLE), ML_E_NOT_FOUND); /* he doesn't know the patient */
    assert_int_equal(f->log.count, before);
}

/* At 0 stands the key itself. */
static void nobody_is_at_zero(void **state)
{
    struct people *f = *state;
    const struct ml_share_holder to = {.pk = f->who[1].pk};
    const struct ml_sharing who = {
        .patient = f->patient, .compartment = ML_COMPARTMENT_SENSITIVE, .to = &to, .count = 1};
    found(f);
    const size_t before = f->log.count;
    assert_int_equal(ml_keyring_make_shares(f->who[0].ring, &who, key_log_add, &f->log),
                     ML_E_INVALID);
    assert_int_equal(f->log.count, before);
}

static void an_answer_opens_for_its_request_alone(void **state)
{
    struct people *f = *state;
    struct ml_share_place at = {.org = f->org, .glass.b = {1}, .dek.b = {2}};
    uint8_t share_in[ML_KEY_BYTES];
    uint8_t share_out[ML_KEY_BYTES];
    uint8_t sealed[ML_ANON_KEY_BYTES];
    memset(share_in, 0x5a, sizeof(share_in));
    assert_int_equal(ml_share_answer_seal(sealed, &at, &f->who[0].pk, share_in, &f->fake.env),
                     ML_OK);
    assert_int_equal(ml_share_answer_open(share_out, &at, f->who[0].box, sealed), ML_OK);
    assert_memory_equal(share_out, share_in, sizeof(share_in));
    assert_int_equal(ml_share_answer_open(share_out, &at, f->who[1].box, sealed), ML_E_FORGED);
    at.glass.b[0] ^= 1;
    assert_int_equal(ml_share_answer_open(share_out, &at, f->who[0].box, sealed), ML_E_FORGED);
    at.glass.b[0] ^= 1;
    at.dek.b[0] ^= 1;
    assert_int_equal(ml_share_answer_open(share_out, &at, f->who[0].box, sealed), ML_E_FORGED);
    at.dek.b[0] ^= 1;
    at.org.b[0] ^= 1;
    assert_int_equal(ml_share_answer_open(share_out, &at, f->who[0].box, sealed), ML_E_FORGED);
}

static void at_any_failed_allocation_nothing_is_lost(void **state)
{
    struct people *f = *state;
    bool spared = false;
    long n = 0;
    found(f);
    while (!spared) {
        const long live = f->fake.live;
        const size_t before = f->log.count;
        f->fake.fail_alloc = ++n;
        const ml_err err = share(f, 0, 0, 1);
        spared = fake_spared(&f->fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(err == ML_OK || f->log.count == before);
        assert_true(err == ML_OK || f->fake.live == live);
        assert_true(spared || n < 500);
    }
    assert_int_equal(share(f, 0, 0, 1), ML_OK);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(any_two_members_open_it),
        T(all_computers_of_one_member_hold_one_share),
        T(a_share_that_is_not_one_of_the_key_opens_nothing),
        T(another_members_share_does_not_open),
        T(a_newcomers_share_fits_the_others),
        T(who_holds_no_key_shares_nothing),
        T(nobody_is_at_zero),
        T(an_answer_opens_for_its_request_alone),
        T(at_any_failed_allocation_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
