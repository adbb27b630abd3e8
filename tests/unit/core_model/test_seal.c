/* tests/unit/core_model/test_seal.c -- one rule of model/seal.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/crypto/key_id.h"
#include "core/model/seal.h"
#include "support_keystore.h"

enum { ITEMS = 700 };

struct fixture {
    struct fake_env fake;
    struct ml_org_id org;
    struct ml_team_id team;
    struct ml_object_id patient;
    struct ml_secret *box;
    struct ml_box_pk box_pk;
    struct ml_secret *seed;
    struct ml_sign_pk sign;
    struct ml_secret *salt;
    struct mem_store store;
    struct ml_keyring *ring;
    struct key_log log;
    struct ml_seal_key key;
    struct ml_sealer sealer;
    struct ml_seal_place place;
    struct ml_seal_item items[ITEMS];
    uint8_t text[20000];
};

static void group(struct fixture *f, ml_compartment compartment)
{
    const struct ml_epoch_recipient me = {f->box_pk, false};
    const struct ml_epoch_args args = {
        .team = f->team, .compartment = compartment, .recipients = &me, .recipient_count = 1};
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_epoch(f->ring, &args, key_log_add, &f->log), ML_OK);
    key_log_apply_from(f->ring, &f->log, from);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_env_init(&f->fake, 9);
    assert_int_equal(ml_crypto_init(), ML_OK);
    memset(f->org.b, 0xA1, sizeof(f->org.b));
    memset(f->team.b, 0x77, sizeof(f->team.b));
    f->patient = ml_object_id_new(&f->fake.env);
    assert_int_equal(ml_box_keypair(&f->box_pk, &f->box, &f->fake.env), ML_OK);
    assert_int_equal(ml_sign_keypair(&f->sign, &f->seed, &f->fake.env), ML_OK);
    assert_int_equal(ml_secret_new(&f->salt, 32), ML_OK);
    mem_store_init(&f->store);
    const struct ml_keyring_args args = {
        .env = &f->fake.env, .org = f->org, .mon_box = f->box, .store = &f->store.store};
    assert_int_equal(ml_keyring_new(&f->ring, &args), ML_OK);
    key_log_init(&f->log);
    group(f, ML_COMPARTMENT_ADMIN);
    group(f, ML_COMPARTMENT_CARE);
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_open(f->ring, &f->patient, &f->team, key_log_add, &f->log),
                     ML_OK);
    key_log_apply_from(f->ring, &f->log, from++);
    assert_int_equal(
        ml_keyring_make_dek(f->ring, &f->patient, ML_COMPARTMENT_CARE, key_log_add, &f->log),
        ML_OK);
    key_log_apply_from(f->ring, &f->log, from);
    assert_int_equal(ml_keyring_seal_key(f->ring, &f->patient, ML_COMPARTMENT_CARE, &f->key),
                     ML_OK);
    f->sealer = (struct ml_sealer){.env = &f->fake.env,
                                   .org = f->org,
                                   .keyring = f->ring,
                                   .node_salt = f->salt,
                                   .seed = f->seed};
    f->place = (struct ml_seal_place){
        .writer = ml_writer_id_of(&f->sign), .seq = 1, .hlc = UINT64_C(1790000000000) << 16};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_keyring_free(f->ring);
    ml_secret_free(f->box);
    ml_secret_free(f->seed);
    ml_secret_free(f->salt);
    key_log_free(&f->log);
    int rc = f->fake.live == 0 ? 0 : -1;
    free(f);
    return rc;
}

/* Items 0 .. count-1 with a text of `len` bytes each. */
static void fill(struct fixture *f, uint32_t count, size_t len)
{
    struct ml_buf b;
    ml_buf_init(&b, &f->fake.env, sizeof(f->text));
    memset(f->text, 'a', sizeof(f->text));
    ml_mp_put_str(&b, ml_slice(f->text, len));
    assert_true(b.err == ML_OK);
    memcpy(f->text, b.data, b.len);
    struct ml_slice value = ml_slice(f->text, b.len);
    ml_buf_free(&b);
    for (uint32_t i = 0; i < count; i++) {
        f->items[i] = (struct ml_seal_item){
            .change = {.schema = 1, .type = ML_CHANGE_SET, .entity = 7, .slot = 1, .value = value},
            .key = f->key,
            .compartment = ML_COMPARTMENT_CARE,
            .hlc_delta = i};
        f->items[i].change.object = f->patient;
    }
}

