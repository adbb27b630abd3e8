/* tests/unit/core_model/test_blob.c -- one rule of model/blob.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_id.h"
#include "core/model/blob.h"
#include "support_keystore.h"

enum { BLOBS = 300, CHUNKS = 600, BYTES = 1 << 20 };

struct kept_chunk {
    struct ml_hash hash;
    uint8_t *bytes;
    size_t len;
};

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
    struct ml_seal_key key[2]; /* of two compartments */
    struct ml_sealer sealer;
    struct ml_seal_place place;
    struct ml_blob blobs[BLOBS];
    struct kept_chunk chunks[CHUNKS];
    size_t chunk_count; /* given away */
    uint8_t plain[BYTES];
    struct ml_buf wire;
    struct ml_buf out;
    struct ml_opened_manifest opened;
    uint8_t keys[ML_MANIFEST_CHUNKS_MAX * ML_MANIFEST_KEY_BYTES];
    unsigned results[8];
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

static void stream_key(struct fixture *f, ml_compartment compartment, struct ml_seal_key *key)
{
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_dek(f->ring, &f->patient, compartment, key_log_add, &f->log),
                     ML_OK);
    key_log_apply_from(f->ring, &f->log, from);
    assert_int_equal(ml_keyring_seal_key(f->ring, &f->patient, compartment, key), ML_OK);
}

static void keys_make(struct fixture *f)
{
    group(f, ML_COMPARTMENT_ADMIN);
    group(f, ML_COMPARTMENT_CARE);
    group(f, ML_COMPARTMENT_DOCUMENT);
    size_t from = f->log.count;
    assert_int_equal(ml_keyring_make_open(f->ring, &f->patient, &f->team, key_log_add, &f->log),
                     ML_OK);
    key_log_apply_from(f->ring, &f->log, from);
    stream_key(f, ML_COMPARTMENT_DOCUMENT, &f->key[0]);
    stream_key(f, ML_COMPARTMENT_CARE, &f->key[1]);
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
    keys_make(f);
    f->sealer = (struct ml_sealer){.env = &f->fake.env,
                                   .org = f->org,
                                   .keyring = f->ring,
                                   .node_salt = f->salt,
                                   .seed = f->seed};
    f->place = (struct ml_seal_place){
        .writer = ml_writer_id_of(&f->sign), .seq = 1, .hlc = UINT64_C(1790000000000) << 16};
    for (size_t i = 0; i < sizeof(f->plain); i++) { /* no two chunks alike */
        f->plain[i] = (uint8_t)(i ^ i >> 8 ^ (i >> 16) * 37);
    }
    ml_buf_init(&f->wire, &f->fake.env, ML_BUNDLE_BYTES_MAX);
    ml_buf_init(&f->out, &f->fake.env, SIZE_MAX);
    *state = f;
    return 0;
}

static void chunks_drop(struct fixture *f)
{
    for (size_t i = 0; i < f->chunk_count; i++) {
        free(f->chunks[i].bytes);
    }
    f->chunk_count = 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    chunks_drop(f);
    ml_buf_free(&f->wire);
    ml_buf_free(&f->out);
    ml_keyring_free(f->ring);
    ml_secret_free(f->box);
    ml_secret_free(f->seed);
    ml_secret_free(f->salt);
    key_log_free(&f->log);
    int rc = f->fake.live == 0 ? 0 : -1;
    free(f);
    return rc;
}

static ml_err chunk_keep(void *user, const struct ml_hash *hash, struct ml_slice sealed)
{
    struct fixture *f = user;
    assert_true(f->chunk_count < CHUNKS);
    struct kept_chunk *c = &f->chunks[f->chunk_count++];
    *c = (struct kept_chunk){*hash, malloc(sealed.len), sealed.len};
    assert_non_null(c->bytes);
    memcpy(c->bytes, sealed.data, sealed.len);
    return ML_OK;
}

static struct ml_blob blob_of(const struct fixture *f, size_t from, size_t len, unsigned key)
{
    struct ml_blob blob = {.plain = ml_slice(f->plain + from, len),
                           .media_type = ml_slice_str("application/pdf"),
                           .object = f->patient,
                           .slot = 4,
                           .key = f->key[key]};
    blob.compartment = key == 0 ? ML_COMPARTMENT_DOCUMENT : ML_COMPARTMENT_CARE;
    return blob;
}

static ml_err seal(struct fixture *f, uint32_t count, uint32_t from, uint32_t *taken)
{
    const struct ml_seal_blobs_args args = {.sealer = &f->sealer,
                                            .place = &f->place,
                                            .blobs = f->blobs,
                                            .count = count,
                                            .from = from,
                                            .each = chunk_keep,
                                            .user = f};
    struct ml_hash hash;
    ml_buf_clear(&f->wire);
    return ml_seal_blobs(&args, &f->wire, taken, &hash);
}

