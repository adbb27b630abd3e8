/* tests/unit/net_node/test_blobs.c -- large values on whole nodes (rules D3): written on one, read
 * on the others, through cuts and altered bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/change.h"
#include "core/record/schema.h"
#include "net/node/blob.h"
#include "net/node/exchange.h"
#include "net/node/state.h"
#include "net/node/write.h"
#include "support_cluster.h"
#include "support_story.h"

enum { MEGABYTE = 1 << 20, CHUNKS = MEGABYTE / ML_CHUNK_BYTES };

struct fixture {
    struct cluster c;
    char patient[40];
    uint8_t plain[MEGABYTE];
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 7);
    for (size_t i = 0; i < sizeof(f.plain); i++) {
        f.plain[i] = (uint8_t)(i ^ i >> 8 ^ (i >> 16) * 37);
    }
    story_found(&f.c, 0);
    story_patient(&f.c, 0, f.patient);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

static void joined(struct fixture *f)
{
    story_join(&f->c, 0, 1, "Inès Leroy", 60);
    story_synced(&f->c, 1);
}

/* A record op beside the value: a note that names its manifest by what `placed` writes. */
struct noted {
    struct ml_blob blob;
    struct ml_seal_item item;
    struct ml_buf value;
    const struct ml_env *env;
    unsigned placed;
};

static ml_err note_placed(void *user)
{
    struct noted *n = user;
    assert_true(n->blob.placed);
    n->placed++;
    return ML_OK;
}

static ml_err write_bytes(struct fixture *f, struct ml_slice plain, struct noted *n)
{
    struct ml_org *org = f->c.nodes[0].node->orgs;
    struct ml_object_id patient;
    assert_int_equal(ml_hex_decode(patient.b, sizeof(patient.b), f->patient, strlen(f->patient)),
                     ML_OK);
    *n = (struct noted){.blob = {.plain = plain,
                                 .media_type = ml_slice_str("application/pdf"),
                                 .compartment = ML_COMPARTMENT_DOCUMENT}};
    const struct ml_write what = {
        .blobs = &n->blob, .blob_count = 1, .placed = note_placed, .user = n};
    ml_err err = ml_org_write_all(org, &patient, &what);
    ml_exchange_run(org); /* as the end of a call does */
    return err;
}

static struct ml_version_id written(struct fixture *f)
{
    struct noted n;
    assert_int_equal(write_bytes(f, ml_slice(f->plain, sizeof(f->plain)), &n), ML_OK);
    assert_int_equal(n.placed, 1);
    return n.blob.version;
}

static ml_err read_on(struct fixture *f, unsigned node, const struct ml_version_id *id)
{
    struct ml_buf out;
    ml_buf_init(&out, ml_env_system(), (size_t)(ML_BLOB_BYTES_MAX));
    ml_err err = ml_blob_read(f->c.nodes[node].node->orgs, id, &out);
    assert_true(err != ML_OK || ml_slice_equal(ml_buf_slice(&out), ml_slice(f->plain, MEGABYTE)));
    assert_true(err == ML_OK || out.len == 0);
    ml_buf_free(&out);
    return err;
}

static uint32_t missing_on(struct fixture *f, unsigned node, const struct ml_version_id *id)
{
    struct ml_blob_stat stat;
    assert_int_equal(ml_blob_stat(f->c.nodes[node].node->orgs, id, &stat), ML_OK);
    assert_int_equal(stat.bytes, MEGABYTE);
    assert_int_equal(stat.chunks, CHUNKS);
    return stat.chunks_missing;
}

static void a_megabyte_is_read_where_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct story_proof proof;
    struct ml_version_id none = {{{1}}, 0};
    const struct ml_version_id id = written(f);
    assert_int_equal(read_on(f, 0, &id), ML_OK);
    assert_int_equal(missing_on(f, 0, &id), 0);
    assert_int_equal(read_on(f, 0, &none), ML_E_NOT_FOUND);
    none = id;
    none.index = 9;
    assert_int_equal(read_on(f, 0, &none), ML_E_NOT_FOUND);
    cluster_stop(&f->c, 0);
    cluster_start(&f->c, 0);
    story_unlock(&f->c, 0);
    assert_int_equal(read_on(f, 0, &id), ML_OK);
    story_verify(&f->c, 0, &proof);
    assert_int_equal(proof.chunks, CHUNKS);
    assert_int_equal(proof.chunks_missing, 0);
}

static void the_same_file_twice_is_stored_once(void **state)
{
    struct fixture *f = *state;
    struct story_proof proof;
    const struct ml_version_id first = written(f);
    const struct ml_version_id second = written(f);
    assert_memory_not_equal(&first, &second, sizeof(first));
    assert_int_equal(read_on(f, 0, &first), ML_OK);
    assert_int_equal(read_on(f, 0, &second), ML_OK);
    story_verify(&f->c, 0, &proof);
    assert_int_equal(proof.chunks, CHUNKS);
}