/* Seals items[from ..] into `wire`; the place moves on. */
static ml_err seal(struct fixture *f, uint32_t count, uint32_t from, struct ml_buf *wire,
                   uint32_t *taken)
{
    const struct ml_seal_args args = {
        .sealer = &f->sealer, .place = &f->place, .items = f->items, .count = count, .from = from};
    struct ml_hash hash;
    ml_buf_init(wire, &f->fake.env, ML_BUNDLE_BYTES_MAX);
    ml_err err = ml_seal_bundle(&args, wire, taken, &hash);
    if (err == ML_OK) {
        f->place.seq++;
        f->place.prev = hash;
    }
    return err;
}

struct seen_ops {
    const struct fixture *f;
    uint32_t count;
    uint32_t by_result[ML_OPEN_MALFORMED + 1];
    struct ml_version_ref refs[ITEMS][4];
    uint32_t ref_count[ITEMS];
};

static ml_err look(void *user, const struct ml_opened *opened)
{
    struct seen_ops *s = user;
    s->by_result[opened->result]++;
    assert_int_equal(opened->index, s->count);
    if (opened->result == ML_OPEN_OK) {
        struct ml_list_walk walk;
        struct ml_version_ref ref;
        assert_memory_equal(&opened->stream.patient, &s->f->patient, sizeof(s->f->patient));
        assert_int_equal(opened->stream.compartment, ML_COMPARTMENT_CARE);
        assert_int_equal(opened->hlc, (UINT64_C(1790000000000) << 16) + opened->index);
        ml_list_walk(&walk, &opened->change.seen);
        while (ml_seen_next(&walk, &ref) && s->ref_count[s->count] < 4) {
            s->refs[s->count][s->ref_count[s->count]++] = ref;
        }
    }
    s->count++;
    return ML_OK;
}

/* Verifies and opens; damage: flips a byte at that place from the end of the wire form, 0: none. */
static void open_wire(struct fixture *f, struct ml_buf *wire, struct seen_ops *s)
{
    struct ml_bundle bundle;
    struct ml_hash hash;
    memset(s, 0, sizeof(*s));
    s->f = f;
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(wire), NULL), ML_OK);
    assert_int_equal(ml_bundle_verify(&bundle, &f->org, &f->sign, &hash), ML_OK);
    const struct ml_open_args args = {.env = &f->fake.env,
                                      .org = f->org,
                                      .keyring = f->ring,
                                      .header = &bundle.header,
                                      .body = bundle.body.bytes};
    assert_int_equal(ml_open_bundle(&args, look, s), ML_OK);
}

static void what_is_sealed_opens(void **state)
{
    struct fixture *f = *state;
    struct ml_buf wire;
    struct seen_ops *s = malloc(sizeof(*s));
    uint32_t taken = 0;
    fill(f, 16, 20);
    assert_int_equal(seal(f, 16, 0, &wire, &taken), ML_OK);
    assert_int_equal(taken, 16);
    open_wire(f, &wire, s);
    assert_int_equal(s->by_result[ML_OPEN_OK], 16);
    ml_buf_free(&wire);
    free(s);
}

static void a_list_is_split_at_256_ops(void **state)
{
    struct fixture *f = *state;
    static const uint32_t want[] = {256, 256, 188};
    uint32_t from = 0;
    fill(f, ITEMS, 2);
    for (size_t i = 0; i < 3; i++) {
        struct ml_buf wire;
        uint32_t taken = 0;
        assert_int_equal(seal(f, ITEMS, from, &wire, &taken), ML_OK);
        assert_int_equal(taken, want[i]);
        from += taken;
        ml_buf_free(&wire);
    }
    assert_int_equal(from, ITEMS);
}

static void a_list_is_split_at_48_kib(void **state)
{
    struct fixture *f = *state;
    struct seen_ops *s = malloc(sizeof(*s));
    uint32_t from = 0;
    fill(f, 20, 9000);
    while (from < 20) {
        struct ml_buf wire;
        uint32_t taken = 0;
        assert_int_equal(seal(f, 20, from, &wire, &taken), ML_OK);
        assert_int_equal(taken, 5);
        from += taken;
        ml_buf_free(&wire);
    }
    free(s);
}