static ml_err opened_take(void *user, const struct ml_opened_manifest *opened)
{
    struct fixture *f = user;
    f->results[opened->result]++;
    f->opened = *opened;
    if (opened->result == ML_OPEN_OK) {
        memcpy(f->keys, opened->inner.keys.data, opened->inner.keys.len);
    }
    return ML_OK;
}

/* The last op of the bundle in f->wire; its header may be another. */
static void open_as(struct fixture *f, const struct ml_header *header)
{
    struct ml_bundle bundle;
    memset(f->results, 0, sizeof(f->results));
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&f->wire), NULL), ML_OK);
    const struct ml_open_args args = {.env = &f->fake.env,
                                      .org = f->org,
                                      .keyring = f->ring,
                                      .header = header == NULL ? &bundle.header : header,
                                      .body = bundle.body.bytes};
    assert_int_equal(ml_open_manifests(&args, opened_take, f), ML_OK);
}

static const struct kept_chunk *chunk_find(const struct fixture *f, const struct ml_hash *hash)
{
    for (size_t i = 0; i < f->chunk_count; i++) {
        if (memcmp(&f->chunks[i].hash, hash, sizeof(*hash)) == 0) {
            return &f->chunks[i];
        }
    }
    return NULL;
}

static ml_err chunks_open(struct fixture *f)
{
    struct ml_list_walk walk;
    struct ml_hash hash;
    ml_err err = ML_OK;
    ml_buf_clear(&f->out);
    ml_list_walk(&walk, &f->opened.manifest.chunks);
    for (uint32_t i = 0; err == ML_OK && ml_chunk_next(&walk, &hash); i++) {
        const struct kept_chunk *c = chunk_find(f, &hash);
        assert_non_null(c);
        assert_int_equal(c->len, ml_manifest_chunk_bytes(&f->opened.manifest, i));
        err = ml_chunk_open(&f->out, ml_slice(c->bytes, c->len), &hash,
                            f->keys + (size_t)i * ML_MANIFEST_KEY_BYTES);
    }
    return err;
}

static void any_length_comes_back_whole(void **state)
{
    static const size_t lens[] = {
        1, 16385, ML_CHUNK_BYTES - 1, ML_CHUNK_BYTES, ML_CHUNK_BYTES + 1, BYTES};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        uint32_t taken = 0;
        f->blobs[0] = blob_of(f, 0, lens[i], 0);
        chunks_drop(f);
        assert_int_equal(seal(f, 1, 0, &taken), ML_OK);
        assert_int_equal(taken, 1);
        assert_true(f->blobs[0].placed);
        open_as(f, NULL);
        assert_int_equal(f->results[ML_OPEN_OK], 1);
        assert_int_equal(f->opened.manifest.chunks.count,
                         (lens[i] + ML_CHUNK_BYTES - 1) / ML_CHUNK_BYTES);
        assert_int_equal(chunks_open(f), ML_OK);
        assert_true(ml_slice_equal(ml_buf_slice(&f->out), f->blobs[0].plain));
        assert_memory_equal(&f->opened.inner.hash, &f->blobs[0].hash, sizeof(struct ml_hash));
        assert_int_equal(f->opened.inner.slot, 4);
        assert_memory_equal(&f->opened.inner.object, &f->patient, sizeof(f->patient));
    }
}

/* Rules D3: stored once within a patient and compartment, and nowhere else the same. */
static void the_same_chunk_is_the_same_within_its_stream_only(void **state)
{
    struct fixture *f = *state;
    uint32_t taken = 0;
    f->blobs[0] = blob_of(f, 0, (size_t)3 * ML_CHUNK_BYTES, 0);
    f->blobs[1] = blob_of(f, ML_CHUNK_BYTES, (size_t)3 * ML_CHUNK_BYTES, 0);
    f->blobs[2] = blob_of(f, 0, (size_t)3 * ML_CHUNK_BYTES, 1);
    assert_int_equal(seal(f, 3, 0, &taken), ML_OK);
    assert_int_equal(taken, 3);
    const struct kept_chunk *c = f->chunks;
    assert_memory_equal(&c[1].hash, &c[3].hash, 32);
    assert_memory_equal(&c[2].hash, &c[4].hash, 32);
    assert_memory_equal(c[1].bytes, c[3].bytes, c[1].len);
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 6; k < 9; k++) {
            assert_memory_not_equal(&c[i].hash, &c[k].hash, 32);
        }
    }
}