static void it_comes_to_the_others_and_each_is_sent_once(void **state)
{
    struct fixture *f = *state;
    struct story_proof a;
    struct story_proof b;
    joined(f);
    story_join(&f->c, 0, 2, "Zoé Petit", 60);
    story_synced(&f->c, 2);
    f->c.large = 0;
    const struct ml_version_id id = written(f);
    cluster_run(&f->c, 2000);
    assert_int_equal(f->c.large, 2 * CHUNKS);
    for (unsigned n = 1; n < 3; n++) {
        assert_int_equal(read_on(f, n, &id), ML_OK);
        story_verify(&f->c, 0, &a);
        story_verify(&f->c, n, &b);
        assert_string_equal(a.state_hash, b.state_hash);
        assert_int_equal(b.chunks, CHUNKS);
        assert_int_equal(b.chunks_missing, 0);
    }
}

/* The link goes in the middle: what is missing is said, and only that is sent afterwards. */
static void a_cut_is_resumed_without_sending_again_what_is_there(void **state)
{
    struct fixture *f = *state;
    struct story_proof b;
    joined(f);
    f->c.large = 0;
    f->c.cut_at_large = 8;
    const struct ml_version_id id = written(f);
    cluster_run(&f->c, 400);
    f->c.cut[0][1] = f->c.cut[1][0] = true;
    cluster_run(&f->c, 400);
    const uint32_t missing = missing_on(f, 1, &id);
    assert_in_range(missing, CHUNKS - 7, CHUNKS);
    assert_int_equal(read_on(f, 1, &id), ML_E_PENDING);
    story_verify(&f->c, 1, &b);
    assert_int_equal(b.chunks_missing, missing);
    const unsigned before = f->c.large;
    f->c.cut_at_large = 0;
    f->c.cut[0][1] = f->c.cut[1][0] = false;
    cluster_run(&f->c, 400000);
    assert_int_equal(f->c.large - before, missing);
    assert_int_equal(missing_on(f, 1, &id), 0);
    assert_int_equal(read_on(f, 1, &id), ML_OK);
}

static void an_altered_chunk_is_refused_and_comes_again(void **state)
{
    struct fixture *f = *state;
    joined(f);
    f->c.large = 0;
    f->c.alter_large = true;
    const struct ml_version_id id = written(f);
    cluster_run(&f->c, 400000);
    assert_false(f->c.alter_large);
    assert_true(f->c.large > CHUNKS);
    assert_int_equal(read_on(f, 1, &id), ML_OK);
}

/* The writer goes before all is there; what one neighbour lacks comes from another. */
static void what_is_missing_is_said_and_comes_from_a_third_node(void **state)
{
    struct fixture *f = *state;
    joined(f);
    story_join(&f->c, 0, 2, "Zoé Petit", 60);
    story_synced(&f->c, 2);
    f->c.cut[0][2] = f->c.cut[2][0] = true;
    f->c.cut[1][2] = f->c.cut[2][1] = true;
    f->c.large = 0;
    const struct ml_version_id id = written(f);
    cluster_run(&f->c, 2000);
    assert_int_equal(read_on(f, 1, &id), ML_OK);
    f->c.cut[0][2] = f->c.cut[2][0] = false;
    f->c.cut_at_large = f->c.large + 3;
    for (unsigned i = 0; i < 4000 && f->c.large < f->c.cut_at_large; i++) {
        cluster_run(&f->c, 100);
    }
    f->c.cut_at_large = 0;
    cluster_stop(&f->c, 0); /* for good */
    const uint32_t missing = missing_on(f, 2, &id);
    assert_true(missing > 0);
    assert_int_equal(read_on(f, 2, &id), ML_E_PENDING);
    const unsigned before = f->c.large;
    f->c.cut[1][2] = f->c.cut[2][1] = false;
    char node[ML_ID_HEX_SIZE];
    const struct ml_node_id *one = &f->c.nodes[1].node->orgs->secrets.node;
    struct story_request r;
    ml_hex_encode(node, one->b, sizeof(one->b));
    story_ask(&r);
    story_put(&r, "node", node);
    story_put(&r, "address", "node:1");
    story_must(&r, story_send(&r, &f->c, 2, "peer.add"), "peer.add");
    story_end(&r);
    cluster_run(&f->c, 2000);
    assert_int_equal(missing_on(f, 2, &id), 0);
    assert_int_equal(f->c.large - before, missing);
    assert_int_equal(read_on(f, 2, &id), ML_OK);
}

/* Nothing of a value that can't be written is left: no chunk, no manifest, no op. */
static void a_value_that_is_too_large_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct story_proof proof;
    struct noted n;
    struct ml_slice large = ml_slice(f->plain, sizeof(f->plain));
    large.len = (size_t)ML_BLOB_BYTES_MAX + 1; /* never read */
    assert_int_equal(write_bytes(f, large, &n), ML_E_LIMIT);
    assert_int_equal(n.placed, 0);
    assert_int_equal(write_bytes(f, ml_slice(NULL, 0), &n), ML_E_INVALID);
    story_verify(&f->c, 0, &proof);
    assert_int_equal(proof.chunks, 0);
    const struct ml_version_id id = written(f);
    assert_int_equal(read_on(f, 0, &id), ML_OK);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_megabyte_is_read_where_it_was_written),
        T(the_same_file_twice_is_stored_once),
        T(it_comes_to_the_others_and_each_is_sent_once),
        T(a_cut_is_resumed_without_sending_again_what_is_there),
        T(an_altered_chunk_is_refused_and_comes_again),
        T(what_is_missing_is_said_and_comes_from_a_third_node),
        T(a_value_that_is_too_large_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