static void references_are_indices_inside_and_ids_outside(void **state)
{
    struct fixture *f = *state;
    static const uint32_t to_first[] = {0, 0};
    static const uint32_t to_both[] = {0, 257};
    struct ml_buf one, two;
    struct seen_ops *s = malloc(sizeof(*s));
    uint32_t taken = 0;
    fill(f, 300, 2);
    f->items[1].seen_items = to_first; /* twice the same: written once */
    f->items[1].seen_item_count = 2;
    f->items[260].seen_items = to_both;
    f->items[260].seen_item_count = 2;
    assert_int_equal(seal(f, 300, 0, &one, &taken), ML_OK);
    assert_int_equal(taken, 256);
    assert_int_equal(seal(f, 300, 256, &two, &taken), ML_OK);
    memset(s, 0, sizeof(*s));
    struct ml_version_id first = f->items[0].version;
    assert_true(f->items[0].placed && f->items[299].placed);
    struct ml_bundle bundle;
    s->f = f;
    for (uint32_t i = 256; i < 300; i++) {
        assert_int_equal(f->items[i].version.index, i - 256);
    }
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&one), NULL), ML_OK);
    const struct ml_open_args args = {.env = &f->fake.env,
                                      .org = f->org,
                                      .keyring = f->ring,
                                      .header = &bundle.header,
                                      .body = bundle.body.bytes};
    assert_int_equal(ml_open_bundle(&args, look, s), ML_OK);
    assert_int_equal(s->ref_count[1], 1);
    assert_true(s->refs[1][0].same_bundle);
    assert_int_equal(s->refs[1][0].id.index, 0);
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&two), NULL), ML_OK);
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_body_walk(&walk, bundle.body.bytes);
    for (int i = 0; i < 44; i++) {
        assert_true(ml_body_next(&walk, &op));
    }
    assert_memory_equal(first.bundle.b, f->items[255].version.bundle.b, 16);
    ml_buf_free(&one);
    ml_buf_free(&two);
    free(s);
}

static void a_reference_never_goes_forward(void **state)
{
    struct fixture *f = *state;
    static const uint32_t to_itself[] = {1};
    static const uint32_t to_unplaced[] = {0};
    struct ml_buf wire;
    uint32_t taken = 0;
    fill(f, 3, 2);
    f->items[1].seen_items = to_itself;
    f->items[1].seen_item_count = 1;
    assert_int_equal(seal(f, 3, 0, &wire, &taken), ML_E_INVALID);
    ml_buf_free(&wire);
    f->items[1].seen_items = to_unplaced; /* before `from`, and in no bundle */
    assert_int_equal(seal(f, 3, 1, &wire, &taken), ML_E_INVALID);
    ml_buf_free(&wire);
    assert_int_equal(seal(f, 3, 3, &wire, &taken), ML_E_INVALID);
    ml_buf_free(&wire);
}

/* Rules B19: what is sealed again, even with the same randomness, has other nonces. */
static void the_salt_depends_on_contents_and_place(void **state)
{
    struct fixture *f = *state;
    uint8_t hash_a[32] = {1}, hash_b[32] = {2};
    struct ml_header header = {.lane = 3, .seq = 1};
    uint64_t rng = f->fake.rng;
    struct ml_salt a = ml_salt_draw(&f->fake.env, f->salt, hash_a, &header);
    f->fake.rng = rng;
    struct ml_salt same = ml_salt_draw(&f->fake.env, f->salt, hash_a, &header);
    assert_memory_equal(&a, &same, sizeof(a));
    f->fake.rng = rng;
    struct ml_salt other = ml_salt_draw(&f->fake.env, f->salt, hash_b, &header);
    assert_memory_not_equal(&a, &other, sizeof(a));
    f->fake.rng = rng;
    header.seq = 2;
    other = ml_salt_draw(&f->fake.env, f->salt, hash_a, &header);
    assert_memory_not_equal(&a, &other, sizeof(a));
    header.seq = 1;
    other = ml_salt_draw(&f->fake.env, f->salt, hash_a, &header); /* later randomness */
    assert_memory_not_equal(&a, &other, sizeof(a));
}

static ml_err open_as(struct fixture *f, const struct ml_bundle *bundle,
                      const struct ml_header *header, struct seen_ops *s)
{
    const struct ml_open_args args = {.env = &f->fake.env,
                                      .org = f->org,
                                      .keyring = f->ring,
                                      .header = header,
                                      .body = bundle->body.bytes};
    memset(s, 0, sizeof(*s));
    s->f = f;
    return ml_open_bundle(&args, look, s);
}

/* I8: the same ciphertext under another writer, seq or lane doesn't open. */
static void an_op_opens_in_its_place_only(void **state)
{
    struct fixture *f = *state;
    struct ml_buf wire;
    struct ml_bundle bundle;
    struct seen_ops *s = malloc(sizeof(*s));
    uint32_t taken = 0;
    fill(f, 2, 5);
    assert_int_equal(seal(f, 2, 0, &wire, &taken), ML_OK);
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&wire), NULL), ML_OK);
    assert_int_equal(open_as(f, &bundle, &bundle.header, s), ML_OK);
    assert_int_equal(s->by_result[ML_OPEN_OK], 2);
    struct ml_header moved = bundle.header;
    moved.seq++;
    assert_int_equal(open_as(f, &bundle, &moved, s), ML_OK);
    assert_int_equal(s->by_result[ML_OPEN_FORGED], 2);
    moved = bundle.header;
    moved.writer.b[0] ^= 1;
    assert_int_equal(open_as(f, &bundle, &moved, s), ML_OK);
    assert_int_equal(s->by_result[ML_OPEN_FORGED], 2);
    moved = bundle.header;
    moved.salt.b[0] ^= 1;
    assert_int_equal(open_as(f, &bundle, &moved, s), ML_OK);
    assert_int_equal(s->by_result[ML_OPEN_FORGED], 2);
    ml_buf_free(&wire);
    free(s);
}