static void an_altered_chunk_does_not_open(void **state)
{
    struct fixture *f = *state;
    uint32_t taken = 0;
    f->blobs[0] = blob_of(f, 0, (size_t)2 * ML_CHUNK_BYTES, 0);
    assert_int_equal(seal(f, 1, 0, &taken), ML_OK);
    open_as(f, NULL);
    struct kept_chunk *c = &f->chunks[1];
    c->bytes[100] ^= 1;
    assert_int_equal(chunks_open(f), ML_E_FORGED);
    assert_int_equal(f->out.len, ML_CHUNK_BYTES); /* the first one */
    const struct ml_slice bytes = ml_slice(c->bytes, c->len);
    c->hash = ml_chunk_hash(bytes); /* a hash that fits what was altered: then the tag doesn't */
    assert_int_equal(ml_chunk_open(&f->out, bytes, &c->hash, f->keys + 32), ML_E_FORGED);
    c->bytes[100] ^= 1;
    c->hash = ml_chunk_hash(bytes);
    assert_int_equal(ml_chunk_open(&f->out, bytes, &c->hash, f->keys), ML_E_FORGED);
    assert_int_equal(f->out.len, ML_CHUNK_BYTES);
    assert_int_equal(ml_chunk_open(&f->out, bytes, &c->hash, f->keys + 32), ML_OK);
}

static void a_manifest_opens_in_its_place_only(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle bundle;
    uint32_t taken = 0;
    f->blobs[0] = blob_of(f, 0, (size_t)2 * ML_CHUNK_BYTES, 0);
    assert_int_equal(seal(f, 1, 0, &taken), ML_OK);
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&f->wire), NULL), ML_OK);
    struct ml_header moved = bundle.header;
    moved.seq++;
    open_as(f, &moved);
    assert_int_equal(f->results[ML_OPEN_FORGED], 1);
    open_as(f, NULL);
    assert_int_equal(f->results[ML_OPEN_OK], 1);
    struct ml_list_walk walk;
    struct ml_hash hash;
    ml_list_walk(&walk, &f->opened.manifest.chunks);
    assert_true(ml_chunk_next(&walk, &hash));
    uint8_t *named = memmem(f->wire.data, f->wire.len, hash.b, sizeof(hash.b));
    assert_non_null(named);
    *named ^= 1; /* another chunk in its list */
    open_as(f, NULL);
    assert_int_equal(f->results[ML_OPEN_FORGED], 1);
}

static void without_keys_the_chunks_are_known_all_the_same(void **state)
{
    struct fixture *f = *state;
    uint32_t taken = 0;
    f->blobs[0] = blob_of(f, 0, (size_t)2 * ML_CHUNK_BYTES, 0);
    assert_int_equal(seal(f, 1, 0, &taken), ML_OK);
    ml_keyring_forget(f->ring);
    mem_store_init(&f->store);
    open_as(f, NULL);
    assert_int_equal(f->results[ML_OPEN_OK] + f->results[ML_OPEN_FORGED], 0);
    assert_int_equal(f->opened.manifest.chunks.count, 2);
    assert_int_equal(f->opened.manifest.bytes, 2 * ML_CHUNK_SEALED_MAX);
}

static void as_many_go_into_a_bundle_as_fit(void **state)
{
    struct fixture *f = *state;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < BLOBS; i++) {
        f->blobs[i] = blob_of(f, i, 17000, i % 2);
    }
    uint32_t from = 0;
    for (; from < BLOBS; from += taken) {
        assert_int_equal(seal(f, BLOBS, from, &taken), ML_OK);
        assert_true(taken > 90);
        open_as(f, NULL);
        assert_int_equal(f->results[ML_OPEN_OK], taken);
        f->place.seq++;
        f->place.prev.b[0] = 1;
    }
    assert_int_equal(f->chunk_count, BLOBS);
    for (uint32_t i = 0; i < BLOBS; i++) {
        assert_true(f->blobs[i].placed);
    }
}

static void what_is_empty_or_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    uint32_t taken = 7;
    f->blobs[0] = blob_of(f, 0, 0, 0);
    assert_int_equal(seal(f, 1, 0, &taken), ML_E_INVALID);
    f->blobs[0] = blob_of(f, 0, 100, 0);
    f->blobs[0].plain.len = (size_t)ML_BLOB_BYTES_MAX + 1; /* never read */
    assert_int_equal(seal(f, 1, 0, &taken), ML_E_LIMIT);
    f->blobs[0] = blob_of(f, 0, 100, 0);
    f->blobs[0].key.dek.b[0] ^= 1;
    assert_int_equal(seal(f, 1, 0, &taken), ML_E_NO_KEY);
    assert_int_equal(seal(f, 1, 1, &taken), ML_E_INVALID);
    assert_int_equal(f->wire.len, 0);
    assert_int_equal(taken, 7);
    assert_false(f->blobs[0].placed);
}

static ml_err chunk_count(void *user, const struct ml_hash *hash, struct ml_slice sealed)
{
    struct fixture *f = user;
    assert_int_equal(sealed.len, f->chunk_count + 1 < ML_MANIFEST_CHUNKS_MAX
                                     ? ML_CHUNK_SEALED_MAX
                                     : ML_CHUNK_SEALED_MAX - 1);
    (void)hash;
    f->chunk_count++;
    return ML_OK;
}

static void the_largest_value_is_one_bundle(void **state)
{
    struct fixture *f = *state;
    const size_t len = (size_t)ML_BLOB_BYTES_MAX - 1;
    uint8_t *plain = calloc(1, len);
    uint32_t taken = 0;
    struct ml_hash hash;
    assert_non_null(plain);
    f->blobs[0] = blob_of(f, 0, 1, 0);
    f->blobs[0].plain = ml_slice(plain, len);
    const struct ml_seal_blobs_args args = {.sealer = &f->sealer,
                                            .place = &f->place,
                                            .blobs = f->blobs,
                                            .count = 1,
                                            .each = chunk_count,
                                            .user = f};
    assert_int_equal(ml_seal_blobs(&args, &f->wire, &taken, &hash), ML_OK);
    assert_int_equal(f->chunk_count, ML_MANIFEST_CHUNKS_MAX);
    f->chunk_count = 0;
    open_as(f, NULL);
    assert_int_equal(f->results[ML_OPEN_OK], 1);
    free(plain);
}

static ml_err chunk_refuse(void *user, const struct ml_hash *hash, struct ml_slice sealed)
{
    (void)user;
    (void)hash;
    (void)sealed;
    return ML_E_FULL;
}

static void a_chunk_that_is_not_taken_ends_it(void **state)
{
    struct fixture *f = *state;
    uint32_t taken = 0;
    struct ml_hash hash;
    f->blobs[0] = blob_of(f, 0, 100, 0);
    const struct ml_seal_blobs_args args = {.sealer = &f->sealer,
                                            .place = &f->place,
                                            .blobs = f->blobs,
                                            .count = 1,
                                            .each = chunk_refuse,
                                            .user = f};
    assert_int_equal(ml_seal_blobs(&args, &f->wire, &taken, &hash), ML_E_FULL);
    assert_int_equal(f->wire.len, 0);
    assert_false(f->blobs[0].placed);
}

static void each_failed_allocation_changes_nothing(void **state)
{
    struct fixture *f = *state;
    uint32_t taken = 0;
    ml_err err = ML_E_NOMEM;
    unsigned failed = 0;
    for (uint64_t nth = 1; err == ML_E_NOMEM; nth++) {
        f->blobs[0] = blob_of(f, 0, (size_t)2 * ML_CHUNK_BYTES, 0);
        f->blobs[1] = blob_of(f, 0, 20000, 1);
        chunks_drop(f);
        ml_buf_free(&f->wire);
        f->fake.fail_alloc = (long)nth;
        err = seal(f, 2, 0, &taken);
        assert_int_equal(fake_spared(&f->fake), err == ML_OK);
        if (err != ML_OK) {
            assert_int_equal(err, ML_E_NOMEM);
            assert_false(f->blobs[0].placed || f->blobs[1].placed);
            assert_int_equal(f->wire.len, 0);
            failed++;
        }
    }
    assert_int_equal(err, ML_OK);
    assert_true(failed > 4);
    struct ml_bundle bundle;
    assert_int_equal(ml_bundle_decode(&bundle, ml_buf_slice(&f->wire), NULL), ML_OK);
    const struct ml_open_args args = {.env = &f->fake.env,
                                      .org = f->org,
                                      .keyring = f->ring,
                                      .header = &bundle.header,
                                      .body = bundle.body.bytes};
    f->fake.fail_alloc = 1;
    assert_int_equal(ml_open_manifests(&args, opened_take, f), ML_E_NOMEM);
    f->fake.fail_alloc = 0;
    open_as(f, NULL);
    ml_buf_free(&f->out);
    f->fake.fail_alloc = 1;
    assert_int_equal(ml_chunk_open(&f->out, ml_slice(f->chunks[2].bytes, f->chunks[2].len),
                                   &f->chunks[2].hash, f->keys),
                     ML_E_NOMEM);
    f->fake.fail_alloc = 0;
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(any_length_comes_back_whole),
        T(the_same_chunk_is_the_same_within_its_stream_only),
        T(an_altered_chunk_does_not_open),
        T(a_manifest_opens_in_its_place_only),
        T(without_keys_the_chunks_are_known_all_the_same),
        T(as_many_go_into_a_bundle_as_fit),
        T(what_is_empty_or_too_long_is_refused),
        T(the_largest_value_is_one_bundle),
        T(a_chunk_that_is_not_taken_ends_it),
        T(each_failed_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