static void what_does_not_open_says_why(void **state)
{
    struct fixture *f = *state;
    struct ml_buf wire, cut;
    struct ml_bundle bundle;
    struct seen_ops *s = malloc(sizeof(*s));
    uint32_t taken = 0;
    fill(f, 3, 5);
    assert_int_equal(seal(f, 3, 0, &wire, &taken), ML_OK);
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&wire), NULL), ML_OK);
    size_t wraps = f->store.wrap_count;
    size_t streams = f->store.stream_count;
    struct ml_keyring *kept = f->ring;
    const struct ml_keyring_args args = {
        .env = &f->fake.env, .org = f->org, .mon_box = f->box, .store = &f->store.store};
    f->ring = NULL;
    assert_int_equal(ml_keyring_new(&f->ring, &args), ML_OK); /* nothing cached */
    f->store.wrap_count = 0;
    assert_int_equal(open_as(f, &bundle, &bundle.header, s), ML_OK);
    assert_int_equal(s->by_result[ML_OPEN_NO_KEY], 3);
    f->store.stream_count = 0;
    assert_int_equal(open_as(f, &bundle, &bundle.header, s), ML_OK);
    assert_int_equal(s->by_result[ML_OPEN_NO_STREAM], 3);
    ml_keyring_free(f->ring);
    f->ring = kept;
    f->store.wrap_count = wraps;
    f->store.stream_count = streams;
    ml_buf_init(&cut, &f->fake.env, ML_BODY_SHREDDED_MAX);
    assert_int_equal(ml_body_shred(&cut, bundle.body.bytes, 1), ML_OK);
    bundle.body.bytes = ml_buf_slice(&cut);
    assert_int_equal(open_as(f, &bundle, &bundle.header, s), ML_OK);
    assert_int_equal(s->by_result[ML_OPEN_SHREDDED], 1);
    assert_int_equal(s->by_result[ML_OPEN_OK], 2);
    ml_buf_free(&wire);
    ml_buf_free(&cut);
    free(s);
}

static void a_key_that_is_not_held_seals_nothing(void **state)
{
    struct fixture *f = *state;
    struct ml_buf wire;
    uint32_t taken = 0;
    fill(f, 1, 5);
    f->items[0].key.dek.b[0] ^= 1;
    assert_int_equal(seal(f, 1, 0, &wire, &taken), ML_E_NO_KEY);
    f->items[0].key.stream.b[0] ^= 1;
    assert_int_equal(seal(f, 1, 0, &wire, &taken), ML_E_NO_KEY);
    assert_false(f->items[0].placed);
    ml_buf_free(&wire);
}

static void no_failed_alloc_breaks_or_leaks(void **state)
{
    struct fixture *f = *state;
    struct seen_ops *s = malloc(sizeof(*s));
    fill(f, 4, 50);
    for (long nth = 1;; nth++) {
        struct ml_buf wire;
        struct ml_bundle bundle;
        uint32_t taken = 0;
        long live = f->fake.live;
        f->fake.fail_alloc = nth;
        ml_err err = seal(f, 4, 0, &wire, &taken);
        if (err == ML_OK) {
            assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&wire), NULL), ML_OK);
            err = open_as(f, &bundle, &bundle.header, s);
        }
        bool over = f->fake.fail_alloc > 0;
        f->fake.fail_alloc = 0;
        ml_buf_free(&wire);
        assert_int_equal(f->fake.live, live);
        if (over) {
            assert_int_equal(err, ML_OK);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
    }
    free(s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_sealed_opens),
        TEST(a_list_is_split_at_256_ops),
        TEST(a_list_is_split_at_48_kib),
        TEST(references_are_indices_inside_and_ids_outside),
        TEST(a_reference_never_goes_forward),
        TEST(the_salt_depends_on_contents_and_place),
        TEST(an_op_opens_in_its_place_only),
        TEST(what_does_not_open_says_why),
        TEST(a_key_that_is_not_held_seals_nothing),
        TEST(no_failed_alloc_breaks_or_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
